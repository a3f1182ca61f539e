/* tools_http.h - HTTP as the tools speak it: one request after the other on a
 * connection that stays open, blocking, with TLS where the address says https.
 *
 * Not a client for the web: it follows nothing, keeps no cookies, and wants answers
 * that say how long they are, as a relay's do, also behind a proxy.
 */
#ifndef SERVER_TOOLS_HTTP_H
#define SERVER_TOOLS_HTTP_H

#include "core/text.h"

#include <stdint.h>

enum { HTTP_WHY_MAX = 300, HTTP_WORD_MAX = 256 };

/* Where a server is: http://host:port/base, without a slash at its end. */
typedef struct http_place {
    bool tls;
    char host[HTTP_WORD_MAX], port[8], base[HTTP_WORD_MAX];
} http_place;

/* False: it is no such address. */
bool http_place_read(const char *url, http_place *out);

typedef struct http_line http_line;

/* Gives a connection, http_close() takes it back. NULL: `why` says why not. The place
 * is borrowed for as long as it lives. */
http_line *http_open(const http_place *to, char why[static HTTP_WHY_MAX]);
void http_close(http_line *l);

/* Sends a request; `path` stands behind the place's base, `headers` is whole lines
 * with their ends, or "". False: the connection is over. */
bool http_send(http_line *l, const char *method, const char *path, const char *headers, slice body);

typedef struct http_answer {
    int code;
    uint64_t bytes; /* of the body, which is read next */
    bool closes;    /* the connection is good for nothing more then */
} http_answer;

/* Hears the head of the answer. False: the connection is over, or it is no HTTP. */
bool http_hear(http_line *l, http_answer *out);

/* Reads what is left of the body, up to `len` bytes: how many, 0 at its end; below
 * zero: it breaks off. */
long http_read(http_line *l, char *to, size_t len);

/* All of the body, into an emptied text. False: it breaks off, or has more than `most`. */
bool http_read_all(http_line *l, text *to, size_t most);

#endif
