/* witness.c - see witness.h. */
#include "tests/sim/witness.h"

#include "tests/sim/world.h"

#include <stdlib.h>

typedef struct testimony {
    size_t merge; /* rows of one merge have one number */
    int soul, key;
    cell told;
    ham_verdict verdict;
    uint64_t batch;
    bool safe;
} testimony;

typedef struct testimonies {
    testimony *at;
    size_t len, room;
} testimonies;

struct witness {
    world *world;
    graph *inner;
    graph table;
    testimonies life, held; /* of this life of the relay; held writes of all lives */
    size_t merges;
};

static void add(testimonies *to, const testimony *t)
{
    if (to->len == to->room) {
        to->room = to->room ? to->room * 2 : 256;
        to->at = must(realloc(to->at, to->room * sizeof *to->at));
    }
    to->at[to->len++] = *t;
}

/* --- the table --- */

static status look(void *context, slice soul, slice key, graph_row *out)
{
    graph *inner = ((witness *)context)->inner;

    return inner->look(inner->context, soul, key, out);
}

static status scan(void *context, slice soul, const lex_range *range, graph_visit *visit,
                   void *visitor)
{
    graph *inner = ((witness *)context)->inner;

    return inner->scan(inner->context, soul, range, visit, visitor);
}

static status souls(void *context, const lex_range *range, graph_visit *visit, void *visitor)
{
    graph *inner = ((witness *)context)->inner;

    return inner->souls(inner->context, range, visit, visitor);
}

/* What lost is not kept, and may be anything. */
static void judge(witness *w, const testimony *t)
{
    wire_write x = { t->soul, t->key, t->told.value, t->told.state };

    if ((t->verdict == HAM_TAKE || t->verdict == HAM_WAIT) && !people_is_good(w->world->people, &x))
        world_fail(w->world, "the store took what nobody may write: %.*s . %.*s @ %.17g",
                   (int)names_soul_json(t->soul).len, names_soul_json(t->soul).at,
                   (int)names_key_json(t->key).len, names_key_json(t->key).at, t->told.state);
}

static void remember(witness *w, const graph_write *writes, size_t count, graph_ticket ticket)
{
    w->merges++;
    for (size_t i = 0; i < count; i++) {
        testimony t = { .merge = w->merges,
                        .soul = names_find_soul(writes[i].soul),
                        .key = names_find_key(writes[i].key),
                        .told = { world_keep(w->world, writes[i].value), writes[i].state, true },
                        .verdict = writes[i].verdict,
                        .batch = ticket.batch };
        judge(w, &t);
        if (t.verdict == HAM_TAKE)
            store_taken(w->world->store, t.soul, t.key, ticket.batch);
        else if (t.verdict != HAM_WAIT)
            store_known(w->world->store, writes[i].soul, writes[i].key);
        add(t.verdict == HAM_WAIT ? &w->held : &w->life, &t);
    }
}

static status merge(void *context, graph_write *writes, size_t count, moment now,
                    graph_ticket *ticket)
{
    witness *w = context;
    status s = w->inner->merge(w->inner->context, writes, count, now, ticket);

    if (s == STATUS_OK) remember(w, writes, count, *ticket);
    if (s != STATUS_OK && s != STATUS_BUSY) w->world->store_refused = true;
    return s;
}

static status due(void *context, moment now, size_t most, graph_visit *visit, void *visitor)
{
    graph *inner = ((witness *)context)->inner;

    return inner->due(inner->context, now, most, visit, visitor);
}

static double next_due(void *context)
{
    graph *inner = ((witness *)context)->inner;

    return inner->next_due(inner->context);
}

static void progress(void *context, graph_progress *out)
{
    graph *inner = ((witness *)context)->inner;

    inner->progress(inner->context, out);
}

witness *witness_new(world *of)
{
    witness *w = must(calloc(1, sizeof *w));

    w->world = of;
    w->table = (graph){ .context = w,
                        .look = look,
                        .scan = scan,
                        .souls = souls,
                        .merge = merge,
                        .due = due,
                        .next_due = next_due,
                        .progress = progress };
    return w;
}

void witness_free(witness *w)
{
    if (w == NULL) return;
    free(w->life.at);
    free(w->held.at);
    free(w);
}

graph *witness_before(witness *w, graph *inner)
{
    w->inner = inner;
    return &w->table;
}

/* --- what it remembers --- */

static void note_row(witness *w, int soul, int key, const graph_progress *p)
{
    graph_row row;

    if (look(w, names_soul(soul), names_key(key), &row) != STATUS_OK) return;
    if (graph_settled(row.ticket, p) != GRAPH_SAFE) return;
    testimony t = { .merge = ++w->merges,
                    .soul = soul,
                    .key = key,
                    .told = { world_keep(w->world, row.value), row.state, true },
                    .verdict = HAM_SAME,
                    .batch = row.ticket.batch,
                    .safe = true };
    add(&w->life, &t);
}

void witness_note_end(witness *w)
{
    graph_progress p;

    progress(w, &p);
    for (size_t i = 0; i < w->life.len; i++) {
        testimony *t = &w->life.at[i];
        t->safe = graph_settled((graph_ticket){ t->batch }, &p) == GRAPH_SAFE;
    }
    for (int s = 0; s < w->world->soul_count; s++)
        for (int k = 0; k < NAMES_KEYS; k++) note_row(w, s, k, &p);
}

static bool was_held(const witness *w, const testimony *t)
{
    for (size_t i = 0; i < w->held.len; i++) {
        const testimony *h = &w->held.at[i];
        if (h->soul == t->soul && h->key == t->key && cell_order(&h->told, &t->told) == 0)
            return true;
    }
    return false;
}

static bool is_there(const witness *w, const testimony *t, cell *kept)
{
    disk_cell(w->world, t->soul, t->key, kept);
    if (cell_order(kept, &t->told) >= 0) return true;
    /* One that was collected may have come again, with another state. */
    if (kept->has && names_place_of(t->soul)->kind == NAMES_CHUNKS) return true;
    if (world_expired(w->world, t->soul, t->told.state)) return true;
    /* Taken by a recovery, because its time had come; now the clock is set back. */
    if (t->told.state > world_moment(w->world).wall_ms && was_held(w, t)) return true;
    return store_may_be_purged(w->world->store, t->soul, t->key, t->told.state);
}

static void accuse(witness *w, const char *of, const testimony *t)
{
    world_fail(w->world, "%s: %.*s . %.*s @ %.17g, of batch %llu", of,
               (int)names_soul_json(t->soul).len, names_soul_json(t->soul).at,
               (int)names_key_json(t->key).len, names_key_json(t->key).at, t->told.state,
               (unsigned long long)t->batch);
}

/* Rows first to last - 1 are one merge. */
static void check_merge(witness *w, size_t first, size_t last)
{
    const testimony *missing = NULL;
    bool brought = false;

    for (size_t i = first; i < last; i++) {
        const testimony *t = &w->life.at[i];
        cell kept;

        if (!is_there(w, t, &kept)) missing = t;
        if (t->verdict == HAM_TAKE && kept.has && cell_order(&kept, &t->told) == 0 &&
            !was_held(w, t))
            brought = true;
    }
    if (missing == NULL) return;
    if (missing->safe)
        accuse(w, "the store lost what was safe", missing);
    else if (brought && missing->verdict == HAM_TAKE)
        accuse(w, "the store kept a part of a merge, without", missing);
}

void witness_check(witness *w)
{
    for (size_t i = 0, next; i < w->life.len && !w->world->failed; i = next) {
        for (next = i + 1; next < w->life.len && w->life.at[next].merge == w->life.at[i].merge;)
            next++;
        check_merge(w, i, next);
    }
    w->life.len = 0;
}
