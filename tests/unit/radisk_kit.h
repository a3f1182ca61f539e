/* radisk_kit.h - what every test of the store needs: a store in a folder of its
 * own, and short words for what is done with it. A call that must succeed is
 * asserted here, so that a test reads as what it proves.
 */
#ifndef TESTS_UNIT_RADISK_KIT_H
#define TESTS_UNIT_RADISK_KIT_H

#include "radisk/radisk.h"

#include <lmdb.h>

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
#include <cmocka.h>
// clang-format on

typedef struct kit {
    char folder[64];
    radisk_options options; /* change them before kit_open() */
    radisk *store;
    graph *graph;
} kit;

/* For cmocka: a folder made, options set, nothing opened; and all of it gone. */
int kit_setup(void **state);
int kit_teardown(void **state);

/* The same in memory, where there is such a place: for tests with so many
 * restarts that they would be tests of the disk's speed. */
int kit_setup_quick(void **state);

void kit_open(kit *k);
void kit_close(kit *k);
void kit_reopen(kit *k);

/* Opens the environment behind the store's back; the transaction is to be ended. */
MDB_env *kit_open_env(const kit *k, MDB_txn **txn);

/* Waits until all is durable. */
void kit_settle(kit *k);

/* Waits until all is in the database, and nobody works any more. */
void kit_rest(kit *k);

/* A slice of a C string. */
slice kit_text(const char *s);

graph_write kit_write(const char *soul, const char *key, const char *value, double state);

/* Merges and returns the ticket; the second expects a refusal. */
graph_ticket kit_merge(kit *k, graph_write *writes, size_t count, double now);
graph_ticket kit_put(kit *k, const char *soul, const char *key, const char *value, double state);
void kit_refuse(kit *k, status expected, graph_write *writes, size_t count, double now);

/* What is kept, as a C string lent until the next call; NULL when nothing is. */
const char *kit_value(kit *k, const char *soul, const char *key);
uint64_t kit_row_batch(kit *k, const char *soul, const char *key);

/* Purges, and waits until that is done. */
void kit_purge(kit *k, const radisk_purge *what, double now);

graph_state kit_state(kit *k, graph_ticket t);

/* A scan's names, or keys and values, joined: "a=1 b=2 ". Lent until the next. */
const char *kit_keys(kit *k, const char *soul, const lex_range *range);
const char *kit_souls(kit *k, const lex_range *range);

/* What comes due, as "soul/key=value@state ", lent until the next call. */
const char *kit_due(kit *k, double now, size_t most);

extern const lex_range kit_all, kit_all_backwards;

radisk_stats kit_stats(kit *k);

#endif
