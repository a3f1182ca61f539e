/* harness.mjs - named cases, counted.
 *
 * A case is a sentence and a function that throws when the sentence is false.
 * Nothing is run twice: a case that fails has failed. Times are limits beyond
 * which something is called lost, never measures of speed, and are far above
 * what a busy machine needs.
 *
 * Cases run one after the other, but for those marked `beside`: they mostly
 * wait (for a slow line, for a client's two seconds), need nothing of the
 * others, and run next to them, a few at a time.
 *
 *   const gun = suite('gun');
 *   gun.test('a put is acknowledged', async t => { ... });
 *   await gun.run();                  // prints, sets the exit status
 *
 * The last line printed is `NAME: N passed, N failed`.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

export { assert, sleep };

const beside_at_once = 4;

/* Limits are written as seconds of a machine with nothing else to do; a loaded one is given more. */
const patience = 3;

const too_late = (what, seconds) => new Error(`not within ${seconds * patience} s: ${what}`);

/* The promise, or an error that names what did not come. */
export function within(seconds, what, promise)
{
    let timer;
    const late = new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(too_late(what, seconds)), seconds * patience * 1000);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/* Polls until `look` answers something true, which it gives. For what cannot
 * tell us by itself (a value in a client's memory). */
export async function until(what, look, seconds = 20)
{
    const end = Date.now() + seconds * patience * 1000;
    let last;
    for (;;) {
        last = await look();
        if (last) return last;
        if (Date.now() > end) throw too_late(what, seconds);
        await sleep(25);
    }
}

/* A name nobody else uses in this run, so that cases may share a relay. */
let names = 0;
const run_mark = Math.random().toString(36).slice(2, 7);
export function fresh(word)
{
    return `${word}-${run_mark}-${++names}`;
}

/* Chance that can be had again: numbers in [0, 1) from a seed (mulberry32 by
 * Tommy Ettinger). A case that uses it says its seed. */
export function chance(seed)
{
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let x = Math.imul(state ^ (state >>> 15), 1 | state);
        x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
        return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
    };
}

/* One case as it runs. What it opens it hands to `after`, and it is closed
 * when the case is over, in the reverse order, however the case ended. */
class Run {
    #closers = [];
    constructor(options) { this.long = options.long; }
    after(close) { this.#closers.push(close); }
    async finish()
    {
        for (const close of this.#closers.reverse()) await close();
    }
}

async function run_case(entry, options)
{
    const run = new Run(options);
    const began = Date.now();
    let failure = null;
    try {
        await within(entry.seconds, 'the end of the case', entry.body(run));
    } catch (error) {
        failure = error;
    }
    try {
        await within(30, 'the clean-up of the case', run.finish());
    } catch (error) {
        failure ??= error;
    }
    const ms = Date.now() - began;
    console.log(`${failure ? 'FAILED' : 'ok    '} ${entry.sentence} (${ms} ms)`);
    if (failure) console.log('       ' + String(failure.stack ?? failure).replaceAll('\n', '\n       '));
    return failure === null;
}

/* Runs `entries` with at most `at_once` of them open. */
async function run_some(entries, at_once, options, count)
{
    const waiting = [...entries];
    const worker = async () => {
        for (let entry; (entry = waiting.shift());) {
            if (await run_case(entry, options)) count.passed++; else count.failed++;
        }
    };
    await Promise.all(Array.from({ length: at_once }, worker));
}

function wanted(entries, options)
{
    return entries.filter(e => (options.long || !e.long) && (!options.only || e.sentence.includes(options.only)));
}

/* `--long` runs the cases marked long as well; `--only TEXT` those whose
 * sentence holds TEXT. */
function read_options(argv)
{
    const only = argv.indexOf('--only');
    return { long: argv.includes('--long'), only: only < 0 ? null : argv[only + 1] };
}

export function suite(name)
{
    const entries = [];
    const closers = [];
    return {
        options: read_options(process.argv),
        test(sentence, body, { seconds = 60, beside = false, long = false } = {})
        {
            entries.push({ sentence, body, seconds, beside, long });
        },
        /* What the suite shares, closed at its end. */
        after(close) { closers.push(close); },
        /* `open` makes what the cases share; if it fails, all has failed. */
        async run(open = () => {})
        {
            const count = { passed: 0, failed: 0 };
            const chosen = wanted(entries, this.options);
            try {
                await open();
                await Promise.all([
                    run_some(chosen.filter(e => e.beside), beside_at_once, this.options, count),
                    run_some(chosen.filter(e => !e.beside), 1, this.options, count),
                ]);
                for (const close of closers.reverse()) await close();
            } catch (error) {
                console.log(`the suite itself failed: ${error.stack ?? error}`);
                count.failed++;
            }
            console.log(`${name}: ${count.passed} passed, ${count.failed} failed`);
            process.exit(count.failed ? 1 : 0);
        },
    };
}

/* A table on the terminal: rows of equal length, the first is the head. */
export function print_table(rows)
{
    const widths = rows[0].map((_, column) => Math.max(...rows.map(row => String(row[column]).length)));
    for (const row of rows) {
        console.log('       ' + row.map((cell, i) => String(cell).padEnd(widths[i])).join('  ').trimEnd());
    }
}
