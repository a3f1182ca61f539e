/* test_relay_memory.c - what signed data can make the relay hold while verdicts are out,
 * and what becomes of it when memory is short. */
#include "core/json.h"
#include "relay_bench.h"
#include "tests/tools/curve.h"
#include "tests/unit/failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ALICE = 1, BOB, EVE };
enum { PEERS = 1000, CHECKS = 100000 };

/* --- a pool that runs nothing until it is told to --- */

typedef struct idle_pool {
    check *out[CHECKS];
    size_t count;
} idle_pool;

static idle_pool pool;

static void submit(void *context, check *c)
{
    idle_pool *p = context;

    assert_true(p->count < CHECKS);
    p->out[p->count++] = c;
}

static void verify_all(table *t)
{
    while (pool.count > 0) {
        check *c = pool.out[--pool.count];

        check_run(c, &test_curve);
        relay_checked(table_relay(t), c, table_now(t));
        relay_turn(table_relay(t), table_now(t));
    }
}

static table *lay(const relay_limits *limits)
{
    pool.count = 0;
    return table_lay_before(limits, false, (check_pool){ &pool, submit });
}

/* --- what is said --- */

static void add(text *t, const char *words)
{
    text_add(t, (slice){ words, strlen(words) });
}

static const char *soul_of(int who, const char *path)
{
    static char name[200];
    char pub[CURVE_PUB_LEN + 1];

    curve_pub(who, pub);
    snprintf(name, sizeof name, "~%s%s", pub, path);
    return name;
}

/* Put of one key: `value` is what follows the colon. */
static void begin_put(text *t, const char *id, const char *soul, const char *key, double state)
{
    char number[32];

    snprintf(number, sizeof number, "%.0f", state);
    t->len = 0;
    add(t, "{\"#\":\"");
    add(t, id);
    add(t, "\",\"put\":{\"");
    add(t, soul);
    add(t, "\":{\"_\":{\"#\":\"");
    add(t, soul);
    add(t, "\",\">\":{\"");
    add(t, key);
    add(t, "\":");
    add(t, number);
    add(t, "}},\"");
    add(t, key);
    add(t, "\":");
}

static void print_signed(text *t, const char *id, int who, const char *soul, const char *key,
                         const char *certificate)
{
    text value = { 0 };

    curve_value(&value, who, certificate, soul, key, "1", 5);
    begin_put(t, id, soul, key, 5);
    json_print_name(t, text_slice(&value));
    add(t, "}}}");
    text_free(&value);
}

/* Put of many keys, this name and a number each, that all say the same. `at` may make an
 * answer of it. */
static void print_keys(text *t, const char *at, const char *soul, const char *name, int keys,
                       slice value)
{
    char one[32];

    t->len = 0;
    add(t, "{\"#\":\"p\",");
    add(t, at);
    add(t, "\"put\":{\"");
    add(t, soul);
    add(t, "\":{\"_\":{\"#\":\"");
    add(t, soul);
    add(t, "\",\">\":{");
    for (int i = 0; i < keys; ++i) {
        snprintf(one, sizeof one, "%s\"%s%d\":5", i > 0 ? "," : "", name, i);
        add(t, one);
    }
    add(t, "}}");
    for (int i = 0; i < keys; ++i) {
        snprintf(one, sizeof one, ",\"%s%d\":", name, i);
        add(t, one);
        text_add(t, value);
    }
    add(t, "}}}");
}

/* The shortest text for what it costs to hold. */
static void print_many(text *t, int keys)
{
    print_keys(t, "", soul_of(ALICE, ""), "", keys, SLICE("1"));
}

static void hear(table *t, relay_peer *p, const text *frame)
{
    relay_hear(table_relay(t), p, text_slice(frame), table_now(t));
    relay_turn(table_relay(t), table_now(t));
}

static size_t weighed(table *t)
{
    relay_gauges g;

    relay_measure(table_relay(t), &g);
    return g.suspended_bytes;
}

/* --- bounds --- */

/* As many as each may: verdicts do not come. */
static void a_thousand_peers_whose_puts_wait_hold_what_the_limit_says(void **state)
{
    relay_limits limits = relay_default_limits();
    table *t;
    relay_peer *peers[PEERS];
    text frame = { 0 };
    size_t before, held, said = 0;

    (void)state;
    limits.suspended_bytes_max = 16u << 20;
    t = lay(&limits);
    for (int i = 0; i < PEERS; ++i) peers[i] = table_join(t, NULL);
    before = failing_heap_bytes();
    for (int round = 0; round < (int)limits.ahead_messages; ++round)
        for (int i = 0; i < PEERS; ++i) {
            char key[32];

            if (!relay_reading(peers[i])) continue;
            snprintf(key, sizeof key, "k%d-%d", i, round);
            print_signed(&frame, "p", EVE, soul_of(ALICE, ""), key, NULL);
            hear(t, peers[i], &frame);
            ++said;
        }
    held = failing_heap_bytes() - before;
    /* None was refused, and nearly all of what is held is known. */
    assert_int_equal(relay_count(table_relay(t))->puts_refused, 0);
    assert_int_equal(pool.count, said);
    assert_true(said > 2 * PEERS);
    assert_in_range(weighed(t), limits.suspended_bytes_max / 2, limits.suspended_bytes_max);
    assert_in_range(held, 0, weighed(t) + weighed(t) / 4);
    for (int i = 0; i < PEERS; ++i) assert_false(relay_reading(peers[i]));
    verify_all(t);
    assert_int_equal(weighed(t), 0);
    assert_int_equal(relay_count(table_relay(t))->puts_refused, said);
    text_free(&frame);
    table_clear(t);
}

/* And a few of them do not crowd out what others write. */
static void puts_of_many_keys_are_weighed_with_all_they_hold(void **state)
{
    relay_limits limits = relay_default_limits();
    table *t;
    text frame = { 0 };
    size_t before, held, heard = 0;
    relay_peer *p;

    (void)state;
    limits.put_slice_keys = limits.put_keys_max; /* the look is one step */
    limits.suspended_bytes_max = 48u << 20;
    t = lay(&limits);
    print_many(&frame, 60000);
    before = failing_heap_bytes();
    do {
        p = table_join(t, NULL);
        hear(t, p, &frame);
        ++heard;
        assert_true(heard < 100);
    } while (relay_count(table_relay(t))->puts_refused == 0);
    table_say(t, p, "{'#':'g','get':{'#':'x'}}"); /* the memory of the last one is free */
    held = failing_heap_bytes() - before;
    assert_non_null(strstr(table_read(t, p), "'err':'busy: too much waits to be verified'"));
    /* The last that was taken may have passed the bound. */
    assert_true(heard > 2);
    assert_true(weighed(t) / (heard - 1) > 4 * frame.len);
    assert_in_range(weighed(t), limits.suspended_bytes_max / 2, limits.suspended_bytes_max);
    assert_in_range(held, 0, weighed(t) + weighed(t) / 4);
    p = table_join(t, NULL);
    print_signed(&frame, "small", ALICE, soul_of(ALICE, ""), "k", NULL);
    hear(t, p, &frame);
    verify_all(t);
    assert_non_null(strstr(table_read(t, p), "'@':'small','ok':true"));
    assert_int_equal(weighed(t), 0);
    text_free(&frame);
    table_clear(t);
}

/* Values that are sorted, member by member, to be verified: what that takes is given
 * back key by key, not when the loop comes round. */
static void what_was_verified_holds_no_more_than_what_was_found(void **state)
{
    table *t = lay(NULL);
    relay_peer *p = table_join(t, NULL);
    text frame = { 0 }, value = { 0 };
    size_t before, waiting;
    char member[32];

    (void)state;
    add(&value, "{\":\":{");
    for (int i = 0; i < 20000; ++i) {
        snprintf(member, sizeof member, "%s\"k%d\":0", i > 0 ? "," : "", i);
        add(&value, member);
    }
    add(&value, "},\"~\":\"");
    curve_sign(&value, EVE, SLICE("something else"));
    add(&value, "\"}");
    before = failing_heap_bytes();
    begin_put(&frame, "p", soul_of(ALICE, ""), "k", 5);
    json_print_name(&frame, text_slice(&value));
    add(&frame, "}}}");
    hear(t, p, &frame);
    waiting = failing_heap_bytes();
    assert_true(waiting > before);
    assert_int_equal(pool.count, 1);
    check_run(pool.out[0], &test_curve);
    assert_in_range(failing_heap_bytes(), waiting, waiting + 4096);
    relay_checked(table_relay(t), pool.out[--pool.count], table_now(t));
    relay_turn(table_relay(t), table_now(t));
    assert_non_null(strstr(table_read(t, p), "Unverified data."));
    text_free(&frame);
    text_free(&value);
    table_clear(t);
}

/* --- what nobody asks any more --- */

static void print_forged_keys(text *t, int keys, const char *at)
{
    const char *soul = soul_of(ALICE, "");
    text value = { 0 }, spelled = { 0 };

    curve_value(&value, EVE, NULL, soul, "other", "1", 5);
    json_print_name(&spelled, text_slice(&value));
    print_keys(t, at, soul, "k", keys, text_slice(&spelled));
    text_free(&value);
    text_free(&spelled);
}

static uint64_t keys_checked(table *t)
{
    return relay_count(table_relay(t))->keys_checked;
}

static void the_first_forgery_of_a_put_ends_its_checks(void **state)
{
    table *t = lay(NULL);
    relay_peer *p = table_join(t, NULL);
    text frame = { 0 };

    (void)state;
    print_forged_keys(&frame, 1000, "");
    hear(t, p, &frame);
    assert_true(pool.count > 1);
    verify_all(t);
    assert_int_equal(keys_checked(t), CHECK_KEYS);
    assert_non_null(strstr(table_read(t, p), "Unverified data."));
    print_forged_keys(&frame, 100, "\"@\":\"x\","); /* of an answer all are asked for */
    hear(t, p, &frame);
    verify_all(t);
    assert_int_equal(keys_checked(t), CHECK_KEYS + 100);
    text_free(&frame);
    table_clear(t);
}

static void who_leaves_is_not_verified_any_more(void **state)
{
    table *t = lay(NULL);
    relay_peer *p = table_join(t, NULL);
    text frame = { 0 };

    (void)state;
    print_forged_keys(&frame, 100, "\"@\":\"x\",");
    hear(t, p, &frame);
    assert_true(pool.count > 1);
    table_leave(t, p);
    assert_true(weighed(t) > 0);
    for (size_t i = 0; i < pool.count; ++i) {
        check_run(pool.out[i], &test_curve);
        assert_int_equal(pool.out[i]->run, 0);
    }
    verify_all(t);
    assert_int_equal(weighed(t), 0);
    text_free(&frame);
    table_clear(t);
}

/* A thread that is at it holds up everybody behind it. */
static void of_large_values_few_are_checked_at_once(void **state)
{
    enum { LARGE = 20000 };
    table *t = lay(NULL);
    relay_peer *p = table_join(t, NULL);
    text frame = { 0 }, value = { 0 };

    (void)state;
    text_add_char(&value, '"');
    for (int n = 0; n < LARGE; ++n) text_add_char(&value, 'x');
    text_add_char(&value, '"');
    print_keys(&frame, "", "c#", "", 12, text_slice(&value));
    hear(t, p, &frame);
    assert_int_equal(pool.count, 4);
    for (size_t i = 0; i < pool.count; ++i) {
        size_t bytes = 0;
        for (size_t k = 0; k < pool.out[i]->count; ++k) bytes += pool.out[i]->writes[k]->value.len;
        assert_in_range(bytes, LARGE, CHECK_BYTES);
    }
    verify_all(t);
    text_free(&frame);
    text_free(&value);
    table_clear(t);
}

/* --- short memory --- */

/* Says a put by certificate, with the n-th allocation failing from when it is heard
 * until it is answered. */
static const char *say_starved(table *t, relay_peer *p, const text *frame, long n, bool *failed)
{
    failing_at(n);
    hear(t, p, frame);
    verify_all(t);
    *failed = failing_happened();
    failing_at(0);
    return relay_closing(p) ? "closing" : table_read(t, p);
}

static void print_certified(text *frame, int who, const char *blocks)
{
    char inbox[200], terms[300];
    text certificate = { 0 };

    snprintf(inbox, sizeof inbox, "%s", soul_of(ALICE, "/inbox"));
    snprintf(terms, sizeof terms, "{\"c\":\"*\",\"w\":{\"*\":\"inbox\"},\"wb\":%s}", blocks);
    curve_certificate(&certificate, ALICE, terms);
    text_add_char(&certificate, '\0');
    print_signed(frame, "p", who, inbox, "k", certificate.at);
    text_free(&certificate);
}

/* Alice blocks Bob in the soul that clients make, by way of a key, and in a list of
 * a soul of its own. */
static void block_bob(table *t, relay_peer *p)
{
    char pub[CURVE_PUB_LEN + 1], list[200];
    text frame = { 0 }, link = { 0 }, value = { 0 };

    curve_pub(BOB, pub);
    print_signed(&frame, "b1", ALICE, soul_of(ALICE, "/blocked"), pub, NULL);
    hear(t, p, &frame);
    snprintf(list, sizeof list, "%s", soul_of(ALICE, "/list"));
    print_signed(&frame, "b2", ALICE, list, pub, NULL);
    hear(t, p, &frame);
    add(&link, "{\"#\":\"");
    add(&link, list);
    add(&link, "\"}");
    text_add_char(&link, '\0');
    curve_value(&value, ALICE, NULL, soul_of(ALICE, ""), "linked", link.at, 5);
    begin_put(&frame, "b3", soul_of(ALICE, ""), "linked", 5);
    json_print_name(&frame, text_slice(&value));
    add(&frame, "}}}");
    hear(t, p, &frame);
    verify_all(t);
    assert_null(strstr(table_read(t, p), "'err'"));
    text_free(&frame);
    text_free(&link);
    text_free(&value);
}

static void who_is_blocked_is_not_admitted_for_want_of_memory(void **state)
{
    char soul[220];
    const char *lists[] = { "\"blocked\"", "\"linked\"", soul };
    text frame = { 0 };

    (void)state;
    snprintf(soul, sizeof soul, "{\"#\":\"%s\"}", soul_of(ALICE, "/list"));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; ++i) {
        bool failed = true;

        for (long n = 1; failed; ++n) {
            table *t = lay(NULL);
            relay_peer *p = table_join(t, NULL);
            const char *heard;
            size_t rows;

            block_bob(t, p);
            rows = graph_memory_rows(table_memory(t));
            print_certified(&frame, BOB, lists[i]);
            heard = say_starved(t, p, &frame, n, &failed);
            assert_null(strstr(heard, "'ok'"));
            assert_true(failed || strstr(heard, " blocked.'") != NULL);
            assert_int_equal(graph_memory_rows(table_memory(t)), rows);
            table_clear(t);
        }
    }
    text_free(&frame);
}

/* One answer, and that is true; or the connection ends. Afterwards the same put is
 * taken. */
static void a_signed_put_survives_the_failure_of_any_allocation(void **state)
{
    bool failed = true;
    text frame = { 0 };

    (void)state;
    for (long n = 1; failed; ++n) {
        table *t = lay(NULL);
        relay_peer *p = table_join(t, NULL);
        const char *heard;
        size_t rows;

        print_certified(&frame, BOB, "\"blocked\"");
        heard = say_starved(t, p, &frame, n, &failed);
        rows = graph_memory_rows(table_memory(t));
        if (strstr(heard, "'ok':true") != NULL)
            assert_int_equal(rows, 1);
        else if (strstr(heard, "'err':'") != NULL)
            assert_non_null(strstr(heard, "'err':'busy: out of memory"));
        else
            assert_string_equal(heard, "closing");
        assert_true(failed || rows == 1);
        assert_int_equal(weighed(t), relay_closing(p) ? weighed(t) : 0);
        table_leave(t, p);
        verify_all(t);
        assert_int_equal(weighed(t), 0);
        p = table_join(t, NULL);
        hear(t, p, &frame);
        verify_all(t);
        assert_non_null(strstr(table_read(t, p), "'ok':true"));
        assert_int_equal(graph_memory_rows(table_memory(t)), 1);
        table_clear(t);
    }
    text_free(&frame);
}

/* What could not be verified is dropped, and never kept. */
static void what_is_forged_is_never_kept_for_want_of_memory(void **state)
{
    static const struct {
        int keys;
        const char *at;
    } messages[] = { { 10, "\"@\":\"x\"," }, { 10, "" }, { 5000, "\"@\":\"x\"," }, { 5000, "" } };
    text frame = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; ++i) {
        bool failed = true;

        print_forged_keys(&frame, messages[i].keys, messages[i].at);
        for (long n = 1; failed && n < 200; ++n) {
            table *t = lay(NULL);
            relay_peer *p = table_join(t, NULL);
            const char *heard = say_starved(t, p, &frame, n, &failed);

            assert_null(strstr(heard, "'ok'"));
            assert_int_equal(graph_memory_rows(table_memory(t)), 0);
            table_clear(t);
        }
    }
    text_free(&frame);
}

/* There are so many keys that the marks of what is good are a block of their own. */
static void a_put_of_many_keys_is_refused_when_there_is_no_memory_to_judge_it(void **state)
{
    relay_limits limits = relay_default_limits();
    text frame = { 0 };
    bool failed = true;
    int busy = 0;

    (void)state;
    limits.put_slice_keys = limits.put_keys_max; /* the look is one step */
    print_many(&frame, 66000);
    for (long n = 1; failed; ++n) {
        table *t = lay(&limits);
        relay_peer *p = table_join(t, NULL);
        const char *heard = say_starved(t, p, &frame, n, &failed);

        assert_null(strstr(heard, "'ok'"));
        busy += strstr(heard, "'err':'busy: out of memory") != NULL;
        assert_int_equal(graph_memory_rows(table_memory(t)), 0);
        assert_true(n < 1000);
        table_clear(t);
    }
    assert_true(busy > 0);
    text_free(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_peers_whose_puts_wait_hold_what_the_limit_says),
        cmocka_unit_test(puts_of_many_keys_are_weighed_with_all_they_hold),
        cmocka_unit_test(what_was_verified_holds_no_more_than_what_was_found),
        cmocka_unit_test(the_first_forgery_of_a_put_ends_its_checks),
        cmocka_unit_test(who_leaves_is_not_verified_any_more),
        cmocka_unit_test(of_large_values_few_are_checked_at_once),
        cmocka_unit_test(who_is_blocked_is_not_admitted_for_want_of_memory),
        cmocka_unit_test(a_signed_put_survives_the_failure_of_any_allocation),
        cmocka_unit_test(what_is_forged_is_never_kept_for_want_of_memory),
        cmocka_unit_test(a_put_of_many_keys_is_refused_when_there_is_no_memory_to_judge_it),
    };
    return cmocka_run_group_tests_name("relay_memory", tests, NULL, NULL);
}
