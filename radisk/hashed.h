/* hashed.h - how many bytes of content hashes the store holds.
 *
 * Anybody may write to a soul of content hashes where a relay takes signed writes only,
 * so what they take is counted against a quota. What counts is the length of the values'
 * text, of rows and of held writes, whose soul is such a soul (policy.h).
 *
 * In LMDB the sum stands in `meta`, and each transaction of the folder that changes a
 * row changes it too: after any crash the two agree, and a fold that is done again
 * counts nothing twice. What the generations hold besides is added to it, each value in
 * full though LMDB may have it already: so the sum is never too low, and exact when all
 * is folded. Rows that were damaged and then written over are still counted, until
 * `brasa compact` counts anew.
 */
#ifndef RADISK_HASHED_H
#define RADISK_HASHED_H

#include "core/policy.h"
#include "radisk/blob.h"

/* Most souls have no "#": they cost no more than finding that out. */
static inline bool hashed_soul(slice soul)
{
    return soul.len > 0 && memchr(soul.at, '#', soul.len) != NULL && policy_is_hashed(soul);
}

/* Bytes of a value: its text, or the blob it is. */
static inline uint64_t hashed_bytes(slice value, const blob_ref *blob)
{
    return blob != NULL ? blob->text_bytes : value.len;
}

#endif
