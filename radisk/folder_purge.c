/* folder_purge.c - see folder.h: removing for good, and forgetting that, later. */
#include "radisk/folder_inside.h"

#include <math.h>

/* A soul in the index, with its name in memory of its own: LMDB's moves under a
 * transaction that writes. */
typedef struct target {
    text name;
    disk_soul soul;
    layout_kind kind;
    double floor_ms; /* when its floor was made */
    bool there;
} target;

static void find_target(writing *w, slice name, target *t)
{
    layout_entry e = { .number = 0 };
    double floor;

    text_reset(&t->name, SIZE_MAX);
    text_add(&t->name, name);
    if (!text_ok(&t->name)) w->how = STATUS_NO_MEMORY;
    t->there = writing_find_soul(w, name, &t->soul, &e);
    t->kind = e.kind;
    t->floor_ms = 0;
    if (t->there && e.kind == LAYOUT_FLOOR)
        (void)!layout_floor_soul_read(e.rest, &floor, &t->floor_ms);
}

static void mark(writing *w, double when_ms, layout_mark_kind kind, slice key)
{
    char at[LAYOUT_MARK_MAX];
    size_t len = layout_mark_write(at, when_ms, kind, key);

    writing_put(w, w->disk->marks, (slice){ at, len }, (slice){ "", 0 });
}

/* The index entry of a soul of which something was purged. */
static void put_soul_floor(writing *w, target *t, double floor, double when_ms)
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

/* ---- rows of a soul ---- */

/* Brings a cursor to the first row of a soul behind its own row (id, ""); the key
 * is lent until the next write. */
static bool first_row(writing *w, uint64_t id, MDB_val *k, MDB_val *v)
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

static bool next_row(writing *w, uint64_t id, MDB_val *k, MDB_val *v)
{
    char prefix[LAYOUT_ID];

    layout_put64(prefix, id);
    int error = mdb_cursor_get(w->rows, k, v, MDB_NEXT);
    if (error == 0) return k->mv_size > LAYOUT_ID && memcmp(k->mv_data, prefix, LAYOUT_ID) == 0;
    if (error != MDB_NOTFOUND) w->error = error;
    return false;
}

/* What a row is; a damaged one counts as there, with no state. */
static layout_entry entry_at(const disk_soul *soul, MDB_val k, MDB_val v)
{
    slice key = disk_slice(k);
    layout_entry e;

    if (layout_entry_read(&e, (slice){ key.at + LAYOUT_ID, key.len - LAYOUT_ID }, disk_slice(v),
                          &soul->seal) == STATUS_OK)
        return e;
    return (layout_entry){ .number = layout_state_number(-(double)INFINITY) };
}

/* The highest state of a soul's rows and floors, and how many rows live. */
static void survey(writing *w, const disk_soul *soul, double *highest, uint64_t *living)
{
    MDB_val k, v;

    for (bool more = first_row(w, soul->id, &k, &v); more; more = next_row(w, soul->id, &k, &v)) {
        layout_entry e = entry_at(soul, k, v);
        double state = layout_number_state(e.number);
        if (state > *highest) *highest = state;
        if (e.kind != LAYOUT_FLOOR) ++*living;
    }
    if (soul->floor > *highest) *highest = soul->floor;
}

static void unname(writing *w, const layout_entry *e)
{
    blob_ref ref;

    if (e->kind == LAYOUT_BLOB && layout_blob_read(&ref, e->rest) == STATUS_OK)
        writing_unname_blob(w, &ref);
}

/* The first row at or after a key, still of the soul. */
static bool row_from(writing *w, uint64_t id, const layout_key *from, MDB_val *k, MDB_val *v)
{
    *k = disk_val(layout_key_slice(from));
    int error = writing_ok(w) ? mdb_cursor_get(w->rows, k, v, MDB_SET_RANGE) : MDB_NOTFOUND;

    if (error == 0) return k->mv_size > LAYOUT_ID && layout_get64(k->mv_data) == id;
    if (error != MDB_NOTFOUND) w->error = error;
    return false;
}

/* Removes the rows and floors of a soul up to a state. After each the cursor is
 * brought back: a commit may lie between. */
static void remove_rows(writing *w, const disk_soul *soul, double up_to)
{
    MDB_val k, v;
    layout_key at;

    for (bool more = first_row(w, soul->id, &k, &v); more && writing_ok(w);) {
        layout_entry e = entry_at(soul, k, v);
        if (layout_number_state(e.number) > up_to) {
            more = next_row(w, soul->id, &k, &v);
            continue;
        }
        if (e.kind != LAYOUT_FLOOR) w->news->rows++;
        at.len = k.mv_size;
        memcpy(at.at, k.mv_data, k.mv_size);
        unname(w, &e);
        writing_remove(w, w->disk->rows, layout_key_slice(&at));
        w->in_txn++;
        writing_breathe(w);
        more = row_from(w, soul->id, &at, &k, &v);
    }
}

static bool has_rows(writing *w, uint64_t id)
{
    MDB_val k, v;

    return first_row(w, id, &k, &v);
}

/* A soul with nothing left leaves the index, and its number with it. */
static void remove_soul(writing *w, const target *t)
{
    layout_key key, row;

    layout_soul_key(&key, text_slice(&t->name));
    writing_remove(w, w->disk->souls, layout_key_slice(&key));
    layout_row_key(&row, t->soul.id, SLICE(""));
    writing_remove(w, w->disk->rows, layout_key_slice(&row));
}

/* ---- purges ---- */

static double higher(double a, double b)
{
    return a > b ? a : b;
}

static void purge_row(writing *w, const purge *p, double *floor)
{
    target t = { .there = false };
    uint64_t living = 0;
    double highest = p->floor, of_all = p->floor;
    char rest[LAYOUT_FLOOR_ROW];
    layout_key key;
    slice found;

    find_target(w, p->soul, &t);
    if (!t.there && !p->dry_run) put_soul_floor(w, &t, -(double)INFINITY, p->now_ms);
    layout_row_key(&key, t.soul.id, p->key);
    if (t.there && writing_get(w, w->disk->rows, layout_key_slice(&key), &found)) {
        layout_entry e = entry_at(&t.soul, (MDB_val){ key.len, key.at },
                                  (MDB_val){ found.len, (void *)(uintptr_t)found.at });
        highest = higher(highest, layout_number_state(e.number));
        if (e.kind != LAYOUT_FLOOR) w->news->rows++;
        if (!p->dry_run) unname(w, &e);
    }
    if (!p->dry_run && writing_ok(w)) {
        layout_put64(rest, layout_state_number(p->now_ms));
        layout_entry e = { .name = p->key,
                           .number = layout_state_number(highest),
                           .kind = LAYOUT_FLOOR,
                           .rest = { rest, sizeof rest } };
        writing_put_entry(w, w->disk->rows, layout_key_slice(&key), &e, &t.soul.seal);
        mark(w, p->now_ms, MARK_ROW, layout_key_slice(&key));
        survey(w, &t.soul, &of_all, &living);
        if (living == 0 && t.kind != LAYOUT_FLOOR)
            put_soul_floor(w, &t, -(double)INFINITY, p->now_ms);
    }
    *floor = highest;
    text_free(&t.name);
}

static void purge_soul(writing *w, const purge *p, double *floor)
{
    target t = { .there = false };
    layout_key key;
    uint64_t living = 0;

    *floor = p->floor;
    find_target(w, p->soul, &t);
    if (t.there) survey(w, &t.soul, floor, &living);
    if (p->dry_run) {
        w->news->rows = living;
    } else {
        put_soul_floor(w, &t, *floor, p->now_ms);
        layout_soul_key(&key, p->soul);
        mark(w, p->now_ms, MARK_SOUL, layout_key_slice(&key));
        remove_rows(w, &t.soul, *floor);
    }
    text_free(&t.name);
}

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

typedef void each_soul(writing *w, target *t, void *context);

static void souls_with(writing *w, slice prefix, each_soul *each, void *context)
{
    target t = { .there = false };
    text name = { 0 };
    layout_key at;

    layout_soul_key(&at, prefix);
    if (prefix.len > LAYOUT_WHOLE_MAX) at.len = LAYOUT_WHOLE_MAX;
    while (next_soul(w, prefix, &at, &name)) {
        find_target(w, text_slice(&name), &t);
        if (t.there) each(w, &t, context);
        step_over(&at);
    }
    text_free(&name);
    text_free(&t.name);
}

typedef struct prefix_survey {
    double highest;
    uint64_t living;
} prefix_survey;

static void survey_one(writing *w, target *t, void *context)
{
    prefix_survey *s = context;

    survey(w, &t->soul, &s->highest, &s->living);
}

static void remove_one(writing *w, target *t, void *context)
{
    const double *floor = context;

    remove_rows(w, &t->soul, *floor);
    if (!has_rows(w, t->soul.id)) remove_soul(w, t);
    w->in_txn++;
    writing_breathe(w);
}

/* The floor that a prefix has already: it never sinks. */
static double floor_of_prefix(writing *w, slice key)
{
    layout_entry e;
    slice found;

    if (!writing_get(w, w->disk->floors, key, &found) ||
        layout_entry_read(&e, key, found, layout_index_seal()) != STATUS_OK)
        return -(double)INFINITY;
    return layout_number_state(e.number);
}

static void purge_prefix(writing *w, const purge *p, double *floor)
{
    prefix_survey s = { .highest = p->floor };
    char rest[LAYOUT_FLOOR_ROW];
    layout_key key;

    layout_soul_key(&key, p->soul);
    s.highest = higher(s.highest, floor_of_prefix(w, layout_key_slice(&key)));
    souls_with(w, p->soul, survey_one, &s);
    *floor = s.highest;
    if (p->dry_run) {
        w->news->rows = s.living;
        return;
    }
    layout_put64(rest, layout_state_number(p->now_ms));
    layout_entry e = { .name = p->soul,
                       .number = layout_state_number(s.highest),
                       .kind = LAYOUT_FLOOR,
                       .rest = { rest, sizeof rest } };
    writing_put_entry(w, w->disk->floors, layout_key_slice(&key), &e, layout_index_seal());
    mark(w, p->now_ms, MARK_PREFIX, layout_key_slice(&key));
    souls_with(w, p->soul, remove_one, &s.highest);
}

void folder_purge(const folder *f, const purge *p, double *floor_out, folder_news *news)
{
    double floor = p->floor;
    writing w;

    writing_begin(&w, f, news);
    switch (p->kind) {
    case PURGE_ROW:
        purge_row(&w, p, &floor);
        break;
    case PURGE_SOUL:
        purge_soul(&w, p, &floor);
        break;
    case PURGE_PREFIX:
        purge_prefix(&w, p, &floor);
        break;
    }
    writing_end(&w);
    if (floor_out != NULL) *floor_out = floor;
}

/* ---- the sweep ---- */

/* What a mark points to may have been purged again since: then it has another mark. */
static bool was_made(slice rest, size_t bytes, double when_ms)
{
    return rest.len == bytes && layout_number_state(layout_get64(rest.at + bytes - 8)) == when_ms;
}

/* A soul that was kept in the index for its purged rows only. */
static void forget_empty_soul(writing *w, slice name)
{
    target t = { .there = false };

    find_target(w, name, &t);
    if (t.there && t.kind == LAYOUT_FLOOR && isinf(t.soul.floor) && !has_rows(w, t.soul.id))
        remove_soul(w, &t);
    text_free(&t.name);
}

static void sweep_row(writing *w, slice key, double when_ms)
{
    layout_key proof;
    layout_entry e, of_soul;
    layout_seal seal;
    slice found, named;
    text name = { 0 };

    if (key.len <= LAYOUT_ID) return;
    layout_row_key(&proof, layout_get64(key.at), SLICE(""));
    if (!writing_get(w, w->disk->rows, layout_key_slice(&proof), &named) ||
        named.len < LAYOUT_ENTRY_HEAD)
        return;
    text_add(&name, (slice){ named.at + LAYOUT_ENTRY_HEAD, named.len - LAYOUT_ENTRY_HEAD });
    layout_seal_soul(&seal, text_slice(&name));
    bool good = text_ok(&name) && layout_entry_read(&of_soul, SLICE(""), named, &seal) == STATUS_OK;
    if (good && writing_get(w, w->disk->rows, key, &found) &&
        layout_entry_read(&e, (slice){ key.at + LAYOUT_ID, key.len - LAYOUT_ID }, found, &seal) ==
            STATUS_OK &&
        e.kind == LAYOUT_FLOOR && was_made(e.rest, LAYOUT_FLOOR_ROW, when_ms))
        writing_remove(w, w->disk->rows, key);
    if (good) forget_empty_soul(w, text_slice(&name));
    text_free(&name);
}

/* Rows at or below the floor are still there if a crash cut the purge short. */
static void sweep_soul(writing *w, slice key, double when_ms)
{
    target t = { .there = false };
    layout_entry e;
    slice found;
    text name = { 0 };

    if (!writing_get(w, w->disk->souls, key, &found) ||
        layout_entry_read(&e, key, found, layout_index_seal()) != STATUS_OK ||
        e.kind != LAYOUT_FLOOR || !was_made(e.rest, LAYOUT_FLOOR_SOUL, when_ms))
        return;
    text_add(&name, e.name);
    if (!text_ok(&name)) w->how = STATUS_NO_MEMORY;
    find_target(w, text_slice(&name), &t);
    if (t.there) remove_rows(w, &t.soul, t.soul.floor);
    if (t.there && has_rows(w, t.soul.id)) {
        layout_entry plain = { .name = text_slice(&t.name), .number = t.soul.id };
        writing_put_entry(w, w->disk->souls, key, &plain, layout_index_seal());
    } else if (t.there) {
        remove_soul(w, &t);
    }
    text_free(&name);
    text_free(&t.name);
}

static void sweep_prefix(writing *w, slice key, double when_ms)
{
    layout_entry e;
    slice found;
    text name = { 0 };

    if (!writing_get(w, w->disk->floors, key, &found) ||
        layout_entry_read(&e, key, found, layout_index_seal()) != STATUS_OK ||
        !was_made(e.rest, LAYOUT_FLOOR_ROW, when_ms))
        return;
    double floor = layout_number_state(e.number);
    text_add(&name, e.name);
    if (!text_ok(&name)) w->how = STATUS_NO_MEMORY;
    souls_with(w, text_slice(&name), remove_one, &floor);
    writing_remove(w, w->disk->floors, key);
    text_free(&name);
}

/* The oldest mark, if it is older than that; copied, for the job writes. */
static bool oldest_mark(writing *w, double before_ms, char at[static LAYOUT_MARK_MAX], slice *whole)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    layout_mark_kind kind;
    double when_ms;
    slice key;

    if (!writing_ok(w)) return false;
    w->error = mdb_cursor_open(w->txn, w->disk->marks, &cursor);
    if (w->error != 0) return false;
    int error = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    if (error == 0 && k.mv_size <= LAYOUT_MARK_MAX) memcpy(at, k.mv_data, k.mv_size);
    mdb_cursor_close(cursor);
    if (error != 0 && error != MDB_NOTFOUND) w->error = error;
    if (error != 0 || k.mv_size > LAYOUT_MARK_MAX) return false;
    *whole = (slice){ at, k.mv_size };
    return layout_mark_read(*whole, &when_ms, &kind, &key) == STATUS_OK && when_ms < before_ms;
}

void folder_sweep(const folder *f, double before_ms, folder_news *news)
{
    char at[LAYOUT_MARK_MAX];
    layout_mark_kind kind;
    double when_ms;
    slice mark_key, key;
    uint64_t swept = 0;
    writing w;

    writing_begin(&w, f, news);
    while (swept < f->rows_max && oldest_mark(&w, before_ms, at, &mark_key)) {
        if (layout_mark_read(mark_key, &when_ms, &kind, &key) != STATUS_OK) break;
        if (kind == MARK_ROW) sweep_row(&w, key, when_ms);
        if (kind == MARK_SOUL) sweep_soul(&w, key, when_ms);
        if (kind == MARK_PREFIX) sweep_prefix(&w, key, when_ms);
        writing_remove(&w, w.disk->marks, mark_key);
        w.in_txn++;
        swept++;
        writing_breathe(&w);
    }
    writing_end(&w);
    news->rows = swept;
}
