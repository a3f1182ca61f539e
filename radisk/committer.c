/* committer.c - see committer.h. */
#include "radisk/committer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

typedef enum phase { IDLE, HANDED, DONE } phase;

struct committer {
    const disk *disk;
    void (*wake)(void *context);
    void *wake_context;
    pthread_t thread;

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    phase phase;
    bool hurry, stopping;
    committer_job job;
    committer_news news;
};

/* One transaction as it is written. The first error sticks and ends it. */
typedef struct writing {
    const disk *disk;
    MDB_txn *txn;
    MDB_cursor *souls, *rows;
    uint64_t next_soul;
    bool new_souls;
    uint64_t written;
    int error; /* of LMDB */
} writing;

static void read_next_soul(writing *w)
{
    MDB_val key = disk_val(SLICE(DISK_META_NEXT_SOUL)), value;
    int error = mdb_get(w->txn, w->disk->meta, &key, &value);

    if (error == 0 && value.mv_size == 8)
        w->next_soul = layout_get64(value.mv_data);
    else if (error == MDB_NOTFOUND)
        w->next_soul = 1; /* 0 stands for "not known" */
    else
        w->error = error == 0 ? MDB_CORRUPTED : error;
}

static void write_next_soul(writing *w)
{
    char number[8];
    MDB_val key = disk_val(SLICE(DISK_META_NEXT_SOUL)), value = { sizeof number, number };

    if (w->error != 0 || !w->new_souls) return;
    layout_put64(number, w->next_soul);
    w->error = mdb_put(w->txn, w->disk->meta, &key, &value, 0);
}

/* Puts an entry; its bytes are written where they shall stand. */
static void put_entry(writing *w, MDB_cursor *cursor, slice key, const layout_entry *e,
                      unsigned flags)
{
    MDB_val k = disk_val(key), v = { layout_entry_bytes(e), NULL };

    if (w->error != 0) return;
    w->error = mdb_cursor_put(cursor, &k, &v, flags | MDB_RESERVE);
    if (w->error == 0) layout_entry_write(v.mv_data, e);
}

/* The id of a soul that is on disk after all; 0 when it is not. */
static uint64_t known_soul(writing *w, const layout_key *key, slice name)
{
    MDB_val k = disk_val(layout_key_slice(key)), v;
    layout_entry e;

    if (w->error != 0) return 0;
    int error = mdb_cursor_get(w->souls, &k, &v, MDB_SET);
    if (error == MDB_NOTFOUND) return 0;
    w->error = error;
    if (error == 0 && (layout_entry_read(&e, layout_key_slice(key), disk_slice(v)) != STATUS_OK ||
                       !slice_equal(e.name, name)))
        w->error = MDB_CORRUPTED;
    return w->error == 0 ? e.number : 0;
}

/* Numbers a soul, and writes the row (id, "") that proves the index. The id is
 * the highest, so its rows append. */
static uint64_t number_soul(writing *w, const layout_key *key, slice name)
{
    layout_entry e = { .name = name, .number = w->next_soul };
    layout_key row;
    MDB_val k, v = disk_val(name);

    put_entry(w, w->souls, layout_key_slice(key), &e, 0);
    layout_row_key(&row, e.number, SLICE(""));
    k = disk_val(layout_key_slice(&row));
    if (w->error == 0) w->error = mdb_cursor_put(w->rows, &k, &v, MDB_APPEND);
    w->next_soul++;
    w->new_souls = true;
    return e.number;
}

/* Rows of a new soul go to the end of the table, which packs its pages full;
 * but long names that share their beginning come in another order than that of
 * their stored forms. */
static unsigned append_flag(bool appending, slice key)
{
    return appending && key.len <= LAYOUT_WHOLE_MAX ? MDB_APPEND : 0;
}

static void write_soul(writing *w, const generation_soul *soul)
{
    uint64_t id = soul->id;
    bool fresh = false;

    if (id == 0) {
        layout_key key;
        layout_soul_key(&key, soul->name);
        id = known_soul(w, &key, soul->name);
        fresh = id == 0;
        if (fresh) id = number_soul(w, &key, soul->name);
    }
    for (rung *at = ladder_first(&soul->rows); at != NULL && w->error == 0; at = at->after[0]) {
        const generation_row *row = at->item;
        layout_entry e = { row->key, layout_state_number(row->state), row->value };
        layout_key key;
        layout_row_key(&key, id, row->key);
        put_entry(w, w->rows, layout_key_slice(&key), &e, append_flag(fresh, row->key));
        w->written++;
    }
}

/* Released first: a write released and held again in one generation is held. */
static void write_held(writing *w, const generation *g)
{
    for (rung *at = ladder_first(&g->held_released); at != NULL && w->error == 0;
         at = at->after[0]) {
        MDB_val key = disk_val(at->name);
        int error = mdb_del(w->txn, w->disk->held, &key, NULL);
        if (error != MDB_NOTFOUND) w->error = error;
    }
    for (rung *at = ladder_first(&g->held_added); at != NULL && w->error == 0; at = at->after[0]) {
        const layout_held *h = at->item;
        MDB_val key = disk_val(at->name), value = { layout_held_bytes(h), NULL };
        w->error = mdb_put(w->txn, w->disk->held, &key, &value, MDB_RESERVE);
        if (w->error == 0) layout_held_write(value.mv_data, h);
    }
}

static void write_generation(writing *w, const generation *g)
{
    for (rung *at = ladder_first(&g->souls); at != NULL && w->error == 0; at = at->after[0])
        write_soul(w, at->item);
    write_held(w, g);
}

/* Everything of a job, or nothing. Returns LMDB's error. */
static int commit(const disk *d, const committer_job *job, uint64_t *rows)
{
    writing w = { .disk = d };
    int error = mdb_txn_begin(d->env, NULL, 0, &w.txn);

    if (error != 0) return error;
    w.error = mdb_cursor_open(w.txn, d->souls, &w.souls);
    if (w.error == 0) w.error = mdb_cursor_open(w.txn, d->rows, &w.rows);
    if (w.error == 0) read_next_soul(&w);
    for (size_t i = 0; i < job->count && w.error == 0; i++)
        write_generation(&w, job->oldest_first[i]);
    write_next_soul(&w);
    if (w.souls != NULL) mdb_cursor_close(w.souls);
    if (w.rows != NULL) mdb_cursor_close(w.rows);
    *rows = w.written;
    if (w.error != 0) {
        mdb_txn_abort(w.txn);
        return w.error;
    }
    return mdb_txn_commit(w.txn);
}

/* LMDB that could not write a meta page answers MDB_PANIC to every later
 * begin, reads included, until it was closed and opened again. */
static bool panicked(const disk *d)
{
    MDB_txn *txn;
    int error = mdb_txn_begin(d->env, NULL, 0, &txn);

    if (error == 0) mdb_txn_abort(txn);
    return error == MDB_PANIC;
}

static uint64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void do_job(const disk *d, const committer_job *job, committer_news *out)
{
    uint64_t began = now_us();
    int error = commit(d, job, &out->rows);

    out->took_us = now_us() - began;
    out->how = disk_status(error);
    /* A commit finds nothing missing: then it is the store that is damaged. */
    if (out->how == STATUS_NOT_FOUND) out->how = STATUS_CORRUPT;
    out->reopen = error != 0 && panicked(d);
}

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
static void pause_for(committer *c, unsigned ms)
{
    struct timespec until = after(ms);

    while (!c->hurry && !c->stopping)
        if (pthread_cond_timedwait(&c->changed, &c->lock, &until) == ETIMEDOUT) return;
}

static bool await_job(committer *c)
{
    while (c->phase != HANDED && !c->stopping) (void)pthread_cond_wait(&c->changed, &c->lock);
    if (c->phase == HANDED && c->job.pause_ms > 0) pause_for(c, c->job.pause_ms);
    return c->phase == HANDED;
}

static void *run(void *context)
{
    committer *c = context;

    (void)pthread_mutex_lock(&c->lock);
    while (await_job(c)) {
        committer_job job = c->job;
        committer_news news = { 0 };
        (void)pthread_mutex_unlock(&c->lock);
        do_job(c->disk, &job, &news);
        (void)pthread_mutex_lock(&c->lock);
        c->news = news;
        c->phase = DONE;
        (void)pthread_cond_broadcast(&c->changed);
        (void)pthread_mutex_unlock(&c->lock);
        if (c->wake != NULL) c->wake(c->wake_context);
        (void)pthread_mutex_lock(&c->lock);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* Signals are the loop's to hear. */
static int start_thread(committer *c)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&c->thread, NULL, run, c);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

status committer_start(committer **out, const disk *d, void (*wake)(void *), void *context)
{
    committer *c = calloc(1, sizeof *c);
    pthread_condattr_t steady;

    if (c == NULL) return STATUS_NO_MEMORY;
    c->disk = d;
    c->wake = wake;
    c->wake_context = context;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->changed, &steady);
    (void)pthread_condattr_destroy(&steady);
    if (start_thread(c) != 0) {
        (void)pthread_cond_destroy(&c->changed);
        (void)pthread_mutex_destroy(&c->lock);
        free(c);
        return STATUS_NO_MEMORY;
    }
    *out = c;
    return STATUS_OK;
}

void committer_stop(committer *c)
{
    if (c == NULL) return;
    (void)pthread_mutex_lock(&c->lock);
    c->stopping = true;
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
    (void)pthread_join(c->thread, NULL);
    (void)pthread_cond_destroy(&c->changed);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

void committer_hand(committer *c, const committer_job *job)
{
    (void)pthread_mutex_lock(&c->lock);
    assert(c->phase == IDLE);
    c->job = *job;
    c->hurry = false;
    c->phase = HANDED;
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
}

bool committer_told(committer *c, committer_news *out)
{
    (void)pthread_mutex_lock(&c->lock);
    bool done = c->phase == DONE;
    if (done) {
        *out = c->news;
        c->phase = IDLE;
    }
    (void)pthread_mutex_unlock(&c->lock);
    return done;
}

void committer_wait(committer *c, committer_news *out)
{
    (void)pthread_mutex_lock(&c->lock);
    assert(c->phase != IDLE);
    c->hurry = true;
    (void)pthread_cond_broadcast(&c->changed);
    while (c->phase != DONE) (void)pthread_cond_wait(&c->changed, &c->lock);
    *out = c->news;
    c->phase = IDLE;
    (void)pthread_mutex_unlock(&c->lock);
}
