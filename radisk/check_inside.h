/* check_inside.h - what the parts of a check share. */
#ifndef RADISK_CHECK_INSIDE_H
#define RADISK_CHECK_INSIDE_H

#include "core/arena.h"
#include "radisk/check.h"
#include "radisk/disk.h"

/* A blob of the table, and how many rows and held writes were met that name it. */
typedef struct check_blob {
    layout_blob is;
    uint64_t met;
} check_blob;

/* A row of the journal that is not in LMDB. */
typedef struct check_fresh {
    slice soul, key, value; /* value: text, when it is no blob */
    double state;
    bool is_blob, held, used;
    blob_ref blob;
    blob_place place;
    uint64_t order; /* in which it was written */
} check_fresh;

/* What rows have to do with roots of audio, to be compared with what was counted. */
typedef struct check_sum check_sum;
typedef struct check_sums {
    check_sum *at;
    size_t len, room;
} check_sums;

typedef struct checking {
    const check_wish *wish;
    check_report *report;
    disk disk;
    files files;
    blob_reader *reader;
    MDB_txn *txn;
    check_blob *blobs; /* by hash */
    size_t blobs_len;
    uint64_t max_id;
    bool counted;   /* it is a store with what folder_recount() makes */
    bool no_memory; /* somewhere: what was found out is not all */

    arena memory; /* of the journal's rows */
    check_fresh *fresh;
    size_t fresh_len, fresh_room;
    text value; /* the last one that was read from a blob */
    check_sums roots, names, uploaders;
} checking;

/* Says that something is not well. A name is printed as a string of JSON, cut. */
void check_find(checking *c, const char *what, slice soul, slice key);
void check_find_file(checking *c, const char *name, const char *what);

check_blob *check_find_blob(checking *c, const uint8_t hash[static BLOB_HASH]);

/* The text of a blob, lent until the next one. */
MUST_USE status check_blob_text(checking *c, const blob_ref *ref, const blob_place *place,
                                slice *out);

/* The key of a held write: it has the value's text, blob or not. */
MUST_USE status check_held_key(const layout_held *h, slice text_of_value,
                               char key[static LAYOUT_HELD_KEY]);

/* check_expiry.c: that a soul with rows that expire is noted, and an entry of that
 * table. */
void check_expires(checking *c, uint64_t id, slice soul);
void check_expiry(checking *c, slice key, slice value);

/* check_roots.c: a row that is kept; its text, when it stands in it; then all of them. */
void check_root_row(checking *c, slice soul, uint64_t bytes);
void check_root_names(checking *c, slice soul, slice key, slice value);
MUST_USE status check_roots(checking *c);
void check_roots_free(checking *c);

/* check_journal.c */
MUST_USE status check_journal(checking *c);
void check_hash_row(checking *c, slice soul, const layout_entry *e);
void check_hash_held(checking *c, const layout_held *h, slice value);
MUST_USE status check_hash_rest(checking *c);

#endif
