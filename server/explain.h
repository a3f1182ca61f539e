/* explain.h - what a relay would do with a write, and why, in words for people.
 *
 * The verdict is core/sea.h's and that of the rules around it (expiry, states ahead
 * of the clock), never one of its own: here are only the words. The mode of a relay
 * (--write) comes besides.
 */
#ifndef SERVER_EXPLAIN_H
#define SERVER_EXPLAIN_H

#include "core/graph.h"
#include "core/relay.h"
#include "core/sea.h"
#include "core/text.h"

typedef enum explain_verdict {
    EXPLAIN_KEPT,
    EXPLAIN_HELD,    /* it comes into force when its time has come */
    EXPLAIN_EXPIRED, /* no refusal, but not kept either */
    EXPLAIN_REFUSED,
} explain_verdict;

/* "kept", "held", "expired", "refused". */
const char *explain_word(explain_verdict v);

typedef struct explainer {
    const sea_crypto *crypto;
    arena *arena; /* of the message */
    relay_limits limits;
    double now_ms;
    bool as_put; /* from its author now, and not long ago or from another relay */
} explainer;

/* Appends the reasons, UTF-8, no newline. STATUS_NO_MEMORY, STATUS_TOO_BIG. */
MUST_USE status explain_write(const explainer *e, const graph_write *w, text *out,
                              explain_verdict *verdict);

/* Appends what a certificate that is good says of itself: whose, until when, and
 * where its owner lists who is blocked. */
void explain_certificate(const explainer *e, const sea_finding *f, text *out);

/* Whether it is the key of an account, which needs no signature: "pub" of "~" and that key,
 * of which x and y are the pieces (sea_kind_of()). */
bool explain_is_account(slice soul, slice key, slice x, slice y);

/* Appends a name as UTF-8. */
void explain_name(text *out, slice name);

#endif
