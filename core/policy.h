/* policy.h - what kind of soul this is, told by its name alone.
 *
 * A soul's name decides how long its data is kept and what may be done with it:
 *
 *   kept       the rule: on disk until somebody purges it.
 *   fleeting   memory only: WebRTC rooms ("/RTC/...", as gun's lib/webrtc.js
 *              names them) and the operator's prefixes (default "/live/").
 *              Acknowledged at once, gone after its age.
 *
 *   ours       "brasa/...": what the server itself has to say (relay.h). Nobody else
 *              writes there.
 *
 * Besides, a name may carry "<?N": what is older than N seconds has expired
 * (protocol.md section 10), and a "#": its keys end in the hash of their value
 * and never change, so nobody needs to be told of changes (audio.md section 1).
 */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include "core/slice.h"

#include <stdint.h>

typedef struct policy {
    const slice *fleeting; /* prefixes besides "/RTC/"; borrowed */
    size_t fleeting_count;
} policy;

bool policy_is_fleeting(const policy *p, slice soul);

bool policy_is_ours(slice soul);

/* Whether keys of this soul are content hashes (sea.h). User space is not, even
 * where a "#" stands in it. */
bool policy_is_hashed(slice soul);

/* Milliseconds after which data of this soul has expired; 0 for never. */
double policy_life_ms(slice soul);

/* How long a fleeting soul's data stays in memory, in milliseconds: its "<?N",
 * 60 s without, a day at the most. */
int64_t policy_fleeting_ms(slice soul);

/* Whether a write of this state has expired at `wall_ms`. */
static inline bool policy_expired(double life_ms, double state, double wall_ms)
{
    return life_ms > 0 && state < wall_ms - life_ms;
}

#endif
