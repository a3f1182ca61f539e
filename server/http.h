/* http.h - the pages beside the WebSocket.
 *
 *   /                      a music library, and the files it is made of (page.h)
 *   /check                 a live check in the browser
 *   /gun.js /sea.js        the client, from the npm package
 *   /gun/NAME.js /gun/lib/NAME.js
 *   /health                200 when writes are possible, else 503
 *   /status                JSON
 *   /metrics               Prometheus text; loopback only, or --admin-listen
 *
 * GET, HEAD and OPTIONS; everything may be read by pages of any origin. Audio is
 * audio_http.h; how answers are said is http_reply.h. A path
 * never becomes a file name: files are found in a list made at start (assets.h).
 * Requests with a body are refused and closed, but for those of upload_http.h.
 */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include "server/server.h"

/* What a callback returns: 0 to go on, nonzero to close. */
int http_request(server *s, visitor *v, struct lws *wsi, const char *path, size_t len);
int http_writable(visitor *v, struct lws *wsi);

/* Answers a handshake that is not let in; false when that failed. */
bool http_refuse(server *s, struct lws *wsi, int status_code, const char *why);

/* Now and then: looks after those who do not read. */
void http_tick(server *s);

/* The connection is gone. */
void http_forget(visitor *v);

#endif
