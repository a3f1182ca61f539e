/* fuzz_value.c - every part of a document as a value, and two as two writes.
 *
 * What value_read() makes is canonical: reading it again lends it as it stands.
 * Links, weights and order keep their promises on whatever came out.
 */
#include "core/ham.h"
#include "core/number.h"
#include "core/utf16.h"
#include "tests/fuzz/fuzz.h"

enum { VALUES_MOST = 12 };
static const json_bounds BOUNDS = { .depth_max = 16, .tokens_max = 4096 };

static void check_again(arena *a, slice value)
{
    slice again;
    json j;

    must(json_read(&j, a, value, &BOUNDS) == STATUS_OK);
    must(value_read(&j, a, 0, &again) == STATUS_OK);
    must(again.at == value.at && again.len == value.len);
}

static void check_parts(arena *a, const json *j, uint32_t i, slice value)
{
    text printed = { 0 };
    slice soul;
    status s = value_link(value, a, &soul);

    must((s == STATUS_OK) == (j->tokens[i].type == JSON_OBJECT));
    must(value_weight(value) >= 1);
    if (s == STATUS_OK) {
        must(soul.len > 0);
        text_add(&printed, SLICE("{\"#\":"));
        json_print_name(&printed, soul);
        text_add(&printed, SLICE("}"));
        must(slice_equal(text_slice(&printed), value));
    }
    if (j->tokens[i].type == JSON_STRING) {
        must(json_name(j, a, i, &soul) == STATUS_OK);
        json_print_name(&printed, soul);
        must(slice_equal(text_slice(&printed), value));
        must(soul.len == 0 || value_weight(value) == utf16_length(soul));
    }
    text_free(&printed);
}

static void check_number(slice raw, slice value)
{
    double x, y;

    must(number_read(raw, &x) && number_read(value, &y) && x == y);
}

/* Of three writes, any order of arrival keeps the same. */
static void check_writes(const ham_write *w)
{
    const ham_write *first = NULL;
    static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

    for (int o = 0; o < 6; ++o) {
        const ham_write *held = NULL;
        for (int k = 0; k < 3; ++k) {
            const ham_write *next = &w[orders[o][k]];
            if (ham_judge(held, next, 1e300) == HAM_TAKE) held = next;
        }
        if (first == NULL) first = held;
        must(held->state == first->state && slice_equal(held->value, first->value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a = arena_make(SIZE_MAX / 4);
    ham_write writes[VALUES_MOST];
    size_t count = 0;
    json j;

    if (json_read(&j, &a, (slice){ (const char *)data, size }, &BOUNDS) != STATUS_OK) goto out;
    for (uint32_t i = 0; i < j.count && count < VALUES_MOST; ++i) {
        slice value;
        if (value_read(&j, &a, i, &value) != STATUS_OK) continue;
        check_again(&a, value);
        check_parts(&a, &j, i, value);
        if (j.tokens[i].type == JSON_NUMBER) check_number(json_raw(&j, i), value);
        writes[count] = (ham_write){ (double)(value.len % 3), value };
        ++count;
    }
    for (size_t i = 2; i < count; ++i) check_writes(&writes[i - 2]);
out:
    arena_free(&a);
    return 0;
}
