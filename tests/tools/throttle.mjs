/* throttle.mjs - a TCP line between a client and a relay, slow or cut at will.
 *
 * Each direction of each connection carries at most `bits` a second, paced in
 * slices of ten milliseconds, and buffers little, so that what the far end
 * wrote waits there, as on a narrow line. Without `bits` it only passes on.
 * cut() breaks every connection at once while the relay stays up, the way a
 * train goes into a tunnel; the next connection is taken as if nothing was. After
 * swallow() the next ones are taken, and no byte of them goes anywhere.
 * With `most` it carries about so many bytes to the far end and holds what comes
 * behind them: an upload over it is not over.
 */
import net from 'node:net';

const slice_ms = 10;
const buffered_max = 16 * 1024;

/* Moves bytes from one socket to the other, `slice` bytes a turn. */
function pace(from, to, slice)
{
    const waiting = [];
    let held = 0;
    from.on('data', bytes => {
        waiting.push(bytes);
        held += bytes.length;
        if (held > buffered_max) from.pause();
    });
    const timer = setInterval(() => {
        let room = slice;
        while (room > 0 && waiting.length) {
            const bytes = waiting.shift();
            const now = bytes.subarray(0, room);
            if (now.length < bytes.length) waiting.unshift(bytes.subarray(now.length));
            to.write(now);
            room -= now.length;
            held -= now.length;
        }
        if (held <= buffered_max) from.resume();
    }, slice_ms);
    from.on('close', () => clearInterval(timer));
}

class Line {
    #server;
    #pairs = new Set();
    #severed = false;
    #swallows = false;
    #left;
    constructor(target, bits, most)
    {
        this.#left = most;
        this.#server = net.createServer(near => this.#join(near, target, bits));
    }

    #carry(near, far)
    {
        near.on('data', bytes => {
            far.write(bytes);
            this.#left -= bytes.length;
            if (this.#left <= 0) near.pause();
        });
        far.pipe(near);
    }

    #join(near, target, bits)
    {
        if (this.#severed) {
            near.on('error', () => {});
            near.destroy();
            return;
        }
        const far = this.#swallows ? near : net.connect(target, '127.0.0.1');
        const pair = [near, far];
        this.#pairs.add(pair);
        for (const socket of pair) {
            socket.setNoDelay(true);
            socket.on('error', () => {});
            socket.on('close', () => { near.destroy(); far.destroy(); this.#pairs.delete(pair); });
        }
        if (far === near) {
            near.resume();
        } else if (this.#left < Infinity) {
            this.#carry(near, far);
        } else if (bits === Infinity) {
            near.pipe(far);
            far.pipe(near);
        } else {
            const slice = Math.max(1, Math.round(bits / 8 * slice_ms / 1000));
            pace(near, far, slice);
            pace(far, near, slice);
        }
    }

    listen()
    {
        return new Promise(resolve => this.#server.listen(0, '127.0.0.1', () => {
            this.port = this.#server.address().port;
            this.url = `http://127.0.0.1:${this.port}/gun`;
            resolve(this);
        }));
    }

    get connections() { return this.#pairs.size; }

    /* Both ends see the line break; half-sent frames stay half. */
    cut()
    {
        for (const [near, far] of this.#pairs) { near.destroy(); far.destroy(); }
    }

    /* As cut(), and until mend() the next connections end at once, too. */
    sever()
    {
        this.#severed = true;
        this.cut();
    }

    /* As cut(), and until mend() the next connections are taken and never answered. */
    swallow()
    {
        this.#swallows = true;
        this.cut();
    }

    mend() { this.#severed = this.#swallows = false; }

    close()
    {
        this.cut();
        return new Promise(resolve => this.#server.close(resolve));
    }
}

/* `target` is a port of this machine. Gives a line; close() takes it back. */
export function open_line(target, { bits = Infinity, most = Infinity } = {})
{
    return new Line(target, bits, most).listen();
}
