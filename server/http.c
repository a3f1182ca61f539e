/* http.c - see http.h. */
#include "server/http.h"

#include "server/assets.h"
#include "server/audio_http.h"
#include "server/audio_stream.h"
#include "server/http_reply.h"
#include "server/metrics.h"
#include "server/page.h"
#include "server/upload_ask.h"
#include "server/upload_http.h"

#include <stdlib.h>
#include <string.h>

void http_forget(visitor *v)
{
    reply_forget(v);
    audio_stream_end(v->stream);
    upload_end(v);
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
        reply_note_free(v);
    }
    if (killed) lws_cancel_service(s->context);
}

/* ---- what there is ---- */

static void show_page(reply *r, const page *p)
{
    r->type = p->type;
    r->body = (slice){ (const char *)p->bytes, p->len };
    r->etag = p->etag;
    r->cache = "no-cache";
    r->csp = "default-src 'none'; script-src 'self'; style-src 'self'; "
             "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; "
             "worker-src 'self'; manifest-src 'self'; connect-src 'self'; "
             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

static void show_health(const server *s, reply *r)
{
    bool well = s->ready && !s->stopping && radisk_ready(s->store);

    reply_say(r, well ? 200 : 503, well ? "ok\n" : "writes are not possible now\n");
}

static void show_made(server *s, reply *r, const char *type, char *(*make)(server *s, size_t *len))
{
    size_t len = 0;
    char *words = make(s, &len);

    if (!words) {
        reply_say(r, 500, "out of memory\n");
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
        reply_say(r, 403, "metrics are for this machine, or for --admin-listen\n");
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
        reply_say(r, 500, "the file could not be read\n");
        return;
    default:
        break;
    }
    if (slice_equal(path, SLICE("/gun.js")) || slice_equal(path, SLICE("/sea.js")))
        reply_say(r, 404,
                  "this relay was started without the files of the npm package gun; "
                  "load gun.js from elsewhere, or see --assets\n");
    else
        reply_say(r, 404, "there is nothing here\n");
}

static void choose(server *s, visitor *v, struct lws *wsi, slice path, reply *r)
{
    const page *file = page_find(path);

    if (file)
        show_page(r, file);
    else if (slice_equal(path, SLICE("/health")))
        show_health(s, r);
    else if (slice_equal(path, SLICE("/status")))
        show_made(s, r, "application/json", metrics_status);
    else if (slice_equal(path, SLICE("/metrics")))
        show_metrics(s, v, wsi, r);
    else
        show_asset(s, r, path);
}

int http_request(server *s, visitor *v, struct lws *wsi, const char *path, size_t len)
{
    reply r = { .code = 200 };
    bool whole = unread_note(&v->unread, lws_get_socket_fd(wsi));
    slice name = { path, len };

    if (audio_owns(name) && upload_is_asked(wsi)) return upload_request(s, v, wsi, name, whole);
    if (audio_owns(name)) return audio_request(s, v, wsi, name);
    if (!reply_objects(wsi, &r)) {
        if (lws_hdr_total_length(wsi, WSI_TOKEN_OPTIONS_URI) > 0)
            r.code = 204;
        else
            choose(s, v, wsi, name, &r);
    }
    if (r.code == 200 && r.etag &&
        reply_tag_listed(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, r.etag, true))
        r.code = 304;
    return reply_send(s, v, wsi, &r);
}

int http_writable(visitor *v, struct lws *wsi)
{
    if (v->upload) return upload_writable(v);
    return v->stream ? audio_stream_writable(v->stream) : reply_writable(v, wsi);
}

bool http_refuse(server *s, struct lws *wsi, int status_code, const char *why)
{
    reply r = { .close = true };

    reply_say(&r, status_code, why);
    return reply_at_once(s, wsi, &r);
}
