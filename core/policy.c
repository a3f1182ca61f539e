/* policy.c - see policy.h. */
#include "core/policy.h"

#include "core/sea.h"

#include <float.h>
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

bool policy_is_ours(slice soul)
{
    return slice_begins(soul, SLICE("brasa/"));
}

bool policy_is_hashed(slice soul)
{
    return sea_kind_of(soul, NULL, NULL) == SEA_HASH;
}

/* JavaScript's parseFloat, for numbers that begin with a digit or a dot. */
static double leading_number(slice from)
{
    char digits[32], *end;
    size_t len = from.len < sizeof digits - 1 ? from.len : sizeof digits - 1;

    memcpy(digits, from.at, len);
    digits[len] = '\0';
    /* strtod knows more than parseFloat: signs we do not want, hexadecimal, inf. */
    digits[strspn(digits, "0123456789.eE+-")] = '\0';
    if (strspn(digits, "0123456789.") == 0) return 0;
    double number = strtod(digits, &end);
    return end != digits && isfinite(number) ? number : 0;
}

double policy_life_ms(slice soul)
{
    const char *mark = soul.len > 2 ? memmem(soul.at, soul.len, "<?", 2) : NULL;

    if (mark == NULL) return 0;
    mark += 2;
    double seconds = leading_number((slice){ mark, (size_t)(soul.at + soul.len - mark) });
    return fmin(seconds * 1000, DBL_MAX); /* who adds a life to a time gets a time */
}

int64_t policy_fleeting_ms(slice soul)
{
    double life_ms = policy_life_ms(soul);

    if (life_ms <= 0) return FLEETING_DEFAULT_MS;
    return life_ms < FLEETING_MAX_MS ? (int64_t)life_ms : FLEETING_MAX_MS;
}
