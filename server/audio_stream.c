/* audio_stream.c - see audio_stream.h. */
#include "server/audio_stream.h"

#include "core/base64.h"
#include "core/json.h"
#include "server/unseal.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>

enum {
    PIECE_BYTES = 64 * 1024,  /* of one write: transport.c hands on as much in one go */
    SHARE_BYTES = 128 * 1024, /* of a stream in a turn */
    TURN_BYTES = 1024 * 1024, /* of all: a millisecond or two of reading, checking, sending */
    TURN_LOOKS = 1000,        /* likewise: 1 to 2 us each */
    QUIET_BYTES = 64 * 1024,  /* of requests that a listener may send ahead */
    REST_MS = 100,            /* after so long without a step the socket is asked in each tick */
};

typedef enum phase { LOOKING, SAYING, SENDING, DYING } phase;

struct audio_stream {
    server *server;
    visitor *visitor;
    struct lws *wsi;
    phase phase;
    audio_answer answer;
    uint32_t look, look_end; /* chunks still to be looked for */
    status found;            /* of what was looked for */
    uint64_t at;             /* the next byte that is not in `chunk` */
    char *chunk;
    size_t chunk_at, chunk_len;
    int64_t moved_ms;
    bool is_ready, is_resting;
    TAILQ_ENTRY(audio_stream) ready, all;
};

/* ---- where bytes stand ---- */

uint64_t audio_answer_bytes(const audio_manifest *m, bool plain)
{
    uint64_t most = (uint64_t)m->preview * m->span;

    if (!plain) return audio_stored_total(m);
    return most < m->bytes ? most : m->bytes;
}

static uint32_t unit_of(const audio_stream *t)
{
    const audio_manifest *m = &t->answer.track->manifest;

    return t->answer.plain ? m->span : m->chunk;
}

/* ---- what comes from the listener meanwhile ---- */

/* libwebsockets does not read from a connection while it is being answered, and is
 * woken by what waits there in every turn; its flow control would stop the
 * answer as well. So the kernel is told to keep what is less than this to itself. */
static void hear_from(const audio_stream *t, int bytes)
{
    setsockopt(lws_get_socket_fd(t->wsi), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

/* What the socket is ready for: POLLIN, POLLOUT. More than the kernel keeps to itself, or
 * an end, wakes the loop all the same, and so does less when it has no room for more;
 * so it is the kernel that is asked. */
static short ask_socket(const audio_stream *t)
{
    struct pollfd socket = { .fd = lws_get_socket_fd(t->wsi), .events = POLLIN | POLLOUT };

    return poll(&socket, 1, 0) == 1 ? socket.revents : 0;
}

/* Requests that came along with the one that is answered are in libwebsockets already, or in
 * OpenSSL: it looks at them in every turn, and lets none end in sleep. Flow control
 * keeps it from that, but then it does not hear that the socket takes more; so this is
 * for a stream that stands still, and its socket is asked until it does. */
static void rest(audio_stream *t)
{
    if (!t->is_resting) lws_rx_flow_control(t->wsi, 0);
    t->is_resting = true;
}

static void stop_resting(audio_stream *t)
{
    if (!t->is_resting) return;
    t->is_resting = false;
    lws_rx_flow_control(t->wsi, 1);
    lws_callback_on_writable(t->wsi);
}

/* ---- the queue ---- */

static void queue(audio_stream *t)
{
    if (t->is_ready) return;
    TAILQ_INSERT_TAIL(&t->server->streams_ready, t, ready);
    t->is_ready = true;
}

static void leave_queue(audio_stream *t)
{
    if (t->is_ready) TAILQ_REMOVE(&t->server->streams_ready, t, ready);
    t->is_ready = false;
}

void audio_stream_end(audio_stream *t)
{
    if (t == NULL) return;
    if (t->phase == SENDING && (t->at < t->answer.end || t->chunk_at < t->chunk_len))
        t->server->counts.audio_aborted++;
    leave_queue(t);
    TAILQ_REMOVE(&t->server->streams, t, all);
    t->server->stream_count--;
    t->visitor->stream = NULL;
    audio_release(t->server->audio, t->answer.track);
    free(t->chunk);
    free(t);
}

/* Not from a callback of its own connection, which would be returned into. */
static void cut(audio_stream *t)
{
    leave_queue(t);
    t->server->counts.audio_aborted++;
    t->phase = DYING;
    lws_set_timeout(t->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    lws_cancel_service(t->server->context);
}

/* libwebsockets would give a request 20 s, and a song is longer: here only who takes
 * nothing is cut. */
static void be_patient(audio_stream *t)
{
    lws_set_timeout(t->wsi, NO_PENDING_TIMEOUT, 0);
}

/* ---- beginning ---- */

static int refuse(server *s, visitor *v, struct lws *wsi, audio_track *track)
{
    reply r = { .head = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0 };

    audio_release(s->audio, track);
    s->counts.audio_crowded++;
    reply_say(&r, 503, "too many listen at this moment; come again\n");
    return reply_send(s, v, wsi, &r);
}

static audio_stream *make(server *s, visitor *v, struct lws *wsi, const audio_answer *answer)
{
    audio_stream *t = calloc(1, sizeof *t);

    if (t == NULL) return NULL;
    *t = (audio_stream){ .server = s, .visitor = v, .wsi = wsi, .answer = *answer };
    t->answer.reply.etag = t->answer.etag;
    t->answer.reply.type = t->answer.type;
    t->answer.reply.more = t->answer.more;
    t->at = answer->first;
    t->moved_ms = s->now.steady_ms;
    TAILQ_INSERT_TAIL(&s->streams, t, all);
    s->stream_count++;
    v->stream = t;
    return t;
}

int audio_stream_begin(server *s, visitor *v, struct lws *wsi, const audio_answer *answer)
{
    audio_stream *t = NULL;
    uint32_t unit;

    assert(v->stream == NULL);
    if (s->stream_count < s->limits.audio_streams_max) t = make(s, v, wsi, answer);
    if (t == NULL) return refuse(s, v, wsi, answer->track);
    unit = unit_of(t);
    if (answer->bitmap) {
        t->look_end = answer->track->manifest.count;
    } else {
        t->look = (uint32_t)(answer->first / unit);
        t->look_end = (uint32_t)((answer->end + unit - 1) / unit);
    }
    hear_from(t, QUIET_BYTES);
    queue(t);
    return 0;
}

/* ---- saying ---- */

static int say(audio_stream *t, reply *r)
{
    int result;

    hear_from(t, 1);
    result = reply_send(t->server, t->visitor, t->wsi, r);
    audio_stream_end(t);
    return result;
}

static int say_trouble(audio_stream *t)
{
    reply r = { .head = t->answer.reply.head };

    switch (t->found) {
    case STATUS_NOT_FOUND:
        reply_say(&r, 404, "not all of what is asked for is here yet; /have says what is\n");
        break;
    case STATUS_CORRUPT:
        reply_say(&r, 500, "what is asked for was damaged\n");
        break;
    default:
        reply_say(&r, 500, "it could not be read\n");
        break;
    }
    return say(t, &r);
}

static char *print_bitmap(const audio_track *t, size_t *len)
{
    const audio_manifest *m = &t->manifest;
    char root[AUDIO_ROOT], key[BASE64_LEN_32], *out = NULL;
    text bits = { 0 };
    FILE *to;

    json_print_base64(&bits, (slice){ (const char *)t->present, audio_bitmap_bytes(m->count) });
    audio_hex(m->root, root);
    base64_print32(t->hash, key);
    to = text_ok(&bits) ? open_memstream(&out, len) : NULL;
    if (to != NULL) {
        fprintf(to,
                "{\"root\":\"%.64s\",\"manifest\":\"%.44s\",\"bytes\":%" PRIu64
                ",\"chunk\":%" PRIu32 ",\"n\":%" PRIu32 ",\"have\":%" PRIu32 ",\"bitmap\":%.*s}\n",
                root, key, m->bytes, m->chunk, m->count, t->present_count, (int)bits.len, bits.at);
        if (fclose(to) != 0) *len = 0;
    }
    text_free(&bits);
    return out;
}

static int say_bitmap(audio_stream *t)
{
    reply r = { .code = 200, .type = "application/json", .head = t->answer.reply.head };
    size_t len = 0;

    audio_rely(t->server->audio, t->answer.track);
    r.owned = print_bitmap(t->answer.track, &len);
    r.body = (slice){ r.owned, len };
    if (len == 0) reply_say(&r, 500, "out of memory\n");
    return say(t, &r);
}

/* ---- sending ---- */

/* Reads the chunk in which the next byte stands; what was asked of it is at hand. */
static status load(audio_stream *t)
{
    const audio_manifest *m = &t->answer.track->manifest;
    uint32_t unit = unit_of(t), index = (uint32_t)(t->at / unit);
    uint64_t before = (uint64_t)index * unit;
    slice bytes;
    status s = audio_chunk(t->server->audio, t->answer.track, index, &bytes);

    if (s != STATUS_OK) return s;
    if (t->chunk == NULL) t->chunk = malloc(m->chunk);
    if (t->chunk == NULL) return STATUS_NO_MEMORY;
    if (!t->answer.plain)
        memcpy(t->chunk, bytes.at, bytes.len);
    else if ((s = unseal(m->preview_key, index, bytes, t->chunk)) == STATUS_OK)
        bytes.len -= UNSEAL_TAG;
    t->chunk_at = (size_t)(t->at - before);
    t->chunk_len =
        t->answer.end - before < bytes.len ? (size_t)(t->answer.end - before) : bytes.len;
    if (s == STATUS_OK) t->at = before + t->chunk_len;
    return s;
}

static bool is_sent(const audio_stream *t)
{
    return t->at == t->answer.end && t->chunk_at == t->chunk_len;
}

/* The first chunk is read before anything is said: what cannot be read at all has a
 * status of its own. */
static int say_header(audio_stream *t)
{
    reply *r = &t->answer.reply;
    server_counts *counts = &t->server->counts;

    r->length = t->answer.end - t->answer.first;
    if (r->head) return say(t, r);
    t->found = load(t);
    if (t->found != STATUS_OK) return say_trouble(t);
    counts->audio_responses++;
    if (r->code == 206) counts->audio_ranges++;
    if (!reply_begin(t->server, t->wsi, r)) return -1;
    be_patient(t);
    t->phase = SENDING;
    queue(t);
    return 0;
}

int audio_stream_writable(audio_stream *t)
{
    server *s = t->server;
    visitor *v = t->visitor;
    struct lws *wsi = t->wsi;

    t->moved_ms = s->now.steady_ms;
    if (t->phase == SENDING && is_sent(t)) {
        hear_from(t, 1);
        audio_stream_end(t);
        return reply_finish(v, wsi, false);
    }
    if (t->phase == SENDING) queue(t);
    if (t->phase != SAYING) return 0;
    if (t->found != STATUS_OK) return say_trouble(t);
    return t->answer.bitmap ? say_bitmap(t) : say_header(t);
}

/* ---- the turn ---- */

static void look(audio_stream *t, uint32_t *looks)
{
    audio_presence p;

    if (t->answer.bitmap)
        p = audio_look_all(t->server->audio, t->answer.track, &t->look, looks) ? AUDIO_ALL
                                                                               : AUDIO_MORE;
    else
        p = audio_look(t->server->audio, t->answer.track, &t->look, t->look_end, looks);
    if (p == AUDIO_MORE) {
        queue(t);
        return;
    }
    t->found = p == AUDIO_ALL ? STATUS_OK : STATUS_NOT_FOUND;
    t->phase = SAYING;
    lws_callback_on_writable(t->wsi);
}

/* One write; false when the stream was cut. */
static bool send_piece(audio_stream *t, size_t *sent)
{
    size_t len;

    if (t->chunk_at == t->chunk_len && load(t) != STATUS_OK) {
        cut(t);
        return false;
    }
    len = t->chunk_len - t->chunk_at;
    if (len > PIECE_BYTES) len = PIECE_BYTES;
    t->chunk_at += len;
    if (lws_write(t->wsi, (unsigned char *)t->chunk + t->chunk_at - len, len,
                  is_sent(t) ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0) {
        cut(t);
        return false;
    }
    *sent += len;
    t->server->counts.audio_bytes += len;
    return true;
}

static size_t send_share(audio_stream *t)
{
    size_t sent = 0;

    while (sent < SHARE_BYTES && !is_sent(t) && !lws_partial_buffered(t->wsi))
        if (!send_piece(t, &sent)) return sent;
    t->moved_ms = t->server->now.steady_ms;
    lws_callback_on_writable(t->wsi);
    return sent;
}

void audio_streams_turn(server *s)
{
    size_t bytes = 0;
    uint32_t looks = TURN_LOOKS;
    audio_stream *t;

    while (bytes < TURN_BYTES && looks > 0 && (t = TAILQ_FIRST(&s->streams_ready)) != NULL) {
        leave_queue(t);
        if (t->phase == LOOKING)
            look(t, &looks);
        else
            bytes += send_share(t);
    }
}

bool audio_streams_wait(const server *s)
{
    return !TAILQ_EMPTY(&s->streams_ready);
}

/* One that takes nothing. */
static void tick(audio_stream *t, int64_t since_ms)
{
    short socket = ask_socket(t);

    be_patient(t);
    if (since_ms >= t->server->limits.audio_stalled_ms ||
        (since_ms >= t->server->limits.audio_pause_ms && (socket & POLLIN) != 0)) {
        t->server->counts.audio_stalled++;
        cut(t);
    } else if ((socket & POLLOUT) != 0) {
        stop_resting(t);
    } else {
        rest(t);
    }
}

void audio_streams_tick(server *s)
{
    audio_stream *t;

    TAILQ_FOREACH(t, &s->streams, all)
    {
        int64_t since_ms = s->now.steady_ms - t->moved_ms;

        if (!t->is_ready && t->phase != DYING && since_ms >= REST_MS) tick(t, since_ms);
    }
}
