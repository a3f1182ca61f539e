/* gate.c - see gate.h. */
#include "server/gate.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct gate_person {
    gate_person *next; /* in its row of the table */
    address who;
    uint32_t sockets, places;
    pace messages, bytes;
};

/* Chained and of a fixed size: persons are never more than connections plus
 * those of the last seconds, and a table that doubles would stall the loop. */
enum { ROWS = 4096 };

struct gate {
    const server_limits *limits;
    pace_rule messages, bytes; /* of a person */
    uint8_t secret[16];
    uint32_t places;
    gate_person *rows[ROWS];
};

static pace_rule share(const pace_rule *rule, double times)
{
    return (pace_rule){ .rate = rule->rate * times, .burst = rule->burst * times };
}

status gate_new(gate **out, const server_limits *limits, const uint8_t secret[16])
{
    gate *g = calloc(1, sizeof *g);

    if (!g) return STATUS_NO_MEMORY;
    g->limits = limits;
    g->messages = share(&limits->messages, limits->address_share);
    g->bytes = share(&limits->bytes, limits->address_share);
    memcpy(g->secret, secret, sizeof g->secret);
    *out = g;
    return STATUS_OK;
}

void gate_free(gate *g)
{
    if (!g) return;
    for (size_t row = 0; row < ROWS; row++) {
        while (g->rows[row]) {
            gate_person *p = g->rows[row];
            g->rows[row] = p->next;
            free(p);
        }
    }
    free(g);
}

static gate_person **row_of(gate *g, const address *who)
{
    uint8_t hash[crypto_shorthash_BYTES];
    uint32_t row;

    static_assert(crypto_shorthash_KEYBYTES == 16, "the secret is the key");
    crypto_shorthash(hash, who->bytes, sizeof who->bytes, g->secret);
    memcpy(&row, hash, sizeof row);
    return &g->rows[row % ROWS];
}

gate_person *gate_meet(gate *g, const address *a, int64_t now_ms)
{
    address who = address_person(a);
    gate_person **row = row_of(g, &who), *p = *row;

    while (p && memcmp(&p->who, &who, sizeof who) != 0) p = p->next;
    if (!p) {
        p = calloc(1, sizeof *p);
        if (!p) return NULL;
        p->who = who;
        p->messages = pace_new(&g->messages, now_ms);
        p->bytes = pace_new(&g->bytes, now_ms);
        p->next = *row;
        *row = p;
    }
    p->sockets++;
    return p;
}

void gate_part(gate_person *p)
{
    if (!p) return;
    assert(p->sockets > 0);
    p->sockets--;
}

address gate_where(const gate_person *p)
{
    return p->who;
}

uint32_t gate_sockets(const gate_person *p)
{
    return p ? p->sockets : 0;
}

bool gate_has_room(const gate *g, const gate_person *p)
{
    if (g->places >= g->limits->connections_max) return false;
    return !p || p->places < g->limits->per_address_max;
}

bool gate_enter(gate *g, gate_person *p)
{
    if (!gate_has_room(g, p)) return false;
    g->places++;
    if (p) p->places++;
    return true;
}

void gate_leave(gate *g, gate_person *p)
{
    assert(g->places > 0);
    g->places--;
    if (!p) return;
    assert(p->places > 0);
    p->places--;
}

uint32_t gate_places_taken(const gate *g)
{
    return g->places;
}

void gate_count(gate *g, gate_person *p, double messages, double bytes, int64_t now_ms)
{
    if (!p) return;
    pace_take(&p->messages, &g->messages, messages, now_ms);
    pace_take(&p->bytes, &g->bytes, bytes, now_ms);
}

bool gate_open(gate *g, gate_person *p, int64_t now_ms)
{
    if (!p) return true;
    return pace_open(&p->messages, &g->messages, now_ms) && pace_open(&p->bytes, &g->bytes, now_ms);
}

static bool forgettable(gate *g, gate_person *p, int64_t now_ms)
{
    return p->sockets == 0 && p->places == 0 && pace_full(&p->messages, &g->messages, now_ms) &&
           pace_full(&p->bytes, &g->bytes, now_ms);
}

void gate_sweep(gate *g, int64_t now_ms)
{
    for (size_t row = 0; row < ROWS; row++) {
        gate_person **at = &g->rows[row];
        while (*at) {
            gate_person *p = *at;
            if (!forgettable(g, p, now_ms)) {
                at = &p->next;
                continue;
            }
            *at = p->next;
            free(p);
        }
    }
}
