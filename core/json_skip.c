/* json_skip.c - see json_skip.h. */
#include "core/json_skip.h"

static size_t skip_space(slice t, size_t at)
{
    while (at < t.len &&
           (t.at[at] == ' ' || t.at[at] == '\t' || t.at[at] == '\n' || t.at[at] == '\r'))
        ++at;
    return at;
}

static size_t skip_string(slice t, size_t at)
{
    for (++at; at < t.len && t.at[at] != '"'; ++at)
        if (t.at[at] == '\\') ++at;
    return at < t.len ? at + 1 : t.len;
}

static bool ends_scalar(char c)
{
    return c == ',' || c == ']' || c == '}' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

size_t json_skip(slice t, size_t at)
{
    size_t depth = 0;

    at = skip_space(t, at);
    while (at < t.len) {
        char c = t.at[at];

        if (c == '"') {
            at = skip_string(t, at);
        } else if (c == '{' || c == '[') {
            ++depth;
            ++at;
        } else if (c == '}' || c == ']') {
            if (depth > 0) --depth;
            ++at;
        } else if (depth > 0) {
            ++at;
        } else {
            while (at < t.len && !ends_scalar(t.at[at])) ++at;
        }
        if (depth == 0) return at;
    }
    return at;
}

static bool is_plain(slice s)
{
    for (size_t i = 0; i < s.len; ++i)
        if (s.at[i] == '\\' || (unsigned char)s.at[i] >= 0xF0) return false;
    return true;
}

slice json_peek(slice t, size_t at, slice key)
{
    at = skip_space(t, at);
    while (at < t.len && (t.at[at] == '{' || t.at[at] == ',')) {
        size_t name = skip_space(t, at + 1), name_end, value, value_end;

        if (name >= t.len || t.at[name] != '"') break;
        name_end = skip_string(t, name);
        value = skip_space(t, name_end);
        if (value >= t.len || t.at[value] != ':') break;
        value = skip_space(t, value + 1);
        value_end = json_skip(t, value);
        if (name_end - name == key.len + 2 && memcmp(t.at + name + 1, key.at, key.len) == 0) {
            slice raw = { t.at + value + 1, value_end - value - 2 };
            if (value_end < value + 2 || t.at[value] != '"' || !is_plain(raw)) break;
            return raw;
        }
        at = skip_space(t, value_end);
    }
    return (slice){ NULL, 0 };
}
