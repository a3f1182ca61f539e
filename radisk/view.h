/* view.h - one moment of a store, whole, for another thread to read.
 *
 * A backup, an export, a scan of everything: they take seconds or minutes, and
 * want one moment, while the server goes on. So the store seals and folds what it
 * has, begins a read transaction at that very moment, and hands it over. While a
 * view is open LMDB cannot reuse pages that were freed since, and blobs are not
 * collected: it is for jobs that end.
 *
 *     radisk_view_begin (loop) ... told (loop, in a turn) -> reader thread: view_* -> view_close
 *
 * Everything but radisk_view_begin() may be called from any one thread.
 */
#ifndef RADISK_VIEW_H
#define RADISK_VIEW_H

#include "radisk/radisk.h"

typedef struct radisk_view radisk_view;

/* Told once, from radisk_turn(): gives the view, or NULL with the reason. */
typedef void radisk_viewed(void *context, status how, radisk_view *view);
MUST_USE status radisk_view_begin(radisk *store, radisk_viewed *told, void *context);

/* The same for a process that has the store to itself: waits. */
MUST_USE status radisk_view_now(radisk *store, radisk_view **out);

void view_close(radisk_view *v);

/* A row as a view shows it. `value` is text, also of a blob, and lent until the
 * next row. `damaged`: its bytes do not fit their check; there is no value, and
 * where its very name is damaged no key, or no soul either. */
typedef struct view_row {
    slice soul, key, value;
    double state;
    bool held;    /* from the future, not yet taken */
    bool damaged;
} view_row;
typedef bool view_visit(void *visitor, const view_row *row); /* whether to go on */

/* Visits, in order, every row of the souls that begin with `prefix` (empty: all),
 * then the held writes of such souls. */
MUST_USE status view_rows(radisk_view *v, slice prefix, view_visit *visit, void *visitor);

/* Visits what is left of purges: prefix, soul or row, with its floor. */
typedef struct view_floor {
    slice soul, key; /* key empty: a soul, or a prefix */
    bool prefix;
    double floor, made_ms;
} view_floor;
typedef bool view_floor_visit(void *visitor, const view_floor *floor);
MUST_USE status view_floors(radisk_view *v, view_floor_visit *visit, void *visitor);

/* The order-free hash of a store's content: equal for two stores that keep the
 * same rows, whatever their history (docs/storage.md). */
typedef struct store_hash {
    uint64_t low, high;
} store_hash;
void store_hash_add(store_hash *h, const view_row *row);
enum { STORE_HASH_TEXT = 33 };
void store_hash_text(const store_hash *h, char out[static STORE_HASH_TEXT]);

#endif
