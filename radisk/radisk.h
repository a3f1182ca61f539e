/* radisk.h - the graph on disk.
 *
 * Radisk keeps the newest write of every key: a value, its state, and no
 * history. Reads see a write as soon as merge() has taken it (an overlay over
 * LMDB); a thread of radisk's own writes what was gathered, one transaction and
 * one sync for everybody who waits.
 *
 * Promises, which the crash tests check word by word
 *   Durable.  When a ticket is safe (graph_settled), what it covers survives
 *             kill -9 and loss of power. Nobody is told "ok" before.
 *   Whole.    The writes of one merge() are all there after a crash, or none.
 *   Calm.     A merge that is not admitted (STATUS_NO_SPACE, STATUS_BUSY) leaves
 *             no trace, and the store goes on: reads at once, writes as soon as
 *             there is room. A write that the disk fails is not promised: it may
 *             survive, and readers may have seen it. What failed stays readable
 *             and is tried again every second; until that succeeds nothing more
 *             is admitted.
 *   Honest.   A ticket of a batch whose sync failed never becomes safe by itself:
 *             only when all of it was written anew, as part of a later batch,
 *             and that was synced.
 *
 * A row that is lent (graph.h) points into the overlay or into the map. It dies
 * with the next merge() or due(), and with radisk_turn() and radisk_flush(): they
 * lay down the read transaction, for LMDB frees no page that a reader may see.
 *
 * Two threads. All functions here belong to the thread that opened the store,
 * the loop's; the committer runs inside and is never seen. The only word from it
 * is options.wake, after which radisk_turn() is due. Never fork with a store open.
 *
 * Format 0. It has no journal, no checksums and no blobs; the format that has
 * them will refuse it with a sentence. docs/storage.md draws the rows.
 */
#ifndef RADISK_RADISK_H
#define RADISK_RADISK_H

#include "core/graph.h"

typedef struct radisk radisk;

typedef struct radisk_options {
    const char *folder;          /* made if missing, mode 0700 */
    size_t size_max;             /* bytes of map, and so of disk: address space only until used */
    size_t overlay_max;          /* bytes not yet durable; once past it merge() is STATUS_BUSY */
    size_t held_max;             /* writes from the future, in all; past it STATUS_TOO_BIG */
    uint8_t secret[16];          /* keys the hash of names; random */
    void (*wake)(void *context); /* from the committer: call radisk_turn() soon. Any thread. */
    void *wake_context;
} radisk_options;

/* Gives a store; radisk_close() takes it back: it commits what was gathered
 * first. On failure *out is untouched and `why` (if given) says in a sentence
 * what to do. STATUS_LOCKED: another process has the folder. STATUS_WRONG_FORMAT:
 * it holds another format, or something that is not ours; it was left as it is.
 * STATUS_IO, STATUS_NO_SPACE, STATUS_NO_MEMORY, STATUS_CORRUPT. */
enum { RADISK_WHY_MAX = 512 };
MUST_USE status radisk_open(radisk **out, const radisk_options *options, char why[RADISK_WHY_MAX]);
void radisk_close(radisk *store);

/* The table of graph.h over this store; lent for as long as the store is open. */
graph *radisk_graph(radisk *store);

/* Once per turn of the loop, after everything was heard: takes the committer's
 * news (tickets may settle), and hands it what was gathered if it is idle. */
void radisk_turn(radisk *store);

/* Waits until everything merged so far is durable or has failed. For a clean
 * stop, and for tools. */
MUST_USE status radisk_flush(radisk *store);

/* Whether a write would be admitted now: what /health asks. */
bool radisk_ready(const radisk *store);

typedef struct radisk_stats {
    uint64_t souls, rows, held; /* on disk */
    uint64_t overlay_rows, overlay_bytes;
    uint64_t commits, commits_failed, rows_written;
    uint64_t sync_us_last, sync_us_max; /* one commit, with its sync */
    uint64_t map_bytes_used, map_bytes_max;
} radisk_stats;
void radisk_measure(radisk *store, radisk_stats *out);

#endif
