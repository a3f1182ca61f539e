/* relay_bench.c - see relay_bench.h. */
#include "relay_bench.h"

#include "core/json.h"
#include "tests/tools/curve.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

enum { IDS_MAX = 4096, FRAME_MAX = 1 << 20 };

struct table {
    graph_memory *memory;
    relay *relay;
    moment now;
    char *ids[IDS_MAX];
    int id_count;
    text out;
    size_t pieces;
};

static table *lay(const relay_limits *limits, bool delayed, const relay_options *wish)
{
    table *t = calloc(1, sizeof *t);
    graph_memory_options memory = { .bytes_max = 1u << 28, .held_max = 100000, .delayed = delayed };
    const slice live = SLICE("/live/");
    relay_options options = { .limits = limits ? *limits : relay_default_limits(),
                              .pid = SLICE("relay"),
                              .memory_prefixes = &live,
                              .memory_prefix_count = 1 };

    assert_non_null(t);
    t->now = (moment){ 1000000, 1000 };
    assert_int_equal(graph_memory_new(&t->memory, &memory), STATUS_OK);
    options.crypto = &test_curve;
    options.pool = wish->pool;
    options.ours = wish->ours;
    options.news = wish->news;
    options.news_context = wish->news_context;
    options.store = graph_memory_table(t->memory);
    assert_int_equal(relay_new(&t->relay, &options), STATUS_OK);
    return t;
}

table *table_lay_before(const relay_limits *limits, bool delayed, check_pool pool)
{
    return lay(limits, delayed, &(relay_options){ .pool = pool });
}

table *table_lay(const relay_limits *limits, bool delayed)
{
    return lay(limits, delayed, &(relay_options){ .store = NULL });
}

table *table_lay_beside(graph *ours, relay_news *news, void *context)
{
    return lay(NULL, false,
               &(relay_options){ .ours = ours, .news = news, .news_context = context });
}

void table_clear(table *t)
{
    relay_free(t->relay);
    graph_memory_free(t->memory);
    for (int i = 0; i < t->id_count; ++i) free(t->ids[i]);
    text_free(&t->out);
    free(t);
}

relay *table_relay(table *t)
{
    return t->relay;
}
graph_memory *table_memory(table *t)
{
    return t->memory;
}
moment table_now(const table *t)
{
    return t->now;
}

void table_sync(table *t)
{
    graph_memory_sync(t->memory);
    relay_turn(t->relay, t->now);
}

void table_fail(table *t, status why)
{
    graph_memory_fail(t->memory, why);
    relay_turn(t->relay, t->now);
}

void table_wait(table *t, int64_t ms)
{
    for (int64_t passed = 0; passed < ms; passed += 5) {
        t->now.steady_ms += 5;
        t->now.wall_ms += 5;
        relay_turn(t->relay, t->now);
    }
}

relay_peer *table_join(table *t, const char *pid)
{
    relay_peer *p;

    assert_int_equal(relay_join(t->relay, &p, NULL, t->now), STATUS_OK);
    assert_non_null(strstr(table_read(t, p), "'dam':'?','pid':'relay'}"));
    if (pid != NULL) table_say(t, p, "{'dam':'?','pid':'%s','@':'x'}", pid);
    return p;
}

void table_leave(table *t, relay_peer *p)
{
    relay_leave(t->relay, p, t->now);
}

void table_say(table *t, relay_peer *p, const char *format, ...)
{
    char *frame = malloc(FRAME_MAX);
    va_list args;
    int len;

    assert_non_null(frame);
    va_start(args, format);
    len = vsnprintf(frame, FRAME_MAX, format, args);
    va_end(args);
    assert_true(len >= 0 && len < FRAME_MAX);
    for (int i = 0; i < len; ++i)
        if (frame[i] == '\'') frame[i] = '"';
    assert_true(relay_reading(p));
    /* A copy of its exact size, so that the sanitizer sees reads behind it. */
    char *exact = malloc((size_t)len ? (size_t)len : 1);
    memcpy(exact, frame, (size_t)len);
    free(frame);
    relay_hear(t->relay, p, (slice){ exact, (size_t)len }, t->now);
    free(exact);
    relay_turn(t->relay, t->now);
}

/* --- reading --- */

static const char *known_id(table *t, slice id)
{
    static char shown[16];
    int i = 0;

    while (i < t->id_count && !slice_equal(id, (slice){ t->ids[i], strlen(t->ids[i]) })) ++i;
    if (i == t->id_count) {
        assert_true(i < IDS_MAX);
        t->ids[i] = strndup(id.at, id.len);
        ++t->id_count;
    }
    snprintf(shown, sizeof shown, "<%d>", i + 1);
    return shown;
}

/* Appends a message, with every string of ten letters the relay could have made
 * replaced: tests use shorter and longer names. */
static void show(table *t, slice message)
{
    enum { MADE = 10 };
    size_t i = 0;

    while (i < message.len) {
        if (message.at[i] == '"' && i + MADE + 1 < message.len && message.at[i + MADE + 1] == '"' &&
            strspn(message.at + i + 1,
                   "0123456789ABCDEFGHIJKLMNOPQRSTUVWXZabcdefghijklmnopqrstuvwxyz") >= MADE) {
            const char *id = known_id(t, (slice){ message.at + i + 1, MADE });
            text_add(&t->out, (slice){ id, strlen(id) });
            i += MADE + 2;
        } else {
            text_add_char(&t->out, message.at[i] == '"' ? '\'' : message.at[i]);
            ++i;
        }
    }
    text_add_char(&t->out, '\n');
}

static void take_apart(table *t, slice whole)
{
    json_bounds bounds = { 64, 1 << 22 };
    arena a = arena_make(1u << 28);
    json j;

    assert_int_equal(json_read(&j, &a, whole, &bounds), STATUS_OK);
    if (j.tokens[0].type == JSON_ARRAY)
        for (uint32_t i = 1; i < j.tokens[0].next; i = j.tokens[i].next) show(t, json_raw(&j, i));
    else
        show(t, json_raw(&j, 0));
    arena_free(&a);
}

const char *table_read(table *t, relay_peer *p)
{
    text whole = { 0 };
    relay_piece piece;
    bool within = false;

    t->out.len = 0;
    t->pieces = 0;
    while (relay_next(t->relay, p, &piece, t->now)) {
        assert_int_equal(piece.first, !within);
        memset(piece.at - RELAY_HEADROOM, 0xAA, RELAY_HEADROOM); /* a transport's right */
        text_add(&whole, (slice){ piece.at, piece.len });
        within = !piece.last;
        ++t->pieces;
        relay_sent(t->relay, p, t->now);
        if (within) continue;
        take_apart(t, text_slice(&whole));
        whole.len = 0;
    }
    assert_false(within);
    text_free(&whole);
    text_add_char(&t->out, '\0');
    return t->out.at;
}

size_t table_pieces(const table *t)
{
    return t->pieces;
}

const char *table_id(const table *t, int number)
{
    assert_in_range(number, 1, t->id_count);
    return t->ids[number - 1];
}
