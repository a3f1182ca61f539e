/* status.h - every way in which a call can end. Results must be used.
 *
 * status_text() is for logs; what a peer is told begins with a stable word and
 * is written where it is said (docs/protocol.md lists those words).
 */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#define STATUS_LIST(X)                                        \
    X(OK, "ok")                                               \
    X(NOT_FOUND, "not found")                                 \
    X(NO_MEMORY, "out of memory")                             \
    X(NO_SPACE, "no space left on the disk or in the map")    \
    X(MALFORMED, "not valid")                                 \
    X(TOO_BIG, "a limit was exceeded")                        \
    X(BUSY, "busy, try again")                                \
    X(IO, "the disk failed")                                  \
    X(CORRUPT, "stored data is damaged")                      \
    X(WRONG_FORMAT, "the store has another format")           \
    X(LOCKED, "another process uses the store")

typedef enum status {
#define X(name, text) STATUS_##name,
    STATUS_LIST(X)
#undef X
} status;

const char *status_text(status s);

#define MUST_USE __attribute__((warn_unused_result))

#endif
