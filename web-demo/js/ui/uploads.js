/* uploads.js - files on their way in: dropped anywhere or chosen, one or many, each with
 * its bar. The upload begins while the file's words, picture and waveform are still read. */
import { gather } from '../data/events.js';
import { previewSeconds, typeOf } from '../data/upload.js';
import { coverOf } from '../media/picture.js';
import { readTags } from '../media/tags.js';
import { readWaveform } from '../media/waveform.js';
import { h, many, say, size, theirs } from './dom.js';
import { openDialog } from './dialog.js';
import { icon, setIcon } from './icons.js';
import { trackAddress } from './router.js';
import { toast, trying } from './toast.js';
import { pictureField, wordFields } from './track-edit.js';

const says = {
    hashing: () => 'Reading', sending: job => `${Math.round(job.share * 100)} %`, waiting: () => 'Waits for the relay',
    paused: () => 'Paused', publishing: () => 'Signing', done: () => 'In the library', failed: job => job.error || 'Failed', cancelled: () => 'Cancelled',
};

/* What a file says about itself and what it sounds like. */
async function describe(file)
{
    const [tags, sound] = await Promise.all([readTags(file), readWaveform(file)]);
    const { picture, ...words } = tags;
    return { ...words, seconds: sound?.seconds ?? 0, peaks: sound?.peaks ?? null, cover: picture ? await coverOf(picture).catch(() => '') : '' };
}

export function openUploadPanel(app)
{
    const { data, settings } = app;
    const chooser = h('input', { type: 'file', accept: 'audio/*,.flac,.opus,.m4a', multiple: true, class: 'unseen', tabindex: '-1', 'aria-hidden': 'true', onchange: () => { take([...chooser.files]); chooser.value = ''; } });
    const premium = h('input', { type: 'checkbox' });
    const list = h('ul', { class: 'jobs' }), shown = new Map(), described = new Map();
    const panel = h('section', { class: 'panel uploads', 'aria-label': 'Add music', hidden: true },
        h('header', {}, h('h2', {}, 'Add music'), h('button', { class: 'quiet round', 'aria-label': 'Close', onclick: shut }, icon('close'))),
        h('div', { class: 'drop' }, h('p', {}, matchMedia('(hover: none)').matches ? 'Songs from this device' : 'Drop songs anywhere on this page'), h('button', { class: 'glow', onclick: () => chooser.click() }, icon('upload'), 'Choose files')),
        h('label', { class: 'check' }, premium, h('span', {}, 'Premium', h('span', { class: 'hint' }, `Encrypted here, before it leaves. Everybody hears ${previewSeconds} seconds; you give keys by name.`))),
        list);
    const veil = h('div', { class: 'veil', hidden: true, 'aria-hidden': 'true' }, h('div', { class: 'hearth' }), h('p', {}, 'Let it fall'));
    document.body.append(chooser, panel, veil);

    panel.addEventListener('keydown', event => { if (event.key === 'Escape') shut(); });
    /* On a phone it covers what one has gone on to. */
    addEventListener('hashchange', () => { if (matchMedia('(max-width: 760px)').matches) panel.hidden = true; });
    const open = () => { panel.hidden = false; };

    /* The focus goes back to where it came from. */
    let opener = null;
    function shut()
    {
        panel.hidden = true;
        opener?.focus();
    }

    async function take(files)
    {
        const sounds = files.filter(file => typeOf(file));
        if (sounds.length < files.length) toast(`${many(files.length - sounds.length, 'file')} left out: no sound.`);
        if (sounds.length === 0) return;
        if (!await app.account.need('What you add is signed with your key. That is what makes it yours.')) return;
        open();
        for (const file of sounds) add(file);
    }

    function add(file)
    {
        const meta = describe(file);
        const job = data.uploads.add(file, meta, { premium: premium.checked });
        meta.then(words => { described.set(job.id, words); draw(); });
        draw();
    }

    function makeRow(job)
    {
        const name = theirs('', { class: 'title' }), state = h('span', { class: 'state' }), bar = h('progress', { max: 1, value: 0 });
        const hold = h('button', { class: 'quiet round', onclick: () => (job.state === 'paused' || job.state === 'failed' ? job.resume() : job.pause()) });
        const stop = h('button', { class: 'quiet round', onclick: () => job.cancel() }, icon('close'));
        const edit = h('button', { class: 'quiet round', onclick: () => editJob(job) }, icon('edit'));
        const link = h('a', { class: 'quiet round', hidden: true }, icon('open'));
        const row = h('li', {}, h('div', { class: 'words' }, name, state), h('div', { class: 'keys' }, edit, hold, stop, link), bar);
        row.parts = { name, state, bar, hold, stop, edit, link };
        return row;
    }

    function updateRow(row, job)
    {
        const { name, state, bar, hold, stop, edit, link } = row.parts, over = ['done', 'cancelled'].includes(job.state);
        const title = described.get(job.id)?.title || job.name, going = !over && job.state !== 'paused' && job.state !== 'failed';
        row.className = job.state;
        say(name, title);
        say(state, `${says[job.state]?.(job) ?? ''} · ${size(job.size)}${job.known > 0 && job.sent + job.known >= job.total ? ` · ${many(job.known, 'piece')} were here already` : ''}${job.premium ? ' · premium' : ''}`);
        bar.value = job.state === 'done' ? 1 : job.share;
        bar.setAttribute('aria-label', `Upload of ${title}`);
        hold.hidden = over;
        setIcon(hold, going ? 'pause' : 'play');
        hold.setAttribute('aria-label', `${going ? 'Pause' : 'Go on with'} ${title}`);
        stop.hidden = over;
        stop.setAttribute('aria-label', `Cancel ${title}`);
        edit.hidden = over || !described.has(job.id);
        edit.setAttribute('aria-label', `Edit ${title}`);
        link.hidden = job.state !== 'done';
        if (job.track) link.href = trackAddress(job.track);
        link.setAttribute('aria-label', `Open ${title}`);
    }

    function draw()
    {
        const jobs = data.uploads.jobs.filter(job => job.state !== 'cancelled'), wanted = new Set(jobs.map(job => job.id));
        for (const [id, row] of shown) if (!wanted.has(id)) { row.remove(); shown.delete(id); }
        for (const job of jobs) {
            if (!shown.has(job.id)) { shown.set(job.id, makeRow(job)); list.prepend(shown.get(job.id)); }
            updateRow(shown.get(job.id), job);
        }
        if (jobs.some(job => !['done', 'cancelled'].includes(job.state)) && !draw.opened) { draw.opened = true; open(); }
    }

    function editJob(job)
    {
        const meta = described.get(job.id);
        let cover = meta.cover;
        const words = wordFields(meta);
        const dialog = openDialog('Before it is signed', h('form', {
            class: 'edit',
            onsubmit: event => {
                event.preventDefault();
                const next = { ...meta, ...words.read(), cover };
                described.set(job.id, next);
                trying(async () => job.update(next));
                dialog.close();
                draw();
            },
        }, pictureField(app, null, url => { cover = url; }), h('div', { class: 'fields' }, words.labels), h('div', { class: 'actions' }, h('button', { class: 'glow' }, 'Save'))), { wide: true });
    }

    const soon = gather(draw, 60);
    data.uploads.on('change', soon);
    data.uploads.on('done', (job, soul) => {
        const name = described.get(job.id)?.title || job.name;
        toast(`“${name}” is in the library.`, { kind: 'good', action: { label: 'Play', run: () => app.player.playAll([soul]) } });
    });
    data.uploads.via = settings.get('via');
    settings.on('via', via => { data.uploads.via = via; });

    /* dragenter and dragleave come for every element on the way: they are counted. */
    let inside = 0;
    const carries = event => [...event.dataTransfer?.types ?? []].includes('Files');
    const lift = by => { inside = Math.max(0, inside + by); veil.hidden = inside === 0; };
    addEventListener('dragenter', event => { if (carries(event)) { event.preventDefault(); lift(1); } });
    addEventListener('dragover', event => { if (carries(event)) event.preventDefault(); });
    addEventListener('dragleave', event => { if (carries(event)) lift(-1); });
    addEventListener('drop', event => {
        if (!carries(event)) return;
        event.preventDefault();
        inside = 0;
        lift(0);
        take([...event.dataTransfer.files]);
    });

    return {
        pick()
        {
            opener = document.activeElement;
            open();
            panel.querySelector('button.glow').focus();
        },
    };
}
