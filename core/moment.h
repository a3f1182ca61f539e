/* moment.h - what time it is, handed in by whoever may look at a clock.
 *
 * The two readings are not interchangeable. Wall time is what states are
 * compared with; it may jump. Steady time never goes back and is what timers,
 * budgets and ages are measured with.
 */
#ifndef CORE_MOMENT_H
#define CORE_MOMENT_H

#include <stdint.h>

typedef struct moment {
    double wall_ms;    /* since 1970, with its fraction, as client states have one */
    int64_t steady_ms; /* since some fixed point of this process */
} moment;

#endif
