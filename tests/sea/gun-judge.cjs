/* gun-judge.cjs - what gun does with a write that comes over the wire: a thread
 * that runs the npm package, unmodified, and tells for each write
 *
 *   { good: true, says }    it reached the graph; says is what a reader is given
 *   { good: false, err }    the sender is told so
 *   { good: false }         nothing is stored and nobody is told; with `died` because
 *                           gun threw where nobody catches, and the process ended
 *
 * workerData.parser says whose sea.js. "relay" is what gun's lib/server.js loads:
 * yson before gun, and @peculiar/webcrypto for the curve. "browser" is sea.js alone,
 * with JSON.parse; the global `self` makes it believe that it is in a browser, and
 * it takes the Web Crypto that is there, which is Node's own.
 *
 * A write goes the way of a message: 'in', HAM, the firewall of sea.js, the graph.
 * One from the future is handed to the firewall at once, as HAM's timer would.
 */
const { parentPort, workerData } = require('node:worker_threads');
const { createRequire } = require('node:module');
const path = require('node:path');

const from_tests = createRequire(path.join(__dirname, '..', 'package.json'));
// sea.js says on the console what it refuses.
console.log = console.warn = console.info = () => {};
if (workerData.parser === 'browser') globalThis.self = globalThis;
else from_tests('gun/lib/yson');
const Gun = from_tests('gun/gun');
const SEA = from_tests('gun/sea');

const gun = new Gun({ file: false, radisk: false, localStorage: false, multicast: false, axe: false, peers: {} });
const root = gun._;

/* How much is under way: sea.js verifies and hashes in promises that nobody holds. */
let under_way = 0, calls = 0;
for (const name of ['verify', 'work']) {
    const real = SEA[name];
    SEA[name] = async (...args) => {
        under_way++;
        calls++;
        try {
            return await real(...args);
        } finally {
            under_way--;
        }
    };
}

let verdict;
root.on('put', function (msg) {
    verdict ??= { good: true, says: '=' in msg.put ? msg.put['='] : msg.put[':'] };
    this.to.next(msg);
});
root.on('in', function (msg) {
    if (msg.err) verdict ??= { good: false, err: String(msg.err) };
    this.to.next(msg);
});

/* A bad escape kills a relay of gun. */
for (const event of ['unhandledRejection', 'uncaughtException']) {
    process.on(event, () => { verdict ??= { good: false, died: true }; });
}

/* A certificate with a list of the blocked makes gun look its bearer up there, and
 * wait for ever if the list is unknown. Here it is known, and the bearer is not in it. */
function know_lists(lists)
{
    for (const { soul, key, value } of lists ?? []) {
        root.graph[soul] = Gun.state.ify(root.graph[soul], key, 1, value, soul);
    }
}

let messages = 0;
function hear({ soul, key, value, state })
{
    // Ids that end in a digit collide with those that gun makes of them.
    const id = `m${++messages}.`;
    if (state <= Gun.state()) {
        const node = { _: { '#': soul, '>': { [key]: state } }, [key]: value };
        root.on('in', { '#': id, put: { [soul]: node } });
    } else {
        const ctx = { '#': id };
        root.on('put', { '#': { toString: () => id, toJSON: () => id, _: ctx },
            put: { '#': soul, '.': key, ':': value, '>': state }, _: ctx });
    }
}

const turn = () => new Promise(setImmediate);
const quiet_turns = 4;
const hang_ms = 20000, list_ms = 400;

/* Waits until gun has answered, or is at rest without an answer. What is not in
 * user space or under a hash is decided at once, what is makes calls. */
async function decided(one)
{
    const began = Date.now();
    for (let quiet = 0; verdict === undefined;) {
        await turn();
        quiet = under_way ? 0 : quiet + 1;
        if (one.lists && Date.now() - began < list_ms) continue;
        if (quiet >= quiet_turns && (calls > 0 || one.soul.includes('<?'))) return { good: false };
        if (Date.now() - began > hang_ms) throw new Error(`gun neither answers nor rests: ${JSON.stringify(one)}`);
    }
    const first = verdict;
    while (under_way) await turn();
    return first;
}

async function judge(one)
{
    root.graph = {};
    root.next = {};
    verdict = undefined;
    calls = 0;
    know_lists(one.lists);
    hear(one);
    return decided(one);
}

parentPort.on('message', async cases => {
    const answers = [];
    for (const one of cases) answers.push(await judge(one));
    parentPort.postMessage(answers);
});
