/* policy.c - see policy.h. */
#include "core/policy.h"

#include <math.h>
#include <stdlib.h>

enum { FLEETING_DEFAULT_MS = 60 * 1000, FLEETING_MAX_MS = 24 * 3600 * 1000 };

bool policy_is_fleeting(const policy *p, slice soul)
{
    if (slice_begins(soul, SLICE("/RTC/"))) return true;
    for (size_t i = 0; i < p->fleeting_count; ++i)
        if (slice_begins(soul, p->fleeting[i])) return true;
    return false;
}

bool policy_is_hashed(slice soul)
{
    return memchr(soul.at, '#', soul.len) != NULL && memchr(soul.at, '~', soul.len) == NULL;
}

/* JavaScript's parseFloat, as far as it gives a finite number above zero. */
static double leading_number(slice text)
{
    char digits[32];
    size_t len = 0;
    bool dot = false;

    while (len < text.len && len < sizeof digits - 1) {
        char c = text.at[len];
        if (c == '.' && !dot)
            dot = true;
        else if (c < '0' || c > '9')
            break;
        digits[len++] = c;
    }
    digits[len] = '\0';
    return len > 0 ? strtod(digits, NULL) : 0;
}

double policy_life_ms(slice soul)
{
    const char *mark = soul.len > 2 ? memmem(soul.at, soul.len, "<?", 2) : NULL;

    if (mark == NULL) return 0;
    mark += 2;
    return leading_number((slice){ mark, (size_t)(soul.at + soul.len - mark) }) * 1000;
}

int64_t policy_fleeting_ms(slice soul)
{
    double life_ms = policy_life_ms(soul);

    if (life_ms <= 0) return FLEETING_DEFAULT_MS;
    return life_ms < FLEETING_MAX_MS ? (int64_t)life_ms : FLEETING_MAX_MS;
}
