/* shell.js - what stands around every view: the ways through the page, who one is,
 * whether the relay is there. On a phone the ways are at the thumb. */
import { h, many, refill, say } from './dom.js';
import { icon, mark } from './icons.js';
import { playlistAddress } from './router.js';
import { toastPlace } from './toast.js';

const ways = [['library', '#/', 'Library', 'library'], ['playlists', '#/playlists', 'Playlists', 'playlist'], ['relay', '#/relay', 'Relay', 'relay'], ['settings', '#/settings', 'Settings', 'settings']];

export function openShell(app)
{
    const { data } = app;
    const main = h('main', { id: 'main', tabindex: '-1' });
    const links = ways.map(([name, href, words, sign]) => h('a', { href, 'data-way': name }, icon(sign), h('span', {}, words)));
    const add = h('button', { class: 'add', onclick: () => app.uploads.pick() }, icon('add'), h('span', {}, 'Add music'));
    const lists = h('ul', { class: 'lists', 'aria-label': 'Playlists' });
    const badge = h('span', { class: 'badge', role: 'status', hidden: true });
    const pulse = h('a', { class: 'pulse', href: '#/relay' });

    const side = h('nav', { class: 'side', 'aria-label': 'Main' },
        h('a', { class: 'brand', href: '#/', 'aria-label': 'ember, the library' }, mark(), 'ember'),
        h('div', { class: 'ways' }, links.slice(0, 2), add, links.slice(2)),
        lists, pulse);
    const top = h('header', { class: 'top' },
        h('a', { class: 'brand', href: '#/', 'aria-label': 'ember, the library' }, mark(), 'ember'),
        badge, app.account.button);
    document.body.append(h('a', { class: 'skip', href: '#main', onclick: event => { event.preventDefault(); main.focus(); } }, 'Skip to the music'),
        side, top, main, toastPlace());

    function drawBadge()
    {
        const { online, waiting } = data.relay;
        badge.hidden = online && waiting === 0;
        badge.className = `badge ${online ? 'busy' : 'away'}`;
        const kept = waiting ? ` · ${many(waiting, 'change')} kept here` : '';
        say(badge, online ? `Sending ${many(waiting, 'change')}` : `Offline${kept}`);
        document.documentElement.classList.toggle('offline', !online);
    }
    /* A write takes a moment; a moment is nothing to talk about. */
    let later = 0, seen = false;
    function badgeSoon()
    {
        clearTimeout(later);
        later = setTimeout(drawBadge, data.relay.online || !seen ? 1200 : 0);
        seen ||= data.relay.online;
        if (data.relay.online && data.relay.waiting === 0) drawBadge();
    }
    data.relay.on('state', badgeSoon);
    badgeSoon();

    function drawLists()
    {
        const mine = data.playlists.list.filter(list => list.mine || list.canEdit).sort((a, b) => a.name.localeCompare(b.name)).slice(0, 60);
        refill(lists, JSON.stringify(mine.map(list => [list.soul, list.name, list.mine])), () => mine.map(list => h('li', {}, h('a', { href: playlistAddress(list.soul), 'data-soul': list.soul },
            h('bdi', {}, list.name || 'Untitled'), !list.mine && h('span', { class: 'hint' }, 'shared')))));
        markWay();
    }
    data.playlists.on('change', drawLists);
    data.people.on('me', drawLists);

    function drawPulse()
    {
        const last = data.status.samples.at(-1);
        say(pulse, !data.relay.online ? 'The relay is away' : last ? `${many(last.peers, 'connection')} to this relay` : '');
    }
    data.status.on('sample', drawPulse);
    data.relay.on('state', drawPulse);

    let way = 'library';
    function markWay()
    {
        for (const link of side.querySelectorAll('a')) {
            const on = link.dataset.way === (way === 'playlist' ? 'playlists' : way === 'track' ? 'library' : way) || link.dataset.soul && link.hash === location.hash;
            if (on) link.setAttribute('aria-current', 'page'); else link.removeAttribute('aria-current');
        }
    }

    return {
        main,
        show(element, name, { focus })
        {
            way = name;
            main.replaceChildren(element);
            markWay();
            if (!app.player.track) document.title = name === 'library' ? 'ember' : `${element.querySelector('h1')?.textContent || name} · ember`;
            if (focus) main.focus({ preventScroll: true });
        },
    };
}
