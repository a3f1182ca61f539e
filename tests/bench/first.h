/* first.h - how soon does a server that is just starting answer?
 *
 * A client that lost its relay comes back once, about two seconds later, so a start is
 * measured from outside, as a client sees it: knock until the port opens, ask for one
 * node at once, and then write one until the write is acknowledged. Moments are those
 * of CLOCK_MONOTONIC, so that whoever started the server can subtract.
 */
#ifndef BENCH_FIRST_H
#define BENCH_FIRST_H

#include <stdbool.h>
#include <stdint.h>

typedef struct first_options {
    uint16_t port;
    const char *path;
    const char *prefix; /* of the names of souls */
    uint32_t souls;     /* one of these, at random, is asked for; the server has them all */
    unsigned patience_ms;
} first_options;

typedef struct first_result {
    uint64_t open_ns, got_ns, acked_ns; /* when; 0 for what did not happen */
    uint64_t knocks, empty, refused;    /* connections tried; answers without data; acks with err */
} first_result;

/* False when it did not come to an ack in time. */
bool first_run(const first_options *options, first_result *out);

#endif
