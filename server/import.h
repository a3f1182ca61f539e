/* import.h - lines of JSON into a store, through HAM.
 *
 * Takes the lines that an export writes, or anybody (lines.h draws them). What is
 * older than what is kept loses, what is newer wins, what is ahead of the clock is
 * held: an import never undoes anything. A floor is set only where there is
 * nothing: it would remove what is there.
 *
 * Never waits. The owner hands in lines while import_step() says IMPORT_READY and
 * comes back later when it says IMPORT_WAITS: so a server imports in slices of a
 * turn, and a tool in a loop of its own.
 */
#ifndef SERVER_IMPORT_H
#define SERVER_IMPORT_H

#include "core/arena.h"
#include "radisk/radisk.h"

typedef struct import import;

enum { IMPORT_WHY_MAX = 256, IMPORT_LINE_MAX = 64 << 20 };

typedef struct import_counts {
    uint64_t lines; /* read; the number of the last one */
    uint64_t taken, same, stale, held, bad;
    uint64_t floors, floors_left; /* set; left out, because there is something */
} import_counts;

typedef enum import_state { IMPORT_READY, IMPORT_WAITS, IMPORT_FAILED } import_state;

/* Gives; the store is borrowed until import_free(), which is not to be called while
 * the store still has something to tell, unless it is closed. NULL when out of
 * memory. */
import *import_new(radisk *store);
void import_free(import *i);
bool import_is_asking(const import *i);

/* Takes in a line, without its end; due only when import_step() said IMPORT_READY.
 * STATUS_MALFORMED: counted as bad, `why` says what is wrong; what came before it
 * is untouched by that. STATUS_NO_MEMORY. */
MUST_USE status import_line(import *i, slice line, char why[IMPORT_WHY_MAX]);

/* Does what there is to do. With `all`, also a batch that is not full: no more
 * lines come for now. IMPORT_FAILED: import_why(). */
import_state import_step(import *i, moment now, bool all);

/* After the last line and a step with `all`: whether everything is durable yet. */
import_state import_settled(import *i);

status import_why(const import *i);
const import_counts *import_count(const import *i);

#endif
