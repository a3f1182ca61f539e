/* test_relay_ours.c - souls "brasa/...", of which only the relay itself says something. */
#include "relay_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What the relay says: one row, or nothing. Like the server's, it cannot be written:
 * there is no merge(). */
typedef struct own {
    graph table;
    const char *value; /* NULL: nothing */
    double state;
    unsigned asked;
} own;

static const slice soul = { "brasa/have/x", sizeof "brasa/have/x" - 1 };
static const slice key = { "bitmap", sizeof "bitmap" - 1 };

static bool fill(own *o, slice of, graph_row *out)
{
    ++o->asked;
    if (o->value == NULL || !slice_equal(of, soul)) return false;
    *out = (graph_row){
        .soul = soul, .key = key, .value = { o->value, strlen(o->value) }, .state = o->state
    };
    return true;
}

static status look(void *context, slice of, slice field, graph_row *out)
{
    return slice_equal(field, key) && fill(context, of, out) ? STATUS_OK : STATUS_NOT_FOUND;
}

static status scan(void *context, slice of, const lex_range *range, graph_visit *visit, void *to)
{
    graph_row row;

    if (lex_range_has(range, key) && fill(context, of, &row)) (void)visit(to, &row);
    return STATUS_OK;
}

static own own_make(const char *value)
{
    return (own){ .table = { .look = look, .scan = scan }, .value = value, .state = 7 };
}

static table *lay(own *o)
{
    o->table.context = o;
    return table_lay_beside(&o->table, NULL, NULL);
}

static void it_is_read_whole_by_key_and_by_query(void **state)
{
    own o = own_make("\"AQ==\"");
    table *t = lay(&o);
    relay_peer *p = table_join(t, NULL);
    const char *row = ":{'_':{'#':'brasa/have/x','>':{'bitmap':7}},'bitmap':'AQ=='}}}\n";

    (void)state;
    for (int i = 0; i < 3; ++i) {
        static const char *const gets[] = { "{'#':'g','get':{'#':'brasa/have/x'}}",
                                            "{'#':'g','get':{'#':'brasa/have/x','.':'bitmap'}}",
                                            "{'#':'g','get':{'#':'brasa/have/x','.':{'*':'b'}}}" };
        const char *said;

        table_say(t, p, gets[i]);
        said = table_read(t, p);
        assert_non_null(strstr(said, "'@':'g'"));
        assert_non_null(strstr(said, row));
    }
    table_clear(t);
}

static void what_is_not_there_is_asked_of_nobody_and_nobody_is_asked_back(void **state)
{
    own o = own_make(NULL);
    table *t = lay(&o);
    relay_peer *p = table_join(t, "one"), *other = table_join(t, "two");

    (void)state;
    table_say(t, p, "{'#':'g','get':{'#':'brasa/have/x'}}");
    assert_non_null(strstr(table_read(t, p), ",'@':'g'}\n"));
    o.value = "\"AQ==\"";
    table_say(t, p, "{'#':'h','get':{'#':'brasa/have/x'}}");
    assert_null(strstr(table_read(t, p), "'get'"));
    table_wait(t, 1000);
    assert_string_equal(table_read(t, other), "");
    assert_string_equal(table_read(t, p), "");
    table_clear(t);
}

static void a_put_there_is_refused_whole(void **state)
{
    own o = own_make(NULL);
    table *t = lay(&o);
    relay_peer *p = table_join(t, NULL);
    graph *g = graph_memory_table(table_memory(t));
    graph_row row;

    (void)state;
    table_say(t, p,
              "{'#':'p','put':{'free':{'_':{'#':'free','>':{'a':1}},'a':1},"
              "'brasa/z':{'_':{'#':'brasa/z','>':{'a':1}},'a':1}}}");
    assert_non_null(strstr(table_read(t, p), "'@':'p','err':'reserved: "));
    assert_int_equal(g->look(g->context, SLICE("free"), SLICE("a"), &row), STATUS_NOT_FOUND);
    assert_int_equal(g->look(g->context, SLICE("brasa/z"), SLICE("a"), &row), STATUS_NOT_FOUND);
    table_clear(t);
}

static void of_an_answer_the_rest_is_kept(void **state)
{
    own o = own_make(NULL);
    table *t = lay(&o);
    relay_peer *p = table_join(t, NULL);
    graph *g = graph_memory_table(table_memory(t));
    graph_row row;

    (void)state;
    table_say(t, p,
              "{'#':'a','@':'g','put':{'brasa/z':{'_':{'#':'brasa/z','>':{'a':1}},'a':1},"
              "'free':{'_':{'#':'free','>':{'a':1}},'a':1}}}");
    assert_non_null(strstr(table_read(t, p), "reserved: "));
    assert_int_equal(g->look(g->context, SLICE("free"), SLICE("a"), &row), STATUS_OK);
    assert_int_equal(g->look(g->context, SLICE("brasa/z"), SLICE("a"), &row), STATUS_NOT_FOUND);
    table_clear(t);
}

static void who_asked_is_told_of_changes_and_others_are_not(void **state)
{
    own o = own_make(NULL);
    table *t = lay(&o);
    relay_peer *whole = table_join(t, NULL), *one = table_join(t, NULL);
    relay_peer *other = table_join(t, NULL);
    graph_write w = { .soul = soul, .key = key, .value = SLICE("\"Aw==\""), .state = 9 };
    const graph_write *writes[] = { &w };

    (void)state;
    assert_false(relay_is_wanted(table_relay(t), soul, key));
    table_say(t, whole, "{'#':'g','get':{'#':'brasa/have/x'}}");
    table_say(t, one, "{'#':'g','get':{'#':'brasa/have/x','.':'bitmap'}}");
    (void)table_read(t, whole);
    (void)table_read(t, one);
    assert_true(relay_is_wanted(table_relay(t), soul, key));
    relay_tell(table_relay(t), writes, 1, table_now(t));
    assert_non_null(strstr(table_read(t, whole), "'bitmap':'Aw=='"));
    assert_non_null(strstr(table_read(t, one), "'bitmap':'Aw=='"));
    assert_string_equal(table_read(t, other), "");
    table_leave(t, whole);
    assert_true(relay_is_wanted(table_relay(t), soul, key));
    table_leave(t, one);
    assert_false(relay_is_wanted(table_relay(t), soul, key));
    table_clear(t);
}

/* --- the news --- */

typedef struct hearing {
    unsigned calls;
    size_t count;
    char last[64];
} hearing;

static void hear_news(void *context, const graph_write *const *writes, size_t count)
{
    hearing *h = context;

    ++h->calls;
    h->count += count;
    snprintf(h->last, sizeof h->last, "%.*s", (int)writes[count - 1]->key.len,
             writes[count - 1]->key.at);
}

static void the_news_are_what_was_taken_whoever_wrote_it(void **state)
{
    hearing h = { 0 };
    table *t = table_lay_beside(NULL, hear_news, &h);
    relay_peer *p = table_join(t, NULL);
    graph_write own_write = {
        .soul = SLICE("s"), .key = SLICE("own"), .value = SLICE("1"), .state = 1
    };
    graph_ticket ticket;

    (void)state;
    table_say(t, p, "{'#':'p','put':{'s':{'_':{'#':'s','>':{'a':1,'b':2}},'a':1,'b':2}}}");
    assert_int_equal(h.calls, 1);
    assert_int_equal(h.count, 2);
    table_say(t, p, "{'#':'q','put':{'s':{'_':{'#':'s','>':{'a':1,'b':1}},'a':1,'b':1}}}");
    assert_int_equal(h.count, 2); /* known, and lost */
    assert_int_equal(relay_write(table_relay(t), &own_write, 1, table_now(t), &ticket), STATUS_OK);
    assert_int_equal(h.count, 3);
    assert_string_equal(h.last, "own");
    table_clear(t);
}

static void without_a_graph_of_its_own_these_souls_are_like_others(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *p = table_join(t, NULL);

    (void)state;
    table_say(t, p, "{'#':'p','put':{'brasa/z':{'_':{'#':'brasa/z','>':{'a':1}},'a':1}}}");
    assert_non_null(strstr(table_read(t, p), "'@':'p','ok':"));
    table_clear(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_read_whole_by_key_and_by_query),
        cmocka_unit_test(what_is_not_there_is_asked_of_nobody_and_nobody_is_asked_back),
        cmocka_unit_test(a_put_there_is_refused_whole),
        cmocka_unit_test(of_an_answer_the_rest_is_kept),
        cmocka_unit_test(who_asked_is_told_of_changes_and_others_are_not),
        cmocka_unit_test(the_news_are_what_was_taken_whoever_wrote_it),
        cmocka_unit_test(without_a_graph_of_its_own_these_souls_are_like_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
