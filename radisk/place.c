/* place.c - finding a soul and its rows, in the overlay and then on disk. */
#include "radisk/inside.h"

/* A soul is at most 64 KB; more than this is not kept from one to the next. */
enum { PLACE_KEEP = 4096 };

void place_forget(radisk *store)
{
    store->place.known = false;
}

status place_of(radisk *store, slice soul, place **out)
{
    place *p = &store->place;

    *out = p;
    if (p->known && slice_equal(text_slice(&p->soul), soul)) return STATUS_OK;
    p->known = false;
    text_reset(&p->soul, PLACE_KEEP);
    text_add(&p->soul, soul);
    if (!text_ok(&p->soul)) {
        text_free(&p->soul);
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < store->overlay_len; i++)
        p->in[i] = generation_find(store->overlay[i], soul);
    p->disk_asked = false;
    p->known = true;
    return STATUS_OK;
}

status place_id(radisk *store, place *p, uint64_t *id)
{
    if (!p->disk_asked) {
        p->id = 0;
        status s = disk_find_soul(&store->disk, text_slice(&p->soul), &p->id);
        if (s != STATUS_OK && s != STATUS_NOT_FOUND) return s;
        p->disk_asked = true;
    }
    *id = p->id;
    return STATUS_OK;
}

status place_find(radisk *store, place *p, slice key, kept *out)
{
    uint64_t id;

    for (size_t i = 0; i < store->overlay_len; i++) {
        const generation_row *row = p->in[i] == NULL ? NULL : generation_find_row(p->in[i], key);
        if (row == NULL) continue;
        *out = (kept){ { row->state, row->value }, { store->overlay[i]->batch } };
        return STATUS_OK;
    }
    status s = place_id(store, p, &id);
    if (s != STATUS_OK) return s;
    if (id == 0) return STATUS_NOT_FOUND;
    out->ticket = (graph_ticket){ 0 };
    return disk_find_row(&store->disk, id, key, &out->write);
}
