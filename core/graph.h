/* graph.h - the store as the relay sees it: a table of functions.
 *
 * Behind it stands radisk in the server, a graph in memory in tests and for
 * souls that are never kept (core/graph_memory.h), and one day a graph over a
 * replicated log. The relay assumes nothing but what is written here.
 *
 * A graph keeps, for every (soul, key), the newest write as HAM judges, and
 * writes from the future until they are due. Reads see every write that merge()
 * has taken, at once. Whether a write is durable is another question, and a
 * ticket answers it: merge() never waits for a disk.
 *
 * One thread, the loop's. What is lent to a visitor dies when it returns; a
 * visitor must not call back into the graph.
 */
#ifndef CORE_GRAPH_H
#define CORE_GRAPH_H

#include "core/ham.h"
#include "core/lex.h"
#include "core/moment.h"
#include "core/status.h"

#include <stdint.h>

/* When what was taken, or met, is safe: wait until graph_progress.durable
 * reaches it. 0: it is already. A struct, because conditions will be added
 * ("also at n neighbours"), and nobody but graph_settled() may look inside. */
typedef struct graph_ticket {
    uint64_t batch;
} graph_ticket;

typedef struct graph_progress {
    uint64_t durable; /* every batch up to here is on disk */
    uint64_t failed;  /* of the batches up to here, those not durable failed */
    status why;       /* how the last one failed */
} graph_progress;

typedef enum graph_state { GRAPH_WAITING, GRAPH_SAFE, GRAPH_FAILED } graph_state;

static inline graph_state graph_settled(graph_ticket t, const graph_progress *p)
{
    if (t.batch <= p->durable) return GRAPH_SAFE;
    return t.batch <= p->failed ? GRAPH_FAILED : GRAPH_WAITING;
}

/* The later of two: what waits for both waits for it. */
static inline graph_ticket graph_both(graph_ticket a, graph_ticket b)
{
    return a.batch > b.batch ? a : b;
}

typedef struct graph_row {
    slice soul, key; /* names */
    slice value;     /* canonical text */
    double state;
    graph_ticket ticket; /* until when this row is not yet durable */
} graph_row;

typedef struct graph_write {
    slice soul, key; /* in: names, not empty, at most 64 KB each */
    slice value;     /* in: canonical text */
    double state;    /* in: finite */
    ham_verdict verdict; /* out: what became of it */
} graph_write;

/* Returns whether to go on. */
typedef bool graph_visit(void *visitor, const graph_row *row);

typedef struct graph graph;
struct graph {
    void *context;

    /* The row of (soul, key), lent until the graph is changed or the turn ends,
     * whichever is first; a value over 4 KB only until the next call or row.
     * STATUS_NOT_FOUND, STATUS_IO, STATUS_CORRUPT: for this row alone. */
    status (*look)(void *context, slice soul, slice key, graph_row *out);

    /* The row of a large value that is a chunk, found by its content hash under
     * whichever name it is kept: without names, and with state 1, which is what a
     * chunk's state is. NULL: this graph cannot. Results of look(). */
    status (*by_hash)(void *context, const uint8_t hash[32], graph_row *out);

    /* Visits the keys of a soul in the range and its direction. STATUS_OK also
     * when there were none or the visitor stopped. */
    status (*scan)(void *context, slice soul, const lex_range *range,
                   graph_visit *visit, void *visitor);

    /* Visits souls, once each, in the range and its direction: the row has no
     * key and no value. */
    status (*souls)(void *context, const lex_range *range,
                    graph_visit *visit, void *visitor);

    /* Judges the writes against what is held and takes what HAM takes; what
     * HAM lets wait is held until its state is reached. All writes are judged
     * or, when the result is not STATUS_OK, none was taken and nothing left a
     * trace: STATUS_NO_SPACE, STATUS_IO, STATUS_NO_MEMORY; STATUS_TOO_BIG when the
     * bound on held writes is met; STATUS_BUSY when that on what is not yet
     * durable is: the same call will do when something has settled.
     * Two writes to one key in one call are judged in their order. The ticket
     * covers every row that was taken, held, or judged against. */
    status (*merge)(void *context, graph_write *writes, size_t count, moment now,
                    graph_ticket *ticket);

    /* Takes the held writes whose state has been reached, at most `most` a
     * call, judges each against what is held by now, and visits those that HAM
     * took. Each write comes due once, also across a restart. */
    status (*due)(void *context, moment now, size_t most, graph_visit *visit, void *visitor);

    /* Wall time at which due() has work; infinity when nothing is held. */
    double (*next_due)(void *context);

    void (*progress)(void *context, graph_progress *out);
};

#endif
