/* chart.js - the last two minutes of one number, as a line in SVG. */
import { h, say } from './dom.js';

const space = 'http://www.w3.org/2000/svg', width = 320, height = 88, samplesN = 60;

function shape(name, kind)
{
    const element = document.createElementNS(space, name);
    element.setAttribute('class', kind);
    return element;
}

export function chart({ name, of, say: words })
{
    const svg = shape('svg', 'plot'), area = shape('path', 'area'), line = shape('path', 'stroke');
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    svg.append(area, line);
    const value = h('p', { class: 'value' }), top = h('p', { class: 'most' });
    const element = h('figure', { class: 'chart' }, h('figcaption', {}, name), value, svg, top);

    function draw(samples)
    {
        const last = samples.slice(-samplesN).map(of).map(v => (Number.isFinite(v) ? v : 0));
        if (last.length === 0) return;
        const low = Math.min(...last), high = Math.max(...last), floor = low > 0 && high - low < low * 0.2 ? low - (high - low || low) * 0.5 : 0;
        const span = high - floor || 1, step = width / (samplesN - 1), begin = width - (last.length - 1) * step;
        const points = last.map((v, i) => `${(begin + i * step).toFixed(1)},${(height - 6 - (v - floor) / span * (height - 16)).toFixed(1)}`);
        line.setAttribute('d', `M${points.join('L')}`);
        area.setAttribute('d', `M${begin.toFixed(1)},${height}L${points.join('L')}L${width},${height}Z`);
        say(value, words(last.at(-1)));
        say(top, `most in ${last.length * 2} s: ${words(high)}`);
    }
    return { element, draw };
}
