/* cover.js - the picture of a record, or the glow that stands for it.
 *
 * A track without a picture gets one that only it has: embers whose places and
 * colours are the bits of its root. Pictures are asked for when they come near the
 * screen, so that a library of thousands asks for some dozen.
 */
import { h } from './dom.js';

const bits = (root, at, range) => parseInt((root || '').slice(at * 2, at * 2 + 2) || '80', 16) / 255 * range;

/* Colours of what burns: from coal through rose to amber, rarely a cold flame. */
const flame = (root, at) => {
    const cold = bits(root, at + 20, 1) > 0.86;
    return cold ? 168 + bits(root, at, 60) : (346 + bits(root, at, 66)) % 360;
};

function glow(element, root)
{
    element.style.setProperty('--hue-a', flame(root, 0));
    element.style.setProperty('--hue-b', flame(root, 1));
    element.style.setProperty('--ax', `${12 + bits(root, 2, 76)}%`);
    element.style.setProperty('--ay', `${12 + bits(root, 3, 76)}%`);
    element.style.setProperty('--bx', `${5 + bits(root, 4, 90)}%`);
    element.style.setProperty('--by', `${5 + bits(root, 5, 90)}%`);
    element.style.setProperty('--turn', `${bits(root, 6, 360)}deg`);
    element.style.setProperty('--groove', `${5 + bits(root, 7, 11)}px`);
}

export function openCovers(data)
{
    const waiting = new WeakMap();
    const near = new IntersectionObserver(entries => {
        for (const entry of entries) {
            if (!entry.isIntersecting) continue;
            near.unobserve(entry.target);
            fill(entry.target, waiting.get(entry.target));
        }
    }, { rootMargin: '300px' });

    async function fill(element, hex)
    {
        const url = await data.covers.get(hex).catch(() => '');
        if (!url || element.dataset.cover !== hex) return;
        const picture = h('img', { alt: '', decoding: 'async', src: url });
        picture.addEventListener('error', () => picture.remove());
        picture.addEventListener('load', () => element.classList.add('lit'));
        element.append(picture);
    }

    /** Shows the cover of `track` in an element that cover() made. */
    function show(element, track)
    {
        const hex = track?.cover ?? '';
        if (element.dataset.root !== track?.root) glow(element, track?.root ?? '');
        element.dataset.root = track?.root ?? '';
        if (element.dataset.cover === hex) return;
        element.dataset.cover = hex;
        element.replaceChildren();
        element.classList.remove('lit');
        near.unobserve(element);
        if (!hex) return;
        waiting.set(element, hex);
        near.observe(element);
    }

    /** A square, of the size its class gives it. Decoration: names stand beside it. */
    function cover(track, kind = '')
    {
        const element = h('div', { class: `cover ${kind}`, 'aria-hidden': 'true' });
        show(element, track);
        return element;
    }
    return { cover, show };
}
