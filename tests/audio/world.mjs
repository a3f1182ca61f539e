/* world.mjs - what the cases share: one relay with a few tracks in it, as small as
 * what they show allows. Tracks are made of noise with seeds, so that every run has
 * the same names. */
import { readFileSync } from 'node:fs';
import { open_raw } from '../tools/raw.mjs';
import { own_relay, start_relay } from '../tools/relay.mjs';
import { make_track, nodes_of, noise, publish, put_all, retell } from './track.mjs';

const key = noise(90, 32), preview_key = noise(91, 32);

export const song = make_track(noise(1, 100_000), { mime: 'audio/mpeg' });
export const page = make_track(Buffer.from(`<script>alert(1)</script>${'x'.repeat(50_000)}`), { mime: 'text/html' });
export const recorded = make_track(noise(2, 1000), { mime: 'audio/webm;codecs=opus' });
export const premium = make_track(noise(3, 150_000), { mime: 'audio/mpeg', seal: { key, preview: { n: 2, k: preview_key } } });
/* All of it is the preview, and its last chunk is short. */
export const gift = make_track(noise(4, 40_000), { mime: 'audio/ogg', seal: { key, preview: { n: 2, k: preview_key } } });
export const secret = make_track(noise(5, 50_000), { mime: 'audio/mpeg', seal: { key } });
/* Its chunk 1 is nowhere. */
export const torn = make_track(noise(6, 100_000), { mime: 'audio/wav' });
/* Two say what it is; chunks are the same. */
export const ours = make_track(noise(7, 1000), { mime: 'audio/flac' });
export const theirs = retell(ours, { mime: 'audio/x-other' });
/* One says that it is shorter than it is: the chunk that is there contradicts it. */
export const liar = retell(make_track(noise(8, 1000), {}), { bytes: 900 });
/* Its manifest is under another root than it names. */
export const stray = { ...song.manifest_put, soul: `audio/${'0'.repeat(64)}#m` };
export const one_byte = make_track(Buffer.from('a'), { mime: 'audio/mpeg' });
export const full_chunks = make_track(noise(9, 73_728), { mime: 'audio/mpeg' });

async function fill(relay)
{
    await publish(relay, song, page, recorded, premium, gift, secret, liar, one_byte, full_chunks);
    await put_all(relay, nodes_of(torn).filter((node, i) => i !== 1));
    await put_all(relay, [...nodes_of(ours), theirs.manifest_put, stray]);
}

export class World {
    async open()
    {
        this.relay = await start_relay();
        await fill(this.relay);
    }

    async close() { await this.relay?.close(); }

    /* A relay for one case only. */
    own_relay(t, options) { return own_relay(t, options); }

    async raw(t, relay = this.relay)
    {
        const raw = await open_raw(relay.ws_url);
        t.after(() => raw.close());
        return raw;
    }
}

/* Memory of a relay that is its own, in bytes: pages of mapped files are the kernel's. */
export function memory_of(relay)
{
    const status = readFileSync(`/proc/${relay.pid}/status`, 'utf8');
    const kb = name => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]);
    return (kb('VmRSS') - kb('RssFile')) * 1024;
}

export async function metric(relay, name)
{
    const text = await (await fetch(relay.http('/metrics'))).text();
    return Number(new RegExp(`^brasa_${name} (\\S+)$`, 'm').exec(text)?.[1]);
}
