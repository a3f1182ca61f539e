/* chores.h - what is done on a view of the store, by a thread of its own in a
 * server, or by the tool that has the folder to itself.
 *
 * scan, export, backup, audio ls, and the get of a whole soul. What they say goes to a
 * hearer, bytes of whole lines at a time, in which the last line tells the end.
 */
#ifndef SERVER_CHORES_H
#define SERVER_CHORES_H

#include "radisk/view.h"
#include "server/wish.h"

/* Takes bytes; false when there is nobody any more. `wanted` is asked now and then
 * while there is nothing to say; NULL: always. */
typedef struct hearer {
    bool (*hear)(void *context, slice bytes);
    bool (*wanted)(void *context);
    void *context;
} hearer;

void chore_run(const wish *w, radisk_view *v, double now_ms, const hearer *to);

#endif
