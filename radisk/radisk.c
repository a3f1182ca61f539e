/* radisk.c - see radisk.h: opening, the turn, and the table of graph.h. How the
 * overlay moves is drawn in inside.h. */
#include "radisk/inside.h"

#include <math.h>
#include <sodium/core.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A map's reserve is 2 pages for each row of a transaction: at most an eighth of it. */
enum { RESERVE_SHARE = 8, PAGE = 4096, ROWS_MIN = 64 };

static const radisk_limits defaults = {
    .size_max = (size_t)16 << 30,
    .overlay_max = (size_t)128 << 20,
    .journal_max = (size_t)64 << 20,
    .segment_bytes = (size_t)24 << 20,
    .fold_age_ms = 1000,
    .fold_rows = 10000,
    .changelog_bytes = (size_t)64 << 20,
    .held_max = 1000000,
    .blob_segment_bytes = (size_t)256 << 20,
    .floor_keep_ms = (size_t)90 * 24 * 3600 * 1000,
    .audio_grace_ms = (size_t)24 * 3600 * 1000,
    .audio_pass_ms = (size_t)3600 * 1000,
};

radisk_limits radisk_default_limits(void)
{
    return defaults;
}

/* ---- the table ---- */

static status look(void *context, slice soul, slice key, graph_row *out)
{
    radisk *store = context;
    place *p;
    kept found;
    status s = place_of(store, soul, &p);

    if (s == STATUS_OK) s = place_find(store, p, key, &found);
    if (s != STATUS_OK) return s;
    *out = (graph_row){ .soul = soul, .key = key, .state = found.state, .ticket = found.ticket };
    return kept_value(store, &found, &out->value);
}

static status by_hash(void *context, const uint8_t hash[32], graph_row *out)
{
    radisk *store = context;

    *out = (graph_row){ .state = 1 };
    return blobs_chunk(store->blobs, &store->disk, hash, &store->lent, &out->value);
}

static void progress(void *context, graph_progress *out)
{
    const radisk *store = context;

    *out = store->progress;
}

static void fill_table(radisk *store)
{
    store->table = (graph){ .context = store,
                            .look = look,
                            .by_hash = by_hash,
                            .scan = scan_keys,
                            .souls = scan_souls,
                            .merge = merge_writes,
                            .due = held_due,
                            .next_due = held_next_due,
                            .progress = progress };
}

graph *radisk_graph(radisk *store)
{
    return &store->table;
}

bool radisk_ready(const radisk *store)
{
    return room_admits(store) == STATUS_OK;
}

const char *radisk_trouble(const radisk *store)
{
    status s = room_admits(store);

    if (store->damaged) return "the database cannot be opened any more: restart";
    if (store->latched)
        return "the disk failed twice within a minute: check it, then restart; reads go on";
    if (s == STATUS_NO_SPACE) return "the disk or the store's size limit is full";
    if (s == STATUS_BUSY) return "more comes than the disk takes";
    return s == STATUS_OK ? "" : status_text(s);
}

/* ---- the turn ---- */

void radisk_turn(radisk *store)
{
    double now = store->now_ms(store->context);

    disk_rest(&store->disk);
    place_forget(store);
    (void)log_told(store);
    (void)fold_told(store);
    errands_turn(store);
    space_turn(store);
    room_turn(store, now);
    if (log_idle(store) && !store->folding && fold_wants_seal(store, now)) log_seal(store);
    log_hand(store);
    fold_hand(store);
    disk_rest(&store->disk);
}

double radisk_due_in_ms(radisk *store)
{
    double now = store->now_ms(store->context);
    double age = fold_due_in_ms(store, now), room = room_due_in_ms(store, now);
    double expiry, audio, first = age < room ? age : room;

    if (store->latched || store->damaged) return (double)INFINITY;
    expiry = expire_due_in_ms(store, now);
    if (expiry < first) first = expiry;
    audio = space_due_in_ms(store, now);
    return audio < first ? audio : first;
}

/* Lets a worker that has something finish it; false when none has. */
static bool wait_for(radisk *store, bool journal_first)
{
    bool journal = store->flight != NULL;

    if (!journal && !store->folding) return false;
    if (journal && (journal_first || !store->folding))
        worker_wait(store->journal);
    else
        worker_wait(store->folder);
    radisk_turn(store);
    return true;
}

/* Nothing can be waited for any more: there is no segment to write to, and making
 * one has failed. It is tried again, but a pause that is waited for is none. */
static bool is_starved(const radisk *store)
{
    return store->flight == NULL && !store->has_next && store->prepare_trouble != STATUS_OK;
}

/* The turn first: what failed before is tried again, and is waited for under the
 * number that it gets there. */
status radisk_flush(radisk *store)
{
    radisk_turn(store);
    uint64_t wanted = store->gather->records.rows > 0 ? store->gather->number
                      : store->flight != NULL         ? store->flight->number
                                                      : store->progress.durable;
    while (store->progress.durable < wanted && store->progress.failed < wanted)
        if (!wait_for(store, true) || is_starved(store)) break;
    if (store->progress.durable >= wanted) return store->trouble;
    return store->progress.failed >= wanted ? store->progress.why
           : store->trouble != STATUS_OK    ? store->trouble
                                            : STATUS_IO;
}

/* Why waiting on would be waiting for somebody to mend the disk. */
static status hindrance(const radisk *store, uint64_t folds_failed)
{
    if (store->stats.folds_failed != folds_failed) return store->fold_trouble;
    if (!store->has_next && store->prepare_trouble != STATUS_OK) return store->prepare_trouble;
    return store->trouble;
}

status radisk_fold(radisk *store)
{
    status s = radisk_flush(store);
    uint64_t after = errands_after(store), failures = store->stats.folds_failed;

    if (s != STATUS_OK) return s;
    if (after > store->asked_through) store->asked_through = after;
    radisk_turn(store);
    for (bool waiting = true; store->folded_through < after; s = hindrance(store, failures)) {
        if (s != STATUS_OK || !waiting) return s == STATUS_OK ? STATUS_IO : s;
        waiting = wait_for(store, store->flight != NULL);
    }
    return STATUS_OK;
}

bool radisk_wait(radisk *store)
{
    return wait_for(store, true);
}

bool radisk_step_journal(radisk *store)
{
    return worker_step(store->journal);
}

bool radisk_step_folder(radisk *store)
{
    return worker_step(store->folder);
}

/* ---- figures ---- */

static void measure_disk(radisk *store, radisk_stats *out)
{
    MDB_envinfo info;
    MDB_stat page;

    if (store->disk.env == NULL) return;
    if (disk_count(&store->disk, store->disk.souls, &out->souls) != STATUS_OK ||
        disk_count(&store->disk, store->disk.rows, &out->rows) != STATUS_OK ||
        disk_count(&store->disk, store->disk.blobs, &out->blobs) != STATUS_OK ||
        disk_count(&store->disk, store->disk.roots, &out->roots) != STATUS_OK)
        out->souls = out->rows = out->blobs = out->roots = 0;
    out->rows -= out->souls; /* a soul's own row is not one of its keys */
    (void)mdb_env_info(store->disk.env, &info);
    (void)mdb_env_stat(store->disk.env, &page);
    out->map_bytes_used = (info.me_last_pgno + 1) * page.ms_psize;
    out->map_bytes_max = info.me_mapsize;
}

uint64_t radisk_hashed_bytes(const radisk *store)
{
    uint64_t bytes = store->hashed;

    for (size_t i = 0; i < store->overlay_len; i++) bytes += store->overlay[i]->hashed_bytes;
    return bytes;
}

void radisk_measure(radisk *store, radisk_stats *out)
{
    *out = store->stats;
    out->overlay_rows = 0;
    for (size_t i = 0; i < store->overlay_len; i++) out->overlay_rows += store->overlay[i]->rows;
    out->overlay_bytes = room_overlay_bytes(store);
    out->unfolded_bytes = store->live_bytes + store->sealed_bytes;
    out->segment = store->segment.number;
    out->held = store->held;
    out->hashed_bytes = radisk_hashed_bytes(store);
    out->blob_bytes = blobs_written_bytes(store->blobs);
    out->latched = store->latched;
    measure_disk(store, out);
}

/* ---- opening and closing ---- */

static double steady_ms(void *context)
{
    struct timespec t;

    (void)context;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double clock_ms(void *context)
{
    struct timespec t;

    (void)context;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double wall_at_start(const radisk *store, const radisk_options *options)
{
    return options->wall_ms > 0 ? options->wall_ms : store->clock_ms(store->context);
}

static void fill_limits(radisk_limits *l)
{
#define DEFAULT(name)                                                                              \
    if (l->name == 0) l->name = defaults.name
    DEFAULT(size_max);
    DEFAULT(overlay_max);
    DEFAULT(journal_max);
    DEFAULT(segment_bytes);
    DEFAULT(fold_age_ms);
    DEFAULT(fold_rows);
    DEFAULT(changelog_bytes);
    DEFAULT(held_max);
    DEFAULT(blob_segment_bytes);
    DEFAULT(floor_keep_ms);
    DEFAULT(audio_grace_ms);
    DEFAULT(audio_pass_ms);
#undef DEFAULT
    size_t rows = l->size_max / RESERVE_SHARE / (2 * PAGE);
    if (rows < ROWS_MIN) rows = ROWS_MIN;
    if (l->fold_rows > rows) l->fold_rows = (uint32_t)rows;
    if (l->journal_max > l->size_max / RESERVE_SHARE) l->journal_max = l->size_max / RESERVE_SHARE;
    if (l->segment_bytes > l->journal_max / 2) l->segment_bytes = l->journal_max / 2;
}

/* Everything but the disk. */
static status set_up(radisk *store, const radisk_options *options)
{
    status s = STATUS_OK;

    store->limits = options->limits;
    fill_limits(&store->limits);
    memcpy(store->secret, options->secret, sizeof store->secret);
    store->now_ms = options->now_ms != NULL ? options->now_ms : steady_ms;
    store->clock_ms = options->clock_ms != NULL ? options->clock_ms : clock_ms;
    store->context = options->context;
    store->by_hand = options->by_hand;
    for (size_t i = 0; i < OVERLAY_MAX && s == STATUS_OK; i++)
        s = generation_open(&store->pool[i], store->secret, store->limits.overlay_max);
    store->overlay[0] = &store->pool[0];
    store->overlay_len = 1;
    store->live_since_ms = (double)INFINITY;
    store->gather = &store->batches[0];
    store->gather->number = 1;
    store->failed_at_ms = -(double)INFINITY;
    store->collect_at_ms = store->sweep_at_ms = store->now_ms(store->context);
    store->opened_ms = wall_at_start(store, options);
    fill_table(store);
    return s == STATUS_OK ? space_open(store) : s;
}

static status open_disk(radisk *store, const radisk_options *options, char *why)
{
    disk_options wish = { .folder = options->folder, .size_max = store->limits.size_max };

    memcpy(wish.new_store, options->secret, sizeof wish.new_store);
    return disk_open(&store->disk, &wish, why, RADISK_WHY_MAX);
}

static status open_files(radisk *store, const radisk_options *options)
{
    if (options->files != NULL)
        store->files = *options->files;
    else
        files_real(&store->files, store->disk.folder);
    const files *f = &store->files;
    status s = f->make_folder(f->context, "journal");
    if (s == STATUS_OK) s = f->make_folder(f->context, "blobs");
    if (s == STATUS_OK) s = f->sync_folder(f->context, ".");
    if (s == STATUS_OK)
        s = blobs_open(&store->blobs, f, store->secret, store->limits.blob_segment_bytes);
    return s;
}

/* A store that was made before these were counted, or that a brasa of before has
 * written to since: once. */
static status count_all(radisk *store)
{
    const folder f = { .disk = &store->disk,
                       .files = &store->files,
                       .rows_max = store->limits.fold_rows,
                       .seen_ms = store->opened_ms };
    folder_news news;
    bool roots = false;
    status s = disk_hashed_bytes(&store->disk, &store->hashed);

    if (s == STATUS_OK) s = disk_roots_counted(&store->disk, &roots);
    disk_rest(&store->disk);
    if (s != STATUS_NOT_FOUND && (s != STATUS_OK || roots)) return s;
    folder_recount(&f, &news);
    store->hashed = news.hashed_bytes;
    return news.how;
}

static status open_workers(radisk *store, const radisk_options *options)
{
    worker_options wish = { .name = "journal",
                            .by_hand = options->by_hand,
                            .wake = options->wake,
                            .wake_context = options->context };
    status s = worker_open(&store->journal, &wish);

    wish.name = "folder";
    return s == STATUS_OK ? worker_open(&store->folder, &wish) : s;
}

static void close_segments(radisk *store)
{
    if (store->segment.number != 0 && !store->segment_lost)
        journal_close(&store->files, &store->segment);
    if (store->has_leaving) journal_close(&store->files, &store->leaving);
    if (store->has_next) journal_close(&store->files, &store->next);
}

static void tear_down(radisk *store)
{
    worker_close(store->journal);
    worker_close(store->folder);
    if (store->folding && store->fold_job.errand == PREPARE && store->fold_job.made.number != 0)
        journal_close(&store->files, &store->fold_job.made);
    close_segments(store);
    errands_free(store);
    space_free(store);
    floors_free(store);
    blobs_close(store->blobs);
    disk_close(&store->disk);
    for (size_t i = 0; i < OVERLAY_MAX; i++) generation_close(&store->pool[i]);
    for (size_t i = 0; i < 2; i++) {
        text_free(&store->batches[i].records.bytes);
        blob_batch_free(&store->batches[i].blobs);
    }
    text_free(&store->place.soul);
    text_free(&store->lent);
    text_free(&store->held_value);
    free(store->old);
    free(store->changes);
    free(store);
}

static status open_all(radisk *store, const radisk_options *options, char *why)
{
    status s = set_up(store, options);

    if (s == STATUS_OK) s = open_disk(store, options, why);
    if (s == STATUS_OK) s = open_files(store, options);
    if (s == STATUS_OK) s = count_all(store);
    if (s == STATUS_OK) s = floors_open(store);
    if (s == STATUS_OK) s = held_open(store);
    if (s == STATUS_OK) s = recover(store, store->opened_ms, why, RADISK_WHY_MAX);
    if (s == STATUS_OK) s = fold_first_segments(store);
    if (s == STATUS_OK) s = open_workers(store, options);
    if (s != STATUS_OK) return s;
    overlay_live(store)->segment = store->segment.number;
    fold_note_map(store);
    return STATUS_OK;
}

status radisk_open(radisk **out, const radisk_options *options, char why[RADISK_WHY_MAX])
{
    char unread[RADISK_WHY_MAX];
    char *reason = why == NULL ? unread : why;
    radisk *store = sodium_init() < 0 ? NULL : calloc(1, sizeof *store);

    (void)snprintf(reason, RADISK_WHY_MAX, "out of memory");
    if (store == NULL) return STATUS_NO_MEMORY;
    store->disk.lock = store->disk.folder = -1;
    status s = open_all(store, options, reason);
    if (s != STATUS_OK) {
        if (reason[0] == '\0')
            (void)snprintf(reason, RADISK_WHY_MAX, "cannot open the store in %s: %s",
                           options->folder, status_text(s));
        tear_down(store);
        return s;
    }
    radisk_turn(store); /* what was replayed begins to be folded */
    *out = store;
    return STATUS_OK;
}

/* What cannot be made durable is lost here, and was never promised. What cannot be
 * folded is replayed at the next start. */
void radisk_close(radisk *store)
{
    if (store == NULL) return;
    if (radisk_fold(store) != STATUS_OK && store->folding) worker_wait(store->folder);
    space_flush(store);
    tear_down(store);
}

void radisk_crash(radisk *store)
{
    tear_down(store);
}
