/* tls.c - see tls.h. */
#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

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
    SSL_CTX *fresh = SSL_CTX_new(TLS_server_method());

    ERR_clear_error();
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

static bool take_over(SSL_CTX *serving, SSL_CTX *fresh)
{
    STACK_OF(X509) *chain = NULL;

    SSL_CTX_get0_chain_certs(fresh, &chain);
    return SSL_CTX_use_cert_and_key(serving, SSL_CTX_get0_certificate(fresh),
                                    SSL_CTX_get0_privatekey(fresh), chain, 1) == 1;
}

static bool load(server *s)
{
    SSL_CTX *fresh = read_files(s);
    bool done;

    if (!fresh) return false;
    done = take_over(s->tls, fresh);
    if (!done) say_why(s, "the certificate could not be put to use");
    SSL_CTX_free(fresh);
    return done;
}

bool tls_first_load(server *s)
{
    SSL_CTX_set_min_proto_version(s->tls, TLS1_2_VERSION);
    /* libwebsockets turns renegotiation off in no version; it is a way to make a
     * server work without working. */
    SSL_CTX_set_options(s->tls, SSL_OP_NO_RENEGOTIATION);
    return load(s);
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
