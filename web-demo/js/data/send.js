/* send.js - the two ways of a cut file to the relay: by HTTP, and by GUN alone.
 *
 * Both send the manifest first, ask which chunks are there already, send the others with
 * some on their way at once, and tell of each chunk that is safe. What they throw is a
 * Refusal when trying again is no use, anything else when it is.
 */
import { base64, unbase64 } from './bytes.js';
import { chunkKey, chunkSoul, hashesOf, storedChunk } from './cut.js';
import { isForNow } from './outbox.js';

const atOnceHttp = 4, atOnceGun = 6;

export class Refusal extends Error {}

/* Runs `work(i)` for every index, some at once; the first failure ends all. */
async function each(indices, atOnce, work)
{
    const rest = indices[Symbol.iterator]();
    let failed = false;
    const worker = async () => {
        for (const i of rest) {
            if (failed) return;
            try {
                await work(i);
            } catch (error) {
                failed = true;
                throw error;
            }
        }
    };
    const workers = await Promise.allSettled(Array.from({ length: atOnce }, worker));
    const broken = workers.find(one => one.status === 'rejected');
    if (broken) throw broken.reason;
}

function missingOf(bitmap, n)
{
    let bits = new Uint8Array(0);
    try {
        bits = unbase64(typeof bitmap === 'string' ? bitmap : '');
    } catch {
        /* no bitmap: all are sent */
    }
    return Array.from({ length: n }, (_, i) => i).filter(i => !(bits[i >> 3] >> (i & 7) & 1));
}

const refusals = {
    401: 'The relay wants a token for uploads.', 403: 'The relay does not take uploads of yours.', 413: 'The file is too large for the relay.',
    422: 'The relay found the bytes to be others than announced.', 507: 'The relay has no room for this.',
};

/** @param job {origin, file, cut: {root, manifest, text, parts, n, span}, keys, signal, known(n), sent(i)} */
export async function sendByHttp({ origin, file, cut, keys, signal, known, sent })
{
    const address = `${origin}/audio/${cut.root}`, m = '?m=' + encodeURIComponent(cut.manifest);
    async function ask(method, where, body)
    {
        const answer = await fetch(address + where, { method, body, signal });
        const said = await answer.text(); /* read to its end, so that the connection is free */
        if (answer.ok) return said;
        const words = said.trim().slice(0, 200);
        if (refusals[answer.status]) throw new Refusal(`${refusals[answer.status]} ${words}`.trim());
        throw new Error(`The relay answered ${answer.status}. ${words}`.trim());
    }
    await ask('PUT', '/m', cut.text);
    for (const part of cut.parts) await ask('PUT', '/m', part);
    const have = JSON.parse(await ask('GET', '/have' + m));
    const missing = missingOf(have.bitmap, cut.n);
    known(cut.n - missing.length);
    await each(missing, atOnceHttp, async i => {
        const bytes = await storedChunk(file, cut.span, keys, i);
        await ask('PUT', `/${i}${m}`, bytes);
        sent(i);
    });
}

/* A chunk or a manifest under its hash. State 1: saying it twice is no news to anybody. */
function putHash(relay, soul, key, value, signal)
{
    return new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const end = error => {
            clearTimeout(late);
            offLost();
            signal.removeEventListener('abort', stop);
            if (error) reject(error); else resolve();
        };
        const late = setTimeout(() => end(new Error('The relay did not answer.')), 15_000);
        const offLost = relay.on('lost', () => end(new Error('The line broke.')));
        const stop = () => end(signal.reason);
        signal.addEventListener('abort', stop);
        relay.stream.get(soul).get(key).put(value, ack => {
            const err = ack.err && String(ack.err);
            if (err && !ack.lack && !isForNow(err)) end(new Refusal(`The relay does not take this: ${err}`));
            else end(err ? new Error(err) : null);
        }, { state: 1 });
    });
}

export async function sendByGun({ relay, file, cut, keys, signal, known, sent })
{
    const { root, manifest, text, parts, n } = cut, hashes = hashesOf(text, parts);
    const manifestSoul = `audio/${root}#m`, haveSoul = 'brasa/have/' + root;
    if (!relay.streams) throw new Error('The relay is away.'); /* a put would go nowhere */
    await putHash(relay, manifestSoul, manifest, text, signal);
    for (let i = 0; i < parts.length; i++) await putHash(relay, manifestSoul, JSON.parse(text).parts[i], parts[i], signal);
    relay.forget(haveSoul); /* what was heard last time is no answer now */
    const missing = missingOf(await relay.read(haveSoul, 'bitmap', { stream: true, ms: 8000 }), n);
    relay.forget(haveSoul);
    known(n - missing.length);

    for (let from = 0; from < n; from += 64) { /* a soul after the other, each let go of */
        await each(missing.filter(i => i >= from && i < from + 64), atOnceGun, async i => {
            const bytes = await storedChunk(file, cut.span, keys, i);
            await putHash(relay, chunkSoul(root, i), chunkKey(i, hashes[i]), base64(bytes), signal);
            sent(i);
        });
        relay.forget(chunkSoul(root, from));
    }
    relay.forget(manifestSoul);
}
