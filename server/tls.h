/* tls.h - the certificate of the wss:// listeners, and its renewal.
 *
 * Files are read into a context that serves nobody, and only what proved to be a
 * certificate and its key goes over into the one that does, in one step. So a
 * broken or half-written file changes nothing. Connections that are open keep
 * what they shook hands with.
 */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include "server/server.h"

/* At start, when libwebsockets has made the context (s->tls). False: logged. */
bool tls_first_load(server *s);

/* On SIGHUP. */
void tls_reload(server *s);

#endif
