/* cases-audio.mjs - tracks on their way in and out: by HTTP, by GUN, broken off, encrypted. */
import { File } from 'node:buffer'; /* node 18 has no global one */
import { createHash } from 'node:crypto';
import { assert, until } from '../tools/harness.mjs';
import { noise } from '../audio/track.mjs';
import { origin_of, seen, some_track } from './world.mjs';

const sha = bytes => createHash('sha256').update(bytes).digest('hex');
const song = (seed, bytes) => new File([noise(seed, bytes)], 'song.mp3', { type: 'audio/mpeg' });
const bytes_of = async file => Buffer.from(await file.arrayBuffer());
const CHUNK = 36_864;
const chunks_of = file => Math.ceil(file.size / CHUNK);

/* A file that is read only as far as the case lets it: its upload is then as far as the case
 * wants it, however fast the machine is. Each chunk is read to be named, and again to be sent. */
function gated(file)
{
    const held = [];
    let room = chunks_of(file);
    const open = () => { while (room > 0 && held.length > 0) { room--; held.shift()(); } };
    return {
        name: file.name, type: file.type, size: file.size,
        arrayBuffer: () => file.arrayBuffer(),
        slice: (from, to) => ({
            async arrayBuffer()
            {
                await new Promise(go => { held.push(go); open(); });
                return file.slice(from, to).arrayBuffer();
            },
        }),
        /* So many chunks more may be sent. */
        lets(more) { room += more; open(); },
    };
}

async function done(job, seconds = 60)
{
    await until('the upload to end', () => job.over, seconds);
    assert.deepEqual([job.state, job.error], ['done', '']);
    return job.track;
}

/* All of a track that `who` can have. */
async function heard(who, soul, options)
{
    const track = await who.tracks.load(soul);
    return { track, bytes: await bytes_of(await who.chunks.blob(track, options)) };
}

function upload_cases(suite, world)
{
    for (const via of ['http', 'gun']) {
        suite.test(`a file goes in by ${via}, and comes out by both, equal`, async t => {
            const ann = await world.person(t), eve = await world.visitor(t), file = song(via.length, 700_000);
            ann.uploads.via = via;
            const job = ann.uploads.add(file, { title: 'Noise', artist: 'Ann', seconds: 20, cover: 'data:image/png;base64,' + Buffer.alloc(300, 1).toString('base64') });
            const soul = await done(job);
            assert.deepEqual([job.total, job.sent, job.share], [chunks_of(file), job.total, 1]);
            const plain = await bytes_of(file);
            for (const how of ['http', 'gun']) {
                const { track, bytes } = await heard(eve, soul, { via: how });
                assert.equal(sha(bytes), sha(plain), how);
                assert.deepEqual([track.title, track.mime, track.bytes], ['Noise', 'audio/mpeg', file.size]);
                assert.match(await eve.covers.get(track.cover), /^data:image\/png/);
            }
            const { track } = await heard(eve, soul);
            const some = [];
            for await (const piece of eve.chunks.read(track, { via: 'gun', from: 3, to: 5 })) some.push(piece);
            assert.ok(Buffer.concat(some).equals(plain.subarray(3 * CHUNK, 5 * CHUNK)));
            const answer = await fetch(origin_of(world.relay) + eve.tracks.url(track), { headers: { Range: 'bytes=100-199' } });
            assert.ok(Buffer.from(await answer.arrayBuffer()).equals(plain.subarray(100, 200)));
            assert.deepEqual(await ann.browser.keeper.all(), [], 'nothing is kept of an upload that has ended');
        });

        suite.test(`killed with -9 at half of an upload by ${via}: it goes on by itself, and no chunk is sent twice`, async t => {
            const relay = await world.own_relay(t), ann = await world.person(t, { relay }), eve = await world.visitor(t, { relay });
            const file = gated(song(10 + via.length, 3_000_000)), n = chunks_of(file);
            ann.uploads.via = via;
            file.lets(n / 2 + 8);
            const states = new Set();
            const job = ann.uploads.add(file, { title: 'Broken' });
            ann.uploads.on('change', one => states.add(one.state));
            await until('half of it', () => job.sent >= n / 2);
            await relay.kill();
            file.lets(Infinity);
            await relay.start();
            const soul = await done(job);
            const { bytes } = await heard(eve, soul);
            assert.equal(sha(bytes), sha(await bytes_of(file)));
            /* What was on its way when the relay died was not acknowledged, and may be said again. */
            assert.ok(job.sent <= n, `${job.sent} sent of ${n}`);
            assert.equal(job.sent + job.known - n >= 0, true);
            console.log(`       ${n} chunks: ${job.sent} acknowledged here, ${job.known} found there at the end`);
        }, { seconds: 120 });

        suite.test(`a page closed at half of an upload by ${via}: the next page goes on with what is missing`, async t => {
            const relay = await world.own_relay(t), ann = await world.person(t, { relay }), file = gated(song(20 + via.length, 3_000_000));
            const n = chunks_of(file);
            ann.uploads.via = via;
            file.lets(n / 2 + 8);
            const job = ann.uploads.add(file, { title: 'Closed', artist: 'Ann' });
            await until('half of it', () => job.sent >= n / 2);
            ann.close();
            file.lets(Infinity);
            await until('it to be still', () => !job.busy);
            const before = job.sent;
            const next = ann.browser.page(t, origin_of(relay));
            next.uploads.via = via;
            await next.people.recall();
            await seen('the upload', () => next.uploads.jobs.length === 1);
            const again = next.uploads.jobs[0], soul = await done(again);
            assert.ok(again.known >= before, `${again.known} known, ${before} were acknowledged`);
            assert.equal(again.sent + again.known, n, 'each missing chunk once');
            const { track, bytes } = await heard(next, soul);
            assert.deepEqual([track.title, sha(bytes)], ['Closed', sha(await bytes_of(file))]);
        }, { seconds: 120 });
    }

    suite.test('an upload pauses, stays paused over a new page, and goes on', async t => {
        const ann = await world.person(t), file = gated(song(31, 4_000_000)), job = ann.uploads.add(file, {});
        file.lets(10);
        await until('a beginning', () => job.sent > 3);
        job.pause();
        file.lets(Infinity);
        await until('it to be still', () => !job.busy);
        const sent = job.sent;
        ann.close();
        const next = ann.browser.page(t, origin_of(world.relay));
        await next.people.recall();
        await seen('the upload', () => next.uploads.jobs.length === 1);
        const again = next.uploads.jobs[0];
        assert.equal(again.state, 'paused');
        again.resume();
        const soul = await done(again);
        assert.ok(again.known >= sent);
        assert.equal((await next.tracks.load(soul)).title, 'song', 'the name of the file, when nobody said another');
    });

    suite.test('an upload that is cancelled leaves no track and nothing kept', async t => {
        const ann = await world.person(t), file = gated(song(32, 3_000_000)), job = ann.uploads.add(file, { title: 'Never' });
        file.lets(10);
        await until('a beginning', () => job.sent > 3);
        job.cancel();
        file.lets(Infinity);
        await until('it to be still', () => !job.busy);
        assert.equal(job.state, 'cancelled');
        assert.deepEqual(await ann.browser.keeper.all(), []);
        assert.equal(ann.tracks.list.some(track => track.mine), false);
    });

    suite.test('an upload that is cancelled while it is being published is not published', async t => {
        const ann = await world.person(t), put = ann.covers.put;
        let go;
        const gone = new Promise(resolve => { go = resolve; });
        ann.covers.put = async picture => { await gone; return put(picture); };
        const job = ann.uploads.add(song(33, 100_000), { title: 'Never', cover: 'data:image/png;base64,AAAA' });
        await until('it to be published', () => job.state === 'publishing');
        job.cancel();
        go();
        await until('it to be still', () => !job.busy);
        assert.equal(job.state, 'cancelled');
        await ann.relay.settled();
        const eve = await world.visitor(t), soul = await ann.tracks.publish(some_track(9));
        await seen('what was put behind it', () => eve.tracks.get(soul));
        assert.deepEqual(eve.tracks.list.filter(track => track.pub === ann.people.me.pub).map(track => track.soul), [soul]);
    });

    suite.test('two read one track by GUN in one page, one of them breaks off: the other gets all of it', async t => {
        const ann = await world.person(t), eve = await world.visitor(t), file = song(34, 3_000_000);
        const track = await eve.tracks.load(await done(ann.uploads.add(file, {})));
        const [leaves, stays] = [eve, eve].map(who => who.chunks.read(track, { via: 'gun' })), pieces = [];
        await leaves.next();
        for (let i = 0; i < 8; i++) pieces.push((await stays.next()).value); /* so that all is there that the first asked for */
        const coming = stays.next();
        await leaves.return();
        pieces.push((await coming).value);
        for await (const piece of stays) pieces.push(piece);
        assert.equal(sha(Buffer.concat(pieces)), sha(await bytes_of(file)));
    });

    suite.test('a thousand and fifty chunks: a manifest in parts, by both ways', async t => {
        const ann = await world.person(t), eve = await world.visitor(t), file = song(40, 1050 * CHUNK - 5);
        const soul = await done(ann.uploads.add(file, {}), 120), track = await eve.tracks.load(soul);
        for (const via of ['http', 'gun']) {
            const some = [];
            const other = via === 'gun' ? await world.visitor(t) : eve;
            for await (const piece of other.chunks.read(track, { via, from: 1040 })) some.push(piece);
            assert.ok(Buffer.concat(some).equals((await bytes_of(file)).subarray(1040 * CHUNK)), via);
        }
    }, { seconds: 180, long: true });

    suite.test('where only allowed keys write, an upload of one goes in; a stranger has no account there', async t => {
        const open = await world.own_relay(t), ann = await world.person(t, { relay: open });
        await open.stop();
        await open.restart('kill', ['--write', 'closed', '--allow', ann.people.me.pub]);
        await seen('her to be back', () => ann.relay.online);
        const soul = await done(ann.uploads.add(song(50, 300_000), { title: 'Allowed', cover: 'data:image/png;base64,AAAA' }));
        const eve = await world.visitor(t, { relay: open });
        await seen('the track', () => eve.tracks.get(soul));
        await assert.rejects(eve.people.signUp('eve' + Date.now(), 'correct horse battery'), /does not take new accounts.*closed/);
    });

    suite.test('where only signed data is taken, all of it works', async t => {
        const relay = await world.own_relay(t, { args: ['--write', 'signed'] }), ann = await world.person(t, { relay }), eve = await world.visitor(t, { relay });
        const soul = await done(ann.uploads.add(song(51, 300_000), { title: 'Signed' }));
        const list = await ann.playlists.create('Signed list');
        await seen('both', () => eve.tracks.get(soul) && eve.playlists.list.some(one => one.soul === list));
        ann.presence.start();
        eve.presence.start();
        await seen('her', () => eve.presence.list.some(one => one.pub === ann.people.me.pub));
    });
}

function premium_cases(suite, world)
{
    for (const via of ['http', 'gun']) {
        suite.test(`premium by ${via}: a preview for all, all of it for whom the artist grants the key, byte for byte`, async t => {
            const ann = await world.person(t), bob = await world.person(t), eve = await world.visitor(t), file = song(60 + via.length, 1_000_000);
            const plain = await bytes_of(file);
            ann.uploads.via = via;
            const job = ann.uploads.add(file, { title: 'Gold', seconds: 100 }, { premium: true });
            const soul = await done(job), track = await bob.tracks.load(soul);
            assert.equal(track.premium, true);
            const raw = Buffer.from(await (await fetch(origin_of(world.relay) + bob.tracks.url(track))).arrayBuffer());
            assert.ok(!raw.includes(plain.subarray(300_000, 300_032)), 'what the relay has is not what was sung');

            assert.equal(await bob.premium.key(track), null);
            assert.equal(await eve.premium.key(track), null);
            const sample = (await heard(bob, soul, { via })).bytes, m = await bob.chunks.manifest(track, { via });
            assert.ok(sample.length >= plain.length / 5 && sample.length < plain.length / 3, `${sample.length} bytes of preview`);
            assert.equal(sample.length, bob.chunks.playable(m, null));
            assert.ok(plain.subarray(0, sample.length).equals(sample));
            const wrong = new Uint8Array(32);
            await assert.rejects(heard(bob, soul, { via, key: wrong }));

            const keys = [];
            t.after(bob.premium.watch(track, key => keys.push(key)));
            await ann.premium.grant(await ann.tracks.load(soul), bob.people.me.pub);
            await seen('the key', () => keys.at(-1));
            assert.equal(sha((await heard(bob, soul, { via, key: keys.at(-1) })).bytes), sha(plain));
            assert.deepEqual(await ann.premium.granted(track), [bob.people.me.pub]);
            assert.equal(await eve.premium.key(track), null);

            const elsewhere = await world.visitor(t);
            await elsewhere.people.signIn(ann.alias, 'correct horse battery');
            assert.equal(sha((await heard(elsewhere, soul, { via, key: await elsewhere.premium.key(track) })).bytes), sha(plain), 'the artist, on another device');
            await assert.rejects(bob.premium.grant(track, eve.people.me?.pub), /not yours/);
            await ann.premium.revoke(track, bob.people.me.pub);
            await seen('the key to be gone', () => keys.at(-1) === null);
        });
    }

    suite.test('what is said about a file may come late, may never come, and may be corrected while it is sent', async t => {
        const ann = await world.person(t);
        const late = ann.uploads.add(song(71, 100_000), new Promise(resolve => setTimeout(resolve, 300, { title: 'Late', seconds: 9 })), { premium: true, previewChunks: 2 });
        const never = ann.uploads.add(song(72, 100_000), Promise.reject(new Error('no tags')));
        late.update({ artist: 'Corrected' });
        const track = await ann.tracks.load(await done(late));
        assert.deepEqual([track.title, track.artist, track.seconds], ['Late', 'Corrected', 9]);
        assert.equal((await ann.chunks.manifest(track)).enc.preview.n, 2);
        assert.equal((await ann.tracks.load(await done(never))).title, 'song');
        late.update({ title: 'Too late' });
        assert.deepEqual(await ann.browser.keeper.all(), []);
    });

    suite.test('a piece that is not what its name says is never given out', async t => {
        const ann = await world.person(t), file = song(70, 200_000), soul = await done(ann.uploads.add(file, {}));
        const track = await ann.tracks.load(soul), eve = await world.visitor(t);
        const real = globalThis.fetch;
        t.after(() => { globalThis.fetch = real; });
        globalThis.fetch = async (url, options) => {
            const answer = await real(url, options);
            if (!options?.headers?.Range) return answer;
            const bytes = new Uint8Array(await answer.arrayBuffer());
            bytes[50_000] ^= 1;
            return new Response(bytes, { status: answer.status });
        };
        const got = [];
        await assert.rejects((async () => { for await (const piece of eve.chunks.read(track)) got.push(piece); })(), /not what its name says/);
        assert.equal(got.length, 1, 'the chunk before it is good');
        await assert.rejects(eve.chunks.manifest({ ...track, manifest: Buffer.alloc(32, 1).toString('base64') }));
    });
}

export function audio_cases(suite, world)
{
    upload_cases(suite, world);
    premium_cases(suite, world);
}
