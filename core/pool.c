/* pool.c - see pool.h. */
#include "core/pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void pool_free(pool *p)
{
    for (uint32_t i = 0; i < p->block_count; i++) free(p->blocks[i]);
    free(p->blocks);
    *p = pool_make(p->item_bytes);
}

static bool pool_grow(pool *p)
{
    if (p->block_count == UINT32_MAX / POOL_BLOCK_ITEMS) return false;
    if (p->block_count == p->block_room) {
        uint32_t room = p->block_room ? p->block_room * 2 : 8;
        char **blocks = realloc(p->blocks, room * sizeof *blocks);
        if (blocks == NULL) return false;
        p->blocks = blocks;
        p->block_room = room;
    }

    char *block = malloc(POOL_BLOCK_ITEMS * p->item_bytes);
    if (block == NULL) return false;
    p->blocks[p->block_count++] = block;
    return true;
}

static uint32_t pool_take_fresh(pool *p)
{
    uint32_t item = p->fresh + 1;

    if (item / POOL_BLOCK_ITEMS >= p->block_count && !pool_grow(p)) return 0;
    p->fresh = item;
    return item;
}

uint32_t pool_take(pool *p)
{
    uint32_t item = p->free;

    if (item != 0)
        memcpy(&p->free, pool_at(p, item), sizeof p->free);
    else if ((item = pool_take_fresh(p)) == 0)
        return 0;
    p->used++;
    memset(pool_at(p, item), 0, p->item_bytes);
    return item;
}

void pool_give_back(pool *p, uint32_t item)
{
    assert(item != 0 && item <= p->fresh && p->used > 0);

    memcpy(pool_at(p, item), &p->free, sizeof p->free);
    p->free = item;
    if (--p->used > 0) return;

    p->free = p->fresh = 0;
    while (p->block_count > 1) free(p->blocks[--p->block_count]);
}

size_t pool_bytes(const pool *p)
{
    return p->block_count * (POOL_BLOCK_ITEMS * p->item_bytes) + p->block_room * sizeof *p->blocks;
}
