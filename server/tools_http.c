/* tools_http.c - see tools_http.h. */
#include "server/tools_http.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>

enum {
    ROOM_BYTES = 64 * 1024,
    PATIENCE_S = 120, /* for an answer: a store may be slow */
    LINE_MAX_BYTES = 8 * 1024,
};

struct http_line {
    const http_place *to;
    SSL_CTX *tls;
    BIO *bio;
    uint64_t left; /* of the body */
    size_t at, len;
    char room[ROOM_BYTES];
};

/* ---- where ---- */

static bool take(char *to, size_t room, const char *at, size_t len)
{
    if (len == 0 || len >= room) return false;
    memcpy(to, at, len);
    to[len] = '\0';
    return true;
}

static bool read_host(const char *at, size_t len, http_place *out)
{
    const char *end = at + len, *bracket = at[0] == '[' ? memchr(at, ']', len) : NULL;
    const char *from = bracket != NULL ? bracket : at;
    const char *colon = memchr(from, ':', (size_t)(end - from));
    size_t host = (size_t)((colon != NULL ? colon : end) - at);

    if (colon == NULL) {
        strcpy(out->port, out->tls ? "443" : "80");
        return take(out->host, sizeof out->host, at, host);
    }
    return take(out->host, sizeof out->host, at, host) &&
           take(out->port, sizeof out->port, colon + 1, (size_t)(end - colon - 1)) &&
           strspn(out->port, "0123456789") == strlen(out->port);
}

bool http_place_read(const char *url, http_place *out)
{
    size_t len;

    *out = (http_place){ .tls = strncasecmp(url, "https://", 8) == 0 };
    if (!out->tls && strncasecmp(url, "http://", 7) != 0) return false;
    url += out->tls ? 8 : 7;
    for (const char *c = url; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~' || *c == '?' || *c == '#' || *c == '@') return false;
    len = strcspn(url, "/");
    if (!read_host(url, len, out)) return false;
    url += len;
    len = strlen(url);
    while (len > 0 && url[len - 1] == '/') len--;
    return len == 0 || take(out->base, sizeof out->base, url, len);
}

/* ---- a connection ---- */

static void say_why(const http_place *to, const char *what, char why[static HTTP_WHY_MAX])
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = error ? ERR_reason_error_string(error) : NULL;

    snprintf(why, HTTP_WHY_MAX, "%.100s port %s: %s%s%.100s", to->host, to->port, what,
             reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
}

/* Without the brackets of an IPv6 address. */
static void name_of(const http_place *to, char name[static HTTP_WORD_MAX])
{
    size_t len = strlen(to->host);
    bool brackets = to->host[0] == '[' && to->host[len - 1] == ']';

    snprintf(name, HTTP_WORD_MAX, "%.*s", (int)(brackets ? len - 2 : len),
             to->host + (brackets ? 1 : 0));
}

/* The system's certificates, and the name that was asked for. */
static bool prepare_tls(http_line *l)
{
    char name[HTTP_WORD_MAX];
    SSL *ssl = NULL;

    name_of(l->to, name);
    l->tls = SSL_CTX_new(TLS_client_method());
    if (l->tls == NULL || SSL_CTX_set_default_verify_paths(l->tls) != 1) return false;
    SSL_CTX_set_verify(l->tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(l->tls, TLS1_2_VERSION);
    l->bio = BIO_new_ssl_connect(l->tls);
    if (l->bio == NULL) return false;
    BIO_get_ssl(l->bio, &ssl);
    if (ssl == NULL || SSL_set1_host(ssl, name) != 1) return false;
    if (strspn(name, "0123456789.:abcdefABCDEF") != strlen(name))
        SSL_set_tlsext_host_name(ssl, name);
    return true;
}

/* A body is sent behind its head and not when that was acknowledged: with Nagle's
 * wait every chunk took 40 ms. */
static void prepare_socket(http_line *l)
{
    struct timeval most = { .tv_sec = PATIENCE_S };
    int fd = -1, on = 1;

    BIO_get_fd(l->bio, &fd);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
}

http_line *http_open(const http_place *to, char why[static HTTP_WHY_MAX])
{
    http_line *l = calloc(1, sizeof *l);

    ERR_clear_error();
    if (l == NULL) {
        snprintf(why, HTTP_WHY_MAX, "out of memory");
        return NULL;
    }
    l->to = to;
    if (!to->tls) l->bio = BIO_new(BIO_s_connect());
    if (to->tls ? prepare_tls(l) : l->bio != NULL) {
        BIO_set_conn_hostname(l->bio, to->host);
        BIO_set_conn_port(l->bio, to->port);
        if (BIO_do_connect(l->bio) == 1 && (!to->tls || BIO_do_handshake(l->bio) == 1)) {
            prepare_socket(l);
            return l;
        }
    }
    say_why(to, "no connection", why);
    http_close(l);
    return NULL;
}

void http_close(http_line *l)
{
    if (l == NULL) return;
    BIO_free_all(l->bio);
    SSL_CTX_free(l->tls);
    free(l);
}

/* ---- a request ---- */

static bool send_all(http_line *l, const char *at, size_t len)
{
    while (len > 0) {
        int n = BIO_write(l->bio, at, len < INT32_MAX ? (int)len : INT32_MAX);

        if (n <= 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool http_send(http_line *l, const char *method, const char *path, const char *headers, slice body)
{
    char *head = NULL, length[64] = "";
    bool sent;
    int len;

    if (strcmp(method, "GET") != 0)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", body.len);
    len = asprintf(&head, "%s %s%s HTTP/1.1\r\nHost: %s:%s\r\n%s%s\r\n", method, l->to->base, path,
                   l->to->host, l->to->port, length, headers);
    if (len < 0) return false;
    sent = send_all(l, head, (size_t)len) && send_all(l, body.at, body.len);
    free(head);
    return sent;
}

/* ---- an answer ---- */

static bool fill(http_line *l)
{
    int n = BIO_read(l->bio, l->room, sizeof l->room);

    l->at = 0;
    l->len = n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* A line without its end. */
static bool read_line(http_line *l, char *to, size_t room)
{
    size_t len = 0;

    for (;;) {
        if (l->at == l->len && !fill(l)) return false;
        char c = l->room[l->at++];
        if (c == '\n') break;
        if (len + 1 == room) return false;
        to[len++] = c;
    }
    if (len > 0 && to[len - 1] == '\r') len--;
    to[len] = '\0';
    return true;
}

static const char *value_of(const char *line, const char *name)
{
    size_t len = strlen(name);

    if (strncasecmp(line, name, len) != 0 || line[len] != ':') return NULL;
    return line + len + 1 + strspn(line + len + 1, " \t");
}

/* False: what follows cannot be read. */
static bool read_headers(http_line *l, http_answer *out)
{
    char line[LINE_MAX_BYTES];
    const char *value;
    bool has_length = false;

    for (;;) {
        if (!read_line(l, line, sizeof line)) return false;
        if (line[0] == '\0') break;
        if ((value = value_of(line, "Content-Length")) != NULL) {
            out->bytes = strtoull(value, NULL, 10);
            has_length = true;
        }
        if ((value = value_of(line, "Connection")) != NULL)
            out->closes = strcasecmp(value, "close") == 0;
        if (value_of(line, "Transfer-Encoding") != NULL) return false;
    }
    return has_length || out->code < 200 || out->code == 204 || out->code == 304;
}

bool http_hear(http_line *l, http_answer *out)
{
    char line[LINE_MAX_BYTES];

    do {
        *out = (http_answer){ 0 };
        if (!read_line(l, line, sizeof line) || strncmp(line, "HTTP/1.", 7) != 0 ||
            strlen(line) < 12)
            return false;
        out->code = (int)strtol(line + 9, NULL, 10);
        if (!read_headers(l, out)) return false;
    } while (out->code < 200);
    l->left = out->bytes;
    return true;
}

long http_read(http_line *l, char *to, size_t len)
{
    if (l->left == 0 || len == 0) return 0;
    if (l->at == l->len && !fill(l)) return -1;
    if (len > l->len - l->at) len = l->len - l->at;
    if (len > l->left) len = (size_t)l->left;
    memcpy(to, l->room + l->at, len);
    l->at += len;
    l->left -= len;
    return (long)len;
}

bool http_read_all(http_line *l, text *to, size_t most)
{
    char piece[4096];
    long n;

    text_reset(to, most);
    if (l->left > most) return false;
    while ((n = http_read(l, piece, sizeof piece)) > 0) text_add(to, (slice){ piece, (size_t)n });
    return n == 0 && text_ok(to);
}
