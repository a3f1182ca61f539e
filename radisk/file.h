/* file.h - the few file calls that the journal and the blobs use, as a table.
 *
 * Everything that must survive a loss of power passes through here (but LMDB's
 * own file), so the simulator can put a disk behind it that forgets what was not
 * synced, and a test one that fails at the k-th call. Names are relative to the
 * store's folder: "journal/0000000000000001.log".
 *
 * What POSIX promises, and no more, may be relied on:
 *   - sync() makes the bytes and the length of one file durable, no other's;
 *   - a file that was made, renamed or removed is durably so when its folder was
 *     synced with sync_folder();
 *   - what was written before a sync that failed may be lost for good, though a
 *     later sync of the same file says it went well.
 *
 * Each call is made by one thread at a time for one handle; different threads
 * use different handles. Interrupted calls are made again, short ones continued.
 */
#ifndef RADISK_FILE_H
#define RADISK_FILE_H

#include "core/slice.h"
#include "core/status.h"

#include <stdint.h>

typedef enum file_mode {
    FILE_READ,  /* for reading; STATUS_NOT_FOUND when it is not there */
    FILE_WRITE, /* for both; STATUS_NOT_FOUND when it is not there */
    FILE_MAKE,  /* for both; made with mode 0600; STATUS_BUSY when it is there already */
} file_mode;

typedef bool file_visit(void *visitor, const char *name);

typedef struct files {
    void *context;

    status (*open)(void *context, const char *name, file_mode mode, int *handle);
    void (*close)(void *context, int handle);

    /* Reads up to `len` bytes at an offset; fewer only at the end of the file. */
    status (*read)(void *context, int handle, void *to, size_t len, uint64_t at, size_t *got);

    /* Writes all of it, or says why not; how much was written then is unknown. */
    status (*write)(void *context, int handle, const void *from, size_t len, uint64_t at);

    status (*sync)(void *context, int handle);

    /* Syncs, and forgets what memory has of the file: what is read then comes from
     * the disk. Who was here before may have failed to sync, and memory go on
     * showing what the disk never got. */
    status (*sync_and_forget)(void *context, int handle);

    status (*size)(void *context, int handle, uint64_t *bytes);
    status (*resize)(void *context, int handle, uint64_t bytes);

    status (*rename)(void *context, const char *from, const char *to);
    status (*remove)(void *context, const char *name);

    /* Makes a folder, mode 0700; STATUS_OK also when it is there. */
    status (*make_folder)(void *context, const char *name);
    status (*sync_folder)(void *context, const char *name);

    /* The names in a folder, in no order; a visitor that returns false ends it. */
    status (*list)(void *context, const char *folder, file_visit *visit, void *visitor);

    /* Bytes that may still be written on this file system. */
    status (*room)(void *context, uint64_t *bytes);
} files;

/* The real ones, under `folder`, which is borrowed open as a descriptor and must
 * stay open; `out->context` carries the descriptor itself and owns nothing. */
void files_real(files *out, int folder);

/* What an errno means to us: ENOSPC, EDQUOT and EFBIG are STATUS_NO_SPACE, ENOMEM is
 * STATUS_NO_MEMORY, ENOENT is STATUS_NOT_FOUND, EEXIST is STATUS_BUSY, what we do
 * not know is STATUS_IO. */
status file_status(int error);

#endif
