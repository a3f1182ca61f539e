/* worker.h - a thread that does one job at a time, or a test that does it by hand.
 *
 *            hand                    done
 *   IDLE ------------> WORKING ------------> DONE --told--> IDLE
 *
 * The store has two: the journal's and the folder's. What a job reads and writes
 * belongs to the worker from hand to told, so nothing needs a lock but the
 * hand-over itself, and that lock is never held while anything blocks.
 *
 * Without a thread (worker_open with `by_hand`) a job is done by worker_step(), at
 * the moment its caller chooses: so the simulator decides, from its seed, how far
 * the disk has come when the power goes.
 */
#ifndef RADISK_WORKER_H
#define RADISK_WORKER_H

#include "core/status.h"

#include <stdbool.h>

typedef struct worker worker;

/* Does a job. May call worker_pause(); writes its news where `job` says. */
typedef void worker_do(void *job);

typedef struct worker_options {
    const char *name;            /* of the thread, at most 15 characters */
    bool by_hand;
    void (*wake)(void *context); /* after each job, from the thread; NULL for none */
    void *wake_context;
} worker_options;

/* Gives; worker_close() takes it back and waits for the job at hand.
 * STATUS_NO_MEMORY. Signals are blocked in the thread: they are the loop's. */
MUST_USE status worker_open(worker **out, const worker_options *options);
void worker_close(worker *w);

/* Hands over a job; the one before must have been told. `pause_ms` first. */
void worker_hand(worker *w, worker_do *work, void *job, unsigned pause_ms);

bool worker_idle(const worker *w);

/* Whether the job at hand is done; once true, the worker is idle again. */
bool worker_told(worker *w);

/* Waits for it, cutting its pause short. By hand: does it. */
void worker_wait(worker *w);

/* By hand only: does the job at hand, if any. Whether there was one. */
bool worker_step(worker *w);

#endif
