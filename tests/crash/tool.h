/* tool.h - what the programs of this folder share: they are tools that end with
 * a sentence when they cannot go on, folders, and dice with a seed. */
#ifndef TESTS_CRASH_TOOL_H
#define TESTS_CRASH_TOOL_H

#include "core/slice.h"

#include <stdint.h>
#include <stdnoreturn.h>

/* Prints a sentence and ends with status 2. */
noreturn void tool_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Zeroed memory; never NULL. */
void *tool_room(size_t count, size_t bytes);

/* A growing array: makes place for one more behind `count`. */
void *tool_grow(void *items, size_t count, size_t *room, size_t bytes);

char *tool_read_file(const char *path, size_t *len);
void tool_write_file(int folder, const char *name, const void *bytes, size_t len);

/* Removes what is in a folder, and the folder. It need not be there. */
void tool_remove(const char *folder);

/* A new folder of our own, in memory where there is such a place; `out` holds
 * at least TOOL_PATH bytes. */
enum { TOOL_PATH = 256 };
void tool_make_scratch(char out[static TOOL_PATH], const char *word);

double tool_now_ms(void);

/* Chance that can be had again (splitmix64, by Sebastiano Vigna). */
typedef struct dice {
    uint64_t state;
} dice;

dice dice_of(uint64_t seed, uint64_t number);
uint64_t dice_throw(dice *d);
uint64_t dice_below(dice *d, uint64_t bound); /* bound > 0 */
bool dice_chance(dice *d, double p);

#endif
