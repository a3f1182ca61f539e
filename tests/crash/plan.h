/* plan.h - what the client of a recording sent: its puts, in the order of sending.
 *
 * load.mjs writes it before it sends, one line a put and one a write:
 *
 *     put ID FLAGS COUNT
 *     SOUL KEY STATE VALUE
 *     purged SOUL
 *
 * Souls and keys have no blanks; a value is the JSON text to the line's end, and
 * no two puts have the same values, but for one that is sent once more whole: so
 * what stands in a store tells which put wrote it. FLAGS: `-`, or `old` for a put that is older
 * than what the put before it wrote to the same key (its ack depends on that row), or `held` for
 * one from the future. `purged`: the soul was removed for good before the next put
 * was sent, so when that is acknowledged it must be gone. Old copies of it may be
 * sent again, under the same values; nothing newer is.
 */
#ifndef TESTS_CRASH_PLAN_H
#define TESTS_CRASH_PLAN_H

#include "core/slice.h"

#include <stdint.h>

typedef struct plan_write {
    slice value;
    double state;
    size_t put;
    size_t key;  /* index in plan.keys */
    size_t next; /* of the same key, one more than its index; 0: the last */
} plan_write;

typedef struct plan_put {
    slice id;
    size_t first, count; /* its writes */
    bool old, held;
} plan_put;

typedef struct plan_key {
    slice soul, key;
    size_t first;  /* of its writes, one more than its index */
    size_t purged; /* gone when this put was acknowledged, one more than its index; 0: never */
} plan_key;

typedef struct plan {
    char *text;
    plan_put *puts;
    size_t put_count;
    plan_write *writes;
    size_t write_count;
    plan_key *keys;
    size_t key_count;
    size_t *put_table, *key_table; /* open addressing, one more than the index */
    size_t table_mask;
} plan;

/* Reads a file, or ends the program with a sentence. plan_free() takes it back. */
void plan_read(plan *p, const char *path);
void plan_free(plan *p);

/* SIZE_MAX: there is none. */
size_t plan_find_put(const plan *p, slice id);
size_t plan_find_key(const plan *p, slice soul, slice key);

#endif
