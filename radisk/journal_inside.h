/* journal_inside.h - what writing and reading a segment share: numbers, keys, checks. */
#ifndef RADISK_JOURNAL_INSIDE_H
#define RADISK_JOURNAL_INSIDE_H

#include "core/keyed.h"
#include "radisk/journal.h"

void journal_put32(char *at, uint32_t n);
void journal_put64(char *at, uint64_t n);
uint32_t journal_get32(const char *at);
uint64_t journal_get64(const char *at);

/* The key of a segment's checks. */
void journal_key(uint8_t key[static 16], const uint8_t store[static JOURNAL_STORE_ID],
                 uint64_t number);

/* Over mark, flags, length and sequence. */
uint32_t journal_head_check(const uint8_t key[static 16], const char *head);

/* Over the head without the check itself, then the body. */
uint64_t journal_head_hash(const uint8_t key[static 16], const char *head);
uint64_t journal_check(const uint8_t key[static 16], uint64_t head, slice body);

bool journal_header_is(const char at[static JOURNAL_HEADER],
                       const uint8_t store[static JOURNAL_STORE_ID], uint64_t number,
                       const uint8_t key[static 16]);

#endif
