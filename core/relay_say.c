/* relay_say.c - the small messages, and what leaves next.
 *
 * One place decides what a socket is given: relay_next(). The order is the
 * design's: a message that has begun is finished, then control, then live
 * updates, then answers; but after LIVE_RUN frames of updates an answer has its
 * turn, or a peer whose changes come as fast as it reads would never have one.
 * What was not found is told behind what was found at the same time: sea.js checks
 * signatures aside, and gun forgets a not-found that comes while one put is being
 * checked and is followed by another (`any` in gun.js: `wait` stays set), and with it
 * the put of its user that waited for it.
 * Chunks are last, their answers and their changes: audio waits for everything.
 * Nothing comes between the pieces of one message.
 */
#include "core/keyed.h"
#include "core/relay_inside.h"

#include <assert.h>
#include <stdlib.h>

/* Frames above this leave in pieces, so that a slow socket never makes its
 * transport copy more than one. */
enum { PIECE_MAX = 64 * 1024, LIVE_RUN = 16 };

/* --- small messages --- */

/* Never repeats within a relay's life, and cannot be guessed from outside. */
slice relay_new_id(relay *r, char out[static RELAY_ID_LEN])
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXZabcdefghijklmnopqrstuvwxyz";
    uint64_t x = ++r->ids;

    x = keyed_hash(r->secret, (slice){ (const char *)&x, sizeof x });
    for (size_t i = 0; i < RELAY_ID_LEN; ++i, x /= sizeof letters - 1)
        out[i] = letters[x % (sizeof letters - 1)];
    return (slice){ out, RELAY_ID_LEN };
}

bool relay_id_travels(slice id)
{
    static const char *const known[] = {
        "__proto__",        "constructor",      "hasOwnProperty",       "isPrototypeOf",
        "toLocaleString",   "toString",         "propertyIsEnumerable", "valueOf",
        "__defineGetter__", "__defineSetter__", "__lookupGetter__",     "__lookupSetter__",
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
        if (slice_equal(id, (slice){ known[i], strlen(known[i]) })) return false;
    return id.len > 0;
}

text *line_begin(relay *r)
{
    text_reset(&r->line, PIECE_MAX);
    return &r->line;
}

void line_id(relay *r, text *t)
{
    char id[RELAY_ID_LEN];

    text_add(t, SLICE("{\"#\":\""));
    text_add(t, relay_new_id(r, id));
    text_add_char(t, '"');
}

void line_name(text *t, const char *field, slice name)
{
    text_add(t, SLICE(",\""));
    text_add(t, (slice){ field, strlen(field) });
    text_add(t, SLICE("\":"));
    json_print_name(t, name);
}

void line_number(text *t, const char *field, double number)
{
    text_add(t, SLICE(",\""));
    text_add(t, (slice){ field, strlen(field) });
    text_add(t, SLICE("\":"));
    text_add_number(t, number);
}

/* A message that finds no memory is lost with its peer: a peer that was owed an
 * ack must not wait for ever on an open connection. */
static void say_in(relay_peer *p, lane *to, const text *line)
{
    if (!text_ok(line) || lane_say(to, text_slice(line)) != STATUS_OK) {
        peer_close(p, 1011);
        return;
    }
    if (p->walk != NULL && walk_within(p)) ++p->relay->counts.acks_delayed;
    peer_weigh(p);
    peer_news(p);
}

void say(relay_peer *p, const text *line)
{
    say_in(p, &p->control, line);
}

void say_ack(relay_peer *p, slice at)
{
    text *t = line_begin(p->relay);

    line_id(p->relay, t);
    line_name(t, "@", at);
    text_add(t, SLICE(",\"ok\":true}"));
    say(p, t);
    ++p->relay->counts.puts_ok;
}

/* Names what was wrong: enough of it to find it, not all of 64 KB. */
static void add_shortened(text *t, slice name)
{
    enum { SHOWN = 60 };
    size_t len = name.len < SHOWN ? name.len : SHOWN;

    while (len < name.len && len > 0 && ((unsigned char)name.at[len] & 0xC0) == 0x80) --len;
    text_add(t, (slice){ name.at, len });
    if (len < name.len) text_add(t, SLICE("..."));
}

static void add_reason(text *t, const char *why, slice soul, slice key)
{
    text reason = { 0 };

    text_add(&reason, (slice){ why, strlen(why) });
    if (key.len > 0) {
        text_add(&reason, SLICE(": key '"));
        add_shortened(&reason, key);
        text_add_char(&reason, '\'');
    }
    if (soul.len > 0) {
        text_add(&reason, key.len > 0 ? SLICE(" on '") : SLICE(": soul '"));
        add_shortened(&reason, soul);
        text_add_char(&reason, '\'');
    }
    if (text_ok(&reason))
        json_print_name(t, text_slice(&reason));
    else
        t->failed = true;
    text_free(&reason);
}

/* Under the id of what is refused, or, when it has none, to the peer as such. */
static text *err_begin(relay_peer *p, slice at)
{
    text *t = line_begin(p->relay);

    line_id(p->relay, t);
    if (at.len > 0)
        line_name(t, "@", at);
    else
        text_add(t, SLICE(",\"dam\":\"!\""));
    return t;
}

void say_err(relay_peer *p, slice at, const char *why, slice soul, slice key)
{
    text *t = err_begin(p, at);

    text_add(t, SLICE(",\"err\":"));
    add_reason(t, why, soul, key);
    text_add_char(t, '}');
    say(p, t);
}

void say_refusal(relay_peer *p, slice at, const refusal *why)
{
    text *t;

    if (!why->exact) {
        say_err(p, at, why->why.at, why->soul, why->key);
        return;
    }
    t = err_begin(p, at);
    line_name(t, "err", why->why);
    text_add(t, SLICE(",\"of\":{\"#\":"));
    json_print_name(t, why->soul);
    line_name(t, ".", why->key);
    text_add(t, SLICE("}}"));
    say(p, t);
}

void say_scold(relay_peer *p, const char *why)
{
    say_err(p, (slice){ NULL, 0 }, why, (slice){ NULL, 0 }, (slice){ NULL, 0 });
}

void relay_scold(relay *r, relay_peer *p, slice why, moment now)
{
    text *t = line_begin(r);

    (void)now;
    line_id(r, t);
    text_add(t, SLICE(",\"dam\":\"!\""));
    line_name(t, "err", why);
    text_add_char(t, '}');
    say(p, t);
}

void say_not_found(relay_peer *p, lane *to, slice at)
{
    text *t = line_begin(p->relay);

    line_id(p->relay, t);
    if (at.len > 0) line_name(t, "@", at);
    text_add_char(t, '}');
    say_in(p, to, t);
    ++p->relay->counts.gets_missed;
}

void say_greeting(relay_peer *p, slice at)
{
    relay *r = p->relay;
    text *t = line_begin(r);

    line_id(r, t);
    if (at.len > 0) line_name(t, "@", at);
    text_add(t, SLICE(",\"dam\":\"?\""));
    line_name(t, "pid", (slice){ r->pid, r->pid_len });
    text_add_char(t, '}');
    say(p, t);
}

/* --- updates --- */

static void print_node(text *t, const graph_write *const *w, size_t count)
{
    json_print_name(t, w[0]->soul);
    text_add(t, SLICE(":{\"_\":{\"#\":"));
    json_print_name(t, w[0]->soul);
    text_add(t, SLICE(",\">\":{"));
    for (size_t i = 0; i < count; ++i) {
        if (i > 0) text_add_char(t, ',');
        json_print_name(t, w[i]->key);
        text_add_char(t, ':');
        text_add_number(t, w[i]->state);
    }
    text_add(t, SLICE("}}"));
    for (size_t i = 0; i < count; ++i) {
        text_add_char(t, ',');
        json_print_name(t, w[i]->key);
        text_add_char(t, ':');
        text_add(t, w[i]->value);
    }
    text_add_char(t, '}');
}

void print_update(text *t, slice id, slice at, const graph_write *const *writes, size_t count)
{
    size_t i = 0, end;

    text_add(t, SLICE("{\"#\":"));
    json_print_name(t, id);
    if (at.len > 0) line_name(t, "@", at);
    text_add(t, SLICE(",\"put\":{"));
    for (; i < count; i = end) {
        for (end = i + 1; end < count && slice_equal(writes[end]->soul, writes[i]->soul);) ++end;
        if (i > 0) text_add_char(t, ',');
        print_node(t, &writes[i], end - i);
    }
    text_add(t, SLICE("}}"));
}

/* --- what leaves next --- */

/* The row a mark or a kept value names, as a frame of one update; NULL when
 * there is nothing to tell. Its id is noted as the peer's, so that a copy of it
 * is known when another peer passes it on. */
static frame *row_frame(relay *r, relay_peer *p, slice soul, slice key, moment now)
{
    graph *g = relay_graph(r, soul);
    char fresh[RELAY_ID_LEN];
    slice id;
    graph_row row;
    graph_write write;
    const graph_write *writes[] = { &write };
    text *t = line_begin(r);
    frame *f;

    if (g->look(g->context, soul, key, &row) != STATUS_OK) return NULL;
    if (policy_expired(policy_life_ms(soul), row.state, now.wall_ms)) return NULL;
    write = (graph_write){ .soul = soul, .key = key, .value = row.value, .state = row.state };
    id = relay_new_id(r, fresh);
    route_add(r->route, id, p->number, id, now.steady_ms);
    print_update(t, id, (slice){ NULL, 0 }, writes, 1);
    if (!text_ok(t)) return NULL;
    f = frame_new(t->len);
    if (f == NULL) return NULL;
    memcpy(frame_text(f), t->at, t->len);
    f->len = t->len;
    f->count = 1;
    return f;
}

static frame *control_next(relay *r, relay_peer *p, moment now)
{
    frame *f;

    while ((f = lane_take(&p->control)) != NULL && f->kept) {
        frame *row = row_frame(r, p, (slice){ frame_text(f), f->soul_len },
                               (slice){ frame_text(f) + f->soul_len, f->len - f->soul_len }, now);
        frame_drop(f);
        if (row != NULL) return row;
    }
    return f;
}

/* Small shared updates go out together: the syscall is the cost, not the copy. */
static frame *live_gather(relay_peer *p)
{
    frame *first = lane_take(&p->live), *f, *all;

    if (first == NULL) return NULL;
    f = lane_first(&p->live);
    if (f == NULL || first->len + 1 + f->len > FRAME_GATHER) return first;
    all = frame_new(FRAME_GATHER);
    if (all == NULL) return first;
    for (f = first; f != NULL && (all->count == 0 || all->len + 1 + f->len <= FRAME_GATHER);) {
        if (all->count > 0) frame_text(all)[all->len++] = ',';
        memcpy(frame_text(all) + all->len, frame_text(f), f->len);
        all->len += f->len;
        all->count += f->count;
        frame_drop(f == first ? f : lane_take(&p->live));
        f = lane_first(&p->live);
    }
    return all;
}

/* The newest value of what was melted: a frame, or (whole souls) a walk. */
static frame *marks_next(relay *r, relay_peer *p, moment now)
{
    mark m;

    while (marks_first(p->marks, &m)) {
        frame *f = NULL;
        if (m.key.len > 0)
            f = row_frame(r, p, m.soul, m.key, now);
        else
            walk_soul(r, p, m.soul, now);
        marks_drop_first(&p->marks);
        if (f != NULL || p->walk != NULL) return f;
    }
    return NULL;
}

static bool answers_first(const relay_peer *p)
{
    return p->live_run >= LIVE_RUN && !p->starving &&
           (p->answers.count > 0 || p->misses.count > 0 || p->chunks.count > 0 || p->walk != NULL ||
            answer_waits(p));
}

static frame *next_change(relay *r, relay_peer *p, moment now)
{
    frame *f = live_gather(p);

    if (f == NULL && p->walk == NULL) f = marks_next(r, p, now);
    if (f != NULL) ++p->live_run;
    return f;
}

static frame *next_frame(relay *r, relay_peer *p, moment now)
{
    frame *f = control_next(r, p, now);

    if (f == NULL && !answers_first(p)) f = next_change(r, p, now);
    if (f != NULL) return f;
    f = lane_take(&p->answers);
    if (f == NULL) f = lane_take(&p->misses);
    if (f != NULL) p->live_run = 0;
    return f;
}

static bool lend_piece(relay_peer *p, relay_piece *out)
{
    frame *f = p->lent;
    size_t left = f->len - p->lent_at;
    char *at = frame_text(f) + p->lent_at;

    out->first = p->lent_at == 0;
    out->last = left <= PIECE_MAX;
    out->len = out->last ? left : PIECE_MAX;
    out->at = at;
    if (f->refs > 1) {
        p->lent_copy = malloc(RELAY_HEADROOM + out->len);
        if (p->lent_copy == NULL) {
            peer_close(p, 1011);
            return false;
        }
        out->at = p->lent_copy + RELAY_HEADROOM;
        memcpy(out->at, at, out->len);
    }
    p->lent_bytes = out->len;
    return p->is_lent = true;
}

static bool lend_frame(relay *r, relay_peer *p, frame *f, relay_piece *out)
{
    slice whole;

    r->counts.messages_out += f->count;
    p->lent = f;
    p->lent_at = 0;
    if (f->len > PIECE_MAX) return lend_piece(p, out);
    whole = frame_close(f);
    *out = (relay_piece){ frame_text(f) - (f->count == 1 ? 0 : 1), whole.len, true, true };
    p->lent_bytes = whole.len;
    return p->is_lent = true;
}

bool relay_next(relay *r, relay_peer *p, relay_piece *out, moment now)
{
    frame *f;

    assert(!p->is_lent);
    if (p->closing) return false;
    if (p->lent != NULL) return lend_piece(p, out);
    for (;;) {
        if (walk_within(p)) return walk_piece(r, p, out, now);
        f = next_frame(r, p, now);
        if (f != NULL) return lend_frame(r, p, f, out);
        if (p->walk == NULL || walk_is_of_chunks(p)) {
            bool had_turn = p->live_run > 0; /* changes wait for what comes now */

            if (answer_next(r, p, now)) continue;
            p->live_run = 0;
            f = lane_take(&p->chunks);
            if (f != NULL) return lend_frame(r, p, f, out);
            if (p->walk == NULL && had_turn) continue;
            if (p->walk == NULL) return false;
        }
        p->live_run = 0;
        if (walk_piece(r, p, out, now)) return true;
    }
}

void relay_sent(relay *r, relay_peer *p, moment now)
{
    assert(p->is_lent);
    p->is_lent = false;
    p->waited_since = now.steady_ms;
    r->counts.bytes_out += p->lent_bytes;
    free(p->lent_copy);
    p->lent_copy = NULL;
    if (p->lent == NULL) {
        walk_sent(p);
    } else {
        p->lent_at += p->lent_bytes;
        if (p->lent->len <= PIECE_MAX || p->lent_at >= p->lent->len) {
            frame_drop(p->lent);
            p->lent = NULL;
        }
    }
    peer_weigh(p);
}

bool relay_has_output(const relay_peer *p)
{
    return !p->closing && (p->lent != NULL || p->walk != NULL || p->control.count > 0 ||
                           p->live.count > 0 || p->marks != NULL || p->answers.count > 0 ||
                           p->misses.count > 0 || p->chunks.count > 0 || answer_waits(p));
}
