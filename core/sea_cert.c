/* sea_cert.c - certificates: who may write in somebody else's space.
 *
 * A certificate is {"m":{...},"s":signature of the owner over m}. What m may say:
 *
 *   c   the certificants: a key, a list of keys, "*" for everybody
 *   w   what they may write: an entry or a list of them. An entry is a string or
 *       a lex over path and key joined, or {"#":over the path,".":over the key};
 *       "+":"*" wants the bearer's key in the path or the key
 *   e   the last state that it covers
 *   wb  where the owner lists those who are blocked
 *
 * The order of the questions is that of sea.js, whose answers apps know.
 */
#include "core/number.h"
#include "core/sea_inside.h"

#include <stdlib.h>

#define NOT_THE_OWNERS SLICE("certificate: not signed by the owner of this space")
#define NOT_CERTIFIED  SLICE("certificate: its bearer is not certified")
#define NO_WRITING     SLICE("certificate: it allows no writing")
#define FAIL           SLICE("Certificate verification fail.")

static void print_terms(judging *g, text *t, const json *j, uint32_t terms, sea_order order)
{
    slice inner;
    status s;

    if (j->tokens[terms].type != JSON_STRING) {
        sea_print(g, t, j, terms, order);
        return;
    }
    s = json_utf8(j, g->a, terms, &inner);
    if (s == STATUS_OK)
        text_add(t, inner);
    else if (s != STATUS_MALFORMED)
        g->how = s;
}

/* The terms as JSON of their own: they may stand in the certificate as a text,
 * which is then exactly what was signed. */
static bool read_terms(judging *g, const json *j, uint32_t terms, json *out, uint32_t *at)
{
    json_bounds bounds = { SEA_DEPTH_MAX, SEA_TOKENS_MAX };
    slice inner;
    status s;

    *out = *j;
    *at = terms;
    if (j->tokens[terms].type == JSON_OBJECT) return true;
    *at = 0;
    s = json_utf8(j, g->a, terms, &inner);
    if (s == STATUS_OK) s = json_read(out, g->a, inner, &bounds);
    if (s == STATUS_NO_MEMORY) g->how = s;
    return s == STATUS_OK && out->tokens[0].type == JSON_OBJECT;
}

static bool says(judging *g, const json *j, uint32_t at, slice what)
{
    slice name;

    return sea_string(g, j, at, &name) && slice_equal(name, what);
}

static bool says_star(judging *g, const json *j, uint32_t at)
{
    slice name;

    return sea_string(g, j, at, &name) && memchr(name.at, '*', name.len) != NULL;
}

/* gun's own test takes a list only for its "*", so that two certificants never
 * work there. */
static bool is_certified(judging *g, const json *j, uint32_t who, slice bearer)
{
    if (j->tokens[who].type == JSON_STRING) return says(g, j, who, bearer) || says_star(g, j, who);
    if (j->tokens[who].type != JSON_ARRAY) return false;
    for (uint32_t k = who + 1; k < j->tokens[who].next; k = j->tokens[k].next)
        if (says(g, j, k, bearer) || says(g, j, k, SLICE("*"))) return true;
    return false;
}

/* Bytes of the white space in front that JavaScript skips, in CESU-8; 0 for none. */
static size_t white_space(slice s)
{
    static const char *const wide[] = { "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\xA8",
                                        "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F",
                                        "\xE3\x80\x80", "\xEF\xBB\xBF" };

    if (s.len > 0 && memchr(" \t\n\v\f\r", s.at[0], 6) != NULL) return 1;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; ++i)
        if (slice_begins(s, (slice){ wide[i], strlen(wide[i]) })) return strlen(wide[i]);
    if (s.len >= 3 && slice_begins(s, SLICE("\xE2\x80")) && (unsigned char)s.at[2] >= 0x80 &&
        (unsigned char)s.at[2] <= 0x8A)
        return 3;
    return 0;
}

/* JavaScript's parseFloat; infinity, which nothing is above, also for no number. */
static double parse_float(judging *g, slice said)
{
    char *digits, *end;
    size_t space;
    bool below;
    double x;

    while ((space = white_space(said)) > 0) said = (slice){ said.at + space, said.len - space };
    below = said.len > 0 && said.at[0] == '-';
    if (below && slice_begins((slice){ said.at + 1, said.len - 1 }, SLICE("Infinity")))
        return -INFINITY;
    digits = arena_take(g->a, said.len + 1);
    if (digits == NULL) {
        g->how = arena_failure(g->a, said.len + 1);
        return INFINITY;
    }
    memcpy(digits, said.at, said.len);
    digits[said.len] = '\0';
    digits[strspn(digits, "0123456789.eE+-")] = '\0'; /* strtod knows more than parseFloat */
    x = strtod(digits, &end);
    return end == digits ? INFINITY : x;
}

/* The last state that is covered. Of a list JavaScript reads what comes first. */
static double read_expiry(judging *g, const json *j, uint32_t at)
{
    slice said;
    double x;

    while (at != 0 && j->tokens[at].type == JSON_ARRAY && j->tokens[at].next > at + 1) ++at;
    if (at == 0) return INFINITY;
    if (j->tokens[at].type == JSON_NUMBER) {
        if (number_read(json_raw(j, at), &x)) return x;
        return json_raw(j, at).at[0] == '-' ? -INFINITY : INFINITY;
    }
    return sea_string(g, j, at, &said) ? parse_float(g, said) : INFINITY;
}

/* --- what may be written --- */

/* The path is what stands behind the first "/" of a soul. */
static slice path_of(slice soul)
{
    const char *slash = memchr(soul.at, '/', soul.len);

    if (slash == NULL) return (slice){ "", 0 };
    return (slice){ slash + 1, (size_t)(soul.at + soul.len - slash - 1) };
}

static slice joined(judging *g, slice path, slice key)
{
    slice both;

    if (path.len == 0) return key;
    both = arena_join(g->a, path, SLICE("/"), key);
    if (both.at == NULL) g->how = STATUS_NO_MEMORY;
    return both;
}

/* gun's String.match() of a name and what stands at a token: a string or a lex. */
static bool matches(judging *g, slice name, const json *j, uint32_t at)
{
    lex query = { .has_exact = true };
    status s = STATUS_OK;

    if (at == 0) return false;
    if (j->tokens[at].type == JSON_STRING)
        s = json_name(j, g->a, at, &query.exact);
    else
        s = lex_read(j, g->a, at, &query);
    if (s != STATUS_OK) g->how = s;
    return s == STATUS_OK && lex_match(&query, name);
}

static bool allows(judging *g, const json *j, uint32_t entry, slice path, slice both)
{
    uint32_t by_path = json_member(j, entry, SLICE("#"));
    uint32_t by_key = json_member(j, entry, SLICE("."));
    bool path_fits = matches(g, path, j, by_path), key_fits = matches(g, g->key, j, by_key);

    if (path_fits && (key_fits || !json_is_truthy(j, by_key))) return true;
    if (key_fits && !json_is_truthy(j, by_path)) return true;
    return matches(g, both, j, json_is_truthy(j, by_path) ? by_path : entry);
}

static bool contains(slice name, slice what)
{
    return what.len == 0 || memmem(name.at, name.len, what.at, what.len) != NULL;
}

/* Whether the entry wants its bearer named. What is neither text nor list stops
 * gun with an exception; so it allows nothing. */
static bool wants_bearer(judging *g, const json *j, uint32_t entry, bool *broken)
{
    uint32_t at = json_member(j, entry, SLICE("+"));

    *broken = false;
    if (!json_is_truthy(j, at)) return false;
    if (j->tokens[at].type == JSON_STRING) return says_star(g, j, at);
    *broken = j->tokens[at].type != JSON_ARRAY;
    for (uint32_t k = at + 1; !*broken && k < j->tokens[at].next; k = j->tokens[k].next)
        if (says(g, j, k, SLICE("*"))) return true;
    return false;
}

static slice missing_bearer(judging *g, slice path, slice bearer)
{
    text t = { 0 };
    slice kept;

    text_add(&t, SLICE("Path \""));
    text_add(&t, path);
    text_add(&t, SLICE("\" or key \""));
    text_add(&t, g->key);
    text_add(&t, SLICE("\" must contain string \""));
    text_add(&t, bearer);
    text_add(&t, SLICE("\"."));
    kept = text_ok(&t) ? arena_copy(g->a, text_slice(&t)) : (slice){ NULL, 0 };
    if (kept.at == NULL) g->how = STATUS_NO_MEMORY;
    text_free(&t);
    return kept;
}

/* The first entry that fits decides. */
static void judge_entry(judging *g, const json *j, uint32_t entry, slice both, slice bearer,
                        bool *decided)
{
    slice path = path_of(g->soul);
    bool broken;

    *decided = j->tokens[entry].type == JSON_NULL;
    if (*decided) refuse(g, NO_WRITING); /* gun fails there, and answers nothing */
    if (*decided || !allows(g, j, entry, path, both)) return;
    *decided = true;
    if (wants_bearer(g, j, entry, &broken) && path.len > 0 && !contains(path, bearer) &&
        !contains(g->key, bearer))
        refuse(g, missing_bearer(g, path, bearer));
    else if (broken)
        refuse(g, NO_WRITING);
}

static void judge_policy(judging *g, const json *j, uint32_t policy, slice bearer)
{
    slice both = joined(g, path_of(g->soul), g->key);
    bool decided = false;

    if (j->tokens[policy].type != JSON_ARRAY) {
        if (j->tokens[policy].type == JSON_OBJECT || j->tokens[policy].type == JSON_STRING)
            judge_entry(g, j, policy, both, bearer, &decided);
    } else {
        for (uint32_t k = policy + 1; !decided && k < j->tokens[policy].next; k = j->tokens[k].next)
            judge_entry(g, j, k, both, bearer, &decided);
    }
    if (!decided) refuse(g, FAIL);
}

/* --- the certificate --- */

static void find_blocks(judging *g, const json *j, uint32_t at)
{
    uint32_t soul = at == 0 ? 0 : json_member(j, at, SLICE("#"));

    g->out->blocks_is_soul = soul != 0;
    if (soul != 0) at = soul;
    if (at != 0) (void)sea_string(g, j, at, &g->out->blocks); /* says by g->how */
}

static void judge_terms(judging *g, const json *j, uint32_t terms, slice bearer)
{
    uint32_t who = json_member(j, terms, SLICE("c")), policy = json_member(j, terms, SLICE("w"));
    double expires = read_expiry(g, j, json_member(j, terms, SLICE("e")));

    if (g->state > expires) {
        refuse(g, SEA_EXPIRED); /* the state itself is still covered */
    } else if (!json_is_truthy(j, who) || !is_certified(g, j, who, bearer)) {
        refuse(g, NOT_CERTIFIED);
    } else if (!json_is_truthy(j, policy)) {
        refuse(g, NO_WRITING);
    } else {
        judge_policy(g, j, policy, bearer);
        find_blocks(g, j, json_member(j, terms, SLICE("wb")));
    }
    g->out->certified = true;
    g->out->expires = expires;
    g->out->owner = g->pub;
    g->out->bearer = bearer;
}

void sea_certificate(judging *g, const json *j, uint32_t certificate, slice bearer)
{
    uint32_t m = json_member(j, certificate, SLICE("m"));
    uint32_t s = json_member(j, certificate, SLICE("s"));
    uint32_t terms;
    json inner;

    if (read_terms(g, j, m, &inner, &terms) && sea_signed_by(g, g->pub, j, m, s, print_terms))
        judge_terms(g, &inner, terms, bearer);
    else
        refuse(g, NOT_THE_OWNERS);
}
