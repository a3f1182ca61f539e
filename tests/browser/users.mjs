/* users.mjs - the journeys of users (tests/gun/cases-users.mjs and its neighbours)
 * in pages of Chromium, and what only a browser has: sessions that are recalled
 * after a reload, and cookies.
 */
import { certificate_cases } from '../gun/cases-certificates.mjs';
import { user_cases } from '../gun/cases-users.mjs';
import { assert, fresh } from '../tools/harness.mjs';
import { create, enter, password, put_own } from '../tools/people.mjs';
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
    const recall = ({ gun }) => new Promise(resolve => {
        gun.user().recall({ sessionStorage: true }, () => resolve(gun.user().is?.pub ?? null));
        setTimeout(() => resolve('nobody'), 3000);
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
        assert.equal(await ann.run(recall), pub);
        assert.equal((await ann.run(put_own, ['motto'], 'after the reload')).err, undefined);
        await cid.page.evaluate(pub => { gun.get('~' + pub).get('motto').on(v => { seen.motto = v; }); }, pub);
        await cid.sees(['motto'], 'after the reload');
        await ann.run(({ gun }) => { gun.user().leave(); });
        await ann.page.reload();
        await ann.comes_back();
        assert.equal(await ann.run(recall), 'nobody');
    });
}

export function user_journeys(suite, rooms)
{
    const house = new House(rooms);
    const named = { test: (sentence, ...rest) => suite.test(`in Chromium: ${sentence}`, ...rest) };
    user_cases(named, house, {});
    certificate_cases(named, house, {});
    session_cases(named, house);
}
