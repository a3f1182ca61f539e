/* upload_http.c - see upload_http.h. */
#include "server/upload_http.h"

#include "server/audio_http.h"
#include "server/modes.h"
#include "server/quota.h"
#include "server/transport.h"
#include "server/upload.h"
#include "server/upload_ask.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

enum {
    HEAR_BYTES = 512 * 1024, /* of bodies in a turn, all uploads together: 5 ms a MB */
    TURN_BYTES = 1 << 20,    /* of chunks that are written again, all uploads together */
    STEP_BYTES = 4096,       /* less than this is silence */
    LINGER_MS = 1500,        /* for an answer to be read */
    LINGER_BYTES = 16 << 20, /* and what is dropped meanwhile */
};

typedef enum phase { TAKING, SAYING, LINGERING, DYING } phase;

struct upload_http {
    server *server;
    visitor *visitor;
    struct lws *wsi;
    gate_person *person; /* NULL: nobody in particular */
    phase phase;
    upload *upload;
    text left; /* came, and was not taken yet */
    size_t left_at;
    bool ended;   /* all of the body came */
    bool stopped; /* nothing is read */
    int64_t moved_ms;
    size_t step;    /* bytes since then */
    size_t dropped; /* while lingering */
    TAILQ_ENTRY(upload_http) all;
};

/* ---- the end ---- */

static void drop_upload(upload_http *h)
{
    if (h->upload != NULL) h->server->upload_count--;
    upload_free(h->upload);
    h->upload = NULL;
    text_free(&h->left);
}

void upload_end(visitor *v)
{
    upload_http *h = v->upload;

    if (h == NULL) return;
    if (h->phase == TAKING) v->server->counts.uploads_broken++;
    TAILQ_REMOVE(&h->server->uploads, h, all);
    v->upload = NULL;
    drop_upload(h);
    gate_part(h->person);
    free(h);
}

/* Not from a callback of its own connection, which would be returned into. */
static void cut(upload_http *h)
{
    drop_upload(h);
    h->phase = DYING;
    lws_set_timeout(h->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    lws_cancel_service(h->server->context);
}

/* ---- reading, and not reading ---- */

/* libwebsockets stops writing, too, where it does not read: what is to be said needs
 * it on. Behind the body it is off, or the next request would be taken for more. */
static bool wants_bytes(const upload_http *h)
{
    server *s = h->server;

    if (h->phase != TAKING) return true;
    return !h->ended && h->left.len == 0 && upload_now(h->upload) == UPLOAD_HEARS &&
           gate_open(s->gate, h->person, s->now.steady_ms);
}

static void steer(upload_http *h)
{
    bool stop = !wants_bytes(h);

    if (stop == h->stopped) return;
    h->stopped = stop;
    /* It is not its silence. */
    if (!stop) h->moved_ms = h->server->now.steady_ms;
    lws_rx_flow_control(h->wsi, !stop);
}

/* ---- answers ---- */

/* What was asked has been read to its end. */
static int say_whole(upload_http *h, reply *r)
{
    server *s = h->server;
    visitor *v = h->visitor;
    struct lws *wsi = h->wsi;

    upload_end(v);
    return reply_send(s, v, wsi, r);
}

/* The rest is not wanted. */
static int say_early(upload_http *h, reply *r)
{
    bool said;

    r->close = true;
    said = reply_at_once(h->server, h->wsi, r);
    drop_upload(h);
    h->phase = LINGERING;
    h->moved_ms = h->server->now.steady_ms;
    steer(h);
    return said ? 0 : -1;
}

static const char *header_for(int code)
{
    return code == 401 ? "WWW-Authenticate: Bearer\r\n" : NULL;
}

static int say_result(upload_http *h)
{
    bool good = upload_now(h->upload) == UPLOAD_DONE;
    server_counts *counts = &h->server->counts;
    reply r = { .code = upload_code(h->upload), .type = "application/json" };
    int len;

    if (good) counts->uploads++;
    if (!good) counts->uploads_refused++;
    if (!good) r.type = "text/plain; charset=utf-8";
    len = asprintf(&r.owned, "%s%s", upload_words(h->upload), good ? "" : "\n");
    if (len < 0) return -1;
    r.body = (slice){ r.owned, (size_t)len };
    if (h->ended) return say_whole(h, &r);
    len = say_early(h, &r);
    free(r.owned);
    return len;
}

int upload_writable(visitor *v)
{
    return v->upload->phase == SAYING ? say_result(v->upload) : 0;
}

/* ---- going on ---- */

/* Says how many it took: none when this turn has done its share for uploads. */
static size_t hear(upload_http *h, const char *at, size_t len)
{
    server *s = h->server;
    size_t took = s->uploads_heard < HEAR_BYTES ? upload_hear(h->upload, at, len) : 0;

    s->uploads_heard += took;
    return took;
}

static void feed(upload_http *h)
{
    size_t most = h->left.len - h->left_at;

    h->left_at += hear(h, h->left.at + h->left_at, most);
    if (h->left_at < h->left.len) return;
    text_reset(&h->left, STEP_BYTES);
    h->left_at = 0;
}

static bool has_left(const upload_http *h)
{
    return h->left.len > 0 && upload_now(h->upload) == UPLOAD_HEARS;
}

/* Looks what has become of the upload. */
static void look(upload_http *h)
{
    upload_state now;

    while (has_left(h) && h->server->uploads_heard < HEAR_BYTES) feed(h);
    now = upload_now(h->upload);
    if (now == UPLOAD_DONE || now == UPLOAD_FAILED) {
        h->phase = SAYING;
        lws_callback_on_writable(h->wsi);
    }
    steer(h);
}

static void note_bytes(upload_http *h, size_t len)
{
    server *s = h->server;

    s->counts.upload_bytes += len;
    gate_count(s->gate, h->person, 0, (double)len, s->now.steady_ms);
    h->step += len;
    if (h->step < STEP_BYTES) return;
    h->step = 0;
    h->moved_ms = s->now.steady_ms;
}

int upload_body(visitor *v, const char *at, size_t len)
{
    upload_http *h = v->upload;
    size_t took = 0;

    if (h == NULL) return -1;
    if (h->phase != TAKING) {
        h->dropped += len;
        return h->dropped > LINGER_BYTES ? -1 : 0;
    }
    note_bytes(h, len);
    if (h->left.len == 0) took = hear(h, at, len);
    text_add(&h->left, (slice){ at + took, len - took });
    if (!text_ok(&h->left)) return -1;
    look(h);
    return 0;
}

int upload_body_end(visitor *v)
{
    upload_http *h = v->upload;

    if (h == NULL || h->phase == LINGERING) return -1;
    if (h->ended || h->phase == DYING) return 0; /* it is said again while more is waiting */
    h->ended = true;
    unread_note_end(&v->unread, lws_get_socket_fd(h->wsi));
    steer(h);
    return 0;
}

/* ---- beginnings ---- */

static upload_http *make(server *s, visitor *v, struct lws *wsi)
{
    upload_http *h = calloc(1, sizeof *h);

    if (h == NULL) return NULL;
    *h = (upload_http){ .server = s, .visitor = v, .wsi = wsi, .moved_ms = s->now.steady_ms };
    assert(v->upload == NULL);
    TAILQ_INSERT_TAIL(&s->uploads, h, all);
    v->upload = h;
    return h;
}

/* Says no before anything was taken. */
static int refuse(upload_http *h, const upload_ask *ask, int code, const char *words)
{
    reply r = { .more = header_for(code), .methods = AUDIO_METHODS };
    int result;

    h->server->counts.uploads_refused++;
    reply_say(&r, code, words);
    result = say_early(h, &r);
    return ask->more_comes ? result : -1;
}

/* A page of another origin may post a file with a browser's cookies without asking
 * first: it is a simple request. Those cookies say nothing, unless the operator has said
 * which pages are let in. */
static bool is_foreign(struct lws *wsi)
{
    char origin[512], host[512];
    const char *named;

    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) == 0) return false;
    if (lws_hdr_copy(wsi, origin, sizeof origin, WSI_TOKEN_ORIGIN) <= 0 ||
        lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST) <= 0)
        return true;
    named = strstr(origin, "://");
    return named == NULL || strcasecmp(named + 3, host) != 0;
}

/* Others of the same address; nobody in particular is never too many. */
static bool is_one_too_many(const upload_http *h)
{
    const server *s = h->server;
    const upload_http *other;
    uint32_t same = 0;

    if (s->upload_count >= s->limits.uploads_max) return true;
    if (h->person == NULL) return false;
    TAILQ_FOREACH(other, &s->uploads, all)
    same += other->upload != NULL && other->person == h->person;
    return same >= s->limits.uploads_per_address;
}

/* What is asked, about whom. */
typedef struct asking {
    upload_http *h;
    const upload_ask *ask;
    token_shown token;
    int code;
    const char *why;
} asking;

static bool no(asking *a, int code, const char *why)
{
    a->code = code;
    a->why = why;
    return false;
}

/* A mode that wants a token is told from one that has none: there, asking helps
 * nobody. */
static bool mode_allows(asking *a, slice soul, slice key)
{
    const server *s = a->h->server;
    guard_gauges g;
    const char *why = guard_refuses(s->guard, soul, key, false, a->token == TOKEN_KNOWN);

    if (why == NULL) return true;
    if (strncmp(why, "busy:", 5) == 0)
        return no(a, 503, "busy: who may write here is still being read\n");
    guard_measure(s->guard, &g);
    if (g.tokens == 0)
        return no(a, 403, "closed: nobody whose key is allowed here links to this\n");
    return no(a, 401,
              a->token == TOKEN_WRONG
                  ? "token: not known here\n"
                  : "closed: this needs a token, or a link by an allowed key\n");
}

/* A title is not signed, so it is only for whoever may write what is not. */
static bool keeps_titles(const asking *a)
{
    return guard_refuses(a->h->server->guard, SLICE("tracks/0"), SLICE("title"), false,
                         a->token == TOKEN_KNOWN) == NULL;
}

static bool may_tell(asking *a)
{
    const upload_ask *ask = a->ask;

    if (ask->title_len + ask->artist_len == 0 || keeps_titles(a)) return true;
    if (ask->is_named && ask->artist_len == 0) return true; /* only the type is learnt from it */
    return no(a, 403, "signed: this relay keeps no title that nobody signed; write it yourself\n");
}

static bool may_write(asking *a)
{
    char soul[AUDIO_SOUL_MAX];

    if (a->ask->what == UPLOAD_A_FILE)
        return mode_allows(a, SLICE("audio/upload-#"), SLICE("0")) && may_tell(a);
    return mode_allows(a, (slice){ soul, audio_manifest_soul(soul, a->ask->root) }, SLICE("0")) &&
           may_tell(a);
}

/* What a file takes as text. */
static bool has_room(asking *a)
{
    const upload_http *h = a->h;

    if (a->token == TOKEN_KNOWN || !quota_is_over(h->server, h->person, a->ask->bytes / 3 * 4))
        return true;
    return no(a, 507, "quota: this address has as much audio here as it may have\n");
}

static bool may_come(asking *a)
{
    upload_http *h = a->h;
    server *s = h->server;

    if (s->stopping) return no(a, 503, "busy: the relay is stopping\n");
    if (!transport_origin(s, h->wsi))
        return no(a, 403, "origin: pages from there are not let in\n");
    if (!transport_client(s, h->wsi, &h->person)) return no(a, 503, "busy: out of memory\n");
    if (is_one_too_many(h)) {
        s->counts.uploads_crowded++;
        return no(a, 503, "busy: too many are uploading at this moment; come again\n");
    }
    a->token = modes_token(s, h->wsi, s->options->origin_count > 0 || !is_foreign(h->wsi));
    return may_write(a) && has_room(a);
}

static upload *begin_chunk(asking *a)
{
    const upload_ask *ask = a->ask;
    server *s = a->h->server;
    audio_track *track;
    const char *why;
    upload *u;
    status found = audio_find(s->audio, ask->root, ask->names_manifest ? ask->manifest : NULL,
                              s->now.steady_ms, &track, &why);

    if (found == STATUS_NOT_FOUND || found == STATUS_MALFORMED || found == STATUS_TOO_BIG)
        no(a, 404, "manifest: send it first, with all its parts, to /audio/<root>/m\n");
    else if (found != STATUS_OK)
        no(a, 503, "busy: the manifest could not be read\n");
    if (found != STATUS_OK) return NULL;
    u = upload_new_chunk(s, a->token == TOKEN_KNOWN, &track->manifest, ask->index, ask->bytes);
    audio_release(s->audio, track);
    return u;
}

static void tell(const asking *a, upload *u)
{
    const upload_ask *ask = a->ask;

    if (u != NULL && keeps_titles(a))
        upload_tell(u, (slice){ ask->title, ask->title_len },
                    (slice){ ask->artist, ask->artist_len });
}

static upload *begin(asking *a)
{
    const upload_ask *ask = a->ask;
    server *s = a->h->server;
    bool trusted = a->token == TOKEN_KNOWN;
    upload *u;

    no(a, 503, "busy: out of memory\n"); /* unless it goes well, or fails otherwise */
    if (ask->what == UPLOAD_A_CHUNK) return begin_chunk(a);
    if (ask->what == UPLOAD_A_MANIFEST)
        u = upload_new_manifest(s, trusted, ask->root, ask->bytes);
    else
        u = upload_new_file(s, trusted, ask->bytes, (slice){ ask->mime, ask->mime_len },
                            ask->has_sha256 ? ask->sha256 : NULL);
    tell(a, u);
    return u;
}

static bool say_continue(struct lws *wsi)
{
    static const char words[] = "HTTP/1.1 100 Continue\r\n\r\n";
    unsigned char room[LWS_PRE + sizeof words];

    memcpy(room + LWS_PRE, words, sizeof words - 1);
    return lws_write(wsi, room + LWS_PRE, sizeof words - 1, LWS_WRITE_HTTP_HEADERS) >= 0;
}

static int start(asking *a)
{
    upload_http *h = a->h;

    if (!may_come(a) || (h->upload = begin(a)) == NULL) return refuse(h, a->ask, a->code, a->why);
    upload_charge(h->upload, h->person);
    h->server->upload_count++;
    if (upload_now(h->upload) == UPLOAD_FAILED) return say_result(h);
    return !a->ask->expects || say_continue(h->wsi) ? 0 : -1;
}

int upload_request(server *s, visitor *v, struct lws *wsi, slice path, bool whole)
{
    upload_ask ask;
    asking a = { .ask = &ask };
    reply r = { .close = true };
    int code;

    a.h = whole ? make(s, v, wsi) : NULL;
    if (a.h == NULL) {
        reply_say(&r, 503, "ahead: a request with a body waits for the answer before it\n");
        (void)reply_at_once(s, wsi, &r);
        return -1;
    }
    code = upload_ask_read(wsi, path, &ask, &a.why);
    return code != 0 ? refuse(a.h, &ask, code, a.why) : start(&a);
}

/* ---- the turn ---- */

/* Whoever was first last time is last now: the budget is for all. */
static void rotate(server *s)
{
    upload_http *first = TAILQ_FIRST(&s->uploads);

    if (first == NULL) return;
    TAILQ_REMOVE(&s->uploads, first, all);
    TAILQ_INSERT_TAIL(&s->uploads, first, all);
}

void uploads_turn(server *s)
{
    size_t bytes = TURN_BYTES;
    upload_http *h;

    s->uploads_heard = 0;
    TAILQ_FOREACH(h, &s->uploads, all)
    {
        if (h->phase != TAKING) continue;
        (void)upload_turn(h->upload, &bytes);
        look(h);
    }
    rotate(s);
}

bool uploads_wait(const server *s)
{
    const upload_http *h;

    TAILQ_FOREACH(h, &s->uploads, all)
    if (h->phase == TAKING && (upload_now(h->upload) == UPLOAD_WORKS || has_left(h))) return true;
    return false;
}

static bool is_silent(const upload_http *h)
{
    int64_t since_ms = h->server->now.steady_ms - h->moved_ms;

    if (h->phase == LINGERING) return since_ms >= LINGER_MS;
    return !h->stopped && since_ms >= h->server->limits.upload_silent_ms;
}

void uploads_tick(server *s)
{
    upload_http *h;

    TAILQ_FOREACH(h, &s->uploads, all)
    {
        if (h->phase == DYING) continue;
        /* libwebsockets' own patience is short, and knows nothing of a store. */
        lws_set_timeout(h->wsi, NO_PENDING_TIMEOUT, 0);
        steer(h);
        if (!is_silent(h)) continue;
        if (h->phase == TAKING) s->counts.uploads_silent++;
        cut(h);
    }
}

void uploads_stop(server *s)
{
    upload_http *h;

    TAILQ_FOREACH(h, &s->uploads, all)
    {
        if (h->phase != TAKING || h->ended) continue;
        upload_stop(h->upload);
        look(h);
    }
}
