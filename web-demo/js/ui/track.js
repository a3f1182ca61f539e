/* track.js - one record: a big cover, type with air, and the waveform to play from. */
import { clock, h, refill, say, size, theirs } from './dom.js';
import { icon, setIcon } from './icons.js';
import { face } from './account.js';
import { openQueue } from './queue.js';
import { openGrants } from './grants.js';
import { addToPlaylist } from './playlist-add.js';
import { copyAddress, trackMenu } from './track-menu.js';
import { ticking, waveform } from './wave.js';

const kinds = { 'audio/mpeg': 'MP3', 'audio/mp4': 'M4A', 'audio/flac': 'FLAC', 'audio/wav': 'WAV', 'audio/ogg': 'Ogg' };

export function trackView(app, soul)
{
    const { data, player } = app;
    let track = data.tracks.get(soul) ?? null, gone = false;
    const cover = app.covers.cover(track, 'large');
    const artist = theirs('', { class: 'artist' }), title = h('h1', {}), note = h('p', { class: 'note' });
    const by = h('p', { class: 'by' }), facts = h('dl', { class: 'facts' }), here = h('p', { class: 'here' });
    const play = h('button', { class: 'play round huge', onclick: press });
    const near = (sign, label, run) => h('button', { class: 'phone quiet round', 'aria-label': label, onclick: run }, icon(sign));
    const back = near('previous', 'Previous', () => player.previous()), ahead = near('next', 'Next', () => player.next());
    const wave = waveform({ label: 'Seek in this track', onseek: seek });
    const now = h('span', { class: 'now' }), left = h('span', { class: 'left' });
    const buttons = h('div', { class: 'row' });
    const locked = h('p', { class: 'lock', hidden: true });
    const element = h('article', { class: 'record' },
        h('div', { class: 'sleeve' }, h('div', { class: 'aura', 'aria-hidden': 'true' }), cover),
        h('div', { class: 'words' }, by, title, artist, locked, h('div', { class: 'row main' }, back, play, ahead, buttons)),
        h('div', { class: 'sound' }, wave.element, h('div', { class: 'times' }, now, left)),
        h('div', { class: 'below' }, note, here, facts));
    const mine = () => player.track?.soul === soul;
    const seconds = () => (mine() ? player.seconds : track?.seconds ?? 0);

    function draw()
    {
        if (gone) {
            element.replaceChildren(h('div', { class: 'nothing' }, h('h1', {}, 'Gone'), h('p', {}, 'This track was removed, or this relay does not have it.'), h('a', { href: '#/' }, 'To the library')));
            return;
        }
        app.covers.show(cover, track);
        title.replaceChildren(theirs(track?.title || (track ? 'Untitled' : '…')));
        title.classList.toggle('long', (track?.title ?? '').length > 24);
        say(artist, track?.artist || (track ? 'unknown' : ''));
        by.replaceChildren(...(track ? byline() : []));
        say(note, track?.note ?? '');
        facts.replaceChildren(...fact('Album', track?.album), ...fact('Genre', track?.genre), ...fact('Year', track?.year),
            ...fact('Size', track?.bytes ? size(track.bytes) : ''), ...fact('Type', kinds[track?.mime] ?? (track?.mime ?? '').replace(/^audio\//, '')));
        drawButtons();
        drawState();
    }

    function byline()
    {
        const name = data.people.name(track.pub);
        return [face(track.pub, name), h('span', {}, track.premium ? 'A premium track of ' : 'Put here by ', theirs(name || data.people.short(track.pub)))];
    }

    const fact = (name, value) => (value ? [h('div', {}, h('dt', {}, name), h('dd', {}, theirs(String(value))))] : []);

    function drawButtons()
    {
        if (!track) return;
        refill(buttons, String(track.mine), () => {
            const more = h('button', { class: 'quiet round', 'aria-label': 'More', onclick: () => trackMenu(app, more, track) }, icon('more'));
            return [near('queue', 'Queue', () => openQueue(app)),
                h('button', { class: 'plain', onclick: () => addToPlaylist(app, soul) }, icon('playlist'), h('span', {}, 'Add to a playlist')),
                track.mine && track.premium ? h('button', { class: 'plain', onclick: () => openGrants(app, track) }, icon('key'), h('span', {}, 'Give the key'))
                    : h('button', { class: 'plain', onclick: () => copyAddress(track) }, icon('link'), h('span', {}, 'Copy address')), more];
        });
    }

    function drawState()
    {
        const sounding = mine() && player.playing;
        setIcon(play, sounding ? 'pause' : 'play');
        play.setAttribute('aria-label', `${sounding ? 'Pause' : 'Play'} ${track?.title || ''}`);
        element.classList.toggle('sounding', sounding);
        drawTime();
        tick(sounding);
    }

    function drawTime()
    {
        const at = mine() ? player.time : 0;
        wave.time(at, seconds(), mine() ? player.loaded : 1);
        say(now, clock(at));
        say(left, clock(seconds()));
    }
    const tick = ticking(drawTime);

    function press()
    {
        if (mine()) return player.toggle();
        if (track) return player.playAll([soul]);
    }

    async function seek(to)
    {
        if (!track) return;
        if (!mine()) await player.playAll([soul]);
        player.seek(to);
    }

    function drawHere()
    {
        const others = data.presence.list.filter(one => one.track === soul && !one.mine);
        here.replaceChildren(...(others.length ? [...others.slice(0, 6).map(one => face(one.pub, data.people.name(one.pub))),
            `${others.length === 1 ? 'One other is' : `${others.length} others are`} listening now`] : []));
    }

    function drawLock(key)
    {
        locked.hidden = !track?.premium;
        locked.replaceChildren(icon(key ? 'key' : 'lock'), key ? 'You have the key to all of it.' : 'You hear a preview. The artist can give you the key to the rest.');
    }

    let locks = '', unlock = () => {}, peaks;
    function followKey()
    {
        if (locks === track.root) return;
        locks = track.root;
        unlock();
        drawLock(null);
        unlock = track.premium ? data.premium.watch(track, drawLock) : () => {};
    }
    const unwatch = data.tracks.watch(soul, next => {
        gone = !next;
        track = next ?? track;
        draw();
        if (!next) return;
        if (peaks !== next.peaks) wave.track(next);
        peaks = next.peaks;
        drawTime();
        followKey();
    });
    const offs = [player.on('state', drawState), player.on('time', drawTime), data.people.on('names', draw), data.presence.on('change', drawHere)];
    addEventListener('repaint', wave.repaint);
    draw();
    drawHere();
    return {
        element,
        close()
        {
            tick(false);
            unwatch();
            unlock();
            offs.forEach(off => off?.());
            wave.close();
            removeEventListener('repaint', wave.repaint);
        },
    };
}
