/* dom.js - making elements, and saying times and sizes.
 *
 * What the graph says gets into the page by text nodes and by checked attributes
 * only: nothing here, and nothing that uses it, parses HTML.
 */

/**
 * h('button', {class: 'round', onclick: play, 'aria-label': 'Play'}, icon('play'))
 * Functions become listeners, `true` an empty attribute; false, null and undefined
 * leave an attribute out; --names are set as CSS variables, which the strict policy
 * lets scripts do.
 */
export function h(tag, props = {}, ...children)
{
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) set(element, name, value);
    element.append(...children.flat(9).filter(child => child !== null && child !== undefined && child !== false));
    return element;
}

export function set(element, name, value)
{
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (name.startsWith('--')) element.style.setProperty(name, value);
    else if (name === 'text') element.textContent = value;
    else if (name === 'value') element.value = value;
    else if (value === true) element.setAttribute(name, '');
    else if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else element.setAttribute(name, value);
}

/** Changes a text only if it is another: nothing is announced or laid out for nothing. */
export function say(element, text)
{
    if (element.textContent !== text) element.textContent = text;
}

const signs = new WeakMap();

/** Fills an element anew, but only if `sign`, a text of all that is shown in it, is another. A link that has the focus keeps it. */
export function refill(element, sign, make)
{
    if (signs.get(element) === sign) return;
    signs.set(element, sign);
    const { href } = element.contains(document.activeElement) ? document.activeElement : {};
    element.replaceChildren(...make());
    if (href) [...element.querySelectorAll('a')].find(link => link.href === href)?.focus({ preventScroll: true });
}

/** What strangers wrote stands by itself: its direction does not leak into ours. */
export const theirs = (text, props = {}) => h('bdi', props, text);

/** '3:07', '1:02:09'; '–:––' when it is not known. */
export function clock(seconds)
{
    if (!Number.isFinite(seconds) || seconds < 0) return '–:––';
    const whole = Math.floor(seconds), two = n => String(n).padStart(2, '0');
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** '3 minutes 7 seconds', for ears. */
export function spoken(seconds)
{
    const whole = Math.max(0, Math.floor(seconds || 0)), minutes = Math.floor(whole / 60);
    const part = (n, word) => (n ? `${n} ${word}${n === 1 ? '' : 's'}` : '');
    return [part(minutes, 'minute'), part(whole % 60, 'second')].filter(Boolean).join(' ') || '0 seconds';
}

export function size(bytes)
{
    const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];
    let n = bytes || 0, unit = 0;
    while (n >= 1000 && unit < units.length - 1) { n /= 1000; unit++; }
    return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

export const many = (n, word) => `${n.toLocaleString('en')} ${word}${n === 1 ? '' : 's'}`;

export const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Runs `work` at most once a frame. */
export function framed(work)
{
    let asked = 0;
    return () => { asked ||= requestAnimationFrame(() => { asked = 0; work(); }); };
}
