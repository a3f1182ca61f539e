/* dialog.js - what is asked in between, in <dialog>: the browser keeps the focus inside,
 * closes it by Escape and gives the focus back. */
import { h } from './dom.js';
import { icon } from './icons.js';

let names = 0;

/** Opens a dialog with this heading; gives {element, close}. `done` is called once it is closed. */
export function openDialog(heading, content, { done = () => {}, wide = false } = {})
{
    const id = `dialog-${++names}`;
    const element = h('dialog', { class: wide ? 'wide' : '', 'aria-labelledby': id },
        h('header', {}, h('h2', { id }, heading),
            h('button', { class: 'quiet round', type: 'button', 'aria-label': 'Close', onclick: () => element.close() }, icon('close'))),
        content);
    element.addEventListener('click', event => { if (event.target === element) element.close(); });
    element.addEventListener('close', () => { element.remove(); done(); });
    document.body.append(element);
    element.showModal();
    element.querySelector('[autofocus], input, select')?.focus();
    return { element, close: () => element.close() };
}

/** One line of text: the words, or null. */
export function ask(heading, { label, value = '', button = 'Save', max = 120 })
{
    return new Promise(resolve => {
        const input = h('input', { maxlength: max, required: true, value, autocomplete: 'off' });
        let answer = null;
        const form = h('form', {
            onsubmit: event => { event.preventDefault(); answer = input.value.trim(); if (answer) dialog.close(); },
        }, h('label', {}, label, input), h('div', { class: 'actions' }, h('button', { class: 'glow' }, button)));
        const dialog = openDialog(heading, form, { done: () => resolve(answer || null) });
        input.select();
    });
}

/** Whether it is really wanted. */
export function sure(heading, words, button)
{
    return new Promise(resolve => {
        let yes = false;
        const dialog = openDialog(heading, h('div', {}, h('p', {}, words), h('div', { class: 'actions' },
            h('button', { class: 'plain', autofocus: true, onclick: () => dialog.close() }, 'Keep it'),
            h('button', { class: 'danger', onclick: () => { yes = true; dialog.close(); } }, button))),
        { done: () => resolve(yes) });
    });
}

/** A menu under `anchor`: [{label, sign, run, danger}]. */
export function openMenu(anchor, entries)
{
    document.querySelector('.menu')?.hidePopover();
    const menu = h('div', { class: 'menu', role: 'menu', popover: 'auto' }, entries.filter(Boolean).map(entry =>
        h('button', { role: 'menuitem', class: entry.danger ? 'danger' : '', onclick: () => { menu.hidePopover(); entry.run(); } },
            icon(entry.sign), h('bdi', {}, entry.label))));
    menu.addEventListener('toggle', event => {
        if (event.newState !== 'closed') return;
        const left = menu.contains(document.activeElement) || document.activeElement === document.body; /* else it is where one has gone on to */
        menu.remove();
        if (left) anchor.focus?.();
    });
    menu.addEventListener('keydown', event => {
        const all = [...menu.children], i = all.indexOf(document.activeElement);
        const to = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: -1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        all.at(to % all.length).focus();
    });
    document.body.append(menu);
    menu.showPopover();
    const box = anchor.getBoundingClientRect();
    menu.style.left = `${Math.max(8, Math.min(box.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8))}px`;
    menu.style.top = `${box.bottom + menu.offsetHeight + 8 < innerHeight ? box.bottom + 6 : Math.max(8, box.top - menu.offsetHeight - 6)}px`;
    menu.firstChild.focus();
    return menu;
}
