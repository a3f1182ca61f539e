/* curve.h - signatures for tests that must be quick and the same under a seed.
 *
 * No curve: a signature is a keyed hash of what is signed, under a key that
 * everybody can compute. Whoever does not ask curve_sign() for it has forged it.
 * The forms around it are SEA's, so that the rules of core/sea.h judge them.
 */
#ifndef TESTS_TOOLS_CURVE_H
#define TESTS_TOOLS_CURVE_H

#include "core/sea.h"
#include "core/text.h"

extern const sea_crypto test_curve;

enum { CURVE_PUB_LEN = 87 };

/* The public key of the person with this number. With a NUL. */
void curve_pub(int who, char out[static CURVE_PUB_LEN + 1]);

/* Appends who's signature over a text, in base64. */
void curve_sign(text *out, int who, slice what);

/* Appends a signed value, as the characters of the string that it is: of `said`,
 * which is JSON. `certificate` may be NULL: then `who` is the owner. */
void curve_value(text *out, int who, const char *certificate, const char *soul, const char *key,
                 const char *said, double state);

/* Appends a certificate of terms, which are JSON. */
void curve_certificate(text *out, int owner, const char *terms);

#endif
