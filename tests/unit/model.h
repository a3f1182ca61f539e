/* model.h - a store that is too dumb to be wrong, and one random run against it.
 *
 * It keeps a cell for each of a few souls and keys, a list of held writes, and the
 * floors that purges left. What the real store answers is compared with it step by
 * step: verdicts, reads, what comes due, views, the change log, and the bytes of content
 * hashes.
 *
 * The model forgets nothing that expires: when the folder comes by is not its business.
 * Such a cell may be there in the store, or be gone. A write that has expired is not
 * merged: the relay sees to that.
 */
#ifndef TESTS_UNIT_MODEL_H
#define TESTS_UNIT_MODEL_H

#include "core/graph_memory.h"
#include "radisk/view.h"
#include "tests/sim/platter.h"
#include "tests/unit/radisk_kit.h"

enum { SOULS = 10, KEYS = 12, HELD_MAX = 512, VALUES = 9, LOGGED_MAX = 4096, MERGES_MAX = 1024 };

typedef struct cell {
    bool there;
    ham_write write;
} cell;

typedef struct held {
    bool waiting;
    int soul, key;
    ham_write write;
} held;

/* Everything that a crash can take back. */
typedef struct reference {
    cell cells[SOULS][KEYS];
    double floors[SOULS][KEYS];
    held held[HELD_MAX];
    size_t held_count;
} reference;

/* How a run treats the store: with threads, by hand over real files, or by hand
 * over a disk that forgets what was not synced. */
typedef enum treatment { THREADS, BY_HAND, FORGETFUL } treatment;

typedef struct logged {
    int soul, key;
    ham_write write;
} logged;

typedef struct model {
    kit *kit;
    treatment style;
    dice chance;
    double now, steady;
    double latest;                  /* what the clock has said at the most */
    double life[SOULS];             /* after which a row expires; 0 for never */
    slice souls[SOULS], keys[KEYS]; /* in order */
    slice values[VALUES];
    char long_names[5][600];
    reference is;
    graph_memory *plain; /* the store in memory: knows no purge */
    bool purged;

    /* The merges since the last start, each with what stood after it. */
    reference *after;
    graph_ticket *tickets;
    size_t merges;

    radisk_position from; /* of the change log */
    bool following;
    logged log[LOGGED_MAX];
    size_t log_len;
    platter *platter;
} model;

void model_open(model *m, uint64_t seed, treatment style);
void model_close(model *m);

unsigned model_chance(model *m, unsigned below);

/* Steps. */
void model_merge(model *m);
void model_look(model *m);
void model_scan(model *m);
void model_souls(model *m);
void model_due(model *m);
void model_purge(model *m);
void model_view(model *m);
void model_follow(model *m);
void model_reopen(model *m);
void model_crash(model *m);
void model_work(model *m); /* a turn, or a step of a worker */
void model_settle(model *m);

/* model_check.c: what the reference says. */
bool may_be_gone(const model *m, int soul, double state); /* it has expired */
bool cell_may_be_gone(const model *m, int soul, int key);
uint64_t reference_hashed_bytes(const model *m);
ham_verdict reference_judge(model *m, int soul, int key, const ham_write *w);
void reference_hold(model *m, int soul, int key, const ham_write *w);
bool reference_has_rows(const model *m, int soul);
void expect_row(const model *m, int soul, const cell *c, const graph_row *row);

#endif
