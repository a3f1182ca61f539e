/* test_number.c - the promises of core/number.h, and vectors/numbers.json. */
#include "core/number.h"
#include "tests/unit/vectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define S(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static slice print(char out[static NUMBER_TEXT_MAX], double x)
{
    return (slice){ out, number_print(out, x) };
}

static double from_bits(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static double bits_of(slice hex)
{
    char digits[17];

    assert_int_equal(hex.len, 16);
    memcpy(digits, hex.at, 16);
    digits[16] = '\0';
    return from_bits(strtoull(digits, NULL, 16));
}

static void the_207_doubles_print_as_in_javascript_and_read_back(void **state)
{
    vectors v;
    size_t count = 0;

    (void)state;
    vectors_open(&v, "numbers.json");
    uint32_t list = vectors_at(&v, 0, "numbers");
    for (uint32_t i = vectors_first(list); vectors_in(&v, list, i); i = vectors_next(&v, i)) {
        char out[NUMBER_TEXT_MAX];
        double x = bits_of(vectors_name(&v, vectors_at(&v, i, "bits"))), back = -1;
        slice want = vectors_name(&v, vectors_at(&v, i, "json"));

        assert_slice(print(out, x), want);
        assert_true(number_read(want, &back));
        assert_true(back == x);
        ++count;
    }
    assert_int_equal(count, 207);
    vectors_close(&v);
}

static void texts_of_numbers_json_read_as_in_javascript(void **state)
{
    vectors v;
    size_t read = 0, refused = 0;

    (void)state;
    vectors_open(&v, "numbers.json");
    uint32_t list = vectors_at(&v, 0, "parse");
    for (uint32_t i = vectors_first(list); vectors_in(&v, list, i); i = vectors_next(&v, i)) {
        slice source = vectors_name(&v, vectors_at(&v, i, "text"));
        slice want = vectors_name(&v, vectors_at(&v, i, "standard_json"));
        char out[NUMBER_TEXT_MAX];
        double x;

        if (slice_equal(want, SLICE("SYNTAX ERROR"))) {
            assert_int_equal(json_check(source, 4), STATUS_MALFORMED);
            ++refused;
        } else if (slice_equal(want, SLICE("null"))) {
            /* Infinity: JSON by grammar, no value of ours. */
            assert_int_equal(json_check(source, 4), STATUS_OK);
            assert_false(number_read(source, &x));
            ++refused;
        } else {
            assert_true(number_read(source, &x));
            assert_slice(print(out, x), want);
            ++read;
        }
    }
    assert_int_equal(read + refused, 27);
    assert_int_equal(read, 16);
    vectors_close(&v);
}

/* Digits without the zeros in front and at the end. */
static int significant_digits(slice printed)
{
    int digits = 0, zeros = 0;

    for (size_t i = 0; i < printed.len && printed.at[i] != 'e'; ++i) {
        char c = printed.at[i];

        if (c < '0' || c > '9' || (c == '0' && digits == 0)) continue;
        zeros = c == '0' ? zeros + 1 : 0;
        ++digits;
    }
    return digits - zeros;
}

/* Reads back as itself, and the nearest text with a digit less does not. */
static void assert_shortest(double x)
{
    char out[NUMBER_TEXT_MAX], shorter[40];
    slice printed = print(out, x);
    double back = 0;
    int digits = significant_digits(printed);

    assert_true(number_read(printed, &back));
    assert_true(back == x);
    assert_in_range(digits, 1, 17);
    if (digits == 1) return;
    snprintf(shorter, sizeof shorter, "%.*e", digits - 2, x);
    assert_true(strtod(shorter, NULL) != x);
}

static void every_power_of_two_prints_its_shortest_text(void **state)
{
    (void)state;
    for (int e = -1074; e <= 1023; ++e) {
        double x = ldexp(1, e);
        assert_shortest(x);
        assert_shortest(nextafter(x, INFINITY));
        if (e > -1074) assert_shortest(nextafter(x, 0));
    }
}

static void powers_of_two_that_need_the_next_larger_decimal_get_it(void **state)
{
    char out[NUMBER_TEXT_MAX];

    (void)state;
    /* The nearest decimals of 16 digits, ...044 and ...752, read as the doubles below. */
    assert_slice(print(out, ldexp(1, -1017)), SLICE("7.120236347223045e-307"));
    assert_slice(print(out, ldexp(1, -957)), SLICE("8.209073602596753e-289"));
    assert_slice(print(out, ldexp(1, -1022)), SLICE("2.2250738585072014e-308"));
    assert_slice(print(out, 9007199254740992), SLICE("9007199254740992"));
}

static void states_print_with_their_thousandths(void **state)
{
    char out[NUMBER_TEXT_MAX];

    (void)state;
    assert_slice(print(out, 1795211438951.001), SLICE("1795211438951.001"));
    assert_slice(print(out, 1795211438951.01), SLICE("1795211438951.01"));
    assert_slice(print(out, 1795211438951.1), SLICE("1795211438951.1"));
    assert_slice(print(out, -0.001), SLICE("-0.001"));
    assert_slice(print(out, 4398046511103.999), SLICE("4398046511103.999"));
    assert_slice(print(out, 4398046511104.001), SLICE("4398046511104.001"));
    assert_slice(print(out, -0.0), SLICE("0"));
}

static void a_number_of_any_length_reads(void **state)
{
    enum { LENGTH = 300000 };
    char *long_text = malloc(LENGTH + 16);
    double x;

    (void)state;
    assert_non_null(long_text);
    memset(long_text, '1', LENGTH);
    assert_false(number_read((slice){ long_text, LENGTH }, &x));

    long_text[1] = '.';
    assert_true(number_read((slice){ long_text, LENGTH }, &x));
    assert_true(x == 1.1111111111111112);

    memset(long_text, '0', LENGTH);
    long_text[1] = '.';
    long_text[LENGTH - 1] = '1';
    assert_true(number_read((slice){ long_text, LENGTH }, &x));
    assert_true(x == 0);
    /* ... 10^-299998, brought back by its exponent. */
    memcpy(long_text + LENGTH, "e299998", 7);
    assert_true(number_read((slice){ long_text, LENGTH + 7 }, &x));
    assert_true(x == 1);

    memset(long_text, '0', LENGTH);
    long_text[0] = '7';
    memcpy(long_text + LENGTH, "e-299999", 8);
    assert_true(number_read((slice){ long_text, LENGTH + 8 }, &x));
    assert_true(x == 7);
    free(long_text);
}

static void a_digit_far_behind_decides_a_tie(void **state)
{
    char digits[2000];
    double x;

    (void)state;
    /* 2^53 + 1 lies in the middle of two doubles and goes to the even one. */
    memset(digits, '0', sizeof digits);
    memcpy(digits, "9007199254740993.", 17);
    assert_true(number_read((slice){ digits, sizeof digits }, &x));
    assert_true(x == 9007199254740992);
    digits[sizeof digits - 1] = '1';
    assert_true(number_read((slice){ digits, sizeof digits }, &x));
    assert_true(x == 9007199254740994);
}

static void what_overflows_is_no_number(void **state)
{
    static const slice big[] = { S("1e400"),
                                 S("-1e400"),
                                 S("1e309"),
                                 S("1.7976931348623159e308"),
                                 S("1e99999999999999999999999"),
                                 S("123e18446744073709551616") };
    static const slice small[] = { S("0e400"), S("1e-400"), S("-0.0e99999999999999999999"),
                                   S("1e-99999999999999999999") };
    double x;

    (void)state;
    for (size_t i = 0; i < sizeof big / sizeof *big; ++i) assert_false(number_read(big[i], &x));
    for (size_t i = 0; i < sizeof small / sizeof *small; ++i) {
        x = 5;
        assert_true(number_read(small[i], &x));
        assert_true(x == 0);
    }
    assert_true(number_read(SLICE("1.7976931348623157e308"), &x));
    assert_true(x == 1.7976931348623157e308);
    assert_true(number_read(SLICE("-0"), &x));
    assert_true(x == 0 && signbit(x));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_207_doubles_print_as_in_javascript_and_read_back),
        cmocka_unit_test(texts_of_numbers_json_read_as_in_javascript),
        cmocka_unit_test(every_power_of_two_prints_its_shortest_text),
        cmocka_unit_test(powers_of_two_that_need_the_next_larger_decimal_get_it),
        cmocka_unit_test(states_print_with_their_thousandths),
        cmocka_unit_test(a_number_of_any_length_reads),
        cmocka_unit_test(a_digit_far_behind_decides_a_tie),
        cmocka_unit_test(what_overflows_is_no_number),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
