/* node_hash.c - see node_hash.h. */
#include "core/node_hash.h"

#include "core/json.h"

#include <assert.h>

void node_hash_add(node_hash *h, slice key, slice state_member, slice value_member)
{
    if (h->keys < NODE_HASH_KEYS) {
        h->piece[h->keys].state = hash31_add(hash31_start(), state_member);
        h->piece[h->keys].value = hash31_add(hash31_start(), value_member);
        h->piece[h->keys].above = slice_order(key, SLICE("_")) > 0;
    }
    ++h->keys;
}

static size_t piece_at(const node_hash *h, size_t i)
{
    return h->backwards ? h->keys - 1 - i : i;
}

static hash31 join_meta(hash31 all, const node_hash *h, slice soul_text)
{
    all = hash31_add(all, SLICE("\"_\":{\"#\":"));
    all = hash31_add(all, soul_text);
    all = hash31_add(all, SLICE(",\">\":{"));
    for (size_t i = 0; i < h->keys; ++i) {
        if (i > 0) all = hash31_add(all, SLICE(","));
        all = hash31_join(all, h->piece[piece_at(h, i)].state);
    }
    return hash31_add(all, SLICE("}}"));
}

int32_t node_hash_value(const node_hash *h, slice soul)
{
    text soul_text = { 0 };
    hash31 all = hash31_add(hash31_start(), SLICE("{"));
    bool met = false;

    assert(node_hash_has(h));
    json_print_name(&soul_text, soul);
    all = hash31_add(all, text_slice(&soul_text));
    all = hash31_add(all, SLICE(":{"));
    for (size_t i = 0; i <= h->keys; ++i) {
        if (!met && (i == h->keys || h->piece[piece_at(h, i)].above)) {
            if (i > 0) all = hash31_add(all, SLICE(","));
            all = join_meta(all, h, text_slice(&soul_text));
            met = true;
            if (i == h->keys) break;
            all = hash31_add(all, SLICE(","));
        } else if (i == h->keys) {
            break;
        } else if (i > 0) {
            all = hash31_add(all, SLICE(","));
        }
        all = hash31_join(all, h->piece[piece_at(h, i)].value);
    }
    all = hash31_add(all, SLICE("}}"));
    text_free(&soul_text);
    return hash31_value(all);
}
