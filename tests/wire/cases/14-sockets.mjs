// WebSocket itself: frames cut anywhere, frames that lie, frames that are none
// (the "half a frame"). Whatever the socket does, another client notices
// nothing and the server goes on.
import { bare } from '../lib/steps.mjs';
import { frame, handshake } from '../lib/raw.mjs';
import { found, get, none, now, ok, put, scold } from '../lib/frames.mjs';

const bystander = [['Z', 'open']];
const unmoved = [['Z', '>', put('zp', { still: { here: 1 } }, 1000), get('zg', 'still')], ['Z', '<<', ok('zp'), found('zg', { still: { here: 1 } }, 1000)]];
const text = (message) => JSON.stringify(message);

// Raw bytes, after which the peer is dropped; the bystander must be served.
const survives = (name, ...pieces) => ({
    name: `${name}: nobody else notices`, settle: false,
    steps: [
        ...bystander, ['A', 'open'], ['A', '>raw', ...pieces], ['wait', 30, 'time to read it'], ...unmoved, ['A', 'drop'],
        ...unmoved],
});

// A breach of RFC 6455: the server may close, and must not be harmed.
const breach = (name, bytes) => ({
    name: `${name}: closed or ignored, nobody else notices`, settle: false,
    steps: [...bystander, ['A', 'open'], ['A', '>raw', bytes], ['wait', 30, 'time to read it'], ...unmoved],
});

const pieces = (bytes, size) => Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
const message = frame(text(get('cut', 'nothing')));

export default {
    name: 'sockets',
    cases: [
        { name: 'a message sent byte by byte is a message', steps: [['A', 'open'], ['do', async (c) => {
            for (const piece of pieces(message, 1)) { c.peer('A').bytes(piece); await new Promise((r) => setTimeout(r, 1)); }
        }], ['A', '<', none('cut')], ['A', '=']] },
        { name: 'ten messages in one write are ten messages', steps: [
            ['A', 'open'],
            ['A', '>raw', Buffer.concat(Array.from({ length: 10 }, (_, i) => frame(text(get(`t${i}`, 'nothing')))))],
            ['A', '<', ...Array.from({ length: 10 }, (_, i) => none(`t${i}`))]] },
        { name: 'a message in fragments is one message, with a ping between them answered in between', steps: [['A', 'open'],
            ['do', (c) => {
                const whole = Buffer.from(text(get('frag', 'nöthing')));
                c.peer('A').bytes(frame(whole.subarray(0, 5), { fin: false }));
                c.peer('A').bytes(frame('hello', { opcode: 9 }));
                c.peer('A').bytes(frame(whole.subarray(5, 25), { fin: false, opcode: 0 }));
                c.peer('A').bytes(frame(Buffer.alloc(0), { fin: false, opcode: 0 }));
                c.peer('A').bytes(frame(whole.subarray(25), { opcode: 0 }));
            }], ['do', (c) => c.peer('A').until(() => c.peer('A').pongs.includes('hello'), 'the pong')], ['A', '<', none('frag')]] },
        { name: 'a message in a fragment per byte, cut inside a character, is one message', steps: [['A', 'open'],
            ['do', (c) => {
                const whole = Buffer.from(text(get('bytes', 'né😀thing')));
                for (let i = 0; i < whole.length; i++) c.peer('A').bytes(frame(whole.subarray(i, i + 1), { fin: i === whole.length - 1, opcode: i === 0 ? 1 : 0 }));
            }], ['A', '<', none('bytes')]] },
        { name: 'a put of 2 MB in fragments of 1,000 bytes is one put', steps: [['A', 'open'], ['do', (c) => {
            const whole = Buffer.from(text(put('huge', { frags: { v: 'x'.repeat(2_000_000) } }, 1000)));
            const cut = pieces(whole, 1000);
            cut.forEach((piece, i) => c.peer('A').bytes(frame(piece, { fin: i === cut.length - 1, opcode: i === 0 ? 1 : 0 })));
        }], ['A', '<', ok('huge')], ['A', '>', get('g', 'frags')], ['A', '<', found('g', { frags: { v: 'x'.repeat(2_000_000) } }, 1000)]] },
        { name: 'a text frame whose length is written in eight bytes is a text frame', steps: [['A', 'open'], ['do', (c) => {
            const payload = Buffer.from(text(get('wide', 'nothing')).padEnd(70_000, ' '));
            c.peer('A').bytes(frame(payload));
        }], ['A', '<', none('wide')]] },
        { name: 'bytes that are no UTF-8 in a text frame: one dam "!", the connection lives', steps: [
            ...bystander, ['A', 'open'], ['A', '>raw', frame(Buffer.from('7b2223223a22ff222c22676574223a7b7d7d', 'hex'))],
            ['A', '<', scold('malformed')], ['A', '>', get('g', 'nothing')], ['A', '<', none('g')], ...unmoved] },
        ...[['overlong c0 80', 'c080'], ['a surrogate in UTF-8, ed a0 80', 'eda080'], ['beyond U+10FFFF, f4 90 80 80', 'f4908080'], ['a lone continuation byte', '80'], ['a cut-off character', 'e282']].map(([what, hex]) => ({
            name: `${what} inside a put is refused, nothing of it is stored`,
            steps: [
                ['A', 'open'],
                ['A', '>raw', frame(Buffer.concat([Buffer.from('{"#":"p","put":{"utf":{"_":{"#":"utf",">":{"a":1000}},"a":"'), Buffer.from(hex, 'hex'), Buffer.from('"}}}')]))],
                ['A', '<', scold('malformed')], ['A', '>', get('g', 'utf')], ['A', '<', none('g')]],
        })),

        survives('half a frame', message.subarray(0, 20)), survives('half a header', message.subarray(0, 1)), survives('half a length', frame('x'.repeat(300)).subarray(0, 3)), survives('half a mask', message.subarray(0, 4)),
        survives('the first fragment of a message that never ends', frame('{"#":"never', { fin: false })), survives('half a put of 1 MB', frame(text(put('h', { half: { v: 'x'.repeat(1_000_000) } }))).subarray(0, 400_000)),
        survives('a frame that announces 30 MB and sends ten bytes', frame('{"#":"lie"', { announce: 30_000_000 })), survives('a frame that announces 2^40 bytes', frame('{"#":"lie"', { announce: 2 ** 40 })), survives('a frame that announces 2^53 bytes', frame('{"#":"lie"', { announce: 2 ** 53 - 1 })),
        { name: 'what half a put held is not stored', settle: false, steps: [
            ['A', 'open'], ['A', '>raw', frame(text(put('h', { halfput: { v: 'x'.repeat(100_000) } }))).subarray(0, 60_000)],
            ['A', 'drop'], ['B', 'open'], ['B', '>', get('g', 'halfput')], ['B', '<', none('g')]] },
        { name: 'a message that arrives whole just before the socket breaks is heard', steps: [
            ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'lastword')], ['B', '<', none('g')],
            ['do', (c) => new Promise((resolve) => c.peer('A').socket._socket.write(frame(text(put('last', { lastword: { v: 1 } }, 1000))), () => { c.peer('A').drop(); resolve(); }))],
            ['B', '<', { '#': '{{?}}', put: put('x', { lastword: { v: 1 } }, 1000).put }]] },

        breach('a frame without a mask', frame(text(get('g', 's')), { unmasked: true })), breach('an unknown opcode 3', frame('x', { opcode: 3 })), breach('an unknown opcode 7', frame('x', { opcode: 7 })), breach('an unknown control opcode 11', frame('x', { opcode: 11 })),
        breach('reserved bits set', frame(text(get('g', 's')), { rsv: 4 })), breach('all reserved bits set', frame(text(get('g', 's')), { rsv: 7 })), breach('a continuation of nothing', frame('x', { opcode: 0 })), breach('a text frame inside a fragmented message', Buffer.concat([frame('{', { fin: false }), frame('{}')])),
        breach('a ping in fragments', frame('x', { opcode: 9, fin: false })), breach('a ping of 126 bytes', frame('x'.repeat(126), { opcode: 9 })), breach('a ping of 70,000 bytes', frame('x'.repeat(70_000), { opcode: 9 })), breach('a close frame of one byte', frame('x', { opcode: 8 })),
        breach('a close frame with code 0', frame(Buffer.from([0, 0]), { opcode: 8 })), breach('a close frame with a reason that is no UTF-8', frame(Buffer.from([3, 232, 255, 255]), { opcode: 8 })), breach('a close frame of 125 bytes', frame(Buffer.concat([Buffer.from([3, 232]), Buffer.alloc(123, 120)]), { opcode: 8 })),
        breach('an unasked pong', frame('x', { opcode: 10 })), breach('a thousand pings in one write', Buffer.concat(Array(1000).fill(frame('p', { opcode: 9 })))), breach('random bytes', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 + 13) % 256))), breach('zeros', Buffer.alloc(5000)), breach('an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')),
        { name: 'an unasked pong does not end the connection', steps: [
            ['A', 'open'], ['A', '>raw', frame('x', { opcode: 10 })], ['A', '>', get('g', 'nothing')], ['A', '<', none('g')]] },
        { name: 'a close frame is answered with a close frame', steps: [
            ['A', 'open'], ['A', 'close'], ['A', 'gone', 1000, 1005]] },
        survives('a put behind a close frame (the sender may not, RFC 6455 5.5.1; a put is harmless, heard or not)', frame(Buffer.from([3, 232]), { opcode: 8 }), frame(text(put('p', { afterclose: { a: 1 } }, 1000)))),

        ...[['no Sec-WebSocket-Key', handshake().replace(/Sec-WebSocket-Key: .*\r\n/, '')], ['an empty key', handshake().replace(/Key: .*\r\n/, 'Key: \r\n')], ['a key of 10 KB', handshake().replace(/Key: .*\r\n/, `Key: ${'A'.repeat(10_000)}\r\n`)], ['no version', handshake().replace(/Sec-WebSocket-Version: .*\r\n/, '')],
            ['version 99', handshake().replace('Version: 13', 'Version: 99')],
            ['no Connection', handshake().replace(/Connection: .*\r\n/, '')], ['POST', handshake().replace('GET', 'POST')],
            ['HTTP/1.0', handshake().replace('HTTP/1.1', 'HTTP/1.0')],
            ['a subprotocol of 64 characters', handshake('/gun', `Sec-WebSocket-Protocol: ${'p'.repeat(64)}\r\n`)],
            ['a subprotocol of 1,000 characters', handshake('/gun', `Sec-WebSocket-Protocol: ${'p'.repeat(1000)}\r\n`)],
            ['an empty subprotocol', handshake('/gun', 'Sec-WebSocket-Protocol: \r\n')],
            ['a subprotocol of commas', handshake('/gun', 'Sec-WebSocket-Protocol: ,,,\r\n')],
            ['a hundred subprotocols', handshake('/gun', `Sec-WebSocket-Protocol: ${Array.from({ length: 100 }, (_, i) => `p${i}`).join(', ')}\r\n`)],
            ['permessage-deflate', handshake('/gun', 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n')],
            ['unknown extensions', handshake('/gun', 'Sec-WebSocket-Extensions: x-foo; a=1, x-bar\r\n')],
            ['a header twice', handshake('/gun', 'Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n')],
        ].map(([what, bytes]) => ({ name: `a handshake with ${what} harms nobody`, steps: [
            ...bystander, ['do', (c) => bare(c.server, bytes, 150)], ...unmoved] })),
        { name: 'an offer of compression is declined: no extension is agreed on', steps: [['do', async (c) => {
            const head = await bare(c.server, handshake('/gun', 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n'), 200, /\r\n\r\n/);
            if (!/^HTTP\/1\.1 101/.test(head) || /sec-websocket-extensions/i.test(head)) throw new Error(head.slice(0, 400));
            if (!/sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i.test(head)) throw new Error(head.slice(0, 400));
        }]] },
        { name: 'frames that come in the same packet as the handshake are heard', steps: [['do', async (c) => {
            const all = await bare(c.server, Buffer.concat([Buffer.from(handshake()), frame(text(get('early', 'nothing')))]), 100, /"@":"early"/);
            if (!all.includes('"@":"early"')) throw new Error(all.slice(0, 500));
        }]] },
        { name: 'a handshake sent byte by byte is a handshake', steps: [['do', async (c) => {
            const net = await import('node:net');
            const { port, hostname } = new URL(c.server.http);
            const head = await new Promise((resolve, reject) => {
                const socket = net.connect(Number(port), hostname, async () => {
                    for (const byte of handshake()) { socket.write(byte); await new Promise((r) => setTimeout(r, 1)); }
                });
                socket.once('data', (data) => { socket.destroy(); resolve(data.toString()); });
                socket.setTimeout(30_000, () => reject(new Error('no answer')));
                socket.on('error', reject);
            });
            if (!/^HTTP\/1\.1 101/.test(head)) throw new Error(head);
        }]] },
        { name: 'two hundred connections that say nothing keep nobody from being served', steps: [['do', async (c) => {
            const net = await import('node:net');
            const { port, hostname } = new URL(c.server.http);
            c.idle = await Promise.all(Array.from({ length: 200 }, () => new Promise((resolve) => { const s = net.connect(Number(port), hostname, () => resolve(s)); s.on('error', () => {}); })));
        }], ['A', 'open'], ['A', '>', put('p', { idle: { a: 1 } }, now)], ['A', '<', ok('p')], ['do', (c) => c.idle.forEach((s) => s.destroy())]] },
        { name: 'a hundred clients come, write, and break off: all of it is there', steps: [['do', async (c) => {
            const { Peer } = await import('../lib/peer.mjs');
            await Promise.all(Array.from({ length: 100 }, async (_, i) => {
                const peer = new Peer(`P${i}`);
                await peer.open(c.server.ws);
                peer.send(text(put(`h${i}`, { crowd: { [`k${i}`]: i } }, 1000)));
                await peer.until(() => peer.owed.get(`h${i}`) === 0 || undefined, 'an ack');
                peer.drop();
            }));
        }], ['A', 'open'], ['A', '>', get('g', 'crowd')], ['A', '<', found('g', { crowd: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, i])) }, 1000)]] },
    ],
};
