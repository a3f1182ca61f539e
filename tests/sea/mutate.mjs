/* mutate.mjs - what a forger, a careless client or a bad line makes of a write.
 *
 * Two kinds: some change the draft while its value is in pieces, the others its
 * text when it is whole. A case remembers the names of those done to it, for who
 * reads a report; nothing is decided by them.
 */
import { rawString } from '../differential/chance.mjs';
import { facts_of, person, pub_of } from './differences.mjs';
import { signature } from './keys.mjs';
import { draft, eve, object, people, saying } from './writes.mjs';

const quoted = JSON.stringify;

/* ---- spelling */

const ordinary = { '+': '-', '/': '_' };

/* The 88 characters of a signature, spelled otherwise; raw JSON. Some are as good. */
function respelled_signature(c, signature)
{
    const bytes = Buffer.from(signature, 'base64');
    const body = signature.slice(0, 86), at = c.below(86);
    const put_in = what => quoted(signature.slice(0, at) + what + signature.slice(at));
    switch (c.below(16)) {
    case 0: return quoted(body);
    case 1: return quoted(`${body}=`);
    case 2: return quoted(`${signature}=`);
    case 3: return quoted(signature.replace(/[+/]/g, x => ordinary[x]));
    case 4: return put_in(c.oneOf([' ', '\n', '\t', '\r\n', '\f', '  ']));
    case 5: return put_in(c.oneOf(['\v', '\u00a0', '\u0000', '=', '-', '*', 'é']));
    case 6: return quoted(body.slice(0, 85) + c.oneOf([...'BCDEFGHIJKLMNOPQRSTUVWXYZabcdef0123456789+/']) + '==');
    case 7: return quoted(bytes.toString('hex'));
    case 8: return quoted([...bytes]);
    case 9: return c.oneOf(['5', 'true', '""', '"AAAA"', '{}', '[]', '[1]', `{"length":64}`, `[${quoted(signature)}]`]);
    case 10: return quoted(Buffer.concat([bytes, Buffer.from([0])]).toString('base64'));
    case 11: return quoted(bytes.subarray(0, 63).toString('base64'));
    case 12: return quoted(other_half(bytes).toString('base64'));
    case 13: return quoted(Buffer.alloc(64, c.oneOf([0, 1, 255])).toString('base64'));
    case 14: return quoted(String.fromCharCode(...bytes));
    default: return rawString(c, signature);
    }
}

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/* (r, n - s) is as good as (r, s), and anybody can make it. */
function other_half(bytes)
{
    const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`);
    return Buffer.concat([bytes.subarray(0, 32), Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')]);
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/* The bits that 43 characters have more than 32 bytes. */
function with_spare_bits(c, piece)
{
    return piece.slice(0, -1) + alphabet[alphabet.indexOf(piece.at(-1)) ^ (1 + c.below(3))];
}

export function respelled_key(c, pub)
{
    const [x, y] = pub.split('.');
    return c.oneOf([`${with_spare_bits(c, x)}.${y}`, `${x}.${with_spare_bits(c, y)}`, `${x}=.${y}`, `${x}.${y}=`,
        `${pub}.z`, `${pub}.`, `${x}${y}`, `${y}.${x}`, ` ${pub}`, `${x}. ${y}`, `${x}.${y.slice(0, -1)}`,
        pub.replace(/-/g, '+').replace(/_/g, '/'), `A${pub}`]);
}

/* The same JSON with white space, escapes and other spellings of numbers. */
function respelled(c, value)
{
    const gap = () => c.below(5) ? '' : c.oneOf([' ', '\n', '\t', '\r']);
    const inner = x => gap() + respelled(c, x) + gap();
    if (typeof value === 'string') return rawString(c, value);
    if (typeof value === 'number') return c.oneOf([quoted(value), value.toExponential(), value.toExponential(20)]);
    if (value === null || typeof value !== 'object') return quoted(value);
    if (Array.isArray(value)) return `[${value.map(inner).join(',')}]`;
    return `{${Object.keys(value).map(k => `${gap()}${rawString(c, k)}${gap()}:${inner(value[k])}`).join(',')}}`;
}

/* ---- on drafts */

function replace_member(c, d, name, raw)
{
    const member = d.members?.find(m => m[0] === name);
    if (member) member[1] = raw;
}

const on_members = {
    'members in another order': (c, d) => { d.members.push(d.members.shift()); },
    'a member more': (c, d) => {
        d.members.splice(c.below(d.members.length + 1), 0, [c.oneOf(['x', '', 'm', 's', '+', '*', '1', 'SEA']),
            c.oneOf(['1', 'null', '""', '{"a":1}', '"x"', 'false'])]);
    },
    'a member twice': (c, d) => {
        const [name, raw] = c.oneOf(d.members);
        const twin = [name, c.below(2) ? raw : c.oneOf(['null', '"x"', '1', '{}'])];
        d.members.splice(c.below(d.members.length + 1), 0, twin);
    },
    'a member less': (c, d) => { d.members.splice(c.below(d.members.length), 1); },
    'another value': (c, d) => replace_member(c, d, ':', saying(c, d.owner)),
    'another "*"': (c, d) => {
        const pub = (d.writer ?? d.owner).pub;
        replace_member(c, d, '*', c.oneOf([quoted(d.owner.pub), quoted(eve.pub), `{"pub":${quoted(pub)}}`, '5', 'true',
            'null', '""', '0', 'false', `[${quoted(pub)}]`, '{}', quoted(respelled_key(c, pub)),
            quoted(respelled_key(c, pub)), quoted(respelled_key(c, pub))]));
    },
    'members of another': (c, d) => {
        const other = draft(c);
        if (other.members) d.members[c.below(d.members.length)] = c.oneOf(other.members);
    },
    'a prefix': (c, d) => { d.prefix = d.prefix ? '' : 'SEA'; },
};

const on_place = {
    'another soul': (c, d) => {
        const { pub } = d.owner;
        d.soul = c.oneOf([`~${c.oneOf(people).pub}`, `~${pub}`, `~${pub}/inbox`, `${d.soul}/`, `${d.soul}x`, `x${d.soul}`,
            d.soul.slice(0, -1) || 'x', 'free', '~@alice', '#']);
    },
    'another key': (c, d) => { d.key = c.oneOf(['x', 'pub', `${d.key}x`, d.key.slice(1) || 'y', `${d.key}\u0000`]); },
    'another state': (c, d) => {
        d.state = c.oneOf([d.state + 1, d.state - 1, d.state + 0.25, Math.floor(d.state), -d.state || 1, d.state * 2]);
        if (!Number.isFinite(d.state)) d.state = 7;
    },
};

/* ---- on whole writes */

const strings = {
    'a bit flipped': (c, text) => {
        const at = c.below(text.length || 1);
        return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << c.below(7))) + text.slice(at + 1);
    },
    'a character more': (c, text) => {
        const at = c.below(text.length + 1);
        return text.slice(0, at) + c.oneOf([...' "\\{}[]:,0x\u0000é', '\ufeff', '\ud800', '\u00a0', '//', '/**/']) + text.slice(at);
    },
    'a character less': (c, text) => {
        const at = c.below(text.length || 1);
        return text.slice(0, at) + text.slice(at + 1);
    },
    'cut short': (c, text) => text.slice(0, c.below(text.length || 1)),
    'something behind': (c, text) => text + c.oneOf([' ', '\n', 'x', '{}', ',', '}', '\u0000', '\u00a0']),
    'something in front': (c, text) => c.oneOf([' ', '\n', 'SEA', 'sea', 'SEASEA', 'SEA ', ' SEA', 'x', '\ufeff', '[', 'AES'])
        + text,
    'spelled otherwise': (c, text) => {
        const prefix = text.startsWith('SEA{') ? 'SEA' : '';
        try {
            return prefix + respelled(c, JSON.parse(text.slice(prefix.length)));
        } catch {
            return text;
        }
    },
    'a signature spelled otherwise': (c, text) => {
        const all = [...text.matchAll(/"([A-Za-z0-9+/]{86}==)"/g)];
        if (!all.length) return text;
        const one = c.oneOf(all);
        return text.slice(0, one.index) + respelled_signature(c, one[1]) + text.slice(one.index + one[0].length);
    },
    'a text in a text': (c, text) => quoted(text),
};

/* What is not a text any more. */
const other_types = (c, text) => c.oneOf([null, true, 5, 0, '', { '#': text || 'x' }]);

const junk = 'ghz ~-';

const hash_keys = {
    'hex in capitals': (c, key) => key.toUpperCase(),
    'hex in both cases': (c, key) => key.replace(/[a-f]/g, x => c.below(2) ? x.toUpperCase() : x),
    // parseInt('az', 16) is 10, and parseInt('zz', 16) is no number, which becomes 0.
    'junk for hex': (c, key) => key.replace(/0([0-9a-f])(?=(?:[0-9a-f]{2})*$)/,
        (all, low) => low === '0' ? 'zz' : low + c.oneOf([...junk])),
    'a digit more': (c, key) => key + c.oneOf([...'0az=']),
    'no padding': (c, key) => key.replace(/=+$/, ''),
    'the other alphabet': (c, key) => key.replace(/[+/]/g, x => ordinary[x]),
    'spare bits': (c, key) => key.replace(/.=$/, x => alphabet[alphabet.indexOf(x[0]) ^ 1] + '='),
    'white space': (c, key) => `${key.slice(0, 9)} ${key.slice(9)}`,
    'a bit of the key flipped': strings['a bit flipped'],
};

const pick = (c, table) => c.oneOf(Object.entries(table));

function change_draft(c, d, done)
{
    const [name, change] = pick(c, d.members?.length && c.below(3) ? on_members : on_place);
    change(c, d);
    done.push(name);
}

function change_write(c, one, done)
{
    if (typeof one.value !== 'string' || c.below(25) === 0) {
        one.value = other_types(c, typeof one.value === 'string' ? one.value : 'x');
        done.push('another type');
        return;
    }
    const [name, change] = c.below(3) ? pick(c, strings) : ['a signature spelled otherwise',
        strings['a signature spelled otherwise']];
    one.value = change(c, one.value);
    done.push(name);
}

function change_hash(c, one, done)
{
    const [name, change] = pick(c, hash_keys);
    one.key = change(c, one.key) || 'x';
    done.push(name);
}

/* Where gun looks up whether the bearer is blocked: a list that says they are not, in
 * the owner's space signed as everything there. Whoever the certificate was taken from. */
function lists_of(one)
{
    const { terms, body } = facts_of(one), owner = person(pub_of(one.soul)), bearer = body['*'], said = terms?.wb;
    const where = typeof said === 'string' ? said : said?.['#'];
    if (!owner || typeof bearer !== 'string' || typeof where !== 'string' || where === '') return undefined;
    if (where !== said) return [{ soul: where, key: bearer, value: false }];
    const home = `~${owner.pub}`, soul = said.startsWith('~') ? said : `${home}/${said}`;
    const entry = (soul, key, value) => {
        const text = quoted({ '#': soul, '.': key, ':': value, '>': 1 });
        return { soul, key, value: quoted({ ':': value, '~': signature(owner, text) }) };
    };
    const link = said.startsWith('~') ? [] : [entry(home, said, { '#': soul })];
    return [...link, entry(soul, bearer, false)];
}

/* One case: a write, how it was made, and what gun has to know. */
export function make_case(c, index)
{
    const d = draft(c), done = [];
    let changes = c.oneOf([0, 0, 0, 1, 1, 1, 1, 1, 2, 2]);
    for (; changes > 0 && c.below(2); changes--) change_draft(c, d, done);
    const value = d.plain === undefined ? (d.prefix ?? '') + object(d.members) : JSON.parse(d.plain);
    const one = { index, kind: d.kind, done, soul: d.soul || 'x', key: d.key || 'x', state: d.state, value };
    for (; changes > 0; changes--) {
        if (d.hashed && c.below(3)) change_hash(c, one, done);
        else change_write(c, one, done);
    }
    if (one.key === '_') one.key = '-';
    const lists = lists_of(one);
    // A node that gun knows has, for gun, every key that any object of JavaScript has.
    if (lists && one.key in {}) one.key += '-';
    return lists ? { ...one, lists } : one;
}
