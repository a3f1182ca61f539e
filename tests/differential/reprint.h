/* reprint.h - a document printed again from its tokens.
 *
 * Compact, with the spelling of JSON.stringify; the members stay in their order
 * and a key that is said twice is printed twice. For tests: brasa itself never
 * prints a document it was sent.
 */
#ifndef TESTS_DIFFERENTIAL_REPRINT_H
#define TESTS_DIFFERENTIAL_REPRINT_H

#include "core/json.h"

/* Appends to `out`. A number too big for a double becomes null, as it does in
 * JSON.stringify. Ends the process when memory is short. */
void reprint(text *out, const json *j, arena *a);

/* Ends the process unless `ok`, which no input can make false. */
void must(bool ok);

#endif
