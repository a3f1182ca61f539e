/* guard.h - who may write here at all.
 *
 * core/sea.h tells whether a write is genuine; this tells whether the operator
 * wants it. There are three modes:
 *
 *   open    everybody may write everything that is genuine, as in gun.js
 *   signed  nothing that is nobody's: user spaces, aliases, content hashes, and
 *           what is not kept (fleeting souls)
 *   closed  the spaces of allowed keys, by whomever these certify; "~@name" only
 *           for allowed keys; content hashes under a root that an allowed key
 *           links to
 *
 * A connection or message that shows a token is trusted: it may write whatever is
 * not signed, in any mode. A token opens nobody's user space: there a signature
 * of somebody who is allowed is still wanted.
 *
 * Roots. A chunk cannot say whose it is. So in closed mode the guard learns from
 * what allowed keys have signed: a link to a soul with a "#" opens every content
 * hash whose soul begins alike, up to the first "#" ("audio/1a2b#m" opens
 * "audio/1a2b#0", "audio/1a2b#1", ...). Where nothing stands before the "#" the
 * link opens that one soul. Only links in souls that begin with "~" and the key
 * count, since these are the ones that can be found again after a restart.
 *
 * Learnt roots are 128-bit hashes under a secret, in a table of fixed size, whose
 * memory is touched as it fills. When it is full the root that was learnt longest
 * ago makes room, among the eight that lie together: a chunk that is kept stays,
 * only further ones of that root need a token, or the link written anew. What was
 * crowded out is counted.
 *
 * Pure: no clock, no I/O; one thread.
 */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H

#include "core/graph.h"

typedef enum guard_mode { GUARD_OPEN, GUARD_SIGNED, GUARD_CLOSED } guard_mode;

/* "open", "signed" or "closed". */
const char *guard_mode_name(guard_mode mode);

/* All is copied. */
typedef struct guard_rules {
    guard_mode mode;
    const slice *allowed; /* public keys; closed asks for them, other modes do not */
    size_t allowed_count;
    const slice *tokens;
    size_t token_count;
    uint32_t roots_max; /* 0: the default, a million */
    uint8_t secret[16]; /* random */
} guard_rules;

typedef struct guard guard;

/* Gives; guard_free() takes it back. STATUS_NO_MEMORY; STATUS_MALFORMED: what is
 * allowed is no key. */
MUST_USE status guard_new(guard **out, const guard_rules *rules);
void guard_free(guard *g);

/* Whether it is a public key in its only spelling: two coordinates, 43 characters
 * of base64url each, with a dot between. */
bool guard_is_key(slice pub);

/* Puts other keys in place of the allowed ones, or changes nothing. Roots that
 * were learnt stay learnt. STATUS_NO_MEMORY, STATUS_MALFORMED. */
MUST_USE status guard_allow(guard *g, const slice *allowed, size_t count);

/* Takes as long for a wrong token as for a right one. */
bool guard_trusts(const guard *g, slice token);

/* Why this may not be written: static, begins with a stable word. NULL: it may,
 * as far as the guard knows; whether it is genuine is for sea_judge(), which also
 * sees to it that an alias links to what its key says. `fleeting`: the soul is
 * not kept. */
const char *guard_refuses(const guard *g, slice soul, slice key, bool fleeting, bool trusted);

/* Hears of a genuine write that is kept. `value` is canonical text. */
void guard_learn(guard *g, slice soul, slice value);

/* Learns from what the store holds in the spaces of allowed keys that were not
 * recalled before: after the start, and after guard_allow(). It reads every row of
 * theirs, a few microseconds each, so it goes in steps of about `rows` rows; until
 * guard_recalling() is false, a chunk whose root is not known is refused with
 * "busy:". Only closed mode has anything to recall. STATUS_NO_MEMORY, STATUS_IO, ...:
 * the rest of one space is left out; go on. */
MUST_USE status guard_recall(guard *g, graph *store, size_t rows);
bool guard_recalling(const guard *g);

typedef struct guard_gauges {
    guard_mode mode;
    uint64_t allowed, tokens;
    uint64_t roots;   /* learnt and remembered */
    uint64_t crowded; /* roots that made room for others, ever */
    uint64_t missed;  /* values not learnt from for want of memory, and spaces not read */
} guard_gauges;
void guard_measure(const guard *g, guard_gauges *out);

#endif
