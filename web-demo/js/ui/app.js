/* app.js - the page begins here: what it knows (data/), what it looks like (this
 * folder), and which view stands at which address. */
import { openData } from '../data/open.js';
import { openForgetfulKeeper, openKeeper } from '../data/keeper.js';
import { openAccount } from './account.js';
import { openBar } from './bar.js';
import { openCovers } from './cover.js';
import { h } from './dom.js';
import { openKeys } from './keys.js';
import { libraryView } from './library.js';
import { openPlayer } from './player.js';
import { playlistsView, playlistView } from './playlist.js';
import { openPresenceStrip } from './presence.js';
import { relayView } from './relay.js';
import { go, route } from './router.js';
import { openSettings } from './settings.js';
import { settingsView } from './settings-view.js';
import { openShell } from './shell.js';
import { toast } from './toast.js';
import { trackView } from './track.js';
import { openUploadPanel } from './uploads.js';

async function openPage()
{
    const settings = openSettings(localStorage);
    const keeper = await openKeeper(indexedDB).catch(openForgetfulKeeper); /* forbidden in some private windows */
    const data = openData({ Gun, SEA, origin: location.origin, local: localStorage, session: sessionStorage, keeper });
    const app = { data, settings };
    app.covers = openCovers(data);
    app.player = openPlayer(data, settings);
    app.account = openAccount(app);
    app.presence = openPresenceStrip(app);
    app.uploads = openUploadPanel(app);
    app.shell = openShell(app);
    app.bar = openBar(app);
    return app;
}

const views = {
    track: (app, parts) => {
        const soul = `~${parts[1]}/tracks/${parts[2]}`;
        return app.data.tracks.isSoul(soul) ? trackView(app, soul) : libraryView(app);
    },
    playlist: (app, parts) => {
        const soul = `~${parts[1]}/playlists/${parts[2]}`;
        return app.data.playlists.isSoul(soul) ? playlistView(app, soul) : playlistsView(app);
    },
    playlists: playlistsView,
    relay: relayView,
    settings: settingsView,
};

function showViews(app)
{
    let view = null, first = true;
    const scrolled = new Map();
    let address = '';
    route(parts => {
        scrolled.set(address, scrollY);
        address = location.hash;
        view?.close?.();
        view = (Object.hasOwn(views, parts[0] ?? '') ? views[parts[0]] : libraryView)(app, parts);
        app.shell.show(view.element, parts[0] ?? 'library', { focus: !first });
        first = false;
        view.shown?.();
        scrollTo({ top: scrolled.get(address) ?? 0, behavior: 'instant' });
    });
}

function theme(settings)
{
    const dress = () => {
        const choice = settings.get('theme');
        if (choice === 'auto') delete document.documentElement.dataset.theme;
        else document.documentElement.dataset.theme = choice;
        dispatchEvent(new Event('repaint'));
    };
    settings.on('theme', dress);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', dress);
    dress();
}

async function start()
{
    if (!window.Gun || !window.SEA) {
        document.body.append(h('main', { class: 'alone' }, h('h1', {}, 'ember'),
            h('p', {}, 'This relay was started without the files of the npm package gun, which this page runs on. See --assets.')));
        return;
    }
    const app = await openPage();
    theme(app.settings);
    showViews(app);
    openKeys(app.player, { search: () => { go('#/'); setTimeout(() => document.querySelector('input[type=search]')?.focus()); } });
    const look = () => app.data.status[document.hidden ? 'stop' : 'start']();
    document.addEventListener('visibilitychange', look);
    look();
    app.data.presence.start();
    app.data.relay.on('refused', ({ err }) => toast(`The relay refused a change: ${err}`, { kind: 'bad' }));
    await app.data.people.recall().catch(() => null);
}

start();
