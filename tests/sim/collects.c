/* collects.c - see collects.h. */
#include "tests/sim/collects.h"

#include "radisk/space.h"
#include "tests/sim/world.h"

#include <math.h>
#include <stdlib.h>

typedef struct promised {
    double since, taken; /* wall time: of the last promise; of the last merge that took it */
    uint64_t batch;      /* of that merge */
    bool may_go;
} promised;

struct collects {
    world *world;
    dice dice; /* its own: the others' throws are the same without it */
    size_t grace_ms;
    bool asked;
    promised chunks[NAMES_SOULS][NAMES_KEYS];
    uint64_t done;
};

collects *collects_new(world *w)
{
    static const size_t graces[] = { 300, 2000, 10000, 60000 };
    collects *c = must(calloc(1, sizeof *c));

    c->world = w;
    c->dice.state = w->seed ^ 0x3c79ac492ba7b653ULL;
    c->grace_ms = graces[dice_below(&c->dice, sizeof graces / sizeof *graces)];
    for (int s = 0; s < NAMES_SOULS; s++)
        for (int k = 0; k < NAMES_KEYS; k++)
            c->chunks[s][k] = (promised){ .since = -(double)INFINITY, .taken = -(double)INFINITY };
    return c;
}

void collects_free(collects *c)
{
    free(c);
}

size_t collects_grace_ms(const collects *c)
{
    return c->grace_ms;
}

static void told(void *context, status how, const radisk_gone *gone)
{
    collects *c = context;

    c->asked = false;
    if (how == STATUS_OK) c->done += gone->roots;
    world_log(c->world, how == STATUS_OK ? "collected" : "could not collect", -1, SLICE(""));
}

void collects_ask(collects *c, radisk *of)
{
    radisk_collect wish = {
        .grace_ms = -1, .dry_run = dice_percent(&c->dice, 10), .told = told, .context = c
    };

    if (c->asked || !dice_percent(&c->dice, 60)) return;
    if (radisk_collect_begin(of, &wish) != STATUS_OK) return;
    c->asked = true;
    world_log(c->world, "collects", -1, SLICE(""));
}

static void promise(collects *c, promised *p)
{
    p->since = world_moment(c->world).wall_ms;
    p->may_go = false;
}

void collects_taken(collects *c, int soul, int key, uint64_t batch)
{
    promised *p = &c->chunks[soul][key];

    promise(c, p);
    p->taken = p->since;
    p->batch = batch;
}

void collects_known(collects *c, int soul, int key)
{
    promise(c, &c->chunks[soul][key]);
}

/* By the latest clock: one that was ahead has ended graces, and was set back since. */
void collects_watch(collects *c)
{
    double now = c->world->latest_ms;

    if (world_moment(c->world).wall_ms > now) now = world_moment(c->world).wall_ms;
    for (int s = 0; s < NAMES_SOULS && c->asked; s++)
        for (int k = 0; k < NAMES_KEYS; k++)
            if (now - c->chunks[s][k].since > (double)c->grace_ms) c->chunks[s][k].may_go = true;
}

/* What was not durable is as if it had never come. */
void collects_end(collects *c, const graph_progress *p)
{
    c->asked = false;
    for (int s = 0; s < NAMES_SOULS; s++)
        for (int k = 0; k < NAMES_KEYS; k++) {
            promised *one = &c->chunks[s][k];
            bool safe = graph_settled((graph_ticket){ one->batch }, p) == GRAPH_SAFE;
            if (!safe) one->taken = -(double)INFINITY;
            if (!safe) one->may_go = true;
            if (one->taken < one->since) one->since = one->taken;
            one->batch = 0; /* of the next life */
        }
}

bool collects_may_be(const collects *c, int soul, int key)
{
    return names_place_of(soul)->kind == NAMES_CHUNKS && c->chunks[soul][key].may_go;
}

uint64_t collects_done(const collects *c)
{
    return c->done;
}
