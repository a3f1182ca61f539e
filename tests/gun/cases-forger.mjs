/* cases-forger.mjs - a forger on a raw socket.
 *
 * Whatever gun's own sea.js would have stopped in its sender, and what it would not:
 * each forgery gets exactly one err, nothing of it is kept and nobody hears of it.
 */
import { readFileSync } from 'node:fs';
import { assert, fresh, until } from '../tools/harness.mjs';
import { open_raw, put_of, read_node } from '../tools/raw.mjs';
import { certificate, hash_of, hex_of, make_pair, signed, signed_with } from '../tools/signer.mjs';
import { forgeries } from './forgeries.mjs';

const users = { ann: make_pair(), bob: make_pair(), cid: make_pair(), eve: make_pair() };

/* A forgery, and what its maker may want to stand there before. */
function forge(make)
{
    const name = fresh('forged'), state = Date.now() - 10;
    const own_soul = `~${users.ann.pub}/own-${name}`;
    const own = { soul: own_soul, key: 'k', value: signed(users.ann, own_soul, 'k', 'mine', state - 1000), state: state - 1000 };
    const chunk = { soul: `chunks-${name}#0`, key: '000001#' + hash_of(name), value: name, state: state - 1000 };
    const soul = `~${users.ann.pub}/${name}`;
    const made = { soul, key: 'k', state, ...make({ ...users, fresh: name, soul, state, own, chunk }) };
    const before = [own, chunk].find(good => good.soul === made.soul);
    return { ...made, id: 'id' + name, before };
}

const frame_of = ({ id, soul, key, value, state }) => put_of(id, soul, { [key]: [value, state] });

async function write_before(peer, { before, id })
{
    if (before) assert.ok((await peer.ask(frame_of({ ...before, id: 'before' + id }))).ok, 'what is good was refused');
}

async function read_key(url, soul, key)
{
    const raw = await open_raw(url);
    const answer = await raw.ask({ '#': fresh('read'), get: { '#': soul, '.': key } });
    await raw.close();
    return answer.put?.[soul]?.[key];
}

function refusal_cases(suite, world)
{
    for (const [sentence, make] of Object.entries(forgeries)) {
        suite.test(`a forger: ${sentence} gets one err, is not kept and not told`, async t => {
            const [eve, listener] = [await world.raw(t), await world.raw(t)];
            const forged = forge(make);
            await write_before(eve, forged);
            await listener.ask({ '#': 'whole' + forged.id, get: { '#': forged.soul } });
            await listener.ask({ '#': 'key' + forged.id, get: { '#': forged.soul, '.': forged.key } });
            eve.send(frame_of(forged));
            await eve.settle(fresh('by'));
            await listener.settle(fresh('by'));
            assert.deepEqual(eve.answers(forged.id).map(({ ok, err, put }) => ({ ok, err, put })),
                [{ ok: undefined, err: forged.err, put: undefined }]);
            const heard = listener.heard.filter(m => m.put?.[forged.soul] && !m['@']);
            assert.deepEqual(heard, []);
            assert.equal(await read_key(world.relay.ws_url, forged.soul, forged.key), forged.before?.value);
        }, { beside: true });
    }

    suite.test('a forger: what it is told stands in docs/protocol.md, word by word', async () => {
        const table = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
        const told = new Set(Object.values(forgeries).map(make => forge(make).err));
        const pattern = text => text.replace(/"inbox" or key ".*" must contain string ".*"/, '"P" or key "K" must contain string "W"')
            .replace(/Certificant .* blocked/, 'Certificant W blocked');
        assert.ok(told.size > 10);
        for (const text of told) assert.ok(table.includes('`' + pattern(text) + '`'), text);
    });

    suite.test('a forger: all of it at once gets an err each, and after a kill -9 nothing of it is there', async t => {
        const relay = await world.own_relay(t);
        const eve = await world.raw(t, relay.ws_url);
        const all = Object.values(forgeries).map(forge);
        for (const forged of all) await write_before(eve, forged);
        eve.send(JSON.stringify(all.map(frame_of)));
        await until('an answer to each', () => all.every(({ id }) => eve.answers(id).length > 0));
        await eve.settle(fresh('by'));
        assert.deepEqual(all.map(({ id }) => eve.answers(id).map(m => m.err)), all.map(({ err }) => [err]));
        await relay.restart('kill');
        for (const { soul, key, before } of all) assert.equal(await read_key(relay.ws_url, soul, key), before?.value, soul + ' ' + key);
    }, { beside: true });
}

/* protocol.md 13 (14): the same frame, to a gun.js relay and to brasa. */
function hole_cases(suite, world)
{
    suite.test('a value signed by Eve with "*":EVE is accepted by a gun.js relay and refused by brasa', async t => {
        const theirs = await world.own_relay(t, { gun: true });
        const soul = `~${users.ann.pub}/${fresh('hole')}`, state = Date.now() - 10;
        const text = signed(users.eve, soul, 'k', 'not hers', state, { '*': users.eve.pub });
        const frame = put_of('hole', soul, { k: [text, state] });
        const table = {};
        for (const [name, relay] of [['gun.js', theirs], ['brasa', world.relay]]) {
            const answer = await (await world.raw(t, relay.ws_url)).ask(frame);
            const kept = await read_key(relay.ws_url, soul, 'k');
            table[name] = { ok: answer.ok, err: answer.err, kept: kept === text };
        }
        console.log(`       gun.js: ${JSON.stringify(table['gun.js'])}  brasa: ${JSON.stringify(table.brasa)}`);
        assert.deepEqual(table, {
            'gun.js': { ok: true, err: undefined, kept: true },
            brasa: { ok: undefined, err: 'certificate: missing, "*" names another writer', kept: false } });
    }, { beside: true });
}

/* Twenty keys that Ann signed and one that Eve made up. */
function twenty_and_one(soul, state)
{
    const fields = {};
    for (let i = 0; i < 20; i++) fields['good' + i] = [signed(users.ann, soul, 'good' + i, i, state), state];
    const good = Object.keys(fields).sort();
    fields.forged = [signed(users.eve, soul, 'forged', 'x', state), state];
    return { fields, good };
}

const data_keys = node => Object.keys(node ?? {}).filter(key => key !== '_').sort();

function beside_cases(suite, world)
{
    suite.test('a forged key beside 20 good ones: in a client\'s put all is refused with one err, and nothing told', async t => {
        const [eve, listener] = [await world.raw(t), await world.raw(t)];
        const soul = `~${users.ann.pub}/${fresh('put')}`;
        const { fields } = twenty_and_one(soul, Date.now() - 10);
        await listener.ask({ '#': 'sub' + soul, get: { '#': soul } });
        eve.send(put_of('all' + soul, soul, fields));
        await eve.settle(fresh('by'));
        await listener.settle(fresh('by'));
        assert.deepEqual(eve.answers('all' + soul).map(m => [m.ok, m.err]), [[undefined, 'Unverified data.']]);
        assert.ok(!listener.heard.some(m => m.put?.[soul]));
        assert.deepEqual(await read_node(world.relay, soul), {});
    });

    suite.test('a forged key beside 20 good ones: in an answer the 20 are kept and reach the asker; the sender is told once', async t => {
        const relay = await world.own_relay(t);
        const [holder, asker] = [await world.raw(t, relay.ws_url), await world.raw(t, relay.ws_url)];
        const soul = `~${users.ann.pub}/${fresh('answer')}`;
        const { fields, good } = twenty_and_one(soul, Date.now() - 10);
        asker.send({ '#': 'ask' + soul, get: { '#': soul } });
        const asked = await holder.hear('the get, passed on', m => m.get?.['#'] === soul);
        holder.send({ ...put_of('answer' + soul, soul, fields), '@': asked['#'] });
        const came = new Set();
        await until('20 keys at the asker', () => {
            for (const m of asker.heard) for (const key of data_keys(m.put?.[soul])) came.add(key);
            return came.size >= 20;
        });
        await holder.settle(fresh('by'));
        await asker.settle(fresh('by'));
        for (const m of asker.heard) assert.ok(!(m.put?.[soul]?.forged), 'the forged key was told');
        assert.deepEqual([...came].sort(), good);
        assert.deepEqual(holder.answers('answer' + soul).map(m => [m.ok, m.err]), [[undefined, 'Unverified data.']]);
        await relay.restart('kill');
        assert.deepEqual(data_keys(await read_node(relay, soul)), good);
    }, { beside: true });

    suite.test('a forged key beside 20 good ones: in an answer to a question of the relay the 20 are kept and told', async t => {
        const relay = await world.own_relay(t);
        const [holder, listener] = [await world.raw(t, relay.ws_url), await world.raw(t, relay.ws_url)];
        const soul = `~${users.ann.pub}/${fresh('back')}`;
        const { fields, good } = twenty_and_one(soul, Date.now() - 10);
        await listener.ask({ '#': 'sub' + soul, get: { '#': soul } });
        await holder.ask({ '#': 'first' + soul, get: { '#': soul } });
        const asked = await holder.hear('the relay to ask back', m => m.get?.['#'] === soul && m['#'] !== 'sub' + soul);
        holder.send({ ...put_of('answer' + soul, soul, fields), '@': asked['#'] });
        const came = new Set();
        await until('20 keys at the listener', () => {
            for (const m of listener.heard) for (const key of data_keys(m.put?.[soul])) came.add(key);
            return came.size >= 20;
        });
        assert.deepEqual([...came].sort(), good);
        assert.deepEqual(data_keys(await read_node(relay, soul)), good);
        assert.equal(holder.answers('answer' + soul).filter(m => m.err).length, 1);
    }, { beside: true });

    suite.test('what was written in time under a certificate that has run out since is kept when it comes as an answer', async t => {
        const relay = await world.own_relay(t);
        const [holder, asker] = [await world.raw(t, relay.ws_url), await world.raw(t, relay.ws_url)];
        const soul = `~${users.ann.pub}/${fresh('inbox')}`, state = Date.now() - 60_000;
        const cert = certificate(users.ann, { c: users.bob.pub, e: state + 1000, w: { '*': 'inbox' } });
        const text = signed_with(cert, users.bob, soul, 'k', 'in time', state);
        assert.equal((await holder.ask(put_of('put' + soul, soul, { k: [text, state] }))).err, 'Certificate expired.');
        asker.send({ '#': 'ask' + soul, get: { '#': soul } });
        const asked = await holder.hear('the get, passed on', m => m.get?.['#'] === soul);
        holder.send({ ...put_of('answer' + soul, soul, { k: [text, state] }), '@': asked['#'] });
        await asker.hear('the letter', m => m.put?.[soul]?.k === text);
        assert.equal(await read_key(relay.ws_url, soul, 'k'), text);
    }, { beside: true });
}

function chunk_cases(suite, world)
{
    const send = (peer, soul, key, value, state) => peer.ask(put_of(fresh('chunk'), soul, { [key]: [value, state] }));
    const told = (peer, soul) => peer.heard.filter(m => m.put?.[soul] && !m['@']).length;

    suite.test('a chunk is taken under its hash in base64 or in hex of either case, text, number, link or null', async t => {
        const peer = await world.raw(t);
        const soul = fresh('audio') + '#0', state = Date.now() - 10;
        for (const value of [fresh('text'), '', 'é😀\n"', 42, true, null, { '#': 'far' }]) {
            for (const key of ['000001#' + hash_of(value), hex_of(value), 'x#' + hex_of(value).toUpperCase()]) {
                const answer = await send(peer, soul, key, value, state);
                assert.deepEqual([answer.ok, answer.err], [true, undefined], `${JSON.stringify(value)} ${key}`);
                assert.deepEqual(await read_key(world.relay.ws_url, soul, key), value);
            }
        }
    });

    suite.test('a chunk that is put again, in the same or another state, is acked, changes nothing and is not told again', async t => {
        const [ann, bob, listener] = [await world.raw(t), await world.raw(t), await world.raw(t)];
        const soul = fresh('audio') + '#0', value = fresh('chunk'), key = '000001#' + hash_of(value);
        const first = Date.now() - 10_000;
        await listener.ask({ '#': 'sub' + soul, get: { '#': soul } });
        assert.ok((await send(ann, soul, key, value, first)).ok);
        await listener.hear('the chunk', m => m.put?.[soul]?.[key] === value);
        for (const [peer, state] of [[ann, first], [bob, first], [bob, first + 5000], [ann, first - 5000], [bob, 1]]) {
            const answer = await send(peer, soul, key, value, state);
            assert.deepEqual([answer.ok, answer.err], [true, undefined], String(state - first));
        }
        await listener.settle(fresh('by'));
        assert.equal(told(listener, soul), 1);
        assert.equal((await read_node(world.relay, soul))._['>'][key], first);
    });

    suite.test('a chunk of a real client reaches another by its hash, and the same app putting it again is not told on', async t => {
        const relay = await world.own_relay(t);
        const [ann, bob] = await world.people(t, 2, relay);
        const soul = fresh('audio') + '#0', value = 'chunk '.repeat(2000);
        const write = async ({ gun, SEA, put }, soul, value) => {
            const key = await SEA.work(value, null, null, { name: 'SHA-256' });
            return { key, ...await put(gun.get(soul).get(key), value) };
        };
        const { key, err } = await ann.run(write, soul, value);
        assert.deepEqual([key, err], [hash_of(value), undefined]);
        const listener = await world.raw(t, relay.ws_url);
        await listener.ask({ '#': 'sub' + soul, get: { '#': soul } });
        const [again] = await world.people(t, 1, relay);
        assert.equal((await again.run(write, soul, value)).err, undefined);
        await listener.settle(fresh('by'));
        assert.equal(told(listener, soul), 0);
        assert.equal(await bob.once([soul, key]), value);
        const spoil = ({ gun, put }, soul, key, value) => put(gun.get(soul).get(key), value);
        const [bare] = await world.people(t, 1, relay, { sea: false });
        assert.equal((await bare.run(spoil, soul, key, 'spoilt')).err, 'Data hash not same as hash!');
        assert.equal((await bare.run(spoil, soul, key, null)).err, 'Data hash not same as hash!');
        await relay.restart('kill');
        const [late] = await world.people(t, 1, relay);
        assert.equal(await late.once([soul, key]), value);
    }, { beside: true });
}

export function forger_cases(suite, world)
{
    refusal_cases(suite, world);
    hole_cases(suite, world);
    beside_cases(suite, world);
    chunk_cases(suite, world);
}
