/* session.c - see session.h. */
#include "server/session_inside.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading, and not reading ---- */

void session_stop(session *one, uint8_t reason, bool on)
{
    uint8_t before = one->stops;

    one->stops = (uint8_t)(on ? before | reason : before & ~reason);
    if (!one->wsi || one->goodbye || !before == !one->stops) return;
    /* Its pongs have not been read meanwhile. */
    if (one->stops == 0) one->alive_ms = one->server->now.steady_ms;
    /* The result only tells whether the poll set could be changed. */
    lws_rx_flow_control(one->wsi, one->stops == 0);
}

void session_slow(session *one, uint8_t reason)
{
    if (reason == STOP_RATE && !(one->stops & STOP_RATE)) one->server->counts.slowed++;
    session_stop(one, reason, true);
    LIST_IN(one, slowed, is_slowed);
}

static bool is_metered(const session *one)
{
    return one->who != NULL;
}

static void meter(session *one, double messages, double bytes)
{
    server *s = one->server;
    int64_t now = s->now.steady_ms;

    if (!is_metered(one)) return;
    pace_take(&one->messages, &s->limits.messages, messages, now);
    pace_take(&one->bytes, &s->limits.bytes, bytes, now);
    gate_count(s->gate, one->who, messages, bytes, now);
}

bool session_within_rate(session *one)
{
    server *s = one->server;
    int64_t now = s->now.steady_ms;

    if (!is_metered(one)) return true;
    return pace_open(&one->messages, &s->limits.messages, now) &&
           pace_open(&one->bytes, &s->limits.bytes, now) && gate_open(s->gate, one->who, now);
}

gate_person *session_person(const session *one)
{
    return one->who;
}

/* ---- hearing ---- */

static void drop_text(session *one)
{
    one->server->assembling_bytes -= one->text_len;
    free(one->text);
    one->text = NULL;
    one->text_len = one->text_room = 0;
    LIST_OUT(one, assembling, is_assembling);
}

static void scold(session *one, slice why)
{
    if (one->peer) relay_scold(one->server->relay, one->peer, why, one->server->now);
}

static bool make_room(session *one, size_t len)
{
    size_t room = one->text_room ? one->text_room : 1024;
    char *more;

    while (room < one->text_len + len) room *= 2;
    if (room == one->text_room) return true;
    more = realloc(one->text, room);
    if (!more) return false;
    one->text = more;
    one->text_room = room;
    return true;
}

static bool keep_text(session *one, const char *at, size_t len)
{
    server *s = one->server;

    if (!make_room(one, len)) return false;
    if (len > 0) memcpy(one->text + one->text_len, at, len);
    one->text_len += len;
    s->assembling_bytes += len;
    one->progress_ms = s->now.steady_ms;
    LIST_IN(one, assembling, is_assembling);
    return true;
}

/* The rest of this message is not kept; it is read to its end. */
void session_skip_rest(session *one, slice why, uint64_t *count)
{
    ++*count;
    one->skipping = true;
    drop_text(one);
    scold(one, why);
    log_say(&one->server->log, LOG_DROPPED, one->server->now, "a message (%.*s)", (int)why.len,
            why.at);
}

static void deliver(session *one, slice frame)
{
    server *s = one->server;
    size_t messages = relay_hear(s->relay, one->peer, frame, s->now);

    meter(one, (double)messages, 0);
    if (!session_within_rate(one)) session_slow(one, STOP_RATE);
    session_stop(one, STOP_RELAY, !relay_reading(one->peer));
}

/* What is in `text` is a whole message: hears it, or keeps it until the relay
 * reads again. */
static void deliver_kept(session *one)
{
    if (!one->peer) {
        drop_text(one);
        return;
    }
    one->held = !relay_reading(one->peer);
    session_stop(one, STOP_HELD, one->held);
    if (one->held) {
        /* Whole, so it can no longer be crowded out. */
        LIST_OUT(one, assembling, is_assembling);
        return;
    }
    deliver(one, (slice){ one->text, one->text_len });
    drop_text(one);
}

static void take_piece(session *one, const char *at, size_t len, bool final)
{
    server *s = one->server;

    if (final && one->text_len == 0 && one->peer && relay_reading(one->peer) && !one->held) {
        deliver(one, (slice){ at, len });
        return;
    }
    if (!keep_text(one, at, len)) {
        session_skip_rest(one, SLICE("busy: no memory for this message, it was not heard"),
                          &s->counts.crowded_out);
        return;
    }
    if (final)
        deliver_kept(one);
    else if (s->assembling_bytes > s->limits.assembling_bytes_max)
        session_slow(one, STOP_MEMORY);
}

void session_hear(session *one, const char *at, size_t len)
{
    server *s = one->server;
    size_t most = s->options->relay.message_bytes_max;
    size_t left = lws_remaining_packet_payload(one->wsi);
    bool final = lws_is_final_fragment(one->wsi) != 0;

    one->alive_ms = s->now.steady_ms;
    if (one->goodbye || (one->stops & STOP_END)) return;
    meter(one, 0, (double)len);
    if (!one->in_message) {
        one->skipping = false;
        one->in_message = true;
        if (lws_frame_is_binary(one->wsi))
            session_skip_rest(one, SLICE("binary: only text frames are understood"),
                              &s->counts.binary);
    }
    if (!one->skipping && (len > most || one->text_len + len > most || left > most - len))
        session_skip_rest(one, SLICE("Message too big!"), &s->counts.frames_too_big);
    if (!one->skipping) take_piece(one, at, len, final);
    if (final) one->in_message = false;
    if (!session_within_rate(one)) session_slow(one, STOP_RATE);
}

void session_alive(session *one)
{
    one->alive_ms = one->server->now.steady_ms;
}

/* ---- places ---- */

static bool join(session *one)
{
    server *s = one->server;

    if (relay_join(s->relay, &one->peer, one, s->now) != STATUS_OK) return false;
    if (one->token == TOKEN_KNOWN) relay_trust(one->peer);
    if (one->token == TOKEN_WRONG) scold(one, SLICE("token: not known here"));
    session_stop(one, STOP_PLACE, false);
    return true;
}

static bool enter(session *one)
{
    server *s = one->server;

    if (!gate_enter(s->gate, one->who)) return false;
    one->has_place = true;
    if (!join(one)) session_say_goodbye(one, 1013);
    return true;
}

static void wait_for_place(session *one)
{
    server *s = one->server;

    session_stop(one, STOP_PLACE, true);
    if (s->waiting_count >= s->limits.waiting_max) {
        s->counts.closed_busy++;
        log_say(&s->log, LOG_BUSY, s->now, "a connection was closed: %u wait already",
                s->waiting_count);
        session_say_goodbye(one, 1013);
        return;
    }
    s->counts.told_busy++;
    s->waiting_count++;
    LIST_IN(one, waiting, is_waiting);
    log_say(&s->log, LOG_BUSY, s->now, "a connection waits for a place; %u are taken",
            gate_places_taken(s->gate));
    one->busy_due = true;
    lws_callback_on_writable(one->wsi);
}

static void stop_waiting(session *one)
{
    if (!one->is_waiting) return;
    LIST_OUT(one, waiting, is_waiting);
    one->server->waiting_count--;
}

void sessions_admit(server *s)
{
    session *one, *next;

    /* In the order in which they came; one whose address is full does not hold
     * up those behind it. */
    for (one = TAILQ_FIRST(&s->waiting); one; one = next) {
        next = TAILQ_NEXT(one, waiting);
        if (gate_places_taken(s->gate) >= s->limits.connections_max) return;
        if (!gate_has_room(s->gate, one->who)) continue;
        stop_waiting(one);
        enter(one);
    }
}

/* ---- beginning and end ---- */

void session_into_grave(session *one)
{
    if (!one->in_grave) TAILQ_INSERT_TAIL(&one->server->graves, one, grave);
    one->in_grave = true;
}

static void into_wheel(session *one)
{
    server *s = one->server;

    /* The slot that was just served comes round again after one heartbeat. */
    LIST_INSERT_HEAD(&s->wheel[(s->wheel_at + WHEEL_SLOTS - 1) % WHEEL_SLOTS], one, beat);
}

bool session_begin(server *s, visitor *v, struct lws *wsi, gate_person *who)
{
    session *one = calloc(1, sizeof *one);

    if (!one) {
        gate_part(who);
        return false;
    }
    *one = (session){
        .server = s,
        .visitor = v,
        .wsi = wsi,
        .who = who,
        .token = v->token,
        .alive_ms = s->now.steady_ms,
        .messages = pace_new(&s->limits.messages, s->now.steady_ms),
        .bytes = pace_new(&s->limits.bytes, s->now.steady_ms),
    };
    v->session = one;
    if (one->token == TOKEN_KNOWN) s->counts.tokens_known++;
    if (one->token == TOKEN_WRONG) s->counts.tokens_wrong++;
    s->sessions++;
    s->counts.opened++;
    into_wheel(one);
    /* Frames that came with the handshake are looked at when the socket is. */
    lws_callback_on_writable(wsi);
    if (s->stopping)
        session_say_goodbye(one, LWS_CLOSE_STATUS_GOINGAWAY);
    else if (!enter(one))
        wait_for_place(one);
    return true;
}

void session_closed(session *one)
{
    one->visitor->session = NULL;
    one->visitor = NULL;
    one->wsi = NULL;
    session_into_grave(one);
}

static void leave_relay(session *one)
{
    server *s = one->server;

    stop_waiting(one);
    LIST_OUT(one, slowed, is_slowed);
    drop_text(one);
    one->saying = false; /* the loan ends with the peer */
    if (one->peer) relay_leave(s->relay, one->peer, s->now);
    one->peer = NULL;
    if (one->has_place) gate_leave(s->gate, one->who);
    one->has_place = false;
}

static void bury(session *one)
{
    server *s = one->server;

    LIST_REMOVE(one, beat);
    gate_part(one->who);
    s->sessions--;
    free(one);
}

void sessions_bury(server *s)
{
    session *one;

    while ((one = TAILQ_FIRST(&s->graves))) {
        TAILQ_REMOVE(&s->graves, one, grave);
        one->in_grave = false;
        leave_relay(one);
        if (!one->wsi) bury(one);
    }
}

/* ---- the turn ---- */

static void tend(session *one)
{
    server *s = one->server;

    if (!one->peer || one->goodbye) return;
    if (relay_closing(one->peer)) {
        s->counts.closed_by_relay++;
        log_say(&s->log, LOG_CLOSED, s->now, "a connection, with %d: %s", relay_closing(one->peer),
                relay_closing(one->peer) == LWS_CLOSE_STATUS_UNEXPECTED_CONDITION
                    ? "there was no memory for it"
                    : "it took no byte while something waited for it");
        session_say_goodbye(one, (uint16_t)relay_closing(one->peer));
        return;
    }
    session_stop(one, STOP_RELAY, !relay_reading(one->peer));
    if (one->held && relay_reading(one->peer)) deliver_kept(one);
    session_drain(one);
}

void sessions_drain(server *s)
{
    relay_peer *peer;

    while ((peer = relay_ready(s->relay))) tend(relay_owner(peer));
}
