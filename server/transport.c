/* transport.c - see transport.h. */
#include "server/transport.h"

#include "server/http.h"
#include "server/modes.h"
#include "server/session.h"
#include "server/tls.h"
#include "server/upload_http.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* What one read takes from a socket. Each connection reserves as much, and
     * touches a page of it. 10,000 idle ones: 6.3 KB each, all told, against 7.4
     * with 16 KB, which the heap packs into more pages. */
    READ_BYTES = 64 * 1024,
    /* One send; above it libwebsockets copies the rest. Above what session.c and
     * http.c hand over at once. */
    SEND_BYTES = 128 * 1024,
    /* Request and headers; a browser that has visited many things on one host
     * sends long cookies. */
    HEADER_BYTES = 16 * 1024,
    HANDSHAKE_SECONDS = 20,
    KEEPALIVE_SECONDS = 30,
    KEEP_TIME_MS = 200,
};

/* libwebsockets hangs up on a subprotocol that it does not know. So there is a
 * second protocol whose name lies in the server struct: it is whatever the
 * client has just offered. */

static visitor *visitor_of(struct lws *wsi)
{
    return lws_get_opaque_user_data(wsi);
}

static server *server_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

/* ---- the handshake ---- */

static bool is_socket_path(const char *path)
{
    static const char *const paths[] = { "/gun", "/gun/", "/ws", "/" };

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (strcmp(path, paths[i]) == 0) return true;
    return false;
}

static bool is_token(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c));
}

/* Notes the first subprotocol offered. False when there is one that cannot be
 * agreed on: libwebsockets 4.1.6 copies the list into 128 bytes and a name into
 * 64, two of them for itself, and takes "12" and "1.5" for numbers. */
static bool note_subprotocol(server *s, struct lws *wsi)
{
    enum { LIST_MAX = 120, NAME_MAX_LEN = 62 };
    char list[LIST_MAX + 2];
    int total = lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL);
    size_t len = 0;

    s->subprotocol[0] = 0;
    if (total == 0) return true;
    if (lws_hdr_copy(wsi, list, sizeof list, WSI_TOKEN_PROTOCOL) <= 0) return false;
    while (is_token(list[len])) len++;
    if (len == 0 || len > NAME_MAX_LEN || strspn(list, "0123456789.") >= len) return false;
    if (list[len] != 0 && list[len] != ',' && list[len] != ' ') return false;
    memcpy(s->subprotocol, list, len);
    s->subprotocol[len] = 0;
    return true;
}

bool transport_origin(const server *s, struct lws *wsi)
{
    char origin[512];
    int len = lws_hdr_copy(wsi, origin, sizeof origin, WSI_TOKEN_ORIGIN);

    /* No browser: whoever can send no header can send any. */
    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) == 0) return true;
    return len > 0 && options_origin_allowed(s->options, origin, (size_t)len);
}

static bool origin_allowed(server *s, struct lws *wsi)
{
    if (transport_origin(s, wsi)) return true;
    s->counts.refused_origin++;
    log_say(&s->log, LOG_REFUSED, s->now, "a handshake from an origin that --origin does not name");
    return false;
}

static int refuse(server *s, struct lws *wsi, int status_code, const char *why)
{
    if (status_code != 403) {
        s->counts.refused_handshake++;
        log_say(&s->log, LOG_REFUSED, s->now, "a handshake: %s", why);
    }
    return http_refuse(s, wsi, status_code, why) ? 1 : -1;
}

/* 0: go on with the handshake; 1: it was answered; -1: hang up. */
static int confirm_upgrade(server *s, struct lws *wsi, const char *to)
{
    char path[128];

    /* HTTP/2 by upgrade: its state machine is not for us. */
    if (strcasecmp(to, "websocket") != 0)
        return refuse(s, wsi, 400, "only the upgrade to websocket is understood");
    if (lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) <= 0 || !is_socket_path(path))
        return refuse(s, wsi, 400, "WebSocket is spoken at /gun, /ws and /");
    if (visitor_of(wsi)->kind == LISTEN_ADMIN)
        return refuse(s, wsi, 400, "this address is for /metrics");
    if (!origin_allowed(s, wsi)) return refuse(s, wsi, 403, "this origin is not let in");
    if (!note_subprotocol(s, wsi))
        return refuse(
            s, wsi, 400,
            "subprotocols: the first has one to 62 characters and is no number, all have 120");
    return 0;
}

/* ---- WebSocket ---- */

static void warn_of_unknown_proxy(server *s)
{
    if (s->proxy_unknown) return;
    s->proxy_unknown = true;
    log_say(
        &s->log, LOG_LIFE, s->now,
        "X-Forwarded-For comes from an address that --trust-proxy does not name; it is ignored, "
        "and limits per address see the proxy");
}

bool transport_client(server *s, struct lws *wsi, gate_person **out)
{
    visitor *v = visitor_of(wsi);
    char header[512];
    address client;
    int len = lws_hdr_copy(wsi, header, sizeof header, WSI_TOKEN_X_FORWARDED_FOR);
    bool proxied = address_in(&v->from, s->options->trusted, s->options->trusted_count);

    *out = NULL;
    if (len > 0 && !proxied) warn_of_unknown_proxy(s);
    client = v->from;
    if (len > 0 && proxied &&
        !address_forwarded(header, (size_t)len, s->options->trusted, s->options->trusted_count,
                           &client))
        client = v->from;
    if (address_in(&client, s->options->trusted, s->options->trusted_count)) return true;
    if (address_is_loopback(&client)) return true;
    *out = gate_meet(s->gate, &client, s->now.steady_ms);
    return *out != NULL;
}

static int websocket(struct lws *wsi, visitor *v, enum lws_callback_reasons reason, void *in,
                     size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        if (v->session) session_hear(v->session, in, len);
        return 0;
    case LWS_CALLBACK_RECEIVE_PONG:
        if (v->session) session_alive(v->session);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return v->session ? session_writable(v->session) : -1;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return v->session ? session_goodbye_heard(v->session) : 0;
    case LWS_CALLBACK_CLOSED:
        if (v->session) session_closed(v->session);
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, NULL, in, len);
    }
}

/* The headers are gone once the connection is established, so the client
 * and its token are looked for here, before the answer is written. */
static int establish(server *s, visitor *v, struct lws *wsi)
{
    gate_person *who = v->client;

    v->client = NULL;
    v->met = false;
    return session_begin(s, v, wsi, who) ? 0 : -1;
}

static int meet_client(server *s, visitor *v, struct lws *wsi)
{
    if (v->met) return 0;
    if (!transport_client(s, wsi, &v->client)) return -1;
    v->token = modes_token(s, wsi, true);
    v->met = true;
    return 0;
}

static void visitor_gone(server *s, visitor *v)
{
    if (v->session) session_closed(v->session);
    http_forget(v);
    gate_part(v->client);
    gate_part(v->person);
    s->sockets--;
    free(v);
}

/* ---- callbacks ---- */

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    server *s = server_of(wsi);
    visitor *v;

    (void)user;
    switch (reason) {
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
        s->tls = user;
        return tls_first_load(s) ? 0 : 1;
    case LWS_CALLBACK_WSI_DESTROY:
        v = visitor_of(wsi);
        if (v) visitor_gone(s, v);
        return 0;
    case LWS_CALLBACK_RAW_ADOPT:
    case LWS_CALLBACK_RAW_RX:
        return -1; /* what CONNECT would turn a connection into */
    default:
        break;
    }

    v = visitor_of(wsi);
    if (!v) return lws_callback_http_dummy(wsi, reason, user, in, len);
    switch (reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return confirm_upgrade(s, wsi, in);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return meet_client(s, v, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return establish(s, v, wsi);
    case LWS_CALLBACK_HTTP:
        return http_request(s, v, wsi, in, len);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return http_writable(v, wsi);
    case LWS_CALLBACK_HTTP_BODY:
        return upload_body(v, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return upload_body_end(v);
    default:
        return websocket(wsi, v, reason, in, len);
    }
}

/* ---- open, adopt, close ---- */

/* The library gives its lines to a function without context; it says only what
 * went wrong with it, so that goes to stderr. */
static void library_line(int level, const char *line)
{
    (void)level;
    fputs(line, stderr);
}

/* The libev plugin looks at the library's timers when the loop is idle, and sets
 * its own timer then. A loop that is never idle would let handshakes and closes
 * wait for ever. While this timer of the library's kind is due soon, that timer of
 * the plugin is set anew each time it fires. */
static void keep_time(lws_sorted_usec_list_t *timer)
{
    server *s = lws_container_of(timer, server, keep_time);

    lws_sul_schedule(s->context, 0, timer, keep_time, KEEP_TIME_MS * LWS_US_PER_MS);
}

bool transport_open(server *s, bool tls)
{
    struct lws_protocols protocols[] = {
        { .name = "brasa",
          .callback = callback,
          .per_session_data_size = 8,
          .rx_buffer_size = READ_BYTES,
          .tx_packet_size = SEND_BYTES },
        { .name = s->subprotocol,
          .callback = callback,
          .per_session_data_size = 8,
          .rx_buffer_size = READ_BYTES,
          .tx_packet_size = SEND_BYTES },
        { .name = NULL },
    };
    /* No validity timers: they sit in one sorted list. session.c has its own. */
    static const lws_retry_bo_t no_timers = { .secs_since_valid_ping = 0 };
    void *loops[] = { s->loop };
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBEV,
        .foreign_loops = loops,
        .user = s,
        .uid = -1,
        .gid = -1,
        .alpn = "http/1.1",
        .vhost_name = "brasa",
        .server_string = "brasa",
        .retry_and_idle_policy = &no_timers,
        .pt_serv_buf_size = READ_BYTES + LWS_PRE,
        .max_http_header_data2 = HEADER_BYTES,
        .timeout_secs = HANDSHAKE_SECONDS,
        .keepalive_timeout = KEEPALIVE_SECONDS,
    };

    lws_set_log_level(LLL_ERR, library_line);
    if (tls)
        info.options |=
            LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
    s->context = lws_create_context(&info);
    if (!s->context) return false;
    keep_time(&s->keep_time);
    s->vhost = lws_get_vhost_by_name(s->context, "brasa");
    return s->vhost != NULL;
}

void transport_close(server *s)
{
    if (!s->context) return;
    lws_sul_cancel(&s->keep_time);
    lws_context_destroy(s->context);
    s->context = NULL;
}

void transport_adopt(server *s, int fd, visitor *v, bool tls)
{
    lws_adopt_desc_t how = {
        .vh = s->vhost,
        .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP,
        .fd.sockfd = fd,
        .opaque = v,
    };
    uint32_t before;

    if (tls) how.type |= LWS_ADOPT_ALLOW_SSL;
    s->sockets++;
    /* On failure the socket is closed either way, but the visitor is only let go
     * by its callback when libwebsockets got as far as to make a connection. */
    before = s->sockets;
    if (!lws_adopt_descriptor_vhost_via_info(&how) && s->sockets == before) visitor_gone(s, v);
}
