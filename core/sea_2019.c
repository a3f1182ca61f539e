/* sea_2019.c - the form in which clients of 2019 signed, which sea.js still takes:
 *
 *     SEA{"m":[soul,key,value,state],"s":signature}
 *
 * Older ones signed the value alone; such a signature fits every key, and sea.js
 * takes it below a state of that year. It proves nothing, so it is refused here.
 */
#include "core/base64.h"
#include "core/number.h"
#include "core/sea_inside.h"
#include "core/utf16.h"

static bool is_name(judging *g, const json *j, uint32_t at, slice name)
{
    slice said;

    return sea_string(g, j, at, &said) && slice_equal(said, name);
}

/* The tokens of the four, if they are about this write. A state is compared by
 * its millisecond: clients lost its fraction then. */
static bool read_four(judging *g, const json *j, uint32_t m, uint32_t four[static 4])
{
    size_t count = 0;
    double state;

    if (m == 0 || j->tokens[m].type != JSON_ARRAY) return false;
    for (uint32_t k = m + 1; k < j->tokens[m].next; k = j->tokens[k].next)
        if (count++ < 4) four[count - 1] = k;
    return count == 4 && is_name(g, j, four[0], g->soul) && is_name(g, j, four[1], g->key) &&
           j->tokens[four[3]].type == JSON_NUMBER && number_read(json_raw(j, four[3]), &state) &&
           floor(state) == floor(g->state);
}

static void add_joined(judging *g, text *t, const json *j, uint32_t at)
{
    slice name;

    if (j->tokens[at].type == JSON_STRING) {
        status s = json_name(j, g->a, at, &name);
        if (s != STATUS_OK) g->how = s;
        if (s == STATUS_OK) utf16_to_utf8(t, name);
    } else if (j->tokens[at].type != JSON_NULL) {
        sea_print(g, t, j, at, SEA_SORTED);
    }
}

/* Clients of then hashed the list as JavaScript turns it into a string: its
 * elements with commas between. A comma in the soul or the key would let one
 * signature say two things, and every object joins as the same text. */
static bool is_ambiguous(const judging *g, const json *j, const uint32_t four[static 4])
{
    return memchr(g->soul.at, ',', g->soul.len) != NULL ||
           memchr(g->key.at, ',', g->key.len) != NULL || j->tokens[four[2]].type >= JSON_OBJECT;
}

/* They also wrote signatures as 64 characters, a byte each. */
static bool signature_as_characters(slice name, uint8_t out[static SEA_SIGNATURE_BYTES])
{
    size_t count = 0;

    for (size_t i = 0; i < name.len; ++count) {
        unsigned char c = (unsigned char)name.at[i];
        size_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : 3;

        if (count == SEA_SIGNATURE_BYTES || i + len > name.len) return false;
        /* The low byte of the unit: its last bits, and of the byte before the last two. */
        out[count] = c;
        if (len > 1)
            out[count] = (uint8_t)(((unsigned char)name.at[i + len - 2] & 0x03) << 6 |
                                   ((unsigned char)name.at[i + len - 1] & 0x3F));
        i += len;
    }
    return count == SEA_SIGNATURE_BYTES;
}

static bool verify_2019(judging *g, const json *j, const uint32_t four[static 4], slice signature)
{
    uint8_t key[SEA_KEY_BYTES], digest[SEA_DIGEST_BYTES], bytes[SEA_SIGNATURE_BYTES];
    const sea_crypto *c = g->crypto;
    text t = { 0 };

    if (!sea_key_read(g->pub, key)) return false;
    for (int i = 0; i < 4; ++i) {
        if (i > 0) text_add_char(&t, ',');
        add_joined(g, &t, j, four[i]);
    }
    if (text_ok(&t)) c->sha256(c->context, text_slice(&t), digest);
    if (!text_ok(&t)) g->how = STATUS_NO_MEMORY;
    text_free(&t);
    if (g->how != STATUS_OK) return false;
    if (base64_forgiving(signature, bytes, sizeof bytes) &&
        c->verify(c->context, key, digest, bytes))
        return true;
    return signature_as_characters(signature, bytes) && c->verify(c->context, key, digest, bytes);
}

bool sea_is_good_2019(judging *g, const json *j)
{
    uint32_t m = json_member(j, 0, SLICE("m")), s = json_member(j, 0, SLICE("s")), four[4];
    slice signature;

    return read_four(g, j, m, four) && !is_ambiguous(g, j, four) &&
           sea_string(g, j, s, &signature) && verify_2019(g, j, four, signature);
}
