/* witness.h - what a store was told, and must still know after a crash.
 *
 * It stands before the table of the store and remembers every merge of a life of
 * the relay: the rows, and the ticket. After the next start it looks them up.
 *   - Was the ticket safe, every row is there, or a greater one. So is every row
 *     that a look called safe at the end: it may have been found by a recovery.
 *   - Else, if one row that this merge brought is there, so are the others: only
 *     this merge can have brought it, for HAM takes one write once. (A write that
 *     was held before is no proof: it may have come due.)
 */
#ifndef TESTS_SIM_WITNESS_H
#define TESTS_SIM_WITNESS_H

#include "core/graph.h"

typedef struct world world;
typedef struct witness witness;

witness *witness_new(world *of);
void witness_free(witness *w);

/* The table to use instead of `inner`, which is lent until the next call. */
graph *witness_before(witness *w, graph *inner);

/* The store is about to crash: what is safe now stays so. */
void witness_note_end(witness *w);

/* It is up again, and nobody has used it yet. */
void witness_check(witness *w);

#endif
