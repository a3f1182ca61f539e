/* test_sea_text.c - what was signed is what JSON.stringify prints of what JSON.parse has
 * read, however the one who sends it spells it. The differential of tests/sea asks the
 * same of sea.js with thousands of texts; here stand those that are easily got wrong. */
#include "core/base64.h"
#include "core/json.h"
#include "core/sea.h"
#include "tests/tools/curve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { OWNER = 1, BEARER = 2 };

#define UNVERIFIED "Unverified data."

static slice of(const char *words)
{
    return (slice){ words, strlen(words) };
}

static void add(text *t, const char *words)
{
    text_add(t, of(words));
}

static const char *soul_of_owner(const char *path)
{
    static char soul[200];
    char pub[CURVE_PUB_LEN + 1];

    curve_pub(OWNER, pub);
    snprintf(soul, sizeof soul, "~%s%s", pub, path);
    return soul;
}

/* What is found of a value of the characters of `inside`, a name. */
static void assert_judged(const char *soul, slice inside, double state, const char *why,
                          const char *about)
{
    arena a = arena_make(1 << 20);
    sea_finding found;
    text value = { 0 };

    json_print_name(&value, inside);
    assert_int_equal(
        sea_judge(&test_curve, &a, of(soul), SLICE("k"), text_slice(&value), state, &found),
        STATUS_OK);
    if (!slice_equal(found.why, of(why)))
        fail_msg("%s: \"%.*s\", not \"%s\"", about, (int)found.why.len, found.why.at, why);
    text_free(&value);
    arena_free(&a);
}

/* --- words --- */

static void add_signature(text *t, const char *soul, const char *said)
{
    text words = { 0 };

    add(&words, "{\"#\":\"");
    add(&words, soul);
    add(&words, "\",\".\":\"k\",\":\":");
    add(&words, said);
    add(&words, ",\">\":5}");
    curve_sign(t, OWNER, text_slice(&words));
    text_free(&words);
}

/* A value that says `spelled`, under a signature over `printed`. */
static void assert_spelled(const char *spelled, const char *printed, const char *why)
{
    const char *soul = soul_of_owner("");
    text inside = { 0 };

    add(&inside, "{\":\":");
    add(&inside, spelled);
    add(&inside, ",\"~\":\"");
    add_signature(&inside, soul, printed);
    add(&inside, "\"}");
    assert_judged(soul, text_slice(&inside), 5, why, spelled);
    text_free(&inside);
}

static void a_signature_is_over_what_javascript_prints(void **state)
{
    static const struct {
        const char *spelled, *printed;
    } cases[] = {
        { "1", "1" },
        { "1.0", "1" },
        { "-0", "0" },
        { "1e21", "1e+21" },
        { "1E400", "null" },
        { "-1e400", "null" },
        { " true ", "true" },
        { "\"\\u0041\\/\"", "\"A/\"" },
        { "\"\\u0008\\u001F\"", "\"\\b\\u001f\"" },
        { "\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\"" },
        { "\"\\uD83D\"", "\"\\ud83d\"" },
        { "\"\xED\xA0\x80\"", "\"\\ud800\"" },         /* a surrogate that stands alone */
        { "\"\\\\\xED\xA0\x80\"", "\"\\\\\\ud800\"" }, /* behind a backslash that is said */
        { "[ 1 , [ ] , { } ]", "[1,[],{}]" },
        { "{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}" },
        { "{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}" }, /* by a relay of gun's */
        { "{\"2\":1,\"b\":1,\"1\":2,\"a\":1}", "{\"1\":2,\"2\":1,\"b\":1,\"a\":1}" },
        { "{\"4294967295\":1,\"4294967294\":2,\"01\":3,\"0\":4,\"-1\":5}",
          "{\"0\":4,\"4294967294\":2,\"4294967295\":1,\"01\":3,\"-1\":5}" },
        { "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}" },
        { "{\"\\u0061\":1,\"a\":2}", "{\"a\":2}" },
        { "{\"__proto__\":1}", "{\"__proto__\":1}" },
        { "{\"#\":\"a soul\"}", "{\"#\":\"a soul\"}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
        assert_spelled(cases[i].spelled, cases[i].printed, "");
}

static void other_words_than_those_signed_are_refused(void **state)
{
    (void)state;
    assert_spelled("1", "2", UNVERIFIED);
    assert_spelled("\"1\"", "1", UNVERIFIED);
    assert_spelled("null", "0", UNVERIFIED);
    assert_spelled("1.0", "1.0", UNVERIFIED); /* nor those that were sent */
    assert_spelled(" true ", " true ", UNVERIFIED);
    assert_spelled("\"\\u0041\"", "\"\\u0041\"", UNVERIFIED);
    assert_spelled("{\"a\":1,\"a\":2}", "{\"a\":1}", UNVERIFIED);
    assert_spelled("{\"b\":1,\"1\":2}", "{\"b\":1,\"1\":2}", UNVERIFIED);
}

/* What no JSON is was not signed, whatever stands beside it. */
static void what_is_no_json_inside_is_not_signed(void **state)
{
    (void)state;
    assert_spelled("\"\\\xED\xA0\x80\"", "\"\\ud800\"", UNVERIFIED); /* \ and no escape */
    assert_spelled("\"\x01\"", "\"\\u0001\"", UNVERIFIED);
    assert_spelled("\xED\xA0\x80", "\"\\ud800\"", UNVERIFIED);
    assert_spelled("01", "1", UNVERIFIED);
    assert_spelled("'a'", "\"a\"", UNVERIFIED);
    assert_spelled("", "null", UNVERIFIED);
}

/* --- the form of 2019 --- */

/* Signed is what JavaScript joins; the signature is base64, or a character a byte. */
static void add_2019(text *t, const char *soul, const char *said, const char *joined,
                     bool as_characters)
{
    text words = { 0 }, spelled = { 0 };
    uint8_t bytes[SEA_SIGNATURE_BYTES];

    add(&words, soul);
    add(&words, ",k,");
    add(&words, joined);
    add(&words, ",5");
    curve_sign(&spelled, OWNER, text_slice(&words));
    add(t, "SEA{\"m\":[\"");
    add(t, soul);
    add(t, "\",\"k\",");
    add(t, said);
    add(t, ",5],\"s\":");
    if (as_characters) {
        text characters = { 0 };

        assert_true(base64_forgiving(text_slice(&spelled), bytes, sizeof bytes));
        for (size_t i = 0; i < sizeof bytes; ++i) {
            if (bytes[i] >= 0x80) text_add_char(&characters, (char)(0xC0 | bytes[i] >> 6));
            text_add_char(&characters,
                          (char)(bytes[i] >= 0x80 ? 0x80 | (bytes[i] & 0x3F) : bytes[i]));
        }
        json_print_name(t, text_slice(&characters));
        text_free(&characters);
    } else {
        text_add_char(t, '"');
        text_add(t, text_slice(&spelled));
        text_add_char(t, '"');
    }
    add(t, "}");
    text_free(&words);
    text_free(&spelled);
}

static void assert_2019(const char *soul, const char *said, const char *joined, double state,
                        const char *why)
{
    for (int as_characters = 0; as_characters < 2; ++as_characters) {
        text inside = { 0 };

        add_2019(&inside, soul, said, joined, as_characters == 1);
        assert_judged(soul, text_slice(&inside), state, why, said);
        text_free(&inside);
    }
}

static void what_was_signed_in_2019_is_good_where_it_can_mean_one_thing(void **state)
{
    (void)state;
    assert_2019(soul_of_owner(""), "\"hi\"", "hi", 5, "");
    assert_2019(soul_of_owner(""), "\"h\\u0069\"", "hi", 5, "");
    assert_2019(soul_of_owner(""), "null", "", 5, "");
    assert_2019(soul_of_owner(""), "1.50", "1.5", 5, "");
    assert_2019(soul_of_owner(""), "true", "true", 5, "");
    assert_2019(soul_of_owner(""), "\"hi\"", "hi", 5.5, ""); /* its fraction was lost then */
    assert_2019(soul_of_owner(""), "\"hi\"", "hi", 6, UNVERIFIED);
    assert_2019(soul_of_owner(""), "\"hi\"", "ho", 5, UNVERIFIED);
    assert_2019(soul_of_owner(""), "{\"a\":1}", "[object Object]", 5, UNVERIFIED);
    assert_2019(soul_of_owner(""), "[1]", "1", 5, UNVERIFIED);
    assert_2019(soul_of_owner("/a,b"), "\"hi\"", "hi", 5, UNVERIFIED);
}

/* --- certificates whose terms are a text --- */

static void assert_terms(const char *terms, const char *signed_as, const char *why)
{
    const char *soul = soul_of_owner("/inbox");
    text certificate = { 0 }, inside = { 0 };

    add(&certificate, "{\"m\":");
    json_print_name(&certificate, of(terms));
    add(&certificate, ",\"s\":\"");
    curve_sign(&certificate, OWNER, of(signed_as));
    add(&certificate, "\"}");
    text_add_char(&certificate, '\0');
    curve_value(&inside, BEARER, certificate.at, soul, "k", "1", 5);
    assert_judged(soul, text_slice(&inside), 5, why, terms);
    text_free(&certificate);
    text_free(&inside);
}

static void terms_that_are_a_text_are_signed_as_they_stand(void **state)
{
    const char *terms = "{ \"w\":\"inbox/k\", \"c\":\"*\" }";
    const char *printed = "{\"w\":\"inbox/k\",\"c\":\"*\"}";
    const char *no = "certificate: not signed by the owner of this space";

    (void)state;
    assert_terms(terms, terms, "");
    assert_terms(terms, printed, no);
    assert_terms("[]", "[]", no);
    assert_terms("not JSON", "not JSON", no);
    assert_terms("{\"c\":\"*\",\"w\":\"other\"}", "{\"c\":\"*\",\"w\":\"other\"}",
                 "Certificate verification fail.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_over_what_javascript_prints),
        cmocka_unit_test(other_words_than_those_signed_are_refused),
        cmocka_unit_test(what_is_no_json_inside_is_not_signed),
        cmocka_unit_test(what_was_signed_in_2019_is_good_where_it_can_mean_one_thing),
        cmocka_unit_test(terms_that_are_a_text_are_signed_as_they_stand),
    };

    return cmocka_run_group_tests_name("sea_text", tests, NULL, NULL);
}
