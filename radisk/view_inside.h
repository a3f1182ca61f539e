/* view_inside.h - a view as those who make one see it.
 *
 * The store fills it on the loop (errands.c), `brasa check` over a folder that
 * nobody has open (check.c); from then on it belongs to the thread that reads.
 * Of `disk` only the handles of the tables are touched, which never change while
 * a view is open; reads go through `txn` alone.
 */
#ifndef RADISK_VIEW_INSIDE_H
#define RADISK_VIEW_INSIDE_H

#include "radisk/blob.h"
#include "radisk/disk.h"
#include "radisk/view.h"

struct radisk_view {
    MDB_txn *txn;                  /* its own */
    disk *disk;                    /* borrowed until `closed` */
    blob_reader *reader;           /* its own */
    void (*closed)(void *context); /* told last, from the thread that closes; may be NULL */
    void *closed_context;
};

#endif
