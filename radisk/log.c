/* log.c - the journal's side of a turn: batches, what becomes of them, sealing. */
#include "radisk/inside.h"

#include <assert.h>
#include <math.h>
#include <time.h>

enum {
    KEEP = 1 << 20,     /* of a batch's memory, from one to the next */
    REWRITE_SHARE = 64, /* of a segment, about, is in each record of a group */
};

/* ---- the worker ---- */

static uint64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void work(void *context)
{
    log_job *job = context;
    batch *b = job->batch;
    uint64_t began = now_us();

    atomic_store(job->syncing, true);
    job->how = blobs_write(job->blobs, &b->blobs, b->records.bytes.at);
    if (job->how == STATUS_OK)
        job->how = journal_append(job->files, job->segment, &b->records.bytes);
    if (job->how == STATUS_OK) job->how = journal_sync(job->files, job->segment);
    atomic_store(job->syncing, false);
    job->took_us = now_us() - began;
}

/* ---- handing over ---- */

bool log_idle(const radisk *store)
{
    return store->flight == NULL;
}

static bool is_empty(const batch *b)
{
    return b->records.rows == 0;
}

static void reset_writer(journal_writer *w)
{
    text bytes = w->bytes;

    text_reset(&bytes, KEEP);
    *w = (journal_writer){ .bytes = bytes };
}

static void hand(radisk *store, journal_segment *segment, unsigned pause_ms)
{
    batch *going = store->gather;

    store->flight = going;
    store->gather = going == &store->batches[0] ? &store->batches[1] : &store->batches[0];
    store->gather->number = going->number + 1;
    store->log_job = (log_job){ .files = &store->files,
                                .segment = segment,
                                .batch = going,
                                .blobs = store->blobs,
                                .syncing = &store->syncing };
    worker_hand(store->journal, work, &store->log_job, pause_ms);
}

/* ---- writing everything anew ---- */

typedef struct rewriting {
    radisk *store;
    journal_writer *to;
    size_t begun; /* where its record began */
    status how;
} rewriting;

static void write_anew(rewriting *r, journal_kind kind, slice soul, slice key,
                       const generation_value *value, double state)
{
    blob_batch *blobs = &r->store->gather->blobs;
    journal_row row = {
        .kind = kind, .soul = soul, .key = key, .value = value->text, .state = state
    };
    bool placed = true;

    if (r->how != STATUS_OK) return;
    if (r->to->bytes.len - r->begun >= r->store->limits.segment_bytes / REWRITE_SHARE) {
        r->how = journal_end(r->to);
        if (r->how != STATUS_OK) return;
        r->begun = r->to->bytes.len;
        journal_begin(r->to, JOURNAL_MORE | JOURNAL_REST);
    }
    if (value->blob != NULL) {
        row.is_blob = true;
        row.blob = value->blob->ref;
        placed = blobs_has_place(blobs_entry(value->blob));
        if (placed) row.place = value->blob->place;
    }
    journal_add(r->to, &row);
    if (!placed) r->how = blobs_patch(blobs, blobs_entry(value->blob), journal_blob_at(r->to));
}

/* Rows that are not durable wait for this batch now. Those of a generation that
 * the folder is reading all are, so nothing is written there. */
static uint64_t renumber(const rewriting *r, uint64_t batch_number)
{
    bool waits = batch_number > r->store->progress.durable;

    return waits ? r->store->gather->number : batch_number;
}

static void generation_anew(rewriting *r, generation *g)
{
    for (const generation_soul *soul = g->newest; soul != NULL; soul = soul->older) {
        for (rung *row_at = ladder_first(&soul->rows); row_at != NULL; row_at = row_at->after[0]) {
            generation_row *row = row_at->item;
            uint64_t number = renumber(r, row->batch);
            write_anew(r, JOURNAL_TAKEN, soul->name, row->key, &row->value, row->state);
            if (number != row->batch) row->batch = number;
        }
    }
    for (rung *at = ladder_first(&g->held_added); at != NULL; at = at->after[0]) {
        generation_held *h = at->item;
        uint64_t number = renumber(r, h->batch);
        write_anew(r, JOURNAL_HELD, h->soul, h->key, &h->value, h->state);
        if (number != h->batch) h->batch = number;
    }
}

/* A group is closed by a record without the flag; one with no rows will do. */
static status overlay_anew(radisk *store)
{
    rewriting r = { .store = store, .to = &store->gather->records };

    reset_writer(r.to);
    store->gather->blobs.patches_len = 0;
    journal_begin(r.to, JOURNAL_MORE);
    for (size_t i = store->overlay_len; i-- > 0;) generation_anew(&r, store->overlay[i]);
    if (r.how == STATUS_OK) r.how = journal_end(r.to);
    if (r.how != STATUS_OK) return r.how;
    journal_begin(r.to, JOURNAL_REST);
    return journal_end(r.to);
}

/* The segment that failed is not written again: the next one takes its place. */
static bool has_fresh_segment(radisk *store)
{
    if (!store->segment_lost) return true;
    if (!store->has_next) return false;
    store->segment = store->next;
    store->has_next = false;
    store->segment_lost = false;
    store->durable_end = JOURNAL_HEADER;
    overlay_live(store)->segment = store->segment.number;
    return true;
}

static void hand_anew(radisk *store)
{
    if (!has_fresh_segment(store) || overlay_anew(store) != STATUS_OK) return;
    store->live_bytes = store->gather->records.bytes.len;
    store->rewriting = true;
    hand(store, &store->segment, store->trouble == STATUS_NO_SPACE ? RETRY_MS : 0);
}

void log_hand(radisk *store)
{
    if (!log_idle(store) || store->latched) return;
    if (store->trouble != STATUS_OK)
        hand_anew(store);
    else if (!is_empty(store->gather))
        hand(store, &store->segment, 0);
}

/* ---- sealing ---- */

static void leave(radisk *store, journal_segment *segment, bool *has)
{
    fold_note_old(store, segment->number, segment->size);
    journal_close(&store->files, segment);
    *has = false;
}

static void sealed_is_whole(radisk *store)
{
    store->sealed_whole = true;
    if (store->has_leaving) leave(store, &store->leaving, &store->has_leaving);
}

/* The rows still gathered are the sealed generation's, and go to its segment. */
void log_seal(radisk *store)
{
    generation *live = overlay_live(store);
    generation *fresh = live == &store->pool[0] ? &store->pool[1] : &store->pool[0];

    assert(log_idle(store) && store->overlay_len == 1 && store->has_next);
    store->leaving = store->segment;
    store->has_leaving = true;
    store->segment = store->next;
    store->has_next = false;
    store->durable_end = JOURNAL_HEADER;
    fresh->segment = store->segment.number;
    store->overlay[1] = live;
    store->overlay[0] = fresh;
    store->overlay_len = 2;
    store->sealed_bytes = store->live_bytes;
    store->segment_wish = store->live_bytes;
    store->live_bytes = 0;
    store->live_since_ms = (double)INFINITY;
    store->sealed_whole = false;
    held_sealed(store);
    place_forget(store);
    if (is_empty(store->gather))
        sealed_is_whole(store);
    else
        hand(store, &store->leaving, 0);
}

/* ---- news ---- */

void log_note_failure(radisk *store, status how)
{
    double now = store->now_ms(store->context);

    if (how == STATUS_NO_SPACE || how == STATUS_NO_MEMORY) return;
    if (now - store->failed_at_ms < LATCH_MS) store->latched = true;
    store->failed_at_ms = now;
}

/* What a failed sync stood for is not known, so its segment is left behind. A
 * live segment that was not the one is as good as fresh: nothing is in it. */
static void leave_segment(radisk *store)
{
    bool live = true;

    if (store->has_leaving) {
        leave(store, &store->leaving, &store->has_leaving);
        return;
    }
    leave(store, &store->segment, &live);
    store->segment_lost = true;
}

static void failed(radisk *store, batch *b, status how)
{
    store->stats.batches_failed++;
    store->progress.failed = b->number;
    store->progress.why = how;
    store->trouble = how;
    log_note_failure(store, how);
    leave_segment(store);
    reset_writer(&b->records);
    reset_writer(&store->gather->records);
    if (blobs_failed(store->blobs, &b->blobs, &store->gather->blobs) != STATUS_OK)
        store->latched = true; /* no memory to remember what is owed */
}

static void durable(radisk *store, batch *b, uint64_t took_us)
{
    store->stats.batches++;
    store->stats.rows_journaled += b->records.rows;
    store->stats.journal_bytes += b->records.bytes.len;
    store->stats.sync_us_last = took_us;
    if (took_us > store->stats.sync_us_max) store->stats.sync_us_max = took_us;
    store->progress.durable = b->number;
    store->trouble = STATUS_OK;
    blobs_written(store->blobs, &b->blobs);
    if (store->overlay_len > 1 && (store->has_leaving || store->rewriting)) sealed_is_whole(store);
    store->durable_end = store->segment.end;
    reset_writer(&b->records);
}

bool log_told(radisk *store)
{
    batch *b = store->flight;

    if (b == NULL || !worker_told(store->journal)) return false;
    store->flight = NULL;
    if (store->log_job.how == STATUS_OK)
        durable(store, b, store->log_job.took_us);
    else
        failed(store, b, store->log_job.how);
    store->rewriting = false;
    return true;
}
