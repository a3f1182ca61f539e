/* quota.c - see quota.h. */
#include "server/quota.h"

#include "radisk/blob.h"
#include "radisk/space.h"
#include "server/session.h"

/* ---- addresses ---- */

/* An address as it is charged: an IPv6 one is its /64. */
static slice name_of(const gate_person *person, char at[static ADDRESS_TEXT_MAX + 4])
{
    address where = gate_where(person);
    char *end;

    address_print(&where, at);
    end = at + strlen(at);
    if (strchr(at, ':') != NULL) end = stpcpy(end, "/64");
    return (slice){ at, (size_t)(end - at) };
}

bool quota_is_over(server *s, const gate_person *person, uint64_t bytes)
{
    uint64_t most = s->options->uploader_bytes;
    char at[ADDRESS_TEXT_MAX + 4];

    return most > 0 && person != NULL &&
           radisk_charged(s->store, name_of(person, at)) + bytes > most;
}

void quota_note(server *s, const gate_person *person, slice soul)
{
    char at[ADDRESS_TEXT_MAX + 4];
    audio_soul where = audio_soul_read(soul);

    if (where.kind == AUDIO_MANIFEST) audio_note_manifest(s->audio, where.root);
    if (person != NULL)
        radisk_charge(s->store, soul, name_of(person, at));
    else
        radisk_renew_soul(s->store, soul);
}

/* ---- keys ---- */

/* What the roots that a row names would add to what its signer has. */
static uint64_t would_add(server *s, const root_names *names)
{
    slice signer = payer_slice(&names->who);
    uint64_t bytes = 0;

    for (size_t i = 0; i < names->count; i++) {
        root_record r;
        if (radisk_root(s->store, &names->roots[i], &r) == STATUS_OK &&
            !slice_equal(payer_slice(&r.charged), signer))
            bytes += r.bytes;
    }
    return bytes;
}

static bool is_key_over(server *s, const graph_write *w)
{
    root_names names;
    slice signer;

    if (w->value.len > BLOB_MIN || root_names_of(w->soul, w->key, w->value, &names) == 0 ||
        names.kind == NAME_OTHER)
        return false;
    signer = payer_slice(&names.who);
    return radisk_charged(s->store, signer) + would_add(s, &names) > s->options->uploader_bytes;
}

/* ---- strangers ---- */

/* Of a root there is one list of hashes, for it is made of them: what is not on it is
 * somebody's junk, which others would answer for. */
static bool is_orphan(server *s, const graph_write *w)
{
    audio_soul soul = audio_soul_read(w->soul);
    uint8_t hash[AUDIO_HASH];
    uint32_t index;

    if (soul.kind != AUDIO_CHUNKS) return false;
    if (!audio_chunk_key_read(w->key, &index, hash)) index = UINT32_MAX;
    return !audio_names(s->audio, soul.root, index, hash, s->now.steady_ms);
}

/* ---- pressure ---- */

enum { PRESSED_MS = 60 * 1000 };
#define PRESSED 0.9

static bool is_pressed(const server *s)
{
    double most = (double)s->options->hash_bytes;

    return radisk_fullness(s->store) > PRESSED ||
           (most > 0 && (double)radisk_hashed_bytes(s->store) > PRESSED * most);
}

void quota_tick(server *s)
{
    radisk_collect all = { .grace_ms = -1 };

    if (s->now.steady_ms < s->pressed_ms || !is_pressed(s)) return;
    s->pressed_ms = s->now.steady_ms + PRESSED_MS;
    (void)!radisk_collect_begin(s->store, &all); /* busy: one is under way */
}

/* ---- the relay ---- */

static const char *refuses(void *context, void *owner, const graph_write *w)
{
    server *s = context;
    root_key root;

    if (s->options->uploader_bytes == 0) return NULL;
    if (w->soul.at[0] == '~')
        return is_key_over(s, w) ? "quota: this key has as much audio here as it may have" : NULL;
    if (!root_of_soul(w->soul, &root)) return NULL;
    if (quota_is_over(s, session_person(owner), w->value.len))
        return "quota: this address has as much audio here as it may have";
    return is_orphan(s, w) ? "quota: no manifest that is here names this chunk" : NULL;
}

static void met(void *context, void *owner, const graph_write *w, bool taken)
{
    server *s = context;

    if (taken)
        quota_note(s, session_person(owner), w->soul);
    else
        radisk_renew_soul(s->store, w->soul);
}

relay_uploads quota_uploads(server *s)
{
    return (relay_uploads){ .refuses = refuses, .met = met, .context = s };
}
