/* check_expiry.c - what is noted of rows that expire, see check.h: a soul that has such
 * rows is noted once, with a time, and stands once among the times.
 */
#include "radisk/check_inside.h"

static const slice no_name = { "", 0 };

static bool get(const checking *c, slice key, slice *out)
{
    MDB_val k = disk_val(key), v;
    bool there = mdb_get(c->txn, c->disk.expiries, &k, &v) == 0;

    if (there) *out = disk_slice(v);
    return there;
}

static bool find(const checking *c, uint64_t id, layout_expiry *out)
{
    char key[LAYOUT_EXPIRY_SOUL];
    slice found;

    layout_expiry_soul(key, id);
    return get(c, (slice){ key, sizeof key }, &found) &&
           layout_expiry_read(out, found) == STATUS_OK;
}

void check_expires(checking *c, uint64_t id, slice soul)
{
    layout_expiry e;

    if (c->disk.has_expiries && c->counted && !find(c, id, &e))
        check_find(c, "it is not noted when the rows of a soul expire", soul, no_name);
}

static bool is_noted(const checking *c, slice key, slice value)
{
    char due_key[LAYOUT_EXPIRY_DUE];
    layout_expiry e;
    uint64_t id;
    double due;
    slice found;

    if (layout_expiry_due_read(key, &due, &id) == STATUS_OK) return find(c, id, &e) && e.due == due;
    if (layout_expiry_soul_read(key, &id) != STATUS_OK ||
        layout_expiry_read(&e, value) != STATUS_OK)
        return false;
    layout_expiry_due(due_key, e.due, id);
    return get(c, (slice){ due_key, sizeof due_key }, &found);
}

void check_expiry(checking *c, slice key, slice value)
{
    if (!is_noted(c, key, value))
        check_find(c, "a note of when rows expire is damaged", no_name, no_name);
}
