/* cases-live.mjs - who is here now, and writes that wait for the line. */
import { assert, sleep, until } from '../tools/harness.mjs';
import { origin_of, seen, some_track } from './world.mjs';

const at = (who, other) => who.presence.list.find(one => one.pub === other.people.me.pub && !one.mine);

function presence_cases(suite, world)
{
    suite.test('who is here is seen by the others, with what they listen to, and is gone when they leave', async t => {
        const ann = await world.person(t), bob = await world.person(t);
        const track = `~${ann.people.me.pub}/tracks/${some_track(1).root.slice(0, 16)}`;
        for (const one of [ann, bob]) one.presence.start();
        await seen('each other', () => at(ann, bob) && at(bob, ann));
        assert.equal(at(ann, bob).playing, false);
        bob.presence.say({ track, playing: true });
        await seen('what Bob hears', () => at(ann, bob)?.track === track && at(ann, bob).playing);
        bob.presence.stop();
        await seen('Bob to be gone', () => !at(ann, bob));
        assert.ok(ann.presence.list.some(one => one.mine));
    });

    suite.test('who vanishes is gone after fifteen seconds, and who signs out has no name', async t => {
        const ann = await world.person(t), bob = await world.person(t), cid = await world.person(t);
        for (const one of [ann, bob, cid]) one.presence.start();
        await seen('both', () => at(ann, bob) && at(ann, cid));
        const pub = cid.people.me.pub;
        cid.people.signOut();
        await seen('a guest', () => ann.presence.list.some(one => one.pub === '') && !ann.presence.list.some(one => one.pub === pub));
        bob.relay.close(); /* no word of leaving */
        const began = performance.now();
        await seen('Bob to be gone', () => !at(ann, bob), 40);
        assert.ok(performance.now() - began > 5000, 'not before he was silent for a while');
        assert.ok(ann.presence.list.some(one => one.pub === ''), 'the guest is still there');
    }, { beside: true, seconds: 90 });

    suite.test('nobody is here by somebody else\'s word', async t => {
        const ann = await world.person(t), bob = await world.person(t), eve = await world.visitor(t);
        for (const one of [ann, bob]) one.presence.start();
        await seen('Bob', () => at(ann, bob));
        let words;
        eve.relay.watch('/live/lobby<?15', node => { words = Object.values(node).find(text => text?.includes(bob.people.me.pub)) ?? words; });
        await seen('what he said', () => words);
        const put = (session, value) => eve.relay.meta.get('/live/lobby<?15').get(session).put(value);
        put('eve111111111', words);                                     /* Bob's words in another session */
        put('eve222222222', JSON.stringify({ pub: bob.people.me.pub, d: JSON.stringify({ s: 'eve222222222', at: Date.now() }) }));
        put('eve333333333', 'no JSON');
        put('eve444444444', JSON.stringify({ d: JSON.stringify({ s: 'eve444444444', t: '<script>', p: true }) }));
        await seen('a guest that hears nothing', () => ann.presence.list.some(one => one.session === 'eve444444444' && one.track === '' && !one.playing));
        bob.presence.say({ track: `~${bob.people.me.pub}/tracks/abc`, playing: true });
        await seen('what Bob said behind them', () => at(ann, bob)?.playing); /* so that hers, too, are judged */
        assert.deepEqual(ann.presence.list.filter(one => one.session.startsWith('eve')).map(one => one.session), ['eve444444444']);
    });
}

/* An edit made while there is no relay is on the other screen when there is one again. */
async function away(t, world, seconds)
{
    const relay = await world.own_relay(t), ann = await world.person(t, { relay }), eve = await world.visitor(t, { relay });
    const soul = await ann.tracks.publish(some_track(1));
    await seen('the track', () => eve.tracks.get(soul));
    await relay.kill();
    await seen('her page to notice', () => !ann.relay.online);
    await ann.tracks.edit(soul, { title: 'Written in a tunnel' });
    const list = await ann.playlists.create('Made in a tunnel');
    assert.ok(ann.relay.waiting >= 3);
    await until('her own screen', () => ann.tracks.get(soul).title === 'Written in a tunnel');
    await sleep(seconds * 1000);
    await relay.start();
    await seen('the edit', () => eve.tracks.get(soul).title === 'Written in a tunnel', 30);
    await seen('the playlist', () => eve.playlists.list.some(one => one.soul === list && one.name === 'Made in a tunnel'), 30);
    await seen('nothing to wait', () => ann.relay.waiting === 0);
    const late = await world.visitor(t, { relay });
    await seen('a third', () => late.tracks.get(soul)?.title === 'Written in a tunnel');
}

function offline_cases(suite, world)
{
    for (const [seconds, long] of [[1, false], [10, false], [70, true]]) {
        suite.test(`what is written while the relay is away for ${seconds} s arrives when it is back`, t => away(t, world, seconds), { beside: true, long, seconds: seconds + 120 });
    }

    suite.test('what was written without a line arrives from the next page, when that one was closed', async t => {
        const relay = await world.own_relay(t), line = await world.line(t, relay);
        const ann = await world.person(t, { relay, origin: `http://127.0.0.1:${line.port}` });
        line.sever();
        await seen('her page to notice', () => !ann.relay.online);
        const soul = await ann.playlists.create('Closed too soon');
        const list = ann.playlists.open(soul);
        await list.add(`~${ann.people.me.pub}/tracks/abc`);
        ann.close();
        assert.ok(Array.from({ length: ann.browser.local.length }, (_, i) => ann.browser.local.key(i)).some(name => name.startsWith('brasa/outbox/')));
        line.mend();
        const next = ann.browser.page(t, origin_of(relay)), eve = await world.visitor(t, { relay });
        const there = eve.playlists.open(soul);
        t.after(() => there.close());
        await seen('the list', () => there.name === 'Closed too soon' && there.items.length === 1);
        await seen('nothing to be left', () => next.relay.waiting === 0
            && !Array.from({ length: ann.browser.local.length }, (_, i) => ann.browser.local.key(i)).some(name => name.startsWith('brasa/outbox/')));
    });

    suite.test('a page finds what others left, whatever else lies beside it', async t => {
        const ann = await world.person(t), pub = ann.people.me.pub, browser = ann.browser, line = await world.line(t);
        line.sever();
        const first = browser.page(t, `http://127.0.0.1:${line.port}`);
        await first.people.recall();
        await first.relay.put(`~${pub}/playlists/lost`, 'name', 'Found again');
        await first.relay.put(`~${pub}/playlists/lost`, 'big', 'x'.repeat(1_500_000));
        await first.relay.put(`~${pub}/playlists/lost`, 'too big', 'x'.repeat(1_500_000)); /* more than localStorage is asked to keep */
        assert.ok(first.relay.waiting >= 3);
        first.close();
        for (const [i, text] of ['not JSON', '7', '[null, 7, {"x": 1}]', '{}'].entries()) browser.local.setItem('brasa/outbox/broken' + i, text);
        const second = browser.page(t, origin_of(world.relay)), eve = await world.visitor(t);
        await seen('nothing to wait', () => second.relay.online && second.relay.waiting === 0);
        assert.equal(await eve.relay.read(`~${pub}/playlists/lost`, 'name', { ms: 10_000 }), 'Found again');
        assert.equal((await eve.relay.read(`~${pub}/playlists/lost`, 'big')).length, 1_500_000);
        assert.equal(await eve.relay.read(`~${pub}/playlists/lost`, 'too big'), undefined);
        await seen('nothing to be left', () => !Array.from({ length: browser.local.length }, (_, i) => browser.local.key(i)).some(name => name.startsWith('brasa/outbox/')));
    });

    suite.test('a page has two connections, after breaks too, however long they are', async t => {
        const line = await world.line(t), ann = await world.person(t, { origin: `http://127.0.0.1:${line.port}` });
        const both = () => ann.relay.online && ann.relay.streams;
        await seen('both', both);
        for (const away_ms of [0, 1000, 2500, 6000]) {
            line.sever();
            await seen('her to notice', () => !ann.relay.online);
            await sleep(away_ms);
            line.mend();
            await seen('her to be back', both);
            await sleep(3000); /* who else wanted to try has tried */
            assert.ok(both());
            assert.equal(line.connections, 2, `away for ${away_ms} ms`);
        }
    }, { beside: true, seconds: 120 });

    suite.test('a page gives up a connection that nobody answers, and has two again', async t => {
        const line = await world.line(t), ann = await world.person(t, { origin: `http://127.0.0.1:${line.port}` });
        const both = () => ann.relay.online && ann.relay.streams;
        await seen('both', both);
        line.swallow();
        await seen('her to notice', () => !ann.relay.online && line.connections === 0);
        await seen('two tries', () => line.connections === 2);
        line.mend();
        await seen('her to be back', both, 40);
        assert.equal(line.connections, 2);
    }, { beside: true });

    suite.test('what is let go of just after a break does not stop gun from asking again for the rest', async t => {
        const line = await world.line(t), ann = await world.person(t), eve = await world.visitor(t, { origin: `http://127.0.0.1:${line.port}` });
        const soul = i => `~${ann.people.me.pub}/notes/${i}`, last = soul('last');
        await seen('eve', () => eve.relay.streams);
        const offs = Array.from({ length: 200 }, (_, i) => eve.relay.watch(soul(i), () => {}, { stream: true }));
        let heard;
        t.after(eve.relay.watch(last, node => { heard = node.text; }, { stream: true }));
        line.sever();
        await seen('eve to notice', () => !eve.relay.streams);
        const { hold } = setTimeout;
        t.after(() => { setTimeout.hold = hold; });
        setTimeout.hold = -1; /* one turn of gun's at a time, as on a slow phone */
        eve.relay.stream.on('hi', function hear(peer) {
            this.to.next(peer);
            setImmediate(() => { for (const off of offs.splice(0)) off(); });
        });
        line.mend();
        await seen('her to be back', () => eve.relay.streams && offs.length === 0);
        await ann.relay.put(last, 'text', 'still heard');
        await seen('the last one', () => heard === 'still heard');
    }, { beside: true });

    suite.test('of two values that come at once the later is shown, also when the signature of the older takes longer', async t => {
        const relay = await world.own_relay(t), ann = await world.person(t, { relay }), eve = await world.visitor(t, { relay });
        const soul = `~${ann.people.me.pub}/notes`, told = [];
        await ann.relay.put(soul, 'first', 'here');
        t.after(eve.relay.watch(soul, node => told.push({ ...node })));
        await seen('the node', () => told.at(-1)?.first === 'here');
        const { SEA } = ann.world, verify = SEA.verify;
        t.after(() => { SEA.verify = verify; });
        const there = ann.browser.page(t, origin_of(relay)); /* her other device: it has not heard what this one says */
        await there.people.recall();
        const put = (who, key, value, state) => new Promise(resolve => who.relay.meta.get(soul).get(key).put(value, ack => ack.ok === true && resolve(), { state, acks: 9 }));
        const now = Date.now();
        /* Later by its state, or with one state by its text. */
        for (const [key, first, second] of [['k', now, now + 1], ['tie', now, now]]) {
            let held = null;
            SEA.verify = (data, pair, then, options) => {
                if (!JSON.stringify(data).includes('a, the older')) return verify(data, pair, then, options);
                held = () => verify(data, pair, then, options);
            };
            await put(ann, key, 'a, the older', first);
            await seen('its signature to be looked at', () => held !== null);
            SEA.verify = verify;
            await put(there, key, 'b, the later', second);
            await seen('the later one', () => told.at(-1)[key] === 'b, the later');
            held();
        }
        await ann.relay.put(soul, 'last', 'here, too');
        await seen('all', () => told.at(-1).last === 'here, too');
        await sleep(300);
        assert.deepEqual(told.at(-1), { first: 'here', k: 'b, the later', tie: 'b, the later', last: 'here, too' });
    });

    suite.test('of two who wrote one thing, one of them without a line, the later wins for both', async t => {
        const relay = await world.own_relay(t), line = await world.line(t, relay), ann = await world.person(t, { relay });
        const there = ann.browser.page(t, `http://127.0.0.1:${line.port}`); /* her other device */
        await there.people.recall();
        const soul = await ann.playlists.create('One');
        const [here_list, there_list] = [ann, there].map(page => page.playlists.open(soul));
        await seen('the name', () => there_list.name === 'One');
        line.sever();
        await seen('it to notice', () => !there.relay.online);
        await there_list.rename('Two, without a line');
        await sleep(20);
        await here_list.rename('Three');
        line.mend();
        await seen('the later one', () => there_list.name === 'Three' && there.relay.waiting === 0);
        await sleep(300);
        assert.equal(here_list.name, 'Three');
    });

    suite.test('a write that the relay refuses is told, in its words', async t => {
        const relay = await world.own_relay(t, { args: ['--write', 'signed'] }), ann = await world.person(t, { relay });
        const refused = [];
        ann.relay.on('refused', what => refused.push(what));
        await assert.rejects(ann.relay.put('nobody', 'key', 'x'), /unsigned: this relay takes signed writes only/);
        await seen('it', () => refused.length === 1);
        assert.deepEqual([refused[0].soul, refused[0].key], ['nobody', 'key']);
        assert.match(refused[0].err, /^unsigned: this relay takes signed writes only/);
        assert.equal(ann.relay.waiting, 0);
    });

    suite.test('page and relay agree on the time', async t => {
        const ann = await world.visitor(t);
        await seen('the difference', () => Number.isFinite(ann.relay.skewMs));
        assert.ok(Math.abs(ann.relay.skewMs) < 5000);
    });

    suite.test('status: peers and bytes are counted, writes are a rate', async t => {
        const ann = await world.person(t);
        ann.status.start();
        await seen('a sample', () => ann.status.samples.length > 0);
        assert.equal(ann.status.writeMode, 'open');
        assert.ok(ann.status.samples[0].peers > 0 && ann.status.samples[0].bytes > 0);
        for (let i = 0; i < 20; i++) await ann.relay.put('a', 'k' + i, i);
        await seen('the rate', () => ann.status.samples.some(one => one.writes > 0));
        ann.status.stop();
    });
}

export function live_cases(suite, world)
{
    presence_cases(suite, world);
    offline_cases(suite, world);
}
