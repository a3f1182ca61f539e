/* audio_text.h - the texts that a manifest is made of, by HTTP:
 *
 *   GET|HEAD /audio/<root>/m[?m=<hash>]
 *
 * The manifest that /audio/<root> would be served by; with `m` the one of that name,
 * or a part of one. Whoever reads it can compare it with its name, and then every
 * chunk with what it says.
 */
#ifndef SERVER_AUDIO_TEXT_H
#define SERVER_AUDIO_TEXT_H

#include "core/audio.h"
#include "server/http_reply.h"

/* Puts the text into the reply, with its owner. `named` is NULL or a hash. False:
 * there is none, or it cannot be read, and the reply says so. */
bool audio_text_read(server *s, const uint8_t root[static AUDIO_HASH], const uint8_t *named,
                     reply *r);

#endif
