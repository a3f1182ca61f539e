/* audio.h - what is known here of a piece of audio.
 *
 * Chunks and manifests are ordinary values of the graph (core/audio.h has their
 * names). To serve one by its root, a server has to know which manifest describes
 * it, and which of its chunks are kept. Both are found in the store when somebody
 * asks, and remembered while there is room:
 *
 *   a track     a manifest that was read and proved, by its own hash; parts joined
 *   present     a bit for each chunk that has been met in the store
 *
 * Nothing here has to be told of a write. A manifest is looked for in the store each
 * time somebody asks for it, so one that was purged is served no more. That a chunk is
 * present is remembered until something is collected (radisk/space.h), for nobody else
 * but the operator deletes one; when one turns out to be gone or damaged after all, its
 * bit is cleared.
 *
 * Anybody may write a manifest, so several may stand under one root. Who asks
 * without naming one gets the first, in the order of their keys, that is proved and
 * whose sizes fit the first and the last chunk, as far as those are kept.
 *
 * A long manifest costs a stranger little to write and the loop much to read, so what is
 * read of them is bounded: by time, and what is read in vain is remembered. Short ones,
 * without parts, are always read.
 *
 * One thread, the loop's. A track is counted: who holds one keeps it.
 */
#ifndef SERVER_AUDIO_H
#define SERVER_AUDIO_H

#include "core/audio.h"
#include "radisk/radisk.h"

typedef struct audio audio;

typedef struct audio_limits {
    size_t cache_bytes;  /* of tracks that are remembered; and of those that are held */
    uint32_t chunks_max; /* of a track: reading a manifest holds the loop, up to 1 us a chunk */
} audio_limits;

audio_limits audio_default_limits(void);

typedef struct audio_track {
    audio_manifest manifest;
    uint8_t hash[AUDIO_HASH]; /* the manifest's name */
    const uint8_t *present;   /* the bitmap (core/audio.h) */
    uint32_t present_count;
} audio_track;

/* Gives; audio_free() takes back. All but `secret`, which keys its table, is lent
 * for as long as it lives. */
MUST_USE status audio_new(audio **out, radisk *store, const sea_crypto *crypto,
                          const audio_limits *limits, const uint8_t secret[static 16]);
void audio_free(audio *a);

/* Gives the track of a root, audio_release() takes it back. `manifest` names it, NULL
 * stands for the first that is proved. STATUS_NOT_FOUND: none is kept. *why says
 * more when it is STATUS_MALFORMED (what stands there is no manifest) or
 * STATUS_TOO_BIG. STATUS_BUSY: later; long manifests were read too often of late, or as
 * much is held as may be. STATUS_NO_MEMORY, STATUS_IO, STATUS_CORRUPT. */
MUST_USE status audio_find(audio *a, const uint8_t root[static AUDIO_HASH], const uint8_t *manifest,
                           int64_t now_ms, audio_track **out, const char **why);
void audio_release(audio *a, audio_track *t);

/* False: a manifest of this root is here, and names no such chunk at this place. True may
 * stand for "not known": not every write is worth a search, and a root is searched for
 * once a second, until somebody notes that something came under its manifests. */
bool audio_names(audio *a, const uint8_t root[static AUDIO_HASH], uint32_t index,
                 const uint8_t hash[static AUDIO_HASH], int64_t now_ms);
void audio_note_manifest(audio *a, const uint8_t root[static AUDIO_HASH]);

/* Looks for the chunks from *at on, to `end` (not included), in the store, as far as
 * `*looks` allow, which count down. AUDIO_ALL: they are there, *at is `end`.
 * AUDIO_MISSING: *at is one that is not. AUDIO_MORE: call again. */
typedef enum audio_presence { AUDIO_ALL, AUDIO_MISSING, AUDIO_MORE } audio_presence;
audio_presence audio_look(audio *a, audio_track *t, uint32_t *at, uint32_t end, uint32_t *looks);

/* The same for the whole bitmap, passing over what is missing; false: call again. */
bool audio_look_all(audio *a, audio_track *t, uint32_t *at, uint32_t *looks);

/* Somebody is about to be told what is present, and may rely on it for the grace of
 * radisk/space.h. To be called right before; what is collected meanwhile is not present. */
void audio_rely(audio *a, audio_track *t);

/* Whoever wrote chunk `index` with this hash says so: if the manifest of this name is
 * remembered and names it, its bit is set without a look. */
void audio_note_chunk(audio *a, const uint8_t manifest[static AUDIO_HASH], uint32_t index,
                      const uint8_t hash[static AUDIO_HASH]);

/* Lends the bytes of a chunk as they are stored, until the next look into the store;
 * they have the length that the manifest says. STATUS_NOT_FOUND; STATUS_CORRUPT, also
 * when they have not; STATUS_IO, STATUS_NO_MEMORY. */
MUST_USE status audio_chunk(audio *a, audio_track *t, uint32_t index, slice *out);

typedef struct audio_gauges {
    size_t tracks, bytes; /* remembered */
} audio_gauges;
void audio_measure(const audio *a, audio_gauges *out);

#endif
