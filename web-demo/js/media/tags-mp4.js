/* tags-mp4.js - the atoms of iTunes: moov, udta, meta, ilst. */
import { bytesOf } from './part.js';

const ilstBytesMax = 16 << 20;
const names = { '©nam': 'title', '©ART': 'artist', '©alb': 'album', '©gen': 'genre', '©day': 'year' };
const be32 = (b, at) => (b[at] << 24 | b[at + 1] << 16 | b[at + 2] << 8 | b[at + 3]) >>> 0;
const name = (b, at) => String.fromCharCode(b[at], b[at + 1], b[at + 2], b[at + 3]);

/* Where an atom's body stands in the file: {from, to}, or null. */
async function find(file, wanted, from, to)
{
    for (let n = 0; from + 8 <= to && n < 1000; n++) {
        const head = await bytesOf(file, from, from + 16);
        let size = be32(head, 0), skip = 8;
        if (size === 1) { size = be32(head, 8) * 2 ** 32 + be32(head, 12); skip = 16; }
        if (size === 0) size = to - from;
        if (size < skip) return null;
        if (name(head, 4) === wanted) return { from: from + skip, to: Math.min(to, from + size) };
        from += size;
    }
    return null;
}

export async function readMp4(file)
{
    const moov = await find(file, 'moov', 0, file.size);
    const udta = moov && await find(file, 'udta', moov.from, moov.to);
    const meta = udta && await find(file, 'meta', udta.from, udta.to);
    const ilst = meta && await find(file, 'ilst', meta.from + 4, meta.to);
    if (!ilst || ilst.to - ilst.from > ilstBytesMax) return {};
    const b = await bytesOf(file, ilst.from, ilst.to), found = {};
    for (let at = 0; at + 24 <= b.length && be32(b, at) >= 8; at += be32(b, at)) {
        const key = name(b, at + 4), data = b.subarray(at + 24, at + 8 + be32(b, at + 8));
        if (names[key]) found[names[key]] = new TextDecoder().decode(data);
        else if (key === 'covr') found.picture ??= new Blob([data], { type: be32(b, at + 16) === 14 ? 'image/png' : 'image/jpeg' });
    }
    return found;
}
