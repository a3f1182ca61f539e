/* keys.js - the keyboard, wherever the focus is that does not need it itself. */

const typing = target => target.closest?.('input:not([type=range]), textarea, select, [contenteditable]');
const pressing = target => target.closest?.('button, a, summary, input, [role=slider], [role=menuitem]');

export function openKeys(player, { search })
{
    const acts = {
        k: () => player.toggle(), n: () => player.next(), p: () => player.previous(), m: () => player.mute(),
        j: () => player.seek(player.time - 10), l: () => player.seek(player.time + 10),
        '/': search,
    };
    addEventListener('keydown', event => {
        if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
        if (typing(event.target) || document.querySelector('dialog[open]')) return;
        const act = event.key === ' ' && !pressing(event.target) ? acts.k : acts[event.key];
        if (!act) return;
        event.preventDefault();
        act();
    });
}
