/* page.mjs - the README's page, word for word but for the port, in Chromium.
 *
 * Two browser contexts share nothing but the relay: they stand for two people.
 * The outage is the README's claim: 60 s with --long, above the 2 s after which
 * gun.js gives up in any case.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL, fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { assert, sleep, suite, until } from '../tools/harness.mjs';
import { out_folder, start_relay } from '../tools/relay.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const page_text = readFileSync(path.join(root, 'web-demo', 'two-tabs.html'), 'utf8');

async function open_browser(run)
{
    const browser = await chromium.launch({
        executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-dev-shm-usage'],
    });
    run.after(() => browser.close());
    return browser;
}

async function open_tab(browser, file)
{
    const context = await browser.newContext();
    const tab = await context.newPage();
    await tab.goto(pathToFileURL(file).href);
    return { tab, area: tab.locator('#area'), line: tab.locator('#line') };
}

async function shows(who, what)
{
    await until(`the page to show "${what}"`, async () => (await who.area.inputValue()) === what, 40);
}

const shell = suite('page');

shell.test('the README\'s page syncs two tabs, and an edit made in an outage arrives without a reload', async run => {
    const relay = await start_relay();
    run.after(() => relay.close());
    const folder = mkdtempSync(path.join(tmpdir(), 'brasa-page-'));
    run.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = path.join(folder, 'two-tabs.html');
    writeFileSync(file, page_text.replaceAll('127.0.0.1:8765', `127.0.0.1:${relay.port}`));

    const browser = await open_browser(run);
    const a = await open_tab(browser, file);
    const b = await open_tab(browser, file);
    await a.area.pressSequentially('from A');
    await shows(b, 'from A');
    await b.area.press('End');
    await b.area.pressSequentially(', from B');
    await shows(a, 'from A, from B');

    await relay.kill();
    const outage_s = run.long ? 60 : 8;
    await sleep(outage_s * 500);
    await a.area.press('End');
    await a.area.pressSequentially(', offline');
    await sleep(outage_s * 500);
    assert.equal(await b.area.inputValue(), 'from A, from B');
    assert.equal(await a.line.textContent(), 'away');
    await relay.start();

    await shows(b, 'from A, from B, offline');
    await until('the page to say that the relay is here', async () => (await a.line.textContent()) === 'here', 20);
    await b.area.press('End');
    await b.area.pressSequentially(', again');
    await shows(a, 'from A, from B, offline, again');
    await a.tab.screenshot({ path: path.join(out_folder, 'two-tabs.png') });
}, { seconds: 240 });

await shell.run();
