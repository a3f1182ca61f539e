/* tool.mjs - one command of brasa, run to its end; and folders to run it on. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert, within } from '../tools/harness.mjs';
import { start_relay } from '../tools/relay.mjs';

const tests = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const binary = process.env.BRASA || path.join(tests, '..', 'build', 'release', 'server', 'brasa');

/* Starts one; `input` is what stands on its stdin, and {child, ended, said} is given: said() is its stdout so far. */
export function begin_tool(words, input = '')
{
    const child = spawn(binary, words, { stdio: ['pipe', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8'); // a chunk may end within a character
    child.stderr.setEncoding('utf8');
    child.stdout.on('data', bytes => { out += bytes; });
    child.stderr.on('data', bytes => { err += bytes; });
    child.stdin.on('error', () => {}); // it need not read to the end
    child.stdin.end(input);
    const ended = new Promise(resolve => child.on('close', (code, signal) => resolve({ code: code ?? signal, out, err })));
    return { child, ended, said: () => out };
}

/* {code, out, err} of a command. */
export function tool(words, input = '')
{
    return within(60, `the end of brasa ${words.join(' ').slice(0, 80)}`, begin_tool(words, input).ended);
}

/* What a command that must do well printed. */
export async function done(words, input = '')
{
    const { code, out, err } = await tool(words, input);
    assert.equal(code, 0, `brasa ${words.join(' ').slice(0, 200)}: status ${code}\n${out.slice(0, 1000)}${err.slice(0, 1000)}`);
    return out;
}

/* "name value" lines as an object. */
export function figures(out)
{
    return Object.fromEntries(out.trim().split('\n').map(line => {
        const at = line.indexOf(' ');
        return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
    }));
}

/* Its lines of JSON. */
export function lines(out)
{
    return out.split('\n').filter(line => line !== '').map(line => JSON.parse(line));
}

export async function hash_of(folder)
{
    return figures(await done(['check', folder, '--hash'])).hash;
}

/* A folder for a case, with a name in it that is not there yet. */
export function scratch(t)
{
    const folder = mkdtempSync(path.join(tmpdir(), 'brasa-admin-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    return name => path.join(folder, name);
}

export async function relay_of(t, args = [])
{
    const relay = await start_relay({ args });
    t.after(() => relay.close());
    return relay;
}

/* A connection to admin.sock that a test speaks itself. */
export async function knock(relay)
{
    const socket = net.connect({ path: path.join(relay.data, 'admin.sock'), allowHalfOpen: true });
    socket.on('error', () => {});
    socket.heard = '';
    socket.setEncoding('latin1'); // a backup's bytes are counted
    socket.on('data', bytes => { socket.heard += bytes; });
    const ended = new Promise(resolve => { socket.on('end', resolve); socket.on('close', resolve); });
    socket.over = () => within(20, 'the end of the answer', ended).then(() => socket.heard);
    await within(20, 'admin.sock', new Promise(resolve => socket.on('connect', resolve)));
    return socket;
}

/* Rows as an export has them: small, large, links, odd names, held ones. */
export function some_rows(count)
{
    const rows = [];
    const now = Date.now();
    for (let i = 0; i < count; i++) {
        const soul = `soul/${i % 17}/${'x'.repeat(i % 5 === 0 ? 500 : 3)}`;
        let value = `value ${i}`;
        if (i % 11 === 0) value = 'L'.repeat(5000) + i;
        if (i % 13 === 0) value = Buffer.alloc(6000, `chunk ${i % 26}`).toString('base64');
        if (i % 7 === 0) value = { '#': `soul/${i}` };
        rows.push({ '#': soul, '.': `key ${i} \u{1f600}\u0000`, ':': value, '>': now - 1000 * i });
    }
    rows.push({ '#': 'scalars', '.': 'null', ':': null, '>': 1.5 }, { '#': 'scalars', '.': 'true', ':': true, '>': 2 });
    rows.push({ '#': 'later', '.': 'held', ':': 'not yet', '>': now + 3_600_000, held: true });
    return rows;
}

export const as_lines = rows => rows.map(row => JSON.stringify(row) + '\n').join('');

/* Two outputs are equal; a difference is shown by its first line, cut. */
export function same_lines(found, wanted)
{
    if (found === wanted) return;
    const [a, b] = [found.split('\n'), wanted.split('\n')];
    const at = a.findIndex((line, i) => line !== b[i]);
    const cut = line => (line === undefined ? 'nothing' : line.length < 300 ? line : `${line.slice(0, 100)}…${line.slice(-100)}`);
    assert.fail(`line ${at + 1} of ${a.length} is ${cut(a[at])}, not ${cut(b[at])} (of ${b.length})`);
}
