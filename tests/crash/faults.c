/* faults.c - see faults.h. What is global is so as the calls themselves are. */
#include "tests/crash/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

const char *const fault_names[FAULT_KINDS] = {
    [FAULT_WRITE] = "write",   [FAULT_SYNC] = "sync",   [FAULT_OPEN] = "open",
    [FAULT_LENGTH] = "length", [FAULT_NAME] = "name",   [FAULT_MAP] = "map",
    [FAULT_READ] = "read",     [FAULT_ALLOC] = "alloc",
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool armed;
static fault_kind failing;
static unsigned long failing_at, seen, failed;
static int failing_error, failing_times;

void faults_arm(fault_kind kind, unsigned long k, int error, int times)
{
    (void)pthread_mutex_lock(&lock);
    armed = true;
    failing = kind;
    failing_at = k;
    failing_error = error;
    failing_times = times;
    seen = failed = 0;
    (void)pthread_mutex_unlock(&lock);
}

static unsigned long read_of(const unsigned long *number)
{
    (void)pthread_mutex_lock(&lock);
    unsigned long n = *number;
    (void)pthread_mutex_unlock(&lock);
    return n;
}

void faults_disarm(void)
{
    (void)pthread_mutex_lock(&lock);
    armed = false;
    (void)pthread_mutex_unlock(&lock);
}

unsigned long faults_seen(void)
{
    return read_of(&seen);
}

unsigned long faults_failed(void)
{
    return read_of(&failed);
}

/* How this call ends: 0 as ever, else an errno or FAULT_SHORT. */
static int fate(fault_kind kind)
{
    int error = 0;

    (void)pthread_mutex_lock(&lock);
    if (armed && kind == failing) {
        seen++;
        unsigned long upto = failing_at + (unsigned long)failing_times;
        if (failing_at != 0 && seen >= failing_at && (failing_times < 0 || seen < upto))
            error = failing_error;
        failed += error != 0;
    }
    (void)pthread_mutex_unlock(&lock);
    return error;
}

/* For calls that cannot be done by half. */
static bool fails(fault_kind kind)
{
    int error = fate(kind);

    if (error == 0) return false;
    errno = error > 0 ? error : EIO;
    return true;
}

/* ---- bytes ---- */

/* How many of `len` bytes to move, or -1 with errno set. */
static ssize_t some_of(fault_kind kind, size_t len)
{
    int error = fate(kind);

    if (error == 0) return (ssize_t)len;
    if (error == FAULT_SHORT) return (ssize_t)(len / 2);
    errno = error;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    ssize_t some = some_of(FAULT_WRITE, len);

    return some < 0 ? -1 : syscall(SYS_write, fd, bytes, some);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    ssize_t some = some_of(FAULT_WRITE, len);

    return some < 0 ? -1 : syscall(SYS_pwrite64, fd, bytes, some, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    return pwrite(fd, bytes, len, at);
}

/* Of pieces, half is the first of them, or half of it. */
ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    int error = fate(FAULT_WRITE);

    if (error == 0) return syscall(SYS_writev, fd, pieces, count);
    if (error == FAULT_SHORT) return syscall(SYS_write, fd, pieces->iov_base, pieces->iov_len / 2);
    errno = error;
    return -1;
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at)
{
    int error = fate(FAULT_WRITE);

    if (error == 0) return syscall(SYS_pwritev, fd, pieces, count, at, 0L);
    if (error == FAULT_SHORT)
        return syscall(SYS_pwrite64, fd, pieces->iov_base, pieces->iov_len / 2, at);
    errno = error;
    return -1;
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t at)
{
    return pwritev(fd, pieces, count, at);
}

ssize_t read(int fd, void *to, size_t len)
{
    ssize_t some = some_of(FAULT_READ, len);

    return some < 0 ? -1 : syscall(SYS_read, fd, to, some);
}

ssize_t pread(int fd, void *to, size_t len, off_t at)
{
    ssize_t some = some_of(FAULT_READ, len);

    return some < 0 ? -1 : syscall(SYS_pread64, fd, to, some, at);
}

ssize_t pread64(int fd, void *to, size_t len, off64_t at)
{
    return pread(fd, to, len, at);
}

/* ---- syncs, lengths, names ---- */

int fsync(int fd)
{
    return fails(FAULT_SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return fails(FAULT_SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int msync(void *at, size_t len, int flags)
{
    return fails(FAULT_SYNC) ? -1 : (int)syscall(SYS_msync, at, len, flags);
}

int ftruncate(int fd, off_t bytes)
{
    return fails(FAULT_LENGTH) ? -1 : (int)syscall(SYS_ftruncate, fd, bytes);
}

int ftruncate64(int fd, off64_t bytes)
{
    return ftruncate(fd, bytes);
}

int fallocate(int fd, int mode, off_t from, off_t bytes)
{
    return fails(FAULT_LENGTH) ? -1 : (int)syscall(SYS_fallocate, fd, mode, from, bytes);
}

int posix_fallocate(int fd, off_t from, off_t bytes)
{
    return fallocate(fd, 0, from, bytes) == 0 ? 0 : errno;
}

int mkdirat(int at, const char *path, mode_t mode)
{
    return fails(FAULT_NAME) ? -1 : (int)syscall(SYS_mkdirat, at, path, mode);
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return fails(FAULT_NAME) ? -1 : (int)syscall(SYS_renameat2, from_at, from, to_at, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int unlinkat(int at, const char *path, int flags)
{
    return fails(FAULT_NAME) ? -1 : (int)syscall(SYS_unlinkat, at, path, flags);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

/* ---- opens and maps ---- */

static int opened(int at, const char *path, int flags, va_list more)
{
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;

    return fails(FAULT_OPEN) ? -1 : (int)syscall(SYS_openat, at, path, flags, mode);
}

#define OPENS(name)                                                                                \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        int fd = opened(AT_FDCWD, path, flags, more);                                              \
        va_end(more);                                                                              \
        return fd;                                                                                 \
    }
#define OPENS_AT(name)                                                                             \
    int name(int at, const char *path, int flags, ...)                                             \
    {                                                                                              \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        int fd = opened(at, path, flags, more);                                                    \
        va_end(more);                                                                              \
        return fd;                                                                                 \
    }

OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int at, const char *path, int flags);
int __openat64_2(int at, const char *path, int flags);

int __open_2(const char *path, int flags)
{
    return open(path, flags);
}

int __open64_2(const char *path, int flags)
{
    return open(path, flags);
}

int __openat_2(int at, const char *path, int flags)
{
    return openat(at, path, flags);
}

int __openat64_2(int at, const char *path, int flags)
{
    return openat(at, path, flags);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t from)
{
    if (fd >= 0 && fails(FAULT_MAP)) return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, len, protection, flags, fd, from);
}

void *mmap64(void *at, size_t len, int protection, int flags, int fd, off64_t from)
{
    return mmap(at, len, protection, flags, fd, from);
}

/* ---- our own allocations ---- */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    return fails(FAULT_ALLOC) ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails(FAULT_ALLOC) ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return fails(FAULT_ALLOC) ? NULL : __real_realloc(old, bytes);
}
