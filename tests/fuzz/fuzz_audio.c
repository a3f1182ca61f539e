/* fuzz_audio.c - any text as a manifest, as a Range header and as the names of audio.
 *
 * The first line of the input is the manifest, the others are the texts of its parts.
 * Every line is a header, a soul, a key and a media type besides. All hashes are zero
 * here, so that mutation gets past the proofs.
 *
 * Whatever comes: what a manifest says of its sizes fits together, and printed it says
 * the same again; a range lies within the file; a name that was read is printed as it
 * was; a type that may be shown could not end a header.
 */
#include "core/audio.h"
#include "core/base64.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINES_MOST = 8, MEMORY = 16 << 20 };

static void no_hash(void *context, slice bytes, uint8_t out[SEA_DIGEST_BYTES])
{
    (void)context;
    (void)bytes;
    memset(out, 0, SEA_DIGEST_BYTES);
}

static const sea_crypto crypto = { .sha256 = no_hash };

/* ---- bytes ---- */

static void check_range(slice header, uint64_t bytes)
{
    audio_range r, again;
    char spelled[64];
    int len;

    if (audio_range_read(header, bytes, &r) != AUDIO_RANGE_PART) return;
    must(r.first <= r.last && r.last < bytes);
    len = snprintf(spelled, sizeof spelled, "bytes=%llu-%llu", (unsigned long long)r.first,
                   (unsigned long long)r.last);
    must(audio_range_read((slice){ spelled, (size_t)len }, bytes, &again) == AUDIO_RANGE_PART);
    must(again.first == r.first && again.last == r.last);
}

static void check_sizes(const audio_manifest *m)
{
    uint32_t last = m->count - 1;
    uint64_t total = audio_stored_total(m);
    audio_place end = audio_place_of(m, total - 1);

    must(m->count > 0 && m->span > 0 && m->span <= m->chunk && m->chunk <= AUDIO_CHUNK_MAX);
    must(m->mime.len <= AUDIO_TYPE_MAX && m->preview <= m->count);
    must((uint64_t)last * m->span + audio_plain_bytes(m, last) == m->bytes);
    must((uint64_t)last * m->chunk + audio_stored_bytes(m, last) == total);
    must(audio_plain_bytes(m, last) > 0 && audio_stored_bytes(m, last) <= m->chunk);
    must(end.index == last && end.offset == audio_stored_bytes(m, last) - 1);
}

/* ---- manifests ---- */

typedef struct heard {
    text parts[AUDIO_CHUNKS_MAX / AUDIO_PART + 1];
    size_t count;
} heard;

static bool keep_part(void *context, slice part)
{
    heard *h = context;

    text_add(&h->parts[h->count++], part);
    return true;
}

static void join_again(audio_manifest *again, arena *a, const heard *h)
{
    slice *texts = arena_take(a, (h->count + 1) * sizeof *texts);
    const char *why;

    must(texts != NULL && again->part_count == h->count);
    for (size_t i = 0; i < h->count; ++i) texts[i] = text_slice(&h->parts[i]);
    must(audio_manifest_join(again, &crypto, a, texts, &why) == STATUS_OK);
}

/* What was read says the same when it was printed and read again. */
static void check_print(const audio_manifest *m, arena *a)
{
    heard *h = calloc(1, sizeof *h);
    text printed = { 0 };
    audio_manifest again;
    const char *why;

    must(h != NULL);
    must(audio_manifest_print(&printed, m, &crypto, keep_part, h) == STATUS_OK);
    must(audio_manifest_read(&again, &crypto, a, text_slice(&printed), &why) == STATUS_OK);
    if (again.part_count > 0) join_again(&again, a, h);
    must(again.bytes == m->bytes && again.chunk == m->chunk && again.span == m->span);
    must(again.count == m->count && slice_equal(again.mime, m->mime));
    must(again.has_sha256 == m->has_sha256);
    must(memcmp(again.hashes, m->hashes, (size_t)m->count * AUDIO_HASH) == 0);
    for (size_t i = 0; i < h->count; ++i) text_free(&h->parts[i]);
    text_free(&printed);
    free(h);
}

static void check_manifest(const slice *lines, size_t count)
{
    arena a = arena_make(MEMORY);
    audio_manifest m;
    const char *why = NULL;
    status s = audio_manifest_read(&m, &crypto, &a, lines[0], &why);

    must(s == STATUS_OK || s == STATUS_TOO_BIG || (s == STATUS_MALFORMED && why[0] != '\0'));
    if (s != STATUS_OK) goto out;
    check_sizes(&m);
    for (size_t i = 1; i < count; ++i) check_range(lines[i], m.bytes);
    must((m.hashes == NULL) == (m.part_count > 0));
    if (m.part_count > 0) {
        if (m.part_count > count - 1) goto out;
        s = audio_manifest_join(&m, &crypto, &a, lines + 1, &why);
        must((s == STATUS_OK) == (m.hashes != NULL));
    }
    if (s == STATUS_OK) check_print(&m, &a);
out:
    arena_free(&a);
}

/* ---- names ---- */

static void check_soul(slice line)
{
    audio_soul soul = audio_soul_read(line);
    char printed[AUDIO_SOUL_MAX];
    size_t len = 0;

    if (soul.kind == AUDIO_NONE) return;
    if (soul.kind == AUDIO_MANIFEST) len = audio_manifest_soul(printed, soul.root);
    if (soul.kind == AUDIO_CHUNKS && soul.segment > AUDIO_CHUNKS_MAX) return;
    if (soul.kind == AUDIO_CHUNKS)
        len = audio_chunk_soul(printed, soul.root, soul.segment * AUDIO_SEGMENT);
    must(slice_equal(line, (slice){ printed, len }));
}

static void check_key(slice line)
{
    uint8_t hash[AUDIO_HASH], again[AUDIO_HASH];
    char printed[AUDIO_KEY_MAX], hex[AUDIO_ROOT];
    uint32_t index, index_again;

    if (audio_hash_read(line, hash)) {
        audio_hex(hash, hex);
        must(audio_hash_read((slice){ hex, sizeof hex }, again));
        must(memcmp(hash, again, sizeof hash) == 0);
        must(audio_root_read((slice){ hex, sizeof hex }, again));
    }
    if (!audio_chunk_key_read(line, &index, hash)) return;
    must(index < AUDIO_CHUNKS_MAX);
    must(audio_chunk_key(printed, index, hash) == sizeof printed);
    must(memcmp(printed, line.at, 7) == 0);
    must(audio_chunk_key_read((slice){ printed, sizeof printed }, &index_again, again));
    must(index == index_again && memcmp(hash, again, sizeof hash) == 0);
}

static void check_type(slice line)
{
    if (!audio_type_is_safe(line)) return;
    must(line.len <= AUDIO_TYPE_MAX && memchr(line.at, '/', line.len) != NULL);
    for (size_t i = 0; i < line.len; ++i)
        must(line.at[i] > ' ' && line.at[i] < 127 && line.at[i] != ';' && line.at[i] != ',');
}

static size_t split(slice all, slice *lines)
{
    size_t count = 0;

    while (count < LINES_MOST) {
        const char *end = memchr(all.at, '\n', all.len);
        size_t len = end != NULL ? (size_t)(end - all.at) : all.len;

        lines[count++] = (slice){ all.at, len };
        if (end == NULL) break;
        all = (slice){ all.at + len + 1, all.len - len - 1 };
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice lines[LINES_MOST];
    size_t count = split((slice){ (const char *)data, size }, lines);

    for (size_t i = 0; i < count; ++i) {
        check_range(lines[i], 1);
        check_range(lines[i], 100000);
        check_range(lines[i], UINT64_MAX);
        check_soul(lines[i]);
        check_key(lines[i]);
        check_type(lines[i]);
    }
    check_manifest(lines, count);
    return 0;
}
