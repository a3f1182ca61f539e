/* upload_ask.h - what a POST or PUT of audio asks for, read from its header.
 *
 *   POST /audio                  a file; ?name= &type= &sha256= &title= &artist=
 *   PUT  /audio/<root>/m         a manifest, or a part of one; ?title= &artist=
 *   PUT  /audio/<root>/<i>       chunk i, as it is stored; ?m=<manifest>
 *
 * A body needs its length: libwebsockets 4.1.6 does not take chunked bodies apart,
 * and would hand over their frames as audio.
 */
#ifndef SERVER_UPLOAD_ASK_H
#define SERVER_UPLOAD_ASK_H

#include "core/audio.h"
#include "server/upload_note.h"

#include <libwebsockets.h>

typedef enum upload_what { UPLOAD_A_FILE, UPLOAD_A_MANIFEST, UPLOAD_A_CHUNK } upload_what;

typedef struct upload_ask {
    upload_what what;
    uint64_t bytes;
    bool more_comes; /* something follows the header, whatever it is */
    bool expects;    /* an answer before it sends the body */
    uint8_t root[AUDIO_HASH];
    uint32_t index;
    bool names_manifest, has_sha256;
    uint8_t manifest[AUDIO_HASH], sha256[AUDIO_HASH];
    char mime[AUDIO_TYPE_MAX];
    size_t mime_len;
    char title[UPLOAD_NOTE_MAX], artist[UPLOAD_NOTE_MAX];
    size_t title_len, artist_len;
    bool is_named; /* the title is only the file's name */
} upload_ask;

/* The media type that a file's name speaks for; application/octet-stream for others. */
slice upload_type_of(slice name);

/* Whether the request is a POST or PUT. */
bool upload_is_asked(struct lws *wsi);

/* Reads a request whose headers are there. 0, or a status, and *why says it in a
 * sentence. What was read until then stays. */
int upload_ask_read(struct lws *wsi, slice path, upload_ask *out, const char **why);

#endif
