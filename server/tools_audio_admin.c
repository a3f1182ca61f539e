/* tools_audio_admin.c - pins, and audio that is collected, in a folder that no server has. */
#include "radisk/space.h"
#include "server/clock.h"
#include "server/line_root.h"
#include "server/tools_inside.h"

#include <time.h>

enum { NAP_US = 500 };

typedef struct waiting {
    text *out;
    bool told, was;
    status how;
    radisk_gone gone;
} waiting;

static void wait_for(radisk *store, const waiting *w)
{
    while (!w->told) {
        radisk_turn(store);
        if (!w->told) (void)nanosleep(&(struct timespec){ 0, NAP_US * 1000 }, NULL);
    }
}

static void pinned(void *context, status how, bool was)
{
    waiting *w = context;

    w->told = true;
    w->how = how;
    w->was = was;
}

void tool_pin_here(radisk *store, const wish *w, text *out)
{
    waiting one = { .out = out };
    bool on = w->kind == WISH_AUDIO_PIN;
    status s = radisk_pin_begin(store, (const uint8_t *)w->root.at, on, pinned, &one);

    if (s == STATUS_OK) wait_for(store, &one);
    if (s == STATUS_OK) s = one.how;
    line_pinned(out, s, on, one.was);
}

static void went(void *context, const root_key *root, const root_record *is)
{
    const waiting *w = context;

    line_gone(w->out, root, is, clock_now().wall_ms);
}

static void collected(void *context, status how, const radisk_gone *gone)
{
    waiting *w = context;

    w->told = true;
    w->how = how;
    w->gone = *gone;
}

void tool_collect_here(radisk *store, const wish *w, text *out)
{
    waiting one = { .out = out };
    radisk_collect all = { .grace_ms = w->has_grace ? w->grace_s * 1000 : -1,
                           .dry_run = w->dry_run,
                           .went = went,
                           .told = collected,
                           .context = &one };
    status s = radisk_collect_begin(store, &all);

    if (s == STATUS_OK) wait_for(store, &one);
    if (s == STATUS_OK) s = one.how;
    line_collected(out, s, &one.gone, w->dry_run);
}
