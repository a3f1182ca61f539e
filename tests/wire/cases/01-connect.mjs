// Greeting, control messages, clocks, paths and subprotocols (transcripts 01, 08, 12).
import { ask, get, none, ok, put } from '../lib/frames.mjs';

const hello = (id) => ({ '#': '{{?}}', '@': id, dam: '?', pid: '{{pid}}' });

const quiet = (name, ...frames) => ({
    name,
    steps: [['A', 'open'], ['A', '>', ...frames], ['A', '='], ['A', '=ask']],
});

const opens = (path, why) => ({
    name: `a WebSocket opens on ${path}${why}`,
    steps: [['A', 'open', { path }], ['A', '>', get('g1', 'nothing')], ['A', '<', none('g1')]],
});

export default {
    name: 'connecting',
    cases: [
        { name: 'a connection is greeted with dam "?" and the pid of the relay, before anything else', steps: [['A', 'open']] },
        {
            name: 'every connection is told the same pid, each greeting has an id of its own',
            steps: [
                ['A', 'open'], ['B', 'open'],
                ['A', '>', { dam: '?', '#': 'a' }], ['A', '<', hello('a')],
                ['B', '>', { dam: '?', '#': 'b' }], ['B', '<', hello('b')],
            ],
        },
        {
            name: 'dam "?" is answered with the pid of the relay, with a pid of the asker and without',
            steps: [
                ['A', 'open'],
                ['A', '>', { dam: '?', pid: 'pidA', '#': 'greetA1' }], ['A', '<', hello('greetA1')],
                ['A', '>', { dam: '?', '#': 'greetA2' }], ['A', '<', hello('greetA2')],
            ],
        },
        {
            name: 'dam "?" without an id is answered all the same',
            steps: [
                ['A', 'open'], ['A', '>', { dam: '?' }], ['A', '<', { '#': '{{?}}', '@??': '{{?}}', dam: '?', pid: '{{?}}' }]],
        },
        {
            name: 'an answer to the greeting is not answered',
            steps: [['A', 'open'], ['A', '>', { dam: '?', pid: 'pidA', '@': '{{greeting_A}}', '#': 'x' }], ['A', '=']],
        },
        {
            name: 'a client that never answers the greeting is served (18: the greeting is not needed)',
            steps: [['A', 'open'], ['A', '>', put('p1', { ungreeted: { a: 1 } })], ['A', '<', ok('p1')]],
        },
        {
            name: 'dam "?" with the pid of the relay itself closes nothing (gun.js: closes)',
            steps: [
                ['A', 'open'], ['A', '>', { dam: '?', '#': 'a' }], ['A', '<', hello('a')],
                ['A', '>', { dam: '?', pid: '{{pid}}', '#': 'b' }], ['A', '<', hello('b')], ['A', '='],
            ],
        },
        {
            name: 'dam "?" whose pid is an object, an array, a number or 100 KB harms nobody',
            steps: [
                ['A', 'open'],
                ['A', '>', { dam: '?', '#': 'a', pid: { a: 1 } }],
                ['A', '<', { '#': '{{?}}', '@': 'a', 'dam??': '?', 'pid??': '{{?}}', 'err??': '{{?}}' }],
                ['A', '>', { dam: '?', '#': 'b', pid: ['x'] }],
                ['A', '<', { '#': '{{?}}', '@': 'b', 'dam??': '?', 'pid??': '{{?}}', 'err??': '{{?}}' }],
                ['A', '>', { dam: '?', '#': 'c', pid: 7 }],
                ['A', '<', { '#': '{{?}}', '@': 'c', 'dam??': '?', 'pid??': '{{?}}', 'err??': '{{?}}' }],
                ['A', '>', { dam: '?', '#': 'd', pid: 'p'.repeat(100_000) }],
                ['A', '<', { '#': '{{?}}', '@': 'd', 'dam??': '?', 'pid??': '{{?}}', 'err??': '{{?}}' }],
                ['A', '='],
            ],
        },

        quiet('dam "hi" is heard in silence', { dam: 'hi', '#': 'd1' }),
        quiet('dam "!" is heard in silence: an error is never answered with an error', { dam: '!', err: 'x', '#': 'd2' }),
        quiet('an unknown dam is heard in silence', { dam: 'foo', '#': 'd3', x: 1 }),
        quiet('dam "rtc" is heard in silence: calls travel as ok objects', { dam: 'rtc', '#': 'd4', ok: { rtc: { id: 'pidA' } } }),
        quiet('dam "opt" from a stranger changes nothing and is not answered (gun.js: dials the URL, 13.16)',
            { dam: 'opt', '#': 'd8', ok: 1 }, { dam: 'opt', '#': 'd9', opt: {} },
            { dam: 'opt', '#': 'd10', opt: { peers: 'http://127.0.0.1:1/gun' } }, { dam: 'opt', '#': 'x11', opt: { peers: '::::' } },
            { dam: 'opt', '#': 'x12', opt: { peers: 'ftp://127.0.0.1:1/' } }),
        quiet('dam "mob" from a stranger changes nothing, and he is not closed (gun.js: drops him, 13.16, 13.21)',
            { dam: 'mob', '#': 'd11', mob: 1, peers: { 'http://127.0.0.1:1/gun': {} } }, { dam: 'mob', '#': 'x10', peers: 'abc' }),
        quiet('dam "service" from a stranger runs nothing', { dam: 'service', '#': 'd12', try: 'x' }),
        {
            name: 'what a control message carries besides is not used: no put, no get, no answer',
            steps: [
                ['A', 'open'],
                ['A', '>', { dam: 'foo', '#': 'd6', put: { dq: { _: { '#': 'dq', '>': { a: 1 } }, a: 1 } }, get: { '#': 'fence' } }],
                ['A', '='], ['A', '>', get('d7', 'dq')], ['A', '<', none('d7')],
            ],
        },
        {
            name: 'a peer dialled by nobody hears of a dam of another peer nothing',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', { dam: 'foo', '#': 'd20' }], ['A', '='], ['B', '='], ['B', '=ask']],
        },

        {
            name: 'the older clock request is answered: {"#","nts":true} -> {"@","nts":now}',
            steps: [
                ['A', 'open'], ['A', '>', { '#': 'n1', nts: true }], ['A', '<', { '#??': '{{?}}', '@': 'n1', nts: '{{#}}' }]],
        },
        {
            name: 'the later clock request is answered: dam "nts" [t0] -> [t0, now]',
            steps: [['A', 'open'], ['A', '>', { dam: 'nts', '#': 'n2', nts: [1795210000000] }],
                ['A', '<', { '#??': '{{?}}', '@': 'n2', dam: 'nts', nts: [1795210000000, '{{#}}'] }]],
        },
        {
            name: 'the clock that is told lies within ten seconds of ours',
            steps: [
                ['A', 'open'], ['A', '>', { '#': 'n3', nts: true }], ['A', '<', { '#??': '{{?}}', '@': 'n3', nts: '{{told}}' }],
                ['do', (c) => {
                    if (Math.abs(c.bound.get('told') - Date.now()) > 10_000) throw new Error(`told ${c.bound.get('told')}`);
                }]],
        },
        quiet('an answer to a clock request is never answered',
            { dam: 'nts', '#': 'n4', '@': 'n2', nts: [1795210000000, 1795210000001] },
            { dam: 'nts', '#': 'n5', nts: [1, 2] }, { dam: 'nts', '#': 'n6', nts: [1, 2, 3, 4] }, { '#': 'n7', '@': 'n1', nts: 1795210000000 }),
        {
            name: 'clock requests of wrong types cost nobody anything',
            steps: [['A', 'open'],
                ['A', '>', { dam: 'nts', '#': 'n8', nts: 'x' }, { dam: 'nts', '#': 'n9', nts: {} }, { dam: 'nts', '#': 'n10' },
                    { dam: 'nts', '#': 'n11', nts: ['x'] }, { dam: 'nts', '#': 'n12', nts: [] }, { dam: 'nts', '#': 'n13', nts: [null] }],
                ['do', async (c) => { await c.peer('A').fence(); c.peer('A').inbox.length = 0; }], ['A', '=']],
        },

        opens('/gun', ''), opens('/gun/', ' (gun.js: 400)'), opens('/gun?x=1', ''), opens('/gun/?x=1&y=%20', ' (gun.js: 400)'),
        opens('/ws', ' (gun.js: 400)'), opens('/', ' (gun.js: 400)'),
        ...['/other', '/gunx', '/wss', '/gun/x', '/health'].map((path) => ({
            name: `a WebSocket does not open on ${path}`,
            steps: [['do', async (c) => {
                const { Peer } = await import('../lib/peer.mjs');
                const peer = new Peer('A');
                await peer.open(c.server.ws, { path }).catch(() => { peer.status = 'closed'; });
                if (peer.status === 101) throw new Error(`${path} was accepted`);
            }]],
        })),
        {
            name: 'no subprotocol is needed, and none is invented',
            steps: [
                ['A', 'open'],
                ['do', (c) => { if (c.peer('A').socket.protocol !== '') throw new Error(c.peer('A').socket.protocol); }]],
        },
        ...['chat', 'gun', 'x', 'A.b-c_d', 'p'.repeat(62)].map((protocol) => ({
            name: `the subprotocol ${protocol.slice(0, 12)} (${protocol.length}) is echoed`,
            steps: [['A', 'open', { protocol: [protocol] }],
                ['do', (c) => { if (c.peer('A').socket.protocol !== protocol) throw new Error(c.peer('A').socket.protocol); }],
                ['A', '>', get('g1', 'nothing')], ['A', '<', none('g1')]],
        })),
        ...['p'.repeat(63), '12', '1.5', 'x'.repeat(300)].map((protocol) => ({
            // libwebsockets 4.1.6 cannot agree on these, and alone would hang up without a word.
            name: `the subprotocol ${protocol.slice(0, 12)} (${protocol.length}) is refused with a sentence`,
            steps: [['do', async (c) => {
                const { bare } = await import('../lib/steps.mjs');
                const { handshake } = await import('../lib/raw.mjs');
                const head = await bare(c.server, handshake('/gun', `Sec-WebSocket-Protocol: ${protocol}\r\n`), 200, /\r\n\r\n./);
                if (!/^HTTP\/1\.1 400 [\s\S]*\r\n\r\n.*subprotocol/.test(head)) throw new Error(head || 'it hung up');
            }]],
        })),
        {
            name: 'of several subprotocols the first one is echoed',
            steps: [['A', 'open', { protocol: ['first', 'second'] }],
                ['do', (c) => { if (c.peer('A').socket.protocol !== 'first') throw new Error(c.peer('A').socket.protocol); }]],
        },
        {
            name: 'an Origin is not asked for unless --origin says so',
            steps: [['A', 'open', { headers: { Origin: 'http://evil.example' } }], ['A', '=']],
        },
        {
            name: 'a ping is answered with its own words',
            steps: [['A', 'open'], ['A', '>ping', 'are you there'], ['A', '>ping', ''], ['A', '=']],
        },
        {
            name: 'two clients that come and go leave nothing: a third is served as the first was',
            steps: [['A', 'open'], ['A', 'drop'], ['B', 'open'], ['B', 'close'], ['C', 'open'],
                ['C', '>', get('g1', 'nothing')], ['C', '<', none('g1')], ['C', '<ask', ask('nothing')]],
        },
        {
            name: 'a heartbeat [] comes 20 s after the connection, and again',
            long: true,
            steps: [['A', 'open'], ['wait', 19_000, 'the heartbeat is due at 20 s'],
                ['do', (c) => { if (c.peer('A').beats !== 0) throw new Error('a heartbeat came early'); }],
                ['A', 'beat', 3_000], ['A', 'beat', 22_000]],
        },
    ],
};
