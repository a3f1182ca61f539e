/* exchange.h - questions and answers, as fast as they are answered.
 *
 * An exchange keeps `window` questions open on each of its connections: puts that
 * wait for their ack, gets that wait for their node, or a mixture. An answer makes
 * room for the next question. So the load adapts to the relay, nothing queues up
 * outside the windows, and the latency is that of a relay as busy as it can be.
 *
 *        warm-up          measured            drain
 *   |---------------|------------------|- - - - - - - -|
 *     asked, counted  and in the rate,   nothing is asked,
 *                     the latencies      open ones are waited for
 *
 * The sums must add up over all of it. Each put is acknowledged exactly once; an
 * exchange counts what was acknowledged twice, refused, or not at all.
 */
#ifndef BENCH_EXCHANGE_H
#define BENCH_EXCHANGE_H

#include "tests/bench/bodies.h"
#include "tests/bench/fleet.h"
#include "tests/bench/machine.h"

#include <stdatomic.h>

typedef enum exchange_kind {
    EXCHANGE_PUT,    /* write a node: a new one each time, or one of `souls` */
    EXCHANGE_GET,    /* read one of `souls`, at random */
    EXCHANGE_MIXED,  /* 7 gets, 1 put to a soul that others follow, 2 puts to new souls, of 10 */
    EXCHANGE_ECHO,   /* against an echo server: the ceiling */
    EXCHANGE_BODIES, /* puts made beforehand, each once: ends when there are no more */
} exchange_kind;

typedef struct exchange_options {
    exchange_kind kind;
    fleet *fleet;       /* all of its connections are used; borrowed until exchange_free() */
    pid_t server;       /* whose processor time is read; 0 if unknown */
    const char *prefix; /* of every soul's name */
    uint32_t window;    /* questions open per connection, at most 65,536 */
    uint32_t frame;     /* messages sent in one frame, at most `window` */
    uint32_t souls;     /* see kind; for EXCHANGE_PUT 0 makes each put a new soul */
    uint32_t keys;      /* of a node */
    size_t value_bytes;
    uint64_t count; /* stop asking after so many; 0: when the time is over */
    double rate;    /* questions a second, of all connections together; 0: as many as fit */
    unsigned warm_ms, measure_ms;
    const bodies *bodies; /* of EXCHANGE_BODIES; borrowed until exchange_free() */
    bool forged;          /* every put has to be refused: an ok is what is wrong */
    /* Two exchanges at once, each in a thread and on a fleet of its own: the one says
     * when it has measured, and the other measures until then. NULL for none. */
    atomic_bool *says_over;
    const atomic_bool *until_over;
} exchange_options;

typedef struct exchange_result {
    uint64_t asked, answered;         /* in all */
    uint64_t refused;                 /* acks with err; of forged puts, those without */
    uint64_t empty;                   /* gets answered without data */
    uint64_t twice;                   /* answers to what had been answered */
    uint64_t lost;                    /* given up after 9 to 10 s, or never answered */
    uint64_t late;                    /* of those, answered after all */
    uint64_t measured;                /* answers while measuring */
    double seconds;                   /* of measuring */
    double server_cpu_ms, own_cpu_ms; /* while measuring */
    machine_memory memory;            /* of the server, at the end of measuring */
    tally latency;                    /* of the measured answers */
} exchange_result;

typedef struct exchange exchange;

/* Gives an exchange, NULL when out of memory; exchange_free() takes it back. It
 * listens to the fleet until then. */
exchange *exchange_new(const exchange_options *options);
void exchange_free(exchange *x);

/* Runs it from beginning to end. The result is lent until exchange_free(). */
const exchange_result *exchange_run(exchange *x);

/* What exchange_run() gave. */
const exchange_result *exchange_outcome(const exchange *x);

/* Whether every question was answered as it should be. */
bool exchange_adds_up(const exchange_result *result);

#endif
