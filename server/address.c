/* address.c - see address.h. */
#include "server/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool is_four(const address *a)
{
    return memcmp(a->bytes, mapped, sizeof mapped) == 0;
}

bool address_parse(const char *text, size_t len, address *out)
{
    char buffer[ADDRESS_TEXT_MAX];

    if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len == 0 || len >= sizeof buffer || memchr(text, 0, len)) return false;
    memcpy(buffer, text, len);
    buffer[len] = 0;
    if (inet_pton(AF_INET6, buffer, out->bytes) == 1) return true;
    memcpy(out->bytes, mapped, sizeof mapped);
    return inet_pton(AF_INET, buffer, out->bytes + 12) == 1;
}

static bool bits_beyond_are_zero(const address *a, unsigned bits)
{
    for (unsigned i = bits; i < 128; i++)
        if (a->bytes[i / 8] & (0x80u >> (i % 8))) return false;
    return true;
}

bool address_range_parse(const char *text, address_range *out)
{
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    unsigned width;

    if (!address_parse(text, len, &out->base)) return false;
    width = is_four(&out->base) && !memchr(text, ':', len) ? 32 : 128;
    out->bits = 128;
    if (slash) {
        char *end;
        unsigned long bits = strtoul(slash + 1, &end, 10);
        if (slash[1] < '0' || slash[1] > '9' || *end != 0 || bits > width) return false;
        out->bits = (unsigned)bits + 128 - width;
    }
    return bits_beyond_are_zero(&out->base, out->bits);
}

address address_of(const struct sockaddr_storage *from)
{
    address a = { { 0 } };

    if (from->ss_family == AF_INET6) {
        memcpy(a.bytes, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
    } else if (from->ss_family == AF_INET) {
        memcpy(a.bytes, mapped, sizeof mapped);
        memcpy(a.bytes + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
    }
    return a;
}

bool address_is_loopback(const address *a)
{
    static const uint8_t six[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };

    if (is_four(a)) return a->bytes[12] == 127;
    return memcmp(a->bytes, six, sizeof six) == 0;
}

static bool in_range(const address *a, const address_range *range)
{
    unsigned whole = range->bits / 8, rest = range->bits % 8;

    if (memcmp(a->bytes, range->base.bytes, whole) != 0) return false;
    if (rest == 0) return true;
    return ((a->bytes[whole] ^ range->base.bytes[whole]) >> (8 - rest)) == 0;
}

bool address_in(const address *a, const address_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (in_range(a, &ranges[i])) return true;
    return false;
}

address address_person(const address *a)
{
    address person = *a;

    if (!is_four(a)) memset(person.bytes + 8, 0, 8);
    return person;
}

/* "1.2.3.4:5678" and "[::1]:5678" are written by some proxies. */
static size_t without_port(const char *text, size_t len)
{
    const char *colon = memchr(text, ':', len);

    if (len > 0 && text[0] == '[') {
        const char *close = memchr(text, ']', len);
        return close ? (size_t)(close - text) + 1 : len;
    }
    if (colon && !memchr(colon + 1, ':', len - (size_t)(colon + 1 - text)))
        return (size_t)(colon - text);
    return len;
}

bool address_forwarded(const char *header, size_t len, const address_range *trusted, size_t count,
                       address *out)
{
    while (len > 0) {
        size_t start = len, end = len;

        while (start > 0 && header[start - 1] != ',') start--;
        len = start > 0 ? start - 1 : 0;
        while (start < end && (header[start] == ' ' || header[start] == '\t')) start++;
        while (end > start && (header[end - 1] == ' ' || header[end - 1] == '\t')) end--;
        end = start + without_port(header + start, end - start);
        if (!address_parse(header + start, end - start, out)) return false;
        if (!address_in(out, trusted, count) || len == 0) return true;
    }
    return false;
}

void address_print(const address *a, char out[ADDRESS_TEXT_MAX])
{
    const char *done = is_four(a) ? inet_ntop(AF_INET, a->bytes + 12, out, ADDRESS_TEXT_MAX)
                                  : inet_ntop(AF_INET6, a->bytes, out, ADDRESS_TEXT_MAX);
    if (!done) snprintf(out, ADDRESS_TEXT_MAX, "?");
}
