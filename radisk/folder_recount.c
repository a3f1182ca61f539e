/* folder_recount.c - see folder.h: what can be told from the rows, told anew.
 *
 * It may take several transactions. Only the last one writes the count, so a recount
 * that was cut off is one that was never begun.
 */
#include "radisk/folder_soul.h"
#include "radisk/hashed.h"

/* What a row names is counted in other tables, where the transaction may end: the rows
 * are looked for again behind it. */
static void count_names(writing *w, const folder_soul *t, const layout_entry *e, layout_key *at,
                        MDB_val *k)
{
    at->len = k->mv_size;
    memcpy(at->at, k->mv_data, k->mv_size);
    roots_name(w, text_slice(&t->name), e->name, e->rest, +1);
    w->in_txn++;
    writing_breathe(w);
}

static bool names_any(const folder_soul *t, const layout_entry *e)
{
    root_names names;

    return e->kind == LAYOUT_TEXT &&
           root_names_of(text_slice(&t->name), e->name, e->rest, &names) > 0;
}

static uint64_t count_rows(writing *w, const folder_soul *t)
{
    uint64_t id = t->soul.id, bytes = 0, rows = 0;
    MDB_val k, v;
    layout_entry e;
    layout_key at;
    blob_ref ref;
    bool more = soul_first_row(w, id, &k, &v);

    while (more && writing_ok(w)) {
        bool good = soul_entry(&t->soul, k, v, &e) && e.kind != LAYOUT_FLOOR;
        bool is_blob = good && e.kind == LAYOUT_BLOB && layout_blob_read(&ref, e.rest) == STATUS_OK;
        if (good) bytes += hashed_bytes(e.rest, is_blob ? &ref : NULL);
        if (good) rows++;
        if (good && names_any(t, &e)) {
            count_names(w, t, &e, &at, &k);
            more = soul_row_from(w, id, &at, &k, &v);
            if (!more) break;
        }
        more = soul_next_row(w, id, &k, &v);
    }
    if (t->root.len > 0 && rows > 0) roots_count(w, &t->root, (int64_t)rows, (int64_t)bytes);
    return t->hashed ? bytes : 0;
}

/* The time of a soul that was not noted is not known: it is looked at soon. */
static void count_soul(writing *w, folder_soul *t, void *context)
{
    uint64_t *bytes = context;

    *bytes += count_rows(w, t);
    if (t->life_ms <= 0 || !soul_has_rows(w, t->soul.id) || expiry_noted(w, t->soul.id)) return;
    expiry_note(w, t->soul.id, 0);
    w->in_txn++;
    writing_breathe(w);
}

static uint64_t count_held(writing *w)
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
        if (layout_held_read(&h, disk_slice(k), disk_slice(v)) == STATUS_OK) {
            if (hashed_soul(h.soul)) bytes += hashed_bytes(h.value, h.is_blob ? &h.blob : NULL);
            if (!h.is_blob) roots_name(w, h.soul, h.key, h.value, +1);
        }
    mdb_cursor_close(cursor);
    if (error != MDB_NOTFOUND) w->error = error;
    return bytes;
}

static uint64_t folded_through(writing *w)
{
    slice found;

    return writing_get(w, w->disk->meta, SLICE(DISK_META_FOLDED), &found) && found.len == 8
               ? layout_get64(found.at)
               : 0;
}

void folder_recount(const folder *f, folder_news *news)
{
    uint64_t bytes = 0;
    writing w;

    writing_begin(&w, f, news);
    w.recounting = true;
    roots_forget(&w);
    soul_each_with(&w, SLICE(""), count_soul, &bytes);
    bytes += count_held(&w);
    roots_sweep(&w);
    roots_note_through(&w, folded_through(&w));
    w.hashed = bytes;
    w.hashed_before = ~bytes; /* it is written, whatever was there */
    writing_end(&w);
}
