/* view_roots.c - roots of audio, as a view shows them; see space.h. */
#include "radisk/space.h"
#include "radisk/view_inside.h"

typedef struct roots_walk {
    radisk_view *view;
    MDB_cursor *names;
    text pins;
    view_root root;
} roots_walk;

/* A name of the root that the walk stands at; what is damaged is one. */
static void add_name(roots_walk *w, slice key, slice value)
{
    name_kind kind;
    root_key root;
    uint64_t count = 1;
    slice by;

    if (name_key_read(key, &root, &kind, &by) != STATUS_OK) kind = NAME_OTHER;
    if (root_number_read(&count, key, value) != STATUS_OK) count = 1;
    if (kind != NAME_PIN) {
        w->root.links += count;
        return;
    }
    if (w->pins.len > 0) text_add_char(&w->pins, ' ');
    text_add(&w->pins, by);
}

static status read_names(roots_walk *w)
{
    slice root = root_slice(&w->root.root);
    MDB_val k = disk_val(root), v;

    text_reset(&w->pins, 1 << 16);
    if (root.len != ROOT_BYTES) return STATUS_OK;
    int error = mdb_cursor_get(w->names, &k, &v, MDB_SET_RANGE);
    for (; error == 0 && slice_begins(disk_slice(k), root);
         error = mdb_cursor_get(w->names, &k, &v, MDB_NEXT))
        add_name(w, disk_slice(k), disk_slice(v));
    if (!text_ok(&w->pins)) return STATUS_NO_MEMORY;
    w->root.pins = text_slice(&w->pins);
    return error == 0 || error == MDB_NOTFOUND ? STATUS_OK : disk_status(error);
}

static status read_pin(roots_walk *w)
{
    slice root = root_slice(&w->root.root);
    MDB_val k = disk_val(root), v;
    uint64_t when;
    int error = mdb_get(w->view->txn, w->view->disk->pins, &k, &v);

    if (error == MDB_NOTFOUND) return STATUS_OK;
    if (error != 0) return disk_status(error);
    bool good = root_number_read(&when, root, disk_slice(v)) == STATUS_OK;
    w->root.pinned_ms = good ? layout_number_state(when) : 1;
    return STATUS_OK;
}

static status visit_root(roots_walk *w, slice key, slice value, view_root_visit *visit,
                         void *visitor, bool *more)
{
    status s = STATUS_OK;

    *more = true;
    w->root = (view_root){ .pins = { "", 0 } };
    if (key.len > ROOT_BYTES || root_record_read(&w->root.is, key, value) != STATUS_OK)
        return STATUS_OK; /* damaged: `brasa check` says so */
    w->root.root.len = (uint8_t)key.len;
    memcpy(w->root.root.at, key.at, key.len);
    s = read_names(w);
    if (s == STATUS_OK) s = read_pin(w);
    if (s == STATUS_OK) *more = visit(visitor, &w->root);
    return s;
}

status view_pins(radisk_view *v, view_pin_visit *visit, void *visitor)
{
    MDB_cursor *cursor;
    MDB_val k, value;
    bool more = true;

    if (!v->disk->has_roots) return STATUS_OK;
    status s = disk_status(mdb_cursor_open(v->txn, v->disk->pins, &cursor));
    if (s != STATUS_OK) return s;
    int error = mdb_cursor_get(cursor, &k, &value, MDB_FIRST);
    for (; error == 0 && more; error = mdb_cursor_get(cursor, &k, &value, MDB_NEXT)) {
        root_key root = { .len = ROOT_BYTES };
        uint64_t when;
        if (k.mv_size != ROOT_BYTES) continue;
        memcpy(root.at, k.mv_data, ROOT_BYTES);
        /* A pin whose time is damaged is a pin. */
        if (root_number_read(&when, disk_slice(k), disk_slice(value)) != STATUS_OK) when = 0;
        more = visit(visitor, &root, layout_number_state(when));
    }
    mdb_cursor_close(cursor);
    return error == 0 || error == MDB_NOTFOUND ? STATUS_OK : disk_status(error);
}

status view_roots(radisk_view *v, view_root_visit *visit, void *visitor)
{
    roots_walk w = { .view = v };
    MDB_cursor *roots = NULL;
    MDB_val key, value;
    bool more = true;
    status s;

    if (!v->disk->has_roots) return STATUS_OK;
    s = disk_status(mdb_cursor_open(v->txn, v->disk->roots, &roots));
    if (s == STATUS_OK) s = disk_status(mdb_cursor_open(v->txn, v->disk->names, &w.names));
    int error = s == STATUS_OK ? mdb_cursor_get(roots, &key, &value, MDB_FIRST) : MDB_NOTFOUND;
    for (; error == 0 && s == STATUS_OK && more;
         error = mdb_cursor_get(roots, &key, &value, MDB_NEXT))
        s = visit_root(&w, disk_slice(key), disk_slice(value), visit, visitor, &more);
    if (s == STATUS_OK && error != 0 && error != MDB_NOTFOUND) s = disk_status(error);
    if (w.names != NULL) mdb_cursor_close(w.names);
    if (roots != NULL) mdb_cursor_close(roots);
    text_free(&w.pins);
    return s;
}
