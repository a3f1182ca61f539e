/* first.c - see first.h. */
#include "tests/bench/first.h"

#include "tests/bench/clock.h"
#include "tests/bench/fleet.h"
#include "tests/bench/talk.h"

#include <stdlib.h>
#include <time.h>

enum { KNOCK_US = 500, AGAIN_MS = 5 };

typedef struct first {
    const first_options *options;
    first_result *result;
    fleet *fleet;
    talk_tag tag;
    talk_text text;
    uint64_t number; /* of the soul */
    uint32_t generation;
    bool heard; /* an answer to the question that was last */
} first;

static void on_text(void *context, wire *w, slice frame)
{
    first *f = context;
    talk_answer answer;
    size_t from = 0;

    while (talk_next_answer(frame, &f->tag, &from, &answer)) {
        if (answer.id.generation != f->generation) continue;
        f->heard = true;
        if (answer.values > 0)
            f->result->got_ns = clock_ns();
        else if (answer.ok)
            f->result->acked_ns = clock_ns();
        else if (answer.err)
            f->result->refused++;
        else
            f->result->empty++;
    }
    f->text.len = 0;
    if (talk_greeting(&f->text, frame, 0)) wire_say(w, talk_slice(&f->text));
}

static bool in_time(const first *f, uint64_t began_ns)
{
    return clock_ns() - began_ns < f->options->patience_ms * 1000000ull;
}

static bool knock(first *f, uint64_t began_ns)
{
    fleet_options options = { .port = f->options->port, .path = f->options->path, .wires_max = 1 };
    struct timespec pause = { .tv_nsec = KNOCK_US * 1000 };

    while (in_time(f, began_ns)) {
        f->fleet = fleet_new(&options);
        if (f->fleet == NULL) return false;
        f->result->knocks++;
        if (fleet_open(f->fleet, 1, (int)f->options->patience_ms)) {
            f->result->open_ns = clock_ns();
            fleet_listen(f->fleet, on_text, f);
            return true;
        }
        fleet_free(f->fleet);
        f->fleet = NULL;
        nanosleep(&pause, NULL);
    }
    return false;
}

static void say(first *f, bool put)
{
    char name[TALK_NAME_MAX];
    talk_id id = { 0, 0, ++f->generation };
    slice soul = talk_name(name, f->options->prefix, f->number);
    talk_node node = { .soul = soul, .keys = 1, .value_bytes = 100, .mark = TALK_VALUE_MARK };

    f->text.len = 0;
    f->heard = false;
    if (put)
        talk_put(&f->text, &f->tag, id, &node);
    else
        talk_get(&f->text, &f->tag, id, soul);
    wire_say(fleet_wire(f->fleet, 0), talk_slice(&f->text));
}

/* Asks until *done is not 0; what was answered otherwise is asked again. */
static bool ask(first *f, bool put, const uint64_t *done, uint64_t began_ns)
{
    while (*done == 0 && in_time(f, began_ns)) {
        say(f, put);
        fleet_turn(f->fleet, 0);
        while (!f->heard && in_time(f, began_ns) && fleet_living(f->fleet) == 1)
            fleet_turn(f->fleet, 10);
        if (fleet_living(f->fleet) != 1) return false;
        for (uint64_t from = clock_ns(); *done == 0 && clock_ns() - from < AGAIN_MS * 1000000ull;)
            fleet_turn(f->fleet, 1);
    }
    return *done != 0;
}

bool first_run(const first_options *options, first_result *out)
{
    uint64_t began_ns = clock_ns();
    first f = { .options = options, .result = out, .tag = talk_new_tag() };

    *out = (first_result){ 0 };
    f.number = began_ns / 1000 % options->souls;
    bool good = knock(&f, began_ns) && ask(&f, false, &out->got_ns, began_ns) &&
                ask(&f, true, &out->acked_ns, began_ns);
    if (f.fleet != NULL) fleet_free(f.fleet);
    free(f.text.at);
    return good;
}
