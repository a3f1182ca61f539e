/* audio_vain.c - see audio_vain.h. */
#include "server/audio_vain.h"

#include <string.h>

enum { FRUITLESS_MS = 5000, ASKED_MS = 1000 };

/* Of a write: a search costs up to a millisecond. */
static const pace_rule asking_rule = { .rate = 100, .burst = 100 };

void vain_begin(audio_vain *v, const uint8_t secret[static KEYED_SECRET_BYTES])
{
    *v = (audio_vain){ .asking = pace_new(&asking_rule, 0) };
    memcpy(v->secret, secret, sizeof v->secret);
}

static size_t place_of(const audio_vain *v, const uint8_t hash[static AUDIO_HASH])
{
    return keyed_hash(v->secret, (slice){ (const char *)hash, AUDIO_HASH });
}

bool vain_is_fruitless(const audio_vain *v, const uint8_t root[static AUDIO_HASH], int64_t now_ms)
{
    for (size_t i = 0; i < VAIN_ROOTS; i++)
        if (v->fruitless[i].until_ms > now_ms &&
            memcmp(v->fruitless[i].root, root, AUDIO_HASH) == 0)
            return true;
    return false;
}

void vain_note_fruitless(audio_vain *v, const uint8_t root[static AUDIO_HASH], int64_t now_ms)
{
    size_t at = v->fruitless_next++ % VAIN_ROOTS;

    memcpy(v->fruitless[at].root, root, AUDIO_HASH);
    v->fruitless[at].until_ms = now_ms + FRUITLESS_MS;
}

bool vain_is_unfit(const audio_vain *v, const uint8_t root[static AUDIO_HASH],
                   const uint8_t manifest[static AUDIO_HASH])
{
    size_t at = place_of(v, manifest) % VAIN_MANIFESTS;

    return memcmp(v->unfit[at].manifest, manifest, AUDIO_HASH) == 0 &&
           memcmp(v->unfit[at].root, root, AUDIO_HASH) == 0;
}

void vain_note_unfit(audio_vain *v, const uint8_t root[static AUDIO_HASH],
                     const uint8_t manifest[static AUDIO_HASH])
{
    size_t at = place_of(v, manifest) % VAIN_MANIFESTS;

    memcpy(v->unfit[at].root, root, AUDIO_HASH);
    memcpy(v->unfit[at].manifest, manifest, AUDIO_HASH);
}

bool vain_may_ask(audio_vain *v, const uint8_t root[static AUDIO_HASH], int64_t now_ms)
{
    size_t at = place_of(v, root) % VAIN_ASKED;

    if (v->asked[at].until_ms > now_ms && memcmp(v->asked[at].root, root, AUDIO_HASH) == 0)
        return false;
    if (!pace_open(&v->asking, &asking_rule, now_ms)) return false;
    pace_take(&v->asking, &asking_rule, 1, now_ms);
    memcpy(v->asked[at].root, root, AUDIO_HASH);
    v->asked[at].is_known = false;
    v->asked[at].until_ms = now_ms + ASKED_MS;
    return true;
}

void vain_note_known(audio_vain *v, const uint8_t root[static AUDIO_HASH],
                     const uint8_t manifest[static AUDIO_HASH])
{
    size_t at = place_of(v, root) % VAIN_ASKED;

    if (memcmp(v->asked[at].root, root, AUDIO_HASH) != 0) return;
    memcpy(v->asked[at].manifest, manifest, AUDIO_HASH);
    v->asked[at].is_known = true;
}

const uint8_t *vain_known(const audio_vain *v, const uint8_t root[static AUDIO_HASH])
{
    size_t at = place_of(v, root) % VAIN_ASKED;
    bool is_it = v->asked[at].is_known && memcmp(v->asked[at].root, root, AUDIO_HASH) == 0;

    return is_it ? v->asked[at].manifest : NULL;
}

void vain_forget_asked(audio_vain *v, const uint8_t root[static AUDIO_HASH])
{
    v->asked[place_of(v, root) % VAIN_ASKED].until_ms = 0;
}
