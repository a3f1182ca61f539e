// Puts and their acks (transcript 02; relay-rules 1, 2; design "ack of a put", "repeated ids").
import { answer, err, found, get, graph, keys, none, now, ok, put, update } from '../lib/frames.mjs';

const raw = (id, node) => `{"#":"${id}","put":${node}}`;

export default {
    name: 'puts and acks',
    cases: [
        {
            name: 'a put of one key gets one ack',
            steps: [['A', 'open'], ['A', '>', put('p1_', { pa1: { a: 1 } })], ['A', '<', ok('p1_')], ['A', '=']],
        },
        {
            name: 'a put of twelve keys gets one ack',
            steps: [['A', 'open'], ['A', '>', put('p2_', { pa2: keys(12) })], ['A', '<', ok('p2_')], ['A', '='],
                ['A', '>', get('g', 'pa2')], ['A', '<', found('g', { pa2: keys(12) })]],
        },
        {
            name: 'a put of three souls gets one ack, and all three are there',
            steps: [
                ['A', 'open'], ['A', '>', put('p3_', { pa3: { a: 1 }, pa4: { b: 2, c: 3 }, pa5: { d: 4 } })],
                ['A', '<', ok('p3_')], ['A', '='],
                ['A', '>', get('g3', 'pa3'), get('g4', 'pa4'), get('g5', 'pa5')],
                ['A', '<', found('g3', { pa3: { a: 1 } }), found('g4', { pa4: { b: 2, c: 3 } }), found('g5', { pa5: { d: 4 } })]],
        },
        {
            name: 'a hundred keys in one put get one ack',
            steps: [['A', 'open'], ['A', '>', put('r1', { pa13: keys(100) })], ['A', '<', ok('r1')], ['A', '='],
                ['A', '>', get('g', 'pa13')], ['A', '<', found('g', { pa13: keys(100) })]],
        },
        {
            name: 'fifty puts in fifty frames get fifty acks',
            steps: [['A', 'open'],
                ['A', '>', ...Array.from({ length: 50 }, (_, i) => put(`q${i}_`, { pa12: { [`k${i}`]: i } }))],
                ['A', '<<', ...Array.from({ length: 50 }, (_, i) => ok(`q${i}_`))], ['A', '=']],
        },
        {
            name: 'fifty puts in one batch get fifty acks',
            steps: [['A', 'open'],
                ['A', '>', Array.from({ length: 50 }, (_, i) => put(`b${i}_`, { pa14: { [`k${i}`]: i } }))],
                ['A', '<<', ...Array.from({ length: 50 }, (_, i) => ok(`b${i}_`))], ['A', '=']],
        },
        {
            name: 'acks come in the order of the puts of one connection',
            steps: [
                ['A', 'open'], ['A', '>', ...Array.from({ length: 20 }, (_, i) => put(`o${i}`, { pa15: { [`k${i}`]: i } }))],
                ['A', '<', ...Array.from({ length: 20 }, (_, i) => ok(`o${i}`))]],
        },
        {
            name: 'an id seen before does not silence a put: it is judged by HAM and acked (gun.js: dropped)',
            steps: [['A', 'open'], ['A', '>', put('p1_', { pb1: { a: 1 } }, 1000)], ['A', '<', ok('p1_')],
                ['A', '>', put('p1_', { pb1: { a: 99 } }, 1001)], ['A', '<', ok('p1_')],
                ['A', '>', get('g', 'pb1')], ['A', '<', found('g', { pb1: { a: 99 } }, 1001)]],
        },
        {
            name: 'an id that another client used does not silence a put',
            steps: [['A', 'open'], ['B', 'open'], ['A', '>', put('same', { pb2: { a: 1 } })], ['A', '<', ok('same')],
                ['B', '>', put('same', { pb2: { b: 2 } })], ['B', '<', ok('same')],
                ['B', '>', get('g', 'pb2')], ['B', '<', found('g', { pb2: { a: 1, b: 2 } })]],
        },
        {
            name: 'ids that begin with the id of a recent put are not duplicates of it (13.20)',
            steps: [
                ['A', 'open'],
                ['A', '>', put('p1', { pb3: { a: 1 } }), put('p10', { pb3: { b: 2 } }), put('p100', { pb3: { c: 3 } })],
                ['A', '<', ok('p1'), ok('p10'), ok('p100')], ['A', '>', get('g', 'pb3')],
                ['A', '<', found('g', { pb3: { a: 1, b: 2, c: 3 } })]],
        },
        {
            name: 'a put that changes nothing is acked (13.9; gun.js: silence) and told to nobody',
            steps: [['A', 'open'], ['B', 'open'], ['A', '>', put('p1', { pb4: { a: 1 } })], ['A', '<', ok('p1')],
                ['B', '>', get('g', 'pb4')], ['B', '<', found('g', { pb4: { a: 1 } })],
                ['A', '>', put('p4_', { pb4: { a: 1 } })], ['A', '<', ok('p4_')], ['B', '='], ['A', '=']],
        },
        {
            name: 'ok {"@":9,"/":1} beside a put, as clients send it, changes nothing',
            steps: [
                ['A', 'open'], ['A', '>', put('p5_', { pb5: { a: 5 } }, now, { ok: { '@': 9, '/': 1 } })],
                ['A', '<', ok('p5_')], ['A', '=']],
        },
        {
            name: 'ok null, a string, true or a number beside a put change nothing',
            steps: [['A', 'open'],
                ...[null, 'yes', true, 7].flatMap((value, i) => [
                    ['A', '>', put(`x${i}`, { pb6: { z: i } }, i + 1, { ok: value })], ['A', '<', ok(`x${i}`)]]), ['A', '=']],
        },
        {
            name: 'err beside a put changes nothing: it is a put',
            steps: [['A', 'open'], ['A', '>', put('x44', { pb7: { z: 4 } }, now, { err: 'e' })], ['A', '<', ok('x44')],
                ['A', '>', get('g', 'pb7')], ['A', '<', found('g', { pb7: { z: 4 } })]],
        },
        {
            name: 'a put without an id is stored, and acked under an id that is invented, as in gun.js',
            steps: [['A', 'open'], ['A', '>', { put: graph({ pb8: { b: 5 } }) }], ['A', '<', ok('{{?}}')],
                ['A', '>', get('g', 'pb8')], ['A', '<', found('g', { pb8: { b: 5 } })]],
        },
        {
            name: 'an id of null or "" is like none: the put is stored and acked',
            steps: [
                ['A', 'open'],
                ['A', '>', { '#': null, put: graph({ pb9: { b: 5 } }) }, { '#': '', put: graph({ pb9: { c: 6 } }) }],
                ['A', '<', ok('{{?}}'), ok('{{?}}')],
                ['A', '>', get('g', 'pb9')], ['A', '<', found('g', { pb9: { b: 5, c: 6 } })]],
        },
        {
            name: 'an answer nobody asked for is taken when HAM takes it, and is not acked (gun.js: acked)',
            steps: [['A', 'open'], ['A', '>', answer('p6_', 'nobody', { pc1: { b: 5 } })], ['A', '='],
                ['A', '>', get('g6', 'pc1')], ['A', '<', found('g6', { pc1: { b: 5 } })], ['A', '=']],
        },
        {
            name: 'an answer with ## is taken as well',
            steps: [['A', 'open'], ['A', '>', answer('w6_', 'zzz', { pc2: { rep: 1 } }, now, { '##': 5 })], ['A', '='],
                ['A', '>', get('g8_', 'pc2', 'rep')], ['A', '<', found('g8_', { pc2: { rep: 1 } })]],
        },
        {
            name: 'a put half new and half known stores the new half and gets one ok',
            steps: [['A', 'open'], ['A', '>', put('p1', { pc3: { a: 1, b: 2 } }, 1000)], ['A', '<', ok('p1')],
                ['A', '>', put('p7_', { pc3: { a: 1, b: 22, zz: 1 } }, { a: 1000, b: 1005, zz: 1000 })], ['A', '<', ok('p7_')],
                ['A', '='],
                ['A', '>', get('g', 'pc3')],
                ['A', '<', found('g', { pc3: { a: 1, b: 22, zz: 1 } }, { a: 1000, b: 1005, zz: 1000 })]],
        },
        {
            name: 'two puts in one frame get two acks',
            steps: [
                ['A', 'open'], ['A', '>', [put('p8_', { pc4: { d: 5 } }), put('p9_', { pc4: { e: 5 } })]],
                ['A', '<', ok('p8_'), ok('p9_')], ['A', '=']],
        },
        {
            name: 'an empty put {} changes nothing and is acked (gun.js: silence)',
            steps: [['A', 'open'], ['A', '>', raw('p10_', '{}')], ['A', '<', ok('p10_')], ['A', '=']],
        },
        {
            name: 'a node with only _ changes nothing and is acked (gun.js: silence)',
            steps: [
                ['A', 'open'], ['A', '>', raw('p11_', '{"pc5":{"_":{"#":"pc5",">":{}}}}')], ['A', '<', ok('p11_')], ['A', '='],
                ['A', '>', get('g', 'pc5')], ['A', '<', none('g')]],
        },
        {
            name: 'a message with put and get: the put first, then the get, one ack and one answer',
            steps: [['A', 'open'], ['A', '>', put('p12_', { pc6: { a: 1 } }, now, { get: { '#': 'pc6' } })],
                ['A', '<<', ok('p12_'), found('p12_', { pc6: { a: 1 } })], ['A', '=']],
        },
        {
            name: 'a message with put and get of something else: both are done',
            steps: [['A', 'open'], ['B', 'open'], ['A', '>', put('q12_', { pc7: { a: 1 } }, now, { get: { '#': 'pc7none' } })],
                ['A', '<<', ok('q12_'), none('q12_')], ['A', '='], ['B', '=']],
        },
        {
            name: 'a refused put with a get: one err, and the get is answered',
            steps: [
                ['A', 'open'], ['A', '>', `{"#":"q13_","put":{"pc8":{"_":{"#":"pc8",">":{"a":1}},"a":[]}},"get":{"#":"pc8"}}`],
                ['A', '<<', err('q13_', 'malformed'), none('q13_')], ['A', '=']],
        },
        {
            name: 'a get behind a put on one socket sees the put, before its ack',
            steps: [['A', 'open'], ['A', '>', put('w2_', { pc9: { a: 1 } }), get('k3_', 'pc9', 'a'), get('k4_', 'pc9')],
                ['A', '<<', ok('w2_'), found('k3_', { pc9: { a: 1 } }), found('k4_', { pc9: { a: 1 } })]],
        },
        {
            name: 'the form of a single triple {"#",".",":",">"} is no graph: one err (gun.js: silence)',
            steps: [
                ['A', 'open'], ['A', '>', raw('p13_', '{"#":"s11",".":"a",":":1,">":1795210816904}')],
                ['A', '<', err('p13_', 'malformed')], ['A', '='],
                ['A', '>', get('g', 's11')], ['A', '<', none('g')]],
        },
        {
            name: 'the author of a superseded write is sent the kept value, then ok (gun.js: silence)',
            steps: [['A', 'open'], ['B', 'open'], ['A', '>', put('w1', { pd1: { x: 'newer' } })], ['A', '<', ok('w1')],
                ['B', '>', put('w2', { pd1: { x: 'older' } }, '{{now-1000}}')],
                ['B', '<', update({ pd1: { x: 'newer' } }), ok('w2')], ['B', '='], ['A', '=']],
        },
        {
            name: 'who loses an equal-state tie is sent the kept value, then ok',
            steps: [['A', 'open'], ['B', 'open'], ['A', '>', put('w1', { pd2: { x: 'b' } }, 5000)], ['A', '<', ok('w1')],
                ['B', '>', put('w2', { pd2: { x: 'a' } }, 5000)], ['B', '<', update({ pd2: { x: 'b' } }, 5000), ok('w2')],
                ['B', '='], ['A', '=']],
        },
        {
            name: 'of several keys, only the superseded ones come back; one ok',
            steps: [['A', 'open'], ['B', 'open'], ['A', '>', put('w1', { pd3: { x: 1, y: 1 } }, 5000)], ['A', '<', ok('w1')],
                ['B', '>', put('w2', { pd3: { x: 2, y: 2, z: 2 } }, { x: 4000, y: 6000, z: 6000 })],
                ['B', '<', update({ pd3: { x: 1 } }, 5000), ok('w2')], ['A', '<', update({ pd3: { y: 2 } }, 6000)], ['B', '='],
                ['A', '=']],
        },
        {
            name: 'superseded keys of two souls come back, one ok',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', put('w1', { pd4: { x: 1 }, pd5: { x: 1 } }, 5000)],
                ['A', '<', ok('w1')],
                ['B', '>', put('w2', { pd4: { x: 2 }, pd5: { x: 2 } }, 4000)],
                ['do', async (c) => {
                    // One message or two: what counts is that both values are there before the ok.
                    const peer = c.peer('B');
                    const got = {};
                    for (;;) {
                        await peer.until(() => peer.inbox.length > 0, 'kept values');
                        const message = peer.inbox.shift();
                        if (message.put) Object.assign(got, message.put);
                        else { c.match(ok('w2'), message); break; }
                    }
                    c.match(graph({ pd4: { x: 1 }, pd5: { x: 1 } }, 5000), got);
                }], ['B', '=']],
        },
        {
            name: 'a writer hears later changes of the keys it wrote, though it never asked (gun.js: nothing)',
            steps: [['A', 'open'], ['B', 'open'], ['A', '>', put('w1', { pe1: { x: 1 } }, 5000)], ['A', '<', ok('w1')],
                ['B', '>', put('pe1w2', { pe1: { x: 2 } }, 5001)], ['B', '<', ok('pe1w2')],
                ['A', '<', update({ pe1: { x: 2 } }, 5001, 'pe1w2')], ['B', '='], ['A', '=']],
        },
        {
            name: 'a writer hears nothing of keys it did not write',
            steps: [['A', 'open'], ['B', 'open'], ['A', '>', put('w1', { pe2: { x: 1 } })], ['A', '<', ok('w1')],
                ['B', '>', put('w2', { pe2: { y: 2 } })], ['B', '<', ok('w2')], ['A', '='], ['B', '=']],
        },
        {
            name: 'a writer is not sent its own write, also when it asked for the soul (13.27; gun.js: echoed)',
            steps: [['A', 'open'], ['A', '>', get('g1', 'pe3')], ['A', '<', none('g1')],
                ['A', '>', put('w1', { pe3: { x: 1 } })], ['A', '<', ok('w1')], ['A', '=']],
        },
    ],
};
