// Gets of nodes and keys (transcripts 04, 04b, 15b; relay-rules 3; design "get",
// "get with a known id, or an equal ##"): each key once, in one message where it
// fits, always answered.
import { found, get, graph, keys, none, ok, put, update } from '../lib/frames.mjs';
import { hash } from '../lib/invariant.mjs';

const small = { name: 'Sm', b: 2, c: { '#': 'n' } };
const thirty = keys(30, 'k', (i) => `v${i}`);

const holding = (soul, node, state = 1000) =>
    [['W', 'open'], ['W', '>', put(`w${soul}`, { [soul]: node }, state)], ['W', '<', ok(`w${soul}`)], ['W', 'close'], ['A', 'open']];

// Keys and messages of an answer, whatever it is cut into: every key once.
async function gather(c, peer, id, count) {
    const node = new Map();
    const sizes = [];
    while (node.size < count) {
        await peer.until(() => peer.inbox.length > 0, `${count} keys, ${node.size} came`, 20_000);
        const message = peer.inbox.shift();
        if (message['@'] !== id) throw new Error(`something else came: ${JSON.stringify(message).slice(0, 200)}`);
        sizes.push(peer.frames[message.frame][1].length);
        for (const soul of Object.keys(message.put))
            for (const key of Object.keys(message.put[soul])) {
                if (key === '_') continue;
                if (node.has(key)) throw new Error(`${key} came twice`);
                node.set(key, message.put[soul][key]);
            }
    }
    return { node, sizes };
}

// The headers of the WebSocket frames in a stream from the server.
function wireFrames(bytes) {
    const out = [];
    for (let at = 0; at + 2 <= bytes.length;) {
        const fin = (bytes[at] & 0x80) !== 0;
        const opcode = bytes[at] & 15;
        let size = bytes[at + 1] & 127;
        let head = 2;
        if (size === 126) { size = bytes.readUInt16BE(at + 2); head = 4; } else if (size === 127) { size = Number(bytes.readBigUInt64BE(at + 2)); head = 10; }
        out.push({ fin, opcode, size });
        at += head + size;
    }
    return out;
}

const manyKeys = (count, bytes) => keys(count, 'key', (i) => `${i}-`.padEnd(bytes, 'x'));

export default {
    name: 'gets',
    cases: [
        { name: 'a small node comes whole, in one message', steps: [
            ...holding('sm1', small), ['A', '>', get('r1', 'sm1')], ['A', '<', found('r1', { sm1: small }, 1000)], ['A', '=']] },
        { name: 'a node of 30 keys comes once, in one message (13.24; gun.js: in four, then again)', steps: [
            ...holding('n1', thirty), ['A', '>', get('r2', 'n1')], ['A', '<', found('r2', { n1: thirty }, 1000)], ['A', '=']] },
        { name: 'asked again, a node comes again (gun.js: not always)', steps: [
            ...holding('n2', thirty), ['A', '>', get('r2', 'n2'), get('r3', 'n2')],
            ['A', '<', found('r2', { n2: thirty }, 1000), found('r3', { n2: thirty }, 1000)], ['A', '=']] },
        ...[8, 9, 17, 18].map((n) => ({ name: `a node of ${n} keys comes in one message`, steps: [
            ...holding(`c${n}`, keys(n)), ['A', '>', get('g', `c${n}`)], ['A', '<', found('g', { [`c${n}`]: keys(n) }, 1000)],
            ['A', '=']] })),
        { name: 'a soul that is not there: a bare not-found at once', steps: [
            ['A', 'open'], ['A', '>', get('r4', 'nope')], ['A', '<', none('r4')], ['A', '=']] },
        { name: 'a key comes alone with its state, asked once and again', steps: [
            ...holding('n3', thirty), ['A', '>', get('r5', 'n3', 'k05'), get('r6', 'n3', 'k05')],
            ['A', '<', found('r5', { n3: { k05: 'v5' } }, 1000), found('r6', { n3: { k05: 'v5' } }, 1000)], ['A', '=']] },
        { name: 'a key that is not there, of a soul that is: not-found', steps: [
            ...holding('n4', small), ['A', '>', get('r7', 'n4', 'zzz')], ['A', '<', none('r7')], ['A', '=']] },
        { name: 'a key of a soul that is not there: not-found', steps: [
            ['A', 'open'], ['A', '>', get('r8', 'nope2', 'zzz')], ['A', '<', none('r8')], ['A', '=']] },
        ...[['""', ''], ['null', null], ['5', 5], ['true', true], ['false', false]].map(([text, value], i) => ({
            name: `"." of ${text} asks for the whole node (gun.js: sometimes silence)`, steps: [
                ...holding(`d${i}`, small), ['A', '>', get('r9', `d${i}`, value)],
                ['A', '<', found('r9', { [`d${i}`]: small }, 1000)]],
        })),
        { name: 'an id that was used before is answered again (gun.js: silence)', steps: [
            ...holding('du', small), ['A', '>', get('dupl', 'du'), get('dupl', 'du')],
            ['A', '<', found('dupl', { du: small }, 1000), found('dupl', { du: small }, 1000)], ['A', '=']] },
        { name: 'an id that another client is using is answered to each', steps: [
            ...holding('du2', small), ['B', 'open'], ['A', '>', get('both', 'du2')], ['B', '>', get('both', 'du2')],
            ['A', '<', found('both', { du2: small }, 1000)], ['B', '<', found('both', { du2: small }, 1000)], ['A', '='],
            ['B', '=']] },
        {
            name: 'an equal ## is answered all the same (13.11; gun.js: silence)',
            steps: [
                ...holding('hh', small),
                ['A', '>', { ...get('h1', 'hh'), '##': hash(graph({ hh: small }, 1000)) }, { ...get('h2', 'hh'), '##': 12345 }],
                ['A', '<', found('h1', { hh: small }, 1000), found('h2', { hh: small }, 1000)], ['A', '=']],
        },
        {
            name: 'a key get with the ## of a string value, as clients send it on a reconnect, is answered',
            steps: [
                ...holding('hk', { name: 'Sm' }), ['A', '>', { ...get('h4', 'hk', 'name'), '##': 2682 }],
                ['A', '<', found('h4', { hk: { name: 'Sm' } }, 1000)], ['A', '=']],
        },
        {
            name: 'the ## of an answer is the hash of its put, keys sorted by code unit',
            steps: [...holding('h5', { 10: 1, 9: 1, a: 1, B: 1, 'é': 1, '😀': 1, '\ue000': 1 }), ['A', '>', get('g', 'h5')],
                ['A', '<', found('g', { h5: { 10: 1, 9: 1, a: 1, B: 1, 'é': 1, '😀': 1, '\ue000': 1 } }, 1000)],
                ['do', (c) => {
                    const text = c.peer('A').frames.find(([way, t]) => way === '<' && t.includes('"@":"g"'))[1];
                    const message = [JSON.parse(text)].flat().find((m) => m['@'] === 'g');
                    if (message['##'] === undefined) throw new Error('a small answer has no ##');
                }]],
        },
        {
            name: 'whole reads are whole: read, write one key, read again (13.2; gun.js: loses the rest)',
            steps: [
                ...holding('wr', { a: 1, b: 2, c: 3 }), ['A', '>', get('g1_', 'wr')],
                ['A', '<', found('g1_', { wr: { a: 1, b: 2, c: 3 } }, 1000)],
                ['A', '>', put('w2_', { wr: { z: 1 } }, 1001)], ['A', '<', ok('w2_')],
                ['A', '>', get('g2_', 'wr')],
                ['A', '<', found('g2_', { wr: { a: 1, b: 2, c: 3, z: 1 } }, { a: 1000, b: 1000, c: 1000, z: 1001 })],
                ['B', 'open'], ['B', '>', get('g3_', 'wr'), get('g4_', 'wr', 'b')],
                ['B', '<', found('g3_', { wr: { a: 1, b: 2, c: 3, z: 1 } }, { a: 1000, b: 1000, c: 1000, z: 1001 }), found('g4_', { wr: { b: 2 } }, 1000)]],
        },
        {
            name: 'souls are apart: n, n/1 and nn are three nodes',
            steps: [
                ['A', 'open'], ['A', '>', put('p', { ap: { k: 1 }, 'ap/1': { k: 2 }, app: { k: 3 } }, 1000)],
                ['A', '<', ok('p')],
                ['A', '>', get('g1', 'ap'), get('g2', 'ap/1'), get('g3', 'app'), get('g4', 'a')],
                ['A', '<<', found('g1', { ap: { k: 1 } }, 1000), found('g2', { 'ap/1': { k: 2 } }, 1000), found('g3', { app: { k: 3 } }, 1000), none('g4')]],
        },
        {
            name: 'a put in flight is read by everybody: the read does not wait for the disk',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', put('p', { fl: { a: 1 } }, 1000)], ['A', '<', ok('p')],
                ['A', '>', put('p2', { fl: { a: 2 } }, 1001), get('g', 'fl')],
                ['A', '<<', ok('p2'), found('g', { fl: { a: 2 } }, 1001)], ['B', '>', get('g', 'fl')],
                ['B', '<', found('g', { fl: { a: 2 } }, 1001)]],
        },
        {
            name: 'null is data: a key set to null is found',
            steps: [
                ...holding('nu', { a: null, b: 1 }), ['A', '>', get('g1', 'nu', 'a'), get('g2', 'nu')],
                ['A', '<', found('g1', { nu: { a: null } }, 1000), found('g2', { nu: { a: null, b: 1 } }, 1000)]],
        },
        {
            name: 'get and answer of a soul named as a number, an empty-looking one and one of white space',
            steps: [
                ['A', 'open'], ['A', '>', put('p', { 0: { 1: 'one', 0: 'zero' }, ' ': { ' ': ' ' }, '\n': { '\t': 1 } }, 1000)],
                ['A', '<', ok('p')],
                ['A', '>', get('g1', '0'), get('g2', ' '), get('g3', '\n', '\t')],
                ['A', '<', found('g1', { 0: { 0: 'zero', 1: 'one' } }, 1000), found('g2', { ' ': { ' ': ' ' } }, 1000), found('g3', { '\n': { '\t': 1 } }, 1000)]],
        },
        {
            name: 'a thousand keys, 300 KB, come in one message, in fragments of 16 KB at the most with nothing between them (relay-rules 3)',
            steps: [...holding('tk', manyKeys(1000, 280)),
                ['do', (c) => { c.raw = []; c.peer('A').socket._socket.on('data', (d) => c.raw.push(d)); }],
                ['A', '>', get('g', 'tk'), get('g2', 'tk', 'key00')],
                ['do', async (c) => {
                    const { node, sizes } = await gather(c, c.peer('A'), 'g', 1000);
                    if (sizes.length !== 1) throw new Error(`it came in ${sizes.length} messages`);
                    if (node.get('key500') !== manyKeys(1000, 280).key500) throw new Error('key500 is another');
                }],
                ['A', '<', found('g2', { tk: { key00: manyKeys(1, 280).key00 } }, 1000)],
                ['do', (c) => {
                    let open = false;
                    let widest = 0;
                    for (const { fin, opcode, size } of wireFrames(Buffer.concat(c.raw))) {
                        if (opcode >= 8) continue;
                        if (open !== (opcode === 0)) throw new Error('a message began inside another');
                        if (!fin || opcode === 0) widest = Math.max(widest, size);
                        open = !fin;
                    }
                    if (open) throw new Error('the last message did not end');
                    if (widest > 16 * 1024 + 512) throw new Error(`a fragment of ${widest} bytes`);
                }]],
        },
        {
            name: 'a node of 3 MB comes in messages of about 1 MiB, each key once (relay-rules 3)',
            steps: [...holding('bn', manyKeys(3000, 1000)), ['A', '>', get('g', 'bn')],
                ['do', async (c) => {
                    const { sizes } = await gather(c, c.peer('A'), 'g', 3000);
                    if (sizes.length < 3 || sizes.length > 4) throw new Error(`${sizes.length} messages: ${sizes}`);
                    if (Math.max(...sizes) > 1024 * 1024 + 64 * 1024) throw new Error(`a message of ${Math.max(...sizes)}`);
                }], ['A', '=']],
        },
        {
            name: 'a value of 5 MB comes back as it was',
            steps: [
                ['A', 'open'], ['A', '>', put('p', { big5: { v: 'é'.repeat(2_500_000) } }, 1000)], ['A', '<', ok('p')],
                ['B', 'open'],
                ['B', '>', get('g1', 'big5', 'v'), get('g2', 'big5')],
                ['B', '<', found('g1', { big5: { v: 'é'.repeat(2_500_000) } }, 1000), found('g2', { big5: { v: 'é'.repeat(2_500_000) } }, 1000)]],
        },
        {
            name: 'small gets behind a large one are answered, in their order',
            steps: [
                ...holding('ord', manyKeys(2000, 400)),
                ['A', '>', get('g', 'ord'), get('s1', 'ord', 'key07'), get('s2', 'ord', 'key08')],
                ['do', (c) => gather(c, c.peer('A'), 'g', 2000)],
                ['A', '<', found('s1', { ord: { key07: manyKeys(8, 400).key07 } }, 1000), found('s2', { ord: { key08: manyKeys(9, 400).key08 } }, 1000)]],
        },
        {
            name: 'what is written while a large node is on its way arrives: in the answer or as an update',
            steps: [...holding('wh', manyKeys(3000, 1000)), ['B', 'open'],
                ['do', (c) => c.peer('A').socket.pause()], ['A', '>', get('g', 'wh')],
                ['wait', 100, 'the answer fills what the socket takes, then stands still'],
                ['B', '>', put('late', { wh: { key2999: 'late' } }, 2000)], ['B', '<', ok('late')],
                ['do', (c) => c.peer('A').socket.resume()],
                ['do', async (c) => {
                    const peer = c.peer('A');
                    let last;
                    const names = new Set();
                    while (last !== 'late' || names.size < 3000) {
                        await peer.until(() => peer.inbox.length > 0, `the late value (${names.size} keys, ${last})`, 20_000);
                        for (const node of Object.values(peer.inbox.shift().put))
                            for (const key of Object.keys(node)) {
                                if (key === '_') continue;
                                names.add(key);
                                if (key === 'key2999') last = node[key];
                            }
                    }
                }], ['do', async (c) => { await c.peer('A').fence(); c.peer('A').inbox.length = 0; }]],
        },
        {
            name: 'a batch of gets is answered one by one, found and not found',
            steps: [
                ...holding('bt', small),
                ['A', '>', [get('b1', 'bt'), get('b2', 'btno'), get('b3', 'bt', 'b'), { '#': 'b4', get: {} }]],
                ['A', '<<', found('b1', { bt: small }, 1000), none('b2'), found('b3', { bt: { b: 2 } }, 1000), none('b4')],
                ['A', '=']],
        },
        {
            name: 'small messages that leave together leave in one batch',
            steps: [['A', 'open'], ['A', '>', Array.from({ length: 40 }, (_, i) => get(`m${i}`, `batchmiss${i}`))],
                ['A', '<', ...Array.from({ length: 40 }, (_, i) => none(`m${i}`))],
                ['do', (c) => {
                    const frames = c.peer('A').frames.filter(([way, text]) => way === '<' && text.includes('"@":"m'));
                    if (frames.length > 20) throw new Error(`${frames.length} frames for 40 messages`);
                    if (!frames.some(([, text]) => text[0] === '[')) throw new Error('no batch');
                }]],
        },
        {
            name: 'a thousand gets in one frame are all answered',
            steps: [
                ...holding('th', small),
                ['A', '>', Array.from({ length: 1000 }, (_, i) => get(`m${i}`, 'th', i % 2 ? 'b' : undefined))],
                ['A', '<', ...Array.from({ length: 1000 }, (_, i) => found(`m${i}`, { th: i % 2 ? { b: 2 } : small }, 1000))],
                ['A', '=']],
        },
        {
            name: 'the reader of a node hears what changes afterwards, with what was read before it (stored data before live updates)',
            steps: [
                ...holding('sb', small), ['B', 'open'], ['A', '>', get('g', 'sb')], ['A', '<', found('g', { sb: small }, 1000)],
                ['B', '>', put('w', { sb: { b: 3 } }, 1001)], ['B', '<', ok('w')], ['A', '<', update({ sb: { b: 3 } }, 1001)]],
        },
    ],
};
