/* cut.js - a file as chunks and a manifest, as docs/audio.md says (Names, Manifest, Premium).
 *
 * Nothing but what is asked for is in memory: a chunk is read, encrypted and encoded when
 * its turn comes, once to be named and once to be sent.
 */
import { base64, hex, joined, sha256, unbase64, utf8 } from './bytes.js';
import { audioType } from './safe.js';

const chunkSmall = 36_864, chunkLarge = 196_608, largeFrom = 64 << 20;
const wholeMax = 64 << 20; /* WebCrypto hashes what is in memory only */
export const partHashes = 1024;

export const chunkKey = (i, hash) => String(i).padStart(6, '0') + '#' + hash;
export const chunkSoul = (root, i) => `audio/${root}#${Math.floor(i / 64)}`;

async function crypt(how, key, i, bytes)
{
    const iv = new Uint8Array(12);
    new DataView(iv.buffer).setUint32(8, i);
    const secret = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, [how]);
    return new Uint8Array(await crypto.subtle[how]({ name: 'AES-GCM', iv, additionalData: utf8('a1:' + i) }, secret, bytes));
}
export const encrypt = (key, i, bytes) => crypt('encrypt', key, i, bytes);
export const decrypt = (key, i, bytes) => crypt('decrypt', key, i, bytes);

/** How a file of `size` bytes is cut. */
export function sizes(size, isPremium)
{
    const chunk = size > largeFrom ? chunkLarge : chunkSmall, span = isPremium ? chunk - 16 : chunk;
    return { chunk, span, n: Math.ceil(size / span) };
}

/** Bytes of chunk i as they are stored. `keys`: {key, preview: {n, key}} or null. */
export async function storedChunk(file, span, keys, i)
{
    const plain = new Uint8Array(await file.slice(i * span, (i + 1) * span).arrayBuffer());
    return keys ? encrypt(i < keys.preview.n ? keys.preview.key : keys.key, i, plain) : plain;
}

/**
 * Names every chunk of a file.
 * @returns {root, manifest, text, parts: [text], n}: the manifest's hash and text, and the texts of its parts
 */
export async function cutFile(file, type, keys, { heard = () => {}, signal } = {})
{
    const { chunk, span, n } = sizes(file.size, Boolean(keys));
    if (n === 0) throw new Error('The file is empty.');
    const hashes = [];
    for (let i = 0; i < n; i++) {
        signal?.throwIfAborted();
        hashes.push(await sha256(base64(await storedChunk(file, span, keys, i))));
        heard(i + 1, n);
    }
    const root = hex(await sha256(joined(hashes))), h = hashes.map(base64);
    const manifest = { v: 1, mime: audioType(type) || 'application/octet-stream', bytes: file.size, chunk, span, n, seg: 64, root };
    if (!keys && file.size <= wholeMax) manifest.sha256 = hex(await sha256(new Uint8Array(await file.arrayBuffer())));
    if (keys) {
        manifest.enc = { alg: 'A256GCM', iv: 'ctr96', aad: 'a1' };
        if (keys.preview.n > 0) manifest.enc.preview = { n: keys.preview.n, k: base64(keys.preview.key) };
    }
    const parts = [];
    if (n <= partHashes) {
        manifest.h = h;
    } else {
        for (let at = 0; at < n; at += partHashes) parts.push(JSON.stringify(h.slice(at, at + partHashes)));
        manifest.parts = await Promise.all(parts.map(async part => base64(await sha256(part))));
    }
    const text = JSON.stringify(manifest);
    return { root, manifest: base64(await sha256(text)), text, parts, n };
}

/** The hashes of a cut file or of a manifest that is proved. */
export function hashesOf(text, parts)
{
    const said = JSON.parse(text);
    return said.h ?? parts.flatMap(part => JSON.parse(part));
}

/** Reads a manifest and believes nothing that can be computed; `fetchPart(hash)` gives the text of a part. */
export async function proveManifest(text, name, root, fetchPart)
{
    const wrong = why => { throw new Error(`The manifest of this track is wrong: ${why}.`); };
    if (typeof text !== 'string' || text.length > 1 << 20) wrong('no text');
    if (base64(await sha256(text)) !== name) wrong('not the text of its hash');
    const said = JSON.parse(text);
    const whole = (value, least, most) => Number.isSafeInteger(value) && value >= least && value <= most;
    if (said === null || typeof said !== 'object' || said.v !== 1) wrong('another version');
    if (!whole(said.bytes, 1, 2 ** 43) || !whole(said.chunk, 3, 786_432) || !whole(said.span, 1, said.chunk)) wrong('its sizes');
    if (said.span !== (said.enc ? said.chunk - 16 : said.chunk) || said.n !== Math.ceil(said.bytes / said.span)) wrong('its sizes');
    let h = said.h;
    if (!h) {
        if (!Array.isArray(said.parts) || said.parts.length > 1000) wrong('no hashes');
        h = [];
        for (const part of said.parts) {
            const list = await fetchPart(part);
            if (base64(await sha256(list)) !== part) wrong('a part is not the text of its hash');
            h.push(...JSON.parse(list));
        }
    }
    if (!Array.isArray(h) || h.length !== said.n) wrong('too few hashes, or too many');
    if (!h.every(hash => typeof hash === 'string' && hash.length === 44)) wrong('a hash that is none');
    if (hex(await sha256(joined(h.map(unbase64)))) !== root || said.root !== root) wrong('not the root of its hashes');
    const preview = said.enc?.preview;
    if (preview && (!whole(preview.n, 0, said.n) || typeof preview.k !== 'string' || preview.k.length !== 44)) wrong('its preview');
    return { ...said, h, seg: 64, mime: audioType(said.mime) };
}
