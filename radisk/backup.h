/* backup.h - one moment of a store as one file, and a store made of it again.
 *
 * A backup is written from a view, in one go, to whatever takes bytes: a file, or
 * the socket of a tool. It can be read without brasa's other files, it says when
 * it is not whole, and it holds values as text, so that no other format has to be
 * known to read it:
 *
 *     header   BACKUP_HEADER bytes: "brasaB1\n" 8 | store id 16 | this file's id 16 |
 *              made, ms 8 | check 8 of what is before | zeros
 *     records  8-aligned: floors first, pins, then rows, then what is held, and the end
 *
 *     record   mark 4 "bak1" | kind 4 | length 8 | sequence 8, from 1 |
 *              check 8 of the body | check 8 of the head | body | zeros to 8
 *     row      kind 1 (1 taken, 2 held) | zeros 3 | lengths of soul, key, value, 4 each |
 *              state 8 | soul | key | value
 *     floor    kind 1 (1 row, 2 soul, 3 prefix) | zeros 3 | lengths of soul, key, 4 each |
 *              zeros 4 | floor 8 | made, ms 8 | soul | key
 *     pin      root 32 | when, ms 8; in a record of its own behind the floors, if there are any
 *     end      rows 8 | held 8 | floors 8 | damaged 8 | store hash 16
 *
 * Numbers are little-endian. Checks are SipHash-2-4 under the file's id, so that
 * what is left of another backup on a disk cannot speak for this one. A file is
 * believed only from its header to its end record, with nothing behind it, every
 * check right, and counts and hash those of the rows that were read.
 *
 * A restore proves the whole file before it makes anything, then makes the store
 * in DIR/restoring, proves that too, and moves it up with one rename at the last.
 */
#ifndef RADISK_BACKUP_H
#define RADISK_BACKUP_H

#include "radisk/roots.h"
#include "radisk/view.h"

enum { BACKUP_HEADER = 64, BACKUP_RECORD_HEAD = 40, BACKUP_WHY_MAX = 512 };

typedef struct backup_counts {
    uint64_t rows, held, floors, pins;
    uint64_t damaged; /* rows that could not be read and are not in it */
    uint64_t bytes;   /* of the file */
    store_hash hash;
} backup_counts;

/* Told now and then; false ends the work with STATUS_BUSY. */
typedef bool backup_progress(void *context, const backup_counts *so_far);

/* Writes a backup of the view, record by record. `take` must take all it is given
 * or say why not, and that ends it. */
typedef status backup_take(void *context, slice bytes);
typedef struct backup_wish {
    backup_take *take;
    void *take_context;
    backup_progress *progress; /* may be NULL */
    void *progress_context;
    double now_ms; /* wall time, for the header */
} backup_wish;
MUST_USE status backup_write(radisk_view *v, const backup_wish *wish, backup_counts *out);

/* The file of a backup: NAME.part until it is whole and synced, then NAME. A file
 * that is there and is no backup is never replaced. `why` says in a sentence what
 * is wrong. */
typedef struct backup_file {
    int file, folder;
    char *name, *part; /* within the folder */
    uint64_t bytes;
} backup_file;
MUST_USE status backup_file_open(backup_file *f, const char *path, char why[BACKUP_WHY_MAX]);
status backup_file_take(void *backup_file, slice bytes); /* a backup_take */
MUST_USE status backup_file_finish(backup_file *f, char why[BACKUP_WHY_MAX]);
void backup_file_drop(backup_file *f); /* after a failure: nothing is left behind */

/* Reads a backup and calls for every row and floor; those may be NULL. What is
 * lent to a visitor lives until it returns; its result other than STATUS_OK ends the
 * reading. STATUS_CORRUPT: it is not whole; what was visited means nothing then. */
typedef struct backup_visitor {
    status (*row)(void *context, const view_row *row);
    status (*floor)(void *context, const view_floor *floor);
    status (*pin)(void *context, const root_key *root, double when_ms);
    void *context;
} backup_visitor;
MUST_USE status backup_read(const char *path, const backup_visitor *visitor, backup_counts *out,
                            char why[BACKUP_WHY_MAX]);

/* Makes a store of a backup, in a folder that is missing or empty. */
typedef struct restore_wish {
    const char *file, *folder;
    double now_ms; /* wall time */
    backup_progress *progress;
    void *progress_context;
} restore_wish;
MUST_USE status restore_store(const restore_wish *wish, backup_counts *out,
                              char why[BACKUP_WHY_MAX]);

#endif
