/* verify.h - the pool of threads that checks signatures.
 *
 * One thread less than there are processors, at least one; they run what the
 * relay hands out (core/check.h) and give it back on the loop's thread. Checks
 * wait in lanes, one after another in each, and the lanes take turns: whoever
 * sends ten thousand forgeries waits for them himself. There is a fixed number of
 * lanes, and a keyed hash says who shares one (stochastic fairness), so that no
 * peer's input can make the pool allocate.
 *
 * How much may wait is the relay's bound; the pool has none of its own.
 */
#ifndef SERVER_VERIFY_H
#define SERVER_VERIFY_H

#include "core/check.h"
#include "server/crypto.h"

typedef struct verify verify;

/* `wake` is called from any thread, when there is something to take back and
 * there was nothing before. Gives; verify_free() takes it back. STATUS_NO_MEMORY:
 * also when no thread could be started. */
MUST_USE status verify_new(verify **out, const sea_crypto *with, unsigned threads,
                           const uint8_t secret[static 16], void (*wake)(void *context),
                           void *context);

/* Ends the threads; what they had not begun is left, and so is what is done and was
 * not taken: it belongs to the relay, which frees it. */
void verify_stop(verify *v);
void verify_free(verify *v);

/* Where the relay's checks go. */
check_pool verify_pool(verify *v);

/* Takes back what is done, a list linked by `next`, oldest first. */
check *verify_take(verify *v);

typedef struct verify_counts {
    uint64_t waiting; /* checks, now */
    unsigned threads;
} verify_counts;
void verify_count(verify *v, verify_counts *out);

/* Threads for a machine with so many processors. */
unsigned verify_threads(void);

#endif
