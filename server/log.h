/* log.h - one line on stdout for each event that an operator would act on.
 *
 * Never a value, a soul or anything else a peer has sent. A peer can cause some
 * of these lines, so each kind may say a few in a while; what is more is counted
 * and said as "N similar". What only
 * the operator can cause is not limited.
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include "core/moment.h"

#include <stdbool.h>
#include <stdio.h>

typedef enum log_kind {
    LOG_LIFE,    /* starting, listening, stopping: never limited */
    LOG_REFUSED, /* a handshake that was not let in */
    LOG_BUSY,    /* a limit on connections was met */
    LOG_CLOSED,  /* a connection that we ended */
    LOG_DROPPED, /* a message that was not heard */
    LOG_STORE,   /* writes became impossible, or possible again */
    LOG_TLS,     /* a renewal: never limited */
    LOG_SOCKET,  /* the kernel refused something */
    LOG_KINDS,
} log_kind;

enum { LOG_LINES_MAX = 5, LOG_WINDOW_MS = 10000 };

typedef struct log {
    FILE *to; /* borrowed */
    struct {
        int64_t began_ms;
        unsigned said;
        uint64_t unsaid;
    } kinds[LOG_KINDS];
} log;

/* Says a line: a time, then what is written. A newline is added. */
void log_say(log *l, log_kind kind, moment now, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Says a line as it is, for those that programs read. */
void log_plain(log *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* To be called now and then: says how many lines were left out. */
void log_tick(log *l, moment now);

#endif
