/* cases-conformance.mjs - what the convention stands on, on a gun.js relay and on brasa:
 * the same verdict in every row, but for those that say how they differ.
 *
 * A verdict is [what the author was told, what another client then reads]; silence would be
 * one, too. Rows are asked by a
 * bare WebSocket, so that no client checks anything, but for those of real gun clients.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { assert, fresh, print_table, sleep, until } from '../tools/harness.mjs';
import { open_host } from '../tools/gun-client.mjs';
import { new_user } from '../tools/people.mjs';
import { open_raw, put_of } from '../tools/raw.mjs';
import { start_relay } from '../tools/relay.mjs';
import { hex_of, make_track, noise, put_all } from './track.mjs';

const silence_ms = 20_000;
const base64_of = text => createHash('sha256').update(text).digest('base64');
/* A value's hash is that of its JSON, a string's that of its characters. */
const name_of = value => base64_of(typeof value === 'string' ? value : JSON.stringify(value));
const hex = value => hex_of(typeof value === 'string' ? value : JSON.stringify(value));

async function open_speaker(t, relay)
{
    const raw = await open_raw(relay.ws_url);
    t.after(() => raw.close());
    return raw;
}

let ids = 0;

/* What the relay says to a put: 'ok', its err, or 'silence'. */
async function say(raw, soul, fields)
{
    const id = `c${++ids}`;
    raw.send(put_of(id, soul, fields));
    const end = Date.now() + silence_ms;
    for (;;) {
        const ack = raw.acks(id)[0];
        if (ack) return ack.err ? String(ack.err) : 'ok';
        if (Date.now() > end) return 'silence';
        await sleep(20);
    }
}

/* What another client is answered: the value of the key, or undefined. gun.js may
 * answer more than once; the first word is enough, as nothing else is on its way. */
async function read(raw, soul, key)
{
    const id = `r${++ids}`;
    const answer = await raw.ask({ '#': id, get: { '#': soul, '.': key } });
    return answer.put?.[soul]?.[key];
}

/* Puts and reads back; every row in a soul of its own. */
const kept = (soul, key, value) => async ({ ann, bob }) => {
    const told = await say(ann, soul, { [key]: [value, 1] });
    return [told, await read(bob, soul, key)];
};

/* A chunk that is there, then something else under its key. */
const over = value => async ({ ann, bob }) => {
    const soul = `over#${++ids}`, key = `000001#${name_of('chunk')}`;
    const first = await say(ann, soul, { [key]: ['chunk', 1] });
    const told = await say(ann, soul, { [key]: [value, 2] });
    return [first, told, await read(bob, soul, key)];
};

/* What a subscriber of the soul hears of a wrong chunk, of a right one, and of it again. */
async function listen({ ann, bob })
{
    const soul = `listen#${++ids}`, key = `000001#${name_of('right')}`;
    await bob.ask({ '#': `l${ids}`, get: { '#': soul } });
    const told = [await say(ann, soul, { [`000002#${name_of('right')}`]: ['wrong', 1] }), await say(ann, soul, { [key]: ['right', 1] })];
    await say(ann, soul, { [key]: ['right', 1] });
    const updates = () => bob.heard.filter(m => m.put?.[soul] && !m['@']);
    await until('an update', () => updates().length > 0);
    await sleep(500); /* for one too many */
    return [...told, updates().map(m => Object.keys(m.put[soul]).filter(k => k !== '_'))];
}

const forty = Array.from({ length: 40 }, (_, i) => {
    const value = noise(i, 900).toString('base64');
    return { key: `${String(i).padStart(6, '0')}#${name_of(value)}`, value };
});

/* The keys that come of a query, `count` of them at least; gun.js may answer in many messages. */
const ask_for = (query, count) => async ({ ann, bob }) => {
    const soul = `forty#${++ids}`;
    const told = await say(ann, soul, Object.fromEntries(forty.map(({ key, value }) => [key, [value, 1]])));
    const id = `q${++ids}`, keys = new Set();
    const hear = () => {
        for (const answer of bob.answers(id)) for (const [key, value] of Object.entries(answer.put?.[soul] ?? {})) {
            if (key === '_') continue;
            assert.equal(value, forty[Number(key.slice(0, 6))].value);
            keys.add(Number(key.slice(0, 6)));
        }
        return keys.size >= count;
    };
    bob.send({ '#': id, get: { '#': soul, ...query } });
    await until(`${count} chunks`, hear);
    await sleep(1000); /* for what was not asked for */
    hear();
    return [told, [...keys].sort((x, y) => x - y)];
};
const count_to = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/* The last keys are those that come, however many they are. */
const last_first = async world => {
    const [told, keys] = await ask_for({ '.': { '*': '', '-': 1 }, '%': 5000 }, 1)(world);
    return [told, keys.length > 0 && keys.length < 40 && keys.at(-1) === 39 && keys[0] === 40 - keys.length];
};

const sizes = [8, 36, 192, 512].map(kib => noise(kib, kib * 1024).toString('base64'));
async function all_sizes({ ann, bob })
{
    const verdicts = [];
    for (const value of sizes) {
        const [told, got] = await kept(`size#${++ids}`, `000000#${name_of(value)}`, value)({ ann, bob });
        verdicts.push([told, got === value]);
    }
    return verdicts;
}

/* In real clients: a signed track links to the soul of its manifest. */
async function walk_the_link({ t, relay })
{
    const [ann, bob] = [open_host({ sea: true }), open_host({ sea: true })];
    t.after(() => ann.close());
    t.after(() => bob.close());
    const track = make_track(noise(80, 5000), {});
    await put_all(relay, track.chunks.concat(track.manifest_put));
    const [writer, listener] = [await ann.client(relay.url), await bob.client(relay.url)];
    const pub = await new_user(writer, fresh('ann'));
    const told = await writer.run(({ gun, put }, soul) => put(gun.user().get('tracks').get('one'), { title: 'one', audio: { '#': soul } }), track.manifest_put.soul);
    const text = await listener.run(({ gun }, pub, key) => new Promise(done => gun.get(`~${pub}`).get('tracks').get('one').get('audio').get(key)
        .on((value, k, msg, eve) => { if (value) { eve.off(); done(value); } })), pub, track.manifest);
    return [told.err ?? 'ok', text === track.text];
}

/* A gun client that has read a soul of its own and is done with it. */
async function free_a_soul({ t, ann, relay })
{
    const host = open_host();
    t.after(() => host.close());
    const client = await host.client(relay.url);
    const held = [];
    for (const soul of [`free#${++ids}`, `kept#${++ids}`]) {
        await say(ann, soul, { [`000000#${name_of('chunk')}`]: ['chunk', 1] });
        await client.run(({ gun }, s, k) => new Promise(done => gun.get(s).get(k).on((v, key, m, eve) => { if (v) { eve.off(); done(); } })), soul, `000000#${name_of('chunk')}`);
        if (soul.startsWith('free')) await client.run(({ gun }, s) => { gun.get(s).off(); }, soul);
        held.push(await client.run(({ gun }, s) => Boolean(gun._.graph[s]), soul));
    }
    return held;
}

const same_hash = 'Data hash not same as hash!';
const refused = [same_hash, undefined];
const unsigned = ['Unverified data.', undefined];
const link = { '#': 'x' };
/* A text whose hash has a byte 0, and its hash with junk instead: gun.js reads that as 0. */
const with_zero = Array.from({ length: 5000 }, (_, i) => `zero ${i}`).find(word => /^(..)*00/.test(hex(word)));
const junk = hex(with_zero).replace(/^((?:..)*?)00/, '$1zz');
const url_text = Array.from({ length: 50 }, (_, i) => `url ${i}`).find(word => /[+/]/.test(name_of(word)));

/* [what, how it is tried, the verdict, and brasa's where it is another on purpose] */
const rows = [
    ['soul #, base64', kept('#', name_of('b'), 'b'), ['ok', 'b']],
    ['soul #, hexadecimal', kept('#', hex('h'), 'h'), ['ok', 'h']],
    ['soul #, upper-case hexadecimal', kept('#', hex('H').toUpperCase(), 'H'), ['ok', 'H']],
    ['soul audio#, base64 behind a number', kept('audio#', `000017#${name_of('n')}`, 'n'), ['ok', 'n']],
    ['soul #x/y', kept('#x/y', `000017#${name_of('n')}`, 'n'), ['ok', 'n']],
    ['soul a#b#c, hexadecimal behind a number', kept('a#b#c', `000018#${hex('n')}`, 'n'), ['ok', 'n']],
    ['a text by its UTF-8', kept('utf8#', name_of('é☃'), 'é☃'), ['ok', 'é☃']],
    ['a number', kept('number#', name_of(42), 42), ['ok', 42]],
    ['true', kept('true#', name_of(true), true), ['ok', true]],
    ['null', kept('null#', name_of(null), null), ['ok', null]],
    ['a link', kept('link#', name_of(link), link), ['ok', link]],
    ['another value than the hash says', kept('wrong#1', `000001#${name_of('one')}`, 'other'), refused],
    ['a key that is no hash', kept('wrong#2', 'title', 'other'), refused],
    ['base64url without padding', kept('wrong#3', Buffer.from(hex(url_text), 'hex').toString('base64url'), url_text), refused],
    ['junk that JavaScript reads as hexadecimal', kept('junk#', junk, with_zero), ['ok', with_zero], refused],
    ['null over a chunk', over(null), ['ok', same_hash, 'chunk']],
    ['another value over a chunk', over('other'), ['ok', same_hash, 'chunk']],
    ['a soul ~x/y…#', kept('~x/y#', name_of('u'), 'u'), unsigned],
    ['a soul a~b#c', kept('a~b#c', name_of('u'), 'u'), unsigned],
    ['a subscriber hears of the right chunk, once, and not of a wrong one', listen, [same_hash, 'ok', [[`000001#${name_of('right')}`]]]],
    ['one put of 40 chunks, read whole', ask_for({}, 40), ['ok', count_to(0, 39)]],
    ['a query for the chunks 10 to 19', ask_for({ '.': { '>': '000010#', '<': '000019#~' }, '%': 50000 }, 10), ['ok', count_to(10, 19)]],
    ['a query backwards, with %', last_first, ['ok', true]],
    ['a query with % above 100,000', ask_for({ '.': { '*': '' }, '%': 200000 }, 1), ['ok', [0]], ['ok', count_to(0, 39)]],
    ['chunks of 8 to 512 KiB', all_sizes, sizes.map(() => ['ok', true])],
    ['a signed track that links to its manifest, walked', walk_the_link, ['ok', true]],
    ['off() of a soul frees it', free_a_soul, [false, true]],
];

async function open_world(t, options)
{
    const relay = await start_relay(options);
    t.after(() => relay.close());
    return { t, relay, ann: await open_speaker(t, relay), bob: await open_speaker(t, relay) };
}

export function conformance_cases(suite)
{
    suite.test(`what chunks stand on: ${rows.length} verdicts of a gun.js relay, and brasa's beside them`, async t => {
        const gun = await open_world(t, { gun: true }), brasa = await open_world(t, { gun: false });
        const wrong = [], table = [['case', 'gun.js', 'brasa']];
        for (const [what, how, want, otherwise = want] of rows) {
            const got = [await how(gun), await how(brasa)];
            const right = [want, otherwise].map((one, i) => isDeepStrictEqual(got[i], one));
            table.push([what, ...right.map(one => one ? 'as expected' : 'NOT')]);
            if (right.includes(false)) wrong.push({ what, gun: got[0], brasa: got[1], want, otherwise });
        }
        if (wrong.length) print_table(table);
        assert.deepEqual(wrong, []);
    }, { seconds: 240, beside: true });
}
