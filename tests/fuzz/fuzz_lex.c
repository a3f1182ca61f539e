/* fuzz_lex.c - every object of a document as a query, every string as a name.
 *
 * The interval has what the words of the rule say, the order of names is the
 * order of a walk, and a walk that goes on after each name meets every one once.
 */
#include "core/lex.h"
#include "tests/fuzz/fuzz.h"

enum { NAMES_MOST = 24, QUERIES_MOST = 8 };
static const json_bounds BOUNDS = { .depth_max = 16, .tokens_max = 1024 };

typedef struct names {
    slice at[NAMES_MOST];
    size_t count;
} names;

/* Sorted, each once. */
static void add_name(names *n, slice name)
{
    size_t i = n->count;

    if (i == NAMES_MOST) return;
    while (i > 0 && slice_order(n->at[i - 1], name) > 0) --i;
    if (i > 0 && slice_equal(n->at[i - 1], name)) return;
    memmove(&n->at[i + 1], &n->at[i], (n->count - i) * sizeof *n->at);
    n->at[i] = name;
    ++n->count;
}

static bool asks_for(const lex *q, slice name)
{
    slice rest = name;

    if (q->has_exact) return slice_equal(name, q->exact);
    if (q->has_prefix) {
        if (!slice_begins(name, q->prefix)) return false;
        rest = (slice){ name.at + q->prefix.len, name.len - q->prefix.len };
    }
    if (q->has_from && slice_order(rest, q->from) < 0) return false;
    return !q->has_to || q->to.len == 0 || slice_order(rest, q->to) <= 0;
}

static size_t first_in(const names *n, const lex_range *r)
{
    for (size_t i = 0; i < n->count; ++i) {
        size_t k = r->backwards ? n->count - 1 - i : i;
        if (lex_range_has(r, n->at[k])) return k;
    }
    return n->count;
}

static void check_walk(const names *n, const lex *q, lex_range r)
{
    size_t wanted = 0, met = 0, last = n->count;

    for (size_t i = 0; i < n->count; ++i) wanted += asks_for(q, n->at[i]);
    for (size_t i = first_in(n, &r); i < n->count; i = first_in(n, &r), ++met) {
        must(last == n->count || (r.backwards ? i < last : i > last));
        r = lex_range_after(&r, n->at[i]);
        last = i;
    }
    must(met == wanted);
}

static void check_query(const json *j, arena *a, uint32_t i, const names *n)
{
    lex q;
    lex_range r;

    must(lex_read(j, a, i, &q) == STATUS_OK && lex_to_range(&q, a, &r) == STATUS_OK);
    for (size_t k = 0; k < n->count; ++k) {
        must(lex_range_has(&r, n->at[k]) == asks_for(&q, n->at[k]));
        lex exact = { .has_exact = true, .exact = n->at[k] };
        must(lex_match(&exact, n->at[k]) == (n->at[k].len > 0));
        /* What begins with a prefix that is not empty always matches. */
        if (!q.odd && !q.has_exact && q.has_prefix && q.prefix.len > 0) {
            must(lex_match(&q, n->at[k]) == slice_begins(n->at[k], q.prefix));
        }
    }
    must(q.limit >= 0);
    check_walk(n, &q, r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a = arena_make(SIZE_MAX / 4);
    names n = { .count = 0 };
    unsigned queries = 0;
    json j;

    if (json_read(&j, &a, (slice){ (const char *)data, size }, &BOUNDS) != STATUS_OK) goto out;
    for (uint32_t i = 0; i < j.count; ++i) {
        slice name;
        if (json_name(&j, &a, i, &name) == STATUS_OK) add_name(&n, name);
    }
    for (uint32_t i = 0; i < j.count && queries < QUERIES_MOST; ++i) {
        if (j.tokens[i].type != JSON_OBJECT) continue;
        check_query(&j, &a, i, &n);
        ++queries;
    }
out:
    arena_free(&a);
    return 0;
}
