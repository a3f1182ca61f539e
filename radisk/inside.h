/* inside.h - radisk as its own files see it.
 *
 * The overlay is a row of generations, newest first: the live one, which takes
 * merges, and up to two sealed ones, which the committer has:
 *
 *     live ----- turn: sealed when the committer is idle -----> sealed[0]
 *     sealed[*] -- told "durable", after the read transaction --> emptied
 *     sealed[*] -- told "failed": nothing is admitted any more;
 *                  live is sealed too, and all of it is tried again
 *                  as one later batch, until that is durable
 *
 * A row is looked up in that order and then in LMDB, and the first hit is the
 * newest: merge() judged each against what was behind it. It stands in the
 * overlay until a read transaction that began after its commit may see it in
 * LMDB, so it is visible at every moment, once.
 */
#ifndef RADISK_INSIDE_H
#define RADISK_INSIDE_H

#include "core/text.h"
#include "radisk/committer.h"
#include "radisk/disk.h"
#include "radisk/generation.h"
#include "radisk/radisk.h"

enum { OVERLAY_MAX = 1 + COMMITTER_GENERATIONS_MAX };

/* Where one soul stands, so that many keys of it cost one look-up: the soul
 * last asked for, valid within a turn. */
typedef struct place {
    text soul;
    bool known;
    generation_soul *in[OVERLAY_MAX]; /* beside radisk.overlay */
    bool disk_asked;
    uint64_t id; /* on disk, 0 when it is not there, if asked */
} place;

/* One step of a merge, for its undoing. */
typedef struct change {
    bool held; /* else a row was put */
    generation_change put;
    slice held_key;
} change;

struct radisk {
    graph table;
    radisk_options options; /* without the folder's name */
    disk disk;
    committer *committer;

    generation pool[OVERLAY_MAX];
    generation *overlay[OVERLAY_MAX]; /* newest first; [0] is live */
    size_t overlay_len;
    bool committing; /* the committer has overlay[1...] */
    uint64_t committing_batch;
    bool damaged;   /* the environment could not be opened again */
    status trouble; /* why the last batch failed; STATUS_OK when it did not */
    graph_progress progress;

    place place;
    change *changes;
    size_t changes_room;

    uint64_t held;                     /* held writes, here and on disk */
    double held_next;                  /* the first one's due time */
    bool held_stale;                   /* held_next is to be found out again */
    char held_before[LAYOUT_HELD_KEY]; /* none below or at it, but in live */
    bool held_before_known;

    radisk_stats stats; /* what is counted as it happens */
};

static inline generation *overlay_live(const radisk *store)
{
    return store->overlay[0];
}
static inline slice held_key_slice(const char *at)
{
    return (slice){ at, LAYOUT_HELD_KEY };
}

/* What is kept of a key, and until when it is not durable. */
typedef struct kept {
    ham_write write; /* lent until the graph changes or the turn ends */
    graph_ticket ticket;
} kept;

/* place.c: finding. The place of a soul is lent until the turn ends or the
 * next one is asked for. STATUS_NO_MEMORY. */
MUST_USE status place_of(radisk *store, slice soul, place **out);
MUST_USE status place_id(radisk *store, place *p, uint64_t *id);
MUST_USE status place_find(radisk *store, place *p, slice key, kept *out);
void place_forget(radisk *store);

/* merge.c. */
status merge_admits(const radisk *store);
status merge_writes(void *context, graph_write *writes, size_t count, moment now,
                    graph_ticket *ticket);

/* Judges a write whose time has come and takes what HAM takes. */
MUST_USE status merge_put(radisk *store, slice soul, slice key, const ham_write *write,
                          ham_verdict *verdict, graph_row *taken);

/* scan.c. */
status scan_keys(void *context, slice soul, const lex_range *range, graph_visit *visit,
                 void *visitor);
status scan_souls(void *context, const lex_range *range, graph_visit *visit, void *visitor);

/* held.c. */
MUST_USE status held_open(radisk *store);
MUST_USE status held_add(radisk *store, const graph_write *write, change *out,
                         graph_ticket *ticket);
void held_undo(radisk *store, const change *undone);
void held_sealed(radisk *store);
status held_due(void *context, moment now, size_t most, graph_visit *visit, void *visitor);
double held_next_due(void *context);

#endif
