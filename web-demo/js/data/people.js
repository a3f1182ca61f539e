/* people.js - accounts: who I am, and who the others are.
 *
 * An account is GUN's: `~pub` with alias and epub, signed, the private keys inside `auth`,
 * encrypted by the password. `~@alias` links to all accounts of a name; names are not
 * unique, keys are, and short(pub) tells two of a name apart.
 *
 * Staying signed in keeps the key pair in sessionStorage (this tab) or, when asked to
 * remember, in localStorage (this browser): whoever can run scripts on this origin could
 * read it there, which is why the page's Content-Security-Policy lets in no script but its own.
 *
 * People are found by the soul `people#`: content, its key the hash of a public key that
 * is the value. Everybody may add themselves in every write mode, nobody can take anybody
 * out or make an entry say something else. (Where only allowed keys write, the signed link
 * `~pub`/people opens it.) That is the only list that belongs to nobody; all else that is
 * shown is signed.
 */
import { base64, sha256 } from './bytes.js';
import { emitter, gather } from './events.js';
import { pub as isPub, record, text } from './safe.js';

const kept = 'brasa/pair';
const peopleMax = 2000; /* of a list that anybody may write to */
const names = new Map([['No user.', 'Choose a name.'], ['Password too short!', 'The password needs eight characters at least.'],
    ['User already created!', 'This name is taken here.']]);

const inWords = err => new Error(names.get(err) ?? String(err));

/**
 * @returns people
 *   people.me                            null, or {pub, epub, alias}
 *   people.on('me', me => {})            signed in, signed out
 *   people.on('names', () => {})         a name became known
 *   people.signUp(alias, password, {remember}) -> Promise<me>   rejects with an Error whose message can be shown
 *   people.signIn(alias, password, {remember}) -> Promise<me>
 *   people.signOut()
 *   people.recall() -> Promise<me|null>  at the start of a page
 *   people.name(pub) -> string           what is known now ('' until then; it is asked for, and 'names' follows)
 *   people.short(pub) -> string          'a3Fx…9k' tells apart who bear the same name
 *   people.find(alias) -> Promise<[{pub, epub, alias}]>   all who bear the name
 *   people.all                           Set of pubs that have shown themselves on this relay
 *   people.on('people', () => {})
 */
export function openPeople({ world, relay })
{
    const { SEA, local, session } = world;
    const events = emitter();
    const user = relay.meta.user();
    const known = new Map(); /* pub -> alias, or '' while it is asked for */
    const all = new Set();
    const tellNames = gather(() => events.emit('names'), 40);
    const tellPeople = gather(() => events.emit('people'), 20);
    let me = null;

    /* Signing up and in need the relay: without it gun would say "wrong password". */
    async function connected()
    {
        for (let i = 0; i < 50 && !relay.online; i++) {
            relay.retry();
            await new Promise(resolve => setTimeout(resolve, 100));
        }
        if (!relay.online) throw new Error('The relay is away. Try again when it is back.');
    }

    const call = (verb, ...args) => new Promise((resolve, reject) => {
        user[verb](...args, ack => (ack.err ? reject(inWords(ack.err)) : resolve(ack)));
    });

    function keep(pair, remember)
    {
        const words = JSON.stringify({ pair, alias: me.alias });
        try {
            (remember ? local : session).setItem(kept, words);
        } catch {
            /* Full or forbidden: signed in for as long as the page lives. */
        }
    }

    /* Shows me to everybody. Waits, so that a relay that takes nothing of mine says so. */
    async function appear()
    {
        const pub = me.pub, hash = base64(await sha256(pub));
        await relay.put('~' + pub, 'people', { '#': 'people#' });
        await relay.put('people#', hash, pub);
    }

    function entered(alias)
    {
        const { pub, epub } = user._.sea;
        me = { pub, epub, alias: text(alias, 60) || short(pub) };
        known.set(pub, me.alias);
        all.add(pub);
        tellPeople();
        tellNames();
        events.emit('me', me);
        return me;
    }

    /* The keys of an account, by its password; null when it is another's. Accounts of
     * older gun.js are sealed otherwise. */
    async function unseal(account, password)
    {
        const auth = record(await relay.read('~' + account.pub, 'auth'));
        if (typeof auth.s !== 'string' || !auth.ek) return null;
        for (const how of [undefined, { encode: 'utf8' }]) {
            const half = await SEA.decrypt(auth.ek, await SEA.work(password, auth.s, null, how), null, how);
            if (typeof half?.priv === 'string' && typeof half.epriv === 'string') return { pub: account.pub, epub: account.epub, priv: half.priv, epriv: half.epriv };
        }
        return null;
    }

    /* gun's auth() asks ten times for a name that is not there, and would take a slow line for
     * a wrong password; so the password is tried here, and gun is given the keys. */
    async function enter(alias, password, remember)
    {
        for (const account of await find(alias)) {
            const pair = await unseal(account, password);
            if (!pair) continue;
            await call('auth', pair);
            entered(alias);
            keep(pair, remember);
            return me;
        }
        throw new Error('Name or password is wrong.');
    }

    const clean = alias => {
        const name = text(alias, 60);
        if (!name) throw new Error('Choose a name.');
        return name;
    };

    async function signUp(alias, password, { remember = false } = {})
    {
        const name = clean(alias);
        if (String(password).length < 8) throw new Error('The password needs eight characters at least.');
        await connected();
        if ((await find(name)).length > 0) throw new Error('This name is taken here.');
        await call('create', name, password);
        await enter(name, password, remember);
        try {
            await appear();
        } catch (error) {
            signOut();
            throw new Error(`The relay does not take new accounts (${error.message})`);
        }
        return me;
    }

    async function signIn(alias, password, { remember = false } = {})
    {
        const name = clean(alias);
        await connected();
        await enter(name, String(password), remember);
        appear().catch(() => {}); /* an account that another app made here is not in the list yet */
        return me;
    }

    function signOut()
    {
        user.leave();
        for (const storage of [local, session]) {
            try {
                storage.removeItem(kept);
            } catch {
                /* forbidden: nothing was kept */
            }
        }
        me = null;
        events.emit('me', null);
    }

    async function recall()
    {
        let words = null;
        try {
            words = JSON.parse(session.getItem(kept) ?? local.getItem(kept) ?? 'null');
        } catch {
            return null;
        }
        if (!isPub(words?.pair?.pub) || typeof words.pair.priv !== 'string' || typeof words.pair.epriv !== 'string') return null;
        await call('auth', words.pair);
        return entered(words.alias);
    }

    /* All accounts of a name, by the key: what their own node says counts. */
    async function find(alias)
    {
        const name = text(alias, 60);
        if (!name) return [];
        const links = await relay.whole('~@' + name, { ms: 4000, settleMs: 60 });
        const pubs = Object.keys(links).map(key => isPub(key.slice(1))).filter(Boolean).slice(0, 20);
        const found = await Promise.all(pubs.map(async pub => {
            const [said, epub] = await Promise.all([relay.read('~' + pub, 'alias'), relay.read('~' + pub, 'epub')]);
            return said === name && typeof epub === 'string' ? { pub, epub, alias: name } : null;
        }));
        return found.filter(Boolean);
    }

    const short = pub => (isPub(pub) ? `${pub.slice(0, 4)}…${pub.slice(-3)}` : '');

    function name(pub)
    {
        if (known.has(pub)) return known.get(pub);
        if (!isPub(pub)) return '';
        known.set(pub, '');
        relay.read('~' + pub, 'alias', { ms: 60_000 }).then(alias => {
            known.set(pub, text(alias, 60) || short(pub));
            tellNames();
        });
        return '';
    }

    const off = relay.watch('people#', node => {
        for (const value of Object.values(node)) {
            if (all.size < peopleMax && isPub(value)) all.add(value);
        }
        tellPeople();
    }, { stream: true });

    return {
        on: events.on, all, signUp, signIn, signOut, recall, find, short, name,
        get me() { return me; },
        /* The key pair of whoever is signed in; only for the modules beside this one. */
        get pair() { return me && user._.sea; },
        epub: pub => relay.read('~' + pub, 'epub'),
        close() { off(); tellNames.stop(); tellPeople.stop(); },
    };
}
