/* raw.h - values as bytes, for who serves audio.
 *
 * A chunk is a string of base64, and is stored decoded (blob.h). Whoever wants its
 * bytes would otherwise have it encoded first, to decode it again.
 */
#ifndef RADISK_RAW_H
#define RADISK_RAW_H

#include "core/text.h"
#include "radisk/radisk.h"

/* Lends the bytes of a value that is a string of canonical base64, decoded, until
 * the next look, as graph.h has it for large values. STATUS_NOT_FOUND;
 * STATUS_MALFORMED: the value is something else; STATUS_CORRUPT, STATUS_IO,
 * STATUS_NO_MEMORY. */
MUST_USE status radisk_raw(radisk *store, slice soul, slice key, slice *out);

/* The same for whatever chunk has this content hash, under whichever name. One of up
 * to 64 characters of text is found by its name only. */
MUST_USE status radisk_raw_by_hash(radisk *store, const uint8_t hash[static 32], slice *out);

/* Whether there is a value, without reading it. Errors as above. */
MUST_USE status radisk_holds(radisk *store, slice soul, slice key);

#endif
