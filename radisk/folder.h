/* folder.h - what moves sealed generations into LMDB; the only writer there.
 *
 * Every function here is a job of the folder's worker: it works on what it is
 * handed, blocks as long as it takes, and says in folder_news how it went. While
 * a job is under way nobody else writes to LMDB, and nobody changes the
 * generation it was given.
 *
 * A fold never holds up an ack: it is many small transactions, and before each
 * commit it asks `courtesy`, which returns when no sync of the journal is in
 * flight (or after a while: a fold must end). The last transaction of a fold
 * stores "folded through": from then on the segments up to there are not needed.
 * A fold that is cut off or fails has harmed nothing: HAM judges every row
 * against what LMDB has, so doing it again changes nothing twice.
 *
 * Rows that name blobs are counted, per blob, in the transaction that writes or
 * removes the row; what nobody names is dead weight in its segment, and counted
 * there, until folder_collect() copies the living out.
 *
 * What is not a put is done here and only here, when every generation that could
 * hold a row of it was folded: purges, the sweep of old floors, and what expires.
 *
 * A soul named "<?N" (policy.h) has rows that expire. A fold does not write those that
 * have, and removes what they would have replaced, which is older: an older value must
 * not come back into sight. Of each such soul with rows that live it notes when the
 * first of them will expire, in the table `expiries`; then folder_expire() looks at
 * that soul, row by row. It goes by the clock of that moment: what was noted only says
 * when to look.
 */
#ifndef RADISK_FOLDER_H
#define RADISK_FOLDER_H

#include "radisk/disk.h"
#include "radisk/file.h"
#include "radisk/generation.h"

typedef struct folder {
    disk *disk;
    const files *files;
    size_t rows_max; /* of one transaction */
    double now_ms;   /* wall time: what has expired by then goes; -INFINITY: nothing does */
    double seen_ms;  /* wall time, too: graces of audio begin then */
    void (*courtesy)(void *context);
    void *courtesy_context;
} folder;

typedef struct folder_news {
    status how;
    bool reopen;      /* LMDB wants disk_reopen() before anything else */
    uint64_t rows;    /* judged; for a purge: removed */
    uint64_t written; /* of them, written */
    uint64_t expired; /* not written, or removed, because their time was over */
    bool more;        /* folder_expire(): there is more to do */
    uint64_t transactions;
    uint64_t took_us;
    uint64_t commit_us_max;
    bool counted;          /* the next one is known */
    uint64_t hashed_bytes; /* of content hashes, as LMDB has it now */
} folder_news;

/* Folds a generation; `through` is the number of its segment. */
void folder_fold(const folder *f, const generation *g, uint64_t through, folder_news *news);

/* What to remove for good. */
typedef struct purge {
    enum purge_kind { PURGE_ROW, PURGE_SOUL, PURGE_PREFIX } kind;
    slice soul;    /* or prefix */
    slice key;     /* of PURGE_ROW */
    double floor;  /* no write at or below this state is taken again */
    double now_ms; /* wall time, for the sweep */
    bool dry_run;  /* only counts: news->rows */
} purge;

/* Leaves a floor of at least the state of everything it removes, and reports the
 * highest floor it set in *floor_out (may be NULL). In transactions of at most
 * rows_max; the floor of a soul or a prefix is in the first of them, so a crash
 * half-way leaves less data, never data without its floor. */
void folder_purge(const folder *f, const purge *p, double *floor_out, folder_news *news);

/* Removes floors that were made before `before_ms` (wall time), oldest first, at
 * most rows_max of them; news->rows says how many. */
void folder_sweep(const folder *f, double before_ms, folder_news *news);

/* Removes rows that have expired, of souls that were noted to have such, soonest
 * first, in one transaction: rows_max of them at the most, and not many more looked
 * at, so that no fold waits long for it. A large soul is looked at in several passes. */
void folder_expire(const folder *f, folder_news *news);

/* What is to be written of roots of audio, and which of them may go (space.h). */
typedef struct space_note {
    root_key root;
    payer uploader; /* or nobody */
    bool discard;   /* its rows go */
    double when_ms; /* wall time */
    uint64_t after; /* segment that must be folded */
} space_note;

enum { SPACE_FOUND_MAX = 64 };

typedef struct space_work {
    const space_note *notes;
    size_t notes_len;
    root_key pin; /* by the operator; len 0: none */
    bool pin_on, pin_was;

    bool all_pins;    /* everybody's count; or: */
    const text *keys; /* whose do, sorted; not changed while it works */
    size_t keys_len;
    double before_ms; /* graces that were renewed before this are over */
    bool look, remove;
    root_key from; /* look: behind this one; then: the last that was looked at */
    bool ended;    /* look: there are no more */
    root_key found[SPACE_FOUND_MAX];
    root_record is[SPACE_FOUND_MAX];
    bool gone[SPACE_FOUND_MAX]; /* remove: all of it */
    size_t found_len;
    uint64_t bytes; /* remove: of rows that went */
    bool more;      /* remove: there was no room for all */
} space_work;

/* Writes what was noted, and a pin; looks for roots that may go, a few at a time; or
 * removes those that were found before, if they still may: news->rows of them, for no
 * longer than a few transactions. */
void folder_space(const folder *f, space_work *work, folder_news *news);

/* Counts what a store of before was made without, or what damage made wrong: the bytes
 * of content hashes; and notes which souls have rows that expire. */
void folder_recount(const folder *f, folder_news *news);

/* Copies the living of blob segment `from` into a new segment `to` (synced, its
 * folder too) and moves the table's entries there. No row that names a blob in
 * `from` may be outside LMDB. When nothing lives, `to` is not made. The file of
 * `from` stays: a read transaction of before may still ask for it; whoever knows
 * that there is none removes it. */
void folder_collect(const folder *f, uint64_t from, uint64_t to, folder_news *news);

#endif
