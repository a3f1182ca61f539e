/* folder.c - see folder.h: the fold. */
#include "radisk/folder_inside.h"
#include "radisk/hashed.h"

#include <math.h>
#include <stdlib.h>

/* ---- judging ---- */

/* How the row's value and the one on disk are ordered at an equal state. What
 * cannot be read loses. */
static ham_verdict judge_tie(writing *w, const generation_row *row, const disk_row *ours)
{
    const generation_blob *blob = row->value.blob;
    slice held = ours->text, incoming = row->value.text;
    status s = STATUS_OK;

    if (blob != NULL && ours->kind == LAYOUT_BLOB &&
        memcmp(blob->ref.hash, ours->blob.hash, BLOB_HASH) == 0)
        return HAM_SAME;
    if (ours->kind == LAYOUT_BLOB) s = writing_blob_text(w, &ours->blob, NULL, 0, &held);
    if (s == STATUS_CORRUPT) return HAM_TAKE;
    if (s == STATUS_OK && blob != NULL)
        s = writing_blob_text(w, &blob->ref, &blob->place, 1, &incoming);
    if (s == STATUS_CORRUPT) return HAM_KEEP;
    if (s != STATUS_OK) {
        w->how = s;
        return HAM_KEEP;
    }
    return ham_judge(&(ham_write){ ours->state, held }, &(ham_write){ row->state, incoming },
                     (double)INFINITY);
}

static ham_verdict judge(writing *w, const generation_row *row, const disk_row *ours)
{
    if (ours->kind == LAYOUT_FLOOR) return row->state > ours->state ? HAM_TAKE : HAM_KEEP;
    if (row->state != ours->state) return row->state > ours->state ? HAM_TAKE : HAM_KEEP;
    return judge_tie(w, row, ours);
}

/* The row on disk; false when there is none, or it is damaged and loses. */
static bool find_row(writing *w, const layout_key *key, const generation_row *row,
                     const disk_soul *soul, disk_row *out)
{
    MDB_val k = disk_val(layout_key_slice(key)), v;
    slice stored = { key->at + LAYOUT_ID, key->len - LAYOUT_ID };
    layout_entry e;

    int error = mdb_cursor_get(w->rows, &k, &v, MDB_SET);
    if (error == MDB_NOTFOUND) return false;
    w->error = error;
    if (error != 0 || layout_entry_read(&e, stored, disk_slice(v), &soul->seal) != STATUS_OK)
        return false;
    return slice_equal(e.name, row->key) && disk_row_of(&e, out) == STATUS_OK;
}

/* ---- rows ---- */

/* Rows of a new soul go to the end of the table, which packs its pages full;
 * but long names that share their beginning come in another order than that of
 * their stored forms. */
static unsigned append_flag(bool fresh, slice key)
{
    return fresh && key.len <= LAYOUT_WHOLE_MAX ? MDB_APPEND : 0;
}

static void write_row(writing *w, const layout_key *key, const generation_row *row,
                      const disk_soul *soul, unsigned flags)
{
    char ref[LAYOUT_BLOB_REF];
    const generation_blob *blob = row->value.blob;
    layout_entry e = { .name = row->key,
                       .number = layout_state_number(row->state),
                       .kind = blob != NULL ? LAYOUT_BLOB : LAYOUT_TEXT,
                       .rest = row->value.text };

    if (blob != NULL) {
        layout_blob_write(ref, &blob->ref);
        e.rest = (slice){ ref, sizeof ref };
    }
    MDB_val k = disk_val(layout_key_slice(key)), v = { layout_entry_bytes(&e), NULL };
    if (!writing_ok(w)) return;
    w->error = mdb_cursor_put(w->rows, &k, &v, flags | MDB_RESERVE);
    if (w->error != 0) return;
    layout_entry_write(v.mv_data, &e, &soul->seal);
    if (blob != NULL) writing_name_blob(w, blob);
    w->news->written++;
}

/* Where the rows of a soul go. */
typedef struct fold_place {
    slice name;
    disk_soul soul;
    double life_ms; /* of its rows; 0: for ever */
    bool hashed;    /* its keys are content hashes */
    bool fresh;     /* it has no rows in LMDB */
    root_key root;  /* it is of; len 0: of none */
} fold_place;

/* What was on disk goes, or is written over. */
static void give_up(writing *w, const fold_place *at, slice key, const disk_row *ours)
{
    bool is_blob = ours->kind == LAYOUT_BLOB;
    int64_t bytes = (int64_t)hashed_bytes(ours->text, is_blob ? &ours->blob : NULL);

    if (ours->kind == LAYOUT_FLOOR) return;
    if (!is_blob) roots_name(w, at->name, key, ours->text, -1);
    if (at->root.len > 0) roots_count(w, &at->root, -1, -bytes);
    if (at->hashed) writing_count_hashed(w, -bytes);
    if (is_blob) writing_unname_blob(w, &ours->blob);
}

static void take_in(writing *w, const fold_place *at, const generation_row *row)
{
    int64_t bytes = (int64_t)generation_value_bytes(&row->value);

    if (row->value.blob == NULL) roots_name(w, at->name, row->key, row->value.text, +1);
    if (at->root.len > 0) roots_count(w, &at->root, +1, bytes);
    if (at->hashed) writing_count_hashed(w, bytes);
}

static void write_over(writing *w, const fold_place *at, const generation_row *row)
{
    layout_key key;
    disk_row ours;

    layout_row_key(&key, at->soul.id, row->key);
    if (!at->fresh && find_row(w, &key, row, &at->soul, &ours)) {
        if (judge(w, row, &ours) != HAM_TAKE || !writing_ok(w)) return;
        give_up(w, at, row->key, &ours);
    }
    write_row(w, &key, row, &at->soul, append_flag(at->fresh, row->key));
    take_in(w, at, row);
    w->in_txn++;
}

/* A row that has expired is not written, and what it wins over goes. Its blob was
 * named by nobody, and is dead weight that must be counted to be collected. */
static void leave_out(writing *w, const fold_place *at, const generation_row *row)
{
    layout_key key;
    disk_row ours;

    w->news->expired++;
    if (row->value.blob != NULL) {
        writing_name_blob(w, row->value.blob);
        writing_unname_blob(w, &row->value.blob->ref);
        w->in_txn++;
    }
    layout_row_key(&key, at->soul.id, row->key);
    if (at->fresh || !find_row(w, &key, row, &at->soul, &ours)) return;
    if (ours.kind == LAYOUT_FLOOR || judge(w, row, &ours) == HAM_KEEP || !writing_ok(w)) return;
    give_up(w, at, row->key, &ours);
    writing_remove(w, w->disk->rows, layout_key_slice(&key));
    w->in_txn++;
}

static void fold_row(writing *w, const fold_place *at, const generation_row *row)
{
    w->news->rows++;
    if (at->root.len > 0) roots_met(w, &at->root);
    if (row->state <= at->soul.floor) return;
    if (policy_expired(at->life_ms, row->state, w->folder->now_ms))
        leave_out(w, at, row);
    else
        write_over(w, at, row);
}

/* ---- souls ---- */

/* The highest floor of the prefixes a soul has: few, and mostly none. */
static double prefix_floor_of(writing *w, slice soul)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    layout_entry e;
    double highest = -(double)INFINITY;

    if (!writing_ok(w)) return highest;
    w->error = mdb_cursor_open(w->txn, w->disk->floors, &cursor);
    if (w->error != 0) return highest;
    int error = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    for (; error == 0; error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
        if (layout_entry_read(&e, disk_slice(k), disk_slice(v), layout_index_seal()) != STATUS_OK)
            continue;
        double floor = layout_number_state(e.number);
        if (floor > highest && slice_begins(soul, e.name)) highest = floor;
    }
    if (error != MDB_NOTFOUND) w->error = error;
    mdb_cursor_close(cursor);
    return highest;
}

/* The oldest state among the rows that have not expired; INFINITY when all have. */
static double oldest_living(const writing *w, const generation_soul *soul, double life_ms)
{
    double oldest = (double)INFINITY;

    for (const rung *r = ladder_first(&soul->rows); r != NULL; r = r->after[0]) {
        const generation_row *row = r->item;
        if (row->state < oldest && !policy_expired(life_ms, row->state, w->folder->now_ms))
            oldest = row->state;
    }
    return oldest;
}

static void number_soul(writing *w, slice name, disk_soul *out)
{
    layout_key key;

    layout_soul_key(&key, name);
    *out = (disk_soul){ .id = writing_number_soul(w, &key, name), .floor = -(double)INFINITY };
    layout_seal_soul(&out->seal, name);
}

/* Where a soul's rows go; `lives`: some of them will be written. What was merged was
 * judged against every floor; what was replayed was not. */
static bool place_soul(writing *w, const generation *g, const generation_soul *soul, bool lives,
                       fold_place *out)
{
    layout_entry e;
    double floor = g->replayed ? prefix_floor_of(w, soul->name) : -(double)INFINITY;

    out->soul = (disk_soul){ .id = soul->id, .floor = -(double)INFINITY };
    if (soul->id != 0) {
        layout_seal_soul(&out->soul.seal, soul->name);
    } else if (!writing_find_soul(w, soul->name, &out->soul, &e)) {
        if (!writing_ok(w)) return false;
        out->fresh = true;
        if (lives) number_soul(w, soul->name, &out->soul);
    }
    if (floor > out->soul.floor) out->soul.floor = floor;
    return writing_ok(w);
}

/* When a row expires is noted before it is written, in the same transaction: a fold that
 * is cut off leaves no row without. */
static void fold_soul(writing *w, const generation *g, const generation_soul *soul)
{
    fold_place at = { .name = soul->name,
                      .life_ms = policy_life_ms(soul->name),
                      .hashed = soul->hashed };
    double oldest = at.life_ms > 0 ? oldest_living(w, soul, at.life_ms) : 0;

    if (!at.hashed || !root_of_soul(soul->name, &at.root)) at.root.len = 0;
    if (soul->rows.count == 0 || !place_soul(w, g, soul, !isinf(oldest), &at)) return;
    if (at.life_ms > 0 && !isinf(oldest)) expiry_note(w, at.soul.id, oldest + at.life_ms);
    for (rung *r = ladder_first(&soul->rows); r != NULL && writing_ok(w); r = r->after[0]) {
        fold_row(w, &at, r->item);
        writing_breathe(w);
    }
}

/* ---- held writes ---- */

static void release(writing *w, slice key)
{
    layout_held h;
    slice found;

    if (!writing_get(w, w->disk->held, key, &found)) return;
    if (layout_held_read(&h, key, found) == STATUS_OK) {
        if (hashed_soul(h.soul))
            writing_count_hashed(w, -(int64_t)hashed_bytes(h.value, h.is_blob ? &h.blob : NULL));
        if (h.is_blob)
            writing_unname_blob(w, &h.blob);
        else
            roots_name(w, h.soul, h.key, h.value, -1);
    }
    writing_remove(w, w->disk->held, key);
    w->in_txn++;
}

static void hold(writing *w, slice key, const generation_held *h)
{
    layout_held kept = {
        .soul = h->soul, .key = h->key, .value = h->value.text, .state = h->state
    };
    MDB_val k = disk_val(key), v;
    slice found;

    if (writing_get(w, w->disk->held, key, &found)) return; /* folded before */
    if (hashed_soul(h->soul)) writing_count_hashed(w, (int64_t)generation_value_bytes(&h->value));
    if (h->value.blob != NULL) {
        kept.is_blob = true;
        kept.blob = h->value.blob->ref;
        writing_name_blob(w, h->value.blob);
    } else {
        roots_name(w, h->soul, h->key, h->value.text, +1);
    }
    if (!writing_ok(w)) return;
    v = (MDB_val){ layout_held_bytes(&kept), NULL };
    w->error = mdb_put(w->txn, w->disk->held, &k, &v, MDB_RESERVE);
    if (w->error == 0) layout_held_write(v.mv_data, &kept);
    w->in_txn++;
}

/* Released first: a write released and held again in one generation is held. */
static void fold_held(writing *w, const generation *g)
{
    for (rung *at = ladder_first(&g->held_released); at != NULL; at = at->after[0]) {
        release(w, at->name);
        writing_breathe(w);
    }
    for (rung *at = ladder_first(&g->held_added); at != NULL; at = at->after[0]) {
        hold(w, at->name, at->item);
        writing_breathe(w);
    }
}

/* ---- the whole ---- */

static void note_through(writing *w, uint64_t through)
{
    char number[8];
    slice before, key = SLICE(DISK_META_FOLDED);

    if (writing_get(w, w->disk->meta, key, &before) && before.len == 8 &&
        layout_get64(before.at) >= through)
        return;
    layout_put64(number, through);
    writing_put(w, w->disk->meta, key, (slice){ number, sizeof number });
    roots_note_through(w, through);
}

static int by_name(const void *a, const void *b)
{
    const generation_soul *const *x = a, *const *y = b;

    return slice_order((*x)->name, (*y)->name);
}

/* The souls in order: neighbours in the database are met one after the other. */
static status sort_souls(const generation *g, const generation_soul ***out)
{
    const generation_soul **all = malloc((g->souls + 1) * sizeof *all);
    size_t i = 0;

    if (all == NULL) return STATUS_NO_MEMORY;
    for (const generation_soul *soul = g->newest; soul != NULL; soul = soul->older) all[i++] = soul;
    qsort(all, g->souls, sizeof *all, by_name);
    *out = all;
    return STATUS_OK;
}

/* Rows first: a release must not be durable before the row it became. */
void folder_fold(const folder *f, const generation *g, uint64_t through, folder_news *news)
{
    const generation_soul **souls = NULL;
    status s = sort_souls(g, &souls);
    writing w;

    if (s != STATUS_OK) {
        *news = (folder_news){ .how = s };
        return;
    }
    writing_begin(&w, f, news);
    for (size_t i = 0; i < g->souls && writing_ok(&w); i++) fold_soul(&w, g, souls[i]);
    fold_held(&w, g);
    note_through(&w, through);
    writing_end(&w);
    free(souls);
}
