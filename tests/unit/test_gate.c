/* test_gate.c - the promises of server/pace.h and server/gate.h. */
#include "server/gate.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t secret[16] = { 7 };

static address read_address(const char *from)
{
    address a;

    assert_true(address_parse(from, strlen(from), &a));
    return a;
}

static gate *new_gate(const server_limits *limits)
{
    gate *g = NULL;

    assert_int_equal(gate_new(&g, limits, secret), STATUS_OK);
    return g;
}

static gate_person *meet(gate *g, const char *from, int64_t now_ms)
{
    address a = read_address(from);
    gate_person *p = gate_meet(g, &a, now_ms);

    assert_non_null(p);
    return p;
}

static void a_pace_lets_a_burst_pass_and_then_its_rate(void **state)
{
    pace_rule rule = { .rate = 10, .burst = 30 };
    pace p = pace_new(&rule, 1000);

    (void)state;
    for (int i = 0; i < 30; i++) {
        assert_true(pace_open(&p, &rule, 1000));
        pace_take(&p, &rule, 1, 1000);
    }
    pace_take(&p, &rule, 5, 1000); /* what has arrived is heard, and owed */
    assert_false(pace_open(&p, &rule, 1000));
    assert_false(pace_open(&p, &rule, 1400));
    assert_true(pace_open(&p, &rule, 1500));
    assert_false(pace_full(&p, &rule, 4400));
    assert_true(pace_full(&p, &rule, 4500));
    assert_true(pace_full(&p, &rule, 900000)); /* and never more than that */
    pace_take(&p, &rule, 31, 900000);
    assert_false(pace_open(&p, &rule, 900000));
}

static void a_rate_of_zero_is_no_limit(void **state)
{
    pace_rule rule = { 0 };
    pace p = pace_new(&rule, 0);

    (void)state;
    pace_take(&p, &rule, 1e12, 0);
    assert_true(pace_open(&p, &rule, 0));
    assert_true(pace_full(&p, &rule, 0));
}

static void places_end_for_an_address_and_in_all(void **state)
{
    server_limits limits = { .connections_max = 3, .per_address_max = 2 };
    gate *g = new_gate(&limits);
    gate_person *one = meet(g, "1.1.1.1", 0), *two = meet(g, "2.2.2.2", 0);

    (void)state;
    assert_true(gate_enter(g, one));
    assert_true(gate_enter(g, one));
    assert_false(gate_enter(g, one)); /* its two are taken */
    assert_true(gate_enter(g, two));
    assert_false(gate_enter(g, two)); /* all three are */
    assert_false(gate_enter(g, NULL));
    assert_int_equal(gate_places_taken(g), 3);
    gate_leave(g, one);
    assert_true(gate_has_room(g, one));
    assert_true(gate_enter(g, NULL)); /* nobody in particular has no limit of its own */
    gate_free(g);
}

static void all_connections_of_a_person_share_its_pace(void **state)
{
    server_limits limits = { .messages = { .rate = 10, .burst = 10 }, .address_share = 2 };
    gate *g = new_gate(&limits);
    gate_person *a = meet(g, "2001:db8::1", 0), *b = meet(g, "2001:db8::2", 0),
                *other = meet(g, "2001:db8:0:1::1", 0);

    (void)state;
    assert_ptr_equal(a, b);
    assert_int_equal(gate_sockets(a), 2);
    gate_count(g, a, 20, 0, 0);
    assert_true(gate_open(g, b, 0));
    gate_count(g, b, 1, 0, 0);
    assert_false(gate_open(g, a, 0));
    assert_true(gate_open(g, other, 0));
    assert_true(gate_open(g, a, 50));
    assert_true(gate_open(g, NULL, 0));
    gate_free(g);
}

static void whoever_comes_back_does_not_start_anew(void **state)
{
    server_limits limits = { .messages = { .rate = 10, .burst = 10 }, .address_share = 1 };
    gate *g = new_gate(&limits);
    gate_person *p = meet(g, "1.1.1.1", 0);

    (void)state;
    gate_count(g, p, 20, 0, 0);
    gate_part(p);
    gate_sweep(g, 500);
    p = meet(g, "1.1.1.1", 500);
    assert_false(gate_open(g, p, 500));
    gate_part(p);
    gate_sweep(g, 2000); /* full again: forgotten */
    p = meet(g, "1.1.1.1", 2000);
    assert_int_equal(gate_sockets(p), 1);
    assert_true(gate_open(g, p, 2000));
    gate_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pace_lets_a_burst_pass_and_then_its_rate),
        cmocka_unit_test(a_rate_of_zero_is_no_limit),
        cmocka_unit_test(places_end_for_an_address_and_in_all),
        cmocka_unit_test(all_connections_of_a_person_share_its_pace),
        cmocka_unit_test(whoever_comes_back_does_not_start_anew),
    };

    if (sodium_init() < 0) return 1;
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
