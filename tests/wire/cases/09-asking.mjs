// What is asked of clients: on a miss (transcripts 05b, 06; relay-rules 9; design
// "miss"), and back for their edits (transcript 10; relay-rules 7, 8; design
// "offline edits", "author").
import { answer, ask, err, found, get, keys, lex, none, ok, put, update } from '../lib/frames.mjs';
import { hash } from '../lib/invariant.mjs';

const asks = (id, soul, key) => ({ '#': id, get: key === undefined ? { '#': soul } : { '#': soul, '.': key } });
const asksHashed = (soul) => ({ '#': '{{?}}', '##': '{{askhash}}', get: { '#': soul } });

// The ask-back's ## is the hash of the put that went out just before it.
const hashesReply = (id) => ['do', (c) => {
    const all = c.peer('A').frames.filter(([way]) => way === '<').flatMap(([, text]) => JSON.parse(text));
    const reply = all.find((m) => m['@'] === id);
    if (hash(reply.put) !== c.bound.get('askhash')) throw new Error(`## ${c.bound.get('askhash')} is not the hash of the reply, ${hash(reply.put)}`);
}];

const node = (soul, n) => [['W', 'open'], ['W', '>', put(`w${soul}`, { [soul]: keys(n) }, 1000)], ['W', '<', ok(`w${soul}`)], ['W', 'close'], ['A', 'open']];

const turn = ['wait', 150, 'others are asked a few per turn of 25 ms'];

export default {
    name: 'asking clients',
    cases: [
        // --- a miss
        {
            name: 'a get that finds nothing is answered at once, and passed on to the others with its id',
            steps: [
                ['A', 'open'], ['B', 'open'], ['C', 'open'], ['A', '>', get('miss1', 'm1')], ['A', '<', none('miss1')],
                ['B', '<ask', asks('miss1', 'm1')], ['C', '<ask', asks('miss1', 'm1')]],
        },
        {
            name: 'a missing key is passed on as a key, a query as a query',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', get('miss2', 'm2', 'k')], ['A', '<', none('miss2')],
                ['B', '<ask', asks('miss2', 'm2', 'k')],
                ['A', '>', lex('miss2b', 'm2b', { '*': 'x', '-': 1 }, 500)], ['A', '<', none('miss2b')],
                ['B', '<ask', { '#': 'miss2b', get: { '#': 'm2b', '.': { '*': 'x', '-': 1 }, '%??': 500 } }]],
        },
        {
            name: 'a get that finds something is not passed on (13.25)',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', put('p', { m3: { a: 1 } }, 1000)], ['A', '<', ok('p')],
                ['A', '>', get('hit3', 'm3'), get('hit3b', 'm3', 'a')],
                ['A', '<', found('hit3', { m3: { a: 1 } }, 1000), found('hit3b', { m3: { a: 1 } }, 1000)], turn, ['B', '=ask']],
        },
        {
            name: 'a peer\'s data for a miss reaches the asker with "@", is kept, and is not acked',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', get('miss4', 'm4')], ['A', '<', none('miss4')],
                ['B', '<ask', asks('miss4', 'm4')], ['B', '>', answer('r4', 'miss4', { m4: { a: 1 } }, 1000)],
                ['A', '<', found('miss4', { m4: { a: 1 } }, 1000)], ['B', '='], ['C', 'open'], ['C', '>', get('g', 'm4')],
                ['C', '<', found('g', { m4: { a: 1 } }, 1000)]],
        },
        {
            name: 'the answer goes to other listeners as well, without "@"',
            steps: [
                ['A', 'open'], ['B', 'open'], ['D', 'open'], ['D', '>', get('d5', 'm5')], ['D', '<', none('d5')],
                ['A', '>', get('miss5', 'm5')], ['A', '<', none('miss5')],
                ['B', '<ask', { '#': '{{id}}', get: { '#': 'm5' } }],
                ['B', '>', answer('r5', '{{id}}', { m5: { a: 1 } }, 1000)],
                ['D', '<', { '#': '{{?}}', '@??': 'd5', put: update({ m5: { a: 1 } }, 1000).put }],
                ['A', '<', { '#': '{{?}}', '@??': 'miss5', put: update({ m5: { a: 1 } }, 1000).put }], ['A', '='], ['D', '=']],
        },
        {
            name: 'a second answer with the same data goes nowhere, one with newer data goes on',
            steps: [
                ['A', 'open'], ['B', 'open'], ['C', 'open'], ['A', '>', get('miss6', 'm6')], ['A', '<', none('miss6')],
                ['B', '<ask', asks('miss6', 'm6')], ['C', '<ask', asks('miss6', 'm6')],
                ['B', '>', answer('d2', 'miss6', { m6: { a: 1 } }, 1000, { '##': 4242 })],
                ['A', '<', found('miss6', { m6: { a: 1 } }, 1000)],
                ['C', '>', answer('d4', 'miss6', { m6: { a: 1 } }, 1000, { '##': 4242 })], ['C', '='], ['A', '='],
                ['C', '>', answer('d5', 'miss6', { m6: { a: 2 } }, 2000)],
                ['A', '<', { '#': '{{?}}', '@??': 'miss6', put: update({ m6: { a: 2 } }, 2000).put }],
                ['B', '<', update({ m6: { a: 2 } }, 2000)]], // who answered with a key holds it, and hears of it

        },
        {
            name: 'an answer in two parts arrives in both its parts',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', get('miss7', 'm7')], ['A', '<', none('miss7')],
                ['B', '<ask', asks('miss7', 'm7')],
                ['B', '>', answer('e1', 'miss7', { m7: { a: 1 } }, 1000, { '##': 1, '%': 'e2' }), answer('e2', 'miss7', { m7: { b: 1 } }, 1000, { '##': 2 })],
                ['A', '<', { '#': '{{?}}', '@': 'miss7', '%??': '{{?}}', put: update({ m7: { a: 1 } }, 1000).put }, { '#': '{{?}}', '@': 'miss7', put: update({ m7: { b: 1 } }, 1000).put }]],
        },
        {
            name: 'bare answers, empty nodes and errors of clients are not passed on (gun.js: passes them)',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', get('miss8', 'm8')], ['A', '<', none('miss8')],
                ['B', '<ask', asks('miss8', 'm8')],
                ['B', '>', { '#': 'nf2', '@': 'miss8' }, { '#': 'er4', '@': 'miss8', err: 'some error' }, { '#': 'nf3', '@': 'miss8', put: null }, { '#': 'en4', '@': 'miss8', put: { m8: { _: { '#': 'm8', '>': {} } } } }, { '#': 'ok4', '@': 'miss8', ok: 1 }],
                ['B', '='], ['A', '=']],
        },
        {
            name: 'a bad key in an answer is dropped, the good one reaches the asker, the answerer is told once',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', get('miss9', 'm9')], ['A', '<', none('miss9')],
                ['B', '<ask', asks('miss9', 'm9')],
                ['B', '>', '{"#":"r9","@":"miss9","put":{"m9":{"_":{"#":"m9",">":{"a":1000,"b":1000}},"a":1,"b":[]}}}'],
                ['B', '<', err('r9', 'malformed')], ['A', '<', found('miss9', { m9: { a: 1 } }, 1000)]],
        },
        {
            name: 'data in an answer that was not asked for is taken and told to who listens, and nothing else',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', get('miss10', 'm10')], ['A', '<', none('miss10')],
                ['B', '<ask', asks('miss10', 'm10')],
                ['B', '>', answer('r10', 'miss10', { m10: { a: 1 }, m10b: { b: 2 } }, 1000)],
                ['do', async (c) => {
                    const peer = c.peer('A');
                    await peer.until(() => peer.inbox.length > 0, 'the answer');
                    const message = peer.inbox.shift();
                    if (message['@'] !== 'miss10' || message.put.m10?.a !== 1) throw new Error(JSON.stringify(message));
                }], ['A', '>', get('g', 'm10b')], ['A', '<', found('g', { m10b: { b: 2 } }, 1000)]],
        },
        {
            name: 'an asker that has left is missed by nobody: the answer is kept',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', get('miss11', 'm11')], ['A', '<', none('miss11')],
                ['B', '<ask', asks('miss11', 'm11')], ['A', 'drop'],
                ['B', '>', answer('r11', 'miss11', { m11: { a: 1 } }, 1000)], ['B', '='], ['C', 'open'],
                ['C', '>', get('g', 'm11')], ['C', '<', found('g', { m11: { a: 1 } }, 1000)]],
        },
        {
            name: 'who answers while the asked-for data arrives as a put from elsewhere changes nothing: no double',
            steps: [
                ['A', 'open'], ['B', 'open'], ['C', 'open'], ['A', '>', get('miss12', 'm12')], ['A', '<', none('miss12')],
                ['B', '<ask', asks('miss12', 'm12')], ['C', '>', put('c', { m12: { a: 1 } }, 1000)], ['C', '<', ok('c')],
                ['A', '<', { '#': '{{?}}', '@??': 'miss12', put: update({ m12: { a: 1 } }, 1000).put }],
                ['B', '>', answer('r12', 'miss12', { m12: { a: 1 } }, 1000)], ['B', '='], ['A', '=']],
        },
        {
            name: 'what nobody had is not asked again soon: the second get of a missing soul reaches nobody',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', get('miss13', 'm13')], ['A', '<', none('miss13')],
                ['B', '<ask', asks('miss13', 'm13')], ['A', '>', get('miss13b', 'm13')], ['A', '<', none('miss13b')], turn,
                ['B', '=ask'],
                ['C', 'open'], ['C', '>', get('miss13c', 'm13')], ['C', '<', none('miss13c')], turn, ['B', '=ask']],
        },
        {
            name: 'a client that sends one get twice with two ids, as gun does, asks others once',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', get('miss14a', 'm14'), get('miss14b', 'm14')],
                ['A', '<', none('miss14a'), none('miss14b')], ['B', '<ask', { '#': '{{/^miss14[ab]$/}}', get: { '#': 'm14' } }],
                turn, ['B', '=ask']],
        },
        {
            name: 'of 80 other clients, 64 are asked for one miss (gun.js: all)',
            steps: [
                ['A', 'open'], ...Array.from({ length: 80 }, (_, i) => [`P${i}`, 'open']), ['A', '>', get('miss15', 'm15')],
                ['A', '<', none('miss15')],
                ['do', async (c) => {
                    const asked = () => Array.from({ length: 80 }, (_, i) => c.peer(`P${i}`)).filter((p) => p.asked.length > 0).length;
                    for (const until = Date.now() + 30_000; asked() < 64 && Date.now() < until;) await new Promise((r) => setTimeout(r, 10));
                    await new Promise((r) => setTimeout(r, 200)); // room for a 65th
                    if (asked() !== 64) throw new Error(`${asked()} were asked`);
                }]],
        },
        {
            name: 'miss_turn_ms: a few are asked a turn, so that a miss with an early answer does not reach everybody',
            server: { args: ['--limit', 'miss_turn_ms=1000'] },
            steps: [
                ['A', 'open'], ...Array.from({ length: 60 }, (_, i) => [`P${i}`, 'open']), ['A', '>', get('miss16', 'm16')],
                ['A', '<', none('miss16')],
                ['do', async (c) => {
                    const peers = Array.from({ length: 60 }, (_, i) => c.peer(`P${i}`));
                    const first = await Promise.any(peers.map((p) => p.until(() => (p.asked.length > 0 ? p : undefined), 'an ask')));
                    first.send(c.text(answer('r16', 'miss16', { m16: { a: 1 } }, 1000)));
                }], ['A', '<', found('miss16', { m16: { a: 1 } }, 1000)],
                ['do', async (c) => {
                    await new Promise((r) => setTimeout(r, 1500)); // all 60 would take 8 turns
                    const asked = Array.from({ length: 60 }, (_, i) => c.peer(`P${i}`)).filter((p) => p.asked.length > 0).length;
                    if (asked >= 60) throw new Error('all were asked');
                }]],
        },
        {
            name: 'who wrote the soul is asked first when a key of it is missed',
            steps: [
                ['A', 'open'], ...Array.from({ length: 30 }, (_, i) => [`P${i}`, 'open']),
                ['P29', '>', put('p', { m17: { a: 1 } }, 1000)], ['P29', '<', ok('p')], ['A', '>', get('miss17', 'm17', 'b')],
                ['A', '<', none('miss17')],
                ['P29', '<ask', asks('miss17', 'm17', 'b')]],
        },
        {
            name: 'a get of a soul by prefix is not a miss that others are asked for in vain again and again',
            steps: [
                ['A', 'open'], ['B', 'open'],
                ['A', '>', { '#': 'ms1', get: { '#': { '*': 'm18/' } } }, { '#': 'ms2', get: { '#': { '*': 'm18/' } } }],
                ['A', '<', none('ms1'), none('ms2')], turn,
                ['do', async (c) => { await c.peer('B').fence(); if (c.peer('B').asked.length > 1) throw new Error('asked twice'); }]],
        },
        {
            name: 'the empty get is no miss',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', '{"#":"e1","get":{}}'], ['A', '<', none('e1')], turn, ['B', '=ask'],
                ['A', '=ask']],
        },

        // --- asking back for edits
        {
            name: 'the first get of a soul is followed by an ask-back for the whole soul with ## of the reply: 3 keys',
            steps: [
                ...node('b1', 3), ['A', '>', get('g1', 'b1')], ['A', '<', found('g1', { b1: keys(3) }, 1000)],
                ['A', '<ask', asksHashed('b1')], ['A', 'order', 'put get'], hashesReply('g1'), ['A', '=ask']],
        },
        {
            name: 'at 8 keys the ask-back still comes behind the reply, with ##',
            steps: [
                ...node('b2', 8), ['A', '>', get('g1', 'b2')], ['A', '<', found('g1', { b2: keys(8) }, 1000)],
                ['A', '<ask', asksHashed('b2')], ['A', 'order', 'put get'], hashesReply('g1'), ['A', '=ask']],
        },
        {
            name: 'at 9 keys it comes before the reply, without ##: a fresh client has nothing and is silent',
            steps: [
                ...node('b3', 9), ['A', '>', get('g1', 'b3')], ['A', '<', found('g1', { b3: keys(9) }, 1000)],
                ['A', '<ask', ask('b3')], ['A', 'order', 'get put'], ['A', '=ask']],
        },
        {
            name: 'a node of 3,000 keys, a walk, is preceded by the ask-back as well',
            steps: [
                ...node('b4', 3000), ['A', '>', get('g1', 'b4')], ['A', '<', found('g1', { b4: keys(3000) }, 1000)],
                ['A', '<ask', ask('b4')], ['A', 'order', 'get put'], ['A', '=ask']],
        },
        {
            name: 'behind a not-found it comes without ##',
            steps: [
                ['A', 'open'], ['A', '>', get('g1', 'b5')], ['A', '<', none('g1')], ['A', '<ask', ask('b5')],
                ['A', 'order', 'none get'], ['A', '=ask']],
        },
        {
            name: 'for a key get it asks for the whole soul, with ## of what was sent',
            steps: [
                ...node('b6', 30), ['A', '>', get('g1', 'b6', 'k03')], ['A', '<', found('g1', { b6: { k03: 3 } }, 1000)],
                ['A', '<ask', asksHashed('b6')], ['A', 'order', 'put get'], hashesReply('g1'), ['A', '=ask']],
        },
        {
            name: 'for a query as well',
            steps: [
                ...node('b7', 30), ['A', '>', lex('g1', 'b7', { '*': 'k0' })], ['A', '<', found('g1', { b7: keys(10) }, 1000)],
                ['A', '<ask', ask('b7')], ['A', 'order', 'get put'], ['A', '=ask']],
        },
        {
            name: 'for a missing key of a soul that is there',
            steps: [
                ...node('b8', 3), ['A', '>', get('g1', 'b8', 'no')], ['A', '<', none('g1')], ['A', '<ask', ask('b8')],
                ['A', 'order', 'none get'], ['A', '=ask']],
        },
        {
            name: 'once per soul and connection, whatever is asked of it',
            steps: [
                ...node('b9', 3), ['A', '>', get('g1', 'b9', 'k00')], ['A', '<', found('g1', { b9: { k00: 0 } }, 1000)],
                ['A', '<ask', asksHashed('b9')],
                ['A', '>', get('g2', 'b9'), get('g3', 'b9', 'no'), lex('g4', 'b9', { '*': 'k' })],
                ['A', '<<', found('g2', { b9: keys(3) }, 1000), none('g3'), found('g4', { b9: keys(3) }, 1000)], ['A', '=ask']],
        },
        {
            name: 'on a new connection again',
            steps: [
                ...node('b10', 3), ['A', '>', get('g1', 'b10')], ['A', '<', found('g1', { b10: keys(3) }, 1000)],
                ['A', '<ask', asksHashed('b10')], ['A', 'close'], ['A', 'open'], ['A', '>', get('g1', 'b10')],
                ['A', '<', found('g1', { b10: keys(3) }, 1000)], ['A', '<ask', asksHashed('b10')]],
        },
        {
            name: 'not for a soul whose keys are content hashes, not for souls by prefix',
            steps: [
                ['A', 'open'], ['A', '>', get('g1', 'img2#', 'Zm9v')], ['A', '<', none('g1')],
                ['A', '>', { '#': 'g2', get: { '#': { '*': 'b11/' } } }], ['A', '<', none('g2')], ['A', '=ask']],
        },
        {
            name: 'edits that come back are kept and told, with no ack: an offline edit reaches the others',
            steps: [
                ['W', 'open'], ['W', '>', put('w', { b12: { x: 'server', y: 'server' } }, 1000)], ['W', '<', ok('w')],
                ['A', 'open'], ['B', 'open'], ['B', '>', get('gB', 'b12')],
                ['B', '<', found('gB', { b12: { x: 'server', y: 'server' } }, 1000)],
                ['A', '>', get('gA', 'b12')], ['A', '<', found('gA', { b12: { x: 'server', y: 'server' } }, 1000)],
                ['A', '<ask', { '#': '{{back}}', '##': '{{#}}', get: { '#': 'b12' } }],
                ['A', '>', answer('c7', '{{back}}', { b12: { x: 'A offline', y: 'server' } }, { x: 2000, y: 1000 }, { FOO: 1, '##': 1073589189 })],
                ['A', '='],
                ['B', '<', update({ b12: { x: 'A offline' } }, 2000)], ['W', '<', update({ b12: { x: 'A offline' } }, 2000)],
                ['C', 'open'], ['C', '>', get('g', 'b12')],
                ['C', '<', found('g', { b12: { x: 'A offline', y: 'server' } }, { x: 2000, y: 1000 })]],
        },
        {
            name: 'a key never asked for comes up as well: the whole soul is asked',
            steps: [
                ...node('b13', 2), ['A', '>', get('gA', 'b13', 'k00')], ['A', '<', found('gA', { b13: { k00: 0 } }, 1000)],
                ['A', '<ask', { '#': '{{back}}', '##': '{{#}}', get: { '#': 'b13' } }],
                ['A', '>', answer('c7', '{{back}}', { b13: { other: 'written offline' } }, 2000)], ['A', '='],
                ['B', 'open'], ['B', '>', get('g', 'b13', 'other')],
                ['B', '<', found('g', { b13: { other: 'written offline' } }, 2000)]],
        },
        {
            name: 'a client that has nothing newer changes nothing: nobody is told',
            steps: [
                ...node('b14', 3), ['B', 'open'], ['B', '>', get('gB', 'b14')], ['B', '<', found('gB', { b14: keys(3) }, 1000)],
                ['A', '>', get('gA', 'b14')], ['A', '<', found('gA', { b14: keys(3) }, 1000)],
                ['A', '<ask', { '#': '{{back}}', '##': '{{#}}', get: { '#': 'b14' } }],
                ['A', '>', answer('c7', '{{back}}', { b14: keys(3) }, 1000), { '#': 'c8', '@': '{{back}}' }, { '#': 'c9', '@': '{{back}}', put: { b14: { _: { '#': 'b14', '>': {} } } } }],
                ['A', '='], ['B', '=']],
        },
        {
            name: 'an answer to an ask-back is never passed on to others as an answer',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', get('gA', 'b15')], ['A', '<', none('gA')],
                ['A', '<ask', { '#': '{{back}}', get: { '#': 'b15' } }],
                ['A', '>', answer('c', '{{back}}', { b15: { k: 1 } }, 1000)], ['A', '='], ['B', '=']],
        },
        {
            name: '300 first gets in a frame are all answered at once; every ask-back comes, those over the burst of 256 later',
            steps: [
                ['A', 'open'], ['A', '>', Array.from({ length: 300 }, (_, i) => get(`g${i}`, `burst${i}`))],
                ['A', '<', ...Array.from({ length: 300 }, (_, i) => none(`g${i}`))],
                ['do', async (c) => {
                    const peer = c.peer('A');
                    await peer.until(() => peer.asked.length >= 300, `300 ask-backs`);
                    const souls = new Set(peer.asked.splice(0).map((m) => m.get['#']));
                    if (souls.size !== 300) throw new Error(`${souls.size} souls were asked for`);
                }]],
        },
        {
            name: 'a writer that comes back with its pid is asked back for what it wrote, and hears of it again',
            steps: [
                ['A', 'open', { pid: 'pidA20' }], ['A', '>', put('w', { b20: { x: 'A' } }, 1000)], ['A', '<', ok('w')],
                ['A', 'drop'], ['B', 'open'], ['A', 'open', { pid: 'pidA20' }], ['A', '<ask', ask('b20')],
                ['B', '>', put('w2', { b20: { x: 'B' } }, 1001)], ['B', '<', ok('w2')],
                ['A', '<', update({ b20: { x: 'B' } }, 1001)]],
        },
        {
            name: 'what it wrote meanwhile, never read and changed during a cut, comes up by that ask',
            steps: [
                ['A', 'open', { pid: 'pidA21' }], ['A', '>', put('w', { b21: { x: 'before' } }, 1000)], ['A', '<', ok('w')],
                ['B', 'open'], ['B', '>', get('g', 'b21')], ['B', '<', found('g', { b21: { x: 'before' } }, 1000)],
                ['A', 'drop'],
                ['A', 'open', { pid: 'pidA21' }], ['A', '<ask', { '#': '{{back}}', get: { '#': 'b21' } }],
                ['A', '>', answer('up', '{{back}}', { b21: { x: 'during the cut' } }, 2000)],
                ['B', '<', update({ b21: { x: 'during the cut' } }, 2000)], ['A', '=']],
        },
        {
            name: 'a writer that comes back with an old value is told the new one, by its answer to that ask',
            steps: [
                ['A', 'open', { pid: 'pidA24' }], ['A', '>', put('w', { b24: { x: 'A' } }, 1000)], ['A', '<', ok('w')],
                ['A', 'drop'], ['B', 'open'], ['B', '>', put('w2', { b24: { x: 'B' } }, 1001)], ['B', '<', ok('w2')],
                ['A', 'open', { pid: 'pidA24' }], ['A', '<ask', { '#': '{{back}}', get: { '#': 'b24' } }],
                ['A', '>', answer('up', '{{back}}', { b24: { x: 'A' } }, 1000)], ['A', '<', update({ b24: { x: 'B' } }, 1001)],
                ['A', '='], ['B', '=']],
        },
        {
            name: 'a writer that had asked for the whole soul as well is remembered by its pid too',
            steps: [
                ['A', 'open', { pid: 'pidA25' }], ['A', '>', get('g', 'b25')], ['A', '<', none('g')], ['A', 'forget asks'],
                ['A', '>', put('w', { b25: { x: 'A' } }, 1000)], ['A', '<', ok('w')], ['A', 'drop'], ['B', 'open'],
                ['A', 'open', { pid: 'pidA25' }], ['A', '<ask', ask('b25')]],
        },
        {
            name: 'who asked for the whole soul is not told again when its own copy is older',
            steps: [
                ['W', 'open'], ['W', '>', put('w', { b26: { x: 'new' } }, 2000)], ['W', '<', ok('w')], ['A', 'open'],
                ['A', '>', get('g', 'b26')], ['A', '<', found('g', { b26: { x: 'new' } }, 2000)],
                ['A', '<ask', { '#': '{{back}}', '##': '{{#}}', get: { '#': 'b26' } }],
                ['A', '>', answer('up', '{{back}}', { b26: { x: 'old' } }, 1000)], ['A', '='], ['W', '=']],
        },
        {
            name: 'another pid is not asked for it',
            steps: [
                ['A', 'open', { pid: 'pidA22' }], ['A', '>', put('w', { b22: { x: 'A' } }, 1000)], ['A', '<', ok('w')],
                ['A', 'drop'], ['B', 'open', { pid: 'pidB22' }], ['B', '=ask']],
        },
        {
            name: 'a reconnect as clients do it: gets repeated, whole souls and keys with the ## of their string, all answered (10)',
            steps: [
                ['W', 'open'], ['W', '>', put('w', { b23: { a: 'x', n: 5 }, b23k: { k: 'v' } }, 1000)], ['W', '<', ok('w')],
                ['A', 'open', { pid: 'pidA23' }],
                ['A', '>', get('r1', 'b23'), [{ '##': 118, get: { '#': 'b23k', '.': 'k' }, '#': 'r2' }, get('r3', 'b23none')]],
                ['A', '<<', found('r1', { b23: { a: 'x', n: 5 } }, 1000), found('r2', { b23k: { k: 'v' } }, 1000), none('r3')]],
        },
    ],
};
