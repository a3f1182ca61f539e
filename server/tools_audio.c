/* tools_audio.c - see tools_audio.h: a track on its way to a relay.
 *
 * The file is read twice: once for the hashes of its chunks, which name it, and once
 * to send what the relay does not have. So it does not matter where an upload broke
 * off, or who else has begun with the same track.
 *
 *   manifest, parts -> what is there? -> chunks, LINES at a time -> manifest with title
 */
#include "server/tools_audio.h"

#include "core/base64.h"
#include "core/json.h"
#include "core/message.h"
#include "server/audio_http.h"
#include "server/upload_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LINES = 8,       /* connections, a chunk on each */
    BUSY_TRIES = 60, /* of a second each, when the relay has no place or no room yet */
    OPEN_TRIES = 3,  /* for a chunk, when a connection ends */
    HEADERS_MAX = 512,
    PATH_BYTES = 8 * 1024,
};

/* A connection, and the chunk whose answer it owes. */
typedef struct line {
    http_line *http;
    bool owes;
    uint32_t index;
    unsigned busy, opened;
} line;

typedef struct track {
    const tool_call *call;
    http_place to;
    char headers[HEADERS_MAX]; /* the token */
    int file;
    audio_manifest m;
    uint8_t *hashes;
    uint8_t hash[AUDIO_HASH]; /* of the manifest */
    text manifest, *parts, answer;
    size_t part_count;
    uint8_t *have; /* bitmap */
    char *chunk;
    line lines[LINES];
    tool_bar bar;
    uint64_t bytes_there;
    uint32_t sent, there;
} track;

static bool complain(const track *t, const char *what, const char *why)
{
    (void)tool_complain(t->call, 0, "%s: %s", what, why);
    return false;
}

static bool complain_of(const track *t, const char *what, int code, const char *why)
{
    if (code == 0) return complain(t, what, why);
    tool_complain_of(t->call, what, code, text_slice(&t->answer));
    return false;
}

/* ---- the file ---- */

static bool read_chunk(track *t, uint32_t index)
{
    errno = 0;
    if (tool_read_at(t->file, t->chunk, audio_stored_bytes(&t->m, index),
                     (uint64_t)index * t->m.chunk))
        return true;
    return complain(t, t->call->file, errno ? strerror(errno) : "it has become shorter");
}

static slice type_of(const tool_call *call)
{
    slice name = { call->file, strlen(call->file) };

    return call->type != NULL ? (slice){ call->type, strlen(call->type) } : upload_type_of(name);
}

static bool open_file(track *t)
{
    const char *name = t->call->file;
    struct stat info;

    t->file = open(name, O_RDONLY | O_CLOEXEC);
    if (t->file < 0 || fstat(t->file, &info) != 0) return complain(t, name, strerror(errno));
    if (!S_ISREG(info.st_mode)) return complain(t, name, "it is no file that can be read twice");
    if (info.st_size == 0) return complain(t, name, "it is empty");
    t->m.mime = type_of(t->call);
    t->m.bytes = (uint64_t)info.st_size;
    t->m.chunk = t->m.span = audio_chunk_bytes(t->m.bytes);
    if (t->m.bytes > (uint64_t)AUDIO_CHUNKS_MAX * t->m.chunk || t->m.mime.len > AUDIO_TYPE_MAX)
        return complain(t, name, "it is too large, or its type too long");
    t->m.count = (uint32_t)((t->m.bytes + t->m.chunk - 1) / t->m.chunk);
    t->hashes = malloc((size_t)t->m.count * AUDIO_HASH);
    t->chunk = malloc(t->m.chunk);
    t->have = calloc(1, audio_bitmap_bytes(t->m.count));
    t->m.hashes = t->hashes;
    if (t->hashes != NULL && t->chunk != NULL && t->have != NULL) return true;
    return complain(t, name, "out of memory");
}

static bool hash_chunks(track *t, EVP_MD_CTX *sha256)
{
    unsigned len;

    if (EVP_DigestInit_ex(sha256, EVP_sha256(), NULL) != 1) return false;
    for (uint32_t i = 0; i < t->m.count; i++) {
        slice raw = { t->chunk, audio_stored_bytes(&t->m, i) };

        if (!read_chunk(t, i)) return false;
        if (EVP_DigestUpdate(sha256, raw.at, raw.len) != 1 ||
            audio_chunk_hash(crypto_hashing(), raw, t->hashes + (size_t)i * AUDIO_HASH) !=
                STATUS_OK)
            return complain(t, t->call->file, "out of memory");
    }
    t->m.has_sha256 = EVP_DigestFinal_ex(sha256, t->m.sha256, &len) == 1;
    return t->m.has_sha256;
}

static bool keep_part(void *context, slice part)
{
    track *t = context;
    text *more = realloc(t->parts, (t->part_count + 1) * sizeof *more);

    if (more == NULL) return false;
    t->parts = more;
    more[t->part_count] = (text){ 0 };
    text_add(&more[t->part_count], part);
    return text_ok(&more[t->part_count++]);
}

static bool is_announced(const track *t)
{
    const char *word = t->call->sha256;
    uint8_t wanted[AUDIO_HASH];

    if (word == NULL) return true;
    if (!audio_url_hash((slice){ word, strlen(word) }, wanted))
        return complain(t, "--sha256", "a hash is spelled in hexadecimal or base64");
    if (memcmp(wanted, t->m.sha256, sizeof wanted) == 0) return true;
    return complain(t, t->call->file, "its sha256 is another one");
}

static bool describe(track *t)
{
    EVP_MD_CTX *sha256 = EVP_MD_CTX_new();
    bool hashed = sha256 != NULL && hash_chunks(t, sha256);

    EVP_MD_CTX_free(sha256);
    if (!hashed || !is_announced(t)) return false;
    audio_root(crypto_hashing(), t->hashes, t->m.count, t->m.root);
    if (audio_manifest_print(&t->manifest, &t->m, crypto_hashing(), keep_part, t) != STATUS_OK)
        return complain(t, t->call->file, "out of memory");
    crypto_hash_sha256(t->hash, (const unsigned char *)t->manifest.at, t->manifest.len);
    return true;
}

/* ---- the manifest ---- */

static void print_path(const track *t, const char *rest, char out[static PATH_BYTES])
{
    char root[AUDIO_ROOT];

    audio_hex(t->m.root, root);
    snprintf(out, PATH_BYTES, "/audio/%.64s/%s", root, rest);
}

/* Again while the relay is busy. */
static int fetch(track *t, const char *method, const char *path, slice body,
                 char why[static HTTP_WHY_MAX])
{
    int code = 0;

    for (int i = 0; i < BUSY_TRIES; i++) {
        code = tool_fetch(&t->to, method, path, t->headers, body, &t->answer, why);
        if (code != 503) break;
        sleep(1);
    }
    return code;
}

static bool put_text(track *t, const char *path, slice body)
{
    char why[HTTP_WHY_MAX];
    int code = fetch(t, "PUT", path, body, why);

    return code == 200 || code == 201 || complain_of(t, "the manifest", code, why);
}

static bool put_manifest(track *t)
{
    char path[PATH_BYTES];
    bool good;

    print_path(t, "m", path);
    good = put_text(t, path, text_slice(&t->manifest));
    for (size_t i = 0; good && i < t->part_count; i++)
        good = put_text(t, path, text_slice(&t->parts[i]));
    return good;
}

static bool read_bitmap(track *t)
{
    static const json_bounds bounds = { .depth_max = 2, .tokens_max = 64 };
    arena a = arena_make((size_t)16 << 20);
    size_t len = 0;
    slice word;
    uint32_t at;
    bool good;
    json j;

    good = json_read(&j, &a, text_slice(&t->answer), &bounds) == STATUS_OK &&
           (at = json_member(&j, 0, SLICE("bitmap"))) != 0 && j.tokens[at].type == JSON_STRING &&
           json_utf8(&j, &a, at, &word) == STATUS_OK &&
           sodium_base642bin(t->have, audio_bitmap_bytes(t->m.count), word.at, word.len, NULL, &len,
                             NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
           len == audio_bitmap_bytes(t->m.count);
    arena_free(&a);
    return good || complain(t, "what is there already", "the relay's answer cannot be read");
}

static bool ask_what_is_there(track *t)
{
    char rest[AUDIO_URL_HASH + 16], hash[AUDIO_URL_HASH + 1], path[PATH_BYTES], why[HTTP_WHY_MAX];
    int code;

    audio_print_url_hash(t->hash, hash);
    snprintf(rest, sizeof rest, "have?m=%s", hash);
    print_path(t, rest, path);
    code = fetch(t, "GET", path, (slice){ "", 0 }, why);
    if (code != 200) return complain_of(t, "what is there already", code, why);
    if (!read_bitmap(t)) return false;
    for (uint32_t i = 0; i < t->m.count; i++) {
        if (!audio_bitmap_has(t->have, i)) continue;
        t->there++;
        t->bytes_there += audio_stored_bytes(&t->m, i);
    }
    return true;
}

/* ---- the chunks ---- */

static bool send_chunk(track *t, line *l)
{
    char rest[AUDIO_URL_HASH + 16], hash[AUDIO_URL_HASH + 1], path[PATH_BYTES], why[HTTP_WHY_MAX];

    if (!read_chunk(t, l->index)) return false;
    if (l->http == NULL) {
        l->http = http_open(&t->to, why);
        if (l->http == NULL) return complain(t, "no connection", why);
        l->opened++;
    }
    audio_print_url_hash(t->hash, hash);
    snprintf(rest, sizeof rest, "%u?m=%s", l->index, hash);
    print_path(t, rest, path);
    (void)http_send(l->http, "PUT", path, t->headers,
                    (slice){ t->chunk, audio_stored_bytes(&t->m, l->index) });
    l->owes = true;
    return true;
}

static void hang_up(line *l)
{
    http_close(l->http);
    l->http = NULL;
}

/* Hears one answer; sends again what was not taken, if that may help. */
static bool hear_chunk(track *t, line *l)
{
    http_answer a = { 0 };
    bool heard = http_hear(l->http, &a) && http_read_all(l->http, &t->answer, TOOL_TEXT_MAX);

    if (!heard || a.closes) hang_up(l);
    if (heard && (a.code == 200 || a.code == 201)) {
        l->owes = false;
        l->busy = l->opened = 0;
        t->sent++;
        t->bytes_there += audio_stored_bytes(&t->m, l->index);
        tool_bar_show(&t->bar, t->bytes_there, false);
        return true;
    }
    if (heard && a.code == 503 && ++l->busy < BUSY_TRIES)
        sleep(1);
    else if (heard || l->opened >= OPEN_TRIES)
        return complain_of(t, "a chunk", heard ? a.code : 0,
                           "the connection ended; once more, and only the rest is sent");
    return send_chunk(t, l);
}

static bool settle(track *t, line *l)
{
    while (l->owes)
        if (!hear_chunk(t, l)) return false;
    return true;
}

static bool put_chunks(track *t)
{
    unsigned next = 0;

    for (uint32_t i = 0; i < t->m.count; i++) {
        line *l = &t->lines[next];

        if (audio_bitmap_has(t->have, i)) continue;
        if (!settle(t, l)) return false;
        l->index = i;
        if (!send_chunk(t, l)) return false;
        next = (next + 1) % LINES;
    }
    for (unsigned i = 0; i < LINES; i++)
        if (!settle(t, &t->lines[i])) return false;
    return true;
}

/* ---- the title ---- */

static void add_word(char *to, size_t room, const char *name, const char *value)
{
    size_t len = strlen(to);

    if (value == NULL) return;
    len += (size_t)snprintf(to + len, room - len, "%c%s=", strchr(to, '?') ? '&' : '?', name);
    for (; *value != '\0' && len + 4 < room; value++)
        len += (size_t)snprintf(to + len, room - len, "%%%02x", (unsigned char)*value);
}

/* Last, so that nobody finds a track that is not there yet. */
static bool put_title(track *t)
{
    char path[PATH_BYTES];

    if (t->call->title == NULL && t->call->artist == NULL) return true;
    print_path(t, "m", path);
    add_word(path, sizeof path, "title", t->call->title);
    add_word(path, sizeof path, "artist", t->call->artist);
    return put_text(t, path, text_slice(&t->manifest));
}

/* ---- all of it ---- */

/* What stands on a command line can be read by others: "@" and a file, as in serve. */
static bool read_token(track *t)
{
    const char *word = t->call->token;
    char room[MESSAGE_TOKEN_MAX + sizeof "\r\n"] = "";
    FILE *from;

    if (word == NULL) return true;
    if (word[0] == '@') {
        from = fopen(word + 1, "re");
        if (from == NULL) return complain(t, word + 1, strerror(errno));
        if (fgets(room, sizeof room, from) == NULL) room[0] = '\0';
        (void)fclose(from);
        room[strcspn(room, "\r\n")] = '\0';
        word = room;
    }
    if (*word == '\0' || strlen(word) > MESSAGE_TOKEN_MAX || strcspn(word, " \r\n") != strlen(word))
        return complain(t, "--token", "a token has 8 to 256 visible characters");
    snprintf(t->headers, sizeof t->headers, "Authorization: Bearer %s\r\n", word);
    return true;
}

static void report(const track *t)
{
    char root[AUDIO_ROOT], key[BASE64_LEN_32], soul[UPLOAD_TRACK_MAX];

    audio_hex(t->m.root, root);
    base64_print32(t->hash, key);
    upload_note_soul(t->m.root, soul);
    printf("root %.64s\nmanifest %.44s\nchunks %u\nsent %u\nthere %u\n", root, key, t->m.count,
           t->sent, t->there);
    if (t->call->title != NULL || t->call->artist != NULL)
        printf("track %.*s\n", UPLOAD_TRACK_MAX, soul);
}

static void clean_up(track *t)
{
    for (unsigned i = 0; i < LINES; i++) hang_up(&t->lines[i]);
    for (size_t i = 0; i < t->part_count; i++) text_free(&t->parts[i]);
    free(t->parts);
    text_free(&t->manifest);
    text_free(&t->answer);
    free(t->hashes);
    free(t->chunk);
    free(t->have);
    if (t->file >= 0) close(t->file);
}

int tool_audio_put(const tool_call *call)
{
    track t = { .call = call, .file = -1 };
    int result = TOOL_WRONG;

    if (!tool_place(call, &t.to) || !read_token(&t) || !open_file(&t)) goto out;
    result = TOOL_FAILED;
    if (!describe(&t) || !put_manifest(&t) || !ask_what_is_there(&t)) goto out;
    t.bar.all = t.m.bytes;
    if (!put_chunks(&t) || !put_title(&t)) goto out;
    tool_bar_show(&t.bar, t.m.bytes, true);
    report(&t);
    result = TOOL_DONE;
out:
    clean_up(&t);
    return result;
}
