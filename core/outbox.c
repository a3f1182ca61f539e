/* outbox.c - see outbox.h. */
#include "core/outbox.h"

#include "core/keyed.h"

#include <assert.h>
#include <stdlib.h>

frame *frame_new(size_t room)
{
    frame *f = malloc(sizeof *f + FRAME_FRONT + room + 1);

    if (f != NULL) *f = (frame){ .refs = 1, .room = room };
    return f;
}

frame *frame_hold(frame *f)
{
    ++f->refs;
    return f;
}

void frame_drop(frame *f)
{
    if (f != NULL && --f->refs == 0) free(f);
}

slice frame_close(frame *f)
{
    char *at = frame_text(f);

    if (f->count == 1) return (slice){ at, f->len };
    assert(f->refs == 1);
    at[-1] = '[';
    at[f->len] = ']';
    return (slice){ at - 1, f->len + 2 };
}

/* --- lanes --- */

/* An empty lane keeps a ring of this size: it will be used again soon, and a
 * peer has five. */
enum { RING_KEPT = 4 };

static frame *lane_last(const lane *l)
{
    return l->count == 0 ? NULL : l->ring[(l->at + l->count - 1) % l->room];
}

frame *lane_first(const lane *l)
{
    return l->count == 0 ? NULL : l->ring[l->at];
}

static status lane_grow(lane *l)
{
    uint32_t room = l->room == 0 ? RING_KEPT : l->room * 2;
    frame **ring = malloc(room * sizeof *ring);

    if (ring == NULL) return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < l->count; ++i) ring[i] = l->ring[(l->at + i) % l->room];
    free(l->ring);
    l->ring = ring;
    l->room = room;
    l->at = 0;
    return STATUS_OK;
}

status lane_share(lane *l, frame *f)
{
    if (l->count == l->room && lane_grow(l) != STATUS_OK) return STATUS_NO_MEMORY;
    l->ring[(l->at + l->count++) % l->room] = f;
    l->bytes += f->len;
    return STATUS_OK;
}

/* Whether a message may still join this frame. */
static bool gathers(const frame *f, size_t bytes)
{
    return f != NULL && f->refs == 1 && !f->kept && f->len + 1 + bytes <= FRAME_GATHER;
}

/* Frames start small, because most carry one ack, and double. */
static frame *widen(lane *l, frame *f, size_t need)
{
    size_t room = f->room * 2 > need ? f->room * 2 : need;
    frame *wider = realloc(f, sizeof *f + FRAME_FRONT + room + 1);

    if (wider == NULL) return NULL;
    wider->room = room;
    l->ring[(l->at + l->count - 1) % l->room] = wider;
    return wider;
}

status lane_say(lane *l, slice message)
{
    enum { SMALLEST = 128 };
    frame *f = lane_last(l);
    size_t before;

    if (!gathers(f, message.len)) {
        f = frame_new(message.len > SMALLEST ? message.len : SMALLEST);
        if (f == NULL) return STATUS_NO_MEMORY;
        if (lane_share(l, f) != STATUS_OK) {
            frame_drop(f);
            return STATUS_NO_MEMORY;
        }
    } else if (f->len + 1 + message.len > f->room) {
        f = widen(l, f, f->len + 1 + message.len);
        if (f == NULL) return STATUS_NO_MEMORY;
    }
    before = f->len;
    if (f->count++ > 0) frame_text(f)[f->len++] = ',';
    memcpy(frame_text(f) + f->len, message.at, message.len);
    f->len += message.len;
    l->bytes += f->len - before;
    return STATUS_OK;
}

frame *lane_take(lane *l)
{
    frame *f = lane_first(l);

    if (f == NULL) return NULL;
    l->at = (l->at + 1) % l->room;
    l->bytes -= f->len;
    if (--l->count == 0 && l->room > RING_KEPT) {
        free(l->ring);
        *l = (lane){ 0 };
    }
    return f;
}

void lane_free(lane *l)
{
    for (frame *f = lane_take(l); f != NULL; f = lane_take(l)) frame_drop(f);
    free(l->ring);
    *l = (lane){ 0 };
}

/* --- marks --- */

typedef struct mark_row mark_row;
struct mark_row {
    mark_row *chain; /* of its bucket */
    mark_row *next;  /* in order of time */
    uint64_t hash;
    size_t soul_len, key_len;
    char names[];
};

struct marks {
    mark_row *first, *last;
    uint32_t count;
    bool souls_only;
    size_t bytes;
    uint8_t secret[16];
    uint32_t buckets; /* a power of two */
    mark_row **table;
};

static mark mark_of(const mark_row *r)
{
    return (mark){ { r->names, r->soul_len }, { r->names + r->soul_len, r->key_len } };
}

static mark_row **bucket(const marks *m, uint64_t hash)
{
    return &m->table[hash & (m->buckets - 1)];
}

static marks *marks_new(const uint8_t secret[16])
{
    enum { BUCKETS = 1024 }; /* a peer that melts has tens of marks, or thousands */
    marks *m = calloc(1, sizeof *m);

    if (m == NULL) return NULL;
    memcpy(m->secret, secret, sizeof m->secret);
    m->buckets = BUCKETS;
    m->table = calloc(BUCKETS, sizeof *m->table);
    if (m->table == NULL) {
        free(m);
        return NULL;
    }
    return m;
}

static status insert(marks *m, slice soul, slice key)
{
    uint64_t hash = keyed_spread(keyed_hash(m->secret, soul)) ^ keyed_hash(m->secret, key);
    mark_row **head = bucket(m, hash), *r;

    for (r = *head; r != NULL; r = r->chain)
        if (r->hash == hash && slice_equal(mark_of(r).soul, soul) &&
            slice_equal(mark_of(r).key, key))
            return STATUS_OK;
    r = malloc(sizeof *r + soul.len + key.len);
    if (r == NULL) return STATUS_NO_MEMORY;
    *r = (mark_row){ .chain = *head, .hash = hash, .soul_len = soul.len, .key_len = key.len };
    memcpy(r->names, soul.at, soul.len);
    if (key.len > 0) memcpy(r->names + soul.len, key.at, key.len);
    *head = r;
    if (m->last != NULL)
        m->last->next = r;
    else
        m->first = r;
    m->last = r;
    ++m->count;
    m->bytes += sizeof *r + soul.len + key.len;
    return STATUS_OK;
}

static void drop_first(marks *m)
{
    mark_row *r = m->first, **link = bucket(m, r->hash);

    while (*link != r) link = &(*link)->chain;
    *link = r->chain;
    m->first = r->next;
    if (m->first == NULL) m->last = NULL;
    --m->count;
    m->bytes -= sizeof *r + r->soul_len + r->key_len;
    free(r);
}

/* Every key's mark becomes its soul's. */
static status melt_again(marks *m)
{
    uint32_t left = m->count;

    m->souls_only = true;
    for (; left > 0; --left) {
        if (insert(m, mark_of(m->first).soul, (slice){ "", 0 }) != STATUS_OK)
            return STATUS_NO_MEMORY;
        drop_first(m);
    }
    return STATUS_OK;
}

status marks_add(marks **m, slice soul, slice key, uint32_t max, const uint8_t secret[16])
{
    status s;

    assert(key.len > 0);
    if (*m == NULL) *m = marks_new(secret);
    if (*m == NULL) return STATUS_NO_MEMORY;
    s = insert(*m, soul, (*m)->souls_only ? (slice){ "", 0 } : key);
    if (s == STATUS_OK && !(*m)->souls_only && ((*m)->count > max || (*m)->bytes > MARKS_BYTES))
        s = melt_again(*m);
    return s;
}

size_t marks_bytes(const marks *m)
{
    return m == NULL ? 0 : m->bytes;
}

bool marks_first(const marks *m, mark *out)
{
    if (m == NULL || m->first == NULL) return false;
    *out = mark_of(m->first);
    return true;
}

void marks_drop_first(marks **m)
{
    drop_first(*m);
    if ((*m)->first == NULL) marks_free(m);
}

void marks_free(marks **m)
{
    if (*m == NULL) return;
    while ((*m)->first != NULL) drop_first(*m);
    free((*m)->table);
    free(*m);
    *m = NULL;
}
