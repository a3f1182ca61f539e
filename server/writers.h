/* writers.h - the keys and tokens that the operator names, read from words and files.
 *
 * --allow takes a public key, or a file with one a line: what stands behind a "#"
 * is for the reader, empty lines are nothing. --write-token takes a token, or "@"
 * and a file with one a line, so that it need not stand on a command line, where
 * every user of the machine can read it. Nothing is guessed at: a line that is no
 * key ends the reading, with a sentence that names it. A sentence never holds a
 * token.
 */
#ifndef SERVER_WRITERS_H
#define SERVER_WRITERS_H

#include "server/options.h"

enum { WRITERS_TOKEN_MIN = 8 };

typedef struct writers_list {
    slice *at;
    size_t count, room;
} writers_list;

typedef struct writers {
    writers_list keys, tokens; /* lent from the options' words and from `files` */
    struct {
        char *at;
        size_t len;
    } files[2 * OPTIONS_LIST_MAX];
    size_t file_count;
    bool token_in_words; /* one stands on the command line */
    bool token_readable; /* a file of tokens can be read by others */
} writers;

/* Gives; writers_free() takes back. False: `why` says what is wrong, and there is
 * nothing to give back. */
bool writers_read(writers *out, const options *o, char why[OPTIONS_WHY_MAX]);

/* Wipes what was read from files. */
void writers_free(writers *a);

#endif
