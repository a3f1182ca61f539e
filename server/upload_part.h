/* upload_part.h - whether somebody wants this part of a manifest.
 *
 * The hashes of a long track stand in parts (docs/audio.md), and a part says of
 * nothing but itself. So one that is sent here is taken when a manifest that is kept
 * names it. Anybody may write manifests: a search among them is bounded.
 */
#ifndef SERVER_UPLOAD_PART_H
#define SERVER_UPLOAD_PART_H

#include "core/audio.h"
#include "server/server.h"

bool upload_part_is_named(server *s, const uint8_t root[static AUDIO_HASH], slice part);

#endif
