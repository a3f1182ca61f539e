/* pictures.mjs - what the page looks like: library, record, playlist of two editors, uploads,
 * premium, offline, the relay's corner, at 1440 and 390 pixels, dark and light.
 *
 *   node tests/browser/pictures.mjs [FOLDER]      default tests/out/pictures
 *
 * Not a suite: nothing is judged. Somebody looks at them.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { out_folder, start_relay } from '../tools/relay.mjs';
import { sleep } from '../tools/harness.mjs';
import { open_sounds } from './sound.mjs';
import { open_browser } from './tab.mjs';
import { Visitor } from './visitor.mjs';

const folder = process.argv[2] ?? path.join(out_folder, 'pictures');
mkdirSync(folder, { recursive: true });

const wide = { viewport: { width: 1440, height: 900 } };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const sizes = { 1440: wide, 390: phone };

/* What sox makes of them looks like songs: verses, breaks, an end. */
const songs = [
    ['Low Tide, Late Light', { artist: 'Nina Nowak', seconds: 95, cover: ['0x14233f', '0xf0a35e'], synth: ['pluck', 'C3', 'sine', 'mix', 'E4', 'tremolo', '0.07', '85', 'fade', 't', '4', '95', '9', 'gain', '-4'] }],
    ['Static in the Pines', { artist: 'The Paper Rivers', album: 'Field Notes', seconds: 64, synth: ['pinknoise', 'tremolo', '0.4', '80', 'lowpass', '900', 'fade', 't', '6', '64', '8'] }],
    ['Engine Room', { artist: 'Holm & Sæther', album: 'Below Deck', seconds: 52, cover: ['0x0d0f12', '0x8aa0a8'], synth: ['sawtooth', 'A2', 'lowpass', '700', 'tremolo', '0.13', '92', 'fade', 't', '1', '52', '6', 'gain', '-8'] }],
    ['Hearth', { artist: 'Ibrahim Al-Sayed', seconds: 75, synth: ['brownnoise', 'tremolo', '0.09', '95', 'fade', 't', '3', '75', '12', 'gain', '-2'] }],
    ['Pod śniegiem', { artist: 'Zofia Mróz', album: 'Zima', seconds: 40, cover: ['0xdfe9ee', '0x5b7f95'], synth: ['pluck', 'G4', 'tremolo', '0.2', '75', 'fade', 't', '0.2', '40', '6', 'gain', '-6'] }],
    ['Orchard, Before', { artist: 'Petra Ohm', seconds: 58, cover: ['0x2c3a17', '0xd9c25a'], synth: ['triangle', '220', 'tremolo', '0.11', '88', 'fade', 't', '5', '58', '5', 'gain', '-7'] }],
    ['نور', { artist: 'ليلى حداد', seconds: 33, synth: ['pluck', 'D4', 'tremolo', '0.15', '80', 'fade', 't', '1', '33', '4', 'gain', '-6'] }],
    ['Match Struck Twice', { artist: 'The Paper Rivers', album: 'Field Notes', seconds: 47, cover: ['0x3b0a18', '0xff5f45'], synth: ['pluck', 'A3', 'tremolo', '0.3', '70', 'fade', 't', '0.5', '47', '4', 'gain', '-6'] }],
];

const browser = await open_browser(['--autoplay-policy=no-user-gesture-required']);
const relay = await start_relay(), sounds = open_sounds();
const pages = [];
async function visitor(size, scheme)
{
    const context = await browser.newContext({ ...sizes[size], colorScheme: scheme });
    const who = await Visitor.of(await context.newPage(), relay);
    pages.push(who);
    return who.visit();
}
const shot = (who, name, size, scheme) => who.page.screenshot({ path: path.join(folder, `${name}-${size}-${scheme}.png`) });

try {
    const nina = await visitor(1440, 'dark');
    await shot(nina, 'empty', 1440, 'dark');
    await nina.signs_up('nina');
    await nina.adds(songs.map(([title, how]) => sounds.file(title, how)));
    for (const [title] of songs) await nina.uploaded(title, 120);
    await nina.adds([sounds.file('The Locked Room', { artist: 'Nina Nowak', seconds: 88, synth: ['pluck', 'E3', 'tremolo', '0.06', '80', 'fade', 't', '2', '88', '7', 'gain', '-5'] })], { premium: true });
    await nina.uploaded('The Locked Room', 60);
    await nina.page.getByRole('region', { name: 'Add music' }).getByRole('button', { name: 'Close' }).click();
    await nina.menu('Engine Room', 'Add to a playlist');
    await nina.page.getByRole('button', { name: 'New playlist' }).click();
    await nina.page.getByRole('dialog').getByLabel('Name').fill('Sunday, slowly');
    await nina.page.getByRole('button', { name: 'Create' }).click();
    await nina.said('Added to');
    for (const title of ['Hearth', 'Pod śniegiem', 'Low Tide, Late Light', 'Orchard, Before', 'نور']) {
        await nina.menu(title, 'Add to a playlist');
        await nina.page.getByRole('dialog').getByRole('button', { name: 'Sunday, slowly' }).click();
        await sleep(300);
    }
    await nina.page.getByRole('link', { name: 'Sunday, slowly' }).first().click();
    const list = nina.page.url().split('#')[1];

    for (const size of [1440, 390]) for (const scheme of ['dark', 'light']) {
        const name = `omar${size}${scheme}`, omar = await visitor(size, scheme), take = what => shot(omar, what, size, scheme);
        await omar.sees('Hearth');
        await sleep(1500);
        await take('guest');
        await omar.signs_up(name);
        await nina.page.getByRole('button', { name: 'Share' }).click();
        await nina.page.getByRole('dialog').getByLabel('Name of an editor').fill(name);
        await nina.page.getByRole('dialog').getByRole('button', { name: 'Share' }).click();
        await nina.page.getByRole('dialog').getByRole('listitem').filter({ hasText: name }).waitFor();
        await nina.page.keyboard.press('Escape');
        await omar.opens('Low Tide, Late Light');
        await omar.page.getByRole('button', { name: 'Play Low Tide, Late Light' }).click();
        await omar.hears();
        const wave = await omar.page.locator('.record .wave').boundingBox();
        await omar.page.mouse.click(wave.x + wave.width * 0.36, wave.y + wave.height / 2);
        await omar.page.mouse.move(2, 2);
        await sleep(1500);
        await take('track');
        await omar.visit('#/');
        await omar.sees('Hearth');
        await omar.page.locator('.item', { hasText: 'Match Struck Twice' }).getByRole('button', { name: /^Play/ }).click();
        await sleep(4500);
        await take('library');
        await omar.page.goto(relay.http(`/#${list}`));
        await sleep(1500);
        await omar.page.locator('.grip').nth(2).hover();
        await omar.page.mouse.down();
        await omar.page.mouse.move(300, 560, { steps: 6 });
        await take('playlist');
        await omar.page.mouse.up();
        await omar.visit('#/');
        await omar.opens('The Locked Room');
        await omar.page.getByRole('button', { name: 'Play The Locked Room' }).click();
        await sleep(4000);
        await take('premium');
        await omar.visit('#/');
        const wire = await omar.page.context().newCDPSession(omar.page);
        await wire.send('Network.enable');
        await wire.send('Network.emulateNetworkConditions', { offline: false, latency: 20, downloadThroughput: 2e6, uploadThroughput: 120_000 });
        await omar.adds([sounds.file(`Kindling ${name}`, { artist: name, seconds: 90, synth: ['pluck', String(200 + pages.length * 13), 'tremolo', '0.4', '50'] }), sounds.file(`Rain ${name}`, { artist: name, seconds: 60, synth: ['pinknoise', 'tremolo', String(0.2 + pages.length / 10), '60', 'gain', '-4'] })]);
        await sleep(5000);
        await take('uploads');
        for (const title of [`Kindling ${name}`, `Rain ${name}`]) await omar.page.getByRole('button', { name: `Cancel ${title}` }).click();
        await omar.visit('#/relay');
        await sleep(5000);
        await take('relay');
        await omar.page.goto(relay.http(`/#${list}`));
        await sleep(2000);
        await relay.stop();
        await sleep(2500);
        await omar.page.locator('.grip').nth(3).focus();
        await omar.page.keyboard.press('ArrowUp');
        await sleep(1000);
        await take('offline');
        await relay.start();
        await sleep(4000);
        await omar.page.close();
    }
    console.log(`pictures are in ${folder}`);
} finally {
    sounds.close();
    await browser.close();
    await relay.close();
}
