/* playlists.js - lists of tracks that several people edit at once.
 *
 *   ~owner/playlists              key id, link to the list; null when it is gone
 *   ~owner/playlists/<id>         name
 *   ~owner/playlists/<id>/items   key item, value JSON {t: track, p: place, a: ms}; null when taken out
 *   ~owner/editors/<id>           key a user's public key, value that user's certificate
 *   ~owner/blocked/<id>           key a user's public key, value true: the certificate is void
 *
 * An item is one value, so two people who touch two items never disturb each other, and
 * the later of two who touch one wins, on every screen alike. Order is order.js.
 *
 * Whom the owner shares with gets a certificate over playlists/<id>, name and items, and
 * writes into the owner's space with it. The editor's sea.js looks into the block list
 * before it lets a write out, and it would wait for a list it has never seen: so `false`
 * stands there from the start.
 *
 * A reader's sea.js does not believe items by somebody who is blocked now, however old they
 * are. So whoever takes an editor's right away signs the items anew first.
 */
import { newName } from './bytes.js';
import { emitter, gather } from './events.js';
import { between, compare, isPlace, placeMax, spread } from './order.js';
import { link, number, pub as isPub, record, soul as soulOf, text } from './safe.js';

const listsMax = 500, itemsMax = 5000, editorsMax = 200;
const nameMax = 120;
const lead = 'certificate '; /* sea.js takes texts apart that look like its own */

const certificateOf = value => (typeof value === 'string' && value.length < 4000 && value.startsWith(lead + 'SEA{') ? value.slice(lead.length) : '');

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
    const { pub: owner, id } = at, items = soul + '/items', editorsSoul = `~${owner}/editors/${id}`, blockedSoul = `~${owner}/blocked/${id}`;
    const events = emitter();
    const tell = gather(() => events.emit('change'), 8);
    let name = '', list = [], editors = {}, blocked = {}, closed = false;

    const mine = () => people.me?.pub === owner;
    const certificate = () => (people.me && blocked[people.me.pub] !== true ? certificateOf(editors[people.me.pub]) : '');
    const canEdit = () => mine() || certificate() !== '';

    const offs = [
        relay.watch(soul, node => { name = text(node.name, nameMax); tell(); }),
        relay.watch(items, node => {
            const read = Object.keys(node).map(key => itemOf(key, node[key])).filter(Boolean).sort(compare);
            list = read.slice(0, itemsMax);
            tell();
        }),
        relay.watch(editorsSoul, node => { editors = node; tell(); }),
        relay.watch(blockedSoul, node => { blocked = node; tell(); }),
        people.on('me', tell),
    ];

    const withRight = () => {
        if (mine()) return {};
        const cert = certificate();
        if (!cert) throw new Error(people.me ? 'This playlist is not shared with you.' : 'Sign in first.');
        return { cert };
    };
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

    async function add(track, index = list.length)
    {
        const right = withRight();
        if (soulOf(track)?.kind !== 'tracks') throw new Error('This is no track.');
        if (list.length >= itemsMax) throw new Error(`A playlist holds ${itemsMax} tracks.`);
        const item = { id: newName(), track, at: Date.now(), place: await placeAt(list, index, right) };
        show(item);
        await relay.put(items, item.id, write(item), right);
        return item.id;
    }

    async function move(itemId, index)
    {
        const right = withRight();
        const item = list.find(one => one.id === itemId);
        if (!item) return;
        const moved = { ...item, place: await placeAt(list.filter(one => one !== item), index, right) };
        show(moved);
        await relay.put(items, itemId, write(moved), right);
    }

    async function take(itemId)
    {
        const right = withRight();
        list = list.filter(one => one.id !== itemId);
        tell();
        await relay.put(items, itemId, null, right);
    }

    async function rename(words)
    {
        const right = withRight();
        const cut = text(words, nameMax);
        if (!cut) throw new Error('A playlist needs a name.');
        await relay.put(soul, 'name', cut, right);
    }

    async function share(pub)
    {
        if (!mine()) throw new Error('Only its owner shares a playlist.');
        if (!isPub(pub) || pub === owner) throw new Error('Nobody of that name is known here.');
        const policy = { '#': { '*': 'playlists/' + id } };
        const cert = await SEA.certify(pub, policy, people.pair, null, { block: blockedSoul });
        if (typeof cert !== 'string') throw new Error('The certificate could not be made.');
        await relay.put(blockedSoul, pub, false);
        await relay.put(editorsSoul, pub, lead + cert);
    }

    async function unshare(pub)
    {
        if (!mine()) throw new Error('Only its owner shares a playlist.');
        if (!isPub(pub)) return;
        if (name) await relay.put(soul, 'name', name);
        if (list.length > 0) await relay.putAll(items, Object.fromEntries(list.map(item => [item.id, write(item)])));
        await relay.put(blockedSoul, pub, true);
        await relay.put(editorsSoul, pub, null);
    }

    return {
        soul, owner, id, on: events.on, add, move, take, rename, share, unshare,
        get name() { return name || 'Untitled'; },
        get items() { return list.map(({ id: item, track, at: added }) => ({ id: item, track, at: added })); },
        get mine() { return mine(); },
        get canEdit() { return canEdit(); },
        get editors() { return Object.keys(editors).filter(pub => isPub(pub) && certificateOf(editors[pub]) && blocked[pub] !== true).slice(0, editorsMax); },
        close()
        {
            if (closed) return;
            closed = true;
            for (const off of offs) off();
            tell.stop();
        },
    };
}

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
        if (lists.has(soul) || lists.size >= listsMax) return;
        const mine = owner === people.me?.pub, one = { name: '', editors: {}, offs: [] };
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
