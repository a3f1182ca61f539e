/* room.c - whether one more write may be admitted.
 *
 * Room is asked for before, not after: a delete, too, needs pages, and a put that
 * was half written when the disk ran full is no refusal. So what has been promised
 * always fits: the map and the file system keep a reserve of two pages for each
 * row of one transaction of the folder, and twice what is in the journal and not
 * yet in LMDB.
 */
#include "radisk/inside.h"

#include <math.h>

/* How often free space is asked for while all is well. */
enum { ASK_MS = 1000 };

size_t room_overlay_bytes(const radisk *store)
{
    size_t bytes = blobs_bytes(store->blobs);

    for (size_t i = 0; i < store->overlay_len; i++) bytes += store->overlay[i]->memory.taken;
    return bytes;
}

static size_t unfolded(const radisk *store)
{
    return store->live_bytes + store->sealed_bytes;
}

/* What was replayed is bounded by what the last run was allowed; it must not stop
 * the first writes of this one. What goes beyond that does. */
static size_t beyond(size_t replayed, size_t bound)
{
    return replayed > bound ? replayed - bound : 0;
}

static status bounds(const radisk *store)
{
    const generation *sealed = overlay_sealed(store);
    size_t journal = unfolded(store), memory = room_overlay_bytes(store);

    if (sealed != NULL && sealed->replayed) {
        journal += beyond(store->sealed_bytes, store->limits.journal_max) - store->sealed_bytes;
        memory += beyond(sealed->memory.taken, store->limits.overlay_max) - sealed->memory.taken;
    }
    bool room = journal < store->limits.journal_max && memory < store->limits.overlay_max;
    return room ? STATUS_OK : STATUS_BUSY;
}

/* Blobs are counted as they are written, not only when room is asked for. */
static bool blobs_fit(const radisk *store)
{
    uint64_t now = blobs_file_bytes(store->blobs) + blobs_bytes(store->blobs);

    return now <= store->blobs_at_ask + store->blob_room;
}

/* A bound stops the merge after the one that crossed it: so a message larger than
 * the whole bound is still taken, when it comes to a store with room. */
status room_admits(const radisk *store)
{
    if (store->latched || store->damaged) return STATUS_IO;
    if (store->trouble != STATUS_OK) return store->trouble;
    if (!store->has_next && store->prepare_trouble != STATUS_OK) return store->prepare_trouble;
    if (store->room != STATUS_OK) return store->room;
    if (!blobs_fit(store)) return STATUS_NO_SPACE;
    return bounds(store);
}

static uint64_t reserve_bytes(const radisk *store, uint64_t page)
{
    return 2 * page * store->limits.fold_rows + 2 * (uint64_t)unfolded(store);
}

static status ask_files(const radisk *store)
{
    MDB_stat stat;
    uint64_t free_bytes;

    if (store->disk.env == NULL) return STATUS_OK; /* told otherwise */
    (void)mdb_env_stat(store->disk.env, &stat);
    status s = store->files.room(store->files.context, &free_bytes);
    bool is_full = s == STATUS_OK && free_bytes < reserve_bytes(store, stat.ms_psize);
    return is_full ? STATUS_NO_SPACE : STATUS_OK;
}

/* The size that an operator set is for the database and the blobs together: what
 * the blobs take is not the database's any more. */
static status ask(radisk *store)
{
    MDB_stat stat;
    uint64_t pages, blobs = blobs_file_bytes(store->blobs);

    if (store->disk.env == NULL) return STATUS_OK; /* told otherwise */
    (void)mdb_env_stat(store->disk.env, &stat);
    uint64_t wanted = reserve_bytes(store, stat.ms_psize);
    status s = disk_free_pages(&store->disk, (wanted + blobs) / stat.ms_psize + 1, &pages);
    disk_rest(&store->disk);
    if (s != STATUS_OK) return STATUS_OK; /* what cannot be read is no want of room */
    uint64_t room = pages * stat.ms_psize;
    store->blobs_at_ask = blobs;
    store->blob_room = room > wanted + blobs ? room - wanted - blobs : 0;
    if (store->blob_room == 0) return STATUS_NO_SPACE;
    return ask_files(store);
}

/* What comes in a second may be more than the reserve, so the file system is asked
 * each turn: it costs a microsecond, where LMDB's free pages must be looked up. */
void room_turn(radisk *store, double now_ms)
{
    if (now_ms < store->room_at_ms) {
        if (store->room == STATUS_OK) store->room = ask_files(store);
        return;
    }
    store->room_at_ms = now_ms + ASK_MS;
    store->room = ask(store);
}

double room_due_in_ms(const radisk *store, double now_ms)
{
    if (store->room == STATUS_OK) return (double)INFINITY;
    return store->room_at_ms > now_ms ? store->room_at_ms - now_ms : 0;
}
