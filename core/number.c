/* number.c - see number.h.
 *
 * Printing. Almost every number of a graph is an integer or a state, which is
 * milliseconds with up to three decimals: both are printed from an integer. For
 * the rest the shortest digits are found by trial, with 15, 16 and 17 of them:
 * 15 digits always survive decimal -> double -> decimal, 17 always survive
 * double -> decimal -> double, and fewer than 15 show as zeros at the end.
 *
 * Reading. Digits that fit 2^53 with a power of ten up to 10^22 are two exact
 * doubles and one correctly rounded operation. The rest goes to strtod as
 * digits and exponent, without a decimal point, whose character is the locale's.
 */
#include "core/number.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DIGITS_MOST = 17,
    /* The midpoint of two doubles has fewer digits than this; behind them it
     * only matters whether anything but zero follows. */
    DIGITS_READ = 800,
    /* Far outside what any exponent can mean with so many digits. */
    EXPONENT_FAR = 10000,
};

static const double TEN_TO[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

static const double TWO_53 = 9007199254740992.0, TWO_42 = 4398046511104.0;

/* ---- printing */

static size_t print_integer(char *out, uint64_t n)
{
    char digits[20];
    size_t len = 0;

    do {
        digits[len++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    for (size_t i = 0; i < len; ++i) out[i] = digits[len - 1 - i];
    return len;
}

static size_t print_thousandths(char *out, uint64_t n)
{
    size_t len = print_integer(out, n / 1000);
    uint64_t rest = n % 1000;

    if (rest == 0) return len;
    out[len++] = '.';
    for (uint64_t unit = 100; rest > 0; unit /= 10) {
        out[len++] = (char)('0' + rest / unit);
        rest %= unit;
    }
    return len;
}

/* Decimal digits d1 d2 ... dk, meaning 0.d1d2...dk * 10^point. */
typedef struct decimal {
    char digits[DIGITS_MOST + 1];
    int count, point;
} decimal;

static double decimal_value(const decimal *d)
{
    char text[DIGITS_MOST + 16];

    snprintf(text, sizeof text, "%.*se%d", d->count, d->digits, d->point - d->count);
    return strtod(text, NULL);
}

/* The nearest decimal of `count` digits to x > 0. */
static void decimal_nearest(decimal *d, double x, int count)
{
    char text[DIGITS_MOST + 16];
    const char *p = text;

    snprintf(text, sizeof text, "%.*e", count - 1, x);
    d->count = 0;
    for (; *p != 'e'; ++p) {
        if (*p >= '0' && *p <= '9') d->digits[d->count++] = *p;
    }
    d->point = atoi(p + 1) + 1;
}

/* The next decimal above of as many digits. */
static void decimal_raise(decimal *d)
{
    int i = d->count - 1;

    while (i >= 0 && d->digits[i] == '9') d->digits[i--] = '0';
    if (i >= 0) {
        ++d->digits[i];
    } else {
        d->digits[0] = '1';
        ++d->point;
    }
}

static bool is_power_of_two(double x)
{
    int exponent;

    return frexp(x, &exponent) == 0.5;
}

static void decimal_shortest(decimal *d, double x)
{
    /* Below the normal doubles a few digits are all there is. */
    int count = fpclassify(x) == FP_SUBNORMAL ? 1 : 15;

    for (; count < DIGITS_MOST; ++count) {
        decimal_nearest(d, x, count);
        if (decimal_value(d) == x) break;
        /* At a power of two the doubles below are twice as dense: the nearest
         * decimal may belong to one of them while the next above is still ours. */
        if (is_power_of_two(x)) {
            decimal_raise(d);
            if (decimal_value(d) == x) break;
        }
    }
    if (count == DIGITS_MOST) decimal_nearest(d, x, count);
    while (d->count > 1 && d->digits[d->count - 1] == '0') --d->count;
}

static size_t put_bytes(char *out, const char *bytes, int count)
{
    memcpy(out, bytes, (size_t)count);
    return (size_t)count;
}

static size_t put_zeros(char *out, int count)
{
    memset(out, '0', (size_t)count);
    return (size_t)count;
}

/* Number::toString of ECMA-262, its k and n being our count and point. */
static size_t decimal_lay_out(char *out, const decimal *d)
{
    int k = d->count, n = d->point, exponent = n - 1;
    size_t len = 0;

    if (k <= n && n <= 21) {
        len += put_bytes(out, d->digits, k);
        return len + put_zeros(out + len, n - k);
    }
    if (n > 0 && n <= 21) {
        len += put_bytes(out, d->digits, n);
        out[len++] = '.';
        return len + put_bytes(out + len, d->digits + n, k - n);
    }
    if (n > -6 && n <= 0) {
        len += put_bytes(out, "0.", 2);
        len += put_zeros(out + len, -n);
        return len + put_bytes(out + len, d->digits, k);
    }
    out[len++] = d->digits[0];
    if (k > 1) {
        out[len++] = '.';
        len += put_bytes(out + len, d->digits + 1, k - 1);
    }
    out[len++] = 'e';
    out[len++] = exponent < 0 ? '-' : '+';
    return len + print_integer(out + len, (uint64_t)abs(exponent));
}

static size_t print_positive(char *out, double x)
{
    decimal d;

    if (x < TWO_53 && x == (double)(uint64_t)x) return print_integer(out, (uint64_t)x);
    if (x >= 1e-3 && x < TWO_42) {
        /* Doubles below 2^42 are denser than thousandths, so at most one
         * count of thousandths reads back as x, and no shorter text does. */
        uint64_t n = (uint64_t)(x * 1000 + 0.5);
        if ((double)n / 1000 == x) return print_thousandths(out, n);
    }
    decimal_shortest(&d, x);
    return decimal_lay_out(out, &d);
}

size_t number_print(char out[static NUMBER_TEXT_MAX], double x)
{
    assert(isfinite(x));
    if (x == 0) {
        out[0] = '0';
        return 1;
    }
    if (x > 0) return print_positive(out, x);
    out[0] = '-';
    return 1 + print_positive(out + 1, -x);
}

/* ---- reading */

/* The significant digits of a token and the power of ten behind them. */
typedef struct scan {
    char digits[DIGITS_READ + 1];
    size_t count;
    int64_t exponent;
    bool negative;
} scan;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes one digit; returns by how much it moves the decimal point. Zeros in
 * front are no digits; those past the room leave a 1 if they are not zero. */
static int64_t scan_digit(scan *s, char c)
{
    if (s->count == 0 && c == '0') return 0;
    if (s->count < DIGITS_READ) {
        s->digits[s->count++] = c;
        return 0;
    }
    if (c != '0') s->digits[DIGITS_READ - 1] = '1';
    return 1;
}

static int64_t scan_exponent(slice json, size_t i)
{
    bool negative = false;
    int64_t e = 0;

    if (i < json.len && (json.at[i] == '+' || json.at[i] == '-')) negative = json.at[i++] == '-';
    for (; i < json.len; ++i) {
        /* Behind this bound no number of digits could bring it back. */
        if (e < INT64_C(1) << 40) e = e * 10 + (json.at[i] - '0');
    }
    return negative ? -e : e;
}

static void scan_number(scan *s, slice json)
{
    size_t i = 0;

    s->count = 0;
    s->exponent = 0;
    s->negative = json.len > 0 && json.at[0] == '-';
    if (s->negative) ++i;
    for (; i < json.len && is_digit(json.at[i]); ++i) s->exponent += scan_digit(s, json.at[i]);
    if (i < json.len && json.at[i] == '.') {
        for (++i; i < json.len && is_digit(json.at[i]); ++i) {
            s->exponent += scan_digit(s, json.at[i]) - 1;
        }
    }
    if (i < json.len) s->exponent += scan_exponent(json, i + 1);
}

/* Where two exact doubles and one rounding will do; false where not. */
static bool scan_exact(const scan *s, double *out)
{
    uint64_t n = 0;

    if (s->count > 19 || s->exponent < -22 || s->exponent > 22) return false;
    for (size_t i = 0; i < s->count; ++i) n = n * 10 + (uint64_t)(s->digits[i] - '0');
    if (s->exponent == 0) {
        *out = (double)n;
        return true;
    }
    if (n > UINT64_C(1) << 53) return false;
    *out = s->exponent < 0 ? (double)n / TEN_TO[-s->exponent] : (double)n * TEN_TO[s->exponent];
    return true;
}

static double scan_strtod(const scan *s)
{
    char text[DIGITS_READ + 32];
    uint64_t e = s->exponent < 0 ? (uint64_t)-s->exponent : (uint64_t)s->exponent;
    size_t len = put_bytes(text, s->digits, (int)s->count);

    if (e > EXPONENT_FAR) e = EXPONENT_FAR;
    text[len++] = 'e';
    text[len++] = s->exponent < 0 ? '-' : '+';
    len += print_integer(text + len, e);
    text[len] = '\0';
    return strtod(text, NULL);
}

bool number_read(slice json, double *out)
{
    scan s;
    double x = 0;

    scan_number(&s, json);
    if (s.count > 0 && !scan_exact(&s, &x)) x = scan_strtod(&s);
    if (!isfinite(x)) return false;
    *out = s.negative ? -x : x;
    return true;
}
