/* playlist.js - a list of tracks that several people edit, live; and the list of lists. */
import { gather } from '../data/events.js';
import { clock, h, many, refill, say, theirs } from './dom.js';
import { ask, openMenu, sure } from './dialog.js';
import { face } from './account.js';
import { icon, setIcon } from './icons.js';
import { peopleField } from './people-field.js';
import { newPlaylist } from './playlist-add.js';
import { openDialog } from './dialog.js';
import { go, playlistAddress, trackAddress } from './router.js';
import { sortable } from './sortable.js';
import { toast, trying } from './toast.js';

export function playlistView(app, soul)
{
    const { data, player } = app;
    const list = data.playlists.open(soul);
    const title = h('h1', {}), by = h('p', { class: 'by' }), count = h('p', { class: 'count' });
    const play = h('button', { class: 'play round huge', 'aria-label': 'Play the playlist', onclick: playAll }, icon('play'));
    const buttons = h('div', { class: 'row' }), rows = h('ol', { class: 'rows' });
    const nothing = h('div', { class: 'nothing', hidden: true }, h('p', {}, 'Nothing in it yet. In the library, choose “Add to a playlist”.'), h('a', { href: '#/' }, 'To the library'));
    const quilt = h('div', { class: 'quilt', 'aria-hidden': 'true' });
    const element = h('article', { class: 'playlist' },
        h('header', {}, quilt, h('div', { class: 'words' }, by, title, count, h('div', { class: 'row main' }, play, buttons))), rows, nothing);
    const shown = new Map();
    const sort = sortable(rows, {
        allowed: () => list.canEdit,
        name: row => row.parts.title.textContent,
        moved: (row, index) => (index === null ? soon() : trying(() => list.move(row.dataset.item, index)).then(soon)), /* what others did meanwhile, too */
    });

    const playable = () => list.items.filter(item => data.tracks.get(item.track));
    function playAll()
    {
        const souls = playable().map(item => item.track);
        if (souls.includes(player.track?.soul)) return player.toggle();
        if (souls.length) return player.playAll(souls);
    }
    function playOne(row)
    {
        const items = playable(), i = items.findIndex(item => item.id === row.dataset.item);
        if (player.track?.soul === items[i]?.track) return player.toggle();
        if (i >= 0) return player.playAll(items.map(item => item.track), i);
    }

    function makeRow(item)
    {
        const name = theirs(''), link = h('a', { class: 'title' }, name), artist = theirs('', { class: 'artist' }), time = h('span', { class: 'time' });
        const start = h('button', { class: 'play round', onclick: () => playOne(row) });
        const grip = h('button', { class: 'grip', type: 'button' }, icon('grip'));
        const take = h('button', { class: 'quiet round', onclick: () => trying(() => list.take(row.dataset.item)) }, icon('close'));
        const row = h('li', { class: 'item list', 'data-item': item.id }, grip, app.covers.cover(null), start,
            h('div', { class: 'words' }, link, artist), time, take);
        row.parts = { title: name, link, artist, time, start, grip, take, cover: row.children[1] };
        return row;
    }

    function updateRow(row, item, i)
    {
        const track = data.tracks.get(item.track), { title, link, artist, time, start, grip, take, cover } = row.parts;
        const on = player.track?.soul === item.track, sounding = on && player.playing, name = track?.title || (track ? 'Untitled' : 'not here any more');
        row.className = `item list${on ? ' on' : ''}${sounding ? ' sounding' : ''}${track ? '' : ' gone'}${row.classList.contains('dragged') ? ' dragged' : ''}`;
        say(title, name);
        link.href = trackAddress(item.track);
        say(artist, track?.artist ?? '');
        say(time, track?.seconds ? clock(track.seconds) : '');
        setIcon(start, sounding ? 'pause' : 'play');
        start.disabled = !track;
        start.setAttribute('aria-label', `${sounding ? 'Pause' : 'Play'} ${name}`);
        grip.hidden = take.hidden = !list.canEdit;
        grip.setAttribute('aria-label', `Move ${name}, place ${i + 1} of ${list.items.length}. Arrow keys move it.`);
        take.setAttribute('aria-label', `Take ${name} out`);
        app.covers.show(cover, track);
    }

    function drawRows()
    {
        if (sort.dragging) return;
        const wanted = new Set(list.items.map(item => item.id)), focused = document.activeElement;
        for (const [id, row] of shown) if (!wanted.has(id)) { row.remove(); shown.delete(id); }
        const before = sort.places();
        list.items.forEach((item, i) => {
            let row = shown.get(item.id);
            if (!row) { row = makeRow(item); shown.set(item.id, row); row.classList.add('new'); }
            if (rows.children[i] !== row) rows.insertBefore(row, rows.children[i] ?? null);
            updateRow(row, item, i);
        });
        sort.glide(before);
        if (focused && rows.contains(focused)) focused.focus({ preventScroll: true });
    }

    function draw()
    {
        const known = playable().map(item => data.tracks.get(item.track)), total = known.reduce((sum, track) => sum + track.seconds, 0);
        title.replaceChildren(theirs(list.name || 'Untitled'));
        title.classList.toggle('long', list.name.length > 24);
        const owner = data.people.name(list.owner) || data.people.short(list.owner);
        by.replaceChildren(face(list.owner, owner), h('span', {}, 'A playlist of ', theirs(list.mine ? 'yours' : owner)),
            ...list.editors.slice(0, 5).map(pub => face(pub, data.people.name(pub))),
            ...(list.editors.length ? [h('span', { class: 'hint' }, many(list.editors.length, 'editor'))] : []));
        say(count, `${many(list.items.length, 'track')}${total ? ` · ${clock(total)}` : ''}`);
        nothing.hidden = list.items.length > 0;
        drawQuilt(known);
        drawButtons();
        drawRows();
        const sounding = player.playing && list.items.some(item => item.track === player.track?.soul);
        setIcon(play, sounding ? 'pause' : 'play');
        play.setAttribute('aria-label', `${sounding ? 'Pause' : 'Play'} the playlist`);
    }

    function drawQuilt(known)
    {
        const four = [...new Map(known.map(track => [track.root, track])).values()].slice(0, 4), sign = four.map(track => track.root + track.cover).join();
        quilt.classList.toggle('one', four.length < 4);
        refill(quilt, sign, () => (four.length < 4 ? [app.covers.cover(four[0] ?? null, 'large')] : four.map(track => app.covers.cover(track))));
    }

    function drawButtons()
    {
        refill(buttons, String(list.mine), () => {
            const more = h('button', { class: 'quiet round', 'aria-label': 'More', onclick: () => openMenu(more, [
                list.mine && { label: 'Rename', sign: 'edit', run: rename }, { label: 'Copy its address', sign: 'link', run: copy },
                list.mine && { label: 'Remove the playlist', sign: 'trash', danger: true, run: remove }]) }, icon('more'));
            return list.mine ? [h('button', { class: 'plain', onclick: share }, icon('share'), 'Share'), more] : [more];
        });
    }

    async function rename()
    {
        const name = await ask('Rename', { label: 'Name', value: list.name });
        if (name) await trying(() => list.rename(name));
    }
    async function remove()
    {
        if (await sure('Remove this playlist?', `“${list.name}” disappears for all its editors. The tracks stay.`, 'Remove') && await trying(() => data.playlists.remove(soul))) go('#/playlists');
    }
    function copy()
    {
        const address = new URL(playlistAddress(soul), location.href).href;
        navigator.clipboard.writeText(address).then(() => toast('The address is copied.', { kind: 'good' }), () => toast(address));
    }
    function share()
    {
        const editors = h('ul', { class: 'people' });
        const field = peopleField(app, {
            label: 'Name of an editor', button: 'Share',
            chosen: person => trying(async () => { await list.share(person.pub); fill(); }, `${person.alias} can edit it now.`),
        });
        const fill = () => editors.replaceChildren(...list.editors.map(pub => {
            const name = data.people.name(pub) || data.people.short(pub);
            return h('li', {}, face(pub, name), theirs(name), h('button', { class: 'plain', onclick: () => trying(async () => { await list.unshare(pub); fill(); }) }, 'Stop'));
        }));
        const off = list.on('change', fill);
        fill();
        openDialog('Edit it together', h('div', {}, h('p', { class: 'hint' }, 'They get a certificate, signed by you, for this playlist only. Everybody sees each change at once.'), field, editors), { done: off });
    }

    const soon = gather(draw, 30);
    const offs = [list.on('change', soon), data.tracks.on('change', soon), data.people.on('names', soon), player.on('track', soon), player.on('state', soon)];
    draw();
    return { element, close() { offs.forEach(off => off?.()); soon.stop(); sort.close(); list.close(); } };
}

/* What glows for a list: digits made of its name in the graph. */
const rootOf = id => Array.from(id.repeat(4), c => (c.charCodeAt(0) * 41 % 256).toString(16).padStart(2, '0')).join('').slice(0, 64);

export function playlistsView(app)
{
    const { data } = app;
    const grid = h('ul', { class: 'shelf' });
    const nothing = h('p', { class: 'nothing' }, 'No playlists on this relay yet.');
    const make = async () => { const soul = await newPlaylist(app); if (soul) go(playlistAddress(soul)); };
    const element = h('div', { class: 'playlists' }, h('div', { class: 'heading' }, h('h1', {}, 'Playlists'), h('button', { class: 'glow', onclick: make }, icon('add'), 'New playlist')), grid, nothing);

    function draw()
    {
        const rank = list => (list.mine ? 0 : list.canEdit ? 1 : 2);
        const all = [...data.playlists.list].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name)).slice(0, 500);
        nothing.hidden = all.length > 0;
        const ownerOf = list => data.people.name(list.owner) || data.people.short(list.owner);
        refill(grid, JSON.stringify(all.map(list => [list.soul, list.name, ownerOf(list), list.mine, list.canEdit])), () => all.map(list => {
            const owner = ownerOf(list);
            return h('li', {}, h('a', { href: playlistAddress(list.soul) }, app.covers.cover({ root: rootOf(list.id), cover: '' }),
                h('span', { class: 'words' }, theirs(list.name || 'Untitled', { class: 'title' }), h('span', { class: 'artist' }, list.mine ? 'yours' : theirs(owner), !list.mine && list.canEdit && ' · shared with you'))));
        }));
    }
    const soon = gather(draw, 60);
    const offs = [data.playlists.on('change', soon), data.people.on('me', soon), data.people.on('names', soon)];
    draw();
    return { element, close() { offs.forEach(off => off?.()); soon.stop(); } };
}
