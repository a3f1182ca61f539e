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
    NAME_KEEP = 4 * 1024,
};

#define NOT_SIGNED  "unsigned: this relay takes signed writes only"
#define NOT_ALLOWED "closed: this space is not of a key that is allowed here"
#define NO_ALIAS    "closed: an alias may only link to a key that is allowed here"
#define NO_ROOT     "closed: no allowed key links to this, and there is no token"
#define NOT_YET     "busy: the links of allowed keys are still being read"
#define NO_TOKEN    "closed: only allowed keys write here, and there is no token"

typedef struct allowed_key {
    char pub[KEY_LEN];
    bool recalled;
} allowed_key;

/* How far the spaces were read that are there already. */
typedef struct recall {
    size_t key;          /* of the allowed ones: those before it are done */
    text soul, last_key; /* being read, and behind which key to go on; empty: from the first */
    bool in_soul;
} recall;

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
    recall recall;
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

static void recall_from(guard *g, size_t key)
{
    text_free(&g->recall.soul);
    text_free(&g->recall.last_key);
    g->recall = (recall){ .key = key };
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
    return memcmp(((const allowed_key *)a)->pub, ((const allowed_key *)b)->pub, KEY_LEN);
}

static allowed_key *find_key(const guard *g, slice pub)
{
    allowed_key wanted;

    if (pub.len != KEY_LEN || g->allowed_count == 0) return NULL;
    memcpy(wanted.pub, pub.at, KEY_LEN);
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
        memcpy(keys[i].pub, allowed[i].at, KEY_LEN);
    }
    count = without_duplicates(keys, count);
    for (size_t i = 0; i < count; ++i) {
        const allowed_key *before = find_key(g, (slice){ keys[i].pub, KEY_LEN });
        keys[i].recalled = before != NULL && before->recalled;
    }
    free(g->allowed);
    g->allowed = keys;
    g->allowed_count = count;
    recall_from(g, 0);
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

/* Whether the space is an allowed key's, and can be found by its key: gun takes any
 * character for the dot. */
static bool may_teach(const guard *g, slice soul)
{
    slice x, y;

    return soul.len > KEY_LEN && soul.at[0] == '~' && soul.at[1 + KEY_HALF] == '.' &&
           sea_kind_of(soul, &x, &y) == SEA_USER && is_allowed(g, x, y);
}

/* Most values are no links, and parsing each would take most of a recall. */
static bool may_hold_link(slice value)
{
    return memchr(value.at, '#', value.len) != NULL ||
           memmem(value.at, value.len, "u0023", 5) != NULL;
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
    if (g->mode == GUARD_CLOSED && may_teach(g, soul) && may_hold_link(value)) learn_link(g, value);
}

/* --- what is in the store already --- */

/* One call of the graph's, which lends names only for its length. */
typedef struct reading {
    guard *guard;
    size_t rows_left;
    bool found; /* a soul */
} reading;

static bool take_soul(void *visitor, const graph_row *row)
{
    reading *r = visitor;
    recall *at = &r->guard->recall;

    --r->rows_left;
    text_reset(&at->soul, NAME_KEEP);
    text_add(&at->soul, row->soul);
    r->found = may_teach(r->guard, row->soul);
    return !r->found && r->rows_left > 0;
}

static bool learn_row(void *visitor, const graph_row *row)
{
    reading *r = visitor;
    recall *at = &r->guard->recall;

    guard_learn(r->guard, row->soul, row->value);
    if (--r->rows_left > 0) return true;
    text_reset(&at->last_key, NAME_KEEP);
    text_add(&at->last_key, row->key);
    return false;
}

/* The next soul of the space; when there is none, the space is done. */
static status next_soul(reading *r, graph *store)
{
    recall *at = &r->guard->recall;
    allowed_key *key = &r->guard->allowed[at->key];
    char from[1 + KEY_LEN] = "~", to[1 + KEY_LEN] = "~";
    lex_range space = {
        .from = { from, sizeof from }, .to = { to, sizeof to }, .has_to = true, .to_open = true
    };
    text last = at->soul;
    status s;

    memcpy(from + 1, key->pub, KEY_LEN);
    memcpy(to + 1, key->pub, KEY_LEN);
    ++to[KEY_LEN]; /* above all that begin so; no character of base64 is the last there is */
    if (last.len > 0) space = lex_range_after(&space, text_slice(&last));
    at->soul = (text){ 0 }; /* the range borrows the other */
    r->found = false;
    s = store->souls(store->context, &space, take_soul, r);
    text_free(&last);
    if (s == STATUS_OK && !text_ok(&at->soul)) s = STATUS_NO_MEMORY;
    at->in_soul = r->found;
    if (s == STATUS_OK && !r->found && r->rows_left > 0) {
        key->recalled = true;
        recall_from(r->guard, at->key + 1);
    }
    return s;
}

static status read_soul(reading *r, graph *store)
{
    static const lex_range all = { .has_to = false };
    recall *at = &r->guard->recall;
    text last = at->last_key;
    lex_range rest = last.len > 0 ? lex_range_after(&all, text_slice(&last)) : all;
    status s;

    at->last_key = (text){ 0 };
    s = store->scan(store->context, text_slice(&at->soul), &rest, learn_row, r);
    text_free(&last);
    if (s == STATUS_OK && !text_ok(&at->last_key)) s = STATUS_NO_MEMORY;
    at->in_soul = at->last_key.len > 0;
    return s;
}

status guard_recall(guard *g, graph *store, size_t rows)
{
    reading r = { .guard = g, .rows_left = rows };
    status s = STATUS_OK;

    while (s == STATUS_OK && r.rows_left > 0 && guard_recalling(g)) {
        if (g->allowed[g->recall.key].recalled)
            recall_from(g, g->recall.key + 1);
        else
            s = g->recall.in_soul ? read_soul(&r, store) : next_soul(&r, store);
    }
    if (s != STATUS_OK) {
        ++g->missed;
        recall_from(g, g->recall.key + 1);
    }
    return s;
}

bool guard_recalling(const guard *g)
{
    return g->mode == GUARD_CLOSED && g->recall.key < g->allowed_count;
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
        if (trusted || is_learnt(g, soul)) return NULL;
        return guard_recalling(g) ? NOT_YET : NO_ROOT;
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
    recall_from(g, 0);
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
