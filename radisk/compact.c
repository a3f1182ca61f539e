/* compact.c - see compact.h. */
#include "radisk/compact.h"

#include "radisk/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium/randombytes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PART "data.mdb.part"

enum { ROWS_MAX = 10000 };

typedef struct compacting {
    const char *folder;
    size_t size_max;
    char *why;
    disk disk;
    files files;
    uint64_t *segments; /* with dead blobs */
    size_t len, room;
    uint64_t highest;
    bool failed;
} compacting;

static status explain(compacting *c, status s, const char *what)
{
    (void)snprintf(c->why, COMPACT_WHY_MAX, "%s: %s: %s", c->folder, what, status_text(s));
    return s;
}

static status explain_errno(compacting *c, const char *what)
{
    int error = errno;

    (void)snprintf(c->why, COMPACT_WHY_MAX, "%s: %s: %s", c->folder, what, strerror(error));
    return file_status(error);
}

/* ---- the journal ---- */

static status fold_journal(compacting *c)
{
    radisk_options wish = { .folder = c->folder, .limits = { .size_max = c->size_max } };
    radisk *store = NULL;

    randombytes_buf(wish.secret, sizeof wish.secret);
    status s = radisk_open(&store, &wish, c->why);
    if (s != STATUS_OK) return s;
    s = radisk_fold(store);
    while (s == STATUS_OK && radisk_ready(store) && radisk_wait(store)) {
    } /* what has expired, and old floors */
    radisk_close(store);
    return s == STATUS_OK ? s : explain(c, s, "what is in the journal cannot be folded");
}

/* ---- blobs ---- */

static void note_segment(void *context, uint64_t segment, uint64_t bytes, uint64_t dead)
{
    compacting *c = context;

    (void)bytes;
    if (segment > c->highest) c->highest = segment;
    if (dead == 0) return;
    if (c->len == c->room) {
        size_t room = c->room == 0 ? 64 : c->room * 2;
        uint64_t *more = realloc(c->segments, room * sizeof *more);
        c->failed |= more == NULL;
        if (more == NULL) return;
        c->segments = more;
        c->room = room;
    }
    c->segments[c->len++] = segment;
}

static bool note_file(void *context, const char *name)
{
    compacting *c = context;
    uint64_t number;

    if (blob_file_number(name, &number) && number > c->highest) c->highest = number;
    return true;
}

static void no_courtesy(void *context)
{
    (void)context;
}

static folder folder_of(compacting *c)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (folder){ .disk = &c->disk,
                     .files = &c->files,
                     .rows_max = ROWS_MAX,
                     .seen_ms = (double)now.tv_sec * 1e3,
                     .courtesy = no_courtesy };
}

/* Damage may have made it wrong what was counted as rows came and went. */
static status recount(compacting *c)
{
    folder f = folder_of(c);
    folder_news news;

    folder_recount(&f, &news);
    return news.how == STATUS_OK ? news.how : explain(c, news.how, "the rows cannot be counted");
}

static status collect(compacting *c)
{
    folder f = folder_of(c);
    status s = disk_segments(&c->disk, note_segment, c);

    if (s == STATUS_OK) s = c->files.list(c->files.context, "blobs", note_file, c);
    if (s == STATUS_OK && c->failed) s = STATUS_NO_MEMORY;
    disk_rest(&c->disk);
    for (size_t i = 0; i < c->len && s == STATUS_OK; i++) {
        folder_news news = { 0 };
        folder_collect(&f, c->segments[i], ++c->highest, &news);
        s = news.how;
    }
    return s == STATUS_OK ? s : explain(c, s, "blobs cannot be collected");
}

/* ---- data.mdb ---- */

static status copy_database(compacting *c)
{
    int to =
        openat(c->disk.folder, PART, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (to < 0) return explain_errno(c, PART);
    int error = mdb_env_copyfd2(c->disk.env, to, MDB_CP_COMPACT);
    status s =
        error == 0 ? STATUS_OK : explain(c, disk_status(error), "the database cannot be copied");
    if (s == STATUS_OK && fsync(to) != 0) s = explain_errno(c, PART);
    (void)close(to);
    if (s == STATUS_OK && renameat(c->disk.folder, PART, c->disk.folder, "data.mdb") != 0)
        s = explain_errno(c, PART);
    if (s == STATUS_OK && fsync(c->disk.folder) != 0) s = explain_errno(c, "the folder");
    if (s != STATUS_OK) (void)unlinkat(c->disk.folder, PART, 0);
    return s;
}

/* ---- sizes ---- */

static uint64_t bytes_of(int in, const char *name)
{
    struct stat st;

    return fstatat(in, name, &st, 0) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

static uint64_t measure(const char *path)
{
    int in = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int blobs = in < 0 ? -1 : openat(in, "blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = blobs < 0 ? NULL : fdopendir(blobs);
    uint64_t bytes = in < 0 ? 0 : bytes_of(in, "data.mdb");

    for (struct dirent *e; list != NULL && (e = readdir(list)) != NULL;)
        if (e->d_name[0] != '.') bytes += bytes_of(blobs, e->d_name);
    if (list != NULL) (void)closedir(list);
    if (in >= 0) (void)close(in);
    return bytes;
}

static status open_closed(compacting *c)
{
    disk_options wish = { .folder = c->folder, .size_max = c->size_max };

    randombytes_buf(wish.new_store, sizeof wish.new_store);
    status s = disk_open(&c->disk, &wish, c->why, COMPACT_WHY_MAX);
    if (s == STATUS_OK) files_real(&c->files, c->disk.folder);
    return s;
}

_Static_assert((int)COMPACT_WHY_MAX >= (int)RADISK_WHY_MAX, "a reason of the store fits");

status compact_store(const char *path, size_t size_max, compact_report *out,
                     char why[COMPACT_WHY_MAX])
{
    compacting c = { .folder = path, .size_max = size_max, .why = why };

    why[0] = '\0';
    *out = (compact_report){ .before = measure(path) };
    status s = fold_journal(&c);
    if (s == STATUS_OK) s = open_closed(&c);
    if (s != STATUS_OK) return s;
    s = recount(&c);
    if (s == STATUS_OK) s = collect(&c);
    if (s == STATUS_OK) s = copy_database(&c);
    disk_close(&c.disk);
    free(c.segments);
    out->after = measure(path);
    return s;
}
