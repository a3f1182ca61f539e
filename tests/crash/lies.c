/* lies.c - see story.h: stories of servers that break a rule. */
#include "tests/crash/story.h"
#include "tests/crash/tool.h"

#include <stdlib.h>

const char *const story_lie_names[LIE_COUNT] = {
    [LIE_NONE] = "as it was",
    [LIE_NO_SYNC] = "no sync",
    [LIE_EARLY_ACK] = "ack before sync",
    [LIE_EARLY_OLD_ACK] = "ack of a superseded put before the row it lost to",
    [LIE_EARLY_FREE] = "segment freed before the fold was synced",
    [LIE_NO_FOLDER_SYNC] = "no folder sync",
    [LIE_WRONG_FILE] = "one file's sync taken for another's",
};

/* What the events of a story are about. */
typedef enum role { ROLE_OTHER, ROLE_FOLDER, ROLE_SEGMENT, ROLE_LMDB, ROLE_LMDB_LOCK } role;

typedef struct telling {
    story *out;
    size_t room;
    role *roles; /* by object */
    size_t objects;
    uint64_t lmdb, lmdb_lock;
    bool has_segments;
    uint64_t next_sync;
} telling;

static bool ends_with(slice name, slice end)
{
    return name.len >= end.len &&
           slice_equal((slice){ name.at + name.len - end.len, end.len }, end);
}

static role role_of(const event *e)
{
    if (e->kind == TAPE_FOLDER || e->kind == TAPE_ROOT) return ROLE_FOLDER;
    if (ends_with(e->bytes, SLICE(".log"))) return ROLE_SEGMENT;
    if (slice_equal(e->bytes, SLICE("data.mdb"))) return ROLE_LMDB;
    return slice_equal(e->bytes, SLICE("lock.mdb")) ? ROLE_LMDB_LOCK : ROLE_OTHER;
}

static void learn_roles(telling *t, const story *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->events[i].kind != TAPE_RUN && s->events[i].object >= t->objects)
            t->objects = s->events[i].object + 1;
        if (s->events[i].kind == TAPE_BEGIN && s->events[i].at >= t->next_sync)
            t->next_sync = s->events[i].at + 1;
    }
    t->roles = tool_room(t->objects, sizeof *t->roles);
    for (size_t i = 0; i < s->count; i++) {
        const event *e = &s->events[i];
        if (e->kind != TAPE_MAKE && e->kind != TAPE_FOLDER && e->kind != TAPE_ROOT) continue;
        t->roles[e->object] = role_of(e);
        t->has_segments |= t->roles[e->object] == ROLE_SEGMENT;
        if (t->roles[e->object] == ROLE_LMDB) t->lmdb = e->object;
        if (t->roles[e->object] == ROLE_LMDB_LOCK) t->lmdb_lock = e->object;
    }
}

static bool is_sync(const event *e)
{
    return e->kind == TAPE_BEGIN || e->kind == TAPE_END || e->kind == TAPE_FAILED;
}

/* Whether acks wait for syncs of this file. */
static bool holds_acks(const telling *t, uint64_t object)
{
    return t->roles[object] == (t->has_segments ? ROLE_SEGMENT : ROLE_LMDB);
}

static void tell(telling *t, event e)
{
    story *out = t->out;

    out->events = tool_grow(out->events, out->count, &t->room, sizeof *out->events);
    out->events[out->count++] = e;
}

static bool without_syncs(telling *t, const story *s, bool of_folders)
{
    for (size_t i = 0; i < s->count; i++) {
        event e = s->events[i];
        if (is_sync(&e) && (t->roles[e.object] == ROLE_FOLDER) == of_folders) continue;
        if (e.kind == TAPE_WRITE_THROUGH && !of_folders) e.kind = TAPE_WRITE;
        tell(t, e);
    }
    return true;
}

static bool with_wrong_file(telling *t, const story *s)
{
    for (size_t i = 0; i < s->count; i++) {
        event e = s->events[i];
        if (is_sync(&e) && holds_acks(t, e.object))
            e.object = t->has_segments ? t->lmdb : t->lmdb_lock;
        tell(t, e);
    }
    return true;
}

/* Where something is told instead: `before` an event, in the order of `from`. */
typedef struct moved {
    size_t before, from;
} moved;

static int order_moved(const void *a, const void *b)
{
    const moved *x = a, *y = b;

    if (x->before != y->before) return x->before < y->before ? -1 : 1;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* A name is on the disk at once when its folder was synced behind it. */
static void tell_moved(telling *t, const event *e)
{
    tell(t, *e);
    if (e->kind == STORY_ACK) return;
    tell(t, (event){ .kind = TAPE_BEGIN, .object = e->parent, .at = t->next_sync });
    tell(t, (event){ .kind = TAPE_END, .object = e->parent, .at = t->next_sync++ });
}

static bool with_moved(telling *t, const story *s, moved *all, size_t count)
{
    bool *gone = tool_room(s->count, sizeof *gone);
    size_t next = 0;

    qsort(all, count, sizeof *all, order_moved);
    for (size_t i = 0; i < count; i++) gone[all[i].from] = true;
    for (size_t i = 0; i < s->count; i++) {
        for (; next < count && all[next].before == i; next++)
            tell_moved(t, &s->events[all[next].from]);
        if (!gone[i]) tell(t, s->events[i]);
    }
    free(gone);
    free(all);
    return count > 0;
}

/* Acks leave when their rows were written, before the sync that ended last. */
static bool with_early_acks(telling *t, const story *s, const plan *p, bool only_old)
{
    moved *all = tool_room(s->count, sizeof *all);
    size_t count = 0, began = SIZE_MAX, ended = SIZE_MAX;

    for (size_t i = 0; i < s->count; i++) {
        const event *e = &s->events[i];
        if (e->kind == TAPE_BEGIN && holds_acks(t, e->object)) began = i;
        if (e->kind == TAPE_END && holds_acks(t, e->object)) {
            for (size_t j = began; j != SIZE_MAX && j < i; j++)
                if (s->events[j].kind == TAPE_BEGIN && s->events[j].at == e->at) ended = j;
        }
        if (e->kind != STORY_ACK || ended == SIZE_MAX || (only_old && !p->puts[e->at].old))
            continue;
        all[count++] = (moved){ ended, i };
    }
    return with_moved(t, s, all, count);
}

/* A segment is let go when its last record was synced, instead of after its fold. */
static bool with_early_free(telling *t, const story *s)
{
    size_t *synced = tool_room(t->objects, sizeof *synced); /* by object: one behind */
    moved *all = tool_room(s->count, sizeof *all);
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++) {
        const event *e = &s->events[i];
        if (e->kind == STORY_ACK || e->kind == TAPE_RUN || t->roles[e->object] != ROLE_SEGMENT)
            continue;
        if (e->kind == TAPE_END) synced[e->object] = i + 1;
        if (e->kind != TAPE_REMOVE && e->kind != TAPE_MOVE) continue;
        if (synced[e->object] > 0) all[count++] = (moved){ synced[e->object], i };
    }
    free(synced);
    return with_moved(t, s, all, count);
}

bool story_tell(story *out, const story *s, story_lie lie, const plan *p)
{
    telling t = { .out = out };
    bool told = false;

    *out = (story){ .acks = s->acks, .refused = s->refused, .runs = s->runs, .failed = s->failed };
    learn_roles(&t, s);
    if (lie == LIE_NONE) told = without_syncs(&t, &(story){ 0 }, false);
    if (lie == LIE_NO_SYNC) told = without_syncs(&t, s, false);
    if (lie == LIE_NO_FOLDER_SYNC) told = without_syncs(&t, s, true);
    if (lie == LIE_EARLY_ACK) told = with_early_acks(&t, s, p, false);
    if (lie == LIE_EARLY_OLD_ACK) told = with_early_acks(&t, s, p, true);
    if (lie == LIE_EARLY_FREE) told = with_early_free(&t, s);
    if (lie == LIE_WRONG_FILE) told = with_wrong_file(&t, s);
    free(t.roles);
    return told;
}
