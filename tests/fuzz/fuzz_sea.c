/* fuzz_sea.c - any write, judged by a curve that is easily pleased.
 *
 * The input is four lines: soul, key, state, and what stands in the value, which
 * is a string with that inside; or the value itself, when the line begins with "!".
 * A signature is good when its first byte is odd or even as that of the hash, so that
 * mutation finds both ways on.
 *
 * Whatever comes: the same verdict twice; in a user's space nothing is good unless
 * the curve said yes for the owner's key, and for the bearer's too if somebody else
 * wrote; and what is refused is not taken because memory is short.
 */
#include "core/base64.h"
#include "core/sea.h"
#include "core/utf16.h"
#include "core/value.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>

enum { NODS_MOST = 16, MEMORY = 8 << 20 };

/* The keys that the curve has nodded to since it was asked first. */
typedef struct pleased {
    uint8_t keys[NODS_MOST][SEA_KEY_BYTES];
    size_t nods;
} pleased;

static void hash(void *context, slice bytes, uint8_t out[SEA_DIGEST_BYTES])
{
    uint32_t h = 2166136261u;

    (void)context;
    for (size_t i = 0; i < bytes.len; ++i) h = (h ^ (unsigned char)bytes.at[i]) * 16777619u;
    for (size_t i = 0; i < SEA_DIGEST_BYTES; ++i) out[i] = (uint8_t)(h >> (i % 4 * 8));
}

static bool verify(void *context, const uint8_t key[SEA_KEY_BYTES],
                   const uint8_t digest[SEA_DIGEST_BYTES],
                   const uint8_t signature[SEA_SIGNATURE_BYTES])
{
    pleased *p = context;

    if ((signature[0] ^ digest[0]) & 1) return false;
    must(p->nods < NODS_MOST);
    memcpy(p->keys[p->nods++], key, SEA_KEY_BYTES);
    return true;
}

static bool nodded(const pleased *p, const uint8_t *key)
{
    for (size_t i = 0; i < p->nods; ++i)
        if (memcmp(p->keys[i], key, SEA_KEY_BYTES) == 0) return true;
    return false;
}

/* ---- a write */

typedef struct write {
    slice soul, key, value;
    double state;
} write_asked;

static slice take_line(slice *from)
{
    const char *end = from->len == 0 ? NULL : memchr(from->at, '\n', from->len);
    slice line = { from->at, end == NULL ? from->len : (size_t)(end - from->at) };
    size_t used = line.len + (end != NULL);

    *from = (slice){ from->at + used, from->len - used };
    return line;
}

/* The line as a name in the arena. */
static bool name_of(arena *a, slice line, slice *out)
{
    text cesu = { 0 };

    if (!utf16_valid_utf8(line)) return false;
    utf16_to_cesu(&cesu, line);
    must(text_ok(&cesu));
    *out = arena_copy(a, text_slice(&cesu));
    text_free(&cesu);
    return out->at != NULL;
}

static bool value_of(arena *a, slice line, slice *out)
{
    json_bounds bounds = { .depth_max = 16, .tokens_max = 4096 };
    text quoted = { 0 };
    slice name;
    json j;

    if (line.len > 0 && line.at[0] == '!') {
        return json_read(&j, a, (slice){ line.at + 1, line.len - 1 }, &bounds) == STATUS_OK &&
               value_read(&j, a, 0, out) == STATUS_OK;
    }
    if (!name_of(a, line, &name)) return false;
    json_print_name(&quoted, name);
    must(text_ok(&quoted));
    *out = arena_copy(a, text_slice(&quoted));
    text_free(&quoted);
    return out->at != NULL;
}

static bool read_write(arena *a, slice input, write_asked *w)
{
    slice soul = take_line(&input), key = take_line(&input), state = take_line(&input);
    char digits[64] = { 0 };

    if (soul.len == 0 || key.len == 0) return false;
    memcpy(digits, state.at, state.len < sizeof digits ? state.len : sizeof digits - 1);
    w->state = strtod(digits, NULL);
    return isfinite(w->state) && name_of(a, soul, &w->soul) && name_of(a, key, &w->key) &&
           value_of(a, input, &w->value);
}

/* ---- what must hold */

static status judge(pleased *p, arena *a, const write_asked *w, sea_finding *out)
{
    sea_crypto crypto = { p, hash, verify };

    *p = (pleased){ 0 };
    return sea_judge(&crypto, a, w->soul, w->key, w->value, w->state, out);
}

static void read_key(slice pub, uint8_t out[static SEA_KEY_BYTES])
{
    enum { HALF = 43 };

    must(pub.len == 2 * HALF + 1 && pub.at[HALF] == '.');
    must(base64_url32((slice){ pub.at, HALF }, out));
    must(base64_url32((slice){ pub.at + HALF + 1, HALF }, out + 32));
}

/* The one thing in a user's space that is not signed: "pub" says whose it is. */
static bool is_account(const write_asked *w, slice x, slice y)
{
    return slice_equal(w->key, SLICE("pub")) && w->soul.len == x.len + y.len + 2 &&
           w->soul.at[0] == '~' && w->value.len == w->soul.len + 1 &&
           memcmp(w->value.at + 1, w->soul.at + 1, w->soul.len - 1) == 0;
}

static void check_user(const write_asked *w, const pleased *p, const sea_finding *f, slice x,
                       slice y)
{
    uint8_t owner[SEA_KEY_BYTES], bearer[SEA_KEY_BYTES];

    if (is_account(w, x, y)) return;
    must(base64_url32(x, owner) && base64_url32(y, owner + 32));
    must(nodded(p, owner));
    if (!f->certified) return;
    read_key(f->owner, bearer);
    must(memcmp(owner, bearer, sizeof owner) == 0);
    read_key(f->bearer, bearer);
    must(nodded(p, bearer));
    must(!(w->state > f->expires));
}

static void check_good(const write_asked *w, const pleased *p, const sea_finding *f)
{
    slice x, y, name = w->key;
    sea_kind kind = sea_kind_of(w->soul, &x, &y);
    const char *mark = memrchr(name.at, '#', name.len);

    if (kind == SEA_USER) check_user(w, p, f, x, y);
    if (kind != SEA_USER) must(p->nods == 0 && !f->certified);
    if (kind != SEA_HASH) return;
    if (mark != NULL) name.len -= (size_t)(mark + 1 - name.at);
    must(name.len == BASE64_LEN_32 || name.len == (size_t)2 * SEA_DIGEST_BYTES);
}

static void check_same(const sea_finding *one, const sea_finding *other)
{
    must(slice_equal(one->why, other->why) && one->certified == other->certified);
    must(one->expires == other->expires && one->blocks_is_soul == other->blocks_is_soul);
    must(slice_equal(one->blocks, other->blocks) && slice_equal(one->bearer, other->bearer));
}

static void check_unpacked(arena *a, const write_asked *w)
{
    json_bounds bounds = { .depth_max = 16, .tokens_max = 1 << 16 };
    slice said, again;
    json j;

    if (sea_unpack(w->value, a, &said) != STATUS_OK) return;
    must(json_read(&j, a, said, &bounds) == STATUS_OK);
    must(value_read(&j, a, 0, &again) == STATUS_OK && slice_equal(said, again));
}

static void check_write(arena *a, const write_asked *w, size_t little)
{
    arena again = arena_make(MEMORY), small = arena_make(little);
    sea_finding f, other;
    pleased p, second;

    must(judge(&p, a, w, &f) == STATUS_OK);
    if (sea_is_good(&f)) check_good(w, &p, &f);
    must(judge(&second, &again, w, &other) == STATUS_OK);
    check_same(&f, &other);
    if (judge(&second, &small, w, &other) == STATUS_OK && sea_is_good(&other))
        must(sea_is_good(&f));
    check_unpacked(a, w);
    arena_free(&small);
    arena_free(&again);
}

/* ---- base64 by itself */

static void check_base64(slice input)
{
    uint8_t bytes[SEA_SIGNATURE_BYTES], other[SEA_SIGNATURE_BYTES];
    char spelled[64];
    size_t count;

    if (base64_url32(input, bytes)) {
        must(sodium_base642bin(other, 32, input.at, input.len, NULL, &count, NULL,
                               sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0);
        must(count == 32 && memcmp(bytes, other, 32) == 0);
    }
    if (base64_forgiving(input, bytes, 32)) {
        sodium_bin2base64(spelled, sizeof spelled, bytes, 32, sodium_base64_VARIANT_ORIGINAL);
        must(base64_forgiving((slice){ spelled, BASE64_LEN_32 }, other, 32));
        must(memcmp(bytes, other, 32) == 0);
    }
    (void)base64_forgiving(input, bytes, sizeof bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice input = { (const char *)data, size };
    arena a = arena_make(MEMORY);
    write_asked w;

    check_base64(input);
    if (read_write(&a, input, &w)) check_write(&a, &w, size * 16);
    arena_free(&a);
    return 0;
}
