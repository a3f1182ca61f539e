/* library.js - all tracks of this relay: looked for, sorted, and played with one press. */
import { gather } from '../data/events.js';
import { clock, h, many, say, theirs } from './dom.js';
import { icon, setIcon } from './icons.js';
import { trackAddress } from './router.js';
import { trackMenu } from './track-menu.js';
import { virtualList } from './virtual.js';

const sorts = {
    new: ['Newest', (a, b) => b.at - a.at || (a.soul < b.soul ? -1 : 1)],
    title: ['Title', (a, b) => compare(a.title, b.title) || b.at - a.at],
    artist: ['Artist', (a, b) => compare(a.artist, b.artist) || compare(a.album, b.album) || compare(a.title, b.title)],
    long: ['Longest', (a, b) => b.seconds - a.seconds || b.at - a.at],
};
const compare = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true }).compare;
const plain = text => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

/* What is typed and what is searched, without accents; made once for each track. */
const searchable = new WeakMap();
function wordsOf(track)
{
    if (!searchable.has(track)) searchable.set(track, plain(`${track.title}\n${track.artist}\n${track.album}`));
    return searchable.get(track);
}

let asked = ''; /* stays while one looks at a track and comes back */

export function libraryView(app)
{
    const { data, settings, player } = app;
    const search = h('input', { type: 'search', placeholder: 'Search', 'aria-label': 'Search the library', value: asked, maxlength: 100, oninput: () => { asked = search.value; draw(); } });
    const sort = h('select', { 'aria-label': 'Sort by', onchange: () => { settings.set('sort', sort.value); draw(); } },
        Object.entries(sorts).map(([value, [name]]) => h('option', { value, selected: settings.get('sort') === value }, name)));
    const look = h('button', { class: 'quiet round', onclick: () => settings.set('look', settings.get('look') === 'grid' ? 'list' : 'grid') });
    const count = h('p', { class: 'count', 'aria-live': 'polite' });
    const nothing = h('div', { class: 'nothing', hidden: true });
    const hero = h('section', { class: 'hero' });
    const list = virtualList({
        label: 'Tracks', key: track => track.soul, update, make,
        measure: width => (settings.get('look') === 'list' ? { columns: 1, height: 64, gap: 0 } : grid(width)),
    });
    const tools = h('div', { class: 'tools' }, h('label', { class: 'search' }, icon('search'), search), h('label', { class: 'sort' }, sort), look);
    const element = h('div', { class: 'library' }, hero, tools, app.presence.element, count, list.element, nothing);

    /* Covers as large as the screen allows, names below. */
    function grid(width)
    {
        const gap = width < 600 ? 14 : 26, columns = Math.max(2, Math.floor((width + gap) / (width < 600 ? 160 : 208 + gap)));
        return { columns, gap, height: Math.round((width - gap * (columns - 1)) / columns) + (width < 600 ? 72 : 84) };
    }

    function make(track)
    {
        const title = h('a', { class: 'title' }), artist = theirs('', { class: 'artist' }), lock = h('span', { class: 'locked', hidden: true }, icon('key'), 'premium'), time = h('span', { class: 'time' });
        const play = h('button', { class: 'play round', onclick: () => press(item) });
        const more = h('button', { class: 'more quiet round', onclick: () => trackMenu(app, more, data.tracks.get(item.dataset.soul)) }, icon('more'));
        const item = h('div', { class: 'item' }, app.covers.cover(track), play, h('div', { class: 'words' }, title, artist, lock), time, more);
        item.parts = { title, artist, lock, time, play, more };
        return item;
    }

    function update(item, track)
    {
        const { title, artist, lock, time, play, more } = item.parts, name = track.title || 'Untitled';
        const on = player.track?.soul === track.soul, sounding = on && player.playing;
        item.className = `item ${settings.get('look')}${on ? ' on' : ''}${sounding ? ' sounding' : ''}`;
        item.dataset.soul = track.soul;
        title.replaceChildren(theirs(name));
        title.href = trackAddress(track.soul);
        artist.textContent = track.artist || 'unknown';
        lock.hidden = !track.premium;
        say(time, track.seconds ? clock(track.seconds) : '');
        play.setAttribute('aria-label', `${sounding ? 'Pause' : 'Play'} ${name}`);
        more.setAttribute('aria-label', `More for ${name}`);
        setIcon(play, sounding ? 'pause' : 'play');
        app.covers.show(item.firstChild, track);
    }

    function press(item)
    {
        const souls = list.items.map(track => track.soul), soul = item.dataset.soul;
        if (player.track?.soul === soul) player.toggle();
        else player.playAll(souls, souls.indexOf(soul));
    }

    function draw()
    {
        const wanted = plain(asked).split(/\s+/).filter(Boolean), all = data.tracks.list;
        const found = wanted.length ? all.filter(track => wanted.every(word => wordsOf(track).includes(word))) : [...all];
        found.sort(sorts[settings.get('sort')][1]);
        say(count, all.length === 0 ? '' : wanted.length ? `${many(found.length, 'track')} of ${all.length.toLocaleString('en')}` : many(all.length, 'track'));
        list.set(found);
        tools.hidden = all.length === 0;
        nothing.hidden = found.length > 0 || all.length === 0;
        nothing.textContent = found.length === 0 ? `Nothing here is called “${asked.trim()}”.` : '';
        drawHero(all.length);
    }

    function drawHero(n)
    {
        const kind = n === 0 ? 'empty' : data.people.me ? 'known' : 'guest';
        if (hero.dataset.kind === kind) return;
        hero.dataset.kind = kind;
        const add = h('button', { class: 'glow', onclick: () => app.uploads.pick() }, icon('upload'), 'Add music');
        const first = 'Drop a song and it plays, for you and for your friends, at once. Your key signs it, so nobody changes it but you. Playlists you edit together, live.';
        hero.replaceChildren(...{
            empty: [h('div', { class: 'hearth', 'aria-hidden': 'true' }), h('h1', {}, 'Drop a song here'), h('p', {}, first), add],
            guest: [h('div', { class: 'hearth', 'aria-hidden': 'true' }), h('h1', {}, 'Music that is yours'), h('p', {}, first), h('div', { class: 'row' }, h('button', { class: 'glow', onclick: () => app.account.open() }, 'Sign up'), h('button', { class: 'plain', onclick: () => list.items.length && player.playAll(list.items.map(track => track.soul)) }, icon('play'), 'Just listen'))],
            known: [h('h1', {}, 'Library')],
        }[kind]);
    }

    function drawLook()
    {
        const gridNow = settings.get('look') === 'grid';
        setIcon(look, gridNow ? 'list' : 'grid');
        look.setAttribute('aria-label', gridNow ? 'Show as a list' : 'Show covers');
        element.classList.toggle('as-list', !gridNow);
        list.refresh();
        list.set(list.items);
    }

    /* While thousands arrive there is more to do than to draw them all each time. */
    const few = gather(draw, 60), manyMore = gather(draw, 400);
    const soon = () => (data.tracks.list.length < 800 ? few : manyMore)();
    const redraw = gather(() => list.refresh(), 30);
    const offs = [data.tracks.on('change', soon), data.people.on('me', soon), settings.on('look', drawLook), player.on('state', redraw), player.on('track', redraw)];
    drawLook();
    draw();
    return {
        element, shown: draw,
        close() { offs.forEach(off => off?.()); few.stop(); manyMore.stop(); redraw.stop(); list.close(); },
    };
}
