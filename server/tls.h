/* tls.h - the certificate of the wss:// listeners, and its renewal.
 *
 * Files are read into a context that serves nobody, and only when they proved to
 * be a certificate and its key do the handshakes that follow take them from there.
 * So a broken or half-written file changes nothing. Connections that are open keep
 * what they shook hands with.
 */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include "server/server.h"

/* At start, when libwebsockets has made the context (s->tls). False: logged. */
bool tls_first_load(server *s);

/* On SIGHUP. */
void tls_reload(server *s);

void tls_free(server *s);

#endif
