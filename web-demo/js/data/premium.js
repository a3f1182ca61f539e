/* premium.js - who may hear all of an encrypted track.
 *
 * The key of a track lies at ~artist/keys/<root>, once for each user who may have it, under
 * that user's public key, encrypted by the secret that artist and user share (ECDH). So it
 * does for the artist, who has it on every device. The relay never sees a key.
 *
 * A key that was given cannot be taken back: revoke() takes the entry away, not the memory.
 */
import { base64, unbase64 } from './bytes.js';
import { hash44, pub as isPub, soul as soulOf } from './safe.js';

export const newKey = () => crypto.getRandomValues(new Uint8Array(32));

/**
 * @returns premium
 *   premium.grant(track, pub) -> Promise        my track, for a user; rejects when unknown or not mine
 *   premium.revoke(track, pub) -> Promise       takes the entry away (who has had the key, has it)
 *   premium.granted(track) -> Promise<[pub]>    to whom (without me)
 *   premium.watch(track, key => {}) -> off()    Uint8Array when I may play it all, else null; live
 *   premium.key(track) -> Promise<Uint8Array|null>
 */
export function openPremium({ world, relay, people })
{
    const { SEA } = world;
    const keysOf = track => `~${track.pub}/keys/${track.root}`;

    function own(track)
    {
        if (!people.me) throw new Error('Sign in first.');
        if (soulOf(track.soul)?.pub !== people.me.pub || track.pub !== people.me.pub) throw new Error('This track is not yours.');
    }

    async function seal(key, pub, epub)
    {
        return SEA.encrypt(base64(key), await SEA.secret(epub, people.pair));
    }

    /* At the end of an upload. */
    async function keep(track, key)
    {
        own(track);
        await relay.put(keysOf(track), people.me.pub, await seal(key, people.me.pub, people.me.epub));
        await relay.put(`~${track.pub}/keys`, track.root, { '#': keysOf(track) });
    }

    /* What stands there for me, opened; null when it is no key for me. */
    async function unseal(track, value)
    {
        if (!people.me || typeof value !== 'string' && (value === null || typeof value !== 'object')) return null;
        const pair = people.pair;
        const epub = track.pub === pair.pub ? pair.epub : await people.epub(track.pub);
        if (typeof epub !== 'string') return null;
        const text = await SEA.decrypt(value, await SEA.secret(epub, pair));
        return hash44(text) ? unbase64(text) : null;
    }

    async function key(track)
    {
        const me = people.me;
        if (!me || !isPub(track?.pub)) return null;
        const value = await relay.read(keysOf(track), me.pub, { quick: true });
        return unseal(track, value).catch(() => null);
    }

    function watch(track, listener)
    {
        let off = null, last, turn = 0;
        async function hear(node)
        {
            const mine = ++turn, value = people.me && node[people.me.pub];
            if (last !== undefined && last === value) return;
            last = value;
            const found = value ? await unseal(track, value).catch(() => null) : null;
            if (mine === turn) listener(found);
        }
        function begin()
        {
            off?.();
            turn++;
            last = undefined;
            listener(null);
            if (people.me && isPub(track?.pub)) off = relay.watch(keysOf(track), hear);
        }
        const offMe = people.on('me', begin);
        begin();
        return () => { turn++; offMe(); off?.(); };
    }

    async function grant(track, pub)
    {
        own(track);
        const mine = await key(track);
        if (!mine) throw new Error('The key of this track is not here.');
        const epub = isPub(pub) && await people.epub(pub);
        if (typeof epub !== 'string') throw new Error('Nobody of that name is known here.');
        await relay.put(keysOf(track), pub, await seal(mine, pub, epub));
    }

    async function revoke(track, pub)
    {
        own(track);
        if (pub !== people.me.pub) await relay.put(keysOf(track), pub, null);
    }

    /* Everybody whose entry is there. */
    async function granted(track)
    {
        const node = await relay.whole(keysOf(track), { settleMs: 100 });
        return Object.keys(node).filter(pub => isPub(pub) && node[pub] && pub !== track.pub);
    }

    return { keep, key, watch, grant, revoke, granted };
}
