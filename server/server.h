/* server.h - everything that one running server owns.
 *
 * State hangs from here; there are no globals, so that a process may one day
 * hold two. The parts know each other by this struct: the listener makes visitors
 * of accepted sockets, the transport turns libwebsockets' callbacks into calls
 * of session and http, the loop turns, and the turn is where work is done.
 *
 *   listener -> visitor -> transport -> session <-> core/relay <-> radisk
 *                                    -> http
 *
 * One thread, but for radisk's own two, those of verify.h and admin.h, and libev's
 * wake-up.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "core/guard.h"
#include "core/relay.h"
#include "radisk/radisk.h"
#include "server/audio.h"
#include "server/crypto.h"
#include "server/gate.h"
#include "server/log.h"
#include "server/options.h"
#include "server/unread.h"
#include "server/verify.h"

#include <ev.h>
#include <libwebsockets.h>
#include <sys/queue.h>

#define BRASA_VERSION "0.1.0"

typedef struct server server;
typedef struct session session;
typedef struct http_answer http_answer;
typedef struct audio_stream audio_stream;
typedef struct upload_http upload_http;
typedef struct have have;
typedef struct assets assets;
typedef struct listener listener;
typedef struct admin admin;

/* Of a handshake: modes.h says where it may stand. */
typedef enum token_shown { TOKEN_NONE, TOKEN_KNOWN, TOKEN_WRONG } token_shown;

/* One accepted socket, from accept to close, whatever it turns out to speak. */
typedef struct visitor {
    server *server;
    address from;        /* of the socket */
    bool exempt;         /* loopback or a trusted proxy */
    listen_kind kind;    /* of the listener it came by */
    gate_person *person; /* NULL when exempt */
    gate_person *client; /* found in the handshake, until the session takes it */
    bool met;
    token_shown token;   /* likewise */
    session *session;    /* once it speaks WebSocket */
    http_answer *answer; /* while one is being written */
    audio_stream *stream; /* likewise, of audio */
    upload_http *upload;  /* while one is being taken */
    unread unread;
    bool is_blocked;     /* its socket took no more HTTP */
    struct lws *blocked_wsi;
    TAILQ_ENTRY(visitor) blocked;
} visitor;

/* What the server itself counts; relay_counts has the rest. */
#define SERVER_COUNT_LIST(X)                                                                       \
    X(accepted, "sockets accepted")                                                                \
    X(accept_failed, "sockets that could not be accepted")                                         \
    X(turned_away, "sockets closed because one address had too many")                              \
    X(opened, "WebSocket connections opened")                                                      \
    X(refused_origin, "handshakes refused by --origin")                                            \
    X(refused_handshake, "handshakes refused for their path or form")                              \
    X(tokens_known, "connections that showed a token that is known here")                          \
    X(tokens_wrong, "connections that showed one that is not")                                     \
    X(told_busy, "connections told to wait for a place")                                           \
    X(closed_busy, "connections closed because too many waited already")                           \
    X(closed_silent, "connections hung up because nothing came, not even a pong")                  \
    X(closed_by_relay, "connections that the relay wanted closed")                                 \
    X(frames_too_big, "messages over --max-message")                                               \
    X(binary, "binary messages")                                                                   \
    X(crowded_out, "messages dropped because too many arrived in pieces")                          \
    X(slowed, "times a connection was read slower because of its rate")                            \
    X(pings, "pings sent")                                                                         \
    X(admin_busy, "tools refused at admin.sock because too many asked at once")                    \
    X(http_requests, "HTTP requests answered")                                                     \
    X(http_errors, "of them, with a status of 400 and more")                                       \
    X(audio_responses, "tracks and previews, or parts of them, that began to be sent")             \
    X(audio_ranges, "of them, parts")                                                              \
    X(audio_bytes, "of audio sent")                                                                \
    X(audio_aborted, "of them, those that ended early, by whichever side")                         \
    X(audio_stalled, "of these, those whose listener took nothing any more")                       \
    X(audio_crowded, "listeners told to come again because too many listened")                     \
    X(uploads, "files, manifests and chunks uploaded")                                            \
    X(upload_bytes, "of them, heard")                                                              \
    X(uploads_refused, "uploads answered with a status of 400 and more")                           \
    X(uploads_broken, "uploads that their client broke off")                                       \
    X(uploads_silent, "uploads cut because nothing came")                                          \
    X(uploads_crowded, "uploaders told to come again because too many uploaded")                   \
    X(tls_reloads, "certificates loaded anew")                                                     \
    X(tls_failures, "certificates that could not be loaded anew")

typedef struct server_counts {
#define X(name, text) uint64_t name;
    SERVER_COUNT_LIST(X)
#undef X
} server_counts;

TAILQ_HEAD(session_list, session);
TAILQ_HEAD(visitor_list, visitor);
TAILQ_HEAD(stream_list, audio_stream);
TAILQ_HEAD(upload_list, upload_http);
LIST_HEAD(session_ring, session);

enum { WHEEL_SLOTS = 256 };

struct server {
    const options *options;
    server_limits limits; /* those of the options, lowered to what the system allows */
    log log;
    moment now; /* of this turn */
    moment started;
    uint8_t secret[16];

    struct ev_loop *loop;
    struct lws_context *context;
    struct lws_vhost *vhost;
    lws_sorted_usec_list_t keep_time; /* transport.c says why */
    struct ssl_ctx_st *tls;           /* of the vhost, libwebsockets' */
    struct ssl_ctx_st *tls_files;     /* ours: the certificate in use */
    ev_prepare turn;
    ev_check woke;
    ev_timer due, tick;
    unsigned ticks;
    ev_async committed;
    ev_signal on_term, on_int, on_hup;

    radisk *store;
    admin *admin; /* NULL when admin.sock could not be made */
    crypto *crypto;
    verify *verify;
    relay *relay;
    guard *guard;
    bool token_in_words, token_readable; /* what the operator is warned of */
    gate *gate;
    assets *assets;
    listener *listeners[OPTIONS_LISTEN_MAX];
    size_t listener_count;

    /* sessions, by what is to be done with them */
    struct session_ring wheel[WHEEL_SLOTS]; /* all of them, by when their heartbeat is due */
    unsigned wheel_at;
    double wheel_ms;
    struct session_list waiting;    /* for a place */
    struct session_list slowed;     /* not read because of a rate or for want of memory */
    struct session_list assembling; /* hold part of a message */
    struct session_list graves;     /* gone: buried at the end of the turn */

    struct visitor_list blocked; /* who does not read what HTTP answers */

    audio *audio;
    have *have;
    struct stream_list streams, streams_ready; /* audio_stream.h */
    uint32_t stream_count;
    size_t answer_bytes; /* made for answers that are not sent yet */
    struct upload_list uploads; /* upload_http.h */
    uint32_t upload_count;      /* of them, those that take bytes */
    size_t uploads_heard;       /* bytes of theirs, in this turn */

    uint32_t sockets, sessions, waiting_count;
    size_t assembling_bytes;
    server_counts counts;

    char pid[10];
    char subprotocol[64]; /* the name being agreed on: transport.c says why it is here */
    bool ready;           /* the store is open */
    bool writable;        /* what /health said last, to log a change */
    bool stopping;
    int64_t stop_ms; /* when it was asked to */
    bool closing_all;
    int64_t closing_ms; /* when they were told */
    int64_t pressed_ms; /* not before then is audio collected for want of room (quota.h) */
    bool proxy_unknown; /* somebody forwards and is not trusted: said once */
};

#endif
