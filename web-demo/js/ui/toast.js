/* toast.js - a sentence at the edge, which screen readers read too. */
import { h } from './dom.js';
import { icon } from './icons.js';

const stayMs = 4500;
let place = null;

export function toastPlace()
{
    place = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite', popover: 'manual' });
    return place;
}

/* Above a dialog that was opened since; else it stays as it is, as what reads it out wants. */
function lift()
{
    const shown = place.matches(':popover-open');
    if (shown && !document.querySelector('dialog[open]')) return;
    if (shown) place.hidePopover();
    place.showPopover();
}

/** kind: 'good', 'bad' or nothing; `action` {label, run} adds a button. */
export function toast(words, { kind = '', action = null } = {})
{
    for (const one of [...place.children]) if (one.dataset.words === words) one.remove();
    while (place.children.length > 2) place.firstChild.remove();
    const one = h('div', { class: `toast ${kind}`, 'data-words': words }, h('p', {}, h('bdi', {}, words)),
        action && h('button', { class: 'plain', onclick: () => { one.remove(); action.run(); } }, action.label),
        h('button', { class: 'quiet', 'aria-label': 'Dismiss', onclick: () => one.remove() }, icon('close')));
    lift();
    place.append(one);
    setTimeout(() => one.remove(), kind === 'bad' ? stayMs * 2 : stayMs);
}

/** Says what went wrong when `work` fails; gives whether it went well. */
export async function trying(work, good = '')
{
    try {
        await work();
        if (good) toast(good, { kind: 'good' });
        return true;
    } catch (error) {
        toast(String(error?.message ?? error).slice(0, 300), { kind: 'bad' });
        return false;
    }
}
