/* model_check.c - the reference, and reads compared with it. */
#include "tests/unit/model.h"

#include "core/lex.h"
#include "core/policy.h"
#include "radisk/blob.h"

ham_verdict reference_judge(model *m, int soul, int key, const ham_write *w)
{
    cell *c = &m->is.cells[soul][key];
    ham_verdict v;

    if (!c->there && w->state <= m->is.floors[soul][key]) return HAM_KEEP;
    v = ham_judge(c->there ? &c->write : NULL, w, m->now);
    if (v == HAM_TAKE) {
        *c = (cell){ true, *w };
        if (m->following && m->log_len < LOGGED_MAX)
            m->log[m->log_len++] = (logged){ soul, key, *w };
    }
    return v;
}

static bool same_held(const held *h, int soul, int key, const ham_write *w)
{
    return h->waiting && h->soul == soul && h->key == key && h->write.state == w->state &&
           slice_equal(h->write.value, w->value);
}

void reference_hold(model *m, int soul, int key, const ham_write *w)
{
    reference *r = &m->is;

    for (size_t i = 0; i < r->held_count; i++)
        if (same_held(&r->held[i], soul, key, w)) return;
    assert_true(r->held_count < HELD_MAX);
    r->held[r->held_count++] = (held){ true, soul, key, *w };
}

bool may_be_gone(const model *m, int soul, double state)
{
    return policy_expired(m->life[soul], state, m->latest);
}

bool cell_may_be_gone(const model *m, int soul, int key)
{
    const cell *c = &m->is.cells[soul][key];

    return c->there && may_be_gone(m, soul, c->write.state);
}

uint64_t reference_hashed_bytes(const model *m)
{
    uint64_t bytes = 0;

    for (int soul = 0; soul < SOULS; soul++)
        for (int key = 0; key < KEYS && policy_is_hashed(m->souls[soul]); key++)
            if (m->is.cells[soul][key].there) bytes += m->is.cells[soul][key].write.value.len;
    for (size_t i = 0; i < m->is.held_count; i++)
        if (m->is.held[i].waiting && policy_is_hashed(m->souls[m->is.held[i].soul]))
            bytes += m->is.held[i].write.value.len;
    return bytes;
}

bool reference_has_rows(const model *m, int soul)
{
    for (int i = 0; i < KEYS; i++)
        if (m->is.cells[soul][i].there) return true;
    return false;
}

void expect_row(const model *m, int soul, const cell *c, const graph_row *row)
{
    assert_true(c->there);
    if (may_be_gone(m, soul, c->write.state) && may_be_gone(m, soul, row->state)) return;
    assert_true(c->write.state == row->state);
    assert_true(slice_equal(c->write.value, row->value));
}

void model_look(model *m)
{
    int soul = (int)model_chance(m, SOULS), key = (int)model_chance(m, KEYS);
    graph *g = m->kit->graph;
    graph_row row;
    status s = g->look(g->context, m->souls[soul], m->keys[key], &row);

    if (s != STATUS_NOT_FOUND || !cell_may_be_gone(m, soul, key))
        assert_int_equal(s, m->is.cells[soul][key].there ? STATUS_OK : STATUS_NOT_FOUND);
    if (s == STATUS_OK) expect_row(m, soul, &m->is.cells[soul][key], &row);
    assert_true(radisk_hashed_bytes(m->kit->store) >= reference_hashed_bytes(m));
}

static lex_range random_range(model *m, const slice *names, unsigned count)
{
    lex_range r = { .backwards = model_chance(m, 2), .has_to = model_chance(m, 2) };
    unsigned a = model_chance(m, count), b = model_chance(m, count);

    if (model_chance(m, 2)) r.from = names[a < b ? a : b];
    if (r.has_to) r.to = names[a < b ? b : a];
    r.from_open = model_chance(m, 2);
    r.to_open = model_chance(m, 2);
    return r;
}

typedef struct visit {
    const model *model;
    int soul;
    int expected[16], count, seen;
    bool vague[16]; /* or it is gone */
} visit;

static void expect(visit *v, int what, bool vague)
{
    v->vague[v->count] = vague;
    v->expected[v->count++] = what;
}

/* The next that is expected, if it is the one; those that may be gone are passed over. */
static int take_expected(visit *v, const slice *names, slice name)
{
    while (v->seen < v->count && v->vague[v->seen] &&
           !slice_equal(names[v->expected[v->seen]], name))
        v->seen++;
    assert_true(v->seen < v->count);
    assert_true(slice_equal(names[v->expected[v->seen]], name));
    return v->expected[v->seen++];
}

static void expect_no_more(visit *v)
{
    while (v->seen < v->count && v->vague[v->seen]) v->seen++;
    assert_int_equal(v->seen, v->count);
}

static bool check_key(void *visitor, const graph_row *row)
{
    visit *v = visitor;

    int key = take_expected(v, v->model->keys, row->key);
    expect_row(v->model, v->soul, &v->model->is.cells[v->soul][key], row);
    return true;
}

static bool check_soul(void *visitor, const graph_row *row)
{
    visit *v = visitor;

    (void)take_expected(v, v->model->souls, row->soul);
    return true;
}

void model_scan(model *m)
{
    visit v = { .model = m, .soul = (int)model_chance(m, SOULS) };
    lex_range r = random_range(m, m->keys, KEYS);
    graph *g = m->kit->graph;

    for (int i = 0; i < KEYS; i++) {
        int key = r.backwards ? KEYS - 1 - i : i;
        if (m->is.cells[v.soul][key].there && lex_range_has(&r, m->keys[key]))
            expect(&v, key, cell_may_be_gone(m, v.soul, key));
    }
    assert_int_equal(g->scan(g->context, m->souls[v.soul], &r, check_key, &v), STATUS_OK);
    expect_no_more(&v);
}

static bool has_living_rows(const model *m, int soul)
{
    for (int i = 0; i < KEYS; i++)
        if (m->is.cells[soul][i].there && !cell_may_be_gone(m, soul, i)) return true;
    return false;
}

void model_souls(model *m)
{
    visit v = { .model = m };
    lex_range r = random_range(m, m->souls, SOULS);
    graph *g = m->kit->graph;

    for (int i = 0; i < SOULS; i++) {
        int soul = r.backwards ? SOULS - 1 - i : i;
        if (reference_has_rows(m, soul) && lex_range_has(&r, m->souls[soul]))
            expect(&v, soul, !has_living_rows(m, soul));
    }
    assert_int_equal(g->souls(g->context, &r, check_soul, &v), STATUS_OK);
    expect_no_more(&v);
}

/* ---- views ---- */

typedef struct seen_view {
    model *model;
    int rows, waiting;
    store_hash hash;
} seen_view;

static int index_of(const slice *names, int count, slice name)
{
    for (int i = 0; i < count; i++)
        if (slice_equal(names[i], name)) return i;
    fail_msg("a name that was never written");
    return -1;
}

static bool check_view(void *visitor, const view_row *row)
{
    seen_view *v = visitor;
    model *m = v->model;
    int soul = index_of(m->souls, SOULS, row->soul), key = index_of(m->keys, KEYS, row->key);
    ham_write w = { row->state, row->value };

    assert_false(row->damaged);
    if (!row->held) {
        expect_row(m, soul, &m->is.cells[soul][key],
                   &(graph_row){ .state = row->state, .value = row->value });
        if (cell_may_be_gone(m, soul, key)) return true;
        v->rows++;
        store_hash_add(&v->hash, row);
        return true;
    }
    store_hash_add(&v->hash, row);
    v->waiting++;
    for (size_t i = 0; i < m->is.held_count; i++)
        if (same_held(&m->is.held[i], soul, key, &w)) return true;
    fail_msg("a held write that nobody sent");
    return false;
}

static store_hash hash_of_reference(const model *m, int *rows, int *waiting)
{
    store_hash h = { 0, 0 };

    for (int soul = 0; soul < SOULS; soul++)
        for (int key = 0; key < KEYS; key++) {
            const cell *c = &m->is.cells[soul][key];
            if (!c->there || cell_may_be_gone(m, soul, key)) continue;
            store_hash_add(&h, &(view_row){ .soul = m->souls[soul],
                                            .key = m->keys[key],
                                            .value = c->write.value,
                                            .state = c->write.state });
            ++*rows;
        }
    for (size_t i = 0; i < m->is.held_count; i++) {
        const held *w = &m->is.held[i];
        if (!w->waiting) continue;
        store_hash_add(&h, &(view_row){ .soul = m->souls[w->soul],
                                        .key = m->keys[w->key],
                                        .value = w->write.value,
                                        .state = w->write.state,
                                        .held = true });
        ++*waiting;
    }
    return h;
}

/* A view is everything, once, in its moment. */
void model_view(model *m)
{
    seen_view v = { .model = m };
    int rows = 0, waiting = 0;
    radisk_view *view;

    assert_int_equal(radisk_view_now(m->kit->store, &view), STATUS_OK);
    assert_int_equal(view_rows(view, SLICE(""), check_view, &v), STATUS_OK);
    view_close(view);
    store_hash expected = hash_of_reference(m, &rows, &waiting);
    assert_int_equal(v.rows, rows);
    assert_int_equal(v.waiting, waiting);
    assert_memory_equal(&v.hash, &expected, sizeof expected);
    assert_int_equal(radisk_hashed_bytes(m->kit->store), reference_hashed_bytes(m));
}

/* ---- the change log ---- */

typedef struct followed {
    model *model;
    size_t next;
} followed;

static bool is_change(const model *m, const logged *l, const graph_row *row)
{
    return slice_equal(row->soul, m->souls[l->soul]) && slice_equal(row->key, m->keys[l->key]) &&
           row->state == l->write.state && slice_equal(row->value, l->write.value);
}

/* A row of which the key was purged since does not come; nor one whose key has expired
 * and is gone; nor a large value that was written over before it was folded, when nobody
 * else names it. `row`: the one that has come, or NULL. */
static bool passes_over(const model *m, const logged *l, const graph_row *row)
{
    const cell *c = &m->is.cells[l->soul][l->key];
    bool over = c->write.state != l->write.state || !slice_equal(c->write.value, l->write.value);

    if (!c->there) return true;
    if (!cell_may_be_gone(m, l->soul, l->key) && !(over && l->write.value.len > BLOB_MIN))
        return false;
    return row == NULL || !is_change(m, l, row);
}

/* What is put again in the batch that it was put in may come twice. */
static bool came_before(const followed *f, const graph_row *row)
{
    for (size_t i = 0; i < f->next; i++)
        if (is_change(f->model, &f->model->log[i], row)) return true;
    return false;
}

static bool check_change(void *visitor, const graph_row *row)
{
    followed *f = visitor;
    model *m = f->model;

    if (came_before(f, row)) return true;
    while (f->next < m->log_len && passes_over(m, &m->log[f->next], row)) f->next++;
    assert_true(f->next < m->log_len);
    assert_true(is_change(m, &m->log[f->next++], row));
    return true;
}

void model_follow(model *m)
{
    followed f = { .model = m };
    radisk_position before, next = m->from;
    status s = STATUS_OK;

    model_settle(m);
    while (m->following && s == STATUS_OK) {
        before = next;
        s = radisk_changes(m->kit->store, before, 1 + model_chance(m, 5), check_change, &f, &next);
        if (next.segment == before.segment && next.offset == before.offset) break;
    }
    assert_true(s == STATUS_OK || s == STATUS_NOT_FOUND);
    if (m->following && s == STATUS_OK && m->log_len < LOGGED_MAX) {
        while (f.next < m->log_len && passes_over(m, &m->log[f.next], NULL)) f.next++;
        assert_int_equal(f.next, m->log_len);
    }
    m->from = radisk_here(m->kit->store);
    m->following = true;
    m->log_len = 0;
}
