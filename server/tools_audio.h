/* tools_audio.h - what putting and getting a track have in common: a relay, asked by
 * HTTP. tools_audio.c puts, tools_audio_get.c gets. */
#ifndef SERVER_TOOLS_AUDIO_H
#define SERVER_TOOLS_AUDIO_H

#include "core/audio.h"
#include "server/crypto.h"
#include "server/tools_http.h"
#include "server/tools_inside.h"

#define TOOL_SERVER "http://127.0.0.1:8765"

enum { TOOL_TEXT_MAX = 8 << 20 };

/* Where --server says; false: it has complained. */
bool tool_place(const tool_call *call, http_place *out);

/* What the relay said instead, without the end of its line. */
void tool_complain_of(const tool_call *call, const char *what, int code, slice said);

/* So many bytes of a file. False: it cannot be read, or has fewer. */
bool tool_read_at(int file, char *to, size_t len, uint64_t at);

/* One that stands alone: connects, asks, reads all of the answer. Its status, or 0
 * when there was none, and `why` says why. */
int tool_fetch(const http_place *to, const char *method, const char *path, const char *headers,
               slice body, text *answer, char why[static HTTP_WHY_MAX]);

/* Reads a manifest, parts joined, which `next` hands out in their order. What it
 * gives is the arena's. False: *why says what is wrong. */
typedef bool tool_part(void *context, const uint8_t hash[static AUDIO_HASH], text *out);
bool tool_read_manifest(audio_manifest *out, arena *a, slice text_in, tool_part *next,
                        void *context, const char **why);

/* How far it is, on a terminal, a few times a second; `done` at the end. */
typedef struct tool_bar {
    uint64_t all, so_far;
    double began_s, said_s;
} tool_bar;
void tool_bar_show(tool_bar *b, uint64_t so_far, bool done);

#endif
