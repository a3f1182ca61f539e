/* account.js - signing up, in and out, and the button that says who one is. */
import { h, theirs } from './dom.js';
import { openDialog, openMenu } from './dialog.js';
import { icon } from './icons.js';
import { toast } from './toast.js';

/** A round sign of a person: the first letter on a glow that only this key has. */
export function face(pub, name)
{
    const hue = pub ? (pub.charCodeAt(0) * 7 + pub.charCodeAt(5) * 13 + pub.charCodeAt(9) * 29) % 360 : 30;
    return h('span', { class: `face${pub ? '' : ' nobody'}`, '--hue': hue, 'aria-hidden': 'true' }, (name || '·').slice(0, 1).toUpperCase());
}

export function openAccount(app)
{
    const { people } = app.data;
    const button = h('button', { class: 'account', onclick: press });

    function draw()
    {
        const me = people.me;
        if (me) button.replaceChildren(face(me.pub, me.alias), theirs(me.alias, { class: 'name' }));
        else button.replaceChildren(icon('user'), 'Sign in');
        button.setAttribute('aria-label', me ? `Your account, ${me.alias}` : 'Sign in or sign up');
    }
    people.on('me', draw);
    draw();

    function press()
    {
        if (!people.me) return open();
        openMenu(button, [{
            label: 'Sign out', sign: 'out',
            run: () => { people.signOut(); toast('Signed out. You can go on listening.'); },
        }]);
    }

    /** Opens the dialog; resolves with `me`, or null when it was closed. */
    function open({ why = '' } = {})
    {
        return new Promise(resolve => {
            let signUp = true;
            const alias = h('input', { name: 'username', autocomplete: 'username', required: true, minlength: 2, maxlength: 40, spellcheck: 'false', autocapitalize: 'none' });
            const pass = h('input', { name: 'password', type: 'password', required: true, minlength: 8, maxlength: 200 });
            const remember = h('input', { type: 'checkbox', checked: true });
            const wrong = h('p', { class: 'wrong', role: 'alert' });
            const send = h('button', { class: 'glow' }), other = h('button', { type: 'button', class: 'plain', onclick: () => { signUp = !signUp; drawForm(); } });
            const hint = h('p', { class: 'hint' });
            const form = h('form', { onsubmit: submit }, why && h('p', {}, why),
                h('label', {}, 'Name', alias), h('label', {}, 'Password', pass), hint,
                h('label', { class: 'check' }, remember, 'Stay signed in on this computer'),
                wrong, h('div', { class: 'actions' }, other, send));
            const dialog = openDialog('Your music, your key', form, { done: () => resolve(people.me) });

            function drawForm()
            {
                send.textContent = signUp ? 'Sign up' : 'Sign in';
                other.textContent = signUp ? 'I have an account' : 'I am new here';
                hint.textContent = signUp ? 'Your browser makes a key pair from nothing; the password locks it. Nobody can reset it: write it down.' : '';
                pass.autocomplete = signUp ? 'new-password' : 'current-password';
                wrong.textContent = '';
            }

            async function submit(event)
            {
                event.preventDefault();
                send.disabled = true;
                wrong.textContent = '';
                send.classList.add('working');
                try {
                    const me = await people[signUp ? 'signUp' : 'signIn'](alias.value.trim(), pass.value, { remember: remember.checked });
                    toast(signUp ? `Welcome, ${me.alias}. Drop a song anywhere on this page.` : `Hello again, ${me.alias}.`, { kind: 'good' });
                    dialog.close();
                } catch (error) {
                    wrong.textContent = String(error?.message ?? error);
                    pass.focus();
                }
                send.disabled = false;
                send.classList.remove('working');
            }
            drawForm();
        });
    }

    /** `me`, after asking if there is nobody yet; null when there is still nobody. */
    const need = why => (people.me ? Promise.resolve(people.me) : open({ why }));

    return { button, open, need };
}
