/* upload.c - see upload.h. */
#include "server/upload.h"

#include "core/base64.h"
#include "core/json.h"
#include "core/utf16.h"
#include "radisk/raw.h"
#include "radisk/space.h"
#include "server/quota.h"
#include "server/upload_note.h"
#include "server/upload_part.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MANIFEST_MAX = 1 << 20,   /* bytes of a manifest, or of a part of one */
    MANIFEST_ROOM = 16 << 20, /* to take one apart */
    UNSAFE_MAX = 4 << 20,     /* bytes of all files that are kept and not yet on the disk */
    WORDS_MAX = 512,
    STAGE_RANDOM = 8,
    STAGE_MAX = sizeof "audio/upload-#" + 2 * STAGE_RANDOM,
};

typedef enum upload_kind { UPLOAD_FILE, UPLOAD_MANIFEST, UPLOAD_CHUNK } upload_kind;

typedef enum phase {
    PHASE_HEAR,
    PHASE_KEEP,     /* a chunk is there, and has to be kept */
    PHASE_NODES,    /* the nodes of the track */
    PHASE_PARTS,    /* of its manifest */
    PHASE_MANIFEST, /* or whatever is the one text to be kept */
    PHASE_NOTE,     /* its title */
    PHASE_SYNC,
    PHASE_OVER,
} phase;

struct upload {
    server *server;
    upload_kind kind;
    bool trusted;
    const gate_person *person;
    bool is_busy; /* the store took nothing */
    bool is_news; /* something was not known here */
    bool holds;   /* until what was kept is safe */
    size_t unsafe;
    phase phase;
    int code;
    char words[WORDS_MAX];

    uint64_t bytes, had; /* of all that comes */
    char *chunk;         /* what has come of the chunk, or of the manifest */
    size_t chunk_len, chunk_size;
    text value; /* as it is kept */
    graph_ticket ticket;

    char stage[STAGE_MAX]; /* the soul where chunks are until their track has a name */
    upload_note note;
    audio_manifest m;
    char mime[AUDIO_TYPE_MAX];
    uint8_t *hashes;
    size_t hashes_room;
    EVP_MD_CTX *sha256;
    bool has_wanted;
    uint8_t wanted[AUDIO_HASH];
    uint32_t next; /* node or part */
    text *parts;
    size_t part_count, part_room;
    text manifest;
    uint8_t manifest_hash[AUDIO_HASH];
    uint32_t index;           /* of an uploaded chunk */
    uint8_t hash[AUDIO_HASH]; /* of what is kept next */
};

/* --- how it ends --- */

static void end(upload *u, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void end(upload *u, int code, const char *format, ...)
{
    va_list arguments;

    u->phase = PHASE_OVER;
    u->code = code;
    va_start(arguments, format);
    (void)vsnprintf(u->words, sizeof u->words, format, arguments);
    va_end(arguments);
}

/* Words for a store's refusal. */
static void refuse(upload *u, status why)
{
    if (why == STATUS_NO_SPACE)
        end(u, 507, "full: the store has no room; what was uploaded so far stays");
    else if (why == STATUS_NO_MEMORY)
        end(u, 503, "busy: out of memory");
    else
        end(u, 503, "disk: the store failed; what was uploaded so far may stay");
}

void upload_stop(upload *u)
{
    if (u->phase != PHASE_OVER)
        end(u, 503, "busy: the relay is stopping; what was uploaded so far stays");
}

upload_state upload_now(const upload *u)
{
    if (u->phase == PHASE_OVER) return u->code < 300 ? UPLOAD_DONE : UPLOAD_FAILED;
    if (u->phase == PHASE_HEAR) return u->holds ? UPLOAD_WAITS : UPLOAD_HEARS;
    return u->is_busy || u->phase == PHASE_SYNC ? UPLOAD_WAITS : UPLOAD_WORKS;
}

int upload_code(const upload *u)
{
    return u->code;
}

const char *upload_words(const upload *u)
{
    return u->words;
}

/* --- beginnings --- */

static const sea_crypto *crypto_of(const upload *u)
{
    return crypto_table(u->server->crypto);
}

/* Whether the quota of values under content hashes has room for so many bytes. */
static bool has_room(const upload *u, uint64_t bytes)
{
    uint64_t most = u->server->options->hash_bytes;

    return u->trusted || most == 0 || radisk_hashed_bytes(u->server->store) + bytes / 3 * 4 <= most;
}

static void refuse_quota(upload *u)
{
    end(u, 507, "quota: the relay has no room for more data under hashes");
}

static upload *begin(server *s, upload_kind kind, bool trusted, uint64_t bytes, size_t chunk_size)
{
    upload *u = calloc(1, sizeof *u);

    if (u == NULL) return NULL;
    u->server = s;
    u->kind = kind;
    u->trusted = trusted;
    u->bytes = bytes;
    u->chunk_size = chunk_size;
    u->chunk = malloc(chunk_size);
    if (u->chunk == NULL) {
        upload_free(u);
        return NULL;
    }
    if (bytes == 0)
        end(u, 400, "empty: there is nothing to keep");
    else if (!has_room(u, bytes))
        refuse_quota(u);
    return u;
}

/* Its chunks have a place of their own: under "#", where they would be found just as
 * well, people keep what is theirs. */
static void name_stage(upload *u)
{
    unsigned char random[STAGE_RANDOM];
    char hex[2 * STAGE_RANDOM + 1];

    randombytes_buf(random, sizeof random);
    sodium_bin2hex(hex, sizeof hex, random, sizeof random);
    (void)snprintf(u->stage, sizeof u->stage, "audio/upload-%s#", hex);
}

static slice stage_of(const upload *u)
{
    return (slice){ u->stage, strlen(u->stage) };
}

upload *upload_new_file(server *s, bool trusted, uint64_t bytes, slice mime, const uint8_t *sha256)
{
    uint32_t size = audio_chunk_bytes(bytes);
    uint64_t most = s->options->audio.chunks_max;
    upload *u = begin(s, UPLOAD_FILE, trusted, bytes, size);

    if (u == NULL || u->phase == PHASE_OVER) return u;
    if (most > AUDIO_CHUNKS_MAX) most = AUDIO_CHUNKS_MAX;
    if (mime.len > sizeof u->mime || bytes > most * size) {
        end(u, 413, "limit: the file is too large, or its type too long");
        return u;
    }
    name_stage(u);
    memcpy(u->mime, mime.at, mime.len);
    u->m = (audio_manifest){ .mime = { u->mime, mime.len },
                             .bytes = bytes,
                             .chunk = size,
                             .span = size,
                             .count = (uint32_t)((bytes + size - 1) / size),
                             .has_sha256 = true };
    u->has_wanted = sha256 != NULL;
    if (sha256 != NULL) memcpy(u->wanted, sha256, AUDIO_HASH);
    u->hashes = malloc((size_t)u->m.count * AUDIO_HASH);
    u->sha256 = EVP_MD_CTX_new();
    if (u->hashes == NULL || u->sha256 == NULL ||
        EVP_DigestInit_ex(u->sha256, EVP_sha256(), NULL) != 1) {
        upload_free(u);
        return NULL;
    }
    return u;
}

upload *upload_new_manifest(server *s, bool trusted, const uint8_t root[static AUDIO_HASH],
                            uint64_t bytes)
{
    upload *u =
        begin(s, UPLOAD_MANIFEST, trusted, bytes, bytes <= MANIFEST_MAX ? (size_t)bytes + 1 : 1);

    if (u == NULL || u->phase == PHASE_OVER) return u;
    memcpy(u->m.root, root, AUDIO_HASH);
    if (bytes > MANIFEST_MAX) end(u, 413, "limit: no manifest is so large");
    return u;
}

upload *upload_new_chunk(server *s, bool trusted, const audio_manifest *manifest, uint32_t index,
                         uint64_t bytes)
{
    bool fits = index < manifest->count && bytes == audio_stored_bytes(manifest, index);
    upload *u = begin(s, UPLOAD_CHUNK, trusted, bytes, fits ? (size_t)bytes : 1);

    if (u == NULL || u->phase == PHASE_OVER) return u;
    memcpy(u->m.root, manifest->root, AUDIO_HASH);
    u->index = index;
    if (index >= manifest->count)
        end(u, 404, "chunk: the manifest has %u chunks", manifest->count);
    else if (!fits)
        end(u, 422, "chunk: it has to be %u bytes", audio_stored_bytes(manifest, index));
    else
        memcpy(u->hash, manifest->hashes + (size_t)index * AUDIO_HASH, AUDIO_HASH);
    return u;
}

void upload_tell(upload *u, slice title, slice artist)
{
    upload_note_read(&u->note, title, artist);
}

void upload_charge(upload *u, const gate_person *person)
{
    u->person = person;
}

void upload_free(upload *u)
{
    if (u == NULL) return;
    upload_note_free(&u->note);
    for (size_t i = 0; i < u->part_count; i++) text_free(&u->parts[i]);
    free(u->parts);
    text_free(&u->manifest);
    text_free(&u->value);
    EVP_MD_CTX_free(u->sha256);
    free(u->hashes);
    free(u->chunk);
    free(u);
}

/* --- keeping --- */

/* False: it waits, or is over. State 1: that of a content hash means nothing. */
static bool keep(upload *u, slice soul, slice key)
{
    graph_write w = { .soul = soul, .key = key, .value = text_slice(&u->value), .state = 1 };
    graph_ticket ticket;
    status s;

    if (!text_ok(&u->value)) {
        refuse(u, STATUS_NO_MEMORY);
        return false;
    }
    s = relay_write(u->server->relay, &w, 1, u->server->now, &ticket);
    if (s == STATUS_OK) {
        u->ticket = graph_both(u->ticket, ticket);
        quota_note(u->server, w.verdict == HAM_TAKE ? u->person : NULL, soul);
        if (w.verdict == HAM_TAKE && !slice_equal(soul, stage_of(u))) u->is_news = true;
    }
    u->is_busy = s == STATUS_BUSY;
    if (s != STATUS_OK && s != STATUS_BUSY) refuse(u, s);
    return s == STATUS_OK;
}

/* Bytes as the value that stands for them; its memory is for all chunks. */
static void encode(upload *u, slice raw)
{
    text_reset(&u->value, SIZE_MAX);
    json_print_base64(&u->value, raw);
}

/* The hash of the string in u->value, which has no escapes. */
static void hash_value(const upload *u, uint8_t out[static AUDIO_HASH])
{
    const sea_crypto *c = crypto_of(u);

    c->sha256(c->context, (slice){ u->value.at + 1, u->value.len - 2 }, out);
}

/* --- a file --- */

static void keep_chunk(upload *u)
{
    uint8_t *hash = u->hashes + (size_t)u->next * AUDIO_HASH;
    char key[BASE64_LEN_32];

    base64_print32(hash, key);
    if (!keep(u, stage_of(u), (slice){ key, sizeof key })) return;
    u->unsafe += u->chunk_len;
    u->holds = u->unsafe >= UNSAFE_MAX / (u->server->upload_count + 1);
    u->chunk_len = 0;
    ++u->next;
    u->phase = PHASE_HEAR;
}

static void chunk_is_whole(upload *u)
{
    if (!has_room(u, u->chunk_len)) {
        refuse_quota(u);
        return;
    }
    encode(u, (slice){ u->chunk, u->chunk_len });
    if (text_ok(&u->value)) hash_value(u, u->hashes + (size_t)u->next * AUDIO_HASH);
    u->phase = PHASE_KEEP;
    keep_chunk(u);
}

static void file_is_whole(upload *u)
{
    unsigned len = 0;

    if (EVP_DigestFinal_ex(u->sha256, u->m.sha256, &len) != 1) {
        refuse(u, STATUS_NO_MEMORY);
    } else if (u->has_wanted && memcmp(u->wanted, u->m.sha256, AUDIO_HASH) != 0) {
        end(u, 422, "sha256: the file is not the one that was announced");
    } else {
        u->m.hashes = u->hashes;
        audio_root(crypto_of(u), u->hashes, u->m.count, u->m.root);
        u->next = 0;
        u->phase = PHASE_NODES;
    }
}

/* A very small chunk is found by its name only. */
static status read_chunk(upload *u, const uint8_t *hash, slice *out)
{
    status s = radisk_raw_by_hash(u->server->store, hash, out);
    char key[BASE64_LEN_32];

    if (s != STATUS_NOT_FOUND) return s;
    base64_print32(hash, key);
    return radisk_raw(u->server->store, stage_of(u), (slice){ key, sizeof key }, out);
}

static bool write_node(upload *u)
{
    const uint8_t *hash = u->hashes + (size_t)u->next * AUDIO_HASH;
    char soul[AUDIO_SOUL_MAX], key[AUDIO_KEY_MAX];
    size_t soul_len = audio_chunk_soul(soul, u->m.root, u->next);
    slice raw;
    status s = read_chunk(u, hash, &raw);

    if (s != STATUS_OK) {
        refuse(u, s);
        return false;
    }
    encode(u, raw);
    return keep(u, (slice){ soul, soul_len }, (slice){ key, audio_chunk_key(key, u->next, hash) });
}

static bool keep_part(void *context, slice part)
{
    upload *u = context;
    text *kept;

    if (u->part_count == u->part_room) {
        size_t room = u->part_room ? u->part_room * 2 : 8;
        text *more = realloc(u->parts, room * sizeof *more);
        if (more == NULL) return false;
        u->parts = more;
        u->part_room = room;
    }
    kept = &u->parts[u->part_count++];
    *kept = (text){ 0 };
    text_add(kept, part);
    return text_ok(kept);
}

static void describe(upload *u)
{
    if (audio_manifest_print(&u->manifest, &u->m, crypto_of(u), keep_part, u) != STATUS_OK) {
        refuse(u, STATUS_NO_MEMORY);
        return;
    }
    u->next = 0;
    u->phase = PHASE_PARTS;
}

static void write_nodes(upload *u, size_t *bytes)
{
    for (; *bytes > 0 && u->next < u->m.count; ++u->next) {
        if (!write_node(u)) return;
        *bytes -= *bytes < u->m.chunk ? *bytes : u->m.chunk;
    }
    if (u->next == u->m.count) describe(u);
}

/* --- manifests --- */

/* Keeps a text of UTF-8 under the soul of manifests, and its hash. */
static bool keep_text(upload *u, slice what, uint8_t hash[static AUDIO_HASH])
{
    const sea_crypto *c = crypto_of(u);
    char soul[AUDIO_SOUL_MAX], key[BASE64_LEN_32];
    size_t soul_len = audio_manifest_soul(soul, u->m.root);

    c->sha256(c->context, what, hash);
    base64_print32(hash, key);
    text_reset(&u->value, what.len);
    json_print_name(&u->value, what);
    return keep(u, (slice){ soul, soul_len }, (slice){ key, BASE64_LEN_32 });
}

static void write_parts(upload *u)
{
    uint8_t hash[AUDIO_HASH];

    for (; u->next < u->part_count; ++u->next)
        if (!keep_text(u, text_slice(&u->parts[u->next]), hash)) return;
    u->phase = PHASE_MANIFEST;
}

/* What the answer says; kept before it is safe, said after. */
static void describe_end(upload *u)
{
    char root[AUDIO_ROOT], key[BASE64_LEN_32], sha256[AUDIO_ROOT], more[AUDIO_ROOT + 64] = "";
    char track[UPLOAD_TRACK_MAX + 16] = "", soul[UPLOAD_TRACK_MAX];

    audio_hex(u->m.root, root);
    base64_print32(u->manifest_hash, key);
    audio_hex(u->m.sha256, sha256);
    if (u->kind == UPLOAD_FILE)
        (void)snprintf(more, sizeof more, ",\"bytes\":%llu,\"sha256\":\"%.*s\"",
                       (unsigned long long)u->bytes, AUDIO_ROOT, sha256);
    upload_note_soul(u->m.root, soul);
    if (upload_note_is_there(&u->note))
        (void)snprintf(track, sizeof track, ",\"track\":\"%.*s\"", UPLOAD_TRACK_MAX, soul);
    end(u, 201, "{\"root\":\"%.*s\",\"manifest\":\"%.*s\"%s%s}\n", AUDIO_ROOT, root, BASE64_LEN_32,
        key, more, track);
    u->phase = PHASE_SYNC;
}

static void write_note(upload *u)
{
    graph_ticket ticket;
    status s = STATUS_OK;

    if (upload_note_is_there(&u->note)) {
        s = upload_note_write(u->server, &u->note, &u->m, u->manifest_hash, &ticket);
        if (s == STATUS_OK) u->ticket = graph_both(u->ticket, ticket);
    }
    u->is_busy = s == STATUS_BUSY;
    if (s == STATUS_OK)
        describe_end(u);
    else if (s != STATUS_BUSY)
        refuse(u, s);
}

static void write_manifest(upload *u)
{
    if (!keep_text(u, text_slice(&u->manifest), u->manifest_hash)) return;
    u->phase = PHASE_NOTE;
    write_note(u);
}

/* What stays of a manifest that was read: its texts lie in an arena that goes. */
static void keep_facts(upload *u, const audio_manifest *m)
{
    uint8_t root[AUDIO_HASH];

    memcpy(root, u->m.root, sizeof root);
    memcpy(u->mime, m->mime.at, m->mime.len);
    u->m = *m;
    u->m.mime = (slice){ u->mime, m->mime.len };
    u->m.hashes = u->m.parts = NULL;
    memcpy(u->m.root, root, sizeof root);
}

/* NULL: it is good. */
static const char *read_manifest(upload *u, slice what)
{
    arena a = arena_make(MANIFEST_ROOM);
    const char *why = "it cannot be read";
    audio_manifest m;
    status s = audio_manifest_read(&m, crypto_of(u), &a, what, &why);

    if (s == STATUS_OK) {
        why = memcmp(u->m.root, m.root, sizeof m.root) != 0 ? "it is of another root"
              : m.count > u->server->options->audio.chunks_max
                  ? "it has more chunks than are served here"
                  : NULL;
        if (why == NULL) keep_facts(u, &m);
    }
    arena_free(&a);
    return why;
}

static void manifest_is_whole(upload *u)
{
    slice what = { u->chunk, u->chunk_len };
    const char *why = NULL;

    if (!utf16_valid_utf8(what))
        why = "it is not UTF-8";
    else if (what.at[0] != '[')
        why = read_manifest(u, what);
    else if (!upload_part_is_named(u->server, u->m.root, what))
        why = "no manifest that is kept here names this part";
    else
        upload_note_free(&u->note); /* its manifest tells it */
    text_add(&u->manifest, what);
    if (why != NULL)
        end(u, 422, "manifest: %s", why);
    else if (!text_ok(&u->manifest))
        refuse(u, STATUS_NO_MEMORY);
    else
        u->phase = PHASE_MANIFEST;
}

/* --- a chunk of a manifest --- */

static void write_chunk(upload *u)
{
    char soul[AUDIO_SOUL_MAX], key[AUDIO_KEY_MAX], root[AUDIO_ROOT];
    size_t len = audio_chunk_soul(soul, u->m.root, u->index);

    if (!keep(u, (slice){ soul, len }, (slice){ key, audio_chunk_key(key, u->index, u->hash) }))
        return;
    audio_hex(u->m.root, root);
    end(u, 201, "{\"root\":\"%.*s\",\"chunk\":%u}\n", AUDIO_ROOT, root, u->index);
    u->phase = PHASE_SYNC;
}

static void sent_chunk_is_whole(upload *u)
{
    uint8_t hash[AUDIO_HASH];

    encode(u, (slice){ u->chunk, u->chunk_len });
    if (!text_ok(&u->value)) {
        refuse(u, STATUS_NO_MEMORY);
        return;
    }
    hash_value(u, hash);
    if (memcmp(hash, u->hash, sizeof hash) != 0) {
        end(u, 422, "chunk: its hash is not the one that the manifest names");
        return;
    }
    u->phase = PHASE_KEEP;
    write_chunk(u);
}

/* --- hearing --- */

static void note_end(upload *u)
{
    if (u->phase != PHASE_HEAR || u->had < u->bytes) return;
    if (u->kind == UPLOAD_FILE)
        file_is_whole(u);
    else if (u->kind == UPLOAD_MANIFEST)
        manifest_is_whole(u);
    else
        sent_chunk_is_whole(u);
}

static void take(upload *u, const char *at, size_t len)
{
    memcpy(u->chunk + u->chunk_len, at, len);
    u->chunk_len += len;
    u->had += len;
    if (u->kind != UPLOAD_FILE) return;
    if (EVP_DigestUpdate(u->sha256, at, len) != 1) refuse(u, STATUS_NO_MEMORY);
    if (u->phase == PHASE_HEAR && (u->chunk_len == u->chunk_size || u->had == u->bytes))
        chunk_is_whole(u);
}

size_t upload_hear(upload *u, const char *at, size_t len)
{
    size_t took = 0;

    while (took < len && upload_now(u) == UPLOAD_HEARS && u->had < u->bytes) {
        size_t room = u->chunk_size - u->chunk_len, more = len - took;

        if (more > room) more = room;
        if (more > u->bytes - u->had) more = (size_t)(u->bytes - u->had);
        take(u, at + took, more);
        took += more;
    }
    note_end(u);
    return took;
}

/* --- going on --- */

/* What is kept and not on the disk lies in memory, and everybody's ack waits behind it
 * for the same sync. A store would take thirty times as much before it says that it is
 * busy, and a disk is slow at times. */
static void await_safety(upload *u)
{
    graph *g = radisk_graph(u->server->store);
    graph_progress progress;
    graph_state now;

    if (!u->holds) return;
    g->progress(g->context, &progress);
    now = graph_settled(u->ticket, &progress);
    if (now == GRAPH_WAITING) return;
    u->holds = false;
    u->unsafe = 0;
    if (now == GRAPH_FAILED) refuse(u, progress.why);
}

static void await_sync(upload *u)
{
    graph *g = radisk_graph(u->server->store);
    graph_progress progress;

    g->progress(g->context, &progress);
    switch (graph_settled(u->ticket, &progress)) {
    case GRAPH_WAITING:
        break;
    case GRAPH_SAFE:
        u->phase = PHASE_OVER;
        if (u->kind == UPLOAD_FILE) radisk_discard(u->server->store, stage_of(u));
        if (!u->is_news) u->code = 200;
        break;
    case GRAPH_FAILED:
        refuse(u, progress.why);
        break;
    }
}

upload_state upload_turn(upload *u, size_t *bytes)
{
    u->is_busy = false;
    switch (u->phase) {
    case PHASE_KEEP:
        if (u->kind == UPLOAD_FILE)
            keep_chunk(u);
        else
            write_chunk(u);
        note_end(u);
        break;
    case PHASE_NODES:
        write_nodes(u, bytes);
        break;
    case PHASE_PARTS:
        write_parts(u);
        break;
    case PHASE_MANIFEST:
        write_manifest(u);
        break;
    case PHASE_NOTE:
        write_note(u);
        break;
    case PHASE_SYNC:
        await_sync(u);
        break;
    case PHASE_HEAR:
        await_safety(u);
        break;
    case PHASE_OVER:
        break;
    }
    return upload_now(u);
}
