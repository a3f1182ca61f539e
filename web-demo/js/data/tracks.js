/* tracks.js - the library: what everybody on this relay has published.
 *
 *   ~pub/tracks/<id>   a track with all its fields, as docs/audio.md has them
 *   ~pub/tracks        links to them, so that gun.get('~pub').get('tracks').map() works
 *   ~pub/shelf         key id, value JSON of what a row of the library shows
 *
 * A signature costs a browser a fraction of a millisecond, and a track has twenty fields:
 * a library of 5,000 would take half a minute. A shelf has one signature for each track,
 * one get for each person, and enough to search, sort, draw and play. The rest is read when
 * a track is opened. Whose shelves there are, people.js knows.
 */
import { base64, unbase64 } from './bytes.js';
import { coverOf, coverSoul } from './covers.js';
import { emitter, gather } from './events.js';
import { audioType, hash44, hex64, number, record, soul as soulOf, text } from './safe.js';

const perPersonMax = 20_000;
const idForm = /^[A-Za-z0-9_-]{1,32}$/;
const long = { title: 200, artist: 200, album: 200, genre: 60, year: 10, note: 2000 };

const yearOf = value => text(typeof value === 'number' ? String(value) : value, long.year);

/* What of a track stands on the shelf. Short names: 5,000 of them are sent. */
const shelved = track => JSON.stringify({
    t: track.title, a: track.artist, l: track.album || undefined, s: track.seconds || undefined, b: track.bytes, m: track.mime,
    r: track.root, k: track.manifest, c: track.cover || undefined, p: track.premium || undefined, d: track.at,
});

/* Checked, whatever it says; null for what could never be played. */
function unshelve(pub, id, value)
{
    const said = record(value);
    const root = hex64(said.r), manifest = hash44(said.k);
    if (!root || !manifest || !idForm.test(id)) return null;
    return {
        soul: `~${pub}/tracks/${id}`, pub, id, root, manifest,
        title: text(said.t, long.title) || 'Untitled', artist: text(said.a, long.artist), album: text(said.l, long.album),
        seconds: number(said.s, 0, 1e6), bytes: number(said.b, 0, 1e12), mime: audioType(said.m),
        cover: hex64(said.c), premium: said.p === true, at: number(said.d, 0, 8e15),
    };
}

function peaksOf(value)
{
    if (typeof value !== 'string' || value.length > 2000 || !/^[A-Za-z0-9+/]+={0,2}$/.test(value) || value.length % 4) return null;
    return unbase64(value);
}

/* The whole node of a track, checked; null when it is none. */
function trackOf(pub, id, node)
{
    const root = hex64(node.root), manifest = hash44(node.manifest);
    if (!root || !manifest) return null;
    return {
        soul: `~${pub}/tracks/${id}`, pub, id, root, manifest,
        title: text(node.title, long.title) || 'Untitled', artist: text(node.artist, long.artist), album: text(node.album, long.album),
        genre: text(node.genre, long.genre), year: yearOf(node.year), note: text(node.note, long.note),
        seconds: number(node.durationSec, 0, 1e6), bytes: number(node.bytes, 0, 1e12), mime: audioType(node.mime),
        cover: coverOf(node.cover), premium: node.premium === true, at: number(node.at, 0, 8e15), peaks: peaksOf(node.peaks),
    };
}

/* A track as it is stored. */
function nodeOf(track)
{
    const node = {
        title: track.title, artist: track.artist, album: track.album, genre: track.genre, year: track.year, note: track.note,
        durationSec: track.seconds, bytes: track.bytes, mime: track.mime, root: track.root, manifest: track.manifest,
        audio: { '#': `audio/${track.root}#m` }, premium: track.premium, at: track.at, v: 1,
    };
    if (track.premium) node.keys = { '#': `~${track.pub}/keys/${track.root}` };
    if (track.cover) node.cover = { '#': coverSoul(track.cover) };
    if (track.peaks) node.peaks = base64(track.peaks);
    return node;
}

/* What somebody typed, or a file says, in the sizes that everybody will show. */
function clean(track)
{
    const cut = {};
    for (const name of Object.keys(long)) cut[name] = name === 'year' ? yearOf(track.year) : text(track[name], long[name]);
    return {
        ...track, ...cut, title: cut.title || 'Untitled', premium: track.premium === true,
        seconds: number(track.seconds, 0, 1e6), bytes: number(track.bytes, 0, 1e12), cover: hex64(track.cover),
        peaks: track.peaks instanceof Uint8Array && track.peaks.length <= 1400 ? track.peaks : null,
    };
}

/**
 * A track in the list (all values checked, texts cut; safe to hand to textContent):
 * @typedef {object} Track
 * @property {string} soul      '~pub/tracks/id': its name everywhere (playlists, presence, addresses)
 * @property {string} pub
 * @property {string} id
 * @property {string} title
 * @property {string} artist
 * @property {string} album
 * @property {number} seconds   0 when unknown
 * @property {number} bytes
 * @property {string} mime
 * @property {string} root      64 hex digits
 * @property {string} manifest  hash, base64
 * @property {string} cover     hex for covers.get(), or ''
 * @property {boolean} premium
 * @property {number} at        ms, when it was published
 * @property {boolean} mine
 * @property {Uint8Array|null} peaks   400 peaks 0..255; only from load() and watch()
 * @property {string} genre     likewise
 * @property {string} year      likewise
 * @property {string} note      likewise
 *
 * @returns tracks
 *   tracks.list                          Track[], all of this relay, in no order
 *   tracks.on('change', () => {})        the list changed (gathered: at most some 20 times a second)
 *   tracks.get(soul) -> Track|undefined  of the list
 *   tracks.load(soul) -> Promise<Track|null>   with peaks, genre, year, note
 *   tracks.watch(soul, track => {}) -> off()   likewise, live; null when removed
 *   tracks.publish({title, artist, album, genre, year, note, seconds, bytes, mime, root, manifest, cover, peaks, premium}) -> Promise<soul>
 *   tracks.edit(soul, {title, ...}) -> Promise
 *   tracks.remove(soul) -> Promise
 *   tracks.url(track) -> string          '/audio/<root>?m=...' for <audio>
 *   tracks.isSoul(text) -> boolean
 */
export function openTracks({ relay, people })
{
    const events = emitter();
    const tracks = new Map(); /* soul -> Track */
    const shelves = new Map(); /* pub -> {off, words: id -> value, mine} */
    const tell = gather(() => events.emit('change'), 50);
    let list = null;

    const mark = track => track && { ...track, mine: track.pub === people.me?.pub };

    function hear(pub, shelf, node)
    {
        let changed = false;
        for (const id of Object.keys(node)) {
            if (shelf.words.get(id) === node[id]) continue;
            if (!shelf.words.has(id) && shelf.words.size >= perPersonMax) continue;
            shelf.words.set(id, node[id]);
            const soul = `~${pub}/tracks/${id}`, track = unshelve(pub, id, node[id]);
            if (track) tracks.set(soul, mark(track)); else tracks.delete(soul);
            changed = true;
        }
        if (!changed) return;
        list = null;
        tell();
    }

    /* One's own shelf is read where it is kept, so that it is there without a line. */
    function follow(pub)
    {
        const mine = pub === people.me?.pub;
        if (shelves.get(pub)?.mine === mine) return;
        shelves.get(pub)?.off();
        const shelf = { mine, words: shelves.get(pub)?.words ?? new Map() };
        shelves.set(pub, shelf);
        shelf.off = relay.watch(`~${pub}/shelf`, node => hear(pub, shelf, node), { stream: !mine });
    }

    function followAll()
    {
        for (const pub of people.all) follow(pub);
    }
    const offs = [people.on('people', followAll), people.on('me', () => {
        followAll();
        for (const [soul, track] of tracks) tracks.set(soul, mark(track));
        list = null;
        tell();
    })];
    followAll();

    const streamed = pub => ({ stream: pub !== people.me?.pub });

    function watch(soul, listener)
    {
        const at = soulOf(soul);
        if (at?.kind !== 'tracks') {
            const timer = setTimeout(() => listener(null), 0);
            return () => clearTimeout(timer);
        }
        return relay.watch(soul, node => listener(mark(trackOf(at.pub, at.id, node))), streamed(at.pub));
    }

    /* Told whether there is one: the relay says when there is nothing. */
    async function load(soul)
    {
        const at = soulOf(soul);
        if (at?.kind !== 'tracks') return null;
        const root = await relay.read(soul, 'root', streamed(at.pub));
        if (root === undefined || root === null) return null;
        return new Promise(resolve => {
            let off = null, latest = null;
            const end = () => { clearTimeout(late); off?.(); resolve(latest); };
            const late = setTimeout(end, 3000);
            const settled = gather(end, 150); /* fields are verified one by one */
            off = watch(soul, track => { latest = track; if (track?.at) settled(); });
        });
    }

    function own(soul)
    {
        const at = soulOf(soul);
        if (!people.me) throw new Error('Sign in first.');
        if (at?.kind !== 'tracks' || at.pub !== people.me.pub) throw new Error('This track is not yours.');
        return at;
    }

    async function publish(meta)
    {
        if (!people.me) throw new Error('Sign in first.');
        if (!hex64(meta.root) || !hash44(meta.manifest)) throw new Error('A track needs its root and its manifest.');
        const pub = people.me.pub, id = meta.root.slice(0, 16), soul = `~${pub}/tracks/${id}`;
        const track = { ...clean(meta), pub, id, soul, at: Date.now() };
        await Promise.all([
            relay.putAll(soul, nodeOf(track)),
            relay.put(`~${pub}/tracks`, id, { '#': soul }),
            relay.put('~' + pub, 'tracks', { '#': `~${pub}/tracks` }),
        ]);
        await relay.put(`~${pub}/shelf`, id, shelved(track));
        return soul;
    }

    async function edit(soul, changes)
    {
        const { pub, id } = own(soul);
        const was = await load(soul);
        if (!was) throw new Error('The track is not here.');
        const allowed = Object.fromEntries(Object.entries(changes).filter(([name]) => name in long || name === 'cover' || name === 'peaks' || name === 'seconds'));
        const track = { ...clean({ ...was, ...allowed }), pub, id, soul };
        const node = nodeOf(track), before = nodeOf(was), different = {};
        for (const name of Object.keys(node)) {
            if (JSON.stringify(node[name]) !== JSON.stringify(before[name])) different[name] = node[name];
        }
        if (was.cover && !track.cover) different.cover = null;
        await Promise.all([
            Object.keys(different).length && relay.putAll(soul, different),
            relay.put(`~${pub}/shelf`, id, shelved(track)),
        ]);
    }

    /* Nothing names the audio any more, so that the relay may collect it. */
    async function remove(soul)
    {
        const { pub, id } = own(soul);
        await Promise.all([
            relay.put(`~${pub}/shelf`, id, null),
            relay.put(`~${pub}/tracks`, id, null),
            relay.putAll(soul, Object.fromEntries(['root', 'manifest', 'audio', 'title', 'artist', 'album', 'cover', 'peaks', 'keys'].map(name => [name, null]))),
        ]);
    }

    return {
        on: events.on, watch, load, publish, edit, remove,
        get list() { return list ??= [...tracks.values()]; },
        get: soul => tracks.get(soul),
        isSoul: value => soulOf(value)?.kind === 'tracks',
        url: track => `/audio/${track.root}?m=${encodeURIComponent(track.manifest)}`,
        close()
        {
            for (const off of offs) off();
            for (const shelf of shelves.values()) shelf.off();
            tell.stop();
        },
    };
}
