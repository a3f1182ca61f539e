/* cases-certificates.mjs - users who write into the space of another.
 *
 * sea.js checks certificates itself, in the writer and in every reader, and it
 * cannot read one for two or more users: such a writer's own sea.js lets nothing
 * out, and a reader's does not show it (and may, asked for the whole node, not show the
 * keys beside it either). So some people here are `bare`: gun without
 * sea.js in it. What they put was signed by SEA beforehand, and the verdict on it
 * is the relay's alone. Like cases-users.mjs these journeys run in Node processes
 * and in Chromium.
 */
import { assert, fresh, until } from '../tools/harness.mjs';
import { certify, listen, new_user, put_own, put_with, reads, sign_for, try_to_put_with } from '../tools/people.mjs';
import { read_node } from '../tools/raw.mjs';

const put_text = ({ gun, put }, soul, key, text, state) => put(gun.get(soul).get(key), text, { state });
const good = { ok: true, err: undefined };
const data_keys = node => Object.keys(node).filter(key => key !== '_').sort();

/* Ann, whose space it is, and others with accounts; and who is bare. */
async function gather(house, t, names, bare = 0)
{
    const relay = await house.own_relay(t);
    const people = {};
    for (const name of ['ann', ...names]) {
        const [client] = await house.people(t, 1, relay);
        people[name] = client;
        client.pub = await new_user(client, fresh(name));
    }
    return { relay, ...people, bare: await house.people(t, bare, relay, { sea: false }) };
}

/* The same write that `writer`'s own sea.js may have stopped, by a bare client. */
async function put_bare(bare, writer, owner, folder, key, value, cert, state = Date.now() - 10)
{
    const soul = `~${owner.pub}/${folder}`;
    const text = await writer.run(sign_for, soul, key, value, state, cert);
    return bare.run(put_text, soul, key, text, state);
}

/* What stands there, by its soul: nothing need link to it. */
const read_soul = ({ gun, once }, pub, folder) => once(gun.get('~' + pub + '/' + folder));

function bearer_cases(suite, house, options)
{
    suite.test('a certificate for one: its bearer writes, the owner and a third read it, another is refused', async t => {
        const { relay, ann, bob, eve, cid, bare: [bare] } = await gather(house, t, ['bob', 'eve', 'cid'], 1);
        const letters = {};
        for (const [form, whom] of [['text', bob.pub], ['list', [bob.pub]], ['pair', { pub: bob.pub }]]) {
            const cert = await ann.run(certify, whom, { '*': 'inbox' });
            assert.deepEqual(await bob.run(put_with, ann.pub, 'inbox', form, 'dear ann', cert), good, form);
            letters[form] = 'dear ann';
        }
        const cert = await ann.run(certify, bob.pub, { '*': 'inbox' });
        assert.deepEqual(await cid.run(read_soul, ann.pub, 'inbox'), letters);
        assert.equal((await put_bare(bare, eve, ann, 'inbox', 'stolen', 'x', cert)).err, 'certificate: its bearer is not certified');
        assert.equal((await put_bare(bare, eve, ann, 'inbox', 'stolen', 'x')).err, 'Unverified data.');
        assert.equal(await eve.run(try_to_put_with, ann.pub, 'inbox', 'stolen', 'x', cert), 'silence');
        await relay.restart('kill');
        const [late] = await house.people(t, 1, relay);
        await ann.comes_back();
        for (const reader of [late, ann]) assert.deepEqual(await reader.run(read_soul, ann.pub, 'inbox'), letters);
    }, options);

    suite.test('what is written by certificate reaches the owner as it is written, and the writer may change it', async t => {
        const { ann, bob } = await gather(house, t, ['bob']);
        const cert = await ann.run(certify, bob.pub, { '*': 'inbox' });
        await ann.run(put_own, ['inbox'], { opened: true });
        await ann.run(listen, ann.pub, ['inbox', 'live']);
        for (const text of ['one', 'two']) {
            assert.deepEqual(await bob.run(put_with, ann.pub, 'inbox', 'live', text, cert), good);
            await ann.sees(['inbox', 'live'], text);
        }
        assert.equal((await ann.run(put_own, ['inbox', 'live'], 'the owner may, too')).err, undefined);
        await reads(bob, ann.pub, ['inbox', 'live'], 'the owner may, too');
    }, options);

    suite.test('a guest who walks down from the owner\'s node writes the link on the way as well, where the policy allows it', async t => {
        const { relay, ann, bob, cid } = await gather(house, t, ['bob', 'cid']);
        const walk = ({ gun, put }, pub, folder, key, value, cert) =>
            put(gun.get('~' + pub).get(folder).get(key), value, { opt: { cert } });
        const prefix = await ann.run(certify, bob.pub, { '*': 'inbox' });
        assert.deepEqual(await bob.run(walk, ann.pub, 'inbox', 'k', 'dear ann', prefix), good);
        await reads(cid, ann.pub, ['inbox', 'k'], 'dear ann');
        const below = await ann.run(certify, bob.pub, { '*': 'wall/' });
        assert.equal((await bob.run(walk, ann.pub, 'wall', 'k', 'x', below)).err, 'Certificate verification fail.');
        const { inbox, wall } = await read_node(relay, '~' + ann.pub);
        assert.deepEqual([typeof inbox, wall], ['string', undefined]);
    }, options);

    suite.test('a certificate for everybody: any user writes, who has no account does not', async t => {
        const { ann, bob, eve, cid, bare: [bare] } = await gather(house, t, ['bob', 'eve', 'cid'], 1);
        const cert = await ann.run(certify, '*', { '*': 'wall' });
        assert.deepEqual(await bob.run(put_with, ann.pub, 'wall', 'bob', 'was here', cert), good);
        assert.deepEqual(await eve.run(put_with, ann.pub, 'wall', 'eve', 'too', cert), good);
        const unsigned = await bare.run(put_text, `~${ann.pub}/wall`, 'nobody', 'x', Date.now() - 10);
        assert.equal(unsigned.err, 'Unverified data.');
        for (const reader of [ann, cid]) assert.deepEqual(await reader.run(read_soul, ann.pub, 'wall'), { bob: 'was here', eve: 'too' });
    }, options);

    suite.test('a certificate of somebody else opens nothing', async t => {
        const { ann, bob, eve, cid, bare: [bare] } = await gather(house, t, ['bob', 'eve', 'cid'], 1);
        const cert = await eve.run(certify, bob.pub, { '*': 'inbox' });
        assert.equal((await put_bare(bare, bob, ann, 'inbox', 'k', 'x', cert)).err, 'certificate: not signed by the owner of this space');
        assert.equal(await bob.run(try_to_put_with, ann.pub, 'inbox', 'k', 'x', cert), 'silence');
        assert.equal(await cid.run(read_soul, ann.pub, 'inbox'), undefined);
    }, options);
}

/* A certificate for two, and who gets how far with it. gun's own sea.js looks for
 * '*' in such a list and for nobody else. */
function two_cases(suite, house, options)
{
    suite.test('a certificate for two: both write, a third is refused, and after a kill -9 both letters are there', async t => {
        const { relay, ann, bob, cid, eve, bare } = await gather(house, t, ['bob', 'cid', 'eve'], 2);
        const cert = await ann.run(certify, [bob.pub, cid.pub], { '*': 'inbox' });
        const soul = `~${ann.pub}/inbox`;
        await bare[1].run(({ gun, memory }, soul) => {
            gun.get(soul).get('bob').on(text => { memory.seen.bob = text; });
        }, soul);
        assert.deepEqual(await put_bare(bare[0], bob, ann, 'inbox', 'bob', 'from bob', cert), good);
        assert.deepEqual(await put_bare(bare[0], cid, ann, 'inbox', 'cid', 'from cid', cert), good);
        assert.equal((await put_bare(bare[0], eve, ann, 'inbox', 'eve', 'from eve', cert)).err, 'certificate: its bearer is not certified');
        await until('the letter at who listens', async () =>
            /"from bob"/.test(await bare[1].run(({ memory }) => memory.seen.bob)));
        await relay.restart('kill');
        const { _: meta, ...kept } = await read_node(relay, soul);
        assert.deepEqual(data_keys(kept), ['bob', 'cid']);
        for (const [name, writer] of Object.entries({ bob, cid })) {
            const { ':': value, '~': s, '*': by } = JSON.parse(kept[name]);
            const m = { '#': soul, '.': name, ':': value, '>': meta['>'][name] };
            const checked = await eve.run(({ SEA }, signed, pub) => SEA.verify(signed, pub), { m, s }, by);
            assert.deepEqual([checked, by], [m, writer.pub]);
        }
    }, options);

    suite.test('a certificate for two is dead in gun\'s own sea.js: a writer sends nothing, a reader shows nothing', async t => {
        const { relay, ann, bob, cid, bare: [bare] } = await gather(house, t, ['bob', 'cid'], 1);
        const cert = await ann.run(certify, [bob.pub, cid.pub], { '*': 'inbox' });
        assert.equal(await bob.run(try_to_put_with, ann.pub, 'inbox', 'bob', 'from bob', cert), 'silence');
        assert.deepEqual(await read_node(relay, `~${ann.pub}/inbox`), {});
        assert.deepEqual(await put_bare(bare, cid, ann, 'inbox', 'cid', 'from cid', cert), good);
        const soul = `~${ann.pub}/inbox`;
        assert.deepEqual(await ann.run(put_own, ['inbox', 'ann'], 'by the owner'), good);
        assert.deepEqual(data_keys(await read_node(relay, soul)), ['ann', 'cid']);
        const ask = async (who, ...rest) => await who.run(async ({ gun, once, sleep }, soul, key) =>
            await Promise.race([once(key ? gun.get(soul).get(key) : gun.get(soul)), sleep(3000).then(() => 'nothing')]) ?? 'nothing', ...rest);
        const [reader, other] = await house.people(t, 2, relay);
        assert.equal(await ask(reader, soul, 'ann'), 'by the owner');
        assert.equal(await ask(reader, soul, 'cid'), 'nothing');
        /* Asked for the node, a client in Node is never called back, not even with the
         * owner's key; a page is, two seconds after its localStorage had nothing. */
        const whole = await ask(other, soul);
        assert.ok(whole === 'nothing' || whole.cid === undefined, JSON.stringify(whole));
        const held = await other.run(({ gun }, soul) => Object.keys(gun._.graph[soul] ?? {}), soul);
        assert.ok(!held.includes('cid'), String(held));
    }, options);

    suite.test('two writers with a certificate each: every client shows what both wrote', async t => {
        const { relay, ann, bob, cid } = await gather(house, t, ['bob', 'cid']);
        for (const writer of [bob, cid]) {
            const cert = await ann.run(certify, writer.pub, { '*': 'inbox' });
            assert.deepEqual(await writer.run(put_with, ann.pub, 'inbox', writer.pub, 'dear ann', cert), good);
        }
        await relay.restart('kill');
        const [late] = await house.people(t, 1, relay);
        await ann.comes_back();
        for (const reader of [ann, late]) {
            assert.deepEqual(await reader.run(read_soul, ann.pub, 'inbox'), { [bob.pub]: 'dear ann', [cid.pub]: 'dear ann' });
        }
    }, options);
}

/* Policies, with what they allow and what not: [folder, key]. BOB is the bearer. */
const policies = {
    'a path as text allows exactly it': ['inbox/k2', [['inbox', 'k2']], [['inbox', 'k'], ['inbox', 'k22']]],
    'a prefix allows all that begins with it': [{ '*': 'inbox' }, [['inbox', 'k'], ['inbox/deep', 'k'], ['inboxer', 'k']], [['outbox', 'k']]],
    'a path and a key are asked for both': [{ '#': 'inbox', '.': { '*': 'a' } }, [['inbox', 'a1']], [['inbox', 'b1'], ['other', 'a1']]],
    'a key alone is allowed in every path': [{ '.': 'name' }, [['inbox', 'name'], ['any/where', 'name']], [['inbox', 'names']]],
    'a list allows what one of it allows': [['inbox/one', { '*': 'wall' }], [['inbox', 'one'], ['wall', 'x']], [['inbox', 'two']]],
    'a range written end first is a range': [{ '>': 'inbox/b', '<': 'inbox/d' }, [['inbox', 'c']], [['inbox', 'a'], ['inbox', 'e']]],
};

function policy_cases(suite, house, options)
{
    for (const [sentence, [policy, allowed, refused]] of Object.entries(policies)) {
        suite.test(`a policy of a certificate: ${sentence}`, async t => {
            const { relay, ann, bob, bare: [bare] } = await gather(house, t, ['bob'], 1);
            const cert = await ann.run(certify, bob.pub, policy);
            for (const [folder, key] of refused) {
                assert.equal((await put_bare(bare, bob, ann, folder, key, 'x', cert)).err, 'Certificate verification fail.', `${folder}/${key}`);
                assert.deepEqual(await read_node(relay, `~${ann.pub}/${folder}`), {});
            }
            for (const [folder, key] of allowed) {
                assert.deepEqual(await bob.run(put_with, ann.pub, folder, key, 'y', cert), good, `${folder}/${key}`);
                assert.equal((await ann.run(read_soul, ann.pub, folder))[key], 'y');
            }
            const [folder, key] = refused[0];
            assert.equal((await bob.run(put_with, ann.pub, folder, key, 'x', cert)).err, 'Certificate verification fail.');
        }, options);
    }

    suite.test('a policy of a certificate: "+" asks for the writer\'s key in path or key', async t => {
        const { ann, bob, bare: [bare] } = await gather(house, t, ['bob'], 1);
        const cert = await ann.run(certify, '*', { '*': 'inbox', '+': '*' });
        const why = `Path "inbox" or key "m5" must contain string "${bob.pub}".`;
        assert.equal((await put_bare(bare, bob, ann, 'inbox', 'm5', 'x', cert)).err, why);
        assert.deepEqual(await bob.run(put_with, ann.pub, 'inbox', bob.pub, 'y', cert), good);
        assert.deepEqual(await bob.run(put_with, ann.pub, 'inbox/' + bob.pub, 'm5', 'y', cert), good);
        assert.equal((await bob.run(put_with, ann.pub, 'inbox', 'm5', 'x', cert)).err, why);
        assert.deepEqual(await ann.run(read_soul, ann.pub, 'inbox'), { [bob.pub]: 'y' });
    }, options);
}

function end_cases(suite, house, options)
{
    suite.test('a certificate ends: before it is over its bearer writes, afterwards not, and not with an older state either', async t => {
        const { relay, ann, bob, bare: [bare] } = await gather(house, t, ['bob'], 1);
        const now = Date.now();
        const valid = await ann.run(certify, bob.pub, { '*': 'inbox' }, { expiry: now + 3600_000 });
        const over = await ann.run(certify, bob.pub, { '*': 'inbox' }, { expiry: now - 60_000 });
        assert.deepEqual(await bob.run(put_with, ann.pub, 'inbox', 'valid', 'in time', valid), good);
        const late = await put_bare(bare, bob, ann, 'inbox', 'late', 'too late', over);
        assert.equal(late.err, 'Certificate expired.');
        const dated = await put_bare(bare, bob, ann, 'inbox', 'dated', 'dated back', over, now - 120_000);
        assert.equal(dated.err, 'Certificate expired.');
        assert.equal((await bob.run(put_with, ann.pub, 'inbox', 'own', 'stopped at home', over)).err, 'Certificate expired.');
        assert.deepEqual(data_keys(await read_node(relay, `~${ann.pub}/inbox`)), ['valid']);
    }, options);

    for (const [form, block] of [['a key of the owner', () => 'blocked'], ['a soul', pub => `~${pub}/blocked`],
        ['a node', pub => ({ write: { '#': `~${pub}/blocked` } })]]) {
        suite.test(`a list of who is blocked (${form}): who stands on it is refused, until it is taken off again`, async t => {
            const { relay, ann, bob, cid, bare: [bare] } = await gather(house, t, ['bob', 'cid'], 1);
            const cert = await ann.run(certify, '*', { '*': 'inbox' }, { block: block(ann.pub) });
            assert.deepEqual(await put_bare(bare, bob, ann, 'inbox', 'early', 'there is no list yet', cert), good);
            await ann.run(put_own, ['blocked', bob.pub], true);
            const why = `Certificant ${bob.pub} blocked.`;
            assert.equal((await put_bare(bare, bob, ann, 'inbox', 'blocked', 'x', cert)).err, why);
            assert.deepEqual(await put_bare(bare, cid, ann, 'inbox', 'cid', 'another', cert), good);
            const stopped = await bob.run(try_to_put_with, ann.pub, 'inbox', 'own', 'stopped at home', cert);
            assert.ok(stopped === 'silence' || stopped.err === why, JSON.stringify(stopped));
            await relay.restart('kill');
            for (const client of [ann, bare]) await client.comes_back();
            assert.equal((await put_bare(bare, bob, ann, 'inbox', 'blocked', 'x', cert)).err, why);
            assert.deepEqual(await ann.run(put_own, ['blocked', bob.pub], false), good);
            assert.deepEqual(await put_bare(bare, bob, ann, 'inbox', 'late', 'free again', cert), good);
            assert.deepEqual(data_keys(await read_node(relay, `~${ann.pub}/inbox`)), ['cid', 'early', 'late']);
        }, options);
    }

    /* sea.js looks the list up in the midst of the put, and with no answer in its own
     * memory the put is lost: not every spelling of the list gets through. */
    suite.test('a writer who is on the list with `false` writes through its own sea.js, and a reader shows it', async t => {
        const { ann, bob, cid } = await gather(house, t, ['bob', 'cid']);
        const cert = await ann.run(certify, '*', { '*': 'inbox' }, { block: house.list_that_works(ann.pub) });
        await ann.run(put_own, ['blocked', bob.pub], false);
        assert.deepEqual(await bob.run(put_with, ann.pub, 'inbox', 'bob', 'allowed', cert), good);
        assert.deepEqual(await cid.run(read_soul, ann.pub, 'inbox'), { bob: 'allowed' });
    }, options);
}

export function certificate_cases(suite, house, options = { beside: true })
{
    bearer_cases(suite, house, options);
    two_cases(suite, house, options);
    policy_cases(suite, house, options);
    end_cases(suite, house, options);
}
