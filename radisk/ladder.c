/* ladder.c - see ladder.h. */
#include "radisk/ladder.h"

#include <assert.h>

/* A ladder of one soul's keys is mostly short and there are many of them, so it
 * begins with few links; 4^4 rungs later it gets all it will ever need. */
enum { ROOM_FIRST = 4, ROOM_FULL = 12, ROOM_FIRST_RUNGS = 256 };

/* Walks to the last rung before `name` and notes, for every height, the links
 * that lead across the place. A rung met again one level down is not compared
 * again. */
static rung *descend(const ladder *l, slice name, rung **path[static ROOM_FULL])
{
    rung **links = l->first;
    rung *here = NULL, *beyond = NULL;

    for (unsigned height = l->room; height-- > 0;) {
        while (links[height] != beyond && slice_order(links[height]->name, name) < 0) {
            here = links[height];
            links = here->after;
        }
        beyond = links[height];
        path[height] = links;
    }
    return here;
}

rung *ladder_from(const ladder *l, slice name)
{
    rung **path[ROOM_FULL];

    if (l->last == NULL || slice_order(l->last->name, name) < 0) return NULL;
    descend(l, name, path);
    return path[0][0];
}

rung *ladder_find(const ladder *l, slice name)
{
    rung *at = ladder_from(l, name);

    return at != NULL && slice_equal(at->name, name) ? at : NULL;
}

rung *ladder_until(const ladder *l, slice name)
{
    rung *at = ladder_from(l, name);

    if (at == NULL) return l->last;
    return slice_equal(at->name, name) ? at : at->before;
}

static bool make_room(ladder *l, arena *memory)
{
    unsigned wants = l->count < ROOM_FIRST_RUNGS ? ROOM_FIRST : ROOM_FULL;

    if (l->room >= wants) return true;
    rung **links = arena_take(memory, wants * sizeof *links);
    if (links == NULL) return false;
    for (unsigned i = 0; i < wants; i++) links[i] = i < l->room ? l->first[i] : NULL;
    l->first = links;
    l->room = wants;
    return true;
}

/* One rung in four reaches one level higher (xorshift64 by Marsaglia). */
static unsigned throw_height(uint64_t *chance, unsigned room)
{
    uint64_t x = *chance;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *chance = x;

    unsigned height = 1;
    for (; height < room && (x & 3) == 0; x >>= 2) height++;
    return height;
}

rung *ladder_add(ladder *l, arena *memory, uint64_t *chance, slice name, void *item)
{
    if (!make_room(l, memory)) return NULL;

    unsigned height = throw_height(chance, l->room);
    rung *fresh = arena_take(memory, sizeof *fresh + height * sizeof fresh->after[0]);
    if (fresh == NULL) return NULL;

    rung **path[ROOM_FULL];
    fresh->before = descend(l, name, path);
    fresh->name = name;
    fresh->item = item;
    fresh->height = height;
    for (unsigned i = 0; i < height; i++) {
        fresh->after[i] = path[i][i];
        path[i][i] = fresh;
    }
    if (fresh->after[0] != NULL)
        fresh->after[0]->before = fresh;
    else
        l->last = fresh;
    l->count++;
    return fresh;
}

void ladder_remove(ladder *l, slice name)
{
    assert(l->count > 0);
    rung **path[ROOM_FULL];
    descend(l, name, path);
    rung *gone = path[0][0];

    assert(gone != NULL && slice_equal(gone->name, name));
    for (unsigned i = 0; i < gone->height; i++) path[i][i] = gone->after[i];
    if (gone->after[0] != NULL)
        gone->after[0]->before = gone->before;
    else
        l->last = gone->before;
    l->count--;
}
