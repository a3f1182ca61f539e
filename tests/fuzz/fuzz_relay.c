/* fuzz_relay.c - a whole relay over a graph in memory, three peers, small limits.
 *
 * The input is lines. The first byte says what a line is:
 *
 *   0 1 2   the peer of that number says the rest of the line, as one frame
 *   d N     peer N reads all that waits for it
 *   x N     peer N leaves and joins again
 *   w N     peer N sends what is no text frame
 *   t C     time passes, the more the greater C
 *   n       time passes until there is something to do
 *   s f     what was written becomes durable, or fails
 *   v N     the Nth of the checks that are out is run and comes back
 *
 * When the first line is a v, signatures and hashes are verified by a pool, that is,
 * at such a line or never; else at once.
 *
 * Whatever is said, the relay sends messages that are JSON, whole and one after
 * the other, and nothing is left behind when all have gone.
 */
#include "core/graph_memory.h"
#include "core/relay.h"
#include "tests/fuzz/fuzz.h"

enum { PEERS = 3, LINES_MOST = 200, SENT_MOST = 100000 };

typedef struct table {
    graph_memory *memory;
    relay *r;
    relay_peer *peers[PEERS];
    text reading[PEERS]; /* a message that has not ended yet */
    check *out;          /* with the pool, the youngest first */
    moment now;
} table;

/* So small that a few frames reach them. */
static relay_limits small_limits(void)
{
    relay_limits l = relay_default_limits();

    l.message_bytes_max = 4096;
    l.name_bytes_max = 128;
    l.id_bytes_max = 32;
    l.put_keys_max = 24;
    l.put_slice_keys = 3;
    l.outbox_bytes_max = 2000;
    l.marks_max = 4;
    l.answers_max = 4;
    l.interests_max = 4;
    l.held_max = 3;
    l.ahead_messages = 3;
    l.ahead_bytes = 12000;
    l.answer_bytes = 600;
    l.snapshot_bytes = 300;
    l.fragment_bytes = 100;
    l.lex_keys_max = 5;
    l.lex_souls_max = 3;
    l.misses_max = 4;
    l.walk_bytes_max = 4000;
    l.suspended_bytes_max = 40000;
    l.fleeting_bytes_max = 4000;
    l.interests_total = 8;
    l.keepsakes_max = 2;
    l.keepsake_rows_max = 3;
    l.keepsake_rows_total = 4;
    l.routes = 8;
    return l;
}

/* Cheap, and good for every other input, so that both ways are gone. */
static void fake_sha256(void *context, slice bytes, uint8_t out[SEA_DIGEST_BYTES])
{
    (void)context;
    memset(out, 0, SEA_DIGEST_BYTES);
    for (size_t i = 0; i < bytes.len; ++i)
        out[i % SEA_DIGEST_BYTES] = (uint8_t)(out[i % SEA_DIGEST_BYTES] * 31 + bytes.at[i]);
}

static bool fake_verify(void *context, const uint8_t key[SEA_KEY_BYTES],
                        const uint8_t digest[SEA_DIGEST_BYTES],
                        const uint8_t signature[SEA_SIGNATURE_BYTES])
{
    (void)context;
    return ((key[0] ^ digest[0] ^ signature[0]) & 1) == 0;
}

static const sea_crypto fake_crypto = { NULL, fake_sha256, fake_verify };

static void submit(void *context, check *c)
{
    table *t = context;

    c->next = t->out;
    t->out = c;
}

/* The peer it is for may have left. */
static void give_back(table *t, slice line)
{
    check **at = &t->out, *c;

    for (int n = line.len > 1 ? (unsigned char)line.at[1] % 16 : 0; n > 0 && *at != NULL; --n)
        if ((*at)->next != NULL) at = &(*at)->next;
    c = *at;
    if (c == NULL) return;
    *at = c->next;
    check_run(c, &fake_crypto);
    relay_checked(t->r, c, t->now);
}

static void lay(table *t, bool pooled)
{
    graph_memory_options memory = {
        .secret = { 1 }, .bytes_max = 1 << 16, .held_max = 4, .delayed = true
    };

    *t = (table){ .now = { 1000000, 5000 } };
    must(graph_memory_new(&t->memory, &memory) == STATUS_OK);
    relay_options options = { .limits = small_limits(),
                              .store = graph_memory_table(t->memory),
                              .crypto = &fake_crypto,
                              .pool = { t, pooled ? submit : NULL },
                              .secret = { 2 },
                              .pid = SLICE("relay"),
                              .list_souls = true };
    must(relay_new(&t->r, &options) == STATUS_OK);
    for (int i = 0; i < PEERS; ++i) {
        must(relay_join(t->r, &t->peers[i], &t->peers[i], t->now) == STATUS_OK);
    }
}

static void clear(table *t)
{
    for (int i = 0; i < PEERS; ++i) text_free(&t->reading[i]);
    /* The last peer is still there, and maybe some checks are out: relay_free() takes
     * them, too. */
    for (int i = 0; i < PEERS - 1; ++i) relay_leave(t->r, t->peers[i], t->now);
    relay_free(t->r);
    graph_memory_free(t->memory);
}

static void rejoin(table *t, int i)
{
    relay_leave(t->r, t->peers[i], t->now);
    text_reset(&t->reading[i], 1 << 16);
    must(relay_join(t->r, &t->peers[i], &t->peers[i], t->now) == STATUS_OK);
}

static void drain(table *t, int i)
{
    relay_piece piece;

    for (int n = 0; relay_next(t->r, t->peers[i], &piece, t->now); ++n) {
        must(n < SENT_MOST);
        must(piece.first == (t->reading[i].len == 0));
        memset(piece.at - RELAY_HEADROOM, 0, RELAY_HEADROOM);
        text_add(&t->reading[i], (slice){ piece.at, piece.len });
        bool last = piece.last;
        relay_sent(t->r, t->peers[i], t->now);
        if (!last) continue;
        must(json_check(text_slice(&t->reading[i]), 32) == STATUS_OK);
        text_reset(&t->reading[i], 1 << 16);
    }
}

static void hear(table *t, int i, slice frame)
{
    if (relay_reading(t->peers[i])) relay_hear(t->r, t->peers[i], frame, t->now);
}

static void pass_time(table *t, slice line)
{
    int64_t n = line.len > 1 ? (unsigned char)line.at[1] : 1, ms = n * n * n / 64 + 1;

    t->now.steady_ms += ms;
    t->now.wall_ms += (double)ms;
}

/* Until what relay_due_ms() says, as a loop that sleeps would do. */
static void pass_time_until_due(table *t)
{
    int64_t due = relay_due_ms(t->r, t->now), ms = due - t->now.steady_ms;

    if (due == INT64_MAX || ms <= 0 || ms > 1000 * 1000) return;
    t->now.steady_ms += ms;
    t->now.wall_ms += (double)ms;
}

static void measure(table *t)
{
    relay_gauges g;

    relay_measure(t->r, &g);
    must(g.peers == PEERS);
    must(g.interests <= small_limits().interests_total);
    must(g.keepsakes <= small_limits().keepsakes_max);
    must(g.misses <= small_limits().misses_max);
}

static void turn(table *t)
{
    relay_turn(t->r, t->now);
    for (relay_peer *p = relay_ready(t->r); p != NULL; p = relay_ready(t->r)) {
        relay_peer **place = relay_owner(p);
        must(*place == p);
        if (relay_closing(p) != 0) rejoin(t, (int)(place - t->peers));
    }
    measure(t);
}

static void run_line(table *t, slice line)
{
    int peer = line.len > 1 ? (unsigned char)line.at[1] % PEERS : 0;

    switch (line.at[0]) {
    case '0':
    case '1':
    case '2':
        hear(t, line.at[0] - '0', (slice){ line.at + 1, line.len - 1 });
        break;
    case 'd':
        drain(t, peer);
        break;
    case 'x':
        rejoin(t, peer);
        break;
    case 'w':
        relay_scold(t->r, t->peers[peer], SLICE("binary: frames are text"), t->now);
        break;
    case 't':
        pass_time(t, line);
        break;
    case 'n':
        pass_time_until_due(t);
        break;
    case 's':
        graph_memory_sync(t->memory);
        break;
    case 'v':
        give_back(t, line);
        break;
    case 'f':
        graph_memory_fail(t->memory, STATUS_IO);
        break;
    default:
        break;
    }
    turn(t);
}

static size_t line_end(const char *p, size_t len)
{
    const char *end = memchr(p, '\n', len);

    return end == NULL ? len : (size_t)(end - p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    table t;

    lay(&t, size > 0 && data[0] == 'v');
    for (int n = 0; size > 0 && n < LINES_MOST; ++n) {
        size_t len = line_end(p, size), step = len < size ? len + 1 : len;

        if (len > 0) run_line(&t, (slice){ p, len });
        p += step;
        size -= step;
    }
    for (int i = 0; i < PEERS; ++i) drain(&t, i);
    clear(&t);
    return 0;
}
