/* value.h - what a key may hold, and how two of them compare.
 *
 * A value is null, true, false, a finite number, a string, or a link: an object
 * with the one key "#" and a non-empty soul. Nothing else (protocol.md 3.1).
 *
 * brasa keeps a value as its canonical JSON text: what JSON.stringify prints
 * for what JSON.parse reads. The tie-break of HAM, the "##" hash, content
 * hashes and every answer work on that text, so it is made once, on arrival.
 */
#ifndef CORE_VALUE_H
#define CORE_VALUE_H

#include "core/json.h"

/* The canonical text of token i. Lent from the message when the raw text is
 * canonical already, else made in the arena. STATUS_MALFORMED for arrays,
 * objects that are no link, and numbers beyond a double. */
MUST_USE status value_read(const json *j, arena *a, uint32_t i, slice *out);

/* HAM's order on canonical texts, by UTF-16 unit of the text: so 5 beats
 * "abc", "apple" beats "apple!", and a newline compares as a backslash. */
int value_order(slice a, slice b);

/* The soul a canonical text links to, as a name: made in the arena.
 * STATUS_NOT_FOUND when the value is no link, STATUS_MALFORMED when it is no
 * canonical text. */
MUST_USE status value_link(slice value, arena *a, slice *soul);

/* What this value adds to the byte limit of a lexical get ("%"): the length in
 * units of a non-empty string, 9 for anything else (protocol.md 4.4). */
size_t value_weight(slice value);

#endif
