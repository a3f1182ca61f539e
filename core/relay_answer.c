/* relay_answer.c - gets: subscribed, queued, answered when there is room.
 *
 * A get subscribes its asker at once. The answer is not made at once: it waits
 * as a cursor in its peer's queue and is read when the socket takes more, so a
 * peer that asks for much and reads little costs a few hundred bytes a get.
 *
 * Up to snapshot_bytes a node is printed in one go. What is larger is walked:
 * values leave as fragments of one message, in key order, each key once, and
 * the states, which have to follow their values, gather on the way and close
 * the message. A walk reopens at its last key, so it pins nothing in the store;
 * what changes behind it goes to its asker as a live update.
 *
 * The first get of a soul on a connection also asks the asker back for it
 * (relay_ask.c): right behind an answer of up to 8 keys, with its hash, so that
 * who has nothing newer stays silent; in front of a longer one.
 */
#include "core/audio.h"
#include "core/relay_inside.h"
#include "core/relay_print.h"

#include <assert.h>
#include <stdlib.h>

static const slice none = { "", 0 };

/* --- asks --- */

static slice place(char **at, slice bytes)
{
    slice placed = { *at, bytes.len };

    if (bytes.len > 0) memcpy(*at, bytes.at, bytes.len);
    *at += bytes.len;
    return placed;
}

static ask *ask_new(const message *m)
{
    size_t bytes = sizeof(ask) + m->id.len + m->soul.len + m->key.len + m->query_text.len +
                   m->range.from.len + m->range.to.len;
    ask *a = malloc(bytes);
    char *at;

    if (a == NULL) return NULL;
    at = (char *)(a + 1);
    *a = (ask){ .kind = m->get,
                .has_range = m->has_range,
                .range = m->range,
                .limit = m->limit,
                .chunks = m->get != GET_SOULS && policy_is_hashed(m->soul),
                .bytes = bytes };
    a->at = place(&at, m->id);
    a->soul = place(&at, m->soul);
    a->key = place(&at, m->key);
    a->query = place(&at, m->query_text);
    a->range.from = place(&at, m->range.from);
    a->range.to = place(&at, m->range.to);
    return a;
}

static ask_queue *queue_of(relay_peer *p, const ask *a)
{
    return a->chunks ? &p->wanted_chunks : &p->wanted;
}

static void ask_add(relay_peer *p, ask *a)
{
    ask_queue *q = queue_of(p, a);

    if (q->last != NULL)
        q->last->next = a;
    else
        q->first = a;
    q->last = a;
    ++p->asks;
    p->ask_bytes += a->bytes;
    peer_weigh(p);
    peer_news(p);
}

static ask *ask_take(relay_peer *p, ask_queue *q)
{
    ask *a = q->first;

    if (a == NULL) return NULL;
    q->first = a->next;
    if (q->first == NULL) q->last = NULL;
    --p->asks;
    p->ask_bytes -= a->bytes;
    return a;
}

/* The ask could not be answered now: it stays the first. */
static void ask_put_back(relay_peer *p, ask *a)
{
    ask_queue *q = queue_of(p, a);

    a->next = q->first;
    q->first = a;
    if (q->last == NULL) q->last = a;
    ++p->asks;
    p->ask_bytes += a->bytes;
}

void asks_free(relay_peer *p)
{
    ask *a;

    while ((a = ask_take(p, &p->wanted)) != NULL) free(a);
    while ((a = ask_take(p, &p->wanted_chunks)) != NULL) free(a);
}

void get_hear(relay *r, relay_peer *p, const message *m, moment now)
{
    ask *a;

    ++r->counts.gets;
    if (m->get == GET_NOTHING || (m->get == GET_SOULS && m->lists_all && !r->list_souls)) {
        say_not_found(p, &p->control, m->id);
        return;
    }
    if ((m->get == GET_NODE || m->get == GET_KEY) &&
        interest_add(r->interest, &p->interest, m->soul, m->key, INTEREST_WANTS, NULL) !=
            STATUS_OK) {
        /* Answered all the same; it hears of changes when it asks again. */
    }
    a = ask_new(m);
    if (a == NULL) {
        peer_close(p, 1011);
        return;
    }
    if (m->id.len > 0) {
        route_end end;
        /* A get that comes back through another peer is on its way already. */
        a->quiet = route_find(r->route, m->id, now.steady_ms, &end) && end.peer != p->number;
        if (!a->quiet) route_add(r->route, m->id, p->number, m->id, now.steady_ms);
    }
    ask_add(p, a);
}

/* --- snapshots --- */

typedef struct snapshot {
    relay *r;
    double life_ms, wall_ms;
    allowance left;
    node_hash hash;
    bool cut;      /* the query's limit was met */
    bool overflow; /* too large: walk it */
} snapshot;

static bool snapshot_row(void *visitor, const graph_row *row)
{
    snapshot *s = visitor;
    text *values = &s->r->values, *states = &s->r->states;
    size_t state_from, value_from;

    if (policy_expired(s->life_ms, row->state, s->wall_ms)) return true;
    if (!allowance_take(&s->left, row->value)) {
        s->cut = true;
        return false;
    }
    if (values->len + states->len + row->value.len + 2 * row->key.len >
        s->r->limits.snapshot_bytes) {
        s->overflow = true;
        return false;
    }
    state_from = states->len + (states->len > 0);
    print_state(states, row->key, row->state);
    text_add_char(values, ',');
    value_from = values->len;
    print_value(values, row->key, row->value);
    if (text_ok(values) && text_ok(states))
        node_hash_add(&s->hash, row->key,
                      (slice){ states->at + state_from, states->len - state_from },
                      (slice){ values->at + value_from, values->len - value_from });
    return true;
}

status answer_look(relay *r, slice soul, slice key, graph_row *out)
{
    graph *g = relay_graph(r, soul);
    uint8_t hash[AUDIO_HASH];
    status s = g->look(g->context, soul, key, out);

    if (s != STATUS_NOT_FOUND || g->by_hash == NULL || !slice_equal(soul, SLICE("#")) ||
        !audio_hash_read(key, hash))
        return s;
    s = g->by_hash(g->context, hash, out);
    out->soul = soul;
    out->key = key;
    return s;
}

static status snapshot_read(snapshot *s, graph *g, const ask *a)
{
    graph_row row;
    status result;

    text_reset(&s->r->values, 2 * s->r->limits.snapshot_bytes);
    text_reset(&s->r->states, 2 * s->r->limits.snapshot_bytes);
    if (a->kind != GET_KEY) return g->scan(g->context, a->soul, &a->range, snapshot_row, s);
    result = answer_look(s->r, a->soul, a->key, &row);
    if (result == STATUS_OK) snapshot_row(s, &row);
    return result == STATUS_NOT_FOUND ? STATUS_OK : result;
}

static void snapshot_print(snapshot *s, const ask *a, const int32_t *hash, text *t)
{
    line_id(s->r, t);
    if (a->at.len > 0) line_name(t, "@", a->at);
    if (hash != NULL) line_number(t, "##", *hash);
    text_add(t, SLICE(",\"put\":{"));
    json_print_name(t, a->soul);
    text_add(t, SLICE(":{\"_\":{\"#\":"));
    json_print_name(t, a->soul);
    text_add(t, SLICE(",\">\":{"));
    text_add(t, text_slice(&s->r->states));
    text_add(t, SLICE("}}"));
    text_add(t, text_slice(&s->r->values));
    text_add(t, s->cut ? SLICE("}},\"%\":1}") : SLICE("}}}"));
}

void answer_found(relay *r, relay_peer *p, const ask *a)
{
    if (policy_is_hashed(a->soul) && a->kind == GET_KEY)
        interest_clear(r->interest, &p->interest, a->soul, a->key, INTEREST_WANTS);
    ++r->counts.gets_found;
}

/* The answer as it was read, with the ask-back at its side. */
static void snapshot_answer(snapshot *s, relay_peer *p, const ask *a, moment now)
{
    relay *r = s->r;
    lane *to = a->chunks ? &p->chunks : &p->answers;
    bool hashed = node_hash_has(&s->hash), back = back_due(r, p, a->soul);
    int32_t hash = hashed ? node_hash_value(&s->hash, a->soul) : 0;
    text *t;

    if (back && !hashed) back_ask(r, p, a->soul, BACK_LARGE, NULL, to, now);
    t = line_begin(r);
    snapshot_print(s, a, hashed ? &hash : NULL, t);
    if (!text_ok(t) || lane_say(to, text_slice(t)) != STATUS_OK) {
        peer_close(p, 1011);
        return;
    }
    if (back && hashed) back_ask(r, p, a->soul, BACK_SMALL, &hash, to, now);
    answer_found(r, p, a);
}

/* --- answering --- */

static void answer_failed(relay_peer *p, const ask *a)
{
    say_err(p, a->at, "disk: the store could not be read", a->soul, none);
}

static void answer_nothing(relay *r, relay_peer *p, const ask *a, moment now)
{
    say_not_found(p, &p->misses, a->at);
    if (back_due(r, p, a->soul)) back_ask(r, p, a->soul, BACK_SMALL, NULL, &p->misses, now);
    miss_ask(r, p, a, now);
}

/* A walk's buffers come from a common purse; who finds it empty waits. There is one
 * walk at a time: who overtakes one of chunks and needs one, too, waits for it. */
static bool answer_walk(relay *r, relay_peer *p, ask *a, uint32_t keys_seen, moment now)
{
    if (p->walk != NULL) {
        ask_put_back(p, a);
        return false;
    }
    if (r->walk_bytes > r->limits.walk_bytes_max) {
        ask_put_back(p, a);
        if (!p->starving) p->starving = roster_add(&r->starving, p->number);
        return false;
    }
    walk_begin(r, p, a, keys_seen > NODE_HASH_KEYS, now);
    return true;
}

/* Answers one ask; false when it has to wait. */
static bool answer_one(relay *r, relay_peer *p, ask *a, moment now)
{
    graph *g = relay_graph(r, a->soul);
    snapshot s = { .r = r,
                   .life_ms = policy_life_ms(a->soul),
                   .wall_ms = now.wall_ms,
                   .left = allowance_of(r, a),
                   .hash = { .backwards = a->range.backwards } };
    status result;

    if (a->kind == GET_SOULS) return answer_walk(r, p, a, 0, now);
    result = snapshot_read(&s, g, a);
    if (result == STATUS_OK && s.overflow) return answer_walk(r, p, a, s.hash.keys, now);
    if (result != STATUS_OK)
        answer_failed(p, a);
    else if (s.hash.keys == 0)
        answer_nothing(r, p, a, now);
    else
        snapshot_answer(&s, p, a, now);
    free(a);
    return true;
}

bool answer_waits(const relay_peer *p)
{
    return p->wanted.first != NULL || p->wanted_chunks.first != NULL;
}

/* Chunks wait until nothing else does; a walk over them lets others pass between
 * its messages. */
static ask *ask_next(relay_peer *p)
{
    if (p->answers.bytes >= FRAME_GATHER || p->misses.bytes >= FRAME_GATHER) return NULL;
    if (p->wanted.first != NULL)
        return p->walk == NULL || walk_is_of_chunks(p) ? ask_take(p, &p->wanted) : NULL;
    if (p->walk != NULL || p->chunks.bytes >= FRAME_GATHER) return NULL;
    return ask_take(p, &p->wanted_chunks);
}

bool answer_next(relay *r, relay_peer *p, moment now)
{
    bool answered = false;
    ask *a;

    while ((a = ask_next(p)) != NULL) {
        if (!answer_one(r, p, a, now)) break;
        answered = true;
    }
    peer_weigh(p);
    return answered;
}
