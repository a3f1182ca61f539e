// While a signature is being verified: what waits for the verdict, and what does not.
// The server's curve is held (held_curve.c) until the case opens the gate, so that
// these are facts about order, on a machine of any speed.
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { make_pair, signed } from '../../tools/signer.mjs';
import { denied, found, get, none, ok, put, update } from '../lib/frames.mjs';
import { request } from '../lib/steps.mjs';

const [ann, eve] = [make_pair(), make_pair()];
const at = 1_795_210_000_000;
const soul = `~${ann.pub}/s`;
const by_ann = (key, value) => ({ [soul]: { [key]: signed(ann, soul, key, value, at) } });
const good = by_ann('k', 1);
const three = [0, 1, 2].map((i) => by_ann(`k${i}`, i));
const bad = { [soul]: { k: signed(eve, soul, 'k', 1, at) } };

const held = {
    env: (folder, binary) => {
        const hook = join(dirname(binary), '..', 'tests', 'wire', 'held_curve.so');
        if (!existsSync(hook)) throw new Error(`${hook} is not built`);
        // AddressSanitizer wants to be the first of all libraries; the hook allocates nothing.
        const asan = [process.env.ASAN_OPTIONS, 'verify_asan_link_order=0'].filter(Boolean).join(':');
        return { LD_PRELOAD: hook, BRASA_GATE: `${folder}.gate`, ASAN_OPTIONS: asan };
    },
};
const open_gate = ['do', async (c) => writeFileSync(`${c.server.folder}.gate`, '')];

async function metric(c, name) {
    const { body } = await request(c.server, 'GET /metrics');
    return Number(new RegExp(`^brasa_${name} (\\d+)$`, 'm').exec(body)?.[1]);
}

// Until a thread has the first of them, the others are in its queue or not yet read.
const until = (what, ready) => ['do', async (c) => {
    for (const deadline = Date.now() + 10_000; !(await ready(c));) {
        if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
}];
const heard_nothing = (name) => ['do', async (c) => {
    const peer = c.peer(name);
    if (peer.inbox.length > 0) throw new Error(`${name} was told before the verdict: ${JSON.stringify(peer.inbox[0])}`);
}];

// Every case has a server of its own: its gate opens once.
const one = (name, steps, more) => ({ name, server: held, steps, ...more });
const count = 500;
const flood = Array.from({ length: count }, (_, i) => put(`p${i}`, by_ann(`k${i}`, i), at));
const all = Object.assign({}, ...flood.map((message) => message.put[soul]));
delete all._;

export default {
    name: 'verdicts',
    cases: [
        one('a get behind a signed put waits for its verdict and sees it; the unsigned put of another is acked meanwhile', [
            ['A', 'open'], ['B', 'open'], ['A', '>', put('p', good, at)], ['A', '>', get('g', soul)],
            ['B', '>', put('b', { plain: { a: 1 } }, at)], ['B', '<', ok('b')],
            ['B', '>', get('gb', soul)], ['B', '<', none('gb')], heard_nothing('A'),
            open_gate,
            ['A', '<<', ok('p'), found('g', good, at)], ['B', '<', update(good, at)], ['A', '='], ['B', '=']]),
        one('the same in one batch', [
            ['A', 'open'], ['B', 'open'], ['A', '>', [put('p', good, at), get('g', soul)]],
            ['B', '>', put('b', { plain: { a: 1 } }, at)], ['B', '<', ok('b')], heard_nothing('A'), open_gate,
            ['A', '<<', ok('p'), found('g', good, at)], ['A', '=']]),
        one('a get behind a forged put waits for its verdict, and sees nothing', [
            ['A', 'open'], ['B', 'open'], ['A', '>', put('p', bad, at), get('g', soul)],
            ['B', '>', put('b', { plain: { a: 1 } }, at)], ['B', '<', ok('b')], heard_nothing('A'), open_gate,
            ['A', '<', denied('p', 'Unverified data.', soul, 'k'), none('g')], ['A', '=']]),
        one('what is unsigned keeps its place behind what is signed, on one socket', [
            ['A', 'open'], ['B', 'open'], ['A', '>', put('p', bad, at), put('q', { plain: { a: 1 } }, at), get('g', 'plain')],
            ['B', '>', get('gb', 'plain')], ['B', '<', none('gb')], heard_nothing('A'), open_gate,
            ['A', '<<', denied('p', 'Unverified data.', soul, 'k'), ok('q'), found('g', { plain: { a: 1 } }, at)],
            ['B', '<', update({ plain: { a: 1 } }, at)], ['A', '=']]),
        one('every get on a socket sees the signed puts in front of it', [
            ['A', 'open'], ['A', '>', ...three.flatMap((node, i) => [put(`p${i}`, node, at), get(`g${i}`, soul, `k${i}`)])], open_gate,
            ['A', '<<', ...three.flatMap((node, i) => [ok(`p${i}`), found(`g${i}`, node, at)])], ['A', '=']]),
        one('what a peer may have waiting for verdicts is bounded: it is not read on, and everybody else is', [
            ['A', 'open'], ['B', 'open'], ['A', '>', ...flood],
            until('checks to wait', async (c) => await metric(c, 'verify_waiting') > 0),
            ['B', '>', put('b', { plain: { a: 1 } }, at)], ['B', '<', ok('b')],
            ['do', async (c) => {
                const waiting = await metric(c, 'verify_waiting');
                if (!(waiting < count / 2)) throw new Error(`${waiting} checks of one peer wait`);
            }],
            heard_nothing('A'), open_gate, ['A', '<', ...flood.map((_, i) => ok(`p${i}`))],
            ['A', '>', get('g', soul)], ['A', '<', found('g', { [soul]: all }, at)], ['A', '='], ['B', '=']]),
        one('who leaves before the verdict was not told ok; the server serves on', [
            ['A', 'open'], ['B', 'open'], ['A', '>', ...flood.slice(0, 20)],
            until('checks to wait', async (c) => await metric(c, 'verify_waiting') > 0), ['A', 'drop'],
            ['B', '>', put('b', { plain: { a: 1 } }, at)], ['B', '<', ok('b')], open_gate,
            ['B', '>', put('c', good, at)], ['B', '<', ok('c')], ['B', '=']], { settle: false }),
        one('told to stop while verdicts are out, the server stops', [
            ['A', 'open'], ['A', '>', ...flood.slice(0, 20)],
            until('checks to wait', async (c) => await metric(c, 'verify_waiting') > 0),
            ['do', async (c) => { c.server.process.kill('SIGTERM'); }], open_gate, ['A', 'gone'],
            ['do', async (c) => c.server.stop()]], { settle: false, stops: true }),
    ],
};
