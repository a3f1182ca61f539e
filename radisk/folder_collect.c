/* folder_collect.c - see folder.h: the living of a blob segment, moved. */
#include "radisk/folder_inside.h"

#include <stdlib.h>

typedef struct moved {
    layout_blob before;
    blob_place after;
    bool lives;
} moved;

typedef struct moving {
    moved *at;
    size_t len, room;
    blob_segment to;
    bool made;
} moving;

static status note(moving *m, const layout_blob *b)
{
    if (m->len == m->room) {
        size_t room = m->room == 0 ? 256 : m->room * 2;
        moved *more = realloc(m->at, room * sizeof *more);
        if (more == NULL) return STATUS_NO_MEMORY;
        m->at = more;
        m->room = room;
    }
    m->at[m->len++] = (moved){ .before = *b, .lives = b->refs > 0 };
    return STATUS_OK;
}

/* Every entry that stands in the segment. */
static void find(writing *w, uint64_t from, moving *m)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    layout_blob b;

    if (!writing_ok(w)) return;
    w->error = mdb_cursor_open(w->txn, w->disk->blobs, &cursor);
    if (w->error != 0) return;
    int error = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    for (; error == 0 && w->how == STATUS_OK; error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT))
        if (layout_blob_entry_read(&b, disk_slice(k), disk_slice(v)) == STATUS_OK &&
            b.place.segment == from)
            w->how = note(m, &b);
    mdb_cursor_close(cursor);
    if (error != 0 && error != MDB_NOTFOUND) w->error = error;
}

/* A blob that cannot be read any more stays where it was, which is soon nowhere:
 * the rows that name it answer an error, and nothing else does. */
static status copy_one(const folder *f, blob_reader *reader, uint64_t number, moving *m, moved *one,
                       text *bytes)
{
    status s = blob_read(reader, &one->before.ref, &one->before.place, bytes);

    if (s == STATUS_CORRUPT || s == STATUS_NOT_FOUND) {
        one->after = one->before.place;
        return STATUS_OK;
    }
    if (s == STATUS_OK && !m->made) {
        s = blob_make(f->files, number, &m->to);
        m->made = s == STATUS_OK;
    }
    if (s == STATUS_OK)
        s = blob_append(f->files, &m->to, &one->before.ref, text_slice(bytes), &one->after);
    return s;
}

static status copy_all(const folder *f, uint64_t number, moving *m)
{
    blob_reader *reader = NULL;
    text bytes = { 0 };
    status s = blob_reader_new(&reader, f->files);

    for (size_t i = 0; i < m->len && s == STATUS_OK; i++)
        if (m->at[i].lives) s = copy_one(f, reader, number, m, &m->at[i], &bytes);
    if (s == STATUS_OK && m->made) s = blob_sync(f->files, &m->to);
    if (m->made) blob_close(f->files, &m->to);
    blob_reader_free(reader);
    text_free(&bytes);
    return s;
}

static void move_one(writing *w, const moved *one)
{
    char value[LAYOUT_BLOB_BYTES];
    slice name = { (const char *)one->before.ref.hash, BLOB_HASH };
    layout_blob b = one->before;
    int64_t weight = (int64_t)layout_blob_weight(&b.place);

    if (!one->lives) {
        writing_remove(w, w->disk->blobs, name);
    } else if (one->after.segment != b.place.segment) {
        b.place = one->after;
        layout_blob_entry_write(value, &b);
        writing_put(w, w->disk->blobs, name, (slice){ value, sizeof value });
        writing_count_segment(w, b.place.segment, weight, 0);
    }
    w->in_txn++;
    writing_breathe(w);
}

/* Looked at in a transaction that writes nothing; copied without one; moved in as
 * many as it takes: an entry that was moved is as good as one that was not. */
void folder_collect(const folder *f, uint64_t from, uint64_t to, folder_news *news)
{
    char number[8];
    moving m = { .made = false };
    writing w;

    writing_begin(&w, f, news);
    find(&w, from, &m);
    writing_end(&w);
    if (news->how == STATUS_OK) news->how = copy_all(f, to, &m);
    if (news->how == STATUS_OK) {
        writing_begin(&w, f, news);
        for (size_t i = 0; i < m.len; i++) move_one(&w, &m.at[i]);
        layout_put64(number, from);
        writing_remove(&w, w.disk->segments, (slice){ number, sizeof number });
        writing_end(&w);
        news->rows = m.len;
    }
    free(m.at);
}
