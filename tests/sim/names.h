/* names.h - the souls, keys and values that the simulated world is made of, and
 * GUN's order and hash written down a second time.
 *
 * The clients judge with the functions here, never with core/ham.c: a fault in
 * the relay's rule must not be shared by those who are to notice it.
 */
#ifndef TESTS_SIM_NAMES_H
#define TESTS_SIM_NAMES_H

#include "core/slice.h"
#include "core/text.h"

#include <stdint.h>

enum { NAMES_SOULS = 12, NAMES_KEYS = 16, NAMES_VALUES = 44 };

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
