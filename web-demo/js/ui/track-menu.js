/* track-menu.js - what can be done with a track, wherever it stands. */
import { openMenu } from './dialog.js';
import { addToPlaylist } from './playlist-add.js';
import { go, trackAddress } from './router.js';
import { editTrack, removeTrack } from './track-edit.js';
import { openGrants } from './grants.js';
import { toast } from './toast.js';

export function trackMenu(app, anchor, track, more = [])
{
    if (!track) return;
    const { player } = app;
    openMenu(anchor, [
        { label: 'Play next', sign: 'queue', run: () => { player.queueNext(track.soul); toast(`“${track.title}” comes next.`); } },
        { label: 'Add to the queue', sign: 'add', run: () => { player.enqueue(track.soul); toast(`“${track.title}” is in the queue.`); } },
        { label: 'Add to a playlist', sign: 'playlist', run: () => addToPlaylist(app, track.soul) },
        { label: 'Open', sign: 'library', run: () => go(trackAddress(track.soul)) },
        { label: 'Copy its address', sign: 'link', run: () => copyAddress(track) },
        track.mine && { label: 'Edit', sign: 'edit', run: () => editTrack(app, track.soul) },
        track.mine && track.premium && { label: 'Who may hear it all', sign: 'key', run: () => openGrants(app, track) },
        ...more,
        track.mine && { label: 'Remove from the library', sign: 'trash', danger: true, run: () => removeTrack(app, track) },
    ]);
}

export async function copyAddress(track)
{
    const address = new URL(trackAddress(track.soul), location.href).href;
    try {
        await navigator.clipboard.writeText(address);
        toast('The address is copied.', { kind: 'good' });
    } catch {
        toast(address);
    }
}
