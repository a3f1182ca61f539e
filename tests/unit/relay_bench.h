/* relay_bench.h - a relay on a table: a graph in memory, a clock to turn, and
 * peers whose frames are strings. For unit tests of the relay.
 *
 * Wall time begins at 1,000,000 ms, so states are short numbers.
 */
#ifndef TESTS_UNIT_RELAY_BENCH_H
#define TESTS_UNIT_RELAY_BENCH_H

#include "core/graph_memory.h"
#include "core/relay.h"

typedef struct table table;

/* Lays a table; `delayed`: writes are durable only after table_sync(). `limits`
 * may be NULL for the defaults. */
table *table_lay(const relay_limits *limits, bool delayed);
/* Signatures are those of curve.h, and verified as they come; or by a pool. */
table *table_lay_before(const relay_limits *limits, bool delayed, check_pool pool);
/* With a graph for the relay's own souls, and who wants to hear the news. */
table *table_lay_beside(graph *ours, relay_news *news, void *context);
void table_clear(table *t);
relay *table_relay(table *t);
graph_memory *table_memory(table *t);
moment table_now(const table *t);

void table_sync(table *t);             /* what was written is durable */
void table_fail(table *t, status why); /* what was written has failed */
void table_wait(table *t, int64_t ms); /* time passes, in steps of 5 ms */

/* A peer that has read its greeting; with a pid it has answered it. */
relay_peer *table_join(table *t, const char *pid);
void table_leave(table *t, relay_peer *p);

/* The peer says this; single quotes stand for double ones. */
void table_say(table *t, relay_peer *p, const char *format, ...);

/* Everything the peer is sent by now: a message a line, batches taken apart,
 * double quotes shown as single ones, ids that the relay made as <1>, <2>, ...
 * in order of first sight. Lends until the next call. */
const char *table_read(table *t, relay_peer *p);

/* The id behind <number>, to answer to it. */
const char *table_id(const table *t, int number);

/* Pieces that the last table_read() was made of: more than messages when they
 * came in fragments. */
size_t table_pieces(const table *t);

#endif
