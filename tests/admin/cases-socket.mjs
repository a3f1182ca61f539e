/* cases-socket.mjs - admin.sock itself: who may, what is refused, what it costs. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { assert, fresh, sleep, until } from '../tools/harness.mjs';
import { open_raw, put_of } from '../tools/raw.mjs';
import { as_lines, binary, done, figures, knock, lines, relay_of, scratch, tool } from './tool.mjs';

export function socket_cases(admin)
{
    admin.test('the socket is its owner\'s alone, and goes with the server', async t => {
        const relay = await relay_of(t);
        const socket = path.join(relay.data, 'admin.sock');
        assert.equal(statSync(socket).mode & 0o777, 0o600);
        await relay.stop();
        assert.equal(existsSync(socket), false);
        await relay.start();
        await relay.kill();
        assert.equal(existsSync(socket), true, 'a killed server leaves it');
        await relay.start();
        assert.equal(figures(await done(['stat', relay.data])).trouble, '');
    });

    admin.test('a path that is too long for a socket costs the socket and nothing else', async t => {
        const at = scratch(t);
        const folder = at('d'.repeat(120));
        mkdirSync(folder);
        const relay = await relay_of(t, ['--data', folder]);
        assert.ok(relay.lines.some(line => line.includes('without admin.sock')), relay.lines.join('\n'));
        const { code, err } = await tool(['stat', folder]);
        assert.equal(code, 2);
        assert.match(err, /another process/);
    });

    admin.test('what is no wish gets an error that says why', async t => {
        const relay = await relay_of(t);
        const answers = {
            'nonsense': /must be one object/,
            '[]': /object/,
            '{}': /"do" is missing/,
            '{"do":"format"}': /there is no "format"/,
            '{"do":"get"}': /wants a soul/,
            '{"do":"get","soul":""}': /empty name/,
            '{"do":"get","soul":5}': /no string/,
            '{"do":"purge"}': /wants a soul or a prefix/,
            '{"do":"purge","prefix":""}': /would purge everything/,
            '{"do":"purge","soul":"a","prefix":"b"}': /soul or a prefix/,
            '{"do":"purge","soul":"a","dryrun":true}': /knows no "dryrun"/,
            '{"do":"purge","soul":"a","dry_run":1}': /true or false/,
            '{"do":"scan","limit":0}': /whole number/,
            '{"do":"stat","soul":"a"}': /knows no "soul"/,
            '{"do":"get","soul":"a","soul":"b"}': /twice/,
        };
        for (const [wish, why] of Object.entries(answers)) {
            const socket = await knock(relay);
            socket.write(wish + '\n');
            const [answer, ...more] = lines(await socket.over());
            socket.destroy();
            assert.deepEqual(more, [], wish);
            assert.match(answer.err, why, wish);
        }
    });

    admin.test('a wish that never ends is refused, one that is cut off is forgotten', async t => {
        const relay = await relay_of(t);
        const long = await knock(relay);
        long.write('{"do":"get","soul":"' + 'x'.repeat(600 * 1024));
        assert.match(JSON.parse(await long.over()).err, /at most \d+ bytes/);
        long.destroy();
        const cut = await knock(relay);
        cut.end('{"do":"st');
        assert.equal(await cut.over(), '');
        assert.equal(figures(await done(['stat', relay.data])).trouble, '');
    });

    admin.test('a seventeenth tool is told that it is busy, and there is room again', async t => {
        const relay = await relay_of(t);
        const idle = [];
        for (let i = 0; i < 16; i++) idle.push(await knock(relay));
        await until('the seventeenth to be refused', async () => {
            const { code, err } = await tool(['stat', relay.data]);
            return code === 1 && /busy/.test(err);
        });
        for (const socket of idle) socket.destroy();
        await until('room again', async () => (await tool(['stat', relay.data])).code === 0);
    });

    admin.test('a fifth scan is told that it is busy, and readers that do not read cost nobody else', async t => {
        const relay = await relay_of(t);
        const rows = [];
        for (let i = 0; i < 3000; i++) rows.push({ '#': 'many', '.': 'k' + i, ':': 'v'.repeat(2000), '>': 1000 });
        await done(['import', relay.data], as_lines(rows));
        const stuck = [];
        for (let i = 0; i < 4; i++) {
            const socket = await knock(relay);
            socket.pause();
            socket.write('{"do":"scan"}\n');
            stuck.push(socket);
        }
        await until('the fifth to be refused', async () => {
            const { code, err } = await tool(['scan', relay.data, '--limit', '1']);
            return code === 1 && /busy/.test(err);
        });
        const raw = await open_raw(relay.ws_url);
        const ack = await raw.ask(put_of('p1', fresh('beside'), { k: [1, Date.now()] }));
        assert.equal(ack.ok, true);
        await raw.close();
        for (const socket of stuck) socket.destroy();
        await until('room again', async () => (await tool(['scan', relay.data, '--limit', '1'])).code === 0);
    });

    admin.test('a stop ends jobs and purges at once, and the store is whole', async t => {
        const relay = await relay_of(t);
        const rows = [];
        for (let i = 0; i < 3000; i++) rows.push({ '#': 'many' + i, '.': 'k', ':': 'v'.repeat(2000), '>': 1000 });
        await done(['import', relay.data], as_lines(rows));
        const scan = await knock(relay);
        scan.pause();
        scan.write('{"do":"scan"}\n');
        const purge = await knock(relay);
        purge.write('{"do":"purge","prefix":"many1"}\n');
        const unfinished = await knock(relay);
        unfinished.write('{"do":"import"}\n{"#":"half","floor":12}\n{"#":"ha');
        await sleep(20);
        const began = Date.now();
        assert.equal((await relay.stop()).code, 0);
        assert.ok(Date.now() - began < 8000, 'the stop took too long');
        assert.match(await done(['check', relay.data]), /^damaged 0$/m);
    });

    admin.test('every command has its help, and a wrong line its usage and status 2', async () => {
        const names = ['stat', 'get', 'scan', 'export', 'import', 'backup', 'purge', 'check', 'restore', 'compact'];
        const help = spawnSync(binary, ['--help'], { encoding: 'utf8' }).stdout;
        for (const name of names) {
            assert.match(help, new RegExp(`^  brasa ${name} `, 'm'));
            assert.match(await done([name, '--help']), new RegExp(`^brasa ${name} `));
            const { code, err } = await tool([name]);
            assert.equal(code, 2, name);
            assert.match(err, new RegExp(`^usage: brasa ${name} `, 'm'));
        }
        for (const words of [['stat', 'a', 'b'], ['stat', 'a', '--hash'], ['scan', 'a', '--limit'], ['get', 'a', ''],
            ['purge', 'a', 's', 'k', 'x'], ['scan', 'a', '--limit', '-3'], ['purge', 'a', 's', '--prefix', 'p'],
            ['get', 'a', Buffer.from([0xff, 0xfe]).toString('latin1') === '' ? '' : '']]) {
            assert.equal((await tool(words)).code, 2, words.join(' '));
        }
    });

    admin.test('a folder that is none, or holds something else, is refused with a sentence', async t => {
        const at = scratch(t);
        for (const words of [['stat'], ['get', 's'], ['scan'], ['export'], ['backup', at('b')], ['purge', 's'], ['check'], ['compact']]) {
            const { code, err } = await tool([words[0], at('nowhere'), ...words.slice(1)]);
            assert.equal(code, 2, words[0]);
            assert.ok(err.includes(at('nowhere')), err);
            assert.equal(existsSync(at('nowhere')), false, `${words[0]} made the folder`);
        }
        assert.equal(existsSync(at('b')) || existsSync(at('b.part')), false);
    });
}
