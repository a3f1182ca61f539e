/* tags-vorbis.js - comments as Vorbis, Opus and FLAC have them: NAME=text. */
import { bytesOf } from './part.js';

const partBytesMax = 16 << 20;
const names = { TITLE: 'title', ARTIST: 'artist', ALBUM: 'album', GENRE: 'genre', DATE: 'year', YEAR: 'year' };
const le32 = (b, at) => (b[at] | b[at + 1] << 8 | b[at + 2] << 16 | b[at + 3] << 24) >>> 0;
const be32 = (b, at) => (b[at] << 24 | b[at + 1] << 16 | b[at + 2] << 8 | b[at + 3]) >>> 0;
const words = bytes => new TextDecoder().decode(bytes);

function comments(b)
{
    const found = {};
    let at = 4 + le32(b, 0);
    const n = Math.min(10_000, le32(b, at));
    at += 4;
    for (let i = 0; i < n && at + 4 <= b.length; i++) {
        const length = le32(b, at), entry = words(b.subarray(at + 4, at + 4 + length)), cut = entry.indexOf('=');
        at += 4 + length;
        const name = entry.slice(0, cut).toUpperCase(), text = entry.slice(cut + 1);
        if (names[name]) found[names[name]] = found[names[name]] ? `${found[names[name]]}, ${text}` : text;
        else if (name === 'METADATA_BLOCK_PICTURE') found.picture ??= picture(Uint8Array.from(atob(text), c => c.charCodeAt(0)));
    }
    return found;
}

function picture(b)
{
    const type = words(b.subarray(8, 8 + be32(b, 4)));
    let at = 8 + be32(b, 4);
    at += 4 + be32(b, at) + 16;
    return new Blob([b.subarray(at + 4, at + 4 + be32(b, at))], { type });
}

export async function readFlac(file)
{
    const found = {};
    for (let at = 4, last = false; !last && at < file.size;) {
        const head = await bytesOf(file, at, at + 4), size = head[1] << 16 | head[2] << 8 | head[3], kind = head[0] & 0x7f;
        last = Boolean(head[0] & 0x80) || head.length < 4;
        if ((kind === 4 || kind === 6) && size <= partBytesMax) {
            const body = await bytesOf(file, at + 4, at + 4 + size);
            if (kind === 4) Object.assign(found, { ...comments(body), ...(found.picture && { picture: found.picture }) });
            else found.picture ??= picture(body);
        }
        at += 4 + size;
    }
    return found;
}

/* The second packet of the stream, put together from its pages. */
export async function readOgg(file)
{
    const b = await bytesOf(file, 0, 1 << 20), parts = [];
    let at = 0, packet = 0;
    while (at + 27 <= b.length && words(b.subarray(at, at + 4)) === 'OggS' && packet < 2) {
        const n = b[at + 26], table = b.subarray(at + 27, at + 27 + n);
        let from = at + 27 + n;
        for (const length of table) {
            if (packet === 1) parts.push(b.subarray(from, from + length));
            from += length;
            if (length < 255 && ++packet === 2) break;
        }
        at = at + 27 + n + table.reduce((sum, length) => sum + length, 0);
    }
    const whole = new Uint8Array(await new Blob(parts).arrayBuffer()), magic = words(whole.subarray(0, 8));
    return magic === 'OpusTags' ? comments(whole.subarray(8)) : words(whole.subarray(1, 7)) === 'vorbis' ? comments(whole.subarray(7)) : {};
}
