/* arena.c - blocks in a chain, the newest in front. */
#include "core/arena.h"

#include <stdint.h>
#include <stdlib.h>

/* The block before it in time hangs from each; `used` counts from `bytes`. */
struct arena_block {
    arena_block *older;
    size_t room, used;
    _Alignas(max_align_t) char bytes[];
};

/* One page of tokens and names is what a usual message needs; a second block
 * means a large message, which will ask for more. */
enum { BLOCK_FIRST = 16 * 1024, BLOCK_NEXT = 64 * 1024, ALIGN = _Alignof(max_align_t) };

/* What a request occupies: never nothing, so that each has its own address. */
static size_t rounded(size_t bytes)
{
    return bytes == 0 ? (size_t)ALIGN : (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static bool fits(const arena *a, size_t bytes)
{
    return bytes <= SIZE_MAX / 2 && rounded(bytes) <= a->bytes_max &&
           a->taken <= a->bytes_max - rounded(bytes);
}

bool arena_full(const arena *a, size_t bytes)
{
    return !fits(a, bytes);
}

static arena_block *new_block(size_t room)
{
    arena_block *block = malloc(sizeof *block + room);

    if (block == NULL) return NULL;
    block->older = NULL;
    block->room = room;
    block->used = 0;
    return block;
}

static size_t usual_room(const arena *a)
{
    if (a->first_bytes == 0) return a->current == NULL ? BLOCK_FIRST : BLOCK_NEXT;
    if (a->current == NULL) return a->first_bytes;
    return a->held < BLOCK_NEXT ? a->held : BLOCK_NEXT;
}

static bool add_block(arena *a, size_t bytes)
{
    size_t usual = usual_room(a);
    arena_block *block = new_block(bytes > usual ? bytes : usual);

    if (block == NULL) return false;
    a->held += sizeof *block + block->room;
    block->older = a->current;
    a->current = block;
    if (a->first == NULL) a->first = block;
    return true;
}

void *arena_take(arena *a, size_t bytes)
{
    if (!fits(a, bytes)) return NULL;
    bytes = rounded(bytes);
    if (a->current == NULL || a->current->room - a->current->used < bytes) {
        if (!add_block(a, bytes)) return NULL;
    }

    void *out = a->current->bytes + a->current->used;
    a->current->used += bytes;
    a->taken += bytes;
    return out;
}

/* Whether these bytes end where the newest block's used part ends. */
static bool is_last(const arena *a, const char *old, size_t old_bytes)
{
    return a->current != NULL && old + old_bytes == a->current->bytes + a->current->used;
}

/* A block that holds nothing but what is being resized can move as a whole:
 * a large token array doubles without leaving its smaller selves behind. */
static bool move_block(arena *a, size_t bytes)
{
    arena_block *moved = realloc(a->current, sizeof *moved + bytes);

    if (moved == NULL) return false;
    if (a->first == a->current) a->first = moved;
    a->current = moved;
    a->held = a->held - moved->room + bytes;
    moved->room = bytes;
    return true;
}

void *arena_resize(arena *a, void *old, size_t old_bytes, size_t bytes)
{
    size_t had = rounded(old_bytes), wants = bytes <= SIZE_MAX / 2 ? rounded(bytes) : SIZE_MAX;

    if (wants > had && !fits(a, wants - had)) return NULL;
    if (!is_last(a, old, had)) {
        void *fresh = arena_take(a, bytes);
        if (fresh != NULL && old_bytes > 0)
            memcpy(fresh, old, old_bytes < bytes ? old_bytes : bytes);
        return fresh;
    }

    size_t start = a->current->used - had;
    if (wants > a->current->room - start) {
        if (start > 0) {
            void *fresh = arena_take(a, bytes);
            if (fresh != NULL) memcpy(fresh, old, old_bytes);
            return fresh;
        }
        if (!move_block(a, wants)) return NULL;
    }
    a->current->used = start + wants;
    a->taken = a->taken - had + wants;
    return a->current->bytes + start;
}

slice arena_copy(arena *a, slice bytes)
{
    char *at = arena_take(a, bytes.len);

    if (at != NULL && bytes.len > 0) memcpy(at, bytes.at, bytes.len);
    return (slice){ at, at == NULL ? 0 : bytes.len };
}

slice arena_join(arena *a, slice one, slice two, slice three)
{
    const slice pieces[] = { one, two, three };
    size_t len = 0;
    char *at = arena_take(a, one.len + two.len + three.len);

    for (int i = 0; at != NULL && i < 3; ++i) {
        if (pieces[i].len > 0) memcpy(at + len, pieces[i].at, pieces[i].len);
        len += pieces[i].len;
    }
    return (slice){ at, len };
}

static void free_current(arena *a)
{
    arena_block *block = a->current;

    a->current = block->older;
    a->held -= sizeof *block + block->room;
    free(block);
}

void arena_reset(arena *a, size_t keep_bytes)
{
    while (a->current != a->first) free_current(a);
    a->taken = 0;
    if (a->first == NULL) return;
    a->first->used = 0;
    if (a->first->room > keep_bytes) {
        free_current(a);
        a->first = NULL;
    }
}

void arena_free(arena *a)
{
    arena_reset(a, 0);
}
