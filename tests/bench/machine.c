/* machine.c - see machine.h. */
#include "tests/bench/machine.h"

#include "tests/bench/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_proc(pid_t pid, const char *name, char *text, size_t room)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *f = fopen(path, "re");
    if (f == NULL) return false;
    size_t n = fread(text, 1, room - 1, f);
    text[n] = '\0';
    fclose(f);
    return n > 0;
}

static uint64_t line_of(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

machine_memory machine_read_memory(pid_t pid)
{
    char text[8192];

    if (pid == 0 || !read_proc(pid, "status", text, sizeof text)) return (machine_memory){ 0 };
    return (machine_memory){
        .resident = line_of(text, "VmRSS:"),
        .anonymous = line_of(text, "RssAnon:"),
        .peak = line_of(text, "VmHWM:"),
    };
}

/* Fields 14 and 15; the name in field 2 may hold spaces, so count from its ')'. */
double machine_cpu_ms(pid_t pid)
{
    char text[1024];
    unsigned long user = 0, system = 0;

    if (pid == 0 || !read_proc(pid, "stat", text, sizeof text)) return 0;
    const char *at = strrchr(text, ')');
    if (at == NULL) return 0;
    if (sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        return 0;
    return (double)(user + system) * 1000 / (double)sysconf(_SC_CLK_TCK);
}

double machine_own_cpu_ms(void)
{
    return (double)clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e6;
}

uint64_t machine_written(pid_t pid)
{
    char text[1024];

    return read_proc(pid, "io", text, sizeof text) ? line_of(text, "\nwchar:") : 0;
}

enum { SYNC_APPENDED = 4096, SYNC_OVERWRITTEN = 256 };

static bool prepare(int fd, size_t bytes)
{
    char zeros[SYNC_APPENDED] = { 0 };

    for (size_t done = 0; done < bytes; done += sizeof zeros)
        if (write(fd, zeros, sizeof zeros) != (ssize_t)sizeof zeros) return false;
    return fsync(fd) == 0;
}

bool machine_sync(const char *folder, machine_way way, unsigned times, tally *out)
{
    char path[512], block[SYNC_APPENDED];
    size_t bytes = way == MACHINE_APPEND ? SYNC_APPENDED : SYNC_OVERWRITTEN;

    snprintf(path, sizeof path, "%s/sync-%d", folder, (int)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    memset(block, 'b', sizeof block);
    bool good = way == MACHINE_APPEND || prepare(fd, times * bytes);
    for (unsigned i = 0; i < times && good; i++) {
        uint64_t before = clock_ns();
        good = pwrite(fd, block, bytes, (off_t)(i * bytes)) == (ssize_t)bytes && fdatasync(fd) == 0;
        tally_record(out, clock_ns() - before);
    }
    close(fd);
    unlink(path);
    return good;
}
