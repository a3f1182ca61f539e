/* sound.mjs - small tracks that the tests of the page bring along, made by sox and ffmpeg. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const pluck = hz => ['pluck', String(hz), 'tremolo', '0.5', '60', 'gain', '-6'];
const picture_of = ([from, to]) => ['-f', 'lavfi', '-i', `gradients=size=500x500:c0=${from}:c1=${to}:nb_colors=2:seed=4:duration=0.04`];

/* For one case. */
export function sounds_of(t)
{
    const all = open_sounds();
    t.after(() => all.close());
    return all;
}

/* Gives {file(title, how), close}: a file with tags, its path. Each is another sound, unless
 * `synth` says which (arguments of sox behind `synth SECONDS`). `cover`: two colours, or true. */
export function open_sounds()
{
    const folder = mkdtempSync(path.join(tmpdir(), 'brasa-sounds-'));
    const made = new Map();
    return {
        file(title, { artist = 'Nina Nowak', album = 'Slow Fires', seconds = 12, synth = pluck(220 + 37 * made.size), cover = null, ending = 'mp3' } = {})
        {
            if (made.has(title)) return made.get(title);
            const wav = path.join(folder, `${made.size}.wav`), to = path.join(folder, `${made.size}.${ending}`);
            execFileSync('sox', ['-V1', '-n', '-r', '44100', '-c', '2', wav, 'synth', String(seconds), ...synth]);
            const picture = cover ? picture_of(cover === true ? ['0x40140a', '0xff8a3c'] : cover) : [];
            execFileSync('ffmpeg', ['-loglevel', 'error', '-y', '-i', wav, ...picture, '-map', '0:a', ...cover ? ['-map', '1:v', '-frames:v', '1', '-c:v', 'mjpeg'] : [],
                '-id3v2_version', '3', '-metadata', `title=${title}`, '-metadata', `artist=${artist}`, '-metadata', `album=${album}`,
                ...(ending === 'mp3' ? ['-b:a', '128k'] : []), to], { timeout: 60_000 });
            made.set(title, to);
            return to;
        },
        close: () => rmSync(folder, { recursive: true, force: true }),
    };
}
