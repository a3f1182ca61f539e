/* tools_can.c - `brasa can`: whether somebody may write somewhere, before they try. */
#include "core/guard.h"
#include "server/clock.h"
#include "server/crypto.h"
#include "server/explain.h"
#include "server/tools_inside.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { CERTIFICATE_MAX = 1 << 20, ARENA_MAX = 64 << 20 };

typedef struct asking {
    const tool_call *call;
    text names[2]; /* what the two are lent from */
    slice soul, key;
    arena arena;
    crypto *crypto;
    explainer e;
} asking;

static int answer(bool yes, const char *why)
{
    printf("%s: %s\n", yes ? "yes" : "no", why);
    return yes ? TOOL_DONE : TOOL_FAILED;
}

/* ---- with a certificate ---- */

static bool read_certificate(const asking *q, text *out)
{
    FILE *from = strcmp(q->call->cert, "-") == 0 ? stdin : fopen(q->call->cert, "rbe");
    bool read;

    if (from == NULL) {
        (void)tool_complain(q->call, 0, "%s: %s", q->call->cert, strerror(errno));
        return false;
    }
    if (text_room(out, CERTIFICATE_MAX + 1) != NULL)
        out->len = fread(out->at, 1, CERTIFICATE_MAX + 1, from);
    read = text_ok(out) && !ferror(from) && out->len <= CERTIFICATE_MAX;
    if (!read) (void)tool_complain(q->call, 0, "%s: cannot be read", q->call->cert);
    if (from != stdin) (void)fclose(from);
    while (out->len > 0 && memchr(" \t\r\n", out->at[out->len - 1], 4) != NULL) --out->len;
    return read;
}

/* As an app may have kept it: the JSON of a string that holds it. */
static slice unquoted(asking *q, slice certificate)
{
    static const json_bounds bounds = { .depth_max = 64, .tokens_max = 1 << 20 };
    slice inner;
    json j;

    if (certificate.len > 0 && certificate.at[0] == '"' &&
        json_read(&j, &q->arena, certificate, &bounds) == STATUS_OK &&
        json_utf8(&j, &q->arena, 0, &inner) == STATUS_OK)
        return inner;
    return certificate;
}

static int answer_finding(asking *q, const sea_finding *f)
{
    bool good = sea_is_good(f);
    text why = { 0 };
    int result;

    if (!good) {
        explain_name(&why, f->why);
        if (f->certified) text_add(&why, SLICE(" - "));
    }
    if (f->certified) explain_certificate(&q->e, f, &why);
    if (text_ok(&why)) tool_disarm(why.at, why.len, "");
    text_add_char(&why, '\0');
    result =
        text_ok(&why) ? answer(good, why.at) : tool_complain(q->call, TOOL_WRONG, "out of memory");
    text_free(&why);
    return result;
}

static int ask_certificate(asking *q)
{
    const char *pub = q->call->pub;
    text certificate = { 0 };
    int result = TOOL_WRONG;
    sea_finding f;
    status s;

    if (read_certificate(q, &certificate)) {
        s = sea_may(q->e.crypto, &q->arena, q->soul, q->key, (slice){ pub, strlen(pub) },
                    unquoted(q, text_slice(&certificate)), q->e.now_ms, &f);
        if (s == STATUS_OK)
            result = answer_finding(q, &f);
        else
            result = tool_complain(
                q->call, TOOL_WRONG, "%s: %s", q->call->cert,
                s == STATUS_MALFORMED
                    ? "is no certificate ({\"m\":...,\"s\":...}, as SEA.certify() gives)"
                    : status_text(s));
    }
    text_free(&certificate);
    return result;
}

/* ---- kinds of souls ---- */

static int ask_user_space(asking *q, slice x, slice y)
{
    slice pub = { q->call->pub, strlen(q->call->pub) };
    bool own = pub.len == x.len + 1 + y.len && memcmp(pub.at, x.at, x.len) == 0 &&
               pub.at[x.len] == '.' && memcmp(pub.at + x.len + 1, y.at, y.len) == 0;

    if (own && explain_is_account(q->soul, q->key, x, y))
        return answer(true, "the space is theirs; \"pub\" holds their key, as a text");
    if (own) return answer(true, "the space is theirs; the value must be signed");
    if (q->call->cert != NULL) return ask_certificate(q);
    return answer(false, "the space is another's, who may certify them (--cert FILE)");
}

static int ask(asking *q)
{
    slice x, y;

    switch (sea_kind_of(q->soul, &x, &y)) {
    case SEA_ALIASES:
        return answer(true, "everybody may, the link \"~@\" + key and nothing else");
    case SEA_ALIAS:
        return answer(true,
                      "everybody may, the link to the soul that the key names and nothing else");
    case SEA_HASH:
        return answer(true, "everybody may, if the key ends in the hash of the value");
    case SEA_USER:
        return ask_user_space(q, x, y);
    default:
        return answer(true, "it is nobody's; a relay that is signed or closed wants a token");
    }
}

int tool_can(const tool_call *call)
{
    uint8_t secret[CRYPTO_SECRET_BYTES];
    crypto_limits limits = crypto_default_limits();
    asking q = { .call = call, .arena = arena_make(ARENA_MAX) };
    int result = TOOL_WRONG;

    if (!guard_is_key((slice){ call->pub, strlen(call->pub) }))
        return tool_complain(call, TOOL_WRONG,
                             "\"%s\" is no public key: 43 characters, a dot, 43 characters",
                             call->pub);
    randombytes_buf(secret, sizeof secret);
    if (crypto_new(&q.crypto, &limits, secret) != STATUS_OK)
        return tool_complain(call, TOOL_WRONG, "out of memory");
    q.e = (explainer){ .crypto = crypto_table(q.crypto),
                       .arena = &q.arena,
                       .limits = relay_default_limits(),
                       .now_ms = clock_now().wall_ms };
    if (tool_name(call, call->soul, &q.names[0], &q.soul) &&
        tool_name(call, call->key, &q.names[1], &q.key))
        result = ask(&q);
    text_free(&q.names[0]);
    text_free(&q.names[1]);
    arena_free(&q.arena);
    crypto_free(q.crypto);
    return result;
}
