/* tools_verify.c - `brasa verify`: what a relay would do with data, line by line.
 *
 * It takes what people have at hand: a message, a batch of them, a node, a graph
 * of nodes by soul, one write, a line of `brasa export`; as one JSON text or one a
 * line. Each is brought into the form of a put and read by core/message.h, so that
 * what is malformed is called what the relay calls it.
 */
#include "core/message.h"
#include "server/clock.h"
#include "server/crypto.h"
#include "server/explain.h"
#include "server/tools_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    INPUT_MAX = 256 << 20, /* of one JSON text */
    ARENA_MAX = 1 << 30,
    ARENA_KEEP = 1 << 20,
};

typedef struct verifying {
    const tool_call *call;
    explainer e;
    arena arena;
    text line, put;
    uint64_t count[4]; /* by verdict */
    uint64_t line_number;
    int result;
} verifying;

static int complain_line(verifying *v, const char *why)
{
    v->result = TOOL_WRONG;
    if (v->line_number == 0) return tool_complain(v->call, TOOL_WRONG, "%s", why);
    return tool_complain(v->call, TOOL_WRONG, "line %" PRIu64 ": %s", v->line_number, why);
}

/* ---- saying it ---- */

static void say(verifying *v, explain_verdict verdict, slice soul, slice key, slice why)
{
    text *t = &v->line;

    ++v->count[verdict];
    text_reset(t, ARENA_KEEP);
    text_add(t, (slice){ explain_word(verdict), strlen(explain_word(verdict)) });
    if (soul.len > 0) {
        text_add_char(t, ' ');
        json_print_name(t, soul);
    }
    if (key.len > 0) {
        text_add_char(t, ' ');
        json_print_name(t, key);
    }
    text_add(t, SLICE(": "));
    text_add(t, why);
    if (!text_ok(t)) {
        (void)complain_line(v, "out of memory");
        return;
    }
    tool_disarm(t->at, t->len, "");
    printf("%.*s\n", (int)t->len, t->at);
}

static void say_fault(verifying *v, const message_fault *fault)
{
    say(v, EXPLAIN_REFUSED, fault->soul, fault->key, (slice){ fault->why, strlen(fault->why) });
}

static void say_write(verifying *v, const graph_write *w)
{
    explain_verdict verdict = EXPLAIN_REFUSED;
    text why = { 0 };
    status s = explain_write(&v->e, w, &why, &verdict);

    if (s == STATUS_NO_MEMORY)
        (void)complain_line(v, "out of memory");
    else if (s != STATUS_OK)
        say(v, EXPLAIN_REFUSED, w->soul, w->key, SLICE("limit: too complex to be verified"));
    else
        say(v, verdict, w->soul, w->key, text_slice(&why));
    text_free(&why);
}

/* ---- puts ---- */

static message_limits limits_of(const verifying *v)
{
    const relay_limits *l = &v->e.limits;

    return (message_limits){ .name_bytes_max = l->name_bytes_max,
                             .id_bytes_max = l->id_bytes_max,
                             .put_keys_max = l->put_keys_max,
                             .depth_max = l->depth_max,
                             .tokens_max = (size_t)l->put_keys_max * 8 + 4096 };
}

/* Reads what stands in v->put; true when it is one that can be gone through. */
static bool read_put(verifying *v, message *m)
{
    message_limits limits = limits_of(v);
    message_fault fault;
    status s;

    if (!text_ok(&v->put)) {
        (void)complain_line(v, "out of memory");
        return false;
    }
    s = message_read(m, &v->arena, text_slice(&v->put), &limits, &fault);
    if (s == STATUS_NO_MEMORY)
        (void)complain_line(v, "out of memory");
    else if (s != STATUS_OK)
        say_fault(v, &fault);
    return s == STATUS_OK;
}

static void begin_put(verifying *v, slice soul)
{
    text_reset(&v->put, ARENA_KEEP);
    text_add(&v->put, SLICE("{\"put\":{"));
    text_add(&v->put, soul);
    text_add_char(&v->put, ':');
}

/* One key of a node, with its state: raw JSON all. */
static void explain_key(verifying *v, slice soul, slice key, slice value, slice state)
{
    message m;

    begin_put(v, soul);
    text_add(&v->put, SLICE("{\"_\":{\"#\":"));
    text_add(&v->put, soul);
    text_add(&v->put, SLICE(",\">\":{"));
    if (state.len > 0) {
        text_add(&v->put, key);
        text_add_char(&v->put, ':');
        text_add(&v->put, state);
    }
    text_add(&v->put, SLICE("}},"));
    text_add(&v->put, key);
    text_add_char(&v->put, ':');
    text_add(&v->put, value);
    text_add(&v->put, SLICE("}}}"));
    if (!read_put(v, &m)) return;
    if (m.bad_count > 0)
        say_fault(v, &m.bad);
    else if (m.write_count > 0)
        say_write(v, &m.writes[0]);
}

/* The state of a key, by its name and not by how it is spelled. */
static slice state_of(verifying *v, const json *j, uint32_t states, slice key)
{
    slice name, state = { "", 0 };

    if (states == 0 || j->tokens[states].type != JSON_OBJECT) return state;
    for (uint32_t k = states + 1; k < j->tokens[states].next; k = j->tokens[k + 1].next)
        if (json_name(j, &v->arena, k, &name) == STATUS_OK && slice_equal(name, key))
            state = json_raw(j, k + 1);
    return state;
}

/* A relay names the first key that is wrong; here each is looked at alone. */
static void explain_each_key(verifying *v, const json *j, uint32_t soul, uint32_t node)
{
    uint32_t states = json_member(j, json_member(j, node, SLICE("_")), SLICE(">"));
    slice name;

    for (uint32_t k = node + 1; k < j->tokens[node].next; k = j->tokens[k + 1].next) {
        if (json_name(j, &v->arena, k, &name) != STATUS_OK || slice_equal(name, SLICE("_")))
            continue;
        explain_key(v, json_raw(j, soul), json_raw(j, k), json_raw(j, k + 1),
                    state_of(v, j, states, name));
    }
}

static void explain_node(verifying *v, const json *j, uint32_t soul, uint32_t node)
{
    message m;

    begin_put(v, json_raw(j, soul));
    text_add(&v->put, json_raw(j, node));
    text_add(&v->put, SLICE("}}"));
    if (!read_put(v, &m)) return;
    if (m.bad_count > 0 && m.bad.key.len == 0) {
        say_fault(v, &m.bad);
    } else if (m.bad_count > 0) {
        explain_each_key(v, j, soul, node);
    } else {
        for (size_t i = 0; i < m.write_count; ++i) say_write(v, &m.writes[i]);
    }
}

static void explain_graph(verifying *v, const json *j, uint32_t nodes)
{
    for (uint32_t k = nodes + 1; k < j->tokens[nodes].next; k = j->tokens[k + 1].next)
        explain_node(v, j, k, k + 1);
}

/* ---- messages ---- */

static uint64_t not_kept(const verifying *v)
{
    return v->count[EXPLAIN_REFUSED] + v->count[EXPLAIN_EXPIRED];
}

/* Whether the message as such would be heard; its keys are another matter. */
static bool message_is_well(verifying *v, const json *j, uint32_t at, message *m)
{
    message_limits limits = limits_of(v);
    message_fault fault;
    status s = message_read(m, &v->arena, json_raw(j, at), &limits, &fault);

    if (s == STATUS_NO_MEMORY) {
        (void)complain_line(v, "out of memory");
    } else if (s != STATUS_OK) {
        say_fault(v, &fault);
    }
    return s == STATUS_OK;
}

static void explain_message(verifying *v, const json *j, uint32_t at)
{
    uint64_t refused = v->count[EXPLAIN_REFUSED];
    message m;

    if (!message_is_well(v, j, at, &m)) return;
    if (!m.has_put) {
        printf("(a message that writes nothing)\n");
        return;
    }
    v->e.as_put = m.at.len == 0;
    explain_graph(v, j, json_member(j, at, SLICE("put")));
    v->e.as_put = false;
    if (v->count[EXPLAIN_REFUSED] == refused) return;
    printf(m.at.len > 0 ? "(an answer to a get: its other keys are kept)\n"
                        : "(a put is kept whole or not at all: nothing of it is kept)\n");
}

/* ---- what was given ---- */

static bool has(const json *j, uint32_t at, const char *name)
{
    return json_member(j, at, (slice){ name, strlen(name) }) != 0;
}

static bool is_graph(const json *j, uint32_t at)
{
    for (uint32_t k = at + 1; k < j->tokens[at].next; k = j->tokens[k + 1].next)
        if (j->tokens[k + 1].type != JSON_OBJECT || json_member(j, k + 1, SLICE("_")) == 0)
            return false;
    return j->tokens[at].next > at + 1;
}

static void explain_row(verifying *v, const json *j, uint32_t at, const char *const names[static 4])
{
    uint32_t member[4];

    for (int i = 0; i < 4; ++i)
        member[i] = json_member(j, at, (slice){ names[i], strlen(names[i]) });
    if (member[2] == 0 || j->tokens[member[0]].type != JSON_STRING ||
        j->tokens[member[1]].type != JSON_STRING) {
        (void)complain_line(v, "a write has a soul, a key and a value");
        return;
    }
    explain_key(v, json_raw(j, member[0]), json_raw(j, member[1]), json_raw(j, member[2]),
                member[3] == 0 ? (slice){ "", 0 } : json_raw(j, member[3]));
}

static void explain_any(verifying *v, const json *j, uint32_t at)
{
    static const char *const words[] = { "soul", "key", "value", "state" };
    static const char *const marks[] = { "#", ".", ":", ">" };

    if (j->tokens[at].type != JSON_OBJECT) {
        (void)complain_line(v, "it is no object");
    } else if (has(j, at, "soul") && has(j, at, "key")) {
        explain_row(v, j, at, words);
    } else if (has(j, at, "#") && has(j, at, ".") && has(j, at, ":")) {
        explain_row(v, j, at, marks);
    } else if (has(j, at, "floor") || has(j, at, "done")) {
        return; /* what an export says of purges, and its end */
    } else if (has(j, at, "_")) {
        uint32_t soul = json_member(j, json_member(j, at, SLICE("_")), SLICE("#"));
        if (soul == 0 || j->tokens[soul].type != JSON_STRING)
            (void)complain_line(v, "a node has its soul in \"_\"");
        else
            explain_node(v, j, soul, at);
    } else if (has(j, at, "put") || has(j, at, "get") || has(j, at, "dam") || has(j, at, "@")) {
        explain_message(v, j, at);
    } else if (is_graph(j, at)) {
        explain_graph(v, j, at);
    } else {
        (void)complain_line(v, "it is no message, node, graph or write");
    }
}

static void explain_text(verifying *v, slice json_text);

/* A message of a batch may be a text that holds it. */
static void explain_element(verifying *v, const json *j, uint32_t at)
{
    slice inner;

    if (j->tokens[at].type == JSON_STRING && json_utf8(j, &v->arena, at, &inner) == STATUS_OK &&
        inner.len > 0 && inner.at[0] == '{')
        explain_text(v, inner);
    else
        explain_any(v, j, at);
}

static void explain_text(verifying *v, slice json_text)
{
    static const json_bounds bounds = { .depth_max = 64, .tokens_max = 1 << 26 };
    json j;
    status s = json_read(&j, &v->arena, json_text, &bounds);

    if (s != STATUS_OK)
        (void)complain_line(v, s == STATUS_MALFORMED ? "it is not JSON" : status_text(s));
    else if (j.tokens[0].type == JSON_ARRAY)
        for (uint32_t k = 1; k < j.tokens[0].next; k = j.tokens[k].next) explain_element(v, &j, k);
    else
        explain_any(v, &j, 0);
}

/* ---- reading ---- */

static bool is_blank(slice s)
{
    for (size_t i = 0; i < s.len; ++i)
        if (s.at[i] != ' ' && s.at[i] != '\t' && s.at[i] != '\r' && s.at[i] != '\n') return false;
    return true;
}

static bool is_json(slice s)
{
    return json_check(s, 64) == STATUS_OK;
}

/* One JSON text over several lines: the rest of the input belongs to it. */
static void explain_rest(verifying *v, FILE *from, slice first)
{
    text whole = { 0 };
    char piece[16384];
    size_t len;

    v->line_number = 0;
    text_add(&whole, first);
    while (whole.len <= INPUT_MAX && (len = fread(piece, 1, sizeof piece, from)) > 0)
        text_add(&whole, (slice){ piece, len });
    if (!text_ok(&whole))
        (void)complain_line(v, "out of memory");
    else if (whole.len > INPUT_MAX)
        (void)complain_line(v, "is larger than 256 MiB; one JSON text a line has no such bound");
    else
        explain_text(v, text_slice(&whole));
    text_free(&whole);
}

static void explain_all(verifying *v, FILE *from)
{
    size_t room = 0;
    char *line = NULL;
    ssize_t len;
    bool first = true;

    while ((len = getline(&line, &room, from)) >= 0) {
        slice s = { line, (size_t)len };

        ++v->line_number;
        if (is_blank(s)) continue;
        if (first && !is_json(s)) {
            explain_rest(v, from, s);
            first = false;
            break;
        }
        first = false;
        explain_text(v, s);
        arena_reset(&v->arena, ARENA_KEEP);
    }
    if (ferror(from)) (void)complain_line(v, strerror(errno));
    if (first && v->result == TOOL_DONE) (void)complain_line(v, "there is nothing in it");
    free(line);
}

static int verify_from(const tool_call *call, FILE *from)
{
    uint8_t secret[CRYPTO_SECRET_BYTES];
    crypto_limits limits = crypto_default_limits();
    verifying v = { .call = call, .arena = arena_make(ARENA_MAX), .result = TOOL_DONE };
    crypto *c;

    randombytes_buf(secret, sizeof secret);
    if (crypto_new(&c, &limits, secret) != STATUS_OK)
        return tool_complain(call, TOOL_WRONG, "out of memory");
    v.e = (explainer){ .crypto = crypto_table(c),
                       .arena = &v.arena,
                       .limits = relay_default_limits(),
                       .now_ms = clock_now().wall_ms };
    explain_all(&v, from);
    if (v.result == TOOL_DONE || v.count[EXPLAIN_KEPT] + v.count[EXPLAIN_HELD] + not_kept(&v) > 0)
        printf("kept %" PRIu64 ", held %" PRIu64 ", expired %" PRIu64 ", refused %" PRIu64 "\n",
               v.count[EXPLAIN_KEPT], v.count[EXPLAIN_HELD], v.count[EXPLAIN_EXPIRED],
               v.count[EXPLAIN_REFUSED]);
    if (v.result == TOOL_DONE && not_kept(&v) > 0) v.result = TOOL_FAILED;
    text_free(&v.line);
    text_free(&v.put);
    arena_free(&v.arena);
    crypto_free(c);
    return v.result;
}

int tool_verify(const tool_call *call)
{
    FILE *from = strcmp(call->file, "-") == 0 ? stdin : fopen(call->file, "rbe");
    int result;

    if (from == NULL) return tool_complain(call, TOOL_WRONG, "%s: %s", call->file, strerror(errno));
    result = verify_from(call, from);
    if (from != stdin) (void)fclose(from);
    return result;
}
