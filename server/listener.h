/* listener.h - the listening sockets, which are ours.
 *
 * They open before anything else: a client that lost its relay tries once, two
 * seconds later, and a connection that the kernel has queued waits patiently for
 * its handshake. Or they come open already, from a service manager, and are never
 * closed at all between two servers.
 */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include "server/server.h"

/* Opens them all, or takes what LISTEN_FDS hands over; logs each, or why not. */
bool listeners_open(server *s);

/* Begins to accept. The relay must be there. */
void listeners_start(server *s);

void listeners_close(server *s);

#endif
