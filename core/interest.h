/* interest.h - who wants to hear of which soul or key.
 *
 * A row says: this holder (a connection) has to do with this soul, or with this
 * one key of it. It is made to be many (8 million) and small: a soul's name is
 * kept once, whoever wants it, and keys are kept as keyed 64-bit hashes only: a
 * collision would cost one needless delivery, which GUN's clients shrug off.
 *
 * Every holder has its rows in a list, ordered by when they were last touched,
 * so that its oldest interests can make room for new ones; every target (soul,
 * or key of a soul) has its rows in a list, so that a write finds its audience
 * in two look-ups, however many keys the soul has. Nothing here is linear in
 * the number of all rows, and no single insert rehashes a large table (tables
 * are split in 64 by the hash's top bits).
 *
 * When a connection ends, what it wrote can be packed into a keepsake, under
 * its pid, and unpacked when the pid is back: a client never asks for a key it
 * wrote itself, so nothing else would subscribe it again.
 */
#ifndef CORE_INTEREST_H
#define CORE_INTEREST_H

#include "core/slice.h"
#include "core/status.h"

#include <stdint.h>

typedef struct interest interest;

/* Embedded in whoever holds interests; zeroed before use, and it must stay where
 * it is until interest_leave() or interest_keep(). Costs nothing else while empty.
 * Rows that are owed stand in their own queue and are the last to make room. */
typedef struct interest_holder {
    uint32_t oldest, newest;        /* rows in order of touch, 0 is none */
    uint32_t owed_first, owed_last; /* rows with INTEREST_OWED, in order of debt */
    uint32_t rows;                  /* all of them */
    uint32_t name;                  /* what interest_return() knows it by */
    uint32_t long_bytes;            /* names above INTEREST_LONG_NAME, once a row */
} interest_holder;

/* Names are kept by the soul, rows are counted by the holder. So that few rows on
 * souls with huge names are not much memory, a holder's rows on long names are
 * bounded in bytes as well (its longest untouched rows go), and a keepsake leaves
 * them out. */
enum { INTEREST_LONG_NAME = 256, INTEREST_LONG_BYTES_MAX = 16 << 20 };

enum {
    INTEREST_WANTS = 1, /* deliver changes */
    INTEREST_WROTE = 2, /* it wrote this key: worth a keepsake */
    INTEREST_ASKED = 4, /* (whole-soul rows) we have asked this holder back for the soul */
    INTEREST_OWED = 8,  /* (whole-soul rows) an ask-back waits for its budget */
};

typedef struct interest_options {
    uint8_t secret[16];
    uint32_t rows_max;            /* in all */
    uint32_t rows_per_holder_max; /* past it the holder's longest untouched row goes */
    uint32_t keepsakes_max;       /* pids remembered */
    uint32_t keepsake_rows_max;   /* a pid */
    uint32_t keepsake_rows_total; /* all pids together */
    int64_t keepsake_ms;
} interest_options;

typedef struct interest_counts {
    uint64_t rows, souls, keepsakes, keepsake_rows;
    uint64_t dropped; /* rows that made room */
} interest_counts;

/* Gives; interest_free() takes back. STATUS_NO_MEMORY. */
MUST_USE status interest_new(interest **out, const interest_options *options);
void interest_free(interest *t);

/* Adds flags to the row of (holder, soul, key), made if it is new; an empty key
 * means the whole soul. `before`, if given, gets the flags it had (0: new).
 * STATUS_NO_MEMORY: the row may be missing, nothing else has changed. When the
 * total is full, rows of `holder` itself make room, and if it has none
 * STATUS_TOO_BIG is the answer. */
MUST_USE status interest_add(interest *t, interest_holder *holder, slice soul, slice key,
                             unsigned flags, unsigned *before);

/* The flags of a row, 0 when there is none. Does not touch it. */
unsigned interest_flags(const interest *t, const interest_holder *holder, slice soul, slice key);

/* Takes flags away; a row without any goes. */
void interest_clear(interest *t, interest_holder *holder, slice soul, slice key, unsigned flags);

/* Visits holders with INTEREST_WANTS on exactly this target; an empty key
 * visits those who want the whole soul. The visitor must not change interest
 * and returns whether to go on. */
typedef bool interest_visit(void *visitor, interest_holder *holder, unsigned flags);
void interest_each(const interest *t, slice soul, slice key, interest_visit *visit, void *visitor);

/* Visits every holder that has any row on the soul or one of the given key's
 * (wants, wrote, asked), once each: candidates when somebody misses it. */
void interest_each_near(const interest *t, slice soul, slice key, interest_visit *visit,
                        void *visitor);

/* Takes one row with INTEREST_OWED off the holder's queue of debts: clears
 * OWED, sets ASKED, lends the soul's name until the next change. False when
 * nothing is owed. First owed, first taken, in constant time. */
bool interest_next_owed(interest *t, interest_holder *holder, slice *soul);

/* Drops every row of the holder. */
void interest_leave(interest *t, interest_holder *holder);

/* Like interest_leave(), and keeps what it WROTE under `pid` for keepsake_ms. */
void interest_keep(interest *t, interest_holder *holder, slice pid, int64_t steady_ms);

/* The holder is `pid`. If there is a keepsake for it: unpacks it into the holder
 * as WANTS|WROTE on each key, plus OWED on each soul that is not ASKED yet;
 * returns the number of keys. The keepsake is gone afterwards.
 * If another holder is `pid`, too, what that one wrote is copied in the same way:
 * a client that lost its network is often back before its old connection is
 * known to be dead. */
size_t interest_return(interest *t, interest_holder *holder, slice pid, int64_t steady_ms);

/* Drops keepsakes past their time; call it every second or so, costs little. */
void interest_sweep(interest *t, int64_t steady_ms);

void interest_count(const interest *t, interest_counts *out);

/* Bytes of heap in use, for metrics. */
size_t interest_bytes(const interest *t);

#endif
