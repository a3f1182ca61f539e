/* relay.mjs - one brasa process under test, known by its command line only.
 *
 * Starts `brasa serve` on a free port of 127.0.0.1 with a data folder of its
 * own, and reads what it prints: `listening http://...` as soon as the socket
 * is open, `ready` when handshakes are answered. A restart keeps port and
 * folder, because that is what a client comes back to.
 *
 * The binary is build/release/server/brasa, or what BRASA names. Everything it
 * prints goes to tests/out/SUITE-relay-N.log, until the suite's next run.
 *
 * With the option `gun` it is a gun.js relay instead, for cases that show what
 * differs, or (RELAY=gun in the environment) to see what a suite's clients do there.
 * It dials `peer`, if that is named.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from './harness.mjs';

const tests = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const out_folder = path.join(tests, 'out');
const binary = process.env.BRASA || path.join(tests, '..', 'build', 'release', 'server', 'brasa');

const gun_program = path.join(tests, 'bench', 'relay.cjs');

const running = new Set();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

const suite_name = path.basename(path.dirname(process.argv[1]));
let logs = 0;
function open_log()
{
    mkdirSync(out_folder, { recursive: true });
    return createWriteStream(path.join(out_folder, `${suite_name}-relay-${++logs}.log`));
}

export class Relay {
    #child = null;
    #log = open_log();
    #exited = null;
    #options;
    lines = [];
    port = 0;

    constructor(options)
    {
        this.gun = options.gun ?? process.env.RELAY === 'gun';
        if (!this.gun && !existsSync(binary)) throw new Error(`no server at ${binary}: build it, or name it in BRASA`);
        this.#options = options;
        this.port = options.port ?? 0;
        this.data = mkdtempSync(path.join(tmpdir(), 'brasa-test-'));
    }

    get pid() { return this.#child?.pid; }
    get alive() { return running.has(this.#child); }
    get url() { return `http://127.0.0.1:${this.port}/gun`; }
    get ws_url() { return `ws://127.0.0.1:${this.port}/gun`; }
    http(where) { return `http://127.0.0.1:${this.port}${where}`; }

    #command()
    {
        if (this.gun) return [process.execPath, [gun_program, this.data, String(this.port), ...this.#options.peer ? [this.#options.peer] : []]];
        return [binary, ['serve', '--listen', `127.0.0.1:${this.port}`, '--data', this.data, ...this.#options.args ?? []]];
    }

    /* Resolves when the relay has said `ready`. */
    async start()
    {
        const child = spawn(...this.#command(), { stdio: ['ignore', 'pipe', 'pipe'] });
        this.#child = child;
        running.add(child);
        this.#exited = new Promise(resolve => {
            child.on('exit', (code, signal) => { running.delete(child); resolve({ code, signal }); });
        });
        const ready = new Promise((resolve, reject) => {
            createInterface({ input: child.stdout }).on('line', line => {
                this.#note(line);
                const at = /listening http:\/\/127\.0\.0\.1:(\d+)\//.exec(line);
                if (at) this.port = Number(at[1]);
                if (/(^|\s)ready(\s|$)/.test(line)) resolve();
            });
            createInterface({ input: child.stderr }).on('line', line => this.#note(line));
            this.#exited.then(how => reject(new Error(`the relay ended before it was ready: ${JSON.stringify(how)}`)));
        });
        await within(30, 'the relay to be ready', ready);
        return this;
    }

    #note(line)
    {
        this.lines.push(line);
        this.#log.write(line + '\n');
    }

    /* A clean stop, as an operator does it. Gives {code, signal}. */
    async stop()
    {
        this.#child.kill('SIGTERM');
        return within(30, 'the relay to stop', this.#exited);
    }

    async kill()
    {
        this.#child.kill('SIGKILL');
        return within(30, 'the relay to be gone', this.#exited);
    }

    /* `how` is 'kill' or 'stop'; started again in the same breath, with other
     * arguments if there are any. */
    async restart(how, args = this.#options.args)
    {
        const ended = await this[how]();
        this.#options = { ...this.#options, args };
        await this.start();
        return ended;
    }

    /* For good: the process and its folder. */
    async close()
    {
        if (this.alive) await this.kill();
        this.#log.end();
        rmSync(this.data, { recursive: true, force: true });
    }
}

export async function start_relay(options = {})
{
    const relay = new Relay(options);
    return relay.start();
}

/* A relay for one case only. */
export async function own_relay(t, options = {})
{
    const relay = await start_relay(options);
    t.after(() => relay.close());
    return relay;
}
