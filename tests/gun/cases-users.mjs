/* cases-users.mjs - accounts, secrets and trust of real gun and sea users.
 *
 * The journeys run twice: in Node processes (tests/gun) and in pages of Chromium
 * (tests/browser/users.mjs). `house` gives relays and people: see World.people.
 */
import { assert, fresh, until } from '../tools/harness.mjs';
import { create, enter, enter_with_pair, keys, listen, new_user, password, put_own, read, read_value, reads } from '../tools/people.mjs';

const kinds = { text: 'text', empty: '', yes: true, no: false, zero: 0, minus: -1.5, big: 1e21, tiny: 5e-324,
    third: 1 / 3, numeric: '12', json: '{"a":[1]}', array: '[1]', tagged: 'SEA{"a":1}',
    accents: 'é ß 日本 😀', lone: '\ud800', quotes: '"\\/\b\n\u0001\u2028', nothing: null };

const good = { ok: true, err: undefined };

function account_cases(suite, house, options)
{
    suite.test('an account made on one client is entered on another after a kill -9, with all it wrote', async t => {
        const relay = await house.own_relay(t);
        const [ann, elsewhere, eve] = await house.people(t, 3, relay);
        const alias = fresh('ann');
        const pub = await new_user(ann, alias);
        assert.deepEqual(await ann.run(put_own, ['motto'], 'signed'), good);
        await relay.restart('kill');
        const [fresh_one] = await house.people(t, 1, relay);
        assert.deepEqual(await fresh_one.run(enter, alias, password), { pub, err: null });
        await reads(fresh_one, pub, ['motto'], 'signed');
        for (const client of [elsewhere, eve]) await client.comes_back();
        assert.deepEqual(await elsewhere.run(enter, alias, password), { pub, err: null });
        assert.match((await eve.run(enter, alias, 'guessed guess')).err, /Wrong user or password/);
        assert.match((await eve.run(create, alias, password)).err, /already created/);
    }, options);

    suite.test('who enters elsewhere writes on, and the first client sees it', async t => {
        const relay = await house.own_relay(t);
        const [ann, elsewhere] = await house.people(t, 2, relay);
        const alias = fresh('ann');
        const pub = await new_user(ann, alias);
        await ann.run(put_own, ['note'], 'old');
        await ann.run(listen, pub, ['note']);
        await ann.sees(['note'], 'old');
        await elsewhere.run(enter, alias, password);
        assert.equal((await elsewhere.run(put_own, ['note'], 'from elsewhere')).err, undefined);
        await ann.sees(['note'], 'from elsewhere');
    }, options);

    suite.test('a changed password holds after a kill -9: the old one is refused, the new one has the same keys', async t => {
        const relay = await house.own_relay(t);
        const [ann, bob, cid] = await house.people(t, 3, relay);
        const alias = fresh('change');
        const pub = await new_user(ann, alias);
        const own = await ann.run(keys);
        await ann.run(put_own, ['motto'], 'before');
        assert.equal((await ann.run(enter, alias, password, { change: 'another password' })).err, null);
        assert.deepEqual(await ann.run(put_own, ['marker'], 'the relay has what came before'), good);
        await relay.restart('kill');
        for (const client of [bob, cid]) await client.comes_back();
        assert.match((await cid.run(enter, alias, password)).err, /Wrong user or password/);
        assert.deepEqual(await bob.run(enter, alias, 'another password'), { pub, err: null });
        assert.deepEqual(await bob.run(keys), own);
        assert.equal((await bob.run(put_own, ['motto'], 'after')).err, undefined);
        await reads(cid, pub, ['motto'], 'after');
    }, options);

    suite.test('who has left writes nothing more to the account, and enters again by password or by keys', async t => {
        const relay = await house.own_relay(t);
        const [ann, cid] = await house.people(t, 2, relay);
        const alias = fresh('leave');
        const pub = await new_user(ann, alias);
        const own = await ann.run(keys);
        await ann.run(put_own, ['motto'], 'at home');
        await ann.run(({ gun }) => { gun.user().leave(); });
        const put_there = ({ gun, put }, pub, value) => put(gun.get('~' + pub).get('motto'), value);
        assert.equal((await ann.run(put_there, pub, 'gone')).err, 'Unverified data.');
        await reads(cid, pub, ['motto'], 'at home');
        assert.deepEqual(await ann.run(enter, alias, password), { pub, err: null });
        assert.equal((await ann.run(put_own, ['motto'], 'back')).err, undefined);
        await ann.run(({ gun }) => { gun.user().leave(); });
        assert.deepEqual(await ann.run(enter_with_pair, own), { pub, err: null });
        assert.equal((await ann.run(put_own, ['motto'], 'by keys')).err, undefined);
        const [third] = await house.people(t, 1, relay);
        await reads(third, pub, ['motto'], 'by keys');
    }, options);

    suite.test('two users with one alias: each enters with the own password, elsewhere and after a kill -9', async t => {
        const relay = await house.own_relay(t);
        const [ann, other, elsewhere, cid] = await house.people(t, 4, relay);
        const alias = fresh('same');
        const first = await ann.run(create, alias, password);
        const second = await other.run(create, alias, 'a second password', { already: true });
        assert.deepEqual([first.err, second.err], [null, null]);
        assert.notEqual(first.pub, second.pub);
        await ann.run(enter, alias, password);
        await other.run(enter, alias, 'a second password');
        assert.equal((await ann.run(put_own, ['who'], 'first')).err, undefined);
        assert.equal((await other.run(put_own, ['who'], 'second')).err, undefined);
        await relay.restart('kill');
        for (const client of [elsewhere, cid]) await client.comes_back();
        assert.deepEqual(await elsewhere.run(enter, alias, 'a second password'), { pub: second.pub, err: null });
        assert.deepEqual(await cid.run(enter, alias, password), { pub: first.pub, err: null });
        await reads(elsewhere, first.pub, ['who'], 'first');
        await reads(cid, second.pub, ['who'], 'second');
        const list = await cid.run(({ gun, once }, alias) => once(gun.get('~@' + alias)), alias);
        assert.deepEqual(Object.keys(list).sort(), ['~' + first.pub, '~' + second.pub].sort());
    }, options);
}

function value_cases(suite, house, options)
{
    suite.test('signed values of every type come back as they were, key by key and as a node, also after a kill -9', async t => {
        const relay = await house.own_relay(t);
        const [ann, bob] = await house.people(t, 2, relay);
        const pub = await new_user(ann, fresh('kinds'));
        for (const [key, value] of Object.entries(kinds)) {
            assert.deepEqual(await ann.run(put_own, ['kinds', key], value), good, key);
        }
        for (const [key, value] of Object.entries(kinds)) await reads(bob, pub, ['kinds', key], value);
        await relay.restart('kill');
        const [cid] = await house.people(t, 1, relay);
        await reads(cid, pub, ['kinds'], kinds);
    }, options);

    suite.test('what a user writes is read by others, at the first query (gun#844)', async t => {
        const relay = await house.own_relay(t);
        const [ann, bob] = await house.people(t, 2, relay);
        const alias = fresh('profile');
        const pub = await new_user(ann, alias);
        assert.deepEqual(await ann.run(put_own, ['profile', 'name'], 'Ann'), good);
        assert.equal(await bob.run(read, pub, ['profile', 'name']), 'Ann');
        assert.equal(await bob.run(({ gun, once }, pub) => once(gun.user(pub).get('alias')), pub), alias);
    }, options);

    suite.test('objects, sets and links inside a user\'s space are walked by others', async t => {
        const relay = await house.own_relay(t);
        const [ann, bob] = await house.people(t, 2, relay);
        const pub = await new_user(ann, fresh('deep'));
        const tree = { name: 'Ann', home: { city: { name: 'Ulm', zip: 89073 } } };
        assert.equal((await ann.run(put_own, ['profile'], tree)).err, undefined);
        const add = ({ gun }, text) => new Promise(resolve => {
            gun.user().get('posts').set({ text }, ack => resolve(ack.err ?? 'ok'));
        });
        assert.equal(await ann.run(add, 'one'), 'ok');
        assert.equal(await ann.run(add, 'two'), 'ok');
        await reads(bob, pub, ['profile', 'home', 'city', 'name'], 'Ulm');
        await reads(bob, pub, ['profile', 'home', 'city'], { name: 'Ulm', zip: 89073 });
        await bob.run(({ gun, memory }, pub) => {
            memory.texts = {};
            gun.get('~' + pub).get('posts').map().on((post, key) => { memory.texts[key] = post?.text; });
        }, pub);
        await until('both posts', async () =>
            (await bob.run(({ memory }) => Object.values(memory.texts).sort().join())) === 'one,two');
    }, options);

    suite.test('a signed null clears a key for everybody, and a link to a node', async t => {
        const relay = await house.own_relay(t);
        const [ann, bob, cid] = await house.people(t, 3, relay);
        const pub = await new_user(ann, fresh('null'));
        await ann.run(put_own, ['draft'], 'words');
        await ann.run(put_own, ['album', 'title'], 'songs');
        await bob.run(listen, pub, ['draft']);
        await bob.sees(['draft'], 'words');
        assert.equal((await ann.run(put_own, ['draft'], null)).err, undefined);
        await bob.sees(['draft'], null);
        assert.equal((await ann.run(put_own, ['album'], null)).err, undefined);
        await relay.restart('kill');
        await cid.comes_back();
        await reads(cid, pub, ['draft'], null);
        await reads(cid, pub, ['album'], null);
    }, options);
}

function secret_cases(suite, house, options)
{
    suite.test('two users write each other encrypted values and read them; a third cannot', async t => {
        const relay = await house.own_relay(t);
        const [ann, bob, eve] = await house.people(t, 3, relay);
        const pubs = [];
        for (const [client, name] of [[ann, 'ann'], [bob, 'bob'], [eve, 'eve']]) pubs.push(await new_user(client, fresh(name)));
        const write = async ({ gun, SEA, value, put }, to, text) => {
            const epub = await value(gun.user(to).get('epub'));
            const secret = await SEA.secret(epub, gun.user()._.sea);
            return put(gun.user().get('for').get(to), await SEA.encrypt(text, secret));
        };
        const open = async ({ gun, SEA, value }, from, to) => {
            const secret = await SEA.secret(await value(gun.user(from).get('epub')), gun.user()._.sea);
            return await SEA.decrypt(await value(gun.get('~' + from).get('for').get(to)), secret) ?? 'nothing';
        };
        assert.equal((await ann.run(write, pubs[1], 'dear bob')).err, undefined);
        assert.equal((await bob.run(write, pubs[0], 'dear ann')).err, undefined);
        assert.equal(await bob.run(open, pubs[0], pubs[1]), 'dear bob');
        assert.equal(await ann.run(open, pubs[1], pubs[0]), 'dear ann');
        assert.equal(await eve.run(open, pubs[0], pubs[1]), 'nothing');
        assert.match(await eve.run(read_value, pubs[0], ['for', pubs[1]]), /^SEA\{"ct":/);
    }, options);

    suite.test('a list of who is trusted is read by others and follows a change', async t => {
        const relay = await house.own_relay(t);
        const [ann, bob, cid] = await house.people(t, 3, relay);
        const pub = await new_user(ann, fresh('ann'));
        const friends = [await new_user(bob, fresh('bob')), await new_user(cid, fresh('cid'))];
        for (const friend of friends) {
            assert.equal((await ann.run(put_own, ['trust', friend], { level: 1, by: 'hand' })).err, undefined);
        }
        await cid.run(({ gun, memory }, pub) => {
            memory.trust = {};
            gun.get('~' + pub).get('trust').map().on((entry, friend) => { memory.trust[friend] = entry && entry.level; });
        }, pub);
        const trusted = levels => until('the list of who is trusted', async () => {
            const seen = await cid.run(({ memory }) => memory.trust);
            return friends.every((friend, i) => seen[friend] === levels[i]);
        });
        await trusted([1, 1]);
        await ann.run(put_own, ['trust', friends[0], 'level'], 0);
        await trusted([0, 1]);
        /* user.trust() itself throws in this version of sea.js, wherever it is called */
        assert.match(await ann.run(({ gun }, friend) => gun.user().get('diary').trust(gun.get('~' + friend)).catch(String), friends[0]),
            /ReferenceError/);
    }, options);

    /* grant() makes a secret, and puts the owner's copy and the friend's at once. */
    suite.test('user.grant() hands a secret to another user, who opens it, and to nobody else', async t => {
        const relay = await house.own_relay(t);
        const [ann, bob, eve] = await house.people(t, 3, relay);
        const pub = await new_user(ann, fresh('ann'));
        const friend = await new_user(bob, fresh('bob'));
        await new_user(eve, fresh('eve'));
        const path = 'diary~' + pub; /* as grant() names it */
        /* It asks for the friend's keys by then(), which knows what comes within 99 ms. */
        await ann.run(async ({ gun, value }, friend) => {
            for (const key of ['pub', 'epub']) await value(gun.user(friend).get(key));
        }, friend);
        assert.equal(await ann.run(({ gun }, friend) => new Promise(resolve => {
            gun.user().get('diary').grant(gun.user(friend), ack => resolve(ack.err ?? 'ok'));
        }), friend), 'ok');
        const open = async ({ gun, SEA, value }, from, to, path) => {
            const pair = gun.user()._.sea;
            const secret = from === pair.pub ? pair : await SEA.secret(await value(gun.user(from).get('epub')), pair);
            return await SEA.decrypt(await value(gun.get('~' + from).get('grant').get(to).get(path)), secret) ?? 'nothing';
        };
        const handed = await ann.run(open, pub, pub, path);
        assert.equal(handed.length, 16);
        assert.equal(await bob.run(open, pub, friend, path), handed);
        assert.equal(await eve.run(open, pub, friend, path), 'nothing');
    }, options);
}

export function user_cases(suite, house, options = { beside: true })
{
    account_cases(suite, house, options);
    value_cases(suite, house, options);
    secret_cases(suite, house, options);
}
