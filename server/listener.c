/* listener.c - see listener.h. */
#include "server/listener.h"

#include "server/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,         /* the kernel lowers it to net.core.somaxconn */
    ACCEPTS_PER_TURN = 64,  /* then those who are connected have their turn */
    FIRST_INHERITED_FD = 3, /* what a service manager begins with */
    PAUSE_MS = 1000,        /* when descriptors are out */
};

struct listener {
    server *server;
    int fd;
    listen_kind kind;
    ev_io readable;
    ev_timer pause;
};

/* ---- opening ---- */

static bool fail(server *s, const char *what, const listen_at *at)
{
    char host[ADDRESS_TEXT_MAX];

    address_print(&at->host, host);
    log_say(&s->log, LOG_LIFE, s->now, "cannot %s %s port %u: %s", what, host, at->port,
            strerror(errno));
    return false;
}

static socklen_t to_sockaddr(const listen_at *at, bool four, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (four) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(at->port);
        memcpy(&in->sin_addr, at->host.bytes + 12, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)out;
    in->sin6_family = AF_INET6;
    in->sin6_port = htons(at->port);
    memcpy(&in->sin6_addr, at->host.bytes, 16);
    return sizeof *in;
}

static bool is_any(const address *a)
{
    static const address any = { { 0 } };

    return memcmp(a, &any, sizeof any) == 0;
}

/* A mapped address, or every address where there is no IPv6. */
static bool is_four(const address *a)
{
    static const uint8_t head[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

    return memcmp(a->bytes, head, sizeof head) == 0;
}

static int open_socket(server *s, const listen_at *at)
{
    struct sockaddr_storage where;
    bool four = is_four(&at->host);
    int fd = socket(four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, off = 0;
    socklen_t len;

    if (fd < 0 && !four && errno == EAFNOSUPPORT && is_any(&at->host)) {
        four = true;
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (fd < 0) return fail(s, "open a socket for", at), -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!four) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    len = to_sockaddr(at, four, &where);
    if (bind(fd, (struct sockaddr *)&where, len) == 0 && listen(fd, BACKLOG) == 0) return fd;
    fail(s, "listen at", at);
    close(fd);
    return -1;
}

static void announce(server *s, const listener *l)
{
    struct sockaddr_storage where;
    socklen_t len = sizeof where;
    char host[ADDRESS_TEXT_MAX], shown[ADDRESS_TEXT_MAX + 2];
    bool tls = l->kind == LISTEN_TLS;
    address a;
    unsigned port;

    if (getsockname(l->fd, (struct sockaddr *)&where, &len) != 0) return;
    a = address_of(&where);
    port = where.ss_family == AF_INET ? ntohs(((struct sockaddr_in *)&where)->sin_port)
                                      : ntohs(((struct sockaddr_in6 *)&where)->sin6_port);
    address_print(&a, host);
    snprintf(shown, sizeof shown, strchr(host, ':') ? "[%s]" : "%s", host);
    if (l->kind == LISTEN_ADMIN)
        log_plain(&s->log, "admin http://%s:%u/metrics", shown, port);
    else
        log_plain(&s->log, "listening http%s://%s:%u/ ws%s://%s:%u/gun", tls ? "s" : "", shown,
                  port, tls ? "s" : "", shown, port);
}

static bool add_listener(server *s, int fd, listen_kind kind)
{
    listener *l = calloc(1, sizeof *l);

    if (!l || s->listener_count == OPTIONS_LISTEN_MAX) {
        free(l);
        close(fd);
        return false;
    }
    *l = (listener){ .server = s, .fd = fd, .kind = kind };
    s->listeners[s->listener_count++] = l;
    announce(s, l);
    return true;
}

/* LISTEN_FDS, if it is meant for this process. LISTEN_FDNAMES may call a socket
 * "wss" or "admin". */
static int inherited_count(void)
{
    const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");

    if (!count || !pid || strtol(pid, NULL, 10) != getpid()) return 0;
    return (int)strtol(count, NULL, 10);
}

static listen_kind inherited_kind(const char *names, int index)
{
    size_t len;

    for (; names && index > 0; index--) {
        names = strchr(names, ':');
        if (names) names++;
    }
    if (!names) return LISTEN_PLAIN;
    len = strcspn(names, ":");
    if (len == 3 && memcmp(names, "wss", 3) == 0) return LISTEN_TLS;
    if (len == 5 && memcmp(names, "admin", 5) == 0) return LISTEN_ADMIN;
    return LISTEN_PLAIN;
}

static bool inherit(server *s, int count)
{
    const char *names = getenv("LISTEN_FDNAMES");

    for (int i = 0; i < count; i++) {
        listen_kind kind = inherited_kind(names, i);
        int fd = FIRST_INHERITED_FD + i;
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
            log_say(&s->log, LOG_LIFE, s->now, "LISTEN_FDS: descriptor %d is not open", fd);
            return false;
        }
        if (kind == LISTEN_TLS && !s->options->tls_cert) {
            log_say(&s->log, LOG_LIFE, s->now, "LISTEN_FDS: a socket named wss needs --tls-cert");
            return false;
        }
        if (!add_listener(s, fd, kind)) return false;
    }
    return true;
}

bool listeners_open(server *s)
{
    int inherited = inherited_count();

    if (inherited > 0) return inherit(s, inherited);
    for (size_t i = 0; i < s->options->listen_count; i++) {
        const listen_at *at = &s->options->listen[i];
        int fd = open_socket(s, at);
        if (fd < 0 || !add_listener(s, fd, at->kind)) return false;
    }
    return true;
}

/* ---- accepting ---- */

static void pause_accepting(listener *l)
{
    ev_io_stop(l->server->loop, &l->readable);
    ev_timer_set(&l->pause, PAUSE_MS / 1000.0, 0);
    ev_timer_start(l->server->loop, &l->pause);
}

static void on_pause_over(struct ev_loop *loop, ev_timer *timer, int events)
{
    listener *l = timer->data;

    (void)events;
    ev_io_start(loop, &l->readable);
}

/* Everybody who may wait has a place to wait in; far above that, one address
 * only takes descriptors away from the others. */
static bool is_too_many(const server *s, const gate_person *p)
{
    return gate_sockets(p) > s->limits.per_address_max + s->limits.waiting_max;
}

static bool has_descriptors(const server *s)
{
    return s->sockets < s->limits.connections_max + s->limits.waiting_max + s->limits.pages_max;
}

static void welcome(listener *l, int fd, const struct sockaddr_storage *from)
{
    server *s = l->server;
    visitor *v = calloc(1, sizeof *v);
    int on = 1;

    if (!v) {
        close(fd);
        return;
    }
    s->counts.accepted++;
    v->server = s;
    v->kind = l->kind;
    v->from = address_of(from);
    v->exempt = address_is_loopback(&v->from) ||
                address_in(&v->from, s->options->trusted, s->options->trusted_count);
    if (!v->exempt) v->person = gate_meet(s->gate, &v->from, s->now.steady_ms);
    if (!v->exempt && (!v->person || is_too_many(s, v->person))) {
        s->counts.turned_away++;
        log_say(&s->log, LOG_BUSY, s->now, "a socket was closed: its address has too many");
        gate_part(v->person);
        free(v);
        close(fd);
        return;
    }
    /* An ack is a small frame, and somebody waits for it. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    unread_begin(fd);
    transport_adopt(s, fd, v, l->kind == LISTEN_TLS);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    listener *l = io->data;
    server *s = l->server;

    (void)loop;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        int fd;
        /* What is not accepted waits in the kernel's queue. */
        if (!has_descriptors(s)) break;
        fd = accept4(l->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(l, fd, &from);
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) return;
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
        s->counts.accept_failed++;
        log_say(&s->log, LOG_SOCKET, s->now, "cannot accept: %s", strerror(errno));
        pause_accepting(l);
        return;
    }
    if (!has_descriptors(s)) pause_accepting(l);
}

void listeners_start(server *s)
{
    for (size_t i = 0; i < s->listener_count; i++) {
        listener *l = s->listeners[i];
        ev_io_init(&l->readable, on_readable, l->fd, EV_READ);
        ev_timer_init(&l->pause, on_pause_over, 0, 0);
        l->readable.data = l->pause.data = l;
        ev_io_start(s->loop, &l->readable);
    }
}

void listeners_close(server *s)
{
    for (size_t i = 0; i < s->listener_count; i++) {
        listener *l = s->listeners[i];
        if (s->loop) {
            ev_io_stop(s->loop, &l->readable);
            ev_timer_stop(s->loop, &l->pause);
        }
        close(l->fd);
        free(l);
    }
    s->listener_count = 0;
}
