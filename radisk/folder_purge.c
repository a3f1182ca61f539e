/* folder_purge.c - see folder.h: removing for good, and forgetting that, later. */
#include "radisk/folder_soul.h"

#include <math.h>

static void mark(writing *w, double when_ms, layout_mark_kind kind, slice key)
{
    char at[LAYOUT_MARK_MAX];
    size_t len = layout_mark_write(at, when_ms, kind, key);

    writing_put(w, w->disk->marks, (slice){ at, len }, (slice){ "", 0 });
}

/* The highest state of a soul's rows and floors, and how many rows live. */
static void survey(writing *w, const disk_soul *soul, double *highest, uint64_t *living)
{
    MDB_val k, v;
    layout_entry e;

    for (bool more = soul_first_row(w, soul->id, &k, &v); more;
         more = soul_next_row(w, soul->id, &k, &v)) {
        (void)soul_entry(soul, k, v, &e);
        double state = layout_number_state(e.number);
        if (state > *highest) *highest = state;
        if (e.kind != LAYOUT_FLOOR) ++*living;
    }
    if (soul->floor > *highest) *highest = soul->floor;
}

/* Removes the rows and floors of a soul up to a state. */
static void remove_rows(writing *w, const folder_soul *t, double up_to)
{
    const disk_soul *soul = &t->soul;
    MDB_val k, v;
    layout_key at;
    layout_entry e;

    for (bool more = soul_first_row(w, soul->id, &k, &v); more && writing_ok(w);) {
        (void)soul_entry(soul, k, v, &e);
        if (layout_number_state(e.number) > up_to) {
            more = soul_next_row(w, soul->id, &k, &v);
            continue;
        }
        if (e.kind != LAYOUT_FLOOR) w->news->rows++;
        soul_remove_row(w, t, &e, k, &at);
        writing_breathe(w);
        more = soul_row_from(w, soul->id, &at, &k, &v);
    }
}

/* ---- purges ---- */

static double higher(double a, double b)
{
    return a > b ? a : b;
}

static void purge_row(writing *w, const purge *p, double *floor)
{
    folder_soul t = { .there = false };
    uint64_t living = 0;
    double highest = p->floor, of_all = p->floor;
    char rest[LAYOUT_FLOOR_ROW];
    layout_key key;
    slice found;

    soul_find(w, p->soul, &t);
    if (!t.there && !p->dry_run) soul_put_floor(w, &t, -(double)INFINITY, p->now_ms);
    layout_row_key(&key, t.soul.id, p->key);
    if (t.there && writing_get(w, w->disk->rows, layout_key_slice(&key), &found)) {
        layout_entry e;

        (void)soul_entry(&t.soul, disk_val(layout_key_slice(&key)), disk_val(found), &e);
        highest = higher(highest, layout_number_state(e.number));
        if (e.kind != LAYOUT_FLOOR) w->news->rows++;
        if (!p->dry_run) soul_drop_value(w, &t, &e);
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
            soul_put_floor(w, &t, -(double)INFINITY, p->now_ms);
    }
    *floor = highest;
    text_free(&t.name);
}

static void purge_soul(writing *w, const purge *p, double *floor)
{
    folder_soul t = { .there = false };
    layout_key key;
    uint64_t living = 0;

    *floor = p->floor;
    soul_find(w, p->soul, &t);
    if (t.there) survey(w, &t.soul, floor, &living);
    if (p->dry_run) {
        w->news->rows = living;
    } else {
        soul_put_floor(w, &t, *floor, p->now_ms);
        layout_soul_key(&key, p->soul);
        mark(w, p->now_ms, MARK_SOUL, layout_key_slice(&key));
        remove_rows(w, &t, *floor);
    }
    text_free(&t.name);
}

typedef struct prefix_survey {
    double highest;
    uint64_t living;
} prefix_survey;

static void survey_one(writing *w, folder_soul *t, void *context)
{
    prefix_survey *s = context;

    survey(w, &t->soul, &s->highest, &s->living);
}

static void remove_one(writing *w, folder_soul *t, void *context)
{
    const double *floor = context;

    remove_rows(w, t, *floor);
    if (!soul_has_rows(w, t->soul.id)) soul_remove(w, t);
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
    soul_each_with(w, p->soul, survey_one, &s);
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
    soul_each_with(w, p->soul, remove_one, &s.highest);
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
    folder_soul t = { .there = false };

    soul_find(w, name, &t);
    if (t.there && t.kind == LAYOUT_FLOOR && isinf(t.soul.floor) && !soul_has_rows(w, t.soul.id))
        soul_remove(w, &t);
    text_free(&t.name);
}

static void sweep_row(writing *w, slice key, double when_ms)
{
    layout_entry e;
    layout_seal seal;
    slice found;
    text name = { 0 };

    if (key.len <= LAYOUT_ID) return;
    if (!soul_name(w, layout_get64(key.at), &name)) {
        text_free(&name);
        return;
    }
    layout_seal_soul(&seal, text_slice(&name));
    if (writing_get(w, w->disk->rows, key, &found) &&
        layout_entry_read(&e, (slice){ key.at + LAYOUT_ID, key.len - LAYOUT_ID }, found, &seal) ==
            STATUS_OK &&
        e.kind == LAYOUT_FLOOR && was_made(e.rest, LAYOUT_FLOOR_ROW, when_ms))
        writing_remove(w, w->disk->rows, key);
    forget_empty_soul(w, text_slice(&name));
    text_free(&name);
}

/* Rows at or below the floor are still there if a crash cut the purge short. */
static void sweep_soul(writing *w, slice key, double when_ms)
{
    folder_soul t = { .there = false };
    layout_entry e;
    slice found;
    text name = { 0 };

    if (!writing_get(w, w->disk->souls, key, &found) ||
        layout_entry_read(&e, key, found, layout_index_seal()) != STATUS_OK ||
        e.kind != LAYOUT_FLOOR || !was_made(e.rest, LAYOUT_FLOOR_SOUL, when_ms))
        return;
    text_add(&name, e.name);
    if (!text_ok(&name)) w->how = STATUS_NO_MEMORY;
    soul_find(w, text_slice(&name), &t);
    if (t.there) remove_rows(w, &t, t.soul.floor);
    if (t.there && soul_has_rows(w, t.soul.id)) {
        layout_entry plain = { .name = text_slice(&t.name), .number = t.soul.id };
        writing_put_entry(w, w->disk->souls, key, &plain, layout_index_seal());
    } else if (t.there) {
        soul_remove(w, &t);
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
    soul_each_with(w, text_slice(&name), remove_one, &floor);
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
