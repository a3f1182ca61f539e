/* admin.c - see admin.h. */
#include "server/admin.h"

#include "server/admin_inside.h"
#include "server/clock.h"
#include "server/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024,
    BACKLOG = 16,
    SILENT_S = 60,   /* to ask, or to take an answer */
    PATIENCE_S = 10, /* for a store that is in trouble */
};

/* ---- one connection ---- */

static void free_client(admin_client *c)
{
    LIST_REMOVE(c, of_admin);
    import_free(c->import);
    if (c->has_wish) wish_free(&c->wish);
    text_free(&c->in);
    text_free(&c->out);
    free(c);
}

/* The connection is over. What the store still owes keeps the rest alive. */
void admin_end(admin_client *c)
{
    admin *a = c->server->admin;

    if (!c->orphan) {
        ev_io_stop(c->server->loop, &c->heard);
        ev_io_stop(c->server->loop, &c->writable);
        ev_timer_stop(c->server->loop, &c->again);
        (void)close(c->fd);
        a->count--;
    }
    c->orphan = true;
    if (!c->owed && (c->import == NULL || !import_is_asking(c->import))) {
        free_client(c);
        return;
    }
    LIST_REMOVE(c, of_admin);
    LIST_INSERT_HEAD(&a->orphans, c, of_admin);
}

/* ---- being late ---- */

static void set_timer(admin_client *c, double seconds)
{
    c->again.repeat = seconds;
    ev_timer_again(c->server->loop, &c->again);
}

/* A store that has no room, say, may be so for long. The operator is told. */
static void wait_on(admin_client *c)
{
    const char *trouble = radisk_trouble(c->server->store);

    if (trouble[0] == '\0') c->late = 0;
    if (++c->late < PATIENCE_S) return;
    line_error(&c->out, "the store cannot do this now: %s%s", trouble,
               c->wish.kind == WISH_PURGE ? "; it will as soon as it can" : "");
    admin_answer(c);
}

static void on_late(struct ev_loop *loop, ev_timer *w, int events)
{
    admin_client *c = w->data;

    (void)loop;
    (void)events;
    if (c->state == ADMIN_WAITING)
        wait_on(c);
    else
        admin_end(c);
}

void admin_wait(admin_client *c)
{
    c->state = ADMIN_WAITING;
    c->owed = true;
    c->late = 0;
    set_timer(c, 1);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int events)
{
    admin_client *c = w->data;

    (void)loop;
    (void)events;
    while (c->out_sent < c->out.len) {
        ssize_t sent = send(c->fd, c->out.at + c->out_sent, c->out.len - c->out_sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (sent < 0) break;
        c->out_sent += (size_t)sent;
    }
    admin_end(c);
}

void admin_answer(admin_client *c)
{
    c->state = ADMIN_ANSWERING;
    ev_io_stop(c->server->loop, &c->heard);
    ev_set_cb(&c->again, on_late);
    set_timer(c, SILENT_S);
    if (!text_ok(&c->out)) c->out.len = 0;
    ev_io_start(c->server->loop, &c->writable);
}

int admin_receive(admin_client *c, size_t room)
{
    char *to;

    if (c->in_used > 0) {
        memmove(c->in.at, c->in.at + c->in_used, c->in.len - c->in_used);
        c->in.len -= c->in_used;
        c->in_searched -= c->in_searched < c->in_used ? c->in_searched : c->in_used;
        c->in_used = 0;
    }
    if (c->in.len >= room) return -1;
    to = text_room(&c->in, READ_BYTES);
    if (to == NULL) return 0;
    ssize_t got = recv(c->fd, to, READ_BYTES, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) return -1;
    if (got <= 0) return 0;
    c->in.len += (size_t)got;
    return 1;
}

/* ---- the small wishes ---- */

static void answer_stat(admin_client *c)
{
    radisk_stats stats;

    radisk_measure(c->server->store, &stats);
    line_stat(&c->out, &stats, radisk_trouble(c->server->store));
    admin_answer(c);
}

static void answer_get(admin_client *c)
{
    graph *g = radisk_graph(c->server->store);
    graph_row row;
    status s = g->look(g->context, c->wish.soul, c->wish.key, &row);

    if (s == STATUS_OK) {
        line_row(&c->out, &(view_row){ .soul = c->wish.soul,
                                       .key = c->wish.key,
                                       .value = row.value,
                                       .state = row.state });
        line_done(&c->out, ",\"lines\":1,\"damaged\":0");
    } else {
        line_error(&c->out, "%s", status_text(s));
    }
    admin_answer(c);
}

static void purged(void *context, status how, uint64_t rows)
{
    admin_client *c = context;

    c->owed = false;
    if (how == STATUS_OK && !c->wish.dry_run)
        log_say(&c->server->log, LOG_STORE, c->server->now, "an operator purged %" PRIu64 " rows",
                rows);
    if (c->orphan) {
        admin_end(c);
        return;
    }
    if (c->state != ADMIN_WAITING) return; /* it was told to wait no longer */
    if (how == STATUS_OK)
        line_done(&c->out, ",\"rows\":%" PRIu64 ",\"dry_run\":%s", rows,
                  c->wish.dry_run ? "true" : "false");
    else
        line_error(&c->out, "the purge failed: %s; begin it again", status_text(how));
    admin_answer(c);
}

static void begin_purge(admin_client *c)
{
    radisk_purge what = { .soul = c->wish.has_prefix ? c->wish.prefix : c->wish.soul,
                          .key = c->wish.key,
                          .prefix = c->wish.has_prefix,
                          .dry_run = c->wish.dry_run };
    status s = radisk_purge_begin(c->server->store, &what, clock_now(), purged, c);

    if (s == STATUS_OK) {
        admin_wait(c);
        return;
    }
    if (s == STATUS_BUSY)
        line_error(&c->out, "another purge is under way: try again when it is done");
    else
        line_error(&c->out, "%s", status_text(s));
    admin_answer(c);
}

static void begin_wish(admin_client *c)
{
    ev_io_stop(c->server->loop, &c->heard);
    ev_timer_stop(c->server->loop, &c->again);
    if (!c->server->store || c->server->stopping) {
        line_error(&c->out, "the server is stopping");
        admin_answer(c);
        return;
    }
    if (wish_needs_view(&c->wish)) {
        admin_begin_job(c);
        return;
    }
    switch (c->wish.kind) {
    case WISH_STAT:
        answer_stat(c);
        break;
    case WISH_GET:
        answer_get(c);
        break;
    case WISH_PURGE:
        begin_purge(c);
        break;
    case WISH_AUDIO_PIN:
    case WISH_AUDIO_UNPIN:
        admin_begin_pin(c);
        break;
    case WISH_AUDIO_GC:
        admin_begin_gc(c);
        break;
    default:
        admin_begin_import(c);
        break;
    }
}

static void heard_wish(admin_client *c)
{
    const char *end;
    int got = admin_receive(c, WISH_LINE_MAX);
    char why[WISH_WHY_MAX] = "";

    end = c->in.len > 0 ? memchr(c->in.at, '\n', c->in.len) : NULL;
    if (end != NULL) {
        slice line = { c->in.at, (size_t)(end - c->in.at) };
        c->in_used = line.len + 1;
        c->has_wish = true;
        if (wish_read(&c->wish, line, why) == STATUS_OK) {
            begin_wish(c);
            return;
        }
        line_error(&c->out, "%s", why[0] != 0 ? why : "out of memory");
        admin_answer(c);
    } else if (got == 0) {
        admin_end(c);
    } else if (c->in.len >= WISH_LINE_MAX) {
        line_error(&c->out, "a wish has at most %d bytes", WISH_LINE_MAX);
        admin_answer(c);
    }
}

static void on_heard(struct ev_loop *loop, ev_io *w, int events)
{
    admin_client *c = w->data;

    (void)loop;
    (void)events;
    if (c->state == ADMIN_IMPORTING)
        admin_heard_import(c);
    else
        heard_wish(c);
}

/* ---- the socket ---- */

static void tell_busy(admin *a, int fd)
{
    text out = { 0 };

    a->server->counts.admin_busy++;
    line_error(&out, "busy: %d tools are connected already", ADMIN_CLIENTS_MAX);
    if (text_ok(&out)) (void)!send(fd, out.at, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    text_free(&out);
    (void)close(fd);
}

static void welcome(admin *a, int fd)
{
    admin_client *c = a->count < ADMIN_CLIENTS_MAX ? calloc(1, sizeof *c) : NULL;

    if (c == NULL) {
        tell_busy(a, fd);
        return;
    }
    c->server = a->server;
    c->fd = fd;
    ev_io_init(&c->heard, on_heard, fd, EV_READ);
    ev_io_init(&c->writable, on_writable, fd, EV_WRITE);
    ev_timer_init(&c->again, on_late, 0, 0);
    c->heard.data = c->writable.data = c->again.data = c;
    ev_io_start(a->server->loop, &c->heard);
    set_timer(c, SILENT_S);
    LIST_INSERT_HEAD(&a->clients, c, of_admin);
    a->count++;
}

static void on_knocked(struct ev_loop *loop, ev_io *w, int events)
{
    admin *a = w->data;
    int fd;

    (void)loop;
    (void)events;
    while ((fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) welcome(a, fd);
}

static void on_job_done(struct ev_loop *loop, ev_async *w, int events)
{
    (void)loop;
    (void)events;
    admin_jobs_told(w->data);
}

/* Nobody can connect before it listens, and by then its mode is 0600. */
static int listen_on(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof at.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(at.sun_path, path, strlen(path) + 1);
    if (unlink(path) != 0 && errno != ENOENT) return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && chmod(path, 0600) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    if (fd >= 0) (void)close(fd);
    return -1;
}

static bool open_socket(admin *a)
{
    server *s = a->server;

    if (asprintf(&a->path, "%s/admin.sock", s->options->data) < 0) {
        a->path = NULL;
        return false;
    }
    a->fd = listen_on(a->path);
    if (a->fd < 0) return false;
    ev_io_init(&a->knocked, on_knocked, a->fd, EV_READ);
    ev_async_init(&a->job_done, on_job_done);
    a->knocked.data = a->job_done.data = a;
    ev_io_start(s->loop, &a->knocked);
    ev_async_start(s->loop, &a->job_done);
    return true;
}

void admin_open(server *s)
{
    admin *a = calloc(1, sizeof *a);

    errno = ENOMEM;
    if (a != NULL) {
        *a = (admin){ .server = s, .fd = -1 };
        LIST_INIT(&a->clients);
        LIST_INIT(&a->orphans);
        if (open_socket(a)) {
            s->admin = a;
            return;
        }
    }
    log_say(&s->log, LOG_LIFE, s->now,
            "without admin.sock (%s): brasa stat, backup and the like cannot reach this server",
            strerror(errno));
    if (a != NULL) free(a->path);
    free(a);
}

void admin_stop(server *s)
{
    admin *a = s->admin;
    admin_client *c, *next;

    if (a == NULL || a->fd < 0) return;
    ev_io_stop(s->loop, &a->knocked);
    (void)close(a->fd);
    (void)unlink(a->path);
    a->fd = -1;
    LIST_FOREACH(c, &a->clients, of_admin) atomic_store(&c->unwanted, true);
    for (c = LIST_FIRST(&a->clients); c != NULL; c = next) {
        next = LIST_NEXT(c, of_admin);
        if (c->state == ADMIN_WORKING) admin_stop_job(c);
        admin_end(c);
    }
    ev_async_stop(s->loop, &a->job_done);
}

void admin_free(server *s)
{
    if (s->admin == NULL) return;
    while (!LIST_EMPTY(&s->admin->orphans)) free_client(LIST_FIRST(&s->admin->orphans));
    free(s->admin->path);
    free(s->admin);
    s->admin = NULL;
}
