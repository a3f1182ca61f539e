/* blobs.h - values over 4 KB on their way: from a merge to a blob segment.
 *
 * While a generation names a blob, the store keeps an entry for it: its ref, and
 * its bytes until the batch that writes them is durable, its place after that. So
 * a blob is found at every moment of its way, and a second write of the same
 * bytes finds the first. When the generations that name it are folded, the entry
 * goes: LMDB's table of blobs knows the place now.
 *
 *     blobs_name ----> entry with bytes ---- batch durable ----> entry with place ---- folded ---->
 * gone found in LMDB ----------------------------^
 *
 * The worker of the journal appends the bytes of a batch (blobs_write) while the
 * loop goes on. It touches nothing of an entry but its place, which the loop does
 * not look at while the entry has bytes.
 */
#ifndef RADISK_BLOBS_H
#define RADISK_BLOBS_H

#include "core/slice.h"
#include "core/text.h"
#include "radisk/disk.h"
#include "radisk/generation.h"
#include "radisk/journal.h"

typedef struct blob_store blob_store;
typedef struct blob_entry blob_entry;

/* Where a record names a blob whose place is not known yet. */
typedef struct blob_patch {
    blob_entry *entry;
    size_t at; /* of its journal_blob in the records */
} blob_patch;

/* What a batch has to write. */
typedef struct blob_batch {
    blob_entry **fresh; /* bytes to write */
    size_t fresh_len, fresh_room;
    blob_patch *patches;
    size_t patches_len, patches_room;
} blob_batch;

void blob_batch_reset(blob_batch *b);
void blob_batch_free(blob_batch *b);

/* Gives; takes back. `secret` keys its table and is borrowed. */
MUST_USE status blobs_open(blob_store **out, const files *f, const uint8_t *secret,
                           size_t segment_bytes);
void blobs_close(blob_store *b);

/* The entry of a value, made if there is none; `in` is the pool's index of the
 * generation that will name it. If its bytes must be written, it is added to the
 * batch. *made tells whether blobs_unname() has something to undo. */
MUST_USE status blobs_name(blob_store *b, disk *d, slice value, size_t in, blob_batch *batch,
                           blob_entry **out, bool *made);

/* Undoes the last blobs_name() that made an entry; its patches are the caller's. */
void blobs_unname(blob_store *b, blob_batch *batch, blob_entry *entry);

/* The entry for a blob that a replayed row or a held write names. */
MUST_USE status blobs_known(blob_store *b, const blob_ref *ref, const blob_place *place, size_t in,
                            blob_entry **out);

const generation_blob *blobs_of(const blob_entry *e);
blob_entry *blobs_entry(const generation_blob *blob); /* the way back */

/* What a journal row says of it: its place, or a patch to come. */
bool blobs_has_place(const blob_entry *e);
MUST_USE status blobs_patch(blob_batch *batch, blob_entry *e, size_t at);

/* The text of a blob: `blob` is one of an entry, or place and ref are from LMDB.
 * Lends `to`, which is reset, or memory of the entry. */
MUST_USE status blobs_text(blob_store *b, const generation_blob *blob, text *to, slice *out);
MUST_USE status blobs_text_on_disk(blob_store *b, disk *d, const blob_ref *ref, text *to,
                                   slice *out);

/* The stored bytes of whatever blob has this hash, and how they are stored; lends
 * `to`, which is reset, or memory of the entry. STATUS_NOT_FOUND: none has it. */
MUST_USE status blobs_stored(blob_store *b, disk *d, const uint8_t hash[static BLOB_HASH],
                             text *to, blob_ref *ref, slice *out);

/* The text of the chunk that has this hash; likewise. */
MUST_USE status blobs_chunk(blob_store *b, disk *d, const uint8_t hash[static BLOB_HASH], text *to,
                            slice *out);

/* ---- the worker ---- */

/* Writes and syncs the blobs of a batch, and fills in the places in its records. */
MUST_USE status blobs_write(blob_store *b, blob_batch *batch, char *records);

/* ---- the loop, when the worker was told ---- */

/* The batch is durable: its entries' bytes are let go. */
void blobs_written(blob_store *b, blob_batch *batch);

/* It failed: the segment is left behind, and what `failed` and `gathered` had to
 * write is all in `gathered` now, without patches. */
MUST_USE status blobs_failed(blob_store *b, blob_batch *failed, blob_batch *gathered);

/* A generation was folded: nobody of it names anything. */
void blobs_folded(blob_store *b, size_t in);

/* The highest segment number that was seen in use: at the start. */
void blobs_begin_after(blob_store *b, uint64_t number);

/* Gives a number for a segment that the folder will write. */
uint64_t blobs_new_number(blob_store *b);

/* Whether something not yet folded names a blob in a segment, or the worker may be
 * writing to it: then it cannot be collected. */
bool blobs_in_use(const blob_store *b, uint64_t number);

/* A segment under collection, whose blobs are not named anew but written again; 0
 * for none. When it is gone, its file is forgotten too. */
void blobs_collect(blob_store *b, uint64_t number);
void blobs_forget_segment(blob_store *b, uint64_t number);

/* Bytes of the files of all segments, as far as they are known: found at the
 * start, written since, gone since. */
uint64_t blobs_file_bytes(const blob_store *b);
void blobs_count_files(blob_store *b, int64_t bytes);

size_t blobs_bytes(const blob_store *b);           /* of memory held */
uint64_t blobs_written_bytes(const blob_store *b); /* since the start */

#endif
