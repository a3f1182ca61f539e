/* world.mjs - what most cases share: one relay and a few client processes.
 *
 * A case names its souls with fresh(), so that cases do not meet in the graph.
 * Every client is a new gun of its own; two asked for in a row live in two
 * processes. A case that breaks a relay starts its own.
 */
import { open_host } from '../tools/gun-client.mjs';
import { open_raw } from '../tools/raw.mjs';
import { own_relay, start_relay } from '../tools/relay.mjs';
import { open_line } from '../tools/throttle.mjs';

const pool_size = 4;

export class World {
    #pool = [];
    #next = 0;
    #sea_pool = [];
    #next_sea = 0;

    async open()
    {
        this.relay = await start_relay();
        this.#pool = Array.from({ length: pool_size }, () => open_host());
    }

    async close()
    {
        for (const host of [...this.#pool, ...this.#sea_pool]) await host.close();
        await this.relay?.close();
    }

    /* A gun client of the shared relay, or of `url`; gone when the case ends. */
    async client(t, url = this.relay.url, options = {})
    {
        const host = this.#pool[this.#next++ % this.#pool.length];
        const client = await host.client(url, options);
        t.after(() => client.close());
        return client;
    }

    async clients(t, count, url = this.relay.url)
    {
        const all = [];
        for (let i = 0; i < count; i++) all.push(await this.client(t, url));
        return all;
    }

    /* Clients of users: gun with sea, every one of them in another process than the
     * next `pool_size` - 1, with nothing of its own stored. Without sea they are
     * gun alone, which checks nothing. */
    async people(t, count, relay, { sea = true, peer = relay.url } = {})
    {
        if (!sea) return this.clients(t, count, peer);
        const all = [];
        for (let i = 0; i < count; i++) {
            const place = this.#next_sea++ % pool_size;
            this.#sea_pool[place] ??= open_host({ sea: true });
            const client = await this.#sea_pool[place].client(peer);
            t.after(() => client.close());
            all.push(client);
        }
        return all;
    }

    /* How a certificate names a list of who is blocked, so that gun itself can read it. */
    list_that_works(pub) { return `~${pub}/blocked`; }

    /* A process of its own, for clients that load more of gun or that die. */
    host(t, options)
    {
        const host = open_host(options);
        t.after(() => host.close());
        return host;
    }

    async raw(t, url = this.relay.ws_url, pid = undefined)
    {
        const raw = await open_raw(url, pid);
        t.after(() => raw.close());
        return raw;
    }

    /* A relay for one case only. */
    own_relay(t, options) { return own_relay(t, options); }

    /* A line to the shared relay, or to another port. */
    async line(t, options = {}, port = this.relay.port)
    {
        const line = await open_line(port, options);
        t.after(() => line.close());
        return line;
    }
}
