/* verify.c - see verify.h. */
#include "server/verify.h"

#include "core/keyed.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    /* Many, for who shares one waits behind all of the other's. */
    LANES = 16384,
    THREADS_MAX = 64,
    /* The loop comes first where processors are few: a curve can wait, and whoever
     * waits for an answer without one should not. */
    NICENESS = 5,
};

typedef struct queue {
    check *first, *last;
} queue;

typedef struct lane lane;
struct lane {
    queue checks;
    lane *next; /* among those that have some */
};

struct verify {
    const sea_crypto *crypto;
    void (*wake)(void *context);
    void *context;
    uint8_t secret[16];

    pthread_mutex_t lock;
    pthread_cond_t work;
    lane lanes[LANES];
    lane *turn, *turn_last; /* whose turn it is, and who is behind */
    queue done;
    uint64_t waiting;
    bool stopping;

    pthread_t threads[THREADS_MAX];
    unsigned thread_count;
};

static void queue_add(queue *q, check *c)
{
    c->next = NULL;
    if (q->last != NULL)
        q->last->next = c;
    else
        q->first = c;
    q->last = c;
}

static check *queue_take(queue *q)
{
    check *c = q->first;

    q->first = c->next;
    if (q->first == NULL) q->last = NULL;
    return c;
}

/* --- lanes --- */

static void line_up(verify *v, lane *l)
{
    l->next = NULL;
    if (v->turn_last != NULL)
        v->turn_last->next = l;
    else
        v->turn = l;
    v->turn_last = l;
}

static check *take_turn(verify *v)
{
    lane *l = v->turn;
    check *c = queue_take(&l->checks);

    v->turn = l->next;
    if (v->turn == NULL) v->turn_last = NULL;
    if (l->checks.first != NULL) line_up(v, l);
    --v->waiting;
    return c;
}

static void submit(void *context, check *c)
{
    verify *v = context;
    uint64_t hash = keyed_hash(v->secret, (slice){ (const char *)&c->lane, sizeof c->lane });
    lane *l = &v->lanes[hash % LANES];

    pthread_mutex_lock(&v->lock);
    bool was_empty = l->checks.first == NULL;
    queue_add(&l->checks, c);
    if (was_empty) line_up(v, l);
    ++v->waiting;
    pthread_cond_signal(&v->work);
    pthread_mutex_unlock(&v->lock);
}

/* --- threads --- */

static void *run(void *context)
{
    verify *v = context;

    /* A thread's own, on Linux; that it cannot be set harms nobody. */
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
    pthread_mutex_lock(&v->lock);
    for (;;) {
        while (v->turn == NULL && !v->stopping) pthread_cond_wait(&v->work, &v->lock);
        if (v->stopping) break;
        check *c = take_turn(v);
        pthread_mutex_unlock(&v->lock);
        check_run(c, v->crypto);
        pthread_mutex_lock(&v->lock);
        bool is_first = v->done.first == NULL;
        queue_add(&v->done, c);
        if (is_first) v->wake(v->context);
    }
    pthread_mutex_unlock(&v->lock);
    return NULL;
}

unsigned verify_threads(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (processors <= 2) return 1;
    return processors > THREADS_MAX ? THREADS_MAX : (unsigned)processors - 1;
}

/* Signals are the loop's. */
static bool start_threads(verify *v, unsigned threads)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (v->thread_count < threads && v->thread_count < THREADS_MAX &&
           pthread_create(&v->threads[v->thread_count], NULL, run, v) == 0)
        ++v->thread_count;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return v->thread_count > 0;
}

status verify_new(verify **out, const sea_crypto *with, unsigned threads,
                  const uint8_t secret[static 16], void (*wake)(void *context), void *context)
{
    verify *v = calloc(1, sizeof *v);

    if (v == NULL) return STATUS_NO_MEMORY;
    v->crypto = with;
    v->wake = wake;
    v->context = context;
    memcpy(v->secret, secret, sizeof v->secret);
    pthread_mutex_init(&v->lock, NULL);
    pthread_cond_init(&v->work, NULL);
    if (!start_threads(v, threads)) {
        verify_free(v);
        return STATUS_NO_MEMORY;
    }
    *out = v;
    return STATUS_OK;
}

void verify_stop(verify *v)
{
    pthread_mutex_lock(&v->lock);
    v->stopping = true;
    pthread_cond_broadcast(&v->work);
    pthread_mutex_unlock(&v->lock);
    while (v->thread_count > 0) pthread_join(v->threads[--v->thread_count], NULL);
}

void verify_free(verify *v)
{
    if (v == NULL) return;
    verify_stop(v);
    pthread_cond_destroy(&v->work);
    pthread_mutex_destroy(&v->lock);
    free(v);
}

check_pool verify_pool(verify *v)
{
    return (check_pool){ .context = v, .submit = submit };
}

check *verify_take(verify *v)
{
    check *done;

    pthread_mutex_lock(&v->lock);
    done = v->done.first;
    v->done = (queue){ NULL, NULL };
    pthread_mutex_unlock(&v->lock);
    return done;
}

void verify_count(verify *v, verify_counts *out)
{
    pthread_mutex_lock(&v->lock);
    *out = (verify_counts){ .waiting = v->waiting, .threads = v->thread_count };
    pthread_mutex_unlock(&v->lock);
}
