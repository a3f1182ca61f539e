/* crypto.h - the curve and the hash that core/sea.h is handed.
 *
 * P-256 and SHA-256 by OpenSSL. Two things are remembered, both bounded and both
 * under a keyed hash: decoded public keys, for decoding one costs as much as a
 * quarter of a verification, and verdicts, so that the same key, digest and
 * signature are never put to the curve twice: not a certificate that stands in a
 * thousand writes, nor a forgery that is sent again and again. Two threads that
 * meet the same question at once share one answer.
 *
 * Any thread may ask. For want of memory a good signature may be taken for a bad one,
 * that time and no longer; never a bad one for a good one.
 */
#ifndef SERVER_CRYPTO_H
#define SERVER_CRYPTO_H

#include "core/sea.h"

typedef struct crypto crypto;

typedef struct crypto_limits {
    uint32_t keys_max;     /* decoded public keys */
    uint32_t verdicts_max; /* 32 bytes each */
} crypto_limits;

crypto_limits crypto_default_limits(void);

enum { CRYPTO_SECRET_BYTES = 32 };

/* Gives; crypto_free() takes it back. `secret` is random, and copied.
 * STATUS_NO_MEMORY: also when OpenSSL has no P-256 or SHA-256. */
MUST_USE status crypto_new(crypto **out, const crypto_limits *limits,
                           const uint8_t secret[static CRYPTO_SECRET_BYTES]);
void crypto_free(crypto *c);

/* The table, lent for as long as the crypto lives. */
const sea_crypto *crypto_table(const crypto *c);

/* SHA-256 alone, which needs no memory: for who proves manifests, and no signature. */
const sea_crypto *crypto_hashing(void);

typedef struct crypto_counts {
    uint64_t curves;     /* signatures put to the curve */
    uint64_t remembered; /* those answered from memory */
    uint64_t keys;       /* public keys decoded */
} crypto_counts;
void crypto_count(const crypto *c, crypto_counts *out);

#endif
