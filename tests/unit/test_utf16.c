/* test_utf16.c - the promises of core/utf16.h, and vectors/order.json. */
#include "core/utf16.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { KEYS_MOST = 64 };

#define S(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static void length_counts_units_in_both_spellings(void **state)
{
    (void)state;
    assert_int_equal(utf16_length(SLICE("")), 0);
    assert_int_equal(utf16_length(SLICE("a\0b")), 3);
    assert_int_equal(utf16_length(SLICE("\xC3\xA9\xE2\x82\xAC")), 2);
    assert_int_equal(utf16_length(SLICE("\xF0\x9F\x98\x80")), 2);
    assert_int_equal(utf16_length(SLICE("\xED\xA0\xBD\xED\xB8\x80")), 2);
    assert_int_equal(utf16_length(SLICE("\xED\xA0\x80")), 1);
}

static void names_order_by_memcmp_as_the_keys_of_order_json_do(void **state)
{
    vectors v;
    slice keys[KEYS_MOST];
    size_t count = 0;

    (void)state;
    vectors_open(&v, "order.json");
    uint32_t sorted = vectors_at(&v, 0, "sorted_utf16");
    for (uint32_t i = vectors_first(sorted); vectors_in(&v, sorted, i); i = vectors_next(&v, i)) {
        keys[count++] = vectors_name(&v, i);
    }
    assert_int_equal(count, 40);
    for (size_t a = 0; a < count; ++a) {
        for (size_t b = 0; b < count; ++b) {
            int order = slice_order(keys[a], keys[b]);
            assert_int_equal((order > 0) - (order < 0), (a > b) - (a < b));
        }
    }
    vectors_close(&v);
}

static void the_sorted_keys_are_the_units_that_order_json_spells_out(void **state)
{
    vectors v;

    (void)state;
    vectors_open(&v, "order.json");
    uint32_t sorted = vectors_at(&v, 0, "sorted_utf16"),
             hex = vectors_at(&v, 0, "sorted_utf16_hex");
    assert_int_equal(vectors_count(&v, sorted), vectors_count(&v, hex));
    for (uint32_t i = vectors_first(sorted), k = vectors_first(hex); vectors_in(&v, sorted, i);
         i = vectors_next(&v, i), k = vectors_next(&v, k)) {
        slice name = vectors_name(&v, i);
        assert_slice(name, vectors_units(&v, vectors_name(&v, k)));
        assert_int_equal(utf16_length(name), (vectors_name(&v, k).len + 1) / 5);
    }
    vectors_close(&v);
}

static void texts_order_by_unit_where_no_surrogate_is_alone(void **state)
{
    vectors v;
    text texts[KEYS_MOST] = { { 0 } };
    size_t count = 0;

    (void)state;
    vectors_open(&v, "order.json");
    uint32_t sorted = vectors_at(&v, 0, "sorted_utf16");
    for (uint32_t i = vectors_first(sorted); vectors_in(&v, sorted, i); i = vectors_next(&v, i)) {
        slice name = vectors_name(&v, i);
        if (slice_equal(name, SLICE("\xED\xA0\x80")) || slice_equal(name, SLICE("\xED\xBF\xBF"))) {
            continue;
        }
        utf16_to_utf8(&texts[count++], name);
    }
    assert_int_equal(count, 38);
    for (size_t a = 0; a < count; ++a) {
        assert_true(utf16_valid_utf8(text_slice(&texts[a])));
        for (size_t b = 0; b < count; ++b) {
            int order = utf16_order(text_slice(&texts[a]), text_slice(&texts[b]));
            assert_int_equal((order > 0) - (order < 0), (a > b) - (a < b));
        }
    }
    for (size_t i = 0; i < count; ++i) text_free(&texts[i]);
    vectors_close(&v);
}

static void order_finds_a_difference_wherever_it_stands(void **state)
{
    char a[40], b[40];

    (void)state;
    for (size_t len = 1; len < 40; ++len) {
        for (size_t at = 0; at < len; ++at) {
            memset(a, 'm', len);
            memset(b, 'm', len);
            a[at] = 'a';
            assert_true(utf16_order((slice){ a, len }, (slice){ b, len }) < 0);
            assert_true(utf16_order((slice){ b, len }, (slice){ a, len }) > 0);
            assert_true(utf16_order((slice){ b, len }, (slice){ b, at }) > 0);
            assert_int_equal(utf16_order((slice){ b, len }, (slice){ b, len }), 0);
        }
    }
}

static void what_is_not_utf8_is_refused(void **state)
{
    static const slice bad[] = {
        S("\xFF"),
        S("\x80"),
        S("\xC0\x80"),
        S("\xC1\xBF"),
        S("\xC3"),
        S("\xC3("),
        S("\xE0\x80\x80"),
        S("\xE0\x9F\xBF"),
        S("\xE2\x82"),
        S("\xE2(\xA1"),
        S("\xED\xA0\x80"),
        S("\xED\xBF\xBF"),
        S("\xF0\x80\x80\x80"),
        S("\xF0\x8F\xBF\xBF"),
        S("\xF0\x9F\x98"),
        S("\xF4\x90\x80\x80"),
        S("\xF5\x80\x80\x80"),
        S("\xF8\x88\x80\x80\x80"),
    };
    static const slice good[] = {
        S(""),
        S("a\0z"),
        S("\xC2\x80\xDF\xBF"),
        S("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"),
        S("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        assert_false(utf16_valid_utf8(bad[i]));
        assert_int_equal(utf16_character(bad[i]), 0);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; ++i) assert_true(utf16_valid_utf8(good[i]));
}

static void cesu_and_utf8_are_two_spellings_of_one_string(void **state)
{
    text cesu = { 0 }, utf8 = { 0 };
    slice both = SLICE("a\xC3\xA9\xF0\x9F\x98\x80\xE2\x82\xAC\xF4\x8F\xBF\xBFz");

    (void)state;
    utf16_to_cesu(&cesu, both);
    assert_slice(text_slice(&cesu), SLICE("a\xC3\xA9\xED\xA0\xBD\xED\xB8\x80\xE2\x82\xAC"
                                          "\xED\xAF\xBF\xED\xBF\xBFz"));
    utf16_to_utf8(&utf8, text_slice(&cesu));
    assert_slice(text_slice(&utf8), both);
    text_free(&cesu);
    text_free(&utf8);
}

static void a_lone_surrogate_becomes_the_replacement_character(void **state)
{
    text t = { 0 };

    (void)state;
    utf16_to_utf8(&t, SLICE("\xED\xA0\x80"
                            "a\xED\xB8\x80\xED\xA0\xBD\xED\xA0\xBD\xED\xB8\x80\xED\xA0\xBD"));
    assert_slice(text_slice(&t), SLICE("\xEF\xBF\xBD"
                                       "a\xEF\xBF\xBD\xEF\xBF\xBD\xF0\x9F\x98\x80\xEF\xBF\xBD"));
    text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_counts_units_in_both_spellings),
        cmocka_unit_test(names_order_by_memcmp_as_the_keys_of_order_json_do),
        cmocka_unit_test(the_sorted_keys_are_the_units_that_order_json_spells_out),
        cmocka_unit_test(texts_order_by_unit_where_no_surrogate_is_alone),
        cmocka_unit_test(order_finds_a_difference_wherever_it_stands),
        cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(cesu_and_utf8_are_two_spellings_of_one_string),
        cmocka_unit_test(a_lone_surrogate_becomes_the_replacement_character),
    };
    return cmocka_run_group_tests_name("utf16", tests, NULL, NULL);
}
