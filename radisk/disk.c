/* disk.c - see disk.h. */
#include "radisk/disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The tables, and room for those that later formats add. */
enum { TABLES_MAX = 16 };

status disk_status(int error)
{
    switch (error) {
    case MDB_SUCCESS:
        return STATUS_OK;
    case MDB_NOTFOUND:
        return STATUS_NOT_FOUND;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STATUS_NO_SPACE;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
        return STATUS_CORRUPT;
    case MDB_VERSION_MISMATCH:
        return STATUS_WRONG_FORMAT;
    default:
        return STATUS_IO;
    }
}

typedef struct reason {
    char *at;
    size_t room;
} reason;

__attribute__((format(printf, 2, 3))) static void explain(reason why, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(why.at, why.room, format, arguments);
    va_end(arguments);
}

/* A directory's entries are durable when the directory was synced. */
static status sync_folder(const char *path)
{
    int at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (at < 0) return STATUS_IO;
    int error = fsync(at);
    (void)close(at);
    return error == 0 ? STATUS_OK : STATUS_IO;
}

static status sync_parent(const char *folder)
{
    char *path = malloc(strlen(folder) + sizeof "/..");

    if (path == NULL) return STATUS_NO_MEMORY;
    (void)stpcpy(stpcpy(path, folder), "/..");
    status s = sync_folder(path);
    free(path);
    return s;
}

/* A folder that is there may have been made by a start that was killed before it
 * could sync; but whose parent may not be read was made by somebody else. */
static status make_folder(const char *folder, reason why)
{
    if (mkdir(folder, 0700) == 0) return sync_parent(folder);
    if (errno == EEXIST) {
        (void)!sync_parent(folder);
        return STATUS_OK;
    }
    explain(why, "cannot make the folder %s: %s", folder, strerror(errno));
    return disk_status(errno);
}

/* flock() belongs to the open file, so it also refuses a second store in this
 * very process, which LMDB must never see; and it ends with the process. */
static status lock_folder(disk *d, const char *folder, reason why)
{
    d->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->folder >= 0) d->lock = openat(d->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d->lock < 0) {
        int error = errno;
        explain(why, "cannot open the folder %s: %s", folder, strerror(error));
        return disk_status(error);
    }
    if (flock(d->lock, LOCK_EX | LOCK_NB) == 0) return STATUS_OK;
    if (errno == EWOULDBLOCK) {
        explain(why,
                "another process uses the store in %s: stop it first, or choose another folder",
                folder);
        return STATUS_LOCKED;
    }
    explain(why, "cannot lock the folder %s: %s", folder, strerror(errno));
    return STATUS_IO;
}

/* Where locks or maps are not to be trusted: statfs(2) and linux/magic.h. */
static const struct file_system {
    uint32_t magic;
    const char *name;
    bool refused;
} file_systems[] = {
    { 0x6969, "NFS", true },        { 0x517b, "SMB", true },      { 0xff534d42, "CIFS", true },
    { 0xfe534d42, "SMB2", true },   { 0x01021997, "9p", true },   { 0x00c36400, "Ceph", true },
    { 0x5346414f, "AFS", true },    { 0x6b414653, "AFS", true },  { 0x73757245, "Coda", true },
    { 0x0bd00bd0, "Lustre", true }, { 0x47504653, "GPFS", true }, { 0x564c, "NCP", true },
    { 0x7461636f, "OCFS2", true },  { 0x01161970, "GFS2", true }, { 0x65735546, "FUSE", false },
};

static status check_file_system(const disk *d, const char *folder, reason why)
{
    struct statfs s;

    if (fstatfs(d->folder, &s) != 0) return disk_status(errno);
    for (size_t i = 0; i < sizeof file_systems / sizeof *file_systems; i++) {
        const struct file_system *f = &file_systems[i];
        if ((uint32_t)s.f_type != f->magic) continue;
        explain(why,
                f->refused
                    ? "%s is on a network file system (%s), where neither locks nor maps are "
                      "safe: choose a folder on a disk of this machine"
                    : "%s is on a file system (%s) of which brasa does not know whether its "
                      "syncs, locks and maps can be trusted",
                folder, f->name);
        return f->refused ? STATUS_WRONG_FORMAT : STATUS_OK;
    }
    return STATUS_OK;
}

/* A page beyond the end of a file that was cut off is a SIGBUS; a page of zeros is
 * damage that LMDB and the rows' checks see. (LMDB itself may leave the file a few
 * pages short: those that it took and gave back in one transaction.) */
static void lengthen(const disk *d)
{
    MDB_envinfo info;
    MDB_stat page;
    struct stat is;
    int fd;

    if (mdb_env_info(d->env, &info) != 0 || mdb_env_stat(d->env, &page) != 0 ||
        mdb_env_get_fd(d->env, &fd) != 0 || fstat(fd, &is) != 0)
        return;
    off_t wanted = (off_t)(info.me_last_pgno + 1) * page.ms_psize;
    if (is.st_size < wanted) (void)!ftruncate(fd, wanted);
}

static int open_env(disk *d)
{
    unsigned flags = MDB_NOTLS | (d->read_only ? MDB_RDONLY : 0);

    int error = mdb_env_create(&d->env);

    if (error != 0) return error;
    if ((error = mdb_env_set_maxdbs(d->env, TABLES_MAX)) == 0 &&
        (error = mdb_env_set_mapsize(d->env, d->size_max)) == 0)
        error = mdb_env_open(d->env, d->path, flags, 0600);
    if (error != 0) {
        mdb_env_close(d->env);
        d->env = NULL;
        return error;
    }
    int dead;
    (void)mdb_reader_check(d->env, &dead);
    if (!d->read_only) lengthen(d);
    return 0;
}

static int open_roots(disk *d, MDB_txn *txn, unsigned flags)
{
    int error = mdb_dbi_open(txn, "roots", flags, &d->roots);

    if (error == 0) error = mdb_dbi_open(txn, "names", flags, &d->names);
    if (error == 0) error = mdb_dbi_open(txn, "pins", flags, &d->pins);
    if (error == 0) error = mdb_dbi_open(txn, "uploaders", flags, &d->uploaders);
    d->has_roots = error == 0;
    return error;
}

static int open_tables(disk *d, MDB_txn *txn, unsigned flags)
{
    const struct {
        const char *name;
        MDB_dbi *to;
    } tables[] = { { "meta", &d->meta },     { "souls", &d->souls }, { "rows", &d->rows },
                   { "held", &d->held },     { "blobs", &d->blobs }, { "segments", &d->segments },
                   { "floors", &d->floors }, { "marks", &d->marks } };
    int error = 0;

    for (size_t i = 0; i < sizeof tables / sizeof *tables && error == 0; i++)
        error = mdb_dbi_open(txn, tables[i].name, flags, tables[i].to);
    if (error != 0) return error;
    error = mdb_dbi_open(txn, "expiries", flags, &d->expiries);
    d->has_expiries = error == 0;
    if (error == 0 || error == MDB_NOTFOUND) error = open_roots(d, txn, flags);
    return error == MDB_NOTFOUND ? 0 : error;
}

static int put_meta(disk *d, MDB_txn *txn, slice name, slice value)
{
    MDB_val k = disk_val(name), v = disk_val(value);

    return mdb_put(txn, d->meta, &k, &v, 0);
}

static int stamp_format(disk *d, MDB_txn *txn, const uint8_t *store)
{
    char number[8];

    layout_put64(number, DISK_FORMAT);
    int error = put_meta(d, txn, SLICE(DISK_META_FORMAT), (slice){ number, sizeof number });
    if (error != 0) return error;
    error =
        put_meta(d, txn, SLICE(DISK_META_STORE), (slice){ (const char *)store, JOURNAL_STORE_ID });
    if (error != 0) return error;
    layout_put64(number, 0);
    error = put_meta(d, txn, SLICE(DISK_META_HASHED), (slice){ number, sizeof number });
    if (error != 0) return error;
    return put_meta(d, txn, SLICE(DISK_META_ROOTS), (slice){ number, sizeof number });
}

/* A store of another format is left as it was found, to the byte: so this asks
 * before anything is made. STATUS_NOT_FOUND: a new store. */
static status check_format(disk *d, const char *folder, reason why)
{
    MDB_txn *txn = NULL;
    MDB_dbi meta;
    MDB_stat all;
    int error = mdb_txn_begin(d->env, NULL, MDB_RDONLY, &txn);

    if (error != 0) return disk_status(error);
    error = mdb_dbi_open(txn, NULL, 0, &meta); /* LMDB's table of tables */
    if (error == 0) error = mdb_stat(txn, meta, &all);
    if (error == 0 && all.ms_entries == 0) {
        mdb_txn_abort(txn);
        return STATUS_NOT_FOUND;
    }

    MDB_val key = disk_val(SLICE(DISK_META_FORMAT)), value = { 0, NULL };
    if (error == 0) error = mdb_dbi_open(txn, "meta", 0, &meta);
    if (error == 0) error = mdb_get(txn, meta, &key, &value);
    status s = STATUS_OK;
    if (error == MDB_NOTFOUND || (error == 0 && value.mv_size != 8)) {
        explain(why, "%s holds an LMDB database that is no store of brasa: choose another folder",
                folder);
        s = STATUS_WRONG_FORMAT;
    } else if (error != 0) {
        s = disk_status(error);
    } else if (layout_get64(value.mv_data) != DISK_FORMAT) {
        explain(why,
                "the store in %s has format %llu, and this brasa reads format %d only: export it "
                "with the brasa that wrote it (brasa export DIR > FILE), and import the file into "
                "a new folder with this one (brasa import DIR FILE)",
                folder, (unsigned long long)layout_get64(value.mv_data), DISK_FORMAT);
        s = STATUS_WRONG_FORMAT;
    }
    mdb_txn_abort(txn);
    return s;
}

static int read_store_id(disk *d, MDB_txn *txn)
{
    MDB_val k = disk_val(SLICE(DISK_META_STORE)), v;
    int error = mdb_get(txn, d->meta, &k, &v);

    if (error == 0 && v.mv_size != JOURNAL_STORE_ID) error = MDB_CORRUPTED;
    if (error == 0) memcpy(d->store, v.mv_data, JOURNAL_STORE_ID);
    return error == MDB_NOTFOUND ? MDB_CORRUPTED : error;
}

/* `fresh`: the id of a store that is made, or NULL. */
static status make_tables(disk *d, const uint8_t *fresh)
{
    MDB_txn *txn = NULL;
    int error = mdb_txn_begin(d->env, NULL, d->read_only ? MDB_RDONLY : 0, &txn);

    if (error != 0) return disk_status(error);
    error = open_tables(d, txn, d->read_only ? 0 : MDB_CREATE);
    if (error == 0 && fresh != NULL) error = stamp_format(d, txn, fresh);
    if (error == 0) error = read_store_id(d, txn);
    if (error != 0) {
        mdb_txn_abort(txn);
        return disk_status(error == MDB_NOTFOUND ? MDB_CORRUPTED : error);
    }
    return disk_status(mdb_txn_commit(txn));
}

/* LMDB writes the first two pages of a new file without a sync: a loss of power may
 * leave either of them unwritten, and then it takes the file for none of its own. */
static bool is_half_made(const disk *d)
{
    enum { MAGIC_AT = 16, HEAD = 512 };
    const uint32_t magic = 0xBEEFC0DE;
    const off_t page = sysconf(_SC_PAGESIZE);
    char head[HEAD], nothing[HEAD] = { 0 };
    int at = openat(d->folder, "data.mdb", O_RDONLY | O_CLOEXEC);
    bool ours = at >= 0;

    for (off_t i = 0; i < 2 && ours; i++) {
        memset(head, 0, sizeof head);
        ours = pread(at, head, sizeof head, i * page) >= 0 &&
               (memcmp(head, nothing, sizeof head) == 0 ||
                memcmp(head + MAGIC_AT, &magic, sizeof magic) == 0);
    }
    if (at >= 0) (void)close(at);
    return ours;
}

/* A start that was cut off before the folder of the journal was made has promised
 * nothing: its file is set aside, and a new one is made. */
static bool begin_anew(const disk *d)
{
    if (d->read_only || faccessat(d->folder, "journal", F_OK, 0) == 0 || errno != ENOENT)
        return false;
    return is_half_made(d) &&
           renameat(d->folder, "data.mdb", d->folder, "data.mdb.unfinished") == 0;
}

static status open_store(disk *d, const disk_options *options, reason why)
{
    int error = open_env(d);

    if (error == MDB_INVALID && begin_anew(d)) error = open_env(d);
    if (error != 0) {
        explain(why, "cannot open the store in %s: %s", options->folder, mdb_strerror(error));
        return disk_status(error);
    }
    status s = check_format(d, options->folder, why);
    if (s != STATUS_OK && s != STATUS_NOT_FOUND) return s;
    bool fresh = s == STATUS_NOT_FOUND;
    if (fresh && d->read_only) {
        explain(why, "there is no store in %s", options->folder);
        return STATUS_NOT_FOUND;
    }
    s = make_tables(d, fresh ? options->new_store : NULL);
    if (s == STATUS_OK && fresh) s = sync_folder(options->folder);
    return s;
}

status disk_open(disk *d, const disk_options *options, char *why, size_t room)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    reason reason_why = { why, room };

    *d = (disk){ .lock = -1,
                 .folder = -1,
                 .read_only = options->read_only,
                 .size_max = options->size_max / page * page };
    explain(reason_why, "%s", "");
    status s = d->read_only ? STATUS_OK : make_folder(options->folder, reason_why);
    if (s == STATUS_OK) s = lock_folder(d, options->folder, reason_why);
    if (s == STATUS_OK) s = check_file_system(d, options->folder, reason_why);
    if (s == STATUS_OK && (d->path = realpath(options->folder, NULL)) == NULL)
        s = disk_status(errno);
    if (s == STATUS_OK) s = open_store(d, options, reason_why);
    if (s == STATUS_OK) return s;
    if (why[0] == '\0')
        explain(reason_why, "cannot open the store in %s: %s", options->folder, status_text(s));
    disk_close(d);
    return s;
}

static void close_env(disk *d)
{
    if (d->reader != NULL) mdb_txn_abort(d->reader);
    d->reader = NULL;
    d->reading = false;
    if (d->env != NULL) mdb_env_close(d->env);
    d->env = NULL;
}

void disk_close(disk *d)
{
    close_env(d);
    if (d->lock >= 0) (void)close(d->lock);
    if (d->folder >= 0) (void)close(d->folder);
    d->lock = d->folder = -1;
    free(d->path);
    d->path = NULL;
}

/* LMDB would make a file that is missing; here that would be a lie. */
static bool file_is_there(const disk *d)
{
    return faccessat(d->folder, "data.mdb", F_OK, 0) == 0;
}

status disk_reopen(disk *d)
{
    char unread[1];

    close_env(d);
    if (!file_is_there(d)) return STATUS_IO;
    int error = open_env(d);
    if (error != 0) return disk_status(error);
    status s = check_format(d, d->path, (reason){ unread, sizeof unread });
    if (s == STATUS_OK) s = make_tables(d, NULL);
    if (s != STATUS_OK) close_env(d);
    return s;
}

status disk_read(disk *d, MDB_txn **out)
{
    if (!d->reading) {
        if (d->env == NULL) return STATUS_IO;
        int error = d->reader == NULL ? mdb_txn_begin(d->env, NULL, MDB_RDONLY, &d->reader)
                                      : mdb_txn_renew(d->reader);
        if (error != 0) return disk_status(error);
        d->reading = true;
    }
    *out = d->reader;
    return STATUS_OK;
}

void disk_rest(disk *d)
{
    if (d->reading) mdb_txn_reset(d->reader);
    d->reading = false;
}

static status get(disk *d, MDB_dbi table, slice key, slice *out)
{
    MDB_txn *txn = NULL;
    status s = disk_read(d, &txn);

    if (s != STATUS_OK) return s;
    MDB_val k = disk_val(key), v;
    int error = mdb_get(txn, table, &k, &v);
    if (error == 0) *out = disk_slice(v);
    return disk_status(error);
}

/* Reads the entry that was found under `stored` and proves that it is the one
 * of `name`: two long names may share 440 bytes, and in theory a hash. */
static status read_entry(layout_entry *e, slice stored, slice bytes, slice name,
                         const layout_seal *seal)
{
    status s = layout_entry_read(e, stored, bytes, seal);

    if (s != STATUS_OK) return s;
    return slice_equal(e->name, name) ? STATUS_OK : STATUS_CORRUPT;
}

status disk_find_soul(disk *d, slice soul, disk_soul *out)
{
    layout_key key;
    layout_entry e;
    slice bytes;
    double when_ms;

    layout_soul_key(&key, soul);
    status s = get(d, d->souls, layout_key_slice(&key), &bytes);
    if (s == STATUS_OK)
        s = read_entry(&e, layout_key_slice(&key), bytes, soul, layout_index_seal());
    if (s != STATUS_OK) return s;
    *out = (disk_soul){ .id = e.number, .floor = -(double)INFINITY };
    layout_seal_soul(&out->seal, soul);
    return e.kind == LAYOUT_FLOOR ? layout_floor_soul_read(e.rest, &out->floor, &when_ms)
                                  : STATUS_OK;
}

status disk_row_of(const layout_entry *e, disk_row *out)
{
    *out = (disk_row){ .state = layout_number_state(e->number), .kind = e->kind };
    if (e->kind == LAYOUT_BLOB) return layout_blob_read(&out->blob, e->rest);
    out->text = e->rest;
    return STATUS_OK;
}

status disk_find_row(disk *d, const disk_soul *soul, slice name, disk_row *out)
{
    layout_key key;
    layout_entry e;
    slice bytes;

    layout_row_key(&key, soul->id, name);
    status s = get(d, d->rows, layout_key_slice(&key), &bytes);
    slice stored = { key.at + LAYOUT_ID, key.len - LAYOUT_ID };
    if (s == STATUS_OK) s = read_entry(&e, stored, bytes, name, &soul->seal);
    return s == STATUS_OK ? disk_row_of(&e, out) : s;
}

status disk_blob(disk *d, const uint8_t hash[static BLOB_HASH], layout_blob *out)
{
    slice name = { (const char *)hash, BLOB_HASH }, bytes;
    status s = get(d, d->blobs, name, &bytes);

    return s == STATUS_OK ? layout_blob_entry_read(out, name, bytes) : s;
}

status disk_find_blob(disk *d, const uint8_t hash[static BLOB_HASH], blob_place *place,
                      uint64_t *refs)
{
    layout_blob found;
    status s = disk_blob(d, hash, &found);

    if (s != STATUS_OK) return s;
    *place = found.place;
    *refs = found.refs;
    return STATUS_OK;
}

status disk_find_held(disk *d, slice held_key)
{
    slice bytes;

    return get(d, d->held, held_key, &bytes);
}

static status get_number(disk *d, slice name, uint64_t *out)
{
    slice bytes;
    status s = get(d, d->meta, name, &bytes);

    if (s == STATUS_OK && bytes.len != 8) s = STATUS_CORRUPT;
    if (s == STATUS_OK) *out = layout_get64(bytes.at);
    return s;
}

status disk_folded_through(disk *d, uint64_t *out)
{
    status s = get_number(d, SLICE(DISK_META_FOLDED), out);

    if (s == STATUS_NOT_FOUND) *out = 0;
    return s == STATUS_NOT_FOUND ? STATUS_OK : s;
}

status disk_hashed_bytes(disk *d, uint64_t *out)
{
    return get_number(d, SLICE(DISK_META_HASHED), out);
}

status disk_roots_counted(disk *d, bool *counted)
{
    uint64_t folded = 0, through = 0;
    status s = disk_folded_through(d, &folded);

    if (s == STATUS_OK) s = get_number(d, SLICE(DISK_META_ROOTS), &through);
    *counted = s == STATUS_OK && through == folded;
    return s == STATUS_NOT_FOUND ? STATUS_OK : s;
}

status disk_charged(disk *d, slice name, uint64_t *out)
{
    slice bytes;
    status s;

    *out = 0;
    if (name.len == 0 || name.len > PAYER_MAX) return STATUS_OK;
    s = get(d, d->uploaders, name, &bytes);
    if (s == STATUS_OK) s = root_number_read(out, name, bytes);
    return s == STATUS_NOT_FOUND ? STATUS_OK : s;
}

status disk_root(disk *d, const root_key *root, root_record *out)
{
    slice bytes;
    status s = get(d, d->roots, root_slice(root), &bytes);

    return s == STATUS_OK ? root_record_read(out, root_slice(root), bytes) : s;
}

/* Visits every entry of a table until `each` says otherwise. */
typedef status each_entry(void *context, slice key, slice value);

static status walk_table(disk *d, MDB_dbi table, each_entry *each, void *context)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val k, v;
    status s = disk_read(d, &txn);

    if (s == STATUS_OK) s = disk_status(mdb_cursor_open(txn, table, &cursor));
    if (s != STATUS_OK) return s;
    int error = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    for (; error == 0 && s == STATUS_OK; error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT))
        s = each(context, disk_slice(k), disk_slice(v));
    mdb_cursor_close(cursor);
    return s != STATUS_OK || error == MDB_NOTFOUND ? s : disk_status(error);
}

typedef struct floors_walk {
    disk_floor_visit *visit;
    void *visitor;
} floors_walk;

static status each_floor(void *context, slice key, slice value)
{
    const floors_walk *w = context;
    layout_entry e;
    status s = layout_entry_read(&e, key, value, layout_index_seal());

    if (s == STATUS_OK) w->visit(w->visitor, e.name, layout_number_state(e.number));
    return s;
}

status disk_floors(disk *d, disk_floor_visit *visit, void *visitor)
{
    return walk_table(d, d->floors, each_floor, &(floors_walk){ visit, visitor });
}

/* They stand in front of all else in the table. */
static status each_expiry(void *context, slice key, slice value)
{
    uint64_t id;

    (void)value;
    if (layout_expiry_due_read(key, context, &id) != STATUS_OK) return STATUS_NOT_FOUND;
    return STATUS_BUSY;
}

status disk_first_expiry(disk *d, double *due_ms)
{
    *due_ms = (double)INFINITY;
    status s = walk_table(d, d->expiries, each_expiry, due_ms);
    return s == STATUS_BUSY || s == STATUS_NOT_FOUND ? STATUS_OK : s;
}

typedef struct segments_walk {
    disk_segment_visit *visit;
    void *visitor;
} segments_walk;

static status each_segment(void *context, slice key, slice value)
{
    const segments_walk *w = context;
    layout_segment found;
    status s = layout_segment_read(&found, key, value);

    if (s == STATUS_OK) w->visit(w->visitor, found.number, found.bytes, found.dead);
    return s;
}

status disk_segments(disk *d, disk_segment_visit *visit, void *visitor)
{
    return walk_table(d, d->segments, each_segment, &(segments_walk){ visit, visitor });
}

/* An entry of LMDB's own list: a number of pages, then the pages. */
static status each_free(void *context, slice key, slice value)
{
    size_t pages;

    (void)key;
    if (value.len < sizeof pages) return STATUS_CORRUPT;
    memcpy(&pages, value.at, sizeof pages);
    *(uint64_t *)context += pages;
    return STATUS_OK;
}

status disk_free_pages(disk *d, uint64_t enough, uint64_t *out)
{
    enum { FREE_TABLE = 0 };
    MDB_envinfo info;
    MDB_stat page;

    if (d->env == NULL) return STATUS_IO;
    (void)mdb_env_info(d->env, &info);
    (void)mdb_env_stat(d->env, &page);
    uint64_t pages = info.me_mapsize / page.ms_psize, used = info.me_last_pgno + 1;
    *out = pages > used ? pages - used : 0;
    return *out >= enough ? STATUS_OK : walk_table(d, FREE_TABLE, each_free, out);
}

status disk_count(disk *d, MDB_dbi table, uint64_t *out)
{
    MDB_txn *txn = NULL;
    MDB_stat found;
    status s = disk_read(d, &txn);

    if (s == STATUS_OK) s = disk_status(mdb_stat(txn, table, &found));
    if (s == STATUS_OK) *out = found.ms_entries;
    return s;
}
