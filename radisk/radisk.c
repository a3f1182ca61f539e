/* radisk.c - see radisk.h: opening, the turn, and the table of graph.h. How the
 * overlay moves is drawn in inside.h. */
#include "radisk/inside.h"

#include <assert.h>
#include <sodium/core.h>
#include <stdio.h>
#include <stdlib.h>

/* How long a full or failing disk is left alone before it is asked again. */
enum { RETRY_MS = 1000 };

static status look(void *context, slice soul, slice key, graph_row *out)
{
    radisk *store = context;
    place *p;
    kept found;
    status s = place_of(store, soul, &p);

    if (s == STATUS_OK) s = place_find(store, p, key, &found);
    if (s != STATUS_OK) return s;
    *out = (graph_row){ .soul = soul,
                        .key = key,
                        .value = found.write.value,
                        .state = found.write.state,
                        .ticket = found.ticket };
    return STATUS_OK;
}

static void progress(void *context, graph_progress *out)
{
    const radisk *store = context;

    *out = store->progress;
}

graph *radisk_graph(radisk *store)
{
    return &store->table;
}

bool radisk_ready(const radisk *store)
{
    return merge_admits(store) == STATUS_OK;
}

/* An empty generation that the overlay does not use. There is always one when
 * the committer is idle: of three, at most two are sealed. */
static generation *spare(radisk *store)
{
    for (size_t i = 0; i < OVERLAY_MAX; i++) {
        bool used = false;
        for (size_t j = 0; j < store->overlay_len; j++)
            used |= store->overlay[j] == &store->pool[i];
        if (!used) return &store->pool[i];
    }
    return NULL;
}

/* Puts an empty generation in front; what was live is sealed. */
static void seal(radisk *store)
{
    generation *fresh = spare(store);

    assert(fresh != NULL && store->overlay_len < OVERLAY_MAX);
    for (size_t i = store->overlay_len; i > 0; i--) store->overlay[i] = store->overlay[i - 1];
    store->overlay[0] = fresh;
    store->overlay_len++;
    held_sealed(store);
}

/* Hands over everything that is not durable, as one batch: what failed before
 * waits for that batch too, with the number it now has. */
static void commit(radisk *store)
{
    committer_job job = { .pause_ms = store->trouble == STATUS_OK ? 0 : RETRY_MS };
    uint64_t batch = overlay_live(store)->batch;

    if (!generation_is_empty(overlay_live(store))) seal(store);
    for (size_t i = store->overlay_len; i-- > 1;) {
        store->overlay[i]->batch = batch;
        job.oldest_first[job.count++] = store->overlay[i];
    }
    overlay_live(store)->batch = batch + 1;
    store->committing = true;
    store->committing_batch = batch;
    place_forget(store);
    committer_hand(store->committer, &job);
}

static void drop_sealed(radisk *store)
{
    for (size_t i = 1; i < store->overlay_len; i++) generation_reset(store->overlay[i]);
    store->overlay_len = 1;
    held_sealed(store);
}

static void count(radisk *store, const committer_news *news)
{
    if (news->how != STATUS_OK) {
        store->stats.commits_failed++;
        return;
    }
    store->stats.commits++;
    store->stats.rows_written += news->rows;
    store->stats.sync_us_last = news->took_us;
    if (news->took_us > store->stats.sync_us_max) store->stats.sync_us_max = news->took_us;
}

/* An environment that cannot be opened again answers STATUS_IO to everything
 * until the store is closed and opened. */
static void reopen(radisk *store)
{
    store->damaged = disk_reopen(&store->disk) != STATUS_OK;
}

/* Takes the committer's news. The read transaction was laid down before: from
 * the next read on LMDB shows what the overlay gives up here. */
static void settle(radisk *store, const committer_news *news)
{
    count(store, news);
    store->committing = false;
    place_forget(store);
    if (news->how == STATUS_OK) {
        store->progress.durable = store->committing_batch;
        store->trouble = STATUS_OK;
        drop_sealed(store);
        return;
    }
    store->progress.failed = store->committing_batch;
    store->progress.why = news->how;
    store->trouble = news->how;
    if (news->reopen) reopen(store);
}

static bool anything_to_commit(const radisk *store)
{
    return store->overlay_len > 1 || !generation_is_empty(overlay_live(store));
}

void radisk_turn(radisk *store)
{
    committer_news news;

    disk_rest(&store->disk);
    place_forget(store);
    if (store->committing && committer_told(store->committer, &news)) settle(store, &news);
    if (!store->committing && !store->damaged && anything_to_commit(store)) commit(store);
}

/* The turn first: what failed before is tried again, and is waited for under
 * the number that it gets there. */
status radisk_flush(radisk *store)
{
    committer_news news;

    radisk_turn(store);
    bool gathering = !generation_is_empty(overlay_live(store));
    uint64_t wanted = gathering ? overlay_live(store)->batch : store->committing_batch;
    while (store->progress.durable < wanted && store->progress.failed < wanted) {
        if (!store->committing) return store->trouble;
        committer_wait(store->committer, &news);
        settle(store, &news);
        if (store->committing_batch < wanted) radisk_turn(store);
    }
    return store->progress.durable >= wanted ? STATUS_OK : store->progress.why;
}

void radisk_measure(radisk *store, radisk_stats *out)
{
    MDB_envinfo info;
    MDB_stat page;
    uint64_t held = 0;

    *out = store->stats;
    out->overlay_rows = out->overlay_bytes = 0;
    for (size_t i = 0; i < store->overlay_len; i++) {
        out->overlay_rows += store->overlay[i]->rows;
        out->overlay_bytes += store->overlay[i]->memory.taken;
    }
    if (store->disk.env == NULL) return;
    if (disk_count(&store->disk, store->disk.souls, &out->souls) != STATUS_OK ||
        disk_count(&store->disk, store->disk.rows, &out->rows) != STATUS_OK ||
        disk_count(&store->disk, store->disk.held, &held) != STATUS_OK)
        out->souls = out->rows = 0;
    out->rows -= out->souls; /* a soul's own row is not one of its keys */
    out->held = held;
    (void)mdb_env_info(store->disk.env, &info);
    (void)mdb_env_stat(store->disk.env, &page);
    out->map_bytes_used = (info.me_last_pgno + 1) * page.ms_psize;
    out->map_bytes_max = info.me_mapsize;
}

static void fill_table(radisk *store)
{
    store->table = (graph){ .context = store,
                            .look = look,
                            .scan = scan_keys,
                            .souls = scan_souls,
                            .merge = merge_writes,
                            .due = held_due,
                            .next_due = held_next_due,
                            .progress = progress };
}

/* Everything but the disk. */
static status set_up(radisk *store, const radisk_options *options)
{
    status s = STATUS_OK;

    store->options = *options;
    store->options.folder = NULL;
    for (size_t i = 0; i < OVERLAY_MAX && s == STATUS_OK; i++)
        s = generation_open(&store->pool[i], store->options.secret, options->overlay_max);
    store->overlay[0] = &store->pool[0];
    store->overlay[0]->batch = 1;
    store->overlay_len = 1;
    fill_table(store);
    return s;
}

static void tear_down(radisk *store)
{
    committer_stop(store->committer);
    disk_close(&store->disk);
    for (size_t i = 0; i < OVERLAY_MAX; i++) generation_close(&store->pool[i]);
    text_free(&store->place.soul);
    free(store->changes);
    free(store);
}

status radisk_open(radisk **out, const radisk_options *options, char why[RADISK_WHY_MAX])
{
    char unread[RADISK_WHY_MAX];
    char *reason = why == NULL ? unread : why;
    radisk *store = sodium_init() < 0 ? NULL : calloc(1, sizeof *store);

    (void)snprintf(reason, RADISK_WHY_MAX, "out of memory");
    if (store == NULL) return STATUS_NO_MEMORY;
    store->disk.lock = -1;
    status s = set_up(store, options);
    if (s == STATUS_OK)
        s = disk_open(&store->disk, options->folder, options->size_max, reason, RADISK_WHY_MAX);
    if (s == STATUS_OK) s = held_open(store);
    if (s == STATUS_OK)
        s = committer_start(&store->committer, &store->disk, options->wake, options->wake_context);
    if (s != STATUS_OK) {
        if (reason[0] == '\0') (void)snprintf(reason, RADISK_WHY_MAX, "%s", status_text(s));
        tear_down(store);
        return s;
    }
    disk_rest(&store->disk);
    *out = store;
    return STATUS_OK;
}

/* What cannot be committed is lost here, and was never promised. */
void radisk_close(radisk *store)
{
    if (store == NULL) return;
    status s = radisk_flush(store);
    (void)s;
    tear_down(store);
}
