/* graph_memory.h - a graph on the heap, behind the table of graph.h.
 *
 * It serves three masters. Souls that are memory only (WebRTC rooms, presence)
 * live in one inside the server, where each row dies at its age. The unit tests
 * and the simulator run the relay over one; there it plays a disk, too: with
 * `delayed`, writes become durable only at graph_memory_sync(), and
 * graph_memory_crash() forgets what was not synced, as kill -9 does.
 */
#ifndef CORE_GRAPH_MEMORY_H
#define CORE_GRAPH_MEMORY_H

#include "core/graph.h"

typedef struct graph_memory graph_memory;

typedef struct graph_memory_options {
    uint8_t secret[16]; /* keys the hash of names */
    size_t bytes_max;   /* heap held; a merge that would end above it, and above
                           where it began, is STATUS_NO_SPACE */
    size_t held_max;    /* held writes; past it merge() is STATUS_TOO_BIG */
    bool delayed;       /* tickets settle at graph_memory_sync() only */
} graph_memory_options;

/* Gives a graph; graph_memory_free() takes it back. STATUS_NO_MEMORY. */
MUST_USE status graph_memory_new(graph_memory **out, const graph_memory_options *options);
void graph_memory_free(graph_memory *g);

/* The table, lent for as long as the graph lives. */
graph *graph_memory_table(graph_memory *g);

/* Removes rows of `soul` written to this graph more than `age_ms` of steady
 * time ago. (A relay sweeps its memory souls with it.) Looks at 4,096 souls a
 * call and goes on where it stopped, so that a flood of rooms cannot hold the
 * loop; few souls are swept whole by each call. */
void graph_memory_expire(graph_memory *g, moment now, int64_t (*age_ms)(void *context, slice soul),
                         void *context);

size_t graph_memory_bytes(const graph_memory *g); /* of heap, held writes too */
size_t graph_memory_rows(const graph_memory *g);  /* without held writes */

/* For tests, with `delayed`. */
void graph_memory_sync(graph_memory *g);
void graph_memory_fail(graph_memory *g, status why); /* what waits has failed */
void graph_memory_crash(graph_memory *g);            /* back to the last sync */

#endif
