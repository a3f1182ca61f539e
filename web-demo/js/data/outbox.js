/* outbox.js - what no relay has acknowledged yet, kept and said again until one has.
 *
 * gun.js says a write once. When the line is down it stays in the page's memory, with
 * luck in localStorage, and nobody is told that it never arrived. Here each message
 * that Gun sends with a put is noted as it leaves, signed as it is, and struck out by
 * the relay's answer. What is left when the relay is back is said again, under a new id:
 * a write keeps its state, so that hearing it twice changes nothing, and a newer one of
 * somebody else wins over it as it should.
 *
 * It is kept in `local` too, under a name of this page's own: what was written in a tab
 * that was closed while the line was down goes out when any page of this origin is opened.
 *
 * Not for souls that are kept in memory only (`/live/`): they are said anew anyway.
 */
import { emitter, gather } from './events.js';

const prefix = 'brasa/outbox/';
const bytesMax = 2_000_000; /* half of what localStorage takes */

/** Three words mean that a write may be taken later. */
export const isForNow = err => /^(busy|full|disk):/.test(err);

/** A message's. */
export const newId = () => Math.random().toString(36).slice(2, 11);

export function openOutbox(gun, local)
{
    const events = emitter();
    const root = gun._;
    const mine = prefix + newId();
    const waiting = new Map(); /* id -> {put, said: ms} */
    const save = gather(keep, 300);
    let closed = false;

    /* As much as there is room for, the oldest first; whether that was all. */
    function keep()
    {
        if (closed) return false; /* it may be another page's by now */
        const texts = [];
        let bytes = 0;
        for (const one of waiting.values()) {
            const text = JSON.stringify(one.put);
            if ((bytes += text.length + 1) > bytesMax) break;
            texts.push(text);
        }
        try {
            if (waiting.size === 0) local.removeItem(mine);
            else local.setItem(mine, `[${texts}]`);
            return texts.length === waiting.size;
        } catch {
            return false; /* full or forbidden: they live as long as the page */
        }
    }

    /* Keys that are written again need not be said as they were. */
    function forget(put)
    {
        for (const [id, one] of waiting) {
            for (const soul of Object.keys(put)) {
                for (const key of Object.keys(put[soul])) {
                    if (key === '_' || !one.put[soul] || !(key in one.put[soul])) continue;
                    if (one.put[soul]._['>'][key] > put[soul]._['>'][key]) continue;
                    delete one.put[soul][key];
                    delete one.put[soul]._['>'][key];
                    if (Object.keys(one.put[soul]).length === 1) delete one.put[soul];
                }
            }
            if (Object.keys(one.put).length === 0) settle(id, null);
        }
    }

    function note(id, put)
    {
        events.emit('noted', put);
        const kept = {};
        for (const soul of Object.keys(put)) {
            if (!soul.startsWith('/')) kept[soul] = { ...put[soul], _: { '#': soul, '>': { ...put[soul]._['>'] } } };
        }
        if (Object.keys(kept).length === 0) return;
        forget(kept);
        waiting.set(id, { put: kept, said: Date.now() });
        save();
        events.emit('change');
    }

    function settle(id, err)
    {
        const one = waiting.get(id);
        if (!one) return;
        waiting.delete(id);
        save();
        if (err) {
            const soul = Object.keys(one.put)[0];
            events.emit('refused', { soul, key: Object.keys(one.put[soul]).find(key => key !== '_'), err });
        }
        events.emit('change');
    }

    gun.on('out', function hear(message) {
        if (message.put && !message['@'] && !message._?.via && message['#'] && !message.put['#']) note(message['#'], message.put);
        this.to.next(message);
    });
    gun.on('in', function hear(message) {
        const id = message['@'];
        if (id && !message.put && message._?.via && waiting.has(id)) {
            if (!message.err) settle(id, null);
            else if (!isForNow(String(message.err))) settle(id, String(message.err));
        }
        this.to.next(message);
    });

    /* Says again what waits since `olderMs`. */
    function flush(olderMs = 0)
    {
        const now = Date.now();
        for (const [id, one] of [...waiting]) {
            if (now - one.said < olderMs) continue;
            const again = newId();
            waiting.delete(id);
            waiting.set(again, { put: one.put, said: now });
            root.opt.mesh.say({ '#': again, put: one.put });
        }
    }

    const isPut = put => put !== null && typeof put === 'object' && Object.entries(put).every(([soul, node]) => node?._?.['#'] === soul && typeof node._['>'] === 'object');

    function left(name)
    {
        try {
            const puts = JSON.parse(local.getItem(name) ?? '[]');
            return Array.isArray(puts) ? puts.filter(isPut) : [];
        } catch {
            return []; /* not ours */
        }
    }

    /* What pages left that are gone. One that is still there says the same: no harm. */
    function adopt()
    {
        try {
            const names = Array.from({ length: local.length }, (_, i) => local.key(i)).filter(name => name?.startsWith(prefix) && name !== mine);
            for (const name of names) {
                for (const put of left(name)) waiting.set(newId(), { put, said: 0 });
                if (keep()) local.removeItem(name);
            }
        } catch {
            /* forbidden: nobody left anything */
        }
    }
    adopt();

    return {
        on: events.on,
        flush,
        keep,
        get size() { return waiting.size; },
        close()
        {
            save.stop();
            keep();
            closed = true;
        },
    };
}
