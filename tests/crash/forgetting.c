/* forgetting.c - what the system drops from memory when it is told that a file is not
 * needed any more (POSIX_FADV_DONTNEED).
 *
 * A sync that failed leaves pages that are called clean and that the disk never got.
 * Recovery has them dropped, so that it reads what the disk has. The recording is made
 * in memory, where nothing is ever dropped; so the file is written as the disk of
 * world.h has it. That is no change of the disk, and is not noted.
 */
#include "tests/crash/recording.h"
#include "tests/crash/world.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool has_failed_sync(uint64_t object)
{
    tape_record r;

    for (uint64_t at = 0; recording_at(at, &r) != NULL; at += sizeof r + tape_padded(r.bytes))
        if (r.kind == TAPE_FAILED && r.object == object) return true;
    return false;
}

static world *world_so_far(void)
{
    world *w = world_new();
    const char *bytes;
    tape_record r;

    for (uint64_t at = 0; (bytes = recording_at(at, &r)) != NULL;
         at += sizeof r + tape_padded(r.bytes))
        world_tell(w, &(event){ r.kind, r.object, r.parent, r.at, { bytes, r.bytes } });
    return w;
}

static bool write_whole(int fd, slice text)
{
    if (syscall(SYS_ftruncate, fd, text.len) != 0) return false;
    for (size_t done = 0; done < text.len;) {
        long some = syscall(SYS_pwrite64, fd, text.at + done, text.len - done, done);
        if (some <= 0) return false;
        done += (size_t)some;
    }
    return true;
}

static void forget(int fd)
{
    const recorded *k = recording_of(fd, NULL);

    if (k == NULL || !has_failed_sync(k->object)) return;
    world *w = world_so_far();
    if (!write_whole(fd, world_read(w, k->object))) recording_unseen("a file was not forgotten");
    world_free(w);
}

int posix_fadvise(int fd, off_t from, off_t bytes, int advice)
{
    int error = errno;

    if (advice == POSIX_FADV_DONTNEED && recording_begin()) {
        if (from != 0 || bytes != 0) recording_unseen("a part of a file was forgotten");
        forget(fd);
        recording_end();
    }
    long r = syscall(SYS_fadvise64, fd, from, bytes, advice);
    int said = r == 0 ? 0 : errno;
    errno = error;
    return said;
}

int posix_fadvise64(int fd, off64_t from, off64_t bytes, int advice)
{
    return posix_fadvise(fd, from, bytes, advice);
}
