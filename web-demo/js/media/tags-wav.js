/* tags-wav.js - LIST INFO of RIFF, or an ID3 tag in a chunk of its own. */
import { bytesOf } from './part.js';
import { readId3 } from './tags-id3.js';

const names = { INAM: 'title', IART: 'artist', IPRD: 'album', IGNR: 'genre', ICRD: 'year' };
const le32 = (b, at) => (b[at] | b[at + 1] << 8 | b[at + 2] << 16 | b[at + 3] << 24) >>> 0;
const name = (b, at) => String.fromCharCode(b[at], b[at + 1], b[at + 2], b[at + 3]);

function info(b)
{
    const found = {};
    for (let at = 4; at + 8 <= b.length;) {
        const size = le32(b, at + 4);
        if (names[name(b, at)]) found[names[name(b, at)]] = new TextDecoder().decode(b.subarray(at + 8, at + 8 + size)).split('\u0000')[0];
        at += 8 + size + size % 2;
    }
    return found;
}

export async function readWav(file)
{
    for (let at = 12, n = 0; at + 8 <= file.size && n < 200; n++) {
        const head = await bytesOf(file, at, at + 12), kind = name(head, 0), size = le32(head, 4);
        if (kind === 'LIST' && name(head, 8) === 'INFO' && size < 1 << 20) return info(await bytesOf(file, at + 8, at + 8 + size));
        if (kind === 'id3 ' || kind === 'ID3 ') return readId3(file.slice(at + 8, at + 8 + size));
        at += 8 + size + size % 2;
    }
    return {};
}
