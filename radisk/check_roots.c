/* check_roots.c - roots of audio, see check.h: what is counted of them is what is there.
 *
 * All rows are walked over anyway. What they have to do with roots is noted, sorted, and
 * compared with the tables, which are in the same order.
 */
#include "radisk/check_inside.h"
#include "radisk/hashed.h"

#include <stdio.h>
#include <stdlib.h>

static const slice no_name = { "", 0 };

/* One sum of a table: of `roots` rows and bytes, of `names` the rows in `rows`, of
 * `uploaders` the bytes. */
struct check_sum {
    uint8_t len;
    char key[NAME_KEY_MAX];
    uint64_t rows, bytes;
};

static slice key_of(const check_sum *s)
{
    return (slice){ s->key, s->len };
}

static void add(checking *c, check_sums *to, slice key, uint64_t rows, uint64_t bytes)
{
    check_sum *last = to->len > 0 ? &to->at[to->len - 1] : NULL;

    if (last != NULL && slice_equal(key_of(last), key)) {
        last->rows += rows;
        last->bytes += bytes;
        return;
    }
    if (to->len == to->room) {
        size_t room = to->room == 0 ? 64 : to->room * 2;
        check_sum *more = realloc(to->at, room * sizeof *more);
        c->no_memory |= more == NULL;
        if (more == NULL) return;
        to->at = more;
        to->room = room;
    }
    last = &to->at[to->len++];
    *last = (check_sum){ .len = (uint8_t)key.len, .rows = rows, .bytes = bytes };
    memcpy(last->key, key.at, key.len);
}

static int by_key(const void *a, const void *b)
{
    return slice_order(key_of(a), key_of(b));
}

static void sum_up(check_sums *s)
{
    size_t left = 0;

    if (s->len > 1) qsort(s->at, s->len, sizeof *s->at, by_key);
    for (size_t i = 0; i < s->len; i++) {
        if (left > 0 && slice_equal(key_of(&s->at[left - 1]), key_of(&s->at[i]))) {
            s->at[left - 1].rows += s->at[i].rows;
            s->at[left - 1].bytes += s->at[i].bytes;
        } else {
            s->at[left++] = s->at[i];
        }
    }
    s->len = left;
}

void check_root_row(checking *c, slice soul, uint64_t bytes)
{
    root_key root;

    if (root_of_soul(soul, &root)) add(c, &c->roots, root_slice(&root), 1, bytes);
}

void check_root_names(checking *c, slice soul, slice key, slice value)
{
    char at[NAME_KEY_MAX];
    root_names names;

    (void)root_names_of(soul, key, value, &names);
    for (size_t i = 0; i < names.count; i++) {
        size_t len = name_key_write(at, &names.roots[i], names.kind, payer_slice(&names.who));
        add(c, &c->names, (slice){ at, len }, 1, 0);
    }
}

/* ---- against the tables ---- */

typedef void each(checking *c, slice key, slice value, const check_sum *sum);

/* Both in order; `sum` is NULL for an entry that nothing stands for. */
static status compare(checking *c, MDB_dbi table, check_sums *sums, const char *missing,
                      each *entry)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    size_t i = 0;
    status s = disk_status(mdb_cursor_open(c->txn, table, &cursor));

    if (s != STATUS_OK) return s;
    int error = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    for (; error == 0; error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
        slice key = disk_slice(k);
        for (; i < sums->len && slice_order(key_of(&sums->at[i]), key) < 0; i++)
            check_find(c, missing, no_name, no_name);
        bool met = i < sums->len && slice_equal(key_of(&sums->at[i]), key);
        entry(c, key, disk_slice(v), met ? &sums->at[i++] : NULL);
    }
    mdb_cursor_close(cursor);
    for (; i < sums->len; i++) check_find(c, missing, no_name, no_name);
    return error == MDB_NOTFOUND ? STATUS_OK : disk_status(error);
}

static void check_name(checking *c, slice key, slice value, const check_sum *sum)
{
    uint64_t count;

    if (root_number_read(&count, key, value) != STATUS_OK)
        check_find(c, "what names a root of audio is damaged", no_name, no_name);
    else if (sum == NULL || sum->rows != count)
        check_find(c, "the count of rows that name a root of audio is wrong", no_name, no_name);
}

/* The first key that pins or links the root. */
static slice first_owner(const checking *c, slice root)
{
    size_t low = 0, high = c->names.len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice_order(key_of(&c->names.at[middle]), root) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    root_key own;
    name_kind kind;
    slice by;
    if (low == c->names.len || root.len != ROOT_BYTES ||
        !slice_begins(key_of(&c->names.at[low]), root) ||
        name_key_read(key_of(&c->names.at[low]), &own, &kind, &by) != STATUS_OK)
        return no_name;
    return kind == NAME_OTHER ? no_name : by;
}

static void check_root(checking *c, slice key, slice value, const check_sum *sum)
{
    root_record r;

    if (root_record_read(&r, key, value) != STATUS_OK) {
        check_find(c, "the record of a root of audio is damaged", no_name, no_name);
        return;
    }
    c->report->roots++;
    if (sum == NULL || sum->rows != r.rows || sum->bytes != r.bytes)
        check_find(c, "the count of the rows or bytes of a root of audio is wrong", no_name,
                   no_name);
    slice owner = first_owner(c, key);
    if (!slice_equal(payer_slice(&r.charged), owner.len > 0 ? owner : payer_slice(&r.uploader)))
        check_find(c, "the bytes of a root of audio are charged to somebody else", no_name,
                   no_name);
    if (r.charged.len > 0 && r.bytes > 0)
        add(c, &c->uploaders, payer_slice(&r.charged), 0, r.bytes);
}

static void check_uploader(checking *c, slice key, slice value, const check_sum *sum)
{
    uint64_t bytes;

    if (root_number_read(&bytes, key, value) != STATUS_OK)
        check_find(c, "the bytes of an uploader are damaged", no_name, key);
    else if (sum == NULL || sum->bytes != bytes)
        check_find(c, "the bytes of an uploader are counted wrong", no_name, key);
}

static void check_pin(checking *c, slice key, slice value, const check_sum *sum)
{
    uint64_t when;

    (void)sum;
    if (key.len != ROOT_BYTES || root_number_read(&when, key, value) != STATUS_OK)
        check_find(c, "a pin is damaged", no_name, no_name);
    else
        c->report->pins++;
}

status check_roots(checking *c)
{
    check_sums none = { 0 };
    bool counted = false;
    status s = c->disk.has_roots ? disk_roots_counted(&c->disk, &counted) : STATUS_OK;

    if (s != STATUS_OK || !c->disk.has_roots) return s;
    s = compare(c, c->disk.pins, &none, "", check_pin);
    if (s != STATUS_OK || !counted) return s; /* the next start counts them */
    sum_up(&c->roots);
    sum_up(&c->names);
    s = compare(c, c->disk.names, &c->names, "rows that name a root of audio are not counted",
                check_name);
    if (s == STATUS_OK)
        s = compare(c, c->disk.roots, &c->roots, "a root of audio has no record", check_root);
    sum_up(&c->uploaders);
    if (s == STATUS_OK)
        s = compare(c, c->disk.uploaders, &c->uploaders, "an uploader's bytes are not counted",
                    check_uploader);
    return s;
}

void check_roots_free(checking *c)
{
    free(c->roots.at);
    free(c->names.at);
    free(c->uploaders.at);
}
