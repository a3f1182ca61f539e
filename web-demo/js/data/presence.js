/* presence.js - skeleton: final signatures, being filled in. */

/**
 * @returns presence
 *   presence.list                        [{session, pub, track, playing, mine}] who is here; pub '' for whoever is not signed in
 *   presence.on('change', () => {})
 *   presence.say({track, playing})       what I listen to (track soul or ''); said again every 5 s
 *   presence.start(), presence.stop()    join, leave (also at pagehide)
 */
export function openPresence(data) { throw new Error('being written'); }
