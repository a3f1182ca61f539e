// frames.mjs - short names for the frames and patterns that tables are made of.
//
// Each gives plain data; what it stands for is in its line. States are {{now}}
// unless another is given.

export const now = '{{now}}';

// {soul: {key: value}} with one state for all -> the node form of GUN.
export function graph(nodes, state = now) {
    const put = Object.create(null);
    for (const soul of Object.keys(nodes)) {
        const keys = Object.keys(nodes[soul]);
        const states = Object.create(null);
        for (const key of keys) states[key] = typeof state === 'object' ? state[key] : state;
        put[soul] = { _: { '#': soul, '>': states }, ...nodes[soul] };
    }
    return put;
}

// What is sent.
export const put = (id, nodes, state, more) => ({ '#': id, put: graph(nodes, state), ...more });
export const get = (id, soul, key, more) =>
    ({ '#': id, get: key === undefined ? { '#': soul } : { '#': soul, '.': key }, ...more });
export const lex = (id, soul, query, limit) =>
    ({ '#': id, get: { '#': soul, '.': query, ...(limit === undefined ? {} : { '%': limit }) } });
export const answer = (id, to, nodes, state, more) => ({ '#': id, '@': to, put: graph(nodes, state), ...more });

// What is expected.
export const ok = (id) => ({ '#': '{{?}}', '@': id, ok: true });
const words = (word) => (word.startsWith('/') ? `{{${word}}}` : `{{${word}:}}`);
export const err = (id, word) => ({ '#': '{{?}}', '@': id, err: words(word) });
// What may not be written, in gun's words: these, no others, and of which key.
export const denied = (id, why, soul, key) => ({ '#': '{{?}}', '@': id, err: why, of: { '#': soul, '.': key } });
export const scold = (word) => ({ '#': '{{?}}', dam: '!', err: words(word) });
export const none = (id) => ({ '#': '{{?}}', '@': id });
export const found = (id, nodes, state, more) => ({ '#': '{{?}}', '@': id, put: graph(nodes, state), ...more });
export const update = (nodes, state, id = '{{?}}') => ({ '#': id, put: graph(nodes, state) });
export const ask = (soul, key) => ({ '#': '{{?}}', get: key === undefined ? { '#': soul } : { '#': soul, '.': key } });

// n keys named prefix + number, two digits and more.
export function keys(n, prefix = 'k', value = (i) => i) {
    const node = {};
    for (let i = 0; i < n; i++) node[prefix + String(i).padStart(2, '0')] = value(i);
    return node;
}
