/* writes.mjs - writes of every kind that sea.js judges, most of them good.
 *
 * A draft is a write whose value is still in pieces, so that mutate.mjs can take
 * it apart:
 *
 *   kind      owner, certified, forged, old, account, alias, aliases, hash, free
 *   soul, key, state
 *   members   of a signed value: pairs of a name and raw JSON, in their order
 *   terms     of a certificate, the same way; `issuer` signs them
 *   plain     the value of what is not signed
 *
 * JSON is raw, because how it is spelled must not matter, and sometimes does.
 */
import { number, string } from '../differential/chance.mjs';
import { signature, signature_bytes, sha, sorted, user } from './keys.mjs';

const [alice, bob, carol, dave, eve] = ['alice', 'bob', 'carol', 'dave', 'eve'].map(user);
export const people = [alice, bob, carol, dave, eve];
export { eve };

const quoted = JSON.stringify;
export const object = members => `{${members.map(([name, raw]) => `${quoted(name)}:${raw}`).join(',')}}`;

/* ---- what is said */

const odd_names = ['b', 'a', '10', '9', '2', '01', '-1', '1.5', '4294967294', '4294967295', '4294967296',
    'é', '😀', '\uffff', '\ud800', '__proto__', 'constructor', '', ' ', '#', ':', '~', 'm', 'toJSON'];

function nested(c, depth)
{
    if (depth > 3 || c.below(3) === 0) return scalar(c);
    const parts = Array.from({ length: c.below(5) }, () => nested(c, depth + 1));
    if (c.below(4) === 0) return `[${parts.join(',')}]`;
    return object(parts.map(raw => [c.below(4) ? c.oneOf(odd_names) : string(c, 4), raw]));
}

const odd_strings = ['', '123', '-0', 'null', '{"a":1}', '{":":1,"~":"x"}', 'SEA{"ct":"a","iv":"b","s":"c"}',
    'SEA{', '[1,2]', '"', '\\', '\u0000', 'é😀', '\ud800', '\udc00\ud800', '~@alice', '#'];

function scalar(c)
{
    switch (c.below(8)) {
    case 0: return c.oneOf(['null', 'true', 'false']);
    case 1: return quoted(number(c));
    case 2: return c.oneOf(['0', '-0', '1.0', '1e3', '1E-7', '1e21', '123456789012345680000', '0.1', '5e-324',
        '1.7976931348623157e308', '100', '9007199254740993']);
    case 3: return quoted(c.oneOf(odd_strings));
    default: return quoted(string(c));
    }
}

const link = soul => `{"#":${quoted(soul)}}`;

/* Lists in lists, about as deep as brasa reads. */
const deep = c => { const depth = c.oneOf([60, 62, 63, 64, 80]); return '['.repeat(depth) + ']'.repeat(depth); };

export function saying(c, owner)
{
    if (c.below(80) === 0) return deep(c);
    switch (c.below(10)) {
    case 0: return nested(c, 0);
    case 1: return object([['b', scalar(c)], ['a', scalar(c)]]);
    case 2: return link(c.oneOf([`~${owner.pub}/inbox`, `~${bob.pub}`, 'anywhere', '~@x', '\ud800']));
    case 3: case 4: return quoted(c.oneOf(odd_strings));
    default: return scalar(c);
    }
}

/* ---- where and when */

const paths = ['inbox', 'inbox/deep', 'inboxer', 'a/b/c', 'outbox', '', '7', 'é', '#x', 'm~n', 'a,b'];

function soul_of(c, owner, writer)
{
    const { pub } = owner;
    switch (c.below(12)) {
    case 0: case 1: case 2: return `~${pub}`;
    case 3: return `app~${pub}`;
    case 4: return `app/x~${pub}${c.oneOf(['', '/inbox', '#', '~@b'])}`;
    case 5: return `~${pub}/inbox/${writer.pub}`;
    case 6: return `~${pub.replace('.', c.oneOf(['/', ' ', '#', 'é', ',', '+', '😀', '\u0000']))}`;
    case 7: return `~${pub}${c.oneOf(['.x', '~', '~x.y', ' ', '/', '//', '/~', '?', '<', '/a<b', '/<?x', '/<?0'])}`;
    default: return `~${pub}/${c.oneOf(paths)}`;
    }
}

const keys = ['x', 'k', 'pub', 'auth', 'inbox', '7', 'a/b', 'a,b', 'é😀', '\ud800', '#', '.', '~', '__proto__',
    'constructor', 'a b', '\u0000', '<?1'];

function key_of(c, writer)
{
    return c.below(12) === 0 ? `to ${writer.pub}` : c.below(3) ? c.oneOf(keys) : string(c, 6) || 'k';
}

export const year_2019 = 1546329600000;

function state_of(c)
{
    switch (c.below(12)) {
    case 0: return c.oneOf([1, 0.5, -1, 5e-324, 1e21, 1e300, -1e13, 123456789.25, 9007199254740993]);
    case 1: return year_2019 + c.below(3) - 1;
    case 2: return c.below(8) ? 4e12 + c.below(1e6) : 0;
    default: return 1.7e12 + c.below(1e9) + c.below(3) * c.below(1000) / 1000;
    }
}

/* ---- certificates */

function certificants(c, bearer)
{
    const b = quoted(bearer.pub), other = quoted(carol.pub);
    switch (c.below(14)) {
    case 0: case 1: case 2: return quoted('*');
    case 3: case 4: case 5: case 6: return b;
    case 7: return c.oneOf([`[${b},${other}]`, `[${other},${b},"x"]`]);
    case 8: return `["*"]`;
    case 9: return c.oneOf([`[${b}]`, `["*",${other}]`, `[${other},null,"*"]`, `[${b},${b}]`]);
    case 10: return c.oneOf([`{"pub":${b}}`, `[{"pub":${b}}]`, `[[${b}]]`, `["x*y"]`, '"x*y"', '[]', '""', 'null',
        '5', 'true', `{"length":1,"0":${b}}`]);
    case 11: return c.oneOf([other, `[${other},${quoted(dave.pub)}]`, quoted(bearer.pub.slice(0, -1))]);
    default: return b;
    }
}

function text_entry(c, soul, key)
{
    const slash = soul.indexOf('/'), path = slash < 0 ? '' : soul.slice(slash + 1);
    const whole = path ? `${path}/${key}` : key;
    return c.oneOf([whole, whole, path, key, whole.slice(0, 2), 'inbox', 'k', 'a', '7', '']);
}

function lex_entry(c, soul, key)
{
    const word = () => quoted(text_entry(c, soul, key));
    switch (c.below(6)) {
    case 0: return `{"=":${word()}}`;
    case 1: return `{">":"a","<":"m"}`;
    case 2: return `{">":${word()}}`;
    case 3: return `{"<":${word()}}`;
    default: return `{"*":${word()}}`;
    }
}

const odd_entries = ['null', '5', 'true', 'false', '""', '{}', '[]', '["inbox"]', '{"#":5}', '{".":["k"]}', '{"*":5}',
    '{">":5}', '{"<":"~","-":1,"%":5}', '{"=":null}', '{"*":null,">":""}', '{"#":null,".":null}', '{"#":"",".":""}',
    '{"+":"*"}', '{"#":{},".":{}}', '{"*":{"a":1}}', '{">":null,"<":null}', '{">":"1","<":9}', '{"*":true}',
    '{"<":[5]}', '{"#":true}', '{"#":{"*":""},".":{"*":""}}'];

function entry(c, soul, key)
{
    const one = () => c.below(2) ? quoted(text_entry(c, soul, key)) : lex_entry(c, soul, key);
    switch (c.below(10)) {
    case 0: case 1: return quoted(text_entry(c, soul, key));
    case 2: return lex_entry(c, soul, key);
    case 3: return object([['#', one()], ['.', one()]]);
    case 4: return c.below(2) ? object([['#', one()]]) : object([['.', one()]]);
    case 5: return object([['+', c.oneOf(['"*"', '"*"', '["*"]', '"x*"', '5', '""', '"x"', '[]', '{"a":1}', 'true'])],
        ['*', quoted(text_entry(c, soul, key))]]);
    case 6: return object([['#', one()], ['+', '"*"']]);
    case 7: return c.oneOf(odd_entries);
    default: return c.oneOf(['{"*":"inbox"}', '{"#":{"*":""},".":{"*":""}}', '{"<":"~"}', '{"*":"i"}', '{">":"\\u0000"}']);
    }
}

function policy(c, soul, key)
{
    switch (c.below(9)) {
    case 0: return `[${Array.from({ length: 1 + c.below(3) }, () => entry(c, soul, key)).join(',')}]`;
    case 1: return c.oneOf([c.oneOf(odd_entries), c.oneOf(odd_entries), '[]', '{"*":null,">":""}']);
    case 2: case 3: case 4: return '{"<":"\uffff"}';
    default: return entry(c, soul, key);
    }
}

function expiry(c, state)
{
    const n = quoted(state + c.oneOf([-1, 0, 1, 1e6, 0.25]));
    switch (c.below(6)) {
    case 0: return quoted(n);
    case 1: return c.oneOf(['null', 'true', '"x"', '""', '{}', '[]', `[${n}]`, '"Infinity"', '"-Infinity"', '"-1"', '0',
        '"1e13"', `" ${Math.trunc(Math.abs(state)) || 1}x"`, '"0x10"', '"."', '"1e"', '"+5"', '"1.5.5"', '"1e400"', '-1e400', `[[${n}],5]`, '[null,1]', '"-Infinityx"', '"\u2003\ufeff1"',
        '"\u00a01"', '1e400', '".5"', '"5."', '"1_0"', '"infinity"', '"nan"', `"${'9'.repeat(80)}"`, `"${'1'.repeat(13)}${'0'.repeat(80)}"`]);
    default: return n;
    }
}

function terms_of(c, draft)
{
    const terms = [['c', certificants(c, draft.writer)], ['w', policy(c, draft.soul, draft.key)]];
    if (c.below(3) === 0) terms.splice(c.below(3), 0, ['e', expiry(c, draft.state)]);
    if (c.below(12) === 0) terms.push(['r', '"inbox"']);
    if (c.below(60) === 0) {
        terms.push(['wb', c.oneOf(['"blocked"', quoted(`~${draft.owner.pub}/blocked`), '{"#":"blocklist"}'])]);
    }
    if (c.below(20) === 0) terms.push([c.oneOf(['x', '1', '']), nested(c, 2)]);
    if (c.below(40) === 0) terms.splice(c.below(2), 1);
    return terms;
}

/* The certificate as it stands in "+". Clients sign what JSON.stringify prints; what
 * a gun.js relay would take is signed over sorted keys. */
function certificate_of(c, draft)
{
    const text = object(draft.terms), value = JSON.parse(text);
    const printed = draft.sorts ? sorted(value) : quoted(value);
    if (c.below(15) === 0) {
        // m as a text: what is signed is that very text.
        const spelled = c.below(3) ? printed : text;
        return object([['m', quoted(spelled)], ['s', quoted(signature(draft.issuer, spelled))]]);
    }
    return object([['m', text], ['s', quoted(signature(draft.issuer, printed))]]);
}

/* ---- drafts */

/* Signs what the draft says, as `signer`. */
export function sign_now(draft, signer)
{
    const write = { '#': draft.soul, '.': draft.key, ':': JSON.parse(draft.says), '>': draft.state };
    const text = draft.sorts ? sorted(write) : quoted(write);
    draft.members = [[':', draft.says], ['~', quoted(signature(signer, text))]];
    draft.signed = text;
    draft.signer = signer;
    return draft;
}

function place(c, kind)
{
    const owner = c.oneOf([alice, bob]), writer = c.oneOf(people.filter(p => p !== owner));
    const draft = { kind, owner, writer, state: state_of(c), sorts: c.below(5) === 0 };
    draft.soul = soul_of(c, owner, writer);
    draft.key = key_of(c, writer);
    draft.says = saying(c, owner);
    return draft;
}

function owners(c)
{
    const draft = place(c, 'owner');
    return sign_now(draft, draft.owner);
}

function certified(c)
{
    const draft = place(c, 'certified');
    if (c.below(2)) draft.soul = `~${draft.owner.pub}/${c.oneOf(paths)}`;
    draft.issuer = c.below(12) ? draft.owner : c.oneOf(people);
    sign_now(draft, draft.writer);
    draft.terms = terms_of(c, draft);
    draft.members.push(['+', certificate_of(c, draft)], ['*', quoted(draft.writer.pub)]);
    return draft;
}

/* A stranger's signature with everything that might do for a certificate. */
function forged(c)
{
    const draft = sign_now(place(c, 'forged'), eve);
    draft.writer = draft.issuer = eve;
    draft.terms = [['c', '"*"'], ['w', '{"<":"~"}']];
    const own = certificate_of(c, draft);
    draft.issuer = draft.owner;
    const good = certificate_of(c, draft);
    const plus = c.oneOf([null, null, own, quoted(own), quoted(`SEA${own}`), quoted(good), quoted(`SEA${good}`), 'null',
        '{}', '[]', '5', 'true', object([['m', '""'], ['s', '"x"']]), object([['m', '1'], ['s', '1']]),
        object([['s', '"x"']]), `[${good}]`, good, good, good]);
    const star = c.oneOf([eve.pub, eve.pub, eve.pub, eve.pub, draft.owner.pub, `${eve.pub}.x`, null]);
    if (plus !== null) draft.members.push(['+', plus]);
    if (star !== null) draft.members.push(['*', quoted(star)]);
    return draft;
}

const latin = bytes => String.fromCharCode(...bytes);

/* What clients signed up to 2019: SHA-256 of the text that JavaScript makes of m. */
function old(c)
{
    const draft = place(c, 'old');
    if (c.below(3)) draft.soul = `~${draft.owner.pub}/inbox`;
    if (c.below(3)) draft.key = c.oneOf(['x', 'auth', 'a b', 'é']);
    // sea.js keeps the key in an object of its own, where this one cannot be.
    if (draft.key === '__proto__') draft.key = 'x';
    if (c.below(3)) draft.says = scalar(c);
    if (c.below(3) === 0) draft.state = year_2019 - 1 - c.below(1e6);
    const value = JSON.parse(draft.says);
    const state = draft.state + c.oneOf([0, 0, 0, 0.25, 1]);
    const four = [draft.soul, draft.key, value, state];
    const m = c.oneOf([four, four, four, four, four, value, { '#': draft.soul, ':': value }, four.slice(0, 3), [...four, 1],
        [draft.soul, 'other', value, state], [draft.soul, draft.key, value, String(state)]]);
    const meant = typeof m === 'string' ? parsed(m) : m;
    const bytes = signature_bytes(draft.owner, String(meant));
    const spelled = c.below(4) ? bytes.toString('base64') : c.below(2) ? latin(bytes)
        : String.fromCharCode(...[...bytes].map(b => b + 256 * c.below(256)));
    draft.members = [['m', c.below(12) ? quoted(m) : quoted(quoted(m))], ['s', quoted(spelled)]];
    if (c.below(20) === 0) draft.members.push(['*', quoted(draft.owner.pub)]);
    draft.prefix = c.below(5) ? 'SEA' : '';
    draft.signer = draft.owner;
    return draft;
}

function parsed(text)
{
    try {
        return JSON.parse(text.startsWith('SEA{') ? text.slice(3) : text);
    } catch {
        return text;
    }
}

function account(c)
{
    const owner = c.oneOf([alice, bob]);
    const pub = c.below(4) ? owner.pub : c.oneOf(['a.b', `${owner.pub}x`, '.', 'x.', owner.pub.slice(1)]);
    const soul = c.below(6) ? `~${pub}` : c.oneOf([`~${pub}/a`, `a~${pub}`, `~${pub}.x`]);
    const plain = c.below(4) ? quoted(pub) : c.oneOf([quoted(`~${pub}`), 'null', link(`~${pub}`), '5', quoted(eve.pub)]);
    return { kind: 'account', owner, soul, key: 'pub', state: state_of(c), plain };
}

const alias_names = ['alice', 'é', '', '\ud800', '@', 'a/b', '"', '~', '#', '.'];

function alias(c)
{
    const owner = c.oneOf([alice, bob]);
    const key = c.below(4) ? `~${owner.pub}` : c.oneOf(['~x', 'x', '~', 'é', '~@b']);
    const plain = c.below(3) ? link(key) : c.oneOf([link(`${key}x`), quoted(key), 'null', 'false', '0', '""', 'true', '5',
        link(key.slice(1) || 'x'), link('\ud800')]);
    return { kind: 'alias', owner, soul: `~@${c.oneOf(alias_names) || 'x'}`, key, state: state_of(c), plain };
}

function aliases(c)
{
    const name = c.oneOf(alias_names) || 'x';
    const plain = c.below(3) ? link(`~@${name}`) : c.oneOf([link(name), link('~@'), quoted(`~@${name}`), 'null', 'false',
        '0', '""', 'true', '-0', link(`~@${name}x`)]);
    return { kind: 'aliases', owner: alice, soul: '~@', key: name, state: state_of(c), plain };
}

function hash(c)
{
    const plain = c.below(3) ? quoted(string(c, 30)) : saying_of_graph(c);
    const value = JSON.parse(plain);
    const digest = sha(Buffer.from(typeof value === 'string' ? value : quoted(value)));
    const spelled = c.below(2) ? digest.toString('base64') : digest.toString('hex');
    const key = c.below(3) ? spelled : c.oneOf([`#${spelled}`, `1#${spelled}`, `a#b#${spelled}`, `é#${spelled}`]);
    return { kind: 'hash', owner: alice, soul: c.oneOf(['#', '#chunks', 'song#', 'a#b', '#~', '~#']), key,
        state: state_of(c), plain, hashed: true };
}

/* What may stand in the graph without a signature. */
function saying_of_graph(c)
{
    return c.below(3) ? scalar(c) : link(c.oneOf(['x', '~a.b', '😀']));
}

function free(c)
{
    const soul = c.oneOf(['free', 'a/b', '~x', '~', 'x~', 'é', '@', '~~', '/~', 'a.b', '~-', 'x~@a', '~ ']);
    return { kind: 'free', owner: alice, soul, key: c.oneOf(keys), state: state_of(c), plain: saying_of_graph(c) };
}

/* A soul with <?N: the value does not count once it is N seconds old. */
function forgetful(c)
{
    const draft = place(c, 'forgetful');
    draft.state = c.oneOf([1000, 4e12]);
    draft.soul = `~${draft.owner.pub}/${c.oneOf(['a<?60', '<?1', 'b<?0.5/x', 'c<?1e3', 'd<?-5', 'e<?9<?0'])}`;
    return sign_now(draft, draft.owner);
}

const kinds = [[owners, 26], [certified, 34], [forged, 10], [old, 12], [account, 4], [alias, 3], [aliases, 3],
    [hash, 9], [free, 2], [forgetful, 2]];
const all_kinds = kinds.flatMap(([make, weight]) => Array(weight).fill(make));

export const draft = c => c.oneOf(all_kinds)(c);
