/* disk_gate.c - see disk_gate.h. An executable's own symbols come before those
 * of its libraries: that is how these calls of LMDB end here. */
#include "tests/unit/disk_gate.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool closed, closed_database;
static int waiting;
static disk_part failing_part;
static int failing_error, failing_times, failed;
static unsigned long syncs;

/* LMDB writes its meta page, and nothing else, from the middle of one of the
 * first two pages. */
enum { META_BELOW = 2 * 4096, META_BYTES_MAX = 512 };

static bool is_database(int fd)
{
    char name[64], path[512];

    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(name, path, sizeof path - 1);
    if (len < 0) return false;
    path[len] = '\0';
    return strstr(path, "data.mdb") != NULL || strstr(path, "aside") != NULL;
}

static bool fails(disk_part part)
{
    (void)pthread_mutex_lock(&lock);
    bool now = failing_times != 0 && failing_part == part;
    if (now && failing_times > 0) failing_times--;
    int error = failing_error;
    failed += now;
    if (part != DISK_DATA && part != LOG_WRITE) syncs++;
    (void)pthread_mutex_unlock(&lock);
    if (now) errno = error;
    return now;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    bool meta = at < META_BELOW && len <= META_BYTES_MAX;

    if (fails(!is_database(fd) ? LOG_WRITE : meta ? DISK_META : DISK_DATA)) return -1;
    return syscall(SYS_pwrite64, fd, bytes, len, at);
}

/* LMDB writes neighbouring pages at once, with this. */
ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    if (fails(DISK_DATA)) return -1;
    return syscall(SYS_writev, fd, pieces, count);
}

static bool must_wait(bool database)
{
    return closed || (database && closed_database);
}

int fdatasync(int fd)
{
    bool database = is_database(fd);

    (void)pthread_mutex_lock(&lock);
    bool waits = must_wait(database);
    waiting += waits;
    (void)pthread_cond_broadcast(&changed);
    while (must_wait(database)) (void)pthread_cond_wait(&changed, &lock);
    waiting -= waits;
    (void)pthread_mutex_unlock(&lock);
    if (fails(database ? DISK_SYNC : LOG_SYNC)) return -1;
    return (int)syscall(SYS_fdatasync, fd);
}

static void set_closed(bool all, bool database)
{
    (void)pthread_mutex_lock(&lock);
    closed = all;
    closed_database = database;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
}

void disk_gate_close(void)
{
    set_closed(true, true);
}

void disk_gate_close_database(void)
{
    set_closed(false, true);
}

void disk_gate_open(void)
{
    set_closed(false, false);
}

bool disk_gate_waited_at(void)
{
    (void)pthread_mutex_lock(&lock);
    bool now = waiting > 0;
    (void)pthread_mutex_unlock(&lock);
    return now;
}

void disk_gate_await(void)
{
    (void)pthread_mutex_lock(&lock);
    while (waiting == 0) (void)pthread_cond_wait(&changed, &lock);
    (void)pthread_mutex_unlock(&lock);
}

void disk_gate_fail(disk_part part, int error, int times)
{
    (void)pthread_mutex_lock(&lock);
    failing_part = part;
    failing_error = error;
    failing_times = times;
    failed = 0;
    (void)pthread_mutex_unlock(&lock);
}

int disk_gate_failed(void)
{
    (void)pthread_mutex_lock(&lock);
    int n = failed;
    (void)pthread_mutex_unlock(&lock);
    return n;
}

unsigned long disk_gate_syncs(void)
{
    (void)pthread_mutex_lock(&lock);
    unsigned long n = syncs;
    (void)pthread_mutex_unlock(&lock);
    return n;
}
