/* bytes.js - hashes, base64 and hexadecimal, as docs/audio.md uses them. */

const encoder = new TextEncoder();

export const utf8 = text => encoder.encode(text);

/** SHA-256 of bytes, or of a text's UTF-8. */
export const sha256 = async data => new Uint8Array(await crypto.subtle.digest('SHA-256', typeof data === 'string' ? utf8(data) : data));

/** Standard base64 with padding. A piece at a time: a call takes only so many arguments. */
export function base64(bytes)
{
    let text = '';
    for (let at = 0; at < bytes.length; at += 8190) text += String.fromCharCode.apply(null, bytes.subarray(at, at + 8190));
    return btoa(text);
}

export function unbase64(text)
{
    const raw = atob(text), bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    return bytes;
}

export const hex = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
export const unhex = text => Uint8Array.from(text.match(/../g) ?? [], pair => parseInt(pair, 16));

/** All of some pieces in one. */
export function joined(pieces)
{
    const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length;
    }
    return all;
}

/** A name that nobody else has made: 12 letters and digits, 62 bits. */
export function newName()
{
    const letters = 'abcdefghijkmnopqrstuvwxyz23456789ABC';
    return Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => letters[byte % letters.length]).join('');
}
