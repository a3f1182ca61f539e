/* reprint.c - see reprint.h. */
#include "tests/differential/reprint.h"

#include "core/number.h"

#include <stdio.h>
#include <stdlib.h>

void must(bool ok)
{
    if (ok) return;
    fprintf(stderr, "a call failed that cannot\n");
    abort();
}

static void print_scalar(text *out, const json *j, arena *a, uint32_t i)
{
    char digits[NUMBER_TEXT_MAX];
    slice raw = json_raw(j, i);
    double x;

    if (j->tokens[i].type == JSON_STRING) {
        must(json_print_string(out, j, a, i) == STATUS_OK);
    } else if (j->tokens[i].type == JSON_NUMBER) {
        /* JSON.stringify has no text for Infinity and prints null. */
        if (!number_read(raw, &x)) {
            text_add(out, SLICE("null"));
            return;
        }
        slice printed = { digits, number_print(digits, x) };
        text_add(out, printed);
        if (j->tokens[i].plain && !slice_equal(printed, raw)) text_add(out, SLICE("?plain?"));
    } else {
        text_add(out, raw);
    }
}

typedef struct level {
    uint32_t end;
    bool object;
} level;

/* Prints all tokens in their order; between them only what the grammar needs. */
void reprint(text *out, const json *j, arena *a)
{
    level *levels = arena_take(a, JSON_DEPTH_MOST * sizeof *levels);
    size_t depth = 0;
    bool key = false, fresh = true;

    must(levels != NULL);
    for (uint32_t i = 0; i < j->count || depth > 0;) {
        if (depth > 0 && i == levels[depth - 1].end) {
            text_add_char(out, levels[--depth].object ? '}' : ']');
            key = depth > 0 && levels[depth - 1].object;
            fresh = false;
            continue;
        }
        if (depth > 0 && !fresh && (key || !levels[depth - 1].object)) text_add_char(out, ',');
        json_type type = (json_type)j->tokens[i].type;
        fresh = type == JSON_OBJECT || type == JSON_ARRAY;
        if (fresh) {
            levels[depth++] = (level){ j->tokens[i].next, type == JSON_OBJECT };
            text_add_char(out, type == JSON_OBJECT ? '{' : '[');
            key = type == JSON_OBJECT;
            ++i;
            continue;
        }
        print_scalar(out, j, a, i++);
        if (depth == 0 || !levels[depth - 1].object) continue;
        if (key) text_add_char(out, ':');
        key = !key;
    }
}
