/* import.c - see import.h. */
#include "server/import.h"

#include "core/json.h"
#include "core/number.h"
#include "core/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BATCH_ROWS = 256,
    BATCH_BYTES = 256 * 1024,
    NAME_MAX_BYTES = 65536,
    DEPTH_MAX = 4,
    TOKENS_MAX = 64,
};

struct import {
    radisk *store;
    import_counts counts;
    arena memory; /* of one line */
    graph_write writes[BATCH_ROWS];
    size_t offsets[BATCH_ROWS];
    size_t count;
    text bytes;
    graph_ticket ticket;
    status why;

    bool has_floor; /* to be set before the next line */
    bool asked;     /* the store was asked to */
    radisk_purge floor;
    double floor_state;
    text floor_names;
};

import *import_new(radisk *store){ import *i = calloc(1, sizeof *i);

if (i == NULL) return NULL;
i->store = store;
i->memory = arena_make((size_t)4 * IMPORT_LINE_MAX);
return i;
}

void import_free(import *i)
{
    if (i == NULL) return;
    arena_free(&i->memory);
    text_free(&i->bytes);
    text_free(&i->floor_names);
    free(i);
}

bool import_is_asking(const import *i)
{
    return i->asked;
}

status import_why(const import *i)
{
    return i->why;
}

const import_counts *import_count(const import *i)
{
    return &i->counts;
}

/* ---- a line ---- */

typedef struct parsed {
    slice soul, key, value;
    double state, floor;
    bool has_key, has_value, has_state, has_floor, prefix;
} parsed;

static status bad(char *why, const char *what)
{
    (void)snprintf(why, IMPORT_WHY_MAX, "%s", what);
    return STATUS_MALFORMED;
}

static status read_name(import *i, const json *j, const char *member, slice *out, char *why)
{
    uint32_t at = json_member(j, 0, (slice){ member, 1 });
    bool read = at != 0 && json_name(j, &i->memory, at, out) == STATUS_OK;

    if (read && out->len > 0 && out->len <= NAME_MAX_BYTES) return STATUS_OK;
    (void)snprintf(why, IMPORT_WHY_MAX, "\"%s\" must be a string of 1 to %d bytes", member,
                   NAME_MAX_BYTES);
    return STATUS_MALFORMED;
}

static bool read_double(const json *j, uint32_t at, double *out)
{
    return j->tokens[at].type == JSON_NUMBER && number_read(json_raw(j, at), out) && isfinite(*out);
}

static status read_floor(import *i, const json *j, uint32_t at, parsed *p, char *why)
{
    uint32_t prefix = json_member(j, 0, SLICE("prefix"));

    p->has_floor = true;
    p->prefix = prefix != 0 && j->tokens[prefix].type == JSON_TRUE;
    p->has_key = json_member(j, 0, SLICE(".")) != 0;
    if (!read_double(j, at, &p->floor)) return bad(why, "\"floor\" must be a number");
    if (p->has_key && p->prefix) return bad(why, "a prefix has no key");
    return p->has_key ? read_name(i, j, ".", &p->key, why) : STATUS_OK;
}

static status read_write(import *i, const json *j, parsed *p, char *why)
{
    uint32_t value = json_member(j, 0, SLICE(":")), state = json_member(j, 0, SLICE(">"));
    status s = read_name(i, j, ".", &p->key, why);

    if (s != STATUS_OK) return s;
    if (state == 0 || !read_double(j, state, &p->state))
        return bad(why, "\">\" must be a number: the state");
    if (value == 0) return bad(why, "\":\" is missing: the value");
    s = value_read(j, &i->memory, value, &p->value);
    if (s == STATUS_MALFORMED)
        return bad(why, "\":\" must be null, true, false, a number, a string or a link");
    return s;
}

static status read_line(import *i, slice line, parsed *p, char *why)
{
    static const json_bounds bounds = { .depth_max = DEPTH_MAX, .tokens_max = TOKENS_MAX };
    json j;

    if (line.len >= IMPORT_LINE_MAX) return bad(why, "this is longer than 64 MiB");
    status s = json_read(&j, &i->memory, line, &bounds);
    if (s == STATUS_MALFORMED || s == STATUS_TOO_BIG) return bad(why, "this is not valid JSON");
    if (s != STATUS_OK) return s;
    if (j.tokens[0].type != JSON_OBJECT) return bad(why, "this is no object");
    s = read_name(i, &j, "#", &p->soul, why);
    if (s != STATUS_OK) return s;
    uint32_t floor = json_member(&j, 0, SLICE("floor"));
    return floor != 0 ? read_floor(i, &j, floor, p, why) : read_write(i, &j, p, why);
}

static void gather(import *i, const parsed *p)
{
    i->offsets[i->count] = i->bytes.len;
    i->writes[i->count++] =
        (graph_write){ .soul = p->soul, .key = p->key, .value = p->value, .state = p->state };
    text_add(&i->bytes, p->soul);
    text_add(&i->bytes, p->key);
    text_add(&i->bytes, p->value);
}

static void keep_floor(import *i, const parsed *p)
{
    text_reset(&i->floor_names, NAME_MAX_BYTES);
    text_add(&i->floor_names, p->soul);
    text_add(&i->floor_names, p->key);
    i->has_floor = true;
    i->floor_state = p->floor;
    i->floor = (radisk_purge){ .soul = p->soul, .key = p->key, .prefix = p->prefix };
}

static bool is_blank(slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (strchr(" \t\r", line.at[i]) == NULL || line.at[i] == '\0') return false;
    return true;
}

status import_line(import *i, slice line, char why[IMPORT_WHY_MAX])
{
    parsed p = { .state = 0 };

    i->counts.lines++;
    if (is_blank(line)) return STATUS_OK;
    arena_reset(&i->memory, (size_t)1 << 20);
    status s = read_line(i, line, &p, why);
    if (s == STATUS_MALFORMED) i->counts.bad++;
    if (s != STATUS_OK) return s;
    if (p.has_floor)
        keep_floor(i, &p);
    else
        gather(i, &p);
    return text_ok(&i->bytes) && text_ok(&i->floor_names) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- rows ---- */

static void point_to_bytes(import *i)
{
    for (size_t n = 0; n < i->count; n++) {
        graph_write *w = &i->writes[n];
        w->soul.at = i->bytes.at + i->offsets[n];
        w->key.at = w->soul.at + w->soul.len;
        w->value.at = w->key.at + w->key.len;
    }
}

static void count_verdicts(import *i)
{
    for (size_t n = 0; n < i->count; n++) switch (i->writes[n].verdict) {
        case HAM_TAKE:
            i->counts.taken++;
            break;
        case HAM_SAME:
            i->counts.same++;
            break;
        case HAM_KEEP:
            i->counts.stale++;
            break;
        case HAM_WAIT:
            i->counts.held++;
            break;
        }
}

static import_state fail(import *i, status why)
{
    i->why = why;
    return IMPORT_FAILED;
}

static import_state merge(import *i, moment now)
{
    graph *g = radisk_graph(i->store);
    graph_ticket ticket;

    if (i->count == 0) return IMPORT_READY;
    point_to_bytes(i);
    status s = g->merge(g->context, i->writes, i->count, now, &ticket);
    if (s == STATUS_BUSY) return IMPORT_WAITS;
    if (s != STATUS_OK) return fail(i, s);
    i->ticket = graph_both(i->ticket, ticket);
    count_verdicts(i);
    i->count = 0;
    text_reset(&i->bytes, 4 * (size_t)BATCH_BYTES);
    return IMPORT_READY;
}

/* ---- floors ---- */

static bool met(void *visitor, const graph_row *row)
{
    (void)row;
    *(bool *)visitor = true;
    return false;
}

/* Whether a floor would remove something. */
static status is_something_there(import *i, bool *there)
{
    graph *g = radisk_graph(i->store);
    const radisk_purge *f = &i->floor;
    lex_range range = { .from = f->soul }, all = { .from = { "", 0 } };
    graph_row row;
    status s;

    *there = false;
    if (f->key.len > 0) {
        s = g->look(g->context, f->soul, f->key, &row);
        *there = s == STATUS_OK;
        return s == STATUS_NOT_FOUND ? STATUS_OK : s;
    }
    if (!f->prefix) return g->scan(g->context, f->soul, &all, met, there);
    text end = { 0 };
    text_add(&end, f->soul);
    text_add_char(&end, (char)0xff); /* above all that a name may contain */
    range.to = text_slice(&end);
    range.has_to = true;
    s = text_ok(&end) ? g->souls(g->context, &range, met, there) : STATUS_NO_MEMORY;
    text_free(&end);
    return s;
}

static void floor_told(void *context, status how, uint64_t rows)
{
    import *i = context;

    (void)rows;
    i->asked = i->has_floor = false;
    if (how == STATUS_OK) i->counts.floors++;
    if (how != STATUS_OK) i->why = how;
}

static import_state set_floor(import *i)
{
    bool there;

    i->floor.soul.at = i->floor_names.at;
    i->floor.key.at = i->floor_names.at + i->floor.soul.len;
    status s = is_something_there(i, &there);
    if (s != STATUS_OK) return fail(i, s);
    if (there) {
        i->counts.floors_left++;
        i->has_floor = false;
        return IMPORT_READY;
    }
    i->asked = true;
    s = radisk_purge_begin(i->store, &i->floor, (moment){ .wall_ms = i->floor_state }, floor_told,
                           i);
    if (s != STATUS_OK) i->asked = false;
    if (s == STATUS_OK || s == STATUS_BUSY) return IMPORT_WAITS;
    return fail(i, s);
}

import_state import_step(import *i, moment now, bool all)
{
    bool full = i->count == BATCH_ROWS || i->bytes.len >= BATCH_BYTES;

    if (i->why != STATUS_OK) return IMPORT_FAILED;
    if (i->asked) return IMPORT_WAITS;
    if (full || all || i->has_floor) {
        import_state s = merge(i, now);
        if (s != IMPORT_READY) return s;
    }
    return i->has_floor ? set_floor(i) : IMPORT_READY;
}

import_state import_settled(import *i)
{
    graph *g = radisk_graph(i->store);
    graph_progress p;

    if (i->why != STATUS_OK) return IMPORT_FAILED;
    g->progress(g->context, &p);
    switch (graph_settled(i->ticket, &p)) {
    case GRAPH_SAFE:
        return IMPORT_READY;
    case GRAPH_FAILED:
        return fail(i, p.why);
    case GRAPH_WAITING:
        break;
    }
    return IMPORT_WAITS;
}
