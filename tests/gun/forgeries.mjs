/* forgeries.mjs - writes that a relay must not take, and what it says to each.
 *
 * Made on the wire, without gun: Ann's space, Bob's certificates, Eve who sends.
 * {sentence: who => {soul, key, value, state, err}}; what a forgery leaves out is a
 * key `k` in a soul of its own in Ann's space, written just now.
 */
import { certificate, hash_of, hex_of, signed, signed_with } from '../tools/signer.mjs';

const unverified = 'Unverified data.';
const wrong_hash = 'Data hash not same as hash!';
const missing = 'certificate: missing, "*" names another writer';
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/* Another bit in the character at `at` of a base64 text. */
function flip(text, at)
{
    const digit = alphabet.indexOf(text[at]);
    if (digit < 0) throw new Error(`no base64 at ${at}: ${text[at]}`);
    return text.slice(0, at) + alphabet[digit ^ 32] + text.slice(at + 1);
}

/* The signed text with one of its parts changed. */
function changed(text, change)
{
    const whole = JSON.parse(text);
    change(whole);
    return JSON.stringify(whole);
}

const unsigned_values = { 'a text': 'x', 'an empty text': '', 'a number': 5, 'a yes': true, 'a null': null, 'a link': { '#': 'x' },
    'a text that is JSON': '{"a":1}', 'a signature without a value': '{"~":"AA=="}', 'a value without a signature': '{":":1}' };

function unsigned_forgeries()
{
    const made = {};
    for (const [what, value] of Object.entries(unsigned_values)) {
        made[`${what} that is not signed`] = () => ({ value, err: unverified });
        made[`${what} over what the owner signed`] = ({ own }) => ({ ...own, value, state: own.state + 1, err: unverified });
    }
    return made;
}

const signature_forgeries = {
    'a value signed by another': ({ eve, soul, state }) => ({ value: signed(eve, soul, 'k', 'v', state), err: unverified }),
    'a value signed by another, in the root of the space': ({ ann, eve, state }) =>
        ({ soul: '~' + ann.pub, key: 'motto', value: signed(eve, '~' + ann.pub, 'motto', 'v', state), err: unverified }),
    'a value signed by another, in a space named in the middle of a soul': ({ ann, eve, fresh, state }) => {
        const soul = `${fresh}~${ann.pub}/x`;
        return { soul, value: signed(eve, soul, 'k', 'v', state), err: unverified };
    },
    'another value under a signature': ({ ann, soul, state }) =>
        ({ value: changed(signed(ann, soul, 'k', 'v', state), w => { w[':'] = 'w'; }), err: unverified }),
    'a number for the same text under a signature': ({ ann, soul, state }) =>
        ({ value: changed(signed(ann, soul, 'k', '5', state), w => { w[':'] = 5; }), err: unverified }),
    'a signature moved to another key': ({ ann, soul, state }) =>
        ({ key: 'other', value: signed(ann, soul, 'k', 'v', state), err: unverified }),
    'a signature moved to another soul of the space': ({ ann, soul, state }) =>
        ({ soul: soul + '/other', value: signed(ann, soul, 'k', 'v', state), err: unverified }),
    'a signature moved to another time': ({ ann, soul, state }) =>
        ({ value: signed(ann, soul, 'k', 'v', state), state: state + 1, err: unverified }),
    'a signature moved to a fraction of a millisecond later': ({ ann, soul, state }) =>
        ({ value: signed(ann, soul, 'k', 'v', state), state: state + 0.001, err: unverified }),
    'a signature with one bit changed in its first half': ({ ann, soul, state }) =>
        ({ value: changed(signed(ann, soul, 'k', 'v', state), w => { w['~'] = flip(w['~'], 3); }), err: unverified }),
    'a signature with one bit changed in its second half': ({ ann, soul, state }) =>
        ({ value: changed(signed(ann, soul, 'k', 'v', state), w => { w['~'] = flip(w['~'], 70); }), err: unverified }),
    'a signature cut short': ({ ann, soul, state }) =>
        ({ value: changed(signed(ann, soul, 'k', 'v', state), w => { w['~'] = w['~'].slice(0, 40); }), err: unverified }),
    'a signature of zeros': ({ ann, soul, state }) =>
        ({ value: changed(signed(ann, soul, 'k', 'v', state), w => { w['~'] = Buffer.alloc(64).toString('base64'); }), err: unverified }),
    'a signature that is no text': ({ ann, soul, state }) =>
        ({ value: changed(signed(ann, soul, 'k', 'v', state), w => { w['~'] = { a: 1 }; }), err: unverified }),
    'a value in the space of a key that is no point of the curve': ({ eve, fresh, state }) => {
        const soul = `~${'A'.repeat(43)}.${'A'.repeat(43)}/${fresh}`;
        return { soul, value: signed(eve, soul, 'k', 'v', state), err: unverified };
    },
    'a value in the space of a key cut short': ({ ann, fresh, state }) => {
        const soul = `~${ann.pub.slice(0, -3)}/${fresh}`;
        return { soul, value: signed(ann, soul, 'k', 'v', state), err: unverified };
    },
    'another account\'s key in an account': ({ ann, eve }) => ({ soul: '~' + ann.pub, key: 'pub', value: eve.pub, err: 'Account not same!' }),
    'an account\'s key signed instead of plain': ({ ann, state }) =>
        ({ soul: '~' + ann.pub, key: 'pub', value: signed(ann, '~' + ann.pub, 'pub', ann.pub, state), err: 'Account not same!' }),
    'no key in an account': ({ ann }) => ({ soul: '~' + ann.pub, key: 'pub', value: null, err: 'Account not same!' }),
};

const certificate_forgeries = {
    'a writer named by "*" who shows no certificate (protocol.md 13, 14)': ({ eve, soul, state }) =>
        ({ value: signed(eve, soul, 'k', 'v', state, { '*': eve.pub }), err: missing }),
    'a certificate that is a text': ({ ann, eve, soul, state }) => {
        const cert = 'SEA' + JSON.stringify(certificate(ann, { c: eve.pub, w: { '*': '' } }));
        return { value: signed(eve, soul, 'k', 'v', state, { '+': cert, '*': eve.pub }), err: missing };
    },
    'a certificate without its signature': ({ eve, soul, state }) =>
        ({ value: signed(eve, soul, 'k', 'v', state, { '+': { m: { c: '*', w: 'x' } }, '*': eve.pub }), err: missing }),
    'a certificate that is empty': ({ eve, soul, state }) =>
        ({ value: signed(eve, soul, 'k', 'v', state, { '+': {}, '*': eve.pub }), err: missing }),
    'a writer named by "*" who is a number': ({ eve, soul, state }) =>
        ({ value: signed(eve, soul, 'k', 'v', state, { '*': 1 }), err: unverified }),
    'the owner named by "*", signed by another': ({ ann, eve, soul, state }) =>
        ({ value: signed(eve, soul, 'k', 'v', state, { '*': ann.pub }), err: unverified }),
    'a certificate that the writer signed': ({ eve, soul, state }) =>
        ({ value: signed_with(certificate(eve, { c: eve.pub, w: { '*': 'f' } }), eve, soul, 'k', 'v', state),
            err: 'certificate: not signed by the owner of this space' }),
    'a certificate of the owner, changed to name another bearer': ({ ann, bob, eve, soul, state }) => {
        const cert = certificate(ann, { c: bob.pub, w: { '*': 'f' } });
        return { value: signed_with({ ...cert, m: { ...cert.m, c: eve.pub } }, eve, soul, 'k', 'v', state),
            err: 'certificate: not signed by the owner of this space' };
    },
    'a certificate of the owner, its signature with one bit changed': ({ ann, eve, soul, state }) => {
        const cert = certificate(ann, { c: eve.pub, w: { '*': 'f' } });
        return { value: signed_with({ ...cert, s: flip(cert.s, 5) }, eve, soul, 'k', 'v', state),
            err: 'certificate: not signed by the owner of this space' };
    },
    'a certificate of another': ({ ann, bob, eve, soul, state }) =>
        ({ value: signed_with(certificate(ann, { c: bob.pub, w: { '*': 'f' } }), eve, soul, 'k', 'v', state),
            err: 'certificate: its bearer is not certified' }),
    'a certificate for two others': ({ ann, bob, cid, eve, soul, state }) =>
        ({ value: signed_with(certificate(ann, { c: [bob.pub, cid.pub], w: { '*': 'f' } }), eve, soul, 'k', 'v', state),
            err: 'certificate: its bearer is not certified' }),
    'a certificate and another\'s name as its bearer': ({ ann, bob, eve, soul, state }) => {
        const cert = certificate(ann, { c: bob.pub, w: { '*': 'f' } });
        return { value: signed(eve, soul, 'k', 'v', state, { '+': cert, '*': bob.pub }), err: unverified };
    },
    'a certificate that allows reading only': ({ ann, eve, soul, state }) =>
        ({ value: signed_with(certificate(ann, { c: eve.pub, r: { '*': 'f' } }), eve, soul, 'k', 'v', state),
            err: 'certificate: it allows no writing' }),
    'a certificate for another path': ({ ann, eve, soul, state }) =>
        ({ value: signed_with(certificate(ann, { c: eve.pub, w: { '*': 'inbox' } }), eve, soul, 'k', 'v', state),
            err: 'Certificate verification fail.' }),
    'a certificate for no path at all': ({ ann, eve, soul, state }) =>
        ({ value: signed_with(certificate(ann, { c: eve.pub, w: {} }), eve, soul, 'k', 'v', state), err: 'Certificate verification fail.' }),
    'a certificate that was over when the state says': ({ ann, eve, soul, state }) =>
        ({ value: signed_with(certificate(ann, { c: eve.pub, e: state - 1, w: { '*': 'f' } }), eve, soul, 'k', 'v', state),
            err: 'Certificate expired.' }),
    'a certificate that is over by now, dated back': ({ ann, eve, soul, state }) =>
        ({ value: signed_with(certificate(ann, { c: eve.pub, e: state - 5000, w: { '*': 'f' } }), eve, soul, 'k', 'v', state - 6000),
            state: state - 6000, err: 'Certificate expired.' }),
    'a certificate over the account itself': ({ ann, eve, state }) => {
        const soul = '~' + ann.pub, cert = certificate(ann, { c: eve.pub, w: 'pub' });
        return { soul, key: 'pub', value: signed_with(cert, eve, soul, 'pub', eve.pub, state), err: 'Account not same!' };
    },
    'a certificate for a folder of one\'s own name without the name': ({ ann, eve, fresh, state }) => {
        const soul = `~${ann.pub}/inbox`, key = fresh;
        return { soul, key, value: signed_with(certificate(ann, { c: '*', w: { '*': 'inbox', '+': '*' } }), eve, soul, key, 'v', state),
            err: `Path "inbox" or key "${key}" must contain string "${eve.pub}".` };
    },
};

const alias_forgeries = {
    'an alias that names another alias': ({ fresh }) => ({ soul: '~@', key: fresh, value: { '#': '~@another' }, err: 'Alias not same!' }),
    'an alias that is a text': ({ fresh }) => ({ soul: '~@', key: fresh, value: '~@' + fresh, err: 'Alias not same!' }),
    'an alias that is null': ({ fresh }) => ({ soul: '~@', key: fresh, value: null, err: 'Data must exist!' }),
    'a name in an alias that leads to another account': ({ ann, eve, fresh }) =>
        ({ soul: '~@' + fresh, key: '~' + ann.pub, value: { '#': '~' + eve.pub }, err: 'Alias not same!' }),
    'a name in an alias that is a text': ({ ann, fresh }) =>
        ({ soul: '~@' + fresh, key: '~' + ann.pub, value: '~' + ann.pub, err: 'Alias not same!' }),
    'a name in an alias that is null': ({ ann, fresh }) => ({ soul: '~@' + fresh, key: '~' + ann.pub, value: null, err: 'Alias must exist!' }),
};

/* Hexadecimal with a blank for a 0: gun's parseInt reads it all the same. */
function junk_hex(seed)
{
    for (let i = 0; ; i++) {
        const value = `${seed} ${i}`;
        const pairs = hex_of(value).match(/../g);
        const at = pairs.findIndex(pair => /^0[1-9a-f]$/.test(pair));
        if (at < 0) continue;
        pairs[at] = ' ' + pairs[at][1];
        return { key: pairs.join(''), value };
    }
}

const in_hashed = make => who => ({ soul: `${who.fresh}#x`, err: wrong_hash, ...make(who) });
const hash_forgeries = {
    'a chunk under the hash of another': in_hashed(({ fresh }) => ({ key: hash_of('a' + fresh), value: 'b' + fresh })),
    'a chunk under the hex of another': in_hashed(({ fresh }) => ({ key: hex_of('a' + fresh), value: 'b' + fresh })),
    'a chunk under its hash with one bit changed': in_hashed(({ fresh }) => ({ key: flip(hash_of(fresh), 9), value: fresh })),
    'a chunk under its hash cut short': in_hashed(({ fresh }) => ({ key: hash_of(fresh).slice(0, 43), value: fresh })),
    'a chunk under its hash as in links': in_hashed(({ fresh }) =>
        ({ key: Buffer.from(hash_of(fresh), 'base64').toString('base64url'), value: fresh })),
    'a chunk under no hash': in_hashed(({ fresh }) => ({ key: 'k', value: fresh })),
    'a chunk whose hash is not at the end of the key': in_hashed(({ fresh }) => ({ key: hash_of(fresh) + '#1', value: fresh })),
    'a chunk under hexadecimal that only gun reads': in_hashed(({ fresh }) => junk_hex(fresh)),
    'a number under the hash of another': in_hashed(({ fresh }) => ({ soul: '#', key: `${fresh}#` + hash_of(41), value: 42 })),
    'null over a chunk': ({ chunk }) => ({ ...chunk, value: null, state: chunk.state + 1, err: wrong_hash }),
    'another value over a chunk': ({ chunk }) => ({ ...chunk, value: 'another', state: chunk.state + 1, err: wrong_hash }),
};

export const forgeries = { ...unsigned_forgeries(), ...signature_forgeries, ...certificate_forgeries, ...alias_forgeries, ...hash_forgeries };
