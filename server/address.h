/* address.h - who is at the other end, as far as limits are concerned.
 *
 * An address is 16 bytes: IPv6, or IPv4 mapped into it, so that 1.2.3.4 and
 * ::ffff:1.2.3.4 are one. Limits count people, not addresses: an IPv6 customer
 * is given a /64 at the least, so its lower half is not looked at.
 *
 * Behind a proxy every connection comes from the proxy. X-Forwarded-For then
 * names the client, but its left end is whatever the client wrote. Each proxy
 * appends the address that it saw, so the right-most one that is not itself a
 * trusted proxy is the last that somebody we trust has seen.
 */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

typedef struct address {
    uint8_t bytes[16];
} address;

typedef struct address_range {
    address base;
    unsigned bits; /* of the 128 */
} address_range;

enum { ADDRESS_TEXT_MAX = 48 };

/* Reads "1.2.3.4", "::1" or "[::1]"; false when it is none. */
bool address_parse(const char *text, size_t len, address *out);

/* Reads "10.0.0.0/8", "fd00::/8", or one address; bits beyond the prefix must be
 * zero, since somebody who writes 10.0.0.1/8 means something else. */
bool address_range_parse(const char *text, address_range *out);

address address_of(const struct sockaddr_storage *from);
bool address_is_loopback(const address *a);
bool address_in(const address *a, const address_range *ranges, size_t count);

/* What limits count by: the address, or the /64 of an IPv6 one. */
address address_person(const address *a);

/* The client behind a trusted proxy: the right-most address of the header that
 * is in no range, or the left-most when all are. False when the header holds
 * something else before that point: then nobody is to be believed. */
bool address_forwarded(const char *header, size_t len, const address_range *trusted, size_t count,
                       address *out);

/* IPv4 as such, IPv6 without brackets. */
void address_print(const address *a, char out[ADDRESS_TEXT_MAX]);

#endif
