/* walk.h - the names of one table of LMDB, in their exact order.
 *
 * A walk begins with a seek and gives, one after the other, the entries whose
 * names are in a range: those behind one soul's id in the rows, or all of the
 * index of souls. It undoes what layout.h did to long names: those that share
 * 440 bytes stand together in the table but in the order of their hashes, so
 * such a group is read whole and sorted. Groups are small but for somebody who
 * wants them large, and he pays for his own.
 *
 * A damaged entry is skipped and counted: it costs nobody but itself. Floors of
 * rows and purged souls are given like others: the caller leaves them out.
 *
 * Everything a walk lends points into the map and lives as long as
 * the transaction that it was begun with.
 */
#ifndef RADISK_WALK_H
#define RADISK_WALK_H

#include "core/lex.h"
#include "radisk/disk.h"

typedef struct walk {
    layout_entry now; /* where the walk stands, unless it is over */
    bool over;
    uint64_t damaged; /* entries skipped because their check did not fit */

    MDB_cursor *cursor;
    const lex_range *range;
    layout_seal seal;
    char prefix[LAYOUT_ID];
    size_t prefix_len;
    bool used, ended; /* the cursor's entry was given; there is none */
    layout_entry *group;
    size_t group_len, group_room, group_given;
} walk;

/* Below, in or above a range: below zero, 0, above zero. */
int walk_side(const lex_range *range, slice name);

/* Walks the keys of a soul, or the souls. The range is borrowed until
 * walk_end(), which is due whatever this returns. */
MUST_USE status walk_rows(walk *w, MDB_txn *txn, const disk *d, const disk_soul *soul,
                          const lex_range *range);
MUST_USE status walk_souls(walk *w, MDB_txn *txn, const disk *d, const lex_range *range);

MUST_USE status walk_next(walk *w);
void walk_end(walk *w);

#endif
