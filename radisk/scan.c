/* scan.c - what the overlay and the disk hold, as one order.
 *
 * A scan stands in every source at once: on a ladder in each generation and on
 * a walk over LMDB. It gives the next name of any, from the newest source that
 * has it, and steps in all that have it: so each name once, and the newest.
 */
#include "radisk/inside.h"
#include "radisk/walk.h"

typedef struct scan {
    const lex_range *range;
    const rung *at[OVERLAY_MAX]; /* NULL: no more there */
    uint64_t batch[OVERLAY_MAX];
    size_t count;
    bool on_disk; /* the walk was begun */
    walk disk;
} scan;

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

static void add_ladder(scan *s, const ladder *l, uint64_t batch)
{
    s->at[s->count] = l == NULL ? NULL : enter(s->range, l);
    s->batch[s->count] = batch;
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

/* Steps past a name in all sources and tells what the newest had: its rung and
 * its batch, or NULL and what the disk had. */
static status pass(scan *s, slice name, const rung **newest, uint64_t *batch, layout_entry *stored)
{
    *newest = NULL;
    *batch = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->at[i] == NULL || !slice_equal(s->at[i]->name, name)) continue;
        if (*newest == NULL) {
            *newest = s->at[i];
            *batch = s->batch[i];
        }
        s->at[i] = step(s->range, s->at[i]);
    }
    if (!s->on_disk || s->disk.over || !slice_equal(s->disk.now.name, name)) return STATUS_OK;
    *stored = s->disk.now;
    return walk_next(&s->disk);
}

/* Makes the visitor's row of what pass() found. */
typedef void shape(graph_row *row, slice name, const rung *newest, const layout_entry *stored);

static status run(scan *s, graph_row row, shape *make, graph_visit *visit, void *visitor)
{
    const rung *newest;
    layout_entry stored = { .number = 0 };
    status result = STATUS_OK;

    for (slice name = first_name(s); name.len > 0 && result == STATUS_OK; name = first_name(s)) {
        result = pass(s, name, &newest, &row.ticket.batch, &stored);
        make(&row, name, newest, &stored);
        /* The row that was found is good, though the next one is not. */
        if (!visit(visitor, &row)) return STATUS_OK;
    }
    return result;
}

static void shape_key(graph_row *row, slice name, const rung *newest, const layout_entry *stored)
{
    row->key = name;
    if (newest != NULL) {
        const generation_row *ours = newest->item;
        row->value = ours->value;
        row->state = ours->state;
    } else {
        row->value = stored->rest;
        row->state = layout_number_state(stored->number);
    }
}

static void shape_soul(graph_row *row, slice name, const rung *newest, const layout_entry *stored)
{
    (void)newest;
    (void)stored;
    row->soul = name;
}

status scan_keys(void *context, slice soul, const lex_range *range, graph_visit *visit,
                 void *visitor)
{
    radisk *store = context;
    scan s = { .range = range };
    uint64_t id;
    place *p;

    if (range->empty) return STATUS_OK;
    status result = place_of(store, soul, &p);
    if (result == STATUS_OK) result = place_id(store, p, &id);
    if (result != STATUS_OK) return result;
    for (size_t i = 0; i < store->overlay_len; i++)
        add_ladder(&s, p->in[i] == NULL ? NULL : &p->in[i]->rows, store->overlay[i]->batch);
    s.on_disk = id != 0;
    if (s.on_disk) result = walk_rows(&s.disk, &store->disk, id, range);
    if (result == STATUS_OK)
        result = run(&s, (graph_row){ .soul = soul }, shape_key, visit, visitor);
    if (s.on_disk) walk_end(&s.disk);
    return result;
}

status scan_souls(void *context, const lex_range *range, graph_visit *visit, void *visitor)
{
    radisk *store = context;
    scan s = { .range = range, .on_disk = true };

    if (range->empty) return STATUS_OK;
    for (size_t i = 0; i < store->overlay_len; i++)
        add_ladder(&s, &store->overlay[i]->souls, store->overlay[i]->batch);
    status result = walk_souls(&s.disk, &store->disk, range);
    if (result == STATUS_OK) result = run(&s, (graph_row){ 0 }, shape_soul, visit, visitor);
    walk_end(&s.disk);
    return result;
}
