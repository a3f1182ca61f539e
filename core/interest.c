/* interest.c - see interest.h; the links are drawn in interest_inside.h.
 * Keepsakes are in interest_keep.c. */
#include "core/interest_inside.h"

#include <assert.h>
#include <stdlib.h>

/* --- the tables --- */

static uint64_t row_hash_of(const interest *t, const interest_holder *holder, uint32_t target)
{
    uint64_t salt;

    /* Addresses and numbers are not chosen by peers, so spreading is enough. */
    memcpy(&salt, t->options.secret, sizeof salt);
    return keyed_spread(keyed_spread((uint64_t)(uintptr_t)holder ^ salt) + target);
}

static uint64_t row_hash(void *context, uint32_t row)
{
    const interest_row *r = interest_row_at(context, row);

    return row_hash_of(context, r->holder, r->target);
}

static uint32_t *row_link(void *context, uint32_t row)
{
    return &interest_row_at(context, row)->link;
}

static uint64_t target_hash(void *context, uint32_t target)
{
    return interest_target_at(context, target)->hash;
}

static uint32_t *target_link(void *context, uint32_t target)
{
    return &interest_target_at(context, target)->link;
}

static chains_items row_items(interest *t)
{
    return (chains_items){ t, row_hash, row_link };
}

static chains_items target_items(interest *t)
{
    return (chains_items){ t, target_hash, target_link };
}

status interest_new(interest **out, const interest_options *options)
{
    interest *t = calloc(1, sizeof *t);

    if (t == NULL) return STATUS_NO_MEMORY;
    t->options = *options;
    t->rows = pool_make(sizeof(interest_row));
    t->targets = pool_make(sizeof(interest_target));
    t->keepsakes = pool_make(sizeof(interest_keepsake));
    t->names = pool_make(sizeof(interest_name));
    *out = t;
    return STATUS_OK;
}

void interest_free(interest *t)
{
    if (t == NULL) return;
    interest_drop_keepsakes(t);
    for (uint32_t i = 1; i <= t->rows.fresh; i++) {
        interest_row *r = interest_row_at(t, i);
        /* drop_row() leaves no target in a row it gives back. */
        if (r->target != 0) interest_release_target(t, r->target);
    }
    pool_free(&t->rows);
    pool_free(&t->targets);
    pool_free(&t->keepsakes);
    pool_free(&t->names);
    chains_free(&t->row_table);
    chains_free(&t->target_table);
    chains_free(&t->keepsake_table);
    chains_free(&t->name_table);
    free(t);
}

/* --- targets --- */

static uint64_t key_hash(const interest *t, const interest_target *soul, slice key)
{
    /* A bijection of the key's hash for each soul, so comparing it compares that. */
    return keyed_spread(soul->hash + keyed_spread(keyed_hash(t->options.secret, key)));
}

static uint32_t find_soul(const interest *t, slice soul, uint64_t hash)
{
    for (uint32_t i = chains_first(&t->target_table, hash); i != 0;) {
        const interest_target *at = interest_target_at(t, i);

        if (at->hash == hash && at->name != NULL &&
            slice_equal((slice){ at->name, at->name_bytes }, soul))
            return i;
        i = at->link;
    }
    return 0;
}

static uint32_t find_key(const interest *t, uint32_t soul, uint64_t hash)
{
    for (uint32_t i = chains_first(&t->target_table, hash); i != 0;) {
        const interest_target *at = interest_target_at(t, i);

        if (at->hash == hash && at->soul == soul) return i;
        i = at->link;
    }
    return 0;
}

static uint32_t find_target(const interest *t, slice soul, slice key)
{
    uint32_t at = find_soul(t, soul, keyed_hash(t->options.secret, soul));

    if (at == 0 || key.len == 0) return at;
    return find_key(t, at, key_hash(t, interest_target_at(t, at), key));
}

void interest_hold_target(interest *t, uint32_t target)
{
    interest_target_at(t, target)->refs++;
}

static void bury_target(interest *t, uint32_t target)
{
    interest_target *at = interest_target_at(t, target);
    chains_items items = target_items(t);

    chains_remove(&t->target_table, &items, target);
    if (at->name != NULL) {
        t->souls--;
        t->name_bytes -= at->name_bytes;
        free(at->name);
    }
    pool_give_back(&t->targets, target);
}

void interest_release_target(interest *t, uint32_t target)
{
    interest_target *at = interest_target_at(t, target);
    uint32_t soul = at->soul;

    if (--at->refs > 0) return;
    bury_target(t, target);
    if (soul != 0) interest_release_target(t, soul); /* a soul has none: one step deep */
}

/* A new target with no refs yet: whoever asked holds it. 0 when memory is short. */
static uint32_t new_target(interest *t, uint64_t hash, uint32_t soul)
{
    chains_items items = target_items(t);
    uint32_t target;

    if (!chains_reserve(&t->target_table, &items, hash)) return 0;
    if ((target = pool_take(&t->targets)) == 0) return 0;

    interest_target *at = interest_target_at(t, target);
    at->hash = hash;
    at->soul = soul;
    if (soul != 0) interest_hold_target(t, soul);
    chains_add(&t->target_table, &items, target);
    return target;
}

static uint32_t make_soul(interest *t, slice soul)
{
    uint64_t hash = keyed_hash(t->options.secret, soul);
    uint32_t target = find_soul(t, soul, hash);
    char *name;

    if (target != 0 || soul.len > UINT32_MAX) return target;
    if ((name = malloc(soul.len ? soul.len : 1)) == NULL) return 0;
    if ((target = new_target(t, hash, 0)) == 0) {
        free(name);
        return 0;
    }

    interest_target *at = interest_target_at(t, target);
    if (soul.len) memcpy(name, soul.at, soul.len);
    at->name = name;
    at->name_bytes = (uint32_t)soul.len;
    t->souls++;
    t->name_bytes += soul.len;
    return target;
}

/* The target, held once for the caller; 0 when memory is short. */
static uint32_t take_target(interest *t, slice soul, slice key)
{
    uint32_t at = make_soul(t, soul), target;

    if (at == 0) return 0;
    interest_hold_target(t, at);
    if (key.len == 0) return at;

    uint64_t hash = key_hash(t, interest_target_at(t, at), key);
    if ((target = find_key(t, at, hash)) == 0) target = new_target(t, hash, at);
    if (target != 0) interest_hold_target(t, target);
    interest_release_target(t, at);
    return target;
}

/* --- rows --- */

static uint32_t find_row(const interest *t, const interest_holder *holder, uint32_t target)
{
    uint32_t i = chains_first(&t->row_table, row_hash_of(t, holder, target));

    while (i != 0) {
        const interest_row *r = interest_row_at(t, i);

        if (r->holder == holder && r->target == target) return i;
        i = r->link;
    }
    return 0;
}

/* Puts a row at the end of the holder's list that its flags name. */
static void list_row(interest *t, uint32_t row)
{
    interest_row *r = interest_row_at(t, row);
    bool owed = r->flags & INTEREST_OWED;
    uint32_t *first = owed ? &r->holder->owed_first : &r->holder->oldest;
    uint32_t *last = owed ? &r->holder->owed_last : &r->holder->newest;

    r->prev = *last;
    r->next = 0;
    if (*last != 0) interest_row_at(t, *last)->next = row;
    if (*first == 0) *first = row;
    *last = row;
}

static void unlist_row(interest *t, uint32_t row)
{
    interest_row *r = interest_row_at(t, row);
    bool owed = r->flags & INTEREST_OWED;
    uint32_t *first = owed ? &r->holder->owed_first : &r->holder->oldest;
    uint32_t *last = owed ? &r->holder->owed_last : &r->holder->newest;

    *(r->prev ? &interest_row_at(t, r->prev)->next : first) = r->next;
    *(r->next ? &interest_row_at(t, r->next)->prev : last) = r->prev;
}

static void target_row(interest *t, uint32_t row)
{
    interest_row *r = interest_row_at(t, row);
    interest_target *at = interest_target_at(t, r->target);

    r->target_prev = at->last;
    *(at->last ? &interest_row_at(t, at->last)->target_next : &at->first) = row;
    at->last = row;
}

static void untarget_row(interest *t, uint32_t row)
{
    interest_row *r = interest_row_at(t, row);
    interest_target *at = interest_target_at(t, r->target);

    *(r->target_prev ? &interest_row_at(t, r->target_prev)->target_next : &at->first) =
        r->target_next;
    *(r->target_next ? &interest_row_at(t, r->target_next)->target_prev : &at->last) =
        r->target_prev;
}

/* What a row's soul counts for among its holder's long names. */
uint32_t interest_long_bytes(const interest *t, uint32_t target)
{
    const interest_target *at = interest_target_at(t, target);

    if (at->name == NULL) at = interest_target_at(t, at->soul);
    return at->name_bytes > INTEREST_LONG_NAME ? at->name_bytes : 0;
}

static void drop_row(interest *t, uint32_t row)
{
    interest_row *r = interest_row_at(t, row);
    chains_items items = row_items(t);
    uint32_t target = r->target;

    unlist_row(t, row);
    untarget_row(t, row);
    chains_remove(&t->row_table, &items, row);
    r->holder->rows--;
    r->holder->long_bytes -= interest_long_bytes(t, target);
    r->target = 0;
    pool_give_back(&t->rows, row);
    interest_release_target(t, target);
}

/* Sets the flags of a row and moves it to the end of its list. A debt keeps its
 * place: who waits longest is served first. */
static void touch_row(interest *t, uint32_t row, unsigned flags)
{
    interest_row *r = interest_row_at(t, row);

    if (r->flags & flags & INTEREST_OWED) {
        r->flags = (uint8_t)flags;
        return;
    }
    unlist_row(t, row);
    r->flags = (uint8_t)flags;
    list_row(t, row);
}

/* 0 when memory is short. */
static uint32_t new_row(interest *t, interest_holder *holder, uint32_t target)
{
    chains_items items = row_items(t);
    uint32_t row;

    if (!chains_reserve(&t->row_table, &items, row_hash_of(t, holder, target))) return 0;
    if ((row = pool_take(&t->rows)) == 0) return 0;

    interest_row *r = interest_row_at(t, row);
    r->holder = holder;
    r->target = target;
    interest_hold_target(t, target);
    chains_add(&t->row_table, &items, row);
    target_row(t, row);
    return row;
}

/* Drops the holder's longest untouched row, a debt only when there is nothing else. */
static void make_room(interest *t, interest_holder *holder)
{
    drop_row(t, holder->oldest ? holder->oldest : holder->owed_first);
    t->dropped++;
}

status interest_add_at(interest *t, interest_holder *holder, uint32_t target, unsigned flags,
                       unsigned *before)
{
    uint32_t row = find_row(t, holder, target);

    assert(flags != 0 && flags < 16);
    if (before) *before = row ? interest_row_at(t, row)->flags : 0;
    if (row != 0) {
        touch_row(t, row, interest_row_at(t, row)->flags | flags);
        return STATUS_OK;
    }

    /* The new row is made before an old one goes: a failure must change nothing. */
    bool full = t->rows.used >= t->options.rows_max;
    if (t->options.rows_per_holder_max == 0 || (full && holder->rows == 0)) return STATUS_TOO_BIG;
    if ((row = new_row(t, holder, target)) == 0) return STATUS_NO_MEMORY;
    if (full || holder->rows >= t->options.rows_per_holder_max) make_room(t, holder);
    holder->rows++;
    holder->long_bytes += interest_long_bytes(t, target);
    interest_row_at(t, row)->flags = (uint8_t)flags;
    list_row(t, row);
    while (holder->long_bytes > INTEREST_LONG_BYTES_MAX && holder->rows > 1) make_room(t, holder);
    return STATUS_OK;
}

status interest_add(interest *t, interest_holder *holder, slice soul, slice key, unsigned flags,
                    unsigned *before)
{
    uint32_t target = take_target(t, soul, key);

    if (target == 0) {
        if (before) *before = 0;
        return STATUS_NO_MEMORY;
    }

    status result = interest_add_at(t, holder, target, flags, before);
    interest_release_target(t, target);
    return result;
}

unsigned interest_flags(const interest *t, const interest_holder *holder, slice soul, slice key)
{
    uint32_t target = holder->rows ? find_target(t, soul, key) : 0;
    uint32_t row = target ? find_row(t, holder, target) : 0;

    return row ? interest_row_at(t, row)->flags : 0;
}

void interest_clear(interest *t, interest_holder *holder, slice soul, slice key, unsigned flags)
{
    uint32_t target = holder->rows ? find_target(t, soul, key) : 0;
    uint32_t row = target ? find_row(t, holder, target) : 0;

    if (row == 0) return;
    interest_row *r = interest_row_at(t, row);
    unsigned left = r->flags & ~flags;
    if (left == 0) {
        drop_row(t, row);
    } else if ((r->flags & ~left) & INTEREST_OWED) {
        touch_row(t, row, left);
    } else {
        r->flags = (uint8_t)left;
    }
}

/* --- audiences --- */

void interest_each(const interest *t, slice soul, slice key, interest_visit *visit, void *visitor)
{
    uint32_t target = find_target(t, soul, key);

    for (uint32_t i = target ? interest_target_at(t, target)->first : 0; i != 0;) {
        const interest_row *r = interest_row_at(t, i);

        if ((r->flags & INTEREST_WANTS) && !visit(visitor, r->holder, r->flags)) return;
        i = r->target_next;
    }
}

void interest_each_near(const interest *t, slice soul, slice key, interest_visit *visit,
                        void *visitor)
{
    uint32_t whole = find_target(t, soul, (slice){ NULL, 0 });
    uint32_t one = whole && key.len ? find_target(t, soul, key) : 0;

    for (uint32_t i = whole ? interest_target_at(t, whole)->first : 0; i != 0;) {
        const interest_row *r = interest_row_at(t, i);

        if (!visit(visitor, r->holder, r->flags)) return;
        i = r->target_next;
    }
    for (uint32_t i = one ? interest_target_at(t, one)->first : 0; i != 0;) {
        const interest_row *r = interest_row_at(t, i);

        if (find_row(t, r->holder, whole) == 0 && !visit(visitor, r->holder, r->flags)) return;
        i = r->target_next;
    }
}

bool interest_next_owed(interest *t, interest_holder *holder, slice *soul)
{
    uint32_t row = holder->owed_first;

    if (row == 0) return false;
    interest_row *r = interest_row_at(t, row);
    const interest_target *at = interest_target_at(t, r->target);
    touch_row(t, row, (r->flags & ~(unsigned)INTEREST_OWED) | INTEREST_ASKED);
    if (at->soul != 0) at = interest_target_at(t, at->soul);
    *soul = (slice){ at->name, at->name_bytes };
    return true;
}

void interest_leave(interest *t, interest_holder *holder)
{
    interest_forget_name(t, holder);
    while (holder->oldest != 0) drop_row(t, holder->oldest);
    while (holder->owed_first != 0) drop_row(t, holder->owed_first);
}

void interest_count(const interest *t, interest_counts *out)
{
    *out = (interest_counts){
        .rows = t->rows.used,
        .souls = t->souls,
        .keepsakes = t->keepsakes.used,
        .keepsake_rows = t->keepsake_rows,
        .dropped = t->dropped,
    };
}

size_t interest_bytes(const interest *t)
{
    return sizeof *t + pool_bytes(&t->rows) + pool_bytes(&t->targets) + pool_bytes(&t->keepsakes) +
           chains_bytes(&t->row_table) + chains_bytes(&t->target_table) +
           chains_bytes(&t->keepsake_table) + pool_bytes(&t->names) + chains_bytes(&t->name_table) +
           t->name_bytes + t->keepsake_rows * sizeof(uint32_t);
}
