/* tags-id3.js - ID3, in front of a file (2.2, 2.3, 2.4) or in its last 128 bytes (1). */
import { bytesOf } from './part.js';

const tagBytesMax = 16 << 20; /* with pictures; what is larger is not read */
const names = {
    TIT2: 'title', TPE1: 'artist', TALB: 'album', TCON: 'genre', TYER: 'year', TDRC: 'year',
    TT2: 'title', TP1: 'artist', TAL: 'album', TCO: 'genre', TYE: 'year',
};

const be = (b, at, n) => { let v = 0; for (let i = 0; i < n; i++) v = v * 256 + b[at + i]; return v; };
const synchsafe = (b, at) => b[at] << 21 | b[at + 1] << 14 | b[at + 2] << 7 | b[at + 3];
const latin = bytes => new TextDecoder('windows-1252').decode(bytes);

function decode(kind, bytes)
{
    if (kind === 0) return latin(bytes);
    if (kind === 3) return new TextDecoder('utf-8').decode(bytes);
    const big = kind === 2 || bytes[0] === 0xfe && bytes[1] === 0xff;
    return new TextDecoder(big ? 'utf-16be' : 'utf-16le').decode(bytes);
}

/* Several values stand behind each other, with a zero between. */
const first = text => text.replace(/^\ufeff/, '').split('\u0000').filter(Boolean).slice(0, 3).join(', ');

function unsync(bytes)
{
    const out = new Uint8Array(bytes.length);
    let n = 0;
    for (let i = 0; i < bytes.length; i++) {
        out[n++] = bytes[i];
        if (bytes[i] === 0xff && bytes[i + 1] === 0) i++;
    }
    return out.subarray(0, n);
}

/* Behind the text's kind: type, kind of picture, description, the picture. */
function pictureIn(frame, old)
{
    const kind = frame[0], wide = kind === 1 || kind === 2;
    let at = 1, type;
    if (old) {
        type = latin(frame.subarray(1, 4)) === 'PNG' ? 'image/png' : 'image/jpeg';
        at = 4;
    } else {
        const end = frame.indexOf(0, 1);
        type = latin(frame.subarray(1, end));
        at = end + 1;
    }
    at++;
    while (at < frame.length && (frame[at] !== 0 || wide && frame[at + 1] !== 0)) at += wide ? 2 : 1;
    return new Blob([frame.subarray(at + (wide ? 2 : 1))], { type: type.includes('/') ? type : `image/${type.toLowerCase()}` });
}

export async function readId3(file)
{
    const head = await bytesOf(file, 0, 10), version = head[3], length = synchsafe(head, 6);
    if (length > tagBytesMax || version < 2 || version > 4) return {};
    let body = await bytesOf(file, 10, 10 + length);
    if (head[5] & 0x80 && version < 4) body = unsync(body);
    const old = version === 2, nameBytes = old ? 3 : 4, found = {};
    let at = head[5] & 0x40 ? (version === 4 ? synchsafe(body, 0) : be(body, 0, 4) + 4) : 0;
    while (at + (old ? 6 : 10) <= body.length && body[at] !== 0) {
        const name = latin(body.subarray(at, at + nameBytes));
        const size = old ? be(body, at + 3, 3) : version === 4 ? synchsafe(body, at + 4) : be(body, at + 4, 4);
        const flags = old ? 0 : body[at + 9];
        at += old ? 6 : 10;
        let frame = body.subarray(at, at + size);
        at += size;
        if (size === 0 || version === 4 && flags & 0x0c) continue; /* packed or locked */
        if (version === 4 && flags & 0x01) frame = frame.subarray(4);
        if (version === 4 && flags & 0x02) frame = unsync(frame);
        if (names[name]) found[names[name]] ??= first(decode(frame[0], frame.subarray(1)));
        else if (name === 'APIC' || name === 'PIC') found.picture ??= pictureIn(frame, old);
    }
    return found;
}

export async function readId3v1(file)
{
    const tag = await bytesOf(file, Math.max(0, file.size - 128), file.size);
    if (latin(tag.subarray(0, 3)) !== 'TAG') return {};
    const field = (from, n) => latin(tag.subarray(from, from + n)).split('\u0000')[0].trim();
    return { title: field(3, 30), artist: field(33, 30), album: field(63, 30), year: field(93, 4) };
}
