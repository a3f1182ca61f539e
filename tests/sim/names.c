/* names.c - see names.h. */
#include "tests/sim/names.h"

/* Characters whose order differs between UTF-8, CESU-8 and code points are in
 * here on purpose, and names that are dear to JavaScript. */
typedef struct spelling {
    const char *cesu, *json;
    size_t cesu_len;
} spelling;

#define SPELL(cesu, json)                                                                          \
    {                                                                                              \
        cesu, json, sizeof(cesu) - 1                                                               \
    }

static const spelling souls[NAMES_SOULS] = {
    SPELL("s", "\"s\""),
    SPELL("s/1", "\"s/1\""),
    SPELL("chat/\xc3\xa9t\xc3\xa9", "\"chat/\xc3\xa9t\xc3\xa9\""),
    SPELL("a \"quoted\" \\ soul\n", "\"a \\\"quoted\\\" \\\\ soul\\n\""),
    SPELL("\xed\xa0\xbd\xed\xb8\x80", "\"\xf0\x9f\x98\x80\""),
    SPELL("\xee\x80\x80", "\"\xee\x80\x80\""),
    SPELL("lone \xed\xa0\x80", "\"lone \\ud800\""),
    SPELL("__proto__", "\"__proto__\""),
    SPELL("nul\0nul", "\"nul\\u0000nul\""),
    SPELL("\xe6\x97\xa5\xe6\x9c\xac", "\"\xe6\x97\xa5\xe6\x9c\xac\""),
    SPELL("constructor", "\"constructor\""),
    SPELL(
        "a soul with a name that is longer than what fits into most small buffers of a machine, "
        "and then some more, so that it does not fit at all",
        "\"a soul with a name that is longer than what fits into most small buffers of a machine, "
        "and then some more, so that it does not fit at all\""),
};

/* In the order of UTF-16 units. */
static const spelling keys[NAMES_KEYS] = {
    SPELL("10", "\"10\""),
    SPELL("9", "\"9\""),
    SPELL("KEY", "\"KEY\""),
    SPELL("\\back", "\"\\\\back\""),
    SPELL("__proto__", "\"__proto__\""),
    SPELL("a", "\"a\""),
    SPELL("a\tb", "\"a\\tb\""),
    SPELL("b", "\"b\""),
    SPELL("k1", "\"k1\""),
    SPELL("k10", "\"k10\""),
    SPELL("k2", "\"k2\""),
    SPELL("toString", "\"toString\""),
    SPELL("~", "\"~\""),
    SPELL("\xc3\xa9", "\"\xc3\xa9\""),
    SPELL("\xed\xa0\xbd\xed\xb8\x80", "\"\xf0\x9f\x98\x80\""),
    SPELL("\xee\x80\x80", "\"\xee\x80\x80\""),
};

/* "9" before "10": as numbers. */
static const int browser_order[NAMES_KEYS] = {
    1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
};

/* Those from NAMES_TIES on, so many, stand together. */
static const char *const values[NAMES_VALUES] = {
    "null",
    "true",
    "false",
    "0",
    "5",
    "9",
    "10",
    "-1",
    "1.5",
    "1e+21",
    "1e-7",
    "12345678901234567000",
    "\"\"",
    "\"a\"",
    "\"A\"",
    "\"apple\"",
    "\"apple!\"",
    "\"apple \"",
    "\"10\"",
    "\"9\"",
    "\"null\"",
    "\"a\\nb\"",
    "\"a\\\\b\"",
    "\"a\\\"b\"",
    "\"aAb\"",
    "\"a[b\"",
    "\"a]b\"",
    "\"a/b\"",
    "\"a\\u0000b\"",
    "\"a\\u001fb\"",
    "\"a\x7f"
    "b\"",
    "\"a\xe2\x80\xa8"
    "b\"",
    "\"\xee\x80\x80\"",
    "\"\xef\xbf\xbd\"",
    "\"\xf0\x90\x80\x80\"",
    "\"\xf0\x9f\x98\x80\"",
    "\"\\ud800\"",
    "\"\\udfff\"",
    "\"\xc3\xa9\"",
    "{\"#\":\"s\"}",
    "{\"#\":\"s/1\"}",
    "{\"#\":\"\xf0\x9f\x98\x80\"}",
    "{\"#\":\"\xee\x80\x80\"}",
    "{\"#\":\"lone \\ud800\"}",
};

static slice cesu_of(const spelling *s)
{
    return (slice){ s->cesu, s->cesu_len };
}
static slice json_of(const spelling *s)
{
    return (slice){ s->json, strlen(s->json) };
}

slice names_soul(int i)
{
    return cesu_of(&souls[i]);
}
slice names_soul_json(int i)
{
    return json_of(&souls[i]);
}
slice names_key(int i)
{
    return cesu_of(&keys[i]);
}
slice names_key_json(int i)
{
    return json_of(&keys[i]);
}
slice names_value(int i)
{
    return (slice){ values[i], strlen(values[i]) };
}
const int *names_browser_order(void)
{
    return browser_order;
}

static int find(const spelling *list, int count, slice name)
{
    for (int i = 0; i < count; i++)
        if (slice_equal(cesu_of(&list[i]), name)) return i;
    return -1;
}

int names_find_soul(slice name)
{
    return find(souls, NAMES_SOULS, name);
}
int names_find_key(slice name)
{
    return find(keys, NAMES_KEYS, name);
}

/* The units of a text, one at a time. */
typedef struct units {
    const unsigned char *at, *end;
    uint32_t low; /* the second half of a pair, still to be given */
} units;

static units units_of(slice s)
{
    const unsigned char *at = (const unsigned char *)s.at;

    return (units){ at, at + s.len, 0 };
}

/* -1 at the end. */
static int32_t next_unit(units *u)
{
    if (u->low) {
        uint32_t low = u->low;
        u->low = 0;
        return (int32_t)low;
    }
    if (u->at == u->end) return -1;

    uint32_t c = *u->at++;
    int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    if (more) c &= 0x3fu >> more;
    while (more-- > 0) c = c << 6 | (*u->at++ & 0x3fu);
    if (c < 0x10000) return (int32_t)c;
    u->low = 0xdc00 | ((c - 0x10000) & 0x3ff);
    return (int32_t)(0xd800 | (c - 0x10000) >> 10);
}

int names_value_order(slice a, slice b)
{
    units ua = units_of(a), ub = units_of(b);

    for (;;) {
        int32_t x = next_unit(&ua), y = next_unit(&ub);

        if (x != y) return x < y ? -1 : 1;
        if (x < 0) return 0;
    }
}

int32_t names_hash(slice json)
{
    units u = units_of(json);
    uint32_t hash = 0;

    for (int32_t unit; (unit = next_unit(&u)) >= 0;) hash = hash * 31 + (uint32_t)unit;
    return (int32_t)hash;
}
