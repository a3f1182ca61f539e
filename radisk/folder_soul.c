/* folder_soul.c - see folder_soul.h. */
#include "radisk/folder_soul.h"

#include "radisk/hashed.h"

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
    t->hashed = hashed_soul(name);
    if (!t->hashed || !root_of_soul(name, &t->root)) t->root.len = 0;
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

void soul_drop_value(writing *w, const folder_soul *t, const layout_entry *e)
{
    blob_ref ref;
    bool is_blob = e->kind == LAYOUT_BLOB && layout_blob_read(&ref, e->rest) == STATUS_OK;

    if (e->kind == LAYOUT_FLOOR) return;
    int64_t bytes = (int64_t)hashed_bytes(e->rest, is_blob ? &ref : NULL);
    if (e->kind == LAYOUT_TEXT) roots_name(w, text_slice(&t->name), e->name, e->rest, -1);
    if (t->root.len > 0) roots_count(w, &t->root, -1, -bytes);
    if (t->hashed) writing_count_hashed(w, -bytes);
    if (is_blob) writing_unname_blob(w, &ref);
}

void soul_remove_row(writing *w, const folder_soul *t, const layout_entry *e, MDB_val k,
                     layout_key *at)
{
    at->len = k.mv_size;
    memcpy(at->at, k.mv_data, k.mv_size);
    soul_drop_value(w, t, e);
    writing_remove(w, w->disk->rows, layout_key_slice(at));
    w->in_txn++;
}

/* ---- many souls ---- */

/* The next soul with a prefix, at or after a key of the index. */
static bool next_soul(writing *w, slice prefix, layout_key *at, text *name)
{
    MDB_val k = disk_val(layout_key_slice(at)), v;
    layout_entry e;

    while (writing_ok(w)) {
        int error = mdb_cursor_get(w->souls, &k, &v, MDB_SET_RANGE);
        if (error != 0 && error != MDB_NOTFOUND) w->error = error;
        if (error != 0) return false;
        slice stored = disk_slice(k);
        memcpy(at->at, stored.at, stored.len);
        at->len = stored.len;
        bool good = layout_entry_read(&e, stored, disk_slice(v), layout_index_seal()) == STATUS_OK;
        if (good && slice_begins(e.name, prefix)) {
            text_reset(name, SIZE_MAX);
            text_add(name, e.name);
            if (!text_ok(name)) w->how = STATUS_NO_MEMORY;
            return writing_ok(w);
        }
        size_t shared = prefix.len < LAYOUT_WHOLE_MAX ? prefix.len : LAYOUT_WHOLE_MAX;
        if (!slice_begins(stored, (slice){ prefix.at, shared })) return false;
        /* a long prefix, and another name that shares its first bytes; or damage */
        if (at->len < LAYOUT_KEY_MAX) at->at[at->len++] = 0;
        k = disk_val(layout_key_slice(at));
    }
    return false;
}

static void step_over(layout_key *at)
{
    at->at[at->len++] = 0; /* the first key behind it */
}

void soul_each_with(writing *w, slice prefix, soul_each *each, void *context)
{
    folder_soul t = { .there = false };
    text name = { 0 };
    layout_key at;

    layout_soul_key(&at, prefix);
    if (prefix.len > LAYOUT_WHOLE_MAX) at.len = LAYOUT_WHOLE_MAX;
    if (prefix.len == 0) step_over(&at); /* LMDB has no empty keys, and no soul has that name */
    while (next_soul(w, prefix, &at, &name)) {
        soul_find(w, text_slice(&name), &t);
        if (t.there) each(w, &t, context);
        step_over(&at);
    }
    text_free(&name);
    text_free(&t.name);
}
