/* writers.c - see writers.h. */
#include "server/writers.h"

#include "core/guard.h"
#include "core/message.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A hundred thousand keys; what is larger is not a list of keys. */
enum { FILE_MAX = 16 << 20 };

typedef struct reading {
    writers *to;
    char *why;
} reading;

static bool wrong(reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool wrong(reading *r, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(r->why, OPTIONS_WHY_MAX, format, arguments);
    va_end(arguments);
    return false;
}

static bool add(reading *r, writers_list *list, slice word)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 16;
        slice *more = realloc(list->at, room * sizeof *more);
        if (more == NULL) return wrong(r, "out of memory");
        list->at = more;
        list->room = room;
    }
    list->at[list->count++] = word;
    return true;
}

/* ---- files ---- */

static bool read_whole(reading *r, FILE *from, const char *path, slice *out)
{
    struct stat about;
    char *bytes, *fitting;
    size_t len;

    if (fstat(fileno(from), &about) == 0 && S_ISFIFO(about.st_mode))
        return wrong(r, "%s: is a pipe; it is read more than once, so it has to be a file", path);
    bytes = malloc(FILE_MAX + 1);
    if (bytes == NULL) return wrong(r, "out of memory");
    len = fread(bytes, 1, FILE_MAX + 1, from);
    fitting = realloc(bytes, len ? len : 1);
    if (fitting != NULL) bytes = fitting;
    r->to->files[r->to->file_count].at = bytes;
    r->to->files[r->to->file_count++].len = len;
    *out = (slice){ bytes, len };
    if (ferror(from)) return wrong(r, "%s: %s", path, strerror(errno));
    if (len > FILE_MAX) return wrong(r, "%s: is larger than 16 MiB", path);
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next line, without the white space around it. */
static bool take_line(slice *rest, slice *line)
{
    const char *end;

    if (rest->len == 0) return false;
    end = memchr(rest->at, '\n', rest->len);
    *line = (slice){ rest->at, end == NULL ? rest->len : (size_t)(end - rest->at) };
    *rest = (slice){ line->at + line->len, rest->len - line->len };
    if (end != NULL) *rest = (slice){ rest->at + 1, rest->len - 1 };
    while (line->len > 0 && is_space(line->at[0])) *line = (slice){ line->at + 1, line->len - 1 };
    while (line->len > 0 && is_space(line->at[line->len - 1])) --line->len;
    return true;
}

/* ---- keys ---- */

static slice without_comment(slice line)
{
    const char *mark = memchr(line.at, '#', line.len);

    if (mark != NULL) line.len = (size_t)(mark - line.at);
    while (line.len > 0 && is_space(line.at[line.len - 1])) --line.len;
    return line;
}

#define KEY_LOOKS "a public key is 43 characters, a dot and 43 characters (A-Z a-z 0-9 _ -)"

static bool read_keys(reading *r, FILE *from, const char *path)
{
    slice rest, line;

    if (!read_whole(r, from, path, &rest)) return false;
    for (unsigned number = 1; take_line(&rest, &line); number++) {
        line = without_comment(line);
        if (line.len == 0) continue;
        if (!guard_is_key(line))
            return wrong(r, "--allow: %s, line %u: \"%.*s\" is none; " KEY_LOOKS, path, number,
                         line.len < 100 ? (int)line.len : 100, line.at);
        if (!add(r, &r->to->keys, line)) return false;
    }
    return true;
}

static bool read_allow(reading *r, const char *word)
{
    slice key = { word, strlen(word) };
    FILE *from;
    bool read;

    if (guard_is_key(key)) return add(r, &r->to->keys, key);
    from = fopen(word, "re");
    if (from == NULL)
        return wrong(r, "--allow: \"%s\" is no public key and no file that can be read (%s); %s",
                     word, strerror(errno), KEY_LOOKS);
    read = read_keys(r, from, word);
    (void)fclose(from);
    return read;
}

/* ---- tokens ---- */

/* What fits into a header and a cookie as it is. */
static bool is_token(slice word)
{
    if (word.len < WRITERS_TOKEN_MIN || word.len > MESSAGE_TOKEN_MAX) return false;
    for (size_t i = 0; i < word.len; i++)
        if (word.at[i] <= ' ' || word.at[i] > '~' || memchr(",;\"\\", word.at[i], 4)) return false;
    return true;
}

static bool add_token(reading *r, slice word)
{
    if (!is_token(word))
        return wrong(r,
                     "--write-token: a token has %d to %d visible characters of ASCII, none of "
                     "them , ; \" or \\",
                     WRITERS_TOKEN_MIN, MESSAGE_TOKEN_MAX);
    return add(r, &r->to->tokens, word);
}

static bool read_tokens(reading *r, FILE *from, const char *path)
{
    size_t before = r->to->tokens.count;
    struct stat about;
    slice rest, line;

    if (fstat(fileno(from), &about) == 0 && (about.st_mode & 077) != 0)
        r->to->token_readable = true;
    if (!read_whole(r, from, path, &rest)) return false;
    while (take_line(&rest, &line))
        if (line.len > 0 && !add_token(r, line)) return false;
    if (r->to->tokens.count == before) return wrong(r, "--write-token: %s holds no token", path);
    return true;
}

static bool read_token(reading *r, const char *word)
{
    FILE *from;
    bool read;

    if (word[0] != '@') {
        r->to->token_in_words = true;
        return add_token(r, (slice){ word, strlen(word) });
    }
    from = fopen(word + 1, "re");
    if (from == NULL) return wrong(r, "--write-token: %s: %s", word + 1, strerror(errno));
    read = read_tokens(r, from, word + 1);
    (void)fclose(from);
    return read;
}

bool writers_read(writers *out, const options *o, char why[OPTIONS_WHY_MAX])
{
    reading r = { .to = out, .why = why };
    bool read = true;

    *out = (writers){ .file_count = 0 };
    for (size_t i = 0; read && i < o->allow_count; i++) read = read_allow(&r, o->allow[i]);
    for (size_t i = 0; read && i < o->token_count; i++) read = read_token(&r, o->tokens[i]);
    if (!read) writers_free(out);
    return read;
}

void writers_free(writers *a)
{
    for (size_t i = 0; i < a->file_count; i++) {
        sodium_memzero(a->files[i].at, a->files[i].len);
        free(a->files[i].at);
    }
    free(a->keys.at);
    free(a->tokens.at);
    *a = (writers){ .file_count = 0 };
}
