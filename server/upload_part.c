/* upload_part.c - see upload_part.h. */
#include "server/upload_part.h"

#include "core/base64.h"
#include "core/json.h"

enum {
    /* The manifest and the parts of the largest track are 257; strangers may add to them. */
    SEARCH_ROWS = 2048,
    SEARCH_BYTES = 32 << 20,
    READ_BYTES = 1 << 20,     /* of those in which the part may be named: these are taken apart */
    MANIFEST_ROOM = 16 << 20, /* to take one apart */
};

typedef struct search {
    const sea_crypto *crypto;
    uint8_t hash[AUDIO_HASH];
    char name[BASE64_LEN_32];
    size_t rows, bytes, read;
    bool found;
} search;

static void look_in_manifest(search *f, slice utf8, arena *a)
{
    audio_manifest m;
    const char *why;

    if (audio_manifest_read(&m, f->crypto, a, utf8, &why) != STATUS_OK) return;
    for (uint32_t i = 0; i < m.part_count && !f->found; i++)
        f->found = memcmp(m.parts + (size_t)i * AUDIO_HASH, f->hash, AUDIO_HASH) == 0;
}

/* To take one apart costs a hundred times what it costs to see that there is no point in
 * it. A slash of the name may be spelled with a backslash, which a value has twice. */
static bool may_name(search *f, slice value)
{
    /* Other parts begin with a bracket. */
    if (!slice_begins(value, SLICE("\"{")) || f->read + value.len > READ_BYTES) return false;
    if (memmem(value.at, value.len, f->name, sizeof f->name) == NULL &&
        memmem(value.at, value.len, "\\\\/", 3) == NULL)
        return false;
    f->read += value.len;
    return true;
}

static void look_in_text(search *f, slice value)
{
    arena a = arena_make(MANIFEST_ROOM);
    text utf8 = { 0 };

    if (json_unescape_utf8((slice){ value.at + 1, value.len - 2 }, &a, &utf8) == STATUS_OK)
        look_in_manifest(f, text_slice(&utf8), &a);
    text_free(&utf8);
    arena_free(&a);
}

static bool look_in_row(void *context, const graph_row *row)
{
    search *f = context;

    if (may_name(f, row->value)) look_in_text(f, row->value);
    f->bytes += row->value.len;
    return !f->found && ++f->rows < SEARCH_ROWS && f->bytes < SEARCH_BYTES;
}

bool upload_part_is_named(server *s, const uint8_t root[static AUDIO_HASH], slice part)
{
    graph *g = radisk_graph(s->store);
    search f = { .crypto = crypto_table(s->crypto) };
    lex_range all = { .has_to = false };
    char soul[AUDIO_SOUL_MAX];

    f.crypto->sha256(f.crypto->context, part, f.hash);
    base64_print32(f.hash, f.name);
    return g->scan(g->context, (slice){ soul, audio_manifest_soul(soul, root) }, &all, look_in_row,
                   &f) == STATUS_OK &&
           f.found;
}
