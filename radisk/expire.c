/* expire.c - when the folder looks for what has expired: folder_expire.c.
 *
 * Two clocks: a pass is never sooner than a second after the one before it, by the
 * steady one, unless that one left something; and it is handed over when the wall
 * clock has come to the first time that is noted in LMDB. That clock may be set while
 * the loop sleeps, so the loop never sleeps for long.
 */
#include "radisk/inside.h"

#include <math.h>

enum {
    PAUSE_MS = 1000,
    SLEEP_MS = 60 * 1000,
};

/* What is noted changes with folds and passes only. */
static double first_expiry(radisk *store)
{
    if (!store->expiry_known) {
        store->expiry_known = disk_first_expiry(&store->disk, &store->expiry_ms) == STATUS_OK;
        if (!store->expiry_known) return (double)INFINITY;
    }
    return store->expiry_ms;
}

/* A row may be in a generation that waits to be folded behind a newer one in LMDB. If
 * that one were removed, and the clock went back, the older one would come into sight. */
static bool may_look(const radisk *store)
{
    return overlay_sealed(store) == NULL && !store->reopen_wanted;
}

bool expire_is_due(radisk *store, double now_ms)
{
    return may_look(store) && now_ms >= store->expire_at_ms &&
           first_expiry(store) < store->clock_ms(store->context);
}

double expire_due_in_ms(radisk *store, double now_ms)
{
    double first, in, pause = store->expire_at_ms - now_ms;

    if (store->folding || !may_look(store)) return (double)INFINITY; /* their news come first */
    first = first_expiry(store);
    disk_rest(&store->disk);
    if (isinf(first)) return (double)INFINITY;
    in = first - store->clock_ms(store->context);
    if (in < pause) in = pause;
    if (in < 0) in = 0;
    return in < SLEEP_MS ? in : SLEEP_MS;
}

/* A soul of which nothing is left has lost its number, as after a sweep. */
void expire_told(radisk *store, const folder_news *news)
{
    bool again = news->how == STATUS_OK && news->more;

    fold_forget_ids(store);
    store->stats.rows_expired += news->expired;
    store->expire_at_ms = again ? 0 : store->now_ms(store->context) + PAUSE_MS;
    if (news->how != STATUS_OK) log_note_failure(store, news->how);
}
