/* lex.c - see lex.h. */
#include "core/lex.h"

#include "core/number.h"

#include <math.h>

/* ---- reading */

/* Takes the string member `key` of a query; one that is no string is noted. */
static status read_bound(const json *j, arena *a, uint32_t i, slice key, bool *has, slice *out,
                         bool *odd)
{
    uint32_t at = json_member(j, i, key);

    if (at == 0) return STATUS_OK;
    if (j->tokens[at].type != JSON_STRING) {
        *odd = true;
        return STATUS_OK;
    }
    *has = true;
    return json_name(j, a, at, out);
}

static double read_limit(const json *j, uint32_t at)
{
    double x;

    if (at == 0 || j->tokens[at].type != JSON_NUMBER) return 0;
    return number_read(json_raw(j, at), &x) && x > 0 ? x : 0;
}

status lex_read(const json *j, arena *a, uint32_t i, lex *out)
{
    lex q = { 0 };
    status s = read_bound(j, a, i, SLICE("="), &q.has_exact, &q.exact, &q.odd);

    if (s == STATUS_OK) s = read_bound(j, a, i, SLICE("*"), &q.has_prefix, &q.prefix, &q.odd);
    if (s == STATUS_OK) s = read_bound(j, a, i, SLICE(">"), &q.has_from, &q.from, &q.odd);
    if (s == STATUS_OK) s = read_bound(j, a, i, SLICE("<"), &q.has_to, &q.to, &q.odd);
    if (s != STATUS_OK) return s;

    q.backwards = json_is_truthy(j, json_member(j, i, SLICE("-")));
    q.limit = read_limit(j, json_member(j, i, SLICE("%")));
    *out = q;
    return STATUS_OK;
}

/* ---- the interval */

static status join(arena *a, slice head, slice tail, slice *out)
{
    *out = arena_join(a, head, tail, SLICE(""));
    return out->at == NULL ? arena_failure(a, head.len + tail.len) : STATUS_OK;
}

/* The first text behind all that begin with the prefix: its last byte raised
 * by one. No byte of a name is 0xFF, so there is no carry. */
static status end_of_prefix(arena *a, slice prefix, lex_range *r)
{
    slice end = arena_copy(a, prefix);

    if (end.at == NULL) return arena_failure(a, prefix.len);
    char *last = (char *)end.at + end.len - 1;
    *last = (char)((unsigned char)*last + 1);
    r->to = end;
    r->has_to = r->to_open = true;
    return STATUS_OK;
}

static bool is_empty(const lex_range *r)
{
    if (!r->has_to) return false;
    int order = slice_order(r->from, r->to);
    return order > 0 || (order == 0 && (r->from_open || r->to_open));
}

static status bounds_of(const lex *q, arena *a, lex_range *r)
{
    status s = STATUS_OK;
    bool prefixed = q->has_prefix && q->prefix.len > 0;
    /* A "<" of nothing is no bound to a store (vectors: radisk, "end": ""). */
    bool bounded = q->has_to && q->to.len > 0;

    if (!prefixed) {
        if (q->has_from) r->from = q->from;
        if (bounded) r->to = q->to;
        r->has_to = bounded;
        return STATUS_OK;
    }
    r->from = q->prefix;
    if (q->has_from && q->from.len > 0) s = join(a, q->prefix, q->from, &r->from);
    if (s != STATUS_OK) return s;
    if (!bounded) return end_of_prefix(a, q->prefix, r);
    r->has_to = true;
    return join(a, q->prefix, q->to, &r->to);
}

status lex_to_range(const lex *query, arena *a, lex_range *out)
{
    lex_range r = { .from = SLICE(""), .to = SLICE(""), .backwards = query->backwards };

    if (query->has_exact) {
        r.from = r.to = query->exact;
        r.has_to = true;
    } else {
        status s = bounds_of(query, a, &r);
        if (s != STATUS_OK) return s;
    }
    r.empty = is_empty(&r);
    *out = r;
    return STATUS_OK;
}

bool lex_range_has(const lex_range *range, slice name)
{
    if (range->empty) return false;
    int order = slice_order(name, range->from);
    if (order < 0 || (order == 0 && range->from_open)) return false;
    if (!range->has_to) return true;
    order = slice_order(name, range->to);
    return order < 0 || (order == 0 && !range->to_open);
}

lex_range lex_range_after(const lex_range *range, slice last)
{
    lex_range rest = *range;

    if (range->empty) return rest;
    if (!range->backwards && slice_order(last, range->from) >= 0) {
        rest.from = last;
        rest.from_open = true;
    }
    if (range->backwards && (!range->has_to || slice_order(last, range->to) <= 0)) {
        rest.to = last;
        rest.has_to = rest.to_open = true;
    }
    rest.empty = is_empty(&rest);
    return rest;
}

/* ---- String.match */

/* The first of the query's texts that is not empty: gun tests a name for
 * equality with that one before anything else. */
static bool equals_first(const lex *q, slice name)
{
    if (q->has_exact && q->exact.len > 0) return slice_equal(name, q->exact);
    if (q->has_prefix && q->prefix.len > 0) return slice_equal(name, q->prefix);
    if (q->has_from && q->from.len > 0) return slice_equal(name, q->from);
    return q->has_to && slice_equal(name, q->to);
}

/* Whether the name begins with "*" or, where that is absent or empty, with ">":
 * so {">":"ab","<":"abb"} matches "abc", in gun and in vectors/lex.json. */
static bool begins_with_first(const lex *q, slice name)
{
    if (q->has_prefix && q->prefix.len > 0) return slice_begins(name, q->prefix);
    return q->has_from && slice_begins(name, q->from);
}

bool lex_match(const lex *query, slice name)
{
    if (query->odd) return false;
    if (equals_first(query, name)) return true;
    if (query->has_exact) return false;
    if (begins_with_first(query, name)) return true;
    if (query->has_prefix) return false;
    if (!query->has_from && !query->has_to) return false;
    return (!query->has_from || slice_order(name, query->from) >= 0) &&
           (!query->has_to || slice_order(name, query->to) <= 0);
}
