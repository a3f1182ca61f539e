/* admin_job.c - wishes that read the whole store: a thread, a view, a socket. */
#include "server/admin_inside.h"
#include "server/chores.h"
#include "server/clock.h"
#include "server/lines.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

enum {
    LOOK_UP_MS = 200,      /* how often a thread that cannot write asks whether to end */
    SILENT_MS = 60 * 1000, /* who takes nothing for so long is gone: a view costs */
};

static bool is_wanted(void *context)
{
    admin_client *c = context;

    return !atomic_load(&c->unwanted);
}

/* Waits until the socket takes something, in short steps. */
static bool wait_writable(admin_client *c)
{
    struct pollfd p = { .fd = c->fd, .events = POLLOUT };

    for (int waited = 0; waited < SILENT_MS; waited += LOOK_UP_MS) {
        if (!is_wanted(c)) return false;
        if (poll(&p, 1, LOOK_UP_MS) > 0) return true;
    }
    return false;
}

static bool hear(void *context, slice bytes)
{
    admin_client *c = context;

    while (bytes.len > 0) {
        if (!is_wanted(c)) return false;
        ssize_t sent = send(c->fd, bytes.at, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (!wait_writable(c)) return false;
            continue;
        }
        if (sent < 0) return false;
        bytes = (slice){ bytes.at + sent, bytes.len - (size_t)sent };
    }
    return true;
}

static void *work(void *context)
{
    admin_client *c = context;
    const hearer to = { .hear = hear, .wanted = is_wanted, .context = c };

    chore_run(&c->wish, c->view, c->now_ms, &to);
    view_close(c->view);
    atomic_store(&c->finished, true);
    ev_async_send(c->server->loop, &c->server->admin->job_done);
    return NULL;
}

/* Signals are the loop's. */
static bool start_thread(admin_client *c)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&c->thread, NULL, work, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0;
}

static void viewed(void *context, status how, radisk_view *view)
{
    admin_client *c = context;

    c->owed = false;
    if (c->orphan || c->state != ADMIN_WAITING) {
        view_close(view);
        c->server->admin->jobs--;
        if (c->orphan) admin_end(c);
        return;
    }
    ev_timer_stop(c->server->loop, &c->again);
    c->view = view;
    c->state = ADMIN_WORKING;
    if (how == STATUS_OK && start_thread(c)) return;
    if (how == STATUS_OK) view_close(view);
    c->server->admin->jobs--;
    line_error(&c->out, "the store cannot be read as a whole now: %s",
               status_text(how == STATUS_OK ? STATUS_NO_MEMORY : how));
    admin_answer(c);
}

void admin_begin_job(admin_client *c)
{
    admin *a = c->server->admin;

    if (a->jobs >= ADMIN_JOBS_MAX) {
        c->server->counts.admin_busy++;
        line_error(&c->out, "busy: %d such jobs are under way, try again", ADMIN_JOBS_MAX);
        admin_answer(c);
        return;
    }
    c->now_ms = clock_now().wall_ms;
    status s = radisk_view_begin(c->server->store, viewed, c);
    if (s == STATUS_OK) {
        a->jobs++;
        admin_wait(c);
        return;
    }
    line_error(&c->out, "%s", status_text(s));
    admin_answer(c);
}

void admin_stop_job(admin_client *c)
{
    atomic_store(&c->unwanted, true);
    (void)pthread_join(c->thread, NULL);
    c->server->admin->jobs--;
}

void admin_jobs_told(admin *a)
{
    admin_client *c, *next;

    for (c = LIST_FIRST(&a->clients); c != NULL; c = next) {
        next = LIST_NEXT(c, of_admin);
        if (c->state != ADMIN_WORKING || !atomic_load(&c->finished)) continue;
        admin_stop_job(c);
        admin_end(c);
    }
}
