/* cases-purge.mjs - what was purged does not come back. */
import { assert, fresh } from '../tools/harness.mjs';
import { open_host } from '../tools/gun-client.mjs';
import { open_raw, put_of, read_node } from '../tools/raw.mjs';
import { as_lines, done, figures, lines, relay_of, scratch, tool } from './tool.mjs';

const rows = [];
for (const soul of ['a', 'ab', 'abc', 'b'])
    for (const key of ['x', 'y']) rows.push({ '#': soul, '.': key, ':': key === 'y' ? 'Y'.repeat(5000) : 1, '>': 1000 });

async function kept(folder)
{
    return lines(await done(['scan', folder])).map(row => row['#'] + '.' + row['.']).join(' ');
}

function purging(admin, where, open)
{
    admin.test(`a row, a soul and a prefix are purged for good, in ${where}`, async t => {
        const folder = await open(t);
        await done(['import', folder], as_lines(rows));
        const purge = async (...words) => figures(await done(['purge', folder, ...words])).rows;
        assert.equal(await purge('a', 'x', '--dry-run'), '1');
        assert.equal(await purge('ab', '--dry-run'), '2');
        assert.equal(await purge('--prefix', 'ab', '--dry-run'), '4');
        assert.equal(await kept(folder), 'a.x a.y ab.x ab.y abc.x abc.y b.x b.y', 'a dry run removed something');
        assert.equal(await purge('a', 'x'), '1');
        assert.equal(await kept(folder), 'a.y ab.x ab.y abc.x abc.y b.x b.y');
        assert.equal(await purge('b'), '2');
        assert.equal(await purge('--prefix', 'ab'), '4');
        assert.equal(await kept(folder), 'a.y');
        assert.equal((await tool(['get', folder, 'a', 'x'])).code, 1);
        assert.equal(await purge('b'), '0');
        const old = figures(await done(['import', folder], as_lines(rows)));
        assert.deepEqual([old.taken, old.same, old.stale], ['0', '1', '7']);
        assert.equal(await kept(folder), 'a.y');
        const now = Date.now() + 1;
        const fresh_rows = rows.map(row => ({ ...row, ':': 'new', '>': now }));
        await new Promise(resolve => setTimeout(resolve, 20));
        assert.equal(figures(await done(['import', folder], as_lines(fresh_rows))).taken, '8');
    });
}

export function purge_cases(admin)
{
    purging(admin, 'a running server', async t => (await relay_of(t)).data);
    purging(admin, 'a closed folder', async t => scratch(t)('store'));

    admin.test('a gun client with an old copy does not bring it back, and can write anew', async t => {
        const relay = await relay_of(t);
        const host = open_host();
        t.after(() => host.close());
        const ann = await host.client(relay.url);
        const soul = fresh('spam');
        assert.equal((await ann.put([soul, 'text'], 'buy this')).err, undefined);
        assert.equal(figures(await done(['purge', relay.data, soul])).rows, '1');
        const raw = await open_raw(relay.ws_url);
        const copy = await raw.ask(put_of('again', soul, { text: ['buy this', Date.now() - 5000] }));
        assert.equal(copy.ok, true, 'a stale write is no error');
        assert.deepEqual(await read_node(relay, soul), {});
        await ann.listen([soul]); // it asks, and is asked back for what it has
        await raw.settle(fresh('settle'));
        assert.deepEqual(await read_node(relay, soul), {});
        await relay.restart('kill');
        assert.deepEqual(await read_node(relay, soul), {});
        const bob = await open_raw(relay.ws_url);
        await bob.ask(put_of('new', soul, { text: ['a recipe', Date.now()] }));
        assert.equal((await read_node(relay, soul)).text, 'a recipe');
        await bob.close();
        await raw.close();
    });

    admin.test('a purge holds against what stands in the journal, through a kill and a restart', async t => {
        const relay = await relay_of(t);
        for (let i = 0; i < 3; i++) {
            const raw = await open_raw(relay.ws_url);
            const soul = fresh('gone');
            await raw.ask(put_of('p', soul, { k: [1, Date.now()], big: ['B'.repeat(6000), Date.now()] }));
            await done(['purge', relay.data, soul]);
            await relay.restart('kill');
            assert.deepEqual(await read_node(relay, soul), {});
        }
        await relay.stop();
        assert.match(await done(['check', relay.data]), /^damaged 0$/m);
    });
}
