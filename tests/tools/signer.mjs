/* signer.mjs - signatures, certificates and content hashes as sea.js makes them,
 * made without it, so that a test can also make them wrong.
 *
 * A signed value is the text {":":VALUE,"~":SIGNATURE}. The signature is over
 * {"#":SOUL,".":KEY,":":VALUE,">":STATE}: its SHA-256, signed with P-256 and once
 * more SHA-256, r and s in standard base64. With a certificate the text also has
 * "+", the certificate {m, s}, and "*", the key of who wrote.
 */
import { createECDH, createHash, createPrivateKey, sign } from 'node:crypto';

const sha = text => createHash('sha256').update(text).digest();

/* Not by generateKeyPairSync(): Node (seen with 20.20.2) holds a lock of the key while
 * it exports it as JWK, and takes the same lock once more if garbage is collected
 * meanwhile and the job that made the key is part of it. It then hangs for ever. */
function key_pair()
{
    const made = createECDH('prime256v1');
    const point = made.generateKeys();
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map(half => half.toString('base64url'));
    const d = Buffer.alloc(32);
    const secret = made.getPrivateKey(); // without leading zeros
    secret.copy(d, 32 - secret.length);
    const jwk = { kty: 'EC', crv: 'P-256', x, y, d: d.toString('base64url') };
    return { key: createPrivateKey({ key: jwk, format: 'jwk' }), pub: `${x}.${y}`, priv: jwk.d };
}

/* A user: what SEA.pair() gives, and the key that signs here. */
export function make_pair()
{
    const [own, exchange] = [key_pair(), key_pair()];
    return { pub: own.pub, priv: own.priv, epub: exchange.pub, epriv: exchange.priv, key: own.key };
}

/* The pair as a client can be given it. */
export const sea_pair = ({ pub, priv, epub, epriv }) => ({ pub, priv, epub, epriv });

export function signature_of(pair, text)
{
    return sign('sha256', sha(text), { key: pair.key, dsaEncoding: 'ieee-p1363' }).toString('base64');
}

/* The text that stands as value of `soul`/`key`. `more` is what else goes in. */
export function signed(pair, soul, key, value, state, more = {})
{
    const text = JSON.stringify({ '#': soul, '.': key, ':': value, '>': state });
    return JSON.stringify({ ':': value, '~': signature_of(pair, text), ...more });
}

/* A certificate as an object; `terms` are c, w, e, wb, r as SEA.certify writes them. */
export function certificate(issuer, terms)
{
    return { m: terms, s: signature_of(issuer, JSON.stringify(terms)) };
}

/* What `writer` writes into the space of another with `cert`. */
export function signed_with(cert, writer, soul, key, value, state)
{
    return signed(writer, soul, key, value, state, { '+': cert, '*': writer.pub });
}

const text_of = value => typeof value === 'string' ? value : JSON.stringify(value);
export const hash_of = value => sha(text_of(value)).toString('base64');
export const hex_of = value => sha(text_of(value)).toString('hex');
