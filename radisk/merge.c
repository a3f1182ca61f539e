/* merge.c - judging writes and taking them into the live generation and the journal.
 *
 * A merge is whole: one record in the journal, and every step in memory is noted,
 * so that when one fails those before it are undone in reverse. So nothing needs
 * to be foreseen: not memory, not a page that cannot be read, not the bound on
 * held writes.
 */
#include "core/policy.h"
#include "radisk/inside.h"
#include "radisk/space.h"

#include <math.h>
#include <stdlib.h>

/* One message may have 100,000 keys; the notes of an ordinary one are kept. */
enum { CHANGES_KEEP = 4096 };

/* What ending a record may add to it. */
enum { END_ROOM = 16 };

/* A value on its way in: as text, or as the blob it is. */
typedef struct incoming {
    generation_value value;
    blob_entry *entry;
    bool made; /* the entry is this write's */
} incoming;

static status reserve_changes(radisk *store, size_t count)
{
    if (count <= store->changes_room) return STATUS_OK;
    change *more = realloc(store->changes, count * sizeof *more);
    if (more == NULL) return STATUS_NO_MEMORY;
    store->changes = more;
    store->changes_room = count;
    return STATUS_OK;
}

static void give_back_changes(radisk *store)
{
    if (store->changes_room <= CHANGES_KEEP) return;
    free(store->changes);
    store->changes = NULL;
    store->changes_room = 0;
}

static void unname(radisk *store, const change *c)
{
    if (c->made != NULL) blobs_unname(store->blobs, &store->gather->blobs, c->made);
}

/* What lost was written down behind all the rest. */
static void undo(radisk *store, size_t count)
{
    for (size_t i = count; i-- > 0;)
        if (store->changes[i].lost != NULL) unname(store, &store->changes[i]);
    for (size_t i = count; i-- > 0;) {
        const change *c = &store->changes[i];
        if (c->lost != NULL) continue;
        if (c->held)
            held_undo(store, c);
        else
            generation_undo(overlay_live(store), &c->put);
        unname(store, c);
    }
    place_forget(store);
}

static bool is_blob(slice soul, slice value)
{
    return value.len > BLOB_MIN ||
           (value.len > BLOB_CHUNK_MIN && policy_is_hashed(soul) && blob_is_chunk(value));
}

static status name_value(radisk *store, slice soul, slice value, incoming *out)
{
    *out = (incoming){ .value = { .text = value } };
    if (!is_blob(soul, value)) return STATUS_OK;
    status s = blobs_name(store->blobs, &store->disk, value, pool_index(store, overlay_live(store)),
                          &store->gather->blobs, &out->entry, &out->made);
    if (s == STATUS_OK) out->value = (generation_value){ .blob = blobs_of(out->entry) };
    return s;
}

/* The row in the journal, and where its blob's place will be written. */
static status write_down(radisk *store, journal_kind kind, slice soul, slice key, double state,
                         const incoming *in)
{
    journal_row row = { .kind = kind, .soul = soul, .key = key, .state = state };
    const generation_blob *blob = in->value.blob;
    bool placed = blob != NULL && blobs_has_place(in->entry);

    row.value = in->value.text;
    row.is_blob = blob != NULL;
    if (blob != NULL) row.blob = blob->ref;
    if (placed) row.place = blob->place;
    journal_add(&store->gather->records, &row);
    if (blob == NULL || placed) return STATUS_OK;
    return blobs_patch(&store->gather->blobs, in->entry, journal_blob_at(&store->gather->records));
}

static status take(radisk *store, place *p, slice key, double state, const generation_value *value,
                   bool for_good, generation_change *out)
{
    generation_put put = { .soul = p->in[0],
                           .name = text_slice(&p->soul),
                           .key = key,
                           .id = p->disk_asked && p->on_disk ? p->disk.id : 0,
                           .state = state,
                           .text = value->text,
                           .blob = value->blob,
                           .batch = store->gather->number,
                           .for_good = for_good };
    status s = generation_take(overlay_live(store), &put, out);

    if (s == STATUS_OK) p->in[0] = out->soul;
    return s;
}

/* Judges a write against what is kept; *ticket is that of what it met. */
static status judge(radisk *store, place *p, graph_write *w, double now_ms, graph_ticket *ticket)
{
    ham_write write = { w->state, w->value };
    kept ours;
    status s;

    *ticket = (graph_ticket){ 0 };
    if (store->purge.wanted && w->state <= floors_pending(store, w->soul, w->key)) {
        w->verdict = HAM_KEEP;
        return STATUS_OK;
    }
    s = place_find(store, p, w->key, &ours);
    if (s == STATUS_NOT_FOUND) {
        w->verdict = w->state <= ours.floor ? HAM_KEEP : ham_judge(NULL, &write, now_ms);
        return STATUS_OK;
    }
    if (s != STATUS_OK) return s;
    *ticket = ours.ticket;
    return kept_judge(store, &ours, &write, now_ms, &w->verdict);
}

static status take_in(radisk *store, place *p, const graph_write *w, bool for_good, change *out)
{
    incoming in;
    status s = name_value(store, w->soul, w->value, &in);

    if (s != STATUS_OK) return s;
    *out = (change){ .made = in.made ? in.entry : NULL };
    s = write_down(store, JOURNAL_TAKEN, w->soul, w->key, w->state, &in);
    /* Then nothing that follows can fail, and the row may stand where one stood. */
    if (s == STATUS_OK && for_good && text_room(&store->gather->records.bytes, END_ROOM) == NULL)
        s = STATUS_NO_MEMORY;
    if (s == STATUS_OK) s = take(store, p, w->key, w->state, &in.value, for_good, &out->put);
    if (s != STATUS_OK) unname(store, out);
    return s;
}

static status hold(radisk *store, const graph_write *w, change *out, bool *changed,
                   graph_ticket *ticket)
{
    incoming in;
    bool found;
    status s = held_find(store, w, &found, ticket);

    if (s != STATUS_OK || found) return s;
    if ((s = name_value(store, w->soul, w->value, &in)) != STATUS_OK) return s;
    *out = (change){ .held = true, .made = in.made ? in.entry : NULL };
    s = write_down(store, JOURNAL_HELD, w->soul, w->key, w->state, &in);
    if (s == STATUS_OK) s = held_add(store, w, &in.value, out);
    if (s != STATUS_OK) {
        unname(store, out);
        return s;
    }
    *ticket = (graph_ticket){ store->gather->number };
    *changed = true;
    return STATUS_OK;
}

/* Judges one write, and takes or holds it. */
static status judge_and_take(radisk *store, graph_write *w, double now_ms, bool alone,
                             graph_ticket *ticket, change *out, bool *changed)
{
    place *p;
    status s = place_of(store, w->soul, &p);

    *changed = false;
    if (space_is_watching(store)) space_meet(store, w->soul, w->key, w->value);
    if (s == STATUS_OK) s = judge(store, p, w, now_ms, ticket);
    if (s != STATUS_OK) return s;
    if (w->verdict == HAM_WAIT) return hold(store, w, out, changed, ticket);
    if (w->verdict != HAM_TAKE) {
        radisk_renew_soul(store, w->soul); /* its author will be told that it is here */
        return STATUS_OK;
    }
    *changed = true;
    *ticket = (graph_ticket){ store->gather->number };
    return take_in(store, p, w, alone, out);
}

/* Notes what lost to a row of this very batch, or is it once more: write_down_lost()
 * may need it. */
static status merge_one(radisk *store, graph_write *w, double now_ms, bool alone,
                        graph_ticket *ticket, change *out, bool *noted)
{
    status s = judge_and_take(store, w, now_ms, alone, ticket, out, noted);

    if (s != STATUS_OK || *noted || alone || ticket->batch != store->gather->number) return s;
    *out = (change){ .lost = w };
    *noted = true;
    return STATUS_OK;
}

/* Of a batch that was not synced when the power went, any record may be gone and one
 * behind it be there. So what lost to a row of the batch stands in its own merge's
 * record as well: then all of the merge is there, whatever became of the other one. */
static status write_down_lost(radisk *store, change *c)
{
    const graph_write *w = c->lost;
    journal_kind kind = w->verdict == HAM_WAIT ? JOURNAL_HELD : JOURNAL_LOST;
    incoming in;
    status s = name_value(store, w->soul, w->value, &in);

    if (s != STATUS_OK) return s;
    s = write_down(store, kind, w->soul, w->key, w->state, &in);
    if (in.made) c->made = in.entry;
    return s;
}

/* The record's beginning, so that it can be taken out again. */
typedef struct record_mark {
    size_t bytes, rows, patches;
} record_mark;

static record_mark begin_record(radisk *store)
{
    journal_writer *w = &store->gather->records;
    record_mark mark = { w->bytes.len, w->rows, store->gather->blobs.patches_len };

    journal_begin(w, 0);
    return mark;
}

static void take_back(radisk *store, const record_mark *mark)
{
    journal_take_back(&store->gather->records, mark->bytes, mark->rows);
    store->gather->blobs.patches_len = mark->patches;
}

/* Closes the record; one without rows was never begun. */
static status end_record(radisk *store, const record_mark *mark)
{
    journal_writer *w = &store->gather->records;

    if (w->rows == mark->rows && text_ok(&w->bytes)) {
        take_back(store, mark);
        return STATUS_OK;
    }
    status s = journal_end(w);
    if (s == STATUS_OK) store->live_bytes += w->bytes.len - mark->bytes;
    return s;
}

void merge_touched(radisk *store)
{
    if (isinf(store->live_since_ms)) store->live_since_ms = store->now_ms(store->context);
}

static status merge_all(radisk *store, graph_write *writes, size_t count, double now_ms,
                        graph_ticket *all, size_t *noted)
{
    graph_ticket one;
    status s = STATUS_OK;

    for (size_t i = 0; i < count && s == STATUS_OK; i++) {
        bool is_noted;
        s = merge_one(store, &writes[i], now_ms, count == 1, &one, &store->changes[*noted],
                      &is_noted);
        if (s != STATUS_OK) break;
        if (is_noted) ++*noted;
        *all = graph_both(*all, one);
    }
    return s;
}

static bool is_any_taken(const radisk *store, size_t noted)
{
    for (size_t i = 0; i < noted; i++)
        if (store->changes[i].lost == NULL) return true;
    return false;
}

/* Of a merge of which nothing was taken nothing needs to be there. */
static status write_down_all_lost(radisk *store, size_t noted)
{
    status s = STATUS_OK;

    for (size_t i = 0; i < noted && s == STATUS_OK; i++)
        if (store->changes[i].lost != NULL) s = write_down_lost(store, &store->changes[i]);
    return s;
}

status merge_writes(void *context, graph_write *writes, size_t count, moment now,
                    graph_ticket *ticket)
{
    radisk *store = context;
    graph_ticket all = { 0 };
    size_t noted = 0;
    status s = room_admits(store);

    if (s == STATUS_OK) s = reserve_changes(store, count);
    if (s != STATUS_OK) return s;
    store->wall_ms = now.wall_ms;
    record_mark mark = begin_record(store);
    s = merge_all(store, writes, count, now.wall_ms, &all, &noted);
    bool taken = is_any_taken(store, noted);
    if (s == STATUS_OK && taken) s = write_down_all_lost(store, noted);
    if (s == STATUS_OK) s = end_record(store, &mark);
    if (s != STATUS_OK) {
        undo(store, noted);
        take_back(store, &mark);
    } else {
        *ticket = all;
        if (taken) merge_touched(store);
    }
    give_back_changes(store);
    return s;
}

/* A held write that has come due: what it needs to become a row like others. */
static status name_held(radisk *store, const generation_held *write, incoming *out)
{
    *out = (incoming){ .value = write->value };
    if (write->value.blob == NULL) return STATUS_OK;
    status s = blobs_known(store->blobs, &write->value.blob->ref, &write->value.blob->place,
                           pool_index(store, overlay_live(store)), &out->entry);
    if (s == STATUS_OK) out->value.blob = blobs_of(out->entry);
    return s;
}

static status take_held(radisk *store, place *p, const generation_held *write, const incoming *in,
                        generation_change *done)
{
    record_mark mark = begin_record(store);
    status s = write_down(store, JOURNAL_TAKEN, write->soul, write->key, write->state, in);

    if (s == STATUS_OK) s = take(store, p, write->key, write->state, &in->value, false, done);
    if (s != STATUS_OK) {
        take_back(store, &mark);
        return s;
    }
    s = end_record(store, &mark);
    if (s != STATUS_OK) {
        generation_undo(overlay_live(store), done);
        take_back(store, &mark);
        place_forget(store);
        return s;
    }
    merge_touched(store);
    return STATUS_OK;
}

status merge_put(radisk *store, const generation_held *write, ham_verdict *verdict,
                 graph_row *taken)
{
    generation_change done;
    graph_ticket ticket;
    incoming in;
    place *p;
    slice value = write->value.text;
    status s = name_held(store, write, &in);

    if (s == STATUS_OK && in.value.blob != NULL)
        s = blobs_text(store->blobs, in.value.blob, &store->held_value, &value);
    graph_write w = {
        .soul = write->soul, .key = write->key, .value = value, .state = write->state
    };
    if (s == STATUS_OK) s = place_of(store, write->soul, &p);
    if (s == STATUS_OK) s = judge(store, p, &w, write->state, &ticket);
    if (s != STATUS_OK) return s;
    *verdict = w.verdict;
    if (*verdict != HAM_TAKE) return STATUS_OK;
    s = take_held(store, p, write, &in, &done);
    if (s != STATUS_OK) return s;
    *taken = (graph_row){ .soul = done.soul->name,
                          .key = done.row->key,
                          .value = in.value.blob != NULL ? value : done.row->value.text,
                          .state = done.row->state,
                          .ticket = { store->gather->number } };
    return STATUS_OK;
}
