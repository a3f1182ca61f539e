// What an ack is worth (transcripts 15, 15b; protocol 13.1, 13.2; design "merge",
// "restart").
import { found, get, keys, lex, none, ok, put, update } from '../lib/frames.mjs';

const alone = (name, ...steps) => ({ name, alone: true, steps });

export default {
    name: 'restarts',
    cases: [
        alone('a stale write loses after a restart as before it (13.1; gun.js: wins)',
            ['A', 'open'], ['A', '>', put('w1_', { s: { a: 'new', b: 'keep' } }, 2000)], ['A', '<', ok('w1_')], ['restart'],
            ['A', 'open'],
            ['A', '>', put('w2_', { s: { a: 'old' } }, 1000)], ['A', '<', update({ s: { a: 'new' } }, 2000), ok('w2_')],
            ['A', '>', get('g1_', 's', 'a')], ['A', '<', found('g1_', { s: { a: 'new' } }, 2000)],
            ['restart'], ['A', 'open'], ['A', '>', get('g2_', 's')],
            ['A', '<', found('g2_', { s: { a: 'new', b: 'keep' } }, 2000)]),
        alone('after kill -9 everything that was acked is there, and a tie is judged against it',
            ['A', 'open'],
            ['A', '>', ...Array.from({ length: 50 }, (_, i) => put(`w${i}`, { s: { [`k${i}`]: i }, [`t${i}`]: { v: 'b' } }, 1000))],
            ['A', '<', ...Array.from({ length: 50 }, (_, i) => ok(`w${i}`))], ['kill'], ['A', 'open'],
            ['A', '>', get('g', 's'), get('g2', 't49'), put('tie', { t49: { v: 'a' } }, 1000)],
            ['A', '<<', found('g', { s: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, i])) }, 1000), found('g2', { t49: { v: 'b' } }, 1000), update({ t49: { v: 'b' } }, 1000), ok('tie')]),
        alone('a put of 5,000 keys that was acked is whole after kill -9',
            ['A', 'open'], ['A', '>', put('w', { big: keys(5000) }, 1000)], ['A', '<', ok('w')], ['kill'], ['A', 'open'],
            ['A', '>', get('g', 'big')], ['A', '<', found('g', { big: keys(5000) }, 1000)]),
        alone('a put that was not acked before kill -9 is whole or not there at all',
            ['A', 'open'], ['A', '>', put('w', { maybe: keys(3000) }, 1000)], ['kill'], ['A', 'open'],
            ['A', '>', get('g', 'maybe')],
            ['do', async (c) => {
                const peer = c.peer('A');
                await peer.until(() => peer.inbox.length > 0, 'an answer');
                const message = peer.inbox.shift();
                const count = message.put ? Object.keys(message.put.maybe).length - 1 : 0;
                if (count !== 0 && count !== 3000) throw new Error(`${count} of 3000 keys are there`);
            }]),
        alone('after a restart: write one key, read the whole soul, all is there (13.2, 15b; gun.js: one key)',
            ['A', 'open'], ['A', '>', put('w1', { s: { a: 1, b: 2, c: 3 } }, 1000)], ['A', '<', ok('w1')], ['restart'],
            ['A', 'open'], ['A', '>', put('w2', { s: { z: 1 } }, 1000)], ['A', '<', ok('w2')], ['A', '>', get('g1', 's')],
            ['A', '<', found('g1', { s: { a: 1, b: 2, c: 3, z: 1 } }, 1000)],
            ['B', 'open'], ['B', '>', get('g3', 's'), get('g4', 's', 'b'), lex('g5', 's', { '*': '' }, 1000)],
            ['B', '<<', found('g3', { s: { a: 1, b: 2, c: 3, z: 1 } }, 1000), found('g4', { s: { b: 2 } }, 1000), found('g5', { s: { a: 1, b: 2, c: 3, z: 1 } }, 1000)]),
        alone('every kind of name and value comes back from disk as it was: order, ESC, NUL, lone surrogates, long names',
            ['A', 'open'],
            ['A', '>', put('w', { 'u/é😀': { '\ue000': 1, '😀': 2, 'a\x1bb': 3, 'n\0l': 'x\0y', 'lone\ud800': '\udc00', ['L'.repeat(3000)]: 'long', 10: 'ten', 9: 'nine', __proto_: 1, '#': 'x', '>': 'y', '.': 'z' }, 's\x1bx': { k: { '#': 'u/é😀' } }, ['S'.repeat(5000)]: { f: -0.5 } }, 1795211438951.001)],
            ['A', '<', ok('w')], ['restart'], ['A', 'open'],
            ['A', '>', get('g1', 'u/é😀'), get('g2', 's\x1bx'), get('g3', 'S'.repeat(5000)), get('g4', 's')],
            ['A', '<<', found('g1', { 'u/é😀': { '\ue000': 1, '😀': 2, 'a\x1bb': 3, 'n\0l': 'x\0y', 'lone\ud800': '\udc00', ['L'.repeat(3000)]: 'long', 10: 'ten', 9: 'nine', __proto_: 1, '#': 'x', '>': 'y', '.': 'z' } }, 1795211438951.001),
                found('g2', { 's\x1bx': { k: { '#': 'u/é😀' } } }, 1795211438951.001), found('g3', { ['S'.repeat(5000)]: { f: -0.5 } }, 1795211438951.001), none('g4')]),
        alone('ranges, reverse pages and souls by prefix come from disk as from memory',
            ['A', 'open'],
            ['A', '>', put('w', { n: keys(30, 'k', (i) => `v${i}`), 'user/a': { x: 1 }, 'user/b': { x: 2 } }, 1000)],
            ['A', '<', ok('w')], ['restart'], ['A', 'open'],
            ['A', '>', lex('q1', 'n', { '>': 'k05', '<': 'k08' }), lex('q2', 'n', { '*': 'k', '-': 1 }, 7), { '#': 'q3', get: { '#': { '*': 'user/' }, '%': 1000 } }],
            ['A', '<', found('q1', { n: { k05: 'v5', k06: 'v6', k07: 'v7', k08: 'v8' } }, 1000), found('q2', { n: { k27: 'v27', k28: 'v28', k29: 'v29' } }, 1000, { '%': 1 }), found('q3', { 'user/a': { x: 1 }, 'user/b': { x: 2 } }, 1000)]),
        alone('overwriting half of a node on disk: old and new come merged, in ranges and backwards too',
            ['A', 'open'], ['A', '>', put('w', { n: keys(20, 'k', (i) => `old${i}`) }, 1000)], ['A', '<', ok('w')], ['restart'],
            ['A', 'open'],
            ['A', '>', put('w2', { n: { k05: 'new5', k07: 'new7', k065: 'between' } }, 2000), lex('q1', 'n', { '>': 'k05', '<': 'k08' }), lex('q2', 'n', { '>': 'k05', '<': 'k08', '-': 1 }, 5)],
            ['A', '<<', ok('w2'), found('q1', { n: { k05: 'new5', k06: 'old6', k065: 'between', k07: 'new7', k08: 'old8' } }, { k05: 2000, k06: 1000, k065: 2000, k07: 2000, k08: 1000 }),
                found('q2', { n: { k08: 'old8', k07: 'new7' } }, { k08: 1000, k07: 2000 }, { '%': 1 })]),
        {
            name: 'SIGTERM: what was put is acked, then everybody is closed with 1001, the server ends with 0 within 5 s',
            alone: true, stops: true, settle: false,
            steps: [
                ['A', 'open'], ['B', 'open'],
                ['A', '>', ...Array.from({ length: 200 }, (_, i) => put(`w${i}`, { s: { [`k${i}`]: 'x'.repeat(500) } }, 1000))],
                ['A', '<', ok('w0')],
                ['do', async (c) => {
                    const began = Date.now();
                    await c.server.stop();
                    if (Date.now() - began > 5000) throw new Error(`it took ${Date.now() - began} ms`);
                }], ['A', 'gone', 1001], ['B', 'gone', 1001],
                ['do', async (c) => {
                    const peer = c.peer('A');
                    const acked = 1 + peer.inbox.filter((m) => m.ok === true).length;
                    await c.server.start();
                    const { Peer } = await import('../lib/peer.mjs');
                    const reader = new Peer('C');
                    await reader.open(c.server.ws);
                    reader.send('{"#":"g","get":{"#":"s"}}');
                    const found = await reader.until(() => reader.inbox.find((m) => m['@'] === 'g'), 'the node');
                    const there = Object.keys(found.put.s).length - 1;
                    reader.close();
                    if (there < acked) throw new Error(`${acked} acks, ${there} keys`);
                    await c.server.stop();
                }]],
        },
        {
            name: 'SIGTERM: when one reads nothing, the others are closed with 1001 all the same, and have their second to answer it',
            alone: true, stops: true, settle: false,
            steps: [
                ['A', 'open'], ['B', 'open'],
                ['B', '>', put('w', { big: keys(8000, 'k', () => 'x'.repeat(2500)) }, 1000)], ['B', '<', ok('w')],
                ['do', (c) => c.peer('A').socket.pause()], ['A', '>', get('g', 'big')],
                ['wait', 200, 'the answer fills what the socket takes, then stands still'],
                ['do', async (c) => {
                    const began = Date.now();
                    await c.server.stop();
                    // 2 s for what is left to be said, 1 s for those who were told; no machine is too slow for that.
                    if (Date.now() - began < 2900) throw new Error(`it took ${Date.now() - began} ms`);
                }], ['B', 'gone', 1001], ['do', (c) => c.peer('A').drop()]],
        },
        {
            name: 'a second server on the same folder explains itself and ends; the first is unmoved',
            alone: true,
            steps: [['A', 'open'], ['do', async (c) => {
                const { Server } = await import('../lib/server.mjs');
                const second = new Server(c.server.binary, c.server.folder);
                const why = await second.start().then(() => 'it started', (e) => e.message);
                if (second.alive()) await second.kill();
                if (!/another process|in use|lock/i.test(why)) throw new Error(why);
            }], ['A', '>', put('p', { s: { a: 1 } })], ['A', '<', ok('p')]],
        },
        alone('clients find the server again and again: ten kills, nothing acked is lost',
            ['do', async (c) => {
                const { Peer } = await import('../lib/peer.mjs');
                for (let round = 0; round < 10; round++) {
                    const peer = new Peer(`A${round}`);
                    await peer.open(c.server.ws);
                    const owed = [];
                    for (let i = 0; i < 20; i++) {
                        peer.send(JSON.stringify(put(`w${round}-${i}`, { log: { [`r${round}i${i}`]: i } }, 1000)));
                        owed.push(`w${round}-${i}`);
                    }
                    await peer.until(() => owed.every((id) => peer.owed.get(id) === 0) || undefined, 'twenty acks');
                    peer.drop();
                    await c.server.kill();
                    await c.server.start();
                }
            }], ['A', 'open'], ['A', '>', get('g', 'log')],
            ['A', '<', found('g', { log: Object.fromEntries(Array.from({ length: 10 }, (_, r) => Array.from({ length: 20 }, (_, i) => [`r${r}i${i}`, i])).flat()) }, 1000)]),
    ],
};
