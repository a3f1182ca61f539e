/* json_text.c - strings of JSON to names and back, and looking up members.
 *
 * Three spellings of one string are told apart here: raw JSON (valid UTF-8 with
 * escapes), a name (CESU-8), and UTF-8. An escape stands for one unit, whatever
 * stands next to it; only in raw JSON and UTF-8 do two surrogates melt into one
 * character of four bytes.
 */
#include "core/json.h"
#include "core/number.h"
#include "core/utf16.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* ---- units and their bytes */

static bool is_high(uint32_t unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

static bool is_low(uint32_t unit)
{
    return unit >= 0xDC00 && unit < 0xE000;
}

static uint32_t hex_digit(char c)
{
    if (c <= '9') return (uint32_t)(c - '0');
    return (uint32_t)((c | 0x20) - 'a' + 10);
}

static uint32_t hex_unit(const char *p)
{
    return hex_digit(p[0]) << 12 | hex_digit(p[1]) << 8 | hex_digit(p[2]) << 4 | hex_digit(p[3]);
}

/* The unit that the valid escape at p stands for; `width` is what it takes. */
static uint32_t escape_unit(const char *p, size_t *width)
{
    *width = 2;
    switch (p[1]) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        *width = 6;
        return hex_unit(p + 2);
    default:
        return (unsigned char)p[1];
    }
}

/* The unit of the \u escape that stands at `i`, or 0 when none stands there. */
static uint32_t unit_at(slice s, size_t i)
{
    if (i + 6 > s.len || s.at[i] != '\\' || s.at[i + 1] != 'u') return 0;
    return hex_unit(s.at + i + 2);
}

/* Writes a unit below 0x10000 in up to three bytes, surrogates as CESU-8 has them. */
static size_t put_unit(char *out, uint32_t unit)
{
    if (unit < 0x80) {
        out[0] = (char)unit;
        return 1;
    }
    if (unit < 0x800) {
        out[0] = (char)(0xC0 | unit >> 6);
        out[1] = (char)(0x80 | (unit & 0x3F));
        return 2;
    }
    out[0] = (char)(0xE0 | unit >> 12);
    out[1] = (char)(0x80 | (unit >> 6 & 0x3F));
    out[2] = (char)(0x80 | (unit & 0x3F));
    return 3;
}

static size_t put_pair(char *out, uint32_t high, uint32_t low)
{
    uint32_t code = 0x10000 + ((high & 0x3FF) << 10 | (low & 0x3FF));

    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* Rewrites the four bytes at p as the two units they are. */
static size_t put_split(char *out, const char *p)
{
    const uint8_t *b = (const uint8_t *)p;
    uint32_t code =
        (b[0] & 0x07u) << 18 | (b[1] & 0x3Fu) << 12 | (b[2] & 0x3Fu) << 6 | (b[3] & 0x3Fu);
    size_t len = put_unit(out, 0xD800 | (code - 0x10000) >> 10);

    return len + put_unit(out + len, 0xDC00 | (code & 0x3FF));
}

/* ---- raw to name, raw to UTF-8 */

static slice inner_of(const json *j, uint32_t i)
{
    slice raw = json_raw(j, i);

    return (slice){ raw.at + 1, raw.len - 2 };
}

/* Copies what needs no care and returns where that ends: at a backslash or,
 * when pairs are to be split, at a character of four bytes. */
static size_t copy_run(char *out, slice s, size_t from, bool split)
{
    size_t i = from;

    while (i < s.len && s.at[i] != '\\' && !(split && (unsigned char)s.at[i] >= 0xF0)) ++i;
    if (i > from) memcpy(out, s.at + from, i - from);
    return i;
}

/* Writes what the escape or the character of four bytes at `i` means; `wrote`
 * bytes of it. Returns the bytes it took, 0 when it is cut short: that cannot
 * be in text from the tokenizer, but in a value from a damaged store. */
static size_t put_special(char *out, size_t *wrote, slice s, size_t i)
{
    size_t left = s.len - i, took = 4;

    if (s.at[i] == '\\') took = left > 1 && s.at[i + 1] == 'u' ? 6 : 2;
    if (took > left) return 0;
    *wrote = took == 4 ? put_split(out, s.at + i) : put_unit(out, escape_unit(s.at + i, &took));
    return took;
}

status json_unescape(slice inner, arena *a, slice *out)
{
    /* At worst every four bytes become six. */
    size_t most = inner.len + inner.len / 2, len = 0, wrote;
    char *at = arena_take(a, most);

    if (at == NULL) return arena_failure(a, most);
    for (size_t i = 0; i < inner.len;) {
        size_t end = copy_run(at + len, inner, i, true);

        len += end - i;
        i = end;
        if (i == inner.len) break;
        size_t took = put_special(at + len, &wrote, inner, i);
        if (took == 0) return STATUS_MALFORMED;
        len += wrote;
        i += took;
    }
    at = arena_resize(a, at, most, len); /* smaller, in place: cannot fail */
    *out = (slice){ at, len };
    return STATUS_OK;
}

status json_unescape_utf8(slice inner, arena *a, text *out)
{
    slice name;
    status s = json_unescape(inner, a, &name);

    if (s != STATUS_OK) return s;
    utf16_to_utf8(out, name);
    return text_ok(out) ? STATUS_OK : STATUS_NO_MEMORY;
}

status json_name(const json *j, arena *a, uint32_t i, slice *out)
{
    if (j->tokens[i].type != JSON_STRING) return STATUS_MALFORMED;
    if (!j->tokens[i].plain) return json_unescape(inner_of(j, i), a, out);
    *out = inner_of(j, i);
    return STATUS_OK;
}

/* Writes what the escape at `i` means, together with its other half when it is
 * one of two surrogates; returns the bytes it took, 0 for a lone one. */
static size_t put_escape_utf8(char *out, size_t *len, slice s, size_t i)
{
    size_t width;
    uint32_t unit = escape_unit(s.at + i, &width);

    if (is_high(unit) && is_low(unit_at(s, i + width))) {
        *len += put_pair(out + *len, unit, unit_at(s, i + width));
        return 2 * width;
    }
    if (is_high(unit) || is_low(unit)) return 0;
    *len += put_unit(out + *len, unit);
    return width;
}

status json_utf8(const json *j, arena *a, uint32_t i, slice *out)
{
    if (j->tokens[i].type != JSON_STRING) return STATUS_MALFORMED;
    slice inner = inner_of(j, i);
    if (j->tokens[i].plain || inner.len == 0 || memchr(inner.at, '\\', inner.len) == NULL) {
        *out = inner;
        return STATUS_OK;
    }

    size_t len = 0;
    char *at = arena_take(a, inner.len);
    if (at == NULL) return arena_failure(a, inner.len);
    for (size_t k = 0; k < inner.len;) {
        size_t end = copy_run(at + len, inner, k, false);

        len += end - k;
        k = end;
        if (k == inner.len) break;
        size_t took = put_escape_utf8(at, &len, inner, k);
        if (took == 0) return STATUS_MALFORMED;
        k += took;
    }
    *out = (slice){ at, len };
    return STATUS_OK;
}

/* ---- members */

/* Whether string token i spells this ASCII name; never allocates. */
static bool spells(const json *j, uint32_t i, slice ascii)
{
    slice inner = inner_of(j, i);
    size_t at = 0, width = 1;

    if (j->tokens[i].plain) return slice_equal(inner, ascii);
    for (size_t k = 0; k < inner.len; k += width, ++at) {
        uint32_t unit = (unsigned char)inner.at[k];

        width = 1;
        if (unit == '\\') unit = escape_unit(inner.at + k, &width);
        if (at == ascii.len || unit != (unsigned char)ascii.at[at]) return false;
    }
    return at == ascii.len;
}

uint32_t json_member(const json *j, uint32_t i, slice key)
{
    uint32_t found = 0;

    if (j->tokens[i].type != JSON_OBJECT) return 0;
    for (uint32_t k = i + 1; k < j->tokens[i].next; k = j->tokens[k + 1].next) {
        if (spells(j, k, key)) found = k + 1;
    }
    return found;
}

bool json_is_truthy(const json *j, uint32_t i)
{
    double x;

    if (i == 0) return false;
    switch ((json_type)j->tokens[i].type) {
    case JSON_NULL:
    case JSON_FALSE:
        return false;
    case JSON_NUMBER:
        return !number_read(json_raw(j, i), &x) || x != 0;
    case JSON_STRING:
        return json_raw(j, i).len > 2;
    default:
        return true;
    }
}

static int by_name(const void *a, const void *b)
{
    return slice_order(*(const slice *)a, *(const slice *)b);
}

static bool has_equal_neighbours(const slice *names, size_t count)
{
    for (size_t i = 1; i < count; ++i) {
        if (slice_equal(names[i - 1], names[i])) return true;
    }
    return false;
}

static size_t count_members(const json *j, uint32_t i)
{
    size_t count = 0;

    for (uint32_t k = i + 1; k < j->tokens[i].next; k = j->tokens[k + 1].next) ++count;
    return count;
}

status json_has_duplicates(const json *j, arena *a, uint32_t i, bool *out)
{
    *out = false;
    if (j->tokens[i].type != JSON_OBJECT) return STATUS_OK;

    size_t count = count_members(j, i), n = 0;
    if (count < 2) return STATUS_OK;
    slice *names = arena_take(a, count * sizeof *names);
    if (names == NULL) return arena_failure(a, count * sizeof *names);

    bool ascending = true;
    for (uint32_t k = i + 1; k < j->tokens[i].next; k = j->tokens[k + 1].next, ++n) {
        status s = json_name(j, a, k, &names[n]);
        if (s != STATUS_OK) return s;
        if (n > 0 && slice_order(names[n - 1], names[n]) >= 0) ascending = false;
    }
    if (ascending) return STATUS_OK;
    qsort(names, count, sizeof *names, by_name);
    *out = has_equal_neighbours(names, count);
    return STATUS_OK;
}

/* ---- printing */

/* What stands behind the backslash of a short escape, 0 when there is none. */
static char short_escape(uint32_t unit)
{
    switch (unit) {
    case '"':
        return '"';
    case '\\':
        return '\\';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static void add_escape(text *out, uint32_t unit)
{
    static const char hex[] = "0123456789abcdef";
    char escape[6] = {
        '\\',           'u', hex[unit >> 12 & 0xF], hex[unit >> 8 & 0xF], hex[unit >> 4 & 0xF],
        hex[unit & 0xF]
    };
    char brief = short_escape(unit);

    if (brief != 0) escape[1] = brief;
    text_add(out, (slice){ escape, brief != 0 ? 2 : 6 });
}

/* The surrogate of CESU-8 at `i`, 0 when there is none. */
static uint32_t surrogate_at(slice s, size_t i)
{
    const uint8_t *p = (const uint8_t *)s.at + i;

    if (s.len < 3 || i > s.len - 3 || p[0] != 0xED || p[1] < 0xA0) return 0;
    return 0xD000u | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
}

/* Adds the surrogate at `i`, with its other half when that follows; returns
 * the bytes it took. */
static size_t add_surrogate(text *out, slice s, size_t i)
{
    uint32_t unit = surrogate_at(s, i), next = surrogate_at(s, i + 3);
    char bytes[4];

    if (is_high(unit) && is_low(next)) {
        text_add(out, (slice){ bytes, put_pair(bytes, unit, next) });
        return 6;
    }
    add_escape(out, unit);
    return 3;
}

static bool is_ordinary(slice s, size_t i)
{
    unsigned char c = (unsigned char)s.at[i];

    return c >= 0x20 && c != '"' && c != '\\' && (c != 0xED || surrogate_at(s, i) == 0);
}

void json_print_name(text *out, slice cesu)
{
    size_t i = 0;

    text_room(out, cesu.len + 2);
    text_add_char(out, '"');
    while (i < cesu.len) {
        size_t from = i;

        while (i < cesu.len && is_ordinary(cesu, i)) ++i;
        text_add(out, (slice){ cesu.at + from, i - from });
        if (i == cesu.len) break;
        if ((unsigned char)cesu.at[i] == 0xED) {
            i += add_surrogate(out, cesu, i);
        } else {
            add_escape(out, (unsigned char)cesu.at[i]);
            ++i;
        }
    }
    text_add_char(out, '"');
}

void json_print_base64(text *out, slice bytes)
{
    size_t room = (bytes.len + 2) / 3 * 4 + 3; /* with a NUL, where a quote is then */
    char *at = text_room(out, room);

    if (at == NULL) return;
    at[0] = '"';
    /* Not libsodium's, which takes as long for every byte, and ten times that. */
    (void)EVP_EncodeBlock((unsigned char *)at + 1, (const unsigned char *)bytes.at, (int)bytes.len);
    at[room - 2] = '"';
    out->len += room - 1;
}

static bool is_lower_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Whether JSON.stringify would write the escape at `i` just so. */
static bool is_canonical_escape(slice s, size_t i, size_t *width)
{
    uint32_t unit = escape_unit(s.at + i, width);

    if (*width == 2) return s.at[i + 1] != '/';
    for (size_t k = 2; k < 6; ++k) {
        if (!is_lower_hex(s.at[i + k])) return false;
    }
    if (is_high(unit)) return !is_low(unit_at(s, i + 6));
    return is_low(unit) || (unit < 0x20 && short_escape(unit) == 0);
}

bool json_is_canonical(slice raw)
{
    size_t i = 0, width;

    while (i < raw.len) {
        const char *slash = memchr(raw.at + i, '\\', raw.len - i);

        if (slash == NULL) return true;
        i = (size_t)(slash - raw.at);
        if (!is_canonical_escape(raw, i, &width)) return false;
        i += width;
    }
    return true;
}

status json_print_string(text *out, const json *j, arena *a, uint32_t i)
{
    slice name, raw = json_raw(j, i);

    if (j->tokens[i].type != JSON_STRING) return STATUS_MALFORMED;
    if (j->tokens[i].plain || json_is_canonical(raw)) {
        text_add(out, raw);
        return STATUS_OK;
    }
    status s = json_name(j, a, i, &name);
    if (s != STATUS_OK) return s;
    json_print_name(out, name);
    return STATUS_OK;
}
