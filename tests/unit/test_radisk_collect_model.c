/* test_radisk_collect_model.c - uploads, links, pins and renewals under a seed, with
 * collections, clocks, crashes and losses of power between any two steps of the workers.
 *
 * A chunk is promised when its put is durable or was known, when a bitmap was told, and
 * when something begins to name or pin its root while it is there. As long as the root is
 * named or pinned, and for a grace after all that, it has to be there, byte for byte. What
 * is promised no longer may be there or not; in the end all of it is gone.
 *
 * RADISK_SEEDS sets how many, RADISK_SEED runs one again.
 */
#include "radisk/raw.h"
#include "tests/sim/platter.h"
#include "tests/unit/audio_kit.h"

#include <string.h>

enum { SEEDS = 150, STEPS = 400, ROOTS = 4, CHUNKS = 3, LINKS = 3, OWED_MAX = 4096 };

#define GRACE 24000.0

typedef struct chunk {
    bool promised;
    double since; /* the last promise */
    bool lasts;   /* a crash does not take it back to: */
    bool promised_hard;
    double since_hard;
} chunk;

/* A put that is not durable yet. */
typedef struct owed {
    int root, chunk;
    graph_ticket ticket;
    double when;
} owed;

typedef struct model {
    kit *kit;
    platter *platter; /* NULL: real files */
    dice chance;
    chunk chunks[ROOTS][CHUNKS];
    int links[LINKS]; /* the root that each names; -1: none */
    bool pinned[ROOTS];
    owed owed[OWED_MAX];
    size_t owed_len;
    uint64_t gone;
} model;

static const char *const roots[ROOTS] = {
    R1, R2, R3, "44444444444444444444444444444444444444444444444444444444444444dd"
};
static const char *const links[ROOTS] = {
    LINK(R1),
    LINK(R2),
    LINK(R3),
    LINK("44444444444444444444444444444444444444444444444444444444444444dd"),
};

/* The platter's, who tests the store and not itself. */
void *must(void *memory);
void *must(void *memory)
{
    if (memory == NULL) abort();
    return memory;
}

static unsigned below(model *m, unsigned n)
{
    return dice_below(&m->chance, n);
}

/* ---- what is promised ---- */

static bool is_kept(const model *m, int root)
{
    for (int i = 0; i < LINKS; i++)
        if (m->links[i] == root) return true;
    return m->pinned[root];
}

static bool is_here(model *m, int root, int i)
{
    return audio_has_chunk(m->kit, roots[root], i);
}

static void promise(model *m, int root, int i, double when, bool lasts)
{
    chunk *c = &m->chunks[root][i];

    if (!c->promised || when > c->since) c->since = when;
    c->promised = true;
    if (!lasts) return;
    if (!c->promised_hard || when > c->since_hard) c->since_hard = when;
    c->promised_hard = true;
}

/* Whatever is here of it. */
static void promise_root(model *m, int root, bool lasts)
{
    for (int i = 0; i < CHUNKS; i++)
        if (is_here(m, root, i)) promise(m, root, i, audio_wall, lasts);
}

static bool has_lapsed(double since)
{
    return audio_wall - since > GRACE;
}

static void let_lapse(model *m)
{
    for (int r = 0; r < ROOTS; r++)
        for (int i = 0; i < CHUNKS; i++) {
            chunk *c = &m->chunks[r][i];
            if (is_kept(m, r) && c->promised) promise(m, r, i, audio_wall, c->promised_hard);
            if (c->promised && has_lapsed(c->since)) c->promised = false;
            if (c->promised_hard && has_lapsed(c->since_hard)) c->promised_hard = false;
        }
}

static void look(model *m, int root, int i)
{
    char soul[100], key[64], wanted[256];
    slice raw;

    (void)snprintf(soul, sizeof soul, "audio/%s#0", roots[root]);
    audio_key(key, i);
    status s = radisk_raw(m->kit->store, kit_text(soul), kit_text(key), &raw);
    if (s != STATUS_OK)
        fail_msg("chunk %d of root %d is gone: %s; promised %.0f ms ago, kept: %d", i, root,
                 status_text(s), audio_wall - m->chunks[root][i].since, is_kept(m, root));
    (void)snprintf(wanted, sizeof wanted, "%s", audio_text(i + 10 * root));
    assert_int_equal(raw.len, (strlen(wanted) - 2) / 4 * 3);
}

static void check(model *m)
{
    let_lapse(m);
    for (int r = 0; r < ROOTS; r++)
        for (int i = 0; i < CHUNKS; i++)
            if (m->chunks[r][i].promised) look(m, r, i);
}

/* ---- steps ---- */

static void take_acks(model *m)
{
    size_t left = 0;

    for (size_t i = 0; i < m->owed_len; i++) {
        const owed *o = &m->owed[i];
        if (kit_state(m->kit, o->ticket) == GRAPH_SAFE)
            promise(m, o->root, o->chunk, o->when, true);
        else
            m->owed[left++] = *o;
    }
    m->owed_len = left;
}

static void turn(model *m)
{
    radisk_turn(m->kit->store);
    take_acks(m);
}

static void flush(model *m)
{
    assert_int_equal(radisk_flush(m->kit->store), STATUS_OK);
    turn(m);
}

/* What is known is promised at once, though a crash may take that back. */
static void put_chunk(model *m)
{
    int root = (int)below(m, ROOTS), i = (int)below(m, CHUNKS);
    char soul[100], key[64];

    (void)snprintf(soul, sizeof soul, "audio/%s#0", roots[root]);
    audio_key(key, i);
    graph_write w = kit_write(soul, key, audio_text(i + 10 * root), 1);
    graph_ticket ticket = kit_merge(m->kit, &w, 1, 2 * T);
    if (w.verdict == HAM_SAME && kit_state(m->kit, ticket) == GRAPH_SAFE)
        promise(m, root, i, audio_wall, false);
    else if (m->owed_len < OWED_MAX)
        m->owed[m->owed_len++] = (owed){ root, i, ticket, audio_wall };
    if (below(m, 2) == 0) flush(m);
}

/* What comes and goes between two folds is not met by the folder, and promises nothing. */
static void put_link(model *m)
{
    int i = (int)below(m, LINKS), root = (int)below(m, ROOTS + 2);
    char soul[16];

    if (m->links[i] >= 0) assert_int_equal(radisk_fold(m->kit->store), STATUS_OK);

    if (root >= ROOTS) root = -1;
    if (root >= 0) promise_root(m, root, false);
    (void)snprintf(soul, sizeof soul, "link/%d", i);
    audio_put(m->kit, soul, "a", root < 0 ? "null" : links[root]);
    let_lapse(m);
    m->links[i] = root;
    flush(m);
    for (int c = 0; c < CHUNKS && root >= 0; c++)
        if (m->chunks[root][c].promised) promise(m, root, c, audio_wall, true);
}

static void put_pin(model *m)
{
    int root = (int)below(m, ROOTS);
    bool on = !m->pinned[root];

    let_lapse(m);
    if (on) promise_root(m, root, false);
    (void)audio_pin(m->kit, roots[root], on);
    turn(m);
    m->pinned[root] = on;
    for (int c = 0; c < CHUNKS && on; c++)
        if (m->chunks[root][c].promised) promise(m, root, c, audio_wall, true);
}

static void tell_bitmap(model *m)
{
    int root = (int)below(m, ROOTS);

    promise_root(m, root, false);
    audio_renew(m->kit, roots[root]);
}

/* While another one is under way it is not begun. */
static bool begin_pass(model *m, bool dry_run)
{
    radisk_collect wish = { .grace_ms = -1, .dry_run = dry_run };
    status s = radisk_collect_begin(m->kit->store, &wish);

    assert_true(s == STATUS_OK || s == STATUS_BUSY);
    return s == STATUS_OK;
}

static void work(model *m)
{
    unsigned what = below(m, 5);

    if (what < 2) (void)radisk_step_journal(m->kit->store);
    if (what == 2 || what == 3) (void)radisk_step_folder(m->kit->store);
    turn(m);
}

/* All that is to do at a time is done: what was noted is on the disk. */
static void rest(model *m)
{
    for (int i = 0; i < 3; i++) { /* notes wait for a second, and again behind a pass */
        audio_steady += 2000;
        turn(m);
        while (radisk_wait(m->kit->store)) turn(m);
    }
    for (int r = 0; r < ROOTS; r++)
        for (int i = 0; i < CHUNKS; i++)
            if (m->chunks[r][i].promised) promise(m, r, i, m->chunks[r][i].since, true);
}

static void pass_time(model *m)
{
    double ms = (double)below(m, (unsigned)(below(m, 4) == 0 ? GRACE / 2 : GRACE / 50));

    let_lapse(m);
    audio_wall += ms;
    audio_steady += ms;
}

/* A pass over what has lapsed is halted anywhere, and then people come. */
static void race(model *m)
{
    let_lapse(m);
    audio_wall += 1.1 * GRACE;
    let_lapse(m);
    (void)begin_pass(m, false);
    for (unsigned steps = below(m, 12); steps > 0; steps--) {
        turn(m);
        (void)radisk_step_journal(m->kit->store);
        (void)radisk_step_folder(m->kit->store);
    }
    turn(m);
    for (unsigned i = below(m, 6); i > 0; i--) {
        put_chunk(m);
        if (below(m, 4) == 0) tell_bitmap(m);
    }
}

static void crash(model *m)
{
    let_lapse(m);
    if (m->platter != NULL && below(m, 2) == 0) {
        platter_die_after(m->platter, below(m, 12));
        (void)radisk_step_journal(m->kit->store);
        (void)radisk_step_folder(m->kit->store);
    }
    m->gone += kit_stats(m->kit).roots_collected;
    radisk_crash(m->kit->store);
    if (m->platter != NULL) (void)platter_crash(m->platter, below(m, 2) == 0);
    kit_open(m->kit);
    m->owed_len = 0;
    for (int r = 0; r < ROOTS; r++)
        for (int i = 0; i < CHUNKS; i++) {
            chunk *c = &m->chunks[r][i];
            c->promised = c->promised_hard;
            c->since = c->since_hard;
        }
}

static void one_step(model *m)
{
    unsigned what = below(m, 40);

    if (what < 14)
        work(m);
    else if (what < 22)
        put_chunk(m);
    else if (what < 26)
        put_link(m);
    else if (what < 28)
        put_pin(m);
    else if (what < 31)
        tell_bitmap(m);
    else if (what < 35)
        pass_time(m);
    else if (what < 38)
        (void)begin_pass(m, below(m, 8) == 0);
    else if (what == 38)
        race(m);
    else if (below(m, 2) == 0)
        rest(m);
    else if (below(m, 3) == 0)
        crash(m);
    check(m);
}

/* ---- a run ---- */

static void open_model(model *m, kit *k, uint64_t seed)
{
    *m = (model){ .kit = k, .chance = { seed * 7919 } };
    for (int i = 0; i < LINKS; i++) m->links[i] = -1;
    if (seed % 2 == 0) m->platter = platter_new(&m->chance);
    if (m->platter != NULL) k->options.files = platter_files(m->platter);
    k->options.by_hand = true;
    k->options.limits.audio_grace_ms = (size_t)GRACE;
    k->options.limits.audio_pass_ms = 20000;
    k->options.limits.fold_rows = 1 + below(m, 6);
    k->options.limits.blob_segment_bytes = 2000;
    kit_open(k);
}

static void end_model(model *m)
{
    for (int i = 0; i < LINKS; i++) {
        char soul[16];
        (void)snprintf(soul, sizeof soul, "link/%d", i);
        audio_put(m->kit, soul, "a", "null");
    }
    for (int r = 0; r < ROOTS; r++) (void)audio_pin(m->kit, roots[r], false);
    rest(m);
    audio_wall += 2 * GRACE;
    rest(m);
    assert_true(begin_pass(m, false));
    rest(m);
    m->gone += kit_stats(m->kit).roots_collected;
    for (int r = 0; r < ROOTS; r++)
        for (int i = 0; i < CHUNKS; i++) assert_false(is_here(m, r, i));
    assert_int_equal(radisk_hashed_bytes(m->kit->store), 0);
}

static uint64_t run_seed(uint64_t seed)
{
    void *state = NULL;
    static model m;

    assert_int_equal(audio_setup(&state), 0);
    open_model(&m, state, seed);
    for (int i = 0; i < STEPS; i++) one_step(&m);
    end_model(&m);
    if (m.platter == NULL) (void)audio_check(m.kit);
    assert_int_equal(kit_teardown(&state), 0);
    platter_free(m.platter);
    return m.gone;
}

static int number_of(const char *name, int otherwise)
{
    const char *value = getenv(name);

    return value == NULL ? otherwise : atoi(value);
}

/* The seed that failed is still here. */
static int print_seed(void **state)
{
    const int *seed = *state;

    if (*seed != 0) print_error("again with RADISK_SEED=%d\n", *seed);
    return 0;
}

static void what_is_promised_is_kept_and_nothing_else(void **state)
{
    int first = number_of("RADISK_SEED", 1);
    int last = number_of("RADISK_SEED", number_of("RADISK_SEEDS", SEEDS));
    uint64_t gone = 0;
    int *seed = *state;

    for (*seed = first; *seed <= last; ++*seed) gone += run_seed((uint64_t)*seed);
    if (last - first > 20) assert_true(gone > (uint64_t)(last - first)); /* it has been tried */
    *seed = 0;
}

int main(void)
{
    int seed = 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(what_is_promised_is_kept_and_nothing_else, NULL,
                                                 print_seed, &seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
