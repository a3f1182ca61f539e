/* test_relay_more.c - what one peer can cost the others: frames that ask for
 * more than they hold, budgets that are spent, answers that nobody reads. */
#include "core/text.h"
#include "relay_bench.h"

#include "core/base64.h"
#include "tests/tools/curve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- frames by the thousand --- */

static void add(text *t, const char *what)
{
    text_add(t, (slice){ what, strlen(what) });
}

static text batch_of(const char *message, int count)
{
    text t = { 0 };

    for (int i = 0; i < count; ++i) {
        add(&t, i == 0 ? "[" : ",");
        add(&t, message);
    }
    add(&t, "]");
    return t;
}

/* A put of keys 0, 1, 2, ... of one soul. */
static text put_of(const char *soul, int keys, const char *state, const char *value)
{
    text t = { 0 };
    char key[32];

    add(&t, "{\"#\":\"w\",\"put\":{\"");
    add(&t, soul);
    add(&t, "\":{\"_\":{\"#\":\"");
    add(&t, soul);
    add(&t, "\",\">\":{");
    for (int i = 0; i < keys; ++i) {
        snprintf(key, sizeof key, "%s\"k%d\":", i == 0 ? "" : ",", i);
        add(&t, key);
        add(&t, state);
    }
    add(&t, "}}");
    for (int i = 0; i < keys; ++i) {
        snprintf(key, sizeof key, ",\"k%d\":", i);
        add(&t, key);
        add(&t, value);
    }
    add(&t, "}}}");
    return t;
}

static char *long_name(size_t len)
{
    char *name = malloc(len + 1);

    assert_non_null(name);
    memset(name, 's', len);
    name[len] = '\0';
    return name;
}

static void hear(table *t, relay_peer *p, text *frame)
{
    relay_hear(table_relay(t), p, text_slice(frame), table_now(t));
    text_free(frame);
}

static relay_gauges gauges(table *t)
{
    relay_gauges g;

    relay_measure(table_relay(t), &g);
    return g;
}

static int count_of(const char *in, const char *what)
{
    int count = 0;

    for (const char *at = in; (at = strstr(at, what)) != NULL; ++at) ++count;
    return count;
}

/* --- */

static void a_batch_waits_while_nobody_reads_its_answers(void **state)
{
    enum { MESSAGES = 3000, BOUND = 20000 };
    relay_limits limits = relay_default_limits();
    limits.outbox_bytes_max = BOUND;
    table *t = table_lay(&limits, false);
    relay_peer *a = table_join(t, NULL);
    text frame = batch_of("{}", MESSAGES);
    int answers = 0;

    (void)state;
    hear(t, a, &frame);
    table_wait(t, 1000);
    assert_true(gauges(t).outbox_bytes < 2 * BOUND);
    assert_false(relay_reading(a));
    for (int i = 0; i < MESSAGES && !relay_reading(a); ++i) {
        answers += count_of(table_read(t, a), "'err'");
        table_wait(t, 5);
    }
    answers += count_of(table_read(t, a), "'err'");
    assert_int_equal(answers, MESSAGES);
    table_clear(t);
}

static void gets_wait_by_their_bytes_and_each_is_answered(void **state)
{
    enum { MESSAGES = 300, BOUND = 20000 };
    relay_limits limits = relay_default_limits();
    limits.outbox_bytes_max = BOUND;
    table *t = table_lay(&limits, false);
    relay_peer *a = table_join(t, NULL);
    char *soul = long_name(2000), get[2100];
    text frame;
    int answers = 0;

    (void)state;
    snprintf(get, sizeof get, "{\"#\":\"g\",\"get\":{\"#\":\"%s\"}}", soul);
    frame = batch_of(get, MESSAGES);
    hear(t, a, &frame);
    table_wait(t, 100);
    assert_false(relay_reading(a));
    for (int i = 0; i < MESSAGES && !relay_reading(a); ++i) {
        answers += count_of(table_read(t, a), "'@':'g'");
        table_wait(t, 5);
    }
    answers += count_of(table_read(t, a), "'@':'g'");
    assert_int_equal(answers, MESSAGES);
    free(soul);
    table_clear(t);
}

static void a_long_soul_has_few_keys_in_a_put(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL);
    char *soul = long_name(60000);
    text frame = put_of(soul, 300, "5", "1");

    (void)state;
    hear(t, a, &frame);
    assert_non_null(
        strstr(table_read(t, a), "'@':'w','err':'limit: too many keys for so long a soul'"));
    frame = put_of(soul, 100, "5", "1");
    hear(t, a, &frame);
    assert_non_null(strstr(table_read(t, a), "'@':'w','ok':true"));
    free(soul);
    table_clear(t);
}

static void marks_of_long_souls_melt_by_their_bytes(void **state)
{
    relay_limits limits = relay_default_limits();
    limits.outbox_bytes_max = 1000;
    table *t = table_lay(&limits, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    char *soul = long_name(60000);
    text frame = { 0 };

    (void)state;
    add(&frame, "{\"#\":\"g\",\"get\":{\"#\":\"");
    add(&frame, soul);
    add(&frame, "\"}}");
    hear(t, a, &frame);
    table_read(t, a);
    frame = put_of(soul, 200, "5", "1");
    hear(t, b, &frame);
    assert_true(gauges(t).outbox_bytes < 1 << 20);
    assert_non_null(strstr(table_read(t, a), "'k199':1"));
    free(soul);
    table_clear(t);
}

/* --- held writes --- */

static void a_clock_that_is_ahead_does_not_use_up_the_held_writes(void **state)
{
    relay_limits limits = relay_default_limits();
    limits.held_max = 10;
    table *t = table_lay(&limits, false);
    relay_peer *a = table_join(t, NULL);

    (void)state;
    /* One that waits for an hour, then one every 5 ms that waits for 20. */
    table_say(t, a, "{'#':'f','put':{'s':{'_':{'#':'s','>':{'far':4000000}},'far':1}}}");
    for (int i = 0; i < 100; ++i) {
        table_say(t, a, "{'#':'w%d','put':{'s':{'_':{'#':'s','>':{'k':%.0f}},'k':%d}}}", i,
                  table_now(t).wall_ms + 20, i);
        assert_null(strstr(table_read(t, a), "'err'"));
        table_wait(t, 5);
    }
    table_clear(t);
}

static void held_writes_are_bounded_in_bytes_too(void **state)
{
    relay_limits limits = relay_default_limits();
    limits.message_bytes_max = 100000;
    table *t = table_lay(&limits, false);
    relay_peer *a = table_join(t, NULL);
    char *soul = long_name(1000);
    text frame = put_of(soul, 200, "1005000", "1");

    (void)state;
    hear(t, a, &frame);
    assert_non_null(strstr(table_read(t, a), "'err':'limit: too many writes from the future'"));
    frame = put_of(soul, 50, "1005000", "1");
    hear(t, a, &frame);
    assert_non_null(strstr(table_read(t, a), "'ok':true"));
    free(soul);
    table_clear(t);
}

static void an_answer_holds_no_more_than_its_peer_may(void **state)
{
    relay_limits limits = relay_default_limits();
    limits.held_max = 10;
    table *t = table_lay(&limits, false);
    relay_peer *a = table_join(t, NULL);
    text frame = put_of("s", 30, "1005000", "1");

    (void)state;
    frame.len -= 1;
    add(&frame, ",\"@\":\"x\"}");
    hear(t, a, &frame);
    assert_non_null(strstr(table_read(t, a), "'err':'future: "));
    assert_int_equal(relay_count(table_relay(t))->keys_held, 10);
    table_clear(t);
}

static void all_that_came_due_at_once_is_told(void **state)
{
    enum { WRITES = 20 };
    relay_limits limits = relay_default_limits();
    limits.message_bytes_max = 4096;
    table *t = table_lay(&limits, false);
    relay_peer *reader = table_join(t, NULL);
    char *value = long_name(3000);

    (void)state;
    table_say(t, reader, "{'#':'g','get':{'#':'s'}}");
    table_read(t, reader);
    for (int i = 0; i < WRITES; ++i) {
        relay_peer *a = table_join(t, NULL);
        table_say(t, a, "{'#':'w','put':{'s':{'_':{'#':'s','>':{'k%d':1005000}},'k%d':'%s'}}}", i,
                  i, value);
        assert_non_null(strstr(table_read(t, a), "'ok':true"));
    }
    table_wait(t, 6000);
    assert_int_equal(count_of(table_read(t, reader), "'put'"), WRITES);
    free(value);
    table_clear(t);
}

static void one_peer_does_not_use_up_the_held_writes_of_memory_souls(void **state)
{
    relay_limits limits = relay_default_limits();
    limits.held_max = 10;
    table *t = table_lay(&limits, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    text frame = put_of("/RTC/a", 10, "80000000", "1");

    (void)state;
    hear(t, a, &frame);
    assert_non_null(strstr(table_read(t, a), "'ok':true"));
    table_say(t, b, "{'#':'v','put':{'/RTC/b':{'_':{'#':'/RTC/b','>':{'+':1000003}},'+':1}}}");
    assert_non_null(strstr(table_read(t, b), "'@':'v','ok':true"));
    table_clear(t);
}

/* --- budgets --- */

static void large_nodes_are_asked_back_at_their_own_pace(void **state)
{
    enum { SOULS = 5 };
    relay_limits limits = relay_default_limits();
    limits.back_large_rate = 1;
    table *t = table_lay(&limits, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    char soul[16];

    (void)state;
    for (int i = 0; i < SOULS; ++i) {
        snprintf(soul, sizeof soul, "s%d", i);
        text frame = put_of(soul, 9, "5", "1");
        hear(t, a, &frame);
        table_say(t, b, "{'#':'g%d','get':{'#':'s%d'}}", i, i);
    }
    assert_int_equal(count_of(table_read(t, b), "'get'"), 1);
    table_wait(t, 500);
    assert_int_equal(count_of(table_read(t, b), "'get'"), 0);
    for (int i = 1; i < SOULS; ++i) {
        table_wait(t, 1000);
        assert_int_equal(count_of(table_read(t, b), "'get'"), 1);
    }
    table_wait(t, 5000);
    assert_int_equal(count_of(table_read(t, b), "'get'"), 0);
    table_clear(t);
}

static void a_miss_waits_for_the_budget_of_all(void **state)
{
    relay_limits limits = relay_default_limits();
    limits.asked_rate_all = 1;
    table *t = table_lay(&limits, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);

    (void)state;
    table_say(t, a, "{'#':'g1','get':{'#':'one'}}");
    table_say(t, a, "{'#':'g2','get':{'#':'two'}}");
    table_read(t, a);
    assert_int_equal(count_of(table_read(t, b), "'get'"), 1);
    table_wait(t, 1500);
    assert_string_equal(table_read(t, b), "{'#':'g2','get':{'#':'two'}}\n");
    table_clear(t);
}

static void a_miss_goes_on_when_its_asker_has_left(void **state)
{
    relay_limits limits = relay_default_limits();
    limits.miss_per_turn = 1;
    table *t = table_lay(&limits, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL), *c = table_join(t, NULL);
    relay_peer *again;

    (void)state;
    table_say(t, a, "{'#':'g1','get':{'#':'s'}}");
    table_read(t, a);
    table_leave(t, a);
    again = table_join(t, NULL);
    table_say(t, again, "{'#':'g2','get':{'#':'s'}}");
    table_read(t, again);
    table_wait(t, 200);
    assert_string_equal(table_read(t, b), "{'#':'g1','get':{'#':'s'}}\n");
    assert_string_equal(table_read(t, c), "{'#':'g1','get':{'#':'s'}}\n");
    table_say(t, c, "{'#':'r','@':'g1','put':{'s':{'_':{'#':'s','>':{'k':7}},'k':'found'}}}");
    assert_non_null(strstr(table_read(t, again), "'k':'found'"));
    table_clear(t);
}

/* --- answers --- */

static void a_cut_answer_says_so_also_when_its_message_is_full(void **state)
{
    relay_limits limits = relay_default_limits();
    limits.answer_bytes = 1000;
    limits.snapshot_bytes = 200;
    limits.fragment_bytes = 100;

    (void)state;
    for (uint32_t keys = 1; keys < 60; ++keys) {
        limits.lex_keys_max = keys;
        table *t = table_lay(&limits, false);
        relay_peer *a = table_join(t, NULL);
        text frame = put_of("s", 100, "5", "\"0123456789012345678901234567\"");
        hear(t, a, &frame);
        table_read(t, a);
        table_say(t, a, "{'#':'g','get':{'#':'s','.':{'*':''}}}");
        const char *answer = table_read(t, a);
        assert_int_equal(count_of(answer, "':'0123456789"), keys);
        assert_int_equal(count_of(answer, "'%':1}"), 1);
        table_clear(t);
    }
}

static void a_get_is_answered_while_changes_come_as_fast_as_they_are_read(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    relay_piece piece;
    bool answered = false;

    (void)state;
    table_say(t, a, "{'#':'p','put':{'cold':{'_':{'#':'cold','>':{'k':1}},'k':1}}}");
    table_say(t, b, "{'#':'g1','get':{'#':'hot'}}");
    table_read(t, b);
    table_say(t, b, "{'#':'g2','get':{'#':'cold'}}");
    for (int i = 1; i < 100 && !answered; ++i) {
        table_say(t, a, "{'#':'h','put':{'hot':{'_':{'#':'hot','>':{'k':%d}},'k':%d}}}", i, i);
        assert_true(relay_next(table_relay(t), b, &piece, table_now(t)));
        answered = memmem(piece.at, piece.len, "\"g2\"", 4) != NULL;
        relay_sent(table_relay(t), b, table_now(t));
    }
    assert_true(answered);
    table_clear(t);
}

static void a_large_value_under_its_hash_is_not_subscribed_once_found(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    char *value = long_name(70000), key[BASE64_LEN_32 + 1] = "";
    uint8_t digest[SEA_DIGEST_BYTES];

    (void)state;
    test_curve.sha256(NULL, (slice){ value, 70000 }, digest);
    base64_print32(digest, key);
    table_say(t, a, "{'put':{'#c':{'_':{'#':'#c','>':{'%s':5}},'%s':'%s'}}}", key, key, value);
    table_say(t, b, "{'#':'g','get':{'#':'#c','.':'%s'}}", key);
    assert_int_equal(gauges(t).interests, 1);
    assert_non_null(strstr(table_read(t, b), "'@':'g'"));
    assert_int_equal(gauges(t).interests, 0);
    free(value);
    table_clear(t);
}

static void a_loser_of_many_keys_is_told_them_as_it_reads(void **state)
{
    enum { KEYS = 500, BOUND = 100000 };
    relay_limits limits = relay_default_limits();
    limits.outbox_bytes_max = BOUND;
    table *t = table_lay(&limits, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    char *value = long_name(3000);
    text frame;

    (void)state;
    value[0] = value[2999] = '"';
    frame = put_of("s", KEYS, "5", value);
    hear(t, a, &frame);
    frame = put_of("s", KEYS, "4", "1");
    hear(t, b, &frame);
    assert_true(gauges(t).outbox_bytes < 5 * BOUND);
    const char *told = table_read(t, b);
    assert_int_equal(count_of(told, "':'sss"), KEYS);
    assert_non_null(strstr(told, "'@':'w','ok':true"));
    free(value);
    table_clear(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_waits_while_nobody_reads_its_answers),
        cmocka_unit_test(gets_wait_by_their_bytes_and_each_is_answered),
        cmocka_unit_test(a_long_soul_has_few_keys_in_a_put),
        cmocka_unit_test(marks_of_long_souls_melt_by_their_bytes),
        cmocka_unit_test(a_clock_that_is_ahead_does_not_use_up_the_held_writes),
        cmocka_unit_test(held_writes_are_bounded_in_bytes_too),
        cmocka_unit_test(an_answer_holds_no_more_than_its_peer_may),
        cmocka_unit_test(all_that_came_due_at_once_is_told),
        cmocka_unit_test(one_peer_does_not_use_up_the_held_writes_of_memory_souls),
        cmocka_unit_test(large_nodes_are_asked_back_at_their_own_pace),
        cmocka_unit_test(a_miss_waits_for_the_budget_of_all),
        cmocka_unit_test(a_miss_goes_on_when_its_asker_has_left),
        cmocka_unit_test(a_get_is_answered_while_changes_come_as_fast_as_they_are_read),
        cmocka_unit_test(a_large_value_under_its_hash_is_not_subscribed_once_found),
        cmocka_unit_test(a_loser_of_many_keys_is_told_them_as_it_reads),
        cmocka_unit_test(a_cut_answer_says_so_also_when_its_message_is_full),
    };

    return cmocka_run_group_tests_name("relay_more", tests, NULL, NULL);
}
