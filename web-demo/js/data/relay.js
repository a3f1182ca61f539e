/* relay.js - the connection to the relay, and what gun.js lacks to live with breaks.
 *
 * Two Gun instances, as docs/audio.md advises: `meta` keeps what it hears in localStorage
 * (names, playlists, one's own tracks), `stream` keeps nothing (chunks, pictures, other
 * people's libraries): localStorage ends at 5 MB.
 *
 * gun.js tries once to come back, 2 s after a loss. This asks again instead, for as long as
 * the page lives, every second and when the browser says that the line is back. What was
 * written meanwhile is said again (outbox.js).
 *
 * Nodes are addressed by their whole soul: gun.get('~pub/tracks/id').get('title'). Walking
 * there from the user's node would write the links on the way again each time, and whoever
 * writes by certificate is not allowed to.
 */
import { emitter, gather } from './events.js';
import { isForNow, newId, openOutbox } from './outbox.js';

const retryMs = 1000;
const connectMs = 10_000; /* a socket that has not opened by then is tried anew: a line that swallows all tells nobody */
const signMs = 30_000; /* what gun has not signed by then it has lost */
const sayAgainMs = 10_000; /* an answer that has not come by then does not come */

const isOpen = gun => Object.values(gun._.opt.peers).some(peer => peer.wire?.readyState === 1);

/* A Gun instance, and whether it is about to have its relay: gun forgets the peer that it is
 * still trying to reach, so the sockets themselves are asked. Its own try after a loss is
 * called off: two who try would make two connections. */
function openGun(Gun, options)
{
    const sockets = new Map(); /* socket -> when it was made */
    class Socket extends (options.WebSocket ?? globalThis.WebSocket) {
        constructor(...where)
        {
            super(...where);
            sockets.set(this, performance.now());
            this.addEventListener('close', () => sockets.delete(this));
        }
    }
    const gun = new Gun({ ...options, WebSocket: Socket });
    gun.on('bye', function hear(peer) {
        clearTimeout(peer.defer);
        this.to.next(peer);
    });
    function isTrying()
    {
        for (const [socket, since] of sockets) {
            if (socket.readyState !== 0) continue;
            if (performance.now() - since < connectMs) return true;
            socket.close();
        }
        return false;
    }
    return { gun, isTrying, forget: openForgetting(gun) };
}

/* After a break gun asks again for every soul it has, nine at a time. One that off() has taken
 * away meanwhile throws there, and what gun does in turns, puts among it, never goes on. Until
 * that is over an empty chain stands in its place. It takes as many turns as a walk of our own
 * over as many souls that begins a turn later. */
function openForgetting(gun)
{
    let asking = 0;

    gun.on('hi', function hear(peer) {
        this.to.next(peer);
        asking++;
        setTimeout.turn(() => setTimeout.each(Object.keys(gun._.next ?? {}), () => {}, () => { asking--; }));
    });
    return soul => {
        gun.get(soul).off();
        if (asking > 0) gun.get(soul);
    };
}

/* What the relay answers to gets, so that "there is nothing" is known when it says so: gun's
 * own once() guesses that after 99 ms, too soon for a phone. The get is gun's own where it
 * sends one, so that nothing is sent twice; what gun has asked for before, it does not ask again. */
function openAsking(gun)
{
    const wanted = new Map(), asked = new Map();
    const name = get => get['#'] + '\n' + get['.'];

    gun.on('out', function hear(message) {
        const told = message.get && !message['@'] && !message._?.via && message['#'] && wanted.get(name(message.get));
        if (told) {
            asked.set(message['#'], told);
            wanted.delete(name(message.get));
        }
        this.to.next(message);
    });
    gun.on('in', function hear(message) {
        const told = message['@'] && message._?.via && asked.get(message['@']);
        if (told) {
            asked.delete(message['@']);
            for (const one of told) one(Boolean(message.put));
        }
        this.to.next(message);
    });

    /* Call before what makes gun ask; told(found), and the data comes by itself. */
    return function listen(get, told) {
        const at = name(get), together = wanted.get(at) ?? new Set();
        together.add(told);
        wanted.set(at, together);
        const timer = setTimeout(() => {
            if (wanted.get(at) !== together) return;
            wanted.delete(at);
            const id = newId();
            asked.set(id, together);
            gun._.opt.mesh.say({ '#': id, get });
        }, 20);
        return () => {
            clearTimeout(timer);
            together.delete(told);
            if (together.size > 0) return;
            if (wanted.get(at) === together) wanted.delete(at);
            for (const [id, one] of asked) if (one === together) asked.delete(id);
        };
    };
}

/* One subscription of gun for all who watch a soul, given up with the last of them if gun may `forget`. */
function openWatching(gun, forget)
{
    const watched = new Map();

    /* gun compares before it looks at signatures: of two values that come at once the one whose
     * signature takes longer stays, be it the older. So they are compared again, by gun's rule:
     * the later state, and of equal ones the greater text, as it came (`raw`, where it is known). */
    function hear(one, key, state, value, raw)
    {
        const { state: was, raw: kept } = one.heard.get(key) ?? {};
        if (state < was || state === was && (raw === undefined || JSON.stringify(raw) <= JSON.stringify(kept))) return;
        one.heard.set(key, { state, raw });
        one.node[key] = value;
    }

    /* Every value whose signature is good; on() is told of the last of several only, or of none. */
    gun.on('put', function see(message) {
        this.to.next(message);
        const { '#': soul, '.': key, '>': state, ':': raw, '=': value = raw } = message.put, one = watched.get(soul);
        if (!one?.node) return;
        hear(one, key, state, value, raw);
        one.tell();
    });

    function begin(soul)
    {
        const one = { listeners: new Set(), node: null, heard: new Map() };
        const tell = gather(() => {
            const node = { ...one.node };
            for (const listener of [...one.listeners]) listener(node);
        }, 15);
        gun.get(soul).on(node => {
            one.node ??= Object.create(null);
            for (const key of Object.keys(node?._?.['>'] ?? {})) if (key in node) hear(one, key, node._['>'][key], node[key]);
            tell();
        });
        one.tell = tell;
        watched.set(soul, one);
        return one;
    }

    return function watch(soul, listener) {
        const one = watched.get(soul) ?? begin(soul);
        one.listeners.add(listener);
        if (one.node) one.tell();
        return () => {
            if (!one.listeners.delete(listener) || one.listeners.size > 0 || !forget) return;
            one.tell.stop();
            watched.delete(soul);
            forget(soul);
        };
    };
}

/**
 * @returns relay
 *   relay.online                         boolean: a socket is open
 *   relay.waiting                        how many writes no relay has acknowledged yet
 *   relay.skewMs                         relay's clock minus ours, NaN until known
 *   relay.on('state', () => {})          online or waiting changed
 *   relay.on('refused', ({soul, key, err}) => {})   the relay took a write not (its words)
 *   relay.meta, relay.stream             the two Gun instances: with localStorage, and without for what is large
 *   relay.put(soul, key, value, {cert}) -> Promise<'saved'|'waiting'>; rejects with the relay's words when refused.
 *                                        'waiting': it is kept here, and goes out when the relay is back
 *   relay.putAll(soul, {key: value}, {cert}) -> likewise
 *   relay.watch(soul, node => {}, {stream}) -> off()    the whole node, now and after each change ({} when nothing is known)
 *   relay.read(soul, key, {stream, ms, quick}) -> Promise<value|undefined>   undefined when it is not there, or not within ms
 *                                        (5000; `quick`: 200 while there is no line)
 *   relay.forget(soul)                   `stream` lets go of it, for all who watch it
 *   relay.whole(soul, {ms, settleMs}) -> Promise<node>   as it is once the relay has answered, and a moment has passed
 *   relay.settled(signal) -> Promise     when a relay has acknowledged all that was put until now
 *   relay.streams                        whether chunks can go by GUN now
 *   relay.retry()                        try to connect now
 *   relay.close()
 */
export function openRelay({ world })
{
    const { Gun, origin, local, gunOptions = {} } = world;
    const url = origin + '/gun';
    const events = emitter();
    const open = options => openGun(Gun, { peers: [url], multicast: false, axe: false, radisk: false, ...gunOptions, ...options });
    const instances = [open({ localStorage: true, file: world.name ?? 'brasa' }), open({ localStorage: false })];
    const [meta, stream] = instances.map(one => one.gun), { forget } = instances[1];
    const outbox = openOutbox(meta, local);
    const listening = { meta: openAsking(meta), stream: openAsking(stream) };
    const watching = { meta: openWatching(meta, null), stream: openWatching(stream, forget) };
    let online = false, closed = false, skewMs = NaN;
    const changed = gather(() => events.emit('state'), 50);

    function look()
    {
        const now = isOpen(meta);
        if (now === online) return;
        online = now;
        changed();
    }

    /* Names the peer that gun.js dropped; the next message opens the socket. */
    function retry()
    {
        if (closed) return;
        for (const { gun, isTrying } of instances) {
            if (isOpen(gun) || isTrying()) continue;
            gun.opt({ peers: [url] });
            gun._.opt.mesh.say({ dam: 'hi' });
        }
        look();
        if (online) outbox.flush(sayAgainMs);
    }

    meta.on('hi', function hear(peer) {
        this.to.next(peer);
        look();
        setTimeout(() => { if (!closed) outbox.flush(); }, 20);
        setTimeout(measureClock, 100);
    });
    meta.on('bye', function hear(peer) {
        this.to.next(peer);
        outbox.keep();
        setTimeout(look, 0);
    });
    stream.on('bye', function hear(peer) {
        this.to.next(peer);
        events.emit('lost');
    });
    outbox.on('change', changed);
    outbox.on('refused', what => events.emit('refused', what));
    const timer = setInterval(retry, retryMs);
    /* Nothing has been asked yet: this opens the sockets. */
    const first = setTimeout(retry, 0);
    const onOnline = () => retry();
    globalThis.addEventListener?.('online', onOnline);
    globalThis.addEventListener?.('pagehide', outbox.keep);

    /* The relay's clock. A state that is ahead of it is held there until it is due, so a
     * page whose clock is fast seems slow to everybody else: people want to be told. */
    function measureClock()
    {
        if (closed) return;
        const t0 = Date.now();
        meta._.opt.mesh.hear.nts ??= message => {
            const [asked, theirs] = message.nts ?? [];
            if (typeof asked !== 'number' || typeof theirs !== 'number') return;
            skewMs = theirs - (asked + Date.now()) / 2;
            changed();
        };
        meta._.opt.mesh.say({ dam: 'nts', '#': newId(), nts: [t0] });
    }

    /* Settled by the relay, or put aside for when it is back. */
    function putAll(soul, values, { cert } = {})
    {
        return new Promise((resolve, reject) => {
            const state = Gun.state(), unsigned = new Set(Object.keys(values));
            let overdue = false;
            const end = (then, what) => {
                clearTimeout(late);
                off();
                then(what);
            };
            const settle = err => (err ? end(reject, new Error(err)) : end(resolve, 'saved'));
            /* Put aside is what is signed: a slow phone may take longer for that. */
            const off = outbox.on('noted', put => {
                for (const key of unsigned) if (put[soul]?._['>'][key] >= state) unsigned.delete(key);
                if (overdue && unsigned.size === 0) end(resolve, 'waiting');
            });
            let late = setTimeout(() => {
                overdue = true;
                if (unsigned.size === 0) end(resolve, 'waiting');
                else late = setTimeout(settle, signMs, 'This could not be written. Try again.');
            }, online ? 4000 : 300);
            meta.get(soul).put(values, ack => {
                /* What sea.js itself refuses never leaves. */
                if (ack.err && !ack.lack && !/localStorage/.test(String(ack.err)) && !isForNow(String(ack.err))) settle(String(ack.err));
                else if (ack.ok === true || ack.ok === 1) settle(null);
            }, { acks: 9, ...cert && { opt: { cert } } }); /* the first answer is that of localStorage, which says nothing */
        });
    }

    /* In this very moment, unsigned, for a page that is going: gun's own put takes some turns of the loop. */
    function sayNow(soul, key, value)
    {
        const put = { [soul]: { _: { '#': soul, '>': { [key]: Gun.state() } }, [key]: value } };
        for (const peer of Object.values(meta._.opt.peers)) {
            if (peer.wire?.readyState === 1) peer.wire.send(JSON.stringify({ '#': newId(), put }));
        }
    }

    /* When a relay has acknowledged all that was put until now, and later. */
    function settled(signal)
    {
        return new Promise((resolve, reject) => {
            const end = (then, what) => {
                off();
                signal?.removeEventListener('abort', stop);
                then(what);
            };
            const look = () => { if (outbox.size === 0) end(resolve); };
            const stop = () => end(reject, signal.reason);
            const off = outbox.on('change', look);
            signal?.addEventListener('abort', stop);
            look();
        });
    }

    const instance = options => (options?.stream ? 'stream' : 'meta');

    function read(soul, key, options = {})
    {
        const name = instance(options), gun = name === 'meta' ? meta : stream;
        return new Promise(resolve => {
            let off = () => {}, unask = () => {};
            let ended = false;
            const end = value => {
                ended = true;
                clearTimeout(late);
                unask();
                off();
                resolve(value);
            };
            const late = setTimeout(() => end(undefined), isOpen(gun) || !options.quick ? options.ms ?? 5000 : 200);
            unask = listening[name]({ '#': soul, '.': key }, found => { if (!found) end(undefined); });
            gun.get(soul).get(key).on((value, k, message, event) => {
                off = () => event.off();
                if (ended) event.off();
                else if (value !== undefined) end(value);
            });
        });
    }

    const watch = (soul, listener, options) => watching[instance(options)](soul, listener);

    /* Signatures are checked one after the other, and go on for a moment when the answer is here. */
    function whole(soul, { ms, settleMs })
    {
        return new Promise(resolve => {
            let node = {};
            const off = watch(soul, seen => { node = seen; });
            read(soul, ' ', { ms, quick: true }).then(() => setTimeout(() => { off(); resolve(node); }, settleMs));
        });
    }

    return {
        meta, stream, on: events.on, forget, putAll, read, retry, sayNow, settled, watch, whole,
        get online() { return online; },
        /* Whether chunks can go by GUN now. */
        get streams() { return isOpen(stream); },
        get waiting() { return outbox.size; },
        get skewMs() { return skewMs; },
        put: (soul, key, value, options) => putAll(soul, { [key]: value }, options),
        close()
        {
            closed = true;
            clearInterval(timer);
            clearTimeout(first);
            changed.stop();
            globalThis.removeEventListener?.('online', onOnline);
            globalThis.removeEventListener?.('pagehide', outbox.keep);
            outbox.close();
            for (const gun of [meta, stream]) for (const peer of Object.values(gun._.opt.peers)) gun._.opt.mesh.bye(peer);
        },
    };
}
