/* relay_walk.c - answers too large for one go.
 *
 * A walk prints a message as it is sent, about fragment_bytes at a time:
 *
 *   {"#":..,"@":..,"put":{"soul":{"key":value, ... ,"_":{"#":"soul",">":{..}}}}}
 *    \__ opened by its first key                     \__ the states gathered so
 *                                                        far, when it is full
 *
 * A message ends at answer_bytes of text; the next one goes on behind the last
 * key. All are one answer to the client: several messages arrive as one node
 * as long as they follow each other (relay-rules.md rule 3). A query over
 * souls walks one soul after the other into the same messages.
 */
#include "core/relay_print.h"

#include <assert.h>
#include <stdlib.h>

typedef enum stop {
    STOP_END,      /* no more keys in this soul */
    STOP_FRAGMENT, /* enough to send */
    STOP_MESSAGE,  /* the message is full */
    STOP_LIMIT,    /* the query's limit is met */
} stop;

struct walk {
    relay *r;
    ask *ask;
    text souls; /* GET_SOULS: lengths and names, one behind another */
    size_t souls_at;
    slice soul; /* the one being walked */
    double life_ms, wall_ms;
    text last; /* the last key printed, when `begun` */
    text from; /* where a scan goes on: it borrows this while `last` is written */
    bool begun;
    text out; /* RELAY_HEADROOM, then text to be sent */
    size_t sent, lent;
    text states;
    size_t message_bytes; /* of the message, without what is in `out` */
    allowance left;
    node_hash hash;
    stop stopped;
    bool in_message, in_node, first_piece, more_nodes;
    bool found, cut, ended, failed, back_after, souls_cut;
    size_t counted; /* of r->walk_bytes */
};

/* --- memory --- */

static void count_bytes(walk *w)
{
    size_t now =
        sizeof *w + w->souls.room + w->last.room + w->from.room + w->out.room + w->states.room;

    w->r->walk_bytes += now - w->counted;
    w->counted = now;
}

void walk_free(relay_peer *p)
{
    walk *w = p->walk;

    if (w == NULL) return;
    w->r->walk_bytes -= w->counted;
    text_free(&w->souls);
    text_free(&w->last);
    text_free(&w->from);
    text_free(&w->out);
    text_free(&w->states);
    free(w->ask);
    free(w);
    p->walk = NULL;
}

bool walk_within(const relay_peer *p)
{
    const walk *w = p->walk;

    return w != NULL && (w->in_message || w->sent < w->out.len) && !w->first_piece;
}

bool walk_is_of_chunks(const relay_peer *p)
{
    return p->walk != NULL && p->walk->ask->chunks;
}

/* --- beginning --- */

static bool add_soul(void *visitor, const graph_row *row)
{
    enum { SOULS_BYTES_MAX = 1 << 20 };
    walk *w = visitor;

    if (w->left.keys_left-- == 0 || w->souls.len > SOULS_BYTES_MAX) {
        w->souls_cut = true;
        return false;
    }
    text_add(&w->souls, (slice){ (const char *)&row->soul.len, sizeof row->soul.len });
    text_add(&w->souls, row->soul);
    return true;
}

static bool next_soul(walk *w)
{
    size_t len;

    if (w->souls_at >= w->souls.len) return false;
    memcpy(&len, w->souls.at + w->souls_at, sizeof len);
    w->soul = (slice){ w->souls.at + w->souls_at + sizeof len, len };
    w->souls_at += sizeof len + len;
    w->life_ms = policy_life_ms(w->soul);
    w->begun = false;
    return true;
}

static void list_souls(walk *w)
{
    graph *store = w->r->store, *memory = w->r->fleeting;
    uint32_t keys = w->left.keys_left;

    w->left.keys_left = w->r->limits.lex_souls_max;
    if (store->souls(store->context, &w->ask->range, add_soul, w) != STATUS_OK) w->failed = true;
    if (!w->souls_cut) (void)!memory->souls(memory->context, &w->ask->range, add_soul, w);
    w->left.keys_left = keys;
    if (!next_soul(w)) w->ended = true;
}

static bool count_nine(void *visitor, const graph_row *row)
{
    (void)row;
    return ++*(uint32_t *)visitor <= NODE_HASH_KEYS;
}

/* Whether a node is large in keys, not only in bytes. */
static bool has_many_keys(relay *r, const ask *a)
{
    graph *g = relay_graph(r, a->soul);
    uint32_t keys = 0;

    if (a->kind != GET_NODE) return false;
    return g->scan(g->context, a->soul, &a->range, count_nine, &keys) == STATUS_OK &&
           keys > NODE_HASH_KEYS;
}

void walk_begin(relay *r, relay_peer *p, ask *a, bool large, moment now)
{
    walk *w = calloc(1, sizeof *w);

    if (w == NULL) {
        free(a);
        peer_close(p, 1011);
        return;
    }
    ++r->counts.walks;
    *w = (walk){
        .r = r, .ask = a, .soul = a->soul, .left = allowance_of(r, a), .first_piece = true
    };
    w->life_ms = policy_life_ms(a->soul);
    w->hash.backwards = a->range.backwards;
    p->walk = w;
    if (a->kind == GET_SOULS) {
        list_souls(w);
    } else if (a->at.len > 0 && back_due(r, p, a->soul)) {
        if (large || has_many_keys(r, a))
            back_ask(r, p, a->soul, BACK_LARGE, NULL, &p->control, now);
        else
            w->back_after = true;
    }
    count_bytes(w);
}

void walk_soul(relay *r, relay_peer *p, slice soul, moment now)
{
    ask *a = malloc(sizeof *a + soul.len);

    if (a == NULL) {
        peer_close(p, 1011);
        return;
    }
    *a = (ask){ .kind = GET_NODE, .soul = { (char *)(a + 1), soul.len }, .bytes = sizeof *a };
    memcpy(a + 1, soul.at, soul.len);
    walk_begin(r, p, a, false, now);
}

/* --- printing --- */

static void open_message(walk *w)
{
    w->in_message = true;
    w->more_nodes = false;
    w->message_bytes = 0;
    line_id(w->r, &w->out);
    if (w->ask->at.len > 0) line_name(&w->out, "@", w->ask->at);
    text_add(&w->out, SLICE(",\"put\":{"));
}

static void open_node(walk *w)
{
    w->in_node = true;
    if (w->more_nodes) text_add_char(&w->out, ',');
    w->more_nodes = true;
    json_print_name(&w->out, w->soul);
    text_add(&w->out, SLICE(":{"));
    w->states.len = 0;
}

static void close_node(walk *w)
{
    if (!w->in_node) return;
    w->in_node = false;
    text_add(&w->out, SLICE("\"_\":{\"#\":"));
    json_print_name(&w->out, w->soul);
    text_add(&w->out, SLICE(",\">\":{"));
    text_add(&w->out, text_slice(&w->states));
    text_add(&w->out, SLICE("}}}"));
}

static void close_message(walk *w)
{
    if (!w->in_message) return;
    w->in_message = false;
    text_add(&w->out, w->ended && w->cut ? SLICE("},\"%\":1}") : SLICE("}}"));
    ++w->r->counts.messages_out;
}

static void print_row(walk *w, const graph_row *row)
{
    size_t state_from, value_from;

    if (!w->in_message) open_message(w);
    if (!w->in_node) open_node(w);
    state_from = w->states.len + (w->states.len > 0);
    print_state(&w->states, row->key, row->state);
    value_from = w->out.len;
    print_value(&w->out, row->key, row->value);
    if (text_ok(&w->out) && text_ok(&w->states))
        node_hash_add(&w->hash, row->key,
                      (slice){ w->states.at + state_from, w->states.len - state_from },
                      (slice){ w->out.at + value_from, w->out.len - value_from });
    text_add_char(&w->out, ',');
    w->last.len = 0;
    text_add(&w->last, row->key);
    w->begun = w->found = true;
}

/* Chunks leave in messages of one, so that no ack behind them waits for more. */
static size_t message_max(const walk *w)
{
    return w->ask->chunks ? w->r->limits.fragment_bytes : w->r->limits.answer_bytes;
}

static bool walk_row(void *visitor, const graph_row *row)
{
    walk *w = visitor;

    if (policy_expired(w->life_ms, row->state, w->wall_ms)) return true;
    /* The limit first: the message that is full may be the one to say "%". */
    if (!allowance_spent(&w->left) && w->in_message &&
        w->message_bytes + w->out.len + w->states.len >= message_max(w)) {
        w->stopped = STOP_MESSAGE;
        return false;
    }
    if (!allowance_take(&w->left, row->value)) {
        w->stopped = STOP_LIMIT;
        return false;
    }
    print_row(w, row);
    if (w->out.len - RELAY_HEADROOM < w->r->limits.fragment_bytes) return true;
    w->stopped = STOP_FRAGMENT;
    return false;
}

/* The one row of a get of a key. */
static status look_once(walk *w)
{
    graph_row row;
    status s;

    w->stopped = STOP_END;
    if (w->begun) return STATUS_OK;
    s = answer_look(w->r, w->soul, w->ask->key, &row);
    if (s == STATUS_OK) walk_row(w, &row);
    return s == STATUS_NOT_FOUND ? STATUS_OK : s;
}

static status scan_on(walk *w)
{
    graph *g = relay_graph(w->r, w->soul);
    lex_range all = { 0 }, range = all;

    if (w->ask->kind == GET_KEY) return look_once(w);
    if (w->ask->kind == GET_NODE) range = w->ask->range;
    if (w->begun) {
        text_reset(&w->from, w->from.room);
        text_add(&w->from, text_slice(&w->last));
        if (!text_ok(&w->from)) return STATUS_NO_MEMORY;
        range = lex_range_after(&range, text_slice(&w->from));
    }
    w->stopped = STOP_END;
    return g->scan(g->context, w->soul, &range, walk_row, w);
}

static void out_begin(walk *w)
{
    static const char front[RELAY_HEADROOM] = { 0 };

    text_reset(&w->out, 4 * w->r->limits.fragment_bytes + RELAY_HEADROOM);
    text_add(&w->out, (slice){ front, sizeof front });
    w->sent = RELAY_HEADROOM;
}

/* Prints until there is enough to send, the message has ended, or everything. */
static void fill(walk *w)
{
    out_begin(w);
    while (!w->ended) {
        if (scan_on(w) != STATUS_OK)
            w->failed = w->ended = w->cut = true;
        else if (w->stopped == STOP_FRAGMENT)
            break;
        else if (w->stopped == STOP_LIMIT)
            w->ended = w->cut = true;
        if (w->stopped == STOP_MESSAGE || w->ended) break;
        close_node(w);
        if (!next_soul(w)) {
            w->ended = true;
            w->cut = w->souls_cut;
        }
    }
    if (w->ended || w->stopped == STOP_MESSAGE) {
        close_node(w);
        close_message(w);
    }
    w->message_bytes += w->out.len;
    count_bytes(w);
}

/* --- ending --- */

static void finish(relay *r, relay_peer *p, moment now)
{
    walk *w = p->walk;
    int32_t hash;

    if (w->failed) {
        say_err(p, w->ask->at, "disk: the store could not be read", w->ask->soul, (slice){ "", 0 });
    } else if (w->found) {
        answer_found(r, p, w->ask);
    } else if (w->ask->at.len > 0) {
        say_not_found(p, &p->misses, w->ask->at);
    }
    if (w->back_after && node_hash_has(&w->hash) && w->found) {
        hash = node_hash_value(&w->hash, w->ask->soul);
        back_ask(r, p, w->ask->soul, BACK_SMALL, &hash, &p->control, now);
    } else if (w->back_after) {
        back_ask(r, p, w->ask->soul, BACK_SMALL, NULL, w->found ? &p->control : &p->misses, now);
    }
    walk_free(p);
}

bool walk_piece(relay *r, relay_peer *p, relay_piece *out, moment now)
{
    walk *w = p->walk;
    size_t left, most = w->r->limits.fragment_bytes;
    bool was_in = w->in_message || w->sent < w->out.len;

    w->wall_ms = now.wall_ms;
    if (w->sent >= w->out.len) fill(w);
    if (!text_ok(&w->out) || !text_ok(&w->states) || !text_ok(&w->last)) {
        peer_close(p, 1011);
        return false;
    }
    left = w->out.len - w->sent;
    if (left == 0) {
        assert(w->ended && !was_in);
        finish(r, p, now);
        return false;
    }
    /* A value larger than a fragment leaves in several. */
    if (left > most) left = most;
    *out = (relay_piece){ w->out.at + w->sent, left, !was_in || w->first_piece,
                          !w->in_message && w->sent + left == w->out.len };
    w->first_piece = false;
    w->lent = left;
    p->lent_bytes = left;
    return p->is_lent = true;
}

void walk_sent(relay_peer *p)
{
    walk *w = p->walk;

    if (w != NULL) w->sent += w->lent;
}
