/* upload.js - skeleton: final signatures, being filled in. */

/**
 * @returns uploads
 *   uploads.via                          'http' (default) or 'gun'; a setting
 *   uploads.jobs                         Job[], oldest first
 *   uploads.on('change', job => {})      gathered; also when the list changed
 *   uploads.on('done', (job, trackSoul) => {})
 *   uploads.add(file, meta, {premium, previewChunks}) -> Job   meta: {title, artist, album, genre, year, seconds, cover (data url), peaks}
 *                                        or a Promise of one (the upload begins meanwhile)
 *   uploads.restore() -> Promise         after a load of the page: unfinished jobs of this user are back and go on
 *   uploads.close()
 * @typedef {object} Job
 *   id, name, size, premium
 *   state      'hashing' 'sending' 'waiting' (no relay: goes on by itself) 'paused' 'publishing' 'done' 'failed' 'cancelled'
 *   share      0..1
 *   sent       chunks sent in this life; known: chunks that were there already; total: chunks
 *   error      text when failed
 *   track      soul when done
 *   pause(), resume(), cancel(), update(meta)
 */
export function openUploads(data) { throw new Error('being written'); }
