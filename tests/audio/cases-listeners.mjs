/* cases-listeners.mjs - connections as they are in life: kept, pipelined, slow, gone. */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert, sleep, until } from '../tools/harness.mjs';
import { ask, open_line, open_tls_line, request_text } from './http.mjs';
import { make_track, noise, publish } from './track.mjs';
import { memory_of, metric, premium, song } from './world.mjs';

const MB = 1024 * 1024;
const long_song = make_track(noise(30, 24 * MB), { chunk: 196608 });

const whole = async (relay, track) => {
    const got = await ask(relay, `GET ${track.path}`);
    assert.ok(got.status === 200 && !got.cut && got.body.equals(track.stored));
};

/* Asks for all of it, and what is `behind` it, and reads nothing. */
function open_sleeper(relay, track, behind = '', line = open_line(relay))
{
    line.socket.pause();
    line.send(request_text(`GET ${track.path}`) + behind);
    return line;
}

/* Seconds of a processor that a relay has used. */
function cpu_of(relay)
{
    const fields = readFileSync(`/proc/${relay.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function with_long_song(world, t, options)
{
    const relay = await world.own_relay(t, options);
    await publish(relay, long_song);
    return relay;
}

function kept_cases(suite, world)
{
    const asked = [
        [`GET ${song.path}`, {}, 200, song.stored],
        [`HEAD ${song.path}`, {}, 200, Buffer.alloc(0)],
        [`GET ${song.path}`, { Range: 'bytes=10-40000' }, 206, song.stored.subarray(10, 40001)],
        [`GET ${song.path}`, { 'If-None-Match': song.etag }, 304, Buffer.alloc(0)],
        [`GET ${song.path}`, { Range: 'bytes=100000-' }, 416, Buffer.alloc(0)],
        [`GET ${premium.path}/preview`, { Range: 'bytes=0-4' }, 206, premium.plain.subarray(0, 5)],
        [`GET ${song.path}`, { 'If-Match': '"x"' }, 412, Buffer.alloc(0)],
        [`OPTIONS ${song.path}`, {}, 204, Buffer.alloc(0)],
        [`GET /audio/${'1'.repeat(64)}`, {}, 404, Buffer.from('no manifest of this is here\n')],
        [`GET /chunk/${Buffer.from(song.chunks[2].hash, 'base64').toString('hex')}`, {}, 200, song.chunks[2].raw],
    ];

    suite.test('a hundred requests of every kind on one connection, one after the other', async () => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        let sockets = 0;
        agent.on('free', () => {});
        const create = agent.createConnection;
        agent.createConnection = (...args) => { sockets++; return create.apply(agent, args); };
        for (let i = 0; i < 100; i++) {
            const [line, headers, status, body] = asked[i % asked.length];
            const got = await ask(world.relay, line, headers, agent);
            assert.equal(got.status, status, line);
            assert.ok(got.body.equals(body), line);
        }
        assert.equal(sockets, 1);
        agent.destroy();
    });

    suite.test('a hundred requests of every kind sent at once on one connection are answered in their order', async () => {
        const line = open_line(world.relay);
        const all = Array.from({ length: 100 }, (_, i) => asked[i * 7 % asked.length]);
        line.send(all.map(([what, headers]) => request_text(what, headers)).join(''));
        const got = await line.answers(all.map(([what]) => what.split(' ')[0]));
        line.close();
        assert.deepEqual(got.map(one => one.status), all.map(([, , status]) => status));
        got.forEach((one, i) => assert.ok(one.body.equals(all[i][3]), all[i][0]));
    });

    suite.test('a request that comes in pieces while another is answered is answered next', async t => {
        const relay = await with_long_song(world, t);
        const line = open_line(relay);
        const second = request_text(`GET ${long_song.path}`, { Range: 'bytes=5-14' });
        line.send(request_text(`GET ${long_song.path}`) + second.slice(0, 30));
        await until('a megabyte', () => line.length > MB);
        line.send(second.slice(30));
        const [one, two] = await line.answers(['GET', 'GET']);
        line.close();
        assert.ok(one.body.equals(long_song.stored));
        assert.equal(two.body.toString('hex'), long_song.stored.subarray(5, 15).toString('hex'));
    });

    suite.test('who has hung up its sending half and reads on gets all of it', async t => {
        /* what this reads with may itself pause, on a loaded machine */
        const relay = await with_long_song(world, t, { args: ['--limit', 'audio_pause_ms=60000'] });
        const socket = net.connect({ port: relay.port, host: '127.0.0.1', allowHalfOpen: true });
        t.after(() => socket.destroy());
        let got = 0;
        socket.on('data', part => { got += part.length; });
        socket.end(request_text(`GET ${long_song.path}`));
        await until('all of it', () => got > long_song.stored.length);
    });
}

function crowd_cases(suite, world)
{
    suite.test('sixty listeners at a time all get all of it', async t => {
        const relay = await world.own_relay(t);
        const track = make_track(noise(31, 3 * MB));
        await publish(relay, track);
        await Promise.all(Array.from({ length: 60 }, () => whole(relay, track)));
        assert.equal(await metric(relay, 'audio_streams'), 0);
    });

    suite.test('forty who ask and do not read cost next to nothing, and nobody else waits for them', async t => {
        const relay = await with_long_song(world, t);
        await whole(relay, long_song);
        const before = memory_of(relay);
        const sleepers = Array.from({ length: 40 }, () => open_sleeper(relay, long_song));
        t.after(() => sleepers.forEach(line => line.close()));
        await until('forty streams', async () => await metric(relay, 'audio_streams') === 40);
        for (let i = 0; i < 3; i++) await whole(relay, long_song);
        /* A chunk and what libwebsockets holds of a write, 200 and 64 KB, by forty; all
         * of what they asked for would be 960 MB. */
        const more = memory_of(relay) - before;
        assert.ok(more < 48 * MB, `${(more / MB).toFixed(1)} MB more`);
        sleepers.forEach(line => line.socket.resume());
        for (const line of sleepers) {
            const [one] = await line.answers(['GET']);
            assert.ok(one.body.equals(long_song.stored));
        }
    }, { seconds: 120 });

    suite.test('who goes away in the middle leaves nothing behind', async t => {
        const relay = await with_long_song(world, t);
        for (let i = 0; i < 30; i++) {
            const line = open_line(relay);
            line.send(request_text(`GET ${long_song.path}`));
            await until('some of it', () => line.length > 0);
            line.close();
        }
        await until('no stream', async () => await metric(relay, 'audio_streams') === 0);
        assert.ok(await metric(relay, 'audio_aborted_total') > 0);
        await whole(relay, long_song);
    });

    suite.test('a listener whose relay is killed -9 gets the rest from the next one, by range', async t => {
        const relay = await with_long_song(world, t);
        const line = open_sleeper(relay, long_song);
        await until('a stream', async () => await metric(relay, 'audio_streams') === 1);
        await relay.restart('kill');
        line.socket.resume();
        await line.gone();
        const head = line.bytes.indexOf('\r\n\r\n') + 4;
        const had = line.bytes.subarray(head);
        assert.ok(had.length > 0 && had.length < long_song.stored.length && had.equals(long_song.stored.subarray(0, had.length)));
        const got = await ask(relay, `GET ${long_song.path}`, { Range: `bytes=${had.length}-`, 'If-Range': long_song.etag });
        assert.equal(got.status, 206);
        assert.ok(Buffer.concat([had, got.body]).equals(long_song.stored));
    });

    suite.test('a relay that is stopped while forty listen ends with status 0', async t => {
        const relay = await with_long_song(world, t);
        const sleepers = Array.from({ length: 40 }, () => open_sleeper(relay, long_song));
        t.after(() => sleepers.forEach(line => line.close()));
        await until('forty streams', async () => await metric(relay, 'audio_streams') === 40);
        assert.deepEqual(await relay.stop(), { code: 0, signal: null });
    });
}

const keys = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'wire', 'tls');
const with_tls = { args: ['--listen', 'wss://127.0.0.1:0', '--tls-cert', path.join(keys, 'first.crt'), '--tls-key', path.join(keys, 'first.key')] };
const tls_port = relay => Number(relay.lines.map(line => /https:\/\/127\.0\.0\.1:(\d+)\//.exec(line)?.[1]).find(Boolean));

function tls_cases(suite, world)
{
    suite.test('over TLS: whole, in ranges, sent ahead, and by who reads late', async t => {
        const relay = await with_long_song(world, t, with_tls);
        const late = open_sleeper(relay, long_song, '', open_tls_line(tls_port(relay)));
        const line = open_tls_line(tls_port(relay));
        const ranges = Array.from({ length: 20 }, (_, i) => [i * 196_000, i * 196_000 + 300_000 * (i % 3) + 5]);
        line.send(request_text(`GET ${long_song.path}`) + ranges.map(([first, last]) =>
            request_text(`GET ${long_song.path}`, { Range: `bytes=${first}-${last}` })).join(''));
        const [all, ...parts] = await line.answers(Array(21).fill('GET'));
        assert.ok(all.body.equals(long_song.stored));
        parts.forEach((one, i) => assert.ok(one.body.equals(long_song.stored.subarray(ranges[i][0], ranges[i][1] + 1)), `range ${i}`));
        late.socket.resume();
        assert.ok((await late.answers(['GET']))[0].body.equals(long_song.stored));
        line.close();
        late.close();
    });

    for (const [what, options, open] of [['', {}, open_line], [' over TLS', with_tls, relay => open_tls_line(tls_port(relay))]]) {
        suite.test(`who sends requests ahead${what} and reads nothing keeps no processor busy`, async t => {
            const relay = await with_long_song(world, t, options);
            const behind = request_text(`GET ${long_song.path}`, { Range: 'bytes=0-9' }).repeat(3);
            const lines = Array.from({ length: 3 }, () => open_sleeper(relay, long_song, behind, open(relay)));
            t.after(() => lines.forEach(line => line.close()));
            await until('three streams', async () => await metric(relay, 'audio_streams') === 3);
            await sleep(1000);
            const before = cpu_of(relay);
            await sleep(2000);
            const used = cpu_of(relay) - before;
            assert.ok(used < 0.4, `${used.toFixed(2)} s of 2 s`);
            lines.forEach(line => line.socket.resume());
            for (const line of lines) {
                const [all, ...rest] = await line.answers(Array(4).fill('GET'));
                assert.ok(all.body.equals(long_song.stored) && rest.every(one => one.body.equals(long_song.stored.subarray(0, 10))));
            }
        });
    }
}

/* A megabyte a second: longer than the 20 s that libwebsockets gives to a request. */
function take_slowly(relay, track)
{
    const parts = [];
    return new Promise((resolve, reject) => {
        http.get(relay.http(track.path), response => {
            const timer = setInterval(() => response.resume(), 1000);
            let had = 0;
            response.on('data', part => {
                parts.push(part);
                had += part.length;
                if (had >= MB) {
                    had = 0;
                    response.pause();
                }
            });
            response.on('close', () => {
                clearInterval(timer);
                resolve(Buffer.concat(parts));
            });
        }).on('error', reject);
    });
}

function limit_cases(suite, world)
{
    suite.test('a song that takes longer than any request may is heard to its end', async t => {
        const relay = await with_long_song(world, t);
        const began = performance.now();
        const got = await take_slowly(relay, long_song);
        assert.ok(got.equals(long_song.stored), `${got.length} of ${long_song.stored.length} bytes`);
        assert.ok(performance.now() - began > 21_000, 'it was not slow');
    }, { seconds: 120, beside: true });

    suite.test('audio_stalled_ms: who takes nothing for so long is cut off, others are not', async t => {
        const relay = await with_long_song(world, t, { args: ['--limit', 'audio_stalled_ms=1000'] });
        const line = open_sleeper(relay, long_song);
        await until('it to be cut off', async () => await metric(relay, 'audio_stalled_total') === 1);
        await until('no stream', async () => await metric(relay, 'audio_streams') === 0);
        line.socket.resume();
        await line.gone();
        assert.ok(line.length < long_song.stored.length);
        await whole(relay, long_song);
    });

    suite.test('audio_pause_ms: half a second, for who has sent many requests ahead or hung up one half', async t => {
        const relay = await with_long_song(world, t);
        const ahead = open_sleeper(relay, long_song);
        ahead.send(request_text(`GET ${song.path}`).repeat(2000));
        const half = open_sleeper(relay, long_song);
        half.socket.end();
        t.after(() => { ahead.close(); half.close(); });
        await until('both to be cut off', async () => await metric(relay, 'audio_stalled_total') === 2);
    });

    suite.test('audio_streams_max: one more is told to come again, and may', async t => {
        const relay = await with_long_song(world, t, { args: ['--limit', 'audio_streams_max=2'] });
        const sleepers = [open_sleeper(relay, long_song), open_sleeper(relay, long_song)];
        t.after(() => sleepers.forEach(line => line.close()));
        await until('two streams', async () => await metric(relay, 'audio_streams') === 2);
        for (const method of ['GET', 'HEAD']) {
            const told = await ask(relay, `${method} ${long_song.path}`);
            assert.deepEqual([told.status, told.headers['retry-after'], told.headers['cache-control']], [503, '1', 'no-store']);
        }
        assert.equal(await metric(relay, 'audio_crowded_total'), 2);
        sleepers[0].close();
        await until('a place', async () => await metric(relay, 'audio_streams') === 1);
        await whole(relay, long_song);
    });

    suite.test('answer_bytes_max: chunks that nobody takes are not copied without end', async t => {
        const relay = await world.own_relay(t, { args: ['--limit', 'answer_bytes_max=1500000'] });
        const largest = make_track(noise(31, 786432), { chunk: 786432 }); // more than two sockets hold
        await publish(relay, largest);
        const chunk = `GET /chunk/${Buffer.from(largest.chunks[0].hash, 'base64').toString('hex')}`;
        const sleepers = Array.from({ length: 8 }, () => open_line(relay));
        t.after(() => sleepers.forEach(line => line.close()));
        for (const line of sleepers) {
            line.socket.pause();
            line.send(request_text(chunk));
        }
        await until('the bound', async () => (await metric(relay, 'audio_crowded_total')) === 6);
        const told = await ask(relay, chunk);
        assert.deepEqual([told.status, told.headers['cache-control']], [503, 'no-store']);
        for (const what of ['have', 'm']) assert.equal((await ask(relay, `GET ${largest.path}/${what}`)).status, 503, what);
        sleepers.forEach(line => line.close());
        await until('room', async () => (await ask(relay, chunk)).status === 200);
        const range = await ask(relay, chunk, { Range: 'bytes=999999-' });
        assert.deepEqual([range.status, range.headers['cache-control']], [416, 'no-store']);
        const other = await ask(relay, chunk, { 'If-Match': '"x"' });
        assert.deepEqual([other.status, other.headers['cache-control']], [412, 'no-store']);
    });

    suite.test('audio_chunks_max: a longer track is refused with the reason', async t => {
        const relay = await world.own_relay(t, { args: ['--limit', 'audio_chunks_max=2'] });
        await publish(relay, song);
        const told = await ask(relay, `GET ${song.named}`);
        assert.deepEqual([told.status, told.body.toString()], [404, 'the manifest cannot be served: it has too many chunks for this server\n']);
        assert.equal((await ask(relay, `GET ${song.path}`)).status, 404);
    });

    suite.test('audio_cache_bytes: nothing that nobody holds is remembered above it, and answers are the same', async t => {
        const relay = await world.own_relay(t, { args: ['--limit', 'audio_cache_bytes=500'] });
        const tracks = [1, 2, 3].map(i => make_track(noise(35 + i, 40_000)));
        await publish(relay, ...tracks);
        for (let i = 0; i < 9; i++) await whole(relay, tracks[i % 3]);
        await sleep(0);
        assert.ok(await metric(relay, 'audio_cache_bytes') <= 500);
        assert.ok(await metric(relay, 'audio_tracks') <= 1);
    });
}

export function listener_cases(suite, world)
{
    kept_cases(suite, world);
    crowd_cases(suite, world);
    tls_cases(suite, world);
    limit_cases(suite, world);
}
