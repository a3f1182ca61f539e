/* bodies.h - messages that were made beforehand, from a file.
 *
 * A signature costs the one who signs about as much as the one who verifies, so a load
 * generator that signed while it loads would take the processor away from what it
 * measures. Puts with signatures are therefore made first (signed.cjs), one a line:
 * everything of the message behind its id,
 *
 *     "put":{"~PUB/soul":{"_":{...},"k0":"{\":\":...,\"~\":...}"}}}
 *
 * and sent in their order, each once.
 */
#ifndef BENCH_BODIES_H
#define BENCH_BODIES_H

#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct bodies {
    char *text;
    slice *lines;
    uint64_t count;
} bodies;

/* Gives; bodies_free() takes it back. False, and nothing to free, when the file cannot
 * be read or has no line. */
bool bodies_read(bodies *b, const char *path);
void bodies_free(bodies *b);

#endif
