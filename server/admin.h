/* admin.h - what an operator can ask of a running server: DIR/admin.sock.
 *
 * A socket in the folder of the store, mode 0600: who may read the data may ask.
 * One wish a connection, one line of JSON; then lines of JSON come, the last of
 * which says how it ended (wish.h). After an import's wish come its lines, until
 * the tool shuts down its side.
 *
 *     asking ---> answering                                stat, get of a key, what is wrong
 *        |-----> waiting --> answering                     purge: the store tells
 *        |-----> waiting --> working, a thread --> over    scan, export, backup, get of a soul
 *        '-----> importing --> answering                   in slices of a turn
 *
 * Nothing here blocks the loop. A thread has a view of the store and the socket to
 * itself until it ends: because it is done, because nobody hears, or because the
 * server stops. At most ADMIN_JOBS_MAX threads, ADMIN_CLIENTS_MAX connections.
 */
#ifndef SERVER_ADMIN_H
#define SERVER_ADMIN_H

#include "server/server.h"

enum { ADMIN_CLIENTS_MAX = 16, ADMIN_JOBS_MAX = 4 };

/* Opens the socket; the store's lock is held, so one that is there is a dead
 * server's. Without it the server goes on, and the log says why. */
void admin_open(server *s);

/* No more is accepted, threads are told to end and have ended: before the store
 * closes. Then admin_free(): after. */
void admin_stop(server *s);
void admin_free(server *s);

#endif
