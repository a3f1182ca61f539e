/* disk.c - see disk.h. */
#include "radisk/disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
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

static status make_folder(const char *folder, reason why)
{
    if (mkdir(folder, 0700) == 0) return sync_parent(folder);
    if (errno == EEXIST) return STATUS_OK;
    explain(why, "cannot make the folder %s: %s", folder, strerror(errno));
    return disk_status(errno);
}

/* flock() belongs to the open file, so it also refuses a second store in this
 * very process, which LMDB must never see; and it ends with the process. */
static status lock_folder(disk *d, const char *folder, reason why)
{
    int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (at >= 0) d->lock = openat(at, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d->lock < 0) {
        int error = errno;
        explain(why, "cannot open the folder %s: %s", folder, strerror(error));
        if (at >= 0) (void)close(at);
        return disk_status(error);
    }
    (void)close(at);
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

static int open_env(disk *d)
{
    int error = mdb_env_create(&d->env);

    if (error != 0) return error;
    if ((error = mdb_env_set_maxdbs(d->env, TABLES_MAX)) == 0 &&
        (error = mdb_env_set_mapsize(d->env, d->size_max)) == 0)
        error = mdb_env_open(d->env, d->path, MDB_NOTLS, 0600);
    if (error != 0) {
        mdb_env_close(d->env);
        d->env = NULL;
        return error;
    }
    int dead;
    (void)mdb_reader_check(d->env, &dead);
    return 0;
}

static int open_tables(disk *d, MDB_txn *txn)
{
    int error = mdb_dbi_open(txn, "meta", MDB_CREATE, &d->meta);

    if (error == 0) error = mdb_dbi_open(txn, "souls", MDB_CREATE, &d->souls);
    if (error == 0) error = mdb_dbi_open(txn, "rows", MDB_CREATE, &d->rows);
    if (error == 0) error = mdb_dbi_open(txn, "held", MDB_CREATE, &d->held);
    return error;
}

static int stamp_format(disk *d, MDB_txn *txn)
{
    char number[8];
    MDB_val key = disk_val(SLICE(DISK_META_FORMAT)), value = { sizeof number, number };

    layout_put64(number, DISK_FORMAT);
    return mdb_put(txn, d->meta, &key, &value, 0);
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
                "the store in %s has format %llu, and this brasa reads format %d only: "
                "run the brasa that wrote it, or choose another folder",
                folder, (unsigned long long)layout_get64(value.mv_data), DISK_FORMAT);
        s = STATUS_WRONG_FORMAT;
    }
    mdb_txn_abort(txn);
    return s;
}

static status make_tables(disk *d, bool fresh)
{
    MDB_txn *txn = NULL;
    int error = mdb_txn_begin(d->env, NULL, 0, &txn);

    if (error != 0) return disk_status(error);
    error = open_tables(d, txn);
    if (error == 0 && fresh) error = stamp_format(d, txn);
    if (error != 0) {
        mdb_txn_abort(txn);
        return disk_status(error);
    }
    return disk_status(mdb_txn_commit(txn));
}

static status open_store(disk *d, const char *folder, reason why)
{
    int error = open_env(d);

    if (error != 0) {
        explain(why, "cannot open the store in %s: %s", folder, mdb_strerror(error));
        return disk_status(error);
    }
    status s = check_format(d, folder, why);
    if (s != STATUS_OK && s != STATUS_NOT_FOUND) return s;
    bool fresh = s == STATUS_NOT_FOUND;
    s = make_tables(d, fresh);
    if (s == STATUS_OK && fresh) s = sync_folder(folder);
    return s;
}

status disk_open(disk *d, const char *folder, size_t size_max, char *why, size_t room)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    reason reason_why = { why, room };

    *d = (disk){ .lock = -1, .size_max = size_max / page * page };
    explain(reason_why, "%s", "");
    status s = make_folder(folder, reason_why);
    if (s == STATUS_OK) s = lock_folder(d, folder, reason_why);
    if (s == STATUS_OK && (d->path = realpath(folder, NULL)) == NULL) s = disk_status(errno);
    if (s == STATUS_OK) s = open_store(d, folder, reason_why);
    if (s == STATUS_OK) return s;
    if (why[0] == '\0')
        explain(reason_why, "cannot open the store in %s: %s", folder, status_text(s));
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
    d->lock = -1;
    free(d->path);
    d->path = NULL;
}

/* LMDB would make a file that is missing; here that would be a lie. */
static bool file_is_there(const disk *d)
{
    int folder = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool there = folder >= 0 && faccessat(folder, "data.mdb", F_OK, 0) == 0;

    if (folder >= 0) (void)close(folder);
    return there;
}

status disk_reopen(disk *d)
{
    char unread[1];

    close_env(d);
    if (!file_is_there(d)) return STATUS_IO;
    int error = open_env(d);
    if (error != 0) return disk_status(error);
    status s = check_format(d, d->path, (reason){ unread, sizeof unread });
    if (s == STATUS_OK) s = make_tables(d, false);
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
static status read_entry(layout_entry *e, slice stored, slice bytes, slice name)
{
    status s = layout_entry_read(e, stored, bytes);

    if (s != STATUS_OK) return s;
    return slice_equal(e->name, name) ? STATUS_OK : STATUS_CORRUPT;
}

status disk_find_soul(disk *d, slice soul, uint64_t *id)
{
    layout_key key;
    layout_entry e;
    slice bytes;

    layout_soul_key(&key, soul);
    status s = get(d, d->souls, layout_key_slice(&key), &bytes);
    if (s == STATUS_OK) s = read_entry(&e, layout_key_slice(&key), bytes, soul);
    if (s == STATUS_OK) *id = e.number;
    return s;
}

status disk_find_row(disk *d, uint64_t id, slice name, ham_write *out)
{
    layout_key key;
    layout_entry e;
    slice bytes;

    layout_row_key(&key, id, name);
    status s = get(d, d->rows, layout_key_slice(&key), &bytes);
    slice stored = { key.at + LAYOUT_ID, key.len - LAYOUT_ID };
    if (s == STATUS_OK) s = read_entry(&e, stored, bytes, name);
    if (s == STATUS_OK) *out = (ham_write){ layout_number_state(e.number), e.rest };
    return s;
}

status disk_find_held(disk *d, slice held_key)
{
    slice bytes;

    return get(d, d->held, held_key, &bytes);
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
