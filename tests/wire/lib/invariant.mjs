// invariant.mjs - what must hold of every frame the server ever sends.
//
// Checked for each frame of each case, so no table has to say it: gun.js clients
// read only text frames that begin with { or [, drop a second message with an id
// they have seen, and lose a whole frame when one number in it is no JSON.

// The ## hash (protocol.md 8): h = h * 31 + unit over the JSON text of `put`
// with the keys of every level sorted by code unit.
export function hash(put) {
    const text = sortedText(put);
    let h = 0;
    for (let i = 0; i < text.length; i++) h = (Math.imul(h, 31) + text.charCodeAt(i)) | 0;
    return h;
}

function sortedText(value) {
    if (value === null || typeof value !== 'object') return JSON.stringify(value);
    const keys = Object.keys(value).sort((a, b) => (a < b ? -1 : 1));
    return `{${keys.map((k) => `${JSON.stringify(k)}:${sortedText(value[k])}`).join(',')}}`;
}

const fields = new Set(['#', '@', '##', '><', '%', 'get', 'put', 'ok', 'err', 'of', 'dam', 'pid', 'nts']);

// Gives the messages of a frame, [] for a heartbeat. Throws with a sentence.
export function messagesOf(data, binary) {
    if (binary) throw new Error('the server sent a binary frame');
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
    if (text[0] !== '{' && text[0] !== '[') throw new Error(`a frame begins with ${JSON.stringify(text[0])}`);
    const value = JSON.parse(text);
    const list = Array.isArray(value) ? value : [value];
    for (const message of list)
        if (message === null || typeof message !== 'object' || Array.isArray(message))
            throw new Error('a batch holds something that is not a message');
    return list;
}

// Throws a sentence when a message could confuse a client. `seen` holds the ids
// this connection was sent.
export function checkMessage(message, seen) {
    const id = message['#'];
    // "busy:" is said to connections that have no place, and so no ids, yet.
    const nameless = message.nts !== undefined || message.dam === '!';
    if (!nameless || id !== undefined) {
        if (typeof id !== 'string' || id === '') throw new Error('a message has no id');
        if (seen.has(id)) throw new Error(`the id ${id} was used twice towards one client`);
        seen.add(id);
    }
    for (const field of Object.keys(message))
        if (!fields.has(field)) throw new Error(`a field ${field} that no client knows`);
    if ('ok' in message && !message.ok) throw new Error('an ok that is not true');
    if ('err' in message && (typeof message.err !== 'string' || message.err === ''))
        throw new Error('an err without words');
    if ('of' in message) checkOf(message);
    if (message.put !== undefined) checkPut(message);
}

// Which key was refused: of nothing but an err, by its whole name.
function checkOf({ of, err }) {
    if (err === undefined) throw new Error('an "of" without err');
    if (Object.keys(of).join() !== '#,.' || typeof of['#'] !== 'string' || typeof of['.'] !== 'string')
        throw new Error('an "of" that is no key of a soul');
}

function checkPut(message) {
    for (const soul of Object.keys(message.put)) {
        const node = message.put[soul];
        const meta = node?._;
        if (!meta || meta['#'] !== soul) throw new Error(`the node ${soul} does not say who it is`);
        const states = meta['>'];
        const keys = Object.keys(node).filter((k) => k !== '_');
        for (const key of keys)
            if (typeof states?.[key] !== 'number' || !Number.isFinite(states[key]))
                throw new Error(`${key} of ${soul} has no state`);
        if (Object.keys(states ?? {}).length !== keys.length)
            throw new Error(`${soul} has states without values`);
        if (keys.length === 0) throw new Error(`the node ${soul} is empty`);
    }
    if (Object.keys(message.put).length === 0) throw new Error('a put without a node');
    if (message['##'] !== undefined && message['##'] !== hash(message.put))
        throw new Error(`## is ${message['##']}, the hash of its put is ${hash(message.put)}`);
}
