/* loop.h - one server, from its start to its end.
 *
 *   sockets open -> store opens -> ready -> turns ... -> SIGTERM -> stopped
 *
 * A turn of the loop is: what arrived is heard (in libwebsockets' callbacks),
 * then, before the loop sleeps: the store tells what became durable, the relay
 * does what is due, the peers that have something new are drained, the store is
 * handed what was gathered, the dead are buried. So everything that arrived in
 * one turn shares one commit and goes out together.
 *
 * A stop is done backwards: nothing more is accepted or read, what was heard
 * becomes durable and is acked, and the clients are closed last, because each of
 * them comes back once, two seconds after it was closed, and then never.
 */
#ifndef SERVER_LOOP_H
#define SERVER_LOOP_H

#include "server/options.h"

/* Runs until a signal; returns the exit status. `options` are borrowed. */
int server_run(const options *o);

#endif
