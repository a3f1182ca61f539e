/* audio_vain.h - what was looked for in vain, so that it is not looked for again at once.
 *
 * Strangers may write whatever they like under a root's name, and whoever asks for the
 * root has all of it read. So of what costs much and gave nothing it is remembered
 *
 *   fruitless  a root under which no manifest was found, for a few seconds
 *   unfit      a manifest that will never be one of this root: a hash names one text, and
 *              that says the same for ever
 *   asked      a root that a write was compared with a moment ago, and by which manifest
 *
 * Tables of fixed size, in which the newer crowds out the older: to forget costs time and
 * nothing else. Pure: the steady clock is handed in.
 */
#ifndef SERVER_AUDIO_VAIN_H
#define SERVER_AUDIO_VAIN_H

#include "core/audio.h"
#include "core/keyed.h"
#include "server/pace.h"

enum { VAIN_ROOTS = 64, VAIN_MANIFESTS = 1024, VAIN_ASKED = 256 };

typedef struct audio_vain {
    uint8_t secret[KEYED_SECRET_BYTES];
    struct {
        uint8_t root[AUDIO_HASH];
        int64_t until_ms; /* 0: none */
    } fruitless[VAIN_ROOTS];
    unsigned fruitless_next;
    struct {
        uint8_t root[AUDIO_HASH], manifest[AUDIO_HASH];
    } unfit[VAIN_MANIFESTS];
    struct {
        uint8_t root[AUDIO_HASH], manifest[AUDIO_HASH];
        int64_t until_ms;
        bool is_known; /* the manifest is one of the root */
    } asked[VAIN_ASKED];
    pace asking;
} audio_vain;

void vain_begin(audio_vain *v, const uint8_t secret[static KEYED_SECRET_BYTES]);

bool vain_is_fruitless(const audio_vain *v, const uint8_t root[static AUDIO_HASH], int64_t now_ms);
void vain_note_fruitless(audio_vain *v, const uint8_t root[static AUDIO_HASH], int64_t now_ms);

bool vain_is_unfit(const audio_vain *v, const uint8_t root[static AUDIO_HASH],
                   const uint8_t manifest[static AUDIO_HASH]);
void vain_note_unfit(audio_vain *v, const uint8_t root[static AUDIO_HASH],
                     const uint8_t manifest[static AUDIO_HASH]);

/* Whether a root may be asked for on behalf of a write: each once a second, and not too
 * many in all. Says yes once. */
bool vain_may_ask(audio_vain *v, const uint8_t root[static AUDIO_HASH], int64_t now_ms);

/* What was found when it was asked for, until the place is taken: NULL, or lent. */
void vain_note_known(audio_vain *v, const uint8_t root[static AUDIO_HASH],
                     const uint8_t manifest[static AUDIO_HASH]);
const uint8_t *vain_known(const audio_vain *v, const uint8_t root[static AUDIO_HASH]);
void vain_forget_asked(audio_vain *v, const uint8_t root[static AUDIO_HASH]);

#endif
