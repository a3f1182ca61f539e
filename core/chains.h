/* chains.h - a hash table of numbered items (pool.h) that never stalls.
 *
 * The table keeps heads of chains and nothing else: items know their hash and
 * their link. It is 64 tables, by the top bits of the hash, each doubling on
 * its own: growing one of 8 million entries at once would hold the loop for
 * longer than a frame, a 64th of it is over before anybody notices.
 *
 * When memory is short chains get longer instead; only the first insert into an
 * empty table can fail, and chains_reserve() finds that out beforehand.
 */
#ifndef CORE_CHAINS_H
#define CORE_CHAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHAINS_PARTS = 64 };

/* How the table reads its items. */
typedef struct chains_items {
    void *context;
    uint64_t (*hash)(void *context, uint32_t item);
    uint32_t *(*link)(void *context, uint32_t item);
} chains_items;

typedef struct chains {
    struct {
        uint32_t *heads;
        uint32_t room, count;
    } parts[CHAINS_PARTS];
} chains;

void chains_free(chains *c);

/* First item of the chain of this hash, 0 when there is none; the caller walks
 * the links and compares. */
static inline uint32_t chains_first(const chains *c, uint64_t hash)
{
    uint32_t part = (uint32_t)(hash >> 58);

    return c->parts[part].room == 0 ? 0 : c->parts[part].heads[hash & (c->parts[part].room - 1)];
}

/* Whether chains_add() may be called for this hash; grows the table when due. */
bool chains_reserve(chains *c, const chains_items *items, uint64_t hash);
void chains_add(chains *c, const chains_items *items, uint32_t item);
void chains_remove(chains *c, const chains_items *items, uint32_t item);

size_t chains_bytes(const chains *c);

#endif
