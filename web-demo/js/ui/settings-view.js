/* settings-view.js - what this browser prefers. */
import { h } from './dom.js';

function choice(settings, name, legend, options)
{
    return h('fieldset', { class: 'choice-of' }, h('legend', {}, legend), options.map(([value, words, hint]) =>
        h('label', { class: 'check' }, h('input', { type: 'radio', name, value, checked: settings.get(name) === value, onchange: () => settings.set(name, value) }),
            h('span', {}, words, hint && h('span', { class: 'hint' }, hint)))));
}

const keys = [['Space, k', 'play or pause'], ['j, l', '10 seconds back, ahead'], ['n, p', 'next, previous'], ['m', 'mute'], ['/', 'search']];

export function settingsView({ settings })
{
    return {
        element: h('div', { class: 'settings' }, h('div', { class: 'heading' }, h('h1', {}, 'Settings')),
            choice(settings, 'theme', 'Light', [['auto', 'As this device has it'], ['dark', 'Dark'], ['light', 'Light']]),
            choice(settings, 'via', 'How music travels', [
                ['http', 'HTTP', 'The relay serves tracks in ranges; seeking costs nothing.'],
                ['gun', 'GUN only', 'Every chunk is a node of the graph, read through gun.js, as from any other relay.'],
            ]),
            h('section', {}, h('h2', {}, 'Keys'), h('dl', { class: 'facts keys' }, keys.map(([key, what]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)))))),
    };
}
