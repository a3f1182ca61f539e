/* sound.mjs - small tracks that the tests of the page bring along, made by sox and ffmpeg. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/* Gives {file(name, how), close}: an MP3 with tags, its path. Each is another sound. */
export function open_sounds()
{
    const folder = mkdtempSync(path.join(tmpdir(), 'brasa-sounds-'));
    const made = new Map();
    return {
        file(title, { artist = 'Nina Nowak', seconds = 12, hz = 220 + 37 * made.size, cover = false, ending = 'mp3' } = {})
        {
            if (made.has(title)) return made.get(title);
            const wav = path.join(folder, `${made.size}.wav`), to = path.join(folder, `${made.size}.${ending}`);
            execFileSync('sox', ['-n', '-r', '44100', '-c', '2', wav, 'synth', String(seconds), 'pluck', String(hz), 'tremolo', '0.5', '60', 'gain', '-6']);
            const picture = cover ? ['-f', 'lavfi', '-i', 'gradients=size=300x300:c0=0x40140a:c1=0xff8a3c:nb_colors=2:seed=4:duration=0.04'] : [];
            execFileSync('ffmpeg', ['-loglevel', 'error', '-y', '-i', wav, ...picture, '-map', '0:a', ...cover ? ['-map', '1:v', '-frames:v', '1', '-c:v', 'mjpeg'] : [],
                '-id3v2_version', '3', '-metadata', `title=${title}`, '-metadata', `artist=${artist}`, '-metadata', 'album=Slow Fires',
                ...(ending === 'mp3' ? ['-b:a', '128k'] : []), to]);
            made.set(title, to);
            return to;
        },
        close: () => rmSync(folder, { recursive: true, force: true }),
    };
}
