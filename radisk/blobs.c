/* blobs.c - see blobs.h. */
#include "radisk/blobs.h"

#include "core/keyed.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

/* The overlay's bound on memory allows some thousand blobs at a time. */
enum { BUCKETS = 1 << 12, LENT_KEEP = 1 << 20 };

struct blob_entry {
    generation_blob blob;
    char *bytes; /* as stored; NULL once they are durable */
    uint32_t stored;
    bool in[2]; /* which generation of the pool names it */
    blob_entry *chained;
};

struct blob_store {
    const files *files;
    const uint8_t *secret;
    size_t segment_bytes;
    blob_entry *buckets[BUCKETS];
    blob_reader *reader;
    text decoded;
    size_t bytes;
    uint64_t closing;             /* a segment under collection */
    _Atomic uint64_t next_number; /* of a segment */

    /* the worker's */
    blob_segment segment;
    bool has_segment;
    _Atomic uint64_t writing; /* the number of that segment */
    _Atomic uint64_t written;
    _Atomic uint64_t in_files;
};

status blobs_open(blob_store **out, const files *f, const uint8_t *secret, size_t segment_bytes)
{
    blob_store *b = calloc(1, sizeof *b);

    if (b == NULL) return STATUS_NO_MEMORY;
    b->files = f;
    b->secret = secret;
    b->segment_bytes = segment_bytes;
    b->next_number = 1;
    if (blob_reader_new(&b->reader, f) != STATUS_OK) {
        free(b);
        return STATUS_NO_MEMORY;
    }
    *out = b;
    return STATUS_OK;
}

static void entry_free(blob_entry *e)
{
    free(e->bytes);
    free(e);
}

void blobs_close(blob_store *b)
{
    if (b == NULL) return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (blob_entry *e = b->buckets[i], *next; e != NULL; e = next) {
            next = e->chained;
            entry_free(e);
        }
    if (b->has_segment) blob_close(b->files, &b->segment);
    blob_reader_free(b->reader);
    text_free(&b->decoded);
    free(b);
}

/* ---- batches ---- */

void blob_batch_reset(blob_batch *b)
{
    b->fresh_len = b->patches_len = 0;
}

void blob_batch_free(blob_batch *b)
{
    free(b->fresh);
    free(b->patches);
    *b = (blob_batch){ 0 };
}

static status add_fresh(blob_batch *b, blob_entry *e)
{
    if (b->fresh_len == b->fresh_room) {
        size_t room = b->fresh_room == 0 ? 64 : b->fresh_room * 2;
        blob_entry **more = realloc(b->fresh, room * sizeof *more);
        if (more == NULL) return STATUS_NO_MEMORY;
        b->fresh = more;
        b->fresh_room = room;
    }
    b->fresh[b->fresh_len++] = e;
    return STATUS_OK;
}

status blobs_patch(blob_batch *b, blob_entry *e, size_t at)
{
    if (b->patches_len == b->patches_room) {
        size_t room = b->patches_room == 0 ? 64 : b->patches_room * 2;
        blob_patch *more = realloc(b->patches, room * sizeof *more);
        if (more == NULL) return STATUS_NO_MEMORY;
        b->patches = more;
        b->patches_room = room;
    }
    b->patches[b->patches_len++] = (blob_patch){ e, at };
    return STATUS_OK;
}

/* ---- the table ---- */

static blob_entry **bucket_of(blob_store *b, const uint8_t *hash)
{
    uint64_t h = keyed_hash(b->secret, (slice){ (const char *)hash, BLOB_HASH });

    return &b->buckets[h % BUCKETS];
}

static blob_entry *find(blob_store *b, const uint8_t *hash)
{
    blob_entry *e = *bucket_of(b, hash);

    while (e != NULL && memcmp(e->blob.ref.hash, hash, BLOB_HASH) != 0) e = e->chained;
    return e;
}

static blob_entry *add(blob_store *b, const blob_ref *ref)
{
    blob_entry *e = calloc(1, sizeof *e);
    blob_entry **bucket = bucket_of(b, ref->hash);

    if (e == NULL) return NULL;
    e->blob.ref = *ref;
    e->chained = *bucket;
    *bucket = e;
    return e;
}

static void take_out(blob_store *b, blob_entry *e)
{
    blob_entry **link = bucket_of(b, e->blob.ref.hash);

    while (*link != e) link = &(*link)->chained;
    *link = e->chained;
    if (e->bytes != NULL) b->bytes -= e->stored;
    entry_free(e);
}

/* A copy in a segment that is being collected is none: it is about to move. */
static bool on_disk(blob_store *b, disk *d, const blob_ref *ref, blob_place *place, status *s)
{
    uint64_t refs;

    *s = disk_find_blob(d, ref->hash, place, &refs);
    if (*s == STATUS_OK) return place->segment != b->closing;
    if (*s == STATUS_NOT_FOUND || *s == STATUS_CORRUPT)
        *s = STATUS_OK; /* then it is written anew */
    return false;
}

static status give_bytes(blob_store *b, blob_entry *e, slice value)
{
    slice stored;
    status s = blob_bytes(&e->blob.ref, value, &b->decoded, &stored);

    if (s == STATUS_OK && (e->bytes = malloc(stored.len)) == NULL) s = STATUS_NO_MEMORY;
    if (s == STATUS_OK) {
        memcpy(e->bytes, stored.at, stored.len);
        e->stored = (uint32_t)stored.len;
        b->bytes += stored.len;
    }
    text_reset(&b->decoded, LENT_KEEP);
    return s;
}

static status make(blob_store *b, disk *d, const blob_ref *ref, slice value, blob_batch *batch,
                   blob_entry **out)
{
    blob_place place;
    status s;
    bool known = on_disk(b, d, ref, &place, &s);
    blob_entry *e = s == STATUS_OK ? add(b, ref) : NULL;

    if (e == NULL) return s == STATUS_OK ? STATUS_NO_MEMORY : s;
    if (known) {
        e->blob.place = place;
        e->stored = place.stored_bytes;
    } else {
        s = give_bytes(b, e, value);
        if (s == STATUS_OK) s = add_fresh(batch, e);
    }
    if (s != STATUS_OK) {
        take_out(b, e);
        return s;
    }
    *out = e;
    return STATUS_OK;
}

status blobs_name(blob_store *b, disk *d, slice value, size_t in, blob_batch *batch,
                  blob_entry **out, bool *made)
{
    blob_ref ref;
    status s = blob_name(&ref, value);

    if (s != STATUS_OK) return s;
    *made = false;
    *out = find(b, ref.hash);
    if (*out == NULL) {
        s = make(b, d, &ref, value, batch, out);
        if (s != STATUS_OK) return s;
        *made = true;
    }
    (*out)->in[in] = true;
    return STATUS_OK;
}

void blobs_unname(blob_store *b, blob_batch *batch, blob_entry *e)
{
    if (e->bytes != NULL) {
        assert(batch->fresh_len > 0 && batch->fresh[batch->fresh_len - 1] == e);
        batch->fresh_len--;
    }
    take_out(b, e);
}

status blobs_known(blob_store *b, const blob_ref *ref, const blob_place *place, size_t in,
                   blob_entry **out)
{
    blob_entry *e = find(b, ref->hash);

    if (e == NULL) {
        e = add(b, ref);
        if (e == NULL) return STATUS_NO_MEMORY;
        e->blob.place = *place;
        e->stored = place->stored_bytes;
    }
    e->in[in] = true;
    *out = e;
    return STATUS_OK;
}

const generation_blob *blobs_of(const blob_entry *e)
{
    return &e->blob;
}

blob_entry *blobs_entry(const generation_blob *blob)
{
    return (blob_entry *)((uintptr_t)blob - offsetof(blob_entry, blob));
}

bool blobs_has_place(const blob_entry *e)
{
    return e->bytes == NULL;
}

/* ---- reading ---- */

status blobs_text(blob_store *b, const generation_blob *blob, text *to, slice *out)
{
    const blob_entry *e = blobs_entry(blob);
    slice stored = { e->bytes, e->stored };
    status s = STATUS_OK;

    text_reset(to, LENT_KEEP);
    if (e->bytes != NULL && blob->ref.encoding == BLOB_TEXT) {
        *out = stored;
        return STATUS_OK;
    }
    if (e->bytes == NULL) {
        s = blob_read_quick(b->reader, &blob->ref, &blob->place, &b->decoded);
        stored = text_slice(&b->decoded);
    }
    if (s == STATUS_OK) s = blob_text(&blob->ref, stored, to);
    text_reset(&b->decoded, LENT_KEEP);
    *out = text_slice(to);
    return s;
}

status blobs_text_on_disk(blob_store *b, disk *d, const blob_ref *ref, text *to, slice *out)
{
    blob_place place;
    uint64_t refs;
    const blob_entry *e = find(b, ref->hash);

    if (e != NULL) return blobs_text(b, &e->blob, to, out);
    status s = disk_find_blob(d, ref->hash, &place, &refs);
    text_reset(to, LENT_KEEP);
    if (s == STATUS_OK) s = blob_read_quick(b->reader, ref, &place, &b->decoded);
    if (s == STATUS_OK) s = blob_text(ref, text_slice(&b->decoded), to);
    text_reset(&b->decoded, LENT_KEEP);
    *out = text_slice(to);
    return s == STATUS_NOT_FOUND ? STATUS_CORRUPT : s; /* a row names it, and it is not there */
}

static status stored_of(blob_store *b, const blob_entry *e, text *to, blob_ref *ref, slice *out)
{
    status s = STATUS_OK;

    *ref = e->blob.ref;
    *out = (slice){ e->bytes, e->stored };
    if (e->bytes == NULL) s = blob_read_quick(b->reader, ref, &e->blob.place, to);
    if (e->bytes == NULL) *out = text_slice(to);
    return s;
}

status blobs_stored(blob_store *b, disk *d, const uint8_t hash[static BLOB_HASH], text *to,
                    blob_ref *ref, slice *out)
{
    const blob_entry *e = find(b, hash);
    layout_blob found;

    text_reset(to, LENT_KEEP);
    if (e != NULL) return stored_of(b, e, to, ref, out);
    status s = disk_blob(d, hash, &found);
    if (s == STATUS_OK && found.refs == 0) s = STATUS_NOT_FOUND; /* dead weight */
    if (s == STATUS_OK) s = blob_read_quick(b->reader, &found.ref, &found.place, to);
    if (s == STATUS_OK) *ref = found.ref;
    *out = text_slice(to);
    return s;
}

status blobs_chunk(blob_store *b, disk *d, const uint8_t hash[static BLOB_HASH], text *to,
                   slice *out)
{
    blob_ref ref;
    slice stored;
    status s = blobs_stored(b, d, hash, &b->decoded, &ref, &stored);

    text_reset(to, LENT_KEEP);
    /* What is kept as text is named by all of its JSON, which is nobody's content hash. */
    if (s == STATUS_OK && ref.encoding != BLOB_BASE64) s = STATUS_NOT_FOUND;
    if (s == STATUS_OK) s = blob_text(&ref, stored, to);
    text_reset(&b->decoded, LENT_KEEP);
    *out = text_slice(to);
    return s;
}

/* ---- the worker ---- */

static status open_segment(blob_store *b)
{
    if (b->has_segment && b->segment.bytes < b->segment_bytes) return STATUS_OK;
    if (b->has_segment) blob_close(b->files, &b->segment);
    b->has_segment = false;
    uint64_t number = blobs_new_number(b);
    b->writing = number;
    status s = blob_make(b->files, number, &b->segment);
    b->has_segment = s == STATUS_OK;
    return s;
}

static status write_one(blob_store *b, blob_entry *e)
{
    blob_place place;
    uint64_t before = b->segment.bytes;
    status s =
        blob_append(b->files, &b->segment, &e->blob.ref, (slice){ e->bytes, e->stored }, &place);

    if (s != STATUS_OK) return s;
    e->blob.place = place;
    b->written += b->segment.bytes - before;
    b->in_files += b->segment.bytes - before;
    return STATUS_OK;
}

/* A batch may fill several segments: each is synced before it is left. */
status blobs_write(blob_store *b, blob_batch *batch, char *records)
{
    status s = STATUS_OK;

    for (size_t i = 0; i < batch->fresh_len && s == STATUS_OK; i++) {
        if (b->has_segment && b->segment.bytes >= b->segment_bytes && i > 0)
            s = blob_sync(b->files, &b->segment);
        if (s == STATUS_OK) s = open_segment(b);
        if (s == STATUS_OK) s = write_one(b, batch->fresh[i]);
    }
    if (s == STATUS_OK && batch->fresh_len > 0) s = blob_sync(b->files, &b->segment);
    for (size_t i = 0; i < batch->patches_len && s == STATUS_OK; i++)
        journal_set_place(records + batch->patches[i].at, &batch->patches[i].entry->blob.place);
    if (s != STATUS_OK && b->has_segment) { /* what a failed sync stood for is not known */
        blob_close(b->files, &b->segment);
        b->has_segment = false;
    }
    return s;
}

/* ---- the loop ---- */

void blobs_written(blob_store *b, blob_batch *batch)
{
    for (size_t i = 0; i < batch->fresh_len; i++) {
        blob_entry *e = batch->fresh[i];
        b->bytes -= e->stored;
        free(e->bytes);
        e->bytes = NULL;
    }
    blob_batch_reset(batch);
}

status blobs_failed(blob_store *b, blob_batch *failed, blob_batch *gathered)
{
    status s = STATUS_OK;

    (void)b;
    for (size_t i = 0; i < failed->fresh_len && s == STATUS_OK; i++)
        s = add_fresh(gathered, failed->fresh[i]);
    if (s == STATUS_OK) blob_batch_reset(failed);
    gathered->patches_len = 0;
    return s;
}

void blobs_folded(blob_store *b, size_t in)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (blob_entry *e = b->buckets[i], *next; e != NULL; e = next) {
            next = e->chained;
            e->in[in] = false;
            if (!e->in[0] && !e->in[1] && e->bytes == NULL) take_out(b, e);
        }
}

void blobs_begin_after(blob_store *b, uint64_t number)
{
    if (b->next_number <= number) b->next_number = number + 1;
}

uint64_t blobs_new_number(blob_store *b)
{
    return atomic_fetch_add(&b->next_number, 1);
}

bool blobs_in_use(const blob_store *b, uint64_t number)
{
    if (b->writing == number) return true;
    for (size_t i = 0; i < BUCKETS; i++)
        for (const blob_entry *e = b->buckets[i]; e != NULL; e = e->chained)
            if (e->bytes == NULL && e->blob.place.segment == number) return true;
    return false;
}

void blobs_collect(blob_store *b, uint64_t number)
{
    b->closing = number;
}

void blobs_forget_segment(blob_store *b, uint64_t number)
{
    blob_reader_drop(b->reader, number);
}

uint64_t blobs_file_bytes(const blob_store *b)
{
    return b->in_files;
}

void blobs_count_files(blob_store *b, int64_t bytes)
{
    b->in_files += (uint64_t)bytes;
}

size_t blobs_bytes(const blob_store *b)
{
    return b->bytes;
}

uint64_t blobs_written_bytes(const blob_store *b)
{
    return b->written;
}
