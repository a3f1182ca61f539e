/* relay_hear.c - frames to messages, and what to do with each.
 *
 * A frame is heard in steps, so that no single one holds the loop: after
 * FRAME_MESSAGES messages or FRAME_BYTES of them, or at a put of more keys than
 * are judged in a slice, the rest is suspended; so is a put that a busy store
 * does not take yet, and a batch whose answers nobody reads. A suspended peer is
 * not read, so its order holds; it goes on in relay_turn().
 */
#include "core/json_skip.h"
#include "core/relay_inside.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FRAME_MESSAGES = 1000,
    FRAME_BYTES = 1 << 20,
    ARENA_KEEP = 256 * 1024,
    BLOCKED_RETRY_MS = 20
};

/* What is left of a frame, and the put that was being judged. */
struct suspended {
    arena arena; /* the message's memory */
    char *text;  /* the frame, a copy */
    size_t len, at;
    bool batch, scolded;
    bool in_put, counted_as_put;
    message m;
    size_t looked;
    graph_ticket met;
};

/* Puts that wait for the store or for their turn, and batches that wait for the
 * rest to be read, have bounds of their own. */
static void count_suspended(relay *r, const suspended *s, bool more)
{
    size_t *bytes = s->counted_as_put ? &r->suspended_bytes : &r->waiting_bytes;

    *bytes = more ? *bytes + s->len : *bytes - s->len;
}

void hear_forget(relay_peer *p)
{
    if (p->suspended == NULL) return;
    count_suspended(p->relay, p->suspended, false);
    arena_free(&p->suspended->arena);
    free(p->suspended->text);
    free(p->suspended);
    p->suspended = NULL;
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
        if (m->at.len == 0) say_greeting(p, m->id.len > 0 ? m->id : relay_new_id(r, id));
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
    if (to->paused) { /* its bound must not be met by others than itself */
        ++r->counts.calls_dropped;
        return;
    }
    t = line_begin(r);
    if (!relay_id_travels(id)) id = relay_new_id(r, fresh);
    text_add(t, SLICE("{\"#\":"));
    json_print_name(t, id);
    line_name(t, "@", end.origin);
    text_add(t, SLICE(",\"ok\":"));
    text_add(t, m->ok);
    text_add_char(t, '}');
    route_add(r->route, id, p->number, m->id.len > 0 ? m->id : id, now.steady_ms);
    say(to, t);
    ++r->counts.calls_routed;
}

/* --- messages --- */

/* What to answer under when the message came without an id: gun invents one. */
static void invent_id(relay *r, arena *a, message *m)
{
    char *id;

    if (m->id.len > 0) return;
    id = arena_take(a, RELAY_ID_LEN);
    if (id != NULL) m->id = relay_new_id(r, id);
}

static void refuse_message(relay *r, relay_peer *p, const message *m, const message_fault *fault)
{
    ++r->counts.bad_message;
    if (m->has_put && m->at.len == 0) ++r->counts.puts_refused;
    say_err(p, m->id, fault->why, fault->soul, fault->key);
}

/* Past the bound on suspended text nothing more is suspended: what would be takes
 * its time at once, or is refused. */
static bool may_suspend(const relay *r)
{
    return r->suspended_bytes < r->limits.suspended_bytes_max;
}

/* Returns false when the rest is suspended. */
static bool hear_unpacked(relay *r, relay_peer *p, message *m, moment now)
{
    if (m->dam.len > 0) {
        hear_dam(r, p, m, now);
        return true;
    }
    if (m->has_put && m->at.len > 0) {
        if (!answer_hear(r, p, m, now)) {
            if (may_suspend(r)) return false;
            ++r->counts.store_refused;
        }
    } else if (m->has_put) {
        ++r->counts.puts;
        invent_id(r, &r->arena, m);
        if (m->bad_count == 0 && m->write_count > r->limits.put_slice_keys && may_suspend(r))
            return false;
        if (!put_hear(r, p, m, now)) {
            if (may_suspend(r)) return false;
            put_refuse_busy(r, p, m);
        }
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

/* A message that is too large to be read is answered under its id all the same. */
static void refuse_unread(relay *r, relay_peer *p, slice wire, size_t at, status why)
{
    message m = { .id = json_peek(wire, at, SLICE("#")), .at = json_peek(wire, at, SLICE("@")) };
    message_fault fault = { .why = why == STATUS_NO_MEMORY ? "busy: out of memory"
                                                           : "limit: message too complex" };

    if (m.id.len > r->limits.id_bytes_max) m.id.len = 0;
    ++r->counts.messages_in;
    ++r->counts.too_big;
    refuse_message(r, p, &m, &fault);
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
    s->counted_as_put = s->in_put;
    s->arena = r->arena;
    r->arena = arena_make(s->arena.bytes_max);
    r->suspended_due_ms = 0; /* at the next turn */
    count_suspended(r, s, true);
    p->suspended = s;
    peer_news(p);
    /* A batch that waits for its own reader is that reader's cost: past the bound
     * it goes, and with it the connection, for its puts would get no answer. */
    if (!s->in_put && p->paused && r->waiting_bytes > r->limits.suspended_bytes_max) {
        ++r->counts.stalled;
        peer_close(p, 1008);
    }
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

/* Makes what was just suspended fit to go on. */
static void prepare_suspended(relay *r, relay_peer *p)
{
    suspended *s = p->suspended;

    if (s == NULL) return;
    ++r->counts.suspended;
    if (s->in_put && !read_again(r, s, s->looked)) {
        hear_forget(p);
        peer_close(p, 1011);
        return;
    }
    s->looked = 0;
}

static size_t hear_batch(relay *r, relay_peer *p, suspended *f, slice wire, moment now)
{
    message_limits limits = relay_message_limits(r);
    json_bounds bounds = { limits.depth_max, limits.tokens_max };
    size_t heard = 0, began = f->at;

    for (;;) {
        bool skipped = false;
        size_t from;
        message m;
        status s;
        json j;

        while (f->at < wire.len && (is_space(wire.at[f->at]) || wire.at[f->at] == ',')) ++f->at;
        if (f->at >= wire.len || wire.at[f->at] == ']') return heard;
        if (heard == FRAME_MESSAGES || f->at - began > FRAME_BYTES || p->paused) {
            suspend(r, p, f, wire);
            return heard;
        }
        from = f->at;
        arena_reset(&r->arena, ARENA_KEEP);
        ++heard;
        s = json_read_at(&j, &r->arena, wire, &f->at, &bounds);
        if (s != STATUS_OK) { /* it was checked: only a bound or memory can fail now */
            refuse_unread(r, p, wire, from, s);
            f->at = json_skip(wire, from);
            continue;
        }
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
    if (s == STATUS_MALFORMED) {
        scold_once(p, &scolded, "malformed: not JSON");
        return 1;
    }
    if (s != STATUS_OK) {
        refuse_unread(r, p, wire, at, s);
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
    prepare_suspended(r, p);
    return heard;
}

/* --- what was suspended --- */

typedef enum progress {
    PROGRESS_DONE,    /* the peer is not suspended, or was put on the roster again */
    PROGRESS_MORE,    /* there is more to do at once */
    PROGRESS_BLOCKED, /* the store has to settle something first */
} progress;

/* One slice of a suspended put, or answer; true when it is over. */
static bool put_on(relay *r, relay_peer *p, progress *how, moment now)
{
    suspended *s = p->suspended;

    *how = PROGRESS_MORE;
    arena_reset(&r->arena, ARENA_KEEP); /* of an earlier try */
    if (s->m.at.len == 0) {
        invent_id(r, &s->arena, &s->m);
        if (s->looked < s->m.write_count && !put_look(r, p, &s->m, &s->looked, &s->met, now))
            return false;
    }
    *how = PROGRESS_BLOCKED;
    if (s->m.at.len > 0 ? !answer_hear(r, p, &s->m, now) : !put_apply(r, p, &s->m, s->met, now))
        return false;
    if (s->m.get != GET_NONE) get_hear(r, p, &s->m, now);
    s->in_put = false;
    return true;
}

/* The rest of a batch: heard anew, and perhaps suspended again. */
static void batch_on(relay *r, relay_peer *p, moment now)
{
    suspended s = *p->suspended;

    arena_free(&s.arena);
    free(p->suspended);
    p->suspended = NULL;
    count_suspended(r, &s, false);
    hear_batch(r, p, &s, (slice){ s.text, s.len }, now);
    if (p->suspended == NULL) free(s.text);
    prepare_suspended(r, p);
    peer_news(p);
}

static progress go_on(relay *r, relay_peer *p, moment now)
{
    progress how;

    if (!p->suspended->in_put) {
        batch_on(r, p, now);
        return PROGRESS_DONE;
    }
    if (!put_on(r, p, &how, now)) return how;
    if (p->suspended->batch) return PROGRESS_MORE;
    hear_forget(p);
    peer_news(p);
    return PROGRESS_DONE;
}

void hear_on(relay *r, moment now)
{
    roster due = r->suspended;

    r->suspended = (roster){ 0 };
    r->suspended_due_ms = now.steady_ms + BLOCKED_RETRY_MS;
    for (size_t i = 0; i < due.count; ++i) {
        relay_peer *p = relay_find(r, due.at[i]);
        progress how;

        if (p == NULL || p->suspended == NULL) continue;
        how = p->paused ? PROGRESS_BLOCKED : go_on(r, p, now);
        if (how == PROGRESS_MORE) r->suspended_due_ms = now.steady_ms;
        if (how != PROGRESS_DONE && !roster_add(&r->suspended, p->number)) peer_close(p, 1011);
    }
    free(due.at);
}
