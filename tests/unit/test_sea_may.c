/* test_sea_may.c - a certificate judged without a write (core/sea.h, sea_may). */
#include "core/sea.h"
#include "tests/tools/curve.h"

// clang-format off
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on

enum { ANN = 1, BOB, EVE };

typedef struct answer {
    arena memory;
    status s;
    sea_finding f;
    char pub[CURVE_PUB_LEN + 1];
} answer;

static slice of(const char *words)
{
    return (slice){ words, strlen(words) };
}

/* Terms with BOB's key where they say %s. */
static char *terms_for_bob(const char *terms)
{
    char pub[CURVE_PUB_LEN + 1];
    char *out = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&out, &len);
    const char *mark = strstr(terms, "BOB");

    assert_non_null(to);
    curve_pub(BOB, pub);
    fprintf(to, "%.*s%s%s", mark ? (int)(mark - terms) : (int)strlen(terms), terms, mark ? pub : "",
            mark ? mark + 3 : "");
    assert_int_equal(fclose(to), 0);
    return out;
}

/* Asks for `who` at ANN's soul with this path, with terms that `issuer` signed. */
static void ask(answer *a, int issuer, const char *lead, const char *terms, int who,
                const char *path, const char *key, double state)
{
    char *said = terms_for_bob(terms), soul[256], owner[CURVE_PUB_LEN + 1];
    text certificate = { 0 };

    text_add(&certificate, of(lead));
    curve_certificate(&certificate, issuer, said);
    curve_pub(ANN, owner);
    curve_pub(who, a->pub);
    snprintf(soul, sizeof soul, "~%s%s", owner, path);
    a->memory = arena_make(1 << 20);
    a->s = sea_may(&test_curve, &a->memory, of(soul), of(key), of(a->pub), text_slice(&certificate),
                   state, &a->f);
    /* Names in the answer may be lent from what goes now. */
    if (a->s == STATUS_OK) {
        a->f.why = arena_copy(&a->memory, a->f.why);
        a->f.blocks = arena_copy(&a->memory, a->f.blocks.at == NULL ? of("") : a->f.blocks);
    }
    text_free(&certificate);
    free(said);
}

static void assert_why(const answer *a, const char *why)
{
    assert_int_equal(a->s, STATUS_OK);
    if (a->f.why.len != strlen(why) || memcmp(a->f.why.at, why, a->f.why.len) != 0)
        fail_msg("\"%.*s\" is not \"%s\"", (int)a->f.why.len, a->f.why.at, why);
}

static void a_good_certificate_says_who_may_write_and_until_when(void **state)
{
    static const char *const leads[] = { "", "SEA" };
    answer a;

    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        ask(&a, ANN, leads[i], "{\"c\":\"BOB\",\"w\":{\"*\":\"inbox\"},\"e\":500,\"wb\":\"bad\"}",
            BOB, "/inbox", "k", 500);
        assert_why(&a, "");
        assert_true(a.f.certified);
        assert_true(a.f.expires == 500);
        assert_int_equal(a.f.blocks.len, 3);
        arena_free(&a.memory);
    }
    ask(&a, ANN, "", "{\"c\":\"*\",\"w\":\"k\"}", EVE, "", "k", 1e15);
    assert_why(&a, "");
    assert_true(isinf(a.f.expires));
    assert_int_equal(a.f.blocks.len, 0);
    arena_free(&a.memory);
}

static void a_refusal_is_that_of_a_write(void **state)
{
    static const struct {
        int issuer, who;
        const char *terms, *path, *key;
        double state;
        const char *why;
    } cases[] = {
        { ANN, BOB, "{\"c\":\"BOB\",\"w\":{\"*\":\"inbox\"}}", "/other", "k", 1,
          "Certificate verification fail." },
        { ANN, BOB, "{\"c\":\"BOB\",\"w\":{\"*\":\"inbox\"},\"e\":500}", "/inbox", "k", 501,
          "Certificate expired." },
        { ANN, EVE, "{\"c\":\"BOB\",\"w\":{\"*\":\"inbox\"}}", "/inbox", "k", 1,
          "certificate: its bearer is not certified" },
        { ANN, BOB, "{\"c\":\"BOB\"}", "/inbox", "k", 1, "certificate: it allows no writing" },
        { EVE, BOB, "{\"c\":\"BOB\",\"w\":{\"*\":\"inbox\"}}", "/inbox", "k", 1,
          "certificate: not signed by the owner of this space" },
        /* Who is certified is not yet the owner of the space. */
        { BOB, BOB, "{\"c\":\"BOB\",\"w\":{\"*\":\"inbox\"}}", "/inbox", "k", 1,
          "certificate: not signed by the owner of this space" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        answer a;
        ask(&a, cases[i].issuer, "", cases[i].terms, cases[i].who, cases[i].path, cases[i].key,
            cases[i].state);
        assert_why(&a, cases[i].why);
        arena_free(&a.memory);
    }
}

static void what_is_no_certificate_or_no_user_space_is_malformed(void **state)
{
    static const char *const none[] = { "",           "SEA",
                                        "[]",         "{}",
                                        "{\"m\":{}}", "{\"s\":\"x\"}",
                                        "\"\"",       "5",
                                        "null",       "{\"m\":\"\",\"s\":\"x\"}",
                                        "SEASEA{}" };
    char owner[CURVE_PUB_LEN + 1], soul[128];
    arena a = arena_make(1 << 20);
    sea_finding f;

    (void)state;
    curve_pub(ANN, owner);
    snprintf(soul, sizeof soul, "~%s", owner);
    for (size_t i = 0; i < sizeof none / sizeof *none; ++i)
        assert_int_equal(sea_may(&test_curve, &a, of(soul), of("k"), of(owner), of(none[i]), 1, &f),
                         STATUS_MALFORMED);
    assert_int_equal(sea_may(&test_curve, &a, of("chat"), of("k"), of(owner),
                             of("{\"m\":{},\"s\":\"x\"}"), 1, &f),
                     STATUS_MALFORMED);
    arena_free(&a);
}

static void a_short_arena_ends_the_question_and_nothing_else(void **state)
{
    char owner[CURVE_PUB_LEN + 1], soul[128];
    text certificate = { 0 };
    size_t bytes = 0;
    sea_finding f;
    status s;

    (void)state;
    curve_pub(ANN, owner);
    snprintf(soul, sizeof soul, "~%s/inbox", owner);
    curve_certificate(&certificate, ANN, "{\"c\":\"*\",\"w\":{\"*\":\"inbox\"}}");
    do {
        arena a = arena_make(bytes);
        s = sea_may(&test_curve, &a, of(soul), of("k"), of(owner), text_slice(&certificate), 1, &f);
        assert_true(s == STATUS_OK || s == STATUS_NO_MEMORY || s == STATUS_TOO_BIG);
        if (s == STATUS_OK) assert_true(sea_is_good(&f));
        arena_free(&a);
        bytes += 16;
    } while (s != STATUS_OK);
    text_free(&certificate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_certificate_says_who_may_write_and_until_when),
        cmocka_unit_test(a_refusal_is_that_of_a_write),
        cmocka_unit_test(what_is_no_certificate_or_no_user_space_is_malformed),
        cmocka_unit_test(a_short_arena_ends_the_question_and_nothing_else),
    };

    return cmocka_run_group_tests_name("sea_may", tests, NULL, NULL);
}
