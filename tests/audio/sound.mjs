/* sound.mjs - audio that is real, made here: a sweep, a chord and a voice, by sox and
 * espeak-ng, in the types that ffmpeg makes of it. No file is taken from elsewhere. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const types = {
    wav: ['audio/wav', []],
    mp3: ['audio/mpeg', ['-c:a', 'libmp3lame', '-b:a', '320k']],
    ogg: ['audio/ogg', ['-c:a', 'libopus', '-b:a', '256k']],
    flac: ['audio/flac', ['-c:a', 'flac']],
};

async function make_wav(folder, seconds)
{
    const at = name => path.join(folder, name);
    await run('espeak-ng', ['-w', at('word.wav'), 'Press play on a gun node. This is chunk one, two, three, four, five, six, seven.']);
    const sox = (...args) => run('sox', ['-V1', ...args]);
    await sox('-n', '-b', '16', '-r', '44100', '-c', '1', at('sweep.wav'), 'synth', `${seconds}`, 'sine', '200-4000', 'gain', '-9');
    await sox('-n', '-b', '16', '-r', '44100', '-c', '1', at('chord.wav'), 'synth', `${seconds}`, 'pluck', 'C3', 'gain', '-12');
    await sox(at('word.wav'), '-b', '16', '-r', '44100', '-c', '1', at('voice.wav'), 'repeat', `${seconds}`, 'trim', '0', `${seconds}`);
    await sox('-m', at('sweep.wav'), at('chord.wav'), at('voice.wav'), at('all.wav'));
    return at('all.wav');
}

/* Gives [{name, mime, bytes}] of so many seconds each; the WAV has 88,200 bytes a second. */
export async function make_sounds(seconds)
{
    const folder = mkdtempSync(path.join(tmpdir(), 'brasa-sound-'));
    try {
        const wav = await make_wav(folder, seconds);
        const sounds = [];
        for (const [name, [mime, how]] of Object.entries(types)) {
            const file = path.join(folder, `out.${name}`);
            await run('ffmpeg', ['-v', 'error', '-i', wav, ...how, file]);
            sounds.push({ name, mime, bytes: readFileSync(file) });
        }
        return sounds;
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}
