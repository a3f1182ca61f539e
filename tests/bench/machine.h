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

/* Appends 4 KB and syncs, `times` over, in a file of `folder` that is removed at
 * the end; records each fdatasync. False when the file cannot be written. */
bool machine_sync(const char *folder, unsigned times, tally *out);

#endif
