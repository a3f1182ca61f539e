/* store.h - what the simulated relay keeps its graph in, and what becomes of that
 * when the relay crashes.
 *
 * Memory: core/graph_memory plays a disk; a crash forgets what was not synced.
 *
 * Radisk: the store of the server, by hand, over a disk in memory that forgets
 * (tests/kit/fake_disk.h); LMDB itself is real, in a folder that is emptied for
 * every world. Its two workers do a job when an event of the seed says so, so a
 * sync takes its time, and a fold falls anywhere. Its limits are small: segments
 * are sealed, folded and used again, blobs are written and collected. A crash
 *
 *     kills   what was written is there, synced or not; a loss of power may follow
 *     power   what was not synced may be lost, torn, or there
 *
 * may come in the middle of a job: after so many calls of files, or commits of
 * LMDB, nothing is done any more. What was committed to LMDB stays: that a commit
 * is atomic and durable is its own promise, and not what is tried here.
 *
 * While the world is not calm its disk fails: a sync, a write, a commit once, or
 * it is full for a while. Two failures within a minute latch the store, and then
 * an operator starts the relay again. And now and then something is purged, or audio is
 * collected that nobody names.
 *
 * witness.c remembers what the store was told, and asks it after each start:
 *   - a merge whose ticket was safe is there, every row of it;
 *   - of any other merge all is there, or nothing;
 *   - what was purged is not.
 */
#ifndef TESTS_SIM_STORE_H
#define TESTS_SIM_STORE_H

#include "core/graph.h"
#include "tests/sim/dice.h"
#include "tests/sim/names.h"

typedef struct world world;
typedef struct store store;

typedef enum store_kind { STORE_MEMORY, STORE_RADISK } store_kind;

typedef struct store_counts {
    uint64_t worlds, starts, replayed, batches, batches_failed, folds, folds_failed;
    uint64_t transactions, blob_bytes, collected_bytes, purges, rows_purged, latched;
    uint64_t collected; /* roots of audio */
    uint64_t died_in_a_job, power_losses, torn_starts;
} store_counts;

store *store_new(world *w, store_kind kind);
void store_free(store *s);
bool store_is_radisk(const store *s);
dice *store_dice(store *s); /* its own: the others' throws are the same over both kinds */
void store_add_counts(const store *s, store_counts *to);

/* The table, lent for the store's life; asked only while it is up. */
graph *store_graph(store *s);

/* False: the disk did not let it, try again later. */
bool store_start(store *s);
void store_crash(store *s);
void store_flush(store *s); /* the first half of a clean stop: tickets settle */
void store_stop(store *s);

/* As the loop of the server calls it, at both ends of a turn. */
void store_turn(store *s);

/* Events: a sync is done, the folder has done a job, something goes wrong. */
void store_synced(store *s);
void store_folded(store *s);
void store_fault(store *s);
void store_room(store *s); /* a disk that was full has room again */
void store_operator(store *s);

void store_calm(store *s);   /* nothing goes wrong any more, and what did is mended */
void store_settle(store *s); /* everything durable, without an event */

/* Whether a write of this state may be gone for good because of a purge. */
bool store_may_be_purged(const store *s, int soul, int key, double state);

/* A merge took this row; a peer brought this chunk, which was known. */
void store_taken(store *s, int soul, int key, uint64_t batch);
void store_known(store *s, slice soul, slice key);

/* Fails the world when something purged is there. */
void store_check_purged(store *s);

#endif
