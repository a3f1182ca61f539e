/* http_reply.h - one answer by HTTP, whoever gives it.
 *
 * What is asked is found out by http.c and by audio_http.c; how it is said stands
 * here: status line, headers that every answer has, a body of bytes that are at hand.
 * A body that is made while it is sent (audio_stream.h) begins with reply_begin()
 * and ends with reply_finish().
 */
#ifndef SERVER_HTTP_REPLY_H
#define SERVER_HTTP_REPLY_H

#include "server/server.h"

typedef struct reply {
    int code;
    const char *type, *cache, *csp;
    const char *etag;    /* without quotes, or NULL */
    const char *methods; /* of a 204 and 405; NULL: those that read */
    const char *more;    /* header lines besides, each with its end; at most REPLY_MORE_MAX */
    slice body;
    char *owned;     /* the body, if it is to be freed */
    uint64_t length; /* of a body that is made while it is sent; else 0 */
    bool head, close;
} reply;

enum { REPLY_MORE_MAX = 1024 };

/* A sentence; lent until it was sent. */
void reply_say(reply *r, int code, const char *words);

/* Answers; what a callback returns: 0 to go on, nonzero to close. Takes r->owned. */
int reply_send(server *s, visitor *v, struct lws *wsi, reply *r);

/* Whether a copy may be made of what is to be sent. Who does not read is waited for, and
 * small as one answer is, those that ask may be many. False: 503. */
bool reply_has_room(const server *s);

/* Sends what is left of a body, when the socket takes more. */
int reply_writable(visitor *v, struct lws *wsi);

/* Only the header; false: hang up. */
bool reply_begin(server *s, struct lws *wsi, const reply *r);

/* The body is sent; what a callback returns. */
int reply_finish(visitor *v, struct lws *wsi, bool close);

/* Header and body in one write, for handshakes that are refused; then to be closed. */
bool reply_at_once(server *s, struct lws *wsi, const reply *r);

/* Whether an If-None-Match or If-Match lists this tag, or any by "*". `weak`: W/ does not matter
 * (RFC 9110, 8.8.3.2). False when there is no such header. */
bool reply_tag_listed(struct lws *wsi, enum lws_token_indexes header, const char *etag, bool weak);

/* Says why a request is not answered as asked: its method only writes, or it has a
 * body. False when nothing is wrong; then *r knows whether only the head is asked for. */
bool reply_objects(struct lws *wsi, reply *r);

/* The socket of whoever did not read takes more again, or is given up. */
void reply_note_free(visitor *v);

/* The connection is gone. */
void reply_forget(visitor *v);

#endif
