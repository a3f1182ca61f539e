/* recover.c - what the journal holds beyond LMDB, read back at the start.
 *
 * Recovery is a replay through HAM, into one generation that stands for every
 * segment after "folded through". It reads no row of LMDB: a row that is older
 * than the one there loses when somebody looks, and when it is folded. Segments
 * up to "folded through" are change log and nothing else, whatever they hold, so
 * nothing that was purged comes back.
 *
 * A row is taken as it was judged: one that was taken stays so though the clock
 * has gone back since; one that was held is taken if its time has come.
 *
 * What is missing is said aloud: a number that is not there, a segment that does
 * not begin as one, records that cannot be read with good ones behind them. A last
 * record that is not whole was never acknowledged, and is ordinary.
 */
#include "radisk/inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct numbers {
    uint64_t *at;
    size_t len, room;
    bool failed;
    bool (*read)(const char *name, uint64_t *number);
} numbers;

typedef struct replay {
    radisk *store;
    generation *into;
    double wall_ms;
    uint64_t rows, damaged, missing, headless;
    uint64_t blob_max; /* the highest segment of blobs that a row names */
} replay;

static bool note_number(void *context, const char *name)
{
    numbers *n = context;
    uint64_t number;

    if (!n->read(name, &number)) return true;
    if (n->len == n->room) {
        size_t room = n->room == 0 ? 16 : n->room * 2;
        uint64_t *more = realloc(n->at, room * sizeof *more);
        if (more == NULL) {
            n->failed = true;
            return false;
        }
        n->at = more;
        n->room = room;
    }
    n->at[n->len++] = number;
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static status list_numbers(radisk *store, const char *in,
                           bool (*read)(const char *name, uint64_t *number), numbers *out)
{
    *out = (numbers){ .read = read };
    status s = store->files.list(store->files.context, in, note_number, out);
    if (s == STATUS_OK && out->failed) s = STATUS_NO_MEMORY;
    if (out->len > 0) qsort(out->at, out->len, sizeof *out->at, by_number);
    return s;
}

/* ---- rows ---- */

/* A row may be in LMDB already, because its fold was cut off or it was written anew
 * after a failure. Its blob may have been moved since: LMDB knows where to. */
static blob_place place_of_blob(replay *r, const journal_row *row)
{
    blob_place moved;
    uint64_t refs;
    status s = disk_find_blob(&r->store->disk, row->blob.hash, &moved, &refs);

    return s == STATUS_OK ? moved : row->place;
}

static status name_blob(replay *r, const journal_row *row, generation_value *value)
{
    blob_entry *entry;

    *value = (generation_value){ .text = row->value };
    if (!row->is_blob) return STATUS_OK;
    if (row->place.segment > r->blob_max) r->blob_max = row->place.segment;
    blob_place at = place_of_blob(r, row);
    status s = blobs_known(r->store->blobs, &row->blob, &at, pool_index(r->store, r->into), &entry);
    if (s == STATUS_OK) *value = (generation_value){ .blob = blobs_of(entry) };
    return s;
}

static kept kept_of(const generation_row *row)
{
    return (kept){ .state = row->state,
                   .text = row->value.text,
                   .is_blob = row->value.blob != NULL,
                   .ref =
                       row->value.blob != NULL ? row->value.blob->ref : (blob_ref){ .encoding = 0 },
                   .blob = row->value.blob };
}

/* Whether the row wins over what was replayed before. Equal states ask for the
 * texts; a blob that cannot be read any more loses. */
static status wins(replay *r, const generation_row *before, const journal_row *row,
                   const generation_value *value, bool *out)
{
    kept ours = kept_of(before);
    ham_verdict verdict = HAM_SAME;
    text copy = { 0 };
    slice read = row->value;
    status s = STATUS_OK;

    *out = row->state > ours.state;
    if (row->state != ours.state) return STATUS_OK;
    if (value->blob != NULL) s = blobs_text(r->store->blobs, value->blob, &copy, &read);
    if (s == STATUS_OK)
        s = kept_judge(r->store, &ours, &(ham_write){ row->state, read }, (double)INFINITY,
                       &verdict);
    text_free(&copy);
    *out = verdict == HAM_TAKE;
    return s == STATUS_CORRUPT || s == STATUS_NOT_FOUND ? STATUS_OK : s;
}

static status take(replay *r, const journal_row *row, const generation_value *value)
{
    generation_soul *soul = generation_find(r->into, row->soul);
    generation_row *before = soul == NULL ? NULL : generation_find_row(soul, row->key);
    generation_change done;
    bool newer = true;
    status s = before == NULL ? STATUS_OK : wins(r, before, row, value, &newer);

    if (s != STATUS_OK || !newer) return s;
    return generation_take(r->into,
                           &(generation_put){ .soul = soul,
                                              .name = row->soul,
                                              .key = row->key,
                                              .state = row->state,
                                              .text = value->text,
                                              .blob = value->blob,
                                              .for_good = true },
                           &done);
}

static status hold(replay *r, const journal_row *row, const generation_value *value)
{
    graph_write w = {
        .soul = row->soul, .key = row->key, .value = row->value, .state = row->state
    };
    graph_ticket ticket;
    text copy = { 0 };
    bool found = false;
    slice key;
    status s = STATUS_OK;

    if (value->blob != NULL) s = blobs_text(r->store->blobs, value->blob, &copy, &w.value);
    if (s == STATUS_OK) s = held_find(r->store, &w, &found, &ticket);
    if (s == STATUS_OK && !found) s = held_take(r->store, r->into, &w, value, 0, &key);
    text_free(&copy);
    return s;
}

static status visit(void *context, const journal_row *row, uint64_t position, bool last)
{
    replay *r = context;
    generation_value value;
    status s = name_blob(r, row, &value);

    (void)position;
    (void)last;
    if (s != STATUS_OK) return s;
    r->rows++;
    if (row->kind == JOURNAL_HELD && row->state > r->wall_ms) return hold(r, row, &value);
    return take(r, row, &value);
}

/* ---- segments ---- */

static status size_of(radisk *store, const char *name, uint64_t *bytes)
{
    int handle;

    status s = store->files.open(store->files.context, name, FILE_READ, &handle);
    if (s != STATUS_OK) return s;
    s = store->files.size(store->files.context, handle, bytes);
    store->files.close(store->files.context, handle);
    return s;
}

/* What was written may not be on the disk yet: the process was killed, and the
 * system went on. Or it never will be: its sync failed. A row that is met here counts
 * as durable, so only what the disk has is read. */
static status make_durable(radisk *store, const char *name)
{
    const files *f = &store->files;
    int handle;
    status s = f->open(f->context, name, FILE_WRITE, &handle);

    if (s != STATUS_OK) return s;
    s = f->sync_and_forget(f->context, handle);
    f->close(f->context, handle);
    return s;
}

/* The last one may be one that was being made when the power went: nothing was ever
 * written to it. It goes, durably, and its number is used for the next: in the middle
 * of others it would look like damage at the next start. */
static status take_away_unmade(radisk *store, const char *name)
{
    const files *f = &store->files;
    status s = f->remove(f->context, name);

    return s == STATUS_OK ? f->sync_folder(f->context, "journal") : s;
}

static status read_segment(replay *r, uint64_t number, bool is_last, bool *unmade)
{
    radisk *store = r->store;
    journal_report report;
    char name[JOURNAL_NAME];

    journal_file_name(name, number);
    status s = make_durable(store, name);
    if (s == STATUS_OK)
        s = journal_read(&store->files, store->disk.store, number, 0, visit, r, &report);
    if (s != STATUS_OK) return s;
    *unmade = report.no_header && report.records == 0 && is_last;
    if (*unmade) return take_away_unmade(store, name);
    r->damaged += report.damaged;
    if (report.no_header) r->headless++;
    store->sealed_bytes += report.end > JOURNAL_HEADER ? report.end - JOURNAL_HEADER : 0;
    return STATUS_OK;
}

static status read_all(replay *r, numbers *n)
{
    radisk *store = r->store;
    uint64_t expected = store->folded_through + 1;
    bool unmade = false;
    status s = STATUS_OK;

    for (size_t i = 0; i < n->len && s == STATUS_OK; i++) {
        uint64_t bytes = 0;
        char name[JOURNAL_NAME];
        journal_file_name(name, n->at[i]);
        s = size_of(store, name, &bytes);
        if (s == STATUS_OK && n->at[i] > store->folded_through) {
            r->missing += n->at[i] - expected;
            expected = n->at[i] + 1;
            s = read_segment(r, n->at[i], i + 1 == n->len, &unmade);
        }
        if (s == STATUS_OK && !unmade) fold_note_old(store, n->at[i], bytes);
    }
    if (unmade) n->len--;
    return s;
}

/* ---- blob segments ---- */

typedef struct known_segments {
    uint64_t *at;
    size_t len, room;
    bool failed;
} known_segments;

static void note_segment(void *context, uint64_t segment, uint64_t bytes, uint64_t dead)
{
    known_segments *k = context;

    (void)bytes;
    (void)dead;
    if (k->len == k->room) {
        size_t room = k->room == 0 ? 16 : k->room * 2;
        uint64_t *more = realloc(k->at, room * sizeof *more);
        k->failed |= more == NULL;
        if (more == NULL) return;
        k->at = more;
        k->room = room;
    }
    k->at[k->len++] = segment;
}

static bool is_known(const known_segments *k, uint64_t number)
{
    for (size_t i = 0; i < k->len; i++)
        if (k->at[i] == number) return true;
    return false;
}

/* Files that neither LMDB nor a replayed row names: left by a crash, or emptied by
 * a collection. Numbers go on behind the highest of all. */
static status sort_out_blobs(replay *r)
{
    radisk *store = r->store;
    known_segments known = { 0 };
    numbers n;
    char name[BLOB_NAME];
    status s = list_numbers(store, "blobs", blob_file_number, &n);

    if (s == STATUS_OK) s = disk_segments(&store->disk, note_segment, &known);
    if (s == STATUS_OK && known.failed) s = STATUS_NO_MEMORY;
    blobs_begin_after(store->blobs, r->blob_max);
    for (size_t i = 0; i < known.len; i++) blobs_begin_after(store->blobs, known.at[i]);
    for (size_t i = 0; i < n.len && s == STATUS_OK; i++) {
        uint64_t bytes = 0;
        blobs_begin_after(store->blobs, n.at[i]);
        blob_file_name(name, n.at[i]);
        bool named = blobs_in_use(store->blobs, n.at[i]);
        if (named) s = make_durable(store, name);
        if (named || is_known(&known, n.at[i])) {
            if (s == STATUS_OK) s = size_of(store, name, &bytes);
            blobs_count_files(store->blobs, (int64_t)bytes);
        } else {
            (void)!store->files.remove(store->files.context, name);
        }
    }
    free(known.at);
    free(n.at);
    return s;
}

/* ---- all of it ---- */

static void explain(const replay *r, char *why, size_t room)
{
    if (r->missing + r->damaged + r->headless == 0) return;
    (void)snprintf(why, room,
                   "the journal is damaged: %llu segments missing, %llu that do not begin as one, "
                   "%llu unreadable stretches; what could be read was taken, acknowledged writes "
                   "may be lost (brasa check DIR says more)",
                   (unsigned long long)r->missing, (unsigned long long)r->headless,
                   (unsigned long long)r->damaged);
}

static uint64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* The replayed generation takes the place of a sealed one, and is folded like it:
 * also when it is empty, so that its segments can be used again. */
static void stand_behind_live(radisk *store, generation *replayed, uint64_t through)
{
    replayed->segment = through;
    store->overlay[1] = replayed;
    store->overlay_len = 2;
    store->sealed_whole = true;
}

status recover(radisk *store, double wall_ms, char *why, size_t room)
{
    replay r = { .store = store, .into = &store->pool[1], .wall_ms = wall_ms };
    uint64_t began = now_us(), last;
    numbers n;
    status s = disk_folded_through(&store->disk, &store->folded_through);

    if (s != STATUS_OK) return s;
    r.into->replayed = true;
    s = list_numbers(store, "journal", journal_file_number, &n);
    if (s == STATUS_OK) s = read_all(&r, &n);
    if (s == STATUS_OK) s = sort_out_blobs(&r);
    const files *f = &store->files;
    if (s == STATUS_OK) s = f->sync_folder(f->context, "journal");
    if (s == STATUS_OK) s = f->sync_folder(f->context, "blobs");
    last = n.len > 0 ? n.at[n.len - 1] : 0;
    free(n.at);
    if (s != STATUS_OK) return s;
    if (last > store->folded_through) stand_behind_live(store, r.into, last);
    store->next_number = (last > store->folded_through ? last : store->folded_through) + 1;
    store->stats.replayed_rows = r.rows;
    store->stats.replay_us = now_us() - began;
    explain(&r, why, room);
    return STATUS_OK;
}
