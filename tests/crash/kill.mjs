/* kill.mjs - a server under load is killed, over and over: tests/crash/kill.
 *
 * Three peers put, as load.mjs does, and note what is acknowledged. After 10 to
 * 900 ms, by the seed, the server is killed; it starts again on the same folder,
 * and every put of that cycle is read back over the wire. Three times in ten that
 * start is killed as well. A store lives through ten
 * such cycles; then all of it is read once more, before a clean stop and after it.
 *
 * The control is a disk that forgets: after the kill the folder is as it was before
 * the load. That has to be seen.
 */
import { cpSync, rmSync } from 'node:fs';
import { Relay } from '../tools/relay.mjs';
import { chance, sleep } from '../tools/harness.mjs';
import { Ledger, Reader } from './ledger.mjs';
import { Peer, Puts } from './load.mjs';

const cycles_of_a_store = 10;

const [cycles, seed, forgets, ...limits] = process.argv.slice(2);
const dice = chance(Number(seed));
const faults = [];
let acked = 0;
let sent = 0;
let kills = 0;

async function judge(ledger, relay, when, which)
{
    const reader = await new Reader().open(relay.ws_url);
    const judged = await ledger.judge(reader, which);
    reader.close();
    for (const fault of judged.faults) faults.push(`${when}: ${fault}`);
    return judged;
}

/* The next start is killed too, somewhere in its recovery or just after. */
async function kill_in_start(relay)
{
    const ready = relay.start().catch(() => {});
    await sleep(1 + Math.floor(dice() * 40));
    await relay.kill();
    await ready;
    kills++;
}

async function cycle(relay, ledger, number)
{
    const began = Date.now() - 3600e3 + number * 1000;
    const peers = [0, 1, 2].map(i => {
        const puts = new Puts(Number(seed) * 100000 + number * 10 + i, began, `n${number}c${i}x`);
        return new Peer(relay.ws_url, puts, {
            count: Infinity,
            open_max: [1, 8, 40][i],
            sending: some => ledger.sent(some),
            heard: (put, error) => { if (error === null) ledger.acked(put); },
        });
    });
    const before = `${relay.data}-before`;
    if (forgets === 'forgets') cpSync(relay.data, before, { recursive: true });
    const over = Promise.all(peers.map(p => p.run()));
    const ms = 10 + Math.floor(dice() * 890);
    await sleep(ms);
    await relay.kill();
    await over;
    kills++;
    if (forgets === 'forgets') {
        rmSync(relay.data, { recursive: true });
        cpSync(before, relay.data, { recursive: true });
        rmSync(before, { recursive: true });
    }
    if (dice() < 0.3) await kill_in_start(relay);
    await relay.start();
    const mine = put => put.id.startsWith(`n${number}c`);
    const judged = await judge(ledger, relay, `cycle ${number}, killed after ${ms} ms`, mine);
    acked += judged.acked;
}

async function store(first, count)
{
    const ledger = new Ledger();
    const relay = new Relay({ args: limits });
    await relay.start();
    try {
        for (let i = 0; i < count; i++) await cycle(relay, ledger, first + i);
        await judge(ledger, relay, `after ${count} cycles`);
        const ended = await relay.restart('stop');
        if (ended.code !== 0) faults.push(`a clean stop ended with ${JSON.stringify(ended)}`);
        await judge(ledger, relay, 'after a clean stop');
        sent += ledger.put_count;
    } finally {
        await relay.close();
        rmSync(`${relay.data}-before`, { recursive: true, force: true }); // a cycle may break off
    }
}

try {
    for (let done = 0; done < Number(cycles); done += cycles_of_a_store)
        await store(done, Math.min(cycles_of_a_store, Number(cycles) - done));
} catch (error) {
    faults.push(`it broke off: ${error.stack}`);
}
for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
console.log(`kill: ${kills} kills of seed ${seed}: ${sent} puts sent, ${acked} acknowledged and read back, ${faults.length} faults`);
process.exit(faults.length === 0 && acked > 0 ? 0 : 1);
