/* model_check.c - the reference, and reads compared with it. */
#include "tests/unit/model.h"

#include "core/lex.h"

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

bool reference_has_rows(const model *m, int soul)
{
    for (int i = 0; i < KEYS; i++)
        if (m->is.cells[soul][i].there) return true;
    return false;
}

void expect_row(const cell *c, const graph_row *row)
{
    assert_true(c->there);
    assert_true(c->write.state == row->state);
    assert_true(slice_equal(c->write.value, row->value));
}

void model_look(model *m)
{
    int soul = (int)model_chance(m, SOULS), key = (int)model_chance(m, KEYS);
    graph *g = m->kit->graph;
    graph_row row;
    status s = g->look(g->context, m->souls[soul], m->keys[key], &row);

    assert_int_equal(s, m->is.cells[soul][key].there ? STATUS_OK : STATUS_NOT_FOUND);
    if (s == STATUS_OK) expect_row(&m->is.cells[soul][key], &row);
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
} visit;

static bool check_key(void *visitor, const graph_row *row)
{
    visit *v = visitor;

    assert_true(v->seen < v->count);
    int key = v->expected[v->seen++];
    assert_true(slice_equal(row->key, v->model->keys[key]));
    expect_row(&v->model->is.cells[v->soul][key], row);
    return true;
}

static bool check_soul(void *visitor, const graph_row *row)
{
    visit *v = visitor;

    assert_true(v->seen < v->count);
    assert_true(slice_equal(row->soul, v->model->souls[v->expected[v->seen++]]));
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
            v.expected[v.count++] = key;
    }
    assert_int_equal(g->scan(g->context, m->souls[v.soul], &r, check_key, &v), STATUS_OK);
    assert_int_equal(v.seen, v.count);
}

void model_souls(model *m)
{
    visit v = { .model = m };
    lex_range r = random_range(m, m->souls, SOULS);
    graph *g = m->kit->graph;

    for (int i = 0; i < SOULS; i++) {
        int soul = r.backwards ? SOULS - 1 - i : i;
        if (reference_has_rows(m, soul) && lex_range_has(&r, m->souls[soul]))
            v.expected[v.count++] = soul;
    }
    assert_int_equal(g->souls(g->context, &r, check_soul, &v), STATUS_OK);
    assert_int_equal(v.seen, v.count);
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
    store_hash_add(&v->hash, row);
    if (!row->held) {
        v->rows++;
        expect_row(&m->is.cells[soul][key],
                   &(graph_row){ .state = row->state, .value = row->value });
        return true;
    }
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
            if (!c->there) continue;
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
}

/* ---- the change log ---- */

typedef struct followed {
    model *model;
    size_t next;
} followed;

/* A row of which the key was purged since does not come. */
static bool check_change(void *visitor, const graph_row *row)
{
    followed *f = visitor;
    model *m = f->model;

    while (f->next < m->log_len && !m->is.cells[m->log[f->next].soul][m->log[f->next].key].there)
        f->next++;
    assert_true(f->next < m->log_len);
    const logged *l = &m->log[f->next++];
    assert_true(slice_equal(row->soul, m->souls[l->soul]));
    assert_true(slice_equal(row->key, m->keys[l->key]));
    assert_true(row->state == l->write.state && slice_equal(row->value, l->write.value));
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
        while (f.next < m->log_len && !m->is.cells[m->log[f.next].soul][m->log[f.next].key].there)
            f.next++;
        assert_int_equal(f.next, m->log_len);
    }
    m->from = radisk_here(m->kit->store);
    m->following = true;
    m->log_len = 0;
}
