// Lexical gets: ranges, pages, souls by prefix, order (transcripts 04, 04b, 04c,
// 13; protocol 4.1, 4.4, 5; design "lex").
import { err, found, get, keys, lex, none, ok, put, update } from '../lib/frames.mjs';

const thirty = keys(30, 'k', (i) => `v${i}`);
let next = 0;

const between = (from, to) => Object.fromEntries(Object.entries(thirty).filter(([k]) => k >= from && k <= to));

// A query over the keys of the 30-key node, and the keys that are found.
function query(what, q, expected, { limit, cut, beside } = {}) {
    const soul = `x${next++}`;
    const frame = lex('q', soul, q, limit);
    if (q === undefined) delete frame.get['.'];
    Object.assign(frame.get, beside);
    const more = cut ? { '%': 1 } : {};
    return {
        name: `keys by ${what}`,
        steps: [
            ['W', 'open'], ['W', '>', put('w', { [soul]: thirty }, 1000)], ['W', '<', ok('w')], ['W', 'close'], ['A', 'open'],
            ['A', '>', frame],
            ['A', '<', Object.keys(expected).length === 0 ? none('q') : found('q', { [soul]: expected }, 1000, more)],
            ['A', '=']],
    };
}

// How "%" counts: strings by their units, everything else (also "") as 9; a key
// is added while the sum before it is below the limit.
const mixed = { a: '12345', b: '', c: 1, d: true, e: null, f: { '#': 'x' }, g: 'xyz', h: 2 };
function page(limit, last) {
    const soul = `u${next++}`;
    const expected = Object.fromEntries(Object.entries(mixed).filter(([k]) => k <= last));
    return {
        name: `"%" of ${limit} units gives keys up to ${last}${last === 'h' ? '' : ', and says "%":1'}`,
        steps: [
            ['A', 'open'], ['A', '>', put('w', { [soul]: mixed }, 1000)], ['A', '<', ok('w')],
            ['A', '>', lex('q', soul, { '*': '' }, limit)],
            ['A', '<', found('q', { [soul]: expected }, 1000, last === 'h' ? {} : { '%': 1 })], ['A', '=']],
    };
}

const users = { 'user/alice': { name: 'alice', age: 1 }, 'user/bob': { name: 'bob', age: 2 }, 'user/carol': { name: 'carol', age: 3 } };
const only = (...names) => Object.fromEntries(names.map((n) => [`user/${n}`, users[`user/${n}`]]));
function souls(what, q, expected, limit, cut) {
    const frame = { '#': 'q', get: { '#': q, ...(limit === undefined ? {} : { '%': limit }) } };
    return {
        name: `souls by ${what}`,
        steps: [
            ['W', 'open'], ['W', '>', put('w', { ...users, 'use': { k: 1 }, 'userx': { k: 1 } }, 1000)], ['W', '<', ok('w')],
            ['W', 'close'], ['A', 'open'], ['A', '>', frame],
            ['A', '<', Object.keys(expected).length === 0 ? none('q') : found('q', expected, 1000, cut ? { '%': 1 } : {})],
            ['A', '=']],
    };
}

// Order by UTF-16 unit: astral characters stand below U+E000.
const names = ['\x01', ' ', '!', '-', '0', '00', '1', '10', '2', '9', 'A', 'B', 'Z', '^', '__', 'a', 'aa', 'b', 'z', '~', '\x7f', 'é', '€', '\ud7ff', '\u{10000}', '😀', '\ue000', '\uffff'];
const ones = (list) => Object.fromEntries(list.map((n) => [n, 1]));
function ordered(what, q, expected, limit) {
    const soul = `o${next++}`;
    const cut = limit !== undefined;
    return {
        name: `order: ${what}`,
        steps: [
            ['A', 'open'], ['A', '>', put('w', { [soul]: ones(names) }, 1000)], ['A', '<', ok('w')],
            ['A', '>', lex('q', soul, q, limit)],
            ['A', '<', found('q', { [soul]: ones(expected) }, 1000, cut ? { '%': 1 } : {})], ['A', '=']],
    };
}

// Pages until an answer is not cut: each begins right behind the last key.
async function walkPages(c, soul, limit, expected) {
    const peer = c.peer('A');
    const got = [];
    let from = '';
    for (let n = 0; ; n++) {
        peer.send(JSON.stringify(lex(`page${n}`, soul, { '>': from }, limit)));
        let last;
        for (let more = true; more;) {
            await peer.until(() => peer.inbox.length > 0, `page ${n}`, 30_000);
            const message = peer.inbox.shift();
            const page = Object.keys(message.put?.[soul] ?? {}).filter((k) => k !== '_').sort((a, b) => (a < b ? -1 : 1));
            got.push(...page);
            last = page.at(-1) ?? last;
            if (message['%'] === 1) break;
            more = false;
            if (got.length >= expected.length || page.length === 0) {
                if (JSON.stringify(got) !== JSON.stringify(expected)) throw new Error(`${got.length} keys in ${n + 1} pages are not the ${expected.length}`);
                return;
            }
        }
        from = `${last}\0`;
    }
}

const refusesList = (q) => ({
    name: `souls by ${JSON.stringify(q)}, all there are: nothing without --list-souls (gun.js: the whole store)`,
    steps: [
        ['A', 'open'], ['A', '>', put('w', { someone: { k: 1 } }, 1000)], ['A', '<', ok('w')],
        ['A', '>', { '#': 'q', get: { '#': q, '%': 300 } }],
        ['A', '<', { '#': '{{?}}', '@': 'q', 'err??': '{{?}}' }], ['A', '=']],
});

export default {
    name: 'lexical gets',
    cases: [
        query('prefix {"*":"k1"}, all of them without "%" (gun.js: one)', { '*': 'k1' }, between('k10', 'k19')),
        query('prefix {"*":"k1"} "%" 50', { '*': 'k1' }, between('k10', 'k19'), { limit: 50 }),
        query('empty prefix {"*":""}, all of them', { '*': '' }, thirty),
        query('prefix {"*":"k"} "%" 100000', { '*': 'k' }, thirty, { limit: 100_000 }),
        query('prefix {"*":"k"} "%" 1000000 (gun.js: above 100,000 one key)', { '*': 'k' }, thirty, { limit: 1_000_000 }),
        query('exact name {"=":"k05"}', { '=': 'k05' }, between('k05', 'k05')),
        query('exact name that is not there', { '=': 'k5' }, {}),
        query('range {">":"k05","<":"k08"}, both ends in it, without "%"', { '>': 'k05', '<': 'k08' }, between('k05', 'k08')),
        query('range {">":"k05","<":"k08"} "%" 1000', { '>': 'k05', '<': 'k08' }, between('k05', 'k08'), { limit: 1000 }),
        query('{">":"k27"}', { '>': 'k27' }, between('k27', 'k29'), { limit: 1000 }),
        query('{"<":"k02"}', { '<': 'k02' }, between('k00', 'k02'), { limit: 1000 }),
        query('a range between names that are not there', { '>': 'k045', '<': 'k075' }, between('k05', 'k07')),
        query('a range that is empty', { '>': 'k08', '<': 'k05' }, {}),
        query('a prefix with bounds: they are compared with what follows it, {"*":"k1",">":"k15"} finds nothing', { '*': 'k1', '>': 'k15' }, {}, { limit: 1000 }),
        query('a prefix with bounds: {"*":"k1",">":"5"}', { '*': 'k1', '>': '5' }, between('k15', 'k19'), { limit: 1000 }),
        query('a prefix with bounds: {"*":"k1",">":"3","<":"5"}', { '*': 'k1', '>': '3', '<': '5' }, between('k13', 'k15'), { limit: 1000 }),
        query('{"*":"k","-":1} "%" 60: from the end backwards, cut', { '*': 'k', '-': 1 }, between('k10', 'k29'), { limit: 60, cut: true }),
        query('{"-":1} alone: all', { '-': 1 }, thirty),
        query('{"-":1,"<":"k10"} "%" 60: backwards from a bound', { '-': 1, '<': 'k10' }, between('k00', 'k10'), { limit: 60 }),
        query('{"-":1,">":"k10"} "%" 9: backwards down to a bound, cut', { '-': 1, '>': 'k10' }, between('k27', 'k29'), { limit: 9, cut: true }),
        query('{}: all', {}, thirty),
        query('the whole node with "%" 60: cut', undefined, between('k00', 'k23'), { limit: 60, cut: true }),
        query('the whole node with "-":1 and "%" 60: the end, cut', undefined, between('k10', 'k29'), { limit: 60, cut: true, beside: { '-': 1 } }),
        query('a prefix with "-":1 beside "#"', { '*': 'k' }, between('k28', 'k29'), { limit: 6, cut: true, beside: { '-': 1 } }),
        query('a prefix that nothing has', { '*': 'q' }, {}, { limit: 100 }),
        query('a prefix as long as a name', { '*': 'k07' }, between('k07', 'k07')),
        query('a prefix longer than every name', { '*': 'k07x' }, {}),

        page(1, 'a'), page(5, 'a'), page(6, 'b'), page(14, 'b'), page(15, 'c'), page(23, 'c'), page(24, 'd'), page(32, 'd'), page(41, 'e'), page(50, 'f'), page(53, 'g'), page(54, 'h'), page(1000, 'h'),
        {
            name: 'a lexical get as an app writes it: get("chat").get({".":{"*":"2024"},"%":5000})',
            steps: [
                ['A', 'open'], ['A', '>', put('w', { chat: { '2024-1': 'm1', '2024-2': 'm2', '2025-1': 'm3' } }, 1000)],
                ['A', '<', ok('w')], ['A', '>', { get: { '.': { '*': '2024' }, '%': 5000, '#': 'chat' }, '#': '50mdMIN3K' }],
                ['A', '<', found('50mdMIN3K', { chat: { '2024-1': 'm1', '2024-2': 'm2' } }, 1000)], ['A', '=']],
        },
        {
            name: 'a lexical get behind a whole read is answered (13.10; gun.js: silence)',
            steps: [
                ['A', 'open'], ['A', '>', put('w', { wl: thirty }, 1000)], ['A', '<', ok('w')], ['A', '>', get('g1_', 'wl')],
                ['A', '<', found('g1_', { wl: thirty }, 1000)],
                ['A', '>', lex('l2_', 'wl', { '*': 'k1' }, 1000)],
                ['A', '<', found('l2_', { wl: between('k10', 'k19') }, 1000)], ['A', '=']],
        },
        {
            name: 'a lexical get sees what is not yet on disk',
            steps: [
                ['A', 'open'], ['A', '>', put('w', { wm: thirty }, 1000), lex('l0_', 'wm', { '*': 'k1' }, 1000)],
                ['A', '<<', ok('w'), found('l0_', { wm: between('k10', 'k19') }, 1000)]],
        },
        {
            name: 'a lexical get subscribes to the whole soul, as in gun.js',
            steps: [['A', 'open'], ['B', 'open'], ['B', '>', lex('gB5', 'wn', { '*': 'k' })], ['B', '<', none('gB5')],
                ['A', '>', put('p1', { wn: { k1: 1, z: 1 } }, 1000)], ['A', '<', ok('p1')],
                ['B', '<', update({ wn: { k1: 1, z: 1 } }, 1000)]],
        },

        souls('prefix {"*":"user/"}: whole nodes, without "%" (gun.js: one key of one)', { '*': 'user/' }, users),
        souls('prefix "%" 1000', { '*': 'user/' }, users, 1000),
        souls('prefix "%" 1: one key, cut', { '*': 'user/' }, { 'user/alice': { age: 1 } }, 1, true),
        souls('exact name {"=":"user/bob"}', { '=': 'user/bob' }, only('bob')),
        souls('range {">":"user/a","<":"user/c"} (13.7; gun.js: souls named "undefined...")', { '>': 'user/a', '<': 'user/c' }, only('alice', 'bob'), 1000),
        souls('range with both ends in it', { '>': 'user/alice', '<': 'user/bob' }, only('alice', 'bob')),
        souls('prefix backwards', { '*': 'user/', '-': 1 }, users, 1000),
        souls('prefix with a bound', { '*': 'user/', '>': 'b' }, only('bob', 'carol'), 1000),
        souls('prefix that nothing has', { '*': 'nobody/' }, {}),
        souls('exact name that is not there', { '=': 'user/' }, {}),
        {
            name: 'souls by prefix with ".": the key is not looked at, whole nodes come, as in gun.js',
            steps: [
                ['W', 'open'], ['W', '>', put('w', users, 1000)], ['W', '<', ok('w')], ['A', 'open'],
                ['A', '>', { '#': 'q', get: { '#': { '*': 'user/' }, '.': 'name', '%': 1000 } }],
                ['A', '<', found('q', users, 1000)]],
        },
        {
            name: 'a soul query does not subscribe, as in gun.js',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', { '#': 'q', get: { '#': { '*': 'room/' } } }], ['B', '<', none('q')],
                ['A', '>', put('p', { 'room/1': { k1: 1 } }, 1000)], ['A', '<', ok('p')], ['B', '=']],
        },
        {
            name: 'souls by prefix in UTF-16 order',
            steps: [
                ['A', 'open'],
                ['A', '>', put('w', { 's/a': { k: 1 }, 's/B': { k: 1 }, 's/é': { k: 1 }, 's/😀': { k: 1 }, 's/\ue000': { k: 1 }, 's/10': { k: 1 }, 's/9': { k: 1 } }, 1000)],
                ['A', '<', ok('w')],
                ['A', '>', { '#': 'q1', get: { '#': { '*': 's/', '-': 1 }, '%': 10 } }, { '#': 'q2', get: { '#': { '*': 's/' }, '%': 20 } }],
                ['A', '<', found('q1', { 's/\ue000': { k: 1 }, 's/😀': { k: 1 } }, 1000, { '%': 1 }), found('q2', { 's/10': { k: 1 }, 's/9': { k: 1 }, 's/B': { k: 1 } }, 1000, { '%': 1 })]],
        },
        refusesList({ '*': '' }), refusesList({}), refusesList({ '-': 1 }), refusesList({ '>': '' }),
        {
            name: 'with --list-souls, {"*":""} lists what there is',
            server: { args: ['--list-souls'] },
            steps: [
                ['A', 'open'], ['A', '>', put('w', users, 1000)], ['A', '<', ok('w')],
                ['A', '>', { '#': 'q', get: { '#': { '*': '' }, '%': 10_000 } }],
                ['A', '<', { '#': '{{?}}', '@': 'q', put: { ...found('q', users, 1000).put, fence: { _: { '#': 'fence', '>': { k: 1 } }, k: 1 } } }]],
        },
        {
            name: 'a soul query gives 1,000 souls at the most and says "%":1',
            steps: [
                ['A', 'open'],
                ['A', '>', put('w', Object.fromEntries(Array.from({ length: 1005 }, (_, i) => [`many/${String(i).padStart(4, '0')}`, { k: 1 }])), 1000)],
                ['A', '<', ok('w')],
                ['A', '>', { '#': 'q', get: { '#': { '*': 'many/' }, '%': 1_000_000 } }],
                ['do', async (c) => {
                    const peer = c.peer('A');
                    const got = [];
                    for (let cut = false; !cut;) {
                        await peer.until(() => peer.inbox.length > 0, 'souls');
                        const message = peer.inbox.shift();
                        got.push(...Object.keys(message.put));
                        cut = message['%'] === 1;
                    }
                    if (got.length !== 1000 || got[0] !== 'many/0000' || got.at(-1) !== 'many/0999') throw new Error(`${got.length} souls, ${got[0]} to ${got.at(-1)}`);
                }], ['A', '=']],
        },

        ordered('forward, 30 units', { '*': '' }, names.slice(0, 4), 30),
        ordered('backwards, 30 units: U+FFFF, U+E000, then the astral ones', { '*': '', '-': 1 }, names.slice(-4), 30),
        ordered('from é on', { '>': 'é' }, names.slice(names.indexOf('é'))),
        ordered('from € to U+E000: the astral keys lie between', { '>': '€', '<': '\ue000' }, names.slice(names.indexOf('€'), -1)),
        ordered('prefix of a lead surrogate finds the astral keys of it', { '*': '\ud83d' }, ['😀']),
        ordered('10 stands below 9', { '>': '1', '<': '2' }, ['1', '10', '2']),
        {
            name: 'pages of 100 units over 60 keys hold every key once, in order (13.8)',
            steps: [
                ['A', 'open'], ['A', '>', put('w', { pg: keys(60, 'k', (i) => `value number ${i}`) }, 1000)],
                ['A', '<', ok('w')], ['do', (c) => walkPages(c, 'pg', 100, Object.keys(keys(60)))]],
        },
        {
            name: 'ranges and reverse pages are right over a node of any size (13.8; gun.js: not over several files)',
            steps: [
                ['A', 'open'], ['A', '>', put('w', { ml: keys(3000, 'n', (i) => String(i).padStart(1000, '.')) }, 1000)],
                ['A', '<', ok('w')],
                ['A', '>', lex('q1', 'ml', { '>': 'n2995' }), lex('q2', 'ml', { '*': 'n', '-': 1 }, 2500), lex('q3', 'ml', { '>': 'n1500', '<': 'n1502' })],
                ['A', '<', found('q1', { ml: Object.fromEntries(Object.entries(keys(3000, 'n', (i) => String(i).padStart(1000, '.'))).filter(([k]) => k >= 'n2995')) }, 1000),
                    found('q2', { ml: Object.fromEntries(['n999', 'n998', 'n997'].map((k) => [k, k.slice(1).padStart(1000, '.')])) }, 1000, { '%': 1 }),
                    found('q3', { ml: Object.fromEntries([1500, 1501, 1502].map((i) => [`n${i}`, String(i).padStart(1000, '.')])) }, 1000)]],
        },
        {
            name: 'a lexical answer has 10,000 keys at the most, says "%":1, and the next page begins behind its last key',
            steps: [
                ['A', 'open'],
                ['A', '>', put('w', { tt: Object.fromEntries(Array.from({ length: 10_010 }, (_, i) => [`k${String(i).padStart(5, '0')}`, i])) }, 1000)],
                ['A', '<', ok('w')],
                ['A', '>', lex('q', 'tt', { '*': '' }, 10_000_000)],
                ['do', async (c) => {
                    const peer = c.peer('A');
                    let count = 0;
                    for (let cut = false; !cut;) {
                        await peer.until(() => peer.inbox.length > 0, 'keys', 30_000);
                        const message = peer.inbox.shift();
                        count += Object.keys(message.put.tt).length - 1;
                        cut = message['%'] === 1;
                    }
                    if (count !== 10_000) throw new Error(`${count} keys`);
                }],
                ['do', (c) => walkPages(c, 'tt', 10_000_000, Array.from({ length: 10_010 }, (_, i) => `k${String(i).padStart(5, '0')}`))]],
        },
        {
            name: 'a whole get is no lexical one: 10,010 keys come without a cut',
            steps: [
                ['A', 'open'],
                ['A', '>', put('w', { tw: Object.fromEntries(Array.from({ length: 10_010 }, (_, i) => [`k${i}`, i])) }, 1000)],
                ['A', '<', ok('w')], ['A', '>', get('g', 'tw')],
                ['do', async (c) => {
                    const peer = c.peer('A');
                    for (let count = 0; count < 10_010;) {
                        await peer.until(() => peer.inbox.length > 0, 'keys', 30_000);
                        const message = peer.inbox.shift();
                        if (message['%'] !== undefined) throw new Error('a cut');
                        count += Object.keys(message.put.tw).length - 1;
                    }
                }], ['A', '=']],
        },
        {
            name: 'a prefix of 40 KB with bounds of 40 KB is answered or refused, never worse',
            steps: [
                ['A', 'open'],
                ['A', '>', lex('q', 'lp', { '*': 'p'.repeat(40_000), '>': 'f'.repeat(40_000), '<': 't'.repeat(40_000) })],
                ['A', '<', { '#': '{{?}}', '@': 'q', 'err??': '{{limit:}}' }]],
        },
        {
            name: 'a refused query is one err',
            steps: [
                ['A', 'open'], ['A', '>', { '#': 'q', get: { '#': { '*': 'p'.repeat(70_000) } } }],
                ['A', '<', err('q', 'limit')], ['A', '=']],
        },
    ],
};
