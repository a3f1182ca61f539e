/* changes.c - the journal as a change log: accepted rows, by position. */
#include "radisk/inside.h"

#include <stdlib.h>

typedef struct following {
    radisk *store;
    graph_visit *visit;
    void *visitor;
    size_t left;
    bool stopped; /* at the end of a record: enough, or the visitor had enough */
    radisk_position at;
    text value, soul;
} following;

const uint8_t *radisk_id(const radisk *store)
{
    return store->disk.store;
}

radisk_position radisk_here(const radisk *store)
{
    return (radisk_position){ store->segment.number, store->durable_end };
}

static bool is_row(const journal_row *row, const kept *now)
{
    if (now->state != row->state || now->is_blob != row->is_blob) return false;
    if (row->is_blob) return memcmp(now->ref.hash, row->blob.hash, BLOB_HASH) == 0;
    return slice_equal(now->text, row->value);
}

/* A row that was purged since, or whose blob has gone, does not come. One that lost
 * when it was written comes if it is what is kept: what it lost to may have been
 * missing at a start, and else it comes twice. */
static status row_of(following *f, const journal_row *row, graph_row *out, bool *there)
{
    kept now;
    place *p;
    status s = place_of(f->store, row->soul, &p);

    *there = false;
    if (s == STATUS_OK) s = place_find(f->store, p, row->key, &now);
    if (s == STATUS_NOT_FOUND || s == STATUS_CORRUPT) return STATUS_OK;
    if (s != STATUS_OK || (row->kind == JOURNAL_LOST && !is_row(row, &now))) return s;
    *out =
        (graph_row){ .soul = row->soul, .key = row->key, .value = row->value, .state = row->state };
    if (row->is_blob)
        s = blobs_text_on_disk(f->store->blobs, &f->store->disk, &row->blob, &f->value,
                               &out->value);
    *there = s == STATUS_OK;
    return s == STATUS_CORRUPT ? STATUS_OK : s;
}

static status visit(void *context, const journal_row *row, uint64_t position, bool last)
{
    following *f = context;
    graph_row out;
    bool there = false;
    status s = STATUS_OK;

    (void)position;
    if (row->kind != JOURNAL_HELD) s = row_of(f, row, &out, &there);
    if (s == STATUS_OK && there && !f->visit(f->visitor, &out)) f->left = 0;
    if (f->left > 0) f->left--;
    if (s == STATUS_OK && last && f->left == 0) {
        f->stopped = true;
        return STATUS_BUSY; /* ends the reading; the report says where */
    }
    return s;
}

static status follow(following *f, uint64_t number, uint64_t from)
{
    radisk *store = f->store;
    journal_report report;
    status s = journal_read(&store->files, store->disk.store, number, from, visit, f, &report);

    if (s == STATUS_BUSY && f->stopped) s = STATUS_OK;
    if (s == STATUS_OK && report.end > from) f->at.offset = report.end;
    return s;
}

static bool is_kept(const radisk *store, uint64_t number)
{
    for (size_t i = 0; i < store->old_len; i++)
        if (store->old[i].number == number) return true;
    return (store->has_leaving && store->leaving.number == number) ||
           (!store->segment_lost && store->segment.number == number);
}

status radisk_changes(radisk *store, radisk_position from, size_t most, graph_visit *visit_row,
                      void *visitor, radisk_position *next)
{
    following f = { .store = store, .visit = visit_row, .visitor = visitor, .left = most };
    status s = STATUS_OK;

    if (from.segment == 0) from = (radisk_position){ 1, 0 };
    if (from.segment > store->segment.number) return STATUS_NOT_FOUND;
    for (f.at = from; s == STATUS_OK && !f.stopped;
         f.at = (radisk_position){ f.at.segment + 1, 0 }) {
        bool live = f.at.segment == store->segment.number;
        if (!is_kept(store, f.at.segment)) s = STATUS_NOT_FOUND;
        if (live && f.at.offset >= store->durable_end) break;
        if (s == STATUS_OK) s = follow(&f, f.at.segment, f.at.offset);
        if (f.stopped || live || s != STATUS_OK) break;
    }
    *next = f.at;
    text_free(&f.value);
    return s;
}
