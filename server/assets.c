/* assets.c - see assets.h. */
#include "server/assets.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILES_MAX = 512, /* the package has 130 */
    NAME_MAX_BYTES = 100,
    FILE_BYTES_MAX = 8 << 20, /* the largest has 0.6 MB */
};

typedef struct file {
    char name[NAME_MAX_BYTES + 8]; /* below the folder: "gun.js", "lib/store.js" */
    bool read;
    asset what;
    char *text;
} file;

struct assets {
    char *folder;
    file *files;
    size_t count;
};

static bool good_name(const char *name)
{
    size_t len = strlen(name);

    if (len < 4 || len > NAME_MAX_BYTES || strcmp(name + len - 3, ".js") != 0) return false;
    if (name[0] == '.') return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

static void note_files(assets *a, const char *below)
{
    char path[4096];
    struct dirent *entry;
    DIR *folder;

    if (snprintf(path, sizeof path, "%s/%s", a->folder, below) >= (int)sizeof path) return;
    folder = opendir(path);
    if (!folder) return;
    while ((entry = readdir(folder)) && a->count < FILES_MAX) {
        struct stat info;
        if (!good_name(entry->d_name)) continue;
        if (fstatat(dirfd(folder), entry->d_name, &info, 0) != 0 || !S_ISREG(info.st_mode))
            continue;
        if (info.st_size > FILE_BYTES_MAX) continue;
        snprintf(a->files[a->count].name, sizeof a->files->name, "%s%.*s", below, NAME_MAX_BYTES,
                 entry->d_name);
        a->count++;
    }
    closedir(folder);
}

static file *file_named(assets *a, slice name)
{
    for (size_t i = 0; i < a->count; i++)
        if (slice_equal(name, (slice){ a->files[i].name, strlen(a->files[i].name) }))
            return &a->files[i];
    return NULL;
}

status assets_open(assets **out, const char *folder)
{
    assets *a = calloc(1, sizeof *a);
    status result = STATUS_NO_MEMORY;

    if (!a) return STATUS_NO_MEMORY;
    a->folder = strdup(folder);
    a->files = calloc(FILES_MAX, sizeof *a->files);
    if (!a->folder || !a->files) goto fail;
    note_files(a, "");
    note_files(a, "lib/");
    result = STATUS_NOT_FOUND;
    if (!file_named(a, SLICE("gun.js"))) goto fail;
    *out = a;
    return STATUS_OK;
fail:
    assets_free(a);
    return result;
}

void assets_free(assets *a)
{
    if (!a) return;
    for (size_t i = 0; i < a->count; i++) free(a->files[i].text);
    free(a->files);
    free(a->folder);
    free(a);
}

size_t assets_count(const assets *a)
{
    return a ? a->count : 0;
}

static void make_etag(file *f, size_t len)
{
    unsigned char hash[16];

    crypto_generichash(hash, sizeof hash, (const unsigned char *)f->text, len, NULL, 0);
    sodium_bin2hex(f->what.etag, sizeof f->what.etag, hash, sizeof hash);
}

static status read_text(FILE *from, file *f)
{
    size_t room = FILE_BYTES_MAX, len;
    char *text = malloc(room + 1), *less;

    if (!text) return STATUS_NO_MEMORY;
    len = fread(text, 1, room + 1, from);
    if (len > room || ferror(from)) {
        free(text);
        return STATUS_IO;
    }
    less = realloc(text, len + 1);
    f->text = less ? less : text;
    f->what.text = (slice){ f->text, len };
    make_etag(f, len);
    f->read = true;
    return STATUS_OK;
}

static status read_file(assets *a, file *f)
{
    char path[4096];
    FILE *from;
    status result;

    if (snprintf(path, sizeof path, "%s/%s", a->folder, f->name) >= (int)sizeof path)
        return STATUS_IO;
    from = fopen(path, "re");
    if (!from) return STATUS_IO;
    result = read_text(from, f);
    fclose(from);
    return result;
}

status assets_find(assets *a, slice path, const asset **out)
{
    slice name = path;
    status result;
    file *f;

    if (!a) return STATUS_NOT_FOUND;
    if (slice_begins(path, SLICE("/gun/"))) {
        name = (slice){ path.at + 5, path.len - 5 };
    } else if (slice_equal(path, SLICE("/gun.js")) || slice_equal(path, SLICE("/sea.js"))) {
        name = (slice){ path.at + 1, path.len - 1 };
    } else {
        return STATUS_NOT_FOUND;
    }
    f = file_named(a, name);
    if (!f) return STATUS_NOT_FOUND;
    result = f->read ? STATUS_OK : read_file(a, f);
    if (result == STATUS_OK) *out = &f->what;
    return result;
}
