/* differences.mjs - where brasa's verdict is not that of sea.js in a browser, and why.
 *
 * Each entry looks at the write itself and at the verdicts, never at how the case
 * was made. A difference that no entry knows fails the suite, and so does an entry
 * that no case met.
 *
 * The kinds of a difference:
 *   stricter  the browser takes it, brasa does not
 *   looser    brasa takes it, the browser does not
 *   speaks    the browser's gun leaves the sender without an answer, brasa gives one
 *   words     both refuse, with other texts
 *   says      both take it, and readers are given other values
 */
import { createPublicKey, verify } from 'node:crypto';
import { sha, signature, sorted } from './keys.mjs';
import { people } from './writes.mjs';

export const person = pub => people.find(p => p.pub === pub);

/* ---- what a write is */

export function pub_of(soul)
{
    const pieces = (soul.split('~')[1] ?? '').split(/[^\w-]/).slice(0, 2);
    return !soul.startsWith('~@') && pieces.length === 2 ? pieces.join('.') : undefined;
}

/* Facts about a write that several entries ask for. */
export function facts_of(one)
{
    const text = typeof one.value === 'string' ? one.value : undefined;
    const prefixed = text?.startsWith('SEA{') ?? false;
    let inside;
    try {
        inside = JSON.parse(prefixed ? text.slice(3) : text);
    } catch {
        // No JSON: not signed in any form.
    }
    const body = inside !== null && typeof inside === 'object' ? inside : {};
    const certificate = body['+'], has_certificate = Boolean(body['*'] && certificate && certificate.m && certificate.s);
    return { pub: pub_of(one.soul), prefixed, body, has_certificate, terms: has_certificate ? terms_of(certificate.m) : undefined,
        is_of_today: body[':'] !== undefined && Boolean(body['~']) };
}

function terms_of(m)
{
    try {
        return typeof m === 'string' ? JSON.parse(m) : m;
    } catch {
        return undefined;
    }
}

/* ---- signatures, once more by themselves */

const canonical_key = /^[\w-]{42}[AEIMQUYcgkosw048]\.[\w-]{42}[AEIMQUYcgkosw048]$/;

function verifies(pub, text, signature)
{
    try {
        const [x, y] = pub.split('.');
        const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
        return verify('sha256', sha(Buffer.from(text)), { key, dsaEncoding: 'ieee-p1363' },
            Buffer.from(atob(signature), 'latin1'));
    } catch {
        return false;
    }
}

/* The order in which a signature is good over `value`: 'browser', 'relay', 'both' for
 * what is printed alike, or nothing. */
function order_of(pub, value, signature)
{
    const [one, other] = [JSON.stringify(value), sorted(value)];
    if (verifies(pub, one, signature)) return one === other ? 'both' : 'browser';
    return verifies(pub, other, signature) ? 'relay' : undefined;
}

function orders_of(one, facts)
{
    const { body, pub } = facts;
    const write = { '#': one.soul, '.': one.key, ':': body[':'], '>': one.state };
    const orders = [order_of(body['*'] || pub, write, body['~'])];
    if (facts.has_certificate) {
        const { m, s } = body['+'];
        const printed = typeof m === 'string' ? verifies(pub, m, s) ? 'both' : undefined : order_of(pub, m, s);
        orders.push(printed);
    }
    return orders;
}

/* ---- the list */

const hash_name = key => key.split('#').at(-1);
const silent = verdict => !verdict.good && verdict.err === undefined;
const unverified = v => v.brasa.err === 'Unverified data.';
const not_the_owners = v => v.brasa.err === 'certificate: not signed by the owner of this space';

/* An entry with `twin` is about a write in a user's space that has a plainer twin, which
 * differs by nothing but what the entry says: the browser's verdict on that twin has
 * to be brasa's verdict on the write. */
export const differences = [
    {
        label: 'forget', kinds: ['looser', 'speaks'],
        what: 'a soul with <?N: what has run out is dropped elsewhere, and gun does so before it verifies',
        has: (one, f, v) => /<\?[^~]*[1-9]/.test(one.soul) && one.state < 2e12 && silent(v.browser) && silent(v.relay),
    },
    {
        label: 'D10', kinds: ['stricter', 'speaks', 'words'],
        what: 'a signed value in which more than 64 objects and lists stand in each other',
        has: (one, f, v) => unverified(v) && depth_of(f.body) > 64,
    },
    {
        label: 'D1', kinds: ['stricter'],
        what: '"*" names somebody who is not the owner, and there is no certificate that is an object with m and s',
        has: (one, f, v) => f.is_of_today && typeof f.body['*'] === 'string' && f.body['*'] !== f.pub && !f.has_certificate
            && v.brasa.err === 'certificate: missing, "*" names another writer',
    },
    {
        label: 'D2', kinds: ['stricter'],
        what: 'a form before that of today, whose signature does not tell which write it is for',
        has: (one, f, v) => !f.is_of_today && unverified(v) && !binds_2019(one, f),
    },
    {
        label: 'D6', kinds: ['speaks'],
        what: 'a certificate that gun refuses in silence',
        // When the write is not well signed either, that is what may be said.
        has: (one, f, v) => f.has_certificate && (v.brasa.err.startsWith('certificate: ')
            || unverified(v) && orders_of(one, f).every(order => order === undefined)),
    },
    {
        label: 'D4', kinds: ['stricter', 'speaks', 'words'],
        what: 'a public key in another spelling than its own, or a "*" or a signature that is not a string',
        has: (one, f, v) => unverified(v) ? !canonical_key.test(f.pub) || is_odd_key(f.body['*']) || is_odd_signature(f)
            : not_the_owners(v) && f.has_certificate && typeof f.body['+'].s !== 'string',
    },
    {
        label: 'D3', kinds: ['looser', 'speaks'], twin: true,
        what: 'a list of certificants with the bearer in it, which gun never finds',
        has: (one, f) => f.pub !== undefined && is_list_with(f.terms?.c, f.body['*']),
    },
    {
        label: 'D5', kinds: ['stricter', 'speaks'],
        what: 'a content hash that is neither 44 characters of base64 nor 64 hexadecimal digits',
        has: (one, f) => f.pub === undefined && one.soul.includes('#')
            && !/^[A-Za-z0-9+/]{43}=$|^[0-9A-Fa-f]{64}$/.test(hash_name(one.key)),
    },
    {
        label: 'D8', kinds: ['looser', 'words', 'speaks'], twin: true,
        what: 'the form of today behind "SEA", which relays take',
        has: (one, f) => f.pub !== undefined && f.prefixed && f.is_of_today,
    },
    {
        label: 'D7', kinds: ['looser', 'words', 'speaks'], twin: true,
        what: 'objects signed in the order of a relay, or one part in the order of a relay and one in that of a browser',
        has: (one, f) => f.pub !== undefined && f.is_of_today && orders_of(one, f).includes('relay'),
    },
    {
        label: 'D9', kinds: ['stricter', 'speaks', 'words'],
        what: 'a policy with a bound that is not a string, which JavaScript compares all the same',
        // Which then comes to the next one, if there is one.
        has: (one, f, v) => has_odd_bound(f.terms?.w) && /^(Certificate verification fail\.|Path ")/.test(v.brasa.err),
    },
];

const depth_of = value => value === null || typeof value !== 'object' ? 0
    : 1 + Math.max(0, ...Object.values(value).map(depth_of));
const is_list_with = (c, bearer) => Array.isArray(c) && c.includes(bearer) && !c.includes('*');
const is_odd_key = star => Boolean(star) && (typeof star !== 'string' || !canonical_key.test(star));
const bounds = ['=', '*', '>', '<'];
const has_odd_bound = w => w !== null && typeof w === 'object' && Object.entries(w).some(([name, said]) =>
    bounds.includes(name) ? typeof said !== 'string' : has_odd_bound(said));
const is_odd_signature = f => f.is_of_today ? typeof f.body['~'] !== 'string' : 'm' in f.body && typeof f.body.s !== 'string';

/* Whether the signature of 2019 says soul, key, value and state without doubt. */
function binds_2019(one, facts)
{
    const { m } = facts.body;
    return facts.prefixed && Array.isArray(m) && m.length === 4 && m[0] === one.soul && m[1] === one.key
        && (m[2] === null || typeof m[2] !== 'object') && typeof m[3] === 'number' && Math.floor(m[3]) === Math.floor(one.state)
        && !one.soul.includes(',') && !one.key.includes(',') && !facts.body['*'] && one.state !== 0;
}

/* The write without a prefix, with one certificant, signed in a browser's order. What
 * was not well signed is not signed now either. */
export function twin_of(one)
{
    const facts = facts_of(one), { body } = facts;
    const [own, certified] = orders_of(one, facts);
    const write = { '#': one.soul, '.': one.key, ':': body[':'], '>': one.state };
    const signer = person(body['*'] || facts.pub), owner = person(facts.pub);
    const twin = { ...body };
    if (own && signer) twin['~'] = signature(signer, JSON.stringify(write));
    if (certified && owner && facts.terms) {
        const c = is_list_with(facts.terms.c, body['*']) ? body['*'] : facts.terms.c;
        const m = 'c' in facts.terms ? { ...facts.terms, c } : { ...facts.terms };
        // JSON.parse reads -1e400 as what JSON.stringify has no number for.
        if (m.e === -Infinity) m.e = '-Infinity';
        twin['+'] = { m, s: signature(owner, JSON.stringify(m)) };
    }
    return { ...one, value: JSON.stringify(twin) };
}

/* ---- verdicts */

/* The kind of the difference between two verdicts; nothing if there is none. */
function kind_of(one, { browser, brasa })
{
    if (browser.good !== brasa.good) return brasa.good ? 'looser' : silent(browser) ? 'speaks' : 'stricter';
    if (browser.good) return says_differs(one, browser, brasa) ? 'says' : undefined;
    if (silent(browser)) return 'speaks';
    return browser.err === brasa.err ? undefined : 'words';
}

/* What a reader is given, where that is something a value can be. */
function says_differs(one, browser, brasa)
{
    if (brasa.says === undefined || pub_of(one.soul) === undefined) return false;
    return JSON.stringify(browser.says) !== JSON.stringify(brasa.says);
}

/* Gives undefined for one verdict, else { kind, entry }; no entry: nobody knows why. */
export function difference(one, verdicts)
{
    const kind = kind_of(one, verdicts);
    if (kind === undefined) return undefined;
    const facts = facts_of(one);
    return { kind, entry: differences.find(d => d.kinds.includes(kind) && d.has(one, facts, verdicts)) };
}
