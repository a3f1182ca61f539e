// match.mjs - patterns over messages, as data.
//
// A pattern is a message as it should be, in which a string of the form {{...}}
// stands for what is not known beforehand:
//
//   {{now}} {{now-5000}} {{now+0.5}}   a state: the case's own moment, and offsets
//   {{?}}          any string that is not empty (an id we did not choose)
//   {{#}}          any number
//   {{word:}}      a string that begins with "word:" (the stable words of errors)
//   {{/regex/}}    a string that the expression finds something in
//   {{name}}       any value, which is remembered; met again, it must be the same
//
// The order of an object's keys is free, and no key may be missing or extra. A
// key that ends in "??" may be absent. "##" may be present wherever a put is: what
// it says is checked for every message by invariant.mjs.
//
// The same strings are replaced in what is sent, names as well as values.

const whole = /^\{\{([^{}]+)\}\}$/;
const inside = /\{\{([A-Za-z][\w]*(?:[+-][\d.]+)?)\}\}/g;

function known(expression, bound) {
    const [, name, offset] = expression.match(/^([A-Za-z]\w*)([+-][\d.]+)?$/) ?? [];
    if (name === undefined || !bound.has(name)) return undefined;
    const value = bound.get(name);
    return offset === undefined ? value : value + Number(offset);
}

export function fill(value, bound) {
    if (typeof value === 'string') {
        const only = value.match(whole);
        const found = only && known(only[1], bound);
        if (found !== undefined && found !== null) return found;
        return value.replace(inside, (text, name) => known(name, bound) ?? text);
    }
    if (Array.isArray(value)) return value.map((v) => fill(v, bound));
    if (value === null || typeof value !== 'object') return value;
    const out = Object.create(null); // a soul may be called __proto__
    for (const key of Object.keys(value)) out[fill(key, bound)] = fill(value[key], bound);
    return out;
}

// Returns undefined when `got` is as `want` says, else a sentence. Names that
// are met for the first time are put into `bound`, also when it fails further on.
export function mismatch(want, got, bound, path = 'message') {
    if (typeof want === 'string') return stringMismatch(want, got, bound, path);
    if (want instanceof RegExp)
        return typeof got === 'string' && want.test(got) ? undefined : `${path}: ${show(got)} is not like ${want}`;
    if (want === null || typeof want !== 'object')
        return Object.is(want, got) ? undefined : `${path}: expected ${show(want)}, got ${show(got)}`;
    if (got === null || typeof got !== 'object' || Array.isArray(want) !== Array.isArray(got))
        return `${path}: expected ${show(want)}, got ${show(got)}`;
    return objectMismatch(want, got, bound, path);
}

function objectMismatch(want, got, bound, path) {
    const left = new Set(Object.keys(got));
    for (const raw of Object.keys(want)) {
        const optional = raw.endsWith('??');
        const key = fill(optional ? raw.slice(0, -2) : raw, bound);
        if (!left.delete(key)) {
            if (optional) continue;
            return `${path}: no ${show(key)} in ${show(got)}`;
        }
        const why = mismatch(want[raw], got[key], bound, `${path}[${show(key)}]`);
        if (why) return why;
    }
    if ('put' in got) left.delete('##');
    if (left.size > 0) return `${path}: unexpected ${[...left].map((k) => show(k)).join(', ')} in ${show(got)}`;
    return undefined;
}

function stringMismatch(want, got, bound, path) {
    const only = want.match(whole);
    if (!only) {
        const text = fill(want, bound);
        return text === got ? undefined : `${path}: expected ${show(text)}, got ${show(got)}`;
    }
    const expression = only[1];
    if (expression === '?')
        return typeof got === 'string' && got !== '' ? undefined : `${path}: expected a name, got ${show(got)}`;
    if (expression === '#')
        return typeof got === 'number' ? undefined : `${path}: expected a number, got ${show(got)}`;
    if (expression.startsWith('/'))
        return typeof got === 'string' && new RegExp(expression.slice(1, -1), 'su').test(got)
            ? undefined : `${path}: ${show(got)} is not like ${expression}`;
    if (expression.endsWith(':'))
        return typeof got === 'string' && got.startsWith(expression)
            ? undefined : `${path}: expected "${expression} ...", got ${show(got)}`;
    const value = known(expression, bound);
    if (value === undefined) {
        bound.set(expression, got);
        return undefined;
    }
    return Object.is(value, got) ? undefined : `${path}: expected ${show(value)}, got ${show(got)}`;
}

export function show(value, most = 300) {
    const text = JSON.stringify(value) ?? String(value);
    return text.length > most ? `${text.slice(0, most)}… (${text.length} characters)` : text;
}
