/* interest_inside.h - what interest.c and interest_keep.c share; nobody else
 * includes it.
 *
 * Targets are souls, which own their name, and keys, which refer to the target
 * of their soul and are known by a hash. `refs` counts what keeps a target
 * alive: rows on it, keys of it, keepsakes that name it.
 *
 *   holder --oldest/newest--> row <-> row <-> row      prev, next: by touch
 *          --owed_first-----> row <-> row              the same links: by debt
 *   target --first/last-----> row <-> row              target_prev, target_next
 *
 * A row is in one of its holder's two lists, in its target's list, and in the
 * table of rows, where (holder, target) finds it.
 */
#ifndef CORE_INTEREST_INSIDE_H
#define CORE_INTEREST_INSIDE_H

#include "core/chains.h"
#include "core/interest.h"
#include "core/keyed.h"
#include "core/pool.h"

typedef struct interest_target {
    uint64_t hash; /* of the soul; of a key: mixed with its soul's */
    char *name;    /* a soul's; NULL for a key */
    uint32_t name_bytes;
    uint32_t soul; /* a key's; 0 for a soul */
    uint32_t refs;
    uint32_t first, last; /* rows */
    uint32_t link;        /* in the table of targets */
} interest_target;

typedef struct interest_row {
    interest_holder *holder;
    uint32_t target;
    uint32_t prev, next;
    uint32_t target_prev, target_next;
    uint32_t link; /* in the table of rows */
    uint8_t flags;
} interest_row;

/* What a pid wrote, oldest first: numbers of targets, each counted in refs. */
typedef struct interest_keepsake {
    uint64_t pid; /* hash */
    int64_t until_ms;
    uint32_t *targets;
    uint32_t count;
    uint32_t older, newer; /* by time of parting, which is the order they end in */
    uint32_t link;         /* in the table of keepsakes */
} interest_keepsake;

/* A holder whose pid is known. */
typedef struct interest_name {
    uint64_t pid; /* hash */
    interest_holder *holder;
    uint32_t link; /* in the table of names */
} interest_name;

struct interest {
    interest_options options;
    pool rows, targets, keepsakes, names;
    chains row_table, target_table, keepsake_table, name_table;
    uint32_t keepsake_oldest, keepsake_newest;
    uint64_t souls, keepsake_rows, dropped;
    size_t name_bytes;
};

static inline interest_row *interest_row_at(const interest *t, uint32_t row)
{
    return pool_at(&t->rows, row);
}

static inline interest_target *interest_target_at(const interest *t, uint32_t target)
{
    return pool_at(&t->targets, target);
}

/* interest_add() on a target that is there already. */
MUST_USE status interest_add_at(interest *t, interest_holder *holder, uint32_t target,
                                unsigned flags, unsigned *before);

/* Counts one more, or one less, that needs the target. */
uint32_t interest_long_bytes(const interest *t, uint32_t target);
void interest_hold_target(interest *t, uint32_t target);
void interest_release_target(interest *t, uint32_t target);

void interest_drop_keepsakes(interest *t);
void interest_forget_name(interest *t, interest_holder *holder);

#endif
