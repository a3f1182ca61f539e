/* unseal.c - see unseal.h. */
#include "server/unseal.h"

#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>

enum { IV = 12 };

static bool begin(EVP_CIPHER_CTX *with, const uint8_t *key, uint32_t index)
{
    unsigned char iv[IV] = { 0 };
    char also[16];
    int len = snprintf(also, sizeof also, "a1:%" PRIu32, index), taken;

    for (int i = 0; i < 4; i++) iv[IV - 1 - i] = (unsigned char)(index >> 8 * i);
    return EVP_DecryptInit_ex(with, EVP_aes_256_gcm(), NULL, key, iv) == 1 &&
           EVP_DecryptUpdate(with, NULL, &taken, (const unsigned char *)also, len) == 1;
}

static status decrypt(EVP_CIPHER_CTX *with, slice sealed, char *out)
{
    slice tag = { sealed.at + sealed.len - UNSEAL_TAG, UNSEAL_TAG };
    unsigned char none[UNSEAL_TAG];
    int len = (int)(sealed.len - UNSEAL_TAG), got = 0;

    if (EVP_DecryptUpdate(with, (unsigned char *)out, &got, (const unsigned char *)sealed.at,
                          len) != 1 ||
        got != len ||
        EVP_CIPHER_CTX_ctrl(with, EVP_CTRL_GCM_SET_TAG, UNSEAL_TAG, (void *)(uintptr_t)tag.at) != 1)
        return STATUS_CORRUPT;
    return EVP_DecryptFinal_ex(with, none, &got) == 1 ? STATUS_OK : STATUS_CORRUPT;
}

status unseal(const uint8_t key[static UNSEAL_KEY], uint32_t index, slice sealed, char *out)
{
    EVP_CIPHER_CTX *with;
    status s = STATUS_NO_MEMORY;

    if (sealed.len < UNSEAL_TAG || sealed.len > INT_MAX) return STATUS_CORRUPT;
    with = EVP_CIPHER_CTX_new();
    if (with != NULL && begin(with, key, index)) s = decrypt(with, sealed, out);
    EVP_CIPHER_CTX_free(with);
    return s;
}
