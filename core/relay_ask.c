/* relay_ask.c - asking peers: on a miss, and back for their edits.
 *
 * A miss. What nobody has stored here may live in a browser that was offline
 * when it wrote. So a get that finds nothing is passed on, under its own id, to
 * peers that had to do with the soul, then to others, a few per turn and within
 * budgets. What nobody had is left alone for a while.
 *
 * Asking back. gun.js never sends again what it wrote offline. The first get
 * of a soul on a connection is the sign that this client may have something, so
 * it is asked for the soul, whole, once. Over its budget the ask is owed: one
 * bit in the interest row, which lives as long as the connection.
 */
#include "core/keyed.h"
#include "core/relay_inside.h"

#include <stdlib.h>

static const slice none = { "", 0 };

/* --- asking back --- */

bool back_due(relay *r, relay_peer *p, slice soul)
{
    if (policy_is_hashed(soul) || relay_is_ours(r, soul)) return false;
    return (interest_flags(r->interest, &p->interest, soul, none) &
            (INTEREST_ASKED | INTEREST_OWED)) == 0;
}

static void print_back(relay *r, slice soul, const int32_t *hash, text *t)
{
    line_id(r, t);
    if (hash != NULL) line_number(t, "##", *hash);
    text_add(t, SLICE(",\"get\":{\"#\":"));
    json_print_name(t, soul);
    text_add(t, SLICE("}}"));
}

static void owe(relay *r, relay_peer *p, slice soul)
{
    if (interest_add(r->interest, &p->interest, soul, none, INTEREST_OWED, NULL) != STATUS_OK)
        return;
    ++r->counts.backs_owed;
    if (!p->owing) p->owing = roster_add(&r->owing, p->number);
}

static bool may_ask_back(relay *r, relay_peer *p, back_size size, moment now)
{
    const relay_limits *l = &r->limits;

    if (size == BACK_LARGE && bucket_due_ms(&r->back_large, l->back_large_rate, l->back_large_rate,
                                            now.steady_ms) > now.steady_ms)
        return false;
    if (!bucket_take(&p->back, l->back_rate, l->back_burst, now.steady_ms)) return false;
    if (size == BACK_LARGE)
        bucket_take(&r->back_large, l->back_large_rate, l->back_large_rate, now.steady_ms);
    return true;
}

void back_ask(relay *r, relay_peer *p, slice soul, back_size size, const int32_t *hash, lane *out,
              moment now)
{
    text *t;

    if (!may_ask_back(r, p, size, now)) {
        p->owes_large |= size == BACK_LARGE;
        owe(r, p, soul);
        return;
    }
    if (interest_add(r->interest, &p->interest, soul, none, INTEREST_ASKED, NULL) != STATUS_OK)
        return;
    t = line_begin(r);
    print_back(r, soul, hash, t);
    if (!text_ok(t) || lane_say(out, text_slice(t)) != STATUS_OK) {
        peer_close(p, 1011);
        return;
    }
    ++r->counts.backs_out;
    peer_news(p);
}

/* When the next debt may be paid. Which of a peer's debts are large is not kept:
 * once one is, all are paced as such. */
static int64_t pay_due_ms(const relay *r, const relay_peer *p, moment now)
{
    const relay_limits *l = &r->limits;
    int64_t own = bucket_due_ms(&p->back, l->back_rate, l->back_burst, now.steady_ms);
    int64_t all =
        bucket_due_ms(&r->back_large, l->back_large_rate, l->back_large_rate, now.steady_ms);

    return p->owes_large && all > own ? all : own;
}

/* Sends what is owed as the budget allows; true while something is left. */
static bool pay(relay *r, relay_peer *p, moment now)
{
    const relay_limits *l = &r->limits;
    slice soul;

    while (pay_due_ms(r, p, now) <= now.steady_ms) {
        text *t;

        if (!interest_next_owed(r->interest, &p->interest, &soul)) return p->owes_large = false;
        bucket_take(&p->back, l->back_rate, l->back_burst, now.steady_ms);
        if (p->owes_large)
            bucket_take(&r->back_large, l->back_large_rate, l->back_large_rate, now.steady_ms);
        t = line_begin(r);
        print_back(r, soul, NULL, t);
        say(p, t);
        ++r->counts.backs_out;
        if (p->closing) return false;
    }
    return true;
}

void back_turn(relay *r, moment now)
{
    size_t left = 0;

    for (size_t i = 0; i < r->owing.count; ++i) {
        relay_peer *p = relay_find(r, r->owing.at[i]);
        if (p == NULL) continue;
        p->owing = pay(r, p, now);
        if (p->owing) r->owing.at[left++] = r->owing.at[i];
    }
    r->owing.count = left;
}

int64_t back_due_ms(const relay *r, moment now)
{
    int64_t due = INT64_MAX;

    for (size_t i = 0; i < r->owing.count; ++i) {
        const relay_peer *p = relay_find(r, r->owing.at[i]);
        int64_t next = p == NULL ? now.steady_ms : pay_due_ms(r, p, now);
        if (next < due) due = next;
    }
    return due;
}

/* --- misses --- */

/* What was asked for in vain, or is being asked for. Kept until quiet_until,
 * in the order of their beginning, which is also that of their end. */
struct miss {
    miss *next;    /* by age */
    miss *chain;   /* of its bucket */
    uint64_t hash; /* of soul and key or query */
    uint64_t asker;
    int64_t began_ms, next_ms;
    bool active;
    miss *before, *after; /* among the active ones */
    uint32_t asked_count, near_count, near_at;
    uint32_t slot, slots_tried; /* where the search among all peers stands */
    uint64_t *peers;            /* miss_peers_max: asked ones, then near ones */
    slice id;
    slice get; /* JSON of the get */
    char names[];
};

static uint64_t miss_hash(const relay *r, const ask *a)
{
    uint64_t h = keyed_spread(keyed_hash(r->secret, a->soul));

    return h ^ keyed_hash(r->secret, a->has_range ? a->query : a->key);
}

static bool grow_table(relay *r)
{
    uint32_t buckets = r->miss_buckets ? r->miss_buckets * 2 : 256;
    miss **table = calloc(buckets, sizeof *table);

    if (table == NULL) return false;
    for (miss *m = r->misses; m != NULL; m = m->next) {
        m->chain = table[m->hash & (buckets - 1)];
        table[m->hash & (buckets - 1)] = m;
    }
    free(r->miss_table);
    r->miss_table = table;
    r->miss_buckets = buckets;
    return true;
}

static miss *miss_find(const relay *r, uint64_t hash)
{
    miss *m = r->miss_buckets ? r->miss_table[hash & (r->miss_buckets - 1)] : NULL;

    while (m != NULL && m->hash != hash) m = m->chain;
    return m;
}

static void miss_rest(relay *r, miss *m)
{
    if (!m->active) return;
    m->active = false;
    --r->misses_active;
    if (m->before != NULL)
        m->before->after = m->after;
    else
        r->misses_asking = m->after;
    if (m->after != NULL) m->after->before = m->before;
    free(m->peers);
    m->peers = NULL;
}

static void miss_drop_first(relay *r)
{
    miss *m = r->misses, **link = &r->miss_table[m->hash & (r->miss_buckets - 1)];

    miss_rest(r, m);
    while (*link != m) link = &(*link)->chain;
    *link = m->chain;
    r->misses = m->next;
    if (r->misses == NULL) r->misses_last = NULL;
    --r->miss_count;
    free(m);
}

void miss_free_all(relay *r)
{
    while (r->misses != NULL) miss_drop_first(r);
    free(r->miss_table);
    r->miss_table = NULL;
}

static void print_get(text *t, const ask *a)
{
    text_add(t, SLICE("{\"#\":"));
    json_print_name(t, a->soul);
    if (a->kind == GET_KEY) line_name(t, ".", a->key);
    if (a->has_range) {
        text_add(t, SLICE(",\".\":"));
        text_add(t, a->query);
    }
    if (a->limit > 0) line_number(t, "%", a->limit);
    if (a->range.backwards && !a->has_range) line_number(t, "-", 1);
    text_add_char(t, '}');
}

/* The id under which a get is passed on: the asker's, or a new one that leads
 * back to it when the asker's id is taken by somebody else. */
static slice forward_id(relay *r, relay_peer *p, const ask *a, char fresh[static RELAY_ID_LEN],
                        moment now)
{
    route_end end;
    slice id;

    if (relay_id_travels(a->at) && route_find(r->route, a->at, now.steady_ms, &end) &&
        end.peer == p->number)
        return a->at;
    id = relay_new_id(r, fresh);
    route_add(r->route, id, p->number, a->at.len > 0 ? a->at : id, now.steady_ms);
    return id;
}

static miss *miss_new(relay *r, relay_peer *p, const ask *a, uint64_t hash, moment now)
{
    char fresh[RELAY_ID_LEN];
    slice id = forward_id(r, p, a, fresh, now);
    text *t = line_begin(r);
    miss *m;

    print_get(t, a);
    m = text_ok(t) ? malloc(sizeof *m + id.len + t->len) : NULL;
    if (m == NULL) return NULL;
    *m = (miss){ .hash = hash,
                 .asker = p->number,
                 .began_ms = now.steady_ms,
                 .next_ms = now.steady_ms,
                 .active = true };
    m->peers = malloc(2 * (size_t)r->limits.miss_peers_max * sizeof *m->peers);
    if (m->peers == NULL) {
        free(m);
        return NULL;
    }
    memcpy(m->names, id.at, id.len);
    memcpy(m->names + id.len, t->at, t->len);
    m->id = (slice){ m->names, id.len };
    m->get = (slice){ m->names + id.len, t->len };
    m->slot = r->slot_count ? (uint32_t)(hash % r->slot_count) : 0;
    return m;
}

static void miss_insert(relay *r, miss *m)
{
    m->chain = r->miss_table[m->hash & (r->miss_buckets - 1)];
    r->miss_table[m->hash & (r->miss_buckets - 1)] = m;
    if (r->misses_last != NULL)
        r->misses_last->next = m;
    else
        r->misses = m;
    r->misses_last = m;
    m->after = r->misses_asking;
    if (m->after != NULL) m->after->before = m;
    r->misses_asking = m;
    ++r->miss_count;
    ++r->misses_active;
}

typedef struct nearby {
    miss *m;
    uint32_t max;
} nearby;

static bool note_near(void *visitor, interest_holder *holder, unsigned flags)
{
    nearby *n = visitor;
    uint64_t number = relay_holder_peer(holder)->number;

    (void)flags;
    if (number != n->m->asker) n->m->peers[n->max + n->m->near_count++] = number;
    return n->m->near_count < n->max;
}

static bool was_asked(const miss *m, uint64_t number)
{
    for (uint32_t i = 0; i < m->asked_count; ++i)
        if (m->peers[i] == number) return true;
    return number == m->asker;
}

static bool may_be_asked(relay *r, relay_peer *p, moment now)
{
    const relay_limits *l = &r->limits;

    if (p->closing || p->paused) return false;
    if (!bucket_take(&p->asked, l->asked_rate, l->asked_rate, now.steady_ms)) return false;
    return bucket_take(&r->asked_all, l->asked_rate_all, l->asked_rate_all, now.steady_ms);
}

static void ask_peer(relay *r, miss *m, relay_peer *p)
{
    text *t = line_begin(r);

    text_add(t, SLICE("{\"#\":"));
    json_print_name(t, m->id);
    text_add(t, SLICE(",\"get\":"));
    text_add(t, m->get);
    text_add_char(t, '}');
    say(p, t);
    m->peers[m->asked_count++] = p->number;
    ++r->counts.asks_out;
}

/* The next peer worth asking, NULL when all were tried. */
static relay_peer *miss_candidate(relay *r, miss *m)
{
    while (m->near_at < m->near_count) {
        uint64_t number = m->peers[r->limits.miss_peers_max + m->near_at++];
        relay_peer *p = relay_find(r, number);
        if (p != NULL && !was_asked(m, number)) return p;
    }
    while (m->slots_tried < r->slot_count) {
        relay_peer *p = r->slots[(m->slot + m->slots_tried++) % r->slot_count];
        if (p != NULL && !was_asked(m, p->number)) return p;
    }
    return NULL;
}

static void miss_step(relay *r, miss *m, moment now)
{
    const relay_limits *l = &r->limits;
    uint32_t asked = 0, tried = 0;

    /* While the budget of all is spent nobody is passed over: they are asked later. */
    while (asked < l->miss_per_turn && m->asked_count < l->miss_peers_max &&
           bucket_due_ms(&r->asked_all, l->asked_rate_all, l->asked_rate_all, now.steady_ms) <=
               now.steady_ms) {
        relay_peer *p = miss_candidate(r, m);
        if (p == NULL || ++tried > 4 * l->miss_peers_max) {
            if (p == NULL) miss_rest(r, m);
            break;
        }
        if (!may_be_asked(r, p, now)) continue;
        ask_peer(r, m, p);
        ++asked;
    }
    if (m->active && m->asked_count >= l->miss_peers_max) miss_rest(r, m);
    m->next_ms = now.steady_ms + l->miss_turn_ms;
}

void miss_ask(relay *r, relay_peer *p, const ask *a, moment now)
{
    const relay_limits *l = &r->limits;
    uint64_t hash = miss_hash(r, a);
    nearby near = { .max = l->miss_peers_max };

    if (a->quiet || a->kind == GET_SOULS || r->peers < 2 || relay_is_ours(r, a->soul)) return;
    if (miss_find(r, hash) != NULL) {
        ++r->counts.misses_quiet;
        return;
    }
    if (!bucket_take(&p->missing, l->miss_rate, l->miss_burst, now.steady_ms) ||
        (r->miss_count >= r->miss_buckets && !grow_table(r))) {
        ++r->counts.misses_limited;
        return;
    }
    if (r->miss_count >= l->misses_max) miss_drop_first(r);
    near.m = miss_new(r, p, a, hash, now);
    if (near.m == NULL) return;
    miss_insert(r, near.m);
    ++r->counts.misses_asked;
    interest_each_near(r->interest, a->soul, a->key, note_near, &near);
    miss_step(r, near.m, now);
}

void miss_found(relay *r, slice id)
{
    for (miss *m = r->misses_asking, *after; m != NULL; m = after) {
        after = m->after;
        if (slice_equal(m->id, id)) miss_rest(r, m);
    }
}

void miss_turn(relay *r, moment now)
{
    while (r->misses != NULL && r->misses->began_ms + r->limits.miss_quiet_ms <= now.steady_ms)
        miss_drop_first(r);
    for (miss *m = r->misses_asking, *after; m != NULL; m = after) {
        after = m->after;
        /* Also when its asker has left: who reloads a page asks again at once, and
         * is not asked for twice. */
        if (m->next_ms <= now.steady_ms) miss_step(r, m, now);
    }
}

int64_t miss_due_ms(const relay *r, moment now)
{
    int64_t due = INT64_MAX;

    for (const miss *m = r->misses_asking; m != NULL; m = m->after)
        if (m->next_ms < due) due = m->next_ms;
    return due > now.steady_ms ? due : now.steady_ms;
}
