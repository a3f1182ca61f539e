/* disk.h - the folder, the LMDB environment in it, and the loop's reads.
 *
 * Four tables (docs/storage.md): what the store is, the index of souls, rows,
 * held writes. One write transaction at a time, the committer's; one read
 * transaction, the loop's. LMDB frees no page that a reader may still see, so
 * the read transaction is taken up at the first read of a turn and laid down
 * with the turn: disk_rest().
 *
 * LMDB's sync flags stay at their default. A data page that no synced meta page
 * names was never written, whatever a failed sync did to it: that is why a
 * commit that failed may simply be made again.
 */
#ifndef RADISK_DISK_H
#define RADISK_DISK_H

#include "core/ham.h"
#include "core/status.h"
#include "radisk/layout.h"

#include <lmdb.h>

enum { DISK_FORMAT = 0 };

/* Keys of the table `meta`. */
#define DISK_META_FORMAT    "format"    /* 8 bytes, big-endian */
#define DISK_META_NEXT_SOUL "next soul" /* 8 bytes: the id the next new soul gets */

typedef struct disk {
    MDB_env *env;
    MDB_dbi meta, souls, rows, held;
    MDB_txn *reader; /* NULL until the first read */
    bool reading;    /* the reader is taken up */
    int lock;        /* the locked file's descriptor, -1 when closed */
    char *path;      /* of the folder, from the root */
    size_t size_max;
} disk;

/* Opens or makes the store in `folder`. On failure nothing stays open and `why`,
 * of `room` bytes, says in a sentence what to do. */
MUST_USE status disk_open(disk *d, const char *folder, size_t size_max, char *why, size_t room);
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

/* The id of a soul; STATUS_NOT_FOUND. Ids are never reused: it stays true. */
MUST_USE status disk_find_soul(disk *d, slice soul, uint64_t *id);

/* The row of (soul id, key), lent until disk_rest(). STATUS_NOT_FOUND. */
MUST_USE status disk_find_row(disk *d, uint64_t id, slice key, ham_write *out);

/* Whether a held write of this key is on disk: STATUS_OK or STATUS_NOT_FOUND. */
MUST_USE status disk_find_held(disk *d, slice held_key);

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
