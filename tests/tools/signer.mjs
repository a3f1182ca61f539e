/* signer.mjs - signatures, certificates and content hashes as sea.js makes them,
 * made without it, so that a test can also make them wrong.
 *
 * A signed value is the text {":":VALUE,"~":SIGNATURE}. The signature is over
 * {"#":SOUL,".":KEY,":":VALUE,">":STATE}: its SHA-256, signed with P-256 and once
 * more SHA-256, r and s in standard base64. With a certificate the text also has
 * "+", the certificate {m, s}, and "*", the key of who wrote.
 */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';

const sha = text => createHash('sha256').update(text).digest();

function key_pair()
{
    const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x, y, d } = key.export({ format: 'jwk' });
    return { key, pub: `${x}.${y}`, priv: d };
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
