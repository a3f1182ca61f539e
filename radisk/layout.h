/* layout.h - names and rows as bytes on disk, format 1.
 *
 * Knows no LMDB: slices in, bytes out, and back. docs/storage.md draws every
 * table; this is what the drawings rest on.
 *
 * Stored names. LMDB orders keys by memcmp and takes at most 511 bytes. A name
 * is CESU-8, whose memcmp order is JavaScript's, so up to 440 bytes it is its
 * own stored form. A longer one is stored as its first 440 bytes and the
 * BLAKE2b-256 of all of it; the whole name stands in the entry. Three things
 * follow:
 *   - a stored name of 472 bytes is a long one, and no other can be: nothing a
 *     name contains makes it collide with another name;
 *   - long names that differ within 440 bytes are in order, those that do not
 *     stand together, in no order, right after the name that is their first 440
 *     bytes if there is one: a reader sorts that group (walk.h);
 *   - whoever finds a long name compares it with the whole one.
 *
 * Entries. Behind a name (of a soul, in the index; of a key, in the rows) stand
 *
 *     number  8 bytes, big-endian     the soul's id; the state's IEEE bits
 *     check   8 bytes                 over everything else; see below
 *     kind    1 byte                  layout_kind
 *     length  4 bytes, big-endian  \  only when the stored name is 472 bytes
 *     name    that many bytes      /
 *     rest                            by kind
 *
 * Checks. LMDB 0.9 has none, and a wrong value served is worse than an error. The
 * check is SipHash-2-4 under a fixed, public key (against damage, not against
 * malice), chained: over the soul, then the key's whole name, then number, kind
 * and rest. So a row that strayed to another soul or key does not pass. What the
 * soul contributes is the same for all its rows: a layout_seal, made once.
 */
#ifndef RADISK_LAYOUT_H
#define RADISK_LAYOUT_H

#include "core/ham.h"
#include "core/status.h"
#include "radisk/blob.h"

#include <stdint.h>

enum {
    LAYOUT_WHOLE_MAX = 440,                       /* a longer name is stored with a hash */
    LAYOUT_HASH = 32,                             /* BLAKE2b-256 */
    LAYOUT_LONG = LAYOUT_WHOLE_MAX + LAYOUT_HASH, /* what a long name is stored as */
    LAYOUT_ID = 8,
    LAYOUT_KEY_MAX = LAYOUT_ID + LAYOUT_LONG, /* below LMDB's 511 */
    LAYOUT_HELD_KEY = 8 + LAYOUT_HASH,
};

typedef struct layout_key {
    size_t len;
    char at[LAYOUT_KEY_MAX];
} layout_key;

static inline slice layout_key_slice(const layout_key *k)
{
    return (slice){ k->at, k->len };
}

void layout_put64(char at[static 8], uint64_t number);
uint64_t layout_get64(const char at[static 8]);
void layout_put32(char at[static 4], uint32_t number);
uint32_t layout_get32(const char at[static 4]);

/* States as numbers and back: the bits of the double. */
uint64_t layout_state_number(double state);
double layout_number_state(uint64_t number);

/* The key of a soul in the index, and of a row: its soul's id, then the name. */
void layout_soul_key(layout_key *out, slice soul);
void layout_row_key(layout_key *out, uint64_t id, slice key);

/* What stands in an entry. */
typedef enum layout_kind {
    LAYOUT_TEXT = 0,  /* rest: the value's canonical text. Of a soul: it is there */
    LAYOUT_BLOB = 1,  /* rest: LAYOUT_BLOB_REF bytes */
    LAYOUT_FLOOR = 2, /* purged: number is the floor; rest: when, 8 bytes. Of a soul:
                         rest: floor 8, when 8, and number its id */
} layout_kind;

enum { LAYOUT_ENTRY_HEAD = 17 }; /* number, check, kind */
enum { LAYOUT_BLOB_REF = 40 };   /* hash 32 | text length 4 | encoding 4 */

/* What the soul contributes to the checks of its rows. */
typedef struct layout_seal {
    uint8_t key[16];
} layout_seal;
void layout_seal_soul(layout_seal *out, slice soul);

typedef struct layout_entry {
    slice name;
    uint64_t number;
    layout_kind kind;
    slice rest;
} layout_entry;

/* How many bytes an entry takes, and the entry written there. `seal` is that of
 * the soul for a row, and the one of the index (layout_index_seal) for a soul. */
size_t layout_entry_bytes(const layout_entry *e);
void layout_entry_write(char *at, const layout_entry *e, const layout_seal *seal);
const layout_seal *layout_index_seal(void);

/* Reads an entry from its stored name and its bytes; all slices point into
 * those. STATUS_CORRUPT when it cannot be one or its check does not fit. */
MUST_USE status layout_entry_read(layout_entry *out, slice stored, slice bytes,
                                  const layout_seal *seal);

void layout_blob_write(char at[static LAYOUT_BLOB_REF], const blob_ref *ref);
MUST_USE status layout_blob_read(blob_ref *out, slice rest);

/* What the table of blobs has under a hash, and that of their segments. */
typedef struct layout_blob {
    blob_ref ref;
    blob_place place;
    uint64_t refs; /* rows and held writes that name it */
} layout_blob;

enum { LAYOUT_BLOB_BYTES = 44, LAYOUT_SEGMENT_BYTES = 24 };
void layout_blob_entry_write(char at[static LAYOUT_BLOB_BYTES], const layout_blob *b);
MUST_USE status layout_blob_entry_read(layout_blob *out, slice hash, slice bytes);

typedef struct layout_segment {
    uint64_t number;
    uint64_t bytes, dead; /* of blobs that were named once; of those that are no more */
} layout_segment;
void layout_segment_write(char at[static LAYOUT_SEGMENT_BYTES], const layout_segment *s);
MUST_USE status layout_segment_read(layout_segment *out, slice number, slice bytes);

/* What a blob takes of its segment. */
static inline uint64_t layout_blob_weight(const blob_place *p)
{
    return BLOB_RECORD_HEAD + ((uint64_t)p->stored_bytes + 7) / 8 * 8;
}

/* The rest of an entry that is a floor. Of a soul: its floor, then when; the entry's
 * number is its id. Of a row or a prefix: when; the number is the floor. */
enum { LAYOUT_FLOOR_SOUL = 16, LAYOUT_FLOOR_ROW = 8 };
void layout_floor_soul_write(char at[static LAYOUT_FLOOR_SOUL], double floor, double when_ms);
MUST_USE status layout_floor_soul_read(slice rest, double *floor, double *when_ms);

/* Marks: what was purged, by time. */
enum { LAYOUT_MARK_MAX = 8 + 1 + LAYOUT_KEY_MAX };
typedef enum layout_mark_kind {
    MARK_ROW = 'r',    /* then the key in `rows` */
    MARK_SOUL = 's',   /* then the key in `souls` */
    MARK_PREFIX = 'p', /* then the key in `floors` */
} layout_mark_kind;
size_t layout_mark_write(char at[static LAYOUT_MARK_MAX], double when_ms, layout_mark_kind kind,
                         slice key);
MUST_USE status layout_mark_read(slice mark, double *when_ms, layout_mark_kind *kind, slice *key);

/* What expires. One entry by the soul's id, with what is known of it; one, with nothing,
 * in the order of the times at which souls are looked at, which come first in the
 * table. */
typedef struct layout_expiry {
    double due;   /* wall time */
    double next;  /* what the look that is under way has met: the soonest; INFINITY */
    slice resume; /* the key in `rows` where that look goes on; empty: none is under way */
} layout_expiry;

enum {
    LAYOUT_EXPIRY_DUE = 1 + 8 + LAYOUT_ID,
    LAYOUT_EXPIRY_SOUL = 1 + LAYOUT_ID,
    LAYOUT_EXPIRY_MAX = 16 + LAYOUT_KEY_MAX,
};
void layout_expiry_due(char at[static LAYOUT_EXPIRY_DUE], double due, uint64_t id);
void layout_expiry_soul(char at[static LAYOUT_EXPIRY_SOUL], uint64_t id);
MUST_USE status layout_expiry_due_read(slice key, double *due, uint64_t *id);
MUST_USE status layout_expiry_soul_read(slice key, uint64_t *id);
size_t layout_expiry_write(char at[static LAYOUT_EXPIRY_MAX], const layout_expiry *e);
MUST_USE status layout_expiry_read(layout_expiry *out, slice bytes);

/* A held write: by due time, then a hash of the rest, so that the same write
 * held twice is one row. Due times as eight bytes that memcmp orders as the
 * doubles are ordered. */
typedef struct layout_held {
    slice soul, key;
    bool is_blob;
    slice value; /* text, when it is no blob */
    blob_ref blob;
    double state;
} layout_held;

size_t layout_held_bytes(const layout_held *h);
void layout_held_write(char *at, const layout_held *h);
void layout_held_key(char out[static LAYOUT_HELD_KEY], double state, slice bytes);
double layout_held_state(const char key[static LAYOUT_HELD_KEY]);
MUST_USE status layout_held_read(layout_held *out, slice key, slice bytes);

#endif
