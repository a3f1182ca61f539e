/* errands.c - what waits until everything of a moment is in LMDB: purges and views.
 *
 *     asked ----> asked_through: sealed at once, folded ----> done by the folder, or told
 *
 * The folder does nothing else between the fold that was waited for and the view
 * that is begun after it: so a view sees whole merges only.
 */
#include "radisk/inside.h"
#include "radisk/view_inside.h"

#include <stdlib.h>

uint64_t errands_after(const radisk *store)
{
    const generation *sealed = overlay_sealed(store);

    if (!generation_is_empty(overlay_live(store))) return overlay_live(store)->segment;
    return sealed == NULL ? store->folded_through : sealed->segment;
}

uint64_t errands_ask(radisk *store)
{
    uint64_t after = errands_after(store);

    if (after > store->asked_through) store->asked_through = after;
    return after;
}

/* A segment that failed meanwhile was replaced by one with a higher number. */
static bool is_done(const radisk *store, uint64_t after)
{
    return store->folded_through >= after;
}

/* ---- purges ---- */

static void forget_purge(radisk *store)
{
    text_free(&store->purge.soul);
    text_free(&store->purge.key);
    store->purge = (pending_purge){ 0 };
}

status radisk_purge_begin(radisk *store, const radisk_purge *what, moment now, radisk_purged *told,
                          void *context)
{
    pending_purge *p = &store->purge;

    if (store->latched || store->damaged) return STATUS_IO;
    if (p->wanted) return STATUS_BUSY;
    if (what->soul.len == 0 || (what->prefix && what->key.len > 0)) return STATUS_MALFORMED;
    *p = (pending_purge){ .dry_run = what->dry_run,
                          .prefix = what->prefix,
                          .floor = now.wall_ms,
                          .now_ms = now.wall_ms,
                          .told = told,
                          .context = context };
    text_add(&p->soul, what->soul);
    text_add(&p->key, what->key);
    if (!text_ok(&p->soul) || !text_ok(&p->key)) {
        forget_purge(store);
        return STATUS_NO_MEMORY;
    }
    p->wanted = true;
    p->after = errands_ask(store);
    return STATUS_OK;
}

bool errands_purge_ready(const radisk *store)
{
    return store->purge.wanted && is_done(store, store->purge.after);
}

static void tell_purged(radisk *store, status how, uint64_t rows)
{
    radisk_purged *told = store->purge.told;
    void *context = store->purge.context;

    forget_purge(store);
    told(context, how, rows);
}

/* What was judged against LMDB before is not to be trusted any more: place_forget()
 * was called. */
void errands_purged(radisk *store, const fold_job *job)
{
    status how = job->news.how;
    const pending_purge *p = &store->purge;

    fold_forget_ids(store);
    if (how == STATUS_OK && p->prefix && !p->dry_run)
        how = floors_add(store, text_slice(&p->soul), job->floor);
    if (how != STATUS_OK) log_note_failure(store, how);
    tell_purged(store, how, job->news.rows);
}

/* ---- views ---- */

status radisk_view_begin(radisk *store, radisk_viewed *told, void *context)
{
    pending_view *v = calloc(1, sizeof *v);

    if (v == NULL) return STATUS_NO_MEMORY;
    *v = (pending_view){
        .next = store->views, .after = errands_ask(store), .told = told, .context = context
    };
    store->views = v;
    return STATUS_OK;
}

/* May be called from the view's thread. */
static void closed(void *context)
{
    radisk *store = context;

    atomic_fetch_sub(&store->views_open, 1);
}

static status open_view(radisk *store, radisk_view **out)
{
    radisk_view *v = calloc(1, sizeof *v);
    status s = v == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    if (s == STATUS_OK) s = blob_reader_new(&v->reader, &store->files);
    if (s == STATUS_OK) s = disk_status(mdb_txn_begin(store->disk.env, NULL, MDB_RDONLY, &v->txn));
    if (s != STATUS_OK) {
        if (v != NULL) blob_reader_free(v->reader);
        free(v);
        return s;
    }
    v->disk = &store->disk;
    v->closed = closed;
    v->closed_context = store;
    atomic_fetch_add(&store->views_open, 1);
    *out = v;
    return STATUS_OK;
}

static void give_view(radisk *store, const pending_view *wish)
{
    radisk_view *v = NULL;
    status s = store->latched || store->damaged ? STATUS_IO : open_view(store, &v);

    wish->told(wish->context, s, v);
}

static bool may_open_views(const radisk *store)
{
    return !store->folding && !store->reopen_wanted && store->drop == 0;
}

void errands_turn(radisk *store)
{
    bool hopeless = store->latched || store->damaged;

    if (hopeless && store->purge.wanted && !store->folding) tell_purged(store, STATUS_IO, 0);
    for (pending_view **link = &store->views; *link != NULL;) {
        pending_view *v = *link;
        bool ready = may_open_views(store) && is_done(store, v->after);
        if (!ready && !hopeless) {
            link = &v->next;
            continue;
        }
        *link = v->next;
        give_view(store, v);
        free(v);
    }
}

void errands_free(radisk *store)
{
    forget_purge(store);
    while (store->views != NULL) {
        pending_view *v = store->views;
        store->views = v->next;
        v->told(v->context, STATUS_IO, NULL);
        free(v);
    }
}

typedef struct given {
    bool told;
    status how;
    radisk_view *view;
} given;

static void take_given(void *context, status how, radisk_view *view)
{
    *(given *)context = (given){ true, how, view };
}

static void forget_view(radisk *store, const given *g)
{
    for (pending_view **link = &store->views; *link != NULL; link = &(*link)->next)
        if ((*link)->context == g) {
            pending_view *v = *link;
            *link = v->next;
            free(v);
            return;
        }
}

/* The fold alone does not do: the folder may have begun something else by then. */
status radisk_view_now(radisk *store, radisk_view **out)
{
    given g = { .told = false };
    status s = radisk_fold(store);

    if (s == STATUS_OK) s = radisk_view_begin(store, take_given, &g);
    if (s != STATUS_OK) return s;
    radisk_turn(store);
    while (!g.told && radisk_wait(store)) {
    }
    if (!g.told) {
        forget_view(store, &g);
        return STATUS_IO;
    }
    if (g.how == STATUS_OK) *out = g.view;
    return g.how;
}
