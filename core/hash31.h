/* hash31.h - GUN's "##": h = h * 31 + unit over the UTF-16 units of a text,
 * as a signed 32-bit number, from 0 (gun's String.hash; protocol.md section 8).
 *
 * The text is the JSON of a `put` with the keys of every object in unit order.
 * An answer that is printed piece by piece, in another order than that, hashes
 * the pieces where they lie and puts them together with hash31_join().
 */
#ifndef CORE_HASH31_H
#define CORE_HASH31_H

#include "core/slice.h"

#include <stdint.h>

typedef struct hash31 {
    uint32_t sum;   /* the hash, modulo 2^32 */
    uint32_t power; /* 31 to the number of units */
} hash31;

static inline hash31 hash31_start(void) { return (hash31){ 0, 1 }; }

/* Adds UTF-8 (or CESU-8) text. */
hash31 hash31_add(hash31 h, slice text);

/* The hash of a's text followed by b's. */
static inline hash31 hash31_join(hash31 a, hash31 b)
{
    return (hash31){ a.sum * b.power + b.sum, a.power * b.power };
}

static inline int32_t hash31_value(hash31 h) { return (int32_t)h.sum; }

#endif
