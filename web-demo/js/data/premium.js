/* premium.js - skeleton: final signatures, being filled in. */

/**
 * @returns premium
 *   premium.grant(track, pub) -> Promise        my track, for a user; rejects when unknown or not mine
 *   premium.revoke(track, pub) -> Promise       takes the entry away (who has had the key, has it)
 *   premium.granted(track) -> Promise<[pub]>    to whom (without me)
 *   premium.watch(track, key => {}) -> off()    Uint8Array when I may play it all, else null; live
 *   premium.key(track) -> Promise<Uint8Array|null>
 */
export function openPremium(data) { throw new Error('being written'); }
