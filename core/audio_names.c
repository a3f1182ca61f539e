/* audio_names.c - see audio.h: souls, keys, roots and hashes. */
#include "core/audio.h"
#include "core/base64.h"
#include "core/hex.h"
#include "core/number.h"

#include <openssl/evp.h>
#include <stdlib.h>

static const slice lead = { "audio/", sizeof "audio/" - 1 };

uint32_t audio_chunk_bytes(uint64_t file_bytes)
{
    return file_bytes > AUDIO_LARGE ? AUDIO_CHUNK_LARGE : AUDIO_CHUNK;
}

/* --- hexadecimal --- */

bool audio_root_read(slice hex, uint8_t root[static AUDIO_HASH])
{
    for (size_t i = 0; i < hex.len; ++i)
        if (hex.at[i] >= 'A' && hex.at[i] <= 'F') return false;
    return hex_read32(hex, root);
}

void audio_hex(const uint8_t hash[static AUDIO_HASH], char out[static AUDIO_ROOT])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < AUDIO_HASH; ++i) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
}

/* --- souls --- */

/* A number without leading zeros, below AUDIO_CHUNKS_MAX. */
static bool read_number(slice from, uint32_t *out)
{
    *out = 0;
    if (from.len == 0 || from.len > 6 || (from.at[0] == '0' && from.len > 1)) return false;
    for (size_t i = 0; i < from.len; ++i) {
        if (from.at[i] < '0' || from.at[i] > '9') return false;
        *out = *out * 10 + (uint32_t)(from.at[i] - '0');
    }
    return true;
}

audio_soul audio_soul_read(slice soul)
{
    audio_soul out = { .kind = AUDIO_NONE };
    size_t head = lead.len + AUDIO_ROOT;
    slice rest;

    if (soul.len < head + 2 || !slice_begins(soul, lead) || soul.at[head] != '#' ||
        !audio_root_read((slice){ soul.at + lead.len, AUDIO_ROOT }, out.root))
        return out;
    rest = (slice){ soul.at + head + 1, soul.len - head - 1 };
    if (slice_equal(rest, SLICE("m")))
        out.kind = AUDIO_MANIFEST;
    else if (read_number(rest, &out.segment))
        out.kind = AUDIO_CHUNKS;
    return out;
}

static size_t print_soul(char *out, const uint8_t root[static AUDIO_HASH])
{
    memcpy(out, lead.at, lead.len);
    audio_hex(root, out + lead.len);
    out[lead.len + AUDIO_ROOT] = '#';
    return lead.len + AUDIO_ROOT + 1;
}

size_t audio_chunk_soul(char out[static AUDIO_SOUL_MAX], const uint8_t root[static AUDIO_HASH],
                        uint32_t index)
{
    size_t len = print_soul(out, root), more;
    char segment[NUMBER_TEXT_MAX];

    more = number_print(segment, index / AUDIO_SEGMENT);
    memcpy(out + len, segment, more);
    return len + more;
}

size_t audio_manifest_soul(char out[static AUDIO_SOUL_MAX], const uint8_t root[static AUDIO_HASH])
{
    size_t len = print_soul(out, root);

    out[len] = 'm';
    return len + 1;
}

/* --- keys --- */

size_t audio_chunk_key(char out[static AUDIO_KEY_MAX], uint32_t index,
                       const uint8_t hash[static AUDIO_HASH])
{
    for (size_t i = 0; i < 6; ++i, index /= 10) out[5 - i] = (char)('0' + index % 10);
    out[6] = '#';
    base64_print32(hash, out + 7);
    return AUDIO_KEY_MAX;
}

bool audio_hash_read(slice name, uint8_t hash[static AUDIO_HASH])
{
    const char *mark = memrchr(name.at, '#', name.len);
    char spelled[BASE64_LEN_32];

    if (mark != NULL) name = (slice){ mark + 1, (size_t)(name.at + name.len - mark - 1) };
    if (hex_read32(name, hash)) return true;
    if (name.len != sizeof spelled || !base64_forgiving(name, hash, AUDIO_HASH)) return false;
    base64_print32(hash, spelled);
    return slice_equal(name, (slice){ spelled, sizeof spelled });
}

bool audio_chunk_key_read(slice key, uint32_t *index, uint8_t hash[static AUDIO_HASH])
{
    *index = 0;
    if (key.len < 8 || key.at[6] != '#') return false;
    for (size_t i = 0; i < 6; ++i) {
        if (key.at[i] < '0' || key.at[i] > '9') return false;
        *index = *index * 10 + (uint32_t)(key.at[i] - '0');
    }
    key = (slice){ key.at + 7, key.len - 7 };
    return memchr(key.at, '#', key.len) == NULL && audio_hash_read(key, hash);
}

/* --- hashes --- */

status audio_chunk_hash(const sea_crypto *crypto, slice raw, uint8_t out[static AUDIO_HASH])
{
    size_t len = (raw.len + 2) / 3 * 4;
    char *spelled = malloc(len + 1);

    if (spelled == NULL) return STATUS_NO_MEMORY;
    (void)EVP_EncodeBlock((unsigned char *)spelled, (const unsigned char *)raw.at, (int)raw.len);
    crypto->sha256(crypto->context, (slice){ spelled, len }, out);
    free(spelled);
    return STATUS_OK;
}

void audio_root(const sea_crypto *crypto, const uint8_t *hashes, uint32_t count,
                uint8_t out[static AUDIO_HASH])
{
    crypto->sha256(crypto->context, (slice){ (const char *)hashes, (size_t)count * AUDIO_HASH },
                   out);
}
