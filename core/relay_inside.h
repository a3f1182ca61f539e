/* relay_inside.h - what the files of the relay share, and nobody else sees.
 *
 *   relay.c         life of relays and peers, the turn
 *   relay_limits.c  the bounds by default, and budgets
 *   relay_hear.c    frames to messages
 *   relay_wait.c    messages that wait for their turn
 *   relay_check.c   whether its author may write it
 *   relay_admit.c   what is not even judged
 *   relay_put.c     judging, holding, telling who lost
 *   relay_ack.c     an author's answer, when it is true
 *   relay_deliver.c who hears of a change
 *   relay_answer.c  gets: snapshots and walks
 *   relay_ask.c     asking peers: on a miss, and back for their edits
 *   relay_say.c     the small messages, and what leaves next
 *
 * Peers refer to each other by number, never by pointer: a number is not used
 * again, so whoever keeps one learns that its peer has left.
 */
#ifndef CORE_RELAY_INSIDE_H
#define CORE_RELAY_INSIDE_H

#include "core/check.h"
#include "core/graph_memory.h"
#include "core/interest.h"
#include "core/message.h"
#include "core/outbox.h"
#include "core/policy.h"
#include "core/relay.h"
#include "core/route.h"

/* Tokens that refill with time; zeroed, it is full at first use. */
typedef struct bucket {
    double spent;
    int64_t at_ms;
} bucket;

/* Takes one token of `burst`, `rate` of them coming back a second. */
bool bucket_take(bucket *b, double rate, double burst, int64_t now_ms);
/* When the next token will be there. */
int64_t bucket_due_ms(const bucket *b, double rate, double burst, int64_t now_ms);

/* Numbers of peers that something is to be done for. */
typedef struct roster {
    uint64_t *at;
    size_t count, room;
} roster;

bool roster_add(roster *l, uint64_t number); /* false: no memory */

/* A get on its way to its answer: names follow it in memory. */
typedef struct ask ask;
struct ask {
    ask *next;
    message_get kind;
    slice at;              /* the asker's id; empty for a melted soul's changes */
    slice soul, key;       /* key: GET_KEY */
    lex_range range;       /* GET_NODE, GET_SOULS */
    bool has_range, quiet; /* quiet: on a miss, others are not asked */
    bool chunks;           /* of a soul of content hashes: answered after all others */
    slice query;           /* has_range: to pass it on */
    double limit;          /* units, 0 for none */
    size_t bytes;
};

typedef struct ask_queue {
    ask *first, *last;
} ask_queue;

typedef struct walk walk;
typedef struct waiting waiting;
typedef struct rest rest;
typedef struct miss miss;

struct relay_peer {
    relay *relay;
    void *owner;
    uint64_t number;
    relay_peer *ready_next;
    interest_holder interest;
    lane control, live, answers, misses, chunks;
    marks *marks;
    ask_queue wanted, wanted_chunks;
    uint32_t asks;
    uint32_t live_run; /* frames of changes since an answer had its turn */
    size_t ask_bytes;
    walk *walk;
    frame *lent;       /* given out by relay_next() or, while lent_at > 0, partly */
    char *lent_copy;   /* a piece of a frame that others share */
    size_t lent_at;    /* bytes of `lent` given out, when it goes in pieces */
    size_t lent_bytes; /* of the piece */
    waiting *first_waiting, *last_waiting;
    uint32_t waiting_count;
    size_t waiting_bytes;
    rest *rest; /* of a batch */
    char *pid;
    size_t pid_len;
    bucket back, missing, asked;
    uint32_t held;
    size_t held_bytes;
    double held_until;
    int64_t waited_since; /* since when the oldest output waits */
    uint64_t stamp;       /* the last delivery that met this peer */
    int closing;
    bool is_ready, is_lent, paused, owing, owes_large, starving, greeted, due, trusted;
};

/* Who wrote what is held, so that it is not told its own write when that comes
 * due. A slot may be taken over by another write: then its author is told. */
typedef struct held_author {
    uint64_t hash, peer;
} held_author;

enum { RELAY_HELD_AUTHORS = 8192 };

typedef struct pending pending; /* acks waiting for one batch */

struct relay {
    relay_limits limits;
    graph *store;
    graph_memory *memory;
    graph *fleeting;
    graph *ours;
    relay_news *news;
    void *news_context;
    policy policy;
    char *policy_text;
    bool list_souls;
    uint8_t secret[16];
    char *pid;
    size_t pid_len;
    uint64_t ids; /* made so far */
    interest *interest;
    route *route;
    relay_peer **slots;
    uint32_t slot_count, slot_room, free_slot; /* free slots are searched from here */
    uint32_t generation;
    uint64_t peers;
    relay_peer *ready_first, *ready_last;
    arena arena;
    text line, values, states; /* scratch; idle between calls */
    pending *pending;
    uint64_t pending_acks;
    held_author *held_authors; /* RELAY_HELD_AUTHORS */
    const sea_crypto *crypto;
    check_pool pool;
    guard *guard;
    bool learns; /* the mode is closed */
    uint64_t (*hashed_bytes)(void *context);
    void *hashed_context;
    relay_uploads uploads;
    check *checks;        /* that are out */
    waiting *orphans;     /* their peer has left, their checks are out */
    roster due, starving, owing; /* due: has something to go on with */
    int64_t due_ms;
    int64_t due_again_ms;       /* held writes: not before */
    miss *misses, *misses_last; /* oldest first */
    miss *misses_asking;        /* those under way */
    miss **miss_table;
    uint32_t miss_count, miss_buckets, misses_active;
    bucket asked_all, back_large;
    size_t walk_bytes, suspended_bytes, waiting_bytes;
    uint64_t stamp;
    int64_t sweep_at_ms;
    relay_counts counts;
};

/* --- relay.c --- */
relay_peer *relay_find(const relay *r, uint64_t number); /* NULL: it has left */
relay_peer *relay_holder_peer(interest_holder *holder);
void peer_news(relay_peer *p);  /* lists it for relay_ready() */
void peer_weigh(relay_peer *p); /* reads on or stops reading, by what waits */
void peer_close(relay_peer *p, int code);
graph *relay_graph(const relay *r, slice soul);
bool relay_is_ours(const relay *r, slice soul);
message_limits relay_message_limits(const relay *r);

/* --- relay_hear.c --- */
/* Hears a message that was unpacked; false: it has to wait, and nothing was done. */
bool hear_message(relay *r, relay_peer *p, message *m, moment now);
/* What is neither put nor answer; the get of a put, too. */
void hear_plain(relay *r, relay_peer *p, const message *m, moment now);
/* What to answer under when the message came without an id: gun invents one. */
void hear_invent_id(relay *r, arena *a, message *m);
/* Goes on with the rest of a batch. */
void hear_rest(relay *r, relay_peer *p, moment now);
void rest_free(relay_peer *p);

/* --- relay_wait.c --- */

/* What a look at the graph has found of a message's writes: those that are news
 * stay in front, those that lost or were known are set aside, the others are dropped. */
typedef struct looked {
    size_t seen, news, known, lost, expired;
    graph_write *aside; /* their verdicts are HAM_KEEP and HAM_SAME */
    size_t aside_count;
    graph_ticket met; /* of what was known, or lost to */
    bool concerned;   /* some are under a rule: who wrote those that are news is
                         subscribed when they are good, not before */
} looked;

/* Why a write is refused: `exact` in gun's words, which apps compare; else in ours,
 * which are static, and to which the names are added. */
typedef struct refusal {
    slice why, soul, key;
    bool exact;
} refusal;

typedef enum wait_step {
    WAIT_LOOK,  /* its writes are compared with what is kept, in slices */
    WAIT_CHECK, /* checks are out */
    WAIT_APPLY, /* its turn, when those before it are done and the store takes it */
} wait_step;

struct waiting {
    waiting *next, *before; /* before: among orphans */
    relay *relay;
    uint64_t author; /* 0: has left */
    arena arena;
    message m;
    wait_step step;
    looked looked;
    /* relay_check.c: of each of the news */
    uint8_t *marks;
    size_t next_check, refused_count;
    unsigned checks_out;
    atomic_bool unwanted; /* what they say */
    refusal refusal;      /* the first; empty: none */
    bool trusted;    /* its author, or the message itself, has shown a token */
    bool answered;   /* its put was refused before it was judged */
    size_t weight;   /* bytes of memory, as counted */
    size_t len;
    char text[];
};

/* Whether another message may be taken behind those that wait. */
bool wait_has_place(const relay_peer *p);
/* Takes a message that cannot be heard at once, by its JSON, which is borrowed. */
void wait_add(relay *r, relay_peer *p, const json *j, moment now);
void wait_turn(relay *r, moment now);
void wait_due(relay *r, relay_peer *p); /* at the next turn */
void wait_forget(relay_peer *p);
void wait_free_orphans(relay *r);

/* --- relay_check.c --- */
enum { CHECKS_OUT_MAX = 16 }; /* of one message */
/* Whether some write of the message is under a rule. */
bool check_concerns(const relay *r, const relay_peer *p, const message *m);
/* After the look: judges what needs no crypto, and hands out the rest. */
void check_begin(waiting *w, const relay_peer *p, moment now);
bool check_is_over(const waiting *w);
/* Notes what a check has found, and hands out more. */
void check_take(waiting *w, check *c, moment now);
/* Gives back one that is not out any more. */
void check_free(relay *r, check *c);
void check_free_all(relay *r);
/* Leaves the good ones among the news. Once. */
void check_end(waiting *w);

/* --- relay_say.c --- */
enum { RELAY_ID_LEN = 10 };
slice relay_new_id(relay *r, char out[static RELAY_ID_LEN]);
/* Whether a peer's id may be passed on to others. gun.js keeps ids in a plain
 * object: what Object.prototype knows it takes for a duplicate, and "__proto__"
 * spoils every object of the page. Such a message gets an id of ours. */
bool relay_id_travels(slice id);
text *line_begin(relay *r);                             /* the scratch line, emptied */
void line_id(relay *r, text *t);                        /* {"#":"<new>" */
void line_name(text *t, const char *field, slice name); /* ,"field":"name" */
void line_number(text *t, const char *field, double number);
void say(relay_peer *p, const text *line); /* control lane */
void say_ack(relay_peer *p, slice at);
void say_err(relay_peer *p, slice at, const char *why, slice soul, slice key);
/* Exact ones in these words and no others; what it is about stands beside. */
void say_refusal(relay_peer *p, slice at, const refusal *why);
void say_scold(relay_peer *p, const char *why);
void say_not_found(relay_peer *p, lane *to, slice at);
void say_greeting(relay_peer *p, slice at); /* who we are; `at` if it was asked */
/* Writes {"#":id[,"@":at],"put":{...}} of writes sorted by soul and key. */
void print_update(text *t, slice id, slice at, const graph_write *const *writes, size_t count);

/* --- relay_admit.c --- */
/* Whether an author's put may be judged at all; else it was refused. */
bool put_admit(relay *r, relay_peer *p, const message *m, moment now);
/* Drops what lies absurdly far ahead, and what is not theirs; an answer has no
 * single verdict. */
void put_drop_absurd(relay *r, relay_peer *p, message *m, moment now);
size_t put_held_bytes(const graph_write *w); /* what holding it takes */

/* --- relay_put.c --- */
/* All at once, for what is under no rule. False: the store takes nothing more until
 * something has settled, and nothing was done but to subscribe the author. */
bool put_hear(relay *r, relay_peer *p, message *m, moment now);
/* False likewise. */
bool answer_hear(relay *r, relay_peer *p, message *m, moment now);
void put_due(relay *r, moment now);

/* In steps. Looks at put_slice_keys writes at the most; true when it has come to the end. */
bool put_look(relay *r, relay_peer *p, message *m, looked *l, arena *a, moment now);
/* False: the store is busy, as above. */
bool put_apply(relay *r, relay_peer *p, message *m, const looked *l, moment now);
bool answer_apply(relay *r, relay_peer *p, message *m, const looked *l, const refusal *bad,
                  moment now);
void put_subscribe(relay *r, relay_peer *p, const message *m, const graph_write *writes,
                   size_t count, moment now);

/* --- relay_ack.c --- */
/* `ok` when the ticket is safe, perhaps now, or `err` when it has failed. */
void put_ack(relay *r, relay_peer *p, slice id, graph_ticket ticket);
void put_refuse(relay *r, relay_peer *p, slice id, const char *why, slice soul, slice key);
const char *put_failure(status s); /* what an author is told of the store's answer */
void put_settle(relay *r);         /* once a turn */
void put_forget_pending(relay *r);

/* --- relay_deliver.c --- */
typedef struct delivery {
    const graph_write **writes; /* taken by HAM, a soul's together */
    size_t count;
    relay_peer *origin; /* who wrote them, NULL when they came due */
    slice id;           /* of the author's message */
    bool whole;         /* these are all the writes of that message */
    relay_peer *asker;  /* whose get this answers, if any */
    slice asker_id;
} delivery;
void deliver(relay *r, const delivery *d, moment now);

/* --- relay_answer.c --- */
void get_hear(relay *r, relay_peer *p, const message *m, moment now);
bool answer_waits(const relay_peer *p); /* whether there are asks */
/* Answers what waits until there is enough to send, or a walk has begun. False
 * when nothing was done. */
bool answer_next(relay *r, relay_peer *p, moment now);
/* The row that a get of one key asks for: where the soul is "#", also a chunk that
 * is kept under another soul. Lent as graph.look() lends. */
status answer_look(relay *r, slice soul, slice key, graph_row *out);
/* Its data was given: counted, and a key that can never change is unsubscribed. */
void answer_found(relay *r, relay_peer *p, const ask *a);
void asks_free(relay_peer *p);

/* --- relay_walk.c --- */
/* Takes the ask. `large`: more than 8 keys were seen already. */
void walk_begin(relay *r, relay_peer *p, ask *a, bool large, moment now);
/* Sends a whole soul as a change, because too many of its keys had changed. */
void walk_soul(relay *r, relay_peer *p, slice soul, moment now);
/* The next piece; false when the walk has come to its end and is gone. */
bool walk_piece(relay *r, relay_peer *p, relay_piece *out, moment now);
void walk_sent(relay_peer *p);
bool walk_is_of_chunks(const relay_peer *p);
bool walk_within(const relay_peer *p); /* a message has begun and not ended */
void walk_free(relay_peer *p);

/* --- relay_ask.c --- */
typedef enum back_size { BACK_SMALL, BACK_LARGE } back_size;
/* Whether this connection was not yet asked back for the soul, and may be. */
bool back_due(relay *r, relay_peer *p, slice soul);
/* Asks it, into the lane, or owes it the ask when its budget is spent. */
void back_ask(relay *r, relay_peer *p, slice soul, back_size size, const int32_t *hash, lane *out,
              moment now);
void back_turn(relay *r, moment now);
int64_t back_due_ms(const relay *r, moment now);
void miss_ask(relay *r, relay_peer *p, const ask *a, moment now);
void miss_found(relay *r, slice id);
void miss_turn(relay *r, moment now);
int64_t miss_due_ms(const relay *r, moment now);
void miss_free_all(relay *r);

#endif
