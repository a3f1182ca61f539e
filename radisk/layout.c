/* layout.c - see layout.h. */
#include "radisk/layout.h"

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

size_t layout_entry_bytes(const layout_entry *e)
{
    return 8 + (is_long(e->name) ? 4 + e->name.len : 0) + e->rest.len;
}

void layout_entry_write(char *at, const layout_entry *e)
{
    layout_put64(at, e->number);
    at += 8;
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

status layout_entry_read(layout_entry *out, slice stored, slice bytes)
{
    if (bytes.len < 8) return STATUS_CORRUPT;
    out->number = layout_get64(bytes.at);
    out->rest = (slice){ bytes.at + 8, bytes.len - 8 };
    out->name = stored;
    if (stored.len != LAYOUT_LONG) return is_long(stored) ? STATUS_CORRUPT : STATUS_OK;

    if (!take_counted(&out->rest, &out->name)) return STATUS_CORRUPT;
    bool fits = is_long(out->name) && memcmp(out->name.at, stored.at, LAYOUT_WHOLE_MAX) == 0;
    return fits ? STATUS_OK : STATUS_CORRUPT;
}

size_t layout_held_bytes(const layout_held *h)
{
    return 8 + h->soul.len + h->key.len + h->value.len;
}

void layout_held_write(char *at, const layout_held *h)
{
    layout_put32(at, (uint32_t)h->soul.len);
    memcpy(at + 4, h->soul.at, h->soul.len);
    at += 4 + h->soul.len;
    layout_put32(at, (uint32_t)h->key.len);
    memcpy(at + 4, h->key.at, h->key.len);
    memcpy(at + 4 + h->key.len, h->value.at, h->value.len);
}

/* Positive doubles order as their bits do; of negative ones every bit is
 * turned, and the sign bit of all, so that they come first and backwards. */
static uint64_t ordered_bits(double state)
{
    uint64_t bits = layout_state_number(state);

    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

void layout_held_key(char out[static LAYOUT_HELD_KEY], double state, slice bytes)
{
    layout_put64(out, ordered_bits(state));
    hash(out + 8, bytes);
}

double layout_held_state(const char key[static LAYOUT_HELD_KEY])
{
    uint64_t bits = layout_get64(key);

    return layout_number_state(bits >> 63 ? bits & ~((uint64_t)1 << 63) : ~bits);
}

status layout_held_read(layout_held *out, slice key, slice bytes)
{
    if (key.len != LAYOUT_HELD_KEY) return STATUS_CORRUPT;
    out->state = layout_held_state(key.at);
    if (!take_counted(&bytes, &out->soul) || !take_counted(&bytes, &out->key))
        return STATUS_CORRUPT;
    out->value = bytes;
    return STATUS_OK;
}
