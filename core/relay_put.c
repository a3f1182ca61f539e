/* relay_put.c - judging, holding, telling who lost.
 *
 * An author's put (no "@") is whole or not at all, and gets exactly one answer:
 * `err` at once, or `ok` when everything it was judged against is durable. An
 * answer ("@" and put) is judged key by key and never acknowledged.
 *
 * What is under no rule is judged by one merge. The rest comes in steps, as
 * relay_wait.c has them: a look, checks, and the merge of what was news and is good.
 *
 * A store that is busy takes nothing until something has settled: the put waits,
 * and its author is not read meanwhile.
 *
 * The order for one put: its author is subscribed to its keys, HAM judges, the
 * changes are queued for those who asked, what HAM kept is queued for the author
 * (who would otherwise never learn it: it does not ask for keys it wrote), and
 * the ack waits for its ticket.
 */
#include "core/keyed.h"
#include "core/relay_inside.h"

#include <stdlib.h>

static const slice none = { "", 0 };

/* --- held writes --- */

/* The value counts, too: of two held writes with one state, one wins, and the
 * author of the other has to be told. */
static held_author *author_slot(relay *r, const graph_write *w, uint64_t *hash)
{
    uint64_t bits;

    memcpy(&bits, &w->state, sizeof bits);
    *hash = keyed_spread(keyed_hash(r->secret, w->soul) ^ bits);
    *hash = keyed_spread(*hash ^ keyed_hash(r->secret, w->key));
    *hash = keyed_spread(*hash ^ keyed_hash(r->secret, w->value));
    return &r->held_authors[*hash % RELAY_HELD_AUTHORS];
}

static void note_held(relay *r, relay_peer *p, const graph_write *w)
{
    uint64_t hash;
    held_author *slot = author_slot(r, w, &hash);

    *slot = (held_author){ hash, p->number };
    ++p->held;
    p->held_bytes += put_held_bytes(w);
    if (w->state > p->held_until) p->held_until = w->state;
}

/* --- judging --- */

/* The writes of a put by what is to be done with them: for the store, memory
 * only, expired; each part still sorted. */
typedef struct sorted {
    graph_write *writes;
    size_t kept, fleeting, expired;
} sorted;

typedef enum place { PLACE_KEPT, PLACE_FLEETING, PLACE_EXPIRED, PLACES } place;

typedef struct soul_kind {
    slice soul;
    bool fleeting;
    double life_ms;
} soul_kind;

static place place_of(const relay *r, soul_kind *last, const graph_write *w, moment now)
{
    if (last->soul.at == NULL || !slice_equal(last->soul, w->soul)) {
        last->soul = w->soul;
        last->fleeting = policy_is_fleeting(&r->policy, w->soul);
        last->life_ms = policy_life_ms(w->soul);
    }
    if (policy_expired(last->life_ms, w->state, now.wall_ms)) return PLACE_EXPIRED;
    return last->fleeting ? PLACE_FLEETING : PLACE_KEPT;
}

static bool sort_places(relay *r, arena *a, const message *m, sorted *out, moment now)
{
    size_t counts[PLACES] = { 0 }, at[PLACES];
    soul_kind last = { .soul = { NULL, 0 } };

    for (size_t i = 0; i < m->write_count; ++i) ++counts[place_of(r, &last, &m->writes[i], now)];
    *out = (sorted){ m->writes, counts[PLACE_KEPT], counts[PLACE_FLEETING], counts[PLACE_EXPIRED] };
    for (int p = 0; p < PLACES; ++p)
        if (counts[p] == m->write_count) return true;

    out->writes = arena_take(a, m->write_count * sizeof *out->writes);
    if (out->writes == NULL) return false;
    at[PLACE_KEPT] = 0;
    at[PLACE_FLEETING] = counts[PLACE_KEPT];
    at[PLACE_EXPIRED] = at[PLACE_FLEETING] + counts[PLACE_FLEETING];
    for (size_t i = 0; i < m->write_count; ++i)
        out->writes[at[place_of(r, &last, &m->writes[i], now)]++] = m->writes[i];
    return true;
}

static status merge_all(relay *r, sorted *s, moment now, graph_ticket *ticket)
{
    graph_write *fleeting = s->writes + s->kept;
    graph_ticket at_once;
    status result = STATUS_OK;

    *ticket = (graph_ticket){ 0 };
    if (s->kept > 0) result = r->store->merge(r->store->context, s->writes, s->kept, now, ticket);
    if (result != STATUS_OK) return result;
    if (s->fleeting > 0)
        result = r->fleeting->merge(r->fleeting->context, fleeting, s->fleeting, now, &at_once);
    /* What was taken for good stays taken; what lives in memory only may be lost at
     * any time, and is when there is no room. */
    if (result != STATUS_OK && s->kept > 0) {
        ++r->counts.store_refused;
        for (size_t i = 0; i < s->fleeting; ++i) fleeting[i].verdict = HAM_KEEP;
        result = STATUS_OK;
    }
    for (size_t i = 0; i < s->expired; ++i) fleeting[s->fleeting + i].verdict = HAM_KEEP;
    return result;
}

/* What HAM took, for those who asked; counts the verdicts on the way. */
static const graph_write **taken_of(relay *r, arena *a, relay_peer *p, const sorted *s,
                                    size_t *count)
{
    size_t all = s->kept + s->fleeting;
    const graph_write **taken = arena_take(a, (all ? all : 1) * sizeof *taken);

    *count = 0;
    for (size_t i = 0; i < all; ++i) {
        const graph_write *w = &s->writes[i];
        switch (w->verdict) {
        case HAM_TAKE:
            ++r->counts.keys_taken;
            if (taken != NULL) taken[(*count)++] = w;
            break;
        case HAM_SAME:
            ++r->counts.keys_same;
            break;
        case HAM_KEEP:
            ++r->counts.keys_stale;
            break;
        case HAM_WAIT:
            ++r->counts.keys_held;
            if (p != NULL) note_held(r, p, w);
            break;
        }
    }
    return taken;
}

/* --- the writer --- */

/* Whether the peer hears of the whole soul; if so, that it wrote there is noted
 * on the soul: what it subscribed to may not survive its connection, and a client
 * does not ask for what it wrote. */
static bool hears_whole(relay *r, relay_peer *p, slice soul)
{
    unsigned flags = interest_flags(r->interest, &p->interest, soul, none);

    if (!(flags & INTEREST_WANTS)) return false;
    return flags & INTEREST_WROTE ||
           interest_add(r->interest, &p->interest, soul, none, INTEREST_WROTE, NULL) == STATUS_OK;
}

/* Whoever wrote a key hears of its later changes; not where the key is a hash,
 * which cannot change. */
static void subscribe_writer(relay *r, relay_peer *p, const graph_write *writes, size_t count)
{
    slice soul = { NULL, 0 };
    bool skip = false;

    for (size_t i = 0; i < count; ++i) {
        if (soul.at == NULL || !slice_equal(soul, writes[i].soul)) {
            soul = writes[i].soul;
            skip = policy_is_hashed(soul) || hears_whole(r, p, soul);
        }
        if (!skip && interest_add(r->interest, &p->interest, soul, writes[i].key,
                                  INTEREST_WANTS | INTEREST_WROTE, NULL) != STATUS_OK)
            return; /* no memory: it hears less, and nothing breaks */
    }
}

static void say_kept_row(relay_peer *p, slice soul, slice key)
{
    frame *f = frame_new(soul.len + key.len);

    if (f != NULL) {
        f->kept = true;
        f->count = 1;
        f->soul_len = soul.len;
        memcpy(frame_text(f), soul.at, soul.len);
        memcpy(frame_text(f) + soul.len, key.at, key.len);
        f->len = soul.len + key.len;
    }
    if (f == NULL || lane_share(&p->control, f) != STATUS_OK) {
        frame_drop(f);
        peer_close(p, 1011);
    }
    peer_news(p);
}

static void say_kept(relay *r, relay_peer *p, const graph_write **kept, size_t count, moment now)
{
    char fresh[RELAY_ID_LEN];
    text *t = line_begin(r);
    slice id;

    if (count == 0) return;
    id = relay_new_id(r, fresh);
    route_add(r->route, id, p->number, id, now.steady_ms);
    print_update(t, id, (slice){ NULL, 0 }, kept, count);
    say(p, t);
}

/* Whether somebody passes on what came from, or went to, another peer: a client
 * with two relays does, and so does everybody in a room of WebRTC. */
static bool is_copy(relay *r, const relay_peer *p, slice id, moment now)
{
    route_end end;

    return route_find(r->route, id, now.steady_ms, &end) && end.peer != p->number;
}

/* Moves to the front the writes whose copyist has not heard of their key: it is
 * told what was kept, as an author is, and subscribed from now on. One that has
 * hears of changes anyway, and must not be told: the copies of what we say come
 * back from everybody it passes them on to, and would be told again for as long
 * as a value changes faster than a message goes round. */
static size_t unheard(relay *r, relay_peer *p, graph_write *writes, size_t count)
{
    size_t left = 0;

    for (size_t i = 0; i < count; ++i) {
        const graph_write *w = &writes[i];

        if ((interest_flags(r->interest, &p->interest, w->soul, none) |
             interest_flags(r->interest, &p->interest, w->soul, w->key)) &
            INTEREST_WANTS)
            continue;
        writes[left++] = *w;
    }
    return left;
}

/* Tells the author what HAM kept instead of its writes. Small values go out
 * gathered; a large one, or one too many, is queued by name and read when it leaves. */
static void tell_loser(relay *r, relay_peer *p, const graph_write *writes, size_t count, moment now)
{
    enum { GATHERED = 64, SMALL = 4096 };
    graph_write rows[GATHERED];
    const graph_write *said[GATHERED];
    size_t gathered = 0;

    for (size_t i = 0; i < count; ++i) {
        graph *g = relay_graph(r, writes[i].soul);
        graph_row row;

        if (writes[i].verdict != HAM_KEEP) continue;
        if (g->look(g->context, writes[i].soul, writes[i].key, &row) != STATUS_OK) continue;
        if (policy_expired(policy_life_ms(writes[i].soul), row.state, now.wall_ms)) continue;
        if (row.value.len > SMALL || p->control.bytes > r->limits.outbox_bytes_max) {
            say_kept_row(p, writes[i].soul, writes[i].key);
            continue;
        }
        rows[gathered] = (graph_write){
            .soul = writes[i].soul, .key = writes[i].key, .value = row.value, .state = row.state
        };
        said[gathered] = &rows[gathered];
        if (++gathered == GATHERED) {
            say_kept(r, p, said, gathered, now);
            gathered = 0;
        }
    }
    say_kept(r, p, said, gathered, now);
}

static void tell_copyist(relay *r, relay_peer *p, const graph_write *all, size_t count, moment now)
{
    size_t bytes = (count ? count : 1) * sizeof(graph_write);
    graph_write *writes = arena_take(&r->arena, bytes);

    if (writes != NULL && count > 0) {
        memcpy(writes, all, count * sizeof *writes);
        tell_loser(r, p, writes, unheard(r, p, writes, count), now);
    }
    subscribe_writer(r, p, all, count);
}

/* --- who brings content hashes --- */

static void met(const relay *r, const relay_peer *p, const graph_write *w, bool taken)
{
    if (r->uploads.met != NULL) r->uploads.met(r->uploads.context, p->owner, w, taken);
}

static void met_taken(const relay *r, const relay_peer *p, const graph_write **taken, size_t count)
{
    slice soul = { NULL, 0 };
    bool hashed = false;

    if (r->uploads.met == NULL || taken == NULL) return;
    for (size_t i = 0; i < count; ++i) {
        if (soul.at == NULL || !slice_equal(soul, taken[i]->soul))
            hashed = policy_is_hashed(taken[i]->soul);
        soul = taken[i]->soul;
        if (hashed) met(r, p, taken[i], true);
    }
}

/* --- the look --- */

static void count_looked(relay *r, const looked *l)
{
    r->counts.keys_same += l->known;
    r->counts.keys_stale += l->lost;
    r->counts.keys_expired += l->expired;
}

void put_subscribe(relay *r, relay_peer *p, const message *m, const graph_write *writes,
                   size_t count, moment now)
{
    if (m->at.len == 0 && !is_copy(r, p, m->id, now)) subscribe_writer(r, p, writes, count);
}

/* What is known is not judged again, and costs no signature. The state of a chunk
 * means nothing: it is the same chunk. */
static ham_verdict look_at(relay *r, const graph_write *w, bool hashed, graph_ticket *met,
                           moment now)
{
    graph *g = relay_graph(r, w->soul);
    ham_write incoming = { w->state, w->value }, held;
    graph_row row;
    ham_verdict verdict;

    if (g->look(g->context, w->soul, w->key, &row) != STATUS_OK) return HAM_TAKE;
    held = (ham_write){ row.state, row.value };
    verdict = hashed && slice_equal(row.value, w->value) ? HAM_SAME
                                                         : ham_judge(&held, &incoming, now.wall_ms);
    if (verdict == HAM_SAME || verdict == HAM_KEEP) *met = graph_both(*met, row.ticket);
    return verdict;
}

/* Who lost is told what was kept, and who knew hears of changes from now on; without
 * memory for that they are not. */
static void set_aside(looked *l, arena *a, const message *m, const graph_write *w, ham_verdict v)
{
    if (l->aside == NULL) l->aside = arena_take(a, m->write_count * sizeof *l->aside);
    if (l->aside == NULL) return;
    l->aside[l->aside_count] = *w;
    l->aside[l->aside_count++].verdict = v;
}

/* What was known at the look may have lost since. */
static void look_again(relay *r, const looked *l, moment now)
{
    graph_ticket met = { 0 };

    for (graph_write *w = l->aside; w != NULL && w < l->aside + l->aside_count; ++w)
        if (w->verdict == HAM_SAME &&
            look_at(r, w, policy_is_hashed(w->soul), &met, now) == HAM_KEEP)
            w->verdict = HAM_KEEP;
}

bool put_look(relay *r, relay_peer *p, message *m, looked *l, arena *a, moment now)
{
    size_t end = l->seen + r->limits.put_slice_keys;
    soul_kind last = { .soul = { NULL, 0 } };
    bool hashed = false;

    if (end > m->write_count) end = m->write_count;
    if (!l->concerned) put_subscribe(r, p, m, m->writes + l->seen, end - l->seen, now);
    for (; l->seen < end; ++l->seen) {
        const graph_write *w = &m->writes[l->seen];
        bool same_soul = last.soul.at != NULL && slice_equal(last.soul, w->soul);

        if (place_of(r, &last, w, now) == PLACE_EXPIRED) {
            ++l->expired;
            continue;
        }
        if (!same_soul) hashed = policy_is_hashed(w->soul);
        ham_verdict verdict = look_at(r, w, hashed, &l->met, now);
        if (verdict == HAM_TAKE || verdict == HAM_WAIT) {
            m->writes[l->news++] = *w;
            continue;
        }
        ++*(verdict == HAM_SAME ? &l->known : &l->lost);
        if (hashed && verdict == HAM_SAME) met(r, p, w, false);
        set_aside(l, a, m, w, verdict);
        if (l->concerned) put_subscribe(r, p, m, w, 1, now);
    }
    return l->seen == m->write_count;
}

/* --- an author's put --- */

static void tell(relay *r, relay_peer *p, const graph_write *writes, size_t count, bool copy,
                 moment now)
{
    if (copy)
        tell_copyist(r, p, writes, count, now);
    else
        tell_loser(r, p, writes, count, now);
}

/* False when the store is busy: then nothing has happened. */
static bool apply(relay *r, relay_peer *p, message *m, const looked *l, moment now)
{
    arena *a = &r->arena;
    delivery d = { .origin = p, .id = m->id };
    bool copy = is_copy(r, p, m->id, now);
    graph_ticket ticket;
    status result;
    sorted s;

    if (!sort_places(r, a, m, &s, now)) {
        put_refuse(r, p, m->id, put_failure(STATUS_NO_MEMORY), none, none);
        return true;
    }
    result = merge_all(r, &s, now, &ticket);
    if (result == STATUS_BUSY && s.kept > 0) return false;
    if (result != STATUS_OK) {
        ++r->counts.store_refused;
        put_refuse(r, p, m->id, put_failure(result), none, none);
        return true;
    }
    d.writes = taken_of(r, a, p, &s, &d.count);
    d.whole = d.count == m->write_count && l->seen == l->news;
    met_taken(r, p, d.writes, d.count);
    deliver(r, &d, now);
    tell(r, p, s.writes, s.kept + s.fleeting, copy, now);
    if (copy) look_again(r, l, now);
    tell(r, p, l->aside, l->aside_count, copy, now);
    count_looked(r, l);
    r->counts.keys_expired += s.expired;
    put_ack(r, p, m->id, graph_both(ticket, l->met));
    return true;
}

bool put_hear(relay *r, relay_peer *p, message *m, moment now)
{
    looked nothing = { 0 };

    if (!put_admit(r, p, m, now)) return true;
    put_subscribe(r, p, m, m->writes, m->write_count, now);
    return apply(r, p, m, &nothing, now);
}

/* What lost at the look was not verified, so it cannot stand in the store's record of
 * this put, as what loses in a merge does. If the power takes the row that it lost to,
 * and not this record, the put would be there without that key: so that row is
 * durable first. */
static bool waits_for_met(const relay *r, const looked *l)
{
    graph_progress progress;

    if (l->news == 0 || l->known + l->lost == 0) return false;
    r->store->progress(r->store->context, &progress);
    return graph_settled(l->met, &progress) == GRAPH_WAITING;
}

bool put_apply(relay *r, relay_peer *p, message *m, const looked *l, moment now)
{
    if (waits_for_met(r, l)) return false;
    if (!put_admit(r, p, m, now)) return true;
    if (l->concerned) put_subscribe(r, p, m, m->writes, m->write_count, now);
    return apply(r, p, m, l, now);
}

/* --- answers --- */

static bool wrote(relay *r, relay_peer *p, const graph_write *w)
{
    return interest_flags(r->interest, &p->interest, w->soul, w->key) & INTEREST_WROTE;
}

/* The writes that lost and whose sender is not told anyway of what is kept: who
 * asked for a whole soul has been answered. Who came back and was asked for what
 * it wrote has not, and would stay on its old values; also when it has queried the
 * soul meanwhile, which subscribes to all and answers for some. To be asked before
 * this answer is noted as written. */
static const graph_write *untold(relay *r, relay_peer *p, const graph_write *writes, size_t all,
                                 size_t *count)
{
    graph_write *lost = arena_take(&r->arena, (all ? all : 1) * sizeof *lost);
    slice soul = { NULL, 0 };
    bool told = false;

    *count = 0;
    for (size_t i = 0; i < all && lost != NULL; ++i) {
        const graph_write *w = &writes[i];

        if (w->verdict != HAM_KEEP) continue;
        if (soul.at == NULL || !slice_equal(soul, w->soul)) {
            unsigned flags = interest_flags(r->interest, &p->interest, w->soul, none);
            soul = w->soul;
            told = (flags & INTEREST_WANTS) && !(flags & INTEREST_WROTE);
        }
        if (told && !wrote(r, p, w)) continue;
        lost[(*count)++] = *w;
    }
    return lost;
}

/* What was bad in it, said once. */
static void complain(relay *r, relay_peer *p, const message *m, const refusal *bad)
{
    if (m->bad_count > 0)
        say_err(p, m->id, m->bad.why, m->bad.soul, m->bad.key);
    else if (bad->why.len > 0)
        say_refusal(p, m->id, bad);
    r->counts.keys_dropped += m->bad_count;
}

bool answer_apply(relay *r, relay_peer *p, message *m, const looked *l, const refusal *bad,
                  moment now)
{
    delivery d = { .origin = p };
    const graph_write *lost, *lost_before;
    size_t lost_count, lost_before_count;
    graph_ticket ticket;
    route_end end;
    status result;
    sorted s;

    put_drop_absurd(r, p, m, now);
    if (!sort_places(r, &r->arena, m, &s, now)) return true;
    result = m->write_count == 0 ? STATUS_OK : merge_all(r, &s, now, &ticket);
    /* Nobody would bring it up again: it was asked for, and it came. */
    if (result == STATUS_BUSY && s.kept > 0) return false;
    ++r->counts.answers_in;
    complain(r, p, m, bad);
    count_looked(r, l);
    if (m->write_count == 0 && l->lost == 0 && l->known == 0) return true;
    if (result != STATUS_OK) {
        ++r->counts.store_refused; /* whoever misses it asks again */
        return true;
    }
    r->counts.keys_expired += s.expired;
    lost = untold(r, p, s.writes, s.kept + s.fleeting, &lost_count);
    look_again(r, l, now);
    lost_before = untold(r, p, l->aside, l->aside_count, &lost_before_count);
    subscribe_writer(r, p, m->writes, m->write_count);
    subscribe_writer(r, p, l->aside, l->aside_count);
    d.writes = taken_of(r, &r->arena, p, &s, &d.count);
    if (route_find(r->route, m->at, now.steady_ms, &end)) {
        d.asker = relay_find(r, end.peer);
        if (d.asker == p) d.asker = NULL;
        d.asker_id = arena_copy(&r->arena, end.origin);
    }
    miss_found(r, m->at);
    met_taken(r, p, d.writes, d.count);
    deliver(r, &d, now);
    tell_loser(r, p, lost, lost_count, now);
    tell_loser(r, p, lost_before, lost_before_count, now);
    return true;
}

bool answer_hear(relay *r, relay_peer *p, message *m, moment now)
{
    looked nothing = { 0 };
    refusal good = { .why = { "", 0 } };

    return answer_apply(r, p, m, &nothing, &good, now);
}

/* --- the owner's own writes --- */

status relay_write(relay *r, graph_write *writes, size_t count, moment now, graph_ticket *ticket)
{
    message m = { .writes = writes, .write_count = count };
    delivery d = { .origin = NULL };
    status result;
    sorted s;

    arena_reset(&r->arena, r->limits.snapshot_bytes);
    if (!sort_places(r, &r->arena, &m, &s, now)) return STATUS_NO_MEMORY;
    result = merge_all(r, &s, now, ticket);
    if (result != STATUS_OK) return result;
    d.writes = taken_of(r, &r->arena, NULL, &s, &d.count);
    deliver(r, &d, now);
    return STATUS_OK;
}

/* --- writes come due --- */

typedef struct collecting {
    arena *a;
    const graph_write *rows[1000];
    size_t count;
} collecting;

static bool collect(void *visitor, const graph_row *row)
{
    collecting *c = visitor;
    graph_write *w = arena_take(c->a, sizeof *w);

    if (w == NULL) return true; /* taken all the same; subscribers read it later */
    *w = (graph_write){ .soul = arena_copy(c->a, row->soul),
                        .key = arena_copy(c->a, row->key),
                        .value = arena_copy(c->a, row->value),
                        .state = row->state };
    if (w->soul.at != NULL && w->key.at != NULL && w->value.at != NULL) c->rows[c->count++] = w;
    /* Before the arena is full: a row that is taken has to be told. */
    return c->a->taken < c->a->bytes_max / 2;
}

/* Who wrote it, if that is still known: it is not told. */
static relay_peer *held_by(relay *r, const graph_write *w)
{
    uint64_t hash;
    held_author *slot = author_slot(r, w, &hash);

    return slot->hash == hash ? relay_find(r, slot->peer) : NULL;
}

static void forget_held(relay_peer *p, const graph_write *w)
{
    size_t bytes = put_held_bytes(w);

    if (p->held > 0) --p->held;
    p->held_bytes -= bytes < p->held_bytes ? bytes : p->held_bytes;
}

/* A store that cannot say what is due is asked again after this time. */
enum { DUE_RETRY_MS = 1000 };

static void release(relay *r, graph *g, moment now)
{
    collecting c = { .a = &r->arena };

    if (now.steady_ms < r->due_again_ms || g->next_due(g->context) > now.wall_ms) return;
    arena_reset(&r->arena, r->limits.snapshot_bytes);
    /* What was visited is taken and has to be told, also when the next one failed. */
    if (g->due(g->context, now, sizeof c.rows / sizeof *c.rows, collect, &c) != STATUS_OK)
        r->due_again_ms = now.steady_ms + DUE_RETRY_MS;
    r->counts.keys_released += c.count;
    for (size_t i = 0; i < c.count; ++i) {
        delivery d = { .writes = &c.rows[i], .count = 1, .origin = held_by(r, c.rows[i]) };
        if (d.origin != NULL) forget_held(d.origin, c.rows[i]);
        deliver(r, &d, now);
    }
}

void put_due(relay *r, moment now)
{
    release(r, r->store, now);
    release(r, r->fleeting, now);
}
