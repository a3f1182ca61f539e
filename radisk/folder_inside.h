/* folder_inside.h - what the folder's jobs share: a transaction being written.
 *
 * The first error sticks and makes everything after it do nothing, so the jobs read
 * straight down; it is told once, at the end.
 */
#ifndef RADISK_FOLDER_INSIDE_H
#define RADISK_FOLDER_INSIDE_H

#include "radisk/folder.h"

typedef struct writing {
    const folder *folder;
    const disk *disk;
    folder_news *news;
    MDB_txn *txn;
    MDB_cursor *souls, *rows;
    uint64_t next_soul;
    bool new_souls;
    uint64_t hashed, hashed_before; /* bytes of content hashes; as LMDB has it */
    root_key root;                  /* whose rows are being counted; len 0: none's */
    int64_t root_rows, root_bytes;  /* that came, less those that went */
    bool root_came;                 /* its grace begins anew */
    bool recounting;                /* graces go on, and no record goes */
    size_t in_txn; /* rows written or removed in this transaction, and what counts as such */
    uint64_t began_us;
    int error;           /* of LMDB; the first */
    status how;          /* of anything else; the first */
    blob_reader *reader; /* made when two values must be compared */
    text texts[2];
} writing;

void writing_begin(writing *w, const folder *f, folder_news *news);

/* Whether nothing has failed yet. */
static inline bool writing_ok(const writing *w)
{
    return w->error == 0 && w->how == STATUS_OK;
}

/* Commits when the transaction is full, and begins the next. */
void writing_breathe(writing *w);

/* Commits or gives up, fills in the news, frees. */
void writing_end(writing *w);

/* Looks a table's entry up; false when it is not there or something failed. */
bool writing_get(writing *w, MDB_dbi table, slice key, slice *out);
void writing_put(writing *w, MDB_dbi table, slice key, slice value);
void writing_remove(writing *w, MDB_dbi table, slice key);

/* Numbers a soul that is not in the index: its entry, and the row that proves it. */
uint64_t writing_number_soul(writing *w, const layout_key *key, slice name);

/* The index entry of a soul; false when it is not there. */
bool writing_find_soul(writing *w, slice name, disk_soul *out, layout_entry *entry);

/* Writes a row's or a soul's entry. */
void writing_put_entry(writing *w, MDB_dbi table, slice key, const layout_entry *e,
                       const layout_seal *seal);

/* One more, or one fewer, names a blob. */
void writing_name_blob(writing *w, const generation_blob *blob);
void writing_unname_blob(writing *w, const blob_ref *ref);

/* Counts bytes of content hashes that came, or went. */
void writing_count_hashed(writing *w, int64_t bytes);

/* Roots of audio (folder_roots.c): rows of this one came, or went, and so many bytes; a
 * row of it was met. Written before the commit, or when another one's turn comes. */
void roots_count(writing *w, const root_key *root, int64_t rows, int64_t bytes);
void roots_met(writing *w, const root_key *root);
void roots_flush(writing *w);

/* A row with this text came (+1) or went (-1): what it names. The three are read before
 * anything is written. */
void roots_name(writing *w, slice soul, slice key, slice value, int by);

/* Their records. False: there is none. */
bool roots_get(writing *w, const root_key *root, root_record *out);
void roots_put(writing *w, const root_key *root, const root_record *r);

/* Puts another record in the place of one that was read: the bytes move to who is
 * charged now. One without rows goes. */
void roots_change(writing *w, const root_key *root, const root_record *before, root_record *after);

/* How many rows name it, other than as pins; whether one whose pins count pins it, or
 * the operator does. */
uint64_t roots_links(writing *w, const root_key *root);
bool roots_pinned(writing *w, const root_key *root, const space_work *work);

/* Nothing is known of any root but when it was seen and who uploaded it; all are
 * counted from here on, and when they were, those without rows go. */
void roots_forget(writing *w);
void roots_sweep(writing *w);

/* Notes that they were counted through all that is folded. */
void roots_note_through(writing *w, uint64_t through);

/* Notes when a soul has rows that expire; forgets it (folder_expire.c). */
void expiry_note(writing *w, uint64_t id, double due);
bool expiry_noted(writing *w, uint64_t id);
void expiry_forget(writing *w, uint64_t id);

/* Adds to what a blob segment counts. */
void writing_count_segment(writing *w, uint64_t number, int64_t bytes, int64_t dead);

/* The text of a blob on disk, lent until `which` (0 or 1) is asked again. */
status writing_blob_text(writing *w, const blob_ref *ref, const blob_place *known, int which,
                         slice *out);

#endif
