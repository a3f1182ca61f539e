/* test_lex.c - the promises of core/lex.h, and vectors/lex.json.
 *
 * The radisk group of the vectors was asked of gun's storage engine, whose rows
 * are named soul, ESC, key; here such a row is one name. The engine answers a
 * prefix that is itself a row with that row alone, which is what brasa's "="
 * does; where such a query has bounds as well, see
 * bounds_behind_a_prefix_that_is_a_row_itself.
 */
#include "core/lex.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { NAMES_MOST = 64 };

static lex read_lex(vectors *v, uint32_t i)
{
    lex q;

    assert_int_equal(lex_read(&v->j, &v->memory, i, &q), STATUS_OK);
    return q;
}

static lex_range range_of(const lex *q, arena *a)
{
    lex_range r;

    assert_int_equal(lex_to_range(q, a, &r), STATUS_OK);
    return r;
}

/* ---- String.match */

static void string_match_answers_as_guns_does(void **state)
{
    vectors v;
    size_t cases = 0, no_string = 0;

    (void)state;
    vectors_open(&v, "lex.json");
    uint32_t list = vectors_at(&v, 0, "string_match");
    for (uint32_t i = vectors_first(list); vectors_in(&v, list, i); i = vectors_next(&v, i)) {
        uint32_t source = vectors_at(&v, i, "text"), query = vectors_at(&v, i, "lex");
        bool want = vectors_true(&v, vectors_at(&v, i, "match"));

        ++cases;
        if (v.j.tokens[source].type != JSON_STRING) {
            /* Names are strings by type here; gun says no to anything else. */
            assert_false(want);
            ++no_string;
            continue;
        }
        lex q = { 0 };
        if (v.j.tokens[query].type == JSON_STRING) {
            q = (lex){ .has_exact = true, .exact = vectors_name(&v, query) };
        } else {
            q = read_lex(&v, query);
        }
        if (lex_match(&q, vectors_name(&v, source)) != want) {
            fail_msg("%.*s", (int)json_raw(&v.j, i).len, json_raw(&v.j, i).at);
        }
    }
    assert_int_equal(cases, 62);
    assert_int_equal(no_string, 2);
    vectors_close(&v);
}

/* ---- what a store answers */

typedef struct rows {
    slice names[NAMES_MOST];
    size_t count;
} rows;

static void add_sorted(rows *r, slice name)
{
    size_t i = r->count++;

    for (; i > 0 && slice_order(r->names[i - 1], name) > 0; --i) r->names[i] = r->names[i - 1];
    r->names[i] = name;
}

static bool is_row(const rows *r, slice name)
{
    for (size_t i = 0; i < r->count; ++i) {
        if (slice_equal(r->names[i], name)) return true;
    }
    return false;
}

/* Walks the range as a store does that can answer one row a time. */
static size_t walk(const rows *r, lex_range range, slice *out)
{
    size_t found = 0, i;

    for (bool more = true; more;) {
        more = false;
        for (i = 0; i < r->count && !more; ++i) {
            slice name = r->names[range.backwards ? r->count - 1 - i : i];
            if (!lex_range_has(&range, name)) continue;
            out[found++] = name;
            range = lex_range_after(&range, name);
            more = true;
        }
    }
    assert_true(found <= r->count);
    return found;
}

static void stored_rows(vectors *v, rows *out)
{
    uint32_t stored = vectors_at(v, vectors_at(v, 0, "radisk"), "stored");

    out->count = 0;
    for (uint32_t i = vectors_first(stored); vectors_in(v, stored, i); i = vectors_next(v, i)) {
        add_sorted(out, vectors_name(v, vectors_at(v, i, "stored_key")));
    }
    assert_int_equal(out->count, 18);
}

static lex query_of(vectors *v, uint32_t i, const rows *r)
{
    uint32_t opt = vectors_at(v, i, "opt");
    slice prefix = vectors_name(v, vectors_at(v, i, "prefix"));
    lex q = { .has_prefix = true, .prefix = prefix };

    if (is_row(r, prefix)) {
        q.has_exact = true;
        q.exact = prefix;
    }
    if (vectors_has(v, opt, "start")) {
        q.has_from = true;
        q.from = vectors_name(v, vectors_at(v, opt, "start"));
    }
    if (vectors_has(v, opt, "end")) {
        q.has_to = true;
        q.to = vectors_name(v, vectors_at(v, opt, "end"));
    }
    q.backwards = vectors_has(v, opt, "reverse");
    return q;
}

static void ranges_answer_as_guns_storage_engine_does(void **state)
{
    vectors v;
    rows r;
    size_t asked = 0, left_out = 0;

    (void)state;
    vectors_open(&v, "lex.json");
    stored_rows(&v, &r);
    uint32_t list = vectors_at(&v, vectors_at(&v, 0, "radisk"), "queries");
    for (uint32_t i = vectors_first(list); vectors_in(&v, list, i); i = vectors_next(&v, i)) {
        slice got[NAMES_MOST];
        lex q = query_of(&v, i, &r);
        uint32_t keys = vectors_at(&v, i, "keys"), k = vectors_first(keys);

        if (q.has_exact && (q.has_from || q.has_to)) {
            ++left_out;
            continue;
        }
        size_t found = walk(&r, range_of(&q, &v.memory), got);
        assert_int_equal(found, vectors_count(&v, keys));
        for (size_t n = 0; n < found; ++n, k = vectors_next(&v, k)) {
            assert_slice(got[n], vectors_name(&v, k));
        }
        ++asked;
    }
    assert_int_equal(asked, 23);
    assert_int_equal(left_out, 1);
    vectors_close(&v);
}

/* The one query left out above: prefix "a" from "b", where "a" is a row. gun's
 * engine stops at the row "a" and finds nothing; brasa compares what follows the
 * prefix, there as everywhere (protocol.md 4.1), and finds "ab" and "abc". */
static void bounds_behind_a_prefix_that_is_a_row_itself(void **state)
{
    vectors v;
    rows r;
    slice got[NAMES_MOST];
    lex q = { .has_prefix = true,
              .prefix = SLICE("n\x1B"
                              "a"),
              .has_from = true,
              .from = SLICE("b") };

    (void)state;
    vectors_open(&v, "lex.json");
    stored_rows(&v, &r);
    assert_true(is_row(&r, q.prefix));
    assert_int_equal(walk(&r, range_of(&q, &v.memory), got), 2);
    assert_slice(got[0], SLICE("n\x1B"
                               "ab"));
    assert_slice(got[1], SLICE("n\x1B"
                               "abc"));
    vectors_close(&v);
}

/* ---- reading */

static void a_query_is_read_as_it_stands(void **state)
{
    vectors v;

    (void)state;
    vectors_read(&v,
                 SLICE("{\"*\":\"2024\\/\",\">\":\"a\",\"<\":\"\",\"-\":1,\"%\":5000,\"x\":1}"));
    lex q = read_lex(&v, 0);
    assert_false(q.has_exact);
    assert_true(q.has_prefix && q.has_from && q.has_to && q.backwards);
    assert_false(q.odd);
    assert_slice(q.prefix, SLICE("2024/"));
    assert_slice(q.from, SLICE("a"));
    assert_slice(q.to, SLICE(""));
    assert_true(q.limit == 5000);
    vectors_close(&v);
}

static void members_of_another_type_are_ignored(void **state)
{
    vectors v;

    (void)state;
    vectors_read(&v, SLICE("{\"*\":5,\">\":null,\"<\":{},\"=\":[],\"-\":0,\"%\":\"many\"}"));
    lex q = read_lex(&v, 0);
    assert_false(q.has_exact || q.has_prefix || q.has_from || q.has_to || q.backwards);
    assert_true(q.odd);
    assert_true(q.limit == 0);
    lex_range r = range_of(&q, &v.memory);
    assert_true(lex_range_has(&r, SLICE("anything")));
    assert_false(lex_match(&q, SLICE("anything")));
    vectors_close(&v);
}

static void a_limit_is_a_positive_number_or_none(void **state)
{
    static const struct {
        const char *query;
        double limit;
    } cases[] = {
        { "{\"%\":0.5}", 0.5 }, { "{\"%\":-5}", 0 }, { "{\"%\":1e400}", 0 },
        { "{\"%\":1e9}", 1e9 }, { "{\"%\":0}", 0 },  { "{}", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        vectors v;
        vectors_read(&v, (slice){ cases[i].query, strlen(cases[i].query) });
        assert_true(read_lex(&v, 0).limit == cases[i].limit);
        vectors_close(&v);
    }
}

static void backwards_is_what_javascript_takes_for_true(void **state)
{
    static const struct {
        const char *query;
        bool backwards;
    } cases[] = {
        { "{\"-\":1}", true },     { "{\"-\":-1}", true },     { "{\"-\":true}", true },
        { "{\"-\":\"x\"}", true }, { "{\"-\":{}}", true },     { "{\"-\":1e400}", true },
        { "{\"-\":0}", false },    { "{\"-\":-0.0}", false },  { "{\"-\":\"\"}", false },
        { "{\"-\":null}", false }, { "{\"-\":false}", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        vectors v;
        vectors_read(&v, (slice){ cases[i].query, strlen(cases[i].query) });
        assert_int_equal(read_lex(&v, 0).backwards, cases[i].backwards);
        vectors_close(&v);
    }
}

/* ---- edges of the interval */

static void no_members_and_an_empty_prefix_ask_for_everything(void **state)
{
    arena a = arena_make(1 << 16);
    lex none = { 0 }, empty = { .has_prefix = true };
    lex_range r[2];

    (void)state;
    r[0] = range_of(&none, &a);
    r[1] = range_of(&empty, &a);
    for (int i = 0; i < 2; ++i) {
        assert_true(lex_range_has(&r[i], SLICE("")));
        assert_true(lex_range_has(&r[i], SLICE("\xEF\xBF\xBF\xEF\xBF\xBF")));
    }
    arena_free(&a);
}

static void a_prefix_ends_where_no_name_begins_with_it(void **state)
{
    arena a = arena_make(1 << 16);
    static const char last[] = "p\xEF\xBF\xBF";
    lex q = { .has_prefix = true, .prefix = { last, 4 } };

    (void)state;
    lex_range r = range_of(&q, &a);
    assert_true(lex_range_has(&r, SLICE("p\xEF\xBF\xBF")));
    assert_true(lex_range_has(&r, SLICE("p\xEF\xBF\xBF\xEF\xBF\xBF\xEF\xBF\xBF")));
    assert_false(lex_range_has(&r, SLICE("p\xEF\xBF\xBE")));
    assert_false(lex_range_has(&r, SLICE("q")));
    /* Half of a character is a prefix of it, as in JavaScript. */
    lex half = { .has_prefix = true, .prefix = SLICE("\xED\xA0\xBD") };
    r = range_of(&half, &a);
    assert_true(lex_range_has(&r, SLICE("\xED\xA0\xBD\xED\xB8\x80")));
    assert_false(lex_range_has(&r, SLICE("\xEE\x80\x80")));
    arena_free(&a);
}

static void bounds_beside_a_prefix_compare_with_what_follows_it(void **state)
{
    arena a = arena_make(1 << 16);
    lex q = { .has_prefix = true, .prefix = SLICE("k1"), .has_from = true, .from = SLICE("k15") };
    lex digits = { .has_prefix = true,
                   .prefix = SLICE("k1"),
                   .has_from = true,
                   .from = SLICE("5"),
                   .has_to = true,
                   .to = SLICE("7") };
    char key[] = "k10";

    (void)state;
    lex_range none = range_of(&q, &a), some = range_of(&digits, &a);
    for (char c = '0'; c <= '9'; ++c) {
        key[2] = c;
        assert_false(lex_range_has(&none, SLICE("k15")));
        assert_int_equal(lex_range_has(&some, (slice){ key, 3 }), c >= '5' && c <= '7');
    }
    arena_free(&a);
}

static void a_range_that_asks_for_nothing_says_so(void **state)
{
    arena a = arena_make(1 << 16);
    lex crossed = { .has_from = true, .from = SLICE("b"), .has_to = true, .to = SLICE("a") };
    lex one = { .has_exact = true, .exact = SLICE("b") };

    (void)state;
    lex_range r = range_of(&crossed, &a);
    assert_true(r.empty);
    assert_false(lex_range_has(&r, SLICE("a")));
    r = range_of(&one, &a);
    assert_false(r.empty);
    assert_true(lex_range_has(&r, SLICE("b")));
    assert_false(lex_range_has(&r, SLICE("ba")));
    assert_true(lex_range_after(&r, SLICE("b")).empty);
    arena_free(&a);
}

static void the_rest_of_a_range_never_grows(void **state)
{
    arena a = arena_make(1 << 16);
    lex q = { .has_from = true, .from = SLICE("d"), .has_to = true, .to = SLICE("m") };

    (void)state;
    lex_range r = range_of(&q, &a);
    assert_slice(lex_range_after(&r, SLICE("a")).from, SLICE("d"));
    assert_false(lex_range_after(&r, SLICE("a")).from_open);
    assert_true(lex_range_after(&r, SLICE("z")).empty);
    r.backwards = true;
    assert_slice(lex_range_after(&r, SLICE("z")).to, SLICE("m"));
    assert_true(lex_range_after(&r, SLICE("a")).empty);
    r = lex_range_after(&r, SLICE("g"));
    assert_true(r.to_open);
    assert_false(lex_range_has(&r, SLICE("g")));
    assert_true(lex_range_has(&r, SLICE("f")));
    arena_free(&a);
}

static void a_full_arena_makes_no_range(void **state)
{
    arena small = arena_make(16);
    static const char prefix[] = "a prefix that is longer than the arena";
    lex q = { .has_prefix = true, .prefix = { prefix, sizeof prefix - 1 } };
    lex_range r;

    (void)state;
    assert_int_equal(lex_to_range(&q, &small, &r), STATUS_TOO_BIG);
    q.has_from = true;
    q.from = SLICE("x");
    assert_int_equal(lex_to_range(&q, &small, &r), STATUS_TOO_BIG);
    arena_free(&small);
}

/* ---- every query over a small alphabet, against the words of the rule */

static slice word(size_t n, char *out)
{
    static const char letters[] = "ab~";
    size_t len = 0;

    for (; n > 0; n = (n - 1) / 3) out[len++] = letters[(n - 1) % 3];
    return (slice){ out, len };
}

static bool asks_for(const lex *q, slice name)
{
    if (q->has_exact) return slice_equal(name, q->exact);
    slice rest = name;
    if (q->has_prefix) {
        if (!slice_begins(name, q->prefix)) return false;
        rest = (slice){ name.at + q->prefix.len, name.len - q->prefix.len };
    }
    if (q->has_from && slice_order(rest, q->from) < 0) return false;
    return !q->has_to || q->to.len == 0 || slice_order(rest, q->to) <= 0;
}

static void every_small_query_means_what_the_rule_says(void **state)
{
    enum { WORDS = 13 };
    char memory[4][8], spelled[8];

    (void)state;
    for (unsigned has = 0; has < 16; ++has) {
        for (size_t n = 0; n < WORDS * WORDS * WORDS; ++n) {
            arena a = arena_make(1 << 16);
            lex q = { .has_exact = has & 1,
                      .has_prefix = has & 2,
                      .has_from = has & 4,
                      .has_to = has & 8,
                      .exact = word(n % 7, memory[0]),
                      .prefix = word(n % WORDS, memory[1]),
                      .from = word(n / WORDS % WORDS, memory[2]),
                      .to = word(n / WORDS / WORDS, memory[3]) };
            lex_range r = range_of(&q, &a);
            for (size_t i = 0; i < 120; ++i) {
                slice name = word(i, spelled);
                if (lex_range_has(&r, name) != asks_for(&q, name)) {
                    fail_msg("query %u/%zu, name %.*s", has, n, (int)name.len, name.at);
                }
            }
            arena_free(&a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(string_match_answers_as_guns_does),
        cmocka_unit_test(ranges_answer_as_guns_storage_engine_does),
        cmocka_unit_test(bounds_behind_a_prefix_that_is_a_row_itself),
        cmocka_unit_test(a_query_is_read_as_it_stands),
        cmocka_unit_test(members_of_another_type_are_ignored),
        cmocka_unit_test(a_limit_is_a_positive_number_or_none),
        cmocka_unit_test(backwards_is_what_javascript_takes_for_true),
        cmocka_unit_test(no_members_and_an_empty_prefix_ask_for_everything),
        cmocka_unit_test(a_prefix_ends_where_no_name_begins_with_it),
        cmocka_unit_test(bounds_beside_a_prefix_compare_with_what_follows_it),
        cmocka_unit_test(a_range_that_asks_for_nothing_says_so),
        cmocka_unit_test(the_rest_of_a_range_never_grows),
        cmocka_unit_test(a_full_arena_makes_no_range),
        cmocka_unit_test(every_small_query_means_what_the_rule_says),
    };
    return cmocka_run_group_tests_name("lex", tests, NULL, NULL);
}
