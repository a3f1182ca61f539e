/* chunks.js - the bytes of a track, in the clear, each chunk proved.
 *
 * <audio src="/audio/<root>?m=..."> needs nothing of this: the relay serves what is not
 * encrypted, ranges and all. This is for encrypted tracks, which have to be opened here,
 * and for playing over GUN alone (a setting of the page, and the way through any relay).
 *
 *   http   ranges of some chunks of /audio/<root>
 *   gun    each chunk by its exact key, six on their way; a segment is let go of when it
 *          has been read, so that an hour of music does not stay in memory
 */
import { base64, sha256, unbase64 } from './bytes.js';
import { chunkKey, chunkSoul, decrypt, proveManifest } from './cut.js';

const ahead = 6;          /* chunks on their way by GUN */
const rangeChunks = 16;   /* by HTTP in one request: 590 KB */
const blobMax = 256 << 20;

/**
 * @returns chunks
 *   chunks.manifest(track, {via}) -> Promise<manifest>     proved; rejects else
 *   chunks.read(track, {via, key, from, to, signal}) -> AsyncGenerator<Uint8Array>
 *        plain bytes of chunks from..to (indices, `to` not included), in order, each proved. via: 'http' or 'gun'.
 *        Without `key` a premium track gives its preview and ends.
 *   chunks.blob(track, {via, key, signal, heard: (bytes, of) => {}}) -> Promise<Blob>   with the right type
 *   chunks.playable(manifest, key) -> bytes of it that can be had in the clear
 */
export function openChunks({ world, relay })
{
    const address = track => `${world.origin}/audio/${track.root}`;
    const named = track => 'm=' + encodeURIComponent(track.manifest);
    const proved = new Map(); /* manifest's hash -> Promise; the last few */
    const readers = new Map(); /* soul of chunks -> how many read it now by GUN */

    async function byHttp(url, options)
    {
        const answer = await fetch(url, options);
        if (!answer.ok) throw new Error(`The relay answered ${answer.status}.`);
        return answer;
    }

    async function byGun(soul, key, ms)
    {
        const value = await relay.read(soul, key, { stream: true, ms });
        if (typeof value !== 'string') throw new Error(relay.online ? 'A piece of this track is not here.' : 'The relay is away.');
        return value;
    }

    async function fetchManifest(track, via)
    {
        const get = async hash => (via === 'gun' ? byGun(`audio/${track.root}#m`, hash, 15_000)
            : (await byHttp(`${address(track)}/m?m=${encodeURIComponent(hash)}`)).text());
        const manifest = await proveManifest(await get(track.manifest), track.manifest, track.root, get);
        if (via === 'gun') relay.forget(`audio/${track.root}#m`);
        return manifest;
    }

    function manifest(track, { via = 'http' } = {})
    {
        const name = track.root + track.manifest;
        if (!proved.has(name)) {
            const found = fetchManifest(track, via);
            proved.set(name, found);
            found.catch(() => proved.delete(name));
            if (proved.size > 20) proved.delete(proved.keys().next().value);
        }
        return proved.get(name);
    }

    const previewOf = m => m.enc?.preview?.n ?? 0;
    /* How many chunks can be had in the clear. */
    const chunksFor = (m, key) => (m.enc && !key ? previewOf(m) : m.n);
    const playable = (m, key) => Math.min(m.bytes, chunksFor(m, key) * m.span);

    async function open(m, i, bytes, key)
    {
        if (base64(await sha256(base64(bytes))) !== m.h[i]) throw new Error('A piece of this track is not what its name says.');
        return m.enc ? decrypt(i < previewOf(m) ? unbase64(m.enc.preview.k) : key, i, bytes) : bytes;
    }

    async function* readHttp(track, m, key, from, to, signal)
    {
        for (let at = from; at < to; at += rangeChunks) {
            const end = Math.min(to, at + rangeChunks);
            const answer = await byHttp(`${address(track)}?${named(track)}`, { signal, headers: { Range: `bytes=${at * m.chunk}-${end * m.chunk - 1}` } });
            const bytes = new Uint8Array(await answer.arrayBuffer());
            const skipped = answer.status === 206 ? 0 : at * m.chunk; /* a proxy may send all of it */
            for (let i = at; i < end; i++) {
                const first = (i - at) * m.chunk + skipped;
                yield await open(m, i, bytes.subarray(first, first + m.chunk), key);
            }
        }
    }

    /* gun lets go of a soul for all who read it: the last of them does. */
    function hold(soul)
    {
        readers.set(soul, (readers.get(soul) ?? 0) + 1);
        return soul;
    }
    function letGo(soul)
    {
        const left = readers.get(soul) - 1;
        if (left > 0) return readers.set(soul, left);
        readers.delete(soul);
        relay.forget(soul);
    }

    async function* readGun(track, m, key, from, to, signal)
    {
        const coming = [], held = new Set();
        let next = from;
        try {
            for (let i = from; i < to; i++) {
                while (next < to && coming.length < ahead) {
                    const soul = chunkSoul(track.root, next), one = byGun(soul, chunkKey(next, m.h[next]), 20_000);
                    if (!held.has(soul)) held.add(hold(soul));
                    one.catch(() => {});
                    coming.push(one);
                    next++;
                }
                signal?.throwIfAborted();
                yield await open(m, i, unbase64(await coming.shift()), key);
                const soul = chunkSoul(track.root, i);
                if (i % m.seg === m.seg - 1 && held.delete(soul)) letGo(soul);
            }
        } finally {
            await Promise.allSettled(coming);
            held.forEach(letGo);
        }
    }

    async function* read(track, { via = 'http', key = null, from = 0, to = Infinity, signal } = {})
    {
        const m = await manifest(track, { via });
        const end = Math.min(to, chunksFor(m, key));
        yield* (via === 'gun' ? readGun : readHttp)(track, m, key, Math.max(0, from), end, signal);
    }

    async function blob(track, { via = 'http', key = null, signal, heard = () => {} } = {})
    {
        const m = await manifest(track, { via }), of = playable(m, key), pieces = [];
        if (of > blobMax) throw new Error('This track is too long to be held in memory.');
        let bytes = 0;
        for await (const piece of read(track, { via, key, signal })) {
            pieces.push(piece);
            bytes += piece.length;
            heard(bytes, of);
        }
        return new Blob(pieces, { type: m.mime });
    }

    return { manifest, read, blob, playable };
}
