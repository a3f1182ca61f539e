/* backup_inside.h - what writer and reader of a backup share: numbers and checks. */
#ifndef RADISK_BACKUP_INSIDE_H
#define RADISK_BACKUP_INSIDE_H

#include "core/slice.h"

#include <sodium/crypto_shorthash.h>
#include <stdint.h>

#define BACKUP_MAGIC "brasaB1\n"
#define BACKUP_MARK  "bak1"

enum { BACKUP_ROWS = 1, BACKUP_FLOORS = 2, BACKUP_END = 3, BACKUP_PINS = 4 };
enum { BACKUP_TAKEN = 1, BACKUP_HELD = 2 };
enum { BACKUP_FLOOR_ROW = 1, BACKUP_FLOOR_SOUL = 2, BACKUP_FLOOR_PREFIX = 3 };
enum {
    BACKUP_ROW_HEAD = 24,
    BACKUP_FLOOR_HEAD = 32,
    BACKUP_END_BYTES = 48,
    BACKUP_PIN_BYTES = 40,
    BACKUP_FILE_ID = 16,
    BACKUP_FILE_ID_AT = 24, /* in the header */
    BACKUP_CHECKED = 48,    /* of the header */
};

static inline void backup_put(char *at, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++, number >>= 8) at[i] = (char)(number & 0xff);
}

static inline uint64_t backup_get(const char *at, size_t bytes)
{
    uint64_t number = 0;

    while (bytes-- > 0) number = number << 8 | (unsigned char)at[bytes];
    return number;
}

static inline uint64_t backup_check(const uint8_t id[static BACKUP_FILE_ID], slice bytes)
{
    unsigned char out[crypto_shorthash_BYTES];

    (void)crypto_shorthash(out, (const unsigned char *)bytes.at, bytes.len, id);
    return backup_get((const char *)out, sizeof out);
}

static inline size_t backup_padding(size_t bytes)
{
    return (8 - bytes % 8) % 8;
}

#endif
