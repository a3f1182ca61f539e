/* options.c - see options.h. */
#include "server/options.h"

#include "server/limits.h"
#include "server/tools.h"
#include "server/writers.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* What strangers may store in signed mode as long as nobody has thought about it:
 * content hashes are the one thing there that needs no key. */
#define SIGNED_HASH_BYTES ((size_t)8 << 30)

typedef struct reading {
    options *to;
    char *why;
    const char *name; /* of the option being read */
    bool own_listen;  /* --listen was given: it replaces the default and PORT */
    bool own_memory;
    bool own_hash_bytes;
} reading;

static bool wrong(reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool wrong(reading *r, const char *format, ...)
{
    va_list arguments;
    int head = r->name ? snprintf(r->why, OPTIONS_WHY_MAX, "%s: ", r->name) : 0;

    va_start(arguments, format);
    vsnprintf(r->why + head, OPTIONS_WHY_MAX - (size_t)head, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- what a value may look like ---- */

static bool read_number(const char *word, double *out)
{
    char *end;

    if (*word == 0 || strchr(" +-", *word)) return false;
    errno = 0;
    *out = strtod(word, &end);
    if (end == word || errno != 0 || !isfinite(*out)) return false;
    switch (*end) {
    case 'K':
    case 'k':
        *out *= 1024;
        end++;
        break;
    case 'M':
    case 'm':
        *out *= 1024.0 * 1024;
        end++;
        break;
    case 'G':
    case 'g':
        *out *= 1024.0 * 1024 * 1024;
        end++;
        break;
    case 'T':
    case 't':
        *out *= 1024.0 * 1024 * 1024 * 1024;
        end++;
        break;
    default:
        break;
    }
    return *end == 0;
}

static bool read_amount(reading *r, const char *word, double least, double most, double *out)
{
    *out = 0;
    if (!read_number(word, out) || *out < least || *out > most || floor(*out) != *out)
        return wrong(r, "\"%s\" is not a whole number from %.0f to %.0f (K, M, G may follow)", word,
                     least, most);
    return true;
}

static bool read_port(const char *word, uint16_t *out)
{
    char *end;
    unsigned long port = strtoul(word, &end, 10);

    if (word[0] < '0' || word[0] > '9' || *end != 0 || port > 65535) return false;
    *out = (uint16_t)port;
    return true;
}

/* HOST:PORT, [HOST]:PORT, :PORT or PORT; `*` and no host mean every address. */
static bool read_place(const char *word, listen_at *out)
{
    const char *colon = strrchr(word, ':');
    size_t host = colon ? (size_t)(colon - word) : 0;

    if (!read_port(colon ? colon + 1 : word, &out->port)) return false;
    if (!colon) return address_parse("127.0.0.1", 9, &out->host);
    if (host == 0 || (host == 1 && word[0] == '*')) return address_parse("::", 2, &out->host);
    if (host == 9 && memcmp(word, "localhost", 9) == 0)
        return address_parse("127.0.0.1", 9, &out->host);
    if (memchr(word, ':', host) && word[0] != '[') return false;
    return address_parse(word, host, &out->host);
}

static listen_kind take_scheme(const char **word)
{
    static const struct {
        const char *scheme;
        listen_kind kind;
    } schemes[] = { { "wss://", LISTEN_TLS },
                    { "https://", LISTEN_TLS },
                    { "ws://", LISTEN_PLAIN },
                    { "http://", LISTEN_PLAIN } };

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t len = strlen(schemes[i].scheme);
        if (strncmp(*word, schemes[i].scheme, len) != 0) continue;
        *word += len;
        return schemes[i].kind;
    }
    return LISTEN_PLAIN;
}

static bool add_listen(reading *r, const char *word, listen_kind kind)
{
    listen_at at = { .kind = kind };

    if (r->to->listen_count == OPTIONS_LISTEN_MAX)
        return wrong(r, "no more than %d listening addresses", OPTIONS_LISTEN_MAX);
    if (!read_place(word, &at))
        return wrong(r,
                     "\"%s\" is not ADDRESS:PORT (127.0.0.1:8765, [::1]:8765, *:8765; names are "
                     "not looked up)",
                     word);
    r->to->listen[r->to->listen_count++] = at;
    return true;
}

/* ---- the options ---- */

static bool set_listen(reading *r, const char *word)
{
    listen_kind kind = take_scheme(&word);

    r->own_listen = true;
    return add_listen(r, word, kind);
}

static bool set_admin(reading *r, const char *word)
{
    return add_listen(r, word, LISTEN_ADMIN);
}

static bool set_data(reading *r, const char *word)
{
    r->to->data = word;
    return *word ? true : wrong(r, "names no folder");
}

static bool set_assets(reading *r, const char *word)
{
    r->to->assets = word;
    return *word ? true : wrong(r, "names no folder");
}

static bool set_cert(reading *r, const char *word)
{
    r->to->tls_cert = word;
    return true;
}

static bool set_key(reading *r, const char *word)
{
    r->to->tls_key = word;
    return true;
}

static bool set_origin(reading *r, const char *word)
{
    if (r->to->origin_count == OPTIONS_LIST_MAX)
        return wrong(r, "no more than %d patterns", OPTIONS_LIST_MAX);
    if (!strstr(word, "://") && strcmp(word, "*") != 0 && strcmp(word, "null") != 0)
        return wrong(r,
                     "\"%s\" is not an origin: https://app.example, https://*.example, "
                     "http://localhost:*",
                     word);
    r->to->origins[r->to->origin_count++] = word;
    return true;
}

static bool set_trusted(reading *r, const char *word)
{
    if (r->to->trusted_count == OPTIONS_LIST_MAX)
        return wrong(r, "no more than %d ranges", OPTIONS_LIST_MAX);
    if (!address_range_parse(word, &r->to->trusted[r->to->trusted_count]))
        return wrong(r,
                     "\"%s\" is not a range of addresses: 10.0.0.0/8, fd00::/8 or one address; "
                     "the bits after the prefix must be zero",
                     word);
    r->to->trusted_count++;
    return true;
}

static bool set_memory(reading *r, const char *word)
{
    if (!r->own_memory) r->to->memory_count = 0;
    r->own_memory = true;
    if (r->to->memory_count == OPTIONS_LIST_MAX)
        return wrong(r, "no more than %d prefixes", OPTIONS_LIST_MAX);
    if (*word == 0) return wrong(r, "an empty prefix would keep nothing on disk at all");
    r->to->memory[r->to->memory_count++] = (slice){ word, strlen(word) };
    return true;
}

static bool set_list_souls(reading *r, const char *word)
{
    (void)word;
    r->to->list_souls = true;
    return true;
}

static bool set_write(reading *r, const char *word)
{
    for (int mode = GUARD_OPEN; mode <= GUARD_CLOSED; mode++) {
        if (strcmp(word, guard_mode_name((guard_mode)mode)) != 0) continue;
        r->to->write = (guard_mode)mode;
        return true;
    }
    return wrong(r, "\"%s\" is none of open, signed and closed", word);
}

static bool set_allow(reading *r, const char *word)
{
    if (r->to->allow_count == OPTIONS_LIST_MAX)
        return wrong(r, "no more than %d; a file holds any number of keys", OPTIONS_LIST_MAX);
    r->to->allow[r->to->allow_count++] = word;
    return true;
}

static bool set_token(reading *r, const char *word)
{
    if (r->to->token_count == OPTIONS_LIST_MAX)
        return wrong(r, "no more than %d; a file holds any number of tokens", OPTIONS_LIST_MAX);
    r->to->tokens[r->to->token_count++] = word;
    return true;
}

static bool set_store_size(reading *r, const char *word)
{
    double bytes;

    if (!read_amount(r, word, 1024 * 1024, 1e15, &bytes)) return false;
    r->to->store.size_max = (size_t)bytes;
    return true;
}

static bool set_max_message(reading *r, const char *word)
{
    double bytes;

    if (!read_amount(r, word, 1024, 1024.0 * 1024 * 1024, &bytes)) return false;
    r->to->relay.message_bytes_max = (size_t)bytes;
    return true;
}

static bool set_max_connections(reading *r, const char *word)
{
    double n;

    if (!read_amount(r, word, 1, 1e6, &n)) return false;
    r->to->server.connections_max = (uint32_t)n;
    return true;
}

static bool set_max_per_address(reading *r, const char *word)
{
    double n;

    if (!read_amount(r, word, 1, 1e6, &n)) return false;
    r->to->server.per_address_max = (uint32_t)n;
    return true;
}

/* A burst is four seconds of the rate, as the defaults have it. */
static bool set_rate(reading *r, const char *word, pace_rule *rule)
{
    double rate;

    if (!read_amount(r, word, 0, 1e12, &rate)) return false;
    *rule = (pace_rule){ .rate = rate, .burst = 4 * rate };
    return true;
}

static bool set_max_rate(reading *r, const char *word)
{
    return set_rate(r, word, &r->to->server.messages);
}

static bool set_max_byte_rate(reading *r, const char *word)
{
    return set_rate(r, word, &r->to->server.bytes);
}

static bool set_limit(reading *r, const char *word)
{
    const char *equals = strchr(word, '=');
    const limit *l;
    double value;

    if (!equals) return wrong(r, "\"%s\" is not NAME=VALUE", word);
    l = limit_find((slice){ word, (size_t)(equals - word) });
    if (!l)
        return wrong(r, "there is no limit \"%.*s\"; `brasa --help` lists them",
                     (int)(equals - word), word);
    if (!read_amount(r, equals + 1, 0, limit_most(l), &value)) return false;
    limit_put(r->to, l, value);
    if (limit_find(SLICE("hash_bytes")) == l) r->own_hash_bytes = true;
    return true;
}

static const struct option {
    const char *name;
    const char *value; /* what its value is called; NULL: it has none */
    bool (*set)(reading *r, const char *word);
    const char *help; /* lines are broken where they are broken here */
} table[] = {
    { "--listen", "ADDR:PORT", set_listen,
      "where to listen; may be given several times. wss://ADDR:PORT for TLS.\n"
      "`*` or no ADDR: every address. Port 0: any that is free.\n"
      "Default 127.0.0.1:8765; the port is $PORT when that is set" },
    { "--data", "DIR", set_data, "the folder of the store, made if missing. Default ./data" },
    { "--store-size", "BYTES", set_store_size, "the most the store may take on disk. Default 16G" },
    { "--write", "MODE", set_write,
      "open: everybody writes everywhere but in others' user spaces, as in gun.js.\n"
      "signed: only signed data, aliases, content hashes, and what is kept in\n"
      "memory only. closed: only what allowed keys sign or certify. Reading is\n"
      "open always. Default open" },
    { "--allow", "PUB|FILE", set_allow,
      "a public key that may write in closed mode, and whose pins of audio count in\n"
      "any, or a file with one a line; may be given several times. SIGHUP reads the\n"
      "files anew" },
    { "--write-token", "TOKEN|@FILE", set_token,
      "whoever shows it may write what is not signed, in any mode: ?token=, a\n"
      "header \"Authorization: Bearer\", a cookie \"token\", or headers.token of a\n"
      "message; may be given several times. A file has one a line" },
    { "--tls-cert", "FILE", set_cert,
      "certificate chain (PEM) for wss:// listeners. SIGHUP loads it anew" },
    { "--tls-key", "FILE", set_key, "its private key (PEM)" },
    { "--origin", "PATTERN", set_origin,
      "let in browsers from this origin only, as https://*.example; may be given\n"
      "several times. Without it any page in a visitor's browser may connect" },
    { "--trust-proxy", "CIDR", set_trusted,
      "believe X-Forwarded-For from here; may be given several times" },
    { "--admin-listen", "ADDR:PORT", set_admin,
      "answer /metrics here to whoever can connect; without it loopback only" },
    { "--assets", "DIR", set_assets,
      "files of the npm package gun, for /gun.js, /sea.js and /gun/...\n"
      "Default: assets/gun beside the build folder of this program" },
    { "--memory", "PREFIX", set_memory,
      "souls that begin so are kept in memory only; may be given several times.\n"
      "Default /live/; /RTC/ always is" },
    { "--list-souls", NULL, set_list_souls, "answer the get that asks for the list of all souls" },
    { "--max-message", "BYTES", set_max_message, "the largest message. Default 32M" },
    { "--max-connections", "N", set_max_connections,
      "connections at once. Default 20000, or what the system allows" },
    { "--max-per-address", "N", set_max_per_address,
      "connections from one address (IPv6: /64). Default 200; loopback and\n"
      "trusted proxies are exempt from limits per address and from rates" },
    { "--max-rate", "N", set_max_rate,
      "messages a second heard from one connection. Default 5000; 0: no limit" },
    { "--max-byte-rate", "BYTES", set_max_byte_rate,
      "bytes a second heard from one connection. Default 16M; 0: no limit" },
    { "--limit", "NAME=VALUE", set_limit, "any limit by its name; the names are below" },
};

enum { TABLE_SIZE = sizeof table / sizeof *table };

/* ---- reading ---- */

static void set_defaults(options *o)
{
    *o = (options){
        .data = "./data",
        .memory = { SLICE("/live/") },
        .memory_count = 1,
        .store = radisk_default_limits(),
        .server = {
            .connections_max = 20000,
            .per_address_max = 200,
            .waiting_max = 1024,
            .pages_max = 256,
            .messages = { .rate = 5000, .burst = 20000 },
            .bytes = { .rate = 16 << 20, .burst = 64 << 20 },
            .address_share = 4,
            .assembling_bytes_max = (size_t)256 << 20,
            .heartbeat_ms = 20000,
            .silent_ms = 70000,
            .audio_streams_max = 512,
            .answer_bytes_max = (size_t)64 << 20,
            .audio_stalled_ms = 120000,
            .audio_pause_ms = 500,
            .uploads_max = 64,
            .uploads_per_address = 16,
            .upload_silent_ms = 30000,
        },
        .relay = relay_default_limits(),
        .crypto = crypto_default_limits(),
        .audio = audio_default_limits(),
    };
}

/* Reads words[*at], and its value, which follows after `=` or as the next word. */
static bool read_option(reading *r, int count, char **words, int *at)
{
    const char *word = words[*at], *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);

    for (size_t i = 0; i < TABLE_SIZE; i++) {
        const char *value = NULL;
        if (strlen(table[i].name) != len || memcmp(table[i].name, word, len) != 0) continue;
        r->name = table[i].name;
        if (!table[i].value && equals) return wrong(r, "takes no value");
        if (table[i].value && equals) value = equals + 1;
        if (table[i].value && !equals) {
            if (*at + 1 >= count) return wrong(r, "needs a value: %s", table[i].value);
            value = words[++*at];
        }
        return table[i].set(r, value);
    }
    r->name = NULL;
    return wrong(r, "there is no option \"%s\"; `brasa --help` lists them", word);
}

static bool has_kind(const options *o, listen_kind kind)
{
    for (size_t i = 0; i < o->listen_count; i++)
        if (o->listen[i].kind == kind) return true;
    return false;
}

static bool add_default_listen(reading *r, const char *port)
{
    listen_at at = { .kind = LISTEN_PLAIN, .port = 8765 };
    bool parsed = address_parse("127.0.0.1", 9, &at.host);

    assert(parsed);
    r->name = "PORT";
    if (port && *port && !read_port(port, &at.port))
        return wrong(r, "\"%s\" in the environment is not a port", port);
    if (r->to->listen_count == OPTIONS_LISTEN_MAX)
        return wrong(r, "no more than %d listening addresses", OPTIONS_LISTEN_MAX);
    r->to->listen[r->to->listen_count++] = at;
    return true;
}

/* Files are read once here, so that what is wrong in them is said before anything
 * starts, and again by the server. */
static bool check_writers(reading *r)
{
    const options *o = r->to;
    bool nobody = false;
    writers named;

    if (o->write == GUARD_SIGNED && !r->own_hash_bytes) r->to->hash_bytes = SIGNED_HASH_BYTES;
    if (!writers_read(&named, o, r->why)) return false;
    nobody = o->write == GUARD_CLOSED && named.keys.count == 0 && named.tokens.count == 0;
    writers_free(&named);
    if (nobody)
        return wrong(r, "--write closed without a key (--allow) or a token (--write-token): nobody "
                        "could write anything");
    return true;
}

static bool check_together(reading *r)
{
    const options *o = r->to;
    bool tls = has_kind(o, LISTEN_TLS);

    r->name = NULL;
    if (tls && (!o->tls_cert || !o->tls_key))
        return wrong(r, "a wss:// listener needs --tls-cert and --tls-key");
    if (!o->tls_cert != !o->tls_key) return wrong(r, "--tls-cert and --tls-key go together");
    if (o->relay.message_bytes_max > o->server.assembling_bytes_max)
        return wrong(r, "--max-message is above the limit assembling_bytes_max, so that such a "
                        "message could never arrive");
    if (o->server.heartbeat_ms < 1000 || o->server.heartbeat_ms > 3600000)
        return wrong(r, "the limit heartbeat_ms must lie between 1000 and 3600000");
    if (o->server.connections_max == 0 || o->server.per_address_max == 0)
        return wrong(r, "with no connection allowed there is nothing to serve");
    return check_writers(r);
}

options_wish options_read(options *o, int count, char **words, const char *port,
                          char why[OPTIONS_WHY_MAX])
{
    reading r = { .to = o, .why = why };

    set_defaults(o);
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) return OPTIONS_HELP;
        if (strcmp(words[i], "--version") == 0) return OPTIONS_VERSION;
    }
    if (count < 2) return OPTIONS_HELP;
    if (strcmp(words[1], "serve") != 0) {
        wrong(&r, "\"%s\" is not a command; `brasa --help` lists them", words[1]);
        return OPTIONS_WRONG;
    }
    for (int i = 2; i < count; i++)
        if (!read_option(&r, count, words, &i)) return OPTIONS_WRONG;
    if (!r.own_listen && !add_default_listen(&r, port)) return OPTIONS_WRONG;
    return check_together(&r) ? OPTIONS_SERVE : OPTIONS_WRONG;
}

void options_help(FILE *to)
{
    options defaults;

    set_defaults(&defaults);
    fputs("brasa - a GUN relay with a store\n\n"
          "  brasa serve [option]...\n",
          to);
    tools_usage(to);
    fputs("  brasa --version | --help | NAME --help\n\n", to);
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        const char *word = table[i].help;
        fprintf(to, "  %s%s%s\n", table[i].name, table[i].value ? " " : "",
                table[i].value ? table[i].value : "");
        while (*word) {
            size_t line = strcspn(word, "\n");
            fprintf(to, "        %.*s\n", (int)line, word);
            word += line + (word[line] == '\n');
        }
    }
    fputs("\nSIGTERM and SIGINT: everything becomes durable, then the clients are closed.\n"
          "SIGHUP: the certificate and the files of --allow are read anew. A listening\n"
          "socket may come from the service manager (LISTEN_FDS).\n\n"
          "Limits for --limit, with their defaults:\n",
          to);
    limits_print(to, &defaults);
}

/* The usual matching with one `*` remembered: linear but for its repeats, and
 * both texts are short. */
static bool matches(const char *pattern, const char *word, size_t len)
{
    const char *star = NULL;
    size_t at = 0, back = 0;

    while (at < len) {
        if (*pattern == '*') {
            star = pattern++;
            back = at;
        } else if (*pattern == word[at]) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star + 1;
            at = ++back;
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return *pattern == 0;
}

bool options_origin_allowed(const options *o, const char *origin, size_t len)
{
    if (o->origin_count == 0) return true;
    for (size_t i = 0; i < o->origin_count; i++)
        if (matches(o->origins[i], origin, len)) return true;
    return false;
}
