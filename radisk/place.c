/* place.c - finding a soul and its rows, in the overlay and then on disk. */
#include "radisk/inside.h"

#include <math.h>

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
    p->disk_asked = p->on_disk = false;
    p->known = true;
    return STATUS_OK;
}

status place_disk(radisk *store, place *p)
{
    if (p->disk_asked) return STATUS_OK;
    status s = disk_find_soul(&store->disk, text_slice(&p->soul), &p->disk);
    if (s != STATUS_OK && s != STATUS_NOT_FOUND) return s;
    p->on_disk = s == STATUS_OK && !space_is_condemned(store, text_slice(&p->soul));
    p->floor = floors_of_soul(store, text_slice(&p->soul));
    if (s == STATUS_OK && p->disk.floor > p->floor) p->floor = p->disk.floor;
    p->disk_asked = true;
    return STATUS_OK;
}

static void found_in(const generation_row *row, kept *out)
{
    *out = (kept){ .state = row->state,
                   .ticket = { row->batch },
                   .text = row->value.text,
                   .is_blob = row->value.blob != NULL,
                   .blob = row->value.blob };
    if (out->is_blob) out->ref = row->value.blob->ref;
}

/* What lies at or below a floor is as good as gone, though it may still be there:
 * a purge that a crash cut short. */
static status find_on_disk(radisk *store, place *p, slice key, kept *out)
{
    disk_row row;
    status s = place_disk(store, p);

    if (s != STATUS_OK) return s;
    out->floor = p->floor;
    if (!p->on_disk) return STATUS_NOT_FOUND;
    s = disk_find_row(&store->disk, &p->disk, key, &row);
    if (s == STATUS_CORRUPT) store->stats.damaged_rows++;
    if (s != STATUS_OK) return s;
    if (row.kind == LAYOUT_FLOOR && row.state > p->floor) out->floor = row.state;
    if (row.kind == LAYOUT_FLOOR || row.state <= p->floor) return STATUS_NOT_FOUND;
    *out = (kept){
        .state = row.state, .text = row.text, .is_blob = row.kind == LAYOUT_BLOB, .ref = row.blob
    };
    return STATUS_OK;
}

/* Whether `other` wins over `ours` at an equal state. */
static status wins_tie(radisk *store, const kept *ours, const kept *other, bool *wins)
{
    ham_verdict verdict = HAM_SAME;
    text copy = { 0 };
    slice value;

    if (ours->is_blob && other->is_blob && memcmp(&ours->ref, &other->ref, sizeof ours->ref) == 0) {
        *wins = false;
        return STATUS_OK;
    }
    status s = kept_value(store, other, &value);
    if (s == STATUS_OK) text_add(&copy, value); /* two blobs cannot be lent at once */
    if (s == STATUS_OK && !text_ok(&copy)) s = STATUS_NO_MEMORY;
    if (s == STATUS_OK)
        s = kept_judge(store, ours, &(ham_write){ other->state, text_slice(&copy) },
                       (double)INFINITY, &verdict);
    text_free(&copy);
    *wins = verdict == HAM_TAKE;
    return s;
}

/* A replayed row against the one in LMDB, which may be newer, or against the floor that
 * a purge left there after the row was folded: it stands in the journal still when it
 * was written anew, after a failure, with younger ones. If LMDB's is damaged,
 * ours is whole and will take its place. */
static status newer_of(radisk *store, place *p, slice key, kept *ours)
{
    kept other = { .floor = -(double)INFINITY };
    bool wins;
    status s = find_on_disk(store, p, key, &other);

    if (s == STATUS_OK && other.state == ours->state)
        s = wins_tie(store, ours, &other, &wins);
    else
        wins = s == STATUS_OK && other.state > ours->state;
    if (s == STATUS_NOT_FOUND && ours->state <= other.floor) {
        *ours = other;
        return STATUS_NOT_FOUND;
    }
    if (s == STATUS_NOT_FOUND || s == STATUS_CORRUPT) return STATUS_OK;
    if (s == STATUS_OK && wins) *ours = other;
    return s;
}

status place_find(radisk *store, place *p, slice key, kept *out)
{
    for (size_t i = 0; i < store->overlay_len; i++) {
        const generation_row *row = p->in[i] == NULL ? NULL : generation_find_row(p->in[i], key);
        if (row == NULL) continue;
        found_in(row, out);
        return store->overlay[i]->replayed ? newer_of(store, p, key, out) : STATUS_OK;
    }
    return find_on_disk(store, p, key, out);
}

status kept_value(radisk *store, const kept *k, slice *out)
{
    status s;

    if (!k->is_blob) {
        *out = k->text;
        return STATUS_OK;
    }
    s = k->blob != NULL
            ? blobs_text(store->blobs, k->blob, &store->lent, out)
            : blobs_text_on_disk(store->blobs, &store->disk, &k->ref, &store->lent, out);
    if (s == STATUS_CORRUPT) store->stats.damaged_rows++;
    return s;
}

status kept_judge(radisk *store, const kept *ours, const ham_write *incoming, double now_ms,
                  ham_verdict *out)
{
    ham_write held = { ours->state, { "", 0 } };

    /* Only equal states look at values, and only then is a blob read for it. */
    if (ours->state == incoming->state && incoming->state <= now_ms) {
        status s = kept_value(store, ours, &held.value);
        if (s != STATUS_OK) return s;
    }
    *out = ham_judge(&held, incoming, now_ms);
    return STATUS_OK;
}
