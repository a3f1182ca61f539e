/* keyed.h - the hash behind every table that a peer's input fills.
 *
 * SipHash-2-4 under a secret: a peer that does not know the secret cannot
 * choose names that fall into one chain. Pure: the secret is handed in.
 */
#ifndef CORE_KEYED_H
#define CORE_KEYED_H

#include "core/slice.h"

#include <sodium/crypto_shorthash.h>
#include <stdint.h>

enum { KEYED_SECRET_BYTES = 16 };

static inline uint64_t keyed_hash(const uint8_t secret[static KEYED_SECRET_BYTES], slice bytes)
{
    uint64_t hash;
    unsigned char out[crypto_shorthash_BYTES];

    crypto_shorthash(out, (const unsigned char *)bytes.at, bytes.len, secret);
    memcpy(&hash, out, sizeof hash);
    return hash;
}

/* Spreads what is spread badly; a bijection, so what differs stays different
 * (the finalizer of MurmurHash3). */
static inline uint64_t keyed_spread(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    x ^= x >> 33;
    return x;
}

#endif
