/* blob.c - see blob.h: names, bytes and text, segments being written. */
#include "core/base64.h"
#include "core/json.h"
#include "radisk/blob_inside.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <sodium/crypto_generichash.h>
#include <stdio.h>
#include <stdlib.h>

static const char header_mark[8] = "brasaL1\n";

/* ---- names of files ---- */

void blob_file_name(char out[static BLOB_NAME], uint64_t number)
{
    (void)snprintf(out, BLOB_NAME, "blobs/%016" PRIx64 ".blob", number);
}

bool blob_file_number(const char *name, uint64_t *number)
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
    return n != 0 && strcmp(name + 16, ".blob") == 0;
}

/* ---- base64 ---- */

/* The string's characters if the value is a string of padded base64 whose unused
 * bits are zero: then it can be printed again exactly; else an empty slice. */
static slice canonical_base64(slice value)
{
    static const slice none = { NULL, 0 };
    slice inner = { value.at + 1, value.len - 2 };

    if (value.len < 2 || value.at[0] != '"' || value.at[value.len - 1] != '"') return none;
    return base64_is_canonical(inner) ? inner : none;
}

static size_t decoded_bytes(slice inner)
{
    size_t padding = 0;

    while (padding < 2 && inner.at[inner.len - 1 - padding] == '=') padding++;
    return inner.len / 4 * 3 - padding;
}

/* ---- naming ---- */

static bool sha256(slice bytes, uint8_t out[static BLOB_HASH])
{
    unsigned len = 0;

    return EVP_Digest(bytes.at, bytes.len, out, &len, EVP_sha256(), NULL) == 1 && len == BLOB_HASH;
}

bool blob_is_chunk(slice value)
{
    return canonical_base64(value).at != NULL;
}

status blob_name(blob_ref *out, slice value)
{
    slice inner = canonical_base64(value);
    bool coded = inner.at != NULL;

    *out = (blob_ref){ .text_bytes = (uint32_t)value.len,
                       .encoding = coded ? BLOB_BASE64 : BLOB_TEXT };
    return sha256(coded ? inner : value, out->hash) ? STATUS_OK : STATUS_NO_MEMORY;
}

status blob_bytes(const blob_ref *ref, slice value, text *decoded, slice *out)
{
    if (ref->encoding == BLOB_TEXT) {
        *out = value;
        return STATUS_OK;
    }
    slice inner = { value.at + 1, value.len - 2 };
    text_reset(decoded, SIZE_MAX);
    char *at = text_room(decoded, inner.len / 4 * 3 + 1);
    if (at == NULL) {
        text_free(decoded);
        return STATUS_NO_MEMORY;
    }
    if (EVP_DecodeBlock((unsigned char *)at, (const unsigned char *)inner.at, (int)inner.len) < 0)
        return STATUS_MALFORMED;
    decoded->len = decoded_bytes(inner);
    *out = text_slice(decoded);
    return STATUS_OK;
}

status blob_text(const blob_ref *ref, slice stored, text *out)
{
    if (ref->encoding == BLOB_TEXT) {
        text_add(out, stored);
        return text_ok(out) ? STATUS_OK : STATUS_NO_MEMORY;
    }
    json_print_base64(out, stored);
    return text_ok(out) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- segments ---- */

static const uint8_t check_key[16] = "brasa blob check";

uint64_t blob_check(const char head[static BLOB_RECORD_HEAD], slice bytes)
{
    uint8_t mixed[16];
    uint64_t hash = keyed_hash(check_key, (slice){ head, BLOB_RECORD_HEAD - 8 });

    memcpy(mixed, check_key, sizeof mixed);
    for (int i = 0; i < 8; i++) mixed[i] ^= (uint8_t)(hash >> 8 * i);
    return keyed_hash(mixed, bytes);
}

void blob_head(char head[static BLOB_RECORD_HEAD], const blob_ref *ref, slice bytes)
{
    memcpy(head, "blb1", 4);
    journal_put32(head + 4, ref->encoding);
    journal_put64(head + 8, bytes.len);
    memcpy(head + 16, ref->hash, BLOB_HASH);
    journal_put64(head + 48, blob_check(head, bytes));
}

static void fill_header(char header[static BLOB_HEADER], uint64_t number)
{
    memset(header, 0, BLOB_HEADER);
    memcpy(header, header_mark, 8);
    journal_put64(header + 8, number);
    journal_put64(header + 16, keyed_hash(check_key, (slice){ header, 16 }));
}

status blob_make(const files *f, uint64_t number, blob_segment *out)
{
    char name[BLOB_NAME], header[BLOB_HEADER];
    blob_segment made = { .number = number, .handle = -1, .bytes = BLOB_HEADER };

    blob_file_name(name, number);
    fill_header(header, number);
    status s = f->open(f->context, name, FILE_MAKE, &made.handle);
    if (s == STATUS_OK) s = f->write(f->context, made.handle, header, sizeof header, 0);
    if (s == STATUS_OK) s = f->sync(f->context, made.handle);
    if (s == STATUS_OK) s = f->sync_folder(f->context, "blobs");
    if (s != STATUS_OK) {
        if (made.handle >= 0) {
            f->close(f->context, made.handle);
            (void)!f->remove(f->context, name);
        }
        return s == STATUS_BUSY || s == STATUS_NOT_FOUND ? STATUS_IO : s;
    }
    *out = made;
    return STATUS_OK;
}

void blob_close(const files *f, blob_segment *s)
{
    f->close(f->context, s->handle);
    s->handle = -1;
}

status blob_append(const files *f, blob_segment *s, const blob_ref *ref, slice stored,
                   blob_place *out)
{
    static const char zeros[8];
    char head[BLOB_RECORD_HEAD];
    size_t padding = (8 - stored.len % 8) % 8;
    uint64_t at = s->bytes;

    blob_head(head, ref, stored);
    status r = f->write(f->context, s->handle, head, sizeof head, at);
    if (r == STATUS_OK)
        r = f->write(f->context, s->handle, stored.at, stored.len, at + sizeof head);
    if (r == STATUS_OK && padding > 0)
        r = f->write(f->context, s->handle, zeros, padding, at + sizeof head + stored.len);
    if (r != STATUS_OK) return r;
    *out = (blob_place){ s->number, at, (uint32_t)stored.len };
    s->bytes = at + sizeof head + stored.len + padding;
    return STATUS_OK;
}

status blob_sync(const files *f, const blob_segment *s)
{
    return f->sync(f->context, s->handle);
}
