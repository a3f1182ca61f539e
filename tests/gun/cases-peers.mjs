/* cases-peers.mjs - what a client learns without asking, and what it brings along.
 *
 * A gun client never asks for a key that it wrote itself, never sends again
 * what it wrote offline, and reconnects once, two seconds after a loss. These
 * cases are the relay's part in making up for it (relay rules 2, 4, 7, 8).
 */
import { assert, chance, fresh, sleep, until } from '../tools/harness.mjs';
import { put_of } from '../tools/raw.mjs';

function writer_cases(gun, world)
{
    gun.test('two writers of a key hear each other without asking', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('writers');
        await ann.put([soul, 'k'], 'by ann');
        await bob.put([soul, 'k'], 'by bob');
        await ann.holds(soul, 'k', 'by bob');
        await ann.put([soul, 'k'], 'ann again');
        await bob.holds(soul, 'k', 'ann again');
    });

    gun.test('a writer hears on(), although a client that wrote a key does not ask for it', async t => {
        const [ann, bob] = await world.clients(t, 2);
        const soul = fresh('writer');
        await ann.put([soul, 'k'], 1);
        await ann.listen([soul, 'k']);
        await ann.sees([soul, 'k'], 1);
        await bob.put([soul, 'k'], 2);
        await ann.sees([soul, 'k'], 2);
    });

    gun.test('a stale writer ends with the winner, in its RAM, and its callback fires', async t => {
        const ann = await world.client(t);
        const raw = await world.raw(t);
        const soul = fresh('stale');
        await raw.ask(put_of(soul + '1', soul, { k: ['winner', Date.now() - 5] }));
        const ack = await ann.run(({ gun, put }, soul) =>
            put(gun.get(soul).get('k'), 'loser', { state: Date.now() - 3600_000 }), soul);
        assert.deepEqual(ack, { ok: true, err: undefined });
        await ann.holds(soul, 'k', 'winner');
        assert.equal(await (await world.client(t)).once([soul, 'k']), 'winner');
    });

    gun.test('equal states: the greater value wins for everybody, also for the writer of the other', async t => {
        const raws = [await world.raw(t), await world.raw(t)];
        const soul = fresh('tie');
        const state = Date.now() - 1000;
        await raws[0].ask(put_of('tie1' + soul, soul, { k: ['b', state] }));
        await raws[1].ask(put_of('tie2' + soul, soul, { k: ['a', state] }));
        const told = await raws[1].hear('the kept value', m => m.put?.[soul]?.k === 'b');
        assert.equal(told.put[soul]._['>'].k, state);
        assert.equal(await (await world.client(t)).once([soul, 'k']), 'b');
    });
}

/* What became of a put, and the answers that must come to each: one. */
function ack_cases(gun, world)
{
    const states = { fresh: () => Date.now() - 1000, future: () => Date.now() + 1500 };
    gun.test('exactly one ack for each put: fresh, the same, stale, a tie, future', async t => {
        const raw = await world.raw(t);
        const soul = fresh('one');
        const at = states.fresh();
        const puts = {
            fresh: put_of('fresh', soul, { k: ['v', at] }),
            same: put_of('same', soul, { k: ['v', at] }),
            stale: put_of('stale', soul, { k: ['old', at - 5000] }),
            tie_lost: put_of('tie_lost', soul, { k: ['a', at] }),
            tie_won: put_of('tie_won', soul, { k: ['z', at] }),
            mixed: put_of('mixed', soul, { k: ['old', at - 5000], l: ['new', at] }),
            future: put_of('future', soul, { f: ['then', states.future()] }),
            two_souls: { '#': 'two_souls', put: { ...put_of('', soul, { m: [1, at] }).put, ...put_of('', soul + 'b', { m: [1, at] }).put } },
        };
        for (const put of Object.values(puts)) {
            put['#'] += soul;
            assert.ok((await raw.ask(put)).ok, put['#']);
        }
        await sleep(1600); /* the held one comes due: still no second ack */
        await raw.settle(soul);
        for (const put of Object.values(puts)) assert.equal(raw.acks(put['#']).length, 1, put['#']);
    });

    gun.test('exactly one ack, an error, for each malformed put', async t => {
        const raw = await world.raw(t);
        const soul = fresh('bad');
        const meta = { '#': soul, '>': { k: 1 } };
        const puts = {
            array: { [soul]: { _: meta, k: [1] } },
            object: { [soul]: { _: meta, k: { a: 1 } } },
            no_state: { [soul]: { _: { '#': soul, '>': {} }, k: 1 } },
            text_state: { [soul]: { _: { '#': soul, '>': { k: 'x' } }, k: 1 } },
            no_meta: { [soul]: { k: 1 } },
            other_soul: { [soul]: { _: { '#': soul + 'x', '>': { k: 1 } }, k: 1 } },
            not_a_node: { [soul]: 5 },
            a_string: 'abc',
            good_then_bad: { [soul]: { _: { '#': soul, '>': { a: 1, k: 1 } }, a: 1, k: [] } },
        };
        for (const [name, put] of Object.entries(puts)) {
            const ack = await raw.ask({ '#': name + soul, put });
            assert.equal(typeof ack.err, 'string', name);
            assert.ok(!ack.ok, name);
        }
        await raw.settle(fresh('other'));
        for (const name of Object.keys(puts)) assert.equal(raw.answers(name + soul).length, 1, name);
        const nothing = await raw.ask({ '#': 'then' + soul, get: { '#': soul } });
        assert.equal(nothing.put, undefined, 'a malformed put left something');
    });

    gun.test('a value from the future is acknowledged at once and delivered when it is due', async t => {
        const raw = await world.raw(t);
        const bob = await world.client(t);
        const soul = fresh('future');
        await bob.listen([soul, 'k']);
        const due = Date.now() + 2000;
        assert.ok((await raw.ask(put_of(soul, soul, { k: ['tomorrow', due] }))).ok);
        await bob.sees([soul, 'k'], 'tomorrow');
        assert.ok(Date.now() >= due - 50, 'it came before it was due');
    }, { beside: true });
}

/* A client behind a line of ours, which is cut while the relay stays up. */
function cut_cases(gun, world)
{
    const behind_a_line = async t => {
        const line = await world.line(t);
        return { line, ann: await world.client(t, line.url), bob: await world.client(t) };
    };
    const cut = async (line, ann) => {
        line.cut();
        await until('the client to have lost its line', async () => !await ann.connected());
    };

    gun.test('a client whose line was cut hears again what it had asked for', async t => {
        const { line, ann, bob } = await behind_a_line(t);
        const soul = fresh('again');
        await bob.put([soul, 'k'], 1);
        await ann.listen([soul, 'k']);
        await ann.sees([soul, 'k'], 1);
        await cut(line, ann);
        await bob.put([soul, 'k'], 2);
        await ann.sees([soul, 'k'], 2);
        await bob.put([soul, 'k'], 3);
        await ann.sees([soul, 'k'], 3);
    }, { beside: true });

    gun.test('a writer whose line was cut is known by its pid: it hears later changes of what it wrote', async t => {
        const { line, ann, bob } = await behind_a_line(t);
        const soul = fresh('pid');
        await ann.put([soul, 'k'], 'mine');
        await cut(line, ann);
        await ann.comes_back();
        await bob.put([soul, 'k'], 'yours');
        await ann.holds(soul, 'k', 'yours');
    }, { beside: true });

    gun.test('an edit made offline to a soul that was read comes up at the reconnect', async t => {
        const { line, ann, bob } = await behind_a_line(t);
        const soul = fresh('offline');
        await bob.put([soul], { x: 'old', y: 'stays' });
        await ann.listen([soul, 'x']);
        await ann.sees([soul, 'x'], 'old');
        await bob.listen([soul, 'x']);
        await cut(line, ann);
        await ann.run(({ gun }, soul) => { gun.get(soul).get('x').put('edited offline'); }, soul);
        await bob.sees([soul, 'x'], 'edited offline');
        assert.deepEqual(await (await world.client(t)).once([soul]), { x: 'edited offline', y: 'stays' });
    }, { beside: true });

    gun.test('an offline edit to a node of 40 keys comes up too', async t => {
        const { line, ann, bob } = await behind_a_line(t);
        const soul = fresh('forty');
        const node = Object.fromEntries(Array.from({ length: 40 }, (_, i) => ['k' + i, 'v' + i]));
        await bob.put([soul], node);
        await ann.listen([soul]);
        await ann.sees([soul], seen => Object.keys(seen ?? {}).length === 40);
        await cut(line, ann);
        await ann.run(({ gun }, soul) => { gun.get(soul).get('k7').put('edited'); gun.get(soul).get('new').put('added'); }, soul);
        await until('the edits at the relay', async () => {
            const seen = await (await world.client(t)).once([soul]);
            return seen?.k7 === 'edited' && seen?.new === 'added';
        });
    }, { beside: true });

    gun.test('an edit made offline to a soul only ever written comes up as well', async t => {
        const { line, ann, bob } = await behind_a_line(t);
        const soul = fresh('written');
        await ann.put([soul, 'x'], 'old');
        await bob.listen([soul, 'x']);
        await bob.sees([soul, 'x'], 'old');
        await cut(line, ann);
        await ann.run(({ gun }, soul) => { gun.get(soul).get('x').put('edited offline'); }, soul);
        await bob.sees([soul, 'x'], 'edited offline');
    }, { beside: true });

    gun.test('a soul written offline and never asked for is found when somebody misses it', async t => {
        /* a relay of its own: how often a client is asked is bounded, and the other cases miss a lot */
        const relay = await world.own_relay(t);
        const line = await world.line(t, {}, relay.port);
        const [ann, bob] = [await world.client(t, line.url), await world.client(t, relay.url)];
        await ann.put([fresh('warm'), 'up'], 1);
        const soul = fresh('only-here');
        await cut(line, ann);
        await ann.run(({ gun }, soul) => { gun.get(soul).get('x').put('born offline'); }, soul);
        await ann.comes_back();
        await bob.listen([soul, 'x']);
        await bob.sees([soul, 'x'], 'born offline');
        assert.equal(await (await world.client(t, relay.url)).once([soul, 'x']), 'born offline');
    }, { beside: true });

    gun.test('two clients that edited the same key on both sides of a cut end alike', async t => {
        const { line, ann, bob } = await behind_a_line(t);
        const soul = fresh('both');
        await bob.put([soul, 'x'], 'old');
        await ann.listen([soul, 'x']);
        await ann.sees([soul, 'x'], 'old');
        await cut(line, ann);
        await ann.run(({ gun }, soul) => { gun.get(soul).get('x').put('from ann'); }, soul);
        await sleep(20);
        await bob.put([soul, 'x'], 'from bob, later');
        await ann.holds(soul, 'x', 'from bob, later');
        assert.equal(await (await world.client(t)).once([soul, 'x']), 'from bob, later');
    }, { beside: true });
}

/* once() of a node of 1,000 keys that takes seven seconds to come down. */
function slow_line_cases(gun, world)
{
    gun.test('once() of a node of 1,000 keys and 300 KB over 320 kbit/s brings 1,000 keys', async t => {
        const raw = await world.raw(t);
        const soul = fresh('thousand');
        const fields = {};
        for (let i = 0; i < 1000; i++) fields['key' + i] = [String(i).padStart(270, '.'), Date.now() - 1000];
        assert.ok((await raw.ask(put_of(soul, soul, fields))).ok);
        const line = await world.line(t, { bits: 320_000 });
        const ann = await world.client(t, line.url);
        const node = await ann.once([soul]);
        const right = Object.keys(fields).filter(key => node?.[key] === fields[key][0]);
        console.log(`       ${right.length} keys`);
        assert.equal(right.length, 1000);
    }, { beside: true });
}

/* A client with two relays joins them: gets and changes go through it. */
function bridge_cases(gun, world)
{
    gun.test('two relays that a client joins: what is asked at one is found at the other, changes follow, then silence', async t => {
        const [here, there] = [await world.own_relay(t), await world.own_relay(t)];
        const bridge = await world.host(t).client(null, { peers: [here.url, there.url] });
        await until('both lines of the bridge', async () => (await bridge.counts()).opened === 2);
        const [ann, bob] = [await world.client(t, here.url), await world.client(t, there.url)];
        const soul = fresh('bridged');
        await ann.put([soul, 'k'], 'over here');
        await bob.listen([soul, 'k']);
        await bob.sees([soul, 'k'], 'over here');
        await ann.put([soul, 'k'], 'changed');
        await bob.sees([soul, 'k'], 'changed');
        await bob.put([soul, 'k'], 'and back');
        await ann.holds(soul, 'k', 'and back');
        await until('silence', async () => {
            const before = await bridge.counts();
            await sleep(1000);
            return (await bridge.counts()).frames === before.frames;
        }, 15);
    }, { beside: true });
}

/* Writes of random age to a few keys, and what must be left of them. */
class RandomGraph {
    #random;
    #states = new Map();
    #clock = Date.now() - 1_000_000;
    nodes = new Map();
    constructor(seed) { this.#random = chance(seed); }

    #below(limit) { return Math.floor(this.#random() * limit); }

    async grow(writer, puts)
    {
        for (let i = 0; i < puts; i++) {
            const [soul, key] = ['graph/' + this.#below(20), 'k' + this.#below(12)];
            const value = this.#below(10) ? this.#random() : null;
            const state = ++this.#clock - this.#below(40);
            this.#keep(soul, key, value, state);
            const ack = await writer.run(({ gun, put }, soul, key, value, state) =>
                put(gun.get(soul).get(key), value, { state }), soul, key, value, state);
            assert.equal(ack.err, undefined);
        }
    }

    /* At equal states the greater JSON text stays. */
    #keep(soul, key, value, state)
    {
        const node = this.nodes.get(soul) ?? this.nodes.set(soul, new Map()).get(soul);
        const old = this.#states.get(soul + key) ?? -1;
        if (state < old || (state === old && JSON.stringify(value) <= JSON.stringify(node.get(key)))) return;
        this.#states.set(soul + key, state);
        node.set(key, value);
    }
}

/* Nothing is missed: neither a change by who listens, nor a key by who reads. */
function whole_cases(gun, world)
{
    gun.test('no update is missed by a client that listens, in thousands of puts by two writers (gun#1375)', async t => {
        const [ann, bob, cid] = await world.clients(t, 3);
        const soul = fresh('push');
        const each = t.long ? 5000 : 1000;
        await cid.run(({ gun, memory }, soul) => {
            memory.heard = new Map();
            gun.get(soul).map().on((value, key) => { memory.heard.set(key, value); });
        }, soul);
        const write = async ({ gun, put, sleep }, soul, name, each) => {
            const acks = [];
            for (let i = 0; i < each; i++) {
                acks.push(put(gun.get(soul).get(name + i), i));
                if (i % 50 === 49) await sleep(1);
            }
            return (await Promise.all(acks)).filter(ack => ack.ok).length;
        };
        const acked = await Promise.all([ann.run(write, soul, 'a', each), bob.run(write, soul, 'b', each)]);
        assert.deepEqual(acked, [each, each]);
        await until('all of them', () => cid.run(({ memory }, all) => memory.heard.size === all, 2 * each));
        const wrong = await cid.run(({ memory }) => [...memory.heard].filter(([key, value]) => value !== Number(key.slice(1))), []);
        assert.deepEqual(wrong, []);
    });

    gun.test('a graph written at random by three clients, with restarts in between, is read as it must be', async t => {
        const relay = await world.own_relay(t);
        const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
        console.log(`       SEED=${seed}`);
        const graph = new RandomGraph(seed);
        for (let round = 0; round < (t.long ? 12 : 4); round++) {
            const writers = await world.clients(t, 3, relay.url);
            await Promise.all(writers.map(writer => graph.grow(writer, 60)));
            await relay.restart(round % 2 ? 'stop' : 'kill');
            const reader = await world.client(t, relay.url);
            for (const [soul, node] of graph.nodes) assert.deepEqual(await reader.once([soul]), Object.fromEntries(node), soul);
        }
    }, { beside: true, seconds: 240 });
}

export function peer_cases(gun, world)
{
    writer_cases(gun, world);
    ack_cases(gun, world);
    cut_cases(gun, world);
    slow_line_cases(gun, world);
    bridge_cases(gun, world);
    whole_cases(gun, world);
}
