/* forgetting.c - what the system drops from memory when it is told that a file is not
 * needed any more (POSIX_FADV_DONTNEED).
 *
 * A sync that failed leaves pages that are called clean and that the disk never got.
 * Recovery has them dropped, so that it reads what the disk has. The recording is made
 * in memory, where nothing is ever dropped; so the file is written as the disk has it,
 * by the same rule as in world.h: what a failed sync stood for is lost. That is no
 * change of the disk, and is not noted.
 */
#include "tests/crash/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Writes and lengths that no sync has decided on, by their places on the tape. */
typedef struct undecided {
    uint64_t *at;
    size_t len, room;
} undecided;

typedef struct content {
    char *bytes;
    size_t len, room;
} content;

typedef struct remembering {
    uint64_t object;
    content disk;
    undecided changes;
    uint64_t begun, number; /* the sync under way: where it began, and its number */
    bool lost, good;        /* something was; all could be told */
} remembering;

static bool set_length(content *c, size_t len)
{
    if (len > c->room) {
        char *more = realloc(c->bytes, len + len / 4);
        if (more == NULL) return false;
        c->bytes = more;
        c->room = len + len / 4;
    }
    if (len > c->len) memset(c->bytes + c->len, 0, len - c->len);
    c->len = len;
    return true;
}

static bool apply(content *c, const tape_record *r, const char *bytes)
{
    if (r->kind == TAPE_LENGTH) return set_length(c, r->at);
    if (r->at + r->bytes > c->len && !set_length(c, r->at + r->bytes)) return false;
    if (r->bytes > 0) memcpy(c->bytes + r->at, bytes, r->bytes);
    return true;
}

static bool put_off(undecided *u, uint64_t at)
{
    if (u->len == u->room) {
        size_t room = u->room == 0 ? 64 : 2 * u->room;
        uint64_t *more = realloc(u->at, room * sizeof *more);
        if (more == NULL) return false;
        u->at = more;
        u->room = room;
    }
    u->at[u->len++] = at;
    return true;
}

/* Those before `until` are on the disk, or lost. */
static void decide(remembering *m, uint64_t until, bool well)
{
    tape_record r;
    size_t left = 0;

    for (size_t i = 0; i < m->changes.len; i++) {
        const char *bytes = recording_at(m->changes.at[i], &r);
        if (m->changes.at[i] >= until)
            m->changes.at[left++] = m->changes.at[i];
        else if (well)
            m->good &= apply(&m->disk, &r, bytes);
        else
            m->lost = true;
    }
    m->changes.len = left;
}

static void take(remembering *m, const tape_record *r, uint64_t at)
{
    switch ((tape_kind)r->kind) {
    case TAPE_WRITE:
    case TAPE_LENGTH:
        m->good &= put_off(&m->changes, at);
        return;
    case TAPE_WRITE_THROUGH:
        m->good = false; /* no such file is forgotten */
        return;
    case TAPE_BEGIN: /* one at a time: files that are forgotten have one writer */
        m->begun = at;
        m->number = r->at;
        return;
    case TAPE_END:
    case TAPE_FAILED:
        if (r->at == m->number) decide(m, m->begun, r->kind == TAPE_END);
        return;
    default:
        return;
    }
}

/* Pages that are dirty stay. */
static bool write_as_on_disk(remembering *m, int fd)
{
    size_t done = 0;

    decide(m, UINT64_MAX, true);
    if (!m->good || syscall(SYS_ftruncate, fd, m->disk.len) != 0) return false;
    while (done < m->disk.len) {
        long some = syscall(SYS_pwrite64, fd, m->disk.bytes + done, m->disk.len - done, done);
        if (some <= 0) return false;
        done += (size_t)some;
    }
    return true;
}

static void forget(int fd)
{
    const recorded *k = recording_of(fd, NULL);
    remembering m = { .object = k == NULL ? 0 : k->object, .good = true };
    tape_record r;

    if (m.object == 0) return;
    for (uint64_t at = 0; recording_at(at, &r) != NULL; at += sizeof r + tape_padded(r.bytes))
        if (r.object == m.object) take(&m, &r, at);
    if (m.lost && !write_as_on_disk(&m, fd)) recording_unseen("a file could not be forgotten");
    free(m.disk.bytes);
    free(m.changes.at);
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
