/* exchange.c - see exchange.h. */
#include "tests/bench/exchange.h"

#include "tests/bench/clock.h"
#include "tests/bench/talk.h"

#include <stdlib.h>

/* A gun.js client forgets an ack after 9 s: what comes later never came. */
enum { PATIENCE_MS = 9000, DRAIN_QUIET_MS = 10000, TICK_MS = 100, PACED_TICK_MS = 1 };

typedef struct slot {
    uint64_t asked_ns;
    uint32_t generation; /* of the question that is or was last here */
    uint32_t values_due; /* data values still to come; 0 for what is acked */
    bool open;
    bool is_get;
    bool gave_up; /* the generation before this one was never answered */
} slot;

typedef struct line {
    slot *slots;
    uint16_t *free;
    uint32_t free_count;
    uint32_t own_next; /* turns among the souls that only this line writes */
} line;

struct exchange {
    exchange_options options;
    exchange_result result;
    talk_tag tag;
    talk_text text;
    line *lines;
    uint32_t line_count, line_first;
    uint64_t open;
    uint64_t souls_made; /* new souls, behind the first `souls` */
    uint64_t chance;
    uint64_t progress_ns;
    uint64_t began_ns;
    bool asking, measuring;
};

static uint32_t chance_below(exchange *x, uint32_t limit)
{
    x->chance = x->chance * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)((x->chance >> 32) * limit >> 32);
}

/* --- asking --- */

/* Souls that are written more than once belong to one connection each: across
 * connections a later state may arrive first, and a stale put has no ack from
 * gun.js. */
static uint32_t own_soul(exchange *x, uint32_t index)
{
    uint32_t share = x->options.souls / x->line_count;
    uint32_t turn = x->lines[index].own_next++;

    if (share == 0) return index % x->options.souls;
    return index + x->line_count * (turn % share);
}

/* The souls of the next connection: what I follow, somebody else changes. */
static uint32_t followed_soul(exchange *x, uint32_t index)
{
    uint32_t share = x->options.souls / x->line_count;
    uint32_t neighbour = (index + 1) % x->line_count;

    return share == 0 ? neighbour % x->options.souls
                      : neighbour + x->line_count * chance_below(x, share);
}

static uint64_t new_soul(exchange *x)
{
    return x->options.souls + x->souls_made++;
}

static void add_put(exchange *x, talk_id id, uint64_t number)
{
    char name[TALK_NAME_MAX];
    talk_node node = { .soul = talk_name(name, x->options.prefix, number),
                       .keys = x->options.keys,
                       .value_bytes = x->options.value_bytes,
                       .mark = TALK_VALUE_MARK };

    talk_put(&x->text, &x->tag, id, &node);
}

static void add_get(exchange *x, talk_id id, uint64_t number)
{
    char name[TALK_NAME_MAX];

    talk_get(&x->text, &x->tag, id, talk_name(name, x->options.prefix, number));
}

/* Returns whether it is a get. */
static bool add_mixed(exchange *x, talk_id id, uint32_t index)
{
    uint32_t dice = chance_below(x, 10);

    if (dice < 7) add_get(x, id, followed_soul(x, index));
    if (dice == 7) add_put(x, id, own_soul(x, index));
    if (dice > 7) add_put(x, id, new_soul(x));
    return dice < 7;
}

static bool add_question(exchange *x, talk_id id, uint32_t index)
{
    const exchange_options *o = &x->options;

    switch (o->kind) {
    case EXCHANGE_PUT:
        add_put(x, id, o->souls == 0 ? new_soul(x) : own_soul(x, index));
        return false;
    case EXCHANGE_GET:
        add_get(x, id, chance_below(x, o->souls));
        return true;
    case EXCHANGE_MIXED:
        return add_mixed(x, id, index);
    case EXCHANGE_ECHO:
        talk_echo(&x->text, &x->tag, id, o->value_bytes);
        return false;
    case EXCHANGE_BODIES:
        talk_prepared(&x->text, &x->tag, id, o->bodies->lines[x->result.asked]);
        return false;
    }
    return false;
}

static void ask(exchange *x, uint32_t index, uint64_t now_ns)
{
    line *l = &x->lines[index];
    uint16_t at = l->free[--l->free_count];
    slot *s = &l->slots[at];

    s->generation = (s->generation + 1) & TALK_GENERATION_MASK;
    s->asked_ns = now_ns;
    s->open = true;
    s->is_get = add_question(x, (talk_id){ (uint16_t)index, at, s->generation }, index);
    s->values_due = s->is_get ? x->options.keys : 0;
    x->open++;
    x->result.asked++;
}

static bool more_to_ask(const exchange *x)
{
    const exchange_options *o = &x->options;

    if (o->kind == EXCHANGE_BODIES && x->result.asked == o->bodies->count) return false;
    return x->asking && (x->options.count == 0 || x->result.asked < x->options.count);
}

/* With a rate, what is behind it leaves at once: the load does not ease when the
 * server stutters. */
static bool is_time_to_ask(const exchange *x)
{
    double rate = x->options.rate;

    return rate <= 0 || (double)x->result.asked < rate * (double)(clock_ns() - x->began_ns) / 1e9;
}

/* One frame of questions: alone as an object, several as an array. */
static void ask_frame(exchange *x, uint32_t index, wire *w)
{
    uint64_t now_ns = clock_ns();
    bool batch = x->options.frame > 1;

    x->text.len = 0;
    if (batch) talk_add(&x->text, SLICE("["));
    for (uint32_t i = 0; i < x->options.frame && more_to_ask(x); i++) {
        if (i > 0) talk_add(&x->text, SLICE(","));
        ask(x, index, now_ns);
    }
    if (batch) talk_add(&x->text, SLICE("]"));
    wire_say(w, talk_slice(&x->text));
}

static void ask_what_fits(exchange *x, uint32_t index, wire *w)
{
    while (wire_living(w) && x->lines[index].free_count >= x->options.frame && more_to_ask(x) &&
           is_time_to_ask(x))
        ask_frame(x, index, w);
}

/* Begins with another line each time, so that all have their share of a rate. */
static void ask_all(exchange *x)
{
    uint32_t first = x->line_first++ % x->line_count;

    for (uint32_t i = 0; i < x->line_count; i++) {
        uint32_t index = (first + i) % x->line_count;
        ask_what_fits(x, index, fleet_wire(x->options.fleet, index));
    }
}

/* --- hearing --- */

static void close_slot(exchange *x, line *l, uint16_t at)
{
    l->slots[at].open = false;
    l->free[l->free_count++] = at;
    x->open--;
}

static void settle(exchange *x, line *l, uint16_t at, const talk_answer *a)
{
    slot *s = &l->slots[at];
    uint64_t now_ns = clock_ns();

    s->gave_up = false;
    x->progress_ns = now_ns;
    x->result.answered++;
    if (a->err != x->options.forged) x->result.refused++;
    if (s->is_get && a->values == 0) x->result.empty++;
    if (x->measuring) {
        x->result.measured++;
        tally_record(&x->result.latency, now_ns - s->asked_ns);
    }
    close_slot(x, l, at);
}

/* An answer to a question that is no longer open. Nodes come in several parts, and
 * from gun.js twice over, so that only acks are counted. */
static void hear_again(exchange *x, slot *s, const talk_answer *a)
{
    bool before =
        a->id.generation == ((s->generation - (s->open ? 1u : 0u)) & TALK_GENERATION_MASK);

    if (before && s->gave_up) {
        x->result.late++;
        s->gave_up = false;
    } else if (a->values == 0 && (a->ok || a->err)) {
        x->result.twice++;
    }
}

static void hear_answer(exchange *x, const talk_answer *a)
{
    if (a->id.wire >= x->line_count || a->id.slot >= x->options.window) return;

    line *l = &x->lines[a->id.wire];
    slot *s = &l->slots[a->id.slot];
    if (!s->open || s->generation != a->id.generation) {
        hear_again(x, s, a);
        return;
    }
    if (a->values > 0 && a->values < s->values_due) {
        s->values_due -= a->values;
        return;
    }
    settle(x, l, a->id.slot, a);
}

static void on_text(void *context, wire *w, slice frame)
{
    exchange *x = context;
    talk_answer answer;
    size_t from = 0;

    while (talk_next_answer(frame, &x->tag, &from, &answer)) hear_answer(x, &answer);
    x->text.len = 0;
    if (wire_heard(w) < 8 && talk_greeting(&x->text, frame, wire_index(w)))
        wire_say(w, talk_slice(&x->text));
    ask_what_fits(x, wire_index(w), w);
}

/* --- running --- */

static void give_up_line(exchange *x, line *l, uint64_t before_ns)
{
    for (uint32_t i = 0; i < x->options.window; i++) {
        slot *s = &l->slots[i];
        if (!s->open || s->asked_ns > before_ns) continue;
        s->gave_up = true;
        x->result.lost++;
        close_slot(x, l, (uint16_t)i);
    }
}

static void give_up(exchange *x, uint64_t before_ns)
{
    for (uint32_t i = 0; i < x->line_count; i++) {
        give_up_line(x, &x->lines[i], before_ns);
        ask_what_fits(x, i, fleet_wire(x->options.fleet, i));
    }
}

/* Whether the other exchange, if there is one to wait for, has measured. */
static bool is_over(const exchange *x)
{
    return x->options.until_over != NULL && atomic_load(x->options.until_over);
}

static void turn_until(exchange *x, uint64_t until_ns)
{
    uint64_t tick_ns = clock_ns(), tick_ms = x->options.rate > 0 ? PACED_TICK_MS : TICK_MS;

    for (uint64_t now = tick_ns; now < until_ns; now = clock_ns()) {
        uint64_t left_ms = (until_ns - now) / 1000000u + 1;
        fleet_turn(x->options.fleet, (int)(left_ms < tick_ms ? left_ms : tick_ms));
        if (x->options.rate > 0) ask_all(x);
        if (!more_to_ask(x) && x->open == 0) return;
        if (x->measuring && is_over(x)) return;
        if (fleet_living(x->options.fleet) == 0) return;
        if (now - tick_ns < 1000000000u) continue;
        tick_ns = now;
        if (now > PATIENCE_MS * 1000000ull) give_up(x, now - PATIENCE_MS * 1000000ull);
    }
}

static void measure(exchange *x)
{
    const exchange_options *o = &x->options;
    double server = machine_cpu_ms(o->server), own = machine_own_cpu_ms();
    uint64_t began = clock_ns();

    x->measuring = true;
    bool open_end = o->count > 0 || o->until_over != NULL;
    turn_until(x, open_end ? UINT64_MAX : began + o->measure_ms * 1000000ull);
    x->measuring = false;
    if (o->says_over != NULL) atomic_store(o->says_over, true);
    x->result.seconds = (double)(clock_ns() - began) / 1e9;
    x->result.server_cpu_ms = machine_cpu_ms(o->server) - server;
    x->result.own_cpu_ms = machine_own_cpu_ms() - own;
    x->result.memory = machine_read_memory(o->server);
}

/* Waits for what is open, as long as something still comes. */
static void drain(exchange *x)
{
    x->asking = false;
    x->progress_ns = clock_ns();
    while (x->open > 0 && clock_ns() - x->progress_ns < DRAIN_QUIET_MS * 1000000ull)
        turn_until(x, clock_ns() + TICK_MS * 1000000ull);
    give_up(x, UINT64_MAX);
    /* A second ack would come about now. */
    uint64_t until = clock_ns() + 300000000u;
    while (clock_ns() < until) fleet_turn(x->options.fleet, 50);
}

const exchange_result *exchange_run(exchange *x)
{
    x->asking = true;
    x->began_ns = clock_ns();
    ask_all(x);
    if (x->options.warm_ms > 0) turn_until(x, clock_ns() + x->options.warm_ms * 1000000ull);
    measure(x);
    drain(x);
    return &x->result;
}

const exchange_result *exchange_outcome(const exchange *x)
{
    return &x->result;
}

bool exchange_adds_up(const exchange_result *r)
{
    return r->answered == r->asked && r->refused == 0 && r->empty == 0 && r->twice == 0 &&
           r->lost == 0;
}

static bool make_line(exchange *x, line *l)
{
    uint32_t window = x->options.window;

    l->slots = calloc(window, sizeof *l->slots);
    l->free = calloc(window, sizeof *l->free);
    if (l->slots == NULL || l->free == NULL) return false;
    for (uint32_t i = 0; i < window; i++) l->free[i] = (uint16_t)(window - 1 - i);
    l->free_count = window;
    return true;
}

exchange *exchange_new(const exchange_options *options)
{
    exchange *x = calloc(1, sizeof *x);

    if (x == NULL) return NULL;
    x->options = *options;
    x->tag = talk_new_tag();
    x->chance = clock_ns();
    x->line_count = fleet_size(options->fleet);
    x->lines = calloc(x->line_count, sizeof *x->lines);
    for (uint32_t i = 0; x->lines != NULL && i < x->line_count; i++) {
        if (make_line(x, &x->lines[i])) continue;
        exchange_free(x);
        return NULL;
    }
    fleet_listen(options->fleet, on_text, x);
    return x;
}

void exchange_free(exchange *x)
{
    if (x == NULL) return;
    fleet_listen(x->options.fleet, NULL, NULL);
    for (uint32_t i = 0; x->lines != NULL && i < x->line_count; i++) {
        free(x->lines[i].slots);
        free(x->lines[i].free);
    }
    free(x->lines);
    free(x->text.at);
    free(x);
}
