/* upload.js - files on their way in, with pauses.
 *
 *   hashing -> sending <-> waiting -> publishing -> done
 *                 \-> paused, cancelled, failed
 *
 * A job outlives everything: a lost line and a relay that was killed (it waits, and asks
 * the relay what is there already), and a reload of the page (file and state are kept,
 * keeper.js). Only chunks that are missing are sent, from wherever the last run got to.
 *
 * First a signed link, ~pub/uploads, names the audio: where only allowed keys write that is
 * what opens its souls, and everywhere it keeps the relay from collecting half a track.
 * It is taken away when the track itself links there.
 */
import { base64, newName, unbase64 } from './bytes.js';
import { cutFile, sizes } from './cut.js';
import { emitter, gather } from './events.js';
import { newKey } from './premium.js';
import { audioType } from './safe.js';
import { Refusal, sendByGun, sendByHttp } from './send.js';

export const previewSeconds = 20;
const waitMs = [500, 1000, 2000, 4000, 8000];
const atOnce = 2; /* jobs; each has some chunks on its way */

const types = { mp3: 'audio/mpeg', m4a: 'audio/mp4', mp4: 'audio/mp4', aac: 'audio/aac', flac: 'audio/flac', ogg: 'audio/ogg', oga: 'audio/ogg', opus: 'audio/ogg', wav: 'audio/wav', webm: 'audio/webm' };

const same = { 'audio/mp3': 'audio/mpeg', 'audio/x-m4a': 'audio/mp4', 'audio/x-wav': 'audio/wav', 'audio/wave': 'audio/wav', 'audio/x-flac': 'audio/flac', 'audio/vnd.wave': 'audio/wav', 'video/ogg': 'audio/ogg' };

/** The media type of a file: what its name speaks for, because browsers disagree about wav and flac,
 * else what its browser says, in one spelling; '' for what is no sound. */
export function typeOf(file)
{
    const said = (file.type || '').split(';')[0].toLowerCase();
    return types[/\.([a-z0-9]+)$/i.exec(file.name ?? '')?.[1].toLowerCase()] ?? audioType(same[said] ?? said);
}

/* As many chunks as some seconds need. */
function previewOf(file, seconds, span, wanted)
{
    const n = Math.ceil(file.size / span);
    if (wanted > 0) return Math.min(n, Math.floor(wanted));
    if (!(seconds > 0)) return Math.min(n, 8);
    return Math.max(1, Math.min(n, Math.ceil(file.size / seconds * previewSeconds / span)));
}

const packKeys = keys => keys && { key: base64(keys.key), preview: { n: keys.preview.n, key: base64(keys.preview.key) } };
const unpackKeys = keys => keys && { key: unbase64(keys.key), preview: { n: keys.preview.n, key: unbase64(keys.preview.key) } };

class Job {
    state = 'hashing';
    share = 0;
    sent = 0;
    known = 0;
    total = 0;
    error = '';
    track = '';
    #data;
    #note;
    #run = null;
    #cut = null;
    #keys = null;
    #file;
    #meta;
    #preview;

    constructor(data, note, { id, pub, file, name, size, meta, premium, previewChunks = 0, cut = null, keys = null })
    {
        Object.assign(this, { id, pub, name, size, premium });
        this.#data = data;
        this.#note = note;
        this.#file = file;
        this.#meta = meta instanceof Promise ? meta.catch(() => ({})) : meta;
        this.#preview = previewChunks;
        this.#cut = cut;
        this.#keys = unpackKeys(keys);
    }

    get busy() { return this.#run !== null; }
    get over() { return ['done', 'failed', 'cancelled'].includes(this.state); }
    get meta() { return this.#meta instanceof Promise ? {} : this.#meta; }

    #set(state)
    {
        this.state = state;
        this.#note(this);
    }

    async #keep()
    {
        const { id, pub, name, size, premium, state } = this;
        const meta = this.#meta instanceof Promise ? {} : this.#meta;
        const record = { id, pub, name, size, premium, previewChunks: this.#preview, meta, file: this.#file, cut: this.#cut, keys: packKeys(this.#keys), paused: state === 'paused' };
        await this.#data.world.keeper?.put(record).catch(() => {}); /* no room: it lives as long as the page */
    }

    #forget() { return this.#data.world.keeper?.remove(this.id).catch(() => {}); }

    update(meta)
    {
        if (this.over) return;
        const before = this.#meta;
        this.#meta = before instanceof Promise ? before.then(found => ({ ...found, ...meta })) : { ...before, ...meta };
        this.#keep();
    }

    pause()
    {
        if (this.over || this.state === 'publishing') return;
        this.#run?.abort(new DOMException('paused', 'AbortError'));
        this.#set('paused');
        this.#keep();
    }

    resume()
    {
        if (this.state !== 'paused' && this.state !== 'failed') return;
        this.error = '';
        this.#set(this.#cut ? 'sending' : 'hashing');
        this.#keep();
    }

    cancel()
    {
        if (this.state === 'done') return;
        this.#run?.abort(new DOMException('cancelled', 'AbortError'));
        this.#set('cancelled');
        this.#forget();
        if (this.#cut && this.#data.people.me?.pub === this.pub) this.#data.relay.put(`~${this.pub}/uploads`, this.#cut.root, null).catch(() => {});
    }

    async #hash(signal)
    {
        if (this.#cut) return;
        this.#meta = await this.#meta;
        if (this.premium && !this.#keys) {
            const { span } = sizes(this.#file.size, true);
            this.#keys = { key: newKey(), preview: { n: previewOf(this.#file, this.#meta.seconds, span, this.#preview), key: newKey() } };
        }
        this.#set('hashing');
        await this.#keep();
        const heard = (i, n) => { this.total = n; this.share = 0.1 * i / n; this.#note(this); };
        const cut = await cutFile(this.#file, typeOf({ name: this.name, type: this.#file.type }), this.#keys, { heard, signal });
        this.#cut = { ...cut, span: sizes(this.#file.size, Boolean(this.#keys)).span };
        await this.#keep();
    }

    async #send(signal)
    {
        const { relay, world, uploads } = this.#data;
        const cut = this.#cut, done = { n: 0 };
        this.total = cut.n;
        const show = () => { this.share = 0.1 + 0.9 * done.n / cut.n; this.#note(this); };
        this.#set('sending');
        await relay.put(`~${this.pub}/uploads`, cut.root, { '#': `audio/${cut.root}#m` });
        await (uploads.via === 'gun' ? sendByGun : sendByHttp)({
            relay, origin: world.origin, file: this.#file, cut, keys: this.#keys, signal,
            known: n => { this.known = n; done.n = n; show(); },
            sent: () => { this.sent++; done.n++; show(); },
        });
    }

    /* Until the relay has it all; a refusal ends it. */
    async #deliver(signal)
    {
        for (let tries = 0; ; tries++) {
            const before = this.sent;
            try {
                return await this.#send(signal);
            } catch (error) {
                if (signal.aborted || error instanceof Refusal) throw error;
                if (this.sent > before) tries = 0;
                this.#set('waiting');
                await this.#rest(waitMs[Math.min(tries, waitMs.length - 1)], signal);
            }
        }
    }

    /* Some time, or until the relay is back. */
    #rest(ms, signal)
    {
        return new Promise((resolve, reject) => {
            const end = then => {
                clearTimeout(timer);
                off();
                signal.removeEventListener('abort', stop);
                then(signal.reason);
            };
            const stop = () => end(reject);
            const timer = setTimeout(() => end(resolve), ms);
            const off = this.#data.relay.on('state', () => { if (this.#data.relay.online) end(resolve); });
            signal.addEventListener('abort', stop);
        });
    }

    /* Over when the relay has it on its disk, however long that takes: a page that is closed
     * meanwhile does this again. */
    async #publish(signal)
    {
        const { relay, tracks, premium, covers, people } = this.#data;
        this.#set('publishing');
        const meta = await this.#meta, { root, manifest } = this.#cut;
        const cover = meta.cover ? await covers.put(meta.cover).catch(() => '') : '';
        signal.throwIfAborted();
        if (this.#keys) await premium.keep({ soul: `~${people.me.pub}/tracks/${root.slice(0, 16)}`, pub: people.me.pub, root }, this.#keys.key);
        const type = typeOf({ name: this.name, type: this.#file.type });
        this.track = await tracks.publish({ ...meta, title: meta.title || this.name.replace(/\.[^.]*$/, ''), cover, root, manifest, bytes: this.size, mime: type, premium: Boolean(this.#keys) });
        await relay.put(`~${this.pub}/uploads`, root, null);
        await relay.settled(signal);
    }

    /* Goes on until it is over, or has to stop. */
    async work()
    {
        const run = this.#run = new AbortController();
        try {
            if (this.#data.people.me?.pub !== this.pub) throw new Refusal('Sign in again to go on.');
            await this.#hash(run.signal);
            await this.#deliver(run.signal);
            run.signal.throwIfAborted();
            await this.#publish(run.signal);
            this.share = 1;
            this.#forget();
            this.#set('done');
        } catch (error) {
            if (!run.signal.aborted) {
                this.error = String(error.message ?? error).slice(0, 300);
                this.#set('failed');
            }
        } finally {
            if (this.#run === run) this.#run = null;
        }
    }

    /* The page goes: what is kept goes on in the next one. */
    stop() { this.#run?.abort(new DOMException('closed', 'AbortError')); }
}

/**
 * @returns uploads
 *   uploads.via                          'http' (default) or 'gun'; a setting
 *   uploads.jobs                         Job[], oldest first
 *   uploads.on('change', job => {})      gathered; also when the list changed
 *   uploads.on('done', (job, trackSoul) => {})
 *   uploads.add(file, meta, {premium, previewChunks}) -> Job   meta: {title, artist, album, genre, year, seconds, cover (data url), peaks}
 *                                        or a Promise of one (the upload begins meanwhile)
 *                                        After a load of the page unfinished jobs of who signs in are back and go on
 *   uploads.close()
 * @typedef {object} Job
 *   id, name, size, premium
 *   state      'hashing' 'sending' 'waiting' (no relay: goes on by itself) 'paused' 'publishing' 'done' 'failed' 'cancelled'
 *   share      0..1
 *   sent       chunks sent in this life; known: chunks that were there already; total: chunks
 *   error      text when failed
 *   track      soul when done
 *   pause(), resume(), cancel(), update(meta)
 */
export function openUploads(data)
{
    const { world, people } = data;
    const events = emitter();
    const jobs = [];
    const changed = new Set();
    const tell = gather(() => { for (const job of [...changed]) { changed.delete(job); events.emit('change', job); } }, 80);
    let closed = false;

    function note(job)
    {
        changed.add(job);
        tell();
        if (job.state === 'done') events.emit('done', job, job.track);
        setTimeout(next, 0);
    }

    /* One page at a time works at a job: two tabs would send the same chunks. */
    function alone(job, work)
    {
        const locks = globalThis.navigator?.locks;
        if (!locks || world.name) return work();
        return locks.request('brasa/upload/' + job.id, work);
    }

    function next()
    {
        const ready = job => !job.busy && ['hashing', 'sending', 'waiting'].includes(job.state) && job.pub === people.me?.pub;
        while (!closed && jobs.filter(job => job.busy || job.starting).length < atOnce) {
            const job = jobs.find(one => ready(one) && !one.starting);
            if (!job) return;
            job.starting = true;
            alone(job, () => { job.starting = false; return ready(job) && !closed ? job.work() : null; }).then(next, next);
        }
    }

    function add(file, meta = {}, { premium = false, previewChunks = 0 } = {})
    {
        if (!people.me) throw new Error('Sign in first.');
        const job = new Job(data, note, { id: newName(), pub: people.me.pub, file, name: String(file.name ?? 'track').slice(0, 200), size: file.size, meta, premium, previewChunks });
        jobs.push(job);
        note(job);
        return job;
    }

    async function restore()
    {
        for (const record of await world.keeper?.all() ?? []) {
            if (record.pub !== people.me?.pub || jobs.some(job => job.id === record.id)) continue;
            const job = new Job(data, note, record);
            job.state = record.paused ? 'paused' : record.cut ? 'sending' : 'hashing';
            job.total = record.cut?.n ?? 0;
            jobs.push(job);
            note(job);
        }
    }

    const offMe = people.on('me', me => {
        if (me) restore().catch(() => {}); /* the browser keeps no files: nothing is left to go on with */
        else for (const job of jobs) job.pause();
    });
    return {
        on: events.on, add, jobs, via: 'http',
        close()
        {
            closed = true;
            offMe();
            tell.stop();
            for (const job of jobs) job.stop();
        },
    };
}
