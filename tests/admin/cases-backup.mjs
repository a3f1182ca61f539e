/* cases-backup.mjs - one moment of the store as a file, and back. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { assert, chance, fresh, sleep, until } from '../tools/harness.mjs';
import { open_raw, put_of } from '../tools/raw.mjs';
import { as_lines, begin_tool, done, figures, hash_of, knock, lines, relay_of, scratch, some_rows, tool } from './tool.mjs';

/* Writes until told to end; gives how many were acknowledged. */
function keep_writing(relay)
{
    const soul = fresh('flow');
    let over = false;
    const writing = (async () => {
        const raw = await open_raw(relay.ws_url);
        let i = 0;
        for (; !over; i++) await raw.ask(put_of(`w${i}`, soul + (i % 50), { ['k' + i]: [i % 9 === 0 ? 'B'.repeat(4500) + i : i, Date.now()] }));
        await raw.close();
        return i;
    })();
    return { end: () => { over = true; return writing; } };
}

export function backup_cases(admin)
{
    admin.test('a backup during writes is restored elsewhere with the hash of its moment', async t => {
        const at = scratch(t);
        const relay = await relay_of(t);
        await done(['import', relay.data], as_lines(some_rows(500)));
        await done(['purge', relay.data, 'banned']);
        const flow = keep_writing(relay);
        for (let i = 0; i < 3; i++) {
            const told = figures(await done(['backup', relay.data, at('b')]));
            assert.equal(statSync(at('b')).mode & 0o777, 0o600);
            assert.equal(Number(told.bytes), statSync(at('b')).size);
            const restored = figures(await done(['restore', at('b'), at('r' + i)]));
            assert.deepEqual([restored.rows, restored.held, restored.floors, restored.hash], [told.rows, told.held, told.floors, told.hash]);
            assert.equal(await hash_of(at('r' + i)), told.hash);
            await sleep(50);
        }
        assert.ok(await flow.end() > 3, 'nobody wrote meanwhile');
        assert.deepEqual(readdirSync(at('r0')).sort().filter(name => name !== 'lock.mdb'), ['blobs', 'data.mdb', 'journal', 'lock']);
        assert.equal(figures(await done(['import', at('r0')], as_lines([{ '#': 'banned', '.': 'k', ':': 1, '>': 1000 }]))).stale, '1');
    });

    admin.test('a server runs on a restored store, and tells its held write when it is due', async t => {
        const at = scratch(t);
        const due = Date.now() + 4000;
        await done(['import', at('a')], as_lines([{ '#': 'later', '.': 'k', ':': 'due', '>': due }, { '#': 'x', '.': 'k', ':': 'C'.repeat(9000), '>': 1 }]));
        await done(['backup', at('a'), at('b')]);
        await done(['restore', at('b'), at('r')]);
        const relay = await relay_of(t, ['--data', at('r')]);
        assert.equal(lines(await done(['get', at('r'), 'x', 'k']))[0][':'].length, 9000);
        await until('the held write', async () => (await tool(['get', at('r'), 'later', 'k'])).code === 0);
        assert.ok(Date.now() >= due);
        assert.equal((await relay.stop()).code, 0);
    });

    admin.test('a backup of an empty store is a store', async t => {
        const at = scratch(t);
        await done(['import', at('a')], '');
        assert.equal(figures(await done(['backup', at('a'), at('b')])).hash, '0'.repeat(32));
        await done(['restore', at('b'), at('r')]);
        assert.equal(await hash_of(at('r')), '0'.repeat(32));
    });

    admin.test('a backup that is cut off or has a wrong bit makes no store', async t => {
        const at = scratch(t);
        await done(['import', at('a')], as_lines(some_rows(20)));
        await done(['purge', at('a'), 'gone']);
        await done(['backup', at('a'), at('b')]);
        const whole = readFileSync(at('b'));
        const seed = Number(process.env.SEED) || 1;
        const random = chance(seed);
        const damaged = [whole.subarray(0, 0), whole.subarray(0, whole.length - 1), Buffer.concat([whole, Buffer.from([0])])];
        for (let i = 0; i < (t.long ? 200 : 20); i++) damaged.push(whole.subarray(0, Math.floor(random() * whole.length)));
        for (let i = 0; i < (t.long ? 500 : 40); i++) {
            const flipped = Buffer.from(whole);
            flipped[Math.floor(random() * whole.length)] ^= 1 << Math.floor(random() * 8);
            damaged.push(flipped);
        }
        for (const bytes of damaged) {
            writeFileSync(at('bad'), bytes);
            const { code, err } = await tool(['restore', at('bad'), at('r')]);
            assert.equal(code, 1, `seed ${seed}`);
            assert.match(err, /is not a whole backup/);
            assert.equal(existsSync(at('r')), false);
        }
    }, { seconds: 300 });

    admin.test('a server killed in the middle of a backup leaves no file to believe in', async t => {
        const at = scratch(t);
        const relay = await relay_of(t);
        const rows = [];
        for (let i = 0; i < 4000; i++) rows.push({ '#': 'm' + i, '.': 'k', ':': 'v'.repeat(3000) + i, '>': 1000 });
        await done(['import', relay.data], as_lines(rows));
        const { child, ended } = begin_tool(['backup', relay.data, at('b')]);
        await until('the backup to be under way', () => existsSync(at('b.part')) && statSync(at('b.part')).size > 0, 20);
        child.kill('SIGSTOP');
        await relay.kill();
        child.kill('SIGCONT');
        const { code } = await ended;
        if (code === 0) return assert.equal(figures(await done(['restore', at('b'), at('r')])).rows, '4000'); // it was whole already
        assert.equal(existsSync(at('b')) || existsSync(at('b.part')), false);
    });

    admin.test('a tool killed in the middle of a backup leaves a part that no restore believes', async t => {
        const at = scratch(t);
        const relay = await relay_of(t);
        const rows = [];
        for (let i = 0; i < 4000; i++) rows.push({ '#': 'm' + i, '.': 'k', ':': 'v'.repeat(3000) + i, '>': 1000 });
        await done(['import', relay.data], as_lines(rows));
        const socket = await knock(relay);
        socket.write('{"do":"backup"}\n');
        await until('some of it', () => socket.heard.length > 100_000);
        socket.destroy();
        const { child, ended } = begin_tool(['backup', relay.data, at('b')]);
        await until('the backup to be under way', () => existsSync(at('b.part')) && statSync(at('b.part')).size > 0, 20);
        child.kill('SIGKILL');
        await ended;
        if (existsSync(at('b.part'))) {
            assert.equal((await tool(['restore', at('b.part'), at('r')])).code, 1);
            assert.equal(existsSync(at('r')), false);
        }
        await done(['backup', relay.data, at('b')]);
        assert.equal(existsSync(at('b.part')), false);
        await done(['restore', at('b'), at('r')]);
    });

    admin.test('neither backup nor restore replaces what is not theirs', async t => {
        const at = scratch(t);
        await done(['import', at('a')], as_lines(some_rows(5)));
        writeFileSync(at('letter'), 'dear sir');
        assert.equal((await tool(['backup', at('a'), at('letter')])).code, 2);
        assert.equal(readFileSync(at('letter'), 'utf8'), 'dear sir');
        assert.equal((await tool(['backup', at('a'), at('no/such/folder')])).code, 2);
        await done(['backup', at('a'), at('b')]);
        await done(['backup', at('a'), at('b')]);
        mkdirSync(at('full'));
        writeFileSync(at('full/letter'), 'dear sir');
        for (const [folder, why] of [['a', /holds a store/], ['full', /not empty/]]) {
            const { code, err } = await tool(['restore', at('b'), at(folder)]);
            assert.equal(code, 1);
            assert.match(err, why);
        }
        assert.match(await done(['check', at('a')]), /^damaged 0$/m);
        assert.equal((await tool(['restore', at('missing'), at('r')])).code, 1);
        mkdirSync(at('empty'));
        await done(['restore', at('b'), at('empty')]);
        assert.equal(await hash_of(at('empty')), await hash_of(at('a')));
    });

    admin.test('a restore into a folder that a server has is refused', async t => {
        const at = scratch(t);
        const relay = await relay_of(t);
        await done(['backup', relay.data, at('b')]);
        const { code, err } = await tool(['restore', at('b'), relay.data]);
        assert.equal(code, 1);
        assert.match(err, /holds a store/);
    });
}
