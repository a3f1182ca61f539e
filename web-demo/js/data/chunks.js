/* chunks.js - skeleton: final signatures, being filled in. */

/**
 * @returns chunks
 *   chunks.manifest(track, {via}) -> Promise<manifest>     proved; rejects else
 *   chunks.read(track, {via, key, from, to, signal}) -> AsyncGenerator<Uint8Array>
 *        plain bytes of chunks from..to (indices, `to` not included), in order, each proved. via: 'http' or 'gun'.
 *        Without `key` a premium track gives its preview and ends.
 *   chunks.blob(track, {via, key, signal, heard: (bytes, of) => {}}) -> Promise<Blob>   with the right type
 *   chunks.playable(manifest, key) -> bytes of it that can be had in the clear
 */
export function openChunks(data) { throw new Error('being written'); }
