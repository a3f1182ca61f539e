/* breakage.h - where a simulated radisk keeps its things, and what is wrong there:
 * a platter for journal and blobs, a real folder for LMDB, and one hand on LMDB's
 * commits (the linker puts ours before them), so that the machine can die, or the
 * disk fail, between two transactions of one fold.
 */
#ifndef TESTS_SIM_BREAKAGE_H
#define TESTS_SIM_BREAKAGE_H

#include "radisk/file.h"
#include "tests/sim/dice.h"

typedef struct world world;
typedef struct breakage breakage;

/* One at a time in a process: they share the folder, and LMDB's commits. */
breakage *breakage_new(world *w, dice *d);
void breakage_free(breakage *b);

const files *breakage_files(breakage *b); /* lent as long as it lives, as is the folder */
const char *breakage_folder(const breakage *b);

/* Breaks one thing of the seed's choice. Whether something is broken now. */
bool breakage_break(breakage *b);
void breakage_make_room(breakage *b); /* on a disk that was full */
void breakage_mend(breakage *b);

/* From so many calls, or commits, on nothing is done any more, until the crash. */
void breakage_die_after(breakage *b, uint32_t calls, uint32_t commits);
void breakage_crash(breakage *b, bool power);

/* Whether something is broken, or was since this was last asked. */
bool breakage_excuses(breakage *b);

/* Whether a loss of power ever left a part of what was not synced. */
bool breakage_tore(const breakage *b);

#endif
