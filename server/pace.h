/* pace.h - how much somebody may do: so much a second, and a burst.
 *
 * A bucket fills with time up to its burst and is emptied by what was done. It
 * may go below zero, since what has arrived is always heard; it only says when
 * to go on reading. Pure: the steady clock is handed in.
 */
#ifndef SERVER_PACE_H
#define SERVER_PACE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct pace_rule {
    double rate; /* a second; 0: no limit */
    double burst;
} pace_rule;

typedef struct pace {
    double level;
    int64_t at_ms;
} pace;

/* A full bucket. */
pace pace_new(const pace_rule *rule, int64_t now_ms);

void pace_take(pace *b, const pace_rule *rule, double amount, int64_t now_ms);

/* Whether nothing is owed: below zero, wait. */
bool pace_open(pace *b, const pace_rule *rule, int64_t now_ms);

/* Whether it is full, so that forgetting it changes nothing. */
bool pace_full(pace *b, const pace_rule *rule, int64_t now_ms);

#endif
