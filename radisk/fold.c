/* fold.c - the folder's side of a turn: one job at a time, the most urgent first. */
#include "radisk/inside.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

enum {
    COURTESY_US = 200,
    COURTESY_TURNS = 100, /* 20 ms: then the fold goes on beside the sync */
    COLLECT_MS = 10 * 1000,
    SWEEP_MS = 3600 * 1000,
    SMALL_MAP = 64 << 20, /* bytes in LMDB up to which folding by age is cheap */
    AGES_MAX = 30,        /* a large store's generations grow so much older */
};

/* ---- the worker ---- */

/* A commit writes to the disk that somebody's ack is waiting for. */
static void courtesy(void *context)
{
    const radisk *store = context;
    const struct timespec nap = { 0, COURTESY_US * 1000 };

    for (int i = 0; i < COURTESY_TURNS && atomic_load(&store->syncing); i++)
        (void)nanosleep(&nap, NULL);
}

static void prepare(fold_job *job)
{
    const files *f = job->folder.files;
    char name[JOURNAL_NAME];

    for (size_t i = 0; i < job->dropped_count; i++) {
        journal_file_name(name, job->dropped[i].number);
        (void)!f->remove(f->context, name); /* it will be tried again at the next start */
    }
    job->news.how =
        journal_make(f, job->store_id, job->number, job->recycled, job->bytes, &job->made);
}

static void drop(fold_job *job)
{
    const files *f = job->folder.files;
    char name[BLOB_NAME];

    blob_file_name(name, job->from);
    job->news.how = f->remove(f->context, name);
    if (job->news.how == STATUS_OK) job->news.how = f->sync_folder(f->context, "blobs");
}

static void work(void *context)
{
    fold_job *job = context;

    job->news = (folder_news){ 0 };
    switch (job->errand) {
    case FOLD:
        folder_fold(&job->folder, job->generation, job->through, &job->news);
        break;
    case PREPARE:
        prepare(job);
        break;
    case DROP:
        drop(job);
        break;
    case PURGE:
        folder_purge(&job->folder, &job->purge, &job->floor, &job->news);
        break;
    case COLLECT:
        folder_collect(&job->folder, job->from, job->to, &job->news);
        break;
    case EXPIRE:
        folder_expire(&job->folder, &job->news);
        break;
    case SPACE:
        folder_space(&job->folder, job->space, &job->news);
        break;
    case SWEEP:
        folder_sweep(&job->folder, job->floor, &job->news);
        break;
    }
}

/* ---- segments that are not written any more ---- */

void fold_note_old(radisk *store, uint64_t number, uint64_t bytes)
{
    if (store->old_len == store->old_room) {
        size_t room = store->old_room == 0 ? 16 : store->old_room * 2;
        old_segment *more = realloc(store->old, room * sizeof *more);
        if (more == NULL) return; /* the next start finds its file */
        store->old = more;
        store->old_room = room;
    }
    store->old[store->old_len++] = (old_segment){ number, bytes };
}

static void forget_oldest(radisk *store)
{
    store->old_len--;
    memmove(store->old, store->old + 1, store->old_len * sizeof *store->old);
}

static uint64_t old_bytes(const radisk *store)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < store->old_len; i++) bytes += store->old[i].bytes;
    return bytes;
}

/* When room is short the change log is the first to give. */
static uint64_t kept_bytes(const radisk *store)
{
    bool short_of_room = store->room != STATUS_OK || store->trouble != STATUS_OK ||
                         store->prepare_trouble != STATUS_OK;

    return short_of_room ? 0 : store->limits.changelog_bytes;
}

/* What the change log does not keep is used again, or removed. */
static void choose_old(radisk *store, fold_job *job)
{
    enum { DROPPED_MAX = sizeof job->dropped / sizeof *job->dropped };

    while (store->old_len > 0 && store->old[0].number <= store->folded_through &&
           old_bytes(store) > kept_bytes(store) && job->dropped_count < DROPPED_MAX) {
        if (job->recycled == 0 && store->old[0].bytes <= 2 * (uint64_t)store->limits.segment_bytes)
            job->recycled = store->old[0].number;
        else
            job->dropped[job->dropped_count++] = store->old[0];
        forget_oldest(store);
    }
}

/* Behind its zeros a segment grows with every batch, and the sync of a file that
 * grows waits for what the file system has to note, and that for the folder's pages
 * (measured: p50 0.3 ms instead of 0.1, p99 30 ms instead of 16). So a busy store
 * gets zeros for all that the segment before held; a small one stays small. */
static size_t first_bytes(const radisk *store)
{
    size_t most = store->limits.segment_bytes, least = most / 2;
    size_t wish = store->segment_wish + store->segment_wish / 4;

    if (least > SEGMENT_START) least = SEGMENT_START;
    if (wish < least) return least;
    return wish < most + least ? wish : most + least;
}

static fold_job job_of(radisk *store, errand what)
{
    double now = store->clock_ms(store->context);

    return (fold_job){ .errand = what,
                       .folder = { .disk = &store->disk,
                                   .files = &store->files,
                                   .rows_max = store->limits.fold_rows,
                                   .now_ms = now,
                                   .seen_ms = now > store->opened_ms ? now : store->opened_ms,
                                   .courtesy = courtesy,
                                   .courtesy_context = store },
                       .store_id = store->disk.store };
}

static fold_job prepare_job(radisk *store)
{
    fold_job job = job_of(store, PREPARE);

    job.number = store->next_number;
    job.bytes = first_bytes(store);
    choose_old(store, &job);
    return job;
}

static void prepared(radisk *store, const fold_job *job)
{
    store->prepare_trouble = job->news.how;
    if (job->news.how != STATUS_OK) {
        log_note_failure(store, job->news.how);
        return;
    }
    store->next = job->made;
    store->has_next = true;
    store->next_number++;
}

static status prepare_now(radisk *store)
{
    fold_job job = prepare_job(store);

    prepare(&job);
    prepared(store, &job);
    return job.news.how;
}

/* On a full disk the change log gives way; and when that does not do, the store
 * opens as one whose segment was lost to it: reads go on at once, and writes when
 * the folder could make a segment. */
status fold_first_segments(radisk *store)
{
    status s = prepare_now(store);

    if (s == STATUS_NO_SPACE) s = prepare_now(store);
    if (s == STATUS_NO_SPACE) {
        store->segment.number = store->next_number - 1;
        store->segment_lost = true;
        store->trouble = s;
        return STATUS_OK;
    }
    if (s != STATUS_OK) return s;
    store->segment = store->next;
    store->has_next = false;
    store->durable_end = JOURNAL_HEADER;
    return STATUS_OK;
}

/* ---- sealing ---- */

/* A small store folds by age; in a large one every fold rewrites many pages, and
 * is worth the more the more rows it has. */
static double age_max(const radisk *store)
{
    double ages = store->disk.env == NULL ? 1 : (double)store->map_used / SMALL_MAP;

    if (ages < 1) ages = 1;
    if (ages > AGES_MAX) ages = AGES_MAX;
    return store->limits.fold_age_ms * ages;
}

static bool can_seal(const radisk *store)
{
    return store->overlay_len == 1 && store->has_next && store->trouble == STATUS_OK &&
           !store->latched && !generation_is_empty(overlay_live(store));
}

bool fold_wants_seal(const radisk *store, double now_ms)
{
    const generation *live = overlay_live(store);

    if (!can_seal(store)) return false;
    return store->live_bytes >= store->limits.segment_bytes ||
           live->memory.taken + blobs_bytes(store->blobs) >= store->limits.overlay_max / 3 ||
           live->segment <= store->asked_through || now_ms - store->live_since_ms >= age_max(store);
}

double fold_due_in_ms(const radisk *store, double now_ms)
{
    double in = (double)INFINITY;
    bool at_work = store->folding || store->flight != NULL; /* then its news come first */

    if (!at_work && can_seal(store)) in = store->live_since_ms + age_max(store) - now_ms;
    return in < 0 ? 0 : in;
}

/* ---- handing over ---- */

static void hand(radisk *store, const fold_job *job, unsigned pause_ms)
{
    store->fold_job = *job;
    store->folding = true;
    worker_hand(store->folder, work, &store->fold_job, pause_ms);
}

static void hand_fold(radisk *store)
{
    fold_job job = job_of(store, FOLD);

    job.generation = overlay_sealed(store);
    job.through = job.generation->segment;
    hand(store, &job, store->fold_trouble == STATUS_OK ? 0 : RETRY_MS);
}

static void hand_purge(radisk *store)
{
    const pending_purge *p = &store->purge;
    fold_job job = job_of(store, PURGE);

    job.purge = (purge){ .kind = p->prefix        ? PURGE_PREFIX
                                 : p->key.len > 0 ? PURGE_ROW
                                                  : PURGE_SOUL,
                         .soul = text_slice(&p->soul),
                         .key = text_slice(&p->key),
                         .floor = p->floor,
                         .now_ms = p->now_ms,
                         .dry_run = p->dry_run };
    hand(store, &job, 0);
}

/* The deadest segment that nothing on its way names; mostly dead, or not at all. */
typedef struct choice {
    const radisk *store;
    uint64_t segment, dead;
} choice;

static void consider(void *context, uint64_t segment, uint64_t bytes, uint64_t dead)
{
    choice *c = context;

    if (2 * dead <= bytes || dead <= c->dead || blobs_in_use(c->store->blobs, segment)) return;
    c->segment = segment;
    c->dead = dead;
}

static bool hand_collect(radisk *store, double now_ms)
{
    choice c = { .store = store };
    fold_job job = job_of(store, COLLECT);

    if (now_ms < store->collect_at_ms || store->views_open > 0) return false;
    store->collect_at_ms = now_ms + COLLECT_MS;
    if (disk_segments(&store->disk, consider, &c) != STATUS_OK || c.segment == 0) return false;
    disk_rest(&store->disk);
    blobs_collect(store->blobs, c.segment);
    job.from = c.segment;
    job.to = blobs_new_number(store->blobs);
    job.floor = (double)c.dead;
    hand(store, &job, 0);
    return true;
}

static bool hand_expire(radisk *store, double now_ms)
{
    bool due = expire_is_due(store, now_ms);
    fold_job job = job_of(store, EXPIRE);

    disk_rest(&store->disk);
    if (due) hand(store, &job, 0);
    return due;
}

static bool hand_space(radisk *store, double now_ms)
{
    fold_job job = job_of(store, SPACE);

    job.space = space_hand(store, now_ms);
    disk_rest(&store->disk);
    if (job.space != NULL) hand(store, &job, 0);
    return job.space != NULL;
}

static void hand_sweep(radisk *store, double now_ms)
{
    fold_job job = job_of(store, SWEEP);

    if (now_ms < store->sweep_at_ms) return;
    store->sweep_at_ms = now_ms + SWEEP_MS;
    job.floor = store->wall_ms - (double)store->limits.floor_keep_ms;
    hand(store, &job, 0);
}

/* LMDB asks to be opened anew after it failed to write a meta page; no transaction
 * may be open then, also no view's. */
static bool reopened(radisk *store)
{
    if (!store->reopen_wanted) return true;
    if (store->views_open > 0) return false;
    disk_rest(&store->disk);
    store->damaged = disk_reopen(&store->disk) != STATUS_OK;
    store->reopen_wanted = false;
    return !store->damaged;
}

/* A segment comes before a fold, unless none can be made: a fold may be what gives
 * room for it. Then they take turns. */
static bool prepares_first(const radisk *store)
{
    bool foldable = overlay_sealed(store) != NULL && store->sealed_whole;

    if (store->has_next) return false;
    return !foldable || store->prepare_trouble == STATUS_OK || store->fold_job.errand != PREPARE;
}

void fold_hand(radisk *store)
{
    double now = store->now_ms(store->context);

    if (store->folding || store->latched || store->damaged || !reopened(store)) return;
    if (prepares_first(store)) {
        fold_job job = prepare_job(store);
        hand(store, &job, store->prepare_trouble == STATUS_OK ? 0 : RETRY_MS);
    } else if (overlay_sealed(store) != NULL && store->sealed_whole) {
        hand_fold(store);
    } else if (store->drop != 0) {
        fold_job job = job_of(store, DROP);
        job.from = store->drop;
        hand(store, &job, 0);
    } else if (errands_purge_ready(store)) {
        hand_purge(store);
    } else if (!hand_expire(store, now) && !hand_space(store, now) && !hand_collect(store, now)) {
        hand_sweep(store, now);
    }
}

/* ---- news ---- */

void fold_note_map(radisk *store)
{
    MDB_envinfo info;
    MDB_stat page;

    if (store->disk.env == NULL) return;
    (void)mdb_env_info(store->disk.env, &info);
    (void)mdb_env_stat(store->disk.env, &page);
    store->map_used = (info.me_last_pgno + 1) * page.ms_psize;
}

static void count_fold(radisk *store, const folder_news *news)
{
    store->stats.folds++;
    store->stats.rows_folded += news->rows;
    store->stats.rows_written += news->written;
    store->stats.rows_expired += news->expired;
    store->stats.transactions += news->transactions;
    store->stats.fold_us_last = news->took_us;
    if (news->took_us > store->stats.fold_us_max) store->stats.fold_us_max = news->took_us;
}

/* The read transaction was laid down before: from the next read on LMDB shows
 * what the overlay gives up here. */
static void drop_sealed(radisk *store)
{
    generation *gone = overlay_sealed(store);

    store->folded_through = store->fold_job.through;
    generation_reset(gone);
    blobs_folded(store->blobs, pool_index(store, gone));
    store->overlay_len = 1;
    store->sealed_bytes = 0;
    store->sealed_whole = false;
    held_sealed(store);
    fold_note_map(store);
    store->room_at_ms = 0;
}

static void folded(radisk *store, const folder_news *news)
{
    store->fold_trouble = news->how;
    if (news->how == STATUS_OK) {
        count_fold(store, news);
        drop_sealed(store);
        return;
    }
    store->stats.folds_failed++;
    log_note_failure(store, news->how);
}

/* What is counted as dead only guides: it may be more than the files have. */
static void count_collected(radisk *store, uint64_t dead)
{
    uint64_t have = blobs_file_bytes(store->blobs);

    store->stats.collected_bytes += dead;
    blobs_count_files(store->blobs, -(int64_t)(dead < have ? dead : have));
}

static void collected(radisk *store, const fold_job *job)
{
    blobs_collect(store->blobs, 0);
    if (job->news.how != STATUS_OK) {
        log_note_failure(store, job->news.how);
        return;
    }
    count_collected(store, (uint64_t)job->floor);
    store->drop = job->from;
    store->collect_at_ms = 0; /* there may be another */
}

static void dropped(radisk *store, const fold_job *job)
{
    blobs_forget_segment(store->blobs, job->from);
    store->drop = 0; /* what could not be removed is, at the next start */
}

/* A soul of which nothing was left is no longer in the index, and its number, which
 * a generation may have learnt before, stands for nothing. */
void fold_forget_ids(radisk *store)
{
    for (size_t i = 0; i < store->overlay_len; i++)
        for (generation_soul *at = store->overlay[i]->newest; at != NULL; at = at->older)
            at->id = 0;
}

static void swept(radisk *store, const fold_job *job)
{
    fold_forget_ids(store);
    if (job->news.how != STATUS_OK) log_note_failure(store, job->news.how);
    if (job->news.rows == 0) return;
    store->sweep_at_ms = 0; /* there may be more */
    floors_free(store);
    if (floors_open(store) != STATUS_OK) store->latched = true;
}

bool fold_told(radisk *store)
{
    const fold_job *job = &store->fold_job;

    if (!store->folding || !worker_told(store->folder)) return false;
    store->folding = false;
    store->reopen_wanted |= job->news.reopen;
    store->expiry_known = false;
    space_stale(store);
    if (job->news.counted) store->hashed = job->news.hashed_bytes;
    place_forget(store);
    switch (job->errand) {
    case FOLD:
        folded(store, &job->news);
        break;
    case PREPARE:
        prepared(store, job);
        break;
    case DROP:
        dropped(store, job);
        break;
    case PURGE:
        errands_purged(store, job);
        break;
    case COLLECT:
        collected(store, job);
        break;
    case EXPIRE:
        expire_told(store, &job->news);
        break;
    case SPACE:
        space_told(store, &job->news);
        break;
    case SWEEP:
        swept(store, job);
        break;
    }
    return true;
}
