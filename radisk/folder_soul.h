/* folder_soul.h - a soul of the database and its rows, for those jobs of the folder
 * that remove: purges, the sweep of old floors, and what has expired.
 *
 * Everything here works within a transaction that writes. What it lends out of the
 * map lives until the next write of that transaction, so names and keys that are
 * needed longer are copied.
 */
#ifndef RADISK_FOLDER_SOUL_H
#define RADISK_FOLDER_SOUL_H

#include "radisk/folder_inside.h"

/* A soul in the index, with its name in memory of its own. */
typedef struct folder_soul {
    text name;
    disk_soul soul;
    layout_kind kind;
    double floor_ms; /* when its floor was made */
    double life_ms;  /* of its rows; 0: for ever */
    bool hashed;     /* its keys are content hashes */
    root_key root;   /* it is of; len 0: of none */
    bool there;
} folder_soul;

/* Looks a soul up; `t` is empty, or one that was used before, and its name is freed
 * by text_free(). */
void soul_find(writing *w, slice name, folder_soul *t);

/* The name of the soul with this number, as its own row has it; false when that is not
 * there or is damaged. `name` is to be freed whatever is returned. */
bool soul_name(writing *w, uint64_t id, text *name);

/* Gives a soul of which something was purged its floor, and a place in the index. */
void soul_put_floor(writing *w, folder_soul *t, double floor, double when_ms);

/* A soul with nothing left leaves the index, and its number with it. */
void soul_remove(writing *w, const folder_soul *t);

/* Brings the cursor of the rows to the first row of a soul behind its own row
 * (id, ""); to the one after it; to the first one at or after a key. False: there is
 * none. Key and entry are lent. */
bool soul_first_row(writing *w, uint64_t id, MDB_val *k, MDB_val *v);
bool soul_next_row(writing *w, uint64_t id, MDB_val *k, MDB_val *v);
bool soul_row_from(writing *w, uint64_t id, const layout_key *from, MDB_val *k, MDB_val *v);
bool soul_has_rows(writing *w, uint64_t id);

/* What a row is; false when it is damaged, and then it is there, with no state. */
bool soul_entry(const disk_soul *soul, MDB_val k, MDB_val v, layout_entry *out);

/* The value of a row goes: it is counted no more, and nobody names its blob for it. */
void soul_drop_value(writing *w, const folder_soul *t, const layout_entry *e);

/* Removes the row with this key, value and all. Its key is copied to `at`: a walk goes on
 * there (soul_row_from()), for a commit may lie between. */
void soul_remove_row(writing *w, const folder_soul *t, const layout_entry *e, MDB_val k,
                     layout_key *at);

/* Calls for each soul of the index that begins with a prefix. Between two of them a
 * transaction may end (writing_breathe()). */
typedef void soul_each(writing *w, folder_soul *t, void *context);
void soul_each_with(writing *w, slice prefix, soul_each *each, void *context);

#endif
