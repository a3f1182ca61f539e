/* grants.js - who may hear a premium track to its end: a key for each, under a name. */
import { h, theirs } from './dom.js';
import { openDialog } from './dialog.js';
import { face } from './account.js';
import { peopleField } from './people-field.js';
import { toast, trying } from './toast.js';

export function openGrants(app, track)
{
    const { data } = app, list = h('ul', { class: 'people' });
    const field = peopleField(app, {
        label: 'Name of the listener', button: 'Give the key',
        chosen: person => trying(async () => {
            await data.premium.grant(track, person.pub);
            toast(`${person.alias} may hear all of it now.`, { kind: 'good' });
            await draw();
        }),
    });
    openDialog('Who may hear it all', h('div', {}, h('p', { class: 'hint' }, 'Everybody hears the preview. The key to the rest is encrypted for one person at a time; this relay never sees it.'), field, list));

    async function draw()
    {
        const pubs = await data.premium.granted(track);
        list.replaceChildren(...pubs.map(pub => {
            const name = data.people.name(pub) || data.people.short(pub);
            return h('li', {}, face(pub, name), theirs(name), h('span', { class: 'hint' }, data.people.short(pub)),
                h('button', { class: 'plain', onclick: () => trying(async () => { await data.premium.revoke(track, pub); await draw(); }) }, 'Take back'));
        }));
    }
    draw();
}
