/* visitor.mjs - somebody at the page of web-demo, in a browser of their own: what people do
 * there, by the names that the page gives things, as a screen reader finds them.
 *
 * What the browser reports is kept: errors of scripts, of the policy, of the console. While
 * a relay is away on purpose the browser itself complains of failed connections; those,
 * and no others, are let pass when the case says so.
 */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { assert, until } from '../tools/harness.mjs';
import { screenshot } from './tab.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const password = 'correct horse battery';
export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const of_a_lost_line = /net::ERR_|WebSocket connection to|the server responded with a status of 503/;

export class Visitor {
    constructor(page, relay)
    {
        this.page = page;
        this.relay = relay;
        this.errors = [];
        this.heard = []; // what the page has said in its toasts and said() has not taken yet
        this.lost_line = false;
        page.on('pageerror', error => this.errors.push(String(error.stack ?? error)));
        page.on('console', message => { if (message.type() === 'error') this.errors.push(`${message.text()} ${message.location().url}`); });
    }

    /* Ready to visit: it hears every toast, be it gone when somebody looks. */
    static async of(page, relay)
    {
        const visitor = new Visitor(page, relay);
        await page.exposeFunction('visitor_hears', words => { visitor.heard.push(words); });
        await page.addInitScript(() => {
            const hear = changes => {
                for (const { addedNodes } of changes)
                    for (const one of addedNodes) if (one.matches?.('.toast')) globalThis.visitor_hears(one.innerText);
            };
            new MutationObserver(hear).observe(document, { childList: true, subtree: true });
        });
        return visitor;
    }

    async visit(address = '')
    {
        await this.page.goto(this.relay.http('/' + address));
        await this.page.locator('main').first().waitFor();
        return this;
    }

    async #account(alias, up)
    {
        const { page } = this;
        await page.getByRole('button', { name: 'Sign in or sign up' }).click();
        if (!up) await page.getByRole('button', { name: 'I have an account' }).click();
        await page.getByLabel('Name', { exact: true }).fill(alias);
        await page.getByLabel('Password').fill(password);
        await page.getByRole('dialog').getByRole('button', { name: up ? 'Sign up' : 'Sign in', exact: true }).click();
        await page.getByRole('button', { name: `Your account, ${alias}` }).waitFor();
        this.alias = alias;
    }
    signs_up(alias) { return this.#account(alias, true); }
    signs_in(alias) { return this.#account(alias, false); }

    /* Through the chooser; `drop` lets them fall on the page instead. */
    async adds(files, { premium = false } = {})
    {
        const { page } = this;
        await page.getByRole('navigation').getByRole('button', { name: 'Add music' }).click();
        const box = page.getByLabel(/^Premium/);
        if (await box.isChecked() !== premium) await box.setChecked(premium);
        await page.locator('input[type=file][multiple]').setInputFiles(files);
    }

    job(title) { return this.page.locator('.jobs li').filter({ hasText: title }); }
    uploaded(title, seconds = 60) { return until(`“${title}” to be uploaded`, async () => await this.job(title).getAttribute('class').catch(() => '') === 'done', seconds); }

    titles() { return this.page.locator('.library .item .title').allTextContents(); }
    sees(title, seconds = 20) { return until(`“${title}” in the library`, async () => (await this.titles()).includes(title), seconds); }

    async opens(title)
    {
        await this.page.getByRole('link', { name: title, exact: true }).first().click();
        await this.page.getByRole('heading', { level: 1, name: title }).waitFor();
    }

    media() { return this.page.evaluate(() => { const a = document.querySelector('audio'); return { at: a.currentTime, long: a.duration, paused: a.paused, src: a.src, error: a.error?.message ?? '' }; }); }

    /* The media clock goes on by a second or more; from where the track that now sounds was first seen. */
    async hears({ seconds = 30, more = 1 } = {})
    {
        let first = await this.media();
        return until('the music to go on', async () => {
            const now = await this.media();
            if (now.src !== first.src || now.at < first.at) first = now;
            return !now.paused && now.at > first.at + more;
        }, seconds);
    }

    /* What sounds, and will, takes a sixteenth of its pace, the least there is: so it lasts, also where the machine is slow. */
    slows(pace = 0.0625)
    {
        return this.page.evaluate(to => {
            const sound = document.querySelector('audio');
            sound.defaultPlaybackRate = sound.playbackRate = to;
        }, pace);
    }

    rows() { return this.page.locator('.rows .title').allTextContents(); }
    /* Each toast is good for one question. */
    async said(words)
    {
        const at = await until('', () => this.heard.findIndex(one => one.includes(words)) + 1)
            .catch(() => assert.fail(`the page does not say ${words}; it says: ${this.heard.join(' / ') || 'nothing'}`));
        this.heard.splice(at - 1, 1);
    }

    async menu(title, entry)
    {
        const item = this.page.getByRole('listitem').filter({ has: this.page.getByRole('link', { name: title, exact: true }) }).first();
        await item.hover();
        await item.getByRole('button', { name: `More for ${title}` }).click();
        await this.page.getByRole('menuitem', { name: entry }).click();
    }

    shot(name) { return screenshot(this.page, `page-${name}`); }

    /* Nothing glides or fades any more: half of a colour is no contrast. What goes on for ever may. */
    still()
    {
        return until('the page to be still', () => this.page.evaluate(() =>
            document.getAnimations().every(one => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity)));
    }

    /* The serious findings of axe-core, of which there may be none. */
    async accessible(where)
    {
        await this.still();
        await this.page.evaluate(axe);
        const { violations } = await this.page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
        const serious = violations.filter(one => ['serious', 'critical'].includes(one.impact))
            .map(one => `${one.id}: ${one.help}: ${one.nodes.slice(0, 4).map(node => node.html.slice(0, 160) + ' ' + node.failureSummary).join(' | ')}`);
        assert.deepEqual(serious, [], `axe-core at ${where}`);
    }

    well()
    {
        const errors = this.errors.filter(one => !(this.lost_line && of_a_lost_line.test(one)));
        assert.deepEqual(errors, [], `what the console of ${this.alias ?? 'a guest'} said`);
    }
}

/* Gives visitor(t, relay, options): somebody in a browser that `context` opens. */
export const visitors = context => async (t, relay, options) => Visitor.of(await (await context(t, options)).newPage(), relay);
