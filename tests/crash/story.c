/* story.c - see story.h: reading a tape. */
#include "tests/crash/story.h"

#include "tests/crash/tool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one socket has said and is not yet taken apart. */
typedef struct wire {
    uint64_t socket;
    char *bytes;
    size_t len, room;
    bool upgraded;
} wire;

typedef struct reading {
    story *story;
    const plan *plan;
    size_t room;
    wire *wires;
    size_t wire_count, wire_room;
    bool *answered; /* by put */
} reading;

static void add(reading *r, event e)
{
    story *s = r->story;

    s->events = tool_grow(s->events, s->count, &r->room, sizeof *s->events);
    s->events[s->count++] = e;
}

static wire *wire_of(reading *r, uint64_t socket)
{
    for (size_t i = 0; i < r->wire_count; i++)
        if (r->wires[i].socket == socket) return &r->wires[i];
    r->wires = tool_grow(r->wires, r->wire_count, &r->wire_room, sizeof *r->wires);
    r->wires[r->wire_count] = (wire){ .socket = socket };
    return &r->wires[r->wire_count++];
}

/* The end of the JSON string that begins at `at`. */
static size_t string_end(slice text, size_t at)
{
    for (at++; at < text.len && text.at[at] != '"'; at++) at += text.at[at] == '\\';
    return at + 1;
}

/* The raw text of a member of the object at `at`, at its first level; empty when
 * it has none. Enough for what brasa prints: no white space. */
static slice member(slice text, size_t at, slice name)
{
    int depth = 0;

    for (; at < text.len; at++) {
        char c = text.at[at];
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        if (depth == 0) break;
        if (c != '"') continue;
        size_t end = string_end(text, at);
        bool is_name = depth == 1 && end < text.len && text.at[end] == ':';
        if (is_name && slice_equal((slice){ text.at + at + 1, end - at - 2 }, name)) {
            size_t to = end + 1;
            if (text.at[to] == '"') to = string_end(text, to) - 1;
            while (to < text.len && text.at[to] != ',' && text.at[to] != '}' && text.at[to] != '"')
                to++;
            return (slice){ text.at + end + 1, to - end - 1 };
        }
        at = end - 1;
    }
    return (slice){ text.at, 0 };
}

static void heard(reading *r, slice text, size_t at)
{
    slice id = member(text, at, SLICE("@"));

    if (id.len < 2 || member(text, at, SLICE("put")).len > 0) return;
    size_t put = plan_find_put(r->plan, (slice){ id.at + 1, id.len - 1 });
    if (put == SIZE_MAX || r->answered[put]) return;
    bool ok = member(text, at, SLICE("ok")).len > 0, err = member(text, at, SLICE("err")).len > 0;
    if (!ok && !err) return;
    r->answered[put] = true;
    r->story->acks += ok;
    r->story->refused += err;
    if (ok) add(r, (event){ .kind = STORY_ACK, .at = put });
}

/* A frame is an object, or an array of them. */
static void take_text(reading *r, slice text)
{
    int depth = 0, deep = text.len > 0 && text.at[0] == '[' ? 1 : 0;

    for (size_t at = 0; at < text.len; at++) {
        char c = text.at[at];
        if (c == '"') at = string_end(text, at) - 1;
        if (c == '{' && depth == deep) heard(r, text, at);
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
    }
}

/* Takes one frame (RFC 6455, from a server: without a mask) off the wire. */
static size_t take_frame(reading *r, const char *bytes, size_t len)
{
    const uint8_t *b = (const uint8_t *)bytes;
    size_t head = 2, body;

    if (len < head) return 0;
    body = b[1] & 127u;
    size_t more = body == 126 ? 2 : body == 127 ? 8 : 0;
    if (more > 0) body = 0;
    if (len < head + more) return 0;
    for (size_t i = 0; i < more; i++) body = body << 8 | b[head + i];
    head += more;
    if (len < head + body) return 0;
    /* Text that leaves in pieces is the value of a large node: never an ack. */
    if ((b[0] & 0x8f) == 0x81) take_text(r, (slice){ bytes + head, body });
    return head + body;
}

static void take_sent(reading *r, uint64_t socket, slice sent)
{
    wire *w = wire_of(r, socket);
    size_t done = 0, some;

    while (w->room < w->len + sent.len) w->bytes = tool_grow(w->bytes, w->room, &w->room, 1);
    memcpy(w->bytes + w->len, sent.at, sent.len);
    w->len += sent.len;
    if (!w->upgraded) {
        const char *end = memmem(w->bytes, w->len, "\r\n\r\n", 4);
        if (end == NULL) return;
        w->upgraded = true;
        done = (size_t)(end - w->bytes) + 4;
    }
    while ((some = take_frame(r, w->bytes + done, w->len - done)) > 0) done += some;
    memmove(w->bytes, w->bytes + done, w->len - done);
    w->len -= done;
}

static void take_record(reading *r, const tape_record *record, const char *bytes)
{
    slice text = { bytes, record->bytes };

    switch ((tape_kind)record->kind) {
    case TAPE_UNSEEN:
        tool_fail("the tape cannot tell all: %.*s", (int)text.len, text.at);
    case TAPE_SENT:
        take_sent(r, record->object, text);
        return;
    default:
        r->story->runs += record->kind == TAPE_RUN;
        r->story->failed += record->kind == TAPE_FAILED;
        add(r, (event){ record->kind, record->object, record->parent, record->at, text });
    }
}

static void map_tape(story *s, const char *path)
{
    int at = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;

    if (at < 0 || fstat(at, &status) != 0) tool_fail("cannot open the tape %s", path);
    s->map_bytes = (size_t)status.st_size;
    s->map = mmap(NULL, s->map_bytes, PROT_READ, MAP_SHARED, at, 0);
    (void)close(at);
    if (s->map == MAP_FAILED) tool_fail("cannot map the tape %s", path);
    const tape_head *head = s->map;
    if (s->map_bytes < sizeof *head || memcmp(head->mark, TAPE_MARK, sizeof head->mark) != 0)
        tool_fail("%s is no tape", path);
    if (head->full != 0) tool_fail("the tape %s was too short", path);
}

void story_read(story *s, const char *path, const plan *p)
{
    reading r = { .story = s, .plan = p };
    tape_record record;

    *s = (story){ 0 };
    map_tape(s, path);
    r.answered = tool_room(p->put_count, sizeof *r.answered);
    const tape_head *head = s->map;
    const char *records = (const char *)(head + 1);
    for (uint64_t at = 0; at < head->used; at += sizeof record + tape_padded(record.bytes)) {
        memcpy(&record, records + at, sizeof record);
        take_record(&r, &record, records + at + sizeof record);
    }
    for (size_t i = 0; i < r.wire_count; i++) free(r.wires[i].bytes);
    free(r.wires);
    free(r.answered);
}

void story_free(story *s)
{
    free(s->events);
    if (s->map != NULL) (void)munmap(s->map, s->map_bytes);
    *s = (story){ 0 };
}
