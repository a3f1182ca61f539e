/* cases-upload-life.mjs - uploads that break off, that are large, that may not be, that
 * find no room; the bitmap that gun.js reads; and the tool that does all this. */
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert, sleep, until } from '../tools/harness.mjs';
import { open_host } from '../tools/gun-client.mjs';
import { put_of, read_node } from '../tools/raw.mjs';
import { Relay } from '../tools/relay.mjs';
import { make_pair, signed } from '../tools/signer.mjs';
import { open_line as open_proxy } from '../tools/throttle.mjs';
import { ask, open_line, request_text } from './http.mjs';
import { hex_of, make_track, nodes_of, noise, put_all } from './track.mjs';
import { memory_of, metric } from './world.mjs';
import { bits_of, build, file_of, have, json_of, put_chunk, put_manifest, scratch, send, server_of, tool, tool_onto } from './uploading.mjs';

const MB = 1024 * 1024;
const tls = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'wire', 'tls');

/* Nine chunks and a bit. */
const plain = noise(60, 340_000);
const song = make_track(plain, { mime: 'audio/wav' });
const half = song.chunks.length >> 1;
const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

/* What a run of `audio put` reports, when it went well. */
async function put_well(words, options)
{
    const run = await tool(['audio', 'put', ...words], options);
    assert.deepEqual([run.status, run.err], [0, ''], run.err);
    return { ...run.said, sent: Number(run.said.sent), there: Number(run.said.there) };
}

async function is_whole(relay, track)
{
    const got = await ask(relay, `GET ${track.path}`);
    assert.equal(got.status, 200);
    assert.ok(!got.cut && got.body.equals(track.stored));
}

function large_cases(suite, world)
{
    suite.test('64 MB go in while the server stays as small as it was', async t => {
        const relay = await world.own_relay(t), bytes = Buffer.alloc(64 * MB);
        for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at);
        await send(relay, 'POST /audio?type=audio/wav', bytes.subarray(0, 100_000));
        const before = memory_of(relay);
        let most = before, busy = true;
        const watching = (async () => { while (busy) { most = Math.max(most, memory_of(relay)); await sleep(20); } })();
        const said = json_of(await send(relay, 'POST /audio?type=audio/wav', bytes));
        busy = false;
        await watching;
        assert.equal(said.sha256, hex_of(bytes));
        assert.equal((await ask(relay, `HEAD /audio/${said.root}`)).headers['content-length'], String(bytes.length));
        assert.ok(most - before < 48 * MB, `${((most - before) / MB).toFixed(1)} MB more`);
    });
}

/* A way to a relay that carries half of a track, so that its upload is not over when a third is there. */
async function half_a_way(t, relay, bytes)
{
    const line = await open_proxy(relay.port, { most: bytes.length / 2 });
    t.after(() => line.close());
    return line;
}

function broken_cases(suite, world)
{
    suite.test('a file that is broken off at half is known to nobody, and may be sent again', async t => {
        const relay = await world.own_relay(t);
        const line = open_line(relay);
        line.send(request_text('POST /audio?type=audio/wav', { 'Content-Length': plain.length }));
        line.send(plain.subarray(0, plain.length >> 1));
        await until('half of it', async () => await metric(relay, 'upload_bytes_total') >= plain.length >> 1);
        line.close();
        await until('the end', async () => await metric(relay, 'uploads_under_way') === 0);
        assert.equal((await ask(relay, `GET ${song.path}`)).status, 404);
        const chunk = Buffer.from(song.chunks[0].hash, 'base64').toString('hex');
        assert.ok((await ask(relay, `GET /chunk/${chunk}`)).body.equals(song.chunks[0].raw), 'what was verified stays');
        assert.equal((await send(relay, 'POST /audio?type=audio/wav', plain)).status, 201);
        await is_whole(relay, song);
    });

    suite.test('killed at half of an upload by HTTP: all that was acknowledged is there, only the rest is sent again', async t => {
        const relay = await world.own_relay(t), file = file_of(t, plain);
        await put_manifest(relay, song);
        for (const i of range(0, half)) assert.equal((await put_chunk(relay, song, i)).status, 201);
        await relay.restart('kill');
        assert.deepEqual(await have(relay, song), range(0, half));
        const said = await put_well([file, ...server_of(relay)]);
        assert.deepEqual([said.root, said.sent, said.there], [song.root, song.chunks.length - half, half]);
        await is_whole(relay, song);
    });

    suite.test('killed at half of an upload by WebSocket: likewise', async t => {
        const relay = await world.own_relay(t), file = file_of(t, plain);
        await put_all(relay, nodes_of(song).slice(0, half));
        await relay.restart('kill');
        const said = await put_well([file, ...server_of(relay)]);
        assert.deepEqual([said.sent, said.there], [song.chunks.length - half, half]);
        await is_whole(relay, song);
    });

    suite.test('killed while the tool sends: run again, it sends what is missing and nothing else', async t => {
        const relay = await world.own_relay(t), large = noise(61, 12_000_000), track = make_track(large, { mime: 'audio/wav' });
        const file = file_of(t, large), words = [file, ...server_of(relay)];
        const first = tool(['audio', 'put', file, ...server_of(await half_a_way(t, relay, large))]);
        await until('a third', async () => await metric(relay, 'uploads_total') > track.chunks.length / 3);
        await relay.kill();
        const broken = await first;
        assert.equal(broken.status, 1);
        await relay.start();
        const there = (await have(relay, track)).length;
        assert.ok(there > 0 && there < track.chunks.length, `${there} of ${track.chunks.length}`);
        const said = await put_well(words);
        assert.deepEqual([said.sent, said.there], [track.chunks.length - there, there]);
        await is_whole(relay, track);
    });

    suite.test('and when the tool is killed', async t => {
        const relay = await world.own_relay(t), large = noise(62, 12_000_000), track = make_track(large, { mime: 'audio/wav' });
        const file = file_of(t, large), words = [file, ...server_of(relay)];
        const line = await half_a_way(t, relay, large);
        let child;
        const first = tool(['audio', 'put', file, ...server_of(line)], { started: one => { child = one; } });
        await until('a third', async () => await metric(relay, 'uploads_total') > track.chunks.length / 3);
        child.kill('SIGKILL');
        await first;
        line.cut(); /* what it holds hides that the tool is gone */
        await until('the last ones to be taken', async () => await metric(relay, 'uploads_under_way') === 0);
        const there = (await have(relay, track)).length;
        assert.ok(there > 0 && there < track.chunks.length, `${there} of ${track.chunks.length}`);
        const said = await put_well(words);
        assert.deepEqual([said.sent, said.there], [track.chunks.length - there, there]);
        await is_whole(relay, track);
    });
}

function room_cases(suite, world)
{
    suite.test('a store that is full says 507, knows nothing half, and goes on when there is room', async t => {
        const relay = await world.own_relay(t, { args: ['--store-size', '24M'] });
        const large = noise(63, 40_000_000), track = make_track(large, { mime: 'audio/wav' });
        await send(relay, 'POST /audio?type=audio/wav', plain);
        const full = await send(relay, 'POST /audio?type=audio/wav', large);
        assert.equal(full.status, 507);
        assert.match(full.body, /^full: /);
        assert.equal((await ask(relay, `GET ${track.path}`)).status, 404);
        await is_whole(relay, song);
        const tried = await tool(['audio', 'put', file_of(t, large), ...server_of(relay)]);
        assert.equal(tried.status, 1);
        assert.match(tried.err, /507 full: /);
        await relay.restart('stop', ['--store-size', '400M']);
        const before = (await have(relay, track).catch(() => [])).length;
        const said = await put_well([file_of(t, large), ...server_of(relay)]);
        assert.deepEqual([said.there, said.sent], [before, track.chunks.length - before]);
        await is_whole(relay, track);
    });

    suite.test('so does a disk, in the middle of a file and of a chunk', async t => {
        const small = ['fold_age_ms=100', 'segment_bytes=1048576', 'changelog_bytes=2097152', 'blob_segment_bytes=2097152'].flatMap(one => ['--limit', one]);
        const relay = new Relay({ args: small });
        t.after(() => relay.close());
        /* For the server only: it takes its environment from ours when it starts. */
        Object.assign(process.env, { LD_PRELOAD: path.join(build, 'tests', 'crash', 'budget.so'), BRASA_DISK: relay.data, BRASA_DISK_BYTES: String(96 * MB) });
        await relay.start().finally(() => {
            for (const name of ['LD_PRELOAD', 'BRASA_DISK', 'BRASA_DISK_BYTES']) delete process.env[name];
        });
        const large = noise(64, 90_000_000), track = make_track(large, { mime: 'audio/wav', chunk: 196608 });
        assert.equal((await send(relay, 'POST /audio?type=audio/wav', plain)).status, 201);
        const refused = await send(relay, 'POST /audio?type=audio/wav', large);
        assert.ok([503, 507].includes(refused.status), `${refused.status} ${refused.body}`);
        assert.equal((await ask(relay, `GET ${track.path}`)).status, 404);
        await is_whole(relay, song);
        assert.equal(relay.alive, true);
        await relay.restart('kill'); /* without the shim: the disk has room again */
        const said = await put_well([file_of(t, large), ...server_of(relay)]);
        assert.equal(said.sent + said.there, track.chunks.length);
        await is_whole(relay, track);
    });

    suite.test('the quota of content hashes ends an upload, but not that of who shows a token', async t => {
        const token = 'a-token-to-write', relay = await world.own_relay(t, { args: ['--limit', 'hash_bytes=300000', '--write', 'signed', '--write-token', token] });
        const over = await send(relay, 'POST /audio', plain);
        assert.equal(over.status, 507);
        assert.match(over.body, /^quota: /);
        assert.equal((await send(relay, 'POST /audio', plain.subarray(0, 100_000))).status, 201);
        assert.equal((await send(relay, 'POST /audio?type=audio/wav', plain, { Authorization: `Bearer ${token}` })).status, 201);
        await is_whole(relay, song);
    });
}

function mode_cases(suite, world)
{
    const token = 'open+sesame%41!';
    const shown = [
        ['a header', '', { Authorization: `Bearer ${token}` }],
        ['the query', `?token=${encodeURIComponent(token)}`, {}],
        ['a cookie', '', { Cookie: `other=1; token=${token}` }],
    ];

    suite.test('signed: a file is taken from anybody, a title only with a token', async t => {
        const relay = await world.own_relay(t, { args: ['--write', 'signed', '--write-token', token] });
        assert.equal((await send(relay, 'POST /audio?name=a.wav', plain)).status, 201);
        assert.equal((await read_node(relay, `tracks/${song.root.slice(0, 12)}`)).title, undefined);
        const refused = await send(relay, 'POST /audio?title=x', plain);
        assert.deepEqual([refused.status, refused.body.slice(0, 7)], [403, 'signed:']);
        assert.equal((await send(relay, 'POST /audio?title=x&type=audio/wav', plain, { Authorization: `Bearer ${token}` })).status, 200);
        assert.equal((await read_node(relay, `tracks/${song.root.slice(0, 12)}`)).title, 'x');
    });

    suite.test('closed: with a token, wherever it is shown; else 401, and 403 where there is none', async t => {
        const relay = await world.own_relay(t, { args: ['--write', 'closed', '--write-token', token] });
        const none = await send(relay, 'POST /audio', plain);
        assert.equal(none.status, 401);
        assert.equal(none.headers['www-authenticate'], 'Bearer');
        const wrong = await send(relay, 'POST /audio', plain, { Authorization: 'Bearer not-the-one' });
        assert.deepEqual([wrong.status, wrong.body], [401, 'token: not known here\n']);
        assert.equal((await put_manifest(relay, song)).status, 401);
        assert.equal((await ask(relay, `GET ${song.path}`)).status, 404);
        for (const [what, query, headers] of shown) {
            const got = await send(relay, `POST /audio${query}`, Buffer.from(what), headers);
            assert.equal(got.status, 201, what);
        }
        const cookie = { Cookie: `token=${token}` }, here = `127.0.0.1:${relay.port}`;
        for (const [origin, status] of [[`http://${here}`, 201], ['https://evil.example', 401], [`https://${here}.evil.example`, 401], ['null', 401]]) {
            const got = await send(relay, 'POST /audio', Buffer.from(`from ${origin}`), { ...cookie, Host: here, Origin: origin });
            assert.equal(got.status, status, origin);
        }
        const said = await put_well([file_of(t, plain), ...server_of(relay), '--token', token]);
        assert.equal(said.sent, song.chunks.length);
        const file = scratch(t)('token');
        writeFileSync(file, `${token}\n`);
        assert.equal((await put_well([file_of(t, plain), ...server_of(relay), '--token', `@${file}`, '--title', 'x'])).there, song.chunks.length);
        const longest = 'x'.repeat(256), wide = await world.own_relay(t, { args: ['--write', 'closed', '--write-token', longest] });
        assert.equal((await put_well([file_of(t, plain), ...server_of(wide), '--token', longest])).sent, song.chunks.length);
        writeFileSync(file, `${longest}\r\n`);
        assert.equal((await put_well([file_of(t, plain), ...server_of(wide), '--token', `@${file}`])).there, song.chunks.length);
        const keyed = await world.own_relay(t, { args: ['--write', 'closed', '--allow', make_pair().pub] });
        assert.equal((await send(keyed, 'POST /audio', plain)).status, 403);
    });

    suite.test('closed: what an allowed key links to, by anybody, and nothing else', async t => {
        const ann = make_pair(), relay = await world.own_relay(t, { args: ['--write', 'closed', '--allow', ann.pub] });
        assert.equal((await put_manifest(relay, song)).status, 403);
        const raw = await world.raw(t, relay), soul = `~${ann.pub}/tracks/x`, state = Date.now() - 1000;
        const ack = await raw.ask(put_of('link', soul, { audio: [signed(ann, soul, 'audio', { '#': `audio/${song.root}#m` }, state), state] }));
        assert.equal(ack.ok, true, JSON.stringify(ack));
        const said = await put_well([file_of(t, plain), ...server_of(relay)]);
        assert.equal(said.sent, song.chunks.length);
        await is_whole(relay, song);
        assert.equal((await send(relay, 'POST /audio', plain)).status, 403);
        assert.equal((await put_manifest(relay, make_track(noise(65, 100), {}))).status, 403);
    });
}

function bitmap_cases(suite, world)
{
    const soul = `brasa/have/${song.root}`;

    suite.test('a gun.js client reads the bitmap, and hears when it changes, a few times and not for each chunk', async t => {
        const relay = await world.own_relay(t);
        await put_manifest(relay, song);
        await put_chunk(relay, song, 3);
        const host = open_host();
        t.after(() => host.close());
        const client = await host.client(relay.url);
        await client.run(({ gun, memory }, of) => {
            memory.bitmaps = [];
            gun.get(of).get('bitmap').on(text => memory.bitmaps.push(text));
        }, soul);
        const heard = () => client.run(({ memory }) => memory.bitmaps);
        await until('the first', async () => (await heard()).length > 0);
        assert.deepEqual(bits_of((await heard())[0]), [3]);
        for (const i of range(0, song.chunks.length)) await put_chunk(relay, song, i);
        await until('all of them', async () => bits_of((await heard()).at(-1)).length === song.chunks.length);
        assert.ok((await heard()).length <= 4, JSON.stringify(await heard()));
        assert.deepEqual(bits_of((await heard()).at(-1)), await have(relay, song));
    });

    suite.test('chunks that gun.js puts are in it, too, and a track that is nowhere yet', async t => {
        const relay = await world.own_relay(t), raw = await world.raw(t, relay);
        assert.equal((await raw.ask({ '#': 'g', get: { '#': soul } })).put, undefined);
        await put_all(relay, [song.manifest_put]);
        await raw.hear('the empty bitmap', m => m.put?.[soul] && bits_of(m.put[soul].bitmap).length === 0);
        await put_all(relay, [song.chunks[1], song.chunks[8]]);
        await raw.hear('two bits', m => m.put?.[soul] && bits_of(m.put[soul].bitmap).join() === '1,8');
    });

    suite.test('nobody writes it, in a put or in an answer; it is kept nowhere and asked of nobody', async t => {
        const relay = await world.own_relay(t);
        const [one, other] = [await world.raw(t, relay), await world.raw(t, relay)];
        for (const where of [soul, 'brasa/', 'brasa/anything']) {
            const ack = await one.ask(put_of(`p${where}`, where, { bitmap: ['AAAA', 5] }));
            assert.match(ack.err, /^reserved: /);
        }
        const both = put_of('both', soul, { bitmap: ['AAAA', 5] });
        Object.assign(both.put, put_of('', 'free', { x: ['y', 5] }).put);
        assert.match((await one.ask(both)).err, /^reserved: /);
        await other.ask({ '#': 'g1', get: { '#': soul } });
        one.send({ ...put_of('a1', soul, { bitmap: ['AAAA', 5] }), '@': 'g1' });
        await one.hear('a word about it', m => String(m.err).startsWith('reserved: ') && (m['@'] === 'a1' || m.dam));
        await one.settle('s1');
        await other.settle('s2');
        assert.equal((await other.ask({ '#': 'g2', get: { '#': soul } })).put, undefined);
        assert.equal((await other.ask({ '#': 'g3', get: { '#': 'free' } })).put, undefined);
        const about = m => m.get?.['#']?.startsWith?.('brasa/') || (m.put && Object.keys(m.put).some(name => name.startsWith('brasa/')));
        assert.deepEqual([...one.heard, ...other.heard].filter(about), []);
        await relay.stop();
        const scan = await tool(['scan', relay.data, 'brasa/']);
        assert.equal(scan.out, '');
    });
}

function tool_cases(suite, world)
{
    suite.test('put and get: the same bytes, and the same names as everybody gives them', async t => {
        const relay = await world.own_relay(t), files = scratch(t);
        writeFileSync(files('my song.wav'), plain);
        const said = await put_well([files('my song.wav'), ...server_of(relay), '--title', 'Mine & yours', '--artist', 'Ö']);
        assert.deepEqual([said.root, said.chunks, said.sent], [song.root, String(song.chunks.length), song.chunks.length]);
        const { title, artist, manifest } = await read_node(relay, said.track);
        assert.deepEqual([title, artist, manifest], ['Mine & yours', 'Ö', said.manifest]);
        assert.equal((await ask(relay, `HEAD ${song.path}`)).headers['content-type'], 'audio/wav');
        const got = await tool(['audio', 'get', song.root, ...server_of(relay)], { to: files('got') });
        assert.deepEqual([got.status, got.err], [0, '']);
        assert.ok(readFileSync(files('got')).equals(plain));
        const named = await tool(['audio', 'get', song.root, ...server_of(relay), '--manifest', said.manifest], { to: files('again') });
        assert.equal(named.status, 0);
        assert.ok(readFileSync(files('again')).equals(plain));
    });

    suite.test('a manifest in parts goes both ways', async t => {
        const relay = await world.own_relay(t), files = scratch(t);
        const large = noise(66, 39_000_000); /* 1,058 chunks */
        writeFileSync(files('f'), large);
        const said = await put_well([files('f'), ...server_of(relay)]);
        assert.equal(said.chunks, '1058');
        const got = await tool(['audio', 'get', said.root, ...server_of(relay)], { to: files('got') });
        assert.deepEqual([got.status, got.err], [0, '']);
        assert.ok((await readFile(files('got'))).equals(large));
    });

    suite.test('get --continue goes on behind what is good in the file, and throws the rest away', async t => {
        const relay = await world.own_relay(t), files = scratch(t);
        await put_well([file_of(t, plain), ...server_of(relay)]);
        for (const [what, bytes] of [['nothing', ''], ['half a chunk', plain.subarray(0, 10_000)], ['three and a bit', plain.subarray(0, 3 * 36864 + 5)],
            ['all', plain], ['more', Buffer.concat([plain, plain])], ['something else', noise(67, 200_000)]]) {
            writeFileSync(files('part'), bytes);
            const before = await metric(relay, 'audio_bytes_total');
            const run = await tool_onto(['audio', 'get', song.root, ...server_of(relay), '--continue'], files('part'));
            assert.deepEqual([run.status, run.err], [0, ''], what);
            assert.ok(readFileSync(files('part')).equals(plain), what);
            if (what === 'three and a bit') assert.equal(await metric(relay, 'audio_bytes_total') - before, plain.length - 3 * 36864);
        }
    });

    suite.test('nothing is written that is not the chunk of its name, whatever a relay says', async t => {
        const { createServer } = await import('node:http');
        const bad = Buffer.from(plain);
        bad[100_000] ^= 1;
        const liar = createServer((request, answer) => {
            const body = request.url.includes('/m') ? Buffer.from(song.text) : bad;
            answer.writeHead(request.url.includes('/m') ? 200 : 206, { 'Content-Length': body.length });
            answer.end(body);
        });
        await new Promise(resolve => liar.listen(0, '127.0.0.1', resolve));
        t.after(() => { liar.closeAllConnections(); liar.close(); });
        const files = scratch(t), at = { port: liar.address().port };
        const run = await tool(['audio', 'get', song.root, ...server_of(at)], { to: files('got') });
        assert.equal(run.status, 1);
        assert.match(run.err, /a chunk from the relay is not the one of its name/);
        assert.ok(readFileSync(files('got')).equals(plain.subarray(0, 2 * 36864)));
        const other = await tool(['audio', 'get', '0'.repeat(64), ...server_of(at)], { to: files('other') });
        assert.equal(other.status, 1);
        assert.match(other.err, /it is of another root/);
        assert.equal(readFileSync(files('other')).length, 0);
    });

    suite.test('what a relay says is shown, and commands the terminal nothing', async t => {
        const { createServer } = await import('node:http');
        const words = 'no \x1b]0;title\x07\x1b[2J \x9b2J \x7f é\n';
        const rude = createServer((request, answer) => { answer.writeHead(500, { 'Content-Length': Buffer.byteLength(words) }); answer.end(words); });
        await new Promise(resolve => rude.listen(0, '127.0.0.1', resolve));
        t.after(() => { rude.closeAllConnections(); rude.close(); });
        const at = { port: rude.address().port }, files = scratch(t);
        for (const run of [await tool(['audio', 'get', song.root, ...server_of(at)], { to: files('got') }),
            await tool(['audio', 'put', file_of(t, plain), ...server_of(at)])]) {
            assert.equal(run.status, 1);
            assert.match(run.err, /500 no \?\]0;title\?\?\[2J \?\?2J \? é/);
            assert.doesNotMatch(run.err, /[\0-\x08\x0b-\x1f\x7f-\x9f]/);
        }
    });

    suite.test('it says what is wrong, and with which status', async t => {
        const relay = await world.own_relay(t), file = file_of(t, plain), empty = file_of(t, ''), to = scratch(t)('out');
        const wide = file_of(t, `${'x'.repeat(257)}\n`);
        const rows = [
            [['put', '/nowhere/x', ...server_of(relay)], 2, /No such file/],
            [['put', empty, ...server_of(relay)], 2, /it is empty/],
            [['put', file, '--server', 'relay.example'], 2, /no address like/],
            [['put', file, '--server', 'http://127.0.0.1:1'], 1, /no connection/],
            [['put', file, ...server_of(relay), '--sha256', '0'.repeat(64)], 1, /its sha256 is another one/],
            [['put', file, ...server_of(relay), '--type', 'x'.repeat(200)], 2, /type too long/],
            [['put', file, ...server_of(relay), '--token', 'a b'], 2, /a token has/],
            [['put', file, ...server_of(relay), '--token', 'x'.repeat(257)], 2, /a token has/],
            [['put', file, ...server_of(relay), '--token', `@${wide}`], 2, /a token has/],
            [['get', 'abc', ...server_of(relay)], 2, /a root is 64 digits/],
            [['get', song.root, ...server_of(relay)], 1, /404 no manifest of this is here/],
            [['get'], 2, /usage: brasa audio get/],
            [['what'], 2, /usage: brasa audio put/],
        ];
        for (const [words, status, says] of rows) {
            const run = await tool(['audio', ...words], { to });
            assert.equal(run.status, status, `${words.join(' ')}: ${run.err}`);
            assert.match(run.err, says);
        }
        assert.equal((await put_well([file, ...server_of(relay), '--sha256', hex_of(plain)])).sent, song.chunks.length);
    });

    suite.test('over https, with a certificate that is believed, and not with another', async t => {
        const relay = await world.own_relay(t, { args: ['--listen', 'wss://127.0.0.1:0', '--tls-cert', path.join(tls, 'first.crt'), '--tls-key', path.join(tls, 'first.key')] });
        const port = /listening https:\/\/127\.0\.0\.1:(\d+)\//.exec(relay.lines.join('\n'))[1];
        const words = ['audio', 'put', file_of(t, plain), '--server', `https://localhost:${port}`];
        const doubted = await tool(words);
        assert.equal(doubted.status, 1);
        assert.match(doubted.err, /certificate/);
        const believed = await tool(words, { env: { SSL_CERT_FILE: path.join(tls, 'first.crt') } });
        assert.equal(believed.status, 0, believed.err);
        await is_whole(relay, song);
    });
}

export function upload_life_cases(suite, world)
{
    large_cases(suite, world);
    broken_cases(suite, world);
    room_cases(suite, world);
    mode_cases(suite, world);
    bitmap_cases(suite, world);
    tool_cases(suite, world);
}
