/* walk.c - see walk.h. */
#include "radisk/walk.h"

#include <stdlib.h>
#include <string.h>

int walk_side(const lex_range *range, slice name)
{
    if (range->from.len > 0) {
        int order = slice_order(name, range->from);
        if (order < 0 || (order == 0 && range->from_open)) return -1;
    }
    if (range->has_to) {
        int order = slice_order(name, range->to);
        if (order > 0 || (order == 0 && range->to_open)) return 1;
    }
    return 0;
}

/* What the cursor stands at, without the prefix; false when it left the table
 * or the soul. */
static bool look(walk *w, MDB_cursor_op op, MDB_val *key, slice *stored, slice *bytes, status *s)
{
    MDB_val value;
    int error = w->ended ? MDB_NOTFOUND : mdb_cursor_get(w->cursor, key, &value, op);

    *s = error == MDB_NOTFOUND ? STATUS_OK : disk_status(error);
    slice whole = disk_slice(*key), prefix = { w->prefix, w->prefix_len };
    if (error != 0 || !slice_begins(whole, prefix)) {
        w->ended = true;
        return false;
    }
    *stored = (slice){ whole.at + prefix.len, whole.len - prefix.len };
    *bytes = disk_slice(value);
    return true;
}

static MDB_cursor_op step(const walk *w)
{
    return w->range->backwards ? MDB_PREV : MDB_NEXT;
}

/* The key at which a walk begins. A name's first 440 bytes are at or before
 * whatever it is stored as; for the way back they are followed by bytes that
 * nothing stored exceeds. */
static size_t first_key(const walk *w, char at[static LAYOUT_KEY_MAX])
{
    bool back = w->range->backwards;
    slice bound = back ? w->range->to : w->range->from;
    size_t len = w->prefix_len;

    if (len > 0) memcpy(at, w->prefix, len);
    if (back && !w->range->has_to) bound.len = 0;
    size_t whole = bound.len < LAYOUT_WHOLE_MAX ? bound.len : LAYOUT_WHOLE_MAX;
    if (whole > 0) memcpy(at + len, bound.at, whole);
    len += whole;
    bool above = back && (!w->range->has_to || bound.len > LAYOUT_WHOLE_MAX);
    if (above) {
        size_t rest = w->prefix_len + LAYOUT_LONG - len;
        memset(at + len, 0xff, rest);
        len += rest;
    }
    return len;
}

/* Brings the cursor to the first entry at or after a key, or to the last one at
 * or before it. */
static status seek(walk *w)
{
    char at[LAYOUT_KEY_MAX];
    size_t len = first_key(w, at);
    MDB_val key = { len, at }, value;
    int error = len == 0 ? mdb_cursor_get(w->cursor, &key, &value, MDB_FIRST)
                         : mdb_cursor_get(w->cursor, &key, &value, MDB_SET_RANGE);

    if (w->range->backwards) {
        if (error == MDB_NOTFOUND)
            error = mdb_cursor_get(w->cursor, &key, &value, MDB_LAST);
        else if (error == 0 && !slice_equal(disk_slice(key), (slice){ at, len }))
            error = mdb_cursor_get(w->cursor, &key, &value, MDB_PREV);
    }
    w->ended = error == MDB_NOTFOUND;
    return error == MDB_NOTFOUND ? STATUS_OK : disk_status(error);
}

static status add_to_group(walk *w, const layout_entry *e)
{
    if (walk_side(w->range, e->name) != 0) return STATUS_OK;
    if (w->group_len == w->group_room) {
        size_t room = w->group_room == 0 ? 8 : w->group_room * 2;
        layout_entry *more = realloc(w->group, room * sizeof *more);
        if (more == NULL) return STATUS_NO_MEMORY;
        w->group = more;
        w->group_room = room;
    }
    w->group[w->group_len++] = *e;
    return STATUS_OK;
}

static int by_name(const void *a, const void *b)
{
    return slice_order(((const layout_entry *)a)->name, ((const layout_entry *)b)->name);
}

/* Reads on from a long name to the end of those that share its first bytes, and
 * leaves the cursor behind them, on an entry not given yet. */
static status read_group(walk *w, slice stored, slice bytes)
{
    slice shared = { stored.at, LAYOUT_WHOLE_MAX };
    status s = STATUS_OK;
    MDB_val key;
    bool more = true;

    w->group_len = w->group_given = 0;
    while (s == STATUS_OK && more && stored.len == LAYOUT_LONG && slice_begins(stored, shared)) {
        layout_entry e;
        s = layout_entry_read(&e, stored, bytes, &w->seal);
        if (s == STATUS_CORRUPT) {
            w->damaged++;
            s = STATUS_OK;
        } else if (s == STATUS_OK) {
            s = add_to_group(w, &e);
        }
        if (s == STATUS_OK) more = look(w, step(w), &key, &stored, &bytes, &s);
    }
    w->used = false;
    if (w->group_len > 1) qsort(w->group, w->group_len, sizeof *w->group, by_name);
    return s;
}

static void give_from_group(walk *w)
{
    size_t i = w->group_given++;

    w->now = w->group[w->range->backwards ? w->group_len - 1 - i : i];
}

status walk_next(walk *w)
{
    int beyond = w->range->backwards ? -1 : 1;
    slice stored, bytes;
    MDB_val key;
    status s;

    for (;;) {
        if (w->group_given < w->group_len) {
            give_from_group(w);
            return STATUS_OK;
        }
        if (!look(w, w->used ? step(w) : MDB_GET_CURRENT, &key, &stored, &bytes, &s)) break;
        w->used = true;
        if (stored.len == 0) continue; /* a soul's own row, before its keys */
        if (stored.len == LAYOUT_LONG) {
            s = read_group(w, stored, bytes);
            if (s != STATUS_OK) break;
            continue;
        }
        s = layout_entry_read(&w->now, stored, bytes, &w->seal);
        if (s == STATUS_CORRUPT) {
            w->damaged++;
            continue;
        }
        if (s != STATUS_OK) break;
        int side = walk_side(w->range, w->now.name);
        if (side == 0) return STATUS_OK;
        if (side == beyond) break;
    }
    w->over = true;
    return s;
}

static status begin(walk *w, MDB_txn *txn, MDB_dbi table)
{
    status s = disk_status(mdb_cursor_open(txn, table, &w->cursor));

    if (s == STATUS_OK) s = seek(w);
    return s == STATUS_OK ? walk_next(w) : s;
}

status walk_rows(walk *w, MDB_txn *txn, const disk *d, const disk_soul *soul,
                 const lex_range *range)
{
    *w = (walk){ .range = range, .prefix_len = LAYOUT_ID, .seal = soul->seal };
    layout_put64(w->prefix, soul->id);
    return begin(w, txn, d->rows);
}

status walk_souls(walk *w, MDB_txn *txn, const disk *d, const lex_range *range)
{
    *w = (walk){ .range = range, .seal = *layout_index_seal() };
    return begin(w, txn, d->souls);
}

void walk_end(walk *w)
{
    if (w->cursor != NULL) mdb_cursor_close(w->cursor);
    free(w->group);
    w->cursor = NULL;
    w->group = NULL;
}
