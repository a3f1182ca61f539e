/* people.h - who signs what, and what was ever signed.
 *
 * Everybody's signatures are those of tests/tools/curve.h. What people sign is
 * remembered here, word for word, so that what is said or kept later can be held
 * against it: without asking the rules that the relay goes by.
 *
 * Some may write in the space of others. There are four certificates in a world:
 *
 *   the inbox of Alice   Bob: anything
 *                        Bob and Carol: keys that begin with k
 *                        everybody, for a while: the key a
 *   the wall of Carol    everybody, for another while: anything
 *
 * The first two name a list where Alice blocks people. Nobody is taken off it.
 */
#ifndef TESTS_SIM_PEOPLE_H
#define TESTS_SIM_PEOPLE_H

#include "tests/sim/dice.h"
#include "tests/sim/names.h"

typedef struct world world;
typedef struct wire_write wire_write;
typedef struct people people;

enum { CERTIFICATES = 4 };

people *people_new(world *w);
void people_free(people *p);

/* What somebody says there becomes what may stand there: signed, by certificate if
 * need be; a chunk, or a link, whatever is said. False: nothing of theirs may. */
bool people_write(people *p, dice *d, int who, wire_write *write);

/* Whether anybody may keep it. */
bool people_is_good(const people *p, const wire_write *write);

/* Of a good one by certificate: false for others. */
typedef struct people_terms {
    int bearer;
    double expires; /* infinity: never */
    bool blockable;
} people_terms;
bool people_by_certificate(const people *p, const wire_write *write, people_terms *out);

/* That the relay has heard one so that it may keep it: in time, or in an answer. */
void people_admit(people *p, const wire_write *write);
bool people_admitted(const people *p, const wire_write *write);

/* What was signed so far, by number. */
size_t people_signed_count(const people *p);
const wire_write *people_signed(const people *p, size_t i);

/* --- for those who forge --- */

typedef struct people_form {
    int signer;        /* whose signature it is */
    int star;          /* "*": who says to have written it; 0: not said */
    slice certificate; /* "+": JSON; empty: none */
    slice said;        /* JSON */
    int over_key;      /* the key that the signature is over, the write's if the same */
    double over_state; /* likewise */
} people_form;

/* The value of that form, as JSON text, which lives as long as the world. */
slice people_form_print(people *p, const people_form *f, int soul);
slice people_certificate(const people *p, int number);
/* The same terms, signed by somebody. */
slice people_false_certificate(people *p, int number, int signer);
double people_certificate_end(const people *p, int number);
int people_certificate_soul(const people *p, int number);
/* Those from this number on are for everybody, and end. */
enum { CERTIFICATES_ENDING = 2 };
/* The value of one that was signed, in other words for the same. */
slice people_respell(people *p, const wire_write *original);

#endif
