/* inside.h - radisk as its own files see it.
 *
 * The overlay is two generations at most: the live one, which takes merges, and
 * behind it one that is on its way into LMDB, `sealed` or replayed at the start.
 *
 *     live ----- seal: the folder is idle, and it is large, old, or asked for ----> sealed
 *     sealed --- its last batch is durable ----> the folder has it
 *     sealed --- "folded": the read transaction was laid down ----> emptied
 *
 * A row is looked up in that order and then in LMDB. The first hit is the newest:
 * merge() judged each against what was behind it. Only behind a replayed
 * generation must one look further: LMDB may be ahead of it, and HAM decides.
 *
 * Beside the rows runs the journal. merge() adds one record to `gather`; when the
 * journal's worker is idle, a turn hands it over as one batch, and `flight` is
 * what it has. A batch goes to the segment of the generation its rows are in.
 *
 *     gather ---- turn: the worker is idle ----> flight ---- told ----> durable
 *                                                  |
 *                                                  +-- failed: nothing is admitted, and every
 *                                                      row of the overlay is the next batch, one
 *                                                      group in a fresh segment
 *
 * Which file does what: merge, place, scan, held: the graph. blobs: values over
 * 4 KB on their way. log: the journal's side of a turn; fold: the folder's;
 * errands: purges and views, which wait for a fold; expire: when the folder looks for
 * what has expired; space: when it collects audio; room: admission; recover: the start.
 */
#ifndef RADISK_INSIDE_H
#define RADISK_INSIDE_H

#include "core/text.h"
#include "radisk/blobs.h"
#include "radisk/disk.h"
#include "radisk/folder.h"
#include "radisk/generation.h"
#include "radisk/journal.h"
#include "radisk/radisk.h"
#include "radisk/view.h"
#include "radisk/walk.h"
#include "radisk/worker.h"

#include <stdatomic.h>

enum {
    OVERLAY_MAX = 2,
    RETRY_MS = 1000,         /* how long a full or failing disk is left alone */
    LATCH_MS = 60 * 1000,    /* a second failure within this latches */
    SEGMENT_START = 1 << 20, /* zeros in a new segment, at least; it may grow past them */
};

/* Where one soul stands, so that many keys of it cost one look-up: the soul
 * last asked for, valid within a turn. */
typedef struct place {
    text soul;
    bool known;
    generation_soul *in[OVERLAY_MAX]; /* beside radisk.overlay */
    bool disk_asked, on_disk;
    disk_soul disk; /* if on_disk */
    double floor;   /* of the soul and of prefixes, if disk_asked */
} place;

/* One step of a merge, for its undoing. */
typedef struct change {
    bool held; /* else a row was put */
    const graph_write *lost; /* or neither: this may have to stand in the journal, nowhere else */
    generation_change put;
    slice held_key;
    blob_entry *made; /* the value's, if this step made it */
} change;

/* What is on its way to the journal. */
typedef struct batch {
    uint64_t number;
    journal_writer records;
    blob_batch blobs;
} batch;

/* A job of the journal's worker. */
typedef struct log_job {
    const files *files;
    journal_segment *segment;
    batch *batch;
    blob_store *blobs;
    _Atomic bool *syncing;
    status how;
    uint64_t took_us;
} log_job;

typedef enum errand { FOLD, PREPARE, DROP, PURGE, COLLECT, EXPIRE, SPACE, SWEEP } errand;

typedef struct space space; /* space.c */

/* A folded segment that is still there, or could be used again. */
typedef struct old_segment {
    uint64_t number, bytes;
} old_segment;

/* A job of the folder's worker. */
typedef struct fold_job {
    errand errand;
    folder folder;
    const generation *generation;
    uint64_t through;
    uint64_t number, recycled; /* PREPARE */
    size_t bytes;
    old_segment dropped[8];
    size_t dropped_count;
    journal_segment made;
    const uint8_t *store_id;
    purge purge;       /* PURGE */
    double floor;      /* PURGE: what it left; SWEEP: those made before go */
    uint64_t from, to; /* COLLECT, DROP */
    space_work *space; /* SPACE */
    folder_news news;
} fold_job;

/* What waits until everything of a moment is in LMDB. */
typedef struct pending_purge {
    bool wanted, dry_run, prefix;
    text soul, key;
    double floor, now_ms;
    uint64_t after; /* segment that must be folded */
    radisk_purged *told;
    void *context;
} pending_purge;

typedef struct pending_view {
    struct pending_view *next;
    uint64_t after;
    radisk_viewed *told;
    void *context;
} pending_view;

typedef struct prefix_floor {
    text prefix;
    double floor;
} prefix_floor;

struct radisk {
    graph table;
    radisk_limits limits;
    uint8_t secret[16];
    double (*now_ms)(void *context);
    double (*clock_ms)(void *context);
    void *context;
    bool by_hand;
    files files;
    disk disk;
    worker *journal, *folder;

    generation pool[OVERLAY_MAX];
    generation *overlay[OVERLAY_MAX]; /* newest first; [0] is live */
    size_t overlay_len;
    double live_since_ms;            /* steady: its first row; INFINITY when it is empty */
    size_t live_bytes, sealed_bytes; /* of journal */
    size_t segment_wish;             /* what the last segment held: the next one's zeros */
    bool sealed_whole;               /* every batch of the sealed one is durable */

    journal_segment segment, next, leaving; /* live; prepared; of the sealed one's last batch */
    bool has_next, has_leaving;
    bool segment_lost;    /* the live one failed, and the next is not there yet */
    uint64_t next_number; /* of a segment */
    old_segment *old;     /* folded ones, oldest first */
    size_t old_len, old_room;
    uint64_t folded_through;

    batch batches[2];
    batch *gather, *flight; /* flight is NULL when the worker is idle */
    log_job log_job;
    _Atomic bool syncing;
    bool rewriting; /* what is in flight is the whole overlay */
    graph_progress progress;
    uint64_t durable_end; /* of the live segment */

    fold_job fold_job;
    bool folding; /* the folder has a job */
    bool reopen_wanted;
    uint64_t drop;        /* a blob segment that nobody needs any more; 0 for none */
    double collect_at_ms; /* steady: when blob segments are looked at again */
    double sweep_at_ms;   /* steady: when old floors are */
    double expire_at_ms;  /* steady: not before then is looked for what has expired */
    double expiry_ms;     /* wall: when the first row that is noted expires; INFINITY */
    bool expiry_known;

    space *space; /* audio that is collected */

    status trouble;      /* why the journal does not take anything now */
    status fold_trouble; /* why the last fold failed */
    status prepare_trouble;
    status room;                      /* STATUS_NO_SPACE: the reserve is not there */
    uint64_t blobs_at_ask, blob_room; /* bytes of blob files when room was asked for, and left */
    double room_at_ms;                /* steady: when room is asked again */
    double failed_at_ms;              /* steady: the last failure that was not for want of room */
    bool latched;
    double opened_ms;  /* wall, at the start */
    double wall_ms;    /* of the last merge: for what is measured in days */
    uint64_t map_used; /* bytes, as of the last fold */
    uint64_t hashed;   /* bytes of content hashes in LMDB */
    bool damaged;      /* the environment could not be opened again */

    blob_store *blobs;
    text lent;       /* the last value over 4 KB that was lent */
    text held_value; /* the one of the held write that comes due */

    place place;
    change *changes;
    size_t changes_room;

    pending_purge purge;
    pending_view *views;
    _Atomic size_t views_open;
    uint64_t asked_through; /* fold at least through this segment, at once */
    prefix_floor *floors;
    size_t floors_len, floors_room;

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

static inline generation *overlay_sealed(const radisk *store)
{
    return store->overlay_len > 1 ? store->overlay[1] : NULL;
}

static inline size_t pool_index(const radisk *store, const generation *g)
{
    return (size_t)(g - store->pool);
}

static inline slice held_key_slice(const char *at)
{
    return (slice){ at, LAYOUT_HELD_KEY };
}

/* What is kept of a key, and until when it is not durable. Its value is read
 * when it is asked for: kept_value(). When nothing is kept: at or below which
 * state nothing is taken. */
typedef struct kept {
    double state;
    double floor;
    graph_ticket ticket;
    slice text; /* when is_blob is not set */
    bool is_blob;
    blob_ref ref;
    const generation_blob *blob; /* in the overlay; NULL when it is on disk */
} kept;

/* place.c: finding. The place of a soul is lent until the turn ends or the
 * next one is asked for. STATUS_NO_MEMORY. */
MUST_USE status place_of(radisk *store, slice soul, place **out);
MUST_USE status place_disk(radisk *store, place *p);
MUST_USE status place_find(radisk *store, place *p, slice key, kept *out);
void place_forget(radisk *store);

/* The value's text, lent until the next one is. */
MUST_USE status kept_value(radisk *store, const kept *k, slice *out);

/* How two writes with one state are ordered: as value_order() orders texts. */
MUST_USE status kept_judge(radisk *store, const kept *ours, const ham_write *incoming,
                           double now_ms, ham_verdict *out);

/* merge.c. */
status merge_writes(void *context, graph_write *writes, size_t count, moment now,
                    graph_ticket *ticket);

/* The live generation is not empty any more: its age is counted from here. */
void merge_touched(radisk *store);

/* Judges a held write whose time has come and takes what HAM takes. */
MUST_USE status merge_put(radisk *store, const generation_held *write, ham_verdict *verdict,
                          graph_row *taken);

/* scan.c. */
status scan_keys(void *context, slice soul, const lex_range *range, graph_visit *visit,
                 void *visitor);
status scan_souls(void *context, const lex_range *range, graph_visit *visit, void *visitor);

/* held.c. */
MUST_USE status held_open(radisk *store);
MUST_USE status held_add(radisk *store, const graph_write *write, const generation_value *value,
                         change *out);
/* Puts a held write into a generation, whatever the bounds. */
MUST_USE status held_take(radisk *store, generation *into, const graph_write *write,
                          const generation_value *value, uint64_t number, slice *kept_key);
/* Whether this very write is held already, and when that is durable. */
MUST_USE status held_find(radisk *store, const graph_write *write, bool *found,
                          graph_ticket *ticket);
void held_undo(radisk *store, const change *undone);
void held_sealed(radisk *store);
status held_due(void *context, moment now, size_t most, graph_visit *visit, void *visitor);
double held_next_due(void *context);

/* floors.c: below which state nothing is taken again. */
MUST_USE status floors_open(radisk *store);
void floors_free(radisk *store);
MUST_USE status floors_add(radisk *store, slice prefix, double floor);
double floors_of_soul(const radisk *store, slice soul); /* of prefixes; -INFINITY for none */
double floors_pending(const radisk *store, slice soul, slice key); /* of the purge under way */

/* log.c: the journal's side of a turn. */
bool log_told(radisk *store); /* takes its news; whether there was any */
void log_hand(radisk *store); /* hands what was gathered, if it can be */
bool log_idle(const radisk *store);

/* The live generation becomes the sealed one; what is gathered is its last batch. */
void log_seal(radisk *store);

/* Counts a failure that was not for want of room: the second one latches. */
void log_note_failure(radisk *store, status how);

/* fold.c: the folder's side. */
bool fold_told(radisk *store);
void fold_hand(radisk *store);
bool fold_wants_seal(const radisk *store, double now_ms);
double fold_due_in_ms(const radisk *store, double now_ms);

/* Notes a segment that is not written any more: when it is folded it may be kept
 * as change log, used again, or removed. */
void fold_note_old(radisk *store, uint64_t number, uint64_t bytes);

/* The numbers of souls that generations have learnt may stand for nothing now. */
void fold_forget_ids(radisk *store);

/* Asks LMDB how large it is, for the age at which generations are folded. */
void fold_note_map(radisk *store);

/* Makes a segment at once, at the start. */
MUST_USE status fold_first_segments(radisk *store);

/* expire.c: when the folder looks for what has expired. */
bool expire_is_due(radisk *store, double now_ms);
double expire_due_in_ms(radisk *store, double now_ms);
void expire_told(radisk *store, const folder_news *news);

/* space.c: audio that is collected. What the folder is to do next, lent until it is
 * told; NULL for nothing. */
MUST_USE status space_open(radisk *store);
void space_free(radisk *store);
space_work *space_hand(radisk *store, double now_ms);
void space_told(radisk *store, const folder_news *news);
void space_turn(radisk *store);
void space_stale(radisk *store);
void space_flush(radisk *store); /* before the store closes: what was noted is written */
double space_due_in_ms(radisk *store, double now_ms);

/* While roots are watched, every write that is judged is met; while they are condemned,
 * what the disk has of them is as good as gone. */
bool space_is_watching(const radisk *store);
void space_meet(radisk *store, slice soul, slice key, slice value);
bool space_is_condemned(const radisk *store, slice soul);

/* errands.c: what waits for a fold. */
uint64_t errands_after(const radisk *store); /* the segment that has everything of now */
uint64_t errands_ask(radisk *store);         /* the same, and it is sealed at once */
void errands_turn(radisk *store);
void errands_free(radisk *store);
bool errands_purge_ready(const radisk *store);
void errands_purged(radisk *store, const fold_job *job);

/* room.c: admission. */
status room_admits(const radisk *store);
void room_turn(radisk *store, double now_ms);
size_t room_overlay_bytes(const radisk *store);
double room_due_in_ms(const radisk *store, double now_ms);

/* recover.c: the journal of before, into a replayed generation. */
MUST_USE status recover(radisk *store, double wall_ms, char *why, size_t room);

#endif
