/* check.h - reading everything of a store that nobody has open, and saying what is
 * not well. Writes nothing.
 *
 * Rows, held writes, floors, blobs and their counts, roots of audio and theirs, the index of souls
 * both ways, blob files byte by byte, and the journal behind "folded through". What is damaged is
 * named by soul and key. Of the journal a torn last record is ordinary: it was never acknowledged.
 *
 * With `hash`, the store hash (view.h) of what a start would serve: rows in LMDB and
 * those of the journal that are not there yet, HAM deciding between them.
 */
#ifndef RADISK_CHECK_H
#define RADISK_CHECK_H

#include "radisk/view.h"

enum { CHECK_WHY_MAX = 512 };

typedef struct check_wish {
    const char *folder;
    size_t size_max; /* of the map; not less than data.mdb */
    bool hash;
    double now_ms; /* wall time: what is held until then counts as taken */
    void (*say)(void *context, const char *finding); /* one line for each */
    void *context;
} check_wish;

typedef struct check_report {
    uint64_t findings;
    uint64_t souls, rows, floors, held, blobs, blob_segments, blob_bytes;
    uint64_t dead_bytes;       /* of blobs that nobody names */
    uint64_t hashed_bytes;     /* of values of content hashes (hashed.h) */
    uint64_t roots, pins;      /* of audio (space.h); the operator's pins */
    uint64_t journal_segments; /* with what is not in LMDB */
    uint64_t journal_records, journal_rows;
    uint64_t torn; /* last records that were not whole */
    store_hash hash;
} check_report;

/* STATUS_OK: everything was read, `out->findings` says how much is wrong. Else the
 * store cannot be read as a whole, and `why` says in a sentence why not. */
MUST_USE status check_store(const check_wish *wish, check_report *out, char why[CHECK_WHY_MAX]);

#endif
