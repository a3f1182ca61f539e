/* presence.js - who is listening to what, now. */
import { gather } from '../data/events.js';
import { h, refill, theirs } from './dom.js';
import { face } from './account.js';
import { trackAddress } from './router.js';

const shownMax = 8;

export function openPresenceStrip(app)
{
    const { data, player } = app;
    const list = h('ul', {});
    const element = h('section', { class: 'presence', 'aria-label': 'Listening now', hidden: true }, h('h2', {}, 'Listening now'), list);

    function one({ pub, track, mine })
    {
        const name = pub ? data.people.name(pub) || data.people.short(pub) : 'Somebody', what = data.tracks.get(track);
        return h('li', { class: mine ? 'mine' : '' }, face(pub, name), h('div', {}, theirs(mine ? 'You' : name, { class: 'who' }),
            h('a', { href: trackAddress(what.soul) }, theirs(what.title || 'Untitled'))));
    }

    function draw()
    {
        const listening = data.presence.list.filter(who => who.playing && data.tracks.get(who.track)).sort((a, b) => b.mine - a.mine || (a.session < b.session ? -1 : 1));
        element.hidden = listening.length === 0;
        const sign = JSON.stringify(listening.map(who => [who.session, who.track, data.people.name(who.pub), data.tracks.get(who.track).title]));
        refill(list, sign, () => [...listening.slice(0, shownMax).map(one),
            ...(listening.length > shownMax ? [h('li', { class: 'rest' }, `and ${listening.length - shownMax} more`)] : [])]);
    }
    const soon = gather(draw, 80);
    data.presence.on('change', soon);
    data.people.on('names', soon);
    data.tracks.on('change', soon);

    const tell = () => data.presence.say({ track: player.track?.soul ?? '', playing: player.playing });
    player.on('track', tell);
    player.on('state', tell);
    return { element };
}
