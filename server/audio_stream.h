/* audio_stream.h - audio on its way to one listener.
 *
 * A stream is a reply that takes more than the turn it was asked for in: the chunks
 * that it needs are looked for in the store, then its header is said, then they
 * leave one after the other, each read when its turn comes:
 *
 *     LOOKING --- all there ---> SAYING --- the header is out ---> SENDING ---> end
 *             --- one is not --> SAYING --- 404 ---> end             |
 *                                             gone, damaged, stalled +--> cut
 *
 * What a listener costs is one chunk, and what libwebsockets holds of a write that
 * the socket did not take whole. All streams together do a bounded piece of work in
 * a turn of the loop, first come, first served, so that fifty listeners on a fast
 * line hold nobody up; who got its piece queues again.
 *
 * Bytes that are not those of the track are never sent: a chunk that is missing or
 * damaged cuts the connection, and the listener sees that less came than was said.
 *
 * While a stream is on its way nothing is read from its connection: requests behind
 * it wait in the kernel, or in libwebsockets if they came along with this one. Those
 * keep the loop awake for as long as the listener takes bytes; when it takes none they
 * rest, too. Whoever takes nothing for long, or not at once and has sent many
 * requests ahead or hung up one half, is cut off.
 */
#ifndef SERVER_AUDIO_STREAM_H
#define SERVER_AUDIO_STREAM_H

#include "server/audio.h"
#include "server/http_reply.h"

enum { STREAM_TAG_MAX = 2 * AUDIO_ROOT };

/* What is answered when all is there. */
typedef struct audio_answer {
    audio_track *track;  /* taken */
    bool plain;          /* the preview, in the clear */
    bool bitmap;         /* what is present, and no audio */
    uint64_t first, end; /* bytes of what is served; `end` is not included */
    reply reply;         /* its `etag`, `type` and `more` are these: */
    char etag[STREAM_TAG_MAX], type[AUDIO_TYPE_MAX + 1], more[REPLY_MORE_MAX];
} audio_answer;

/* Begins to answer; what a callback returns. Takes the answer's track, whatever
 * happens. Too many streams are told to come again. */
int audio_stream_begin(server *s, visitor *v, struct lws *wsi, const audio_answer *answer);

/* Its socket takes more; what a callback returns. */
int audio_stream_writable(audio_stream *t);

/* Its connection is gone; NULL is none. */
void audio_stream_end(audio_stream *t);

/* The part of a turn; whether there is more to do at once. */
void audio_streams_turn(server *s);
bool audio_streams_wait(const server *s);

/* Now and then: cuts those whose listener takes nothing. */
void audio_streams_tick(server *s);

/* Bytes of the whole, and of the preview of a sealed track. */
uint64_t audio_answer_bytes(const audio_manifest *m, bool plain);

#endif
