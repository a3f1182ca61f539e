/* fleet.h - many WebSocket clients in one thread.
 *
 * A load generator must cost less than what it loads, and must not share the
 * server's mistakes. So this is a WebSocket client of its own, over bare sockets
 * and epoll, and it does only what a bench needs: it opens connections (from
 * several loopback addresses, since one address has only 28,000 ports), speaks
 * the handshake and checks its answer, masks what it sends, puts fragments
 * together, and answers pings.
 *
 * It is lazy about memory: a connection that says nothing holds no buffer, so
 * that ten thousand idle ones are cheap here and what is measured is the server.
 *
 * One thread, no locks. Callbacks run inside fleet_turn() and may send; sent
 * text leaves at the end of the turn, in one write per connection.
 */
#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

#include "core/slice.h"

#include <stdint.h>

typedef struct fleet fleet;
typedef struct wire wire; /* one connection */

typedef struct fleet_options {
    uint16_t port;    /* of 127.0.0.1 */
    const char *path; /* what to ask the upgrade for */
    unsigned sources; /* source addresses: 127.0.0.2 and following; 0 leaves it to the kernel */
    uint32_t wires_max;
} fleet_options;

/* Told of each whole text message, which it borrows. */
typedef void fleet_ear(void *context, wire *w, slice text);

/* Gives a fleet, NULL when out of memory or descriptors; fleet_free() takes it back. */
fleet *fleet_new(const fleet_options *options);
void fleet_free(fleet *f);

/* Opens `count` more connections and returns when all are open, one failed, or
 * the time is over. True when all are open. */
bool fleet_open(fleet *f, uint32_t count, int timeout_ms);

/* Who hears from now on; nobody at first. */
void fleet_listen(fleet *f, fleet_ear *ear, void *context);

/* Waits up to `timeout_ms` for something to arrive, handles it, sends. */
void fleet_turn(fleet *f, int timeout_ms);

uint32_t fleet_size(const fleet *f);   /* connections ever opened */
uint32_t fleet_living(const fleet *f); /* of those, still open */

/* Lent until fleet_free(), also when the connection has been closed. */
wire *fleet_wire(fleet *f, uint32_t index);
uint32_t wire_index(const wire *w);
bool wire_living(const wire *w);

/* Queues one text frame; copies. Nothing happens on a connection that is gone. */
void wire_say(wire *w, slice text);

/* How many messages this connection has heard. */
uint64_t wire_heard(const wire *w);

#endif
