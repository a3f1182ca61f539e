/* hex.h - a hash in hexadecimal: 64 digits, of either case. */
#ifndef CORE_HEX_H
#define CORE_HEX_H

#include "core/slice.h"

#include <stdint.h>

/* -1 for what is no digit. */
static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static inline bool hex_read32(slice hex, uint8_t out[static 32])
{
    if (hex.len != 64) return false;
    for (size_t i = 0; i < 32; ++i) {
        int high = hex_digit(hex.at[2 * i]), low = hex_digit(hex.at[2 * i + 1]);

        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

#endif
