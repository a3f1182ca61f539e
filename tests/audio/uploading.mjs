/* uploading.mjs - what the cases of uploads send: bodies by HTTP, and the tool.
 *
 *   const got = await send(relay, 'PUT /audio/...', bytes);      // as ask() gives it
 *   const { status, out, err } = await tool(['audio', 'put', ...]);
 */
import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask } from './http.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
export const brasa = process.env.BRASA || path.join(here, '..', '..', 'build', 'release', 'server', 'brasa');
export const build = process.env.BUILD || path.join(here, '..', '..', 'build', 'release');

/* Sends a body of a known length; {status, headers, body}. A connection that ends
 * without an answer is an error. */
export function send(relay, line, body, headers = {}, agent = new http.Agent())
{
    const [, method, target] = /^(\S+) (.*)$/.exec(line);
    return new Promise((resolve, reject) => {
        const request = http.request({ host: '127.0.0.1', port: relay.port, method, path: target, agent,
            headers: { 'Content-Length': body.length, ...headers } }, answer => {
            const parts = [];
            answer.on('data', part => parts.push(part));
            answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts).toString() }));
            answer.on('error', reject);
        });
        request.on('error', reject);
        request.end(body);
    });
}

export const json_of = answer => JSON.parse(answer.body);

export const put_manifest = (relay, track, query = '', headers = {}) => send(relay, `PUT ${track.path}/m${query}`, Buffer.from(track.text), headers);
export const put_chunk = (relay, track, i, headers = {}, agent = undefined) =>
    send(relay, `PUT ${track.path}/${i}?m=${track.url_hash}`, track.chunks[i].raw, headers, agent);

/* The bits of a bitmap, as indices. */
export function bits_of(bitmap)
{
    const bytes = Buffer.from(bitmap, 'base64');
    return Array.from({ length: bytes.length * 8 }, (_, i) => i).filter(i => bytes[i >> 3] >> (i & 7) & 1);
}

export async function have(relay, track)
{
    return bits_of(JSON.parse((await ask(relay, `GET ${track.path}/have?m=${track.url_hash}`)).body).bitmap);
}

/* A folder for one case. */
export function scratch(t)
{
    const folder = mkdtempSync(path.join(tmpdir(), 'brasa-upload-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    return name => path.join(folder, name);
}

export function file_of(t, bytes, name = 'song.wav')
{
    const file = scratch(t)(name);
    writeFileSync(file, bytes);
    return file;
}

/* Runs brasa; `to` is a file for stdout, `flags` how it is opened. */
export function tool(words, { env = {}, to = null, flags = 'w', started = () => {} } = {})
{
    return new Promise((resolve, reject) => {
        const child = spawn(brasa, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
        let out = '', err = '';
        const file = to && createWriteStream(to, { flags });
        if (file) child.stdout.pipe(file);
        else child.stdout.on('data', part => { out += part; });
        child.stderr.on('data', part => { err += part; });
        child.on('error', reject);
        child.on('close', status => {
            const done = () => resolve({ status, out, err, said: Object.fromEntries(out.trim().split('\n').map(line => line.split(' '))) });
            if (file && !file.closed) file.end(done); else done();
        });
        started(child);
    });
}

/* With stdout as a file that is open for appending, as `>> FILE` makes it. */
export function tool_onto(words, file)
{
    return new Promise((resolve, reject) => {
        const child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" >> "$FILE"', brasa, ...words], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, FILE: file } });
        let err = '';
        child.stderr.on('data', part => { err += part; });
        child.on('error', reject);
        child.on('close', status => resolve({ status, err }));
    });
}

export const server_of = relay => ['--server', `http://127.0.0.1:${relay.port}`];
