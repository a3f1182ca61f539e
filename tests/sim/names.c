/* names.c - see names.h. */
#include "tests/sim/names.h"

#include "tests/tools/curve.h"

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

#define PUB1                                                                                       \
    "PbH68Mr0-SlFnVcJx_XojIOwwXL_yZWokDUFX_rffi0.gekqluzgOcxdsS8bC6_rGONS1bj4Xixa9JiUm4B1F2k"
#define PUB2                                                                                       \
    "8re86RpNKURkupuXuxcDGRLuHbdEXzhvyFISZDLSlZQ.2K5ijbRfZoBpvb7oqywxOkUQezs94VjoHUsnbtvFNYs"
#define PUB3                                                                                       \
    "5olPkGj_Z5VAtrd6QV5onPrJVFGnlVNQdtzAWR8BV7E.eVusChfWF3UOrqBDxyK19Zpn3usYVS4NhwzjDFdV2nw"
#define PUB4                                                                                       \
    "Z-jciQosGTzL3_oiBR3rD3YsXdschBDjlFdcA82bJDg.kpQVooo2-cCMa1BNNfz4lRvcLCGHHRc2hQ8w-hrMjow"

#define PLAIN(name) SPELL(name, "\"" name "\"")

static const spelling souls[NAMES_SOULS] = {
    PLAIN("s"),
    PLAIN("~" PUB1),
    PLAIN("s/1"),
    PLAIN("~" PUB1 "/inbox"),
    PLAIN("~" PUB3 "/wall"),
    PLAIN("audio/00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff#1"),
    SPELL("a \"quoted\" \\ soul\n", "\"a \\\"quoted\\\" \\\\ soul\\n\""),
    PLAIN("room<?5"),
    SPELL("\xed\xa0\xbd\xed\xb8\x80", "\"\xf0\x9f\x98\x80\""),
    PLAIN("~" PUB1 "/blocked"),
    PLAIN("chat/\xc3\xa9t\xc3\xa9"),
    PLAIN("\xee\x80\x80"),
    PLAIN("~" PUB2),
    SPELL("lone \xed\xa0\x80", "\"lone \\ud800\""),
    PLAIN("__proto__"),
    PLAIN("~" PUB1 "/log<?400000"),
    SPELL("nul\0nul", "\"nul\\u0000nul\""),
    PLAIN("~" PUB2 "/box<?5"),
    PLAIN("\xe6\x97\xa5\xe6\x9c\xac"),
    PLAIN("~@alice"),
    PLAIN("constructor"),
    PLAIN("a soul with a name that is longer than what fits into most small buffers of a machine, "
          "and then some more, so that it does not fit at all"),
};

static const names_place places[NAMES_SOULS] = {
    [1] = { NAMES_SIGNED, ALICE, "", 0 },
    [3] = { NAMES_SIGNED, ALICE, "/inbox", 0 },
    [4] = { NAMES_SIGNED, CAROL, "/wall", 0 },
    [5] = { NAMES_CHUNKS, 0, "", 0 },
    [7] = { NAMES_FREE, 0, "", 5000 },
    [9] = { NAMES_SIGNED, ALICE, "/blocked", 0 },
    [12] = { NAMES_SIGNED, BOB, "", 0 },
    [15] = { NAMES_SIGNED, ALICE, "/log<?400000", 4e8 },
    [17] = { NAMES_SIGNED, BOB, "/box<?5", 5000 },
    [19] = { NAMES_ALIAS, 0, "", 0 },
};

/* In the order of UTF-16 units. */
static const spelling keys[NAMES_KEYS] = {
    PLAIN("000001#oitB3xgsK7N6aFLq9vUc7L9aFjp6WJByyTcpfwPxX0U="),
    PLAIN("000002#BC0FC9F156D21DBAC882975AB5442AF8D3963E98A8DC6E9209FD4659570624B9"),
    PLAIN("000003#c0dctApWjo2ooEXO0RATfhWfiQrE2og7axfcZRs6gEk="),
    PLAIN("10"),
    PLAIN(PUB3),
    PLAIN(PUB2),
    PLAIN("9"),
    PLAIN("KEY"),
    SPELL("\\back", "\"\\\\back\""),
    PLAIN("__proto__"),
    PLAIN("a"),
    SPELL("a\tb", "\"a\\tb\""),
    PLAIN("b"),
    PLAIN("k1"),
    PLAIN("k10"),
    PLAIN("k2"),
    PLAIN("pub"),
    PLAIN("toString"),
    PLAIN("~"),
    PLAIN("~" PUB1),
    PLAIN("\xc3\xa9"),
    SPELL("\xed\xa0\xbd\xed\xb8\x80", "\"\xf0\x9f\x98\x80\""),
    PLAIN("\xee\x80\x80"),
};

static const char *const chunks[] = {
    "\"a chunk of sound\"",
    "\"two\\nlines, \xc3\xa9 and \xf0\x9f\x98\x80\"",
    "42",
};

/* "9" before "10": as numbers. */
static const int browser_order[NAMES_KEYS] = { 6,  3,  0,  1,  2,  4,  5,  7,  8,  9,  10, 11,
                                               12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22 };

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

const names_place *names_place_of(int soul)
{
    return &places[soul];
}

int names_find_place(int owner, const char *path)
{
    for (int i = 0; i < NAMES_SOULS; i++)
        if (places[i].kind == NAMES_SIGNED && places[i].owner == owner &&
            strcmp(places[i].path, path) == 0)
            return i;
    return -1;
}

const char *names_pub(int who)
{
    static const char *const pubs[PEOPLE] = { "", PUB1, PUB2, PUB3, PUB4 };

    return pubs[who];
}

int names_person_of(int key)
{
    for (int who = ALICE; who < PEOPLE; who++)
        if (slice_equal(names_key(key), (slice){ names_pub(who), strlen(names_pub(who)) }))
            return who;
    return 0;
}

slice names_chunk(int key)
{
    return (slice){ chunks[key], strlen(chunks[key]) };
}

slice names_link(int key)
{
    (void)key; /* there is one */
    return SLICE("{\"#\":\"~" PUB1 "\"}");
}

bool names_agree(void)
{
    char pub[CURVE_PUB_LEN + 1];

    for (int who = ALICE; who < PEOPLE; who++) {
        curve_pub(who, pub);
        if (strcmp(pub, names_pub(who)) != 0) return false;
    }
    return true;
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
