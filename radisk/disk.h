/* disk.h - the folder, the LMDB environment in it, and the loop's reads.
 *
 * Tables (docs/storage.md): what the store is, the index of souls, rows, held
 * writes, blobs and their segments, floors and the order in which they were made,
 * and when rows expire.
 * One write transaction at a time, the folder's; one read transaction, the
 * loop's. LMDB frees no page that a reader may still see, so the read transaction
 * is taken up at the first read of a turn and laid down with the turn:
 * disk_rest(). A view (view.h) has a read transaction of its own.
 *
 * LMDB's sync flags stay at their default. A data page that no synced meta page
 * names was never written, whatever a failed sync did to it: that is why a
 * commit that failed may simply be made again.
 */
#ifndef RADISK_DISK_H
#define RADISK_DISK_H

#include "core/ham.h"
#include "core/status.h"
#include "radisk/blob.h"
#include "radisk/journal.h"
#include "radisk/layout.h"
#include "radisk/roots.h"

#include <lmdb.h>

enum { DISK_FORMAT = 1 };

/* Keys of the table `meta`. */
#define DISK_META_FORMAT    "format"         /* 8 bytes, big-endian */
#define DISK_META_STORE     "store"          /* 16 bytes: this store's id, random, for ever */
#define DISK_META_NEXT_SOUL "next soul"      /* 8 bytes: the id the next new soul gets */
#define DISK_META_FOLDED    "folded through" /* 8 bytes: the last segment that is all in LMDB */
#define DISK_META_HASHED    "hashed bytes"   /* 8 bytes: of values of content hashes (hashed.h) */
#define DISK_META_ROOTS     "roots through"  /* 8 bytes: "folded through", by who counts roots */

typedef struct disk {
    MDB_env *env;
    MDB_dbi meta, souls, rows, held, blobs, segments, floors, marks, expiries;
    MDB_dbi roots, names, pins, uploaders; /* roots.h */
    MDB_txn *reader;                       /* NULL until the first read */
    bool reading;                          /* the reader is taken up */
    int lock;                              /* the locked file's descriptor, -1 when closed */
    int folder;                            /* the folder's descriptor, -1 when closed */
    char *path;                            /* of the folder, from the root */
    size_t size_max;
    bool read_only;
    bool has_expiries; /* not in a store that was only read since it was made without */
    bool has_roots;    /* likewise, these four */
    uint8_t store[JOURNAL_STORE_ID];
} disk;

typedef struct disk_options {
    const char *folder;
    size_t size_max;
    bool read_only;                      /* nothing is made or written: for `brasa check` */
    uint8_t new_store[JOURNAL_STORE_ID]; /* the id, if the store is new */
} disk_options;

/* Opens or makes the store in `folder`. On failure nothing stays open and `why`,
 * of `room` bytes, says in a sentence what to do; on success `why` may hold a
 * warning (a file system that is not known to be safe), else it is empty.
 * STATUS_LOCKED, STATUS_WRONG_FORMAT (another format, not ours, or a network file
 * system), STATUS_IO, STATUS_NO_SPACE, STATUS_NO_MEMORY, STATUS_CORRUPT. */
MUST_USE status disk_open(disk *d, const disk_options *options, char *why, size_t room);
void disk_close(disk *d);

/* Closes and reopens the environment: LMDB asks for it after it failed to write
 * a meta page. No transaction of any thread may be open. */
MUST_USE status disk_reopen(disk *d);

/* What an error of LMDB or of the system means to us. MDB_NOTFOUND is
 * STATUS_NOT_FOUND, what we do not know is STATUS_IO. */
status disk_status(int error);

/* Lends the loop's read transaction until disk_rest(). */
MUST_USE status disk_read(disk *d, MDB_txn **out);
void disk_rest(disk *d);

/* A soul on disk. */
typedef struct disk_soul {
    uint64_t id;      /* never reused: it stays true */
    double floor;     /* -INFINITY when it has none */
    layout_seal seal; /* of its rows' checks */
} disk_soul;

/* STATUS_NOT_FOUND, STATUS_CORRUPT. A soul that was purged is found, with its floor. */
MUST_USE status disk_find_soul(disk *d, slice soul, disk_soul *out);

/* The row of (soul, key), lent until disk_rest(). STATUS_NOT_FOUND; STATUS_CORRUPT
 * when its check does not fit. A purged row is found: its kind is LAYOUT_FLOOR. */
typedef struct disk_row {
    double state;
    layout_kind kind; /* LAYOUT_TEXT, LAYOUT_BLOB, LAYOUT_FLOOR */
    slice text;       /* LAYOUT_TEXT */
    blob_ref blob;    /* LAYOUT_BLOB */
} disk_row;
MUST_USE status disk_find_row(disk *d, const disk_soul *soul, slice key, disk_row *out);

/* The row of an entry that a walk gave. STATUS_CORRUPT. */
MUST_USE status disk_row_of(const layout_entry *e, disk_row *out);

/* What the table of blobs has under a hash. STATUS_NOT_FOUND, STATUS_CORRUPT. */
MUST_USE status disk_blob(disk *d, const uint8_t hash[static BLOB_HASH], layout_blob *out);

/* Where a blob stands and how many name it. Likewise. */
MUST_USE status disk_find_blob(disk *d, const uint8_t hash[static BLOB_HASH], blob_place *place,
                               uint64_t *refs);

/* Whether a held write of this key is on disk: STATUS_OK or STATUS_NOT_FOUND. */
MUST_USE status disk_find_held(disk *d, slice held_key);

/* The last segment of the journal that is all in LMDB; 0 for none. */
MUST_USE status disk_folded_through(disk *d, uint64_t *out);

/* The bytes of content hashes; STATUS_NOT_FOUND: they were never counted. */
MUST_USE status disk_hashed_bytes(disk *d, uint64_t *out);

/* Whether the roots were counted through all that is folded: not in a store of before,
 * and not when a brasa of before has folded since. */
MUST_USE status disk_roots_counted(disk *d, bool *counted);

/* What "~P" or an address has to answer for, in bytes. */
MUST_USE status disk_charged(disk *d, slice who, uint64_t *out);

/* STATUS_NOT_FOUND, STATUS_CORRUPT. */
MUST_USE status disk_root(disk *d, const root_key *root, root_record *out);

/* Visits the floors of prefixes. */
typedef void disk_floor_visit(void *visitor, slice prefix, double floor);
MUST_USE status disk_floors(disk *d, disk_floor_visit *visit, void *visitor);

/* When the first soul is to be looked at for rows that have expired; INFINITY: none. */
MUST_USE status disk_first_expiry(disk *d, double *due_ms);

/* Visits the blob segments: bytes in all, and bytes that nobody names. */
typedef void disk_segment_visit(void *visitor, uint64_t segment, uint64_t bytes, uint64_t dead);
MUST_USE status disk_segments(disk *d, disk_segment_visit *visit, void *visitor);

/* Pages of the map that may still be written: those never used and those free.
 * Walks the list of free pages only when those never used are fewer than `enough`. */
MUST_USE status disk_free_pages(disk *d, uint64_t enough, uint64_t *out);

/* How many entries a table has; STATUS_IO when it cannot be read. */
MUST_USE status disk_count(disk *d, MDB_dbi table, uint64_t *out);

static inline MDB_val disk_val(slice s)
{
    return (MDB_val){ s.len, (void *)(uintptr_t)s.at };
}

static inline slice disk_slice(MDB_val v)
{
    return (slice){ v.mv_data, v.mv_size };
}

#endif
