/* playlist-add.js - a track into a playlist, or into a new one. */
import { h } from './dom.js';
import { ask, openDialog } from './dialog.js';
import { icon } from './icons.js';
import { go, playlistAddress } from './router.js';
import { toast, trying } from './toast.js';

export async function newPlaylist(app)
{
    if (!await app.account.need('A playlist is signed with your key, so that only you, and those you choose, can change it.')) return null;
    const name = await ask('New playlist', { label: 'Name', button: 'Create' });
    if (!name) return null;
    let soul = null;
    await trying(async () => { soul = await app.data.playlists.create(name); });
    return soul;
}

export async function addTo(app, playlist, track)
{
    const list = app.data.playlists.open(playlist);
    const good = await trying(() => list.add(track));
    list.close();
    if (good) toast(`Added to “${list.name || 'the playlist'}”.`, { kind: 'good', action: { label: 'Open', run: () => go(playlistAddress(playlist)) } });
}

export async function addToPlaylist(app, track)
{
    if (!await app.account.need('Playlists are signed with your key.')) return;
    const lists = app.data.playlists.list.filter(list => list.canEdit);
    const make = async () => {
        dialog.close();
        const soul = await newPlaylist(app);
        if (soul) await addTo(app, soul, track);
    };
    const dialog = openDialog('Add to a playlist', h('div', { class: 'choices' },
        h('button', { class: 'plain', onclick: make }, icon('add'), 'New playlist'),
        lists.map(list => h('button', { class: 'plain', onclick: () => { dialog.close(); addTo(app, list.soul, track); } },
            icon('playlist'), h('bdi', {}, list.name || 'Untitled'), !list.mine && h('span', { class: 'hint' }, 'shared with you')))));
}
