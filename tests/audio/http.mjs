/* http.mjs - requests as they are and answers as they come.
 *
 *   const got = await ask(relay, 'GET /audio/...', { Range: 'bytes=0-9' });
 *   got.status, got.headers, got.body, got.cut
 *
 * `cut` says that the connection ended before as much came as was announced. A
 * connection of its own (open_line) is for what a library would not send: several
 * requests at once, half of one, reading slowly.
 */
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { until } from '../tools/harness.mjs';

export function ask(relay, line, headers = {}, agent = new http.Agent())
{
    const [, method, path] = /^(\S+) (.*)$/.exec(line);
    return new Promise((resolve, reject) => {
        const request = http.request({ host: '127.0.0.1', port: relay.port, method, path, headers, agent }, answer => {
            const parts = [];
            const done = cut => resolve({ status: answer.statusCode, headers: answer.headers, raw: answer.rawHeaders,
                body: Buffer.concat(parts), cut });
            answer.on('data', part => parts.push(part));
            answer.on('end', () => done(false));
            answer.on('error', () => done(true));
        });
        request.on('error', reject);
        request.end();
    });
}

/* One answer at the front of `bytes`: {status, headers, body, rest}, null when it is not
 * all there. `method` because an answer to HEAD has no body. */
function take_answer(bytes, method)
{
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return null;
    const [first, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]));
    const status = Number(first.split(' ')[1]);
    const length = method === 'HEAD' || status === 304 || status === 204 ? 0 : Number(headers['content-length']);
    const body = bytes.subarray(end + 4, end + 4 + length);
    return body.length < length ? null : { status, headers, body, rest: bytes.subarray(end + 4 + length) };
}

class Line {
    #parts = [];
    length = 0;
    closed = false;
    constructor(socket)
    {
        this.socket = socket;
        this.socket.on('data', part => { this.#parts.push(part); this.length += part.length; });
        this.socket.on('error', () => {});
        this.socket.on('close', () => { this.closed = true; });
    }

    get bytes()
    {
        this.#parts = [Buffer.concat(this.#parts)];
        return this.#parts[0];
    }

    send(text) { this.socket.write(text); }
    gone() { return until('the connection to be closed', () => this.closed); }
    close() { this.socket.destroy(); }

    /* The answers to so many requests, in order; fewer when the line closed. */
    async answers(methods, seconds = 60)
    {
        const all = [];
        let rest = Buffer.alloc(0), taken = 0;
        await until(`${methods.length} answers`, () => {
            rest = this.bytes.subarray(taken);
            for (let one; all.length < methods.length && (one = take_answer(rest, methods[all.length])); rest = one.rest) all.push(one);
            taken = this.length - rest.length;
            return this.closed || all.length === methods.length;
        }, seconds);
        return all;
    }
}

export const open_line = relay => new Line(net.connect({ port: relay.port, host: '127.0.0.1' }));
export const open_tls_line = port => new Line(tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }));

export const request_text = (line, headers = {}) => `${line} HTTP/1.1\r\nHost: x\r\n${
    Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
