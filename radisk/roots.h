/* roots.h - what is kept of a piece of audio besides its rows, as bytes on disk.
 *
 * Four tables (docs/storage.md): `roots`, by root; `names`, which rows name a root and
 * who signed them; `pins`, of the operator; `uploaders`, whose bytes they are. Every
 * entry is a check of eight bytes over key and rest, then the rest.
 *
 * Knows no LMDB, as layout.h.
 */
#ifndef RADISK_ROOTS_H
#define RADISK_ROOTS_H

#include "core/slice.h"
#include "core/status.h"

#include <stdint.h>

enum {
    ROOT_BYTES = 32,
    ROOT_DIGITS = 64,
    PAYER_MAX = 96, /* a key is 88 characters with its "~" */
};

/* Names a root: its 32 bytes; or, shorter, what stands between "audio/" and "#" in the
 * soul of an upload under way. */
typedef struct root_key {
    uint8_t len; /* 0: none */
    char at[ROOT_BYTES];
} root_key;

static inline slice root_slice(const root_key *k)
{
    return (slice){ k->at, k->len };
}

static inline bool root_equal(const root_key *a, const root_key *b)
{
    return slice_equal(root_slice(a), root_slice(b));
}

/* The root that a soul belongs to; false when it is of none. */
bool root_of_soul(slice soul, root_key *out);

/* What the souls of a root begin with; its length is returned. */
enum { ROOT_PREFIX_MAX = sizeof "audio/#" - 1 + ROOT_DIGITS };
size_t root_prefix(const root_key *k, char out[static ROOT_PREFIX_MAX]);

/* A root from 64 digits. */
bool root_read(slice digits, root_key *out);

/* Who has to answer: "~" and a public key, or an address; empty: nobody is known. */
typedef struct payer {
    uint8_t len;
    char at[PAYER_MAX];
} payer;

static inline slice payer_slice(const payer *w)
{
    return (slice){ w->at, w->len };
}

/* Nobody when it is too long. */
void payer_set(payer *out, slice name);

typedef struct root_record {
    uint64_t rows, bytes;
    double seen_ms; /* wall time */
    payer uploader; /* the first address that is known */
    payer charged;
} root_record;

enum { ROOT_RECORD_MAX = 8 + 24 + 2 * (1 + PAYER_MAX) };
size_t root_record_write(char at[static ROOT_RECORD_MAX], slice key, const root_record *r);
MUST_USE status root_record_read(root_record *out, slice key, slice bytes);

/* Entries that are one number: of `names`, `pins` and `uploaders`. */
enum { ROOT_NUMBER_BYTES = 16 };
void root_number_write(char at[static ROOT_NUMBER_BYTES], slice key, uint64_t number);
MUST_USE status root_number_read(uint64_t *out, slice key, slice bytes);

/* How a row names a root; in this order in the table. */
typedef enum name_kind {
    NAME_PIN = 'p',    /* an owner's; who is "~P" */
    NAME_SIGNED = 's', /* a link in the space of "~P" */
    NAME_OTHER = 'u',  /* a link anywhere else; who is empty */
} name_kind;

enum { NAME_KEY_MAX = ROOT_BYTES + 1 + PAYER_MAX };
size_t name_key_write(char at[static NAME_KEY_MAX], const root_key *root, name_kind kind,
                      slice who);
MUST_USE status name_key_read(slice key, root_key *root, name_kind *kind, slice *who);

/* What the row (soul, key) of this text names; 0 for nearly all. A row in a soul of
 * audio names nothing. A text of up to 4 KB has at most ROOT_NAMES_MAX links. */
enum { ROOT_NAMES_MAX = 64 };
typedef struct root_names {
    name_kind kind;
    payer who; /* nobody: NAME_OTHER */
    size_t count;
    root_key roots[ROOT_NAMES_MAX];
} root_names;
size_t root_names_of(slice soul, slice key, slice value, root_names *out);

#endif
