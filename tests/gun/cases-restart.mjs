/* cases-restart.mjs - the relay dies, or is stopped, and is there again at once.
 *
 * A gun client tries once, two seconds after the loss. So all clients must be
 * back, and what was acknowledged must be there, however the relay ended.
 */
import { Crowd } from '../tools/crowd.mjs';
import { assert, fresh, print_table, sleep, until } from '../tools/harness.mjs';
import { open_raw, put_of, read_node } from '../tools/raw.mjs';

/* Puts as fast as acks come, a window of 64, until the connection ends. Gives
 * the keys that were acknowledged, the last ones before the close included, in `acked`. */
async function flood(relay, soul, acked)
{
    const raw = await open_raw(relay.ws_url);
    let [sent, seen] = [0, 0];
    const count_acks = () => {
        for (; seen < raw.heard.length; seen++) {
            const { '@': id, ok } = raw.heard[seen];
            if (ok && id?.startsWith(soul + '.')) acked.add('k' + id.slice(soul.length + 1));
        }
    };
    while (raw.closed === null) {
        for (; sent - acked.size < 64; sent++) {
            raw.send(put_of(`${soul}.${sent}`, soul, { ['k' + sent]: [sent, Date.now() - 1000] }));
        }
        await sleep(1);
        count_acks();
    }
    count_acks();
    return raw.closed;
}

function survival_cases(gun, world)
{
    for (const [how, what] of [['kill', 'killed with -9'], ['stop', 'stopped cleanly']]) {
        gun.test(`what was acknowledged is there after the relay was ${what} in the middle of it`, async t => {
            const relay = await world.own_relay(t);
            let kept = 0;
            for (let round = 0; round < (t.long ? 20 : 3); round++) {
                const soul = fresh('acked');
                const acked = new Set(), flooding = flood(relay, soul, acked);
                await sleep(250);
                await until('something to be acknowledged', () => acked.size > 0);
                const ended = await relay.restart(how);
                const closed = await flooding;
                const node = await read_node(relay, soul);
                const lost = [...acked].filter(key => node[key] !== Number(key.slice(1)));
                assert.deepEqual(lost, [], `${lost.length} of ${acked.size} lost`);
                if (how === 'stop') assert.deepEqual([ended.code, closed], [0, 1001]);
                kept += acked.size;
            }
            console.log(`       ${kept} acknowledged, none lost`);
        }, { beside: true });
    }

    gun.test('a value held for its time survives a kill and is delivered when it is due', async t => {
        const relay = await world.own_relay(t);
        const writer = await world.raw(t, relay.ws_url);
        const soul = fresh('held');
        assert.ok((await writer.ask(put_of(soul, soul, { k: ['in time', Date.now() + 3000] }))).ok);
        await relay.restart('kill');
        const ann = await world.client(t, relay.url);
        await ann.listen([soul, 'k']);
        await ann.sees([soul, 'k'], 'in time');
        assert.equal(await (await world.client(t, relay.url)).once([soul, 'k']), 'in time');
    }, { beside: true });

    gun.test('a stale write after a restart does not win', async t => {
        const relay = await world.own_relay(t);
        const soul = fresh('warmth');
        const ann = await world.client(t, relay.url);
        await ann.put([soul, 'k'], 'new');
        await relay.restart('kill');
        const bob = await world.client(t, relay.url);
        const ack = await bob.run(({ gun, put }, soul) =>
            put(gun.get(soul).get('k'), 'old', { state: Date.now() - 3600_000 }), soul);
        assert.equal(ack.err, undefined);
        await bob.holds(soul, 'k', 'new');
        assert.deepEqual(await bob.once([soul]), { k: 'new' });
    }, { beside: true });

    gun.test('a node read, added to and read again after a restart is whole', async t => {
        const relay = await world.own_relay(t);
        const soul = fresh('whole');
        const ann = await world.client(t, relay.url);
        await ann.put([soul], { a: 1, b: 2, c: 3 });
        await relay.restart('stop');
        const bob = await world.client(t, relay.url);
        assert.deepEqual(await bob.once([soul]), { a: 1, b: 2, c: 3 });
        await bob.put([soul, 'd'], 4);
        assert.deepEqual(await (await world.client(t, relay.url)).once([soul]), { a: 1, b: 2, c: 3, d: 4 });
    }, { beside: true });
}

function crowd_cases(gun, world)
{
    const count = gun.options.long ? 100 : 20;
    gun.test(`${count} clients under load: the relay is killed with -9, then stopped cleanly, and all are back each time`, async t => {
        const relay = await world.own_relay(t);
        const crowd = new Crowd(relay, count);
        t.after(() => crowd.close());
        await crowd.open();
        const table = [['the relay was', 'clients', 'back', 'puts acknowledged', 'lost']];
        for (const how of t.long ? ['kill', 'stop', 'kill', 'stop'] : ['kill', 'stop']) {
            await relay.restart(how);
            const ringer = await world.client(t, relay.url);
            const back = await crowd.count_back(ringer, fresh('bell'));
            const { acked, lost } = await crowd.lost();
            table.push([how === 'kill' ? 'killed -9' : 'stopped', count, back, acked, lost.length]);
            assert.equal(back, count, `${back} of ${count} are back`);
            assert.deepEqual(lost, []);
        }
        print_table(table);
    }, { seconds: 240 });
}

export function restart_cases(gun, world)
{
    survival_cases(gun, world);
    crowd_cases(gun, world);
}
