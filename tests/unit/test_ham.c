/* test_ham.c - the rule of core/ham.h, and vectors/ham.json.
 *
 * The vectors were made by gun's own put path. Where gun takes what is no write
 * at all, brasa does not follow it: the eleven cases whose state is not a number
 * are listed here and must come out as malformed.
 */
#include "core/message.h"
#include "core/number.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Places in ham.json, with the state as it stands there. */
static const struct {
    size_t place;
    const char *state;
} NO_NUMBER[] = {
    { 95, "\"5\"" },  { 96, "\"abc\"" }, { 97, "null" },       { 98, "true" },
    { 99, "false" },  { 100, "{}" },     { 101, "\"1e400\"" }, { 102, "\"99999999999999\"" },
    { 103, "\"5\"" }, { 104, "null" },   { 105, "true" },
};
enum { NO_NUMBER_COUNT = sizeof NO_NUMBER / sizeof *NO_NUMBER };

/* What a write must be to be judged: a value of GUN's, and a state that is a
 * finite number. */
static status read_write(vectors *v, uint32_t i, ham_write *out)
{
    uint32_t state = vectors_at(v, i, "state");

    if (v->j.tokens[state].type != JSON_NUMBER) return STATUS_MALFORMED;
    if (!number_read(json_raw(&v->j, state), &out->state)) return STATUS_MALFORMED;
    return value_read(&v->j, &v->memory, vectors_at(v, i, "value"), &out->value);
}

/* gun has one word, "same", for a tie lost and for a write seen twice. */
static void assert_verdict(ham_verdict got, slice want, const ham_write *held,
                           const ham_write *incoming)
{
    if (slice_equal(want, SLICE("accept"))) {
        assert_int_equal(got, HAM_TAKE);
    } else if (slice_equal(want, SLICE("defer"))) {
        assert_int_equal(got, HAM_WAIT);
    } else if (slice_equal(want, SLICE("old"))) {
        assert_int_equal(got, HAM_KEEP);
    } else {
        assert_slice(want, SLICE("same"));
        bool twice = slice_equal(held->value, incoming->value);
        assert_int_equal(got, twice ? HAM_SAME : HAM_KEEP);
    }
}

static size_t judge_case(vectors *v, uint32_t i)
{
    uint32_t known = vectors_at(v, i, "known");
    bool knows = v->j.tokens[known].type == JSON_OBJECT;
    slice want = vectors_name(v, vectors_at(v, i, "result"));
    ham_write held, incoming;

    status s = read_write(v, vectors_at(v, i, "incoming"), &incoming);
    if (slice_equal(want, SLICE("invalid"))) {
        assert_int_equal(s, STATUS_MALFORMED);
        return 0;
    }
    assert_int_equal(s, STATUS_OK);
    if (knows) assert_int_equal(read_write(v, known, &held), STATUS_OK);
    double now = vectors_number(v, vectors_at(v, i, "now"));
    assert_verdict(ham_judge(knows ? &held : NULL, &incoming, now), want, &held, &incoming);
    return 1;
}

static void the_cases_of_ham_json_end_as_in_gun(void **state)
{
    vectors v;
    size_t place = 0, judged = 0, odd = 0;

    (void)state;
    vectors_open(&v, "ham.json");
    uint32_t list = vectors_at(&v, 0, "cases");
    for (uint32_t i = vectors_first(list); vectors_in(&v, list, i); i = vectors_next(&v, i)) {
        if (odd < NO_NUMBER_COUNT && NO_NUMBER[odd].place == place) {
            ++odd;
        } else {
            judged += judge_case(&v, i);
        }
        ++place;
    }
    assert_int_equal(place, 123);
    assert_int_equal(judged, 123 - 11 - 8);
    vectors_close(&v);
}

static void the_eleven_states_that_are_no_number_are_malformed(void **state)
{
    vectors v;
    size_t place = 0, odd = 0;

    (void)state;
    assert_int_equal(NO_NUMBER_COUNT, 11);
    vectors_open(&v, "ham.json");
    uint32_t list = vectors_at(&v, 0, "cases");
    for (uint32_t i = vectors_first(list); vectors_in(&v, list, i); i = vectors_next(&v, i)) {
        ham_write incoming;
        uint32_t write = vectors_at(&v, i, "incoming");
        bool number = v.j.tokens[vectors_at(&v, write, "state")].type == JSON_NUMBER;

        if (odd < NO_NUMBER_COUNT && NO_NUMBER[odd].place == place) {
            const char *want = NO_NUMBER[odd++].state;
            assert_slice(json_raw(&v.j, vectors_at(&v, write, "state")),
                         ((slice){ want, strlen(want) }));
            assert_false(number);
            assert_int_equal(read_write(&v, write, &incoming), STATUS_MALFORMED);
        } else {
            assert_true(number);
        }
        ++place;
    }
    assert_int_equal(odd, NO_NUMBER_COUNT);
    vectors_close(&v);
}

/* The same as a put that a peer sends. */
static void read_as_put(vectors *v, uint32_t write, message *out)
{
    static const message_limits limits = { .name_bytes_max = 100,
                                           .id_bytes_max = 100,
                                           .put_keys_max = 10,
                                           .depth_max = 16,
                                           .tokens_max = 100 };
    message_fault fault;
    text t = { 0 };

    text_add(&t, SLICE("{\"#\":\"p\",\"put\":{\"s\":{\"_\":{\"#\":\"s\",\">\":{\"k\":"));
    text_add(&t, json_raw(&v->j, vectors_at(v, write, "state")));
    text_add(&t, SLICE("}},\"k\":"));
    text_add(&t, json_raw(&v->j, vectors_at(v, write, "value")));
    text_add(&t, SLICE("}}}"));
    slice kept = arena_copy(&v->memory, text_slice(&t));
    text_free(&t);
    assert_int_equal(message_read(out, &v->memory, kept, &limits, &fault), STATUS_OK);
}

static void in_a_put_they_are_told_as_malformed_like_the_eight_bad_values(void **state)
{
    vectors v;
    size_t place = 0, odd = 0, refused = 0;

    (void)state;
    vectors_open(&v, "ham.json");
    uint32_t list = vectors_at(&v, 0, "cases");
    for (uint32_t i = vectors_first(list); vectors_in(&v, list, i); i = vectors_next(&v, i)) {
        bool bad = slice_equal(vectors_name(&v, vectors_at(&v, i, "result")), SLICE("invalid"));
        message m;

        if (odd < NO_NUMBER_COUNT && NO_NUMBER[odd].place == place) {
            bad = true;
            ++odd;
        }
        ++place;
        read_as_put(&v, vectors_at(&v, i, "incoming"), &m);
        assert_int_equal(m.bad_count, bad);
        assert_int_equal(m.write_count, !bad);
        if (!bad) continue;
        assert_true(strncmp(m.bad.why, "malformed", 9) == 0);
        ++refused;
    }
    assert_int_equal(refused, 11 + 8);
    vectors_close(&v);
}

#define S(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
static const ham_write WRITES[] = {
    { 5, S("null") },
    { 5, S("5") },
    { 5, S("\"abc\"") },
    { 5, S("\"\xF0\x9F\x98\x80\"") },
    { 5, S("\"\xEF\xBF\xBF\"") },
    { 4.999, S("true") },
    { 5.001, S("false") },
    { -3, S("{\"#\":\"x\"}") },
    { 5, S("\"\\n\"") },
};
enum { WRITE_COUNT = sizeof WRITES / sizeof *WRITES };

/* Keeps what ham_judge() takes, of the writes in this order. */
static const ham_write *survivor(const size_t *order, size_t count)
{
    const ham_write *held = NULL;

    for (size_t i = 0; i < count; ++i) {
        const ham_write *next = &WRITES[order[i]];
        if (ham_judge(held, next, 100) == HAM_TAKE) held = next;
    }
    return held;
}

static void any_order_of_arrival_keeps_the_same_write(void **state)
{
    size_t order[2 * WRITE_COUNT];
    const ham_write *first = NULL;
    uint32_t dice = 1;

    (void)state;
    for (int round = 0; round < 5000; ++round) {
        for (size_t i = 0; i < 2 * WRITE_COUNT; ++i) order[i] = i % WRITE_COUNT;
        for (size_t i = 2 * WRITE_COUNT - 1; i > 0; --i) {
            dice = dice * 1664525 + 1013904223;
            size_t k = (dice >> 8) % (i + 1), swap = order[i];
            order[i] = order[k];
            order[k] = swap;
        }
        /* The second half repeats the first in another order: repeats change nothing. */
        const ham_write *last = survivor(order, 2 * WRITE_COUNT);
        if (first == NULL) first = last;
        assert_ptr_equal(last, first);
    }
    assert_slice(first->value, SLICE("false"));
}

static void of_two_writes_exactly_one_takes_the_place_of_the_other(void **state)
{
    (void)state;
    for (size_t a = 0; a < WRITE_COUNT; ++a) {
        for (size_t b = 0; b < WRITE_COUNT; ++b) {
            ham_verdict there = ham_judge(&WRITES[a], &WRITES[b], 100);
            ham_verdict back = ham_judge(&WRITES[b], &WRITES[a], 100);
            if (a == b) {
                assert_int_equal(there, HAM_SAME);
            } else {
                assert_true((there == HAM_TAKE) != (back == HAM_TAKE));
                assert_true(there == HAM_KEEP || back == HAM_KEEP);
            }
        }
    }
}

static void a_write_waits_until_the_clock_has_reached_its_state(void **state)
{
    ham_write ahead = { 1000.5, SLICE("1") }, held = { 2000, SLICE("2") };

    (void)state;
    assert_int_equal(ham_judge(NULL, &ahead, 1000.4), HAM_WAIT);
    assert_int_equal(ham_judge(&held, &ahead, 1000.4), HAM_WAIT);
    assert_int_equal(ham_judge(NULL, &ahead, 1000.5), HAM_TAKE);
    assert_int_equal(ham_judge(&held, &ahead, 1000.5), HAM_KEEP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cases_of_ham_json_end_as_in_gun),
        cmocka_unit_test(the_eleven_states_that_are_no_number_are_malformed),
        cmocka_unit_test(in_a_put_they_are_told_as_malformed_like_the_eight_bad_values),
        cmocka_unit_test(any_order_of_arrival_keeps_the_same_write),
        cmocka_unit_test(of_two_writes_exactly_one_takes_the_place_of_the_other),
        cmocka_unit_test(a_write_waits_until_the_clock_has_reached_its_state),
    };
    return cmocka_run_group_tests_name("ham", tests, NULL, NULL);
}
