/* talk.c - see talk.h. */
#include "tests/bench/talk.h"

#include "tests/bench/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* No letter that means anything to JSON, and no '@'. */
static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz012345";

enum { STATE_AGE_MS = 5 };

talk_tag talk_new_tag(void)
{
    talk_tag tag = { 0 };
    unsigned char random[TALK_TAG_BYTES] = { 0 };

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) abort();
    for (size_t i = 0; i < sizeof random; i++) tag.at[i] = LETTERS[random[i] % 32];
    return tag;
}

/* splitmix64's finisher: one to one, so that no two numbers share a name but for
 * the four bits that twelve letters leave out. */
static uint64_t scramble(uint64_t number)
{
    number += 0x9E3779B97F4A7C15ull;
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9ull;
    number = (number ^ number >> 27) * 0x94D049BB133111EBull;
    return number ^ number >> 31;
}

slice talk_name(char text[static TALK_NAME_MAX], const char *prefix, uint64_t number)
{
    size_t len = strlen(prefix);
    uint64_t bits = scramble(number);

    if (len > TALK_NAME_MAX - 12) abort();
    memcpy(text, prefix, len);
    for (int i = 0; i < 12; i++, bits >>= 5) text[len++] = LETTERS[bits & 31];
    return (slice){ text, len };
}

static char *room(talk_text *t, size_t more)
{
    if (t->room - t->len < more) {
        size_t size = t->room < 1024 ? 1024 : t->room;
        while (size - t->len < more) size *= 2;
        t->at = realloc(t->at, size);
        if (t->at == NULL) abort();
        t->room = size;
    }
    return t->at + t->len;
}

void talk_add(talk_text *t, slice more)
{
    memcpy(room(t, more.len), more.at, more.len);
    t->len += more.len;
}

slice talk_slice(const talk_text *t)
{
    return (slice){ t->at, t->len };
}

static void add(talk_text *t, const char *text)
{
    talk_add(t, (slice){ text, strlen(text) });
}

/* --- ids --- */

static void hex(char *to, uint32_t value, unsigned digits)
{
    static const char DIGITS[] = "0123456789abcdef";

    for (unsigned i = digits; i-- > 0; value >>= 4) to[i] = DIGITS[value & 15];
}

static bool read_hex(const char *from, unsigned digits, uint32_t *out)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < digits; i++) {
        char c = from[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;
        if (digit > 15) return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

static void add_id(talk_text *t, const talk_tag *tag, talk_id id)
{
    char *at = room(t, TALK_ID_BYTES);

    memcpy(at, tag->at, TALK_TAG_BYTES);
    hex(at + 5, id.wire, 4);
    hex(at + 9, id.slot, 4);
    hex(at + 13, id.generation & TALK_GENERATION_MASK, 5);
    t->len += TALK_ID_BYTES;
}

static bool read_id(const char *at, const talk_tag *tag, talk_id *out)
{
    uint32_t wire, slot, generation;

    if (memcmp(at, tag->at, TALK_TAG_BYTES) != 0) return false;
    if (!read_hex(at + 5, 4, &wire) || !read_hex(at + 9, 4, &slot)) return false;
    if (!read_hex(at + 13, 5, &generation)) return false;
    *out = (talk_id){ (uint16_t)wire, (uint16_t)slot, generation };
    return true;
}

/* --- what we say --- */

/* Milliseconds with up to three digits of fraction, as gun.js stamps the writes
 * of one millisecond. `last_us` is the state of the message before. */
static slice print_state(uint64_t *last_us, char text[static 32])
{
    uint64_t now_us = (clock_wall_ms() - STATE_AGE_MS) * 1000;

    *last_us = now_us > *last_us ? now_us : *last_us + 1;
    int n = snprintf(text, 32, "%llu", (unsigned long long)(*last_us / 1000));
    unsigned fraction = (unsigned)(*last_us % 1000);
    if (fraction > 0) {
        n += snprintf(text + n, 32 - (size_t)n, ".%03u", fraction);
        while (text[n - 1] == '0') n--;
    }
    return (slice){ text, (size_t)n };
}

/* Filler that no compression or interning could shorten to nothing. */
static void add_value(talk_text *t, const char *mark, size_t bytes)
{
    uint64_t chance = 0x9E3779B97F4A7C15ull * (t->len + 1) ^ clock_ns();
    size_t marked = strlen(mark);
    char *at = room(t, bytes + marked);

    memcpy(at, mark, marked);
    for (size_t i = marked; i < bytes; i++) {
        if (i % 12 == marked % 12)
            chance = chance * 6364136223846793005ull + 1442695040888963407ull;
        at[i] = LETTERS[chance >> (4 + 5 * (i % 12)) & 31];
    }
    t->len += bytes > marked ? bytes : marked;
}

static void add_key(talk_text *t, uint32_t key)
{
    char text[16];
    int n = snprintf(text, sizeof text, "k%u", key);

    talk_add(t, (slice){ text, (size_t)n });
}

void talk_put(talk_text *t, talk_tag *tag, talk_id id, const talk_node *node)
{
    char state_text[32];
    slice state = print_state(&tag->last_us, state_text);

    add(t, "{\"#\":\"");
    add_id(t, tag, id);
    add(t, "\",\"put\":{\"");
    talk_add(t, node->soul);
    add(t, "\":{\"_\":{\"#\":\"");
    talk_add(t, node->soul);
    add(t, "\",\">\":{");
    for (uint32_t i = 0; i < node->keys; i++) {
        add(t, i > 0 ? ",\"" : "\"");
        add_key(t, node->first_key + i);
        add(t, "\":");
        talk_add(t, state);
    }
    add(t, "}}");
    for (uint32_t i = 0; i < node->keys; i++) {
        add(t, ",\"");
        add_key(t, node->first_key + i);
        add(t, "\":\"");
        add_value(t, node->mark, node->value_bytes);
        add(t, "\"");
    }
    add(t, "}}}");
}

void talk_prepared(talk_text *t, const talk_tag *tag, talk_id id, slice rest)
{
    add(t, "{\"#\":\"");
    add_id(t, tag, id);
    add(t, "\",");
    talk_add(t, rest);
}

void talk_get(talk_text *t, const talk_tag *tag, talk_id id, slice soul)
{
    add(t, "{\"#\":\"");
    add_id(t, tag, id);
    add(t, "\",\"get\":{\"#\":\"");
    talk_add(t, soul);
    add(t, "\"}}");
}

void talk_echo(talk_text *t, const talk_tag *tag, talk_id id, size_t value_bytes)
{
    add(t, "{\"@\":\"");
    add_id(t, tag, id);
    add(t, "\",\"ok\":true,\"echo\":\"");
    add_value(t, TALK_VALUE_MARK, value_bytes);
    add(t, "\"}");
}

bool talk_greeting(talk_text *t, slice frame, uint32_t wire)
{
    static const char ASK[] = "\"dam\":\"?\"", ID[] = "\"#\":\"";
    char text[160];

    if (frame.len > 4096 || memmem(frame.at, frame.len, ASK, sizeof ASK - 1) == NULL) return false;

    const char *id = memmem(frame.at, frame.len, ID, sizeof ID - 1);
    if (id == NULL || memchr(frame.at, '@', frame.len) != NULL) return false;
    id += sizeof ID - 1;
    const char *end = memchr(id, '"', (size_t)(frame.at + frame.len - id));
    if (end == NULL || end - id > 64) return false;
    int n = snprintf(text, sizeof text,
                     "{\"dam\":\"?\",\"pid\":\"bench%04x\",\"@\":\"%.*s\",\"#\":\"hi%07x\"}",
                     wire & 0xffff, (int)(end - id), id, wire);
    talk_add(t, (slice){ text, (size_t)n });
    return true;
}

/* --- what we hear --- */

/* Where the next "@":" ends, so where an id begins; NULL when there is none. */
static const char *next_at(const char *from, const char *end)
{
    while (from < end) {
        const char *at = memchr(from, '@', (size_t)(end - from));
        if (at == NULL) return NULL;
        if (end - at > 4 + TALK_ID_BYTES && memcmp(at + 1, "\":\"", 3) == 0) return at + 4;
        from = at + 1;
    }
    return NULL;
}

static bool has(slice in, slice what)
{
    return memmem(in.at, in.len, what.at, what.len) != NULL;
}

static uint32_t count_values(slice in)
{
    static const char MARK[] = ":\"" TALK_VALUE_MARK;
    uint32_t count = 0;
    const char *at = in.at, *end = in.at + in.len;

    while ((at = memmem(at, (size_t)(end - at), MARK, sizeof MARK - 1)) != NULL) {
        count++;
        at += sizeof MARK - 1;
    }
    return count;
}

/* From here to the end of this message of a batch: no node contains an array, so
 * "},{" stands between two messages and nowhere else. */
static slice message_rest(const char *from, const char *end)
{
    const char *stop = memmem(from, (size_t)(end - from), "},{", 3);

    return (slice){ from, (size_t)((stop == NULL ? end : stop) - from) };
}

static void read_answer(slice body, talk_answer *out)
{
    out->values = count_values(body);
    out->ok = out->values == 0 && has(body, SLICE("\"ok\":"));
    out->err = out->values == 0 && has(body, SLICE("\"err\":"));
}

bool talk_next_answer(slice frame, const talk_tag *tag, size_t *from, talk_answer *out)
{
    const char *end = frame.at + frame.len;
    const char *at = next_at(frame.at + *from, end);

    while (at != NULL) {
        const char *body = at + TALK_ID_BYTES;
        const char *next = next_at(body, end);
        slice mine = message_rest(body, next == NULL ? end : next);

        *from = (size_t)(body - frame.at);
        if (read_id(at, tag, &out->id)) {
            read_answer(mine, out);
            return true;
        }
        at = next;
    }
    return false;
}
