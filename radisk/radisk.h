/* radisk.h - the graph on disk.
 *
 * Radisk keeps the newest write of every key: a value, its state, and no
 * history. Reads see a write as soon as merge() has taken it. It becomes durable
 * in a journal, with one sync for everybody who waits, and moves from there to
 * LMDB in the background; values over 4 KB go to files of their own, once each.
 *
 * Promises, which the crash tests check word by word
 *   Durable.  When a ticket is safe (graph_settled), what it covers survives
 *             kill -9 and loss of power. Nobody is told "ok" before.
 *   Whole.    The writes of one merge() are all there after a crash, or none.
 *   Calm.     A merge that is not admitted (STATUS_NO_SPACE, STATUS_BUSY) leaves
 *             no trace, and the store goes on: reads at once, writes as soon as
 *             there is room, by themselves. A write that the disk fails is not
 *             promised: it may survive, and readers may have seen it.
 *   Honest.   A sync that failed is never trusted again: what it stood for is
 *             written anew, elsewhere, and synced, before anything more is
 *             admitted. A second failure within a minute latches: writes answer
 *             STATUS_IO until the store is opened again, reads go on. (A full disk
 *             is no failure: it is asked again every second.)
 *   Proved.   A row whose bytes were damaged answers STATUS_CORRUPT for itself,
 *             never a wrong value, and harms no other.
 *   For good. What was purged does not come back: not from the journal, not from
 *             a peer with an old copy, until its floor is swept.
 *   In time.  A row of a soul named "<?N" leaves the disk when it has expired, and
 *             never one that has not by the clock of that moment (folder.h). Until
 *             then it is still shown here: what is served is the relay's to judge.
 *
 * A row that is lent (graph.h) points into memory of the store or into the map.
 * It dies with the next merge() or due(), with radisk_turn() and radisk_flush()
 * (they lay down the read transaction, for LMDB frees no page that a reader may
 * see), and a value over 4 KB with the next look or row of a scan.
 *
 * Threads. All functions here belong to the thread that opened the store, the
 * loop's, but those of a view (radisk/view.h). Two workers, of the journal and of
 * the folder, run inside and are never seen. The only word from them is
 * options.wake, after which radisk_turn() is due. Never fork with a store open.
 *
 * docs/storage.md draws the files, byte by byte.
 */
#ifndef RADISK_RADISK_H
#define RADISK_RADISK_H

#include "core/graph.h"
#include "radisk/file.h"

typedef struct radisk radisk;

/* All bounds; 0 stands for the default. */
typedef struct radisk_limits {
    size_t size_max;    /* bytes of map, and so of disk: address space only until used. 16 GiB */
    size_t overlay_max; /* bytes of memory for what is not in LMDB; past it STATUS_BUSY. 128 MiB */
    size_t journal_max; /* bytes of journal not in LMDB; past it STATUS_BUSY. 64 MiB */
    size_t segment_bytes;   /* a generation of so many bytes of journal is folded. 24 MiB */
    uint32_t fold_age_ms;   /* so is one whose first row is so old. 1 s */
    uint32_t fold_rows;     /* of one transaction. 10,000; less for a small map */
    size_t changelog_bytes; /* of folded segments that are kept for radisk_changes(). 64 MiB */
    size_t held_max;        /* writes from the future, in all; past it STATUS_TOO_BIG. 1 million */
    size_t blob_segment_bytes; /* a new blob segment begins past it. 256 MiB */
    size_t floor_keep_ms;      /* how long what was purged is remembered. 90 days */
    size_t audio_grace_ms;     /* of audio that nothing names (space.h). 24 h */
    size_t audio_pass_ms;      /* how often such is looked for. 1 h */
} radisk_limits;

radisk_limits radisk_default_limits(void);

typedef struct radisk_options {
    const char *folder; /* made if missing, mode 0700 */
    radisk_limits limits;
    uint8_t secret[16]; /* keys the hash of names, and is the id of a new store; random */
    bool by_hand;       /* no threads: radisk_step() does the work. For the simulator */
    const files *files; /* NULL for the real ones; else what stands for journal/ and blobs/ */
    double (*now_ms)(void *context);   /* steady, for the age of a generation; NULL: the system's */
    double (*clock_ms)(void *context); /* wall time, for what expires; NULL: the system's */
    double wall_ms;                    /* wall time at the start; 0: what the clock says */
    void (*wake)(void *context);       /* call radisk_turn() soon. From any thread. May be NULL */
    void *context;                     /* of these */
} radisk_options;

/* Gives a store; radisk_close() takes it back: it makes durable what was gathered,
 * and folds what it can. On failure *out is untouched and `why` (if given) says in
 * a sentence what to do; on success `why` holds what was noticed (damage, a torn
 * record, a file system not known to be safe), or is empty. STATUS_LOCKED: another
 * process has the folder. STATUS_WRONG_FORMAT: it holds another format, something
 * that is not ours, or is on a network file system; it was left as it is.
 * STATUS_IO, STATUS_NO_SPACE, STATUS_NO_MEMORY, STATUS_CORRUPT. */
enum { RADISK_WHY_MAX = 512 };
MUST_USE status radisk_open(radisk **out, const radisk_options *options, char why[RADISK_WHY_MAX]);
void radisk_close(radisk *store);

/* The same without a last word to the disk, as a loss of power would: for the
 * simulator. Only by hand. */
void radisk_crash(radisk *store);

/* The table of graph.h over this store; lent for as long as the store is open. */
graph *radisk_graph(radisk *store);

/* Once per turn of the loop, after everything was heard: takes the workers' news
 * (tickets may settle), and hands them what there is to do if they are idle. */
void radisk_turn(radisk *store);

/* Steady milliseconds until radisk_turn() has something to do by itself (a
 * generation grows old, a disk is asked again); INFINITY when nothing. */
double radisk_due_in_ms(radisk *store);

/* Waits until everything merged so far is durable or has failed. */
MUST_USE status radisk_flush(radisk *store);

/* Waits until everything merged so far is in LMDB, or this has failed. */
MUST_USE status radisk_fold(radisk *store);

/* Waits until a worker has done something, and takes the turn that follows; false
 * when none has anything to do. For processes without a loop. */
bool radisk_wait(radisk *store);

/* By hand only: does the job at hand of the journal's worker, or the folder's.
 * Whether there was one. radisk_turn() takes its news. */
bool radisk_step_journal(radisk *store);
bool radisk_step_folder(radisk *store);

/* Whether a write would be admitted now: what /health asks. */
bool radisk_ready(const radisk *store);

/* Why not, in a few words for an operator; "" when it would. */
const char *radisk_trouble(const radisk *store);

/* ---- purge ---- */

/* Told once, from radisk_turn() or radisk_purge_wait(): how it ended, and how many
 * rows went (or would have gone). */
typedef void radisk_purged(void *context, status how, uint64_t rows);

/* Removes for good: one row (key given), a soul (key empty), or every soul that
 * begins with `soul` (prefix). From now on no write at or below `now.wall_ms` or
 * the state of what is removed is taken there. One at a time: STATUS_BUSY. */
typedef struct radisk_purge {
    slice soul, key;
    bool prefix, dry_run;
} radisk_purge;
MUST_USE status radisk_purge_begin(radisk *store, const radisk_purge *what, moment now,
                                   radisk_purged *told, void *context);

/* ---- the change log ---- */

/* A place in the journal: never repeated by this store. {0, 0} is before all. */
typedef struct radisk_position {
    uint64_t segment, offset;
} radisk_position;

/* Visits rows that were accepted after `from`, oldest first, up to about `most`
 * rows; *next is where to go on. Rows that were written anew, or lost since to newer ones,
 * come as they were, and some twice; what was purged does not come. STATUS_NOT_FOUND: `from` is no
 * longer in the log (the reader needs everything: a scan). STATUS_IO, STATUS_NO_MEMORY. */
MUST_USE status radisk_changes(radisk *store, radisk_position from, size_t most, graph_visit *visit,
                               void *visitor, radisk_position *next);

/* Where the log ends now: of everything accepted before, and durable, nothing
 * comes after it. Take it, then scan, then follow. */
radisk_position radisk_here(const radisk *store);

/* This store's id: positions mean nothing in another one. 16 bytes, lent. */
const uint8_t *radisk_id(const radisk *store);

/* ---- figures ---- */

/* Bytes of content hashes that are kept (hashed.h): exact when all is folded, else not
 * below what will be. Costs nothing. */
uint64_t radisk_hashed_bytes(const radisk *store);

typedef struct radisk_stats {
    uint64_t souls, rows, held, blobs; /* in LMDB */
    uint64_t overlay_rows, overlay_bytes;
    uint64_t batches, batches_failed, records, rows_journaled; /* of the journal */
    uint64_t journal_bytes, blob_bytes; /* written to it, and to blob segments */
    uint64_t sync_us_last, sync_us_max; /* a batch: its write and sync */
    uint64_t folds, folds_failed, rows_folded, rows_written, transactions;
    uint64_t fold_us_last, fold_us_max;
    uint64_t unfolded_bytes;           /* of journal, right now */
    uint64_t segment;                  /* the live one's number */
    uint64_t damaged_rows;             /* met since the start */
    uint64_t replayed_rows, replay_us; /* at the start */
    uint64_t hashed_bytes;             /* radisk_hashed_bytes() */
    uint64_t rows_expired;             /* left the disk, or never came to it */
    uint64_t roots;                    /* of audio (space.h) */
    uint64_t roots_collected;          /* since the start */
    uint64_t rows_collected;
    uint64_t collected_bytes; /* of blob segments that were dead weight */
    uint64_t map_bytes_used, map_bytes_max;
    bool latched;
} radisk_stats;
void radisk_measure(radisk *store, radisk_stats *out);

#endif
