/* generation.h - writes taken and not yet in LMDB: the newest per (soul, key).
 *
 * A generation holds the same rows as one segment of the journal. It gathers on
 * the loop's thread until it is sealed. From then on nobody changes it, so two
 * threads read it without a lock: the loop, which answers from it, and the
 * folder, which moves it into LMDB. When that is done the loop empties it and
 * uses it again.
 *
 * Souls are found by a keyed hash. They are put in order only when somebody asks
 * for that: the folder sorts them aside, in its own time, and a query over souls
 * has them listed on a ladder. (A ladder filled with every put cost a quarter of
 * the loop's time.) The keys of a soul stand on a ladder of its own, short for
 * nearly all. All memory is one arena's.
 *
 * Beside rows it carries what changes among the held writes (held.c): those
 * added and those released.
 */
#ifndef RADISK_GENERATION_H
#define RADISK_GENERATION_H

#include "core/arena.h"
#include "core/ham.h"
#include "core/status.h"
#include "radisk/blob.h"
#include "radisk/ladder.h"

/* A value: its text, or the blob it is. */
typedef struct generation_blob {
    blob_ref ref;
    blob_place place; /* known once its batch is durable: before the generation is folded */
} generation_blob;

typedef struct generation_value {
    slice text;                  /* when blob is NULL */
    const generation_blob *blob; /* borrowed until the generation is emptied */
} generation_value;

typedef struct generation_row {
    slice key;
    generation_value value;
    double state;
    uint64_t batch; /* of the journal: durable when that is */
    size_t room;    /* bytes that value.text may grow to where it stands */
} generation_row;

typedef struct generation_held {
    slice soul, key;
    generation_value value;
    double state;
    uint64_t batch;
} generation_held;

typedef struct generation_soul generation_soul;
struct generation_soul {
    slice name;
    uint64_t id; /* on disk; 0 when that is not known */
    uint64_t hash;
    bool hashed;              /* its keys are content hashes */
    ladder rows;              /* of generation_row */
    generation_soul *chained; /* in its bucket */
    generation_soul *older;   /* the one that came before it */
};

typedef struct generation {
    uint64_t segment; /* of the journal; the last one, when it stands for several */
    bool replayed;    /* read from the journal at the start: LMDB may have newer rows */
    arena memory;
    generation_soul *newest; /* of all souls */
    size_t souls, rows;
    ladder listed; /* of generation_soul: those up to last_listed */
    const generation_soul *last_listed;
    ladder held_added;     /* by held key, of generation_held */
    ladder held_released;  /* by held key */
    uint64_t hashed_bytes; /* of values of content hashes (hashed.h), held ones too */

    generation_soul **buckets;
    size_t mask;
    const uint8_t *secret; /* of the hash; borrowed */
    uint64_t chance;
} generation;

/* Opens an empty generation for about `bytes_max` bytes of rows; the table of
 * souls is fixed by it, so that it never stalls to grow. STATUS_NO_MEMORY. */
MUST_USE status generation_open(generation *g, const uint8_t *secret, size_t bytes_max);
void generation_close(generation *g);

/* Empties it. */
void generation_reset(generation *g);

bool generation_is_empty(const generation *g);

generation_soul *generation_find(const generation *g, slice soul);
generation_row *generation_find_row(const generation_soul *soul, slice key);

/* Brings the ladder of souls up to date. The loop's, also while the folder reads a
 * sealed generation: it looks at no ladder of souls. STATUS_NO_MEMORY. */
MUST_USE status generation_list(generation *g);

/* Bytes of its text (hashed.h). */
uint64_t generation_value_bytes(const generation_value *value);

/* What a put changed, so that it can be undone while nothing else has changed
 * since: changes are undone in reverse. */
typedef struct generation_change {
    generation_soul *soul;
    generation_row *row;
    bool new_soul, new_row;
    generation_row before;
} generation_change;

/* Puts a write that HAM has taken. `soul` may be what generation_find() said a
 * moment ago, or NULL when it is not there; `id` its number on disk or 0. With
 * `for_good` the write will not be undone, and may reuse the room of the value
 * before it. Names and text are copied. STATUS_NO_MEMORY: nothing changed. */
typedef struct generation_put {
    generation_soul *soul;
    slice name, key;
    uint64_t id;
    double state;
    slice text;                  /* when blob is NULL */
    const generation_blob *blob; /* or NULL; outlives the generation's content */
    uint64_t batch;
    bool for_good;
} generation_put;

MUST_USE status generation_take(generation *g, const generation_put *put, generation_change *out);
void generation_undo(generation *g, const generation_change *change);

/* Held writes: adds one under its key, or notes that one is released. All but a
 * blob is copied. STATUS_NO_MEMORY: nothing changed. */
MUST_USE status generation_hold(generation *g, slice held_key, const generation_held *h);
MUST_USE status generation_release(generation *g, slice held_key);

/* Takes a held write back that was added. */
void generation_unhold(generation *g, slice held_key);

#endif
