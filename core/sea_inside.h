/* sea_inside.h - what the files of the rules share, and nobody else sees.
 *
 *   sea.c       kinds of souls, and which rule judges
 *   sea_2019.c  an older form of signed values
 *   sea_text.c  a value's inside, and the texts that are signed
 *   sea_cert.c  certificates
 */
#ifndef CORE_SEA_INSIDE_H
#define CORE_SEA_INSIDE_H

#include "core/json.h"
#include "core/lex.h"
#include "core/sea.h"

#include <math.h>

/* Nesting of what is signed, for printing it recurses; and its strings, numbers and
 * so on, for it is sorted, and whoever is verified next has to wait. */
enum { SEA_DEPTH_MAX = 64, SEA_TOKENS_MAX = 1 << 16 };

/* One write being judged. */
typedef struct judging {
    const sea_crypto *crypto;
    arena *a;
    slice soul, key, value;
    double state;
    slice pub; /* SEA_USER: of the space */
    sea_finding *out;
    status how; /* memory ran short: the finding says nothing */
} judging;

static inline void refuse(judging *g, slice why)
{
    g->out->why = why;
}

#define SEA_UNVERIFIED SLICE("Unverified data.")

/* The string at a token; false when it is none, or memory ran short (g->how). */
bool sea_string(judging *g, const json *j, uint32_t at, slice *out);

/* The JSON inside a string value, a "SEA" in front taken off (then *old_mark is
 * set). False: there is none, or memory ran short (g->how). */
bool sea_inside(judging *g, json *out, bool *old_mark);

/* The orders in which JSON.stringify and gun's relay print the keys of objects. */
typedef enum sea_order { SEA_AS_BROWSERS, SEA_SORTED } sea_order;

/* Appends token i as JSON.stringify would print what JSON.parse makes of it. */
void sea_print(judging *g, text *t, const json *j, uint32_t i, sea_order order);

/* The decoded key; false when it is not one, in its only spelling. */
bool sea_key_read(slice pub, uint8_t out[static SEA_KEY_BYTES]);

/* Whether `signature` (a token, which must be a string) is the key's over what
 * `print` prints, in either order. */
typedef void sea_printer(judging *g, text *t, const json *j, uint32_t what, sea_order order);
bool sea_signed_by(judging *g, slice pub, const json *j, uint32_t what, uint32_t signature,
                   sea_printer *print);

/* Whether the value in j is signed by the owner in the form of 2019. */
bool sea_is_good_2019(judging *g, const json *j);

/* The certificate in a value's "+", for a bearer whose signature has been
 * verified: says in g->out whether they may write here. */
void sea_certificate(judging *g, const json *j, uint32_t certificate, slice bearer);

#endif
