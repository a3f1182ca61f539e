/* echo.c - the ceiling: libwebsockets itself, on a libev loop, doing nothing.
 *
 *   echo [--broadcast]
 *
 * Every message goes back to who sent it, or, with --broadcast, to everybody
 * else. No relay on libwebsockets can do more with the same frames, so that the
 * table can say how much of what is possible brasa reaches. It prints its
 * address as brasa does, and stops at SIGTERM.
 *
 * It writes at once, from the callback that received, which is the fastest way
 * this library has; what a connection does not take is queued for it.
 */
#include <ev.h>
#include <libwebsockets.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct waiting {
    struct waiting *next;
    size_t len;
    unsigned char text[]; /* LWS_PRE bytes of room, then the message */
} waiting;

typedef struct session {
    struct lws *wsi;
    struct session *next, **before;
    waiting *first, **last;
} session;

typedef struct echo {
    bool broadcast;
    session *sessions;
    unsigned char buffer[LWS_PRE + 65536];
} echo;

static void join(echo *e, session *s, struct lws *wsi)
{
    *s = (session){ .wsi = wsi, .next = e->sessions, .before = &e->sessions };
    s->last = &s->first;
    if (s->next != NULL) s->next->before = &s->next;
    e->sessions = s;
}

static void drop_first(session *s)
{
    waiting *w = s->first;

    s->first = w->next;
    if (s->first == NULL) s->last = &s->first;
    free(w);
}

static void leave(session *s)
{
    *s->before = s->next;
    if (s->next != NULL) s->next->before = s->before;
    while (s->first != NULL) drop_first(s);
}

static void queue(session *s, const unsigned char *text, size_t len)
{
    waiting *w = malloc(sizeof *w + LWS_PRE + len);

    if (w == NULL) abort();
    *w = (waiting){ .len = len };
    memcpy(w->text + LWS_PRE, text, len);
    *s->last = w;
    s->last = &w->next;
    lws_callback_on_writable(s->wsi);
}

/* `text` has LWS_PRE bytes of room before it. */
static void pass_on(session *s, unsigned char *text, size_t len)
{
    if (s->first != NULL || lws_partial_buffered(s->wsi)) {
        queue(s, text, len);
        return;
    }
    lws_write(s->wsi, text, len, LWS_WRITE_TEXT);
}

static void send_waiting(session *s)
{
    if (lws_partial_buffered(s->wsi)) {
        lws_callback_on_writable(s->wsi);
        return;
    }
    if (s->first == NULL) return;
    lws_write(s->wsi, s->first->text + LWS_PRE, s->first->len, LWS_WRITE_TEXT);
    drop_first(s);
    if (s->first != NULL) lws_callback_on_writable(s->wsi);
}

static int receive(echo *e, session *s, const void *text, size_t len)
{
    if (!lws_is_final_fragment(s->wsi) || lws_remaining_packet_payload(s->wsi) > 0) return -1;
    memcpy(e->buffer + LWS_PRE, text, len);
    if (!e->broadcast) pass_on(s, e->buffer + LWS_PRE, len);
    for (session *to = e->sessions; e->broadcast && to != NULL; to = to->next)
        if (to != s) pass_on(to, e->buffer + LWS_PRE, len);
    return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    session *s = user;
    echo *e = lws_get_context(wsi) == NULL ? NULL : lws_context_user(lws_get_context(wsi));

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        join(e, s, wsi);
        return 0;
    case LWS_CALLBACK_CLOSED:
        leave(s);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return receive(e, s, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        send_waiting(s);
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols PROTOCOLS[] = {
    { .name = "echo",
      .callback = on_event,
      .per_session_data_size = sizeof(session),
      .rx_buffer_size = 65536 },
    { 0 },
};

static void stop(struct ev_loop *loop, ev_signal *signal, int events)
{
    (void)signal;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

static struct lws_context *start(echo *e, struct ev_loop *loop)
{
    void *loops[1] = { loop };
    struct lws_context_creation_info info = {
        .iface = "127.0.0.1",
        .protocols = PROTOCOLS,
        .options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = loops,
        .pt_serv_buf_size = 65536,
        .user = e,
    };
    struct lws_context *context = lws_create_context(&info);
    struct lws_vhost *vhost = context == NULL ? NULL : lws_create_vhost(context, &info);

    if (vhost == NULL) return NULL;
    printf("listening ws://127.0.0.1:%d/\nready\n", lws_get_vhost_listen_port(vhost));
    fflush(stdout);
    return context;
}

int main(int argc, char **argv)
{
    static echo e;
    struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL);
    ev_signal terminate;

    e.broadcast = argc > 1 && strcmp(argv[1], "--broadcast") == 0;
    lws_set_log_level(LLL_ERR, NULL);
    ev_signal_init(&terminate, stop, SIGTERM);
    ev_signal_start(loop, &terminate);
    struct lws_context *context = start(&e, loop);
    if (context == NULL) return 1;
    ev_run(loop, 0);
    lws_context_destroy(context);
    return 0;
}
