// peer.mjs - one connection of a case: what it sends, what it was sent.
//
// Messages out of batches lie in `inbox` in their order. What the server asks of
// us (a get without "@": after a miss of somebody else, or to bring our edits up)
// lies in `asked`, because a client may stay silent on it and most tables are
// not about it. `frames` keeps everything for the report of a failure and for
// tables that are about order and batches.
//
// For every put that was sent, the peer expects exactly one ack: a second one is
// a fault at once, a missing one at the end of the case.
import { createRequire } from 'node:module';
import { checkMessage, messagesOf } from './invariant.mjs';
import { show } from './match.mjs';

const { WebSocket } = createRequire(import.meta.url)('ws');
export const patience_ms = 30_000; // for what must come; nothing waits so long that passes

export class Peer {
    constructor(name, { acks = true } = {}) {
        this.name = name;
        this.acks = acks;
        this.inbox = [];
        this.asked = [];
        this.frames = [];
        this.beats = 0;
        this.pongs = [];
        this.faults = [];
        this.closed = undefined;
        this.owed = new Map(); // id of a put -> acks still to come
        this.seen = new Set();
        this.wakers = [];
        this.fences = 0;
    }

    async open(url, { protocol, headers, path = '/gun', host } = {}) {
        const address = url.replace(/\/gun$/, '') + path;
        this.socket = new WebSocket(host ?? address, protocol ?? [], {
            headers, handshakeTimeout: 10_000, perMessageDeflate: false, skipUTF8Validation: true, maxPayload: 0,
        });
        this.socket.on('message', (data, binary) => this.#heard(data, binary));
        this.socket.on('pong', (data) => { this.pongs.push(data.toString()); this.#wake(); });
        this.socket.on('close', (code) => { this.closed ??= code; this.#wake(); });
        this.status = await new Promise((resolve, reject) => {
            this.socket.on('open', () => resolve(101));
            this.socket.on('unexpected-response', (request, response) => {
                request.destroy();
                resolve(response.statusCode);
            });
            this.socket.on('error', (why) => { this.error = why; reject(why); this.#wake(); });
        });
    }

    #heard(data, binary) {
        const text = data.toString();
        this.frames.push(['<', text]);
        try {
            const messages = messagesOf(data, binary);
            if (messages.length === 0) this.beats++;
            for (const message of messages) this.#take(message, this.frames.length - 1);
        } catch (why) {
            this.faults.push(`${why.message}: ${show(text)}`);
        }
        this.#wake();
    }

    #take(message, frame) {
        checkMessage(message, this.seen);
        if (message.get?.['#'] === 'fence') return;
        Object.defineProperty(message, 'frame', { value: frame, enumerable: false });
        if (message.get !== undefined && message['@'] === undefined) {
            this.asked.push(message);
            return;
        }
        if (message.ok === true || message.err !== undefined) this.#acked(message);
        this.inbox.push(message);
    }

    #acked(message) {
        const id = message['@'];
        const owed = this.owed.get(id);
        if (owed === undefined) return;
        if (owed === 0) throw new Error(`one ack too many for ${id}`);
        this.owed.set(id, owed - 1);
    }

    // Frames as text. Remembers which puts want an ack.
    send(text) {
        this.frames.push(['>', text]);
        this.#expectAcks(text);
        this.socket.send(text);
    }

    #expectAcks(text) {
        let value;
        if (!this.acks) return;
        try { value = JSON.parse(text); } catch { return; }
        for (let message of Array.isArray(value) ? value : [value]) {
            if (typeof message === 'string') try { message = JSON.parse(message); } catch { continue; }
            const id = message?.['#'];
            if (message?.put === undefined || typeof id !== 'string' || id === '' || id.length > 128) continue;
            if (message['@'] !== undefined || message.dam !== undefined) continue;
            this.owed.set(id, (this.owed.get(id) ?? 0) + 1);
        }
    }

    bytes(data) {
        this.frames.push(['>', `bytes ${data.subarray(0, 40).toString('hex')}${data.length > 40 ? '…' : ''}`]);
        this.socket._socket.write(data);
    }

    // Waits until `ready()` gives something, or throws a sentence that says what
    // was waited for. A peer that is gone waits for nothing.
    async until(ready, what, limit_ms = patience_ms) {
        const deadline = Date.now() + limit_ms;
        for (;;) {
            this.check();
            const found = ready();
            if (found !== undefined && found !== false) return found;
            const left = deadline - Date.now();
            if (this.closed !== undefined) throw new Error(`${this.name}: closed with ${this.closed} while waiting for ${what}`);
            if (left <= 0) throw new Error(`${this.name}: waited in vain for ${what}`);
            await this.#news(left);
        }
    }

    check() {
        if (this.faults.length > 0) throw new Error(`${this.name}: ${this.faults.shift()}`);
    }

    // One turn: something came, or the time is over.
    #news(limit_ms) {
        return new Promise((resolve) => {
            const timer = setTimeout(resolve, limit_ms);
            this.wakers.push(() => { clearTimeout(timer); resolve(); });
        });
    }

    #wake() {
        const wakers = this.wakers;
        this.wakers = [];
        for (const wake of wakers) wake();
    }

    // Everything the server had to say to us is said when a fence comes back: the
    // answer leaves in the lane of answers, behind acks and live updates, and the
    // answers asked for before it.
    async fence() {
        const id = `fence${++this.fences}`;
        this.send(JSON.stringify({ '#': id, get: { '#': 'fence', '.': 'k' } }));
        const at = await this.until(() => {
            const i = this.inbox.findIndex((m) => m['@'] === id);
            return i < 0 ? undefined : { i };
        }, 'the answer to a fence');
        this.inbox.splice(at.i, 1);
    }

    async settled() {
        await this.until(() => [...this.owed.values()].every((n) => n === 0) || undefined,
            `the ack of ${[...this.owed].filter(([, n]) => n > 0).map(([id]) => id)}`);
        await this.fence();
    }

    async gone(limit_ms = patience_ms) {
        const deadline = Date.now() + limit_ms;
        while (this.closed === undefined) {
            if (Date.now() > deadline) throw new Error(`${this.name}: was not closed`);
            await this.#news(deadline - Date.now());
        }
        return this.closed;
    }

    close() {
        this.socket?.close();
        setTimeout(() => this.socket?.terminate(), patience_ms / 2).unref();
    }

    drop() {
        this.socket?.terminate();
    }

    log(most = 24) {
        return this.frames.slice(-most).map(([way, text]) =>
            `      ${this.name} ${way} ${text.length > 240 ? `${text.slice(0, 240)}… (${text.length})` : text}`).join('\n');
    }
}
