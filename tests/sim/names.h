/* names.h - the souls, keys and values that the simulated world is made of, and
 * GUN's order and hash written down a second time.
 *
 * Souls of people stand between those that are nobody's, so that a world of few
 * souls has some of each. Whose public key is what, tests/tools/curve.h says; they
 * are spelled out here, and names_agree() says whether that is still so.
 *
 * The clients judge with the functions here, never with core/ham.c: a fault in
 * the relay's rule must not be shared by those who are to notice it.
 */
#ifndef TESTS_SIM_NAMES_H
#define TESTS_SIM_NAMES_H

#include "core/slice.h"
#include "core/text.h"

#include <stdint.h>

enum { NAMES_SOULS = 22, NAMES_KEYS = 23, NAMES_VALUES = 44 };

/* Eve has no space of her own. */
enum { ALICE = 1, BOB, CAROL, EVE, PEOPLE };

typedef enum names_kind {
    NAMES_FREE,   /* anybody's */
    NAMES_SIGNED, /* of its owner */
    NAMES_CHUNKS, /* a key is the hash of its value */
    NAMES_ALIAS,  /* a key is what its value links to */
} names_kind;

typedef struct names_place {
    names_kind kind;
    int owner;        /* NAMES_SIGNED */
    const char *path; /* behind the owner's key */
    double life_ms;   /* of what is written there; 0: for ever */
} names_place;

const names_place *names_place_of(int soul);
int names_find_place(int owner, const char *path);

/* What the souls have keys of, as masks of bits. NAMES_NEVER: a key that nobody
 * writes where somebody has to sign. */
enum {
    NAMES_PLAIN_KEYS = 0x76ffc8,
    NAMES_CHUNK_KEYS = 0x7,
    NAMES_PEOPLE_KEYS = 0x30,
    NAMES_ALIAS_KEYS = 0x80000,
    NAMES_FIRST_PLAIN = 3,
    NAMES_ACCOUNT = 16,
    NAMES_NEVER = 18,
};

const char *names_pub(int who);
int names_person_of(int key); /* whose public key it is; 0: nobody's */
slice names_chunk(int key);   /* the only value of such a key, as JSON text */
slice names_link(int key);    /* of such a key; as JSON text */
bool names_agree(void);

/* As CESU-8, and as JSON text with its quotes. */
slice names_soul(int i);
slice names_soul_json(int i);
slice names_key(int i);
slice names_key_json(int i);

/* The number of a name, -1 for one that nobody made up. */
int names_find_soul(slice name);
int names_find_key(slice name);

/* From here on so many values whose order depends on who counts the characters. */
enum { NAMES_TIES = 32, NAMES_TIES_COUNT = 4 };

/* Canonical JSON text of a value. */
slice names_value(int i);

/* Keys in the order in which a browser prints an object that was given them in
 * this order of UTF-16 units: integer-like ones first. A permutation. */
const int *names_browser_order(void);

/* HAM's rule 4 and "##", as gun has them: over UTF-16 units of JSON text. */
int names_value_order(slice a, slice b);
int32_t names_hash(slice json);

#endif
