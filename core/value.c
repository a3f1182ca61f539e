/* value.c - see value.h. */
#include "core/value.h"

#include "core/number.h"
#include "core/utf16.h"

static status keep(arena *a, slice printed, slice *out)
{
    *out = arena_copy(a, printed);
    return out->at == NULL ? arena_failure(a, printed.len) : STATUS_OK;
}

static status read_number(const json *j, arena *a, uint32_t i, slice *out)
{
    char digits[NUMBER_TEXT_MAX];
    slice raw = json_raw(j, i);
    double x;

    *out = raw;
    if (j->tokens[i].plain) return STATUS_OK;
    if (!number_read(raw, &x)) return STATUS_MALFORMED;
    slice printed = { digits, number_print(digits, x) };
    return slice_equal(printed, raw) ? STATUS_OK : keep(a, printed, out);
}

/* Prints lead, string token i and tail into the arena. */
static status print_around(const json *j, arena *a, uint32_t i, slice lead, slice tail, slice *out)
{
    text t = { 0 };

    text_add(&t, lead);
    status s = json_print_string(&t, j, a, i);
    text_add(&t, tail);
    if (s == STATUS_OK) s = text_ok(&t) ? keep(a, text_slice(&t), out) : STATUS_NO_MEMORY;
    text_free(&t);
    return s;
}

static status read_string(const json *j, arena *a, uint32_t i, slice *out)
{
    *out = json_raw(j, i);
    if (j->tokens[i].plain || json_is_canonical(*out)) return STATUS_OK;
    return print_around(j, a, i, SLICE(""), SLICE(""), out);
}

static status read_link(const json *j, arena *a, uint32_t i, slice *out)
{
    uint32_t soul = json_member(j, i, SLICE("#"));

    /* Object, key, value: one member and nothing inside it. */
    if (soul != i + 2 || j->tokens[i].next != i + 3) return STATUS_MALFORMED;
    if (j->tokens[soul].type != JSON_STRING) return STATUS_MALFORMED;
    slice raw = json_raw(j, i), string = json_raw(j, soul);
    if (string.len == 2) return STATUS_MALFORMED;

    bool tight = raw.len == sizeof "{\"#\":}" - 1 + string.len;
    if (tight && json_is_canonical(string)) {
        *out = raw;
        return STATUS_OK;
    }
    return print_around(j, a, soul, SLICE("{\"#\":"), SLICE("}"), out);
}

status value_read(const json *j, arena *a, uint32_t i, slice *out)
{
    switch ((json_type)j->tokens[i].type) {
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
        *out = json_raw(j, i);
        return STATUS_OK;
    case JSON_NUMBER:
        return read_number(j, a, i, out);
    case JSON_STRING:
        return read_string(j, a, i, out);
    case JSON_OBJECT:
        return read_link(j, a, i, out);
    case JSON_ARRAY:
        break;
    }
    return STATUS_MALFORMED;
}

int value_order(slice a, slice b)
{
    return utf16_order(a, b);
}

status value_link(slice value, arena *a, slice *soul)
{
    slice lead = SLICE("{\"#\":\""), tail = SLICE("\"}");

    if (!slice_begins(value, lead) || value.len <= lead.len + tail.len) return STATUS_NOT_FOUND;
    slice inner = { value.at + lead.len, value.len - lead.len - tail.len };
    return json_unescape(inner, a, soul);
}

/* Units that escapes add to what they stand for: each means one. */
static size_t units_of_escapes(slice s)
{
    size_t i = 0, units = 0;

    while (i < s.len) {
        const char *slash = memchr(s.at + i, '\\', s.len - i);

        if (slash == NULL) return units;
        i = (size_t)(slash - s.at);
        size_t width = i + 6 < s.len && slash[1] == 'u' ? 6 : 2;
        units += width - 1;
        i += width;
    }
    return units;
}

size_t value_weight(slice value)
{
    enum { WEIGHT_OF_OTHERS = 9 };

    if (value.len <= 2 || value.at[0] != '"') return WEIGHT_OF_OTHERS;
    return utf16_length(value) - 2 - units_of_escapes(value);
}
