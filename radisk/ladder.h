/* ladder.h - names in order, with a way to jump in.
 *
 * A skip list: every rung is linked to the next, one in four also to the next
 * such one, and so on. Scans start with a jump and walk both ways. It was
 * chosen over a tree because it is filled once, walked, and thrown away with
 * its arena: nothing is ever balanced, and inserting touches no neighbour's
 * memory but the links.
 *
 *   height 2   first ----------------> C -------------------> nothing
 *   height 1   first ----------------> C --------> E -------> nothing
 *   height 0   first --> A <---> B <-> C <-> D <-> E <-> F    last
 *
 * A ladder of zeros is an empty one. Rungs live in the arena that is handed in;
 * names and items are the caller's, and must live as long.
 */
#ifndef RADISK_LADDER_H
#define RADISK_LADDER_H

#include "core/arena.h"
#include "core/slice.h"

#include <stdint.h>

typedef struct rung rung;
struct rung {
    slice name;
    void *item;
    rung *before;
    unsigned height;
    rung *after[]; /* after[0] is the next rung */
};

typedef struct ladder {
    rung *last;
    rung **first; /* `room` links */
    unsigned room;
    size_t count;
} ladder;

/* The rung of exactly this name, or NULL. */
rung *ladder_find(const ladder *l, slice name);

/* The first rung at or after the name; the last at or before it. NULL: none. */
rung *ladder_from(const ladder *l, slice name);
rung *ladder_until(const ladder *l, slice name);

static inline rung *ladder_first(const ladder *l)
{
    return l->room == 0 ? NULL : l->first[0];
}

/* Adds a name that is not there. `chance` is the state of a small generator
 * that throws the heights; never 0. NULL when memory is short: nothing changed. */
rung *ladder_add(ladder *l, arena *memory, uint64_t *chance, slice name, void *item);

/* Removes a name that is there; its memory stays with the arena. */
void ladder_remove(ladder *l, slice name);

#endif
