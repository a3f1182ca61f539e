/* test_crypto_memory.c - the curve when OpenSSL is short of memory: what is forged stays
 * forged, and what is good is good again as soon as there is memory. */
#include "server/crypto.h"
#include "tests/unit/failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

/* --- OpenSSL's memory: the n-th request from now fails, and all after it if told so --- */

static long requests_left;
static bool failing_all, failed;

static bool fails(void)
{
    if (requests_left == 0 || --requests_left > 0) return false;
    if (failing_all) requests_left = 1;
    failed = true;
    return true;
}

static void fail_at(long n, bool on)
{
    requests_left = n;
    failing_all = on;
    failed = false;
}

static void *take(size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : malloc(bytes);
}

static void *resize(void *old, size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : realloc(old, bytes);
}

static void give_back(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

/* --- a signature --- */

static uint8_t name[SEA_KEY_BYTES], digest[SEA_DIGEST_BYTES], signature[SEA_SIGNATURE_BYTES];

static int sign(void **state)
{
    unsigned char point[1 + SEA_KEY_BYTES], der[128];
    const unsigned char *at = der;
    size_t len = 0, der_len = sizeof der;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    ECDSA_SIG *sig;

    (void)state;
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len) !=
        1)
        return -1;
    memcpy(name, point + 1, sizeof name);
    memcpy(digest, "thirty-two letters, more or less", sizeof digest);
    if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(ctx, der, &der_len, digest, sizeof digest) != 1)
        return -1;
    sig = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature + 32, 32);
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return 0;
}

static crypto *open_crypto(void)
{
    static const uint8_t secret[CRYPTO_SECRET_BYTES] = { 7 };
    crypto_limits limits = { 16, 16 };
    crypto *c;

    assert_int_equal(crypto_new(&c, &limits, secret), STATUS_OK);
    return c;
}

static bool ask(const crypto *c, const uint8_t *who, const uint8_t *what)
{
    const sea_crypto *with = crypto_table(c);

    return with->verify(with->context, who, what, signature);
}

/* Once by one request that fails, once by all from then on. */
static void starve(void (*work)(const crypto *c, bool has_memory))
{
    for (int on = 0; on < 2; ++on) {
        long n = 0;

        do {
            crypto *c = open_crypto();

            fail_at(++n, on == 1);
            work(c, false);
            bool again = failed;
            fail_at(0, false);
            work(c, true);
            crypto_free(c);
            failed = again;
        } while (failed);
        assert_true(n > 10);
    }
}

static void ask_what_is_good(const crypto *c, bool has_memory)
{
    bool good = ask(c, name, digest);

    if (has_memory) assert_true(good);
}

static void ask_what_is_forged(const crypto *c, bool has_memory)
{
    uint8_t other[SEA_DIGEST_BYTES];

    memcpy(other, digest, sizeof other);
    other[0] ^= 1;
    assert_false(ask(c, name, other));
    if (has_memory) assert_true(ask(c, name, digest));
}

static void ask_who_is_nobody(const crypto *c, bool has_memory)
{
    uint8_t nobody[SEA_KEY_BYTES];

    memcpy(nobody, name, sizeof nobody);
    nobody[SEA_KEY_BYTES - 1] ^= 1;
    assert_false(ask(c, nobody, digest));
    if (has_memory) assert_true(ask(c, name, digest));
}

static void what_is_good_is_good_again_when_there_is_memory(void **state)
{
    (void)state;
    starve(ask_what_is_good);
}

static void what_is_forged_stays_forged(void **state)
{
    (void)state;
    starve(ask_what_is_forged);
}

static void who_is_nobody_has_signed_nothing(void **state)
{
    (void)state;
    starve(ask_who_is_nobody);
}

static void of_no_memory_there_is_no_hash(void **state)
{
    uint8_t right[SEA_DIGEST_BYTES], other[SEA_DIGEST_BYTES];
    bool again = true;
    crypto *c = open_crypto();
    const sea_crypto *with = crypto_table(c);

    (void)state;
    with->sha256(with->context, SLICE("a chunk"), right);
    for (long n = 1; again; ++n) {
        fail_at(n, false);
        with->sha256(with->context, SLICE("a chunk"), other);
        again = failed;
        fail_at(0, false);
        assert_int_equal(memcmp(right, other, sizeof right) != 0, again);
    }
    crypto_free(c);
}

static void without_memory_there_is_no_crypto(void **state)
{
    static const uint8_t secret[CRYPTO_SECRET_BYTES] = { 7 };
    crypto_limits limits = { 16, 16 };
    bool short_of = true;
    long n = 0;
    int refused = 0;

    (void)state;
    while (short_of) {
        crypto *c = NULL;
        status s;

        failing_at(++n);
        s = crypto_new(&c, &limits, secret);
        short_of = failing_happened();
        failing_at(0);
        assert_true(s == STATUS_OK || (short_of && s == STATUS_NO_MEMORY));
        refused += s == STATUS_NO_MEMORY;
        if (s == STATUS_OK) assert_true(ask(c, name, digest));
        crypto_free(c);
    }
    assert_true(refused >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_good_is_good_again_when_there_is_memory),
        cmocka_unit_test(what_is_forged_stays_forged),
        cmocka_unit_test(who_is_nobody_has_signed_nothing),
        cmocka_unit_test(of_no_memory_there_is_no_hash),
        cmocka_unit_test(without_memory_there_is_no_crypto),
    };

    if (CRYPTO_set_mem_functions(take, resize, give_back) != 1) return 1;
    return cmocka_run_group_tests_name("crypto_memory", tests, sign, NULL);
}
