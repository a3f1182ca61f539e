/* sea.c - see sea.h: kinds of souls, and which rule judges. */
#include "core/base64.h"
#include "core/hex.h"
#include "core/sea_inside.h"
#include "core/value.h"

#define NOT_CERTIFIED_AT_ALL SLICE("certificate: missing, \"*\" names another writer")

/* --- kinds --- */

static bool is_of_key(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* Takes the characters of a key off the front. */
static slice take_piece(slice *from)
{
    slice piece = { from->at, 0 };

    while (piece.len < from->len && is_of_key(from->at[piece.len])) ++piece.len;
    *from = (slice){ from->at + piece.len, from->len - piece.len };
    return piece;
}

/* Steps over one UTF-16 unit: in CESU-8, a character. */
static void skip_unit(slice *from)
{
    size_t len = 1;

    while (len < from->len && ((unsigned char)from->at[len] & 0xC0) == 0x80) ++len;
    *from = (slice){ from->at + len, from->len - len };
}

/* The text after the first "~", up to the next, cut at whatever no key has in it:
 * the first two pieces, which may be empty. */
static bool find_key(slice soul, slice *x, slice *y)
{
    const char *mark = memchr(soul.at, '~', soul.len), *end;
    slice rest;

    if (mark == NULL) return false;
    rest = (slice){ mark + 1, (size_t)(soul.at + soul.len - mark - 1) };
    end = memchr(rest.at, '~', rest.len);
    if (end != NULL) rest.len = (size_t)(end - rest.at);
    *x = take_piece(&rest);
    if (rest.len == 0) return false;
    skip_unit(&rest);
    *y = take_piece(&rest);
    return true;
}

sea_kind sea_kind_of(slice soul, slice *x, slice *y)
{
    slice one, other;

    if (slice_equal(soul, SLICE("~@"))) return SEA_ALIASES;
    if (slice_begins(soul, SLICE("~@"))) return SEA_ALIAS;
    if (find_key(soul, &one, &other)) {
        if (x != NULL) *x = one;
        if (y != NULL) *y = other;
        return SEA_USER;
    }
    return memchr(soul.at, '#', soul.len) != NULL ? SEA_HASH : SEA_FREE;
}

/* --- aliases --- */

static bool is_nothing(slice value)
{
    return slice_equal(value, SLICE("null")) || slice_equal(value, SLICE("false")) ||
           slice_equal(value, SLICE("0")) || slice_equal(value, SLICE("\"\""));
}

/* The value has to be the link lead + key. */
static void judge_alias(judging *g, slice lead, slice if_nothing)
{
    slice soul;
    status s;

    if (is_nothing(g->value)) {
        refuse(g, if_nothing);
        return;
    }
    s = value_link(g->value, g->a, &soul);
    if (s == STATUS_NO_MEMORY || s == STATUS_TOO_BIG) g->how = s;
    if (s != STATUS_OK || soul.len != lead.len + g->key.len || !slice_begins(soul, lead) ||
        !slice_equal((slice){ soul.at + lead.len, g->key.len }, g->key))
        refuse(g, SLICE("Alias not same!"));
}

/* --- content hashes --- */

/* Strictly: gun reads anything as hexadecimal, and takes "zz" for 00. */
static bool is_hex_of(slice name, const uint8_t digest[static SEA_DIGEST_BYTES])
{
    uint8_t said[SEA_DIGEST_BYTES];

    return hex_read32(name, said) && memcmp(said, digest, sizeof said) == 0;
}

/* What is hashed: a string's characters, of anything else its text. */
static bool hashed_text(judging *g, text *scratch, slice *out)
{
    slice inner = { g->value.at + 1, g->value.len - 2 };

    *out = g->value;
    if (g->value.at[0] != '"') return true;
    *out = inner;
    if (memchr(inner.at, '\\', inner.len) == NULL) return true;
    g->how = json_unescape_utf8(inner, g->a, scratch);
    *out = text_slice(scratch);
    return g->how == STATUS_OK;
}

static void judge_hash(judging *g)
{
    const char *mark = memrchr(g->key.at, '#', g->key.len);
    slice named =
        mark == NULL ? g->key : (slice){ mark + 1, (size_t)(g->key.at + g->key.len - mark - 1) };
    uint8_t digest[SEA_DIGEST_BYTES];
    char spelled[BASE64_LEN_32];
    text scratch = { 0 };
    slice what;

    if (hashed_text(g, &scratch, &what)) {
        g->crypto->sha256(g->crypto->context, what, digest);
        base64_print32(digest, spelled);
        if (!slice_equal(named, (slice){ spelled, sizeof spelled }) && !is_hex_of(named, digest))
            refuse(g, SLICE("Data hash not same as hash!"));
    }
    text_free(&scratch);
}

/* --- user space --- */

/* What an author signs. */
static void print_write(judging *g, text *t, const json *j, uint32_t what, sea_order order)
{
    text_add(t, SLICE("{\"#\":"));
    json_print_name(t, g->soul);
    text_add(t, SLICE(",\".\":"));
    json_print_name(t, g->key);
    text_add(t, SLICE(",\":\":"));
    sea_print(g, t, j, what, order);
    text_add(t, SLICE(",\">\":"));
    text_add_number(t, g->state);
    text_add_char(t, '}');
}

/* --- the form of today --- */

static bool has_terms(const json *j, uint32_t at)
{
    return json_is_truthy(j, json_member(j, at, SLICE("m"))) &&
           json_is_truthy(j, json_member(j, at, SLICE("s")));
}

/* Who is not the owner needs a certificate: sea.js takes anybody's signature when
 * there is none, or one that is a text (protocol.md 13, 14). */
static void judge_bearer(judging *g, const json *j, slice bearer)
{
    uint32_t certificate = json_member(j, 0, SLICE("+"));

    if (certificate != 0 && has_terms(j, certificate))
        sea_certificate(g, j, certificate, bearer);
    else if (!slice_equal(bearer, g->pub))
        refuse(g, NOT_CERTIFIED_AT_ALL);
}

static void judge_signed(judging *g, const json *j, bool old_mark)
{
    uint32_t value = json_member(j, 0, SLICE(":")), signature = json_member(j, 0, SLICE("~"));
    uint32_t star = json_member(j, 0, SLICE("*"));
    bool by_bearer = json_is_truthy(j, star);
    slice bearer = g->pub;

    if (by_bearer && !sea_string(g, j, star, &bearer)) {
        refuse(g, SEA_UNVERIFIED);
    } else if (value == 0 || !json_is_truthy(j, signature)) {
        if (!old_mark || by_bearer || !sea_is_good_2019(g, j)) refuse(g, SEA_UNVERIFIED);
    } else if (!sea_signed_by(g, bearer, j, value, signature, print_write)) {
        refuse(g, SEA_UNVERIFIED);
    } else if (by_bearer) {
        judge_bearer(g, j, bearer);
    }
}

static bool is_account(const judging *g)
{
    return slice_equal(g->key, SLICE("pub")) && g->soul.at[0] == '~' &&
           slice_equal((slice){ g->soul.at + 1, g->soul.len - 1 }, g->pub);
}

static bool is_text(slice value, slice plain)
{
    return value.len == plain.len + 2 && value.at[0] == '"' &&
           slice_equal((slice){ value.at + 1, plain.len }, plain);
}

static void judge_user(judging *g)
{
    bool old_mark;
    json j;

    if (is_account(g)) {
        if (!is_text(g->value, g->pub)) refuse(g, SLICE("Account not same!"));
        return;
    }
    /* sea.js cannot verify a state of 0: it takes it for none. */
    if (g->state == 0 || !sea_inside(g, &j, &old_mark) || j.tokens[0].type != JSON_OBJECT)
        refuse(g, SEA_UNVERIFIED);
    else
        judge_signed(g, &j, old_mark);
}

static slice pub_of(judging *g, slice x, slice y)
{
    slice pub = arena_join(g->a, x, SLICE("."), y);

    if (pub.at == NULL) g->how = STATUS_NO_MEMORY;
    return pub;
}

status sea_judge(const sea_crypto *crypto, arena *a, slice soul, slice key, slice value,
                 double state, sea_finding *out)
{
    judging g = { .crypto = crypto,
                  .a = a,
                  .soul = soul,
                  .key = key,
                  .value = value,
                  .state = state,
                  .out = out,
                  .how = STATUS_OK };
    slice x, y;

    *out = (sea_finding){ .why = { "", 0 }, .expires = INFINITY };
    switch (sea_kind_of(soul, &x, &y)) {
    case SEA_ALIASES:
        judge_alias(&g, SLICE("~@"), SLICE("Data must exist!"));
        break;
    case SEA_ALIAS:
        judge_alias(&g, SLICE(""), SLICE("Alias must exist!"));
        break;
    case SEA_USER:
        g.pub = pub_of(&g, x, y);
        if (g.how == STATUS_OK) judge_user(&g);
        break;
    case SEA_HASH:
        judge_hash(&g);
        break;
    case SEA_FREE:
        break;
    }
    return g.how;
}

/* --- a certificate alone --- */

status sea_may(const sea_crypto *crypto, arena *a, slice soul, slice key, slice bearer,
               slice certificate, double state, sea_finding *out)
{
    judging g = { .crypto = crypto,
                  .a = a,
                  .soul = soul,
                  .key = key,
                  .state = state,
                  .out = out,
                  .how = STATUS_OK };
    json_bounds bounds = { SEA_DEPTH_MAX, SEA_TOKENS_MAX };
    slice x, y;
    json j;
    status s;

    *out = (sea_finding){ .why = { "", 0 }, .expires = INFINITY };
    if (sea_kind_of(soul, &x, &y) != SEA_USER) return STATUS_MALFORMED;
    if (slice_begins(certificate, SLICE("SEA{")))
        certificate = (slice){ certificate.at + 3, certificate.len - 3 };
    s = json_read(&j, a, certificate, &bounds);
    if (s != STATUS_OK) return s;
    if (!has_terms(&j, 0)) return STATUS_MALFORMED;
    g.pub = pub_of(&g, x, y);
    if (g.how == STATUS_OK) sea_certificate(&g, &j, 0, bearer);
    return g.how;
}

/* --- what a signed value says --- */

status sea_unpack(slice value, arena *a, slice *out)
{
    judging g = { .a = a, .value = value, .how = STATUS_OK };
    uint32_t said;
    bool old_mark;
    json j;

    *out = value;
    if (!sea_inside(&g, &j, &old_mark) || j.tokens[0].type != JSON_OBJECT) return g.how;
    said = json_member(&j, 0, SLICE(":"));
    if (!json_is_truthy(&j, json_member(&j, 0, SLICE("~")))) said = 0;
    if (said == 0 && old_mark) {
        uint32_t m = json_member(&j, 0, SLICE("m"));
        for (uint32_t k = m + 1, n = 0;
             m != 0 && j.tokens[m].type == JSON_ARRAY && k < j.tokens[m].next; k = j.tokens[k].next)
            if (n++ == 2) said = k;
    }
    return said == 0 ? STATUS_OK : value_read(&j, a, said, out);
}

slice sea_blocked_text(arena *a, slice bearer)
{
    return arena_join(a, SLICE("Certificant "), bearer, SLICE(" blocked."));
}
