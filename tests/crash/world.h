/* world.h - a file system that loses its power.
 *
 * It is told a story event by event and knows, at each moment, what is surely on
 * the disk and what merely may be. From that a world can be drawn: one state of
 * the disk that a loss of power at this moment may leave. What it may leave is
 * what POSIX lets a journaling file system do, and somewhat more:
 *
 *   - A sync makes the bytes and the length of one file sure, those that stood
 *     when it began, when it has ended. No other file's. A sync that failed has
 *     lost them: they are not there unless they are written once more.
 *   - Of the writes after it any subset is there, each whole or in pieces of 512
 *     bytes, the unit that disks write at once.
 *   - The length is one that the file had since; what is within it and was never
 *     written reads as zeros.
 *   - A name that was made, moved or removed is so on the disk when its folder was
 *     synced. Until then: any of the changes, but those of one name in their order.
 *     (Half of the worlds keep all of them in order.)
 *   - To sync a file says nothing about its name, and nothing about other files.
 */
#ifndef TESTS_CRASH_WORLD_H
#define TESTS_CRASH_WORLD_H

#include "tests/crash/story.h"
#include "tests/crash/tool.h"

typedef struct world world;

world *world_new(void);
void world_free(world *w);

/* The next event of a story; its bytes must stay. */
void world_tell(world *w, const event *e);

/* What a file reads as when only its dirty pages are in memory: what is on the disk, and
 * what no sync has decided on. For the last look: that counts as sure from then on. Lent
 * until the world goes. */
slice world_read(world *w, uint64_t object);

/* Draws one state, and writes it to a folder that is there and empty. */
void world_draw(const world *w, dice *d, const char *folder);

/* How much is unsure: writes, and names. */
typedef struct world_doubt {
    size_t writes, names;
} world_doubt;
world_doubt world_unsure(const world *w);

#endif
