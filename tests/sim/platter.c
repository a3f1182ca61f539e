/* platter.c - see platter.h. */
#include "tests/sim/platter.h"

#include "tests/sim/world.h"

#include <stdlib.h>

enum { SECTOR = 512, FILES_MOST = 256, OPEN_MOST = 64, NAME_MOST = 64, CHANGES_MOST = 512 };

/* Of a sector: as on the platter; changed since; changed, and a sync of it failed. */
enum { CLEAN, DIRTY, LET_GO };

typedef struct file {
    char *seen, *kept; /* `room` bytes each */
    uint8_t *sectors;
    uint64_t seen_len, kept_len, room;
    int names; /* entries and handles that are it */
} file;

typedef struct entry {
    char name[NAME_MOST];
    file *file;
} entry;

typedef struct folder {
    entry at[FILES_MOST];
    int len;
} folder;

/* What happened to an entry and is not on the platter yet. */
typedef struct change {
    char name[NAME_MOST], to[NAME_MOST];
    file *file; /* made; NULL: removed, or renamed if there is a `to` */
} change;

struct platter {
    dice *dice;
    files table;
    folder seen, kept;
    change changes[CHANGES_MOST];
    int change_count;
    file *open[OPEN_MOST];
    uint32_t calls_left; /* until it dies */
    bool dies, dead, sync_fails, write_fails, full, failed;
};

/* --- files --- */

static file *hold(file *f)
{
    f->names++;
    return f;
}

static void let_go(file *f)
{
    if (f == NULL || --f->names > 0) return;
    free(f->seen);
    free(f->kept);
    free(f->sectors);
    free(f);
}

static void make_room(file *f, uint64_t bytes)
{
    uint64_t room = f->room ? f->room : 4096;

    if (bytes <= f->room) return;
    while (room < bytes) room *= 2;
    f->seen = must(realloc(f->seen, room));
    f->kept = must(realloc(f->kept, room));
    f->sectors = must(realloc(f->sectors, room / SECTOR));
    memset(f->seen + f->room, 0, room - f->room);
    memset(f->kept + f->room, 0, room - f->room);
    memset(f->sectors + f->room / SECTOR, CLEAN, (room - f->room) / SECTOR);
    f->room = room;
}

static void touch(file *f, uint64_t from, uint64_t to)
{
    for (uint64_t i = from / SECTOR; i * SECTOR < to; i++) f->sectors[i] = DIRTY;
}

static void keep_sector(file *f, uint64_t i)
{
    memcpy(f->kept + i * SECTOR, f->seen + i * SECTOR, SECTOR);
    f->sectors[i] = CLEAN;
}

static void sync_file(file *f)
{
    for (uint64_t i = 0; i < f->room / SECTOR; i++)
        if (f->sectors[i] == DIRTY) keep_sector(f, i);
    f->kept_len = f->seen_len;
}

static void fail_to_sync(file *f)
{
    for (uint64_t i = 0; i < f->room / SECTOR; i++)
        if (f->sectors[i] == DIRTY) f->sectors[i] = LET_GO;
}

/* --- entries --- */

static entry *find(folder *in, const char *name)
{
    for (int i = 0; i < in->len; i++)
        if (strcmp(in->at[i].name, name) == 0) return &in->at[i];
    return NULL;
}

static void set_name(char to[NAME_MOST], const char *from)
{
    size_t len = strlen(from) + 1;

    if (len > NAME_MOST) abort();
    memcpy(to, from, len);
}

static void take_out(folder *in, const char *name)
{
    entry *e = find(in, name);

    if (e == NULL) return;
    let_go(e->file);
    *e = in->at[--in->len];
}

static void put_in(folder *in, const char *name, file *f)
{
    hold(f);
    take_out(in, name);
    if (in->len == FILES_MOST) abort();
    entry *e = &in->at[in->len++];
    set_name(e->name, name);
    e->file = f;
}

static void apply(folder *to, const change *c)
{
    if (c->file != NULL) {
        put_in(to, c->name, c->file);
        return;
    }
    entry *e = c->to[0] ? find(to, c->name) : NULL;
    if (e != NULL) put_in(to, c->to, e->file);
    take_out(to, c->name);
}

static void note(platter *p, const change *c)
{
    apply(&p->seen, c);
    if (p->change_count == CHANGES_MOST) abort();
    p->changes[p->change_count] = *c;
    if (c->file != NULL) hold(c->file);
    p->change_count++;
}

static bool is_in(const char *name, const char *folder_name)
{
    size_t len = strlen(folder_name);

    return strncmp(name, folder_name, len) == 0 && name[len] == '/';
}

/* The first `most` changes in a folder are on the platter now. */
static void keep_changes(platter *p, const char *folder_name, int most)
{
    int left = 0;

    for (int i = 0; i < p->change_count; i++) {
        const change *c = &p->changes[i];
        if (most > 0 && is_in(c->name, folder_name)) {
            most--;
            apply(&p->kept, c);
            let_go(c->file);
        } else {
            p->changes[left++] = *c;
        }
    }
    p->change_count = left;
}

/* --- calls --- */

/* Whether this call is still made. */
static bool alive(platter *p)
{
    if (p->dies && p->calls_left-- == 0) {
        p->dies = false;
        p->dead = true;
    }
    return !p->dead;
}

static status fail(platter *p, status with)
{
    p->failed = true;
    return with;
}

/* A failure that was asked for once. */
static status fail_once(platter *p, bool *asked_for)
{
    *asked_for = false;
    return fail(p, STATUS_IO);
}

static int free_handle(platter *p)
{
    for (int i = 0; i < OPEN_MOST; i++)
        if (p->open[i] == NULL) return i;
    abort();
}

static status do_open(void *context, const char *name, file_mode mode, int *handle)
{
    platter *p = context;
    entry *e = find(&p->seen, name);

    if (!alive(p)) return STATUS_IO;
    if (mode == FILE_MAKE) {
        if (e != NULL) return STATUS_BUSY;
        if (p->full) return fail(p, STATUS_NO_SPACE);
        change c = { .file = must(calloc(1, sizeof(file))) };
        set_name(c.name, name);
        note(p, &c);
        e = find(&p->seen, name);
    }
    if (e == NULL) return STATUS_NOT_FOUND;
    *handle = free_handle(p);
    p->open[*handle] = hold(e->file);
    return STATUS_OK;
}

static void do_close(void *context, int handle)
{
    platter *p = context;

    let_go(p->open[handle]);
    p->open[handle] = NULL;
}

static status do_read(void *context, int handle, void *to, size_t len, uint64_t at, size_t *got)
{
    platter *p = context;
    const file *f = p->open[handle];
    uint64_t there = at < f->seen_len ? f->seen_len - at : 0;

    *got = there < len ? (size_t)there : len;
    if (p->dead) return STATUS_IO;
    if (*got > 0) memcpy(to, f->seen + at, *got);
    return STATUS_OK;
}

static void write_to(file *f, const void *from, size_t len, uint64_t at)
{
    make_room(f, at + len);
    if (at > f->seen_len) touch(f, f->seen_len, at);
    memcpy(f->seen + at, from, len);
    touch(f, at, at + len);
    if (at + len > f->seen_len) f->seen_len = at + len;
}

/* One that fails, or in which the machine dies, may have written a part. */
static status do_write(void *context, int handle, const void *from, size_t len, uint64_t at)
{
    platter *p = context;
    file *f = p->open[handle];
    bool was_dead = p->dead, good = alive(p) && !p->write_fails && !p->full;
    size_t part = len ? dice_below(p->dice, (uint32_t)len) : 0;

    if (was_dead || len == 0) return was_dead ? STATUS_IO : STATUS_OK;
    write_to(f, from, good ? len : part, at);
    if (good) return STATUS_OK;
    if (p->dead) return STATUS_IO;
    return p->full ? fail(p, STATUS_NO_SPACE) : fail_once(p, &p->write_fails);
}

static status do_sync(void *context, int handle)
{
    platter *p = context;
    file *f = p->open[handle];

    if (!alive(p)) return STATUS_IO;
    if (p->sync_fails) {
        fail_to_sync(f);
        return fail_once(p, &p->sync_fails);
    }
    sync_file(f);
    return STATUS_OK;
}

static status do_sync_and_forget(void *context, int handle)
{
    platter *p = context;
    file *f = p->open[handle];
    status s = do_sync(context, handle);

    for (uint64_t i = 0; s == STATUS_OK && i < f->room / SECTOR; i++) {
        if (f->sectors[i] != LET_GO) continue;
        memcpy(f->seen + i * SECTOR, f->kept + i * SECTOR, SECTOR);
        f->sectors[i] = CLEAN;
    }
    return s;
}

static status do_size(void *context, int handle, uint64_t *bytes)
{
    platter *p = context;

    *bytes = p->open[handle]->seen_len;
    return p->dead ? STATUS_IO : STATUS_OK;
}

static status do_resize(void *context, int handle, uint64_t bytes)
{
    platter *p = context;
    file *f = p->open[handle];

    if (!alive(p)) return STATUS_IO;
    if (p->full && bytes > f->seen_len) return fail(p, STATUS_NO_SPACE);
    make_room(f, bytes);
    if (bytes < f->seen_len) {
        memset(f->seen + bytes, 0, f->seen_len - bytes);
        touch(f, bytes, f->seen_len);
    }
    f->seen_len = bytes;
    return STATUS_OK;
}

static status do_rename(void *context, const char *from, const char *to)
{
    platter *p = context;
    change c = { .file = NULL };

    if (!alive(p)) return STATUS_IO;
    if (find(&p->seen, from) == NULL) return STATUS_NOT_FOUND;
    set_name(c.name, from);
    set_name(c.to, to);
    note(p, &c);
    return STATUS_OK;
}

static status do_remove(void *context, const char *name)
{
    platter *p = context;
    change c = { .file = NULL };

    if (!alive(p)) return STATUS_IO;
    if (find(&p->seen, name) == NULL) return STATUS_NOT_FOUND;
    set_name(c.name, name);
    note(p, &c);
    return STATUS_OK;
}

/* Folders are there from the beginning. */
static status do_make_folder(void *context, const char *name)
{
    (void)name;
    return alive(context) ? STATUS_OK : STATUS_IO;
}

static status do_sync_folder(void *context, const char *name)
{
    platter *p = context;

    if (!alive(p)) return STATUS_IO;
    if (p->sync_fails) return fail_once(p, &p->sync_fails);
    keep_changes(p, name, CHANGES_MOST);
    return STATUS_OK;
}

static status do_list(void *context, const char *in, file_visit *visit, void *visitor)
{
    platter *p = context;

    if (!alive(p)) return STATUS_IO;
    for (int i = 0; i < p->seen.len; i++)
        if (is_in(p->seen.at[i].name, in) && !visit(visitor, p->seen.at[i].name + strlen(in) + 1))
            break;
    return STATUS_OK;
}

static status do_room(void *context, uint64_t *bytes)
{
    platter *p = context;

    if (!alive(p)) return STATUS_IO;
    *bytes = p->full ? 0 : (uint64_t)1 << 40;
    return STATUS_OK;
}

/* --- the disk --- */

platter *platter_new(dice *d)
{
    platter *p = must(calloc(1, sizeof *p));

    p->dice = d;
    p->table = (files){ .context = p,
                        .open = do_open,
                        .close = do_close,
                        .read = do_read,
                        .write = do_write,
                        .sync = do_sync,
                        .sync_and_forget = do_sync_and_forget,
                        .size = do_size,
                        .resize = do_resize,
                        .rename = do_rename,
                        .remove = do_remove,
                        .make_folder = do_make_folder,
                        .sync_folder = do_sync_folder,
                        .list = do_list,
                        .room = do_room };
    return p;
}

static void empty(folder *f)
{
    for (int i = 0; i < f->len; i++) let_go(f->at[i].file);
    f->len = 0;
}

static void forget_changes(platter *p)
{
    for (int i = 0; i < p->change_count; i++) let_go(p->changes[i].file);
    p->change_count = 0;
}

static void close_all(platter *p)
{
    for (int i = 0; i < OPEN_MOST; i++) {
        let_go(p->open[i]);
        p->open[i] = NULL;
    }
}

void platter_free(platter *p)
{
    if (p == NULL) return;
    close_all(p);
    forget_changes(p);
    empty(&p->seen);
    empty(&p->kept);
    free(p);
}

const files *platter_files(platter *p)
{
    return &p->table;
}

void platter_die_after(platter *p, uint32_t calls)
{
    p->dies = true;
    p->calls_left = calls;
}

void platter_fail_sync(platter *p)
{
    p->sync_fails = true;
}

void platter_fail_write(platter *p)
{
    p->write_fails = true;
}

void platter_full(platter *p, bool full)
{
    p->full = full;
}

void platter_mend(platter *p)
{
    p->sync_fails = p->write_fails = p->full = p->dies = p->dead = false;
}

bool platter_failed(platter *p)
{
    bool failed = p->failed;

    p->failed = false;
    return failed;
}

/* --- the end --- */

static int changes_in(const platter *p, const char *folder_name)
{
    int count = 0;

    for (int i = 0; i < p->change_count; i++)
        if (is_in(p->changes[i].name, folder_name)) count++;
    return count;
}

/* How much arrives, in this crash: nothing, everything, or each by chance. */
static bool arrives(platter *p, uint32_t percent)
{
    return percent >= 100 || (percent > 0 && dice_percent(p->dice, percent));
}

static bool lose_power_in(platter *p, file *f, uint32_t percent)
{
    bool some = false, lost = false;

    if (f->kept_len != f->seen_len && arrives(p, percent)) f->kept_len = f->seen_len;
    for (uint64_t i = 0; i < f->room / SECTOR; i++) {
        if (f->sectors[i] == CLEAN) continue;
        if (arrives(p, percent)) {
            keep_sector(f, i);
            some = true;
        } else {
            lost = true;
        }
        f->sectors[i] = CLEAN;
    }
    if (f->kept_len < f->room) memset(f->kept + f->kept_len, 0, f->room - f->kept_len);
    memcpy(f->seen, f->kept, f->room);
    f->seen_len = f->kept_len;
    return some && lost;
}

bool platter_crash(platter *p, bool power)
{
    static const uint32_t shares[] = { 0, 20, 50, 80, 100 };
    uint32_t percent = shares[dice_below(p->dice, 5)];
    bool torn = false;

    close_all(p);
    platter_mend(p);
    if (!power) return false;
    keep_changes(p, "journal", (int)dice_below(p->dice, (uint32_t)changes_in(p, "journal") + 1));
    keep_changes(p, "blobs", (int)dice_below(p->dice, (uint32_t)changes_in(p, "blobs") + 1));
    forget_changes(p);
    empty(&p->seen);
    for (int i = 0; i < p->kept.len; i++) {
        torn |= lose_power_in(p, p->kept.at[i].file, percent);
        put_in(&p->seen, p->kept.at[i].name, p->kept.at[i].file);
    }
    return torn;
}
