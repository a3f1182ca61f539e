/* settings.js - what this browser prefers. Kept in localStorage, told to nobody. */
import { emitter } from '../data/events.js';

const initial = { theme: 'auto', via: 'http', look: 'grid', sort: 'new', volume: 1 };
const choices = {
    theme: ['auto', 'dark', 'light'], via: ['http', 'gun'], look: ['grid', 'list'],
    sort: ['new', 'title', 'artist', 'long'],
};

export function openSettings(storage)
{
    const events = emitter(), now = { ...initial };
    for (const name of Object.keys(initial)) {
        const kept = storage.getItem(`ember.${name}`);
        if (name === 'volume') { if (kept !== null && kept >= 0 && kept <= 1) now.volume = Number(kept); }
        else if (choices[name].includes(kept)) now[name] = kept;
    }
    return {
        on: events.on,
        get: name => now[name],
        set(name, value)
        {
            if (now[name] === value) return;
            now[name] = value;
            storage.setItem(`ember.${name}`, value);
            events.emit(name, value);
        },
    };
}
