/* floors.c - states below which nothing is taken again: what purges left behind.
 *
 * The floor of a row stands in the row, that of a soul in its index entry: both
 * are met for nothing while the soul is looked up. Those of prefixes are few, and
 * are kept here, in memory. And while a purge is under way, before the folder has
 * written its floor, it is its own floor.
 */
#include "radisk/inside.h"

#include <math.h>
#include <stdlib.h>

/* A moderator's tool, not a peer's. */
enum { FLOORS_MAX = 1024 };

typedef struct loading {
    radisk *store;
    status how;
} loading;

static void load(void *context, slice prefix, double floor)
{
    loading *l = context;

    if (l->how == STATUS_OK) l->how = floors_add(l->store, prefix, floor);
}

status floors_open(radisk *store)
{
    loading l = { store, STATUS_OK };
    status s = disk_floors(&store->disk, load, &l);

    return s == STATUS_OK ? l.how : s;
}

void floors_free(radisk *store)
{
    for (size_t i = 0; i < store->floors_len; i++) text_free(&store->floors[i].prefix);
    free(store->floors);
    store->floors = NULL;
    store->floors_len = store->floors_room = 0;
}

static prefix_floor *same(radisk *store, slice prefix)
{
    for (size_t i = 0; i < store->floors_len; i++)
        if (slice_equal(text_slice(&store->floors[i].prefix), prefix)) return &store->floors[i];
    return NULL;
}

status floors_add(radisk *store, slice prefix, double floor)
{
    prefix_floor *at = same(store, prefix);

    if (at != NULL) {
        if (floor > at->floor) at->floor = floor;
        return STATUS_OK;
    }
    if (store->floors_len == FLOORS_MAX) return STATUS_TOO_BIG;
    if (store->floors_len == store->floors_room) {
        size_t room = store->floors_room == 0 ? 8 : store->floors_room * 2;
        prefix_floor *more = realloc(store->floors, room * sizeof *more);
        if (more == NULL) return STATUS_NO_MEMORY;
        store->floors = more;
        store->floors_room = room;
    }
    at = &store->floors[store->floors_len];
    *at = (prefix_floor){ .floor = floor };
    text_add(&at->prefix, prefix);
    if (!text_ok(&at->prefix)) {
        text_free(&at->prefix);
        return STATUS_NO_MEMORY;
    }
    store->floors_len++;
    return STATUS_OK;
}

double floors_of_soul(const radisk *store, slice soul)
{
    double highest = -(double)INFINITY;

    for (size_t i = 0; i < store->floors_len; i++) {
        const prefix_floor *at = &store->floors[i];
        if (at->floor > highest && slice_begins(soul, text_slice(&at->prefix))) highest = at->floor;
    }
    return highest;
}

double floors_pending(const radisk *store, slice soul, slice key)
{
    const pending_purge *p = &store->purge;
    slice what = text_slice(&p->soul);
    bool meant;

    if (!p->wanted || p->dry_run) return -(double)INFINITY;
    if (p->prefix)
        meant = slice_begins(soul, what);
    else
        meant =
            slice_equal(soul, what) && (p->key.len == 0 || slice_equal(key, text_slice(&p->key)));
    return meant ? p->floor : -(double)INFINITY;
}
