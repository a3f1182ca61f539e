// What may be written only by its owner: user spaces, aliases, chunks under their
// hash (protocol 9, 13.14, 13.15; core/sea.h). States and keys are fixed here, for a
// signature is over them.
import { certificate, hash_of, hex_of, make_pair, signature_of, signed, signed_with } from '../../tools/signer.mjs';
import { answer, denied, found, get, graph, none, ok, put, update } from '../lib/frames.mjs';
import { request } from '../lib/steps.mjs';

const [ann, bob, cid, eve] = [make_pair(), make_pair(), make_pair(), make_pair()];
const at = 1_795_210_000_000;
const unverified = 'Unverified data.';
const wrong_hash = 'Data hash not same as hash!';
const missing = 'certificate: missing, "*" names another writer';

let next = 0;
const fresh = (base = `~${ann.pub}/`) => `${base}s${next++}`;

// B listens, A writes: kept as it came, told as it came.
const taken = (name, soul, node, state = at) => ({
    name: `${name}: kept, told`,
    steps: [
        ['A', 'open'], ['B', 'open'], ['B', '>', get('gb', soul)], ['B', '<', none('gb')],
        ['A', '>', put('p', { [soul]: node }, state)], ['A', '<', ok('p')], ['B', '<', update({ [soul]: node }, state)],
        ['A', '>', get('g', soul)], ['A', '<', found('g', { [soul]: node }, state)], ['A', '='], ['B', '=']],
});

// `text(soul)` stands as value of k.
const good = (name, text, state) => {
    const soul = fresh();
    return taken(name, soul, { k: text(soul) }, state);
};

const refused = (name, why, soul, key, value, state = at) => ({
    name: `${name}: one err, nothing kept, nobody told`,
    steps: [
        ['A', 'open'], ['B', 'open'], ['B', '>', get('gb', soul, key)], ['B', '<', none('gb')],
        ['A', '>', put('p', { [soul]: { [key]: value } }, state)], ['A', '<', denied('p', why, soul, key)],
        ['A', '>', get('g', soul, key)], ['A', '<', none('g')], ['A', '='], ['B', '=']],
});

const bad = (name, text, why = unverified, state = at) => {
    const soul = fresh();
    return refused(name, why, soul, 'k', text(soul), state);
};

const by_ann = (soul, value, key = 'k', state = at) => signed(ann, soul, key, value, state);
const with_parts = (text, change) => {
    const whole = JSON.parse(text);
    change(whole);
    return JSON.stringify(whole);
};

// One signature in fifteen has neither "+" nor "/": in the letters of URLs it is the same.
const with_sign = (soul) => {
    for (;;) {
        const text = by_ann(soul, 'x');
        if (/[+/]/.test(JSON.parse(text)['~'])) return text;
    }
};

// Of a client of 2019: the four joined with commas.
const of_2019 = (pair, soul, key, value, state) =>
    `SEA${JSON.stringify({ m: [soul, key, value, state], s: signature_of(pair, [soul, key, value, state].join(',')) })}`;

// An object in another order than it was signed in.
function sorted_elsewhere(soul)
{
    const text = `{"#":${JSON.stringify(soul)},".":"k",":":{"a":2,"b":1},">":${at}}`;
    return `{":":{"b":1,"a":2},"~":"${signature_of(ann, text)}"}`;
}

const users = [
    { name: 'an account as user.create makes it: plain pub, the rest signed', ...account() },
    good('a text', (s) => by_ann(s, 'hello')), good('an empty text', (s) => by_ann(s, '')), good('what is not ASCII', (s) => by_ann(s, 'é 😀 \u2028 " \\ \n')),
    good('a number', (s) => by_ann(s, 42)), good('a fraction', (s) => by_ann(s, 0.1)), good('true', (s) => by_ann(s, true)), good('null, which is how a value is taken away', (s) => by_ann(s, null)),
    good('a link', (s) => by_ann(s, { '#': 'elsewhere' })), good('an object, in its order', (s) => by_ann(s, { b: 1, a: [{ d: 1, c: null }] })), good('an object, signed sorted', sorted_elsewhere),
    good('a text that looks like a number', (s) => by_ann(s, '5')), good('a state with a fraction', (s) => by_ann(s, 'x', 'k', at + 0.125), at + 0.125),
    good('a "SEA" in front', (s) => `SEA${by_ann(s, 'hello')}`), good('the form of 2019', (s) => of_2019(ann, s, 'k', 'old', at)),
    good('white space, other order, other members', (s) => `\n{ "x":[1], "~" : ${JSON.stringify(JSON.parse(by_ann(s, 1))['~'])} ,\t":":1}`),
    ...[`app~${ann.pub}`, `~${ann.pub.replace('.', '/')}`, `a/b~${ann.pub}/c`, `~${ann.pub}~${eve.pub}`].map((soul) =>
        taken(`a soul like ${soul.replaceAll(ann.pub, 'ANN').replaceAll(eve.pub, 'EVE').replace(ann.pub.replace('.', '/'), 'A/NN')}`, soul, { k: by_ann(soul, 1) })),
    bad('the value of another', (s) => signed(eve, s, 'k', 'x', at)), bad('of another soul', (s) => by_ann(`${s}/x`, 'x')), bad('of another key', (s) => by_ann(s, 'x', 'l')),
    bad('of another state', (s) => by_ann(s, 'x', 'k', at - 1)), bad('of a fraction of a millisecond before', (s) => by_ann(s, 'x', 'k', at - 0.5)), bad('another value', (s) => with_parts(by_ann(s, 'x'), (w) => { w[':'] = 'y'; })),
    bad('a number for a text', (s) => with_parts(by_ann(s, '5'), (w) => { w[':'] = 5; })), bad('one key more in an object', (s) => with_parts(by_ann(s, { a: 1 }), (w) => { w[':'].b = 1; })),
    ...[['a text', 'x'], ['a number', 5], ['true', true], ['null', null], ['a link', { '#': 'x' }], ['a text that is JSON', '{"a":1}'], ['a signature of no value', '{"~":"AA=="}']].map(([what, value]) =>
        bad(`${what}, not signed`, () => value)),
    bad('a signature in the letters of URLs', (s) => with_parts(with_sign(s), (w) => { w['~'] = Buffer.from(w['~'], 'base64').toString('base64url'); })),
    bad('a signature of zeros', (s) => with_parts(by_ann(s, 'x'), (w) => { w['~'] = Buffer.alloc(64).toString('base64'); })),
    bad('a signature of a byte less', (s) => with_parts(by_ann(s, 'x'), (w) => { w['~'] = Buffer.from(w['~'], 'base64').subarray(1).toString('base64'); })),
    bad('a signature that is no text', (s) => with_parts(by_ann(s, 'x'), (w) => { w['~'] = [w['~']]; })),
    bad('another prefix than "SEA"', (s) => `SEE${by_ann(s, 'hello')}`),
    bad('the form of 2019, by another', (s) => of_2019(eve, s, 'k', 'old', at)), bad('the form of 2019, of another soul', (s) => of_2019(ann, `${s}/x`, 'k', 'old', at)),
    bad('the form of 2019, over "[object Object]"', (s) => `SEA${JSON.stringify({ m: [s, 'k', { a: 1 }, at], s: signature_of(ann, `${s},k,[object Object],${at}`) })}`),
    bad('the form before 2019, which says no soul and no key', () => `SEA${JSON.stringify({ m: 'old', s: signature_of(ann, 'old') })}`, unverified, 1_500_000_000_000),
    refused('a soul with half a key', unverified, `~${ann.pub.slice(0, 20)}.x`, 'k', by_ann(`~${ann.pub.slice(0, 20)}.x`, 'x')),
    refused('a key that is no point of the curve', unverified, `~${'A'.repeat(43)}.${'A'.repeat(43)}`, 'k', signed(eve, `~${'A'.repeat(43)}.${'A'.repeat(43)}`, 'k', 'x', at)),
    refused('the account of another', 'Account not same!', `~${bob.pub}`, 'pub', eve.pub), refused('no account', 'Account not same!', `~${cid.pub}`, 'pub', null),
];

function account()
{
    const soul = `~${ann.pub}`;
    const auth = JSON.stringify({ ek: { ct: 'AA', iv: 'BB', s: 'CC' }, s: 'salt' });
    const node = { pub: ann.pub, alias: by_ann(soul, 'ann', 'alias'), epub: by_ann(soul, ann.epub, 'epub'), auth: by_ann(soul, auth, 'auth') };
    const links = { '~@ann': { [soul]: { '#': soul } } };
    return { steps: [
        ['A', 'open'], ['A', '>', put('p', { [soul]: node, ...links }, at)], ['A', '<', ok('p')],
        ['A', '>', get('g', soul)], ['A', '<', found('g', { [soul]: node }, at)],
        ['A', '>', get('h', '~@ann')], ['A', '<', found('h', links, at)]] };
}

// Bob, by a certificate of Ann that says `terms`.
const certified = (name, terms, path = 'inbox', key = 'k', bearer = bob) => {
    const soul = `~${ann.pub}/${path}${next++}`;
    return taken(`by certificate, ${name}`, soul, { [key]: signed_with(certificate(ann, terms), bearer, soul, key, 'hi', at) });
};
const uncertified = (name, why, terms, { issuer = ann, bearer = bob, path = 'inbox', key = 'k', state = at } = {}) => {
    const soul = `~${ann.pub}/${path}${next++}`;
    return refused(`by certificate, ${name}`, why, soul, key, signed_with(certificate(issuer, terms), bearer, soul, key, 'hi', state), state);
};
const begins = { '*': 'inbox' };

const certificates = [
    certified('for one', { c: bob.pub, w: begins }), certified('for two', { c: [cid.pub, bob.pub], w: begins }), certified('for all', { c: '*', w: begins }), certified('for all, in a list', { c: ['*'], w: begins }),
    certified('for a path and key by name', { c: '*', w: `own${next}/k` }, 'own'), certified('for paths and keys', { c: '*', w: { '#': begins, '.': { '*': 'k' } } }), certified('for keys', { c: '*', w: { '.': 'k' } }),
    certified('for paths', { c: '*', w: { '#': begins } }), certified('for one of a list', { c: '*', w: [{ '*': 'nowhere' }, begins] }), certified('until the state', { c: '*', e: at + 1e12, w: begins }),
    certified('for keys that name their writer', { c: '*', w: { '*': 'inbox', '+': '*' } }, 'inbox', `from ${bob.pub}`), certified('in an order that gun relays do not verify', { w: { '>': 'inbox', '<': 'z' }, c: '*' }),
    uncertified('of another owner', 'certificate: not signed by the owner of this space', { c: '*', w: begins }, { issuer: eve }),
    uncertified('for another', 'certificate: its bearer is not certified', { c: cid.pub, w: begins }), uncertified('for two others', 'certificate: its bearer is not certified', { c: [cid.pub, eve.pub], w: begins }),
    uncertified('that allows reading', 'certificate: it allows no writing', { c: '*', r: begins }), uncertified('for another path', 'Certificate verification fail.', { c: '*', w: { '*': 'outbox' } }),
    uncertified('for another key', 'Certificate verification fail.', { c: '*', w: { '.': 'l' } }), uncertified('that was over at the state', 'Certificate expired.', { c: '*', e: at - 1, w: begins }),
    uncertified('that is over by now, with a state dated back (13.15)', 'Certificate expired.', { c: '*', e: 1_700_000_000_000, w: begins }, { state: 1_600_000_000_000 }),
    uncertified('for keys that name their writer, without the name', `Path "inbox${next}" or key "k" must contain string "${bob.pub}".`, { c: '*', w: { '*': 'inbox', '+': '*' } }),
    bad('a "*" and no certificate: anybody, anywhere (13.14; gun.js: accepted)', (s) => signed(eve, s, 'k', 'x', at, { '*': eve.pub }), missing),
    bad('a "*" and a certificate that is a text (13.14; gun.js: accepted)', (s) => signed(eve, s, 'k', 'x', at, { '+': `SEA${JSON.stringify(certificate(ann, { c: '*', w: '*' }))}`, '*': eve.pub }), missing),
    bad('a certificate and a value signed by another than "*"', (s) => signed(eve, s, 'k', 'x', at, { '+': certificate(ann, { c: '*', w: { '*': 's' } }), '*': bob.pub })),
    {
        name: 'a bearer on the owner\'s list is refused from then on, and what he wrote before stays',
        steps: (() => {
            const soul = fresh(`~${ann.pub}/inbox`), list = fresh(`~${ann.pub}/list`);
            const cert = certificate(ann, { c: '*', w: begins, wb: list });
            const one = signed_with(cert, bob, soul, 'a', 1, at), two = signed_with(cert, bob, soul, 'b', 2, at);
            return [
                ['A', 'open'], ['A', '>', put('a', { [soul]: { a: one } }, at)], ['A', '<', ok('a')],
                ['A', '>', put('l', { [list]: { [bob.pub]: by_ann(list, true, bob.pub) } }, at)], ['A', '<', ok('l')],
                ['A', '>', put('b', { [soul]: { b: two } }, at)], ['A', '<', denied('b', `Certificant ${bob.pub} blocked.`, soul, 'b')],
                ['A', '>', get('g', soul)], ['A', '<', found('g', { [soul]: { a: one } }, at)],
                // What a peer passes on is not asked whether he is blocked today.
                ['A', '>', answer('w', 'zz', { [soul]: { b: two } }, at)], ['A', '>', get('h', soul)], ['A', '<', found('h', { [soul]: { a: one, b: two } }, at)]];
        })(),
    },
];

const aliases = [
    taken('the list of aliases', '~@', { ann: { '#': '~@ann' } }),
    taken('an alias that links to accounts', '~@bob', { [`~${bob.pub}`]: { '#': `~${bob.pub}` }, [`~${cid.pub}`]: { '#': `~${cid.pub}` } }),
    ...[['null', null], ['false', false], ['0', 0], ['an empty text', '']].flatMap(([what, value]) => [
        refused(`${what} in the list of aliases`, 'Data must exist!', '~@', `n${next++}`, value),
        refused(`${what} in an alias`, 'Alias must exist!', `~@n${next++}`, `~${ann.pub}`, value)]),
    ...[['a text', '~@x'], ['another link', { '#': '~@other' }], ['true', true], ['the key without its "~@"', { '#': 'x' }]].map(([what, value]) =>
        refused(`${what} in the list of aliases`, 'Alias not same!', '~@', 'x', value)),
    refused('a link to another account in an alias', 'Alias not same!', '~@carl', `~${ann.pub}`, { '#': `~${eve.pub}` }),
];

const chunk = (name, value, key) => taken(`a chunk: ${name}`, fresh('files#'), { [key]: value });
const no_chunk = (name, value, key) => refused(`no chunk: ${name}`, wrong_hash, fresh('files#'), key, value);
const second = hash_of('the second');

const chunks = [
    chunk('a text', 'hello', hash_of('hello')), chunk('a text with escapes', 'é 😀 " \\ \n\u0001\u2028', hash_of('é 😀 " \\ \n\u0001\u2028')), chunk('an empty text', '', hash_of('')),
    chunk('a number', 42, hash_of(42)), chunk('true', true, hash_of(true)), chunk('null under its own hash', null, hash_of(null)), chunk('a link', { '#': 'x' }, hash_of({ '#': 'x' })),
    chunk('under hexadecimal', 'hex', hex_of('hex')), chunk('under capital hexadecimal', 'hex', hex_of('hex').toUpperCase()), chunk('with something before its "#"', 'n', `000001#${hash_of('n')}`),
    chunk('of 100 KB', 'x'.repeat(100_000), hash_of('x'.repeat(100_000))),
    no_chunk('the hash of another', 'b', hash_of('a')), no_chunk('the hexadecimal of another', 'b', hex_of('a')), no_chunk('no hash', 'b', 'k'), no_chunk('a hash cut short', 'a', hash_of('a').slice(0, 43)),
    no_chunk('the letters of URLs', 'a?>', Buffer.from(hash_of('a?>'), 'base64').toString('base64url')), no_chunk('hexadecimal with something behind', 'a', `${hex_of('a')}00`),
    no_chunk('junk that gun reads as hexadecimal zeros', 'a', 'zz'.repeat(32)), no_chunk('a hash that is not at the end', 'a', `${hash_of('a')}#1`), no_chunk('a number under the hash of its text in quotes', '5', hash_of('"5"')),
    {
        name: 'a chunk cannot be changed or taken away, and the same chunk is not told again',
        steps: [
            ['A', 'open'], ['B', 'open'], ['B', '>', get('gb', 'again#')], ['B', '<', none('gb')],
            ['A', '>', put('a', { 'again#': { [second]: 'the second' } }, at)], ['A', '<', ok('a')], ['B', '<', update({ 'again#': { [second]: 'the second' } }, at)],
            ['A', '>', put('b', { 'again#': { [second]: null } }, at + 1)], ['A', '<', denied('b', wrong_hash, 'again#', second)],
            ['A', '>', put('c', { 'again#': { [second]: 'another' } }, at + 1)], ['A', '<', denied('c', wrong_hash, 'again#', second)],
            ['A', '>', put('d', { 'again#': { [second]: 'the second' } }, at + 1)], ['A', '<', ok('d')],
            ['A', '>', get('g', 'again#')], ['A', '<', found('g', { 'again#': { [second]: 'the second' } }, at)], ['B', '=']],
    },
];

// Twenty good keys, and what else stands among them.
function twenty(soul)
{
    const node = {};
    for (let i = 0; i < 20; i++) node[`g${i}`] = by_ann(soul, i, `g${i}`);
    return node;
}
const forged = (soul, key) => signed(eve, soul, key, 'x', at);

const beside = [
    {
        name: 'one forged key beside 20 good ones in a put: all is refused with one err, nothing kept or told',
        steps: (() => {
            const soul = fresh();
            return [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('gb', soul)], ['B', '<', none('gb')],
                ['A', '>', put('p', { [soul]: { ...twenty(soul), f: forged(soul, 'f') } }, at)], ['A', '<', denied('p', unverified, soul, 'f')],
                ['A', '>', get('g', soul)], ['A', '<', none('g')], ['A', '='], ['B', '=']];
        })(),
    },
    {
        name: 'a forged key in one soul takes an unsigned soul beside it along',
        steps: (() => {
            const soul = fresh(), plain = fresh('plain');
            return [
                ['A', 'open'], ['A', '>', put('p', { [plain]: { a: 1 }, [soul]: { f: forged(soul, 'f') } }, at)], ['A', '<', denied('p', unverified, soul, 'f')],
                ['A', '>', get('g', plain)], ['A', '<', none('g')], ['A', '=']];
        })(),
    },
    {
        name: 'one forged key beside 20 good ones in an answer: the 20 are kept and told, the sender is told once',
        steps: (() => {
            const soul = fresh(), node = twenty(soul);
            return [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('gb', soul)], ['B', '<', none('gb')],
                ['A', '>', answer('a', 'zz', { [soul]: { ...node, f: forged(soul, 'f') } }, at)], ['A', '<', denied('a', unverified, soul, 'f')],
                ['A', '>', get('g', soul)], ['A', '<', found('g', { [soul]: node }, at)], ['B', '<', update({ [soul]: node }, at)], ['A', '='], ['B', '=']];
        })(),
    },
    {
        name: 'of an answer with forged keys only nothing is kept, and the sender is told once',
        steps: (() => {
            const soul = fresh(), node = {};
            for (let i = 0; i < 20; i++) node[`f${i}`] = forged(soul, `f${i}`);
            return [
                ['A', 'open'], ['A', '>', answer('a', 'zz', { [soul]: node }, at)], ['A', '<', denied('a', unverified, soul, '{{/^f\\d+$/}}')],
                ['A', '>', get('g', soul)], ['A', '<', none('g')], ['A', '=']];
        })(),
    },
];

// A put of `count` signed keys that nobody has sent before.
const many = (soul, count) => graph({ [soul]: Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, by_ann(soul, i, `k${i}`)])) }, at);

const order = [
    {
        name: 'a get behind a signed put in one batch sees it',
        steps: (() => {
            const soul = fresh(), text = by_ann(soul, 'first');
            return [
                ['A', 'open'], ['A', '>', [put('p', { [soul]: { k: text } }, at), get('g', soul)]],
                ['A', '<<', ok('p'), found('g', { [soul]: { k: text } }, at)], ['A', '=']];
        })(),
    },
    {
        name: 'a get behind a signed put of 40 keys in one batch sees all of it',
        steps: (() => {
            const soul = fresh(), message = { '#': 'p', put: many(soul, 40) };
            return [
                ['A', 'open'], ['A', '>', [message, get('g', soul)]],
                ['A', '<<', ok('p'), { '#': '{{?}}', '@': 'g', put: message.put }], ['A', '=']];
        })(),
    },
    {
        name: 'a get behind a forged put in one batch sees nothing',
        steps: (() => {
            const soul = fresh();
            return [
                ['A', 'open'], ['A', '>', [put('p', { [soul]: { k: forged(soul, 'k') } }, at), get('g', soul)]],
                ['A', '<<', denied('p', unverified, soul, 'k'), none('g')], ['A', '=']];
        })(),
    },
    {
        name: 'good and forged puts in one batch are each answered once, and only the good are there',
        steps: (() => {
            const souls = Array.from({ length: 30 }, () => fresh());
            const bads = (i) => i % 3 === 1;
            return [
                ['A', 'open'], ['A', '>', souls.map((soul, i) => put(`p${i}`, { [soul]: { k: bads(i) ? forged(soul, 'k') : by_ann(soul, i) } }, at))],
                ['A', '<<', ...souls.map((soul, i) => (bads(i) ? denied(`p${i}`, unverified, soul, 'k') : ok(`p${i}`)))],
                ['A', '>', ...souls.map((soul, i) => get(`g${i}`, soul, 'l'))], ['A', '<<', ...souls.map((_, i) => none(`g${i}`))],
                ...souls.flatMap((soul, i) => [['A', '>', get(`h${i}`, soul, 'k')], bads(i) ? ['A', '<', none(`h${i}`)] : ['A', '<', { '#': '{{?}}', '@': `h${i}`, put: '{{kept' + i + '}}' }]])];
        })(),
    },
    {
        name: 'of two signed values the newer stays, in whatever order they come; who comes late is told',
        steps: (() => {
            const soul = fresh(), old = by_ann(soul, 'old', 'k', at), young = by_ann(soul, 'new', 'k', at + 1);
            return [
                ['A', 'open'], ['A', '>', [put('n', { [soul]: { k: young } }, at + 1), put('o', { [soul]: { k: old } }, at)]],
                ['A', '<<', ok('n'), ok('o'), update({ [soul]: { k: young } }, at + 1)], ['A', '>', get('g', soul)], ['A', '<', found('g', { [soul]: { k: young } }, at + 1)], ['A', '=']];
        })(),
    },
    {
        name: 'a signed value whose state is ahead is verified at once: the good one gets its ok, the forged its err',
        steps: (() => {
            const ahead = Date.now() + 3_600_000, soul = fresh();
            return [
                ['A', 'open'], ['A', '>', put('p', { [soul]: { a: by_ann(soul, 1, 'a', ahead) } }, ahead)], ['A', '<', ok('p')],
                ['A', '>', put('q', { [soul]: { b: signed(eve, soul, 'b', 1, ahead) } }, ahead)], ['A', '<', denied('q', unverified, soul, 'b')], ['A', '=']];
        })(),
    },
];

const counters = async (c) => {
    const { body } = await request(c.server, 'GET /metrics');
    return (name) => Number(new RegExp(`^brasa_${name}(?:_total)? (\\d+)$`, 'm').exec(body)?.[1]);
};
const noted = (name) => ['do', async (c) => { c.noted = (await counters(c))(name); }];
const grown = (name, by) => ['do', async (c) => {
    const now = (await counters(c))(name);
    if (now - c.noted !== by) throw new Error(`${name} went from ${c.noted} to ${now}, not by ${by}`);
}];

const cost = [
    {
        name: 'what is known or stale costs no curve, not even when it is forged',
        alone: true,
        steps: (() => {
            const soul = fresh(), text = by_ann(soul, 1), stale = signed(eve, soul, 'k', 'x', at - 1);
            return [
                ['A', 'open'], ['A', '>', put('p', { [soul]: { k: text } }, at)], ['A', '<', ok('p')], noted('verify_curves'),
                ['A', '>', put('q', { [soul]: { k: text } }, at)], ['A', '<', ok('q')],
                ['A', '>', put('r', { [soul]: { k: stale } }, at - 1)], ['A', '<<', ok('r'), update({ [soul]: { k: text } }, at)],
                ['A', '='], grown('verify_curves', 0)];
        })(),
    },
    {
        name: 'a forgery that is sent again costs one curve in all, and gets its err each time',
        alone: true,
        steps: (() => {
            const soul = fresh(), text = forged(soul, 'k');
            return [
                ['A', 'open'], noted('verify_curves'),
                ['A', '>', ...Array.from({ length: 50 }, (_, i) => put(`p${i}`, { [soul]: { k: text } }, at))],
                ['A', '<<', ...Array.from({ length: 50 }, (_, i) => denied(`p${i}`, unverified, soul, 'k'))],
                ['A', '='], grown('verify_curves', 1)];
        })(),
    },
    {
        name: '2,000 bad signatures at once get an err each, in their order; others are served meanwhile',
        steps: (() => {
            const soul = fresh();
            const flood = Array.from({ length: 2000 }, (_, i) => put(`p${i}`, { [soul]: { k: random_signature(i) } }, at));
            return [
                ['A', 'open'], ['B', 'open'], ['A', '>', ...flood],
                ['B', '>', put('b', { [fresh('plain')]: { a: 1 } }, at)], ['B', '<', ok('b')],
                ['A', '<', ...flood.map((_, i) => denied(`p${i}`, unverified, soul, 'k'))], ['A', '='],
                ['A', '>', get('g', soul)], ['A', '<', none('g')], ['B', '=']];
        })(),
    },
    {
        name: 'who leaves while his signatures are verified is forgotten, and the server serves on',
        settle: false,
        steps: (() => {
            const soul = fresh();
            return [
                ['A', 'open'], ['B', 'open'], ['A', '>', ...Array.from({ length: 300 }, (_, i) => put(`p${i}`, { [soul]: { k: random_signature(-1 - i) } }, at))],
                ['A', 'drop'], ['B', '>', put('b', { [soul]: { k: by_ann(soul, 1) } }, at)], ['B', '<', ok('b')], ['B', '=']];
        })(),
    },
];

// Two numbers below the order of the curve, so that all of the work has to be done.
function random_signature(i)
{
    const bytes = Buffer.alloc(64, 0x5a);
    bytes.writeInt32BE(i, 12);
    bytes.writeInt32BE(i, 44);
    return JSON.stringify({ ':': i, '~': bytes.toString('base64') });
}

export default {
    name: 'signed',
    cases: [...users, ...certificates, ...aliases, ...chunks, ...beside, ...order, ...cost],
};
