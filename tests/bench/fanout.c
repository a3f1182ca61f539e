/* fanout.c - see fanout.h. */
#include "tests/bench/fanout.h"

#include "tests/bench/clock.h"
#include "tests/bench/talk.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    RING = 8192, /* puts whose deliveries are counted at a time */
    SETUP_MS = 30000,
    QUIET_MS = 5000, /* nothing came for so long: it will not come */
    STAMP_DIGITS = 19,
    NUMBER_DIGITS = 8,
};

struct fanout {
    fanout_options options;
    fanout_result result;
    talk_tag tag;
    talk_text text;
    char soul[128];
    uint32_t subscribers;
    uint32_t number;       /* of the last put; they begin at 1 */
    uint32_t under_way;    /* puts that somebody still waits for */
    uint32_t counts[RING]; /* deliveries of put n, at n % RING */
    uint32_t *heard;       /* the greatest number each connection has heard */
    uint32_t answered;     /* gets and puts answered during the setup */
    uint64_t progress_ns, measure_from_ns;
    bool measuring, set_up;
};

/* --- saying --- */

static slice soul_of(const fanout *x)
{
    return (slice){ x->soul, strlen(x->soul) };
}

static void say(fanout *x, uint32_t index)
{
    wire_say(fleet_wire(x->options.fleet, index), talk_slice(&x->text));
}

static void publish(fanout *x)
{
    char mark[64];
    uint32_t number = ++x->number;
    talk_node node = { .soul = soul_of(x),
                       .keys = 1,
                       .first_key = number % FANOUT_KEYS,
                       .value_bytes = x->options.value_bytes,
                       .mark = mark };

    snprintf(mark, sizeof mark, "%s%019llu%08u", TALK_TIMED_MARK, (unsigned long long)clock_ns(),
             number);
    x->counts[number % RING] = 0;
    x->under_way++;
    x->result.puts++;
    x->result.expected += x->subscribers;
    x->text.len = 0;
    talk_put(&x->text, &x->tag,
             (talk_id){ 0, (uint16_t)(number >> 20), number & TALK_GENERATION_MASK }, &node);
    say(x, 0);
}

/* --- hearing --- */

static uint64_t read_number(const char *at, unsigned digits)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < digits; i++) value = value * 10 + (uint64_t)(at[i] - '0');
    return value;
}

static void count_delivery(fanout *x, uint32_t index, uint64_t sent_ns, uint32_t number)
{
    uint64_t now_ns = clock_ns();
    uint32_t *count = &x->counts[number % RING];

    x->progress_ns = now_ns;
    x->result.deliveries++;
    if (number > x->heard[index]) x->heard[index] = number;
    if (++*count > x->subscribers) {
        x->result.twice++;
        return;
    }
    if (*count == x->subscribers && x->under_way > 0) x->under_way--;
    if (!x->measuring) return;
    x->result.measured++;
    if (sent_ns >= x->measure_from_ns) tally_record(&x->result.latency, now_ns - sent_ns);
}

static void hear_values(fanout *x, uint32_t index, slice frame)
{
    static const char MARK[] = ":\"" TALK_TIMED_MARK;
    const char *at = frame.at, *end = frame.at + frame.len;

    while ((at = memmem(at, (size_t)(end - at), MARK, sizeof MARK - 1)) != NULL) {
        at += sizeof MARK - 1;
        if (end - at < STAMP_DIGITS + NUMBER_DIGITS) return;
        count_delivery(x, index, read_number(at, STAMP_DIGITS),
                       (uint32_t)read_number(at + STAMP_DIGITS, NUMBER_DIGITS));
    }
}

static void hear_answers(fanout *x, uint32_t index, slice frame)
{
    talk_answer a;
    size_t from = 0;

    while (talk_next_answer(frame, &x->tag, &from, &a)) {
        x->progress_ns = clock_ns();
        if (!x->set_up) {
            if (a.id.wire == index && (a.ok || a.values > 0)) x->answered++;
        } else if (index == 0) {
            x->result.acked += a.ok ? 1 : 0;
            x->result.refused += a.err ? 1 : 0;
        }
    }
}

/* Answers come to the publisher, and to everybody before it begins: afterwards
 * the subscribers' frames are read once only, for values. */
static void on_text(void *context, wire *w, slice frame)
{
    fanout *x = context;
    uint32_t index = wire_index(w);

    x->text.len = 0;
    if (wire_heard(w) < 8 && talk_greeting(&x->text, frame, index)) say(x, index);
    if (index == 0 || !x->set_up) hear_answers(x, index, frame);
    if (index != 0) hear_values(x, index, frame);
}

/* --- setting up --- */

static bool wait_answers(fanout *x, uint32_t wanted)
{
    uint64_t until = clock_ns() + SETUP_MS * 1000000ull;

    while (x->answered < wanted && clock_ns() < until) fleet_turn(x->options.fleet, 50);
    return x->answered >= wanted;
}

static void turn_for(fanout *x, unsigned ms)
{
    for (uint64_t until = clock_ns() + ms * 1000000ull; clock_ns() < until;)
        fleet_turn(x->options.fleet, 20);
}

/* The node is there before anybody asks: what nobody has, relays ask of all. */
static bool set_up(fanout *x)
{
    talk_node node = { .soul = soul_of(x),
                       .keys = FANOUT_KEYS,
                       .value_bytes = x->options.value_bytes,
                       .mark = TALK_VALUE_MARK };

    if (x->options.bare) return true;
    x->text.len = 0;
    talk_put(&x->text, &x->tag, (talk_id){ 0, UINT16_MAX, 0 }, &node);
    say(x, 0);
    if (!wait_answers(x, 1)) return false;
    for (uint32_t i = 1; i <= x->subscribers; i++) {
        x->text.len = 0;
        talk_get(&x->text, &x->tag, (talk_id){ (uint16_t)i, UINT16_MAX, 0 }, soul_of(x));
        say(x, i);
    }
    return wait_answers(x, 1 + x->subscribers);
}

/* --- running --- */

static void publish_what_fits(fanout *x)
{
    if (clock_ns() - x->progress_ns > QUIET_MS * 1000000ull) x->under_way = 0;
    while (x->under_way < x->options.window) publish(x);
}

/* Turns, publishing what is due, until then. */
static void turn_until(fanout *x, uint64_t until_ns, uint64_t *next_ns)
{
    uint64_t step_ns = x->options.rate > 0 ? (uint64_t)(1e9 / x->options.rate) : 0;

    for (uint64_t now = clock_ns(); now < until_ns; now = clock_ns()) {
        if (step_ns == 0) publish_what_fits(x);
        for (; step_ns > 0 && *next_ns <= now; *next_ns += step_ns) publish(x);
        fleet_turn(x->options.fleet, 1);
    }
}

static void measure(fanout *x, uint64_t *next_ns)
{
    const fanout_options *o = &x->options;
    double server = machine_cpu_ms(o->server), own = machine_own_cpu_ms();

    x->measure_from_ns = clock_ns();
    x->measuring = true;
    turn_until(x, x->measure_from_ns + o->measure_ms * 1000000ull, next_ns);
    x->measuring = false;
    x->result.seconds = (double)(clock_ns() - x->measure_from_ns) / 1e9;
    x->result.server_cpu_ms = machine_cpu_ms(o->server) - server;
    x->result.own_cpu_ms = machine_own_cpu_ms() - own;
    x->result.memory = machine_read_memory(o->server);
}

static bool all_heard(const fanout *x)
{
    bool acked = x->options.bare || x->result.acked + x->result.refused >= x->result.puts;

    return acked && x->result.deliveries - x->result.twice >= x->result.expected;
}

static void drain(fanout *x)
{
    x->progress_ns = clock_ns();
    while (!all_heard(x) && clock_ns() - x->progress_ns < QUIET_MS * 1000000ull)
        fleet_turn(x->options.fleet, 50);
    turn_for(x, 300);
    for (uint32_t i = 1; i <= x->subscribers; i++)
        if (x->heard[i] != x->number) x->result.behind++;
}

bool fanout_run(fanout *x, const fanout_result **out)
{
    *out = &x->result;
    fleet_listen(x->options.fleet, on_text, x);
    bool ready = set_up(x);
    if (ready) {
        turn_for(x, 300);
        x->set_up = true;
        x->progress_ns = clock_ns();
        uint64_t next_ns = x->progress_ns;
        turn_until(x, next_ns + x->options.warm_ms * 1000000ull, &next_ns);
        measure(x, &next_ns);
        drain(x);
    }
    fleet_listen(x->options.fleet, NULL, NULL);
    return ready;
}

bool fanout_adds_up(const fanout_result *r, bool bare)
{
    bool acked = bare || (r->acked == r->puts && r->refused == 0);

    return acked && r->behind == 0 && r->twice == 0;
}

fanout *fanout_new(const fanout_options *options)
{
    fanout *x = calloc(1, sizeof *x);

    if (x == NULL) return NULL;
    x->options = *options;
    x->tag = talk_new_tag();
    x->subscribers = fleet_size(options->fleet) - 1;
    x->heard = calloc(fleet_size(options->fleet), sizeof *x->heard);
    snprintf(x->soul, sizeof x->soul, "%s%.*s", options->prefix, TALK_TAG_BYTES, x->tag.at);
    if (x->heard != NULL) return x;
    fanout_free(x);
    return NULL;
}

void fanout_free(fanout *x)
{
    if (x == NULL) return;
    free(x->heard);
    free(x->text.at);
    free(x);
}
