/* recording.h - the recorder's hand on its tape, and what it knows of inodes.
 *
 * All of it belongs to the one process that is watched, behind one lock: the state
 * is as global as the calls are that it stands in front of. Between
 * recording_begin() and recording_end() nothing else reaches the tape.
 */
#ifndef TESTS_CRASH_RECORDING_H
#define TESTS_CRASH_RECORDING_H

#include "tests/crash/tape.h"

#include <sys/stat.h>
#include <sys/uio.h>

typedef struct recorded {
    uint64_t inode, object; /* object 0: it is gone */
    bool lmdb_lock;         /* lock.mdb: shared memory by its nature, worth nothing on disk */
} recorded;

/* Takes the lock; false: this process is not watched, and the lock is not held.
 * Leaves errno as it was, as recording_end() does. */
bool recording_begin(void);
void recording_end(void);

void recording_note(tape_kind kind, uint64_t object, uint64_t parent, uint64_t at,
                    const void *bytes, size_t len);

/* The first `len` bytes of the pieces. */
void recording_note_pieces(tape_kind kind, uint64_t object, uint64_t at, const struct iovec *pieces,
                           size_t len);

void recording_unseen(const char *what);

/* The record at a place of the tape, 0 for the first, and its bytes; NULL behind the last. */
const char *recording_at(uint64_t at, tape_record *out);

/* A new file or folder, under the next number; and a file that lost its name. */
void recording_made(tape_kind kind, uint64_t parent, const char *name, const struct stat *s);
void recording_gone(uint64_t object);

/* The number of a sync that begins, whether it is the one that is to fail, and how
 * long it is to take besides. */
uint64_t recording_next_sync(bool *fails, unsigned *takes_us);

/* NULL: not one of ours. */
const recorded *recording_find(const struct stat *s);

/* What a descriptor is; `is_socket` may be NULL. */
const recorded *recording_of(int fd, bool *is_socket);

/* The folder that a path names something in, and the name. 0: not watched. */
uint64_t recording_folder_of(int at, const char *path, const char **name);

/* What a path names; 0: nothing of ours. */
uint64_t recording_object_at(int at, const char *path);

#endif
