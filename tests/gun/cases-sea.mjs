/* cases-sea.mjs - accounts and certificates of real gun/sea clients.
 *
 * The relay keeps signed texts as they are; it is the clients that check them.
 */
import { assert, fresh } from '../tools/harness.mjs';

const password = 'correct horse battery';

/* Each body runs in the client's process and answers what gun called back. */
const create = ({ gun }, alias, pass) => new Promise(resolve => {
    gun.user().create(alias, pass, ack => resolve({ pub: ack.pub ?? null, err: ack.err ?? null }));
});
const enter = ({ gun }, alias, pass, options) => new Promise(resolve => {
    gun.user().auth(alias, pass, ack => resolve({ pub: ack.put?.pub ?? ack.sea?.pub ?? null, err: ack.err ?? null }), options);
});
const write = ({ gun, put }, where, value) => put(where.reduce((chain, key) => chain.get(key), gun.user()), value);

export function sea_cases(gun, world)
{
    const open = async (t, count) => {
        const clients = [];
        for (let i = 0; i < count; i++) clients.push(await world.host(t, { sea: true }).client(world.relay.url));
        return clients;
    };

    gun.test('an account is created on one client and entered on another; a wrong password is refused', async t => {
        const [ann, elsewhere, eve] = await open(t, 3);
        const alias = fresh('ann');
        const created = await ann.run(create, alias, password);
        assert.equal(created.err, null);
        assert.match(created.pub, /^[\w-]{43}\.[\w-]{43}$/);
        const entered = await elsewhere.run(enter, alias, password);
        assert.deepEqual(entered, { pub: created.pub, err: null });
        assert.match((await eve.run(enter, alias, 'guess')).err, /Wrong user or password/);
        assert.match((await eve.run(enter, fresh('nobody'), password)).err, /Wrong user or password/);
        assert.match((await eve.run(create, alias, password)).err, /already created/);
    }, { beside: true });

    gun.test('a password is changed: the old one is refused, the new one enters elsewhere', async t => {
        const [ann, bob, cid] = await open(t, 3);
        const alias = fresh('change');
        const { pub } = await ann.run(create, alias, password);
        await ann.run(enter, alias, password);
        assert.equal((await ann.run(enter, alias, password, { change: 'new password 1' })).err, null);
        assert.equal((await bob.run(enter, alias, 'new password 1')).pub, pub);
        assert.match((await cid.run(enter, alias, password)).err, /Wrong user or password/);
    }, { beside: true });

    gun.test('what a user writes is read by others, at the first query (gun#844)', async t => {
        const [ann, bob] = await open(t, 2);
        const alias = fresh('profile');
        const { pub } = await ann.run(create, alias, password);
        await ann.run(enter, alias, password);
        assert.equal((await ann.run(write, ['profile', 'name'], 'Ann of ' + alias)).err, undefined);
        const read = ({ gun, once }, pub) => once(gun.get('~' + pub).get('profile').get('name'));
        assert.equal(await bob.run(read, pub), 'Ann of ' + alias);
        assert.equal(await bob.run(({ gun, once }, pub) => once(gun.user(pub).get('alias')), pub), alias);
    }, { beside: true });

    gun.test('with a certificate one user writes into the space of another, without one not', async t => {
        const [ann, bob, cid] = await open(t, 3);
        const [home, guest] = [await ann.run(create, fresh('home'), password), await bob.run(create, fresh('guest'), password)];
        const certificate = await ann.run(({ SEA, gun }, guest) =>
            SEA.certify([guest], { '*': 'inbox' }, gun.user()._.sea), guest.pub);
        const letter = fresh('letter');
        const ack = await bob.run(({ gun }, home, letter, cert) => new Promise(resolve => {
            gun.get('~' + home).get('inbox').get(letter).put('dear ann', ack => resolve({ err: ack.err }), { opt: { cert } });
        }), home.pub, letter, certificate);
        assert.equal(ack.err, undefined);
        const read = ({ gun, once }, home, letter) => once(gun.get('~' + home).get('inbox').get(letter));
        assert.equal(await cid.run(read, home.pub, letter), 'dear ann');
        const refused = await bob.run(({ gun, sleep }, home) => Promise.race([new Promise(resolve => {
            gun.get('~' + home).get('inbox').get('uninvited').put('x', ack => resolve(String(ack.err)));
        }), sleep(1000).then(() => 'nothing was sent')]), home.pub);
        assert.notEqual(refused, 'undefined');
        assert.equal(await cid.run(read, home.pub, 'uninvited'), undefined);
    }, { beside: true });
}
