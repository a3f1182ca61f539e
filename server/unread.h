/* unread.h - whether a request was read after the one before it had ended.
 *
 * A client may send requests ahead of their answers. What libwebsockets 4.1.6 has
 * read of them it puts on a list, and takes the next request from there. When that
 * one has a body, it begins to take the body from the front of the list, where the
 * request itself still stands: the request is heard as its own body, memory is used
 * after it was freed, or the loop never ends (server.c, the end of
 * lws_http_action()). It does not tell whether the list is empty.
 *
 * The kernel does tell how many bytes were taken from a connection. The list is read
 * to its end before more is, so a request for which bytes were taken since the last
 * one ended began on an empty list. Nothing else may have a body.
 */
#ifndef SERVER_UNREAD_H
#define SERVER_UNREAD_H

#include <stdbool.h>
#include <stdint.h>

typedef struct unread {
    bool is_known;  /* something was noted already */
    uint64_t taken; /* bytes, by then */
} unread;

/* A connection begins. */
void unread_begin(int fd);

/* A request begins: notes it, and says whether it may have a body. */
bool unread_note(unread *u, int fd);

/* The body of a request has ended. */
void unread_note_end(unread *u, int fd);

#endif
