/* audio_http.c - see audio_http.h. */
#include "server/audio_http.h"

#include "core/base64.h"
#include "radisk/raw.h"
#include "server/audio_stream.h"
#include "server/audio_text.h"

#include <inttypes.h>
#include <sodium/utils.h>
#include <stdlib.h>

#define INERT "sandbox; default-src 'none'"
/* What a page of another origin may read of an answer. */
#define EXPOSED                                                                                    \
    "Accept-Ranges: bytes\r\n"                                                                     \
    "Access-Control-Expose-Headers: Accept-Ranges, Content-Range, Content-Length, "                \
    "Content-Location, ETag\r\n"
#define FOR_EVER "public, max-age=31536000, immutable"

static const slice audio_lead = { "/audio/", sizeof "/audio/" - 1 };
static const slice chunk_lead = { "/chunk/", sizeof "/chunk/" - 1 };

bool audio_owns(slice path)
{
    return slice_begins(path, audio_lead) || slice_begins(path, chunk_lead) ||
           slice_equal(path, SLICE("/audio"));
}

/* ---- names in addresses ---- */

void audio_print_url_hash(const uint8_t hash[static AUDIO_HASH],
                          char out[static AUDIO_URL_HASH + 1])
{
    sodium_bin2base64(out, AUDIO_URL_HASH + 1, hash, AUDIO_HASH,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* In a query a "+" that nobody wrote as %2B has become a space. */
bool audio_url_hash(slice from, uint8_t out[static AUDIO_HASH])
{
    char key[BASE64_LEN_32];

    if (from.len == AUDIO_ROOT) return audio_hash_read(from, out);
    if (from.len != AUDIO_URL_HASH && from.len != BASE64_LEN_32) return false;
    for (size_t i = 0; i < AUDIO_URL_HASH; i++) {
        char c = from.at[i];
        key[i] = c == '-' || c == ' ' ? '+' : c == '_' ? '/' : c;
    }
    key[AUDIO_URL_HASH] = from.len == AUDIO_URL_HASH ? '=' : from.at[AUDIO_URL_HASH];
    return audio_hash_read((slice){ key, sizeof key }, out);
}

/* ---- what is asked for ---- */

typedef enum part { THE_TRACK, THE_PREVIEW, THE_BITMAP, THE_TEXT, THE_CHUNK } part;

typedef struct asked {
    part part;
    uint8_t root[AUDIO_HASH]; /* of a chunk its hash */
    bool names_manifest;
    uint8_t manifest[AUDIO_HASH];
} asked;

static bool read_path(slice path, asked *out)
{
    slice rest;

    if (slice_begins(path, chunk_lead)) {
        out->part = THE_CHUNK;
        return audio_url_hash((slice){ path.at + chunk_lead.len, path.len - chunk_lead.len },
                              out->root);
    }
    if (path.len < audio_lead.len + AUDIO_ROOT ||
        !audio_root_read((slice){ path.at + audio_lead.len, AUDIO_ROOT }, out->root))
        return false;
    rest = (slice){ path.at + audio_lead.len + AUDIO_ROOT, path.len - audio_lead.len - AUDIO_ROOT };
    out->part = slice_equal(rest, SLICE("/preview")) ? THE_PREVIEW
                : slice_equal(rest, SLICE("/have"))  ? THE_BITMAP
                : slice_equal(rest, SLICE("/m"))     ? THE_TEXT
                                                     : THE_TRACK;
    return out->part != THE_TRACK || rest.len == 0;
}

/* False: there is an `m` and it is no hash. */
static bool read_query(struct lws *wsi, asked *out)
{
    char words[4096];

    for (int n = 0; lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, n) > 0; n++) {
        int len = lws_hdr_copy_fragment(wsi, words, sizeof words, WSI_TOKEN_HTTP_URI_ARGS, n);

        if (len < 2 || words[0] != 'm' || words[1] != '=') continue;
        out->names_manifest = true;
        return audio_url_hash((slice){ words + 2, (size_t)len - 2 }, out->manifest);
    }
    return true;
}

static int answer(server *s, visitor *v, struct lws *wsi, reply *r, int code, const char *words)
{
    reply_say(r, code, words);
    return reply_send(s, v, wsi, r);
}

/* ---- conditions and ranges ---- */

static slice header_of(struct lws *wsi, enum lws_token_indexes name, char *room, size_t bytes)
{
    int len = lws_hdr_copy(wsi, room, (int)bytes, name);

    return (slice){ room, len > 0 ? (size_t)len : 0 };
}

/* A date never fits: what is served has none but its tag. */
static bool range_still_fits(struct lws *wsi, const char *etag)
{
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_IF_RANGE) == 0) return true;
    return reply_tag_listed(wsi, WSI_TOKEN_HTTP_IF_RANGE, etag, false);
}

/* A range is for GET (RFC 9110, 14.2). One that is longer than any number of bytes
 * can be is many ranges, and those are answered with the whole. */
static audio_range_kind read_range(struct lws *wsi, const reply *r, uint64_t bytes,
                                   audio_range *out)
{
    char words[128];

    *out = (audio_range){ 0, bytes - 1 };
    if (r->head || !range_still_fits(wsi, r->etag)) return AUDIO_RANGE_WHOLE;
    return audio_range_read(header_of(wsi, WSI_TOKEN_HTTP_RANGE, words, sizeof words), bytes, out);
}

/* Decides by conditions, in their order (RFC 9110, 13.2.2), what is said instead;
 * 0: go on. */
static int condition(struct lws *wsi, const reply *r)
{
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_IF_MATCH) > 0 &&
        !reply_tag_listed(wsi, WSI_TOKEN_HTTP_IF_MATCH, r->etag, false))
        return 412;
    return reply_tag_listed(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, r->etag, true) ? 304 : 0;
}

static size_t print_range(char *out, size_t room, audio_range_kind kind, const audio_range *range,
                          uint64_t bytes)
{
    int len = 0;

    if (kind == AUDIO_RANGE_PART)
        len = snprintf(out, room, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n",
                       range->first, range->last, bytes);
    if (kind == AUDIO_RANGE_NONE)
        len = snprintf(out, room, "Content-Range: bytes */%" PRIu64 "\r\n", bytes);
    return (size_t)len;
}

/* ---- a track ---- */

/* What it is, if that is harmless. Parameters ("; codecs=opus", as recordings in
 * browsers have it) are left out: players do without, and they could say anything. */
static void print_type(char out[static AUDIO_TYPE_MAX + 1], const audio_track *t, bool plain)
{
    slice mime = t->manifest.mime;
    const char *end = memchr(mime.at, ';', mime.len);

    if (end != NULL) mime.len = (size_t)(end - mime.at);
    while (mime.len > 0 && mime.at[mime.len - 1] == ' ') mime.len--;
    if ((t->manifest.sealed && !plain) || !audio_type_is_safe(mime))
        mime = SLICE("application/octet-stream");
    memcpy(out, mime.at, mime.len);
    out[mime.len] = '\0';
}

/* The address that means this and nothing else. */
static size_t print_location(char *out, size_t room, const audio_track *t, bool plain)
{
    char root[AUDIO_ROOT], name[AUDIO_URL_HASH + 1];

    audio_hex(t->manifest.root, root);
    audio_print_url_hash(t->hash, name);
    return (size_t)snprintf(out, room, "Content-Location: /audio/%.64s%s?m=%s\r\n", root,
                            plain ? "/preview" : "", name);
}

static void print_tag(char out[static STREAM_TAG_MAX], const audio_track *t, bool plain)
{
    char root[AUDIO_ROOT], name[AUDIO_URL_HASH + 1];

    audio_hex(t->manifest.root, root);
    audio_print_url_hash(t->hash, name);
    snprintf(out, STREAM_TAG_MAX, "%.64s-%s%s", root, name, plain ? "-preview" : "");
}

static int serve_track(server *s, visitor *v, struct lws *wsi, const asked *what, audio_answer *a)
{
    uint64_t bytes = audio_answer_bytes(&a->track->manifest, a->plain);
    audio_range range;
    audio_range_kind kind;
    reply *r = &a->reply;
    size_t len = sizeof EXPOSED - 1;
    int instead;

    r->etag = a->etag;
    r->more = a->more;
    r->csp = INERT;
    r->cache = what->names_manifest ? FOR_EVER : "no-cache";
    r->type = a->type;
    print_type(a->type, a->track, a->plain);
    print_tag(a->etag, a->track, a->plain);
    memcpy(a->more, EXPOSED, sizeof EXPOSED);
    len += print_location(a->more + len, sizeof a->more - len, a->track, a->plain);
    instead = condition(wsi, r);
    kind = instead ? AUDIO_RANGE_WHOLE : read_range(wsi, r, bytes, &range);
    print_range(a->more + len, sizeof a->more - len, kind, &range, bytes);
    r->code = instead                    ? instead
              : kind == AUDIO_RANGE_PART ? 206
              : kind == AUDIO_RANGE_NONE ? 416
                                         : 200;
    if (instead || kind == AUDIO_RANGE_NONE) {
        audio_release(s->audio, a->track);
        r->cache = r->code == 304 ? r->cache : "no-store";
        return reply_send(s, v, wsi, r);
    }
    a->first = range.first;
    a->end = range.last + 1;
    return audio_stream_begin(s, v, wsi, a);
}

static bool has_preview(const audio_manifest *m)
{
    return m->sealed && m->has_preview_key && m->preview > 0 && m->chunk == m->span + AUDIO_SEALED;
}

static int no_track(server *s, visitor *v, struct lws *wsi, reply *r, status how, const char *why)
{
    int len;

    if (how == STATUS_NOT_FOUND) return answer(s, v, wsi, r, 404, "no manifest of this is here\n");
    if (how == STATUS_BUSY) {
        s->counts.audio_crowded++;
        return answer(s, v, wsi, r, 503, "many long manifests are being read; come again\n");
    }
    if (how != STATUS_MALFORMED && how != STATUS_TOO_BIG)
        return answer(s, v, wsi, r, 500, "it could not be read\n");
    reply_say(r, 404, "");
    len = asprintf(&r->owned, "the manifest cannot be served: %s\n", why);
    if (len < 0) r->owned = NULL;
    r->body = (slice){ r->owned, r->owned ? (size_t)len : 0 };
    return reply_send(s, v, wsi, r);
}

static int crowded(server *s, visitor *v, struct lws *wsi, reply *r)
{
    reply no = { .head = r->head };

    s->counts.audio_crowded++;
    return answer(s, v, wsi, &no, 503, "too much is being sent at this moment; come again\n");
}

static int serve(server *s, visitor *v, struct lws *wsi, const asked *what, reply *r)
{
    audio_answer a = { .reply = *r };
    const char *why;
    status found = audio_find(s->audio, what->root, what->names_manifest ? what->manifest : NULL,
                              s->now.steady_ms, &a.track, &why);

    if (found != STATUS_OK) return no_track(s, v, wsi, r, found, why);
    a.plain = what->part == THE_PREVIEW;
    a.bitmap = what->part == THE_BITMAP;
    if (a.bitmap && !reply_has_room(s)) {
        audio_release(s->audio, a.track);
        return crowded(s, v, wsi, r);
    }
    if (a.bitmap) return audio_stream_begin(s, v, wsi, &a);
    if (!a.plain || has_preview(&a.track->manifest)) return serve_track(s, v, wsi, what, &a);
    audio_release(s->audio, a.track);
    return answer(s, v, wsi, r, 404, "this has no preview\n");
}

/* ---- its manifest ---- */

static int serve_text(server *s, visitor *v, struct lws *wsi, const asked *what, reply *r)
{
    if (!reply_has_room(s)) return crowded(s, v, wsi, r);
    if (!audio_text_read(s, what->root, what->names_manifest ? what->manifest : NULL, r))
        return reply_send(s, v, wsi, r);
    r->code = 200;
    r->type = "application/json";
    r->csp = INERT;
    r->cache = what->names_manifest ? FOR_EVER : "no-cache";
    return reply_send(s, v, wsi, r);
}

/* ---- a chunk ---- */

/* It is small: sent from memory of its own, whole or a range of it. */
static int send_chunk(server *s, visitor *v, struct lws *wsi, reply *r, slice bytes, char *more)
{
    size_t len = sizeof EXPOSED - 1;
    audio_range range;
    audio_range_kind kind = read_range(wsi, r, bytes.len, &range);

    memcpy(more, EXPOSED, sizeof EXPOSED);
    len += print_range(more + len, REPLY_MORE_MAX - len, kind, &range, bytes.len);
    more[len] = '\0';
    r->more = more;
    r->code = kind == AUDIO_RANGE_PART ? 206 : kind == AUDIO_RANGE_NONE ? 416 : 200;
    if (kind == AUDIO_RANGE_NONE) {
        r->cache = "no-store";
    } else {
        r->body = (slice){ bytes.at + range.first, (size_t)(range.last - range.first + 1) };
        r->owned = malloc(r->body.len);
        r->cache = r->owned != NULL ? r->cache : "no-store";
        if (r->owned == NULL) return answer(s, v, wsi, r, 500, "out of memory\n");
        memcpy(r->owned, r->body.at, r->body.len);
        r->body.at = r->owned;
    }
    return reply_send(s, v, wsi, r);
}

static int serve_chunk(server *s, visitor *v, struct lws *wsi, const asked *what, reply *r)
{
    char name[AUDIO_ROOT + 1] = "", more[REPLY_MORE_MAX];
    slice bytes;
    status found = radisk_raw_by_hash(s->store, what->root, &bytes);

    if (found == STATUS_NOT_FOUND || found == STATUS_MALFORMED)
        return answer(s, v, wsi, r, 404, "no chunk of this hash is here\n");
    if (found != STATUS_OK) return answer(s, v, wsi, r, 500, "it could not be read\n");
    audio_hex(what->root, name);
    r->etag = name;
    r->type = "application/octet-stream";
    r->csp = INERT;
    r->cache = FOR_EVER;
    r->code = condition(wsi, r);
    if (r->code == 412) r->cache = "no-store";
    if (r->code != 0) return reply_send(s, v, wsi, r);
    if (!reply_has_room(s)) return crowded(s, v, wsi, r);
    return send_chunk(s, v, wsi, r, bytes, more);
}

/* ---- all of it ---- */

int audio_request(server *s, visitor *v, struct lws *wsi, slice path)
{
    asked what = { 0 };
    reply r = { .code = 204, .more = EXPOSED, .methods = AUDIO_METHODS };

    if (reply_objects(wsi, &r)) return reply_send(s, v, wsi, &r);
    if (lws_hdr_total_length(wsi, WSI_TOKEN_OPTIONS_URI) > 0) return reply_send(s, v, wsi, &r);
    if (!read_path(path, &what))
        return answer(s, v, wsi, &r, 404,
                      "audio is named by 64 digits of lower-case hexadecimal\n");
    if (!read_query(wsi, &what))
        return answer(s, v, wsi, &r, 400,
                      "m names a manifest by its hash, in base64 or hexadecimal\n");
    if (what.part == THE_TEXT) return serve_text(s, v, wsi, &what, &r);
    return what.part == THE_CHUNK ? serve_chunk(s, v, wsi, &what, &r) : serve(s, v, wsi, &what, &r);
}
