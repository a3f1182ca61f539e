/* test_sea.c - all vectors of signatures, certificates and content hashes, with the
 * server's own curve; then a few rules that only odd certificates show.
 *
 * vectors/sea-relay-verdicts.json and sea-cert-verdicts.json are what a relay of gun
 * answered. Where brasa answers otherwise, the case stands in a list here, with the
 * difference of docs/protocol.md that it shows. Of vectors/sea.json the password
 * hashing and the encryption are not asked: clients do both, a relay does neither.
 */
#include "core/base64.h"
#include "core/sea.h"
#include "core/value.h"
#include "server/crypto.h"
#include "tests/tools/curve.h"
#include "tests/unit/vectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define GOOD SLICE("")

static const char *const RELAY_VERDICTS = "sea-relay-verdicts.json";
static const char *const CERT_VERDICTS = "sea-cert-verdicts.json";

static int open_crypto(void **state)
{
    const crypto_limits limits = crypto_default_limits();
    const uint8_t secret[CRYPTO_SECRET_BYTES] = { 7 };
    crypto *c = NULL;

    assert_int_equal(crypto_new(&c, &limits, secret), STATUS_OK);
    *state = c;
    return 0;
}

static int close_crypto(void **state)
{
    crypto_free(*state);
    return 0;
}

/* ---- what gun's relay answered */

typedef struct other_answer {
    const char *name; /* of the case */
    const char *why;  /* brasa's text; empty: brasa takes it */
    const char *difference;
} other_answer;

static const char NOT_THE_OWNERS[] = "certificate: not signed by the owner of this space";
static const char NOT_CERTIFIED[] = "certificate: its bearer is not certified";
static const char MISSING[] = "certificate: missing, \"*\" names another writer";
static const char FAIL[] = "Certificate verification fail.";

static const other_answer OTHER_RELAY_ANSWERS[] = {
    { "signed object value with unsorted keys {b,a}", "", "D7" },
    { "cert issued by bob for himself (not owner)", NOT_THE_OWNERS, "D6" },
    { "cert2 only for bob, used by eve", NOT_CERTIFIED, "D6" },
    { "cert tampered", NOT_THE_OWNERS, "D6" },
    { "star present but no cert", MISSING, "D1" },
    { "cert as string in +", MISSING, "D1" },
    { "policy string \"inbox\" exact path", FAIL, "D7" },
    { "policy string \"inbox/q2\"", "", "D7" },
    { "policy {\"#\":{\"*\":\"inbox\"},\".\":\"q3\"}", "", "D7" },
    { "policy {\"#\":\"inbox\",\".\":{\"*\":\"q\"}} key z (should fail)", FAIL, "D7" },
    { "policy [{\"*\":\"a\"},{\"*\":\"inbox\"}]", "", "D7" },
    { "policy on the user root soul key: {\".\":\"q6\"}", "", "D7" },
};

static const other_answer OTHER_CERT_ANSWERS[] = {
    { "policy {\">\":\"a\",\"<\":\"m\"} key in path inbox", "", "D7" },
    { "certificants [bob,eve] (two)", "", "D3" },
    { "certificant bob, used by eve", NOT_CERTIFIED, "D6" },
    { "read only policy", "certificate: it allows no writing", "D6" },
    { "\"*\" = eve, no \"+\"", MISSING, "D1" },
    /* gun waited for a list that it did not have; brasa's relay is told where it is. */
    { "block: \"blocked\" (path in the owner graph), nobody blocked", "", "blocks" },
    { "block: \"blocked\", bob is blocked", "", "blocks" },
};

enum {
    OTHER_RELAY_COUNT = sizeof OTHER_RELAY_ANSWERS / sizeof *OTHER_RELAY_ANSWERS,
    OTHER_CERT_COUNT = sizeof OTHER_CERT_ANSWERS / sizeof *OTHER_CERT_ANSWERS,
};

static const other_answer *find_other(const other_answer *list, size_t count, slice name)
{
    for (size_t i = 0; i < count; ++i)
        if (slice_equal(name, (slice){ list[i].name, strlen(list[i].name) })) return &list[i];
    return NULL;
}

/* What gun answered: an `ok` of all acks, else the first `err`; NULL for silence. */
static bool gun_answered(vectors *v, uint32_t one, slice *why)
{
    uint32_t acks = vectors_at(v, one, "acks");
    bool answered = false;

    *why = GOOD;
    for (uint32_t i = vectors_first(acks); vectors_in(v, acks, i); i = vectors_next(v, i)) {
        if (vectors_has(v, i, "ok")) {
            *why = GOOD;
            return true;
        }
        if (!answered) *why = vectors_name(v, vectors_at(v, i, "err"));
        answered = true;
    }
    return answered;
}

static sea_finding judge_case(const sea_crypto *c, vectors *v, uint32_t one)
{
    sea_finding found;
    slice value;

    assert_int_equal(value_read(&v->j, &v->memory, vectors_at(v, one, "value"), &value), STATUS_OK);
    assert_int_equal(sea_judge(c, &v->memory, vectors_name(v, vectors_at(v, one, "soul")),
                               vectors_name(v, vectors_at(v, one, "key")), value,
                               vectors_number(v, vectors_at(v, one, "state")), &found),
                     STATUS_OK);
    return found;
}

/* All cases of a file; each of the list must be met, and must differ. */
static void judge_file(const crypto *c, const char *file, const other_answer *list, size_t count,
                       size_t cases)
{
    size_t others = 0, all = 0;
    vectors v;

    vectors_open(&v, file);
    uint32_t array = vectors_at(&v, 0, "cases");
    for (uint32_t i = vectors_first(array); vectors_in(&v, array, i); i = vectors_next(&v, i)) {
        slice name = vectors_name(&v, vectors_at(&v, i, "case")), guns;
        const other_answer *other = find_other(list, count, name);
        bool answered = gun_answered(&v, i, &guns);
        sea_finding found = judge_case(crypto_table(c), &v, i);

        ++all;
        if (other == NULL) {
            if (!answered) fail_msg("gun was silent about %.*s", (int)name.len, name.at);
            assert_slice(found.why, guns);
        } else {
            ++others;
            assert_slice(found.why, ((slice){ other->why, strlen(other->why) }));
            assert_false(answered && slice_equal(found.why, guns));
        }
    }
    assert_int_equal(others, count);
    assert_int_equal(all, cases);
    vectors_close(&v);
}

static void verdicts_are_those_of_a_gun_relay_but_for_the_listed_ones(void **state)
{
    judge_file(*state, RELAY_VERDICTS, OTHER_RELAY_ANSWERS, OTHER_RELAY_COUNT, 77);
}

static void verdicts_on_certificates_are_those_of_a_gun_relay_but_for_the_listed_ones(void **state)
{
    judge_file(*state, CERT_VERDICTS, OTHER_CERT_ANSWERS, OTHER_CERT_COUNT, 31);
}

static void who_is_blocked_is_told_to_be_asked(void **state)
{
    size_t met = 0;
    vectors v;

    vectors_open(&v, CERT_VERDICTS);
    slice owner = vectors_name(&v, vectors_at(&v, 0, "owner"));
    slice bob = vectors_name(&v, vectors_at(&v, 0, "bob"));
    uint32_t array = vectors_at(&v, 0, "cases");
    for (uint32_t i = vectors_first(array); vectors_in(&v, array, i); i = vectors_next(&v, i)) {
        if (!slice_begins(vectors_name(&v, vectors_at(&v, i, "case")), SLICE("block:"))) continue;
        sea_finding found = judge_case(crypto_table(*state), &v, i);

        ++met;
        assert_true(found.certified && !found.blocks_is_soul);
        assert_slice(found.blocks, SLICE("blocked"));
        assert_slice(found.owner, owner);
        assert_slice(found.bearer, bob);
    }
    assert_int_equal(met, 2);
    vectors_close(&v);
}

/* ---- what SEA signs and hashes */

static void read_key(slice pub, uint8_t out[static SEA_KEY_BYTES])
{
    assert_int_equal(pub.len, 87);
    assert_true(base64_url32((slice){ pub.at, 43 }, out));
    assert_true(base64_url32((slice){ pub.at + 44, 43 }, out + 32));
}

/* The text of `one` has the hash that stands beside it, and the signature is over it. */
static void check_signature(const sea_crypto *c, vectors *v, uint32_t one, const char *whose)
{
    uint8_t key[SEA_KEY_BYTES], digest[SEA_DIGEST_BYTES], signature[SEA_SIGNATURE_BYTES];
    char hex[2 * SEA_DIGEST_BYTES + 1];
    slice said;

    read_key(vectors_name(v, vectors_at(v, one, whose)), key);
    assert_int_equal(json_utf8(&v->j, &v->memory, vectors_at(v, one, "signed_text"), &said),
                     STATUS_OK);
    c->sha256(c->context, said, digest);
    for (size_t i = 0; i < sizeof digest; ++i) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    if (vectors_has(v, one, "sha256_hex"))
        assert_slice(((slice){ hex, 2 * sizeof digest }),
                     vectors_name(v, vectors_at(v, one, "sha256_hex")));
    assert_true(base64_forgiving(vectors_name(v, vectors_at(v, one, "signature_base64")), signature,
                                 sizeof signature));
    assert_true(c->verify(c->context, key, digest, signature) ==
                vectors_true(v, vectors_at(v, one, "verifies")));
    signature[63] ^= 1;
    assert_false(c->verify(c->context, key, digest, signature));
}

static sea_finding judge_wire(const sea_crypto *c, vectors *v, uint32_t one, slice key,
                              double written)
{
    sea_finding found;
    slice value;

    assert_int_equal(value_read(&v->j, &v->memory, vectors_at(v, one, "wire_value"), &value),
                     STATUS_OK);
    assert_int_equal(sea_judge(c, &v->memory, vectors_name(v, vectors_at(v, one, "soul")), key,
                               value, written, &found),
                     STATUS_OK);
    return found;
}

static void signed_values_are_good_where_they_were_signed_and_nowhere_else(void **state)
{
    const sea_crypto *c = crypto_table(*state);
    size_t wires = 0;
    vectors v;

    vectors_open(&v, "sea.json");
    uint32_t array = vectors_at(&v, 0, "sign_verify");
    assert_int_equal(vectors_count(&v, array), 12);
    for (uint32_t i = vectors_first(array); vectors_in(&v, array, i); i = vectors_next(&v, i)) {
        /* Three only show that a signature is not good over something else. */
        if (!vectors_has(&v, i, "wire_value")) continue;
        slice key = vectors_name(&v, vectors_at(&v, i, "key"));
        double written = vectors_number(&v, vectors_at(&v, i, "state"));
        bool verifies = vectors_true(&v, vectors_at(&v, i, "verifies"));
        sea_finding here = judge_wire(c, &v, i, key, written);
        sea_finding beside = judge_wire(c, &v, i, SLICE("another"), written);
        sea_finding later = judge_wire(c, &v, i, key, written + 1);

        ++wires;
        assert_slice(here.why, verifies ? GOOD : SLICE("Unverified data."));
        assert_slice(beside.why, SLICE("Unverified data."));
        assert_slice(later.why, SLICE("Unverified data."));
    }
    assert_int_equal(wires, 9);
    vectors_close(&v);
}

static void signatures_are_over_the_texts_that_sea_signs(void **state)
{
    vectors v;

    vectors_open(&v, "sea.json");
    uint32_t array = vectors_at(&v, 0, "sign_verify");
    for (uint32_t i = vectors_first(array); vectors_in(&v, array, i); i = vectors_next(&v, i))
        check_signature(crypto_table(*state), &v, i, "pub");
    array = vectors_at(&v, 0, "certificates");
    assert_int_equal(vectors_count(&v, array), 6);
    for (uint32_t i = vectors_first(array); vectors_in(&v, array, i); i = vectors_next(&v, i))
        check_signature(crypto_table(*state), &v, i, "owner_pub");
    vectors_close(&v);
}

static slice judge_hash(const sea_crypto *c, vectors *v, uint32_t one, slice key)
{
    sea_finding found;
    slice value;

    assert_int_equal(value_read(&v->j, &v->memory, vectors_at(v, one, "value"), &value), STATUS_OK);
    assert_int_equal(sea_judge(c, &v->memory, SLICE("#chunks"), key, value, 5, &found), STATUS_OK);
    return found.why;
}

/* The key with its letters in capitals, or a character changed. */
static slice changed(vectors *v, slice key, bool capitals)
{
    slice copy = arena_copy(&v->memory, key);
    char *at = (char *)copy.at;

    if (!capitals) at[0] = at[0] == 'a' ? 'b' : 'a';
    for (size_t i = 0; capitals && i < copy.len; ++i)
        if (at[i] >= 'a' && at[i] <= 'f') at[i] = (char)(at[i] - 'a' + 'A');
    return copy;
}

static void content_is_taken_under_its_hash_in_base64_and_in_hexadecimal(void **state)
{
    const sea_crypto *c = crypto_table(*state);
    vectors v;

    vectors_open(&v, "sea.json");
    uint32_t array = vectors_at(&v, 0, "content_hash");
    assert_int_equal(vectors_count(&v, array), 10);
    for (uint32_t i = vectors_first(array); vectors_in(&v, array, i); i = vectors_next(&v, i)) {
        slice base64 = vectors_name(&v, vectors_at(&v, i, "sha256_base64"));
        slice hex = vectors_name(&v, vectors_at(&v, i, "sha256_hex"));

        assert_slice(judge_hash(c, &v, i, base64), GOOD);
        assert_slice(judge_hash(c, &v, i, hex), GOOD);
        assert_slice(judge_hash(c, &v, i, changed(&v, hex, true)), GOOD);
        assert_slice(judge_hash(c, &v, i, changed(&v, base64, false)),
                     SLICE("Data hash not same as hash!"));
        assert_slice(judge_hash(c, &v, i, changed(&v, hex, false)),
                     SLICE("Data hash not same as hash!"));
    }
    vectors_close(&v);
}

/* ---- kinds of souls */

static void a_soul_says_whose_it_is(void **state)
{
    vectors v;

    (void)state;
    vectors_open(&v, "sea.json");
    uint32_t array = vectors_at(&v, 0, "soul_to_pub");
    assert_int_equal(vectors_count(&v, array), 20);
    for (uint32_t i = vectors_first(array); vectors_in(&v, array, i); i = vectors_next(&v, i)) {
        slice soul = vectors_name(&v, vectors_at(&v, i, "soul")), x, y;
        uint32_t pub = vectors_at(&v, i, "pub");
        sea_kind kind = sea_kind_of(soul, &x, &y);

        /* sea.js asks for aliases before it looks for a key. */
        if (slice_begins(soul, SLICE("~@"))) {
            assert_int_equal(kind, soul.len == 2 ? SEA_ALIASES : SEA_ALIAS);
        } else if (v.j.tokens[pub].type == JSON_NULL) {
            assert_int_equal(kind, SEA_FREE);
        } else {
            char joined[256];
            int len =
                snprintf(joined, sizeof joined, "%.*s.%.*s", (int)x.len, x.at, (int)y.len, y.at);

            assert_int_equal(kind, SEA_USER);
            assert_slice(((slice){ joined, (size_t)len }), vectors_name(&v, pub));
        }
    }
    vectors_close(&v);
}

/* ---- certificates, with signatures that need no curve */

enum { OWNER = 1, BEARER = 2 };

typedef struct certified_write {
    char soul[128];
    text said, value;
} certified_write;

/* In every string of a certificate, which is signed as JSON.stringify spells it. */
static void respell(text *certificate, char letter)
{
    text other = { 0 };
    char escape[16];

    snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)letter);
    for (size_t i = 0; i < certificate->len; ++i)
        if (certificate->at[i] == letter)
            text_add(&other, (slice){ escape, 6 });
        else
            text_add_char(&other, certificate->at[i]);
    text_free(certificate);
    *certificate = other;
}

/* A write by certificate of these terms into the owner's inbox; the terms are spelled
 * with an escape for a letter, if there is one. */
static void make_respelled(certified_write *w, const char *terms, char letter, double written)
{
    text certificate = { 0 };
    char pub[CURVE_PUB_LEN + 1];

    *w = (certified_write){ 0 };
    curve_pub(OWNER, pub);
    snprintf(w->soul, sizeof w->soul, "~%s/inbox", pub);
    curve_certificate(&certificate, OWNER, terms);
    if (letter != '\0') respell(&certificate, letter);
    text_add_char(&certificate, '\0');
    curve_value(&w->said, BEARER, certificate.at, w->soul, "k", "\"hi\"", written);
    json_print_name(&w->value, text_slice(&w->said));
    text_free(&certificate);
}

static void make_certified(certified_write *w, const char *terms, double written)
{
    make_respelled(w, terms, '\0', written);
}

static void drop(certified_write *w)
{
    text_free(&w->said);
    text_free(&w->value);
}

static sea_finding judge_terms(arena *a, const char *terms, double written)
{
    certified_write w;
    sea_finding found;

    make_certified(&w, terms, written);
    assert_int_equal(sea_judge(&test_curve, a, (slice){ w.soul, strlen(w.soul) }, SLICE("k"),
                               text_slice(&w.value), written, &found),
                     STATUS_OK);
    found.why = arena_copy(a, found.why);
    drop(&w);
    return found;
}

/* JavaScript's parseFloat, which is what a certificate's end goes through. */
static void an_expiry_is_read_as_javascript_reads_numbers(void **state)
{
    static const struct {
        const char *said;
        double means; /* infinity: it never ends */
    } cases[] = {
        { "1000", 1000 },
        { "\"1000\"", 1000 },
        { "\" \\t\\n1e3 years\"", 1000 },
        { "\"\u00a0\u2003\ufeff1000\"", 1000 },
        { "\"+.5\"", 0.5 },
        { "\"5.\"", 5 },
        { "\"5.5.5\"", 5.5 },
        { "\"0x10\"", 0 },
        { "\"1e\"", 1 },
        { "\"-1\"", -1 },
        { "[1000,5]", 1000 },
        { "[[\"1000\"]]", 1000 },
        { "\"-Infinity\"", -INFINITY },
        { "\"Infinity\"", INFINITY },
        { "\"inf\"", INFINITY },
        { "\"nan\"", INFINITY },
        { "\"\"", INFINITY },
        { "\".\"", INFINITY },
        { "\"- 1\"", INFINITY },
        { "\"\u200b1\"", INFINITY },
        { "[]", INFINITY },
        { "[null,5]", INFINITY },
        { "{}", INFINITY },
        { "null", INFINITY },
        { "true", INFINITY },
    };
    arena a = arena_make(1 << 20);
    char terms[256];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        snprintf(terms, sizeof terms, "{\"c\":\"*\",\"w\":{\"*\":\"inbox\"},\"e\":%s}",
                 cases[i].said);
        sea_finding found = judge_terms(&a, terms, 1001);

        if (found.expires != cases[i].means) fail_msg("%s: %g", cases[i].said, found.expires);
        assert_slice(found.why, cases[i].means < 1001 ? SEA_EXPIRED : GOOD);
        arena_reset(&a, 1 << 20);
    }
    arena_free(&a);
}

static void a_certificate_covers_its_last_state_and_none_after_it(void **state)
{
    const char *terms = "{\"c\":\"*\",\"w\":{\"*\":\"inbox\"},\"e\":1000}";
    arena a = arena_make(1 << 20);

    (void)state;
    assert_slice(judge_terms(&a, terms, 999.5).why, GOOD);
    assert_slice(judge_terms(&a, terms, 1000).why, GOOD);
    assert_slice(judge_terms(&a, terms, 1000.25).why, SEA_EXPIRED);
    arena_free(&a);
}

static void assert_same_finding(const sea_finding *a, const sea_finding *b)
{
    assert_slice(a->why, b->why);
    assert_slice(a->blocks, b->blocks);
    assert_true(a->expires == b->expires);
    assert_int_equal(a->certified, b->certified);
    assert_int_equal(a->blocks_is_soul, b->blocks_is_soul);
}

/* What is found in a small arena is what is found in a large one, or nothing: also
 * where each string of the certificate has to be made there first. Whoever bears the
 * certificate chooses its spelling, and fills the arena. */
static void nothing_is_taken_for_want_of_memory(void **state)
{
    /* Names enough that the last question is asked when the reader's slack is used up. */
    static const struct {
        const char *rest;
        char respelled;
        const char *why; /* begins so */
    } cases[] = {
        { "\"*\"],\"w\":[{\"+\":\"*\",\"*\":\"inbox\"}]}", '*',
          "Path \"inbox\" or key \"k\" must" },
        { "\"*\"],\"w\":[{\"+\":[\"-\",\"*\"],\"*\":\"inbox\"}]}", '*',
          "Path \"inbox\" or key \"k\"" },
        { "\"*\"],\"w\":{\"*\":\"inbox\"},\"e\":\"1000\"}", '1', "Certificate expired." },
        { "\"*\"],\"e\":\"1000\",\"w\":{\"*\":\"inbox\"}}", '*', "Certificate expired." },
        { "\"y\"],\"w\":{\"*\":\"inbox\"}}", 'y', NOT_CERTIFIED },
        { "\"*\"],\"w\":[\"qq\",{\"*\":\"q\"},{\"#\":\"inbox\",\".\":\"q\"}]}", 'q', FAIL },
        { "\"*\"],\"w\":{\"*\":\"inbox\"},\"wb\":\"*\"}", '*', "" },
        { "\"*\"],\"w\":{\"*\":\"inbox\"},\"wb\":{\"#\":\"*\"}}", '*', "" },
    };
    enum { NAMES = 300 };
    char terms[NAMES * 8 + 200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        arena much = arena_make(1 << 20);
        sea_finding want, found;
        size_t not_judged = 0;
        certified_write w;
        bool enough = false;
        slice soul;

        strcpy(terms, "{\"c\":[");
        for (int n = 0; n < NAMES; ++n) strcat(terms, "\"x*1y\",");
        strcat(terms, cases[i].rest);
        make_respelled(&w, terms, cases[i].respelled, 1001);
        soul = (slice){ w.soul, strlen(w.soul) };
        assert_int_equal(
            sea_judge(&test_curve, &much, soul, SLICE("k"), text_slice(&w.value), 1001, &want),
            STATUS_OK);
        assert_true(slice_begins(want.why, (slice){ cases[i].why, strlen(cases[i].why) }));
        assert_int_equal(sea_is_good(&want), cases[i].why[0] == '\0');
        for (size_t bytes = 0; bytes <= much.taken + 4096; bytes += 16) {
            arena a = arena_make(bytes);
            status s =
                sea_judge(&test_curve, &a, soul, SLICE("k"), text_slice(&w.value), 1001, &found);

            /* That it is too complex is found, and refused, at once. */
            if (s != STATUS_OK)
                ++not_judged;
            else if (!slice_equal(found.why, SLICE("Unverified data.")) &&
                     !slice_begins(found.why, SLICE("certificate: not signed")))
                assert_same_finding(&found, &want);
            enough = s == STATUS_OK && slice_equal(found.why, want.why);
            arena_free(&a);
        }
        assert_true(enough);
        assert_true(not_judged > 0);
        arena_free(&much);
        drop(&w);
    }
}

static slice judge_list(arena *a, size_t elements)
{
    char pub[CURVE_PUB_LEN + 1], soul[128];
    text list = { 0 }, said = { 0 }, value = { 0 };
    sea_finding found;

    curve_pub(OWNER, pub);
    snprintf(soul, sizeof soul, "~%s", pub);
    for (size_t i = 0; i < elements; ++i) text_add(&list, i == 0 ? SLICE("[0") : SLICE(",0"));
    text_add(&list, (slice){ "]", 2 }); /* with a NUL */
    curve_value(&said, OWNER, NULL, soul, "k", list.at, 5);
    json_print_name(&value, text_slice(&said));
    assert_int_equal(sea_judge(&test_curve, a, (slice){ soul, strlen(soul) }, SLICE("k"),
                               text_slice(&value), 5, &found),
                     STATUS_OK);
    text_free(&list);
    text_free(&said);
    text_free(&value);
    return found.why;
}

/* Of parts, not of bytes: a certificate for ten thousand people is a megabyte. */
static void a_signed_value_has_sixty_thousand_parts_and_no_more(void **state)
{
    enum { PEOPLE = 10000 };
    arena a = arena_make(256u << 20);
    text terms = { 0 };
    char pub[CURVE_PUB_LEN + 1];

    (void)state;
    assert_slice(judge_list(&a, 65000), GOOD);
    assert_slice(judge_list(&a, 66000), SLICE("Unverified data."));
    text_add(&terms, SLICE("{\"c\":["));
    for (int i = 0; i < PEOPLE; ++i) {
        curve_pub(i == PEOPLE - 1 ? BEARER : 3, pub);
        text_add(&terms, i == 0 ? SLICE("\"") : SLICE("\",\""));
        text_add(&terms, (slice){ pub, CURVE_PUB_LEN });
    }
    text_add(&terms, SLICE("\"],\"w\":{\"*\":\"inbox\"}}"));
    text_add_char(&terms, '\0');
    assert_slice(judge_terms(&a, terms.at, 5).why, GOOD);
    text_free(&terms);
    arena_free(&a);
}

/* ---- what a reader is given */

static void what_is_said_stands_where_its_form_has_it(void **state)
{
    (void)state;
    static const struct {
        const char *value, *says;
    } cases[] = {
        { "\"{\\\":\\\":5,\\\"~\\\":\\\"s\\\"}\"", "5" },
        { "\"SEA{\\\"m\\\":[\\\"soul\\\",\\\"key\\\",7,1],\\\"s\\\":\\\"s\\\"}\"", "7" },
        /* ":" without "~" is not signed: what is, is the form of 2019. */
        { "\"SEA{\\\":\\\":5,\\\"m\\\":[\\\"soul\\\",\\\"key\\\",7,1],\\\"s\\\":\\\"s\\\"}\"",
          "7" },
        { "\"{\\\":\\\":5}\"", NULL },
        { "\"words\"", NULL },
        { "5", NULL },
    };
    arena a = arena_make(1 << 16);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        slice value = { cases[i].value, strlen(cases[i].value) }, said;
        slice want = cases[i].says ? (slice){ cases[i].says, strlen(cases[i].says) } : value;

        assert_int_equal(sea_unpack(value, &a, &said), STATUS_OK);
        if (!slice_equal(said, want))
            fail_msg("%s says %.*s", cases[i].value, (int)said.len, said.at);
    }
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_are_those_of_a_gun_relay_but_for_the_listed_ones),
        cmocka_unit_test(verdicts_on_certificates_are_those_of_a_gun_relay_but_for_the_listed_ones),
        cmocka_unit_test(who_is_blocked_is_told_to_be_asked),
        cmocka_unit_test(signed_values_are_good_where_they_were_signed_and_nowhere_else),
        cmocka_unit_test(signatures_are_over_the_texts_that_sea_signs),
        cmocka_unit_test(content_is_taken_under_its_hash_in_base64_and_in_hexadecimal),
        cmocka_unit_test(a_soul_says_whose_it_is),
        cmocka_unit_test(an_expiry_is_read_as_javascript_reads_numbers),
        cmocka_unit_test(a_certificate_covers_its_last_state_and_none_after_it),
        cmocka_unit_test(nothing_is_taken_for_want_of_memory),
        cmocka_unit_test(what_is_said_stands_where_its_form_has_it),
        cmocka_unit_test(a_signed_value_has_sixty_thousand_parts_and_no_more),
    };

    return cmocka_run_group_tests(tests, open_crypto, close_crypto);
}
