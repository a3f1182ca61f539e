/* text.h - bytes being written, with a sticky error.
 *
 * Printers append without asking after each call; whoever wanted the text asks
 * text_ok() once, at the end. After a failed allocation nothing more is
 * written and what stands there is not to be used.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include "core/slice.h"

typedef struct text {
    char *at;
    size_t len, room;
    bool failed;
} text;

static inline bool text_ok(const text *t) { return !t->failed; }
static inline slice text_slice(const text *t) { return (slice){ t->at, t->len }; }

void text_add(text *t, slice bytes);
void text_add_char(text *t, char c);
void text_add_number(text *t, double x); /* as number_print() does */

/* Room for `bytes` more at t->at + t->len; NULL when memory is short. The
 * caller writes there and raises t->len itself. */
char *text_room(text *t, size_t bytes);

/* Forgets the text and keeps its memory when that is at most `keep_bytes`. */
void text_reset(text *t, size_t keep_bytes);
void text_free(text *t);

#endif
