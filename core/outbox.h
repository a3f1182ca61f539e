/* outbox.h - what waits to be sent to one peer, in lanes.
 *
 *   control   acks, errors, dam, routed calls, kept values. Never merged, never
 *             dropped; a peer whose control lane is full is not read until it
 *             drains.
 *   live      changes it subscribed to. They may melt: past the bound the queued
 *             changes turn into marks (soul, key), and when the socket drains
 *             the newest value of each mark goes out. A CRDT allows it, so the
 *             memory of a peer that does not read is bounded and nothing that
 *             matters is lost. Too many marks melt once more, into whole souls.
 *
 *   answers, misses, chunks   what was found, what was not, chunks of audio, in
 *             this order: a few frames, printed as the socket drains. What is
 *             behind them waits as a cursor (core/relay_answer.c).
 *
 * A frame is one batch of messages being gathered, or one message shared by all
 * who are sent it. An idle outbox holds a small ring for each lane that was used.
 */
#ifndef CORE_OUTBOX_H
#define CORE_OUTBOX_H

#include "core/slice.h"
#include "core/status.h"
#include "core/text.h"

#include <stdint.h>

/* Messages separated by commas. Reference counted; not for several threads. */
typedef struct frame {
    uint32_t refs;
    uint32_t count; /* messages in it */
    bool kept;      /* not text: the name of a row to be sent as it is then */
    size_t len, room;
    size_t soul_len; /* kept: the soul, behind it the key */
    char bytes[];    /* FRAME_FRONT bytes, then `len` of text, then one to spare */
} frame;

/* In front of the text: a transport's header, then a '['. */
enum { FRAME_FRONT = 33 };

frame *frame_new(size_t room);
frame *frame_hold(frame *f);
void frame_drop(frame *f);
static inline char *frame_text(frame *f)
{
    return f->bytes + FRAME_FRONT;
}
static inline slice frame_slice(frame *f)
{
    return (slice){ frame_text(f), f->len };
}

/* Makes the text of a frame that nobody shares a whole message or a batch, and
 * gives its bounds; the bytes before it may be written over. */
slice frame_close(frame *f);

typedef struct lane {
    frame **ring;
    uint32_t at, count, room;
    size_t bytes;
} lane;

/* Appends a message of text to the lane's last frame, or to a new one when that
 * is shared or has FRAME_GATHER bytes. STATUS_NO_MEMORY: not appended. */
enum { FRAME_GATHER = 16 * 1024 };
MUST_USE status lane_say(lane *l, slice message);

/* Appends a frame that others may share; takes no reference on failure. */
MUST_USE status lane_share(lane *l, frame *f);

/* Takes the first frame off; the reference is the caller's. NULL if empty. */
frame *lane_take(lane *l);
frame *lane_first(const lane *l);
void lane_free(lane *l);

/* Marks: a set of (soul, key), in the order of their first change. */
typedef struct marks marks;
typedef struct mark {
    slice soul, key; /* an empty key: the whole soul. Lent until the next call */
} mark;

/* Adds a key's mark to *m, made at first use. Past `max` of them, or MARKS_BYTES
 * (each has a copy of its soul's name), all turn into souls.
 * STATUS_NO_MEMORY. */
enum { MARKS_BYTES = 4 << 20 };
MUST_USE status marks_add(marks **m, slice soul, slice key, uint32_t max, const uint8_t secret[16]);
size_t marks_bytes(const marks *m);
bool marks_first(const marks *m, mark *out);
void marks_drop_first(marks **m); /* frees *m when it was the last */
void marks_free(marks **m);

#endif
