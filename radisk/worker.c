/* worker.c - see worker.h. */
#include "radisk/worker.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

typedef enum phase { IDLE, HANDED, WORKING, DONE } phase;

struct worker {
    worker_options options;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    phase phase;
    bool hurry, stopping;
    worker_do *work;
    void *job;
    unsigned pause_ms;
};

static struct timespec after(unsigned ms)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* Both with the lock held. */
static void pause_before(worker *w)
{
    struct timespec until = after(w->pause_ms);

    while (!w->hurry && !w->stopping)
        if (pthread_cond_timedwait(&w->changed, &w->lock, &until) == ETIMEDOUT) return;
}

static bool await_job(worker *w)
{
    while (w->phase != HANDED && !w->stopping) (void)pthread_cond_wait(&w->changed, &w->lock);
    if (w->phase == HANDED && w->pause_ms > 0) pause_before(w);
    return w->phase == HANDED;
}

static void *run(void *context)
{
    worker *w = context;

    (void)pthread_mutex_lock(&w->lock);
    while (await_job(w)) {
        worker_do *work = w->work;
        void *job = w->job;
        w->phase = WORKING;
        (void)pthread_mutex_unlock(&w->lock);
        work(job);
        (void)pthread_mutex_lock(&w->lock);
        w->phase = DONE;
        (void)pthread_cond_broadcast(&w->changed);
        (void)pthread_mutex_unlock(&w->lock);
        if (w->options.wake != NULL) w->options.wake(w->options.wake_context);
        (void)pthread_mutex_lock(&w->lock);
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* Signals are the loop's to hear. */
static int start_thread(worker *w)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&w->thread, NULL, run, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) (void)pthread_setname_np(w->thread, w->options.name);
    return error;
}

static void release(worker *w)
{
    (void)pthread_cond_destroy(&w->changed);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

status worker_open(worker **out, const worker_options *options)
{
    worker *w = calloc(1, sizeof *w);
    pthread_condattr_t steady;

    if (w == NULL) return STATUS_NO_MEMORY;
    w->options = *options;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&w->changed, &steady);
    (void)pthread_condattr_destroy(&steady);
    if (!options->by_hand && start_thread(w) != 0) {
        release(w);
        return STATUS_NO_MEMORY;
    }
    *out = w;
    return STATUS_OK;
}

void worker_close(worker *w)
{
    if (w == NULL) return;
    (void)pthread_mutex_lock(&w->lock);
    w->stopping = true;
    (void)pthread_cond_broadcast(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
    if (!w->options.by_hand) (void)pthread_join(w->thread, NULL);
    release(w);
}

void worker_hand(worker *w, worker_do *work, void *job, unsigned pause_ms)
{
    (void)pthread_mutex_lock(&w->lock);
    assert(w->phase == IDLE);
    w->work = work;
    w->job = job;
    w->pause_ms = pause_ms;
    w->hurry = false;
    w->phase = HANDED;
    (void)pthread_cond_broadcast(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
}

static phase phase_of(const worker *w)
{
    worker *mine = (worker *)(uintptr_t)w; /* the lock changes, and nothing else */

    (void)pthread_mutex_lock(&mine->lock);
    phase now = w->phase;
    (void)pthread_mutex_unlock(&mine->lock);
    return now;
}

bool worker_idle(const worker *w)
{
    return phase_of(w) == IDLE;
}

bool worker_told(worker *w)
{
    if (phase_of(w) != DONE) return false;
    (void)pthread_mutex_lock(&w->lock);
    w->phase = IDLE;
    (void)pthread_mutex_unlock(&w->lock);
    return true;
}

void worker_wait(worker *w)
{
    if (w->options.by_hand) {
        (void)worker_step(w);
        return;
    }
    (void)pthread_mutex_lock(&w->lock);
    assert(w->phase != IDLE);
    w->hurry = true;
    (void)pthread_cond_broadcast(&w->changed);
    while (w->phase != DONE) (void)pthread_cond_wait(&w->changed, &w->lock);
    (void)pthread_mutex_unlock(&w->lock);
}

bool worker_step(worker *w)
{
    if (!w->options.by_hand || w->phase != HANDED) return false;
    w->work(w->job);
    w->phase = DONE;
    if (w->options.wake != NULL) w->options.wake(w->options.wake_context);
    return true;
}
