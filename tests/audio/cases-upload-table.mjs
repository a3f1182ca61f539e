/* cases-upload-table.mjs - every status that an upload by HTTP is answered with, and
 * connections as clients make them: kept, pipelined, waiting for 100, chunked. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import { assert, fresh, sleep, until } from '../tools/harness.mjs';
import { open_raw, put_of, read_node } from '../tools/raw.mjs';
import { ask, open_line, request_text } from './http.mjs';
import { hex_of, make_track, noise, put_all, retell } from './track.mjs';
import { metric } from './world.mjs';
import { json_of, put_chunk, put_manifest, send } from './uploading.mjs';

const track = make_track(noise(40, 150_000), { mime: 'audio/mpeg' });
const other = make_track(noise(41, 100_000), { mime: 'audio/mpeg' });
const long = make_track(noise(42, 1025 * 3), { mime: 'audio/flac', chunk: 3 });
const nobody = `/audio/${'0'.repeat(64)}`;
const tiny = Buffer.from('tiny');

/* [what, request, body, headers, status, body wanted] */
const rows = [
    ['a file', 'POST /audio', tiny, {}, 201, /"root":"[0-9a-f]{64}","manifest":"[^"]{44}","bytes":4,"sha256":"[0-9a-f]{64}"}\n$/],
    ['the same again', 'POST /audio', tiny, {}, 200, /"bytes":4/],
    ['with another type: another manifest', 'POST /audio?type=audio/ogg', tiny, {}, 201, /"bytes":4/],
    ['with its hash in hexadecimal', `POST /audio?sha256=${hex_of(tiny)}`, tiny, {}, 200, /"bytes":4/],
    ['with its hash in base64url', `POST /audio?sha256=${Buffer.from(hex_of(tiny), 'hex').toString('base64url')}`, tiny, {}, 200, /"bytes":4/],
    ['with another hash', `POST /audio?sha256=${'0'.repeat(64)}`, Buffer.from('other'), {}, 422, /^sha256: the file is not the one/],
    ['with what is no hash', 'POST /audio?sha256=abc', tiny, {}, 400, /^sha256:/],
    ['with what is no type', 'POST /audio?type=mp3', tiny, {}, 400, /^type:/],
    ['with a type that is too long', `POST /audio?type=audio/${'x'.repeat(130)}`, tiny, {}, 400, /^type:/],
    ['a form', 'POST /audio', tiny, { 'Content-Type': 'multipart/form-data; boundary=x' }, 415, /^type: the file itself/],
    ['what was compressed on the way', 'POST /audio', tiny, { 'Content-Encoding': 'gzip' }, 415, /^type:/],
    ['nothing', 'POST /audio', Buffer.alloc(0), {}, 400, /^empty:/],
    ['a length that is no number', 'POST /audio', tiny, { 'Content-Length': '4, 4' }, 400, /^length:/],
    ['a strange expectation', 'POST /audio', tiny, { Expect: 'wonders' }, 417, /^expect:/],
    ['a title that is too long', `POST /audio?title=${'x'.repeat(1001)}`, tiny, {}, 400, /^text:/],
    ['a title that is not UTF-8', 'POST /audio?title=%ff', tiny, {}, 400, /^text:/],
    ['a file larger than the relay serves', 'POST /audio', tiny, { 'Content-Length': String(10 ** 15) }, 413, /^limit:/],
    ['POST elsewhere', `POST ${track.path}`, tiny, {}, 405, /^method:/],
    ['PUT of a file', 'PUT /audio', tiny, {}, 405, /^method:/],
    ['PUT of what is no part', `PUT ${track.path}/x`, tiny, {}, 404, /^path:/],
    ['PUT of what is no root', 'PUT /audio/abc/m', tiny, {}, 404, /^path:/],
    ['a chunk with a leading zero', `PUT ${track.path}/01`, tiny, {}, 404, /^path:/],
    ['a chunk before its manifest', `PUT ${other.path}/0`, other.chunks[0].raw, {}, 404, /^manifest: send it first/],
    ['a manifest', `PUT ${track.path}/m`, Buffer.from(track.text), {}, 201, new RegExp(`"root":"${track.root}","manifest":"${track.manifest.replace(/[+]/g, '\\+')}"`)],
    ['the same again', `PUT ${track.path}/m`, Buffer.from(track.text), {}, 200, /"root"/],
    ['a manifest of another root', `PUT ${nobody}/m`, Buffer.from(track.text), {}, 422, /^manifest: it is of another root/],
    ['a manifest that is no JSON', `PUT ${track.path}/m`, Buffer.from('{'), {}, 422, /^manifest: it is no JSON/],
    ['a manifest that is not UTF-8', `PUT ${track.path}/m`, Buffer.from([0x7b, 0xff]), {}, 422, /^manifest: it is not UTF-8/],
    ['a manifest whose hashes were changed', `PUT ${track.path}/m`, Buffer.from(track.text.replace('"h":["', '"h":["A')), {}, 422, /^manifest: /],
    ['a manifest that is too large', `PUT ${track.path}/m`, Buffer.alloc((1 << 20) + 1, 0x20), {}, 413, /^limit:/],
    ['a part that nobody names', `PUT ${track.path}/m`, Buffer.from('["x"]'), {}, 422, /^manifest: no manifest that is kept here names this part/],
    ['a chunk', `PUT ${track.path}/0`, track.chunks[0].raw, {}, 201, new RegExp(`^{"root":"${track.root}","chunk":0}\n$`)],
    ['the same again', `PUT ${track.path}/0`, track.chunks[0].raw, {}, 200, /"chunk":0/],
    ['the last one', `PUT ${track.path}/4`, track.chunks[4].raw, {}, 201, /"chunk":4/],
    ['other bytes for a chunk', `PUT ${track.path}/1`, track.chunks[0].raw, {}, 422, /^chunk: its hash is not the one/],
    ['too few bytes', `PUT ${track.path}/1`, tiny, {}, 422, /^chunk: it has to be 36864 bytes/],
    ['a chunk behind the last', `PUT ${track.path}/5`, tiny, {}, 404, /^chunk: the manifest has 5 chunks/],
    ['by a manifest that is not here', `PUT ${track.path}/1?m=${other.url_hash}`, track.chunks[1].raw, {}, 404, /^manifest:/],
    ['by what is no hash', `PUT ${track.path}/1?m=x`, track.chunks[1].raw, {}, 400, /^m:/],
    ['another path', 'POST /elsewhere', tiny, {}, 405, /GET, HEAD and OPTIONS/],
];

function table_cases(suite, world)
{
    suite.test(`each of ${rows.length} uploads has its status and its words`, async () => {
        const wrong = [];
        for (const [what, line, body, headers, status, words] of rows) {
            const got = await send(world.relay, line, body, headers);
            if (got.status !== status || !words.test(got.body)) wrong.push(`${what}: ${line}: ${got.status} ${got.body}`);
            if (got.headers['access-control-allow-origin'] !== '*' || got.headers['cache-control'] !== 'no-store')
                wrong.push(`${what}: ${JSON.stringify(got.headers)}`);
        }
        assert.deepEqual(wrong, []);
    });

    suite.test('a page of any origin is told that it may send here', async () => {
        for (const path of ['/audio', `${track.path}/0`, `${track.path}/m`]) {
            const got = await ask(world.relay, `OPTIONS ${path}`, { Origin: 'https://app.example', 'Access-Control-Request-Method': 'PUT' });
            assert.equal(got.status, 204);
            assert.match(got.headers['access-control-allow-methods'], /\bPOST\b.*\bPUT\b/);
            assert.match(got.headers['access-control-allow-headers'], /Authorization/);
        }
    });

    suite.test('a part is taken however many strangers have written before its manifest', async t => {
        const relay = await world.own_relay(t), soul = long.manifest_put.soul, junk = [];
        for (let i = 0; junk.length < 300; i++) {
            const text = JSON.stringify({ junk: i }), key = createHash('sha256').update(text).digest('base64');
            if (Buffer.compare(Buffer.from(key), Buffer.from(long.manifest_put.key)) < 0) junk.push({ soul, key, text });
        }
        await put_all(relay, junk);
        assert.equal((await put_manifest(relay, long)).status, 201);
        assert.equal((await send(relay, `PUT ${long.path}/m`, Buffer.from(long.parts[0].text))).status, 201);
    });

    suite.test('a manifest in parts, and one chunk of it, are taken in the order of sending', async () => {
        const part = i => send(world.relay, `PUT ${long.path}/m`, Buffer.from(long.parts[i].text));
        assert.equal((await part(0)).status, 422);
        assert.equal((await put_manifest(world.relay, long)).status, 201);
        assert.equal((await put_chunk(world.relay, long, 7)).status, 404);
        assert.deepEqual([(await part(0)).status, (await part(1)).status], [201, 201]);
        assert.equal((await put_chunk(world.relay, long, 7)).status, 201);
        const text = await ask(world.relay, `GET ${long.path}/m?m=${long.url_hash}`);
        assert.equal(text.body.toString(), long.text);
        const first = await ask(world.relay, `GET ${long.path}/m?m=${Buffer.from(long.parts[0].key, 'base64').toString('base64url')}`);
        assert.equal(first.body.toString(), long.parts[0].text);
    });

    suite.test('what is no text under the name of its hash is no manifest, and the relay is not to blame', async () => {
        const soul = `audio/${long.root}#m`;
        for (const value of [5, true, '']) {
            const hash = createHash('sha256').update(String(value)).digest();
            await put_all(world.relay, [{ soul, key: hash.toString('base64'), text: value }]);
            const got = await ask(world.relay, `GET ${long.path}/m?m=${hash.toString('hex')}`);
            assert.deepEqual([got.status, got.body.toString()], [404, 'no manifest of this is here\n'], JSON.stringify(value));
        }
    });
}

function content_cases(suite, world)
{
    suite.test('a file that was posted is a track as the convention has it', async t => {
        const plain = noise(43, 200_000), wanted = make_track(plain, { mime: 'audio/wav' });
        const said = json_of(await send(world.relay, 'POST /audio?name=a%20song.WAV', plain));
        assert.deepEqual([said.root, said.bytes, said.sha256], [wanted.root, plain.length, hex_of(plain)]);
        const manifest = JSON.parse((await read_node(world.relay, `audio/${said.root}#m`))[said.manifest]);
        assert.deepEqual(manifest, JSON.parse(wanted.text));
        const raw = await world.raw(t);
        for (const { soul, key, text } of wanted.chunks)
            assert.ok((await raw.ask({ '#': fresh('g'), get: { '#': soul, '.': key } })).put[soul][key] === text, key);
        const got = await ask(world.relay, `GET ${wanted.path}`);
        assert.ok(got.body.equals(plain));
        assert.equal(got.headers['content-type'], 'audio/wav');
    });

    suite.test('the type is what the query says, else the header, else the name', async () => {
        const type = async (query, headers) => {
            const said = json_of(await send(world.relay, `POST /audio${query}`, noise(44, 999), headers));
            return JSON.parse((await read_node(world.relay, `audio/${said.root}#m`))[said.manifest]).mime;
        };
        assert.equal(await type('?name=a.mp3&type=audio/x-one', { 'Content-Type': 'audio/two' }), 'audio/x-one');
        assert.equal(await type('?name=a.mp3', { 'Content-Type': 'audio/webm;codecs=opus' }), 'audio/webm;codecs=opus');
        assert.equal(await type('?name=a.OPUS', { 'Content-Type': 'application/x-www-form-urlencoded' }), 'audio/ogg');
        assert.equal(await type('?name=a.b.flac', {}), 'audio/flac');
        assert.equal(await type('', {}), 'application/octet-stream');
    });

    suite.test('a title makes the open node of the track, last', async () => {
        const plain = noise(45, 50_000);
        const said = json_of(await send(world.relay, `POST /audio?title=${encodeURIComponent('Größe "1" \u{1f3b5}')}&artist=Ann&type=audio/mpeg`, plain));
        assert.equal(said.track, `tracks/${said.root.slice(0, 12)}`);
        const { _, ...node } = await read_node(world.relay, said.track);
        assert.deepEqual(node, { title: 'Größe "1" \u{1f3b5}', artist: 'Ann', mime: 'audio/mpeg', bytes: 50_000, root: said.root, manifest: said.manifest,
            sha256: hex_of(plain), audio: { '#': `audio/${said.root}#m` }, v: 1 });
        const again = json_of(await send(world.relay, `PUT /audio/${said.root}/m?title=Other`, Buffer.from((await read_node(world.relay, `audio/${said.root}#m`))[said.manifest])));
        assert.equal(again.track, said.track);
        assert.equal((await read_node(world.relay, said.track)).title, 'Other');
    });

    suite.test('who subscribes hears of uploaded chunks and manifests as of those that gun.js puts', async t => {
        const piece = make_track(noise(46, 80_000), { mime: 'audio/mpeg' });
        const raw = await world.raw(t);
        for (const soul of [`audio/${piece.root}#0`, `audio/${piece.root}#m`]) raw.send({ '#': `g${soul}`, get: { '#': soul } });
        await raw.settle('after the gets');
        await put_manifest(world.relay, piece);
        await put_chunk(world.relay, piece, 1);
        const chunk = await raw.hear('the chunk', m => m.put?.[`audio/${piece.root}#0`]);
        assert.equal(chunk.put[`audio/${piece.root}#0`][piece.chunks[1].key], piece.chunks[1].text);
        const manifest = await raw.hear('the manifest', m => m.put?.[`audio/${piece.root}#m`]);
        assert.equal(manifest.put[`audio/${piece.root}#m`][piece.manifest], piece.text);
    });

    suite.test('two manifests of one root: chunks go by the one that is named', async () => {
        const one = make_track(noise(47, 60_000), { mime: 'audio/mpeg' }), two = retell(one, { mime: 'audio/ogg' });
        await put_manifest(world.relay, one);
        await put_manifest(world.relay, two);
        assert.equal((await put_chunk(world.relay, two, 0)).status, 201);
        assert.equal((await put_chunk(world.relay, one, 0)).status, 200);
    });

    suite.test('two who post the same file at once are told the same, and it is kept once', async t => {
        const relay = await world.own_relay(t);
        const plain = noise(48, 5_000_000);
        const said = await Promise.all([1, 2].map(() => send(relay, 'POST /audio?type=audio/wav', plain)));
        said.forEach(one => assert.ok(one.status === 200 || one.status === 201, one.body));
        assert.equal(said[0].body, said[1].body);
        assert.ok((await ask(relay, `GET /audio/${json_of(said[0]).root}`)).body.equals(plain));
        await until('the store to be folded', async () => await metric(relay, 'store_overlay_rows') === 0);
        const written = await metric(relay, 'store_blob_bytes_total');
        assert.ok(written < 1.1 * plain.length, `${written} bytes written`);
    });
}

function connection_cases(suite, world)
{
    const post = (body, headers = {}) => request_text('POST /audio', { 'Content-Length': body.length, ...headers }) + body;
    const statuses = answers => answers.map(one => one.status);

    suite.test('chunks one after the other on one connection, a wrong one between', async () => {
        const piece = make_track(noise(49, 150_000), {});
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        let sockets = 0;
        const create = agent.createConnection;
        agent.createConnection = (...args) => { sockets++; return create.apply(agent, args); };
        await put_manifest(world.relay, piece);
        const wrong = () => send(world.relay, `PUT ${piece.path}/1`, piece.chunks[0].raw, {}, agent);
        const all = [await put_chunk(world.relay, piece, 0, {}, agent), await wrong(), await put_chunk(world.relay, piece, 1, {}, agent), await put_chunk(world.relay, piece, 4, {}, agent)];
        assert.deepEqual(all.map(one => one.status), [201, 422, 201, 201]);
        assert.equal(sockets, 1);
        agent.destroy();
    });

    suite.test('requests that wait behind an upload are answered behind it', async () => {
        const line = open_line(world.relay);
        line.send(post('x'.repeat(100_000)) + request_text(`GET ${track.path}/have`) + request_text('GET /health'));
        const got = await line.answers(['POST', 'GET', 'GET']);
        line.close();
        assert.deepEqual(statuses(got), [201, 200, 200]);
        assert.equal(got[2].body.toString(), 'ok\n');
    });

    suite.test('an upload that is sent ahead of an answer is refused, never heard as something else', async () => {
        for (const first of [request_text('GET /health'), request_text(`GET ${track.path}/have`), post('hello')]) {
            const line = open_line(world.relay);
            line.send(first + post('again') + request_text('GET /health'));
            const got = await line.answers(['GET', 'POST', 'GET']);
            assert.equal(got.length, 2);
            assert.equal(got[1].status, 503);
            assert.match(got[1].body.toString(), /^ahead: /);
            await line.gone();
        }
    });

    suite.test('also when it began before the answer, and ends long after', async () => {
        const line = open_line(world.relay), second = post('again and again');
        line.send(request_text('GET /health') + second.slice(0, 30));
        await line.answers(['GET']);
        line.send(second.slice(30));
        const got = await line.answers(['GET', 'POST']);
        line.close();
        assert.ok([201, 503].includes(got[1].status), String(got[1].status));
    });

    suite.test('an upload that waits for its turn is taken, however often', async () => {
        const line = open_line(world.relay);
        const asked = [];
        for (let i = 0; i < 10; i++) {
            asked.push(i % 2 ? 'GET' : 'POST');
            line.send(i % 2 ? request_text('GET /health') : post(fresh('body')));
            assert.equal(statuses(await line.answers(asked)).at(-1), i % 2 ? 200 : 201);
        }
        line.close();
    });

    suite.test('nor when the client has hung up its half', async () => {
        const line = open_line(world.relay);
        line.send(request_text('GET /health') + post('hello'));
        line.socket.end();
        const got = await line.answers(['GET', 'POST']);
        assert.ok(got.every(one => [200, 503].includes(one.status)), JSON.stringify(statuses(got)));
        await line.gone();
        assert.equal((await ask(world.relay, 'GET /health')).status, 200);
    });

    suite.test('who waits for 100 gets it, or gets the refusal without having sent a byte', async () => {
        const line = open_line(world.relay);
        line.send(request_text('POST /audio', { 'Content-Length': 5, Expect: '100-continue' }));
        await until('100', () => line.bytes.toString().startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
        line.send('bytes');
        await until('the answer', () => /\r\n\r\nHTTP\/1.1 20[01] /.test(line.bytes.toString()));
        line.close();
        const refused = open_line(world.relay);
        refused.send(request_text('POST /audio?type=x', { 'Content-Length': 5, Expect: '100-continue' }));
        assert.deepEqual(statuses(await refused.answers(['POST'])), [400]);
        await refused.gone();
    });

    suite.test('a chunked body is refused, and its connection closed', async () => {
        for (const where of ['POST /audio', `PUT ${track.path}/m`, `PUT ${track.path}/1`]) {
            const line = open_line(world.relay);
            line.send(request_text(where, { 'Transfer-Encoding': 'chunked' }) + '5\r\nhello\r\n0\r\n\r\n');
            assert.deepEqual(statuses(await line.answers(['POST'])), [411]);
            await line.gone();
        }
        const none = open_line(world.relay);
        none.send(request_text('POST /audio'));
        assert.deepEqual(statuses(await none.answers(['POST'])), [411]);
        await none.gone();
    });

    suite.test('who is refused early hears it though megabytes are on their way', async () => {
        const body = Buffer.alloc(4 << 20, 1);
        for (let i = 0; i < 5; i++) assert.equal((await send(world.relay, 'POST /audio?type=x', body)).status, 400);
    });

    suite.test('who never ends what nobody wants is hung up on', async () => {
        const line = open_line(world.relay);
        line.send(request_text('POST /audio?type=x', { 'Content-Length': 1e12 }));
        assert.deepEqual(statuses(await line.answers(['POST'])), [400]);
        const more = setInterval(() => line.socket.write(Buffer.alloc(65536)), 50);
        await line.gone();
        clearInterval(more);
    });
}

function bound_cases(suite, world)
{
    const begin = (relay, sent = 0) => {
        const line = open_line(relay);
        line.send(request_text('POST /audio', { 'Content-Length': 100_000 }) + 'x'.repeat(sent));
        return line;
    };
    const open = (relay, count) => until(`${count} uploads`, async () => await metric(relay, 'uploads_under_way') === count);

    suite.test('more than uploads_max at once are told to come again', async t => {
        const relay = await world.own_relay(t, { args: ['--limit', 'uploads_max=2'] });
        const lines = [begin(relay), begin(relay)];
        await open(relay, 2);
        const third = await send(relay, 'POST /audio', Buffer.from('x'));
        assert.equal(third.status, 503);
        assert.equal(third.headers['retry-after'], '1');
        lines.forEach(line => line.close());
        await open(relay, 0);
        assert.equal((await send(relay, 'POST /audio', Buffer.from('x'))).status, 201);
        assert.deepEqual([await metric(relay, 'uploads_crowded_total'), await metric(relay, 'uploads_broken_total')], [1, 2]);
    });

    suite.test('more than uploads_per_address from one address, too; others are not told so', async t => {
        const relay = await world.own_relay(t, { args: ['--limit', 'uploads_per_address=1', '--trust-proxy', '127.0.0.1'] });
        const from = address => ({ 'X-Forwarded-For': address });
        const line = open_line(relay);
        line.send(request_text('POST /audio', { 'Content-Length': 100_000, ...from('203.0.113.7') }));
        await open(relay, 1);
        assert.equal((await send(relay, 'POST /audio', Buffer.from('x'), from('203.0.113.7'))).status, 503);
        assert.equal((await send(relay, 'POST /audio', Buffer.from('x'), from('203.0.113.8'))).status, 201);
        line.close();
    });

    suite.test('who is silent is cut, also who sends a byte now and then', async t => {
        const relay = await world.own_relay(t, { args: ['--limit', 'upload_silent_ms=600'] });
        const silent = begin(relay, 10), drips = begin(relay, 10);
        const drip = setInterval(() => drips.send('x'), 100);
        t.after(() => clearInterval(drip));
        await Promise.all([silent.gone(), drips.gone()]);
        assert.equal(await metric(relay, 'uploads_silent_total'), 2);
        assert.equal(await metric(relay, 'uploads_under_way'), 0);
    }, { beside: true });

    suite.test('pages of other origins than those of --origin upload nothing', async t => {
        const relay = await world.own_relay(t, { args: ['--origin', 'https://good.example'] });
        const from = origin => send(relay, 'POST /audio', Buffer.from('x'), { Origin: origin });
        assert.equal((await from('https://bad.example')).status, 403);
        assert.equal((await from('https://good.example')).status, 201);
        assert.equal((await send(relay, 'POST /audio', Buffer.from('y'))).status, 201);
    });

    suite.test('a store that takes little at a time slows an upload down, and nobody else', async t => {
        const relay = await world.own_relay(t, { args: ['--limit', 'overlay_bytes_max=300000', '--limit', 'fold_age_ms=300'] });
        const plain = noise(50, 12_000_000);
        const posted = send(relay, 'POST /audio?type=audio/wav', plain);
        const raw = await open_raw(relay.ws_url);
        let acked = 0;
        for (let i = 0; i < 20; i++) {
            const ack = await raw.ask(put_of(`p${i}`, `song ${i}`, { title: ['x', Date.now() - 1000] }));
            if (ack.ok) acked++;
            await sleep(20);
        }
        await raw.close();
        assert.equal(acked, 20);
        const said = json_of(await posted);
        assert.ok((await ask(relay, `GET /audio/${said.root}`)).body.equals(plain));
    });

    suite.test('a relay that stops says so to who is uploading, and starts without a trace of it', async t => {
        const relay = await world.own_relay(t);
        const line = begin(relay, 50_000);
        await open(relay, 1);
        const [answers, ended] = await Promise.all([line.answers(['POST']), relay.stop()]);
        assert.deepEqual(ended, { code: 0, signal: null });
        assert.deepEqual(statuses_of(answers), [503]);
    });

    const statuses_of = answers => answers.map(one => one.status);
}

export function upload_table_cases(suite, world)
{
    table_cases(suite, world);
    content_cases(suite, world);
    connection_cases(suite, world);
    bound_cases(suite, world);
}
