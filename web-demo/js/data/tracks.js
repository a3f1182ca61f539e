/* tracks.js - skeleton: final signatures, being filled in. */

/**
 * A track in the list (all values checked, texts cut; safe to hand to textContent):
 * @typedef {object} Track
 * @property {string} soul      '~pub/tracks/id': its name everywhere (playlists, presence, addresses)
 * @property {string} pub
 * @property {string} id
 * @property {string} title
 * @property {string} artist
 * @property {string} album
 * @property {number} seconds   0 when unknown
 * @property {number} bytes
 * @property {string} mime
 * @property {string} root      64 hex digits
 * @property {string} manifest  hash, base64
 * @property {string} cover     hex for covers.get(), or ''
 * @property {boolean} premium
 * @property {number} at        ms, when it was published
 * @property {boolean} mine
 * @property {Uint8Array|null} peaks   400 peaks 0..255; only from load() and watch()
 * @property {string} genre     likewise
 * @property {string} year      likewise
 * @property {string} note      likewise
 *
 * @returns tracks
 *   tracks.list                          Track[], all of this relay, in no order
 *   tracks.on('change', () => {})        the list changed (gathered: at most some 20 times a second)
 *   tracks.get(soul) -> Track|undefined  of the list
 *   tracks.load(soul) -> Promise<Track|null>   with peaks, genre, year, note
 *   tracks.watch(soul, track => {}) -> off()   likewise, live; null when removed
 *   tracks.publish({title, artist, album, genre, year, note, seconds, bytes, mime, root, manifest, cover, peaks, premium}) -> Promise<soul>
 *   tracks.edit(soul, {title, ...}) -> Promise
 *   tracks.remove(soul) -> Promise
 *   tracks.url(track) -> string          '/audio/<root>?m=...' for <audio>
 *   tracks.isSoul(text) -> boolean
 */
export function openTracks(data) { throw new Error('being written'); }
