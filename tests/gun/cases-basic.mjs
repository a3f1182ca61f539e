/* cases-basic.mjs - what every app does: put, once, on, map, set, links, null. */
import { assert, fresh } from '../tools/harness.mjs';

export function basic_cases(gun, world)
{
    gun.test('a put is acknowledged and another client reads it', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('hello');
        assert.deepEqual(await ann.put([soul, 'word'], 'world'), { ok: true, err: undefined });
        assert.equal(await bob.once([soul, 'word']), 'world');
        assert.deepEqual(await bob.once([soul]), { word: 'world' });
    });

    gun.test('every kind of value comes back as it was', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('kinds');
        const values = { text: 'text', empty: '', yes: true, no: false, zero: 0, minus: -1.5, big: 1e21, tiny: 5e-324,
            huge: 1.7976931348623157e308, third: 1 / 3, safe: 9007199254740993, numeric: '12', json: '{"a":[1]}' };
        for (const [key, value] of Object.entries(values)) {
            assert.equal((await ann.put([soul, key], value)).err, undefined, key);
        }
        assert.deepEqual(await bob.once([soul]), values);
    });

    gun.test('on() hears the changes of another client', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('on');
        await ann.put([soul, 'count'], 0);
        await bob.listen([soul, 'count']);
        await bob.sees([soul, 'count'], 0);
        for (let i = 1; i <= 5; i++) {
            await ann.put([soul, 'count'], i);
            await bob.sees([soul, 'count'], i);
        }
    });

    gun.test('on() of a node hears a key that is added to it', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('grow');
        await ann.put([soul], { first: 1 });
        await bob.listen([soul]);
        await bob.sees([soul], node => node?.first === 1);
        await ann.put([soul, 'second'], 2);
        await bob.sees([soul], node => node.first === 1 && node.second === 2);
    });

    gun.test('once() of what does not exist answers undefined', async t => {
        const ann = await world.client(t);
        assert.equal(await ann.once([fresh('nothing')]), undefined);
        assert.equal(await ann.once([fresh('nothing'), 'key']), undefined);
    });

    gun.test('a subscription to what does not exist yet hears its first write (gun#893)', async t => {
        const [ann, bob, cid] = await world.clients(t, 3);
        const soul = fresh('later');
        await bob.listen([soul]);
        await cid.listen([soul, 'key']);
        assert.equal(await bob.once([soul]), undefined);
        assert.equal(await cid.once([soul, 'key']), undefined);
        await ann.put([soul, 'key'], 'born');
        await bob.sees([soul], node => node?.key === 'born');
        await cid.sees([soul, 'key'], 'born');
    });

    gun.test('map() meets every item there is and every item to come', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('map');
        await ann.put([soul], { a: 1, b: 2 });
        await bob.run(({ gun, memory }, soul) => {
            memory.items = {};
            gun.get(soul).map().on((value, key) => { memory.items[key] = value; });
        }, soul);
        await ann.put([soul, 'c'], 3);
        await bob.run(async ({ memory, sleep }) => { while (Object.keys(memory.items).length < 3) await sleep(10); });
        assert.deepEqual(await bob.run(({ memory }) => memory.items), { a: 1, b: 2, c: 3 });
    });

    gun.test('set() of two writers keeps the items of both, each acknowledged (gun#1225)', async t => {
        const [ann, bob, cid] = await world.clients(t, 3);
        const soul = fresh('set');
        const add = ({ gun }, soul, name) => new Promise(resolve => {
            gun.get(soul).set({ name }, ack => resolve(ack.err ?? 'ok'));
        });
        const acks = await Promise.all([ann.run(add, soul, 'one'), bob.run(add, soul, 'two'), ann.run(add, soul, 'three')]);
        assert.deepEqual(acks, ['ok', 'ok', 'ok']);
        await cid.run(async ({ gun, memory, sleep }, soul) => {
            memory.names = new Set();
            gun.get(soul).map().on(item => { if (item && item.name) memory.names.add(item.name); });
            while (memory.names.size < 3) await sleep(10);
        }, soul);
        assert.deepEqual(await cid.run(({ memory }) => [...memory.names].sort()), ['one', 'three', 'two']);
    });

    gun.test('nested objects are written, acknowledged and walked, five layers deep (gun#883)', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('nested');
        assert.equal((await ann.put([soul], { a: { b: { c: { d: { e: 'deep' } } } }, flat: 1 })).err, undefined);
        assert.equal((await ann.put([soul], { a: { b: { c: { d: { f: 'again' } } } } })).err, undefined);
        assert.equal((await ann.put([soul, 'a', 'b', 'c', 'd', 'e'], 'changed')).err, undefined);
        assert.deepEqual(await bob.once([soul, 'a', 'b', 'c', 'd']), { e: 'changed', f: 'again' });
        assert.equal(await bob.once([soul, 'flat']), 1);
    });

    gun.test('a link leads to the other node, and on() through it hears the far node change', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const [home, far] = [fresh('home'), fresh('far')];
        await ann.put([far], { name: 'far away' });
        const ack = await ann.run(({ gun, put }, home, far) => put(gun.get(home).get('to'), gun.get(far)), home, far);
        assert.equal(ack.err, undefined);
        assert.equal(await bob.once([home, 'to', 'name']), 'far away');
        await bob.listen([home, 'to', 'name']);
        await ann.put([far, 'name'], 'farther');
        await bob.sees([home, 'to', 'name'], 'farther');
    });

    gun.test('a circle of links is walked round', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const [one, two] = [fresh('one'), fresh('two')];
        await ann.run(async ({ gun, put }, one, two) => {
            await put(gun.get(one), { is: 1 });
            await put(gun.get(two), { is: 2 });
            await put(gun.get(one).get('next'), gun.get(two));
            await put(gun.get(two).get('next'), gun.get(one));
        }, one, two);
        assert.equal(await bob.once([one, 'next', 'next', 'next', 'is']), 2);
    });

    gun.test('null is a value: acknowledged, read as null, and heard (gun#453)', async t => {
        const [ann, bob, cid] = await world.clients(t, 3);
        const soul = fresh('null');
        await ann.put([soul], { gone: 'here', stays: 1 });
        await bob.listen([soul, 'gone']);
        await bob.sees([soul, 'gone'], 'here');
        assert.deepEqual(await ann.put([soul, 'gone'], null), { ok: true, err: undefined });
        await bob.sees([soul, 'gone'], null);
        assert.deepEqual(await cid.once([soul]), { gone: null, stays: 1 });
        assert.deepEqual(await ann.put([soul, 'never'], null), { ok: true, err: undefined });
    });

    gun.test('the callback of every put fires, many at a time, each once (gun#421)', async t => {
        const ann = await world.client(t);
        const soul = fresh('acks');
        const fired = await ann.run(({ gun, sleep }, soul) => new Promise(resolve => {
            const fired = new Array(2000).fill(0);
            let left = fired.length;
            fired.forEach((_, i) => gun.get(soul).get('k' + i % 700).put(i, ack => {
                if (ack.err) throw new Error(ack.err);
                if (++fired[i] === 1 && --left === 0) sleep(200).then(() => resolve(fired));
            }));
        }), soul);
        assert.ok(fired.every(times => times === 1), `fired: ${fired.filter(n => n !== 1).slice(0, 9)}`);
    });

    gun.test('a hot key and a cold key of one node are read alike, again and again (gun#1271)', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('hotcold');
        await ann.put([soul], { hot: 'h', cold: 'c' });
        await bob.listen([soul, 'hot']);
        await bob.sees([soul, 'hot'], 'h');
        for (let round = 0; round < 5; round++) {
            await ann.put([soul, 'hot'], 'h' + round);
            const cid = await world.client(t);
            assert.deepEqual(await cid.once([soul]), { hot: 'h' + round, cold: 'c' });
            assert.equal(await cid.once([soul, 'cold']), 'c');
        }
    });

    gun.test('a node is whole in whatever order its keys were written and asked (gun#1295)', async t => {
        const ann = await world.client(t);
        const keys = ['b', '10', 'a', '9', 'Z', '_x', '1'];
        const soul = fresh('order');
        const all = Object.fromEntries(keys.map(key => [key, 'v' + key]));
        for (const key of keys) await ann.put([soul, key], all[key]);
        for (const first of keys) {
            const bob = await world.client(t);
            assert.equal(await bob.once([soul, first]), all[first]);
            assert.deepEqual(await bob.once([soul]), all);
        }
    });

    gun.test('two clients that write the same key end with one value, in both and in the store', async t => {
        const [ann, bob, cid] = await world.clients(t, 3);
        const soul = fresh('race');
        for (let round = 0; round < 5; round++) {
            await Promise.all([ann.put([soul, 'k'], 'ann' + round), bob.put([soul, 'k'], 'bob' + round)]);
        }
        const kept = await cid.once([soul, 'k']);
        assert.match(kept, /^(ann|bob)4$/);
        await ann.holds(soul, 'k', kept);
        await bob.holds(soul, 'k', kept);
    });
}
