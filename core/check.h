/* check.h - keys of a put whose signatures and hashes are verified elsewhere.
 *
 * A curve costs as much as the whole way of a hundred unsigned puts, so the relay
 * does not compute any. It hands out checks, of a few keys each, and goes on with
 * others; whoever runs them (a pool of threads in the server, a clock under a seed
 * in the simulator) gives them back by relay_checked(), in any order. What a
 * message says is done when all its checks are back and all before it is done.
 *
 * While a check is out, what it borrows is left alone, also when its author has
 * left. Nobody but the relay makes one, frees one, or looks inside.
 */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "core/graph.h"
#include "core/sea.h"

#include <stdatomic.h>

/* Few, so that a put of many keys is spread over threads, and other peers' keys
 * come between; of large values one. */
enum { CHECK_KEYS = 8, CHECK_BYTES = 64 << 10 };

typedef struct check check;
struct check {
    check *next;   /* for whoever has it */
    uint64_t lane; /* whose it is: one lane must not hold up another */

    /* the relay's */
    void *of;                    /* the message */
    const atomic_bool *unwanted; /* nobody asks any more: its message is refused already,
                                    or its author has left */
    check *later, *earlier;      /* of those that are out */
    arena arena;                 /* of what was found */
    size_t count, run;           /* run: of them, those that were judged */
    size_t at[CHECK_KEYS];
    const graph_write *writes[CHECK_KEYS];
    sea_finding findings[CHECK_KEYS];
    status how[CHECK_KEYS];
};

/* Verifies; in any thread. */
void check_run(check *c, const sea_crypto *crypto);

/* Where checks go. submit() takes one until relay_checked(). */
typedef struct check_pool {
    void *context;
    void (*submit)(void *context, check *c);
} check_pool;

#endif
