/* icons.js - the few signs of the page, drawn on a field of 24 by 24.
 * Strokes, 1.75 wide, round; those of `filled` are areas. */

const paths = {
    play: 'M8 5.2v13.6a.7.7 0 0 0 1.07.6l10.7-6.8a.7.7 0 0 0 0-1.2L9.07 4.6A.7.7 0 0 0 8 5.2z',
    pause: 'M7 4.5h3.2v15H7zM13.8 4.5H17v15h-3.2z',
    next: 'M5 5.4v13.2l10-6.6zM16.5 5h2.4v14h-2.4z',
    previous: 'M19 5.4v13.2L9 12zM5.1 5h2.4v14H5.1z',
    library: 'M4 5v14M8 5v14M12 5v14M15.5 5.6l4.2 13',
    playlist: 'M4 7h11M4 12h11M4 17h6M17.5 19V9l3 1.5M17.5 19a2 2 0 1 1-4 0 2 2 0 0 1 4 0z',
    add: 'M12 5v14M5 12h14',
    upload: 'M12 16V4.5M7 9l5-5 5 5M4.5 16v3.5h15V16',
    relay: 'M3 12h4l2.5-7 5 14L17 12h4',
    settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5',
    user: 'M12 12.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c1-3.6 4-5 7.5-5s6.5 1.4 7.5 5',
    search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.5 4.5',
    close: 'M6 6l12 12M18 6L6 18',
    more: 'M5.5 12h.01M12 12h.01M18.5 12h.01',
    queue: 'M4 6h16M4 11h16M4 16h9M17 14v6M14 17h6',
    volume: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11',
    mute: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5',
    grip: 'M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01',
    edit: 'M4.5 19.5l1-4L16 5l3 3L8.5 18.5z',
    trash: 'M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v5.5M13.5 10.5v5.5',
    key: 'M8.5 18.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM11.5 11.5L19 4M16 7l2.5 2.5',
    link: 'M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.700l1-1',
    grid: 'M4.5 4.500h6v6h-6zM13.5 4.500h6v6h-6zM4.5 13.500h6v6h-6zM13.5 13.500h6v6h-6z',
    list: 'M4 6.500h16M4 12h16M4 17.500h16',
    share: 'M9 12.500a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2.5 20c.8-3.2 3.3-4.7 6.5-4.700s5.7 1.5 6.5 4.700M19 8v6M16 11h6',
    check: 'M5 12.500l4.5 4.500L19 7',
    offline: 'M4 4l16 16M8.5 16a5 5 0 0 1 6-.800M5 12.500a10 10 0 0 1 4-2.400M19 12.500a10 10 0 0 0-5-2.700M12 19.500h.01',
    lock: 'M6.5 11h11v8.500h-11zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
    open: 'M9.5 6l6 6-6 6',
    out: 'M14 4.500H5v15h9M10.5 12H21M17 8l4 4-4 4',
};
const filled = new Set(['play', 'pause', 'next', 'previous']);
const space = 'http://www.w3.org/2000/svg';

/** A sign; hidden from screen readers, because what it stands on has a name. */
export function icon(name)
{
    const svg = document.createElementNS(space, 'svg');
    const path = document.createElementNS(space, 'path');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('class', `icon${filled.has(name) ? ' filled' : ''}`);
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', paths[name]);
    svg.append(path);
    return svg;
}

/** What a button shows now; drawn anew only when it is another sign. */
export function setIcon(button, name)
{
    if (button.dataset.icon === name) return;
    button.dataset.icon = name;
    button.replaceChildren(icon(name));
}

/** The ember: the page's own mark. */
export function mark()
{
    const svg = document.createElementNS(space, 'svg');
    svg.setAttribute('viewBox', '0 0 32 32');
    svg.setAttribute('class', 'mark');
    svg.setAttribute('aria-hidden', 'true');
    for (const [name, r] of [['halo', 15], ['coal', 8.5], ['heart', 3.8]]) {
        const circle = document.createElementNS(space, 'circle');
        circle.setAttribute('cx', 16);
        circle.setAttribute('cy', 16);
        circle.setAttribute('r', r);
        circle.setAttribute('class', name);
        svg.append(circle);
    }
    return svg;
}
