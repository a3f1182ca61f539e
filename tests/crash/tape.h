/* tape.h - what the recorder writes down: everything a server did to its files,
 * and what it said to its peers, in one order.
 *
 * The recorder (recorder.c) is preloaded into an unchanged server and lets every
 * call through. Reads of a store go through LMDB's map, so that writes cannot be
 * held back from it; they can be written down, and afterwards any number of disks
 * be imagined that had lost some of them (world.h).
 *
 * The order is what matters, so each record says when it stands:
 *   - a write, a change of length: after it was done, before the caller knows;
 *   - a sync: two records. What stands before its beginning is safe from its end on;
 *   - a name made, moved or removed, and bytes sent: done and written down under
 *     one lock. Nothing else can come between.
 * So when the server acts on something, the record of it stands already.
 *
 * The tape is a file that is mapped: what was written down survives kill -9. A
 * second process that is given the same tape goes on where the first ended.
 */
#ifndef TESTS_CRASH_TAPE_H
#define TESTS_CRASH_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAPE_MARK "brasaT1\n"

typedef enum tape_kind {
    TAPE_RUN = 1, /* a process began to use the tape */
    TAPE_ROOT,    /* object: the folder all of it is in. at: its inode */
    TAPE_MAKE,    /* object: the new file. parent; at: its inode; bytes: its name */
    TAPE_FOLDER,  /* the same of a new folder */
    TAPE_MOVE,    /* object; parent: from where; at: to where; bytes: old name, NUL, new name */
    TAPE_REMOVE,  /* object; parent; bytes: the name */
    TAPE_WRITE,   /* object; at: offset; bytes */
    TAPE_WRITE_THROUGH, /* the same by a descriptor with O_DSYNC: it is safe by itself */
    TAPE_LENGTH,        /* object; at: its new length */
    TAPE_BEGIN,         /* a sync of object began; at: its number */
    TAPE_END,           /* it went well; at: the number of its beginning */
    TAPE_FAILED,        /* it failed, at: the same; what it stood for may be lost for good */
    TAPE_SENT,          /* object: a socket's inode; bytes */
    TAPE_UNSEEN,        /* bytes: a sentence; something happened that this tape cannot tell */
} tape_kind;

typedef struct tape_record {
    uint32_t kind;
    uint32_t bytes; /* that follow, without their padding to 8 */
    uint64_t object, parent, at;
} tape_record;

typedef struct tape_head {
    char mark[8];
    uint64_t used, room; /* bytes of records behind the head */
    uint64_t next_object, next_sync;
    uint64_t full; /* 1: something did not fit any more */
} tape_head;

/* Of the environment: the tape, how large it may grow, and the folder to watch,
 * which must be there. */
#define TAPE_FILE  "BRASA_TAPE"
#define TAPE_ROOM  "BRASA_TAPE_BYTES"
#define TAPE_WATCH "BRASA_TAPE_ROOT"

/* Also: after so many records the process kills itself, as kill -9 would, at the
 * very call ("300"), or at the next write of a file ("300w"), which then is not
 * synced; its so many'th sync answers EIO without being made; and each sync takes so
 * many microseconds more, as on a disk that is slower than memory. */
#define TAPE_KILL "BRASA_TAPE_KILL"
#define TAPE_FAIL "BRASA_TAPE_FAIL"
#define TAPE_SLOW "BRASA_TAPE_SLOW"

static inline size_t tape_padded(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

#endif
