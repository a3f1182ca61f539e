/* utf16.c - what bytes mean in units.
 *
 * Lead bytes tell the classes apart: below 0xC0 ASCII and continuations, 0xED
 * then 0xA0..0xBF a surrogate of CESU-8, 0xEE and 0xEF the units U+E000 to
 * U+FFFF, 0xF0 and above a character of two units.
 */
#include "core/utf16.h"

#include <stdint.h>

size_t utf16_length(slice s)
{
    size_t units = 0;

    for (size_t i = 0; i < s.len; ++i) {
        uint8_t byte = (uint8_t)s.at[i];
        units += (size_t)((byte & 0xC0) != 0x80) + (size_t)(byte >= 0xF0);
    }
    return units;
}

int utf16_order(slice a, slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len, i = 0;
    uint64_t x = 0, y = 0;

    while (i + sizeof x <= shorter) {
        memcpy(&x, a.at + i, sizeof x);
        memcpy(&y, b.at + i, sizeof y);
        if (x != y) break;
        i += sizeof x;
    }
    while (i < shorter && a.at[i] == b.at[i]) ++i;
    if (i == shorter) return a.len < b.len ? -1 : a.len > b.len ? 1 : 0;

    /* Texts that differ first at a lead byte differ in class; a character of
     * two units begins with a surrogate, and those are below U+E000. */
    uint8_t p = (uint8_t)a.at[i], q = (uint8_t)b.at[i];
    bool p_pair = p >= 0xF0, q_pair = q >= 0xF0;
    if (p >= 0xEE && q >= 0xEE && p_pair != q_pair) return p_pair ? -1 : 1;
    return p < q ? -1 : 1;
}

static bool is_tail(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

size_t utf16_character(slice s)
{
    const uint8_t *p = (const uint8_t *)s.at;

    if (s.len == 0) return 0;
    if (p[0] < 0x80) return 1;
    if (p[0] < 0xC2) return 0;
    if (p[0] < 0xE0) return s.len >= 2 && is_tail(p[1]) ? 2 : 0;
    if (p[0] < 0xF0) {
        if (s.len < 3 || !is_tail(p[1]) || !is_tail(p[2])) return 0;
        if (p[0] == 0xE0 && p[1] < 0xA0) return 0; /* overlong */
        if (p[0] == 0xED && p[1] > 0x9F) return 0; /* a surrogate */
        return 3;
    }
    if (p[0] > 0xF4 || s.len < 4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3])) return 0;
    if (p[0] == 0xF0 && p[1] < 0x90) return 0; /* overlong */
    if (p[0] == 0xF4 && p[1] > 0x8F) return 0; /* above U+10FFFF */
    return 4;
}

bool utf16_valid_utf8(slice s)
{
    while (s.len > 0) {
        size_t width = utf16_character(s);

        if (width == 0) return false;
        s.at += width;
        s.len -= width;
    }
    return true;
}

/* One unit of 0x800 and above, as its three bytes. */
static void add_unit(text *out, uint32_t unit)
{
    char bytes[3] = { (char)(0xE0 | unit >> 12), (char)(0x80 | (unit >> 6 & 0x3F)),
                      (char)(0x80 | (unit & 0x3F)) };

    text_add(out, (slice){ bytes, sizeof bytes });
}

void utf16_to_cesu(text *out, slice utf8)
{
    size_t from = 0;

    for (size_t i = 0; i < utf8.len;) {
        const uint8_t *p = (const uint8_t *)utf8.at + i;

        if (p[0] < 0xF0 || utf8.len - i < 4) {
            ++i;
            continue;
        }
        uint32_t code =
            (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
        text_add(out, (slice){ utf8.at + from, i - from });
        add_unit(out, 0xD800 | (code - 0x10000) >> 10);
        add_unit(out, 0xDC00 | (code & 0x3FF));
        from = i += 4;
    }
    text_add(out, (slice){ utf8.at + from, utf8.len - from });
}

/* The surrogate of CESU-8 that stands at `i`, 0 when there is none. */
static uint32_t surrogate_at(slice s, size_t i)
{
    const uint8_t *p = (const uint8_t *)s.at + i;

    if (s.len - i < 3 || p[0] != 0xED || p[1] < 0xA0) return 0;
    return 0xD000u | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
}

static void add_pair(text *out, uint32_t high, uint32_t low)
{
    uint32_t code = 0x10000 + ((high & 0x3FF) << 10 | (low & 0x3FF));
    char bytes[4] = { (char)(0xF0 | code >> 18), (char)(0x80 | (code >> 12 & 0x3F)),
                      (char)(0x80 | (code >> 6 & 0x3F)), (char)(0x80 | (code & 0x3F)) };

    text_add(out, (slice){ bytes, sizeof bytes });
}

void utf16_to_utf8(text *out, slice cesu)
{
    size_t from = 0;

    for (size_t i = 0; i < cesu.len;) {
        uint32_t unit = surrogate_at(cesu, i);

        if (unit == 0) {
            ++i;
            continue;
        }
        uint32_t next = unit < 0xDC00 && i + 3 < cesu.len ? surrogate_at(cesu, i + 3) : 0;
        text_add(out, (slice){ cesu.at + from, i - from });
        if (next >= 0xDC00) {
            add_pair(out, unit, next);
            i += 6;
        } else {
            add_unit(out, 0xFFFD);
            i += 3;
        }
        from = i;
    }
    text_add(out, (slice){ cesu.at + from, cesu.len - from });
}
