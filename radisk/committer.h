/* committer.h - the thread that writes generations to LMDB.
 *
 *            hand                     news
 *   IDLE ------------> COMMITTING ------------> IDLE
 *
 * It is handed one job at a time: one generation, or those of a failed job and
 * the one that gathered since, oldest first. All of a job is one transaction
 * and one sync. While it works nobody changes those generations. The lock
 * guards nothing but the hand-over, and is never held while anything blocks.
 *
 * A job that failed is handed back and comes again; it then waits for a while
 * first, so that a full disk is not asked a thousand times a second.
 */
#ifndef RADISK_COMMITTER_H
#define RADISK_COMMITTER_H

#include "radisk/disk.h"
#include "radisk/generation.h"

typedef struct committer committer;

enum { COMMITTER_GENERATIONS_MAX = 2 };

typedef struct committer_job {
    const generation *oldest_first[COMMITTER_GENERATIONS_MAX];
    size_t count;
    unsigned pause_ms; /* wait first, unless hurried */
} committer_job;

typedef struct committer_news {
    status how;
    bool reopen;      /* LMDB wants disk_reopen() before anything else */
    uint64_t rows;    /* written */
    uint64_t took_us; /* the transaction and its sync, without the pause */
} committer_news;

/* Gives a committer; committer_stop() takes it back, with the job that it has,
 * done or not. `wake` may be NULL. STATUS_NO_MEMORY. */
MUST_USE status committer_start(committer **out, const disk *d, void (*wake)(void *),
                                void *context);
void committer_stop(committer *c);

/* Hands a job over; the one before must have been told. */
void committer_hand(committer *c, const committer_job *job);

/* Takes the news of the job, once: false while it is under way. */
bool committer_told(committer *c, committer_news *out);

/* Waits for the news of the job that was handed, without its pause. */
void committer_wait(committer *c, committer_news *out);

#endif
