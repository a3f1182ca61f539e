/* fanout.h - one writes, many hear of it.
 *
 * Connection 0 of the fleet is the publisher, the others subscribe to its soul by
 * getting it. Every value carries the time it was sent, so that each delivery
 * tells its own latency, and a number, so that each can be accounted for.
 *
 * At a rate, puts leave when they are due, whatever the relay is doing. Without
 * one, `window` puts are under way: the next leaves when all subscribers have
 * one of those before it, which finds the most a relay can deliver without
 * letting it merge anything. Puts under way are always to different keys, since
 * both relays may skip a value that was overwritten before it was sent.
 */
#ifndef BENCH_FANOUT_H
#define BENCH_FANOUT_H

#include "tests/bench/fleet.h"
#include "tests/bench/machine.h"

enum { FANOUT_KEYS = 32 };

typedef struct fanout_options {
    fleet *fleet; /* borrowed until fanout_free() */
    pid_t server;
    const char *prefix; /* begins the soul's name */
    double rate;        /* puts a second; 0: as many as are delivered */
    uint32_t window;    /* without a rate, at most FANOUT_KEYS / 2 */
    size_t value_bytes;
    unsigned warm_ms, measure_ms;
    bool bare; /* against a broadcast server: nobody subscribes, nothing is acked */
} fanout_options;

typedef struct fanout_result {
    uint64_t puts, acked, refused;
    uint64_t deliveries, expected;
    uint64_t twice;    /* deliveries beyond one to each subscriber */
    uint32_t behind;   /* subscribers who do not have the last value */
    uint64_t measured; /* deliveries while measuring */
    double seconds;
    double server_cpu_ms, own_cpu_ms;
    machine_memory memory;
    tally latency;
} fanout_result;

typedef struct fanout fanout;

/* Gives, or NULL when out of memory; fanout_free() takes it back. */
fanout *fanout_new(const fanout_options *options);
void fanout_free(fanout *x);

/* False when the subscriptions were not answered; the result counts all the same. */
bool fanout_run(fanout *x, const fanout_result **out);

bool fanout_adds_up(const fanout_result *result, bool bare);

#endif
