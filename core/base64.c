/* base64.c - see base64.h. */
#include "core/base64.h"

#include <sodium/utils.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

/* The six bits of a character, -1 for what is none of the alphabet. */
static int bits_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
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
    int unused;

    if (text.len == 0 || text.len % 4 != 0) return false;
    while (padding < 2 && text.at[text.len - 1 - padding] == '=') ++padding;
    for (size_t i = 0; i < text.len - padding; ++i)
        if (bits_of(text.at[i]) < 0) return false;
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
