/* options.h - the command line, read once.
 *
 * Every option stands in one table in options.c with its help, and --help prints
 * that table, so neither can lack what the other has. A wrong option is never
 * guessed at: it is explained, and nothing starts. Limits that have no option of
 * their own are set by --limit NAME=VALUE, which knows every one of them.
 */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include "core/guard.h"
#include "core/relay.h"
#include "radisk/radisk.h"
#include "server/address.h"
#include "server/audio.h"
#include "server/crypto.h"
#include "server/pace.h"

#include <stdio.h>

enum {
    OPTIONS_LISTEN_MAX = 16,
    OPTIONS_LIST_MAX = 64,
    OPTIONS_WHY_MAX = 512,
};

typedef enum listen_kind { LISTEN_PLAIN, LISTEN_TLS, LISTEN_ADMIN } listen_kind;

typedef struct listen_at {
    listen_kind kind;
    address host;
    uint16_t port; /* 0: any that is free */
} listen_at;

/* What connections may cost; relay_limits has what messages may. */
typedef struct server_limits {
    uint32_t connections_max; /* open at once; lowered to what the system allows */
    uint32_t per_address_max; /* of them, from one address */
    uint32_t waiting_max;     /* told "busy:" and not read until a place is free */
    uint32_t pages_max;       /* sockets besides: pages, and who is told that all is full */
    pace_rule messages;       /* heard, a second, on one connection */
    pace_rule bytes;
    double address_share;        /* an address may do so many times what a connection may */
    size_t assembling_bytes_max; /* of messages that have not arrived whole, in all */
    int64_t heartbeat_ms;        /* `[]` and a ping */
    uint32_t audio_streams_max;  /* tracks that are being sent */
    size_t answer_bytes_max;     /* of chunks and manifests that are being sent, copied */
    int64_t audio_stalled_ms;    /* cut when their listener takes nothing for so long */
    int64_t audio_pause_ms;      /* likewise, when it keeps the loop awake meanwhile */
    uint32_t uploads_max;        /* at once */
    uint32_t uploads_per_address;
    int64_t upload_silent_ms; /* cut when not even 4 KB came for so long */
    int64_t silent_ms;        /* hung up when nothing came for so long, not even a pong */
} server_limits;

typedef struct options {
    listen_at listen[OPTIONS_LISTEN_MAX];
    size_t listen_count;
    const char *data, *assets; /* assets: NULL for the default place */
    const char *tls_cert, *tls_key;
    const char *origins[OPTIONS_LIST_MAX];
    size_t origin_count;
    address_range trusted[OPTIONS_LIST_MAX];
    size_t trusted_count;
    slice memory[OPTIONS_LIST_MAX];
    size_t memory_count;
    bool list_souls;
    guard_mode write;
    const char *allow[OPTIONS_LIST_MAX]; /* keys, or files of them: writers.h reads them */
    size_t allow_count;
    const char *tokens[OPTIONS_LIST_MAX]; /* or "@" and a file of them */
    size_t token_count;
    size_t hash_bytes;       /* of values under content hashes, in all; 0: no bound */
    size_t uploader_bytes;   /* of audio, charged to one key or address; 0: no bound */
    uint32_t verify_threads; /* that check signatures; 0: one less than processors */
    crypto_limits crypto;
    audio_limits audio;
    radisk_limits store;
    server_limits server;
    relay_limits relay;
} options;

typedef enum options_wish {
    OPTIONS_SERVE,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_WRONG
} options_wish;

/* Reads the command line. `port` is what PORT holds in the environment, or NULL.
 * What is read points into `words`. OPTIONS_WRONG: `why` says what to do. */
options_wish options_read(options *o, int count, char **words, const char *port,
                          char why[OPTIONS_WHY_MAX]);

void options_help(FILE *to);

/* Whether an Origin header is let in by the patterns; `*` stands for any text. */
bool options_origin_allowed(const options *o, const char *origin, size_t len);

#endif
