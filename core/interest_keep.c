/* interest_keep.c - what a writer is owed after its connection broke.
 *
 * A keepsake names targets by number and counts in their refs, so that it costs
 * 4 bytes a key while somebody else has to do with the key, and a target more
 * while nobody has. Nothing here can fail for the client: what does not fit or
 * finds no memory is forgotten.
 */
#include "core/interest_inside.h"

#include <assert.h>
#include <stdlib.h>

static interest_keepsake *keepsake_at(const interest *t, uint32_t keepsake)
{
    return pool_at(&t->keepsakes, keepsake);
}

static uint64_t keepsake_hash(void *context, uint32_t keepsake)
{
    return keepsake_at(context, keepsake)->pid;
}

static uint32_t *keepsake_link(void *context, uint32_t keepsake)
{
    return &keepsake_at(context, keepsake)->link;
}

static chains_items keepsake_items(interest *t)
{
    return (chains_items){ t, keepsake_hash, keepsake_link };
}

static uint32_t find_keepsake(const interest *t, uint64_t pid)
{
    for (uint32_t i = chains_first(&t->keepsake_table, pid); i != 0;) {
        const interest_keepsake *k = keepsake_at(t, i);

        if (k->pid == pid) return i;
        i = k->link;
    }
    return 0;
}

/* Takes a keepsake out of the books; its targets are still held, and the
 * caller's. */
static interest_keepsake take_keepsake(interest *t, uint32_t keepsake)
{
    interest_keepsake *k = keepsake_at(t, keepsake), taken = *k;
    chains_items items = keepsake_items(t);

    *(k->older ? &keepsake_at(t, k->older)->newer : &t->keepsake_oldest) = k->newer;
    *(k->newer ? &keepsake_at(t, k->newer)->older : &t->keepsake_newest) = k->older;
    chains_remove(&t->keepsake_table, &items, keepsake);
    pool_give_back(&t->keepsakes, keepsake);
    t->keepsake_rows -= taken.count;
    return taken;
}

static void release_targets(interest *t, interest_keepsake *k)
{
    for (uint32_t i = 0; i < k->count; i++) interest_release_target(t, k->targets[i]);
    free(k->targets);
}

static void drop_oldest(interest *t)
{
    interest_keepsake taken = take_keepsake(t, t->keepsake_oldest);

    release_targets(t, &taken);
}

void interest_drop_keepsakes(interest *t)
{
    while (t->keepsake_oldest != 0) drop_oldest(t);
}

void interest_sweep(interest *t, int64_t steady_ms)
{
    while (t->keepsake_oldest != 0 && keepsake_at(t, t->keepsake_oldest)->until_ms < steady_ms)
        drop_oldest(t);
}

/* Walks a list of rows from its end, counting those that were written, at most
 * `most`; with `into`, holds their targets and notes them, the last one first. */
static uint32_t note_written(interest *t, uint32_t last, uint32_t most, uint32_t *into)
{
    uint32_t count = 0;

    for (uint32_t i = last; i != 0 && count < most;) {
        const interest_row *r = interest_row_at(t, i);

        if (r->flags & INTEREST_WROTE && interest_long_bytes(t, r->target) == 0) {
            if (into != NULL) {
                into[most - 1 - count] = r->target;
                interest_hold_target(t, r->target);
            }
            count++;
        }
        i = r->prev;
    }
    return count;
}

/* Newest last; debts count as the oldest, being long untouched. */
static uint32_t note_all(const interest_holder *holder, interest *t, uint32_t most, uint32_t *into)
{
    uint32_t count = note_written(t, holder->newest, most, into);

    return count + note_written(t, holder->owed_last, most - count, into);
}

static void add_keepsake(interest *t, interest_keepsake filled)
{
    chains_items items = keepsake_items(t);
    uint32_t keepsake = 0;

    if (chains_reserve(&t->keepsake_table, &items, filled.pid)) keepsake = pool_take(&t->keepsakes);
    if (keepsake == 0) {
        release_targets(t, &filled);
        return;
    }

    filled.older = t->keepsake_newest;
    filled.newer = 0;
    *keepsake_at(t, keepsake) = filled;
    *(filled.older ? &keepsake_at(t, filled.older)->newer : &t->keepsake_oldest) = keepsake;
    t->keepsake_newest = keepsake;
    chains_add(&t->keepsake_table, &items, keepsake);
    t->keepsake_rows += filled.count;
}

static void make_room_for_keepsake(interest *t, uint32_t rows)
{
    while (t->keepsake_oldest != 0 && (t->keepsakes.used >= t->options.keepsakes_max ||
                                       t->keepsake_rows + rows > t->options.keepsake_rows_total))
        drop_oldest(t);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void pack(interest *t, const interest_holder *holder, uint64_t pid, int64_t until_ms)
{
    uint32_t most = least(t->options.keepsake_rows_max, t->options.keepsake_rows_total);
    uint32_t count = t->options.keepsakes_max ? note_all(holder, t, most, NULL) : 0;

    if (count == 0) return;
    uint32_t *targets = malloc(count * sizeof *targets);
    if (targets == NULL) return;

    note_all(holder, t, count, targets);
    make_room_for_keepsake(t, count);
    add_keepsake(t, (interest_keepsake){
                        .pid = pid, .until_ms = until_ms, .targets = targets, .count = count });
}

/* The soul has to be asked back, unless it was or will be. */
static void owe(interest *t, interest_holder *holder, uint32_t target)
{
    const interest_target *at = interest_target_at(t, target);
    const interest_target *soul = at->soul ? interest_target_at(t, at->soul) : at;
    slice name = { soul->name, soul->name_bytes };
    slice whole = { NULL, 0 };

    if (interest_flags(t, holder, name, whole) & INTEREST_ASKED) return;
    status owed = interest_add(t, holder, name, whole, INTEREST_OWED, NULL);
    (void)owed; /* when memory is short the ask-back is lost, the interest is not */
}

/* Writes on this target were the holder's: false when there is no room for it. */
static bool restore(interest *t, interest_holder *holder, uint32_t target)
{
    status added = interest_add_at(t, holder, target, INTEREST_WANTS | INTEREST_WROTE, NULL);

    if (added == STATUS_OK) owe(t, holder, target);
    return added == STATUS_OK;
}

static size_t unpack(interest *t, interest_holder *holder, uint64_t pid, int64_t steady_ms)
{
    uint32_t found = find_keepsake(t, pid);
    size_t returned = 0;

    if (found == 0) return 0;
    interest_keepsake taken = take_keepsake(t, found);
    while (returned < taken.count && taken.until_ms >= steady_ms &&
           restore(t, holder, taken.targets[returned]))
        returned++;
    release_targets(t, &taken);
    return returned;
}

void interest_keep(interest *t, interest_holder *holder, slice pid, int64_t steady_ms)
{
    uint64_t hash = keyed_hash(t->options.secret, pid);

    unpack(t, holder, hash, steady_ms); /* left by an older connection */
    pack(t, holder, hash, steady_ms + t->options.keepsake_ms);
    interest_leave(t, holder);
}

/* --- holders by pid --- */

static interest_name *name_at(const interest *t, uint32_t name)
{
    return pool_at(&t->names, name);
}

static uint64_t name_hash(void *context, uint32_t name)
{
    return name_at(context, name)->pid;
}

static uint32_t *name_link(void *context, uint32_t name)
{
    return &name_at(context, name)->link;
}

static chains_items name_items(interest *t)
{
    return (chains_items){ t, name_hash, name_link };
}

/* When memory is short the holder has no name, and nobody inherits from it. */
static void name_holder(interest *t, interest_holder *holder, uint64_t pid)
{
    chains_items items = name_items(t);
    uint32_t name;

    interest_forget_name(t, holder);
    if (!chains_reserve(&t->name_table, &items, pid)) return;
    if ((name = pool_take(&t->names)) == 0) return;
    *name_at(t, name) = (interest_name){ .pid = pid, .holder = holder };
    chains_add(&t->name_table, &items, name);
    holder->name = name;
}

void interest_forget_name(interest *t, interest_holder *holder)
{
    chains_items items = name_items(t);

    if (holder->name == 0) return;
    chains_remove(&t->name_table, &items, holder->name);
    pool_give_back(&t->names, holder->name);
    holder->name = 0;
}

/* One is enough: a client has one old connection, a flood of equal pids many. */
static const interest_holder *namesake(const interest *t, const interest_holder *holder,
                                       uint64_t pid)
{
    for (uint32_t i = chains_first(&t->name_table, pid); i != 0; i = name_at(t, i)->link) {
        const interest_name *n = name_at(t, i);

        if (n->pid == pid && n->holder != holder) return n->holder;
    }
    return NULL;
}

/* Copies what the list that ends with `last` says was written. Rows of the
 * receiver may go to make room, never those that are read. */
static size_t copy_written(interest *t, interest_holder *to, uint32_t last, size_t most)
{
    size_t copied = 0;

    for (uint32_t i = last; i != 0 && copied < most; i = interest_row_at(t, i)->prev) {
        const interest_row *r = interest_row_at(t, i);

        if (!(r->flags & INTEREST_WROTE)) continue;
        if (!restore(t, to, r->target)) break;
        copied++;
    }
    return copied;
}

static size_t inherit(interest *t, interest_holder *to, const interest_holder *from)
{
    size_t most = t->options.keepsake_rows_max, copied = copy_written(t, to, from->newest, most);

    return copied + copy_written(t, to, from->owed_last, most - copied);
}

size_t interest_return(interest *t, interest_holder *holder, slice pid, int64_t steady_ms)
{
    uint64_t hash = keyed_hash(t->options.secret, pid);
    size_t returned = unpack(t, holder, hash, steady_ms);
    const interest_holder *other = namesake(t, holder, hash);

    if (other != NULL) returned += inherit(t, holder, other);
    name_holder(t, holder, hash);
    return returned;
}
