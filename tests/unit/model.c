/* model.c - see model.h: the steps that change something. */
#include "tests/unit/model.h"

#include "core/policy.h"

#include <string.h>

static const char *const plain_names[] = {
    "a", "b", "ba", "z", "\x1b", "\xed\xa0\x80\xed\xb0\x80", "\xee\x80\x80", "0"
};

/* The simulator's disk asks for memory with this (tests/sim/world.h). */
void *must(void *memory);
void *must(void *memory)
{
    assert_non_null(memory);
    return memory;
}

unsigned model_chance(model *m, unsigned below)
{
    return dice_below(&m->chance, below);
}

static int in_order(const void *a, const void *b)
{
    return slice_order(*(const slice *)a, *(const slice *)b);
}

/* Short names, empty-looking ones, and some that share 440 bytes; of the souls two whose
 * rows expire, and one of content hashes. */
static void name_all(model *m)
{
    for (int i = 0; i < 4; i++) {
        memset(m->long_names[i], 'l', 440);
        (void)snprintf(m->long_names[i] + 440, 100, "%d", i * 37 % 10);
    }
    for (int i = 0; i < KEYS; i++)
        m->keys[i] = kit_text(i < 8 ? plain_names[i] : m->long_names[i - 8]);
    m->keys[7] = SLICE("a\0b");
    for (int i = 0; i < SOULS - 3; i++) m->souls[i] = m->keys[i + 4];
    memset(m->long_names[4], 'l', 440);
    (void)snprintf(m->long_names[4] + 440, 100, "%s", "<?0.05");
    m->souls[SOULS - 3] = kit_text(m->long_names[4]);
    m->souls[SOULS - 2] = SLICE("b<?1");
    m->souls[SOULS - 1] = SLICE("b#");
    qsort(m->keys, KEYS, sizeof m->keys[0], in_order);
    qsort(m->souls, SOULS, sizeof m->souls[0], in_order);
    for (int i = 0; i < SOULS; i++) m->life[i] = policy_life_ms(m->souls[i]);
}

/* A string of so many characters; `last` decides whether it is canonical base64. */
static slice large(char *at, size_t len, char filler, char last)
{
    at[0] = '"';
    memset(at + 1, filler, len);
    at[len] = last;
    at[len + 1] = '"';
    return (slice){ at, len + 2 };
}

static void value_all(model *m)
{
    static char texts[3][9000];
    static const char *const small[] = { "null", "true", "1", "\"a\"", "\"a!\"", "{\"#\":\"x\"}" };

    for (int i = 0; i < 6; i++) m->values[i] = kit_text(small[i]);
    m->values[6] = large(texts[0], 4096, 'A', 'A'); /* base64 */
    m->values[7] = large(texts[1], 8000, 'B', '='); /* base64, padded: not canonical by its bits */
    m->values[8] = large(texts[2], 5001, 'x', '!'); /* no base64 */
}

/* ---- the store under test ---- */

static double steady(void *context)
{
    const model *m = context;

    return m->steady;
}

static double wall(void *context)
{
    const model *m = context;

    return m->now;
}

static void set_options(model *m)
{
    radisk_options *o = &m->kit->options;

    o->clock_ms = wall;
    o->context = m;

    o->limits = (radisk_limits){ .size_max = (size_t)64 << 20,
                                 .overlay_max = (size_t)8 << 20,
                                 .segment_bytes = 32 * 1024,
                                 .fold_age_ms = 50,
                                 .fold_rows = 16,
                                 .changelog_bytes = 128 * 1024,
                                 .held_max = HELD_MAX,
                                 .blob_segment_bytes = 32 * 1024 };
    if (m->style == THREADS) return;
    o->by_hand = true;
    o->now_ms = steady;
    if (m->style == FORGETFUL) {
        m->platter = platter_new(&m->chance);
        o->files = platter_files(m->platter);
    }
}

static void forget_merges(model *m)
{
    m->merges = 0;
    m->after[0] = m->is;
    m->following = false;
}

void model_open(model *m, uint64_t seed, treatment style)
{
    void *state;
    graph_memory_options options = { .bytes_max = SIZE_MAX, .held_max = HELD_MAX };

    *m = (model){ .style = style, .now = 1000, .latest = 1000, .chance = { seed } };
    assert_int_equal(kit_setup_quick(&state), 0);
    m->kit = state;
    m->after = calloc(MERGES_MAX + 1, sizeof *m->after);
    m->tickets = calloc(MERGES_MAX, sizeof *m->tickets);
    assert_true(m->after != NULL && m->tickets != NULL);
    for (int soul = 0; soul < SOULS; soul++)
        for (int key = 0; key < KEYS; key++) m->is.floors[soul][key] = -(double)INFINITY;
    name_all(m);
    value_all(m);
    set_options(m);
    assert_int_equal(graph_memory_new(&m->plain, &options), STATUS_OK);
    kit_open(m->kit);
    forget_merges(m);
}

void model_close(model *m)
{
    void *state = m->kit;

    (void)kit_teardown(&state);
    graph_memory_free(m->plain);
    if (m->platter != NULL) platter_free(m->platter);
    free(m->after);
    free(m->tickets);
}

static void step_workers(model *m)
{
    if (m->style == THREADS) return;
    if (model_chance(m, 2)) (void)radisk_step_journal(m->kit->store);
    if (model_chance(m, 2)) (void)radisk_step_folder(m->kit->store);
}

void model_work(model *m)
{
    m->steady += model_chance(m, 40) == 0 ? 11000 : model_chance(m, 30);
    step_workers(m);
    radisk_turn(m->kit->store);
}

void model_settle(model *m)
{
    kit_settle(m->kit);
}

/* ---- merges ---- */

static void merge_plain(model *m, const graph_write *writes, const ham_verdict *expected,
                        size_t count)
{
    graph *plain = graph_memory_table(m->plain);
    graph_write copies[8];
    graph_ticket ticket;

    if (m->purged) return;
    memcpy(copies, writes, count * sizeof *copies);
    assert_int_equal(plain->merge(plain->context, copies, count, (moment){ m->now, 0 }, &ticket),
                     STATUS_OK);
    for (size_t i = 0; i < count; i++) assert_int_equal(copies[i].verdict, expected[i]);
}

static void note_merge(model *m, graph_ticket ticket)
{
    if (m->merges == MERGES_MAX) return;
    m->tickets[m->merges++] = ticket;
    m->after[m->merges] = m->is;
}

void model_merge(model *m)
{
    graph_write writes[8];
    ham_verdict expected[8];
    size_t count = 1 + model_chance(m, 8);

    if (m->is.held_count + count > HELD_MAX || m->merges == MERGES_MAX) return;
    for (size_t i = 0; i < count; i++) {
        int soul = (int)model_chance(m, SOULS), key = (int)model_chance(m, KEYS);
        ham_write w = { m->now - 20 + model_chance(m, 25), m->values[model_chance(m, VALUES)] };
        if (may_be_gone(m, soul, w.state)) w.state = m->latest;
        writes[i] = (graph_write){
            .soul = m->souls[soul], .key = m->keys[key], .value = w.value, .state = w.state
        };
        expected[i] = reference_judge(m, soul, key, &w);
        if (expected[i] == HAM_WAIT) reference_hold(m, soul, key, &w);
    }
    merge_plain(m, writes, expected, count);
    graph_ticket ticket = kit_merge(m->kit, writes, count, m->now);
    for (size_t i = 0; i < count; i++) assert_int_equal(writes[i].verdict, expected[i]);
    note_merge(m, ticket);
}

/* ---- time ---- */

static int index_in(const slice *names, int count, slice name)
{
    for (int i = 0; i < count; i++)
        if (slice_equal(names[i], name)) return i;
    fail_msg("a name that was never written");
    return -1;
}

/* Held writes of one due time come in any order: the reference follows the store's. */
static bool take_due(void *visitor, const graph_row *row)
{
    model *m = visitor;
    int soul = index_in(m->souls, SOULS, row->soul), key = index_in(m->keys, KEYS, row->key);
    ham_write w = { row->state, m->values[index_in(m->values, VALUES, row->value)] };

    assert_int_equal(reference_judge(m, soul, key, &w), HAM_TAKE);
    note_merge(m, row->ticket);
    return true;
}

static bool look_away(void *visitor, const graph_row *row)
{
    (void)row;
    ++*(int *)visitor;
    return true;
}

/* What was due is not waiting any more; what the store did not take had lost. */
static void settle_held(reference *r, model *m)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->held_count; i++) {
        held h = r->held[i];
        if (h.write.state > m->now) {
            r->held[kept++] = h;
            continue;
        }
        ham_verdict v = reference_judge(m, h.soul, h.key, &h.write);
        assert_true(v == HAM_SAME || v == HAM_KEEP);
    }
    r->held_count = kept;
}

/* Nothing comes due while blobs are moved: that ends. */
static void let_collection_end(model *m)
{
    graph *g = m->kit->graph;

    while (m->is.held_count > 0 && isinf(g->next_due(g->context)))
        if (!radisk_wait(m->kit->store)) return;
}

void model_due(model *m)
{
    graph *g = m->kit->graph, *plain = graph_memory_table(m->plain);
    double next = (double)INFINITY;
    int ignored = 0;

    let_collection_end(m);
    m->now += model_chance(m, 6) == 0 ? 10 + model_chance(m, 1500) : model_chance(m, 4);
    if (model_chance(m, 10) == 0) m->now -= 2; /* clocks are set */
    if (m->now > m->latest) m->latest = m->now;
    for (int i = 0; i < 2; i++)
        assert_int_equal(g->due(g->context, (moment){ m->now, 0 }, 5, take_due, m), STATUS_OK);
    assert_int_equal(g->due(g->context, (moment){ m->now, 0 }, 1000, take_due, m), STATUS_OK);
    assert_int_equal(plain->due(plain->context, (moment){ m->now, 0 }, 1000, look_away, &ignored),
                     STATUS_OK);
    settle_held(&m->is, m);
    for (size_t i = 0; i < m->is.held_count; i++)
        if (m->is.held[i].write.state < next) next = m->is.held[i].write.state;
    assert_true(g->next_due(g->context) == next);
}

/* ---- purges ---- */

typedef struct told {
    bool done;
    status how;
    uint64_t rows;
} told;

static void note_told(void *context, status how, uint64_t rows)
{
    *(told *)context = (told){ true, how, rows };
}

/* How many rows went; *perhaps: how many of them may have gone before. */
static uint64_t purge_cells(model *m, int soul, int first, int last, double floor,
                            uint64_t *perhaps)
{
    uint64_t gone = 0;

    for (int key = first; key < last; key++) {
        cell *c = &m->is.cells[soul][key];
        gone += c->there;
        *perhaps += cell_may_be_gone(m, soul, key);
        c->there = false;
        if (floor > m->is.floors[soul][key]) m->is.floors[soul][key] = floor;
    }
    return gone;
}

/* The floor is that of the newest state it removed, if that is ahead. */
static double floor_of(const model *m, int soul, int first, int last)
{
    double floor = m->now;

    for (int key = first; key < last; key++) {
        const cell *c = &m->is.cells[soul][key];
        if (c->there && c->write.state > floor) floor = c->write.state;
        if (m->is.floors[soul][key] > floor) floor = m->is.floors[soul][key];
    }
    return floor;
}

static uint64_t purge_reference(model *m, const radisk_purge *what, int soul, int key,
                                uint64_t *perhaps)
{
    uint64_t gone = 0;
    double floor = m->now;

    if (!what->prefix) {
        int first = what->key.len > 0 ? key : 0, last = what->key.len > 0 ? key + 1 : KEYS;
        return purge_cells(m, soul, first, last, floor_of(m, soul, first, last), perhaps);
    }
    for (int i = 0; i < SOULS; i++)
        if (slice_begins(m->souls[i], what->soul) && floor_of(m, i, 0, KEYS) > floor)
            floor = floor_of(m, i, 0, KEYS);
    for (int i = 0; i < SOULS; i++)
        if (slice_begins(m->souls[i], what->soul))
            gone += purge_cells(m, i, 0, KEYS, floor, perhaps);
    return gone;
}

void model_purge(model *m)
{
    int soul = (int)model_chance(m, SOULS), key = (int)model_chance(m, KEYS);
    radisk_purge what = { .soul = m->souls[soul] };
    told answer = { .done = false };
    uint64_t perhaps = 0, gone;

    switch (model_chance(m, 3)) {
    case 0:
        what.key = m->keys[key];
        break;
    case 1:
        break;
    default:
        what.prefix = true;
        what.soul.len = 1;
        break;
    }
    assert_int_equal(
        radisk_purge_begin(m->kit->store, &what, (moment){ m->now, 0 }, note_told, &answer),
        STATUS_OK);
    radisk_turn(m->kit->store);
    while (!answer.done) assert_true(radisk_wait(m->kit->store));
    assert_int_equal(answer.how, STATUS_OK);
    gone = purge_reference(m, &what, soul, key, &perhaps);
    assert_true(answer.rows <= gone && answer.rows >= gone - perhaps);
    m->purged = true;
    m->following = false; /* a change may come back as another of the same key */
    forget_merges(m);     /* all of it is in LMDB */
}

/* ---- ends and beginnings ---- */

void model_reopen(model *m)
{
    kit_reopen(m->kit);
    m->following = false;
    forget_merges(m);
}

/* Whether a cell is what was found; what has expired may be gone, or an older one that
 * has expired may have come again. */
static bool is_shown(const model *m, int soul, const cell *c, const graph_row *found)
{
    bool vague = c->there && may_be_gone(m, soul, c->write.state);

    if (found == NULL) return vague || !c->there;
    if (vague && may_be_gone(m, soul, found->state)) return true;
    return c->there && found->state == c->write.state && slice_equal(found->value, c->write.value);
}

static bool shows(model *m, const reference *r)
{
    graph *g = m->kit->graph;

    for (int soul = 0; soul < SOULS; soul++)
        for (int key = 0; key < KEYS; key++) {
            const cell *c = &r->cells[soul][key];
            graph_row row;
            status s = g->look(g->context, m->souls[soul], m->keys[key], &row);
            if (!is_shown(m, soul, c, s == STATUS_OK ? &row : NULL)) return false;
        }
    return true;
}

/* As it was after so many merges, and everything due by now taken. */
static void go_back_to(model *m, size_t merges)
{
    m->is = m->after[merges];
    for (size_t i = 0; i < m->is.held_count; i++) {
        const held h = m->is.held[i];
        if (h.write.state <= m->now) (void)reference_judge(m, h.soul, h.key, &h.write);
    }
    settle_held(&m->is, m);
}

/* Batches settle in their order; a merge that changed nothing may be safe before
 * one that came earlier. */
static size_t count_safe(model *m)
{
    graph_progress p;
    size_t safe = 0;

    m->kit->graph->progress(m->kit->graph->context, &p);
    while (safe < m->merges && graph_settled(m->tickets[safe], &p) == GRAPH_SAFE) safe++;
    return safe;
}

/* Without power some merges that were not safe may be there and others not: then
 * every cell must be at least what was safe, and something that was written. */
static void adopt(model *m, size_t safe)
{
    graph *g = m->kit->graph;
    double now = m->now;

    go_back_to(m, safe);
    m->now = (double)INFINITY; /* what was taken stays so, though the clock went back */
    for (int soul = 0; soul < SOULS; soul++)
        for (int key = 0; key < KEYS; key++) {
            cell *c = &m->is.cells[soul][key];
            graph_row row;
            status s = g->look(g->context, m->souls[soul], m->keys[key], &row);
            bool vague = c->there && may_be_gone(m, soul, c->write.state);
            assert_true(s == STATUS_OK || (s == STATUS_NOT_FOUND && (vague || !c->there)));
            if (s != STATUS_OK || (vague && may_be_gone(m, soul, row.state))) continue;
            ham_write w = { row.state, m->values[index_in(m->values, VALUES, row.value)] };
            ham_verdict v = reference_judge(m, soul, key, &w);
            assert_true(v == HAM_TAKE || v == HAM_SAME);
        }
    m->now = now;
}

static bool note_held(void *visitor, const view_row *row)
{
    model *m = visitor;

    if (!row->held) return true;
    ham_write w = { row->state, m->values[index_in(m->values, VALUES, row->value)] };
    reference_hold(m, index_in(m->souls, SOULS, row->soul), index_in(m->keys, KEYS, row->key), &w);
    return true;
}

/* The held writes that the store has, instead of those of the reference. */
static void look_at_held(model *m)
{
    radisk_view *view;

    m->is.held_count = 0;
    assert_int_equal(radisk_view_now(m->kit->store, &view), STATUS_OK);
    assert_int_equal(view_rows(view, SLICE(""), note_held, m), STATUS_OK);
    view_close(view);
}

static bool same_write(const held *a, const held *b)
{
    return a->soul == b->soul && a->key == b->key && a->write.state == b->write.state &&
           slice_equal(a->write.value, b->write.value);
}

/* A held write that came due and lost, or became the row that is there. */
static bool has_come_due(const model *m, const held *h)
{
    const cell *c = &m->is.cells[h->soul][h->key];

    return c->there && ham_judge(&c->write, &h->write, (double)INFINITY) != HAM_TAKE;
}

/* Of the writes that wait in `one` and not in `other`, each has come due: the clock
 * may have gone back since, and the journal may still tell of it. */
static bool rest_has_come_due(const model *m, const reference *one, const reference *other)
{
    for (size_t i = 0; i < one->held_count; i++) {
        bool found = false;
        for (size_t j = 0; j < other->held_count && !found; j++)
            found = same_write(&one->held[i], &other->held[j]);
        if (!found && !has_come_due(m, &one->held[i])) return false;
    }
    return true;
}

static bool is_as(model *m, const reference *found)
{
    return shows(m, &m->is) && rest_has_come_due(m, &m->is, found) &&
           rest_has_come_due(m, found, &m->is);
}

/* Batches are written in order: over real files the store is what it was after
 * some merge, and none that was safe is missing. */
void model_crash(model *m)
{
    size_t safe = count_safe(m), at = m->merges;
    int due = 0;

    if (m->style == THREADS) return;
    radisk_crash(m->kit->store);
    m->kit->store = NULL;
    if (m->platter != NULL) (void)platter_crash(m->platter, true);
    kit_open(m->kit);
    m->following = false;
    m->purged = true; /* the plain store has not lost anything */
    graph *g = m->kit->graph;
    let_collection_end(m);
    assert_int_equal(g->due(g->context, (moment){ m->now, 0 }, HELD_MAX, look_away, &due),
                     STATUS_OK);
    look_at_held(m);
    reference found = m->is;
    if (m->style == BY_HAND) {
        for (go_back_to(m, at); !is_as(m, &found); go_back_to(m, --at)) assert_true(at > safe);
    } else {
        adopt(m, safe);
        assert_true(rest_has_come_due(m, &m->is, &found));
    }
    memcpy(m->is.held, found.held, sizeof found.held);
    m->is.held_count = found.held_count;
    forget_merges(m);
}
