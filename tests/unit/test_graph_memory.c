/* test_graph_memory.c - the promises of graph.h, kept by the graph on the heap. */
#include "core/graph_memory.h"
#include "tests/unit/failing.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
#include <cmocka.h>
// clang-format on

static const lex_range everything = { 0 };

static graph_memory_options roomy(bool delayed)
{
    return (graph_memory_options){
        .secret = { 9 }, .bytes_max = 1 << 20, .held_max = 100, .delayed = delayed
    };
}

static graph_memory *make(graph_memory_options options)
{
    graph_memory *g;

    assert_int_equal(graph_memory_new(&g, &options), STATUS_OK);
    return g;
}

static slice text_slice_of(const char *s)
{
    return (slice){ s, strlen(s) };
}

static graph_write w(const char *soul, const char *key, const char *value, double state)
{
    return (graph_write){
        .soul = text_slice_of(soul),
        .key = text_slice_of(key),
        .value = text_slice_of(value),
        .state = state,
    };
}

static moment at(double ms)
{
    return (moment){ ms, (int64_t)ms };
}

static graph_ticket merge(graph_memory *g, graph_write *writes, size_t count, double now)
{
    graph *t = graph_memory_table(g);
    graph_ticket ticket = { 99 };

    assert_int_equal(t->merge(t->context, writes, count, at(now), &ticket), STATUS_OK);
    return ticket;
}

static ham_verdict put(graph_memory *g, const char *soul, const char *key, const char *value,
                       double state)
{
    graph_write one = w(soul, key, value, state);

    merge(g, &one, 1, 1000);
    return one.verdict;
}

/* All that can be read, as one text. */
typedef struct reading {
    char text[4096];
    size_t len;
    graph *of;
} reading;

static bool read_row(void *visitor, const graph_row *row)
{
    reading *r = visitor;

    r->len += (size_t)snprintf(r->text + r->len, sizeof r->text - r->len, "%.*s.%.*s=%.*s@%g ",
                               (int)row->soul.len, row->soul.at, (int)row->key.len, row->key.at,
                               (int)row->value.len, row->value.at, row->state);
    assert_true(r->len < sizeof r->text);
    return true;
}

static bool read_soul(void *visitor, const graph_row *row)
{
    reading *r = visitor;

    assert_int_equal(r->of->scan(r->of->context, row->soul, &everything, read_row, r), STATUS_OK);
    return true;
}

static const char *dump(graph_memory *g)
{
    static reading r; /* lent until the next call */

    r.len = 0;
    r.text[0] = 0;
    r.of = graph_memory_table(g);
    assert_int_equal(r.of->souls(r.of->context, &everything, read_soul, &r), STATUS_OK);
    return r.text;
}

static const char *due(graph_memory *g, double now, size_t most)
{
    static reading r;
    graph *t = graph_memory_table(g);

    r.len = 0;
    r.text[0] = 0;
    assert_int_equal(t->due(t->context, at(now), most, read_row, &r), STATUS_OK);
    return r.text;
}

static graph_state settled(graph_memory *g, graph_ticket ticket)
{
    graph *t = graph_memory_table(g);
    graph_progress p;

    t->progress(t->context, &p);
    return graph_settled(ticket, &p);
}

static void the_newest_write_of_a_key_stays_as_ham_judges(void **state)
{
    (void)state;
    graph_memory *g = make(roomy(false));
    graph *t = graph_memory_table(g);
    graph_row row;

    assert_int_equal(put(g, "s", "k", "\"b\"", 10), HAM_TAKE);
    assert_int_equal(put(g, "s", "k", "\"a\"", 9), HAM_KEEP);
    assert_int_equal(put(g, "s", "k", "\"a\"", 10), HAM_KEEP);
    assert_int_equal(put(g, "s", "k", "\"b\"", 10), HAM_SAME);
    assert_int_equal(put(g, "s", "k", "5", 10), HAM_TAKE);
    assert_int_equal(put(g, "s", "l", "null", -3.5), HAM_TAKE);
    assert_string_equal(dump(g), "s.k=5@10 s.l=null@-3.5 ");
    assert_int_equal(t->look(t->context, SLICE("s"), SLICE("k"), &row), STATUS_OK);
    assert_true(slice_equal(row.value, SLICE("5")) && row.state == 10);
    assert_int_equal(t->look(t->context, SLICE("s"), SLICE("x"), &row), STATUS_NOT_FOUND);
    assert_int_equal(t->look(t->context, SLICE("x"), SLICE("k"), &row), STATUS_NOT_FOUND);
    assert_int_equal(graph_memory_rows(g), 2);
    graph_memory_free(g);
}

static void two_writes_to_one_key_in_one_merge_are_judged_in_order(void **state)
{
    (void)state;
    graph_memory *g = make(roomy(false));
    graph_write two[] = { w("s", "k", "1", 5), w("s", "k", "0", 4), w("s", "k", "2", 5) };

    merge(g, two, 3, 1000);
    assert_int_equal(two[0].verdict, HAM_TAKE);
    assert_int_equal(two[1].verdict, HAM_KEEP);
    assert_int_equal(two[2].verdict, HAM_TAKE);
    assert_string_equal(dump(g), "s.k=2@5 ");
    graph_memory_free(g);
}

static void a_write_from_the_future_waits_and_comes_due_once(void **state)
{
    (void)state;
    graph_memory *g = make(roomy(false));
    graph *t = graph_memory_table(g);

    assert_true(isinf(t->next_due(t->context)));
    assert_int_equal(put(g, "s", "b", "2", 3000), HAM_WAIT);
    assert_int_equal(put(g, "s", "a", "1", 2000.5), HAM_WAIT);
    assert_int_equal(put(g, "s", "a", "1", 2000.5), HAM_WAIT); /* the same once more */
    assert_string_equal(dump(g), "");
    assert_true(t->next_due(t->context) == 2000.5);
    assert_string_equal(due(g, 2000, 10), "");
    assert_string_equal(due(g, 2000.5, 10), "s.a=1@2000.5 ");
    assert_string_equal(due(g, 5000, 10), "s.b=2@3000 ");
    assert_string_equal(due(g, 5000, 10), "");
    assert_true(isinf(t->next_due(t->context)));
    assert_string_equal(dump(g), "s.a=1@2000.5 s.b=2@3000 ");
    graph_memory_free(g);
}

static void what_comes_due_is_judged_against_what_is_held_by_then(void **state)
{
    (void)state;
    graph_memory *g = make(roomy(false));
    graph_write later = w("s", "k", "9", 3000);

    put(g, "s", "k", "1", 2000);
    put(g, "s", "l", "1", 2000);
    merge(g, &later, 1, 3000); /* overtakes the held one */
    assert_string_equal(due(g, 3000, 10), "s.l=1@2000 ");
    assert_string_equal(dump(g), "s.k=9@3000 s.l=1@2000 ");
    graph_memory_free(g);
}

static void held_writes_come_in_the_order_of_their_states_and_a_few_at_a_time(void **state)
{
    (void)state;
    graph_memory *g = make(roomy(false));

    put(g, "s", "k", "1", 1e9);
    put(g, "s", "k", "2", 1e9 - 0.25);
    put(g, "r", "k", "3", 4e15);
    put(g, "s", "k", "0", 1e9); /* loses against the 1 of the same state, at once */
    put(g, "s", "k", "7", 1e9);
    assert_string_equal(due(g, 1e16, 1), "s.k=2@1e+09 ");
    assert_string_equal(due(g, 1e16, 1), "s.k=7@1e+09 ");
    assert_string_equal(due(g, 1e16, 1), "r.k=3@4e+15 ");
    graph_memory_free(g);
}

static bool stop(void *visitor, const graph_row *row)
{
    (void)row;
    ++*(int *)visitor;
    return false;
}

static void a_visitor_that_stops_leaves_the_rest_for_later(void **state)
{
    (void)state;
    graph_memory *g = make(roomy(false));
    graph *t = graph_memory_table(g);
    int seen = 0;

    put(g, "s", "a", "1", 2000);
    put(g, "s", "b", "1", 2000);
    assert_int_equal(t->due(t->context, at(2000), 10, stop, &seen), STATUS_OK);
    assert_int_equal(seen, 1);
    assert_int_equal(t->scan(t->context, SLICE("s"), &everything, stop, &seen), STATUS_OK);
    assert_int_equal(seen, 2);
    assert_string_equal(due(g, 2000, 10), "s.b=1@2000 ");
    graph_memory_free(g);
}

static void a_merge_over_a_bound_leaves_no_trace(void **state)
{
    (void)state;
    graph_memory_options options = roomy(false);
    options.held_max = 1;
    options.bytes_max = 2000;
    graph_memory *g = make(options);
    graph *t = graph_memory_table(g);
    graph_ticket ticket;
    char big[3000];

    put(g, "s", "k", "1", 10);
    size_t bytes = graph_memory_bytes(g);
    graph_write held[] = { w("s", "k", "2", 20), w("n", "k", "2", 20), w("s", "k", "3", 2000),
                           w("s", "k", "3", 3000) };
    assert_int_equal(t->merge(t->context, held, 4, at(1000), &ticket), STATUS_TOO_BIG);
    assert_string_equal(dump(g), "s.k=1@10 ");
    assert_true(isinf(t->next_due(t->context)));
    assert_int_equal(graph_memory_bytes(g), bytes);

    memset(big, '1', sizeof big);
    big[sizeof big - 1] = 0;
    graph_write large[] = { w("s", "k", "2", 20), w("s", "l", big, 20) };
    assert_int_equal(t->merge(t->context, large, 2, at(1000), &ticket), STATUS_NO_SPACE);
    assert_string_equal(dump(g), "s.k=1@10 ");
    assert_int_equal(graph_memory_bytes(g), bytes);
    graph_memory_free(g);
}

static void a_full_graph_still_takes_what_makes_it_smaller(void **state)
{
    (void)state;
    graph_memory_options options = roomy(false);
    graph_memory *g = make(options);
    put(g, "s", "k", "\"a long value that goes\"", 10);
    options.bytes_max = graph_memory_bytes(g);
    graph_memory_free(g);

    g = make(options);
    put(g, "s", "k", "\"a long value that goes\"", 10);
    assert_int_equal(put(g, "s", "k", "null", 11), HAM_TAKE);
    assert_string_equal(dump(g), "s.k=null@11 ");
    graph_memory_free(g);
}

static void a_ticket_waits_for_all_it_was_judged_against(void **state)
{
    (void)state;
    graph_memory *g = make(roomy(true));
    graph_write a = w("s", "k", "1", 10), stale = w("s", "k", "0", 9), b = w("s", "l", "1", 10);
    graph_write future = w("s", "m", "1", 5000);

    graph_ticket ta = merge(g, &a, 1, 1000), tb = merge(g, &b, 1, 1000);
    graph_ticket tstale = merge(g, &stale, 1, 1000), tsame = merge(g, &a, 1, 1000);
    graph_ticket tfuture = merge(g, &future, 1, 1000), tagain = merge(g, &future, 1, 1000);
    assert_int_equal(settled(g, ta), GRAPH_WAITING);
    assert_int_equal(settled(g, tb), GRAPH_WAITING);
    assert_int_equal(tstale.batch, ta.batch);
    assert_int_equal(tsame.batch, ta.batch);
    assert_true(tb.batch > ta.batch);
    assert_int_equal(tagain.batch, tfuture.batch);

    graph_memory_sync(g);
    assert_int_equal(settled(g, tfuture), GRAPH_SAFE);
    assert_int_equal(merge(g, &stale, 1, 1000).batch, 0);
    graph_memory_free(g);
}

static void a_graph_without_delay_settles_at_once(void **state)
{
    (void)state;
    graph_memory *g = make(roomy(false));
    graph_write a = w("s", "k", "1", 10);

    assert_int_equal(merge(g, &a, 1, 1000).batch, 0);
    graph_memory_free(g);
}

static void a_crash_goes_back_to_the_last_sync(void **state)
{
    (void)state;
    graph_memory *g = make(roomy(true));
    graph *t = graph_memory_table(g);

    put(g, "a", "k", "1", 10);
    put(g, "s", "k", "1", 10);
    put(g, "s", "h", "1", 2000);
    graph_memory_sync(g);
    char before[4096];
    strcpy(before, dump(g));
    size_t bytes = graph_memory_bytes(g);

    put(g, "s", "k", "2", 11);
    put(g, "s", "k", "3", 12);
    put(g, "z", "new", "3", 12);
    put(g, "z", "held", "3", 3000);
    assert_string_equal(due(g, 2500, 10), "s.h=1@2000 ");
    graph_memory_crash(g);
    assert_string_equal(dump(g), before);
    assert_int_equal(graph_memory_bytes(g), bytes);
    assert_int_equal(graph_memory_rows(g), 2);
    assert_true(t->next_due(t->context) == 2000); /* it comes due again: nobody knows of it */

    graph_write again = w("s", "k", "3", 12);
    graph_ticket ticket = merge(g, &again, 1, 1000);
    assert_int_equal(again.verdict, HAM_TAKE);
    assert_int_equal(settled(g, ticket), GRAPH_WAITING);
    graph_memory_sync(g);
    graph_memory_crash(g);
    assert_string_equal(dump(g), "a.k=1@10 s.k=3@12 ");
    graph_memory_free(g);
}

static void what_failed_is_written_anew_by_the_next_sync(void **state)
{
    (void)state;
    graph_memory *g = make(roomy(true));
    graph_write a = w("s", "k", "1", 10), same = a, b = w("s", "l", "1", 10);

    graph_ticket ta = merge(g, &a, 1, 1000);
    graph_memory_fail(g, STATUS_IO);
    assert_int_equal(settled(g, ta), GRAPH_FAILED);

    graph_ticket tsame = merge(g, &same, 1, 1000), tb = merge(g, &b, 1, 1000);
    assert_int_equal(settled(g, tsame), GRAPH_WAITING);
    assert_int_equal(settled(g, tb), GRAPH_WAITING);
    graph_memory_fail(g, STATUS_IO);
    assert_int_equal(settled(g, tsame), GRAPH_FAILED);
    tsame = merge(g, &same, 1, 1000);
    assert_int_equal(settled(g, tsame), GRAPH_WAITING);
    graph_memory_sync(g);
    assert_int_equal(settled(g, tsame), GRAPH_SAFE);
    graph_memory_crash(g);
    assert_string_equal(dump(g), "s.k=1@10 s.l=1@10 ");
    graph_memory_free(g);
}

static int64_t age_of(void *context, slice soul)
{
    (void)context;
    return slice_equal(soul, SLICE("short")) ? 100 : 1000;
}

static void rows_of_memory_souls_end_at_their_age(void **state)
{
    (void)state;
    graph_memory *g = make(roomy(false));
    graph_write first[] = { w("short", "a", "1", 1), w("long", "a", "1", 1) };
    graph_write second[] = { w("short", "b", "1", 1) };

    merge(g, first, 2, 1000);
    merge(g, second, 1, 1090);
    graph_memory_expire(g, at(1100), age_of, NULL);
    assert_string_equal(dump(g), "long.a=1@1 short.a=1@1 short.b=1@1 ");
    graph_memory_expire(g, at(1101), age_of, NULL);
    assert_string_equal(dump(g), "long.a=1@1 short.b=1@1 ");
    graph_memory_expire(g, at(1191), age_of, NULL);
    assert_string_equal(dump(g), "long.a=1@1 ");
    graph_memory_expire(g, at(3000), age_of, NULL);
    assert_string_equal(dump(g), "");
    assert_int_equal(graph_memory_bytes(g), 0);
    graph_memory_free(g);
}

static void a_sweep_over_many_souls_goes_on_where_it_stopped(void **state)
{
    (void)state;
    graph_memory *g = make((graph_memory_options){ .bytes_max = 1 << 24 });
    char soul[16];

    for (int i = 0; i < 10000; i++) {
        sprintf(soul, "s%d", i);
        put(g, soul, "k", "1", 1);
    }
    for (int i = 0; i < 3; i++) graph_memory_expire(g, at(9000), age_of, NULL);
    assert_int_equal(graph_memory_rows(g), 0);
    assert_int_equal(graph_memory_bytes(g), 0);
    graph_memory_free(g);
}

/* Scans against a plain filter over a plain list. */
static const char *const names[] = { "a",        "aa",           "ab",           "b", "ba", "c",
                                     "\xc3\xa9", "\xed\xa0\xbd", "\xee\x80\x80", "~" };
enum { NAMES = sizeof names / sizeof *names };

typedef struct listing {
    slice found[NAMES + 1];
    int count;
    bool souls;
} listing;

static bool list_one(void *visitor, const graph_row *row)
{
    listing *l = visitor;

    l->found[l->count++] = l->souls ? row->soul : row->key;
    return true;
}

static bool plainly_in(const lex_range *r, slice name)
{
    int low = slice_order(name, r->from), high = slice_order(name, r->to);

    if (r->empty || low < 0 || (low == 0 && r->from_open)) return false;
    return !r->has_to || high < 0 || (high == 0 && !r->to_open);
}

static int by_name(const void *a, const void *b)
{
    return slice_order(*(const slice *)a, *(const slice *)b);
}

static void check_range(graph_memory *g, const lex_range *r)
{
    graph *t = graph_memory_table(g);
    listing keys = { .count = 0 }, souls = { .souls = true };
    slice expected[NAMES];
    int count = 0;

    for (int i = 0; i < NAMES; i++)
        if (plainly_in(r, text_slice_of(names[i]))) expected[count++] = text_slice_of(names[i]);
    qsort(expected, (size_t)count, sizeof *expected, by_name);
    assert_int_equal(t->scan(t->context, SLICE("s"), r, list_one, &keys), STATUS_OK);
    assert_int_equal(t->souls(t->context, r, list_one, &souls), STATUS_OK);
    assert_int_equal(keys.count, count);
    for (int i = 0; i < count; i++) {
        slice want = expected[r->backwards ? count - 1 - i : i];
        assert_true(slice_equal(keys.found[i], want));
    }
    /* "s" is a soul besides, and the only one that is no name of the list. */
    count += plainly_in(r, SLICE("s"));
    assert_int_equal(souls.count, count);
    for (int i = 1; i < count; i++)
        assert_true((slice_order(souls.found[i - 1], souls.found[i]) > 0) == r->backwards);
}

static void scans_follow_the_range_in_both_directions(void **state)
{
    (void)state;
    graph_memory *g = make(roomy(false));
    const char *bounds[] = { "", "a", "aa", "aab", "b", "bz", "\xee\x80\x80", "~~" };

    for (int i = 0; i < NAMES; i++) put(g, "s", names[(i * 7) % NAMES], "1", 1);
    for (int i = 0; i < NAMES; i++) put(g, names[(i * 3) % NAMES], "k", "1", 1);
    for (int from = 0; from < 8; from++)
        for (int to = 0; to < 8; to++)
            for (int bits = 0; bits < 32; bits++)
                check_range(g, &(lex_range){ .from = text_slice_of(bounds[from]),
                                             .to = text_slice_of(bounds[to]),
                                             .from_open = bits & 1,
                                             .to_open = bits & 2,
                                             .has_to = bits & 4,
                                             .backwards = bits & 8,
                                             .empty = bits & 16 });
    graph_memory_free(g);
}

static void many_rows_in_any_order_come_out_sorted_and_go_again(void **state)
{
    (void)state;
    graph_memory *g = make((graph_memory_options){ .bytes_max = 1 << 26 });
    graph *t = graph_memory_table(g);
    char key[16];
    graph_row row;

    for (uint32_t i = 0; i < 20000; i++) {
        sprintf(key, "%08x", i * 2654435761u);
        put(g, "s", key, "1", 1);
    }
    assert_int_equal(graph_memory_rows(g), 20000);
    for (uint32_t i = 0; i < 20000; i += 13) {
        sprintf(key, "%08x", i * 2654435761u);
        assert_int_equal(t->look(t->context, SLICE("s"), text_slice_of(key), &row), STATUS_OK);
    }
    graph_memory_expire(g, at(99999), age_of, NULL);
    assert_int_equal(graph_memory_bytes(g), 0);
    graph_memory_free(g);
}

static void a_failed_allocation_leaves_no_trace(void **state)
{
    (void)state;
    for (int delayed = 0; delayed < 2; delayed++) {
        bool through = false;

        for (long n = 1; !through; n++) {
            graph_memory *g = make(roomy(delayed));
            graph *t = graph_memory_table(g);
            graph_write writes[] = { w("s", "k", "2", 20), w("n", "k", "2", 20),
                                     w("h", "k", "3", 2000), w("s", "k", "4", 30) };
            graph_ticket ticket;

            put(g, "s", "k", "1", 10);
            put(g, "s", "w", "1", 1500);
            size_t bytes = graph_memory_bytes(g);
            failing_at(n);
            status result = t->merge(t->context, writes, 4, at(1000), &ticket);
            through = !failing_happened();
            failing_at(0);
            if (!through) {
                assert_int_equal(result, STATUS_NO_MEMORY);
                assert_string_equal(dump(g), "s.k=1@10 ");
                assert_int_equal(graph_memory_bytes(g), bytes);
                assert_true(t->next_due(t->context) == 1500);
            }
            graph_memory_free(g);
        }
    }
}

static void a_held_write_survives_a_failed_allocation_when_it_is_due(void **state)
{
    (void)state;
    bool through = false;

    for (long n = 1; !through; n++) {
        graph_memory *g = make(roomy(true));
        graph *t = graph_memory_table(g);
        reading r = { .len = 0 };

        put(g, "s", "w", "1", 1500);
        graph_memory_sync(g);
        failing_at(n);
        status result = t->due(t->context, at(2000), 9, read_row, &r);
        through = !failing_happened();
        failing_at(0);
        assert_int_equal(result, through ? STATUS_OK : STATUS_NO_MEMORY);
        assert_string_equal(due(g, 2000, 9), through ? "" : "s.w=1@1500 ");
        graph_memory_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_write_of_a_key_stays_as_ham_judges),
        cmocka_unit_test(two_writes_to_one_key_in_one_merge_are_judged_in_order),
        cmocka_unit_test(a_write_from_the_future_waits_and_comes_due_once),
        cmocka_unit_test(what_comes_due_is_judged_against_what_is_held_by_then),
        cmocka_unit_test(held_writes_come_in_the_order_of_their_states_and_a_few_at_a_time),
        cmocka_unit_test(a_visitor_that_stops_leaves_the_rest_for_later),
        cmocka_unit_test(a_merge_over_a_bound_leaves_no_trace),
        cmocka_unit_test(a_full_graph_still_takes_what_makes_it_smaller),
        cmocka_unit_test(a_ticket_waits_for_all_it_was_judged_against),
        cmocka_unit_test(a_graph_without_delay_settles_at_once),
        cmocka_unit_test(a_crash_goes_back_to_the_last_sync),
        cmocka_unit_test(what_failed_is_written_anew_by_the_next_sync),
        cmocka_unit_test(rows_of_memory_souls_end_at_their_age),
        cmocka_unit_test(a_sweep_over_many_souls_goes_on_where_it_stopped),
        cmocka_unit_test(scans_follow_the_range_in_both_directions),
        cmocka_unit_test(many_rows_in_any_order_come_out_sorted_and_go_again),
        cmocka_unit_test(a_failed_allocation_leaves_no_trace),
        cmocka_unit_test(a_held_write_survives_a_failed_allocation_when_it_is_due),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
