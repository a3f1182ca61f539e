/* world.h - one relay, its clients and what lies between them, under a seed.
 *
 *   client.c   how a page with gun.js behaves (relay-rules section 1)
 *   client_answer.c  what it answers
 *   people.c   who signs what
 *   forger.c   what is signed by nobody who may
 *   link.c     connections: ordered, whole until they break; the relay's turns
 *   link_judge.c  what the relay may say, and must
 *   verifier.c where signatures are verified, when the seed says so
 *   chaos.c    what goes wrong and when; healing
 *   check.c    what must be true afterwards
 *   wire.c     text to message, the same reading for both ends
 *
 * Everything that happens is an event of a time; of two at one time the one
 * that was planned first comes first. All chance comes from one seed and no
 * clock is read, so a seed names a run: its log is the same each time, and the
 * hash of the log proves it.
 *
 * A process may hold many worlds, one after the other. When memory is short the
 * simulator gives up: it tests the relay, not itself.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "core/arena.h"
#include "core/graph_memory.h"
#include "core/relay.h"
#include "tests/sim/dice.h"
#include "tests/sim/names.h"
#include "tests/sim/people.h"
#include "tests/sim/store.h"

#include <stdio.h>

enum { CLIENTS_MOST = 10, NEIGHBOURS_MOST = 2, IDS_REMEMBERED = 1024 };

/* --- what is known of a graph --- */

typedef struct cell {
    slice value;
    double state;
    bool has;
} cell;

typedef cell sheet[NAMES_SOULS][NAMES_KEYS];

/* Takes a write if HAM does (the clock apart); the value is not copied. */
bool cell_merge(cell *c, slice value, double state);

/* Below, at or above zero, as HAM orders two writes; nothing is below anything. */
int cell_order(const cell *a, const cell *b);

/* --- messages --- */

struct wire_write {
    int soul, key;
    slice value;
    double state;
};

enum { WIRE_WHOLE = -1, WIRE_QUERY = -2 };

typedef struct wire {
    slice raw;
    slice id, at, dam, pid;
    bool has_put, has_get, has_ok, has_err, has_hash;
    double hash;
    int get_soul, get_key; /* a key, WIRE_WHOLE or WIRE_QUERY */
    slice err;
    wire_write writes[NAMES_SOULS * NAMES_KEYS];
    int write_count;
} wire;

/* --- connections --- */

typedef struct client client;

typedef struct frame frame;
struct frame {
    frame *next;
    size_t len;
    char text[];
};

typedef struct lane {
    frame *first, *last;
    int64_t last_at_us; /* nothing overtakes */
    size_t bytes;       /* under way */
} lane;

/* What the relay has heard, and what it said to it. Of answers those that nobody
 * may write in full. */
typedef enum heard_kind { HEARD_PUT, HEARD_GET, HEARD_ANSWER } heard_kind;

typedef struct heard heard;
struct heard {
    heard *next;
    slice id;
    heard_kind kind;
    int times, acks, oks, answers;
    wire_write *writes;
    bool *was_news; /* each, when it was heard */
    int write_count;
    bool forged;          /* some of it */
    bool blocked[PEOPLE]; /* who was, when it was heard */
    double wall_ms;       /* then, by the relay */
};

typedef struct conn {
    world *world;
    client *client;
    int number, incarnation; /* of the relay */
    relay_peer *peer;        /* NULL: the relay has none (any more) */
    bool client_open, over;  /* over: broken, nothing new goes in */
    lane up, down;
    frame *unread, *unread_last;
    text partial;        /* a frame of which some pieces were given out */
    size_t partial_read; /* of that, by the client's socket */
    bool in_partial, read_planned;
    size_t window;
    int64_t slow_us, jitter_us;
    heard *heard;
    char pid[16]; /* as the relay heard it */
    bool wrote[NAMES_SOULS][NAMES_KEYS];
    bool returned[NAMES_SOULS]; /* kept for the pid, so to be asked back */
} conn;

/* --- clients --- */

typedef enum client_state {
    CLIENT_AWAY,
    CLIENT_WAITING,
    CLIENT_CONNECTING,
    CLIENT_OPEN
} client_state;

typedef struct sight {
    uint64_t hash;
    int64_t at_us;
    int via; /* CLIENT_SELF, CLIENT_RELAY or the number of a neighbour */
} sight;

enum { CLIENT_SELF = -2, CLIENT_RELAY = -1 };

typedef struct deferred deferred;
struct deferred {
    deferred *next;
    wire_write write;
};

struct client {
    world *world;
    int number;
    client_state state;
    unsigned era; /* of the page and its attempts to connect: older events are void */
    int tries_left;
    conn *conn;
    char pid[16];
    bool has_storage, asks_what_it_wrote, batches_strings;
    int person;   /* who sits before it */
    bool forger;  /* and writes what is not theirs */
    bool damages; /* its copies are not what they were, now and then */
    double skew_ms, last_state, fraction;
    sheet ram, storage, seen; /* seen: all it ever met, also what waits for its clock */
    deferred *deferred;
    bool asked[NAMES_SOULS], asked_key[NAMES_SOULS][NAMES_KEYS];
    bool wants[NAMES_SOULS], wants_key[NAMES_SOULS][NAMES_KEYS]; /* what the page asks for */
    bool wrote[NAMES_SOULS][NAMES_KEYS];
    bool late[NAMES_SOULS][NAMES_KEYS]; /* learnt after any ask-back, and not passed on */
    bool healed[NAMES_SOULS];           /* held when it healed, and so gotten whole */
    bool kept[NAMES_SOULS][NAMES_KEYS]; /* what the relay should remember of this pid */
    sight sights[IDS_REMEMBERED];
    int neighbours[NEIGHBOURS_MOST], neighbour_count;
    frame *out, *out_last; /* said and not yet sent */
};

/* --- the world --- */

typedef enum event_kind {
    EVENT_UP,          /* a frame reaches the relay (conn) */
    EVENT_DOWN,        /* a frame reaches the client (conn) */
    EVENT_ARRIVE,      /* a connection reaches the relay (conn) */
    EVENT_READ,        /* the client's socket has read a part of a frame (conn) */
    EVENT_OPEN,        /* the client learns that it is open (conn) */
    EVENT_CLIENT_LOST, /* the client learns that it is over (conn) */
    EVENT_RELAY_LOST,  /* the relay learns it (conn) */
    EVENT_CONNECT,     /* a client tries (client, era) */
    EVENT_ACT,         /* its user does something (client) */
    EVENT_WAKE,        /* a write it held may be due (client) */
    EVENT_RETURN,      /* a reload, or gun.opt() (client, era) */
    EVENT_NEIGHBOUR,   /* a message from a neighbour (client, from, text) */
    EVENT_TURN,        /* the relay's loop turns */
    EVENT_SYNC,        /* the disk has synced */
    EVENT_FOLDED,      /* the store has done a job behind the journal */
    EVENT_DISK_FAULT,  /* the disk breaks */
    EVENT_DISK_ROOM,   /* it is not full any more */
    EVENT_OPERATOR,    /* somebody starts the relay again */
    EVENT_CRASH,       /* the relay crashes */
    EVENT_UP_AGAIN,    /* the relay starts */
    EVENT_CHECKED,     /* signatures are verified (check, era: of the relay) */
    EVENT_FAULT,       /* something goes wrong */
} event_kind;

typedef struct event event;
struct event {
    int64_t at_us;
    uint64_t order;
    event_kind kind;
    int who, from;
    unsigned era;
    conn *conn;
    frame *what;
    check *check;
};

typedef struct world_counts {
    uint64_t events, up, down, acked, refused, crashes, stops, breaks, reloads, syncs_failed;
    uint64_t heal_frames;
    uint64_t checks, keys_checked; /* handed out; verified in time */
    uint64_t forged_puts, forged_answers, forged_refused, forged_stale, damaged;
    uint64_t refused_expired, refused_blocked; /* by certificates that were good once */
    uint64_t open_restarted, open_unknown, open_refused,
        open_chunks; /* cases left open, see check.c */
} world_counts;

struct world {
    uint64_t seed;
    dice dice;
    int64_t now_us;
    double wall_ms, relay_skew_ms; /* wall time at 0 us */
    double latest_ms;              /* that the relay's clock ever showed */
    event *events;
    size_t event_count, event_room;
    uint64_t planned;
    bool verbose, failed;
    uint64_t hash; /* of the log */
    char why[512];
    arena kept, scratch;
    text line, line2;

    store *store;
    relay *relay; /* NULL: down */
    relay_options options;
    people *people;
    int incarnation;
    int64_t turn_at_us;      /* of the planned turn, INT64_MAX: none */
    bool sync_planned, calm; /* calm: nothing goes wrong any more */
    bool crashed;            /* and has not been looked at since */
    bool disk_failed;        /* some put may have been refused */
    bool store_refused;      /* some write was, without a trace */
    bool heals;              /* what has expired is long gone */

    client clients[CLIENTS_MOST];
    int client_count, soul_count;
    int keys_of[NAMES_SOULS]; /* a bit per key that the soul has */
    conn **conns;
    size_t conn_count, conn_room;
    sheet acked_now, acked_any; /* greatest acknowledged; now: not from the future */
    world_counts counts;
};

/* --- world.c --- */
void world_fail(world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_log(world *w, const char *what, int who, slice bytes);
void world_plan(world *w, int64_t in_us, event e);
slice world_keep(world *w, slice bytes); /* a copy that lives as long as the world */
moment world_moment(const world *w);     /* as the relay sees it */
double world_wall(const world *w);
bool world_step(world *w);                  /* the next event; false when there is none */
void world_run(world *w, int64_t until_us); /* all events up to then */
void *must(void *memory);                   /* gives up when it is NULL */
frame *world_frame(slice bytes);

/* Whether what has this state has expired, by the relay's clock; or had once, and the
 * clock was set back since. */
bool world_expired(const world *w, int soul, double state);

/* --- wire.c --- */
typedef void wire_visit(void *visitor, const wire *m);
/* Visits the messages of a frame; fails the world when it is not what a peer may say. */
void wire_each(world *w, slice bytes, bool strings_allowed, wire_visit *visit, void *visitor);
/* {"soul":{"_":{"#":"soul",">":{...}},...}} of those keys of a sheet that are in the mask. */
void wire_print_put(text *out, const cell row[NAMES_KEYS], int soul, int mask);

/* --- client.c --- */
void client_init(client *c);
void client_load(client *c);   /* the page opens: connects, asks for what it wants */
void client_reload(client *c); /* forgets what a page forgets */
void client_connect(client *c);
void client_opened(client *c);
void client_lost(client *c);
void client_hear_frame(client *c, slice bytes);
void client_hear_neighbour(client *c, int from, slice message);
void client_wake(client *c);
void client_read_soul(client *c, int soul, bool always);
void client_read_key(client *c, int soul, int key);
void client_query(client *c, int soul, int key);
void client_write(client *c, const wire_write *writes, int count); /* states are its own */
double client_clock(const client *c);
double client_new_state(client *c);
void client_flush(client *c); /* sends what was said during this event */
void client_free(client *c);

/* Says words of somebody else's choice to the relay alone, and keeps none of it. */
void client_say_raw(client *c, const wire_write *writes, int count, bool as_answer);
void client_see(client *c, const wire_write *write);

/* --- client_answer.c --- */
void client_answer_get(client *c, int via, const wire *m);

/* --- forger.c --- */
void forger_act(client *c);
/* Makes of a write one that nobody signed. False: it cannot be told from a good one. */
bool forger_spoil(world *w, wire_write *write);

/* --- link_judge.c --- */
void judge_heard(conn *k, slice said); /* before the relay hears it */
void judge_said(conn *k, slice said);
void judge_keeps(conn *k); /* what the relay should remember, the connection being over */

/* --- link.c --- */
conn *conn_open(client *c);
void conn_send_up(conn *k, slice bytes);
void conn_break(conn *k, bool clean); /* each direction loses a suffix; clean: and at once */
void link_event(world *w, const event *e);
void relay_start(world *w);
void relay_crash(world *w);
void relay_stop(world *w); /* a clean one */
void relay_turn_soon(world *w, int64_t in_us);
void conn_free(conn *k);

/* --- chaos.c --- */
void chaos_init(world *w, store_kind kind);
void chaos_event(world *w, const event *e);
void world_live(world *w); /* all of it: chaos, calm, checks */

/* --- check.c --- */
void check_acked_after_crash(world *w);
void check_settled(world *w); /* who is connected and asked is right */
void check_equal(world *w);   /* all are equal and no acknowledged write is lost */
void check_gone(world *w);    /* everybody left: nothing is held */
void check_signed(world *w);  /* the store holds nothing that nobody may write */
bool disk_cell(world *w, int soul, int key, cell *out);

#endif
