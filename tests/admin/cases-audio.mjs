/* cases-audio.mjs - audio that is here: listed, pinned, collected, charged to somebody. */
import { assert, fresh, until } from '../tools/harness.mjs';
import { open_raw, put_of } from '../tools/raw.mjs';
import { make_pair, signed } from '../tools/signer.mjs';
import { make_track, nodes_of, noise, publish, put_all } from '../audio/track.mjs';
import { begin_tool, done, figures, lines, relay_of, scratch, tool } from './tool.mjs';

const track_of = seed => make_track(noise(seed, 100_000), { mime: 'audio/mpeg' });
const link_of = track => ({ '#': `audio/${track.root}#m` });

async function put(relay, soul, key, value, more = {})
{
    const raw = await open_raw(relay.ws_url);
    const ack = await raw.ask({ ...put_of(fresh('p'), soul, { [key]: [value, Date.now()] }), ...more });
    await raw.close();
    return ack;
}

async function put_signed(relay, who, soul, key, value)
{
    const raw = await open_raw(relay.ws_url);
    const state = Date.now();
    const ack = await raw.ask(put_of(fresh('p'), soul, { [key]: [signed(who, soul, key, value, state), state] }));
    await raw.close();
    return ack;
}

async function list(folder)
{
    return lines(await done(['audio', 'ls', folder]));
}

/* The roots that a collection names, and its sums. */
async function collect(folder, ...words)
{
    const all = (await done(['audio', 'gc', folder, ...words])).split('\n');
    const went = all.filter(line => line.startsWith('{')).map(line => JSON.parse(line).root);
    return { went, ...figures(all.filter(line => !line.startsWith('{')).join('\n')) };
}

async function has(relay, track)
{
    const answer = await fetch(relay.http(track.path));
    if (answer.status === 404) return false;
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), track.stored);
    return true;
}

/* A grace of nothing is over when the clock has gone on. */
const tick = () => new Promise(resolve => setTimeout(resolve, 5));

async function is_well(relay)
{
    await relay.stop();
    assert.match(await done(['check', relay.data]), /^damaged 0$/m);
}

export function audio_cases(admin)
{
    admin.test('audio is listed with what is known of it', async t => {
        const relay = await relay_of(t);
        const track = track_of(1), half = track_of(2), pub = make_pair().pub;
        assert.deepEqual(await list(relay.data), []);
        await publish(relay, track);
        await put_all(relay, nodes_of(half).slice(0, 2));
        await put(relay, 'tracks/1', 'audio', link_of(track));
        await done(['audio', 'pin', relay.data, track.root]);
        const found = Object.fromEntries((await list(relay.data)).map(one => [one.root, one]));
        const { seen, stored, ...rest } = found[track.root];
        assert.deepEqual(rest, { root: track.root, mime: 'audio/mpeg', bytes: 100_000, chunks: 3, of: 3, rows: 4, links: 1, pins: ['operator'] });
        assert.ok(seen < 60 && stored > 133_000 && stored < 135_000, `${seen} ${stored}`);
        assert.deepEqual([found[half.root].chunks, found[half.root].of, found[half.root].links], [2, undefined, 0]);
        assert.ok(pub);
        await relay.stop();
        assert.deepEqual((await list(relay.data)).map(one => one.root).sort(), [track.root, half.root].sort());
    });

    admin.test('what nothing names is collected, and may be put again at once', async t => {
        const relay = await relay_of(t);
        const [kept, lost] = [track_of(3), track_of(4)];
        await publish(relay, kept, lost);
        await put(relay, 'tracks/1', 'audio', link_of(kept));
        assert.deepEqual((await collect(relay.data)).went, [], 'within its grace');
        await tick();
        const dry = await collect(relay.data, '--grace', '0', '--dry-run');
        assert.deepEqual([dry.went, dry.roots, dry.rows, dry.dry_run], [[lost.root], '1', '4', 'true']);
        assert.ok(await has(relay, lost), 'a dry run removed something');
        for (let i = 0; i < 3; i++) {
            const real = await collect(relay.data, '--grace', '0');
            assert.deepEqual([real.went, real.rows, real.stored], [[lost.root], '4', dry.stored]);
            assert.equal(await has(relay, lost), false);
            assert.ok(await has(relay, kept));
            await publish(relay, lost);
            assert.ok(await has(relay, lost));
            await tick();
        }
        await relay.restart('kill');
        assert.ok(await has(relay, lost));
        /* Counted when the journal has been folded. */
        await until('two pieces in /metrics', async () => /^brasa_store_roots 2$/m.test(await (await fetch(relay.http('/metrics'))).text()));
        await is_well(relay);
    });

    admin.test('of two publishers one copy is kept, until both have unlinked it', async t => {
        const relay = await relay_of(t);
        const track = track_of(5), ann = make_pair();
        const mine = `~${ann.pub}/tracks/x`;
        await publish(relay, track);
        await publish(relay, track);
        await put(relay, 'tracks/1', 'audio', link_of(track));
        assert.equal((await put_signed(relay, ann, mine, 'audio', link_of(track))).err, undefined);
        const [one, ...others] = await list(relay.data);
        assert.deepEqual([one.rows, one.links, one.charged, others.length], [4, 2, '~' + ann.pub, 0]);
        await put(relay, 'tracks/1', 'audio', null);
        await tick();
        assert.deepEqual((await collect(relay.data, '--grace', '0')).went, []);
        assert.equal((await put_signed(relay, ann, mine, 'audio', null)).err, undefined);
        assert.deepEqual((await collect(relay.data)).went, [], 'the grace begins with the last link');
        await tick();
        assert.deepEqual((await collect(relay.data, '--grace', '0')).went, [track.root]);
        await is_well(relay);
    });

    admin.test('what is pinned stays, and the pin is in a backup', async t => {
        const relay = await relay_of(t), where = scratch(t);
        const track = track_of(6);
        await publish(relay, track);
        assert.deepEqual(figures(await done(['audio', 'pin', relay.data, track.root])), { pinned: 'true', before: 'false' });
        await tick();
        assert.deepEqual((await collect(relay.data, '--grace', '0')).went, []);
        assert.equal(figures(await done(['backup', relay.data, where('b')])).pins, '1');
        assert.equal(figures(await done(['restore', where('b'), where('restored')])).pins, '1');
        await tick();
        assert.deepEqual((await collect(where('restored'), '--grace', '0')).went, []);
        assert.equal(figures(await done(['audio', 'unpin', where('restored'), track.root])).before, 'true');
        await tick();
        assert.deepEqual((await collect(where('restored'), '--grace', '0')).went, [track.root]);
        assert.match(await done(['check', where('restored')]), /^damaged 0$/m);
        await done(['audio', 'unpin', relay.data, track.root]);
        await tick();
        assert.deepEqual((await collect(relay.data, '--grace', '0')).went, [track.root]);
    });

    admin.test('an owner pins by a signed value, when its key is allowed', async t => {
        const [ann, bob] = [make_pair(), make_pair()];
        const relay = await relay_of(t, ['--allow', ann.pub]);
        const [of_ann, of_bob] = [track_of(7), track_of(8)];
        await publish(relay, of_ann, of_bob);
        assert.equal((await put_signed(relay, ann, `~${ann.pub}/pins`, of_ann.root, true)).err, undefined);
        assert.equal((await put_signed(relay, bob, `~${bob.pub}/pins`, of_bob.root, true)).err, undefined);
        await tick();
        assert.deepEqual((await collect(relay.data, '--grace', '0')).went, [of_bob.root]);
        const [one] = await list(relay.data);
        assert.deepEqual([one.pins, one.charged], [['~' + ann.pub], '~' + ann.pub]);
        assert.equal((await put_signed(relay, ann, `~${ann.pub}/pins`, of_ann.root, null)).err, undefined);
        await tick();
        assert.deepEqual((await collect(relay.data, '--grace', '0')).went, [of_ann.root]);
        await is_well(relay);
    });

    admin.test('a bitmap that was told and an ok for what was here renew the grace', async t => {
        const relay = await relay_of(t, ['--limit', 'audio-grace-ms=48000']); // renewals are noted every 2 s
        const [told, put_again, forgotten] = [track_of(9), track_of(10), track_of(11)];
        await publish(relay, told, put_again, forgotten);
        await collect(relay.data, '--grace', '1000');
        const seen = async track => (await list(relay.data)).find(one => one.root === track.root).seen;
        await until('four seconds have passed', async () => await seen(forgotten) >= 4);
        const have = await (await fetch(relay.http(told.path + '/have'))).json();
        assert.equal(have.have, 3);
        await put_all(relay, nodes_of(put_again).slice(1, 2));
        await until('what was told is noted', async () => await seen(told) < 4 && await seen(put_again) < 4);
        assert.ok(await seen(forgotten) >= 4);
        assert.deepEqual((await collect(relay.data, '--grace', '4')).went, [forgotten.root]);
    });

    /* Each track comes again and again at the moment when it goes. What is acknowledged is
     * there for a grace; a machine that takes longer than that to look proves nothing. */
    admin.test('what is put while it is collected is there, when it is acknowledged', async t => {
        const grace = 1500;
        const relay = await relay_of(t, ['--limit', `audio-grace-ms=${grace}`, '--limit', 'audio-pass-ms=40']);
        const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
        let looked = 0, went = 0;
        const live = async seed => {
            const track = track_of(seed);
            for (let round = 0; round < 5; round++) {
                const begun = Date.now();
                await publish(relay, track);
                const here = await has(relay, track);
                if (Date.now() - begun < grace) {
                    assert.ok(here, `round ${round} of ${seed}: gone after ${Date.now() - begun} ms`);
                    looked++;
                }
                await pause(grace + 15 * seed);
                if (!await has(relay, track)) went++;
            }
        };
        await Promise.all([50, 51, 52, 53, 54, 55].map((seed, i) => pause(100 * i).then(() => live(seed))));
        assert.ok(looked > 0 && went > 0, `${looked} looks, ${went} went`);
        await relay.restart('kill');
        await is_well(relay);
    });

    admin.test('when the quota is nearly used, what may go goes at once, and nothing else', async t => {
        const relay = await relay_of(t);
        const [named, lost] = [track_of(60), track_of(61)];
        await publish(relay, named, lost);
        await put(relay, 'tracks/1', 'audio', link_of(named));
        await relay.stop();
        const full = begin_tool(['serve', '--listen', '127.0.0.1:0', '--data', relay.data,
            '--limit', 'hash-bytes=270000', '--limit', 'audio-grace-ms=1']);
        t.after(() => full.child.kill('SIGKILL'));
        await until('the server has come', () => full.said().includes('ready'));
        await until('there is room', async () => (await list(relay.data)).length === 1);
        assert.equal((await list(relay.data))[0].root, named.root);
        full.child.kill('SIGTERM');
        await full.ended;
        assert.match(await done(['check', relay.data]), /^damaged 0$/m);
    });

    admin.test('an upload leaves nothing but its track', async t => {
        const relay = await relay_of(t);
        const bytes = noise(12, 300_000);
        const answer = await fetch(relay.http('/audio?type=audio/mpeg'), { method: 'POST', body: bytes });
        assert.equal(answer.status, 201);
        const { root } = await answer.json();
        await until('the soul of the upload is gone', async () => (await list(relay.data)).length === 1);
        const [one] = await list(relay.data);
        assert.deepEqual([one.root, one.chunks], [root, 9]);
        assert.deepEqual(Buffer.from(await (await fetch(relay.http(`/audio/${root}`))).arrayBuffer()), bytes);
        await is_well(relay);
    });

    admin.test('nobody has more than uploader-bytes, but with a token', async t => {
        const relay = await relay_of(t, ['--trust-proxy', '127.0.0.0/8', '--limit', 'uploader-bytes=200000', '--write-token', 'correct-horse']);
        const post = (seed, from, more = {}) => fetch(relay.http('/audio'), {
            method: 'POST', body: noise(seed, 90_000), headers: { 'X-Forwarded-For': from, ...more },
        });
        assert.equal((await post(20, '192.0.2.1')).status, 201);
        await until('it is charged', async () => (await list(relay.data)).some(one => one.charged === '192.0.2.1' && one.root));
        await until('the soul of the upload is gone', async () => (await list(relay.data)).length === 1);
        const second = await post(21, '192.0.2.1');
        assert.equal(second.status, 507);
        assert.match(await second.text(), /^quota: this address/);
        assert.equal((await post(21, '192.0.2.1', { Authorization: 'Bearer correct-horse' })).status, 201);
        assert.equal((await post(22, '192.0.2.2')).status, 201);
        assert.equal((await post(23, '2001:db8::5')).status, 201);
        await until('all are charged', async () => (await list(relay.data)).filter(one => one.root && one.charged).length === 4);
        const addresses = (await list(relay.data)).map(one => one.charged).sort();
        assert.deepEqual(addresses, ['192.0.2.1', '192.0.2.1', '192.0.2.2', '2001:db8::/64']);
        await is_well(relay);
    });

    admin.test('a key signs no link that would give it more than uploader-bytes', async t => {
        const relay = await relay_of(t, ['--limit', 'uploader-bytes=200000']);
        const ann = make_pair(), space = `~${ann.pub}/tracks/x`;
        const [first, second] = [track_of(30), track_of(31)];
        await publish(relay, first, second);
        await list(relay.data); // it is folded
        assert.equal((await put_signed(relay, ann, space, 'a', link_of(first))).err, undefined);
        await list(relay.data);
        assert.match((await put_signed(relay, ann, space, 'b', link_of(second))).err, /^quota: this key/);
        assert.match((await put_signed(relay, ann, `~${ann.pub}/pins`, second.root, true)).err, /^quota: this key/);
        assert.equal((await put_signed(relay, ann, space, 'c', link_of(first))).err, undefined, 'it has that already');
        assert.equal((await put_signed(relay, ann, space, 'a', null)).err, undefined);
    });

    admin.test('nobody puts what the manifest does not name under the root of another', async t => {
        const relay = await relay_of(t, ['--limit', 'uploader-bytes=1000000']);
        const track = track_of(40), [junk] = track_of(41).chunks;
        const stray = { ...junk, soul: track.chunks[0].soul };
        await publish(relay, { ...track, manifest_put: track.chunks[0] });
        assert.equal((await put(relay, stray.soul, '000001#' + stray.hash, stray.text)).err, undefined, 'no manifest is here yet');
        await put_all(relay, [track.manifest_put]);
        assert.match((await put(relay, stray.soul, '000002#' + stray.hash, stray.text)).err, /^quota: no manifest/);
        assert.equal((await put(relay, track.chunks[1].soul, track.chunks[1].key, track.chunks[1].text)).err, undefined);
        const hex = '000001#' + Buffer.from(track.chunks[1].hash, 'base64').toString('hex');
        assert.equal((await put(relay, track.chunks[1].soul, hex, track.chunks[1].text)).err, undefined);
        const other = await make_track(noise(40, 100_000), { mime: 'audio/flac' });
        assert.equal(other.root, track.root);
        await put_all(relay, nodes_of(other));
    });

    admin.test('wrong words are explained', async t => {
        const folder = scratch(t)('none');
        assert.match((await tool(['audio'])).err, /^usage: brasa audio /);
        assert.match((await tool(['audio', 'pin', folder, 'ABC'])).err, /is no root/);
        assert.match((await tool(['audio', 'gc', folder, '--grace', 'x'])).err, /is no number of seconds/);
        assert.match((await tool(['audio', 'ls', folder])).err, /there is no store/);
    });
}
