/* test_json_text.c - names, members and printing of core/json.h, and
 * vectors/strings.json. */
#include "core/json.h"
#include "core/utf16.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define S(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static void strings_json_prints_as_json_stringify_does(void **state)
{
    vectors v;
    size_t count = 0;

    (void)state;
    vectors_open(&v, "strings.json");
    uint32_t list = vectors_at(&v, 0, "strings");
    for (uint32_t i = vectors_first(list); vectors_in(&v, list, i); i = vectors_next(&v, i)) {
        text printed = { 0 }, expected = { 0 };
        slice name = vectors_units(&v, vectors_name(&v, vectors_at(&v, i, "units")));
        slice hex = vectors_name(&v, vectors_at(&v, i, "utf8_hex"));

        for (size_t k = 0; k + 2 <= hex.len; k += 2) {
            char digits[3] = { hex.at[k], hex.at[k + 1], 0 };
            text_add_char(&expected, (char)strtoul(digits, NULL, 16));
        }
        json_print_name(&printed, name);
        assert_slice(text_slice(&printed), text_slice(&expected));
        assert_true(json_is_canonical(text_slice(&printed)));

        vectors back;
        vectors_read(&back, text_slice(&printed));
        assert_slice(vectors_name(&back, 0), name);
        vectors_close(&back);
        text_free(&printed);
        text_free(&expected);
        ++count;
    }
    assert_in_range(count, 40, 1000);
    vectors_close(&v);
}

static void text_of_utf8_is_printed_as_its_name_is(void **state)
{
    slice utf8 = SLICE("a \"\\\n\x7F\xC3\xA9\xE2\x82\xAC\xED\x9F\xBF\xEE\x80\x80\xF0\x9F\x98\x80z");
    text cesu = { 0 }, printed = { 0 }, expected = { 0 };

    (void)state;
    utf16_to_cesu(&cesu, utf8);
    assert_true(cesu.len > utf8.len);
    json_print_name(&expected, text_slice(&cesu));
    json_print_name(&printed, utf8);
    assert_slice(text_slice(&printed), text_slice(&expected));
    text_free(&cesu);
    text_free(&printed);
    text_free(&expected);
}

static void bytes_are_printed_as_the_string_of_their_base64(void **state)
{
    static const char *const expected[] = { "\"\"", "\"/w==\"", "\"//4=\"", "\"//4A\"",
                                            "\"//4AYQ==\"" };
    text printed = { 0 };

    (void)state;
    for (size_t len = 0; len < sizeof expected / sizeof *expected; ++len) {
        size_t before = printed.len;

        json_print_base64(&printed, (slice){ "\xFF\xFE\0a", len });
        assert_slice(((slice){ printed.at + before, printed.len - before }),
                     ((slice){ expected[len], strlen(expected[len]) }));
    }
    text_free(&printed);
}

static void escapes_of_strings_json_read_as_their_units(void **state)
{
    vectors v;

    (void)state;
    vectors_open(&v, "strings.json");
    uint32_t list = vectors_at(&v, 0, "parse");
    assert_int_equal(vectors_count(&v, list), 7);
    for (uint32_t i = vectors_first(list); vectors_in(&v, list, i); i = vectors_next(&v, i)) {
        vectors one;
        vectors_read(&one, vectors_name(&v, vectors_at(&v, i, "json")));
        assert_slice(vectors_name(&one, 0),
                     vectors_units(&v, vectors_name(&v, vectors_at(&v, i, "units"))));
        vectors_close(&one);
    }
    vectors_close(&v);
}

static void a_plain_name_is_lent_from_the_text(void **state)
{
    vectors v;
    slice source = SLICE("[\"abc\",\"\xE2\x82\xAC\",\"\"]"), name;

    (void)state;
    vectors_read(&v, source);
    assert_int_equal(json_name(&v.j, &v.memory, 1, &name), STATUS_OK);
    assert_ptr_equal(name.at, source.at + 2);
    assert_int_equal(name.len, 3);
    assert_int_equal(json_name(&v.j, &v.memory, 3, &name), STATUS_OK);
    assert_int_equal(name.len, 0);
    assert_int_equal(json_name(&v.j, &v.memory, 0, &name), STATUS_MALFORMED);
    assert_int_equal(json_utf8(&v.j, &v.memory, 0, &name), STATUS_MALFORMED);
    vectors_close(&v);
}

static void a_name_is_one_name_however_it_is_spelled(void **state)
{
    vectors v;

    (void)state;
    vectors_read(&v, SLICE("[\"\xF0\x9F\x98\x80\",\"\\ud83d\\ude00\",\"\\uD83D\\uDE00\"]"));
    for (uint32_t i = 1; i < 4; ++i) {
        assert_slice(vectors_name(&v, i), SLICE("\xED\xA0\xBD\xED\xB8\x80"));
    }
    vectors_close(&v);
    vectors_read(&v, SLICE("[\"a\\u0000\\/\xC3\xA9\\u00e9\\ud800\"]"));
    assert_slice(vectors_name(&v, 1), SLICE("a\0/\xC3\xA9\xC3\xA9\xED\xA0\x80"));
    vectors_close(&v);
}

static void a_string_that_holds_a_message_comes_out_as_utf8(void **state)
{
    vectors v;
    slice out;

    (void)state;
    vectors_read(&v, SLICE("[\"{\\\"a\\\":\\\"\\ud83d\\ude00\xF0\x9F\x98\x80\\u00e9\\\"}\","
                           "\"\xF0\x9F\x98\x80\",\"\\ud83d\",\"\\ude00\\ud83d\",\"a\\ud83dx\"]"));
    assert_int_equal(json_utf8(&v.j, &v.memory, 1, &out), STATUS_OK);
    assert_slice(out, SLICE("{\"a\":\"\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xC3\xA9\"}"));
    assert_int_equal(json_utf8(&v.j, &v.memory, 2, &out), STATUS_OK);
    assert_slice(out, SLICE("\xF0\x9F\x98\x80"));
    for (uint32_t i = 3; i < 6; ++i) {
        assert_int_equal(json_utf8(&v.j, &v.memory, i, &out), STATUS_MALFORMED);
    }
    vectors_close(&v);
}

static void a_member_is_found_by_name_and_of_two_the_last(void **state)
{
    vectors v;

    (void)state;
    vectors_read(&v, SLICE("{\"a\":{\"#\":1},\"\\u0023\":2,\"b\":3,\"b\":4,\"\\u0062c\":5}"));
    assert_slice(json_raw(&v.j, json_member(&v.j, 0, SLICE("#"))), SLICE("2"));
    assert_slice(json_raw(&v.j, json_member(&v.j, 0, SLICE("b"))), SLICE("4"));
    assert_slice(json_raw(&v.j, json_member(&v.j, 0, SLICE("bc"))), SLICE("5"));
    assert_int_equal(json_member(&v.j, 0, SLICE("c")), 0);
    assert_int_equal(json_member(&v.j, 0, SLICE("")), 0);
    assert_int_equal(json_member(&v.j, json_member(&v.j, 0, SLICE("b")), SLICE("a")), 0);
    vectors_close(&v);
}

static bool has_duplicates(slice source)
{
    vectors v;
    bool out = false;

    vectors_read(&v, source);
    assert_int_equal(json_has_duplicates(&v.j, &v.memory, 0, &out), STATUS_OK);
    vectors_close(&v);
    return out;
}

static void duplicates_are_seen_through_their_spelling(void **state)
{
    (void)state;
    assert_false(has_duplicates(SLICE("{}")));
    assert_false(has_duplicates(SLICE("[1,1]")));
    assert_false(has_duplicates(SLICE("{\"a\":1,\"b\":1,\"c\":{\"a\":1}}")));
    assert_false(has_duplicates(SLICE("{\"c\":1,\"b\":1,\"a\":1}")));
    assert_true(has_duplicates(SLICE("{\"a\":1,\"a\":1}")));
    assert_true(has_duplicates(SLICE("{\"b\":1,\"a\":{\"x\":1},\"b\":1}")));
    assert_true(has_duplicates(SLICE("{\"a\":1,\"\\u0061\":1}")));
    assert_true(has_duplicates(SLICE("{\"\xF0\x9F\x98\x80\":1,\"z\":0,\"\\ud83d\\ude00\":1}")));
}

static void duplicates_among_a_hundred_thousand_keys_are_found(void **state)
{
    enum { COUNT = 100000 };
    text t = { 0 };
    char member[32];

    (void)state;
    text_add_char(&t, '{');
    for (unsigned i = 0; i < COUNT; ++i) {
        /* An odd multiplier, so that the keys come in no order and never twice. */
        int len = snprintf(member, sizeof member, "\"%x\":1,", i * 2654435761u);
        text_add(&t, (slice){ member, (size_t)len });
    }
    text_add(&t, SLICE("\"z\":1}"));
    assert_false(has_duplicates(text_slice(&t)));
    t.len -= 1;
    text_add(&t, SLICE(",\"0\":1}"));
    assert_true(has_duplicates(text_slice(&t)));
    text_free(&t);
}

static void a_raw_string_is_printed_as_json_stringify_would(void **state)
{
    static const struct {
        slice raw, want;
    } cases[] = {
        { S("\"a\""), S("\"a\"") },
        { S("\"\\u0041\\/\""), S("\"A/\"") },
        { S("\"\\u000A\\u0008\\u001F\""), S("\"\\n\\b\\u001f\"") },
        { S("\"\\uD83D\\uDE00\""), S("\"\xF0\x9F\x98\x80\"") },
        { S("\"\\uD83D\\uD83D\\uDE00\""), S("\"\\ud83d\xF0\x9F\x98\x80\"") },
        { S("\"\\uDE00\\uD83D\""), S("\"\\ude00\\ud83d\"") },
        { S("\"\\u007f\\u2028\""), S("\"\x7F\xE2\x80\xA8\"") },
        { S("\"\\u0022\\u005c\""), S("\"\\\"\\\\\"") },
        { S("\"\xF0\x9F\x98\x80\\u0030\""), S("\"\xF0\x9F\x98\x80"
                                              "0\"") },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        vectors v;
        text t = { 0 };

        vectors_read(&v, cases[i].raw);
        assert_int_equal(json_print_string(&t, &v.j, &v.memory, 0), STATUS_OK);
        assert_slice(text_slice(&t), cases[i].want);
        assert_int_equal(json_is_canonical(cases[i].raw), slice_equal(cases[i].raw, cases[i].want));
        text_free(&t);
        vectors_close(&v);
    }
}

static void text_that_ends_inside_an_escape_is_malformed(void **state)
{
    static const slice cut[] = { S("a\\"), S("a\\u"), S("a\\u12"), S("a\\u123"),
                                 S("a\xF0\x9F\x98") };
    arena a = arena_make(1 << 10);
    slice out;

    (void)state;
    for (size_t i = 0; i < sizeof cut / sizeof *cut; ++i) {
        assert_int_equal(json_unescape(cut[i], &a, &out), STATUS_MALFORMED);
    }
    assert_int_equal(json_unescape(SLICE("a\\u0062"), &a, &out), STATUS_OK);
    assert_slice(out, SLICE("ab"));
    arena_free(&a);
}

static void a_full_arena_makes_no_name(void **state)
{
    vectors v;
    arena small = arena_make(32);
    slice out;
    bool found;

    (void)state;
    vectors_read(&v, SLICE("{\"\\u0061bcdefghijklmnopqrstuvwxyzabcdefghijkl\":1,\"b\":2,\"c\":3}"));
    assert_int_equal(json_name(&v.j, &small, 1, &out), STATUS_TOO_BIG);
    assert_int_equal(json_utf8(&v.j, &small, 1, &out), STATUS_TOO_BIG);
    assert_int_equal(json_has_duplicates(&v.j, &small, 0, &found), STATUS_TOO_BIG);
    arena_free(&small);
    vectors_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_json_prints_as_json_stringify_does),
        cmocka_unit_test(text_of_utf8_is_printed_as_its_name_is),
        cmocka_unit_test(bytes_are_printed_as_the_string_of_their_base64),
        cmocka_unit_test(escapes_of_strings_json_read_as_their_units),
        cmocka_unit_test(a_plain_name_is_lent_from_the_text),
        cmocka_unit_test(a_name_is_one_name_however_it_is_spelled),
        cmocka_unit_test(a_string_that_holds_a_message_comes_out_as_utf8),
        cmocka_unit_test(a_member_is_found_by_name_and_of_two_the_last),
        cmocka_unit_test(duplicates_are_seen_through_their_spelling),
        cmocka_unit_test(duplicates_among_a_hundred_thousand_keys_are_found),
        cmocka_unit_test(a_raw_string_is_printed_as_json_stringify_would),
        cmocka_unit_test(text_that_ends_inside_an_escape_is_malformed),
        cmocka_unit_test(a_full_arena_makes_no_name),
    };
    return cmocka_run_group_tests_name("json_text", tests, NULL, NULL);
}
