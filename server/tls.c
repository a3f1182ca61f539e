/* tls.c - see tls.h. */
#include "server/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

static bool is_readable(server *s, const char *path)
{
    if (access(path, R_OK) == 0) return true;
    log_say(&s->log, LOG_TLS, s->now, "%s: %s", path, strerror(errno));
    return false;
}

static void say_why(server *s, const char *what)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = error ? ERR_reason_error_string(error) : NULL;

    log_say(&s->log, LOG_TLS, s->now, "%s: %s", what, reason ? reason : "no reason given");
    ERR_clear_error();
}

/* Gives a context with the files in it, or NULL, and has logged why. */
static SSL_CTX *read_files(server *s)
{
    const options *o = s->options;
    SSL_CTX *fresh;

    if (!is_readable(s, o->tls_cert) || !is_readable(s, o->tls_key)) return NULL;
    ERR_clear_error();
    fresh = SSL_CTX_new(TLS_server_method());
    if (!fresh) {
        say_why(s, "no TLS");
        return NULL;
    }
    if (SSL_CTX_use_certificate_chain_file(fresh, o->tls_cert) != 1)
        say_why(s, "--tls-cert could not be loaded");
    else if (SSL_CTX_use_PrivateKey_file(fresh, o->tls_key, SSL_FILETYPE_PEM) != 1)
        say_why(s, "--tls-key could not be loaded");
    else if (SSL_CTX_check_private_key(fresh) != 1)
        say_why(s, "--tls-key is not the key of --tls-cert");
    else
        return fresh;
    SSL_CTX_free(fresh);
    return NULL;
}

/* Called in every handshake. Renewing means that the next one finds other files
 * here; a context that serves cannot be emptied, and would go on offering an old
 * certificate beside a new one of another kind. */
static int give_certificate(SSL *ssl, void *context)
{
    server *s = context;
    STACK_OF(X509) *chain = NULL;

    SSL_certs_clear(ssl);
    SSL_CTX_get0_chain_certs(s->tls_files, &chain);
    return SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(s->tls_files),
                                SSL_CTX_get0_privatekey(s->tls_files), chain, 1);
}

static bool load(server *s)
{
    SSL_CTX *fresh = read_files(s);

    if (!fresh) return false;
    SSL_CTX_free(s->tls_files);
    s->tls_files = fresh;
    return true;
}

bool tls_first_load(server *s)
{
    SSL_CTX_set_min_proto_version(s->tls, TLS1_2_VERSION);
    /* Renegotiation makes a server work without working; libwebsockets leaves it on. */
    SSL_CTX_set_options(s->tls, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_cert_cb(s->tls, give_certificate, s);
    return load(s);
}

void tls_free(server *s)
{
    SSL_CTX_free(s->tls_files);
    s->tls_files = NULL;
}

void tls_reload(server *s)
{
    if (!s->tls) {
        log_say(&s->log, LOG_TLS, s->now, "SIGHUP: there is no certificate to load anew");
    } else if (load(s)) {
        s->counts.tls_reloads++;
        log_say(&s->log, LOG_TLS, s->now, "the certificate was loaded anew; open connections stay");
    } else {
        s->counts.tls_failures++;
        log_say(&s->log, LOG_TLS, s->now, "the certificate stays as it was");
    }
}
