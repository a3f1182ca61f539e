/* pool.h - many small items of one size, named by 32-bit numbers.
 *
 * A number is half a pointer, and items here are made of little but links to
 * each other. Items live in blocks that never move, so a pointer to one stays
 * good while others come and go. Number 0 names nothing.
 *
 * Blocks go back to the heap when the pool has become empty (all but one), not
 * before: what is used together is not taken together, and a block that is
 * almost empty is the rule, not the exception.
 */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include <stddef.h>
#include <stdint.h>

enum { POOL_BLOCK_ITEMS = 1024 };

typedef struct pool {
    size_t item_bytes; /* at least 4: a free item holds the number of the next one */
    char **blocks;
    uint32_t block_count, block_room;
    uint32_t fresh; /* numbers above this one were never handed out */
    uint32_t free;  /* head of the list of returned items */
    uint32_t used;
} pool;

static inline pool pool_make(size_t item_bytes)
{
    return (pool){ .item_bytes = item_bytes };
}

void pool_free(pool *p);

/* The number of a cleared item, 0 when memory is short. */
uint32_t pool_take(pool *p);
void pool_give_back(pool *p, uint32_t item);

static inline void *pool_at(const pool *p, uint32_t item)
{
    return p->blocks[item / POOL_BLOCK_ITEMS] + (item % POOL_BLOCK_ITEMS) * p->item_bytes;
}

size_t pool_bytes(const pool *p);

#endif
