/* http.c - see http.h. */
#include "server/http.h"

#include "server/assets.h"
#include "server/metrics.h"
#include "server/page.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A body leaves in pieces of this size when the socket does not take it whole. */
enum { PIECE_BYTES = 64 * 1024 };

struct http_answer {
    const char *at; /* what is left of the body */
    size_t len;
    char *owned; /* freed at the end; NULL when the body outlives us */
};

typedef struct reply {
    int code;
    const char *type, *cache, *csp;
    const char *etag; /* without quotes, or NULL */
    slice body;
    char *owned; /* the body, if it is to be freed */
    bool head, close;
} reply;

static const char *reason_of(int code)
{
    switch (code) {
    case 200:
        return "OK";
    case 204:
        return "No Content";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    default:
        return "Answer";
    }
}

/* ---- writing ---- */

typedef struct header {
    char bytes[LWS_PRE + 2048];
    size_t len;
} header;

static void add(header *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(header *h, const char *format, ...)
{
    size_t room = sizeof h->bytes - LWS_PRE - h->len;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(h->bytes + LWS_PRE + h->len, room, format, arguments);
    va_end(arguments);
    /* All that goes in is ours and short. */
    assert(n >= 0 && (size_t)n < room);
    h->len += (size_t)n;
}

static void add_date(header *h, moment now)
{
    time_t seconds = (time_t)(now.wall_ms / 1000);
    struct tm parts;
    char words[40];

    gmtime_r(&seconds, &parts);
    strftime(words, sizeof words, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    add(h, "Date: %s\r\n", words);
}

static void make_header(header *h, const server *s, const reply *r)
{
    h->len = 0;
    add(h, "HTTP/1.1 %d %s\r\nServer: brasa\r\n", r->code, reason_of(r->code));
    add_date(h, s->now);
    add(h, "Access-Control-Allow-Origin: *\r\nX-Content-Type-Options: nosniff\r\n"
           "Cross-Origin-Resource-Policy: cross-origin\r\nReferrer-Policy: no-referrer\r\n");
    if (r->code == 204)
        add(h, "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"
               "Access-Control-Allow-Headers: *\r\nAccess-Control-Max-Age: 86400\r\n");
    if (r->code == 405) add(h, "Allow: GET, HEAD, OPTIONS\r\n");
    if (r->code == 503) add(h, "Retry-After: 1\r\n");
    if (r->type) add(h, "Content-Type: %s\r\n", r->type);
    if (r->etag) add(h, "ETag: \"%s\"\r\n", r->etag);
    if (r->csp) add(h, "Content-Security-Policy: %s\r\n", r->csp);
    add(h, "Cache-Control: %s\r\n", r->cache ? r->cache : "no-store");
    if (r->code != 204 && r->code != 304) add(h, "Content-Length: %zu\r\n", r->body.len);
    if (r->close) add(h, "Connection: close\r\n");
    add(h, "\r\n");
}

static bool write_all(struct lws *wsi, char *at, size_t len, enum lws_write_protocol how)
{
    return lws_write(wsi, (unsigned char *)at, len, how) >= 0;
}

/* The socket takes no more: whoever is at the other end does not read. */
static void note_blocked(visitor *v, struct lws *wsi)
{
    v->blocked_wsi = wsi;
    if (!v->is_blocked) TAILQ_INSERT_TAIL(&v->server->blocked, v, blocked);
    v->is_blocked = true;
}

static void note_free(visitor *v)
{
    if (v->is_blocked) TAILQ_REMOVE(&v->server->blocked, v, blocked);
    v->is_blocked = false;
}

static int finish(visitor *v, struct lws *wsi, bool close)
{
    if (close) return -1;
    if (lws_send_pipe_choked(wsi)) note_blocked(v, wsi);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static void drop_answer(visitor *v)
{
    if (!v->answer) return;
    free(v->answer->owned);
    free(v->answer);
    v->answer = NULL;
}

void http_forget(visitor *v)
{
    note_free(v);
    drop_answer(v);
}

/* While a socket takes no more, libwebsockets leaves alone what comes from it, and
 * is woken by it in every turn. Who asks on without reading is hung up on. */
void http_tick(server *s)
{
    visitor *v, *next;
    bool killed = false;
    char byte;

    for (v = TAILQ_FIRST(&s->blocked); v; v = next) {
        next = TAILQ_NEXT(v, blocked);
        if (!v->session && lws_send_pipe_choked(v->blocked_wsi)) {
            int fd = lws_get_socket_fd(v->blocked_wsi);
            if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 1) continue;
            lws_set_timeout(v->blocked_wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
            killed = true;
        }
        note_free(v);
    }
    if (killed) lws_cancel_service(s->context);
}

int http_writable(visitor *v, struct lws *wsi)
{
    http_answer *a = v->answer;

    if (!a) return 0;
    while (a->len > 0) {
        size_t len = a->len < PIECE_BYTES ? a->len : PIECE_BYTES;
        enum lws_write_protocol how = len == a->len ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP;
        if (lws_partial_buffered(wsi)) {
            note_blocked(v, wsi);
            lws_callback_on_writable(wsi);
            return 0;
        }
        /* Sent as it is: libwebsockets writes no header into HTTP bodies. */
        if (!write_all(wsi, (char *)a->at, len, how)) return -1;
        a->at += len;
        a->len -= len;
    }
    drop_answer(v);
    return finish(v, wsi, false);
}

/* A body goes to the kernel at once where it can: most of what is served here is
 * smaller than what a socket may hold. */
static void widen(struct lws *wsi, size_t len)
{
    int bytes = (int)(len + 64 * 1024);

    setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static int send_reply(server *s, visitor *v, struct lws *wsi, reply *r)
{
    header h;

    s->counts.http_requests++;
    if (r->code >= 400) s->counts.http_errors++;
    make_header(&h, s, r);
    if (r->body.len > PIECE_BYTES && !r->head) widen(wsi, r->body.len);
    if (!write_all(wsi, h.bytes + LWS_PRE, h.len, LWS_WRITE_HTTP_HEADERS)) goto fail;
    if (r->head || r->body.len == 0 || r->code == 304) {
        free(r->owned);
        return finish(v, wsi, r->close);
    }
    drop_answer(v);
    v->answer = malloc(sizeof *v->answer);
    if (!v->answer) goto fail;
    *v->answer = (http_answer){ .at = r->body.at, .len = r->body.len, .owned = r->owned };
    if (!r->close) return http_writable(v, wsi);
    /* An error: short, and the connection ends with it. */
    if (!lws_partial_buffered(wsi))
        write_all(wsi, (char *)r->body.at, r->body.len, LWS_WRITE_HTTP_FINAL);
    drop_answer(v);
    return -1;
fail:
    free(r->owned);
    return -1;
}

/* ---- what there is ---- */

static void say(reply *r, int code, const char *words)
{
    r->code = code;
    r->type = "text/plain; charset=utf-8";
    r->body = (slice){ words, strlen(words) };
}

static void show_page(reply *r, const page *p)
{
    r->type = p->type;
    r->body = (slice){ (const char *)p->bytes, p->len };
    r->etag = p->etag;
    r->cache = "no-cache";
    r->csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
             "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'none'";
}

static void show_health(const server *s, reply *r)
{
    bool well = s->ready && !s->stopping && radisk_ready(s->store);

    say(r, well ? 200 : 503, well ? "ok\n" : "writes are not possible now\n");
}

static void show_made(server *s, reply *r, const char *type, char *(*make)(server *s, size_t *len))
{
    size_t len = 0;
    char *words = make(s, &len);

    if (!words) {
        say(r, 500, "out of memory\n");
        return;
    }
    r->type = type;
    r->owned = words;
    r->body = (slice){ words, len };
}

static bool may_see_metrics(const visitor *v, struct lws *wsi)
{
    if (v->kind == LISTEN_ADMIN) return true;
    /* A proxy on this machine makes everybody look like loopback. */
    if (lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR) > 0 ||
        lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_X_REAL_IP) > 0 ||
        lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_VIA) > 0)
        return false;
    return address_is_loopback(&v->from);
}

static void show_metrics(server *s, visitor *v, struct lws *wsi, reply *r)
{
    if (!may_see_metrics(v, wsi)) {
        say(r, 403, "metrics are for this machine, or for --admin-listen\n");
        return;
    }
    show_made(s, r, "text/plain; version=0.0.4; charset=utf-8", metrics_text);
}

static void show_asset(server *s, reply *r, slice path)
{
    const asset *a = NULL;

    switch (assets_find(s->assets, path, &a)) {
    case STATUS_OK:
        r->type = "text/javascript; charset=utf-8";
        r->body = a->text;
        r->etag = a->etag;
        r->cache = "public, max-age=3600";
        return;
    case STATUS_NO_MEMORY:
    case STATUS_IO:
        say(r, 500, "the file could not be read\n");
        return;
    default:
        break;
    }
    if (slice_equal(path, SLICE("/gun.js")) || slice_equal(path, SLICE("/sea.js")))
        say(r, 404,
            "this relay was started without the files of the npm package gun; "
            "load gun.js from elsewhere, or see --assets\n");
    else
        say(r, 404, "there is nothing here\n");
}

static void choose(server *s, visitor *v, struct lws *wsi, slice path, reply *r)
{
    static const char *const pages[] = { "/", "/gun", "/gun/", "/ws" };

    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        if (!slice_equal(path, (slice){ pages[i], strlen(pages[i]) })) continue;
        show_page(r, &page_html);
        return;
    }
    if (slice_equal(path, SLICE("/page.js")))
        show_page(r, &page_js);
    else if (slice_equal(path, SLICE("/page.css")))
        show_page(r, &page_css);
    else if (slice_equal(path, SLICE("/health")))
        show_health(s, r);
    else if (slice_equal(path, SLICE("/status")))
        show_made(s, r, "application/json", metrics_status);
    else if (slice_equal(path, SLICE("/metrics")))
        show_metrics(s, v, wsi, r);
    else
        show_asset(s, r, path);
}

static bool is_known_already(struct lws *wsi, const reply *r)
{
    char known[256];

    if (r->code != 200 || !r->etag) return false;
    if (lws_hdr_copy(wsi, known, sizeof known, WSI_TOKEN_HTTP_IF_NONE_MATCH) <= 0) return false;
    return strstr(known, r->etag) != NULL;
}

static bool has_body(struct lws *wsi)
{
    char length[24];

    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) == 0) return false;
    if (lws_hdr_copy(wsi, length, sizeof length, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0) return true;
    return strspn(length, "0") != strlen(length);
}

/* Says why a request is not answered as asked; false when nothing is wrong. */
static bool object(struct lws *wsi, reply *r)
{
    bool asks = lws_hdr_total_length(wsi, WSI_TOKEN_OPTIONS_URI) > 0;

    r->head = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
    if (!asks && !r->head && lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) == 0)
        say(r, 405, "GET, HEAD and OPTIONS are understood; data comes and goes by WebSocket\n");
    else if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
        say(r, 411, "a request with a body is not understood, a chunked one not even read\n");
    else if (has_body(wsi))
        say(r, 413, "a request with a body is not understood\n");
    else
        return false;
    r->close = true;
    return true;
}

int http_request(server *s, visitor *v, struct lws *wsi, const char *path, size_t len)
{
    reply r = { .code = 200 };

    if (!object(wsi, &r)) {
        if (lws_hdr_total_length(wsi, WSI_TOKEN_OPTIONS_URI) > 0)
            r.code = 204;
        else
            choose(s, v, wsi, (slice){ path, len }, &r);
    }
    if (is_known_already(wsi, &r)) r.code = 304;
    return send_reply(s, v, wsi, &r);
}

bool http_refuse(server *s, struct lws *wsi, int status_code, const char *why)
{
    reply r = { .close = true };
    header h;

    s->counts.http_requests++;
    s->counts.http_errors++;
    say(&r, status_code, why);
    make_header(&h, s, &r);
    assert(h.len + r.body.len < sizeof h.bytes - LWS_PRE);
    memcpy(h.bytes + LWS_PRE + h.len, r.body.at, r.body.len);
    return write_all(wsi, h.bytes + LWS_PRE, h.len + r.body.len, LWS_WRITE_HTTP_FINAL);
}
