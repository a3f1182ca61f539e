/* check.c - the tables of LMDB and the files of blobs; see check.h. */
#include "radisk/check.h"

#include "core/json.h"
#include "radisk/check_inside.h"
#include "radisk/hashed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SHOWN = 120 };

static const slice no_name = { "", 0 };

/* ---- saying it ---- */

static void add_name(text *out, const char *before, slice name)
{
    slice shown = { name.at, name.len > NAME_SHOWN ? NAME_SHOWN : name.len };

    if (name.len == 0) return;
    text_add(out, (slice){ before, strlen(before) });
    json_print_name(out, shown);
    if (shown.len < name.len) text_add(out, SLICE("..."));
}

static void say(checking *c, text *line)
{
    text_add_char(line, '\0');
    c->no_memory |= !text_ok(line);
    c->report->findings++;
    c->wish->say(c->wish->context, text_ok(line) ? line->at : "out of memory");
    text_free(line);
}

void check_find(checking *c, const char *what, slice soul, slice key)
{
    text line = { 0 };

    text_add(&line, (slice){ what, strlen(what) });
    add_name(&line, ": soul ", soul);
    add_name(&line, soul.len > 0 ? ", key " : ": key ", key);
    say(c, &line);
}

void check_find_file(checking *c, const char *name, const char *what)
{
    text line = { 0 };

    text_add(&line, (slice){ name, strlen(name) });
    text_add(&line, SLICE(": "));
    text_add(&line, (slice){ what, strlen(what) });
    say(c, &line);
}

/* ---- tables ---- */

typedef void each_entry(checking *c, slice key, slice value);

static status walk(checking *c, MDB_dbi table, each_entry *each)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    status s = disk_status(mdb_cursor_open(c->txn, table, &cursor));

    if (s != STATUS_OK) return s;
    int error = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    for (; error == 0; error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT))
        each(c, disk_slice(k), disk_slice(v));
    mdb_cursor_close(cursor);
    return error == MDB_NOTFOUND ? STATUS_OK : disk_status(error);
}

/* ---- blobs ---- */

static void load_blob(checking *c, slice key, slice value)
{
    check_blob *b = &c->blobs[c->blobs_len];

    *b = (check_blob){ .met = 0 };
    if (layout_blob_entry_read(&b->is, key, value) == STATUS_OK)
        c->blobs_len++;
    else
        check_find(c, "an entry of the table of blobs is damaged", no_name, no_name);
}

/* In the order of their hashes: that of the table. */
static status load_blobs(checking *c)
{
    uint64_t count = 0;
    status s = disk_count(&c->disk, c->disk.blobs, &count);

    if (s != STATUS_OK) return s;
    c->blobs = calloc((size_t)count + 1, sizeof *c->blobs);
    return c->blobs == NULL ? STATUS_NO_MEMORY : walk(c, c->disk.blobs, load_blob);
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(a, ((const check_blob *)b)->is.ref.hash, BLOB_HASH);
}

check_blob *check_find_blob(checking *c, const uint8_t hash[static BLOB_HASH])
{
    if (c->blobs_len == 0) return NULL;
    return bsearch(hash, c->blobs, c->blobs_len, sizeof *c->blobs, by_hash);
}

status check_blob_text(checking *c, const blob_ref *ref, const blob_place *place, slice *out)
{
    text stored = { 0 };
    status s = blob_read(c->reader, ref, place, &stored);

    text_reset(&c->value, (size_t)1 << 20);
    if (s == STATUS_OK) s = blob_text(ref, text_slice(&stored), &c->value);
    text_free(&stored);
    *out = text_slice(&c->value);
    c->no_memory |= s == STATUS_NO_MEMORY;
    return s;
}

static void meet_blob(checking *c, const blob_ref *ref, slice soul, slice key)
{
    check_blob *b = check_find_blob(c, ref->hash);

    if (b == NULL)
        check_find(c, "a large value is in no table", soul, key);
    else
        b->met++;
}

/* Which row has it is not known here: the hash is said, and the file. */
static void find_in_blob(checking *c, const check_blob *b, const char *what)
{
    char name[BLOB_NAME], line[BLOB_NAME + 160], hex[9];

    blob_file_name(name, b->is.place.segment);
    for (int i = 0; i < 4; i++) (void)snprintf(hex + 2 * i, 3, "%02x", b->is.ref.hash[i]);
    (void)snprintf(line, sizeof line, "at %llu, SHA-256 %s...: %s",
                   (unsigned long long)b->is.place.offset, hex, what);
    check_find_file(c, name, line);
}

static status prove_blob(checking *c, const check_blob *b)
{
    text bytes = { 0 };
    status s = blob_read(c->reader, &b->is.ref, &b->is.place, &bytes);

    text_free(&bytes);
    if (s == STATUS_CORRUPT) find_in_blob(c, b, "its bytes are damaged");
    if (s == STATUS_NOT_FOUND) find_in_blob(c, b, "the file is missing");
    if (s == STATUS_IO) find_in_blob(c, b, "the disk cannot read it");
    return s == STATUS_NO_MEMORY ? s : STATUS_OK;
}

static status prove_blobs(checking *c)
{
    status s = STATUS_OK;

    for (size_t i = 0; i < c->blobs_len && s == STATUS_OK; i++) {
        const check_blob *b = &c->blobs[i];
        if (b->met != b->is.refs) find_in_blob(c, b, "the count of rows that name it is wrong");
        if (b->is.refs == 0 && b->met == 0) continue; /* dead weight, soon gone */
        c->report->blobs++;
        c->report->blob_bytes += b->is.place.stored_bytes;
        s = prove_blob(c, b);
    }
    return s;
}

static void check_segment(checking *c, slice key, slice value)
{
    char name[BLOB_NAME];
    layout_segment is;
    uint64_t lives = 0;

    if (layout_segment_read(&is, key, value) != STATUS_OK) {
        check_find(c, "an entry of the table of blob segments is damaged", no_name, no_name);
        return;
    }
    c->report->blob_segments++;
    c->report->dead_bytes += is.dead;
    for (size_t i = 0; i < c->blobs_len; i++)
        if (c->blobs[i].is.place.segment == is.number && c->blobs[i].is.refs > 0)
            lives += layout_blob_weight(&c->blobs[i].is.place);
    blob_file_name(name, is.number);
    if (is.bytes < is.dead || is.bytes - is.dead != lives)
        check_find_file(c, name, "what is counted as in use is not what is");
}

/* ---- souls and rows ---- */

static void check_soul(checking *c, slice key, slice value)
{
    layout_entry e, own;
    layout_key wanted;
    layout_seal seal;
    double floor, when_ms;

    if (layout_entry_read(&e, key, value, layout_index_seal()) != STATUS_OK) {
        check_find(c, "the entry of a soul is damaged", key, no_name);
        return;
    }
    layout_soul_key(&wanted, e.name);
    if (!slice_equal(layout_key_slice(&wanted), key) ||
        (e.kind == LAYOUT_FLOOR && layout_floor_soul_read(e.rest, &floor, &when_ms) != STATUS_OK))
        check_find(c, "the entry of a soul is damaged", e.name, no_name);
    c->report->souls++;
    if (e.kind == LAYOUT_FLOOR && layout_floor_soul_read(e.rest, &floor, &when_ms) == STATUS_OK &&
        isfinite(floor))
        c->report->floors++;
    if (e.number > c->max_id) c->max_id = e.number;

    layout_row_key(&wanted, e.number, no_name);
    layout_seal_soul(&seal, e.name);
    MDB_val k = disk_val(layout_key_slice(&wanted)), v;
    if (mdb_get(c->txn, c->disk.rows, &k, &v) != 0 ||
        layout_entry_read(&own, no_name, disk_slice(v), &seal) != STATUS_OK ||
        !slice_equal(own.rest, e.name))
        check_find(c, "the number of a soul is not its own", e.name, no_name);
}

/* Where the walk over the rows stands. */
typedef struct soul_at {
    uint64_t id;
    bool known;
    bool unseen; /* its rows expire, and none was met yet */
    bool hashed; /* its keys are content hashes */
    layout_seal seal;
    text name;
} soul_at;

/* The row (id, "") names the soul. Its check is made with that very name. */
static void begin_soul(checking *c, soul_at *at, slice value)
{
    enum { HEAD = 17 };
    layout_entry own;
    disk_soul found;

    text_reset(&at->name, 1 << 16);
    if (value.len >= HEAD) text_add(&at->name, (slice){ value.at + HEAD, value.len - HEAD });
    layout_seal_soul(&at->seal, text_slice(&at->name));
    at->known = false;
    c->no_memory |= !text_ok(&at->name);
    if (!text_ok(&at->name)) return;
    at->known = layout_entry_read(&own, no_name, value, &at->seal) == STATUS_OK;
    if (!at->known) check_find(c, "the name of a soul's rows is damaged", no_name, no_name);
    if (!at->known) return;
    at->unseen = policy_life_ms(text_slice(&at->name)) > 0;
    status s = disk_find_soul(&c->disk, text_slice(&at->name), &found);
    at->hashed = s == STATUS_OK && found.id == at->id && hashed_soul(text_slice(&at->name));
    if (s == STATUS_OK && found.id != at->id)
        check_find(c, "the index has another number for a soul that has rows",
                   text_slice(&at->name), no_name);
    else if (s == STATUS_NOT_FOUND)
        check_find(c, "a soul that has rows is not in the index", text_slice(&at->name), no_name);
}

static void count_hashed(checking *c, const soul_at *at, uint64_t bytes)
{
    if (!at->hashed) return;
    c->report->hashed_bytes += bytes;
    check_root_row(c, text_slice(&at->name), bytes);
}

static void check_row(checking *c, soul_at *at, slice stored, slice value)
{
    slice soul = text_slice(&at->name);
    layout_key wanted;
    layout_entry e;
    blob_ref ref;

    if (layout_entry_read(&e, stored, value, &at->seal) != STATUS_OK) {
        check_find(c, "a row is damaged", soul, stored);
        return;
    }
    layout_row_key(&wanted, at->id, e.name);
    if (wanted.len - LAYOUT_ID != stored.len ||
        memcmp(wanted.at + LAYOUT_ID, stored.at, stored.len) != 0)
        check_find(c, "a row stands under another name", soul, e.name);
    if (e.kind == LAYOUT_FLOOR) {
        c->report->floors++;
        if (e.rest.len != LAYOUT_FLOOR_ROW) check_find(c, "a floor is damaged", soul, e.name);
    } else {
        c->report->rows++;
        if (at->unseen) check_expires(c, at->id, soul);
        at->unseen = false;
    }
    if (e.kind == LAYOUT_TEXT) {
        count_hashed(c, at, e.rest.len);
        check_root_names(c, soul, e.name, e.rest);
    }
    if (e.kind == LAYOUT_BLOB) {
        if (layout_blob_read(&ref, e.rest) == STATUS_OK) {
            meet_blob(c, &ref, soul, e.name);
            count_hashed(c, at, ref.text_bytes);
        } else {
            check_find(c, "a row is damaged", soul, e.name);
        }
    }
    if (c->wish->hash) check_hash_row(c, soul, &e);
}

static void check_rows_entry(checking *c, soul_at *at, slice key, slice value)
{
    if (key.len < LAYOUT_ID) {
        check_find(c, "a row has no soul", no_name, key);
        return;
    }
    uint64_t id = layout_get64(key.at);
    slice stored = { key.at + LAYOUT_ID, key.len - LAYOUT_ID };
    if (id != at->id) {
        at->id = id;
        at->known = at->unseen = at->hashed = false;
        if (id > c->max_id) c->max_id = id;
        if (stored.len > 0) check_find(c, "rows have no soul", no_name, stored);
    }
    if (stored.len == 0)
        begin_soul(c, at, value);
    else if (at->known)
        check_row(c, at, stored, value);
}

static status check_rows(checking *c)
{
    MDB_cursor *cursor;
    soul_at at = { .id = UINT64_MAX };
    MDB_val k, v;
    status s = disk_status(mdb_cursor_open(c->txn, c->disk.rows, &cursor));

    if (s != STATUS_OK) return s;
    int error = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    for (; error == 0; error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT))
        check_rows_entry(c, &at, disk_slice(k), disk_slice(v));
    mdb_cursor_close(cursor);
    text_free(&at.name);
    return error == MDB_NOTFOUND ? STATUS_OK : disk_status(error);
}

/* ---- the rest ---- */

status check_held_key(const layout_held *h, slice text_of_value, char key[static LAYOUT_HELD_KEY])
{
    layout_held whole = {
        .soul = h->soul, .key = h->key, .value = text_of_value, .state = h->state
    };
    size_t len = layout_held_bytes(&whole);
    char *bytes = malloc(len);

    if (bytes == NULL) return STATUS_NO_MEMORY;
    layout_held_write(bytes, &whole);
    layout_held_key(key, h->state, (slice){ bytes, len });
    free(bytes);
    return STATUS_OK;
}

/* The text of a held write; a blob that cannot be read is found by prove_blobs(). */
static bool held_text(checking *c, const layout_held *h, slice *out)
{
    const check_blob *b = h->is_blob ? check_find_blob(c, h->blob.hash) : NULL;

    *out = h->value;
    if (!h->is_blob) return true;
    return b != NULL && check_blob_text(c, &h->blob, &b->is.place, out) == STATUS_OK;
}

static void check_held(checking *c, slice key, slice value)
{
    layout_held h;
    char wanted[LAYOUT_HELD_KEY];
    slice said;

    if (layout_held_read(&h, key, value) != STATUS_OK) {
        check_find(c, "a held write is damaged", no_name, no_name);
        return;
    }
    c->report->held++;
    if (h.is_blob)
        meet_blob(c, &h.blob, h.soul, h.key);
    else
        check_root_names(c, h.soul, h.key, h.value);
    if (hashed_soul(h.soul))
        c->report->hashed_bytes += hashed_bytes(h.value, h.is_blob ? &h.blob : NULL);
    if (!held_text(c, &h, &said)) return;
    if (check_held_key(&h, said, wanted) == STATUS_OK && memcmp(wanted, key.at, sizeof wanted) != 0)
        check_find(c, "a held write stands under another key", h.soul, h.key);
    if (c->wish->hash) check_hash_held(c, &h, said);
}

static void check_floor(checking *c, slice key, slice value)
{
    layout_entry e;

    if (layout_entry_read(&e, key, value, layout_index_seal()) != STATUS_OK ||
        e.rest.len != LAYOUT_FLOOR_ROW)
        check_find(c, "the floor of a prefix is damaged", key, no_name);
    else
        c->report->floors++;
}

static void check_mark(checking *c, slice key, slice value)
{
    layout_mark_kind kind;
    double when_ms;
    slice what;

    (void)value;
    if (layout_mark_read(key, &when_ms, &kind, &what) != STATUS_OK)
        check_find(c, "the mark of a purge is damaged", no_name, no_name);
}

static void check_meta(checking *c)
{
    MDB_val k = disk_val(SLICE(DISK_META_NEXT_SOUL)), v;
    int error = mdb_get(c->txn, c->disk.meta, &k, &v);

    if (error == MDB_NOTFOUND && c->report->souls == 0) return;
    if (error != 0 || v.mv_size != 8 || layout_get64(v.mv_data) <= c->max_id)
        check_find(c, "the number of the next new soul is damaged", no_name, no_name);
}

/* A store of before has neither this count nor what is noted of rows that expire: it
 * will have both at its next start. */
static bool is_counted(checking *c)
{
    uint64_t bytes;

    return disk_hashed_bytes(&c->disk, &bytes) != STATUS_NOT_FOUND;
}

static void check_hashed(checking *c)
{
    uint64_t bytes = 0;
    status s = disk_hashed_bytes(&c->disk, &bytes);

    if (s != STATUS_OK || bytes != c->report->hashed_bytes)
        check_find(c, "the count of the bytes of content hashes is wrong", no_name, no_name);
}

static status check_all(checking *c)
{
    status s = load_blobs(c);

    c->counted = is_counted(c);
    if (s == STATUS_OK) s = check_journal(c);
    if (s == STATUS_OK) s = walk(c, c->disk.souls, check_soul);
    if (s == STATUS_OK) s = check_rows(c);
    if (s == STATUS_OK) s = walk(c, c->disk.held, check_held);
    if (s == STATUS_OK) s = walk(c, c->disk.floors, check_floor);
    if (s == STATUS_OK) s = walk(c, c->disk.marks, check_mark);
    if (s == STATUS_OK && c->disk.has_expiries) s = walk(c, c->disk.expiries, check_expiry);
    if (s == STATUS_OK) s = walk(c, c->disk.segments, check_segment);
    if (s == STATUS_OK) s = prove_blobs(c);
    if (s == STATUS_OK) check_meta(c);
    if (s == STATUS_OK && c->counted) check_hashed(c);
    if (s == STATUS_OK) s = check_roots(c);
    if (s == STATUS_OK && c->wish->hash) s = check_hash_rest(c);
    return s == STATUS_OK && c->no_memory ? STATUS_NO_MEMORY : s;
}

status check_store(const check_wish *wish, check_report *out, char why[CHECK_WHY_MAX])
{
    checking c = { .wish = wish, .report = out, .memory = arena_make(SIZE_MAX / 2) };
    disk_options options = { .folder = wish->folder,
                             .size_max = wish->size_max,
                             .read_only = true };

    *out = (check_report){ 0 };
    status s = disk_open(&c.disk, &options, why, CHECK_WHY_MAX);
    if (s != STATUS_OK) return s;
    files_real(&c.files, c.disk.folder);
    s = blob_reader_new(&c.reader, &c.files);
    if (s == STATUS_OK) s = disk_read(&c.disk, &c.txn);
    if (s == STATUS_OK) s = check_all(&c);
    if (s != STATUS_OK)
        (void)snprintf(why, CHECK_WHY_MAX, "the store in %s cannot be read to its end: %s",
                       wish->folder, status_text(s));
    blob_reader_free(c.reader);
    disk_close(&c.disk);
    arena_free(&c.memory);
    text_free(&c.value);
    check_roots_free(&c);
    free(c.blobs);
    free(c.fresh);
    return s;
}
