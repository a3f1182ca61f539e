/* hash31.c - see hash31.h. */
#include "core/hash31.h"

static hash31 add_unit(hash31 h, uint32_t unit)
{
    return (hash31){ h.sum * 31 + unit, h.power * 31 };
}

/* Both units of the character of four bytes at p. */
static hash31 add_pair(hash31 h, const uint8_t *p)
{
    uint32_t code =
        (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);

    h = add_unit(h, 0xD800 | (code - 0x10000) >> 10);
    return add_unit(h, 0xDC00 | (code & 0x3FF));
}

hash31 hash31_add(hash31 h, slice text)
{
    const uint8_t *p = (const uint8_t *)text.at, *end = p + text.len;

    while (p < end) {
        size_t left = (size_t)(end - p);

        if (*p < 0x80 || left < 2) {
            h = add_unit(h, *p++);
        } else if (*p < 0xE0 || left < 3) {
            h = add_unit(h, (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu));
            p += 2;
        } else if (*p < 0xF0 || left < 4) {
            h = add_unit(h, (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu));
            p += 3;
        } else {
            h = add_pair(h, p);
            p += 4;
        }
    }
    return h;
}
