/* test_relay_get.c - what a get is answered with, and who is asked for more. */
#include "relay_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_node_comes_in_one_message_with_its_hash_and_is_asked_back(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':1}},'a':1}}}");
    table_say(t, b, "{'#':'g1','get':{'#':'s'}}");
    /* 1277149924 is gun's own hash of this put (tests/vectors/hash.json). */
    assert_string_equal(
        table_read(t, b),
        "{'#':<3>,'@':'g1','##':1277149924,'put':{'s':{'_':{'#':'s','>':{'a':1}},'a':1}}}\n"
        "{'#':<4>,'##':1277149924,'get':{'#':'s'}}\n");
    table_say(t, b, "{'#':'g2','get':{'#':'s','.':'a'}}");
    assert_string_equal(
        table_read(t, b),
        "{'#':<5>,'@':'g2','##':1277149924,'put':{'s':{'_':{'#':'s','>':{'a':1}},'a':1}}}\n");
    table_clear(t);
}

static void what_is_missing_is_said_at_once_and_others_are_asked(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'g1','get':{'#':'s','.':'k'}}");
    assert_string_equal(table_read(t, a), "{'#':<3>,'@':'g1'}\n{'#':<4>,'get':{'#':'s'}}\n");
    assert_string_equal(table_read(t, b), "{'#':'g1','get':{'#':'s','.':'k'}}\n");
    table_say(t, b, "{'#':'r1','@':'g1','put':{'s':{'_':{'#':'s','>':{'k':7}},'k':'found'}}}");
    assert_string_equal(table_read(t, a),
                        "{'#':<5>,'@':'g1','put':{'s':{'_':{'#':'s','>':{'k':7}},'k':'found'}}}\n");
    assert_string_equal(table_read(t, b), "");
    table_say(t, a, "{'#':'g2','get':{'#':'s','.':'k'}}");
    assert_non_null(strstr(table_read(t, a), "'k':'found'"));
    table_clear(t);
}

/* gun with sea forgets a not-found between two answers that it is checking. */
static void what_is_missing_is_said_behind_what_is_found(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':1,'c':1}},'a':1,'c':3}}}");
    table_read(t, a);
    table_say(t, a,
              "[{'#':'g1','get':{'#':'s','.':'a'}},{'#':'g2','get':{'#':'s','.':'b'}},"
              "{'#':'g3','get':{'#':'s','.':'c'}}]");
    assert_string_equal(
        table_read(t, a),
        "{'#':<3>,'@':'g1','##':1277149924,'put':{'s':{'_':{'#':'s','>':{'a':1}},'a':1}}}\n"
        "{'#':<4>,'##':1277149924,'get':{'#':'s'}}\n"
        "{'#':<5>,'@':'g3','##':323292898,'put':{'s':{'_':{'#':'s','>':{'c':1}},'c':3}}}\n"
        "{'#':<6>,'@':'g2'}\n");
    table_clear(t);
}

static void what_nobody_had_is_not_asked_again_for_a_while(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'g1','get':{'#':'s'}}");
    table_read(t, a);
    assert_string_equal(table_read(t, b), "{'#':'g1','get':{'#':'s'}}\n");
    table_wait(t, 1000);
    table_say(t, a, "{'#':'g2','get':{'#':'s'}}");
    table_read(t, a);
    assert_string_equal(table_read(t, b), "");
    table_wait(t, 10000);
    table_say(t, a, "{'#':'g3','get':{'#':'s'}}");
    table_read(t, a);
    assert_string_equal(table_read(t, b), "{'#':'g3','get':{'#':'s'}}\n");
    table_clear(t);
}

static void a_miss_asks_a_few_at_a_time_and_no_more_than_its_bound(void **state)
{
    enum { PEERS = 100 };
    relay_limits limits = relay_default_limits();
    table *t = table_lay(&limits, false);
    relay_peer *a = table_join(t, NULL), *others[PEERS];
    int asked = 0;

    (void)state;
    for (int i = 0; i < PEERS; ++i) others[i] = table_join(t, NULL);
    table_say(t, a, "{'#':'g1','get':{'#':'s'}}");
    table_read(t, a);
    for (int i = 0; i < PEERS; ++i) asked += *table_read(t, others[i]) != '\0';
    assert_int_equal(asked, limits.miss_per_turn);
    table_wait(t, 2000);
    for (int i = 0; i < PEERS; ++i) asked += *table_read(t, others[i]) != '\0';
    assert_int_equal(asked, limits.miss_peers_max);
    table_clear(t);
}

static void a_get_that_comes_back_through_another_peer_goes_no_further(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL), *c = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'g1','get':{'#':'s'}}");
    table_read(t, a);
    assert_string_equal(table_read(t, b), "{'#':'g1','get':{'#':'s'}}\n");
    table_read(t, c);
    table_say(t, b, "{'#':'g1','get':{'#':'s'}}");
    assert_non_null(strstr(table_read(t, b), ",'@':'g1'}\n"));
    assert_string_equal(table_read(t, a), "");
    assert_string_equal(table_read(t, c), "");
    table_clear(t);
}

static void an_id_that_harms_gun_clients_is_not_passed_on(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    const char *heard;

    (void)state;
    table_say(t, a, "{'#':'__proto__','get':{'#':'s'}}");
    assert_non_null(strstr(table_read(t, a), "'@':'__proto__'}"));
    heard = table_read(t, b);
    assert_string_equal(heard, "{'#':<5>,'get':{'#':'s'}}\n");
    table_say(t, b, "{'#':'r1','@':'%s','put':{'s':{'_':{'#':'s','>':{'k':7}},'k':1}}}",
              table_id(t, 5));
    assert_non_null(strstr(table_read(t, a), "'@':'__proto__','put':"));
    table_say(t, b, "{'#':'toString','put':{'s':{'_':{'#':'s','>':{'k':8}},'k':2}}}");
    assert_null(strstr(table_read(t, a), "toString"));
    table_clear(t);
}

static void nine_keys_are_asked_back_before_the_answer_without_hash(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    const char *heard;

    (void)state;
    table_say(t, a,
              "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':1,'b':1,'c':1,'d':1,'e':1,'f':1,'g':1,"
              "'h':1,'i':1}},'a':1,'b':1,'c':1,'d':1,'e':1,'f':1,'g':1,'h':1,'i':1}}}");
    table_say(t, b, "{'#':'g1','get':{'#':'s'}}");
    heard = table_read(t, b);
    assert_true(strncmp(heard, "{'#':<3>,'get':{'#':'s'}}\n{'#':<4>,'@':'g1','put':", 50) == 0);
    table_clear(t);
}

static void queries_answer_their_interval_and_say_when_they_cut(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL);

    (void)state;
    table_say(t, a,
              "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a1':1,'a2':1,'a3':1,'b':1}},'a1':1,'a2':2,"
              "'a3':3,'b':4}}}");
    table_read(t, a);
    table_say(t, a, "{'#':'g1','get':{'#':'s','.':{'*':'a'},'%%':100}}");
    assert_non_null(strstr(table_read(t, a), "'a1':1,'a2':2,'a3':3}}}\n"));
    table_say(t, a, "{'#':'g2','get':{'#':'s','.':{'*':'a'},'%%':10}}");
    assert_non_null(strstr(table_read(t, a), "'a1':1,'a2':2}},'%':1}\n"));
    table_say(t, a, "{'#':'g3','get':{'#':'s','.':{'*':'a','-':1},'%%':1}}");
    assert_non_null(strstr(table_read(t, a), "'a3':3}},'%':1}\n"));
    table_say(t, a, "{'#':'g4','get':{'#':'s','.':{'>':'a2','<':'a3'}}}");
    assert_non_null(strstr(table_read(t, a), "'a2':2,'a3':3}}}\n"));
    table_say(t, a, "{'#':'g5','get':{'#':{'*':'s'}}}");
    assert_non_null(strstr(table_read(t, a), "'b':4,'_':{'#':'s','>':{'a1':1"));
    table_say(t, a, "{'#':'g6','get':{'#':{'*':''}}}");
    assert_non_null(strstr(table_read(t, a), ",'@':'g6'}\n"));
    table_clear(t);
}

/* Puts `count` keys of `bytes` each into soul big, as several puts. */
static void put_big(table *t, relay_peer *p, int count, int bytes)
{
    char *value = malloc((size_t)bytes + 1);

    memset(value, 'v', (size_t)bytes);
    value[bytes] = '\0';
    for (int i = 0; i < count; ++i)
        table_say(t, p, "{'#':'p%d','put':{'big':{'_':{'#':'big','>':{'k%d':5}},'k%d':'%s'}}}", i,
                  i, i, value);
    free(value);
    table_read(t, p);
}

static int count_of(const char *in, const char *what)
{
    int n = 0;

    for (const char *at = strstr(in, what); at != NULL; at = strstr(at + 1, what)) ++n;
    return n;
}

static void a_large_node_is_walked_in_fragments_each_key_once(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    const char *heard;

    (void)state;
    put_big(t, a, 1000, 300);
    table_say(t, b, "{'#':'g1','get':{'#':'big'}}");
    heard = table_read(t, b);
    assert_true(table_pieces(t) > 15);
    assert_int_equal(count_of(heard, "'@':'g1'"), 1);
    assert_int_equal(count_of(heard, "':'vvv"), 1000);
    assert_int_equal(count_of(heard, "':5"), 1000);
    table_clear(t);
}

static void above_a_mebibyte_there_are_several_messages(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    const char *heard;

    (void)state;
    put_big(t, a, 300, 10000);
    table_say(t, b, "{'#':'g1','get':{'#':'big'}}");
    heard = table_read(t, b);
    assert_int_equal(count_of(heard, "'@':'g1'"), 3);
    assert_int_equal(count_of(heard, "':'vvv"), 300);
    table_clear(t);
}

static void one_large_value_leaves_in_pieces_and_is_asked_back_with_its_hash(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    const char *heard;

    (void)state;
    put_big(t, a, 1, 500000);
    table_say(t, b, "{'#':'g1','get':{'#':'big','.':'k0'}}");
    heard = table_read(t, b);
    assert_true(table_pieces(t) > 10);
    assert_int_equal(count_of(heard, "'@':'g1'"), 1);
    assert_int_equal(count_of(heard, "'##':"), 1);
    assert_non_null(strstr(heard, "'get':{'#':'big'}}\n"));
    table_say(t, b, "{'#':'r1','@':'x','##':1,'put':{}}");
    table_clear(t);
}

static void updates_of_a_peer_that_does_not_read_melt_to_the_newest(void **state)
{
    relay_limits limits = relay_default_limits();
    table *t;
    relay_peer *a, *b;
    relay_gauges gauges;
    const char *heard;

    (void)state;
    limits.outbox_bytes_max = 10000;
    t = table_lay(&limits, false);
    a = table_join(t, NULL);
    b = table_join(t, NULL);
    table_say(t, b, "{'#':'g1','get':{'#':'s'}}");
    table_read(t, b);
    for (int i = 0; i < 1000; ++i) {
        table_say(t, a, "{'#':'p%d','put':{'s':{'_':{'#':'s','>':{'k%d':%d}},'k%d':%d}}}", i, i % 7,
                  i + 1, i % 7, i);
        table_read(t, a);
    }
    relay_measure(table_relay(t), &gauges);
    assert_int_equal(gauges.peers_melted, 1);
    assert_true(gauges.outbox_bytes < 20000);
    heard = table_read(t, b);
    assert_int_equal(count_of(heard, "'put'"), 7);
    for (int i = 993; i < 1000; ++i) {
        char value[16];
        snprintf(value, sizeof value, ":%d}}}", i);
        assert_int_equal(count_of(heard, value), 1);
    }
    table_clear(t);
}

static void too_many_marks_become_whole_souls(void **state)
{
    relay_limits limits = relay_default_limits();
    table *t;
    relay_peer *a, *b;

    (void)state;
    limits.outbox_bytes_max = 1000;
    limits.marks_max = 20;
    t = table_lay(&limits, false);
    a = table_join(t, NULL);
    b = table_join(t, NULL);
    table_say(t, b, "{'#':'g1','get':{'#':'s'}}");
    table_say(t, b, "{'#':'g2','get':{'#':'r'}}");
    table_read(t, b);
    for (int i = 0; i < 100; ++i) {
        table_say(t, a, "{'#':'p%d','put':{'%c':{'_':{'#':'%c','>':{'k%d':1}},'k%d':'it'}}}", i,
                  i % 2 ? 's' : 'r', i % 2 ? 's' : 'r', i, i);
        table_read(t, a);
    }
    assert_int_equal(count_of(table_read(t, b), ":'it'"), 100);
    table_clear(t);
}

static void a_writer_that_comes_back_by_its_pid_hears_on_and_is_asked(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, "alice"), *b = table_join(t, "bob");
    const char *heard;

    (void)state;
    table_say(t, a, "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':1}},'a':1}}}");
    table_leave(t, a);
    a = table_join(t, "alice");
    assert_non_null(strstr(table_read(t, a), "'get':{'#':'s'}}\n"));
    table_say(t, b, "{'#':'p2','put':{'s':{'_':{'#':'s','>':{'a':2}},'a':2}}}");
    heard = table_read(t, a);
    assert_non_null(strstr(heard, "'>':{'a':2}},'a':2}}}\n"));
    table_clear(t);
}

static void a_writer_that_comes_back_with_an_old_value_is_told_the_new_one(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, "alice"), *b = table_join(t, "bob");

    (void)state;
    table_say(t, a, "{'#':'g1','get':{'#':'s'}}");
    table_say(t, a, "{'#':'p1','put':{'s':{'_':{'#':'s','>':{'a':1}},'a':1}}}");
    table_leave(t, a);
    table_say(t, b, "{'#':'p2','put':{'s':{'_':{'#':'s','>':{'a':2}},'a':2}}}");
    a = table_join(t, "alice");
    assert_non_null(strstr(table_read(t, a), "'get':{'#':'s'}}\n"));
    table_say(t, a, "{'#':'r1','@':'back','put':{'s':{'_':{'#':'s','>':{'a':1}},'a':1}}}");
    assert_non_null(strstr(table_read(t, a), ",'put':{'s':{'_':{'#':'s','>':{'a':2}},'a':2}}}\n"));
    table_clear(t);
}

static void asks_back_over_the_budget_wait_and_are_not_forgotten(void **state)
{
    relay_limits limits = relay_default_limits();
    table *t;
    relay_peer *a;
    int asked = 0;

    (void)state;
    limits.back_burst = 5;
    t = table_lay(&limits, false);
    a = table_join(t, NULL);
    for (int i = 0; i < 20; ++i) table_say(t, a, "{'#':'g%d','get':{'#':'s%d'}}", i, i);
    asked = count_of(table_read(t, a), "'get':");
    assert_int_equal(asked, 5);
    table_wait(t, 2000);
    asked += count_of(table_read(t, a), "'get':");
    assert_int_equal(asked, 20);
    table_clear(t);
}

static void odd_gets_are_answered(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'g1','get':{}}");
    assert_string_equal(table_read(t, a), "{'#':<2>,'@':'g1'}\n");
    table_say(t, a, "{'#':'g2','get':{'#':7}}");
    assert_non_null(strstr(table_read(t, a), "'@':'g2','err':'malformed:"));
    table_say(t, a,
              "{'#':'g3','put':{'s':{'_':{'#':'s','>':{'a':1}},'a':1}},'get':{'#':'s','.':'a'}}");
    assert_string_equal(
        table_read(t, a),
        "{'#':<4>,'@':'g3','ok':true}\n"
        "{'#':<5>,'@':'g3','##':1277149924,'put':{'s':{'_':{'#':'s','>':{'a':1}},'a':1}}}\n"
        "{'#':<6>,'##':1277149924,'get':{'#':'s'}}\n");
    table_clear(t);
}

static void bad_frames_get_one_complaint_and_the_connection_lives(void **state)
{
    static const char *const frames[] = { "",
                                          " ",
                                          "5",
                                          "null",
                                          "'x'",
                                          "hello",
                                          "{",
                                          "{'a'",
                                          "[{",
                                          "[1,2,null,[]]",
                                          "{'#':'x'",
                                          "\xEF\xBB\xBF{}",
                                          "{'a\\\\q':1}",
                                          "{}" };

    (void)state;
    for (size_t i = 0; i < sizeof frames / sizeof *frames; ++i) {
        table *t = table_lay(NULL, false);
        relay_peer *a = table_join(t, NULL);
        const char *heard;

        table_say(t, a, "%s", frames[i]);
        heard = table_read(t, a);
        if (count_of(heard, "'dam':'!','err':'") != 1) fail_msg("%s: %s", frames[i], heard);
        table_say(t, a, "{'#':'g1','get':{}}");
        assert_non_null(strstr(table_read(t, a), "'@':'g1'}"));
        table_clear(t);
    }
}

static void clocks_are_answered_in_both_forms_and_answers_are_not(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'n1','nts':true}");
    assert_string_equal(table_read(t, a), "{'#':<2>,'@':'n1','nts':1000000}\n");
    table_say(t, a, "{'dam':'nts','#':'n2','nts':[5.5]}");
    assert_string_equal(table_read(t, a), "{'#':<3>,'dam':'nts','@':'n2','nts':[5.5,1000000]}\n");
    table_say(t, a, "{'dam':'nts','#':'n3','@':'n2','nts':[5.5,6]}");
    assert_string_equal(table_read(t, a), "");
    table_clear(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_comes_in_one_message_with_its_hash_and_is_asked_back),
        cmocka_unit_test(what_is_missing_is_said_at_once_and_others_are_asked),
        cmocka_unit_test(what_is_missing_is_said_behind_what_is_found),
        cmocka_unit_test(what_nobody_had_is_not_asked_again_for_a_while),
        cmocka_unit_test(a_miss_asks_a_few_at_a_time_and_no_more_than_its_bound),
        cmocka_unit_test(a_get_that_comes_back_through_another_peer_goes_no_further),
        cmocka_unit_test(an_id_that_harms_gun_clients_is_not_passed_on),
        cmocka_unit_test(nine_keys_are_asked_back_before_the_answer_without_hash),
        cmocka_unit_test(queries_answer_their_interval_and_say_when_they_cut),
        cmocka_unit_test(a_large_node_is_walked_in_fragments_each_key_once),
        cmocka_unit_test(above_a_mebibyte_there_are_several_messages),
        cmocka_unit_test(one_large_value_leaves_in_pieces_and_is_asked_back_with_its_hash),
        cmocka_unit_test(updates_of_a_peer_that_does_not_read_melt_to_the_newest),
        cmocka_unit_test(too_many_marks_become_whole_souls),
        cmocka_unit_test(a_writer_that_comes_back_by_its_pid_hears_on_and_is_asked),
        cmocka_unit_test(a_writer_that_comes_back_with_an_old_value_is_told_the_new_one),
        cmocka_unit_test(asks_back_over_the_budget_wait_and_are_not_forgotten),
        cmocka_unit_test(odd_gets_are_answered),
        cmocka_unit_test(bad_frames_get_one_complaint_and_the_connection_lives),
        cmocka_unit_test(clocks_are_answered_in_both_forms_and_answers_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
