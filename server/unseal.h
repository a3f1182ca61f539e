/* unseal.h - one encrypted chunk of a track, in the clear.
 *
 * Premium audio is encrypted by its publisher, chunk by chunk (docs/audio.md):
 * AES-256-GCM, IV 12 bytes, zero but for the chunk's index in the last four,
 * big-endian; what is authenticated besides is the text "a1:" and the index. A
 * manifest may show the key of its first chunks, for all to hear; no other key ever
 * comes to a relay.
 */
#ifndef SERVER_UNSEAL_H
#define SERVER_UNSEAL_H

#include "core/slice.h"
#include "core/status.h"

#include <stdint.h>

enum { UNSEAL_KEY = 32, UNSEAL_TAG = 16 };

/* Writes sealed.len - UNSEAL_TAG bytes. STATUS_CORRUPT: the key is another, or the bytes
 * are; what was written is not to be used. STATUS_NO_MEMORY. */
MUST_USE status unseal(const uint8_t key[static UNSEAL_KEY], uint32_t index, slice sealed,
                       char *out);

#endif
