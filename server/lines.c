/* lines.c - see lines.h. */
#include "server/lines.h"

#include "core/json.h"
#include "core/number.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static void add_number(text *out, double x)
{
    char at[NUMBER_TEXT_MAX];

    text_add(out, (slice){ at, number_print(at, x) });
}

static void add_names(text *out, slice soul, slice key)
{
    text_add(out, SLICE("{\"#\":"));
    json_print_name(out, soul);
    if (key.len == 0) return;
    text_add(out, SLICE(",\".\":"));
    json_print_name(out, key);
}

void line_row(text *out, const view_row *row)
{
    add_names(out, row->soul, row->key);
    text_add(out, SLICE(",\":\":"));
    text_add(out, row->value);
    text_add(out, SLICE(",\">\":"));
    add_number(out, row->state);
    if (row->held) text_add(out, SLICE(",\"held\":true"));
    text_add(out, SLICE("}\n"));
}

void line_soul(text *out, slice soul)
{
    add_names(out, soul, (slice){ "", 0 });
    text_add(out, SLICE("}\n"));
}

void line_floor(text *out, const view_floor *floor)
{
    add_names(out, floor->soul, floor->key);
    if (floor->prefix) text_add(out, SLICE(",\"prefix\":true"));
    text_add(out, SLICE(",\"floor\":"));
    add_number(out, floor->floor);
    text_add(out, SLICE("}\n"));
}

static void add_formatted(text *out, const char *format, va_list arguments)
{
    char at[1024];
    int len = vsnprintf(at, sizeof at, format, arguments);

    if (len < 0) len = 0;
    if ((size_t)len >= sizeof at) len = (int)sizeof at - 1;
    text_add(out, (slice){ at, (size_t)len });
}

void line_error(text *out, const char *format, ...)
{
    text said = { 0 };
    va_list arguments;

    va_start(arguments, format);
    add_formatted(&said, format, arguments);
    va_end(arguments);
    text_add(out, SLICE("{\"err\":"));
    json_print_name(out, text_slice(&said));
    text_add(out, SLICE("}\n"));
    out->failed |= said.failed;
    text_free(&said);
}

void line_done(text *out, const char *format, ...)
{
    va_list arguments;

    text_add(out, SLICE("{\"done\":true"));
    va_start(arguments, format);
    add_formatted(out, format, arguments);
    va_end(arguments);
    text_add(out, SLICE("}\n"));
}

void line_backed_up(text *out, const backup_counts *c)
{
    char hash[STORE_HASH_TEXT];

    store_hash_text(&c->hash, hash);
    line_done(out,
              ",\"rows\":%" PRIu64 ",\"held\":%" PRIu64 ",\"floors\":%" PRIu64 ",\"pins\":%" PRIu64
              ",\"damaged\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"hash\":\"%s\"",
              c->rows, c->held, c->floors, c->pins, c->damaged, c->bytes, hash);
}

void line_stat(text *out, const radisk_stats *s, const char *trouble)
{
    const struct {
        const char *name;
        uint64_t value;
    } figures[] = { { "souls", s->souls },
                    { "rows", s->rows },
                    { "held", s->held },
                    { "blobs", s->blobs },
                    { "overlay_rows", s->overlay_rows },
                    { "overlay_bytes", s->overlay_bytes },
                    { "unfolded_bytes", s->unfolded_bytes },
                    { "segment", s->segment },
                    { "batches", s->batches },
                    { "batches_failed", s->batches_failed },
                    { "records", s->records },
                    { "rows_journaled", s->rows_journaled },
                    { "journal_bytes", s->journal_bytes },
                    { "blob_bytes", s->blob_bytes },
                    { "sync_us_last", s->sync_us_last },
                    { "sync_us_max", s->sync_us_max },
                    { "folds", s->folds },
                    { "folds_failed", s->folds_failed },
                    { "rows_folded", s->rows_folded },
                    { "rows_written", s->rows_written },
                    { "transactions", s->transactions },
                    { "fold_us_last", s->fold_us_last },
                    { "fold_us_max", s->fold_us_max },
                    { "hashed_bytes", s->hashed_bytes },
                    { "rows_expired", s->rows_expired },
                    { "collected_bytes", s->collected_bytes },
                    { "roots", s->roots },
                    { "roots_collected", s->roots_collected },
                    { "rows_collected", s->rows_collected },
                    { "damaged_rows", s->damaged_rows },
                    { "replayed_rows", s->replayed_rows },
                    { "replay_us", s->replay_us },
                    { "map_bytes_used", s->map_bytes_used },
                    { "map_bytes_max", s->map_bytes_max } };
    char at[64];

    text_add(out, SLICE("{\"done\":true"));
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        int len = snprintf(at, sizeof at, ",\"%s\":%" PRIu64, figures[i].name, figures[i].value);
        text_add(out, (slice){ at, (size_t)len });
    }
    text_add(out, SLICE(",\"trouble\":"));
    json_print_name(out, (slice){ trouble, strlen(trouble) });
    text_add(out, SLICE("}\n"));
}
