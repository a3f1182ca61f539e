/* wire.c - see world.h. The reader is strict about what the relay may say: a
 * name or a member that nobody sent is a failure. */
#include "core/json.h"
#include "core/number.h"
#include "tests/sim/world.h"

enum { WIRE_TOKENS_MOST = 100000, WIRE_DEPTH_MOST = 16 };

static bool read_name(world *w, const json *j, uint32_t i, slice *out)
{
    if (i == 0) return false;
    if (json_name(j, &w->scratch, i, out) == STATUS_OK) return true;
    world_fail(w, "a string was wanted: %.*s", (int)json_raw(j, i).len, json_raw(j, i).at);
    return false;
}

static int soul_at(world *w, const json *j, uint32_t i)
{
    slice name;
    int soul = read_name(w, j, i, &name) ? names_find_soul(name) : -1;

    if (soul < 0) world_fail(w, "an unknown soul in %.*s", (int)j->text.len, j->text.at);
    return soul;
}

static int key_at(world *w, const json *j, uint32_t i)
{
    slice name;
    int key = read_name(w, j, i, &name) ? names_find_key(name) : -1;

    if (key < 0) world_fail(w, "an unknown key in %.*s", (int)j->text.len, j->text.at);
    return key;
}

static double number_at(world *w, const json *j, uint32_t i)
{
    double x = 0;

    if (i == 0 || j->tokens[i].type != JSON_NUMBER || !number_read(json_raw(j, i), &x))
        world_fail(w, "a number is missing in %.*s", (int)j->text.len, j->text.at);
    return x;
}

static void read_node(world *w, const json *j, uint32_t name, wire *out)
{
    uint32_t node = name + 1, meta = json_member(j, node, SLICE("_"));
    uint32_t states = json_member(j, meta, SLICE(">"));
    int soul = soul_at(w, j, name);
    double by_key[NAMES_KEYS];
    bool has[NAMES_KEYS] = { 0 };

    if (meta == 0 || states == 0 || soul_at(w, j, json_member(j, meta, SLICE("#"))) != soul) {
        world_fail(w, "a node without its soul or states: %.*s", (int)j->text.len, j->text.at);
        return;
    }
    for (uint32_t i = states + 1; i < j->tokens[states].next && !w->failed;) {
        int key = key_at(w, j, i);
        if (key >= 0) by_key[key] = number_at(w, j, i + 1);
        if (key >= 0) has[key] = true;
        i = j->tokens[i + 1].next;
    }
    for (uint32_t i = node + 1; i < j->tokens[node].next && !w->failed;) {
        if (i + 1 != meta) {
            int key = key_at(w, j, i);
            if (key >= 0 && !has[key])
                world_fail(w, "no state for a key: %.*s", (int)j->text.len, j->text.at);
            else if (key >= 0)
                out->writes[out->write_count++] =
                    (wire_write){ soul, key, json_raw(j, i + 1), by_key[key] };
        }
        i = j->tokens[i + 1].next;
    }
}

static void read_put(world *w, const json *j, uint32_t put, wire *out)
{
    out->has_put = true;
    for (uint32_t i = put + 1; i < j->tokens[put].next && !w->failed; i = j->tokens[i + 1].next)
        read_node(w, j, i, out);
}

static void read_get(world *w, const json *j, uint32_t get, wire *out)
{
    uint32_t key = json_member(j, get, SLICE("."));

    out->has_get = true;
    out->get_soul = soul_at(w, j, json_member(j, get, SLICE("#")));
    out->get_key = key == 0                             ? WIRE_WHOLE
                   : j->tokens[key].type == JSON_STRING ? key_at(w, j, key)
                                                        : WIRE_QUERY;
}

static void read_message(world *w, const json *j, uint32_t i, wire *out)
{
    uint32_t put = json_member(j, i, SLICE("put")), get = json_member(j, i, SLICE("get"));
    uint32_t hash = json_member(j, i, SLICE("##")), err = json_member(j, i, SLICE("err"));

    out->raw = json_raw(j, i);
    out->id = out->at = out->dam = out->pid = out->err = (slice){ NULL, 0 };
    out->has_put = out->has_get = out->has_hash = false;
    out->write_count = 0;
    read_name(w, j, json_member(j, i, SLICE("#")), &out->id);
    read_name(w, j, json_member(j, i, SLICE("@")), &out->at);
    read_name(w, j, json_member(j, i, SLICE("dam")), &out->dam);
    read_name(w, j, json_member(j, i, SLICE("pid")), &out->pid);
    out->has_ok = json_member(j, i, SLICE("ok")) != 0;
    out->has_err = err != 0;
    if (err != 0) out->err = json_raw(j, err);
    if (hash != 0) {
        out->has_hash = true;
        out->hash = number_at(w, j, hash);
    }
    if (put != 0) read_put(w, j, put, out);
    if (get != 0) read_get(w, j, get, out);
    if (out->id.len == 0) world_fail(w, "no id: %.*s", (int)out->raw.len, out->raw.at);
}

/* A batch may hold messages as strings of JSON: gun accepts both. */
static void read_string(world *w, const json *j, uint32_t i, wire *m)
{
    const json_bounds bounds = { WIRE_DEPTH_MOST, WIRE_TOKENS_MOST };
    slice utf8;
    json inner;

    if (json_utf8(j, &w->scratch, i, &utf8) != STATUS_OK ||
        json_read(&inner, &w->scratch, utf8, &bounds) != STATUS_OK)
        world_fail(w, "a string that holds no message");
    else
        read_message(w, &inner, 0, m);
}

void wire_each(world *w, slice bytes, bool strings_allowed, wire_visit *visit, void *visitor)
{
    const json_bounds bounds = { WIRE_DEPTH_MOST, WIRE_TOKENS_MOST };
    json j;
    wire *m = must(arena_take(&w->scratch, sizeof *m));

    if (bytes.len == 0 || (bytes.at[0] != '{' && bytes.at[0] != '[') ||
        json_read(&j, &w->scratch, bytes, &bounds) != STATUS_OK) {
        world_fail(w, "not a frame of GUN's: %.*s", (int)bytes.len, bytes.at);
        return;
    }
    if (j.tokens[0].type == JSON_OBJECT) {
        read_message(w, &j, 0, m);
        if (!w->failed) visit(visitor, m);
        return;
    }
    for (uint32_t i = 1; i < j.tokens[0].next && !w->failed; i = j.tokens[i].next) {
        if (j.tokens[i].type == JSON_OBJECT)
            read_message(w, &j, i, m);
        else if (j.tokens[i].type == JSON_STRING && strings_allowed)
            read_string(w, &j, i, m);
        else
            world_fail(w, "a batch of something else: %.*s", (int)bytes.len, bytes.at);
        if (!w->failed) visit(visitor, m);
    }
}

static void print_state(text *out, double state)
{
    char digits[NUMBER_TEXT_MAX];

    text_add(out, (slice){ digits, number_print(digits, state) });
}

/* As a browser prints a node whose keys were sorted: "_" takes its place among
 * them, integer-like keys come first. */
static void print_node(text *out, const cell row[NAMES_KEYS], int soul, int mask)
{
    const int *order = names_browser_order();
    bool meta_done = false;
    const char *comma = "";

    for (int i = 0; i <= NAMES_KEYS; i++) {
        int key = i < NAMES_KEYS ? order[i] : -1;

        if (!meta_done && (key < 0 || (i >= 2 && slice_order(names_key(key), SLICE("_")) > 0))) {
            const char *between = "";

            text_add(out, (slice){ comma, strlen(comma) });
            text_add(out, SLICE("\"_\":{\"#\":"));
            text_add(out, names_soul_json(soul));
            text_add(out, SLICE(",\">\":{"));
            for (int s = 0; s < NAMES_KEYS; s++) {
                if (!(mask >> order[s] & 1) || !row[order[s]].has) continue;
                text_add(out, (slice){ between, strlen(between) });
                text_add(out, names_key_json(order[s]));
                text_add(out, SLICE(":"));
                print_state(out, row[order[s]].state);
                between = ",";
            }
            text_add(out, SLICE("}}"));
            meta_done = true;
            comma = ",";
        }
        if (key < 0 || !(mask >> key & 1) || !row[key].has) continue;
        text_add(out, (slice){ comma, strlen(comma) });
        text_add(out, names_key_json(key));
        text_add(out, SLICE(":"));
        text_add(out, row[key].value);
        comma = ",";
    }
}

void wire_print_put(text *out, const cell row[NAMES_KEYS], int soul, int mask)
{
    text_add(out, SLICE("{"));
    text_add(out, names_soul_json(soul));
    text_add(out, SLICE(":{"));
    print_node(out, row, soul, mask);
    text_add(out, SLICE("}}"));
}
