/* line_root.c - see line_root.h. */
#include "server/line_root.h"

#include "core/audio.h"
#include "core/json.h"
#include "server/crypto.h"
#include "server/lines.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { ARENA_BYTES = 16 << 20 };

__attribute__((format(printf, 2, 3))) static void add(text *out, const char *format, ...)
{
    char at[128];
    va_list arguments;

    va_start(arguments, format);
    int len = vsnprintf(at, sizeof at, format, arguments);
    va_end(arguments);
    text_add(out, (slice){ at, (size_t)len });
}

/* ---- the manifest ---- */

typedef struct manifest_search {
    slice soul;
    text mime;
    uint64_t rows; /* of the soul: manifests, parts, whatever strangers put there */
    uint64_t bytes;
    uint32_t count;
    bool found;
} manifest_search;

static bool read_manifest(slice value, arena *a, manifest_search *f)
{
    audio_manifest m;
    const char *why;
    text utf8 = { 0 };
    bool read = json_unescape_utf8((slice){ value.at + 1, value.len - 2 }, a, &utf8) == STATUS_OK &&
                audio_manifest_read(&m, crypto_hashing(), a, text_slice(&utf8), &why) == STATUS_OK;
    if (read) {
        f->bytes = m.bytes;
        f->count = m.count;
        text_add(&f->mime, m.mime);
    }
    text_free(&utf8);
    return read;
}

static bool look_at_row(void *context, const view_row *row)
{
    manifest_search *f = context;
    arena a = arena_make(ARENA_BYTES);

    if (!slice_equal(row->soul, f->soul)) return false;
    f->rows += row->held ? 0 : 1;
    if (!f->found && !row->held && !row->damaged && slice_begins(row->value, SLICE("\"{")))
        f->found = read_manifest(row->value, &a, f);
    arena_free(&a);
    return true;
}

static void print_manifest(text *out, const manifest_search *f, uint64_t rows)
{
    if (f->found) {
        text_add(out, SLICE(",\"mime\":"));
        json_print_name(out, text_slice(&f->mime));
        add(out, ",\"bytes\":%" PRIu64, f->bytes);
    }
    add(out, ",\"chunks\":%" PRIu64, rows > f->rows ? rows - f->rows : 0);
    if (f->found) add(out, ",\"of\":%" PRIu32, f->count);
}

static status add_manifest(text *out, radisk_view *v, const view_root *root)
{
    char soul[AUDIO_SOUL_MAX];
    manifest_search f = { .soul = { soul, 0 } };

    if (root->root.len != ROOT_BYTES) return STATUS_OK;
    f.soul.len = audio_manifest_soul(soul, (const uint8_t *)root->root.at);
    status s = view_rows(v, f.soul, look_at_row, &f);
    print_manifest(out, &f, root->is.rows);
    text_free(&f.mime);
    return s;
}

/* ---- the line ---- */

static void print_key(text *out, const root_key *root)
{
    char prefix[ROOT_PREFIX_MAX];
    size_t len = root_prefix(root, prefix), lead = sizeof "audio/" - 1;

    text_add(out, root->len == ROOT_BYTES ? SLICE("{\"root\":") : SLICE("{\"upload\":"));
    json_print_name(out, (slice){ prefix + lead, len - lead - 1 });
}

static void print_record(text *out, const root_record *is, double now_ms)
{
    double ago = (now_ms - is->seen_ms) / 1000;

    if (is->charged.len > 0) {
        text_add(out, SLICE(",\"charged\":"));
        json_print_name(out, payer_slice(&is->charged));
    }
    add(out, ",\"seen\":%.0f}\n", ago > 0 ? ago : 0);
}

static void print_pins(text *out, const view_root *root)
{
    slice rest = root->pins;
    bool first = root->pinned_ms == 0;

    text_add(out, first ? SLICE(",\"pins\":[") : SLICE(",\"pins\":[\"operator\""));
    while (rest.len > 0) {
        const char *end = memchr(rest.at, ' ', rest.len);
        slice one = { rest.at, end == NULL ? rest.len : (size_t)(end - rest.at) };
        if (!first) text_add_char(out, ',');
        first = false;
        json_print_name(out, one);
        rest = (slice){ rest.at + one.len, rest.len - one.len };
        if (rest.len > 0) rest = (slice){ rest.at + 1, rest.len - 1 };
    }
    text_add_char(out, ']');
}

status line_root(text *out, radisk_view *v, const view_root *root, double now_ms)
{
    print_key(out, &root->root);
    status s = add_manifest(out, v, root);
    add(out, ",\"rows\":%" PRIu64 ",\"stored\":%" PRIu64 ",\"links\":%" PRIu64, root->is.rows,
        root->is.bytes, root->links);
    print_pins(out, root);
    print_record(out, &root->is, now_ms);
    return s;
}

void line_gone(text *out, const root_key *root, const root_record *is, double now_ms)
{
    print_key(out, root);
    add(out, ",\"rows\":%" PRIu64 ",\"stored\":%" PRIu64, is->rows, is->bytes);
    print_record(out, is, now_ms);
}

/* ---- the last line ---- */

static const char *yes_or_no(bool is)
{
    return is ? "true" : "false";
}

void line_pinned(text *out, status how, bool on, bool was)
{
    if (how == STATUS_OK)
        line_done(out, ",\"pinned\":%s,\"before\":%s", yes_or_no(on), yes_or_no(was));
    else
        line_error(out, "it could not be written: %s", status_text(how));
}

void line_collected(text *out, status how, const radisk_gone *gone, bool dry_run)
{
    if (how == STATUS_OK)
        line_done(out,
                  ",\"roots\":%" PRIu64 ",\"rows\":%" PRIu64 ",\"stored\":%" PRIu64
                  ",\"dry_run\":%s",
                  gone->roots, gone->rows, gone->bytes, yes_or_no(dry_run));
    else
        line_error(out, "it was cut short: %s; begin again", status_text(how));
}
