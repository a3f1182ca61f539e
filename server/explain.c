/* explain.c - see explain.h. */
#include "server/explain.h"

#include "core/base64.h"
#include "core/json.h"
#include "core/number.h"
#include "core/policy.h"
#include "core/utf16.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static void add(text *out, const char *words)
{
    text_add(out, (slice){ words, strlen(words) });
}

const char *explain_word(explain_verdict v)
{
    static const char *const words[] = { "kept", "held", "expired", "refused" };

    return words[v];
}

void explain_name(text *out, slice name)
{
    utf16_to_utf8(out, name);
}

/* A state as a date, or as a number when it is none. */
static void add_date(text *out, double ms)
{
    char shown[64];
    time_t seconds = 0;
    struct tm parts;

    /* The years that have four digits. */
    if (ms >= 0 && ms < 253402300800000.0) seconds = (time_t)(ms / 1000);
    if (seconds > 0 && gmtime_r(&seconds, &parts) != NULL) {
        strftime(shown, sizeof shown, "%Y-%m-%dT%H:%M:%S", &parts);
        add(out, shown);
        snprintf(shown, sizeof shown, ".%03.0fZ", floor(fmod(ms, 1000)));
    } else {
        shown[number_print(shown, ms)] = '\0';
    }
    add(out, shown);
}

/* ---- certificates ---- */

static void add_blocks(const sea_finding *f, text *out)
{
    bool is_soul = f->blocks_is_soul || f->blocks.at[0] == '~';

    add(out, "; a put is refused while its bearer is blocked in ");
    add(out, is_soul ? "the soul \"" : "\"");
    explain_name(out, f->blocks);
    add(out, is_soul ? "\"" : "\" of the owner");
}

void explain_certificate(const explainer *e, const sea_finding *f, text *out)
{
    add(out, "certified by ");
    explain_name(out, f->owner);
    add(out, " for ");
    explain_name(out, f->bearer);
    if (isinf(f->expires)) {
        add(out, ", without end");
    } else {
        add(out, ", until ");
        add_date(out, f->expires);
        if (f->expires < e->now_ms) add(out, ", which is past");
    }
    if (f->blocks.len > 0) add_blocks(f, out);
}

/* ---- why a signature is no good ---- */

/* What stands in a string value, as JSON. */
static bool read_inside(const explainer *e, slice value, json *out)
{
    static const json_bounds bounds = { .depth_max = 64, .tokens_max = 1 << 20 };
    slice inner;
    json j;

    if (json_read(&j, e->arena, value, &bounds) != STATUS_OK ||
        json_utf8(&j, e->arena, 0, &inner) != STATUS_OK)
        return false;
    if (slice_begins(inner, SLICE("SEA{"))) inner = (slice){ inner.at + 3, inner.len - 3 };
    return json_read(out, e->arena, inner, &bounds) == STATUS_OK &&
           out->tokens[0].type == JSON_OBJECT;
}

static void say_unverified(const explainer *e, const graph_write *w, slice x, slice y, text *out)
{
    uint32_t star;
    slice bearer;
    json j;

    if (!read_inside(e, w->value, &j)) {
        add(out, "the value is not signed");
    } else if (json_member(&j, 0, SLICE("m")) != 0 && json_member(&j, 0, SLICE("~")) == 0) {
        add(out, "the value is signed in an old form, which is good only in that of 2019: over "
                 "[soul, key, value, state]");
    } else if (json_member(&j, 0, SLICE("~")) == 0 || json_member(&j, 0, SLICE(":")) == 0) {
        add(out, "the value lacks its \":\" or its signature \"~\"");
    } else if (w->state == 0) {
        add(out, "a state of 0 cannot be signed");
    } else {
        star = json_member(&j, 0, SLICE("*"));
        add(out, "the signature is not that of ");
        if (star != 0 && json_name(&j, e->arena, star, &bearer) == STATUS_OK) {
            explain_name(out, bearer);
        } else {
            explain_name(out, x);
            add(out, ".");
            explain_name(out, y);
        }
        add(out, " over this soul, key, value and state");
    }
}

/* ---- content hashes ---- */

/* As core/sea.c has it: a string's characters, of anything else its text. */
static void say_hash(const explainer *e, const graph_write *w, text *out)
{
    static const json_bounds bounds = { .depth_max = 2, .tokens_max = 8 };
    uint8_t digest[SEA_DIGEST_BYTES];
    char spelled[BASE64_LEN_32];
    slice what = w->value, name;
    text scratch = { 0 };
    json j;

    if (json_read(&j, e->arena, w->value, &bounds) == STATUS_OK &&
        json_name(&j, e->arena, 0, &name) == STATUS_OK) {
        utf16_to_utf8(&scratch, name);
        what = text_slice(&scratch);
    }
    if (text_ok(&scratch)) {
        e->crypto->sha256(e->crypto->context, what.at == NULL ? SLICE("") : what, digest);
        base64_print32(digest, spelled);
        add(out, "the hash of this value is ");
        text_add(out, (slice){ spelled, sizeof spelled });
    }
    text_free(&scratch);
}

/* ---- one write ---- */

static void say_refused(const explainer *e, const graph_write *w, const sea_finding *f, text *out)
{
    slice x, y;
    sea_kind kind = sea_kind_of(w->soul, &x, &y);

    explain_name(out, f->why);
    if (kind == SEA_HASH) {
        add(out, " - ");
        say_hash(e, w, out);
    } else if (kind == SEA_ALIAS || kind == SEA_ALIASES) {
        add(out, kind == SEA_ALIAS ? " - its value must be the link to the soul that the key names"
                                   : " - its value must be the link to \"~@\" and the key");
    } else if (slice_equal(f->why, SLICE("Account not same!"))) {
        add(out, " - \"pub\" of an account holds the account's own key, as a text");
    } else if (slice_equal(f->why, SLICE("Unverified data."))) {
        add(out, " - ");
        say_unverified(e, w, x, y, out);
    } else if (f->certified) {
        add(out, slice_equal(f->why, SLICE("Certificate verification fail."))
                     ? " - its policy does not cover this path and key: "
                     : " - ");
        explain_certificate(e, f, out);
    }
}

bool explain_is_account(slice soul, slice key, slice x, slice y)
{
    return slice_equal(key, SLICE("pub")) && x.at == soul.at + 1 &&
           soul.len == 1 + x.len + 1 + y.len && x.at[x.len] == '.';
}

static void say_kept(const explainer *e, const graph_write *w, const sea_finding *f, text *out)
{
    slice x, y;

    switch (sea_kind_of(w->soul, &x, &y)) {
    case SEA_ALIASES:
        add(out, "the list of names, a link to the name that the key says");
        return;
    case SEA_ALIAS:
        add(out, "a name, a link to the account that the key says");
        return;
    case SEA_HASH:
        add(out, "the key ends in the hash of the value");
        return;
    case SEA_FREE:
        add(out, "nobody's: a relay that is signed or closed takes it with a token only");
        return;
    case SEA_USER:
        break;
    }
    if (f->certified) {
        explain_certificate(e, f, out);
    } else if (explain_is_account(w->soul, w->key, x, y)) {
        add(out, "the key of this account, which needs no signature");
    } else {
        add(out, "signed by its owner ");
        explain_name(out, x);
        add(out, ".");
        explain_name(out, y);
    }
}

/* What time has to do with it; false: nothing. */
static bool say_time(const explainer *e, const graph_write *w, const sea_finding *f, text *out,
                     explain_verdict *verdict)
{
    double life_ms = policy_life_ms(w->soul);

    if (policy_expired(life_ms, w->state, e->now_ms)) {
        *verdict = EXPLAIN_EXPIRED;
        add(out, "older than the \"<?\" of the soul allows: its put gets ok, it is not kept");
    } else if (w->state > e->now_ms + e->limits.future_ms_max) {
        *verdict = EXPLAIN_REFUSED;
        add(out, "future: the state is too far ahead - ");
        add_date(out, w->state);
    } else if (e->as_put && f->certified && f->expires < e->now_ms && sea_is_good(f)) {
        *verdict = EXPLAIN_REFUSED;
        explain_name(out, SEA_EXPIRED);
        add(out, " - a put of today is refused, what was taken in time is kept: ");
        explain_certificate(e, f, out);
    } else if (w->state > e->now_ms && sea_is_good(f)) {
        *verdict = EXPLAIN_HELD;
        add(out, "the state is ahead of this clock, in force from ");
        add_date(out, w->state);
        add(out, ": ");
        say_kept(e, w, f, out);
    } else {
        return false;
    }
    return true;
}

status explain_write(const explainer *e, const graph_write *w, text *out, explain_verdict *verdict)
{
    sea_finding f;
    status s = sea_judge(e->crypto, e->arena, w->soul, w->key, w->value, w->state, &f);

    if (s != STATUS_OK) return s;
    *verdict = sea_is_good(&f) ? EXPLAIN_KEPT : EXPLAIN_REFUSED;
    if (say_time(e, w, &f, out, verdict)) return text_ok(out) ? STATUS_OK : STATUS_NO_MEMORY;
    if (sea_is_good(&f))
        say_kept(e, w, &f, out);
    else
        say_refused(e, w, &f, out);
    return text_ok(out) ? STATUS_OK : STATUS_NO_MEMORY;
}
