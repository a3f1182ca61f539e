/* purges.h - a moderator who removes things for good, and what that allows.
 *
 * From the moment of asking, a write at or below the wall time of asking may be
 * gone; when the purge was told to have gone well, it is, and must stay so. What
 * was removed may have been younger (the clock was set back): the floor is as high
 * as it was, so up to there writes may be gone, too.
 */
#ifndef TESTS_SIM_PURGES_H
#define TESTS_SIM_PURGES_H

#include "radisk/radisk.h"
#include "tests/sim/names.h"

typedef struct world world;
typedef struct purges purges;

purges *purges_new(world *w);
void purges_free(purges *p);

/* Asks for one of the seed's choice; nothing while one is under way. */
void purges_ask(purges *p, radisk *of);

/* After each turn of the store, and when it is gone. */
void purges_watch(purges *p);
void purges_forget(purges *p);

bool purges_may_be(const purges *p, int soul, int key, double state);
void purges_check(const purges *p);
uint64_t purges_done(const purges *p, uint64_t *rows);

#endif
