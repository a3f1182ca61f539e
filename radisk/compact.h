/* compact.h - giving room back to the disk, with the store closed.
 *
 * LMDB uses pages again and never gives them back; a segment of blobs is collected
 * only when it is mostly dead. This does both to the end: what is in the journal is
 * folded, blobs that somebody names move out of every segment that has dead ones,
 * and data.mdb is copied without its free pages.
 *
 * A crash at any moment leaves the old store or the new one: blobs are synced
 * before the table names them and removed after, data.mdb.part becomes data.mdb by
 * one rename, after its sync.
 */
#ifndef RADISK_COMPACT_H
#define RADISK_COMPACT_H

#include "radisk/radisk.h"

enum { COMPACT_WHY_MAX = 512 };

typedef struct compact_report {
    uint64_t before, after; /* bytes of data.mdb and of blobs, as the disk counts them */
} compact_report;

/* The store in the folder `path`. `size_max`: of the map, not less than data.mdb. `why` says in a
 * sentence what went wrong. */
MUST_USE status compact_store(const char *path, size_t size_max, compact_report *out,
                              char why[COMPACT_WHY_MAX]);

#endif
