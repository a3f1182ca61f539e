/* route.h - message ids remembered: where an answer to them goes.
 *
 * A fixed table of keyed hashes, oldest out. It serves two ends. A reply ("@")
 * finds the connection that the id came from, and the id that its author knows
 * it by when the relay had to send it on under a new one. And the id of a get
 * that is on its way already is recognised when it comes back through another
 * peer, so that loops end. Puts are not looked up here to drop them: HAM does
 * that (design: "repeated ids").
 *
 * A route lives `life_ms` after its last use; every use renews it, because
 * WebRTC candidates trickle for as long as ICE takes. In a full set of slots
 * the longest unused makes room, so a flood of ids costs routes, never memory.
 */
#ifndef CORE_ROUTE_H
#define CORE_ROUTE_H

#include "core/slice.h"
#include "core/status.h"

#include <stdint.h>

typedef struct route route;

enum { ROUTE_ID_MAX = 128 };

typedef struct route_end {
    uint64_t peer; /* number of the connection it came from, never 0 */
    slice origin;  /* the author's id; lent until the next call. Equal to the
                      looked-up id unless it was sent on under a new one */
} route_end;

/* `slots` is rounded up to a power of two; memory is touched as it is used.
 * Gives; route_free() takes back. */
MUST_USE status route_new(route **out, const uint8_t secret[static 16], uint32_t slots,
                          int64_t life_ms);
void route_free(route *t);

/* Remembers that answers to `id` go to `peer`, who knows it as `origin`.
 * An id that is remembered already keeps its first end unless it has run out:
 * returns false and only renews it. Ids above ROUTE_ID_MAX are not remembered
 * (false). */
bool route_add(route *t, slice id, uint64_t peer, slice origin, int64_t steady_ms);

/* Finds and renews. */
bool route_find(route *t, slice id, int64_t steady_ms, route_end *out);

/* Whether it is remembered; does not renew. */
bool route_knows(const route *t, slice id, int64_t steady_ms);

#endif
