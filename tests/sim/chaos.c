/* chaos.c - what users do and what goes wrong, then healing.
 *
 * A run: chaos for some tens of seconds; then nothing goes wrong any more, the
 * clock steps far enough that no write is in the future, and who was cut off
 * comes back by itself (check_settled); then everybody reconnects and gets
 * again every soul it holds (check_equal); then nobody says anything for half a
 * minute (no frame may move); then all leave (check_gone).
 */
#include "tests/sim/verifier.h"
#include "tests/sim/world.h"
#include "tests/tools/curve.h"

#include <math.h>
#include <stdlib.h>

enum {
    SECOND = 1000000,
    CHAOS_QUIET_US = 40 * SECOND,
    CHAOS_LULL_US = 5 * SECOND,
    CHAOS_LULLS = 60,
    CHAOS_IDLE_US = 30 * SECOND,
    CHAOS_SKEW_MOST_MS = 20 * 3600000, /* the relay takes up to a day ahead */
    CHAOS_COST = 250,
    CHAOS_RING = 3, /* each change goes round it once for every client that was told */
};

static dice *die(world *w)
{
    return &w->dice;
}

/* --- the world as it begins --- */

static uint32_t one_of(world *w, const uint32_t *list, uint32_t count)
{
    return list[dice_below(die(w), count)];
}

#define ONE_OF(w, ...)                                                                             \
    one_of(w, (const uint32_t[]){ __VA_ARGS__ },                                                   \
           sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

/* Small limits make the rare paths common: walks, marks, pauses, debts. A limit
 * that would lose something by design (subscriptions) stays as it is. */
static relay_limits choose_limits(world *w)
{
    relay_limits l = relay_default_limits();

    l.routes = 1024;
    if (dice_percent(die(w), 30)) return l;
    l.outbox_bytes_max = ONE_OF(w, 300, 3000, 4000000);
    l.marks_max = ONE_OF(w, 1, 4, 10000);
    l.answers_max = ONE_OF(w, 1, 3, 1000);
    l.answer_bytes = ONE_OF(w, 100, 600, 1 << 20);
    l.snapshot_bytes = ONE_OF(w, 50, 500, 65536);
    l.fragment_bytes = ONE_OF(w, 40, 300, 16384);
    l.put_slice_keys = ONE_OF(w, 1, 3, 1000);
    l.back_burst = ONE_OF(w, 1, 4, 256);
    l.back_rate = ONE_OF(w, 4, 32);
    l.miss_per_turn = ONE_OF(w, 1, 8);
    l.ahead_messages = ONE_OF(w, 1, 3, 1000);
    l.ahead_bytes = ONE_OF(w, 100, 4000, 1 << 20);
    return l;
}

static void met(void *context, void *owner, const graph_write *write, bool taken)
{
    (void)owner;
    if (!taken) store_known(((world *)context)->store, write->soul, write->key);
}

static void make_relay_options(world *w)
{
    w->options = (relay_options){
        .limits = choose_limits(w),
        .crypto = &test_curve,
        .pool = verifier_pool(w),
        .pid = SLICE("relaypid1"),
        .uploads = { .met = met, .context = w },
    };
    if (dice_percent(die(w), 5)) w->options.pool = (check_pool){ NULL, NULL };
}

static int some_keys_of(world *w, int all)
{
    int mask = 0, many = dice_percent(die(w), 30) ? NAMES_KEYS : 6;

    for (int k = 0; k < NAMES_KEYS; k++)
        if ((int)dice_below(die(w), NAMES_KEYS) < many) mask |= 1 << k;
    return mask & all ? mask & all : 1 << NAMES_FIRST_PLAIN;
}

static int some_keys(world *w, int soul)
{
    const names_place *at = names_place_of(soul);
    int of_people = some_keys_of(w, NAMES_PLAIN_KEYS & ~(1 << NAMES_NEVER));

    if (at->kind == NAMES_CHUNKS) return NAMES_CHUNK_KEYS;
    if (at->kind == NAMES_ALIAS) return NAMES_ALIAS_KEYS;
    if (at->kind == NAMES_FREE) return some_keys_of(w, NAMES_PLAIN_KEYS);
    if (strcmp(at->path, "/blocked") == 0) return NAMES_PEOPLE_KEYS;
    if (strcmp(at->path, "/inbox") == 0) of_people |= 1 << names_find_key(SLICE("a"));
    return at->path[0] == '\0' ? of_people | 1 << NAMES_ACCOUNT : of_people;
}

static void make_neighbours(world *w)
{
    uint32_t kind = dice_below(die(w), 10);
    int n = w->client_count;

    if (kind < 4 || n < 2) return; /* everybody for himself */
    for (int i = 0; i < n; i++) {
        client *c = &w->clients[i];

        if (kind < 8) { /* pairs */
            if ((i ^ 1) < n) c->neighbours[c->neighbour_count++] = i ^ 1;
        } else if (n > 2 && i < CHAOS_RING) {
            int ring = n < CHAOS_RING ? n : CHAOS_RING;

            c->neighbours[c->neighbour_count++] = (i + 1) % ring;
            c->neighbours[c->neighbour_count++] = (i + ring - 1) % ring;
        }
    }
}

static double some_skew(world *w)
{
    switch (dice_below(die(w), 8)) {
    case 0:
        return (double)dice_between(die(w), -CHAOS_SKEW_MOST_MS, CHAOS_SKEW_MOST_MS);
    case 1:
    case 2:
        return (double)dice_between(die(w), -5000, 5000);
    case 3:
    case 4:
        return (double)dice_between(die(w), -50, 50);
    default:
        return 0;
    }
}

/* Most worlds have one, some have two, who may be neighbours. */
static void make_forgers(world *w)
{
    for (int i = w->client_count - 1; i >= w->client_count - 2; i--) {
        client *c = &w->clients[i];

        if (!dice_percent(die(w), i == w->client_count - 1 ? 80 : 20)) continue;
        c->forger = c->damages = true;
        c->person = EVE;
    }
}

static void make_clients(world *w)
{
    w->client_count = (int)dice_between(die(w), 3, CLIENTS_MOST);
    w->soul_count = (int)dice_between(die(w), 2, NAMES_SOULS);
    for (int s = 0; s < w->soul_count; s++) w->keys_of[s] = some_keys(w, s);
    for (int i = 0; i < w->client_count; i++) {
        client *c = &w->clients[i];

        c->world = w;
        c->number = i;
        c->has_storage = dice_percent(die(w), 50);
        c->asks_what_it_wrote = dice_percent(die(w), 30);
        c->batches_strings = dice_percent(die(w), 20);
        c->skew_ms = some_skew(w);
        c->person = ALICE + i % (EVE - ALICE);
        c->damages = dice_percent(die(w), 20);
        client_init(c);
    }
    make_forgers(w);
    make_neighbours(w);
}

static void plan_act(world *w, int who)
{
    world_plan(w, dice_between(die(w), 1000, 900000), (event){ .kind = EVENT_ACT, .who = who });
}

static void plan_fault(world *w)
{
    world_plan(w, dice_between(die(w), 200000, 6 * SECOND), (event){ .kind = EVENT_FAULT });
}

void chaos_init(world *w, store_kind kind)
{
    w->wall_ms = 1795000000000.0 + (double)dice_below(die(w), 1000000);
    w->store = store_new(w, kind);
    w->people = people_new(w);
    make_relay_options(w);
    make_clients(w);
    relay_start(w);
    for (int i = 0; i < w->client_count; i++) {
        world_plan(w, dice_between(die(w), 0, 3 * SECOND),
                   (event){ .kind = EVENT_RETURN, .who = i, .era = w->clients[i].era });
        plan_act(w, i);
    }
    plan_fault(w);
}

/* --- what users do --- */

static int some_soul(world *w)
{
    return (int)dice_below(die(w), (uint32_t)w->soul_count);
}

static int some_key(world *w, int soul)
{
    int key;

    do key = (int)dice_below(die(w), NAMES_KEYS);
    while (!(w->keys_of[soul] >> key & 1));
    return key;
}

/* Over 4 KB, so that radisk keeps it as a blob: few, so that many keys share them;
 * half of them look like base64, which is kept decoded. */
static slice big_value(world *w)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char made[7000];
    uint32_t number = dice_below(store_dice(w->store), 12);
    size_t len = 4400 + 160 * number, at = 0;

    made[at++] = '"';
    for (; at <= len; at++) made[at] = letters[(at * 7 + number) % 64];
    if (number % 2 == 0) made[at / 2] = ' ';
    made[at++] = '"';
    return world_keep(w, (slice){ made, at });
}

/* Writes that are meant to fall together take values that are ordered one way as
 * UTF-16, another as UTF-8. */
static slice some_value(world *w, bool together)
{
    static const char filler[] =
        "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 ";
    char made[2100];
    size_t len = 0, wanted;

    if (store_is_radisk(w->store) && dice_percent(store_dice(w->store), 3)) return big_value(w);
    if (together && dice_percent(die(w), 40))
        return names_value(NAMES_TIES + (int)dice_below(die(w), NAMES_TIES_COUNT));
    if (dice_percent(die(w), 60)) return names_value((int)dice_below(die(w), NAMES_VALUES));
    wanted = (size_t)dice_between(die(w), 1, dice_percent(die(w), 10) ? 2000 : 20);
    made[len++] = '"';
    while (len < wanted) made[len++] = filler[dice_below(die(w), sizeof filler - 1)];
    made[len++] = '"';
    return world_keep(w, (slice){ made, len });
}

/* Most states are the moment of writing. Some are rounded, so that many fall
 * together: a bulk import stamps everything with one. */
static double some_state(client *c, bool together)
{
    world *w = c->world;
    double state = client_new_state(c);

    if (together) return floor(state / 4000) * 4000;
    if (dice_percent(die(w), 5)) return floor(state / 100) * 100 + 0.25;
    return state;
}

static void act_write(client *c)
{
    world *w = c->world;
    wire_write writes[12];
    int count = 0, nodes = dice_percent(die(w), 15) ? 2 : 1, first = some_soul(w);
    bool together = dice_percent(die(w), 25);
    double state = some_state(c, together);

    for (int n = 0; n < nodes; n++) {
        int soul = (first + n) % w->soul_count;
        int keys = dice_percent(die(w), 70) ? 1 : (int)dice_between(die(w), 2, 6), used = 0;

        if (n > 0 && soul == first) break;
        while (keys-- > 0) {
            int key = some_key(w, soul);
            if (used >> key & 1) continue;
            used |= 1 << key;
            writes[count] = (wire_write){ soul, key, some_value(w, together), state };
            if (people_write(w->people, die(w), c->person, &writes[count])) count++;
        }
    }
    client_write(c, writes, count);
}

static void act(client *c)
{
    world *w = c->world;
    uint32_t kind = dice_below(die(w), 100);
    int soul = some_soul(w);

    if (c->forger && kind < 40)
        forger_act(c);
    else if (kind < 62)
        act_write(c);
    else if (kind < 80)
        client_read_soul(c, soul, false);
    else if (kind < 94)
        client_read_key(c, soul, some_key(w, soul));
    else if (kind < 97)
        client_query(c, soul, some_key(w, soul));
}

static void come_back(client *c)
{
    world *w = c->world;

    if (c->state != CLIENT_AWAY) return;
    if (!w->calm && dice_percent(die(w), 60)) { /* a reload; else gun.opt() */
        world_log(w, "reloads", c->number, SLICE(""));
        w->counts.reloads++;
        if (dice_percent(die(w), 20)) memset(c->storage, 0, sizeof c->storage);
        client_reload(c);
        client_load(c);
    } else {
        c->tries_left = 1;
        client_connect(c);
    }
}

/* --- what goes wrong --- */

static conn *some_conn(world *w)
{
    client *c = &w->clients[dice_below(die(w), (uint32_t)w->client_count)];

    return c->conn;
}

static void start_later(world *w)
{
    int64_t low = 50000, high = dice_percent(die(w), 50) ? 1500000 : 9 * SECOND;

    w->relay_skew_ms = (double)dice_between(die(w), -200, 200);
    if (dice_percent(die(w), 20)) w->relay_skew_ms *= 30;
    world_plan(w, dice_between(die(w), low, high), (event){ .kind = EVENT_UP_AGAIN });
}

static void fault(world *w)
{
    uint32_t kind = dice_below(die(w), 10);
    conn *k;

    if (kind < 6) {
        if ((k = some_conn(w)) != NULL) conn_break(k, false);
    } else if (kind < 7 && dice_percent(die(w), 50)) { /* somebody sets a clock */
        client *c = &w->clients[dice_below(die(w), (uint32_t)w->client_count)];

        c->skew_ms = some_skew(w);
        client_wake(c);
    } else if (kind < 7) { /* a page is closed and opened again */
        if ((k = some_conn(w)) != NULL) {
            client *c = k->client;

            conn_break(k, false);
            c->tries_left = 0;
        }
    } else if (w->relay != NULL) {
        if (kind < 9)
            relay_crash(w);
        else
            relay_stop(w);
        start_later(w);
    }
    plan_fault(w);
}

void chaos_event(world *w, const event *e)
{
    client *c = &w->clients[e->who];

    switch (e->kind) {
    case EVENT_ACT:
        if (w->calm) break;
        act(c);
        client_flush(c);
        plan_act(w, e->who);
        break;
    case EVENT_RETURN:
        if (e->era == c->era) come_back(c);
        client_flush(c);
        break;
    case EVENT_DISK_FAULT:
        store_fault(w->store);
        break;
    case EVENT_DISK_ROOM:
        store_room(w->store);
        break;
    case EVENT_OPERATOR:
        store_operator(w->store);
        break;
    case EVENT_CRASH:
        if (w->calm || w->relay == NULL) break;
        relay_crash(w);
        start_later(w);
        break;
    default:
        if (!w->calm) fault(w);
    }
}

/* --- healing --- */

static void calm_down(world *w)
{
    w->calm = true;
    world_log(w, "calm", -1, SLICE(""));
    store_calm(w->store);
    if (w->relay == NULL) relay_start(w);
    w->relay_skew_ms = 0;
    w->wall_ms += 2.5 * CHAOS_SKEW_MOST_MS; /* a step, as after a suspend: no state is ahead */
    for (int i = 0; i < w->client_count; i++) {
        client *c = &w->clients[i];

        client_wake(c);
        if (c->state == CLIENT_AWAY)
            world_plan(w, dice_between(die(w), 0, SECOND),
                       (event){ .kind = EVENT_RETURN, .who = i, .era = c->era });
    }
    relay_turn_soon(w, 0);
}

/* Until all has been said: a page on a slow line, with neighbours who ask through
 * it, needs a minute for its answers. */
static void let_settle(world *w)
{
    uint64_t said;

    world_run(w, w->now_us + CHAOS_QUIET_US);
    for (int i = 0; i < CHAOS_LULLS && !w->failed; i++) {
        said = w->counts.up + w->counts.down;
        world_run(w, w->now_us + CHAOS_LULL_US);
        if (w->counts.up + w->counts.down == said) return;
    }
}

static bool holds(const client *c, int soul)
{
    for (int k = 0; k < NAMES_KEYS; k++)
        if (c->ram[soul][k].has || c->storage[soul][k].has) return true;
    return false;
}

static void heal(world *w)
{
    world_log(w, "heals", -1, SLICE(""));
    w->heals = true;
    for (int i = 0; i < w->client_count; i++) {
        client *c = &w->clients[i];

        if (c->conn != NULL) conn_break(c->conn, true);
        world_run(w, w->now_us); /* both ends learn of it */
        c->era++;
        c->tries_left = 1;
        client_connect(c);
        for (int s = 0; s < w->soul_count; s++) {
            c->healed[s] = holds(c, s);
            if (c->healed[s]) client_read_soul(c, s, true);
        }
        client_flush(c);
        world_run(w, w->now_us + dice_between(die(w), 0, SECOND));
    }
}

/* A get, an answer, an ask-back and its answer for every page and soul; answers
 * may come key by key, and what one brings up is told to all, and passed on by
 * neighbours. The dearest of 300 seeds took 98 frames a page and soul. */
static void check_cost(world *w, uint64_t frames)
{
    uint64_t pages = (uint64_t)w->client_count, souls = (uint64_t)w->soul_count;
    uint64_t bound = pages * souls * CHAOS_COST;

    w->counts.heal_frames += frames;
    if (frames > bound)
        world_fail(w, "healing took %llu frames, more than %llu", (unsigned long long)frames,
                   (unsigned long long)bound);
}

static void idle(world *w)
{
    uint64_t up = w->counts.up, down = w->counts.down;

    world_run(w, w->now_us + CHAOS_IDLE_US);
    if (w->counts.up != up || w->counts.down != down)
        world_fail(w, "not silent when idle: %llu frames up, %llu down",
                   (unsigned long long)(w->counts.up - up),
                   (unsigned long long)(w->counts.down - down));
}

static void leave(world *w)
{
    for (int i = 0; i < w->client_count; i++)
        if (w->clients[i].conn != NULL) {
            w->clients[i].tries_left = 0;
            conn_break(w->clients[i].conn, true);
        }
    w->calm = true;
    world_run(w, w->now_us);
}

void world_live(world *w)
{
    world_run(w, dice_between(die(w), 15, 40) * SECOND);
    if (w->failed) return;
    calm_down(w);
    let_settle(w);
    if (!w->failed) check_settled(w);
    uint64_t before = w->counts.up + w->counts.down;
    if (!w->failed) heal(w);
    let_settle(w);
    if (!w->failed) check_cost(w, w->counts.up + w->counts.down - before);
    if (!w->failed) check_equal(w);
    if (!w->failed) idle(w);
    if (!w->failed) leave(w);
    if (!w->failed) check_gone(w);
}
