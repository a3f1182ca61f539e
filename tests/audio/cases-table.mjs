/* cases-table.mjs - every status, and every header of it, that a read of audio has.
 *
 * A row is [what, request, headers sent, status, headers and body wanted]. What is true of
 * all answers is asked of all of them (judge). */
import { assert } from '../tools/harness.mjs';
import { ask } from './http.mjs';
import { hex_of, make_track, noise, put_all } from './track.mjs';
import { full_chunks, gift, liar, one_byte, ours, page, premium, recorded, secret, song, theirs, torn } from './world.mjs';

const inert = "sandbox; default-src 'none'";
const for_ever = 'public, max-age=31536000, immutable';
const plain_words = 'text/plain; charset=utf-8';
const nothing = make_track(noise(99, 10), {});
const range = spec => ({ Range: `bytes=${spec}` });
const location = (track, part = '') => `/audio/${track.root}${part}?m=${track.url_hash}`;
const hex_manifest = track => Buffer.from(track.manifest, 'base64').toString('hex');

/* The whole of something, as the address without `m` has it. */
const whole = (track, type, body = track.stored) => ({
    type, body, etag: track.etag, 'cache-control': 'no-cache', 'content-security-policy': inert,
    'accept-ranges': 'bytes', 'content-location': location(track), 'content-range': undefined });
const named = (track, type, body) => ({ ...whole(track, type, body), 'cache-control': for_ever });
const part = (track, type, first, last, bytes = track.stored) => ({
    ...whole(track, type, bytes.subarray(first, last + 1)), 'content-range': `bytes ${first}-${last}/${bytes.length}` });
const unfit = (track, size = track.stored.length) => ({ 'content-range': `bytes */${size}`, 'cache-control': 'no-store', body: '' });
const sentence = words => ({ type: plain_words, body: words, 'cache-control': 'no-store', etag: undefined });
const bitmap = (track, have, bits) => ({ type: 'application/json', 'cache-control': 'no-store',
    json: { root: track.root, manifest: track.manifest, bytes: track.plain.length, chunk: track.chunk, n: track.chunks.length, have, bitmap: bits } });

const mpeg = 'audio/mpeg', bytes_type = 'application/octet-stream';
const get = `GET ${song.path}`;
const not_here = 'no manifest of this is here\n';
const not_all = /^not all of what is asked for is here yet/;

const track_rows = [
    ['a track', get, {}, 200, whole(song, mpeg)],
    ['only its head', `HEAD ${song.path}`, {}, 200, { ...whole(song, mpeg, ''), 'content-length': '100000' }],
    ['by the name of its manifest', `GET ${song.named}`, {}, 200, named(song, mpeg)],
    ['by that in base64', `GET ${song.path}?m=${encodeURIComponent(song.manifest)}`, {}, 200, named(song, mpeg)],
    ['by that in base64 with a bare +', `GET ${song.path}?m=${song.manifest}`, {}, 200, named(song, mpeg)],
    ['by that in base64url with its padding', `GET ${song.named}=`, {}, 200, named(song, mpeg)],
    ['by that in hexadecimal', `GET ${song.path}?m=${hex_manifest(song)}`, {}, 200, named(song, mpeg)],
    ['with words in the query that mean nothing', `GET ${song.path}?x=1&mm=2`, {}, 200, whole(song, mpeg)],
    ['with them and the manifest', `GET ${song.path}?x=1&m=${song.url_hash}`, {}, 200, named(song, mpeg)],
    ['one byte', `GET ${one_byte.path}`, {}, 200, whole(one_byte, mpeg)],
    ['full chunks', `GET ${full_chunks.path}`, {}, 200, whole(full_chunks, mpeg)],
    ['a manifest of another root', `GET ${song.path}?m=${page.url_hash}`, {}, 404, sentence(not_here)],
    ['a manifest that stands under a root not its own', `GET /audio/${'0'.repeat(64)}?m=${song.url_hash}`, {}, 404, sentence('the manifest cannot be served: it is of another root\n')],
    ['a root that is none of its own, unnamed', `GET /audio/${'0'.repeat(64)}`, {}, 404, sentence(not_here)],
    ['a manifest that is not here', `GET ${song.path}?m=${nothing.url_hash}`, {}, 404, sentence(not_here)],
    ['a root that is not here', `GET ${nothing.path}`, {}, 404, sentence(not_here)],
    ['its head', `HEAD ${nothing.path}`, {}, 404, { ...sentence(''), 'content-length': String(not_here.length) }],
    ['a manifest that its chunks contradict, unnamed', `GET ${liar.path}`, {}, 404, sentence(not_here)],
    ['a manifest that its chunks contradict, named', `GET ${liar.named}`, {}, 500, sentence('what is asked for was damaged\n')],
];

const type_rows = [
    ['what says it is a page is inert bytes', `GET ${page.path}`, {}, 200, whole(page, bytes_type)],
    ['and so is a part of it', `GET ${page.path}`, range('0-9'), 206, part(page, bytes_type, 0, 9)],
    ['parameters of a type are left out', `GET ${recorded.path}`, {}, 200, whole(recorded, 'audio/webm')],
    ['one manifest of two', `GET ${ours.named}`, {}, 200, named(ours, 'audio/flac')],
    ['and the other', `GET ${theirs.named}`, {}, 200, named(theirs, 'audio/x-other')],
];

const range_rows = [
    ['the first bytes', get, range('0-9'), 206, part(song, mpeg, 0, 9)],
    ['one byte', get, range('0-0'), 206, part(song, mpeg, 0, 0)],
    ['the last byte', get, range('99999-99999'), 206, part(song, mpeg, 99999, 99999)],
    ['over the edge of chunks', get, range('36863-36864'), 206, part(song, mpeg, 36863, 36864)],
    ['one whole chunk', get, range('36864-73727'), 206, part(song, mpeg, 36864, 73727)],
    ['open to its end', get, range('99990-'), 206, part(song, mpeg, 99990, 99999)],
    ['open from its beginning', get, range('0-'), 206, part(song, mpeg, 0, 99999)],
    ['beyond the end', get, range('99990-200000'), 206, part(song, mpeg, 99990, 99999)],
    ['more than any number', get, range('99990-99999999999999999999999'), 206, part(song, mpeg, 99990, 99999)],
    ['the last ten', get, range('-10'), 206, part(song, mpeg, 99990, 99999)],
    ['more than there is, from its end', get, range('-200000'), 206, part(song, mpeg, 0, 99999)],
    ['named', `GET ${song.named}`, range('0-9'), 206, { ...part(song, mpeg, 0, 9), 'cache-control': for_ever }],
    ['in other letters', get, { Range: 'Bytes= 0-9' }, 206, part(song, mpeg, 0, 9)],
    ['nothing, from its end', get, range('-0'), 416, unfit(song)],
    ['behind the end', get, range('100000-'), 416, unfit(song)],
    ['far behind the end', get, range('99999999999999999999999-'), 416, unfit(song)],
    ['several', get, range('0-9,20-29'), 200, whole(song, mpeg)],
    ['backwards', get, range('9-0'), 200, whole(song, mpeg)],
    ['no range at all', get, range('-'), 200, whole(song, mpeg)],
    ['letters', get, range('a-b'), 200, whole(song, mpeg)],
    ['of another unit', get, { Range: 'chunks=0-1' }, 200, whole(song, mpeg)],
    ['of 200 characters', get, range(Array(30).fill('0-9').join()), 200, whole(song, mpeg)],
    ['of a head is ignored', `HEAD ${song.path}`, range('0-9'), 200, { ...whole(song, mpeg, ''), 'content-length': '100000' }],
];

const same = song.etag, weak = `W/${same}`, other = '"x"';
const unchanged = { ...whole(song, mpeg, ''), 'content-length': undefined };
const condition_rows = [
    ['If-Range with its tag', get, { ...range('0-9'), 'If-Range': same }, 206, part(song, mpeg, 0, 9)],
    ['If-Range with another', get, { ...range('0-9'), 'If-Range': other }, 200, whole(song, mpeg)],
    ['If-Range with a weak one', get, { ...range('0-9'), 'If-Range': weak }, 200, whole(song, mpeg)],
    ['If-Range with a date', get, { ...range('0-9'), 'If-Range': 'Sat, 01 Jan 2050 00:00:00 GMT' }, 200, whole(song, mpeg)],
    ['If-Range with another, a range that does not fit', get, { ...range('100000-'), 'If-Range': other }, 200, whole(song, mpeg)],
    ['If-None-Match with its tag', get, { 'If-None-Match': same }, 304, unchanged],
    ['If-None-Match with a weak one', get, { 'If-None-Match': weak }, 304, unchanged],
    ['If-None-Match with several', get, { 'If-None-Match': `${other}, ${same}` }, 304, unchanged],
    ['If-None-Match with any', get, { 'If-None-Match': '*' }, 304, unchanged],
    ['If-None-Match with another', get, { 'If-None-Match': other }, 200, whole(song, mpeg)],
    ['If-None-Match without quotes', get, { 'If-None-Match': same.slice(1, -1) }, 200, whole(song, mpeg)],
    ['If-None-Match, of a head', `HEAD ${song.path}`, { 'If-None-Match': same }, 304, unchanged],
    ['If-None-Match and a range that does not fit', get, { 'If-None-Match': same, ...range('100000-') }, 304, unchanged],
    ['If-None-Match, named', `GET ${song.named}`, { 'If-None-Match': same }, 304, { ...unchanged, 'cache-control': for_ever }],
    ['If-Match with its tag', get, { 'If-Match': same }, 200, whole(song, mpeg)],
    ['If-Match with any', get, { 'If-Match': '*', ...range('0-9') }, 206, part(song, mpeg, 0, 9)],
    ['If-Match with another', get, { 'If-Match': other }, 412, { body: '', 'cache-control': 'no-store' }],
    ['If-Match with a weak one', get, { 'If-Match': weak }, 412, { body: '', 'cache-control': 'no-store' }],
    ['If-Match before If-None-Match', get, { 'If-Match': other, 'If-None-Match': same }, 412, { body: '' }],
    ['If-Modified-Since is ignored', get, { 'If-Modified-Since': 'Sat, 01 Jan 2050 00:00:00 GMT' }, 200, whole(song, mpeg)],
];

const preview_bytes = 2 * (36864 - 16);
const heard = track => ({ ...whole(track, track.mime, track.plain.subarray(0, preview_bytes)),
    etag: `${track.etag.slice(0, -1)}-preview"`, 'content-location': location(track, '/preview') });
const premium_rows = [
    ['its bytes are as they are kept, and of no type', `GET ${premium.path}`, {}, 200, whole(premium, bytes_type)],
    ['a part of them', `GET ${premium.path}`, range('36860-36870'), 206, part(premium, bytes_type, 36860, 36870)],
    ['its preview plays', `GET ${premium.path}/preview`, {}, 200, heard(premium)],
    ['its preview, named', `GET ${premium.path}/preview?m=${premium.url_hash}`, {}, 200, { ...heard(premium), 'cache-control': for_ever }],
    ['the head of its preview', `HEAD ${premium.path}/preview`, {}, 200, { ...heard(premium), body: '', 'content-length': String(preview_bytes) }],
    ['a range of its preview over the edge of chunks', `GET ${premium.path}/preview`, range('36840-36860'), 206,
        { ...heard(premium), body: premium.plain.subarray(36840, 36861), 'content-range': `bytes 36840-36860/${preview_bytes}` }],
    ['the end of its preview', `GET ${premium.path}/preview`, range('-1'), 206,
        { body: premium.plain.subarray(preview_bytes - 1, preview_bytes), 'content-range': `bytes ${preview_bytes - 1}-${preview_bytes - 1}/${preview_bytes}` }],
    ['what is behind its preview', `GET ${premium.path}/preview`, range(`${preview_bytes}-`), 416, unfit(premium, preview_bytes)],
    ['its preview with the tag of the whole', `GET ${premium.path}/preview`, { 'If-None-Match': premium.etag }, 200, heard(premium)],
    ['a preview that is all', `GET ${gift.path}/preview`, {}, 200, heard(gift)],
    ['one without a preview', `GET ${secret.path}/preview`, {}, 404, sentence('this has no preview\n')],
    ['a track that is no premium has no preview', `GET ${song.path}/preview`, {}, 404, sentence('this has no preview\n')],
];

const torn_rows = [
    ['the whole', `GET ${torn.path}`, {}, 404, sentence(not_all)],
    ['its head', `HEAD ${torn.path}`, {}, 404, sentence('')],
    ['a range that is here', `GET ${torn.path}`, range('0-36863'), 206, part(torn, 'audio/wav', 0, 36863)],
    ['a range behind what is missing', `GET ${torn.path}`, range('73728-'), 206, part(torn, 'audio/wav', 73728, 99999)],
    ['a range with one byte of what is missing', `GET ${torn.path}`, range('0-36864'), 404, sentence(not_all)],
    ['a range in what is missing', `GET ${torn.path}`, range('40000-40001'), 404, sentence(not_all)],
    ['a range behind the end', `GET ${torn.path}`, range('100000-'), 416, unfit(torn)],
];

const have_rows = [
    ['a track that is all here', `GET ${song.path}/have`, {}, 200, bitmap(song, 3, 'Bw==')],
    ['by its manifest', `GET ${song.path}/have?m=${song.url_hash}`, {}, 200, bitmap(song, 3, 'Bw==')],
    ['a head of it', `HEAD ${song.path}/have`, {}, 200, { type: 'application/json', body: '' }],
    ['one that is torn', `GET ${torn.path}/have`, {}, 200, bitmap(torn, 2, 'BQ==')],
    ['a premium one', `GET ${premium.path}/have`, {}, 200, bitmap(premium, 5, 'Hw==')],
    ['one that is not here', `GET ${nothing.path}/have`, {}, 404, sentence(not_here)],
];

const [first, , last] = song.chunks;
const hex_of_chunk = chunk => Buffer.from(chunk.hash, 'base64').toString('hex');
const chunk_of = (chunk, body = chunk.raw) => ({ type: bytes_type, body, etag: `"${hex_of_chunk(chunk)}"`, 'cache-control': for_ever,
    'content-security-policy': inert, 'accept-ranges': 'bytes' });
const chunk = `GET /chunk/${hex_of_chunk(first)}`;
const chunk_rows = [
    ['in hexadecimal', chunk, {}, 200, chunk_of(first)],
    ['in upper case', `GET /chunk/${hex_of_chunk(first).toUpperCase()}`, {}, 200, chunk_of(first)],
    ['in base64', `GET /chunk/${encodeURIComponent(first.hash)}`, {}, 200, chunk_of(first)],
    ['in base64url', `GET /chunk/${Buffer.from(first.hash, 'base64').toString('base64url')}`, {}, 200, chunk_of(first)],
    ['the last', `GET /chunk/${hex_of_chunk(last)}`, {}, 200, chunk_of(last)],
    ['its head', `HEAD /chunk/${hex_of_chunk(first)}`, {}, 200, { ...chunk_of(first, ''), 'content-length': '36864' }],
    ['a range of it', chunk, range('5-9'), 206, { ...chunk_of(first, first.raw.subarray(5, 10)), 'content-range': 'bytes 5-9/36864' }],
    ['a range behind it', chunk, range('36864-'), 416, { body: '', 'content-range': 'bytes */36864' }],
    ['its tag', chunk, { 'If-None-Match': `"${hex_of_chunk(first)}"` }, 304, { ...chunk_of(first, ''), 'content-length': undefined }],
    ['another tag', chunk, { 'If-Match': other }, 412, { body: '' }],
    ['a range if its tag is another', chunk, { ...range('0-1'), 'If-Range': other }, 200, chunk_of(first)],
    ['a chunk that is not here', `GET /chunk/${hex_of('nothing')}`, {}, 404, sentence('no chunk of this hash is here\n')],
    ['a manifest is no chunk', `GET /chunk/${hex_manifest(song)}`, {}, 404, sentence('no chunk of this hash is here\n')],
];

const odd_name = sentence('audio is named by 64 digits of lower-case hexadecimal\n');
const odd_manifest = sentence('m names a manifest by its hash, in base64 or hexadecimal\n');
const odd_rows = [
    ...['/audio', '/audio/', `/audio/${song.root.slice(1)}`, `/audio/${song.root}0`, `/audio/${song.root.toUpperCase()}`, `/audio/${'g'.repeat(64)}`,
        `${song.path}/`, `${song.path}/nothing`, `${song.path}.m3u8`, `${song.path}/have/`, `${song.path}/preview/0`, '/chunk/', '/chunk/x',
        `/chunk/${song.root}0`, `/chunk/${'z'.repeat(64)}`, `/chunk/${first.hash.slice(0, -2)}!=`]
        .map(path => [path.replaceAll(song.root, 'ROOT'), `GET ${path}`, {}, 404, odd_name]),
    ...['', 'x', song.url_hash.slice(1), `${song.url_hash}x`, `${song.url_hash}%3D%3D`, 'z'.repeat(64), `${song.url_hash.slice(0, -1)}%20`]
        .map(m => [`m=${m.replace(song.url_hash.slice(0, -1), 'HASH')}`, `GET ${song.path}?m=${m}`, {}, 400, odd_manifest]),
];

const asked_by_page = { Origin: 'https://player.example', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'range' };
const page_rows = [song.path, `${song.path}/preview`, `${song.path}/have`, `/chunk/${hex_of_chunk(first)}`].map(path => [
    path.replaceAll(song.root, 'ROOT').replace(hex_of_chunk(first), 'HASH'), `OPTIONS ${path}`, asked_by_page, 204,
    { 'access-control-allow-methods': /GET.*HEAD/, 'access-control-allow-headers': /\*/, 'access-control-max-age': '86400', body: '', 'content-length': undefined }]);

function fits(name, wanted, got)
{
    if (wanted instanceof RegExp) assert.match(String(got), wanted, name);
    else assert.equal(got, wanted, name);
}

function judge(got, method, status, want)
{
    const { type, body, json, ...headers } = want;
    assert.equal(got.status, status, got.body.subarray(0, 200).toString());
    assert.equal(got.cut, false);
    const every = { 'access-control-allow-origin': '*', 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'cross-origin' };
    for (const [name, wanted] of Object.entries({ ...every, ...headers })) fits(name, wanted, got.headers[name]);
    if ('type' in want) assert.equal(got.headers['content-type'], type);
    const names = got.raw.filter((_, i) => i % 2 === 0).map(name => name.toLowerCase());
    assert.equal(new Set(names).size, names.length, `a header twice: ${names}`);
    if (method === 'GET' && ![204, 304].includes(status)) assert.equal(got.headers['content-length'], String(got.body.length));
    if (Buffer.isBuffer(body)) assert.ok(got.body.equals(body), `${got.body.length} bytes, not the ${body.length} wanted`);
    else if (body !== undefined) fits('body', body, got.body.toString());
    if (json) assert.deepEqual(JSON.parse(got.body), json);
    if (status === 200 || status === 206) assert.match(got.headers['access-control-expose-headers'] ?? 'Content-Range', /Content-Range/);
}

const tables = { track: track_rows, type: type_rows, range: range_rows, condition: condition_rows, premium: premium_rows,
    'incomplete track': torn_rows, bitmap: have_rows, chunk: chunk_rows, 'odd name': odd_rows, preflight: page_rows };

export function table_cases(suite, world)
{
    for (const [name, rows] of Object.entries(tables)) for (const [what, line, sent, status, want] of rows) {
        suite.test(`${name}: ${what}: ${status}`, async () => {
            judge(await ask(world.relay, line, sent), line.split(' ')[0], status, want);
        });
    }

    suite.test('a manifest and chunks whose keys spell their hashes in hexadecimal: the manifest is found, chunks have one name', async () => {
        const track = make_track(noise(98, 3000), {});
        const hex_key = ({ key, ...node }) => ({ ...node, key: key.replace(/[^#]*$/, hash => Buffer.from(hash, 'base64').toString('hex')) });
        await put_all(world.relay, [track.manifest_put].map(hex_key));
        await put_all(world.relay, track.chunks.map(hex_key));
        for (const where of [track.path, track.named]) assert.equal((await ask(world.relay, `GET ${where}`)).body.toString().slice(0, 11), 'not all of ');
        await put_all(world.relay, track.chunks);
        for (const where of [track.path, track.named]) assert.ok((await ask(world.relay, `GET ${where}`)).body.equals(track.stored));
    });

    suite.test('without m, one of two manifests is served, and always the same', async () => {
        const types = new Set();
        for (let i = 0; i < 5; i++) types.add((await ask(world.relay, `GET ${ours.path}`)).headers['content-location']);
        assert.equal(types.size, 1);
        assert.ok([location(ours), location(theirs)].includes([...types][0]), [...types][0]);
    });

    suite.test('after kill -9 and a restart every answer is what it was', async () => {
        const without_date = got => [got.status, { ...got.headers, date: '' }, got.body];
        const asked = Object.values(tables).flat();
        const before = [];
        for (const [, line, sent] of asked) await ask(world.relay, line, sent); /* it remembers them all */
        for (const [, line, sent] of asked) before.push(without_date(await ask(world.relay, line, sent)));
        await world.relay.restart('kill');
        for (const [i, [, line, sent]] of asked.entries()) {
            assert.deepEqual(without_date(await ask(world.relay, line, sent)), before[i], `${line} ${JSON.stringify(sent)}`);
        }
    });
}
