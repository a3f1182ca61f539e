/* restore.c - a store made of a backup; see backup.h.
 *
 *     proved whole -> DIR/restoring: floors, then rows through merge() -> folded, closed,
 *     proved again by its hash -> moved up: blobs, journal, and data.mdb as the last
 *
 * A crash at any moment leaves no data.mdb in DIR, or the whole store.
 */
#include "radisk/backup.h"
#include "radisk/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sodium/randombytes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUILDING "restoring"

enum {
    BATCH_ROWS = 1000,
    BATCH_BYTES = 1 << 20,
    MAP_PER_BYTE = 4, /* a map of so many times the backup; address space only until used */
};

typedef struct restoring {
    const restore_wish *wish;
    char *why;
    int folder; /* DIR, and its lock */
    int lock;
    char *path; /* DIR/restoring */
    uint64_t file_bytes;
    backup_counts proved;

    folder floors; /* while floors are set */
    disk disk;

    radisk *store; /* while rows are merged */
    graph_write writes[BATCH_ROWS];
    size_t offsets[BATCH_ROWS];
    size_t count;
    bool held; /* what is gathered */
    double newest;
    text bytes;
    backup_counts made;
} restoring;

static status refuse(restoring *r, status how, const char *what)
{
    (void)snprintf(r->why, BACKUP_WHY_MAX, "%s: %s", r->wish->folder, what);
    return how;
}

static status refuse_errno(restoring *r)
{
    int error = errno;

    return refuse(r, file_status(error), strerror(error));
}

/* ---- the folder ---- */

static bool may_be_there(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lost+found") == 0 ||
           strcmp(name, "lock") == 0;
}

static status check_empty(restoring *r)
{
    DIR *list = fdopendir(openat(r->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    status s = STATUS_OK;

    if (list == NULL) return refuse_errno(r);
    if (faccessat(r->folder, "data.mdb", F_OK, 0) == 0)
        s = refuse(r, STATUS_WRONG_FORMAT, "holds a store: choose another folder");
    for (struct dirent *e; s == STATUS_OK && (e = readdir(list)) != NULL;) {
        if (strcmp(e->d_name, BUILDING) == 0)
            s = refuse(r, STATUS_WRONG_FORMAT,
                       "holds what is left of a restore that was cut off: remove the folder and "
                       "begin again");
        else if (!may_be_there(e->d_name))
            s = refuse(r, STATUS_WRONG_FORMAT, "is not empty: choose another folder");
    }
    (void)closedir(list);
    return s;
}

/* The lock of the folder itself, so that no server starts in it meanwhile. */
static status take_folder(restoring *r)
{
    if (mkdir(r->wish->folder, 0700) != 0 && errno != EEXIST) return refuse_errno(r);
    r->folder = open(r->wish->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->folder < 0) return refuse_errno(r);
    status s = check_empty(r);
    if (s != STATUS_OK) return s;
    r->lock = openat(r->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (r->lock < 0) return refuse_errno(r);
    if (flock(r->lock, LOCK_EX | LOCK_NB) != 0)
        return refuse(r, STATUS_LOCKED, "another process uses this folder");
    if (mkdirat(r->folder, BUILDING, 0700) != 0) return refuse_errno(r);
    if (asprintf(&r->path, "%s/" BUILDING, r->wish->folder) < 0) {
        r->path = NULL;
        return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

/* Removes the files of a folder, and it. */
static void remove_folder(int in, const char *name)
{
    int at = openat(in, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = at < 0 ? NULL : fdopendir(at);

    if (list == NULL) return;
    for (struct dirent *e; (e = readdir(list)) != NULL;)
        if (e->d_name[0] != '.') (void)unlinkat(at, e->d_name, 0);
    (void)closedir(list);
    (void)unlinkat(in, name, AT_REMOVEDIR);
}

static void remove_what_was_made(restoring *r)
{
    int at = r->path == NULL ? -1 : openat(r->folder, BUILDING, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (at < 0) return;
    remove_folder(at, "journal");
    remove_folder(at, "blobs");
    (void)close(at);
    remove_folder(r->folder, BUILDING);
}

/* data.mdb last: it is what makes a folder a store. */
static status move_up(restoring *r)
{
    static const char *const names[] = { "blobs", "journal", "data.mdb" };
    char from[32];
    status s = STATUS_OK;

    for (size_t i = 0; i < sizeof names / sizeof *names && s == STATUS_OK; i++) {
        (void)snprintf(from, sizeof from, BUILDING "/%s", names[i]);
        if (fsync(r->folder) != 0 || renameat(r->folder, from, r->folder, names[i]) != 0)
            s = refuse_errno(r);
    }
    if (s == STATUS_OK && fsync(r->folder) != 0) s = refuse_errno(r);
    return s;
}

/* ---- floors ---- */

static status set_floor(void *context, const view_floor *f)
{
    restoring *r = context;
    folder_news news = { 0 };
    purge p = { .kind = f->prefix        ? PURGE_PREFIX
                        : f->key.len > 0 ? PURGE_ROW
                                         : PURGE_SOUL,
                .soul = f->soul,
                .key = f->key,
                .floor = f->floor,
                .now_ms = f->made_ms };

    folder_purge(&r->floors, &p, NULL, &news);
    r->made.floors++;
    return news.how;
}

static status set_pin(void *context, const root_key *root, double when_ms)
{
    restoring *r = context;
    space_work work = { .pin = *root, .pin_on = true };
    folder_news news = { 0 };

    r->floors.seen_ms = when_ms;
    folder_space(&r->floors, &work, &news);
    return news.how;
}

static void no_courtesy(void *context)
{
    (void)context;
}

static size_t map_bytes(const restoring *r)
{
    size_t least = (size_t)16 << 30, wanted = (size_t)r->file_bytes * MAP_PER_BYTE;

    return wanted > least ? wanted : least;
}

/* Floors and pins go straight into the new database, before any row: each floor is a
 * purge of nothing. They are synced together, at the end. */
static status set_floors(restoring *r)
{
    disk_options wish = { .folder = r->path, .size_max = map_bytes(r) };
    backup_visitor visitor = { .floor = set_floor, .pin = set_pin, .context = r };
    backup_counts again;
    char unread[BACKUP_WHY_MAX];
    files real;

    if (r->proved.floors + r->proved.pins == 0) return STATUS_OK;
    randombytes_buf(wish.new_store, sizeof wish.new_store);
    status s = disk_open(&r->disk, &wish, r->why, BACKUP_WHY_MAX);
    if (s != STATUS_OK) return s;
    files_real(&real, r->disk.folder);
    r->floors =
        (folder){ .disk = &r->disk, .files = &real, .rows_max = 1000, .courtesy = no_courtesy };
    s = disk_status(mdb_env_set_flags(r->disk.env, MDB_NOSYNC, 1));
    if (s == STATUS_OK) s = backup_read(r->wish->file, &visitor, &again, unread);
    if (s == STATUS_OK) s = disk_status(mdb_env_set_flags(r->disk.env, MDB_NOSYNC, 0));
    if (s == STATUS_OK) s = disk_status(mdb_env_sync(r->disk.env, 1));
    disk_close(&r->disk);
    return s;
}

/* ---- rows ---- */

/* Names and values were copied to `bytes`, which may have moved since. */
static void point_to_bytes(restoring *r)
{
    for (size_t i = 0; i < r->count; i++) {
        graph_write *w = &r->writes[i];
        w->soul.at = r->bytes.at + r->offsets[i];
        w->key.at = w->soul.at + w->soul.len;
        w->value.at = w->key.at + w->key.len;
    }
}

/* What was taken is taken again though the clock may have gone back since; what
 * was held is held, though it may be due. */
static status merge(restoring *r)
{
    graph *g = radisk_graph(r->store);
    moment now = { .wall_ms = r->held ? 0 : r->newest };
    graph_ticket ticket;

    if (r->count == 0) return STATUS_OK;
    if (!text_ok(&r->bytes)) return STATUS_NO_MEMORY;
    point_to_bytes(r);
    status s = g->merge(g->context, r->writes, r->count, now, &ticket);
    if (s == STATUS_BUSY) {
        s = radisk_fold(r->store);
        if (s == STATUS_OK) s = g->merge(g->context, r->writes, r->count, now, &ticket);
    }
    radisk_turn(r->store);
    r->count = 0;
    r->newest = -INFINITY;
    text_reset(&r->bytes, 4 * (size_t)BATCH_BYTES);
    if (s == STATUS_OK && r->wish->progress != NULL &&
        !r->wish->progress(r->wish->progress_context, &r->made))
        s = STATUS_BUSY;
    return s;
}

static status add_row(void *context, const view_row *row)
{
    restoring *r = context;
    status s = STATUS_OK;

    if (row->held != r->held || r->count == BATCH_ROWS || r->bytes.len >= BATCH_BYTES) s = merge(r);
    if (s != STATUS_OK) return s;
    r->held = row->held;
    r->offsets[r->count] = r->bytes.len;
    r->writes[r->count++] = (graph_write){
        .soul = row->soul, .key = row->key, .value = row->value, .state = row->state
    };
    text_add(&r->bytes, row->soul);
    text_add(&r->bytes, row->key);
    text_add(&r->bytes, row->value);
    if (row->state > r->newest) r->newest = row->state;
    *(row->held ? &r->made.held : &r->made.rows) += 1;
    return STATUS_OK;
}

static bool hash_row(void *context, const view_row *row)
{
    backup_counts *c = context;

    c->damaged += row->damaged;
    store_hash_add(&c->hash, row);
    *(row->held ? &c->held : &c->rows) += 1;
    return true;
}

static status prove_store(restoring *r)
{
    backup_counts found = { 0 };
    radisk_view *view = NULL;
    status s = radisk_view_now(r->store, &view);

    if (s != STATUS_OK) return s;
    s = view_rows(view, (slice){ "", 0 }, hash_row, &found);
    view_close(view);
    if (s != STATUS_OK) return s;
    bool same = found.damaged == 0 && found.rows == r->proved.rows &&
                found.held == r->proved.held && found.hash.low == r->proved.hash.low &&
                found.hash.high == r->proved.hash.high;
    return same ? STATUS_OK
                : refuse(r, STATUS_CORRUPT,
                         "what was written is not what the backup holds: is the disk failing?");
}

/* What has expired since the backup was made is in it, and is to be found again: the
 * first start of the store removes it. */
static double no_time(void *context)
{
    (void)context;
    return -(double)INFINITY;
}

static status fill(restoring *r)
{
    radisk_options wish = { .folder = r->path };
    backup_visitor visitor = { .row = add_row, .context = r };
    backup_counts again;

    /* Times of the past are shown to the store as now: nothing is to be swept by them. */
    wish.limits = (radisk_limits){ .size_max = map_bytes(r),
                                   .held_max = r->proved.held + 1,
                                   .floor_keep_ms = UINT64_MAX / 4 };
    wish.clock_ms = no_time;
    wish.wall_ms = r->wish->now_ms;
    randombytes_buf(wish.secret, sizeof wish.secret);
    status s = radisk_open(&r->store, &wish, r->why);
    if (s != STATUS_OK) return s;
    r->newest = -INFINITY;
    s = backup_read(r->wish->file, &visitor, &again, r->why);
    if (s == STATUS_OK) s = merge(r);
    if (s == STATUS_OK) s = radisk_fold(r->store);
    if (s == STATUS_OK) s = prove_store(r);
    radisk_close(r->store);
    return s;
}

static status size_of(restoring *r)
{
    struct stat st;

    if (stat(r->wish->file, &st) == 0) {
        r->file_bytes = (uint64_t)st.st_size;
        return STATUS_OK;
    }
    (void)snprintf(r->why, BACKUP_WHY_MAX, "%s: %s", r->wish->file, strerror(errno));
    return file_status(errno);
}

_Static_assert((int)BACKUP_WHY_MAX >= (int)RADISK_WHY_MAX, "a reason of the store fits");

status restore_store(const restore_wish *wish, backup_counts *out, char why[BACKUP_WHY_MAX])
{
    static const backup_visitor nobody;
    restoring *r = calloc(1, sizeof *r);

    why[0] = '\0';
    *out = (backup_counts){ 0 };
    if (r == NULL) return STATUS_NO_MEMORY;
    r->wish = wish;
    r->why = why;
    r->folder = r->lock = -1;
    status s = size_of(r);
    if (s == STATUS_OK) s = backup_read(wish->file, &nobody, &r->proved, why);
    if (s == STATUS_OK) s = take_folder(r);
    if (s == STATUS_OK) s = set_floors(r);
    if (s == STATUS_OK) s = fill(r);
    if (s == STATUS_OK) s = move_up(r);
    remove_what_was_made(r);
    if (s != STATUS_OK && why[0] == '\0') (void)refuse(r, s, status_text(s));
    *out = r->proved;
    if (r->lock >= 0) (void)close(r->lock);
    if (r->folder >= 0) (void)close(r->folder);
    free(r->path);
    text_free(&r->bytes);
    free(r);
    return s;
}
