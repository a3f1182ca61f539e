/* modes.h - who may write, in a running server: its guard, the banner, and the
 * tokens that connections show.
 *
 * A token may stand in a handshake as ?token=..., "Authorization: Bearer ..." or a
 * cookie "token=...". One that is known makes the connection trusted (core/guard.h).
 * One that is not keeps nobody out, since reading is open to all: the peer is told
 * once, and it is counted. Tokens are never logged, shown, or passed on.
 */
#ifndef SERVER_MODES_H
#define SERVER_MODES_H

#include "server/server.h"

/* Makes the guard. False: it has said why not. */
bool modes_open(server *s);
/* When the store is open: whose pins of audio count there. False: out of memory. */
bool modes_pins(server *s);

void modes_close(server *s);

/* Once a turn: lets the guard learn from what the store holds, a little at a time.
 * Busy: the next turn should come at once. */
void modes_turn(server *s);
bool modes_busy(const server *s);

/* SIGHUP: reads the files of --allow anew. */
void modes_reload(server *s);

/* The lines of the banner, and what the operator should know. */
void modes_say(server *s);

/* What this handshake or request shows; its headers must still be there. `cookies`: these
 * count, too, which a browser sends along whichever page made it ask. */
token_shown modes_token(const server *s, struct lws *wsi, bool cookies);

#endif
