/* blob.h - values too large for a row, once each, in files of their own.
 *
 * A blob is the text of a value over BLOB_MIN bytes, or a chunk over
 * BLOB_CHUNK_MIN in a soul of content hashes. It is named by a SHA-256:
 * of its canonical JSON text or, when it is a JSON string of canonical base64
 * (an audio chunk), of the string's characters: then the name is GUN's content
 * hash, and the decoded bytes are what is kept. A JSON text over 4 KB always has
 * a character that base64 has not, so the two kinds never share a name.
 *
 * Blob segments are append-only files under blobs/, numbered like journal
 * segments, a number never used again. Format (docs/storage.md): a header of
 * BLOB_HEADER bytes, then records, 8-aligned:
 *
 *     mark 4 | encoding 4 | stored length 8 | SHA-256 32 | check 8 | bytes | padding
 *
 * check is SipHash of the record's head and bytes under the fixed key of the
 * layout. A tail that no row names is dead weight and nothing else: rows name
 * blobs by hash, and the table of hashes by segment and offset.
 *
 * Two writers, each in segments of its own: the journal worker appends new blobs
 * (blob_append, synced before the records that name them), the folder copies the
 * living when it collects. Reading is pread, by anybody.
 */
#ifndef RADISK_BLOB_H
#define RADISK_BLOB_H

#include "core/slice.h"
#include "core/status.h"
#include "core/text.h"
#include "radisk/file.h"

#include <stdint.h>

enum {
    BLOB_MIN = 4096, /* a value of more bytes of text is a blob */
    BLOB_CHUNK_MIN = 64, /* so is a chunk under a content hash, that it is found by that */
    BLOB_HASH = 32,
    BLOB_HEADER = 64,
    BLOB_RECORD_HEAD = 56,
};

typedef enum blob_encoding {
    BLOB_TEXT = 0,   /* stored as the canonical JSON text */
    BLOB_BASE64 = 1, /* stored decoded; the text is a quoted canonical base64 string */
} blob_encoding;

/* What a row holds instead of its value. */
typedef struct blob_ref {
    uint8_t hash[BLOB_HASH];
    uint32_t text_bytes; /* of the value's JSON text */
    uint32_t encoding;   /* blob_encoding */
} blob_ref;

/* Where it stands. */
typedef struct blob_place {
    uint64_t segment, offset; /* of the record's head */
    uint32_t stored_bytes;
} blob_place;

/* Whether a value is a string of canonical base64, and so stored decoded. */
bool blob_is_chunk(slice value);

/* Names a value: hashes it and finds out how it is stored. STATUS_NO_MEMORY. */
MUST_USE status blob_name(blob_ref *out, slice value);

/* The bytes to store for a value that blob_name() named: lends `value` itself or
 * bytes written to `decoded` (which is reset first). STATUS_NO_MEMORY. */
MUST_USE status blob_bytes(const blob_ref *ref, slice value, text *decoded, slice *out);

/* The text again from the stored bytes, appended to `out`. STATUS_NO_MEMORY. */
MUST_USE status blob_text(const blob_ref *ref, slice stored, text *out);

/* An open segment, for its one writer. */
typedef struct blob_segment {
    uint64_t number;
    int handle;
    uint64_t bytes; /* its end: where the next record goes */
} blob_segment;

/* Makes a new, empty segment: header written and synced, folder synced. */
MUST_USE status blob_make(const files *f, uint64_t number, blob_segment *out);
void blob_close(const files *f, blob_segment *s);

/* Appends a record; not synced. On failure the segment's end is as it was. */
MUST_USE status blob_append(const files *f, blob_segment *s, const blob_ref *ref, slice stored,
                            blob_place *out);
MUST_USE status blob_sync(const files *f, const blob_segment *s);

/* Reads a blob's stored bytes into `to` (reset first), checked against the
 * record's check and the ref's hash. STATUS_CORRUPT when anything differs,
 * STATUS_NOT_FOUND when its file is missing. Handles of segments being read are
 * kept in a small cache that belongs to one thread. */
typedef struct blob_reader blob_reader;
MUST_USE status blob_reader_new(blob_reader **out, const files *f); /* gives */
void blob_reader_free(blob_reader *r);
MUST_USE status blob_read(blob_reader *r, const blob_ref *ref, const blob_place *place, text *to);

/* The same without the SHA-256, which costs: the check alone. For every read of a
 * value; `brasa check` proves the hashes. */
MUST_USE status blob_read_quick(blob_reader *r, const blob_ref *ref, const blob_place *place,
                                text *to);

/* Forgets a segment that will be removed. */
void blob_reader_drop(blob_reader *r, uint64_t segment);

/* The file name of a segment; `out` holds at least BLOB_NAME bytes. */
enum { BLOB_NAME = sizeof "blobs/0123456789abcdef.blob" };
void blob_file_name(char out[static BLOB_NAME], uint64_t number);

/* The number of a name in the folder "blobs"; false when it is none of ours. */
bool blob_file_number(const char *name, uint64_t *number);

#endif
