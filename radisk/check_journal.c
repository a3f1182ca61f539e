/* check_journal.c - the journal behind "folded through", and the hash of what is
 * kept in LMDB and in it together. */
#include "radisk/check_inside.h"
#include "radisk/journal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows of the journal ---- */

static int by_name(const void *a, const void *b)
{
    const check_fresh *x = a, *y = b;
    int order = slice_order(x->soul, y->soul);

    if (order == 0) order = slice_order(x->key, y->key);
    if (order != 0) return order;
    return x->order < y->order ? -1 : x->order > y->order;
}

static status value_of(checking *c, const check_fresh *f, slice *out)
{
    *out = f->value;
    return f->is_blob ? check_blob_text(c, &f->blob, &f->place, out) : STATUS_OK;
}

static status note_row(void *context, const journal_row *row, uint64_t position, bool last)
{
    checking *c = context;

    (void)position;
    (void)last;
    if (row->is_blob) {
        check_blob known = { .is = { .ref = row->blob, .place = row->place } };
        text bytes = { 0 };
        status s = blob_read(c->reader, &known.is.ref, &known.is.place, &bytes);
        text_free(&bytes);
        if (s == STATUS_NO_MEMORY) return s;
        if (s != STATUS_OK)
            check_find(c, "a large value of the journal cannot be read", row->soul, row->key);
    }
    if (!c->wish->hash) return STATUS_OK;
    if (c->fresh_len == c->fresh_room) {
        size_t room = c->fresh_room == 0 ? 1024 : c->fresh_room * 2;
        check_fresh *more = realloc(c->fresh, room * sizeof *more);
        if (more == NULL) return STATUS_NO_MEMORY;
        c->fresh = more;
        c->fresh_room = room;
    }
    check_fresh *f = &c->fresh[c->fresh_len];
    *f = (check_fresh){ .soul = arena_copy(&c->memory, row->soul),
                        .key = arena_copy(&c->memory, row->key),
                        .value = arena_copy(&c->memory, row->value),
                        .state = row->state,
                        .is_blob = row->is_blob,
                        .blob = row->blob,
                        .place = row->place,
                        .held = row->kind == JOURNAL_HELD && row->state > c->wish->now_ms,
                        .order = c->fresh_len };
    if (f->soul.at == NULL || f->key.at == NULL || f->value.at == NULL) return STATUS_NO_MEMORY;
    c->fresh_len++;
    return STATUS_OK;
}

/* ---- segments ---- */

typedef struct numbers {
    uint64_t *at;
    size_t len, room;
    bool failed;
} numbers;

static bool note_number(void *context, const char *name)
{
    numbers *n = context;
    uint64_t number;

    if (!journal_file_number(name, &number)) return true;
    if (n->len == n->room) {
        size_t room = n->room == 0 ? 64 : n->room * 2;
        uint64_t *more = realloc(n->at, room * sizeof *more);
        n->failed |= more == NULL;
        if (more == NULL) return false;
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

/* The last one may have been in the making when the power went. */
static status check_one(checking *c, uint64_t number, bool last)
{
    char name[JOURNAL_NAME], line[128];
    journal_report report;
    status s = journal_read(&c->files, c->disk.store, number, 0, note_row, c, &report);

    if (s != STATUS_OK) return s;
    journal_file_name(name, number);
    c->report->journal_segments++;
    c->report->journal_records += report.records;
    c->report->journal_rows += report.rows;
    c->report->torn += report.torn;
    if (report.no_header && (!last || report.records > 0))
        check_find_file(c, name, "it does not begin as a segment");
    if (report.damaged > 0) {
        (void)snprintf(line, sizeof line, "%llu unreadable stretches with good records behind them",
                       (unsigned long long)report.damaged);
        check_find_file(c, name, line);
    }
    return STATUS_OK;
}

static status check_segments(checking *c, const numbers *n, uint64_t folded)
{
    uint64_t expected = folded + 1;
    char name[JOURNAL_NAME];
    status s = STATUS_OK;

    for (size_t i = 0; i < n->len && s == STATUS_OK; i++) {
        if (n->at[i] <= folded) continue;
        for (; expected < n->at[i] && n->at[i] - expected <= 16; expected++) {
            journal_file_name(name, expected);
            check_find_file(c, name, "this segment of the journal is missing");
        }
        if (expected < n->at[i])
            check_find(c, "many segments of the journal are missing", (slice){ "", 0 },
                       (slice){ "", 0 });
        expected = n->at[i] + 1;
        s = check_one(c, n->at[i], i + 1 == n->len);
    }
    return s;
}

/* Keeps the newest of each name, as HAM judges; held ones stay beside them. */
static status keep_newest(checking *c)
{
    size_t kept = 0;

    if (c->fresh_len > 1) qsort(c->fresh, c->fresh_len, sizeof *c->fresh, by_name);
    for (size_t i = 0; i < c->fresh_len; i++) {
        check_fresh *f = &c->fresh[i];
        size_t at = kept;
        while (!f->held && at > 0 && slice_equal(c->fresh[at - 1].soul, f->soul) &&
               slice_equal(c->fresh[at - 1].key, f->key) && c->fresh[at - 1].held)
            at--;
        check_fresh *before = at > 0 ? &c->fresh[at - 1] : NULL;
        if (f->held || before == NULL || !slice_equal(before->soul, f->soul) ||
            !slice_equal(before->key, f->key)) {
            c->fresh[kept++] = *f;
            continue;
        }
        bool wins = f->state > before->state;
        if (f->state == before->state) {
            slice ours, theirs;
            text copy = { 0 };
            if (value_of(c, before, &ours) != STATUS_OK) ours = (slice){ "", 0 };
            text_add(&copy, ours);
            c->no_memory |= !text_ok(&copy);
            wins =
                value_of(c, f, &theirs) == STATUS_OK && value_order(theirs, text_slice(&copy)) > 0;
            text_free(&copy);
        }
        if (wins) *before = *f;
    }
    c->fresh_len = kept;
    return STATUS_OK;
}

status check_journal(checking *c)
{
    numbers n = { 0 };
    uint64_t folded = 0;
    status s = disk_folded_through(&c->disk, &folded);

    if (s == STATUS_OK) s = c->files.list(c->files.context, "journal", note_number, &n);
    if (s == STATUS_NOT_FOUND) s = STATUS_OK; /* before its first start */
    if (s == STATUS_OK && n.failed) s = STATUS_NO_MEMORY;
    if (n.len > 1) qsort(n.at, n.len, sizeof *n.at, by_number);
    if (s == STATUS_OK) s = check_segments(c, &n, folded);
    free(n.at);
    return s == STATUS_OK ? keep_newest(c) : s;
}

/* ---- the hash ---- */

static void add(checking *c, slice soul, slice key, slice value, double state, bool held)
{
    store_hash_add(
        &c->report->hash,
        &(view_row){ .soul = soul, .key = key, .value = value, .state = state, .held = held });
}

static void add_fresh(checking *c, check_fresh *f)
{
    slice value;

    f->used = true;
    if (value_of(c, f, &value) == STATUS_OK) add(c, f->soul, f->key, value, f->state, f->held);
}

/* The journal's row of that name that is not held. */
static check_fresh *fresh_of(checking *c, slice soul, slice key)
{
    size_t low = 0, high = c->fresh_len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_order(c->fresh[middle].soul, soul);
        if (order == 0) order = slice_order(c->fresh[middle].key, key);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < c->fresh_len && slice_equal(c->fresh[low].soul, soul) &&
           slice_equal(c->fresh[low].key, key);
         low++)
        if (!c->fresh[low].held) return &c->fresh[low];
    return NULL;
}

static status text_of(checking *c, const layout_entry *e, text *to)
{
    blob_ref ref;
    slice value = e->rest;

    if (e->kind == LAYOUT_BLOB) {
        if (layout_blob_read(&ref, e->rest) != STATUS_OK) return STATUS_CORRUPT;
        const check_blob *b = check_find_blob(c, ref.hash);
        if (b == NULL) return STATUS_NOT_FOUND;
        status s = check_blob_text(c, &ref, &b->is.place, &value);
        if (s != STATUS_OK) return s;
    }
    text_add(to, value);
    c->no_memory |= !text_ok(to);
    return text_ok(to) ? STATUS_OK : STATUS_NO_MEMORY;
}

void check_hash_row(checking *c, slice soul, const layout_entry *e)
{
    check_fresh *f = fresh_of(c, soul, e->name);
    double state = layout_number_state(e->number);
    text ours = { 0 };
    slice theirs;

    if (e->kind == LAYOUT_FLOOR) {
        if (f != NULL && f->state <= state) f->used = true; /* below the floor */
        return;
    }
    if (f != NULL && f->state > state) {
        add_fresh(c, f);
        return;
    }
    bool read = text_of(c, e, &ours) == STATUS_OK;
    if (f != NULL && f->state == state && value_of(c, f, &theirs) == STATUS_OK &&
        (!read || value_order(theirs, text_slice(&ours)) > 0)) {
        add_fresh(c, f);
    } else {
        if (f != NULL) f->used = true;
        if (read) add(c, soul, e->name, text_slice(&ours), state, false);
    }
    text_free(&ours);
}

void check_hash_held(checking *c, const layout_held *h, slice value)
{
    add(c, h->soul, h->key, value, h->state, true);
}

typedef struct below {
    const check_fresh *row;
    bool is;
} below;

static void below_prefix(void *visitor, slice prefix, double floor)
{
    below *b = visitor;

    b->is |= slice_begins(b->row->soul, prefix) && b->row->state <= floor;
}

static bool is_below_a_floor(checking *c, const check_fresh *f)
{
    below b = { .row = f };
    disk_soul soul;

    if (disk_find_soul(&c->disk, f->soul, &soul) == STATUS_OK && f->state <= soul.floor)
        return true;
    return disk_floors(&c->disk, below_prefix, &b) == STATUS_OK && b.is;
}

/* Whether LMDB holds this very write already. */
static status is_held_there(checking *c, const check_fresh *f, bool *there)
{
    layout_held h = { .soul = f->soul, .key = f->key, .state = f->state };
    char key[LAYOUT_HELD_KEY];
    slice value;

    if (value_of(c, f, &value) != STATUS_OK) return STATUS_OK; /* and it is not added either */
    status s = check_held_key(&h, value, key);
    if (s == STATUS_OK) s = disk_find_held(&c->disk, (slice){ key, sizeof key });
    *there = s == STATUS_OK;
    return s == STATUS_NOT_FOUND ? STATUS_OK : s;
}

/* The same write, held twice, is one. */
static bool is_a_second(const checking *c, size_t i)
{
    const check_fresh *f = &c->fresh[i];

    for (size_t n = i; n-- > 0;) {
        const check_fresh *g = &c->fresh[n];
        if (!slice_equal(g->soul, f->soul) || !slice_equal(g->key, f->key)) return false;
        if (g->held && g->state == f->state && g->is_blob == f->is_blob &&
            slice_equal(g->value, f->value) &&
            (!f->is_blob || memcmp(g->blob.hash, f->blob.hash, BLOB_HASH) == 0))
            return true;
    }
    return false;
}

status check_hash_rest(checking *c)
{
    status s = STATUS_OK;

    for (size_t i = 0; i < c->fresh_len && s == STATUS_OK; i++) {
        check_fresh *f = &c->fresh[i];
        bool there = f->used || is_below_a_floor(c, f) || (f->held && is_a_second(c, i));
        if (!there && f->held) s = is_held_there(c, f, &there);
        if (s == STATUS_OK && !there) add_fresh(c, f);
    }
    return s;
}
