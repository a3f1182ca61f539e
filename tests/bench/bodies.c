/* bodies.c - see bodies.h. */
#include "tests/bench/bodies.h"

#include <stdio.h>
#include <stdlib.h>

static char *read_whole(const char *path, size_t *len)
{
    FILE *from = fopen(path, "rb");
    char *text = NULL;
    long size;

    if (from == NULL) return NULL;
    if (fseek(from, 0, SEEK_END) == 0 && (size = ftell(from)) > 0 &&
        fseek(from, 0, SEEK_SET) == 0 && (text = malloc((size_t)size)) != NULL) {
        *len = (size_t)size;
        if (fread(text, 1, *len, from) != *len) {
            free(text);
            text = NULL;
        }
    }
    fclose(from);
    return text;
}

/* The line at `at`, which ends before `end`. */
static slice line_at(const char *at, const char *end)
{
    const char *mark = memchr(at, '\n', (size_t)(end - at));

    return (slice){ at, (size_t)((mark == NULL ? end : mark) - at) };
}

static uint64_t count_lines(const char *at, const char *end)
{
    uint64_t count = 0;

    for (; at < end; at += line_at(at, end).len + 1) count++;
    return count;
}

bool bodies_read(bodies *b, const char *path)
{
    size_t len = 0;

    *b = (bodies){ .text = read_whole(path, &len) };
    if (b->text == NULL) return false;
    const char *end = b->text + len;
    b->count = count_lines(b->text, end);
    b->lines = calloc(b->count, sizeof *b->lines);
    if (b->lines == NULL) {
        bodies_free(b);
        return false;
    }
    const char *at = b->text;
    for (uint64_t i = 0; i < b->count; i++) {
        b->lines[i] = line_at(at, end);
        at += b->lines[i].len + 1;
    }
    return true;
}

void bodies_free(bodies *b)
{
    free(b->text);
    free(b->lines);
    *b = (bodies){ 0 };
}
