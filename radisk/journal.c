/* journal.c - see journal.h: names, rows, records, segments being written. */
#include "radisk/journal_inside.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium/crypto_generichash.h>
#include <stdio.h>
#include <stdlib.h>

enum { ZEROS = 256 * 1024 };

static const char header_mark[8] = "brasaJ1\n";

/* ---- names ---- */

void journal_file_name(char out[static JOURNAL_NAME], uint64_t number)
{
    (void)snprintf(out, JOURNAL_NAME, "journal/%016" PRIx64 ".log", number);
}

bool journal_file_number(const char *name, uint64_t *number)
{
    uint64_t n = 0;

    for (size_t i = 0; i < 16; i++) {
        char c = name[i];
        if (c >= '0' && c <= '9')
            n = n * 16 + (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            n = n * 16 + (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *number = n;
    return n != 0 && strcmp(name + 16, ".log") == 0;
}

/* ---- numbers and checks ---- */

void journal_put32(char *at, uint32_t n)
{
    for (int i = 0; i < 4; i++) at[i] = (char)(n >> 8 * i & 0xff);
}

void journal_put64(char *at, uint64_t n)
{
    for (int i = 0; i < 8; i++) at[i] = (char)(n >> 8 * i & 0xff);
}

uint32_t journal_get32(const char *at)
{
    uint32_t n = 0;

    for (int i = 4; i-- > 0;) n = n << 8 | (uint8_t)at[i];
    return n;
}

uint64_t journal_get64(const char *at)
{
    return (uint64_t)journal_get32(at + 4) << 32 | journal_get32(at);
}

void journal_key(uint8_t key[static 16], const uint8_t store[static JOURNAL_STORE_ID],
                 uint64_t number)
{
    uint8_t seed[JOURNAL_STORE_ID + 8];

    memcpy(seed, store, JOURNAL_STORE_ID);
    journal_put64((char *)seed + JOURNAL_STORE_ID, number);
    (void)crypto_generichash(key, 16, seed, sizeof seed, NULL, 0);
}

uint32_t journal_head_check(const uint8_t key[static 16], const char *head)
{
    char bytes[20];

    memcpy(bytes, head, 12);
    memcpy(bytes + 12, head + 16, 8);
    return (uint32_t)keyed_hash(key, (slice){ bytes, sizeof bytes });
}

/* The check stands behind what is at the head and before the body, so the head is
 * hashed first and its hash stands where the check will, while the rest is. */
uint64_t journal_check(const uint8_t key[static 16], uint64_t head, slice body)
{
    uint8_t mixed[16];

    memcpy(mixed, key, sizeof mixed);
    for (int i = 0; i < 8; i++) mixed[i] ^= (uint8_t)(head >> 8 * i);
    return keyed_hash(mixed, body);
}

uint64_t journal_head_hash(const uint8_t key[static 16], const char *head)
{
    return keyed_hash(key, (slice){ head, 24 });
}

/* ---- rows and records ---- */

void journal_begin(journal_writer *w, uint32_t flags)
{
    w->record = w->bytes.len;
    w->soul = (slice){ NULL, 0 };
    w->soul_at = 0;
    char *head = text_room(&w->bytes, JOURNAL_RECORD_HEAD);
    if (head == NULL) return;
    memset(head, 0, JOURNAL_RECORD_HEAD);
    memcpy(head, "rec1", 4);
    journal_put32(head + 4, flags);
    w->bytes.len += JOURNAL_RECORD_HEAD;
}

static bool is_same_soul(const journal_writer *w, slice soul)
{
    return w->soul_at != 0 && slice_equal((slice){ w->bytes.at + w->soul_at, w->soul.len }, soul);
}

static void write_blob(char *at, const journal_row *row)
{
    memset(at, 0, JOURNAL_BLOB);
    memcpy(at, row->blob.hash, BLOB_HASH);
    journal_put32(at + 32, row->blob.text_bytes);
    journal_put32(at + 36, row->blob.encoding);
    journal_set_place(at, &row->place);
}

void journal_set_place(char *at, const blob_place *place)
{
    journal_put64(at + 40, place->segment);
    journal_put64(at + 48, place->offset);
    journal_put32(at + 56, place->stored_bytes);
}

void journal_add(journal_writer *w, const journal_row *row)
{
    bool same = is_same_soul(w, row->soul);
    size_t soul_len = same ? 0 : row->soul.len;
    size_t value_len = row->is_blob ? JOURNAL_BLOB : row->value.len;
    char *at = text_room(&w->bytes, JOURNAL_ROW_HEAD + soul_len + row->key.len + value_len);
    uint64_t state;

    if (at == NULL) return;
    at[0] = (char)row->kind;
    at[1] = (char)((same ? JOURNAL_SAME_SOUL : 0) | (row->is_blob ? JOURNAL_IS_BLOB : 0));
    at[2] = at[3] = 0;
    journal_put32(at + 4, (uint32_t)soul_len);
    journal_put32(at + 8, (uint32_t)row->key.len);
    journal_put32(at + 12, (uint32_t)value_len);
    memcpy(&state, &row->state, sizeof state);
    journal_put64(at + 16, state);
    at += JOURNAL_ROW_HEAD;
    if (!same) {
        w->soul_at = (size_t)(at - w->bytes.at);
        w->soul.len = soul_len;
        memcpy(at, row->soul.at, soul_len);
    }
    at += soul_len;
    memcpy(at, row->key.at, row->key.len);
    at += row->key.len;
    if (row->is_blob)
        write_blob(at, row);
    else if (value_len > 0)
        memcpy(at, row->value.at, value_len);
    w->bytes.len = (size_t)(at - w->bytes.at) + value_len;
    w->rows++;
}

size_t journal_blob_at(const journal_writer *w)
{
    return w->bytes.len - JOURNAL_BLOB;
}

void journal_take_back(journal_writer *w, size_t mark, size_t rows)
{
    w->bytes.len = mark;
    w->bytes.failed = false; /* what stands before the mark is whole */
    w->rows = rows;
    w->soul_at = 0;
}

status journal_end(journal_writer *w)
{
    size_t body, padding;
    status s = STATUS_OK;

    if (!text_ok(&w->bytes)) return STATUS_NO_MEMORY;
    body = w->bytes.len - w->record - JOURNAL_RECORD_HEAD;
    if (body > UINT32_MAX) s = STATUS_TOO_BIG;
    padding = (8 - body % 8) % 8;
    char *end = text_room(&w->bytes, 8);
    if (s == STATUS_OK && end == NULL) s = STATUS_NO_MEMORY;
    if (s != STATUS_OK) return s;
    memset(end, 0, padding);
    w->bytes.len += padding;
    journal_put32(w->bytes.at + w->record + 8, (uint32_t)body);
    w->record = w->bytes.len;
    return STATUS_OK;
}

/* ---- segments ---- */

static void fill_header(char at[static JOURNAL_HEADER], const uint8_t *store, uint64_t number,
                        const uint8_t key[static 16])
{
    memset(at, 0, JOURNAL_HEADER);
    memcpy(at, header_mark, 8);
    journal_put64(at + 8, number);
    memcpy(at + 16, store, JOURNAL_STORE_ID);
    journal_put64(at + 32, keyed_hash(key, (slice){ at, 32 }));
}

bool journal_header_is(const char at[static JOURNAL_HEADER],
                       const uint8_t store[static JOURNAL_STORE_ID], uint64_t number,
                       const uint8_t key[static 16])
{
    char wanted[JOURNAL_HEADER];

    fill_header(wanted, store, number, key);
    return memcmp(at, wanted, 40) == 0;
}

static status fill_zeros(const files *f, int handle, uint64_t bytes)
{
    char *zeros = calloc(1, ZEROS);
    status s = zeros == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    for (uint64_t at = 0; s == STATUS_OK && at < bytes; at += ZEROS) {
        size_t len = bytes - at < ZEROS ? (size_t)(bytes - at) : ZEROS;
        s = f->write(f->context, handle, zeros, len, at);
    }
    free(zeros);
    return s;
}

/* A file that another number had. It is renamed first, while its header still says
 * the old number: so at every moment it is either the folded segment it was, or one
 * that does not begin as what its name says. */
static status open_file(const files *f, uint64_t number, uint64_t recycled, uint64_t bytes,
                        int *handle)
{
    char name[JOURNAL_NAME], old[JOURNAL_NAME];
    status s;

    journal_file_name(name, number);
    if (recycled != 0) {
        journal_file_name(old, recycled);
        s = f->rename(f->context, old, name);
        return s == STATUS_OK ? f->open(f->context, name, FILE_WRITE, handle) : s;
    }
    s = f->open(f->context, name, FILE_MAKE, handle);
    if (s == STATUS_BUSY) s = f->open(f->context, name, FILE_WRITE, handle); /* half made before */
    if (s == STATUS_OK) s = fill_zeros(f, *handle, bytes);
    return s;
}

status journal_make(const files *f, const uint8_t store[static JOURNAL_STORE_ID], uint64_t number,
                    uint64_t recycled, uint64_t bytes, journal_segment *out)
{
    journal_segment made = { .number = number, .handle = -1, .end = JOURNAL_HEADER, .sequence = 1 };
    char header[JOURNAL_HEADER];
    status s = open_file(f, number, recycled, bytes, &made.handle);

    journal_key(made.key, store, number);
    fill_header(header, store, number, made.key);
    if (s == STATUS_OK) s = f->write(f->context, made.handle, header, sizeof header, 0);
    if (s == STATUS_OK) s = f->sync(f->context, made.handle);
    if (s == STATUS_OK) s = f->sync_folder(f->context, "journal");
    if (s == STATUS_OK) s = f->size(f->context, made.handle, &made.size);
    if (s != STATUS_OK) {
        char name[JOURNAL_NAME];
        journal_file_name(name, number);
        if (made.handle >= 0) f->close(f->context, made.handle);
        if (made.handle >= 0) (void)!f->remove(f->context, name); /* its number is free again */
        return s == STATUS_NOT_FOUND ? STATUS_IO : s;
    }
    *out = made;
    return STATUS_OK;
}

void journal_close(const files *f, journal_segment *s)
{
    f->close(f->context, s->handle);
    s->handle = -1;
}

static void sign(journal_segment *s, char *record, size_t body)
{
    journal_put64(record + 16, s->sequence++);
    journal_put32(record + 12, journal_head_check(s->key, record));
    journal_put64(record + 24, journal_check(s->key, journal_head_hash(s->key, record),
                                             (slice){ record + JOURNAL_RECORD_HEAD, body }));
}

status journal_append(const files *f, journal_segment *s, text *bytes)
{
    for (size_t at = 0; at < bytes->len;) {
        size_t body = journal_get32(bytes->at + at + 8);
        sign(s, bytes->at + at, body);
        at += JOURNAL_RECORD_HEAD + (body + 7) / 8 * 8;
    }
    status result = f->write(f->context, s->handle, bytes->at, bytes->len, s->end);
    if (result != STATUS_OK) return result;
    s->end += bytes->len;
    if (s->end > s->size) s->size = s->end;
    return STATUS_OK;
}

status journal_sync(const files *f, const journal_segment *s)
{
    return f->sync(f->context, s->handle);
}
