/* backup.c - writing a backup; see backup.h. */
#include "radisk/backup.h"

#include "radisk/backup_inside.h"
#include "radisk/layout.h"
#include "radisk/space.h"
#include "radisk/view_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium/randombytes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* A record is closed when it has so many bytes: what a reader holds in memory. */
enum { RECORD_BYTES = 1 << 20 };

typedef struct writing {
    const backup_wish *wish;
    backup_counts *counts;
    uint8_t id[BACKUP_FILE_ID];
    uint64_t sequence;
    uint32_t kind; /* of the record being gathered */
    text record;   /* its head, to be filled in, and its body */
    status how;
} writing;

static bool give(writing *w, slice bytes)
{
    if (w->how == STATUS_OK) w->how = w->wish->take(w->wish->take_context, bytes);
    w->counts->bytes += bytes.len;
    return w->how == STATUS_OK;
}

static void write_header(writing *w, const uint8_t store[static JOURNAL_STORE_ID])
{
    char at[BACKUP_HEADER] = { 0 };

    randombytes_buf(w->id, sizeof w->id);
    memcpy(at, BACKUP_MAGIC, 8);
    memcpy(at + 8, store, JOURNAL_STORE_ID);
    memcpy(at + BACKUP_FILE_ID_AT, w->id, sizeof w->id);
    backup_put(at + 40, layout_state_number(w->wish->now_ms), 8);
    backup_put(at + BACKUP_CHECKED, backup_check(w->id, (slice){ at, BACKUP_CHECKED }), 8);
    (void)give(w, (slice){ at, sizeof at });
}

static void begin_record(writing *w, uint32_t kind)
{
    static const char head[BACKUP_RECORD_HEAD];

    text_reset(&w->record, 4 * (size_t)RECORD_BYTES);
    text_add(&w->record, (slice){ head, sizeof head });
    w->kind = kind;
}

static void end_record(writing *w)
{
    static const char zeros[8];
    text *r = &w->record;
    size_t body = r->len - BACKUP_RECORD_HEAD;

    if (!text_ok(r)) w->how = STATUS_NO_MEMORY;
    if (w->how != STATUS_OK || body == 0) return;
    memcpy(r->at, BACKUP_MARK, 4);
    backup_put(r->at + 4, w->kind, 4);
    backup_put(r->at + 8, body, 8);
    backup_put(r->at + 16, ++w->sequence, 8);
    backup_put(r->at + 24, backup_check(w->id, (slice){ r->at + BACKUP_RECORD_HEAD, body }), 8);
    backup_put(r->at + 32, backup_check(w->id, (slice){ r->at, 32 }), 8);
    text_add(r, (slice){ zeros, backup_padding(body) });
    if (!text_ok(r)) w->how = STATUS_NO_MEMORY;
    if (!give(w, text_slice(r))) return;
    if (w->wish->progress != NULL && !w->wish->progress(w->wish->progress_context, w->counts))
        w->how = STATUS_BUSY;
}

/* Whether to go on; begins a new record behind one that is large enough. */
static bool added(writing *w)
{
    if (w->record.len < RECORD_BYTES && text_ok(&w->record)) return true;
    end_record(w);
    begin_record(w, w->kind);
    return w->how == STATUS_OK;
}

static bool write_floor(void *context, const view_floor *f)
{
    char head[BACKUP_FLOOR_HEAD] = { 0 };
    writing *w = context;

    head[0] = f->prefix        ? BACKUP_FLOOR_PREFIX
              : f->key.len > 0 ? BACKUP_FLOOR_ROW
                               : BACKUP_FLOOR_SOUL;
    backup_put(head + 4, f->soul.len, 4);
    backup_put(head + 8, f->key.len, 4);
    backup_put(head + 16, layout_state_number(f->floor), 8);
    backup_put(head + 24, layout_state_number(f->made_ms), 8);
    text_add(&w->record, (slice){ head, sizeof head });
    text_add(&w->record, f->soul);
    text_add(&w->record, f->key);
    w->counts->floors++;
    return added(w);
}

static bool write_pin(void *context, const root_key *root, double when_ms)
{
    char at[BACKUP_PIN_BYTES];
    writing *w = context;

    memcpy(at, root->at, ROOT_BYTES);
    backup_put(at + ROOT_BYTES, layout_state_number(when_ms), 8);
    text_add(&w->record, (slice){ at, sizeof at });
    w->counts->pins++;
    return added(w);
}

static bool write_row(void *context, const view_row *row)
{
    char head[BACKUP_ROW_HEAD] = { 0 };
    writing *w = context;

    if (row->damaged) {
        w->counts->damaged++;
        return true;
    }
    head[0] = row->held ? BACKUP_HELD : BACKUP_TAKEN;
    backup_put(head + 4, row->soul.len, 4);
    backup_put(head + 8, row->key.len, 4);
    backup_put(head + 12, row->value.len, 4);
    backup_put(head + 16, layout_state_number(row->state), 8);
    text_add(&w->record, (slice){ head, sizeof head });
    text_add(&w->record, row->soul);
    text_add(&w->record, row->key);
    text_add(&w->record, row->value);
    store_hash_add(&w->counts->hash, row);
    *(row->held ? &w->counts->held : &w->counts->rows) += 1;
    return added(w);
}

static void write_end(writing *w)
{
    const backup_counts *c = w->counts;
    const uint64_t numbers[] = {
        c->rows, c->held, c->floors, c->damaged, c->hash.low, c->hash.high
    };
    char at[BACKUP_END_BYTES];

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        backup_put(at + 8 * i, numbers[i], 8);
    begin_record(w, BACKUP_END);
    text_add(&w->record, (slice){ at, sizeof at });
    end_record(w);
}

status backup_write(radisk_view *v, const backup_wish *wish, backup_counts *out)
{
    writing w = { .wish = wish, .counts = out, .how = STATUS_OK };
    status s;

    *out = (backup_counts){ 0 };
    write_header(&w, v->disk->store);
    begin_record(&w, BACKUP_FLOORS);
    s = w.how == STATUS_OK ? view_floors(v, write_floor, &w) : STATUS_OK;
    if (s == STATUS_OK) end_record(&w);
    begin_record(&w, BACKUP_PINS);
    if (s == STATUS_OK && w.how == STATUS_OK) s = view_pins(v, write_pin, &w);
    if (s == STATUS_OK) end_record(&w);
    begin_record(&w, BACKUP_ROWS);
    if (s == STATUS_OK && w.how == STATUS_OK) s = view_rows(v, (slice){ "", 0 }, write_row, &w);
    if (s == STATUS_OK) end_record(&w);
    if (s == STATUS_OK && w.how == STATUS_OK) write_end(&w);
    text_free(&w.record);
    return w.how != STATUS_OK ? w.how : s;
}

/* ---- the file ---- */

static status refuse(char *why, const char *path, const char *what)
{
    int error = errno;

    (void)snprintf(why, BACKUP_WHY_MAX, "%s: %s", path, what != NULL ? what : strerror(error));
    return what != NULL ? STATUS_WRONG_FORMAT : file_status(error);
}

/* The folder of a path, and the name in it. */
static status split(backup_file *f, const char *path, char *why)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);

    f->name = strdup(name);
    if (asprintf(&f->part, "%s.part", name) < 0) f->part = NULL;
    status s = folder == NULL || f->name == NULL || f->part == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    if (s == STATUS_OK && *name == '\0') s = refuse(why, path, "names no file");
    if (s == STATUS_OK && (f->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        s = refuse(why, path, NULL);
    free(folder);
    return s;
}

/* What stands there already may be an older backup; nothing else is replaced. */
static status may_replace(const backup_file *f, const char *path, char *why)
{
    char magic[8];
    int at = openat(f->folder, f->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (at < 0) return errno == ENOENT ? STATUS_OK : refuse(why, path, NULL);
    bool ours = read(at, magic, sizeof magic) == (ssize_t)sizeof magic &&
                memcmp(magic, BACKUP_MAGIC, sizeof magic) == 0;
    (void)close(at);
    if (ours) return STATUS_OK;
    return refuse(why, path, "is there already and is no backup of brasa: choose another name");
}

static status make_part(backup_file *f, const char *path, char *why)
{
    f->file = openat(f->folder, f->part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f->file < 0) return refuse(why, path, NULL);
    if (flock(f->file, LOCK_EX | LOCK_NB) != 0) {
        (void)close(f->file); /* and its owner goes on */
        f->file = -1;
        return refuse(why, path, "another backup is being written to it");
    }
    return ftruncate(f->file, 0) == 0 ? STATUS_OK : refuse(why, path, NULL);
}

status backup_file_open(backup_file *f, const char *path, char why[BACKUP_WHY_MAX])
{
    *f = (backup_file){ .file = -1, .folder = -1 };
    (void)snprintf(why, BACKUP_WHY_MAX, "out of memory");
    status s = split(f, path, why);
    if (s == STATUS_OK) s = may_replace(f, path, why);
    if (s == STATUS_OK) s = make_part(f, path, why);
    if (s == STATUS_OK)
        why[0] = '\0';
    else
        backup_file_drop(f);
    return s;
}

status backup_file_take(void *context, slice bytes)
{
    backup_file *f = context;

    while (bytes.len > 0) {
        ssize_t put = write(f->file, bytes.at, bytes.len);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return file_status(errno);
        bytes = (slice){ bytes.at + put, bytes.len - (size_t)put };
        f->bytes += (uint64_t)put;
    }
    return STATUS_OK;
}

static void let_go(backup_file *f)
{
    if (f->file >= 0) (void)close(f->file);
    if (f->folder >= 0) (void)close(f->folder);
    free(f->name);
    free(f->part);
    *f = (backup_file){ .file = -1, .folder = -1 };
}

status backup_file_finish(backup_file *f, char why[BACKUP_WHY_MAX])
{
    if (fsync(f->file) != 0 || renameat(f->folder, f->part, f->folder, f->name) != 0 ||
        fsync(f->folder) != 0) {
        status s = refuse(why, f->name, NULL);
        backup_file_drop(f);
        return s;
    }
    let_go(f);
    return STATUS_OK;
}

void backup_file_drop(backup_file *f)
{
    if (f->file >= 0) (void)unlinkat(f->folder, f->part, 0);
    let_go(f);
}
