/* story.h - a tape, read: what happened, as a list that can be told otherwise.
 *
 * The bytes that were sent are taken apart into acks: an ack stands where the last
 * byte of its frame left. All else is as on the tape.
 *
 * story_lie() tells a story as it would be of a server that breaks one rule. The
 * tool has to notice: a crash test that finds nothing in a store without syncs
 * would find nothing anywhere.
 */
#ifndef TESTS_CRASH_STORY_H
#define TESTS_CRASH_STORY_H

#include "tests/crash/plan.h"
#include "tests/crash/tape.h"

enum { STORY_ACK = 100 }; /* a kind of event besides those of a tape; `at`: the put */

typedef struct event {
    uint32_t kind; /* tape_kind, or STORY_ACK */
    uint64_t object, parent, at;
    slice bytes; /* of the tape, which is mapped as long as the story lives */
} event;

typedef struct story {
    event *events;
    size_t count;
    size_t acks, refused; /* puts that were answered `ok`, and those with `err` */
    size_t runs, failed;  /* starts of the server; syncs that failed */
    void *map;
    size_t map_bytes;
} story;

/* Reads a tape, or ends the program with a sentence: also when something happened
 * that the tape cannot tell. story_free() takes it back. */
void story_read(story *s, const char *path, const plan *p);
void story_free(story *s);

typedef enum story_lie {
    LIE_NONE,
    LIE_NO_SYNC,        /* no sync does anything */
    LIE_EARLY_ACK,      /* acks leave before the sync that they waited for */
    LIE_EARLY_OLD_ACK,  /* only those of superseded puts do */
    LIE_EARLY_FREE,     /* a segment is let go before the fold was synced */
    LIE_NO_FOLDER_SYNC, /* no sync of a folder does anything */
    LIE_WRONG_FILE,     /* what is synced is another file than the one meant */
    LIE_COUNT,
} story_lie;

extern const char *const story_lie_names[LIE_COUNT];

/* Tells `s` otherwise, into `out`, which lends its bytes from it; story_free()
 * takes it back. False: this story has nothing of the kind to tell. */
bool story_tell(story *out, const story *s, story_lie lie, const plan *p);

#endif
