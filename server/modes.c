/* modes.c - see modes.h. */
#include "server/modes.h"

#include "core/message.h"
#include "radisk/space.h"
#include "server/writers.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

/* ---- the guard ---- */

bool modes_open(server *s)
{
    guard_rules rules = { .mode = s->options->write };
    char why[OPTIONS_WHY_MAX] = "out of memory";
    writers named;
    status made;

    if (!writers_read(&named, s->options, why)) {
        log_say(&s->log, LOG_LIFE, s->now, "%s", why);
        return false;
    }
    randombytes_buf(rules.secret, sizeof rules.secret);
    rules.allowed = named.keys.at;
    rules.allowed_count = named.keys.count;
    rules.tokens = named.tokens.at;
    rules.token_count = named.tokens.count;
    made = guard_new(&s->guard, &rules);
    s->token_in_words = named.token_in_words;
    s->token_readable = named.token_readable;
    writers_free(&named);
    if (made != STATUS_OK) log_say(&s->log, LOG_LIFE, s->now, "%s", status_text(made));
    return made == STATUS_OK;
}

bool modes_pins(server *s)
{
    char why[OPTIONS_WHY_MAX];
    writers named;
    status said;

    if (!writers_read(&named, s->options, why)) return false;
    said = radisk_allow_pins(s->store, named.keys.at, named.keys.count);
    writers_free(&named);
    return said == STATUS_OK;
}

void modes_close(server *s)
{
    guard_free(s->guard);
    s->guard = NULL;
}

/* A row takes a few microseconds: so many hold nobody up for long. */
enum { ROWS_A_TURN = 500 };

void modes_turn(server *s)
{
    status recalled;

    if (!modes_busy(s)) return;
    recalled = guard_recall(s->guard, radisk_graph(s->store), ROWS_A_TURN);
    if (recalled != STATUS_OK)
        log_say(&s->log, LOG_STORE, s->now,
                "the links of an allowed key could not all be read (%s): further chunks under some "
                "of them need a token, or the link written anew",
                status_text(recalled));
    if (!modes_busy(s)) log_say(&s->log, LOG_LIFE, s->now, "all links of allowed keys are known");
}

bool modes_busy(const server *s)
{
    return guard_recalling(s->guard);
}

void modes_reload(server *s)
{
    char why[OPTIONS_WHY_MAX];
    guard_gauges g;
    writers named;
    status changed;

    if (s->options->allow_count == 0) return;
    if (!writers_read(&named, s->options, why)) {
        log_say(&s->log, LOG_LIFE, s->now, "SIGHUP: the allowed keys stay as they were: %s", why);
        return;
    }
    changed = guard_allow(s->guard, named.keys.at, named.keys.count);
    if (changed == STATUS_OK)
        changed = radisk_allow_pins(s->store, named.keys.at, named.keys.count);
    writers_free(&named);
    if (changed != STATUS_OK) {
        log_say(&s->log, LOG_LIFE, s->now, "SIGHUP: the allowed keys stay as they were: %s",
                status_text(changed));
        return;
    }
    guard_measure(s->guard, &g);
    log_say(&s->log, LOG_LIFE, s->now, "SIGHUP: allowed keys now %" PRIu64, g.allowed);
}

/* ---- the banner ---- */

static void say_mode(server *s, const guard_gauges *g)
{
    static const char *const means[] = {
        [GUARD_OPEN] = "everybody may write; user spaces only signed, content hashes only true",
        [GUARD_SIGNED] = "only signed data, aliases, content hashes, and what is not kept",
        [GUARD_CLOSED] = "only what allowed keys sign or certify",
    };

    log_plain(&s->log, "write mode %s: %s", guard_mode_name(g->mode), means[g->mode]);
    if (g->mode == GUARD_CLOSED) log_plain(&s->log, "allowed keys %" PRIu64, g->allowed);
    if (g->mode != GUARD_OPEN)
        log_plain(&s->log, "write tokens %s", g->tokens > 0 ? "open what is not signed" : "none");
    if (s->options->hash_bytes > 0)
        log_plain(&s->log, "content hashes at most %.1f GiB",
                  (double)s->options->hash_bytes / (1024.0 * 1024 * 1024));
}

void modes_say(server *s)
{
    guard_gauges g;

    guard_measure(s->guard, &g);
    say_mode(s, &g);
    if (g.allowed > 0 && g.mode != GUARD_CLOSED)
        log_plain(&s->log,
                  "warning: without --write closed, --allow only says whose pins of audio count");
    if (g.tokens > 0 && g.mode == GUARD_OPEN)
        log_plain(&s->log, "warning: --write-token means nothing in --write open");
    if (s->token_in_words)
        log_plain(&s->log, "warning: a token on the command line can be read by other users of "
                           "this machine; --write-token @FILE keeps it from them");
    if (s->token_readable)
        log_plain(&s->log, "warning: a file of --write-token can be read by other users");
}

/* ---- tokens of a handshake ---- */

/* What was met on the way. */
typedef struct looking {
    const guard *guard;
    token_shown shown;
    char header[16 * 1024]; /* as much as transport.c takes of all headers */
} looking;

static void try(looking *l, const char *at, size_t len)
{
    if (len == 0 || l->shown == TOKEN_KNOWN) return;
    l->shown = len <= MESSAGE_TOKEN_MAX && guard_trusts(l->guard, (slice){ at, len }) ? TOKEN_KNOWN
                                                                                      : TOKEN_WRONG;
}

/* libwebsockets has taken the query apart, and the percent signs out of it. */
static void try_query(looking *l, struct lws *wsi)
{
    int len;

    for (int n = 0; lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, n) > 0; n++) {
        len = lws_hdr_copy_fragment(wsi, l->header, sizeof l->header, WSI_TOKEN_HTTP_URI_ARGS, n);
        if (len > 6 && memcmp(l->header, "token=", 6) == 0) try(l, l->header + 6, (size_t)len - 6);
    }
}

static void try_header(looking *l, struct lws *wsi)
{
    int len = lws_hdr_copy(wsi, l->header, sizeof l->header, WSI_TOKEN_HTTP_AUTHORIZATION);

    if (len > 7 && strncasecmp(l->header, "Bearer ", 7) == 0)
        try(l, l->header + 7, (size_t)len - 7);
}

static void try_cookies(looking *l, struct lws *wsi)
{
    char *rest = l->header, *one;

    if (lws_hdr_copy(wsi, l->header, sizeof l->header, WSI_TOKEN_HTTP_COOKIE) <= 0) return;
    while ((one = strsep(&rest, ";")) != NULL) {
        one += strspn(one, " \t");
        if (strncmp(one, "token=", 6) == 0) try(l, one + 6, strcspn(one + 6, " \t"));
    }
}

token_shown modes_token(const server *s, struct lws *wsi, bool cookies)
{
    guard_gauges g;
    looking l;

    /* Another app of this host may have a cookie of that name. */
    guard_measure(s->guard, &g);
    if (g.tokens == 0) return TOKEN_NONE;
    l.guard = s->guard;
    l.shown = TOKEN_NONE;
    try_query(&l, wsi);
    try_header(&l, wsi);
    if (cookies) try_cookies(&l, wsi);
    return l.shown;
}
