/* relay.js - the quiet corner: how the relay is, from its /status, every two seconds. */
import { h, many, say, size } from './dom.js';
import { chart } from './chart.js';

const modes = {
    open: 'Anybody may write here; the space of a key only who has it.',
    signed: 'Only what is signed may be written here.',
    closed: 'Only keys that the operator allows may write here.',
};

export function relayView(app)
{
    const { data } = app;
    const charts = [
        chart({ name: 'Connections', of: one => one.peers, say: n => n.toLocaleString('en') }),
        chart({ name: 'Writes a second', of: one => one.writes, say: n => `${n.toLocaleString('en', { maximumFractionDigits: 1 })} a second` }),
        chart({ name: 'Stored', of: one => one.bytes, say: size }),
        chart({ name: 'Memory', of: one => one.memory, say: size }),
    ];
    const facts = h('dl', { class: 'facts' }), mode = h('p', { class: 'hint' });
    const element = h('div', { class: 'corner' }, h('div', { class: 'heading' }, h('h1', {}, 'This relay')),
        h('p', { class: 'lead' }, 'brasa passes changes on between browsers and keeps them. This page is only one of its clients: your key and your music are yours with any other.'),
        h('div', { class: 'charts' }, charts.map(one => one.element)), facts, mode,
        h('p', { class: 'hint' }, h('a', { href: '/check' }, 'Live check'), ' · ', h('a', { href: '/status' }, 'status'), ' · ', h('a', { href: '/health' }, 'health')));
    const fact = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));

    function uptime(seconds)
    {
        const units = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];
        const [of, word] = units.find(([each]) => seconds >= each) ?? units.at(-1);
        return many(Math.floor(seconds / of), word);
    }

    function draw()
    {
        const now = data.status.now ?? {};
        for (const one of charts) one.draw(data.status.samples);
        if (!now.version) return;
        facts.replaceChildren(fact('brasa', now.version), fact('Up for', uptime(now.uptime_s)), fact('Souls', (now.store?.souls ?? 0).toLocaleString('en')),
            fact('Listening by HTTP', String(now.listeners ?? 0)), fact('Uploads', String(now.uploads ?? 0)),
            fact('Room', `${size(now.store?.bytes)} of ${size(now.store?.bytes_max)}`));
        say(mode, modes[now.write_mode] ?? '');
    }
    const off = data.status.on('sample', draw);
    addEventListener('repaint', draw);
    draw();
    return { element, close() { off(); removeEventListener('repaint', draw); } };
}
