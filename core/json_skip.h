/* json_skip.h - stepping over JSON that is too large to be read.
 *
 * A message above the bounds on tokens or depth gets an answer all the same, and
 * what follows it in a batch is heard. Both need to know where a value ends and
 * nothing else, so nothing is stored and nothing is checked: on text that is no
 * JSON the result is some place in it, or its end.
 */
#ifndef CORE_JSON_SKIP_H
#define CORE_JSON_SKIP_H

#include "core/slice.h"

/* Index behind the value that begins at `at` (white space before it is skipped). */
size_t json_skip(slice text, size_t at);

/* The raw text between the quotes of the string under `key`, a plain name, in the
 * object that begins at `at`. Empty when there is none, or it has escapes or
 * characters beyond U+FFFF. */
slice json_peek(slice text, size_t at, slice key);

#endif
