/* cases-store.mjs - check, compact, and folders that two would have. */
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { assert, chance } from '../tools/harness.mjs';
import { open_raw, put_of } from '../tools/raw.mjs';
import { as_lines, begin_tool, done, figures, hash_of, relay_of, scratch, some_rows, tool } from './tool.mjs';

function check_cases(admin)
{
    admin.test('check writes nothing, and its hash is that of journal and database together', async t => {
        const at = scratch(t);
        const relay = await relay_of(t, ['--limit', 'fold_age_ms=3600000']);
        await done(['import', relay.data], as_lines(some_rows(300)));
        const { hash } = figures(await done(['backup', relay.data, at('b')])); // folds what it has
        const raw = await open_raw(relay.ws_url);
        const now = Date.now();
        await raw.ask(put_of('p1', 'scalars', { null: ['newer', now - 5], true: ['B'.repeat(9000), 1] }));
        await raw.ask(put_of('p2', 'brand new', { k: ['B'.repeat(8000), now - 10], later: [1, now + 3_000_000] }));
        await raw.close();
        await relay.kill();
        cpSync(relay.data, at('copy'), { recursive: true, filter: from => !from.endsWith('admin.sock') });
        const before = readFileSync(path.join(at('copy'), 'data.mdb'));
        const told = figures(await done(['check', at('copy'), '--hash']));
        assert.ok(Number(told.journal_rows) >= 3, 'nothing was left in the journal');
        assert.notEqual(told.hash, hash);
        assert.deepEqual(readFileSync(path.join(at('copy'), 'data.mdb')), before);
        assert.equal(figures(await done(['backup', relay.data, at('b')])).hash, told.hash, 'a start takes the same');
        assert.equal(await hash_of(relay.data), told.hash);
    });

    admin.test('after a kill at any moment the hash of check is that of what a start serves', async t => {
        const at = scratch(t);
        const seed = Number(process.env.SEED) || 1;
        const random = chance(seed);
        const relay = await relay_of(t, ['--limit', 'fold_age_ms=30', '--limit', 'segment_bytes=200000', '--limit', 'fold_rows=200']);
        const now = Date.now();
        for (let round = 0; round < (t.long ? 40 : 6); round++) {
            const raw = await open_raw(relay.ws_url);
            const writes = 50 + Math.floor(random() * 400);
            for (let i = 0; i < writes; i++) {
                const state = random() < 0.05 ? now + 3_600_000 + Math.floor(random() * 5) : now - Math.floor(random() * 50);
                const value = random() < 0.1 ? String.fromCharCode(65 + Math.floor(random() * 4)).repeat(6000) : Math.floor(random() * 3);
                raw.send(put_of(`${round}.${i}`, 's' + Math.floor(random() * 20), { ['k' + Math.floor(random() * 10)]: [value, state] }));
            }
            if (random() < 0.5) await done(['purge', relay.data, 's' + Math.floor(random() * 20), ...random() < 0.5 ? ['k1'] : []]);
            await raw.ask(put_of(`${round}.last`, 'last', { k: [round, now + round] }));
            await relay.kill();
            await raw.close();
            const told = await tool(['check', relay.data, '--hash']);
            assert.equal(told.code, 0, `seed ${seed}, round ${round}: ${told.out}${told.err}`);
            await relay.start();
            assert.equal(figures(await done(['backup', relay.data, at('b')])).hash, figures(told.out).hash, `seed ${seed}, round ${round}`);
        }
    }, { seconds: 300 });

    admin.test('check names a damaged row and a damaged blob, and a torn tail is ordinary', async t => {
        const at = scratch(t);
        const needle = 'find the needle here';
        await done(['import', at('a')], as_lines([{ '#': 'hurt soul', '.': 'hurt key', ':': needle, '>': 1 },
            { '#': 'well', '.': 'k', ':': 'B'.repeat(7000), '>': 1 }, { '#': 'well', '.': 'j', ':': 2, '>': 1 }]));
        const file = path.join(at('a'), 'data.mdb');
        const bytes = readFileSync(file);
        for (let i = bytes.indexOf(needle); i >= 0; i = bytes.indexOf(needle, i + 1)) bytes[i] ^= 1;
        writeFileSync(file, bytes);
        const row = await tool(['check', at('a')]);
        assert.equal(row.code, 1);
        assert.match(row.out, /row is damaged: soul "hurt soul", key "hurt key"/);
        assert.match(row.out, /^damaged 1$/m);
        assert.equal((await tool(['get', at('a'), 'hurt soul', 'hurt key'])).code, 1);
        await done(['get', at('a'), 'well', 'j']);
        const exported = await tool(['export', at('a')]);
        assert.deepEqual([exported.code, exported.out.split('\n').length - 1], [1, 2]);
        const told = await tool(['backup', at('a'), at('b')]);
        assert.deepEqual([told.code, figures(told.out).damaged, figures(told.out).rows], [1, '1', '2']);

        const blob = path.join(at('a'), 'blobs', readdirSync(path.join(at('a'), 'blobs'))[0]);
        const stored = readFileSync(blob);
        stored[stored.indexOf('BBBB') + 100] ^= 4;
        writeFileSync(blob, stored);
        const both = await tool(['check', at('a')]);
        assert.match(both.out, /blobs\/.*its bytes are damaged/);
        assert.match(both.out, /^damaged 2$/m);
        assert.equal((await tool(['get', at('a'), 'well', 'k'])).code, 1);
    });

    admin.test('check finds a missing and a damaged segment of the journal', async t => {
        const at = scratch(t);
        const relay = await relay_of(t, ['--limit', 'fold_age_ms=3600000']);
        const raw = await open_raw(relay.ws_url);
        for (let i = 0; i < 20; i++) await raw.ask(put_of('p' + i, 'soul' + i, { key: ['x'.repeat(50) + i, 1000] }));
        await raw.close();
        await relay.kill();
        const journal = path.join(relay.data, 'journal');
        const live = readdirSync(journal).sort().find(name => readFileSync(path.join(journal, name)).includes('x'.repeat(50)));
        const whole = readFileSync(path.join(journal, live));
        const good = figures(await done(['check', relay.data]));
        assert.equal(good.journal_rows >= 20, true);

        const hurt = Buffer.from(whole);
        hurt[hurt.indexOf('x'.repeat(50) + '5') + 3] ^= 1;
        writeFileSync(path.join(journal, live), hurt);
        const damaged = await tool(['check', relay.data]);
        assert.equal(damaged.code, 1);
        assert.match(damaged.out, new RegExp(`${live}: 1 unreadable stretch`));

        const torn = Buffer.from(whole);
        torn[torn.lastIndexOf('x'.repeat(50) + '19') + 3] ^= 1;
        writeFileSync(path.join(journal, live), torn);
        const tail = await tool(['check', relay.data]);
        assert.deepEqual([tail.code, figures(tail.out).journal_torn], [0, '1'], tail.out);
        copyFileSync(path.join(journal, live), at('kept'));
        assert.equal(existsSync(at('kept')), true);
    });

    admin.test('check survives whatever a database has become', async t => {
        const at = scratch(t);
        await done(['import', at('a')], as_lines(some_rows(100)));
        const file = path.join(at('a'), 'data.mdb');
        const whole = readFileSync(file);
        const seed = Number(process.env.SEED) || 1;
        const random = chance(seed);
        for (let i = 0; i < (t.long ? 300 : 25); i++) {
            const hurt = Buffer.from(whole);
            for (let n = 0; n < 20; n++) hurt[Math.floor(random() * hurt.length)] ^= 1 << Math.floor(random() * 8);
            writeFileSync(file, hurt);
            const { code, err } = await tool(['check', at('a'), '--hash']);
            assert.ok(code === 0 || code === 1 || code === 2, `seed ${seed}, round ${i}: status ${code}\n${err}`);
        }
    }, { seconds: 300 });
}

function compact_cases(admin)
{
    admin.test('compact gives room back and changes nothing that is kept', async t => {
        const at = scratch(t);
        const rows = [];
        for (let i = 0; i < 4000; i++) rows.push({ '#': 'soul' + i, '.': 'k', ':': i % 4 === 0 ? `B${i}`.repeat(1500) : 'v'.repeat(300) + i, '>': 1000 });
        await done(['import', at('a')], as_lines(rows));
        await done(['purge', at('a'), '--prefix', 'soul1']);
        await done(['purge', at('a'), '--prefix', 'soul2']);
        const hash = await hash_of(at('a'));
        const { bytes_before, bytes_after } = figures(await done(['compact', at('a')]));
        assert.ok(Number(bytes_after) < Number(bytes_before), `${bytes_before} -> ${bytes_after}`);
        const told = figures(await done(['check', at('a'), '--hash']));
        assert.deepEqual([told.hash, told.dead_bytes, told.damaged], [hash, '0', '0']);
        assert.equal(figures(await done(['import', at('a')], as_lines(rows.slice(1, 2)))).stale, '1');
        assert.deepEqual(readdirSync(at('a')).filter(name => name.includes('part')), []);
        const again = figures(await done(['compact', at('a')]));
        assert.ok(Number(again.bytes_after) <= Number(bytes_after) + 65536);
        assert.equal(await hash_of(at('a')), hash);
    });

    admin.test('compact folds what a killed server left in the journal', async t => {
        const relay = await relay_of(t, ['--limit', 'fold_age_ms=3600000']);
        await done(['import', relay.data], as_lines(some_rows(100)));
        await relay.kill();
        const hash = await hash_of(relay.data);
        await done(['compact', relay.data]);
        assert.equal(await hash_of(relay.data), hash);
    });
}

/* A command ended by SIGKILL after a while that chance chose; `look` says what must hold. */
async function killed_again_and_again(t, words, rounds, look)
{
    const seed = Number(process.env.SEED) || 1;
    const random = chance(seed);
    for (let i = 0; i < (t.long ? 10 : 1) * rounds; i++) {
        const { child, ended } = begin_tool(words);
        const timer = setTimeout(() => child.kill('SIGKILL'), random() * 60);
        const { code } = await ended;
        clearTimeout(timer);
        await look(code, `seed ${seed}, round ${i}`);
    }
}

function killing_cases(admin)
{
    admin.test('compact killed at any moment leaves the store as it was', async t => {
        const at = scratch(t);
        const rows = [];
        for (let i = 0; i < 1500; i++) rows.push({ '#': 'soul' + i, '.': 'k', ':': i % 2 ? `B${i}`.repeat(1500) : 'v' + i, '>': 1000 });
        await done(['import', at('a')], as_lines(rows));
        await done(['purge', at('a'), '--prefix', 'soul1']);
        const hash = await hash_of(at('a'));
        cpSync(at('a'), at('b'), { recursive: true });
        await killed_again_and_again(t, ['compact', at('b')], 12, async (code, when) => {
            const told = await tool(['check', at('b'), '--hash']);
            assert.equal(figures(told.out).hash, hash, when);
            assert.equal(figures(told.out).damaged, '0', `${when}: ${told.out}`);
            if (code !== 0) return;
            rmSync(at('b'), { recursive: true });
            cpSync(at('a'), at('b'), { recursive: true });
        });
    });

    admin.test('restore killed at any moment leaves no store, or all of it', async t => {
        const at = scratch(t);
        await done(['import', at('a')], as_lines(some_rows(800)));
        const { hash } = figures(await done(['backup', at('a'), at('b')]));
        await killed_again_and_again(t, ['restore', at('b'), at('r')], 15, async (code, when) => {
            if (existsSync(at('r/data.mdb'))) assert.equal(await hash_of(at('r')), hash, when);
            else assert.notEqual(code, 0, when);
            rmSync(at('r'), { recursive: true, force: true });
        });
    });
}

export function store_cases(admin)
{
    check_cases(admin);
    compact_cases(admin);
    killing_cases(admin);

    admin.test('who wants the folder alone is refused while a server has it', async t => {
        const at = scratch(t);
        const relay = await relay_of(t);
        for (const words of [['check', relay.data], ['compact', relay.data], ['serve', '--listen', '127.0.0.1:0', '--data', relay.data]]) {
            const { code, out, err } = await tool(words);
            assert.notEqual(code, 0, words[0]);
            assert.match(out + err, /another process uses the store/, words[0]);
        }
        assert.equal((await tool(['check', relay.data])).code, 2);
        assert.equal((await relay.stop()).code, 0);
        await done(['check', relay.data]);
        assert.equal(existsSync(at('x')), false);
    });

    admin.test('a store of another format is refused with what to do, and left as it was', async t => {
        const at = scratch(t);
        await done(['import', at('a')], as_lines(some_rows(5)));
        const file = path.join(at('a'), 'data.mdb');
        const bytes = readFileSync(file);
        const one = Buffer.from('format\0\0\0\0\0\0\0\x01');
        for (let i = bytes.indexOf(one); i >= 0; i = bytes.indexOf(one, i + 1)) bytes[i + one.length - 1] = 0;
        writeFileSync(file, bytes);
        for (const words of [['serve', '--listen', '127.0.0.1:0', '--data', at('a')], ['stat', at('a')], ['import', at('a')],
            ['check', at('a')], ['compact', at('a')]]) {
            const { code, out, err } = await tool(words);
            assert.notEqual(code, 0, words[0]);
            assert.match(out + err, /has format 0.*export/, words[0]);
        }
        assert.deepEqual(readFileSync(file), bytes);
    });

    admin.test('a folder of something else is left as it was', async t => {
        const at = scratch(t);
        mkdirSync(at('odd'));
        writeFileSync(path.join(at('odd'), 'data.mdb'), Buffer.alloc(8192, 7));
        for (const name of ['stat', 'scan', 'export', 'check', 'compact']) {
            const { code } = await tool([name, at('odd')]);
            assert.ok(code === 1 || code === 2, `${name}: ${code}`);
        }
        assert.deepEqual(readFileSync(path.join(at('odd'), 'data.mdb')), Buffer.alloc(8192, 7));
        assert.equal(statSync(at('odd')).isDirectory(), true);
    });
}
