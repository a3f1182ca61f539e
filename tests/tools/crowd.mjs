/* crowd.mjs - many real gun clients under load, and how many of them are back.
 *
 * Clients live in processes of a few, so that a small machine can hold them.
 * Each listens to one soul of all and puts new keys of its own all the time.
 */
import { open_host } from './gun-client.mjs';
import { fresh, until } from './harness.mjs';
import { read_node } from './raw.mjs';

const to_a_process = 4;
const puts_a_second = 400; /* of all together */

export class Crowd {
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
        const pace_ms = this.members.length / puts_a_second * 1000;
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
