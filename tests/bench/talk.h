/* talk.h - the few GUN messages that the bench speaks, and what it reads of the answers.
 *
 * Messages are printed as a gun.js client prints them. Answers are not parsed:
 * the bench chose every soul, key and value itself, so it can make sure that
 * '@' appears nowhere else, and find the answers in a frame, batched or not, by
 * looking for "@":" alone. That reads gigabytes a second, and leaves the processor to the server.
 *
 * Ids are TALK_ID_BYTES long, all of them: gun.js reserves for a put with id "p1"
 * also "p10", "p11" and so on for the souls and keys in it, and drops what comes
 * with such an id. An id says which connection and which slot of it asked, and a
 * generation tells apart those who used the slot one after another: that is how
 * the bench knows an answer given twice from two answers.
 */
#ifndef BENCH_TALK_H
#define BENCH_TALK_H

#include "core/slice.h"

#include <stdint.h>

enum { TALK_ID_BYTES = 18, TALK_TAG_BYTES = 5, TALK_MESSAGE_OVERHEAD = 256 };

/* Every value begins with one of these, and nothing else does. */
#define TALK_VALUE_MARK "V-" /* data */
#define TALK_TIMED_MARK "T-" /* a fan-out's value: when it was sent, and its number */

/* Whose messages: ids begin with it, taken at random, so that no two runs against
 * one relay share ids. */
typedef struct talk_tag {
    char at[TALK_TAG_BYTES];
    uint64_t last_us; /* the state of the last put */
} talk_tag;

typedef struct talk_id {
    uint16_t wire, slot;
    uint32_t generation; /* 20 bits of it travel */
} talk_id;

enum { TALK_GENERATION_MASK = 0xfffff };

talk_tag talk_new_tag(void);

enum { TALK_NAME_MAX = 64 };

/* The name of soul `number`: `prefix` and twelve characters, as random as those
 * gun makes, and always the same for one number. (Names in order would flatter any
 * store that keeps its keys sorted.) Lent in `text`. */
slice talk_name(char text[static TALK_NAME_MAX], const char *prefix, uint64_t number);

/* A text under construction, grown as needed; free(text.at) when done. */
typedef struct talk_text {
    char *at;
    size_t len, room;
} talk_text;

void talk_add(talk_text *t, slice more);
slice talk_slice(const talk_text *t);

/* What a node of a put holds. */
typedef struct talk_node {
    slice soul;
    uint32_t keys;      /* named k0, k1, ... */
    uint32_t first_key; /* where the naming starts */
    size_t value_bytes; /* of each value, its mark included */
    const char *mark;   /* what each value begins with */
} talk_node;

/* Appends one whole message. The state of a put is a little before now, so that the
 * relay takes it at once, and greater than that of the put before. */
void talk_put(talk_text *t, talk_tag *tag, talk_id id, const talk_node *node);
void talk_get(talk_text *t, const talk_tag *tag, talk_id id, slice soul);

/* Appends a message that was made beforehand, but for its id: bodies.h. */
void talk_prepared(talk_text *t, const talk_tag *tag, talk_id id, slice rest);

/* Appends what an echo server gives back as if it were an ack, as long as a put. */
void talk_echo(talk_text *t, const talk_tag *tag, talk_id id, size_t value_bytes);

/* Appends the answer to a relay's dam:"?", if this frame is one; returns whether. */
bool talk_greeting(talk_text *t, slice frame, uint32_t wire);

/* One answer found in a frame. */
typedef struct talk_answer {
    talk_id id;
    bool ok, err;
    uint32_t values; /* data values in it */
} talk_answer;

/* Finds the next answer to an id of `tag` at or after *from, and moves *from behind it. */
bool talk_next_answer(slice frame, const talk_tag *tag, size_t *from, talk_answer *out);

#endif
