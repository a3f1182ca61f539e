/* session_say.c - see session.h: the one way out of a session. */
#include "server/session_inside.h"

#include <assert.h>
#include <string.h>

static_assert(LWS_PRE <= RELAY_HEADROOM, "the relay leaves room for libwebsockets' header");

enum {
    /* A long piece leaves in frames of this size, so that libwebsockets, which
     * copies what the kernel did not take, never copies more than this. */
    FRAME_BYTES = 64 * 1024,
    /* Then the others have their turn: a reader on this machine may take bytes as
     * fast as they come. */
    TURN_BYTES = 1024 * 1024,
};

/* The write failed, or the peer is given up: no more is said or heard, and
 * libwebsockets closes the socket when it is next in its own loop. */
void session_give_up(session *one)
{
    one->goodbye = LWS_CLOSE_STATUS_ABNORMAL_CLOSE;
    session_into_grave(one);
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
    session_give_up(one);
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

bool session_write_beat(session *one)
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

void session_drain(session *one)
{
    size_t written = 0;

    if (!one->wsi || one->goodbye || !one->peer) return;
    while (written < TURN_BYTES && !lws_partial_buffered(one->wsi)) {
        if (!one->saying && !take_next_piece(one)) return;
        written += one->piece.len - one->piece_at;
        if (!write_piece(one)) break;
    }
    if (!one->goodbye) lws_callback_on_writable(one->wsi);
}

/* Begins to close, with a code that says why. Nothing is heard any more, but it is
 * read on: the peer's own goodbye ends the connection. */
void session_say_goodbye(session *one, uint16_t code)
{
    if (one->goodbye || !one->wsi) return;
    if (one->stops) lws_rx_flow_control(one->wsi, 1);
    one->goodbye = code;
    session_into_grave(one);
    if (lws_partial_buffered(one->wsi) && code != LWS_CLOSE_STATUS_GOINGAWAY) {
        lws_set_timeout(one->wsi, PENDING_TIMEOUT_USER_OK, 2);
        lws_cancel_service(one->server->context);
    }
    lws_callback_on_writable(one->wsi);
}

/* At a stop everybody is closed at once. libwebsockets would set a timer for each,
 * in one sorted list: 4 s for 10,000 connections. So the frame is ours, and who
 * does not answer it is cut off with the library (loop.c). */
int session_write_goodbye(session *one)
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
    if (one->goodbye == LWS_CLOSE_STATUS_GOINGAWAY) return session_write_goodbye(one);
    if (one->goodbye) {
        lws_close_reason(one->wsi, (enum lws_close_status)one->goodbye, NULL, 0);
        return -1;
    }
    if (one->busy_due && !write_busy(one)) return -1;
    if (lws_partial_buffered(one->wsi)) return 0;
    if (session_write_beat(one)) session_drain(one);
    return 0;
}

int session_goodbye_heard(session *one)
{
    return one->goodbye == LWS_CLOSE_STATUS_GOINGAWAY ? -1 : 0;
}
