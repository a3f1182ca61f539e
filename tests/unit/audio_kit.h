/* audio_kit.h - what the tests of audio that is collected share: tracks, clocks, passes.
 * What must succeed is asserted here, as in radisk_kit.h.
 */
#ifndef TESTS_UNIT_AUDIO_KIT_H
#define TESTS_UNIT_AUDIO_KIT_H

#include "radisk/check.h"
#include "radisk/space.h"
#include "tests/unit/radisk_kit.h"

#define T    1e12
#define HOUR 3600e3
#define DAY  (24 * HOUR)

#define R1 "11111111111111111111111111111111111111111111111111111111111111aa"
#define R2 "22222222222222222222222222222222222222222222222222222222222222bb"
#define R3 "33333333333333333333333333333333333333333333333333333333333333cc"
#define PUB                                                                                        \
    "0123456789012345678901234567890123456789abc.0123456789012345678901234567890123456789xyz"
#define OTHER                                                                                      \
    "1123456789012345678901234567890123456789abc.0123456789012345678901234567890123456789xyz"
#define LINK(root)        "{\"#\":\"audio/" root "#m\"}"
#define SIGNED(said)      "\"{\\\":\\\":" said ",\\\"~\\\":\\\"c2ln\\\"}\""
#define SIGNED_LINK(root) SIGNED("{\\\"#\\\":\\\"audio/" root "#m\\\"}")

enum { CHUNK_BYTES = 202 }; /* of a chunk's text */

/* The clocks of the store: tests are one thread. */
extern double audio_wall, audio_steady;

int audio_setup(void **state);

/* Each is newer than those before it, and none is from the future. */
void audio_put(kit *k, const char *soul, const char *key, const char *value);

/* Chunks, large enough to be blobs; the text of the i-th is its own. Lent until the next. */
const char *audio_text(int i);
void audio_key(char out[static 64], int i);
void audio_put_chunk(kit *k, const char *root, int i);
void audio_put_track(kit *k, const char *root, int chunks); /* and a manifest */
bool audio_has_chunk(kit *k, const char *root, int i);

void audio_renew(kit *k, const char *root);
void audio_charge(kit *k, const char *root, const char *by);
uint64_t audio_charged(kit *k, const char *by);

/* Lets the folder do all that is to do at a time. */
void audio_work(kit *k, double when_ms);

typedef struct audio_ended {
    bool told;
    status how;
    radisk_gone gone;
    int went;
    uint64_t went_bytes;
} audio_ended;

/* Begins a pass with the grace of the limits (below zero) or this one. */
void audio_begin(kit *k, double grace_ms, bool dry_run, audio_ended *e);
audio_ended audio_pass(kit *k, double grace_ms, bool dry_run);
uint64_t audio_collect(kit *k); /* how many roots went */

bool audio_pin(kit *k, const char *root, bool on); /* whether it was pinned */

/* Closes the store, and has all of it read. */
check_report audio_check(kit *k);

#endif
