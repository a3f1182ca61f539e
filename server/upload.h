/* upload.h - a track on its way in, without a socket.
 *
 * Three things can be uploaded (docs/audio.md):
 *
 *   a file       bytes of a whole track: cut into chunks as they come, hashed and
 *                kept at once, under a soul of this upload, "audio/upload-<random>#".
 *                The name of a track is made of all its hashes, so that its own nodes
 *                are written when the last byte has come: from what is kept, a few
 *                chunks a turn, and last the manifest. Each chunk is one blob, however
 *                many nodes name it. The collector takes the first rows away.
 *   a manifest   proved, and kept. Or a part of one that is kept.
 *   a chunk      of a manifest that is kept: its hash has to be the one named there.
 *
 * What arrives is heard as far as the store takes it; when it takes nothing more
 * the rest has to wait, and whoever sends is not read. An upload that ends early
 * leaves what was verified: the same chunks are not written again.
 *
 *   upload_new_* -> upload_hear* -> upload_turn* -> UPLOAD_DONE or UPLOAD_FAILED
 *
 * Whoever subscribes hears of chunks and manifests as if gun.js had put them.
 *
 * An upload costs one chunk of memory, 32 bytes for each chunk it has had, and what
 * the disk has not taken yet, about 4 MiB of all uploads together. It is the loop's.
 */
#ifndef SERVER_UPLOAD_H
#define SERVER_UPLOAD_H

#include "core/audio.h"
#include "server/server.h"

typedef struct upload upload;

typedef enum upload_state {
    UPLOAD_HEARS,  /* takes bytes */
    UPLOAD_WAITS,  /* for the store: call upload_turn() when it has done something */
    UPLOAD_WORKS,  /* call upload_turn() soon */
    UPLOAD_DONE,   /* upload_words() are JSON for the answer */
    UPLOAD_FAILED, /* upload_words() say why, in a line without its end */
} upload_state;

/* A file of so many bytes, of a media type; `sha256` NULL or what it has to be.
 * `trusted`: no quota stops it. All give, and upload_free() takes back; NULL when
 * memory is short. One that cannot be taken has failed at once. */
upload *upload_new_file(server *s, bool trusted, uint64_t bytes, slice mime, const uint8_t *sha256);

/* A manifest, or a part of one, of this root. */
upload *upload_new_manifest(server *s, bool trusted, const uint8_t root[static AUDIO_HASH],
                            uint64_t bytes);

/* Chunk `index` of a track of which `manifest` is kept here. */
upload *upload_new_chunk(server *s, bool trusted, const audio_manifest *manifest, uint32_t index,
                         uint64_t bytes);

/* A title or an artist: the node of the track is written, too (upload_note.h). Texts
 * are UTF-8, copied; one may be empty. Only for whoever may write what is not signed. */
void upload_tell(upload *u, slice title, slice artist);

/* Whom its bytes are charged to, until a key answers for them (quota.h); NULL: nobody.
 * Borrowed, outlives the upload. */
void upload_charge(upload *u, const gate_person *person);

void upload_free(upload *u);

/* Hears some bytes and says how many it took: all of them unless it waits now, or
 * has failed. */
size_t upload_hear(upload *u, const char *at, size_t len);

/* Goes on with what waits; `bytes` of chunks may be written again, and are counted
 * down. */
upload_state upload_turn(upload *u, size_t *bytes);

/* The server stops, before all has come: it fails. What was verified stays. */
void upload_stop(upload *u);

upload_state upload_now(const upload *u);

/* An HTTP status: 201, 200 when all of it was known already, or why it failed. */
int upload_code(const upload *u);
const char *upload_words(const upload *u);

#endif
