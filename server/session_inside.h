/* session_inside.h - what the parts of a session share; nobody else includes it.
 *
 *   session.c       hearing, places, the beginning and the end
 *   session_say.c   the one way out: frames, heartbeats, the goodbye
 *   session_tick.c  what time brings, and the stop
 */
#ifndef SERVER_SESSION_INSIDE_H
#define SERVER_SESSION_INSIDE_H

#include "server/session.h"

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
    token_shown token; /* what its handshake showed */
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

/* Sets or takes away a reason not to read. */
void session_stop(session *one, uint8_t reason, bool on);

/* The same for the reasons that time takes away. */
void session_slow(session *one, uint8_t reason);
bool session_within_rate(session *one);

/* What has arrived of this message is dropped, and the rest of it will be; `why`
 * is said to the peer. */
void session_skip_rest(session *one, slice why, uint64_t *count);

/* To be buried, or only to leave the relay, at the end of the turn. */
void session_into_grave(session *one);

/* Writes what the relay has for it, as far as the socket takes it. */
void session_drain(session *one);

/* Writes the heartbeat and the ping that are due; false: it was given up. The
 * socket must take bytes. */
bool session_write_beat(session *one);

/* Begins to close, with a code that says why. */
void session_say_goodbye(session *one, uint16_t code);

/* At a stop: writes our own close frame. Nonzero: it was given up. */
int session_write_goodbye(session *one);

/* No more is said or heard, and the socket is closed soon. */
void session_give_up(session *one);

#endif
