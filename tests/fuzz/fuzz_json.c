/* fuzz_json.c - any bytes to the JSON reader.
 *
 * Both readers agree; the tokens lie in the text one inside the other; a
 * document printed from its tokens reads back, and prints the same again.
 */
#include "tests/fuzz/fuzz.h"

#include "core/utf16.h"

static const json_bounds BOUNDS = { .depth_max = 64, .tokens_max = 1 << 20 };

static void check_token(const json *j, uint32_t i)
{
    const json_token *t = &j->tokens[i];

    must(t->start < t->end && t->end <= j->text.len);
    must(t->next > i && t->next <= j->count);
    if (i + 1 < j->count) must(j->tokens[i + 1].start > t->start);
    if (t->next < j->count) must(j->tokens[t->next].start >= t->end);
    for (uint32_t k = i + 1; k < t->next && k < i + 8; ++k) must(j->tokens[k].end < t->end);
}

static void check_strings(const json *j, arena *a, uint32_t i)
{
    slice name, utf8;

    if (j->tokens[i].type != JSON_STRING) return;
    must(json_name(j, a, i, &name) == STATUS_OK);
    if (json_utf8(j, a, i, &utf8) != STATUS_OK) return;
    must(utf16_valid_utf8(utf8));
    must(utf16_length(utf8) == utf16_length(name));
}

/* Every depth bound and every bound on tokens is kept, to the last one. */
static void check_bounds(const json *j, arena *a, slice source)
{
    json_bounds few = { BOUNDS.depth_max, j->count };
    json again;

    must(json_read(&again, a, source, &few) == STATUS_OK);
    few.tokens_max = j->count - 1;
    must(json_read(&again, a, source, &few) == STATUS_TOO_BIG);
    must(json_check(source, JSON_DEPTH_MOST) == STATUS_OK);
}

static void check_fixed_point(const json *j, arena *a)
{
    text once = { 0 }, twice = { 0 };
    json again;

    reprint(&once, j, a);
    must(json_read(&again, a, text_slice(&once), &BOUNDS) == STATUS_OK);
    must(again.count == j->count);
    reprint(&twice, &again, a);
    must(slice_equal(text_slice(&once), text_slice(&twice)));
    text_free(&once);
    text_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice source = { (const char *)data, size };
    arena a = arena_make(SIZE_MAX / 4);
    bool twice;
    json j;
    status s = json_read(&j, &a, source, &BOUNDS);

    must(json_check(source, BOUNDS.depth_max) == s);
    if (s == STATUS_OK) {
        must(utf16_valid_utf8(source));
        for (uint32_t i = 0; i < j.count; ++i) {
            check_token(&j, i);
            check_strings(&j, &a, i);
            must(json_has_duplicates(&j, &a, i, &twice) == STATUS_OK);
        }
        check_bounds(&j, &a, source);
        check_fixed_point(&j, &a);
    }
    arena_free(&a);
    return 0;
}
