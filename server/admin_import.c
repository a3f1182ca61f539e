/* admin_import.c - an import on the loop: some lines a turn, and none while the
 * store is busy, so that the tool waits and the clients do not. */
#include "server/admin_inside.h"
#include "server/clock.h"
#include "server/lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    SLICE_LINES = 1000,         /* of a turn */
    SLICE_MS = 5,               /* or so much time */
    WAIT_MS = 5,                /* for a busy store */
    OUT_BYTES_MAX = 256 * 1024, /* of complaints about lines; more are only counted */
};

static void say_counts(admin_client *c)
{
    const import_counts *n = import_count(c->import);

    line_done(&c->out,
              ",\"lines\":%" PRIu64 ",\"taken\":%" PRIu64 ",\"same\":%" PRIu64 ",\"stale\":%" PRIu64
              ",\"held\":%" PRIu64 ",\"bad\":%" PRIu64 ",\"floors\":%" PRIu64
              ",\"floors_left\":%" PRIu64,
              n->lines, n->taken, n->same, n->stale, n->held, n->bad, n->floors, n->floors_left);
}

static void finish(admin_client *c, import_state how)
{
    if (how == IMPORT_FAILED)
        line_error(&c->out,
                   "the import stopped near line %" PRIu64 ": %s; what came long before it is kept",
                   import_count(c->import)->lines, status_text(import_why(c->import)));
    else if (c->refused)
        line_error(&c->out,
                   "line %" PRIu64 ": %s; the lines before it were imported (--skip-bad goes on)",
                   import_count(c->import)->lines, c->why);
    else
        say_counts(c);
    admin_answer(c);
}

/* False: the import ends here. */
static bool take_line(admin_client *c, slice line)
{
    status s = import_line(c->import, line, c->why);

    if (s == STATUS_OK) return true;
    if (s == STATUS_MALFORMED && c->wish.skip_bad) {
        if (c->out.len < OUT_BYTES_MAX) {
            text said = { 0 };
            line_error(&said, "line %" PRIu64 ": %s", import_count(c->import)->lines, c->why);
            if (text_ok(&said)) text_add(&c->out, SLICE("{\"bad\":"));
            if (text_ok(&said)) text_add(&c->out, (slice){ said.at + 7, said.len - 7 });
            text_free(&said);
        }
        return true;
    }
    if (s != STATUS_MALFORMED) (void)snprintf(c->why, sizeof c->why, "%s", status_text(s));
    c->refused = c->ended = true;
    return false;
}

/* Where the next line ends; NULL when that has not come. A line may come in a
 * thousand pieces, so none is searched twice. */
static const char *find_end(admin_client *c)
{
    const char *end;

    if (c->in_searched < c->in_used) c->in_searched = c->in_used;
    if (c->in_searched == c->in.len) return NULL;
    end = memchr(c->in.at + c->in_searched, '\n', c->in.len - c->in_searched);
    c->in_searched = end == NULL ? c->in.len : (size_t)(end - c->in.at);
    return end;
}

/* The next line of what has come; the last one may lack its end. */
static bool next_line(admin_client *c, slice *line)
{
    slice rest = { c->in.at + c->in_used, c->in.len - c->in_used };
    const char *end = find_end(c);

    if (end == NULL && !(c->ended && rest.len > 0)) return false;
    *line = (slice){ rest.at, end == NULL ? rest.len : (size_t)(end - rest.at) };
    c->in_used += line->len + (end != NULL);
    return true;
}

static void come_again(admin_client *c, double in_ms)
{
    ev_io_stop(c->server->loop, &c->heard);
    c->again.repeat = in_ms > 0 ? in_ms / 1000 : 1e-6;
    ev_timer_again(c->server->loop, &c->again);
}

/* Everything was taken in: it is merged, and then it has to be durable. */
static void wind_up(admin_client *c, moment now)
{
    import_state s = c->flushed ? IMPORT_READY : import_step(c->import, now, true);

    if (s == IMPORT_READY) {
        c->flushed = true;
        s = import_settled(c->import);
    }
    if (s == IMPORT_WAITS)
        come_again(c, WAIT_MS);
    else
        finish(c, s);
}

static void work(admin_client *c)
{
    moment began = clock_now(), now = began;
    import_state s = IMPORT_READY;
    slice line;

    for (int n = 0; n < SLICE_LINES && !c->refused; n++) {
        s = import_step(c->import, now, false);
        if (s != IMPORT_READY || now.steady_ms - began.steady_ms >= SLICE_MS) break;
        if (!next_line(c, &line)) {
            if (c->ended) break;
            ev_timer_stop(c->server->loop, &c->again);
            ev_io_start(c->server->loop, &c->heard);
            return;
        }
        if (!take_line(c, line)) break;
        now = clock_now();
    }
    if (s == IMPORT_FAILED)
        finish(c, s);
    else if (s == IMPORT_WAITS)
        come_again(c, WAIT_MS);
    else if (c->refused || (c->ended && c->in_used == c->in.len))
        wind_up(c, now);
    else
        come_again(c, 0);
}

static void on_again(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    work(w->data);
}

void admin_heard_import(admin_client *c)
{
    int got = admin_receive(c, IMPORT_LINE_MAX);
    bool has_line = find_end(c) != NULL;

    if (!text_ok(&c->in)) {
        line_error(&c->out, "out of memory near line %" PRIu64, import_count(c->import)->lines);
        admin_answer(c);
        return;
    }
    if (got == 0) c->ended = true;
    if (!c->ended && !has_line && c->in.len >= IMPORT_LINE_MAX) {
        line_error(&c->out, "line %" PRIu64 " is longer than %d bytes",
                   import_count(c->import)->lines + 1, IMPORT_LINE_MAX);
        admin_answer(c);
        return;
    }
    if (has_line || c->ended) work(c);
}

void admin_begin_import(admin_client *c)
{
    c->state = ADMIN_IMPORTING;
    c->import = import_new(c->server->store);
    if (c->import == NULL) {
        line_error(&c->out, "out of memory");
        admin_answer(c);
        return;
    }
    ev_set_cb(&c->again, on_again);
    work(c);
}
