// steps.mjs - the words of a case, as docs for whoever writes one.
//
// A case is a name (the sentence it proves) and a list of steps. A step is an
// array; it begins with who acts:
//
//   ['A', 'open', {pid, path, protocol, headers}]   connects. With a pid it answers
//                                 the greeting as clients do; without it does not
//   ['A', 'refused', status, {…}] connects and is answered with an HTTP status
//   ['A', '>', frame, …]          sends text frames: a string as it is, an object
//                                 or array as JSON. {{now}} and names are filled in
//   ['A', '>bin', bytes]          a binary frame        (bytes: Buffer or base64)
//   ['A', '>raw', bytes, …]       bytes, straight to the socket
//   ['A', '>ping', text]          and waits for its pong
//   ['A', '<', pattern, …]        the next messages, in this order
//   ['A', '<<', pattern, …]       the next messages, in any order
//   ['A', '<ask', pattern, …]     the next gets the server sends us
//   ['A', '<asks', pattern, …]    the same, in any order
//   ['A', '=']                    silence: a fence goes out and nothing but its
//                                 answer has come back
//   ['A', '=ask']                 and no get of the server waits to be looked at
//   ['A', 'forget asks']          what the server asked so far does not matter
//   ['A', 'order', kinds]         how the last messages stood: 'put get' means the
//                                 last two (asks included) were a put, then a get
//   ['A', 'beat', limit_ms]       a heartbeat [] has come
//   ['A', 'close'], ['A', 'drop'] says goodbye, or just goes
//   ['A', 'gone', code, …]        the server closed us with one of these codes
//   ['restart'], ['kill']         SIGTERM or SIGKILL, and the same folder again
//   ['http', 'GET /x', {headers, body}, {status, headers, body, json}]
//   ['metric', name, {above}]     a counter on /metrics
//   ['log', pattern, …]           lines the server has printed
//   ['clock']                   {{now}} is this moment, not that of the case's beginning
//   ['wait', ms, why]             only where the rule itself speaks of time
//   ['do', async function]        where a table does not reach: gets the case
//
// At the end every open peer must have every ack it is owed (`acks: false` in a
// case: not, because what it sends are no puts), and nothing unread.
import http from 'node:http';
import net from 'node:net';
import { fill, mismatch, show } from './match.mjs';
import { patience_ms, Peer } from './peer.mjs';

export class Case {
    constructor(server, row) {
        this.server = server;
        this.row = row;
        this.peers = new Map();
        this.bound = new Map([['now', Date.now()]]);
    }

    async run() {
        for (const [index, step] of this.row.steps.entries()) {
            try {
                await this.#step(step);
            } catch (why) {
                throw new Error(`step ${index + 1} ${show(step, 200)}: ${why.message}`);
            }
        }
        await this.#settle();
    }

    async #settle() {
        if (this.row.settle === false) return;
        for (const peer of this.peers.values()) {
            if (peer.closed !== undefined || peer.status !== 101) continue;
            await peer.settled();
            if (peer.inbox.length > 0) throw new Error(`${peer.name}: unread ${show(peer.inbox[0])}`);
        }
        this.server.check();
    }

    leave() {
        for (const peer of this.peers.values()) peer.close();
    }

    log() {
        return [...this.peers.values()].map((p) => p.log()).join('\n');
    }

    peer(name) {
        const peer = this.peers.get(name);
        if (!peer) throw new Error(`there is no peer ${name}`);
        return peer;
    }

    async #step([who, what, ...rest]) {
        if (who in worldSteps) return worldSteps[who](this, what, ...rest);
        if (what === 'open' || what === 'refused') return peerSteps[what](this, who, ...rest);
        if (!(what in peerSteps)) throw new Error(`no such step: ${what}`);
        return peerSteps[what](this, this.peer(who), ...rest);
    }

    text(frame) {
        const filled = fill(frame, this.bound);
        return typeof frame === 'string' ? String(filled) : JSON.stringify(filled);
    }

    match(want, got) {
        const why = mismatch(want, got, this.bound);
        if (why) throw new Error(why);
    }
}

// Takes `count` messages off the list when they have come.
function arrived(peer, list, count, what) {
    return peer.until(() => (peer[list].length >= count ? peer[list].splice(0, count) : undefined), what);
}

async function inOrder(c, peer, list, patterns) {
    for (const want of patterns) {
        const [got] = await arrived(peer, list, 1, show(want));
        c.match(want, got);
    }
}

async function inAnyOrder(c, peer, list, patterns) {
    const got = await arrived(peer, list, patterns.length, `${patterns.length} messages`);
    for (const want of patterns) {
        const at = got.findIndex((message) => {
            const trial = new Map(c.bound);
            if (mismatch(want, message, trial)) return false;
            c.bound = trial;
            return true;
        });
        if (at < 0) throw new Error(`${peer.name}: nothing like ${show(want)} in ${show(got, 1500)}`);
        got.splice(at, 1);
    }
}

function bytesOf(data) {
    return Buffer.isBuffer(data) ? data : Buffer.from(data, 'base64');
}

function kindOf(message) {
    if (message.put !== undefined) return 'put';
    if (message.get !== undefined) return 'get';
    if (message.dam !== undefined) return 'dam';
    if (message.ok !== undefined) return 'ok';
    return message.err !== undefined ? 'err' : 'none';
}

const peerSteps = {
    async open(c, name, options = {}) {
        const peer = new Peer(name, { acks: c.row.acks });
        c.peers.set(name, peer);
        await peer.open(c.server.ws, options);
        if (peer.status !== 101) throw new Error(`${name}: the handshake was answered ${peer.status}`);
        if (options.greeting === false) return;
        const [hello] = await arrived(peer, 'inbox', 1, 'the greeting');
        c.match({ '#': '{{?}}', dam: '?', pid: '{{?}}' }, hello);
        c.bound.set(`greeting_${name}`, hello['#']);
        if (options.pid)
            peer.send(JSON.stringify({ dam: '?', pid: options.pid, '@': hello['#'], '#': `hi${name}` }));
    },

    async refused(c, name, status, options = {}) {
        const peer = new Peer(name);
        await peer.open(c.server.ws, options);
        if (peer.status !== status) throw new Error(`${name}: the handshake was answered ${peer.status}`);
    },

    async '>'(c, peer, ...frames) {
        for (const frame of frames) peer.send(c.text(frame));
    },

    async '>bin'(c, peer, data) {
        peer.socket.send(bytesOf(data), { binary: true });
    },

    async '>raw'(c, peer, ...pieces) {
        for (const piece of pieces) peer.bytes(bytesOf(piece));
    },

    async '>ping'(c, peer, text) {
        peer.socket.ping(text);
        await peer.until(() => peer.pongs.includes(text), 'a pong');
    },

    '<': (c, peer, ...patterns) => inOrder(c, peer, 'inbox', patterns),
    '<<': (c, peer, ...patterns) => inAnyOrder(c, peer, 'inbox', patterns),
    '<ask': (c, peer, ...patterns) => inOrder(c, peer, 'asked', patterns),
    '<asks': (c, peer, ...patterns) => inAnyOrder(c, peer, 'asked', patterns),

    async '='(c, peer) {
        await peer.fence();
        if (peer.inbox.length > 0) throw new Error(`${peer.name}: expected silence, got ${show(peer.inbox[0])}`);
    },

    async '=ask'(c, peer) {
        await peer.fence();
        if (peer.asked.length > 0) throw new Error(`${peer.name}: was asked ${show(peer.asked[0])}`);
    },

    async 'forget asks'(c, peer) {
        await peer.fence();
        peer.asked.length = 0;
    },

    async order(c, peer, kinds) {
        const wanted = kinds.split(' ');
        const heard = peer.frames.filter(([way]) => way === '<').flatMap(([, text]) => JSON.parse(text))
            .filter((m) => m.get?.['#'] !== 'fence' && !String(m['@']).startsWith('fence'));
        const got = heard.slice(-wanted.length).map(kindOf).join(' ');
        if (got !== kinds) throw new Error(`${peer.name}: heard ${got}, not ${kinds}`);
    },

    async beat(c, peer, limit_ms) {
        await peer.until(() => peer.beats > 0, 'a heartbeat', limit_ms);
        peer.beats = 0;
    },

    async close(c, peer) {
        peer.close();
        await peer.gone();
    },

    async drop(c, peer) {
        peer.drop();
        await peer.gone();
    },

    async gone(c, peer, ...codes) {
        const code = await peer.gone();
        if (codes.length > 0 && !codes.includes(code)) throw new Error(`${peer.name}: closed with ${code}`);
    },
};

export function request(server, line, { headers = {}, body, chunks } = {}) {
    const [method, path] = line.split(' ');
    const url = new URL(server.http);
    return new Promise((resolve, reject) => {
        const sent = http.request({ host: url.hostname, port: url.port, method, path, headers, agent: false }, (response) => {
            const parts = [];
            response.on('data', (part) => parts.push(part));
            response.on('end', () => resolve({
                status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString(),
            }));
            response.on('error', reject);
        });
        sent.setTimeout(10_000, () => sent.destroy(new Error(`${line}: no answer`)));
        sent.on('error', reject);
        for (const chunk of chunks ?? []) sent.write(chunk);
        sent.end(body);
    });
}

// Bytes over a bare TCP connection, for what no HTTP client would send. Gives
// all that came back until the other side closed or nothing more came for `quiet_ms`;
// the quiet begins when what came matches `awaited`, however long that takes.
export function bare(server, bytes, quiet_ms = 300, awaited = /(?:)/) {
    const url = new URL(server.http);
    return new Promise((resolve) => {
        let text = '';
        const socket = net.connect(Number(url.port), url.hostname, () => socket.write(bytes));
        const look = () => socket.setTimeout(awaited.test(text) ? quiet_ms : patience_ms);
        socket.on('timeout', () => socket.destroy());
        socket.on('data', (part) => { text += part.toString('latin1'); look(); });
        socket.on('error', () => {});
        socket.on('close', () => resolve(text));
        look();
    });
}

async function metricOf(server, name) {
    const { body } = await request(server, 'GET /metrics');
    const line = body.split('\n').find((l) => l.startsWith(`${name} `) || l.startsWith(`${name}{`));
    if (line === undefined) throw new Error(`/metrics has no ${name}`);
    return Number(line.split(' ').at(-1));
}

async function again(c, how) {
    for (const peer of c.peers.values()) peer.drop();
    await c.server[how]();
    await c.server.start();
}

const worldSteps = {
    restart: (c) => again(c, 'stop'),
    kill: (c) => again(c, 'kill'),

    async http(c, line, sent, want) {
        const got = await request(c.server, line, sent);
        if (want.status !== undefined && got.status !== want.status)
            throw new Error(`status ${got.status}, not ${want.status}: ${show(got.body)}`);
        for (const [key, value] of Object.entries(want.headers ?? {})) {
            const is = got.headers[key] ?? '';
            if (value instanceof RegExp ? !value.test(is) : is !== value) throw new Error(`${key}: ${is}`);
        }
        if (want.body !== undefined && !(want.body instanceof RegExp ? want.body.test(got.body) : want.body === got.body))
            throw new Error(`the body is ${show(got.body, 600)}`);
        if (want.json !== undefined) for (const key of want.json)
            if (!(key in JSON.parse(got.body))) throw new Error(`no ${key} in ${got.body}`);
    },

    async metric(c, name, { above }) {
        const value = await metricOf(c.server, name);
        if (!(value > above)) throw new Error(`${name} is ${value}, not above ${above}`);
    },

    async log(c, ...patterns) {
        for (const pattern of patterns)
            if (!pattern.test(c.server.text)) throw new Error(`nothing like ${pattern} in the log:\n${c.server.text.slice(-2000)}`);
    },

    clock: (c) => c.bound.set('now', Date.now()),
    wait: (c, ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    do: (c, act) => act(c),
};
