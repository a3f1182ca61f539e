/* test_json.c - what core/json.h takes, refuses, and hands out. Names, members
 * and printing are proven in test_json_text.c. */
#include "core/json.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const json_bounds BOUNDS = { .depth_max = 64, .tokens_max = 100000 };

/* Both readers say the same; returns what. */
static status read_both(slice source)
{
    arena a = arena_make(1 << 24);
    json j;
    status s = json_read(&j, &a, source, &BOUNDS);

    assert_int_equal(json_check(source, BOUNDS.depth_max), s);
    arena_free(&a);
    return s;
}

static void assert_all(const slice *texts, size_t count, status want)
{
    for (size_t i = 0; i < count; ++i) {
        status got = read_both(texts[i]);
        if (got != want) {
            fail_msg("%.*s: %s, not %s", (int)texts[i].len, texts[i].at, status_text(got),
                     status_text(want));
        }
    }
}

#define S(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#define ASSERT_ALL(list, want) assert_all((list), sizeof(list) / sizeof *(list), (want))

static void it_takes_what_json_parse_takes(void **state)
{
    static const slice good[] = {
        S("null"),
        S("true"),
        S("false"),
        S("0"),
        S("-0"),
        S("1"),
        S("-1"),
        S("10"),
        S("0.5"),
        S("1e5"),
        S("1E+5"),
        S("1e-5"),
        S("0e0"),
        S("1.25e400"),
        S("100000000000000000000"),
        S("9007199254740993"),
        S("\"\""),
        S("\"a\""),
        S("{}"),
        S("[]"),
        S("[[],{}]"),
        S(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n"),
        S("{\"a\":1,\"a\":2}"),
        S("{\"\":{\"\":\"\"}}"),
        S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
        S("\"\\u0000\""),
        S("\"\\ud800\""),
        S("\"\\uDFFF\\uD800\""),
        S("\"\\ud83d\\ude00\""),
        S("\"\x7F\""),
        S("\"\xC2\x80\""),
        S("\"\xE2\x80\xA8\""),
        S("\"\xEF\xBF\xBF\""),
        S("\"\xF4\x8F\xBF\xBF\""),
        S("{\"__proto__\":1,\"constructor\":2}"),
    };

    (void)state;
    ASSERT_ALL(good, STATUS_OK);
}

static void it_refuses_what_json_parse_refuses(void **state)
{
    static const slice bad[] = {
        S(""),
        S(" "),
        S("{"),
        S("["),
        S("}"),
        S("]"),
        S("[{"),
        S("[1"),
        S("[1,"),
        S("[1,]"),
        S("[,1]"),
        S("[1 2]"),
        S("[1,,2]"),
        S("{\"a\"}"),
        S("{\"a\":}"),
        S("{\"a\":1,}"),
        S("{,}"),
        S("{a:1}"),
        S("{1:1}"),
        S("{\"a\" 1}"),
        S("{\"a\":1 \"b\":2}"),
        S("[}"),
        S("{]"),
        S("[1}"),
        S("{\"a\":1]"),
        S("1 2"),
        S("{}{}"),
        S("[]]"),
        S("nul"),
        S("nulll"),
        S("Null"),
        S("tru"),
        S("truE"),
        S("falsy"),
        S("undefined"),
        S("NaN"),
        S("Infinity"),
        S("-Infinity"),
        S("'a'"),
        S("\"a"),
        S("\""),
        S("\"\\\""),
        S("\"\\"),
        S("\"\\q\""),
        S("\"\\x41\""),
        S("\"\\u12\""),
        S("\"\\u12g4\""),
        S("\"\\U0041\""),
        S("01"),
        S("00"),
        S("-01"),
        S("1."),
        S(".5"),
        S("-.5"),
        S("-"),
        S("+1"),
        S("1e"),
        S("1e+"),
        S("1e1.5"),
        S("0x10"),
        S("1_000"),
        S("--1"),
        S("1.e5"),
        S("// x\n1"),
        S("/* */1"),
        S("1//"),
        S("\x0B"
          "1"),
        S("\x0C"
          "1"),
        S("\xC2\xA0"
          "1"),
        S("{\"a\\q\":1}"),
    };

    (void)state;
    ASSERT_ALL(bad, STATUS_MALFORMED);
}

static void a_byte_order_mark_is_malformed(void **state)
{
    static const slice bad[] = { S("\xEF\xBB\xBF{}"), S("\xEF\xBB\xBF"), S("{}\xEF\xBB\xBF") };

    (void)state;
    ASSERT_ALL(bad, STATUS_MALFORMED);
    /* Inside a string it is a character like any other. */
    assert_int_equal(read_both(SLICE("\"\xEF\xBB\xBF\"")), STATUS_OK);
}

static void what_is_not_utf8_is_malformed(void **state)
{
    static const slice bad[] = {
        S("\"\xFF\""),
        S("\"\x80\""),
        S("\"\xC0\x80\""),
        S("\"\xC1\xBF\""),
        S("\"\xC3\""),
        S("\"\xE0\x9F\xBF\""),
        S("\"\xED\xA0\x80\""),
        S("\"\xED\xBF\xBF\""),
        S("\"\xE2\x82\""),
        S("\"\xF0\x8F\xBF\xBF\""),
        S("\"\xF4\x90\x80\x80\""),
        S("\"\xF5\x80\x80\x80\""),
        S("\"\xF0\x9F\x98\""),
        S("\"\xE2\x82"),
        S("{\"\xFF\":1}"),
        S("[\xFF]"),
    };

    (void)state;
    ASSERT_ALL(bad, STATUS_MALFORMED);
}

static void control_characters_in_strings_are_malformed(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 0x20; ++c) {
        char source[] = "\"ab?cd\"";
        source[3] = (char)c;
        assert_int_equal(read_both((slice){ source, sizeof source - 1 }), STATUS_MALFORMED);
    }
}

/* The scan goes sixteen bytes at a time: each lane must see what it must. */
static void every_place_in_a_string_is_looked_at(void **state)
{
    char source[80];
    slice whole = { source, 0 };

    (void)state;
    for (size_t len = 1; len < 70; ++len) {
        for (size_t at = 0; at < len; ++at) {
            memset(source, 'x', sizeof source);
            source[0] = source[len + 1] = '"';
            whole.len = len + 2;
            assert_int_equal(read_both(whole), STATUS_OK);
            source[at + 1] = '\n';
            assert_int_equal(read_both(whole), STATUS_MALFORMED);
            source[at + 1] = '\xA1';
            assert_int_equal(read_both(whole), STATUS_MALFORMED);
            source[at + 1] = '"';
            assert_int_equal(read_both(whole), STATUS_MALFORMED);
            source[at + 1] = '\\';
            assert_int_equal(read_both(whole), STATUS_MALFORMED);
        }
    }
}

static void a_text_cut_short_anywhere_is_malformed(void **state)
{
    static const char whole[] = "{\"a\\u00e9\":[1.5e3,\"\xF0\x9F\x98\x80\",null,{\"#\":\"x\"}],"
                                "\"b\":true,\"c\":false}";

    (void)state;
    assert_int_equal(read_both((slice){ whole, sizeof whole - 1 }), STATUS_OK);
    for (size_t len = 0; len < sizeof whole - 1; ++len) {
        /* A copy without room behind it, so that a sanitizer sees a step too far. */
        char *cut = malloc(len + (len == 0));
        assert_non_null(cut);
        memcpy(cut, whole, len);
        assert_int_equal(read_both((slice){ cut, len }), STATUS_MALFORMED);
        free(cut);
    }
}

static void depth_is_bounded_and_costs_no_stack(void **state)
{
    enum { DEPTH = 1000000 };
    char *bomb = malloc(2 * DEPTH);
    arena a = arena_make(1 << 20);
    json j;

    (void)state;
    assert_non_null(bomb);
    memset(bomb, '[', DEPTH);
    memset(bomb + DEPTH, ']', DEPTH);
    slice text_of[] = { { bomb + DEPTH - 64, 128 },
                        { bomb + DEPTH - 65, 130 },
                        { bomb, 2 * DEPTH } };
    assert_int_equal(json_read(&j, &a, text_of[0], &BOUNDS), STATUS_OK);
    assert_int_equal(json_read(&j, &a, text_of[1], &BOUNDS), STATUS_TOO_BIG);
    assert_int_equal(json_read(&j, &a, text_of[2], &BOUNDS), STATUS_TOO_BIG);
    assert_int_equal(json_check(text_of[0], 64), STATUS_OK);
    assert_int_equal(json_check(text_of[1], 64), STATUS_TOO_BIG);
    assert_int_equal(json_check((slice){ bomb + DEPTH - 4096, 8192 }, 5000), STATUS_OK);
    assert_int_equal(json_check((slice){ bomb + DEPTH - 4097, 8194 }, 5000), STATUS_TOO_BIG);
    assert_int_equal(json_check(SLICE("5"), 0), STATUS_OK);
    assert_int_equal(json_check(SLICE("[]"), 0), STATUS_TOO_BIG);
    free(bomb);
    arena_free(&a);
}

static void the_kind_of_every_open_container_is_remembered(void **state)
{
    char source[2000];
    size_t len = 0;

    (void)state;
    for (int i = 0; i < 60; ++i) {
        len += (size_t)snprintf(source + len, sizeof source - len, i % 3 == 0 ? "[" : "{\"k\":");
    }
    len += (size_t)snprintf(source + len, sizeof source - len, "1");
    for (int i = 59; i >= 0; --i) source[len++] = i % 3 == 0 ? ']' : '}';
    assert_int_equal(read_both((slice){ source, len }), STATUS_OK);
    for (size_t i = len - 60; i < len; ++i) {
        char was = source[i];
        source[i] = was == ']' ? '}' : ']';
        assert_int_equal(read_both((slice){ source, len }), STATUS_MALFORMED);
        source[i] = was;
    }
}

static void tokens_are_bounded(void **state)
{
    arena a = arena_make(1 << 20);
    json j;

    (void)state;
    const json_bounds four = { .depth_max = 8, .tokens_max = 4 };
    assert_int_equal(json_read(&j, &a, SLICE("[1,2,3]"), &four), STATUS_OK);
    assert_int_equal(j.count, 4);
    assert_int_equal(json_read(&j, &a, SLICE("[1,2,3,4]"), &four), STATUS_TOO_BIG);
    assert_int_equal(json_read(&j, &a, SLICE("{\"a\":1,\"b\":2}"), &four), STATUS_TOO_BIG);
    assert_int_equal(json_check(SLICE("[1,2,3,4]"), 8), STATUS_OK);
    arena_free(&a);
}

static void a_full_arena_is_too_big_and_not_a_crash(void **state)
{
    char source[20001];
    arena a = arena_make(64 * 1024);
    json j;

    (void)state;
    /* [1,1,...,1]: ten thousand tokens of 16 bytes. */
    for (size_t i = 0; i < sizeof source; ++i) source[i] = i % 2 == 0 ? ',' : '1';
    source[0] = '[';
    source[sizeof source - 1] = ']';
    assert_int_equal(json_check((slice){ source, sizeof source }, 2), STATUS_OK);
    assert_int_equal(json_read(&j, &a, (slice){ source, sizeof source }, &BOUNDS), STATUS_TOO_BIG);
    arena_free(&a);
}

static void tokens_lie_in_the_order_of_the_text_and_next_steps_over_values(void **state)
{
    vectors v;

    (void)state;
    vectors_read(&v, SLICE(" {\"a\":[1,{\"b\":[]}, \"c\"],\"d\":null} "));
    static const struct {
        const char *raw;
        json_type type;
        uint32_t next;
    } want[] = {
        { "{\"a\":[1,{\"b\":[]}, \"c\"],\"d\":null}", JSON_OBJECT, 10 },
        { "\"a\"", JSON_STRING, 2 },
        { "[1,{\"b\":[]}, \"c\"]", JSON_ARRAY, 8 },
        { "1", JSON_NUMBER, 4 },
        { "{\"b\":[]}", JSON_OBJECT, 7 },
        { "\"b\"", JSON_STRING, 6 },
        { "[]", JSON_ARRAY, 7 },
        { "\"c\"", JSON_STRING, 8 },
        { "\"d\"", JSON_STRING, 9 },
        { "null", JSON_NULL, 10 },
    };
    assert_int_equal(v.j.count, sizeof want / sizeof *want);
    for (uint32_t i = 0; i < v.j.count; ++i) {
        assert_slice(json_raw(&v.j, i), ((slice){ want[i].raw, strlen(want[i].raw) }));
        assert_int_equal(v.j.tokens[i].type, want[i].type);
        assert_int_equal(v.j.tokens[i].next, want[i].next);
    }
    vectors_close(&v);
}

static void many_tokens_cost_sixteen_bytes_each(void **state)
{
    enum { COUNT = 100000 };
    char *source = malloc(2 * COUNT + 2);
    arena a = arena_make(SIZE_MAX);
    const json_bounds many = { .depth_max = 2, .tokens_max = 1u << 30 };
    json j;

    (void)state;
    assert_non_null(source);
    for (size_t i = 0; i < COUNT; ++i) memcpy(source + 1 + 2 * i, "7,", 2);
    source[0] = '[';
    source[2 * COUNT] = ']';
    assert_int_equal(json_read(&j, &a, (slice){ source, 2 * COUNT + 1 }, &many), STATUS_OK);
    assert_int_equal(j.count, COUNT + 1);
    assert_int_equal(sizeof *j.tokens, 16);
    assert_in_range(a.taken, 16 * COUNT, 16 * COUNT + 16 * 1024);
    for (uint32_t i = 1; i < j.count; ++i) assert_slice(json_raw(&j, i), SLICE("7"));
    free(source);
    arena_free(&a);
}

static void plain_tells_what_needs_no_second_look(void **state)
{
    static const struct {
        slice source;
        bool plain;
    } cases[] = {
        { S("\"abc\""), true },
        { S("\"\xE2\x82\xAC\""), true },
        { S("\"a\\n\""), false },
        { S("\"\xF0\x9F\x98\x80\""), false },
        { S("\"\\u0041\""), false },
        { S("0"), true },
        { S("-0"), false },
        { S("-5"), true },
        { S("123456789012345"), true },
        { S("1234567890123456"), false },
        { S("0.5"), true },
        { S("-0.25"), true },
        { S("0.50"), false },
        { S("1.0"), false },
        { S("0.000001"), true },
        { S("0.0000001"), false },
        { S("1e5"), false },
        { S("1.5E3"), false },
        { S("0.0"), false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        vectors v;
        vectors_read(&v, cases[i].source);
        if (v.j.tokens[0].plain != cases[i].plain) fail_msg("%s", cases[i].source.at);
        vectors_close(&v);
    }
}

static void a_frame_can_be_read_value_by_value(void **state)
{
    slice frame = SLICE(" {\"a\":1},[2] \"x\"tail");
    arena a = arena_make(1 << 20);
    size_t at = 0;
    json j;

    (void)state;
    assert_int_equal(json_read_at(&j, &a, frame, &at, &BOUNDS), STATUS_OK);
    assert_int_equal(at, 8);
    assert_slice(json_raw(&j, 0), SLICE("{\"a\":1}"));
    assert_int_equal(json_read_at(&j, &a, frame, &at, &BOUNDS), STATUS_MALFORMED);
    assert_int_equal(at, 8);
    at = 9;
    assert_int_equal(json_read_at(&j, &a, frame, &at, &BOUNDS), STATUS_OK);
    assert_slice(json_raw(&j, 0), SLICE("[2]"));
    assert_slice(json_raw(&j, 1), SLICE("2"));
    assert_int_equal(json_read_at(&j, &a, frame, &at, &BOUNDS), STATUS_OK);
    assert_slice(json_raw(&j, 0), SLICE("\"x\""));
    at = frame.len;
    assert_int_equal(json_read_at(&j, &a, frame, &at, &BOUNDS), STATUS_MALFORMED);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_takes_what_json_parse_takes),
        cmocka_unit_test(it_refuses_what_json_parse_refuses),
        cmocka_unit_test(a_byte_order_mark_is_malformed),
        cmocka_unit_test(what_is_not_utf8_is_malformed),
        cmocka_unit_test(control_characters_in_strings_are_malformed),
        cmocka_unit_test(every_place_in_a_string_is_looked_at),
        cmocka_unit_test(a_text_cut_short_anywhere_is_malformed),
        cmocka_unit_test(depth_is_bounded_and_costs_no_stack),
        cmocka_unit_test(the_kind_of_every_open_container_is_remembered),
        cmocka_unit_test(tokens_are_bounded),
        cmocka_unit_test(a_full_arena_is_too_big_and_not_a_crash),
        cmocka_unit_test(tokens_lie_in_the_order_of_the_text_and_next_steps_over_values),
        cmocka_unit_test(many_tokens_cost_sixteen_bytes_each),
        cmocka_unit_test(plain_tells_what_needs_no_second_look),
        cmocka_unit_test(a_frame_can_be_read_value_by_value),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
