/* ham.h - which of two writes to the same key survives.
 *
 * GUN has no leader and no locks. Two people may write one key at the same
 * moment, and every peer that ever sees both writes must keep the same one, in
 * whatever order they arrive. HAM is that rule, and this file is the only place
 * where brasa writes it down.
 *
 * A write carries a state: its author's clock in milliseconds, with a fraction
 * that tells apart the writes of one millisecond. The rule, in order:
 *
 *   1. A write ahead of our clock waits until our clock reaches its state.
 *   2. A write older than the one we hold loses.
 *   3. A newer one wins.
 *   4. At equal states the greater value wins, as value_order() orders them.
 *
 * Rules 2 to 4 are a total order on (state, value), and keeping the maximum of
 * a total order is commutative, associative and idempotent. That is the whole
 * convergence argument. Rule 1 only delays, so it cannot break it.
 *
 * Pure: allocates nothing, reads no clock, remembers nothing between calls.
 */
#ifndef CORE_HAM_H
#define CORE_HAM_H

#include "core/value.h"

typedef struct ham_write {
    double state; /* finite */
    slice value;  /* canonical text */
} ham_write;

typedef enum ham_verdict {
    HAM_TAKE, /* the incoming write replaces ours */
    HAM_KEEP, /* ours stays */
    HAM_SAME, /* they are one write, seen twice */
    HAM_WAIT, /* judge it again when the clock reaches its state */
} ham_verdict;

/* Judges `incoming` against the write we hold; `held` is NULL when the key was
 * never written. How many waiting writes to keep, and how far ahead is absurd,
 * is policy and belongs to the caller. */
ham_verdict ham_judge(const ham_write *held, const ham_write *incoming, double now_ms);

#endif
