/* tally.c - see tally.h. */
#include "tests/bench/tally.h"

/* Below 64 ns a bucket is a nanosecond; above, the six bits that follow the
 * highest one choose among the 64 buckets of that doubling. */
static unsigned bucket_of(uint64_t ns)
{
    if (ns < TALLY_STEPS) return (unsigned)ns;

    unsigned doubling = 63u - (unsigned)__builtin_clzll(ns);
    unsigned shift = doubling - 6;
    return (doubling - 5) * TALLY_STEPS + (unsigned)((ns >> shift) & (TALLY_STEPS - 1));
}

/* The greatest duration that falls into a bucket. */
static uint64_t bucket_top(unsigned bucket)
{
    if (bucket < TALLY_STEPS) return bucket;

    unsigned shift = bucket / TALLY_STEPS - 1;
    uint64_t low = (uint64_t)(TALLY_STEPS + bucket % TALLY_STEPS) << shift;
    return low + (((uint64_t)1 << shift) - 1);
}

void tally_record(tally *t, uint64_t ns)
{
    t->count++;
    if (ns > t->max_ns) t->max_ns = ns;
    t->buckets[bucket_of(ns)]++;
}

double tally_ms(const tally *t, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)t->count), seen = 0;

    if (t->count == 0) return 0;
    for (unsigned i = 0; i < TALLY_BUCKETS; i++) {
        seen += t->buckets[i];
        if (seen > wanted || seen == t->count) {
            uint64_t top = bucket_top(i);
            return (double)(top < t->max_ns ? top : t->max_ns) / 1e6;
        }
    }
    return tally_max_ms(t);
}

double tally_max_ms(const tally *t)
{
    return (double)t->max_ns / 1e6;
}
