/* fuzz_lines.c - any bytes as a wish at admin.sock, and as a line to import.
 *
 * A wish that is read prints as one that is read the same; a line that is taken
 * was valid JSON, and one that is not says why.
 */
#include "server/import.h"
#include "server/wish.h"
#include "tests/fuzz/fuzz.h"

static void check_wish(slice source)
{
    char why[WISH_WHY_MAX];
    text once = { 0 }, twice = { 0 };
    wish w;

    if (wish_read(&w, source, why) == STATUS_OK) {
        must(why[0] == '\0');
        wish_print(&once, &w);
        wish_free(&w);
        must(text_ok(&once) && wish_read(&w, text_slice(&once), why) == STATUS_OK);
        wish_print(&twice, &w);
        must(slice_equal(text_slice(&once), text_slice(&twice)));
    } else {
        must(why[0] != '\0');
    }
    wish_free(&w);
    text_free(&once);
    text_free(&twice);
}

/* No store is asked before a batch is full. */
static void check_line(slice source)
{
    char why[IMPORT_WHY_MAX] = "";
    import *i = import_new(NULL);

    must(i != NULL);
    status s = import_line(i, source, why);
    must(s == STATUS_OK || (s == STATUS_MALFORMED && why[0] != '\0'));
    must(import_count(i)->lines == 1 && import_count(i)->bad == (s == STATUS_MALFORMED));
    import_free(i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice source = { (const char *)data, size };

    check_wish(source);
    check_line(source);
    return 0;
}
