/* chores.c - see chores.h. */
#include "server/chores.h"

#include "server/line_root.h"
#include "server/lines.h"

#include <inttypes.h>
#include <stdio.h>

enum { SAY_BYTES = 64 * 1024, ASK_ROWS = 1024 };

typedef struct chore {
    const wish *wish;
    const hearer *to;
    text out;
    text soul; /* of the row before, for --souls */
    bool has_soul;
    bool deaf; /* the hearer went */
    uint64_t lines, damaged, rows;
} chore;

/* Whether to go on. */
static bool say(chore *c, size_t when_bytes)
{
    if (c->out.len < when_bytes || c->deaf) return !c->deaf;
    if (!text_ok(&c->out) || !c->to->hear(c->to->context, text_slice(&c->out))) c->deaf = true;
    text_reset(&c->out, 4 * (size_t)SAY_BYTES);
    return !c->deaf;
}

static bool said_line(chore *c)
{
    c->lines++;
    return say(c, SAY_BYTES) && (c->wish->limit == 0 || c->lines < c->wish->limit);
}

/* Rows that say nothing cost time, too. */
static bool still_wanted(chore *c)
{
    if (++c->rows % ASK_ROWS == 0 && c->to->wanted != NULL && !c->to->wanted(c->to->context))
        c->deaf = true;
    return !c->deaf;
}

static bool list_row(void *context, const view_row *row)
{
    chore *c = context;

    if (row->damaged) {
        c->damaged++;
        return true;
    }
    line_row(&c->out, row);
    return said_line(c);
}

static bool list_soul(void *context, const view_row *row)
{
    chore *c = context;

    c->damaged += row->damaged;
    if (!still_wanted(c)) return false;
    if (row->held || row->damaged) return true; /* not readable, so not listed */
    if (c->has_soul && slice_equal(text_slice(&c->soul), row->soul)) return true;
    text_reset(&c->soul, SAY_BYTES);
    text_add(&c->soul, row->soul);
    c->has_soul = text_ok(&c->soul);
    line_soul(&c->out, row->soul);
    return said_line(c);
}

/* The soul itself is the first that begins with it. */
static bool list_own(void *context, const view_row *row)
{
    chore *c = context;

    if (row->held || !slice_equal(row->soul, c->wish->soul)) return false;
    return list_row(c, row);
}

static bool list_floor(void *context, const view_floor *floor)
{
    chore *c = context;

    if (!slice_begins(floor->soul, c->wish->prefix)) return true;
    line_floor(&c->out, floor);
    return say(c, SAY_BYTES);
}

static void end_list(chore *c, status s)
{
    if (c->deaf) return;
    if (s != STATUS_OK)
        line_error(&c->out, "the store cannot be read: %s", status_text(s));
    else if (c->wish->kind == WISH_GET && c->lines + c->damaged == 0)
        line_error(&c->out, "not found");
    else
        line_done(&c->out, ",\"lines\":%" PRIu64 ",\"damaged\":%" PRIu64, c->lines, c->damaged);
}

static void list(chore *c, radisk_view *v)
{
    const wish *w = c->wish;
    slice from = w->kind == WISH_GET ? w->soul : w->prefix;
    view_visit *visit = w->kind == WISH_GET ? list_own : w->souls ? list_soul : list_row;
    status s = STATUS_OK;

    /* Floors first: who imports the lines sets them before there is anything. */
    if (w->kind == WISH_EXPORT) s = view_floors(v, list_floor, c);
    if (s == STATUS_OK && !c->deaf) s = view_rows(v, from, visit, c);
    end_list(c, s);
}

/* ---- backup ---- */

static status take(void *context, slice bytes)
{
    char head[40];
    chore *c = context;
    int len = snprintf(head, sizeof head, "{\"bytes\":%zu}\n", bytes.len);

    text_add(&c->out, (slice){ head, (size_t)len });
    text_add(&c->out, bytes);
    if (!text_ok(&c->out)) return STATUS_NO_MEMORY;
    return say(c, SAY_BYTES) ? STATUS_OK : STATUS_BUSY;
}

static void back_up(chore *c, radisk_view *v, double now_ms)
{
    backup_counts counts;
    backup_wish how = { .take = take, .take_context = c, .now_ms = now_ms };
    status s = backup_write(v, &how, &counts);

    if (s == STATUS_OK)
        line_backed_up(&c->out, &counts);
    else
        line_error(&c->out, "the store cannot be read: %s", status_text(s));
}

/* ---- audio ---- */

typedef struct audio_list {
    chore *chore;
    radisk_view *view;
    double now_ms;
    status how;
} audio_list;

static bool list_root(void *context, const view_root *root)
{
    audio_list *l = context;

    if (!still_wanted(l->chore)) return false;
    l->how = line_root(&l->chore->out, l->view, root, l->now_ms);
    return l->how == STATUS_OK && said_line(l->chore);
}

static void list_audio(chore *c, radisk_view *v, double now_ms)
{
    audio_list l = { c, v, now_ms, STATUS_OK };
    status s = view_roots(v, list_root, &l);

    end_list(c, s == STATUS_OK ? l.how : s);
}

void chore_run(const wish *w, radisk_view *v, double now_ms, const hearer *to)
{
    chore c = { .wish = w, .to = to };

    if (w->kind == WISH_BACKUP)
        back_up(&c, v, now_ms);
    else if (w->kind == WISH_AUDIO_LS)
        list_audio(&c, v, now_ms);
    else
        list(&c, v);
    (void)say(&c, 0);
    text_free(&c.out);
    text_free(&c.soul);
}
