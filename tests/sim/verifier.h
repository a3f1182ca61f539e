/* verifier.h - who verifies signatures for the simulated relay: some while after it
 * was asked to, in any order, and not at all when the relay is gone by then. */
#ifndef TESTS_SIM_VERIFIER_H
#define TESTS_SIM_VERIFIER_H

#include "core/check.h"

typedef struct world world;
typedef struct event event;

/* Where the relay hands its checks, for as long as the world lives. */
check_pool verifier_pool(world *w);

void verifier_event(world *w, const event *e);

#endif
