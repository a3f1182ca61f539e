/* test_radisk_ladder.c - names in order: against a sorted array. */
#include "radisk/ladder.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on

enum { NAMES = 3000 };

typedef struct shelf {
    arena memory;
    ladder ladder;
    uint64_t chance;
    char text[NAMES][8];
    bool there[NAMES];
} shelf;

static int setup(void **state)
{
    shelf *s = calloc(1, sizeof *s);

    if (s == NULL) return -1;
    s->memory = arena_make(SIZE_MAX);
    s->chance = 1;
    for (int i = 0; i < NAMES; i++) (void)snprintf(s->text[i], sizeof s->text[i], "%05d", i);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    shelf *s = *state;

    arena_free(&s->memory);
    free(s);
    return 0;
}

static slice name_of(const shelf *s, int i)
{
    return (slice){ s->text[i], 5 };
}

static void add(shelf *s, int i)
{
    rung *r = ladder_add(&s->ladder, &s->memory, &s->chance, name_of(s, i), s->text[i]);

    assert_non_null(r);
    assert_ptr_equal(r->item, s->text[i]);
    s->there[i] = true;
}

static void take_away(shelf *s, int i)
{
    ladder_remove(&s->ladder, name_of(s, i));
    s->there[i] = false;
}

/* The ladder is the array, both ways and at every height. */
static void check(const shelf *s)
{
    const rung *at = ladder_first(&s->ladder);
    size_t count = 0;

    for (int i = 0; i < NAMES; i++) {
        if (!s->there[i]) continue;
        assert_non_null(at);
        assert_ptr_equal(at->item, s->text[i]);
        at = at->after[0];
        count++;
    }
    assert_null(at);
    assert_int_equal(s->ladder.count, count);
    at = s->ladder.last;
    for (int i = NAMES; i-- > 0;) {
        if (!s->there[i]) continue;
        assert_ptr_equal(at->item, s->text[i]);
        at = at->before;
    }
    assert_null(at);
}

static void check_seeks(const shelf *s)
{
    for (int i = 0; i < NAMES; i++) {
        int after = i, before = i;
        while (after < NAMES && !s->there[after]) after++;
        while (before >= 0 && !s->there[before]) before--;
        const rung *from = ladder_from(&s->ladder, name_of(s, i));
        const rung *until = ladder_until(&s->ladder, name_of(s, i));
        const rung *found = ladder_find(&s->ladder, name_of(s, i));
        assert_ptr_equal(from == NULL ? NULL : from->item, after < NAMES ? s->text[after] : NULL);
        assert_ptr_equal(until == NULL ? NULL : until->item, before >= 0 ? s->text[before] : NULL);
        assert_true((found != NULL) == s->there[i]);
    }
}

static void an_empty_ladder_has_nothing(void **state)
{
    shelf *s = *state;

    check(s);
    check_seeks(s);
    assert_null(ladder_first(&s->ladder));
}

static void names_stand_in_order_however_they_come(void **state)
{
    shelf *s = *state;

    for (int i = 0; i < NAMES; i++) {
        add(s, i * 1009 % NAMES);
        if (i % 500 == 0) check(s);
    }
    check(s);
    check_seeks(s);
}

static void names_may_leave_again(void **state)
{
    shelf *s = *state;

    for (int i = 0; i < NAMES; i += 2) add(s, i);
    for (int i = NAMES - 1; i >= 0; i -= 6)
        if (s->there[i]) take_away(s, i);
    for (int i = 0; i < NAMES; i += 8) take_away(s, i);
    check(s);
    check_seeks(s);
    for (int i = 0; i < NAMES; i++)
        if (s->there[i]) take_away(s, i);
    check(s);
    add(s, 5);
    check(s);
}

static void a_seek_takes_few_steps(void **state)
{
    shelf *s = *state;
    size_t high = 0;

    for (int i = 0; i < NAMES; i++) add(s, i);
    for (const rung *at = ladder_first(&s->ladder); at != NULL; at = at->after[0])
        high += at->height > 1;
    assert_true(high > NAMES / 8 && high < NAMES / 2);
    assert_true(s->ladder.room > 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_ladder_has_nothing),
        TEST(names_stand_in_order_however_they_come),
        TEST(names_may_leave_again),
        TEST(a_seek_takes_few_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
