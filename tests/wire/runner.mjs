// runner.mjs - runs the tables of tests/wire/cases against the real server.
//
//   tests/wire/run [--long] [--verbose] [--corpus DIR] [GROUP | /REGEX/]...
//
// A file in cases/ is a group: {name, server, cases}, the words of a case are in
// lib/steps.mjs; `server` is {args, env}, where env may be a function of the server's
// folder and binary. A group has one server process; a case that says `server` (its
// arguments) or `alone: true` has one of its own. Servers run side by side, the
// cases of one server one after the other. A case that says `long` runs with
// --long only.
//
// Stopping the server of a group is a case too: it must end with status 0 and
// without a word from a sanitizer. `settle: false` in a case means that its peers
// are not looked at once more at its end, because the server closed them.
//
// --corpus writes every text frame that the tables send to DIR, a file each: the
// first inputs for fuzzing core/message.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Case } from './lib/steps.mjs';
import { Server } from './lib/server.mjs';
import { fill } from './lib/match.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');

function options(args) {
    const out = { long: false, verbose: false, corpus: undefined, only: [] };
    for (let i = 0; i < args.length; i++) {
        if (args[i] === '--long') out.long = true;
        else if (args[i] === '--verbose') out.verbose = true;
        else if (args[i] === '--corpus') out.corpus = args[++i];
        else if (args[i].startsWith('-')) throw new Error(`unknown option ${args[i]}`);
        else out.only.push(args[i].startsWith('/') ? new RegExp(args[i].slice(1, -1)) : args[i]);
    }
    return out;
}

function binary() {
    if (process.env.BRASA) return resolve(process.env.BRASA);
    const asan = join(root, 'build/asan/server/brasa');
    return existsSync(asan) ? asan : join(root, 'build/release/server/brasa');
}

async function groups(only) {
    const names = readdirSync(join(here, 'cases')).filter((n) => n.endsWith('.mjs')).sort();
    const wanted = only.filter((o) => typeof o === 'string');
    const out = [];
    for (const name of names) {
        const short = name.replace('.mjs', '');
        if (wanted.length > 0 && !wanted.includes(short)) continue;
        const group = (await import(pathToFileURL(join(here, 'cases', name)))).default;
        out.push({ ...group, short });
    }
    return out;
}

// Cases that wait begin early, so that the end does not wait for them.
function waits(row) {
    return row.steps.reduce((sum, [what, ms]) => (what === 'wait' ? sum + ms / 20 : sum), row.weight ?? 1);
}

class Run {
    constructor(chosen) {
        Object.assign(this, chosen);
        this.binary = binary();
        this.scratch = mkdtempSync(join(tmpdir(), 'brasa-wire-'));
        this.folders = 0;
        this.passed = 0;
        this.failed = 0;
    }

    async server(spec = {}) {
        const folder = join(this.scratch, `data${this.folders++}`);
        const env = typeof spec.env === 'function' ? spec.env(folder, this.binary) : spec.env ?? {};
        const server = new Server(this.binary, folder, spec.args ?? [], env);
        await server.start();
        return server;
    }

    pass(name) {
        this.passed++;
        if (this.verbose) console.log(`  ok      ${name}`);
    }

    fail(name, why, log = '') {
        this.failed++;
        console.log(`  FAILED  ${name}\n    ${why}${log && `\n${log}`}`);
    }

    wants(row) {
        if (row.long && !this.long) return false;
        const patterns = this.only.filter((o) => o instanceof RegExp);
        return patterns.length === 0 || patterns.some((p) => p.test(row.name));
    }

    // What can run beside everything else: the cases that share a group's server,
    // and each case that has one of its own.
    units(group) {
        const rows = group.cases.filter((row) => this.wants(row));
        const own = rows.filter((row) => row.server || row.alone);
        const shared = rows.filter((row) => !row.server && !row.alone);
        const units = own.map((row) => ({ weight: waits(row), run: () => this.alone(group, row) }));
        if (shared.length > 0) units.push({ weight: group.weight ?? shared.length, run: () => this.together(group, shared) });
        return units;
    }

    async together(group, rows) {
        let server;
        for (const row of rows) server = await this.shared(group, row, server);
        if (server) await this.stop(server, `${group.short}: the server of this group stops cleanly`);
    }

    async shared(group, row, server) {
        try {
            if (!server?.alive()) server = await this.server(group.server);
        } catch (why) {
            this.fail(`${group.short}: ${row.name}`, why.message);
            return undefined;
        }
        await this.one(group, row, server);
        return server;
    }

    async alone(group, row) {
        let server;
        try {
            server = await this.server(row.server ?? group.server);
        } catch (why) {
            this.fail(`${group.short}: ${row.name}`, why.message);
            return;
        }
        await this.one(group, row, server);
        try {
            if (server.alive() || row.stops !== true) await server.stop();
        } catch (why) {
            this.fail(`${group.short}: the server of "${row.name}" stops cleanly`, why.message);
        }
    }

    async stop(server, name) {
        try {
            await server.stop();
            this.pass(name);
        } catch (why) {
            this.fail(name, why.message);
        }
    }

    async one(group, row, server) {
        const name = `${group.short}: ${row.name}`;
        const running = new Case(server, row);
        try {
            await running.run();
            if (row.stops !== true) server.check();
            this.pass(name);
        } catch (why) {
            this.fail(name, why.message, running.log());
        }
        running.leave();
    }
}

// The text frames of all tables, a file each, named by their hash.
function corpus(list, folder) {
    mkdirSync(folder, { recursive: true });
    const bound = new Map([['now', 1795210000000]]);
    let written = 0;
    for (const row of list.flatMap((group) => group.cases))
        for (const [, what, ...frames] of row.steps) {
            if (what !== '>') continue;
            for (const frame of frames) {
                const filled = fill(frame, bound);
                const text = typeof frame === 'string' ? String(filled) : JSON.stringify(filled);
                if (text.length > 4096) continue;
                const name = createHash('sha256').update(text).digest('hex').slice(0, 16);
                writeFileSync(join(folder, name), text);
                written++;
            }
        }
    console.log(`${written} frames`);
}

async function main() {
    const chosen = options(process.argv.slice(2));
    const list = await groups(chosen.only);
    if (chosen.corpus) return corpus(list, resolve(chosen.corpus));
    const run = new Run(chosen);
    const began = Date.now();
    const waiting = list.flatMap((group) => run.units(group)).sort((a, b) => b.weight - a.weight);
    const lane = async () => {
        for (let unit = waiting.shift(); unit; unit = waiting.shift()) await unit.run();
    };
    await Promise.all(Array.from({ length: availableParallelism() + 4 }, lane));
    console.log(`${list.length} groups in ${((Date.now() - began) / 1000).toFixed(1)} s with ${run.binary.replace(`${root}/`, '')}`);
    if (run.failed === 0) rmSync(run.scratch, { recursive: true, force: true });
    else console.log(`data folders are kept in ${run.scratch}`);
    console.log(`wire: ${run.passed} passed, ${run.failed} failed`);
    return run.failed === 0 ? 0 : 1;
}

process.exit(await main() ?? 0);
