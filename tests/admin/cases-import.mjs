/* cases-import.mjs - reading rows out and taking rows in: get, scan, export, import. */
import { existsSync, writeFileSync } from 'node:fs';
import { assert, fresh, until } from '../tools/harness.mjs';
import { open_raw, put_of, read_node } from '../tools/raw.mjs';
import { as_lines, done, figures, hash_of, lines, relay_of, same_lines, scratch, some_rows, tool } from './tool.mjs';

/* A case against a running server and against a folder nobody has. `open` gives the folder. */
function both(admin, sentence, body)
{
    admin.test(`${sentence}, of a running server`, async t => body(t, (await relay_of(t)).data));
    admin.test(`${sentence}, of a closed folder`, async t => body(t, scratch(t)('store')));
}

function reading_cases(admin)
{
    both(admin, 'get, scan and export show what is kept', async (t, folder) => {
        const rows = some_rows(60);
        assert.equal(figures(await done(['import', folder], as_lines(rows))).taken, String(rows.length - 1));
        const one = rows[3];
        assert.deepEqual(lines(await done(['get', folder, one['#'], one['.'].replace('\0', '')])
            .catch(() => '')), []); // a word of a command line ends at a NUL
        assert.deepEqual(lines(await done(['get', folder, 'scalars', 'null'])), [{ '#': 'scalars', '.': 'null', ':': null, '>': 1.5 }]);
        assert.deepEqual(lines(await done(['get', folder, 'scalars'])).map(row => row['.']), ['null', 'true']);
        for (const words of [['nothing'], ['scalars', 'nothing'], ['scalar'], ['later', 'held']]) {
            const { code, out, err } = await tool(['get', folder, ...words]);
            assert.deepEqual([code, out], [1, ''], words.join(' '));
            assert.match(err, /not found/);
        }
        const by_name = (a, b) => (a['#'] < b['#'] ? -1 : a['#'] > b['#'] ? 1 : a['.'] < b['.'] ? -1 : 1);
        const taken = rows.filter(row => !row.held).sort(by_name);
        const held = rows.filter(row => row.held);
        assert.deepEqual(lines(await done(['scan', folder])), [...taken, ...held]);
        assert.deepEqual(lines(await done(['export', folder])), [...taken, ...held]);
        assert.deepEqual(lines(await done(['scan', folder, 'soul/1'])), taken.filter(row => row['#'].startsWith('soul/1')));
        assert.deepEqual(lines(await done(['export', folder, '--prefix', 'scal'])), taken.filter(row => row['#'] === 'scalars'));
        assert.equal(lines(await done(['scan', folder, '--limit', '5'])).length, 5);
        assert.deepEqual(lines(await done(['scan', folder, '--souls'])).map(row => row['#']), [...new Set(taken.map(row => row['#']))]);
        const stat = figures(await done(['stat', folder]));
        assert.deepEqual([stat.held, stat.trouble], ['1', '']);
    });

    admin.test('what a client wrote a moment ago is seen by get, scan and export', async t => {
        const relay = await relay_of(t);
        const raw = await open_raw(relay.ws_url);
        const soul = fresh('just');
        await raw.ask(put_of('p', soul, { k: ['now', 5000], big: ['B'.repeat(9000), 6000] }));
        assert.equal(lines(await done(['get', relay.data, soul, 'k']))[0][':'], 'now');
        assert.equal(lines(await done(['get', relay.data, soul])).length, 2);
        assert.equal(lines(await done(['scan', relay.data, soul])).length, 2);
        assert.equal(lines(await done(['export', relay.data, '--prefix', soul]))[0][':'].length, 9000);
        await raw.close();
    });
}

function taking_cases(admin)
{
    both(admin, 'an export imported into a fresh folder is the same store', async (t, folder) => {
        const at = scratch(t);
        await done(['import', folder], as_lines(some_rows(300)));
        await done(['purge', folder, 'scalars', 'true']);
        await done(['purge', folder, 'gone']);
        await done(['purge', folder, '--prefix', 'spam/']);
        const exported = await done(['export', folder]);
        assert.equal(exported.split('\n').filter(line => line.includes('"floor"')).length, 3);
        writeFileSync(at('lines'), exported);
        await done(['import', at('copy'), at('lines')]);
        same_lines(await done(['export', at('copy')]), exported);
        const { hash } = figures(await done(['backup', folder, at('b')]));
        assert.equal(await hash_of(at('copy')), hash);
        const again = figures(await done(['import', at('copy'), at('lines')]));
        assert.deepEqual([again.taken, again.stale, again.floors_left], ['0', '0', '0'], JSON.stringify(again));
        assert.equal(await hash_of(at('copy')), hash);
        const old = as_lines([{ '#': 'gone', '.': 'k', ':': 1, '>': 1000 }, { '#': 'spam/x', '.': 'k', ':': 1, '>': 1000 }]);
        assert.equal(figures(await done(['import', at('copy')], old)).stale, '2', 'a floor was lost on the way');
    });

    both(admin, 'an import goes through HAM and undoes nothing', async (t, folder) => {
        const row = (value, state) => ({ '#': 's', '.': 'k', ':': value, '>': state });
        await done(['import', folder], as_lines([row('new', 2000)]));
        const told = figures(await done(['import', folder], as_lines([row('old', 1000), row('new', 2000), row('newer', 3000),
            row('later', Date.now() + 3_600_000), { '#': 's', floor: 9e15 }])));
        assert.deepEqual([told.lines, told.taken, told.same, told.stale, told.held, told.floors, told.floors_left],
            ['5', '1', '1', '1', '1', '0', '1']);
        assert.equal(lines(await done(['get', folder, 's', 'k']))[0][':'], 'newer');
    });

    both(admin, 'a bad line stops an import at its number, and --skip-bad goes on', async (t, folder) => {
        const good = i => JSON.stringify({ '#': 'good', '.': 'k' + i, ':': i, '>': 1000 });
        const bad = ['{"#":"a"', '[]', '{"#":"","." :"k",":":1,">":1}', '{"#":"a",":":1,">":1}', '{"#":"a",".":"k",">":1}',
            '{"#":"a",".":"k",":":1}', '{"#":"a",".":"k",":":1,">":"1"}', '{"#":"a",".":"k",":":1,">":1e999}',
            '{"#":"a",".":"k",":":{"b":1},">":1}', '{"#":"a",".":"k",":":[1],">":1}', '{"#":"a","floor":"x"}',
            `{"#":"${'x'.repeat(70000)}",".":"k",":":1,">":1}`, '\u0000'];
        for (const line of bad) {
            const { code, err } = await tool(['import', folder], [good(1), '', line, good(2)].join('\n'));
            assert.equal(code, 1, line);
            assert.match(err, /line 3: /, line);
        }
        assert.equal((await tool(['get', folder, 'good', 'k1'])).code, 0, 'what stood before it was not taken');
        assert.equal((await tool(['get', folder, 'good', 'k2'])).code, 1, 'what stood behind it was taken');
        const { code, out, err } = await tool(['import', folder, '--skip-bad'], [good(3), ...bad, good(4)].join('\n'));
        assert.equal(code, 1);
        assert.deepEqual([figures(out).bad, figures(out).lines], [String(bad.length), String(bad.length + 2)]);
        assert.match(err, /line 2/);
        assert.equal(lines(await done(['get', folder, 'good'])).length, 3);
    });

    admin.test('an import into a running server is slices of its turns: clients are answered meanwhile', async t => {
        const relay = await relay_of(t);
        const soul = fresh('load');
        const rows = [];
        for (let i = 0; i < 60000; i++) rows.push({ '#': soul + (i % 1000), '.': 'k' + i, ':': 'v'.repeat(100) + i, '>': 1000 });
        const raw = await open_raw(relay.ws_url);
        const importing = done(['import', relay.data], as_lines(rows));
        let acked = 0;
        let over = false;
        importing.then(() => { over = true; }, () => { over = true; });
        while (!over) {
            const ack = await raw.ask(put_of(`p${acked}`, soul + 'own', { k: [acked, Date.now()] }));
            assert.equal(ack.ok, true, JSON.stringify(ack));
            acked++;
        }
        assert.equal(figures(await importing).taken, '60000');
        assert.ok(acked > 1, 'no client was heard during the import');
        await raw.close();
        assert.equal((await read_node(relay, soul + '7')).k7, 'v'.repeat(100) + 7);
        assert.match(await (await relay.stop(), done(['check', relay.data])), /^damaged 0$/m);
    });

    admin.test('what was imported is durable when the import says so', async t => {
        const relay = await relay_of(t);
        await done(['import', relay.data], as_lines(some_rows(200)));
        const { hash } = figures(await done(['backup', relay.data, scratch(t)('b')]));
        await done(['import', relay.data], as_lines([{ '#': 'last', '.': 'k', ':': 'L'.repeat(5000), '>': 1000 }]));
        await relay.kill();
        assert.notEqual(await hash_of(relay.data), hash);
        assert.equal(lines(await done(['get', relay.data, 'last', 'k']))[0][':'].length, 5000);
    });

    both(admin, 'a line of 20 MiB is imported and comes out again, one beyond all bounds is refused', async (t, folder) => {
        const at = scratch(t);
        await done(['import', folder], as_lines([{ '#': 'large', '.': 'k', ':': 'L'.repeat(20 << 20), '>': 1 }]));
        assert.equal(lines(await done(['get', folder, 'large', 'k']))[0][':'].length, 20 << 20);
        await done(['backup', folder, at('b')]);
        await done(['restore', at('b'), at('r')]);
        assert.equal(lines(await done(['get', at('r'), 'large', 'k']))[0][':'].length, 20 << 20);
        const { code, err } = await tool(['import', folder], as_lines([{ '#': 'huge', '.': 'k', ':': 'H'.repeat(70 << 20), '>': 1 }]));
        assert.equal(code, 1);
        assert.match(err, /line 1/);
        assert.equal((await tool(['get', folder, 'huge'])).code, 1);
    });

    admin.test('an import that is cut off leaves whole lines', async t => {
        const relay = await relay_of(t);
        const { code } = await tool(['import', relay.data], as_lines([{ '#': 'a', '.': 'k', ':': 1, '>': 1 }]) + '{"#":"b",".":"k",":"');
        assert.equal(code, 1);
        assert.deepEqual(lines(await done(['scan', relay.data])).map(row => row['#']), ['a']);
        await until('the server to be well', async () => (await tool(['stat', relay.data])).code === 0);
        assert.equal(existsSync(relay.data), true);
    });
}

export function import_cases(admin)
{
    reading_cases(admin);
    taking_cases(admin);
}
