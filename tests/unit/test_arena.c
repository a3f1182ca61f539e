/* test_arena.c - the promises of core/arena.h. */
#include "core/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void what_is_taken_is_aligned_and_stands_alone(void **state)
{
    arena a = arena_make(1 << 20);
    char *taken[200];

    (void)state;
    for (size_t i = 0; i < 200; ++i) {
        taken[i] = arena_take(&a, i * 7);
        assert_non_null(taken[i]);
        assert_int_equal((uintptr_t)taken[i] % _Alignof(max_align_t), 0);
        memset(taken[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < 200; ++i) {
        for (size_t k = 0; k < i * 7; ++k) assert_int_equal((unsigned char)taken[i][k], i);
    }
    arena_free(&a);
}

static void taking_nothing_gives_an_address(void **state)
{
    arena a = arena_make(1 << 20);

    (void)state;
    void *one = arena_take(&a, 0), *two = arena_take(&a, 0);
    assert_non_null(one);
    assert_ptr_not_equal(one, two);
    assert_non_null(arena_copy(&a, SLICE("")).at);
    arena_free(&a);
}

static void the_bound_holds_and_is_told_apart_from_a_lack_of_memory(void **state)
{
    arena a = arena_make(1024);

    (void)state;
    assert_non_null(arena_take(&a, 1000));
    assert_false(arena_full(&a, 8));
    assert_null(arena_take(&a, 100));
    assert_true(arena_full(&a, 100));
    assert_null(arena_copy(&a, (slice){ "0123456789012345678901234567890123456789", 40 }).at);
    assert_non_null(arena_take(&a, 8));
    assert_null(arena_take(&a, SIZE_MAX));
    assert_null(arena_take(&a, SIZE_MAX - 8));
    assert_true(a.taken <= 1024);
    arena_free(&a);
}

static void after_a_reset_all_of_the_bound_is_free_again(void **state)
{
    arena a = arena_make(1 << 20);

    (void)state;
    void *before = arena_take(&a, 100);
    for (int i = 0; i < 5; ++i) assert_non_null(arena_take(&a, 150000));
    assert_null(arena_take(&a, 1 << 19));
    arena_reset(&a, SIZE_MAX);
    assert_int_equal(a.taken, 0);
    /* The first block was kept. */
    assert_ptr_equal(arena_take(&a, 100), before);
    assert_non_null(arena_take(&a, 1 << 19));
    arena_reset(&a, 0);
    assert_null(a.first);
    assert_non_null(arena_take(&a, 100));
    arena_free(&a);
}

static void a_resize_keeps_what_was_written(void **state)
{
    arena a = arena_make(8 << 20);
    size_t bytes = 16;

    (void)state;
    uint32_t *numbers = arena_take(&a, bytes);
    for (uint32_t i = 0; i < 4; ++i) numbers[i] = i;
    while (bytes < 1 << 20) {
        numbers = arena_resize(&a, numbers, bytes, bytes * 2);
        assert_non_null(numbers);
        for (uint32_t i = (uint32_t)(bytes / 4); i < bytes / 2; ++i) numbers[i] = i;
        bytes *= 2;
    }
    for (uint32_t i = 0; i < bytes / 4; ++i) assert_int_equal(numbers[i], i);
    /* Its smaller selves cost at most as much as it does. */
    assert_true(a.taken <= 2 * bytes);
    arena_free(&a);
}

static void what_was_taken_last_grows_and_shrinks_in_place(void **state)
{
    arena a = arena_make(1 << 20);

    (void)state;
    char *last = arena_take(&a, 100);
    assert_ptr_equal(arena_resize(&a, last, 100, 2000), last);
    assert_ptr_equal(arena_resize(&a, last, 2000, 10), last);
    assert_int_equal(a.taken, 16);
    assert_ptr_equal(arena_take(&a, 8), last + 16);
    arena_free(&a);
}

static void what_is_not_last_moves_and_the_old_bytes_stay(void **state)
{
    arena a = arena_make(1 << 20);

    (void)state;
    char *old = arena_take(&a, 16);
    assert_non_null(old);
    memcpy(old, "0123456789abcdef", 16);
    assert_non_null(arena_take(&a, 16));
    char *fresh = arena_resize(&a, old, 16, 64);
    assert_ptr_not_equal(fresh, old);
    assert_memory_equal(fresh, "0123456789abcdef", 16);
    assert_memory_equal(old, "0123456789abcdef", 16);
    arena_free(&a);
}

static void a_resize_over_the_bound_leaves_the_old_as_it_was(void **state)
{
    arena a = arena_make(1024);

    (void)state;
    char *old = arena_take(&a, 512);
    memset(old, 'x', 512);
    assert_null(arena_resize(&a, old, 512, 2048));
    assert_null(arena_resize(&a, old, 512, SIZE_MAX));
    for (int i = 0; i < 512; ++i) assert_int_equal(old[i], 'x');
    assert_int_equal(a.taken, 512);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_is_aligned_and_stands_alone),
        cmocka_unit_test(taking_nothing_gives_an_address),
        cmocka_unit_test(the_bound_holds_and_is_told_apart_from_a_lack_of_memory),
        cmocka_unit_test(after_a_reset_all_of_the_bound_is_free_again),
        cmocka_unit_test(a_resize_keeps_what_was_written),
        cmocka_unit_test(what_was_taken_last_grows_and_shrinks_in_place),
        cmocka_unit_test(what_is_not_last_moves_and_the_old_bytes_stay),
        cmocka_unit_test(a_resize_over_the_bound_leaves_the_old_as_it_was),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
