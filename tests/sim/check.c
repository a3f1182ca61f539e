/* check.c - what must be true, and what is left open.
 *
 * check_settled() looks at the world after the faults have ended and everybody
 * who was cut off is back, but before anybody asks anew. A page that asked for a
 * soul on its present connection must then have all that the relay has of it,
 * and the relay all that the page has (the ask-back). A page that wrote a key
 * which the relay took must hear of later changes of it, also after a break,
 * as long as the relay was not restarted.
 *
 * Left open (relay-rules.md section 3): what a page wrote while it was cut off,
 * to a soul that it never asked for on this connection, when the relay has an
 * older value. `open_restarted`: the relay had heard of that page as a writer of
 * the soul, and was restarted since. `open_unknown`: it never had, or could not
 * know the page again, or the page learnt it from a neighbour in a way that a
 * page passes on to nobody (an answer; a write that came due later). And
 * `open_refused`: the store took nothing for a while (a full disk, a latched one),
 * and of what pages brought up then, asked back, the relay knows nothing; a writer
 * who came back then was not told what it has missed. And `open_chunks`: nobody is
 * asked back for chunks, which are large, and which whoever wants them asks for.
 * These are counted, not failures; after healing, when every page gets every soul
 * it holds, nothing may be left but chunks.
 *
 * What has expired pages keep and the relay does not: it is left out.
 */
#include "tests/sim/world.h"

bool disk_cell(world *w, int soul, int key, cell *out)
{
    graph *table = store_graph(w->store);
    graph_row row;

    *out = (cell){ .has = false };
    if (table->look(table->context, names_soul(soul), names_key(key), &row) != STATUS_OK)
        return false;
    *out = (cell){ row.value, row.state, true };
    return true;
}

/* As HAM does; but a chunk is the same one whatever its state is. */
static int order_at(int soul, const cell *a, const cell *b)
{
    if (names_place_of(soul)->kind == NAMES_CHUNKS) return (int)a->has - (int)b->has;
    return cell_order(a, b);
}

static bool is_expired(const world *w, int soul, const cell *c)
{
    return c->has && world_expired(w, soul, c->state);
}

static int most(int len)
{
    return len < 40 ? len : 40;
}

static void fail_cell(world *w, const char *what, int who, int soul, int key, const cell *has,
                      const cell *wants)
{
    world_fail(w, "%s: client %d, %.*s . %.*s: %.*s @ %.17g, not %.*s @ %.17g", what, who,
               (int)names_soul_json(soul).len, names_soul_json(soul).at,
               (int)names_key_json(key).len, names_key_json(key).at,
               has->has ? most((int)has->value.len) : 1, has->has ? has->value.at : "-", has->state,
               wants->has ? most((int)wants->value.len) : 1, wants->has ? wants->value.at : "-",
               wants->state);
}

void check_acked_after_crash(world *w)
{
    double wall = world_moment(w).wall_ms;

    for (int s = 0; s < w->soul_count; s++)
        for (int k = 0; k < NAMES_KEYS; k++) {
            cell kept;

            disk_cell(w, s, k, &kept);
            if (w->acked_now[s][k].state > wall) continue; /* the clock was set back */
            if (store_may_be_purged(w->store, s, k, w->acked_now[s][k].state)) continue;
            if (is_expired(w, s, &w->acked_now[s][k])) continue;
            if (order_at(s, &kept, &w->acked_now[s][k]) < 0)
                fail_cell(w, "a crash lost an acknowledged write", -1, s, k, &kept,
                          &w->acked_now[s][k]);
        }
}

/* --- puts and gets --- */

static void check_heard(world *w, const conn *k)
{
    for (const heard *h = k->heard; h != NULL; h = h->next) {
        int len = (int)h->id.len;

        if (h->kind == HEARD_PUT && h->acks > h->times)
            world_fail(w, "conn %d: put %.*s was acknowledged %d times", k->number, len, h->id.at,
                       h->acks);
        if (k->over || k->peer == NULL) continue;
        if (h->kind == HEARD_PUT && h->acks != h->times)
            world_fail(w, "conn %d: put %.*s, heard %d times, has %d acks", k->number, len,
                       h->id.at, h->times, h->acks);
        if (h->kind == HEARD_GET && h->answers < h->times)
            world_fail(w, "conn %d: get %.*s, heard %d times, has %d answers", k->number, len,
                       h->id.at, h->times, h->answers);
    }
}

static void check_answers(world *w)
{
    for (size_t i = 0; i < w->conn_count; i++) check_heard(w, w->conns[i]);
}

/* --- settled --- */

/* All that the page could be asked for. */
static cell page_cell(const client *c, int soul, int key)
{
    cell best = c->ram[soul][key];
    const cell *stored = &c->storage[soul][key];

    if (stored->has) cell_merge(&best, stored->value, stored->state);
    return best;
}

/* The page itself, that is: of a get that it passed on for a neighbour it may
 * drop the answer (gun: an "@" and "##" that it has seen as "#" and "##"). */
static bool asked(const client *c, int soul)
{
    bool any = c->asked[soul];

    for (int i = 0; i < NAMES_KEYS; i++) any |= c->asked_key[soul][i];
    return any;
}

/* A page keeps what the relay had to forget. */
static bool is_purged(const world *w, int soul, int key, const cell *held)
{
    return held->has && store_may_be_purged(w->store, soul, key, held->state);
}

static void check_page_hears(world *w, const client *c, int s, int key)
{
    bool asks = c->asked[s] || c->asked_key[s][key];
    cell kept;

    if (!asks && !c->conn->wrote[s][key]) return;
    if (!disk_cell(w, s, key, &kept) || is_expired(w, s, &kept)) return;
    if (order_at(s, &c->seen[s][key], &kept) >= 0) return;
    if (!asks && w->store_refused)
        w->counts.open_refused++;
    else
        fail_cell(w, asks ? "a page that asked was not told" : "a page that wrote was not told",
                  c->number, s, key, &c->seen[s][key], &kept);
}

static void check_relay_hears(world *w, const client *c, int s, int key)
{
    cell kept, held = page_cell(c, s, key);

    disk_cell(w, s, key, &kept);
    if (order_at(s, &kept, &held) >= 0 || is_purged(w, s, key, &held)) return;
    if (is_expired(w, s, &held)) return;
    if (names_place_of(s)->kind == NAMES_CHUNKS) {
        w->counts.open_chunks++;
        return;
    }
    if (w->store_refused) {
        w->counts.open_refused++;
        return;
    }
    if ((asked(c, s) || c->conn->returned[s]) && !c->late[s][key]) {
        fail_cell(w, "an edit was not brought up", c->number, s, key, &kept, &held);
        return;
    }
    if (c->wrote[s][key] && w->incarnation > 1)
        w->counts.open_restarted++;
    else
        w->counts.open_unknown++;
}

void check_signed(world *w)
{
    for (int s = 0; s < w->soul_count; s++)
        for (int k = 0; k < NAMES_KEYS; k++) {
            wire_write x = { .soul = s, .key = k };
            cell kept;

            if (!disk_cell(w, s, k, &kept)) continue;
            x.value = kept.value;
            x.state = kept.state;
            if (!people_is_good(w->people, &x))
                fail_cell(w, "the store holds what nobody may write", -1, s, k, &kept, &kept);
        }
}

void check_settled(world *w)
{
    check_answers(w);
    check_signed(w);
    store_check_purged(w->store);
    for (int i = 0; i < w->client_count; i++) {
        const client *c = &w->clients[i];

        if (c->state != CLIENT_OPEN || c->conn->peer == NULL) {
            world_fail(w, "client %d is not back", i);
            return;
        }
        for (int s = 0; s < w->soul_count; s++)
            for (int k = 0; k < NAMES_KEYS; k++) {
                check_page_hears(w, c, s, k);
                check_relay_hears(w, c, s, k);
            }
    }
}

/* --- equal --- */

static void check_page_equals(world *w, const client *c, int s, int k)
{
    cell kept, held = page_cell(c, s, k), ram = c->ram[s][k];

    disk_cell(w, s, k, &kept);
    if (!c->healed[s]) return; /* it has come to know of it since */
    if (is_expired(w, s, &kept) || is_expired(w, s, &held)) return;
    if (names_place_of(s)->kind == NAMES_CHUNKS && !kept.has) return;
    if (order_at(s, &kept, &held) != 0 && (kept.has || !is_purged(w, s, k, &held)))
        fail_cell(w, "diverged", c->number, s, k, &held, &kept);
    if (cell_order(&ram, &held) != 0)
        fail_cell(w, "memory and localStorage diverged", c->number, s, k, &ram, &held);
}

void check_equal(world *w)
{
    check_answers(w);
    check_signed(w);
    store_check_purged(w->store);
    for (int s = 0; s < w->soul_count; s++)
        for (int k = 0; k < NAMES_KEYS; k++) {
            cell kept;

            disk_cell(w, s, k, &kept);
            if (order_at(s, &kept, &w->acked_any[s][k]) < 0 &&
                !is_expired(w, s, &w->acked_any[s][k]) && !is_purged(w, s, k, &w->acked_any[s][k]))
                fail_cell(w, "an acknowledged write is lost", -1, s, k, &kept, &w->acked_any[s][k]);
            for (int i = 0; i < w->client_count; i++) check_page_equals(w, &w->clients[i], s, k);
        }
}

/* --- gone --- */

void check_gone(world *w)
{
    relay_gauges g;
    const relay_limits *l = &w->options.limits;

    w->now_us += (l->keepsake_ms + l->miss_quiet_ms + 5000) * 1000;
    for (int i = 0; i < 20; i++) {
        store_settle(w->store);
        w->now_us += 2000000;
        relay_turn(w->relay, world_moment(w));
    }
    if (relay_ready(w->relay) != NULL) world_fail(w, "a peer that left is ready");
    relay_measure(w->relay, &g);
#define GONE(gauge)                                                                                \
    if (g.gauge != 0)                                                                              \
    world_fail(w, "everybody left, and " #gauge " is %llu", (unsigned long long)g.gauge)
    GONE(peers);
    GONE(interests);
    GONE(souls_wanted);
    GONE(keepsakes);
    GONE(outbox_bytes);
    GONE(walk_bytes);
    GONE(suspended_bytes);
    GONE(acks_waiting);
    GONE(misses);
    GONE(fleeting_rows);
    GONE(fleeting_bytes);
    GONE(peers_melted);
#undef GONE
}
