/* sea_text.c - a value's inside, and the texts that are signed.
 *
 * sea.js parses a value and prints what it read again, and that text is what was
 * signed. So the text depends on how an object's keys are ordered, which a
 * browser does as JavaScript does (whole numbers first, then as they came), and
 * a relay of gun's by sorting. Both are tried where they differ.
 */
#include "core/base64.h"
#include "core/number.h"
#include "core/sea_inside.h"
#include "core/utf16.h"

#include <stdlib.h>

static void *take(judging *g, size_t bytes)
{
    void *at = arena_take(g->a, bytes ? bytes : 1);

    if (at == NULL && g->how == STATUS_OK) g->how = arena_failure(g->a, bytes);
    return at;
}

/* --- the inside of a string --- */

/* The character that a canonical escape says, 0 for a surrogate. */
static char escaped(const char *at)
{
    static const char letters[] = "bfnrt\"\\", means[] = "\b\f\n\r\t\"\\";
    const char *letter = strchr(letters, at[1]);

    if (letter != NULL) return means[letter - letters];
    if (at[2] != '0') return 0;
    return (char)((at[4] <= '9' ? at[4] - '0' : 0) * 16 +
                  (at[5] <= '9' ? at[5] - '0' : at[5] - 'a' + 10));
}

/* Takes the quotes and escapes off a canonical string. A lone surrogate, which no
 * UTF-8 can say, stays the escape it is: inside a string of the JSON to be read it
 * means the same, and elsewhere both are malformed. Only behind a backslash would
 * its meaning change; there it is as malformed as it was. */
static bool unescape(judging *g, slice string, slice *out)
{
    slice from = { string.at + 1, string.len - 2 };
    char *to = memchr(from.at, '\\', from.len) == NULL ? NULL : take(g, from.len);
    size_t len = 0, slashes = 0;

    *out = from;
    if (memchr(from.at, '\\', from.len) == NULL) return true;
    if (to == NULL) return false;
    for (size_t i = 0; i < from.len;) {
        char c = from.at[i];
        bool is_escape = c == '\\';

        if (is_escape) c = escaped(from.at + i);
        if (c == 0 && is_escape && from.at[i + 2] == 'd') {
            if (slashes % 2 == 1) return false;
            memcpy(to + len, from.at + i, 6);
            len += 6;
            i += 6;
            continue;
        }
        slashes = c == '\\' ? slashes + 1 : 0;
        to[len++] = c;
        i += !is_escape ? 1 : from.at[i + 1] == 'u' ? 6 : 2;
    }
    *out = (slice){ to, len };
    return true;
}

bool sea_string(judging *g, const json *j, uint32_t at, slice *out)
{
    status s = json_name(j, g->a, at, out);

    if (s == STATUS_NO_MEMORY || s == STATUS_TOO_BIG) g->how = s;
    return s == STATUS_OK;
}

bool sea_inside(judging *g, json *out, bool *old_mark)
{
    json_bounds bounds = { SEA_DEPTH_MAX, SEA_TOKENS_MAX };
    slice inner;
    status s;

    *old_mark = false;
    if (g->value.len < 2 || g->value.at[0] != '"' || !unescape(g, g->value, &inner)) return false;
    if (slice_begins(inner, SLICE("SEA{"))) {
        *old_mark = true;
        inner = (slice){ inner.at + 3, inner.len - 3 };
    }
    s = json_read(out, g->a, inner, &bounds);
    if (s == STATUS_NO_MEMORY) g->how = s;
    return s == STATUS_OK;
}

/* --- printing --- */

typedef struct member {
    slice name;
    uint32_t key, value; /* tokens */
    int64_t index;       /* a whole number that JavaScript takes for an index, else -1 */
} member;

/* "0" to "4294967294", as JavaScript prints them. */
static int64_t index_of(slice name)
{
    int64_t index = 0;

    if (name.len == 0 || name.len > 10 || (name.at[0] == '0' && name.len > 1)) return -1;
    for (size_t i = 0; i < name.len; ++i) {
        if (name.at[i] < '0' || name.at[i] > '9') return -1;
        index = index * 10 + (name.at[i] - '0');
    }
    return index < UINT32_MAX ? index : -1;
}

static int by_name(const void *left, const void *right)
{
    const member *a = left, *b = right;
    int order = slice_order(a->name, b->name);

    if (order != 0) return order;
    return a->key < b->key ? -1 : a->key > b->key;
}

static int by_index_then_place(const void *left, const void *right)
{
    const member *a = left, *b = right;

    if (a->index != b->index && (a->index >= 0 || b->index >= 0)) {
        if (a->index < 0 || b->index < 0) return a->index < 0 ? 1 : -1;
        return a->index < b->index ? -1 : 1;
    }
    return a->key < b->key ? -1 : a->key > b->key;
}

/* Of a key said twice the last value counts, in the place of the first. */
static size_t without_duplicates(member *at, size_t count)
{
    size_t left = 0;

    for (size_t i = 0; i < count; ++i) {
        if (left > 0 && slice_equal(at[left - 1].name, at[i].name))
            at[left - 1].value = at[i].value;
        else
            at[left++] = at[i];
    }
    return left;
}

static size_t read_members(judging *g, const json *j, uint32_t i, sea_order order, member **out)
{
    size_t count = 0, room = 0;
    member *at;

    for (uint32_t k = i + 1; k < j->tokens[i].next; k = j->tokens[k + 1].next) ++room;
    at = take(g, room * sizeof *at);
    if (at == NULL) return 0;
    for (uint32_t k = i + 1; k < j->tokens[i].next; k = j->tokens[k + 1].next) {
        member m = { .key = k, .value = k + 1 };
        status s = json_name(j, g->a, k, &m.name);

        if (s != STATUS_OK) {
            g->how = s;
            return 0;
        }
        m.index = index_of(m.name);
        at[count++] = m;
    }
    qsort(at, count, sizeof *at, by_name);
    count = without_duplicates(at, count);
    if (order == SEA_AS_BROWSERS) qsort(at, count, sizeof *at, by_index_then_place);
    *out = at;
    return count;
}

static void print_object(judging *g, text *t, const json *j, uint32_t i, sea_order order)
{
    member *at = NULL;
    size_t count = read_members(g, j, i, order, &at);

    text_add_char(t, '{');
    for (size_t m = 0; m < count; ++m) {
        if (m > 0) text_add_char(t, ',');
        json_print_name(t, at[m].name);
        text_add_char(t, ':');
        sea_print(g, t, j, at[m].value, order);
    }
    text_add_char(t, '}');
}

static void print_array(judging *g, text *t, const json *j, uint32_t i, sea_order order)
{
    text_add_char(t, '[');
    for (uint32_t k = i + 1; k < j->tokens[i].next; k = j->tokens[k].next) {
        if (k > i + 1) text_add_char(t, ',');
        sea_print(g, t, j, k, order);
    }
    text_add_char(t, ']');
}

static void print_number(text *t, slice raw)
{
    double x;

    if (number_read(raw, &x))
        text_add_number(t, x);
    else
        text_add(t, SLICE("null")); /* JSON.stringify of Infinity */
}

void sea_print(judging *g, text *t, const json *j, uint32_t i, sea_order order)
{
    status s = STATUS_OK;

    switch ((json_type)j->tokens[i].type) {
    case JSON_OBJECT:
        print_object(g, t, j, i, order);
        break;
    case JSON_ARRAY:
        print_array(g, t, j, i, order);
        break;
    case JSON_NUMBER:
        print_number(t, json_raw(j, i));
        break;
    case JSON_STRING:
        s = json_print_string(t, j, g->a, i);
        break;
    default:
        text_add(t, json_raw(j, i));
    }
    if (s != STATUS_OK) g->how = s;
}

/* --- signatures --- */

bool sea_key_read(slice pub, uint8_t out[static SEA_KEY_BYTES])
{
    const char *dot = memchr(pub.at, '.', pub.len);
    size_t left;

    if (dot == NULL) return false;
    left = (size_t)(dot - pub.at);
    return base64_url32((slice){ pub.at, left }, out) &&
           base64_url32((slice){ dot + 1, pub.len - left - 1 }, out + 32);
}

static bool signed_as(judging *g, const uint8_t *key, const uint8_t *signature, slice what)
{
    uint8_t digest[SEA_DIGEST_BYTES];

    g->crypto->sha256(g->crypto->context, what, digest);
    return g->crypto->verify(g->crypto->context, key, digest, signature);
}

bool sea_signed_by(judging *g, slice pub, const json *j, uint32_t what, uint32_t signature,
                   sea_printer *print)
{
    uint8_t key[SEA_KEY_BYTES], bytes[SEA_SIGNATURE_BYTES];
    text one = { 0 }, other = { 0 };
    bool good = false;
    slice spelled;

    if (!sea_key_read(pub, key) || !sea_string(g, j, signature, &spelled) ||
        !base64_forgiving(spelled, bytes, sizeof bytes))
        return false;
    print(g, &one, j, what, SEA_AS_BROWSERS);
    if (g->how == STATUS_OK && text_ok(&one)) good = signed_as(g, key, bytes, text_slice(&one));
    if (!good) print(g, &other, j, what, SEA_SORTED);
    if (!text_ok(&one) || !text_ok(&other)) g->how = STATUS_NO_MEMORY;
    if (!good && g->how == STATUS_OK && !slice_equal(text_slice(&one), text_slice(&other)))
        good = signed_as(g, key, bytes, text_slice(&other));
    text_free(&one);
    text_free(&other);
    return good && g->how == STATUS_OK;
}
