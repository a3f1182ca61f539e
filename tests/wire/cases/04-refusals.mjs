// Graphs that are none (transcript 03, "malformed graphs"; design "bad key in a put"):
// a put is whole or not at all, one err says why, and nothing was stored or told.
import { answer, err, found, get, graph, keys, none, ok, put, update } from '../lib/frames.mjs';

let next = 0;

// `put` is text in which SOUL stands for a fresh soul; B listens on that soul.
function refused(name, text, word = 'malformed') {
    const soul = `m${next++}`;
    const frame = `{"#":"bad","put":${text.replaceAll('SOUL', soul)}}`;
    return {
        name: `${name}: one err, nothing stored, nobody told`,
        steps: [['A', 'open'], ['B', 'open'], ['B', '>', get('bg', soul)], ['B', '<', none('bg')],
            ['A', '>', frame], ['A', '<', err('bad', word)], ['A', '='], ['B', '='],
            ['A', '>', get('g', soul)], ['A', '<', none('g')]],
    };
}

const value = (name, text) => refused(`a value that is ${name}`, `{"SOUL":{"_":{"#":"SOUL",">":{"v":1}},"v":${text}}}`);

// An answer is judged key by key: what is good is taken, the sender is told once.
function answered(name, text, kept) {
    const soul = `m${next++}`;
    return {
        name: `in an answer, ${name}`,
        steps: [['A', 'open'], ['A', '>', `{"#":"a1","@":"zz","put":${text.replaceAll('SOUL', soul)}}`],
            ['A', '<', err('a1', 'malformed')], ['A', '='],
            ['A', '>', get('g', soul)], ['A', '<', kept === undefined ? none('g') : found('g', { [soul]: kept }, 1)]],
    };
}

export default {
    name: 'refusals',
    cases: [
        refused('a put of null, which is no put', 'null', 'unknown'), refused('a put that is a string', '"SOUL"'), refused('a put that is a number', '7'),
        refused('a put that is an array', '[1,2]'), refused('a put that is true', 'true'), refused('a put that is an empty string', '""'),
        refused('a node that is null', '{"SOUL":null}'), refused('a node that is a number', '{"SOUL":5}'),
        refused('a node that is a string', '{"SOUL":"x"}'), refused('a node that is an array', '{"SOUL":[1]}'), refused('a node that is an empty array', '{"SOUL":[]}'),
        refused('a node without _', '{"SOUL":{"a":1}}'), refused('a node {}', '{"SOUL":{}}'),
        refused('a node with _ that is null', '{"SOUL":{"_":null,"a":1}}'), refused('a node with _ that is an array', '{"SOUL":{"_":[],"a":1}}'),
        refused('a node with _ that is a string', '{"SOUL":{"_":"SOUL","a":1}}'),
        refused('a node without states', '{"SOUL":{"_":{"#":"SOUL"},"a":1}}'), refused('a node whose states are null', '{"SOUL":{"_":{"#":"SOUL",">":null},"a":1}}'),
        refused('a node whose states are an array', '{"SOUL":{"_":{"#":"SOUL",">":[1]},"a":1}}'), refused('a node whose states are a number', '{"SOUL":{"_":{"#":"SOUL",">":1},"a":1}}'),
        refused('a node that does not say its soul', '{"SOUL":{"_":{">":{"a":1}},"a":1}}'), refused('a node that says another soul', '{"SOUL":{"_":{"#":"other",">":{"a":1}},"a":1}}'),
        refused('a node whose soul is a number', '{"SOUL":{"_":{"#":5,">":{"a":1}},"a":1}}'), refused('a node whose soul is null', '{"SOUL":{"_":{"#":null,">":{"a":1}},"a":1}}'),
        refused('a key without a state', '{"SOUL":{"_":{"#":"SOUL",">":{"b":1}},"a":1}}'), refused('one key of two without a state', '{"SOUL":{"_":{"#":"SOUL",">":{"b":1}},"b":2,"a":1}}'),
        value('an array', '[1,2]'), value('an empty array', '[]'), value('an object', '{"a":1}'), value('an empty object', '{}'),
        value('a link with another key', '{"#":"x","b":1}'), value('a link to nothing', '{"#":""}'), value('a link to a number', '{"#":5}'),
        value('a link to null', '{"#":null}'), value('a link to a link', '{"#":{"#":"x"}}'), value('nested arrays', '[[[[1]]]]'), value('an array of a link', '[{"#":"x"}]'),
        refused('an empty key', '{"SOUL":{"_":{"#":"SOUL",">":{"":1}},"":1}}'), refused('an empty key beside a good one', '{"SOUL":{"_":{"#":"SOUL",">":{"a":1,"":1}},"a":1,"":1}}'),
        refused('an empty soul', '{"":{"_":{"#":"",">":{"a":1}},"a":1}}'), refused('an empty soul behind a good one', '{"SOUL":{"_":{"#":"SOUL",">":{"a":1}},"a":1},"":{"_":{"#":"",">":{"a":1}},"a":1}}'),
        refused('a bad key between good ones (13.6; gun.js: keeps the first)', '{"SOUL":{"_":{"#":"SOUL",">":{"good1":1,"bad":1,"good2":1}},"good1":1,"bad":[1],"good2":2}}'),
        refused('a bad node before a good one', '{"bad1":{"a":1},"SOUL":{"_":{"#":"SOUL",">":{"a":1}},"a":1}}'),
        refused('a bad node behind a good one', '{"SOUL":{"_":{"#":"SOUL",">":{"a":1}},"a":1},"bad2":{"a":1}}'),
        refused('a key twice in a node', '{"SOUL":{"_":{"#":"SOUL",">":{"a":1}},"a":1,"a":2}}'), refused('a key twice in the states', '{"SOUL":{"_":{"#":"SOUL",">":{"a":1,"a":2}},"a":1}}'),
        refused('a key twice, once escaped', '{"SOUL":{"_":{"#":"SOUL",">":{"a":1}},"a":1,"\\u0061":2}}'),
        refused('a soul twice', '{"SOUL":{"_":{"#":"SOUL",">":{"a":1}},"a":1},"SOUL":{"_":{"#":"SOUL",">":{"a":1}},"a":1}}'),
        refused('_ twice', '{"SOUL":{"_":{"#":"SOUL",">":{"a":1}},"_":{"#":"SOUL",">":{"a":1}},"a":1}}'),
        refused('a soul over 64 KB', `{"${'s'.repeat(65_537)}":{"_":{"#":"${'s'.repeat(65_537)}",">":{"a":1}},"a":1}}`, 'limit'),
        refused('a key over 64 KB', `{"SOUL":{"_":{"#":"SOUL",">":{"${'k'.repeat(65_537)}":1}},"${'k'.repeat(65_537)}":1}}`, 'limit'),
        {
            name: 'a put nested 5,000 deep is no message: one dam "!" limit:, nothing stored',
            acks: false, // its id stands in a text that is not read on
            steps: [
                ['A', 'open'],
                ['A', '>', `{"#":"bad","put":{"deep":{"_":{"#":"deep",">":{"v":1}},"v":${'['.repeat(5000)}${']'.repeat(5000)}}}}`],
                ['A', '<', { '#': '{{?}}', 'dam??': '!', '@??': 'bad', err: '{{/^limit:/}}' }], ['A', '='],
                ['A', '>', get('g', 'deep')], ['A', '<', none('g')]],
        },
        {
            name: 'the err names the key that is wrong',
            steps: [
                ['A', 'open'],
                ['A', '>', '{"#":"p","put":{"named":{"_":{"#":"named",">":{"fine":1,"wrong":1}},"fine":1,"wrong":[1]}}}'],
                ['A', '<', { '#': '{{?}}', '@': 'p', err: '{{/^malformed: .*wrong/}}' }]],
        },
        {
            name: 'a refused put does not subscribe its author',
            steps: [
                ['A', 'open'], ['B', 'open'],
                ['A', '>', '{"#":"p","put":{"unsub":{"_":{"#":"unsub",">":{"a":1,"b":1}},"a":1,"b":[1]}}}'],
                ['A', '<', err('p', 'malformed')], ['B', '>', put('w', { unsub: { a: 2 } }, 5)], ['B', '<', ok('w')], ['A', '=']],
        },
        {
            name: 'a key with a state but no value is no write: the rest of the put is taken',
            steps: [
                ['A', 'open'], ['A', '>', '{"#":"p","put":{"os":{"_":{"#":"os",">":{"onlystate":1,"a":1}},"a":1}}}'],
                ['A', '<', ok('p')], ['A', '='],
                ['A', '>', get('g', 'os')], ['A', '<', found('g', { os: { a: 1 } }, 1)]],
        },
        {
            name: 'a link is a value of exactly one key',
            steps: [
                ['A', 'open'], ['A', '>', put('p', { li: { vl: { '#': 'x' } } }, 1)], ['A', '<', ok('p')],
                ['A', '>', get('g', 'li')], ['A', '<', found('g', { li: { vl: { '#': 'x' } } }, 1)]],
        },
        {
            name: 'a soul and a key of exactly 64 KB are stored',
            steps: [
                ['A', 'open'], ['A', '>', put('p', { ['S'.repeat(65_536)]: { ['K'.repeat(65_536)]: 1 } }, 1)],
                ['A', '<', ok('p')],
                ['A', '>', get('g', 'S'.repeat(65_536))],
                ['A', '<', found('g', { ['S'.repeat(65_536)]: { ['K'.repeat(65_536)]: 1 } }, 1)]],
        },
        {
            name: 'a refused put in a batch costs itself only',
            steps: [
                ['A', 'open'],
                ['A', '>', [put('b1', { ba: { a: 1 } }, 1), { '#': 'b2', put: { ba: 5 } }, put('b3', { ba: { c: 1 } }, 1)]],
                ['A', '<<', ok('b1'), err('b2', 'malformed'), ok('b3')], ['A', '=']],
        },
        {
            name: 'a stale key beside a bad one is not looked at: one err, no kept value',
            steps: [['A', 'open'], ['B', 'open'], ['B', '>', put('w', { sb: { a: 1 } }, 5000)], ['B', '<', ok('w')],
                ['A', '>', '{"#":"p","put":{"sb":{"_":{"#":"sb",">":{"a":1,"b":1}},"a":0,"b":{}}}}'],
                ['A', '<', err('p', 'malformed')], ['A', '=']],
        },

        answered('a bad key is dropped and the good ones are taken', '{"SOUL":{"_":{"#":"SOUL",">":{"good1":1,"bad":1,"good2":1}},"good1":1,"bad":[1],"good2":2}}', { good1: 1, good2: 2 }),
        answered('a key without a state is dropped', '{"SOUL":{"_":{"#":"SOUL",">":{"a":1}},"a":1,"b":2}}', { a: 1 }),
        answered('a key whose state is no number is dropped', '{"SOUL":{"_":{"#":"SOUL",">":{"a":1,"b":"2"}},"a":1,"b":2}}', { a: 1 }),
        answered('a node that is none is dropped and the good one is taken', '{"bad3":7,"SOUL":{"_":{"#":"SOUL",">":{"a":1}},"a":1}}', { a: 1 }),
        answered('several bad keys are told once', '{"SOUL":{"_":{"#":"SOUL",">":{"a":1,"b":1,"c":1,"d":1}},"a":[],"b":[],"c":[],"d":4}}', { d: 4 }),
        answered('a put that is an array is refused', '[1]', undefined),
        {
            name: 'an empty node in an answer is "nothing": no data, no error',
            steps: [
                ['A', 'open'], ['A', '>', '{"#":"a1","@":"zz","put":{"en":{"_":{"#":"en",">":{}}}}}'], ['A', '='],
                ['A', '>', get('g', 'en')], ['A', '<', none('g')]],
        },
        {
            name: 'a bare answer is heard in silence',
            steps: [
                ['A', 'open'],
                ['A', '>', { '#': 'n1', '@': 'nobody' }, { '@': 'nobody' }, { '#': 'n2', '@': 'nobody', put: null }],
                ['do', async (c) => { await c.peer('A').fence(); c.peer('A').inbox.length = 0; }], ['A', '=']],
        },
        {
            name: 'a good answer is not acked',
            steps: [
                ['A', 'open'], ['A', '>', answer('a1', 'zz', { ga: keys(3) }, 1)], ['A', '='], ['A', '>', get('g', 'ga')],
                ['A', '<', found('g', { ga: keys(3) }, 1)]],
        },
        {
            name: 'an answer that loses against what is kept changes nothing; who did not ask for the soul is sent what is kept',
            steps: [['A', 'open'], ['B', 'open'], ['A', '>', put('p', { al: { a: 'kept' } }, 5000)], ['A', '<', ok('p')],
                ['B', '>', answer('a1', 'zz', { al: { a: 'old' } }, 1000)], ['B', '<', update({ al: { a: 'kept' } }, 5000)],
                ['B', '='], ['A', '='],
                ['A', '>', get('g', 'al')], ['A', '<', found('g', { al: { a: 'kept' } }, 5000)]],
        },
        {
            name: 'an answer that HAM takes is told to those who listen',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('bg', 'at2')], ['B', '<', none('bg')],
                ['A', '>', answer('a1', 'zz', { at2: { a: 1 } }, 1000)],
                ['A', '='], ['B', '<', update({ at2: { a: 1 } }, 1000)]],
        },
        {
            name: 'what was refused once is taken when it is sent right',
            steps: [
                ['A', 'open'], ['A', '>', { '#': 'p', put: { fix: { _: { '#': 'fix', '>': { a: 1 } }, a: [] } } }],
                ['A', '<', err('p', 'malformed')],
                ['A', '>', { '#': 'p', put: graph({ fix: { a: 1 } }, 1) }], ['A', '<', ok('p')], ['A', '>', get('g', 'fix')],
                ['A', '<', found('g', { fix: { a: 1 } }, 1)]],
        },
    ],
};
