/* base64.h - the two spellings of base64 that GUN writes.
 *
 * Signatures and content hashes are base64 with "+/" and padding; public keys
 * are base64url without. What is compared as a name (a key, a content hash) has
 * one spelling here. What is only decoded (a signature) is read as browsers
 * read it: sea.js calls atob(), which forgives white space, missing padding and
 * unused bits (WHATWG Infra, "forgiving-base64 decode").
 */
#ifndef CORE_BASE64_H
#define CORE_BASE64_H

#include "core/slice.h"

#include <stdint.h>

/* Reads exactly `bytes` bytes as atob() would. False: it is something else. */
bool base64_forgiving(slice text, uint8_t *out, size_t bytes);

/* Whether it is base64 with padding in its only spelling, and not empty: what is
 * decoded from it prints as it again. */
bool base64_is_canonical(slice text);

/* Reads 32 bytes of base64url without padding, in their only spelling. */
bool base64_url32(slice text, uint8_t out[static 32]);

enum { BASE64_LEN_32 = 44 };

/* Writes 32 bytes as base64, padded; no NUL. */
void base64_print32(const uint8_t bytes[static 32], char out[static BASE64_LEN_32]);

#endif
