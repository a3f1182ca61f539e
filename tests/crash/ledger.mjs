/* ledger.mjs - what was sent, what was acknowledged, and whether a store that is
 * read over the wire has what it must: judge.h, in JavaScript. */
import { createRequire } from 'node:module';

const WebSocket = createRequire(import.meta.url)('ws');

/* HAM among writes of one key: below, at or above zero. */
function order(a, b)
{
    if (a.state !== b.state) return a.state - b.state;
    return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

export class Ledger {
    #keys = new Map(); /* soul, blank, key -> every write that was sent */
    #puts = new Map(); /* id -> {put, writes, acked} */

    sent(puts)
    {
        for (const put of puts) {
            const writes = put.writes.map(w => ({ ...w, put: put.id, text: JSON.stringify(w.value) }));
            this.#puts.set(put.id, { put, writes, acked: false });
            for (const w of writes) {
                const name = `${w.soul} ${w.key}`;
                if (!this.#keys.has(name)) this.#keys.set(name, []);
                this.#keys.get(name).push(w);
            }
        }
    }

    acked(put) { this.#puts.get(put.id).acked = true; }

    get acked_count() { return [...this.#puts.values()].filter(p => p.acked).length; }
    get put_count() { return this.#puts.size; }

    /* Judges the puts that `which` chooses, of which it reads every key. Gives the
     * faults found, as sentences, and how many acknowledged puts were looked at. */
    async judge(reader, which = () => true)
    {
        const faults = [];
        const puts = [...this.#puts.values()].filter(p => p.put.flags !== 'held' && which(p.put));
        const names = [...new Set(puts.flatMap(p => p.writes.map(w => `${w.soul} ${w.key}`)))];
        const found = new Map();
        for (let i = 0; i < names.length; i += 500) {
            await Promise.all(names.slice(i, i + 500).map(async name => {
                const [soul, key] = name.split(' ');
                found.set(name, this.#known(name, await reader.get(soul, key), faults));
            }));
        }
        for (const { put, writes, acked } of puts) this.#judge_put(put, writes, acked, found, faults);
        return { faults, acked: puts.filter(p => p.acked).length };
    }

    /* Which write a row that was read is. */
    #known(name, row, faults)
    {
        if (row === null) return null;
        const text = JSON.stringify(row.value);
        const write = this.#keys.get(name).find(w => w.state === row.state && w.text === text);
        if (!write) faults.push(`${name} holds what was never sent: ${text.slice(0, 80)} at ${row.state}`);
        return write ?? null;
    }

    #judge_put(put, writes, acked, found, faults)
    {
        const of = w => found.get(`${w.soul} ${w.key}`);
        const there = w => of(w) && order(of(w), w) >= 0;
        const missing = writes.find(w => !there(w));
        if (!missing) return;
        if (acked) faults.push(`put ${put.id} (${put.flags}) was acknowledged, and ${missing.soul} ${missing.key} at ${missing.state} is not there`);
        else if (writes.some(w => of(w)?.put === put.id)) faults.push(`put ${put.id} is half there: not ${missing.soul} ${missing.key}`);
    }
}

/* Reads keys over a connection of its own. */
export class Reader {
    #waiting = new Map();
    #asked = 0;

    async open(url)
    {
        this.socket = new WebSocket(url, { perMessageDeflate: false });
        this.socket.on('message', bytes => this.#heard(bytes));
        this.socket.on('close', () => { for (const w of this.#waiting.values()) w.reject(new Error('closed while reading')); });
        await new Promise((resolve, reject) => {
            this.socket.on('open', resolve);
            this.socket.on('error', reject);
        });
        return this;
    }

    #heard(bytes)
    {
        const whole = JSON.parse(bytes.toString());
        for (const part of Array.isArray(whole) ? whole : [whole]) {
            const m = typeof part === 'string' ? JSON.parse(part) : part;
            const asked = this.#waiting.get(m['@']);
            if (!asked) continue;
            this.#waiting.delete(m['@']);
            if (m.err) { asked.reject(new Error(`a get was answered: ${m.err}`)); continue; }
            const node = m.put?.[asked.soul];
            const there = node && asked.key in node && asked.key !== '_';
            asked.resolve(there ? { value: node[asked.key], state: node._['>'][asked.key] } : null);
        }
    }

    /* {value, state}, or null when there is nothing. */
    get(soul, key)
    {
        const id = `r${++this.#asked}`;
        return new Promise((resolve, reject) => {
            this.#waiting.set(id, { soul, key, resolve, reject });
            this.socket.send(JSON.stringify({ '#': id, get: { '#': soul, '.': key } }));
        });
    }

    close() { this.socket.terminate(); }
}
