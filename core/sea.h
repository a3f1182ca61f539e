/* sea.h - nobody writes what is not theirs.
 *
 * GUN's promise is that a relay needs no trust: what stands in a user's space is
 * signed by that user, what stands under a hash has that hash. The name of a
 * soul says which rule its keys are under, in gun's order (protocol.md 9):
 *
 *   "~@"        SEA_ALIASES  the value is the link "~@" + key
 *   "~@name"    SEA_ALIAS    the value is the link that the key says
 *   a "~pub"    SEA_USER     signed by pub, or by somebody whom pub has certified
 *   a "#"       SEA_HASH     the key ends in the hash of the value
 *   any other   SEA_FREE     nobody's
 *
 * Judging one write needs nothing but the write: no clock, no graph. So two
 * relays can never disagree about what may be kept. What a relay asks besides,
 * when a client's put is first admitted (has the certificate run out by now, is
 * its bearer blocked today), is told in the finding and done by the caller.
 *
 * The judge is sea.js of gun 0.2020.1241, as it runs in a browser; where brasa
 * is stricter is listed in docs/protocol.md, and each case has its reason where
 * it is decided. What is refused is refused in gun's words where gun has some.
 *
 * Pure: crypto is handed in, memory is the arena's, and any thread may call it.
 */
#ifndef CORE_SEA_H
#define CORE_SEA_H

#include "core/arena.h"
#include "core/status.h"

#include <stdint.h>

typedef enum sea_kind { SEA_FREE, SEA_ALIASES, SEA_ALIAS, SEA_USER, SEA_HASH } sea_kind;

/* The kind of a soul. SEA_USER: x and y, if given, are the two pieces of the
 * public key, lent from the name; what the key is, is x "." y. */
sea_kind sea_kind_of(slice soul, slice *x, slice *y);

enum { SEA_KEY_BYTES = 64, SEA_DIGEST_BYTES = 32, SEA_SIGNATURE_BYTES = 64 };

/* What is done elsewhere. Both may be called by several threads at once. */
typedef struct sea_crypto {
    void *context;
    void (*sha256)(void *context, slice bytes, uint8_t out[SEA_DIGEST_BYTES]);
    /* ECDSA over P-256 with SHA-256 of the digest: SEA hashes twice. `key` is x
     * and y, `signature` r and s, 32 bytes each, big-endian. */
    bool (*verify)(void *context, const uint8_t key[SEA_KEY_BYTES],
                   const uint8_t digest[SEA_DIGEST_BYTES],
                   const uint8_t signature[SEA_SIGNATURE_BYTES]);
} sea_crypto;

/* Slices are the arena's, static, or lent from the write. */
typedef struct sea_finding {
    slice why;           /* empty: it may be kept; else what its author is told (a name) */
    bool certified;      /* by somebody else than the owner, who has certified them */
    double expires;      /* certified: the certificate's last state; infinity for none */
    slice owner, bearer; /* certified: public keys of who certified and who wrote */
    slice blocks;        /* certified: where the owner lists who is blocked: a soul if it
                            begins with "~" or blocks_is_soul, else a key of "~owner"
                            that links to it; empty for nowhere */
    bool blocks_is_soul;
} sea_finding;

static inline bool sea_is_good(const sea_finding *f)
{
    return f->why.len == 0;
}

/* Judges one write: names, and a value's canonical text. STATUS_OK: *out says
 * what was found. STATUS_NO_MEMORY, STATUS_TOO_BIG (the arena is too small). */
MUST_USE status sea_judge(const sea_crypto *crypto, arena *a, slice soul, slice key, slice value,
                          double state, sea_finding *out);

/* Judges a certificate without a write: whether `bearer` may write (soul, key) of a
 * user space with a state of `state`, if it signs. `certificate` is JSON in UTF-8, with
 * or without the "SEA" that SEA.certify() puts before it. STATUS_OK: *out says what
 * was found. STATUS_MALFORMED: it is no user space, or no certificate;
 * STATUS_NO_MEMORY, STATUS_TOO_BIG. */
MUST_USE status sea_may(const sea_crypto *crypto, arena *a, slice soul, slice key, slice bearer,
                        slice certificate, double state, sea_finding *out);

/* What a signed value says, as canonical text when it is a scalar or a link, and
 * the value itself when it is not signed. Nothing is verified. STATUS_MALFORMED:
 * it says something that no value can be; STATUS_NO_MEMORY, STATUS_TOO_BIG. */
MUST_USE status sea_unpack(slice value, arena *a, slice *out);

/* The refusal that blocked bearers are told: the arena's. Empty: no memory. */
slice sea_blocked_text(arena *a, slice bearer);

#define SEA_EXPIRED SLICE("Certificate expired.")

#endif
