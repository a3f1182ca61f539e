/* relay_deliver.c - who hears of a change.
 *
 * One update is one text, shared by all who get all of it. A put of one key, or
 * of one soul that everybody watches whole, needs nothing more. Where peers want
 * different parts of a put, the pairs (peer, part) are sorted by peer, and
 * neighbours with equal parts share a text again.
 */
#include "core/relay_inside.h"

#include <stdlib.h>

typedef struct part {
    relay_peer *peer;
    size_t from, to; /* of the delivery's writes */
} part;

typedef struct sending {
    relay *r;
    const delivery *d;
    moment now;
    frame *whole; /* the text of everything, once somebody needed it */
    part *parts;
    size_t part_count, part_room;
    size_t from, to; /* what the current visit is about */
    bool failed;
} sending;

/* --- the text --- */

/* An update keeps the author's id where it is the author's whole message and
 * nobody has seen that id; else it gets one of its own, and replies to it find
 * the author under the id that he knows. */
static slice update_id(sending *s, bool whole, char fresh[static RELAY_ID_LEN])
{
    relay *r = s->r;
    const delivery *d = s->d;
    slice id;

    if (whole && d->whole && d->origin != NULL && relay_id_travels(d->id) &&
        route_add(r->route, d->id, d->origin->number, d->id, s->now.steady_ms))
        return d->id;
    id = relay_new_id(r, fresh);
    if (d->origin != NULL && d->id.len > 0)
        route_add(r->route, id, d->origin->number, d->id, s->now.steady_ms);
    return id;
}

static frame *frame_of(text *t)
{
    frame *f = text_ok(t) ? frame_new(t->len) : NULL;

    if (f == NULL) return NULL;
    memcpy(frame_text(f), t->at, t->len);
    f->len = t->len;
    f->count = 1;
    return f;
}

static frame *update_frame(sending *s, const graph_write *const *writes, size_t count, bool whole)
{
    char fresh[RELAY_ID_LEN];
    text *t = line_begin(s->r);

    print_update(t, update_id(s, whole, fresh), (slice){ NULL, 0 }, writes, count);
    return frame_of(t);
}

static frame *whole_frame(sending *s)
{
    if (s->whole == NULL) s->whole = update_frame(s, s->d->writes, s->d->count, true);
    if (s->whole == NULL) s->failed = true;
    return s->whole;
}

/* --- queueing, and melting --- */

static void mark_writes(relay_peer *p, const graph_write *const *writes, size_t count)
{
    relay *r = p->relay;

    for (size_t i = 0; i < count; ++i)
        if (marks_add(&p->marks, writes[i]->soul, writes[i]->key, r->limits.marks_max, r->secret) !=
            STATUS_OK)
            peer_close(p, 1011);
    r->counts.updates_melted += count;
}

/* Turns one queued update back into what it is about. */
static bool mark_frame(relay_peer *p, frame *f)
{
    message_limits limits = relay_message_limits(p->relay);
    arena a = arena_make(p->relay->arena.bytes_max);
    message_fault fault;
    message m;
    bool read;

    limits.put_keys_max = UINT32_MAX / 2;
    read = message_read(&m, &a, frame_slice(f), &limits, &fault) == STATUS_OK;
    for (size_t i = 0; read && i < m.write_count; ++i) {
        const graph_write *one = &m.writes[i];
        mark_writes(p, &one, 1);
    }
    arena_free(&a);
    return read;
}

static void melt(relay_peer *p)
{
    for (frame *f = lane_take(&p->live); f != NULL; f = lane_take(&p->live)) {
        if (!mark_frame(p, f)) peer_close(p, 1011);
        frame_drop(f);
    }
}

/* Whether an update is of chunks only. */
static bool is_of_chunks(const graph_write *const *writes, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (!policy_is_hashed(writes[i]->soul)) return false;
    return true;
}

static void live_say(relay_peer *p, frame *f, const graph_write *const *writes, size_t count)
{
    size_t most = p->relay->limits.outbox_bytes_max;
    lane *to = is_of_chunks(writes, count) ? &p->chunks : &p->live;

    ++p->relay->counts.updates;
    if (to == &p->live && p->marks == NULL && p->live.bytes + f->len > most) melt(p);
    if ((to == &p->live && p->marks != NULL) || to->bytes + f->len > most) {
        mark_writes(p, writes, count);
    } else if (lane_share(to, frame_hold(f)) != STATUS_OK) {
        frame_drop(f);
        peer_close(p, 1011);
    }
    peer_news(p);
}

/* --- who --- */

static bool is_excluded(const sending *s, const relay_peer *p)
{
    return p == s->d->origin || p == s->d->asker;
}

static bool visit_all(void *visitor, interest_holder *holder, unsigned flags)
{
    sending *s = visitor;
    relay_peer *p = relay_holder_peer(holder);

    (void)flags;
    if (is_excluded(s, p) || p->stamp == s->r->stamp) return true;
    p->stamp = s->r->stamp;
    if (whole_frame(s) == NULL) return false;
    live_say(p, s->whole, s->d->writes, s->d->count);
    return true;
}

static bool visit_part(void *visitor, interest_holder *holder, unsigned flags)
{
    sending *s = visitor;
    relay_peer *p = relay_holder_peer(holder);

    (void)flags;
    if (is_excluded(s, p)) return true;
    if (s->part_count == s->part_room) {
        size_t room = s->part_room ? s->part_room * 2 : 64;
        part *parts = realloc(s->parts, room * sizeof *parts);
        if (parts == NULL) {
            s->failed = true;
            return false;
        }
        s->parts = parts;
        s->part_room = room;
    }
    s->parts[s->part_count++] = (part){ p, s->from, s->to };
    return true;
}

static int part_order(const void *a, const void *b)
{
    const part *x = a, *y = b;

    if (x->peer != y->peer) return x->peer->number < y->peer->number ? -1 : 1;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return x->to > y->to ? -1 : x->to < y->to; /* the longer one first */
}

/* The writes in parts [first, last) of one peer, each once. */
static size_t gather(const sending *s, size_t first, size_t last, const graph_write **out)
{
    size_t count = 0, done = 0;

    for (size_t i = first; i < last; ++i) {
        size_t from = s->parts[i].from > done ? s->parts[i].from : done;
        for (size_t w = from; w < s->parts[i].to; ++w) out[count++] = s->d->writes[w];
        if (s->parts[i].to > done) done = s->parts[i].to;
    }
    return count;
}

static bool same_parts(const sending *s, size_t a, size_t a_end, size_t b, size_t b_end)
{
    if (a_end - a != b_end - b) return false;
    for (; a < a_end; ++a, ++b)
        if (s->parts[a].from != s->parts[b].from || s->parts[a].to != s->parts[b].to) return false;
    return true;
}

static void send_parts(sending *s)
{
    const graph_write **writes = malloc(s->d->count * sizeof *writes);
    size_t first = 0, last, before = 0, before_end = 0, count = 0;
    frame *f = NULL;

    if (writes == NULL) {
        s->failed = true;
        return;
    }
    for (; first < s->part_count && !s->failed; first = last) {
        for (last = first; last < s->part_count && s->parts[last].peer == s->parts[first].peer;)
            ++last;
        if (f == NULL || !same_parts(s, first, last, before, before_end)) {
            frame_drop(f);
            count = gather(s, first, last, writes);
            f = count == s->d->count ? whole_frame(s) : update_frame(s, writes, count, false);
            if (f == NULL) break;
            if (f == s->whole) frame_hold(f);
            before = first;
            before_end = last;
        }
        live_say(s->parts[first].peer, f, writes, count);
    }
    s->failed |= f == NULL && s->part_count > 0;
    frame_drop(f);
    free(writes);
}

static size_t soul_end(const delivery *d, size_t from)
{
    size_t to = from + 1;

    while (to < d->count && slice_equal(d->writes[to]->soul, d->writes[from]->soul)) ++to;
    return to;
}

static void send_mixed(sending *s)
{
    const delivery *d = s->d;
    interest *want = s->r->interest;

    for (size_t from = 0, to; from < d->count; from = to) {
        to = soul_end(d, from);
        s->from = from;
        s->to = to;
        interest_each(want, d->writes[from]->soul, (slice){ "", 0 }, visit_part, s);
        for (size_t i = from; i < to; ++i) {
            s->from = i;
            s->to = i + 1;
            interest_each(want, d->writes[i]->soul, d->writes[i]->key, visit_part, s);
        }
    }
    if (s->part_count == 0) return;
    qsort(s->parts, s->part_count, sizeof *s->parts, part_order);
    send_parts(s);
    free(s->parts);
}

/* The asker gets what his get has brought up, under his own id. */
static void send_asker(sending *s)
{
    const delivery *d = s->d;
    char fresh[RELAY_ID_LEN];
    text *t = line_begin(s->r);
    frame *f;

    print_update(t, relay_new_id(s->r, fresh), d->asker_id, d->writes, d->count);
    f = frame_of(t);
    if (f == NULL) {
        s->failed = true;
        return;
    }
    live_say(d->asker, f, d->writes, d->count);
    frame_drop(f);
}

static bool visit_close(void *visitor, interest_holder *holder, unsigned flags)
{
    (void)flags;
    if (!is_excluded(visitor, relay_holder_peer(holder)))
        peer_close(relay_holder_peer(holder), 1011);
    return true;
}

/* There was no memory to tell everybody. Who may have missed something must not
 * believe that it has heard all: it comes back and asks anew. */
static void close_audience(sending *s)
{
    for (size_t i = 0; i < s->d->count; ++i) {
        const graph_write *w = s->d->writes[i];
        interest_each(s->r->interest, w->soul, (slice){ "", 0 }, visit_close, s);
        interest_each(s->r->interest, w->soul, w->key, visit_close, s);
    }
    if (s->d->asker != NULL) peer_close(s->d->asker, 1011);
}

void deliver(relay *r, const delivery *d, moment now)
{
    sending s = { .r = r, .d = d, .now = now };

    if (d->count == 0) return;
    for (size_t i = 0; r->learns && i < d->count; ++i)
        guard_learn(r->guard, d->writes[i]->soul, d->writes[i]->value);
    if (r->news != NULL) r->news(r->news_context, d->writes, d->count);
    ++r->stamp;
    if (d->asker != NULL) send_asker(&s);
    if (d->count == 1) {
        interest_each(r->interest, d->writes[0]->soul, (slice){ "", 0 }, visit_all, &s);
        interest_each(r->interest, d->writes[0]->soul, d->writes[0]->key, visit_all, &s);
    } else {
        send_mixed(&s);
    }
    if (s.failed) close_audience(&s);
    frame_drop(s.whole);
}
