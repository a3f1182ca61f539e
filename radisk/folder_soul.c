/* folder_soul.c - see folder_soul.h. */
#include "radisk/folder_soul.h"

#include "core/policy.h"

#include <math.h>

/* ---- the index ---- */

void soul_find(writing *w, slice name, folder_soul *t)
{
    layout_entry e = { .number = 0 };
    double floor;

    text_reset(&t->name, SIZE_MAX);
    text_add(&t->name, name);
    if (!text_ok(&t->name)) w->how = STATUS_NO_MEMORY;
    t->there = writing_find_soul(w, name, &t->soul, &e);
    t->kind = e.kind;
    t->life_ms = policy_life_ms(name);
    t->floor_ms = 0;
    if (t->there && e.kind == LAYOUT_FLOOR)
        (void)!layout_floor_soul_read(e.rest, &floor, &t->floor_ms);
}

bool soul_name(writing *w, uint64_t id, text *name)
{
    layout_key proof;
    layout_entry e;
    layout_seal seal;
    slice found;

    text_reset(name, SIZE_MAX);
    layout_row_key(&proof, id, SLICE(""));
    if (!writing_get(w, w->disk->rows, layout_key_slice(&proof), &found) ||
        found.len < LAYOUT_ENTRY_HEAD)
        return false;
    text_add(name, (slice){ found.at + LAYOUT_ENTRY_HEAD, found.len - LAYOUT_ENTRY_HEAD });
    if (!text_ok(name)) w->how = STATUS_NO_MEMORY;
    if (!text_ok(name)) return false;
    layout_seal_soul(&seal, text_slice(name));
    return layout_entry_read(&e, SLICE(""), found, &seal) == STATUS_OK;
}

void soul_put_floor(writing *w, folder_soul *t, double floor, double when_ms)
{
    char rest[LAYOUT_FLOOR_SOUL];
    layout_key key;
    slice name = text_slice(&t->name);

    if (!writing_ok(w)) return;
    layout_soul_key(&key, name);
    if (!t->there) {
        t->soul = (disk_soul){ .id = writing_number_soul(w, &key, name) };
        layout_seal_soul(&t->soul.seal, name);
        t->there = true;
    }
    layout_floor_soul_write(rest, floor, when_ms);
    layout_entry e = {
        .name = name, .number = t->soul.id, .kind = LAYOUT_FLOOR, .rest = { rest, sizeof rest }
    };
    writing_put_entry(w, w->disk->souls, layout_key_slice(&key), &e, layout_index_seal());
    t->soul.floor = floor;
    t->kind = LAYOUT_FLOOR;
    t->floor_ms = when_ms;
}

void soul_remove(writing *w, const folder_soul *t)
{
    layout_key key, row;

    if (t->life_ms > 0) expiry_forget(w, t->soul.id);
    layout_soul_key(&key, text_slice(&t->name));
    writing_remove(w, w->disk->souls, layout_key_slice(&key));
    layout_row_key(&row, t->soul.id, SLICE(""));
    writing_remove(w, w->disk->rows, layout_key_slice(&row));
}

/* ---- rows ---- */

bool soul_first_row(writing *w, uint64_t id, MDB_val *k, MDB_val *v)
{
    char prefix[LAYOUT_ID];

    if (!writing_ok(w)) return false;
    layout_put64(prefix, id);
    *k = (MDB_val){ sizeof prefix, prefix };
    int error = mdb_cursor_get(w->rows, k, v, MDB_SET_RANGE);
    if (error == 0 && k->mv_size == LAYOUT_ID && memcmp(k->mv_data, prefix, LAYOUT_ID) == 0)
        error = mdb_cursor_get(w->rows, k, v, MDB_NEXT);
    if (error == 0 && (k->mv_size <= LAYOUT_ID || memcmp(k->mv_data, prefix, LAYOUT_ID) != 0))
        return false;
    if (error != MDB_NOTFOUND) w->error = error;
    return error == 0;
}

bool soul_next_row(writing *w, uint64_t id, MDB_val *k, MDB_val *v)
{
    char prefix[LAYOUT_ID];

    layout_put64(prefix, id);
    int error = mdb_cursor_get(w->rows, k, v, MDB_NEXT);
    if (error == 0) return k->mv_size > LAYOUT_ID && memcmp(k->mv_data, prefix, LAYOUT_ID) == 0;
    if (error != MDB_NOTFOUND) w->error = error;
    return false;
}

bool soul_row_from(writing *w, uint64_t id, const layout_key *from, MDB_val *k, MDB_val *v)
{
    *k = disk_val(layout_key_slice(from));
    int error = writing_ok(w) ? mdb_cursor_get(w->rows, k, v, MDB_SET_RANGE) : MDB_NOTFOUND;

    if (error == 0) return k->mv_size > LAYOUT_ID && layout_get64(k->mv_data) == id;
    if (error != MDB_NOTFOUND) w->error = error;
    return false;
}

bool soul_has_rows(writing *w, uint64_t id)
{
    MDB_val k, v;

    return soul_first_row(w, id, &k, &v);
}

bool soul_entry(const disk_soul *soul, MDB_val k, MDB_val v, layout_entry *out)
{
    slice key = disk_slice(k);

    if (layout_entry_read(out, (slice){ key.at + LAYOUT_ID, key.len - LAYOUT_ID }, disk_slice(v),
                          &soul->seal) == STATUS_OK)
        return true;
    *out = (layout_entry){ .number = layout_state_number(-(double)INFINITY) };
    return false;
}

void soul_unname(writing *w, const layout_entry *e)
{
    blob_ref ref;

    if (e->kind == LAYOUT_BLOB && layout_blob_read(&ref, e->rest) == STATUS_OK)
        writing_unname_blob(w, &ref);
}
