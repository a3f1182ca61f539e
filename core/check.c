/* check.c - see check.h. */
#include "core/check.h"

enum { SCRATCH_KEEP = 64 * 1024 };

static bool keep(arena *a, slice *lent)
{
    if (lent->len == 0) return true;
    *lent = arena_copy(a, *lent);
    return lent->at != NULL;
}

/* What was found is little, and lives longer than what it took to find it. */
static status keep_finding(arena *a, sea_finding *f)
{
    return keep(a, &f->why) && keep(a, &f->owner) && keep(a, &f->bearer) && keep(a, &f->blocks)
               ? STATUS_OK
               : STATUS_NO_MEMORY;
}

void check_run(check *c, const sea_crypto *crypto)
{
    arena scratch = arena_make(c->arena.bytes_max);

    for (; c->run < c->count && !atomic_load(c->unwanted); ++c->run) {
        const graph_write *w = c->writes[c->run];
        sea_finding *f = &c->findings[c->run];
        status how = sea_judge(crypto, &scratch, w->soul, w->key, w->value, w->state, f);

        c->how[c->run] = how == STATUS_OK ? keep_finding(&c->arena, f) : how;
        arena_reset(&scratch, SCRATCH_KEEP);
    }
    arena_free(&scratch);
}
