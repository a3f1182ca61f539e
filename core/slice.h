/* slice.h - bytes that somebody else owns: a pointer and a length, never a NUL.
 *
 * Names (souls, keys, ids) are slices of CESU-8: like UTF-8, except that a
 * character beyond U+FFFF is written as its two surrogates, three bytes each.
 * Two things follow, and both are the reason: memcmp orders names as JavaScript
 * orders strings (by UTF-16 unit), and a lone surrogate has a spelling. Values
 * and whole messages are slices of JSON text, which is UTF-8.
 */
#ifndef CORE_SLICE_H
#define CORE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct slice {
    const char *at;
    size_t len;
} slice;

#define SLICE(literal) ((slice){ (literal), sizeof(literal) - 1 })

static inline bool slice_equal(slice a, slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Below, at or above zero, as memcmp; a prefix comes before what it begins. */
static inline int slice_order(slice a, slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter == 0 ? 0 : memcmp(a.at, b.at, shorter);

    if (order != 0) return order;
    return a.len < b.len ? -1 : a.len > b.len ? 1 : 0;
}

static inline bool slice_begins(slice text, slice with)
{
    return text.len >= with.len && (with.len == 0 || memcmp(text.at, with.at, with.len) == 0);
}

#endif
