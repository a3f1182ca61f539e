/* wish.h - what an operator asks of a store: one line of JSON.
 *
 * The same line goes over DIR/admin.sock to a running server, and is read by the
 * tool itself when nobody has the folder. So there is one way to ask for a thing:
 *
 *     {"do":"stat"}
 *     {"do":"get","soul":S}                   or with "key":K
 *     {"do":"scan"}                           with "prefix":P, "souls":true, "limit":N
 *     {"do":"export"}                         with "prefix":P
 *     {"do":"backup"}
 *     {"do":"import"}                         with "skip_bad":true; the lines follow
 *     {"do":"purge","soul":S}                 or with "key":K; or "prefix":P instead of both;
 *                                             with "dry_run":true
 *
 *     {"do":"audio ls"}                       audio that is here, a line for each root
 *     {"do":"audio pin","root":R}             R in 64 hexadecimal digits
 *     {"do":"audio unpin","root":R}
 *     {"do":"audio gc"}                       with "dry_run":true, "grace":SECONDS
 *
 * A member that is not known is refused: a "dry_run" that is misspelt must not purge.
 *
 * The answer is lines of JSON, the last of them {"done":true,...} or {"err":"..."}. In
 * that of a backup stand lines {"bytes":N}, each followed by N bytes of the file.
 */
#ifndef SERVER_WISH_H
#define SERVER_WISH_H

#include "core/arena.h"
#include "core/status.h"
#include "core/text.h"
#include "radisk/roots.h"

#include <stdint.h>

typedef enum wish_kind {
    WISH_STAT,
    WISH_GET,
    WISH_SCAN,
    WISH_EXPORT,
    WISH_BACKUP,
    WISH_IMPORT,
    WISH_PURGE,
    WISH_AUDIO_LS,
    WISH_AUDIO_PIN,
    WISH_AUDIO_UNPIN,
    WISH_AUDIO_GC,
    WISH_KINDS,
} wish_kind;

typedef struct wish {
    wish_kind kind;
    slice soul, key, prefix; /* names, in `memory`; empty when not given */
    bool has_prefix;
    bool souls, dry_run, skip_bad;
    uint64_t limit; /* 0 for none */
    root_key root;  /* of audio; len 0 when not given */
    bool has_grace;
    double grace_s;
    arena memory;
} wish;

enum { WISH_WHY_MAX = 256, WISH_LINE_MAX = 512 * 1024 };

/* Reads a line; gives what wish_free() takes back, also on failure. STATUS_MALFORMED:
 * `why` says what is wrong. */
MUST_USE status wish_read(wish *w, slice line, char why[WISH_WHY_MAX]);
void wish_free(wish *w);

/* Appends the line of a wish, with its newline. */
void wish_print(text *out, const wish *w);

const char *wish_name(wish_kind kind);

/* Whether it needs a view of the store (chores.h). */
bool wish_needs_view(const wish *w);

#endif
