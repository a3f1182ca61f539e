/* gun-client.mjs - real gun clients, each in another process than the test.
 *
 *   const host = await open_host();               a process
 *   const ann = await host.client(relay.url);     a gun client in it
 *   await ann.put(['soul', 'key'], 'value');      its ack: {ok, err}
 *   await ann.run(async ({ gun }) => { ... });    any gun code, run over there
 *
 * A path is a list of keys, as get().get() takes them. run() ships the function's
 * text: it sees its context and its arguments, nothing of the file it stands in.
 * Several clients may live in one host; they share nothing but the module.
 */
import { fork } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { until, within } from './harness.mjs';

const program = path.join(path.dirname(fileURLToPath(import.meta.url)), 'gun-host.cjs');
const call_seconds = 45;
const hosts = new Set();
process.on('exit', () => { for (const child of hosts) child.kill('SIGKILL'); });

class Client {
    constructor(host, number)
    {
        this.host = host;
        this.number = number;
    }

    run(body, ...args)
    {
        return this.host.call({ op: 'run', client: this.number, source: body.toString(), args });
    }

    put(where, value) { return this.run(({ put, walk }, w, v) => put(walk(w), v), where, value); }
    once(where) { return this.run(({ once, walk }, w) => once(walk(w)), where); }
    ram(soul, key) { return this.run(({ ram }, s, k) => ram(s, k), soul, key); }
    connected() { return this.run(({ connected }) => connected()); }
    counts() { return this.run(({ counts }) => counts); }

    /* on() at `where`; seen() is what it last reported. */
    listen(where) { return this.run(({ listen }, w) => { listen(w); }, where); }
    seen(where) { return this.run(({ memory }, w) => memory.seen[w.join('\n')], where); }

    /* Waits until on() at `where` reported something `match` likes. */
    sees(where, match, seconds = 20)
    {
        const right = typeof match === 'function' ? match : value => value === match;
        const what = typeof match === 'function' ? 'what is hoped for' : JSON.stringify(match)?.slice(0, 60);
        return until(`${what} at ${where.join('/').slice(0, 60)}`, async () => {
            const value = await this.seen(where);
            return right(value) && { value };
        }, seconds);
    }

    /* Waits until the client's RAM holds `value`; nobody is asked. */
    holds(soul, key, value, seconds = 20)
    {
        return until(`${JSON.stringify(value)} in RAM at ${soul}/${key}`,
            async () => await this.ram(soul, key) === value, seconds);
    }

    comes_back(seconds = 20) { return until('the client to be connected', () => this.connected(), seconds); }
    close() { return this.host.call({ op: 'close', client: this.number }); }
}

class Host {
    #calls = new Map();
    #number = 0;
    #died = null;
    constructor(environment)
    {
        this.child = fork(program, { serialization: 'advanced', env: { ...process.env, ...environment } });
        hosts.add(this.child);
        this.child.on('message', answer => this.#settle(answer));
        this.exited = new Promise(resolve => this.child.on('exit', code => {
            hosts.delete(this.child);
            for (const { reject } of this.#calls.values()) reject(new Error(`the client process ended (${code}): ${this.#died}`));
            this.#calls.clear();
            resolve();
        }));
    }

    #settle({ call, result, error, died })
    {
        if (died) { this.#died = died; return; }
        const { resolve, reject } = this.#calls.get(call) ?? {};
        this.#calls.delete(call);
        if (error) reject?.(new Error('in the client: ' + error));
        else resolve?.(result);
    }

    call(request)
    {
        if (!this.child.connected) return Promise.reject(new Error(`the client process is gone: ${this.#died}`));
        const call = ++this.#number;
        const answer = new Promise((resolve, reject) => this.#calls.set(call, { resolve, reject }));
        this.child.send({ ...request, call });
        return within(call_seconds, 'an answer of the client process', answer).finally(() => this.#calls.delete(call));
    }

    /* `options` go to Gun(); `peer` may be null for a client on its own. */
    async client(peer, options = {})
    {
        const number = ++this.#number;
        await this.call({ op: 'open', client: number, options: { peers: peer ? [peer] : [], ...options } });
        return new Client(this, number);
    }

    /* The process goes without a word, as a closed laptop does. */
    async close()
    {
        if (hosts.has(this.child)) this.child.kill('SIGKILL');
        await this.exited;
    }
}

/* `sea` loads gun/sea, `lib` a list of gun/lib names. */
export function open_host({ sea = false, lib = [] } = {})
{
    return new Host({ GUN_SEA: sea ? '1' : '', GUN_LIB: lib.join(',') });
}
