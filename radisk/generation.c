/* generation.c - see generation.h. */
#include "radisk/generation.h"

#include "core/keyed.h"
#include "radisk/hashed.h"

#include <assert.h>
#include <stdlib.h>

/* One soul with one small row takes about this much; a table with a bucket for
 * each is as large as it helps to be. Untouched buckets cost no memory. */
enum { BYTES_A_SOUL = 256, BUCKETS_MIN = 1 << 10, BUCKETS_MAX = 1 << 20 };

/* Below one soul in so many buckets it is cheaper to clear them one by one. */
enum { CLEAR_SINGLY = 16 };

enum { ARENA_KEEP = 64 * 1024 };

status generation_open(generation *g, const uint8_t *secret, size_t bytes_max)
{
    size_t buckets = BUCKETS_MIN;

    while (buckets < BUCKETS_MAX && buckets < bytes_max / BYTES_A_SOUL) buckets *= 2;
    *g = (generation){ .secret = secret,
                       .mask = buckets - 1,
                       .memory = arena_make(SIZE_MAX),
                       .chance = keyed_hash(secret, SLICE("heights")) | 1 };
    g->buckets = calloc(buckets, sizeof *g->buckets);
    return g->buckets == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

void generation_close(generation *g)
{
    arena_free(&g->memory);
    free(g->buckets);
    g->buckets = NULL;
}

static void clear_buckets(generation *g)
{
    if (g->souls > g->mask / CLEAR_SINGLY) {
        memset(g->buckets, 0, (g->mask + 1) * sizeof *g->buckets);
        return;
    }
    for (const generation_soul *soul = g->newest; soul != NULL; soul = soul->older)
        g->buckets[soul->hash & g->mask] = NULL;
}

void generation_reset(generation *g)
{
    clear_buckets(g);
    g->listed = g->held_added = g->held_released = (ladder){ 0 };
    g->newest = NULL;
    g->last_listed = NULL;
    g->souls = g->rows = 0;
    g->segment = g->hashed_bytes = 0;
    g->replayed = false;
    arena_reset(&g->memory, ARENA_KEEP);
}

bool generation_is_empty(const generation *g)
{
    return g->rows == 0 && g->held_added.count == 0 && g->held_released.count == 0;
}

static generation_soul *find(const generation *g, slice name, uint64_t hash)
{
    generation_soul *soul = g->buckets[hash & g->mask];

    while (soul != NULL && !(soul->hash == hash && slice_equal(soul->name, name)))
        soul = soul->chained;
    return soul;
}

generation_soul *generation_find(const generation *g, slice soul)
{
    if (g->souls == 0) return NULL;
    return find(g, soul, keyed_hash(g->secret, soul));
}

generation_row *generation_find_row(const generation_soul *soul, slice key)
{
    rung *at = ladder_find(&soul->rows, key);

    return at == NULL ? NULL : at->item;
}

static generation_soul *add_soul(generation *g, slice name, uint64_t id)
{
    generation_soul *soul = arena_take(&g->memory, sizeof *soul);
    slice copy = arena_copy(&g->memory, name);

    if (soul == NULL || copy.at == NULL) return NULL;
    *soul = (generation_soul){
        .name = copy, .id = id, .hash = keyed_hash(g->secret, name), .older = g->newest
    };
    soul->hashed = hashed_soul(name);
    g->newest = soul;
    g->souls++;

    generation_soul **bucket = &g->buckets[soul->hash & g->mask];
    soul->chained = *bucket;
    *bucket = soul;
    return soul;
}

static void remove_soul(generation *g, generation_soul *soul)
{
    generation_soul **link = &g->buckets[soul->hash & g->mask];

    while (*link != soul) link = &(*link)->chained;
    *link = soul->chained;
    assert(g->newest == soul && g->last_listed != soul); /* changes are undone in reverse */
    g->newest = soul->older;
    g->souls--;
}

status generation_list(generation *g)
{
    for (generation_soul *soul = g->newest; soul != g->last_listed; soul = soul->older)
        if (ladder_find(&g->listed, soul->name) == NULL &&
            ladder_add(&g->listed, &g->memory, &g->chance, soul->name, soul) == NULL)
            return STATUS_NO_MEMORY; /* those listed are met again next time */
    g->last_listed = g->newest;
    return STATUS_OK;
}

static generation_row *add_row(generation *g, generation_soul *soul, slice key)
{
    generation_row *row = arena_take(&g->memory, sizeof *row);
    slice copy = arena_copy(&g->memory, key);

    if (row == NULL || copy.at == NULL) return NULL;
    *row = (generation_row){ .key = copy };
    return ladder_add(&soul->rows, &g->memory, &g->chance, copy, row) == NULL ? NULL : row;
}

/* Copies a text to where it shall stand: over the one before it, if that may be
 * and there is room. NULL when memory is short. */
static char *place_text(generation *g, generation_row *row, slice bytes, bool reuse)
{
    char *at = (char *)(uintptr_t)row->value.text.at;

    if (!reuse || row->room < bytes.len || at == NULL) {
        at = arena_take(&g->memory, bytes.len);
        if (at == NULL) return NULL;
        row->room = bytes.len;
    }
    memcpy(at, bytes.at, bytes.len);
    return at;
}

static status place_value(generation *g, generation_row *row, const generation_put *put, bool reuse)
{
    if (put->blob != NULL) {
        row->value = (generation_value){ .blob = put->blob };
        row->room = 0;
        return STATUS_OK;
    }
    char *at = place_text(g, row, put->text, reuse);
    if (at == NULL) return STATUS_NO_MEMORY;
    row->value = (generation_value){ .text = { at, put->text.len } };
    return STATUS_OK;
}

uint64_t generation_value_bytes(const generation_value *value)
{
    return hashed_bytes(value->text, value->blob != NULL ? &value->blob->ref : NULL);
}

/* Counts a row's value instead of the one before it; or, undone, that one again. */
static void recount(generation *g, const generation_change *c, bool undone)
{
    uint64_t before = c->new_row ? 0 : generation_value_bytes(&c->before.value);
    uint64_t now = generation_value_bytes(&c->row->value);

    if (c->soul->hashed) g->hashed_bytes += undone ? before - now : now - before;
}

status generation_take(generation *g, const generation_put *put, generation_change *out)
{
    generation_change change = { .soul = put->soul };

    if (change.soul == NULL) {
        change.soul = add_soul(g, put->name, put->id);
        if (change.soul == NULL) return STATUS_NO_MEMORY;
        change.new_soul = true;
    }
    change.row = change.new_soul ? NULL : generation_find_row(change.soul, put->key);
    if (change.row == NULL) {
        change.row = add_row(g, change.soul, put->key);
        if (change.row == NULL) {
            if (change.new_soul) remove_soul(g, change.soul);
            return STATUS_NO_MEMORY;
        }
        change.new_row = true;
        g->rows++;
    }
    change.before = *change.row;
    if (place_value(g, change.row, put, put->for_good && !change.new_row) != STATUS_OK) {
        generation_undo(g, &change);
        return STATUS_NO_MEMORY;
    }
    change.row->state = put->state;
    change.row->batch = put->batch;
    recount(g, &change, false);
    *out = change;
    return STATUS_OK;
}

void generation_undo(generation *g, const generation_change *change)
{
    recount(g, change, true);
    if (change->new_row) {
        ladder_remove(&change->soul->rows, change->row->key);
        g->rows--;
    } else {
        *change->row = change->before;
        change->row->room = change->before.value.text.len;
    }
    if (change->new_soul) remove_soul(g, change->soul);
}

status generation_hold(generation *g, slice held_key, const generation_held *h)
{
    generation_held *copy = arena_take(&g->memory, sizeof *copy);
    slice key = arena_copy(&g->memory, held_key);

    if (copy == NULL || key.at == NULL) return STATUS_NO_MEMORY;
    *copy = *h;
    copy->soul = arena_copy(&g->memory, h->soul);
    copy->key = arena_copy(&g->memory, h->key);
    if (h->value.blob == NULL) copy->value.text = arena_copy(&g->memory, h->value.text);
    if (copy->soul.at == NULL || copy->key.at == NULL ||
        (h->value.blob == NULL && copy->value.text.at == NULL))
        return STATUS_NO_MEMORY;
    rung *added = ladder_add(&g->held_added, &g->memory, &g->chance, key, copy);
    if (added == NULL) return STATUS_NO_MEMORY;
    if (hashed_soul(copy->soul)) g->hashed_bytes += generation_value_bytes(&copy->value);
    return STATUS_OK;
}

status generation_release(generation *g, slice held_key)
{
    slice key = arena_copy(&g->memory, held_key);

    if (key.at == NULL) return STATUS_NO_MEMORY;
    rung *added = ladder_add(&g->held_released, &g->memory, &g->chance, key, NULL);
    return added == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

void generation_unhold(generation *g, slice held_key)
{
    const generation_held *h = ladder_find(&g->held_added, held_key)->item;

    if (hashed_soul(h->soul)) g->hashed_bytes -= generation_value_bytes(&h->value);
    ladder_remove(&g->held_added, held_key);
}
