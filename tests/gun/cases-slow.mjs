/* cases-slow.mjs - a client that does not read costs itself only.
 *
 * What it misses melts to the newest value of each key, so that memory is
 * bounded; when it reads again it gets those, and nobody else waited for it.
 */
import { assert, fresh, until } from '../tools/harness.mjs';

const [keys, rounds, units] = [100, 150, 1000]; /* 15 MB of updates, several times an outbox */

export function slow_cases(gun, world)
{
    gun.test('a client that stops reading gets the newest values when it resumes, and disturbs nobody', async t => {
        const relay = await world.own_relay(t);
        const [slow, writer] = [await world.raw(t, relay.ws_url), await world.raw(t, relay.ws_url)];
        const ann = await world.client(t, relay.url);
        const soul = fresh('melt');
        const stamp = Date.now() - 100_000;
        const put = round => {
            const node = { _: { '#': soul, '>': {} } };
            for (let k = 0; k < keys; k++) {
                node['k' + k] = `${round}:`.padEnd(units, '.');
                node._['>']['k' + k] = stamp + round;
            }
            return { '#': `${soul}-${round}`, put: { [soul]: node } };
        };
        await writer.ask(put(0));
        await slow.ask({ '#': 'sub' + soul, get: { '#': soul } });
        await ann.listen([soul, 'k7']);
        await ann.sees([soul, 'k7'], v => v?.startsWith('0:'));
        slow.pause();
        for (let round = 1; round <= rounds; round++) {
            assert.ok((await writer.ask(put(round))).ok);
            if (round % 50 === 0) await ann.sees([soul, 'k7'], v => v.startsWith(round + ':'));
        }
        slow.resume();
        const newest = new Map();
        await until('the newest value of every key', () => {
            for (const message of slow.heard.splice(0)) {
                const node = message.put?.[soul];
                if (!node) continue;
                for (const [key, value] of Object.entries(node)) {
                    if (key !== '_' && node._['>'][key] >= (newest.get(key)?.state ?? 0)) newest.set(key, { value, state: node._['>'][key] });
                }
            }
            return newest.size === keys && [...newest.values()].every(v => v.value.startsWith(rounds + ':'));
        });
        assert.equal(slow.closed, null, 'the slow client was closed');
        assert.equal((await ann.counts()).closed, 0);
    });
}
