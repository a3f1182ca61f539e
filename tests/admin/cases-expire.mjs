/* cases-expire.mjs - what has expired leaves the disk, while the server runs and after. */
import { assert, until } from '../tools/harness.mjs';
import { open_raw, put_of } from '../tools/raw.mjs';
import { as_lines, done, figures, lines, relay_of, scratch } from './tool.mjs';

/* Souls and keys that are on disk: a scan shows what is there, not what is served. */
async function kept(folder)
{
    return lines(await done(['scan', folder])).map(row => row['#'] + '.' + row['.']).join(' ');
}

async function stat(folder, name)
{
    return Number(figures(await done(['stat', folder]))[name]);
}

async function put(relay, nodes)
{
    const raw = await open_raw(relay.ws_url);
    for (const [soul, fields] of Object.entries(nodes))
        assert.equal((await raw.ask(put_of('p' + soul, soul, fields))).ok, true);
    await raw.close();
}

export function expire_cases(admin)
{
    admin.test('a key in x<?2 is on disk until its time is over, then it is not', async t => {
        const relay = await relay_of(t);
        const now = Date.now();
        await put(relay, {
            'x<?2': { small: [1, now], large: ['L'.repeat(9000), now] },
            'x<?900': { stays: [2, now] },
            plain: { stays: [3, now - 5000] },
        });
        assert.match(await kept(relay.data), /plain\.stays .*x<\?900\.stays/);
        await until('what has expired leaves the disk', async () => await kept(relay.data) === 'plain.stays x<?900.stays');
        assert.ok(Date.now() - now >= 2000, 'it left before its time');
        assert.equal(await stat(relay.data, 'rows_expired'), 2);
        assert.equal(await stat(relay.data, 'rows'), 2);
        const metrics = await (await fetch(relay.http('/metrics'))).text();
        assert.match(metrics, /^brasa_store_rows_expired_total 2$/m);
        await relay.stop();
        const found = figures(await done(['check', relay.data]));
        assert.deepEqual([found.damaged, found.rows, found.souls, found.blobs], ['0', '2', '2', '0']);
    });

    admin.test('what expired in the journal of a killed server never comes to the database', async t => {
        const relay = await relay_of(t, ['--limit', 'fold_age_ms=3600000']);
        const now = Date.now();
        await put(relay, { 'x<?4': { a: [1, now] }, plain: { a: [1, now] } });
        await relay.kill();
        await until('its time is over', () => Date.now() > now + 4000);
        await relay.start();
        assert.equal(await kept(relay.data), 'plain.a');
        assert.equal(await stat(relay.data, 'rows_expired'), 1);
    });

    admin.test('what expired while the server was down leaves with its start', async t => {
        const relay = await relay_of(t);
        const now = Date.now();
        await put(relay, { 'x<?8': { a: [1, now] }, plain: { a: [1, now] } });
        await relay.stop(); // all of it is in the database now
        assert.equal(figures(await done(['check', relay.data])).rows, '2');
        await until('its time is over', () => Date.now() > now + 8000);
        await relay.start();
        await until('it leaves the disk', async () => await kept(relay.data) === 'plain.a');
    }, { beside: true });

    admin.test('a compact leaves nothing that has expired, and what is held for later', async t => {
        const folder = scratch(t)('store');
        const now = Date.now();
        await done(['import', folder], as_lines([{ '#': 'x<?8', '.': 'a', ':': 1, '>': now },
            { '#': 'x<?8', '.': 'b', ':': 1, '>': now + 3_600_000, held: true }, { '#': 'y', '.': 'a', ':': 1, '>': now }]));
        assert.equal(figures(await done(['check', folder])).rows, '2');
        await until('its time is over', () => Date.now() > now + 8000);
        await done(['compact', folder]);
        const found = figures(await done(['check', folder]));
        assert.deepEqual([found.damaged, found.rows, found.held, found.souls], ['0', '1', '1', '1']);
    }, { beside: true });

    admin.test('the bytes of content hashes are what check counts, through a kill', async t => {
        const relay = await relay_of(t);
        const now = Date.now();
        const value = 'chunk';
        const hash = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(value))).toString('base64');
        await put(relay, { 'room#': { [hash]: [value, now] }, plain: { a: ['not counted', now] } });
        assert.equal(await stat(relay.data, 'hashed_bytes'), JSON.stringify(value).length);
        await relay.restart('kill');
        assert.equal(await stat(relay.data, 'hashed_bytes'), JSON.stringify(value).length);
        await relay.stop();
        const found = figures(await done(['check', relay.data]));
        assert.deepEqual([found.damaged, Number(found.hashed_bytes)], ['0', JSON.stringify(value).length]);
    });
}
