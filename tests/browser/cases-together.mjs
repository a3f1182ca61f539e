/* cases-together.mjs - the page at `/` between two or three browsers: lists edited at once,
 * relays that go and come back, uploads that are broken off, strangers who write what they
 * like, and a library of thousands. The smaller steps are in cases-page.mjs. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assert, fresh, sleep, until } from '../tools/harness.mjs';
import { own_relay } from '../tools/relay.mjs';
import { noise } from '../audio/track.mjs';
import { Browser, some_track } from '../page/world.mjs';
import { sounds_of } from './sound.mjs';
import { phone, visitors } from './visitor.mjs';

const a_chunk = /\/audio\/[0-9a-f]{64}\/(\d+)\?/;

export function together_journeys({ test }, context)
{
    const visitor = visitors(context);

    /* Somebody whose data is there without a browser: the page's own modules in Node. */
    async function author(t, relay)
    {
        const data = new Browser().page(t, relay.http(''));
        await data.people.signUp(fresh('author'), 'correct horse battery');
        return data;
    }

    /* Lets as many chunks out of the page as it is told, and holds the others: an upload is
     * then as far as the case wants it, however fast the machine is. */
    async function gate_of_chunks(page)
    {
        const held = [];
        let room = 0;
        const open = () => { while (room > 0 && held.length > 0) { room--; held.shift().continue().catch(() => {}); } }; /* a page that went took its requests along */
        await page.route(a_chunk, route => {
            held.push(route);
            open();
        });
        return { lets(more) { room += more; open(); } };
    }

    /* Moves a row by the arrow keys of its grip. */
    async function nudges(who, title, key, times = 1)
    {
        const grip = who.page.getByRole('button', { name: new RegExp(`^Move ${title},`) });
        await grip.focus();
        for (let i = 0; i < times; i++) await who.page.keyboard.press(key);
    }

    test('two edit one playlist, each in a browser: shared by certificate, sorted by both at once, the same on three screens', async t => {
        const relay = await own_relay(t), nina = await visitor(t, relay), omar = await visitor(t, relay, phone), guest = await visitor(t, relay);
        const titles = ['Alpha', 'Bravo', 'Charlie', 'Delta', 'Echo'], name = fresh('omar');
        await nina.visit();
        await omar.visit();
        await nina.signs_up(fresh('nina'));
        await omar.signs_up(name);
        const data = await author(t, relay);
        for (const [i, title] of titles.entries()) await data.tracks.publish(some_track(i, { title }));
        for (const title of titles) await nina.sees(title);
        await nina.menu('Alpha', 'Add to a playlist');
        await nina.page.getByRole('button', { name: 'New playlist' }).click();
        await nina.page.getByRole('dialog').getByLabel('Name').fill('Sunday');
        await nina.page.getByRole('button', { name: 'Create' }).click();
        await nina.said('Added to');
        await nina.page.getByRole('link', { name: 'Sunday' }).first().click();
        await until('the first row', async () => (await nina.rows()).join() === 'Alpha');
        await nina.page.getByRole('button', { name: 'Share' }).click();
        await nina.page.getByLabel('Name of an editor').fill(name);
        await nina.page.getByRole('dialog').getByRole('button', { name: 'Share' }).click();
        await nina.said('can edit it now');
        await nina.page.keyboard.press('Escape');

        const address = new URL(nina.page.url()).hash;
        for (const title of titles.slice(1)) {
            await omar.visit('#/');
            await omar.sees(title);
            await omar.menu(title, 'Add to a playlist');
            await omar.page.getByRole('dialog').getByRole('button', { name: /Sunday/ }).click();
            await omar.said('Added to');
        }
        await guest.visit(address);
        await omar.visit(address);
        const all = [nina, omar, guest];
        const alike = async what => {
            let rows = [];
            await until(what, async () => {
                rows = await Promise.all(all.map(who => who.rows()));
                return rows.every(row => row.length === titles.length && row.join() === rows[0].join());
            }).catch(error => { throw new Error(`${error.message}: ${rows.join(' / ')}`); });
            return rows[0];
        };
        assert.deepEqual(await alike('all tracks on three screens'), titles);
        assert.equal(await guest.page.locator('.grip:visible').count(), 0, 'a guest moves nothing');

        await nudges(omar, 'Echo', 'ArrowUp');
        await until('his move on her screen', async () => (await nina.rows())[3] === 'Echo');
        /* The same row by both at once, and others besides. */
        for (let round = 0; round < 3; round++) {
            await Promise.all([nudges(nina, 'Charlie', 'ArrowDown', 2), nudges(omar, 'Charlie', 'ArrowUp', 2)]);
            const order = await alike('the same order everywhere');
            assert.deepEqual([...order].sort(), titles);
            await Promise.all([nudges(nina, 'Alpha', 'ArrowDown', 2), nudges(omar, 'Echo', 'ArrowUp', 1)]);
            await alike('the same order again');
        }
        const box = await nina.page.getByRole('button', { name: /^Move Delta,/ }).boundingBox(), rows = await nina.page.locator('.rows').boundingBox();
        await nina.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
        await nina.page.mouse.down();
        await nina.page.mouse.move(box.x + box.width / 2, rows.y + 2, { steps: 12 });
        await nina.page.mouse.up();
        await until('what she dragged, on top of his', async () => (await omar.rows())[0] === 'Delta');
        await alike('the same on three screens');
        await nina.shot('playlist');
        await omar.shot('playlist-phone');
        for (const who of all) who.well();
    }, { seconds: 180 });

    test('a row that is dragged is let go wherever the mouse is, and what another did meanwhile is seen then', async t => {
        const relay = await own_relay(t), nina = await visitor(t, relay), data = await author(t, relay), pub = data.people.me.pub;
        const list = data.playlists.open(await data.playlists.create('Sunday')), ids = [];
        t.after(() => list.close());
        for (const [i, title] of ['Alpha', 'Bravo', 'Charlie', 'Delta'].entries()) ids.push(await list.add(await data.tracks.publish(some_track(i, { title }))));
        await nina.visit();
        await nina.signs_in(data.people.me.alias); /* the same person, elsewhere */
        await nina.visit(`#/playlist/${pub}/${list.id}`);
        const order = (what, words) => until(what, async () => (await nina.rows()).join() === words);
        await order('four rows', 'Alpha,Bravo,Charlie,Delta');
        const takes = async title => {
            const box = await nina.page.getByRole('button', { name: new RegExp(`^Move ${title},`) }).boundingBox();
            await nina.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
            await nina.page.mouse.down();
            return box;
        };
        const held = nina.page.locator('.rows .dragged');

        const { x, y } = await takes('Charlie'), above = await nina.page.getByRole('heading', { level: 1 }).boundingBox();
        await nina.page.mouse.move(x + 5, y - 30, { steps: 4 });
        await nina.page.mouse.move(above.x + 5, above.y + 5, { steps: 8 });
        await nina.page.mouse.up();
        await until('it to be let go', async () => await held.count() === 0);
        await order('it on top', 'Charlie,Alpha,Bravo,Delta');
        await until('it on top for the other', () => list.items[0].id === ids[2]);

        await takes('Delta');
        await list.take(ids[0]);
        await nina.page.getByText('3 tracks').waitFor();
        await nina.page.mouse.up();
        await order('one less', 'Charlie,Bravo,Delta');
        await takes('Bravo');
        await list.take(ids[1]);
        await nina.page.getByText('2 tracks').waitFor();
        await nina.page.mouse.move(x + 5, y - 400, { steps: 4 });
        await nina.page.mouse.up();
        await order('it gone from the hand', 'Charlie,Delta');
        nina.well();
    }, { seconds: 120 });

    test('who uses the keyboard alone is never left without a focus: panels, queue, menus, lists that others change', async t => {
        const relay = await own_relay(t), nina = await visitor(t, relay), data = await author(t, relay), { page } = nina;
        for (const [i, title] of ['Alpha', 'Bravo', 'Charlie', 'Delta'].entries()) await data.tracks.publish(some_track(i, { title }));
        const other = data.playlists.open(await data.playlists.create('Monday'));
        t.after(() => other.close());
        await data.playlists.create('Sunday');
        await nina.visit();
        await nina.signs_in(data.people.me.alias);
        for (const title of ['Alpha', 'Delta']) await nina.sees(title);
        await page.route(/\/audio\//, route => route.fulfill({ contentType: 'audio/mpeg', body: '' })); /* none of them sounds */
        const focused = words => until(`the focus on ${words}`, () => page.evaluate(of => document.activeElement.closest('a, button, input')
            && (document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent) === of, words));
        const way = page.getByRole('navigation');

        await way.getByRole('button', { name: 'Add music' }).focus();
        await page.keyboard.press('Enter');
        await focused('Choose files');
        await page.keyboard.press('Escape');
        await focused('Add music');

        await way.getByRole('link', { name: 'Sunday' }).focus();
        await other.rename('Tuesday');
        await way.getByRole('link', { name: 'Tuesday' }).waitFor();
        await focused('Sunday');

        for (const title of ['Alpha', 'Bravo', 'Charlie']) await nina.menu(title, 'Add to the queue');
        await page.getByRole('region', { name: 'Player' }).getByRole('button', { name: 'Queue' }).click();
        await page.getByRole('button', { name: 'Take Bravo out of the queue' }).focus();
        await page.keyboard.press('Enter');
        await focused('Take Charlie out of the queue');
        await page.keyboard.press('Escape');

        await page.getByRole('button', { name: 'More for Delta' }).focus();
        await page.keyboard.press('Enter');
        await focused('Play next');
        await page.keyboard.press('Escape');
        await focused('More for Delta');
        await page.keyboard.press('Enter');
        await focused('Play next');
        await page.getByLabel('Search the library').click();
        await until('the menu to be gone', async () => await page.locator('.menu').count() === 0);
        await focused('Search the library');
        nina.well();
    }, { seconds: 120 });

    test('the relay is killed with -9 under a playing track: it plays on, edits wait and arrive, a guest sees them without a reload', async t => {
        const relay = await own_relay(t), files = sounds_of(t), nina = await visitor(t, relay), guest = await visitor(t, relay);
        for (const who of [nina, guest]) await who.visit();
        await nina.signs_up(fresh('nina'));
        await nina.adds([files.file('Long Coal', { seconds: 180 })]);
        await nina.uploaded('Long Coal');
        await guest.sees('Long Coal');
        await nina.opens('Long Coal');
        await nina.page.getByRole('button', { name: 'Play Long Coal' }).click();
        await nina.hears();
        for (const who of [nina, guest]) who.lost_line = true;
        await relay.kill();
        await nina.page.getByRole('status').filter({ hasText: 'Offline' }).waitFor();
        await nina.page.getByRole('link', { name: 'Playlists' }).first().click();
        await nina.page.getByRole('button', { name: 'New playlist' }).click();
        await nina.page.getByRole('dialog').getByLabel('Name').fill('Made in a tunnel');
        await nina.page.getByRole('button', { name: 'Create' }).click();
        await nina.page.getByRole('heading', { level: 1, name: 'Made in a tunnel' }).waitFor();
        await nina.page.getByRole('status').filter({ hasText: /Offline · \d+ changes? kept here/ }).waitFor();
        await nina.shot('offline');
        await sleep(5000); /* gun.js has given up by then */
        await nina.hears();
        await relay.start();
        await nina.page.locator('.badge').waitFor({ state: 'hidden' });
        await guest.page.getByRole('link', { name: 'Playlists' }).first().click();
        await guest.page.getByRole('link', { name: 'Made in a tunnel' }).waitFor();
        await nina.hears();
        const { at } = await nina.media();
        await nina.page.getByRole('link', { name: 'Library', exact: true }).first().click();
        await nina.opens('Long Coal');
        await nina.page.getByRole('slider', { name: 'Seek in this track' }).first().focus();
        await nina.page.keyboard.press('End');
        await until('a seek that needs the new relay', async () => (await nina.media()).at > Math.max(at, 170));
        for (const who of [nina, guest]) who.well();
    }, { seconds: 180 });

    test('an upload goes on after kill -9, and after a reload of the page; every chunk is sent once', async t => {
        const relay = await own_relay(t), nina = await visitor(t, relay);
        const name = fresh('noise'), file = path.join(tmpdir(), `${name}.mp3`);
        writeFileSync(file, noise(5, 16_000_000));
        t.after(() => import('node:fs').then(fs => fs.rmSync(file, { force: true })));
        const n = Math.ceil(16_000_000 / 36_864), chunks = [];
        nina.page.on('requestfinished', async request => {
            const at = a_chunk.exec(request.url());
            if (at && request.method() === 'PUT' && (await request.response())?.status() === 201) chunks.push(Number(at[1]));
        });
        const gate = await gate_of_chunks(nina.page);
        await nina.visit();
        await nina.signs_up(fresh('nina'));
        nina.lost_line = true;
        gate.lets(n / 3 + 8);
        await nina.adds([file]);
        await until('a third of it', () => chunks.length > n / 3, 90);
        await relay.kill();
        gate.lets(n / 3);
        await until('the upload to wait for the relay', async () => await nina.job(name).getAttribute('class') === 'waiting', 90);
        await relay.start();
        await until('more of it', () => chunks.length > n / 2, 90);
        await nina.page.reload();
        gate.lets(Infinity);
        await nina.uploaded(name, 90);
        await nina.sees(name);
        await nina.shot('upload');
        /* What was answered 201 is never sent again; answers that were lost are 200 the second time. */
        assert.equal(new Set(chunks).size, chunks.length);
        assert.ok(chunks.length <= n && chunks.length > n - 20, `${chunks.length} of ${n}`);
        nina.well();
    }, { seconds: 240 });

    test('who is here and what they listen to is seen, and is not when they have gone', async t => {
        const relay = await own_relay(t), files = sounds_of(t), nina = await visitor(t, relay), vera = await visitor(t, relay);
        for (const who of [nina, vera]) await who.visit();
        await nina.signs_up(fresh('nina'));
        await vera.signs_up(fresh('vera'));
        await nina.adds([files.file('Hearth', { seconds: 60 })]);
        await nina.uploaded('Hearth');
        await vera.sees('Hearth');
        await vera.page.getByRole('listitem').filter({ hasText: 'Hearth' }).hover();
        await vera.page.getByRole('button', { name: 'Play Hearth' }).first().click();
        await vera.hears();
        const strip = nina.page.getByRole('region', { name: 'Listening now' });
        await strip.getByText(vera.alias).waitFor();
        assert.equal(await strip.getByRole('link', { name: 'Hearth' }).count(), 1);
        const kept = await nina.page.evaluate(() => JSON.stringify({ ...localStorage }));
        assert.ok(kept.includes(nina.alias) && !kept.includes('/live/'), 'what strangers say of now is kept in no browser');
        const left = Date.now();
        await vera.page.goto('about:blank');
        await until('her to be gone', async () => await strip.isHidden() || await strip.getByText(vera.alias).count() === 0, 30);
        console.log(`       gone from the other screen ${Date.now() - left} ms after the page was left`);
        nina.well();
    }, { seconds: 120 });

    test('hostile titles, names and lists are shown as text: nothing runs, nothing is fetched, nothing breaks', async t => {
        const relay = await own_relay(t), guest = await visitor(t, relay), data = await author(t, relay), pub = data.people.me.pub;
        const elsewhere = [];
        guest.page.on('request', request => { if (!request.url().startsWith(relay.http(''))) elsewhere.push(request.url()); });
        guest.page.on('dialog', dialog => { elsewhere.push('dialog'); dialog.dismiss(); });
        const words = ['<img src=//evil.example/x onerror=alert(1)>', '"><script>alert(1)</script>', 'javascript:alert(1)', '\u202eemit eht lla\u202d', 'a'.repeat(1_000_000), '\u0000\u0001', '${alert(1)}', '\ud800'];
        for (const [i, title] of words.entries()) {
            const track = some_track(i, { title });
            await data.relay.put(`~${pub}/shelf`, 'h' + i, JSON.stringify({ t: title.slice(0, 900), a: title.slice(0, 900), r: track.root, k: track.manifest, m: 'text/html', c: 'x', s: 'x', d: 1e300 }));
            await data.relay.putAll(`~${pub}/tracks/h${i}`, { root: track.root, manifest: track.manifest, title, artist: title.slice(0, 5000), note: title.slice(0, 5000), genre: title.slice(0, 5000), cover: 'javascript:alert(1)', peaks: title.slice(0, 5000), at: 1 });
        }
        await until('all to be safe', () => data.relay.waiting === 0, 60);
        const list = await data.playlists.create('<b onmouseover=alert(1)>list</b>'), open = data.playlists.open(list);
        t.after(() => open.close());
        await open.add(`~${pub}/tracks/h0`);
        await open.add(`~${pub}/tracks/nowhere`);
        await data.relay.put('~' + pub, 'alias', '<i>author</i>');
        await guest.visit();
        await guest.sees(words[0]);
        await guest.opens(words[0]);
        await guest.page.getByText('<i>author</i>').first().waitFor();
        await guest.visit(`#/track/${pub}/h4`);
        await until('a long title, cut', async () => { const text = await guest.page.getByRole('heading', { level: 1 }).textContent(); return text.startsWith('aaaa') && text.length <= 200; });
        const wide = await guest.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${wide} px wider than the window`);
        await guest.visit(`#/playlist/${pub}/${list.split('/').at(-1)}`);
        await guest.page.getByRole('heading', { level: 1, name: '<b onmouseover=alert(1)>list</b>' }).waitFor();
        for (const nowhere of ['#/track/x/y', `#/track/${pub}/none`, '#/playlist/%00/<script>', '#/%ff', `#/playlist/${pub}/none`]) await guest.visit(nowhere);
        assert.equal(await guest.page.locator('script:not([src]), [onerror], [onmouseover], b, i').count(), 0);
        assert.deepEqual(elsewhere, []);
        guest.well();
    }, { seconds: 120 });

    test('a library of 5,000 tracks is there in seconds, is searched as one types, and scrolls', async t => {
        const relay = await own_relay(t), data = await author(t, relay), pub = data.people.me.pub, count = 5000;
        for (let at = 0; at < count; at += 250) {
            const rows = Array.from({ length: 250 }, (_, k) => {
                const track = some_track(at + k);
                return [track.root.slice(0, 16), JSON.stringify({ t: track.title, a: track.artist, l: track.album, s: track.seconds, b: track.bytes, m: track.mime, r: track.root, k: track.manifest, d: 1e12 + at + k })];
            });
            await data.relay.putAll(`~${pub}/shelf`, Object.fromEntries(rows));
        }
        await until('all to be safe', () => data.relay.waiting === 0, 60);
        const guest = await visitor(t, relay), wire = await guest.page.context().newCDPSession(guest.page);
        let bytes = 0;
        await wire.send('Network.enable');
        wire.on('Network.webSocketFrameReceived', ({ response }) => { bytes += response.payloadData.length; });
        await guest.page.addInitScript(() => {
            window.longTasks = [];
            new PerformanceObserver(list => { for (const one of list.getEntries()) window.longTasks.push(Math.round(one.duration)); }).observe({ type: 'longtask', buffered: true });
        });
        const began = Date.now();
        await guest.visit();
        await guest.sees('Title 4999', 60);
        await until('all of them', async () => (await guest.page.locator('.library .count').textContent()).startsWith('5,000'), 60);
        const load_ms = Date.now() - began;
        const taken = () => guest.page.evaluate(() => window.longTasks.splice(0));
        const loading = await taken();
        const nodes = await guest.page.locator('.library .item').count();
        assert.ok(nodes < 200, `${nodes} rows in the document`);

        for (let i = 0; i < 60; i++) {
            await guest.page.mouse.wheel(0, 2500);
            await sleep(16);
        }
        await sleep(300);
        const scrolling = await taken();
        await guest.page.evaluate(() => scrollTo(0, 0));
        await guest.page.getByLabel('Search the library').pressSequentially('title 1234');
        await until('the one', async () => (await guest.titles()).join() === 'Title 1234');
        const searching = await taken();
        await wire.send('HeapProfiler.enable');
        await wire.send('HeapProfiler.collectGarbage');
        const { usedSize } = await wire.send('Runtime.getHeapUsage');
        const say = (what, tasks) => console.log(`       ${what}: ${tasks.length} tasks above 50 ms${tasks.length ? `, the longest ${Math.max(...tasks)} ms` : ''}`);
        console.log(`       5,000 tracks: ${load_ms} ms until all are there, ${(bytes / 1e6).toFixed(2)} MB by WebSocket, ${(usedSize / 1e6).toFixed(1)} MB of heap`);
        say('loading', loading);
        say('scrolling through 150,000 px', scrolling);
        say('searching', searching);
        assert.ok(usedSize < 150e6);
        guest.well();
    }, { seconds: 240 });
}
