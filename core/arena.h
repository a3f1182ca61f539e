/* arena.h - the memory of one message, thrown away whole after it.
 *
 * Grows by blocks up to a bound. What it hands out is aligned for any type,
 * not cleared, and lives until arena_reset() or arena_free(). After a reset the
 * first block is kept, so that a quiet server parses without calling malloc.
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include "core/slice.h"
#include "core/status.h"

typedef struct arena_block arena_block;

typedef struct arena {
    arena_block *first, *current;
    size_t taken;       /* bytes handed out since the last reset */
    size_t held;        /* bytes of the blocks */
    size_t bytes_max;   /* bound on `taken` */
    size_t first_bytes; /* of the first block; 0: what a usual message needs */
} arena;

/* An arena needs no opening; memory is taken at first use. */
static inline arena arena_make(size_t bytes_max)
{
    return (arena){ .bytes_max = bytes_max };
}

/* One that many are alive of at once: its blocks begin small. */
static inline arena arena_make_small(size_t bytes_max, size_t first_bytes)
{
    return (arena){ .bytes_max = bytes_max, .first_bytes = first_bytes };
}

/* NULL when the bound is met or memory is short; the caller answers what
 * arena_failure() tells. */
void *arena_take(arena *a, size_t bytes);

/* Whether the last NULL was the bound's doing, not malloc's. */
bool arena_full(const arena *a, size_t bytes);

static inline status arena_failure(const arena *a, size_t bytes)
{
    return arena_full(a, bytes) ? STATUS_TOO_BIG : STATUS_NO_MEMORY;
}

/* Makes what was taken last larger or smaller, in place where that can be, else
 * (also when it was not the last) by taking anew and copying. NULL as above,
 * and then `old` stands as it was. */
void *arena_resize(arena *a, void *old, size_t old_bytes, size_t bytes);

/* Copies bytes into the arena; `at` is NULL on failure, also for no bytes it is not. */
slice arena_copy(arena *a, slice bytes);

/* Likewise of three pieces, one behind the other. */
slice arena_join(arena *a, slice one, slice two, slice three);

/* Forgets everything, keeps the first block when it is at most `keep_bytes`. */
void arena_reset(arena *a, size_t keep_bytes);
void arena_free(arena *a);

#endif
