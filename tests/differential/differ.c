/* differ.c - answers questions about the text layer, for Node to judge.
 *
 * On stdin and stdout batches alternate: four bytes of length (little endian),
 * then so many bytes of records. A record of a question is its length in four
 * bytes, one letter, and the rest; of an answer its length and the answer:
 *
 *   j TEXT        the document printed again, compact, with the spelling of
 *                 JSON.stringify and every member kept; behind it "d" when an
 *                 object says a key twice, else "u". "!" when it is refused.
 *   n BITS        the text of a double of eight bytes
 *   r TEXT        the eight bytes of a number's text, "!" when it overflows
 *   s TEXT        a raw string: canonical text, NUL, length, hash, weight
 *   v A NUL B     two raw values: order, then the verdict on B when A is held
 *                 at the same state, at a lower and at a higher one
 *   o A NUL B     two raw strings: the order of their names
 *   x QUERY NUL A raw query and raw string: whether String.match matches, and
 *                 whether the range has it
 *
 * "?" is answered where two ways to the same thing disagree.
 */
#include "core/ham.h"
#include "core/hash31.h"
#include "core/lex.h"
#include "core/number.h"
#include "core/utf16.h"
#include "tests/differential/reprint.h"

#include <stdio.h>
#include <stdlib.h>

static const json_bounds BOUNDS = { .depth_max = JSON_DEPTH_MOST, .tokens_max = 1u << 24 };

static void die(const char *why)
{
    fprintf(stderr, "differ: %s\n", why);
    exit(2);
}

/* A copy without a byte of room behind it, so that a sanitizer sees every step
 * too far. */
static slice tight(slice s)
{
    char *copy = malloc(s.len + (s.len == 0));

    must(copy != NULL);
    if (s.len > 0) memcpy(copy, s.at, s.len);
    return (slice){ copy, s.len };
}

static slice word(const char *s)
{
    return (slice){ s, strlen(s) };
}

/* ---- documents */

static bool any_duplicates(const json *j, arena *a)
{
    bool any = false, found;

    for (uint32_t i = 0; i < j->count; ++i) {
        must(json_has_duplicates(j, a, i, &found) == STATUS_OK);
        any = any || found;
    }
    return any;
}

static void answer_document(text *out, arena *a, slice source)
{
    json j;
    status s = json_read(&j, a, source, &BOUNDS);

    if (s != json_check(source, BOUNDS.depth_max)) {
        text_add(out, word("?check"));
    } else if (s == STATUS_OK) {
        reprint(out, &j, a);
        text_add_char(out, any_duplicates(&j, a) ? 'd' : 'u');
    } else {
        text_add_char(out, '!');
    }
}

/* ---- numbers */

static void answer_number(text *out, slice bits)
{
    char digits[NUMBER_TEXT_MAX];
    double x, back;

    must(bits.len == sizeof x);
    memcpy(&x, bits.at, sizeof x);
    slice printed = { digits, number_print(digits, x) };
    text_add(out, printed);
    if (!number_read(printed, &back) || back != x) text_add(out, word("?back"));
}

static void answer_number_text(text *out, slice source)
{
    double x;

    if (json_check(source, 1) != STATUS_OK) {
        text_add(out, word("?grammar"));
    } else if (number_read(source, &x)) {
        text_add(out, (slice){ (const char *)&x, sizeof x });
    } else {
        text_add_char(out, '!');
    }
}

/* ---- strings, values, names */

static void read_one(json *j, arena *a, slice source)
{
    must(json_read(j, a, source, &BOUNDS) == STATUS_OK);
}

static void answer_string(text *out, arena *a, slice source)
{
    char figures[64];
    json j;
    slice name, value;
    text reprinted = { 0 };

    read_one(&j, a, source);
    must(json_name(&j, a, 0, &name) == STATUS_OK);
    must(value_read(&j, a, 0, &value) == STATUS_OK);
    json_print_name(&reprinted, name);
    text_add(out, value);
    if (!slice_equal(value, text_slice(&reprinted))) text_add(out, word("?name"));
    int32_t hash = hash31_value(hash31_add(hash31_start(), name));
    int len = snprintf(figures, sizeof figures, "%c%zu %d %zu", 0, utf16_length(name), hash,
                       value_weight(value));
    text_add(out, (slice){ figures, (size_t)len });
    text_free(&reprinted);
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void answer_values(text *out, arena *a, slice one, slice two)
{
    json j[2];
    slice value[2];
    char figures[64];

    read_one(&j[0], a, one);
    read_one(&j[1], a, two);
    must(value_read(&j[0], a, 0, &value[0]) == STATUS_OK);
    must(value_read(&j[1], a, 0, &value[1]) == STATUS_OK);
    ham_write held = { 5, value[0] }, incoming = { 5, value[1] };
    int verdicts[3];
    for (int i = 0; i < 3; ++i) {
        held.state = 5 + (i == 0 ? 0 : i == 1 ? -0.001 : 0.001);
        verdicts[i] = (int)ham_judge(&held, &incoming, 10);
    }
    int len =
        snprintf(figures, sizeof figures, "%d %d %d %d", sign(value_order(value[0], value[1])),
                 verdicts[0], verdicts[1], verdicts[2]);
    text_add(out, (slice){ figures, (size_t)len });
}

static void answer_names(text *out, arena *a, slice one, slice two)
{
    json j[2];
    slice name[2];
    char figures[16];

    read_one(&j[0], a, one);
    read_one(&j[1], a, two);
    must(json_name(&j[0], a, 0, &name[0]) == STATUS_OK);
    must(json_name(&j[1], a, 0, &name[1]) == STATUS_OK);
    int len = snprintf(figures, sizeof figures, "%d", sign(slice_order(name[0], name[1])));
    text_add(out, (slice){ figures, (size_t)len });
}

static void answer_lex(text *out, arena *a, slice query, slice string)
{
    json j[2];
    slice name;
    lex q;
    lex_range r;

    read_one(&j[0], a, query);
    read_one(&j[1], a, string);
    must(lex_read(&j[0], a, 0, &q) == STATUS_OK && lex_to_range(&q, a, &r) == STATUS_OK);
    must(json_name(&j[1], a, 0, &name) == STATUS_OK);
    text_add_char(out, lex_match(&q, name) ? '1' : '0');
    text_add_char(out, lex_range_has(&r, name) ? '1' : '0');
}

/* ---- records */

static void answer(text *out, arena *a, slice record)
{
    if (record.len == 0) die("an empty question");
    slice body = tight((slice){ record.at + 1, record.len - 1 });
    const char *nul = body.len == 0 ? NULL : memchr(body.at, 0, body.len);
    slice one = body, two = body;

    if (nul != NULL) {
        one.len = (size_t)(nul - body.at);
        two = (slice){ nul + 1, body.len - one.len - 1 };
    }
    switch (record.at[0]) {
    case 'j':
        answer_document(out, a, body);
        break;
    case 'n':
        answer_number(out, body);
        break;
    case 'r':
        answer_number_text(out, body);
        break;
    case 's':
        answer_string(out, a, body);
        break;
    case 'v':
        answer_values(out, a, one, two);
        break;
    case 'o':
        answer_names(out, a, one, two);
        break;
    case 'x':
        answer_lex(out, a, one, two);
        break;
    default:
        die("no such question");
    }
    free((char *)body.at);
}

static uint32_t get_length(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;

    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void put_length(char *p, size_t length)
{
    for (int i = 0; i < 4; ++i) p[i] = (char)(length >> (8 * i));
}

static void answer_batch(text *out, arena *a, slice batch)
{
    size_t at = 0;

    while (at + 4 <= batch.len) {
        size_t length = get_length(batch.at + at), head = out->len;

        must(length <= batch.len - at - 4);
        text_add(out, word("...."));
        answer(out, a, (slice){ batch.at + at + 4, length });
        must(text_ok(out));
        put_length(out->at + head, out->len - head - 4);
        arena_reset(a, 1 << 20);
        at += 4 + length;
    }
}

int main(void)
{
    arena a = arena_make(SIZE_MAX / 4);
    text out = { 0 };
    char head[4];

    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        size_t length = get_length(head);
        char *batch = malloc(length + 1);

        must(batch != NULL && fread(batch, 1, length, stdin) == length);
        text_reset(&out, SIZE_MAX);
        text_add(&out, word("...."));
        answer_batch(&out, &a, (slice){ batch, length });
        put_length(out.at, out.len - 4);
        must(fwrite(out.at, 1, out.len, stdout) == out.len && fflush(stdout) == 0);
        free(batch);
    }
    text_free(&out);
    arena_free(&a);
    return 0;
}
