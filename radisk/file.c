/* file.c - see file.h. */
#include "radisk/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

status file_status(int error)
{
    switch (error) {
    case 0:
        return STATUS_OK;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STATUS_NO_SPACE;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    case ENOENT:
        return STATUS_NOT_FOUND;
    case EEXIST:
        return STATUS_BUSY;
    default:
        return STATUS_IO;
    }
}

static int folder_of(void *context)
{
    return (int)(intptr_t)context;
}

static status real_open(void *context, const char *name, file_mode mode, int *handle)
{
    static const int flags[] = {
        [FILE_READ] = O_RDONLY, [FILE_WRITE] = O_RDWR, [FILE_MAKE] = O_RDWR | O_CREAT | O_EXCL
    };
    int at;

    do at = openat(folder_of(context), name, flags[mode] | O_CLOEXEC, 0600);
    while (at < 0 && errno == EINTR);
    if (at < 0) return file_status(errno);
    *handle = at;
    return STATUS_OK;
}

static void real_close(void *context, int handle)
{
    (void)context;
    (void)close(handle);
}

static status real_read(void *context, int handle, void *to, size_t len, uint64_t at, size_t *got)
{
    (void)context;
    *got = 0;
    while (*got < len) {
        ssize_t n = pread(handle, (char *)to + *got, len - *got, (off_t)(at + *got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_status(errno);
        if (n == 0) break;
        *got += (size_t)n;
    }
    return STATUS_OK;
}

static status real_write(void *context, int handle, const void *from, size_t len, uint64_t at)
{
    size_t done = 0;

    (void)context;
    while (done < len) {
        ssize_t n = pwrite(handle, (const char *)from + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_status(errno);
        if (n == 0) return STATUS_IO;
        done += (size_t)n;
    }
    return STATUS_OK;
}

/* A sync that was interrupted has not failed, but it has not been done either. */
static status sync_it(int handle, int (*how)(int))
{
    int result;

    do result = how(handle);
    while (result != 0 && errno == EINTR);
    return result == 0 ? STATUS_OK : file_status(errno);
}

static status real_sync(void *context, int handle)
{
    (void)context;
    return sync_it(handle, fdatasync);
}

static status real_sync_and_forget(void *context, int handle)
{
    status s = real_sync(context, handle);

    /* Pages that are not dirty go, also those that a failed write-back called clean. */
    if (s == STATUS_OK) (void)posix_fadvise(handle, 0, 0, POSIX_FADV_DONTNEED);
    return s;
}

static status real_size(void *context, int handle, uint64_t *bytes)
{
    struct stat s;

    (void)context;
    if (fstat(handle, &s) != 0) return file_status(errno);
    *bytes = (uint64_t)s.st_size;
    return STATUS_OK;
}

static status real_resize(void *context, int handle, uint64_t bytes)
{
    int result;

    (void)context;
    do result = ftruncate(handle, (off_t)bytes);
    while (result != 0 && errno == EINTR);
    return result == 0 ? STATUS_OK : file_status(errno);
}

static status real_rename(void *context, const char *from, const char *to)
{
    int folder = folder_of(context);

    return renameat(folder, from, folder, to) == 0 ? STATUS_OK : file_status(errno);
}

static status real_remove(void *context, const char *name)
{
    return unlinkat(folder_of(context), name, 0) == 0 ? STATUS_OK : file_status(errno);
}

static status real_make_folder(void *context, const char *name)
{
    if (mkdirat(folder_of(context), name, 0700) == 0 || errno == EEXIST) return STATUS_OK;
    return file_status(errno);
}

static status real_sync_folder(void *context, const char *name)
{
    int at = openat(folder_of(context), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (at < 0) return file_status(errno);
    status s = sync_it(at, fsync);
    (void)close(at);
    return s;
}

static status real_list(void *context, const char *name, file_visit *visit, void *visitor)
{
    int at = openat(folder_of(context), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = at < 0 ? NULL : fdopendir(at);
    struct dirent *entry;

    if (folder == NULL) {
        int error = errno;
        if (at >= 0) (void)close(at);
        return file_status(error);
    }
    for (errno = 0; (entry = readdir(folder)) != NULL; errno = 0) {
        bool is_dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!is_dots && !visit(visitor, entry->d_name)) break;
    }
    status s = entry == NULL ? file_status(errno) : STATUS_OK;
    (void)closedir(folder);
    return s;
}

static status real_room(void *context, uint64_t *bytes)
{
    struct statvfs s;
    int result;

    do result = fstatvfs(folder_of(context), &s);
    while (result != 0 && errno == EINTR);
    if (result != 0) return file_status(errno);
    *bytes = (uint64_t)s.f_bavail * s.f_frsize;
    return STATUS_OK;
}

void files_real(files *out, int folder)
{
    *out = (files){ .context = (void *)(intptr_t)folder,
                    .open = real_open,
                    .close = real_close,
                    .read = real_read,
                    .write = real_write,
                    .sync = real_sync,
                    .sync_and_forget = real_sync_and_forget,
                    .size = real_size,
                    .resize = real_resize,
                    .rename = real_rename,
                    .remove = real_remove,
                    .make_folder = real_make_folder,
                    .sync_folder = real_sync_folder,
                    .list = real_list,
                    .room = real_room };
}
