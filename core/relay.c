/* relay.c - life of relays and peers, and the turn. */
#include "core/relay_inside.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SWEEP_MS = 1000,
    STARVED_RETRY_MS = 10,
};

/* --- a relay's life --- */

static status keep_policy(relay *r, const relay_options *o)
{
    size_t bytes = o->memory_prefix_count * sizeof(slice);
    slice *prefixes;
    char *text_at;

    for (size_t i = 0; i < o->memory_prefix_count; ++i) bytes += o->memory_prefixes[i].len;
    r->policy_text = malloc(bytes + 1);
    if (r->policy_text == NULL) return STATUS_NO_MEMORY;
    prefixes = (slice *)(void *)r->policy_text;
    text_at = r->policy_text + o->memory_prefix_count * sizeof(slice);
    for (size_t i = 0; i < o->memory_prefix_count; ++i) {
        memcpy(text_at, o->memory_prefixes[i].at, o->memory_prefixes[i].len);
        prefixes[i] = (slice){ text_at, o->memory_prefixes[i].len };
        text_at += prefixes[i].len;
    }
    r->policy = (policy){ prefixes, o->memory_prefix_count };
    r->pid = malloc(o->pid.len + 1);
    if (r->pid == NULL) return STATUS_NO_MEMORY;
    memcpy(r->pid, o->pid.at, o->pid.len);
    r->pid_len = o->pid.len;
    return STATUS_OK;
}

static status build_tables(relay *r)
{
    graph_memory_options memory = { .bytes_max = r->limits.fleeting_bytes_max,
                                    /* of all together; one alone must not fill it */
                                    .held_max = 100 * (size_t)r->limits.held_max };
    interest_options want = { .rows_max = r->limits.interests_total,
                              .rows_per_holder_max = r->limits.interests_max,
                              .keepsakes_max = r->limits.keepsakes_max,
                              .keepsake_rows_max = r->limits.keepsake_rows_max,
                              .keepsake_rows_total = r->limits.keepsake_rows_total,
                              .keepsake_ms = r->limits.keepsake_ms };
    status s;

    memcpy(memory.secret, r->secret, sizeof memory.secret);
    memcpy(want.secret, r->secret, sizeof want.secret);
    s = graph_memory_new(&r->memory, &memory);
    if (s != STATUS_OK) return s;
    r->fleeting = graph_memory_table(r->memory);
    s = interest_new(&r->interest, &want);
    if (s != STATUS_OK) return s;
    return route_new(&r->route, r->secret, r->limits.routes, r->limits.route_ms);
}

static void keep_guard(relay *r, guard *g)
{
    guard_gauges now;

    r->guard = g;
    if (g == NULL) return;
    guard_measure(g, &now);
    r->learns = now.mode == GUARD_CLOSED;
}

status relay_new(relay **out, const relay_options *options)
{
    relay *r = calloc(1, sizeof *r);
    status s;

    if (r == NULL) return STATUS_NO_MEMORY;
    r->limits = options->limits;
    assert(options->crypto != NULL || options->pool.submit != NULL);
    r->store = options->store;
    r->ours = options->ours;
    r->news = options->news;
    r->news_context = options->news_context;
    r->crypto = options->crypto;
    r->pool = options->pool;
    r->hashed_bytes = options->hashed_bytes;
    r->hashed_context = options->hashed_context;
    r->uploads = options->uploads;
    keep_guard(r, options->guard);
    r->list_souls = options->list_souls;
    memcpy(r->secret, options->secret, sizeof r->secret);
    r->arena = arena_make(r->limits.message_bytes_max * 8);
    r->held_authors = calloc(RELAY_HELD_AUTHORS, sizeof *r->held_authors);
    s = r->held_authors != NULL ? keep_policy(r, options) : STATUS_NO_MEMORY;
    if (s == STATUS_OK) s = build_tables(r);
    if (s != STATUS_OK) {
        relay_free(r);
        return s;
    }
    *out = r;
    return STATUS_OK;
}

static void peer_free(relay_peer *p)
{
    lane_free(&p->control);
    lane_free(&p->live);
    lane_free(&p->answers);
    lane_free(&p->misses);
    lane_free(&p->chunks);
    marks_free(&p->marks);
    asks_free(p);
    walk_free(p);
    wait_forget(p);
    rest_free(p);
    frame_drop(p->lent);
    free(p->lent_copy);
    free(p->pid);
    free(p);
}

void relay_free(relay *r)
{
    if (r == NULL) return;
    for (uint32_t i = 0; i < r->slot_count; ++i)
        if (r->slots[i] != NULL) peer_free(r->slots[i]);
    check_free_all(r);
    wait_free_orphans(r);
    put_forget_pending(r);
    miss_free_all(r);
    interest_free(r->interest);
    route_free(r->route);
    graph_memory_free(r->memory);
    arena_free(&r->arena);
    text_free(&r->line);
    text_free(&r->values);
    text_free(&r->states);
    free(r->held_authors);
    free(r->due.at);
    free(r->starving.at);
    free(r->owing.at);
    free(r->slots);
    free(r->policy_text);
    free(r->pid);
    free(r);
}

/* --- peers --- */

relay_peer *relay_find(const relay *r, uint64_t number)
{
    uint32_t slot = (uint32_t)number;
    relay_peer *p = slot < r->slot_count ? r->slots[slot] : NULL;

    return p != NULL && p->number == number ? p : NULL;
}

relay_peer *relay_holder_peer(interest_holder *holder)
{
    return (relay_peer *)(void *)((char *)holder - offsetof(relay_peer, interest));
}

void *relay_owner(const relay_peer *p)
{
    return p->owner;
}

bool relay_is_ours(const relay *r, slice soul)
{
    return r->ours != NULL && policy_is_ours(soul);
}

graph *relay_graph(const relay *r, slice soul)
{
    if (relay_is_ours(r, soul)) return r->ours;
    return policy_is_fleeting(&r->policy, soul) ? r->fleeting : r->store;
}

void relay_trust(relay_peer *p)
{
    p->trusted = true;
}

void peer_news(relay_peer *p)
{
    relay *r = p->relay;

    if (p->is_ready) return;
    p->is_ready = true;
    p->ready_next = NULL;
    if (r->ready_last != NULL)
        r->ready_last->ready_next = p;
    else
        r->ready_first = p;
    r->ready_last = p;
}

relay_peer *relay_ready(relay *r)
{
    relay_peer *p = r->ready_first;

    if (p == NULL) return NULL;
    r->ready_first = p->ready_next;
    if (r->ready_first == NULL) r->ready_last = NULL;
    p->ready_next = NULL;
    p->is_ready = false;
    return p;
}

static void ready_remove(relay *r, relay_peer *p)
{
    relay_peer **link = &r->ready_first, *last = NULL;

    if (!p->is_ready) return;
    for (; *link != p; link = &(*link)->ready_next) last = *link;
    *link = p->ready_next;
    if (r->ready_last == p) r->ready_last = last;
}

void peer_weigh(relay_peer *p)
{
    const relay_limits *l = &p->relay->limits;
    size_t bytes = p->control.bytes > p->ask_bytes ? p->control.bytes : p->ask_bytes;
    bool full = bytes > l->outbox_bytes_max || p->asks >= l->answers_max;
    bool light = bytes <= l->outbox_bytes_max / 2 && p->asks <= l->answers_max / 2;

    if (!p->paused && full) {
        p->paused = true;
        ++p->relay->counts.paused;
        peer_news(p);
    } else if (p->paused && light) {
        p->paused = false;
        if (p->rest != NULL || p->first_waiting != NULL) wait_due(p->relay, p);
        peer_news(p);
    }
}

void peer_close(relay_peer *p, int code)
{
    if (p->closing) return;
    p->closing = code;
    peer_news(p);
}

int relay_closing(const relay_peer *p)
{
    return p->closing;
}

bool relay_reading(const relay_peer *p)
{
    return !p->paused && p->rest == NULL && !p->closing && wait_has_place(p);
}

static uint32_t slot_take(relay *r)
{
    while (r->free_slot < r->slot_count && r->slots[r->free_slot] != NULL) ++r->free_slot;
    if (r->free_slot < r->slot_count) return r->free_slot;
    if (r->slot_count == r->slot_room) {
        uint32_t room = r->slot_room ? r->slot_room * 2 : 64;
        relay_peer **slots = realloc(r->slots, room * sizeof *slots);
        if (slots == NULL) return UINT32_MAX;
        r->slots = slots;
        r->slot_room = room;
    }
    r->slots[r->slot_count] = NULL;
    return r->slot_count++;
}

status relay_join(relay *r, relay_peer **out, void *owner, moment now)
{
    uint32_t slot = slot_take(r);
    relay_peer *p = slot == UINT32_MAX ? NULL : calloc(1, sizeof *p);

    if (p == NULL) return STATUS_NO_MEMORY;
    p->relay = r;
    p->owner = owner;
    p->number = (uint64_t)++r->generation << 32 | slot;
    p->waited_since = now.steady_ms;
    r->slots[slot] = p;
    ++r->peers;
    say_greeting(p, (slice){ NULL, 0 });
    *out = p;
    return STATUS_OK;
}

void relay_leave(relay *r, relay_peer *p, moment now)
{
    uint32_t slot = (uint32_t)p->number;

    if (p->pid != NULL)
        interest_keep(r->interest, &p->interest, (slice){ p->pid, p->pid_len }, now.steady_ms);
    else
        interest_leave(r->interest, &p->interest);
    ready_remove(r, p);
    r->slots[slot] = NULL;
    if (slot < r->free_slot) r->free_slot = slot;
    --r->peers;
    peer_free(p);
}

/* --- what the owner says --- */

void relay_tell(relay *r, const graph_write *const *writes, size_t count, moment now)
{
    delivery d = { .count = count };

    arena_reset(&r->arena, r->limits.snapshot_bytes);
    d.writes = arena_take(&r->arena, count * sizeof *d.writes);
    if (d.writes == NULL) return; /* it is told of the next change */
    memcpy(d.writes, writes, count * sizeof *d.writes);
    deliver(r, &d, now);
}

static bool note_somebody(void *visitor, interest_holder *holder, unsigned flags)
{
    (void)holder;
    (void)flags;
    *(bool *)visitor = true;
    return false;
}

bool relay_is_wanted(const relay *r, slice soul, slice key)
{
    bool is_wanted = false;

    interest_each(r->interest, soul, key, note_somebody, &is_wanted);
    if (!is_wanted) interest_each(r->interest, soul, (slice){ "", 0 }, note_somebody, &is_wanted);
    return is_wanted;
}

/* --- the turn --- */

/* Peers whose answer found the walks' memory used up try again. */
static void turn_starving(relay *r)
{
    if (r->starving.count == 0 || r->walk_bytes > r->limits.walk_bytes_max) return;
    for (size_t i = 0; i < r->starving.count; ++i) {
        relay_peer *p = relay_find(r, r->starving.at[i]);
        if (p == NULL) continue;
        p->starving = false;
        peer_news(p);
    }
    r->starving.count = 0;
}

static int64_t fleeting_age(void *context, slice soul)
{
    (void)context;
    return policy_fleeting_ms(soul);
}

static void sweep(relay *r, moment now)
{
    if (now.steady_ms < r->sweep_at_ms) return;
    r->sweep_at_ms = now.steady_ms + SWEEP_MS;
    interest_sweep(r->interest, now.steady_ms);
    graph_memory_expire(r->memory, now, fleeting_age, NULL);
    for (uint32_t i = 0; i < r->slot_count; ++i) {
        relay_peer *p = r->slots[i];
        if (p == NULL || p->closing) continue;
        if (!relay_has_output(p)) {
            p->waited_since = now.steady_ms;
        } else if (now.steady_ms - p->waited_since > r->limits.stalled_ms_max && !p->starving) {
            ++r->counts.stalled;
            peer_close(p, 1008);
        }
    }
}

void relay_turn(relay *r, moment now)
{
    put_settle(r);
    put_due(r, now);
    wait_turn(r, now);
    miss_turn(r, now);
    back_turn(r, now);
    turn_starving(r);
    sweep(r, now);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t held_due_ms(graph *g, moment now)
{
    double wait = g->next_due(g->context) - now.wall_ms;

    if (!(wait < 24.0 * 3600 * 1000)) return INT64_MAX;
    return wait <= 0 ? now.steady_ms : now.steady_ms + (int64_t)ceil(wait);
}

int64_t relay_due_ms(const relay *r, moment now)
{
    int64_t due = r->sweep_at_ms;

    if (r->due.count > 0) due = earlier(due, r->due_ms);
    due = earlier(due, later(r->due_again_ms, held_due_ms(r->store, now)));
    due = earlier(due, later(r->due_again_ms, held_due_ms(r->fleeting, now)));
    due = earlier(due, miss_due_ms(r, now));
    due = earlier(due, back_due_ms(r, now));
    if (r->starving.count > 0) due = earlier(due, now.steady_ms + STARVED_RETRY_MS);
    return due;
}

const relay_counts *relay_count(const relay *r)
{
    return &r->counts;
}

void relay_measure(const relay *r, relay_gauges *out)
{
    interest_counts wants;

    interest_count(r->interest, &wants);
    *out = (relay_gauges){
        .peers = r->peers,
        .interests = wants.rows,
        .souls_wanted = wants.souls,
        .keepsakes = wants.keepsakes,
        .walk_bytes = r->walk_bytes,
        .suspended_bytes = r->suspended_bytes + r->waiting_bytes,
        .acks_waiting = r->pending_acks,
        .misses = r->misses_active,
        .fleeting_rows = graph_memory_rows(r->memory),
        .fleeting_bytes = graph_memory_bytes(r->memory),
    };
    for (uint32_t i = 0; i < r->slot_count; ++i) {
        const relay_peer *p = r->slots[i];
        if (p == NULL) continue;
        out->outbox_bytes += p->control.bytes + p->live.bytes + p->answers.bytes + p->misses.bytes +
                             p->chunks.bytes + marks_bytes(p->marks);
        out->peers_melted += p->marks != NULL;
    }
}
