/* cases-browser.mjs - Chromium: `<audio>` that plays and seeks, and the writer and
 * reader of docs/audio.md in pages. */
import { open_site } from '../browser/site.mjs';
import { open_browser, open_tab } from '../browser/tab.mjs';
import { assert, chance, fresh, print_table, until } from '../tools/harness.mjs';
import { new_user } from '../tools/people.mjs';
import { start_relay } from '../tools/relay.mjs';
import { judge_by_http, premium_keys } from './cases-gun.mjs';
import { noise_of, reader, writer } from './convention.mjs';
import { make_sounds } from './sound.mjs';
import { hex_of, make_track, noise, publish } from './track.mjs';
import { metric } from './world.mjs';

const seconds = 60;

/* Opened by the first case that needs it. */
class House {
    #browser;
    #site;
    #sounds;
    get browser() { return this.#browser ??= open_browser(['--autoplay-policy=no-user-gesture-required', '--mute-audio']); }
    get site() { return this.#site ??= open_site(); }
    get sounds() { return this.#sounds ??= make_sounds(seconds); }

    async tab(t, relay)
    {
        const context = await (await this.browser).newContext();
        t.after(() => context.close());
        return open_tab(context, await this.site, relay, { scripts: ['/gun.js', '/sea.js'], options: { localStorage: false } });
    }

    async close()
    {
        await (await this.#browser)?.close();
        (await this.#site)?.close();
    }
}

/* An `<audio>` in a page, run by functions shipped there. */
const begin = (near, src) => new Promise((resolve, reject) => {
    const player = window.player = new Audio();
    player.onloadedmetadata = () => resolve(player.duration);
    player.onerror = () => reject(new Error(`media error ${player.error.code}`));
    player.src = src;
});
const play = () => window.player.play();
const clock = () => ({ at: window.player.currentTime, paused: window.player.paused, error: window.player.error?.message ?? null });
const seek = (near, to) => new Promise((resolve, reject) => {
    const { player } = window, began = performance.now();
    player.onseeked = () => resolve(performance.now() - began);
    player.onerror = () => reject(new Error(player.error.message));
    player.currentTime = to;
});

/* What a frame with this address says within a second and a half. */
const frame = (near, src) => new Promise(resolve => {
    window.onmessage = ({ data }) => resolve(data);
    const inner = document.createElement('iframe');
    inner.src = src;
    document.body.append(inner);
    setTimeout(() => resolve('nothing'), 1500);
});

async function advances(tab, from)
{
    await until(`the clock beyond ${from}`, async () => {
        const now = await tab.run(clock);
        assert.equal(now.error, null);
        return !now.paused && now.at > from;
    });
}

function player_cases(suite, world, house)
{
    for (const name of ['wav', 'mp3', 'ogg', 'flac']) {
        suite.test(`<audio> in Chromium plays ${name} from /audio/<root>, and seeks`, async t => {
            const sound = (await house.sounds).find(one => one.name === name);
            const track = make_track(sound.bytes, { mime: sound.mime });
            await publish(world.relay, track);
            const tab = await house.tab(t, world.relay);
            const before = await metric(world.relay, 'audio_ranges_total');
            const length = await tab.run(begin, world.relay.http(track.named));
            assert.ok(Math.abs(length - seconds) < 0.5, `${length} s`);
            await tab.run(play);
            await advances(tab, 0.3);
            for (const to of [50, 10, 30]) {
                await tab.run(seek, to);
                await advances(tab, to + 0.2);
            }
            assert.ok(await metric(world.relay, 'audio_ranges_total') > before);
            tab.well();
        }, { seconds: 120 });
    }

    suite.test('<audio> plays the preview of a premium track, and not its encrypted bytes', async t => {
        const sound = (await house.sounds).find(one => one.name === 'mp3');
        const track = make_track(sound.bytes, { mime: sound.mime, seal: { key: noise(70, 32), preview: { n: 10, k: noise(71, 32) } } });
        await publish(world.relay, track);
        const tab = await house.tab(t, world.relay);
        await tab.run(begin, world.relay.http(`${track.path}/preview`));
        await tab.run(play);
        await advances(tab, 0.3);
        await assert.rejects(tab.run(begin, world.relay.http(track.path)), /media error 4/);
    }, { seconds: 120 });

    suite.test('what says it is a page runs nothing in Chromium, opened or framed', async t => {
        const text = '<!doctype html><title>bad</title><script>document.title = "ran"; parent.postMessage("ran", "*")</script>';
        const page = make_track(Buffer.from(text), { mime: 'text/html' });
        const picture = make_track(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${text.slice(15)}</svg>`), { mime: 'image/svg+xml' });
        await publish(world.relay, page, picture);
        const tab = await house.tab(t, world.relay);
        /* The same text from elsewhere does run. */
        assert.equal(await tab.run(frame, `data:text/html,${encodeURIComponent(text)}`), 'ran');
        for (const track of [page, picture]) {
            assert.equal(await tab.run(frame, world.relay.http(track.path)), 'nothing');
            const opened = await (await tab.page.context().newPage()).goto(world.relay.http(track.path)).catch(error => String(error));
            assert.match(String(opened), /Download is starting|ERR_ABORTED/);
        }
    });
}

function seek_figure(suite, world, house)
{
    const percentile = (sorted, p) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))].toFixed(1);

    /* Figures, not judged: over a new connection, and as a player in Chromium has it. */
    suite.test('a hundred seeks: what they take', async t => {
        const sound = (await house.sounds).find(one => one.name === 'wav');
        const track = make_track(sound.bytes, { mime: sound.mime });
        await publish(world.relay, track);
        const random = chance(1);
        const first_bytes = [];
        for (let i = 0; i < 100; i++) {
            const began = performance.now();
            const answer = await fetch(world.relay.http(track.named), { headers: {
                Range: `bytes=${Math.floor(random() * track.stored.length)}-`, Connection: 'close' } });
            const body = answer.body.getReader();
            assert.equal(answer.status, 206);
            assert.ok((await body.read()).value.length > 0);
            first_bytes.push(performance.now() - began);
            await body.cancel();
        }
        const tab = await house.tab(t, world.relay);
        await tab.run(begin, world.relay.http(track.named));
        await tab.run(play);
        const seeked = [];
        for (let i = 0; i < 100; i++) seeked.push(await tab.run(seek, random() * (seconds - 1)));
        const row = (what, times) => { times.sort((a, b) => a - b); return [what, percentile(times, 0.5), percentile(times, 0.99)]; };
        print_table([['ms', 'p50', 'p99'], row('first byte of a range by HTTP', first_bytes), row('`seeked` of <audio> in Chromium', seeked)]);
    }, { seconds: 120 });
}

function page_cases(suite, world, house)
{
    const size = 5_242_883, count = 143;
    for (const [what, premium] of [['plain', null], ['premium', premium_keys]]) {
        suite.test(`a page in Chromium writes 5 MB, ${what}, and another plays it to the last byte`, async t => {
            const relay = await world.own_relay(t);
            const [ann, bob] = [await house.tab(t, relay), await house.tab(t, relay)];
            const pub = await new_user(ann, fresh('ann'));
            const plain = noise(premium ? 72 : 73, size);
            const published = await ann.run(writer, noise_of(premium ? 72 : 73, size), 'audio/mpeg', premium);
            const got = await bob.run(reader, pub, published.id, premium?.key ?? null);
            assert.deepEqual([got.bytes, got.sha256, got.heard], [size, hex_of(plain), count]);
            assert.ok(got.most <= 64 + 6, `${got.most} chunks in memory`);
            await judge_by_http(relay, published, plain, 'audio/mpeg', Boolean(premium));
            for (const tab of [ann, bob]) tab.well();
        }, { seconds: 180 });

        suite.test(`a page in Chromium writes 200 MB, ${what}, and another plays it to the last byte`, async t => {
            const relay = await world.own_relay(t);
            const [ann, bob] = [await house.tab(t, relay), await house.tab(t, relay)];
            const pub = await new_user(ann, fresh('ann'));
            const length = 200 * 1024 * 1024 + 1;
            const published = await ann.run(writer, noise_of(74, length), 'audio/mpeg', premium);
            const got = await bob.run(reader, pub, published.id, premium?.key ?? null);
            assert.deepEqual([got.bytes, got.sha256], [length, hex_of(noise(74, length))]);
            assert.ok(got.most <= 64 + 6, `${got.most} chunks in memory`);
        }, { seconds: 1200, long: true });
    }

    suite.test('a WAV that a page has written is played by <audio> in another, and read through a gun.js relay that dials brasa', async t => {
        const relay = await world.own_relay(t);
        const gun = await start_relay({ gun: true, peer: relay.url });
        t.after(() => gun.close());
        const [ann, bob] = [await house.tab(t, relay), await house.tab(t, relay)];
        const pub = await new_user(ann, fresh('ann'));
        const sound = (await house.sounds).find(one => one.name === 'wav');
        const published = await ann.run(writer, sound.bytes.toString('base64'), sound.mime, null);
        await bob.run(begin, relay.http(`/audio/${published.root}`));
        await bob.run(play);
        await advances(bob, 0.3);
        await bob.run(seek, 45);
        await advances(bob, 45.2);
        const raw = await world.raw(t, gun);
        raw.send({ '#': 'wake', ok: { awake: 1 } });
        await until('the gun.js relay to have dialled', async () => await metric(relay, 'connections') === 3);
        const context = await (await house.browser).newContext();
        t.after(() => context.close());
        const cid = await open_tab(context, await house.site, relay, { peer: gun.url, scripts: ['/gun.js', '/sea.js'], options: { localStorage: false } });
        const got = await cid.run(reader, pub, published.id, null);
        assert.deepEqual([got.bytes, got.sha256], [sound.bytes.length, hex_of(sound.bytes)]);
    }, { seconds: 180 });
}

export function browser_cases(suite, world)
{
    const house = new House();
    suite.after(() => house.close());
    player_cases(suite, world, house);
    seek_figure(suite, world, house);
    page_cases(suite, world, house);
}
