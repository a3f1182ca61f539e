/* test_radisk_tools_memory.c - every allocation of a backup, a check, a restore and
 * a compaction fails once: each says so, harms nothing, and goes through after. */
#include "radisk/backup.h"
#include "radisk/check.h"
#include "radisk/compact.h"
#include "tests/unit/failing.h"
#include "tests/unit/radisk_kit.h"

#include <string.h>
#include <unistd.h>

enum { MAP = 16 << 20 };

static void fill(kit *k)
{
    static char large[5003];
    graph_write held = kit_write("c", "held", "\"later\"", 3e12);

    memset(large, 'L', sizeof large - 1);
    large[0] = large[sizeof large - 2] = '"';
    kit_open(k);
    (void)kit_put(k, "a", "small", "1", 1000);
    (void)kit_put(k, "a", "large", large, 1000);
    (void)kit_put(k, "b", "k", "2", 1000);
    (void)kit_merge(k, &held, 1, 2e12);
}

static status into_text(void *context, slice bytes)
{
    text *t = context;

    text_add(t, bytes);
    return text_ok(t) ? STATUS_OK : STATUS_NO_MEMORY;
}

static status back_up(kit *k, text *out, backup_counts *counts)
{
    backup_wish wish = { .take = into_text, .take_context = out };
    radisk_view *view;
    status s = radisk_view_now(k->store, &view);

    if (s != STATUS_OK) return s;
    s = backup_write(view, &wish, counts);
    view_close(view);
    return s;
}

static void a_backup_without_memory_says_so(void **state)
{
    kit *k = *state;
    backup_counts whole, counts;
    text bytes = { 0 };
    long n = 0;

    fill(k);
    assert_int_equal(back_up(k, &bytes, &whole), STATUS_OK);
    for (bool over = false; !over;) {
        text_free(&bytes);
        bytes = (text){ 0 };
        failing_at(++n);
        status s = back_up(k, &bytes, &counts);
        over = !failing_happened();
        failing_at(0);
        assert_int_equal(s, over ? STATUS_OK : STATUS_NO_MEMORY);
    }
    assert_true(n > 3);
    assert_memory_equal(&counts.hash, &whole.hash, sizeof whole.hash);
    text_free(&bytes);
}

static void ignore(void *context, const char *finding)
{
    (void)context;
    (void)finding;
}

static status check(const kit *k, check_report *report)
{
    check_wish wish = {
        .folder = k->folder, .size_max = MAP, .hash = true, .now_ms = 2e12, .say = ignore
    };
    char why[CHECK_WHY_MAX];

    return check_store(&wish, report, why);
}

static void a_check_without_memory_says_so(void **state)
{
    kit *k = *state;
    check_report report, whole;
    long n = 0;

    fill(k);
    kit_close(k);
    assert_int_equal(check(k, &whole), STATUS_OK);
    assert_int_equal(whole.findings, 0);
    for (bool over = false; !over;) {
        failing_at(++n);
        status s = check(k, &report);
        over = !failing_happened();
        failing_at(0);
        if (over) assert_int_equal(s, STATUS_OK);
        if (s == STATUS_OK) {
            assert_int_equal(report.findings, 0);
            assert_memory_equal(&report.hash, &whole.hash, sizeof whole.hash);
        }
    }
    assert_true(n > 3);
}

static bool is_there(const char *folder)
{
    char path[160];

    (void)snprintf(path, sizeof path, "%s/data.mdb", folder);
    return access(path, F_OK) == 0;
}

static void a_restore_without_memory_makes_no_store_or_all_of_it(void **state)
{
    kit *k = *state;
    backup_counts whole, counts;
    text bytes = { 0 };
    char file[128], folder[128], why[BACKUP_WHY_MAX];
    long n = 0;

    fill(k);
    assert_int_equal(back_up(k, &bytes, &whole), STATUS_OK);
    (void)snprintf(file, sizeof file, "%s/backup", k->folder);
    FILE *to = fopen(file, "wb");
    assert_int_equal(fwrite(bytes.at, 1, bytes.len, to), bytes.len);
    assert_int_equal(fclose(to), 0);
    for (bool over = false; !over;) {
        (void)snprintf(folder, sizeof folder, "%s/r%ld", k->folder, ++n);
        restore_wish wish = { .file = file, .folder = folder, .now_ms = 2e12 };
        failing_at(n);
        status s = restore_store(&wish, &counts, why);
        over = !failing_happened();
        failing_at(0);
        if (over) assert_int_equal(s, STATUS_OK);
        assert_int_equal(is_there(folder), s == STATUS_OK);
        if (s == STATUS_OK) assert_memory_equal(&counts.hash, &whole.hash, sizeof whole.hash);
    }
    assert_true(n > 20);
    text_free(&bytes);
}

static void a_compaction_without_memory_changes_nothing(void **state)
{
    kit *k = *state;
    check_report whole, report;
    compact_report sizes;
    char why[COMPACT_WHY_MAX];
    long n = 0;

    fill(k);
    kit_close(k);
    assert_int_equal(check(k, &whole), STATUS_OK);
    for (bool over = false; !over;) {
        failing_at(++n);
        status s = compact_store(k->folder, MAP, &sizes, why);
        over = !failing_happened();
        failing_at(0);
        if (over) assert_int_equal(s, STATUS_OK);
        assert_int_equal(check(k, &report), STATUS_OK);
        assert_int_equal(report.findings, 0);
        assert_memory_equal(&report.hash, &whole.hash, sizeof whole.hash);
        kit_open(k); /* folds the segments that openings which failed have left */
        kit_close(k);
    }
    assert_true(n > 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup_quick, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_backup_without_memory_says_so),
        TEST(a_check_without_memory_says_so),
        TEST(a_restore_without_memory_makes_no_store_or_all_of_it),
        TEST(a_compaction_without_memory_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
