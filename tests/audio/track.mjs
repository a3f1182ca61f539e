/* track.mjs - audio objects as the convention has them (docs/audio.md), made here
 * from its text alone, and put into a relay by raw frames.
 *
 *   const track = make_track(noise(1, 100_000), { mime: 'audio/mpeg' });
 *   await publish(relay, track);
 *   track.path                  /audio/<root>
 *   track.named                 the same with ?m=<manifest>
 *   track.stored                the bytes that GET /audio/<root> has to answer with
 *
 * `seal` {key, preview} encrypts as premium tracks are: the first `preview.n` chunks
 * with `preview.k`, which stands in the manifest, the others with `key`.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { open_raw, put_of } from '../tools/raw.mjs';

const hash_of = data => createHash('sha256').update(data).digest();
export const hex_of = data => hash_of(data).toString('hex');
const base64_of = data => hash_of(data).toString('base64');

/* Bytes that no compression and no guess makes smaller, the same for each seed. */
export const noise_key = seed => hash_of(`noise ${seed}`).subarray(0, 16);
export function noise(seed, count)
{
    return createCipheriv('aes-128-ctr', noise_key(seed), Buffer.alloc(16)).update(Buffer.alloc(count));
}

function seal_chunk(seal, index, plain)
{
    const iv = Buffer.alloc(12);
    iv.writeUInt32BE(index, 8);
    const cipher = createCipheriv('aes-256-gcm', index < (seal.preview?.n ?? 0) ? seal.preview.k : seal.key, iv);
    cipher.setAAD(Buffer.from(`a1:${index}`));
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function* cut(bytes, size)
{
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/* In `h`, or in parts of 1,024. */
function list_hashes(hashes, soul)
{
    if (hashes.length <= 1024) return { fields: { h: hashes }, parts: [] };
    const parts = [];
    for (let at = 0; at < hashes.length; at += 1024) {
        const text = JSON.stringify(hashes.slice(at, at + 1024));
        parts.push({ soul, key: base64_of(text), text });
    }
    return { fields: { parts: parts.map(part => part.key) }, parts };
}

function make_chunk(root, index, raw, hash)
{
    const text = raw.toString('base64');
    return { soul: `audio/${root}#${Math.floor(index / 64)}`, key: `${String(index).padStart(6, '0')}#${hash}`, text, raw, hash };
}

function seal_fields(seal)
{
    if (!seal) return {};
    const preview = seal.preview ? { preview: { n: seal.preview.n, k: seal.preview.k.toString('base64') } } : {};
    return { enc: { alg: 'A256GCM', iv: 'ctr96', aad: 'a1', ...preview } };
}

/* `more` are fields of the manifest besides, or others than they should be. */
export function make_track(plain, { mime = 'audio/mpeg', chunk = 36864, seal = null, more = {} } = {})
{
    const span = seal ? chunk - 16 : chunk;
    const raws = [...cut(plain, span)].map((part, i) => seal ? seal_chunk(seal, i, part) : part);
    const hashes = raws.map(raw => base64_of(raw.toString('base64')));
    const root = hex_of(Buffer.concat(hashes.map(hash => Buffer.from(hash, 'base64'))));
    const soul = `audio/${root}#m`;
    const { fields, parts } = list_hashes(hashes, soul);
    const text = JSON.stringify({ v: 1, mime, bytes: plain.length, chunk, span, n: raws.length, seg: 64, root,
        sha256: hex_of(plain), ...fields, ...seal_fields(seal), ...more });
    const manifest = base64_of(text);
    const url_hash = Buffer.from(manifest, 'base64').toString('base64url');
    return {
        plain, stored: Buffer.concat(raws), mime, chunk, span, root, text, manifest, url_hash, parts,
        chunks: raws.map((raw, i) => make_chunk(root, i, raw, hashes[i])),
        manifest_put: { soul, key: manifest, text },
        path: `/audio/${root}`, named: `/audio/${root}?m=${url_hash}`, etag: `"${root}-${url_hash}"`,
    };
}

/* Another manifest over the chunks of a track. */
export function retell(track, fields)
{
    const text = JSON.stringify({ ...JSON.parse(track.text), ...fields });
    const manifest = base64_of(text);
    const url_hash = Buffer.from(manifest, 'base64').toString('base64url');
    return { ...track, text, manifest, url_hash, manifest_put: { ...track.manifest_put, key: manifest, text },
        named: `/audio/${track.root}?m=${url_hash}`, etag: `"${track.root}-${url_hash}"` };
}

/* Puts {soul, key, text} nodes, sixteen at a time; throws when one is refused. */
export async function put_all(relay, nodes)
{
    const raw = await open_raw(relay.ws_url);
    const owed = new Map();
    raw.socket.on('message', bytes => {
        for (const ack of [JSON.parse(bytes)].flat()) owed.get(ack['@'])?.(ack);
    });
    const put = (id, node) => new Promise(resolve => {
        owed.set(id, resolve);
        raw.send(put_of(id, node.soul, { [node.key]: [node.text, 1] }));
    });
    let next = 0;
    const worker = async () => {
        for (let i; (i = next++) < nodes.length;) {
            const ack = await put(`p${i}`, nodes[i]);
            if (!ack.ok) throw new Error(`${nodes[i].soul} ${nodes[i].key}: ${JSON.stringify(ack)}`);
        }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
    await raw.close();
}

export const nodes_of = track => [...track.chunks, ...track.parts, track.manifest_put];

export async function publish(relay, ...tracks)
{
    await put_all(relay, tracks.flatMap(nodes_of));
}
