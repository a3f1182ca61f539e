/* test_verify.c - the pool of threads, and the curve with its two memories. What is
 * asserted is an order or a count, never a time. */
#include "core/text.h"
#include "server/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>

/* The thread sanitizer sees our code and not libcrypto's: not that it counts the
 * holders of a key by atomics, only that one thread read and another freed. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libcrypto.so";
}

/* --- threads that the system does not give --- */

typedef void *thread_main(void *context);
int __real_pthread_create(pthread_t *out, const pthread_attr_t *with, thread_main *run,
                          void *context);
int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *with, thread_main *run,
                          void *context);

static int threads_left = INT_MAX;

int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *with, thread_main *run,
                          void *context)
{
    if (threads_left == 0) return EAGAIN;
    --threads_left;
    return __real_pthread_create(out, with, run, context);
}

/* --- crypto whose calls the test counts and holds --- */

typedef struct door {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool shut;
    size_t arrived;
} door;

static void door_make(door *d, bool shut)
{
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    d->shut = shut;
    d->arrived = 0;
}

static void door_free(door *d)
{
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
}

static void door_open(door *d)
{
    pthread_mutex_lock(&d->lock);
    d->shut = false;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

static void door_await(door *d, size_t arrived)
{
    pthread_mutex_lock(&d->lock);
    while (d->arrived < arrived) pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
}

/* Every check below is about a chunk: this is called once for each of its keys. */
static void hash_at_door(void *context, slice bytes, uint8_t out[SEA_DIGEST_BYTES])
{
    door *d = context;

    (void)bytes;
    memset(out, 0, SEA_DIGEST_BYTES);
    pthread_mutex_lock(&d->lock);
    ++d->arrived;
    pthread_cond_broadcast(&d->changed);
    while (d->shut) pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
}

static bool no_curve(void *context, const uint8_t *key, const uint8_t *digest,
                     const uint8_t *signature)
{
    (void)context;
    (void)key;
    (void)digest;
    (void)signature;
    return false;
}

/* --- checks --- */

static const graph_write CHUNK = { .soul = { "#", 1 }, .key = { "k", 1 }, .value = { "1", 1 } };

static const atomic_bool WANTED;

enum { NOT_RUN = 0x7F };

static check *checks_make(size_t count)
{
    check *all = calloc(count, sizeof *all);

    assert_non_null(all);
    for (size_t i = 0; i < count; ++i) {
        all[i].arena = arena_make(1 << 16);
        all[i].count = 1;
        all[i].unwanted = &WANTED;
        all[i].writes[0] = &CHUNK;
        all[i].how[0] = (status)NOT_RUN;
    }
    return all;
}

static void checks_free(check *all, size_t count)
{
    for (size_t i = 0; i < count; ++i) arena_free(&all[i].arena);
    free(all);
}

static void count_wake(void *context)
{
    atomic_fetch_add((atomic_size_t *)context, 1);
}

typedef struct pool_of {
    door door;
    sea_crypto crypto;
    atomic_size_t wakes;
    verify *verify;
    check_pool pool;
} pool_of;

static void pool_make_of(pool_of *p, unsigned threads, bool shut)
{
    static const uint8_t secret[16] = "sixteen letters";

    door_make(&p->door, shut);
    p->crypto = (sea_crypto){ &p->door, hash_at_door, no_curve };
    atomic_init(&p->wakes, 0);
    assert_int_equal(verify_new(&p->verify, &p->crypto, threads, secret, count_wake, &p->wakes),
                     STATUS_OK);
    p->pool = verify_pool(p->verify);
}

static void pool_free_of(pool_of *p)
{
    verify_free(p->verify);
    door_free(&p->door);
}

/* --- the pool --- */

static void every_check_comes_back_once(void **state)
{
    enum { CHECKS = 3000, LANES = 700 };
    check *all = checks_make(CHECKS);
    size_t back = 0;
    pool_of p;

    (void)state;
    pool_make_of(&p, 4, false);
    for (size_t i = 0; i < CHECKS; ++i) {
        all[i].lane = i % LANES;
        p.pool.submit(p.pool.context, &all[i]);
    }
    while (back < CHECKS)
        for (check *c = verify_take(p.verify), *next; c != NULL; c = next) {
            next = c->next;
            assert_int_equal(c->how[0], STATUS_OK);
            c->how[0] = (status)NOT_RUN; /* who came twice is found */
            ++back;
        }
    assert_int_equal(p.door.arrived, CHECKS);
    assert_null(verify_take(p.verify));
    assert_true(p.wakes >= 1);
    pool_free_of(&p);
    checks_free(all, CHECKS);
}

static void a_lane_of_ten_thousand_does_not_hold_up_another(void **state)
{
    enum { FLOOD = 10000 };
    check *all = checks_make(FLOOD + 2);
    size_t place = 0, of_one = 0, of_other = 0;
    pool_of p;

    (void)state;
    pool_make_of(&p, 1, true);
    for (size_t i = 0; i < FLOOD + 2; ++i) all[i].lane = i < FLOOD ? 1 : i - FLOOD + 2;
    for (size_t i = 0; i < FLOOD; ++i) p.pool.submit(p.pool.context, &all[i]);
    door_await(&p.door, 1); /* the thread is at the first one of the flood */
    p.pool.submit(p.pool.context, &all[FLOOD]);
    p.pool.submit(p.pool.context, &all[FLOOD + 1]);
    door_open(&p.door);
    door_await(&p.door, FLOOD + 2);
    verify_stop(p.verify); /* the last one is among the done then */
    for (check *c = verify_take(p.verify); c != NULL; c = c->next) {
        ++place;
        if (c == &all[FLOOD]) of_one = place;
        if (c == &all[FLOOD + 1]) of_other = place;
    }
    assert_int_equal(place, FLOOD + 2);
    /* Behind the one that was under way, and one more of the flood. */
    assert_int_equal(of_one, 3);
    assert_int_equal(of_other, 4);
    pool_free_of(&p);
    checks_free(all, FLOOD + 2);
}

static void in_a_lane_the_order_is_that_of_coming(void **state)
{
    enum { CHECKS = 200 };
    check *all = checks_make(CHECKS);
    size_t at = 0;
    pool_of p;

    (void)state;
    pool_make_of(&p, 1, false);
    for (size_t i = 0; i < CHECKS; ++i) p.pool.submit(p.pool.context, &all[i]);
    door_await(&p.door, CHECKS);
    verify_stop(p.verify);
    for (check *c = verify_take(p.verify); c != NULL; c = c->next) assert_ptr_equal(c, &all[at++]);
    assert_int_equal(at, CHECKS);
    pool_free_of(&p);
    checks_free(all, CHECKS);
}

static void the_loop_is_woken_once_for_what_it_has_not_taken(void **state)
{
    enum { CHECKS = 50 };
    check *all = checks_make(CHECKS);
    pool_of p;

    (void)state;
    pool_make_of(&p, 3, true);
    for (size_t i = 0; i < CHECKS; ++i) p.pool.submit(p.pool.context, &all[i]);
    door_await(&p.door, 1);
    assert_int_equal(p.wakes, 0);
    door_open(&p.door);
    door_await(&p.door, CHECKS);
    verify_stop(p.verify);
    assert_int_equal(p.wakes, 1);
    pool_free_of(&p);
    checks_free(all, CHECKS);
}

static void what_was_not_begun_is_left_when_the_pool_stops(void **state)
{
    enum { CHECKS = 2000 };
    check *all = checks_make(CHECKS);
    size_t done = 0, run = 0;
    verify_counts counts;
    pool_of p;

    (void)state;
    pool_make_of(&p, 2, false);
    for (size_t i = 0; i < CHECKS; ++i) {
        all[i].lane = i;
        p.pool.submit(p.pool.context, &all[i]);
    }
    verify_stop(p.verify);
    for (check *c = verify_take(p.verify); c != NULL; c = c->next) {
        assert_int_equal(c->how[0], STATUS_OK);
        ++done;
    }
    for (size_t i = 0; i < CHECKS; ++i) run += all[i].how[0] == STATUS_OK;
    verify_count(p.verify, &counts);
    assert_int_equal(run, done);
    assert_int_equal(counts.waiting, CHECKS - done);
    assert_int_equal(counts.threads, 0);
    pool_free_of(&p);
    checks_free(all, CHECKS);
}

static void a_pool_has_the_threads_that_it_gets_and_none_is_no_pool(void **state)
{
    enum { CHECKS = 20 };
    static const uint8_t secret[16] = "sixteen letters";
    check *all = checks_make(CHECKS);
    verify *none = NULL;
    verify_counts counts;
    pool_of p;

    (void)state;
    threads_left = 0;
    assert_int_equal(verify_new(&none, &p.crypto, 4, secret, count_wake, &p.wakes),
                     STATUS_NO_MEMORY);
    assert_null(none);
    threads_left = 2;
    pool_make_of(&p, 4, false);
    threads_left = INT_MAX;
    verify_count(p.verify, &counts);
    assert_int_equal(counts.threads, 2);
    for (size_t i = 0; i < CHECKS; ++i) p.pool.submit(p.pool.context, &all[i]);
    door_await(&p.door, CHECKS);
    assert_in_range(verify_threads(), 1, 64);
    pool_free_of(&p);
    checks_free(all, CHECKS);
}

/* --- the curve --- */

enum { PEOPLE = 6 };

typedef struct person {
    EVP_PKEY *key;
    uint8_t name[SEA_KEY_BYTES];
} person;

static person people[PEOPLE];

static int give_birth(void **state)
{
    (void)state;
    for (int i = 0; i < PEOPLE; ++i) {
        unsigned char point[1 + SEA_KEY_BYTES];
        size_t len = 0;

        people[i].key = EVP_EC_gen("P-256");
        if (people[i].key == NULL ||
            EVP_PKEY_get_octet_string_param(people[i].key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                            sizeof point, &len) != 1 ||
            len != sizeof point)
            return -1;
        memcpy(people[i].name, point + 1, SEA_KEY_BYTES);
    }
    return 0;
}

static int bury(void **state)
{
    (void)state;
    for (int i = 0; i < PEOPLE; ++i) EVP_PKEY_free(people[i].key);
    return 0;
}

typedef struct question {
    uint8_t digest[SEA_DIGEST_BYTES], signature[SEA_SIGNATURE_BYTES];
} question;

static question asked(int who, int number)
{
    question q = { .digest = { (uint8_t)number, (uint8_t)(number >> 8), (uint8_t)who } };
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char der[128];
    const unsigned char *at = der;
    size_t len = sizeof der;
    ECDSA_SIG *sig;

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, people[who].key), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &len, q.digest, sizeof q.digest), 1);
    sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
    assert_non_null(sig);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), q.signature, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), q.signature + 32, 32), 32);
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(ctx);
    return q;
}

static question forged(int who, int number)
{
    question q = asked(who, number);

    q.digest[31] ^= 1;
    return q;
}

static crypto *crypto_of(uint32_t keys_max, uint32_t verdicts_max)
{
    static const uint8_t secret[CRYPTO_SECRET_BYTES] = "thirty-two letters, more or less";
    crypto_limits limits = { keys_max, verdicts_max };
    crypto *c;

    assert_int_equal(crypto_new(&c, &limits, secret), STATUS_OK);
    return c;
}

static bool is_good(const crypto *c, int who, const question *q)
{
    const sea_crypto *with = crypto_table(c);

    return with->verify(with->context, people[who].name, q->digest, q->signature);
}

static crypto_counts counts_of(const crypto *c)
{
    crypto_counts counts;

    crypto_count(c, &counts);
    return counts;
}

static void what_openssl_has_signed_is_good_and_nothing_else(void **state)
{
    crypto *c = crypto_of(64, 64);
    question q = asked(0, 1), other;

    (void)state;
    assert_true(is_good(c, 0, &q));
    assert_false(is_good(c, 1, &q));
    for (size_t bit = 0; bit < 8 * SEA_SIGNATURE_BYTES; bit += 37) {
        other = q;
        other.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(is_good(c, 0, &other));
    }
    for (int fill = 0; fill < 2; ++fill) { /* r and s that are no numbers of the group */
        other = q;
        memset(other.signature, fill ? 0xFF : 0, sizeof other.signature);
        assert_false(is_good(c, 0, &other));
    }
    crypto_free(c);
}

static void a_name_that_is_no_point_of_the_curve_has_signed_nothing(void **state)
{
    crypto *c = crypto_of(64, 64);
    const sea_crypto *with = crypto_table(c);
    uint8_t name[SEA_KEY_BYTES];
    question q = asked(0, 1), next = asked(0, 2);

    (void)state;
    memcpy(name, people[0].name, sizeof name);
    name[SEA_KEY_BYTES - 1] ^= 1;
    assert_false(with->verify(with->context, name, q.digest, q.signature));
    assert_false(with->verify(with->context, name, next.digest, next.signature));
    assert_int_equal(counts_of(c).keys, 1); /* that it is none is remembered */
    memset(name, 0, sizeof name);
    assert_false(with->verify(with->context, name, q.digest, q.signature));
    crypto_free(c);
}

typedef struct asking {
    crypto *crypto;
    pthread_barrier_t *start;
    const question *q;
    bool good;
} asking;

static void *ask(void *context)
{
    asking *a = context;

    pthread_barrier_wait(a->start);
    a->good = is_good(a->crypto, 0, a->q);
    return NULL;
}

static void a_forgery_that_eight_threads_meet_at_once_is_computed_once(void **state)
{
    enum { THREADS = 8, ROUNDS = 40 };
    crypto *c = crypto_of(64, 4096);
    pthread_barrier_t start;
    pthread_t threads[THREADS];

    (void)state;
    pthread_barrier_init(&start, NULL, THREADS);
    for (int round = 0; round < ROUNDS; ++round) {
        question q = round % 2 ? asked(0, round) : forged(0, round);
        asking a[THREADS];

        for (int i = 0; i < THREADS; ++i) {
            a[i] = (asking){ c, &start, &q, false };
            assert_int_equal(pthread_create(&threads[i], NULL, ask, &a[i]), 0);
        }
        for (int i = 0; i < THREADS; ++i) {
            pthread_join(threads[i], NULL);
            assert_int_equal(a[i].good, round % 2 == 1);
        }
        assert_int_equal(counts_of(c).curves, round + 1);
        assert_int_equal(counts_of(c).remembered, (round + 1) * (THREADS - 1));
    }
    pthread_barrier_destroy(&start);
    crypto_free(c);
}

static void a_key_that_was_crowded_out_is_decoded_again(void **state)
{
    crypto *c = crypto_of(1, 4096); /* a set of four */
    question q;

    (void)state;
    for (int who = 0; who < 5; ++who) {
        q = asked(who, 1);
        assert_true(is_good(c, who, &q));
    }
    assert_int_equal(counts_of(c).keys, 5);
    q = asked(4, 2);
    assert_true(is_good(c, 4, &q));
    assert_int_equal(counts_of(c).keys, 5);
    q = asked(0, 2); /* used longest ago, so it went */
    assert_true(is_good(c, 0, &q));
    assert_int_equal(counts_of(c).keys, 6);
    crypto_free(c);
}

static void a_verdict_that_was_crowded_out_is_computed_again_and_the_same(void **state)
{
    crypto *c = crypto_of(64, 1); /* a set of four */
    question all[5];

    (void)state;
    for (int i = 0; i < 5; ++i) {
        all[i] = i % 2 ? forged(0, i) : asked(0, i);
        assert_int_equal(is_good(c, 0, &all[i]), i % 2 == 0);
    }
    assert_int_equal(counts_of(c).curves, 5);
    assert_true(is_good(c, 0, &all[4]));
    assert_int_equal(counts_of(c).curves, 5);
    assert_true(is_good(c, 0, &all[0]));
    assert_int_equal(counts_of(c).curves, 6);
    crypto_free(c);
}

enum { CROWD_QUESTIONS = 24, CROWD_ROUNDS = 120 };

typedef struct crowd {
    crypto *crypto;
    const question *questions;
    unsigned seed;
    int wrong;
} crowd;

static void *ask_many(void *context)
{
    crowd *a = context;

    for (int i = 0; i < CROWD_ROUNDS; ++i) {
        int at = (int)((a->seed = a->seed * 1103515245u + 12345u) >> 16) % CROWD_QUESTIONS;
        if (is_good(a->crypto, at % PEOPLE, &a->questions[at]) != (at % 4 != 3)) ++a->wrong;
    }
    return NULL;
}

static void threads_that_crowd_each_others_memory_out_get_right_answers(void **state)
{
    enum { THREADS = 8 };
    crypto *c = crypto_of(1, 1); /* every other answer throws one out */
    question questions[CROWD_QUESTIONS];
    crowd all[THREADS];
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < CROWD_QUESTIONS; ++i)
        questions[i] = i % 4 == 3 ? forged(i % PEOPLE, i) : asked(i % PEOPLE, i);
    for (int i = 0; i < THREADS; ++i) {
        all[i] = (crowd){ c, questions, (unsigned)i + 1, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, ask_many, &all[i]), 0);
    }
    for (int i = 0; i < THREADS; ++i) {
        pthread_join(threads[i], NULL);
        assert_int_equal(all[i].wrong, 0);
    }
    assert_int_equal(counts_of(c).curves + counts_of(c).remembered, THREADS * CROWD_ROUNDS);
    crypto_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_check_comes_back_once),
        cmocka_unit_test(a_lane_of_ten_thousand_does_not_hold_up_another),
        cmocka_unit_test(in_a_lane_the_order_is_that_of_coming),
        cmocka_unit_test(the_loop_is_woken_once_for_what_it_has_not_taken),
        cmocka_unit_test(what_was_not_begun_is_left_when_the_pool_stops),
        cmocka_unit_test(a_pool_has_the_threads_that_it_gets_and_none_is_no_pool),
        cmocka_unit_test(what_openssl_has_signed_is_good_and_nothing_else),
        cmocka_unit_test(a_name_that_is_no_point_of_the_curve_has_signed_nothing),
        cmocka_unit_test(a_forgery_that_eight_threads_meet_at_once_is_computed_once),
        cmocka_unit_test(a_key_that_was_crowded_out_is_decoded_again),
        cmocka_unit_test(a_verdict_that_was_crowded_out_is_computed_again_and_the_same),
        cmocka_unit_test(threads_that_crowd_each_others_memory_out_get_right_answers),
    };
    return cmocka_run_group_tests_name("verify", tests, give_birth, bury);
}
