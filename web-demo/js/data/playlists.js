/* playlists.js - lists of tracks that several people edit at once.
 *
 *   ~owner/playlists              key id, link to the list; null when it is gone
 *   ~owner/playlists/<id>         name; items, a link to one of:
 *   ~owner/playlists/<id>/items   key item, value JSON {t: track, p: place, a: ms}; null when taken out
 *   ~owner/editors/<id>           key a user's public key, value that user's certificate
 *
 * An item is one value, so two people who touch two items never disturb each other, and
 * the later of two who touch one wins, on every screen alike. Order is order.js.
 *
 * Whom the owner shares with gets a certificate over exactly the path of the items, and
 * writes into the owner's space with it. The name stays the owner's.
 *
 * A certificate cannot be taken back: the block lists of SEA are looked up by the writer's
 * own sea.js in the midst of a put, which is lost when the answer is not at hand. So whoever
 * takes a right away moves: the items are copied to a soul of a new name, the others get a
 * certificate for that, and the link is turned. The old one opens a room that nobody looks into.
 */
import { newName } from './bytes.js';
import { emitter, gather } from './events.js';
import { between, compare, isPlace, placeMax, spread } from './order.js';
import { link, number, pub as isPub, record, soul as soulOf, text } from './safe.js';

const listsMax = 500, itemsMax = 5000, editorsMax = 200;
const nameMax = 120;
const rightMs = 5000; /* that a certificate may take to be here and proved */
const lead = 'certificate '; /* sea.js takes texts apart that look like its own */

const certificateOf = value => (typeof value === 'string' && value.length < 4000 && value.startsWith(lead + 'SEA{') ? value.slice(lead.length) : '');

/* The path that a certificate opens. */
const pathOf = certificate => record(record(certificate.slice('SEA'.length)).m).w?.['#']?.['='];

/* Where the items of a list are: what the owner says, if it is in this list, else the first place. */
function itemsSoul(soul, node)
{
    const said = link(node.items);
    return said.startsWith(soul + '/items') && /^[A-Za-z0-9]{0,12}$/.test(said.slice(soul.length + '/items'.length)) ? said : soul + '/items';
}

function itemOf(id, value)
{
    const said = record(value, 1000);
    if (!/^[A-Za-z0-9]{12}$/.test(id) || soulOf(said.t)?.kind !== 'tracks' || !isPlace(said.p)) return null;
    return { id, track: said.t, place: said.p, at: number(said.a, 0, 8e15) };
}

/* One list that is open. */
function openOne({ world, relay, people }, soul)
{
    const { SEA } = world;
    const at = soulOf(soul);
    if (at?.kind !== 'playlists') throw new Error('This is no playlist.');
    const { pub: owner, id } = at, editorsSoul = `~${owner}/editors/${id}`;
    const events = emitter();
    const tell = gather(() => events.emit('change'), 8);
    let name = '', list = [], editors = {}, items = '', offItems = () => {}, closed = false, changedAt = 0;

    const mine = () => people.me?.pub === owner;
    const path = () => items.slice(owner.length + 2);
    const opens = pub => {
        const certificate = certificateOf(editors[pub]);
        return certificate && pathOf(certificate) === path() ? certificate : '';
    };
    const canEdit = () => mine() || Boolean(people.me && opens(people.me.pub));

    function hearItems(node)
    {
        changedAt = performance.now();
        list = Object.keys(node).map(key => itemOf(key, node[key])).filter(Boolean).sort(compare).slice(0, itemsMax);
        tell();
    }

    function follow(where)
    {
        if (items === where) return;
        offItems();
        items = where;
        offItems = relay.watch(items, hearItems);
    }

    follow(soul + '/items');
    const offs = [
        relay.watch(soul, node => {
            name = text(node.name, nameMax);
            follow(itemsSoul(soul, node));
            tell();
        }),
        relay.watch(editorsSoul, node => { editors = node; tell(); }),
        people.on('me', tell),
        () => offItems(),
    ];

    /* Signatures are checked one after the other: all have been when nothing comes any more. */
    async function quiet()
    {
        const from = performance.now();
        do await new Promise(resolve => setTimeout(resolve, 40)); while (performance.now() - Math.max(from, changedAt) < 40);
    }

    /* What is there has been heard: who adds to the end has to know it, and what is allowed. */
    const ready = (async () => {
        await Promise.all([soul, editorsSoul].map(one => relay.read(one, ' ', { quick: true })));
        await quiet();
        await relay.read(items, ' ', { quick: true });
        await quiet();
    })();

    /* A certificate may still be on its way, or its signature be looked at, when a list has just been
     * opened; and on a slow phone all of that has taken its time before. */
    async function withRight()
    {
        await ready;
        if (mine()) return {};
        if (!people.me) throw new Error('Sign in first.');
        const from = performance.now();
        while (!opens(people.me.pub) && performance.now() - from < rightMs) await new Promise(resolve => setTimeout(resolve, 50));
        const cert = opens(people.me.pub);
        if (!cert) throw new Error('This playlist is not shared with you.');
        return { cert };
    }
    const write = ({ track, place, at: added }) => JSON.stringify({ t: track, p: place, a: added });

    /* What is shown at once, before the signature is made and heard back. */
    function show(item)
    {
        list = [...list.filter(other => other.id !== item.id), item].sort(compare);
        tell();
    }

    /* A place at `index` among `others`. Where there is none, because two have the same or it
     * has become too long, everything behind is given a new one. */
    async function placeAt(others, index, right)
    {
        const i = Math.max(0, Math.min(index, others.length));
        const low = i > 0 ? others[i - 1].place : '', high = i < others.length ? others[i].place : null;
        if (high === null || low < high) {
            const place = between(low, high);
            if (place.length <= placeMax) return place;
        }
        const places = spread('', null, others.length + 1);
        const moved = others.map((item, k) => ({ ...item, place: places[k < i ? k : k + 1] }));
        await relay.putAll(items, Object.fromEntries(moved.map(item => [item.id, write(item)])), right);
        return places[i];
    }

    async function add(track, index = Infinity)
    {
        const right = await withRight();
        if (soulOf(track)?.kind !== 'tracks') throw new Error('This is no track.');
        if (list.length >= itemsMax) throw new Error(`A playlist holds ${itemsMax} tracks.`);
        const item = { id: newName(), track, at: Date.now(), place: await placeAt(list, index, right) };
        show(item);
        await relay.put(items, item.id, write(item), right);
        return item.id;
    }

    async function move(itemId, index)
    {
        const right = await withRight();
        const item = list.find(one => one.id === itemId);
        if (!item) return;
        const moved = { ...item, place: await placeAt(list.filter(one => one !== item), index, right) };
        show(moved);
        await relay.put(items, itemId, write(moved), right);
    }

    async function take(itemId)
    {
        const right = await withRight();
        list = list.filter(one => one.id !== itemId);
        tell();
        await relay.put(items, itemId, null, right);
    }

    async function rename(words)
    {
        if (!mine()) throw new Error('Only its owner renames a playlist.');
        const cut = text(words, nameMax);
        if (!cut) throw new Error('A playlist needs a name.');
        await relay.put(soul, 'name', cut);
    }

    async function certify(pub, where)
    {
        const cert = await SEA.certify(pub, { '#': { '=': where.slice(owner.length + 2) } }, people.pair);
        if (typeof cert !== 'string') throw new Error('The certificate could not be made.');
        await relay.put(editorsSoul, pub, lead + cert);
    }

    async function share(pub)
    {
        await ready;
        if (!mine()) throw new Error('Only its owner shares a playlist.');
        if (!isPub(pub) || pub === owner) throw new Error('Nobody of that name is known here.');
        if (!opens(pub)) await certify(pub, items);
    }

    async function unshare(pub)
    {
        await ready;
        if (!mine()) throw new Error('Only its owner shares a playlist.');
        if (!certificateOf(editors[pub])) return;
        const others = Object.keys(editors).filter(one => one !== pub && isPub(one) && opens(one)), next = soul + '/items' + newName();
        await relay.put(editorsSoul, pub, null);
        if (list.length > 0) await relay.putAll(next, Object.fromEntries(list.map(item => [item.id, write(item)])));
        for (const other of others) await certify(other, next);
        await relay.put(soul, 'items', { '#': next });
    }

    return {
        soul, owner, id, ready, on: events.on, add, move, take, rename, share, unshare,
        get name() { return name || 'Untitled'; },
        get items() { return list.map(({ id: item, track, at: added }) => ({ id: item, track, at: added })); },
        get mine() { return mine(); },
        get canEdit() { return canEdit(); },
        get editors() { return Object.keys(editors).filter(pub => isPub(pub) && opens(pub)).slice(0, editorsMax); },
        close()
        {
            if (closed) return;
            closed = true;
            for (const off of offs) off();
            tell.stop();
        },
    };
}

/**
 * @returns playlists
 *   playlists.list                       [{soul, owner, id, name, mine, canEdit}] of this relay
 *   playlists.on('change', () => {})
 *   playlists.create(name) -> Promise<soul>     '~pub/playlists/id'
 *   playlists.remove(soul) -> Promise           mine only
 *   playlists.open(soul) -> playlist, live until playlist.close()
 *     playlist.soul, owner, id, mine, canEdit, name
 *     playlist.items                     [{id, track, at}] in order; `track` is a track's soul
 *     playlist.editors                   [pub] besides the owner
 *     playlist.ready                     Promise: what is there has been heard. All that changes it waits for this
 *     playlist.on('change', () => {})
 *     playlist.rename(name) -> Promise            mine only
 *     playlist.add(trackSoul, index = end) -> Promise<item id>
 *     playlist.move(itemId, index) -> Promise     index in the list without it
 *     playlist.take(itemId) -> Promise            removes it
 *     playlist.share(pub) -> Promise              mine only
 *     playlist.unshare(pub) -> Promise
 *     playlist.close()
 *   playlists.isSoul(text) -> boolean
 */
export function openPlaylists(data)
{
    const { relay, people } = data;
    const events = emitter();
    const tell = gather(() => events.emit('change'), 40);
    const owners = new Map(); /* pub -> off */
    const lists = new Map();  /* soul -> {name, right: certified, offs} */

    function forget(soul)
    {
        const one = lists.get(soul);
        if (!one) return;
        for (const off of one.offs) off();
        lists.delete(soul);
    }

    function follow(soul, owner, id)
    {
        const mine = owner === people.me?.pub;
        if (lists.has(soul) || lists.size >= listsMax && !mine) return; /* strangers' fill no room of one's own */
        const one = { name: '', editors: {}, offs: [] };
        lists.set(soul, one);
        one.offs.push(relay.watch(soul, node => { one.name = text(node.name, nameMax); tell(); }, { stream: !mine }));
        one.offs.push(relay.watch(`~${owner}/editors/${id}`, node => { one.editors = node; tell(); }, { stream: !mine }));
    }

    function hear(owner, node)
    {
        for (const id of Object.keys(node)) {
            const soul = `~${owner}/playlists/${id}`;
            if (soulOf(soul)?.kind !== 'playlists') continue;
            if (link(node[id]) === soul) follow(soul, owner, id); else forget(soul);
        }
        tell();
    }

    function followAll()
    {
        for (const pub of people.all) {
            const mine = pub === people.me?.pub;
            if (owners.get(pub)?.mine === mine) continue;
            owners.get(pub)?.off();
            owners.set(pub, { mine, off: relay.watch(`~${pub}/playlists`, node => hear(pub, node), { stream: !mine }) });
        }
    }
    const offs = [people.on('people', followAll), people.on('me', () => { followAll(); tell(); })];
    followAll();

    function entry(soul, one)
    {
        const { pub: owner, id } = soulOf(soul), me = people.me?.pub;
        const mine = owner === me;
        return { soul, owner, id, name: one.name || 'Untitled', mine, canEdit: mine || Boolean(me && certificateOf(one.editors[me])) };
    }

    async function create(words)
    {
        if (!people.me) throw new Error('Sign in first.');
        const pub = people.me.pub, id = newName(), soul = `~${pub}/playlists/${id}`;
        const name = text(words, nameMax);
        if (!name) throw new Error('A playlist needs a name.');
        await relay.putAll(soul, { name, at: Date.now() });
        await Promise.all([
            relay.put(`~${pub}/playlists`, id, { '#': soul }),
            relay.put('~' + pub, 'playlists', { '#': `~${pub}/playlists` }),
        ]);
        return soul;
    }

    async function remove(soul)
    {
        const at = soulOf(soul);
        if (at?.kind !== 'playlists' || at.pub !== people.me?.pub) throw new Error('This playlist is not yours.');
        await relay.put(`~${at.pub}/playlists`, at.id, null);
    }

    return {
        on: events.on, create, remove,
        open: soul => openOne(data, soul),
        get list() { return [...lists].map(([soul, one]) => entry(soul, one)); },
        isSoul: value => soulOf(value)?.kind === 'playlists',
        close()
        {
            for (const off of offs) off();
            for (const { off } of owners.values()) off();
            for (const soul of [...lists.keys()]) forget(soul);
            tell.stop();
        },
    };
}
