/* table.mjs - what curl gets of a track, as a table: printed, with what is judged
 * beside it (each body against the slice of the file). */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { print_table } from '../tools/harness.mjs';
import { start_relay } from '../tools/relay.mjs';
import { make_sounds } from './sound.mjs';
import { make_track, publish } from './track.mjs';

const run = promisify(execFile);
const name_of = bytes => createHash('sha256').update(bytes).digest('hex').slice(0, 12);

/* [arguments of curl, first byte, last byte of what has to come; null: nothing] */
function requests(size, etag)
{
    return [
        [[], 0, size - 1],
        [['-r', '0-0'], 0, 0],
        [['-r', '0-99'], 0, 99],
        [['-r', '36863-36864'], 36863, 36864],
        [['-r', '1000000-1999999'], 1000000, 1999999],
        [['-r', `${size - 1}-`], size - 1, size - 1],
        [['-r', '5000000-'], 5000000, size - 1],
        [['-r', '-1000'], size - 1000, size - 1],
        [['-r', `${size - 10}-${size + 10}`], size - 10, size - 1],
        [['-r', `${size}-`], null],
        [['-r', '0-9,20-29'], 0, size - 1],
        [['-r', '0-99', '-H', `If-Range: ${etag}`], 0, 99],
        [['-r', '0-99', '-H', 'If-Range: "another"'], 0, size - 1],
        [['-H', `If-None-Match: ${etag}`], null],
        [['-H', 'If-Match: "another"'], null],
        [['-I', '-r', '0-99'], null],
        [['-C', '5000000'], 5000000, size - 1],
    ];
}

async function try_one(folder, url, track, [args, first, last])
{
    const body = path.join(folder, 'body');
    const out = await run('curl', ['-s', '-o', body, '-w', '%{http_code} %{size_download} %header{content-range}', ...args, url]);
    const [status, bytes, ...range] = out.stdout.trim().split(' ');
    const want = first === null ? null : track.stored.subarray(first, last + 1);
    const got = Number(bytes) === 0 ? null : readFileSync(body);
    rmSync(body, { force: true });
    const right = want === null ? Number(bytes) === 0 : got !== null && name_of(want) === name_of(got);
    const shown = args.map(word => word.replace(track.etag, '"TAG"')).map(word => word.includes(' ') ? `'${word}'` : word).join(' ');
    return { right, row: [`curl ${shown}`.trim(), status, bytes, range.join(' ') || '-', right ? 'as the file' : 'WRONG'] };
}

const relay = await start_relay();
const folder = mkdtempSync(path.join(tmpdir(), 'brasa-table-'));
const sound = (await make_sounds(60)).find(one => one.name === 'wav');
const track = make_track(sound.bytes, { mime: sound.mime });
await publish(relay, track);
const rows = [['', 'status', 'bytes', 'Content-Range', 'body']];
let wrong = 0;
for (const request of requests(track.stored.length, track.etag)) {
    const { right, row } = await try_one(folder, relay.http(track.named), track, request);
    if (!right) wrong++;
    rows.push(row);
}
print_table(rows);
rmSync(folder, { recursive: true });
await relay.close();
process.exit(wrong ? 1 : 0);
