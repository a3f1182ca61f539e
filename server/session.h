/* session.h - one WebSocket connection and one peer of the relay.
 *
 *          handshake          a place                  limit crossed, goodbye
 *   VISITOR -------> WAITING -------> OPEN (has a peer) ---------------> GRAVE
 *
 * Hearing: libwebsockets hands out pieces of frames. A session puts them together
 * up to the size limit, which it checks at every piece; what is over it, or
 * binary, is skipped to its end and scolded, and the connection lives.
 *
 * Not hearing: there are several reasons not to read from a peer, and each has a
 * bit. While any is set libwebsockets does not read from the socket, so that the
 * pressure reaches the sender. At most one whole message is then kept here.
 *
 * Saying: one function writes to a socket, and only when libwebsockets has
 * nothing of an earlier write left; otherwise it would send a frame without a
 * header (seen in 4.1.6). It writes directly in the turn, which is cheaper than
 * asking for a callback first, and goes on when the socket is writable.
 *
 * Nothing here frees a session in the middle of things: it goes to the graves
 * and is buried at the end of the turn.
 */
#ifndef SERVER_SESSION_H
#define SERVER_SESSION_H

#include "server/server.h"

/* A handshake is done: gives the session to its visitor and the server. False:
 * out of memory, close the connection. `who` is the client as limits see it, and
 * is taken. */
bool session_begin(server *s, visitor *v, struct lws *wsi, gate_person *who);

/* Who it is, as limits see it; NULL: nobody in particular. */
gate_person *session_person(const session *one);

/* A piece of a frame arrived. */
void session_hear(session *one, const char *at, size_t len);

/* A pong arrived. */
void session_alive(session *one);

/* The socket takes bytes again. Nonzero: close the connection now. */
int session_writable(session *one);

/* The peer says goodbye, or answers ours. Nonzero: close the connection now. */
int session_goodbye_heard(session *one);

/* libwebsockets has closed the connection. */
void session_closed(session *one);

/* The parts of a turn, in this order. */
void sessions_admit(server *s); /* gives free places to those who wait */
void sessions_drain(server *s); /* what the relay has for them */
void sessions_bury(server *s);

/* Every tenth of a second: heartbeats, pings, rates, messages that never end. */
void sessions_tick(server *s);

/* For a stop: read no more; close all with 1001; whether all was said. */
void sessions_deafen(server *s);
bool sessions_all_said(const server *s);
void sessions_close_all(server *s);

#endif
