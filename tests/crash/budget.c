/* budget.c - preloaded into a server: a disk of so many bytes, where no small file
 * system can be mounted.
 *
 *   BRASA_DISK=FOLDER BRASA_DISK_BYTES=N LD_PRELOAD=.../budget.so brasa serve ...
 *
 * What the files below the folder take is counted when something is written there;
 * past the bytes it fails with ENOSPC, and statfs() says how much is left. Whoever
 * else fills the folder, or frees it, counts too.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The walk has no argument to carry its sum in. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t used;

static int add_one(const char *path, const struct stat *s, int kind, struct FTW *walk)
{
    (void)path, (void)walk;
    if (kind == FTW_F) used += (uint64_t)s->st_blocks * 512;
    return 0;
}

static uint64_t bytes_left(void)
{
    const char *folder = getenv("BRASA_DISK"), *bytes = getenv("BRASA_DISK_BYTES");
    uint64_t all = bytes == NULL ? UINT64_MAX : strtoull(bytes, NULL, 10);

    if (folder == NULL) return UINT64_MAX;
    (void)pthread_mutex_lock(&lock);
    used = 0;
    (void)nftw(folder, add_one, 8, FTW_PHYS);
    uint64_t left = used < all ? all - used : 0;
    (void)pthread_mutex_unlock(&lock);
    return left;
}

static bool is_there(int fd)
{
    const char *folder = getenv("BRASA_DISK");
    char link[64], path[PATH_MAX];

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    return folder != NULL && len > 0 && strncmp(path, folder, strlen(folder)) == 0;
}

/* Whether bytes at an offset do not fit. What has its room already does. */
static bool is_full(int fd, off_t at, size_t len)
{
    struct stat s;

    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode) || !is_there(fd)) return false;
    if (at < 0) at = lseek(fd, 0, SEEK_CUR);
    if (at + (off_t)len <= (off_t)s.st_blocks * 512 && at + (off_t)len <= s.st_size) return false;
    if (len <= bytes_left()) return false;
    errno = ENOSPC;
    return true;
}

static size_t bytes_of(const struct iovec *pieces, int count)
{
    size_t all = 0;

    for (int i = 0; i < count; i++) all += pieces[i].iov_len;
    return all;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    return is_full(fd, -1, len) ? -1 : syscall(SYS_write, fd, bytes, len);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    if (is_full(fd, -1, bytes_of(pieces, count))) return -1;
    return syscall(SYS_writev, fd, pieces, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return is_full(fd, at, len) ? -1 : syscall(SYS_pwrite64, fd, bytes, len, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    return pwrite(fd, bytes, len, at);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at)
{
    if (is_full(fd, at, bytes_of(pieces, count))) return -1;
    return syscall(SYS_pwritev, fd, pieces, count, at, 0L);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t at)
{
    return pwritev(fd, pieces, count, at);
}

int fallocate(int fd, int mode, off_t from, off_t bytes)
{
    return is_full(fd, from, (size_t)bytes) ? -1
                                            : (int)syscall(SYS_fallocate, fd, mode, from, bytes);
}

int fallocate64(int fd, int mode, off64_t from, off64_t bytes)
{
    return fallocate(fd, mode, from, bytes);
}

int posix_fallocate(int fd, off_t from, off_t bytes)
{
    return fallocate(fd, 0, from, bytes) == 0 ? 0 : errno;
}

/* Of every file system, since only ours is asked about. */
int fstatfs(int fd, struct statfs *out)
{
    int r = (int)syscall(SYS_fstatfs, fd, out);

    if (r == 0 && getenv("BRASA_DISK") != NULL)
        out->f_bavail = out->f_bfree = bytes_left() / (uint64_t)out->f_bsize;
    return r;
}

int statfs(const char *path, struct statfs *out)
{
    int r = (int)syscall(SYS_statfs, path, out);

    if (r == 0 && getenv("BRASA_DISK") != NULL)
        out->f_bavail = out->f_bfree = bytes_left() / (uint64_t)out->f_bsize;
    return r;
}

static int as_vfs(int r, const struct statfs *from, struct statvfs *out)
{
    if (r != 0) return r;
    *out = (struct statvfs){ .f_bsize = (unsigned long)from->f_bsize,
                             .f_frsize = (unsigned long)from->f_bsize,
                             .f_blocks = from->f_blocks,
                             .f_bfree = from->f_bfree,
                             .f_bavail = from->f_bavail,
                             .f_files = from->f_files,
                             .f_ffree = from->f_ffree,
                             .f_favail = from->f_ffree,
                             .f_namemax = (unsigned long)from->f_namelen };
    return 0;
}

int fstatvfs(int fd, struct statvfs *out)
{
    struct statfs s;

    return as_vfs(fstatfs(fd, &s), &s, out);
}

int statvfs(const char *path, struct statvfs *out)
{
    struct statfs s;

    return as_vfs(statfs(path, &s), &s, out);
}

int fstatvfs64(int fd, struct statvfs64 *out)
{
    return fstatvfs(fd, (struct statvfs *)out);
}

int statvfs64(const char *path, struct statvfs64 *out)
{
    return statvfs(path, (struct statvfs *)out);
}

int fstatfs64(int fd, struct statfs64 *out)
{
    return fstatfs(fd, (struct statfs *)out);
}

int statfs64(const char *path, struct statfs64 *out)
{
    return statfs(path, (struct statfs *)out);
}
