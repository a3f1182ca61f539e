/* platter.h - a disk in memory that does what POSIX promises, and no more.
 *
 * A file is what its readers see, and what is on the platter: a sync of the file
 * brings one to the other, in sectors of 512 bytes and by length. A folder's
 * entries (made, renamed, removed) are on the platter when the folder was synced.
 * When the power goes, any part of what was not synced may have arrived: any
 * sector, the length, and the first so many of the changes to each folder (a file
 * system with a journal keeps their order).
 *
 * A sync that failed has let go of what it was to write: readers still see it,
 * and no later sync brings it to the platter.
 *
 * It fails when it is told to: so many calls from now the machine dies, and from
 * there on nothing is done; the next sync, or write, fails once; there is no room.
 */
#ifndef TESTS_SIM_PLATTER_H
#define TESTS_SIM_PLATTER_H

#include "radisk/file.h"
#include "tests/sim/dice.h"

typedef struct platter platter;

platter *platter_new(dice *d); /* lent as long as it lives */
void platter_free(platter *p);

/* The table, lent as long as it lives. */
const files *platter_files(platter *p);

/* From now on; each replaces what was said of it before. */
void platter_die_after(platter *p, uint32_t calls);
void platter_fail_sync(platter *p);
void platter_fail_write(platter *p);
void platter_full(platter *p, bool full);
void platter_mend(platter *p); /* nothing is wrong any more */

/* Whether it has failed since it was last asked. */
bool platter_failed(platter *p);

/* The machine is off and on again; handles are gone. Without power, what was not
 * synced is lost in part; true when some of it arrived and some did not. */
bool platter_crash(platter *p, bool power);

#endif
