/* cases-tags.mjs - what files say about themselves: as ffmpeg writes it, and broken. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { File } from 'node:buffer'; /* node 18 has no global one */
import { tmpdir } from 'node:os';
import path from 'node:path';
import { typeOf } from '../../web-demo/js/data/upload.js';
import { readTags } from '../../web-demo/js/media/tags.js';
import { assert, chance } from '../tools/harness.mjs';

const words = { title: 'Pod śniegiem ☃', artist: 'Nina Nowak & Søn', album: 'Слова', genre: 'Field', date: '2026-03-01' };
const made = {
    'id3 2.3': ['mp3', ['-id3v2_version', '3']],
    'id3 2.4': ['mp3', ['-id3v2_version', '4']],
    'flac': ['flac', []],
    'vorbis': ['ogg', ['-c:a', 'libvorbis']],
    'opus': ['opus', ['-c:a', 'libopus']],
    'mp4': ['m4a', ['-c:a', 'aac']],
    'wav': ['wav', []],
};
const pictured = new Set(['id3 2.3', 'id3 2.4', 'flac', 'mp4']);

/* {kind: bytes} of a second of sound with the words above, and a picture where there may be one. */
function make(kinds = made, text = words)
{
    const folder = mkdtempSync(path.join(tmpdir(), 'brasa-tags-'));
    try {
        const out = {}, jpeg = path.join(folder, 'picture.jpg');
        execFileSync('ffmpeg', ['-loglevel', 'error', '-f', 'lavfi', '-i', 'color=c=orange:size=64x64:duration=1:rate=1', '-frames:v', '1', jpeg], { timeout: 20_000 });
        for (const [kind, [ending, how]] of Object.entries(kinds)) {
            const to = path.join(folder, `${kind}.${ending}`);
            const picture = pictured.has(kind) ? ['-i', jpeg, '-map', '0:a', '-map', '1:v', '-c:v', 'copy', '-disposition:v', 'attached_pic']: [];
            execFileSync('ffmpeg', ['-loglevel', 'error', '-y', '-f', 'lavfi', '-i', 'sine=frequency=330:duration=1', ...picture, ...how,
                ...Object.entries(text).flatMap(([name, value]) => ['-metadata', `${name}=${value}`]), '-t', '1', to], { timeout: 20_000 });
            out[kind] = new Uint8Array(readFileSync(to));
        }
        return out;
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

const file = (bytes, name = 'a.mp3') => new File([bytes], name);
const checked = tags => {
    for (const name of ['title', 'artist', 'album', 'genre', 'year']) assert.ok(typeof tags[name] === 'string' && tags[name].length <= 200, name);
    assert.ok(tags.title !== '', 'every track has a title');
    return tags;
};

export function tag_cases({ test })
{
    test('title, artist, album, genre, year and picture are read from ID3 2.3 and 2.4, FLAC, Vorbis, Opus, MP4 and WAV', async () => {
        for (const [kind, bytes] of Object.entries(make())) {
            const { picture, ...tags } = checked(await readTags(file(bytes)));
            assert.deepEqual(tags, { title: words.title, artist: words.artist, album: words.album, genre: 'Field', year: '2026' }, kind);
            if (!pictured.has(kind)) continue;
            const begins = new Uint8Array(await picture.slice(0, 3).arrayBuffer());
            assert.deepEqual([...begins], [0xff, 0xd8, 0xff], `${kind}: the picture is the JPEG that was put in`);
        }
    });

    test('a file without words is called by its name, also by "artist - title" with a number before', async () => {
        const bytes = new Uint8Array(4000).fill(0x55);
        const said = async name => { const { title, artist } = await readTags(file(bytes, name)); return [artist, title]; };
        assert.deepEqual(await said('03 - Nina Nowak - Low Tide.mp3'), ['Nina Nowak', 'Low Tide']);
        assert.deepEqual(await said('low_tide.flac'), ['', 'low tide']);
        assert.deepEqual(await said('1999.mp3'), ['', '1999']);
        assert.deepEqual(await said('.mp3'), ['', 'Untitled']);
        const gone = async () => { throw new Error('NotReadableError'); };
        assert.equal((await readTags({ name: 'Low Tide.mp3', size: 5000, slice: () => ({ arrayBuffer: gone }) })).title, 'Low Tide', 'a file that went meanwhile');
    });

    test('the type of a file is what its browser says, in one spelling, or what its ending says; a text is no sound', () => {
        const type = (said, name) => typeOf({ type: said, name });
        assert.equal(type('audio/x-wav', 'a.wav'), 'audio/wav');
        assert.equal(type('', 'A.FLAC'), 'audio/flac');
        assert.equal(type('audio/mp3', 'a'), 'audio/mpeg');
        assert.equal(type('video/webm;codecs=opus', 'a'), 'video/webm');
        assert.equal(type('video/quicktime', 'a.mov'), '');
        assert.equal(type('text/html', 'a.html'), '');
        assert.equal(type('image/png', 'a.png'), '');
    });

    test('files cut at any length, with any byte changed, and claims of any size: never an error, always a title', async () => {
        const random = chance(20261121);
        for (const [kind, bytes] of Object.entries(make())) {
            const head = bytes.subarray(0, Math.min(bytes.length, 6000));
            for (let cut = 0; cut < head.length; cut += 1 + Math.floor(random() * 41)) checked(await readTags(file(head.subarray(0, cut), `${kind}.x`)));
            for (let n = 0; n < 400; n++) {
                const hurt = Uint8Array.from(bytes);
                for (let k = 0; k < 1 + n % 5; k++) hurt[Math.floor(random() * (n % 2 ? 400 : hurt.length))] = random() < 0.4 ? 0xff : Math.floor(random() * 256);
                checked(await readTags(file(hurt)));
            }
        }
    }, { seconds: 120 });
}
