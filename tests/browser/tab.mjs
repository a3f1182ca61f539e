/* tab.mjs - Chromium, its contexts (each a browser of its own: other storage,
 * other user) and pages in them that run gun.js as the relay serves it. */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { assert, until } from '../tools/harness.mjs';
import { out_folder } from '../tools/relay.mjs';

const { chromium } = createRequire(import.meta.url)('playwright-core');

export function open_browser(more = [])
{
    return chromium.launch({
        executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
        headless: true,
        args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--disable-sync',
            '--disable-dev-shm-usage', /* a bare chroot has no /dev/shm */
            /* WebRTC between two pages of this machine: addresses, not mDNS names */
            '--disable-features=WebRtcHideLocalIpsWithMdns', ...more],
    });
}

/* Into tests/out, to be looked at. */
export function screenshot(page, name)
{
    mkdirSync(out_folder, { recursive: true });
    return page.screenshot({ path: path.join(out_folder, `${name}.png`) });
}

export class Tab {
    constructor(page)
    {
        this.page = page;
        this.errors = [];
        page.on('pageerror', error => this.errors.push(String(error)));
    }

    put(where, value) { return this.page.evaluate(([w, v]) => app.put(w, v), [where, value]); }
    once(where) { return this.run(({ once, walk }, w) => once(walk(w)), where); }
    listen(where) { return this.page.evaluate(w => app.listen(w), where); }
    seen(where) { return this.page.evaluate(w => seen[w.join('\n')], where); }
    connected() { return this.page.evaluate(() => app.open()); }

    /* Any gun code, run in the page: see gun-client.mjs. */
    run(body, ...args)
    {
        return this.page.evaluate(([source, args]) => (0, eval)(`(${source})`)(window.near, ...args), [body.toString(), args]);
    }

    sees(where, value, seconds = 20)
    {
        return until(`${JSON.stringify(value)} at ${where.join('/')}`, async () => await this.seen(where) === value, seconds);
    }

    comes_back() { return until('the page to be connected', () => this.connected()); }
    /* gun tries once to come back, 2 s after a loss. So that it does not matter how long a relay
     * takes to start here, that try waits until lets_go(). */
    holds_its_try()
    {
        return this.page.evaluate(() => {
            const real = globalThis.setTimeout, held = [];
            globalThis.setTimeout = new Proxy(real, {
                apply: (target, self, [run, ms, ...more]) =>
                    (ms > 1500 && ms < 2500 ? void held.push(() => run(...more)) : Reflect.apply(target, self, [run, ms, ...more])),
            });
            globalThis.let_go = () => {
                globalThis.setTimeout = real;
                for (const run of held) run();
                return held.length;
            };
        });
    }
    lets_go() { return this.page.evaluate(() => globalThis.let_go()); }

    goes_away() { return until('the page to have lost its line', async () => !await this.connected()); }

    /* localStorage is written a little after the put. */
    keeps(text)
    {
        return until(`${text} in localStorage`, () => this.page.evaluate(t => (localStorage.getItem('gun/') || '').includes(t), text));
    }

    well() { assert.deepEqual(this.errors, []); }
}

/* A page with gun.js from `relay`, connected to `peer` (the relay, if not named). */
export async function open_tab(context, site, relay, { peer = relay.url, scripts = ['/gun.js'], options = {} } = {})
{
    const query = new URLSearchParams({ options: JSON.stringify(options) });
    for (const script of scripts) query.append('script', relay.http(script));
    if (peer) query.append('peer', peer);
    const page = await context.newPage();
    const tab = new Tab(page);
    await page.goto(`${site.url}/page?${query}`);
    assert.ok(await page.evaluate(() => Boolean(window.app)), 'the relay did not serve gun.js: ' + tab.errors);
    if (peer) await tab.comes_back();
    return tab;
}
