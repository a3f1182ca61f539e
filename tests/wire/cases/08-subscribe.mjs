// Who hears of what (transcript 05; relay-rules 4, 5; design "author", "interest",
// "repeated ids"; protocol 13.3, 13.27).
import { hash_of } from '../../tools/signer.mjs';
import { answer, denied, found, get, keys, lex, none, ok, put, update } from '../lib/frames.mjs';

const chunk = hash_of('x');
const no = (id) => `{{/^(?!${id}$)./}}`; // any id but this one

export default {
    name: 'subscriptions',
    cases: [
        {
            name: 'who got a node hears of its changed keys and of new keys',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', put('a1', { s1: { a: 1 } }, 1000)], ['A', '<', ok('a1')],
                ['B', '>', get('gB1', 's1')], ['B', '<', found('gB1', { s1: { a: 1 } }, 1000)],
                ['A', '>', put('a2', { s1: { a: 2 } }, 1001)], ['A', '<', ok('a2')], ['B', '<', update({ s1: { a: 2 } }, 1001)],
                ['A', '>', put('a3', { s1: { b: 1 } }, 1001)], ['A', '<', ok('a3')], ['B', '<', update({ s1: { b: 1 } }, 1001)],
                ['A', '='], ['B', '=']],
        },
        {
            name: 'a stale write is told to nobody but its author',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', put('a1', { s2: { a: 1 } }, 1000)], ['A', '<', ok('a1')],
                ['B', '>', get('g', 's2')], ['B', '<', found('g', { s2: { a: 1 } }, 1000)],
                ['A', '>', put('a4', { s2: { a: 0 } }, 999)], ['A', '<', update({ s2: { a: 1 } }, 1000), ok('a4')], ['B', '='],
                ['A', '=']],
        },
        {
            name: 'three quick writes of one key: the last value arrives',
            steps: [['A', 'open'], ['B', 'open'], ['B', '>', get('g', 's3')], ['B', '<', none('g')],
                ['A', '>', put('a5', { s3: { a: 10 } }, 1020), put('a6', { s3: { a: 11 } }, 1021), put('a7', { s3: { a: 12 } }, 1022)],
                ['A', '<', ok('a5'), ok('a6'), ok('a7')],
                ['do', async (c) => {
                    await c.peer('B').fence();
                    const last = c.peer('B').inbox.at(-1)?.put?.s3?.a;
                    if (last !== 12) throw new Error(`the last value told is ${last}`);
                    c.peer('B').inbox.length = 0;
                }]],
        },
        {
            name: 'a put of three keys arrives in one message',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 's4')], ['B', '<', none('g')],
                ['A', '>', put('a11', { s4: { a: 30, b: 30, c: 30 } }, 1000)], ['A', '<', ok('a11')],
                ['B', '<', update({ s4: { a: 30, b: 30, c: 30 } }, 1000)], ['B', '=']],
        },
        {
            name: 'a put of 100 keys arrives in one message (gun.js: may split)',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 's5')], ['B', '<', none('g')],
                ['A', '>', put('a', { s5: keys(100) }, 1000)], ['A', '<', ok('a')], ['B', '<', update({ s5: keys(100) }, 1000)],
                ['B', '=']],
        },
        {
            name: 'a subscriber that writes is not echoed, others hear it, also who wrote before',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', put('a1', { s6: { a: 1 } }, 1000)], ['A', '<', ok('a1')],
                ['B', '>', get('g', 's6')], ['B', '<', found('g', { s6: { a: 1 } }, 1000)],
                ['B', '>', put('b12', { s6: { a: 40 } }, 1001)], ['B', '<', ok('b12')], ['B', '='],
                ['A', '<', update({ s6: { a: 40 } }, 1001)], ['A', '=']],
        },
        {
            name: 'a writer that never asked reaches the subscribers',
            steps: [
                ['B', 'open'], ['C', 'open'], ['B', '>', get('g', 's7')], ['B', '<', none('g')],
                ['C', '>', put('c13', { s7: { a: 50 } }, 1000)], ['C', '<', ok('c13')],
                ['B', '<', update({ s7: { a: 50 } }, 1000)], ['C', '=']],
        },
        {
            name: 'who asked in vain hears when it comes to be',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 's8')], ['B', '<', none('g')],
                ['A', '>', put('a14', { s8: { a: 1 } }, 1000)], ['A', '<', ok('a14')],
                ['B', '<', update({ s8: { a: 1 } }, 1000)]],
        },
        {
            name: 'who asked for a key hears of that key only',
            steps: [['A', 'open'], ['B', 'open'], ['B', '>', get('g', 's9', 'k')], ['B', '<', none('g')],
                ['A', '>', put('a15', { s9: { other: 1 } }, 1000)], ['A', '<', ok('a15')], ['B', '='],
                ['A', '>', put('a16', { s9: { k: 1 } }, 1000)], ['A', '<', ok('a16')],
                ['B', '<', update({ s9: { k: 1 } }, 1000)],
                ['A', '>', put('a17', { s9: { other: 2, k: 2 } }, 1001)], ['A', '<', ok('a17')],
                ['B', '<', update({ s9: { k: 2 } }, 1001)], ['B', '=']],
        },
        {
            name: 'who asked for two keys gets both in one message',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g1', 's10', 'k'), get('g2', 's10', 'l')],
                ['B', '<', none('g1'), none('g2')],
                ['A', '>', put('a', { s10: { k: 1, l: 2, m: 3 } }, 1000)], ['A', '<', ok('a')],
                ['B', '<', update({ s10: { k: 1, l: 2 } }, 1000)], ['B', '=']],
        },
        {
            name: 'who asked for a soul and for a key of it hears a change once',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g1', 's11'), get('g2', 's11', 'k')],
                ['B', '<', none('g1'), none('g2')], ['A', '>', put('a', { s11: { k: 1 } }, 1000)], ['A', '<', ok('a')],
                ['B', '<', update({ s11: { k: 1 } }, 1000)], ['B', '=']],
        },
        {
            name: 'a put of several souls: each listener hears what is his',
            steps: [
                ['A', 'open'], ['B', 'open'], ['C', 'open'], ['D', 'open'], ['B', '>', get('g', 's12a')], ['B', '<', none('g')],
                ['C', '>', get('g', 's12b')], ['C', '<', none('g')],
                ['A', '>', put('a', { s12a: { k: 1 }, s12b: { k: 2 }, s12c: { k: 3 } }, 1000)], ['A', '<', ok('a')],
                ['B', '<', update({ s12a: { k: 1 } }, 1000)], ['C', '<', update({ s12b: { k: 2 } }, 1000)], ['B', '='],
                ['C', '='], ['D', '=']],
        },
        {
            name: 'a put passed on whole keeps its id',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 's13')], ['B', '<', none('g')],
                ['A', '>', put('keepsId1', { s13: { a: 1, b: 2 } }, 1000)], ['A', '<', ok('keepsId1')],
                ['B', '<', update({ s13: { a: 1, b: 2 } }, 1000, 'keepsId1')]],
        },
        {
            name: 'a put passed on in part has a new id: a full copy on another path must not look like a duplicate',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 's14', 'a')], ['B', '<', none('g')],
                ['A', '>', put('cutsId1', { s14: { a: 1, b: 2 } }, 1000)], ['A', '<', ok('cutsId1')],
                ['B', '<', update({ s14: { a: 1 } }, 1000, no('cutsId1'))]],
        },
        {
            name: 'a put of which HAM took a part has a new id where it goes',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', put('a', { s15: { a: 1 } }, 1000)], ['A', '<', ok('a')],
                ['B', '>', get('g', 's15')], ['B', '<', found('g', { s15: { a: 1 } }, 1000)],
                ['A', '>', put('cutsId2', { s15: { a: 1, b: 2 } }, 1000)], ['A', '<', ok('cutsId2')],
                ['B', '<', update({ s15: { b: 2 } }, 1000, no('cutsId2'))]],
        },
        {
            name: 'a writer that uses an id again does not silence its own update: the second has a new id (a client drops an id it has seen)',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 's16')], ['B', '<', none('g')],
                ['A', '>', put('again1', { s16: { a: 1 } }, 1000)], ['A', '<', ok('again1')],
                ['B', '<', update({ s16: { a: 1 } }, 1000, 'again1')],
                ['A', '>', put('again1', { s16: { a: 2 } }, 1001)], ['A', '<', ok('again1')],
                ['B', '<', update({ s16: { a: 2 } }, 1001, no('again1'))]],
        },
        {
            name: 'an update is {"#","put"}: ok, ><, ##, FOO, %, err and unknown fields of the author do not leave',
            steps: [['A', 'open'], ['B', 'open'], ['B', '>', get('g', 's17')], ['B', '<', none('g')],
                ['A', '>', { ...put('a19', { s17: { k: 7 } }, 1000), '><': 'pidB,pidC', ok: { '@': 9, '/': 1 }, FOO: 1, '%': 'x', err: 'e', token: 'secret', DBG: 1, '##': 5 }],
                ['A', '<', ok('a19')],
                ['do', async (c) => {
                    const peer = c.peer('B');
                    await peer.until(() => peer.inbox.length > 0, 'the update');
                    const fields = Object.keys(peer.inbox.shift()).sort().join();
                    if (fields !== '#,put') throw new Error(fields);
                }]],
        },
        {
            name: '"><" of a client that names a listener does not keep the update from him',
            steps: [
                ['A', 'open'], ['B', 'open', { pid: 'pidB18' }], ['B', '>', get('g', 's18')], ['B', '<', none('g')],
                ['A', '>', { ...put('a', { s18: { k: 1 } }, 1000), '><': 'pidB18' }], ['A', '<', ok('a')],
                ['B', '<', update({ s18: { k: 1 } }, 1000)]],
        },
        {
            name: 'nobody listens to who has left: the next one hears all changes (13.3; gun.js: swallows them)',
            steps: [['A', 'open'], ['D', 'open'], ['D', '>', get('gD1', 't1')], ['D', '<', none('gD1')], ['D', 'close'],
                ['A', '>', put('a31', { t1: { k: 1 } }, 1000)], ['A', '<', ok('a31')],
                ['A', '>', put('a32', { t1: { k: 2 } }, 1001)], ['A', '<', ok('a32')],
                ['E', 'open'], ['E', '>', get('gE1', 't1')], ['E', '<', found('gE1', { t1: { k: 2 } }, 1001)],
                ['A', '>', put('a33', { t1: { k: 3 } }, 1002)], ['A', '<', ok('a33')],
                ['E', '<', update({ t1: { k: 3 } }, 1002)], ['A', '>', put('a34', { t1: { k: 4 } }, 1003)],
                ['A', '<', ok('a34')], ['E', '<', update({ t1: { k: 4 } }, 1003)],
                ['A', '>', put('a35', { t1: { j: 1 } }, 1004)], ['A', '<', ok('a35')],
                ['E', '<', update({ t1: { j: 1 } }, 1004)], ['A', '>', put('a36', { t1: { k: 5 } }, 1005)],
                ['A', '<', ok('a36')], ['E', '<', update({ t1: { k: 5 } }, 1005)]],
        },
        {
            name: 'a connection without a get hears nothing, also with the pid of one that had asked',
            steps: [
                ['A', 'open'], ['B', 'open', { pid: 'pidB20' }], ['B', '>', get('g', 's20')], ['B', '<', none('g')],
                ['B', 'close'], ['C', 'open', { pid: 'pidB20' }], ['C', '='],
                ['A', '>', put('a25', { s20: { a: 70 } }, 1000)], ['A', '<', ok('a25')], ['C', '=']],
        },
        {
            name: 'a link is told as it is',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 's21')], ['B', '<', none('g')],
                ['A', '>', put('a38', { s21: { l: { '#': 's2' } } }, 1000)], ['A', '<', ok('a38')],
                ['B', '<', update({ s21: { l: { '#': 's2' } } }, 1000)]],
        },
        {
            name: 'a value of 20 KB, and one of 2 MB, are told',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 's22')], ['B', '<', none('g')],
                ['A', '>', put('a39', { s22: { big: 'x'.repeat(20_000) } }, 1000), put('a40', { s22: { huge: 'y'.repeat(2_000_000) } }, 1000)],
                ['A', '<', ok('a39'), ok('a40')],
                ['B', '<', update({ s22: { big: 'x'.repeat(20_000) } }, 1000), update({ s22: { huge: 'y'.repeat(2_000_000) } }, 1000)]],
        },
        {
            name: 'what changes nothing goes nowhere, whoever says it',
            steps: [
                ['A', 'open'], ['B', 'open'], ['C', 'open'], ['A', '>', put('a', { s23: { k: 1 } }, 1000)], ['A', '<', ok('a')],
                ['B', '>', get('g', 's23')], ['B', '<', found('g', { s23: { k: 1 } }, 1000)],
                ['A', '>', put('a2', { s23: { k: 1 } }, 1000)], ['A', '<', ok('a2')],
                ['C', '>', put('c', { s23: { k: 1 } }, 1000)], ['C', '<', ok('c')],
                ['C', '>', answer('c2', 'zz', { s23: { k: 1 } }, 1000)], ['C', '='], ['B', '='], ['A', '=']],
        },
        {
            name: 'who wrote a key in a put equal to what is kept is subscribed to it as well',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', put('a', { s24: { k: 1 } }, 1000)], ['A', '<', ok('a')],
                ['B', '>', put('b', { s24: { k: 1 } }, 1000)], ['B', '<', ok('b')],
                ['A', '>', put('a2', { s24: { k: 2 } }, 1001)], ['A', '<', ok('a2')],
                ['B', '<', update({ s24: { k: 2 } }, 1001)]],
        },
        {
            name: 'who lost with a stale write is subscribed to that key as well',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', put('a', { s25: { k: 1 } }, 1000)], ['A', '<', ok('a')],
                ['B', '>', put('b', { s25: { k: 0 } }, 900)], ['B', '<', update({ s25: { k: 1 } }, 1000), ok('b')],
                ['A', '>', put('a2', { s25: { k: 2 } }, 1001)], ['A', '<', ok('a2')],
                ['B', '<', update({ s25: { k: 2 } }, 1001)]],
        },
        {
            name: 'two writers of one key hear each other, back and forth',
            steps: [['A', 'open'], ['B', 'open'], ['A', '>', put('w1', { s26: { k: 1 } }, 1000)], ['A', '<', ok('w1')],
                ['B', '>', put('w2', { s26: { k: 2 } }, 1001)], ['B', '<', ok('w2')],
                ['A', '<', update({ s26: { k: 2 } }, 1001)], ['A', '>', put('w3', { s26: { k: 3 } }, 1002)],
                ['A', '<', ok('w3')], ['B', '<', update({ s26: { k: 3 } }, 1002)],
                ['B', '>', put('w4', { s26: { k: 4 } }, 1003)], ['B', '<', ok('w4')],
                ['A', '<', update({ s26: { k: 4 } }, 1003)], ['A', '='], ['B', '=']],
        },
        {
            name: 'a hundred listeners hear one write once each',
            steps: [
                ['A', 'open'],
                ...Array.from({ length: 100 }, (_, i) => [[`L${i}`, 'open'], [`L${i}`, '>', get(`hl${i}`, 's27')], [`L${i}`, '<', none(`hl${i}`)]]).flat(),
                ['A', '>', put('fan', { s27: { k: 1 } }, 1000)], ['A', '<', ok('fan')],
                ...Array.from({ length: 100 }, (_, i) => [[`L${i}`, '<', update({ s27: { k: 1 } }, 1000)], [`L${i}`, '=']]).flat()],
        },
        {
            name: 'a content-hash key that was found is not subscribed: it never changes',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', put('a', { 'img#': { [chunk]: 'x' } }, 1000)], ['A', '<', ok('a')],
                ['B', '>', get('g', 'img#', chunk)], ['B', '<', found('g', { 'img#': { [chunk]: 'x' } }, 1000)],
                ['A', '>', put('a2', { 'img#': { [chunk]: 'y' } }, 1001)], ['A', '<', denied('a2', 'Data hash not same as hash!', 'img#', chunk)],
                ['A', '>', put('a3', { 'img#': { [chunk]: 'x' } }, 1002)], ['A', '<', ok('a3')], ['B', '=']],
        },
        {
            name: 'a lexical and a whole get of one soul give one subscription',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', lex('g1', 's28', { '*': 'a' }), get('g2', 's28')],
                ['B', '<', none('g1'), none('g2')], ['A', '>', put('a', { s28: { abc: 1 } }, 1000)], ['A', '<', ok('a')],
                ['B', '<', update({ s28: { abc: 1 } }, 1000)], ['B', '=']],
        },
        {
            name: 'a live update and the end of an answer come in an order that ends with the newest value',
            steps: [['A', 'open'], ['B', 'open'], ['A', '>', put('a', { s29: { k: 0 } }, 1000)], ['A', '<', ok('a')],
                ['B', '>', get('g', 's29')],
                ['A', '>', ...Array.from({ length: 50 }, (_, i) => put(`u${i}`, { s29: { k: i + 1 } }, 1001 + i))],
                ['A', '<', ...Array.from({ length: 50 }, (_, i) => ok(`u${i}`))],
                ['do', async (c) => {
                    const peer = c.peer('B');
                    await peer.fence();
                    let best;
                    for (const { put: told } of peer.inbox.splice(0)) {
                        const state = told.s29._['>'].k;
                        if (best === undefined || state >= best) best = state;
                        else throw new Error(`state ${state} came behind ${best}`);
                    }
                    if (best !== 1050) throw new Error(`the newest state told is ${best}`);
                }]],
        },
    ],
};
