/* purges.c - see purges.h. */
#include "tests/sim/purges.h"

#include "tests/sim/world.h"

#include <math.h>
#include <stdlib.h>

typedef double floors[NAMES_SOULS][NAMES_KEYS];

struct purges {
    world *world;
    bool asked, dry_run;
    bool meant[NAMES_SOULS][NAMES_KEYS]; /* by what was asked */
    double from;                         /* wall time of asking */
    floors certain, possible;
    uint64_t done, rows;
};

purges *purges_new(world *w)
{
    purges *p = must(calloc(1, sizeof *p));

    p->world = w;
    for (int s = 0; s < NAMES_SOULS; s++)
        for (int k = 0; k < NAMES_KEYS; k++)
            p->certain[s][k] = p->possible[s][k] = -(double)INFINITY;
    return p;
}

void purges_free(purges *p)
{
    free(p);
}

static void raise_floor(double *floor, double to)
{
    if (to > *floor) *floor = to;
}

static void told(void *context, status how, uint64_t rows)
{
    purges *p = context;

    world_log(p->world, how == STATUS_OK ? "purged" : "could not purge", -1, SLICE(""));
    p->asked = false;
    if (how != STATUS_OK || p->dry_run) return;
    p->done++;
    p->rows += rows;
    for (int s = 0; s < NAMES_SOULS; s++)
        for (int k = 0; k < NAMES_KEYS; k++)
            if (p->meant[s][k]) raise_floor(&p->certain[s][k], p->from);
}

static void mean(purges *p, const radisk_purge *what)
{
    for (int s = 0; s < NAMES_SOULS; s++)
        for (int k = 0; k < NAMES_KEYS; k++)
            p->meant[s][k] = what->prefix
                                 ? slice_begins(names_soul(s), what->soul)
                                 : slice_equal(names_soul(s), what->soul) &&
                                       (what->key.len == 0 || slice_equal(names_key(k), what->key));
}

void purges_ask(purges *p, radisk *of)
{
    world *w = p->world;
    dice *d = store_dice(w->store);
    uint32_t kind = dice_below(d, 10);
    radisk_purge what = { .soul = names_soul((int)dice_below(d, (uint32_t)w->soul_count)) };

    if (p->asked) return;
    if (kind < 5)
        what.key = names_key((int)dice_below(d, NAMES_KEYS));
    else if (kind >= 8)
        what.prefix = true;
    if (what.prefix && what.soul.len > 1)
        what.soul.len = 1 + dice_below(d, (uint32_t)what.soul.len);
    what.dry_run = dice_percent(d, 10);
    if (radisk_purge_begin(of, &what, world_moment(w), told, p) != STATUS_OK) return;
    mean(p, &what);
    p->asked = true;
    p->dry_run = what.dry_run;
    p->from = world_moment(w).wall_ms;
    world_log(w, "purges", -1, what.soul);
    purges_watch(p);
}

/* What lies there while it is under way is what may be removed, and the highest of
 * it may be the floor of all. */
void purges_watch(purges *p)
{
    double highest = p->from;

    if (!p->asked || p->dry_run) return;
    for (int s = 0; s < p->world->soul_count; s++)
        for (int k = 0; k < NAMES_KEYS; k++) {
            cell kept;
            if (p->meant[s][k] && disk_cell(p->world, s, k, &kept))
                raise_floor(&highest, kept.state);
        }
    for (int s = 0; s < NAMES_SOULS; s++)
        for (int k = 0; k < NAMES_KEYS; k++)
            if (p->meant[s][k]) raise_floor(&p->possible[s][k], highest);
}

void purges_forget(purges *p)
{
    p->asked = false;
}

/* Of a chunk the first state is kept, and others are acknowledged. */
bool purges_may_be(const purges *p, int soul, int key, double state)
{
    if (names_place_of(soul)->kind == NAMES_CHUNKS) return isfinite(p->possible[soul][key]);
    return state <= p->possible[soul][key];
}

void purges_check(const purges *p)
{
    world *w = p->world;

    for (int s = 0; s < w->soul_count; s++)
        for (int k = 0; k < NAMES_KEYS; k++) {
            cell kept;

            if (!disk_cell(w, s, k, &kept) || kept.state > p->certain[s][k]) continue;
            world_fail(w, "what was purged came back: %.*s . %.*s @ %.17g, floor %.17g",
                       (int)names_soul_json(s).len, names_soul_json(s).at,
                       (int)names_key_json(k).len, names_key_json(k).at, kept.state,
                       p->certain[s][k]);
        }
}

uint64_t purges_done(const purges *p, uint64_t *rows)
{
    *rows += p->rows;
    return p->done;
}
