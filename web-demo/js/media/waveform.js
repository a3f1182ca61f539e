/* waveform.js - how loud a track is, from end to end, in 400 steps of 0 to 255.
 *
 * The browser decodes the whole file, at 8,000 samples a second: enough to see, and ten
 * minutes of stereo are 40 MB for a moment instead of 200.
 */

export const peaksN = 400;
const rate = 8000;
const fileBytesMax = 256 << 20;

/* Between the loudest sample of a step, which is nearly always 1, and its mean power. */
function loudness(channels, from, to)
{
    let top = 0, sum = 0;
    for (const samples of channels) {
        for (let i = from; i < to; i++) {
            const v = Math.abs(samples[i]);
            if (v > top) top = v;
            sum += v * v;
        }
    }
    return 0.35 * top + 0.65 * 1.6 * Math.sqrt(sum / Math.max(1, (to - from) * channels.length));
}

/** {seconds, peaks}; null for what the browser cannot decode, or what is too large for it. */
export async function readWaveform(file)
{
    if (file.size > fileBytesMax) return null;
    let sound;
    try {
        sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(await file.arrayBuffer());
    } catch {
        return null;
    }
    const channels = Array.from({ length: Math.min(2, sound.numberOfChannels) }, (_, c) => sound.getChannelData(c));
    const steps = Float32Array.from({ length: peaksN }, (_, i) =>
        loudness(channels, Math.floor(i * sound.length / peaksN), Math.floor((i + 1) * sound.length / peaksN)));
    const most = Math.max(1e-4, ...steps);
    return { seconds: sound.duration, peaks: Uint8Array.from(steps, v => Math.round(255 * (v / most) ** 0.75)) };
}
