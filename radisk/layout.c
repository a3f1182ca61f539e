/* layout.c - see layout.h. */
#include "radisk/layout.h"

#include "core/keyed.h"

#include <sodium/crypto_generichash.h>

void layout_put64(char at[static 8], uint64_t number)
{
    for (int i = 7; i >= 0; i--, number >>= 8) at[i] = (char)(number & 0xff);
}

uint64_t layout_get64(const char at[static 8])
{
    uint64_t number = 0;

    for (int i = 0; i < 8; i++) number = number << 8 | (unsigned char)at[i];
    return number;
}

void layout_put32(char at[static 4], uint32_t number)
{
    for (int i = 3; i >= 0; i--, number >>= 8) at[i] = (char)(number & 0xff);
}

uint32_t layout_get32(const char at[static 4])
{
    uint32_t number = 0;

    for (int i = 0; i < 4; i++) number = number << 8 | (unsigned char)at[i];
    return number;
}

uint64_t layout_state_number(double state)
{
    uint64_t number;

    memcpy(&number, &state, sizeof number);
    return number;
}

double layout_number_state(uint64_t number)
{
    double state;

    memcpy(&state, &number, sizeof state);
    return state;
}

static void hash(char out[static LAYOUT_HASH], slice bytes)
{
    crypto_generichash((unsigned char *)out, LAYOUT_HASH, (const unsigned char *)bytes.at,
                       bytes.len, NULL, 0);
}

static void add_stored_name(layout_key *out, slice name)
{
    size_t whole = name.len <= LAYOUT_WHOLE_MAX ? name.len : LAYOUT_WHOLE_MAX;

    if (whole > 0) memcpy(out->at + out->len, name.at, whole);
    out->len += whole;
    if (name.len > LAYOUT_WHOLE_MAX) {
        hash(out->at + out->len, name);
        out->len += LAYOUT_HASH;
    }
}

void layout_soul_key(layout_key *out, slice soul)
{
    out->len = 0;
    add_stored_name(out, soul);
}

void layout_row_key(layout_key *out, uint64_t id, slice key)
{
    layout_put64(out->at, id);
    out->len = LAYOUT_ID;
    add_stored_name(out, key);
}

static bool is_long(slice name)
{
    return name.len > LAYOUT_WHOLE_MAX;
}

/* ---- checks ---- */

/* Public on purpose: it is against damage, and the same for every store. */
static const uint8_t check_key[KEYED_SECRET_BYTES] = "brasa row check";

static layout_seal mixed(const uint8_t key[static 16], uint64_t hash)
{
    layout_seal out;

    memcpy(out.key, key, sizeof out.key);
    for (int i = 0; i < 8; i++) out.key[i] ^= (uint8_t)(hash >> 8 * i);
    return out;
}

void layout_seal_soul(layout_seal *out, slice soul)
{
    *out = mixed(check_key, keyed_hash(check_key, soul));
}

const layout_seal *layout_index_seal(void)
{
    static const layout_seal seal = { "brasa soul index" };

    return &seal;
}

static uint64_t entry_check(const layout_entry *e, const layout_seal *seal)
{
    char head[9];
    layout_seal named = mixed(seal->key, keyed_hash(seal->key, e->name));

    layout_put64(head, e->number);
    head[8] = (char)e->kind;
    named = mixed(named.key, keyed_hash(named.key, (slice){ head, sizeof head }));
    return keyed_hash(named.key, e->rest);
}

/* ---- entries ---- */

size_t layout_entry_bytes(const layout_entry *e)
{
    return LAYOUT_ENTRY_HEAD + (is_long(e->name) ? 4 + e->name.len : 0) + e->rest.len;
}

void layout_entry_write(char *at, const layout_entry *e, const layout_seal *seal)
{
    layout_put64(at, e->number);
    layout_put64(at + 8, entry_check(e, seal));
    at[16] = (char)e->kind;
    at += LAYOUT_ENTRY_HEAD;
    if (is_long(e->name)) {
        layout_put32(at, (uint32_t)e->name.len);
        memcpy(at + 4, e->name.at, e->name.len);
        at += 4 + e->name.len;
    }
    if (e->rest.len > 0) memcpy(at, e->rest.at, e->rest.len);
}

/* Takes a length and that many bytes off the front. */
static bool take_counted(slice *from, slice *out)
{
    if (from->len < 4) return false;
    size_t len = layout_get32(from->at);
    if (from->len - 4 < len) return false;
    *out = (slice){ from->at + 4, len };
    *from = (slice){ from->at + 4 + len, from->len - 4 - len };
    return true;
}

status layout_entry_read(layout_entry *out, slice stored, slice bytes, const layout_seal *seal)
{
    if (bytes.len < LAYOUT_ENTRY_HEAD || (unsigned char)bytes.at[16] > LAYOUT_FLOOR)
        return STATUS_CORRUPT;
    *out = (layout_entry){ .name = stored,
                           .number = layout_get64(bytes.at),
                           .kind = (layout_kind)bytes.at[16] };
    uint64_t check = layout_get64(bytes.at + 8);
    bytes = (slice){ bytes.at + LAYOUT_ENTRY_HEAD, bytes.len - LAYOUT_ENTRY_HEAD };
    if (stored.len == LAYOUT_LONG && !take_counted(&bytes, &out->name)) return STATUS_CORRUPT;
    out->rest = bytes;
    return entry_check(out, seal) == check ? STATUS_OK : STATUS_CORRUPT;
}

void layout_blob_write(char at[static LAYOUT_BLOB_REF], const blob_ref *ref)
{
    memcpy(at, ref->hash, BLOB_HASH);
    layout_put32(at + 32, ref->text_bytes);
    layout_put32(at + 36, ref->encoding);
}

status layout_blob_read(blob_ref *out, slice rest)
{
    if (rest.len != LAYOUT_BLOB_REF) return STATUS_CORRUPT;
    memcpy(out->hash, rest.at, BLOB_HASH);
    out->text_bytes = layout_get32(rest.at + 32);
    out->encoding = layout_get32(rest.at + 36);
    return out->encoding <= BLOB_BASE64 ? STATUS_OK : STATUS_CORRUPT;
}

void layout_blob_entry_write(char at[static LAYOUT_BLOB_BYTES], const layout_blob *b)
{
    layout_put64(at, b->place.segment);
    layout_put64(at + 8, b->place.offset);
    layout_put32(at + 16, b->place.stored_bytes);
    layout_put32(at + 20, b->ref.text_bytes);
    layout_put32(at + 24, b->ref.encoding);
    layout_put64(at + 28, b->refs);
    layout_seal seal =
        mixed(check_key, keyed_hash(check_key, (slice){ (const char *)b->ref.hash, BLOB_HASH }));
    layout_put64(at + 36, keyed_hash(seal.key, (slice){ at, 36 }));
}

status layout_blob_entry_read(layout_blob *out, slice hash_bytes, slice bytes)
{
    char again[LAYOUT_BLOB_BYTES];

    if (hash_bytes.len != BLOB_HASH || bytes.len != LAYOUT_BLOB_BYTES) return STATUS_CORRUPT;
    memcpy(out->ref.hash, hash_bytes.at, BLOB_HASH);
    out->place = (blob_place){ .segment = layout_get64(bytes.at),
                               .offset = layout_get64(bytes.at + 8),
                               .stored_bytes = layout_get32(bytes.at + 16) };
    out->ref.text_bytes = layout_get32(bytes.at + 20);
    out->ref.encoding = layout_get32(bytes.at + 24);
    out->refs = layout_get64(bytes.at + 28);
    layout_blob_entry_write(again, out);
    return memcmp(again, bytes.at, sizeof again) == 0 ? STATUS_OK : STATUS_CORRUPT;
}

void layout_segment_write(char at[static LAYOUT_SEGMENT_BYTES], const layout_segment *s)
{
    layout_seal seal = mixed(check_key, s->number);

    layout_put64(at, s->bytes);
    layout_put64(at + 8, s->dead);
    layout_put64(at + 16, keyed_hash(seal.key, (slice){ at, 16 }));
}

status layout_segment_read(layout_segment *out, slice number, slice bytes)
{
    char again[LAYOUT_SEGMENT_BYTES];

    if (number.len != 8 || bytes.len != LAYOUT_SEGMENT_BYTES) return STATUS_CORRUPT;
    *out = (layout_segment){ layout_get64(number.at), layout_get64(bytes.at),
                             layout_get64(bytes.at + 8) };
    layout_segment_write(again, out);
    return memcmp(again, bytes.at, sizeof again) == 0 ? STATUS_OK : STATUS_CORRUPT;
}

/* Positive doubles order as their bits do; of negative ones every bit is
 * turned, and the sign bit of all, so that they come first and backwards. */
static uint64_t ordered_bits(double state)
{
    uint64_t bits = layout_state_number(state);

    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static double bits_ordered(uint64_t bits)
{
    return layout_number_state(bits >> 63 ? bits & ~((uint64_t)1 << 63) : ~bits);
}

/* ---- floors and marks ---- */

void layout_floor_soul_write(char at[static LAYOUT_FLOOR_SOUL], double floor, double when_ms)
{
    layout_put64(at, layout_state_number(floor));
    layout_put64(at + 8, layout_state_number(when_ms));
}

status layout_floor_soul_read(slice rest, double *floor, double *when_ms)
{
    if (rest.len != LAYOUT_FLOOR_SOUL) return STATUS_CORRUPT;
    *floor = layout_number_state(layout_get64(rest.at));
    *when_ms = layout_number_state(layout_get64(rest.at + 8));
    return STATUS_OK;
}

size_t layout_mark_write(char at[static LAYOUT_MARK_MAX], double when_ms, layout_mark_kind kind,
                         slice key)
{
    layout_put64(at, ordered_bits(when_ms));
    at[8] = (char)kind;
    memcpy(at + 9, key.at, key.len);
    return 9 + key.len;
}

status layout_mark_read(slice mark, double *when_ms, layout_mark_kind *kind, slice *key)
{
    if (mark.len <= 9) return STATUS_CORRUPT;
    *when_ms = bits_ordered(layout_get64(mark.at));
    *kind = (layout_mark_kind)mark.at[8];
    *key = (slice){ mark.at + 9, mark.len - 9 };
    return *kind == MARK_ROW || *kind == MARK_SOUL || *kind == MARK_PREFIX ? STATUS_OK
                                                                           : STATUS_CORRUPT;
}

/* ---- what expires ---- */

enum { EXPIRY_DUE = 'd', EXPIRY_SOUL = 's', EXPIRY_HEAD = 16 };

void layout_expiry_due(char at[static LAYOUT_EXPIRY_DUE], double due, uint64_t id)
{
    at[0] = EXPIRY_DUE;
    layout_put64(at + 1, ordered_bits(due));
    layout_put64(at + 9, id);
}

void layout_expiry_soul(char at[static LAYOUT_EXPIRY_SOUL], uint64_t id)
{
    at[0] = EXPIRY_SOUL;
    layout_put64(at + 1, id);
}

status layout_expiry_due_read(slice key, double *due, uint64_t *id)
{
    if (key.len != LAYOUT_EXPIRY_DUE || key.at[0] != EXPIRY_DUE) return STATUS_CORRUPT;
    *due = bits_ordered(layout_get64(key.at + 1));
    *id = layout_get64(key.at + 9);
    return STATUS_OK;
}

status layout_expiry_soul_read(slice key, uint64_t *id)
{
    if (key.len != LAYOUT_EXPIRY_SOUL || key.at[0] != EXPIRY_SOUL) return STATUS_CORRUPT;
    *id = layout_get64(key.at + 1);
    return STATUS_OK;
}

size_t layout_expiry_write(char at[static LAYOUT_EXPIRY_MAX], const layout_expiry *e)
{
    layout_put64(at, ordered_bits(e->due));
    layout_put64(at + 8, ordered_bits(e->next));
    if (e->resume.len > 0) memcpy(at + EXPIRY_HEAD, e->resume.at, e->resume.len);
    return EXPIRY_HEAD + e->resume.len;
}

status layout_expiry_read(layout_expiry *out, slice bytes)
{
    if (bytes.len < EXPIRY_HEAD || bytes.len > LAYOUT_EXPIRY_MAX) return STATUS_CORRUPT;
    *out = (layout_expiry){ .due = bits_ordered(layout_get64(bytes.at)),
                            .next = bits_ordered(layout_get64(bytes.at + 8)),
                            .resume = { bytes.at + EXPIRY_HEAD, bytes.len - EXPIRY_HEAD } };
    return STATUS_OK;
}

/* ---- held writes ---- */

enum { HELD_HEAD = 9 };

size_t layout_held_bytes(const layout_held *h)
{
    size_t value = h->is_blob ? LAYOUT_BLOB_REF : h->value.len;

    return HELD_HEAD + 8 + h->soul.len + h->key.len + value;
}

static uint64_t held_check(slice bytes, double state)
{
    layout_seal seal = mixed(check_key, layout_state_number(state));

    return keyed_hash(seal.key, (slice){ bytes.at + 8, bytes.len - 8 });
}

void layout_held_write(char *to, const layout_held *h)
{
    char *at = to;

    at[8] = h->is_blob ? 1 : 0;
    at += HELD_HEAD;
    layout_put32(at, (uint32_t)h->soul.len);
    memcpy(at + 4, h->soul.at, h->soul.len);
    at += 4 + h->soul.len;
    layout_put32(at, (uint32_t)h->key.len);
    memcpy(at + 4, h->key.at, h->key.len);
    at += 4 + h->key.len;
    if (h->is_blob)
        layout_blob_write(at, &h->blob);
    else if (h->value.len > 0)
        memcpy(at, h->value.at, h->value.len);
    layout_put64(to, held_check((slice){ to, layout_held_bytes(h) }, h->state));
}

void layout_held_key(char out[static LAYOUT_HELD_KEY], double state, slice bytes)
{
    layout_put64(out, ordered_bits(state));
    hash(out + 8, bytes);
}

double layout_held_state(const char key[static LAYOUT_HELD_KEY])
{
    return bits_ordered(layout_get64(key));
}

status layout_held_read(layout_held *out, slice key, slice bytes)
{
    if (key.len != LAYOUT_HELD_KEY || bytes.len < HELD_HEAD) return STATUS_CORRUPT;
    *out = (layout_held){ .state = layout_held_state(key.at), .is_blob = bytes.at[8] == 1 };
    if (layout_get64(bytes.at) != held_check(bytes, out->state)) return STATUS_CORRUPT;
    bytes = (slice){ bytes.at + HELD_HEAD, bytes.len - HELD_HEAD };
    if (!take_counted(&bytes, &out->soul) || !take_counted(&bytes, &out->key))
        return STATUS_CORRUPT;
    if (out->is_blob) return layout_blob_read(&out->blob, bytes);
    out->value = bytes;
    return STATUS_OK;
}
