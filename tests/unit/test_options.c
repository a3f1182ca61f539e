/* test_options.c - the promises of server/options.h. */
#include "server/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS_MAX = 160 };

/* Reads a command line that is written as one text, `brasa` left out. */
static options_wish read_with_port(options *o, const char *line, const char *port, char *why)
{
    static char copy[4096]; /* options point into it */
    char *words[WORDS_MAX] = { "brasa" };
    int count = 1;

    assert_true(strlen(line) < sizeof copy);
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        assert_true(count < WORDS_MAX);
        words[count++] = word;
    }
    why[0] = 0;
    return options_read(o, count, words, port, why);
}

static void serve(options *o, const char *line)
{
    char why[OPTIONS_WHY_MAX];

    if (read_with_port(o, line, NULL, why) != OPTIONS_SERVE) fail_msg("%s: %s", line, why);
}

static void assert_place(const listen_at *at, listen_kind kind, const char *host, unsigned port)
{
    char shown[ADDRESS_TEXT_MAX];

    address_print(&at->host, shown);
    assert_string_equal(shown, host);
    assert_int_equal(at->port, port);
    assert_int_equal(at->kind, kind);
}

static void without_options_it_listens_on_loopback(void **state)
{
    options o;

    (void)state;
    serve(&o, "serve");
    assert_int_equal(o.listen_count, 1);
    assert_place(&o.listen[0], LISTEN_PLAIN, "127.0.0.1", 8765);
    assert_string_equal(o.data, "./data");
    assert_int_equal(o.memory_count, 1);
    assert_memory_equal(o.memory[0].at, "/live/", 6);
    assert_int_equal(o.relay.message_bytes_max, 32 << 20);
    assert_false(o.list_souls);
}

static void port_from_the_environment_gives_way_to_listen(void **state)
{
    char why[OPTIONS_WHY_MAX];
    options o;

    (void)state;
    assert_int_equal(read_with_port(&o, "serve", "9000", why), OPTIONS_SERVE);
    assert_place(&o.listen[0], LISTEN_PLAIN, "127.0.0.1", 9000);
    assert_int_equal(read_with_port(&o, "serve --listen 1.2.3.4:5", "9000", why), OPTIONS_SERVE);
    assert_int_equal(o.listen_count, 1);
    assert_place(&o.listen[0], LISTEN_PLAIN, "1.2.3.4", 5);
    assert_int_equal(read_with_port(&o, "serve --listen :5", "rubbish", why), OPTIONS_SERVE);
    assert_int_equal(read_with_port(&o, "serve", "rubbish", why), OPTIONS_WRONG);
    assert_non_null(strstr(why, "PORT"));
}

static void every_form_of_an_address_is_read(void **state)
{
    static const struct {
        const char *word, *host;
        unsigned port;
        listen_kind kind;
    } cases[] = {
        { "1.2.3.4:5", "1.2.3.4", 5, LISTEN_PLAIN },
        { "ws://1.2.3.4:5", "1.2.3.4", 5, LISTEN_PLAIN },
        { "wss://[2001:db8::1]:443", "2001:db8::1", 443, LISTEN_TLS },
        { "wss://*:443", "::", 443, LISTEN_TLS },
        { ":80", "::", 80, LISTEN_PLAIN },
        { "80", "127.0.0.1", 80, LISTEN_PLAIN },
        { "localhost:80", "127.0.0.1", 80, LISTEN_PLAIN },
        { "0.0.0.0:0", "0.0.0.0", 0, LISTEN_PLAIN },
    };
    char line[128];
    options o;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool tls = cases[i].kind == LISTEN_TLS;
        snprintf(line, sizeof line, "serve --listen %s%s", cases[i].word,
                 tls ? " --tls-cert c --tls-key k" : "");
        serve(&o, line);
        assert_place(&o.listen[0], cases[i].kind, cases[i].host, cases[i].port);
    }
}

static void options_may_repeat_and_take_their_value_after_an_equals_sign(void **state)
{
    options o;

    (void)state;
    serve(&o, "serve --listen=127.0.0.1:1 --listen 127.0.0.1:2 --admin-listen 127.0.0.1:3 "
              "--data=/x --origin https://a.example --origin=https://*.b.example "
              "--trust-proxy 10.0.0.0/8 --trust-proxy fd00::/8 --memory a/ --memory=b/ "
              "--list-souls --max-message 1M --max-connections 10 --max-per-address 3 "
              "--max-rate 7 --max-byte-rate 1K --store-size 2G --assets /y");
    assert_int_equal(o.listen_count, 3);
    assert_place(&o.listen[1], LISTEN_PLAIN, "127.0.0.1", 2);
    assert_place(&o.listen[2], LISTEN_ADMIN, "127.0.0.1", 3);
    assert_string_equal(o.data, "/x");
    assert_string_equal(o.assets, "/y");
    assert_int_equal(o.origin_count, 2);
    assert_int_equal(o.trusted_count, 2);
    assert_int_equal(o.memory_count, 2); /* and the default is gone */
    assert_memory_equal(o.memory[1].at, "b/", 2);
    assert_true(o.list_souls);
    assert_int_equal(o.relay.message_bytes_max, 1 << 20);
    assert_int_equal(o.server.connections_max, 10);
    assert_int_equal(o.server.per_address_max, 3);
    assert_true(o.server.messages.rate == 7 && o.server.messages.burst == 28);
    assert_true(o.server.bytes.rate == 1024 && o.server.bytes.burst == 4096);
    assert_true(o.store.size_max == (size_t)2 << 30);
}

static void an_admin_listener_alone_keeps_the_default_one(void **state)
{
    options o;

    (void)state;
    serve(&o, "serve --admin-listen 127.0.0.1:3");
    assert_int_equal(o.listen_count, 2);
    assert_place(&o.listen[1], LISTEN_PLAIN, "127.0.0.1", 8765);
}

static void any_limit_is_set_by_its_name(void **state)
{
    options o;

    (void)state;
    serve(&o, "serve --limit depth_max=5 --limit=outbox_bytes_max=2M --limit future_ms_max=1000 "
              "--limit stalled_ms_max=7 --limit messages.burst=3 --limit waiting_max=0 "
              "--limit overlay_bytes_max=64K");
    assert_int_equal(o.relay.depth_max, 5);
    assert_int_equal(o.relay.outbox_bytes_max, 2 << 20);
    assert_true(o.relay.future_ms_max == 1000);
    assert_int_equal(o.relay.stalled_ms_max, 7);
    assert_true(o.server.messages.burst == 3);
    assert_int_equal(o.server.waiting_max, 0);
    assert_int_equal(o.store.overlay_max, 64 << 10);
}

static void what_is_wrong_is_explained(void **state)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        { "start", "\"start\" is not a command" },
        { "serve --lsten 1:2", "no option \"--lsten\"" },
        { "serve data", "no option \"data\"" },
        { "serve --data", "--data: needs a value" },
        { "serve --list-souls=yes", "--list-souls: takes no value" },
        { "serve --listen example.org:80", "not looked up" },
        { "serve --listen ::1:80", "is not ADDRESS:PORT" },
        { "serve --listen 1.2.3.4:65536", "is not ADDRESS:PORT" },
        { "serve --listen 1.2.3.4:+1", "is not ADDRESS:PORT" },
        { "serve --listen wss://1.2.3.4:1", "needs --tls-cert" },
        { "serve --tls-cert a", "go together" },
        { "serve --max-message 10", "--max-message: \"10\" is not a whole number" },
        { "serve --max-message 1.5", "not a whole number" },
        { "serve --max-message -1", "not a whole number" },
        { "serve --max-message 1e400", "not a whole number" },
        { "serve --max-message 1Mx", "not a whole number" },
        { "serve --max-message nan", "not a whole number" },
        { "serve --max-message 300M", "could never arrive" },
        { "serve --trust-proxy 10.0.0.1/8", "the bits after the prefix" },
        { "serve --origin example.org", "is not an origin" },
        { "serve --memory=", "an empty prefix" },
        { "serve --limit depth_max", "is not NAME=VALUE" },
        { "serve --limit nothing=1", "no limit \"nothing\"" },
        { "serve --limit depth=1", "no limit \"depth\"" },
        { "serve --limit marks_max=5000000000", "not a whole number" },
        { "serve --max-connections 0", "not a whole number" },
        { "serve --limit connections_max=0", "nothing to serve" },
        { "serve --limit heartbeat_ms=0", "heartbeat_ms" },
    };
    char why[OPTIONS_WHY_MAX];
    options o;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_with_port(&o, cases[i].line, NULL, why), OPTIONS_WRONG);
        if (!strstr(why, cases[i].says)) fail_msg("%s: %s", cases[i].line, why);
    }
}

static void too_many_are_refused(void **state)
{
    char line[4096] = "serve", why[OPTIONS_WHY_MAX];
    options o;

    (void)state;
    for (int i = 0; i < OPTIONS_LISTEN_MAX; i++) strcat(line, " --listen :1");
    serve(&o, line);
    strcat(line, " --listen :1");
    assert_int_equal(read_with_port(&o, line, NULL, why), OPTIONS_WRONG);
    strcpy(line, "serve");
    for (int i = 0; i <= OPTIONS_LIST_MAX; i++) strcat(line, " --memory m");
    assert_int_equal(read_with_port(&o, line, NULL, why), OPTIONS_WRONG);
}

static void help_and_version_are_answered_wherever_they_stand(void **state)
{
    char why[OPTIONS_WHY_MAX];
    options o;

    (void)state;
    assert_int_equal(read_with_port(&o, "", NULL, why), OPTIONS_HELP);
    assert_int_equal(read_with_port(&o, "--help", NULL, why), OPTIONS_HELP);
    assert_int_equal(read_with_port(&o, "serve --wrong -h", NULL, why), OPTIONS_HELP);
    assert_int_equal(read_with_port(&o, "serve --version", NULL, why), OPTIONS_VERSION);
}

static void help_names_every_option_and_limit(void **state)
{
    static const char *const wanted[] = {
        "--listen ADDR:PORT",  "--data DIR",
        "--max-message BYTES", "--origin PATTERN",
        "--trust-proxy CIDR",  "--admin-listen",
        "--tls-cert FILE",     "--memory PREFIX",
        "--list-souls",        "--limit NAME=VALUE",
        "outbox_bytes_max",    "messages.rate",
        "held_total_max",      "SIGHUP",
    };
    char *said = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&said, &len);

    (void)state;
    assert_non_null(to);
    options_help(to);
    fclose(to);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strstr(said, wanted[i])) fail_msg("--help lacks %s", wanted[i]);
    free(said);
}

static void origins_match_as_their_stars_say(void **state)
{
    static const struct {
        const char *pattern, *origin;
        bool in;
    } cases[] = {
        { "https://app.example", "https://app.example", true },
        { "https://app.example", "https://app.example:444", false },
        { "https://app.example", "https://app.example.evil", false },
        { "https://app.example", "http://app.example", false },
        { "https://*.example", "https://a.b.example", true },
        { "https://*.example", "https://example", false },
        { "http://localhost:*", "http://localhost:3000", true },
        { "http://localhost:*", "http://localhost", false },
        { "*", "null", true },
        { "null", "null", true },
        { "https://*-*.x", "https://a-b-c.x", true },
        { "https://*-*.x", "https://abc.x", false },
    };
    options o;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[128];
        snprintf(line, sizeof line, "serve --origin %s", cases[i].pattern);
        serve(&o, line);
        if (options_origin_allowed(&o, cases[i].origin, strlen(cases[i].origin)) != cases[i].in)
            fail_msg("%s and %s", cases[i].pattern, cases[i].origin);
    }
    serve(&o, "serve");
    assert_true(options_origin_allowed(&o, "anything", 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_it_listens_on_loopback),
        cmocka_unit_test(port_from_the_environment_gives_way_to_listen),
        cmocka_unit_test(every_form_of_an_address_is_read),
        cmocka_unit_test(options_may_repeat_and_take_their_value_after_an_equals_sign),
        cmocka_unit_test(an_admin_listener_alone_keeps_the_default_one),
        cmocka_unit_test(any_limit_is_set_by_its_name),
        cmocka_unit_test(what_is_wrong_is_explained),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(help_and_version_are_answered_wherever_they_stand),
        cmocka_unit_test(help_names_every_option_and_limit),
        cmocka_unit_test(origins_match_as_their_stars_say),
    };

    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
