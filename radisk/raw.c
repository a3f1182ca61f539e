/* raw.c - see raw.h. */
#include "radisk/raw.h"

#include "radisk/inside.h"

#include <sodium/utils.h>

/* A value in a row: small, so decoding it is cheap. */
static status decode(radisk *store, slice value, slice *out)
{
    slice inner = { value.at + 1, value.len - 2 };
    char *to;
    size_t len;

    if (value.len < 2 || value.at[0] != '"') return STATUS_MALFORMED;
    text_reset(&store->lent, value.len);
    to = text_room(&store->lent, value.len);
    if (to == NULL) return STATUS_NO_MEMORY;
    if (sodium_base642bin((unsigned char *)to, value.len, inner.at, inner.len, NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return STATUS_MALFORMED;
    store->lent.len = len;
    *out = text_slice(&store->lent);
    return STATUS_OK;
}

static status read_blob(radisk *store, const uint8_t *hash, slice *out)
{
    blob_ref ref;
    status s = blobs_stored(store->blobs, &store->disk, hash, &store->lent, &ref, out);

    if (s == STATUS_CORRUPT) store->stats.damaged_rows++;
    return s == STATUS_OK && ref.encoding != BLOB_BASE64 ? STATUS_MALFORMED : s;
}

status radisk_raw(radisk *store, slice soul, slice key, slice *out)
{
    place *p;
    kept found;
    status s = place_of(store, soul, &p);

    if (s == STATUS_OK) s = place_find(store, p, key, &found);
    if (s != STATUS_OK) return s;
    if (!found.is_blob) return decode(store, found.text, out);
    s = read_blob(store, found.ref.hash, out);
    return s == STATUS_NOT_FOUND ? STATUS_CORRUPT : s; /* a row names it */
}

status radisk_raw_by_hash(radisk *store, const uint8_t hash[static 32], slice *out)
{
    return read_blob(store, hash, out);
}

status radisk_holds(radisk *store, slice soul, slice key)
{
    place *p;
    kept found;
    status s = place_of(store, soul, &p);

    return s == STATUS_OK ? place_find(store, p, key, &found) : s;
}
