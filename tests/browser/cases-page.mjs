/* cases-page.mjs - the page at `/`, as musicians and their friends use it. */
import { readFileSync, statSync } from 'node:fs';
import { assert, fresh, until } from '../tools/harness.mjs';
import { own_relay } from '../tools/relay.mjs';
import { sounds_of } from './sound.mjs';
import { phone, visitors } from './visitor.mjs';

/* `context(t, options)` opens a browser of its own. */
export function page_journeys({ test }, context)
{
    const visitor = visitors(context);

    test('a newcomer signs up, drops three songs and hears them; the words of their tags and the picture are there, on another\'s screen at once', async t => {
        const relay = await own_relay(t), files = sounds_of(t);
        const nina = await visitor(t, relay), guest = await visitor(t, relay);
        await nina.visit();
        await guest.visit();
        await nina.signs_up(fresh('nina'));
        await nina.adds([files.file('Low Tide', { cover: true, seconds: 80 }), files.file('What the Kiln Said'), files.file('Hearth', { artist: 'Ibrahim', ending: 'flac' })]);
        for (const title of ['Low Tide', 'What the Kiln Said', 'Hearth']) await nina.uploaded(title);
        for (const title of ['Low Tide', 'What the Kiln Said', 'Hearth']) await guest.sees(title);
        await until('the picture on the guest\'s screen', () => guest.page.locator('.item', { hasText: 'Low Tide' }).locator('.cover.lit img').count());
        await guest.opens('Low Tide');
        assert.equal(await guest.page.locator('.record .artist').textContent(), 'Nina Nowak');
        await guest.page.getByRole('button', { name: 'Play Low Tide' }).click();
        await guest.hears();
        const wave = guest.page.getByRole('slider', { name: 'Seek in this track' });
        const box = await wave.boundingBox();
        await guest.page.mouse.click(box.x + box.width * 0.75, box.y + box.height / 2);
        await until('the seek', async () => { const { at } = await guest.media(); return at >= 59 && at < 78; });
        await wave.focus();
        await guest.page.keyboard.press('Home');
        await until('the start, by key', async () => (await guest.media()).at < 40);
        await guest.hears();
        await guest.shot('track');
        await guest.page.getByRole('link', { name: 'Library', exact: true }).click();
        const { at } = await guest.media();
        await until('music that goes on across pages', async () => (await guest.media()).at > at + 0.5);
        await guest.page.getByLabel('Search the library').fill('ibra');
        await until('one found', async () => (await guest.titles()).join() === 'Hearth');
        await guest.page.getByLabel('Search the library').fill('');
        await guest.page.getByLabel('Sort by').selectOption('title');
        await until('an order by title', async () => (await guest.titles()).join() === 'Hearth,Low Tide,What the Kiln Said');
        nina.well();
        guest.well();
    }, { seconds: 180 });

    test('who stays signed in is so after a reload, and signs out; another browser signs in', async t => {
        const relay = await own_relay(t), alias = fresh('ann');
        const ann = await visitor(t, relay), elsewhere = await visitor(t, relay, phone);
        await ann.visit();
        await ann.signs_up(alias);
        await ann.page.reload();
        await ann.page.getByRole('button', { name: `Your account, ${alias}` }).click();
        await ann.page.getByRole('menuitem', { name: 'Sign out' }).click();
        await ann.page.getByRole('button', { name: 'Sign in or sign up' }).waitFor();
        await ann.page.reload();
        await ann.page.getByRole('button', { name: 'Sign in or sign up' }).waitFor();
        await elsewhere.visit();
        await elsewhere.signs_in(alias);
        ann.well();
        elsewhere.well();
    });

    test('a premium track: a guest hears the preview and no more, until the artist gives the key by name', async t => {
        const relay = await own_relay(t), files = sounds_of(t), name = fresh('vera');
        const nina = await visitor(t, relay), vera = await visitor(t, relay);
        await nina.visit();
        await nina.signs_up(fresh('nina'));
        await nina.adds([files.file('Locked Room', { seconds: 120 })], { premium: true });
        await nina.uploaded('Locked Room');
        await vera.visit();
        await vera.signs_up(name);
        await vera.opens('Locked Room');
        await vera.page.locator('.lock').getByText('You hear a preview').waitFor();
        await vera.slows(); /* the key shall come while the preview sounds */
        await vera.page.getByRole('button', { name: 'Play Locked Room' }).click();
        await vera.hears({ more: 0.1 });
        assert.match((await vera.media()).src, /\/preview\?m=/);
        const bytes = await vera.page.evaluate(async url => (await (await fetch(url)).blob()).size, (await vera.media()).src);
        const whole = statSync(files.file('Locked Room')).size;
        assert.ok(bytes > whole * 0.12 && bytes < whole * 0.22, `a preview of 20 s of 120 s is ${bytes} of ${whole} bytes`);
        await vera.shot('premium');
        await nina.opens('Locked Room');
        await nina.page.getByRole('button', { name: 'Give the key' }).click();
        const dialog = nina.page.getByRole('dialog');
        await dialog.getByLabel('Name of the listener').fill(name);
        await dialog.getByRole('button', { name: 'Give the key' }).click();
        await dialog.getByRole('listitem').filter({ hasText: name }).waitFor();
        await vera.page.locator('.lock').getByText('You have the key').waitFor();
        await until('the whole track', async () => (await vera.media()).src.startsWith('blob:'));
        await vera.slows(1);
        await vera.page.getByRole('slider', { name: 'Seek in this track' }).focus();
        // From the beginning: how much of the preview has been heard by now is the machine's business.
        await vera.page.keyboard.press('Home');
        await until('the beginning', async () => (await vera.media()).at < 20);
        await vera.page.keyboard.press('PageUp');
        await until('half a minute', async () => (await vera.media()).at >= 30);
        await vera.page.keyboard.press('PageUp');
        await until('what only the key opens', async () => (await vera.media()).at > 55);
        await vera.hears();
        nina.well();
        vera.well();
    }, { seconds: 180 });

    test('with HTTP switched off a track plays from chunk nodes over GUN alone', async t => {
        const relay = await own_relay(t), files = sounds_of(t);
        const nina = await visitor(t, relay), asked = [];
        nina.page.on('request', request => { if (/\/(audio|chunk)\//.test(request.url())) asked.push(request.url()); });
        await nina.visit('#/settings');
        await nina.page.getByRole('radio', { name: /^GUN only/ }).check();
        await nina.visit();
        await nina.signs_up(fresh('nina'));
        await nina.adds([files.file('By Nodes', { seconds: 30 }), files.file('As a Blob', { seconds: 20, ending: 'flac' })]);
        for (const title of ['By Nodes', 'As a Blob']) {
            await nina.uploaded(title, 90);
            await nina.page.locator('.item', { hasText: title }).hover();
            await nina.page.getByRole('listitem').filter({ hasText: title }).getByRole('button', { name: `Play ${title}` }).click();
            await until(`${title} from memory`, async () => (await nina.media()).src.startsWith('blob:'));
            await nina.hears();
        }
        assert.deepEqual(asked, []);
        nina.well();
    }, { seconds: 180 });

    test('what is too long to be gathered is said to be so, and is not read to its end', async t => {
        const relay = await own_relay(t), files = sounds_of(t), nina = await visitor(t, relay);
        await nina.visit();
        const { read, failed } = await nina.page.evaluate(async sound => {
            const { openSource } = await import('/js/ui/source.js');
            const part = Uint8Array.from(atob(sound), c => c.charCodeAt(0)), count = Math.ceil(150e6 / part.length);
            let read = 0;
            const failed = await new Promise(resolve => {
                async function* pieces() { for (; read < count; read++) yield part; resolve('nothing'); }
                const audio = new Audio(), track = { mime: 'audio/mpeg', bytes: part.length * count, seconds: 0, premium: false };
                openSource({ chunks: { read: pieces } }, track, { via: 'gun', failed: error => resolve(error.message) }).then(source => { audio.src = source.url; });
            });
            return { read: read * part.length, failed };
        }, readFileSync(files.file('Long Coal', { seconds: 30 })).toString('base64'));
        assert.match(failed, /too large to be gathered/);
        assert.ok(read <= 66 << 20, `${read} bytes were read`);
        nina.well();
    });

    test('no serious finding of axe-core: library, record, playlists, dialogs, relay, settings; dark and light, large and small', async t => {
        const relay = await own_relay(t), files = sounds_of(t);
        const nina = await visitor(t, relay), guest = await visitor(t, relay, { ...phone, colorScheme: 'light' });
        await guest.visit();
        await guest.accessible('an empty library');
        await nina.visit();
        await nina.page.getByRole('button', { name: 'Sign in or sign up' }).click();
        await nina.accessible('signing up');
        await nina.page.keyboard.press('Escape');
        await nina.signs_up(fresh('nina'));
        await nina.adds([files.file('Low Tide', { cover: true }), files.file('Locked Room')]);
        for (const title of ['Low Tide', 'Locked Room']) await nina.uploaded(title);
        await nina.accessible('a library with uploads');
        await nina.page.getByRole('region', { name: 'Add music' }).getByRole('button', { name: 'Close' }).click();
        await nina.menu('Low Tide', 'Add to a playlist');
        await nina.page.getByRole('button', { name: 'New playlist' }).click();
        await nina.page.getByRole('dialog').getByLabel('Name').fill('Sunday');
        await nina.page.getByRole('button', { name: 'Create' }).click();
        await nina.said('Added to');
        await nina.page.getByRole('link', { name: 'Sunday' }).first().click();
        await nina.page.getByRole('button', { name: 'Play Low Tide' }).click();
        await nina.accessible('a playlist');
        for (const who of [nina, guest]) {
            await who.visit();
            await who.sees('Low Tide');
            await who.accessible('a library');
            await who.opens('Low Tide');
            await who.accessible('a record');
            for (const [address, words] of [['#/playlists', 'Playlists'], ['#/relay', 'This relay'], ['#/settings', 'Settings']]) {
                await who.visit(address);
                await who.page.getByRole('heading', { level: 1, name: words }).waitFor();
                await who.accessible(words);
            }
        }
        nina.well();
        guest.well();
    }, { seconds: 180 });
}
