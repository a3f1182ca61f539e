/* full.mjs - a disk runs full under a server, and has room again: tests/crash/full.
 *
 * Prints what it does and sees, for a person to read. TMPDIR is on the small disk;
 * a filler file there is what is deleted to make room.
 */
import { readdirSync, rmSync, statSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Relay } from '../tools/relay.mjs';
import { sleep, within } from '../tools/harness.mjs';
import { Ledger, Reader } from './ledger.mjs';
import { Peer, Puts } from './load.mjs';

const disk = process.env.TMPDIR;
const [filler_mb, ...limits] = process.argv.slice(2);
const filler = path.join(disk, 'filler');
const began = Date.now();
const faults = [];
let peers_made = 0;

/* More than the disk can hold: what takes so many is not full. */
const puts_max = 50000;

function log(text) { console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${text}`); }

function expect(is, text)
{
    log(`${is ? 'ok    ' : 'FAILED'} ${text}`);
    if (!is) faults.push(text);
}

function mb(bytes) { return `${(bytes / 2 ** 20).toFixed(1)} MB`; }

function taken(folder)
{
    return readdirSync(folder, { withFileTypes: true }).reduce((sum, one) => {
        const where = path.join(folder, one.name);
        return sum + (one.isDirectory() ? taken(where) : statSync(where).blocks * 512);
    }, 0);
}

function fill() { writeFileSync(filler, Buffer.alloc(Number(filler_mb) * 2 ** 20, 1)); }

/* New nodes, of 1 to 16 KB: they take room, where the puts of load.mjs mostly
 * overwrite. One in four is one of those all the same. */
class Growing extends Puts {
    next()
    {
        if (this.below(4) === 0) {
            const put = super.next();
            if (put.flags !== 'held') return put;
        }
        this.state += 1;
        const id = `${this.name}${++this.made}`;
        const value = `${id}: ${String.fromCharCode(97 + this.below(26)).repeat(1000 + this.below(15000))}`;
        return { id, flags: '-', writes: [{ soul: `${id}node`, key: 'k', state: this.state, value }] };
    }
}

/* Puts until one is refused, or `most` were taken. The first refusal, or null. */
async function put_until_refused(relay, ledger, most)
{
    let refusal = null;
    let taken_now = 0;
    const puts = new Growing(77 + peers_made, Date.now() - 3600e3 + peers_made * 1000, `f${peers_made++}x`);
    const peer = new Peer(relay.ws_url, puts, {
        count: Infinity,
        open_max: 60,
        patience_ms: 0,
        sending: some => ledger.sent(some),
        heard: (put, error) => {
            if (error === null) { ledger.acked(put); taken_now++; }
            refusal ??= error;
            if (refusal || taken_now >= most || peer.sent > puts_max) peer.finish();
        },
    });
    await within(120, 'puts to be answered', peer.run());
    if (peer.cut) throw new Error('the server hung up');
    return { refusal, taken: taken_now, waiting: peer.waiting.size };
}

async function judge(relay, ledger, when)
{
    const reader = await new Reader().open(relay.ws_url);
    const judged = await ledger.judge(reader);
    reader.close();
    for (const fault of judged.faults.slice(0, 5)) log(`       ${fault}`);
    expect(judged.faults.length === 0, `${when}: all ${judged.acked} acknowledged puts are read back`);
}

/* The first put that is taken again; nobody restarts anything. */
async function wait_for_room(relay, ledger)
{
    const since = Date.now();
    let tried;
    while (Date.now() - since < 30e3) {
        tried = await put_until_refused(relay, ledger, 1);
        if (tried.taken > 0) return Date.now() - since;
        await sleep(100);
    }
    log(`still refused: ${tried.refusal}`);
    return null;
}

async function fill_up(relay, ledger)
{
    const got = await put_until_refused(relay, ledger, Infinity);
    log(`${got.taken} puts were taken, ${mb(taken(disk))} are used; then: "${got.refusal}"`);
    expect(/^full: /.test(got.refusal), 'the refusal begins with "full:"');
    return got;
}

async function run(relay)
{
    const ledger = new Ledger();
    fill();
    log(`a disk of ${process.env.BRASA_DISK_BYTES ? mb(Number(process.env.BRASA_DISK_BYTES)) + ' (by the shim)' : mb(statfsSync(disk).blocks * statfsSync(disk).bsize)}, ${filler_mb} MB of it a filler file`);
    await relay.start();
    try {
        await fill_up(relay, ledger);
        await judge(relay, ledger, 'while the disk is full');
        const again = await put_until_refused(relay, ledger, 1);
        expect(again.taken > 0 || /^full: /.test(again.refusal), `a put now is answered: ${again.refusal ?? 'ok'}`);
        await judge(relay, ledger, 'after that');
        rmSync(filler);
        log('the filler file is deleted');
        const ms = await wait_for_room(relay, ledger);
        expect(ms !== null, `writes resume without a restart, after ${ms} ms`);
        const more = await put_until_refused(relay, ledger, 500);
        expect(more.refusal === null, `${more.taken} more puts are taken`);
        await judge(relay, ledger, 'with room again');
        await relay.restart('kill');
        await judge(relay, ledger, 'after kill -9 and a restart');
        await fill_up(relay, ledger);
        const ended = await relay.restart('stop');
        expect(ended.code === 0, 'full once more, it stops cleanly and starts');
        await judge(relay, ledger, 'restarted on the full disk');
        await relay.restart('kill');
        await judge(relay, ledger, 'killed and restarted on the full disk');
    } finally {
        await relay.close();
    }
}

const relay = new Relay({ args: limits });
try {
    await run(relay);
} catch (error) {
    expect(false, `it broke off: ${error.stack}`);
    for (const line of relay.lines.slice(-4)) log(`       the server said: ${line}`);
}
console.log(`full: ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
