// server.mjs - one server process: started, watched, stopped, killed.
//
// It listens on a free port of loopback; where it listens is read from its own
// log. A server must end with status 0 on SIGTERM and must not have printed a
// report of a sanitizer, and stop() says so when it did not.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Peer } from './peer.mjs';

const start_ms = 20_000;
const stop_ms = 15_000; // the promise is 5 s; a sanitizer at exit needs its time
const report = /ERROR: \w+Sanitizer|runtime error:|WARNING: ThreadSanitizer/;

export class Server {
    constructor(binary, folder, args = [], env = {}) {
        Object.assign(this, { binary, folder, args, env, text: '' });
    }

    async start() {
        const listen = this.args.includes('--listen') || this.env.PORT !== undefined ? [] : ['--listen', '127.0.0.1:0'];
        const args = ['serve', ...listen, '--data', this.folder, ...this.args];
        const env = { ...process.env, ...this.env };
        if (this.env.PORT === undefined) delete env.PORT;
        this.text = '';
        this.stopping = false;
        this.process = spawn(this.binary, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
        this.exit = once(this.process, 'exit');
        this.silent = once(this.process, 'close'); // all it said was read
        for (const stream of [this.process.stdout, this.process.stderr])
            stream.on('data', (chunk) => { this.text += chunk; });
        await this.#says(/^.*\bready\b/m);
        const [, http, ws] = this.text.match(/listening (http:\/\/\S+) (ws:\/\/\S+)/) ?? [];
        if (!ws) throw new Error(`the server did not say where it listens:\n${this.text}`);
        this.http = http.replace(/\/$/, '');
        this.ws = ws;
        await this.#plantFence();
    }

    async #says(what) {
        const deadline = Date.now() + start_ms;
        while (!what.test(this.text)) {
            if (this.process.exitCode !== null) {
                await this.silent;
                throw new Error(`the server ended at once:\n${this.text}`);
            }
            if (Date.now() > deadline) throw new Error(`the server did not say ${what}:\n${this.text}`);
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
    }

    // Where not everybody may write: the server's own token.
    #mayWrite() {
        const at = this.args.indexOf('--write-token');
        return at < 0 ? {} : { headers: { token: this.args[at + 1] } };
    }

    // The node that Peer.fence() asks for.
    async #plantFence() {
        const peer = new Peer('fence');
        await peer.open(this.ws);
        peer.send(JSON.stringify({ '#': 'plant', put: { fence: { _: { '#': 'fence', '>': { k: 1 } }, k: 1 } }, ...this.#mayWrite() }));
        await peer.until(() => peer.owed.get('plant') === 0 || undefined, 'the ack of the fence');
        peer.close();
        await peer.gone();
    }

    alive() {
        return this.process.exitCode === null && this.process.signalCode === null;
    }

    // Throws a sentence when the server is gone or has printed a report.
    check() {
        if (!this.alive())
            throw new Error(`the server is gone (${this.process.exitCode ?? this.process.signalCode}):\n${this.text.slice(-3000)}`);
        if (report.test(this.text)) throw new Error(`a sanitizer spoke:\n${this.text.slice(-6000)}`);
    }

    async kill() {
        if (this.alive()) this.process.kill('SIGKILL');
        await this.exit;
    }

    async stop() {
        if (this.alive()) this.process.kill('SIGTERM');
        const timer = setTimeout(() => this.process.kill('SIGKILL'), stop_ms);
        const [code, signal] = await this.exit;
        clearTimeout(timer);
        if (report.test(this.text)) throw new Error(`a sanitizer spoke:\n${this.text.slice(-6000)}`);
        if (code !== 0) throw new Error(`the server ended with ${code ?? signal}:\n${this.text.slice(-3000)}`);
    }
}
