/* session.c - see session.h. */
#include "server/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(LWS_PRE <= RELAY_HEADROOM, "the relay leaves room for libwebsockets' header");

/* A long piece leaves in frames of this size, so that libwebsockets, which copies
 * what the kernel did not take, never copies more than this. */
enum { FRAME_BYTES = 64 * 1024 };

/* Reasons not to read. */
enum {
    STOP_PLACE = 1,   /* it waits for a place */
    STOP_RELAY = 2,   /* the relay says so */
    STOP_HELD = 4,    /* a whole message is kept until the relay reads again */
    STOP_RATE = 8,    /* its bucket, or that of its address, is empty */
    STOP_MEMORY = 16, /* too much is being put together */
    STOP_END = 32,    /* the server stops, or the connection is being closed */
};

struct session {
    server *server;
    visitor *visitor; /* NULL once libwebsockets closed it */
    struct lws *wsi;
    relay_peer *peer; /* NULL while it waits, and after the goodbye */
    gate_person *who;
    LIST_ENTRY(session) beat; /* in a slot of the wheel */
    TAILQ_ENTRY(session) waiting, slowed, assembling, grave;

    char *text; /* of a message that has not arrived whole, or is held */
    size_t text_len, text_room;
    int64_t progress_ms;

    relay_piece piece; /* lent by the relay while `saying` */
    size_t piece_at;

    int64_t alive_ms;
    pace messages, bytes;
    uint8_t stops;
    uint16_t goodbye; /* the code to close with, 0: none */
    bool in_message;  /* a frame has begun, and did not end */
    bool skipping;    /* of which nothing is kept */
    bool held;
    bool goodbye_said;
    bool saying;
    bool unfinished; /* a message has begun to leave: no other may come between */
    bool has_place, is_waiting, is_slowed, is_assembling, in_grave;
    bool beat_due, ping_due, busy_due;
};

/* ---- lists ---- */

#define LIST_IN(one, list, flag)                                                                   \
    do {                                                                                           \
        if (!(one)->flag) TAILQ_INSERT_TAIL(&(one)->server->list, (one), list);                    \
        (one)->flag = true;                                                                        \
    } while (0)
#define LIST_OUT(one, list, flag)                                                                  \
    do {                                                                                           \
        if ((one)->flag) TAILQ_REMOVE(&(one)->server->list, (one), list);                          \
        (one)->flag = false;                                                                       \
    } while (0)

static void into_grave(session *one)
{
    if (!one->in_grave) TAILQ_INSERT_TAIL(&one->server->graves, one, grave);
    one->in_grave = true;
}

/* ---- reading, and not reading ---- */

static void set_stop(session *one, uint8_t reason, bool on)
{
    uint8_t before = one->stops;

    one->stops = (uint8_t)(on ? before | reason : before & ~reason);
    if (!one->wsi || one->goodbye || !before == !one->stops) return;
    /* Its result only tells whether the poll set could be changed. */
    lws_rx_flow_control(one->wsi, one->stops == 0);
}

static void slow_down(session *one, uint8_t reason)
{
    if (reason == STOP_RATE && !(one->stops & STOP_RATE)) one->server->counts.slowed++;
    set_stop(one, reason, true);
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

static bool within_rate(session *one)
{
    server *s = one->server;
    int64_t now = s->now.steady_ms;

    if (!is_metered(one)) return true;
    return pace_open(&one->messages, &s->limits.messages, now) &&
           pace_open(&one->bytes, &s->limits.bytes, now) && gate_open(s->gate, one->who, now);
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
static void skip_rest(session *one, slice why, uint64_t *count)
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
    if (!within_rate(one)) slow_down(one, STOP_RATE);
    set_stop(one, STOP_RELAY, !relay_reading(one->peer));
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
    set_stop(one, STOP_HELD, one->held);
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
        skip_rest(one, SLICE("busy: no memory for this message, it was not heard"),
                  &s->counts.crowded_out);
        return;
    }
    if (final)
        deliver_kept(one);
    else if (s->assembling_bytes > s->limits.assembling_bytes_max)
        slow_down(one, STOP_MEMORY);
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
            skip_rest(one, SLICE("binary: only text frames are understood"), &s->counts.binary);
    }
    if (!one->skipping && (len > most || one->text_len + len > most || left > most - len))
        skip_rest(one, SLICE("Message too big!"), &s->counts.frames_too_big);
    if (!one->skipping) take_piece(one, at, len, final);
    if (final) one->in_message = false;
    if (!within_rate(one)) slow_down(one, STOP_RATE);
}

void session_alive(session *one)
{
    one->alive_ms = one->server->now.steady_ms;
}

/* ---- saying ---- */

/* The write failed, or the peer is given up: no more is said or heard, and
 * libwebsockets closes the socket when it is next in its own loop. */
static void give_up(session *one)
{
    one->goodbye = LWS_CLOSE_STATUS_ABNORMAL_CLOSE;
    into_grave(one);
    lws_set_timeout(one->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    /* That timer is looked at only after an event of its own. */
    lws_cancel_service(one->server->context);
}

/* The one place that writes. The bytes before `at` are put back, because they
 * may be the end of what was written before. */
static bool write_frame(session *one, char *at, size_t len, int how)
{
    char before[LWS_PRE];
    int n;

    assert(!lws_partial_buffered(one->wsi));
    memcpy(before, at - LWS_PRE, LWS_PRE);
    n = lws_write(one->wsi, (unsigned char *)at, len, (enum lws_write_protocol)how);
    memcpy(at - LWS_PRE, before, LWS_PRE);
    if (n >= 0) return true;
    give_up(one);
    return false;
}

static bool write_small(session *one, slice what, int how)
{
    char buffer[LWS_PRE + 256];

    assert(what.len <= sizeof buffer - LWS_PRE);
    memset(buffer, 0, LWS_PRE);
    memcpy(buffer + LWS_PRE, what.at, what.len);
    return write_frame(one, buffer + LWS_PRE, what.len, how);
}

static bool write_busy(session *one)
{
    static const char busy[] = "{\"dam\":\"!\",\"err\":\"busy: every place is taken; this "
                               "connection is read as soon as one is free\"}";

    one->busy_due = false;
    return write_small(one, (slice){ busy, sizeof busy - 1 }, LWS_WRITE_TEXT);
}

static bool write_beat(session *one)
{
    server *s = one->server;

    if (one->ping_due) {
        one->ping_due = false;
        s->counts.pings++;
        /* Not empty: libwebsockets keeps quiet about a pong without payload. */
        if (!write_small(one, SLICE("b"), LWS_WRITE_PING)) return false;
    }
    if (one->beat_due && !one->unfinished && !lws_partial_buffered(one->wsi)) {
        one->beat_due = false;
        return write_small(one, SLICE("[]"), LWS_WRITE_TEXT);
    }
    return true;
}

/* How to write the next `len` bytes of the piece; notes whether the message goes
 * on after them. */
static int how_to_write(session *one, size_t len)
{
    bool first = one->piece.first && one->piece_at == 0;
    int how = first ? LWS_WRITE_TEXT : LWS_WRITE_CONTINUATION;

    one->unfinished = !one->piece.last || one->piece_at + len < one->piece.len;
    return one->unfinished ? how | LWS_WRITE_NO_FIN : how;
}

/* Writes what is left of the lent piece. False: the socket takes no more now, or
 * never again. */
static bool write_piece(session *one)
{
    server *s = one->server;

    do {
        size_t len = one->piece.len - one->piece_at;
        if (lws_partial_buffered(one->wsi)) return false;
        if (len > FRAME_BYTES) len = FRAME_BYTES;
        if (!write_frame(one, one->piece.at + one->piece_at, len, how_to_write(one, len)))
            return false;
        one->piece_at += len;
    } while (one->piece_at < one->piece.len);
    one->saying = false;
    relay_sent(s->relay, one->peer, s->now);
    return true;
}

static bool take_next_piece(session *one)
{
    server *s = one->server;

    if (!relay_next(s->relay, one->peer, &one->piece, s->now)) return false;
    one->piece_at = 0;
    one->saying = true;
    return true;
}

static void drain(session *one)
{
    if (!one->wsi || one->goodbye || !one->peer) return;
    while (!lws_partial_buffered(one->wsi)) {
        if (!one->saying && !take_next_piece(one)) return;
        if (!write_piece(one)) break;
    }
    if (!one->goodbye) lws_callback_on_writable(one->wsi);
}

/* Begins to close, with a code that says why. Nothing is heard any more, but it is
 * read on: the peer's own goodbye ends the connection. */
static void say_goodbye(session *one, uint16_t code)
{
    if (one->goodbye || !one->wsi) return;
    if (one->stops) lws_rx_flow_control(one->wsi, 1);
    one->goodbye = code;
    into_grave(one);
    if (lws_partial_buffered(one->wsi) && code != LWS_CLOSE_STATUS_GOINGAWAY) {
        lws_set_timeout(one->wsi, PENDING_TIMEOUT_USER_OK, 2);
        lws_cancel_service(one->server->context);
    }
    lws_callback_on_writable(one->wsi);
}

/* At a stop everybody is closed at once. libwebsockets would set a timer for each,
 * in one sorted list: 4 s for 10,000 connections. So the frame is ours, and who
 * does not answer it is cut off with the library (loop.c). */
static int write_goodbye(session *one)
{
    /* A close frame with 1001. Written raw, as HTTP is: the library keeps its own
     * way of writing close frames to itself. */
    static const char frame[] = { '\x88', 2, LWS_CLOSE_STATUS_GOINGAWAY >> 8,
                                  (char)(LWS_CLOSE_STATUS_GOINGAWAY & 0xff) };

    if (one->goodbye_said) return 0;
    one->goodbye_said = true;
    return write_small(one, (slice){ frame, sizeof frame }, LWS_WRITE_HTTP) ? 0 : -1;
}

int session_writable(session *one)
{
    if (one->goodbye == LWS_CLOSE_STATUS_ABNORMAL_CLOSE) return -1;
    if (one->goodbye == LWS_CLOSE_STATUS_GOINGAWAY) return write_goodbye(one);
    if (one->goodbye) {
        lws_close_reason(one->wsi, (enum lws_close_status)one->goodbye, NULL, 0);
        return -1;
    }
    if (one->busy_due && !write_busy(one)) return -1;
    if (lws_partial_buffered(one->wsi)) return 0;
    if (write_beat(one)) drain(one);
    return 0;
}

int session_goodbye_heard(session *one)
{
    return one->goodbye == LWS_CLOSE_STATUS_GOINGAWAY ? -1 : 0;
}

/* ---- places ---- */

static bool join(session *one)
{
    server *s = one->server;

    if (relay_join(s->relay, &one->peer, one, s->now) != STATUS_OK) return false;
    set_stop(one, STOP_PLACE, false);
    return true;
}

static bool enter(session *one)
{
    server *s = one->server;

    if (!gate_enter(s->gate, one->who)) return false;
    one->has_place = true;
    if (!join(one)) say_goodbye(one, 1013);
    return true;
}

static void wait_for_place(session *one)
{
    server *s = one->server;

    set_stop(one, STOP_PLACE, true);
    if (s->waiting_count >= s->limits.waiting_max) {
        s->counts.closed_busy++;
        log_say(&s->log, LOG_BUSY, s->now, "a connection was closed: %u wait already",
                s->waiting_count);
        say_goodbye(one, 1013);
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
        .alive_ms = s->now.steady_ms,
        .messages = pace_new(&s->limits.messages, s->now.steady_ms),
        .bytes = pace_new(&s->limits.bytes, s->now.steady_ms),
    };
    v->session = one;
    s->sessions++;
    s->counts.opened++;
    into_wheel(one);
    /* Frames that came with the handshake are looked at when the socket is. */
    lws_callback_on_writable(wsi);
    if (s->stopping)
        say_goodbye(one, LWS_CLOSE_STATUS_GOINGAWAY);
    else if (!enter(one))
        wait_for_place(one);
    return true;
}

void session_closed(session *one)
{
    one->visitor->session = NULL;
    one->visitor = NULL;
    one->wsi = NULL;
    into_grave(one);
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
        log_say(&s->log, LOG_CLOSED, s->now, "a connection that took no byte");
        say_goodbye(one, (uint16_t)relay_closing(one->peer));
        return;
    }
    set_stop(one, STOP_RELAY, !relay_reading(one->peer));
    if (one->held && relay_reading(one->peer)) deliver_kept(one);
    drain(one);
}

void sessions_drain(server *s)
{
    relay_peer *peer;

    while ((peer = relay_ready(s->relay))) tend(relay_owner(peer));
}

/* ---- the tick ---- */

static void beat(session *one)
{
    server *s = one->server;
    int64_t silent = s->now.steady_ms - one->alive_ms;

    if (!one->wsi || one->goodbye) return;
    /* One that we do not read from cannot be heard to be alive. */
    if (one->stops == 0 && silent >= s->limits.silent_ms) {
        s->counts.closed_silent++;
        log_say(&s->log, LOG_CLOSED, s->now, "a connection from which nothing came");
        give_up(one);
        return;
    }
    one->beat_due = !one->is_waiting;
    one->ping_due = one->stops != 0 || silent >= s->limits.heartbeat_ms / 2;
    if (lws_partial_buffered(one->wsi)) return;
    if (write_beat(one) && (one->beat_due || one->ping_due)) lws_callback_on_writable(one->wsi);
}

/* Serves the slots whose time has come; a slot is a 256th of a heartbeat. */
static void turn_wheel(server *s)
{
    double slot_ms = (double)s->limits.heartbeat_ms / WHEEL_SLOTS;
    int served = 0;

    while ((double)s->now.steady_ms - s->wheel_ms >= slot_ms && served++ < WHEEL_SLOTS) {
        session *one, *next;
        for (one = LIST_FIRST(&s->wheel[s->wheel_at]); one; one = next) {
            next = LIST_NEXT(one, beat);
            beat(one);
        }
        s->wheel_at = (s->wheel_at + 1) % WHEEL_SLOTS;
        s->wheel_ms += slot_ms;
    }
    if (served > WHEEL_SLOTS) s->wheel_ms = (double)s->now.steady_ms;
}

static void read_slowed_again(server *s)
{
    bool room = s->assembling_bytes <= s->limits.assembling_bytes_max;
    session *one, *next;

    for (one = TAILQ_FIRST(&s->slowed); one; one = next) {
        next = TAILQ_NEXT(one, slowed);
        if (within_rate(one)) set_stop(one, STOP_RATE, false);
        if (room) set_stop(one, STOP_MEMORY, false);
        if (!(one->stops & (STOP_RATE | STOP_MEMORY))) LIST_OUT(one, slowed, is_slowed);
    }
}

/* When everybody waits for memory, who holds most and got nowhere for 10 s
 * loses its message, so that the others arrive. */
static void crowd_out(server *s)
{
    enum { STUCK_MS = 10000 };
    session *one, *largest = NULL;

    if (s->assembling_bytes <= s->limits.assembling_bytes_max) return;
    TAILQ_FOREACH(one, &s->assembling, assembling)
    {
        if (s->now.steady_ms - one->progress_ms < STUCK_MS) continue;
        if (!largest || one->text_len > largest->text_len) largest = one;
    }
    if (largest)
        skip_rest(largest,
                  SLICE("busy: too many messages arrive in pieces, this one was not heard"),
                  &s->counts.crowded_out);
}

void sessions_tick(server *s)
{
    crowd_out(s);
    read_slowed_again(s);
    turn_wheel(s);
}

/* ---- the stop ---- */

void sessions_deafen(server *s)
{
    for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++) {
        session *one;
        LIST_FOREACH(one, &s->wheel[slot], beat) set_stop(one, STOP_END, true);
    }
}

bool sessions_all_said(server *s)
{
    for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++) {
        session *one;
        LIST_FOREACH(one, &s->wheel[slot], beat)
        {
            if (!one->wsi || one->goodbye || !one->peer) continue;
            if (one->saying || relay_has_output(one->peer) || lws_partial_buffered(one->wsi))
                return false;
        }
    }
    return true;
}

void sessions_close_all(server *s)
{
    for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++) {
        session *one;
        LIST_FOREACH(one, &s->wheel[slot], beat)
        {
            say_goodbye(one, LWS_CLOSE_STATUS_GOINGAWAY);
            if (one->goodbye == LWS_CLOSE_STATUS_GOINGAWAY && !lws_partial_buffered(one->wsi))
                write_goodbye(one);
        }
    }
}
