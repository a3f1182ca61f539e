/* judge.h - whether a store is what its promises allow, after something happened.
 *
 * For a plan of puts of which some were acknowledged:
 *   - the store opens, and every row in it can be read;
 *   - each acknowledged write is there, or a newer one of the same key that was
 *     sent (HAM says which is newer); held ones when they have come due;
 *   - of a put of several keys all are there, or none;
 *   - what was purged is gone, whoever sends old copies of it;
 *   - nothing is there that was never sent, neither a row nor a value nor a state.
 */
#ifndef TESTS_CRASH_JUDGE_H
#define TESTS_CRASH_JUDGE_H

#include "radisk/radisk.h"
#include "tests/crash/plan.h"

typedef enum verdict {
    VERDICT_GOOD,
    VERDICT_CLOSED, /* it did not open */
    VERDICT_UNREAD, /* a row answered an error */
    VERDICT_LOST,
    VERDICT_HALF,
    VERDICT_WRONG,
    VERDICT_DIED, /* a signal ended the process that looked */
    VERDICT_COUNT,
} verdict;

extern const char *const verdict_names[VERDICT_COUNT];

enum { JUDGE_TEXT = 400 };

/* Opens a store as a server would; NULL: `why` says why not. */
radisk *judge_open(const char *folder, char why[static RADISK_WHY_MAX]);

/* What the store has, compared; `said` says in a sentence what is wrong. A held
 * write comes due by this, so the store is not what it was. */
verdict judge(radisk *store, const plan *p, const bool *acked, char said[static JUDGE_TEXT]);

#endif
