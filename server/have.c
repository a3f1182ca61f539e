/* have.c - see have.h. */
#include "server/have.h"

#include "core/audio.h"
#include "core/json.h"
#include "core/keyed.h"

#include <sodium.h>
#include <stdlib.h>

enum {
    ROOTS_MAX = 1024,
    SHELVES = 1024,
    TELL_MS = 1000,
    LOOKS_AT_ONCE = 2000, /* for a get: 1 to 2 us each */
    TURN_LOOKS = 500,
    SWEEP_TICKS = 50,
    PRINT_BYTES = 16,
};

#define STEP_MS 0.001 /* between two states of one millisecond */

/* A root that somebody has asked for. */
typedef struct watch {
    uint8_t root[AUDIO_HASH];
    uint8_t manifest[AUDIO_HASH]; /* of the track that was found last */
    bool has_track;
    bool is_whole;              /* all of it was looked for, and news were noted since */
    bool is_dirty;              /* something has changed since it was told */
    bool waits;                 /* its manifest could not be read at that moment */
    uint32_t at;                /* how far the looking is */
    uint32_t count;             /* bits when it was whole: fewer means that they were forgotten */
    uint8_t print[PRINT_BYTES]; /* of the bitmap, to see that it has changed */
    double state, told;         /* when it changed; what subscribers know of */
    int64_t told_ms;
    LIST_ENTRY(watch) shelf;
    TAILQ_ENTRY(watch) order;
} watch;

LIST_HEAD(watch_shelf, watch);
TAILQ_HEAD(watch_order, watch);

struct have {
    server *server;
    graph table;
    uint8_t secret[KEYED_SECRET_BYTES];
    struct watch_shelf shelves[SHELVES];
    struct watch_order order; /* the one asked for last comes first */
    uint32_t count, busy;
    unsigned ticks;
    text value; /* the bitmap that was made last */
};

static const slice lead = { "brasa/have/", sizeof "brasa/have/" - 1 };
static const slice field = { "bitmap", sizeof "bitmap" - 1 };

enum { SOUL_MAX = sizeof "brasa/have/" - 1 + AUDIO_ROOT };

/* ---- what is watched ---- */

static bool read_soul(slice soul, uint8_t root[static AUDIO_HASH])
{
    return soul.len == SOUL_MAX && slice_begins(soul, lead) &&
           audio_root_read((slice){ soul.at + lead.len, AUDIO_ROOT }, root);
}

static slice print_soul(char out[static SOUL_MAX], const watch *w)
{
    memcpy(out, lead.at, lead.len);
    audio_hex(w->root, out + lead.len);
    return (slice){ out, SOUL_MAX };
}

static struct watch_shelf *shelf_of(have *h, const uint8_t root[static AUDIO_HASH])
{
    return &h->shelves[keyed_hash(h->secret, (slice){ (const char *)root, AUDIO_HASH }) % SHELVES];
}

static watch *find(have *h, const uint8_t root[static AUDIO_HASH])
{
    watch *w;

    LIST_FOREACH(w, shelf_of(h, root), shelf)
    if (memcmp(w->root, root, AUDIO_HASH) == 0) return w;
    return NULL;
}

static void set_dirty(have *h, watch *w, bool is_dirty)
{
    if (w->is_dirty == is_dirty) return;
    w->is_dirty = is_dirty;
    if (is_dirty)
        h->busy++;
    else
        h->busy--;
}

static void forget(have *h, watch *w)
{
    set_dirty(h, w, false);
    LIST_REMOVE(w, shelf);
    TAILQ_REMOVE(&h->order, w, order);
    h->count--;
    free(w);
}

static watch *meet(have *h, const uint8_t root[static AUDIO_HASH])
{
    watch *w = find(h, root);

    if (w != NULL) {
        TAILQ_REMOVE(&h->order, w, order);
        TAILQ_INSERT_HEAD(&h->order, w, order);
        return w;
    }
    if (h->count == ROOTS_MAX) forget(h, TAILQ_LAST(&h->order, watch_order));
    w = calloc(1, sizeof *w);
    if (w == NULL) return NULL;
    memcpy(w->root, root, AUDIO_HASH);
    LIST_INSERT_HEAD(shelf_of(h, root), w, shelf);
    TAILQ_INSERT_HEAD(&h->order, w, order);
    h->count++;
    return w;
}

/* ---- the bitmap ---- */

/* Gives a track whose bits are those of all its chunks, as far as `looks` allow. */
static audio_track *look(have *h, watch *w, uint32_t *looks)
{
    server *s = h->server;
    audio_track *t;
    const char *why;
    status found = audio_find(s->audio, w->root, NULL, s->now.steady_ms, &t, &why);

    w->has_track = found == STATUS_OK;
    w->waits = found == STATUS_BUSY;
    if (!w->has_track) return NULL;
    if (memcmp(w->manifest, t->hash, AUDIO_HASH) != 0 || t->present_count < w->count) {
        memcpy(w->manifest, t->hash, AUDIO_HASH);
        w->is_whole = false;
        w->at = 0;
    }
    if (!w->is_whole) w->is_whole = audio_look_all(s->audio, t, &w->at, looks);
    audio_rely(s->audio, t);
    w->count = t->present_count;
    return t;
}

/* Leaves it in h->value, as a string of JSON. */
static bool print(have *h, const audio_track *t)
{
    size_t bytes = audio_bitmap_bytes(t->manifest.count);

    text_reset(&h->value, (size_t)64 << 10);
    json_print_base64(&h->value, (slice){ (const char *)t->present, bytes });
    return text_ok(&h->value);
}

/* When it is another one than last time, or the first, its state is another, too. */
static void note_change(have *h, watch *w)
{
    uint8_t print[PRINT_BYTES];
    double now = h->server->now.wall_ms;

    crypto_generichash(print, sizeof print, (const unsigned char *)h->value.at, h->value.len, NULL,
                       0);
    if (w->state > 0 && memcmp(print, w->print, sizeof print) == 0) return;
    memcpy(w->print, print, sizeof print);
    w->state = now > w->state ? now : w->state + STEP_MS;
}

/* It is told later, as if it had come by then. */
static void await(have *h, watch *w)
{
    w->told_ms = h->server->now.steady_ms;
    set_dirty(h, w, true);
}

/* ---- as a graph ---- */

static status read_row(have *h, slice soul, graph_row *out)
{
    uint8_t root[AUDIO_HASH];
    uint32_t looks = LOOKS_AT_ONCE;
    audio_track *t;
    bool printed, is_first;
    watch *w;

    if (!read_soul(soul, root)) return STATUS_NOT_FOUND;
    w = meet(h, root);
    if (w == NULL) return STATUS_NO_MEMORY;
    t = look(h, w, &looks);
    if (w->waits) await(h, w);
    if (t == NULL) return STATUS_NOT_FOUND;
    printed = print(h, t);
    audio_release(h->server->audio, t);
    if (!printed) return STATUS_NO_MEMORY;
    is_first = w->state == 0; /* and is told here */
    note_change(h, w);
    if (is_first) w->told = w->state;
    if (!w->is_whole || w->told != w->state) set_dirty(h, w, true);
    *out = (graph_row){
        .soul = soul, .key = field, .value = text_slice(&h->value), .state = w->state
    };
    return STATUS_OK;
}

static status table_look(void *context, slice soul, slice key, graph_row *out)
{
    return slice_equal(key, field) ? read_row(context, soul, out) : STATUS_NOT_FOUND;
}

static status table_scan(void *context, slice soul, const lex_range *range, graph_visit *visit,
                         void *to)
{
    graph_row row;
    status s;

    if (!lex_range_has(range, field)) return STATUS_OK;
    s = read_row(context, soul, &row);
    if (s == STATUS_OK) (void)visit(to, &row);
    return s == STATUS_NOT_FOUND ? STATUS_OK : s;
}

static status table_souls(void *context, const lex_range *range, graph_visit *visit, void *to)
{
    (void)context;
    (void)range;
    (void)visit;
    (void)to;
    return STATUS_OK; /* they are in no list */
}

/* ---- news ---- */

void have_news(void *context, const graph_write *const *writes, size_t count)
{
    have *h = context;
    uint8_t hash[AUDIO_HASH];
    uint32_t index;

    for (size_t i = 0; h->count > 0 && i < count; i++) {
        audio_soul soul = audio_soul_read(writes[i]->soul);
        watch *w = soul.kind != AUDIO_NONE ? find(h, soul.root) : NULL;

        if (w == NULL) continue;
        set_dirty(h, w, true);
        if (w->has_track && soul.kind == AUDIO_CHUNKS &&
            audio_chunk_key_read(writes[i]->key, &index, hash))
            audio_note_chunk(h->server->audio, w->manifest, index, hash);
    }
}

static void tell(have *h, watch *w)
{
    char name[SOUL_MAX];
    graph_write one = {
        .soul = print_soul(name, w), .key = field, .value = text_slice(&h->value), .state = w->state
    };
    const graph_write *writes[] = { &one };

    w->told = w->state;
    relay_tell(h->server->relay, writes, 1, h->server->now);
}

/* Goes on with one that has changed. */
static void go_on(have *h, watch *w, uint32_t *looks)
{
    audio_track *t = look(h, w, looks);
    bool printed;

    if (t != NULL && !w->is_whole) {
        audio_release(h->server->audio, t);
        return;
    }
    w->told_ms = h->server->now.steady_ms;
    set_dirty(h, w, w->waits);
    if (t == NULL) return;
    printed = print(h, t);
    audio_release(h->server->audio, t);
    if (!printed) return;
    note_change(h, w);
    if (w->state != w->told) tell(h, w);
}

static bool is_due(const have *h, const watch *w)
{
    bool goes_on = !w->is_whole && !w->waits;

    return w->is_dirty && (goes_on || h->server->now.steady_ms - w->told_ms >= TELL_MS);
}

void have_turn(have *h)
{
    uint32_t looks = TURN_LOOKS;
    watch *w, *next;

    if (h->busy == 0) return;
    for (w = TAILQ_FIRST(&h->order); w != NULL && looks > 0; w = next) {
        char name[SOUL_MAX];

        next = TAILQ_NEXT(w, order);
        if (!is_due(h, w)) continue;
        if (relay_is_wanted(h->server->relay, print_soul(name, w), field))
            go_on(h, w, &looks);
        else
            forget(h, w);
    }
}

bool have_is_busy(const have *h)
{
    const watch *w;

    if (h->busy == 0) return false;
    TAILQ_FOREACH(w, &h->order, order)
    if (is_due(h, w)) return true;
    return false;
}

/* Nobody tells when a subscriber leaves. */
void have_tick(have *h)
{
    char name[SOUL_MAX];
    watch *w, *next;

    if (++h->ticks % SWEEP_TICKS != 0) return;
    for (w = TAILQ_FIRST(&h->order); w != NULL; w = next) {
        next = TAILQ_NEXT(w, order);
        if (!relay_is_wanted(h->server->relay, print_soul(name, w), field)) forget(h, w);
    }
}

/* ---- beginning and end ---- */

uint32_t have_watched(const have *h)
{
    return h->count;
}

graph *have_graph(have *h)
{
    return &h->table;
}

status have_new(have **out, server *s)
{
    have *h = calloc(1, sizeof *h);

    if (h == NULL) return STATUS_NO_MEMORY;
    h->server = s;
    h->table =
        (graph){ .context = h, .look = table_look, .scan = table_scan, .souls = table_souls };
    randombytes_buf(h->secret, sizeof h->secret);
    TAILQ_INIT(&h->order);
    *out = h;
    return STATUS_OK;
}

void have_free(have *h)
{
    if (h == NULL) return;
    while (!TAILQ_EMPTY(&h->order)) forget(h, TAILQ_FIRST(&h->order));
    text_free(&h->value);
    free(h);
}
