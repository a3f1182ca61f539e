/* cases-restart.mjs - the relay dies, or is stopped, and is there again at once.
 *
 * A gun client tries once, two seconds after the loss. So all clients must be
 * back, and what was acknowledged must be there, however the relay ended.
 */
import { assert, fresh, print_table, sleep, until } from '../tools/harness.mjs';
import { open_host } from '../tools/gun-client.mjs';
import { open_raw, put_of } from '../tools/raw.mjs';

const to_a_process = 4;

/* Puts as fast as acks come, a window of 64, until the connection ends. Gives
 * the keys that were acknowledged, the last ones before the close included. */
async function flood(relay, soul)
{
    const raw = await open_raw(relay.ws_url);
    const acked = new Set();
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
    return { acked, closed: raw.closed };
}

async function read_node(relay, soul)
{
    const raw = await open_raw(relay.ws_url);
    const answer = await raw.ask({ '#': 'read' + soul, get: { '#': soul } });
    await raw.close();
    return answer.put?.[soul] ?? {};
}

function survival_cases(gun, world)
{
    for (const [how, what] of [['kill', 'killed with -9'], ['stop', 'stopped cleanly']]) {
        gun.test(`what was acknowledged is there after the relay was ${what} in the middle of it`, async t => {
            const relay = await world.own_relay(t);
            let kept = 0;
            for (let round = 0; round < (t.long ? 20 : 3); round++) {
                const soul = fresh('acked');
                const flooding = flood(relay, soul);
                await sleep(250);
                const ended = await relay.restart(how);
                const { acked, closed } = await flooding;
                assert.ok(acked.size > 0, 'nothing was acknowledged');
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

/* A crowd: clients in processes of a few, so that a small machine can hold them.
 * Each listens to one soul of all and puts new keys of its own all the time. */
class Crowd {
    #hosts;
    constructor(relay, count)
    {
        this.relay = relay;
        this.common = fresh('common');
        this.#hosts = Array.from({ length: count / to_a_process }, () => open_host());
        this.members = Array.from({ length: count }, () => ({ soul: fresh('member') }));
    }

    async open()
    {
        await Promise.all(this.members.map(async (member, i) => {
            member.client = await this.#hosts[i % this.#hosts.length].client(this.relay.url);
        }));
        const pace_ms = this.members.length * 2.5; /* 400 puts a second by all of them */
        await Promise.all(this.members.map(({ client, soul }) => client.run(({ gun, memory, put }, soul, common, pace_ms) => {
            memory.acked = [];
            gun.get(common).get('bell').on(value => { memory.bell = value; });
            let number = 0;
            setInterval(() => {
                const key = 'k' + number++;
                put(gun.get(soul).get(key), key).then(ack => { if (ack.ok) memory.acked.push(key); });
            }, pace_ms);
        }, soul, this.common, pace_ms)));
        await until('everybody under load', async () => (await this.#all(({ memory }) => memory.acked.length)).every(n => n >= 5), 60);
    }

    #all(body, ...args) { return Promise.all(this.members.map(({ client }) => client.run(body, ...args))); }

    /* Rings at `common`; who hears it, is connected and gets a put of its own
     * acknowledged is back. Gives how many are. */
    async count_back(ringer, bell)
    {
        await ringer.put([this.common, 'bell'], bell);
        const back = await this.#all(async ({ memory, gun, put, sleep, connected }, bell) => {
            for (let i = 0; i < 500 && !(connected() && memory.bell === bell); i++) await sleep(20);
            if (!connected() || memory.bell !== bell) return false;
            const acked = put(gun.get('back').get(bell), bell).then(ack => ack.ok);
            return Promise.race([acked, sleep(15000).then(() => false)]);
        }, bell);
        return back.filter(Boolean).length;
    }

    /* Keys that were acknowledged and are not kept: [[soul, key]]. */
    async lost()
    {
        const acked = await this.#all(({ memory }) => [...memory.acked]);
        const lost = [];
        for (const [i, { soul }] of this.members.entries()) {
            const node = await read_node(this.relay, soul);
            for (const key of acked[i]) if (node[key] !== key) lost.push([soul, key]);
        }
        return { acked: acked.flat().length, lost };
    }

    async close() { await Promise.all(this.#hosts.map(host => host.close())); }
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
