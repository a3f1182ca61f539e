/* crypto.c - see crypto.h.
 *
 * OpenSSL, too, can run out of memory, and does not always say so: then a signature is
 * not good, and nothing is remembered of it, or its author would be refused for as long
 * as the memory of verdicts lasts.
 *
 * Both memories are sets of WAYS places, chosen by a keyed hash, where the place
 * used longest ago gives way. One lock for each, held for a few copies only; the
 * curve is computed without.
 */
#include "server/crypto.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { WAYS = 4, ID_BYTES = 16, ASKING_MAX = 64 };

typedef struct known_key {
    uint8_t name[SEA_KEY_BYTES];
    EVP_PKEY *key; /* NULL: it is no point of the curve */
    uint64_t used; /* 0: free */
} known_key;

/* What was asked, as 128 bits of keyed BLAKE2b. */
typedef struct question {
    uint64_t half[2];
} question;

typedef struct verdict {
    question asked;
    uint64_t used; /* 0: free */
    bool good;
} verdict;

struct crypto {
    sea_crypto table;
    uint8_t secret[CRYPTO_SECRET_BYTES];
    EVP_MD *sha256;

    pthread_mutex_t keys_lock;
    known_key *keys;
    uint32_t key_sets;
    uint64_t key_time;

    pthread_mutex_t verdicts_lock;
    pthread_cond_t answered;
    verdict *verdicts;
    uint32_t verdict_sets;
    uint64_t verdict_time;
    question asking[ASKING_MAX]; /* by some thread, at this moment */
    size_t asking_count;

    atomic_uint_fast64_t curves, remembered, decoded;
};

crypto_limits crypto_default_limits(void)
{
    return (crypto_limits){ .keys_max = 4096, .verdicts_max = 65536 };
}

/* --- hashing --- */

/* False for want of memory only. */
static bool digest_of(const crypto *c, slice bytes, uint8_t out[static SEA_DIGEST_BYTES])
{
    return EVP_Digest(bytes.at, bytes.len, out, NULL, c->sha256, NULL) == 1;
}

/* Without memory the digest is one that nobody can have signed, or named a value by. */
static void hash(void *context, slice bytes, uint8_t out[SEA_DIGEST_BYTES])
{
    if (!digest_of(context, bytes, out)) randombytes_buf(out, SEA_DIGEST_BYTES);
}

static void only_hash(void *context, slice bytes, uint8_t out[SEA_DIGEST_BYTES])
{
    (void)context;
    (void)crypto_hash_sha256(out, (const unsigned char *)bytes.at, bytes.len);
}

const sea_crypto *crypto_hashing(void)
{
    static const sea_crypto table = { .sha256 = only_hash };

    return &table;
}

static question keyed(const crypto *c, const uint8_t *bytes, size_t len)
{
    question q;

    crypto_generichash((unsigned char *)&q, sizeof q, bytes, len, c->secret, sizeof c->secret);
    return q;
}

/* --- keys --- */

/* Whether OpenSSL has found the point to be none of the curve. It says so, too, when
 * it had no memory to find out, and then says that beside. */
static bool is_off_the_curve(void)
{
    bool is_off = false, is_short = false;

    for (unsigned long e; (e = ERR_get_error()) != 0;) {
        is_short |= ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE;
        is_off |=
            ERR_GET_LIB(e) == ERR_LIB_EC && (ERR_GET_REASON(e) == EC_R_POINT_IS_NOT_ON_CURVE ||
                                             ERR_GET_REASON(e) == EC_R_INVALID_ENCODING);
    }
    return is_off && !is_short;
}

/* Gives the key; NULL: it is none, or, when not even that is *known, memory is short. */
static EVP_PKEY *decode(const uint8_t name[static SEA_KEY_BYTES], bool *known)
{
    static char group[] = "prime256v1";
    unsigned char point[1 + SEA_KEY_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
    OSSL_PARAM parts[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *maker;

    ERR_clear_error();
    maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    memcpy(point + 1, name, SEA_KEY_BYTES);
    if (maker != NULL && EVP_PKEY_fromdata_init(maker) == 1)
        (void)EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, parts); /* says by `key` */
    EVP_PKEY_CTX_free(maker);
    *known = key != NULL || is_off_the_curve();
    return key;
}

static known_key *set_of_key(crypto *c, const uint8_t *name)
{
    return &c->keys[keyed(c, name, SEA_KEY_BYTES).half[0] % c->key_sets * WAYS];
}

static bool find_key(crypto *c, known_key *set, const uint8_t *name, EVP_PKEY **out)
{
    for (int i = 0; i < WAYS; ++i) {
        if (set[i].used == 0 || memcmp(set[i].name, name, SEA_KEY_BYTES) != 0) continue;
        set[i].used = ++c->key_time;
        *out = set[i].key;
        if (*out != NULL) EVP_PKEY_up_ref(*out);
        return true;
    }
    return false;
}

static void keep_key(crypto *c, known_key *set, const uint8_t *name, EVP_PKEY *key)
{
    known_key *place = set;

    for (int i = 1; i < WAYS; ++i)
        if (set[i].used < place->used) place = &set[i];
    EVP_PKEY_free(place->key);
    memcpy(place->name, name, SEA_KEY_BYTES);
    place->key = key;
    place->used = ++c->key_time;
    if (key != NULL) EVP_PKEY_up_ref(key);
}

/* Gives the key; NULL as decode() does. */
static EVP_PKEY *key_of(crypto *c, const uint8_t *name, bool *is_known)
{
    known_key *set = set_of_key(c, name);
    EVP_PKEY *key = NULL, *other;

    pthread_mutex_lock(&c->keys_lock);
    bool known = find_key(c, set, name, &key);
    pthread_mutex_unlock(&c->keys_lock);
    *is_known = true;
    if (known) return key;

    key = decode(name, is_known);
    atomic_fetch_add(&c->decoded, 1);
    if (!*is_known) return NULL;
    pthread_mutex_lock(&c->keys_lock);
    if (find_key(c, set, name, &other))
        EVP_PKEY_free(other); /* another thread was as quick */
    else
        keep_key(c, set, name, key);
    pthread_mutex_unlock(&c->keys_lock);
    return key;
}

/* --- the curve --- */

/* r and s as the DER that EVP wants; gives `out`, 0 for no memory. */
static int to_der(const uint8_t *signature, unsigned char **out)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, 32, NULL), *s = BN_bin2bn(signature + 32, 32, NULL);
    int len = 0;

    *out = NULL;
    if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL;
        len = i2d_ECDSA_SIG(sig, out);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len > 0 ? len : 0;
}

/* Whether OpenSSL has found a signature bad, and not failed to find out: it says 0
 * of both, but when it failed there are errors beside. */
static bool is_no_failure(void)
{
    bool is_none = true;

    for (unsigned long e; (e = ERR_get_error()) != 0;)
        is_none &= ERR_GET_LIB(e) == ERR_LIB_EC && ERR_GET_REASON(e) == EC_R_BAD_SIGNATURE;
    return is_none;
}

typedef enum answer { ANSWER_BAD, ANSWER_GOOD, ANSWER_NONE } answer;

static answer verify_with(const crypto *c, EVP_PKEY *key, const uint8_t *digest,
                          const uint8_t *signature)
{
    EVP_PKEY_CTX *ctx;
    uint8_t twice[SEA_DIGEST_BYTES];
    unsigned char *der;
    int len, how = -1;

    ERR_clear_error();
    ctx = EVP_PKEY_CTX_new(key, NULL);
    len = to_der(signature, &der);
    if (ctx != NULL && len > 0 &&
        digest_of(c, (slice){ (const char *)digest, SEA_DIGEST_BYTES }, twice) &&
        EVP_PKEY_verify_init(ctx) == 1)
        how = EVP_PKEY_verify(ctx, der, (size_t)len, twice, sizeof twice);
    OPENSSL_free(der);
    EVP_PKEY_CTX_free(ctx);
    if (how == 1) return ANSWER_GOOD;
    return how == 0 && is_no_failure() ? ANSWER_BAD : ANSWER_NONE;
}

static answer compute(crypto *c, const uint8_t *name, const uint8_t *digest,
                      const uint8_t *signature)
{
    bool is_known;
    EVP_PKEY *key = key_of(c, name, &is_known);
    answer a = is_known ? ANSWER_BAD : ANSWER_NONE;

    if (key != NULL) a = verify_with(c, key, digest, signature);
    EVP_PKEY_free(key);
    atomic_fetch_add(&c->curves, 1);
    return a;
}

/* --- verdicts --- */

static bool same(const question *a, const question *b)
{
    return a->half[0] == b->half[0] && a->half[1] == b->half[1];
}

static verdict *set_of_verdict(crypto *c, const question *q)
{
    return &c->verdicts[q->half[0] % c->verdict_sets * WAYS];
}

static bool recall(crypto *c, const question *q, bool *good)
{
    verdict *set = set_of_verdict(c, q);

    for (int i = 0; i < WAYS; ++i) {
        if (set[i].used == 0 || !same(&set[i].asked, q)) continue;
        set[i].used = ++c->verdict_time;
        *good = set[i].good;
        return true;
    }
    return false;
}

static void remember(crypto *c, const question *q, bool good)
{
    verdict *set = set_of_verdict(c, q), *place = set;

    for (int i = 1; i < WAYS; ++i)
        if (set[i].used < place->used) place = &set[i];
    *place = (verdict){ *q, ++c->verdict_time, good };
}

static size_t asking_at(const crypto *c, const question *q)
{
    size_t i = 0;

    while (i < c->asking_count && !same(&c->asking[i], q)) ++i;
    return i;
}

/* Whether the answer is known, perhaps after somebody else's question of it. If not,
 * it is this thread's to find. */
static bool answered_before(crypto *c, const question *q, bool *good)
{
    bool known;

    pthread_mutex_lock(&c->verdicts_lock);
    while (!(known = recall(c, q, good)) &&
           (asking_at(c, q) < c->asking_count || c->asking_count == ASKING_MAX))
        pthread_cond_wait(&c->answered, &c->verdicts_lock);
    if (!known) c->asking[c->asking_count++] = *q;
    pthread_mutex_unlock(&c->verdicts_lock);
    return known;
}

static void settle(crypto *c, const question *q, answer a)
{
    pthread_mutex_lock(&c->verdicts_lock);
    if (a != ANSWER_NONE) remember(c, q, a == ANSWER_GOOD);
    c->asking[asking_at(c, q)] = c->asking[c->asking_count - 1];
    --c->asking_count;
    pthread_cond_broadcast(&c->answered);
    pthread_mutex_unlock(&c->verdicts_lock);
}

static bool verify(void *context, const uint8_t key[SEA_KEY_BYTES],
                   const uint8_t digest[SEA_DIGEST_BYTES],
                   const uint8_t signature[SEA_SIGNATURE_BYTES])
{
    crypto *c = context;
    uint8_t all[SEA_KEY_BYTES + SEA_DIGEST_BYTES + SEA_SIGNATURE_BYTES];
    question q;
    answer a;
    bool good;

    memcpy(all, key, SEA_KEY_BYTES);
    memcpy(all + SEA_KEY_BYTES, digest, SEA_DIGEST_BYTES);
    memcpy(all + SEA_KEY_BYTES + SEA_DIGEST_BYTES, signature, SEA_SIGNATURE_BYTES);
    q = keyed(c, all, sizeof all);
    if (answered_before(c, &q, &good)) {
        atomic_fetch_add(&c->remembered, 1);
        return good;
    }
    a = compute(c, key, digest, signature);
    settle(c, &q, a);
    return a == ANSWER_GOOD;
}

/* --- life --- */

status crypto_new(crypto **out, const crypto_limits *limits,
                  const uint8_t secret[static CRYPTO_SECRET_BYTES])
{
    crypto *c = calloc(1, sizeof *c);

    if (c == NULL) return STATUS_NO_MEMORY;
    c->table = (sea_crypto){ .context = c, .sha256 = hash, .verify = verify };
    memcpy(c->secret, secret, sizeof c->secret);
    pthread_mutex_init(&c->keys_lock, NULL);
    pthread_mutex_init(&c->verdicts_lock, NULL);
    pthread_cond_init(&c->answered, NULL);
    c->key_sets = limits->keys_max / WAYS + 1;
    c->verdict_sets = limits->verdicts_max / WAYS + 1;
    c->keys = calloc((size_t)c->key_sets * WAYS, sizeof *c->keys);
    c->verdicts = calloc((size_t)c->verdict_sets * WAYS, sizeof *c->verdicts);
    c->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    if (c->keys == NULL || c->verdicts == NULL || c->sha256 == NULL) {
        crypto_free(c);
        return STATUS_NO_MEMORY;
    }
    *out = c;
    return STATUS_OK;
}

void crypto_free(crypto *c)
{
    if (c == NULL) return;
    for (size_t i = 0; c->keys != NULL && i < (size_t)c->key_sets * WAYS; ++i)
        EVP_PKEY_free(c->keys[i].key);
    free(c->keys);
    free(c->verdicts);
    EVP_MD_free(c->sha256);
    pthread_cond_destroy(&c->answered);
    pthread_mutex_destroy(&c->verdicts_lock);
    pthread_mutex_destroy(&c->keys_lock);
    free(c);
}

const sea_crypto *crypto_table(const crypto *c)
{
    return &c->table;
}

void crypto_count(const crypto *c, crypto_counts *out)
{
    *out = (crypto_counts){ .curves = atomic_load(&c->curves),
                            .remembered = atomic_load(&c->remembered),
                            .keys = atomic_load(&c->decoded) };
}
