/* wave.js - a track as it sounds, from end to end: bars that glow once they are played,
 * and that a finger, a mouse or an arrow key plays from.
 *
 * To screen readers it is a slider that says its time.
 */
import { calm, clock, framed, h, spoken } from './dom.js';

const barPx = 3, gapPx = 2;

/* The peaks of `n` bars out of however many there are: the loudest of each share. */
function bars(peaks, n)
{
    const out = new Float32Array(n);
    for (let i = 0; i < n; i++) {
        const from = Math.floor(i * peaks.length / n), to = Math.max(from + 1, Math.floor((i + 1) * peaks.length / n));
        for (let k = from; k < to; k++) out[i] = Math.max(out[i], peaks[k] / 255);
    }
    return out;
}

/* A track whose waveform nobody computed: a low, even bed of coals. */
const bed = Uint8Array.from({ length: 400 }, (_, i) => 34 + 12 * Math.sin(i * 1.7) + 9 * Math.sin(i * 0.31));

/** onseek(seconds) is called once, when the finger lets go, and for keys. */
export function waveform({ label = 'Seek', onseek, small = false })
{
    const canvas = h('canvas', {}), tip = h('span', { class: 'tip', hidden: true });
    const element = h('div', {
        class: `wave${small ? ' small' : ''}`, role: 'slider', tabindex: '0', 'aria-label': label,
        'aria-valuemin': '0', 'aria-valuemax': '0', 'aria-valuenow': '0', 'aria-valuetext': 'nothing yet',
    }, canvas, tip);
    let peaks = bed, seconds = 0, at = 0, loaded = 1, hover = -1, drag = false, width = 0, height = 0, heights = new Float32Array(0);

    function colours()
    {
        const style = getComputedStyle(element);
        return ['--ash', '--ember', '--ember-hot', '--ash-far'].map(name => style.getPropertyValue(name).trim());
    }

    function paint()
    {
        if (!width || !element.isConnected) return;
        const pen = canvas.getContext('2d'), [ash, ember, hot, far] = colours();
        const step = barPx + gapPx, share = drag && hover >= 0 ? hover : seconds ? at / seconds : 0, head = share * width;
        const warm = pen.createLinearGradient(0, 0, Math.max(1, head), 0);
        warm.addColorStop(0, ember);
        warm.addColorStop(Math.max(0, 1 - 60 / Math.max(60, head)), ember);
        warm.addColorStop(1, hot);
        pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
        pen.clearRect(0, 0, width, height);
        for (let i = 0; i < heights.length; i++) {
            const x = i * step, tall = Math.max(3, heights[i] * (height - 8)), y = (height - tall) / 2;
            const played = x + barPx / 2 <= head, near = head - x;
            pen.shadowBlur = played && near < 90 && seconds ? (small ? 6 : 14) * (1 - near / 90) : 0;
            pen.shadowColor = hot;
            pen.fillStyle = played ? warm : (x / width > loaded ? far : ash);
            pen.globalAlpha = !played && hover >= 0 && x < hover * width ? 0.75 : 1;
            pen.beginPath();
            pen.roundRect(x, y, barPx, tall, barPx / 2);
            pen.fill();
        }
        pen.shadowBlur = 0;
        pen.globalAlpha = 1;
    }
    const draw = framed(paint);

    function resize()
    {
        width = canvas.clientWidth;
        height = canvas.clientHeight;
        canvas.width = Math.round(width * devicePixelRatio);
        canvas.height = Math.round(height * devicePixelRatio);
        heights = bars(peaks, Math.max(1, Math.floor((width + gapPx) / (barPx + gapPx))));
        paint();
    }
    const watcher = new ResizeObserver(resize);
    watcher.observe(canvas);

    function tell()
    {
        element.setAttribute('aria-valuemax', Math.round(seconds));
        element.setAttribute('aria-valuenow', Math.round(at));
        element.setAttribute('aria-valuetext', seconds ? `${spoken(at)} of ${spoken(seconds)}` : 'nothing yet');
    }

    const shareOf = event => {
        const box = canvas.getBoundingClientRect();
        return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    };
    function pointed(event)
    {
        hover = shareOf(event);
        tip.hidden = !seconds;
        tip.textContent = clock(hover * seconds);
        tip.style.left = `${hover * 100}%`;
        draw();
    }
    function left() { hover = -1; drag = false; tip.hidden = true; draw(); }
    element.addEventListener('pointermove', pointed);
    element.addEventListener('pointerdown', event => {
        if (event.button !== 0) return;
        drag = true;
        element.setPointerCapture(event.pointerId);
        pointed(event);
    });
    element.addEventListener('pointerup', event => {
        const was = drag, share = shareOf(event);
        drag = false;
        if (was && seconds) onseek(share * seconds);
        if (event.pointerType !== 'mouse') left();
    });
    element.addEventListener('pointerleave', () => drag || left());
    element.addEventListener('pointercancel', left);
    element.addEventListener('keydown', event => {
        const to = { ArrowRight: at + 5, ArrowUp: at + 5, ArrowLeft: at - 5, ArrowDown: at - 5, PageUp: at + 30, PageDown: at - 30, Home: 0, End: seconds - 1 }[event.key];
        if (to === undefined || !seconds || event.ctrlKey || event.altKey || event.metaKey) return;
        event.preventDefault();
        event.stopPropagation();
        onseek(Math.min(seconds, Math.max(0, to)));
    });

    return {
        element,
        track(track) { peaks = track?.peaks?.length ? track.peaks : bed; seconds = track?.seconds ?? 0; at = 0; resize(); tell(); },
        time(now, of, share = 1)
        {
            const same = Math.round(now) === Math.round(at) && of === seconds;
            at = now;
            seconds = of || seconds;
            loaded = share;
            draw();
            if (!same) tell();
        },
        repaint: draw,
        close() { watcher.disconnect(); },
    };
}

/** Calls `work` each frame while it is true that `on`; four times a second for who wants less motion. */
export function ticking(work)
{
    let running = false, last = 0;
    function turn(now)
    {
        if (!running) return;
        if (!calm() || now - last > 250) { last = now; work(); }
        requestAnimationFrame(turn);
    }
    return on => {
        const start = on && !running;
        running = on;
        if (start) requestAnimationFrame(turn);
    };
}
