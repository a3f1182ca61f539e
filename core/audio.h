/* audio.h - large audio as chunk nodes: names, manifests, bytes, bitmaps.
 *
 * GUN keeps small values. A track is therefore cut into chunks, each a value of
 * its own that is named by its hash, and a manifest says how they make up the
 * track (docs/audio.md, convention 1):
 *
 *   audio/<root>#<s>   keys <index>#<hash>   the chunks 64 s to 64 s + 63, base64
 *   audio/<root>#m     key <hash>            the manifest, and its parts
 *
 * root is the SHA-256 over the hashes of the chunks, in order, so that the same
 * bytes cut alike have the same name, whoever publishes them.
 *
 * Anybody may write a manifest. Nothing it says is believed that can be computed:
 * its hashes have to give the root it stands under, and its sizes each other.
 *
 * Pure; SHA-256 is handed in. Hashes are 32 bytes as they are; in names they are
 * base64 (44 characters, padded), in roots 64 digits of lower-case hexadecimal.
 */
#ifndef CORE_AUDIO_H
#define CORE_AUDIO_H

#include "core/arena.h"
#include "core/sea.h"
#include "core/text.h"

#include <stdint.h>

enum {
    AUDIO_HASH = 32,
    AUDIO_ROOT = 64,             /* characters of a root */
    AUDIO_CHUNK = 36864,         /* bytes of a chunk: divisible by 3, its message is under
                                    50,000 bytes; 0.9 s of 320 kbit/s */
    AUDIO_CHUNK_LARGE = 196608,  /* of a file above AUDIO_LARGE */
    AUDIO_CHUNK_MAX = 786432,    /* of a legal manifest: 1 MiB of text */
    AUDIO_SEGMENT = 64,          /* chunks of a soul, so that a browser can free it */
    AUDIO_PART = 1024,           /* hashes of a manifest, or of each of its parts */
    AUDIO_CHUNKS_MAX = 1000000,  /* an index has six digits */
    AUDIO_TYPE_MAX = 127,        /* characters of a media type (RFC 6838) */
    AUDIO_SEALED = 16,           /* bytes by which an encrypted chunk is longer */
};

#define AUDIO_LARGE ((uint64_t)64 << 20)

/* Bytes of a chunk for a file of this size. */
uint32_t audio_chunk_bytes(uint64_t file_bytes);

/* --- names --- */

typedef enum audio_soul_kind { AUDIO_NONE, AUDIO_CHUNKS, AUDIO_MANIFEST } audio_soul_kind;

typedef struct audio_soul {
    audio_soul_kind kind;
    uint8_t root[AUDIO_HASH];
    uint32_t segment; /* AUDIO_CHUNKS */
} audio_soul;

/* What a soul's name says; AUDIO_NONE for any other soul. */
audio_soul audio_soul_read(slice soul);

enum { AUDIO_SOUL_MAX = sizeof "audio/#" + AUDIO_ROOT + 10, AUDIO_KEY_MAX = 6 + 1 + 44 };

/* Print names; the length is returned, no NUL is written. */
size_t audio_chunk_soul(char out[static AUDIO_SOUL_MAX], const uint8_t root[static AUDIO_HASH],
                        uint32_t index);
size_t audio_manifest_soul(char out[static AUDIO_SOUL_MAX], const uint8_t root[static AUDIO_HASH]);
size_t audio_chunk_key(char out[static AUDIO_KEY_MAX], uint32_t index,
                       const uint8_t hash[static AUDIO_HASH]);

/* The index and hash of a chunk's key; false when it is none. The hash may be
 * spelled in base64 or hexadecimal, as gun takes it. */
bool audio_chunk_key_read(slice key, uint32_t *index, uint8_t hash[static AUDIO_HASH]);

/* The hash that a name ends in: after its last "#", or all of it. */
bool audio_hash_read(slice name, uint8_t hash[static AUDIO_HASH]);

void audio_hex(const uint8_t hash[static AUDIO_HASH], char out[static AUDIO_ROOT]);
/* 64 digits of lower-case hexadecimal and nothing else. */
bool audio_root_read(slice hex, uint8_t root[static AUDIO_HASH]);

/* The hash of a chunk of raw bytes: that of their base64. STATUS_NO_MEMORY. */
MUST_USE status audio_chunk_hash(const sea_crypto *crypto, slice raw,
                                 uint8_t out[static AUDIO_HASH]);

void audio_root(const sea_crypto *crypto, const uint8_t *hashes, uint32_t count,
                uint8_t out[static AUDIO_HASH]);

/* --- manifests --- */

typedef struct audio_manifest {
    slice mime; /* as it says, at most AUDIO_TYPE_MAX characters */
    uint64_t bytes;
    uint32_t chunk; /* bytes stored in each but the last */
    uint32_t span;  /* plain bytes that each but the last stands for */
    uint32_t count; /* of chunks */
    uint8_t root[AUDIO_HASH];
    bool has_sha256;
    uint8_t sha256[AUDIO_HASH]; /* of the plain file */
    bool sealed;                /* encrypted by the publisher */
    uint32_t preview;           /* chunks that may be heard without a key; needs has_preview_key */
    bool has_preview_key;
    uint8_t preview_key[32];
    uint32_t part_count; /* 0: the hashes stand in the manifest */
    const uint8_t *parts;  /* their hashes */
    const uint8_t *hashes; /* of the chunks; NULL until all parts were added */
} audio_manifest;

/* Reads a manifest. Memory is the arena's. STATUS_MALFORMED: *why says what is
 * wrong with it. Without parts its hashes were proved to give its root.
 * STATUS_NO_MEMORY, STATUS_TOO_BIG (the arena). */
MUST_USE status audio_manifest_read(audio_manifest *out, const sea_crypto *crypto, arena *a,
                                    slice text, const char **why);

/* Adds the texts of all parts, in order; then the hashes were proved, too. */
MUST_USE status audio_manifest_join(audio_manifest *m, const sea_crypto *crypto, arena *a,
                                    const slice *texts, const char **why);

/* Prints a manifest of these facts, and the texts of its parts: one hears of each
 * before the manifest is printed. `hashes` are those of m->count chunks. Needs
 * mime, bytes, chunk, span, count, root; sha256 if it has one. */
typedef bool audio_part_hear(void *context, slice text);
MUST_USE status audio_manifest_print(text *out, const audio_manifest *m, const sea_crypto *crypto,
                                     audio_part_hear *hear, void *context);

/* --- bytes --- */

/* Bytes stored in chunk `index`, and plain bytes that it stands for. */
uint32_t audio_stored_bytes(const audio_manifest *m, uint32_t index);
uint32_t audio_plain_bytes(const audio_manifest *m, uint32_t index);

/* All bytes as they are stored: what is served, encrypted or not. */
uint64_t audio_stored_total(const audio_manifest *m);

/* A range of bytes, first and last included. */
typedef struct audio_range {
    uint64_t first, last;
} audio_range;

typedef enum audio_range_kind {
    AUDIO_RANGE_WHOLE, /* there is none, or one that is to be ignored: 200 */
    AUDIO_RANGE_PART,  /* 206 */
    AUDIO_RANGE_NONE,  /* cannot be satisfied: 416 */
} audio_range_kind;

/* Reads a Range header (RFC 9110, 14.1.2): one range of bytes, open, closed or a
 * suffix. Several ranges are answered with the whole, which the RFC allows, and so
 * is what is malformed. */
audio_range_kind audio_range_read(slice header, uint64_t bytes, audio_range *out);

/* Where a byte stands. */
typedef struct audio_place {
    uint32_t index, offset;
} audio_place;
audio_place audio_place_of(const audio_manifest *m, uint64_t byte);

/* --- bitmaps --- */

/* Bytes of a bitmap: bit i of it (byte i / 8, bit i % 8 from the least) is chunk i. */
static inline size_t audio_bitmap_bytes(uint32_t count)
{
    return ((size_t)count + 7) / 8;
}

static inline void audio_bitmap_set(uint8_t *bits, uint32_t i)
{
    bits[i / 8] = (uint8_t)(bits[i / 8] | 1u << i % 8);
}

static inline bool audio_bitmap_has(const uint8_t *bits, uint32_t i)
{
    return bits[i / 8] >> i % 8 & 1;
}

/* --- what may be served as what it says --- */

/* Whether a media type may be shown to a browser as it is; anything else is
 * application/octet-stream, for this is the origin where pages keep keys. */
bool audio_type_is_safe(slice mime);

#endif
