/* view.c - see view.h. */
#include "radisk/view_inside.h"

#include "radisk/walk.h"

#include <assert.h>
#include <sodium/crypto_generichash.h>
#include <stdlib.h>
#include <string.h>

typedef struct viewing {
    const radisk_view *v;
    disk at; /* the tables, read through the view's transaction alone */
    slice prefix;
    text value; /* the last blob's */
    view_visit *visit;
    void *visitor;
    bool stopped;
} viewing;

/* Of the store's own struct only what never changes is copied: the loop goes on
 * using the rest. */
static disk disk_of(const radisk_view *v)
{
    const disk *d = v->disk;

    return (disk){ .env = d->env,
                   .meta = d->meta,
                   .souls = d->souls,
                   .rows = d->rows,
                   .held = d->held,
                   .blobs = d->blobs,
                   .segments = d->segments,
                   .floors = d->floors,
                   .marks = d->marks,
                   .reader = v->txn,
                   .reading = true,
                   .lock = -1,
                   .folder = -1 };
}

/* Names are CESU-8, in which no byte is 0xff: everything that begins with the
 * prefix lies between it and itself followed by that byte. */
static status range_of(slice prefix, text *end, lex_range *out)
{
    *out = (lex_range){ .from = prefix };
    if (prefix.len == 0) return STATUS_OK;
    text_add(end, prefix);
    text_add_char(end, (char)0xff);
    if (!text_ok(end)) return STATUS_NO_MEMORY;
    out->to = text_slice(end);
    out->has_to = out->to_open = true;
    return STATUS_OK;
}

static void visit(viewing *g, const view_row *row)
{
    if (!g->stopped) g->stopped = !g->visit(g->visitor, row);
}

/* A blob that cannot be read, or whose text is another, is damage of that row. */
static status read_blob(viewing *g, const blob_ref *ref, view_row *row)
{
    text stored = { 0 };
    blob_place place;
    uint64_t refs;
    status s = disk_find_blob(&g->at, ref->hash, &place, &refs);

    text_reset(&g->value, BLOB_MIN * 16);
    if (s == STATUS_OK) s = blob_read_quick(g->v->reader, ref, &place, &stored);
    if (s == STATUS_OK) s = blob_text(ref, text_slice(&stored), &g->value);
    text_free(&stored);
    if (s == STATUS_CORRUPT || s == STATUS_NOT_FOUND) {
        row->damaged = true;
        return STATUS_OK;
    }
    row->value = text_slice(&g->value);
    return s;
}

static status give_row(viewing *g, slice soul, const layout_entry *e)
{
    view_row row = { .soul = soul, .key = e->name, .state = layout_number_state(e->number) };
    blob_ref ref;
    status s = STATUS_OK;

    switch (e->kind) {
    case LAYOUT_FLOOR:
        return STATUS_OK;
    case LAYOUT_TEXT:
        row.value = e->rest;
        break;
    case LAYOUT_BLOB:
        row.damaged = layout_blob_read(&ref, e->rest) != STATUS_OK;
        if (!row.damaged) s = read_blob(g, &ref, &row);
        break;
    }
    if (s == STATUS_OK) visit(g, &row);
    return s;
}

/* What a walk had to leave out has no name any more, but it is not kept quiet. */
static void give_damaged(viewing *g, slice soul, uint64_t before, uint64_t after)
{
    for (; before < after && !g->stopped; before++)
        visit(g, &(view_row){ .soul = soul, .damaged = true });
}

static status give_soul(viewing *g, const layout_entry *soul)
{
    static const lex_range all;
    disk_soul where = { .id = soul->number };
    uint64_t damaged = 0;
    walk w;

    layout_seal_soul(&where.seal, soul->name);
    status s = walk_rows(&w, g->v->txn, &g->at, &where, &all);
    for (; s == STATUS_OK && !g->stopped; s = walk_next(&w)) {
        give_damaged(g, soul->name, damaged, w.damaged);
        damaged = w.damaged;
        if (w.over || g->stopped) break;
        s = give_row(g, soul->name, &w.now);
        if (s != STATUS_OK) break;
    }
    walk_end(&w);
    return s;
}

static status give_souls(viewing *g, const lex_range *range)
{
    uint64_t damaged = 0;
    walk w;
    status s = walk_souls(&w, g->v->txn, &g->at, range);

    for (; s == STATUS_OK && !g->stopped; s = walk_next(&w)) {
        give_damaged(g, (slice){ "", 0 }, damaged, w.damaged);
        damaged = w.damaged;
        if (w.over || g->stopped) break;
        s = give_soul(g, &w.now);
        if (s != STATUS_OK) break;
    }
    walk_end(&w);
    return s;
}

static status give_held_one(viewing *g, slice key, slice bytes)
{
    view_row row = { .held = true };
    layout_held h;

    if (layout_held_read(&h, key, bytes) != STATUS_OK) {
        row.damaged = true;
        visit(g, &row);
        return STATUS_OK;
    }
    if (!slice_begins(h.soul, g->prefix)) return STATUS_OK;
    row.soul = h.soul;
    row.key = h.key;
    row.state = h.state;
    row.value = h.value;
    status s = h.is_blob ? read_blob(g, &h.blob, &row) : STATUS_OK;
    if (s == STATUS_OK) visit(g, &row);
    return s;
}

static status give_held(viewing *g)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    status s = disk_status(mdb_cursor_open(g->v->txn, g->at.held, &cursor));

    if (s != STATUS_OK) return s;
    int error = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (error == 0 && s == STATUS_OK && !g->stopped) {
        s = give_held_one(g, disk_slice(key), disk_slice(value));
        error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (s != STATUS_OK || error == 0 || error == MDB_NOTFOUND) return s;
    return disk_status(error);
}

status view_rows(radisk_view *v, slice prefix, view_visit *visitor_call, void *visitor)
{
    viewing g = {
        .v = v, .at = disk_of(v), .prefix = prefix, .visit = visitor_call, .visitor = visitor
    };
    text end = { 0 };
    lex_range range;
    status s = range_of(prefix, &end, &range);

    if (s == STATUS_OK) s = give_souls(&g, &range);
    if (s == STATUS_OK && !g.stopped) s = give_held(&g);
    text_free(&end);
    text_free(&g.value);
    return s;
}

/* ---- floors ---- */

typedef struct floor_viewing {
    disk at;
    MDB_txn *txn;
    view_floor_visit *visit;
    void *visitor;
    bool stopped;
} floor_viewing;

static void give_floor(floor_viewing *g, const view_floor *f)
{
    if (!g->stopped) g->stopped = !g->visit(g->visitor, f);
}

static status give_prefix_floors(floor_viewing *g)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    layout_entry e;
    status s = disk_status(mdb_cursor_open(g->txn, g->at.floors, &cursor));

    if (s != STATUS_OK) return s;
    int error = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; error == 0 && !g->stopped; error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        if (layout_entry_read(&e, disk_slice(key), disk_slice(value), layout_index_seal()) !=
                STATUS_OK ||
            e.rest.len != LAYOUT_FLOOR_ROW)
            continue; /* damaged: `brasa check` says which */
        give_floor(g, &(view_floor){ .soul = e.name,
                                     .prefix = true,
                                     .floor = layout_number_state(e.number),
                                     .made_ms = layout_number_state(layout_get64(e.rest.at)) });
    }
    mdb_cursor_close(cursor);
    return error == 0 || error == MDB_NOTFOUND ? STATUS_OK : disk_status(error);
}

static void give_row_floor(floor_viewing *g, slice soul, const layout_entry *e)
{
    if (e->kind != LAYOUT_FLOOR || e->rest.len != LAYOUT_FLOOR_ROW) return;
    give_floor(g, &(view_floor){ .soul = soul,
                                 .key = e->name,
                                 .floor = layout_number_state(e->number),
                                 .made_ms = layout_number_state(layout_get64(e->rest.at)) });
}

static status give_floors_of(floor_viewing *g, const layout_entry *soul)
{
    static const lex_range all;
    view_floor own = { .soul = soul->name };
    disk_soul where = { .id = soul->number };
    walk w;

    if (soul->kind == LAYOUT_FLOOR &&
        layout_floor_soul_read(soul->rest, &own.floor, &own.made_ms) == STATUS_OK)
        give_floor(g, &own);
    layout_seal_soul(&where.seal, soul->name);
    status s = walk_rows(&w, g->txn, &g->at, &where, &all);
    while (s == STATUS_OK && !w.over && !g->stopped) {
        give_row_floor(g, soul->name, &w.now);
        s = walk_next(&w);
    }
    walk_end(&w);
    return s;
}

/* Every floor has its mark, so without marks nothing has to be walked. */
status view_floors(radisk_view *v, view_floor_visit *visitor_call, void *visitor)
{
    static const lex_range all;
    floor_viewing g = {
        .at = disk_of(v), .txn = v->txn, .visit = visitor_call, .visitor = visitor
    };
    uint64_t marks = 0;
    walk w;
    status s = disk_count(&g.at, g.at.marks, &marks);

    if (s != STATUS_OK || marks == 0) return s;
    s = give_prefix_floors(&g);
    if (s != STATUS_OK || g.stopped) return s;
    s = walk_souls(&w, v->txn, &g.at, &all);
    while (s == STATUS_OK && !w.over && !g.stopped) {
        s = give_floors_of(&g, &w.now);
        if (s == STATUS_OK) s = walk_next(&w);
    }
    walk_end(&w);
    return s;
}

void view_close(radisk_view *v)
{
    if (v == NULL) return;
    mdb_txn_abort(v->txn);
    blob_reader_free(v->reader);
    if (v->closed != NULL) v->closed(v->closed_context);
    free(v);
}

/* ---- the hash ---- */

static void hash_counted(crypto_generichash_state *h, slice name)
{
    char len[4];

    layout_put32(len, (uint32_t)name.len);
    (void)crypto_generichash_update(h, (const unsigned char *)len, sizeof len);
    (void)crypto_generichash_update(h, (const unsigned char *)name.at, name.len);
}

static uint64_t little_endian(const unsigned char at[static 8])
{
    uint64_t number = 0;

    for (int i = 7; i >= 0; i--) number = number << 8 | at[i];
    return number;
}

void store_hash_add(store_hash *h, const view_row *row)
{
    crypto_generichash_state state;
    unsigned char digest[32];
    char bits[8];

    if (row->damaged) return;
    (void)crypto_generichash_init(&state, NULL, 0, sizeof digest);
    if (row->held) (void)crypto_generichash_update(&state, (const unsigned char *)"held", 4);
    hash_counted(&state, row->soul);
    hash_counted(&state, row->key);
    layout_put64(bits, layout_state_number(row->state));
    (void)crypto_generichash_update(&state, (const unsigned char *)bits, sizeof bits);
    (void)crypto_generichash_update(&state, (const unsigned char *)row->value.at, row->value.len);
    (void)crypto_generichash_final(&state, digest, sizeof digest);

    uint64_t low = little_endian(digest), high = little_endian(digest + 8);
    h->low += low;
    h->high += high + (h->low < low);
}

void store_hash_text(const store_hash *h, char out[static STORE_HASH_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    uint64_t high = h->high, low = h->low;

    for (int i = 15; i >= 0; i--, high >>= 4, low >>= 4) {
        out[i] = digits[high & 15];
        out[16 + i] = digits[low & 15];
    }
    out[32] = '\0';
}
