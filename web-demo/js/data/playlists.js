/* playlists.js - skeleton: final signatures, being filled in. */

/**
 * @returns playlists
 *   playlists.list                       [{soul, owner, id, name, mine, canEdit}] of this relay
 *   playlists.on('change', () => {})
 *   playlists.create(name) -> Promise<soul>     '~pub/playlists/id'
 *   playlists.remove(soul) -> Promise           mine only
 *   playlists.open(soul) -> playlist, live until playlist.close()
 *     playlist.soul, owner, id, mine, canEdit, name
 *     playlist.items                     [{id, track, at, by}] in order; `track` is a track's soul
 *     playlist.editors                   [pub] besides the owner
 *     playlist.on('change', () => {})
 *     playlist.rename(name) -> Promise
 *     playlist.add(trackSoul, index = end) -> Promise<item id>
 *     playlist.move(itemId, index) -> Promise     index in the list without it
 *     playlist.take(itemId) -> Promise            removes it
 *     playlist.share(pub) -> Promise              mine only
 *     playlist.unshare(pub) -> Promise
 *     playlist.close()
 *   playlists.isSoul(text) -> boolean
 */
export function openPlaylists(data) { throw new Error('being written'); }
