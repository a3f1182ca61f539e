/* folder_expire.c - see folder.h: what has expired leaves the database.
 *
 * Of each soul with rows that expire there is one time at which it is looked at: no
 * later than its oldest row expires, at first. A look walks over all of its rows, so
 * the next one is never sooner than an eighth of the soul's life after it: a soul that
 * is written without end costs eight looks in the life of a row, and its rows stay on
 * disk for an eighth of that longer than they must, unread.
 *
 *     noted by a fold ---- due ----> looked at ---- rows live ----> noted anew
 *                                      |  ^                \---- none: forgotten
 *                          pass is full|  |next pass
 *                                      v  |
 *                                    begun: where it goes on, and what lives so far
 *
 * A row that is folded behind a look that is begun is not met by it, so its time is
 * noted with what that look has met.
 */
#include "core/policy.h"
#include "radisk/folder_soul.h"

#include <math.h>

enum {
    LOOKS = 4, /* rows are looked at in a pass, for each that may be removed */
    LOOKS_A_LIFE = 8,
    SOONEST_MS = 1000,       /* after a look: a pass is a synced transaction */
    LATEST_MS = 3600 * 1000, /* after a row has expired */
};

/* ---- what is noted ---- */

static bool get(writing *w, uint64_t id, layout_expiry *out)
{
    char key[LAYOUT_EXPIRY_SOUL];
    slice found;

    layout_expiry_soul(key, id);
    return writing_get(w, w->disk->expiries, (slice){ key, sizeof key }, &found) &&
           layout_expiry_read(out, found) == STATUS_OK;
}

static void put(writing *w, uint64_t id, const layout_expiry *e)
{
    char key[LAYOUT_EXPIRY_SOUL], value[LAYOUT_EXPIRY_MAX];
    size_t len = layout_expiry_write(value, e);

    layout_expiry_soul(key, id);
    writing_put(w, w->disk->expiries, (slice){ key, sizeof key }, (slice){ value, len });
}

static void put_due(writing *w, uint64_t id, double due)
{
    char key[LAYOUT_EXPIRY_DUE];

    layout_expiry_due(key, due, id);
    writing_put(w, w->disk->expiries, (slice){ key, sizeof key }, SLICE(""));
}

static void remove_due(writing *w, uint64_t id, double due)
{
    char key[LAYOUT_EXPIRY_DUE];

    layout_expiry_due(key, due, id);
    writing_remove(w, w->disk->expiries, (slice){ key, sizeof key });
}

void expiry_note(writing *w, uint64_t id, double due)
{
    char resume[LAYOUT_KEY_MAX];
    layout_expiry e = { .due = (double)INFINITY, .next = (double)INFINITY };
    bool known = get(w, id, &e);
    bool begun = known && e.resume.len > 0 && e.resume.len <= sizeof resume;

    if (known && e.due <= due && !(begun && due < e.next)) return;
    if (begun) memcpy(resume, e.resume.at, e.resume.len);
    e.resume.at = resume;
    if (begun && due < e.next) e.next = due;
    if (due < e.due) {
        if (known) remove_due(w, id, e.due);
        put_due(w, id, due);
        e.due = due;
    }
    put(w, id, &e);
}

bool expiry_noted(writing *w, uint64_t id)
{
    char key[LAYOUT_EXPIRY_DUE];
    layout_expiry e;
    slice found;

    if (!get(w, id, &e)) return false;
    layout_expiry_due(key, e.due, id);
    return writing_get(w, w->disk->expiries, (slice){ key, sizeof key }, &found);
}

void expiry_forget(writing *w, uint64_t id)
{
    char key[LAYOUT_EXPIRY_SOUL];
    layout_expiry e;

    if (get(w, id, &e)) remove_due(w, id, e.due);
    layout_expiry_soul(key, id);
    writing_remove(w, w->disk->expiries, (slice){ key, sizeof key });
}

/* ---- a look ---- */

typedef struct looking {
    uint64_t id;
    double due;
    folder_soul soul;
    layout_key at; /* where it goes on; of length 0: at the first row */
    double next;   /* when the first of the rows met so far expires */
    size_t left;   /* rows that this pass may still look at */
} looking;

static bool has_room(const writing *w, const looking *l)
{
    return l->left > 0 && w->in_txn < w->folder->rows_max;
}

/* The soul that is due first, if one is. */
static bool first_due(writing *w, looking *l)
{
    MDB_cursor *cursor;
    MDB_val k, v;

    if (!writing_ok(w)) return false;
    w->error = mdb_cursor_open(w->txn, w->disk->expiries, &cursor);
    if (w->error != 0) return false;
    int error = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    bool there = error == 0 && layout_expiry_due_read(disk_slice(k), &l->due, &l->id) == STATUS_OK;
    mdb_cursor_close(cursor);
    if (error != 0 && error != MDB_NOTFOUND) w->error = error;
    return there && l->due < w->folder->now_ms;
}

static void keep_key(looking *l, MDB_val k)
{
    l->at.len = k.mv_size;
    memcpy(l->at.at, k.mv_data, k.mv_size);
}

/* What a pass before this one has left. */
static void take_up(writing *w, looking *l)
{
    layout_expiry e;

    l->at.len = 0;
    l->next = (double)INFINITY;
    if (!get(w, l->id, &e) || e.resume.len == 0 || e.resume.len > sizeof l->at.at) return;
    l->next = e.next;
    keep_key(l, disk_val(e.resume));
}

static bool is_over(const writing *w, const looking *l, const layout_entry *e)
{
    return policy_expired(l->soul.life_ms, layout_number_state(e->number), w->folder->now_ms);
}

/* Whether it came to the end of the rows. Floors are swept at their own time; what is
 * damaged stays for who looks for that. */
static bool look_at_rows(writing *w, looking *l)
{
    uint64_t id = l->id;
    MDB_val k, v;
    layout_entry e;
    bool more =
        l->at.len > 0 ? soul_row_from(w, id, &l->at, &k, &v) : soul_first_row(w, id, &k, &v);

    while (more && writing_ok(w)) {
        if (!has_room(w, l)) {
            keep_key(l, k);
            return false;
        }
        l->left--;
        bool lives = soul_entry(&l->soul.soul, k, v, &e) && e.kind != LAYOUT_FLOOR;
        if (lives && is_over(w, l, &e)) {
            w->news->expired++;
            soul_remove_row(w, &l->soul, &e, k, &l->at);
            more = soul_row_from(w, id, &l->at, &k, &v);
            continue;
        }
        double due = layout_number_state(e.number) + l->soul.life_ms;
        if (lives && due < l->next) l->next = due;
        more = soul_next_row(w, id, &k, &v);
    }
    return true;
}

static double not_before(const writing *w, double life_ms)
{
    double pause = life_ms / LOOKS_A_LIFE;

    if (pause < SOONEST_MS) pause = SOONEST_MS;
    if (pause > LATEST_MS) pause = LATEST_MS;
    return w->folder->now_ms + pause;
}

/* A soul of which only floors of rows are left is not listed any more; they keep its
 * number. */
static void leave_soul(writing *w, looking *l)
{
    folder_soul *t = &l->soul;
    double soonest = not_before(w, t->life_ms);

    expiry_forget(w, l->id);
    if (!isinf(l->next))
        expiry_note(w, l->id, l->next > soonest ? l->next : soonest);
    else if (t->kind != LAYOUT_FLOOR && soul_has_rows(w, l->id))
        soul_put_floor(w, t, -(double)INFINITY, w->folder->now_ms);
    else if (t->kind != LAYOUT_FLOOR)
        soul_remove(w, t);
}

/* A soul may have gone, or been damaged, since it was noted. */
static bool find_soul(writing *w, looking *l)
{
    text name = { 0 };
    bool named = soul_name(w, l->id, &name);

    if (named) soul_find(w, text_slice(&name), &l->soul);
    text_free(&name);
    return named && l->soul.there && l->soul.soul.id == l->id && l->soul.life_ms > 0;
}

static void look_at_soul(writing *w, looking *l)
{
    layout_expiry e;
    bool meant = get(w, l->id, &e) && e.due == l->due;

    l->left--;
    if (!meant) {
        remove_due(w, l->id, l->due);
    } else if (!find_soul(w, l)) {
        expiry_forget(w, l->id);
    } else {
        take_up(w, l);
        if (look_at_rows(w, l))
            leave_soul(w, l);
        else
            put(w, l->id, &(layout_expiry){ l->due, l->next, layout_key_slice(&l->at) });
    }
    w->in_txn++;
}

void folder_expire(const folder *f, folder_news *news)
{
    looking l = { .left = LOOKS * f->rows_max };
    writing w;
    bool due;

    writing_begin(&w, f, news);
    while ((due = first_due(&w, &l)) && has_room(&w, &l)) look_at_soul(&w, &l);
    news->more = due;
    writing_end(&w);
    text_free(&l.soul.name);
}
