/* virtual.js - a list of thousands, of which only what is seen exists.
 *
 * Rows have one height. The list is as tall as all of them, stands in the page's own
 * scroll, and holds the elements of the rows on the screen and a few beyond. Elements
 * are kept by the key of their item: scrolling makes and drops some, and what is
 * focused stays. Screen readers are told place and number of each.
 */
import { framed, h } from './dom.js';

const beyondPx = 500;

/**
 * @param {object} how
 * @param {(width: number) => {columns: number, height: number, gap: number}} how.measure   of a row
 * @param {(item) => string} how.key
 * @param {(item) => HTMLElement} how.make       its element changes with `update`
 * @param {(element, item) => void} how.update
 * @param {string} how.label
 */
export function virtualList({ measure, key, make, update, label })
{
    const element = h('div', { class: 'virtual', role: 'list', 'aria-label': label });
    const shown = new Map();
    let items = [], shape = { columns: 1, height: 64, gap: 0 }, width = 0, from = 0, to = 0;

    function range()
    {
        const top = element.getBoundingClientRect().top, row = shape.height;
        const first = Math.floor((-top - beyondPx) / row), last = Math.ceil((innerHeight - top + beyondPx) / row);
        from = Math.max(0, first) * shape.columns;
        to = Math.min(items.length, Math.max(0, last) * shape.columns);
    }

    function place(child, i)
    {
        const column = i % shape.columns, row = (i - column) / shape.columns;
        const each = (width - shape.gap * (shape.columns - 1)) / shape.columns;
        child.style.width = `${each}px`;
        child.style.transform = `translate(${column * (each + shape.gap)}px, ${row * shape.height}px)`;
        child.setAttribute('aria-posinset', i + 1);
        child.setAttribute('aria-setsize', items.length);
    }

    function draw(all)
    {
        range();
        const wanted = new Set(items.slice(from, to).map(key));
        for (const [name, child] of shown) {
            if (wanted.has(name) || child.contains(document.activeElement)) continue;
            child.remove();
            shown.delete(name);
        }
        let last = null;
        for (let i = from; i < to; i++) last = drawOne(i, wanted, last, all);
    }

    /* After `last` in the document as on the screen: whoever reads them one after the other reads them in order. */
    function drawOne(i, wanted, last, all)
    {
        const name = key(items[i]);
        let child = shown.get(name), after = last ? last.nextSibling : element.firstChild;
        if (after && !wanted.has(after.name)) after = after.nextSibling; /* kept because it has the focus */
        if (!child) {
            child = make(items[i]);
            child.name = name;
            child.setAttribute('role', 'listitem');
            shown.set(name, child);
        }
        if (after !== child) element.insertBefore(child, after);
        if (all || child.at !== i) { update(child, items[i]); place(child, i); }
        child.at = i;
        return child;
    }

    function resize()
    {
        width = element.clientWidth;
        if (!width) return;
        shape = measure(width);
        element.style.height = `${Math.ceil(items.length / shape.columns) * shape.height}px`;
        draw(true);
    }

    const scrolled = framed(() => draw(false));
    const watcher = new ResizeObserver(framed(resize));
    watcher.observe(element);
    addEventListener('scroll', scrolled, { passive: true });

    /* Arrows go from item to item, also to those that do not exist yet. */
    element.addEventListener('keydown', event => {
        const steps = { ArrowDown: shape.columns, ArrowUp: -shape.columns, ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
        const child = [...shown.values()].find(one => one.contains(document.activeElement));
        if (!(event.key in steps) || !child || event.target.matches('input')) return;
        event.preventDefault();
        event.stopPropagation();
        focus(Math.min(items.length - 1, Math.max(0, child.at + steps[event.key])));
    });

    function focus(i)
    {
        const top = element.getBoundingClientRect().top + Math.floor(i / shape.columns) * shape.height;
        if (top < 80 || top + shape.height > innerHeight - 120) scrollBy({ top: top - innerHeight / 2, behavior: 'instant' });
        draw(false);
        shown.get(key(items[i]))?.querySelector('a, button')?.focus({ preventScroll: true });
    }

    return {
        element,
        set(next) { items = next; resize(); },
        refresh() { draw(true); },
        get items() { return items; },
        close() { watcher.disconnect(); removeEventListener('scroll', scrolled); },
    };
}
