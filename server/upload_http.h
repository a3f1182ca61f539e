/* upload_http.h - audio that comes in by HTTP.
 *
 * upload_ask.h reads what is asked, upload.h takes the bytes; here stands the
 * connection between them:
 *
 *   TAKING ---- all came, and is safe, or it failed ----> SAYING ---> end
 *      |                                                     |
 *      +-- refused before all came -----------> LINGERING <--+ the rest is not wanted
 *
 * The body is read as fast as the store takes it: while an upload waits, nothing is
 * read from its socket, and what was read already (one buffer) stands aside. Nobody
 * hears 201 before all of it is durable.
 *
 * What is refused is refused at once, and the connection is closed after that. Not
 * at once: a socket that is closed with bytes unread resets the connection, and the
 * client would lose the answer. So the rest is dropped for a moment.
 *
 * An upload is bound by the write mode, the quota of content hashes, --origin, and
 * the rate of bytes of its address; how many there may be, and how long they may be
 * silent, are limits. A client that goes leaves what was verified.
 */
#ifndef SERVER_UPLOAD_HTTP_H
#define SERVER_UPLOAD_HTTP_H

#include "server/server.h"

/* A request with a body; `whole` tells whether libwebsockets can take it (unread.h).
 * These return what a callback returns: 0 to go on, nonzero to close. */
int upload_request(server *s, visitor *v, struct lws *wsi, slice path, bool whole);
int upload_body(visitor *v, const char *at, size_t len);
int upload_body_end(visitor *v);
int upload_writable(visitor *v);

/* The connection is gone, or its upload has been answered. */
void upload_end(visitor *v);

/* The part of a turn; whether there is more to do at once. */
void uploads_turn(server *s);
bool uploads_wait(const server *s);

/* Now and then: cuts those who are silent, reads on from those who were too fast. */
void uploads_tick(server *s);

/* The server stops: whoever is still sending is told so. */
void uploads_stop(server *s);

#endif
