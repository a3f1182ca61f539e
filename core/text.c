/* text.c - a buffer that doubles. */
#include "core/text.h"

#include "core/number.h"

#include <stdint.h>
#include <stdlib.h>

/* Most of what is printed is one small message. */
enum { ROOM_FIRST = 256 };

char *text_room(text *t, size_t bytes)
{
    if (t->failed) return NULL;
    if (t->room - t->len >= bytes && t->at != NULL) return t->at + t->len;

    size_t room = t->room < ROOM_FIRST ? ROOM_FIRST : t->room;
    char *at = NULL;
    if (bytes <= SIZE_MAX / 4 - t->len) {
        while (room - t->len < bytes) room *= 2;
        at = realloc(t->at, room);
    }
    if (at == NULL) {
        t->failed = true;
        return NULL;
    }
    t->at = at;
    t->room = room;
    return at + t->len;
}

void text_add(text *t, slice bytes)
{
    char *at = text_room(t, bytes.len);

    if (at == NULL || bytes.len == 0) return;
    memcpy(at, bytes.at, bytes.len);
    t->len += bytes.len;
}

void text_add_char(text *t, char c)
{
    char *at = text_room(t, 1);

    if (at == NULL) return;
    *at = c;
    t->len += 1;
}

void text_add_number(text *t, double x)
{
    char *at = text_room(t, NUMBER_TEXT_MAX);

    if (at != NULL) t->len += number_print(at, x);
}

void text_reset(text *t, size_t keep_bytes)
{
    if (t->room > keep_bytes) {
        text_free(t);
        return;
    }
    t->len = 0;
    t->failed = false;
}

void text_free(text *t)
{
    free(t->at);
    *t = (text){ 0 };
}
