/* tools_audio_get.c - see tools_audio.h: a track on its way from a relay.
 *
 * The relay is not believed: the manifest has to be the one of its name, its hashes
 * those of the root that was asked for, and nothing of a chunk is written before its
 * hash was compared.
 */
#include "server/tools_audio.h"

#include "server/audio_http.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 512, ARENA_MAX = 1 << 30, OPEN_TRIES = 3 };

typedef struct track {
    const tool_call *call;
    http_place to;
    uint8_t root[AUDIO_HASH], hash[AUDIO_HASH];
    audio_manifest m;
    arena arena;
    text answer;
    EVP_MD_CTX *sha256;
    char *chunk;
    uint32_t next; /* chunk */
    tool_bar bar;
} track;

static bool complain(const track *t, const char *what, const char *why)
{
    (void)tool_complain(t->call, 0, "%s: %s", what, why);
    return false;
}

/* ---- the manifest ---- */

/* `hash` NULL: the one that the relay would serve the track by. */
static bool fetch_text(track *t, const uint8_t *hash)
{
    char path[PATH_BYTES], root[AUDIO_ROOT], word[AUDIO_URL_HASH + 1] = "", why[HTTP_WHY_MAX];
    uint8_t is[AUDIO_HASH];
    slice said;
    int code;

    audio_hex(t->root, root);
    if (hash != NULL) audio_print_url_hash(hash, word);
    snprintf(path, sizeof path, "/audio/%.64s/m%s%s", root, hash != NULL ? "?m=" : "", word);
    code = tool_fetch(&t->to, "GET", path, "", (slice){ "", 0 }, &t->answer, why);
    said = text_slice(&t->answer);
    if (code == 0) return complain(t, "the manifest", why);
    if (code != 200) {
        tool_complain_of(t->call, "the manifest", code, said);
        return false;
    }
    crypto_hash_sha256(is, (const unsigned char *)said.at, said.len);
    if (hash != NULL && memcmp(is, hash, sizeof is) != 0)
        return complain(t, "the manifest", "what the relay sent is not what was asked for");
    if (hash == NULL) memcpy(t->hash, is, sizeof is);
    return true;
}

static bool next_part(void *context, const uint8_t hash[static AUDIO_HASH], text *out)
{
    track *t = context;

    if (!fetch_text(t, hash)) return false;
    text_reset(out, TOOL_TEXT_MAX);
    text_add(out, text_slice(&t->answer));
    return text_ok(out);
}

static bool read_names(track *t)
{
    const char *root = t->call->root, *manifest = t->call->manifest;

    if (!audio_root_read((slice){ root, strlen(root) }, t->root))
        return complain(t, root, "a root is 64 digits of lower-case hexadecimal");
    if (manifest != NULL && !audio_url_hash((slice){ manifest, strlen(manifest) }, t->hash))
        return complain(t, "--manifest", "a hash is spelled in hexadecimal or base64");
    return true;
}

static bool fetch_manifest(track *t)
{
    const char *why = "";
    slice words;

    if (!fetch_text(t, t->call->manifest != NULL ? t->hash : NULL)) return false;
    words = arena_copy(&t->arena, text_slice(&t->answer));
    if (words.at == NULL) return complain(t, "the manifest", "out of memory");
    if (!tool_read_manifest(&t->m, &t->arena, words, next_part, t, &why))
        return complain(t, "the manifest", why);
    if (memcmp(t->m.root, t->root, sizeof t->root) != 0)
        return complain(t, "the manifest", "it is of another root");
    t->chunk = malloc(t->m.chunk);
    return t->chunk != NULL || complain(t, "the track", "out of memory");
}

/* ---- what is written ---- */

static bool is_good(const track *t, uint32_t index)
{
    slice raw = { t->chunk, audio_stored_bytes(&t->m, index) };
    uint8_t hash[AUDIO_HASH];

    return audio_chunk_hash(crypto_hashing(), raw, hash) == STATUS_OK &&
           memcmp(hash, t->m.hashes + (size_t)index * AUDIO_HASH, sizeof hash) == 0;
}

static bool take(track *t, uint32_t index)
{
    return EVP_DigestUpdate(t->sha256, t->chunk, audio_stored_bytes(&t->m, index)) == 1;
}

/* Finds out how much of it is good in what stdout is appended to, and cuts off the
 * rest. */
static bool go_on(track *t)
{
    int file = open("/proc/self/fd/1", O_RDONLY | O_CLOEXEC);
    struct stat info;

    if (file < 0 || fstat(1, &info) != 0 || !S_ISREG(info.st_mode)) {
        if (file >= 0) close(file);
        return complain(t, "--continue", "stdout has to be a file: >> FILE");
    }
    while (t->next < t->m.count &&
           tool_read_at(file, t->chunk, audio_stored_bytes(&t->m, t->next),
                        (uint64_t)t->next * t->m.chunk) &&
           is_good(t, t->next) && take(t, t->next))
        t->next++;
    close(file);
    if (ftruncate(1, (off_t)t->next * t->m.chunk < (off_t)audio_stored_total(&t->m)
                         ? (off_t)t->next * t->m.chunk
                         : (off_t)audio_stored_total(&t->m)) != 0 ||
        lseek(1, 0, SEEK_END) < 0)
        return complain(t, "stdout", strerror(errno));
    return true;
}

static bool write_chunk(track *t, uint32_t index)
{
    const char *at = t->chunk;
    size_t len = audio_stored_bytes(&t->m, index);

    while (len > 0) {
        ssize_t n = write(1, at, len);

        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return complain(t, "stdout", strerror(errno));
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* ---- the chunks ---- */

static http_line *ask(track *t, http_answer *a, char why[static HTTP_WHY_MAX])
{
    char path[PATH_BYTES], root[AUDIO_ROOT], word[AUDIO_URL_HASH + 1], range[64];
    http_line *l = http_open(&t->to, why);

    if (l == NULL) return NULL;
    audio_hex(t->root, root);
    audio_print_url_hash(t->hash, word);
    snprintf(path, sizeof path, "/audio/%.64s?m=%s", root, word);
    snprintf(range, sizeof range, "Range: bytes=%llu-\r\n",
             (unsigned long long)t->next * t->m.chunk);
    if (http_send(l, "GET", path, range, (slice){ "", 0 }) && http_hear(l, a)) return l;
    snprintf(why, HTTP_WHY_MAX, "no answer that can be read");
    http_close(l);
    return NULL;
}

static bool receive(http_line *l, char *to, size_t len)
{
    while (len > 0) {
        long n = http_read(l, to, len);

        if (n <= 0) return false;
        to += n;
        len -= (size_t)n;
    }
    return true;
}

/* Takes chunks from one answer until it ends or breaks off. False: there is no point
 * in asking again. */
static bool take_answer(track *t, http_line *l)
{
    while (t->next < t->m.count && receive(l, t->chunk, audio_stored_bytes(&t->m, t->next))) {
        if (!is_good(t, t->next))
            return complain(t, "the track", "a chunk from the relay is not the one of its name");
        if (!write_chunk(t, t->next) || !take(t, t->next)) return false;
        t->next++;
        tool_bar_show(&t->bar, t->next < t->m.count ? (uint64_t)t->next * t->m.chunk : t->bar.all,
                      false);
    }
    return true;
}

static bool say_refusal(track *t, http_line *l, int code)
{
    if (!http_read_all(l, &t->answer, TOOL_TEXT_MAX)) text_reset(&t->answer, 0);
    tool_complain_of(t->call, "the track", code, text_slice(&t->answer));
    return false;
}

static bool fetch_chunks(track *t)
{
    char why[HTTP_WHY_MAX] = "the connection breaks off";

    for (int fruitless = 0; t->next < t->m.count && fruitless < OPEN_TRIES; fruitless++) {
        uint32_t before = t->next;
        http_answer a = { 0 };
        http_line *l = ask(t, &a, why);
        bool good = l != NULL;

        if (good) good = a.code == 206 ? take_answer(t, l) : say_refusal(t, l, a.code);
        http_close(l);
        if (l != NULL && !good) return false;
        if (t->next > before) fruitless = -1;
    }
    return t->next == t->m.count || complain(t, "the track", why);
}

static bool compare(track *t)
{
    uint8_t sha256[AUDIO_HASH];
    unsigned len;

    if (t->m.sealed)
        fprintf(stderr, "brasa %s: the track is encrypted, and was written as it is kept\n",
                t->call->name);
    if (t->m.sealed || !t->m.has_sha256) return true;
    if (EVP_DigestFinal_ex(t->sha256, sha256, &len) == 1 &&
        memcmp(sha256, t->m.sha256, sizeof sha256) == 0)
        return true;
    return complain(t, "the track", "its sha256 is not the one that the manifest says");
}

/* ---- all of it ---- */

static bool get(track *t)
{
    if (!fetch_manifest(t)) return false;
    if (EVP_DigestInit_ex(t->sha256, EVP_sha256(), NULL) != 1)
        return complain(t, "sha256", "there is none");
    if (t->call->goes_on && !go_on(t)) return false;
    t->bar.all = audio_stored_total(&t->m);
    if (!fetch_chunks(t) || !compare(t)) return false;
    tool_bar_show(&t->bar, t->bar.all, true);
    return true;
}

int tool_audio_get(const tool_call *call)
{
    track t = { .call = call, .arena = arena_make(ARENA_MAX), .sha256 = EVP_MD_CTX_new() };
    int result = TOOL_WRONG;

    if (t.sha256 == NULL)
        result = tool_complain(call, TOOL_FAILED, "out of memory");
    else if (isatty(1))
        (void)tool_complain(call, 0, "stdout is a terminal: > FILE");
    else if (tool_place(call, &t.to) && read_names(&t))
        result = get(&t) ? TOOL_DONE : TOOL_FAILED;
    EVP_MD_CTX_free(t.sha256);
    arena_free(&t.arena);
    text_free(&t.answer);
    free(t.chunk);
    return result;
}
