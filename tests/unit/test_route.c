/* test_route.c - answers find their way, for as long as the way is used. */
#include "core/route.h"
#include "tests/unit/failing.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
// clang-format on

static const uint8_t secret[16] = { 1, 2, 3 };

static route *make(uint32_t slots, int64_t life_ms)
{
    route *t;

    assert_int_equal(route_new(&t, secret, slots, life_ms), STATUS_OK);
    return t;
}

static slice id_of(char *into, int i)
{
    return (slice){ into, (size_t)sprintf(into, "id%d", i) };
}

static void an_answer_finds_the_peer_and_the_id_its_author_knows(void **state)
{
    (void)state;
    route *t = make(64, 1000);
    route_end end;

    assert_true(route_add(t, SLICE("w1"), 7, SLICE("w1"), 0));
    assert_true(route_add(t, SLICE("new"), 8, SLICE("old"), 0));
    assert_true(route_find(t, SLICE("w1"), 0, &end));
    assert_int_equal(end.peer, 7);
    assert_true(slice_equal(end.origin, SLICE("w1")));
    assert_true(route_find(t, SLICE("new"), 0, &end));
    assert_int_equal(end.peer, 8);
    assert_true(slice_equal(end.origin, SLICE("old")));
    assert_false(route_find(t, SLICE("old"), 0, &end));
    route_free(t);
}

static void the_first_end_stays(void **state)
{
    (void)state;
    route *t = make(64, 1000);
    route_end end;

    assert_true(route_add(t, SLICE("x"), 1, SLICE("a"), 0));
    assert_false(route_add(t, SLICE("x"), 2, SLICE("b"), 900));
    assert_true(route_find(t, SLICE("x"), 1800, &end)); /* the second sight renewed it */
    assert_int_equal(end.peer, 1);
    assert_true(slice_equal(end.origin, SLICE("a")));
    route_free(t);
}

static void a_route_lives_as_long_as_it_is_used(void **state)
{
    (void)state;
    route *t = make(64, 1000);
    route_end end;

    route_add(t, SLICE("x"), 1, SLICE("x"), 0);
    for (int64_t now = 1000; now <= 5000; now += 1000)
        assert_true(route_find(t, SLICE("x"), now, &end));
    assert_true(route_knows(t, SLICE("x"), 6000)); /* looking does not renew */
    assert_false(route_knows(t, SLICE("x"), 6001));
    assert_false(route_find(t, SLICE("x"), 6001, &end));
    assert_true(route_add(t, SLICE("x"), 2, SLICE("x"), 6001));
    assert_true(route_find(t, SLICE("x"), 6001, &end));
    assert_int_equal(end.peer, 2);
    route_free(t);
}

static void ids_and_origins_of_every_length_up_to_the_bound_fit(void **state)
{
    (void)state;
    route *t = make(4096, 1000);
    route_end end;
    char id[ROUTE_ID_MAX + 1], origin[ROUTE_ID_MAX + 1];

    memset(id, 'i', sizeof id);
    memset(origin, 'o', sizeof origin);
    for (size_t n = 1; n <= ROUTE_ID_MAX; n++)
        assert_true(route_add(t, (slice){ id, n }, n, (slice){ origin, n }, 0));
    for (size_t n = 1; n <= ROUTE_ID_MAX; n++) {
        assert_true(route_find(t, (slice){ id, n }, 0, &end));
        assert_int_equal(end.peer, n);
        assert_true(slice_equal(end.origin, (slice){ origin, n }));
    }
    assert_false(route_add(t, (slice){ id, sizeof id }, 1, SLICE("o"), 0));
    assert_false(route_add(t, SLICE("o"), 1, (slice){ origin, sizeof origin }, 0));
    assert_false(route_knows(t, (slice){ id, sizeof id }, 0));
    route_free(t);
}

static void a_flood_drops_the_longest_unused_and_takes_no_memory(void **state)
{
    (void)state;
    route *t = make(8, 1000000);
    route_end end;
    char id[32], origin[64];

    memset(origin, 'o', sizeof origin); /* long ones, so that every slot owns heap */
    for (int i = 0; i < 8; i++)
        assert_true(route_add(t, id_of(id, i), 1, (slice){ origin, 64 }, i));
    assert_true(route_find(t, id_of(id, 0), 100, &end));
    for (int i = 8; i < 15; i++) assert_true(route_add(t, id_of(id, i), 1, id_of(id, i), 100 + i));
    assert_true(route_knows(t, id_of(id, 0), 200));
    for (int i = 1; i < 8; i++) assert_false(route_knows(t, id_of(id, i), 200));
    for (int i = 8; i < 15; i++) assert_true(route_knows(t, id_of(id, i), 200));
    for (int i = 0; i < 100000; i++) route_add(t, id_of(id, i), 1, (slice){ origin, 30 }, 1000 + i);
    route_free(t);
}

static void a_failed_allocation_is_an_answer(void **state)
{
    (void)state;
    route *t;
    char origin[40] = { 0 };

    for (long n = 1; n <= 2; n++) {
        failing_at(n);
        assert_int_equal(route_new(&t, secret, 64, 1000), STATUS_NO_MEMORY);
    }
    failing_at(0);
    t = make(64, 1000);
    failing_at(1);
    assert_false(route_add(t, SLICE("x"), 1, (slice){ origin, sizeof origin }, 0));
    failing_at(0);
    assert_false(route_knows(t, SLICE("x"), 0));
    route_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_finds_the_peer_and_the_id_its_author_knows),
        cmocka_unit_test(the_first_end_stays),
        cmocka_unit_test(a_route_lives_as_long_as_it_is_used),
        cmocka_unit_test(ids_and_origins_of_every_length_up_to_the_bound_fit),
        cmocka_unit_test(a_flood_drops_the_longest_unused_and_takes_no_memory),
        cmocka_unit_test(a_failed_allocation_is_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
