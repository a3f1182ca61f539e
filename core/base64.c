/* base64.c - see base64.h. */
#include "core/base64.h"

#include <sodium/utils.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

/* The six bits of a character, and 1 above them; 0 for what is none of the alphabet.
 * A table: every chunk that is written goes through here several times, and by
 * comparisons that took half of the time of an upload. */
static const uint8_t alphabet[256] = {
#define C(c, bits) [c] = 64 + (bits)
    C('A', 0),  C('B', 1),  C('C', 2),  C('D', 3),  C('E', 4),  C('F', 5),  C('G', 6),  C('H', 7),
    C('I', 8),  C('J', 9),  C('K', 10), C('L', 11), C('M', 12), C('N', 13), C('O', 14), C('P', 15),
    C('Q', 16), C('R', 17), C('S', 18), C('T', 19), C('U', 20), C('V', 21), C('W', 22), C('X', 23),
    C('Y', 24), C('Z', 25), C('a', 26), C('b', 27), C('c', 28), C('d', 29), C('e', 30), C('f', 31),
    C('g', 32), C('h', 33), C('i', 34), C('j', 35), C('k', 36), C('l', 37), C('m', 38), C('n', 39),
    C('o', 40), C('p', 41), C('q', 42), C('r', 43), C('s', 44), C('t', 45), C('u', 46), C('v', 47),
    C('w', 48), C('x', 49), C('y', 50), C('z', 51), C('0', 52), C('1', 53), C('2', 54), C('3', 55),
    C('4', 56), C('5', 57), C('6', 58), C('7', 59), C('8', 60), C('9', 61), C('+', 62), C('/', 63),
#undef C
};

/* Its six bits, -1 for what is none of the alphabet. */
static int bits_of(char c)
{
    int known = alphabet[(unsigned char)c];

    return known != 0 ? known - 64 : -1;
}

/* Up to two "=" at the end of a multiple of four characters; elsewhere a "=" is a
 * character like any other, and not of the alphabet. */
static size_t without_padding(slice text, size_t characters)
{
    size_t pads = 0;

    if (characters % 4 != 0) return characters;
    for (size_t i = text.len; i > 0 && pads < 2; --i) {
        if (is_space(text.at[i - 1])) continue;
        if (text.at[i - 1] != '=') break;
        ++pads;
    }
    return characters - pads;
}

bool base64_forgiving(slice text, uint8_t *out, size_t bytes)
{
    size_t characters = 0, read = 0, wrote = 0;
    uint32_t held = 0;
    unsigned held_bits = 0;

    for (size_t i = 0; i < text.len; ++i) characters += !is_space(text.at[i]);
    characters = without_padding(text, characters);
    if (characters != (bytes * 8 + 5) / 6) return false;
    for (size_t i = 0; read < characters; ++i) {
        int bits;

        if (is_space(text.at[i])) continue;
        bits = bits_of(text.at[i]);
        if (bits < 0) return false;
        ++read;
        held = held << 6 | (uint32_t)bits;
        held_bits += 6;
        if (held_bits >= 8) {
            held_bits -= 8;
            out[wrote++] = (uint8_t)(held >> held_bits);
        }
    }
    return wrote == bytes;
}

bool base64_is_canonical(slice text)
{
    size_t padding = 0;
    uint8_t all = 64;
    int unused;

    if (text.len == 0 || text.len % 4 != 0) return false;
    while (padding < 2 && text.at[text.len - 1 - padding] == '=') ++padding;
    /* Without a branch in it: nearly every text that is asked about is one. */
    for (size_t i = 0; i < text.len - padding; ++i) all &= alphabet[(unsigned char)text.at[i]];
    if (all < 64) return false;
    unused = padding == 2 ? 15 : padding == 1 ? 3 : 0;
    return (bits_of(text.at[text.len - 1 - padding]) & unused) == 0;
}

bool base64_url32(slice text, uint8_t out[static 32])
{
    size_t len;

    return sodium_base642bin(out, 32, text.at, text.len, NULL, &len, NULL,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
           len == 32 && text.len == 43;
}

void base64_print32(const uint8_t bytes[static 32], char out[static BASE64_LEN_32])
{
    char with_nul[BASE64_LEN_32 + 1];

    sodium_bin2base64(with_nul, sizeof with_nul, bytes, 32, sodium_base64_VARIANT_ORIGINAL);
    memcpy(out, with_nul, BASE64_LEN_32);
}
