/* cases-damage.mjs - what was damaged on the disk is never heard. */
import { closeSync, openSync, readFileSync, readdirSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import { assert, chance, until } from '../tools/harness.mjs';
import { put_of, read_node } from '../tools/raw.mjs';
import { ask } from './http.mjs';
import { make_track, nodes_of, noise, publish } from './track.mjs';
import { metric } from './world.mjs';

const seed = Number(process.env.SEED ?? Date.now() % 1e9);
const record_head = 56; /* docs/storage.md: mark, encoding, length, hash, check */
const track = make_track(noise(40, 400_000));

/* Where a chunk's bytes stand: {file, at}, once they are in a blob segment. */
function find_bytes(relay, bytes)
{
    const folder = path.join(relay.data, 'blobs');
    for (const name of readdirSync(folder)) {
        const at = readFileSync(path.join(folder, name)).indexOf(bytes);
        if (at >= 0) return { file: path.join(folder, name), at };
    }
    throw new Error('the chunk is in no blob segment');
}

function flip({ file }, at, bit)
{
    const handle = openSync(file, 'r+');
    const byte = Buffer.alloc(1);
    readSync(handle, byte, 0, 1, at);
    byte[0] ^= 1 << bit;
    writeSync(handle, byte, 0, 1, at);
    closeSync(handle);
}

/* The answers to all that could give bytes of chunk `index`, which is damaged. */
async function judge_damage(relay, index, what)
{
    const from = index * track.chunk, chunk = track.chunks[index];
    const before = await metric(relay, 'audio_bytes_total');
    const whole = await ask(relay, `GET ${track.path}`);
    if (index > 0) assert.ok(await metric(relay, 'audio_bytes_total') - before >= whole.body.length, `${what}: what was sent is counted`);
    if (index === 0) assert.equal(whole.status, 500, what);
    else assert.ok(whole.status === 200 && whole.cut && whole.body.length <= from, `${what}: ${whole.body.length} bytes`);
    if (index > 0) assert.ok(whole.body.equals(track.stored.subarray(0, whole.body.length)), what);
    const inside = await ask(relay, `GET ${track.path}`, { Range: `bytes=${from + 5}-${from + 9}` });
    assert.deepEqual([inside.status, inside.body.toString()], [500, 'what is asked for was damaged\n'], what);
    const beside = await ask(relay, `GET ${track.path}`, { Range: `bytes=${from + track.chunk}-` });
    assert.ok(beside.status === 206 && beside.body.equals(track.stored.subarray(from + track.chunk)), what);
    const alone = await ask(relay, `GET /chunk/${Buffer.from(chunk.hash, 'base64').toString('hex')}`);
    assert.equal(alone.status, 500, what);
}

async function judge_whole(relay, what)
{
    const whole = await ask(relay, `GET ${track.path}`);
    assert.ok(whole.status === 200 && !whole.cut && whole.body.equals(track.stored), what);
}

export function damage_cases(suite, world)
{
    const count = suite.options.long ? 2000 : 100;
    suite.test(`${count} bits flipped in a chunk on the disk, one at a time: each cuts the answer, no wrong byte is sent`, async t => {
        const relay = await world.own_relay(t);
        const random = chance(seed);
        await publish(relay, track);
        await relay.restart('stop');
        for (let i = 0; i < count; i++) {
            const index = i % 4 === 0 ? 0 : 1 + Math.floor(random() * (track.chunks.length - 2));
            const place = find_bytes(relay, track.chunks[index].raw);
            /* Every other in the head of the record, but for its mark, which no read needs. */
            const offset = i % 2 ? Math.floor(random() * track.chunk) : Math.floor(random() * (record_head - 4)) + 4 - record_head;
            const what = `bit ${i % 8} of byte ${offset} of chunk ${index}, SEED=${seed}`;
            flip(place, place.at + offset, i % 8);
            await judge_damage(relay, index, what);
            flip(place, place.at + offset, i % 8);
            await judge_whole(relay, what);
        }
        assert.ok(await metric(relay, 'audio_aborted_total') > 0);
        await until('no stream', async () => await metric(relay, 'audio_streams') === 0);
    }, { seconds: suite.options.long ? 600 : 60 });

    suite.test(`${count} bits flipped in a manifest on the disk, one at a time: it is not served, and is again when whole`, async t => {
        const relay = await world.own_relay(t);
        const random = chance(seed + 1);
        const fine = make_track(noise(41, 400_000), { chunk: 3072 });
        await publish(relay, fine);
        await relay.restart('stop');
        const stored = Buffer.from(JSON.stringify(fine.text));
        const place = find_bytes(relay, stored);
        for (let i = 0; i < count; i++) {
            const offset = Math.floor(random() * stored.length), what = `bit ${i % 8} of byte ${offset}, SEED=${seed}`;
            flip(place, place.at + offset, i % 8);
            await relay.restart('kill');
            for (const where of [fine.path, fine.named, `${fine.path}/have`]) {
                const got = await ask(relay, `GET ${where}`);
                assert.ok([404, 500].includes(got.status), `${what}: ${got.status} ${where}`);
            }
            flip(place, place.at + offset, i % 8);
            const whole = await ask(relay, `GET ${fine.named}`);
            assert.ok(whole.status === 200 && whole.body.equals(fine.stored), what);
        }
    }, { seconds: suite.options.long ? 900 : 120 });

    suite.test(`${count * 5} bits flipped in chunks and manifests on their way: each put is refused, nothing of it kept`, async t => {
        const relay = await world.own_relay(t);
        const raw = await world.raw(t, relay);
        const random = chance(seed + 2);
        const nodes = nodes_of(make_track(noise(42, 2000), { chunk: 768 }));
        for (let i = 0; i < count * 5; i++) {
            const { soul, key, text } = nodes[i % nodes.length];
            const bytes = Buffer.from(text);
            bytes[Math.floor(random() * bytes.length)] ^= 1 << i % 7; /* it stays UTF-8 */
            raw.send(put_of(`f${i}`, soul, { [key]: [bytes.toString(), 1] }));
        }
        await until('an answer to each', () => raw.heard.filter(m => /^f/.test(m['@'])).length === count * 5);
        for (const ack of raw.heard.filter(m => /^f/.test(m['@']))) assert.equal(ack.err, 'Data hash not same as hash!', `SEED=${seed}`);
        for (const { soul } of nodes) assert.deepEqual(await read_node(relay, soul), {});
    });
}
