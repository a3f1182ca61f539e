/* tools_here.c - doing what was wished in a folder that no server has. */
#include "server/chores.h"
#include "server/clock.h"
#include "server/import.h"
#include "server/lines.h"
#include "server/tools_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { NAP_US = 500, GUESS = 2 };

typedef struct here {
    tool_reply *reply;
    radisk *store;
    wish wish;
    text out;
    bool told;
    status how;
    uint64_t rows;
} here;

static void nap(void)
{
    (void)nanosleep(&(struct timespec){ 0, NAP_US * 1000 }, NULL);
}

static void say(here *h)
{
    if (text_ok(&h->out)) (void)tool_reply_hear(h->reply, text_slice(&h->out));
    text_reset(&h->out, 1 << 16);
}

static void do_stat(here *h)
{
    radisk_stats stats;

    radisk_measure(h->store, &stats);
    line_stat(&h->out, &stats, radisk_trouble(h->store));
}

static void do_get(here *h)
{
    graph *g = radisk_graph(h->store);
    graph_row row;
    status s = g->look(g->context, h->wish.soul, h->wish.key, &row);

    if (s != STATUS_OK) {
        line_error(&h->out, "%s", status_text(s));
        return;
    }
    line_row(&h->out, &(view_row){ .soul = h->wish.soul,
                                   .key = h->wish.key,
                                   .value = row.value,
                                   .state = row.state });
    line_done(&h->out, ",\"lines\":1,\"damaged\":0");
}

static void do_chore(here *h)
{
    const hearer to = { .hear = tool_reply_hear, .context = h->reply };
    radisk_view *view = NULL;
    status s = radisk_view_now(h->store, &view);

    if (s != STATUS_OK) {
        line_error(&h->out, "the store cannot be read as a whole: %s", status_text(s));
        return;
    }
    chore_run(&h->wish, view, clock_now().wall_ms, &to);
    view_close(view);
}

/* ---- purge ---- */

static void purged(void *context, status how, uint64_t rows)
{
    here *h = context;

    h->told = true;
    h->how = how;
    h->rows = rows;
}

static void do_purge(here *h)
{
    radisk_purge what = { .soul = h->wish.has_prefix ? h->wish.prefix : h->wish.soul,
                          .key = h->wish.key,
                          .prefix = h->wish.has_prefix,
                          .dry_run = h->wish.dry_run };
    status s = radisk_purge_begin(h->store, &what, clock_now(), purged, h);

    while (s == STATUS_OK && !h->told) {
        radisk_turn(h->store);
        if (!h->told) nap();
    }
    if (s == STATUS_OK) s = h->how;
    if (s == STATUS_OK)
        line_done(&h->out, ",\"rows\":%" PRIu64 ",\"dry_run\":%s", h->rows,
                  h->wish.dry_run ? "true" : "false");
    else
        line_error(&h->out, "the purge failed: %s; begin it again", status_text(s));
}

/* ---- import ---- */

static import_state step(here *h, import *i, bool all)
{
    import_state s;

    radisk_turn(h->store);
    while ((s = import_step(i, clock_now(), all)) == IMPORT_WAITS) {
        nap();
        radisk_turn(h->store);
    }
    return s;
}

static import_state settle(here *h, import *i)
{
    import_state s;

    while ((s = import_settled(i)) == IMPORT_WAITS) {
        radisk_turn(h->store);
        nap();
    }
    return s;
}

static void say_import(here *h, const import *i)
{
    const import_counts *n = import_count(i);

    line_done(&h->out,
              ",\"lines\":%" PRIu64 ",\"taken\":%" PRIu64 ",\"same\":%" PRIu64 ",\"stale\":%" PRIu64
              ",\"held\":%" PRIu64 ",\"bad\":%" PRIu64 ",\"floors\":%" PRIu64
              ",\"floors_left\":%" PRIu64,
              n->lines, n->taken, n->same, n->stale, n->held, n->bad, n->floors, n->floors_left);
}

static void import_lines(here *h, import *i, FILE *from)
{
    char why[IMPORT_WHY_MAX] = "", *line = NULL;
    size_t room = 0;
    ssize_t len;
    import_state s = IMPORT_READY;
    status bad = STATUS_OK;

    while (s == IMPORT_READY && bad == STATUS_OK && (len = getline(&line, &room, from)) >= 0) {
        if (len > 0 && line[len - 1] == '\n') len--;
        bad = import_line(i, (slice){ line, (size_t)len }, why);
        if (bad == STATUS_MALFORMED && h->wish.skip_bad) {
            fprintf(stderr, "line %" PRIu64 ": %s\n", import_count(i)->lines, why);
            bad = STATUS_OK;
        }
        if (bad == STATUS_OK) s = step(h, i, false);
    }
    free(line);
    if (s == IMPORT_READY) s = step(h, i, true);
    if (s == IMPORT_READY) s = settle(h, i);
    if (s == IMPORT_FAILED)
        line_error(&h->out, "the import stopped near line %" PRIu64 ": %s", import_count(i)->lines,
                   status_text(import_why(i)));
    else if (bad != STATUS_OK)
        line_error(&h->out,
                   "line %" PRIu64 ": %s; the lines before it were imported (--skip-bad goes on)",
                   import_count(i)->lines, bad == STATUS_MALFORMED ? why : status_text(bad));
    else if (ferror(from))
        line_error(&h->out, "the lines cannot be read on: %s", strerror(errno));
    else
        say_import(h, i);
}

static void do_import(here *h, FILE *from)
{
    import *i = import_new(h->store);

    if (i == NULL)
        line_error(&h->out, "out of memory");
    else
        import_lines(h, i, from);
    import_free(i);
}

/* ---- the folder ---- */

size_t tool_map_bytes(const char *folder)
{
    size_t least = (size_t)16 << 30;
    struct stat st;
    char *path;

    if (asprintf(&path, "%s/data.mdb", folder) < 0) return least;
    size_t bytes = stat(path, &st) == 0 ? (size_t)st.st_size * GUESS : 0;
    free(path);
    return bytes > least ? bytes : least;
}

/* Who asks for a store that is not there does not want to make one. */
bool tool_is_store(const char *folder)
{
    struct stat st;
    char *path;

    if (asprintf(&path, "%s/data.mdb", folder) < 0) return false;
    bool there = stat(path, &st) == 0;
    free(path);
    return there;
}

static bool open_folder(here *h)
{
    const tool_call *call = h->reply->call;
    radisk_options wanted = { .folder = call->folder,
                              .limits = { .size_max = tool_map_bytes(call->folder) } };
    char why[RADISK_WHY_MAX] = "";

    if (h->wish.kind != WISH_IMPORT && !tool_is_store(call->folder)) {
        h->reply->result = tool_complain(call, TOOL_WRONG, "there is no store in %s", call->folder);
        return false;
    }
    randombytes_buf(wanted.secret, sizeof wanted.secret);
    status s = radisk_open(&h->store, &wanted, why);
    if (s != STATUS_OK) {
        h->reply->result = tool_complain(call, TOOL_WRONG, "%s", why);
        return false;
    }
    if (why[0] != '\0') (void)tool_complain(call, 0, "note: %s", why);
    return true;
}

void tool_do_here(tool_reply *reply, slice wish_line, FILE *import_from)
{
    here h = { .reply = reply };
    char why[WISH_WHY_MAX];
    bool ready = wish_read(&h.wish, wish_line, why) == STATUS_OK && open_folder(&h);

    if (!ready) {
        reply->ended = true;
        if (reply->result == TOOL_DONE) reply->result = TOOL_FAILED;
    } else if (wish_needs_view(&h.wish)) {
        do_chore(&h);
    } else if (h.wish.kind == WISH_STAT) {
        do_stat(&h);
    } else if (h.wish.kind == WISH_GET) {
        do_get(&h);
    } else if (h.wish.kind == WISH_PURGE) {
        do_purge(&h);
    } else if (h.wish.kind == WISH_AUDIO_GC) {
        tool_collect_here(h.store, &h.wish, &h.out);
    } else if (h.wish.kind == WISH_AUDIO_PIN || h.wish.kind == WISH_AUDIO_UNPIN) {
        tool_pin_here(h.store, &h.wish, &h.out);
    } else {
        do_import(&h, import_from);
    }
    say(&h);
    radisk_close(h.store);
    wish_free(&h.wish);
    text_free(&h.out);
}
