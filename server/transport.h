/* transport.h - libwebsockets, and all that is known about its ways.
 *
 * It runs on a libev loop of ours (its own poll loop falls to a hundredth with
 * thousands of idle sockets), accepts nothing by itself, speaks HTTP/1.1 only,
 * compresses nothing, and has one vhost: with several it would choose between
 * them by the Host header that a client writes. What it tells us by callback is
 * passed on to session.h and http.h.
 */
#ifndef SERVER_TRANSPORT_H
#define SERVER_TRANSPORT_H

#include "server/server.h"

/* `sockets_max`: how many descriptors there may be. False: `why` is logged. */
bool transport_open(server *s, bool tls);
void transport_close(server *s);

/* Gives who the client is, for limits, by what a trusted proxy says of it; NULL:
 * nobody in particular. gate_part() takes it back. False: no memory. */
bool transport_client(server *s, struct lws *wsi, gate_person **out);

/* Whether a page of this origin, if it is one, is let in. */
bool transport_origin(const server *s, struct lws *wsi);

/* Takes an accepted socket and its visitor, whatever is returned. */
void transport_adopt(server *s, int fd, visitor *v, bool tls);

#endif
