/* covers.js - pictures, by their hash.
 *
 * A picture is a data: text under 50,000 characters, the value of soul `cover/<hex>#`
 * under the key that is the same hash in base64. The soul alone says all: a track links
 * to it, ten tracks of an album link to one, and nobody can put another picture there.
 * They are read by the instance that keeps nothing, and let go of at once: what is shown
 * again comes from a small shelf of our own.
 */
import { base64, hex, sha256, unhex } from './bytes.js';
import { hex64, link, picture } from './safe.js';

const shelfMax = 300;

/** The hash in the link of a track, or ''. */
export const coverOf = value => hex64(/^cover\/([0-9a-f]{64})#$/.exec(link(value))?.[1]);
export const coverSoul = hash => `cover/${hash}#`;

/**
 * @returns covers
 *   covers.put(dataUrl) -> Promise<hex>        under 50,000 characters, png jpeg webp gif; rejects else
 *   covers.get(hex) -> Promise<dataUrl|''>     '' when there is none, or what is there is no picture
 */
export function openCovers({ relay })
{
    const shelf = new Map(); /* hash -> Promise of a picture, the latest at the end */

    async function put(dataUrl)
    {
        if (!picture(dataUrl)) throw new Error('A cover is a PNG, JPEG, WebP or GIF under 50,000 characters.');
        const bytes = await sha256(dataUrl), hash = hex(bytes);
        await relay.put(coverSoul(hash), base64(bytes), dataUrl);
        shelf.set(hash, Promise.resolve(dataUrl));
        return hash;
    }

    async function fetchOne(hash)
    {
        const value = await relay.read(coverSoul(hash), base64(unhex(hash)), { stream: true, ms: 20_000 });
        relay.forget(coverSoul(hash));
        if (value === undefined) shelf.delete(hash);
        return picture(value);
    }

    function get(hash)
    {
        if (!hex64(hash)) return Promise.resolve('');
        const found = shelf.get(hash) ?? fetchOne(hash);
        shelf.delete(hash);
        shelf.set(hash, found);
        if (shelf.size > shelfMax) shelf.delete(shelf.keys().next().value);
        return found;
    }

    return { put, get };
}
