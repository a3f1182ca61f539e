/* merge.c - judging writes and taking them into the live generation.
 *
 * A merge is whole: every step is noted, and when one fails those before it are
 * undone in reverse. So nothing needs to be foreseen: not memory, not a page
 * that cannot be read, not the bound on held writes.
 */
#include "radisk/inside.h"

#include <math.h>
#include <stdlib.h>

/* One message may have 100,000 keys; the notes of an ordinary one are kept. */
enum { CHANGES_KEEP = 4096 };

static size_t overlay_bytes(const radisk *store)
{
    size_t bytes = 0;

    for (size_t i = 0; i < store->overlay_len; i++) bytes += store->overlay[i]->memory.taken;
    return bytes;
}

/* The bound stops the merge after the one that crossed it: so a message larger
 * than the whole bound is still taken, when it comes to an overlay with room. */
status merge_admits(const radisk *store)
{
    if (store->trouble != STATUS_OK) return store->trouble;
    return overlay_bytes(store) < store->options.overlay_max ? STATUS_OK : STATUS_BUSY;
}

static status reserve_changes(radisk *store, size_t count)
{
    if (count <= store->changes_room) return STATUS_OK;
    change *more = realloc(store->changes, count * sizeof *more);
    if (more == NULL) return STATUS_NO_MEMORY;
    store->changes = more;
    store->changes_room = count;
    return STATUS_OK;
}

static void give_back_changes(radisk *store)
{
    if (store->changes_room <= CHANGES_KEEP) return;
    free(store->changes);
    store->changes = NULL;
    store->changes_room = 0;
}

static void undo(radisk *store, size_t count)
{
    while (count-- > 0) {
        const change *c = &store->changes[count];
        if (c->held)
            held_undo(store, c);
        else
            generation_undo(overlay_live(store), &c->put);
    }
    place_forget(store);
}

static status take(radisk *store, place *p, slice key, const ham_write *write, bool for_good,
                   generation_change *out)
{
    generation_put put = { .soul = p->in[0],
                           .name = text_slice(&p->soul),
                           .key = key,
                           .id = p->disk_asked ? p->id : 0,
                           .write = *write,
                           .for_good = for_good };
    status s = generation_take(overlay_live(store), &put, out);

    if (s == STATUS_OK) p->in[0] = out->soul;
    return s;
}

/* Judges one write, and takes or holds it. `out->put.row` is NULL and nothing
 * is held when there is nothing to undo. */
static status merge_one(radisk *store, graph_write *w, double now_ms, bool for_good,
                        graph_ticket *ticket, change *out, bool *changed)
{
    ham_write incoming = { w->state, w->value };
    place *p;
    kept ours;

    *changed = false;
    status s = place_of(store, w->soul, &p);
    if (s == STATUS_OK) s = place_find(store, p, w->key, &ours);
    if (s != STATUS_OK && s != STATUS_NOT_FOUND) return s;
    w->verdict = ham_judge(s == STATUS_OK ? &ours.write : NULL, &incoming, now_ms);
    if (w->verdict == HAM_WAIT) {
        *changed = true;
        return held_add(store, w, out, ticket);
    }
    if (w->verdict == HAM_TAKE) {
        *changed = true;
        out->held = false;
        *ticket = (graph_ticket){ overlay_live(store)->batch };
        return take(store, p, w->key, &incoming, for_good, &out->put);
    }
    *ticket = ours.ticket;
    return STATUS_OK;
}

status merge_writes(void *context, graph_write *writes, size_t count, moment now,
                    graph_ticket *ticket)
{
    radisk *store = context;
    graph_ticket all = { 0 }, one;
    size_t noted = 0;
    status s = merge_admits(store);

    if (s == STATUS_OK) s = reserve_changes(store, count);
    for (size_t i = 0; i < count && s == STATUS_OK; i++) {
        bool changed;
        s = merge_one(store, &writes[i], now.wall_ms, count == 1, &one, &store->changes[noted],
                      &changed);
        if (s != STATUS_OK) break;
        if (changed) noted++;
        all = graph_both(all, one);
    }
    if (s != STATUS_OK)
        undo(store, noted);
    else
        *ticket = all;
    give_back_changes(store);
    return s;
}

status merge_put(radisk *store, slice soul, slice key, const ham_write *write, ham_verdict *verdict,
                 graph_row *taken)
{
    generation_change done;
    place *p;
    kept ours;
    status s = place_of(store, soul, &p);

    if (s == STATUS_OK) s = place_find(store, p, key, &ours);
    if (s != STATUS_OK && s != STATUS_NOT_FOUND) return s;
    *verdict = ham_judge(s == STATUS_OK ? &ours.write : NULL, write, write->state);
    if (*verdict != HAM_TAKE) return STATUS_OK;
    s = take(store, p, key, write, true, &done);
    if (s != STATUS_OK) return s;
    *taken = (graph_row){ .soul = done.soul->name,
                          .key = done.row->key,
                          .value = done.row->value,
                          .state = done.row->state,
                          .ticket = { overlay_live(store)->batch } };
    return STATUS_OK;
}
