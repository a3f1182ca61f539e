/* curve.c - see curve.h. */
#include "tests/tools/curve.h"

#include "core/number.h"

#include <sodium.h>

static void sha256(void *context, slice bytes, uint8_t out[SEA_DIGEST_BYTES])
{
    (void)context;
    crypto_hash_sha256(out, (const unsigned char *)bytes.at, bytes.len);
}

static void sign(const uint8_t key[static SEA_KEY_BYTES],
                 const uint8_t digest[static SEA_DIGEST_BYTES],
                 uint8_t out[static SEA_SIGNATURE_BYTES])
{
    crypto_generichash(out, SEA_SIGNATURE_BYTES, digest, SEA_DIGEST_BYTES, key, SEA_KEY_BYTES);
}

static bool verify(void *context, const uint8_t key[SEA_KEY_BYTES],
                   const uint8_t digest[SEA_DIGEST_BYTES],
                   const uint8_t signature[SEA_SIGNATURE_BYTES])
{
    uint8_t right[SEA_SIGNATURE_BYTES];

    (void)context;
    sign(key, digest, right);
    return memcmp(right, signature, sizeof right) == 0;
}

const sea_crypto test_curve = { NULL, sha256, verify };

static void key_of(int who, uint8_t out[static SEA_KEY_BYTES])
{
    crypto_generichash(out, SEA_KEY_BYTES, (const unsigned char *)&who, sizeof who, NULL, 0);
}

void curve_pub(int who, char out[static CURVE_PUB_LEN + 1])
{
    enum { HALF = 43 };
    uint8_t key[SEA_KEY_BYTES];

    key_of(who, key);
    sodium_bin2base64(out, HALF + 1, key, 32, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    out[HALF] = '.';
    sodium_bin2base64(out + HALF + 1, HALF + 1, key + 32, 32,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void curve_sign(text *out, int who, slice what)
{
    uint8_t key[SEA_KEY_BYTES], digest[SEA_DIGEST_BYTES], signature[SEA_SIGNATURE_BYTES];
    char spelled[89];

    key_of(who, key);
    sha256(NULL, what, digest);
    sign(key, digest, signature);
    sodium_bin2base64(spelled, sizeof spelled, signature, sizeof signature,
                      sodium_base64_VARIANT_ORIGINAL);
    text_add(out, (slice){ spelled, sizeof spelled - 1 });
}

static void add(text *out, const char *words)
{
    text_add(out, (slice){ words, strlen(words) });
}

void curve_value(text *out, int who, const char *certificate, const char *soul, const char *key,
                 const char *said, double state)
{
    char number[NUMBER_TEXT_MAX], pub[CURVE_PUB_LEN + 1];
    text what = { 0 };

    add(&what, "{\"#\":\"");
    add(&what, soul);
    add(&what, "\",\".\":\"");
    add(&what, key);
    add(&what, "\",\":\":");
    add(&what, said);
    add(&what, ",\">\":");
    text_add(&what, (slice){ number, number_print(number, state) });
    add(&what, "}");
    add(out, "{\":\":");
    add(out, said);
    add(out, ",\"~\":\"");
    curve_sign(out, who, text_slice(&what));
    add(out, "\"");
    if (certificate != NULL) {
        curve_pub(who, pub);
        add(out, ",\"+\":");
        add(out, certificate);
        add(out, ",\"*\":\"");
        add(out, pub);
        add(out, "\"");
    }
    add(out, "}");
    text_free(&what);
}

void curve_certificate(text *out, int owner, const char *terms)
{
    add(out, "{\"m\":");
    add(out, terms);
    add(out, ",\"s\":\"");
    curve_sign(out, owner, (slice){ terms, strlen(terms) });
    add(out, "\"}");
}
