// Writes from the future (relay-rules 13; design "future state"; protocol 13.4),
// and what is forgotten: <?N, memory only (transcripts 11, 15; design "<?N",
// "passing things").
import { err, found, get, none, ok, put, update } from '../lib/frames.mjs';

const old = '{{now-5000}}';
const older = '{{now-50000}}';

const has = (soul, key, value) => (m) => m.put?.[soul] !== undefined && m.put[soul][key] === value;

// The write was told or read, not before its time, and told once. What is about
// the soul and came before it (a not-found, an older value) is dropped: on a busy
// machine a put may be sent when its time has come, and then all is one update.
const due = (peer, soul, key, value, state, author) => ['do', async (c) => {
    const p = c.peer(peer);
    const time = c.bound.get('now') + Number(/[+-]\d+/.exec(state)[0]);
    const late = Date.now() >= time;
    const told = await p.until(() => {
        const at = p.inbox.findIndex(has(soul, key, value));
        return at < 0 ? undefined : p.inbox.splice(0, at + 1);
    }, `${key} of ${soul}, due at ${time}`, 30_000);
    if (Date.now() < time) throw new Error(`it came ${time - Date.now()} ms before its time`);
    const [last] = told.slice(-1);
    if (last.put[soul]._['>'][key] !== time) throw new Error(`it has another state: ${JSON.stringify(last)}`);
    if (!late && last['#'] === author) throw new Error('it has the id of the put');
    if (told.slice(0, -1).some((m) => m.err !== undefined)) throw new Error(JSON.stringify(told));
    await p.fence();
    const again = p.inbox.filter((m) => m['@'] === undefined && has(soul, key, value)(m));
    if (again.length > 0 && last['@'] === undefined) throw new Error('it was told twice');
    p.inbox.length = 0;
}];

// The other key of the same put, which was due at once.
const atOnce = (peer, soul, key, value) => ['do', (c) => c.peer(peer).until(() =>
    c.peer(peer).inbox.some(has(soul, key, value)) || undefined, `${key} of ${soul}`)];

export default {
    name: 'time',
    weight: 500, // it waits for the clock, so it begins first
    cases: [
        {
            name: 'a write from the future is acked at once (gun.js: never), not read before its time, and told when it is due, under a new id',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'f1')], ['B', '<', none('g')],
                ['clock'], ['A', '>', put('f1w', { f1: { a: 1 } }, '{{now+3000}}')], ['A', '<', ok('f1w')],
                ['B', '>', get('g2', 'f1')], due('B', 'f1', 'a', 1, '{{now+3000}}', 'f1w'), ['B', '>', get('g3', 'f1')],
                ['B', '<', found('g3', { f1: { a: 1 } }, '{{now+3000}}')],
                ['A', '=']],
        },
        {
            name: 'a state a few milliseconds ahead costs nothing but those milliseconds',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'f2')], ['B', '<', none('g')],
                ['do', (c) => { c.bound.set('soon', Date.now() + 40); }], ['A', '>', put('f2w', { f2: { a: 1 } }, '{{soon}}')],
                ['B', '<', update({ f2: { a: 1 } }, '{{soon}}')],
                ['do', (c) => c.peer('A').until(() => c.peer('A').owed.get('f2w') === 0 || undefined, 'the ack')],
                ['A', '<', ok('f2w')], ['A', '=']],
        },
        {
            name: 'a put of a key now and a key to come: the first at once, the second when due, one ack',
            alone: true, weight: 150,
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'f3')], ['B', '<', none('g')],
                ['clock'], ['A', '>', put('f3w', { f3: { a: 1, b: 2 } }, { a: '{{now}}', b: '{{now+3000}}' })],
                ['A', '<', ok('f3w')],
                atOnce('B', 'f3', 'a', 1), due('B', 'f3', 'b', 2, '{{now+3000}}', 'f3w'), ['A', '=']],
        },
        {
            name: 'an hour ahead is held: acked, not found',
            steps: [
                ['A', 'open'], ['A', '>', put('f4w', { f4: { a: 1 } }, '{{now+3600000}}')], ['A', '<', ok('f4w')],
                ['A', '>', get('g', 'f4')], ['A', '<', none('g')]],
        },
        {
            name: 'over 24 hours ahead is refused: future:, the whole put',
            steps: [
                ['A', 'open'], ['A', '>', put('f5w', { f5: { a: 1, b: 2 } }, { a: '{{now}}', b: '{{now+90000000}}' })],
                ['A', '<', err('f5w', 'future')], ['A', '>', get('g', 'f5')], ['A', '<', none('g')],
                ['A', '>', put('f5x', { f5: { a: 1 } }, 1e300)], ['A', '<', err('f5x', 'future')], ['A', '=']],
        },
        {
            name: 'a held write does not hide the one of today, and beats it when it is due',
            alone: true, weight: 150,
            steps: [
                ['A', 'open'], ['B', 'open'], ['clock'], ['A', '>', put('f6w', { f6: { a: 'later' } }, '{{now+6000}}')],
                ['A', '<', ok('f6w')], ['B', '>', put('f6x', { f6: { a: 'today' } })], ['B', '<', ok('f6x')],
                ['C', 'open'], ['C', '>', get('g', 'f6')], atOnce('C', 'f6', 'a', 'today'),
                due('C', 'f6', 'a', 'later', '{{now+6000}}', 'f6w'), due('B', 'f6', 'a', 'later', '{{now+6000}}', 'f6w'),
                ['A', '<', update({ f6: { a: 'today' } }, '{{now}}')], ['A', '=']],
        },
        {
            name: 'two held writes of one key come to one end: the newer',
            steps: [
                ['A', 'open'], ['B', 'open'],
                ['A', '>', put('f7w', { f7: { a: 'second' } }, '{{now+700}}'), put('f7x', { f7: { a: 'first' } }, '{{now+500}}')],
                ['A', '<', ok('f7w'), ok('f7x')], ['wait', 1200, 'both are due'],
                ['B', '>', get('g', 'f7')], ['B', '<', found('g', { f7: { a: 'second' } }, '{{now+700}}')], ['A', '=']],
        },
        {
            name: 'a held write lives through kill -9 and a restart, is told once when it is due (13.4; gun.js: lost)',
            alone: true,
            steps: [
                ['A', 'open'], ['clock'], ['A', '>', put('f8w', { f8: { a: 1 } }, '{{now+8000}}')], ['A', '<', ok('f8w')],
                ['kill'],
                ['B', 'open'], ['B', '>', get('g', 'f8')], due('B', 'f8', 'a', 1, '{{now+8000}}', 'f8w'), ['B', '='],
                ['kill'], ['B', 'open'], ['B', '>', get('g', 'f8')], ['B', '<', found('g', { f8: { a: 1 } }, '{{now+8000}}')],
                ['B', '=']],
        },
        {
            name: 'a held write that came due while the server was down is there at once',
            alone: true,
            steps: [
                ['A', 'open'], ['A', '>', put('f9w', { f9: { a: 1 } }, '{{now+1000}}')], ['A', '<', ok('f9w')],
                ['do', async (c) => { for (const p of c.peers.values()) p.drop(); await c.server.kill(); await new Promise((r) => setTimeout(r, Math.max(0, c.bound.get('now') + 1100 - Date.now()))); await c.server.start(); }],
                ['B', 'open'], ['B', '>', get('g', 'f9')],
                ['do', async (c) => {
                    // The release is the first thing a turn does; a get of the very first turn may be before it.
                    const peer = c.peer('B');
                    await peer.until(() => peer.inbox.some((m) => m.put?.f9?.a === 1), 'the write that came due');
                    await peer.fence();
                    peer.inbox.length = 0;
                }]],
        },
        {
            name: 'an answer with a state to come is held as well, the answer\'s other keys are taken',
            alone: true, weight: 150,
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'f10')], ['B', '<', none('g')],
                ['clock'],
                ['A', '>', { '#': 'f10w', '@': 'zz', put: put('x', { f10: { a: 1, b: 2 } }, { a: '{{now}}', b: '{{now+3000}}' }).put }],
                atOnce('B', 'f10', 'a', 1), due('B', 'f10', 'b', 2, '{{now+3000}}', 'f10w'),
                ['A', '=']],
        },

        {
            name: 'soul<?20 of now is kept and told; of 50 s ago it is acked, not kept, told to nobody (gun.js: silence)',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'x1<?20')], ['B', '<', none('g')],
                ['A', '>', put('p1_', { 'x1<?20': { a: 1 } }, '{{now-1}}')], ['A', '<', ok('p1_')],
                ['B', '<', update({ 'x1<?20': { a: 1 } }, '{{now-1}}')],
                ['A', '>', put('p2_', { 'x1<?20': { b: 1 } }, older)], ['A', '<', ok('p2_')], ['A', '='], ['B', '='],
                ['A', '>', get('g2', 'x1<?20', 'b')], ['A', '<', none('g2')]],
        },
        ...[['a fresh key and an old one', { c: '{{now-1}}', d: older }, 'c', '3'], ['an old key and a fresh one', { e: older, f: '{{now-1}}' }, 'f', '4']].map(([what, states, kept, n]) => ({
            name: `${what} in soul<?20: the fresh one is kept, one ok`,
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', `x${n}<?20`)], ['B', '<', none('g')],
                ['A', '>', put('p', { [`x${n}<?20`]: Object.fromEntries(Object.keys(states).map((k) => [k, 1])) }, states)],
                ['A', '<', ok('p')],
                ['B', '<', update({ [`x${n}<?20`]: { [kept]: 1 } }, '{{now-1}}')], ['B', '='],
                ['A', '>', get('g2', `x${n}<?20`)],
                ['A', '<', found('g2', { [`x${n}<?20`]: { [kept]: 1 } }, '{{now-1}}')]],
        })),
        {
            name: 'what has expired is served no more (gun.js: for ever)',
            steps: [
                ['A', 'open'], ['A', '>', put('p', { 'x5<?1': { a: 1 } }, '{{now-1}}')], ['A', '<', ok('p')],
                ['wait', 1100, 'it expires a second after its state'],
                ['A', '>', get('g', 'x5<?1'), get('g2', 'x5<?1', 'a'), { '#': 'g3', get: { '#': 'x5<?1', '.': { '*': '' } } }, { '#': 'g4', get: { '#': { '*': 'x5<' } } }],
                ['A', '<', none('g'), none('g2'), none('g3'), none('g4')]],
        },
        ...[['<?0', 'x6<?0', 1000, true], ['<?abc', 'x6<?abc', 1000, true], ['<? alone', 'x6<?', 1000, true], ['<?0.5, a second old', 'x6<?0.5', '{{now-1000}}', false], ['<?9<?1, 5 s old: the first counts', 'x6<?9<?1', old, true], ['<?2/b in the middle, 5 s old', 'x6<?2/b', old, false], ['<?-5', 'x6<?-5', 1000, true], ['<?1e3, 5 s old', 'x6<?1e3', old, true]].map(([what, soul, state, kept]) => ({
            name: `${what}: ${kept ? 'kept' : 'acked and not kept'}`,
            steps: [
                ['A', 'open'], ['A', '>', put('p', { [soul]: { a: 1 } }, state)], ['A', '<', ok('p')],
                ['A', '>', get('g', soul)], ['A', '<', kept ? found('g', { [soul]: { a: 1 } }, state) : none('g')]],
        })),
        {
            name: 'what has expired is not served after a restart either',
            alone: true,
            steps: [
                ['A', 'open'], ['A', '>', put('p', { 'x7<?1': { a: 1 }, 'x7<?999': { b: 1 } }, '{{now-1}}')],
                ['A', '<', ok('p')],
                ['do', async (c) => { for (const p of c.peers.values()) p.drop(); await c.server.stop(); await new Promise((r) => setTimeout(r, 1100)); await c.server.start(); }],
                ['B', 'open'], ['B', '>', get('g', 'x7<?1'), get('g2', 'x7<?999')],
                ['B', '<<', none('g'), found('g2', { 'x7<?999': { b: 1 } }, '{{now-1}}')]],
        },

        ...[['/RTC/room', []], ['/live/now', []], ['/mine/now', ['--memory', '/mine/']], ['/RTC/room2', ['--memory', '/mine/']]].map(([soul, args]) => ({
            name: `${soul} is kept in memory only: acked, told, read, gone after a restart${args.length ? ` (${args.join(' ')})` : ''}`,
            server: { args },
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', soul)], ['B', '<', none('g')],
                ['A', '>', put('p', { [soul]: { a: 1 }, kept: { b: 2 } }, '{{now-1}}')], ['A', '<', ok('p')],
                ['B', '<', update({ [soul]: { a: 1 } }, '{{now-1}}')], ['A', '>', get('g2', soul)],
                ['A', '<', found('g2', { [soul]: { a: 1 } }, '{{now-1}}')],
                ['restart'], ['C', 'open'], ['C', '>', get('g', soul), get('g2', 'kept')],
                ['C', '<<', none('g'), found('g2', { kept: { b: 2 } }, '{{now-1}}')]],
        })),
        {
            name: 'souls that only contain a memory prefix are kept on disk',
            alone: true,
            steps: [
                ['A', 'open'], ['A', '>', put('p', { 'x/live/': { a: 1 }, '/liv': { a: 1 }, '/RTC': { a: 1 } }, 1000)],
                ['A', '<', ok('p')], ['restart'], ['B', 'open'],
                ['B', '>', get('g1', 'x/live/'), get('g2', '/liv'), get('g3', '/RTC')],
                ['B', '<', found('g1', { 'x/live/': { a: 1 } }, 1000), found('g2', { '/liv': { a: 1 } }, 1000), found('g3', { '/RTC': { a: 1 } }, 1000)]],
        },
        {
            name: 'a memory-only soul forgets after its <?N',
            steps: [
                ['A', 'open'], ['A', '>', put('p', { '/live/f<?4': { a: 1 } }, '{{now-1}}')], ['A', '<', ok('p')],
                ['A', '>', get('g', '/live/f<?4')], ['A', '<', found('g', { '/live/f<?4': { a: 1 } }, '{{now-1}}')],
                ['wait', 4200, 'it lives four seconds'], ['A', '>', get('g2', '/live/f<?4')], ['A', '<', none('g2')]],
        },
        {
            name: 'memory-only souls are found by prefix, as others are',
            steps: [
                ['A', 'open'], ['A', '>', put('p', { '/live/q/1': { a: 1 }, '/live/q/2': { a: 2 } }, '{{now-1}}')],
                ['A', '<', ok('p')], ['A', '>', { '#': 'g', get: { '#': { '*': '/live/q/' }, '%': 1000 } }],
                ['A', '<', found('g', { '/live/q/1': { a: 1 }, '/live/q/2': { a: 2 } }, '{{now-1}}')]],
        },
        {
            name: 'HAM rules in memory as on disk: a stale write comes back, a tie is won by the greater text',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', put('p', { '/live/h': { a: 'b' } }, '{{now-10}}')],
                ['A', '<', ok('p')], ['B', '>', put('p2', { '/live/h': { a: 'z' } }, '{{now-20}}')],
                ['B', '<', update({ '/live/h': { a: 'b' } }, '{{now-10}}'), ok('p2')],
                ['B', '>', put('p3', { '/live/h': { a: 'c' } }, '{{now-10}}')], ['B', '<', ok('p3')],
                ['A', '<', update({ '/live/h': { a: 'c' } }, '{{now-10}}')]],
        },
        {
            name: 'a memory-only write from the future is held in memory and told when due',
            alone: true, weight: 150,
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', '/live/fut')], ['B', '<', none('g')],
                ['clock'], ['A', '>', put('lfw', { '/live/fut': { a: 1 } }, '{{now+3000}}')], ['A', '<', ok('lfw')],
                due('B', '/live/fut', 'a', 1, '{{now+3000}}', 'lfw'), ['A', '=']],
        },
    ],
};
