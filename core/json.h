/* json.h - a strict, bounded JSON reader that hands out raw slices.
 *
 * It is the wire format, so it is ours: it accepts exactly what JSON.parse
 * accepts of valid UTF-8, within bounds on depth and on the number of tokens.
 * It builds no tree of objects: a flat array of tokens says where each value
 * stands, and what is never looked at is never converted. The text must stay
 * for as long as tokens and strings taken from it are used. Never recurses.
 *
 * Kept from JSON.parse: any white space of JSON's four around values, \u0000,
 * lone surrogates by escape, numbers of any size, deep nesting up to the bound.
 * Duplicate keys are seen by json_has_duplicates(); the caller decides.
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include "core/arena.h"
#include "core/status.h"
#include "core/text.h"

#include <stdint.h>

typedef enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_OBJECT,
    JSON_ARRAY,
} json_type;

/* A value's place in the text. Tokens lie in the order of the text; an object
 * is followed by key, value, key, value, ..., an array by its elements; `next`
 * is the index behind the whole value, so it steps over it. */
typedef struct json_token {
    uint32_t start, end; /* the raw text, with its quotes or brackets */
    uint32_t next;
    uint8_t type;
    bool plain; /* string: no escape and no character beyond U+FFFF, so the
                   bytes between the quotes are the name, as they stand.
                   number: the raw text is what JSON.stringify would print
                   (false may mean "not known to be") */
} json_token;

/* Above this depth_max counts as this. */
enum { JSON_DEPTH_MOST = 4096 };

typedef struct json_bounds {
    unsigned depth_max; /* open objects and arrays; a scalar alone has depth 0 */
    size_t tokens_max;
} json_bounds;

typedef struct json {
    slice text;
    const json_token *tokens;
    uint32_t count;
} json;

/* Reads the value that begins at *at (white space before it is skipped) and
 * leaves *at behind it. Tokens are taken from the arena; token 0 is the value.
 * STATUS_MALFORMED, STATUS_TOO_BIG (a bound, or a text of 4 GiB), STATUS_NO_MEMORY. */
MUST_USE status json_read_at(json *out, arena *a, slice text, size_t *at,
                             const json_bounds *bounds);

/* Reads a text that is one value and nothing else but white space. */
MUST_USE status json_read(json *out, arena *a, slice text, const json_bounds *bounds);

/* Only says whether json_read() would take the text: keeps no tokens, and so
 * has no bound on their number; for frames that are read piece by piece. */
MUST_USE status json_check(slice text, unsigned depth_max);

static inline slice json_raw(const json *j, uint32_t i)
{
    return (slice){ j->text.at + j->tokens[i].start, j->tokens[i].end - j->tokens[i].start };
}

/* The string's characters as a name (CESU-8). Lent from the text when plain,
 * else made in the arena. STATUS_MALFORMED when token i is no string. */
MUST_USE status json_name(const json *j, arena *a, uint32_t i, slice *out);

/* The string's characters as UTF-8; for strings that hold a message in JSON. A
 * lone surrogate is STATUS_MALFORMED. */
MUST_USE status json_utf8(const json *j, arena *a, uint32_t i, slice *out);

/* Index of the value under `key` (an ASCII name) in object i, 0 when there is
 * none (token 0 is never a member's value) or i is no object. Of duplicates the
 * last, as JSON.parse has it. */
uint32_t json_member(const json *j, uint32_t i, slice key);

/* What JavaScript takes for true. Token 0 is nothing, as json_member() has it. */
bool json_is_truthy(const json *j, uint32_t i);

/* Whether object i holds one key twice; compares names, not spellings. */
MUST_USE status json_has_duplicates(const json *j, arena *a, uint32_t i, bool *out);

/* The same for the characters between the quotes of a valid JSON string, for
 * who holds text and no tokens. STATUS_MALFORMED when an escape is cut short. */
MUST_USE status json_unescape(slice inner, arena *a, slice *out);

/* The same as UTF-8, appended: what is hashed of a string, as browsers do it, so that a
 * lone surrogate becomes U+FFFD. */
MUST_USE status json_unescape_utf8(slice inner, arena *a, text *out);

/* Whether a raw string token is what JSON.stringify prints for what it says. */
bool json_is_canonical(slice raw);

/* Appends a name as a JSON string, the way JSON.stringify prints it; UTF-8 will do as well. */
void json_print_name(text *out, slice cesu);

/* Appends bytes as the JSON string that stands for them: base64, padded. */
void json_print_base64(text *out, slice bytes);

/* Appends the raw string token i as JSON.stringify would print it. */
MUST_USE status json_print_string(text *out, const json *j, arena *a, uint32_t i);

#endif
