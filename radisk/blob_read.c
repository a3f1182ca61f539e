/* blob_read.c - see blob.h: reading, by anybody who has a reader of his own. */
#include "radisk/blob_inside.h"

#include <stdlib.h>

/* A walk over a node meets few segments; what is not used goes first. */
enum { HANDLES = 16 };

typedef struct open_segment {
    uint64_t number; /* 0: none */
    int handle;
    uint64_t used;
} open_segment;

struct blob_reader {
    const files *files;
    open_segment open[HANDLES];
    uint64_t clock;
};

status blob_reader_new(blob_reader **out, const files *f)
{
    blob_reader *r = calloc(1, sizeof *r);

    if (r == NULL) return STATUS_NO_MEMORY;
    r->files = f;
    *out = r;
    return STATUS_OK;
}

static void drop(blob_reader *r, open_segment *s)
{
    if (s->number != 0) r->files->close(r->files->context, s->handle);
    *s = (open_segment){ 0 };
}

void blob_reader_free(blob_reader *r)
{
    if (r == NULL) return;
    for (size_t i = 0; i < HANDLES; i++) drop(r, &r->open[i]);
    free(r);
}

void blob_reader_drop(blob_reader *r, uint64_t segment)
{
    for (size_t i = 0; i < HANDLES; i++)
        if (r->open[i].number == segment) drop(r, &r->open[i]);
}

static open_segment *oldest(blob_reader *r)
{
    open_segment *best = &r->open[0];

    for (size_t i = 1; i < HANDLES; i++)
        if (r->open[i].used < best->used) best = &r->open[i];
    return best;
}

static status handle_of(blob_reader *r, uint64_t number, int *out)
{
    char name[BLOB_NAME];
    open_segment *s = NULL;

    for (size_t i = 0; i < HANDLES; i++)
        if (r->open[i].number == number) s = &r->open[i];
    if (s == NULL) {
        s = oldest(r);
        drop(r, s);
        blob_file_name(name, number);
        status result = r->files->open(r->files->context, name, FILE_READ, &s->handle);
        if (result != STATUS_OK) return result;
        s->number = number;
    }
    s->used = ++r->clock;
    *out = s->handle;
    return STATUS_OK;
}

/* Head and bytes, compared with what they must be. */
static status check(const blob_ref *ref, const blob_place *place, slice record)
{
    char wanted[BLOB_RECORD_HEAD];
    slice bytes = { record.at + BLOB_RECORD_HEAD, place->stored_bytes };

    blob_head(wanted, ref, bytes);
    return memcmp(wanted, record.at, sizeof wanted) == 0 ? STATUS_OK : STATUS_CORRUPT;
}

status blob_read_quick(blob_reader *r, const blob_ref *ref, const blob_place *place, text *to)
{
    size_t whole = BLOB_RECORD_HEAD + (size_t)place->stored_bytes, got = 0;
    int handle;
    status s = handle_of(r, place->segment, &handle);

    if (s != STATUS_OK) return s;
    text_reset(to, SIZE_MAX);
    char *at = text_room(to, whole);
    if (at == NULL) {
        text_free(to);
        return STATUS_NO_MEMORY;
    }
    s = r->files->read(r->files->context, handle, at, whole, place->offset, &got);
    if (s != STATUS_OK) return s;
    if (got < whole) return STATUS_CORRUPT;
    s = check(ref, place, (slice){ at, whole });
    if (s != STATUS_OK) return s;
    memmove(at, at + BLOB_RECORD_HEAD, place->stored_bytes);
    to->len = place->stored_bytes;
    return STATUS_OK;
}

/* The name is proved by making it again from the text. */
static status prove(const blob_ref *ref, const text *stored)
{
    text value = { 0 };
    blob_ref again;
    status s = blob_text(ref, text_slice(stored), &value);

    if (s == STATUS_OK) s = blob_name(&again, text_slice(&value));
    if (s == STATUS_OK && memcmp(&again, ref, sizeof again) != 0) s = STATUS_CORRUPT;
    text_free(&value);
    return s;
}

status blob_read(blob_reader *r, const blob_ref *ref, const blob_place *place, text *to)
{
    status s = blob_read_quick(r, ref, place, to);

    return s == STATUS_OK ? prove(ref, to) : s;
}
