/* audio_http.h - audio by HTTP: what is asked for, and whether it may be had so.
 *
 *   GET|HEAD /audio/<root>[?m=<hash>]           the track; a range of it
 *   GET|HEAD /audio/<root>/preview[?m=<hash>]   of a premium track, what all may hear
 *   GET|HEAD /audio/<root>/have[?m=<hash>]      JSON: which chunks are kept
 *   GET|HEAD /audio/<root>/m[?m=<hash>]         the text of the manifest, or of a part
 *   GET|HEAD /chunk/<hash>                      the bytes of one chunk
 *
 * What is sent here is upload_http.h.
 *
 * <root> is 64 digits of lower-case hexadecimal; a hash may be spelled in hexadecimal,
 * base64 or base64url. Anybody may write a manifest, so the address that means one
 * thing for ever is the one with `m`; without it, the first one kept here is served
 * and nobody may keep the answer without asking again.
 *
 * What is served was written by strangers, and comes from the origin where pages
 * keep their keys. So it says what it is only when that is harmless to show
 * (audio_type_is_safe), nobody may guess, and the sandbox lets nothing in it run.
 *
 * Encrypted tracks are served as they are kept, as application/octet-stream. The
 * preview has an address of its own, since one address with two kinds of bytes would break
 * every cache, and every player that puts ranges together.
 *
 * docs/audio.md has the table of statuses and headers.
 */
#ifndef SERVER_AUDIO_HTTP_H
#define SERVER_AUDIO_HTTP_H

#include "server/http_reply.h"

#define AUDIO_METHODS "GET, HEAD, POST, PUT, OPTIONS"

/* Reads a hash of an address: hexadecimal, base64 or base64url, with its padding or
 * without. Printed it is base64url, without. */
bool audio_url_hash(slice from, uint8_t out[static AUDIO_HASH]);
enum { AUDIO_URL_HASH = 43 };
void audio_print_url_hash(const uint8_t hash[static AUDIO_HASH],
                          char out[static AUDIO_URL_HASH + 1]);

/* Whether a path is answered here. */
bool audio_owns(slice path);

/* What a callback returns: 0 to go on, nonzero to close. */
int audio_request(server *s, visitor *v, struct lws *wsi, slice path);

#endif
