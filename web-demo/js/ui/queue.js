/* queue.js - what comes next. */
import { h, many, theirs } from './dom.js';
import { openDialog } from './dialog.js';
import { icon } from './icons.js';

const shownMax = 100;

export function openQueue(app)
{
    const { player, data } = app, list = h('ol', { class: 'rows' }), rest = h('p', { class: 'hint' });

    function row(soul, i)
    {
        const track = data.tracks.get(soul), at = player.at + i, name = track?.title || 'Untitled';
        return h('li', { class: `item list${i === 0 ? ' on' : ''}` }, app.covers.cover(track),
            h('button', { class: 'words plain-words', onclick: () => player.jump(at) }, theirs(name, { class: 'title' }), theirs(track?.artist || 'unknown', { class: 'artist' })),
            i > 0 && h('button', { class: 'quiet round', 'aria-label': `Take ${name} out of the queue`, onclick: () => take(i) }, icon('close')));
    }
    /* The next one is under the finger then, and has the focus. */
    function take(i)
    {
        player.unqueue(player.at + i);
        (list.children[i] ?? list.lastChild)?.lastChild.focus();
    }
    function draw()
    {
        const left = player.queue.slice(Math.max(0, player.at));
        list.replaceChildren(...left.slice(0, shownMax).map(row));
        rest.textContent = left.length > shownMax ? `and ${many(left.length - shownMax, 'track')} more` : '';
    }
    const offs = [player.on('queue', draw), player.on('track', draw)];
    draw();
    openDialog('Now, and next', h('div', {}, list, rest), { done: () => offs.forEach(off => off()) });
}
