/* tally.h - how long things took, in a fixed amount of memory.
 *
 * A bench hears millions of durations and wants a few of them back: the middle
 * one, the hundredth worst, the worst. A tally counts durations in buckets that
 * grow with the duration, 64 to each doubling, so that what it gives back is at
 * most 1.6 % above the truth, from a nanosecond to years, and recording costs a
 * few instructions.
 */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stdint.h>

enum { TALLY_STEPS = 64, TALLY_BUCKETS = 60 * TALLY_STEPS };

typedef struct tally {
    uint64_t count, max_ns;
    uint64_t buckets[TALLY_BUCKETS];
} tally;

/* All zero is an empty tally. */
void tally_record(tally *t, uint64_t ns);

/* The duration that `share` (0 to 1) of all did not exceed, in milliseconds; 0
 * when nothing was recorded. */
double tally_ms(const tally *t, double share);
double tally_max_ms(const tally *t);

#endif
