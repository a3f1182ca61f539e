/* dice.h - all chance in the simulator, from one seed. */
#ifndef TESTS_SIM_DICE_H
#define TESTS_SIM_DICE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct dice {
    uint64_t state;
} dice;

/* SplitMix64: every seed gives another, well mixed sequence. */
static inline uint64_t dice_bits(dice *d)
{
    uint64_t x = d->state += 0x9e3779b97f4a7c15ULL;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/* From 0 to n - 1. */
static inline uint32_t dice_below(dice *d, uint32_t n)
{
    return (uint32_t)(dice_bits(d) >> 33) % n;
}

/* From `low` to `high`, both included. */
static inline int64_t dice_between(dice *d, int64_t low, int64_t high)
{
    return low + (int64_t)(dice_bits(d) >> 1) % (high - low + 1);
}

static inline bool dice_percent(dice *d, uint32_t percent)
{
    return dice_below(d, 100) < percent;
}

#endif
