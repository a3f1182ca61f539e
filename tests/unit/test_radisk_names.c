/* test_radisk_names.c - names on disk: every name its own row, in JavaScript's
 * order, forwards and backwards, at every length. */
#include "tests/unit/radisk_kit.h"

#include "radisk/layout.h"

#include <string.h>

/* Names that are near each other, or near a boundary of the layout. */
typedef struct names {
    slice at[64];
    size_t count;
    char bytes[64][4096];
} names;

static void add(names *n, slice name)
{
    assert_true(n->count < 64 && name.len <= sizeof n->bytes[0]);
    memcpy(n->bytes[n->count], name.at, name.len);
    n->at[n->count] = (slice){ n->bytes[n->count], name.len };
    n->count++;
}

/* `len` times one byte, then the end. */
static void add_long(names *n, char byte, size_t len, const char *end)
{
    char *at = n->bytes[n->count];
    size_t more = strlen(end);

    assert_true(n->count < 64 && len + more <= sizeof n->bytes[0]);
    memset(at, byte, len);
    memcpy(at + len, end, more);
    n->at[n->count++] = (slice){ at, len + more };
}

/* In no order; CESU-8, and some that no name can be, for they must not matter. */
static void fill(names *n)
{
    n->count = 0;
    add(n, SLICE("b"));
    add(n, SLICE("a"));
    add(n, SLICE("a\0"));
    add(n, SLICE("a\0b"));
    add(n, SLICE("\0"));
    add(n, SLICE("\x1b"));
    add(n, SLICE("a\x1b"
                 "b"));
    add(n, SLICE("\xff"));
    add(n, SLICE("\xff\xff"));
    add(n, SLICE("\xed\xa0\x80\xed\xb0\x80")); /* U+10000 as its two surrogates */
    add(n, SLICE("\xee\x80\x80"));             /* U+E000: after it, by UTF-16 unit */
    add(n, SLICE("\xef\xbf\xbf"));             /* U+FFFF */
    add(n, SLICE("\xed\xa0\x80"));             /* a lone surrogate */
    add_long(n, 'l', 439, "");
    add_long(n, 'l', 440, "");
    add_long(n, 'l', 441, "");
    add_long(n, 'l', 440, "z");
    add_long(n, 'l', 440, "a");
    add_long(n, 'l', 440, "b");
    add_long(n, 'l', 440, "ba");
    add_long(n, 'l', 471, "");
    add_long(n, 'l', 472, "");
    add_long(n, 'l', 473, "");
    add_long(n, 'l', 440, "\xed\xa0\x80\xed\xb0\x80");
    add_long(n, 'l', 440, "\xee\x80\x80");
    add_long(n, 'l', 439, "m");
    add_long(n, 'l', 439, "mm");
    add_long(n, 'l', 4000, "");
    add_long(n, 'l', 4000, "q");
    add_long(n, '\xff', 440, "");
    add_long(n, '\xff', 472, "");
    add_long(n, '\xff', 473, "");
    add_long(n, '\xff', 2000, "");
    add_long(n, '\0', 440, "");
    add_long(n, '\0', 441, "");
    add_long(n, '\0', 472, "");
    add_long(n, 'm', 440, "");
    add_long(n, 'k', 3000, "");
    /* A short name that looks as a long one is stored. */
    layout_key k;
    layout_soul_key(&k, n->at[n->count - 1]);
    add(n, layout_key_slice(&k));
}

static int in_order(const void *a, const void *b)
{
    return slice_order(*(const slice *)a, *(const slice *)b);
}

static void sort(names *n)
{
    qsort(n->at, n->count, sizeof n->at[0], in_order);
}

static char value_of(size_t i)
{
    return (char)('0' + i % 10);
}

/* Puts every name as a key of "s", and as a soul, half of them first. */
static void put_all(kit *k, const names *n, size_t from, size_t step)
{
    for (size_t i = from; i < n->count; i += step) {
        char value = value_of(i);
        graph_write key = {
            .soul = SLICE("s"), .key = n->at[i], .value = { &value, 1 }, .state = 1
        };
        graph_write soul = {
            .soul = n->at[i], .key = SLICE("k"), .value = { &value, 1 }, .state = 1
        };
        kit_merge(k, &key, 1, 10);
        kit_merge(k, &soul, 1, 10);
    }
}

typedef struct found {
    const names *names;
    size_t at[80];
    size_t count;
    bool souls;
} found;

static bool note(void *visitor, const graph_row *row)
{
    found *f = visitor;
    slice name = f->souls ? row->soul : row->key;

    if (f->souls && slice_equal(name, SLICE("s"))) return true;
    for (size_t i = 0; i < f->names->count; i++) {
        if (!slice_equal(f->names->at[i], name)) continue;
        if (!f->souls) assert_int_equal(row->value.at[0], value_of(i));
        f->at[f->count++] = i;
        return true;
    }
    fail_msg("a name that nobody wrote");
    return false;
}

/* Whether a scan of the range gives just the names that lex_range_has(). */
static void check_range(kit *k, const names *n, const lex_range *range)
{
    for (int souls = 0; souls < 2; souls++) {
        found f = { .names = n, .souls = souls != 0 };
        status s = souls ? k->graph->souls(k->graph->context, range, note, &f)
                         : k->graph->scan(k->graph->context, SLICE("s"), range, note, &f);
        assert_int_equal(s, STATUS_OK);
        size_t seen = 0;
        for (size_t j = 0; j < n->count; j++) {
            size_t i = range->backwards ? n->count - 1 - j : j;
            if (!lex_range_has(range, n->at[i])) continue;
            assert_true(seen < f.count);
            assert_int_equal(f.at[seen++], i);
        }
        assert_int_equal(seen, f.count);
    }
}

/* All bounds, open and closed, both ways. */
static void check_all_ranges(kit *k, const names *n)
{
    for (unsigned kind = 0; kind < 16; kind++) {
        for (size_t a = 0; a < n->count; a += 1) {
            lex_range range = { .from = n->at[a],
                                .from_open = kind & 1,
                                .to_open = kind & 2,
                                .backwards = kind & 4,
                                .has_to = kind & 8 };
            if (!range.has_to) {
                check_range(k, n, &range);
                continue;
            }
            for (size_t b = a; b < n->count; b += 5) {
                range.to = n->at[b];
                check_range(k, n, &range);
            }
        }
    }
    for (size_t b = 0; b < n->count; b++) {
        lex_range range = { .to = n->at[b], .has_to = true };
        check_range(k, n, &range);
        range.backwards = true;
        check_range(k, n, &range);
        range.to_open = true;
        check_range(k, n, &range);
    }
    check_range(k, n, &kit_all);
    check_range(k, n, &kit_all_backwards);
}

static void names_are_in_order_in_the_overlay(void **state)
{
    kit *k = *state;
    names *n = malloc(sizeof *n);

    fill(n);
    sort(n);
    kit_open(k);
    put_all(k, n, 0, 1);
    check_all_ranges(k, n);
    free(n);
}

static void names_are_in_order_on_disk(void **state)
{
    kit *k = *state;
    names *n = malloc(sizeof *n);

    fill(n);
    sort(n);
    kit_open(k);
    put_all(k, n, 0, 1);
    kit_reopen(k);
    check_all_ranges(k, n);
    free(n);
}

static void names_are_in_order_when_both_have_some(void **state)
{
    kit *k = *state;
    names *n = malloc(sizeof *n);

    fill(n);
    sort(n);
    kit_open(k);
    put_all(k, n, 0, 2);
    kit_settle(k);
    put_all(k, n, 1, 2);
    put_all(k, n, 0, 3);
    check_all_ranges(k, n);
    free(n);
}

static void no_name_is_taken_for_another(void **state)
{
    kit *k = *state;
    names *n = malloc(sizeof *n);

    fill(n);
    kit_open(k);
    for (size_t i = 0; i < n->count; i++) {
        graph_row row;
        for (size_t j = i; j < n->count; j++)
            assert_int_equal(k->graph->look(k->graph->context, SLICE("s"), n->at[j], &row),
                             STATUS_NOT_FOUND);
        char value = value_of(i);
        graph_write w = { .soul = SLICE("s"), .key = n->at[i], .value = { &value, 1 }, .state = 1 };
        graph_write x = { .soul = n->at[i], .key = SLICE("k"), .value = { &value, 1 }, .state = 1 };
        kit_merge(k, &w, 1, 10);
        kit_merge(k, &x, 1, 10);
        if (i % 7 == 0) kit_settle(k);
    }
    kit_reopen(k);
    for (size_t i = 0; i < n->count; i++) {
        graph_row row;
        assert_int_equal(k->graph->look(k->graph->context, SLICE("s"), n->at[i], &row), STATUS_OK);
        assert_int_equal(row.value.at[0], value_of(i));
        assert_int_equal(k->graph->look(k->graph->context, n->at[i], SLICE("k"), &row), STATUS_OK);
        assert_int_equal(row.value.at[0], value_of(i));
    }
    assert_int_equal(kit_stats(k).rows, 2 * n->count);
    free(n);
}

static void a_name_may_have_64_kilobytes(void **state)
{
    kit *k = *state;
    size_t len = 64 * 1024;
    char *big = malloc(len);
    graph_row row;

    memset(big, 'n', len);
    slice name = { big, len }, shorter = { big, len - 1 };
    graph_write w[2] = { { .soul = name, .key = name, .value = SLICE("1"), .state = 1 },
                         { .soul = name, .key = shorter, .value = SLICE("2"), .state = 1 } };
    kit_open(k);
    kit_merge(k, w, 2, 10);
    kit_reopen(k);
    assert_int_equal(k->graph->look(k->graph->context, name, name, &row), STATUS_OK);
    assert_true(slice_equal(row.value, SLICE("1")));
    assert_int_equal(k->graph->look(k->graph->context, name, shorter, &row), STATUS_OK);
    assert_true(slice_equal(row.value, SLICE("2")));
    assert_int_equal(k->graph->look(k->graph->context, shorter, name, &row), STATUS_NOT_FOUND);
    free(big);
}

typedef struct sequence {
    size_t count;
    char last[512];
    size_t last_len;
    bool backwards;
} sequence;

static bool follows(void *visitor, const graph_row *row)
{
    sequence *s = visitor;
    int order = slice_order(row->key, (slice){ s->last, s->last_len });

    assert_true(s->count == 0 || (s->backwards ? order < 0 : order > 0));
    memcpy(s->last, row->key.at, row->key.len);
    s->last_len = row->key.len;
    s->count++;
    return true;
}

/* Many names with the same first 440 bytes: their order on disk is the order of
 * their hashes, and a scan must mend it. */
static void a_large_group_of_long_names_is_sorted(void **state)
{
    kit *k = *state;
    char name[512];

    kit_open(k);
    memset(name, 'g', 440);
    for (int i = 0; i < 1000; i++) {
        int len = 440 + snprintf(name + 440, 32, "%d", i * 7919 % 1000);
        graph_write w = {
            .soul = SLICE("s"), .key = { name, (size_t)len }, .value = SLICE("1"), .state = 1
        };
        kit_merge(k, &w, 1, 10);
    }
    kit_reopen(k);
    for (int back = 0; back < 2; back++) {
        sequence seen = { .backwards = back != 0 };
        lex_range range = { .backwards = back != 0 };
        assert_int_equal(k->graph->scan(k->graph->context, SLICE("s"), &range, follows, &seen),
                         STATUS_OK);
        assert_int_equal(seen.count, 1000);
    }
}

static void an_empty_range_gives_nothing(void **state)
{
    kit *k = *state;
    lex_range empty = { .empty = true };

    kit_open(k);
    kit_put(k, "s", "a", "1", 1);
    assert_string_equal(kit_keys(k, "s", &empty), "");
    assert_string_equal(kit_souls(k, &empty), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(names_are_in_order_in_the_overlay),      TEST(names_are_in_order_on_disk),
        TEST(names_are_in_order_when_both_have_some), TEST(no_name_is_taken_for_another),
        TEST(a_name_may_have_64_kilobytes),           TEST(a_large_group_of_long_names_is_sorted),
        TEST(an_empty_range_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
