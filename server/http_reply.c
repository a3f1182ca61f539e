/* http_reply.c - see http_reply.h. */
#include "server/http_reply.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A body leaves in pieces of this size when the socket does not take it whole. */
enum {
    PIECE_BYTES = 64 * 1024,
    WIDEST_BYTES = 128 * 1024,
    PATIENCE_S = 20, /* for the socket to take a piece */
};

struct http_answer {
    const char *at; /* what is left of the body */
    size_t len;
    char *owned; /* freed at the end; NULL when the body outlives us */
    size_t owned_bytes;
};

void reply_say(reply *r, int code, const char *words)
{
    r->code = code;
    r->type = "text/plain; charset=utf-8";
    r->body = (slice){ words, strlen(words) };
}

static const char *reason_of(int code)
{
    switch (code) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 204:
        return "No Content";
    case 206:
        return "Partial Content";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 409:
        return "Conflict";
    case 411:
        return "Length Required";
    case 412:
        return "Precondition Failed";
    case 413:
        return "Content Too Large";
    case 415:
        return "Unsupported Media Type";
    case 416:
        return "Range Not Satisfiable";
    case 417:
        return "Expectation Failed";
    case 422:
        return "Unprocessable Content";
    case 429:
        return "Too Many Requests";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    case 507:
        return "Insufficient Storage";
    default:
        return "Answer";
    }
}

/* ---- writing ---- */

typedef struct header {
    char bytes[LWS_PRE + 2048 + REPLY_MORE_MAX];
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
    const char *methods = r->methods ? r->methods : "GET, HEAD, OPTIONS";
    uint64_t length = r->length > 0 ? r->length : r->body.len;

    h->len = 0;
    add(h, "HTTP/1.1 %d %s\r\nServer: brasa\r\n", r->code, reason_of(r->code));
    add_date(h, s->now);
    add(h, "Access-Control-Allow-Origin: *\r\nX-Content-Type-Options: nosniff\r\n"
           "Cross-Origin-Resource-Policy: cross-origin\r\nReferrer-Policy: no-referrer\r\n");
    if (r->code == 204) /* `*` does not stand for Authorization (Fetch, 3.2.3). */
        add(h,
            "Access-Control-Allow-Methods: %s\r\n"
            "Access-Control-Allow-Headers: *, Authorization\r\nAccess-Control-Max-Age: 86400\r\n",
            methods);
    if (r->code == 405) add(h, "Allow: %s\r\n", methods);
    if (r->code == 503) add(h, "Retry-After: 1\r\n");
    if (r->type) add(h, "Content-Type: %s\r\n", r->type);
    if (r->etag) add(h, "ETag: \"%s\"\r\n", r->etag);
    if (r->csp) add(h, "Content-Security-Policy: %s\r\n", r->csp);
    add(h, "Cache-Control: %s\r\n", r->cache ? r->cache : "no-store");
    if (r->more) add(h, "%s", r->more);
    if (r->code != 204 && r->code != 304) add(h, "Content-Length: %" PRIu64 "\r\n", length);
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

void reply_note_free(visitor *v)
{
    if (v->is_blocked) TAILQ_REMOVE(&v->server->blocked, v, blocked);
    v->is_blocked = false;
}

int reply_finish(visitor *v, struct lws *wsi, bool close)
{
    if (close) return -1;
    if (lws_send_pipe_choked(wsi)) note_blocked(v, wsi);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static void drop_answer(visitor *v)
{
    if (!v->answer) return;
    v->server->answer_bytes -= v->answer->owned_bytes;
    free(v->answer->owned);
    free(v->answer);
    v->answer = NULL;
}

bool reply_has_room(const server *s)
{
    return s->answer_bytes < s->limits.answer_bytes_max;
}

int reply_writable(visitor *v, struct lws *wsi)
{
    http_answer *a = v->answer;

    if (!a) return 0;
    /* libwebsockets gives that to the whole answer, which is little for a slow line. */
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, PATIENCE_S);
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
    return reply_finish(v, wsi, false);
}

/* A body goes to the kernel at once where it can: most of what is served here is
 * smaller than what a socket may hold. Not all of a large one: who does not read it
 * would have us fill the kernel's memory, which nothing here counts. */
static void widen(struct lws *wsi, size_t len)
{
    int bytes = (int)(len < WIDEST_BYTES ? len : WIDEST_BYTES) + 64 * 1024;

    setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

bool reply_begin(server *s, struct lws *wsi, const reply *r)
{
    header h;

    s->counts.http_requests++;
    if (r->code >= 400) s->counts.http_errors++;
    make_header(&h, s, r);
    return write_all(wsi, h.bytes + LWS_PRE, h.len, LWS_WRITE_HTTP_HEADERS);
}

int reply_send(server *s, visitor *v, struct lws *wsi, reply *r)
{
    if (r->body.len > PIECE_BYTES && !r->head) widen(wsi, r->body.len);
    if (!reply_begin(s, wsi, r)) goto fail;
    if (r->head || r->body.len == 0 || r->code == 304) {
        free(r->owned);
        return reply_finish(v, wsi, r->close);
    }
    drop_answer(v);
    v->answer = malloc(sizeof *v->answer);
    if (!v->answer) goto fail;
    *v->answer = (http_answer){ .at = r->body.at,
                                .len = r->body.len,
                                .owned = r->owned,
                                .owned_bytes = r->owned != NULL ? r->body.len : 0 };
    s->answer_bytes += v->answer->owned_bytes;
    if (!r->close) return reply_writable(v, wsi);
    /* An error: short, and the connection ends with it. */
    if (!lws_partial_buffered(wsi))
        write_all(wsi, (char *)r->body.at, r->body.len, LWS_WRITE_HTTP_FINAL);
    drop_answer(v);
    return -1;
fail:
    free(r->owned);
    return -1;
}

bool reply_at_once(server *s, struct lws *wsi, const reply *r)
{
    header h;

    s->counts.http_requests++;
    s->counts.http_errors++;
    make_header(&h, s, r);
    assert(h.len + r->body.len < sizeof h.bytes - LWS_PRE);
    memcpy(h.bytes + LWS_PRE + h.len, r->body.at, r->body.len);
    return write_all(wsi, h.bytes + LWS_PRE, h.len + r->body.len, LWS_WRITE_HTTP_FINAL);
}

void reply_forget(visitor *v)
{
    reply_note_free(v);
    drop_answer(v);
}

/* ---- conditions ---- */

/* Takes one entity tag, without its quotes, from the front of a list. */
static bool take_tag(slice *list, slice *tag, bool *is_weak)
{
    const char *end;

    while (list->len > 0 && strchr(", \t", list->at[0]) != NULL)
        *list = (slice){ list->at + 1, list->len - 1 };
    *is_weak = slice_begins(*list, SLICE("W/"));
    if (*is_weak) *list = (slice){ list->at + 2, list->len - 2 };
    if (list->len < 2 || list->at[0] != '"') return false;
    end = memchr(list->at + 1, '"', list->len - 1);
    if (end == NULL) return false;
    *tag = (slice){ list->at + 1, (size_t)(end - list->at) - 1 };
    *list = (slice){ end + 1, list->len - tag->len - 2 };
    return true;
}

bool reply_tag_listed(struct lws *wsi, enum lws_token_indexes header_name, const char *etag,
                      bool weak)
{
    char words[2048];
    int len = lws_hdr_copy(wsi, words, sizeof words, header_name);
    slice list = { words, len > 0 ? (size_t)len : 0 }, tag;
    bool is_weak;

    if (slice_equal(list, SLICE("*"))) return true;
    while (take_tag(&list, &tag, &is_weak))
        if ((weak || !is_weak) && slice_equal(tag, (slice){ etag, strlen(etag) })) return true;
    return false;
}

/* ---- what no answer takes ---- */

static bool has_body(struct lws *wsi)
{
    char length[24];

    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) == 0) return false;
    if (lws_hdr_copy(wsi, length, sizeof length, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0) return true;
    return strspn(length, "0") != strlen(length);
}

bool reply_objects(struct lws *wsi, reply *r)
{
    bool asks = lws_hdr_total_length(wsi, WSI_TOKEN_OPTIONS_URI) > 0;

    r->head = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
    if (!asks && !r->head && lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) == 0)
        reply_say(r, 405, "GET, HEAD and OPTIONS are understood here\n");
    else if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
        reply_say(r, 411, "a request with a body is not understood, a chunked one not even read\n");
    else if (has_body(wsi))
        reply_say(r, 413, "a request with a body is not understood\n");
    else
        return false;
    r->close = true;
    return true;
}
