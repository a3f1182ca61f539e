/* relay.c - life of relays and peers, frames to messages, and the turn.
 *
 * A frame is heard in steps, so that no single one holds the loop: after
 * FRAME_MESSAGES messages, or at a put of more keys than are judged in a slice,
 * the rest is suspended. A suspended peer is not read, so its order holds; it
 * goes on in relay_turn().
 */
#include "core/keyed.h"
#include "core/relay_inside.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FRAME_MESSAGES = 1000,
    ARENA_KEEP = 256 * 1024,
    SWEEP_MS = 1000,
    HELD_PER_TURN = 1000,
    STARVED_RETRY_MS = 10,
};

/* What is left of a frame, and the put that was being judged. */
struct suspended {
    arena arena; /* the message's memory */
    char *text;  /* the frame, a copy */
    size_t len, at;
    bool batch, scolded;
    bool in_put;
    message m;
    size_t looked;
    graph_ticket met;
};

relay_limits relay_default_limits(void)
{
    const uint32_t million = 1000 * 1000;

    return (relay_limits){
        .message_bytes_max = 32u << 20,
        .name_bytes_max = 64u << 10,
        .id_bytes_max = 128,
        .put_keys_max = 100 * 1000,
        .put_slice_keys = 2000,
        .depth_max = 16,
        .outbox_bytes_max = 4u << 20,
        .marks_max = 16 * 1024,
        .answers_max = 10 * 1000,
        .interests_max = 65536,
        .held_max = 10 * 1000,
        .future_ms_max = 24.0 * 3600 * 1000,
        .stalled_ms_max = 30 * 1000,
        .answer_bytes = 1u << 20,
        .snapshot_bytes = 64u << 10,
        .fragment_bytes = 16u << 10,
        .lex_keys_max = 10 * 1000,
        .lex_souls_max = 1000,
        .miss_peers_max = 64,
        .miss_per_turn = 8,
        .miss_turn_ms = 25,
        .miss_rate = 10,
        .miss_burst = 100,
        .asked_rate = 20,
        .asked_rate_all = 2000,
        .miss_quiet_ms = 10 * 1000,
        .misses_max = 65536,
        .back_rate = 32,
        .back_burst = 256,
        .back_large_rate = 200,
        .walk_bytes_max = 256u << 20,
        .suspended_bytes_max = 64u << 20,
        .fleeting_bytes_max = 64u << 20,
        .interests_total = 8 * million,
        .keepsakes_max = 65536,
        .keepsake_rows_max = 1024,
        .keepsake_rows_total = million,
        .keepsake_ms = 10 * 60 * 1000,
        .routes = 256 * 1024,
        .route_ms = 60 * 1000,
    };
}

message_limits relay_message_limits(const relay *r)
{
    return (message_limits){
        .name_bytes_max = r->limits.name_bytes_max,
        .id_bytes_max = r->limits.id_bytes_max,
        .put_keys_max = r->limits.put_keys_max,
        .depth_max = r->limits.depth_max,
        /* A key costs four tokens, a link two more; the rest is slack. */
        .tokens_max = (size_t)r->limits.put_keys_max * 8 + 4096,
    };
}

/* --- budgets and rosters --- */

static double bucket_spent(const bucket *b, double rate, int64_t now_ms)
{
    double back = (double)(now_ms - b->at_ms) * rate / 1000;

    return b->spent > back ? b->spent - back : 0;
}

bool bucket_take(bucket *b, double rate, double burst, int64_t now_ms)
{
    double spent = bucket_spent(b, rate, now_ms);

    if (spent + 1 > burst) return false;
    *b = (bucket){ spent + 1, now_ms };
    return true;
}

int64_t bucket_due_ms(const bucket *b, double rate, double burst, int64_t now_ms)
{
    double over = bucket_spent(b, rate, now_ms) + 1 - burst;

    return over <= 0 ? now_ms : now_ms + (int64_t)ceil(over * 1000 / rate);
}

bool roster_add(roster *l, uint64_t number)
{
    if (l->count == l->room) {
        size_t room = l->room ? l->room * 2 : 16;
        uint64_t *at = realloc(l->at, room * sizeof *at);
        if (at == NULL) return false;
        l->at = at;
        l->room = room;
    }
    l->at[l->count++] = number;
    return true;
}

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
                                    .held_max = r->limits.held_max };
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

status relay_new(relay **out, const relay_options *options)
{
    relay *r = calloc(1, sizeof *r);
    status s;

    if (r == NULL) return STATUS_NO_MEMORY;
    r->limits = options->limits;
    r->store = options->store;
    r->list_souls = options->list_souls;
    memcpy(r->secret, options->secret, sizeof r->secret);
    r->arena = arena_make(r->limits.message_bytes_max * 8);
    s = keep_policy(r, options);
    if (s == STATUS_OK) s = build_tables(r);
    if (s != STATUS_OK) {
        relay_free(r);
        return s;
    }
    *out = r;
    return STATUS_OK;
}

static void suspended_free(relay_peer *p)
{
    if (p->suspended == NULL) return;
    p->relay->suspended_bytes -= p->suspended->len;
    arena_free(&p->suspended->arena);
    free(p->suspended->text);
    free(p->suspended);
    p->suspended = NULL;
}

static void peer_free(relay_peer *p)
{
    lane_free(&p->control);
    lane_free(&p->live);
    lane_free(&p->answers);
    marks_free(&p->marks);
    asks_free(p);
    walk_free(p);
    suspended_free(p);
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
    put_forget_pending(r);
    miss_free_all(r);
    interest_free(r->interest);
    route_free(r->route);
    graph_memory_free(r->memory);
    arena_free(&r->arena);
    text_free(&r->line);
    text_free(&r->values);
    text_free(&r->states);
    free(r->suspended.at);
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

graph *relay_graph(const relay *r, slice soul)
{
    return policy_is_fleeting(&r->policy, soul) ? r->fleeting : r->store;
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
    bool full = p->control.bytes > l->outbox_bytes_max || p->asks >= l->answers_max;
    bool light = p->control.bytes <= l->outbox_bytes_max / 2 && p->asks <= l->answers_max / 2;

    if (!p->paused && full) {
        p->paused = true;
        ++p->relay->counts.paused;
        peer_news(p);
    } else if (p->paused && light) {
        p->paused = false;
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
    return !p->paused && p->suspended == NULL && !p->closing;
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

static void greet(relay *r, relay_peer *p, slice at)
{
    text *t = line_begin(r);

    line_id(r, t);
    if (at.len > 0) line_name(t, "@", at);
    text_add(t, SLICE(",\"dam\":\"?\""));
    line_name(t, "pid", (slice){ r->pid, r->pid_len });
    text_add_char(t, '}');
    say(p, t);
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
    greet(r, p, (slice){ NULL, 0 });
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

/* --- control messages --- */

static void learn_pid(relay *r, relay_peer *p, slice pid, moment now)
{
    if (p->pid != NULL || pid.len == 0) return;
    p->pid = malloc(pid.len);
    if (p->pid == NULL) return;
    memcpy(p->pid, pid.at, pid.len);
    p->pid_len = pid.len;
    if (interest_return(r->interest, &p->interest, pid, now.steady_ms) > 0 && !p->owing)
        p->owing = roster_add(&r->owing, p->number);
}

static void add_wall(text *t, moment now)
{
    char *at = text_room(t, 32);

    /* Whole milliseconds: gun's clients add a fraction of their own. */
    if (at != NULL) t->len += (size_t)snprintf(at, 32, "%.0f", floor(now.wall_ms));
}

static void answer_clock(relay *r, relay_peer *p, const message *m, moment now)
{
    text *t = line_begin(r);

    if (!m->nts_asks) return;
    line_id(r, t);
    if (m->dam.len > 0) text_add(t, SLICE(",\"dam\":\"nts\""));
    if (m->id.len > 0) line_name(t, "@", m->id);
    text_add(t, m->nts.len > 0 ? SLICE(",\"nts\":[") : SLICE(",\"nts\":"));
    if (m->nts.len > 0) {
        text_add(t, m->nts);
        text_add_char(t, ',');
    }
    add_wall(t, now);
    text_add(t, m->nts.len > 0 ? SLICE("]}") : SLICE("}"));
    say(p, t);
}

static void hear_dam(relay *r, relay_peer *p, const message *m, moment now)
{
    char id[RELAY_ID_LEN];

    if (slice_equal(m->dam, SLICE("?"))) {
        learn_pid(r, p, m->pid, now);
        if (m->at.len == 0) greet(r, p, m->id.len > 0 ? m->id : relay_new_id(r, id));
    } else if (slice_equal(m->dam, SLICE("nts"))) {
        answer_clock(r, p, m, now);
    }
    /* "hi" opens sockets, "!" complains; "opt", "mob" and "service" would have
     * strangers make us dial or run things; what is not known is ignored. */
}

/* `ok` objects are calls between peers (WebRTC signalling): passed back to
 * whom they answer, who may answer in turn. Plain acks end here. */
static void hear_reply(relay *r, relay_peer *p, const message *m, moment now)
{
    route_end end;
    relay_peer *to;
    text *t;
    slice id = m->id;
    char fresh[RELAY_ID_LEN];

    if (m->ok.len == 0) {
        ++r->counts.acks_ended;
        return;
    }
    if (!route_find(r->route, m->at, now.steady_ms, &end)) return;
    to = relay_find(r, end.peer);
    if (to == NULL || to == p) return;
    t = line_begin(r);
    if (id.len == 0) id = relay_new_id(r, fresh);
    text_add(t, SLICE("{\"#\":"));
    json_print_name(t, id);
    line_name(t, "@", end.origin);
    text_add(t, SLICE(",\"ok\":"));
    text_add(t, m->ok);
    text_add_char(t, '}');
    route_add(r->route, id, p->number, id, now.steady_ms);
    say(to, t);
    ++r->counts.calls_routed;
}

/* --- messages --- */

/* What to answer under when the message came without an id: gun invents one. */
static void invent_id(relay *r, message *m)
{
    char *id;

    if (m->id.len > 0) return;
    id = arena_take(&r->arena, RELAY_ID_LEN);
    if (id != NULL) m->id = relay_new_id(r, id);
}

static void refuse_message(relay *r, relay_peer *p, const message *m, const message_fault *fault)
{
    ++r->counts.bad_message;
    if (m->has_put && m->at.len == 0) ++r->counts.puts_refused;
    say_err(p, m->id, fault->why, fault->soul, fault->key);
}

/* Returns false when the rest is suspended. */
static bool hear_unpacked(relay *r, relay_peer *p, message *m, moment now)
{
    if (m->dam.len > 0) {
        hear_dam(r, p, m, now);
        return true;
    }
    if (m->has_put && m->at.len > 0) {
        answer_hear(r, p, m, now);
    } else if (m->has_put) {
        invent_id(r, m);
        if (m->bad_count == 0 && m->write_count > r->limits.put_slice_keys) return false;
        put_hear(r, p, m, now);
    } else if (m->at.len > 0) {
        hear_reply(r, p, m, now);
    } else if (m->has_nts) {
        answer_clock(r, p, m, now);
    } else if (m->get == GET_NONE) {
        message_fault what = { .why = "unknown: a message without get, put or dam" };
        refuse_message(r, p, m, &what);
        return true;
    }
    if (m->get != GET_NONE) get_hear(r, p, m, now);
    return true;
}

/* Reads one message of JSON and hears it. False: a large put waits in *m, with
 * its memory in r->arena. */
static bool hear_message(relay *r, relay_peer *p, const json *j, message *m, moment now)
{
    message_limits limits = relay_message_limits(r);
    message_fault fault;
    status s;

    ++r->counts.messages_in;
    s = message_unpack(m, &r->arena, j, &limits, &fault);
    if (s == STATUS_OK) return hear_unpacked(r, p, m, now);
    if (s == STATUS_NO_MEMORY) fault = (message_fault){ .why = "busy: out of memory" };
    if (s == STATUS_TOO_BIG) ++r->counts.too_big;
    refuse_message(r, p, m, &fault);
    return true;
}

/* A batch's element: an object, or a string that holds one. */
static bool hear_element(relay *r, relay_peer *p, const json *j, message *m, bool *skipped,
                         moment now)
{
    message_limits limits = relay_message_limits(r);
    json_bounds bounds = { limits.depth_max, limits.tokens_max };
    slice inner;
    json held;

    if (j->tokens[0].type == JSON_OBJECT) return hear_message(r, p, j, m, now);
    if (j->tokens[0].type == JSON_STRING && json_utf8(j, &r->arena, 0, &inner) == STATUS_OK &&
        json_read(&held, &r->arena, inner, &bounds) == STATUS_OK &&
        held.tokens[0].type == JSON_OBJECT)
        return hear_message(r, p, &held, m, now);
    *skipped = true;
    return true;
}

static void scold_once(relay_peer *p, bool *scolded, const char *why)
{
    if (*scolded) return;
    *scolded = true;
    ++p->relay->counts.bad_json;
    say_scold(p, why);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The rest of the frame, and if in_put the message, waits for the next turn.
 * The message's memory is the arena's, which goes with it. */
static void suspend(relay *r, relay_peer *p, suspended *rest, slice wire)
{
    suspended *s = malloc(sizeof *s);
    bool kept = rest->text != NULL; /* it was suspended before */

    if (s != NULL) *s = *rest;
    if (s != NULL && !kept) {
        s->text = malloc(wire.len + 1);
        if (s->text == NULL) {
            free(s);
            s = NULL;
        } else {
            memcpy(s->text, wire.at, wire.len);
        }
    }
    if (s == NULL || !roster_add(&r->suspended, p->number)) {
        if (s != NULL && !kept) free(s->text);
        free(s);
        peer_close(p, 1011);
        return;
    }
    s->len = wire.len;
    s->arena = r->arena;
    r->arena = arena_make(s->arena.bytes_max);
    r->suspended_bytes += s->len;
    p->suspended = s;
    peer_news(p);
}

/* Names in a suspended message lend from the frame it was read from; a copy of
 * the frame would leave them behind, so such a message is read again. */
static bool read_again(relay *r, suspended *s, size_t from)
{
    message_limits limits = relay_message_limits(r);
    json_bounds bounds = { limits.depth_max, limits.tokens_max };
    message_fault fault;
    size_t at = from;
    slice inner;
    json j, held;

    if (json_read_at(&j, &s->arena, (slice){ s->text, s->len }, &at, &bounds) != STATUS_OK)
        return false;
    if (j.tokens[0].type == JSON_STRING) {
        if (json_utf8(&j, &s->arena, 0, &inner) != STATUS_OK ||
            json_read(&held, &s->arena, inner, &bounds) != STATUS_OK)
            return false;
        j = held;
    }
    return message_unpack(&s->m, &s->arena, &j, &limits, &fault) == STATUS_OK;
}

static size_t hear_batch(relay *r, relay_peer *p, suspended *f, slice wire, moment now)
{
    message_limits limits = relay_message_limits(r);
    json_bounds bounds = { limits.depth_max, limits.tokens_max };
    size_t heard = 0;

    for (;;) {
        bool skipped = false;
        size_t from;
        message m;
        status s;
        json j;

        while (f->at < wire.len && (is_space(wire.at[f->at]) || wire.at[f->at] == ',')) ++f->at;
        if (f->at >= wire.len || wire.at[f->at] == ']') return heard;
        if (heard == FRAME_MESSAGES) {
            suspend(r, p, f, wire);
            return heard;
        }
        from = f->at;
        arena_reset(&r->arena, ARENA_KEEP);
        s = json_read_at(&j, &r->arena, wire, &f->at, &bounds);
        if (s != STATUS_OK) { /* it was checked: only a bound or memory can fail now */
            scold_once(p, &f->scolded, "limit: message too complex");
            return heard;
        }
        ++heard;
        if (!hear_element(r, p, &j, &m, &skipped, now)) {
            f->in_put = true;
            f->m = m;
            f->looked = from;
            f->met = (graph_ticket){ 0 };
            suspend(r, p, f, wire);
            return heard;
        }
        if (skipped) scold_once(p, &f->scolded, "malformed: an element of a batch is a message");
        if (p->closing) return heard;
    }
}

static size_t hear_single(relay *r, relay_peer *p, slice wire, size_t at, moment now)
{
    message_limits limits = relay_message_limits(r);
    json_bounds bounds = { limits.depth_max, limits.tokens_max };
    suspended f = { .at = wire.len, .in_put = true, .looked = at };
    bool scolded = false;
    json j;
    status s;

    arena_reset(&r->arena, ARENA_KEEP);
    s = json_read(&j, &r->arena, wire, &bounds);
    if (s != STATUS_OK) {
        if (s == STATUS_TOO_BIG) ++r->counts.too_big;
        scold_once(p, &scolded,
                   s == STATUS_MALFORMED ? "malformed: not JSON" : "limit: message too complex");
        return 1;
    }
    if (!hear_message(r, p, &j, &f.m, now)) suspend(r, p, &f, wire);
    return 1;
}

size_t relay_hear(relay *r, relay_peer *p, slice wire, moment now)
{
    suspended f = { .batch = true };
    size_t at = 0, heard;
    bool scolded = false;

    assert(p->suspended == NULL);
    ++r->counts.frames_in;
    r->counts.bytes_in += wire.len;
    while (at < wire.len && is_space(wire.at[at])) ++at;
    if (at < wire.len && wire.at[at] == '{') {
        heard = hear_single(r, p, wire, at, now);
    } else if (at < wire.len && wire.at[at] == '[' &&
               json_check(wire, r->limits.depth_max + 1) == STATUS_OK) {
        f.at = at + 1;
        heard = hear_batch(r, p, &f, wire, now);
    } else {
        scold_once(p, &scolded, "malformed: not a message");
        heard = 1;
    }
    if (p->suspended != NULL && p->suspended->in_put &&
        !read_again(r, p->suspended, p->suspended->looked)) {
        suspended_free(p);
        peer_close(p, 1011);
    } else if (p->suspended != NULL) {
        p->suspended->looked = 0;
        ++r->counts.suspended;
    }
    return heard;
}

/* --- the turn --- */

/* One slice of a suspended peer's work. True: it is still suspended. */
static bool go_on(relay *r, relay_peer *p, moment now)
{
    suspended s = *p->suspended;
    slice wire = { s.text, s.len };

    if (s.in_put) {
        bool done =
            put_look(r, p, &p->suspended->m, &p->suspended->looked, &p->suspended->met, now);
        if (!done) return true;
        put_apply(r, p, &p->suspended->m, p->suspended->met, now);
        if (p->suspended->m.get != GET_NONE) get_hear(r, p, &p->suspended->m, now);
        p->suspended->in_put = false;
        if (!s.batch) {
            suspended_free(p);
            peer_news(p);
            return false;
        }
        return true;
    }
    /* The rest of a batch: heard anew, and perhaps suspended again. */
    arena_free(&p->suspended->arena);
    free(p->suspended);
    p->suspended = NULL;
    r->suspended_bytes -= s.len;
    hear_batch(r, p, &s, wire, now);
    if (p->suspended == NULL) {
        free(s.text);
    } else if (p->suspended->in_put) {
        if (!read_again(r, p->suspended, p->suspended->looked)) {
            suspended_free(p);
            peer_close(p, 1011);
        } else {
            p->suspended->looked = 0;
        }
    }
    peer_news(p);
    return false; /* suspend() has put it on the roster again, if it did */
}

static void turn_suspended(relay *r, moment now)
{
    roster now_due = r->suspended;

    r->suspended = (roster){ 0 };
    for (size_t i = 0; i < now_due.count; ++i) {
        relay_peer *p = relay_find(r, now_due.at[i]);
        if (p == NULL || p->suspended == NULL) continue;
        if (go_on(r, p, now) && !roster_add(&r->suspended, p->number)) peer_close(p, 1011);
    }
    free(now_due.at);
}

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
    turn_suspended(r, now);
    miss_turn(r, now);
    back_turn(r, now);
    turn_starving(r);
    sweep(r, now);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
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

    if (r->suspended.count > 0) return now.steady_ms;
    due = earlier(due, held_due_ms(r->store, now));
    due = earlier(due, held_due_ms(r->fleeting, now));
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
        .suspended_bytes = r->suspended_bytes,
        .acks_waiting = r->pending_acks,
        .misses = r->misses_active,
        .fleeting_rows = graph_memory_rows(r->memory),
        .fleeting_bytes = graph_memory_bytes(r->memory),
    };
    for (uint32_t i = 0; i < r->slot_count; ++i) {
        const relay_peer *p = r->slots[i];
        if (p == NULL) continue;
        out->outbox_bytes +=
            p->control.bytes + p->live.bytes + p->answers.bytes + marks_bytes(p->marks);
        out->peers_melted += p->marks != NULL;
    }
}
