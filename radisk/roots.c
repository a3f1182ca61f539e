/* roots.c - see roots.h. */
#include "radisk/roots.h"

#include "core/audio.h"
#include "core/keyed.h"
#include "core/policy.h"
#include "core/sea.h"
#include "radisk/layout.h"

static const slice lead = { "audio/", sizeof "audio/" - 1 };
static const slice staged = { "upload-", sizeof "upload-" - 1 };

_Static_assert((int)ROOT_BYTES == (int)AUDIO_HASH, "a root is a hash");
_Static_assert((int)ROOT_DIGITS == (int)AUDIO_ROOT, "in hexadecimal");

/* ---- names ---- */

bool root_read(slice digits, root_key *out)
{
    out->len = ROOT_BYTES;
    return digits.len == ROOT_DIGITS && audio_root_read(digits, (uint8_t *)out->at);
}

static bool read_staged(slice name, root_key *out)
{
    enum { DIGITS = 16 };

    if (name.len != staged.len + DIGITS || !slice_begins(name, staged)) return false;
    for (size_t i = staged.len; i < name.len; i++)
        if (strchr("0123456789abcdef", name.at[i]) == NULL) return false;
    memcpy(out->at, name.at, name.len);
    out->len = (uint8_t)name.len;
    return true;
}

bool root_of_soul(slice soul, root_key *out)
{
    const char *end;
    slice name;

    if (!slice_begins(soul, lead)) return false;
    name = (slice){ soul.at + lead.len, soul.len - lead.len };
    end = name.len > 0 ? memchr(name.at, '#', name.len) : NULL;
    if (end == NULL) return false;
    name.len = (size_t)(end - name.at);
    return (root_read(name, out) || read_staged(name, out)) && policy_is_hashed(soul);
}

size_t root_prefix(const root_key *k, char out[static ROOT_PREFIX_MAX])
{
    size_t len = lead.len;

    memcpy(out, lead.at, lead.len);
    if (k->len == ROOT_BYTES) {
        audio_hex((const uint8_t *)k->at, out + len);
        len += ROOT_DIGITS;
    } else {
        memcpy(out + len, k->at, k->len);
        len += k->len;
    }
    out[len] = '#';
    return len + 1;
}

void payer_set(payer *out, slice name)
{
    *out = (payer){ 0 };
    if (name.len > PAYER_MAX) return;
    if (name.len > 0) memcpy(out->at, name.at, name.len);
    out->len = (uint8_t)name.len;
}

/* ---- entries ---- */

/* Fixed and public: against damage, not against malice. */
static const uint8_t check_key[KEYED_SECRET_BYTES] = "brasa roots chk";

static uint64_t check_of(slice key, slice rest)
{
    uint8_t mixed[KEYED_SECRET_BYTES];
    uint64_t over = keyed_hash(check_key, key);

    memcpy(mixed, check_key, sizeof mixed);
    for (int i = 0; i < 8; i++) mixed[i] ^= (uint8_t)(over >> (8 * i));
    return keyed_hash(mixed, rest);
}

static bool is_whole(slice key, slice bytes)
{
    return bytes.len >= 8 &&
           layout_get64(bytes.at) == check_of(key, (slice){ bytes.at + 8, bytes.len - 8 });
}

static size_t write_payer(char *at, const payer *w)
{
    at[0] = (char)w->len;
    memcpy(at + 1, w->at, w->len);
    return 1 + (size_t)w->len;
}

static bool read_payer(slice *from, payer *out)
{
    size_t len = from->len > 0 ? (unsigned char)from->at[0] : SIZE_MAX;

    if (len > PAYER_MAX || from->len < 1 + len) return false;
    payer_set(out, (slice){ from->at + 1, len });
    *from = (slice){ from->at + 1 + len, from->len - 1 - len };
    return true;
}

size_t root_record_write(char at[static ROOT_RECORD_MAX], slice key, const root_record *r)
{
    size_t len = 32;

    layout_put64(at + 8, r->rows);
    layout_put64(at + 16, r->bytes);
    layout_put64(at + 24, layout_state_number(r->seen_ms));
    len += write_payer(at + len, &r->uploader);
    len += write_payer(at + len, &r->charged);
    layout_put64(at, check_of(key, (slice){ at + 8, len - 8 }));
    return len;
}

status root_record_read(root_record *out, slice key, slice bytes)
{
    slice rest = { bytes.at + 32, bytes.len - 32 };

    if (bytes.len < 34 || !is_whole(key, bytes)) return STATUS_CORRUPT;
    out->rows = layout_get64(bytes.at + 8);
    out->bytes = layout_get64(bytes.at + 16);
    out->seen_ms = layout_number_state(layout_get64(bytes.at + 24));
    return read_payer(&rest, &out->uploader) && read_payer(&rest, &out->charged) && rest.len == 0
               ? STATUS_OK
               : STATUS_CORRUPT;
}

void root_number_write(char at[static ROOT_NUMBER_BYTES], slice key, uint64_t number)
{
    layout_put64(at + 8, number);
    layout_put64(at, check_of(key, (slice){ at + 8, 8 }));
}

status root_number_read(uint64_t *out, slice key, slice bytes)
{
    if (bytes.len != ROOT_NUMBER_BYTES || !is_whole(key, bytes)) return STATUS_CORRUPT;
    *out = layout_get64(bytes.at + 8);
    return STATUS_OK;
}

size_t name_key_write(char at[static NAME_KEY_MAX], const root_key *root, name_kind kind, slice by)
{
    memcpy(at, root->at, ROOT_BYTES);
    at[ROOT_BYTES] = (char)kind;
    if (by.len > 0) memcpy(at + ROOT_BYTES + 1, by.at, by.len);
    return ROOT_BYTES + 1 + by.len;
}

status name_key_read(slice key, root_key *root, name_kind *kind, slice *by)
{
    if (key.len <= ROOT_BYTES || key.len > NAME_KEY_MAX) return STATUS_CORRUPT;
    memcpy(root->at, key.at, ROOT_BYTES);
    root->len = ROOT_BYTES;
    *kind = (name_kind)key.at[ROOT_BYTES];
    *by = (slice){ key.at + ROOT_BYTES + 1, key.len - ROOT_BYTES - 1 };
    return *kind == NAME_PIN || *kind == NAME_SIGNED || *kind == NAME_OTHER ? STATUS_OK
                                                                            : STATUS_CORRUPT;
}

/* ---- what a row names ---- */

/* "~P" at the beginning of a soul of P's space; empty for any other soul. */
static slice owner_of(slice soul)
{
    slice x, y;

    if (soul.len == 0 || soul.at[0] != '~' || sea_kind_of(soul, &x, &y) != SEA_USER)
        return (slice){ "", 0 };
    /* The two pieces stand in the name, with a dot between. */
    if (x.at != soul.at + 1 || y.at != x.at + x.len + 1) return (slice){ "", 0 };
    slice owner = { soul.at, (size_t)(y.at - soul.at) + y.len };
    return owner.len <= PAYER_MAX ? owner : (slice){ "", 0 };
}

static bool says_true(slice value)
{
    arena a = arena_make((size_t)1 << 20);
    slice said;
    bool yes = sea_unpack(value, &a, &said) == STATUS_OK && slice_equal(said, SLICE("true"));

    arena_free(&a);
    return yes;
}

static bool is_pin(slice soul, slice owner, slice key, slice value, root_key *out)
{
    slice rest = { soul.at + owner.len, soul.len - owner.len };

    return slice_equal(rest, SLICE("/pins")) && root_read(key, out) && says_true(value);
}

/* Whether a link stands here: `at` is behind its first quote. In a signed value, which
 * is JSON within a string, the quote at its end has a backslash before it. */
static bool is_link(slice at, root_key *out)
{
    enum { LINK = sizeof "audio/#m" - 1 + ROOT_DIGITS };
    const char *behind = at.at + lead.len + ROOT_DIGITS;

    return at.len > LINK && slice_begins(at, lead) && behind[0] == '#' && behind[1] == 'm' &&
           (behind[2] == '"' || behind[2] == '\\') &&
           root_read((slice){ at.at + lead.len, ROOT_DIGITS }, out);
}

static void find_links(slice value, root_names *out)
{
    slice rest = value;

    while (out->count < ROOT_NAMES_MAX && rest.len > lead.len) {
        const char *at = memmem(rest.at, rest.len, lead.at, lead.len);
        if (at == NULL) return;
        size_t skipped = (size_t)(at - rest.at);
        rest = (slice){ at, rest.len - skipped };
        if (at > value.at && at[-1] == '"' && is_link(rest, &out->roots[out->count])) out->count++;
        rest = (slice){ rest.at + lead.len, rest.len - lead.len };
    }
}

size_t root_names_of(slice soul, slice key, slice value, root_names *out)
{
    root_key own;
    slice owner;

    out->count = 0;
    if (value.len == 0) return 0;
    if (key.len != ROOT_DIGITS && memmem(value.at, value.len, lead.at, lead.len) == NULL) return 0;
    if (root_of_soul(soul, &own)) return 0;
    owner = owner_of(soul);
    payer_set(&out->who, owner);
    out->kind = owner.len > 0 ? NAME_SIGNED : NAME_OTHER;
    if (owner.len > 0 && is_pin(soul, owner, key, value, &out->roots[0])) {
        out->kind = NAME_PIN;
        return out->count = 1;
    }
    find_links(value, out);
    return out->count;
}
