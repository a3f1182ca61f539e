/* convention.mjs - the writer and the reader that docs/audio.md prints, shipped as
 * they stand there to a gun client's run(), in a Node process or in a page.
 *
 *   const { id, root, manifest } = await client.run(writer, noise_of(1, 5_000_000), 'audio/mpeg', null);
 *   const { bytes, sha256 } = await client.run(reader, pub, id, null);
 *
 * What is published is noise (track.mjs), made over there, or base64 that is sent there.
 */
import { readFileSync } from 'node:fs';
import { noise_key } from './track.mjs';

const text = readFileSync(new URL('../../docs/audio.md', import.meta.url), 'utf8');

function block(name)
{
    const found = new RegExp(`<!-- ${name} -->\\n\`\`\`js\\n([^]*?)\`\`\``).exec(text);
    if (!found) throw new Error(`docs/audio.md prints no ${name}`);
    return found[1];
}

const common = block('common');

/* The same bytes as noise(): its key, and how many. */
export const noise_of = (seed, count) => ({ key: [...noise_key(seed)], count });

const make_bytes = `
const make_bytes = async source => {
    if (typeof source === 'string') return unbase64(source);
    const key = await crypto.subtle.importKey('raw', new Uint8Array(source.key), 'AES-CTR', false, ['encrypt']);
    return crypto.subtle.encrypt({ name: 'AES-CTR', counter: new Uint8Array(16), length: 64 }, key, new Uint8Array(source.count));
};`;

/* premium: null, or {key, preview: {n, key}} with keys in base64. */
export const writer = `async ({ gun }, source, type, premium) => {
    ${common} ${block('writer')} ${make_bytes}
    const keys = premium && { key: unbase64(premium.key), preview: { n: premium.preview.n, key: unbase64(premium.preview.key) } };
    return publish(new Blob([await make_bytes(source)], { type }), { title: 'noise' }, gun.user(), keys);
}`;

/* Plays all of it. heard: how many chunks came; most: how many texts of chunks the client
 * ever held in its graph. */
export const reader = `async ({ gun }, pub, id, key) => {
    ${common} ${block('reader')}
    const parts = [];
    let most = 0;
    for await (const part of play(pub, id, key && unbase64(key))) {
        parts.push(part);
        const souls = Object.keys(gun._.graph).filter(soul => /^audio.*#\\d+$/.test(soul));
        most = Math.max(most, souls.reduce((sum, soul) => sum + Object.keys(gun._.graph[soul] ?? {}).length - 1, 0));
    }
    const blob = new Blob(parts);
    return { bytes: blob.size, sha256: hex(await sha(await blob.arrayBuffer())), heard: parts.length, most };
}`;

/* The key of a premium track, sold by the client's user to `buyer` {pub, epub}. */
export const seller = `async ({ gun, SEA }, root, buyer, key) => {
    const sold = await SEA.encrypt(key, await SEA.secret(buyer.epub, gun.user()._.sea));
    return new Promise(done => gun.user().get('keys').get(root).get(buyer.pub).put(sold, ack => done(ack.err ?? null)));
}`;

/* What the client's user has bought of `artist` {pub, epub}. */
export const buyer = `async ({ gun, SEA }, artist, root) => {
    ${common}
    const pair = gun.user()._.sea;
    return SEA.decrypt(await get('~' + artist.pub + '/keys/' + root, pair.pub), await SEA.secret(artist.epub, pair));
}`;
