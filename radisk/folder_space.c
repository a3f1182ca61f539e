/* folder_space.c - see folder.h and space.h: notes of roots, and roots that go.
 *
 * A row that goes here leaves no floor, unlike one that is purged: the same chunk may
 * come again, and is the same.
 */
#include "radisk/folder_soul.h"

#include <math.h>

enum { PASS = 4 }; /* rows that may go in one job, as a multiple of a transaction */

/* ---- the rows of a root ---- */

typedef struct leaving {
    const root_key *root;
    uint64_t left; /* rows that may still go in this job */
} leaving;

/* Floors are swept at their own time, and what is damaged stays for who looks for that. */
typedef enum rest { REST_NOTHING, REST_FLOORS, REST_ROWS } rest;

static rest remove_rows(writing *w, const folder_soul *t, leaving *l)
{
    uint64_t id = t->soul.id;
    rest stays = REST_NOTHING;
    MDB_val k, v;
    layout_entry e;
    layout_key at;
    bool more = soul_first_row(w, id, &k, &v);

    while (more && writing_ok(w)) {
        bool good = soul_entry(&t->soul, k, v, &e);
        if (good && e.kind != LAYOUT_FLOOR) {
            if (l->left == 0) return REST_ROWS;
            l->left--;
            w->news->rows++;
            soul_remove_row(w, t, &e, k, &at);
            writing_breathe(w);
            more = soul_row_from(w, id, &at, &k, &v);
            continue;
        }
        if (stays != REST_ROWS) stays = good ? REST_FLOORS : REST_ROWS;
        more = soul_next_row(w, id, &k, &v);
    }
    return stays;
}

/* As folder_expire.c leaves a soul. */
static void remove_soul(writing *w, folder_soul *t, void *context)
{
    leaving *l = context;

    if (l->left == 0 || !root_equal(&t->root, l->root)) return;
    rest stays = remove_rows(w, t, l);
    if (!writing_ok(w) || stays == REST_ROWS || t->kind == LAYOUT_FLOOR) return;
    if (stays == REST_FLOORS)
        soul_put_floor(w, t, -(double)INFINITY, w->folder->now_ms);
    else
        soul_remove(w, t);
    w->in_txn++;
    writing_breathe(w);
}

/* Whether it is gone. */
static bool remove_root(writing *w, const root_key *root, uint64_t *left)
{
    leaving l = { root, *left };
    char prefix[ROOT_PREFIX_MAX];
    root_record r;

    soul_each_with(w, (slice){ prefix, root_prefix(root, prefix) }, remove_soul, &l);
    roots_flush(w);
    *left = l.left;
    return !roots_get(w, root, &r) && writing_ok(w);
}

/* ---- notes ---- */

static void renew(writing *w, const space_note *n)
{
    root_record before, after;

    if (!roots_get(w, &n->root, &before)) return;
    after = before;
    if (after.seen_ms < n->when_ms) after.seen_ms = n->when_ms;
    if (after.uploader.len == 0) after.uploader = n->uploader;
    if (after.charged.len == 0) after.charged = after.uploader;
    roots_change(w, &n->root, &before, &after);
}

static void write_notes(writing *w, const space_work *work)
{
    for (size_t i = 0; i < work->notes_len && writing_ok(w); i++) {
        const space_note *n = &work->notes[i];
        uint64_t all = UINT64_MAX;

        if (n->discard)
            (void)remove_root(w, &n->root, &all);
        else
            renew(w, n);
        w->in_txn++;
        writing_breathe(w);
    }
}

/* The grace begins anew when a pin goes. */
static void pin(writing *w, space_work *work)
{
    slice key = root_slice(&work->pin), found;
    char value[ROOT_NUMBER_BYTES];

    if (work->pin.len == 0) return;
    work->pin_was = writing_get(w, w->disk->pins, key, &found);
    if (work->pin_was == work->pin_on) return;
    root_number_write(value, key, layout_state_number(w->folder->seen_ms));
    if (work->pin_on)
        writing_put(w, w->disk->pins, key, (slice){ value, sizeof value });
    else
        writing_remove(w, w->disk->pins, key);
    renew(w, &(space_note){ .root = work->pin, .when_ms = w->folder->seen_ms });
}

/* ---- looking ---- */

static bool may_go(writing *w, const space_work *work, const root_key *root, const root_record *r)
{
    return r->seen_ms < work->before_ms && roots_links(w, root) == 0 &&
           !roots_pinned(w, root, work);
}

/* Writes nothing, so what the cursor lends stays. */
static void look(writing *w, space_work *work)
{
    MDB_cursor *cursor;
    MDB_val k = disk_val(root_slice(&work->from)), v;
    bool first = work->from.len == 0;
    root_record r;

    work->found_len = 0;
    if (!writing_ok(w)) return;
    w->error = mdb_cursor_open(w->txn, w->disk->roots, &cursor);
    if (w->error != 0) return;
    int error = mdb_cursor_get(cursor, &k, &v, first ? MDB_FIRST : MDB_SET_RANGE);
    if (error == 0 && !first && slice_equal(disk_slice(k), root_slice(&work->from)))
        error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    for (size_t looked = 0; error == 0 && looked < PASS * w->folder->rows_max &&
                            work->found_len < SPACE_FOUND_MAX && writing_ok(w);
         looked++) {
        work->from.len = (uint8_t)(k.mv_size < ROOT_BYTES ? k.mv_size : ROOT_BYTES);
        memcpy(work->from.at, k.mv_data, work->from.len);
        if (root_record_read(&r, disk_slice(k), disk_slice(v)) == STATUS_OK &&
            may_go(w, work, &work->from, &r)) {
            work->is[work->found_len] = r;
            work->found[work->found_len++] = work->from;
        }
        error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    work->ended = error == MDB_NOTFOUND;
    if (error != 0 && error != MDB_NOTFOUND) w->error = error;
}

/* ---- removing ---- */

static void remove_found(writing *w, space_work *work)
{
    uint64_t left = PASS * (uint64_t)w->folder->rows_max;
    root_record before, after;

    work->bytes = 0;
    for (size_t i = 0; i < work->found_len && left > 0 && writing_ok(w); i++) {
        const root_key *root = &work->found[i];
        if (!roots_get(w, root, &before) || !may_go(w, work, root, &before)) continue;
        work->gone[i] = remove_root(w, root, &left);
        work->bytes += before.bytes - (roots_get(w, root, &after) ? after.bytes : 0);
    }
    work->more = left == 0;
}

void folder_space(const folder *f, space_work *work, folder_news *news)
{
    writing w;

    writing_begin(&w, f, news);
    write_notes(&w, work);
    pin(&w, work);
    if (work->look) look(&w, work);
    if (work->remove) remove_found(&w, work);
    writing_end(&w);
}
