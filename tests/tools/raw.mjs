/* raw.mjs - a client that is only a WebSocket, for what a real gun client hides.
 *
 * Frames go out exactly as given. What comes in is kept message by message,
 * batches taken apart; the relay's greeting is answered as gun does, with a pid,
 * unless `pid` is null.
 */
import { createRequire } from 'node:module';
import { until, within } from './harness.mjs';

const WebSocket = createRequire(import.meta.url)('ws');

class Raw {
    heard = [];
    closed = null;
    constructor(url, pid)
    {
        this.pid = pid;
        this.socket = new WebSocket(url);
        this.socket.on('error', error => { this.error = error; });
        this.socket.on('close', code => { this.closed = code; });
        this.socket.on('message', (bytes, binary) => { if (!binary) this.#hear(bytes.toString()); });
        this.opened = new Promise((resolve, reject) => {
            this.socket.on('open', resolve);
            this.socket.on('error', reject);
        });
    }

    #hear(text)
    {
        const whole = JSON.parse(text);
        for (const part of Array.isArray(whole) ? whole : [whole]) {
            const message = typeof part === 'string' ? JSON.parse(part) : part;
            this.heard.push(message);
            if (message.dam === '?' && !message['@'] && this.pid) {
                this.send({ dam: '?', pid: this.pid, '@': message['#'], '#': 'hi' + this.pid });
            }
        }
    }

    /* An object is printed as JSON; a string or bytes go as they are. */
    send(frame)
    {
        const plain = typeof frame === 'string' || Buffer.isBuffer(frame);
        this.socket.send(plain ? frame : JSON.stringify(frame));
    }

    answers(id) { return this.heard.filter(m => m['@'] === id); }
    acks(id) { return this.answers(id).filter(m => !m.put); }

    /* The first message that `match` likes, already heard or still to come. */
    async hear(what, match, seconds = 20)
    {
        return until(what, () => {
            if (this.closed !== null) throw new Error(`closed (${this.closed}) while waiting for ${what}`);
            return this.heard.find(match);
        }, seconds);
    }

    /* Sends and waits for the first answer to it. */
    async ask(message, seconds = 20)
    {
        this.send(message);
        return this.hear(`an answer to ${message['#']}`, m => m['@'] === message['#'], seconds);
    }

    /* All the relay still had to say on this connection is heard when the
     * answer to one more put and get is: it speaks in order on each lane. */
    async settle(soul)
    {
        const id = 'settle' + Math.random().toString(36).slice(2);
        await this.ask({ '#': id + 'p', put: { [soul]: { _: { '#': soul, '>': { settled: Date.now() - 1 } }, settled: id } } });
        await this.ask({ '#': id + 'g', get: { '#': soul, '.': 'settled' } });
    }

    pause() { this.socket._socket.pause(); }
    resume() { this.socket._socket.resume(); }

    async close()
    {
        if (this.closed !== null) return;
        this.socket.terminate();
        await until('the raw client to be closed', () => this.closed !== null);
    }
}

export async function open_raw(url, pid = 'raw' + Math.random().toString(36).slice(2, 8))
{
    const raw = new Raw(url, pid);
    await within(20, `a WebSocket to ${url}`, raw.opened);
    return raw;
}

/* A put of one node: {key: [value, state]}. */
export function put_of(id, soul, fields)
{
    const node = { _: { '#': soul, '>': {} } };
    for (const [key, [value, state]] of Object.entries(fields)) {
        node._['>'][key] = state;
        node[key] = value;
    }
    return { '#': id, put: { [soul]: node } };
}

/* What a relay holds of `soul`, asked on a connection of its own. */
export async function read_node(relay, soul)
{
    const raw = await open_raw(relay.ws_url);
    const answer = await raw.ask({ '#': 'read' + soul, get: { '#': soul } });
    await raw.close();
    return answer.put?.[soul] ?? {};
}
