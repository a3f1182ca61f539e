/* journal.h - the log that an ack is durable in: segments, records, rows as bytes.
 *
 * A segment is a file under journal/, named by its number in hex; a number is
 * never used again. It is made ahead of its use: zero-filled (so that a sync need
 * not write the file system's own tables), its header written and synced, its
 * folder synced; and a folded segment may be made into a new one by renaming it
 * and writing a new header, its old bytes still there.
 *
 *     header   JOURNAL_HEADER bytes: "brasaJ1\n" 8 | number 8 | store id 16 |
 *              check 8 of what is before | zeros
 *     records  8-aligned, one after the other
 *     zeros, or what an older use of the file left
 *
 * A record is the unit of wholeness: the rows of one merge().
 *
 *     mark 4 "rec1" | flags 4 | length 4 of the body | head check 4 |
 *     sequence 8, from 1 in each segment | check 8 of head and body | body | zeros to 8
 *
 * Both checks are SipHash-2-4 under a key made from the store's id and the
 * segment's number: a recycled file cannot speak for its past, and nobody who
 * writes values can forge a record. The head check is looked at first, so that
 * bytes which merely look like a record cost nothing.
 *
 * JOURNAL_MORE marks the records of a group but the last, JOURNAL_REST all but the
 * first: they count only if every one of them is there. So a whole generation can
 * be written anew as one unit, and one of which a part is lost, be it the first, is
 * known to be a part.
 *
 * Numbers are little-endian here (the rows in LMDB are big-endian, because they
 * must be ordered): a record is written by the million and never compared.
 *
 *     row   kind 1 | flags 1 | zeros 2 | soul length 4 | key length 4 | value length 4 |
 *           state 8 | soul | key | value
 *
 * A row of the same soul as the one before it in its record has JOURNAL_SAME_SOUL
 * and no soul. A row whose value is a blob has a journal_blob as its value.
 */
#ifndef RADISK_JOURNAL_H
#define RADISK_JOURNAL_H

#include "core/slice.h"
#include "core/status.h"
#include "core/text.h"
#include "radisk/blob.h"
#include "radisk/file.h"

#include <stdint.h>

enum {
    JOURNAL_HEADER = 64,
    JOURNAL_RECORD_HEAD = 32,
    JOURNAL_ROW_HEAD = 24,
    JOURNAL_BLOB =
        64, /* hash 32 | text length 4 | encoding 4 | segment 8 | offset 8 | stored 4 | 0 4 */
    JOURNAL_STORE_ID = 16,
};

/* How a row was judged: a held one is from the future, and is kept aside. A lost one
 * was never in the graph: it lost to a row of its batch, or is that row once more, and
 * counts at a start, where the other one's record may be missing. */
typedef enum journal_kind { JOURNAL_TAKEN = 1, JOURNAL_HELD = 2, JOURNAL_LOST = 3 } journal_kind;

enum { JOURNAL_MORE = 1, JOURNAL_REST = 2 };         /* of a record */
enum { JOURNAL_SAME_SOUL = 1, JOURNAL_IS_BLOB = 2 }; /* of a row */

typedef struct journal_row {
    journal_kind kind;
    slice soul, key;
    slice value; /* text; empty when it is a blob */
    double state;
    bool is_blob;
    blob_ref blob;
    blob_place place;
} journal_row;

/* Records being gathered, as they will stand in the file. The checks and the
 * sequence numbers are filled in by journal_seal_records(), which the worker
 * calls: they depend on the segment. A `text` grows by realloc and keeps a sticky
 * error: text_ok() is asked at journal_end(). */
typedef struct journal_writer {
    text bytes;    /* whole records */
    size_t record; /* where the current one begins */
    slice soul;    /* of the row before, in `bytes`; by offset, see the .c */
    size_t soul_at;
    size_t rows; /* in all */
} journal_writer;

void journal_begin(journal_writer *w, uint32_t flags);
void journal_add(journal_writer *w, const journal_row *row);

/* Where the last row that was added has its journal_blob's place, as an offset
 * in `bytes`: the worker fills it in when the blob has one. */
size_t journal_blob_at(const journal_writer *w);
void journal_set_place(char *blob_bytes, const blob_place *place);

/* Ends the record. STATUS_NO_MEMORY or STATUS_TOO_BIG (over 4 GiB): it is taken
 * out again and `w` is as before journal_begin(). */
MUST_USE status journal_end(journal_writer *w);

/* Takes the last whole record out again (a merge that failed after all); `mark`
 * is bytes.len as it was before its journal_begin(). */
void journal_take_back(journal_writer *w, size_t mark, size_t rows);

/* ---- segments ---- */

typedef struct journal_segment {
    uint64_t number;
    int handle;
    uint64_t end;      /* where the next record goes */
    uint64_t sequence; /* of the next record */
    uint64_t size;     /* of the file */
    uint8_t key[16];   /* of the checks */
} journal_segment;

/* Makes a segment ready: a new file of `bytes` zeros, or `recycled` (a number
 * whose file is renamed; 0 for none). Header, file and folder are synced. */
MUST_USE status journal_make(const files *f, const uint8_t store[static JOURNAL_STORE_ID],
                             uint64_t number, uint64_t recycled, uint64_t bytes,
                             journal_segment *out);
void journal_close(const files *f, journal_segment *s);

/* Numbers and signs the records of `bytes` for their place in this segment, and
 * appends them; journal_sync() makes them durable. On failure the segment is not
 * to be written again. */
MUST_USE status journal_append(const files *f, journal_segment *s, text *bytes);
MUST_USE status journal_sync(const files *f, const journal_segment *s);

/* ---- reading ---- */

typedef struct journal_report {
    uint64_t records, rows;
    uint64_t damaged; /* gaps in the middle: something unreadable, then a good record */
    uint64_t torn;    /* 1 when the last record (or group) is not whole and was dropped */
    bool no_header;   /* the header is not there or damaged */
    uint64_t end;     /* behind the last good record */
} journal_report;

/* Called for every row, in order; what is borrowed lives until the next segment.
 * `position` is the offset of the row's record; `last` tells the last row of it.
 * A result other than STATUS_OK ends the reading with that result. */
typedef status journal_visit(void *visitor, const journal_row *row, uint64_t position, bool last);

/* Reads a segment from `from` (0, or the position behind a record that was read:
 * journal_report.end). Damage is reported, not an error. STATUS_NOT_FOUND, STATUS_IO,
 * STATUS_NO_MEMORY, or the visitor's. */
MUST_USE status journal_read(const files *f, const uint8_t store[static JOURNAL_STORE_ID],
                             uint64_t number, uint64_t from, journal_visit *visit, void *visitor,
                             journal_report *report);

/* The file name of a segment, and the number of a name in the folder "journal". */
enum { JOURNAL_NAME = sizeof "journal/0123456789abcdef.log" };
void journal_file_name(char out[static JOURNAL_NAME], uint64_t number);
bool journal_file_number(const char *name, uint64_t *number);

#endif
