/* gun-judge.cjs - what gun does with a write that comes over the wire: a thread
 * that runs the npm package, unmodified, and tells for each write
 *
 *   { good: true, says }    it reached the graph; says is what a reader is given
 *   { good: false, err }    the sender is told so
 *   { good: false }         nothing is stored and nobody is told; with `died` because
 *                           gun threw where nobody catches, or never ended its work
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

let verdict; /* on the write being judged */
let id = '', messages = 0; /* of the message that brings it */

/* yson parses 32,768 characters between two turns of the loop, and never ends where a
 * string does not. So what needs more turns than any text here has is cut off. */
const parse_turns_most = 3;
let parse_turns = 0;
function load_yson()
{
    const real = globalThis.setImmediate;
    globalThis.setImmediate = next => {
        if (next.name === 'parse' && ++parse_turns > parse_turns_most) verdict ??= { good: false, died: true };
        else real(next);
    };
    from_tests('gun/lib/yson');
    globalThis.setImmediate = real;
}

if (workerData.parser === 'browser') globalThis.self = globalThis;
else load_yson();
const Gun = from_tests('gun/gun');
const SEA = from_tests('gun/sea');

const gun = new Gun({ file: false, radisk: false, localStorage: false, multicast: false, axe: false, peers: {} });
const root = gun._;

/* How much is under way: sea.js verifies and hashes in promises that nobody holds. */
let work = { open: 0, calls: 0 };
for (const name of ['verify', 'work']) {
    const real = SEA[name];
    SEA[name] = async (...args) => {
        const mine = work;
        mine.open++;
        mine.calls++;
        try {
            return await real(...args);
        } finally {
            mine.open--;
        }
    };
}
/* gun hears itself, too, when it looks up a list of the blocked. */
root.on('put', function (msg) {
    if (String(msg['#']).startsWith(id)) {
        verdict ??= { good: true, says: '=' in msg.put ? msg.put['='] : msg.put[':'] };
    }
    this.to.next(msg);
});
root.on('in', function (msg) {
    if (msg.err && String(msg['@']).startsWith(id)) verdict ??= { good: false, err: String(msg.err) };
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

function hear({ soul, key, value, state })
{
    // Ids that end in a digit collide with those that gun makes of them.
    id = `m${++messages}.`;
    if (state <= Gun.state()) {
        const node = { _: { '#': soul, '>': { [key]: state } }, [key]: value };
        root.on('in', { '#': id, put: { [soul]: node } });
    } else {
        const ctx = { '#': id }, name = () => ctx['#'];
        root.on('put', { '#': { toString: name, toJSON: name, _: ctx },
            put: { '#': soul, '.': key, ':': value, '>': state }, _: ctx });
    }
}

const turn = () => new Promise(setImmediate);
const quiet_turns = 4;
const hang_ms = 20000, print_ms = 3000, list_ms = 200;

/* Waits until gun has answered, or is at rest without an answer. What is not in
 * user space or under a hash is decided at once, what is makes calls. */
async function decided(one)
{
    const began = Date.now();
    for (let quiet = 0; verdict === undefined;) {
        await turn();
        quiet = work.open ? 0 : quiet + 1;
        if (one.lists && Date.now() - began < list_ms) continue;
        if (quiet >= quiet_turns && (work.calls > 0 || one.soul.includes('<?'))) return { good: false };
        // yson has values that it never ends to print.
        if (workerData.parser === 'relay' && Date.now() - began > print_ms) return { good: false, died: true };
        if (Date.now() - began > hang_ms) throw new Error(`gun neither answers nor rests: ${JSON.stringify(one)}`);
    }
    const first = verdict;
    while (work.open && !first.died) await turn();
    return first;
}

async function judge(one)
{
    root.graph = {};
    root.next = {};
    verdict = undefined;
    parse_turns = 0;
    work = { open: 0, calls: 0 };
    know_lists(one.lists);
    try {
        hear(one);
    } catch {
        return { good: false, died: true };
    }
    return decided(one);
}

async function judge_all(cases)
{
    const answers = [];
    for (const one of cases) answers.push(await judge(one));
    return answers;
}

parentPort.on('message', cases => {
    judge_all(cases).then(answers => parentPort.postMessage({ answers }), error => parentPort.postMessage({ error: error.message }));
});
