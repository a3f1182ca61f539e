/* world.mjs - the page's data modules in Node, as many people as a case wants, each with
 * what a browser gives: storages of their own, a place for files, gun.js and sea.js
 * as they come from npm. All live in this process and meet only at the relay. */
import { createRequire } from 'node:module';
import { webcrypto } from 'node:crypto';
import { openData } from '../../web-demo/js/data/open.js';
import { openForgetfulKeeper } from '../../web-demo/js/data/keeper.js';
import { fresh, until } from '../tools/harness.mjs';
import { own_relay, start_relay } from '../tools/relay.mjs';
import { open_line } from '../tools/throttle.mjs';

globalThis.crypto ??= webcrypto; /* node 18 hides it */
const require = createRequire(import.meta.url);
const log = console.log;
console.log = () => {}; /* gun greets on stdout */
const Gun = require('gun/gun.js');
require('gun/sea.js');
console.log = log;
/* gun and sea speak to the console of what they refuse; here that is often what is wanted. */
Gun.log = Object.assign(words => words, { once: () => {} });
const WebSocket = require('ws');

export const password = 'correct horse battery';

/* As localStorage is. */
export class Storage {
    #map = new Map();
    get length() { return this.#map.size; }
    key(i) { return [...this.#map.keys()][i] ?? null; }
    getItem(name) { return this.#map.get(name) ?? null; }
    setItem(name, value) { this.#map.set(name, String(value)); }
    removeItem(name) { this.#map.delete(name); }
}

/* What a browser keeps when its page is closed. */
export class Browser {
    constructor()
    {
        this.name = fresh('browser');
        this.local = new Storage();
        this.keeper = openForgetfulKeeper();
    }

    /* A page of it; `origin` is the relay's, or that of a line to it. */
    page(t, origin)
    {
        const data = openData({ Gun, SEA: Gun.SEA, origin, local: this.local, session: new Storage(), keeper: this.keeper, name: this.name, gunOptions: { WebSocket } });
        t.after(() => data.close());
        return data;
    }
}

export const origin_of = relay => `http://127.0.0.1:${relay.port}`;

export class World {
    async open() { this.relay = await start_relay(); }
    async close() { await this.relay?.close(); }

    own_relay(t, options) { return own_relay(t, options); }

    /* A line to a relay that can be cut. */
    async line(t, relay = this.relay)
    {
        const line = await open_line(relay.port);
        t.after(() => line.close());
        return line;
    }

    /* Somebody with an account of their own, in a browser of their own. */
    async person(t, { relay = this.relay, origin = origin_of(relay), alias = fresh('ann') } = {})
    {
        const browser = new Browser(), data = browser.page(t, origin);
        await data.people.signUp(alias, password, { remember: true });
        return Object.assign(data, { browser, alias });
    }

    /* Somebody without. */
    async visitor(t, { relay = this.relay, origin = origin_of(relay) } = {})
    {
        const browser = new Browser();
        return Object.assign(browser.page(t, origin), { browser });
    }
}

/* Listens until `look` gives something true; looks after each `name` of `events`, and now and then. */
export const seen = (what, look, seconds = 20) => until(what, look, seconds);

/* A track that says it is there, without its audio. */
export function some_track(i, more = {})
{
    const digit = n => (n >>> 0).toString(16).padStart(8, '0');
    const root = digit(i) + digit(Math.imul(i, 2654435761)) + '0'.repeat(48);
    return { title: `Title ${i}`, artist: `Artist ${i % 40}`, album: `Album ${i % 90}`, seconds: 100 + i % 300, bytes: 5_000_000 + i,
        mime: 'audio/mpeg', root, manifest: Buffer.alloc(32, i).toString('base64'), ...more };
}
