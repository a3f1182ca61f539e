/* vectors.c - see vectors.h. */
#include "tests/unit/vectors.h"

#include "core/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const json_bounds BOUNDS = { .depth_max = 64, .tokens_max = 1000000 };

static slice read_file(vectors *v, const char *file)
{
    char path[4096];
    long size;

    snprintf(path, sizeof path, "%s/%s", VECTORS, file);
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0) {
        fail_msg("cannot read %s", path);
        abort();
    }
    rewind(f);
    v->bytes = malloc((size_t)size + 1);
    assert_non_null(v->bytes);
    assert_int_equal(fread(v->bytes, 1, (size_t)size, f), size);
    fclose(f);
    return (slice){ v->bytes, (size_t)size };
}

void vectors_read(vectors *v, slice source)
{
    v->bytes = NULL;
    v->memory = arena_make(64u << 20);
    assert_int_equal(json_read(&v->j, &v->memory, source, &BOUNDS), STATUS_OK);
}

void vectors_open(vectors *v, const char *file)
{
    slice source = read_file(v, file);
    char *bytes = v->bytes;

    vectors_read(v, source);
    v->bytes = bytes;
}

void vectors_close(vectors *v)
{
    arena_free(&v->memory);
    free(v->bytes);
}

bool vectors_has(const vectors *v, uint32_t object, const char *key)
{
    return json_member(&v->j, object, (slice){ key, strlen(key) }) != 0;
}

uint32_t vectors_at(const vectors *v, uint32_t object, const char *key)
{
    uint32_t at = json_member(&v->j, object, (slice){ key, strlen(key) });

    if (at == 0) fail_msg("no member \"%s\"", key);
    return at;
}

slice vectors_name(vectors *v, uint32_t string)
{
    slice out = SLICE("");

    assert_int_equal(json_name(&v->j, &v->memory, string, &out), STATUS_OK);
    return out;
}

double vectors_number(const vectors *v, uint32_t number)
{
    double out = 0;

    assert_int_equal(v->j.tokens[number].type, JSON_NUMBER);
    assert_true(number_read(json_raw(&v->j, number), &out));
    return out;
}

bool vectors_true(const vectors *v, uint32_t boolean)
{
    json_type type = (json_type)v->j.tokens[boolean].type;

    assert_true(type == JSON_TRUE || type == JSON_FALSE);
    return type == JSON_TRUE;
}

size_t vectors_count(const vectors *v, uint32_t array)
{
    size_t count = 0;

    for (uint32_t i = vectors_first(array); vectors_in(v, array, i); i = vectors_next(v, i))
        ++count;
    return count;
}

slice vectors_units(vectors *v, slice hex)
{
    char *escaped = arena_take(&v->memory, hex.len * 2 + 2);
    size_t len = 0;
    slice out = SLICE("");

    for (size_t i = 0; i + 4 <= hex.len; i += 5) {
        memcpy(escaped + len, "\\u", 2);
        memcpy(escaped + len + 2, hex.at + i, 4);
        len += 6;
    }
    assert_int_equal(json_unescape((slice){ escaped, len }, &v->memory, &out), STATUS_OK);
    return out;
}

void vectors_assert(slice got, slice want, const char *file, int line)
{
    if (slice_equal(got, want)) return;
    print_error("%s:%d: got  %.*s\n", file, line, (int)got.len, got.at);
    print_error("%s:%d: want %.*s\n", file, line, (int)want.len, want.at);
    _fail(file, line);
}
