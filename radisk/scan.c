/* scan.c - what the overlay and the disk hold, as one order.
 *
 * A scan stands in every source at once: on a ladder in each generation and on
 * a walk over LMDB. It gives the next name of any, from the newest source that
 * has it, and steps in all that have it: so each name once, and the newest.
 */
#include "core/policy.h"
#include "radisk/inside.h"
#include "radisk/walk.h"

typedef struct scan {
    radisk *store;
    const lex_range *range;
    const rung *at[OVERLAY_MAX]; /* NULL: no more there */
    bool replayed[OVERLAY_MAX];
    size_t count;
    double floor; /* rows on disk at or below it are gone */
    bool on_disk; /* the walk was begun */
    walk disk;
} scan;

/* What the sources have under one name: the newest of the overlay, and what is on
 * disk, if it is to be looked at. */
typedef struct met {
    slice name;
    const rung *newest; /* NULL: none */
    bool replayed;      /* the disk may be ahead of it */
    bool stored_there;
    layout_entry stored;
} met;

static const rung *within(const lex_range *range, const rung *at)
{
    return at != NULL && walk_side(range, at->name) == 0 ? at : NULL;
}

static const rung *step(const lex_range *range, const rung *at)
{
    return within(range, range->backwards ? at->before : at->after[0]);
}

/* The first rung in the range; an open bound is stepped over. */
static const rung *enter(const lex_range *range, const ladder *l)
{
    bool back = range->backwards;
    const rung *at =
        back ? (range->has_to ? ladder_until(l, range->to) : l->last) : ladder_from(l, range->from);

    if (at != NULL && walk_side(range, at->name) == (back ? 1 : -1))
        at = back ? at->before : at->after[0];
    return within(range, at);
}

static void add_ladder(scan *s, const ladder *l, bool replayed)
{
    s->at[s->count] = l == NULL ? NULL : enter(s->range, l);
    s->replayed[s->count] = replayed;
    s->count++;
}

/* The name that comes first; empty when every source is at its end, for no name
 * is. */
static slice first_name(const scan *s)
{
    slice best = s->on_disk && !s->disk.over ? s->disk.now.name : (slice){ NULL, 0 };

    for (size_t i = 0; i < s->count; i++) {
        if (s->at[i] == NULL) continue;
        int order = slice_order(s->at[i]->name, best);
        if (best.len == 0 || (s->range->backwards ? order > 0 : order < 0)) best = s->at[i]->name;
    }
    return best;
}

/* Steps past a name in all sources and tells what they had. */
static status pass(scan *s, slice name, met *out)
{
    *out = (met){ .name = name };
    for (size_t i = 0; i < s->count; i++) {
        if (s->at[i] == NULL || !slice_equal(s->at[i]->name, name)) continue;
        if (out->newest == NULL) {
            out->newest = s->at[i];
            out->replayed = s->replayed[i];
        }
        s->at[i] = step(s->range, s->at[i]);
    }
    if (!s->on_disk || s->disk.over || !slice_equal(s->disk.now.name, name)) return STATUS_OK;
    out->stored = s->disk.now;
    out->stored_there = true;
    return walk_next(&s->disk);
}

/* Makes the visitor's row of what pass() found; STATUS_NOT_FOUND: it is none. */
typedef status shape(scan *s, const met *m, graph_row *row);

/* A row that cannot be read is counted and left out: it harms no other. */
static status run(scan *s, graph_row row, shape *make, graph_visit *visit, void *visitor)
{
    status result = STATUS_OK;
    met m;

    for (slice name = first_name(s); name.len > 0 && result == STATUS_OK; name = first_name(s)) {
        result = pass(s, name, &m);
        status made = make(s, &m, &row);
        if (made == STATUS_NOT_FOUND || made == STATUS_CORRUPT) continue;
        if (made != STATUS_OK) return made;
        /* The row that was found is good, though the next one is not. */
        if (!visit(visitor, &row)) return STATUS_OK;
    }
    return result;
}

static status stored_row(const scan *s, const met *m, kept *out)
{
    double state = layout_number_state(m->stored.number);

    if (!m->stored_there || m->stored.kind == LAYOUT_FLOOR || state <= s->floor)
        return STATUS_NOT_FOUND;
    *out =
        (kept){ .state = state, .text = m->stored.rest, .is_blob = m->stored.kind == LAYOUT_BLOB };
    return out->is_blob ? layout_blob_read(&out->ref, m->stored.rest) : STATUS_OK;
}

static status shape_key(scan *s, const met *m, graph_row *row)
{
    kept found;
    place *p;
    status result = STATUS_OK;

    if (m->newest == NULL) {
        result = stored_row(s, m, &found);
    } else if (m->replayed) { /* seldom: place_find() knows how */
        result = place_of(s->store, row->soul, &p);
        if (result == STATUS_OK) result = place_find(s->store, p, m->name, &found);
    } else {
        const generation_row *ours = m->newest->item;
        found = (kept){ .state = ours->state,
                        .ticket = { ours->batch },
                        .text = ours->value.text,
                        .is_blob = ours->value.blob != NULL,
                        .blob = ours->value.blob };
    }
    if (result != STATUS_OK) return result;
    row->key = m->name;
    row->state = found.state;
    row->ticket = found.ticket;
    return kept_value(s->store, &found, &row->value);
}

static bool stop_at_first(void *visitor, const graph_row *row)
{
    (void)row;
    *(bool *)visitor = true;
    return false;
}

/* A soul of which something was purged may have nothing left, also when a replayed
 * generation still has its rows; and one whose rows expire may stand in the index
 * until the folder looks at it. */
static status shape_soul(scan *s, const met *m, graph_row *row)
{
    static const lex_range all = { 0 };
    bool stored = m->stored_there && m->stored.kind != LAYOUT_FLOOR;
    bool lives = (m->newest != NULL && !m->replayed) || (stored && policy_life_ms(m->name) <= 0);

    if (!lives) {
        status result = scan_keys(s->store, m->name, &all, stop_at_first, &lives);
        if (result != STATUS_OK) return result;
    }
    row->soul = m->name;
    return lives ? STATUS_OK : STATUS_NOT_FOUND;
}

status scan_keys(void *context, slice soul, const lex_range *range, graph_visit *visit,
                 void *visitor)
{
    radisk *store = context;
    scan s = { .store = store, .range = range };
    MDB_txn *txn;
    place *p;

    if (range->empty) return STATUS_OK;
    status result = place_of(store, soul, &p);
    if (result == STATUS_OK) result = place_disk(store, p);
    if (result != STATUS_OK) return result;
    for (size_t i = 0; i < store->overlay_len; i++)
        add_ladder(&s, p->in[i] == NULL ? NULL : &p->in[i]->rows, store->overlay[i]->replayed);
    s.floor = p->floor;
    s.on_disk = p->on_disk;
    if (s.on_disk) {
        result = disk_read(&store->disk, &txn);
        if (result == STATUS_OK) result = walk_rows(&s.disk, txn, &store->disk, &p->disk, range);
    }
    if (result == STATUS_OK)
        result = run(&s, (graph_row){ .soul = soul }, shape_key, visit, visitor);
    if (s.on_disk) {
        store->stats.damaged_rows += s.disk.damaged;
        walk_end(&s.disk);
    }
    return result;
}

status scan_souls(void *context, const lex_range *range, graph_visit *visit, void *visitor)
{
    radisk *store = context;
    scan s = { .store = store, .range = range, .on_disk = true };
    MDB_txn *txn;

    status result = STATUS_OK;

    if (range->empty) return STATUS_OK;
    for (size_t i = 0; i < store->overlay_len && result == STATUS_OK; i++) {
        result = generation_list(store->overlay[i]);
        add_ladder(&s, &store->overlay[i]->listed, store->overlay[i]->replayed);
    }
    if (result == STATUS_OK) result = disk_read(&store->disk, &txn);
    if (result == STATUS_OK) result = walk_souls(&s.disk, txn, &store->disk, range);
    if (result == STATUS_OK) result = run(&s, (graph_row){ 0 }, shape_soul, visit, visitor);
    store->stats.damaged_rows += s.disk.damaged;
    walk_end(&s.disk);
    return result;
}
