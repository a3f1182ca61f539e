/* test_relay_sea.c - what becomes of what is signed, and of what is forged; with
 * verdicts that come when the test lets them. */
#include "core/base64.h"
#include "relay_bench.h"
#include "tests/tools/curve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ALICE = 1, BOB, EVE };

/* --- a pool that the test turns --- */

typedef struct slow_pool {
    check *waiting[1000];
    size_t count;
} slow_pool;

static void submit(void *context, check *c)
{
    slow_pool *pool = context;

    assert_true(pool->count < sizeof pool->waiting / sizeof *pool->waiting);
    pool->waiting[pool->count++] = c;
}

/* Verifies the one that waits at this place, and gives it back. */
static void verify_at(slow_pool *pool, table *t, size_t at)
{
    check *c = pool->waiting[at];

    assert_true(at < pool->count);
    memmove(&pool->waiting[at], &pool->waiting[at + 1],
            (pool->count - at - 1) * sizeof *pool->waiting);
    --pool->count;
    check_run(c, &test_curve);
    relay_checked(table_relay(t), c, table_now(t));
    relay_turn(table_relay(t), table_now(t));
}

static void verify_all(slow_pool *pool, table *t)
{
    while (pool->count > 0) verify_at(pool, t, 0);
}

static table *lay_slow(slow_pool *pool)
{
    *pool = (slow_pool){ .count = 0 };
    return table_lay_before(NULL, false, (check_pool){ pool, submit });
}

/* --- what is said --- */

static char *soul_of(int who, const char *path)
{
    static char names[4][200];
    static int at;
    char pub[CURVE_PUB_LEN + 1];
    char *name = names[++at % 4];

    curve_pub(who, pub);
    snprintf(name, sizeof *names, "~%s%s", pub, path);
    return name;
}

/* A value as a string of JSON, with single quotes for double ones where table_say()
 * turns them; lent until the fourth call from now. */
static const char *quoted(const text *value)
{
    static char spelled[8][6000];
    static int at;
    char *to = spelled[++at % 8], *begin = to;

    *to++ = '\'';
    for (size_t i = 0; i < value->len; ++i) {
        if (value->at[i] == '"') *to++ = '\\';
        *to++ = value->at[i];
        assert_true(to - begin < 5990);
    }
    *to++ = '\'';
    *to = '\0';
    return begin;
}

static const char *signed_by(int who, const char *soul, const char *key, const char *said,
                             double state)
{
    text value = { 0 };
    const char *spelled;

    curve_value(&value, who, NULL, soul, key, said, state);
    spelled = quoted(&value);
    text_free(&value);
    return spelled;
}

static const char *certified(int who, int owner, const char *terms, const char *soul,
                             const char *key, const char *said, double state)
{
    text certificate = { 0 }, value = { 0 };
    const char *spelled;

    curve_certificate(&certificate, owner, terms);
    text_add_char(&certificate, '\0');
    curve_value(&value, who, certificate.at, soul, key, said, state);
    spelled = quoted(&value);
    text_free(&certificate);
    text_free(&value);
    return spelled;
}

static void say_put(table *t, relay_peer *p, const char *id, const char *soul, const char *key,
                    const char *value, double state)
{
    table_say(t, p, "{'#':'%s','put':{'%s':{'_':{'#':'%s','>':{'%s':%.0f}},'%s':%s}}}", id, soul,
              soul, key, state, key, value);
}

static size_t rows(table *t)
{
    return graph_memory_rows(table_memory(t));
}

static bool heard(table *t, relay_peer *p, const char *what)
{
    return strstr(table_read(t, p), what) != NULL;
}

/* --- signed puts --- */

static void a_signed_put_is_kept_relayed_and_acknowledged(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    const char *soul = soul_of(ALICE, "");

    (void)state;
    table_say(t, b, "{'#':'g','get':{'#':'%s'}}", soul);
    table_read(t, b);
    table_read(t, a);
    say_put(t, a, "p1", soul, "x", signed_by(ALICE, soul, "x", "\"y\"", 5), 5);
    assert_true(heard(t, a, "'@':'p1','ok':true}"));
    assert_true(heard(t, b, "'put':{"));
    assert_int_equal(rows(t), 1);
    table_clear(t);
}

static void a_forged_put_leaves_no_trace_and_is_answered_in_guns_words(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    const char *soul = soul_of(ALICE, "");
    const char *answer;

    (void)state;
    table_say(t, b, "{'#':'g','get':{'#':'%s'}}", soul);
    table_read(t, b);
    table_read(t, a);
    say_put(t, a, "p1", soul, "x", signed_by(EVE, soul, "x", "\"y\"", 5), 5);
    answer = table_read(t, a);
    assert_non_null(strstr(answer, "'@':'p1','err':'Unverified data.','of':{'#':'~"));
    assert_non_null(strstr(answer, ",'.':'x'}}"));
    assert_string_equal(table_read(t, b), "");
    assert_int_equal(rows(t), 0);
    assert_int_equal(relay_count(table_relay(t))->keys_forged, 1);
    table_clear(t);
}

static void a_get_behind_a_signed_put_sees_it_however_long_the_verdict_takes(void **state)
{
    slow_pool pool;
    table *t = lay_slow(&pool);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    const char *soul = soul_of(ALICE, ""), *answer, *ack, *got;

    (void)state;
    say_put(t, a, "p1", soul, "x", signed_by(ALICE, soul, "x", "\"y\"", 5), 5);
    table_say(t, a, "{'#':'g1','get':{'#':'%s','.':'x'}}", soul);
    table_wait(t, 1000);
    assert_string_equal(table_read(t, a), "");
    /* Nobody else waits meanwhile. */
    table_say(t, b, "{'#':'p2','put':{'s':{'_':{'#':'s','>':{'a':5}},'a':1}}}");
    assert_true(heard(t, b, "'@':'p2','ok':true}"));
    verify_all(&pool, t);
    answer = table_read(t, a);
    ack = strstr(answer, "'@':'p1','ok':true}");
    got = strstr(answer, "'@':'g1'");
    assert_non_null(ack);
    assert_non_null(got);
    assert_true(ack < got);
    assert_non_null(strstr(got, "'put':{"));
    table_clear(t);
}

static void verdicts_in_any_order_leave_the_order_of_a_peer(void **state)
{
    slow_pool pool;
    table *t = lay_slow(&pool);
    relay_peer *a = table_join(t, NULL);
    const char *soul = soul_of(ALICE, ""), *answer, *found = NULL;
    char key[2] = "a", mark[40];

    (void)state;
    for (int i = 0; i < 5; ++i) {
        char id[3] = { 'p', (char)('1' + i), 0 };
        key[0] = (char)('a' + i);
        say_put(t, a, id, soul, key, signed_by(i == 2 ? EVE : ALICE, soul, key, "1", 5), 5);
    }
    assert_int_equal(pool.count, 5); /* all at once */
    verify_at(&pool, t, 4);
    verify_at(&pool, t, 2);
    verify_at(&pool, t, 1);
    assert_string_equal(table_read(t, a), "");
    verify_at(&pool, t, 0);
    verify_at(&pool, t, 0);
    answer = table_read(t, a);
    for (int i = 0; i < 5; ++i) {
        snprintf(mark, sizeof mark, "'@':'p%d',%s", i + 1, i == 2 ? "'err'" : "'ok'");
        const char *next = strstr(answer, mark);
        assert_non_null(next);
        assert_true(found == NULL || next > found);
        found = next;
    }
    assert_int_equal(rows(t), 4);
    table_clear(t);
}

static void what_is_known_or_stale_costs_no_check(void **state)
{
    slow_pool pool;
    table *t = lay_slow(&pool);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    const char *soul = soul_of(ALICE, "");

    (void)state;
    say_put(t, a, "p1", soul, "x", signed_by(ALICE, soul, "x", "\"y\"", 5), 5);
    verify_all(&pool, t);
    assert_true(heard(t, a, "'ok':true"));
    say_put(t, b, "p2", soul, "x", signed_by(ALICE, soul, "x", "\"y\"", 5), 5);
    assert_true(heard(t, b, "'@':'p2','ok':true}"));
    /* Older, and even forged: it loses, and its author is told what is kept. */
    say_put(t, b, "p3", soul, "x", signed_by(EVE, soul, "x", "\"old\"", 4), 4);
    {
        const char *answer = table_read(t, b);
        assert_non_null(strstr(answer, "'put':{"));
        assert_non_null(strstr(answer, "'@':'p3','ok':true}"));
    }
    assert_int_equal(pool.count, 0);
    assert_int_equal(rows(t), 1);
    table_clear(t);
}

/* What was kept may be gone by the time that a put is applied. What lost against it
 * was never verified, so it has lost for good. */
static void what_lost_at_the_look_is_not_taken_when_what_it_lost_to_is_gone(void **state)
{
    slow_pool pool;
    table *t = lay_slow(&pool);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    const char *root = soul_of(ALICE, "");
    relay_gauges g;
    char room[200];

    (void)state;
    snprintf(room, sizeof room, "/RTC/%s", root);
    say_put(t, a, "p1", room, "x", signed_by(ALICE, room, "x", "1", 999990), 999990);
    verify_all(&pool, t);
    assert_true(heard(t, a, "'ok':true"));
    say_put(t, b, "p2", root, "y", signed_by(ALICE, root, "y", "1", 5), 5);
    say_put(t, b, "p3", room, "x", signed_by(EVE, room, "x", "2", 999980), 999980);
    assert_int_equal(pool.count, 1);
    table_wait(t, 200000);
    relay_measure(table_relay(t), &g);
    assert_int_equal(g.fleeting_rows, 0);
    verify_all(&pool, t);
    assert_true(heard(t, b, "'@':'p3','ok':true}"));
    relay_measure(table_relay(t), &g);
    assert_int_equal(g.fleeting_rows, 0);
    table_clear(t);
}

static void a_peer_that_leaves_while_its_put_is_verified_takes_nothing_with_it(void **state)
{
    slow_pool pool;
    table *t = lay_slow(&pool);
    relay_peer *a = table_join(t, NULL);
    relay_gauges g;
    const char *soul = soul_of(ALICE, "");

    (void)state;
    say_put(t, a, "p1", soul, "x", signed_by(ALICE, soul, "x", "\"y\"", 5), 5);
    table_leave(t, a);
    relay_measure(table_relay(t), &g);
    assert_true(g.suspended_bytes > 0);
    verify_all(&pool, t);
    relay_measure(table_relay(t), &g);
    assert_int_equal(g.suspended_bytes, 0);
    assert_int_equal(rows(t), 0);
    a = table_join(t, NULL);
    say_put(t, a, "p2", soul, "x", signed_by(ALICE, soul, "x", "\"y\"", 5), 5);
    table_leave(t, a);
    table_clear(t); /* with the check out: it goes with the relay */
}

static void who_waits_for_many_verdicts_is_not_read(void **state)
{
    slow_pool pool;
    relay_limits limits = relay_default_limits();
    table *t;
    relay_peer *a;
    const char *soul = soul_of(ALICE, "");
    char key[16];
    int answers = 0;

    (void)state;
    pool = (slow_pool){ .count = 0 };
    limits.ahead_messages = 10;
    t = table_lay_before(&limits, false, (check_pool){ &pool, submit });
    a = table_join(t, NULL);
    for (int i = 0; i < 10; ++i) {
        assert_true(relay_reading(a));
        snprintf(key, sizeof key, "k%d", i);
        say_put(t, a, "p", soul, key, signed_by(EVE, soul, key, "1", 5), 5);
    }
    assert_false(relay_reading(a));
    verify_at(&pool, t, 0);
    assert_true(relay_reading(a));
    verify_all(&pool, t);
    for (const char *at = table_read(t, a); (at = strstr(at, "'err'")) != NULL; ++at) ++answers;
    assert_int_equal(answers, 10);
    table_clear(t);
}

/* --- a forged key beside good ones --- */

static void add_mixed_node(char *at, const char *soul, int forged)
{
    at += sprintf(at, "'put':{'%s':{'_':{'#':'%s','>':{", soul, soul);
    for (int i = 0; i < 21; ++i) at += sprintf(at, "%s'k%02d':5", i ? "," : "", i);
    at += sprintf(at, "}}");
    for (int i = 0; i < 21; ++i) {
        char key[16];
        snprintf(key, sizeof key, "k%02d", i);
        at += sprintf(at, ",'%s':%s", key, signed_by(i == forged ? EVE : ALICE, soul, key, "1", 5));
    }
    sprintf(at, "}}");
}

static void one_forged_key_in_a_put_refuses_all_of_it(void **state)
{
    static char node[20000];
    slow_pool pool;
    table *t = lay_slow(&pool);
    relay_peer *a = table_join(t, NULL);
    const char *answer;

    (void)state;
    add_mixed_node(node, soul_of(ALICE, ""), 13);
    table_say(t, a, "{'#':'p1',%s}", node);
    assert_int_equal(pool.count, 3); /* of 8, 8 and 5 keys */
    verify_at(&pool, t, 2);
    verify_all(&pool, t);
    answer = table_read(t, a);
    assert_non_null(strstr(answer, "'@':'p1','err':'Unverified data.'"));
    assert_non_null(strstr(answer, "'.':'k13'"));
    assert_null(strstr(answer, "'ok'"));
    assert_int_equal(rows(t), 0);
    table_clear(t);
}

static void who_may_be_read_again_behind_a_large_put_is_news(void **state)
{
    static char node[20000];
    slow_pool pool = { .count = 0 };
    relay_limits limits = relay_default_limits();
    table *t;
    relay_peer *a;

    (void)state;
    limits.put_slice_keys = 10;
    t = table_lay_before(&limits, false, (check_pool){ &pool, submit });
    a = table_join(t, NULL);
    add_mixed_node(node, soul_of(ALICE, ""), -1);
    table_say(t, a, "{'#':'p1',%s}", node);
    while (relay_ready(table_relay(t)) != NULL) {
    }
    assert_false(relay_reading(a)); /* the put is looked at in slices */
    for (int turns = 0; !relay_reading(a); ++turns) {
        assert_null(relay_ready(table_relay(t)));
        assert_true(turns < 5);
        table_wait(t, 5);
    }
    assert_int_equal(pool.count, 3);
    assert_ptr_equal(relay_ready(table_relay(t)), a);
    verify_all(&pool, t);
    assert_int_equal(rows(t), 21);
    table_clear(t);
}

static void of_an_answer_the_good_keys_are_kept(void **state)
{
    static char node[20000];
    slow_pool pool;
    table *t = lay_slow(&pool);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    const char *soul = soul_of(ALICE, ""), *answer;
    int told = 0;

    (void)state;
    table_say(t, b, "{'#':'g1','get':{'#':'%s'}}", soul);
    table_read(t, b);
    table_read(t, a);
    add_mixed_node(node, soul, 13);
    table_say(t, a, "{'#':'a1','@':'g1',%s}", node);
    verify_all(&pool, t);
    assert_int_equal(rows(t), 20);
    answer = table_read(t, b);
    assert_non_null(strstr(answer, "'@':'g1'"));
    assert_non_null(strstr(answer, "'k12'"));
    assert_null(strstr(answer, "'k13'"));
    for (answer = table_read(t, a); (answer = strstr(answer, "'err'")) != NULL; ++answer) ++told;
    assert_int_equal(told, 1);
    assert_int_equal(relay_count(table_relay(t))->keys_forged, 1);
    table_clear(t);
}

static void who_answers_with_what_is_known_hears_of_its_changes(void **state)
{
    slow_pool pool;
    table *t = lay_slow(&pool);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL), *c = table_join(t, NULL);
    const char *soul = soul_of(ALICE, "");

    (void)state;
    say_put(t, c, "p1", soul, "x", signed_by(ALICE, soul, "x", "\"y\"", 5), 5);
    verify_all(&pool, t);
    table_say(t, b, "{'#':'g1','get':{'#':'%s','.':'z'}}", soul);
    table_say(
        t, a, "{'#':'a1','@':'g1','put':{'%s':{'_':{'#':'%s','>':{'x':5,'z':5}},'x':%s,'z':%s}}}",
        soul, soul, signed_by(ALICE, soul, "x", "\"y\"", 5), signed_by(ALICE, soul, "z", "1", 5));
    assert_int_equal(pool.count, 1);
    verify_all(&pool, t);
    assert_int_equal(rows(t), 2);
    table_read(t, a);
    say_put(t, c, "p2", soul, "x", signed_by(ALICE, soul, "x", "\"new\"", 6), 6);
    verify_all(&pool, t);
    assert_true(heard(t, a, "'>':{'x':6}"));
    table_clear(t);
}

/* --- certificates --- */

static void a_certificate_that_has_run_out_is_refused_to_authors_only(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    const char *soul = soul_of(ALICE, "/inbox");
    char terms[200], pub[CURVE_PUB_LEN + 1];
    double at = 900000, expires = 950000; /* the clock begins at 1,000,000 */

    (void)state;
    curve_pub(BOB, pub);
    snprintf(terms, sizeof terms, "{\"c\":\"%s\",\"e\":%.0f,\"w\":{\"*\":\"inbox\"}}", pub,
             expires);
    say_put(t, a, "p1", soul, "m", certified(BOB, ALICE, terms, soul, "m", "1", at), at);
    assert_true(heard(t, a, "'@':'p1','err':'Certificate expired.'"));
    assert_int_equal(rows(t), 0);
    /* Another relay took it in time: it is not refused to whoever passes it on. */
    table_say(t, b, "{'#':'a1','@':'g1','put':{'%s':{'_':{'#':'%s','>':{'m':%.0f}},'m':%s}}}", soul,
              soul, at, certified(BOB, ALICE, terms, soul, "m", "1", at));
    assert_int_equal(rows(t), 1);
    at = 960000; /* a state that it never covered */
    table_say(t, b, "{'#':'a2','@':'g1','put':{'%s':{'_':{'#':'%s','>':{'n':%.0f}},'n':%s}}}", soul,
              soul, at, certified(BOB, ALICE, terms, soul, "n", "1", at));
    assert_int_equal(rows(t), 1);
    table_clear(t);
}

static void a_blocked_bearer_is_refused_while_he_is_blocked(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    const char *soul = soul_of(ALICE, "/inbox"), *root = soul_of(ALICE, ""),
               *list = soul_of(ALICE, "/blocked");
    char terms[200], pub[CURVE_PUB_LEN + 1], link[200];

    (void)state;
    curve_pub(BOB, pub);
    snprintf(terms, sizeof terms, "{\"c\":\"%s\",\"w\":{\"*\":\"inbox\"},\"wb\":\"blocked\"}", pub);
    say_put(t, b, "p1", soul, "m", certified(BOB, ALICE, terms, soul, "m", "1", 5), 5);
    assert_true(heard(t, b, "'@':'p1','ok':true}"));
    snprintf(link, sizeof link, "{\"#\":\"%s\"}", list);
    say_put(t, a, "p2", root, "blocked", signed_by(ALICE, root, "blocked", link, 6), 6);
    say_put(t, a, "p3", list, pub, signed_by(ALICE, list, pub, "true", 6), 6);
    assert_int_equal(rows(t), 3);
    say_put(t, b, "p4", soul, "m", certified(BOB, ALICE, terms, soul, "m", "2", 7), 7);
    {
        const char *answer = table_read(t, b);
        assert_non_null(strstr(answer, "'@':'p4','err':'Certificant "));
        assert_non_null(strstr(answer, " blocked.'"));
    }
    say_put(t, a, "p5", list, pub, signed_by(ALICE, list, pub, "false", 8), 8);
    say_put(t, b, "p6", soul, "m", certified(BOB, ALICE, terms, soul, "m", "2", 9), 9);
    assert_true(heard(t, b, "'@':'p6','ok':true}"));
    table_clear(t);
}

/* --- chunks --- */

static void a_chunk_is_its_hash_and_never_changes(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    char key[80] = "000001#";
    uint8_t digest[SEA_DIGEST_BYTES];

    (void)state;
    test_curve.sha256(NULL, SLICE("hello world"), digest);
    base64_print32(digest, key + 7);
    table_say(t, b, "{'#':'g','get':{'#':'audio#1'}}");
    table_read(t, b);
    table_read(t, a);
    say_put(t, a, "p1", "audio#1", key, "'hello world'", 5);
    assert_true(heard(t, a, "'@':'p1','ok':true}"));
    assert_true(heard(t, b, "hello world"));
    /* The same chunk again, as new as may be: nobody is told. */
    say_put(t, a, "p2", "audio#1", key, "'hello world'", 900);
    assert_true(heard(t, a, "'@':'p2','ok':true}"));
    assert_string_equal(table_read(t, b), "");
    say_put(t, a, "p3", "audio#1", key, "null", 901);
    assert_true(heard(t, a, "'@':'p3','err':'Data hash not same as hash!'"));
    say_put(t, a, "p4", "audio#1", key, "'hello worlds'", 902);
    assert_true(heard(t, a, "'@':'p4','err':'Data hash not same as hash!'"));
    assert_int_equal(rows(t), 1);
    table_clear(t);
}

/* A chunk of so many characters, put under a soul; its key is lent until the next. */
static const char *put_chunk(table *t, relay_peer *p, const char *soul, int number, size_t len)
{
    static char key[80], value[300000];
    uint8_t digest[SEA_DIGEST_BYTES];

    memset(value, 'A' + number, len);
    value[0] = '\'';
    value[len - 1] = '\'';
    value[len] = '\0';
    test_curve.sha256(NULL, (slice){ value + 1, len - 2 }, digest);
    snprintf(key, sizeof key, "%06d#", number);
    base64_print32(digest, key + 7);
    key[7 + BASE64_LEN_32] = '\0';
    say_put(t, p, "c", soul, key, value, 1);
    return key;
}

static void chunks_leave_one_by_one_and_after_everything_else(void **state)
{
    table *t = table_lay(NULL, false);
    relay_peer *a = table_join(t, NULL), *b = table_join(t, NULL);
    relay_piece piece;
    int chunks = 0, ordinary = 0;

    (void)state;
    for (int i = 0; i < 5; ++i) put_chunk(t, a, "audio/r#0", i, 49152);
    table_say(t, a, "{'#':'p','put':{'s':{'_':{'#':'s','>':{'a':5}},'a':1}}}");
    table_read(t, a);
    table_say(t, b, "{'#':'g1','get':{'#':'audio/r#0'}}");
    /* The first message of the chunks has begun when others ask. */
    assert_true(relay_next(table_relay(t), b, &piece, table_now(t)));
    relay_sent(table_relay(t), b, table_now(t));
    table_say(t, b, "{'#':'g2','get':{'#':'s'}}");
    table_say(t, b, "{'#':'p2','put':{'x':{'_':{'#':'x','>':{'a':5}},'a':1}}}");
    while (relay_next(table_relay(t), b, &piece, table_now(t))) {
        slice at = { piece.at, piece.len };

        if (piece.first && memmem(at.at, at.len, "\"audio/r#0\"", 11) != NULL) ++chunks;
        if (memmem(at.at, at.len, "\"g2\"", 4) != NULL) {
            ++ordinary;
            assert_int_equal(chunks, 0); /* none was begun before */
        }
        relay_sent(table_relay(t), b, table_now(t));
    }
    assert_int_equal(ordinary, 1);
    assert_int_equal(chunks, 4); /* the other four, each in a message of its own */
    table_clear(t);
}

/* --- what expires --- */

static void an_expired_forgery_is_like_any_expired_key(void **state)
{
    slow_pool pool;
    table *t = lay_slow(&pool);
    relay_peer *a = table_join(t, NULL);
    const char *soul = soul_of(ALICE, "/b<?9");

    (void)state;
    say_put(t, a, "p1", soul, "x", signed_by(EVE, soul, "x", "1", 5), 5);
    assert_true(heard(t, a, "'@':'p1','ok':true}"));
    assert_int_equal(pool.count, 0);
    assert_int_equal(rows(t), 0);
    assert_int_equal(relay_count(table_relay(t))->keys_expired, 1);
    table_clear(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_put_is_kept_relayed_and_acknowledged),
        cmocka_unit_test(a_forged_put_leaves_no_trace_and_is_answered_in_guns_words),
        cmocka_unit_test(a_get_behind_a_signed_put_sees_it_however_long_the_verdict_takes),
        cmocka_unit_test(verdicts_in_any_order_leave_the_order_of_a_peer),
        cmocka_unit_test(what_is_known_or_stale_costs_no_check),
        cmocka_unit_test(what_lost_at_the_look_is_not_taken_when_what_it_lost_to_is_gone),
        cmocka_unit_test(a_peer_that_leaves_while_its_put_is_verified_takes_nothing_with_it),
        cmocka_unit_test(who_waits_for_many_verdicts_is_not_read),
        cmocka_unit_test(one_forged_key_in_a_put_refuses_all_of_it),
        cmocka_unit_test(who_may_be_read_again_behind_a_large_put_is_news),
        cmocka_unit_test(of_an_answer_the_good_keys_are_kept),
        cmocka_unit_test(who_answers_with_what_is_known_hears_of_its_changes),
        cmocka_unit_test(a_certificate_that_has_run_out_is_refused_to_authors_only),
        cmocka_unit_test(a_blocked_bearer_is_refused_while_he_is_blocked),
        cmocka_unit_test(a_chunk_is_its_hash_and_never_changes),
        cmocka_unit_test(chunks_leave_one_by_one_and_after_everything_else),
        cmocka_unit_test(an_expired_forgery_is_like_any_expired_key),
    };

    return cmocka_run_group_tests_name("relay_sea", tests, NULL, NULL);
}
