/* cases-ranges.mjs - random ranges are slices of the file, however it is cut. */
import { execFile } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { assert, chance } from '../tools/harness.mjs';
import { ask } from './http.mjs';
import { make_track, noise, publish } from './track.mjs';

const seed = Number(process.env.SEED ?? Date.now() % 1e9);
const key = noise(92, 32), preview_key = noise(93, 32);

/* Sizes between 1 and the whole, small ones as often as large ones, and often at
 * an edge of chunks. Gives a Range header and what it means. */
function random_range(random, track, bytes)
{
    const whole = n => Math.floor(random() * n);
    const edge = () => Math.min(bytes.length - 1, Math.max(0, whole(track.chunks.length + 1) * track.chunk + whole(3) - 1));
    const first = random() < 0.3 ? edge() : whole(bytes.length);
    const most = bytes.length - first;
    const length = Math.min(most, Math.ceil(most ** random()));
    const kind = random();
    if (kind < 0.1) return [`bytes=${first}-`, first, bytes.length - 1];
    if (kind < 0.2) return [`bytes=-${length}`, bytes.length - length, bytes.length - 1];
    if (kind < 0.25) return [`bytes=${first}-${first + bytes.length}`, first, bytes.length - 1];
    return [`bytes=${first}-${first + length - 1}`, first, first + length - 1];
}

async function try_ranges(relay, track, { path, bytes, count })
{
    const random = chance(seed);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    let left = count;
    const worker = async () => {
        while (left-- > 0) {
            const [range, first, last] = random_range(random, track, bytes);
            const got = await ask(relay, `GET ${path}`, { Range: range }, agent);
            const what = `${range} of ${path}, SEED=${seed}`;
            assert.equal(got.status, 206, what);
            assert.equal(got.headers['content-range'], `bytes ${first}-${last}/${bytes.length}`, what);
            assert.ok(!got.cut && got.body.equals(bytes.subarray(first, last + 1)), what);
        }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
    agent.destroy();
}

const seal = n => ({ key, preview: { n, k: preview_key } });
const tracks = {
    'chunks of 36 KiB': [make_track(noise(20, 3_000_001)), 1],
    'chunks of 192 KiB': [make_track(noise(21, 6_000_002), { chunk: 196608 }), 1],
    'a manifest in parts': [make_track(noise(22, 3_200_003), { chunk: 3072 }), 1],
    'premium bytes': [make_track(noise(23, 2_000_004), { seal: seal(14) }), 0.5],
    'a preview': [make_track(noise(24, 2_000_005), { seal: seal(14) }), 0.5, track => track.plain.subarray(0, 14 * track.span), '/preview'],
};

export function range_cases(suite, world)
{
    const count = suite.options.long ? 10_000 : 1000;
    for (const [what, [track, share, bytes_of = t => t.stored, part = '']] of Object.entries(tracks)) {
        suite.test(`${count * share} random ranges are slices of the file: ${what}`, async () => {
            await publish(world.relay, track);
            await try_ranges(world.relay, track, { path: track.path + part, bytes: bytes_of(track), count: count * share });
        }, { seconds: suite.options.long ? 600 : 60 });
    }

    suite.test('curl gets what the table says (run --table prints it)', async () => {
        const { stdout } = await promisify(execFile)(process.execPath, [path.join(path.dirname(fileURLToPath(import.meta.url)), 'table.mjs')]);
        assert.equal(stdout.match(/as the file$/gm)?.length, 17, stdout);
    });
}
