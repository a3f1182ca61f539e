/* fleet.c - see fleet.h. */
#include "tests/bench/fleet.h"

#include "tests/bench/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SHARED_BYTES = 512 * 1024, /* one read of a connection that holds nothing back */
    OPENING_MAX = 128,         /* handshakes in flight: below any listen backlog */
    EVENTS_MAX = 512,
    KEEP_BYTES = 64 * 1024, /* buffers up to this size are kept for next time */
};

enum { OP_CONTINUATION = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

typedef struct bytes {
    char *at;
    size_t len, room;
} bytes;

typedef enum wire_state { WIRE_OPENING, WIRE_OPEN, WIRE_GONE } wire_state;

struct wire {
    fleet *fleet;
    int fd;
    uint32_t index;
    wire_state state;
    bool dirty;       /* on the list of those with something to send */
    bool wants_write; /* epoll tells us when the socket takes more */
    bytes held;       /* a frame that has not arrived entirely */
    bytes message;    /* fragments of a message */
    bytes out;
    size_t out_sent;
    uint64_t heard;
};

struct fleet {
    fleet_options options;
    fleet_ear *ear;
    void *context;
    int epoll;
    wire *wires;
    uint32_t size, living, opening;
    uint32_t *dirty, dirty_count;
    uint64_t chance;
    char *shared;
};

/* --- buffers --- */

static void no_memory(void)
{
    fputs("load: out of memory\n", stderr);
    exit(1);
}

/* Room for `more` bytes behind what is there. */
static char *bytes_room(bytes *b, size_t more)
{
    if (b->room - b->len < more) {
        size_t room = b->room < 256 ? 256 : b->room;
        while (room - b->len < more) room *= 2;
        b->at = realloc(b->at, room);
        if (b->at == NULL) no_memory();
        b->room = room;
    }
    return b->at + b->len;
}

static void bytes_add(bytes *b, const char *at, size_t len)
{
    memcpy(bytes_room(b, len), at, len);
    b->len += len;
}

static void bytes_clear(bytes *b)
{
    b->len = 0;
    if (b->room > KEEP_BYTES) {
        free(b->at);
        *b = (bytes){ 0 };
    }
}

static void bytes_free(bytes *b)
{
    free(b->at);
    *b = (bytes){ 0 };
}

/* --- sending --- */

static void mark_dirty(wire *w)
{
    if (w->dirty) return;
    w->dirty = true;
    w->fleet->dirty[w->fleet->dirty_count++] = w->index;
}

/* xorshift64*: masks need no secrecy here, they only must not be constant. */
static uint32_t next_mask(fleet *f)
{
    f->chance ^= f->chance >> 12;
    f->chance ^= f->chance << 25;
    f->chance ^= f->chance >> 27;
    return (uint32_t)((f->chance * 0x2545F4914F6CDD1Dull) >> 32);
}

static void mask_into(char *to, const char *from, size_t len, uint32_t mask)
{
    uint64_t wide = (uint64_t)mask << 32 | mask;
    size_t i = 0;

    for (; i + 8 <= len; i += 8) {
        uint64_t eight;
        memcpy(&eight, from + i, 8);
        eight ^= wide;
        memcpy(to + i, &eight, 8);
    }
    for (; i < len; i++) to[i] = (char)(from[i] ^ (char)(mask >> (8 * (i % 4))));
}

static void say(wire *w, unsigned opcode, slice text)
{
    unsigned char head[14];
    size_t n = 2;
    uint32_t mask = next_mask(w->fleet);

    if (w->state != WIRE_OPEN) return;
    head[0] = (unsigned char)(0x80 | opcode);
    if (text.len < 126) {
        head[1] = (unsigned char)(0x80 | text.len);
    } else if (text.len < 65536) {
        head[1] = 0x80 | 126;
        head[n++] = (unsigned char)(text.len >> 8);
        head[n++] = (unsigned char)text.len;
    } else {
        head[1] = 0x80 | 127;
        for (int i = 7; i >= 0; i--) head[n++] = (unsigned char)((uint64_t)text.len >> (8 * i));
    }
    memcpy(head + n, &mask, 4);
    bytes_add(&w->out, (char *)head, n + 4);
    mask_into(bytes_room(&w->out, text.len), text.at, text.len, mask);
    w->out.len += text.len;
    mark_dirty(w);
}

void wire_say(wire *w, slice text)
{
    say(w, OP_TEXT, text);
}

static void watch(wire *w, bool write)
{
    struct epoll_event e = { .events = EPOLLIN | (write ? EPOLLOUT : 0u), .data.u32 = w->index };

    if (w->wants_write == write) return;
    w->wants_write = write;
    epoll_ctl(w->fleet->epoll, EPOLL_CTL_MOD, w->fd, &e);
}

static void lose(wire *w)
{
    if (w->state == WIRE_GONE) return;
    if (w->state == WIRE_OPENING) w->fleet->opening--;
    if (w->state == WIRE_OPEN) w->fleet->living--;
    w->state = WIRE_GONE;
    close(w->fd);
    bytes_free(&w->held);
    bytes_free(&w->message);
    bytes_free(&w->out);
}

static void flush(wire *w)
{
    if (w->state == WIRE_GONE) return;
    while (w->out_sent < w->out.len) {
        ssize_t n = send(w->fd, w->out.at + w->out_sent, w->out.len - w->out_sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) {
            watch(w, true);
            return;
        }
        if (n < 0) {
            lose(w);
            return;
        }
        w->out_sent += (size_t)n;
    }
    w->out_sent = 0;
    bytes_clear(&w->out);
    watch(w, false);
}

static void flush_all(fleet *f)
{
    for (uint32_t i = 0; i < f->dirty_count; i++) {
        wire *w = &f->wires[f->dirty[i]];
        w->dirty = false;
        if (!w->wants_write) flush(w);
    }
    f->dirty_count = 0;
}

/* --- hearing --- */

/* The accept key of the one request key that we ever send (RFC 6455's example). */
static const char REQUEST_KEY[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char ACCEPT_KEY[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/* Bytes of the handshake's answer, 0 while it is incomplete; false when refused. */
static bool hear_handshake(wire *w, slice in, size_t *used)
{
    const char *end = memmem(in.at, in.len, "\r\n\r\n", 4);

    *used = 0;
    if (end == NULL) return in.len < 8192;
    *used = (size_t)(end - in.at) + 4;
    if (!slice_begins(in, SLICE("HTTP/1.1 101")) ||
        memmem(in.at, *used, ACCEPT_KEY, sizeof ACCEPT_KEY - 1) == NULL) {
        fprintf(stderr, "load: handshake refused: %.*s\n", (int)(*used < 200 ? *used : 200), in.at);
        return false;
    }
    w->state = WIRE_OPEN;
    w->fleet->opening--;
    w->fleet->living++;
    return true;
}

static void hear_text(wire *w, slice text)
{
    w->heard++;
    if (w->fleet->ear != NULL) w->fleet->ear(w->fleet->context, w, text);
}

static void hear_data(wire *w, bool last, unsigned opcode, slice payload)
{
    bool whole = last && opcode != OP_CONTINUATION;

    if (whole) {
        hear_text(w, payload);
        return;
    }
    bytes_add(&w->message, payload.at, payload.len);
    if (!last) return;

    /* Taken out first: the callback may lose this connection. */
    bytes message = w->message;
    w->message = (bytes){ 0 };
    hear_text(w, (slice){ message.at, message.len });
    free(message.at);
}

typedef struct frame {
    bool last;
    unsigned opcode;
    slice payload;
} frame;

/* Reads one frame off the front; returns its bytes, 0 when it is not all there. */
static size_t next_frame(slice in, frame *out)
{
    const unsigned char *b = (const unsigned char *)in.at;
    size_t head = 2;
    uint64_t len;

    if (in.len < 2) return 0;
    len = b[1] & 127;
    if (len == 126) head = 4;
    if (len == 127) head = 10;
    if (in.len < head) return 0;
    if (head > 2) {
        len = 0;
        for (size_t i = 2; i < head; i++) len = len << 8 | b[i];
    }
    if (in.len - head < len) return 0;
    *out = (frame){ (b[0] & 0x80) != 0, b[0] & 15u, { in.at + head, (size_t)len } };
    return head + (size_t)len;
}

static void hear_frame(wire *w, const frame *f)
{
    switch (f->opcode) {
    case OP_CONTINUATION:
    case OP_TEXT:
        hear_data(w, f->last, f->opcode, f->payload);
        break;
    case OP_PING:
        say(w, OP_PONG, f->payload);
        break;
    case OP_CLOSE:
        lose(w);
        break;
    default:
        break;
    }
}

/* Handles what has arrived entirely; returns how much that was. */
static size_t hear(wire *w, slice in)
{
    size_t used = 0;

    if (w->state == WIRE_OPENING && !hear_handshake(w, in, &used)) lose(w);
    while (w->state == WIRE_OPEN) {
        frame f;
        size_t n = next_frame((slice){ in.at + used, in.len - used }, &f);
        if (n == 0) break;
        used += n;
        hear_frame(w, &f);
    }
    return used;
}

static ssize_t receive(wire *w, char *at, size_t room)
{
    ssize_t n = recv(w->fd, at, room, 0);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) lose(w);
    return n;
}

/* A connection that holds nothing back reads into a buffer that all share. */
static void read_shared(wire *w)
{
    char *at = w->fleet->shared;
    ssize_t n = receive(w, at, SHARED_BYTES);

    if (n <= 0) return;
    size_t used = hear(w, (slice){ at, (size_t)n });
    if (w->state != WIRE_GONE && used < (size_t)n) bytes_add(&w->held, at + used, (size_t)n - used);
}

static void read_held(wire *w)
{
    ssize_t n = receive(w, bytes_room(&w->held, KEEP_BYTES), KEEP_BYTES);

    if (n <= 0) return;
    w->held.len += (size_t)n;
    size_t used = hear(w, (slice){ w->held.at, w->held.len });
    if (w->state == WIRE_GONE) return;
    w->held.len -= used;
    memmove(w->held.at, w->held.at + used, w->held.len);
    if (w->held.len == 0) bytes_clear(&w->held);
}

static void handle(wire *w, uint32_t events)
{
    if (w->state != WIRE_GONE && (events & EPOLLOUT)) flush(w);
    if (w->state == WIRE_GONE || !(events & ~(uint32_t)EPOLLOUT)) return;
    if (w->held.len == 0) {
        read_shared(w);
    } else {
        read_held(w);
    }
}

void fleet_turn(fleet *f, int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];

    flush_all(f);
    int n = epoll_wait(f->epoll, events, EVENTS_MAX, timeout_ms);
    for (int i = 0; i < n; i++) handle(&f->wires[events[i].data.u32], events[i].events);
    flush_all(f);
}

/* --- opening --- */

/* Source addresses take turns. The port is chosen at connect(), when the kernel
 * knows the whole pair: chosen at bind(), ports run out at 28,000 for all. */
static bool bind_source(const fleet *f, int fd, uint32_t index)
{
    int on = 1;
    struct sockaddr_in from = { .sin_family = AF_INET };

    if (f->options.sources == 0) return true;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + index % f->options.sources);
    return setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0 &&
           bind(fd, (struct sockaddr *)&from, sizeof from) == 0;
}

static bool begin(fleet *f, wire *w)
{
    int on = 1;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(f->options.port) };
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.u32 = w->index };
    char request[512];

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!bind_source(f, w->fd, w->index)) return false;
    if (connect(w->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        return false;

    int n = snprintf(
        request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
        f->options.path, f->options.port, REQUEST_KEY);
    bytes_add(&w->out, request, (size_t)n);
    w->wants_write = true;
    return epoll_ctl(f->epoll, EPOLL_CTL_ADD, w->fd, &e) == 0;
}

static bool open_one(fleet *f)
{
    if (f->size == f->options.wires_max) return false;

    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;

    wire *w = &f->wires[f->size];
    *w = (wire){ .fleet = f, .fd = fd, .index = f->size };
    f->size++;
    f->opening++;
    if (begin(f, w)) return true;
    lose(w);
    return false;
}

bool fleet_open(fleet *f, uint32_t count, int timeout_ms)
{
    uint64_t until = clock_ns() + (uint64_t)timeout_ms * 1000000u;
    uint32_t wanted = f->size + count, before = f->living;

    while (f->size < wanted || f->opening > 0) {
        while (f->size < wanted && f->opening < OPENING_MAX)
            if (!open_one(f)) return false;
        fleet_turn(f, 100);
        if (clock_ns() > until) return false;
    }
    return f->living - before == count;
}

fleet *fleet_new(const fleet_options *options)
{
    fleet *f = calloc(1, sizeof *f);

    if (f == NULL) return NULL;
    f->options = *options;
    f->chance = clock_ns() | 1;
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    f->wires = calloc(options->wires_max, sizeof *f->wires);
    f->dirty = calloc(options->wires_max, sizeof *f->dirty);
    f->shared = malloc(SHARED_BYTES);
    if (f->epoll < 0 || f->wires == NULL || f->dirty == NULL || f->shared == NULL) {
        fleet_free(f);
        return NULL;
    }
    return f;
}

void fleet_free(fleet *f)
{
    if (f == NULL) return;
    for (uint32_t i = 0; i < f->size; i++) lose(&f->wires[i]);
    if (f->epoll >= 0) close(f->epoll);
    free(f->wires);
    free(f->dirty);
    free(f->shared);
    free(f);
}

/* --- asking --- */

void fleet_listen(fleet *f, fleet_ear *ear, void *context)
{
    f->ear = ear;
    f->context = context;
}

uint32_t fleet_size(const fleet *f)
{
    return f->size;
}

uint32_t fleet_living(const fleet *f)
{
    return f->living;
}

wire *fleet_wire(fleet *f, uint32_t index)
{
    return &f->wires[index];
}

uint32_t wire_index(const wire *w)
{
    return w->index;
}

bool wire_living(const wire *w)
{
    return w->state == WIRE_OPEN;
}

uint64_t wire_heard(const wire *w)
{
    return w->heard;
}
