/* keys.mjs - users and signatures that a seed can repeat.
 *
 * ECDSA draws a number for each signature, so a run could never be had again.
 * Here that number is made from the key and what is signed (the idea of RFC 6979),
 * and a user's key from their name. The curve itself is OpenSSL's; only the last
 * line of the arithmetic, s = (z + r d) / k, is written here. A sea.js that did not
 * take these signatures would fail every case at once.
 */
import { createECDH, createHash } from 'node:crypto';

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export const sha = bytes => createHash('sha256').update(bytes).digest();
const big = bytes => BigInt('0x' + bytes.toString('hex'));
const bytes_of = n => Buffer.from(n.toString(16).padStart(64, '0'), 'hex');

function inverse(a)
{
    let [r, next, s, coming] = [order, a % order, 0n, 1n];
    while (next) {
        const times = r / next;
        [r, next] = [next, r - times * next];
        [s, coming] = [coming, s - times * coming];
    }
    return (s + order) % order;
}

/* The point of a secret number: x and y. */
function point(secret)
{
    const curve = createECDH('prime256v1');
    curve.setPrivateKey(bytes_of(secret));
    const public_key = curve.getPublicKey();
    return [public_key.subarray(1, 33), public_key.subarray(33)];
}

export function user(name)
{
    const secret = big(sha(`user ${name}`)) % (order - 1n) + 1n;
    const [x, y] = point(secret);
    return { name, secret, pub: `${x.toString('base64url')}.${y.toString('base64url')}` };
}

/* r and s over what sea.js signs: the SHA-256 of `text`, hashed once more. A lone
 * surrogate is hashed as U+FFFD, as TextEncoder has it and Buffer too. */
export function signature_bytes(who, text)
{
    const digest = sha(sha(Buffer.from(text)));
    const k = big(sha(Buffer.concat([Buffer.from('k'), bytes_of(who.secret), digest]))) % (order - 1n) + 1n;
    const r = big(point(k)[0]) % order;
    const s = inverse(k) * (big(digest) + r * who.secret) % order;
    return Buffer.concat([bytes_of(r), bytes_of(s)]);
}

export const signature = (who, text) => signature_bytes(who, text).toString('base64');

/* JSON as gun's relay prints it: the keys of every object sorted. */
export function sorted(value)
{
    if (value === null || typeof value !== 'object') return JSON.stringify(value);
    if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`;
    return `{${Object.keys(value).sort().map(k => `${JSON.stringify(k)}:${sorted(value[k])}`).join(',')}}`;
}
