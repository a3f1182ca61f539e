/* bar.js - the player at the bottom of every view. On a phone it is a line above the
 * ways; a touch on it opens the record. */
import { clock, h, say, theirs } from './dom.js';
import { icon, setIcon } from './icons.js';
import { openQueue } from './queue.js';
import { trackAddress } from './router.js';
import { ticking, waveform } from './wave.js';

export function openBar(app)
{
    const { player } = app;
    const cover = app.covers.cover(null, 'small');
    const name = theirs(''), title = h('a', { class: 'title' }, name), artist = theirs('', { class: 'artist' });
    const round = (sign, label, run, kind = '') => h('button', { class: `quiet round ${kind}`, 'aria-label': label, onclick: run }, icon(sign));
    const play = round('play', 'Play', () => player.toggle(), 'main');
    const previous = round('previous', 'Previous', () => player.previous(), 'previous'), next = round('next', 'Next', () => player.next(), 'next');
    const wave = waveform({ label: 'Seek', small: true, onseek: seconds => player.seek(seconds) });
    const now = h('span', { class: 'now' }), end = h('span', { class: 'left' });
    const mute = round('volume', 'Mute', () => player.mute(), 'mute');
    const volume = h('input', { type: 'range', min: 0, max: 1, step: 0.01, value: player.audio.volume, 'aria-label': 'Volume', oninput: () => player.volume(Number(volume.value)) });
    const queue = round('queue', 'Queue', () => openQueue(app), 'queue');
    const pill = h('span', { class: 'pill', hidden: true }, 'Preview');
    const line = h('div', { class: 'line', 'aria-hidden': 'true' });
    const element = h('section', { class: 'bar', 'aria-label': 'Player', hidden: true }, line,
        h('div', { class: 'what' }, cover, h('div', { class: 'words' }, title, artist), pill),
        h('div', { class: 'keys' }, previous, play, next), h('div', { class: 'sound' }, now, wave.element, end),
        h('div', { class: 'side-keys' }, queue, mute, volume));
    document.body.append(element, player.audio);
    player.audio.className = 'unseen';

    function drawTrack()
    {
        const track = player.track;
        element.hidden = !track;
        document.documentElement.classList.toggle('has-bar', Boolean(track));
        if (!track) return;
        say(name, track.title || 'Untitled');
        title.href = trackAddress(track.soul);
        say(artist, track.artist || 'unknown');
        app.covers.show(cover, track);
        wave.track(track);
        drawState();
    }
    function drawState()
    {
        const on = player.playing;
        setIcon(play, on ? 'pause' : 'play');
        play.setAttribute('aria-label', on ? 'Pause' : 'Play');
        next.disabled = player.at + 1 >= player.queue.length;
        element.classList.toggle('sounding', on);
        drawPill(1);
        drawTime();
        tick(on);
    }
    /* What has to be here whole before it sounds says how much of it is. */
    function drawPill(share)
    {
        const gathering = share < 1 && player.audio.readyState === 0;
        pill.hidden = !gathering && !player.preview;
        say(pill, gathering ? `${Math.round(share * 100)} % here` : 'Preview');
    }
    function drawTime()
    {
        wave.time(player.time, player.seconds, player.loaded);
        say(now, clock(player.time));
        say(end, clock(player.seconds));
        line.style.transform = `scaleX(${player.seconds ? Math.min(1, player.time / player.seconds) : 0})`;
    }
    function drawVolume()
    {
        const silent = player.audio.muted || player.audio.volume === 0;
        setIcon(mute, silent ? 'mute' : 'volume');
        mute.setAttribute('aria-label', silent ? 'Sound on' : 'Mute');
        mute.setAttribute('aria-pressed', silent);
        volume.value = player.audio.muted ? 0 : player.audio.volume;
    }
    const tick = ticking(drawTime);
    player.on('track', drawTrack);
    player.on('state', drawState);
    player.on('source', drawState);
    player.on('fed', drawPill);
    player.on('queue', drawState);
    player.on('time', drawTime);
    player.on('volume', drawVolume);
    addEventListener('repaint', () => wave.repaint());
    drawVolume();
    return { element };
}
