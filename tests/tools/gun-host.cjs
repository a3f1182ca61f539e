/* gun-host.cjs - a process that holds unmodified gun clients.
 *
 * Started by gun-client.mjs, which sends it functions to run next to a client:
 * a test reads as the gun code an app would write, and still each side of it
 * lives in its own process. The core alone, without storage of its own: what
 * such a client knows is its RAM and what the relay tells it.
 */
'use strict';
const log = console.log;
console.log = () => {}; /* gun greets and warns on stdout */
const Gun = require('gun/gun.js');
const WebSocket = require('ws');
if (process.env.GUN_SEA) require('gun/sea.js');
for (const name of (process.env.GUN_LIB || '').split(',').filter(Boolean)) require('gun/lib/' + name);
console.log = process.env.GUN_LOG ? log : () => {};
globalThis.crypto ??= require('node:crypto').webcrypto; /* node 18 hides it */

const clients = new Map();

/* Counts what the wire did, for cases in which nothing may be noticed. */
function counting_socket(counts)
{
    return class extends WebSocket {
        constructor(url)
        {
            super(url);
            counts.opens_tried++;
            this.on('open', () => { counts.opened++; });
            this.on('close', () => { counts.closed++; });
            this.on('message', bytes => { counts.frames++; counts.bytes += bytes.length; });
        }
    };
}

function plain(data)
{
    if (data === null || typeof data !== 'object') return data;
    const copy = {};
    for (const key of Object.keys(data)) if (key !== '_') copy[key] = data[key];
    return copy;
}

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

/* What a function gets next to its client. `memory` is its own from call to call. */
function make_context(options)
{
    const counts = { opens_tried: 0, opened: 0, closed: 0, frames: 0, bytes: 0 };
    const gun = new Gun({ radisk: false, localStorage: false, multicast: false, axe: false, file: false,
        WebSocket: counting_socket(counts), ...options });
    const walk = path => path.reduce((chain, key) => chain.get(key), gun);
    const memory = { seen: {} };
    return {
        gun, Gun, SEA: Gun.SEA, memory, counts, sleep, plain, walk,
        put: (chain, value, options) => new Promise(resolve => {
            chain.put(value, ack => resolve({ ok: Boolean(ack.ok), err: ack.err }), options);
        }),
        /* once() gives a relay 99 ms, which a machine that is busy with tests may exceed. */
        once: chain => new Promise(resolve => chain.once(data => resolve(plain(data)), { wait: 500 })),
        /* What is there, or will be. */
        value: chain => new Promise(resolve => chain.on((data, key, message, event) => {
            if (data === undefined) return;
            event.off();
            resolve(plain(data));
        })),
        listen: path => walk(path).on(data => { memory.seen[path.join('\n')] = plain(data); }),
        /* What lies in RAM, without asking anybody. */
        ram: (soul, key) => (gun._.graph[soul] || {})[key],
        connected: () => Object.values(gun._.opt.peers).some(p => p.wire && p.wire.readyState === 1),
    };
}

function close_client(context)
{
    for (const peer of Object.values(context.gun._.opt.peers)) context.gun._.opt.mesh.bye(peer);
}

async function serve({ op, client, options, source, args })
{
    if (op === 'open') {
        clients.set(client, make_context(options));
        return undefined;
    }
    if (op === 'close') {
        close_client(clients.get(client));
        clients.delete(client);
        return undefined;
    }
    return (0, eval)(`(${source})`)(clients.get(client), ...args);
}

process.on('message', async request => {
    try {
        process.send({ call: request.call, result: await serve(request) });
    } catch (error) {
        process.send({ call: request.call, error: String(error && error.stack || error) });
    }
});
process.on('disconnect', () => process.exit(0));
process.on('uncaughtException', error => {
    process.send({ died: String(error.stack) });
    setTimeout(() => process.exit(70), 50);
});
