/* run.mjs - mutated writes and certificates, judged by sea.js and by brasa.
 *
 *   tests/sea/run [--long] [--seed N] [--count N] [--only INDEX]
 *
 * Case INDEX of a seed is always the same write. Each is judged three times: by
 * sea.js as browsers run it, by sea.js as gun's relay runs it (two threads, see
 * gun-judge.cjs), and by brasa's rules (judge.c). The browser is right, but for what
 * differences.mjs lists; every other difference is printed and fails.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Chance } from '../differential/chance.mjs';
import { difference, differences, twin_of } from './differences.mjs';
import { make_case } from './mutate.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const build = process.env.BUILD ?? join(here, '../../build/release');

function option(name, otherwise)
{
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

const long = process.argv.includes('--long');
const seed = option('seed', 20240229);
const count = option('count', long ? 100000 : 20000);
const only = option('only');
const batch_cases = 500;
const shown_most = 4;

/* ---- judges */

class Gun {
    constructor(parser)
    {
        this.worker = new Worker(join(here, 'gun-judge.cjs'), { workerData: { parser } });
    }

    judge(cases)
    {
        return new Promise((resolve, reject) => {
            this.worker.once('error', reject);
            this.worker.once('message', ({ answers, error }) => {
                this.worker.off('error', reject);
                if (error) reject(new Error(error));
                else resolve(answers);
            });
            this.worker.postMessage(cases);
        });
    }

    end() { return this.worker.terminate(); }
}

class Brasa {
    constructor()
    {
        this.child = spawn(join(build, 'tests/sea/brasa_sea_judge'), [], { stdio: ['pipe', 'pipe', 'inherit'] });
        this.child.stdin.on('error', () => {});
        this.ended = new Promise(resolve => {
            this.child.on('error', e => resolve(e.message));
            this.child.on('close', (code, signal) => resolve(signal ?? code));
        });
        // A program that never began has no output that could end.
        this.failed = new Promise(resolve => this.child.on('error', () => resolve({ done: true })));
        this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    }

    async judge(cases)
    {
        const asked = cases.map(({ soul, key, value, state }) => `${JSON.stringify({ soul, key, value, state })}\n`);
        this.child.stdin.write(asked.join(''));
        const answers = [];
        while (answers.length < cases.length) {
            const { value, done } = await Promise.race([this.lines.next(), this.failed]);
            if (done) throw new Error(`the judge ended with ${await this.ended} at ${asked[answers.length]}`);
            answers.push(JSON.parse(value));
        }
        return answers;
    }

    /* A sanitizer may have the last word. */
    async end()
    {
        this.child.stdin.end();
        const how = await this.ended;
        if (how !== 0) throw new Error(`the judge ended with ${how}`);
    }
}

/* ---- cases */

/* Each case has its own chance, so that one can be had without the others. */
const generate = index => make_case(new Chance(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)), index);

const counts = { good: 0, refused: 0, silent: 0, brasa_good: 0, brasa_refused: 0, relay_differs: 0 };
const listed = new Map(differences.map(d => [d.label, 0]));
const kinds = new Map();
const unlisted = { looser: 0, stricter: 0, speaks: 0, words: 0, says: 0 };
const twins = { same: 0, other: 0 };
const shown = new Map();

const word = v => v.good ? 'good' : v.err ?? 'no answer';

function show(one, verdicts, kind)
{
    shown.set(kind, (shown.get(kind) ?? 0) + 1);
    if (shown.get(kind) > shown_most) return;
    console.log(`${kind}, and not listed: --seed ${seed} --only ${one.index} (${[one.kind, ...one.done].join(', ')})`);
    for (const [who, verdict] of Object.entries(verdicts)) console.log(`  ${who.padEnd(8)}${JSON.stringify(verdict)}`);
    console.log(`  ${JSON.stringify({ soul: one.soul, key: one.key, state: one.state })}\n  ${JSON.stringify(one.value)}`);
}

/* Counts a case; gives the entry of the list that explains it, if one is needed. */
function tally(one, verdicts)
{
    const { browser, relay, brasa } = verdicts;
    counts[browser.good ? 'good' : browser.err === undefined ? 'silent' : 'refused']++;
    counts[brasa.good ? 'brasa_good' : 'brasa_refused']++;
    if (word(browser) !== word(relay)) counts.relay_differs++;
    const by_kind = kinds.get(one.kind) ?? { good: 0, refused: 0 };
    by_kind[brasa.good ? 'good' : 'refused']++;
    kinds.set(one.kind, by_kind);
    const found = difference(one, verdicts);
    if (found?.entry) listed.set(found.entry.label, listed.get(found.entry.label) + 1);
    else if (found) {
        unlisted[found.kind]++;
        show(one, verdicts, found.kind);
    }
    return found?.entry;
}

/* The plainer twins of listed cases: what the browser says of them is what brasa has
 * said of the case. */
async function judge_twins(browser, explained)
{
    const plain = await browser.judge(explained.map(({ one }) => twin_of(one)));
    explained.forEach(({ one, entry, verdicts }, i) => {
        const twin = { browser: plain[i], relay: plain[i], brasa: verdicts.brasa };
        const found = difference(one, twin);
        if (!found || found.entry && !found.entry.twin) twins.same++;
        else {
            twins.other++;
            show({ ...one, done: [...one.done, entry.label] }, { ...verdicts, twin: plain[i] }, 'another verdict on the twin');
        }
    });
}

async function judge_all(judges)
{
    const end = only === undefined ? count : only + 1;
    for (let next = only ?? 0; next < end;) {
        const cases = [], explained = [];
        while (cases.length < batch_cases && next < end) cases.push(generate(next++));
        const [browser, relay, brasa] = await Promise.all(judges.map(judge => judge.judge(cases)));
        cases.forEach((one, i) => {
            const verdicts = { browser: browser[i], relay: relay[i], brasa: brasa[i] };
            const entry = tally(one, verdicts);
            if (entry?.twin) explained.push({ one, entry, verdicts });
            if (only !== undefined) console.log(one, verdicts, entry?.label ?? 'no entry');
        });
        await judge_twins(judges[0], explained);
    }
}

/* ---- what was shown */

let passed = 0, failed = 0;
function check(sentence, good, detail = '')
{
    console.log(`${good ? 'ok    ' : 'FAILED'} ${sentence}${detail ? `: ${detail}` : ''}`);
    if (good) passed++;
    else failed++;
}

/* What a real relay of gun was seen to answer, so that what stands for one is known
 * to be like one. */
async function check_recorded(relay)
{
    for (const name of ['sea-relay-verdicts', 'sea-cert-verdicts']) {
        const { cases } = JSON.parse(readFileSync(join(here, `../vectors/${name}.json`)));
        const seen = cases.map(({ acks }) => acks.some(a => a.ok) ? 'good' : acks[0]?.err ?? 'no answer');
        const got = (await relay.judge(cases)).map(word);
        const wrong = cases.filter((one, i) => got[i] !== seen[i]).map(one => one.case);
        check(`the judge in place of a relay answers ${cases.length} recorded writes of ${name} as the relay did`,
            wrong.length === 0, wrong.join('; '));
    }
}

function report()
{
    console.log(`seed ${seed}, ${count} writes; in a browser ${counts.good} taken, ${counts.refused} refused, `
        + `${counts.silent} left without an answer; by brasa ${counts.brasa_good} taken, ${counts.brasa_refused} refused`);
    console.log(`gun's own relay and browser disagree about ${counts.relay_differs}`);
    for (const d of differences) console.log(`  ${d.label.padEnd(8)}${String(listed.get(d.label)).padStart(6)}  ${d.what}`);
    for (const [kind, n] of kinds) console.log(`  ${kind.padEnd(12)}${n.good} taken, ${n.refused} refused`);
}

function check_all()
{
    check('brasa takes nothing that sea.js refuses', unlisted.looser === 0, `${unlisted.looser} unlisted`);
    check('brasa refuses nothing that sea.js takes', unlisted.stricter === 0, `${unlisted.stricter} unlisted`);
    check('what sea.js leaves without an answer gets a listed one', unlisted.speaks === 0, `${unlisted.speaks} unlisted`);
    check('refusals have the words of sea.js', unlisted.words === 0, `${unlisted.words} unlisted`);
    check('readers are given what readers of gun are given', unlisted.says === 0, `${unlisted.says} unlisted`);
    check('what brasa judges in another way than the browser, it judges as the browser does its plainer twin',
        twins.other === 0 && twins.same > 0, `${twins.same} twins, ${twins.other} others`);
    for (const d of differences) check(`${d.label} occurs: ${d.what}`, listed.get(d.label) > 0);
    for (const [kind, n] of kinds) {
        check(`of the writes that began as "${kind}" some are taken and some refused`, n.good > 0 && n.refused > 0);
    }
}

try {
    const [browser, relay, brasa] = [new Gun('browser'), new Gun('relay'), new Brasa()];
    if (only === undefined) await check_recorded(relay);
    await judge_all([browser, relay, brasa]);
    await Promise.all([browser.end(), relay.end()]);
    await brasa.end();
    report();
    if (only === undefined) check_all();
} catch (error) {
    check('the judges judge', false, error.stack);
}
console.log(`sea: ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
