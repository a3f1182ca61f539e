/* wish.c - see wish.h. */
#include "server/wish.h"

#include "core/audio.h"
#include "core/json.h"
#include "core/number.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const names[WISH_KINDS] = {
    [WISH_STAT] = "stat",           [WISH_GET] = "get",
    [WISH_SCAN] = "scan",           [WISH_EXPORT] = "export",
    [WISH_BACKUP] = "backup",       [WISH_IMPORT] = "import",
    [WISH_PURGE] = "purge",         [WISH_AUDIO_LS] = "audio ls",
    [WISH_AUDIO_PIN] = "audio pin", [WISH_AUDIO_UNPIN] = "audio unpin",
    [WISH_AUDIO_GC] = "audio gc",
};

/* The members that each may have. */
enum {
    SOUL = 1,
    KEY = 2,
    PREFIX = 4,
    SOULS = 8,
    LIMIT = 16,
    DRY_RUN = 32,
    SKIP_BAD = 64,
    ROOT = 128,
    GRACE = 256,
};
static const unsigned allowed[WISH_KINDS] = {
    [WISH_GET] = SOUL | KEY,
    [WISH_SCAN] = PREFIX | SOULS | LIMIT,
    [WISH_EXPORT] = PREFIX,
    [WISH_IMPORT] = SKIP_BAD,
    [WISH_PURGE] = SOUL | KEY | PREFIX | DRY_RUN,
    [WISH_AUDIO_PIN] = ROOT,
    [WISH_AUDIO_UNPIN] = ROOT,
    [WISH_AUDIO_GC] = DRY_RUN | GRACE,
};

typedef struct reading {
    wish *to;
    json j;
    unsigned given;
    char *why;
} reading;

const char *wish_name(wish_kind kind)
{
    return names[kind];
}

bool wish_needs_view(const wish *w)
{
    return w->kind == WISH_SCAN || w->kind == WISH_EXPORT || w->kind == WISH_BACKUP ||
           w->kind == WISH_AUDIO_LS || (w->kind == WISH_GET && w->key.len == 0);
}

__attribute__((format(printf, 2, 3))) static status wrong(reading *r, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(r->why, WISH_WHY_MAX, format, arguments);
    va_end(arguments);
    return STATUS_MALFORMED;
}

static status read_kind(reading *r)
{
    uint32_t at = json_member(&r->j, 0, SLICE("do"));
    slice name = { "", 0 };

    if (r->j.tokens[0].type != JSON_OBJECT) return wrong(r, "a wish is an object");
    if (at == 0 || json_name(&r->j, &r->to->memory, at, &name) != STATUS_OK)
        return wrong(r, "\"do\" is missing");
    for (int i = 0; i < WISH_KINDS; i++)
        if (slice_equal(name, (slice){ names[i], strlen(names[i]) })) {
            r->to->kind = (wish_kind)i;
            return STATUS_OK;
        }
    return wrong(r, "there is no \"%.*s\"", name.len > 40 ? 40 : (int)name.len, name.at);
}

/* The first n bytes of a name, for a sentence. */
static int shown(slice name)
{
    return name.len > 40 ? 40 : (int)name.len;
}

static status read_name(reading *r, slice member, uint32_t at, slice *out)
{
    if (json_name(&r->j, &r->to->memory, at, out) != STATUS_OK)
        return wrong(r, "\"%.*s\" is no string", shown(member), member.at);
    if (out->len > 65536) return wrong(r, "\"%.*s\" is too long", shown(member), member.at);
    return STATUS_OK;
}

static status read_flag(reading *r, slice member, uint32_t at, bool *out)
{
    uint8_t type = r->j.tokens[at].type;

    *out = type == JSON_TRUE;
    if (type == JSON_TRUE || type == JSON_FALSE) return STATUS_OK;
    return wrong(r, "\"%.*s\" is true or false", shown(member), member.at);
}

static status read_limit(reading *r, uint32_t at)
{
    double n = -1;

    if (r->j.tokens[at].type != JSON_NUMBER || !number_read(json_raw(&r->j, at), &n) || n < 1 ||
        n > 1e15 || floor(n) != n)
        return wrong(r, "\"limit\" is a whole number from 1");
    r->to->limit = (uint64_t)n;
    return STATUS_OK;
}

static status read_root(reading *r, uint32_t at)
{
    slice digits;

    if (json_name(&r->j, &r->to->memory, at, &digits) == STATUS_OK &&
        root_read(digits, &r->to->root))
        return STATUS_OK;
    return wrong(r, "a root is 64 hexadecimal digits, in lower case");
}

static status read_grace(reading *r, uint32_t at)
{
    double s = -1;

    if (r->j.tokens[at].type != JSON_NUMBER || !number_read(json_raw(&r->j, at), &s) || s < 0 ||
        s > 1e12)
        return wrong(r, "\"grace\" is a number of seconds");
    r->to->has_grace = true;
    r->to->grace_s = s;
    return STATUS_OK;
}

static unsigned member_of(slice name)
{
    static const struct {
        const char *name;
        unsigned member;
    } members[] = { { "soul", SOUL },         { "key", KEY },     { "prefix", PREFIX },
                    { "souls", SOULS },       { "limit", LIMIT }, { "dry_run", DRY_RUN },
                    { "skip_bad", SKIP_BAD }, { "root", ROOT },   { "grace", GRACE } };

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (slice_equal(name, (slice){ members[i].name, strlen(members[i].name) }))
            return members[i].member;
    return 0;
}

static status read_member(reading *r, slice name, uint32_t at)
{
    unsigned member = member_of(name);
    wish *w = r->to;

    if (slice_equal(name, SLICE("do"))) return STATUS_OK;
    if ((member & allowed[w->kind]) == 0)
        return wrong(r, "\"%s\" knows no \"%.*s\"", names[w->kind], shown(name), name.at);
    if (r->given & member) return wrong(r, "\"%.*s\" stands twice", shown(name), name.at);
    r->given |= member;
    switch (member) {
    case SOUL:
        return read_name(r, name, at, &w->soul);
    case KEY:
        return read_name(r, name, at, &w->key);
    case PREFIX:
        w->has_prefix = true;
        return read_name(r, name, at, &w->prefix);
    case SOULS:
        return read_flag(r, name, at, &w->souls);
    case DRY_RUN:
        return read_flag(r, name, at, &w->dry_run);
    case ROOT:
        return read_root(r, at);
    case GRACE:
        return read_grace(r, at);
    case SKIP_BAD:
        return read_flag(r, name, at, &w->skip_bad);
    default:
        return read_limit(r, at);
    }
}

static status read_members(reading *r)
{
    status s = STATUS_OK;
    slice name;

    for (uint32_t i = 1; s == STATUS_OK && i < r->j.tokens[0].next;) {
        s = json_name(&r->j, &r->to->memory, i, &name);
        if (s == STATUS_OK) s = read_member(r, name, i + 1);
        i = r->j.tokens[i + 1].next;
    }
    return s;
}

static status check_together(reading *r)
{
    const wish *w = r->to;
    bool soul = (r->given & SOUL) != 0, key = (r->given & KEY) != 0;

    if (w->kind == WISH_PURGE && soul == w->has_prefix)
        return wrong(r, "a purge wants a soul or a prefix");
    if (w->kind == WISH_PURGE && w->has_prefix && key)
        return wrong(r, "a purge of a prefix takes no key");
    if (w->kind == WISH_PURGE && w->has_prefix && w->prefix.len == 0)
        return wrong(r, "an empty prefix would purge everything");
    if ((w->kind == WISH_AUDIO_PIN || w->kind == WISH_AUDIO_UNPIN) && (r->given & ROOT) == 0)
        return wrong(r, "a pin wants a root");
    if (w->kind == WISH_GET && !soul) return wrong(r, "a get wants a soul");
    if ((soul && w->soul.len == 0) || (key && w->key.len == 0))
        return wrong(r, "an empty name names nothing");
    return STATUS_OK;
}

status wish_read(wish *w, slice line, char why[WISH_WHY_MAX])
{
    static const json_bounds bounds = { .depth_max = 1, .tokens_max = 64 };
    reading r = { .to = w, .why = why };

    *w = (wish){ .memory = arena_make((size_t)4 * WISH_LINE_MAX) };
    why[0] = '\0';
    status s = json_read(&r.j, &w->memory, line, &bounds);
    if (s == STATUS_MALFORMED || s == STATUS_TOO_BIG)
        return wrong(&r, "this is no wish: it must be one object of JSON");
    if (s == STATUS_OK) s = read_kind(&r);
    if (s == STATUS_OK) s = read_members(&r);
    return s == STATUS_OK ? check_together(&r) : s;
}

void wish_free(wish *w)
{
    arena_free(&w->memory);
}

static void print_name(text *out, slice member, slice name)
{
    text_add(out, SLICE(",\""));
    text_add(out, member);
    text_add(out, SLICE("\":"));
    json_print_name(out, name);
}

static void print_root(text *out, const root_key *root)
{
    char digits[ROOT_DIGITS];

    audio_hex((const uint8_t *)root->at, digits);
    print_name(out, SLICE("root"), (slice){ digits, sizeof digits });
}

void wish_print(text *out, const wish *w)
{
    char number[NUMBER_TEXT_MAX];

    text_add(out, SLICE("{\"do\":\""));
    text_add(out, (slice){ names[w->kind], strlen(names[w->kind]) });
    text_add_char(out, '"');
    if (w->soul.len > 0) print_name(out, SLICE("soul"), w->soul);
    if (w->key.len > 0) print_name(out, SLICE("key"), w->key);
    if (w->has_prefix) print_name(out, SLICE("prefix"), w->prefix);
    if (w->souls) text_add(out, SLICE(",\"souls\":true"));
    if (w->dry_run) text_add(out, SLICE(",\"dry_run\":true"));
    if (w->skip_bad) text_add(out, SLICE(",\"skip_bad\":true"));
    if (w->limit > 0) {
        text_add(out, SLICE(",\"limit\":"));
        text_add(out, (slice){ number, number_print(number, (double)w->limit) });
    }
    if (w->root.len > 0) print_root(out, &w->root);
    if (w->has_grace) {
        text_add(out, SLICE(",\"grace\":"));
        text_add(out, (slice){ number, number_print(number, w->grace_s) });
    }
    text_add(out, SLICE("}\n"));
}
