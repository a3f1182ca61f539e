/* upload_part.c - see upload_part.h. */
#include "server/upload_part.h"

#include "core/json.h"
#include "core/utf16.h"

enum {
    SEARCH_ROWS = 256,
    SEARCH_BYTES = 16 << 20,
    MANIFEST_ROOM = 16 << 20, /* to take one apart */
};

typedef struct search {
    const sea_crypto *crypto;
    uint8_t hash[AUDIO_HASH];
    size_t rows, bytes;
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

static bool look_in_row(void *context, const graph_row *row)
{
    search *f = context;
    arena a = arena_make(MANIFEST_ROOM);
    slice name;
    text utf8 = { 0 };

    /* Other parts begin with a bracket. */
    if (slice_begins(row->value, SLICE("\"{")) &&
        json_unescape((slice){ row->value.at + 1, row->value.len - 2 }, &a, &name) == STATUS_OK) {
        utf16_to_utf8(&utf8, name);
        if (text_ok(&utf8)) look_in_manifest(f, text_slice(&utf8), &a);
    }
    text_free(&utf8);
    arena_free(&a);
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
    return g->scan(g->context, (slice){ soul, audio_manifest_soul(soul, root) }, &all, look_in_row,
                   &f) == STATUS_OK &&
           f.found;
}
