/* cases-modes.mjs - real clients of relays that do not take everything: --write
 * signed and closed, --allow, and tokens as apps can show them.
 *
 * In Node and in Chromium, like cases-users.mjs. What each mode says to each frame is
 * in tests/wire; here are users who do not know in which mode the relay is.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assert, fresh, until } from '../tools/harness.mjs';
import { certify, create, enter, enter_with_pair, new_user, password, put_own, put_with, reads, sign_for } from '../tools/people.mjs';
import { open_raw, put_of, read_node } from '../tools/raw.mjs';
import { hash_of, make_pair, sea_pair } from '../tools/signer.mjs';

const token = 'open+sesame%41!';
const good = { ok: true, err: undefined };
const unsigned = 'unsigned: this relay takes signed writes only';
const not_allowed = 'closed: this space is not of a key that is allowed here';
const no_alias = 'closed: an alias may only link to a key that is allowed here';
const no_token = 'closed: only allowed keys write here, and there is no token';
const no_root = 'closed: no allowed key links to this, and there is no token';

const put_free = ({ gun, put }, soul, key, value) => put(gun.get(soul).get(key), value);
const put_link = ({ gun, put }, folder, key, soul) => put(gun.user().get(folder).get(key), { '#': soul });

/* brasa's own texts may go on, with the name of the key. */
function refused(answer, text)
{
    assert.deepEqual([answer.ok, String(answer.err).slice(0, text.length)], [false, text]);
}

/* The put is refused and nothing of it is there. */
async function refuses(relay, client, soul, key, text, value = 'x')
{
    refused(await client.run(put_free, soul, key, value), text);
    assert.equal((await read_node(relay, soul))[key], undefined);
}

async function status_of(relay)
{
    return (await fetch(relay.http('/status'))).json();
}

function signed_cases(suite, house, options)
{
    const args = ['--write', 'signed', '--write-token', token];

    suite.test('signed: users sign up, enter elsewhere and write; what is not signed is refused with a reason', async t => {
        const relay = await house.own_relay(t, { args });
        const [ann, elsewhere] = await house.people(t, 2, relay);
        const [bare] = await house.people(t, 1, relay, { sea: false });
        const alias = fresh('ann'), free = fresh('free');
        const pub = await new_user(ann, alias);
        assert.deepEqual(await ann.run(put_own, ['profile'], { name: 'Ann', home: { city: 'Ulm' } }), good);
        await refuses(relay, ann, free, 'k', unsigned);
        await refuses(relay, bare, free, 'k', unsigned, 5);
        refused(await bare.run(put_free, '~' + pub, 'motto', 'x'), 'Unverified data.');
        await relay.restart('kill');
        await elsewhere.comes_back();
        assert.deepEqual(await elsewhere.run(enter, alias, password), { pub, err: null });
        await reads(elsewhere, pub, ['profile', 'home', 'city'], 'Ulm');
        assert.deepEqual(await elsewhere.run(put_own, ['motto'], 'signed'), good);
        assert.equal((await status_of(relay)).write_mode, 'signed');
    }, options);

    suite.test('signed: chunks and what is kept in memory only need no signature', async t => {
        const relay = await house.own_relay(t, { args });
        const [bare, reader] = await house.people(t, 2, relay, { sea: false });
        const soul = fresh('audio') + '#0', live = '/live/' + fresh('cursor');
        assert.deepEqual(await bare.run(put_free, soul, hash_of('sound'), 'sound'), good);
        assert.deepEqual(await bare.run(put_free, live, 'x', 12), good);
        assert.equal(await reader.once([soul, hash_of('sound')]), 'sound');
        assert.equal(await reader.once([live, 'x']), 12);
    }, options);

    suite.test('signed: bytes of chunks count against a quota, also after a restart; a token and signed data pass it', async t => {
        const relay = await house.own_relay(t, { args: [...args, '--limit', 'hash-bytes=100000'] });
        const peer = `${relay.url}?token=${encodeURIComponent(token)}`;
        const [bare] = await house.people(t, 1, relay, { sea: false });
        const [holder] = await house.people(t, 1, relay, { sea: false, peer });
        const [ann] = await house.people(t, 1, relay);
        const chunk = i => String(i).repeat(30_000);
        const put_chunk = (who, i) => who.run(put_free, `audio-${i}#0`, hash_of(chunk(i)), chunk(i));
        for (const i of [1, 2, 3]) assert.deepEqual(await put_chunk(bare, i), good);
        const full = async i => refused(await put_chunk(bare, i), 'quota: the relay has no room for more data under hashes');
        await full(4);
        assert.deepEqual(await put_chunk(bare, 3), good); /* what is there is there */
        await relay.restart('kill');
        for (const client of [bare, holder, ann]) await client.comes_back();
        await full(5);
        assert.deepEqual(await put_chunk(holder, 6), good);
        await new_user(ann, fresh('ann'));
        assert.deepEqual(await ann.run(put_own, ['essay'], 'e'.repeat(30_000)), good);
        assert.deepEqual(await read_node(relay, 'audio-4#0'), {});
    }, options);
}

function token_cases(suite, house, options)
{
    for (const mode of ['signed', 'closed']) {
        const args = ['--write', mode, '--write-token', token, '--allow', make_pair().pub];
        const why = mode === 'signed' ? unsigned : no_token;

        suite.test(`${mode}: an app that opens /gun?token=T writes what is not signed, one without or with a wrong one does not`, async t => {
            const relay = await house.own_relay(t, { args });
            const at = shown => `${relay.url}?token=${encodeURIComponent(shown)}`;
            const [holder] = await house.people(t, 1, relay, { peer: at(token) });
            const [guesser] = await house.people(t, 1, relay, { peer: at('a+wrong%41token') });
            const [none] = await house.people(t, 1, relay);
            const free = fresh('free');
            assert.deepEqual(await holder.run(put_free, free, 'k', 'by token'), good);
            await refuses(relay, guesser, free, 'guessed', why);
            await refuses(relay, none, free, 'none', why);
            for (const reader of [guesser, none]) assert.equal(await reader.once([free, 'k']), 'by token');
        }, options);

        suite.test(`${mode}: a token in headers of messages opens these messages, and goes no further`, async t => {
            const relay = await house.own_relay(t, { args });
            const [holder] = await house.people(t, 1, relay);
            const free = fresh('free');
            const listener = await open_raw(relay.ws_url);
            t.after(() => listener.close());
            await listener.ask({ '#': 'sub' + free, get: { '#': free } });
            await refuses(relay, holder, free, 'before', why);
            await holder.run(({ gun }, token) => {
                gun.on('out', function (message) { message.headers = { token }; this.to.next(message); });
            }, token);
            assert.deepEqual(await holder.run(put_free, free, 'k', 'by token'), good);
            await listener.hear('the write', m => m.put?.[free]?.k === 'by token');
            assert.ok(!JSON.stringify(listener.heard).includes('sesame'), 'the token was passed on');
            const answer = await listener.ask(put_of('own' + free, free, { own: ['x', Date.now() - 10] }));
            assert.equal(String(answer.err).slice(0, why.length), why);
        }, options);
    }

    suite.test('a token opens nobody\'s user space', async t => {
        const relay = await house.own_relay(t, { args: ['--write', 'signed', '--write-token', token] });
        const peer = `${relay.url}?token=${encodeURIComponent(token)}`;
        const [ann] = await house.people(t, 1, relay);
        const [holder] = await house.people(t, 1, relay, { sea: false, peer });
        const pub = await new_user(ann, fresh('ann'));
        await ann.run(put_own, ['motto'], 'mine');
        refused(await holder.run(put_free, '~' + pub, 'motto', 'by token'), 'Unverified data.');
        await reads(ann, pub, ['motto'], 'mine');
    }, options);
}

/* A relay on which Ann and Bob made accounts while it was open, then closed to all
 * but Ann. `allow` says how she is named. */
async function closed_to_ann(house, t, { allow = pub => pub, more = [] } = {})
{
    const relay = await house.own_relay(t);
    const [ann, bob] = await house.people(t, 2, relay);
    ann.alias = fresh('ann');
    ann.pub = await new_user(ann, ann.alias);
    bob.pub = await new_user(bob, fresh('bob'));
    await bob.run(put_own, ['old'], 'from before');
    await relay.restart('stop', ['--write', 'closed', '--allow', allow(ann.pub), ...more]);
    for (const client of [ann, bob]) await client.comes_back();
    return { relay, ann, bob };
}

function closed_cases(suite, house, options)
{
    suite.test('closed: allowed users write and enter elsewhere; others read, and are told why they may not write', async t => {
        const { relay, ann, bob } = await closed_to_ann(house, t);
        assert.deepEqual(await ann.run(put_own, ['motto'], 'allowed'), good);
        refused(await bob.run(put_own, ['new'], 'x'), not_allowed);
        await refuses(relay, bob, fresh('free'), 'k', no_token);
        await refuses(relay, ann, fresh('free'), 'k', no_token);
        const [elsewhere] = await house.people(t, 1, relay);
        assert.deepEqual(await elsewhere.run(enter, ann.alias, password), { pub: ann.pub, err: null });
        await reads(elsewhere, bob.pub, ['old'], 'from before');
        const node = await read_node(relay, '~' + bob.pub);
        assert.deepEqual([typeof node.old, node.new], ['string', undefined]);
        await reads(bob, ann.pub, ['motto'], 'allowed');
        assert.equal((await status_of(relay)).write_mode, 'closed');
    }, options);

    suite.test('closed: who has a certificate of an allowed user writes into that space, and only there', async t => {
        const { ann, bob, relay } = await closed_to_ann(house, t);
        const cert = await ann.run(certify, bob.pub, { '*': 'inbox' });
        assert.deepEqual(await bob.run(put_with, ann.pub, 'inbox', 'letter', 'dear ann', cert), good);
        refused(await bob.run(put_own, ['new'], 'x'), not_allowed);
        const [late] = await house.people(t, 1, relay);
        assert.equal(await late.run(({ gun, once }, pub) => once(gun.get(`~${pub}/inbox`).get('letter')), ann.pub), 'dear ann');
    }, options);

    suite.test('closed: a new account is made only with an allowed key, and its alias links to it', async t => {
        const pair = make_pair();
        const relay = await house.own_relay(t, { args: ['--write', 'closed', '--allow', pair.pub] });
        const [ann, bob, cid] = await house.people(t, 3, relay);
        assert.equal((await ann.run(({ gun }, pair) => new Promise(resolve => {
            gun.user().create(pair, ack => resolve({ pub: ack.pub, err: ack.err ?? null }));
        }), sea_pair(pair))).err, null);
        assert.deepEqual(await ann.run(enter_with_pair, sea_pair(pair)), { pub: pair.pub, err: null });
        assert.deepEqual(await ann.run(put_own, ['motto'], 'here'), good);
        await reads(cid, pair.pub, ['motto'], 'here');
        assert.deepEqual(Object.keys((await read_node(relay, '~@' + pair.pub))).sort(), ['_', '~' + pair.pub]);
        const stranger = await bob.run(create, fresh('bob'), password); /* gun calls back before it knows */
        refused(await bob.run(({ gun, put }, alias, to) => put(gun.get('~@' + alias).get(to), { '#': to }), fresh('bob'), '~' + stranger.pub), no_alias);
        refused(await bob.run(put_free, '~' + stranger.pub, 'pub', stranger.pub), not_allowed);
        assert.deepEqual(await read_node(relay, '~' + stranger.pub), {});
    }, options);

    suite.test('closed: chunks are taken when an allowed user has linked to their root, also after a kill -9', async t => {
        const { relay, ann, bob } = await closed_to_ann(house, t, { more: ['--write-token', token] });
        const [holder] = await house.people(t, 1, relay, { peer: `${relay.url}?token=${encodeURIComponent(token)}` });
        const root = 'audio/' + fresh('root'), other = 'audio/' + fresh('other');
        const put_chunk = (who, soul, text) => who.run(put_free, soul, hash_of(text), text);
        refused(await put_chunk(bob, root + '#0', 'too early'), no_root);
        assert.deepEqual(await ann.run(put_link, 'tracks', 'song', root + '#m'), good);
        assert.deepEqual(await put_chunk(bob, root + '#0', 'sound'), good);
        refused(await put_chunk(bob, other + '#0', 'nobody linked to it'), no_root);
        assert.deepEqual(await put_chunk(holder, other + '#0', 'by token'), good);
        await relay.restart('kill');
        for (const client of [bob, holder]) await client.comes_back();
        assert.deepEqual(await put_chunk(bob, root + '#1', 'more sound'), good);
        refused(await put_chunk(bob, other + '#1', 'still not'), no_root);
        assert.equal((await read_node(relay, root + '#1'))[hash_of('more sound')], 'more sound');
        assert.deepEqual(await read_node(relay, other + '#1'), {});
    }, options);

    suite.test('closed: the file of --allow is read anew at SIGHUP: who was added writes, who was taken off does not', async t => {
        const folder = mkdtempSync(path.join(tmpdir(), 'brasa-allow-'));
        t.after(() => rmSync(folder, { recursive: true, force: true }));
        const file = path.join(folder, 'keys');
        const allow = pub => { writeFileSync(file, `# who writes here\n${pub}\n`); return file; };
        const { relay, ann, bob } = await closed_to_ann(house, t, { allow });
        assert.deepEqual(await ann.run(put_own, ['motto'], 'still'), good);
        refused(await bob.run(put_own, ['motto'], 'not yet'), not_allowed);
        writeFileSync(file, `${bob.pub}\n${make_pair().pub}\n`);
        process.kill(relay.pid, 'SIGHUP');
        await until('two keys to be allowed', async () => (await status_of(relay)).allowed_keys === 2);
        assert.deepEqual(await bob.run(put_own, ['motto'], 'now'), good);
        refused(await ann.run(put_own, ['motto'], 'no more'), not_allowed);
        await reads(bob, ann.pub, ['motto'], 'still');
        for (const client of [ann, bob]) assert.ok(await client.connected(), 'SIGHUP dropped a client');
    }, options);
}

function open_cases(suite, house, options)
{
    suite.test('open: everybody writes what is nobody\'s, and nobody what is somebody\'s', async t => {
        const relay = await house.own_relay(t);
        const [ann, bob] = await house.people(t, 2, relay);
        const [bare] = await house.people(t, 1, relay, { sea: false });
        const pub = await new_user(ann, fresh('ann'));
        await new_user(bob, fresh('eve'));
        const free = fresh('free');
        assert.deepEqual(await bare.run(put_free, free, 'k', 'anybody'), good);
        refused(await bare.run(put_free, '~' + pub, 'motto', 'x'), 'Unverified data.');
        const state = Date.now() - 10;
        const text = await bob.run(sign_for, '~' + pub, 'motto', 'by eve', state);
        refused(await bare.run(({ gun, put }, soul, text, state) => put(gun.get(soul).get('motto'), text, { state }), '~' + pub, text, state), 'Unverified data.');
        assert.equal((await status_of(relay)).write_mode, 'open');
        assert.equal((await read_node(relay, '~' + pub)).motto, undefined);
    }, options);
}

export function mode_cases(suite, house, options = { beside: true })
{
    open_cases(suite, house, options);
    signed_cases(suite, house, options);
    token_cases(suite, house, options);
    closed_cases(suite, house, options);
}
