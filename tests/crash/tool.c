/* tool.c - see tool.h. */
#include "tests/crash/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void tool_fail(const char *format, ...)
{
    va_list arguments;

    (void)fflush(stdout);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    exit(2);
}

void *tool_room(size_t count, size_t bytes)
{
    void *room = calloc(count == 0 ? 1 : count, bytes);

    if (room == NULL) tool_fail("out of memory");
    return room;
}

void *tool_grow(void *items, size_t count, size_t *room, size_t bytes)
{
    if (count < *room) return items;
    *room = *room == 0 ? 64 : *room * 2;
    items = realloc(items, *room * bytes);
    if (items == NULL) tool_fail("out of memory");
    return items;
}

char *tool_read_file(const char *path, size_t *len)
{
    int at = open(path, O_RDONLY | O_CLOEXEC);
    struct stat s;

    if (at < 0 || fstat(at, &s) != 0) tool_fail("cannot read %s: %s", path, strerror(errno));
    char *text = tool_room((size_t)s.st_size + 1, 1);
    size_t got = 0;
    ssize_t more;
    while ((more = read(at, text + got, (size_t)s.st_size - got)) > 0) got += (size_t)more;
    (void)close(at);
    *len = got;
    return text;
}

void tool_write_file(int folder, const char *name, const void *bytes, size_t len)
{
    int at = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t done = 0;

    if (at < 0) tool_fail("cannot make %s: %s", name, strerror(errno));
    while (done < len) {
        ssize_t more = write(at, (const char *)bytes + done, len - done);
        if (more < 0) tool_fail("cannot write %s: %s", name, strerror(errno));
        done += (size_t)more;
    }
    (void)close(at);
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *walk)
{
    (void)s, (void)kind, (void)walk;
    (void)remove(path);
    return 0;
}

void tool_remove(const char *folder)
{
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void tool_make_scratch(char out[static TOOL_PATH], const char *word)
{
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");

    (void)snprintf(out, TOOL_PATH, "%s/brasa-%s-XXXXXX", parent == NULL ? "/tmp" : parent, word);
    if (mkdtemp(out) == NULL) tool_fail("cannot make %s: %s", out, strerror(errno));
}

double tool_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

dice dice_of(uint64_t seed, uint64_t number)
{
    dice d = { seed * 0x9e3779b97f4a7c15ull + number };

    (void)dice_throw(&d);
    d.state ^= number << 32;
    return d;
}

uint64_t dice_throw(dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

uint64_t dice_below(dice *d, uint64_t bound)
{
    return dice_throw(d) % bound;
}

bool dice_chance(dice *d, double p)
{
    return (double)(dice_throw(d) >> 11) * 0x1p-53 < p;
}
