/* collects.h - audio that nothing names, collected at any time, and what that allows.
 *
 * The souls of chunks are roots of audio that nothing in this world names. A chunk that
 * was taken, or that somebody is told was here, is promised for a grace; when that is
 * over while a pass is under way it may go, until it is promised anew. What a renewal
 * promised is not held against a store that has crashed since: it is written a second
 * later.
 */
#ifndef TESTS_SIM_COLLECTS_H
#define TESTS_SIM_COLLECTS_H

#include "core/graph.h"
#include "radisk/radisk.h"

typedef struct world world;
typedef struct collects collects;

collects *collects_new(world *w);
void collects_free(collects *c);

/* How long a grace is in this world. */
size_t collects_grace_ms(const collects *c);

/* Now and then begins a pass. */
void collects_ask(collects *c, radisk *of);

/* What the store was told: merges, with their ticket, and what was known. */
void collects_taken(collects *c, int soul, int key, uint64_t batch);
void collects_known(collects *c, int soul, int key);

/* After each turn of the store; at its end, with what is durable. */
void collects_watch(collects *c);
void collects_end(collects *c, const graph_progress *p);

bool collects_may_be(const collects *c, int soul, int key);
uint64_t collects_done(const collects *c);

#endif
