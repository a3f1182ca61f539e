/* load.mjs - puts for a store that will be broken, and a plan of what was sent.
 *
 * Puts of one key and of several, values of 10 bytes to 20 KB, base64 over 4 KB,
 * hot keys that all peers overwrite, writes from the future; and superseded ones: a put
 * that is older than the put right before it, so that its ack depends on the row it
 * lost to. No two writes have the same value, so that what is found later tells
 * who wrote it. The plan is plan.h's, written before a put is sent.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chance, sleep } from '../tools/harness.mjs';

const WebSocket = createRequire(import.meta.url)('ws');

const hour_ms = 3600e3;
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/* Makes puts from a seed. `began`: a wall time in the past, of the first state. */
export class Puts {
    constructor(seed, began, name = 'p')
    {
        Object.assign(this, { dice: chance(seed), state: began, name, made: 0, values: 0, last: null });
    }

    below(n) { return Math.floor(this.dice() * n); }

    #text(length)
    {
        let text = '';
        while (text.length < length) text += letters[this.below(64)];
        return text;
    }

    /* A number that no other value has stands in each. */
    #value()
    {
        const mark = `${this.name}${++this.values}`;
        const kind = this.below(20);
        if (kind < 12) return `${mark} ${this.#text(this.below(60))}`;
        if (kind < 16) return `${mark} ${this.#text(this.below(3000))}`;
        if (kind < 17) return `${mark} "${this.#text(30)}" \u00e9\u20ac \u0007 ${this.#text(this.below(900))}`;
        if (kind < 18) return `${mark} ${this.#text(5000 + this.below(15000))}`;
        if (kind < 19) return this.#base64(mark);
        return { '#': `${mark}` };
    }

    /* Canonical base64 of more than 4 KB, as an audio chunk is. */
    #base64(mark)
    {
        const bytes = Buffer.alloc(3072 + this.below(9000));
        for (let i = 0; i < bytes.length; i++) bytes[i] = this.below(256);
        bytes.write(mark);
        return bytes.toString('base64');
    }

    #put(flags, soul, keys, state)
    {
        const writes = keys.map(key => ({ soul, key, state, value: this.#value() }));
        return { id: `${this.name}${++this.made}`, flags, writes };
    }

    #keys(soul)
    {
        const count = this.below(4) > 0 ? 1 : 2 + this.below(12);
        const first = this.below(40);
        const keys = Array.from({ length: count }, (_, i) => `k${soul.startsWith('hot') ? (first + i) % 8 : first + i}`);
        return [...new Set(keys)];
    }

    /* Sent once more, before all others: what was not answered, as a client does
     * that comes back. */
    again = [];

    next()
    {
        if (this.again.length > 0) {
            const put = this.again.shift();
            return { ...put, id: `${put.id}r` };
        }
        this.state += 1 + this.below(3);
        const kind = this.below(10);
        if (kind < 2 && this.last) {
            const before = this.last;
            this.last = null;
            return this.#put('old', before.writes[0].soul, before.writes.map(w => w.key), before.writes[0].state - 1 - this.below(5));
        }
        if (kind === 9 && this.below(6) === 0) {
            return this.#put('held', `${this.name}later${this.below(40)}`, ['a', 'b'].slice(0, 1 + this.below(2)), Date.now() + hour_ms + this.made);
        }
        const soul = kind < 4 ? `hot${this.below(3)}` : `${this.name}soul${this.below(100)}`;
        this.last = this.#put('-', soul, this.#keys(soul), this.state);
        return this.last;
    }
}

export function plan_of(put)
{
    const lines = [`put ${put.id} ${put.flags} ${put.writes.length}`];
    for (const w of put.writes) lines.push(`${w.soul} ${w.key} ${w.state} ${JSON.stringify(w.value)}`);
    return lines.join('\n') + '\n';
}

export function message_of(put)
{
    const graph = {};
    for (const w of put.writes) {
        const node = graph[w.soul] ??= { _: { '#': w.soul, '>': {} } };
        node._['>'][w.key] = w.state;
        node[w.key] = w.value;
    }
    return { '#': put.id, put: graph };
}

/* One peer that puts: frames of one to five puts, at most `open_max` of them
 * not yet answered. It ends when it has sent all, or when it was cut off. */
export class Peer {
    answered = new Map();
    sent = 0;
    constructor(url, puts, options)
    {
        Object.assign(this, { url, puts, options, waiting: new Map(), over: false });
    }

    #heard(bytes)
    {
        const whole = JSON.parse(bytes.toString());
        for (const part of Array.isArray(whole) ? whole : [whole]) {
            const m = typeof part === 'string' ? JSON.parse(part) : part;
            if (m.dam === '?' && !m['@']) this.socket.send(JSON.stringify({ dam: '?', pid: this.puts.name, '@': m['#'], '#': `hi${this.puts.name}` }));
            const put = this.waiting.get(m['@']);
            if (!put || m.put || !('ok' in m || 'err' in m)) continue;
            this.waiting.delete(m['@']);
            this.answered.set(put.id, m.err ?? null);
            if (m.err && !this.#resting) this.#rest();
            this.options.heard?.(put, m.err ?? null);
        }
        this.#more();
    }

    /* Who is refused waits a little, as long as nothing else was agreed on. */
    #resting = false;
    #rest()
    {
        if (this.options.patience_ms === 0) return;
        this.#resting = true;
        setTimeout(() => { this.#resting = false; this.#more(); }, this.options.patience_ms ?? 200);
    }

    #frame()
    {
        const puts = [];
        const most = 1 + this.puts.below(5);
        while (puts.length < most && this.sent < this.options.count) {
            puts.push(this.puts.next());
            this.sent++;
        }
        return puts;
    }

    #more()
    {
        if (this.over || this.#resting) return;
        while (this.waiting.size < this.options.open_max && this.sent < this.options.count) {
            const puts = this.#frame();
            this.options.sending?.(puts);
            for (const put of puts) this.waiting.set(put.id, put);
            const texts = puts.map(put => JSON.stringify(message_of(put)));
            this.socket.send(texts.length === 1 ? texts[0] : `[${texts.join(',')}]`);
        }
        if (this.sent === this.options.count && this.waiting.size === 0) this.#end();
    }

    #end()
    {
        this.over = true;
        this.socket.close();
    }

    /* Sends no more; it is over when all is answered. */
    finish()
    {
        this.options.count = this.sent;
        if (this.waiting.size === 0 && !this.over) this.#end();
    }

    /* Resolves when it is over; `cut` then says whether before its time. With
     * `knocks` it tries to connect so many times, every few milliseconds. */
    run()
    {
        return new Promise(resolve => this.#connect(this.options.knocks ?? 1, resolve));
    }

    #connect(knocks, resolve)
    {
        let opened = false;
        this.socket = new WebSocket(this.url, { perMessageDeflate: false });
        this.socket.on('open', () => { opened = true; this.#more(); });
        this.socket.on('message', bytes => this.#heard(bytes));
        this.socket.on('error', () => {});
        this.socket.on('close', () => {
            if (!opened && knocks > 1) {
                setTimeout(() => this.#connect(knocks - 1, resolve), 4);
                return;
            }
            this.cut = !this.over;
            this.over = true;
            resolve(this);
        });
    }
}

/* Nodes that will be purged: the same ones whenever they are asked for. */
class Leaving extends Puts {
    next()
    {
        const put = super.next();
        const soul = `gone${this.made % leaving_souls}`;
        const value = i => `${this.name} gone ${this.made} ${i} ${'x'.repeat(this.made * 131 % 6000)}`;
        put.writes = put.writes.map((w, i) => ({ soul, key: w.key, state: this.state, value: value(i) }));
        return { ...put, id: `${put.id}-${this.round}`, flags: '-' };
    }
}
export const leaving_souls = 5;

/* node load.mjs leave URL PLAN SEED ROUND: sends them, the first time (1) or once more. */
async function leave([url, plan, seed, round])
{
    const puts = new Leaving(Number(seed), Date.now() - Date.now() % 86400e3 - 86400e3, 'g');
    puts.round = round;
    const peer = new Peer(url, puts, { count: 30, open_max: 5, sending: some => appendFileSync(plan, some.map(plan_of).join('')) });
    await peer.run();
    process.exit(peer.cut ? 1 : 0);
}

/* node load.mjs URL PLAN SEED COUNT: for a recording. A plan is added to. */
async function main([url, plan, seed, count])
{
    const began = Date.now() - 2 * hour_ms + Number(seed) * 60e3;
    const peers = [0, 1, 2].map(i => new Peer(url, new Puts(Number(seed) * 10 + i, began, `s${seed}c${i}x`), {
        count: Math.ceil(Number(count) / 3),
        open_max: 12,
        knocks: 5000,
        sending: puts => appendFileSync(plan, puts.map(plan_of).join('')),
    }));
    const unanswered = `${plan}.unanswered`;
    if (existsSync(unanswered)) peers[0].puts.again = JSON.parse(readFileSync(unanswered, 'utf8'));
    await Promise.all(peers.map(async (peer, i) => { await sleep(i * 5); await peer.run(); }));
    writeFileSync(unanswered, JSON.stringify(peers.flatMap(p => [...p.waiting.values()])));
    const errors = peers.flatMap(p => [...p.answered.values()]).filter(e => e !== null);
    console.log(`${peers.reduce((n, p) => n + p.answered.size, 0)} answered, ${errors.length} refused${errors.length ? ': ' + errors[0] : ''}`);
    process.exit(0);
}

if (process.argv[1]?.endsWith('crash/load.mjs')) {
    const words = process.argv.slice(2);
    await (words[0] === 'leave' ? leave(words.slice(1)) : main(words));
}
