/* test_radisk_model.c - random merges, reads, turns and restarts under a seed,
 * against a model that is too dumb to be wrong. RADISK_SEEDS sets how many.
 */
#include "tests/unit/radisk_kit.h"

#include "core/lex.h"

#include <string.h>

enum { SEEDS = 100, STEPS = 300, SOULS = 7, KEYS = 12, HELD_MAX = 4096 };

typedef struct cell {
    bool there;
    ham_write write;
} cell;

typedef struct held {
    bool waiting;
    int soul, key;
    ham_write write;
} held;

typedef struct model {
    kit *kit;
    uint64_t chance;
    double now;
    slice souls[SOULS], keys[KEYS]; /* in order */
    char long_names[4][600];
    cell cells[SOULS][KEYS];
    held held[HELD_MAX];
    size_t held_count;
} model;

static const char *const VALUES[] = { "null", "true", "1", "\"a\"", "\"a!\"", "{\"#\":\"x\"}" };

static unsigned chance(model *m, unsigned below)
{
    m->chance ^= m->chance << 13;
    m->chance ^= m->chance >> 7;
    m->chance ^= m->chance << 17;
    return (unsigned)((m->chance >> 20) % below);
}

static int in_order(const void *a, const void *b)
{
    return slice_order(*(const slice *)a, *(const slice *)b);
}

/* Short names, empty-looking ones, and four that share 440 bytes. */
static void name_all(model *m)
{
    static const char *const plain[] = {
        "a", "b", "ba", "z", "\x1b", "\xed\xa0\x80\xed\xb0\x80", "\xee\x80\x80", "0"
    };

    for (int i = 0; i < 4; i++) {
        memset(m->long_names[i], 'l', 440);
        (void)snprintf(m->long_names[i] + 440, 100, "%d", i * 37 % 10);
    }
    for (int i = 0; i < KEYS; i++) m->keys[i] = kit_text(i < 8 ? plain[i] : m->long_names[i - 8]);
    m->keys[7] = SLICE("a\0b");
    for (int i = 0; i < SOULS; i++) m->souls[i] = m->keys[i + 4];
    qsort(m->keys, KEYS, sizeof m->keys[0], in_order);
    qsort(m->souls, SOULS, sizeof m->souls[0], in_order);
}

static ham_verdict judge(model *m, int soul, int key, const ham_write *w)
{
    cell *c = &m->cells[soul][key];
    ham_verdict v = ham_judge(c->there ? &c->write : NULL, w, m->now);

    if (v == HAM_TAKE) *c = (cell){ true, *w };
    return v;
}

static bool same_held(const held *h, int soul, int key, const ham_write *w)
{
    return h->waiting && h->soul == soul && h->key == key && h->write.state == w->state &&
           slice_equal(h->write.value, w->value);
}

static void hold(model *m, int soul, int key, const ham_write *w)
{
    for (size_t i = 0; i < m->held_count; i++)
        if (same_held(&m->held[i], soul, key, w)) return;
    assert_true(m->held_count < HELD_MAX);
    m->held[m->held_count++] = (held){ true, soul, key, *w };
}

static void merge_some(model *m)
{
    graph_write writes[8];
    ham_verdict expected[8];
    size_t count = 1 + chance(m, 8);

    for (size_t i = 0; i < count; i++) {
        int soul = (int)chance(m, SOULS), key = (int)chance(m, KEYS);
        ham_write w = { m->now - 20 + chance(m, 25), kit_text(VALUES[chance(m, 6)]) };
        writes[i] = (graph_write){
            .soul = m->souls[soul], .key = m->keys[key], .value = w.value, .state = w.state
        };
        expected[i] = judge(m, soul, key, &w);
        if (expected[i] == HAM_WAIT) hold(m, soul, key, &w);
    }
    kit_merge(m->kit, writes, count, m->now);
    for (size_t i = 0; i < count; i++) assert_int_equal(writes[i].verdict, expected[i]);
}

static void expect_row(const cell *c, const graph_row *row)
{
    assert_true(c->there);
    assert_true(c->write.state == row->state);
    assert_true(slice_equal(c->write.value, row->value));
}

static void look_once(model *m)
{
    int soul = (int)chance(m, SOULS), key = (int)chance(m, KEYS);
    graph *g = m->kit->graph;
    graph_row row;
    status s = g->look(g->context, m->souls[soul], m->keys[key], &row);

    assert_int_equal(s, m->cells[soul][key].there ? STATUS_OK : STATUS_NOT_FOUND);
    if (s == STATUS_OK) expect_row(&m->cells[soul][key], &row);
}

static lex_range random_range(model *m, const slice *names, unsigned count)
{
    lex_range r = { .backwards = chance(m, 2), .has_to = chance(m, 2) };
    unsigned a = chance(m, count), b = chance(m, count);

    if (chance(m, 2)) r.from = names[a < b ? a : b];
    if (r.has_to) r.to = names[a < b ? b : a];
    r.from_open = chance(m, 2);
    r.to_open = chance(m, 2);
    return r;
}

typedef struct visit {
    const model *model;
    int soul;
    int expected[16], count, seen;
} visit;

static bool check_key(void *visitor, const graph_row *row)
{
    visit *v = visitor;

    assert_true(v->seen < v->count);
    int key = v->expected[v->seen++];
    assert_true(slice_equal(row->key, v->model->keys[key]));
    expect_row(&v->model->cells[v->soul][key], row);
    return true;
}

static bool check_soul(void *visitor, const graph_row *row)
{
    visit *v = visitor;

    assert_true(v->seen < v->count);
    assert_true(slice_equal(row->soul, v->model->souls[v->expected[v->seen++]]));
    return true;
}

static bool has_rows(const model *m, int soul)
{
    for (int i = 0; i < KEYS; i++)
        if (m->cells[soul][i].there) return true;
    return false;
}

static void scan_once(model *m)
{
    visit v = { .model = m, .soul = (int)chance(m, SOULS) };
    lex_range r = random_range(m, m->keys, KEYS);
    graph *g = m->kit->graph;

    for (int i = 0; i < KEYS; i++) {
        int key = r.backwards ? KEYS - 1 - i : i;
        if (m->cells[v.soul][key].there && lex_range_has(&r, m->keys[key]))
            v.expected[v.count++] = key;
    }
    assert_int_equal(g->scan(g->context, m->souls[v.soul], &r, check_key, &v), STATUS_OK);
    assert_int_equal(v.seen, v.count);
}

static void list_souls(model *m)
{
    visit v = { .model = m };
    lex_range r = random_range(m, m->souls, SOULS);
    graph *g = m->kit->graph;

    for (int i = 0; i < SOULS; i++) {
        int soul = r.backwards ? SOULS - 1 - i : i;
        if (has_rows(m, soul) && lex_range_has(&r, m->souls[soul])) v.expected[v.count++] = soul;
    }
    assert_int_equal(g->souls(g->context, &r, check_soul, &v), STATUS_OK);
    assert_int_equal(v.seen, v.count);
}

/* What is due in the model, and how many still wait. */
static size_t release_all(model *m)
{
    size_t left = 0;

    for (size_t i = 0; i < m->held_count; i++) {
        held *h = &m->held[i];
        if (h->waiting && h->write.state <= m->now) {
            h->waiting = false;
            (void)judge(m, h->soul, h->key, &h->write);
        }
        left += h->waiting;
    }
    return left;
}

static void pass_time(model *m)
{
    double next = (double)INFINITY;

    m->now += chance(m, 4);
    for (int i = 0; i < 3 && kit_due(m->kit, m->now, 5)[0] != '\0'; i++) continue;
    (void)kit_due(m->kit, m->now, 1000);
    size_t left = release_all(m);
    for (size_t i = 0; i < m->held_count; i++)
        if (m->held[i].waiting && m->held[i].write.state < next) next = m->held[i].write.state;
    assert_true(m->kit->graph->next_due(m->kit->graph->context) == next);
    assert_true((left == 0) == (bool)isinf(next));
}

static void one_step(model *m)
{
    switch (chance(m, 20)) {
    case 0:
    case 1:
    case 2:
        radisk_turn(m->kit->store);
        break;
    case 3:
        pass_time(m);
        break;
    case 4:
        kit_settle(m->kit);
        break;
    case 5:
        if (chance(m, 6) == 0) kit_reopen(m->kit);
        break;
    case 6:
    case 7:
        list_souls(m);
        break;
    case 8:
    case 9:
    case 10:
        scan_once(m);
        break;
    case 11:
    case 12:
        look_once(m);
        break;
    default:
        merge_some(m);
        break;
    }
}

static void run_seed(uint64_t seed)
{
    void *state;
    model *m = calloc(1, sizeof *m);

    assert_non_null(m);
    assert_int_equal(kit_setup_quick(&state), 0);
    m->kit = state;
    m->kit->options.limits.held_max = HELD_MAX;
    m->chance = seed * 0x9E3779B97F4A7C15ull | 1;
    m->now = 1000;
    name_all(m);
    kit_open(m->kit);
    for (int i = 0; i < STEPS; i++) one_step(m);
    kit_reopen(m->kit);
    for (int i = 0; i < 20; i++) {
        scan_once(m);
        list_souls(m);
    }
    (void)kit_teardown(&state);
    free(m);
}

/* The seed that failed is still here. */
static int print_seed(void **state)
{
    const int *seed = *state;

    if (*seed != 0) print_error("seed %d\n", *seed);
    return 0;
}

static void the_store_is_what_the_model_is(void **state)
{
    int seeds = getenv("RADISK_SEEDS") != NULL ? atoi(getenv("RADISK_SEEDS")) : SEEDS;
    int *seed = *state;

    for (*seed = 1; *seed <= seeds; ++*seed) run_seed((uint64_t)*seed);
    *seed = 0;
}

int main(void)
{
    int seed = 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(the_store_is_what_the_model_is, NULL, print_seed,
                                                 &seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
