/* link.c - connections, and the host of the relay: what server/ is to it in
 * earnest.
 *
 * A connection is ordered and whole until it breaks. Each direction is a queue
 * of frames with their times of arrival; a break cuts a suffix off both, and the
 * two ends learn of it each in its own time, the relay maybe seconds later.
 *
 * The relay's loop turns when something arrived, when the disk has synced and
 * when the relay itself wants it. A connection takes bytes up to its window and
 * more when the client has read them.
 */
#include "core/relay.h"
#include "tests/sim/world.h"

#include <stdlib.h>

enum { START_AGAIN_US = 300000 }; /* after the store could not be opened */

static void lane_add(lane *p, frame *f)
{
    *(p->first ? &p->last->next : &p->first) = f;
    p->last = f;
    p->bytes += f->len;
}

static frame *lane_take(lane *p)
{
    frame *f = p->first;

    if (f == NULL) return NULL;
    p->first = f->next;
    p->bytes -= f->len;
    f->next = NULL;
    return f;
}

static void lane_cut(lane *p, uint32_t keep)
{
    lane kept = { .last_at_us = p->last_at_us };

    while (keep-- > 0 && p->first != NULL) lane_add(&kept, lane_take(p));
    while (p->first != NULL) free(lane_take(p));
    *p = kept;
}

static uint32_t lane_frames(const lane *p)
{
    uint32_t count = 0;

    for (const frame *f = p->first; f != NULL; f = f->next) count++;
    return count;
}

static void plan_arrival(conn *k, lane *p, event_kind kind)
{
    world *w = k->world;
    int64_t at = w->now_us + dice_between(&w->dice, k->slow_us, k->slow_us + k->jitter_us);

    if (at < p->last_at_us) at = p->last_at_us;
    p->last_at_us = at;
    world_plan(w, at - w->now_us, (event){ .kind = kind, .conn = k });
}

/* --- the life of a connection --- */

conn *conn_open(client *c)
{
    static const size_t windows[] = { 200, 2000, 65536, 65536 };
    world *w = c->world;
    conn *k = must(calloc(1, sizeof *k));

    if (w->conn_count == w->conn_room) {
        w->conn_room = w->conn_room ? w->conn_room * 2 : 64;
        w->conns = must(realloc(w->conns, w->conn_room * sizeof(conn *)));
    }
    k->world = w;
    k->client = c;
    k->number = (int)w->conn_count;
    k->window = windows[dice_below(&w->dice, 4)];
    k->slow_us = dice_between(&w->dice, 100, dice_percent(&w->dice, 50) ? 2000 : 60000);
    k->jitter_us = dice_between(&w->dice, 0, 20000);
    w->conns[w->conn_count++] = k;
    plan_arrival(k, &k->up, EVENT_ARRIVE);
    return k;
}

void conn_free(conn *k)
{
    lane_cut(&k->up, 0);
    lane_cut(&k->down, 0);
    while (k->unread != NULL) {
        frame *f = k->unread;
        k->unread = f->next;
        free(f);
    }
    while (k->heard != NULL) {
        heard *h = k->heard;
        k->heard = h->next;
        free(h->writes);
        free(h->was_news);
        free(h);
    }
    text_free(&k->partial);
    free(k);
}

void conn_send_up(conn *k, slice bytes)
{
    if (k == NULL || k->over) return;
    world_log(k->world, ">", k->client->number, bytes);
    lane_add(&k->up, world_frame(bytes));
    plan_arrival(k, &k->up, EVENT_UP);
}

void conn_break(conn *k, bool clean)
{
    world *w = k->world;
    char note[32];

    if (k->over) return;
    k->over = true;
    snprintf(note, sizeof note, "conn %d%s", k->number, clean ? " cleanly" : "");
    world_log(w, "breaks", k->client->number, (slice){ note, strlen(note) });
    w->counts.breaks++;
    lane_cut(&k->up, clean ? 0 : dice_below(&w->dice, lane_frames(&k->up) + 1));
    lane_cut(&k->down, clean ? 0 : dice_below(&w->dice, lane_frames(&k->down) + 1));
    k->partial.len = k->partial_read = 0;
    /* The relay mostly learns of it at once, sometimes only when a ping failed. */
    int64_t late = clean ? 0 : dice_percent(&w->dice, 20) ? 8000000 : 50000;
    world_plan(w, dice_between(&w->dice, 0, late), (event){ .kind = EVENT_RELAY_LOST, .conn = k });
    world_plan(w, clean ? 0 : dice_between(&w->dice, 0, 500000),
               (event){ .kind = EVENT_CLIENT_LOST, .conn = k });
}

/* The relay's own side of the end of a connection. */
static void relay_loses(conn *k)
{
    world *w = k->world;

    if (k->peer == NULL) return;
    world_log(w, "is lost to the relay", k->client->number, SLICE(""));
    /* A page that was reloaded has another pid than its old connection had. */
    if (strcmp(k->pid, k->client->pid) == 0) judge_keeps(k);
    relay_leave(w->relay, k->peer, world_moment(w));
    k->peer = NULL;
    while (k->unread != NULL) {
        frame *f = k->unread;
        k->unread = f->next;
        free(f);
    }
    relay_turn_soon(w, 0);
}

/* --- what the relay says --- */

static void frame_leaves(conn *k)
{
    world *w = k->world;
    slice bytes = text_slice(&k->partial);

    world_log(w, "<", k->client->number, bytes);
    judge_said(k, bytes);
    lane_add(&k->down, world_frame(bytes));
    plan_arrival(k, &k->down, EVENT_DOWN);
    k->partial.len = k->partial_read = 0;
}

/* A piece of a message, or all of one. The bytes before it belong to whoever
 * puts it on the wire, and a careless relay would feel this. */
static void piece_leaves(conn *k, const relay_piece *piece)
{
    if (piece->first == k->in_partial)
        world_fail(k->world, "conn %d: a frame begins inside another", k->number);
    memset(piece->at - RELAY_HEADROOM, 0xee, RELAY_HEADROOM);
    text_add(&k->partial, (slice){ piece->at, piece->len });
    k->in_partial = !piece->last;
    if (piece->last) frame_leaves(k);
}

static bool has_room(const conn *k)
{
    return k->down.bytes + k->partial.len - k->partial_read < k->window;
}

static void drain(conn *k)
{
    world *w = k->world;
    relay_piece piece;

    /* A dead connection takes nothing: its buffer is full. */
    while (k->peer != NULL && !k->over && !w->failed && has_room(k) &&
           relay_next(w->relay, k->peer, &piece, world_moment(w))) {
        piece_leaves(k, &piece);
        relay_sent(w->relay, k->peer, world_moment(w));
    }
    if (k->over || has_room(k) || k->down.first != NULL || k->read_planned) return;
    k->read_planned = true;
    world_plan(w, dice_between(&w->dice, 100, 30000), (event){ .kind = EVENT_READ, .conn = k });
}

static void reads(conn *k)
{
    k->read_planned = false;
    k->partial_read = k->partial.len;
    if (k->peer != NULL) drain(k);
}

/* --- turns --- */

void relay_turn_soon(world *w, int64_t in_us)
{
    if (in_us < 0) in_us = 0;
    if (w->relay == NULL || w->turn_at_us <= w->now_us + in_us) return;
    w->turn_at_us = w->now_us + in_us;
    world_plan(w, in_us, (event){ .kind = EVENT_TURN });
}

static void hear_unread(conn *k)
{
    world *w = k->world;

    while (k->unread != NULL && k->peer != NULL && relay_reading(k->peer) && !w->failed) {
        frame *f = k->unread;

        k->unread = f->next;
        judge_heard(k, (slice){ f->text, f->len });
        relay_hear(w->relay, k->peer, (slice){ f->text, f->len }, world_moment(w));
        free(f);
    }
}

static void serve_ready(world *w)
{
    for (relay_peer *p; (p = relay_ready(w->relay)) != NULL && !w->failed;) {
        conn *k = relay_owner(p);

        if (relay_closing(p) != 0)
            world_fail(w, "the relay closes client %d: %d", k->client->number, relay_closing(p));
        drain(k);
        if (k->unread != NULL && relay_reading(p)) relay_turn_soon(w, 0);
    }
}

static void plan_sync(world *w)
{
    if (w->sync_planned || store_is_radisk(w->store)) return;
    w->sync_planned = true;
    world_plan(w, dice_between(&w->dice, 500, dice_percent(&w->dice, 10) ? 400000 : 20000),
               (event){ .kind = EVENT_SYNC });
}

/* Arrived frames of all connections, some first this time and others the next. */
static void turn(world *w)
{
    size_t first = w->conn_count ? dice_below(&w->dice, (uint32_t)w->conn_count) : 0;

    w->turn_at_us = INT64_MAX;
    for (size_t i = 0; i < w->conn_count && !w->crashed; i++) {
        conn *k = w->conns[(first + i) % w->conn_count];
        if (k->unread != NULL) hear_unread(k);
    }
    store_turn(w->store);
    relay_turn(w->relay, world_moment(w));
    if (w->crashed) check_acked_after_crash(w);
    if (w->crashed) check_signed(w);
    w->crashed = false;
    serve_ready(w);
    store_turn(w->store);
    plan_sync(w);

    moment now = world_moment(w);
    int64_t due = relay_due_ms(w->relay, now);
    if (due != INT64_MAX) relay_turn_soon(w, due > now.steady_ms ? due * 1000 - w->now_us : 1000);
}

/* --- the relay's life --- */

void relay_start(world *w)
{
    if (!store_start(w->store)) {
        if (!w->failed) world_plan(w, START_AGAIN_US, (event){ .kind = EVENT_UP_AGAIN });
        return;
    }
    w->incarnation++;
    w->options.store = store_graph(w->store);
    for (size_t i = 0; i < sizeof w->options.secret; i++)
        w->options.secret[i] = (uint8_t)dice_bits(&w->dice);
    if (relay_new(&w->relay, &w->options) != STATUS_OK) must(NULL);
    w->turn_at_us = INT64_MAX;
    world_log(w, "the relay starts", -1, SLICE(""));
    relay_turn_soon(w, 0);
}

static void all_lose_the_relay(world *w)
{
    relay_free(w->relay);
    w->relay = NULL;
    for (size_t i = 0; i < w->conn_count; i++) {
        conn *k = w->conns[i];

        k->peer = NULL;
        if (!k->over) conn_break(k, false);
    }
    for (int i = 0; i < w->client_count; i++)
        memset(w->clients[i].kept, 0, sizeof w->clients[i].kept);
}

void relay_crash(world *w)
{
    if (w->relay == NULL) return;
    world_log(w, "the relay crashes", -1, SLICE(""));
    w->counts.crashes++;
    all_lose_the_relay(w);
    store_crash(w->store);
    w->crashed = true;
}

/* Everything durable, every ack out, then the end. */
void relay_stop(world *w)
{
    if (w->relay == NULL) return;
    world_log(w, "the relay stops", -1, SLICE(""));
    w->counts.stops++;
    store_flush(w->store);
    relay_turn(w->relay, world_moment(w));
    serve_ready(w);
    all_lose_the_relay(w);
    store_stop(w->store);
}

/* --- events --- */

static void arrives(conn *k)
{
    world *w = k->world;

    if (k->over) return;
    if (w->relay == NULL) {
        k->over = true; /* refused */
        world_plan(w, k->slow_us, (event){ .kind = EVENT_CLIENT_LOST, .conn = k });
        return;
    }
    k->incarnation = w->incarnation;
    if (relay_join(w->relay, &k->peer, k, world_moment(w)) != STATUS_OK) must(NULL);
    plan_arrival(k, &k->down, EVENT_OPEN);
    relay_turn_soon(w, 0);
}

static void opens(conn *k)
{
    if (k->client->conn != k || k->over) return;
    k->client_open = true;
    client_opened(k->client);
    client_flush(k->client);
}

static void arrives_up(conn *k)
{
    frame *f = lane_take(&k->up);

    if (f == NULL) return; /* lost in a break */
    if (k->peer == NULL) {
        free(f);
        return;
    }
    *(k->unread ? &k->unread_last->next : &k->unread) = f;
    k->unread_last = f;
    k->world->counts.up++;
    relay_turn_soon(k->world, dice_between(&k->world->dice, 0, 1000));
}

static void arrives_down(conn *k)
{
    frame *f = lane_take(&k->down);
    client *c = k->client;

    if (f == NULL) return;
    k->world->counts.down++;
    if (c->conn == k) {
        client_hear_frame(c, (slice){ f->text, f->len });
        client_flush(c);
    }
    free(f);
    if (!k->over) drain(k);
}

static void client_learns(conn *k)
{
    client *c = k->client;

    lane_cut(&k->down, 0);
    if (c->conn != k) return;
    world_log(k->world, "lost the relay", c->number, SLICE(""));
    client_lost(c);
    if (c->state == CLIENT_AWAY)
        world_plan(k->world, dice_between(&k->world->dice, 500000, 8000000),
                   (event){ .kind = EVENT_RETURN, .who = c->number, .era = c->era });
}

void link_event(world *w, const event *e)
{
    switch (e->kind) {
    case EVENT_UP:
        arrives_up(e->conn);
        break;
    case EVENT_DOWN:
        arrives_down(e->conn);
        break;
    case EVENT_ARRIVE:
        arrives(e->conn);
        break;
    case EVENT_READ:
        reads(e->conn);
        break;
    case EVENT_OPEN:
        opens(e->conn);
        break;
    case EVENT_CLIENT_LOST:
        client_learns(e->conn);
        break;
    case EVENT_RELAY_LOST:
        if (e->conn->peer != NULL) relay_loses(e->conn);
        break;
    case EVENT_TURN:
        if (w->relay != NULL && w->turn_at_us == w->now_us) turn(w);
        break;
    case EVENT_SYNC:
        w->sync_planned = false;
        store_synced(w->store);
        break;
    case EVENT_FOLDED:
        store_folded(w->store);
        break;
    case EVENT_UP_AGAIN:
        if (w->relay == NULL) relay_start(w);
        break;
    default:
        world_fail(w, "an event that nobody expects");
    }
}
