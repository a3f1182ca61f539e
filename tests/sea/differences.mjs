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
import { sha, sorted } from './keys.mjs';

/* ---- what a write is */

export function pub_of(soul)
{
    const pieces = (soul.split('~')[1] ?? '').split(/[^\w-]/).slice(0, 2);
    return !soul.startsWith('~@') && pieces.length === 2 ? pieces.join('.') : undefined;
}

/* Facts about a write that several entries ask for. */
function facts_of(one)
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

/* Nesting beyond what brasa signs; members said twice are not counted apart. */
const hash_name = key => key.split('#').at(-1);
const is_list_with = (c, bearer) => Array.isArray(c) && c.includes(bearer) && !c.includes('*');
const base = (browser, relay, facts) => facts.prefixed && facts.is_of_today ? relay : browser;

export const differences = [
    {
        label: 'D1', kinds: ['stricter'],
        what: '"*" names somebody who is not the owner, and there is no certificate that is an object with m and s',
        has: (one, f, v) => f.is_of_today && typeof f.body['*'] === 'string' && f.body['*'] !== f.pub && !f.has_certificate
            && v.brasa.err === 'certificate: missing, "*" names another writer',
    },
    {
        label: 'D2', kinds: ['stricter'],
        what: 'a form before that of today, whose signature does not tell which write it is for',
        has: (one, f, v) => !f.is_of_today && v.brasa.err === 'Unverified data.' && !binds_2019(one, f),
    },
    {
        label: 'D3', kinds: ['looser', 'speaks'],
        what: 'a list of certificants with the bearer in it, which gun never finds',
        has: (one, f, v) => is_list_with(f.terms?.c, f.body['*']) && silent(base(v.browser, v.relay, f))
            && orders_of(one, f).every(Boolean),
    },
    {
        label: 'D4', kinds: ['stricter'],
        what: 'a public key in another spelling than its own, or a "*" or a signature that is not a string',
        has: (one, f) => !canonical_key.test(f.pub) || (f.body['*'] && !canonical_key.test(f.body['*']))
            || (f.is_of_today && typeof f.body['~'] !== 'string') || (f.body.m && typeof f.body.s !== 'string')
            || (f.has_certificate && typeof f.body['+'].s !== 'string'),
    },
    {
        label: 'D5', kinds: ['stricter', 'speaks'],
        what: 'a content hash that is neither 44 characters of base64 nor 64 hexadecimal digits',
        has: (one, f) => f.pub === undefined && one.soul.includes('#')
            && !/^[A-Za-z0-9+/]{43}=$|^[0-9A-Fa-f]{64}$/.test(hash_name(one.key)),
    },
    {
        label: 'D6', kinds: ['speaks'],
        what: 'a certificate that gun refuses in silence',
        has: (one, f, v) => f.has_certificate && v.brasa.err.startsWith('certificate: '),
    },
    {
        label: 'D7', kinds: ['looser', 'words', 'speaks'],
        what: 'objects signed in the order of a relay, or one part in the order of a relay and one in that of a browser',
        has: (one, f) => f.is_of_today && orders_of(one, f).every(Boolean) && orders_of(one, f).includes('relay'),
    },
    {
        label: 'D8', kinds: ['looser', 'words', 'speaks'],
        what: 'the form of today behind "SEA", which relays take',
        has: (one, f, v) => f.prefixed && f.is_of_today && same(v.brasa, v.relay),
    },
    {
        label: 'forget', kinds: ['looser', 'speaks'],
        what: 'a soul with <?N: what has run out is dropped elsewhere, and gun does so before it verifies',
        has: (one, f, v) => /<\?[^~]*[1-9]/.test(one.soul) && one.state < 2e12 && silent(v.browser) && silent(v.relay),
    },
];

const silent = verdict => !verdict.good && verdict.err === undefined;
const same = (a, b) => a.good === b.good && (a.good || a.err === b.err);

/* Whether the signature of 2019 says soul, key, value and state without doubt. */
function binds_2019(one, facts)
{
    const { m } = facts.body;
    return facts.prefixed && Array.isArray(m) && m.length === 4 && m[0] === one.soul && m[1] === one.key
        && (m[2] === null || typeof m[2] !== 'object') && typeof m[3] === 'number' && Math.floor(m[3]) === Math.floor(one.state)
        && !one.soul.includes(',') && !one.key.includes(',') && !facts.body['*'];
}

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
    if (brasa.says === undefined) return false;
    return JSON.stringify(browser.says) !== JSON.stringify(brasa.says);
}

/* Gives undefined for one verdict, else { kind, label }; no label: nobody knows why. */
export function difference(one, verdicts)
{
    const kind = kind_of(one, verdicts);
    if (kind === undefined) return undefined;
    const facts = facts_of(one);
    return { kind, label: differences.find(d => d.kinds.includes(kind) && d.has(one, facts, verdicts))?.label };
}
