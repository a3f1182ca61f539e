/* upload_ask.c - see upload_ask.h. */
#include "server/upload_ask.h"

#include "core/utf16.h"
#include "server/audio_http.h"

#include <stdlib.h>
#include <strings.h>

bool upload_is_asked(struct lws *wsi)
{
    return lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0 ||
           lws_hdr_total_length(wsi, WSI_TOKEN_PUT_URI) > 0;
}

static int refuse(const char **why, int code, const char *words)
{
    *why = words;
    return code;
}

/* ---- the body ---- */

/* Digits and nothing else; several headers are joined by a comma. */
static bool read_length(const char *words, uint64_t *out)
{
    size_t len = strspn(words, "0123456789");

    if (len == 0 || len > 18 || words[len] != '\0') return false;
    *out = strtoull(words, NULL, 10);
    return true;
}

static int read_body(struct lws *wsi, upload_ask *out, const char **why)
{
    char words[64];
    int len = lws_hdr_copy(wsi, words, sizeof words, WSI_TOKEN_HTTP_CONTENT_LENGTH);

    out->more_comes = true;
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
        return refuse(why, 411, "length: a chunked body is not understood here\n");
    if (len == 0) {
        out->more_comes = false;
        return refuse(why, 411, "length: a Content-Length is needed\n");
    }
    if (len < 0 || !read_length(words, &out->bytes))
        return refuse(why, 400, "length: the Content-Length is no number\n");
    out->more_comes = out->bytes > 0;
    if (out->bytes == 0) return refuse(why, 400, "empty: there is nothing to keep\n");
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_ENCODING) > 0)
        return refuse(why, 415, "type: a Content-Encoding is not undone here\n");
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_EXPECT) == 0) return 0;
    out->expects = lws_hdr_copy(wsi, words, sizeof words, WSI_TOKEN_HTTP_EXPECT) > 0 &&
                   strcasecmp(words, "100-continue") == 0;
    return out->expects ? 0 : refuse(why, 417, "expect: only 100-continue is understood\n");
}

/* ---- the path ---- */

static bool read_index(slice from, uint32_t *out)
{
    *out = 0;
    if (from.len == 0 || from.len > 6 || (from.at[0] == '0' && from.len > 1)) return false;
    for (size_t i = 0; i < from.len; i++) {
        if (from.at[i] < '0' || from.at[i] > '9') return false;
        *out = *out * 10 + (uint32_t)(from.at[i] - '0');
    }
    return true;
}

static int read_path(struct lws *wsi, slice path, upload_ask *out, const char **why)
{
    static const slice lead = { "/audio/", sizeof "/audio/" - 1 };
    bool is_post = lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0;
    size_t head = lead.len + AUDIO_ROOT + 1;
    slice rest;

    if (slice_equal(path, SLICE("/audio")) || is_post) {
        if (!is_post) return refuse(why, 405, "method: a file is sent by POST\n");
        if (slice_equal(path, SLICE("/audio"))) return 0;
        return refuse(why, 405, "method: POST is for /audio; parts of a track are sent by PUT\n");
    }
    if (path.len <= head || !slice_begins(path, lead) || path.at[head - 1] != '/' ||
        !audio_root_read((slice){ path.at + lead.len, AUDIO_ROOT }, out->root))
        return refuse(why, 404, "path: PUT is for /audio/<root>/m and /audio/<root>/<number>\n");
    rest = (slice){ path.at + head, path.len - head };
    out->what = slice_equal(rest, SLICE("m")) ? UPLOAD_A_MANIFEST : UPLOAD_A_CHUNK;
    if (out->what == UPLOAD_A_MANIFEST || read_index(rest, &out->index)) return 0;
    return refuse(why, 404, "path: a chunk has a number, a manifest is m\n");
}

/* ---- what it is ---- */

/* As in RFC 9110, 8.3, but not taken apart: whoever serves it looks at it again. */
static bool is_type(slice mime)
{
    const char *slash = memchr(mime.at, '/', mime.len);

    for (size_t i = 0; i < mime.len; i++)
        if (mime.at[i] < ' ' || mime.at[i] > '~') return false;
    return slash != NULL && slash > mime.at && slash + 1 < mime.at + mime.len;
}

slice upload_type_of(slice name)
{
    static const struct {
        const char *end, *type;
    } types[] = {
        { ".mp3", "audio/mpeg" },  { ".ogg", "audio/ogg" },   { ".oga", "audio/ogg" },
        { ".opus", "audio/ogg" },  { ".flac", "audio/flac" }, { ".wav", "audio/wav" },
        { ".m4a", "audio/mp4" },   { ".aac", "audio/aac" },   { ".weba", "audio/webm" },
        { ".webm", "video/webm" }, { ".mp4", "video/mp4" },   { ".jpg", "image/jpeg" },
        { ".jpeg", "image/jpeg" }, { ".png", "image/png" },   { ".webp", "image/webp" },
        { ".gif", "image/gif" },
    };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t len = strlen(types[i].end);
        if (name.len >= len && strncasecmp(name.at + name.len - len, types[i].end, len) == 0)
            return (slice){ types[i].type, strlen(types[i].type) };
    }
    return SLICE("application/octet-stream");
}

static void set_type(upload_ask *out, slice mime)
{
    memcpy(out->mime, mime.at, mime.len);
    out->mime_len = mime.len;
}

/* A header, unless it is what tools say when nobody told them. */
static int read_type_header(struct lws *wsi, upload_ask *out, const char **why)
{
    char words[512];
    int len = lws_hdr_copy(wsi, words, sizeof words, WSI_TOKEN_HTTP_CONTENT_TYPE);
    slice mime = { words, len > 0 ? (size_t)len : 0 };

    if (slice_begins(mime, SLICE("multipart/")))
        return refuse(why, 415, "type: the file itself is the body, not a form\n");
    if (mime.len == 0 || mime.len > sizeof out->mime || !is_type(mime) ||
        slice_begins(mime, SLICE("application/x-www-form-urlencoded")) ||
        slice_equal(mime, SLICE("application/octet-stream")))
        return 0;
    set_type(out, mime);
    return 0;
}

/* ---- the query ---- */

static int read_note(slice value, char *to, size_t *len, const char **why)
{
    if (value.len > UPLOAD_NOTE_MAX || !utf16_valid_utf8(value))
        return refuse(why, 400, "text: a title, artist or name is UTF-8, of at most 1000 bytes\n");
    memcpy(to, value.at, value.len);
    *len = value.len;
    return 0;
}

static int read_name(upload_ask *out, slice value, const char **why)
{
    if (out->mime_len == 0) set_type(out, upload_type_of(value));
    if (out->title_len > 0) return 0;
    out->is_named = true;
    return read_note(value, out->title, &out->title_len, why);
}

static int read_file_word(upload_ask *out, slice name, slice value, const char **why)
{
    if (slice_equal(name, SLICE("type"))) {
        if (value.len > sizeof out->mime || !is_type(value))
            return refuse(why, 400, "type: a media type is needed, of at most 127 characters\n");
        set_type(out, value);
    }
    if (slice_equal(name, SLICE("sha256"))) {
        out->has_sha256 = audio_url_hash(value, out->sha256);
        if (!out->has_sha256)
            return refuse(why, 400, "sha256: a hash is spelled in hexadecimal or base64\n");
    }
    return slice_equal(name, SLICE("name")) ? read_name(out, value, why) : 0;
}

static int read_word(upload_ask *out, slice name, slice value, const char **why)
{
    if (out->what == UPLOAD_A_CHUNK && slice_equal(name, SLICE("m"))) {
        out->names_manifest = audio_url_hash(value, out->manifest);
        return out->names_manifest ? 0 : refuse(why, 400, "m: it names a manifest by its hash\n");
    }
    if (out->what == UPLOAD_A_CHUNK) return 0;
    if (slice_equal(name, SLICE("artist")))
        return read_note(value, out->artist, &out->artist_len, why);
    if (slice_equal(name, SLICE("title"))) {
        out->is_named = false;
        return read_note(value, out->title, &out->title_len, why);
    }
    return out->what == UPLOAD_A_FILE ? read_file_word(out, name, value, why) : 0;
}

/* libwebsockets has taken the query apart, and the percent signs out of it. */
static int read_query(struct lws *wsi, upload_ask *out, const char **why)
{
    char words[4096];
    int code = 0;

    for (int n = 0; code == 0 && lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, n) > 0;
         n++) {
        int len = lws_hdr_copy_fragment(wsi, words, sizeof words, WSI_TOKEN_HTTP_URI_ARGS, n);
        const char *equals = len > 0 ? memchr(words, '=', (size_t)len) : NULL;

        if (len < 0) return refuse(why, 400, "query: a word of it is too long\n");
        if (equals == NULL || equals + 1 == words + len) continue;
        code = read_word(out, (slice){ words, (size_t)(equals - words) },
                         (slice){ equals + 1, (size_t)(words + len - equals - 1) }, why);
    }
    return code;
}

int upload_ask_read(struct lws *wsi, slice path, upload_ask *out, const char **why)
{
    int code;

    *out = (upload_ask){ .what = UPLOAD_A_FILE };
    code = read_body(wsi, out, why);
    if (code == 0) code = read_path(wsi, path, out, why);
    if (code == 0 && out->what == UPLOAD_A_FILE) code = read_type_header(wsi, out, why);
    if (code == 0) code = read_query(wsi, out, why);
    if (code == 0 && out->mime_len == 0) set_type(out, SLICE("application/octet-stream"));
    return code;
}
