/* gate.h - places, and what each person does with them.
 *
 * A client that is turned away tries once more after two seconds and then never
 * again until its page is reloaded. So nobody is turned away for want of a
 * place: a connection is accepted, told "busy:" and not read, and gets its place
 * when one is free (session.c). The gate only counts.
 *
 * A person is an address as limits see it (address.h). All connections of a
 * person share two buckets. The gate remembers a person who left until the
 * buckets are full again, or whoever reconnects would start anew.
 *
 * Loopback and trusted proxies are nobody in particular: they have no person.
 */
#ifndef SERVER_GATE_H
#define SERVER_GATE_H

#include "core/status.h"
#include "server/options.h"

typedef struct gate gate;
typedef struct gate_person gate_person;

/* Gives; gate_free() takes back. `limits` are borrowed and outlive the gate. The
 * secret keys the table, since peers choose where they come from. */
MUST_USE status gate_new(gate **out, const server_limits *limits, const uint8_t secret[16]);
void gate_free(gate *g);

/* Gives a person for one socket; gate_part() takes it back. NULL: out of memory. */
gate_person *gate_meet(gate *g, const address *a, int64_t now_ms);
void gate_part(gate_person *p);

/* Where this person is: an address as limits count it. */
address gate_where(const gate_person *p);

/* How many sockets this person has. */
uint32_t gate_sockets(const gate_person *p);

/* Takes a place, for a person or (NULL) for nobody in particular; false when
 * none is free. gate_leave() gives it back. */
bool gate_enter(gate *g, gate_person *p);
void gate_leave(gate *g, gate_person *p);
bool gate_has_room(const gate *g, const gate_person *p);
uint32_t gate_places_taken(const gate *g);

/* Counts what a person did; gate_open() says whether to read on from it. */
void gate_count(gate *g, gate_person *p, double messages, double bytes, int64_t now_ms);
bool gate_open(gate *g, gate_person *p, int64_t now_ms);

/* Forgets those who left and owe nothing. To be called every few seconds. */
void gate_sweep(gate *g, int64_t now_ms);

#endif
