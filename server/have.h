/* have.h - the soul that says which chunks of a track are here: brasa/have/<root>.
 *
 * A plain gun.js client that goes on with an upload, or wants to show how far one
 * is, reads field `bitmap` of it: base64, bit i is chunk i (core/audio.h), as
 * GET /audio/<root>/have has it. Its state is when it last changed. It is made when
 * somebody asks, kept nowhere, and nobody may write it (relay.h, `ours`).
 *
 * Whoever asked hears when it changes, once a second at the most, for as long as
 * the connection is there. Up to 1,024 roots are watched so; the one that was
 * asked for longest ago makes room. The bitmap of a long track is looked up a piece
 * in each turn: a get is answered with what is known until then, in which a bit may
 * be missing but none is wrong, and the rest follows as a change.
 *
 * What is watched is told of each chunk by the relay, so that a change costs no look
 * into the store.
 */
#ifndef SERVER_HAVE_H
#define SERVER_HAVE_H

#include "server/server.h"

/* Gives; have_free() takes back. It uses s->audio and s->relay, which may come later. */
MUST_USE status have_new(have **out, server *s);
void have_free(have *h);

/* What the relay wants to know of it: `ours`, and where `news` go. */
graph *have_graph(have *h);
void have_news(void *context, const graph_write *const *writes, size_t count);

/* The part of a turn; whether there is more to do at once, and now and then. */
void have_turn(have *h);
bool have_is_busy(const have *h);
void have_tick(have *h);

uint32_t have_watched(const have *h);

#endif
