/* audio_text.c - see audio_text.h. */
#include "server/audio_text.h"

#include "core/base64.h"
#include "core/json.h"

#include <stdlib.h>

/* As much as is taken of one by HTTP, spelled as a value. */
enum { VALUE_MAX = 2 << 20, ARENA_MAX = 64 << 20 };

/* The characters of a value that is a string of JSON, and not empty. */
static status decode(slice value, text *out)
{
    arena a = arena_make(ARENA_MAX);
    status s = STATUS_NOT_FOUND;

    if (value.len > 2 && value.at[0] == '"')
        s = json_unescape_utf8((slice){ value.at + 1, value.len - 2 }, &a, out);
    arena_free(&a);
    return s;
}

/* A key may spell its hash in either way. */
static status look(server *s, slice soul, const uint8_t hash[static AUDIO_HASH], graph_row *row)
{
    graph *g = radisk_graph(s->store);
    char key[AUDIO_ROOT];
    status found;

    base64_print32(hash, key);
    found = g->look(g->context, soul, (slice){ key, BASE64_LEN_32 }, row);
    if (found != STATUS_NOT_FOUND) return found;
    audio_hex(hash, key);
    return g->look(g->context, soul, (slice){ key, AUDIO_ROOT }, row);
}

static status read_text(server *s, const uint8_t root[static AUDIO_HASH],
                        const uint8_t hash[static AUDIO_HASH], text *out)
{
    const sea_crypto *c = crypto_table(s->crypto);
    char soul[AUDIO_SOUL_MAX];
    uint8_t is[AUDIO_HASH];
    graph_row row;
    status found = look(s, (slice){ soul, audio_manifest_soul(soul, root) }, hash, &row);

    if (found != STATUS_OK) return found;
    if (row.value.len > VALUE_MAX) return STATUS_TOO_BIG;
    found = decode(row.value, out);
    if (found != STATUS_OK) return found;
    c->sha256(c->context, text_slice(out), is);
    return memcmp(is, hash, sizeof is) == 0 ? STATUS_OK : STATUS_CORRUPT;
}

bool audio_text_read(server *s, const uint8_t root[static AUDIO_HASH], const uint8_t *named,
                     reply *r)
{
    uint8_t hash[AUDIO_HASH];
    audio_track *track;
    const char *why;
    text out = { 0 };
    status found = STATUS_OK;

    if (named == NULL) {
        found = audio_find(s->audio, root, NULL, s->now.steady_ms, &track, &why);
        if (found == STATUS_OK) memcpy(hash, track->hash, sizeof hash);
        if (found == STATUS_OK) audio_release(s->audio, track);
    } else {
        memcpy(hash, named, sizeof hash);
    }
    if (found == STATUS_OK) found = read_text(s, root, hash, &out);
    if (found == STATUS_OK) {
        r->owned = out.at;
        r->body = text_slice(&out);
        return true;
    }
    text_free(&out);
    if (found == STATUS_NOT_FOUND)
        reply_say(r, 404, "no manifest of this is here\n");
    else if (found == STATUS_TOO_BIG)
        reply_say(r, 404, "what stands there is too long for a manifest\n");
    else if (found == STATUS_BUSY)
        reply_say(r, 503, "many long manifests are being read; come again\n");
    else
        reply_say(r, 500, "it could not be read\n");
    return false;
}
