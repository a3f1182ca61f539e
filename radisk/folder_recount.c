/* folder_recount.c - see folder.h: what can be told from the rows, told anew.
 *
 * It may take several transactions. Only the last one writes the count, so a recount
 * that was cut off is one that was never begun.
 */
#include "radisk/folder_soul.h"
#include "radisk/hashed.h"

static uint64_t bytes_of(writing *w, const folder_soul *t)
{
    uint64_t bytes = 0;
    MDB_val k, v;
    layout_entry e;
    blob_ref ref;

    for (bool more = soul_first_row(w, t->soul.id, &k, &v); more;
         more = soul_next_row(w, t->soul.id, &k, &v)) {
        if (!soul_entry(&t->soul, k, v, &e) || e.kind == LAYOUT_FLOOR) continue;
        bool is_blob = e.kind == LAYOUT_BLOB && layout_blob_read(&ref, e.rest) == STATUS_OK;
        bytes += hashed_bytes(e.rest, is_blob ? &ref : NULL);
    }
    return bytes;
}

/* The time of a soul that was not noted is not known: it is looked at soon. */
static void count_soul(writing *w, folder_soul *t, void *context)
{
    uint64_t *bytes = context;

    if (t->hashed) *bytes += bytes_of(w, t);
    if (t->life_ms <= 0 || !soul_has_rows(w, t->soul.id) || expiry_noted(w, t->soul.id)) return;
    expiry_note(w, t->soul.id, 0);
    w->in_txn++;
    writing_breathe(w);
}

static uint64_t held_bytes(writing *w)
{
    uint64_t bytes = 0;
    MDB_cursor *cursor;
    MDB_val k, v;
    layout_held h;

    if (!writing_ok(w)) return 0;
    w->error = mdb_cursor_open(w->txn, w->disk->held, &cursor);
    if (w->error != 0) return 0;
    int error = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    for (; error == 0; error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT))
        if (layout_held_read(&h, disk_slice(k), disk_slice(v)) == STATUS_OK && hashed_soul(h.soul))
            bytes += hashed_bytes(h.value, h.is_blob ? &h.blob : NULL);
    mdb_cursor_close(cursor);
    if (error != MDB_NOTFOUND) w->error = error;
    return bytes;
}

void folder_recount(const folder *f, folder_news *news)
{
    uint64_t bytes = 0;
    writing w;

    writing_begin(&w, f, news);
    soul_each_with(&w, SLICE(""), count_soul, &bytes);
    bytes += held_bytes(&w);
    w.hashed = bytes;
    w.hashed_before = ~bytes; /* it is written, whatever was there */
    writing_end(&w);
}
