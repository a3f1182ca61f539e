/* tools_inside.h - what the files of the tools share. */
#ifndef SERVER_TOOLS_INSIDE_H
#define SERVER_TOOLS_INSIDE_H

#include "core/text.h"
#include "radisk/backup.h"
#include "radisk/radisk.h"
#include "server/wish.h"

#include <stdio.h>

enum { TOOL_DONE = 0, TOOL_FAILED = 1, TOOL_WRONG = 2 };

/* A command line, taken apart. */
typedef struct tool_call {
    const char *name, *folder, *file;
    const char *soul, *key, *prefix, *limit, *pub, *cert, *root, *grace;
    const char *server, *token, *title, *artist, *type, *sha256, *manifest;
    bool souls, dry_run, skip_bad, hash, goes_on;
} tool_call;

/* Says what is wrong, after "brasa NAME: ", and returns `result`. */
int tool_complain(const tool_call *call, int result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A word of the command line, which is UTF-8, as a name, which is not (slice.h): lent from
 * `to`, and empty when there is no word. False: it has said why not, or memory is short. */
bool tool_name(const tool_call *call, const char *word, text *to, slice *out);

/* Puts "?" for what a terminal would obey instead of showing, all but the characters of
 * `but`: the words may be a relay's, or a stranger's file. */
void tool_disarm(char *words, size_t len, const char *but);

/* What comes back, from a server or from ourselves: lines, and a backup's bytes. */
typedef struct tool_reply {
    const tool_call *call;
    wish_kind kind;
    text line;           /* not whole yet */
    uint64_t bytes_left; /* of a backup, before the next line */
    backup_file backup;
    uint64_t backup_bytes;
    bool ended;
    int result;
} tool_reply;

/* False: nothing more is wanted. */
bool tool_reply_hear(void *reply, slice bytes);

/* Asks a running server. False when none answers. */
bool tool_ask_server(tool_reply *reply, slice wish_line, FILE *import_from);

/* Opens the folder and does it here. */
void tool_do_here(tool_reply *reply, slice wish_line, FILE *import_from);

/* tools_store.c: those that need no wish. */
int tool_check(const tool_call *call);
int tool_restore(const tool_call *call);
int tool_compact(const tool_call *call);

/* tools_verify.c, tools_can.c: those that need no store. */
int tool_verify(const tool_call *call);
int tool_can(const tool_call *call);

/* tools_audio.c, tools_audio_get.c: those that speak HTTP with a server. */
int tool_audio_put(const tool_call *call);
int tool_audio_get(const tool_call *call);

/* tools_audio_admin.c: pins and collections in a folder that no server has. */
void tool_pin_here(radisk *store, const wish *w, text *out);
void tool_collect_here(radisk *store, const wish *w, text *out);

bool tool_is_store(const char *folder);

/* Bytes of map to open a folder with: whatever the server was given, it fits. */
size_t tool_map_bytes(const char *folder);

/* Tells how far it is, on a terminal, now and then. */
bool tool_progress(void *context, const backup_counts *so_far);

#endif
