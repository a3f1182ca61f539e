/* held.c - writes from the future, in order of their due time.
 *
 * What is held is what LMDB has, with what the generations added and without
 * what they released, each generation over those behind it. A release and the
 * row it makes are put into one generation, so they become durable together: a
 * crash loses both, and the write comes due again; or neither, and it does not.
 *
 * A write that comes due before it was handed to the committer simply leaves
 * the live generation, and LMDB never hears of it.
 *
 * `held_before` keeps the releases of a flood from being counted through again
 * and again: everything at or below it has been released, except in the live
 * generation, whose own list is exact. It is forgotten when that list is sealed.
 */
#include "radisk/inside.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* The held write that is due first: where it was found. */
typedef struct first {
    slice key; /* of LAYOUT_HELD_KEY bytes; at is NULL when there is none */
    generation_held write;
    generation_blob blob; /* what write.value points to, when it was found on disk */
    bool in_live;
} first;

/* Whether a generation newer than overlay[i] released it; i == overlay_len
 * stands for LMDB, behind all of them. */
static bool released(const radisk *store, size_t i, slice key)
{
    while (i-- > 0)
        if (ladder_find(&store->overlay[i]->held_released, key) != NULL) return true;
    return false;
}

static slice not_before(const radisk *store)
{
    return store->held_before_known ? held_key_slice(store->held_before) : (slice){ "", 0 };
}

static bool is_sooner(const first *best, slice key)
{
    return best->key.at == NULL || slice_order(best->key, key) > 0;
}

static void consider(first *best, slice key, const generation_held *write, bool in_live)
{
    if (!is_sooner(best, key)) return;
    best->key = key;
    best->write = *write;
    best->in_live = in_live;
}

static void first_in_overlay(const radisk *store, first *best)
{
    const rung *at = ladder_first(&overlay_live(store)->held_added);

    if (at != NULL) consider(best, at->name, at->item, true);
    for (size_t i = 1; i < store->overlay_len; i++) {
        at = ladder_from(&store->overlay[i]->held_added, not_before(store));
        while (at != NULL && released(store, i, at->name)) at = at->after[0];
        if (at != NULL) consider(best, at->name, at->item, false);
    }
}

/* What stands on disk, as the overlay has it; its blob's place is looked up. */
static status take_from_disk(radisk *store, slice key, const layout_held *found, first *best)
{
    uint64_t refs;

    best->key = key;
    best->in_live = false;
    best->write = (generation_held){ .soul = found->soul,
                                     .key = found->key,
                                     .value = { .text = found->value },
                                     .state = found->state };
    if (!found->is_blob) return STATUS_OK;
    best->blob.ref = found->blob;
    best->write.value = (generation_value){ .blob = &best->blob };
    return disk_find_blob(&store->disk, found->blob.hash, &best->blob.place, &refs);
}

/* A damaged held write costs itself only: the next one is looked at. */
static status first_on_disk(radisk *store, first *best)
{
    MDB_cursor *cursor;
    MDB_txn *txn;
    layout_held found;
    slice start = not_before(store);
    MDB_val key = disk_val(start), value;
    status s = disk_read(&store->disk, &txn);

    if (s == STATUS_OK) s = disk_status(mdb_cursor_open(txn, store->disk.held, &cursor));
    if (s != STATUS_OK) return s;
    int error = mdb_cursor_get(cursor, &key, &value, start.len == 0 ? MDB_FIRST : MDB_SET_RANGE);
    for (; error == 0; error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        slice at = disk_slice(key);
        if (released(store, store->overlay_len, at)) continue;
        if (!is_sooner(best, at)) break;
        s = layout_held_read(&found, at, disk_slice(value));
        if (s == STATUS_OK) s = take_from_disk(store, at, &found, best);
        if (s == STATUS_OK) break;
        if (s != STATUS_CORRUPT && s != STATUS_NOT_FOUND) break;
        s = STATUS_OK;
        *best = (first){ .key = { NULL, 0 } };
        first_in_overlay(store, best);
    }
    mdb_cursor_close(cursor);
    return error == 0 || error == MDB_NOTFOUND ? s : disk_status(error);
}

static status find_first(radisk *store, first *out)
{
    *out = (first){ .key = { NULL, 0 } };
    first_in_overlay(store, out);
    return first_on_disk(store, out);
}

static void note_next(radisk *store, const first *next)
{
    store->held_next = next->key.at == NULL ? (double)INFINITY : next->write.state;
    store->held_stale = false;
}

status held_open(radisk *store)
{
    store->held_stale = true;
    return disk_count(&store->disk, store->disk.held, &store->held);
}

void held_sealed(radisk *store)
{
    store->held_before_known = false;
}

/* The value stands in the key by its text, blob or not: so that the same write
 * has the same key wherever it is met. */
static status make_key(const graph_write *w, char key[static LAYOUT_HELD_KEY])
{
    layout_held h = { .soul = w->soul, .key = w->key, .value = w->value, .state = w->state };
    size_t len = layout_held_bytes(&h);
    char *bytes = malloc(len);

    if (bytes == NULL) return STATUS_NO_MEMORY;
    layout_held_write(bytes, &h);
    layout_held_key(key, h.state, (slice){ bytes, len });
    free(bytes);
    return STATUS_OK;
}

static status find_key(radisk *store, slice key, bool *found, graph_ticket *ticket)
{
    for (size_t i = 0; i < store->overlay_len; i++) {
        const generation *g = store->overlay[i];
        const rung *added = ladder_find(&g->held_added, key);
        if (added != NULL) {
            *found = true;
            *ticket = (graph_ticket){ ((const generation_held *)added->item)->batch };
            return STATUS_OK;
        }
        if (ladder_find(&g->held_released, key) != NULL) return STATUS_OK;
    }
    status s = disk_find_held(&store->disk, key);
    if (s == STATUS_NOT_FOUND) return STATUS_OK;
    *found = s == STATUS_OK;
    return s;
}

status held_find(radisk *store, const graph_write *write, bool *found, graph_ticket *ticket)
{
    char key[LAYOUT_HELD_KEY];
    status s = make_key(write, key);

    *found = false;
    *ticket = (graph_ticket){ 0 };
    return s == STATUS_OK ? find_key(store, held_key_slice(key), found, ticket) : s;
}

status held_take(radisk *store, generation *into, const graph_write *write,
                 const generation_value *value, uint64_t number, slice *kept_key)
{
    generation_held h = { .soul = write->soul,
                          .key = write->key,
                          .value = *value,
                          .state = write->state,
                          .batch = number };
    char key[LAYOUT_HELD_KEY];
    status s = make_key(write, key);

    if (s != STATUS_OK) return s;
    const rung *there = ladder_find(&into->held_added, held_key_slice(key));
    if (there != NULL) { /* replayed twice: its segment failed, and it was written anew */
        *kept_key = there->name;
        return STATUS_OK;
    }
    s = generation_hold(into, held_key_slice(key), &h);
    if (s != STATUS_OK) return s;
    *kept_key = ladder_find(&into->held_added, held_key_slice(key))->name;
    store->held++;
    if (!store->held_stale && h.state < store->held_next) store->held_next = h.state;
    return STATUS_OK;
}

status held_add(radisk *store, const graph_write *write, const generation_value *value, change *out)
{
    if (store->held >= store->limits.held_max) return STATUS_TOO_BIG;
    return held_take(store, overlay_live(store), write, value, store->gather->number,
                     &out->held_key);
}

void held_undo(radisk *store, const change *undone)
{
    generation_unhold(overlay_live(store), undone->held_key);
    store->held--;
    store->held_stale = true;
}

/* Takes a write off the held ones. A release of something that LMDB or a sealed
 * generation has is a row of its own; it is noted before the write is merged,
 * and forgotten again when that failed, so that the two stay together. */
static status release(radisk *store, const first *f)
{
    generation *live = overlay_live(store);

    if (f->in_live) return STATUS_OK;
    if (ladder_find(&live->held_released, f->key) != NULL) return STATUS_OK;
    return generation_release(live, f->key);
}

static void settle(radisk *store, const first *f)
{
    memcpy(store->held_before, f->key.at, LAYOUT_HELD_KEY);
    if (f->in_live) generation_unhold(overlay_live(store), f->key);
    store->held_before_known = true;
    store->held--;
    merge_touched(store);
}

static status release_one(radisk *store, const first *f, ham_verdict *verdict, graph_row *row)
{
    status s = release(store, f);

    if (s != STATUS_OK) return s;
    s = merge_put(store, &f->write, verdict, row);
    if (s == STATUS_CORRUPT) { /* its blob, or the row it meets: it must not hold up others */
        store->stats.damaged_rows++;
        *verdict = HAM_KEEP;
        s = STATUS_OK;
    }
    if (s == STATUS_OK)
        settle(store, f);
    else if (!f->in_live)
        ladder_remove(&overlay_live(store)->held_released, f->key);
    return s;
}

status held_due(void *context, moment now, size_t most, graph_visit *visit, void *visitor)
{
    radisk *store = context;
    bool go_on = true;
    first f;

    if (held_next_due(store) > now.wall_ms) return STATUS_OK;
    status s = find_first(store, &f);
    for (; s == STATUS_OK && go_on && most > 0 && f.key.at != NULL; most--) {
        ham_verdict verdict;
        graph_row row;
        if (f.write.state > now.wall_ms) break;
        s = release_one(store, &f, &verdict, &row);
        if (s != STATUS_OK) break;
        store->held_stale = true;
        if (verdict == HAM_TAKE) go_on = visit(visitor, &row);
        s = find_first(store, &f);
        if (s == STATUS_OK) note_next(store, &f);
    }
    return s;
}

/* While nothing is admitted nothing comes due either: a worker's next news wake
 * the loop, and it asks again. So it is while blobs are moved: one that a held
 * write names must not be named by its old place. */
static bool may_release(const radisk *store)
{
    bool moving = store->folding && store->fold_job.errand == COLLECT;

    return !moving && room_admits(store) == STATUS_OK;
}

double held_next_due(void *context)
{
    radisk *store = context;
    first f;

    if (store->held == 0 || !may_release(store)) return (double)INFINITY;
    if (store->held_stale) {
        if (find_first(store, &f) != STATUS_OK) return (double)INFINITY;
        note_next(store, &f);
    }
    return store->held_next;
}
