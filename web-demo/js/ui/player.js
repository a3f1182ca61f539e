/* player.js - one <audio>, the queue behind it, and everything that steers it.
 *
 * It belongs to the page and not to a view, so that music goes on while one looks
 * around. A queue is souls of tracks; what a track is, is asked when its turn comes.
 */
import { emitter } from '../data/events.js';
import { openSource } from './source.js';
import { toast } from './toast.js';

const queueMax = 20_000;

export function openPlayer(data, settings)
{
    const events = emitter(), audio = document.createElement('audio');
    audio.preload = 'auto';
    audio.volume = settings.get('volume');
    let queue = [], at = -1, track = null, source = null, turn = 0, wanted = false, unlisten = () => {};

    const player = {
        on: events.on, audio,
        get track() { return track; },
        get queue() { return queue; },
        get at() { return at; },
        get playing() { return wanted; },
        get preview() { return source?.preview ?? false; },
        /** Sounding seconds, and how long it is: what the file says once it has said so. */
        get time() { return player.preview && audio.ended ? 0 : audio.currentTime || 0; },
        get seconds() { return Number.isFinite(audio.duration) && audio.duration > 0 && !player.preview ? audio.duration : track?.seconds ?? 0; },
        /** 0..1 of it is here, as one stretch from where it sounds. */
        get loaded()
        {
            const parts = audio.buffered;
            for (let i = 0; i < parts.length; i++)
                if (parts.start(i) <= audio.currentTime + 0.5 && parts.end(i) >= audio.currentTime) return Math.min(1, parts.end(i) / (player.seconds || 1));
            return 0;
        },

        /** These tracks, from this one on. */
        playAll(souls, from = 0)
        {
            const start = Math.max(0, from - queueMax / 2);
            queue = souls.slice(start, start + queueMax);
            events.emit('queue');
            return player.jump(from - start);
        },
        enqueue(soul)
        {
            queue.push(soul);
            events.emit('queue');
            if (at < 0) player.jump(0);
        },
        queueNext(soul)
        {
            queue.splice(at + 1, 0, soul);
            events.emit('queue');
            if (at < 0) player.jump(0);
        },
        unqueue(i)
        {
            queue.splice(i, 1);
            if (i < at) at--;
            events.emit('queue');
        },
        async jump(i)
        {
            if (i < 0 || i >= queue.length) return;
            at = i;
            wanted = true;
            await load(queue[i]);
        },
        toggle() { if (wanted) player.pause(); else player.play(); },
        play()
        {
            if (!track) return;
            wanted = true;
            if (audio.ended) audio.currentTime = 0;
            audio.play().catch(refused);
            events.emit('state');
        },
        pause() { wanted = false; audio.pause(); events.emit('state'); },
        next() { if (at + 1 < queue.length) return player.jump(at + 1); },
        previous() { if (audio.currentTime > 4 || at <= 0) player.seek(0); else return player.jump(at - 1); },
        seek(seconds)
        {
            if (!track) return;
            audio.currentTime = Math.max(0, Math.min(seconds, (player.seconds || seconds) - 0.05));
            events.emit('time');
        },
        volume(share)
        {
            audio.muted = false;
            audio.volume = Math.min(1, Math.max(0, share));
            settings.set('volume', audio.volume);
            events.emit('volume');
        },
        mute() { audio.muted = !audio.muted; events.emit('volume'); },
    };

    async function load(soul)
    {
        const mine = ++turn;
        const found = data.tracks.get(soul);
        show(found ?? track);
        const whole = await data.tracks.load(soul).catch(() => null) ?? found;
        if (mine !== turn) return;
        if (!whole) {
            toast('This track is not here any more.', { kind: 'bad' });
            return player.next();
        }
        show(whole);
        await open(whole, mine, 0);
    }

    function show(next)
    {
        track = next;
        document.title = track ? `${track.title || 'Untitled'} · ${track.artist || 'unknown'}` : 'ember';
        tellSystem();
        events.emit('track');
        events.emit('state');
    }

    async function open(whole, mine, from)
    {
        source?.end();
        source = null;
        audio.pause();
        try {
            const opened = await openSource(data, whole, {
                via: settings.get('via'),
                fed: (bytes, of) => mine === turn && events.emit('fed', of ? bytes / of : 0),
                swap: url => mine === turn && begin(url, audio.currentTime),
                failed: error => { if (mine === turn) { audio.pause(); refused(error); } },
            });
            if (mine !== turn) return opened.end();
            source = opened;
            unlisten();
            unlisten = whole.premium && source.preview ? data.premium.watch(whole, key => { if (key && mine === turn) unlock(whole, mine); }) : () => {};
            begin(source.url, from);
            events.emit('source');
        } catch (error) {
            if (mine === turn) refused(error);
        }
    }

    function begin(url, from)
    {
        audio.src = url;
        if (from > 0.2) audio.currentTime = from;
        if (wanted) audio.play().catch(refused);
    }

    /* The key came while the preview was heard: the same second, and on to the end. */
    function unlock(whole, mine)
    {
        unlisten();
        toast(`“${whole.title}” is open to you now.`, { kind: 'good' });
        open(whole, mine, audio.currentTime);
    }

    function refused(error)
    {
        if (error?.name === 'AbortError') return;
        wanted = false;
        events.emit('state');
        if (error?.name === 'NotAllowedError') return;
        toast(`It does not play: ${error?.message ?? error}`, { kind: 'bad' });
    }

    /* A relay that restarts drops what it was sending: go on from the same second when it is back. */
    let broken = null;
    audio.addEventListener('error', () => {
        if (!audio.error || !track || source === null) return;
        const lost = audio.error.code === MediaError.MEDIA_ERR_NETWORK || !data.relay.online;
        if (!lost) return refused(new Error(`the browser cannot play ${track.mime || 'this type'} here.`));
        broken = { soul: track.soul, seconds: audio.currentTime };
        events.emit('state');
    });
    data.relay.on('state', () => {
        if (!data.relay.online || !broken) return;
        const { soul, seconds } = broken;
        broken = null;
        if (track?.soul === soul) open(track, turn, seconds);
    });

    audio.addEventListener('ended', () => {
        if (player.preview) toast(`That was the preview. ${track.artist || 'The artist'} can give you the key to the rest.`);
        if (at + 1 < queue.length) return player.next();
        wanted = false;
        events.emit('state');
    });
    for (const name of ['timeupdate', 'seeked', 'durationchange', 'progress']) audio.addEventListener(name, () => events.emit('time'));
    audio.addEventListener('play', () => { wanted = true; events.emit('state'); });
    audio.addEventListener('pause', () => { if (!audio.ended && source && !audio.error && audio.readyState > 1) { wanted = false; events.emit('state'); } });
    settings.on('via', () => { if (track) open(track, turn, audio.currentTime); });

    async function tellSystem()
    {
        if (!('mediaSession' in navigator) || !track) return;
        const session = navigator.mediaSession, now = track;
        const picture = now.cover ? await data.covers.get(now.cover).catch(() => '') : '';
        if (now !== track) return;
        session.metadata = new MediaMetadata({
            title: now.title, artist: now.artist, album: now.album,
            artwork: picture ? [{ src: picture, type: /^data:([^;]+)/.exec(picture)[1] }] : [],
        });
    }
    function steer()
    {
        if (!('mediaSession' in navigator)) return;
        const session = navigator.mediaSession;
        const acts = {
            play: () => player.play(), pause: () => player.pause(), nexttrack: () => player.next(), previoustrack: () => player.previous(),
            seekto: how => player.seek(how.seekTime), seekbackward: how => player.seek(audio.currentTime - (how.seekOffset ?? 10)),
            seekforward: how => player.seek(audio.currentTime + (how.seekOffset ?? 10)),
        };
        for (const [name, act] of Object.entries(acts)) session.setActionHandler(name, act);
        events.on('state', () => { session.playbackState = wanted ? 'playing' : 'paused'; });
        events.on('time', () => {
            if (player.seconds > 0 && player.time <= player.seconds)
                session.setPositionState({ duration: player.seconds, position: player.time, playbackRate: 1 });
        });
    }
    steer();
    return player;
}
