// Who may write at all: the modes signed and closed, tokens, the quota of content
// hashes, the list of allowed keys and its renewal (the "Modes"). What is
// genuine is in 20-signed.mjs; here everything is, and the question is whether it is
// wanted.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificate, hash_of, make_pair, signed, signed_with } from '../../tools/signer.mjs';
import { answer, ask, err, found, get, none, ok, put, update } from '../lib/frames.mjs';
import { request } from '../lib/steps.mjs';

const [ann, bob, eve] = [make_pair(), make_pair(), make_pair()];
const at = 1_795_210_000_000;
const token = 'open+sesame%41!';
const known = { path: `/gun?token=${encodeURIComponent(token)}` };
const in_message = { headers: { token } };
const certified = certificate(ann, { c: bob.pub, w: { '*': 'inbox' } });

const is_signed = { args: ['--write', 'signed', '--write-token', token, '--write-token', 'another-one'] };
const is_closed = { args: ['--write', 'closed', '--allow', ann.pub, '--write-token', token] };
const only_allow = { args: ['--write', 'closed', '--allow', ann.pub] };

let next = 0;
const fresh = (base) => `${base}${next++}`;
const own = (pair) => {
    const soul = fresh(`~${pair.pub}/s`);
    return [soul, { k: signed(pair, soul, 'k', 'v', at) }];
};
const chunk = (soul) => [soul, { [hash_of(soul)]: soul }];

const may = (name, server, options, [soul, node], more) => ({
    name: `${name}: kept, told`, server,
    steps: [
        ['A', 'open', options], ['B', 'open'], ['B', '>', get('gb', soul)], ['B', '<', none('gb')],
        ['A', '>', put('p', { [soul]: node }, at, more)], ['A', '<', ok('p')], ['B', '<', update({ [soul]: node }, at)],
        ['A', '>', get('g', soul)], ['A', '<', found('g', { [soul]: node }, at)], ['A', '='], ['B', '=']],
});

const may_not = (name, word, server, options, [soul, node], more) => ({
    name: `${name}: one err, "${word}:", nothing kept, nobody told`, server,
    steps: [
        ['A', 'open', options], ['B', 'open'], ['B', '>', get('gb', soul)], ['B', '<', none('gb')],
        ['A', '>', put('p', { [soul]: node }, at, more)], ['A', '<', err('p', word)],
        ['A', '>', get('g', soul)], ['A', '<', none('g')], ['A', '='], ['B', '=']],
});

const inbox = () => {
    const soul = `~${ann.pub}/inbox`, key = fresh('m');
    return [soul, { [key]: signed_with(certified, bob, soul, key, 'hi', at) }];
};

// A handshake with this token writes what is not signed, or is told once that it is wrong.
const shows = (name, options) => may(`a token ${name} opens what is not signed`, is_signed, options, [fresh('free'), { k: 1 }]);
const shows_wrong = (name, options) => {
    const soul = fresh('free'), [own_soul, own_node] = own(eve);
    return {
        name: `a wrong token ${name}: told once, reads, writes what everybody may`, server: is_signed,
        steps: [
            ['A', 'open', options], ['A', '<', { '#': '{{?}}', dam: '!', err: 'token: not known here' }],
            ['A', '>', get('g', soul)], ['A', '<', none('g')],
            ['A', '>', put('p', { [soul]: { k: 1 } }, at)], ['A', '<', err('p', 'unsigned')],
            ['A', '>', put('q', { [own_soul]: own_node }, at)], ['A', '<', ok('q')], ['A', '='],
            ['metric', 'brasa_tokens_wrong_total', { above: 0 }]],
    };
};

// Links of an allowed key open the chunks under their root, also after a restart.
const linked = (root) => {
    const soul = fresh(`~${ann.pub}/tracks/`);
    return [soul, { audio: signed(ann, soul, 'audio', { '#': `${root}#m` }, at) }];
};
const says = (line) => ['do', async (c) => {
    const end = Date.now() + 10_000;
    while (!line.test(c.server.text)) {
        if (Date.now() > end) throw new Error(`the log does not say ${line}:\n${c.server.text}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}];
const known_again = says(/all links of allowed keys are known/);
const roots = (how) => {
    const root = fresh('audio/'), [soul, node] = linked(root);
    return {
        name: `a link of an allowed key opens the chunks under its root, and does after ${how}`, server: only_allow,
        steps: [
            ['A', 'open'], ['A', '>', put('c1', Object.fromEntries([chunk(`${root}#0`)]), at)], ['A', '<', err('c1', 'closed')],
            ['A', '>', put('l', { [soul]: node }, at)], ['A', '<', ok('l')],
            ['A', '>', put('c2', Object.fromEntries([chunk(`${root}#0`)]), at)], ['A', '<', ok('c2')],
            ['A', '>', put('c3', Object.fromEntries([chunk(`${root}x#0`)]), at)], ['A', '<', err('c3', 'closed')],
            [how], known_again, ['A', 'open'],
            ['A', '>', put('c4', Object.fromEntries([chunk(`${root}#1`)]), at)], ['A', '<', ok('c4')],
            ['A', '>', put('c5', Object.fromEntries([chunk(`${root}y#0`)]), at)], ['A', '<', err('c5', 'closed')],
            ['A', '>', get('g', `${root}#0`)], ['A', '<', found('g', Object.fromEntries([chunk(`${root}#0`)]), at)], ['A', '=']],
        settle: false,
    };
};

// The files of --allow, which live as long as the suite.
const lists = mkdtempSync(join(tmpdir(), 'brasa-allow-'));
process.on('exit', () => rmSync(lists, { recursive: true, force: true }));
const list = join(lists, 'keys');
const write_list = (...lines) => writeFileSync(list, lines.join('\n'));
write_list('# who may write', ann.pub);
const hup = (line) => ['do', async (c) => {
    c.server.text = '';
    c.server.process.kill('SIGHUP');
    await says(line)[1](c);
}];

const put_one = (id, [soul, node]) => put(id, { [soul]: node }, at);

const says_modes = (server, mode, keys, tokens, line) => ({
    name: `/status, /metrics and the log say ${mode}, and never a token`, server,
    steps: [
        ['do', async (c) => {
            const status = (await request(c.server, 'GET /status')).body, metrics = (await request(c.server, 'GET /metrics')).body;
            const { write_mode, allowed_keys, write_tokens } = JSON.parse(status);
            if (write_mode !== mode || allowed_keys !== keys || write_tokens !== tokens) throw new Error(status);
            if (!metrics.includes(`write_mode="${mode}"`)) throw new Error('not in /metrics');
            for (const [what, text] of Object.entries({ status, metrics, log: c.server.text }))
                for (const secret of [token, 'another-one', encodeURIComponent(token)])
                    if (text.includes(secret)) throw new Error(`${what} holds a token`);
        }], ['log', line]],
});

export default {
    name: 'modes',
    cases: [
        // signed
        may('signed: a user space', is_signed, {}, own(eve)), may('signed: a name of an account', is_signed, {}, [fresh('~@eve'), { [`~${eve.pub}`]: { '#': `~${eve.pub}` } }]),
        may('signed: a chunk', is_signed, {}, chunk(fresh('a#'))), may('signed: what is kept in memory only', is_signed, {}, [fresh('/RTC/'), { k: 1 }]),
        may_not('signed: what is nobody\'s', 'unsigned', is_signed, {}, [fresh('free'), { k: 1 }]), may_not('signed: a name without a key', 'unsigned', is_signed, {}, [fresh('~eve'), { k: 1 }]),
        {
            name: 'signed: one key that is nobody\'s, and nothing of the put is kept', server: is_signed,
            steps: (([soul, node], free) => [
                ['A', 'open'], ['A', '>', put('p', { [soul]: node, [free]: { k: 1 } }, at)], ['A', '<', err('p', 'unsigned')],
                ['A', '>', get('g', soul)], ['A', '<', none('g')], ['A', '=']])(own(eve), fresh('free')),
        },
        {
            name: 'signed: an answer keeps what is signed and loses what is nobody\'s', server: is_signed, acks: false,
            steps: (([soul, node], free) => [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('gb', soul)], ['B', '<', none('gb')], ['A', '<ask', ask(soul)],
                ['A', '>', answer('x', 'y', { [soul]: node, [free]: { k: 1 } }, at)], ['A', '<', err('x', 'unsigned')],
                ['B', '<', update({ [soul]: node }, at)],
                ['A', '>', get('g', free)], ['A', '<', none('g')], ['A', '='], ['B', '=']])(own(eve), fresh('free')),
        },

        // tokens
        shows('in the query', known), shows('in the query, beside others', { path: `/gun?a=b&token=another-one&c=d` }), shows('in the query, every letter escaped', { path: '/gun?token=' + [...'another-one'].map((c) => '%' + c.charCodeAt(0).toString(16)).join('') }),
        shows('in a header', { headers: { authorization: `Bearer ${token}` } }), shows('in a header, "bearer"', { headers: { authorization: 'bearer another-one' } }),
        shows('in a cookie', { headers: { cookie: `a=b; token=${token}; c=d` } }), shows('in a cookie, another in the query', { path: '/gun?token=nonsense1', headers: { cookie: `token=${token}` } }),
        may('a token in a message opens that message', is_signed, {}, [fresh('free'), { k: 1 }], in_message),
        shows_wrong('in the query', { path: '/gun?token=open+sesame' }), shows_wrong('escaped twice', { path: `/gun?token=${encodeURIComponent(encodeURIComponent(token))}` }), shows_wrong('that is a part of it', { path: '/gun?token=another-on' }),
        shows_wrong('that is very long', { path: `/gun?token=${'x'.repeat(3000)}` }), shows_wrong('in a header', { headers: { authorization: 'Bearer nonsense1' } }), shows_wrong('in a cookie', { headers: { cookie: 'token=nonsense1' } }),
        {
            name: 'what is no token of ours is no wrong token either', server: is_signed,
            steps: [
                ['A', 'open', { path: '/gun?xtoken=nonsense1&token=', headers: { authorization: 'Basic YTpi', cookie: 'mytoken=nonsense1' } }], ['A', '=']],
        },
        {
            name: 'a token in one message of a batch opens no other', server: is_signed,
            steps: ((a, b) => [
                ['A', 'open'], ['A', '>', [put('a', { [a]: { k: 1 } }, at, in_message), put('b', { [b]: { k: 1 } }, at)]],
                ['A', '<<', ok('a'), err('b', 'unsigned')], ['A', '>', put('c', { [b]: { k: 1 } }, at)], ['A', '<', err('c', 'unsigned')], ['A', '=']])(fresh('free'), fresh('free')),
        },
        {
            name: 'a wrong token in a message opens nothing, and what is none does no harm', server: is_signed,
            steps: ((soul) => [['A', 'open'], ...['nonsense1', '', 5, null, { token }, token + ' '].flatMap((wrong, i) => [
                ['A', '>', put(`p${i}`, { [soul]: { k: 1 } }, at, { headers: { token: wrong } })], ['A', '<', err(`p${i}`, 'unsigned')]]), ['A', '=']])(fresh('free')),
        },
        {
            name: 'a token is never passed on', server: is_signed,
            steps: ((soul) => [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('gb', soul)], ['B', '<', none('gb')],
                ['A', '>', put('p', { [soul]: { k: 1 } }, at, in_message)], ['A', '<', ok('p')], ['B', '<', update({ [soul]: { k: 1 } }, at)],
                ['A', '>', get('m', fresh('missing'), undefined, in_message)], ['A', '<', none('m')], ['B', '<ask', ask('{{?}}')],
                ['do', (c) => {
                    for (const [, text] of c.peer('B').frames) if (text.includes('sesame') || text.includes('headers')) throw new Error(text);
                    if (c.server.text.includes('sesame')) throw new Error('the log has it');
                }]])(fresh('free')),
        },

        // closed
        may('closed: the space of an allowed key', is_closed, {}, own(ann)), may('closed: what an allowed key certifies', is_closed, {}, inbox()), may('closed: the name of an allowed account', is_closed, {}, [fresh('~@ann'), { [`~${ann.pub}`]: { '#': `~${ann.pub}` } }]),
        may_not('closed: the space of another key', 'closed', is_closed, {}, own(eve)), may_not('closed: the space of another key, with a token', 'closed', is_closed, known, own(eve)),
        may_not('closed: the name of another account', 'closed', is_closed, {}, [fresh('~@eve'), { [`~${eve.pub}`]: { '#': `~${eve.pub}` } }]), may_not('closed: a chunk', 'closed', is_closed, {}, chunk(fresh('b#'))),
        may_not('closed: what is nobody\'s', 'closed', is_closed, {}, [fresh('free'), { k: 1 }]), may_not('closed: what is kept in memory only', 'closed', is_closed, {}, [fresh('/RTC/'), { k: 1 }]),
        may('closed, with a token: a chunk', is_closed, known, chunk(fresh('b#'))), may('closed, with a token: what is nobody\'s', is_closed, known, [fresh('free'), { k: 1 }]), may('closed, with a token: what is kept in memory only', is_closed, known, [fresh('/RTC/'), { k: 1 }]),
        may('closed, with a token in the message: what is nobody\'s', is_closed, {}, [fresh('free'), { k: 1 }], in_message),
        {
            name: 'closed: everybody reads', server: is_closed,
            steps: (([soul, node], free) => [
                ['A', 'open', known], ['A', '>', put('p', { [soul]: node, [free]: { k: 1 } }, at)], ['A', '<', ok('p')],
                ['B', 'open'], ['B', '>', get('g', soul), get('h', free)], ['B', '<<', found('g', { [soul]: node }, at), found('h', { [free]: { k: 1 } }, at)], ['B', '=']])(own(ann), fresh('free')),
        },
        roots('restart'), roots('kill'),
        {
            name: 'SIGHUP reads the allowed keys anew; a list that cannot be read changes nothing', server: { args: ['--write', 'closed', '--allow', list] }, alone: true,
            steps: [
                ['A', 'open'], ['A', '>', put_one('a1', own(ann)), put_one('e1', own(eve))], ['A', '<<', ok('a1'), err('e1', 'closed')],
                ['do', () => write_list(`${eve.pub} # Eve is one of us`)], hup(/SIGHUP: allowed keys now 1$/m),
                ['A', '>', put_one('a2', own(ann)), put_one('e2', own(eve))], ['A', '<<', err('a2', 'closed'), ok('e2')],
                ['do', () => write_list(ann.pub, 'nonsense')], hup(/SIGHUP: the allowed keys stay as they were: .*line 2/),
                ['A', '>', put_one('a3', own(ann)), put_one('e3', own(eve))], ['A', '<<', err('a3', 'closed'), ok('e3')],
                ['do', () => write_list(ann.pub)], hup(/SIGHUP: allowed keys now 1$/m),
                ['A', '>', put_one('a4', own(ann)), put_one('e4', own(eve))], ['A', '<<', ok('a4'), err('e4', 'closed')]],
            settle: false,
        },

        // the quota
        {
            name: 'chunks are taken up to hash-bytes, not above, and with a token above it', server: { args: [...is_signed.args, '--limit', 'hash-bytes=1000'] }, alone: true,
            steps: (([soul, big, more]) => [
                ['A', 'open'], ['A', '>', put_one('a', [soul, { [hash_of(big)]: big }])], ['A', '<', ok('a')],
                ['A', '>', put_one('b', [soul, { [hash_of(more)]: more }])], ['A', '<', err('b', 'quota')],
                ['A', '>', put_one('c', own(eve))], ['A', '<', ok('c')],
                ['B', 'open', known], ['B', '>', put_one('d', [soul, { [hash_of(more)]: more }])], ['B', '<', ok('d')], ['A', '='], ['B', '=']])([fresh('c#'), 'x'.repeat(700), 'y'.repeat(700)]),
        },

        // what is said of it
        says_modes(is_signed, 'signed', 0, true, /^write mode signed: .*\n.*write tokens open what is not signed\ncontent hashes at most 8\.0 GiB\n/m),
        says_modes(is_closed, 'closed', 1, true, /^write mode closed: .*\nallowed keys 1\n/m), says_modes(only_allow, 'closed', 1, false, /^write tokens none$/m),
        {
            name: 'who gives a token on the command line, or keys that mean nothing, is warned', server: { args: ['--allow', ann.pub, '--write-token', token] },
            steps: [['log', /^warning: without --write closed, --allow only says whose pins of audio count$/m, /^warning: --write-token means nothing in --write open$/m, /^warning: a token on the command line can be read/m]],
        },
    ],
};
