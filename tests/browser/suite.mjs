/* suite.mjs - two browsers and a relay, as people have them.
 *
 * Pages run gun.js with localStorage, as it comes from the relay's own port.
 * No page is reloaded unless the case says so.
 */
import { Crowd } from '../tools/crowd.mjs';
import { assert, fresh, print_table, sleep, suite, until } from '../tools/harness.mjs';
import { own_relay } from '../tools/relay.mjs';
import { open_line } from '../tools/throttle.mjs';
import { page_journeys } from './cases-page.mjs';
import { together_journeys } from './cases-together.mjs';
import { open_site } from './site.mjs';
import { Tab, open_browser, open_tab, screenshot } from './tab.mjs';
import { user_journeys } from './users.mjs';

const browser_suite = suite('browser');
let browser, site;
async function open()
{
    [browser, site] = await Promise.all([open_browser(), open_site()]);
    browser_suite.after(() => site.close());
    browser_suite.after(() => browser.close());
}

const test = (sentence, body, options) => browser_suite.test(sentence, body, { beside: true, seconds: 120, ...options });

async function context(t, options = {})
{
    const context = await browser.newContext(options);
    context.setDefaultTimeout(90_000);
    t.after(() => context.close());
    return context;
}

/* Ann and Bob, each in a browser of their own, have read `soul`/text: 'old'. */
async function two_readers(t, relay, options = {})
{
    const soul = fresh('note');
    const ann = await open_tab(await context(t), site, relay, options);
    const bob = await open_tab(await context(t), site, relay);
    await ann.listen([soul, 'text']);
    await bob.listen([soul, 'text']);
    await bob.put([soul, 'text'], 'old');
    await ann.sees([soul, 'text'], 'old');
    return { soul, ann, bob };
}

test('two browsers see what the other writes, and a second tab of one sees it too', async t => {
    const relay = await own_relay(t);
    const { soul, ann, bob } = await two_readers(t, relay);
    const second = await open_tab(ann.page.context(), site, relay);
    await second.listen([soul, 'text']);
    await second.sees([soul, 'text'], 'old');
    await ann.put([soul, 'text'], 'by ann');
    await bob.sees([soul, 'text'], 'by ann');
    await second.sees([soul, 'text'], 'by ann');
    await bob.put([soul, 'text'], 'by bob');
    await ann.sees([soul, 'text'], 'by bob');
    await second.sees([soul, 'text'], 'by bob');
    for (const tab of [ann, bob, second]) tab.well();
});

/* The steps of gun#973, but that nobody reloads anything. */
test('edits of both browsers while the relay is away for a moment are on the other (gun#973)', async t => {
    const relay = await own_relay(t);
    const { soul, ann, bob } = await two_readers(t, relay);
    await ann.listen([soul, 'title']);
    await bob.listen([soul, 'title']);
    await Promise.all([ann.holds_its_try(), bob.holds_its_try()]);
    await relay.stop();
    await Promise.all([ann.goes_away(), bob.goes_away()]);
    await ann.put([soul, 'text'], 'ann, offline');
    await bob.put([soul, 'title'], 'bob, offline');
    await relay.start();
    for (const tab of [ann, bob]) assert.ok(await tab.lets_go() > 0, 'gun has not tried to come back');
    await bob.sees([soul, 'text'], 'ann, offline');
    await ann.sees([soul, 'title'], 'bob, offline');
    await ann.put([soul, 'text'], 'and on');
    await bob.sees([soul, 'text'], 'and on');
});

for (const [how, what] of [['kill', 'killed -9'], ['stop', 'stopped cleanly']]) {
    test(`the relay is ${what} and started at once: an edit made meanwhile is on the other browser`, async t => {
        const relay = await own_relay(t);
        const { soul, ann, bob } = await two_readers(t, relay);
        await relay[how]();
        const starting = relay.start();
        await ann.put([soul, 'text'], 'meanwhile');
        await starting;
        await bob.sees([soul, 'text'], 'meanwhile');
        await bob.put([soul, 'text'], 'after');
        await ann.sees([soul, 'text'], 'after');
    });
}

test('among 100 gun clients under load, killed -9 and then stopped: all are back, and so is the edit made meanwhile', async t => {
    const relay = await own_relay(t);
    const crowd = new Crowd(relay, 100);
    t.after(() => crowd.close());
    await crowd.open();
    const { soul, ann, bob } = await two_readers(t, relay);
    const table = [['the relay was', 'clients back', 'of', 'puts acknowledged', 'lost', 'the edit']];
    for (const how of ['kill', 'stop']) {
        await relay[how]();
        const starting = relay.start();
        await ann.put([soul, 'text'], how);
        await starting;
        await bob.sees([soul, 'text'], how);
        await bob.comes_back();
        const back = await crowd.count_back(bob, how);
        const { acked, lost } = await crowd.lost();
        table.push([how === 'kill' ? 'killed -9' : 'stopped', back, 100, acked, lost.length, 'is there']);
        assert.equal(back, 100);
        assert.deepEqual(lost, []);
    }
    print_table(table);
}, { seconds: 240, long: true, beside: false });

test('an edit made while the line was cut comes up, the page kept open', async t => {
    const relay = await own_relay(t);
    const line = await open_line(relay.port);
    t.after(() => line.close());
    const { soul, ann, bob } = await two_readers(t, relay, { peer: line.url });
    line.cut();
    await ann.goes_away();
    await ann.put([soul, 'text'], 'in the tunnel');
    await bob.sees([soul, 'text'], 'in the tunnel');
});

test('an edit to a soul only written, never read, made while the line was cut comes up', async t => {
    const relay = await own_relay(t);
    const line = await open_line(relay.port);
    t.after(() => line.close());
    const soul = fresh('diary');
    const ann = await open_tab(await context(t), site, relay, { peer: line.url });
    const bob = await open_tab(await context(t), site, relay);
    await ann.put([soul, 'text'], 'old');
    await bob.listen([soul, 'text']);
    await bob.sees([soul, 'text'], 'old');
    line.cut();
    await ann.goes_away();
    await ann.put([soul, 'text'], 'in the tunnel');
    await bob.sees([soul, 'text'], 'in the tunnel');
});

test('edits that wait in localStorage come up after a reload, when the relay was away for long', async t => {
    const relay = await own_relay(t);
    const { soul, ann, bob } = await two_readers(t, relay);
    await relay.stop();
    await Promise.all([ann.goes_away(), bob.goes_away()]);
    await ann.put([soul, 'text'], 'kept in the browser');
    await ann.put([soul, 'more'], 'never asked for');
    await ann.keeps('kept in the browser');
    await ann.keeps('never asked for');
    await sleep(5000); /* gun has given up by now */
    await relay.start();
    await Promise.all([ann.page.reload(), bob.page.reload()]);
    await bob.listen([soul, 'text']);
    await bob.listen([soul, 'more']);
    await ann.listen([soul, 'text']);
    await bob.sees([soul, 'text'], 'kept in the browser');
    await bob.sees([soul, 'more'], 'never asked for');
});

test('an account made in one browser is entered in another, with sea.js from the relay', async t => {
    const relay = await own_relay(t);
    const options = { scripts: ['/gun.js', '/sea.js'] };
    const ann = await open_tab(await context(t), site, relay, options);
    const elsewhere = await open_tab(await context(t), site, relay, options);
    const alias = fresh('ann');
    const create = ([alias, pass]) => new Promise(done => gun.user().create(alias, pass, ack => done(ack.err || ack.pub)));
    const enter = ([alias, pass]) => new Promise(done => gun.user().auth(alias, pass, ack => done(ack.err || ack.sea.pub)));
    const pub = await ann.page.evaluate(create, [alias, 'correct horse']);
    assert.match(pub, /^[\w-]{43}\.[\w-]{43}$/);
    assert.equal(await elsewhere.page.evaluate(enter, [alias, 'correct horse']), pub);
    assert.match(await elsewhere.page.evaluate(enter, [alias, 'guessed']), /Wrong user or password/);
    await ann.page.evaluate(enter, [alias, 'correct horse']);
    await ann.page.evaluate(() => { gun.user().get('motto').put('signed'); });
    await elsewhere.page.evaluate(pub => { gun.get('~' + pub).get('motto').on(v => { seen.motto = v; }); }, pub);
    await elsewhere.sees(['motto'], 'signed');
});

test('two pages with lib/webrtc.js connect through the relay and go on without it', async t => {
    const relay = await own_relay(t);
    const room = fresh('room');
    const options = { scripts: ['/gun.js', '/gun/lib/webrtc.js'], options: { rtc: { room, iceServers: [] } } };
    const ann = await open_tab(await context(t), site, relay, options);
    const bob = await open_tab(await context(t), site, relay, options);
    const direct = tab => tab.page.evaluate(() => Object.values(gun._.opt.peers)
        .some(p => p instanceof RTCPeerConnection && p.wire && p.wire.readyState === 'open'));
    await until('a data channel between the pages', async () => await direct(ann) && await direct(bob));
    const soul = fresh('direct');
    await bob.listen([soul, 'text']);
    await relay.stop();
    await Promise.all([ann, bob].map(tab => until('the relay to be gone', () => tab.page.evaluate(url => !gun._.opt.peers[url], relay.url))));
    await ann.put([soul, 'text'], 'without a relay');
    await bob.sees([soul, 'text'], 'without a relay');
});

test('/check works as a live check', async t => {
    const relay = await own_relay(t);
    const pages = [await (await context(t)).newPage(), await (await context(t)).newPage()];
    const tabs = pages.map(page => new Tab(page));
    for (const page of pages) {
        const answer = await page.goto(relay.http('/check'));
        assert.equal(answer.status(), 200);
        assert.match(await page.title(), /brasa/);
    }
    const good = (page, id) => until(`#${id} to be good`, () => page.locator(`#${id}.good`).count());
    for (const page of pages) for (const id of ['connected', 'acked', 'read', 'health']) await good(page, id);
    await pages[0].fill('#shared', 'typed on the first page');
    await until('the text on the second page', async () => await pages[1].inputValue('#shared') === 'typed on the first page');
    await screenshot(pages[1], 'live-check');
    for (const tab of tabs) tab.well();
});

test('/check says what may be written, and tries only that', async t => {
    const nobody = `${'A'.repeat(43)}.${'A'.repeat(43)}`;
    const modes = {
        signed: [['--write', 'signed'], /^Only signed data/],
        closed: [['--write', 'closed', '--allow', nobody], /^Only keys that the operator allows/],
    };
    for (const [mode, [args, says]] of Object.entries(modes)) {
        const relay = await own_relay(t, { args });
        const page = await (await context(t)).newPage();
        const tab = new Tab(page);
        await page.goto(relay.http('/check'));
        await until(`the page to say that it is ${mode}`, async () => says.test(await page.textContent('#mode')));
        await until('the check to be over', async () => await page.textContent('#acked') === `not tried, this relay is ${mode}`);
        await until('the connection to be good', () => page.locator('#connected.good').count());
        assert.equal(await page.isDisabled('#shared'), true);
        tab.well();
    }
});

/* The page of the README names gun.js's lost peer again, every five seconds. */
const outage_seconds = browser_suite.options.long ? 60 : 6;
test(`the README's page syncs two tabs and survives an outage of ${outage_seconds} s`, async t => {
    const relay = await own_relay(t);
    const where = `${site.url}/two-tabs.html?relay=${encodeURIComponent(relay.http(''))}`;
    const [ann, bob] = [await (await context(t)).newPage(), await (await context(t)).newPage()];
    const area = page => page.locator('textarea');
    const shows = (page, text) => until(`"${text}" on the page`, async () => await area(page).inputValue() === text, 30)
        .catch(async error => { throw new Error(`${error.message}: Ann has "${await area(ann).inputValue()}", Bob "${await area(bob).inputValue()}"`); });
    for (const page of [ann, bob]) await page.goto(where);
    await area(ann).pressSequentially('Dear Bob');
    await shows(bob, 'Dear Bob');
    await relay.stop();
    await area(ann).press('End');
    await area(ann).pressSequentially(', are you there?');
    await sleep(outage_seconds * 1000);
    await relay.start();
    await shows(bob, 'Dear Bob, are you there?');
    await area(bob).fill('I am.');
    await shows(ann, 'I am.');
    await until('both to say so', async () => (await Promise.all([ann, bob].map(p => p.textContent('#line')))).every(l => l === 'here'));
    await screenshot(ann, 'two-tabs-ann');
    await screenshot(bob, 'two-tabs-bob');
}, { seconds: 150 });

page_journeys({ test }, context);
together_journeys({ test }, context);
user_journeys({ test }, { own_relay, context, site: () => site });

await browser_suite.run(open);
