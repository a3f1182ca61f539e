/* number.h - numbers as JavaScript prints and reads them.
 *
 * The text of a number takes part in tie-breaks, content hashes and signatures,
 * so it must be exactly what JSON.stringify prints: the shortest digits that
 * read back as the same double, laid out by ECMA-262 Number::toString.
 */
#ifndef CORE_NUMBER_H
#define CORE_NUMBER_H

#include "core/slice.h"

enum { NUMBER_TEXT_MAX = 32 };

/* Prints a finite double, returns the length (at most 25, no NUL counted).
 * Negative zero prints as "0". */
size_t number_print(char out[static NUMBER_TEXT_MAX], double x);

/* Reads a token that is a JSON number by grammar. False when it overflows to
 * infinity, which JSON.parse allows and GUN does not take as a value. */
bool number_read(slice json, double *out);

#endif
