/* relay_print.h - what snapshots and walks both do with a key. */
#ifndef CORE_RELAY_PRINT_H
#define CORE_RELAY_PRINT_H

#include "core/node_hash.h"
#include "core/relay_inside.h"

/* Appends "key":state to states, with a comma if it is not the first. */
void print_state(text *states, slice key, double state);
/* Appends "key":value. */
void print_value(text *values, slice key, slice value);

/* What a query's limits leave of its answer. */
typedef struct allowance {
    double units_max, units; /* "%"; 0: no limit */
    uint32_t keys_left;
} allowance;

allowance allowance_of(const relay *r, const ask *a);

/* Whether nothing more comes. */
bool allowance_spent(const allowance *left);

/* Whether this value still comes, and if so takes it off what is left. One key
 * always comes: it does while the sum before it is below the limit. */
bool allowance_take(allowance *left, slice value);

#endif
