/* lex.h - lexical queries: which names a get asks for, and in which order.
 *
 * A query stands where a name could: under "." (keys of a soul) or under "#"
 * (souls). {"=":x} one name, {"*":p} a prefix, {">":a} from a, {"<":b} to b
 * (both included), together a range, "-":1 from the end backwards. With a
 * prefix, the bounds are compared with what FOLLOWS the prefix (protocol.md
 * 4.1). "%" bounds the answer in units; it and "-" may also stand beside "#".
 *
 * Two readings exist in GUN and both live here: what a store answers
 * (lex_range: an interval in name order, and `{"*":""}` or {} mean all) and
 * String.match, which certificates use (lex_match: there both match nothing).
 */
#ifndef CORE_LEX_H
#define CORE_LEX_H

#include "core/json.h"

/* Names from `from` to `to`, in order or backwards. An interval is all a lex
 * can be, so a walk over it never filters. */
typedef struct lex_range {
    slice from;      /* empty: from the first */
    slice to;        /* ignored unless has_to */
    bool from_open;  /* `from` itself is not in it */
    bool to_open;    /* `to` itself is not in it */
    bool has_to;
    bool backwards;
    bool empty; /* asks for nothing, e.g. "from" above "to" */
} lex_range;

typedef struct lex {
    bool has_exact, has_prefix, has_from, has_to, backwards;
    bool odd; /* one of the four is there and no string: lex_match() then says no */
    slice exact, prefix, from, to; /* names */
    double limit;                  /* "%", in units; 0 when there is none */
} lex;

/* Reads the query at token i. Unknown members and members of another type are
 * ignored, as gun ignores them; what is no object is a query of no members.
 * STATUS_NO_MEMORY, STATUS_TOO_BIG. */
MUST_USE status lex_read(const json *j, arena *a, uint32_t i, lex *out);

/* The interval the query asks a store for. Bounds that join a prefix are made
 * in the arena. STATUS_NO_MEMORY, STATUS_TOO_BIG. */
MUST_USE status lex_to_range(const lex *query, arena *a, lex_range *out);

bool lex_range_has(const lex_range *range, slice name);

/* What is left of the range once `last` has been answered: a walk goes on
 * there. `last` is borrowed for as long as the result is used. */
lex_range lex_range_after(const lex_range *range, slice last);

/* gun's String.match (protocol.md 4.5): for certificates and client filters. An
 * exact string is a query with has_exact. Unlike a range, it matches whatever
 * begins with "*", and with ">" where there is no "*", whatever the bounds. */
bool lex_match(const lex *query, slice name);

#endif
