/* upload_note.c - see upload_note.h. */
#include "server/upload_note.h"

#include "core/base64.h"
#include "core/json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum { FIELDS = 9, VALUE_MAX = 2 * AUDIO_TYPE_MAX + 64 };

static void read_text(text *out, slice utf8)
{
    if (utf8.len > 0) json_print_name(out, utf8);
}

void upload_note_read(upload_note *n, slice title, slice artist)
{
    read_text(&n->title, title);
    read_text(&n->artist, artist);
}

void upload_note_free(upload_note *n)
{
    text_free(&n->title);
    text_free(&n->artist);
    *n = (upload_note){ 0 };
}

bool upload_note_is_there(const upload_note *n)
{
    return n->title.len > 0 || n->artist.len > 0 || n->title.failed || n->artist.failed;
}

void upload_note_soul(const uint8_t root[static AUDIO_HASH], char out[static UPLOAD_TRACK_MAX])
{
    char hex[AUDIO_ROOT];

    audio_hex(root, hex);
    memcpy(out, "tracks/", sizeof "tracks/" - 1);
    memcpy(out + sizeof "tracks/" - 1, hex, 12);
}

/* The node while it is put together. Values are printed into rooms of their own. */
typedef struct printing {
    char soul[UPLOAD_TRACK_MAX];
    double state;
    graph_write writes[FIELDS];
    size_t count;
    char values[FIELDS][VALUE_MAX];
} printing;

static void add(printing *p, slice key, slice value)
{
    assert(p->count < FIELDS);
    p->writes[p->count++] = (graph_write){
        .soul = { p->soul, sizeof p->soul }, .key = key, .value = value, .state = p->state
    };
}

static void add_printed(printing *p, slice key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add_printed(printing *p, slice key, const char *format, ...)
{
    char *at = p->values[p->count];
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vsnprintf(at, VALUE_MAX, format, arguments);
    va_end(arguments);
    assert(len > 0 && len < VALUE_MAX);
    add(p, key, (slice){ at, (size_t)len });
}

/* In the order that the relay gives to a message's writes: by key. */
static void print_node(printing *p, const upload_note *n, const audio_manifest *m,
                       const uint8_t manifest[static AUDIO_HASH], slice mime)
{
    char root[AUDIO_ROOT], sha256[AUDIO_ROOT], key[BASE64_LEN_32];

    audio_hex(m->root, root);
    audio_hex(m->sha256, sha256);
    base64_print32(manifest, key);
    if (n->artist.len > 0) add(p, SLICE("artist"), text_slice(&n->artist));
    add_printed(p, SLICE("audio"), "{\"#\":\"audio/%.64s#m\"}", root);
    add_printed(p, SLICE("bytes"), "%" PRIu64, m->bytes);
    add_printed(p, SLICE("manifest"), "\"%.44s\"", key);
    if (mime.len > 0) add(p, SLICE("mime"), mime);
    add_printed(p, SLICE("root"), "\"%.64s\"", root);
    if (m->has_sha256) add_printed(p, SLICE("sha256"), "\"%.64s\"", sha256);
    if (n->title.len > 0) add(p, SLICE("title"), text_slice(&n->title));
    add_printed(p, SLICE("v"), "1");
}

status upload_note_write(server *s, const upload_note *n, const audio_manifest *m,
                         const uint8_t manifest[static AUDIO_HASH], graph_ticket *ticket)
{
    printing p = { .state = s->now.wall_ms };
    text mime = { 0 };
    status result = STATUS_NO_MEMORY;

    upload_note_soul(m->root, p.soul);
    read_text(&mime, m->mime);
    print_node(&p, n, m, manifest, text_slice(&mime));
    if (text_ok(&n->title) && text_ok(&n->artist) && text_ok(&mime))
        result = relay_write(s->relay, p.writes, p.count, s->now, ticket);
    text_free(&mime);
    return result;
}
