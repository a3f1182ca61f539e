/* audio_manifest.c - see audio.h: what a manifest says, and what of it is true. */
#include "core/audio.h"
#include "core/base64.h"
#include "core/json.h"
#include "core/number.h"

#include <math.h>
#include <stdlib.h>

enum { DEPTH_MAX = 8 };

typedef struct reading {
    const sea_crypto *crypto;
    arena *a;
    json j;
    audio_manifest *to;
    const char *why;
    status how;
} reading;

/* Unless memory ran short: then nobody knows what is wrong with it. */
static bool fail(reading *r, const char *why)
{
    if (r->how == STATUS_OK) r->how = STATUS_MALFORMED;
    r->why = why;
    return false;
}

static void *take(reading *r, size_t bytes)
{
    void *at = arena_take(r->a, bytes);

    if (at == NULL) r->how = arena_failure(r->a, bytes);
    return at;
}

/* --- members --- */

static bool read_whole(reading *r, uint32_t object, slice name, double most, double *out)
{
    uint32_t at = json_member(&r->j, object, name);

    return at != 0 && r->j.tokens[at].type == JSON_NUMBER &&
           number_read(json_raw(&r->j, at), out) && *out >= 0 && *out <= most &&
           floor(*out) == *out;
}

static bool read_string(reading *r, uint32_t at, slice *out)
{
    if (r->j.tokens[at].type != JSON_STRING) return false;
    r->how = json_name(&r->j, r->a, at, out);
    return r->how == STATUS_OK;
}

static bool read_text(reading *r, uint32_t object, slice name, slice *out)
{
    uint32_t at = json_member(&r->j, object, name);

    return at != 0 && read_string(r, at, out);
}

static bool read_hash(reading *r, uint32_t at, uint8_t *out)
{
    slice spelled;

    return read_string(r, at, &spelled) && spelled.len == BASE64_LEN_32 &&
           audio_hash_read(spelled, out);
}

/* The hashes in an array of `most` at the most. */
static bool read_hashes(reading *r, uint32_t array, uint32_t most, const uint8_t **out,
                        uint32_t *count)
{
    uint32_t n = 0;
    uint8_t *hashes;

    if (r->j.tokens[array].type != JSON_ARRAY) return fail(r, "its hashes are no list");
    for (uint32_t k = array + 1; k < r->j.tokens[array].next; k = r->j.tokens[k].next) ++n;
    if (n > most) return fail(r, "a list holds too many hashes");
    hashes = take(r, (size_t)(n ? n : 1) * AUDIO_HASH);
    if (hashes == NULL) return false;
    *out = hashes;
    *count = n;
    for (uint32_t k = array + 1; k < r->j.tokens[array].next; k = r->j.tokens[k].next) {
        if (!read_hash(r, k, hashes)) return fail(r, "a hash is not 44 characters of base64");
        hashes += AUDIO_HASH;
    }
    return true;
}

/* --- the facts --- */

static bool read_sizes(reading *r)
{
    const double exact = 9007199254740991.0; /* 2^53 - 1: what a number can count */
    audio_manifest *m = r->to;
    double version, bytes, chunk, span, count, segment;

    if (!read_whole(r, 0, SLICE("v"), 1, &version) || version != 1)
        return fail(r, "it is not of version 1");
    if (!read_whole(r, 0, SLICE("bytes"), exact, &bytes) || bytes < 1)
        return fail(r, "\"bytes\" must be a whole number above 0");
    if (!read_whole(r, 0, SLICE("chunk"), AUDIO_CHUNK_MAX, &chunk) || chunk < 1 ||
        fmod(chunk, 3) != 0)
        return fail(r, "\"chunk\" must be divisible by 3, and 786432 at the most");
    if (!read_whole(r, 0, SLICE("span"), chunk, &span) || span < 1)
        return fail(r, "\"span\" must be a whole number up to \"chunk\"");
    if (!read_whole(r, 0, SLICE("n"), AUDIO_CHUNKS_MAX, &count) || count != ceil(bytes / span))
        return fail(r, "\"n\" must be \"bytes\" over \"span\", and a million at the most");
    if (json_member(&r->j, 0, SLICE("seg")) != 0 &&
        (!read_whole(r, 0, SLICE("seg"), AUDIO_SEGMENT, &segment) || segment != AUDIO_SEGMENT))
        return fail(r, "\"seg\" must be 64");
    m->bytes = (uint64_t)bytes;
    m->chunk = (uint32_t)chunk;
    m->span = (uint32_t)span;
    m->count = (uint32_t)count;
    return true;
}

static bool read_names(reading *r)
{
    audio_manifest *m = r->to;
    slice hex;

    if (!read_text(r, 0, SLICE("mime"), &m->mime) || m->mime.len > AUDIO_TYPE_MAX)
        return fail(r, "\"mime\" must be a media type");
    if (!read_text(r, 0, SLICE("root"), &hex) || !audio_root_read(hex, m->root))
        return fail(r, "\"root\" must be 64 digits of lower-case hexadecimal");
    m->has_sha256 = json_member(&r->j, 0, SLICE("sha256")) != 0;
    if (m->has_sha256 &&
        (!read_text(r, 0, SLICE("sha256"), &hex) || !audio_root_read(hex, m->sha256)))
        return fail(r, "\"sha256\" must be 64 digits of lower-case hexadecimal");
    return true;
}

/* Only what a relay has to know: that it is sealed, and what may be heard of it. */
static bool read_sealing(reading *r)
{
    audio_manifest *m = r->to;
    uint32_t enc = json_member(&r->j, 0, SLICE("enc"));
    uint32_t preview = enc == 0 ? 0 : json_member(&r->j, enc, SLICE("preview"));
    double chunks;

    m->sealed = enc != 0 && r->j.tokens[enc].type == JSON_OBJECT;
    if (m->span != m->chunk && m->span + AUDIO_SEALED != m->chunk)
        return fail(r, "\"span\" must be \"chunk\", or 16 less");
    if (preview == 0) return true;
    if (!read_whole(r, preview, SLICE("n"), m->count, &chunks))
        return fail(r, "the preview must be a number of chunks");
    m->preview = (uint32_t)chunks;
    preview = json_member(&r->j, preview, SLICE("k"));
    m->has_preview_key = preview != 0 && read_hash(r, preview, m->preview_key);
    return m->has_preview_key || fail(r, "the key of the preview is not 32 bytes of base64");
}

static bool prove_root(reading *r)
{
    uint8_t root[AUDIO_HASH];

    audio_root(r->crypto, r->to->hashes, r->to->count, root);
    return memcmp(root, r->to->root, sizeof root) == 0 || fail(r, "its hashes give another root");
}

static bool read_list(reading *r)
{
    audio_manifest *m = r->to;
    uint32_t list = json_member(&r->j, 0, SLICE("h")), count;

    if (list != 0) {
        if (!read_hashes(r, list, AUDIO_PART, &m->hashes, &count)) return false;
        return count == m->count ? prove_root(r) : fail(r, "it holds not as many hashes as \"n\"");
    }
    list = json_member(&r->j, 0, SLICE("parts"));
    if (list == 0) return fail(r, "it has neither \"h\" nor \"parts\"");
    if (!read_hashes(r, list, AUDIO_CHUNKS_MAX / AUDIO_PART + 1, &m->parts, &m->part_count))
        return false;
    return m->part_count > 0 || fail(r, "its parts are none");
}

status audio_manifest_read(audio_manifest *out, const sea_crypto *crypto, arena *a, slice text_in,
                           const char **why)
{
    json_bounds bounds = { DEPTH_MAX, 1 << 16 };
    reading r = { .crypto = crypto, .a = a, .to = out, .how = STATUS_OK };
    status s;

    *why = "it is no JSON";
    *out = (audio_manifest){ .bytes = 0 };
    s = json_read(&r.j, a, text_in, &bounds);
    if (s != STATUS_OK) return s;
    if (r.j.tokens[0].type != JSON_OBJECT) return STATUS_MALFORMED;
    if (!read_sizes(&r) || !read_names(&r) || !read_sealing(&r) || !read_list(&r)) {
        *why = r.why != NULL ? r.why : "";
        return r.how;
    }
    return STATUS_OK;
}

/* --- parts --- */

static bool read_part(reading *r, slice text_in, const uint8_t *named, uint8_t *to, uint32_t *have)
{
    json_bounds bounds = { DEPTH_MAX, 2 * AUDIO_PART };
    uint8_t hash[AUDIO_HASH];
    const uint8_t *hashes;
    uint32_t count;

    r->crypto->sha256(r->crypto->context, text_in, hash);
    if (memcmp(hash, named, sizeof hash) != 0) return fail(r, "a part is not the one it names");
    r->how = json_read(&r->j, r->a, text_in, &bounds);
    if (r->how != STATUS_OK) return fail(r, "a part is no JSON");
    if (!read_hashes(r, 0, AUDIO_PART, &hashes, &count)) return false;
    if (count > r->to->count - *have) return fail(r, "its parts hold more hashes than \"n\"");
    memcpy(to + (size_t)*have * AUDIO_HASH, hashes, (size_t)count * AUDIO_HASH);
    *have += count;
    return true;
}

status audio_manifest_join(audio_manifest *m, const sea_crypto *crypto, arena *a,
                           const slice *texts, const char **why)
{
    reading r = { .crypto = crypto, .a = a, .to = m, .how = STATUS_OK };
    uint8_t *hashes = take(&r, (size_t)m->count * AUDIO_HASH);
    uint32_t have = 0;
    bool good = hashes != NULL;

    for (uint32_t i = 0; good && i < m->part_count; ++i)
        good = read_part(&r, texts[i], m->parts + (size_t)i * AUDIO_HASH, hashes, &have);
    if (good && have != m->count) good = fail(&r, "its parts hold fewer hashes than \"n\"");
    m->hashes = hashes;
    if (good) good = prove_root(&r);
    if (good) return STATUS_OK;
    m->hashes = NULL;
    *why = r.why != NULL ? r.why : "";
    return r.how;
}

/* --- printing --- */

static void add_number(text *t, const char *name, double x)
{
    text_add(t, (slice){ name, strlen(name) });
    text_add_number(t, x);
}

static void add_hex(text *t, const char *name, const uint8_t *hash)
{
    char hex[AUDIO_ROOT];

    audio_hex(hash, hex);
    text_add(t, (slice){ name, strlen(name) });
    text_add(t, (slice){ hex, sizeof hex });
    text_add_char(t, '"');
}

static void add_hashes(text *t, const uint8_t *hashes, uint32_t count)
{
    char spelled[BASE64_LEN_32];

    text_add_char(t, '[');
    for (uint32_t i = 0; i < count; ++i) {
        base64_print32(hashes + (size_t)i * AUDIO_HASH, spelled);
        text_add(t, i > 0 ? SLICE(",\"") : SLICE("\""));
        text_add(t, (slice){ spelled, sizeof spelled });
        text_add_char(t, '"');
    }
    text_add_char(t, ']');
}

static status print_parts(text *t, const audio_manifest *m, const sea_crypto *crypto,
                          audio_part_hear *hear, void *context)
{
    uint32_t parts = (m->count + AUDIO_PART - 1) / AUDIO_PART;
    uint8_t *hashes = malloc((size_t)parts * AUDIO_HASH);
    status s = hashes != NULL ? STATUS_OK : STATUS_NO_MEMORY;

    for (uint32_t i = 0; s == STATUS_OK && i < parts; ++i) {
        uint32_t from = i * AUDIO_PART, count = m->count - from;
        text part = { 0 };

        add_hashes(&part, m->hashes + (size_t)from * AUDIO_HASH,
                   count < AUDIO_PART ? count : AUDIO_PART);
        if (text_ok(&part))
            crypto->sha256(crypto->context, text_slice(&part), hashes + (size_t)i * AUDIO_HASH);
        if (!text_ok(&part)) s = STATUS_NO_MEMORY;
        if (s == STATUS_OK && !hear(context, text_slice(&part))) s = STATUS_IO;
        text_free(&part);
    }
    text_add(t, SLICE(",\"parts\":"));
    if (s == STATUS_OK) add_hashes(t, hashes, parts);
    free(hashes);
    return s;
}

status audio_manifest_print(text *t, const audio_manifest *m, const sea_crypto *crypto,
                            audio_part_hear *hear, void *context)
{
    status s = STATUS_OK;

    text_add(t, SLICE("{\"v\":1,\"mime\":"));
    json_print_name(t, m->mime);
    add_number(t, ",\"bytes\":", (double)m->bytes);
    add_number(t, ",\"chunk\":", m->chunk);
    add_number(t, ",\"span\":", m->span);
    add_number(t, ",\"n\":", m->count);
    add_number(t, ",\"seg\":", AUDIO_SEGMENT);
    add_hex(t, ",\"root\":\"", m->root);
    if (m->has_sha256) add_hex(t, ",\"sha256\":\"", m->sha256);
    if (m->count > AUDIO_PART) {
        s = print_parts(t, m, crypto, hear, context);
    } else {
        text_add(t, SLICE(",\"h\":"));
        add_hashes(t, m->hashes, m->count);
    }
    text_add_char(t, '}');
    return s == STATUS_OK && !text_ok(t) ? STATUS_NO_MEMORY : s;
}
