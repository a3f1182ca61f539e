/* message.h - wire text to message: what a peer said, checked and unpacked.
 *
 * One message is one JSON object (protocol.md section 2). Reading it separates
 * three things that must not be confused: text that is no message at all
 * (STATUS_MALFORMED, with a reason), a message whose put holds bad keys (read
 * on: the caller refuses an author's put whole, and takes the good keys of an
 * answer), and one that is fine. All memory is the arena's, and everything
 * lends from the text.
 *
 * The writes of a put are sorted by soul, then key, in JavaScript's order: that
 * finds a key said twice, and it is the order in which they are printed again.
 */
#ifndef CORE_MESSAGE_H
#define CORE_MESSAGE_H

#include "core/graph.h"

typedef struct message_limits {
    size_t name_bytes_max, id_bytes_max;
    uint32_t put_keys_max;
    unsigned depth_max;
    size_t tokens_max;
} message_limits;

typedef enum message_get {
    GET_NONE,    /* no get in it */
    GET_NOTHING, /* {"get":{}}: answered with a bare not-found */
    GET_NODE,    /* all keys of a soul, or those of a query */
    GET_KEY,
    GET_SOULS, /* souls of a query, with all their keys */
} message_get;

/* Why something was refused: a text that begins with a stable word, and the
 * name it is about (empty if none). */
typedef struct message_fault {
    const char *why;
    slice soul, key;
} message_fault;

/* Of a token; a longer one is none. */
enum { MESSAGE_TOKEN_MAX = 256 };

typedef struct message {
    size_t bytes; /* of its text */
    slice id;     /* "#"; empty when missing */
    slice at;     /* "@"; empty when missing */

    /* What apps put into headers.token to show that they may write (guard.h), UTF-8;
     * empty when missing. Like whatever is not named here, it is never passed on. */
    slice token;

    slice dam, pid; /* control; empty when missing */
    bool has_nts, nts_asks;
    slice nts; /* nts_asks: raw text of the asker's first reading, empty for `true` */

    bool has_ok, has_err;
    slice ok; /* raw text of an `ok` that is an object; else empty */

    message_get get;
    slice soul, key; /* GET_NODE, GET_KEY */
    bool has_range;  /* GET_NODE, GET_SOULS: a query was given */
    lex_range range;
    bool lists_all;   /* GET_SOULS: the query names nothing */
    double limit;     /* "%" of a get, in units; 0 for none */
    slice query_text; /* has_range: the query as it was sent, to pass it on */
    bool has_hash;
    double hash; /* "##" */

    bool has_put;
    graph_write *writes;
    size_t write_count;
    size_t bad_count;  /* keys or nodes left out of writes */
    message_fault bad; /* the first of them */
} message;

/* Reads the message at token 0 of `text`, which is one JSON value. On
 * STATUS_MALFORMED and STATUS_TOO_BIG fault->why says why, and out->id is set
 * if it could be read. STATUS_NO_MEMORY. */
MUST_USE status message_read(message *out, arena *a, slice text, const message_limits *limits,
                             message_fault *fault);

/* Like message_read() for text that is read already. */
MUST_USE status message_unpack(message *out, arena *a, const json *j, const message_limits *limits,
                               message_fault *fault);

#endif
