/* users.mjs - the journeys of users (tests/gun/cases-users.mjs and its neighbours)
 * in pages of Chromium, and what only a browser has: sessions that are recalled
 * after a reload, and cookies.
 */
import { certificate_cases } from '../gun/cases-certificates.mjs';
import { mode_cases } from '../gun/cases-modes.mjs';
import { user_cases } from '../gun/cases-users.mjs';
import { assert, fresh } from '../tools/harness.mjs';
import { create, enter, password, put_own } from '../tools/people.mjs';
import { read_node } from '../tools/raw.mjs';
import { open_tab } from './tab.mjs';

/* World.people for pages: each in a browser of its own, with nothing stored. */
class House {
    #rooms;
    constructor(rooms) { this.#rooms = rooms; }

    own_relay(t, options) { return this.#rooms.own_relay(t, options); }

    list_that_works() { return 'blocked'; }

    async people(t, count, relay, { sea = true, peer = relay.url } = {})
    {
        const all = [];
        const scripts = sea ? ['/gun.js', '/sea.js'] : ['/gun.js'];
        for (let i = 0; i < count; i++) {
            all.push(await open_tab(await this.#rooms.context(t), this.#rooms.site(), relay, { peer, scripts }));
        }
        return all;
    }
}

function session_cases(suite, house)
{
    const recall = ({ gun }, ms) => new Promise(resolve => {
        gun.user().recall({ sessionStorage: true }, () => resolve(gun.user().is?.pub ?? null));
        setTimeout(() => resolve('nobody'), ms);
    });

    suite.test('a session is recalled after a reload without a password, and not after the user has left', async t => {
        const relay = await house.own_relay(t);
        const [ann, cid] = await house.people(t, 2, relay);
        const alias = fresh('ann');
        const { pub } = await ann.run(create, alias, password);
        await ann.run(({ gun }) => { gun.user().recall({ sessionStorage: true }); });
        assert.deepEqual(await ann.run(enter, alias, password), { pub, err: null });
        await ann.page.reload();
        await ann.comes_back();
        assert.equal(await ann.run(recall, 20_000), pub);
        assert.equal((await ann.run(put_own, ['motto'], 'after the reload')).err, undefined);
        await cid.page.evaluate(pub => { gun.get('~' + pub).get('motto').on(v => { seen.motto = v; }); }, pub);
        await cid.sees(['motto'], 'after the reload');
        await ann.run(({ gun }) => { gun.user().leave(); });
        await ann.page.reload();
        await ann.comes_back();
        assert.equal(await ann.run(recall, 2000), 'nobody');
    });
}

function cookie_cases(suite, house)
{
    suite.test('a page whose browser holds a cookie with the token writes what is not signed, another does not', async t => {
        const relay = await house.own_relay(t, { args: ['--write', 'signed', '--write-token', 'open-sesame-41'] });
        const [holder, none] = await house.people(t, 2, relay, { sea: false });
        const free = fresh('free');
        const put = ({ gun, put }, soul, key) => put(gun.get(soul).get(key), 'by cookie');
        assert.match((await holder.run(put, free, 'before')).err, /^unsigned: /);
        await holder.page.context().addCookies([{ name: 'token', value: 'open-sesame-41', url: relay.http('/') }]);
        await holder.page.reload();
        await holder.comes_back();
        assert.deepEqual(await holder.run(put, free, 'after'), { ok: true, err: undefined });
        assert.match((await none.run(put, free, 'never')).err, /^unsigned: /);
        const { _: meta, ...kept } = await read_node(relay, free);
        assert.deepEqual([Object.keys(meta['>']), kept], [['after'], { after: 'by cookie' }]);
    });
}

export function user_journeys(suite, rooms)
{
    const house = new House(rooms);
    const named = { test: (sentence, ...rest) => suite.test(`in Chromium: ${sentence}`, ...rest) };
    user_cases(named, house, {});
    certificate_cases(named, house, {});
    mode_cases(named, house, {});
    session_cases(named, house);
    cookie_cases(named, house);
}
