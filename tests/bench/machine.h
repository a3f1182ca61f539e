/* machine.h - what the kernel says about a process and a disk. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include "tests/bench/tally.h"

#include <stdbool.h>
#include <sys/types.h>

/* Kilobytes, from /proc/PID/status. `anonymous` leaves out the pages of mapped
 * files: an LMDB map counts as resident, and is page cache all the same. */
typedef struct machine_memory {
    uint64_t resident, anonymous, peak;
} machine_memory;

/* Zeros for a process that is gone or whose pid is 0. */
machine_memory machine_read_memory(pid_t pid);

/* Processor time of all threads of a process, in milliseconds (in steps of 10). */
double machine_cpu_ms(pid_t pid);
double machine_own_cpu_ms(void);

/* Bytes that a process handed to write calls: what it wrote to files, for sockets are
 * sent to. What the file system adds, and what a sync rounds up to, is not in it. 0 for
 * a process that is gone or not ours. (`write_bytes`, beside it, counts all of a large
 * folio when one page of it becomes dirty: on ext4 in Linux 6.18 thirteen times too
 * much, where pages are written at random.) */
uint64_t machine_written(pid_t pid);

/* How a file is written before it is synced. */
typedef enum machine_way {
    MACHINE_APPEND,    /* 4 KB behind its end: the file system has to note its new length */
    MACHINE_OVERWRITE, /* 256 bytes, one after the other, where zeros were written and synced */
} machine_way;

/* Writes and syncs, `times` over, in a file of `folder` that is removed at the
 * end; records each write and fdatasync. False when the file cannot be written. */
bool machine_sync(const char *folder, machine_way way, unsigned times, tally *out);

#endif
