/* people-field.js - choosing a person by name. Names are not unique in GUN: who bears
 * the same one is told apart by key. */
import { h, theirs } from './dom.js';
import { face } from './account.js';

export function peopleField(app, { label, button, chosen })
{
    const { people } = app.data;
    const id = `names-${Math.random().toString(36).slice(2)}`;
    const known = h('datalist', { id }), said = h('div', { class: 'choice', role: 'status' });
    const input = h('input', { list: id, maxlength: 60, required: true, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' });
    for (const pub of people.all) {
        const name = people.name(pub);
        if (name && pub !== people.me?.pub) known.append(h('option', { value: name }));
    }

    async function submit(event)
    {
        event.preventDefault();
        said.textContent = '';
        const all = (await people.find(input.value.trim())).filter(one => one.pub !== people.me?.pub);
        if (all.length === 0) said.textContent = `Nobody is called “${input.value.trim()}” here. Ask them to sign up first.`;
        else if (all.length === 1) take(all[0]);
        else said.replaceChildren(h('p', {}, 'Several bear that name:'), ...all.slice(0, 12).map(one =>
            h('button', { type: 'button', class: 'plain', onclick: () => take(one) }, face(one.pub, one.alias), theirs(one.alias), people.short(one.pub))));
    }
    function take(person) { said.textContent = ''; input.value = ''; chosen(person); }
    return h('form', { class: 'people-field', onsubmit: submit }, h('label', {}, label, input), known, h('button', { class: 'glow' }, button), said);
}
