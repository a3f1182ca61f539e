/* folder_write.c - see folder_inside.h. */
#include "radisk/folder_inside.h"

#include <errno.h>
#include <math.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- transactions ---- */

static void read_next_soul(writing *w)
{
    slice value;

    w->next_soul = 1; /* 0 stands for "not known" */
    if (!writing_get(w, w->disk->meta, SLICE(DISK_META_NEXT_SOUL), &value)) return;
    if (value.len != 8)
        w->error = MDB_CORRUPTED;
    else
        w->next_soul = layout_get64(value.at);
}

static void write_next_soul(writing *w)
{
    char number[8];

    if (!w->new_souls) return;
    layout_put64(number, w->next_soul);
    writing_put(w, w->disk->meta, SLICE(DISK_META_NEXT_SOUL), (slice){ number, sizeof number });
    w->new_souls = false;
}

static void read_hashed(writing *w)
{
    slice value;

    w->hashed = w->hashed_before = 0;
    if (!writing_get(w, w->disk->meta, SLICE(DISK_META_HASHED), &value)) return;
    if (value.len != 8)
        w->error = MDB_CORRUPTED;
    else
        w->hashed = w->hashed_before = layout_get64(value.at);
}

static void write_hashed(writing *w)
{
    char number[8];

    if (w->hashed == w->hashed_before) return;
    layout_put64(number, w->hashed);
    writing_put(w, w->disk->meta, SLICE(DISK_META_HASHED), (slice){ number, sizeof number });
}

static void begin(writing *w)
{
    w->in_txn = 0;
    w->root.len = 0;
    w->souls = w->rows = NULL;
    w->error = mdb_txn_begin(w->disk->env, NULL, 0, &w->txn);
    if (w->error != 0) w->txn = NULL;
    if (w->error == 0) w->error = mdb_cursor_open(w->txn, w->disk->souls, &w->souls);
    if (w->error == 0) w->error = mdb_cursor_open(w->txn, w->disk->rows, &w->rows);
    read_next_soul(w);
    read_hashed(w);
    if (writing_ok(w)) w->news->counted = true;
    if (writing_ok(w)) w->news->hashed_bytes = w->hashed;
}

static void give_up(writing *w)
{
    if (w->txn != NULL) mdb_txn_abort(w->txn); /* takes its cursors too */
    w->txn = NULL;
}

static void commit(writing *w)
{
    uint64_t began;

    roots_flush(w);
    write_next_soul(w);
    write_hashed(w);
    if (!writing_ok(w)) {
        give_up(w);
        return;
    }
    if (w->folder->courtesy != NULL) w->folder->courtesy(w->folder->courtesy_context);
    began = now_us();
    w->error = mdb_txn_commit(w->txn);
    w->txn = NULL;
    uint64_t took = now_us() - began;
    if (took > w->news->commit_us_max) w->news->commit_us_max = took;
    if (w->error != 0) return;
    w->news->transactions++;
    w->news->hashed_bytes = w->hashed;
}

void writing_begin(writing *w, const folder *f, folder_news *news)
{
    *news = (folder_news){ 0 };
    *w = (writing){ .folder = f, .disk = f->disk, .news = news, .began_us = now_us() };
    begin(w);
}

void writing_breathe(writing *w)
{
    if (!writing_ok(w) || w->in_txn < w->folder->rows_max) return;
    commit(w);
    if (writing_ok(w)) begin(w);
}

/* LMDB that could not write a meta page answers MDB_PANIC to every later begin,
 * reads included, until it was closed and opened again. The commit itself answers
 * the errno, so it is asked: else the next begin would count as a second failure. */
static bool panicked(const disk *d)
{
    MDB_txn *txn;
    int error = mdb_txn_begin(d->env, NULL, 0, &txn);

    if (error == 0) mdb_txn_abort(txn);
    return error == MDB_PANIC;
}

/* LMDB calls a short write EIO, and that is what a disk answers that runs full. */
static bool is_full(const writing *w)
{
    const files *f = w->folder->files;
    uint64_t bytes;

    if (f == NULL || f->room == NULL || f->room(f->context, &bytes) != STATUS_OK) return false;
    return bytes < 2 * (uint64_t)sysconf(_SC_PAGESIZE) * w->folder->rows_max;
}

void writing_end(writing *w)
{
    if (writing_ok(w))
        commit(w);
    else
        give_up(w);
    blob_reader_free(w->reader);
    text_free(&w->texts[0]);
    text_free(&w->texts[1]);
    w->news->how = w->error != 0 ? disk_status(w->error) : w->how;
    if (w->news->how == STATUS_NOT_FOUND) w->news->how = STATUS_CORRUPT;
    if (w->error == EIO && is_full(w)) w->news->how = STATUS_NO_SPACE;
    w->news->reopen = w->error != 0 && panicked(w->disk);
    w->news->took_us = now_us() - w->began_us;
}

/* What went may not have been counted: its row was damaged when it came. */
void writing_count_hashed(writing *w, int64_t bytes)
{
    uint64_t gone = bytes < 0 ? (uint64_t)-bytes : 0;

    w->hashed = gone > w->hashed ? 0 : w->hashed + (uint64_t)bytes;
}

/* ---- entries ---- */

bool writing_get(writing *w, MDB_dbi table, slice key, slice *out)
{
    MDB_val k = disk_val(key), v;

    if (!writing_ok(w)) return false;
    int error = mdb_get(w->txn, table, &k, &v);
    if (error == 0) *out = disk_slice(v);
    if (error != MDB_NOTFOUND) w->error = error;
    return error == 0;
}

void writing_put(writing *w, MDB_dbi table, slice key, slice value)
{
    MDB_val k = disk_val(key), v = disk_val(value);

    if (writing_ok(w)) w->error = mdb_put(w->txn, table, &k, &v, 0);
}

void writing_remove(writing *w, MDB_dbi table, slice key)
{
    MDB_val k = disk_val(key);

    if (!writing_ok(w)) return;
    int error = mdb_del(w->txn, table, &k, NULL);
    if (error != MDB_NOTFOUND) w->error = error;
}

void writing_put_entry(writing *w, MDB_dbi table, slice key, const layout_entry *e,
                       const layout_seal *seal)
{
    MDB_val k = disk_val(key), v = { layout_entry_bytes(e), NULL };

    if (!writing_ok(w)) return;
    w->error = mdb_put(w->txn, table, &k, &v, MDB_RESERVE);
    if (w->error == 0) layout_entry_write(v.mv_data, e, seal);
}

/* ---- souls ---- */

/* The number is the highest, so the row (id, "") and those after it append. */
uint64_t writing_number_soul(writing *w, const layout_key *key, slice name)
{
    layout_entry index = { .name = name, .number = w->next_soul };
    layout_entry proof = { .name = SLICE(""), .number = w->next_soul, .rest = name };
    layout_key row;
    layout_seal seal;
    MDB_val k, v = { layout_entry_bytes(&proof), NULL };

    writing_put_entry(w, w->disk->souls, layout_key_slice(key), &index, layout_index_seal());
    layout_row_key(&row, w->next_soul, SLICE(""));
    layout_seal_soul(&seal, name);
    k = disk_val(layout_key_slice(&row));
    if (writing_ok(w)) w->error = mdb_cursor_put(w->rows, &k, &v, MDB_APPEND | MDB_RESERVE);
    if (writing_ok(w)) layout_entry_write(v.mv_data, &proof, &seal);
    w->new_souls = true;
    return w->next_soul++;
}

/* A damaged index entry is as good as none: its soul gets another number, so that
 * what comes now is kept; the rows of the old one wait for a repair (their row
 * (id, "") names the soul). */
bool writing_find_soul(writing *w, slice name, disk_soul *out, layout_entry *entry)
{
    layout_key key;
    MDB_val k, v;
    double when_ms;

    if (!writing_ok(w)) return false;
    layout_soul_key(&key, name);
    k = disk_val(layout_key_slice(&key));
    int error = mdb_cursor_get(w->souls, &k, &v, MDB_SET);
    if (error == MDB_NOTFOUND) return false;
    w->error = error;
    if (error != 0) return false;
    if (layout_entry_read(entry, layout_key_slice(&key), disk_slice(v), layout_index_seal()) !=
            STATUS_OK ||
        !slice_equal(entry->name, name))
        return false;
    entry->name = name;
    *out = (disk_soul){ .id = entry->number, .floor = -(double)INFINITY };
    layout_seal_soul(&out->seal, name);
    return entry->kind != LAYOUT_FLOOR ||
           layout_floor_soul_read(entry->rest, &out->floor, &when_ms) == STATUS_OK;
}

/* ---- blobs ---- */

void writing_count_segment(writing *w, uint64_t number, int64_t bytes, int64_t dead)
{
    char name[8], value[LAYOUT_SEGMENT_BYTES];
    layout_segment counts = { .number = number };
    slice found, key = { name, sizeof name };

    layout_put64(name, number);
    if (writing_get(w, w->disk->segments, key, &found) &&
        layout_segment_read(&counts, key, found) != STATUS_OK)
        counts = (layout_segment){ .number = number }; /* counts only guide the collection */
    counts.bytes += (uint64_t)bytes;
    counts.dead += (uint64_t)dead;
    layout_segment_write(value, &counts);
    writing_put(w, w->disk->segments, key, (slice){ value, sizeof value });
}

static void put_blob(writing *w, const layout_blob *b)
{
    char value[LAYOUT_BLOB_BYTES];

    layout_blob_entry_write(value, b);
    writing_put(w, w->disk->blobs, (slice){ (const char *)b->ref.hash, BLOB_HASH },
                (slice){ value, sizeof value });
}

static bool get_blob(writing *w, const uint8_t *hash, layout_blob *out)
{
    slice name = { (const char *)hash, BLOB_HASH }, found;

    return writing_get(w, w->disk->blobs, name, &found) &&
           layout_blob_entry_read(out, name, found) == STATUS_OK;
}

static bool same_place(const blob_place *a, const blob_place *b)
{
    return a->segment == b->segment && a->offset == b->offset;
}

/* A second copy was written because the first could not be relied on at that moment. It
 * takes the place of the first, which is dead weight: so every row that names it finds
 * it known, and it is counted once. */
void writing_name_blob(writing *w, const generation_blob *blob)
{
    layout_blob b;
    int64_t weight = (int64_t)layout_blob_weight(&blob->place);
    bool known = get_blob(w, blob->ref.hash, &b);
    bool moves = known && !same_place(&b.place, &blob->place);

    if (!writing_ok(w)) return;
    if (!known) b = (layout_blob){ .ref = blob->ref };
    if (!known || moves) writing_count_segment(w, blob->place.segment, weight, 0);
    if (moves && b.refs > 0)
        writing_count_segment(w, b.place.segment, 0, (int64_t)layout_blob_weight(&b.place));
    if (known && !moves && b.refs == 0) writing_count_segment(w, b.place.segment, 0, -weight);
    b.place = blob->place;
    b.refs++;
    put_blob(w, &b);
}

void writing_unname_blob(writing *w, const blob_ref *ref)
{
    layout_blob b;

    if (!get_blob(w, ref->hash, &b) || b.refs == 0) return; /* damage: `brasa check` says so */
    if (--b.refs == 0)
        writing_count_segment(w, b.place.segment, 0, (int64_t)layout_blob_weight(&b.place));
    put_blob(w, &b);
}

status writing_blob_text(writing *w, const blob_ref *ref, const blob_place *known, int which,
                         slice *out)
{
    layout_blob b = { .ref = *ref };
    text stored = { 0 };
    status s = STATUS_OK;

    if (known != NULL)
        b.place = *known;
    else if (!get_blob(w, ref->hash, &b))
        s = STATUS_CORRUPT;
    if (s == STATUS_OK && w->reader == NULL) s = blob_reader_new(&w->reader, w->folder->files);
    if (s == STATUS_OK) s = blob_read(w->reader, ref, &b.place, &stored);
    text_reset(&w->texts[which], SIZE_MAX);
    if (s == STATUS_OK) s = blob_text(ref, text_slice(&stored), &w->texts[which]);
    text_free(&stored);
    *out = text_slice(&w->texts[which]);
    return s == STATUS_NOT_FOUND ? STATUS_CORRUPT : s;
}
