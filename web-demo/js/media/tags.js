/* tags.js - what a file says about itself: ID3 (2.2 to 2.4, and 1), FLAC and Ogg
 * comments, MP4 atoms, WAV info. Only the parts of the file that say it are read.
 *
 * readTags(file) gives {title, artist, album, genre, year, picture}, texts '' and
 * picture (a Blob) null where there is none. It never throws: a file that is broken says
 * nothing, and then its name speaks.
 */
import { bytesOf } from './part.js';
import { readFlac, readOgg } from './tags-vorbis.js';
import { readId3, readId3v1 } from './tags-id3.js';
import { readMp4 } from './tags-mp4.js';
import { readWav } from './tags-wav.js';

const textMax = 200;
const kinds = [
    [/^ID3/, readId3], [/^fLaC/, readFlac], [/^OggS/, readOgg], [/^....ftyp/s, readMp4], [/^RIFF....WAVE/s, readWav],
    [/^/, readId3v1],
];

const clean = text => (typeof text === 'string' ? text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim().slice(0, textMax) : '');

/* '03 - Nina Nowak - Low Tide.mp3' */
function fromName(name)
{
    const plain = name.replace(/\.[a-z0-9]{2,5}$/i, '').replace(/_/g, ' ').replace(/^\d{1,3}[ .-]+(?=\D)/, '').trim();
    const parts = plain.split(/ [-–—] /);
    return parts.length > 1 ? { artist: parts[0], title: parts.slice(1).join(' – ') } : { title: plain };
}

export async function readTags(file)
{
    const start = String.fromCharCode(...await bytesOf(file, 0, 12).catch(() => []));
    const [, read] = kinds.find(([magic]) => magic.test(start));
    const found = await read(file).catch(() => ({})) ?? {};
    const name = fromName(file.name ?? '');
    const year = /\d{4}/.exec(found.year ?? '')?.[0] ?? '';
    return {
        title: clean(found.title) || clean(name.title) || 'Untitled',
        artist: clean(found.artist) || (found.title ? '' : clean(name.artist)),
        album: clean(found.album), genre: clean(found.genre).replace(/^\(\d+\)/, ''), year,
        picture: found.picture ?? null,
    };
}
