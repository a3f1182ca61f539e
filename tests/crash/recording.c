/* recording.c - see recording.h. */
#include "tests/crash/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tape_head *tape;
static bool started;
static uint64_t noted, syncs, kill_after, fail_at, slow_us; /* of this process */
static bool kill_in_write;

enum { KNOWN_MAX = 1 << 16 };
static recorded known[KNOWN_MAX];
static dev_t device; /* an inode's number says something on its own disk only */

static recorded *slot_of(uint64_t inode)
{
    size_t i = (size_t)(inode * 0x9e3779b97f4a7c15ull >> 48);

    while (known[i].inode != 0 && known[i].inode != inode) i = (i + 1) % KNOWN_MAX;
    return &known[i];
}

static void know(uint64_t inode, uint64_t object, const char *name)
{
    *slot_of(inode) = (recorded){ inode, object, strcmp(name, "lock.mdb") == 0 };
}

void recording_gone(uint64_t object)
{
    for (size_t i = 0; i < KNOWN_MAX; i++)
        if (known[i].object == object) known[i].object = 0;
}

static char *tape_at(uint64_t at)
{
    return (char *)(tape + 1) + at;
}

/* Takes room for a record; its bytes are filled in before sealed() is called.
 * NULL when the tape is full. */
static char *take(const tape_record *r)
{
    if (tape->room - tape->used < sizeof *r + tape_padded(r->bytes)) {
        tape->full = 1;
        return NULL;
    }
    memcpy(tape_at(tape->used), r, sizeof *r);
    return tape_at(tape->used) + sizeof *r;
}

/* Only now is it on the tape: a process that is killed leaves no half record. */
static void sealed(const tape_record *r)
{
    __atomic_store_n(&tape->used, tape->used + sizeof *r + tape_padded(r->bytes), __ATOMIC_RELEASE);
    if (kill_after == 0 || ++noted < kill_after) return;
    if (!kill_in_write || r->kind == TAPE_WRITE) (void)syscall(SYS_kill, getpid(), SIGKILL);
}

void recording_note(tape_kind kind, uint64_t object, uint64_t parent, uint64_t at,
                    const void *bytes, size_t len)
{
    tape_record r = { kind, (uint32_t)len, object, parent, at };
    char *to = take(&r);

    if (to == NULL) return;
    if (len > 0) memcpy(to, bytes, len);
    sealed(&r);
}

void recording_note_pieces(tape_kind kind, uint64_t object, uint64_t at, const struct iovec *pieces,
                           size_t len)
{
    tape_record r = { kind, (uint32_t)len, object, 0, at };
    char *to = take(&r);

    if (to == NULL) return;
    for (size_t left = len; left > 0; pieces++) {
        size_t part = pieces->iov_len < left ? pieces->iov_len : left;
        memcpy(to, pieces->iov_base, part);
        to += part;
        left -= part;
    }
    sealed(&r);
}

void recording_unseen(const char *what)
{
    recording_note(TAPE_UNSEEN, 0, 0, 0, what, strlen(what));
}

const char *recording_at(uint64_t at, tape_record *out)
{
    if (at >= tape->used) return NULL;
    memcpy(out, tape_at(at), sizeof *out);
    return tape_at(at) + sizeof *out;
}

void recording_made(tape_kind kind, uint64_t parent, const char *name, const struct stat *s)
{
    uint64_t object = tape->next_object++;

    recording_note(kind, object, parent, s->st_ino, name, strlen(name));
    know(s->st_ino, object, name);
}

uint64_t recording_next_sync(bool *fails, unsigned *takes_us)
{
    *takes_us = (unsigned)slow_us;
    *fails = ++syncs == fail_at;
    return tape->next_sync++;
}

/* What an earlier process made is still there, under the same inodes. */
static void read_back(void)
{
    char name[NAME_MAX + 1];
    const char *bytes;
    tape_record r;

    for (uint64_t at = 0; (bytes = recording_at(at, &r)) != NULL;
         at += sizeof r + tape_padded(r.bytes)) {
        if (r.kind == TAPE_REMOVE) recording_gone(r.object);
        if (r.kind != TAPE_MAKE && r.kind != TAPE_FOLDER && r.kind != TAPE_ROOT) continue;
        size_t len = r.bytes < NAME_MAX ? r.bytes : NAME_MAX;
        memcpy(name, bytes, len);
        name[len] = '\0';
        know(r.at, r.object, name);
    }
}

static void refuse(const char *why)
{
    (void)fprintf(stderr, "recorder: %s\n", why);
    _exit(127);
}

static uint64_t number_in(const char *name)
{
    const char *digits = getenv(name);

    return digits == NULL ? 0 : strtoull(digits, NULL, 10);
}

static void open_tape(const char *file, const char *root)
{
    size_t bytes = getenv(TAPE_ROOM) != NULL ? number_in(TAPE_ROOM) : (size_t)1 << 30;
    struct stat s;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || fstat(fd, &s) != 0) refuse("cannot open the tape");
    if (s.st_size == 0 && syscall(SYS_ftruncate, fd, bytes) != 0) refuse("cannot make the tape");
    if (s.st_size != 0) bytes = (size_t)s.st_size;
    void *map = (void *)syscall(SYS_mmap, NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) refuse("cannot map the tape");
    (void)syscall(SYS_close, fd);
    if (stat(root, &s) != 0) refuse("the folder to watch is not there");
    device = s.st_dev;
    tape = map;
    if (memcmp(tape->mark, TAPE_MARK, sizeof tape->mark) == 0) {
        read_back();
    } else {
        tape->room = bytes - sizeof *tape;
        tape->next_object = 2;
        tape->next_sync = 1;
        recording_note(TAPE_ROOT, 1, 0, s.st_ino, "", 0);
        know(s.st_ino, 1, "");
        memcpy(tape->mark, TAPE_MARK, sizeof tape->mark);
    }
    recording_note(TAPE_RUN, (uint64_t)getpid(), 0, 0, "", 0);
    kill_after = number_in(TAPE_KILL);
    kill_in_write = kill_after > 0 && strchr(getenv(TAPE_KILL), 'w') != NULL;
    fail_at = number_in(TAPE_FAIL);
    slow_us = number_in(TAPE_SLOW);
    noted = 0;
}

bool recording_begin(void)
{
    int error = errno;

    (void)pthread_mutex_lock(&lock);
    if (!started) {
        const char *file = getenv(TAPE_FILE), *root = getenv(TAPE_WATCH);
        started = true;
        if (file != NULL && root != NULL) open_tape(file, root);
    }
    if (tape == NULL) (void)pthread_mutex_unlock(&lock);
    errno = error;
    return tape != NULL;
}

void recording_end(void)
{
    int error = errno;

    (void)pthread_mutex_unlock(&lock);
    errno = error;
}

const recorded *recording_find(const struct stat *s)
{
    const recorded *k = s->st_dev == device ? slot_of(s->st_ino) : NULL;

    return k == NULL || k->object == 0 ? NULL : k;
}

/* A regular file below the folder that we have not seen made. One that lost its
 * name meanwhile is no matter. */
static void suspect(int fd)
{
    char link[64], path[PATH_MAX];
    const char *root = getenv(TAPE_WATCH);
    struct stat s;

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0 || root == NULL || fstat(fd, &s) != 0 || s.st_nlink == 0) return;
    path[len] = '\0';
    if (strncmp(path, root, strlen(root)) == 0)
        recording_unseen("a file was made by a call that is not watched");
}

const recorded *recording_of(int fd, bool *is_socket)
{
    struct stat s;

    if (is_socket != NULL) *is_socket = false;
    if (fstat(fd, &s) != 0) return NULL;
    if (is_socket != NULL) *is_socket = S_ISSOCK(s.st_mode);
    if (!S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode)) return NULL;
    const recorded *k = recording_find(&s);
    if (k == NULL && S_ISREG(s.st_mode)) suspect(fd);
    return k;
}

uint64_t recording_folder_of(int at, const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    char folder[PATH_MAX] = ".";
    struct stat s;

    *name = slash == NULL ? path : slash + 1;
    if (len >= sizeof folder) return 0;
    if (slash != NULL) {
        memcpy(folder, len == 0 ? "/" : path, len == 0 ? 1 : len);
        folder[len == 0 ? 1 : len] = '\0';
    }
    if (fstatat(at, folder, &s, 0) != 0) return 0;
    const recorded *k = recording_find(&s);
    return k == NULL ? 0 : k->object;
}

uint64_t recording_object_at(int at, const char *path)
{
    const recorded *k = NULL;
    struct stat s;

    if (fstatat(at, path, &s, AT_SYMLINK_NOFOLLOW) == 0) k = recording_find(&s);
    return k == NULL ? 0 : k->object;
}
