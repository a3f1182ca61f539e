/* guard.c - see guard.h. */
#include "core/guard.h"

#include "core/base64.h"
#include "core/sea.h"
#include "core/value.h"

#include <assert.h>
#include <sodium/crypto_generichash.h>
#include <sodium/crypto_shorthash.h>
#include <sodium/utils.h>
#include <stdlib.h>

enum {
    KEY_HALF = 43,
    KEY_LEN = 2 * KEY_HALF + 1,
    TOKEN_BYTES = 32,
    ROOTS_DEFAULT = 1000000,
    WAYS = 8, /* as in route.c */
    ARENA_MAX = 256 << 20,
    ARENA_KEEP = 64 * 1024,
    RECALL_SOULS = 256, /* at a time */
};

#define NOT_SIGNED  "unsigned: this relay takes signed writes only"
#define NOT_ALLOWED "closed: this space is not of a key that is allowed here"
#define NO_ALIAS    "closed: an alias may only link to a key that is allowed here"
#define NO_ROOT     "closed: no allowed key links to this, and there is no token"
#define NO_TOKEN    "closed: only allowed keys write here, and there is no token"

typedef struct allowed_key {
    char text[KEY_LEN];
    bool recalled;
} allowed_key;

typedef struct root {
    uint8_t hash[16];
    uint64_t age; /* the count of roots learnt by then; 0: the place is free */
} root;

struct guard {
    guard_mode mode;
    uint8_t secret[16];
    allowed_key *allowed; /* in order */
    size_t allowed_count;
    uint8_t (*tokens)[TOKEN_BYTES];
    size_t token_count;
    root *roots; /* sets of WAYS; NULL in other modes */
    size_t set_mask;
    arena arena;
    uint64_t learnt, kept, crowded, missed;
};

_Static_assert(crypto_shorthash_siphashx24_KEYBYTES == 16 &&
                   crypto_shorthash_siphashx24_BYTES == 16,
               "the secret is the key of the hash");

const char *guard_mode_name(guard_mode mode)
{
    static const char *const names[] = { "open", "signed", "closed" };

    return names[mode];
}

/* --- allowed keys --- */

bool guard_is_key(slice pub)
{
    uint8_t half[32];

    return pub.len == KEY_LEN && pub.at[KEY_HALF] == '.' &&
           base64_url32((slice){ pub.at, KEY_HALF }, half) &&
           base64_url32((slice){ pub.at + KEY_HALF + 1, KEY_HALF }, half);
}

static int key_order(const void *a, const void *b)
{
    return memcmp(((const allowed_key *)a)->text, ((const allowed_key *)b)->text, KEY_LEN);
}

static allowed_key *find_key(const guard *g, slice pub)
{
    allowed_key wanted;

    if (pub.len != KEY_LEN || g->allowed_count == 0) return NULL;
    memcpy(wanted.text, pub.at, KEY_LEN);
    return bsearch(&wanted, g->allowed, g->allowed_count, sizeof wanted, key_order);
}

static size_t without_duplicates(allowed_key *keys, size_t count)
{
    size_t left = 0;

    qsort(keys, count, sizeof *keys, key_order);
    for (size_t i = 0; i < count; ++i)
        if (left == 0 || key_order(&keys[left - 1], &keys[i]) != 0) keys[left++] = keys[i];
    return left;
}

status guard_allow(guard *g, const slice *allowed, size_t count)
{
    allowed_key *keys = calloc(count ? count : 1, sizeof *keys);

    if (keys == NULL) return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; ++i) {
        if (!guard_is_key(allowed[i])) {
            free(keys);
            return STATUS_MALFORMED;
        }
        memcpy(keys[i].text, allowed[i].at, KEY_LEN);
    }
    count = without_duplicates(keys, count);
    for (size_t i = 0; i < count; ++i) {
        const allowed_key *before = find_key(g, (slice){ keys[i].text, KEY_LEN });
        keys[i].recalled = before != NULL && before->recalled;
    }
    free(g->allowed);
    g->allowed = keys;
    g->allowed_count = count;
    return STATUS_OK;
}

/* The key as the name of a user space spells it, in pieces. */
static bool is_allowed(const guard *g, slice x, slice y)
{
    char pub[KEY_LEN];

    if (x.len != KEY_HALF || y.len != KEY_HALF) return false;
    memcpy(pub, x.at, KEY_HALF);
    pub[KEY_HALF] = '.';
    memcpy(pub + KEY_HALF + 1, y.at, KEY_HALF);
    return find_key(g, (slice){ pub, KEY_LEN }) != NULL;
}

/* --- tokens --- */

static void hash_token(const guard *g, slice token, uint8_t out[static TOKEN_BYTES])
{
    /* Keyed and of one length: comparing tells nothing of a token, or how long it is. */
    int failed = crypto_generichash(out, TOKEN_BYTES, (const unsigned char *)token.at, token.len,
                                    g->secret, sizeof g->secret);
    assert(failed == 0);
    (void)failed;
}

static bool add_tokens(guard *g, const slice *tokens, size_t count)
{
    g->tokens = calloc(count ? count : 1, sizeof *g->tokens);
    if (g->tokens == NULL) return false;
    for (size_t i = 0; i < count; ++i) hash_token(g, tokens[i], g->tokens[i]);
    g->token_count = count;
    return true;
}

bool guard_trusts(const guard *g, slice token)
{
    uint8_t hash[TOKEN_BYTES];
    bool known = false;

    hash_token(g, token, hash);
    for (size_t i = 0; i < g->token_count; ++i)
        if (sodium_memcmp(hash, g->tokens[i], sizeof hash) == 0) known = true;
    return known;
}

/* --- roots --- */

static root *hash_root(const guard *g, slice soul, uint8_t out[static 16])
{
    const char *mark = memchr(soul.at, '#', soul.len);
    size_t len = mark == NULL || mark == soul.at ? soul.len : (size_t)(mark - soul.at);
    uint64_t set;

    crypto_shorthash_siphashx24(out, (const unsigned char *)soul.at, len, g->secret);
    memcpy(&set, out, sizeof set);
    return &g->roots[(set & g->set_mask) * WAYS];
}

static bool is_learnt(const guard *g, slice soul)
{
    uint8_t hash[16];
    const root *set = hash_root(g, soul, hash);

    for (int i = 0; i < WAYS; ++i)
        if (set[i].age > 0 && memcmp(set[i].hash, hash, sizeof hash) == 0) return true;
    return false;
}

/* The root itself if it is known, else a free place, else the oldest. */
static root *place_of(root *set, const uint8_t hash[static 16])
{
    root *oldest = set;

    for (int i = 0; i < WAYS; ++i) {
        if (set[i].age > 0 && memcmp(set[i].hash, hash, sizeof set[i].hash) == 0) return &set[i];
        if (set[i].age < oldest->age) oldest = &set[i];
    }
    return oldest;
}

static void learn_root(guard *g, slice soul)
{
    uint8_t hash[16];
    root *at = place_of(hash_root(g, soul, hash), hash);

    if (at->age == 0)
        ++g->kept;
    else if (memcmp(at->hash, hash, sizeof hash) != 0)
        ++g->crowded;
    memcpy(at->hash, hash, sizeof hash);
    at->age = ++g->learnt;
}

/* Whether the space is an allowed key's, and can be found by its key. */
static bool may_teach(const guard *g, slice soul)
{
    slice x, y;

    return soul.len > KEY_LEN && soul.at[0] == '~' && sea_kind_of(soul, &x, &y) == SEA_USER &&
           is_allowed(g, x, y);
}

static void learn_link(guard *g, slice value)
{
    slice said, soul;
    status s = sea_unpack(value, &g->arena, &said);

    if (s == STATUS_OK) s = value_link(said, &g->arena, &soul);
    if (s == STATUS_OK && sea_kind_of(soul, NULL, NULL) == SEA_HASH) learn_root(g, soul);
    if (s == STATUS_NO_MEMORY || s == STATUS_TOO_BIG) ++g->missed;
    arena_reset(&g->arena, ARENA_KEEP);
}

void guard_learn(guard *g, slice soul, slice value)
{
    if (g->mode == GUARD_CLOSED && may_teach(g, soul)) learn_link(g, value);
}

/* --- what is in the store already --- */

/* Some souls of a space, for a visitor of souls may not scan them. Where to go on
 * is the last of the page before: hence two arenas. */
typedef struct recalling {
    guard *guard;
    graph *store;
    arena pages[2];
    arena *page;
    slice souls[RECALL_SOULS];
    size_t count;
    bool failed;
} recalling;

static bool note_soul(void *visitor, const graph_row *row)
{
    recalling *r = visitor;
    slice soul = arena_copy(r->page, row->soul);

    if (soul.at == NULL)
        r->failed = true;
    else
        r->souls[r->count++] = soul;
    return !r->failed && r->count < RECALL_SOULS;
}

static bool learn_row(void *visitor, const graph_row *row)
{
    guard_learn(visitor, row->soul, row->value);
    return true;
}

static status recall_page(recalling *r, const lex_range *range)
{
    static const lex_range all = { .has_to = false };
    status s;

    r->page = r->page == &r->pages[0] ? &r->pages[1] : &r->pages[0];
    arena_reset(r->page, ARENA_KEEP);
    r->count = 0;
    s = r->store->souls(r->store->context, range, note_soul, r);
    if (s == STATUS_OK && r->failed) s = STATUS_NO_MEMORY;
    for (size_t i = 0; s == STATUS_OK && i < r->count; ++i)
        if (may_teach(r->guard, r->souls[i]))
            s = r->store->scan(r->store->context, r->souls[i], &all, learn_row, r->guard);
    return s;
}

static status recall_key(guard *g, graph *store, allowed_key *key)
{
    recalling r = { .guard = g,
                    .store = store,
                    .pages = { arena_make(ARENA_MAX), arena_make(ARENA_MAX) } };
    char from[1 + KEY_LEN] = "~", to[1 + KEY_LEN] = "~";
    lex_range space = {
        .from = { from, sizeof from }, .to = { to, sizeof to }, .has_to = true, .to_open = true
    };
    lex_range rest = space;
    status s;

    memcpy(from + 1, key->text, KEY_LEN);
    memcpy(to + 1, key->text, KEY_LEN);
    ++to[KEY_LEN]; /* above all that begin so; no character of base64 is the last there is */
    do {
        s = recall_page(&r, &rest);
        if (r.count > 0) rest = lex_range_after(&space, r.souls[r.count - 1]);
    } while (s == STATUS_OK && r.count == RECALL_SOULS);
    arena_free(&r.pages[0]);
    arena_free(&r.pages[1]);
    key->recalled = s == STATUS_OK;
    return s;
}

status guard_recall(guard *g, graph *store)
{
    status s = STATUS_OK;

    if (g->mode != GUARD_CLOSED) return STATUS_OK;
    for (size_t i = 0; s == STATUS_OK && i < g->allowed_count; ++i)
        if (!g->allowed[i].recalled) s = recall_key(g, store, &g->allowed[i]);
    return s;
}

/* --- the question --- */

static const char *refuses_closed(const guard *g, slice soul, slice key, bool trusted)
{
    slice x, y;

    switch (sea_kind_of(soul, &x, &y)) {
    case SEA_USER:
        return is_allowed(g, x, y) ? NULL : NOT_ALLOWED;
    case SEA_ALIAS:
        if (key.len > 0 && key.at[0] == '~' && find_key(g, (slice){ key.at + 1, key.len - 1 }))
            return NULL;
        return NO_ALIAS;
    case SEA_HASH:
        return trusted || is_learnt(g, soul) ? NULL : NO_ROOT;
    default:
        return trusted ? NULL : NO_TOKEN;
    }
}

const char *guard_refuses(const guard *g, slice soul, slice key, bool fleeting, bool trusted)
{
    if (g->mode == GUARD_CLOSED) return refuses_closed(g, soul, key, trusted);
    if (g->mode == GUARD_OPEN || fleeting || trusted) return NULL;
    return sea_kind_of(soul, NULL, NULL) == SEA_FREE ? NOT_SIGNED : NULL;
}

/* --- beginning and end --- */

static bool make_roots(guard *g, uint32_t most)
{
    size_t sets = 1;

    /* Twice the room: sets of eight fill unevenly. */
    while (sets * WAYS < 2 * (size_t)(most ? most : ROOTS_DEFAULT)) sets *= 2;
    g->set_mask = sets - 1;
    g->roots = calloc(sets * WAYS, sizeof *g->roots);
    return g->roots != NULL;
}

status guard_new(guard **out, const guard_rules *rules)
{
    guard *g = calloc(1, sizeof *g);
    status s = STATUS_NO_MEMORY;

    if (g == NULL) return s;
    g->mode = rules->mode;
    g->arena = arena_make(ARENA_MAX);
    memcpy(g->secret, rules->secret, sizeof g->secret);
    if (add_tokens(g, rules->tokens, rules->token_count) &&
        (g->mode != GUARD_CLOSED || make_roots(g, rules->roots_max)))
        s = guard_allow(g, rules->allowed, rules->allowed_count);
    if (s != STATUS_OK) {
        guard_free(g);
        return s;
    }
    *out = g;
    return STATUS_OK;
}

void guard_free(guard *g)
{
    if (g == NULL) return;
    arena_free(&g->arena);
    free(g->allowed);
    free(g->tokens);
    free(g->roots);
    free(g);
}

void guard_measure(const guard *g, guard_gauges *out)
{
    *out = (guard_gauges){ .mode = g->mode,
                           .allowed = g->allowed_count,
                           .tokens = g->token_count,
                           .roots = g->kept,
                           .crowded = g->crowded,
                           .missed = g->missed };
}
