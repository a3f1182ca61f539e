/* route.c - see route.h.
 *
 * Sets of eight slots; an id may stand in any slot of its set. Eight is where
 * the chance that a set overflows while the table is half empty becomes small,
 * and their hashes still lie close together. The hash is 64 bits under a
 * secret and stands for the id: a collision would send one answer astray.
 */
#include "core/route.h"

#include "core/keyed.h"

#include <assert.h>
#include <stdlib.h>

enum { ROUTE_WAYS = 8, ROUTE_INLINE = 23 };

typedef struct route_slot {
    uint64_t hash;
    uint64_t peer; /* 0: the slot is empty */
    int64_t used_ms;
    union {
        struct {
            uint8_t bytes; /* of the origin; 0 when it is the id itself */
            char text[ROUTE_INLINE];
        };
        struct {
            uint8_t long_bytes; /* the same byte, above ROUTE_INLINE */
            char *heap;
        };
    };
} route_slot;

struct route {
    route_slot *slots;
    uint64_t set_mask;
    uint64_t long_origins; /* slots with a heap, so that freeing an idle table touches nothing */
    int64_t life_ms;
    uint8_t secret[KEYED_SECRET_BYTES];
};

_Static_assert(sizeof(route_slot) == 48, "a slot has grown");
_Static_assert(ROUTE_ID_MAX <= UINT8_MAX, "an origin's length is kept in a byte");

status route_new(route **out, const uint8_t secret[static 16], uint32_t slots, int64_t life_ms)
{
    size_t sets = 1;
    route *t = malloc(sizeof *t);

    if (t == NULL) return STATUS_NO_MEMORY;
    while (sets * ROUTE_WAYS < slots) sets *= 2;
    *t = (route){ .set_mask = sets - 1, .life_ms = life_ms };
    memcpy(t->secret, secret, sizeof t->secret);
    /* Large, so malloc maps fresh pages for it: they cost nothing until touched. */
    t->slots = calloc(sets * ROUTE_WAYS, sizeof *t->slots);
    if (t->slots == NULL) {
        free(t);
        return STATUS_NO_MEMORY;
    }
    *out = t;
    return STATUS_OK;
}

static void drop_origin(route *t, route_slot *s)
{
    if (s->bytes <= ROUTE_INLINE) return;
    free(s->heap);
    t->long_origins--;
}

void route_free(route *t)
{
    if (t == NULL) return;
    for (size_t i = 0; t->long_origins > 0; i++) drop_origin(t, &t->slots[i]);
    free(t->slots);
    free(t);
}

static bool alive(const route *t, const route_slot *s, int64_t steady_ms)
{
    return s->peer != 0 && steady_ms - s->used_ms <= t->life_ms;
}

static route_slot *set_of(const route *t, uint64_t hash)
{
    return &t->slots[(hash & t->set_mask) * ROUTE_WAYS];
}

static route_slot *find(const route *t, slice id, uint64_t hash, int64_t steady_ms)
{
    route_slot *set = set_of(t, hash);

    if (id.len > ROUTE_ID_MAX) return NULL;
    for (int i = 0; i < ROUTE_WAYS; i++)
        if (set[i].hash == hash && alive(t, &set[i], steady_ms)) return &set[i];
    return NULL;
}

/* An empty slot, or the longest unused. */
static route_slot *victim(route_slot *set)
{
    route_slot *worst = set;

    for (route_slot *s = set; s < set + ROUTE_WAYS; s++) {
        if (s->peer == 0) return s;
        if (s->used_ms < worst->used_ms) worst = s;
    }
    return worst;
}

static bool set_origin(route *t, route_slot *s, slice id, slice origin)
{
    char *heap = NULL;

    if (slice_equal(id, origin)) origin.len = 0;
    if (origin.len > ROUTE_INLINE && (heap = malloc(origin.len)) == NULL) return false;

    drop_origin(t, s);
    s->bytes = (uint8_t)origin.len;
    if (origin.len) memcpy(heap ? heap : s->text, origin.at, origin.len);
    if (heap) {
        s->heap = heap;
        t->long_origins++;
    }
    return true;
}

bool route_add(route *t, slice id, uint64_t peer, slice origin, int64_t steady_ms)
{
    uint64_t hash = keyed_hash(t->secret, id);
    route_slot *s = find(t, id, hash, steady_ms);

    assert(peer != 0);
    if (s != NULL) {
        s->used_ms = steady_ms;
        return false;
    }
    if (id.len > ROUTE_ID_MAX || origin.len > ROUTE_ID_MAX) return false;

    s = victim(set_of(t, hash));
    if (!set_origin(t, s, id, origin)) return false;
    s->hash = hash;
    s->peer = peer;
    s->used_ms = steady_ms;
    return true;
}

bool route_find(route *t, slice id, int64_t steady_ms, route_end *out)
{
    route_slot *s = find(t, id, keyed_hash(t->secret, id), steady_ms);

    if (s == NULL) return false;
    s->used_ms = steady_ms;
    out->peer = s->peer;
    out->origin = s->bytes == 0             ? id
                  : s->bytes > ROUTE_INLINE ? (slice){ s->heap, s->bytes }
                                            : (slice){ s->text, s->bytes };
    return true;
}

bool route_knows(const route *t, slice id, int64_t steady_ms)
{
    return find(t, id, keyed_hash(t->secret, id), steady_ms) != NULL;
}
