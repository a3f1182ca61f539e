/* folder_roots.c - see folder_inside.h and space.h: roots of audio, counted as their rows
 * and links come and go.
 *
 * Chunks come many of one root in a row, so what came is added up, and written when the
 * transaction ends or another root's turn comes.
 */
#include "radisk/folder_inside.h"

#include <stdlib.h>

/* ---- records ---- */

bool roots_get(writing *w, const root_key *root, root_record *out)
{
    slice found;

    return writing_get(w, w->disk->roots, root_slice(root), &found) &&
           root_record_read(out, root_slice(root), found) == STATUS_OK;
}

void roots_put(writing *w, const root_key *root, const root_record *r)
{
    char at[ROOT_RECORD_MAX];
    size_t len = root_record_write(at, root_slice(root), r);

    writing_put(w, w->disk->roots, root_slice(root), (slice){ at, len });
}

static void add_charge(writing *w, const payer *whose, uint64_t came, uint64_t went)
{
    char value[ROOT_NUMBER_BYTES];
    slice key = payer_slice(whose), found;
    uint64_t bytes = 0;

    if (key.len == 0 || came == went) return;
    if (writing_get(w, w->disk->uploaders, key, &found) &&
        root_number_read(&bytes, key, found) != STATUS_OK)
        bytes = 0; /* damage: `brasa check` says so */
    bytes = bytes + came > went ? bytes + came - went : 0;
    root_number_write(value, key, bytes);
    if (bytes > 0)
        writing_put(w, w->disk->uploaders, key, (slice){ value, sizeof value });
    else
        writing_remove(w, w->disk->uploaders, key);
}

void roots_change(writing *w, const root_key *root, const root_record *before, root_record *after)
{
    if (after->rows == 0 && !w->recounting) {
        add_charge(w, &before->charged, 0, before->bytes);
        writing_remove(w, w->disk->roots, root_slice(root));
        return;
    }
    if (slice_equal(payer_slice(&before->charged), payer_slice(&after->charged))) {
        add_charge(w, &after->charged, after->bytes, before->bytes);
    } else {
        add_charge(w, &before->charged, 0, before->bytes);
        add_charge(w, &after->charged, after->bytes, 0);
    }
    roots_put(w, root, after);
}

/* ---- who names it ---- */

typedef struct name_walk {
    MDB_cursor *cursor;
    MDB_val k, v;
    name_kind kind;
    slice who; /* lent until the next write */
    uint64_t count;
    bool more;
} name_walk;

static void read_name(writing *w, const root_key *root, name_walk *n, int error)
{
    root_key own;

    n->more =
        error == 0 && n->k.mv_size > ROOT_BYTES && memcmp(n->k.mv_data, root->at, ROOT_BYTES) == 0;
    if (error != 0 && error != MDB_NOTFOUND) w->error = error;
    n->count = 0;
    if (n->more && (name_key_read(disk_slice(n->k), &own, &n->kind, &n->who) != STATUS_OK ||
                    root_number_read(&n->count, disk_slice(n->k), disk_slice(n->v)) != STATUS_OK)) {
        n->kind = NAME_OTHER; /* damaged: it names, for all we know */
        n->who = (slice){ "", 0 };
        n->count = 1;
    }
}

/* Walks over the names of a root; ended by end_names(). */
static void first_name(writing *w, const root_key *root, name_walk *n)
{
    *n = (name_walk){ .cursor = NULL };
    if (!writing_ok(w) || root->len != ROOT_BYTES) return;
    w->error = mdb_cursor_open(w->txn, w->disk->names, &n->cursor);
    if (w->error != 0) return;
    n->k = disk_val(root_slice(root));
    read_name(w, root, n, mdb_cursor_get(n->cursor, &n->k, &n->v, MDB_SET_RANGE));
}

static void next_name(writing *w, const root_key *root, name_walk *n)
{
    read_name(w, root, n, mdb_cursor_get(n->cursor, &n->k, &n->v, MDB_NEXT));
}

static void end_names(name_walk *n)
{
    if (n->cursor != NULL) mdb_cursor_close(n->cursor);
}

uint64_t roots_links(writing *w, const root_key *root)
{
    uint64_t links = 0;
    name_walk n;

    for (first_name(w, root, &n); n.more; next_name(w, root, &n))
        if (n.kind != NAME_PIN) links += n.count;
    end_names(&n);
    return links;
}

static int by_key(const void *a, const void *b)
{
    return slice_order(*(const slice *)a, text_slice(b));
}

static bool is_allowed(slice owner, const space_work *work)
{
    slice key = { owner.at + 1, owner.len - 1 }; /* behind its "~" */

    return work->all_pins ||
           (work->keys_len > 0 && owner.len > 1 &&
            bsearch(&key, work->keys, work->keys_len, sizeof *work->keys, by_key) != NULL);
}

bool roots_pinned(writing *w, const root_key *root, const space_work *work)
{
    bool pinned = false;
    slice found;
    name_walk n;

    if (root->len != ROOT_BYTES) return false;
    if (writing_get(w, w->disk->pins, root_slice(root), &found)) return true;
    for (first_name(w, root, &n); n.more && !pinned; next_name(w, root, &n))
        pinned = n.kind == NAME_PIN && is_allowed(n.who, work);
    end_names(&n);
    return pinned;
}

/* The first key that pins or links it, else the address. */
static void charge(writing *w, const root_key *root, root_record *r)
{
    name_walk n;

    first_name(w, root, &n);
    if (n.more && n.kind != NAME_OTHER)
        payer_set(&r->charged, n.who);
    else
        r->charged = r->uploader;
    end_names(&n);
}

/* ---- rows ---- */

static uint64_t moved(uint64_t from, int64_t by)
{
    uint64_t down = by < 0 ? (uint64_t)-by : 0;

    return down > from ? 0 : from + (uint64_t)by;
}

void roots_flush(writing *w)
{
    root_key root = w->root;
    root_record before = { 0 }, after;
    bool known;

    if (root.len == 0) return;
    w->root.len = 0;
    known = roots_get(w, &root, &before);
    after = before;
    after.rows = moved(before.rows, w->root_rows);
    after.bytes = moved(before.bytes, w->root_bytes);
    if ((w->root_came && !w->recounting) || !known) after.seen_ms = w->folder->seen_ms;
    if (!known) charge(w, &root, &after);
    if (known || after.rows > 0) roots_change(w, &root, &before, &after);
}

static void turn_to(writing *w, const root_key *root)
{
    if (w->root.len > 0 && root_equal(&w->root, root)) return;
    roots_flush(w);
    w->root = *root;
    w->root_rows = w->root_bytes = 0;
    w->root_came = false;
}

void roots_count(writing *w, const root_key *root, int64_t rows, int64_t bytes)
{
    turn_to(w, root);
    w->root_rows += rows;
    w->root_bytes += bytes;
    w->root_came |= rows > 0;
}

void roots_met(writing *w, const root_key *root)
{
    turn_to(w, root);
    w->root_came = true;
}

/* ---- names ---- */

static void count_name(writing *w, slice key, int by)
{
    char value[ROOT_NUMBER_BYTES];
    uint64_t count = 0;
    slice found;

    if (writing_get(w, w->disk->names, key, &found) &&
        root_number_read(&count, key, found) != STATUS_OK)
        count = 0;
    count = moved(count, by);
    root_number_write(value, key, count);
    if (count > 0)
        writing_put(w, w->disk->names, key, (slice){ value, sizeof value });
    else
        writing_remove(w, w->disk->names, key);
}

/* What a link changes stands anywhere: its count, the root's record, two sums of who
 * answers. Of pages that is two rows (room.c). */
enum { ROWS_A_NAME = 2 };

void roots_name(writing *w, slice soul, slice key, slice value, int by)
{
    root_names names;
    char at[NAME_KEY_MAX];

    if (root_names_of(soul, key, value, &names) == 0) return;
    roots_flush(w);
    for (size_t i = 0; i < names.count; i++) {
        const root_key *root = &names.roots[i];
        root_record before, after;
        size_t len = name_key_write(at, root, names.kind, payer_slice(&names.who));

        count_name(w, (slice){ at, len }, by);
        w->in_txn += ROWS_A_NAME;
        if (!roots_get(w, root, &before)) continue;
        after = before;
        if (!w->recounting) after.seen_ms = w->folder->seen_ms;
        charge(w, root, &after);
        roots_change(w, root, &before, &after);
    }
}

/* ---- counting anew ---- */

/* One of the records that stand for nothing yet. */
static bool next_record(writing *w, root_key *at, root_record *out)
{
    MDB_cursor *cursor;
    MDB_val k = disk_val(root_slice(at)), v;

    if (!writing_ok(w)) return false;
    w->error = mdb_cursor_open(w->txn, w->disk->roots, &cursor);
    if (w->error != 0) return false;
    int error = mdb_cursor_get(cursor, &k, &v, at->len == 0 ? MDB_FIRST : MDB_SET_RANGE);
    if (error == 0 && at->len > 0 && slice_equal(disk_slice(k), root_slice(at)))
        error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    mdb_cursor_close(cursor);
    if (error != 0 && error != MDB_NOTFOUND) w->error = error;
    if (error != 0) return false;
    slice key = disk_slice(k);
    at->len = (uint8_t)(key.len < ROOT_BYTES ? key.len : ROOT_BYTES);
    memcpy(at->at, key.at, at->len);
    if (root_record_read(out, key, disk_slice(v)) != STATUS_OK)
        *out = (root_record){ .seen_ms = w->folder->seen_ms };
    return true;
}

void roots_forget(writing *w)
{
    root_key at = { .len = 0 };
    root_record r;

    writing_remove(w, w->disk->meta, SLICE(DISK_META_ROOTS));
    if (writing_ok(w)) w->error = mdb_drop(w->txn, w->disk->names, 0);
    if (writing_ok(w)) w->error = mdb_drop(w->txn, w->disk->uploaders, 0);
    while (next_record(w, &at, &r)) {
        r.rows = r.bytes = 0;
        r.charged = r.uploader;
        roots_put(w, &at, &r);
        w->in_txn++;
        writing_breathe(w);
    }
}

void roots_sweep(writing *w)
{
    root_key at = { .len = 0 };
    root_record r;

    roots_flush(w);
    while (next_record(w, &at, &r)) {
        if (r.rows > 0) continue;
        writing_remove(w, w->disk->roots, root_slice(&at));
        w->in_txn++;
        writing_breathe(w);
    }
}

void roots_note_through(writing *w, uint64_t through)
{
    char number[8];

    layout_put64(number, through);
    writing_put(w, w->disk->meta, SLICE(DISK_META_ROOTS), (slice){ number, sizeof number });
}
