/* recorder.c - preloaded into a server, writes its tape: see tape.h.
 *
 *   BRASA_TAPE=FILE BRASA_TAPE_ROOT=FOLDER LD_PRELOAD=.../recorder.so brasa serve ...
 *
 * Files are told apart by their inode, not by descriptor or name: a name is moved
 * and a descriptor is used again. Every file below the folder must have been made
 * while the recorder watched. What it cannot follow (a map that is written to, a
 * link, a call that copies between files) it says on the tape, and then no image
 * is made of it: a tool that overlooks a write would find nothing wrong.
 *
 * The calls are made by syscall(), so there is nothing to look up and no order in
 * which libraries are started that could matter.
 */
#include "tests/crash/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* ---- names ---- */

static int watched_open(int at, const char *path, int flags, mode_t mode)
{
    const char *name;
    struct stat before, after;

    if ((flags & (O_CREAT | O_TRUNC)) == 0 || !recording_begin())
        return (int)syscall(SYS_openat, at, path, flags, mode);
    uint64_t parent = recording_folder_of(at, path, &name);
    bool was = fstatat(at, path, &before, 0) == 0;
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    if (fd >= 0 && parent != 0 && fstat(fd, &after) == 0) {
        const recorded *k = recording_find(&after);
        if (!was)
            recording_made(TAPE_MAKE, parent, name, &after);
        else if ((flags & O_TRUNC) != 0 && before.st_size > 0 && k != NULL)
            recording_note(TAPE_LENGTH, k->object, 0, 0, "", 0);
    }
    recording_end();
    return fd;
}

static mode_t mode_of(int flags, va_list more)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
}

#define OPENS(name)                                                                                \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode_t mode = mode_of(flags, more);                                                        \
        va_end(more);                                                                              \
        return watched_open(AT_FDCWD, path, flags, mode);                                          \
    }
#define OPENS_AT(name)                                                                             \
    int name(int at, const char *path, int flags, ...)                                             \
    {                                                                                              \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode_t mode = mode_of(flags, more);                                                        \
        va_end(more);                                                                              \
        return watched_open(at, path, flags, mode);                                                \
    }

OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)

/* What _FORTIFY_SOURCE makes of the calls without a mode. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int at, const char *path, int flags);
int __openat64_2(int at, const char *path, int flags);

int __open_2(const char *path, int flags)
{
    return watched_open(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return watched_open(AT_FDCWD, path, flags, 0);
}

int __openat_2(int at, const char *path, int flags)
{
    return watched_open(at, path, flags, 0);
}

int __openat64_2(int at, const char *path, int flags)
{
    return watched_open(at, path, flags, 0);
}

int creat(const char *path, mode_t mode)
{
    return watched_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int mkdirat(int at, const char *path, mode_t mode)
{
    const char *name;
    struct stat s;

    if (!recording_begin()) return (int)syscall(SYS_mkdirat, at, path, mode);
    uint64_t parent = recording_folder_of(at, path, &name);
    int r = (int)syscall(SYS_mkdirat, at, path, mode);
    if (r == 0 && parent != 0 && fstatat(at, path, &s, 0) == 0)
        recording_made(TAPE_FOLDER, parent, name, &s);
    recording_end();
    return r;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    const char *old_name, *new_name;
    char both[2 * NAME_MAX + 2];

    if (!recording_begin()) return (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    uint64_t object = recording_object_at(from_at, from);
    uint64_t old_parent = recording_folder_of(from_at, from, &old_name);
    uint64_t new_parent = recording_folder_of(to_at, to, &new_name);
    uint64_t replaced = recording_object_at(to_at, to);
    int r = (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    if (r == 0 && replaced != 0) recording_gone(replaced);
    if (r == 0 && (old_parent != 0 || new_parent != 0)) {
        if (old_parent == 0 || new_parent == 0 || object == 0 || (flags & ~1u) != 0)
            recording_unseen("a file was moved in or out, or exchanged");
        int len = snprintf(both, sizeof both, "%s%c%s", old_name, '\0', new_name);
        recording_note(TAPE_MOVE, object, old_parent, new_parent, both, (size_t)len);
    }
    recording_end();
    return r;
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return renameat2(from_at, from, to_at, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int at, const char *path, int flags)
{
    const char *name;

    if (!recording_begin()) return (int)syscall(SYS_unlinkat, at, path, flags);
    uint64_t object = recording_object_at(at, path), parent = recording_folder_of(at, path, &name);
    int r = (int)syscall(SYS_unlinkat, at, path, flags);
    if (r == 0 && object != 0) recording_gone(object);
    if (r == 0 && parent != 0) recording_note(TAPE_REMOVE, object, parent, 0, name, strlen(name));
    recording_end();
    return r;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
    struct stat s;
    bool folder = lstat(path, &s) == 0 && S_ISDIR(s.st_mode);

    return unlinkat(AT_FDCWD, path, folder ? AT_REMOVEDIR : 0);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    const char *name;

    if (recording_begin()) {
        if (recording_folder_of(to_at, to, &name) != 0) recording_unseen("a link was made");
        recording_end();
    }
    return (int)syscall(SYS_linkat, from_at, from, to_at, to, flags);
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* ---- bytes ---- */

static bool writes_through(int fd, int flags)
{
    return (fcntl(fd, F_GETFL) & O_DSYNC) != 0 || (flags & (RWF_DSYNC | RWF_SYNC)) != 0;
}

static ssize_t plain_write(int fd, const struct iovec *pieces, int count, off_t at, int flags)
{
    if (at < 0) return syscall(SYS_writev, fd, pieces, count);
    return syscall(SYS_pwritev2, fd, pieces, count, at, 0L, flags);
}

static ssize_t written_to_socket(int fd, const struct iovec *pieces, int count)
{
    struct stat s;
    ssize_t r = syscall(SYS_writev, fd, pieces, count);

    if (r > 0 && fstat(fd, &s) == 0)
        recording_note_pieces(TAPE_SENT, s.st_ino, 0, pieces, (size_t)r);
    recording_end();
    return r;
}

/* Where a write without an offset has gone. */
static off_t place_after(int fd, ssize_t written)
{
    return lseek(fd, 0, SEEK_CUR) - written;
}

/* at < 0: at the descriptor's place. Every write ends here. A disk may take its
 * time, and nobody else shall wait for it: the lock is not held meanwhile. */
static ssize_t watched_write(int fd, const struct iovec *pieces, int count, off_t at, int flags)
{
    bool is_socket;

    if (!recording_begin()) return plain_write(fd, pieces, count, at, flags);
    const recorded *k = recording_of(fd, &is_socket);
    if (is_socket) return written_to_socket(fd, pieces, count);
    uint64_t object = k == NULL ? 0 : k->object;
    recording_end();
    ssize_t r = plain_write(fd, pieces, count, at, flags);
    if (object == 0 || r <= 0) return r;
    off_t place = at < 0 ? place_after(fd, r) : at;
    tape_kind kind = writes_through(fd, flags) ? TAPE_WRITE_THROUGH : TAPE_WRITE;
    (void)recording_begin();
    recording_note_pieces(kind, object, (uint64_t)place, pieces, (size_t)r);
    recording_end();
    return r;
}

static struct iovec piece_of(const void *bytes, size_t len)
{
    return (struct iovec){ (void *)(uintptr_t)bytes, len };
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    struct iovec one = piece_of(bytes, len);

    return watched_write(fd, &one, 1, -1, 0);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    return watched_write(fd, pieces, count, -1, 0);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    struct iovec one = piece_of(bytes, len);

    return watched_write(fd, &one, 1, at, 0);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    return pwrite(fd, bytes, len, at);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at)
{
    return watched_write(fd, pieces, count, at, 0);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t at)
{
    return watched_write(fd, pieces, count, at, 0);
}

ssize_t pwritev2(int fd, const struct iovec *pieces, int count, off_t at, int flags)
{
    return watched_write(fd, pieces, count, at, flags);
}

ssize_t pwritev64v2(int fd, const struct iovec *pieces, int count, off64_t at, int flags)
{
    return watched_write(fd, pieces, count, at, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct stat s;

    if (!recording_begin()) return syscall(SYS_sendmsg, fd, message, flags);
    ssize_t r = syscall(SYS_sendmsg, fd, message, flags);
    if (r > 0 && fstat(fd, &s) == 0)
        recording_note_pieces(TAPE_SENT, s.st_ino, 0, message->msg_iov, (size_t)r);
    recording_end();
    return r;
}

/* glibc declares the address as a union of all kinds of addresses. */
ssize_t sendto(int fd, const void *bytes, size_t len, int flags, __CONST_SOCKADDR_ARG to,
               socklen_t to_len)
{
    struct stat s;
    const struct sockaddr *address = to.__sockaddr__;

    if (!recording_begin()) return syscall(SYS_sendto, fd, bytes, len, flags, address, to_len);
    ssize_t r = syscall(SYS_sendto, fd, bytes, len, flags, address, to_len);
    if (r > 0 && fstat(fd, &s) == 0) recording_note(TAPE_SENT, s.st_ino, 0, 0, bytes, (size_t)r);
    recording_end();
    return r;
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    return sendto(fd, bytes, len, flags, (const struct sockaddr *)NULL, 0);
}

/* ---- lengths ---- */

static uint64_t object_of(int fd)
{
    uint64_t object = 0;

    if (!recording_begin()) return 0;
    const recorded *k = recording_of(fd, NULL);
    if (k != NULL) object = k->object;
    recording_end();
    return object;
}

static void note_later(tape_kind kind, uint64_t object, uint64_t at)
{
    int error = errno;

    if (object != 0 && recording_begin()) {
        recording_note(kind, object, 0, at, "", 0);
        recording_end();
    }
    errno = error;
}

static void unseen_later(const char *what)
{
    int error = errno;

    if (recording_begin()) {
        recording_unseen(what);
        recording_end();
    }
    errno = error;
}

int ftruncate(int fd, off_t bytes)
{
    int r = (int)syscall(SYS_ftruncate, fd, bytes);

    if (r == 0) note_later(TAPE_LENGTH, object_of(fd), (uint64_t)bytes);
    return r;
}

int ftruncate64(int fd, off64_t bytes)
{
    return ftruncate(fd, bytes);
}

int truncate(const char *path, off_t bytes)
{
    int r = (int)syscall(SYS_truncate, path, bytes);
    uint64_t object = 0;

    if (r == 0 && recording_begin()) {
        object = recording_object_at(AT_FDCWD, path);
        recording_end();
    }
    if (r == 0) note_later(TAPE_LENGTH, object, (uint64_t)bytes);
    return r;
}

/* Only room that is added at the end is a change that can be read back. */
int fallocate(int fd, int mode, off_t from, off_t bytes)
{
    struct stat before = { 0 };
    uint64_t object = object_of(fd);

    if (object != 0) (void)fstat(fd, &before);
    int r = (int)syscall(SYS_fallocate, fd, mode, from, bytes);
    if (r != 0 || object == 0) return r;
    if ((mode & ~FALLOC_FL_KEEP_SIZE) != 0) unseen_later("a hole was made in a file");
    if (mode == 0 && from + bytes > before.st_size)
        note_later(TAPE_LENGTH, object, (uint64_t)(from + bytes));
    return r;
}

int fallocate64(int fd, int mode, off64_t from, off64_t bytes)
{
    return fallocate(fd, mode, from, bytes);
}

int posix_fallocate(int fd, off_t from, off_t bytes)
{
    int before = errno, r = fallocate(fd, 0, from, bytes), error = errno;

    errno = before;
    return r == 0 ? 0 : error;
}

int posix_fallocate64(int fd, off64_t from, off64_t bytes)
{
    return posix_fallocate(fd, from, bytes);
}

/* ---- syncs ---- */

static int watched_sync(int fd, long call)
{
    uint64_t number = 0, object = 0;
    bool fails = false;
    unsigned takes_us = 0;

    if (recording_begin()) {
        const recorded *k = recording_of(fd, NULL);
        if (k != NULL) {
            object = k->object;
            number = recording_next_sync(&fails, &takes_us);
            recording_note(TAPE_BEGIN, object, 0, number, "", 0);
        }
        recording_end();
    }
    if (takes_us > 0) (void)usleep(takes_us);
    int r = fails ? -1 : (int)syscall(call, fd);
    if (fails) errno = EIO;
    note_later(r == 0 ? TAPE_END : TAPE_FAILED, object, number);
    return r;
}

int fsync(int fd)
{
    return watched_sync(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return watched_sync(fd, SYS_fdatasync);
}

/* A weaker promise than it looks like: it is not one here. */
int sync_file_range(int fd, off64_t from, off64_t bytes, unsigned flags)
{
    return (int)syscall(SYS_sync_file_range, fd, from, bytes, flags);
}

int syncfs(int fd)
{
    unseen_later("syncfs() was called");
    return (int)syscall(SYS_syncfs, fd);
}

void sync(void)
{
    unseen_later("sync() was called");
    (void)syscall(SYS_sync);
}

/* ---- what goes past these calls ---- */

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t from)
{
    bool shared = (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;

    if (fd >= 0 && shared && (protection & PROT_WRITE) != 0 && recording_begin()) {
        const recorded *k = recording_of(fd, NULL);
        if (k != NULL && !k->lmdb_lock) recording_unseen("a file was mapped for writing");
        recording_end();
    }
    return (void *)syscall(SYS_mmap, at, len, protection, flags, fd, from);
}

void *mmap64(void *at, size_t len, int protection, int flags, int fd, off64_t from)
{
    return mmap(at, len, protection, flags, fd, from);
}

/* Of a map that only reads it does nothing, and one that writes was told of. */
int msync(void *at, size_t len, int flags)
{
    return (int)syscall(SYS_msync, at, len, flags);
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t len,
                        unsigned flags)
{
    if (object_of(to) != 0) unseen_later("copy_file_range() was called");
    return syscall(SYS_copy_file_range, from, from_at, to, to_at, len, flags);
}

ssize_t sendfile(int to, int from, off_t *from_at, size_t len)
{
    struct stat s;

    if (object_of(to) != 0 || (fstat(to, &s) == 0 && S_ISSOCK(s.st_mode)))
        unseen_later("sendfile() was called");
    return syscall(SYS_sendfile, to, from, from_at, len);
}
