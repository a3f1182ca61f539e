/* status.js - how the relay is: /status every 2 s while somebody looks, the last two minutes kept. */
import { emitter } from './events.js';
import { number } from './safe.js';

const everyMs = 2000;
const samplesMax = 60;

/**
 * @returns status
 *   status.now                           the last answer of /status, {} until then
 *   status.samples                       last 60: [{at, peers, writes, bytes, memory, listeners}], writes per second
 *   status.on('sample', () => {})
 *   status.start(), status.stop()        every 2 s; status.ask() once, now
 *   status.writeMode                     '' until known, 'open' 'signed' 'closed'
 */
export function openStatus({ world })
{
    const events = emitter();
    const samples = [];
    let now = {}, timer = null, writesBefore = null, asking = false;

    function note(said)
    {
        const at = Date.now(), writes = number(said.writes, 0, 2 ** 53);
        const seconds = writesBefore && (at - writesBefore.at) / 1000;
        samples.push({
            at, peers: number(said.connections, 0, 1e9), bytes: number(said.store?.bytes, 0, 2 ** 53) + number(said.store?.audio_bytes, 0, 2 ** 53),
            memory: number(said.memory_bytes, 0, 2 ** 53), listeners: number(said.listeners, 0, 1e9),
            writes: seconds > 0 && writes >= writesBefore.writes ? (writes - writesBefore.writes) / seconds : 0,
        });
        if (samples.length > samplesMax) samples.shift();
        writesBefore = { at, writes };
        now = said;
        events.emit('sample');
    }

    async function ask()
    {
        if (asking) return;
        asking = true;
        try {
            const answer = await fetch(world.origin + '/status', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
            const said = await answer.json();
            if (answer.ok && said !== null && typeof said === 'object') note(said);
        } catch {
            writesBefore = null; /* the relay is away: what came meanwhile is no rate */
        } finally {
            asking = false;
        }
    }

    const stop = () => { clearInterval(timer); timer = null; };
    return {
        on: events.on, samples, stop, close: stop,
        get now() { return now; },
        get writeMode() { return ['open', 'signed', 'closed'].includes(now.write_mode) ? now.write_mode : ''; },
        ask,
        start()
        {
            if (timer) return;
            timer = setInterval(ask, everyMs);
            ask();
        },
    };
}
