/* json.c - the tokenizer. Names and printing are in json_text.c.
 *
 * One loop, step(), takes a member or an element a time, or closes a container.
 * Two kinds of memory tell where we are: a bit for each open container says
 * whether it is an object, and, while tokens are kept, `next` of each open
 * container holds the token of the one around it until its own end is known.
 */
#include "core/json.h"
#include "core/utf16.h"

/* BRASA_SCALAR leaves the strides out, so that what other processors run is
 * tested on this one too. */
#if defined(__SSE2__) && !defined(BRASA_SCALAR)
#define STRIDES 1
#include <emmintrin.h>
#else
#define STRIDES 0
#endif

enum { TOKENS_FIRST = 64 };

typedef struct reader {
    const char *base, *at, *end;
    unsigned depth, depth_max;
    bool object; /* the innermost open container is one */
    bool fresh;  /* nothing stands in it yet */
    uint8_t objects[JSON_DEPTH_MOST / 8];

    bool keep; /* make tokens */
    arena *memory;
    json_token *tokens;
    size_t count, room, most;
    uint32_t open; /* token of the innermost open container */
} reader;

/* ---- tokens */

static status grow(reader *r)
{
    size_t room = r->room == 0 ? TOKENS_FIRST : r->room * 2;

    if (r->count >= r->most) return STATUS_TOO_BIG;
    if (room > r->most) room = r->most;

    size_t had = r->room * sizeof *r->tokens, wants = room * sizeof *r->tokens;
    void *tokens = r->room == 0 ? arena_take(r->memory, wants)
                                : arena_resize(r->memory, r->tokens, had, wants);
    if (tokens == NULL) return arena_failure(r->memory, wants - had);
    r->tokens = tokens;
    r->room = room;
    return STATUS_OK;
}

/* Appends the token that began at `start` and ends where we are. */
static status add_token(reader *r, const char *start, json_type type, bool plain)
{
    if (!r->keep) return STATUS_OK;
    if (r->count == r->room) {
        status s = grow(r);
        if (s != STATUS_OK) return s;
    }
    r->tokens[r->count] = (json_token){
        .start = (uint32_t)(start - r->base),
        .end = (uint32_t)(r->at - r->base),
        .next = (uint32_t)r->count + 1,
        .type = (uint8_t)type,
        .plain = plain,
    };
    ++r->count;
    return STATUS_OK;
}

/* ---- scalars */

static void skip_space(reader *r)
{
    while (r->at < r->end &&
           (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) {
        ++r->at;
    }
}

/* Steps over characters that mean themselves, in strides while there is room
 * for one. Stops at a quote, a backslash, a control character, or non-ASCII. */
static void skip_usual(reader *r)
{
#if STRIDES
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(' ');

    while (r->end - r->at >= 16) {
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)r->at);
        /* As signed bytes, controls and non-ASCII are both below the space. */
        __m128i odd = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(b, quote), _mm_cmpeq_epi8(b, slash)),
                                   _mm_cmplt_epi8(b, space));
        unsigned mask = (unsigned)_mm_movemask_epi8(odd);
        if (mask != 0) {
            r->at += __builtin_ctz(mask);
            return;
        }
        r->at += 16;
    }
#endif
    while (r->at < r->end) {
        unsigned char c = (unsigned char)*r->at;
        if (c == '"' || c == '\\' || c < ' ' || c >= 0x80) return;
        ++r->at;
    }
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Steps over one escape; false when it is none of JSON's. */
static bool skip_escape(reader *r)
{
    if (r->end - r->at < 2) return false;
    switch (r->at[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        r->at += 2;
        return true;
    case 'u':
        if (r->end - r->at < 6) return false;
        if (!is_hex(r->at[2]) || !is_hex(r->at[3]) || !is_hex(r->at[4]) || !is_hex(r->at[5])) {
            return false;
        }
        r->at += 6;
        return true;
    default:
        return false;
    }
}

/* Steps over a run of characters beyond ASCII; false when one is not UTF-8. */
static bool skip_foreign(reader *r, bool *plain)
{
    while (r->at < r->end && (unsigned char)*r->at >= 0x80) {
        size_t width = utf16_character((slice){ r->at, (size_t)(r->end - r->at) });

        if (width == 0) return false;
        if (width == 4) *plain = false;
        r->at += width;
    }
    return true;
}

static status read_string(reader *r)
{
    const char *start = r->at++;
    bool plain = true;

    for (;;) {
        skip_usual(r);
        if (r->at == r->end) return STATUS_MALFORMED;
        if (*r->at == '"') break;
        if (*r->at == '\\') {
            if (!skip_escape(r)) return STATUS_MALFORMED;
            plain = false;
        } else if ((unsigned char)*r->at < 0x80 || !skip_foreign(r, &plain)) {
            return STATUS_MALFORMED;
        }
    }
    ++r->at;
    return add_token(r, start, JSON_STRING, plain);
}

/* Steps over digits and returns how many there were. */
static size_t skip_digits(reader *r)
{
    const char *start = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') ++r->at;
    return (size_t)(r->at - start);
}

static bool skip_exponent(reader *r)
{
    ++r->at;
    if (r->at < r->end && (*r->at == '+' || *r->at == '-')) ++r->at;
    return skip_digits(r) > 0;
}

/* Whether digits without exponent are what JSON.stringify prints: with up to 15
 * of them no other text is shorter and means the same double, and it is written
 * without exponent from 1e-6 up. */
static bool is_usual_number(slice source, size_t whole, size_t decimals)
{
    const char *digits = source.at[0] == '-' ? source.at + 1 : source.at;
    bool zero = digits[0] == '0';

    if (whole + decimals > 15) return false;
    if (decimals == 0) return !zero || source.at[0] != '-';
    if (source.at[source.len - 1] == '0') return false;
    if (!zero) return true;
    for (size_t i = 0; i < 6 && i < decimals; ++i) {
        if (digits[2 + i] != '0') return true;
    }
    return false;
}

static status read_number(reader *r)
{
    const char *start = r->at;
    size_t decimals = 0;
    bool exponent = false;

    if (*r->at == '-') ++r->at;
    const char *digits = r->at;
    size_t whole = skip_digits(r);
    if (whole == 0 || (whole > 1 && *digits == '0')) return STATUS_MALFORMED;
    if (r->at < r->end && *r->at == '.') {
        ++r->at;
        decimals = skip_digits(r);
        if (decimals == 0) return STATUS_MALFORMED;
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        if (!skip_exponent(r)) return STATUS_MALFORMED;
        exponent = true;
    }
    slice source = { start, (size_t)(r->at - start) };
    return add_token(r, start, JSON_NUMBER, !exponent && is_usual_number(source, whole, decimals));
}

static status read_word(reader *r, slice word, json_type type)
{
    const char *start = r->at;

    if (!slice_begins((slice){ r->at, (size_t)(r->end - r->at) }, word)) return STATUS_MALFORMED;
    r->at += word.len;
    return add_token(r, start, type, true);
}

/* ---- containers */

static status open_container(reader *r)
{
    uint32_t self = (uint32_t)r->count;
    const char *start = r->at++;

    if (r->depth == r->depth_max) return STATUS_TOO_BIG;
    r->object = *start == '{';
    status s = add_token(r, start, r->object ? JSON_OBJECT : JSON_ARRAY, true);
    if (s != STATUS_OK) return s;

    if (r->keep) r->tokens[self].next = r->open;
    r->open = self;
    uint8_t bit = (uint8_t)(1u << (r->depth % 8)), *byte = &r->objects[r->depth / 8];
    *byte = (uint8_t)(r->object ? *byte | bit : *byte & ~bit);
    ++r->depth;
    r->fresh = true;
    return STATUS_OK;
}

static void close_container(reader *r)
{
    ++r->at;
    --r->depth;
    r->fresh = false;
    if (r->depth > 0) {
        unsigned around = r->depth - 1;
        r->object = (r->objects[around / 8] >> (around % 8) & 1) != 0;
    }
    if (!r->keep) return;

    json_token *token = &r->tokens[r->open];
    r->open = token->next;
    token->next = (uint32_t)r->count;
    token->end = (uint32_t)(r->at - r->base);
}

/* Reads a scalar whole, or the opening of a container. */
static status read_value(reader *r)
{
    skip_space(r);
    if (r->at == r->end) return STATUS_MALFORMED;
    switch (*r->at) {
    case '{':
    case '[':
        return open_container(r);
    case '"':
        return read_string(r);
    case 't':
        return read_word(r, SLICE("true"), JSON_TRUE);
    case 'f':
        return read_word(r, SLICE("false"), JSON_FALSE);
    case 'n':
        return read_word(r, SLICE("null"), JSON_NULL);
    default:
        return read_number(r);
    }
}

static status read_key(reader *r)
{
    skip_space(r);
    if (r->at == r->end || *r->at != '"') return STATUS_MALFORMED;
    status s = read_string(r);
    if (s != STATUS_OK) return s;

    skip_space(r);
    if (r->at == r->end || *r->at != ':') return STATUS_MALFORMED;
    ++r->at;
    return STATUS_OK;
}

/* Takes the next member or element of the innermost container, or its end. */
static status step(reader *r)
{
    skip_space(r);
    if (r->at == r->end) return STATUS_MALFORMED;
    if (*r->at == (r->object ? '}' : ']')) {
        close_container(r);
        return STATUS_OK;
    }
    if (!r->fresh) {
        if (*r->at != ',') return STATUS_MALFORMED;
        ++r->at;
    }
    r->fresh = false;
    if (r->object) {
        status s = read_key(r);
        if (s != STATUS_OK) return s;
    }
    return read_value(r);
}

static status read_whole(reader *r)
{
    status s = read_value(r);

    while (s == STATUS_OK && r->depth > 0) s = step(r);
    return s;
}

/* ---- what is asked of it */

static void start_reader(reader *r, slice source, size_t at, unsigned depth_max)
{
    r->base = source.at;
    r->at = source.at + at;
    r->end = source.at + source.len;
    r->depth = 0;
    r->depth_max = depth_max < JSON_DEPTH_MOST ? depth_max : JSON_DEPTH_MOST;
    r->object = r->fresh = r->keep = false;
    r->memory = NULL;
    r->tokens = NULL;
    r->count = r->room = r->most = 0;
    r->open = 0;
}

status json_read_at(json *out, arena *a, slice source, size_t *at, const json_bounds *bounds)
{
    reader r;

    if (source.len >= UINT32_MAX) return STATUS_TOO_BIG;
    if (*at >= source.len) return STATUS_MALFORMED;
    start_reader(&r, source, *at, bounds->depth_max);
    r.keep = true;
    r.memory = a;
    r.most = bounds->tokens_max < UINT32_MAX ? bounds->tokens_max : UINT32_MAX;

    status s = read_whole(&r);
    if (s != STATUS_OK) return s;
    /* What was taken too much goes back; making it smaller in place cannot fail. */
    json_token *kept = arena_resize(a, r.tokens, r.room * sizeof *kept, r.count * sizeof *kept);
    *out = (json){ source, kept == NULL ? r.tokens : kept, (uint32_t)r.count };
    *at = (size_t)(r.at - r.base);
    return STATUS_OK;
}

static bool is_end(slice source, size_t at)
{
    for (; at < source.len; ++at) {
        char c = source.at[at];
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r') return false;
    }
    return true;
}

status json_read(json *out, arena *a, slice source, const json_bounds *bounds)
{
    size_t at = 0;
    status s = json_read_at(out, a, source, &at, bounds);

    if (s != STATUS_OK) return s;
    return is_end(source, at) ? STATUS_OK : STATUS_MALFORMED;
}

status json_check(slice source, unsigned depth_max)
{
    reader r;

    if (source.len >= UINT32_MAX) return STATUS_TOO_BIG;
    if (source.len == 0) return STATUS_MALFORMED;
    start_reader(&r, source, 0, depth_max);
    status s = read_whole(&r);
    if (s != STATUS_OK) return s;
    return is_end(source, (size_t)(r.at - r.base)) ? STATUS_OK : STATUS_MALFORMED;
}
