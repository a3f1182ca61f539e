/* verifier.c - see verifier.h. */
#include "tests/sim/verifier.h"

#include "tests/sim/world.h"
#include "tests/tools/curve.h"

/* Mostly at once, as a pool with little to do; sometimes long after others that
 * came later. */
static int64_t some_time(world *w)
{
    if (dice_percent(&w->dice, 50)) return dice_between(&w->dice, 0, 2000);
    return dice_between(&w->dice, 0, dice_percent(&w->dice, 10) ? 3000000 : 100000);
}

/* The relay frees what is out when it ends: then the event is about nothing. */
static void submit(void *context, check *c)
{
    world *w = context;

    w->counts.checks++;
    world_plan(w, some_time(w),
               (event){ .kind = EVENT_CHECKED, .era = (unsigned)w->incarnation, .check = c });
}

check_pool verifier_pool(world *w)
{
    return (check_pool){ w, submit };
}

void verifier_event(world *w, const event *e)
{
    if (w->relay == NULL || e->era != (unsigned)w->incarnation) return;
    check_run(e->check, &test_curve);
    w->counts.keys_checked += e->check->count;
    relay_checked(w->relay, e->check, world_moment(w));
    relay_turn_soon(w, dice_between(&w->dice, 0, 1000));
}
