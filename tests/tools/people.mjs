/* people.mjs - what users of gun and sea do, as functions for a client's run().
 *
 * The same text runs next to a gun client in a Node process (gun-client.mjs) and
 * in a page of Chromium (browser/tab.mjs): it is shipped there, so that it sees its
 * context and its arguments only. Answers are what gun called back.
 */
import { isDeepStrictEqual } from 'node:util';
import { until } from './harness.mjs';

export const password = 'correct horse battery';

export const create = ({ gun }, alias, pass, options = {}) => new Promise(resolve => {
    gun.user().create(alias, pass, ack => resolve({ pub: ack.pub ?? null, err: ack.err ?? null }), options);
});

/* With {change: NEW} gun calls back with the ack of the new secret. */
export const enter = ({ gun }, alias, pass, options = {}) => new Promise(resolve => {
    gun.user().auth(alias, pass, ack => resolve({ pub: gun.user().is?.pub ?? null, err: ack.err ?? null }), options);
});

export const enter_with_pair = ({ gun }, pair) => new Promise(resolve => {
    gun.user().auth(pair, ack => resolve({ pub: gun.user().is?.pub ?? null, err: ack.err ?? null }));
});

/* What app code never shows: the keys of who is logged in. */
export const keys = ({ gun }) => {
    const { pub, priv, epub, epriv } = gun.user()._.sea;
    return { pub, priv, epub, epriv };
};

/* In one's own space. */
export const put_own = ({ gun, put }, where, value) =>
    put(where.reduce((chain, key) => chain.get(key), gun.user()), value);

export const read = ({ gun, once }, pub, where) =>
    once(where.reduce((chain, key) => chain.get(key), gun.get('~' + pub)));

/* Of what is known to be there: however long it takes. */
export const read_value = ({ gun, value }, pub, where) =>
    value(where.reduce((chain, key) => chain.get(key), gun.get('~' + pub)));

/* Waits until it is there, by the same reading: once() gives a relay 99 ms, and shows what
 * the client knew before while the signature of a change is still looked at. */
export const reads = (client, pub, where, value) => until(`${JSON.stringify(value)} at ${where.join('/')}`,
    async () => isDeepStrictEqual(await client.run(read, pub, where), value));

export const listen = ({ gun, memory, plain }, pub, where) => {
    where.reduce((chain, key) => chain.get(key), gun.get('~' + pub))
        .on(data => { memory.seen[where.join('\n')] = plain(data); });
};

/* Into the space of another, with a certificate. The node is addressed by its soul:
 * from the user's own node gun writes the links on the way again, and needs to be
 * allowed to. */
export const put_with = ({ gun, put }, pub, folder, key, value, cert) =>
    put(gun.get('~' + pub + '/' + folder).get(key), value, { opt: { cert } });

/* For puts that gun itself may let go without a word: what its callback said, or
 * 'silence'. Such a client is of no more use: what it puts later does not leave it
 * either. */
export const try_to_put_with = ({ gun, put, sleep }, pub, folder, key, value, cert) => Promise.race([
    put(gun.get('~' + pub + '/' + folder).get(key), value, { opt: { cert } }),
    sleep(1500).then(() => 'silence')]);

export const certify = ({ SEA, gun }, whom, policy, options = {}) =>
    SEA.certify(whom, policy, gun.user()._.sea, null, options);

/* The text of a signed value, made with SEA alone: what an app needs that writes
 * where its own sea.js lets nothing out. */
export const sign_for = async ({ SEA, gun }, soul, key, value, state, cert) => {
    const { m, s } = await SEA.sign({ '#': soul, '.': key, ':': value, '>': state }, gun.user()._.sea, null, { raw: 1 });
    const more = cert ? { '+': JSON.parse(cert.slice(3)), '*': gun.user().is.pub } : {};
    return JSON.stringify({ ':': m[':'], '~': s, ...more });
};

/* Creates an account and enters it; gives its public key. */
export async function new_user(client, alias)
{
    const { pub, err } = await client.run(create, alias, password);
    if (err) throw new Error(err);
    const entered = await client.run(enter, alias, password);
    if (entered.pub !== pub) throw new Error(`entered ${entered.pub} instead of ${pub}: ${entered.err}`);
    return pub;
}
