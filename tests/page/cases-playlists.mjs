/* cases-playlists.mjs - one list, several editors: by certificate, at once, without a line. */
import { assert, chance, sleep, until } from '../tools/harness.mjs';
import { between, compare, isPlace, spread } from '../../web-demo/js/data/order.js';
import { origin_of, password, seen, some_track } from './world.mjs';

const seed = Number(process.env.SEED ?? 20_261_121);
const soul_of = (who, i) => `~${who.people.me.pub}/tracks/${some_track(i).root.slice(0, 16)}`;
const order_of = list => list.items.map(item => item.track.slice(-16) + item.id);
const titles = list => list.items.map(item => Number.parseInt(item.track.slice(-16, -8), 16));

function open(t, who, soul)
{
    const list = who.playlists.open(soul);
    t.after(() => list.close());
    return list;
}

/* A list of Ann's with `count` items, and Bob, who may edit it. */
async function shared(t, world, count, options = {})
{
    const ann = await world.person(t, options.ann), bob = await world.person(t, options.bob);
    const soul = await ann.playlists.create('Embers');
    const hers = open(t, ann, soul), his = open(t, bob, soul);
    for (let i = 0; i < count; i++) await hers.add(soul_of(ann, i));
    await hers.share(bob.people.me.pub);
    await seen('his right', () => his.canEdit && his.items.length === count);
    return { ann, bob, soul, hers, his };
}

async function same(lists, count)
{
    await seen('the same order everywhere', () => lists.every(list => list.items.length === count)
        && new Set(lists.map(list => order_of(list).join())).size === 1, 30);
}

function places(suite)
{
    suite.test(`between two places there is a third, ten thousand times (seed ${seed})`, async () => {
        const roll = chance(seed), all = [];
        for (let i = 0; i < 10_000; i++) {
            /* Mostly at the end, often at one spot, else anywhere. */
            const kind = roll(), at = kind < 0.5 ? all.length : kind < 0.7 ? Math.min(3, all.length) : Math.floor(roll() * (all.length + 1));
            const low = at ? all[at - 1] : '', high = at < all.length ? all[at] : null;
            const place = between(low, high, roll);
            assert.ok(isPlace(place) && place > low && (high === null || place < high), `${low} < ${place} < ${high}`);
            all.splice(at, 0, place);
            if (place.length > 60) all.splice(0, all.length, ...spread('', null, all.length, roll));
        }
        assert.ok(all.every((place, i) => i === 0 || all[i - 1] < place));
    });

    suite.test('a list of a thousand that grows at its end, or its beginning, keeps short places', async () => {
        assert.ok(Math.max(...spread('', null, 1000).map(place => place.length)) <= 8);
        let first = null;
        for (let i = 0; i < 1000; i++) first = between('', first);
        assert.ok(first.length <= 8);
    });

    suite.test('equal places are ordered by the id, whoever compares', async () => {
        const a = { id: 'a', place: 'V' }, b = { id: 'b', place: 'V' };
        assert.deepEqual([[a, b], [b, a]].map(pair => pair.sort(compare)[0].id), ['a', 'a']);
    });
}

/* What somebody does with a list, by chance. */
async function stir(list, roll, ann)
{
    const items = list.items, kind = roll();
    if (kind < 0.2 || items.length < 3) await list.add(soul_of(ann, Math.floor(roll() * 1000)), Math.floor(roll() * (items.length + 1)));
    else if (kind < 0.3) await list.take(items[Math.floor(roll() * items.length)].id);
    else await list.move(items[Math.floor(roll() * items.length)].id, Math.floor(roll() * items.length));
}

export function playlist_cases(suite, world)
{
    places(suite);

    suite.test('a playlist is made, renamed, filled, sorted, emptied and removed; a visitor sees each step', async t => {
        const ann = await world.person(t), eve = await world.visitor(t);
        const soul = await ann.playlists.create('First');
        const hers = open(t, ann, soul), seen_list = open(t, eve, soul);
        await seen('its name', () => seen_list.name === 'First' && eve.playlists.list.some(one => one.soul === soul && one.name === 'First'));
        await hers.rename('Second');
        await seen('its new name', () => seen_list.name === 'Second');
        const ids = [];
        for (let i = 0; i < 4; i++) ids.push(await hers.add(soul_of(ann, i)));
        await seen('four items', () => titles(seen_list).join() === '0,1,2,3');
        await hers.move(ids[3], 0);
        await seen('the last one first', () => titles(seen_list).join() === '3,0,1,2');
        await hers.move(ids[3], 2);
        await seen('it in the middle', () => titles(seen_list).join() === '0,1,3,2');
        await hers.take(ids[1]);
        await seen('one less', () => titles(seen_list).join() === '0,3,2');
        await ann.playlists.remove(soul);
        await seen('it to be gone', () => !eve.playlists.list.some(one => one.soul === soul));
    });

    suite.test('a change is on the other screen within a blink', async t => {
        const { hers, his } = await shared(t, world, 3);
        const began = performance.now();
        await Promise.all([hers.move(hers.items[2].id, 0), seen('the change', () => titles(his).join() === '2,0,1')]);
        console.log(`       moved and seen after ${Math.round(performance.now() - began)} ms`);
    });

    suite.test('whom the owner shares with may edit, nobody else, and no longer when it is taken back', async t => {
        const { ann, bob, soul, hers, his } = await shared(t, world, 3);
        const eve = await world.person(t), hers_of_eve = open(t, eve, soul);
        await seen('the list', () => hers_of_eve.items.length === 3);
        assert.equal(hers_of_eve.canEdit, false);
        await assert.rejects(hers_of_eve.add(soul_of(ann, 9)), /not shared with you/);
        await his.add(soul_of(ann, 7));
        await assert.rejects(his.rename('By Bob'), /Only its owner/);
        await seen('his track', () => titles(hers).includes(7));
        assert.ok(bob.playlists.list.find(one => one.soul === soul)?.canEdit);
        assert.deepEqual(hers.editors, [bob.people.me.pub]);

        const old = (await bob.relay.read(`~${ann.people.me.pub}/editors/${hers.id}`, bob.people.me.pub)).slice('certificate '.length);
        await hers.unshare(bob.people.me.pub);
        await seen('his right to be gone', () => !his.canEdit && his.items.length === 4);
        await assert.rejects(his.take(his.items[0].id), /not shared with you/);
        assert.deepEqual(hers.editors, []);
        const late = await world.visitor(t), read = open(t, late, soul);
        await seen('what he added stays, also for whoever comes later', () => titles(read).includes(7) && read.items.length === 4);

        /* His old certificate is good for ever, and opens a room that nobody looks into. */
        const item = JSON.stringify({ t: soul_of(ann, 66), p: 'V' });
        assert.equal(await bob.relay.putAll(soul + '/items', { sneaked23456: item }, { cert: old }), 'saved');
        await sleep(300);
        const later = open(t, await world.visitor(t), soul);
        await seen('the list, by who comes last', () => titles(later).includes(7) && later.items.length === 4);
        for (const list of [hers, read, later]) assert.ok(list.items.length === 4 && !titles(list).includes(66));

        await hers.share(bob.people.me.pub);
        await seen('his right to be back', () => his.canEdit);
        await his.add(soul_of(ann, 8));
        await seen('his second track', () => titles(hers).includes(8));
    });

    suite.test('who opens a list and adds to it in the same breath adds to its end, an editor too', async t => {
        const { ann, bob, soul } = await shared(t, world, 30);
        const there = ann.browser.page(t, origin_of(world.relay));
        await there.people.recall();
        await open(t, there, soul).add(soul_of(ann, 100));
        const his = (await world.visitor(t)), list = open(t, his, soul);
        await his.people.signIn(bob.alias, password);
        await open(t, his, soul).add(soul_of(ann, 101));
        await seen('both at the end', () => titles(list).slice(-2).join() === '100,101' && list.items.length === 32);
    });

    suite.test('a certificate for one list opens no other, and no track', async t => {
        const { ann, bob, soul, hers } = await shared(t, world, 1);
        const other = await ann.playlists.create('Private');
        const cert = await bob.relay.read(`~${ann.people.me.pub}/editors/${hers.id}`, bob.people.me.pub);
        const text = cert.slice('certificate '.length);
        const closed = [`${other}/items`, soul, `${soul}/itemsx`, `~${ann.people.me.pub}/shelf`, `~${ann.people.me.pub}/editors/${hers.id}`];
        for (const where of closed) {
            await bob.relay.putAll(where, { x: 'mine' }, { cert: text }).catch(() => {});
        }
        await sleep(500);
        const eve = await world.visitor(t);
        for (const where of closed) {
            assert.equal(await eve.relay.read(where, 'x'), undefined, where);
        }
    });

    suite.test('two who move the same and other items at once end with the same order', async t => {
        const { hers, his } = await shared(t, world, 8);
        const [a, b, c] = hers.items.map(item => item.id);
        await Promise.all([hers.move(a, 7), his.move(a, 3), hers.move(b, 0), his.move(c, 0), hers.move(c, 5), his.add(hers.items[4].track, 2), hers.add(hers.items[5].track, 2)]);
        await same([hers, his], 10);
    });

    suite.test(`random edits of two at once, ten rounds: the same order for both and for a third (seed ${seed})`, async t => {
        const { ann, soul, hers, his } = await shared(t, world, 10);
        const roll = chance(seed);
        for (let round = 0; round < (t.long ? 40 : 10); round++) {
            await Promise.all([hers, his, hers, his].map(async list => { await sleep(roll() * 10); await stir(list, roll, ann); }));
        }
        await until('both alike', () => order_of(hers).join() === order_of(his).join());
        const eve = await world.visitor(t), third = open(t, eve, soul);
        await same([hers, his, third], hers.items.length);
    }, { seconds: 180 });

    suite.test(`random edits while one has no line: the same order when it is back (seed ${seed})`, async t => {
        const line = await world.line(t);
        const { ann, bob, soul, hers, his } = await shared(t, world, 8, { bob: { origin: `http://127.0.0.1:${line.port}` } });
        const roll = chance(seed + 1);
        for (let round = 0; round < (t.long ? 6 : 2); round++) {
            line.sever();
            await seen('Bob to notice', () => !bob.relay.online);
            for (let i = 0; i < 6; i++) await Promise.all([stir(hers, roll, ann), stir(his, roll, ann)]);
            assert.ok(bob.relay.waiting > 0, 'what he wrote waits');
            line.mend();
            await seen('Bob to be back', () => bob.relay.online && bob.relay.waiting === 0, 30);
            await until('both alike', () => order_of(hers).join() === order_of(his).join(), 30);
        }
        const eve = await world.visitor(t), third = open(t, eve, soul);
        await same([hers, his, third], hers.items.length);
    }, { seconds: 180 });
}
