/* presence.js - who is here, and what they listen to, now.
 *
 * Soul `/live/lobby<?15`, which a relay keeps in memory only: key is a session, value a
 * text, put again every 5 s and null on leaving. Who has not been heard for 15 s by our own
 * clock is gone, whatever anybody's clock says.
 *
 * The soul is nobody's, so anybody could say that they are Ann. Whoever is signed in signs
 * what is said, session and time with it, and only that earns a name here.
 */
import { newName } from './bytes.js';
import { emitter, gather } from './events.js';
import { pub as isPub, record, soul as soulOf } from './safe.js';

const soul = '/live/lobby<?15';
const sayMs = 5000, goneMs = 15_000;
const shownMax = 200;
const sessionForm = /^[A-Za-z0-9]{12}$/;

/**
 * @returns presence
 *   presence.list                        [{session, pub, track, playing, mine}] who is here; pub '' for whoever is not signed in
 *   presence.on('change', () => {})
 *   presence.say({track, playing})       what I listen to (track soul or ''); said again every 5 s
 *   presence.start(), presence.stop()    join, leave (also at pagehide)
 */
export function openPresence({ world, relay, people })
{
    const { SEA } = world;
    const events = emitter();
    const me = newName();
    const heard = new Map(); /* session -> {text, at, pub, track, playing} */
    const tell = gather(() => events.emit('change'), 50);
    let saying = { track: '', playing: false }, timer = null, off = null, turn = 0;

    async function words()
    {
        const said = { s: me, t: saying.track, p: saying.playing, at: Date.now() };
        if (!people.me) return JSON.stringify({ d: JSON.stringify(said) });
        const pair = people.pair;
        return JSON.stringify({ d: await SEA.sign(JSON.stringify(said), pair), pub: pair.pub });
    }

    const put = value => relay.stream.get(soul).get(me).put(value);

    async function say()
    {
        const mine = ++turn;
        const text = await words();
        if (timer && mine === turn && relay.streams) put(text);
    }

    /* What somebody says of himself, or null. A signature is of this session and of now:
     * what Ann said in another one, or yesterday, cannot be said again by somebody else. */
    async function understood(session, text)
    {
        const outer = record(text, 2000), pub = isPub(outer.pub);
        const inner = pub ? await SEA.verify(outer.d, pub) : outer.d;
        const said = record(inner, 1000);
        if (said.s !== session) return null;
        if (pub && !(Math.abs(Date.now() + (relay.skewMs || 0) - said.at) < 120_000)) return null;
        const track = soulOf(said.t)?.kind === 'tracks' ? said.t : '';
        return { pub, track, playing: said.p === true && track !== '' };
    }

    async function hear(session, text)
    {
        if (heard.get(session)?.text === text) return;
        if (text === null || text === undefined) {
            if (heard.delete(session)) tell();
            return;
        }
        if (typeof text !== 'string' || text.length > 2000 || (!heard.has(session) && heard.size >= shownMax)) return;
        const one = { ...heard.get(session), text, at: performance.now() };
        heard.set(session, one);
        const said = await understood(session, text).catch(() => null);
        if (heard.get(session) !== one) return;
        if (said) Object.assign(one, said, { known: true }); else heard.delete(session);
        tell();
    }

    function hearAll(node)
    {
        for (const session of Object.keys(node)) if (sessionForm.test(session)) hear(session, node[session]);
    }

    function tick()
    {
        const now = performance.now();
        for (const [session, one] of heard) {
            if (now - one.at < goneMs) continue;
            one.known = false; /* stays known as a text, so that an old one heard again is no news */
            if (now - one.at > 4 * goneMs) heard.delete(session);
            tell();
        }
        say();
    }

    function start()
    {
        if (timer) return;
        timer = setInterval(tick, sayMs);
        off = relay.watch(soul, hearAll, { stream: true });
        say();
    }

    function stop()
    {
        if (!timer) return;
        clearInterval(timer);
        timer = null;
        turn++;
        off?.();
        relay.sayNow(soul, me, null);
    }

    /* A page may come back as it was (the back button). */
    let paused = false;
    const onHide = () => { paused = timer !== null; stop(); };
    const onShow = () => { if (paused) start(); };
    globalThis.addEventListener?.('pagehide', onHide);
    globalThis.addEventListener?.('pageshow', onShow);

    const offMe = people.on('me', () => { if (timer) say(); });
    return {
        on: events.on, stop,
        get list()
        {
            return [...heard].filter(([, one]) => one.known).map(([session, one]) => (
                { session, pub: one.pub, track: one.track, playing: one.playing, mine: session === me }));
        },
        say(what)
        {
            saying = { track: soulOf(what.track)?.kind === 'tracks' ? what.track : '', playing: what.playing === true };
            if (timer) say();
        },
        start,
        close()
        {
            stop();
            offMe();
            tell.stop();
            globalThis.removeEventListener?.('pagehide', onHide);
            globalThis.removeEventListener?.('pageshow', onShow);
        },
    };
}
