/* sortable.js - rows that are put in another order by mouse, finger or arrow keys.
 *
 * A row is taken by its grip. While it is dragged nothing is told to anybody; where it is
 * let go counts. Arrow keys on a grip move at once. The others glide to their new places,
 * also when somebody else moved them, so that one sees what happened.
 */
import { calm } from './dom.js';

const glidedMax = 300; /* more than anybody sees move */

/** moved(row, index): index among the rows without it; null when it was let go where it was. */
export function sortable(list, { allowed, moved, name })
{
    let drag = null;
    const live = document.createElement('p');
    live.className = 'unseen';
    live.setAttribute('aria-live', 'assertive');
    list.after(live);

    const rows = () => [...list.children];
    const places = () => new Map(rows().map(row => [row, row.offsetTop]));

    function glide(before)
    {
        if (calm() || list.children.length > glidedMax) return;
        for (const row of rows()) {
            const was = before.get(row);
            if (was === undefined || was === row.offsetTop || row === drag?.row) continue;
            row.animate([{ transform: `translateY(${was - row.offsetTop}px)` }, { transform: 'none' }], { duration: 220, easing: 'cubic-bezier(.2,.8,.2,1)' });
        }
    }

    function down(event)
    {
        const grip = event.target.closest('.grip');
        if (!grip || event.button !== 0 || !allowed()) return;
        const row = grip.closest('li');
        event.preventDefault();
        grip.focus({ preventScroll: true });
        list.setPointerCapture(event.pointerId); /* a row that is put elsewhere would lose it */
        drag = { row, from: rows().indexOf(row), id: event.pointerId, y: event.clientY, top: row.offsetTop, scroll: scrollY };
        row.classList.add('dragged');
    }

    function move(event)
    {
        if (!drag || event.pointerId !== drag.id) return;
        const by = event.clientY - drag.y + scrollY - drag.scroll, middle = drag.top + by + drag.row.offsetHeight / 2;
        const others = rows().filter(row => row !== drag.row);
        const next = others.find(row => middle < row.offsetTop + row.offsetHeight / 2) ?? null;
        if (next !== drag.row.nextElementSibling) {
            const before = places();
            list.insertBefore(drag.row, next);
            glide(before);
        }
        drag.row.style.transform = `translateY(${drag.top + by - drag.row.offsetTop}px)`;
        if (event.clientY > innerHeight - 150) scrollBy(0, 12);
        else if (event.clientY < 90) scrollBy(0, -12);
    }

    function drop(event)
    {
        if (!drag || event.pointerId !== drag.id) return;
        const { row, from } = drag, to = rows().indexOf(row);
        drag = null;
        row.classList.remove('dragged');
        row.style.transform = '';
        moved(row, to === from ? null : to);
    }

    function key(event)
    {
        const grip = event.target.closest('.grip');
        const by = { ArrowUp: -1, ArrowDown: 1, Home: -1e9, End: 1e9 }[event.key];
        if (!grip || by === undefined || !allowed()) return;
        event.preventDefault();
        event.stopPropagation();
        const row = grip.closest('li'), all = rows(), from = all.indexOf(row), to = Math.min(all.length - 1, Math.max(0, from + by));
        if (to === from) return;
        const before = places();
        list.insertBefore(row, to > from ? all[to].nextElementSibling : all[to]);
        glide(before);
        grip.focus();
        row.scrollIntoView({ block: 'nearest' });
        live.textContent = `${name(row)}, place ${to + 1} of ${all.length}`;
        moved(row, to);
    }

    list.addEventListener('pointerdown', down);
    list.addEventListener('pointermove', move);
    list.addEventListener('pointerup', drop);
    list.addEventListener('pointercancel', drop);
    list.addEventListener('keydown', key);
    return { places, glide, get dragging() { return drag !== null; }, close() { live.remove(); } };
}
