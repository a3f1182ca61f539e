/* faults.h - a disk, and a heap, that fail at the k-th call.
 *
 * Linked into a program these stand in front of the C library's calls, also for
 * LMDB and every other library (an executable's own symbols come first), and do
 * nothing until they are armed. Allocations are those of our own code only: the
 * program is linked with --wrap for malloc, calloc and realloc.
 */
#ifndef TESTS_CRASH_FAULTS_H
#define TESTS_CRASH_FAULTS_H

#include <stdbool.h>

typedef enum fault_kind {
    FAULT_WRITE,  /* write, pwrite, writev, pwritev */
    FAULT_SYNC,   /* fsync, fdatasync, msync */
    FAULT_OPEN,   /* open, openat */
    FAULT_LENGTH, /* ftruncate, fallocate */
    FAULT_NAME,   /* mkdir, rename, unlink */
    FAULT_MAP,    /* mmap of a file */
    FAULT_READ,   /* read, pread, preadv */
    FAULT_ALLOC,  /* malloc, calloc, realloc */
    FAULT_KINDS,
} fault_kind;

extern const char *const fault_names[FAULT_KINDS];

/* Instead of an errno: half of what was asked for is written or read. */
enum { FAULT_SHORT = -1 };

/* From now on the k-th call of a kind fails (1 is the next), `times` times in
 * a row (-1: for ever). k = 0: none, but calls are counted. */
void faults_arm(fault_kind kind, unsigned long k, int error, int times);

/* From now on nothing fails. How many calls of the kind there were, and how many
 * of them failed, is then still known. */
void faults_disarm(void);
unsigned long faults_seen(void);
unsigned long faults_failed(void);

#endif
