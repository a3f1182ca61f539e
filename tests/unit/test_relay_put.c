/* test_relay_put.c - what becomes of a put: its ack, its audience, its losers. */
#include "relay_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void a_put_is_acknowledged_once_when_it_is_durable(void **state)
{
    table *t = table_lay(NULL, true);
    relay_peer *a = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':5}},'a':1}}}");
    assert_string_equal(table_read(t, a), "");
    table_sync(t);
    assert_string_equal(table_read(t, a), "{'#':<2>,'@':'p1','ok':true}\n");
    table_sync(t);
    table_wait(t, 100);
    assert_string_equal(table_read(t, a), "");
    table_clear(t);
}

static void a_known_put_is_acknowledged_with_the_row_it_met(void **state)
{
    table *t = table_lay(NULL, true);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':5}},'a':1}}}");
    table_say(t, b, "{'#':'p2','put':{'s':{'_':{'#':'s','>':{'a':5}},'a':1}}}");
    assert_string_equal(table_read(t, b), "");
    table_sync(t);
    assert_string_equal(table_read(t, b), "{'#':<3>,'@':'p2','ok':true}\n");
    table_say(t, b, "{'#':'p3','put':{'s':{'_':{'#':'s','>':{'a':5}},'a':1}}}");
    assert_string_equal(table_read(t, b), "{'#':<4>,'@':'p3','ok':true}\n");
    table_clear(t);
}

static void a_failed_disk_is_an_err(void **state)
{
    table *t = table_lay(NULL, true);
    relay_peer *a = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':5}},'a':1}}}");
    table_fail(t, STATUS_IO);
    assert_string_equal(table_read(t, a), "{'#':<2>,'@':'p1','err':'disk: the store failed'}\n");
    table_clear(t);
}

static void who_loses_is_sent_the_kept_value_before_the_ack(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':9}},'a':'newer'}}}");
    table_say(t, b, "{'#':'p2','put':{'s':{'_':{'#':'s','>':{'a':5}},'a':'older'}}}");
    assert_string_equal(table_read(t, b),
                        "{'#':<3>,'put':{'s':{'_':{'#':'s','>':{'a':9}},'a':'newer'}}}\n"
                        "{'#':<4>,'@':'p2','ok':true}\n");
    assert_string_equal(table_read(t, a), "{'#':<5>,'@':'p1','ok':true}\n");
    table_clear(t);
}

static void a_copyist_is_told_once_what_was_kept(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL), *c = table_join(t, NULL);

    (void)state;
    table_say(t, c, "{'#':'g1','get':{'#':'s'}}");
    table_say(t, a, "{'#':'w1','put':{'s':{'_':{'#':'s','>':{'a':5}},'a':1}}}");
    table_say(t, a, "{'#':'w2','put':{'s':{'_':{'#':'s','>':{'a':6}},'a':2}}}");
    /* b has w1 from a, by another way, and passes it on; it never asked here. */
    table_say(t, b, "{'#':'w1','put':{'s':{'_':{'#':'s','>':{'a':5}},'a':1}}}");
    assert_non_null(strstr(table_read(t, b), ",'put':{'s':{'_':{'#':'s','>':{'a':6}},'a':2}}}\n"));
    table_say(t, b, "{'#':'w1','put':{'s':{'_':{'#':'s','>':{'a':5}},'a':1}}}");
    assert_null(strstr(table_read(t, b), "put")); /* an ack, and nothing else */
    table_clear(t);
}

static void writers_hear_later_changes_and_not_their_own(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':5,'b':5}},'a':1,'b':2}}}");
    table_say(t, b, "{'#':'p2','put':{'s':{'_':{'#':'s','>':{'a':6,'c':6}},'a':7,'c':8}}}");
    assert_string_equal(table_read(t, b), "{'#':<3>,'@':'p2','ok':true}\n");
    assert_string_equal(table_read(t, a),
                        "{'#':<4>,'@':'p1','ok':true}\n"
                        "{'#':<5>,'put':{'s':{'_':{'#':'s','>':{'a':6}},'a':7}}}\n");
    table_clear(t);
}

static void a_whole_put_keeps_its_id_and_a_cut_one_gets_its_own(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);

    (void)state;
    table_say(t, b, "{'#':'g1','get':{'#':'s'}}");
    table_read(t, b);
    table_say(t, a, "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':5,'b':5}},'a':1,'b':2}}}");
    assert_string_equal(table_read(t, b),
                        "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':5,'b':5}},'a':1,'b':2}}}\n");
    table_say(t, a, "{'#':'p2','put':{'s':{'_':{'#':'s','>':{'a':5,'b':6}},'a':1,'b':3}}}");
    assert_non_null(strstr(table_read(t, b), ",'put':{'s':{'_':{'#':'s','>':{'b':6}},'b':3}}}\n"));
    table_say(t, a, "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':7}},'a':7}}}");
    assert_null(strstr(table_read(t, b), "'p1'"));
    table_clear(t);
}

static void calls_go_back_to_the_author_and_on(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);

    (void)state;
    table_say(t, b, "{'#':'g1','get':{'#':'/RTC/room<?99'}}");
    table_say(t, a,
              "{'#':'ann','put':{'/RTC/room<?99':{'_':{'#':'/RTC/room<?99','>':{'+':999999}},"
              "'+':'pidA'}},'ok':{'@':55,'/':1}}");
    assert_non_null(strstr(table_read(t, b), "{'#':'ann','put':"));
    table_read(t, a);
    table_say(t, b, "{'@':'ann','#':'offer','ok':{'rtc':{'offer':{'sdp':'v=0'},'id':'pidB'}}}");
    assert_string_equal(
        table_read(t, a),
        "{'#':'offer','@':'ann','ok':{'rtc':{'offer':{'sdp':'v=0'},'id':'pidB'}}}\n");
    table_wait(t, 30000);
    table_say(t, a, "{'@':'offer','#':'answ','ok':{'rtc':{'answer':1,'id':'pidA'}}}");
    assert_string_equal(table_read(t, b),
                        "{'#':'answ','@':'offer','ok':{'rtc':{'answer':1,'id':'pidA'}}}\n");
    table_say(t, b, "{'@':'ann','#':'plain','ok':1}");
    table_say(t, b, "{'@':'ann','#':'bad','err':'no'}");
    assert_string_equal(table_read(t, a), "");
    table_clear(t);
}

static void a_bad_key_refuses_the_whole_put(void **state)
{
    static const char *const puts[][2] = {
        { "{'s':{'_':{'#':'s','>':{'a':5}},'a':1,'b':2}}", "malformed: no state: key 'b' on 's'" },
        { "{'s':{'_':{'#':'s','>':{'a':'5'}},'a':1}}",
          "malformed: state is not a number: key 'a' on 's'" },
        { "{'s':{'_':{'#':'s','>':{'a':1e400}},'a':1}}",
          "malformed: state is not a finite number: key 'a' on 's'" },
        { "{'s':{'_':{'#':'s','>':{'a':5}},'a':[1]}}", "malformed: not a value: key 'a' on 's'" },
        { "{'s':{'_':{'#':'s','>':{'a':5}},'a':{'b':1}}}",
          "malformed: not a value: key 'a' on 's'" },
        { "{'s':{'_':{'#':'t','>':{'a':5}},'a':1}}", "malformed: soul not same: soul 's'" },
        { "{'s':{'a':1}}", "malformed: no meta: soul 's'" },
        { "{'s':7}", "malformed: no node: soul 's'" },
        { "{'':{'_':{'#':'','>':{'a':5}},'a':1}}", "malformed: empty name" },
        { "{'s':{'_':{'#':'s','>':{'':5}},'':1}}", "malformed: empty name: soul 's'" },
        { "{'s':{'_':{'#':'s','>':{'a':5}},'a':1,'a':2}}", "malformed: duplicate key: soul 's'" },
        { "7", "malformed: put is not an object" },
        { "{'s':{'_':{'#':'s','>':{'a':99999999999}},'a':1}}",
          "future: the state is too far ahead: key 'a' on 's'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof puts / sizeof *puts; ++i) {
        table *t = table_lay(NULL, false);
        relay_peer *a = table_join(t, NULL);
        const char *heard;

        table_say(t, a, "{'#':'p1','put':%s}", puts[i][0]);
        heard = table_read(t, a);
        if (strstr(heard, "'@':'p1','err':'") == NULL || strstr(heard, "ok") != NULL)
            fail_msg("%s: %s", puts[i][0], heard);
        for (const char *c = puts[i][1], *h = strstr(heard, "'err':'") + 7; *c != '\0'; ++c, ++h)
            if (*c != *h) fail_msg("%s: %s", puts[i][0], heard);
        assert_int_equal(graph_memory_rows(table_memory(t)), 0);
        table_clear(t);
    }
}

static void an_answer_is_judged_key_by_key(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);

    (void)state;
    table_say(t, b, "{'#':'g1','get':{'#':'s'}}");
    table_read(t, b);
    table_say(
        t, a,
        "{'#':'r1','@':'zz','put':{'s':{'_':{'#':'s','>':{'a':5,'c':5}},'a':1,'b':2,'c':3}}}");
    assert_non_null(strstr(table_read(t, a), "'@':'r1','err':'malformed: no state: key"));
    assert_non_null(strstr(table_read(t, b), "'>':{'a':5,'c':5}},'a':1,'c':3}}}\n"));
    assert_string_equal(table_read(t, a), "");
    table_clear(t);
}

static void a_write_from_the_future_is_acked_when_held_and_told_when_due(void **state)
{
    table *t = table_lay(NULL, true);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);

    (void)state;
    table_say(t, b, "{'#':'g1','get':{'#':'s'}}");
    table_read(t, b);
    table_say(t, a, "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':1000050}},'a':1}}}");
    table_sync(t);
    assert_non_null(strstr(table_read(t, a), "'@':'p1','ok':true}"));
    assert_string_equal(table_read(t, b), "");
    table_wait(t, 100);
    assert_non_null(
        strstr(table_read(t, b), ",'put':{'s':{'_':{'#':'s','>':{'a':1000050}},'a':1}}}\n"));
    table_wait(t, 1000);
    assert_string_equal(table_read(t, b), "");
    assert_string_equal(table_read(t, a), ""); /* its own write is no news to it */
    table_clear(t);
}

static void a_large_put_is_judged_in_slices_and_stays_in_order(void **state)
{
    relay_limits limits = relay_default_limits();
    table *t;
    relay_peer *a;
    char frame[8000], *at = frame;

    (void)state;
    limits.put_slice_keys = 10;
    t = table_lay(&limits, false);
    a = table_join(t, NULL);
    at += sprintf(at, "[{'#':'p1','put':{'s':{'_':{'#':'s','>':{");
    for (int i = 0; i < 95; ++i) at += sprintf(at, "%s'k%d':5", i ? "," : "", i);
    at += sprintf(at, "}}");
    for (int i = 0; i < 95; ++i) at += sprintf(at, ",'k%d':%d", i, i);
    sprintf(at, "}}},{'#':'g1','get':{'#':'s','.':'k7'}}]");
    table_say(t, a, "%s", frame);
    assert_false(relay_reading(a));
    assert_string_equal(table_read(t, a), "");
    table_wait(t, 100);
    assert_true(relay_reading(a));
    {
        const char *heard = table_read(t, a);
        assert_non_null(strstr(heard, "'@':'p1','ok':true}"));
        assert_non_null(strstr(heard, "'@':'g1'"));
        assert_non_null(strstr(heard, "'k7':7}}}"));
    }
    assert_int_equal(graph_memory_rows(table_memory(t)), 95);
    table_clear(t);
}

static void what_was_looked_at_waits_until_what_it_lost_to_is_durable(void **state)
{
    relay_limits limits = relay_default_limits();
    table *t;
    relay_peer *a, *b;
    const char *heard;

    (void)state;
    limits.put_slice_keys = 2; /* larger puts are looked at before they are merged */
    t = table_lay(&limits, true);
    a = table_join(t, NULL);
    b = table_join(t, NULL);
    table_say(t, a, "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':9}},'a':'newer'}}}");
    table_say(t, b,
              "{'#':'p2','put':{'s':{'_':{'#':'s','>':{'a':5,'b':5,'c':5}},"
              "'a':'older','b':2,'c':3}}}");
    table_wait(t, 200);
    assert_int_equal(graph_memory_rows(table_memory(t)), 1);
    table_sync(t);
    table_wait(t, 200);
    assert_int_equal(graph_memory_rows(table_memory(t)), 3);
    heard = table_read(t, b);
    assert_non_null(strstr(heard, "'a':'newer'"));
    assert_null(strstr(heard, "'ok'"));
    table_sync(t);
    assert_non_null(strstr(table_read(t, b), "'@':'p2','ok':true}"));
    /* Of what is there already nothing waits. */
    table_say(t, b,
              "{'#':'p3','put':{'s':{'_':{'#':'s','>':{'a':6,'b':5,'d':5}},"
              "'a':'older','b':2,'d':3}}}");
    table_wait(t, 50);
    assert_int_equal(graph_memory_rows(table_memory(t)), 4);
    table_clear(t);
}

static status busy_merge(void *context, graph_write *writes, size_t count, moment now,
                         graph_ticket *ticket)
{
    (void)context;
    (void)writes;
    (void)count;
    (void)now;
    (void)ticket;
    return STATUS_BUSY;
}

static void a_put_waits_for_a_busy_store_and_its_author_is_not_read(void **state)
{
    table *t = table_lay(NULL, false);
    graph *store = graph_memory_table(table_memory(t));
    status (*merge)(void *, graph_write *, size_t, moment, graph_ticket *) = store->merge;
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);

    (void)state;
    store->merge = busy_merge;
    table_say(
        t, a,
        "[{'put':{'s':{'_':{'#':'s','>':{'a':1}},'a':1}}},{'#':'g1','get':{'#':'s','.':'a'}}]");
    table_wait(t, 100);
    assert_false(relay_reading(a));
    assert_true(relay_reading(b));
    assert_string_equal(table_read(t, a), "");
    assert_true(relay_due_ms(table_relay(t), table_now(t)) > table_now(t).steady_ms);
    store->merge = merge;
    table_wait(t, 100);
    assert_true(relay_reading(a));
    assert_string_equal(
        table_read(t, a),
        "{'#':<3>,'@':<4>,'ok':true}\n"
        "{'#':<5>,'@':'g1','##':1277149924,'put':{'s':{'_':{'#':'s','>':{'a':1}},'a':1}}}\n"
        "{'#':<6>,'##':1277149924,'get':{'#':'s'}}\n");
    table_clear(t);
}

static void an_answer_waits_for_a_busy_store_too(void **state)
{
    table *t = table_lay(NULL, false);
    graph *store = graph_memory_table(table_memory(t));
    status (*merge)(void *, graph_write *, size_t, moment, graph_ticket *) = store->merge;
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);

    (void)state;
    table_say(t, b, "{'#':'g1','get':{'#':'s'}}");
    table_read(t, b);
    table_read(t, a);
    store->merge = busy_merge;
    table_say(t, a,
              "{'#':'a1','@':'q1','put':{'s':{'_':{'#':'s','>':{'a':1,'b':'x'}},'a':1,'b':2}}}");
    table_wait(t, 100);
    assert_false(relay_reading(a));
    assert_string_equal(table_read(t, a), "");
    store->merge = merge;
    table_wait(t, 100);
    assert_true(relay_reading(a));
    assert_non_null(strstr(table_read(t, b), "'put':{'s':{'_':{'#':'s','>':{'a':1}},'a':1}}}"));
    const char *heard = table_read(t, a); /* once, however often it was tried */
    assert_non_null(strstr(heard, "'err':"));
    assert_null(strstr(strstr(heard, "'err':") + 1, "'err':"));
    assert_int_equal(graph_memory_rows(table_memory(t)), 1);
    table_clear(t);
}

static void what_is_dropped_of_an_answer_is_counted_once_however_often_it_is_tried(void **state)
{
    table *t = table_lay(NULL, false);
    graph *store = graph_memory_table(table_memory(t));
    status (*merge)(void *, graph_write *, size_t, moment, graph_ticket *) = store->merge;
    relay_peer *a = table_join(t, NULL);

    (void)state;
    store->merge = busy_merge;
    table_say(t, a,
              "{'#':'a1','@':'q1','put':{'s':{'_':{'#':'s','>':{'a':1e15,'b':1,'c':1e15}},"
              "'a':1,'b':2,'c':3}}}");
    for (int i = 0; i < 10; ++i) table_wait(t, 100);
    store->merge = merge;
    table_wait(t, 100);
    assert_non_null(strstr(table_read(t, a), "'err':'future: the state is too far ahead: key 'a'"));
    assert_int_equal(relay_count(table_relay(t))->keys_dropped, 2);
    assert_int_equal(relay_count(table_relay(t))->keys_taken, 1);
    assert_int_equal(relay_count(table_relay(t))->keys_same, 0);
    assert_int_equal(graph_memory_rows(table_memory(t)), 1);
    table_clear(t);
}

static void a_put_too_complex_is_refused_under_its_id_and_the_batch_goes_on(void **state)
{
    relay_limits limits = relay_default_limits();
    char frame[60000], *at = frame;
    table *t;
    relay_peer *a;

    (void)state;
    limits.put_keys_max = 10; /* so 4,176 tokens in a message */
    t = table_lay(&limits, false);
    a = table_join(t, NULL);
    at += sprintf(at, "[{'put':{'s':[");
    for (int i = 0; i < 5000; ++i) at += sprintf(at, "%s{}", i ? "," : "");
    sprintf(at, "]},'x':'}','#':'big'},{'#':'g1','get':{}}]");
    table_say(t, a, "%s", frame);
    assert_string_equal(table_read(t, a), "{'#':<2>,'@':'big','err':'limit: message too complex'}\n"
                                          "{'#':<3>,'@':'g1'}\n");
    frame[strlen(frame) - strlen(",{'#':'g1','get':{}}]")] = '\0';
    table_say(t, a, "%s", frame + 1);
    assert_string_equal(table_read(t, a),
                        "{'#':<4>,'@':'big','err':'limit: message too complex'}\n");
    table_clear(t);
}

static void what_is_kept_is_told_although_memory_souls_have_no_room(void **state)
{
    relay_limits limits = relay_default_limits();
    table *t;
    relay_peer *a, *b;

    (void)state;
    limits.fleeting_bytes_max = 10;
    t = table_lay(&limits, false);
    a = table_join(t, NULL);
    b = table_join(t, NULL);
    table_say(t, b, "{'#':'g1','get':{'#':'s'}}");
    table_read(t, b);
    table_say(t, a,
              "{'#':'p1','put':{'/live/x':{'_':{'#':'/live/x','>':{'a':999999}},'a':'long enough'},"
              "'s':{'_':{'#':'s','>':{'a':1}},'a':1}}}");
    assert_non_null(strstr(table_read(t, a), "'@':'p1','ok':true}"));
    assert_non_null(strstr(table_read(t, b), "'put':{'s':{'_':{'#':'s','>':{'a':1}},'a':1}}}"));
    table_say(
        t, a,
        "{'#':'p2','put':{'/live/x':{'_':{'#':'/live/x','>':{'a':999999}},'a':'long enough'}}}");
    assert_non_null(strstr(table_read(t, a), "'@':'p2','err':'full:"));
    table_clear(t);
}

static void what_has_expired_is_acked_and_neither_kept_nor_served(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'p1','put':{'s<?2':{'_':{'#':'s<?2','>':{'a':5}},'a':1}}}");
    assert_string_equal(table_read(t, a), "{'#':<2>,'@':'p1','ok':true}\n");
    assert_int_equal(graph_memory_rows(table_memory(t)), 0);
    table_say(t, a, "{'#':'p2','put':{'s<?2':{'_':{'#':'s<?2','>':{'a':999999}},'a':1}}}");
    table_read(t, a);
    table_wait(t, 2000);
    table_say(t, a, "{'#':'g1','get':{'#':'s<?2'}}");
    assert_non_null(strstr(table_read(t, a), ",'@':'g1'}\n"));
    table_clear(t);
}

static void memory_souls_leave_no_row_and_die_of_age(void **state)
{
    table *t = table_lay(NULL, true);
    relay_peer *a = table_join(t, NULL);

    (void)state;
    table_say(t, a,
              "{'#':'p1','put':{'/live/r<?3':{'_':{'#':'/live/r<?3','>':{'a':999999}},'a':1}}}");
    assert_string_equal(table_read(t, a), "{'#':<2>,'@':'p1','ok':true}\n");
    assert_int_equal(graph_memory_rows(table_memory(t)), 0);
    table_say(t, a, "{'#':'g1','get':{'#':'/live/r<?3'}}");
    assert_non_null(strstr(table_read(t, a), "'a':1}}}\n"));
    table_wait(t, 5000);
    {
        relay_gauges gauges;
        relay_measure(table_relay(t), &gauges);
        assert_int_equal(gauges.fleeting_rows, 0);
    }
    table_clear(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_put_is_acknowledged_once_when_it_is_durable),
        cmocka_unit_test(a_known_put_is_acknowledged_with_the_row_it_met),
        cmocka_unit_test(a_failed_disk_is_an_err),
        cmocka_unit_test(who_loses_is_sent_the_kept_value_before_the_ack),
        cmocka_unit_test(a_copyist_is_told_once_what_was_kept),
        cmocka_unit_test(writers_hear_later_changes_and_not_their_own),
        cmocka_unit_test(a_whole_put_keeps_its_id_and_a_cut_one_gets_its_own),
        cmocka_unit_test(calls_go_back_to_the_author_and_on),
        cmocka_unit_test(a_bad_key_refuses_the_whole_put),
        cmocka_unit_test(an_answer_is_judged_key_by_key),
        cmocka_unit_test(a_write_from_the_future_is_acked_when_held_and_told_when_due),
        cmocka_unit_test(a_large_put_is_judged_in_slices_and_stays_in_order),
        cmocka_unit_test(what_was_looked_at_waits_until_what_it_lost_to_is_durable),
        cmocka_unit_test(a_put_waits_for_a_busy_store_and_its_author_is_not_read),
        cmocka_unit_test(an_answer_waits_for_a_busy_store_too),
        cmocka_unit_test(what_is_dropped_of_an_answer_is_counted_once_however_often_it_is_tried),
        cmocka_unit_test(a_put_too_complex_is_refused_under_its_id_and_the_batch_goes_on),
        cmocka_unit_test(what_is_kept_is_told_although_memory_souls_have_no_room),
        cmocka_unit_test(what_has_expired_is_acked_and_neither_kept_nor_served),
        cmocka_unit_test(memory_souls_leave_no_row_and_die_of_age),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
