/* node_hash.h - the "##" of a node that is printed key by key.
 *
 * GUN hashes a put as text with its names in order, "_" among them (hash31.h),
 * while its keys come one by one, perhaps backwards, and the states after them.
 * So the pieces are hashed alone and joined at the end.
 *
 * Only small nodes have a hash here: up to 8 keys a gun.js client compares "##"
 * over its whole answer; above it answers in messages of nine names each, "_"
 * being one, and compares nothing that we could know (relay-rules.md section 1).
 */
#ifndef CORE_NODE_HASH_H
#define CORE_NODE_HASH_H

#include "core/hash31.h"

enum { NODE_HASH_KEYS = 8 };

typedef struct node_hash {
    uint32_t keys;  /* seen; above NODE_HASH_KEYS there is no hash */
    bool backwards; /* the keys come in descending order; set before the first */
    struct {
        hash31 state, value; /* of "key":state and of "key":value */
        bool above;          /* the key comes behind "_" */
    } piece[NODE_HASH_KEYS];
} node_hash;

/* Adds a key with its two members as JSON text. */
void node_hash_add(node_hash *h, slice key, slice state_member, slice value_member);

static inline bool node_hash_has(const node_hash *h)
{
    return h->keys <= NODE_HASH_KEYS;
}

/* The hash of {"soul":{"_":{"#":"soul",">":{...}},...}}; only if there is one. */
int32_t node_hash_value(const node_hash *h, slice soul);

#endif
