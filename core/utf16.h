/* utf16.h - length and order as JavaScript counts them.
 *
 * A JavaScript string is a sequence of UTF-16 units. Where GUN says length, it
 * means units; where it sorts or breaks a tie, it compares units. Two spellings
 * meet here: JSON text, which is valid UTF-8 (lone surrogates stand in it as
 * \udxxx escapes), and names, which are CESU-8 (slice.h).
 */
#ifndef CORE_UTF16_H
#define CORE_UTF16_H

#include "core/slice.h"
#include "core/text.h"

/* Units in UTF-8 or CESU-8 text; one function serves both spellings. */
size_t utf16_length(slice s);

/* Orders two UTF-8 texts by UTF-16 unit: below, at or above zero. Differs from
 * memcmp only where U+E000..U+FFFF meets a character beyond them. */
int utf16_order(slice a, slice b);

/* Bytes of the one UTF-8 character that begins the slice, as the standard has
 * it; 0 when what stands there is none, or the slice is empty. */
size_t utf16_character(slice s);

/* Whether the bytes are UTF-8 as the standard has it: no overlong forms, no
 * encoded surrogates, nothing above U+10FFFF. */
bool utf16_valid_utf8(slice s);

/* Rewrites valid UTF-8 as CESU-8 (never shorter, at most half as long again). */
void utf16_to_cesu(text *out, slice utf8);

/* Rewrites CESU-8 as UTF-8. A lone surrogate has no UTF-8 and becomes U+FFFD,
 * so this is for logs and pages; JSON is printed by json_print_name(). */
void utf16_to_utf8(text *out, slice cesu);

#endif
