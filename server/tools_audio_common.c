/* tools_audio_common.c - see tools_audio.h. */
#include "server/tools_audio.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

enum { BAR_CHARS = 30 };

bool tool_place(const tool_call *call, http_place *out)
{
    const char *url = call->server != NULL ? call->server : TOOL_SERVER;

    if (http_place_read(url, out)) return true;
    (void)tool_complain(call, 0, "--server: \"%s\" is no address like " TOOL_SERVER, url);
    return false;
}

void tool_complain_of(const tool_call *call, const char *what, int code, slice said)
{
    while (said.len > 0 && said.at[said.len - 1] == '\n') said.len--;
    (void)tool_complain(call, 0, "%s: %d %.*s", what, code, (int)said.len, said.at);
}

bool tool_read_at(int file, char *to, size_t len, uint64_t at)
{
    while (len > 0) {
        ssize_t n = pread(file, to, len, (off_t)at);

        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        to += n;
        len -= (size_t)n;
        at += (uint64_t)n;
    }
    return true;
}

int tool_fetch(const http_place *to, const char *method, const char *path, const char *headers,
               slice body, text *answer, char why[static HTTP_WHY_MAX])
{
    http_line *l = http_open(to, why);
    http_answer a = { 0 };

    if (l == NULL) return 0;
    /* An answer may come before all was sent. */
    (void)http_send(l, method, path, headers, body);
    if (!http_hear(l, &a) || !http_read_all(l, answer, TOOL_TEXT_MAX)) {
        snprintf(why, HTTP_WHY_MAX, "%.100s port %s: no answer that can be read", to->host,
                 to->port);
        a.code = 0;
    }
    http_close(l);
    return a.code;
}

bool tool_read_manifest(audio_manifest *out, arena *a, slice text_in, tool_part *next,
                        void *context, const char **why)
{
    text part = { 0 };
    slice *texts;
    bool good;

    if (audio_manifest_read(out, crypto_hashing(), a, text_in, why) != STATUS_OK) return false;
    if (out->part_count == 0) return true;
    texts = arena_take(a, out->part_count * sizeof *texts);
    good = texts != NULL;
    *why = "one of its parts could not be had";
    for (uint32_t i = 0; good && i < out->part_count; i++) {
        good = next(context, out->parts + (size_t)i * AUDIO_HASH, &part);
        if (good) texts[i] = arena_copy(a, text_slice(&part));
        good = good && texts[i].at != NULL;
    }
    text_free(&part);
    return good && audio_manifest_join(out, crypto_hashing(), a, texts, why) == STATUS_OK;
}

/* ---- the bar ---- */

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void tool_bar_show(tool_bar *b, uint64_t so_far, bool done)
{
    char bar[BAR_CHARS + 1];
    double now = seconds(), part = b->all ? (double)so_far / (double)b->all : 1;
    double rate;

    if (b->began_s <= 0) b->began_s = now;
    b->so_far = so_far;
    if (!isatty(2) || (!done && now - b->said_s < 0.1)) return;
    b->said_s = now;
    rate = now > b->began_s ? (double)so_far / (now - b->began_s) / 1e6 : 0;
    for (int i = 0; i < BAR_CHARS; i++) bar[i] = i < part * BAR_CHARS ? '#' : '.';
    bar[BAR_CHARS] = '\0';
    fprintf(stderr, "\r%s %3.0f %%  %.1f of %.1f MB, %.1f MB/s ", bar, part * 100,
            (double)so_far / 1e6, (double)b->all / 1e6, rate);
    if (done) fputc('\n', stderr);
}
