/* cases-data.mjs - what is hard to carry: ranges, big values, odd characters, many items. */
import { createHash } from 'node:crypto';
import { assert, fresh } from '../tools/harness.mjs';

/* A lexical query as apps write it; the keys that came, in order of arrival. */
async function keys_of(client, soul, lex, expected)
{
    return client.run(async ({ gun, sleep }, soul, lex, expected) => {
        const came = new Set();
        gun.get(soul).get(lex).map().once((value, key) => { came.add(key); });
        for (let i = 0; i < 500 && came.size < expected; i++) await sleep(20);
        await sleep(250); /* and what should not have come */
        return [...came].sort();
    }, soul, lex, expected);
}

const days = Array.from({ length: 28 }, (_, i) => `2024-02-${String(i + 1).padStart(2, '0')}`);

/* Text of `length` units that no two seeds share and that no parser can guess. */
function noise(length, seed)
{
    let text = '';
    for (let i = 0; text.length < length; i++) text += createHash('sha256').update(seed + i).digest('base64');
    return text.slice(0, length);
}

function lex_cases(gun, world)
{
    const ask = async (t, lex, expected) => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('lex');
        await ann.put([soul], Object.fromEntries([...days, '2023-12-31', '2024-03-01', 'other'].map(day => [day, 'on ' + day])));
        assert.deepEqual(await keys_of(bob, soul, lex, expected.length), expected);
    };
    gun.test('lex: a prefix brings the keys that begin with it and no other', t =>
        ask(t, { '.': { '*': '2024-02-1' }, '%': 50000 }, days.filter(d => d.startsWith('2024-02-1'))));
    gun.test('lex: a range brings both its ends and what lies between', t =>
        ask(t, { '.': { '>': '2024-02-10', '<': '2024-02-20' }, '%': 50000 }, days.slice(9, 20)));
    gun.test('lex: from a key onward', t =>
        ask(t, { '.': { '>': '2024-02-27' }, '%': 50000 }, ['2024-02-27', '2024-02-28', '2024-03-01', 'other']));
    gun.test('lex: up to a key', t =>
        ask(t, { '.': { '<': '2024-02-02' }, '%': 50000 }, ['2023-12-31', '2024-02-01', '2024-02-02']));
    gun.test('lex: an exact key', t => ask(t, { '.': { '=': '2024-02-15' }, '%': 50000 }, ['2024-02-15']));
    /* 'on 2024-02-01' has 13 units: the fourth key is the first that finds 39 of 40 used */
    gun.test('lex: the limit % stops after as many units as asked', t =>
        ask(t, { '.': { '*': '2024-02-' }, '%': 40 }, days.slice(0, 4)));
    gun.test('lex: reverse with a limit brings the last keys', t =>
        ask(t, { '.': { '*': '2024-02-', '-': 1 }, '%': 40 }, days.slice(-4)));
}

function size_cases(gun, world)
{
    gun.test('a value of 5 MB is put, acknowledged and read by another client', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('five');
        const value = noise(5_000_000, soul);
        assert.equal((await ann.put([soul, 'song'], value)).err, undefined);
        const read = await bob.once([soul, 'song']);
        assert.ok(read === value, `${read?.length} units came, and not the same`);
    });

    gun.test('a subscriber hears a value of 5 MB change', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('five');
        await bob.listen([soul, 'song']);
        const value = noise(5_000_000, soul);
        assert.equal((await ann.put([soul, 'song'], value)).err, undefined);
        await bob.sees([soul, 'song'], text => text === value);
    });

    gun.test('a node of 10,000 keys is mapped: each item once, none missing', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('tenk');
        const ack = await ann.run(({ gun, put }, soul) => {
            const node = {};
            for (let i = 0; i < 10000; i++) node['item' + i] = 'value of ' + i;
            return put(gun.get(soul), node);
        }, soul);
        assert.equal(ack.err, undefined);
        const came = await bob.run(({ gun, sleep }, soul) => new Promise(resolve => {
            let [right, calls] = [0, 0];
            gun.get(soul).map().once((value, key) => {
                calls++;
                if (value === 'value of ' + key.slice(4) && ++right === 10000) sleep(200).then(() => resolve({ right, calls }));
            });
            setTimeout(() => resolve({ right, calls }), 30000);
        }), soul);
        assert.deepEqual(came, { right: 10000, calls: 10000 });
    });

    gun.test('a set of 10,000 linked items is mapped: every item complete', async t => {
        const host = world.host(t);
        const raw = await world.raw(t);
        const soul = fresh('album');
        const [count, pack] = [10000, 500];
        const state = Date.now() - 1000;
        for (let at = 0; at < count; at += pack) {
            const put = { [soul]: { _: { '#': soul, '>': {} } } };
            for (let i = at; i < at + pack; i++) {
                const item = `${soul}/${i}`;
                put[soul]._['>'][i] = state;
                put[soul][i] = { '#': item };
                put[item] = { _: { '#': item, '>': { n: state, title: state } }, n: i, title: 'song ' + i };
            }
            assert.equal((await raw.ask({ '#': soul + at, put })).err, undefined);
        }
        const bob = await host.client(world.relay.url);
        const complete = await bob.run(({ gun }, soul, count) => new Promise(resolve => {
            const complete = new Set();
            gun.get(soul).map().once((item, key) => {
                if (item && item.n === Number(key) && item.title === 'song ' + key) complete.add(key);
                if (complete.size === count) resolve(complete.size);
            });
            setTimeout(() => resolve(complete.size), 40000);
        }), soul, count);
        assert.equal(complete, count);
    }, { seconds: 90, long: true });
}

/* Names and values as JavaScript has them: any sequence of 16-bit units. */
const texts = {
    'an astral character': '\u{1F600}',
    'the last character of the first plane beside the first astral one': '\uFFFF\u{10000}',
    'combining marks, not composed': 'e\u0301 \u00e9',
    'a lone high surrogate': 'a\uD83Db',
    'a lone low surrogate': 'a\uDE00b',
    'surrogates in the wrong order': '\uDE00\uD83D',
    'NUL bytes': 'a\0b\0',
    'every control character': String.fromCharCode(...Array(32).keys(), 127, 0x2028, 0x2029),
    'an ESC, which parts soul and key in gun.js files': 'x\u001by',
    'quotes, slashes and what looks like an escape': '"\\/\\u0041\\n\'',
    'a byte order mark': '\uFEFFx',
};

function text_cases(gun, world)
{
    for (const [what, text] of Object.entries(texts)) {
        gun.test(`unicode: ${what}, as value, key and soul`, async t => {
            const [ann, bob, cid] = await world.clients(t, 3);
            const soul = fresh('text') + text;
            await cid.listen([soul, text]);
            assert.equal((await ann.put([soul], { [text]: 'key', value: text })).err, undefined);
            assert.deepEqual(await bob.once([soul]), { [text]: 'key', value: text });
            assert.equal(await bob.once([soul, text]), 'key');
            await cid.sees([soul, text], 'key');
        });
    }

    gun.test('names that every object has are ordinary names', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('names');
        const node = { constructor: 'c', toString: 't', valueOf: 'v', hasOwnProperty: 'h', length: 'l' };
        const raw = await world.raw(t);
        const state = Date.now() - 1000;
        const stamps = Object.fromEntries(Object.keys(node).map(key => [key, state]));
        const ack = await raw.ask({ '#': soul, put: { [soul]: { _: { '#': soul, '>': stamps }, ...node } } });
        assert.equal(ack.err, undefined);
        const answer = await raw.ask({ '#': soul + 'g', get: { '#': soul } });
        assert.deepEqual(answer.put[soul], { _: { '#': soul, '>': stamps }, ...node });
        /* gun itself stumbles over some of them: it must only go on */
        await ann.put([soul, 'plain'], 1);
        assert.equal(await bob.once([soul, 'plain']), 1);
    });
}

export function data_cases(gun, world)
{
    lex_cases(gun, world);
    text_cases(gun, world);
    size_cases(gun, world);
}
