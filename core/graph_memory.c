/* graph_memory.c - see graph_memory.h.
 *
 *   souls: by name ---> soul ---> rows: by key
 *   held:  by state, soul, key
 *
 * 1. A row never changes. A write that wins makes a new row and takes the old
 *    one out.
 * 2. Every change is an entry in the log: the row that went out, the row that
 *    came in, either may be missing. Undoing entries from the end leads back to
 *    any earlier moment, and needs no memory. A merge that fails goes back to
 *    its beginning, a crash goes back to the last sync.
 * 3. What went out belongs to the log and is freed when its entry is forgotten:
 *    after the merge, or with `delayed` at the sync.
 * 4. A soul lives as long as rows of it do, in the tree or in the log.
 */
#include "core/graph_memory.h"

#include "core/keyed.h"
#include "core/sorted.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { GRAPH_MEMORY_SWEEP_SOULS = 4096 };

typedef struct memory_soul {
    sorted_node node; /* by name, which lies behind the struct; must be first */
    sorted rows;
    size_t refs;       /* rows, wherever they are */
    int64_t oldest_ms; /* no row of it was written before */
} memory_soul;

typedef struct memory_row {
    sorted_node node; /* by key, or held: by due name; must be first */
    memory_soul *soul;
    slice key, value;
    double state;
    uint64_t batch;
    int64_t written_ms;
    size_t bytes; /* of heap */
    bool held;
} memory_row;

typedef struct memory_change {
    memory_row *out, *in;
} memory_change;

struct graph_memory {
    graph table;
    graph_memory_options options;
    sorted souls, held;
    memory_soul *sweep; /* where graph_memory_expire() goes on */
    memory_change *log;
    size_t log_count, log_room;
    size_t rows, bytes;
    uint64_t batch; /* the last one begun */
    graph_progress progress;
};

static memory_soul *soul_of(sorted_node *n)
{
    return (memory_soul *)n;
}
static memory_row *row_of(sorted_node *n)
{
    return (memory_row *)n;
}

/* --- souls --- */

static memory_soul *find_soul(const graph_memory *g, slice soul)
{
    return soul_of(sorted_find(&g->souls, soul));
}

/* The soul, without a ref for the caller; NULL when memory is short. */
static memory_soul *make_soul(graph_memory *g, slice soul)
{
    memory_soul *s = find_soul(g, soul);

    if (s != NULL) return s;
    if ((s = malloc(sizeof *s + soul.len)) == NULL) return NULL;
    *s = (memory_soul){ .oldest_ms = INT64_MAX };
    memcpy(s + 1, soul.at, soul.len);
    s->node.name = (slice){ (char *)(s + 1), soul.len };
    s->node.priority = keyed_hash(g->options.secret, soul);
    sorted_insert(&g->souls, &s->node);
    g->bytes += sizeof *s + soul.len;
    return s;
}

static void drop_soul_if_unused(graph_memory *g, memory_soul *s)
{
    if (s->refs > 0) return;
    if (g->sweep == s) g->sweep = soul_of(s->node.after);
    sorted_remove(&g->souls, &s->node);
    g->bytes -= sizeof *s + s->node.name.len;
    free(s);
}

/* --- rows --- */

/* Where a held write stands: its state so that memcmp orders it as numbers are
 * ordered, then what makes it unique. */
enum { DUE_PREFIX = 8 + 4 };

static void print_due_prefix(char out[static DUE_PREFIX], double state, size_t soul_bytes)
{
    uint64_t bits;

    if (state == 0) state = 0; /* one zero, not two */
    memcpy(&bits, &state, sizeof bits);
    bits = bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
    for (int i = 0; i < 8; i++) out[i] = (char)(bits >> (56 - 8 * i));
    for (int i = 0; i < 4; i++) out[8 + i] = (char)(soul_bytes >> (24 - 8 * i));
}

static char *append(char *at, slice bytes)
{
    if (bytes.len) memcpy(at, bytes.at, bytes.len);
    return at + bytes.len;
}

/* A row in one block of heap: the struct, its name in the tree, the value. Its
 * soul is not told yet. NULL when memory is short. */
static memory_row *new_row(const graph_memory *g, memory_soul *soul, const graph_write *w,
                           bool held)
{
    size_t prefix = held ? DUE_PREFIX + w->soul.len : 0;
    size_t bytes = sizeof(memory_row) + prefix + w->key.len + w->value.len;
    memory_row *r = malloc(bytes);

    if (r == NULL) return NULL;
    char *name = (char *)(r + 1), *at = name;
    if (held) {
        print_due_prefix(at, w->state, w->soul.len);
        at = append(at + DUE_PREFIX, w->soul);
    }
    char *value = append(at, w->key);
    append(value, w->value);
    *r = (memory_row){
        .node.name = { name, prefix + w->key.len },
        .soul = soul,
        .key = { at, w->key.len },
        .value = { value, w->value.len },
        .state = w->state,
        .bytes = bytes,
        .held = held,
    };
    r->node.priority = keyed_hash(g->options.secret, r->node.name);
    return r;
}

static void free_row(graph_memory *g, memory_row *r)
{
    memory_soul *soul = r->soul;

    free(r);
    soul->refs--;
    drop_soul_if_unused(g, soul);
}

static void put_in(graph_memory *g, memory_row *r)
{
    sorted_insert(r->held ? &g->held : &r->soul->rows, &r->node);
    g->bytes += r->bytes;
    if (r->held) return;
    g->rows++;
    if (r->written_ms < r->soul->oldest_ms) r->soul->oldest_ms = r->written_ms;
}

static void take_out(graph_memory *g, memory_row *r)
{
    sorted_remove(r->held ? &g->held : &r->soul->rows, &r->node);
    g->bytes -= r->bytes;
    if (!r->held) g->rows--;
}

/* --- the log --- */

static bool log_reserve(graph_memory *g)
{
    if (g->log_count < g->log_room) return true;

    size_t room = g->log_room ? g->log_room * 2 : 16;
    memory_change *log = realloc(g->log, room * sizeof *log);
    if (log == NULL) return false;
    g->log = log;
    g->log_room = room;
    return true;
}

/* Takes a row out, puts one in, and remembers both; there must be room. */
static void change(graph_memory *g, memory_row *out, memory_row *in)
{
    assert(g->log_count < g->log_room);
    if (out != NULL) take_out(g, out);
    if (in != NULL) {
        in->soul->refs++;
        put_in(g, in);
    }
    g->log[g->log_count++] = (memory_change){ out, in };
}

static void undo_to(graph_memory *g, size_t mark)
{
    while (g->log_count > mark) {
        memory_change c = g->log[--g->log_count];

        if (c.in != NULL) take_out(g, c.in);
        if (c.out != NULL) put_in(g, c.out);
        if (c.in != NULL) free_row(g, c.in);
    }
}

static void forget_log(graph_memory *g)
{
    for (size_t i = 0; i < g->log_count; i++)
        if (g->log[i].out != NULL) free_row(g, g->log[i].out);
    g->log_count = 0;
    if (g->log_room > 1024) {
        free(g->log);
        g->log = NULL;
        g->log_room = 0;
    }
}

/* --- tickets --- */

/* Rows of batches that failed were not lost: the next sync writes them anew,
 * and the batch after the failed ones stands for that. */
static graph_ticket ticket_of(const graph_memory *g, uint64_t batch)
{
    if (batch <= g->progress.durable) return (graph_ticket){ 0 };
    if (batch <= g->progress.failed) return (graph_ticket){ g->progress.failed + 1 };
    return (graph_ticket){ batch };
}

static uint64_t next_batch(const graph_memory *g)
{
    return g->options.delayed ? g->batch + 1 : 0;
}

static graph_row lend(const graph_memory *g, const memory_row *r)
{
    return (graph_row){
        .soul = r->soul->node.name,
        .key = r->key,
        .value = r->value,
        .state = r->state,
        .ticket = ticket_of(g, r->batch),
    };
}

/* --- reading --- */

static status memory_look(void *context, slice soul, slice key, graph_row *out)
{
    graph_memory *g = context;
    memory_soul *s = find_soul(g, soul);
    sorted_node *n = s ? sorted_find(&s->rows, key) : NULL;

    if (n == NULL) return STATUS_NOT_FOUND;
    *out = lend(g, row_of(n));
    return STATUS_OK;
}

static sorted_node *range_begin(const sorted *s, const lex_range *range)
{
    if (range->empty) return NULL;
    if (!range->backwards) return sorted_from(s, range->from, range->from_open);
    return range->has_to ? sorted_until(s, range->to, range->to_open) : s->last;
}

/* Whether a node that is in the range on the side where the walk began is also
 * on the other. */
static bool range_goes_on(const lex_range *range, slice name)
{
    if (range->backwards) {
        int order = slice_order(name, range->from);
        return order > 0 || (order == 0 && !range->from_open);
    }
    if (!range->has_to) return true;
    int order = slice_order(name, range->to);
    return order < 0 || (order == 0 && !range->to_open);
}

static sorted_node *range_step(const lex_range *range, sorted_node *n)
{
    return range->backwards ? n->before : n->after;
}

static status memory_scan(void *context, slice soul, const lex_range *range, graph_visit *visit,
                          void *visitor)
{
    graph_memory *g = context;
    memory_soul *s = find_soul(g, soul);

    if (s == NULL) return STATUS_OK;
    for (sorted_node *n = range_begin(&s->rows, range); n != NULL; n = range_step(range, n)) {
        graph_row row = lend(g, row_of(n));

        if (!range_goes_on(range, n->name) || !visit(visitor, &row)) break;
    }
    return STATUS_OK;
}

static status memory_souls(void *context, const lex_range *range, graph_visit *visit, void *visitor)
{
    graph_memory *g = context;

    for (sorted_node *n = range_begin(&g->souls, range); n != NULL; n = range_step(range, n)) {
        graph_row row = { .soul = n->name };

        if (!range_goes_on(range, n->name)) break;
        if (soul_of(n)->rows.count > 0 && !visit(visitor, &row)) break;
    }
    return STATUS_OK;
}

/* --- writing --- */

/* What a merge has come to. */
typedef struct memory_merge {
    graph_memory *g;
    moment now;
    graph_ticket ticket;
} memory_merge;

static void meet(memory_merge *m, const memory_row *r)
{
    m->ticket = graph_both(m->ticket, ticket_of(m->g, r->batch));
}

static status replace(memory_merge *m, memory_row *old, memory_soul *soul, const graph_write *w,
                      bool held)
{
    memory_row *r = log_reserve(m->g) ? new_row(m->g, soul, w, held) : NULL;

    if (r == NULL) {
        drop_soul_if_unused(m->g, soul);
        return STATUS_NO_MEMORY;
    }
    r->batch = next_batch(m->g);
    r->written_ms = m->now.steady_ms;
    change(m->g, old, r);
    meet(m, r);
    return STATUS_OK;
}

/* Finds the held write of the same state, soul and key. The name it would have
 * is made to look for it. */
static status find_held(graph_memory *g, const graph_write *w, memory_row **out)
{
    char small[256], *name = small;
    size_t bytes = DUE_PREFIX + w->soul.len + w->key.len;

    if (bytes > sizeof small && (name = malloc(bytes)) == NULL) return STATUS_NO_MEMORY;
    print_due_prefix(name, w->state, w->soul.len);
    append(append(name + DUE_PREFIX, w->soul), w->key);
    *out = row_of(sorted_find(&g->held, (slice){ name, bytes }));
    if (name != small) free(name);
    return STATUS_OK;
}

/* Two held writes of one key and one state meet as HAM would have them meet. */
static status hold(memory_merge *m, const graph_write *w)
{
    memory_row *same;
    status result = find_held(m->g, w, &same);

    if (result != STATUS_OK) return result;
    if (same != NULL && value_order(w->value, same->value) <= 0) {
        meet(m, same);
        return STATUS_OK;
    }
    if (same == NULL && m->g->held.count >= m->g->options.held_max) return STATUS_TOO_BIG;

    memory_soul *soul = make_soul(m->g, w->soul);
    return soul ? replace(m, same, soul, w, true) : STATUS_NO_MEMORY;
}

static status judge(memory_merge *m, graph_write *w)
{
    memory_soul *soul = find_soul(m->g, w->soul);
    sorted_node *n = soul ? sorted_find(&soul->rows, w->key) : NULL;
    memory_row *old = n ? row_of(n) : NULL;
    ham_write kept = { old ? old->state : 0, old ? old->value : w->value };
    ham_write incoming = { w->state, w->value };

    w->verdict = ham_judge(old ? &kept : NULL, &incoming, m->now.wall_ms);
    if (w->verdict == HAM_WAIT) return hold(m, w);
    if (old != NULL) meet(m, old);
    if (w->verdict != HAM_TAKE) return STATUS_OK;
    if (soul == NULL && (soul = make_soul(m->g, w->soul)) == NULL) return STATUS_NO_MEMORY;
    return replace(m, old, soul, w, false);
}

/* After changes that stay. */
static void settle(graph_memory *g, size_t mark)
{
    if (g->options.delayed)
        g->batch += g->log_count > mark;
    else
        forget_log(g);
}

static status memory_merge_writes(void *context, graph_write *writes, size_t count, moment now,
                                  graph_ticket *ticket)
{
    graph_memory *g = context;
    memory_merge m = { .g = g, .now = now };
    size_t mark = g->log_count, bytes = g->bytes;
    status result = STATUS_OK;

    for (size_t i = 0; i < count && result == STATUS_OK; i++) result = judge(&m, &writes[i]);
    if (result == STATUS_OK && g->bytes > g->options.bytes_max && g->bytes > bytes)
        result = STATUS_NO_SPACE;
    if (result != STATUS_OK) {
        undo_to(g, mark);
        return result;
    }
    settle(g, mark);
    *ticket = m.ticket;
    return STATUS_OK;
}

/* --- held writes come due --- */

/* Moves the first held write among the rows if HAM takes it; *taken is the new
 * row, or NULL. */
static status release_first(memory_merge *m, memory_row **taken)
{
    memory_row *held = row_of(m->g->held.first);
    sorted_node *n = sorted_find(&held->soul->rows, held->key);
    memory_row *old = n ? row_of(n) : NULL;
    ham_write kept = { old ? old->state : 0, old ? old->value : held->value };
    ham_write incoming = { held->state, held->value };
    graph_write w = { held->soul->node.name, held->key, held->value, held->state, HAM_TAKE };
    status result = STATUS_OK;

    *taken = NULL;
    if (ham_judge(old ? &kept : NULL, &incoming, m->now.wall_ms) == HAM_TAKE) {
        result = replace(m, old, held->soul, &w, false);
        if (result == STATUS_OK) *taken = m->g->log[m->g->log_count - 1].in;
    }
    if (result == STATUS_OK && !log_reserve(m->g)) result = STATUS_NO_MEMORY;
    if (result == STATUS_OK) change(m->g, held, NULL);
    return result;
}

static status memory_due(void *context, moment now, size_t most, graph_visit *visit, void *visitor)
{
    graph_memory *g = context;
    memory_merge m = { .g = g, .now = now };
    bool go_on = true;

    while (go_on && most-- > 0 && g->held.first && row_of(g->held.first)->state <= now.wall_ms) {
        size_t mark = g->log_count;
        memory_row *taken;
        status result = release_first(&m, &taken);

        if (result != STATUS_OK) {
            undo_to(g, mark);
            return result;
        }
        if (taken != NULL) {
            graph_row row = lend(g, taken);
            go_on = visit(visitor, &row);
        }
        settle(g, mark);
    }
    return STATUS_OK;
}

static double memory_next_due(void *context)
{
    const graph_memory *g = context;

    return g->held.first ? row_of(g->held.first)->state : INFINITY;
}

static void memory_progress(void *context, graph_progress *out)
{
    *out = ((const graph_memory *)context)->progress;
}

/* --- the graph itself --- */

status graph_memory_new(graph_memory **out, const graph_memory_options *options)
{
    graph_memory *g = calloc(1, sizeof *g);

    if (g == NULL) return STATUS_NO_MEMORY;
    g->options = *options;
    g->table = (graph){
        .context = g,
        .look = memory_look,
        .scan = memory_scan,
        .souls = memory_souls,
        .merge = memory_merge_writes,
        .due = memory_due,
        .next_due = memory_next_due,
        .progress = memory_progress,
    };
    *out = g;
    return STATUS_OK;
}

static void free_rows(graph_memory *g, sorted *rows)
{
    while (rows->first != NULL) {
        memory_row *r = row_of(rows->first);
        bool last = rows->count == 1;

        take_out(g, r);
        free_row(g, r); /* with the last row its soul may go, and `rows` with it */
        if (last) return;
    }
}

void graph_memory_free(graph_memory *g)
{
    if (g == NULL) return;
    forget_log(g);
    free(g->log);
    free_rows(g, &g->held);
    while (g->souls.first != NULL) free_rows(g, &soul_of(g->souls.first)->rows);
    free(g);
}

graph *graph_memory_table(graph_memory *g)
{
    return &g->table;
}

static void expire_soul(graph_memory *g, memory_soul *s, int64_t before_ms)
{
    int64_t oldest = INT64_MAX;

    for (sorted_node *n = s->rows.first, *after; n != NULL; n = after) {
        memory_row *r = row_of(n);

        after = n->after;
        if (r->written_ms < before_ms && log_reserve(g))
            change(g, r, NULL);
        else if (r->written_ms < oldest)
            oldest = r->written_ms;
    }
    s->oldest_ms = oldest;
}

void graph_memory_expire(graph_memory *g, moment now, int64_t (*age_ms)(void *context, slice soul),
                         void *context)
{
    size_t mark = g->log_count;
    memory_soul *s = g->sweep ? g->sweep : soul_of(g->souls.first);

    for (int i = 0; i < GRAPH_MEMORY_SWEEP_SOULS && s != NULL; i++) {
        int64_t before_ms = now.steady_ms - age_ms(context, s->node.name);

        if (s->oldest_ms < before_ms) expire_soul(g, s, before_ms);
        s = soul_of(s->node.after);
    }
    g->sweep = s;
    settle(g, mark);
}

size_t graph_memory_bytes(const graph_memory *g)
{
    return g->bytes;
}
size_t graph_memory_rows(const graph_memory *g)
{
    return g->rows;
}

/* --- playing a disk --- */

void graph_memory_sync(graph_memory *g)
{
    forget_log(g);
    g->progress.durable = g->batch;
}

void graph_memory_fail(graph_memory *g, status why)
{
    g->progress.failed = g->batch;
    g->progress.why = why;
    g->batch++; /* what the next sync writes anew */
}

void graph_memory_crash(graph_memory *g)
{
    undo_to(g, 0);
    g->progress = (graph_progress){ .durable = g->batch };
}
