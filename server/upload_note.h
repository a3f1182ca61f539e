/* upload_note.h - what is told of a track: the node at which people find it.
 *
 * A track is named by a root that nobody types. Where it can be found is a node with
 * its title and a link (docs/audio.md, "Metadata"). Artists sign theirs, with keys
 * that a server never sees. For who has none the server writes the open one:
 *
 *   tracks/<first 12 digits of the root>
 *     title, artist, mime, bytes, root, manifest, sha256, audio, v
 *
 * Anybody may write there as well, as in any space that nobody signs; so it is only
 * for uploaders who could put it by themselves.
 */
#ifndef SERVER_UPLOAD_NOTE_H
#define SERVER_UPLOAD_NOTE_H

#include "core/audio.h"
#include "server/server.h"

enum {
    UPLOAD_TRACK_MAX = sizeof "tracks/" - 1 + 12,
    UPLOAD_NOTE_MAX = 1000, /* bytes of a title, or of an artist */
};

typedef struct upload_note {
    text title, artist; /* canonical text; empty: nothing is told */
} upload_note;

/* Takes the texts, UTF-8, at most UPLOAD_NOTE_MAX bytes each. upload_note_free(). */
void upload_note_read(upload_note *n, slice title, slice artist);
void upload_note_free(upload_note *n);
bool upload_note_is_there(const upload_note *n);

/* The soul of the node of a root. */
void upload_note_soul(const uint8_t root[static AUDIO_HASH], char out[static UPLOAD_TRACK_MAX]);

/* Writes the node; results of relay_write(). */
MUST_USE status upload_note_write(server *s, const upload_note *n, const audio_manifest *m,
                                  const uint8_t manifest[static AUDIO_HASH], graph_ticket *ticket);

#endif
