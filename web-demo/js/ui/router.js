/* router.js - addresses behind the #, so that the relay serves one page and
 * music goes on while one is left for another. */

/** '#/track/PUB/ID' as ['track', 'PUB', 'ID']; what cannot be read is the library. */
export function here()
{
    try {
        return location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);
    } catch {
        return [];
    }
}

export const go = address => { location.hash = address; };

const address = (kind, soul) => {
    const [pub, , id] = soul.slice(1).split('/');
    return `#/${kind}/${encodeURIComponent(pub)}/${encodeURIComponent(id)}`;
};
export const trackAddress = soul => address('track', soul);
export const playlistAddress = soul => address('playlist', soul);

/** Calls open(parts) now and whenever the address changes. */
export function route(open)
{
    addEventListener('hashchange', () => open(here()));
    open(here());
}
