/* test_text.c - the promises of core/text.h. */
#include "core/text.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void what_is_added_stands_there_in_order(void **state)
{
    text t = { 0 };

    (void)state;
    for (int i = 0; i < 1000; ++i) {
        text_add(&t, SLICE("abc"));
        text_add_char(&t, 'd');
        text_add(&t, SLICE(""));
    }
    assert_true(text_ok(&t));
    assert_int_equal(text_slice(&t).len, 4000);
    for (size_t i = 0; i < 4000; i += 4) assert_memory_equal(t.at + i, "abcd", 4);
    text_free(&t);
}

static void room_may_be_written_by_the_caller(void **state)
{
    text t = { 0 };

    (void)state;
    text_add(&t, SLICE("ab"));
    char *room = text_room(&t, 3);
    assert_ptr_equal(room, t.at + 2);
    memcpy(room, "cde", 3);
    t.len += 3;
    assert_slice(text_slice(&t), SLICE("abcde"));
    text_free(&t);
}

static void a_failure_sticks_until_the_reset(void **state)
{
    text t = { 0 };

    (void)state;
    text_add(&t, SLICE("ab"));
    assert_null(text_room(&t, SIZE_MAX));
    assert_false(text_ok(&t));
    text_add(&t, SLICE("cd"));
    text_add_char(&t, 'e');
    assert_int_equal(t.len, 2);
    text_reset(&t, SIZE_MAX);
    assert_true(text_ok(&t));
    text_add(&t, SLICE("cd"));
    assert_slice(text_slice(&t), SLICE("cd"));
    text_free(&t);
}

static void a_reset_keeps_memory_up_to_what_it_is_told(void **state)
{
    text t = { 0 };

    (void)state;
    assert_non_null(text_room(&t, 5000));
    char *at = t.at;
    text_reset(&t, 1 << 20);
    assert_ptr_equal(t.at, at);
    assert_int_equal(t.len, 0);
    text_reset(&t, 100);
    assert_null(t.at);
    assert_int_equal(t.room, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_stands_there_in_order),
        cmocka_unit_test(room_may_be_written_by_the_caller),
        cmocka_unit_test(a_failure_sticks_until_the_reset),
        cmocka_unit_test(a_reset_keeps_memory_up_to_what_it_is_told),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
