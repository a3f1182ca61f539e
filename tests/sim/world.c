/* world.c - see world.h: time, the log, memory. */
#include "tests/sim/world.h"

#include "tests/sim/verifier.h"

#include <stdarg.h>
#include <stdlib.h>

enum { EVENTS_MOST = 1000000 }; /* a world has some ten thousand */

void *must(void *memory)
{
    if (memory != NULL) return memory;
    fputs("sim: out of memory\n", stderr);
    abort();
}

void world_fail(world *w, const char *format, ...)
{
    va_list arguments;

    if (w->failed) return; /* the first one is the cause */
    w->failed = true;
    va_start(arguments, format);
    vsnprintf(w->why, sizeof w->why, format, arguments);
    va_end(arguments);
    if (w->verbose) printf("FAILED: %s\n", w->why);
}

static void hash_bytes(uint64_t *hash, const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) *hash = (*hash ^ (unsigned char)at[i]) * 0x100000001b3ULL;
}

void world_log(world *w, const char *what, int who, slice bytes)
{
    char head[96];
    int len = snprintf(head, sizeof head, "%11.3f %-2d %s ", (double)w->now_us / 1000, who, what);

    hash_bytes(&w->hash, head, (size_t)len);
    hash_bytes(&w->hash, bytes.at, bytes.len);
    if (w->verbose) printf("%s%.*s\n", head, (int)bytes.len, bytes.at);
}

static bool sooner(const event *a, const event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void world_plan(world *w, int64_t in_us, event e)
{
    if (w->event_count == w->event_room) {
        w->event_room = w->event_room ? w->event_room * 2 : 256;
        w->events = must(realloc(w->events, w->event_room * sizeof *w->events));
    }
    e.at_us = w->now_us + (in_us > 0 ? in_us : 0);
    e.order = w->planned++;

    size_t i = w->event_count++;
    for (; i > 0 && sooner(&e, &w->events[(i - 1) / 2]); i = (i - 1) / 2)
        w->events[i] = w->events[(i - 1) / 2];
    w->events[i] = e;
}

static event take_first(world *w)
{
    event first = w->events[0], last = w->events[--w->event_count];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= w->event_count) break;
        if (child + 1 < w->event_count && sooner(&w->events[child + 1], &w->events[child])) child++;
        if (!sooner(&w->events[child], &last)) break;
        w->events[i] = w->events[child];
        i = child;
    }
    w->events[i] = last;
    return first;
}

slice world_keep(world *w, slice bytes)
{
    char *at = must(arena_take(&w->kept, bytes.len + 1));

    if (bytes.len) memcpy(at, bytes.at, bytes.len);
    return (slice){ at, bytes.len };
}

double world_wall(const world *w)
{
    return w->wall_ms + (double)w->now_us / 1000;
}

moment world_moment(const world *w)
{
    return (moment){ world_wall(w) + w->relay_skew_ms, w->now_us / 1000 };
}

bool world_expired(const world *w, int soul, double state)
{
    double life_ms = names_place_of(soul)->life_ms;

    return life_ms > 0 && state < w->latest_ms - life_ms;
}

static void client_event(world *w, const event *e)
{
    client *c = &w->clients[e->who];

    if (e->kind == EVENT_NEIGHBOUR) {
        client_hear_neighbour(c, e->from, (slice){ e->what->text, e->what->len });
        free(e->what);
    } else if (e->kind == EVENT_WAKE) {
        client_wake(c);
    } else if (e->era == c->era) {
        client_connect(c);
    }
    client_flush(c);
}

static void note_time(world *w)
{
    double wall_ms = world_moment(w).wall_ms;

    if (wall_ms > w->latest_ms) w->latest_ms = wall_ms;
}

bool world_step(world *w)
{
    if (w->event_count == 0) return false;

    event e = take_first(w);
    w->now_us = e.at_us;
    note_time(w);
    if (++w->counts.events == EVENTS_MOST) world_fail(w, "it does not come to rest");
    arena_reset(&w->scratch, 1 << 20);
    switch (e.kind) {
    case EVENT_CONNECT:
    case EVENT_WAKE:
    case EVENT_NEIGHBOUR:
        client_event(w, &e);
        break;
    case EVENT_ACT:
    case EVENT_RETURN:
    case EVENT_FAULT:
    case EVENT_DISK_FAULT:
    case EVENT_DISK_ROOM:
    case EVENT_OPERATOR:
    case EVENT_CRASH:
        chaos_event(w, &e);
        break;
    case EVENT_CHECKED:
        verifier_event(w, &e);
        break;
    default:
        link_event(w, &e);
    }
    return true;
}

void world_run(world *w, int64_t until_us)
{
    while (w->event_count > 0 && w->events[0].at_us <= until_us && !w->failed) world_step(w);
    if (w->now_us < until_us) w->now_us = until_us;
}

frame *world_frame(slice bytes)
{
    frame *f = must(malloc(sizeof *f + bytes.len));

    f->next = NULL;
    f->len = bytes.len;
    if (bytes.len) memcpy(f->text, bytes.at, bytes.len);
    return f;
}

int cell_order(const cell *a, const cell *b)
{
    if (!a->has || !b->has) return (int)a->has - (int)b->has;
    if (a->state != b->state) return a->state < b->state ? -1 : 1;
    return names_value_order(a->value, b->value);
}

bool cell_merge(cell *c, slice value, double state)
{
    cell incoming = { value, state, true };

    if (cell_order(&incoming, c) <= 0) return false;
    *c = incoming;
    return true;
}
