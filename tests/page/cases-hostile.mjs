/* cases-hostile.mjs - what strangers write: markup, the wrong kind, too much, in circles. It is
 * shown as short text or not at all, and nothing throws. */
import { assert, sleep } from '../tools/harness.mjs';
import { between, isPlace } from '../../web-demo/js/data/order.js';
import * as safe from '../../web-demo/js/data/safe.js';
import { proveManifest } from '../../web-demo/js/data/cut.js';
import { seen, some_track } from './world.mjs';

const values = () => [null, true, false, 0, -1, 1e308, NaN, Infinity, '', 'x', 'x'.repeat(1 << 20), '<img src=x onerror=alert(1)>', 'javascript:alert(1)', '__proto__', 'constructor',
    '\u202egnp.exe', '\u0000\u0007\n\r\t', '\ud800', '[]', '{}', 'null', '{"t":{"toString":1}}', '{"__proto__":{"t":"x"}}', '['.repeat(5000), { '#': 'x' }, { '#': '~' }, { '#': 'audio/x#m' },
    {}, [], [1], { '#': 7 }, Object.create(null), undefined];

/* What gun takes: the others as the text that a careless app would make of them. */
const storable = value => (value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value) || typeof value?.['#'] === 'string' ? value : `${JSON.stringify(value)}`);

const bounded = (track, what) => {
    for (const name of ['title', 'artist', 'album', 'genre', 'year', 'note', 'mime', 'cover', 'soul']) {
        if (track[name] === undefined) continue;
        assert.equal(typeof track[name], 'string', `${name} of ${what}`);
        assert.ok(track[name].length <= 2000 && !/[\u0000-\u001f\u2028]/.test(track[name]), `${name} of ${what}`);
    }
    for (const name of ['seconds', 'bytes', 'at']) assert.ok(Number.isFinite(track[name]) && track[name] >= 0, `${name} of ${what}`);
    assert.match(track.cover, /^([0-9a-f]{64})?$/);
    assert.match(track.mime, /^((audio|video)\/[a-z0-9.+-]+)?$/);
};

export function hostile_cases(suite, world)
{
    suite.test('readers of values give what they promise, for every kind of value', async () => {
        for (const value of values()) {
            assert.ok(safe.text(value, 50).length <= 50);
            assert.ok(Number.isFinite(safe.number(value, 0, 10)));
            assert.equal(typeof safe.link(value), 'string');
            const record = safe.record(value);
            assert.ok(record !== null && typeof record === 'object' && !Array.isArray(record));
            for (const read of [safe.picture, safe.hex64, safe.hash44, safe.audioType, safe.pub]) assert.equal(read(value), '');
            assert.equal(safe.soul(value), null);
            assert.equal(isPlace(value), ['x', 'constructor', 'null'].includes(value), JSON.stringify(value)?.slice(0, 20));
        }
        assert.equal(safe.picture('data:image/svg+xml;base64,PHN2Zz4='), '');
        assert.equal(safe.picture('data:image/png;base64,' + 'A'.repeat(60_000)), '');
        assert.equal(safe.picture('data:image/png;base64,AAAA" onload="x'), '');
        assert.equal(safe.audioType('text/html'), '');
        assert.equal(safe.soul(`~${'a'.repeat(43)}.${'b'.repeat(43)}/tracks/../../x`), null);
        assert.equal(safe.text('left \u202eright\u2066 to\u200f'), 'left right to\u200f');
        assert.equal(safe.text('a\ud800b', 10).isWellFormed?.() ?? true, true);
        assert.ok(between('', null));
    });

    suite.test('a library of hostile rows: what could be played is shown as text, the rest is not', async t => {
        const ann = await world.person(t), eve = await world.visitor(t), pub = ann.people.me.pub;
        const good = some_track(3), fine = { r: good.root, k: good.manifest };
        let i = 0;
        for (const value of values()) {
            await ann.relay.put(`~${pub}/shelf`, 'v' + i++, storable(value));
            const field = JSON.stringify({ ...fine, t: value, a: value, l: value, s: value, b: value, m: value, c: value, p: value, d: value });
            await ann.relay.put(`~${pub}/shelf`, 'f' + i, field);
        }
        await ann.relay.put(`~${pub}/shelf`, 'key with / and #', JSON.stringify({ ...fine, t: 'x' }));
        const last = await ann.tracks.publish(good);
        await seen('the last one', () => eve.tracks.get(last));
        const hers = () => eve.tracks.list.filter(track => track.pub === pub);
        await seen('the others', () => hers().length > 20);
        await sleep(200);
        const rows = hers();
        assert.ok( rows.every(track => /\/tracks\/(f\d+|0000)/.test(track.soul)), `${rows.length} rows`);
        for (const track of rows) bounded(track, track.soul);
    }, { seconds: 120 });

    suite.test('a track of hostile fields, and one that links in circles, are read or refused', async t => {
        const ann = await world.person(t), eve = await world.visitor(t), pub = ann.people.me.pub, good = some_track(4);
        let i = 0;
        for (const value of values()) {
            const soul = `~${pub}/tracks/h${i++}`;
            const kept = storable(value);
            await ann.relay.putAll(soul, { root: good.root, manifest: good.manifest, at: 5, title: kept, artist: kept, cover: kept, peaks: kept, durationSec: kept, mime: kept, year: kept, premium: kept });
            let track; /* a page gives up after some seconds, and these are megabytes */
            await seen('the track', async () => (track = await eve.tracks.load(soul)));
            bounded(track, JSON.stringify(kept)?.slice(0, 40));
            assert.ok(track.peaks === null || track.peaks instanceof Uint8Array);
        }
        const circle = `~${pub}/tracks/circle`;
        await ann.relay.putAll(circle, { root: { '#': circle }, manifest: { '#': circle }, title: { '#': circle }, audio: { '#': circle } });
        assert.equal(await eve.tracks.load(circle), null);
        for (const no of ['', 'x', '~', circle + '/x', null, {}, 7]) assert.equal(await eve.tracks.load(no), null);
    }, { seconds: 120 });

    suite.test('hostile playlists, items, names and people', async t => {
        const ann = await world.person(t), eve = await world.visitor(t), pub = ann.people.me.pub;
        const soul = await ann.playlists.create('Good'), hers = ann.playlists.open(soul);
        t.after(() => hers.close());
        let i = 0;
        const items = {};
        for (const value of values()) {
            if (value !== undefined && (value === null || typeof value !== 'object') && (typeof value !== 'number' || Number.isFinite(value))) items['item' + String(i).padStart(8, '0')] = value;
            items['more' + String(i++).padStart(8, '0')] = JSON.stringify({ t: value, p: value, a: value });
        }
        await ann.relay.putAll(soul + '/items', items);
        await ann.relay.putAll(`~${pub}/playlists`, { 'bad key/x': 'y', one: 'text', two: { '#': '~' + pub }, three: { '#': soul }, four: null });
        await ann.relay.putAll(`~${pub}/editors/${hers.id}`, { x: 'certificate SEA{', [pub]: 'certificate SEA{"m":null,"s":1}', [eve.people.short(pub)]: 7 });
        await ann.relay.put(soul, 'name', '<b>\u202ename</b>' + 'n'.repeat(100_000));
        const good = await hers.add(`~${pub}/tracks/abc`);
        const there = eve.playlists.open(soul);
        t.after(() => there.close());
        await seen('the good item', () => there.items.length > 0 && there.name.startsWith('<b>'));
        assert.deepEqual(there.items.map(item => item.id), [good]);
        assert.ok(there.name.length <= 120);
        assert.deepEqual(there.editors, []);
        await sleep(100);
        assert.deepEqual(eve.playlists.list.filter(one => one.owner === pub).map(one => one.soul), [soul]);
        for (const no of ['x', `~${pub}/tracks/abc`, null]) assert.throws(() => eve.playlists.open(no), /no playlist/);

        await ann.relay.put('~' + pub, 'alias', '<script>' + 'a'.repeat(1000)); /* gun signs what it is given */
        await seen('a short name', () => eve.people.name(pub));
        assert.ok(eve.people.name(pub).length <= 60);
        assert.equal(eve.people.name('nobody'), '');
        assert.deepEqual(await eve.people.find('\u0000'), []);
    });

    suite.test('five hundred lists of a stranger hide none of one\'s own', async t => {
        const relay = await world.own_relay(t), bob = await world.person(t, { relay }), pub = bob.people.me.pub;
        await bob.relay.putAll(`~${pub}/playlists`, Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`list${i}`, { '#': `~${pub}/playlists/list${i}` }])));
        const ann = await world.person(t, { relay });
        await seen('his', () => ann.playlists.list.length >= 500, 30);
        assert.equal(ann.playlists.list.length, 500);
        const soul = await ann.playlists.create('Mine');
        await seen('hers', () => ann.playlists.list.some(one => one.soul === soul && one.mine && one.name === 'Mine'));
    }, { seconds: 90 });

    suite.test('items that point where lists are not are not followed', async t => {
        const ann = await world.person(t), bob = await world.person(t), eve = await world.visitor(t);
        const soul = await ann.playlists.create('Mine'), hers = ann.playlists.open(soul);
        t.after(() => hers.close());
        await hers.add(`~${ann.people.me.pub}/tracks/abc`);
        const other = `~${bob.people.me.pub}/playlists/x/items`;
        await bob.relay.putAll(other, { a23456789012: JSON.stringify({ t: `~${bob.people.me.pub}/tracks/zzz`, p: 'V' }) });
        for (const place of [other, soul, soul + '/items/../..', soul + '/itemsX#y']) {
            await ann.relay.put(soul, 'items', { '#': place });
            const there = eve.playlists.open(soul);
            await seen('her own item', () => there.items.length === 1 && there.items[0].track.endsWith('/abc'));
            there.close();
        }
    });

    suite.test('a manifest that lies is refused, whatever it lies about', async () => {
        const digest = async text => Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('base64');
        const prove = async said => { const text = typeof said === 'string' ? said : JSON.stringify(said); return proveManifest(text, await digest(text), said?.root, async () => '[]'); };
        const h = [await digest('a')], root = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(h[0], 'base64'))).toString('hex');
        const good = { v: 1, mime: 'audio/mpeg', bytes: 100, chunk: 36864, span: 36864, n: 1, seg: 64, root, h };
        assert.equal((await prove(good)).n, 1);
        const lies = [{ v: 2 }, { bytes: 0 }, { bytes: '100' }, { bytes: 1e5 }, { chunk: 0 }, { chunk: 1e9, span: 1e9 }, { span: 100 }, { n: 2 }, { n: 1e9, bytes: 1e9 * 36864 }, { h: [] }, { h: 'x' }, { h: [7] }, { h: ['x'] },
            { h: [await digest('b')] }, { root: '0'.repeat(64) }, { h: null, parts: null }, { h: null, parts: ['x'] }, { enc: {} }, { enc: { preview: { n: 5, k: 'x' } }, span: 36848 }];
        for (const lie of lies) await assert.rejects(prove({ ...good, ...lie }), undefined, JSON.stringify(lie));
        for (const text of ['', 'null', '[]', '7', '{', 'x'.repeat(2 << 20)]) await assert.rejects(prove(text), undefined, text.slice(0, 10));
        await assert.rejects(proveManifest(JSON.stringify(good), await digest('another'), root), /not the text of its hash/);
    });
}
