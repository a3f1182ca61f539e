/* test_value.c - the promises of core/value.h. */
#include "core/value.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define S(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static void a_value_that_is_canonical_is_lent(void **state)
{
    static const slice canonical[] = {
        S("null"),
        S("true"),
        S("false"),
        S("0"),
        S("-1.5"),
        S("1e+21"),
        S("5e-324"),
        S("1795211438951.001"),
        S("12345678901234567000"),
        S("\"\""),
        S("\"abc\""),
        S("\"\\n\\u001f\\\"\\\\\\ud800\""),
        S("\"\xF0\x9F\x98\x80\xE2\x80\xA8/\""),
        S("{\"#\":\"soul\"}"),
        S("{\"#\":\"\\n\xF0\x9F\x98\x80\"}"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof canonical / sizeof *canonical; ++i) {
        vectors v;
        slice value;

        vectors_read(&v, canonical[i]);
        assert_int_equal(value_read(&v.j, &v.memory, 0, &value), STATUS_OK);
        assert_ptr_equal(value.at, canonical[i].at);
        assert_slice(value, canonical[i]);
        vectors_close(&v);
    }
}

static void any_other_spelling_becomes_what_json_stringify_prints(void **state)
{
    static const struct {
        slice raw, want;
    } cases[] = {
        { S("1.0"), S("1") },
        { S("-0"), S("0") },
        { S("-0.0e5"), S("0") },
        { S("1e5"), S("100000") },
        { S("1e21"), S("1e+21") },
        { S("1E-7"), S("1e-7") },
        { S("0.0000001"), S("1e-7") },
        { S("12345678901234567890"), S("12345678901234567000") },
        { S("9007199254740993"), S("9007199254740992") },
        { S("\"\\u0041\\/\""), S("\"A/\"") },
        { S("\"\\uD83D\\uDE00\""), S("\"\xF0\x9F\x98\x80\"") },
        { S("\"\\u001F\\u000a\""), S("\"\\u001f\\n\"") },
        { S("{ \"#\" : \"s\" }"), S("{\"#\":\"s\"}") },
        { S("{\"\\u0023\":\"s\"}"), S("{\"#\":\"s\"}") },
        { S("{\"#\":\"\\u0073\\/\"}"), S("{\"#\":\"s/\"}") },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        vectors v;
        slice value;

        vectors_read(&v, cases[i].raw);
        assert_int_equal(value_read(&v.j, &v.memory, 0, &value), STATUS_OK);
        assert_slice(value, cases[i].want);
        vectors_close(&v);
    }
}

static void what_gun_cannot_hold_is_malformed(void **state)
{
    static const slice bad[] = {
        S("[]"),
        S("[1]"),
        S("{}"),
        S("{\"a\":1}"),
        S("{\"#\":\"\"}"),
        S("{\"#\":5}"),
        S("{\"#\":null}"),
        S("{\"#\":{\"#\":\"x\"}}"),
        S("{\"#\":[\"x\"]}"),
        S("{\"#\":\"x\",\"b\":1}"),
        S("{\"b\":1,\"#\":\"x\"}"),
        S("{\"#\":\"x\",\"#\":\"x\"}"),
        S("1e309"),
        S("-1e400"),
        S("{\"##\":\"x\"}"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        vectors v;
        slice value;

        vectors_read(&v, bad[i]);
        assert_int_equal(value_read(&v.j, &v.memory, 0, &value), STATUS_MALFORMED);
        vectors_close(&v);
    }
}

static void values_order_by_the_text_and_not_by_what_they_mean(void **state)
{
    static const struct {
        slice less, more;
    } pairs[] = {
        { S("\"abc\""), S("5") },
        { S("\"apple!\""), S("\"apple\"") },
        { S("10"), S("9") },
        { S("-5"), S("5") },
        { S("\"10\""), S("10") },
        { S("\"z\""), S("null") },
        { S("true"), S("{\"#\":\"a\"}") },
        { S("\"\xF0\x90\x80\x80\""), S("\"\xEE\x80\x80\"") },
        { S("\"\xF4\x8F\xBF\xBF\""), S("\"\xEF\xBF\xBF\"") },
        { S("\"A\""), S("\"\\n\"") },
        { S("\"\\n\""), S("\"o\"") },
        { S("\"\\ud800\""), S("\"a\"") },
        { S("\"z\""), S("\"\xC3\xA9\"") },
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; ++i) {
        assert_true(value_order(pairs[i].less, pairs[i].more) < 0);
        assert_true(value_order(pairs[i].more, pairs[i].less) > 0);
        assert_int_equal(value_order(pairs[i].less, pairs[i].less), 0);
    }
}

static void a_link_gives_its_soul_as_a_name(void **state)
{
    arena a = arena_make(1 << 16);
    slice soul;

    (void)state;
    assert_int_equal(value_link(SLICE("{\"#\":\"a\\n\xF0\x9F\x98\x80\\ud800\"}"), &a, &soul),
                     STATUS_OK);
    assert_slice(soul, SLICE("a\n\xED\xA0\xBD\xED\xB8\x80\xED\xA0\x80"));
    static const slice others[] = { S("null"), S("5"), S("\"{\\\"#\\\":\\\"a\\\"}\""), S("\"\"") };
    for (size_t i = 0; i < sizeof others / sizeof *others; ++i) {
        assert_int_equal(value_link(others[i], &a, &soul), STATUS_NOT_FOUND);
    }
    arena_free(&a);
}

static void the_weight_is_the_length_of_a_text_and_nine_otherwise(void **state)
{
    static const struct {
        slice value;
        size_t weight;
    } cases[] = {
        { S("\"a\""), 1 },
        { S("\"\""), 9 },
        { S("5"), 9 },
        { S("null"), 9 },
        { S("true"), 9 },
        { S("{\"#\":\"a long soul\"}"), 9 },
        { S("\"\\n\\\"\""), 2 },
        { S("\"\\u001f\\ud800x\""), 3 },
        { S("\"\\\\u0041\""), 6 },
        { S("\"\xF0\x9F\x98\x80\xC3\xA9\""), 3 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        assert_int_equal(value_weight(cases[i].value), cases[i].weight);
    }
}

static void a_full_arena_makes_no_value(void **state)
{
    arena small = arena_make(16);
    vectors v;
    slice value;

    (void)state;
    vectors_read(&v, SLICE("\"\\u0061bcdefghijklmnopqrstuvwxyz\""));
    assert_int_equal(value_read(&v.j, &small, 0, &value), STATUS_TOO_BIG);
    arena_free(&small);
    vectors_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_is_canonical_is_lent),
        cmocka_unit_test(any_other_spelling_becomes_what_json_stringify_prints),
        cmocka_unit_test(what_gun_cannot_hold_is_malformed),
        cmocka_unit_test(values_order_by_the_text_and_not_by_what_they_mean),
        cmocka_unit_test(a_link_gives_its_soul_as_a_name),
        cmocka_unit_test(the_weight_is_the_length_of_a_text_and_nine_otherwise),
        cmocka_unit_test(a_full_arena_makes_no_value),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
