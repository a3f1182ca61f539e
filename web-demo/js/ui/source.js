/* source.js - where the bytes that sound come from.
 *
 *   plain, HTTP on        <audio src="/audio/...">: the browser asks for ranges itself
 *   premium, locked       the same, of what everybody may hear
 *   premium with its key  chunks, proved and decrypted here
 *   HTTP off              plain chunk nodes over GUN
 *
 * Chunks go into a MediaSource where the type allows it, so that it sounds from the
 * first; else they are gathered into a Blob. When a MediaSource takes no more (browsers
 * keep some 12 MB of sound), gathering goes on, and a Blob takes its place.
 */

export const gatherBytesMax = 64 << 20;

const streams = mime => 'MediaSource' in window && MediaSource.isTypeSupported(mime);

/* It comes, or nobody waits for it any more. */
const event = (target, name, signal) => new Promise(resolve => {
    const end = () => {
        target.removeEventListener(name, end);
        signal.removeEventListener('abort', end);
        resolve();
    };
    target.addEventListener(name, end);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
});

const tooLarge = () => new Error('This file is too large to be gathered before it sounds. Switch HTTP on in the settings.');

/** What is handed to <audio>: {url, preview, end()}. `fed` is told bytes gathered and of how many; `swap` a
 * better address for the same sound. */
export async function openSource(data, track, { via, fed = () => {}, swap = () => {}, failed = () => {} })
{
    const key = track.premium ? await data.premium.key(track) : null;
    const preview = track.premium && !key;
    if (via === 'http' && !key) {
        const url = data.tracks.url(track);
        return { url: preview ? url.replace('?', '/preview?') : url, preview, end() {} };
    }
    const stop = new AbortController(), made = [];
    const address = thing => { const url = URL.createObjectURL(thing); made.push(url); return url; };
    const source = { url: '', preview, end() { stop.abort(); made.forEach(URL.revokeObjectURL); } };
    const options = { via, key: key ?? undefined, signal: stop.signal };

    if (!streams(track.mime)) {
        if (track.bytes > gatherBytesMax) throw tooLarge();
        source.url = address(await data.chunks.blob(track, { ...options, heard: fed }));
        return source;
    }
    const media = new MediaSource();
    source.url = address(media);
    fill(media).catch(error => { if (!stop.signal.aborted) failed(error); });
    return source;

    async function fill()
    {
        await event(media, 'sourceopen', stop.signal);
        if (stop.signal.aborted) return;
        const buffer = media.addSourceBuffer(track.mime), parts = [];
        let room = true, bytes = 0;
        if (track.seconds) media.duration = track.seconds;
        for await (const part of data.chunks.read(track, options)) {
            bytes += part.length;
            if (bytes <= gatherBytesMax) parts.push(part); else parts.length = 0;
            fed(bytes, track.bytes);
            if (room) room = await append(buffer, part);
            if (!room && Math.max(bytes, track.bytes) > gatherBytesMax) throw tooLarge();
        }
        if (stop.signal.aborted) return;
        if (room) { if (media.readyState === 'open') media.endOfStream(); }
        else swap(address(new Blob(parts, { type: track.mime })));
    }

    async function append(buffer, part)
    {
        try {
            if (buffer.updating) await event(buffer, 'updateend', stop.signal);
            if (stop.signal.aborted || media.readyState !== 'open') return false;
            const done = event(buffer, 'updateend', stop.signal);
            buffer.appendBuffer(part);
            await done;
            return true;
        } catch (error) {
            if (error.name === 'QuotaExceededError') return false;
            throw error;
        }
    }
}
