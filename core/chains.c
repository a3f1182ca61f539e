/* chains.c - see chains.h. */
#include "core/chains.h"

#include <assert.h>
#include <stdlib.h>

enum { CHAINS_ROOM_FIRST = 16 };

void chains_free(chains *c)
{
    for (int i = 0; i < CHAINS_PARTS; i++) free(c->parts[i].heads);
    *c = (chains){ 0 };
}

static void chains_move(uint32_t *to, uint32_t room, const uint32_t *from, uint32_t from_room,
                        const chains_items *items)
{
    for (uint32_t i = 0; i < from_room; i++) {
        for (uint32_t item = from[i]; item != 0;) {
            uint32_t *link = items->link(items->context, item);
            uint32_t *head = &to[items->hash(items->context, item) & (room - 1)];
            uint32_t next = *link;

            *link = *head;
            *head = item;
            item = next;
        }
    }
}

bool chains_reserve(chains *c, const chains_items *items, uint64_t hash)
{
    uint32_t part = (uint32_t)(hash >> 58), room = c->parts[part].room;

    if (c->parts[part].count < room || room > UINT32_MAX / 2) return true;

    uint32_t wanted = room == 0 ? CHAINS_ROOM_FIRST : room * 2;
    uint32_t *heads = calloc(wanted, sizeof *heads);
    if (heads == NULL) return room != 0;

    chains_move(heads, wanted, c->parts[part].heads, room, items);
    free(c->parts[part].heads);
    c->parts[part].heads = heads;
    c->parts[part].room = wanted;
    return true;
}

void chains_add(chains *c, const chains_items *items, uint32_t item)
{
    uint64_t hash = items->hash(items->context, item);
    uint32_t part = (uint32_t)(hash >> 58);

    assert(c->parts[part].room != 0);
    uint32_t *head = &c->parts[part].heads[hash & (c->parts[part].room - 1)];
    *items->link(items->context, item) = *head;
    *head = item;
    c->parts[part].count++;
}

void chains_remove(chains *c, const chains_items *items, uint32_t item)
{
    uint64_t hash = items->hash(items->context, item);
    uint32_t part = (uint32_t)(hash >> 58);
    uint32_t *at = &c->parts[part].heads[hash & (c->parts[part].room - 1)];

    while (*at != item) {
        assert(*at != 0);
        at = items->link(items->context, *at);
    }
    *at = *items->link(items->context, item);
    if (--c->parts[part].count > 0) return;

    /* Emptied: give the heads back, they may have been many. */
    free(c->parts[part].heads);
    c->parts[part].heads = NULL;
    c->parts[part].room = 0;
}

size_t chains_bytes(const chains *c)
{
    size_t bytes = 0;

    for (int i = 0; i < CHAINS_PARTS; i++) bytes += c->parts[i].room * sizeof(uint32_t);
    return bytes;
}
