/* world.c - see world.h. */
#include "tests/crash/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512 };

/* A write or a change of length that is not sure yet. */
typedef struct change {
    bool is_length;
    uint64_t at; /* the offset, or the length */
    slice bytes;
    uint64_t told; /* when */
} change;

typedef struct content {
    char *bytes;
    size_t len, room;
} content;

typedef struct file {
    bool is_folder;
    content sure;
    change *changes;
    size_t count, room;
} file;

/* What a name stands for, as far as it is sure. */
typedef struct entry {
    uint64_t folder, object;
    slice name;
} entry;

typedef struct naming {
    uint32_t kind; /* TAPE_MAKE, TAPE_FOLDER, TAPE_MOVE, TAPE_REMOVE */
    uint64_t object, from, to;
    slice old_name, new_name;
    uint64_t told;
} naming;

/* A sync that has begun: what stood by then is sure when it ends. */
typedef struct begun {
    uint64_t number, told;
} begun;

typedef struct entries {
    entry *items;
    size_t count, room;
} entries;

struct world {
    uint64_t now; /* counts what it was told */
    file *files;  /* by object */
    size_t file_room;
    uint64_t root;
    entries sure;
    naming *namings;
    size_t naming_count, naming_room;
    begun *begun;
    size_t begun_count, begun_room;
};

world *world_new(void)
{
    return tool_room(1, sizeof(world));
}

void world_free(world *w)
{
    for (size_t i = 0; i < w->file_room; i++) {
        free(w->files[i].sure.bytes);
        free(w->files[i].changes);
    }
    free(w->files);
    free(w->sure.items);
    free(w->namings);
    free(w->begun);
    free(w);
}

static file *file_of(world *w, uint64_t object)
{
    while (object >= w->file_room) {
        size_t before = w->file_room;
        w->files = tool_grow(w->files, before, &w->file_room, sizeof *w->files);
        memset(w->files + before, 0, (w->file_room - before) * sizeof *w->files);
    }
    return &w->files[object];
}

/* ---- bytes ---- */

static void set_length(content *c, size_t len)
{
    if (len > c->room) {
        c->room = len + len / 4;
        c->bytes = realloc(c->bytes, c->room);
        if (c->bytes == NULL) tool_fail("out of memory");
    }
    if (len > c->len) memset(c->bytes + c->len, 0, len - c->len);
    c->len = len;
}

static void put_bytes(content *c, uint64_t at, slice bytes)
{
    if (at + bytes.len > c->len) set_length(c, at + bytes.len);
    if (bytes.len > 0) memcpy(c->bytes + at, bytes.at, bytes.len);
}

static void make_sure(content *c, const change *one)
{
    if (one->is_length)
        set_length(c, one->at);
    else
        put_bytes(c, one->at, one->bytes);
}

static void note_change(world *w, uint64_t object, change one)
{
    file *f = file_of(w, object);

    one.told = w->now;
    f->changes = tool_grow(f->changes, f->count, &f->room, sizeof *f->changes);
    f->changes[f->count++] = one;
}

/* What stood when a sync began is sure when it went well. When it failed it is
 * forgotten: the system may have dropped the pages and call the next sync a success. */
static void file_synced(file *f, uint64_t until, bool well)
{
    size_t left = 0;

    for (size_t i = 0; i < f->count; i++) {
        if (f->changes[i].told >= until)
            f->changes[left++] = f->changes[i];
        else if (well)
            make_sure(&f->sure, &f->changes[i]);
    }
    f->count = left;
}

static bool touches(const change *one, uint64_t from, uint64_t to)
{
    if (one->is_length) return one->at < to;
    return one->at < to && one->at + one->bytes.len > from;
}

/* A write through a descriptor with O_DSYNC is sure when it is done, with what was
 * written to the same place before it: it is one page in memory. Nothing else. */
static void write_through(world *w, const event *e)
{
    file *f = file_of(w, e->object);
    size_t left = 0;

    for (size_t i = 0; i < f->count; i++) {
        if (touches(&f->changes[i], e->at, e->at + e->bytes.len))
            make_sure(&f->sure, &f->changes[i]);
        else
            f->changes[left++] = f->changes[i];
    }
    f->count = left;
    put_bytes(&f->sure, e->at, e->bytes);
}

/* ---- names ---- */

static size_t find_entry(const entries *all, uint64_t folder, slice name)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].folder == folder && slice_equal(all->items[i].name, name)) return i;
    return SIZE_MAX;
}

static void remove_entry(entries *all, uint64_t folder, slice name)
{
    size_t i = find_entry(all, folder, name);

    if (i != SIZE_MAX) all->items[i] = all->items[--all->count];
}

static void put_entry(entries *all, uint64_t folder, slice name, uint64_t object)
{
    remove_entry(all, folder, name);
    all->items = tool_grow(all->items, all->count, &all->room, sizeof *all->items);
    all->items[all->count++] = (entry){ folder, object, name };
}

static void apply_naming(entries *all, const naming *n)
{
    if (n->kind == TAPE_MOVE || n->kind == TAPE_REMOVE) remove_entry(all, n->from, n->old_name);
    if (n->kind != TAPE_REMOVE) put_entry(all, n->to, n->new_name, n->object);
}

static void note_naming(world *w, const event *e)
{
    naming n = { .kind = e->kind, .object = e->object, .told = w->now };

    if (e->kind == TAPE_MOVE) {
        n.old_name = (slice){ e->bytes.at, strlen(e->bytes.at) };
        n.new_name = (slice){ e->bytes.at + n.old_name.len + 1, e->bytes.len - n.old_name.len - 1 };
        n.from = e->parent;
        n.to = e->at;
    } else if (e->kind == TAPE_REMOVE) {
        n.old_name = e->bytes;
        n.from = e->parent;
    } else {
        n.new_name = e->bytes;
        n.to = e->parent;
        file_of(w, e->object)->is_folder = e->kind == TAPE_FOLDER;
    }
    w->namings = tool_grow(w->namings, w->naming_count, &w->naming_room, sizeof *w->namings);
    w->namings[w->naming_count++] = n;
}

static void folder_synced(world *w, uint64_t folder, uint64_t until)
{
    size_t left = 0;

    for (size_t i = 0; i < w->naming_count; i++) {
        const naming *n = &w->namings[i];
        if (n->told < until && (n->from == folder || n->to == folder))
            apply_naming(&w->sure, n);
        else
            w->namings[left++] = *n;
    }
    w->naming_count = left;
}

/* ---- being told ---- */

static void sync_begins(world *w, uint64_t number)
{
    w->begun = tool_grow(w->begun, w->begun_count, &w->begun_room, sizeof *w->begun);
    w->begun[w->begun_count++] = (begun){ number, w->now };
}

static void sync_ends(world *w, const event *e)
{
    for (size_t i = w->begun_count; i-- > 0;) {
        if (w->begun[i].number != e->at) continue;
        file *f = file_of(w, e->object);
        bool well = e->kind == TAPE_END;
        if (f->is_folder && well) folder_synced(w, e->object, w->begun[i].told);
        if (!f->is_folder) file_synced(f, w->begun[i].told, well);
        w->begun[i] = w->begun[--w->begun_count];
        return;
    }
}

void world_tell(world *w, const event *e)
{
    w->now++;
    switch (e->kind) {
    case TAPE_ROOT:
        w->root = e->object;
        file_of(w, e->object)->is_folder = true;
        return;
    case TAPE_MAKE:
    case TAPE_FOLDER:
    case TAPE_MOVE:
    case TAPE_REMOVE:
        note_naming(w, e);
        return;
    case TAPE_WRITE:
        note_change(w, e->object, (change){ .at = e->at, .bytes = e->bytes });
        return;
    case TAPE_WRITE_THROUGH:
        write_through(w, e);
        return;
    case TAPE_LENGTH:
        note_change(w, e->object, (change){ .is_length = true, .at = e->at });
        return;
    case TAPE_BEGIN:
        sync_begins(w, e->at);
        return;
    case TAPE_END:
    case TAPE_FAILED:
        sync_ends(w, e);
        return;
    default:
        return;
    }
}

slice world_read(world *w, uint64_t object)
{
    file *f = file_of(w, object);

    file_synced(f, UINT64_MAX, true);
    return (slice){ f->sure.bytes, f->sure.len };
}

world_doubt world_unsure(const world *w)
{
    world_doubt d = { .names = w->naming_count };

    for (size_t i = 0; i < w->file_room; i++) d.writes += w->files[i].count;
    return d;
}

/* ---- drawing ---- */

/* How one world treats what is unsure: how likely a write is there whole, or else
 * in pieces. Some worlds lose all, some lose nothing. */
typedef struct mood {
    double whole, torn;
    bool names_in_order;
    double name;
} mood;

static mood draw_mood(dice *d)
{
    static const double likely[] = { 0, 0.1, 0.5, 0.9, 1 };
    mood m = { .whole = likely[dice_below(d, 5)] };

    m.torn = dice_chance(d, 0.5) ? 0.5 : 0;
    m.names_in_order = dice_chance(d, 0.5);
    m.name = likely[dice_below(d, 5)];
    return m;
}

/* Bytes beyond the length are not seen, whatever reached the disk. */
static void put_within(content *c, uint64_t at, slice bytes)
{
    if (at >= c->len) return;
    if (bytes.len > c->len - at) bytes.len = c->len - at;
    put_bytes(c, at, bytes);
}

static void put_torn(content *c, dice *d, const change *one)
{
    for (size_t from = 0; from < one->bytes.len;) {
        size_t to = from + SECTOR - (one->at + from) % SECTOR;
        if (to > one->bytes.len) to = one->bytes.len;
        if (dice_chance(d, 0.5))
            put_within(c, one->at + from, (slice){ one->bytes.at + from, to - from });
        from = to;
    }
}

static size_t length_after(size_t len, const change *one)
{
    if (one->is_length) return one->at;
    return one->at + one->bytes.len > len ? one->at + one->bytes.len : len;
}

/* Lengths change in their order, up to some moment; writes by chance. What is cut
 * off and grown again reads as zeros. */
static void draw_file(const file *f, dice *d, const mood *m, content *out)
{
    size_t lengths = f->count;

    set_length(out, f->sure.len);
    if (f->sure.len > 0) memcpy(out->bytes, f->sure.bytes, f->sure.len);
    if (m->whole < 1) lengths = m->whole > 0 ? dice_below(d, f->count + 1) : 0;
    if (m->whole == 0 && dice_chance(d, 0.5)) lengths = f->count; /* room, and nothing in it */
    for (size_t i = 0; i < f->count; i++) {
        const change *one = &f->changes[i];
        if (i < lengths) set_length(out, length_after(out->len, one));
        if (one->is_length) continue;
        if (dice_chance(d, m->whole))
            put_within(out, one->at, one->bytes);
        else if (m->torn > 0 && dice_chance(d, m->torn))
            put_torn(out, d, one);
    }
}

static bool same_name(const naming *a, const naming *b)
{
    if (a->old_name.len > 0) {
        if (b->old_name.len > 0 && a->from == b->from && slice_equal(a->old_name, b->old_name))
            return true;
        if (b->new_name.len > 0 && a->from == b->to && slice_equal(a->old_name, b->new_name))
            return true;
    }
    if (a->new_name.len > 0) {
        if (b->old_name.len > 0 && a->to == b->from && slice_equal(a->new_name, b->old_name))
            return true;
        if (b->new_name.len > 0 && a->to == b->to && slice_equal(a->new_name, b->new_name))
            return true;
    }
    return false;
}

/* Whether a change of a name that this one follows is not there. */
static bool lacks_before(const world *w, const bool *there, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (!there[j] && same_name(&w->namings[j], &w->namings[i])) return true;
    return false;
}

static void draw_names(const world *w, dice *d, const mood *m, entries *out)
{
    bool *there = tool_room(w->naming_count, sizeof *there);
    size_t upto = dice_below(d, w->naming_count + 1);

    for (size_t i = 0; i < w->sure.count; i++) {
        const entry *e = &w->sure.items[i];
        put_entry(out, e->folder, e->name, e->object);
    }
    if (m->name == 0) upto = 0;
    if (m->name == 1) upto = w->naming_count;
    for (size_t i = 0; i < w->naming_count; i++) {
        there[i] = m->names_in_order ? i < upto : dice_chance(d, m->name);
        there[i] = there[i] && !lacks_before(w, there, i);
        if (there[i]) apply_naming(out, &w->namings[i]);
    }
    free(there);
}

typedef struct drawing {
    const world *world;
    dice *dice;
    mood mood;
    entries names;
    content scratch;
} drawing;

static void draw_folder(drawing *g, uint64_t folder, int at)
{
    char name[256];

    for (size_t i = 0; i < g->names.count; i++) {
        const entry *e = &g->names.items[i];
        if (e->folder != folder || e->name.len >= sizeof name) continue;
        memcpy(name, e->name.at, e->name.len);
        name[e->name.len] = '\0';
        const file *f = &g->world->files[e->object];
        if (f->is_folder) {
            if (mkdirat(at, name, 0700) != 0)
                tool_fail("cannot make %s: %s", name, strerror(errno));
            int inner = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            draw_folder(g, e->object, inner);
            (void)close(inner);
            continue;
        }
        g->scratch.len = 0;
        draw_file(f, g->dice, &g->mood, &g->scratch);
        tool_write_file(at, name, g->scratch.bytes, g->scratch.len);
    }
}

void world_draw(const world *w, dice *d, const char *folder)
{
    drawing g = { .world = w, .dice = d, .mood = draw_mood(d) };
    int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (at < 0) tool_fail("cannot open %s: %s", folder, strerror(errno));
    draw_names(w, d, &g.mood, &g.names);
    draw_folder(&g, w->root, at);
    (void)close(at);
    free(g.names.items);
    free(g.scratch.bytes);
}
