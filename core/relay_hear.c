/* relay_hear.c - frames to messages, and what to do with each.
 *
 * A frame is heard in steps, so that no single one holds the loop: after
 * FRAME_MESSAGES messages or FRAME_BYTES of them the rest of a batch is left for
 * later turns; so is one behind a message that has to wait (relay_wait.c), and one
 * whose answers nobody reads. Meanwhile its peer is not read.
 */
#include "core/json_skip.h"
#include "core/relay_inside.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { FRAME_MESSAGES = 1000, FRAME_BYTES = 1 << 20, ARENA_KEEP = 256 * 1024 };

/* What is left of a batch. */
struct rest {
    char *text; /* a copy */
    size_t len, at;
    bool scolded;
};

void rest_free(relay_peer *p)
{
    if (p->rest == NULL) return;
    p->relay->waiting_bytes -= p->rest->len;
    free(p->rest->text);
    free(p->rest);
    p->rest = NULL;
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
    /* Whole milliseconds: gun's clients add a fraction of their own. */
    text_add_number(t, floor(now.wall_ms));
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

void hear_invent_id(relay *r, arena *a, message *m)
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

/* From here on a message is large. */
enum { LARGE_BYTES = 64 * 1024 };

/* Past the bound on what waits nothing more does: what would takes its time at
 * once, or is refused. Large ones have half of the room, or a few of them would
 * crowd out all that others write. */
static bool may_wait(const relay *r, const message *m)
{
    size_t most = r->limits.suspended_bytes_max;

    return r->suspended_bytes < (m->bytes > LARGE_BYTES ? most / 2 : most);
}

static void refuse_busy(relay *r, relay_peer *p, const message *m, const char *why)
{
    ++r->counts.store_refused;
    if (m->at.len == 0) put_refuse(r, p, m->id, why, (slice){ "", 0 }, (slice){ "", 0 });
}

static bool hear_put(relay *r, relay_peer *p, message *m, moment now)
{
    bool concerned = m->bad_count == 0 && check_concerns(r, p, m);

    hear_invent_id(r, &r->arena, m);
    if (concerned && may_wait(r, m)) return false;
    if (concerned) {
        refuse_busy(r, p, m, "busy: too much waits to be verified");
        return true;
    }
    if (m->bad_count == 0 && m->write_count > r->limits.put_slice_keys && may_wait(r, m))
        return false;
    if (put_hear(r, p, m, now)) return true;
    if (may_wait(r, m)) return false;
    refuse_busy(r, p, m, put_failure(STATUS_BUSY));
    return true;
}

static bool hear_answer(relay *r, relay_peer *p, message *m, moment now)
{
    bool concerned = check_concerns(r, p, m);

    if (!concerned && answer_hear(r, p, m, now)) return true;
    if (may_wait(r, m)) return false;
    ++r->counts.store_refused; /* whoever misses it asks again */
    return true;
}

void hear_plain(relay *r, relay_peer *p, const message *m, moment now)
{
    if (m->dam.len > 0) {
        hear_dam(r, p, m, now);
        return;
    }
    if (m->has_put) {
        /* it was heard */
    } else if (m->at.len > 0) {
        hear_reply(r, p, m, now);
    } else if (m->has_nts) {
        answer_clock(r, p, m, now);
    } else if (m->get == GET_NONE) {
        message_fault what = { .why = "unknown: a message without get, put or dam" };
        refuse_message(r, p, m, &what);
        return;
    }
    if (m->get != GET_NONE) get_hear(r, p, m, now);
}

bool hear_message(relay *r, relay_peer *p, message *m, moment now)
{
    if (m->dam.len == 0 && m->has_put) {
        bool heard = m->at.len > 0 ? hear_answer(r, p, m, now) : hear_put(r, p, m, now);
        if (!heard) return false;
    }
    hear_plain(r, p, m, now);
    return true;
}

/* Reads one message of JSON and hears it, or lets it wait. */
static void hear_json(relay *r, relay_peer *p, const json *j, moment now)
{
    message_limits limits = relay_message_limits(r);
    message_fault fault;
    message m;
    status s;

    ++r->counts.messages_in;
    s = message_unpack(&m, &r->arena, j, &limits, &fault);
    if (s == STATUS_OK) {
        r->counts.puts += m.dam.len == 0 && m.has_put && m.at.len == 0;
        if (p->first_waiting != NULL || !hear_message(r, p, &m, now)) wait_add(r, p, j, now);
        return;
    }
    if (s == STATUS_NO_MEMORY) fault = (message_fault){ .why = "busy: out of memory" };
    if (s == STATUS_TOO_BIG) ++r->counts.too_big;
    refuse_message(r, p, &m, &fault);
}

/* A batch's element: an object, or a string that holds one. */
static void hear_element(relay *r, relay_peer *p, const json *j, bool *skipped, moment now)
{
    message_limits limits = relay_message_limits(r);
    json_bounds bounds = { limits.depth_max, limits.tokens_max };
    slice inner;
    json held;

    *skipped = false;
    if (j->tokens[0].type == JSON_OBJECT)
        hear_json(r, p, j, now);
    else if (j->tokens[0].type == JSON_STRING && json_utf8(j, &r->arena, 0, &inner) == STATUS_OK &&
             json_read(&held, &r->arena, inner, &bounds) == STATUS_OK &&
             held.tokens[0].type == JSON_OBJECT)
        hear_json(r, p, &held, now);
    else
        *skipped = true;
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

/* Leaves the rest of a batch for later. `kept`: its text is a copy already. */
static void leave_rest(relay *r, relay_peer *p, rest *left, slice wire, bool kept)
{
    rest *one = malloc(sizeof *one);

    if (one != NULL) {
        *one = *left;
        one->len = wire.len;
        if (!kept) one->text = malloc(wire.len + 1);
        if (!kept && one->text != NULL) memcpy(one->text, wire.at, wire.len);
    }
    if (one == NULL || one->text == NULL) {
        if (kept) free(left->text);
        free(one);
        peer_close(p, 1011);
        return;
    }
    p->rest = one;
    r->waiting_bytes += one->len;
    ++r->counts.suspended;
    if (wait_has_place(p)) wait_due(r, p); /* else when there is a place */
    peer_news(p);
    /* A batch that waits for its own reader is that reader's cost: past the bound
     * it goes, and with it the connection, for its puts would get no answer. */
    if (p->paused && r->waiting_bytes > r->limits.suspended_bytes_max) {
        ++r->counts.stalled;
        peer_close(p, 1008);
    }
}

static size_t hear_batch(relay *r, relay_peer *p, rest *f, slice wire, bool kept, moment now)
{
    message_limits limits = relay_message_limits(r);
    json_bounds bounds = { limits.depth_max, limits.tokens_max };
    size_t heard = 0, began = f->at;

    for (;;) {
        bool skipped;
        size_t from;
        status s;
        json j;

        while (f->at < wire.len && (is_space(wire.at[f->at]) || wire.at[f->at] == ',')) ++f->at;
        if (f->at >= wire.len || wire.at[f->at] == ']' || p->closing) break;
        if (heard == FRAME_MESSAGES || f->at - began > FRAME_BYTES || p->paused ||
            !wait_has_place(p)) {
            leave_rest(r, p, f, wire, kept);
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
        hear_element(r, p, &j, &skipped, now);
        if (skipped) scold_once(p, &f->scolded, "malformed: an element of a batch is a message");
    }
    if (kept) free(f->text);
    return heard;
}

void hear_rest(relay *r, relay_peer *p, moment now)
{
    rest left = *p->rest;

    free(p->rest);
    p->rest = NULL;
    r->waiting_bytes -= left.len;
    hear_batch(r, p, &left, (slice){ left.text, left.len }, true, now);
    peer_news(p);
}

static size_t hear_single(relay *r, relay_peer *p, slice wire, size_t at, moment now)
{
    message_limits limits = relay_message_limits(r);
    json_bounds bounds = { limits.depth_max, limits.tokens_max };
    bool scolded = false;
    json j;
    status s;

    arena_reset(&r->arena, ARENA_KEEP);
    s = json_read(&j, &r->arena, wire, &bounds);
    if (s == STATUS_MALFORMED)
        scold_once(p, &scolded, "malformed: not JSON");
    else if (s != STATUS_OK)
        refuse_unread(r, p, wire, at, s);
    else
        hear_json(r, p, &j, now);
    return 1;
}

size_t relay_hear(relay *r, relay_peer *p, slice wire, moment now)
{
    rest f = { .text = NULL };
    size_t at = 0;
    bool scolded = false;

    assert(p->rest == NULL);
    ++r->counts.frames_in;
    r->counts.bytes_in += wire.len;
    while (at < wire.len && is_space(wire.at[at])) ++at;
    if (at < wire.len && wire.at[at] == '{') return hear_single(r, p, wire, at, now);
    if (at < wire.len && wire.at[at] == '[' &&
        json_check(wire, r->limits.depth_max + 1) == STATUS_OK) {
        f.at = at + 1;
        return hear_batch(r, p, &f, wire, false, now);
    }
    scold_once(p, &scolded, "malformed: not a message");
    return 1;
}
