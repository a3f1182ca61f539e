/* relay.h - the heart of brasa: bytes in, effects out.
 *
 * A relay holds peers (connections), what they asked for, and a graph behind a
 * table. It is fed text frames and told the time; it answers by filling the
 * outboxes of peers. It opens no socket, reads no clock, rolls no dice: the
 * server runs it over libwebsockets and radisk, the simulator runs the same
 * code over a network, a disk and a clock that a seed drives.
 *
 *   relay_join -> relay_hear* -> relay_leave       for every connection
 *   relay_turn                                     once per turn of the loop
 *   relay_ready, relay_next/relay_sent             to drain what there is to send
 *
 * A turn of the loop is: hear what arrived, relay_turn(), drain the peers that
 * relay_ready() names, let the store sync. Between the calls the relay does
 * nothing, so the order of effects is the order of calls, and the same calls
 * with the same times and seed give the same bytes.
 *
 * What a peer can cost is bounded by relay_limits, every bound is counted in
 * relay_counts, and crossing one costs the peer that crossed it. Bad input is
 * an ordinary case: it is answered, and the connection lives.
 */
#ifndef CORE_RELAY_H
#define CORE_RELAY_H

#include "core/check.h"
#include "core/graph.h"
#include "core/guard.h"

typedef struct relay relay;
typedef struct relay_peer relay_peer;

typedef struct relay_limits {
    /* one message */
    size_t message_bytes_max; /* a frame, and so a message and a value */
    size_t name_bytes_max;    /* a soul or a key */
    size_t id_bytes_max;
    uint32_t put_keys_max;   /* keys in one put */
    uint32_t put_slice_keys; /* keys judged per turn; a larger put is suspended between turns */
    unsigned depth_max;      /* nesting of a message */
    /* one connection */
    size_t outbox_bytes_max; /* unsent: past it live updates melt into marks, and
                                a peer whose control lane is past it is not read */
    uint32_t marks_max;      /* melted keys, past which they melt into souls */
    uint32_t answers_max;    /* gets waiting to be answered: past it the peer is not read */
    uint32_t interests_max;  /* subscriptions; the longest untouched makes room */
    uint32_t held_max;       /* writes from the future */
    uint32_t ahead_messages; /* heard behind one that is being verified; then it is not read */
    size_t ahead_bytes;      /* of memory for them */
    double future_ms_max;    /* how far ahead a client's write may be */
    int64_t stalled_ms_max;  /* closed when it took no byte for so long and something waited */
    /* answers */
    size_t answer_bytes;   /* text of one message; larger nodes take several */
    size_t snapshot_bytes; /* up to here a node is answered at once, above it is walked */
    size_t fragment_bytes; /* of a walk, per frame fragment */
    uint32_t lex_keys_max; /* keys in a lexical answer */
    uint32_t lex_souls_max;
    /* asking others on a miss */
    uint32_t miss_peers_max; /* a miss */
    uint32_t miss_per_turn;  /* peers asked per miss_turn_ms */
    int64_t miss_turn_ms;
    uint32_t miss_rate, miss_burst; /* misses a second, per asker */
    uint32_t asked_rate;            /* asks a second, per client asked */
    uint32_t asked_rate_all;        /* asks a second, in all */
    int64_t miss_quiet_ms;          /* what nobody had is not asked again for so long */
    uint32_t misses_max;            /* under way or remembered */
    /* asking back */
    uint32_t back_rate, back_burst; /* asks a second, per connection */
    uint32_t back_large_rate;       /* asks a second in all for nodes above 8 keys */
    /* in all */
    size_t walk_bytes_max;      /* buffers of walks */
    size_t suspended_bytes_max; /* memory of suspended messages, and of their checks */
    size_t fleeting_bytes_max;  /* memory-only souls */
    uint64_t hashed_bytes_max;  /* kept under hash souls, written without a token; 0: no bound */
    uint32_t interests_total;
    uint32_t keepsakes_max, keepsake_rows_max, keepsake_rows_total;
    int64_t keepsake_ms;
    uint32_t routes;
    int64_t route_ms;
} relay_limits;

/* The defaults of design section 5. */
relay_limits relay_default_limits(void);

#define RELAY_COUNT_LIST(X)                                                                        \
    X(frames_in, "text frames heard")                                                              \
    X(messages_in, "messages heard")                                                               \
    X(bytes_in, "bytes of text heard")                                                             \
    X(messages_out, "messages given out")                                                          \
    X(bytes_out, "bytes of text given out")                                                        \
    X(puts, "puts judged")                                                                         \
    X(puts_ok, "puts acknowledged")                                                                \
    X(puts_refused, "puts answered with err")                                                      \
    X(keys_taken, "keys that HAM took")                                                            \
    X(keys_same, "keys that were known already")                                                   \
    X(keys_stale, "keys that lost against what is kept")                                           \
    X(keys_held, "keys from the future, held")                                                     \
    X(keys_released, "held keys that came due")                                                    \
    X(keys_expired, "keys older than their soul's <?N")                                            \
    X(keys_dropped, "bad keys dropped from answers")                                               \
    X(keys_checked, "keys whose signature or hash was verified")                                   \
    X(keys_unwanted, "keys refused by the write mode or its quota")                                \
    X(keys_forged, "keys refused by signature, certificate, hash or alias")                        \
    X(gets, "gets heard")                                                                          \
    X(gets_found, "gets answered with data")                                                       \
    X(gets_missed, "gets answered with not-found")                                                 \
    X(updates, "live updates queued, one per peer")                                                \
    X(updates_melted, "live updates turned into marks")                                            \
    X(walks, "answers too large for a snapshot")                                                   \
    X(misses_asked, "misses passed on")                                                            \
    X(misses_quiet, "misses not passed on: asked in vain lately")                                  \
    X(misses_limited, "misses not passed on: budget")                                              \
    X(asks_out, "gets sent to peers because of a miss")                                            \
    X(backs_out, "gets sent to peers to bring their edits up")                                     \
    X(backs_owed, "of those, delayed by their budget")                                             \
    X(answers_in, "answers with data heard from peers")                                            \
    X(calls_routed, "ok objects passed to whom they answer")                                       \
    X(calls_dropped, "ok objects dropped: their peer reads nothing")                               \
    X(acks_ended, "acks of peers counted and not passed on")                                       \
    X(bad_json, "frames that are no JSON")                                                         \
    X(bad_message, "messages refused")                                                             \
    X(too_big, "messages over a size limit")                                                       \
    X(future_refused, "writes too far ahead")                                                      \
    X(store_refused, "puts the store did not admit or failed")                                     \
    X(suspended, "times a frame or a message was left for later turns")                                         \
    X(paused, "times a peer was not read because of a limit")                                      \
    X(stalled, "peers closed because they took no byte")                                           \
    X(acks_delayed, "acks and the like that waited behind a large message")

typedef struct relay_counts {
#define X(name, text) uint64_t name;
    RELAY_COUNT_LIST(X)
#undef X
} relay_counts;

/* Hears what was taken, sorted as it is told; all is lent for the call. */
typedef void relay_news(void *context, const graph_write *const *writes, size_t count);

/* Who may bring more content hashes, and who relies on those that are here. `owner` is
 * that of the peer, as relay_owner() has it. */
typedef struct relay_uploads {
    /* Why this may not be kept: static, begins with a stable word; NULL: it may. Of what
     * is signed or has a hash, from peers without a token. */
    const char *(*refuses)(void *context, void *owner, const graph_write *write);
    /* A peer brought this content hash, which was taken, or was here; it will be told so. */
    void (*met)(void *context, void *owner, const graph_write *write, bool taken);
    void *context;
} relay_uploads;

typedef struct relay_options {
    relay_limits limits;
    graph *store;                 /* borrowed, outlives the relay */
    graph *ours;                  /* borrowed: answers for souls "brasa/..." (policy.h), and is
                                     only read: what is put there is refused, what is not there
                                     is asked of nobody. NULL: these souls are like others */
    relay_news *news;             /* NULL: nobody wants to know */
    void *news_context;
    const sea_crypto *crypto;     /* borrowed: for checks when there is no pool */
    check_pool pool;              /* where checks go; zeroed: they are run at once */
    guard *guard;                 /* borrowed: who may write what; NULL: everybody, everything */
    uint64_t (*hashed_bytes)(void *context); /* kept under hash souls, for the quota; NULL: none */
    void *hashed_context;
    relay_uploads uploads;        /* zeroed: nobody wants to know */
    uint8_t secret[16];           /* random: keys every table that peers fill, and makes ids */
    slice pid;                    /* who we are in dam:"?"; copied */
    const slice *memory_prefixes; /* souls kept in memory only, besides "/RTC/"; copied */
    size_t memory_prefix_count;
    bool list_souls; /* answers get {"#":{"*":""}}, the list of everything */
} relay_options;

/* Gives; relay_free() takes back, with peers still joined. No check may be running
 * any more then; those that are out are freed, too. STATUS_NO_MEMORY. */
MUST_USE status relay_new(relay **out, const relay_options *options);
void relay_free(relay *r);

/* A connection begins: the greeting is queued. `owner` is handed back by
 * relay_owner(). Gives a peer; relay_leave() takes it back. STATUS_NO_MEMORY. */
MUST_USE status relay_join(relay *r, relay_peer **out, void *owner, moment now);
void relay_leave(relay *r, relay_peer *p, moment now);
void *relay_owner(const relay_peer *p);

/* From now on this peer may write what is not signed, in any mode: it has shown a
 * token. */
void relay_trust(relay_peer *p);

/* Hears one whole text frame, borrowed; returns the number of messages in it,
 * for whoever meters them. Not to be called while !relay_reading(p). */
size_t relay_hear(relay *r, relay_peer *p, slice frame, moment now);

/* Says dam:"!" with this text to a peer: for what never becomes a frame here
 * (binary, over the size limit). `why` begins with a stable word. */
void relay_scold(relay *r, relay_peer *p, slice why, moment now);

/* Writes what the owner of the relay was given by another way than a peer, genuine
 * already and not from the future: judged, kept and told like a put. The writes are
 * borrowed; the ticket says when they are safe. Results of graph.merge(). */
MUST_USE status relay_write(relay *r, graph_write *writes, size_t count, moment now,
                            graph_ticket *ticket);

/* Tells whoever asked for it what has changed in `ours`. The writes are borrowed,
 * sorted by soul and key. */
void relay_tell(relay *r, const graph_write *const *writes, size_t count, moment now);

/* Whether somebody hears of changes of this key, or of all of the soul. */
bool relay_is_wanted(const relay *r, slice soul, slice key);

/* A check is back from the pool, run. To be called before relay_turn(). */
void relay_checked(relay *r, check *c, moment now);

/* Whether to read on from this peer. While false, keep what has arrived. */
bool relay_reading(const relay_peer *p);

/* The work of one turn: acks whose writes are safe, writes come due, suspended
 * puts, budgets. Call it once per turn and when relay_due_ms() is reached. */
void relay_turn(relay *r, moment now);

/* Steady time of the next thing to do without being fed, INT64_MAX if none. */
int64_t relay_due_ms(const relay *r, moment now);

/* Takes the next peer off the list of those with something new: output,
 * relay_reading() or relay_closing() may have changed. NULL when none is left.
 * A peer is listed again when there is more news after it was taken. */
relay_peer *relay_ready(relay *r);

/* Set when the relay wants a peer closed: a WebSocket code, 0 otherwise. The
 * owner closes it and calls relay_leave(). */
int relay_closing(const relay_peer *p);

/* What to put on the wire next: all of a text message, or a piece of one. */
typedef struct relay_piece {
    char *at; /* RELAY_HEADROOM bytes before it may be written over */
    size_t len;
    bool first, last; /* of the message (or batch); both for a whole one */
} relay_piece;

/* Room for a transport's frame header in front of each piece. */
enum { RELAY_HEADROOM = 32 };

/* Lends the next piece until relay_sent() or until the peer leaves; false when
 * there is nothing. Once a piece with !last was given, the following ones belong
 * to the same message. Small messages are gathered into one batch `[...]`. */
bool relay_next(relay *r, relay_peer *p, relay_piece *out, moment now);
void relay_sent(relay *r, relay_peer *p, moment now);

/* Whether relay_next() may have something. */
bool relay_has_output(const relay_peer *p);

const relay_counts *relay_count(const relay *r);

typedef struct relay_gauges {
    uint64_t peers, interests, souls_wanted, keepsakes;
    uint64_t outbox_bytes, walk_bytes, suspended_bytes;
    uint64_t acks_waiting, misses, fleeting_rows, fleeting_bytes;
    uint64_t peers_melted; /* peers whose updates are marks right now */
} relay_gauges;
void relay_measure(const relay *r, relay_gauges *out);

#endif
