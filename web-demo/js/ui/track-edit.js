/* track-edit.js - what stands on a track of mine, changed or removed. */
import { h } from './dom.js';
import { openDialog, sure } from './dialog.js';
import { icon } from './icons.js';
import { coverOf } from '../media/picture.js';
import { trying } from './toast.js';
import { go, here } from './router.js';

const fields = [['title', 'Title', 200], ['artist', 'Artist', 200], ['album', 'Album', 200], ['genre', 'Genre', 60], ['year', 'Year', 20]];

/** The inputs of a track's words; read() gives what stands in them. */
export function wordFields(track)
{
    const inputs = {};
    const labels = fields.map(([name, words, max]) => {
        inputs[name] = h('input', { name, maxlength: max, value: track[name] ?? '', required: name === 'title', autocomplete: 'off' });
        return h('label', { class: `field-${name}` }, words, inputs[name]);
    });
    return { labels, read: () => Object.fromEntries(fields.map(([name]) => [name, inputs[name].value.trim()])) };
}

/** A square that shows a picture and takes another: onpicture(data url). */
export function pictureField(app, track, onpicture)
{
    const cover = app.covers.cover(track, 'medium');
    const file = h('input', { type: 'file', accept: 'image/*', class: 'unseen', 'aria-label': 'Cover picture', onchange: take });
    async function take()
    {
        await trying(async () => {
            const url = await coverOf(file.files[0]);
            cover.replaceChildren(h('img', { alt: '', src: url }));
            cover.classList.add('lit');
            onpicture(url);
        });
    }
    return h('label', { class: 'picture' }, cover, file, h('span', {}, icon('edit'), 'Picture'));
}

export async function editTrack(app, soul)
{
    const { data } = app, track = await data.tracks.load(soul);
    if (!track) return;
    let picture = '';
    const words = wordFields(track), note = h('textarea', { rows: 3, maxlength: 2000, value: track.note ?? '' });
    const dialog = openDialog('Edit', h('form', { class: 'edit', onsubmit: save },
        pictureField(app, track, url => { picture = url; }), h('div', { class: 'fields' }, words.labels, h('label', {}, 'Note', note)),
        h('div', { class: 'actions' }, h('button', { class: 'glow' }, 'Save'))), { wide: true });

    async function save(event)
    {
        event.preventDefault();
        const good = await trying(async () => {
            const change = { ...words.read(), note: note.value.trim() };
            if (picture) change.cover = await data.covers.put(picture);
            await data.tracks.edit(soul, change);
        });
        if (good) dialog.close();
    }
}

export async function removeTrack(app, track)
{
    if (!await sure('Remove this track?', `“${track.title}” disappears from the library for everybody.`, 'Remove')) return;
    const good = await trying(() => app.data.tracks.remove(track.soul), 'Removed.');
    if (good && here()[0] === 'track') go('#/');
}
